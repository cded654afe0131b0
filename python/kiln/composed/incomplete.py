"""Incomplete gamma and beta functions: series and continued fractions of a fixed length (W. Press and others, "Numerical recipes", chapter 6)."""
from .. import _core
from .._arguments import ops
from .._core import Array
from .elementwise import _both

_where, _INF, _NAN = _core.where, float("inf"), float("nan")
_TERMS = 160


def _parts(a, x):
    """P by its series where x is below a + 1, Q by its fraction elsewhere; and where that is."""
    below = ops["less"](x, a + 1.0)
    safe = _where(ops["bitwise_and"](ops["greater"](a, 0), ops["less"](a, _INF)), a, 1.0)
    near, far = ops["minimum"](ops["maximum"](x, 0.0), safe + 1.0), ops["minimum"](ops["maximum"](x, safe + 1.0), 1e300)
    term = 1.0 / safe
    total = term
    for n in range(1, _TERMS):
        term = term * near / (safe + float(n))
        total = total + term
    b = far + 1.0 - safe
    d = 1.0 / b
    c, h = b + _INF, d
    for i in range(1, _TERMS):
        step = (safe - float(i)) * float(i)
        b = b + 2.0
        d, c = 1.0 / (step * d + b), b + step / c
        h = h * (d * c)

    def scale(v):
        return ops["exp"](safe * ops["log"](v) - v - ops["lgamma"](safe))

    return total * scale(near), h * scale(far), below


def _edges(a, x, result, at_zero, at_end):
    result = _where(ops["bitwise_and"](ops["equal"](a, _INF), ops["less"](x, _INF)), at_zero, result)
    result = _where(ops["equal"](x, 0), at_zero, _where(ops["equal"](x, _INF), at_end, result))
    result = _where(ops["bitwise_and"](ops["equal"](a, 0), ops["greater"](x, 0)), at_end, result)
    wrong = ops["bitwise_or"](ops["less"](a, 0), ops["less"](x, 0))
    none = ops["bitwise_or"](ops["bitwise_and"](ops["equal"](a, 0), ops["equal"](x, 0)), ops["equal"](ops["minimum"](a, x), _INF))
    return _where(ops["bitwise_or"](ops["bitwise_or"](wrong, none), ops["isnan"](a + x)), _NAN, result)


def gammainc(a, x, /) -> Array:
    """The regularized lower incomplete gamma function, for ``a`` up to 500: relative errors up to a few units times ``a log(x)``."""
    a, x = _both(a, x)
    p, q, below = _parts(a, x)
    return _edges(a, x, _where(below, p, 1.0 - q), 0.0, 1.0)


def gammaincc(a, x, /) -> Array:
    """The regularized upper incomplete gamma function, as ``gammainc``; small values keep their relative accuracy."""
    a, x = _both(a, x)
    p, q, below = _parts(a, x)
    return _edges(a, x, _where(below, 1.0 - p, q), 1.0, 0.0)


def betainc(a, b, x, /) -> Array:
    """The regularized incomplete beta function in [0, 1], for ``a`` and ``b`` up to 200: relative errors as of ``gammainc``."""
    a, b = _both(a, b)
    a, x = _both(a, x)
    b, x = _both(b, x)
    swaps = ops["greater"](x, (a + 1.0) / (a + b + 2.0))
    p, q, y = _where(swaps, b, a), _where(swaps, a, b), _where(swaps, 1.0 - x, x)
    y = ops["minimum"](ops["maximum"](y, 1e-300 if y.dtype.name == "float64" else 1e-37), 1.0)
    total = p + q
    d = 1.0 / (1.0 - total * y / (p + 1.0))
    c, h = 1.0, d
    for m in range(1, _TERMS):
        twice = p + 2.0 * m
        for step in (y * ((q - float(m)) * float(m)) / ((twice - 1.0) * twice), -(p + float(m)) * (total + float(m)) * y / (twice * (twice + 1.0))):
            d, c = 1.0 / (1.0 + step * d), 1.0 + step / c
            h = h * (d * c)
    front = ops["exp"](ops["lgamma"](total) - ops["lgamma"](p) - ops["lgamma"](q) + p * ops["log"](y) + q * ops["log1p"](-y)) / p
    result = front * h
    result = _where(swaps, 1.0 - result, result)
    result = _where(ops["bitwise_or"](ops["equal"](a, 0), ops["equal"](b, _INF)), 1.0, result)
    result = _where(ops["bitwise_or"](ops["equal"](b, 0), ops["equal"](a, _INF)), 0.0, result)
    result = _where(ops["equal"](x, 0), 0.0, _where(ops["equal"](x, 1), 1.0, result))
    least, most = ops["minimum"](a, b), ops["maximum"](a, b)
    wrong = ops["bitwise_or"](ops["bitwise_or"](ops["less"](x, 0), ops["greater"](x, 1)), ops["less"](least, 0))
    wrong = ops["bitwise_or"](wrong, ops["bitwise_or"](ops["equal"](most, 0), ops["equal"](least, _INF)))
    return _where(ops["bitwise_or"](wrong, ops["isnan"](a + b + x)), _NAN, result)
