"""New arrays."""
import builtins

from . import _core
from ._arguments import as_array, as_tuple, check_device, integer, on_device, placed
from ._core import Array
from ._dtypes import BY_NAME
from ._errors import DTypeError, ShapeError, make

int64 = BY_NAME["int64"]


_DEEPEST = 32  # axes of an array
_PLAIN = (Array, list, tuple, float, int, bool, complex)


def asarray(obj, /, dtype=None, order=None, *, device=None, copy=None) -> Array:
    """An array of ``obj``: an array, a number, nested sequences, or anything with the buffer protocol (shared if it can be),
    DLPack, ``__array__`` or ``__array_interface__``.

    ``order`` is there for NumPy's sake: memory has row-major order. Raises DTypeError for elements of other types, ShapeError for
    ragged sequences, ValueError where ``copy=False`` cannot be, DeviceError for a ``device`` that is not there.
    """
    if device is not None:
        with on_device(device) as target:
            x = asarray(obj, dtype, copy=copy)
        if copy is False and x.device != target.name:
            raise make("ValueError", f"asarray: copy: expected True or None for an array of '{x.device}' on '{target.name}', got False")
        return placed(x, device)
    kind = type(obj)
    if kind in (list, tuple):
        return _of_sequence(obj, dtype, copy)
    if kind in _PLAIN:
        return _core.asarray(obj, dtype, copy)
    if kind.__module__ == "numpy":  # the memory of a scalar is read-only
        return _core.asarray(obj, dtype, copy if copy is not None or hasattr(kind, "__setitem__") else True)
    return _of_object(obj, dtype, copy)


def _of_object(obj, dtype, copy):
    """What other libraries call an array: by the protocol that it has."""
    try:
        memoryview(obj)
    except TypeError:
        pass
    else:
        return _core.asarray(obj, dtype, copy)
    if hasattr(obj, "__dlpack__"):
        result = _core.from_dlpack(obj, bool(copy))
        return result if dtype is None else _core.asarray(result, dtype, copy)
    if hasattr(obj, "__array__"):
        return _core.asarray(obj.__array__(), dtype, copy)
    if hasattr(obj, "__array_interface__"):
        import numpy
        return _core.asarray(numpy.asarray(obj), dtype, copy)
    if hasattr(obj, "__index__"):
        return _core.asarray(int(obj), dtype, copy)
    if hasattr(obj, "__len__") and hasattr(obj, "__getitem__") and not isinstance(obj, (str, bytes, dict)):
        return _of_sequence(list(obj), dtype, copy)
    return _core.asarray(obj, dtype, copy)


def _of_sequence(values, dtype, copy):
    """A nested sequence: of Python numbers by the native part, of others by their arrays."""
    leaf, depth = values, 0
    while type(leaf) in (list, tuple) and leaf and depth <= _DEEPEST:  # one may hold itself
        leaf, depth = leaf[0], depth + 1
    if type(leaf) in (float, int, bool, complex, list, tuple):
        try:
            return _core.asarray(values, dtype, copy)
        except (DTypeError, ShapeError):
            if depth > _DEEPEST:
                raise
            if dtype is not None and _only_numbers(values):  # numbers of another kind than the dtype: converted as arrays are
                wide = _core.asarray(values, None, copy)
                if wide.dtype.kind == "c" or copy is False:
                    raise
                return _core.astype(wide, dtype)
            if _only_numbers(values):
                raise
    if copy is False:
        raise make("ValueError", "asarray: copy: expected True or None for a Python object, got False")
    return _joined(values, dtype)


def _only_numbers(values, depth=0):
    return depth <= _DEEPEST and builtins.all(_only_numbers(v, depth + 1) if type(v) in (list, tuple) else type(v) in (float, int, bool, complex) for v in values)


def _joined(values, dtype, depth=0):
    from . import _shaping
    if depth > _DEEPEST:
        raise make("ShapeError", f"asarray: rank: expected at most {_DEEPEST}, got a deeper sequence")
    parts = [_joined(v, None, depth + 1) if type(v) in (list, tuple) and v and not _only_numbers(v) else v if type(v) in (float, int, bool, complex) else asarray(v) for v in values]
    found = [p.dtype for p in parts if isinstance(p, Array)]
    if dtype is None:
        dtype = found[0] if found else None
        for t in found[1:]:
            dtype = _core.promote(dtype, t)
        for p in parts:
            if not isinstance(p, Array) and dtype is not None:
                dtype = with_number(dtype, p)
    parts = [_core.asarray(p, dtype, None) for p in parts]
    if builtins.any(p.shape != parts[0].shape for p in parts):
        raise make("ShapeError", "asarray: nested sequences: expected equal lengths at each depth, got a ragged one")
    return _core.concat(tuple(_shaping.expand_dims(p, 0) for p in parts), 0)


def with_number(dtype, number):
    """The dtype of an operation of an array of ``dtype`` with a Python number."""
    default = _core.default_dtype()
    if isinstance(number, bool) or dtype.kind == "c":
        return dtype
    if isinstance(number, int):
        return int64 if dtype.kind == "b" else dtype
    if isinstance(number, float):
        return dtype if dtype.kind == "f" else default
    return BY_NAME["complex128" if (dtype if dtype.kind == "f" else default).name == "float64" else "complex64"]


def array(obj, dtype=None, *, copy=True, order=None, ndmin=0) -> Array:
    """A new array of ``obj``, as ``asarray`` with a copy, with at least ``ndmin`` axes, added in front."""
    result = asarray(obj, dtype, copy=copy or None)
    return result if result.ndim >= ndmin else _core.reshape(result, (1,) * (ndmin - result.ndim) + result.shape)


def _sizes(op, shape):
    """A shape as a tuple of sizes. Raises ValueError for a negative one."""
    if type(shape) is int and shape >= 0:
        return (shape,)
    shape = tuple(integer(op, "shape", n) if not isinstance(n, int) else n for n in as_tuple(shape.tolist() if hasattr(shape, "tolist") else shape))
    for n in shape:
        if n < 0:
            raise make("ShapeError", f"{op}: shape: expected sizes of at least 0, got {shape}")
    return shape


def full(shape, fill_value, dtype=None, order=None, *, device=None) -> Array:
    """An array of ``shape`` with every element ``fill_value``, which may be an array that broadcasts.

    Raises ShapeError for a negative size.
    """
    if device is not None:
        with on_device(device):
            return placed(full(shape, fill_value, dtype), device)
    shape = _sizes("full", shape)
    if isinstance(fill_value, float) and dtype is not None and _core.to_dtype(dtype).kind in "iu":  # converted as arrays are
        fill_value = _core.astype(_core.full((), fill_value, "float64"), dtype)
    if isinstance(fill_value, (bool, int, float, complex)):
        return _core.full(shape, fill_value, dtype)
    value = asarray(fill_value, dtype)
    return _core.copy(_core.broadcast_to(value, shape))


def _filled(op, shape, value, dtype, device):
    return _core.full(_sizes(op, shape), value, dtype or _core.default_dtype(), device)


def _zeros(op, shape, dtype, device):
    made = _core.zeros(shape, dtype) if device is None else None  # None for what is not as plain
    return _filled(op, shape, 0, dtype, device) if made is None else made


def zeros(shape, dtype=None, order=None, *, device=None) -> Array:
    """Zeros of ``shape``; the default dtype unless given. Raises ShapeError for a negative size."""
    return _zeros("zeros", shape, dtype, device)


def ones(shape, dtype=None, order=None, *, device=None) -> Array:
    """Ones of ``shape``; the default dtype unless given. Raises ShapeError for a negative size."""
    return _filled("ones", shape, 1, dtype, device)


def empty(shape, dtype=None, order=None, *, device=None) -> Array:
    """An array of ``shape``; its elements are zeros. Raises ShapeError for a negative size."""
    return _zeros("empty", shape, dtype, device)


def _like(op, x, value, dtype, shape, device):
    x = as_array(x)
    return full(x.shape if shape is None else shape, value, dtype or x.dtype, device=device or (x.device if x.device != _core.default_device() else None))


def zeros_like(x, /, dtype=None, order=None, *, shape=None, device=None) -> Array:
    """Zeros of the shape and dtype of ``x``, unless others are given."""
    return _like("zeros_like", x, 0, dtype, shape, device)


def ones_like(x, /, dtype=None, order=None, *, shape=None, device=None) -> Array:
    """Ones of the shape and dtype of ``x``, unless others are given."""
    return _like("ones_like", x, 1, dtype, shape, device)


def empty_like(x, /, dtype=None, order=None, *, shape=None, device=None) -> Array:
    """An array of the shape and dtype of ``x``, unless others are given; its elements are zeros."""
    return _like("empty_like", x, 0, dtype, shape, device)


def full_like(x, /, fill_value, dtype=None, order=None, *, shape=None, device=None) -> Array:
    """``fill_value`` in the shape and dtype of ``x``, unless others are given."""
    return _like("full_like", x, fill_value, dtype, shape, device)


def copy(x, /, order=None) -> Array:
    """A copy with memory of its own."""
    return _core.copy(as_array(x))


def from_dlpack(x, /, *, device=None, copy=None) -> Array:
    """An array over the memory of an object with ``__dlpack__``; shared unless ``copy`` is True.

    Raises BufferError for memory of another device, or where ``copy=False`` cannot be.
    """
    check_device(device)
    if isinstance(x, Array):
        return placed(_core.copy(x) if copy else x, device)
    return placed(_core.from_dlpack(x, bool(copy)), device)
