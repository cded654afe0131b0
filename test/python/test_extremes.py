"""Largest and smallest elements, and where they are, of rows around the lengths at which code changes: NaN, zeros of both signs and ties as NumPy."""
import numpy as np
import pytest

import kiln as kn
from conftest import same_bits

LENGTHS = (1, 9, 31, 32, 33, 100, 511, 512, 513, 1023, 2047, 2048, 2049, 4096, 4129, 5000)
NAMES = ("max", "min", "argmax", "argmin")


def rows_of(n, dtype, rng):
    """Five rows: any numbers, many ties, for floats NaN at the end and zeros of both signs, and the least or the largest that there is."""
    x = (rng.random((5, n)) * 200 - 100 * (np.dtype(dtype).kind != "u")).astype(dtype)
    x[1] = x[1, :1]
    limits = (-np.inf, np.inf) if x.dtype.kind == "f" else (np.iinfo(dtype).min, np.iinfo(dtype).max)
    x[4] = limits[n % 2]
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
            np.testing.assert_array_equal(found.numpy()[4], want[4])
            same_bits(ours(y[2]), kn.copy(found[2]))
        if x.dtype.kind == "f":  # -0 is less than 0
            assert np.signbit(kn.max(y[3]).numpy()) == np.signbit(x[3]).all() and np.signbit(kn.min(y[3]).numpy()) == np.signbit(x[3]).any()


def test_extremes_of_any_size(rng):
    f = kn.jit(lambda v: (kn.max(v), kn.argmin(v), kn.max(kn.abs(v) + 1)))
    for n in LENGTHS:
        y = kn.asarray(rng.normal(size=n).astype("f"))
        for ours, theirs in zip(f(y), (kn.max(y), kn.argmin(y), kn.max(kn.abs(y) + 1))):
            same_bits(ours, theirs)


def specials(dtype):
    """Every pair of zeros, infinities, nans (quiet and signaling) and numbers of both signs, and the order that puts -0 before 0."""
    whole = {"float32": "u4", "float64": "u8"}[dtype]
    sign, nan = np.array(-0.0, dtype).view(whole), np.array(np.inf, dtype).view(whole)
    bits = [v.view(whole) for v in np.array([0, 1, 1.5, np.inf, np.nan, 1e-42, 3], dtype)] + [nan + np.ones((), whole)]
    x, y = (np.array(v, whole) for v in zip(*((a ^ s, b ^ t) for a in bits for b in bits for s in (0 * sign, sign) for t in (0 * sign, sign))))
    return x.view(dtype), y.view(dtype)


def extreme(x, y, sign, ignores_nan):
    """IEEE 754-2019's maximum (sign 1) or minimum (-1), or the number's, by bits."""
    order = np.where(x == y, np.where(np.signbit(x), -sign, sign) > np.where(np.signbit(y), -sign, sign), x * sign > y * sign)
    result = np.where(order, x, y)
    if ignores_nan:
        return np.where(np.isnan(x), y, np.where(np.isnan(y), x, result))
    return np.where(np.isnan(x) | np.isnan(y), np.nan, result)


@pytest.mark.parametrize("dtype", ("float32", "float64"))
@pytest.mark.filterwarnings("ignore:invalid value")
def test_special_values_in_both_places(dtype):
    x, y = specials(dtype)
    for name, reduced, sign, ignores_nan in (("maximum", "max", 1, False), ("minimum", "min", -1, False), ("fmax", "nanmax", 1, True), ("fmin", "nanmin", -1, True)):
        function, reduction = getattr(kn, name), getattr(kn, reduced)
        want = extreme(x, y, sign, ignores_nan).astype(dtype)
        for n in (1, 2, 3, 4, 8, 16, 33, x.size):  # parts of registers, and more than one
            for first in range(0, x.size, n):
                a, b, known = (kn.asarray(v[first:first + n].copy()) for v in (x, y, want))
                same_bits(function(a, b), known)
                if first % (8 * n) == 0:
                    same_bits(kn.jit(function, dynamic=False)(a, b), known)
        wide = np.stack([x, y] + [x] * 30)  # rows and columns of pairs
        for m, axis in ((wide, 0), (wide.T.copy(), 1), (wide.T.copy().repeat(64, 1), 1)):
            same_bits(reduction(kn.asarray(m), axis=axis), kn.asarray(want))
            same_bits(kn.jit(lambda v: reduction(v, axis=axis))(kn.asarray(m)), kn.asarray(want))
