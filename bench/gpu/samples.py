"""Inputs that any version of NumPy makes alike."""
import numpy as np


def hashed(count, seed):
    """The same 64-bit numbers with every version of NumPy."""
    x = np.arange(count, dtype=np.uint64) + np.uint64((seed + 1) * 0x9E3779B97F4A7C15 % 2**64)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        x = (x ^ (x >> np.uint64(shift))) * np.uint64(factor)
    return x ^ (x >> np.uint64(31))


def uniform(shape, seed):
    """float32 in [-1, 1)."""
    count = int(np.prod(shape))
    return ((hashed(count, seed) >> np.uint64(40)).astype(np.float32) * np.float32(2.0**-23) - np.float32(1)).reshape(shape)


def samples(dtype, count, seed):
    """Random bits, half of floats in the range that programs use; and edge values."""
    x = hashed(count, seed)
    if dtype.startswith("int"):
        width = 8 * np.dtype(dtype).itemsize
        x = (x >> np.uint64(64 - width)).astype(f"uint{width}").view(dtype) >> (hashed(count, seed + 77) % np.uint64(width - 1)).astype(dtype)
        return x, np.array([0, 1, -1, 2, 7, -7, np.iinfo(dtype).min, np.iinfo(dtype).max], dtype)
    near = ((x >> np.uint64(12)).astype(np.float64) * 2.0**-51 - 1) * 40
    x = (x >> np.uint64(32)).astype(np.uint32).view(np.float32) if dtype == "float32" else x.view(np.float64)
    x = np.where(hashed(count, seed + 99) & np.uint64(1), x, near.astype(dtype)).astype(dtype)
    info = np.finfo(dtype)
    edges = np.array([0, 1, 0.5, 2, 3, 0.1, np.inf, np.nan, info.tiny, info.max, info.smallest_subnormal, info.tiny / 3, 1e5, 88.7, 1 + info.eps], dtype)
    return x, np.concatenate([edges, -edges])


def pairs(dtype, count, seed):
    x, edges = samples(dtype, count, seed)
    y, _ = samples(dtype, count, seed + 1)
    n = len(edges)
    x[:n * n], y[:n * n] = np.repeat(edges, n), np.tile(edges, n)
    return x, y
