"""Attributes and methods of arrays that NumPy's programs use beside those of the array API."""
from . import _choosing, _core, _reductions, _shaping
from ._arguments import as_array, as_tuple, store
from ._core import Array
from ._errors import make
from ._types import astype as _converted, bitcast, can_cast, dtype_of


class Flat:
    """``x.flat``: the elements in row-major order; what is written there is written into ``x``."""

    __slots__ = ("base",)

    def __init__(self, base):
        self.base = base

    def __len__(self):
        return self.base.size

    def __iter__(self):
        return iter(_shaping.ravel(self.base))

    def __getitem__(self, key):
        return _core.copy(_shaping.ravel(self.base)[key])

    def __setitem__(self, key, value):
        line = _shaping.ravel(self.base)
        line[key] = value
        if not _core.shares_memory(line, self.base):
            self.base[...] = _core.reshape(line, self.base.shape)

    def copy(self):
        """The elements as an array with one axis."""
        return _core.copy(_shaping.ravel(self.base))

    def __array__(self, dtype=None, copy=None):
        return self.copy().__array__(dtype, copy)


class Flags:
    """``x.flags``: how the memory of an array lies, by attributes or by NumPy's names in capitals."""

    def __init__(self, array):
        self.c_contiguous, self.f_contiguous = _is_dense(array.shape, array.strides, array.itemsize), _is_dense(array.shape[::-1], array.strides[::-1], array.itemsize)
        self.contiguous, self.writeable, self.aligned = self.c_contiguous, _core.is_writable(array), True

    def __getitem__(self, name):
        return getattr(self, {"C": "c_contiguous", "F": "f_contiguous", "W": "writeable", "A": "aligned"}.get(name, name.lower()))

    def __repr__(self):
        return "\n".join(f"  {name.upper()} : {value}" for name, value in vars(self).items())


def _is_dense(shape, strides, step):
    for n, stride in zip(reversed(shape), reversed(strides)):
        if n != 1 and stride != step and 0 not in shape:
            return False
        step *= n
    return True


def _order(op, order):
    if order not in ("C", "F", "A", "K", None):
        raise make("ValueError", f"{op}: order: expected 'C', 'F', 'A' or 'K', got {order!r}")


def _copy(self, order="C"):
    """A copy; memory has row-major order whatever is asked for."""
    _order("copy", order)
    return _core.copy(self)


def _reshape(self, *shape, order="C", copy=None):
    """``reshape`` with an order in which elements are counted."""
    return _shaping.reshape(self, shape[0] if len(shape) == 1 else shape, order=order, copy=copy)


def _item(self, *at):
    """The element at a position of the flattened array, or at one for each axis."""
    at = at[0] if len(at) == 1 else at
    return (self[at] if isinstance(at, tuple) else _shaping.ravel(self)[at]).item()


_CASTS = {"no": 0, "equiv": 0, "safe": 1, "same_kind": 2, "unsafe": 3}


def _cast_of(before, after):
    """The least free kind of cast that a conversion is."""
    if before is after:
        return 0
    mantissa = after.itemsize // (2 if after.kind == "c" else 1)
    narrows = before.kind in "iu" and after.kind in "fc" and before.itemsize >= mantissa < 8
    if can_cast(before, after) and not narrows:
        return 1
    kinds = "buifc"
    return 2 if kinds.index(before.kind) <= kinds.index(after.kind) else 3


def astype(self, dtype, order="K", casting="unsafe", subok=True, copy=True):
    """Another dtype; see ``kn.astype``. ``casting`` refuses conversions that are not "safe" or of the "same_kind", with DTypeError."""
    if casting != "unsafe":
        target = dtype_of(dtype)
        if _cast_of(self.dtype, target) > _CASTS.get(casting, -1):
            raise make("DTypeError", f"astype: casting: expected a {casting!r} conversion, got {self.dtype} to {target}")
    if not isinstance(order, str):  # astype(dtype, copy), as this method has been called
        copy = order
    return _converted(self, dtype, copy=copy)


def view(self, dtype=None):
    """The same bits under another dtype, a copy; see ``kn.bitcast``. Of another size, the last axis is as much longer or shorter.

    Without a dtype, another array of the memory. Raises ShapeError where the last axis cannot be divided.
    """
    if dtype is None:
        return self[...]
    target = dtype_of(dtype)
    if target.itemsize == self.dtype.itemsize:
        return bitcast(self, target)
    bytes_ = self.shape[-1] * self.dtype.itemsize if self.ndim else 1
    if bytes_ % target.itemsize:
        raise make("ShapeError", f"view: last axis: expected a multiple of {target.itemsize} bytes, got {bytes_}")
    return _core.from_bytes(_core.to_bytes(_core.copy(self)), (*self.shape[:-1], bytes_ // target.itemsize), target.name)


def byteswap(self, inplace=False):
    """The bytes of each number in the other order; in ``self`` if ``inplace``."""
    size = self.dtype.itemsize // (2 if self.dtype.kind == "c" else 1)
    data = _core.to_bytes(_core.copy(self))
    swapped = bytearray(len(data))
    for i in range(size):
        swapped[i::size] = data[size - 1 - i::size]
    result = _core.from_bytes(bytes(swapped), self.shape, self.dtype.name)
    if not inplace:
        return result
    self[...] = result
    return self


def tofile(self, fid, sep="", format="%s"):  # noqa: A002
    """Writes the elements into a file, a path or an open one, as bytes or, with ``sep``, as text."""
    data = sep.join(format % v for v in _shaping.ravel(self).tolist()).encode() if sep else self.tobytes()
    if hasattr(fid, "write"):
        fid.write(data)
    else:
        with open(fid, "wb") as file:
            file.write(data)


def resize(self, *shape, refcheck=True):
    """Sets the shape, which has as many elements: an array keeps its memory. Raises ShapeError for another number of them."""
    shape = as_tuple(shape[0]) if len(shape) == 1 else shape
    n = 1
    for size in shape:
        n *= size
    if n != self.size:
        raise make("ShapeError", f"resize: size: expected {self.size} elements, which an array keeps (kn.resize makes another), got {n}")
    self.shape = shape


def put(self, indices, values, mode="raise"):
    """Writes values at positions of the flattened array, in place; see ``kn.put``."""
    _choosing.put(self, indices, values, mode)


def compress(self, condition, axis=None, out=None):
    """Elements where a vector of conditions holds; see ``kn.compress``."""
    return _choosing.compress(condition, self, axis, out)


def choose(self, choices, out=None, mode="raise"):
    """Elements of ``choices`` by the numbers in ``self``; see ``kn.choose``."""
    result = _choosing.choose(self, choices, mode)
    return result if out is None else store("choose", result, out)


def _set_flat(self, value):
    flat = _core.reshape(as_array(value), (-1,))
    Flat(self)[...] = flat if flat.size != 1 else flat[0]


for _function in (_copy, _reshape, _item, astype, view, byteswap, tofile, resize, put, compress, choose, _reductions.ptp):
    setattr(Array, _function.__name__, _function)
Array.flat = property(Flat, _set_flat, doc=Flat.__doc__)
Array.flags = property(Flags, doc="How the memory lies: ``c_contiguous``, ``f_contiguous``, ``writeable``.")
Array.data = property(lambda self: memoryview(self), doc="The memory, as a memoryview.")
