"""Rounding to decimals."""
from . import _core
from ._arguments import as_array, integer, ops, store
from ._core import Array
from ._fused import fused


@fused
def round(x, /, decimals=0, out=None) -> Array:  # noqa: A001
    """Nearest number of ``decimals`` decimals (tens and so on if negative), halves to the even one; both parts of complex numbers.

    Elements are multiplied by the power of ten, rounded and divided, as NumPy does; integers keep their dtype.
    """
    x = as_array(x)
    decimals = decimals if type(decimals) is int else integer("round", "decimals", decimals)
    if x.dtype.kind == "b":
        x = _core.astype(x, "float16")
    if decimals == 0:
        result = ops["round"](x)
    elif x.dtype.kind in "iu":
        result = _core.copy(x) if decimals > 0 else _whole(x, -decimals)
    else:
        scale = 10.0 ** min(abs(decimals), 308)
        wide = _core.astype(x, "float32") if x.dtype.itemsize == 2 else x
        result = ops["round"](wide * scale) / scale if decimals > 0 else ops["round"](wide / scale) * scale
        result = _core.where(ops["isfinite"](result), result, wide) if x.dtype.kind == "f" else result
        result = _core.astype(result, x.dtype) if wide is not x else result
    return result if out is None else store("round", result, out)


def _whole(x, digits):
    """To a multiple of a power of ten, halves to the even one; 0 where the power is beyond the dtype."""
    if digits >= 19:
        return x * 0
    unit = 10 ** digits
    wide = _core.astype(x, "uint64" if x.dtype.kind == "u" else "int64")
    low = wide // unit
    rest = wide - low * unit
    up = ops["bitwise_or"](ops["greater"](rest, unit // 2), ops["bitwise_and"](ops["equal"](rest, unit // 2), ops["equal"](low % 2, 1)))
    return _core.astype((low + _core.astype(up, wide.dtype)) * unit, x.dtype)


around = round
