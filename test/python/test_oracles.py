"""Values that an oracle outside decides: mpmath, SciPy or NumPy in a wider dtype; eager and jit to the bit."""
import cmath
import itertools
import math

import mpmath
import numpy as np
import pytest
import scipy.special

import kiln as kn
from conftest import same_bits

INF, NAN = float("inf"), float("nan")
COMPLEX = ["exp", "expm1", "log", "log1p", "log2", "log10", "sqrt", "sin", "cos", "tan", "sinh", "cosh", "tanh", "asin", "acos", "atan", "asinh", "acosh", "atanh"]


def both(function, *args):
    """The result in eager, which is that under jit."""
    eager = function(*args)
    same_bits(kn.jit(function)(*args), eager)
    return eager


def exactly(name, z):
    z = mpmath.mpc(z.real, z.imag)
    other = {"expm1": lambda: mpmath.exp(z) - 1, "log1p": lambda: mpmath.log(1 + z), "log2": lambda: mpmath.log(z) / mpmath.log(2), "log10": lambda: mpmath.log(z) / mpmath.log(10)}
    return other[name]() if name in other else getattr(mpmath, name)(z)


def points(rng):
    n = 60
    sign = lambda: rng.choice([-1, 1], n)  # noqa: E731
    return np.concatenate([
        rng.uniform(-3, 3, n) + 1j * rng.uniform(-3, 3, n), sign() * 10.0 ** rng.uniform(-300, 300, n) + 1j * sign() * 10.0 ** rng.uniform(-300, 300, n),
        sign() * (1 + sign() * 10.0 ** rng.uniform(-16, -1, n)) + 1j * sign() * 10.0 ** rng.uniform(-200, 0, n),
        np.exp(1j * rng.uniform(-np.pi, np.pi, n)) * (1 + sign() * 10.0 ** rng.uniform(-16, -1, n)), rng.uniform(-1400, 1400, n) + 1j * rng.uniform(-10, 10, n),
        [5e-324, 5e-324j, 1.7e308 + 1.7e308j, -1.7e308 - 1e308j, -1 + 1e-10j, -0.999999, 1 + 1e-300j, 1e-12 + 1j * (1 + 1e-10)]])


@pytest.mark.parametrize("name", COMPLEX)
def test_complex_functions_at_every_size(name, rng):
    z = points(rng)
    got = both(getattr(kn, name), kn.asarray(z)).numpy()
    with mpmath.workprec(2300):
        checked = 0
        for x, y in zip(z, got):
            grows = {"exp": x.real, "expm1": x.real, "sinh": x.real, "cosh": x.real, "tanh": x.real, "sin": x.imag, "cos": x.imag, "tan": x.imag}.get(name, 0)
            if abs(grows) > 1e4:
                continue
            want, parts = exactly(name, x), []
            for a, b in ((y.real, mpmath.re(want)), (y.imag, mpmath.im(want))):
                if abs(b) > 1.797e308:
                    assert math.isinf(a), (x, y)
                    continue
                # expm1's real part may cancel: there its error is of the size of the other terms.
                size = max(abs(float(b)), abs(float(mpmath.im(want))) if name == "expm1" else 0, 2.3e-308)
                parts.append(float(abs(mpmath.mpf(float(a)) - b)) / np.spacing(size))
            assert max(parts, default=0) <= 8, (name, x, y, want)
            checked += 1
    assert checked > 150


@pytest.mark.parametrize("name, z, want", [
    ("cosh", complex(INF, 0), complex(INF, 0)), ("cosh", complex(0, INF), complex(NAN, 0)), ("tanh", complex(-5.9e16, INF), complex(NAN, NAN)), ("tanh", complex(INF, INF), complex(1, 0)),
    ("atanh", complex(1, INF), complex(0, math.pi / 2)), ("atanh", complex(NAN, INF), complex(0, math.pi / 2)), ("atanh", complex(NAN, -1e200), complex(NAN, NAN)), ("atan", complex(1e200, NAN), complex(NAN, NAN)), ("exp", complex(-INF, NAN), 0j), ("exp", complex(INF, INF), complex(INF, NAN)),
    ("expm1", complex(-INF, INF), complex(-1, 0)), ("sinh", complex(0, INF), complex(0, NAN)), ("acos", complex(0, NAN), complex(math.pi / 2, NAN)), ("acosh", complex(0, NAN), complex(NAN, math.pi / 2)),
    ("asinh", complex(NAN, 0), complex(NAN, 0)), ("sqrt", complex(NAN, INF), complex(INF, INF)), ("log", complex(-INF, INF), complex(INF, 3 * math.pi / 4))])
def test_complex_edges_are_the_standards(name, z, want):
    got = both(getattr(kn, name), kn.asarray(z, dtype=kn.complex128)).item()
    for a, b in ((got.real, want.real), (got.imag, want.imag)):
        assert a == pytest.approx(b, nan_ok=True), got


@pytest.mark.parametrize("name", ["acos", "acosh", "asin", "asinh", "atan", "atanh"])
def test_complex_inverses_are_those_of_c(name):
    """At zeros, infinities, nans, and numbers whose squares leave the range, by Python's own functions, which raise for some."""
    values = [0.0, -0.0, 1.0, -1.0, 0.5, 3.0, 1e10, -1e30, 1e200, 5e-324, INF, -INF, NAN]
    z = np.array([complex(a, b) for a, b in itertools.product(values, values)])
    for v, got in zip(z, both(getattr(kn, name), kn.asarray(z)).tolist()):
        try:
            want = getattr(cmath, name)(complex(v))
        except (ValueError, OverflowError):
            continue
        if name == "acosh" and v.real == 0 and math.isnan(v.imag):
            want = complex(NAN, math.pi / 2)  # as C11 says, and the array API
        for a, b in ((got.real, want.real), (got.imag, want.imag)):  # signs of zeros and infinities are not the same in all libraries
            assert abs(a) == pytest.approx(abs(b), rel=1e-13, abs=1e-323, nan_ok=True), f"{name}({v}): {got}, not {want}"


def test_signed_zeros_pick_the_side_of_a_branch_cut():
    z = np.array([complex(4, 0.0), complex(4, -0.0), complex(-4, 0.0), complex(-4, -0.0), complex(0.0, 4), complex(-0.0, -4)])
    for name in COMPLEX:
        with np.errstate(all="ignore"):
            want = getattr(np, {"asin": "arcsin", "acos": "arccos", "atan": "arctan", "asinh": "arcsinh", "acosh": "arccosh", "atanh": "arctanh"}.get(name, name))(z)
        got = both(getattr(kn, name), kn.asarray(z)).numpy()
        np.testing.assert_allclose(got, want, rtol=1e-13, atol=1e-15)
        for a, b in ((got.real, want.real), (got.imag, want.imag)):
            np.testing.assert_array_equal(np.signbit(a)[b == 0], np.signbit(b)[b == 0])
    assert kn.log(kn.cos(kn.asarray([4 + 0j]))).item().imag > 0


def test_a_nan_counts_as_positive_where_a_zero_takes_its_sign():
    nans = np.array([NAN, -NAN])
    for name, real, imag in (("cosh", 0.0, nans), ("tanh", INF, nans), ("cos", nans, 0.0)):
        z = np.empty(2, "complex128")
        z.real, z.imag = real, imag
        got = both(getattr(kn, name), kn.asarray(z)).numpy()
        assert (got.imag == 0).all() and len(set(np.signbit(got.imag))) == 1, name


def test_a_power_of_complex_zero():
    got = kn.pow(kn.asarray([0j, 0j, 0j]), kn.asarray([-1 + 0j, 2 + 0j, 0j])).tolist()
    assert cmath_isnan(got[0]) and got[1:] == [0, 1]


def cmath_isnan(z):
    return math.isnan(z.real) and math.isnan(z.imag)


def test_lgamma_near_poles_and_beyond(rng):
    x = np.concatenate([rng.uniform(-30, 30, 300), -rng.integers(0, 30, 200) + rng.choice([-1, 1], 200) * 10.0 ** rng.uniform(-15, -1, 200),
                        [-9.999999950967542, 3.9545444777007701803, -24.000000000000348, 1e305, 5e-324]])
    got = both(kn.lgamma, kn.asarray(x)).numpy()
    with mpmath.workprec(300):
        for a, b in zip(x, got):
            if a <= 0 and a == np.floor(a):
                assert b == INF
                continue
            want = mpmath.re(mpmath.loggamma(mpmath.mpf(a))) if a > 0 else mpmath.log(abs(mpmath.gamma(mpmath.mpf(a))))
            assert abs(mpmath.mpf(float(b)) - want) <= 4 * np.spacing(max(abs(float(want)), 1)), a
    assert both(kn.lgamma, kn.asarray([-1e306, -INF, INF, 3e305], dtype=kn.float64)).tolist() == [INF] * 4


@pytest.mark.parametrize("name", ["sinh", "cosh"])
def test_hyperbolic_functions_near_overflow(name, rng):
    x = rng.uniform(700, 710.4758, 400)
    got = both(getattr(kn, name), kn.asarray(x)).numpy()
    with mpmath.workprec(200):
        worst = max(float(abs(mpmath.mpf(float(b)) - getattr(mpmath, name)(mpmath.mpf(a)))) / np.spacing(b) for a, b in zip(x, got))
    assert worst < 1.5


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_means_of_narrow_floats_round_once(dtype, rng):
    x = kn.astype(kn.asarray(rng.uniform(size=100000)), dtype)
    exact = kn.astype(x, kn.float64).numpy()
    for function, want in ((kn.mean, exact.mean()), (kn.var, exact.var()), (kn.std, exact.std()), (kn.average, exact.mean()), (kn.median, np.median(exact))):
        got = both(function, x)
        assert got.dtype.name == dtype and abs(float(got) - want) <= want * float(kn.finfo(dtype).eps)
    assert float(kn.mean(kn.full((1000,), 100, dtype))) == 100 and float(kn.mean(kn.ones(70000, dtype))) == 1
    assert float(kn.linalg.norm(kn.asarray([300, 400], dtype=dtype))) == 500


def test_statistics_of_infinities():
    for x, q, want in (([1, 2, INF], 0.5, 2), ([INF], 0.5, INF), ([-INF, 1, 2], 0.25, -INF), ([-INF, INF], 0.5, NAN), ([1, INF, INF], 0.75, INF), ([NAN, 1, 2], 0.5, NAN)):
        got = both(lambda a: kn.quantile(a, q), kn.asarray(x, dtype=kn.float64))
        assert float(got) == pytest.approx(want, nan_ok=True), (x, q)
    for x in ([1, INF], [-INF, -INF], [-INF, 3], [1000.0, 1000.0], [1.0, NAN]):
        x = np.array(x)
        got = both(kn.logsumexp, kn.asarray(x))
        np.testing.assert_allclose(float(got), scipy.special.logsumexp(x), rtol=1e-14)


def test_weighted_averages(rng):
    x, w = rng.normal(size=(4, 4)), rng.uniform(size=4)
    for axis in (0, 1, -1):
        np.testing.assert_allclose(both(lambda a, b: kn.average(a, axis=axis, weights=b), kn.asarray(x), kn.asarray(w)).numpy(), np.average(x, axis, w), rtol=1e-13)
    y = rng.normal(size=(3, 5))
    np.testing.assert_allclose(kn.average(kn.asarray(y), 0, kn.asarray(w[:3])).numpy(), np.average(y, 0, w[:3]))
    assert kn.average([1.0, 2.0], weights=[1.0, 2.0]).item() == pytest.approx(5 / 3)


def test_closeness_of_integers_does_not_wrap():
    a, b = kn.asarray([-128, 1, 5], dtype=kn.int8), kn.asarray([127, 2, 5], dtype=kn.int8)
    assert both(lambda x, y: kn.isclose(x, y, atol=1), a, b).tolist() == [False, True, True]
    assert kn.isclose(kn.asarray([1], dtype=kn.uint8), kn.asarray([2], dtype=kn.uint8), atol=1).tolist() == [True]
    assert kn.isclose(kn.asarray([True, False]), kn.asarray([True, True])).tolist() == [True, False] and not kn.allclose([1, 2], [1, 3])


def test_along_an_axis_both_broadcast(rng):
    x, i = rng.normal(size=(1, 5)), rng.integers(0, 5, (4, 3))
    got = both(lambda a, k: kn.take_along_axis(a, k, axis=1), kn.asarray(x), kn.asarray(i))
    np.testing.assert_array_equal(got.numpy(), np.take_along_axis(np.broadcast_to(x, (4, 5)), i, 1))


def test_tails_of_activations():
    x = np.array([-100, -88, -20, -17.5, -8.48, -1, 0, 3, 20, 100.0])
    with mpmath.workprec(200):
        exact = np.array([float(1 / (1 + mpmath.exp(-mpmath.mpf(v)))) for v in x])
        gelu = np.array([float(mpmath.mpf(v) * mpmath.ncdf(mpmath.mpf(v))) for v in x])
    for dtype, rtol in (("float64", 1e-15), ("float32", 4e-7), ("float16", 2e-3)):
        keep = exact > (1e-38 if dtype == "float32" else 1e-4 if dtype == "float16" else 0)
        a = kn.asarray(x[keep], dtype=dtype)
        np.testing.assert_allclose(kn.astype(both(kn.sigmoid, a), kn.float64).numpy(), exact[keep] if dtype == "float64" else scipy.special.expit(a.numpy().astype("d")), rtol=rtol)
        keep = np.abs(gelu) > {"float64": 1e-300, "float32": 1e-38, "float16": 1e-4}[dtype]
        got = kn.astype(both(kn.gelu, kn.asarray(x[keep], dtype=dtype)), kn.float64).numpy()
        narrow = kn.astype(kn.asarray(x[keep], dtype=dtype), kn.float64).numpy()
        np.testing.assert_allclose(got, narrow * scipy.special.ndtr(narrow), rtol={"float64": 1e-13, "float32": 2e-5, "float16": 2e-3}[dtype])
    low = float(np.float16(-8.48))
    assert float(kn.silu(kn.asarray(low, dtype=kn.float16))) == pytest.approx(low * scipy.special.expit(low), rel=2e-3)


def test_positions_of_nan():
    line = kn.asarray([1.0, 2.0, NAN])
    for side in ("left", "right"):
        assert both(lambda v, s: kn.searchsorted(v, s, side=side), line, kn.asarray([NAN, 1.5])).tolist() == np.searchsorted([1.0, 2.0, NAN], [NAN, 1.5], side).tolist()
    assert kn.searchsorted(kn.asarray([1.0, 2.0]), NAN).item() == 2


def test_replaced_parts_of_complex_numbers():
    z = np.array([complex(NAN, INF), complex(-INF, 1), 2 + 3j])
    np.testing.assert_array_equal(both(kn.nan_to_num, kn.asarray(z)).numpy(), np.nan_to_num(z))


def test_what_is_a_copy_and_what_can_be_written():
    x = kn.ones(3)
    y = kn.pad(x, 0, "edge")
    y[0] = 5
    scalar = kn.asarray(np.float64(1.5))
    scalar *= 2
    m = kn.zeros((3, 3))
    for matrix in (m, m.T, m[::-1]):
        d = kn.linalg.diagonal(matrix)
        d[...] = 7
    assert x.tolist() == [1, 1, 1] and scalar.item() == 3 and m.tolist() == [[0] * 3] * 3


def test_empty_axes():
    assert both(kn.softmax, kn.zeros((2, 0))).shape == (2, 0) and kn.softmax(kn.zeros((0, 2))).shape == (0, 2)
    assert kn.linalg.norm(kn.zeros((0, 3)), INF).item() == 0 and kn.linalg.norm(kn.zeros((0,)), INF).item() == 0
    assert kn.logsumexp(kn.zeros((2, 0))).tolist() == [-INF] * 2
    assert kn.quantile(kn.asarray(3.0), 0.5, axis=()).item() == 3 and math.isnan(kn.mean(kn.zeros(0)).item())
    assert kn.sort(kn.asarray([[3, 1], [2, 0]]), axis=None).tolist() == [0, 1, 2, 3] and kn.median(kn.asarray([[1.0, 2], [3, 4]]), axis=(0, 1)).item() == 2.5


def test_condition_numbers_of_singular_matrices():
    singular = kn.asarray([[1.0, 2.0], [2.0, 4.0]], dtype=kn.float64)
    for p in (1, INF, "fro"):
        assert both(lambda a: kn.linalg.cond(a, p), singular).item() == INF
        regular = np.array([[1.0, 2], [3, 5]])
        assert kn.linalg.cond(kn.asarray(regular), p).item() == pytest.approx(np.linalg.cond(regular, p))
    assert kn.linalg.cond(kn.zeros((2, 2))).item() == INF


@pytest.mark.parametrize("call", [lambda: kn.unravel_index(kn.asarray([100]), (3, 4)), lambda: kn.unravel_index([-1], (3, 4)), lambda: kn.jit(lambda i: kn.unravel_index(i, (3, 4)))(kn.asarray([12]))])
def test_positions_outside_raise(call):
    with pytest.raises(IndexError):
        call()[0].tolist()
    assert [p.tolist() for p in kn.unravel_index(kn.asarray([5, 11]), (3, 4))] == [[1, 2], [1, 3]]


def test_several_axes_are_refused_where_one_is_meant():
    for function in (kn.argmax, kn.argmin):
        with pytest.raises(TypeError, match="axis: expected an integer, got tuple"):
            function(kn.ones((2, 2)), axis=(0, 1))
    with pytest.raises(IndexError, match=r"quantile: axis: expected one in \[0, 0\), got 0"):
        kn.quantile(kn.asarray(1.0), 0.5, axis=0)


@pytest.mark.parametrize("axis, shape", [(0, (10_000_000,)), (1, (2, 70_001)), (0, (20000, 3))])
def test_long_running_sums(axis, shape):
    x = np.random.default_rng(0).uniform(size=shape).astype("f")
    got = kn.cumsum(kn.asarray(x), axis).numpy()
    want = np.cumsum(x.astype("d"), axis)
    assert (np.abs(got - want) <= 24 * np.spacing(want.astype("f"))).all()
    if x.size < 10**6:
        same_bits(kn.jit(lambda a: kn.cumsum(a, axis))(kn.asarray(x)), kn.cumsum(kn.asarray(x), axis))
    assert np.signbit(kn.cumsum(kn.full((20000,), -0.0)).numpy()).all()
