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


@pytest.mark.parametrize("dtype", "bool int8 uint16 int32 int64 float16 float32 float64".split())
def test_compiled_sorts(dtype, rng):
    for n in (2, 33, 1000):
        for x in rows_of(dtype, n, rng) if dtype != "bool" else [rng.random((3, n)) < 0.5]:
            k = kn.asarray(x)
            for descending in (False, True):
                for axis in (0, 1):
                    for f in (kn.sort, kn.argsort):
                        same_bits(kn.jit(lambda v: f(v, axis=axis, descending=descending))(k), f(k, axis=axis, descending=descending))
            same_bits(kn.jit(lambda v: kn.sort(v * 1) + 1)(k), kn.sort(k * 1) + 1)


def test_positions_of_words_that_differ_in_their_last_bits_alone(rng):
    for x in (rng.integers(0, 5, 3000) + rng.integers(0, 3, 3000) * 2**61, rng.integers(0, 2**40, 3000, dtype="u8") * 2**24 + rng.integers(0, 3, 3000).astype("u8"),
              np.repeat(rng.normal(size=50), 60) * (1 + rng.integers(0, 2, 3000) * 2.0**-52), np.where(rng.random(3000) < 0.5, -1, np.iinfo("i8").min + rng.integers(0, 2, 3000))):
        np.testing.assert_array_equal(kn.argsort(kn.asarray(x)).numpy(), np.argsort(x, kind="stable"))
        falling = kn.argsort(kn.asarray(x), descending=True).numpy()
        np.testing.assert_array_equal(falling, 2999 - np.argsort(x[::-1], kind="stable")[::-1])


def parted(x, place, axis):
    """Positions of a partition: what is below, equal to and above the element that sorting puts there, each in its order."""
    x = np.asarray(x, "f8") if x.dtype == "f2" else x
    middle = np.take(np.sort(x, axis=axis), [place], axis)
    none, last = x != x, middle != middle
    return np.argsort(np.where((x > middle) | (none & ~last), 2, np.where((x == middle) | (none & last), 1, 0)), axis=axis, kind="stable")


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("dtype", "int8 uint8 int16 int32 uint32 int64 uint64 float16 float32 float64".split())
def test_partitions(dtype, rng):
    for n in (1, 2, 33, 257, 3000, 70000):
        for x in rows_of(dtype, n, rng)[:None if n < 70000 else 4:1 if n < 3000 else 2]:
            for place in {0, n // 3, n - 1}:
                for axis in (0, 1) if n == 33 else (1,):
                    place = min(place, x.shape[axis] - 1)
                    k, want = kn.asarray(x), parted(x, place, axis)
                    at, values = kn.argpartition(k, place, axis=axis), kn.partition(k, place - x.shape[axis], axis=axis)
                    np.testing.assert_array_equal(at.numpy(), want)
                    same_bits(values, kn.take_along_axis(k, at, axis))
                    if n < 257:
                        same_bits(kn.jit(lambda v: kn.argpartition(v, place, axis=axis))(k), at)
                        same_bits(kn.jit(lambda v: kn.partition(v, place, axis=axis))(k), values)


def test_partitions_of_several_places(rng):
    x = rng.normal(size=50)
    same_bits(kn.partition(kn.asarray(x), (3, -7)), kn.sort(kn.asarray(x)))
    same_bits(kn.argpartition(kn.asarray(x), [3]), kn.argpartition(kn.asarray(x), 3))
    z = kn.asarray(x[:25] + 1j * x[25:])
    same_bits(kn.partition(z, 4), kn.sort(z))
    b = kn.asarray(x > 0)
    assert kn.partition(b, 10).tolist() == sorted(b.tolist()) and kn.partition(kn.asarray(x), 3, axis=None)[3].item() == np.sort(x)[3]
    np.testing.assert_allclose(kn.grad(lambda v: kn.sum(kn.partition(v, 10)[:10]))(kn.asarray(x)).numpy(), (x < np.sort(x)[10]) * 1.0)
    large = rng.normal(size=40000)
    large[rng.random(40000) < 0.999] = np.nan  # a sample has none of them, or few
    np.testing.assert_array_equal(kn.argpartition(kn.asarray(large), 5).numpy(), parted(large, 5, 0))


@pytest.mark.parametrize("dtype", "int8 uint8 int16 uint16 int32 uint32 int64 uint64 float32 float64".split())
def test_extremes_of_long_rows(dtype, rng):
    for n in (128, 200, 1111):
        for x in rows_of(dtype, n, rng):
            for name in ("argmax", "argmin"):
                np.testing.assert_array_equal(getattr(kn, name)(kn.asarray(x), axis=1).numpy(), getattr(x, name)(1))
                same_bits(kn.jit(lambda v: getattr(kn, name)(v, axis=1))(kn.asarray(x)), getattr(kn, name)(kn.asarray(x), axis=1))


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
