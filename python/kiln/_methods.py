"""Methods of arrays that are functions of the namespace."""
from . import _core, _functions
from ._core import Array
from .composed import statistics


def _shape_args(shape):
    return shape[0] if len(shape) == 1 and isinstance(shape[0], (tuple, list)) else shape


def numpy(self):
    """The array as a NumPy array that shares its memory."""
    import numpy as np
    return np.asarray(memoryview(self))


def __array__(self, dtype=None, copy=None):  # noqa: N807
    import numpy as np
    return np.array(memoryview(self), dtype=dtype, copy=True if copy else None)


def _reduction(function):
    def method(self, axis=None, keepdims=False):
        return function(self, axis=axis, keepdims=keepdims)
    method.__name__ = method.__qualname__ = function.__name__
    method.__doc__ = function.__doc__
    return method


for _function in (_functions.sum, _functions.max, _functions.min, _functions.argmax, _functions.argmin, _functions.any,
                  _functions.all, statistics.mean, statistics.var, statistics.std):
    setattr(Array, _function.__name__, _reduction(_function))

Array.__pow__ = lambda self, exponent: _functions.pow(self, exponent)
Array.numpy = numpy
Array.__array__ = __array__
Array.__array_priority__ = 100
Array.__array_ufunc__ = None  # NumPy arrays leave operators to Array
Array.astype = lambda self, dtype: _core.astype(self, dtype)
Array.reshape = lambda self, *shape: _core.reshape(self, _shape_args(shape))
Array.transpose = lambda self, *axes: _functions.transpose(self, _shape_args(axes) if axes else None)
Array.copy = lambda self: _core.copy(self)
Array.flatten = lambda self: _core.copy(_core.reshape(self, (-1,)))
Array.ravel = lambda self: _core.reshape(self, (-1,))
Array.__copy__ = lambda self: _core.copy(self)
Array.__deepcopy__ = lambda self, memo: _core.copy(self)
Array.__round__ = lambda self, digits=None: round(self.item(), digits)
Array.__array_namespace__ = lambda self, api_version=None: __import__("kiln")
Array.__reduce__ = lambda self: (_unpickle, (bytes(memoryview(_core.copy(self)).cast("B") if self.size else b""), self.shape, self.dtype.name))


def _unpickle(data, shape, dtype):
    # Bytes are read-only: the array gets memory of its own.
    flat = _core.asarray(memoryview(data).cast("?" if dtype == "bool" else _FORMATS[dtype]), None, True) if data else _functions.zeros((0,), dtype=dtype)
    return _core.reshape(flat, shape)


_FORMATS = {"int8": "b", "int16": "h", "int32": "i", "int64": "l", "uint8": "B", "uint16": "H", "uint32": "I", "uint64": "L", "float32": "f", "float64": "d"}
