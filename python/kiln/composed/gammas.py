"""The gamma function and what is made of its quotients: products and a polynomial below 23, Stirling's series beyond. Computed in float64."""
import functools
import math

from .. import _core
from .._arguments import as_array, ops
from .._core import Array
from .._dtypes import BY_NAME
from .._fused import fused
from .elementwise import _both, pieces

_where, _INF, _NAN = _core.where, float("inf"), float("nan")
_float64 = BY_NAME["float64"]
_and, _or = ops["bitwise_and"], ops["bitwise_or"]
_END = 23.0  # of the products: factorials up to there are exact
_LARGE = 10.0  # from where on quotients take Stirling's series

# 1 / gamma(1 + t) less 1, over t (1 - t), in t - 1/2 over [0, 1]: interpolated at Chebyshev's nodes with 60 digits, the lowest power first.
_UNIT = (0.5135166683820503, -0.1646981057811324, -0.052551068573979211, 0.041615681051207814, -0.006336833304923994, -0.002157953269256171, 0.0011042580831499756,
         -0.00014888730818078799, -2.5888626729110731e-5, 1.3881269473509407e-5, -2.1341211068273185e-6, -6.228452541668831e-8, 9.0127686875803305e-8,
         -1.6796002705931018e-8)
_STIRLING = (1 / 12, -1 / 360, 1 / 1260, -1 / 1680, 1 / 1188, -691 / 360360, 1 / 156, -3617 / 122400)


def in_double(function):
    """A function of floats that computes narrower ones in float64, and rounds its result once."""
    @functools.wraps(function)
    def call(*args):
        dtype = None
        if len(args) == 1:
            args = (as_array(args[0]),)
            dtype = args[0].dtype if args[0].dtype.kind == "f" else _core.default_dtype()
        else:
            dtype = _both(_both(*args[:2])[0], args[-1])[0].dtype
            args = [_core.full((), a, _float64) if isinstance(a, (int, float)) else as_array(a) for a in args]  # numbers as they are
        result = function(*(_core.astype(a, _float64) for a in args))
        return result if dtype is _float64 else _core.astype(result, dtype)
    return fused(call)


def _sum(t, coefficients):
    total = coefficients[-1]
    for c in coefficients[-2::-1]:
        total = total * t + c
    return total


def _rest(x):
    """The logarithm of gamma(x) less that of Stirling's formula, from 10 on."""
    v = 1.0 / x
    return _sum(v * v, _STIRLING) * v


def _low(a, most):
    """gamma(a) for ``a`` from 1 to ``most``, and gamma(a) times a below 1."""
    y = _where(ops["less_equal"](a, most), a, most)
    t = y - ops["floor"](y)
    product = 1.0 / (t * (1.0 - t) * _sum(t - 0.5, _UNIT) + 1.0)
    for k in range(1, int(most)):
        factor = y - float(k)
        product = product * _where(ops["greater_equal"](factor, 1.0), factor, 1.0)
    return product


def _factors(a):
    """p, w and q, whose product in this order is gamma(a) times a below 1, and gamma(a) from 1 on: no part leaves the range before the whole does."""
    large = pieces(a, _END)[1]
    half = ops["pow"](large, large * 0.5 - 0.25)
    middle = ops["exp"](-large) * math.sqrt(2 * math.pi) * ops["exp"](_rest(large))
    small = ops["less"](a, _END)
    return _where(small, _low(a, _END), half), _where(small, 1.0, middle), _where(small, 1.0, half)


def _is_whole(x):
    return ops["equal"](x, ops["floor"](x))


def _sine(x, rest=0.0):
    """sin(pi (x + rest)) by the exact distance to the next whole number."""
    whole = ops["round"](x)
    s = ops["sin"](((x - whole) + rest) * math.pi)
    return _where(ops["equal"](ops["remainder"](whole, 2.0), 0), s, -s)


def _finite(x):
    return _where(ops["isfinite"](x), x, 1.0)


def _gamma(x):
    a = ops["minimum"](ops["abs"](_finite(x)), 400.0)
    p, w, q = _factors(a)
    low = ops["less"](a, 1.0)
    above = p * w * q
    above = _where(low, above / a, above)
    size = _where(low, 1.0, a)  # gamma(1 + a) is that times the factors
    below = math.pi / _sine(_finite(x)) / size / p / w / q
    result = _where(ops["less"](x, 0), _where(_is_whole(x), _NAN, below), above)
    result = _where(ops["equal"](x, 0), ops["copysign"](_core.full((), _INF, x.dtype), x), result)
    return _where(ops["equal"](x, -_INF), _NAN, _where(ops["isfinite"](x), result, x))


@in_double
def gamma(x, /) -> Array:
    """The gamma function, within 8 units in the last place; nan at negative integers, inf or -inf at zeros by their sign. Factorials are exact up to 22!."""
    return _gamma(x)


@in_double
def rgamma(x, /) -> Array:
    """One over the gamma function, within 8 units in the last place, also where that is infinite: 0 there."""
    a = ops["minimum"](ops["abs"](_finite(x)), 400.0)
    p, w, q = _factors(a)
    low = ops["less"](a, 1.0)
    above = _where(low, a, 1.0) / p / w / q
    below = _sine(_finite(x)) / math.pi * p * w * _where(low, 1.0, a) * q
    result = _where(ops["less"](x, 0), _where(_is_whole(x), 0.0, below), above)
    return _where(ops["equal"](x, _INF), 0.0, _where(ops["equal"](x, -_INF), _NAN, _where(ops["isnan"](x), x, result)))


def _product(x, y):
    """The rounded product, and what was rounded off (T. Dekker, 1971)."""
    def halves(v):
        t = v * 134217729.0
        high = t - (t - v)
        return high, v - high
    (a, b), (c, d) = halves(x), halves(y)
    p = x * y
    return p, ((a * c - p) + a * d + b * c) + b * d


def _total(x, y):
    """The rounded sum, and what was rounded off (D. Knuth, 1969)."""
    s = x + y
    z = s - x
    return s, (x - (s - z)) + (y - z)


def _share(x, s, error):
    """x / (s + error), rounded, and what that is off by, relative to it."""
    r = x / s
    p, low = _product(r, s)
    return r, ((x - p) - low - r * error) / x


def _slope(s):
    """Digamma within a few percent: what an error of an argument is to the logarithm of gamma."""
    return ops["log"](s + 1.0) - 0.5 / (s + 1.0) - 1.0 / s


def _quotient(a, b):
    """The factors r^(a - 1/2), without the error of r, and its correction as an exponent: of gamma(a) / gamma(a + b) for ``a`` of at least 10."""
    most = 1e20  # from where on the power is exp(-b)
    a, b = ops["minimum"](a, most), ops["minimum"](b, most)
    s, error = _total(a, b)
    r, off = _share(a, s, error)
    return r, a - 0.5, off * (a - 0.5) + (_rest(a) - _rest(s))


def _beta(a, b, times=None):
    """Of positive numbers; times a number, where the product may be in the range and beta is not."""
    a, b = ops["maximum"](a, b), ops["minimum"](a, b)
    s, error = _total(a, b)
    large, both = ops["greater"](a, _LARGE), ops["greater"](b, _LARGE)
    r, power, off = _quotient(_where(large, a, _LARGE), b)
    y = _where(both, b, _LARGE)
    share, share_off = _share(y, _where(both, s, 2 * _LARGE), _where(both, error, 0.0))
    base, exponent = _where(both, share, s), _where(both, b, -b)
    off = off + _where(both, share_off * b + _rest(y), -(error / s) * b)
    of_b = _low(b, _LARGE)
    first = _where(both, ops["sqrt"]((2 * math.pi) / y), of_b * ops["exp"](_where(both, _LARGE, b)))
    if times is None:
        middle = first * ops["pow"](base, exponent)
    else:
        half = ops["pow"](base, exponent * 0.5)
        middle = first * half * times * half
    far = middle * ops["pow"](r, power) * ops["exp"](ops["minimum"](ops["maximum"](off, -800.0), 700.0))
    far = _where(ops["less"](b, 1.0), far / b, far)
    near = (of_b * _low(a, _LARGE)) / _low(s, 2 * _LARGE) * (1.0 - _slope(s) * error)
    scale = _where(ops["less"](s, 1.0), s / a / b, _where(ops["less"](a, 1.0), 1.0 / a / b, _where(ops["less"](b, 1.0), 1.0 / b, 1.0)))
    return _where(large, far, near * (scale if times is None else scale * times))


def _positive(a, b):
    return _and(ops["greater"](ops["minimum"](a, b), 0), ops["less"](ops["maximum"](a, b), _INF))


def _sign(x):
    """That of gamma(x), 1 above 0."""
    odd = ops["not_equal"](ops["remainder"](ops["floor"](x), 2.0), 0)
    return _where(_and(ops["less"](x, 0), odd), -1.0, 1.0)


def _any_zero(a, b):
    return _or(ops["equal"](a, 0), ops["equal"](b, 0))


def _sum_of_logs(a, b):
    """For parameters below 0, infinite or nan."""
    result = ops["lgamma"](a) + ops["lgamma"](b) - ops["lgamma"](a + b)
    least, most = ops["minimum"](a, b), ops["maximum"](a, b)
    far = _and(ops["equal"](most, _INF), _and(ops["less"](least, _INF), ops["greater"](least, 0)))
    return _where(_any_zero(a, b), _INF, _where(far, -_INF, result))


def _log_of_beta(a, b):
    """Of positive numbers."""
    value = _beta(a, b)
    a, b = ops["maximum"](a, b), ops["minimum"](a, b)
    s = a + b
    y = ops["maximum"](b, _LARGE)
    x = ops["maximum"](a, y)
    far = (ops["log"]((2 * math.pi) / y) * 0.5 + y * ops["log"](y / (x + y)) + (x - 0.5) * ops["log1p"](-(y / (x + y)))) + (_rest(x) + _rest(y) - _rest(x + y))
    huge = ops["lgamma"](b) - b * ops["log"](a)
    tiny = ops["log"](s / a) - ops["log"](b)
    near = _where(ops["less"](b, 1e-290), tiny, _where(ops["greater"](value, 1e-290), ops["log"](_where(ops["greater"](value, 0), value, 1.0)), huge))
    return _where(ops["greater"](b, _LARGE), far, near)


@in_double
def betaln(a, b, /) -> Array:
    """Logarithm of the size of the beta function: of positive numbers within 8 units in the last place of max(1, its size), of others a sum of three of ``gammaln``."""
    good = _positive(a, b)
    return _where(good, _log_of_beta(_where(good, a, 1.0), _where(good, b, 1.0)), _sum_of_logs(a, b))


@in_double
def beta(a, b, /) -> Array:
    """The beta function: of positive numbers within 8 units in the last place (32 beside one above 1e14), of others through the logarithms of three gamma functions."""
    good = _positive(a, b)
    other = _where(_any_zero(a, b), _INF, ops["exp"](_sum_of_logs(a, b)) * _sign(a) * _sign(b) * _sign(a + b))
    return _where(good, _beta(_where(good, a, 1.0), _where(good, b, 1.0)), _where(_pole(a, b), _NAN, other))


def _pole(a, b):
    """Where a parameter is a negative integer, at which gamma has no sign."""
    return _or(_and(ops["less"](a, 0), _is_whole(a)), _and(ops["less"](b, 0), _is_whole(b)))
