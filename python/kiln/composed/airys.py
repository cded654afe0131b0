"""Airy's functions of real numbers: their power series up to 1, and beyond by Bessel functions of the orders 1/3 and 2/3. Computed in float64."""
import math

from .. import _core
from .._arguments import as_array, ops
from .._core import Array
from .._dtypes import BY_NAME
from .any_order import _both_kinds
from .elementwise import pieces
from .orders import _modified_first, _modified_second

_where, _INF, _NAN = _core.where, float("inf"), float("nan")
_float64 = BY_NAME["float64"]
_THIRD, _ROOT = 1 / 3, math.sqrt(3)
_AT_ZERO, _SLOPE = 0.3550280538878172, 0.2588194037928068  # Ai, and less its derivative


def _near(x):
    """By the two series of y'' = x y, whose terms fall by the cube of x: up to 1."""
    cube, one = x * x * x, _core.full((), 1.0, x.dtype)
    terms = [one, x, x * x * 0.5, one]  # of both, and of their derivatives
    sums = list(terms)
    for k in range(1, 10):
        for i, divisor in enumerate((3 * k - 1, 3 * k + 1, 3 * k + 2, 3 * k - 2)):
            terms[i] = terms[i] * cube * (1.0 / (3 * k * divisor))
            sums[i] = sums[i] + terms[i]
    f, g, df, dg = sums
    f, df, g, dg = f * _AT_ZERO, df * _AT_ZERO, g * _SLOPE, dg * _SLOPE
    return f - g, df - dg, (f + g) * _ROOT, (df + dg) * _ROOT


def _above(x):
    """From 1 on."""
    root = ops["sqrt"](x)
    z = x * root * (2 / 3)
    rise, fall = ops["exp"](z * 0.5), ops["exp"](z * -0.5)  # the whole would leave the range before the results do
    results = []
    for order, factor in ((_THIRD, ops["sqrt"](x * _THIRD)), (2 * _THIRD, x * (1 / _ROOT))):
        v = _core.full((), order, x.dtype)
        second, first = _modified_second(v, z, True), _modified_first(v, z, True)
        small = factor * second * fall * (1 / math.pi) * fall
        results += [small if order < 0.5 else -small, factor * first * 2.0 * rise * rise + small * _ROOT]
    return results[0], results[2], results[1], results[3]


def _below(x):
    """Of -x, from 1 on."""
    root = ops["sqrt"](x)
    z = x * root * (2 / 3)
    j, y = _both_kinds(_core.full((), _THIRD, x.dtype), z)
    ai, bi = (j - y * (1 / _ROOT)) * root * 0.5, (j * (1 / _ROOT) + y) * root * -0.5
    j, y = _both_kinds(_core.full((), 2 * _THIRD, x.dtype), z)
    return ai, (j + y * (1 / _ROOT)) * x * 0.5, bi, (j * (1 / _ROOT) - y) * x * 0.5


def _functions(x):
    inside, positive = ops["less"](ops["abs"](x), 1.0), ops["greater"](x, 0)
    size = ops["minimum"](pieces(ops["abs"](x), 1.0)[1], 1e100)
    found = []
    for near, above, below in zip(_near(_where(inside, x, 0.0)), _above(_where(positive, ops["minimum"](size, 1e5), 1.0)), _below(_where(positive, 1.0, size))):
        found.append(_where(inside, near, _where(positive, above, below)))
    ends = ((0.0, 0.0), (0.0, _NAN), (_INF, 0.0), (_INF, _NAN))
    end, isnan = ops["isinf"](x), ops["isnan"](x)
    return tuple(_where(isnan, x, _where(end, _where(positive, up, down), r)) for r, (up, down) in zip(found, ends))


def airy(z, /) -> tuple[Array, Array, Array, Array]:
    """Airy's functions Ai and Bi of real numbers with their derivatives: Ai, Ai', Bi, Bi'.

    Above 0 within 64 + 2 |log(result)| units in the last place; below within 64 + |z|^(3/2) of the larger of the result and the height of its wave.
    """
    x = as_array(z)
    dtype = x.dtype if x.dtype.kind == "f" else _core.default_dtype()
    return tuple(r if dtype is _float64 else _core.astype(r, dtype) for r in _functions(_core.astype(x, _float64)))
