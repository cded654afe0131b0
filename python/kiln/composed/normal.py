"""Functions of the normal distribution. Computed in float64."""
import math

from .. import _core
from .._arguments import ops
from .._core import Array
from .elementwise import pieces
from .gammas import _product, _sum, in_double

_where, _INF = _core.where, float("inf")

# (1 + 2 a) erfcx(a) in (a - 4) / (a + 4), from 1/2 to 28, as in the operation erfc (dialects/kiln/math/Special.h).
_SCALED = (1.2329951186255526, -0.1396211168405629, 0.01537965210262074, 0.06809705425473732, -0.10103906603635213, 0.09373283499679412, -0.06633036581152939,
           0.03716751556249286, -0.016197734059115006, 0.005031969755895426, -0.00075777334141333, -0.00019925550755614952, 0.000150622243948303,
           -2.4403169244974074e-05, -1.1224789135154701e-05, 5.7178872846321855e-06, 3.0135049944875397e-07, -8.351619688696847e-07, 6.270727157198311e-08,
           1.1534943745754157e-07, -7.71541861441783e-09, -1.3670989863347383e-08, -1.8206098680308682e-09)
_ROOT, _ROOT_REST = 0.7071067811865476, -4.833646656726457e-17  # of one half


def scaled_erfc(a):
    """exp(a^2) erfc(a) for a of at least 0."""
    low, high = pieces(a, 0.5)
    high, z = pieces(high, 28.0)
    middle = _sum((high - 4.0) / (high + 4.0), _SCALED) / (high * 2.0 + 1.0)
    v = 1.0 / (z * z)
    far = (1.0 - v * 0.5 * (1.0 - v * 1.5 * (1.0 - v * 2.5 * (1.0 - v * 3.5 * (1.0 - v * 4.5))))) / z * (1 / math.sqrt(math.pi))
    near = ops["exp"](low * low) * ops["erfc"](low)
    return _where(ops["less"](a, 0.5), near, _where(ops["less"](a, 28.0), middle, far))


@in_double
def erfcx(x, /) -> Array:
    """exp(x^2) erfc(x), within 8 units in the last place; inf below -26.7."""
    low = ops["maximum"](ops["minimum"](x, 0.0), -27.0)
    square, rest = _product(low, low)
    below = ops["exp"](square) * ops["erfc"](low)
    below = below + below * rest
    return _where(ops["less"](x, 0), _where(ops["less"](x, -26.7), _INF, below), scaled_erfc(x))


def _below(x):
    """The distribution function: erfc of -x / sqrt(2), and what that is rounded by times its derivative."""
    y = ops["minimum"](ops["maximum"](x, -40.0), 40.0)
    z, low = _product(y, _core.full((), -_ROOT, x.dtype))
    low = low - y * _ROOT_REST
    value = ops["erfc"](z) * 0.5
    slope = (2 / math.sqrt(math.pi)) / scaled_erfc(ops["maximum"](z, 0.0))
    return _where(ops["isnan"](x), x, value - value * _where(ops["greater"](z, 0), low * slope, 0.0))


@in_double
def ndtr(x, /) -> Array:
    """The distribution function of the normal distribution, within 8 units in the last place."""
    return _below(x)


@in_double
def log_ndtr(x, /) -> Array:
    """Logarithm of ``ndtr``, also where that is 0: within 8 units in the last place."""
    low, high = pieces(x, -1.0)
    tail = ops["log"](scaled_erfc(low * -_ROOT) * 0.5) - low * low * 0.5
    return _where(ops["less"](x, -1.0), tail, ops["log1p"](-_below(-high)))


@in_double
def ndtri(x, /) -> Array:
    """Inverse of ``ndtr``: erfinv(2 x - 1) sqrt(2), with steps of Newton's method in the lower tail; infinite at 0 and 1, nan outside."""
    start = ops["erfinv"](x * 2.0 - 1.0) * math.sqrt(2)
    low = ops["bitwise_and"](ops["less"](x, 0.1), ops["greater"](x, 0))
    return _where(low, _lower_tail(ops["log"](_where(low, x, 0.05))), start)


def _lower_tail(p):
    """Where the logarithm of ``ndtr`` is ``p``, at most log(0.1)."""
    t = ops["sqrt"](p * -2.0)
    y = -(t - (2.30753 + t * 0.27061) / (1.0 + t * 0.99229 + t * t * 0.04481))
    for _ in range(4):  # on the logarithm, which is nearly a parabola there
        value = log_ndtr(y)
        slope = ops["exp"](y * y * -0.5 - value) * (1 / math.sqrt(2 * math.pi))
        y = y - (value - p) / slope
    return y


def ndtri_of_log(p):
    """Inverse of ``log_ndtr``."""
    low = ops["less"](p, math.log(0.1))
    return _where(low, _lower_tail(ops["minimum"](p, math.log(0.1))), ops["erfinv"](ops["exp"](p) * 2.0 - 1.0) * math.sqrt(2))


@in_double
def ndtri_exp(p, /) -> Array:
    """Inverse of ``log_ndtr``; infinite at 0 and -inf, nan above 0."""
    inside = ops["bitwise_and"](ops["less"](p, 0), ops["greater"](p, -_INF))
    result = ndtri_of_log(_where(inside, p, -1.0))
    return _where(inside, result, _where(ops["equal"](p, 0), _INF, _where(ops["less"](p, 0), -_INF, float("nan"))))


@in_double
def erfcinv(x, /) -> Array:
    """Inverse of erfc; infinite at 0 and 2, nan outside."""
    return ndtri(x * 0.5) * -_ROOT
