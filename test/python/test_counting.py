"""Histograms, bins and counts against NumPy's: every kind of bins and weights, elements on limits, edge values."""
import numpy as np
import pytest

import kiln as kn


@pytest.fixture(autouse=True)
def wide_limits():
    """NumPy's limits of integers are float64."""
    before = kn._core.default_dtype()
    kn._core.set_default_dtype(kn.float64)
    yield
    kn._core.set_default_dtype(before)


def lines_of(dtype, rng):
    """Vectors of many equal elements, of few different ones, and of one."""
    kind = np.dtype(dtype).kind
    x = rng.normal(size=2000) * 30
    x = x.round() if kind in "iu" else x
    x = abs(x) if kind == "u" else x
    return [x.astype(dtype), (x.round() / 4).astype(dtype), x[:1].astype(dtype), np.full(50, 3, dtype)]


@pytest.mark.parametrize("dtype", "uint8 int32 int64 float32 float64".split())
def test_histograms(dtype, rng):
    for x in lines_of(dtype, rng):
        weights = rng.random(x.size)
        limits = np.sort(rng.choice(x, 30)).astype(dtype)
        for bins, limit in ((1, None), (10, None), (777, None), (33, (-10.0, 10.0)), (7, (3, 3)), (limits, None), (np.array([-5.0, 0.0, 0.0, 2.5, 9.0]), None)):
            want, edges = np.histogram(x, bins, limit)
            ours = kn.asarray(bins) if isinstance(bins, np.ndarray) else bins
            for f in (kn.histogram, kn.jit(lambda a, b, r=limit: kn.histogram(a, b, r))):
                counts, limits_of = f(kn.asarray(x), ours, limit) if f is kn.histogram else f(kn.asarray(x), ours)
                np.testing.assert_array_equal(limits_of.numpy(), edges)
                np.testing.assert_array_equal(counts.numpy(), want)
            summed = kn.histogram(kn.asarray(x), ours, limit, weights=kn.asarray(weights))[0]
            np.testing.assert_allclose(summed.numpy(), np.histogram(x, bins, limit, weights=weights)[0], rtol=1e-12, atol=1e-12)


def test_elements_outside_and_nan(rng):
    x = np.concatenate([rng.normal(size=500), [np.nan, np.inf, -np.inf, -1.0, 1.0, 0.0, -0.0]])
    weights = rng.random(x.size)
    for bins in (10, 200):
        with np.errstate(invalid="ignore"):
            want = np.histogram(x, bins, (-1, 1))[0], np.histogram(x, bins, (-1, 1), weights=weights)[0]
        np.testing.assert_array_equal(kn.histogram(kn.asarray(x), bins, (-1, 1))[0].numpy(), want[0])
        np.testing.assert_allclose(kn.histogram(kn.asarray(x), bins, (-1, 1), weights=kn.asarray(weights))[0].numpy(), want[1], rtol=1e-12)
    for empty in (np.zeros(0), np.zeros(0, "int32")):
        np.testing.assert_array_equal(kn.histogram(kn.asarray(empty), 4)[0].numpy(), np.histogram(empty, 4)[0])


@pytest.mark.parametrize("dtype", "int8 uint8 int16 uint64 int64 float32 float64".split())
def test_many_values_in_short_lines(dtype, rng):
    """Lines whose elements lie evenly, in heaps, at the ends of the dtype, or in no order, which finds something inside."""
    kind = np.dtype(dtype).kind
    for n in (0, 1, 2, 3, 8, 100, 1500):
        if kind == "f":
            scale = rng.choice([1e-40, 1, 1e38])
            lines = [rng.normal(size=n) * scale, np.linspace(-1, 1, n), np.repeat(rng.normal(size=3), n), np.append(rng.normal(size=n), [np.inf, -np.inf, np.nan]), rng.normal(size=n) ** 9]
            values = np.concatenate([np.asarray(rng.normal(size=9000) * scale, dtype), np.array([np.nan, np.inf, -np.inf, 0.0, -0.0], dtype)])
        else:
            low, high = np.iinfo(dtype).min, np.iinfo(dtype).max
            lines = [rng.integers(low, high, n, dtype, endpoint=True), rng.integers(0, 9, n, dtype), np.append(rng.integers(0, 99, n, dtype), np.array([low, high, high], dtype))]
            values = np.concatenate([rng.integers(low, high, 5000, dtype, endpoint=True), rng.integers(0, 99, 5000, dtype), np.array([low, high], dtype)])
        for line in lines:
            line = np.sort(line.astype(dtype))
            v = np.concatenate([values, line])
            for side in ("left", "right"):
                np.testing.assert_array_equal(kn.searchsorted(kn.asarray(line), kn.asarray(v), side).numpy(), np.searchsorted(line, v, side))
                np.testing.assert_array_equal(kn.digitize(kn.asarray(v), kn.asarray(line), side == "left").numpy(), np.digitize(v, line, side == "left"))
            mixed = kn.searchsorted(kn.asarray(rng.permutation(line)), kn.asarray(v))
            assert mixed.size == v.size and (not v.size or 0 <= int(kn.min(mixed)) <= int(kn.max(mixed)) <= line.size)


def test_bincount(rng):
    k, w = rng.integers(0, 60, 3000), rng.random(3000)
    for minlength in (0, 100):
        np.testing.assert_array_equal(kn.bincount(kn.asarray(k), minlength=minlength).numpy(), np.bincount(k, minlength=minlength))
        np.testing.assert_allclose(kn.bincount(kn.asarray(k), kn.asarray(w), minlength).numpy(), np.bincount(k, w, minlength), rtol=1e-12)
    assert kn.bincount(kn.asarray(k[:0])).shape == (0,)
