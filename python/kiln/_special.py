"""The functions of kn.special."""
import math

from . import _core
from ._arguments import as_array, ops, rounded_once
from ._core import Array
from ._errors import make
from .composed.bessel import j0, j1, k0, k0e, k1, k1e, y0, y1
from .composed.elementwise import _both, exp10, sinc, xlog1py, xlogy
from .composed.incomplete import betainc, gammainc, gammaincc
from .composed.integrals import (agm, bdtr, boxcox, chdtr, chdtrc, cosm1, ellipe, ellipk, ellipkm1, exp1, expi, exprel, fdtr, fdtrc, gdtr, inv_boxcox,
                                 pdtr, pdtrc, pseudo_huber, stdtr)
from .composed.special import sigmoid, softplus
from .composed import statistics
from .composed.statistics import logcumsumexp

erf, erfc, erfinv, gammaln, expm1, log1p, exp2, logaddexp, logaddexp2, cbrt = (ops[n] for n in (
    "erf", "erfc", "erfinv", "lgamma", "expm1", "log1p", "exp2", "logaddexp", "logaddexp2", "cbrt"))
loggamma, expit = gammaln, sigmoid
_where, _NAN, _INF = _core.where, float("nan"), float("inf")

__all__ = ["agm", "bdtr", "beta", "betainc", "betaln", "binom", "boxcox", "cbrt", "chdtr", "chdtrc", "comb", "cosm1", "digamma", "ellipe", "ellipk", "ellipkm1",
           "entr", "erf", "erfc", "erfcinv", "erfcx", "erfinv", "exp1", "exp10", "exp2", "expi", "expit", "expm1", "exprel", "factorial", "fdtr", "fdtrc",
           "gamma", "gammainc", "gammaincc", "gammaln", "gammasgn", "gdtr", "huber", "i0", "i0e", "i1", "i1e", "inv_boxcox", "j0", "j1", "k0", "k0e", "k1",
           "k1e", "kl_div", "log1p", "log_expit", "log_ndtr", "log_softmax", "logaddexp", "logaddexp2", "logcumsumexp", "loggamma", "logit", "logsumexp",
           "multigammaln", "ndtr", "ndtri", "pdtr", "pdtrc", "perm", "poch", "polygamma", "pseudo_huber", "psi", "rel_entr", "sinc", "softmax", "softplus",
           "stdtr", "xlog1py", "xlogy", "y0", "y1", "zeta"]


def logsumexp(a, axis=None, b=None, keepdims=False) -> Array:
    """Logarithm of the sum of exponentials over ``axis`` (all axes if None), of those times ``b``: ``kn.logsumexp`` with SciPy's parameters."""
    return statistics.logsumexp(a, axis, keepdims, b=b)


def softmax(x, axis=None) -> Array:
    """Exponentials over their sum along ``axis`` (all axes if None): ``kn.softmax`` with SciPy's parameters."""
    return statistics.softmax(x, axis)


def log_softmax(x, axis=None) -> Array:
    """Logarithm of ``softmax``, with its parameters."""
    return statistics.log_softmax(x, axis)


@rounded_once
def digamma(x, /) -> Array:
    """The derivative of ``gammaln``; nan at negative integers, and -inf or inf at zeros by their sign."""
    return _where(ops["equal"](x, 0), ops["copysign"](_core.full((), _INF, x.dtype), -x), ops["digamma"](x))


psi = digamma


@rounded_once
def gammasgn(x, /) -> Array:
    """Sign of the gamma function; nan at negative integers and -inf, and 1 or -1 at zeros by their sign."""
    whole = ops["floor"](x)
    odd = ops["not_equal"](ops["remainder"](whole, 2.0), 0)
    pole = ops["bitwise_and"](ops["equal"](x, whole), ops["less"](x, 0))
    result = _where(ops["bitwise_and"](ops["less"](x, 0), odd), -1.0, 1.0)
    return _where(pole, _NAN, _where(ops["equal"](x, 0), ops["copysign"](_core.full((), 1, x.dtype), x), result)) + _where(ops["equal"](x, _INF), 0.0, x * 0)


@rounded_once
def gamma(x, /) -> Array:
    """The gamma function, through its logarithm: within max(2, size of the logarithm) units in the last place, which are those of x = 20 at 40.

    Whole numbers up to 23 in float64 are exact to one unit, by their product.
    """
    by_log = ops["exp"](ops["lgamma"](x)) * gammasgn(x)
    product, y = _core.full((), 1, x.dtype), ops["maximum"](x, 1.0)
    for _ in range(22):
        above = ops["bitwise_and"](ops["greater"](y, 2.0), ops["less_equal"](x, 23.0))
        y = _where(above, y - 1.0, y)
        product = _where(above, product * y, product)
    inside = ops["bitwise_and"](ops["less_equal"](x, 23.0), ops["greater_equal"](x, 1.0))
    result = _where(inside, product * ops["exp"](ops["lgamma"](_where(inside, y, 1.0))), by_log)
    result = _where(ops["equal"](x, 0), ops["copysign"](_core.full((), _INF, x.dtype), x), result)
    return _where(ops["equal"](x, -_INF), _NAN, _where(ops["equal"](x, _INF), x, result))


def betaln(a, b, /) -> Array:
    """Logarithm of the size of the beta function: a sum of three of ``gammaln``, whose sizes bound its error."""
    a, b = _both(a, b)
    result = ops["lgamma"](a) + ops["lgamma"](b) - ops["lgamma"](a + b)
    far = ops["bitwise_and"](ops["equal"](ops["maximum"](a, b), _INF), ops["less"](ops["minimum"](a, b), _INF))
    result = _where(ops["bitwise_and"](far, ops["greater"](ops["minimum"](a, b), 0)), -_INF, result)
    return _where(_any_zero(a, b), _INF, result)


def _any_zero(a, b):
    return ops["bitwise_or"](ops["equal"](a, 0), ops["equal"](b, 0))


def beta(a, b, /) -> Array:
    """The beta function: the exponential of ``betaln`` with its sign, and its error."""
    a, b = _both(a, b)
    return _where(_any_zero(a, b), _INF, ops["exp"](betaln(a, b)) * gammasgn(a) * gammasgn(b) * gammasgn(a + b))


def binom(n, k, /) -> Array:
    """Binomial coefficients of real numbers: 1 / ((n + 1) beta(n - k + 1, k + 1))."""
    n, k = _both(n, k)
    outside = ops["bitwise_or"](ops["less"](k, 0), ops["bitwise_and"](_is_whole(n), ops["greater"](k, n)))
    result = _where(ops["bitwise_and"](_is_whole(k), outside), 0.0, 1.0 / ((n + 1.0) * beta(n - k + 1.0, k + 1.0)))
    return _where(ops["bitwise_and"](_is_whole(n), ops["less"](n, 0)), _NAN, result)


def _is_whole(x):
    return ops["equal"](x, ops["floor"](x))


def _counted(value, n, k):
    """``value`` as a whole number where both parameters are, below 2^52."""
    whole = ops["bitwise_and"](ops["bitwise_and"](_is_whole(n), _is_whole(k)), ops["less"](value, 2.0**52))
    return _where(whole, ops["round"](value), value)


def comb(n, k, /) -> Array:
    """How many subsets of ``k`` of ``n`` there are, as a float: ``binom``, of whole numbers rounded to one below 2^52; 0 where ``k`` is not in [0, ``n``]."""
    n, k = _both(n, k)
    value = _counted(binom(n, k), n, k)
    return _where(ops["bitwise_and"](ops["greater_equal"](k, 0), ops["less_equal"](k, n)), value, 0.0)


def perm(n, k, /) -> Array:
    """How many sequences of ``k`` different ones of ``n`` there are, as a float: ``poch(n - k + 1, k)``, rounded as ``comb``."""
    n, k = _both(n, k)
    value = _counted(poch(n - k + 1.0, k), n, k)
    return _where(ops["bitwise_and"](ops["greater_equal"](k, 0), ops["less_equal"](k, n)), value, 0.0)


def factorial(n, /) -> Array:
    """Factorials as floats; 0 of negative numbers."""
    n = as_array(n)
    n = n if n.dtype.kind == "f" else _core.astype(n, _core.default_dtype())
    return _where(ops["less"](n, 0), 0.0, gamma(n + 1.0))


def poch(x, n, /) -> Array:
    """Rising factorials gamma(x + n) / gamma(x), through their logarithms."""
    x, n = _both(x, n)
    turned = ops["bitwise_and"](ops["bitwise_and"](_is_whole(x), _is_whole(n)), ops["bitwise_and"](ops["less_equal"](x, 0), ops["greater"](n, 0)))
    base = _where(turned, 1.0 - x - n, x)  # of the same factors from the other end
    result = ops["exp"](ops["lgamma"](base + n) - ops["lgamma"](base)) * gammasgn(base + n) * gammasgn(base)
    odd = ops["not_equal"](ops["remainder"](n, 2.0), 0)
    result = _where(turned, _where(ops["less_equal"](base, 0), 0.0, _where(odd, -result, result)), result)
    return _where(ops["equal"](n, 0), 1.0, _where(ops["bitwise_and"](ops["equal"](x, 0), ops["greater"](n, 0)), 0.0, result))


@rounded_once
def multigammaln(a, d, /) -> Array:
    """Logarithm of the gamma function of ``d`` variables. Raises ValueError unless ``d`` is at least 1."""
    if d < 1:
        raise make("ValueError", f"multigammaln: d: expected at least 1, got {d}")
    total = ops["lgamma"](a) + d * (d - 1) * 0.25 * math.log(math.pi)
    for j in range(1, d):
        total = total + ops["lgamma"](a - j * 0.5)
    return total


# Bernoulli's numbers over factorials, of Euler and Maclaurin's sum.
_TAIL = (1 / 12, -1 / 720, 1 / 30240, -1 / 1209600, 1 / 47900160, -691 / 1307674368000, 1 / 74724249600, -3617 / 10670622842880000, 43867 / 5109094217170944000)


def zeta(x, q=1.0, /) -> Array:
    """Hurwitz' zeta function for ``x`` above 1 and positive ``q``: ten terms and Euler and Maclaurin's sum; 16 units in the last place.

    inf at ``x = 1``; nan below 1 and for negative ``q``.
    """
    x, q = _both(x, q)
    total, terms = _core.full((), 0, x.dtype), 10
    for i in range(terms):
        total = total + ops["pow"](q + float(i), -x)
    a = q + float(terms)
    power = ops["pow"](a, -x)
    total = total + (power * a / (x - 1.0) + power * 0.5)
    factor, step = x, power / a
    for k, c in enumerate(_TAIL):
        total = total + factor * step * c
        factor = factor * (x + float(2 * k + 1)) * (x + float(2 * k + 2))
        step = step / (a * a)
    total = _where(ops["equal"](x, 1), _INF, total)
    return _where(ops["bitwise_or"](ops["less"](x, 1), ops["less"](q, 0)), _NAN, _where(ops["equal"](q, 0), _INF, _where(ops["equal"](q, _INF), 0.0, total)))


def polygamma(n, x, /) -> Array:
    """Derivative of order ``n``, a whole number, of digamma, for positive ``x``: factorials times ``zeta``."""
    n, x = _both(n, x)
    sign = _where(ops["equal"](ops["remainder"](n, 2.0), 0), -1.0, 1.0)
    higher = sign * gamma(n + 1.0) * zeta(_where(ops["equal"](n, 0), 2.0, n + 1.0), x)
    return _where(ops["equal"](n, 0), ops["digamma"](x), higher)


@rounded_once
def logit(x, /) -> Array:
    """log(x / (1 - x)); infinite at 0 and 1, nan outside."""
    middle = ops["bitwise_and"](ops["greater"](x, 0.3), ops["less"](x, 0.65))
    return _where(middle, ops["atanh"](x * 2.0 - 1.0) * 2.0, ops["log"](x) - ops["log1p"](-x))


@rounded_once
def log_expit(x, /) -> Array:
    """Logarithm of the logistic function, exact in both tails."""
    return -softplus(-x)


@rounded_once
def entr(x, /) -> Array:
    """-x log(x); 0 at 0, -inf below."""
    return _where(ops["less"](x, 0), -_INF, -xlogy(x, x))


def rel_entr(x, y, /) -> Array:
    """x log(x / y); 0 where x is 0 and y is not negative, inf where one is negative or just y is 0."""
    x, y = _both(x, y)
    good = ops["bitwise_and"](ops["greater"](x, 0), ops["greater"](y, 0))
    a, b = _where(good, x, 1.0), _where(good, y, 1.0)
    near = ops["less"](ops["abs"](a - b), b * 0.25)
    value = a * _where(near, ops["log1p"]((a - b) / b), ops["log"](a / b))
    none = ops["bitwise_and"](ops["equal"](x, 0), ops["greater_equal"](y, 0))
    result = _where(good, value, _where(none, 0.0, _INF))
    return _where(ops["bitwise_or"](ops["isnan"](x), ops["isnan"](y)), _NAN, result)


def kl_div(x, y, /) -> Array:
    """``rel_entr`` less x plus y: within the rounding of those."""
    x, y = _both(x, y)
    result = rel_entr(x, y)
    none = ops["bitwise_and"](ops["equal"](result, _INF), ops["less_equal"](ops["minimum"](x, y), 0))
    return _where(none, result, result - x + y)


def huber(delta, r, /) -> Array:
    """r^2 / 2 up to ``delta``, from there on a line; inf for a negative ``delta``."""
    delta, r = _both(delta, r)
    size = ops["abs"](r)
    inside = ops["less_equal"](size, delta)
    return _where(ops["less"](delta, 0), _INF, _where(inside, r * r * 0.5, delta * (size - delta * 0.5)))


@rounded_once
def ndtr(x, /) -> Array:
    """The distribution function of the normal distribution: erfc(-x / sqrt(2)) / 2, within 4 + x^2 units in the last place below 0."""
    return ops["erfc"](x * -math.sqrt(0.5)) * 0.5


@rounded_once
def erfcx(x, /) -> Array:
    """exp(x^2) erfc(x): by a continued fraction from 10 on, below by the product, within 4 + 2 x^2 units in the last place."""
    usual = ops["exp"](x * x) * ops["erfc"](x)
    z = ops["maximum"](x, 10.0)
    tail = z
    for k in range(12, 0, -1):
        tail = z + (k * 0.5) / tail
    return _where(ops["greater"](x, 10.0), 1.0 / (tail * math.sqrt(math.pi)), usual)


@rounded_once
def log_ndtr(x, /) -> Array:
    """Logarithm of ``ndtr``, also where that is 0."""
    low = ops["minimum"](x, -1.0)
    tail = ops["log"](erfcx(low * -math.sqrt(0.5)) * 0.5) - low * low * 0.5
    usual = ops["log1p"](ops["erfc"](ops["maximum"](x, -1.0) * math.sqrt(0.5)) * -0.5)
    return _where(ops["less"](x, -1.0), tail, usual)


@rounded_once
def ndtri(x, /) -> Array:
    """Inverse of ``ndtr``: erfinv(2 x - 1) sqrt(2), with a step of Newton's method in the lower tail; infinite at 0 and 1, nan outside."""
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


@rounded_once
def erfcinv(x, /) -> Array:
    """Inverse of erfc; infinite at 0 and 2, nan outside."""
    return ndtri(x * 0.5) * -math.sqrt(0.5)


_BESSEL_END = 30.0


def _bessel(x, order, scaled):
    """Power series up to 30, whose terms are positive, Hankel's asymptotic one from there on."""
    size = ops["abs"](x)
    y = ops["minimum"](size, _BESSEL_END)
    quarter, term = y * y * 0.25, _core.full((), 1.0, x.dtype) if order == 0 else y * 0.5
    series = term
    for k in range(1, 76):
        term = term * quarter / float(k * (k + order))
        series = series + term
    z = ops["maximum"](size, _BESSEL_END)
    tail, factor = _core.full((), 1.0, x.dtype), _core.full((), 1.0, x.dtype)
    for k in range(1, 30):
        factor = factor * ((2 * k - 1) ** 2 - 4 * order * order) / (8.0 * k * z)
        tail = tail + _where(ops["less"](ops["abs"](factor), 1.0), factor, 0.0)
    tail = tail / ops["sqrt"](z * (2 * math.pi))
    if scaled:
        result = _where(ops["less"](size, _BESSEL_END), series * ops["exp"](-y), tail)
    else:
        half = ops["exp"](z * 0.5)
        result = _where(ops["less"](size, _BESSEL_END), series, tail * half * half)
    return result if order == 0 else ops["copysign"](result, x)


@rounded_once
def i0(x, /) -> Array:
    """The modified Bessel function of order 0, within 16 units in the last place."""
    return _bessel(x, 0, False)


@rounded_once
def i1(x, /) -> Array:
    """The modified Bessel function of order 1, as ``i0``."""
    return _bessel(x, 1, False)


@rounded_once
def i0e(x, /) -> Array:
    """``i0`` times exp(-|x|)."""
    return _bessel(x, 0, True)


@rounded_once
def i1e(x, /) -> Array:
    """``i1`` times exp(-|x|)."""
    return _bessel(x, 1, True)
