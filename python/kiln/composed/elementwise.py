"""Elementwise functions that are compositions of ops."""
import math

from .. import _core
from .._arguments import as_array, cast, first_array, floating, ops
from .._core import Array
from .._dtypes import BY_NAME
from .._errors import make
from .._fused import fused, looped
from .._reductions import cumsum, diff
from .._shaping import moveaxis
from .._types import result_type

_INF, _NAN = float("inf"), float("nan")
_where = _core.where


def _both(x, y, float_result=True):
    """Two operands as arrays of one dtype, floating unless whole numbers are asked for; Python numbers are weak."""
    if type(x) is type(y) is Array and x.dtype is y.dtype and not (float_result and x.dtype.kind in "biu"):
        return x, y
    numbers = (bool, int, float, complex)
    if isinstance(x, numbers) and isinstance(y, numbers):
        x, y = as_array(x), as_array(y)
    beside = first_array(x, y)
    x, y = (v if isinstance(v, numbers) else as_array(v, beside) for v in (x, y))
    dtype = result_type(x, y)
    if float_result and dtype.kind in "biu":
        dtype = _core.default_dtype()
    return tuple(_core.astype(v, dtype) if isinstance(v, Array) else _core.full((), v, dtype, None if beside is None else beside.device) for v in (x, y))


def pieces(x, end):
    """``x`` where it is below ``end``, else that; and the other way round: for functions that have another form from ``end`` on.

    The derivative at ``end`` is that of the second form alone; of ``minimum`` and ``maximum`` it is half of each.
    """
    below = ops["less"](x, end)
    return _where(below, x, end), _where(below, end, x)


def rsqrt(x, /) -> Array:
    """One over the square root; inf at 0, nan below."""
    return ops["reciprocal"](ops["sqrt"](floating(x)))


def exp10(x, /) -> Array:
    """10 to the power of each element."""
    return ops["pow"](10.0, floating(x))


@fused
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


@looped
def gcd(x, y, /) -> Array:
    """Greatest common divisor of the sizes of two integers; 0 of two zeros.

    Raises DTypeError for other dtypes.
    """
    x, y = _integers("gcd", x, y)
    if x.shape != y.shape:
        shape = _core.broadcast_shapes(x.shape, y.shape)
        x, y = _core.broadcast_to(x, shape), _core.broadcast_to(y, shape)
    return _core.library("gcd", (x, y))


@looped
def lcm(x, y, /) -> Array:
    """Least common multiple of the sizes of two integers; 0 where one is. Raises DTypeError for other dtypes."""
    x, y = _integers("lcm", x, y)
    return ops["abs"](x // gcd(x, y) * y)  # integer division by 0 gives 0


@fused
def xlogy(x, y, /) -> Array:
    """``x * log(y)``; 0 where ``x`` is 0 and ``y`` is not nan."""
    return _absorbed(*_both(x, y), ops["log"])


@fused
def xlog1py(x, y, /) -> Array:
    """``x * log(1 + y)``; 0 where ``x`` is 0 and ``y`` is not nan."""
    return _absorbed(*_both(x, y), ops["log1p"])


def _absorbed(x, y, f):
    none = ops["bitwise_and"](ops["equal"](x, 0), ops["logical_not"](ops["isnan"](y)))
    return _where(none, 0.0, x * f(_where(none, 1.0, y)))


@fused
def divmod(x, y, /) -> tuple[Array, Array]:  # noqa: A001
    """``floor_divide`` and ``remainder``."""
    if not (type(x) is Array and type(y) is int and x.dtype.kind in "iuf"):
        x, y = _both(x, y, False)
    return ops["floor_divide"](x, y), ops["remainder"](x, y)


@fused
def modf(x, /) -> tuple[Array, Array]:
    """Fraction and whole part, both with the sign of ``x``; of an infinity 0 and itself."""
    x = floating(x)
    whole = ops["trunc"](x)
    return ops["copysign"](_where(ops["isinf"](x), 0.0, x - whole), x), whole


@fused
def float_power(x, y, /) -> Array:
    """``x`` to the power ``y``, in float64 or complex128."""
    beside = first_array(x, y)
    x, y = as_array(x, beside), as_array(y, beside)
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
_float32, _float64, _int32, _int64 = (BY_NAME[name] for name in ("float32", "float64", "int32", "int64"))
_BITS = {_float32: (_int32, 23, 127, 64), _float64: (_int64, 52, 1023, 256)}  # of the fraction, the bias, and what small numbers are scaled by


@fused
def frexp(x, /) -> tuple[Array, Array]:
    """Mantissa in [0.5, 1) with the sign of ``x``, and exponent (int32): their ``ldexp`` is ``x``. Zeros, infinities and nan have exponent 0.

    Raises DTypeError for complex numbers.
    """
    x = floating(x)
    if x.dtype.name not in ("float16", "float32", "float64"):
        raise make("DTypeError", f"frexp: dtype: expected float16, float32 or float64, got {x.dtype}")
    wide = _core.astype(x, _float32) if x.dtype.itemsize == 2 else x
    whole, bits, bias, up = _BITS[wide.dtype]
    small = ops["less"](ops["abs"](wide), 2.0 ** (up - 2 - bias))
    y = _where(small, wide * 2.0**up, wide * 0.25)  # neither subnormal nor near the end, so that one product brings it into [0.5, 1)
    field = ops["bitwise_and"](_core.bitcast(y, whole), 2 * bias + 1 << bits)
    zero = _core.astype(small, whole) * (up + 2 << bits) + (bias - 3 << bits)  # the field of an exponent of 0
    field = _where(ops["bitwise_and"](ops["isfinite"](wide), ops["not_equal"](wide, 0)), field, zero)
    mantissa = y * _core.bitcast((2 * bias - 1 << bits) - field, wide.dtype)
    return cast(mantissa, x.dtype), cast(ops["bitwise_right_shift"](field - zero, bits), _int32)


@fused
def ldexp(x, exponent, /) -> Array:
    """``x`` times 2 to the power of an integer, rounded once."""
    x, e = floating(x), as_array(exponent)
    if e.dtype.kind not in "iu":
        raise make("DTypeError", f"ldexp: dtype of the exponent: expected an integer one, got {e.dtype}")
    wide = cast(x, _float64)
    e = _core.astype(e, _int32) if e.dtype.itemsize < 4 else _core.astype(e, _int64) if e.dtype.kind == "u" else e
    if x.dtype.name not in ("float64", "complex128"):  # every product of the others is a float64
        return _core.astype(wide * _power_of_two(_between(e, -1022, 1023)), x.dtype)
    e = _between(e, -2200, 2200)
    last = _between(e, -1022, 1023)
    rest = e - last  # where it is not 0, no rounding shows behind the last step
    half = ops["bitwise_right_shift"](rest, 1)
    return _core.astype(wide * _power_of_two(half) * _power_of_two(rest - half) * _power_of_two(last), x.dtype)


def _between(e, low, high):
    return ops["minimum"](ops["maximum"](e, low), high)


def _power_of_two(e):
    """2 to the power of integers in [-1022, 1023], as float64."""
    return _core.bitcast(ops["bitwise_left_shift"](cast(e + 1023, _int64), 52), _float64)


@fused
def spacing(x, /) -> Array:
    """Distance to the number that follows away from 0, with the sign of ``x``; nan of infinities."""
    x = floating(x)
    result = ops["nextafter"](x, ops["copysign"](_INF, x)) - x
    return _where(ops["isfinite"](x), result, _NAN)


@fused
def unwrap(x, /, discont=None, axis=-1, *, period=2 * math.pi) -> Array:
    """``x`` with multiples of ``period`` added along an axis so that no step is larger than half of it (or than ``discont``)."""
    x = as_array(x)
    x = x if x.dtype.kind in "iu" and isinstance(period, int) else floating(x)
    step, half, low = diff(x, axis=axis), period / 2, period / 2
    if x.dtype.kind in "iu":  # an integer period: halves of an odd one are no ends of the interval
        low, half = period // 2, period // 2 if period % 2 == 0 else None
    reduced = ops["remainder"](step + low, period) - low
    if half is not None:
        reduced = _where(ops["bitwise_and"](ops["equal"](reduced, -half), ops["greater"](step, 0)), half, reduced)
    change = _where(ops["less"](ops["abs"](step), max(period / 2, discont or 0)), 0, reduced - step)
    moved = cumsum(change, axis=axis)
    line, more = moveaxis(x, axis, -1), moveaxis(moved, axis, -1)
    return moveaxis(_core.concat((line[..., :1], line[..., 1:] + more), line.ndim - 1), -1, axis)
