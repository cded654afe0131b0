"""Images filtered by slices: blur, sharpen, edges, a median, and steps of erosion."""
import kiln.numpy as np

SHARPEN = [[0, -1, 0], [-1, 5, -1], [0, -1, 0]]
SOBEL = [[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]]


def picture(size):
    y, x = np.mgrid[0:size, 0:size]
    disc = ((x - size * 0.4) ** 2 + (y - size * 0.5) ** 2 < (size * 0.25) ** 2) * 1.0
    stripes = 0.25 * ((x // 4) % 2)
    return disc + stripes + 0.01 * y


def gaussian(radius, sigma):
    x = np.arange(-radius, radius + 1)
    row = np.exp(-x ** 2 / (2 * sigma ** 2))
    kernel = np.outer(row, row)
    return kernel / kernel.sum()


def filtered(image, kernel):
    rows, columns = kernel.shape
    top, left = rows // 2, columns // 2
    padded = np.pad(image, ((top, top), (left, left)), mode="edge")
    out = np.zeros_like(image)
    for i in range(rows):
        for j in range(columns):
            out += kernel[i, j] * padded[i:i + image.shape[0], j:j + image.shape[1]]
    return out


def edges(image):
    sobel = np.array(SOBEL, dtype=float)
    gx, gy = filtered(image, sobel), filtered(image, sobel.T)
    return np.hypot(gx, gy), np.arctan2(gy, gx)


def median(image):
    padded = np.pad(image, 1, mode="reflect")
    h, w = image.shape
    windows = np.stack([padded[i:i + h, j:j + w] for i in range(3) for j in range(3)])
    return np.median(windows, axis=0)


def erode(mask):
    padded = np.pad(mask, 1, mode="constant", constant_values=False)
    return padded[1:-1, 1:-1] & padded[:-2, 1:-1] & padded[2:, 1:-1] & padded[1:-1, :-2] & padded[1:-1, 2:]


def main():
    image = picture(32)
    blurred = filtered(image, gaussian(2, 1.1))
    sharp = np.clip(filtered(blurred, np.array(SHARPEN, dtype=float)), 0, 1)
    size, angle = edges(blurred)
    mask = image > 0.9
    areas = [mask.sum()]
    while mask.any():
        mask = erode(mask)
        areas.append(mask.sum())
    return [blurred, sharp, size, np.where(size > 0.1, angle, 0), median(image), np.array(areas)]
