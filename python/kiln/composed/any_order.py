"""Bessel functions of any real order: N. Temme's series up to 2 ("On the numerical evaluation of the ordinary Bessel function of the second kind", 1976), the
logarithmic derivative of Hankel's function by J. Steed's continued fraction and recurrences up to 50, and Hankel's expansion beyond. Computed in float64."""
import math

from .. import _core
from .._arguments import as_array, ops
from .._core import Array
from .elementwise import _both, pieces
from .gammas import _sine, _sum, in_double, rgamma
from .orders import jn, spherical_jn, spherical_yn, yn

_where, _INF, _NAN = _core.where, float("inf"), float("nan")
_and, _or = ops["bitwise_and"], ops["bitwise_or"]
_MOST = 50  # of orders, and from where on Hankel's expansion is taken
_SERIES_END = 2.0

# (1 / gamma(1 - m) -+ 1 / gamma(1 + m)) / (2 m) and / 2 in 8 m^2 - 1, interpolated at Chebyshev's nodes with 60 digits, the lowest power first.
_ODD = (-0.5713200422589904, 0.006526923331866358, 0.0006173624820439556, -1.3883243452475953e-05, 5.555664237316256e-08, 5.884767601062041e-10,
        -4.3406040581421555e-12, -2.3553910276470993e-15, 6.986528479787368e-17)
_EVEN = (0.9205983333878486, -0.07683792442311572, 0.002544119279202914, -1.989179309204759e-05, -2.650007863514378e-07, 3.877120633148362e-09,
         -5.448218478582303e-12, -9.563946921694524e-14, 3.0497648911489867e-16)


def _over(x, function, slope=1.0):
    """``function(x) / x``, at 0 its ``slope``."""
    none = ops["equal"](x, 0)
    return _where(none, slope, function(_where(none, 1.0, x)) / _where(none, 1.0, x))


def _first_series(v, x):
    """J for x up to 2: its power series, whose terms do not cancel there."""
    term = total = _core.full((), 1.0, x.dtype)
    square = x * x * -0.25
    for k in range(1, 20):
        term = term * square / ((v + float(k)) * float(k))
        total = total + term
    return ops["pow"](x * 0.5, v) * rgamma(v + 1.0) * total


def _second_series(m, x):
    """Y of the orders m and m + 1, for x up to 2 and m from -1/2 to 1/2."""
    t = m * m * 8.0 - 1.0
    odd, even = _sum(t, _ODD), _sum(t, _EVEN)
    log = -ops["log"](x * 0.5)
    e = m * log
    f = (odd * ops["cosh"](e) + even * _over(e, ops["sinh"]) * log) * 2.0 / _over(m, _sine, math.pi)
    p, q = ops["exp"](e) / ((even - m * odd) * math.pi), ops["exp"](-e) / ((even + m * odd) * math.pi)
    half = _over(m * 0.5, _sine, math.pi)
    r = m * half * half * 0.5
    c, total, next_total = 1.0, f + r * q, p
    for k in range(1, 18):
        f = (f * float(k) + p + q) / (float(k * k) - m * m)
        c = c * (x * x * (-0.25 / k))
        p, q = p / (float(k) - m), q / (float(k) + m)
        total = total + c * (f + r * q)
        next_total = next_total + c * (p - (f + r * q) * float(k))
    return -total, next_total * (-2.0 / x)


def _middle(m, n, x):
    """J of the order m + n, and Y of m and m + 1, for x from 2 to 50: the derivative of log(J + i Y) is p + i q, and q times the square of its size 2 / (pi x)."""
    re = im = 0.0
    for k in range(45, 0, -1):
        a, b, c = (k - 0.5) ** 2 - m * m, re + x * 2.0, im + 2.0 * k
        size = b * b + c * c
        re, im = a * b / size, -a * c / size
    p, q = -(im + 0.5) / x, re / x + 1.0
    ratio = 0.0
    for k in range(_MOST + 60, _MOST, -1):
        ratio = 1.0 / ((m + float(k)) * 2.0 / x - ratio)
    after, this = ratio, _core.full((), 1.0, x.dtype)
    wanted = this
    for k in range(_MOST, 0, -1):
        after, this = this, (m + float(k)) * 2.0 / x * this - after
        wanted = _where(ops["less"](n, float(k)), this, wanted)
    slope = m / x * this - after
    other = (p * this - slope) / q
    scale = 1.0 / ops["sqrt"]((this * this + other * other) * q * x * (0.5 * math.pi))
    second = other * scale
    return wanted * scale, second, m / x * second - (q * this * scale + p * second)


def _hankel(m, x):
    """J and Y of the order m, for x from 50 on."""
    square, v = m * m * 4.0, 0.125 / x
    p = factor = _core.full((), 1.0, x.dtype)
    q = 0.0
    for k in range(1, 16):
        factor = factor * (square - float((2 * k - 1) ** 2)) * v * (1.0 / k)
        if k % 2:
            q = q + factor if k % 4 == 1 else q - factor
        else:
            p = p + factor if k % 4 == 0 else p - factor
    s, c, s0, c0 = ops["sin"](x), ops["cos"](x), _sine(m * 0.5 + 0.25), _sine(m * 0.5 + 0.75)
    sin_w, cos_w = s * c0 - c * s0, c * c0 + s * s0
    root = ops["sqrt"](x * (0.5 * math.pi))
    return (p * cos_w - q * sin_w) / root, (p * sin_w + q * cos_w) / root


def _upward(m, n, x, this, following):
    """The order m + n of a recurrence from m and m + 1."""
    for k in range(1, _MOST + 1):
        step = following * ((m + float(k)) * 2.0 / x) - this
        step = _where(ops["isinf"](following), following, step)
        more = ops["less_equal"](float(k), n)
        this, following = _where(more, following, this), _where(more, step, following)
    return this


def _both_kinds(v, x):
    """J and Y of orders from 0 to 50 and positive finite numbers."""
    n = ops["floor"](v + 0.5)
    m = v - n
    low, rest = pieces(x, _SERIES_END)
    middle, high = pieces(rest, float(_MOST))
    is_low, is_high = ops["less"](x, _SERIES_END), ops["greater_equal"](x, float(_MOST))
    j_middle, y_middle, y_next = _middle(m, n, middle)
    j_far, y_far = _hankel(m, high)
    j_far_next, y_far_next = _hankel(m + 1.0, high)
    y_low, y_low_next = _second_series(m, low)
    j = _where(is_low, _first_series(v, low), _where(is_high, _upward(m, n, high, j_far, j_far_next), j_middle))
    y = _upward(m, n, x, _where(is_low, y_low, _where(is_high, y_far, y_middle)), _where(is_low, y_low_next, _where(is_high, y_far_next, y_next)))
    return j, y


def _of_any_order(v, x, second):
    whole, size = ops["equal"](v, ops["floor"](v)), _where(ops["less"](v, 0), -v, v)  # not abs, which has no slope at 0
    flips = _and(whole, ops["less"](x, 0))
    z = _where(flips, -x, x) if not second else x
    good = _and(_and(ops["greater"](z, 0), ops["less"](z, _INF)), ops["less_equal"](size, float(_MOST)))
    order = _where(good, size, 0.0)
    j, y = _both_kinds(order, _where(good, z, 1.0))
    below = ops["less"](v, 0)
    s, c = _sine(order), _sine(order + 0.5)
    part, other = (_where(ops["equal"](c, 0), 0.0, c * y), s * j) if second else (c * j, _where(ops["equal"](s, 0), 0.0, -s * y))
    result = _where(below, part + other, y if second else j)
    odd = ops["not_equal"](ops["remainder"](v, 2.0), 0)
    if second:
        at_zero = _where(below, _where(ops["equal"](_sine(size + 0.5), 0), 0.0, ops["copysign"](_core.full((), _INF, x.dtype), -_sine(size + 0.5))), -_INF)
    else:
        result = _where(_and(flips, odd), -result, result)
        pole = _and(below, ops["bitwise_invert"](whole))
        at_zero = _where(ops["equal"](v, 0), 1.0, _where(pole, ops["copysign"](_core.full((), _INF, x.dtype), rgamma(_where(pole, v, 1.0) + 1.0)), 0.0))
    result = _where(good, result, _where(ops["equal"](z, 0), at_zero, _where(ops["equal"](z, _INF), 0.0, _NAN)))
    return _where(_or(ops["greater"](size, float(_MOST)), ops["isnan"](v + x)), _NAN, result)


@in_double
def _first_of(v, x):
    return _of_any_order(v, x, False)


@in_double
def _second_of(v, x):
    return _of_any_order(v, x, True)


def jv(v, x, /) -> Array:
    """The Bessel function of the first kind of a real order ``v`` from -50 to 50, nan beyond; of negative ``x`` nan unless ``v`` is whole.

    Within 32 + |log(result)| units in the last place of the larger of the result and, where |x| > |v|, sqrt(2 / (pi |x|)); of negative orders, of the parts that those of
    -``v`` have in it, cos(pi v) J and sin(pi v) Y. A number that is whole, of any size, or a half more is taken as by ``jn`` and ``spherical_jn``.
    """
    return _of_order(v, x, jn, spherical_jn, _first_of)


def yv(v, x, /) -> Array:
    """The Bessel function of the second kind of a real order ``v``, as ``jv``; -inf at 0, nan below."""
    return _of_order(v, x, yn, spherical_yn, _second_of)


def _of_order(v, x, whole, half, other):
    twice = v * 2 if isinstance(v, (int, float)) else 0.5
    if twice != twice // 1 or abs(twice) == _INF:
        return other(v, x)
    if twice % 2 == 0:
        result = whole(abs(int(v)), x)
        return -result if v < 0 and v % 2 else result
    if v < 0:
        return other(v, x)
    x, _ = _both(as_array(x), 1.0)
    result = half(int(v), x)
    return _where(_or(ops["isinf"](result), ops["equal"](result, 0)), result, result * ops["sqrt"](x * (2 / math.pi)))
