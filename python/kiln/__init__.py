"""Kiln: a tracing JIT compiler for array programs.

>>> import kiln as kn
>>> @kn.jit
... def scale(x, w):
...     return kn.tanh(x * w)
"""
import os as _os
import sys as _sys

_interpreters = __import__("_interpreters" if _sys.version_info >= (3, 13) else "_xxsubinterpreters")
if _interpreters.get_current() != _interpreters.get_main():  # before the native part, which takes the lock of the main one
    raise ImportError("kiln: expected the main interpreter of the process, got a subinterpreter: import it there, or start a process")

from enum import Enum as _Enum

from . import _core, _capture, _dtypes, _errors, _jit, _repr, tree

_folder = _os.path.dirname(_os.path.abspath(__file__))
_core_folder = _os.path.dirname(_os.path.abspath(_core.__file__))
_libraries = next(p for p in (_os.path.join(_core_folder, "lib"), _os.path.join(_core_folder, "..", "..", "lib"), _core_folder) if _os.path.isdir(p))
_python_side = {
    "raise": _errors.make, "repr": _repr.array_text, "leave": _errors.Leave, "analyze": _capture.analyze, "note": _jit.note, "where": _errors.where, "flatten": tree.flatten_node, "take_result": tree.take_result, "make_result": tree.make_result,
    "line_of": _errors.line_text, "op_function": _core.OpFunction, "dtype_class": type(_dtypes.ALL[0]), "enum_class": _Enum, "dtypes": _dtypes.ALL, "folder": _os.path.join(_folder, ""), "libraries": _libraries}
_core.set_python_side(_python_side)

from ._core import Array  # noqa: E402
from ._config import config  # noqa: E402
from ._creation import (arange, array, asarray, copy, empty, empty_like, eye, from_dlpack, full, full_like, linspace,  # noqa: E402
                        meshgrid, ones, ones_like, tril, triu, zeros, zeros_like)
from ._dtypes import DType, finfo, iinfo  # noqa: E402
from ._errors import (AxisError, CompileError, DeviceError, DTypeError, IndexError, KilnError, KilnWarning,  # noqa: A004, E402
                      PackageError, ShapeError, TraceError)
from ._jit import clear_caches, disable_jit, jit, memory_stats  # noqa: E402
from ._ops import *  # noqa: F403, E402
from ._products import convolution, dot, matmul, outer, tensordot, vecdot  # noqa: E402
from ._reductions import (all, allclose, amax, amin, any, argmax, argmin, array_equal, clip, count_nonzero, cumprod,  # noqa: A004, E402
                          cumsum, cumulative_max, cumulative_min, cumulative_prod, cumulative_sum, diff, isclose, max, min, prod, sum)
from ._selection import (argsort, argwhere, dynamic_slice, dynamic_update, flatnonzero, isin, nonzero, put_along_axis,  # noqa: E402
                         ravel_multi_index, searchsorted, sort, take, take_along_axis, unique_all, unique_counts, unique_inverse,
                         unique_values, unravel_index, where)
from ._shaping import (atleast_1d, atleast_2d, broadcast_arrays, broadcast_shapes, broadcast_to, concat, concatenate, diag,  # noqa: E402
                       diagonal, expand_dims, flip, hstack, matrix_transpose, moveaxis, pad, permute_dims, ravel, repeat, reshape, roll,
                       rot90, split, squeeze, stack, swapaxes, tile, trace, transpose, unstack, vstack)
from ._types import (__array_namespace_info__, astype, bitcast, can_cast, get_default_dtype, get_num_threads, isdtype,  # noqa: E402
                     result_type, set_default_dtype, set_num_threads)
from ._versions import get_include, show_versions  # noqa: E402
from .composed.special import angle, gelu, isreal, nan_to_num, relu, sigmoid, silu, softplus  # noqa: E402
from .composed.statistics import average, logsumexp, mean, median, percentile, quantile, softmax, std, var  # noqa: E402
from . import _methods, fft, linalg  # noqa: E402

absolute, conjugate, arctan2, power, mod, invert = abs, conj, atan2, pow, remainder, bitwise_invert  # noqa: F405
arcsin, arccos, arctan, arcsinh, arccosh, arctanh = asin, acos, atan, asinh, acosh, atanh  # noqa: F405
bool, int8, int16, int32, int64, uint8, uint16, uint32, uint64, float16, bfloat16, float32, float64, complex64, complex128, float8_e4m3fn, float8_e5m2 = (  # noqa: A001
    _dtypes.ALL)
bool_, newaxis, pi, e, inf, nan = _dtypes.BY_NAME["bool"], None, 3.141592653589793, 2.718281828459045, float("inf"), float("nan")

__version__ = "0.1.0"
__array_api_version__ = "2025.12"


def __getattr__(name):
    if name == "testing":  # on the first use: it needs more of the standard library than the rest
        import importlib
        return importlib.import_module("kiln.testing")
    raise AttributeError(f"module 'kiln' has no attribute '{name}'")
