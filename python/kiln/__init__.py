"""Kiln: a tracing JIT compiler for array programs.

>>> import kiln as kn
>>> @kn.jit
... def scale(x, w):
...     return kn.tanh(x * w)
"""
import os as _os

from . import _core, _capture, _dtypes, _errors, _jit, _repr

_folder = _os.path.dirname(_os.path.abspath(__file__))
_core_folder = _os.path.dirname(_os.path.abspath(_core.__file__))
_libraries = next(p for p in (_os.path.join(_core_folder, "lib"), _os.path.join(_core_folder, "..", "..", "lib"), _core_folder) if _os.path.isdir(p))
_core.set_python_side({
    "raise": _errors.make, "repr": _repr.array_text, "leave": _errors.Leave, "analyze": _capture.analyze, "note": _jit.note, "where": _errors.where,
    "leaked": _errors.leaked, "dtypes": _dtypes.ALL, "folder": _folder, "libraries": _libraries})

from ._core import Array  # noqa: E402
from ._dtypes import DType, finfo, iinfo  # noqa: E402
from ._errors import (AxisError, CompileError, DeviceError, DTypeError, IndexError, KilnError, KilnWarning,  # noqa: A004, E402
                      PackageError, ShapeError, TraceError)
from ._functions import *  # noqa: F403, E402
from ._jit import disable_jit, jit  # noqa: E402
from ._ops import *  # noqa: F403, E402
from .composed.statistics import logsumexp, mean, softmax, std, var  # noqa: E402
from . import _methods  # noqa: E402

globals().update({t.name: t for t in _dtypes.ALL})
bool_, newaxis, pi, e, inf, nan = _dtypes.BY_NAME["bool"], None, 3.141592653589793, 2.718281828459045, float("inf"), float("nan")

__version__ = "0.1.0"
__array_api_version__ = "2025.12"
