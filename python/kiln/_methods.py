"""Methods of arrays that are functions of the namespace."""
from . import _core, _creation, _products, _reductions, _selection, _shaping, _types
from ._arguments import check_device
from ._core import Array
from .composed import statistics


def _shape_args(shape):
    return shape[0] if len(shape) == 1 and isinstance(shape[0], (tuple, list)) else shape


def numpy(self):
    """The array as a NumPy array that shares its memory."""
    import numpy as np
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
    """The array on a device: itself. Raises DeviceError for a device that is not there."""
    check_device(device)
    return self


def __dlpack__(self, *, stream=None, max_version=None, dl_device=None, copy=None):  # noqa: N807
    """The memory of the array as a DLPack capsule; read-only memory needs ``max_version`` of at least (1, 0).

    Raises BufferError for another device or for read-only memory without versions.
    """
    if dl_device not in (None, (1, 0)) or stream is not None:
        raise BufferError(f"__dlpack__: expected the CPU, (1, 0), and no stream, got {dl_device} and {stream}")
    return _core.dlpack(self, max_version is not None and max_version[0] >= 1, bool(copy))


def _repr_html_(self):
    """The array's values, with its shape and dtype below them, for notebooks."""
    import html
    shape = " × ".join(map(str, self.shape)) or "one number"
    return f"<div><pre>{html.escape(repr(self))}</pre><small>{shape}, {self.dtype.name}</small></div>"


def _reduction(function):
    def method(self, axis=None, keepdims=False):
        return function(self, axis=axis, keepdims=keepdims)
    method.__name__ = method.__qualname__ = function.__name__
    method.__doc__ = function.__doc__
    return method


for _function in (_reductions.sum, _reductions.prod, _reductions.max, _reductions.min, _reductions.argmax, _reductions.argmin,
                  _reductions.any, _reductions.all, statistics.mean, statistics.var, statistics.std):
    setattr(Array, _function.__name__, _reduction(_function))

Array.numpy = numpy
Array.__array__ = __array__
Array.__array_priority__ = 100
Array.__array_ufunc__ = None  # NumPy arrays leave operators to Array
Array.__dlpack__, Array.__dlpack_device__ = __dlpack__, lambda self: (1, 0)
Array.to_device, Array._repr_html_ = to_device, _repr_html_
Array.at = property(_selection.At, doc="``x.at[key].set(value)``, ``add``, ``multiply``, ``min``, ``max``: a changed copy.")


def _method(name, summary, function):
    function.__name__ = function.__qualname__ = name
    function.__doc__ = summary
    setattr(Array, name, function)


_method("astype", "Another dtype; see ``kn.astype``.", lambda self, dtype, copy=True: _types.astype(self, dtype, copy=copy))
_method("transpose", "Permuted axes, a view; reversed where none are given.", lambda self, *axes: _shaping.transpose(self, _shape_args(axes) if axes else None))
_method("flatten", "A copy with one axis, in row-major order.", lambda self: _core.copy(_core.reshape(self, (-1,))))
_method("ravel", "One axis, in row-major order: a view where that can be.", lambda self: _core.reshape(self, (-1,)))
_method("conj", "Complex conjugates; real numbers as they are.", lambda self: _core.op_functions["conj"](self))
_method("squeeze", "Without axes of size 1; see ``kn.squeeze``.", lambda self, axis=None: _shaping.squeeze(self, axis))
_method("clip", "Elements moved into [min, max]; see ``kn.clip``.", lambda self, min=None, max=None: _reductions.clip(self, min, max))
_method("cumsum", "Sums of all elements up to each; see ``kn.cumsum``.", lambda self, axis=None: _reductions.cumsum(self, axis))
_method("dot", "Products as NumPy's dot; see ``kn.dot``.", lambda self, other: _products.dot(self, other))
_method("nonzero", "Positions of the elements that are not 0; see ``kn.nonzero``.", lambda self: _selection.nonzero(self))
Array.__copy__ = lambda self: _core.copy(self)
Array.__deepcopy__ = lambda self, memo: _core.copy(self)
Array.__round__ = lambda self, digits=None: round(self.item(), digits)
Array.__array_namespace__ = lambda self, api_version=None: __import__("kiln")
Array.__reduce__ = lambda self: (_unpickle, (_core.to_bytes(self), self.shape, self.dtype.name))


def _unpickle(data, shape, dtype):
    return _core.from_bytes(data, shape, dtype)
