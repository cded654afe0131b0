"""New arrays."""
import builtins
import math

from . import _core
from ._arguments import as_array, check_device, ops, placed
from ._core import Array
from ._dtypes import BY_NAME
from ._errors import make

int64, uint64 = BY_NAME["int64"], BY_NAME["uint64"]


def asarray(obj, /, *, dtype=None, device=None, copy=None) -> Array:
    """An array of ``obj``: an array, a number, nested sequences, or anything with the buffer protocol (shared if it can be).

    Raises DTypeError for elements of other types, ShapeError for ragged sequences, ValueError where ``copy=False`` cannot be,
    DeviceError for a ``device`` that is not there.
    """
    x = _core.asarray(obj, dtype, copy, device)
    if copy is False and device is not None and x.device != _core.find_device(device):
        raise make("ValueError", f"asarray: copy: expected True or None for an array of '{x.device}' on '{device}', got False")
    return placed(x, device)


def array(obj, dtype=None, *, copy=True) -> Array:
    """A new array of ``obj``, as ``asarray`` with a copy."""
    return _core.asarray(obj, dtype, copy or None)


def full(shape, fill_value, *, dtype=None, device=None) -> Array:
    """An array of ``shape`` with every element ``fill_value``."""
    return _core.full(shape, fill_value, dtype, device)


def zeros(shape, *, dtype=None, device=None) -> Array:
    """Zeros of ``shape``; the default dtype unless given."""
    return full(shape, 0, dtype=dtype or _core.default_dtype(), device=device)


def ones(shape, *, dtype=None, device=None) -> Array:
    """Ones of ``shape``; the default dtype unless given."""
    return full(shape, 1, dtype=dtype or _core.default_dtype(), device=device)


def empty(shape, *, dtype=None, device=None) -> Array:
    """An array of ``shape``; its elements are zeros."""
    return zeros(shape, dtype=dtype, device=device)


def zeros_like(x, /, *, dtype=None, device=None) -> Array:
    """Zeros of the shape and dtype of ``x``."""
    return zeros(x.shape, dtype=dtype or x.dtype, device=device or as_array(x).device)


def ones_like(x, /, *, dtype=None, device=None) -> Array:
    """Ones of the shape and dtype of ``x``."""
    return ones(x.shape, dtype=dtype or x.dtype, device=device or as_array(x).device)


def empty_like(x, /, *, dtype=None, device=None) -> Array:
    """An array of the shape and dtype of ``x``; its elements are zeros."""
    return zeros_like(x, dtype=dtype, device=device)


def full_like(x, /, fill_value, *, dtype=None, device=None) -> Array:
    """``fill_value`` in the shape and dtype of ``x``."""
    return full(x.shape, fill_value, dtype=dtype or x.dtype, device=device or as_array(x).device)


def arange(start, /, stop=None, step=1, *, dtype=None, device=None) -> Array:
    """Numbers from ``start`` (0 if one argument) to before ``stop``, ``step`` apart.

    Raises ValueError for a step of 0.
    """
    check_device(device)
    if stop is None:
        start, stop = 0, start
    if step == 0:
        raise make("ValueError", "arange: step: expected a number other than 0, got 0")
    whole = builtins.all(isinstance(v, int) for v in (start, stop, step))
    n = builtins.max(0, -((start - stop) // step) if whole else math.ceil((stop - start) / step))
    dtype = dtype or (int64 if whole else _core.default_dtype())
    if not whole and getattr(dtype, "kind", "f") in "iu":
        start, step = int(start), int(step)
    if dtype == uint64 or getattr(dtype, "kind", "f") == "u" and (start < 0 or step < 0):
        return _core.astype(arange_in(int64, n, start, step, device), dtype)
    if getattr(dtype, "kind", "") == "c" or dtype in ("complex64", "complex128"):
        return _core.astype(arange_in(BY_NAME["float64"], n, start, step, device), dtype)
    return arange_in(dtype, n, start, step, device)


def arange_in(dtype, n, start, step, device=None) -> Array:
    """``start + i * step`` for i below ``n``, computed in ``dtype``."""
    line = _core.iota((n,), dtype, 0, device)
    if step != 1:
        line = line * step
    return line + start if start != 0 else line


def linspace(start, stop, /, num, *, dtype=None, device=None, endpoint=True) -> Array:
    """``num`` numbers from ``start`` to ``stop``, evenly spaced; without ``stop`` itself where ``endpoint`` is False."""
    check_device(device)
    if isinstance(start, complex) or isinstance(stop, complex):
        re = linspace(complex(start).real, complex(stop).real, num, device=device, endpoint=endpoint)
        result = ops["complex"](re, linspace(complex(start).imag, complex(stop).imag, num, device=device, endpoint=endpoint))
        return result if dtype is None else _core.astype(result, dtype)
    steps = num - 1 if endpoint else num
    wide = BY_NAME["float64"]
    line = _core.iota((num,), wide, 0, device) * (float(stop) - float(start)) / builtins.max(steps, 1) + float(start)
    if endpoint and num > 1:
        line[num - 1] = float(stop)
    return _core.astype(line, dtype or _core.default_dtype())


def eye(n_rows, n_cols=None, /, *, k=0, dtype=None, device=None) -> Array:
    """Ones on the ``k``-th diagonal of zeros."""
    shape = (n_rows, n_rows if n_cols is None else n_cols)
    return _core.astype(_diagonal(shape, "equal", k, device), dtype or _core.default_dtype())


def _diagonal(shape, relation, k, device=None):
    """Where column - row - k stands in a relation to 0, for the last two axes."""
    rows, columns = _core.iota(shape[-2:], int64, 0, device), _core.iota(shape[-2:], int64, 1, device)
    return ops[relation](columns, rows + k)


def tril(x, /, *, k=0) -> Array:
    """``x`` with zeros above the ``k``-th diagonal of its last two axes. Raises ValueError for fewer axes."""
    return _triangle("tril", as_array(x), "less_equal", k)


def triu(x, /, *, k=0) -> Array:
    """``x`` with zeros below the ``k``-th diagonal of its last two axes. Raises ValueError for fewer axes."""
    return _triangle("triu", as_array(x), "greater_equal", k)


def _triangle(name, x, relation, k):
    if x.ndim < 2:
        raise make("ShapeError", f"{name}: rank: expected at least 2, got {x.ndim}")
    return _core.where(_diagonal(x.shape, relation, k, x.device), x, zeros((), dtype=x.dtype, device=x.device))


def meshgrid(*arrays, indexing="xy") -> list[Array]:
    """Coordinates of a grid from one vector an axis; with "xy" the first two axes are swapped, as NumPy does.

    Raises ValueError for another ``indexing``.
    """
    if indexing not in ("xy", "ij"):
        raise make("ValueError", f"meshgrid: indexing: expected 'xy' or 'ij', got {indexing!r}")
    arrays = [as_array(a) for a in arrays]
    n = len(arrays)
    order = list(range(n))
    if indexing == "xy" and n > 1:
        order[:2] = 1, 0
    shape = tuple(arrays[i].size for i in order)
    grids = []
    for i, a in enumerate(arrays):
        unit = [1] * n
        unit[order.index(i)] = a.size
        grids.append(_core.copy(_core.broadcast_to(_core.reshape(a, tuple(unit)), shape)))
    return grids


def copy(x, /) -> Array:
    """A copy with memory of its own."""
    return _core.copy(x)


def from_dlpack(x, /, *, device=None, copy=None) -> Array:
    """An array over the memory of an object with ``__dlpack__``; shared unless ``copy`` is True.

    Raises BufferError for memory of another device, or where ``copy=False`` cannot be.
    """
    check_device(device)
    if isinstance(x, Array):
        return placed(_core.copy(x) if copy else x, device)
    return placed(_core.from_dlpack(x, bool(copy)), device)
