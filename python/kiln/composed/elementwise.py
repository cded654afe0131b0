"""Elementwise functions that are compositions of ops."""
import math

from .. import _core
from .._arguments import as_array, floating, ops, rounded_once
from .._core import Array
from .._errors import make
from .._types import result_type

_INF, _NAN = float("inf"), float("nan")
_where = _core.where


def _both(x, y, float_result=True):
    """Two operands as arrays of one dtype, floating unless whole numbers are asked for; Python numbers are weak."""
    numbers = (bool, int, float, complex)
    if isinstance(x, numbers) and isinstance(y, numbers):
        x, y = as_array(x), as_array(y)
    x, y = (v if isinstance(v, numbers) else as_array(v) for v in (x, y))
    dtype = result_type(x, y)
    if float_result and dtype.kind in "biu":
        dtype = _core.default_dtype()
    return tuple(_core.astype(v, dtype) if isinstance(v, Array) else _core.full((), v, dtype) for v in (x, y))


def rsqrt(x, /) -> Array:
    """One over the square root; inf at 0, nan below."""
    return ops["reciprocal"](ops["sqrt"](floating(x)))


def exp10(x, /) -> Array:
    """10 to the power of each element."""
    return ops["pow"](10.0, floating(x))


def sinc(x, /) -> Array:
    """sin(pi x) / (pi x); 1 at 0."""
    x = floating(x)
    turn = x * math.pi
    safe = _where(ops["equal"](turn, 0), 1.0, turn)
    return _where(ops["equal"](turn, 0), 1.0, ops["sin"](safe) / safe)


def _integers(op, x, y):
    x, y = _both(x, y, False)
    if x.dtype.kind not in "iu":
        raise make("DTypeError", f"{op}: dtype: expected integers, got {x.dtype}")
    return x, y


def gcd(x, y, /) -> Array:
    """Greatest common divisor of the sizes of two integers; 0 of two zeros.

    Raises DTypeError for other dtypes.
    """
    x, y = _integers("gcd", x, y)
    shape = _core.broadcast_shapes(x.shape, y.shape)
    return _core.library("gcd", (_core.broadcast_to(x, shape), _core.broadcast_to(y, shape)))


def lcm(x, y, /) -> Array:
    """Least common multiple of the sizes of two integers; 0 where one is. Raises DTypeError for other dtypes."""
    x, y = _integers("lcm", x, y)
    return ops["abs"](x // gcd(x, y) * y)  # integer division by 0 gives 0


def xlogy(x, y, /) -> Array:
    """``x * log(y)``; 0 where ``x`` is 0 and ``y`` is not nan."""
    return _absorbed(*_both(x, y), ops["log"])


def xlog1py(x, y, /) -> Array:
    """``x * log(1 + y)``; 0 where ``x`` is 0 and ``y`` is not nan."""
    return _absorbed(*_both(x, y), ops["log1p"])


def _absorbed(x, y, f):
    none = ops["bitwise_and"](ops["equal"](x, 0), ops["logical_not"](ops["isnan"](y)))
    return _where(none, 0.0, x * f(_where(none, 1.0, y)))


def divmod(x, y, /) -> tuple[Array, Array]:  # noqa: A001
    """``floor_divide`` and ``remainder``."""
    x, y = _both(x, y, False)
    return ops["floor_divide"](x, y), ops["remainder"](x, y)


def modf(x, /) -> tuple[Array, Array]:
    """Fraction and whole part, both with the sign of ``x``; of an infinity 0 and itself."""
    x = floating(x)
    whole = ops["trunc"](x)
    return ops["copysign"](_where(ops["isinf"](x), 0.0, x - whole), x), whole


def float_power(x, y, /) -> Array:
    """``x`` to the power ``y``, in float64 or complex128."""
    x, y = as_array(x), as_array(y)
    wide = "complex128" if "c" in (x.dtype.kind, y.dtype.kind) else "float64"
    return ops["pow"](_core.astype(x, wide), _core.astype(y, wide))


def fabs(x, /) -> Array:
    """Absolute value, of integers in the default dtype."""
    return ops["abs"](floating(x))


def deg2rad(x, /) -> Array:
    """Degrees as radians."""
    return floating(x) * (math.pi / 180)


def rad2deg(x, /) -> Array:
    """Radians as degrees."""
    return floating(x) * (180 / math.pi)


radians, degrees = deg2rad, rad2deg
_PARTS = {"float16": ("int16", 10, 15), "float32": ("int32", 23, 127), "float64": ("int64", 52, 1023)}


def frexp(x, /) -> tuple[Array, Array]:
    """Mantissa in [0.5, 1) with the sign of ``x``, and exponent (int32): their ``ldexp`` is ``x``. Zeros, infinities and nan have exponent 0.

    Raises DTypeError for complex numbers.
    """
    x = floating(x)
    if x.dtype.name not in _PARTS:
        raise make("DTypeError", f"frexp: dtype: expected float16, float32 or float64, got {x.dtype}")
    whole, bits, bias = _PARTS[x.dtype.name]
    usual = ops["bitwise_and"](ops["isfinite"](x), ops["not_equal"](x, 0))
    low = ops["less"](ops["abs"](x), 2.0 ** (1 - bias))
    y = _where(low, x * 2.0**(bits + 1), x)
    field = ops["bitwise_right_shift"](_core.bitcast(ops["abs"](y), whole), bits)
    exponent = _core.astype(field, "int32") - (bias - 1) - _where(low, _core.full((), bits + 1, "int32"), _core.full((), 0, "int32"))
    exponent = _where(usual, exponent, _core.full((), 0, "int32"))
    return ldexp(x, -exponent), exponent


def ldexp(x, exponent, /) -> Array:
    """``x`` times 2 to the power of an integer, rounded once but in the subnormals: in three steps, none of which leaves the range early."""
    x, e = floating(x), as_array(exponent)
    if e.dtype.kind not in "iu":
        raise make("DTypeError", f"ldexp: dtype of the exponent: expected an integer one, got {e.dtype}")
    wide = _core.astype(x, "float64")
    e = ops["minimum"](ops["maximum"](_core.astype(e, "int64"), -2200), 2200)
    third = e // 3
    for part in (third, third, e - third * 2):
        wide = wide * ops["exp2"](_core.astype(part, "float64"))
    return _core.astype(wide, x.dtype)


def spacing(x, /) -> Array:
    """Distance to the number that follows away from 0, with the sign of ``x``; nan of infinities."""
    x = floating(x)
    result = ops["nextafter"](x, ops["copysign"](_core.full((), _INF, x.dtype), x)) - x
    return _where(ops["isfinite"](x), result, _NAN)


def unwrap(x, /, discont=None, axis=-1, *, period=2 * math.pi) -> Array:
    """``x`` with multiples of ``period`` added along an axis so that no step is larger than half of it (or than ``discont``)."""
    from .._reductions import cumsum, diff
    x = floating(x)
    step, half = diff(x, axis=axis), period / 2
    reduced = ops["remainder"](step + half, period) - half
    reduced = _where(ops["bitwise_and"](ops["equal"](reduced, -half), ops["greater"](step, 0)), half, reduced)
    change = _where(ops["less"](ops["abs"](step), max(half, discont or 0)), 0.0, reduced - step)
    moved = cumsum(change, axis=axis)
    from .._shaping import moveaxis
    line, more = moveaxis(x, axis, -1), moveaxis(moved, axis, -1)
    return moveaxis(_core.concat((line[..., :1], line[..., 1:] + more), line.ndim - 1), -1, axis)
