"""Inverses of the incomplete gamma and beta functions, and of distributions by way of them: Newton's method on the logarithm of the smaller tail, which is
concave in the logarithm of x and of x / (1 - x), so that it converges from anywhere. Computed in float64."""
import math

from .. import _core
from .._arguments import as_array, ops
from .._core import Array
from .elementwise import _both
from .gammas import in_double
from .incomplete import _beta_density, _both_sides, _density, _parts
from .normal import ndtri

_where, _INF, _NAN = _core.where, float("inf"), float("nan")
_and, _or = ops["bitwise_and"], ops["bitwise_or"]
_ROUNDS = 16
_LEAST = 2.3e-308


def _settled(step, start):
    """What ``step`` leaves of ``start`` after some rounds and one more, which alone has a derivative: that of the implicit function."""
    from .._control import fori_loop
    from .._gradients import stop_gradient
    start = stop_gradient(start)
    found = fori_loop(0, _ROUNDS, lambda _, x: stop_gradient(step(x)), start)
    return step(stop_gradient(found))


def _change(tail, slope, target, lower):
    """How much further to the right the logarithm of a tail is ``target``; ``slope`` is that of the distribution function."""
    ratio = tail / ops["maximum"](slope, _LEAST)
    change = (target - ops["log"](ops["maximum"](tail, _LEAST))) * _where(lower, ratio, -ratio)
    change = _where(ops["less_equal"](tail, _LEAST), _where(lower, 1.0, -1.0), change)
    return ops["minimum"](ops["maximum"](change, -3.0), 3.0)


def _inverse_gamma(a, p, q):
    """Where the incomplete gamma functions are ``p`` and ``q``, of which the smaller one is exact."""
    lower = ops["less_equal"](p, q)
    target = ops["log"](_where(lower, p, q))
    z = _where(lower, ndtri(_where(lower, p, 0.5)), -ndtri(_where(lower, 0.5, q)))
    w = 1.0 - 1.0 / (a * 9.0) + z / (ops["sqrt"](a) * 3.0)
    least = ops["exp"](ops["maximum"]((ops["log"](ops["maximum"](p, _LEAST)) + ops["lgamma"](a + 1.0)) / a, -700.0))  # of x: exp(-t) < 1 in the integral
    start = _where(_and(ops["greater"](a, 1.0), ops["greater"](w, 0.3)), a * w * w * w, _where(_or(lower, ops["less"](least, 0.5)), least, ops["maximum"](least, -target)))

    def step(x):
        below, above = _parts(a, x)
        density = _density(a, x)
        slope = _where(ops["less"](a, 1.0), density * a, density)
        change = _change(_where(lower, below, above), slope, target, lower)
        return ops["maximum"](_where(ops["less"](ops["abs"](change), 1e-3), x + x * change, x * ops["exp"](change)), 1e-305)

    result = _settled(step, start)
    return _where(ops["less"](result, 1e-304), 0.0, result)


def _of_gamma(a, p, q, zero, end):
    good = _and(_and(ops["greater"](a, 0), ops["less"](a, _INF)), _and(ops["greater"](p, 0), ops["greater"](q, 0)))
    result = _inverse_gamma(_where(good, a, 1.0), _where(good, p, 0.5), _where(good, q, 0.5))
    result = _where(good, result, _where(ops["equal"](zero, 0), 0.0, _where(ops["equal"](end, 0), _INF, _NAN)))
    wrong = _or(_or(ops["less_equal"](a, 0), ops["equal"](a, _INF)), _or(ops["less"](p, 0), ops["less"](q, 0)))
    return _where(_or(wrong, ops["isnan"](a + p)), _NAN, result)


@in_double
def gammaincinv(a, y, /) -> Array:
    """The x at which ``gammainc(a, x)`` is ``y``: 0 at 0 and inf at 1, nan outside of [0, 1] and unless ``a`` is positive.

    As exact as ``gammainc`` is there: within its error times what the logarithm of x changes with that of the smaller of ``y`` and 1 - ``y``.
    """
    return _of_gamma(a, y, 1.0 - y, y, 1.0 - y)


@in_double
def gammainccinv(a, y, /) -> Array:
    """The x at which ``gammaincc(a, x)`` is ``y``, as ``gammaincinv``; small ``y`` keep their relative accuracy."""
    return _of_gamma(a, 1.0 - y, y, 1.0 - y, y)


def _normal_start(a, b, p, q, lower):
    """Of x / (1 - x), for parameters from 1 on: M. Abramowitz and I. Stegun, 26.5.22."""
    z = _where(lower, -ndtri(_where(lower, p, 0.5)), ndtri(_where(lower, 0.5, q)))
    u, v = 1.0 / (a * 2.0 - 1.0), 1.0 / (b * 2.0 - 1.0)
    r, h = (z * z - 3.0) / 6.0, 2.0 / (u + v)
    w = z * ops["sqrt"](ops["maximum"](h + r, 0.0)) / h - (v - u) * (r + 5 / 6 - 2.0 / (h * 3.0))
    return a / b * ops["exp"](ops["minimum"](ops["maximum"](w, -300.0), 300.0) * -2.0)


def _inverse_beta(a, b, p, q):
    """Where the incomplete beta functions are ``p`` and ``q``, of which the smaller one is exact: x and 1 - x, small ones of both exact."""
    lower = ops["less_equal"](p, q)
    target = ops["log"](_where(lower, p, q))
    large = _and(ops["greater"](a, 1.0), ops["greater"](b, 1.0))
    normal = _normal_start(_where(large, a, 2.0), _where(large, b, 2.0), p, q, lower)
    beta = ops["exp"](ops["lgamma"](a) + ops["lgamma"](b) - ops["lgamma"](a + b))
    left = ops["exp"](ops["minimum"](ops["maximum"](ops["log"](ops["maximum"](p * a * beta, _LEAST)) / a, -690.0), 0.0))
    right = ops["exp"](ops["minimum"](ops["maximum"](ops["log"](ops["maximum"](q * b * beta, _LEAST)) / b, -690.0), 0.0))
    small = _or(ops["less"](left * (b + 1.0), 0.1), ops["less"](right * (a + 1.0), 0.1))
    edge = _where(ops["less"](left, right), left, 1.0 / right)
    start = _where(_and(large, ops["bitwise_invert"](small)), normal, edge)  # x / (1 - x)

    def step(odds):
        x, y = odds / (odds + 1.0), 1.0 / (odds + 1.0)
        swaps = ops["greater"](odds, 1.0)
        below, above = _both_sides(_where(swaps, b, a), _where(swaps, a, b), _where(swaps, y, x))
        below, above = _where(swaps, above, below), _where(swaps, below, above)
        slope = _beta_density(a, b, x, 0.0, y, 0.0)
        change = _change(_where(lower, below, above), slope, target, lower)
        moved = _where(ops["less"](ops["abs"](change), 1e-3), odds + odds * change, odds * ops["exp"](change))
        return ops["minimum"](ops["maximum"](moved, 1e-305), 1e305)

    odds = _settled(step, start)
    return _where(ops["less"](odds, 1e-304), 0.0, odds / (odds + 1.0)), _where(ops["greater"](odds, 1e304), 0.0, 1.0 / (odds + 1.0))


def _of_beta(a, b, p, q, which):
    good = _and(_and(ops["greater"](ops["minimum"](a, b), 0), ops["less"](ops["maximum"](a, b), _INF)), _and(ops["greater"](p, 0), ops["greater"](q, 0)))
    x = _inverse_beta(_where(good, a, 1.0), _where(good, b, 1.0), _where(good, p, 0.5), _where(good, q, 0.5))[which]
    zero, one = (1.0, 0.0) if which else (0.0, 1.0)
    result = _where(good, x, _where(ops["equal"](p, 0), zero, _where(ops["equal"](q, 0), one, _NAN)))
    wrong = _or(ops["less_equal"](ops["minimum"](a, b), 0), ops["equal"](ops["maximum"](a, b), _INF))
    return _where(_or(_or(wrong, ops["isnan"](a + b + p)), ops["less"](ops["minimum"](p, q), 0)), _NAN, result)


@in_double
def betaincinv(a, b, y, /) -> Array:
    """The x at which ``betainc(a, b, x)`` is ``y``, as exact as that is there; nan for ``y`` outside of [0, 1] and unless ``a`` and ``b`` are positive."""
    return _of_beta(a, b, y, 1.0 - y, 0)


@in_double
def betainccinv(a, b, y, /) -> Array:
    """The x at which ``betaincc(a, b, x)`` is ``y``, as ``betaincinv``."""
    return _of_beta(a, b, 1.0 - y, y, 0)


def chdtri(v, p, /) -> Array:
    """The x at which ``chdtrc(v, x)`` is ``p``, as exact as ``gammainccinv``."""
    v, p = _both(v, p)
    return gammainccinv(v * 0.5, p) * 2.0


@in_double
def _odds(a, b, p):
    """x / (1 - x) where ``betainc(a, b, x)`` is ``p``."""
    return _of_beta(a, b, p, 1.0 - p, 0) / _of_beta(a, b, p, 1.0 - p, 1)


def fdtri(dfn, dfd, p, /) -> Array:
    """The x at which ``fdtr(dfn, dfd, x)`` is ``p``, as exact as ``betaincinv``."""
    dfn, dfd = _both(dfn, dfd)
    dfn, p = _both(dfn, p)
    return _odds(dfn * 0.5, dfd * 0.5, p) * (dfd / dfn)


@in_double
def stdtrit(df, p, /) -> Array:
    """The t at which ``stdtr(df, t)`` is ``p``: infinite at 0 and 1, nan outside and unless ``df`` is positive; ``ndtri`` where that is infinite.

    As exact as ``betaincinv``; what is beyond 1e152 sqrt(df) is infinite.
    """
    tail = ops["minimum"](p, 1.0 - p)
    good = _and(_and(ops["greater"](df, 0), ops["less"](df, _INF)), _and(ops["greater"](tail, 0), ops["less"](tail, 0.5)))
    v, tail = _where(good, df, 1.0), _where(good, tail, 0.25)
    x, y = _inverse_beta(v * 0.5, _core.full((), 0.5, df.dtype), tail * 2.0, 1.0 - tail * 2.0)
    t = ops["copysign"](ops["sqrt"](v * (y / x)), p - 0.5)
    edge = _where(ops["equal"](p, 0.5), 0.0, _where(ops["equal"](p, 0), -_INF, _where(ops["equal"](p, 1), _INF, _NAN)))
    return _where(good, t, _where(ops["equal"](df, _INF), ndtri(p), _where(ops["greater"](df, 0), edge, _NAN)))
