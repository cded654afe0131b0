"""Integers over a number: known to the program, given to it, and an array of them; against Python's own integers."""
import numpy as np
import pytest

import kiln as kn

DTYPES = ("int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64")


def elements(dtype, random):
    least, most = np.iinfo(dtype).min, np.iinfo(dtype).max
    if np.dtype(dtype).itemsize <= 1:
        return list(range(least, most + 1))
    drawn = [int(random.integers(least, most, dtype=dtype, endpoint=True)) >> int(random.integers(0, 8 * np.dtype(dtype).itemsize)) for _ in range(400)]
    return [least, least + 1, least // 2, 0, 1, most // 2, most // 2 + 1, most - 1, most, *drawn]


def divisors(dtype, random):
    least, most = np.iinfo(dtype).min, np.iinfo(dtype).max
    drawn = {1 + int(random.integers(0, most, dtype=dtype)) >> int(random.integers(0, 8 * np.dtype(dtype).itemsize - 1)) for _ in range(5)}
    negative = {-1, -2, -7, -10, least, least + 1} if least else set()
    return sorted(d for d in {0, 1, 2, 3, 5, 7, 10, 64, 100, 641, 6700417, most // 2, most // 2 + 1, most - 1, most, *drawn, *negative} if least <= d <= most)


def expected(numbers, by, dtype):
    """Rounded down, rests of the sign of the divisor, rests of the sign of the dividend."""
    down = [x // by if by else 0 for x in numbers]
    rest = [x % by if by else 0 for x in numbers]
    truncated = [(abs(x) % abs(by)) * (1 if x >= 0 else -1) if by else 0 for x in numbers]
    return [np.array([v % 2 ** 64 for v in a], np.uint64).astype(dtype) for a in (down, rest, truncated)]


@pytest.mark.parametrize("dtype", DTYPES)
def test_every_divisor(dtype):
    random = np.random.default_rng(DTYPES.index(dtype))
    numbers = elements(dtype, random)
    x = kn.asarray(np.array(numbers, dtype))
    for by in divisors(dtype, random):
        number = kn.asarray(np.array(by, dtype))
        row = kn.asarray(np.full(len(numbers), by, dtype))

        def f(x, d):
            return x // d, x % d, kn.fmod(x, d)

        found = {"eager": f(x, number), "eager, row": f(x, row), "known": kn.jit(lambda x: f(x, by))(x), "given": kn.jit(f)(x, number), "row": kn.jit(f)(x, row)}  # noqa: B023
        for how, results in found.items():
            for a, wanted in zip(results, expected(numbers, by, dtype)):
                assert np.array_equal(np.asarray(a), wanted), (how, by)


@pytest.mark.parametrize("size", (0, 1, 7, 31, 65, 70_001))
def test_every_length(size):
    for dtype in ("uint8", "int16", "uint16", "int32", "int64"):
        x = np.arange(size).astype(dtype) - (100 if dtype[0] == "i" else 0)
        x = x.astype(dtype)
        for by in (3, 100):
            assert np.array_equal(np.asarray(kn.asarray(x) // by), x // np.array(by, dtype))
            assert np.array_equal(np.asarray(kn.asarray(x) % by), x % np.array(by, dtype))
