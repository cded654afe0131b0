"""What kiln.numpy has besides kn: ufuncs, files, names of types, and settings. Importing it changes nothing."""
import types as _types

from .. import _diagonals
from ..composed import signals
from . import emath, files, functions, older, polynomial, testing, types, ufuncs


def diagonal(a, offset=0, axis1=0, axis2=1):
    """``kn.diagonal`` of the first two axes."""
    return _diagonals.diagonal(a, offset, axis1, axis2)


def trace(a, offset=0, axis1=0, axis2=1, dtype=None, out=None):
    """``kn.trace`` of the first two axes."""
    return _diagonals.trace(a, offset, axis1, axis2, dtype, out)


NAMES = {n: v for module in (types, files, functions, older) for n, v in vars(module).items() if getattr(v, "__module__", "") == module.__name__ and not n.startswith("_")}
NAMES |= {n: v for n, v in vars(types).items() if n in types.OBJECTS}
NAMES |= ufuncs.ALL | {"diagonal": diagonal, "trace": trace}
_stride_tricks = _types.SimpleNamespace(sliding_window_view=signals.sliding_window_view)
MODULES = {"emath": emath, "polynomial": polynomial, "testing": testing, "lib": _types.SimpleNamespace(stride_tricks=_stride_tricks)}
PATHS = {**MODULES, "lib.stride_tricks": _stride_tricks, **{f"polynomial.{n}": getattr(polynomial, n) for n in ("polynomial", "chebyshev", "legendre", "hermite", "laguerre")}}
