"""Incomplete gamma and beta functions: series and continued fractions of a fixed length (W. Press and others, "Numerical recipes", chapter 6), and around
the mean of large parameters N. Temme's expansion ("The asymptotic expansion of the incomplete gamma functions", 1979). Computed in float64."""
import math

from .. import _core
from .._arguments import ops
from .._core import Array
from .elementwise import pieces
from .gammas import _LARGE, _UNIT, _beta, _low, _product, _rest, _share, _sum, _total, in_double
from .normal import scaled_erfc

_where, _INF, _NAN = _core.where, float("inf"), float("nan")
_and, _or = ops["bitwise_and"], ops["bitwise_or"]
_TERMS = 160
_TEMME = 100.0  # parameters from which on the expansion is taken, within 0.4 of the mean

# 2 (m - log(1 + m)) / m^2 in m / 0.41, interpolated at Chebyshev's nodes with 60 digits; and Temme's coefficients: a row for each power of 1 / a, the lowest power
# of eta first.
_SQUARE = (1.0, -0.27333333333333333, 0.084049999999999817, -0.027568399999999927, 0.0094192033333435488, -0.0033101771714326254, 0.0011875260600262371,
           -0.00043278727520231279, 0.00015969850712283986, -5.9523989079758917e-5, 2.2371081736004223e-5, -8.4665936965221681e-6, 3.2234294872628573e-6,
           -1.2335000605198183e-6, 4.73903557292958e-7, -1.8286870666115645e-7, 7.125679612880885e-8, -2.7681097790315494e-8, 1.0169783315517159e-8,
           -3.9676149771134797e-9, 2.1195957173090368e-9, -8.3343884015516075e-10, -1.1093502959818842e-11, 5.1698808408233705e-12, 1.157072482364769e-10,
           -4.5812546364785726e-11)
_ROWS = ((-0.33333333333333333, 0.083333333333333333, -0.014814814814814815, 0.0011574074074074074, 0.0003527336860670194, -0.00017875514403292181,
          3.9192631785224378e-5, -2.1854485106799922e-6, -1.85406221071516e-6, 8.296711340953086e-7, -1.7665952736826079e-7, 6.7078535434014986e-9,
          1.0261809784240308e-8, -4.3820360184533532e-9, 9.1476995822367902e-10, -2.551419399494625e-11, -5.8307721325504251e-11, 2.4361948020667416e-11,
          -5.0276692801141756e-12),
         (-0.0018518518518518519, -0.0034722222222222222, 0.0026455026455026455, -0.00099022633744855967, 0.00020576131687242798, -4.0187757201646091e-7,
          -1.8098550334489978e-5, 7.6491609160811101e-6, -1.6120900894563446e-6, 4.6471278028074343e-9, 1.378633446915721e-7, -5.752545603517705e-8,
          1.1951628599778147e-8, -1.7543241719747648e-11, -1.0091543710600413e-9, 4.1627929918425826e-10, -8.5639070264929806e-11),
         (0.0041335978835978836, -0.0026813271604938272, 0.00077160493827160494, 2.0093878600823045e-6, -0.00010736653226365161, 5.2923448829120125e-5,
          -1.2760635188618728e-5, 3.4235787340961381e-8, 1.3721957309062933e-6, -6.298992138380055e-7, 1.4280614206064242e-7, -2.0477098421990866e-10,
          -1.4092529910867521e-8, 6.228974084922022e-9, -1.3670488396617113e-9),
         (0.00064943415637860082, 0.00022947209362139918, -0.00046918949439525571, 0.00026772063206283885, -7.5618016718839764e-5, -2.3965051138672967e-7,
          1.1082654115347302e-5, -5.6749528269915966e-6, 1.4230900732435884e-6, -2.7861080291528142e-11, -1.6958404091930277e-7, 8.0994649053880824e-8,
          -1.9111168485973654e-8),
         (-0.0008618882909167117, 0.00078403922172006663, -0.00029907248030319018, -1.4638452578843418e-6, 6.6414982154651222e-5, -3.9683650471794347e-5,
          1.1375726970678419e-5, 2.5074972262375328e-10, -1.6954149536558306e-6, 8.9075075322053097e-7, -2.2929348340008049e-7),
         (-0.00033679855336635815, -6.9728137583658578e-5, 0.00027727532449593921, -0.00019932570516188848, 6.7977804779372078e-5, 1.419062920643967e-7,
          -1.3594048189768693e-5, 8.0184702563342015e-6),
         (0.00053130793646399222, -0.00059216643735369388, 0.00027087820967180448, 7.9023532326603279e-7, -8.1539693675619688e-5, 5.6116827531062497e-5),
         (0.00034436760689237767,))


def _deviation(m):
    """m - log(1 + m), without cancellation within 0.41 of 0."""
    near = ops["less"](ops["abs"](m), 0.41)
    inner = _where(near, m, 0.0)
    return _where(near, inner * inner * 0.5 * _sum(inner * (1 / 0.41), _SQUARE), m - ops["log1p"](_where(near, 0.0, m)))


def _density(a, x):
    """x^a exp(-x) / gamma(a), times a below 1: through powers of x / a where those stay in the range, else through the logarithm."""
    is_large = ops["greater"](a, _LARGE)
    few, b = _where(is_large, _LARGE, a), _where(is_large, a, _LARGE)
    y = ops["minimum"](x, 1500.0)
    half = ops["exp"](y * -0.5)
    small = half * ops["pow"](y, few) * half / _low(few, _LARGE)
    r, off = _share(_where(ops["greater"](x, 0), x, 1.0), b, 0.0)
    d, error = _total(b, -x)
    usual = _and(ops["less"](b, 300.0), ops["less"](x, 2000.0))
    half = ops["pow"](r, _where(usual, b, 0.0) * 0.5) * ops["exp"](_where(usual, d, 0.0) * 0.5)
    near = half * half * ops["exp"](_where(usual, off * b + error, 0.0))
    root = ops["sqrt"](b * (0.5 / math.pi)) * ops["exp"](-_rest(b))
    large = root * _where(usual, near, ops["exp"](-b * _deviation(-d / b)))
    return _where(is_large, large, small)


def _small_q(a, x):
    """Q for ``a`` below 1 and ``x`` below 1.5: 1 less x^a / gamma(1 + a), which is near 1, and the rest of the series of P."""
    term, total = -1.0, 0.0
    for n in range(1, 30):
        term = term * x * (-1.0 / n)
        total = total - term / (a + float(n))
    log = a * ops["log"](x) + ops["log1p"](a * (1.0 - a) * _sum(a - 0.5, _UNIT))
    return -(a * total * ops["exp"](log) + ops["expm1"](log))


def _temme(a, x):
    """P and Q for large ``a`` and ``x`` near it."""
    d, error = _total(x, -a)
    m = d / a
    half = _deviation(m)
    eta = ops["copysign"](ops["sqrt"](half * 2.0), m)
    v, total = 1.0 / a, 0.0
    for row in _ROWS[::-1]:
        total = total * v + _sum(eta, row)
    e = ops["exp"](-a * half)
    tail = scaled_erfc(ops["sqrt"](a * half)) * 0.5
    rest = total / ops["sqrt"](a * (2 * math.pi))
    above = ops["greater"](eta, 0)
    small = e * _where(above, tail + rest, tail - rest)
    return _where(above, 1.0 - small, small), _where(above, small, 1.0 - small)


def _series(a, x):
    """P over the density, times a."""
    term = _core.full((), 1.0, x.dtype)
    total = term
    for n in range(1, _TERMS):
        term = term * x / (a + float(n))
        total = total + term
    return total


def _fraction(a, x):
    """Q over the density: from its end on, where rounding counts least."""
    b = x + 1.0 - a
    h = b + 2.0 * _TERMS
    for i in range(_TERMS - 1, 0, -1):
        h = b + 2.0 * (i - 1) + (a - float(i)) * float(i) / h
    return 1.0 / h


def _parts(a, x):
    """P and Q of positive numbers; small ones of both are exact."""
    density, one = _density(a, x), ops["less"](a, 1.0)
    end = _where(one, 1.5, a + 1.0)
    below = ops["less"](x, end)
    near, far = pieces(x, end)
    p = _series(a, near) * _where(one, density, density / a)
    q = _fraction(a, ops["minimum"](far, 1e300)) * _where(one, a * density, density)
    q = _where(_and(one, below), _small_q(_where(one, a, 0.5), pieces(x, 1.5)[0]), _where(below, 1.0 - p, q))
    p = _where(below, p, 1.0 - q)
    central = _and(ops["greater"](a, _TEMME), ops["less"](ops["abs"](x - a), a * 0.4))
    near, far = _temme(_where(central, a, _TEMME), _where(central, x, _TEMME))
    return _where(central, near, p), _where(central, far, q)


def _regularized(a, x, upper, at_zero, at_end):
    good = _and(ops["greater"](ops["minimum"](a, x), 0), ops["less"](ops["maximum"](a, x), _INF))
    result = _parts(_where(good, a, 1.0), _where(good, x, 1.0))[upper]
    result = _where(_and(ops["equal"](a, _INF), ops["less"](x, _INF)), at_zero, result)
    result = _where(ops["equal"](x, 0), at_zero, _where(ops["equal"](x, _INF), at_end, result))
    result = _where(_and(ops["equal"](a, 0), ops["greater"](x, 0)), at_end, result)
    wrong = _or(ops["less"](a, 0), ops["less"](x, 0))
    none = _or(_and(ops["equal"](a, 0), ops["equal"](x, 0)), ops["equal"](ops["minimum"](a, x), _INF))
    return _where(_or(_or(wrong, none), ops["isnan"](a + x)), _NAN, result)


@in_double
def gammainc(a, x, /) -> Array:
    """The regularized lower incomplete gamma function: within 16 + 6 |log(result)| units in the last place."""
    return _regularized(a, x, 0, 0.0, 1.0)


@in_double
def gammaincc(a, x, /) -> Array:
    """The regularized upper incomplete gamma function, as ``gammainc``; small values keep their relative accuracy."""
    return _regularized(a, x, 1, 1.0, 0.0)


def _beta_fraction(a, b, x, y):
    """I over x^a y^b / beta(a, b), for x up to the mean: A. DiDonato and A. Morris, "Algorithm 708", 1992, from the end on."""
    slope, h = a * y - b * x + 1.0, 1.0
    for m in range(100, 0, -1):
        twice = a + (2.0 * m - 1.0)
        step = b - float(m)
        beta = float(m) + float(m) * step * x / twice + (a + float(m)) * (slope + (y + 1.0) * float(m)) / (twice + 2.0)
        alpha = (a + (m - 1.0)) / twice * ((a + b + (m - 1.0)) / twice) * (float(m) * step) * (x * x)
        h = alpha / (beta + h)
    return 1.0 / (a * slope / (a + 1.0) + h)


def _power(x, error, p):
    """The logarithm of (x + error)^p, and the power where that is in the range."""
    log = p * ops["log"](x)
    return log, ops["pow"](x, _where(ops["less"](ops["abs"](log), 600.0), p, 0.0)) * ops["exp"](ops["minimum"](ops["maximum"](error / x * p, -700.0), 700.0))


def _beta_density(p, q, x, x_off, y, y_off):
    """x^p y^q / beta(p, q), where x + y = 1: of both large over its value at the mean, so that no power leaves the range before the result does."""
    large = _and(ops["greater"](p, _LARGE), ops["greater"](q, _LARGE))
    a, b = _where(large, p, _LARGE), _where(large, q, _LARGE)
    s, s_off = _total(a, b)

    def over_share(v, off, part):
        product, low = _product(v, s)
        r, r_off = _share(product, part, 0.0)
        return r, r * (r_off + (low + v * s_off + off * s) / product)

    x1, e1 = over_share(x, x_off, a)
    y1, e2 = over_share(y, y_off, b)
    log1, pow1 = _power(_where(large, x1, x), _where(large, e1, x_off), p)
    log2, pow2 = _power(_where(large, y1, y), _where(large, e2, y_off), q)
    fits = _and(ops["less"](ops["abs"](log1), 600.0), ops["less"](ops["abs"](log2), 600.0))
    powers = _where(fits, pow1 * pow2, ops["exp"](ops["minimum"](log1 + log2, 700.0)))
    root = ops["sqrt"](a / s * b * (0.5 / math.pi)) * ops["exp"](_rest(s) - _rest(a) - _rest(b))
    return powers * _where(large, root, 1.0 / _beta(_where(large, 1.0, p), _where(large, 1.0, q)))


def _both_sides(a, b, x):
    """I and 1 - I of positive numbers and x inside of (0, 1); small ones of both are exact."""
    y, y_off = _total(1.0, -x)
    beside = _where(ops["greater"](ops["maximum"](a, b), 20.0), 1.0, 0.0)  # the mean the smaller parameter goes first, as the fraction is longer the other way
    swaps = ops["greater"](x * b - y * a, _where(ops["less_equal"](a, b), beside, -beside))
    p, q, u, v = _where(swaps, b, a), _where(swaps, a, b), _where(swaps, y, x), _where(swaps, x, y)
    density = _beta_density(p, q, u, _where(swaps, y_off, 0.0), v, _where(swaps, 0.0, y_off))
    part = density * _beta_fraction(p, q, u, v)
    return _where(swaps, 1.0 - part, part), _where(swaps, part, 1.0 - part)


def _beta_edges(a, b, x, upper):
    inside = _and(ops["greater"](ops["minimum"](ops["minimum"](a, b), x), 0), ops["less"](x, 1))
    good = _and(inside, ops["less"](ops["maximum"](a, b), _INF))
    result = _both_sides(_where(good, a, 1.0), _where(good, b, 1.0), _where(good, x, 0.5))[upper]
    zero, one = (1.0, 0.0) if upper else (0.0, 1.0)
    result = _where(_or(ops["equal"](a, 0), ops["equal"](b, _INF)), one, result)
    result = _where(_or(ops["equal"](b, 0), ops["equal"](a, _INF)), zero, result)
    result = _where(ops["equal"](x, 0), zero, _where(ops["equal"](x, 1), one, result))
    least, most = ops["minimum"](a, b), ops["maximum"](a, b)
    wrong = _or(_or(ops["less"](x, 0), ops["greater"](x, 1)), ops["less"](least, 0))
    wrong = _or(wrong, _or(ops["equal"](most, 0), ops["equal"](least, _INF)))
    return _where(_or(wrong, ops["isnan"](a + b + x)), _NAN, result)


@in_double
def betainc(a, b, x, /) -> Array:
    """The regularized incomplete beta function in [0, 1], for ``a`` and ``b`` up to 10,000.

    Within 16 + 6 |log(result)| units in the last place, and 4 sqrt(a + b) more where one is above 1,000.
    """
    return _beta_edges(a, b, x, 0)


@in_double
def betaincc(a, b, x, /) -> Array:
    """1 less ``betainc``, exact where that is small."""
    return _beta_edges(a, b, x, 1)
