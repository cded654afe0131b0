"""The functions of kn.special."""
import math

from . import _core
from ._arguments import as_array, ops, rounded_once
from ._core import Array
from ._errors import make
from .composed.airys import airy
from .composed.any_order import jv, yv
from .composed.bessel import j0, j1, k0, k0e, k1, k1e, y0, y1
from .composed.elementwise import _both, exp10, pieces, sinc, xlog1py, xlogy
from .composed.elliptic import ellipeinc, ellipj, ellipkinc, elliprd, elliprf
from .composed.factorials import binom, comb, factorial, perm, poch
from .composed.fresnel import fresnel
from .composed.gammas import beta, betaln, gamma, in_double, rgamma
from .composed.incomplete import betainc, betaincc, gammainc, gammaincc
from .composed.integrals import (agm, bdtr, boxcox, chdtr, chdtrc, cosm1, ellipe, ellipk, ellipkm1, exp1, expi, exprel, fdtr, fdtrc, gdtr, inv_boxcox,
                                 pdtr, pdtrc, pseudo_huber, stdtr)
from .composed.inverses import betainccinv, betaincinv, chdtri, fdtri, gammainccinv, gammaincinv, stdtrit
from .composed.normal import erfcinv, erfcx, log_ndtr, ndtr, ndtri, ndtri_exp
from .composed.orders import (eval_chebyt, eval_chebyu, eval_hermite, eval_hermitenorm, eval_laguerre, eval_legendre, expn, iv, ive, jn, kn, kv, kve, lambertw,
                              spherical_in, spherical_jn, spherical_kn, spherical_yn, yn)
from .composed.special import sigmoid, softplus
from .composed import statistics
from .composed.statistics import logcumsumexp

erf, erfc, erfinv, gammaln, expm1, log1p, exp2, logaddexp, logaddexp2, cbrt = (ops[n] for n in (
    "erf", "erfc", "erfinv", "lgamma", "expm1", "log1p", "exp2", "logaddexp", "logaddexp2", "cbrt"))
loggamma, expit = gammaln, sigmoid
_where, _NAN, _INF = _core.where, float("nan"), float("inf")

__all__ = ["agm", "airy", "bdtr", "beta", "betainc", "betaincc", "betainccinv", "betaincinv", "betaln", "binom", "boxcox", "cbrt", "chdtr", "chdtrc",
           "chdtri", "comb", "cosm1", "digamma", "ellipe", "ellipeinc", "ellipj", "ellipk", "ellipkinc", "ellipkm1", "elliprd", "elliprf", "entr", "erf",
           "erfc", "erfcinv", "erfcx", "erfinv", "eval_chebyt", "eval_chebyu", "eval_hermite", "eval_hermitenorm", "eval_laguerre", "eval_legendre", "exp1",
           "exp10", "exp2", "expi", "expit", "expm1", "expn", "exprel", "factorial", "fdtr", "fdtrc", "fdtri", "fresnel", "gamma", "gammainc", "gammaincc",
           "gammainccinv", "gammaincinv", "gammaln", "gammasgn", "gdtr", "huber", "i0", "i0e", "i1", "i1e", "inv_boxcox", "iv", "ive", "j0", "j1", "jn", "jv",
           "k0", "k0e", "k1", "k1e", "kl_div", "kn", "kv", "kve", "lambertw", "log1p", "log_expit", "log_ndtr", "log_softmax", "logaddexp", "logaddexp2",
           "logcumsumexp", "loggamma", "logit", "logsumexp", "multigammaln", "ndtr", "ndtri", "ndtri_exp", "pdtr", "pdtrc", "perm", "poch", "polygamma",
           "pseudo_huber", "psi", "rel_entr", "rgamma", "sinc", "softmax", "softplus", "spherical_in", "spherical_jn", "spherical_kn", "spherical_yn",
           "stdtr", "stdtrit", "xlog1py", "xlogy", "y0", "y1", "yn", "yv", "zeta"]


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
    """The derivative of ``gammaln``, within 8 units in the last place of max(1, its size); nan at negative integers, and -inf or inf at zeros by their sign."""
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


@in_double
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


@in_double
def polygamma(n, x, /) -> Array:
    """Derivative of order ``n``, a whole number, of digamma, for positive ``x``: factorials times ``zeta``, within 24 units in the last place."""
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


_BESSEL_END = 30.0


def _bessel(x, order, scaled):
    """Power series up to 30, whose terms are positive, Hankel's asymptotic one from there on."""
    size = ops["abs"](x)
    y, z = pieces(size, _BESSEL_END)
    quarter, term = y * y * 0.25, _core.full((), 1.0, x.dtype) if order == 0 else y * 0.5
    series = term
    for k in range(1, 76):
        term = term * quarter / float(k * (k + order))
        series = series + term
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
