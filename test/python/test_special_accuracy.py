"""The bounds that kn.special states, with mpmath as the judge: dense points, wide ranges and the neighbourhoods of poles and bounds."""
import math

import mpmath
import numpy as np
import pytest
import scipy.special as sp

import kiln as kn
from conftest import same_bits

R = np.random.default_rng(0)
mp = mpmath.mp


def log_uniform(low, high, n):
    return 10.0 ** R.uniform(np.log10(low), np.log10(high), n)


def errors(ours, exact, operands, dtype, least=0.0, digits=60):
    """In units in the last place, where the result is in the range."""
    operands = [np.asarray(a, dtype) for a in operands]
    got = getattr(kn.special, ours)(*map(kn.asarray, operands)).numpy()
    assert got.dtype == dtype
    limits, found = np.finfo(dtype), []
    with mpmath.workdps(digits):
        for row, value in zip(zip(*operands), got.astype("f8")):
            try:
                want = exact(*(mpmath.mpf(float(v)) for v in row))
            except ValueError:  # a pole
                continue
            if limits.smallest_subnormal < abs(want) < float(limits.max):
                size = np.asarray(max(abs(float(want)), float(limits.smallest_normal), least)).astype(dtype)
                found.append((float(abs(mpmath.mpf(float(value)) - want) / float(np.spacing(size))), [float(v) for v in row]))
    assert len(found) >= 4
    return found


def log_of_beta(a, b):
    return mpmath.loggamma(a) + mpmath.loggamma(b) - mpmath.loggamma(a + b)


GAMMAS = np.concatenate([R.uniform(-30, 30, 300), R.uniform(-184, 172, 300), log_uniform(1e-300, 1, 60), -log_uniform(1e-300, 1, 60), R.uniform(0.9, 2.1, 100), np.arange(1, 171.0), -np.arange(1, 170.0) + 2**-40])
A, B = np.concatenate([R.uniform(0, 30, 200), log_uniform(1e-3, 1e8, 200), log_uniform(1e-300, 1e14, 60)]), np.concatenate([R.uniform(0, 30, 200), log_uniform(1e-3, 1e8, 200), log_uniform(1e-300, 1e14, 60)])
N = R.integers(0, 1000, 200)
K = (N * R.uniform(0, 1, 200)).astype(int)
ROWS = [("gamma", mpmath.gamma, (GAMMAS,), 8, 0), ("rgamma", mpmath.rgamma, (GAMMAS,), 8, 0), ("gammaln", lambda x: mpmath.log(abs(mpmath.gamma(x))), (GAMMAS,), 4, 1), ("digamma", mpmath.digamma, (GAMMAS,), 8, 1), ("beta", mpmath.beta, (A, B), 8, 0),
        ("beta", mpmath.beta, (log_uniform(1e14, 1e30, 100), R.uniform(0, 20, 100)), 32, 0), ("betaln", log_of_beta, (A, B), 8, 1), ("betaln", log_of_beta, (log_uniform(1e-300, 1e250, 50), log_uniform(1e-300, 1e250, 50)), 8, 1),
        ("poch", mpmath.rf, (A, np.minimum(B, 1e3)), 8, 0), ("poch", mpmath.rf, (R.uniform(50, 200, 100), R.uniform(-50, 0, 100)), 8, 0), ("poch", mpmath.rf, (R.uniform(-9, 9, 100), R.integers(0, 20, 100)), 8, 0),
        ("binom", mpmath.binomial, (N, K), 8, 0), ("comb", mpmath.binomial, (N, K), 8, 0), ("binom", mpmath.binomial, (log_uniform(1, 1e12, 100), R.uniform(0, 30, 100)), 8, 0), ("binom", mpmath.binomial, (R.uniform(0, 30, 100), R.uniform(-0.9, 30, 100)), 32, 0),
        ("perm", lambda n, k: mpmath.rf(n - k + 1, k), (N, K), 8, 0), ("factorial", mpmath.factorial, (np.arange(171.0),), 8, 0), ("ndtr", mpmath.ncdf, (R.uniform(-37, 9, 300),), 8, 0), ("erfcx", lambda x: mpmath.exp(x * x) * mpmath.erfc(x), (R.uniform(-26, 60, 300),), 8, 0),
        ("log_ndtr", lambda x: mpmath.log(mpmath.ncdf(x)) if x < 0 else mpmath.log1p(-mpmath.ncdf(-x)), (np.concatenate([R.uniform(-900, 0, 100), R.uniform(-3, 37, 200)]),), 8, 0), ("zeta", mpmath.zeta, (1 + log_uniform(1e-4, 40, 60), log_uniform(1e-2, 1e4, 60)), 16, 0),
        ("polygamma", lambda n, x: mpmath.polygamma(int(n), x), (R.integers(1, 20, 60), log_uniform(1e-2, 1e4, 60)), 24, 0)]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("row", range(len(ROWS)), ids=[r[0] for r in ROWS])
def test_bounds(row, dtype):
    name, exact, operands, bound, least = ROWS[row]
    operands = [np.clip(a, -1e30, 1e30) if dtype == "float32" else a for a in operands]
    worst, at = max(errors(name, exact, operands, dtype, least, 600 if name == "betaln" else 120))
    assert worst <= bound, (worst, at)


X = np.concatenate([R.uniform(0.01, 40, 30), log_uniform(1e-3, 500, 30)])
SMALL = np.concatenate([log_uniform(1e-6, 90, 60), R.uniform(90, 700, 20)])
V = np.concatenate([R.uniform(0, 20, 40), R.integers(0, 20, 40)])
ORDERS = [("iv", lambda v, x: mpmath.besseli(v, x), (V, SMALL)), ("ive", lambda v, x: mpmath.besseli(v, x) * mpmath.exp(-x), (V, SMALL)), ("kv", mpmath.besselk, (V, SMALL)), ("kve", lambda v, x: mpmath.besselk(v, x) * mpmath.exp(x), (V, SMALL))]


@pytest.mark.parametrize("name, exact, operands", ORDERS, ids=[r[0] for r in ORDERS])
def test_modified_bessel(name, exact, operands):
    for error, (v, x) in errors(name, exact, operands, "float64"):
        assert error <= 64 + 4 * (abs(v * math.log(x)) + math.lgamma(v + 1)), (error, v, x)
    f = getattr(kn.special, name)
    same_bits(kn.jit(lambda v, x: f(v, x))(*map(kn.asarray, operands)), f(*map(kn.asarray, operands)))


@pytest.mark.parametrize("n", [0, 1, 2, 7, 20])
@pytest.mark.parametrize("name", ["jn", "yn", "spherical_jn", "spherical_yn", "kn", "expn"])
def test_whole_orders(name, n):
    """Of waves in units of their height beyond the order; of small arguments relative to the value."""
    exact = {"jn": mpmath.besselj, "yn": mpmath.bessely, "kn": mpmath.besselk, "expn": mpmath.expint, "spherical_jn": lambda n, x: mpmath.sqrt(mpmath.pi / 2 / x) * mpmath.besselj(n + mpmath.mpf(0.5), x),
             "spherical_yn": lambda n, x: mpmath.sqrt(mpmath.pi / 2 / x) * mpmath.bessely(n + mpmath.mpf(0.5), x)}[name]
    got = getattr(kn.special, name)(n, kn.asarray(X)).numpy()
    with mpmath.workdps(40):
        for x, value in zip(X, got):
            want = float(exact(n, mpmath.mpf(x)))
            height = (2 / np.pi / x) ** 0.5 if name in ("jn", "yn") else 1 / x if "spherical" in name else 0
            size = max(abs(want), height if x > n else 0)
            if 1e-300 < size < 1e300:
                assert abs(value - want) <= (64 + 16 * n) * np.spacing(size), (x, value, want)
    edges = np.array([-2.5, 0.0, -0.0, np.nan] + [np.inf] * (name not in ("jn", "yn")))  # where SciPy has a nan
    with np.errstate(all="ignore"):
        np.testing.assert_allclose(getattr(kn.special, name)(n, kn.asarray(edges)).numpy(), getattr(sp, name)(n, edges), rtol=1e-13)


@pytest.mark.parametrize("name", ["eval_chebyt", "eval_chebyu", "eval_legendre", "eval_hermite", "eval_hermitenorm", "eval_laguerre"])
def test_orthogonal_polynomials(name):
    x = R.uniform(-1, 1, 50)
    for n in (0, 1, 2, 5, 12):
        np.testing.assert_allclose(getattr(kn.special, name)(n, kn.asarray(x)).numpy(), getattr(sp, name)(n, x), rtol=1e-12, atol=1e-12 * max(1.0, np.abs(getattr(sp, name)(n, x)).max()))
    assert getattr(kn.special, name)(3, kn.asarray([0.5], kn.float32)).dtype is kn.float32
    with pytest.raises(ValueError, match=f"{name}: n: expected at least 0, got -1"):
        getattr(kn.special, name)(-1, 0.5)
    with pytest.raises(kn.DTypeError, match=f"{name}: n: expected an integer, got float"):
        getattr(kn.special, name)(1.5, 0.5)


def test_lambertw():
    x = np.concatenate([R.uniform(-0.36, 0, 60), log_uniform(1e-300, 1e300, 60), [-math.exp(-1) + 2.0**-k for k in range(4, 50, 5)]])
    for k, points in ((0, x), (-1, np.concatenate([x[:60], x[-10:], -log_uniform(1e-300, 0.36, 60)]))):
        points = points[points < 0] if k else points
        got = kn.special.lambertw(kn.asarray(points), k).numpy()
        with mpmath.workdps(40):
            for v, w in zip(points, got):
                want = float(mpmath.lambertw(mpmath.mpf(v), k).real)
                assert abs(w - want) <= 8 * np.spacing(abs(want)) * max(1, 0.5 / abs(want + 1)), (v, k, w, want)
    assert kn.special.lambertw(kn.asarray([0.0, np.inf])).tolist() == [0, np.inf] and np.isnan(kn.special.lambertw(kn.asarray([-1.0, np.nan])).numpy()).all()
    assert kn.special.lambertw(kn.asarray(0.0), -1).item() == -np.inf
    with pytest.raises(ValueError, match="lambertw: k: expected 0 or -1, whose values are real, got 1"):
        kn.special.lambertw(1.0, 1)


ORDERS = np.concatenate([R.uniform(0, 1.5, 30), R.uniform(0, 50, 40), np.arange(0.0, 51, 10), np.arange(0.5, 50, 12)])


@pytest.mark.parametrize("low, high", [(1e-200, 1e-3), (1e-3, 2), (2, 50), (50, 1e4)])
@pytest.mark.parametrize("name", ["jv", "yv"])
def test_bessel_functions_of_any_order(name, low, high):
    """Of both signs, in units of the result or of the height of its wave."""
    x = log_uniform(low, high, ORDERS.size)
    x[:2] = low, high
    for v in (ORDERS, -ORDERS):
        got = getattr(kn.special, name)(kn.asarray(v), kn.asarray(x))
        for order, at, value in zip(v, x, got.tolist()):
            with mpmath.workdps(40):
                want = getattr(mpmath, "bessel" + name[0])(mpmath.mpf(order), mpmath.mpf(at))
                if 1e-300 < abs(want) < 1e300:
                    size = max(abs(want), mpmath.sqrt(2 / (mpmath.pi * at)) if at > abs(order) else 0)
                    if order < 0:
                        size = max(size, *(abs(turn(order) * f(-mpmath.mpf(order), at)) for turn, f in ((mpmath.cospi, mpmath.besselj if name == "jv" else mpmath.bessely), (mpmath.sinpi, mpmath.bessely if name == "jv" else mpmath.besselj))))
                    assert abs(value - want) <= (32 + abs(mpmath.log(size))) * np.spacing(float(size)), (order, at, value, float(want))
    f = getattr(kn.special, name)
    same_bits(kn.jit(lambda v, x: f(v, x))(kn.asarray(ORDERS), kn.asarray(x)), f(kn.asarray(ORDERS), kn.asarray(x)))


def test_orders_as_scipy():
    x = np.concatenate([R.uniform(0.1, 30, 40), [0.0, -2.0, np.nan]])
    for v in (0, 2, 2.0, -3, 0.5, 3.5, 0.3, -0.3):
        for name in ("jv", "yv"):
            skip = slice(0, -3) if v in (0.5, 3.5) else slice(None)  # of halves -2 is for spherical_jn
            np.testing.assert_allclose(getattr(kn.special, name)(v, kn.asarray(x)).numpy()[skip], getattr(sp, name)(v, x)[skip], rtol=1e-11, atol=1e-14)
    assert np.isnan(kn.special.jv(kn.asarray([50.5, np.nan]), 1.0).numpy()).all() and kn.special.jv(60, kn.asarray(70.0, kn.float64)).item() == kn.special.jn(60, kn.asarray(70.0, kn.float64)).item()
    assert kn.special.jv(kn.asarray([0.3, 2.0]), np.inf).tolist() == [0, 0] and kn.special.yv(2.5, kn.asarray(0.0)).item() == -np.inf
    assert kn.special.jv(kn.asarray([0.5], kn.float32), 2.0).dtype is kn.float32


@pytest.mark.parametrize("n", [0, 1, 4])
def test_modified_spherical_functions(n):
    x = np.concatenate([log_uniform(1e-3, 300, 40), -log_uniform(1e-3, 300, 20), [0.0, np.inf, np.nan]])
    np.testing.assert_allclose(kn.special.spherical_in(n, kn.asarray(x)).numpy(), sp.spherical_in(n, x), rtol=1e-13)
    positive = np.where(x < 0, -x, x)
    got = kn.special.spherical_kn(n, kn.asarray(positive)).numpy()
    for at, value in zip(positive[:60], got):
        with mpmath.workdps(40):
            want = mpmath.sqrt(mpmath.pi / (2 * mpmath.mpf(at))) * mpmath.besselk(n + mpmath.mpf(1) / 2, mpmath.mpf(at))
            assert abs(value - want) <= 16 * np.spacing(float(want))
    assert got[60] == np.inf and got[61] == 0 and np.isnan(got[62]) and np.isnan(kn.special.spherical_kn(n, -1.0).item())
    with pytest.raises(ValueError, match="spherical_in: n: expected at least 0, got -1"):
        kn.special.spherical_in(-1, 1.0)
    with pytest.raises(kn.DTypeError, match="spherical_kn: n: expected an integer, got float"):
        kn.special.spherical_kn(0.5, 1.0)


ANGLES = np.concatenate([R.uniform(-1.5, 1.5, 60), R.uniform(-20, 20, 40), log_uniform(1e-10, 1, 20)])
PARAMETERS = R.permutation(np.concatenate([R.uniform(0, 1, 40), -log_uniform(1e-2, 1e5, 40), 1 - log_uniform(1e-15, 0.1, 40)]))
SIDES = tuple(log_uniform(1e-8, 1e8, 60) for _ in range(3))
WAVES = np.concatenate([log_uniform(1e-5, 10, 150), log_uniform(1, 1e6, 60), [1.6, 3.2, 1.5999, -2.0]])
EXACT = [("ellipkinc", mpmath.ellipf, (ANGLES, PARAMETERS), 16), ("ellipeinc", mpmath.ellipe, (ANGLES, PARAMETERS), 32), ("elliprf", mpmath.elliprf, SIDES, 8), ("elliprd", mpmath.elliprd, SIDES, 8),
         ("fresnel 0", mpmath.fresnels, (WAVES,), 8), ("fresnel 1", mpmath.fresnelc, (WAVES,), 8)]


@pytest.mark.parametrize("name, exact, operands, bound", EXACT, ids=[e[0] for e in EXACT])
def test_integrals(name, exact, operands, bound):
    function, *part = name.split()

    def ours(*args):
        result = getattr(kn.special, function)(*args)
        return result[int(part[0])] if part else result
    arrays = [kn.asarray(a) for a in operands]
    got = ours(*arrays)
    with mpmath.workdps(40):
        for value, *row in zip(got.tolist(), *operands):
            want = exact(*map(mpmath.mpf, row))
            assert abs(value - want) <= bound * np.spacing(abs(float(want))), (row, value, float(want))
    same_bits(kn.jit(lambda *a: ours(*a))(*arrays), got)
    assert ours(*(kn.astype(a, kn.float32) for a in arrays)).dtype is kn.float32


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name, operands", [("ellipkinc", ([0, np.inf, 1, 1, 1, np.nan, 2, 1, 0, -5], [0.5, 0.5, 2, 1, -np.inf, 0.5, 1, np.inf, -np.inf, 0])),
                                            ("ellipeinc", ([0, np.inf, 1, 1, 1, np.nan, 2, 0], [0.5, 0.5, 2, 1, -np.inf, 0.5, 1, 0])), ("elliprf", ([0, 0, 1, -1, np.inf], [0, 1, 1, 1, 1], [1, 0, 1, 1, 2])),
                                            ("elliprd", ([0, 0, 1, -1, np.inf, 1], [0, 1, 1, 1, 1, 1], [1, 0, 1, 1, 2, np.inf])), ("gammaincinv", ([2, 2, 2, 0, -1, np.inf, np.nan, 2], [0, 1, 1.5, 0.5, 0.5, 0.5, 0.5, -0.1])),
                                            ("gammainccinv", ([2, 2, 2, -1, 2], [0, 1, 1.5, 0.5, -0.1])), ("betaincinv", ([2, 2, 2, -1, 2], [3, 3, 3, 3, 3], [0, 1, 1.5, 0.5, -0.1])),
                                            ("betainccinv", ([2, 2, 2, -1], [3, 3, 3, 3], [0, 1, 1.5, 0.5])), ("stdtrit", ([3, 3, 3, 3, 3], [0.5, 0.25, 0.975, np.nan, 0.6])), ("chdtri", ([2, 2, 2], [0, 1, 0.5]))])
def test_edges_of_integrals_and_inverses(name, operands):
    operands = [np.array(o, float) for o in operands]
    f = getattr(kn.special, name)
    got = f(*map(kn.asarray, operands))
    np.testing.assert_allclose(got.numpy(), getattr(sp, name)(*operands), rtol=1e-13)
    same_bits(kn.jit(lambda *a: f(*a))(*map(kn.asarray, operands)), got)


def test_edges_of_their_own():
    """Where SciPy 1.16 says something else: an angle of pi / 2 as float64 is below it, and infinite squares."""
    np.testing.assert_allclose(kn.special.ellipkinc(kn.asarray(math.pi / 2, kn.float64), 1.0).item(), 38.0250033755)
    assert [v.tolist() for v in kn.special.fresnel(kn.asarray([np.inf, -np.inf, 0.0, 1e300]))] == [[0.5, -0.5, 0, 0.5]] * 2
    assert kn.special.stdtrit(kn.asarray([3.0, 3.0, np.inf]), kn.asarray([0.0, 1.0, 0.975])).tolist()[:2] == [-np.inf, np.inf]
    np.testing.assert_allclose(kn.special.stdtrit(np.inf, 0.975).item(), sp.ndtri(0.975), rtol=1e-6)
    np.testing.assert_allclose(kn.special.gammainc(0.3, kn.asarray([1.0], kn.float64)).numpy(), sp.gammainc(0.3, [1.0]), rtol=1e-14)  # a number keeps its digits


@pytest.mark.parametrize("low, high", [(-1, 1), (1, 5), (5, 100), (-5, -1), (-300, -5)])
def test_airy(low, high):
    """Above 0 in units of the result, below of the height of its wave."""
    x = np.append(R.uniform(low, high, 20), [low, high])
    got = kn.special.airy(kn.asarray(x))
    for values, function, derivative, power in zip(got, (mpmath.airyai, mpmath.airyai, mpmath.airybi, mpmath.airybi), (0, 1, 0, 1), (-0.25, 0.25, -0.25, 0.25)):
        with mpmath.workdps(60):
            for at, value in zip(x, values.tolist()):
                want = function(mpmath.mpf(at), derivative=derivative)
                size = max(abs(want), abs(mpmath.mpf(at)) ** power / mpmath.sqrt(mpmath.pi) if at < -1 else 0)
                assert abs(value - want) <= (64 + (2 * abs(mpmath.log(size)) if at > 0 else abs(at) ** 1.5)) * np.spacing(float(size)), (at, value, float(want))
    for ours, again in zip(got, kn.jit(lambda v: kn.special.airy(v))(kn.asarray(x))):
        same_bits(again, ours)
    for ours, theirs in zip(kn.special.airy(kn.asarray([0.0, np.nan, 200.0], kn.float32)), sp.airy([0, np.nan, 100])):
        assert ours.dtype is kn.float32
        np.testing.assert_allclose(ours.numpy()[:2], theirs[:2], rtol=1e-6)
    ends = np.array([v.tolist() for v in kn.special.airy(kn.asarray([np.inf, -np.inf]))])
    np.testing.assert_array_equal(ends, [[0, 0], [0, np.nan], [np.inf, 0], [np.inf, np.nan]])
    slope = kn.grad(lambda v: kn.sum(kn.special.airy(v)[0]))(kn.asarray(x[:5]))
    np.testing.assert_allclose(slope.numpy(), got[1].numpy()[:5], rtol=1e-7, atol=1e-9 * np.abs(got[1].numpy()).max())


def test_jacobi_functions():
    u = R.uniform(-10, 10, 60)
    m = np.concatenate([R.uniform(0, 1, 30), 1 - log_uniform(1e-15, 0.1, 15), log_uniform(1e-15, 0.1, 15)])
    got = kn.special.ellipj(kn.asarray(u), kn.asarray(m))
    for name, values in zip(("sn", "cn", "dn"), got):
        with mpmath.workdps(40):
            for value, a, b in zip(values.tolist(), u, m):
                assert abs(value - mpmath.ellipfun(name, a, m=b)) <= 16 * 2**-52 * max(1, abs(a)), (name, a, b)
    np.testing.assert_allclose(got[3].numpy(), sp.ellipj(u, m)[3], rtol=1e-9)
    for ours, theirs in zip(kn.special.ellipj(kn.asarray([1.0, 1, 1, 0, np.nan]), kn.asarray([1.0, -1, 2, 0.5, 0.5])), sp.ellipj([1.0, 1, 1, 0, np.nan], [1.0, -1, 2, 0.5, 0.5])):
        np.testing.assert_allclose(ours.numpy(), theirs, rtol=1e-6)


@pytest.mark.parametrize("low, high", [(-1, 0.5), (0, 2), (2, 3.5)])
def test_inverses(low, high):
    """Within what the function they invert states, times how the logarithm of x changes with that of the smaller tail."""
    a, b = log_uniform(10.0**low, 10.0**high, 24), log_uniform(10.0**low, 10.0**high, 24)
    p = np.concatenate([R.uniform(0, 1, 12), log_uniform(1e-40, 0.1, 12)])
    cases = [("gammaincinv", (a,), lambda x, a: mpmath.gammainc(a, 0, x, regularized=True), lambda x, a: x**a * mpmath.exp(-x) / mpmath.gamma(a), 0),
             ("gammainccinv", (a,), lambda x, a: mpmath.gammainc(a, x, mpmath.inf, regularized=True), lambda x, a: x**a * mpmath.exp(-x) / mpmath.gamma(a), 0),
             ("betaincinv", (a, b), lambda x, a, b: mpmath.betainc(a, b, 0, x, regularized=True), lambda x, a, b: x**a * (1 - x)**(b - 1) / mpmath.beta(a, b), 1),
             ("betainccinv", (a, b), lambda x, a, b: mpmath.betainc(a, b, x, 1, regularized=True), lambda x, a, b: x**a * (1 - x)**(b - 1) / mpmath.beta(a, b), 1)]
    for name, given, function, slope, isBeta in cases:
        got = getattr(kn.special, name)(*map(kn.asarray, given), kn.asarray(p)).numpy()
        for x, q, *rest in zip(got, p, *given):
            if 1e-280 < x < (0.999 if isBeta else 1e300):
                with mpmath.workdps(60):
                    rest = [mpmath.mpf(v) for v in rest]
                    off = abs(function(mpmath.mpf(x), *rest) - mpmath.mpf(q)) / slope(mpmath.mpf(x), *rest)  # of x, relative, to first order
                    tail = min(mpmath.mpf(q), 1 - mpmath.mpf(q))
                    error = (16 - 6 * mpmath.log(tail) + (4 * mpmath.sqrt(sum(rest)) if isBeta and max(rest) > 1000 else 0)) * tail / slope(mpmath.mpf(x), *rest)
                    assert off <= (error + 2) * 2**-52, (name, x, q, rest, float(off * 2**52), float(error))


def test_inverses_of_distributions():
    v, p = log_uniform(0.5, 1e4, 30), np.concatenate([R.uniform(0, 1, 15), log_uniform(1e-30, 0.1, 15)])
    got = kn.special.stdtrit(kn.asarray(v), kn.asarray(p)).numpy()
    for df, q, t in zip(v, p, got):
        with mpmath.workdps(60):
            n, x = mpmath.mpf(df), mpmath.mpf(t)
            below = mpmath.betainc(n / 2, 0.5, 0, n / (n + x * x), regularized=True) / 2
            density = (1 + x * x / n) ** (-(n + 1) / 2) / (mpmath.sqrt(n) * mpmath.beta(0.5, n / 2))
            assert abs(below - min(mpmath.mpf(q), 1 - mpmath.mpf(q))) / (density * abs(x)) <= 64 * 2**-52, (df, q, t)
    np.testing.assert_allclose(kn.special.fdtri(kn.asarray(v), kn.asarray(v[::-1].copy()), kn.asarray(p)).numpy(), sp.fdtri(v, v[::-1], p), rtol=1e-9)
    np.testing.assert_allclose(kn.special.chdtri(kn.asarray(v), kn.asarray(p)).numpy(), sp.chdtri(v, p), rtol=1e-11)


LARGE = log_uniform(200, 1e6, 40)
INCOMPLETE = [(R.uniform(0.01, 10, 80), R.uniform(0, 20, 80)), (R.uniform(0.01, 1, 80), R.uniform(0, 2, 80)), (log_uniform(1e-3, 10, 60), log_uniform(1e-10, 100, 60)), (R.uniform(10, 300, 60), R.uniform(3, 500, 60)),
              (LARGE, LARGE + R.normal(size=40) * 3 * np.sqrt(LARGE)), (log_uniform(200, 2e3, 40), log_uniform(200, 2e3, 40))]


def of_size(found):
    """The error over the bound 16 + 6 |log(result)|."""
    return max((error / (16 - 6 * math.log(size)), row) for error, row, size in found)


@pytest.mark.parametrize("which", range(len(INCOMPLETE)))
@pytest.mark.parametrize("name", ["gammainc", "gammaincc"])
def test_incomplete_gamma(name, which):
    def exact(a, x):
        limits = (0, x) if name == "gammainc" else (x, mpmath.inf)
        return mpmath.gammainc(a, *limits, regularized=True)
    operands = INCOMPLETE[which]
    found = errors(name, exact, operands, "float64")
    sizes = getattr(kn.special, name)(*map(kn.asarray, operands)).numpy()
    lookup = {tuple(map(float, row)): float(v) for row, v in zip(zip(*operands), sizes)}
    worst, at = of_size([(e, row, max(lookup[tuple(row)], 1e-308)) for e, row in found])
    assert worst <= 1, (worst, at)
    f = getattr(kn.special, name)
    same_bits(kn.jit(lambda a, x: f(a, x))(*map(kn.asarray, operands)), kn.asarray(sizes))
    assert f(kn.asarray([0.5, 2, 700], kn.float32), kn.asarray([1, 3, 690], kn.float32)).dtype is kn.float32


@pytest.mark.parametrize("low, high, n", [(0.1, 20, 80), (1, 200, 60), (200, 5000, 8)])
def test_incomplete_beta(low, high, n):
    a, b = R.uniform(low, high, n), R.uniform(low, high, n)
    x = np.clip(a / (a + b) + R.normal(size=n) * 3 * np.sqrt(a * b / (a + b) ** 3), 1e-3, 1 - 1e-3)
    for name, limits in (("betainc", (0, None)), ("betaincc", (None, 1))):
        found = errors(name, lambda a, b, x: mpmath.betainc(a, b, *(x if v is None else v for v in limits), regularized=True), (a, b, x), "float64", digits=120)
        sizes = np.maximum(getattr(kn.special, name)(*map(kn.asarray, (a, b, x))).numpy(), 1e-308)
        lookup = {tuple(map(float, row)): float(v) for row, v in zip(zip(a, b, x), sizes)}
        for error, row in found:
            assert error <= 16 - 6 * math.log(lookup[tuple(row)]) + (4 * math.sqrt(row[0] + row[1]) if high > 1000 else 0), (error, row)


def test_incomplete_beta_of_parameters_far_apart():
    a, b = R.uniform(0.05, 2, 60), log_uniform(500, 1e4, 60)
    x = a / (a + b) * log_uniform(0.3, 6, 60)
    for name, limits in (("betainc", (0, None)), ("betaincc", (None, 1))):
        for operands in ((a, b, x), (b, a, 1 - x)):
            found = errors(name, lambda a, b, x: mpmath.betainc(a, b, *(x if v is None else v for v in limits), regularized=True), operands, "float64", digits=60)
            sizes = np.maximum(getattr(kn.special, name)(*map(kn.asarray, operands)).numpy(), 1e-308)
            lookup = {tuple(map(float, row)): float(v) for row, v in zip(zip(*operands), sizes)}
            for error, row in found:
                assert error <= 16 - 6 * math.log(lookup[tuple(row)]) + 4 * math.sqrt(row[0] + row[1]), (name, error, row)


def test_whole_counts_are_exact():
    n, k = np.meshgrid(np.arange(62.0), np.arange(62.0), indexing="ij")
    got = kn.special.comb(kn.asarray(n), kn.asarray(k)).numpy()
    for i in range(62):
        for j in range(62):
            if math.comb(i, j) < 2**53:
                assert got[i, j] == math.comb(i, j)
    assert kn.special.factorial(kn.asarray(np.arange(23.0))).tolist() == [float(math.factorial(i)) for i in range(23)]
    assert kn.special.perm(kn.asarray(np.full(18, 17.0)), kn.asarray(np.arange(18.0))).tolist() == [float(math.perm(17, i)) for i in range(18)]
    assert kn.special.gamma(5).item() == 24 and kn.special.binom(5, 2).item() == 10


@pytest.mark.parametrize("name, x", [("gamma", [0.7, 1.0, 3.0, 5.5, 30.0, -2.5]), ("ndtr", [-3.0, -0.5, 0.0, 2.0]), ("erfcx", [0.2, 3.0, 40.0]), ("log_ndtr", [-20.0, -0.5, 3.0])])
def test_derivatives(name, x):
    """Of the pieces, at their ends as well."""
    f, x = getattr(kn.special, name), kn.asarray(np.array(x))
    got = kn.grad(lambda v: kn.sum(f(v)))(x).numpy()
    exact = {"gamma": mpmath.gamma, "ndtr": mpmath.ncdf, "erfcx": lambda v: mpmath.exp(v * v) * mpmath.erfc(v), "log_ndtr": lambda v: mpmath.log(mpmath.ncdf(v))}[name]
    with mpmath.workdps(40):
        want = [float(mpmath.diff(exact, mpmath.mpf(v))) for v in x.tolist()]
    np.testing.assert_allclose(got, want, rtol=1e-9)


KINKS = [("binom", (10.0, 3.0)), ("binom", (40.0, 20.0)), ("binom", (10.5, 3.2)), ("poch", (2.0, 3.0)), ("poch", (30.0, 2.5)), ("gammainc", (2.0, 3.0)), ("gammaincc", (2.0, 3.0)), ("gammainc", (10.0, 7.0)), ("gammaincc", (500.0, 510.0)), ("beta", (10.0, 3.0)),
         ("beta", (30.0, 10.0)), ("betaln", (10.0, 10.0)), ("log_ndtr", (-1.0,)), ("gamma", (23.0,)), ("erfcx", (0.5,)), ("erfcx", (28.0,)), ("exp1", (1.0,)), ("exp1", (4.0,)), ("expi", (40.0,)), ("k0", (2.0,)), ("i0", (30.0,)), ("j0", (8.0,)), ("y1", (8.0,)),
         ("kv", (1.5, 2.0)), ("iv", (1.5, 100.0)), ("betainc", (2.0, 3.0, 0.4)), ("betainc", (500.0, 600.0, 0.45)), ("lambertw", (0.5,)), ("ndtri", (0.05,)), ("gammaincinv", (2.0, 0.3)), ("gammaincinv", (0.4, 0.9)), ("gammainccinv", (150.0, 0.4)),
         ("betaincinv", (2.0, 3.0, 0.3)), ("betainccinv", (0.5, 0.7, 0.8)), ("stdtrit", (5.0, 0.7)), ("fdtri", (4.0, 5.0, 0.6)), ("ellipkinc", (1.0, 0.4)), ("ellipeinc", (2.0, -0.4)), ("elliprf", (1.0, 2.0, 3.0)), ("jv", (0.3, 2.0)), ("jv", (1.7, 50.0)), ("yv", (0.3, 2.0)),
         ("yv", (-1.3, 10.0))]


@pytest.mark.parametrize("name, point", KINKS, ids=[k[0] for k in KINKS])
def test_derivatives_where_forms_meet(name, point):
    f = getattr(kn.special, name)
    arrays = [kn.asarray(np.array(v)) for v in point]
    for i, value in enumerate(point):
        if name == "iv" and i == 0:
            continue
        step = 1e-5 * abs(value)
        ends = [float(f(*arrays[:i], kn.asarray(np.array(value + s * step)), *arrays[i + 1:])) for s in (-1, 1)]
        got = float(kn.grad(lambda *v: f(*v), argnums=i)(*arrays))
        np.testing.assert_allclose(got, (ends[1] - ends[0]) / (2 * step), rtol=2e-5)
