"""Methods of arrays that are functions of the namespace."""
from . import (_core, _diagonals, _joining, _ordering, _products, _reductions, _rounding, _selection,
               _shaping)
from ._arguments import operation
from ._core import Array
from .composed import statistics


def _shape_args(shape):
    return shape[0] if len(shape) == 1 and isinstance(shape[0], (tuple, list)) else shape


def numpy(self):
    """The array as a NumPy array that shares its memory; of another device than the CPU, a copy."""
    import numpy as np
    self = _core.to_device(self, "cpu")
    if self.dtype.name in _BITS:
        return np.asarray(memoryview(_core.bits_of(self))).view(_numpy_dtype(self.dtype))
    return np.asarray(memoryview(self))


_BITS = ("bfloat16", "float8_e4m3fn", "float8_e5m2")  # NumPy knows them through ml_dtypes alone


def _numpy_dtype(dtype):
    try:
        import ml_dtypes
    except ImportError:
        from ._errors import make
        raise make("DTypeError", f"numpy: dtype: expected one that NumPy has, got {dtype}: install ml_dtypes, or convert with kn.astype") from None
    return getattr(ml_dtypes, dtype.name)


def __array__(self, dtype=None, copy=None):  # noqa: N807
    import numpy as np
    return np.array(numpy(self), dtype=dtype, copy=True if copy else None)


def to_device(self, device, /, *, stream=None):
    """The array on a device: itself where it is there, and a copy otherwise, at which a jitted function goes on in eager.

    Raises DeviceError for a device that is not there, or a ``stream``.
    """
    if stream is not None:
        from ._errors import make
        raise make("DeviceError", f"to_device: stream: expected None, got {stream!r}")
    return _core.to_device(self, device)


def __dlpack__(self, *, stream=None, max_version=None, dl_device=None, copy=None):  # noqa: N807
    """The memory of the array as a DLPack capsule; read-only memory needs ``max_version`` of at least (1, 0).

    ``stream`` is the one of the other library that is to wait for the array, on its device: None or 1 for CUDA's default stream, 2 for that of the
    thread, -1 for none. With ``dl_device=(1, 0)`` an array of a GPU is copied to the CPU.

    Raises BufferError for another device or for read-only memory without versions.
    """
    here = _core.dlpack_device(self)
    wanted = here if dl_device is None else tuple(dl_device)
    if wanted not in (here, (1, 0)) or (here == (1, 0) and stream is not None) or (wanted != here and copy is False):
        raise BufferError(f"__dlpack__: expected the array's device, {here}, or a copy on the CPU, (1, 0), and a stream of a GPU alone, got {dl_device} and {stream}")
    queue = 1 if stream is None else 0 if stream == -1 else stream
    return _core.dlpack(self, max_version is not None and max_version[0] >= 1, bool(copy), wanted == (1, 0), queue)


def _cuda_array_interface(self):
    """The memory of an array of a GPU, for other libraries (version 3 of the CUDA array interface); arrays of the CPU have no such attribute."""
    found = _core.device_memory(self) if self.device.startswith("cuda") else None
    if found is None:
        raise AttributeError(f"__cuda_array_interface__: expected an array of a GPU, got one of '{self.device}'")
    address, strides, is_writable, queue = found
    return {"shape": self.shape, "typestr": self.dtype.str, "data": (address, not is_writable), "strides": strides, "version": 3, "stream": queue}


def _repr_html_(self):
    """The array's values, with its shape and dtype below them, for notebooks."""
    import html
    shape = " × ".join(map(str, self.shape)) or "one number"
    return f"<div><pre>{html.escape(repr(self))}</pre><small>{shape}, {self.dtype.name}</small></div>"


Array.numpy = numpy
Array.__array__ = __array__
Array.__array_priority__ = 100
Array.__dlpack__, Array.__dlpack_device__ = __dlpack__, lambda self: _core.dlpack_device(self)
Array.__cuda_array_interface__ = property(_cuda_array_interface)
Array.to_device, Array._repr_html_ = to_device, _repr_html_
Array.at = property(_selection.At, doc="``x.at[key].set(value)``, ``add``, ``multiply``, ``min``, ``max``: a changed copy.")


# Methods that are the function of the name: its first operand is the array.
for _function in (_reductions.sum, _reductions.prod, _reductions.max, _reductions.min, _reductions.argmax, _reductions.argmin, _reductions.any,
                  _reductions.all, _reductions.clip, _reductions.cumsum, _reductions.cumprod, statistics.mean, statistics.var, statistics.std,
                  _ordering.argsort, _ordering.argpartition, _ordering.searchsorted, _selection.take, _selection.nonzero, _joining.repeat,
                  _shaping.squeeze, _shaping.swapaxes, _diagonals.diagonal, _diagonals.trace, _products.dot, _rounding.round):
    setattr(Array, _function.__name__, _function)


def _method(name, summary, function):
    function.__name__ = function.__qualname__ = name
    function.__doc__ = summary
    setattr(Array, name, function)


_method("transpose", "Permuted axes, a view; reversed where none are given.", lambda self, *axes: _shaping.transpose(self, _shape_args(axes) if axes else None))
_method("flatten", "A copy with one axis, in row-major order.", lambda self, order="C": _core.copy(_shaping.ravel(self, order)))
_method("_ravel", "``ravel`` with an order.", lambda self, order="C": _shaping.ravel(self, order))
_method("conj", "Complex conjugates; real numbers as they are.", lambda self: _core.op_functions["conj"](self))
_method("conjugate", "Complex conjugates; real numbers as they are.", lambda self: _core.op_functions["conj"](self))
_method("fill", "Writes a number into every element.", operation(lambda self, value: self.__setitem__(..., value)))
_method("sort", "Puts the elements along an axis in order, in place; see ``kn.sort``.",
        lambda self, axis=-1, kind=None, order=None: self.__setitem__(..., _ordering.sort(self, axis)))
_method("partition", "Puts an element of the sorted axis in its place, in place; see ``kn.partition``.",
        lambda self, kth, axis=-1: self.__setitem__(..., _ordering.partition(self, kth, axis)))
_method("tobytes", "The elements as bytes, in row-major order, or in column-major order with "F".", lambda self, order="C": _core.to_bytes(_core.copy(_shaping.ravel(self, order))))
Array.__copy__ = lambda self: _core.copy(self)
Array.__deepcopy__ = lambda self, memo: _core.copy(self)
Array.__round__ = lambda self, digits=None: round(self.item(), digits)
Array.__array_namespace__ = lambda self, api_version=None: __import__("kiln")
Array.__reduce__ = lambda self: (_unpickle, (_core.to_bytes(self), self.shape, self.dtype.name))


def _unpickle(data, shape, dtype):
    return _core.from_bytes(data, shape, dtype)
