"""Functions of an order: Bessel functions, exponential integrals and orthogonal polynomials; and Lambert's function. Computed in float64."""
import math

from .. import _core
from .._arguments import integer, ops
from .._core import Array
from .._errors import make
from .bessel import _first, _second
from .elementwise import pieces
from .gammas import in_double, rgamma
from .integrals import exp1

_where, _INF, _NAN = _core.where, float("inf"), float("nan")
_and, _or = ops["bitwise_and"], ops["bitwise_or"]


def _order(op, n):
    n = integer(op, "n", n)
    if n < 0:
        raise make("ValueError", f"{op}: n: expected at least 0, got {n}")
    return n


def _upward(n, start, step):
    """The n-th of a recurrence that goes from two to the next: ``step(k, before, this)`` is number k + 1."""
    if n < 2:
        return start[n]
    before, this = start
    for k in range(1, n):
        before, this = this, step(k, before, this)
    return this


def _downward(n, x, first):
    """Numbers 0, 1, ... of J over number ``n``, for x in (0, n]: each is (2 k + first) / x times the next, less that after it (F. Olver, J. Miller)."""
    end = n + 15 + int(3 * math.sqrt(40 + n) * (1 + n) ** (1 / 6))
    ratio, ratios = 0.0, {}
    for k in range(end, n, -1):
        ratio = 1.0 / ((2.0 * k + first) / x - ratio)
        ratios[k] = ratio
    row = [None] * (end + 1)
    row[n] = _core.full((), 1.0, x.dtype)
    for k in range(n + 1, end + 1):
        row[k] = row[k - 1] * ratios[k]
    for k in range(n, 0, -1):
        row[k - 1] = (2.0 * k + first) / x * row[k] - row[k + 1]
    return row


def jn(n, x, /) -> Array:
    """The Bessel function of the first kind of a whole order ``n`` of at least 0: as ``j0`` where |x| > n, within 64 units in the last place up to there.

    Raises DTypeError where ``n`` is no integer, ValueError for a negative one.
    """
    n = _order("jn", n)

    def of(x):
        size = ops["abs"](x)
        far = _upward(n, (_first(size, 0), _first(size, 1)), lambda k, b, t: t * (2.0 * k / _where(ops["greater"](size, n), size, 1.0)) - b) if n > 1 else _first(size, n)
        result = far
        if n > 1:
            inside = _and(ops["less_equal"](size, float(n)), ops["greater"](size, 0))
            row = _downward(n, _where(inside, size, float(n)), 0.0)
            total = row[0]
            for k in range(2, len(row), 2):
                total = total + row[k] * 2.0
            result = _where(inside, 1.0 / total, _where(ops["equal"](size, 0), 0.0, far))
            result = _where(ops["isinf"](size), 0.0, result)
        return _where(ops["less"](x, 0), -result, result) if n % 2 else result

    return in_double(of)(x)


def yn(n, x, /) -> Array:
    """The Bessel function of the second kind of a whole order ``n`` of at least 0, as ``y0``; -inf at 0, nan below. Raises as ``jn``."""
    n = _order("yn", n)

    def of(x):
        start = _second(x, 0), _second(x, 1)
        result = _upward(n, start, lambda k, b, t: _where(ops["equal"](t, -_INF), t, t * (2.0 * k / x) - b))
        return _where(ops["isinf"](x), _where(ops["greater"](x, 0), 0.0, _NAN), result)

    return in_double(of)(x)


def spherical_jn(n, z, /) -> Array:
    """The spherical Bessel function of the first kind of a whole order, of real arguments; accurate as ``jn``. Raises as ``jn``."""
    n = _order("spherical_jn", n)

    def of(x):
        size = ops["abs"](x)
        safe = _where(ops["equal"](size, 0), 1.0, _where(ops["isinf"](size), 1.0, size))
        sine, cosine = ops["sin"](safe), ops["cos"](safe)
        square = safe * safe
        near = safe * (1 / 3) * (1.0 - square * 0.1 * (1.0 - square * (1 / 28) * (1.0 - square * (1 / 54) * (1.0 - square * (1 / 88) * (1.0 - square * (1 / 130))))))
        start = sine / safe, _where(ops["less"](safe, 0.5), near, (sine / safe - cosine) / safe)
        result = _upward(n, start, lambda k, b, t: t * ((2.0 * k + 1.0) / safe) - b)
        if n > 1:
            inside = ops["less_equal"](safe, float(n))
            row = _downward(n, _where(inside, safe, float(n)), 1.0)
            by = ops["greater"](ops["abs"](start[0]), ops["abs"](start[1]))
            result = _where(inside, _where(by, start[0], start[1]) / _where(by, row[0], row[1]), result)
        result = _where(ops["equal"](size, 0), 0.0 if n else 1.0, _where(ops["isinf"](size), 0.0, result))
        return _where(ops["isnan"](x), x, _where(ops["less"](x, 0), -result, result) if n % 2 else result)

    return in_double(of)(z)


def spherical_yn(n, z, /) -> Array:
    """The spherical Bessel function of the second kind of a whole order, of real arguments. Raises as ``jn``."""
    n = _order("spherical_yn", n)

    def of(x):
        size = ops["abs"](x)
        safe = _where(ops["isinf"](size), 1.0, size)
        c, s = ops["cos"](safe), ops["sin"](safe)
        start = -c / safe, -(c / safe + s) / safe
        result = _upward(n, start, lambda k, b, t: _where(ops["equal"](t, -_INF), t, t * ((2.0 * k + 1.0) / safe) - b))
        result = _where(ops["isinf"](size), 0.0, _where(ops["equal"](size, 0), -_INF, result))
        return _where(ops["isnan"](x), x, _where(ops["less"](x, 0), result if n % 2 else -result, result))

    return in_double(of)(z)


def spherical_in(n, z, /) -> Array:
    """The modified spherical Bessel function of the first kind of a whole order, of real arguments: ``iv`` of half an order more, as accurate. Raises as ``jn``."""
    n = _order("spherical_in", n)

    def of(x):
        size = ops["abs"](x)
        none, end = ops["equal"](size, 0), ops["isinf"](size)
        safe = _where(_or(none, end), 1.0, size)
        scaled = ive(n + 0.5, safe) * ops["sqrt"]((0.5 * math.pi) / safe)
        half = ops["exp"](safe * 0.5)  # the whole would leave the range before the result does
        result = _where(none, 0.0 if n else 1.0, _where(end, _INF, half * scaled * half))
        return _where(ops["less"](x, 0), -result, result) if n % 2 else result

    return in_double(of)(z)


def spherical_kn(n, z, /) -> Array:
    """The modified spherical Bessel function of the second kind of a whole order, of real arguments: within 16 units in the last place; inf at 0, nan below. Raises as ``jn``."""
    n = _order("spherical_kn", n)

    def of(x):
        start = (0.5 * math.pi) / x * ops["exp"](-x)
        result = _upward(n, (start, start * (1.0 / x + 1.0)), lambda k, b, t: _where(ops["isinf"](t), t, t * ((2.0 * k + 1.0) / x) + b))
        result = _where(ops["equal"](x, 0), _INF, _where(ops["equal"](x, _INF), 0.0, result))
        return _where(ops["less"](x, 0), _NAN, result)

    return in_double(of)(z)


def _modified_first(v, x, scaled):
    whole = ops["equal"](v, ops["floor"](v))
    v = _where(whole, ops["abs"](v), v)
    size, end = ops["abs"](x), 100.0
    y, z = pieces(size, end)
    quarter = y * y * 0.25
    term = total = ops["pow"](y * 0.5, v) * rgamma(v + 1.0)
    for k in range(1, 161):
        term = term * quarter / ((v + float(k)) * float(k))
        total = total + term
    square = v * v * 4.0
    tail = factor = _core.full((), 1.0, x.dtype)
    for k in range(1, 40):
        factor = factor * (float((2 * k - 1) ** 2) - square) / (8.0 * k * z)
        tail = tail + factor
    tail = tail / ops["sqrt"](z * (2 * math.pi))
    if scaled:
        result = _where(ops["less"](size, end), total * ops["exp"](-y), tail)
    else:
        half = ops["exp"](z * 0.5)
        result = _where(ops["less"](size, end), total, _where(ops["isinf"](size), _INF, half * tail * half))
    odd = ops["not_equal"](ops["remainder"](v, 2.0), 0)
    return _where(ops["less"](x, 0), _where(whole, _where(odd, -result, result), _NAN), result)


@in_double
def iv(v, x, /) -> Array:
    """The modified Bessel function of the first kind of order ``v``, for orders up to 30, or arguments up to 100.

    Within 64 + 4 |v log(x)| + 4 log(gamma(|v| + 1)) units in the last place; nan for negative ``x`` unless ``v`` is whole.
    """
    return _modified_first(v, x, False)


@in_double
def ive(v, x, /) -> Array:
    """``iv`` times exp(-|x|)."""
    return _modified_first(v, x, True)


_NODES = 128


def _modified_second(v, x, scaled):
    """The integral of exp(-x cosh t) cosh(v t) by the rule of trapezoids, whose error falls faster than any power of the step."""
    good = _and(ops["greater"](x, 0), ops["less"](x, _INF))
    y, v = _where(good, x, 1.0), ops["abs"](v)
    y, v = (_core.broadcast_to(a, _core.broadcast_shapes(y.shape, v.shape))[..., None] for a in (y, v))
    reach = ops["acosh"]((v * 20.0 + 45.0) / y + 1.0)
    step = ops["acosh"]((v * reach + 45.0) / y + 1.0) * (1.0 / _NODES)
    t = _core.iota((_NODES + 1,), x.dtype, 0, x.device) * step
    s = ops["sinh"](t * 0.5)
    fall = s * s * y * -2.0
    terms = (ops["exp"](fall + v * t) + ops["exp"](fall - v * t)) * 0.5
    result = (_core.reduce("sum", terms, -1, False) - terms[..., 0] * 0.5) * step[..., 0]
    result = result if scaled else result * ops["exp"](-y[..., 0])
    return _where(ops["isnan"](x), x, _where(ops["less"](x, 0), _NAN, _where(good, result, _where(ops["equal"](x, 0), _INF, 0.0))))


@in_double
def kv(v, x, /) -> Array:
    """The modified Bessel function of the second kind of order ``v``, for orders up to 50; inf at 0, nan below.

    Within 64 + 4 |v log(x)| + 4 log(gamma(|v| + 1)) units in the last place.
    """
    return _modified_second(v, x, False)


@in_double
def kve(v, x, /) -> Array:
    """``kv`` times exp(x)."""
    return _modified_second(v, x, True)


def kn(n, x, /) -> Array:
    """``kv`` of a whole order. Raises as ``jn``."""
    return kv(float(_order("kn", n)), x)


def expn(n, x, /) -> Array:
    """The exponential integral of order ``n``, whole and at least 0, of exp(-x t) / t^n from 1 on, within 16 units in the last place; nan below 0. Raises as ``jn``."""
    n = _order("expn", n)

    def of(x):
        low, high = pieces(x, 1.0)
        e = ops["exp"](-low)
        near = e / ops["abs"](low) if not n else exp1(low)
        for k in range(1, n):
            near = (e - _where(ops["equal"](low, 0), 0.0, low * near)) / float(k)
        h = high + float(n + 200)
        for k in range(100, 0, -1):
            h = high + float(n + 2 * k - 2) - float(k * (n + k - 1)) / h
        result = _where(ops["less"](x, 1.0), near, ops["exp"](-high) / h)
        return _where(ops["less"](x, 0), _NAN, _where(ops["equal"](x, _INF), 0.0, result))

    return in_double(of)(x)


def _polynomial(name, first, step, what):
    def evaluate(n, x, /) -> Array:
        n = _order(name, n)
        return in_double(lambda x: _upward(n, (_core.full(x.shape, 1.0, x.dtype, x.device), first(x)), lambda k, b, t: step(float(k), x, b, t)))(x)

    evaluate.__name__ = evaluate.__qualname__ = name
    evaluate.__doc__ = f"{what} polynomials of a whole degree ``n``, by their recurrence. Raises DTypeError where ``n`` is no integer, ValueError for a negative one."
    return evaluate


eval_chebyt = _polynomial("eval_chebyt", lambda x: x, lambda k, x, b, t: x * 2.0 * t - b, "Chebyshev's (first kind)")
eval_chebyu = _polynomial("eval_chebyu", lambda x: x * 2.0, lambda k, x, b, t: x * 2.0 * t - b, "Chebyshev's (second kind)")
eval_legendre = _polynomial("eval_legendre", lambda x: x, lambda k, x, b, t: (x * t * (2.0 * k + 1.0) - b * k) / (k + 1.0), "Legendre's")
eval_hermite = _polynomial("eval_hermite", lambda x: x * 2.0, lambda k, x, b, t: (x * t - b * k) * 2.0, "Hermite's (of physics)")
eval_hermitenorm = _polynomial("eval_hermitenorm", lambda x: x, lambda k, x, b, t: x * t - b * k, "Hermite's (of probability)")
eval_laguerre = _polynomial("eval_laguerre", lambda x: 1.0 - x, lambda k, x, b, t: ((2.0 * k + 1.0 - x) * t - b * k) / (k + 1.0), "Laguerre's")

# Of w + 1 in p = sqrt(2 (e x + 1)), the lowest power first (R. Corless and others, "On the Lambert W function", 1996).
_BRANCH = (0.0, 1.0, -1 / 3, 11 / 72, -43 / 540, 769 / 17280, -221 / 8505, 680863 / 43545600, -1963 / 204120, 226287557 / 37623398400)
_EXP_M1, _EXP_M1_REST = 0.36787944117144233, -1.2428753672788363e-17


def lambertw(z, k=0) -> Array:
    """The real w with w exp(w) = ``z``: the branch ``k`` of 0 for z >= -1/e, or of -1 for z in [-1/e, 0); nan where there is none. SciPy's result is complex.

    Within 8 units in the last place, but beside the zero of w + 1. By the iteration of F. Fritsch and others, 1973. Raises ValueError for another branch.
    """
    if k not in (0, -1):
        raise make("ValueError", f"lambertw: k: expected 0 or -1, whose values are real, got {k}")

    def of(x):
        inside = ops["greater_equal"](x, -_EXP_M1)
        inside = _and(inside, ops["less"](x, _INF)) if k == 0 else _and(inside, ops["less"](x, 0))
        y = _where(inside, x, 1.0 if k == 0 else -0.1)
        p = ops["sqrt"](ops["maximum"](((y + _EXP_M1) + _EXP_M1_REST) * (2 * math.e), 0.0))
        p = p if k == 0 else -p
        near, series = ops["less"](ops["abs"](p), 0.05), 0.0
        for c in _BRANCH[::-1]:
            series = series * p + c
        log = ops["log"](ops["abs"](_where(ops["equal"](y, 0), 1.0, y)))
        if k == 0:
            high = ops["maximum"](log, 1.0)
            start = _where(ops["greater"](y, math.e), high - ops["log"](high), _where(ops["less"](y, -0.2), series - 1.0, ops["log1p"](ops["maximum"](y, -0.2))))
        else:
            low = ops["minimum"](log, -1.2)
            start = _where(ops["greater"](y, -0.25), low - ops["log"](-low), series - 1.0)
        tiny = _where(ops["equal"](y, 0), True, near)
        w = _where(tiny, 1.0, start)
        for _ in range(4):
            rest = ops["log"](ops["abs"](_where(tiny, 1.0, y) / w)) - w
            q = (w + 1.0) * 2.0 * (w + 1.0 + rest * (2 / 3))
            w = w * (1.0 + rest / (w + 1.0) * ((q - rest) / (q - rest * 2.0)))
        w = _where(near, series - 1.0, _where(ops["equal"](y, 0), y, w))
        outside = _where(ops["equal"](x, _INF), _INF, _NAN) if k == 0 else _where(ops["equal"](x, 0), -_INF, _NAN)
        return _where(inside, w, outside)

    return in_double(of)(z)
