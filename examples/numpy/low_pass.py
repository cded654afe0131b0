"""A low-pass filter by the Fourier transform, against one by convolution, and the spectrum of what is left."""
import kiln.numpy as np

RATE = 512


def signal():
    t = np.linspace(0, 1, RATE, endpoint=False)
    clean = np.sin(2 * np.pi * 5 * t) + 0.3 * np.sin(2 * np.pi * 11 * t + 1)
    noise = 0.4 * np.sin(2 * np.pi * 90 * t) + 0.2 * np.sin(2 * np.pi * 133 * t + 0.5)
    return t, clean, clean + noise


def brick_wall(x, cutoff):
    spectrum = np.fft.rfft(x)
    frequencies = np.fft.rfftfreq(x.size, 1 / RATE)
    spectrum[frequencies > cutoff] = 0
    return np.fft.irfft(spectrum, x.size)


def smooth_wall(x, cutoff, order):
    spectrum = np.fft.rfft(x)
    frequencies = np.fft.rfftfreq(x.size, 1 / RATE)
    gain = 1 / np.sqrt(1 + (frequencies / cutoff) ** (2 * order))
    return np.fft.irfft(spectrum * gain, x.size)


def windowed_sinc(x, cutoff, taps):
    n = np.arange(taps) - (taps - 1) / 2
    kernel = np.sinc(2 * cutoff / RATE * n) * np.hamming(taps)
    kernel = kernel / kernel.sum()
    return np.convolve(x, kernel, mode="same")


def power(x):
    spectrum = np.fft.rfft(x) / x.size
    return np.abs(spectrum) ** 2


def strongest(x, count):
    p = power(x)
    order = np.argsort(p)[::-1]
    return np.sort(order[:count])


def root_mean_square(x):
    return np.sqrt(np.mean(x ** 2))


def main():
    t, clean, noisy = signal()
    results = [strongest(noisy, 4), power(noisy)[:16]]
    for filtered in (brick_wall(noisy, 20), smooth_wall(noisy, 20, 4), windowed_sinc(noisy, 20, 101)):
        middle = slice(64, -64)
        results += [filtered[middle], root_mean_square((filtered - clean)[middle]), strongest(filtered, 2)]
    energy = np.sum(np.abs(np.fft.fft(noisy)) ** 2) / noisy.size
    results.append(energy - np.sum(noisy ** 2))
    return results
