"""Functions of kiln.numpy that kn does not have: those that NumPy's programs alone ask for."""
import math
import re

import kiln as kn

from .. import _core
from .._arguments import as_array, choice, floating, integer, normalized_axis
from .._core import Array
from .._dtypes import BY_NAME, DType, finfo, iinfo
from .._errors import make
from . import types


def fix(x, out=None):
    """Whole part of each element, towards 0."""
    return kn.trunc(as_array(x)) if out is None else kn.trunc(as_array(x), out=out)


def frompyfunc(func, /, nin, nout, *, identity=None):
    """A function of ``nin`` numbers with ``nout`` results as one of arrays that broadcast: ``vectorize`` of NumPy. Results are arrays of numbers, where NumPy's are of objects.

    Raises ValueError where it is called with another number of operands.
    """
    each = kn.vectorize(func)

    def call(*args):
        if len(args) != nin:
            raise make("ValueError", f"{each.__name__}: operands: expected {nin}, got {len(args)}")
        return each(*args)

    call.__name__, call.__doc__ = each.__name__, each.__doc__
    call.nin, call.nout, call.nargs, call.identity = nin, nout, nin + nout, identity
    return call


def i0(x):
    """The modified Bessel function of order 0; see ``kn.special.i0``."""
    return kn.special.i0(x)


def kaiser(M, beta):  # noqa: N803
    """Kaiser's window of ``M`` points."""
    n = integer("kaiser", "M", M)
    if n < 2:
        return kn.ones(max(n, 0))
    half = (n - 1) / 2
    return kn.special.i0(kn.sqrt(1 - ((kn.arange(n) - half) / half) ** 2) * float(beta)) / kn.special.i0(float(beta))


def polydiv(u, v):
    """Quotient and rest of polynomials by their coefficients, the highest power first."""
    u, v = kn.atleast_1d(floating(u)), kn.atleast_1d(floating(v))
    dtype = _core.promote(u.dtype, v.dtype)
    rest, n, steps = kn.astype(u, dtype), v.size, u.size - v.size + 1
    quotient = kn.zeros(max(steps, 1), dtype=dtype)
    for k in range(steps):
        quotient[k] = rest[k] / v[0]
        rest[k:k + n] -= quotient[k] * v
    while rest.size > 1 and abs(rest[0]) <= 1e-8:
        rest = rest[1:]
    return quotient, rest


def matvec(x1, x2):
    """Products of matrices and vectors, along the last axes; the others broadcast."""
    return kn.matmul(as_array(x1), as_array(x2)[..., None])[..., 0]


def vecmat(x1, x2):
    """Products of vectors, conjugated, and matrices, along the last axes; the others broadcast."""
    return kn.matmul(kn.conj(as_array(x1))[..., None, :], as_array(x2))[..., 0, :]


def mask_indices(n, mask_func, k=0):
    """Positions in an (``n``, ``n``) array where ``mask_func(ones, k)``, as ``kn.triu``, leaves something."""
    return kn.nonzero(mask_func(kn.ones((n, n), dtype="int64"), k))


def packbits(a, axis=None, bitorder="big"):
    """Eight truth values along an axis as the bits of one uint8, zeros behind them."""
    choice("packbits", "bitorder", bitorder, ("big", "little"))
    x = as_array(a) != 0
    x, axis = (_core.reshape(x, (-1,)), 0) if axis is None else (x, normalized_axis("packbits", axis, x.ndim))
    x = kn.moveaxis(x, axis, -1)
    x = kn.pad(x, [(0, 0)] * (x.ndim - 1) + [(0, -x.shape[-1] % 8)])
    x = kn.astype(_core.reshape(x, (*x.shape[:-1], x.shape[-1] // 8, 8)), "uint8")
    return kn.moveaxis(kn.sum(x << _places(bitorder), axis=-1, dtype="uint8"), -1, axis)


def unpackbits(a, axis=None, count=None, bitorder="big"):
    """The bits of uint8 along an axis, as 0 and 1; ``count`` of them, or all but as many if negative."""
    choice("unpackbits", "bitorder", bitorder, ("big", "little"))
    x = as_array(a)
    if x.dtype.name != "uint8":
        raise make("DTypeError", f"unpackbits: dtype: expected uint8, got {x.dtype}")
    x, axis = (_core.reshape(x, (-1,)), 0) if axis is None else (x, normalized_axis("unpackbits", axis, x.ndim))
    x = kn.moveaxis(x, axis, -1)
    bits = x[..., None] >> _places(bitorder) & 1
    bits = _core.reshape(bits, (*x.shape[:-1], 8 * x.shape[-1]))
    if count is not None:
        more = max(count - bits.shape[-1], 0) if count >= 0 else 0
        bits = kn.pad(bits, [(0, 0)] * (bits.ndim - 1) + [(0, more)])[..., :count]
    return kn.moveaxis(bits, -1, axis)


def _places(bitorder):
    return kn.asarray([7, 6, 5, 4, 3, 2, 1, 0] if bitorder == "big" else [0, 1, 2, 3, 4, 5, 6, 7], dtype="uint8")


def min_scalar_type(a) -> DType:
    """The smallest dtype that holds a number; that of an array with axes."""
    if isinstance(a, Array) and a.ndim:
        return a.dtype
    value = a.item() if hasattr(a, "item") else a
    if isinstance(value, bool):
        return BY_NAME["bool"]
    if isinstance(value, int):
        return next(t for t in map(BY_NAME.get, _HOLDING[value < 0]) if iinfo(t).min <= value <= iinfo(t).max)
    names = ("complex64", "complex128") if isinstance(value, complex) else ("float16", "float32", "float64")
    size = max(abs(value.real), abs(value.imag)) if isinstance(value, complex) else abs(value)
    return next(t for t in map(BY_NAME.get, names) if not size < math.inf or size <= finfo(t).max)


_HOLDING = (("uint8", "uint16", "uint32", "uint64"), ("int8", "int16", "int32", "int64"))


def binary_repr(num, width=None) -> str:
    """An integer in base 2; a negative one in two's complement of ``width`` digits, where that is given."""
    num = integer("binary_repr", "num", num)
    digits = f"{num:b}"
    if width is None:
        return digits
    if num < 0:
        digits = f"{num + (1 << width):b}" if -num <= 1 << width - 1 else ""
    if not digits or len(digits) > width:
        raise make("ValueError", f"binary_repr: width: expected enough digits for {num}, got {width}")
    return digits.rjust(width, "0")


def base_repr(number, base=2, padding=0) -> str:
    """An integer in a base from 2 to 36, with as many zeros before it. Raises ValueError for another base."""
    if not 2 <= base <= 36:
        raise make("ValueError", f"base_repr: base: expected one in [2, 36], got {base}")
    number, text = integer("base_repr", "number", number), ""
    rest = abs(number)
    while rest:
        rest, digit = divmod(rest, base)
        text = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"[digit] + text
    return ("-" if number < 0 else "") + "0" * (padding if number else max(padding, 1)) + text


def isfortran(a) -> bool:
    """Whether the memory of an array is in column-major order and in no other."""
    return a.flags.f_contiguous and not a.flags.c_contiguous


class broadcast:
    """The ``shape``, ``size`` and ``ndim`` that arrays broadcast to; iterated over, tuples of their elements."""

    def __init__(self, *arrays):
        self._arrays = [as_array(a) for a in arrays]
        self.shape = kn.broadcast_shapes(*(a.shape for a in self._arrays))
        self.ndim = self.nd = len(self.shape)
        self.size, self.numiter = math.prod(self.shape), len(arrays)

    def __iter__(self):
        return zip(*(_core.reshape(_core.broadcast_to(a, self.shape), (-1,)) for a in self._arrays))


def fromstring(string, dtype=float, count=-1, *, sep):
    """A vector of the numbers in a text, between which ``sep`` stands. Raises ValueError for what is no number."""
    texts = [t for t in (re.split(r"\s+", string.strip()) if not sep.strip() else string.split(sep.strip())) if t.strip()]
    kind = types.dtype(dtype).kind
    try:
        values = [(int if kind in "iu" else complex if kind == "c" else float)(t) for t in (texts if count < 0 else texts[:count])]
    except ValueError as error:
        raise make("ValueError", f"fromstring: string: expected numbers, got {error}") from None
    return kn.asarray(values, dtype=types.dtype(dtype))


def fromfile(file, dtype=float, count=-1, sep="", offset=0):
    """A vector of the numbers in a file, a path or an open one: as bytes, or as text with ``sep`` between them."""
    if hasattr(file, "read"):
        data = file.read()
    else:
        with open(file, "rb") as opened:
            data = opened.read()
    return fromstring(data.decode(), dtype, count, sep=sep) if sep else types.frombuffer(data, dtype, count, offset)


def sort_complex(a):
    """The elements as complex numbers, by their real and then by their imaginary parts."""
    x = as_array(a)
    x = x if x.dtype.kind == "c" else kn.astype(x, "complex128" if floating(x).dtype.name == "float64" else "complex64")
    return kn.take_along_axis(x, kn.lexsort((x.imag, x.real), axis=-1), -1)


def real_if_close(a, tol=100):
    """The real parts, where all imaginary ones are within ``tol`` (times eps, above 1) of 0; else the array. Looks at values."""
    x = as_array(a)
    if x.dtype.kind != "c":
        return x
    return x.real if kn.all(kn.abs(x.imag) < (tol * finfo(x.dtype).eps if tol > 1 else tol)) else x


def asarray_chkfinite(a, dtype=None, order=None):
    """``np.asarray``. Raises ValueError where an element is nan or infinite."""
    x = kn.asarray(a, dtype)
    if x.dtype.kind in "fc" and not kn.all(kn.isfinite(x)):
        raise make("ValueError", "asarray_chkfinite: elements: expected finite ones, got nan or an infinity")
    return x
