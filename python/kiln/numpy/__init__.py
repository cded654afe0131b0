"""NumPy's names over Kiln's functions, for programs whose only change is the import: ``import kiln.numpy as np``.

Importing it makes float64 the default dtype of the process (``kn.set_default_dtype``), unless the program has set one. What differs from NumPy is
in the table of "Coming from NumPy".
"""
import kiln as _kn
from kiln import bool, fft, linalg, random  # noqa: A004

from .. import _types as _kiln_types
from .._core import Array as ndarray
from .._creation import array, asarray
from .._errors import AxisError
from . import _ufuncs
from ._files import NpzFile, load, loadtxt, save, savetxt, savez, savez_compressed
from ._types import (array2string, array_equiv, array_repr, array_str, ascontiguousarray, byte, c_, cdouble, common_type, complexfloating, csingle, double, dtype,
                     errstate, floating, frombuffer, fromfunction, fromiter, generic, get_printoptions, geterr, half, index_exp, inexact, int_, intc, integer, intp,
                     iscomplexobj, isrealobj, isscalar, issubdtype, iterable, long, longlong, may_share_memory, mgrid, ndim, number, ogrid, printoptions,
                     promote_types, r_, require, s_, set_printoptions, seterr, shape, shares_memory, short, signedinteger, single, size, ubyte, uint, uintc, uintp,
                     ulong, ulonglong, unsignedinteger, ushort)

for _name in dir(_kn):
    if not _name.startswith("_") and _name not in globals():
        globals()[_name] = getattr(_kn, _name)
globals().update(_ufuncs.ALL)
asanyarray = asarray
in1d, row_stack, trapz = _kn.isin, _kn.vstack, _kn.trapezoid


def diagonal(a, offset=0, axis1=0, axis2=1):
    """``kn.diagonal`` of the first two axes."""
    return _kn.diagonal(a, offset, axis1, axis2)


def trace(a, offset=0, axis1=0, axis2=1, dtype=None, out=None):
    """``kn.trace`` of the first two axes."""
    return _kn.trace(a, offset, axis1, axis2, dtype, out)


max, min, round = _kn.max, _kn.min, _kn.round  # noqa: A001
Inf = Infinity = inf = _kn.inf
NaN = NAN = nan = _kn.nan
PINF, NINF, euler_gamma = inf, -inf, 0.5772156649015329
True_, False_ = True, False
exceptions = type("exceptions", (), {"AxisError": AxisError})

if not _kiln_types.default_is_chosen():
    _kn._core.set_default_dtype(double)
