"""Histogram equalization of a grey image, plain and by tiles, and what it does to contrast and entropy."""
import kiln.numpy as np

LEVELS = 256


def picture(size):
    y, x = np.indices((size, size))
    shade = 60 + 40 * np.sin(x / 9.0) * np.cos(y / 7.0) + 0.4 * x
    return np.clip(np.round(shade), 0, 255).astype(np.uint8)


def histogram(image):
    counts, _ = np.histogram(image, bins=LEVELS, range=(0, LEVELS))
    return counts


def table(counts):
    cumulative = np.cumsum(counts)
    first = cumulative[np.nonzero(counts)[0][0]]
    scaled = (cumulative - first) / max(int(cumulative[-1] - first), 1) * (LEVELS - 1)
    return np.clip(np.round(scaled), 0, LEVELS - 1).astype(np.uint8)


def equalized(image):
    return table(histogram(image))[image]


def limited(counts, limit):
    over = np.maximum(counts - limit, 0).sum()
    return np.minimum(counts, limit) + over // LEVELS


def by_tiles(image, tiles, limit):
    out = np.empty_like(image)
    step = image.shape[0] // tiles
    for i in range(tiles):
        for j in range(tiles):
            part = (slice(i * step, (i + 1) * step), slice(j * step, (j + 1) * step))
            counts = limited(histogram(image[part]), limit)
            out[part] = table(counts)[image[part]]
    return out


def entropy(image):
    share = histogram(image) / image.size
    used = share[share > 0]
    return -np.sum(used * np.log2(used))


def contrast(image):
    low, high = np.percentile(image, [5, 95])
    return (high - low) / (LEVELS - 1)


def main():
    image = picture(64)
    plain, tiled = equalized(image), by_tiles(image, 4, 12)
    flat = np.interp(np.arange(LEVELS), np.arange(LEVELS), np.cumsum(histogram(plain)) / plain.size)
    return [plain, tiled, flat] + [np.array([entropy(v), contrast(v), v.mean(), v.std()]) for v in (image, plain, tiled)]
