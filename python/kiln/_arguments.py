"""Checks of arguments that many functions share."""
from . import _core
from ._core import Array
from ._errors import make

ops = _core.op_functions


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
        axis = _integer(op, "axis", axis)
    if not -rank <= axis < rank:
        raise make("AxisError", f"{op}: axis: expected one in [{-rank}, {rank}), got {axis}")
    return axis % rank


def _integer(op, what, value):
    try:
        return value.__index__()
    except (AttributeError, TypeError):
        raise make("DTypeError", f"{op}: {what}: expected an integer, got {type(value).__name__}") from None


def as_tuple(value):
    """One value, or several, as a tuple."""
    return tuple(value) if isinstance(value, (tuple, list)) else (value,)


def as_array(value):
    """``value`` as an array, which goes where the arrays beside it are; arrays as they are."""
    return value if isinstance(value, Array) else _core.as_operand(value)


def floating(x):
    """``x`` as an array of a floating dtype: integers and bools in the default one."""
    x = as_array(x)
    return x if x.dtype.kind in "fc" else _core.astype(x, _core.default_dtype())
