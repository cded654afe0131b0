"""Functions of the namespace that are not one op: creation, shapes, reductions, products."""
import builtins as _py

from . import _core
from ._core import Array
from ._dtypes import BY_NAME
from ._errors import make

_ops = _core.op_functions
bool_ = BY_NAME["bool"]
int64 = BY_NAME["int64"]


def asarray(obj, /, *, dtype=None, device=None, copy=None):
    """An array of ``obj``: an array, a number, nested sequences, or anything with the buffer protocol (shared if it can be).

    Raises DTypeError for elements of other types, ShapeError for ragged sequences, ValueError where ``copy=False`` cannot be.
    """
    _check_device(device)
    return _core.asarray(obj, dtype, copy)


def array(obj, dtype=None, *, copy=True):
    """A new array of ``obj``, as ``asarray`` with a copy."""
    return _core.asarray(obj, dtype, copy or None)


def _check_device(device):
    if device not in (None, "cpu"):
        raise make("DeviceError", f"device: expected 'cpu', got {device!r}")


def full(shape, fill_value, *, dtype=None, device=None):
    """An array of ``shape`` with every element ``fill_value``."""
    _check_device(device)
    return _core.full(shape, fill_value, dtype)


def zeros(shape, *, dtype=None, device=None):
    """Zeros of ``shape``; the default dtype unless given."""
    return full(shape, 0, dtype=dtype or _core.default_dtype(), device=device)


def ones(shape, *, dtype=None, device=None):
    """Ones of ``shape``; the default dtype unless given."""
    return full(shape, 1, dtype=dtype or _core.default_dtype(), device=device)


def empty(shape, *, dtype=None, device=None):
    """An array of ``shape``; its elements are zeros."""
    return zeros(shape, dtype=dtype, device=device)


def zeros_like(x, /, *, dtype=None):
    """Zeros of the shape and dtype of ``x``."""
    return zeros(x.shape, dtype=dtype or x.dtype)


def ones_like(x, /, *, dtype=None):
    """Ones of the shape and dtype of ``x``."""
    return ones(x.shape, dtype=dtype or x.dtype)


def full_like(x, /, fill_value, *, dtype=None):
    """``fill_value`` in the shape and dtype of ``x``."""
    return full(x.shape, fill_value, dtype=dtype or x.dtype)


def arange(start, /, stop=None, step=1, *, dtype=None):
    """Numbers from ``start`` (0 if one argument) to before ``stop``, ``step`` apart.

    Raises ValueError for a step of 0.
    """
    if stop is None:
        start, stop = 0, start
    if step == 0:
        raise make("ValueError", "arange: step: expected a number other than 0, got 0")
    whole = _py.all(isinstance(v, int) for v in (start, stop, step))
    n = _py.max(0, -((start - stop) // step) if whole else _ceil((stop - start) / step))
    dtype = dtype or (int64 if whole else _core.default_dtype())
    line = _core.iota((n,), dtype, 0)
    if step != 1:
        line = line * step
    return line + start if start != 0 else line


def _ceil(value):
    return int(value) + (value > int(value))


def linspace(start, stop, /, num, *, dtype=None, endpoint=True):
    """``num`` numbers from ``start`` to ``stop``, evenly spaced; without ``stop`` itself where ``endpoint`` is False."""
    dtype = dtype or _core.default_dtype()
    steps = num - 1 if endpoint else num
    line = _core.iota((num,), dtype, 0)
    return line * ((stop - start) / steps if steps else 0.0) + start


def eye(n_rows, n_cols=None, /, *, k=0, dtype=None):
    """Ones on the ``k``-th diagonal of zeros."""
    shape = (n_rows, n_rows if n_cols is None else n_cols)
    on = _ops["equal"](_core.iota(shape, int64, 1), _core.iota(shape, int64, 0) + k)
    return _core.astype(on, dtype or _core.default_dtype())


def astype(x, dtype, /, *, copy=True):
    """``x`` converted to ``dtype``: floats to integers saturate, nan becomes 0."""
    return _core.copy(x) if copy and isinstance(x, Array) and x.dtype == dtype else _core.astype(x, dtype)


def copy(x, /):
    """A copy with memory of its own."""
    return _core.copy(x)


def where(condition, x, y, /):
    """Elements of ``x`` where ``condition`` holds, of ``y`` elsewhere; all three broadcast."""
    return _core.where(condition, x, y)


def reshape(x, /, shape, *, copy=None):
    """The elements of ``x`` in row-major order under ``shape``, one size of which may be -1; a view where it can be."""
    return _core.reshape(_core.copy(x) if copy else x, shape)


def permute_dims(x, /, axes):
    """``x`` with axis i taken from ``axes[i]``, a view."""
    return _core.permute_dims(x, axes)


def transpose(x, /, axes=None):
    """``x`` with its axes reversed, or permuted by ``axes``, a view."""
    return x.T if axes is None else _core.permute_dims(x, axes)


def matrix_transpose(x, /):
    """``x`` with its last two axes swapped, a view."""
    return x.mT


def broadcast_to(x, /, shape):
    """``x`` repeated to ``shape``, a view."""
    return _core.broadcast_to(x, shape)


def expand_dims(x, /, *, axis=0):
    """``x`` with an axis of size 1 at ``axis``."""
    axis = _axis("expand_dims", axis, x.ndim + 1)
    return _core.reshape(x, x.shape[:axis] + (1,) + x.shape[axis:])


def squeeze(x, /, axis=None):
    """``x`` without its axes of size 1, or without those in ``axis``."""
    axes = [i for i, n in enumerate(x.shape) if n == 1] if axis is None else [_axis("squeeze", a, x.ndim) for a in _tuple(axis)]
    for a in axes:
        if x.shape[a] != 1:
            raise make("ValueError", f"squeeze: size of axis {a}: expected 1, got {x.shape[a]}")
    return _core.reshape(x, tuple(n for i, n in enumerate(x.shape) if i not in axes))


def _axis(op, axis, rank):
    if not -rank <= axis < rank:
        raise make("AxisError", f"{op}: axis: expected one in [{-rank}, {rank}), got {axis}")
    return axis % rank


def _tuple(axis):
    return axis if isinstance(axis, (tuple, list)) else (axis,)


def concat(arrays, /, *, axis=0):
    """Arrays joined along an existing axis; flattened first where ``axis`` is None."""
    if axis is None:
        arrays, axis = [_core.reshape(a, (-1,)) for a in arrays], 0
    return _core.concat(tuple(arrays), axis)


def concatenate(arrays, axis=0):
    """Arrays joined along an existing axis, as ``concat``."""
    return concat(arrays, axis=axis)


def stack(arrays, /, *, axis=0):
    """Arrays of one shape joined along a new axis."""
    arrays = [asarray(a) for a in arrays]
    return _core.concat(tuple(expand_dims(a, axis=axis) for a in arrays), axis)


def take(x, indices, /, *, axis=None):
    """Elements of ``x`` at ``indices`` along ``axis`` (of the flattened array if None).

    Negative indices count from the end. Raises IndexError for a position outside.
    """
    if axis is None:
        x, axis = _core.reshape(x, (-1,)), 0
    return _core.take(x, indices, axis)


def _wide(x, dtype):
    """Sums of small integers and bools are int64 (or uint64), as the array API says."""
    x = asarray(x)
    if dtype is not None:
        return _core.astype(x, dtype)
    if x.dtype.kind in "bi" and x.dtype.name != "int64":
        return _core.astype(x, int64)
    if x.dtype.kind == "u" and x.dtype.name != "uint64":
        return _core.astype(x, BY_NAME["uint64"])
    return x


def sum(x, /, *, axis=None, dtype=None, keepdims=False):  # noqa: A001
    """Sum over ``axis`` (an axis, several, or all); integers and bools as int64."""
    return _core.reduce("sum", _wide(x, dtype), axis, keepdims)


def max(x, /, *, axis=None, keepdims=False):  # noqa: A001
    """Largest element over ``axis``; nan if any is nan. Raises ValueError for an empty axis."""
    return _core.reduce("max", x, axis, keepdims)


def min(x, /, *, axis=None, keepdims=False):  # noqa: A001
    """Smallest element over ``axis``; nan if any is nan. Raises ValueError for an empty axis."""
    return _core.reduce("min", x, axis, keepdims)


def argmax(x, /, *, axis=None, keepdims=False):
    """Position of the first largest element along ``axis``, or in the flattened array."""
    return _core.reduce("argmax", x, axis, keepdims)


def argmin(x, /, *, axis=None, keepdims=False):
    """Position of the first smallest element along ``axis``, or in the flattened array."""
    return _core.reduce("argmin", x, axis, keepdims)


def any(x, /, *, axis=None, keepdims=False):  # noqa: A001
    """Whether any element over ``axis`` is true (not 0)."""
    found = _core.reduce("sum", _core.astype(_core.astype(x, bool_), int64), axis, keepdims)
    return _ops["greater"](found, 0)


def all(x, /, *, axis=None, keepdims=False):  # noqa: A001
    """Whether all elements over ``axis`` are true (not 0)."""
    misses = _core.reduce("sum", _core.astype(_ops["bitwise_invert"](_core.astype(x, bool_)), int64), axis, keepdims)
    return _ops["equal"](misses, 0)


def clip(x, /, min=None, max=None):  # noqa: A002
    """Elements of ``x`` brought into [``min``, ``max``]; a bound of None is left out."""
    x = asarray(x)
    if min is not None:
        x = _ops["maximum"](x, min)
    return x if max is None else _ops["minimum"](x, max)


def pow(x, y, /):  # noqa: A001
    """``x`` to a Python integer ``y`` (or 0.5), by squaring; 1 / ``x`` to -``y`` for negative ones.

    Raises DTypeError for other exponents.
    """
    if y == 0.5:
        return _ops["sqrt"](x)
    if not isinstance(y, int):
        raise make("DTypeError", f"pow: exponent: expected a Python integer or 0.5, got {y!r}")
    if y < 0:
        return _ops["reciprocal"](pow(x, -y))
    result, power = None, x
    while y:
        if y & 1:
            result = power if result is None else result * power
        y >>= 1
        if y:
            power = _ops["square"](power)
    return ones_like(x) if result is None else result + 0 if result is x else result


def matmul(x, y, /):
    """Matrix product; vectors are rows on the left and columns on the right, further axes are batches that broadcast."""
    return _core.matmul(x, y)


def dot(x, y, /):
    """Product of numbers, vectors or matrices, as NumPy's for up to two axes."""
    x, y = asarray(x), asarray(y)
    return _ops["multiply"](x, y) if x.ndim == 0 or y.ndim == 0 else _core.matmul(x, y)


def outer(x, y, /):
    """Products of every element of the vector ``x`` with every element of the vector ``y``."""
    return _ops["multiply"](_core.reshape(x, (-1, 1)), _core.reshape(y, (1, -1)))


def result_type(*values):
    """The dtype that an operation over arrays and dtypes runs in."""
    types = [v.dtype if isinstance(v, Array) else v for v in values]
    result = types[0]
    for t in types[1:]:
        result = _core.promote(result, t)
    return result


def set_default_dtype(dtype):
    """The dtype of arrays made from Python floats, float32 at first. Raises DTypeError unless it is float32 or float64."""
    _core.set_default_dtype(dtype)


def get_default_dtype():
    """The dtype of arrays made from Python floats."""
    return _core.default_dtype()


def allclose(x, y, /, rtol=1e-5, atol=1e-8):
    """Whether all elements are as close as NumPy's ``allclose`` asks; a Python bool."""
    x, y = asarray(x), asarray(y)
    difference = _ops["abs"](x - y)
    return bool(all(_ops["bitwise_or"](_ops["less_equal"](difference, atol + rtol * _ops["abs"](y)), _ops["equal"](x, y))))


def array_equal(x, y, /):
    """Whether shapes and all elements are equal; a Python bool."""
    x, y = asarray(x), asarray(y)
    return x.shape == y.shape and bool(all(_ops["equal"](x, y)))
