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
from functools import partial as _partial
from typing import TYPE_CHECKING as _TYPE_CHECKING

from . import _core, _capture, _dtypes, _errors, _jit, _objects, _repr, debug, tree

_folder = _os.path.dirname(_os.path.abspath(__file__))
_core_folder = _os.path.dirname(_os.path.abspath(_core.__file__))
_libraries = next(p for p in (_os.path.join(_core_folder, "lib"), _os.path.join(_core_folder, "..", "..", "lib"), _core_folder) if _os.path.isdir(p))


def _form(name, args, named):
    from . import _forms
    return _forms.call(name, args, named)


_python_side = {
    "form": _form, "raise": _errors.make, "repr": _repr.array_text, "leave": _errors.Leave, "analyze": _capture.analyze, "kind_of": _known.kind_of, "note": _jit.note, "where": _errors.where, "flatten": _objects.take_apart, "take_result": _objects.take_apart, "make_result": _objects.put_together,
    "log": _jit.log, "print": debug.print, "operations": _core.operations, "line_of": _errors.line_text, "source_of": _errors.source_of, "op_function": _core.OpFunction, "dtype_class": type(_dtypes.ALL[0]), "thing_classes": (_Enum, _partial), "partial": _partial, "dtypes": _dtypes.ALL, "standard_library": _capture.LIBRARIES, "folder": _os.path.join(_folder, ""), "libraries": _libraries}
_core.set_python_side(_python_side)

from ._core import Array  # noqa: E402
from ._config import config  # noqa: E402
from ._choosing import (apply_along_axis, apply_over_axes, choose, compress, copyto, extract, ix_, ndenumerate, ndindex, piecewise,  # noqa: E402
                        place, put, putmask, select)
from ._control import associative_scan, cond, fori_loop, scan, switch, while_loop  # noqa: E402
from ._creation import (array, asarray, copy, empty, empty_like, from_dlpack, full, full_like, ones, ones_like, zeros, zeros_like)  # noqa: E402
from ._devices import default_device, device, devices, set_default_device  # noqa: E402
from ._diagonals import (diag, diag_indices, diag_indices_from, diagflat, diagonal, eye, fill_diagonal, identity, indices, trace, tri,  # noqa: E402
                         tril, tril_indices, tril_indices_from, triu, triu_indices, triu_indices_from, vander)
from ._dtypes import DType, finfo, iinfo  # noqa: E402
from ._einsum import einsum, einsum_path  # noqa: E402
from ._errors import (AxisError, CompileError, DeviceError, DTypeError, IndexError, KilnError, KilnWarning,  # noqa: A004, E402
                      PackageError, ShapeError, TraceError)
from ._jit import clear_caches, disable_jit, jit, memory_stats  # noqa: E402
from ._batches import vmap  # noqa: E402
from ._gradients import grad, jvp, linearize, stop_gradient, value_and_grad, vjp  # noqa: E402
from ._jacobians import hessian, jacfwd, jacrev  # noqa: E402
from ._joining import (append, array_split, block, column_stack, concat, concatenate, delete, dsplit, dstack, hsplit, hstack,  # noqa: E402
                       insert, repeat, split, stack, tile, unstack, vsplit, vstack)
from ._ops import *  # noqa: F403, E402
from ._ordering import argpartition, argsort, digitize, lexsort, partition, searchsorted, sort, top_k  # noqa: E402
from ._checkpoint import checkpoint  # noqa: E402
from ._own_derivatives import custom_jvp, custom_vjp  # noqa: E402
from ._op_rules import ShapeDtypeStruct  # noqa: E402
from ._callbacks import pure_callback  # noqa: E402
from ._padding import pad, resize, trim_zeros  # noqa: E402
from ._products import convolution, dot, inner, kron, matmul, outer, tensordot, vdot, vecdot  # noqa: E402
from ._ranges import arange, geomspace, linspace, logspace, meshgrid  # noqa: E402
from ._reductions import (all, allclose, amax, amin, any, argmax, argmin, array_equal, clip, count_nonzero, cumprod,  # noqa: A004, E402
                          cumsum, cumulative_max, cumulative_min, cumulative_prod, cumulative_sum, diff, isclose, max, min, prod, ptp, sum)
from ._rounding import around, round  # noqa: A004, E402
from ._selection import (argwhere, dynamic_slice, dynamic_update, flatnonzero, nonzero, put_along_axis,  # noqa: E402
                         ravel_multi_index, take, take_along_axis, unravel_index, where)
from ._sets import (intersect1d, isin, setdiff1d, setxor1d, union1d, unique, unique_all, unique_counts, unique_inverse,  # noqa: E402
                    unique_values)
from ._shaping import (atleast_1d, atleast_2d, atleast_3d, broadcast_arrays, broadcast_shapes, broadcast_to, expand_dims, flip,  # noqa: E402
                       fliplr, flipud, matrix_transpose, moveaxis, permute_dims, ravel, reshape, roll, rollaxis, rot90, squeeze,
                       swapaxes, transpose)
from ._types import (__array_namespace_info__, astype, bitcast, can_cast, get_default_dtype, get_num_threads, isdtype,  # noqa: E402
                     result_type, set_default_dtype, set_num_threads)
from ._vectorized import vectorize  # noqa: E402
from ._versions import get_include, show_versions  # noqa: E402
from .composed.counting import (bincount, cumulative_trapezoid, histogram, histogram2d, histogram_bin_edges, histogramdd, interp,  # noqa: E402
                                trapezoid)
from .composed.elementwise import (deg2rad, degrees, divmod, exp10, fabs, float_power, frexp, gcd, lcm, ldexp, modf, rad2deg,  # noqa: A004, E402
                                   radians, rsqrt, sinc, spacing, unwrap, xlog1py, xlogy)
from .composed.polynomials import (poly, polyadd, polyder, polyfit, polyint, polymul, polysub, polyval, roots)  # noqa: E402
from .composed.quantiles import (median, nanargmax, nanargmin, nancumprod, nancumsum, nanmax, nanmean, nanmedian, nanmin, nanpercentile,  # noqa: E402
                                 nanprod, nanquantile, nanstd, nansum, nanvar, percentile, quantile)
from .composed.signals import (bartlett, blackman, convolve, correlate, ediff1d, gradient, hamming, hanning, sliding_window_view)  # noqa: E402
from .composed.special import (angle, gelu, iscomplex, isneginf, isposinf, isreal, nan_to_num, relu, sigmoid, silu, softplus)  # noqa: E402
from .composed.statistics import (average, corrcoef, cov, log_softmax, logcumsumexp, logsumexp, mean, softmax, std, var)  # noqa: E402
from . import _methods, _numpy_methods, _protocols, exceptions, fft, linalg, nn, random, special  # noqa: E402
from .linalg import cross  # noqa: E402

absolute, conjugate, arctan2, power, mod, invert = abs, conj, atan2, pow, remainder, bitwise_invert  # noqa: F405
arcsin, arccos, arctan, arcsinh, arccosh, arctanh = asin, acos, atan, asinh, acosh, atanh  # noqa: F405
bool, int8, int16, int32, int64, uint8, uint16, uint32, uint64, float16, bfloat16, float32, float64, complex64, complex128, float8_e4m3fn, float8_e5m2 = (  # noqa: A001
    _dtypes.ALL)
bool_, newaxis, pi, e, inf, nan = _dtypes.BY_NAME["bool"], None, 3.141592653589793, 2.718281828459045, float("inf"), float("nan")

__version__ = "0.1.0"
__array_api_version__ = "2025.12"


_LATER = {"custom_op": "_custom", "export": "_export", "load": "_load"}  # on the first use: they need more of the standard library than the rest
_OF_NUMPY = ("dtype", "errstate", "get_printoptions", "issubdtype", "mgrid", "ndim", "ogrid", "printoptions", "promote_types", "save", "savez", "set_printoptions",
             "shape", "size")  # of kiln.numpy, and as late

if _TYPE_CHECKING:
    from ._custom import custom_op
    from ._export import export
    from ._load import load


def __dir__():
    return sorted({*globals(), *_LATER, *_OF_NUMPY})


def __getattr__(name):
    if name in _LATER:
        import importlib
        return getattr(importlib.import_module(f"kiln.{_LATER[name]}"), name)
    if name in _OF_NUMPY:
        from . import _numpy
        return _numpy.NAMES[name]
    if name in ("debug", "testing", "numpy"):  # the same
        import importlib
        return importlib.import_module(f"kiln.{name}")
    from ._planned import missing
    raise missing(name)
