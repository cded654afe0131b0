"""NumPy's names over Kiln's functions, for programs whose only change is the import: ``import kiln.numpy as np``.

Importing it makes float64 the default dtype of the process, unless the program has called ``kn.set_default_dtype``. What differs from NumPy
is in the table of "Coming from NumPy".
"""
import sys as _sys

import kiln as _kn

from . import _numpy, _types, exceptions, fft, linalg, random  # noqa: F401
from ._core import Array as ndarray  # noqa: F401

globals().update({_name: getattr(_kn, _name) for _name in dir(_kn) if not _name.startswith("_")})
globals().update(_numpy.NAMES)
globals().update(_numpy.MODULES)
_sys.modules.update({f"{__name__}.{_name}": _module for _name, _module in {**_numpy.PATHS, "linalg": linalg, "fft": fft, "random": random}.items()})  # import kiln.numpy.linalg
asanyarray, in1d, row_stack, trapz = _kn.asarray, _kn.isin, _kn.vstack, _kn.trapezoid
Inf = Infinity = PINF = _kn.inf
NaN = NAN = _kn.nan
__version__ = "2.3.0"  # of the NumPy whose names these are
NINF, euler_gamma, True_, False_, little_endian = -_kn.inf, 0.5772156649015329, True, False, True

if not _types.default_is_chosen():
    _kn._core.set_default_dtype(_kn.float64)
