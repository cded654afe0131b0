"""Diagonals and triangles of matrices."""
import builtins
import itertools
import math

from . import _core, _reductions
from ._arguments import as_array, as_tuple, fits_as_it_is, integer, normalized_axis, ops
from ._core import Array
from ._creation import zeros
from ._dtypes import BY_NAME
from ._errors import make
from ._fused import looped
from ._ranges import arange
from ._shaping import moveaxis

int64 = BY_NAME["int64"]
_FAR = 2**62
_MANY = 1 << 14  # elements


def _of_any_size(function):
    """``looped`` for what reads little of a large array."""
    return looped(function, math.inf)


def _related(shape, relation, k, device=None):
    """Where column - row - k stands in a relation to 0, for the last two axes: rows against columns that broadcast."""
    rows = _core.reshape(arange(shape[-2], device=device), (-1, 1))
    if not (type(k) is int and k == 0):
        rows = rows + builtins.max(builtins.min(integer("diagonal", "offset", k), _FAR), -_FAR)
    return ops[relation](arange(shape[-1], device=device), rows)


def eye(N, M=None, k=0, dtype=None, order=None, *, device=None) -> Array:  # noqa: N803
    """Ones on the ``k``-th diagonal of zeros. Raises ShapeError for a negative size."""
    rows = _size("eye", N)
    columns = rows if M is None else _size("eye", M)
    if rows * columns < _MANY or device is not None or _core.innermost() is not None:
        return _eye(rows, columns, k, dtype, device)
    result = zeros((rows, columns), dtype=dtype)  # memory is written once
    diagonal_view(result, integer("diagonal", "offset", k))[...] = 1
    return result


@looped
def _eye(rows, columns, k, dtype, device):
    return _core.astype(_related((rows, columns), "equal", k, device), dtype or _core.default_dtype())


def _size(op, n):
    n = integer(op, "size", n)
    if n < 0:
        raise make("ShapeError", f"{op}: shape: expected sizes of at least 0, got {n}")
    return n


def identity(n, dtype=None) -> Array:
    """A square matrix of zeros with ones on its diagonal. Raises ShapeError for a negative size."""
    return eye(n, dtype=dtype)


def tri(N, M=None, k=0, dtype=None) -> Array:  # noqa: N803
    """Ones on and below the ``k``-th diagonal of zeros. Raises ShapeError for a negative size."""
    n = _size("tri", N)
    return _core.astype(_related((n, n if M is None else _size("tri", M)), "less_equal", k), dtype or _core.default_dtype())


def tril(x, /, k=0) -> Array:
    """``x`` with zeros above the ``k``-th diagonal of its last two axes. Raises ShapeError for fewer axes."""
    return _triangle("tril", as_array(x), "less_equal", k)


def triu(x, /, k=0) -> Array:
    """``x`` with zeros below the ``k``-th diagonal of its last two axes. Raises ShapeError for fewer axes."""
    return _triangle("triu", as_array(x), "greater_equal", k)


def _triangle(name, x, relation, k):
    if x.ndim < 2:
        raise make("ShapeError", f"{name}: rank: expected at least 2, got {x.ndim}")
    return _core.where(_related(x.shape, relation, k, x.device), x, _core.full((), 0, x.dtype, x.device))


@_of_any_size
def diagonal(x, /, offset=0, axis1=-2, axis2=-1) -> Array:
    """The elements of two axes (the last) whose column is their row plus ``offset``, as one axis, the last: a copy.

    Raises ShapeError for fewer axes, ValueError where both axes are the same.
    """
    return _core.copy(diagonal_view(as_array(x), offset, axis1, axis2))


def diagonal_view(x, offset=0, axis1=-2, axis2=-1):
    """A view where the memory is in row-major order."""
    if x.ndim < 2:
        raise make("ShapeError", f"diagonal: rank: expected at least 2, got {x.ndim}")
    if axis1 != -2 or axis2 != -1:
        first, second = normalized_axis("diagonal", axis1, x.ndim), normalized_axis("diagonal", axis2, x.ndim)
        if first == second:
            raise make("ValueError", f"diagonal: axes: expected different ones, got {axis1} and {axis2}")
        if (first, second) != (x.ndim - 2, x.ndim - 1):
            x = moveaxis(x, (first, second), (-2, -1))
    rows, columns = x.shape[-2:]
    at = offset if offset >= 0 else -offset * columns
    n = builtins.max(0, builtins.min(rows, columns - offset) if offset >= 0 else builtins.min(rows + offset, columns))
    flat = _core.reshape(x, (*x.shape[:-2], rows * columns))
    key = slice(at, at + n * (columns + 1), columns + 1) if n else slice(0, 0)
    return flat[key] if flat.ndim == 1 else flat[..., key]


@_of_any_size
def diag(x, /, k=0) -> Array:
    """A diagonal matrix of a vector, or a copy of the diagonal of a matrix. Raises ShapeError for other ranks."""
    x = as_array(x)
    if x.ndim == 2:
        return diagonal(x, offset=k)
    if x.ndim != 1:
        raise make("ShapeError", f"diag: rank: expected 1 or 2, got {x.ndim}")
    n = x.size + abs(k)
    result = _core.full((n, n), 0, x.dtype, x.device)
    diagonal_view(result, k)[...] = x
    return result


def diagflat(x, /, k=0) -> Array:
    """A diagonal matrix of all elements, in row-major order."""
    return diag(_core.reshape(as_array(x), (-1,)), k)


@_of_any_size
def trace(x, /, offset=0, axis1=-2, axis2=-1, dtype=None, out=None) -> Array:
    """The sum of the diagonal of two axes, the last."""
    return _reductions.sum(diagonal_view(as_array(x), offset, axis1, axis2), -1, dtype, out)


def fill_diagonal(x, val, wrap=False) -> None:
    """Writes ``val`` into the diagonal of ``x``, of all axes if there are more than two; with ``wrap`` again below a tall matrix.

    Raises ShapeError for a vector, or where more than two axes have different sizes.
    """
    if x.ndim < 2:
        raise make("ShapeError", f"fill_diagonal: rank: expected at least 2, got {x.ndim}")
    if x.ndim == 2:
        step, end = x.shape[1] + 1, x.size if wrap else x.shape[1] * x.shape[1]
    elif len(set(x.shape)) != 1:
        raise make("ShapeError", f"fill_diagonal: sizes: expected equal ones, got {x.shape}")
    else:
        step, end = builtins.sum(x.shape[0] ** i for i in range(x.ndim)), x.size
    n = len(range(0, builtins.min(end, x.size), step))
    if not fits_as_it_is(val, x):
        val = as_array(val)
        val = _core.reshape(val, (-1,)) if val.ndim else val
        val = val if not val.ndim or val.size == n else _core.take(val, arange(n, device=val.device) % val.size, 0)
    flat = _core.reshape(x, (-1,))
    if _core.shares_memory(flat, x):
        flat[:n * step:step] = val
        return
    key, rest = [], arange(n, device=x.device) * step
    for size in reversed(x.shape):
        key.append(rest % size)
        rest = rest // size
    x[tuple(reversed(key))] = val


def diag_indices(n, ndim=2) -> tuple[Array, ...]:
    """Positions of the diagonal of an array of ``ndim`` axes of size ``n``: one array an axis."""
    return tuple(arange(n) for _ in range(ndim))


def diag_indices_from(x) -> tuple[Array, ...]:
    """``diag_indices`` of an array whose axes have one size. Raises ShapeError for others."""
    x = as_array(x)
    if x.ndim < 2 or len(set(x.shape)) != 1:
        raise make("ShapeError", f"diag_indices_from: shape: expected at least two equal sizes, got {x.shape}")
    return diag_indices(x.shape[0], x.ndim)


def _of_triangle(n, k, m, upper):
    """By the size of each row's part, which is known, as sums of steps from element to element: nothing depends on values."""
    n, columns = builtins.max(n, 0), builtins.max(n if m is None else m, 0)
    # The rows that have a part, and where it begins and ends in the first of them and in the others.
    low, high = (0, builtins.min(n, columns - k)) if upper else (builtins.min(builtins.max(-k, 0), n), n)
    if low >= high or not columns:
        return arange(0), arange(0)
    limits = [builtins.max(builtins.min(i + k + (not upper), columns), 0) for i in range(low, high)]
    sizes = [columns - c for c in limits] if upper else limits
    starts = list(itertools.accumulate(sizes))
    total, at = starts.pop(), _core.asarray(starts, int64, None)
    limits = _core.asarray(limits, int64, None)
    rows, cols = _core.full((total,), 0, int64), _core.full((total,), 1, int64)
    rows[:1], cols[:1] = low, limits[:1] if upper else 0
    rows[at], cols[at] = 1, limits[1:] + (1 - columns) if upper else 1 - limits[:-1]
    return _core.along_axis("cumulative_sum", rows, 0, False), _core.along_axis("cumulative_sum", cols, 0, False)


def tril_indices(n, k=0, m=None) -> tuple[Array, Array]:
    """Rows and columns of the elements on and below the ``k``-th diagonal of an ``n`` by ``m`` (``n``) matrix."""
    return _of_triangle(n, k, m, False)


def triu_indices(n, k=0, m=None) -> tuple[Array, Array]:
    """Rows and columns of the elements on and above the ``k``-th diagonal of an ``n`` by ``m`` (``n``) matrix."""
    return _of_triangle(n, k, m, True)


def tril_indices_from(x, k=0) -> tuple[Array, Array]:
    """``tril_indices`` of the shape of a matrix."""
    return _of_triangle(as_array(x).shape[-2], k, as_array(x).shape[-1], False)


def triu_indices_from(x, k=0) -> tuple[Array, Array]:
    """``triu_indices`` of the shape of a matrix."""
    return _of_triangle(as_array(x).shape[-2], k, as_array(x).shape[-1], True)


def vander(x, /, N=None, increasing=False) -> Array:  # noqa: N803
    """The powers of a vector as columns, ``N`` (as many as elements) of them, the highest first unless ``increasing``.

    Raises ShapeError for other ranks.
    """
    x = as_array(x)
    if x.ndim != 1:
        raise make("ShapeError", f"vander: rank: expected 1, got {x.ndim}")
    n = x.size if N is None else N
    powers = arange(n, device=x.device) if increasing else arange(n - 1, -1, -1, device=x.device)
    x = _core.astype(x, int64) if x.dtype.kind in "bi" else x
    return ops["pow"](_core.reshape(x, (-1, 1)), _core.astype(powers, x.dtype))


@looped
def indices(dimensions, dtype=None, sparse=False):
    """The position along each axis of a grid: an array with an axis for them in front, or with ``sparse`` a tuple that broadcasts."""
    dimensions, n = as_tuple(dimensions), len(as_tuple(dimensions))
    lines = [_core.iota((d,), dtype or int64, 0) for d in dimensions]
    if sparse:
        return tuple([_core.reshape(line, (1,) * i + (-1,) + (1,) * (n - 1 - i)) for i, line in enumerate(lines)])
    if not n:
        return zeros((0,), dtype=dtype or int64)
    lines = [_core.reshape(line, (1,) * (i + 1) + (dimensions[i],) + (1,) * (n - 1 - i)) for i, line in enumerate(lines)]
    return _core.concat(tuple([_core.broadcast_to(line, (1, *dimensions)) for line in lines]), 0)
