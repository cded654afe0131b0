"""Sorts against Python's, bit by bit: short and long rows, every dtype, both directions, nans, infinities and zeros of both signs."""
import numpy as np
import pytest

import kiln as kn
from conftest import same_bits


def rows_of(dtype, n, rng):
    """Three kinds of rows: few different values, all values, and edge values of floats."""
    if np.dtype(dtype).kind != "f":
        low, high = np.iinfo(dtype).min, np.iinfo(dtype).max
        return [rng.integers(0, 3, (3, n), dtype=dtype), rng.integers(low, high, (3, n), dtype=dtype, endpoint=True)]
    x = rng.normal(size=(3, n)).astype(dtype)
    few, edges = np.round(x), x.copy()
    for value in (np.nan, 0.0, -0.0, np.inf, -np.inf, np.finfo(dtype).tiny / 4):
        edges[rng.random(x.shape) < 0.15] = value
    return [few, x, edges]


@pytest.mark.parametrize("dtype", "int8 uint8 int16 uint16 int32 uint32 int64 uint64 float32 float64".split())
def test_values_and_positions(dtype, rng):
    for n in (0, 1, 2, 31, 32, 33, 64, 257, 3000):
        for x in rows_of(dtype, n, rng):
            k = kn.asarray(x)
            for descending in (False, True):
                at = kn.argsort(k, descending=descending)
                for row, places in zip(x.tolist(), at.tolist()):
                    number = [(v != v, 0 if v != v else -v if descending else v) for v in row]
                    assert places == sorted(range(n), key=number.__getitem__)
                same_bits(kn.sort(k, descending=descending), kn.take_along_axis(k, at, -1))


@pytest.mark.parametrize("dtype", ["int32", "float32", "float64", "bool", "complex64", "float16"])
def test_different_elements(dtype, rng):
    x = (rng.normal(size=500) * 5).round().astype(dtype)
    if np.dtype(dtype).kind == "f":
        x[rng.random(500) < 0.1] = np.nan
    k = kn.asarray(x)
    want, counts = np.unique(x, return_counts=True)
    got = kn.unique(k, return_counts=True)
    np.testing.assert_array_equal(got[0].numpy(), want)
    np.testing.assert_array_equal(got[1].numpy(), counts)
    np.testing.assert_array_equal(kn.unique(k).numpy(), want)
    np.testing.assert_array_equal(kn.unique_counts(k).counts.numpy(), np.unique(x, return_counts=True, equal_nan=False)[1])
    assert kn.unique(kn.asarray(x[:0])).shape == (0,) and kn.unique(k[:1], return_counts=True)[1].tolist() == [1]


@pytest.mark.parametrize("dtype", ["int8", "uint64", "float32", "float16", "bool"])
def test_searches(dtype, rng):
    line = np.sort((rng.normal(size=200) * 4).astype(dtype))
    v = (rng.normal(size=(7, 9)) * 4).astype(dtype)
    if np.dtype(dtype).kind == "f":
        line[-3:], v[0, :2] = np.nan, np.nan
    for side in ("left", "right"):
        got = kn.searchsorted(kn.asarray(line), kn.asarray(v), side)
        np.testing.assert_array_equal(got.numpy(), np.searchsorted(line, v, side))
        same_bits(kn.jit(lambda a, b: kn.searchsorted(a, b, side))(kn.asarray(line), kn.asarray(v)), got)
        np.testing.assert_array_equal(kn.searchsorted(kn.asarray(line)[::2], kn.asarray(v).T, side).numpy(), np.searchsorted(line[::2], v.T, side))
    got = kn.isin(kn.asarray(v), kn.asarray(line))
    np.testing.assert_array_equal(got.numpy(), np.isin(v, line))
    same_bits(kn.jit(lambda a, b: kn.isin(a, b))(kn.asarray(v), kn.asarray(line)), got)


def test_unique_names_its_dtype():
    with pytest.raises(kn.DTypeError, match="unique: dtype: expected one with an order, got float8_e5m2"):
        kn._core.run_starts(kn.astype(kn.ones(3), kn.float8_e5m2))
