"""Largest and smallest elements, and where they are, of rows around the lengths at which code changes: NaN, zeros of both signs and ties as NumPy."""
import numpy as np
import pytest

import kiln as kn
from conftest import same_bits

LENGTHS = (1, 9, 31, 32, 33, 100, 511, 512, 513, 1023, 2047, 2048, 2049, 4096, 4129, 5000)
NAMES = ("max", "min", "argmax", "argmin")


def rows_of(n, dtype, rng):
    """Four rows: any numbers, many ties, and for floats NaN at the end and zeros of both signs."""
    x = (rng.random((4, n)) * 200 - 100 * (np.dtype(dtype).kind != "u")).astype(dtype)
    x[1] = x[1, :1]
    if x.dtype.kind == "f":
        x[2, -1] = np.nan
        x[3] = np.where(rng.random(n) < 0.5, -0.0, 0.0)
    return x


@pytest.mark.parametrize("dtype", "uint8 int16 int32 int64 uint64 float32 float64".split())
def test_extremes(dtype, rng):
    for n in LENGTHS:
        x = rows_of(n, dtype, rng)
        y = kn.asarray(x)
        for name in NAMES:
            ours, known = getattr(kn, name), kn.jit(lambda v, name=name: getattr(kn, name)(v, axis=1), dynamic=False)
            found = ours(y, axis=1)
            same_bits(known(y), found)
            want = getattr(np, name)(x, axis=1)
            np.testing.assert_array_equal(found.numpy()[:3], want[:3])
            same_bits(ours(y[2]), kn.copy(found[2]))
        if x.dtype.kind == "f":  # -0 is less than 0
            assert np.signbit(kn.max(y[3]).numpy()) == np.signbit(x[3]).all() and np.signbit(kn.min(y[3]).numpy()) == np.signbit(x[3]).any()


def test_extremes_of_any_size(rng):
    f = kn.jit(lambda v: (kn.max(v), kn.argmin(v), kn.max(kn.abs(v) + 1)))
    for n in LENGTHS:
        y = kn.asarray(rng.normal(size=n).astype("f"))
        for ours, theirs in zip(f(y), (kn.max(y), kn.argmin(y), kn.max(kn.abs(y) + 1))):
            same_bits(ours, theirs)
