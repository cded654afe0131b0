"""Views whose elements lie apart, reversed or repeated: copies, arithmetic, sums and writes against NumPy, as long as vectors, blocks and threads."""
import numpy as np
import pytest

import kiln as kn
from conftest import same_bits

SIZES = (0, 1, 2, 15, 16, 17, 63, 64, 65, 127, 1023, 1024, 1025, 2049, 70_001)
STEPS = (-1, 2, -2, 3, -3, 4, 5)


def numbers(n, dtype, rng):
    x = rng.integers(0, 100, n)
    return (x % 2 == 0) if dtype == "bool" else (x + 1j * x[::-1]).astype(dtype) if dtype.startswith("c") else x.astype(dtype)


@pytest.mark.parametrize("dtype", "bool uint8 int16 int32 float32 int64 float64 complex64 complex128".split())
def test_steps(dtype, rng):
    for n in SIZES:
        a = numbers(n, dtype, rng)
        x = kn.asarray(a.copy())
        for step in STEPS:
            part, view = a[::step], x[::step]
            same_bits(kn.copy(view), part)
            same_bits(view == x[:len(part)], part == a[:len(part)])
            wide, target = np.zeros((3, n), dtype), kn.zeros((3, n), dtype=dtype)
            wide[1, ::step], target[1, ::step] = part, view
            same_bits(target, wide)
            if dtype != "bool":
                same_bits(view + x[:len(part)], part + a[:len(part)])
                same_bits(view * view, part * part)


@pytest.mark.parametrize("dtype", "uint8 int16 float32 float64 complex128".split())
def test_repetitions_and_columns(dtype, rng):
    for n in (1, 16, 1000, 40_000):
        a, b = numbers(n, dtype, rng), numbers(n, dtype, rng)
        x, y = kn.asarray(a), kn.asarray(b)
        for times in (1, 2, 3, 15, 17):
            same_bits(kn.repeat(x, times), np.repeat(a, times))
        for axis in (0, 1):
            same_bits(kn.stack([x, y, x], axis), np.stack([a, b, a], axis))
        table, rows = np.stack([a, b, a], 1), kn.stack([x, y, x], 1)
        same_bits(rows[:, 1] + rows[:, ::-1].T[0], table[:, 1] + table[:, 2])
        same_bits(kn.where(rows[::-1] == rows, rows[::-1], 1), np.where(table[::-1] == table, table[::-1], table.dtype.type(1)))


@pytest.mark.parametrize("step", STEPS)
def test_compiled_steps(step, rng):
    for n in (1, 40, 64, 130, 1000):
        for dtype in ("uint8", "float32", "float64", "complex64"):
            x = kn.asarray(numbers(n, dtype, rng))

            def f(x, step=step):
                y = x[::step]
                z = kn.zeros_like(x)
                z[::step] = y * y
                return y + y, kn.sum(y), z, kn.stack([y, y], 1)

            for ours, theirs in zip(kn.jit(f)(x), f(x)):
                same_bits(ours, theirs)


def test_threads_share_long_lines(rng):
    a = rng.normal(size=3_000_000)
    x = kn.asarray(a.copy())
    same_bits(x[::-1] - x, a[::-1] - a)
    same_bits(kn.copy(x[::2]), a[::2].copy())
    same_bits(kn.copy(kn.reshape(x, (3, -1))[:, ::-3]), a.reshape(3, -1)[:, ::-3].copy())
