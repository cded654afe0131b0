"""Factorials and their quotients: coefficients, falling and rising factorials. Computed in float64."""
import math

from .. import _core
from .._arguments import as_array, ops
from .._core import Array
from .elementwise import _both
from .gammas import _LARGE, _beta, _factors, _is_whole, _low, _positive, _quotient, _sign, _sine, _slope, _sum_of_logs, _total, gamma, in_double

_where, _NAN = _core.where, float("nan")
_and, _or = ops["bitwise_and"], ops["bitwise_or"]


def factorial(n, /) -> Array:
    """Factorials as floats, exact up to 22!; 0 of negative numbers."""
    n = as_array(n)
    n = n if n.dtype.kind == "f" else _core.astype(n, _core.default_dtype())
    return _where(ops["less"](n, 0), 0.0, gamma(n + 1.0))


def _whole_binom(n, k):
    """Of whole numbers: the smaller of k and n - k, up to 30, as a product of quotients, whose parts are whole."""
    k = ops["minimum"](k, n - k)
    result, rest = _core.full((), 1, k.dtype), n - k
    for i in range(1, 31):
        by, whole = rest + float(i), ops["floor"](result / float(i))
        result = _where(ops["less_equal"](float(i), k), whole * by + (result - whole * float(i)) * by / float(i), result)
    return result, ops["less_equal"](k, 30.0)


def _moves(x, above, below):
    """0, whose derivative by ``x`` is the difference of digamma at two numbers."""
    from .._gradients import stop_gradient
    safe = [stop_gradient(_where(ops["greater"](v, 0), v, 1.0)) for v in (above, below)]
    return (ops["digamma"](safe[0]) - ops["digamma"](safe[1])) * (x - stop_gradient(x))


def _real_binom(n, k):
    """1 / ((n + 1) beta(n - k + 1, k + 1)), corrected by what is rounded off in the parameters."""
    d, d_off = _total(n, -k)
    a, a_off = _total(d, 1.0)
    b, b_off = _total(k, 1.0)
    good = _positive(a, b)
    x, y = _where(good, a, 1.0), _where(good, b, 1.0)
    of_sum = _slope(x + y)
    off = (a_off + d_off) * (_slope(x) - of_sum) + b_off * (_slope(y) - of_sum)
    result = (1.0 - off) / _beta(x, y, _where(good, n + 1.0, 1.0))
    turned = _positive(n + 1.0, -d)  # where k is above n + 1: gamma(n - k + 1) is that of k - n, reflected
    above = _beta(_where(turned, n + 1.0, 1.0), _where(turned, -d, 1.0)) * _sine(d, d_off) * (-1 / math.pi)
    other = 1.0 / ((n + 1.0) * ops["exp"](_sum_of_logs(a, b)) * _sign(a) * _sign(b) * _sign(a + b))
    return _where(good, result, _where(turned, above, other))


@in_double
def binom(n, k, /) -> Array:
    """Binomial coefficients of real numbers: exact below 2^53 of whole ones, else within 8 units in the last place where n + 1 > k > -1, and 32 where k is above that."""
    whole, outside = _and(_is_whole(n), _is_whole(k)), _or(ops["less"](k, 0), _and(_is_whole(n), ops["greater"](k, n)))
    product, short = _whole_binom(n, k)
    if _core.innermost() is not None:  # the product of whole numbers knows no others beside them
        from .._gradients import stop_gradient
        product = stop_gradient(product) * (1.0 + _moves(n, n + 1.0, n - k + 1.0) + _moves(k, n - k + 1.0, k + 1.0))
    result = _where(_and(whole, short), product, _real_binom(n, k))
    result = _where(_and(_is_whole(k), outside), 0.0, result)
    return _where(_and(_is_whole(n), ops["less"](n, 0)), _NAN, result)


def _counts(n, k, value):
    return _where(_and(ops["greater_equal"](k, 0), ops["less_equal"](k, n)), value, 0.0)


def comb(n, k, /) -> Array:
    """How many subsets of ``k`` of ``n`` there are, as a float: ``binom``; 0 where ``k`` is not in [0, ``n``]."""
    n, k = _both(n, k)
    return _counts(n, k, binom(n, k))


def perm(n, k, /) -> Array:
    """How many sequences of ``k`` different ones of ``n`` there are, as a float: ``poch(n - k + 1, k)``; 0 where ``k`` is not in [0, ``n``]."""
    n, k = _both(n, k)
    return _counts(n, k, poch(n - k + 1.0, k))


def _rising(x, n):
    """gamma(x + n) / gamma(x) of positive numbers."""
    s, error = _total(x, n)
    large = ops["greater"](x, _LARGE)
    r, power, off = _quotient(_where(large, x, _LARGE), n)
    half = ops["pow"](s, n * 0.5)
    far = half * (ops["exp"](-n) * ops["exp"](n * (error / s) - off) / ops["pow"](r, power)) * half
    p = _low(x, _LARGE)
    u, v, w = _factors(ops["minimum"](s, 400.0))
    near = _where(ops["less"](x, 1.0), x, 1.0) * (u / p) * v * w * (_slope(s) * error + 1.0)
    return _where(large, far, _where(ops["less"](s, 1.0), near / s, near))


def _small_product(x, n):
    """The product of the first 20 factors, which is exact of small whole numbers."""
    result = _where(ops["greater"](n, 0), x, 1.0)
    for i in range(1, 20):
        result = _where(ops["less"](float(i), n), result * (x + float(i)), result)
    return result


def _falling(x, n):
    """gamma(x + n) / gamma(x) for a negative n and positive x and x + n."""
    s, error = _total(x, n)
    s = _where(ops["greater"](s, 0), s, 1.0)
    return (1.0 + (_slope(s) - _slope(x)) * error) / _rising(s, ops["abs"](n))


def _other_poch(x, n):
    """Where x or x + n is not positive: through logarithms."""
    turned = _and(_and(_is_whole(x), _is_whole(n)), _and(ops["less_equal"](x, 0), ops["greater"](n, 0)))
    base = _where(turned, 1.0 - x - n, x)  # of the same factors from the other end
    result = ops["exp"](ops["lgamma"](base + n) - ops["lgamma"](base)) * _sign(base + n) * _sign(base)
    odd = ops["not_equal"](ops["remainder"](n, 2.0), 0)
    return _where(turned, _where(ops["less_equal"](base, 0), 0.0, _where(odd, -result, result)), result)


@in_double
def poch(x, n, /) -> Array:
    """Rising factorials gamma(x + n) / gamma(x): within 8 units in the last place where ``x`` and ``x + n`` are positive, else through their logarithms.

    Up to 20 whole factors are their product.
    """
    good = _positive(x, x + n)
    a = _where(good, x, 1.0)
    up = _rising(a, _where(_and(good, ops["greater"](n, 0)), n, 0.0))
    down = _falling(a, _where(_and(good, ops["less"](n, 0)), n, 0.0))
    result = _where(good, _where(ops["less"](n, 0), down, up), _other_poch(x, n))
    few = _and(_is_whole(n), _and(ops["greater_equal"](n, 0), ops["less_equal"](n, 20.0)))
    product = _small_product(x, n)
    if _core.innermost() is not None:
        from .._gradients import stop_gradient
        product = product * (1.0 + ops["digamma"](stop_gradient(_where(_positive(x, x + n), x + n, 1.0))) * (n - stop_gradient(n)))
    return _where(few, product, _where(_and(ops["equal"](x, 0), ops["greater"](n, 0)), 0.0, result))
