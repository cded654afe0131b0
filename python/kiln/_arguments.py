"""Checks of arguments that many functions share."""
import functools
import typing

from . import _core
from ._core import Array
from ._devices import device as on_device  # noqa: F401
from ._dtypes import BY_NAME
from ._errors import make

ops = _core.op_functions
_float32 = BY_NAME["float32"]
_Function = typing.TypeVar("_Function")


def operation(function: _Function) -> _Function:
    """Says of a function that it passes numbers on as operands of elementwise operations and looks at their types alone: jit need not know
    their values."""
    _core.operations.add(function)
    return function


def check_device(device):
    """Raises DeviceError for a device that is not there."""
    if device is not None and device != "cpu":
        _core.find_device(device)


def placed(x, device):
    """``x`` on a device; where it is for None. Raises DeviceError for a device that is not there."""
    return x if device is None else _core.to_device(x, device)


def normalized_axis(op, axis, rank):
    """An axis in [-rank, rank) as one in [0, rank). Raises AxisError outside."""
    if not isinstance(axis, int):
        axis = integer(op, "axis", axis)
    if not -rank <= axis < rank:
        raise make("AxisError", f"{op}: axis: expected one in [{-rank}, {rank}), got {axis}")
    return axis % rank


def normalized_axes(op, axis, rank):
    """One axis, several or None (all) as a tuple of different ones in [0, rank)."""
    if axis is None:
        return tuple(range(rank))
    axes = tuple(normalized_axis(op, a, rank) for a in as_tuple(axis))
    if len(set(axes)) != len(axes):
        raise make("AxisError", f"{op}: axis: expected different ones, got {axis}")
    return axes


def integer(op, what, value):
    """``value`` as a Python integer. Raises DTypeError where it is none."""
    try:
        return value.__index__()
    except (AttributeError, TypeError):
        raise make("DTypeError", f"{op}: {what}: expected an integer, got {type(value).__name__}") from None


def sizes(op, value):
    """A size, several or None (no axes) as a tuple of Python integers. Raises DTypeError where one is none."""
    if value is None:
        return ()
    several = value if isinstance(value, (tuple, list)) or getattr(value, "ndim", 0) else (value,)
    return tuple(n if type(n) is int else integer(op, "size", n) for n in several)


def whole_number(value):
    """``value`` as a Python integer where it is one, of Python, NumPy or an array without axes; None for anything else."""
    if isinstance(value, int):
        return value
    is_whole = not getattr(value, "shape", ()) and getattr(getattr(value, "dtype", None), "kind", "") in ("i", "u")
    return value.__index__() if is_whole else None


def choice(op, what, value, allowed):
    """Raises ValueError unless ``value`` is one of ``allowed``."""
    if value not in allowed:
        raise make("ValueError", f"{op}: {what}: expected {' or '.join(map(repr, allowed))}, got {value!r}")


def as_tuple(value):
    """One value, or several, as a tuple."""
    return tuple(value) if isinstance(value, (tuple, list)) else (value,)


def as_array(value, beside=None):
    """``value`` as an array, which goes where the arrays beside it are, or is made where ``beside`` is; arrays as they are."""
    if isinstance(value, Array):
        return value
    return _core.loose(_creation.asarray(value) if beside is None else _creation.asarray(value, device=beside.device))


def first_array(*values):
    """The first of ``values`` that is an array, beside which the others are made; None if none is."""
    for v in values:
        if isinstance(v, Array):
            return v
    return None


def cast(x, dtype):
    """An array in a dtype, itself if it has it: less work than asking the native part."""
    return x if x.dtype is dtype else _core.astype(x, dtype)


def fits_as_it_is(value, x):
    """Whether a small integer of Python is the same element in the dtype of ``x`` as an array of it would be."""
    return type(value) is int and 0 <= value < 128 and type(x) is Array and x.dtype.kind in "iuf" and x.dtype.name[:6] != "float8"


def floating(x, beside=None):
    """``x`` as an array of a floating dtype: integers and bools in the default one."""
    x = as_array(x, beside)
    return x if x.dtype.kind in "fc" else _core.astype(x, _core.default_dtype())


def rounded_once(function):
    """A function of a floating array that computes narrow floats in float32 and rounds its result once."""
    @functools.wraps(function)
    def rounding(x, /, *args, **kwargs):
        x = floating(x)
        if x.dtype.itemsize != 2:
            return function(x, *args, **kwargs)
        return _core.astype(function(_core.astype(x, _float32), *args, **kwargs), x.dtype)
    return rounding


_KINDS = "biufc"


def store(op, result, out):
    """``result`` written into ``out``, an array of its shape, which is returned: what the ``out`` of a function does.

    Raises ShapeError for another shape, DTypeError where the kind of dtype would narrow.
    """
    if isinstance(out, tuple) and len(out) == 1:
        out, = out
    given = out
    if type(out).__module__ == "numpy" and hasattr(out, "__setitem__"):
        out = as_array(out)  # over its memory
    if not isinstance(out, Array):
        raise make("DTypeError", f"{op}: out: expected an array, got {type(out).__name__}")
    if out.shape != result.shape:
        raise make("ShapeError", f"{op}: out: expected an array of shape {result.shape}, got {out.shape}")
    if _KINDS.index(result.dtype.kind) > _KINDS.index(out.dtype.kind):
        raise make("DTypeError", f"{op}: out: expected a dtype that {result.dtype} converts to, got {out.dtype}")
    out[...] = result
    return given


def merged(op, x, axis):
    """``x`` with the axes ``axis`` (all if None) as one, the last; the shape without them; and the shape with each as 1."""
    axes = normalized_axes(op, axis, x.ndim)
    rest = [i for i in range(x.ndim) if i not in axes]
    shape, kept, n = tuple(x.shape[i] for i in rest), tuple(1 if i in axes else m for i, m in enumerate(x.shape)), 1
    for a in axes:
        n *= x.shape[a]
    if axes != (x.ndim - 1,):
        x = _core.reshape(_core.permute_dims(x, (*rest, *axes)), (*shape, n))
    return x, shape, kept


from . import _creation  # noqa: E402 (which begins with the names above)
