"""The same elements under other shapes and orders."""
import builtins

from . import _core
from ._arguments import as_array, as_tuple, normalized_axis
from ._core import Array
from ._creation import full, zeros
from ._errors import make


def reshape(x, /, shape, *, copy=None) -> Array:
    """The elements of ``x`` in row-major order under ``shape``, one size of which may be -1; a view where it can be.

    Raises ShapeError where the sizes do not fit, ValueError where ``copy=False`` and a view is not possible.
    """
    x = as_array(x)
    result = _core.reshape(_core.copy(x) if copy else x, shape)
    if copy is False and not _core.shares_memory(x, result):
        raise make("ValueError", "reshape: copy: expected True or None for memory in another order, got False")
    return result


def permute_dims(x, /, axes) -> Array:
    """``x`` with axis i taken from ``axes[i]``, a view."""
    return _core.permute_dims(x, axes)


def transpose(x, /, axes=None) -> Array:
    """``x`` with its axes reversed, or permuted by ``axes``, a view."""
    return as_array(x).T if axes is None else _core.permute_dims(x, axes)


def matrix_transpose(x, /) -> Array:
    """``x`` with its last two axes swapped, a view. Raises ShapeError for fewer axes."""
    return as_array(x).mT


def swapaxes(x, /, axis1, axis2) -> Array:
    """``x`` with two axes swapped, a view."""
    order = list(range(x.ndim))
    a, b = normalized_axis("swapaxes", axis1, x.ndim), normalized_axis("swapaxes", axis2, x.ndim)
    order[a], order[b] = order[b], order[a]
    return _core.permute_dims(x, order)


def moveaxis(x, source, destination, /) -> Array:
    """``x`` with the axes ``source`` at the places ``destination``, the others in their order, a view."""
    x = as_array(x)
    sources = [normalized_axis("moveaxis", a, x.ndim) for a in as_tuple(source)]
    targets = [normalized_axis("moveaxis", a, x.ndim) for a in as_tuple(destination)]
    if len(sources) != len(targets) or len(set(sources)) != len(sources) or len(set(targets)) != len(targets):
        raise make("ValueError", f"moveaxis: axes: expected as many different ones on both sides, got {source} and {destination}")
    order = [a for a in range(x.ndim) if a not in sources]
    for target, axis in sorted(zip(targets, sources)):
        order.insert(target, axis)
    return _core.permute_dims(x, order)


def broadcast_to(x, /, shape) -> Array:
    """``x`` repeated to ``shape``, a view that cannot be written."""
    return _core.broadcast_to(x, shape)


def broadcast_shapes(*shapes) -> tuple[int, ...]:
    """The shape that all shapes repeat to. Raises ShapeError where there is none."""
    result = ()
    for shape in shapes:
        result = _core.broadcast_shapes(result, shape)
    return result


def broadcast_arrays(*arrays) -> list[Array]:
    """All arrays repeated to their common shape."""
    arrays = [as_array(a) for a in arrays]
    shape = broadcast_shapes(*(a.shape for a in arrays))
    return [_core.broadcast_to(a, shape) for a in arrays]


def expand_dims(x, /, axis=0) -> Array:
    """``x`` with axes of size 1 at ``axis``, one or several."""
    x = as_array(x)
    axes = as_tuple(axis)
    rank = x.ndim + len(axes)
    axes = {normalized_axis("expand_dims", a, rank) for a in axes}
    if len(axes) != rank - x.ndim:
        raise make("ValueError", f"expand_dims: axes: expected different ones, got {axis}")
    sizes = iter(x.shape)
    return _core.reshape(x, tuple(1 if i in axes else next(sizes) for i in range(rank)))


def squeeze(x, /, axis=None) -> Array:
    """``x`` without its axes of size 1, or without those in ``axis``. Raises ValueError for an axis of another size."""
    x = as_array(x)
    axes = [i for i, n in enumerate(x.shape) if n == 1] if axis is None else [normalized_axis("squeeze", a, x.ndim) for a in as_tuple(axis)]
    for a in axes:
        if x.shape[a] != 1:
            raise make("ValueError", f"squeeze: size of axis {a}: expected 1, got {x.shape[a]}")
    return _core.reshape(x, tuple(n for i, n in enumerate(x.shape) if i not in axes))


def ravel(x, /) -> Array:
    """The elements of ``x`` in row-major order along one axis, a view where it can be."""
    return _core.reshape(x, (-1,))


def atleast_1d(x, /) -> Array:
    """``x``, with an axis if it has none."""
    x = as_array(x)
    return x if x.ndim else _core.reshape(x, (1,))


def atleast_2d(x, /) -> Array:
    """``x`` with at least two axes, added in front."""
    x = as_array(x)
    return x if x.ndim > 1 else _core.reshape(x, (1, x.size))


def concat(arrays, /, *, axis=0) -> Array:
    """Arrays joined along an existing axis; flattened first where ``axis`` is None."""
    if axis is None:
        arrays, axis = [_core.reshape(a, (-1,)) for a in arrays], 0
    return _core.concat(tuple(arrays), axis)


def concatenate(arrays, axis=0) -> Array:
    """Arrays joined along an existing axis, as ``concat``."""
    return concat(arrays, axis=axis)


def stack(arrays, /, *, axis=0) -> Array:
    """Arrays of one shape joined along a new axis."""
    arrays = [as_array(a) for a in arrays]
    if builtins.any(a.shape != arrays[0].shape for a in arrays):
        raise make("ShapeError", f"stack: shapes: expected equal ones, got {', '.join(str(a.shape) for a in arrays)}")
    axis = normalized_axis("stack", axis, arrays[0].ndim + 1) if arrays else axis
    return _core.concat(tuple(expand_dims(a, axis) for a in arrays), axis)


def unstack(x, /, *, axis=0) -> tuple[Array, ...]:
    """The parts of ``x`` along an axis, without it: a tuple of views."""
    axis = normalized_axis("unstack", axis, x.ndim)
    key = (slice(None),) * axis
    return tuple(_core.reshape(x[(*key, slice(i, i + 1))], x.shape[:axis] + x.shape[axis + 1:]) for i in range(x.shape[axis]))


def vstack(arrays, /) -> Array:
    """Arrays joined along the first axis, vectors as rows."""
    return concat([atleast_2d(a) for a in arrays])


def hstack(arrays, /) -> Array:
    """Arrays joined along the second axis, vectors along their only one."""
    arrays = [atleast_1d(a) for a in arrays]
    return concat(arrays, axis=0 if arrays and arrays[0].ndim == 1 else 1)


def split(x, sections, /, axis=0) -> list[Array]:
    """Views of ``x`` along an axis: as many equal ones as ``sections`` says, or cut at its positions.

    Raises ValueError where equal parts are not possible.
    """
    axis = normalized_axis("split", axis, x.ndim)
    n = x.shape[axis]
    if isinstance(sections, int):
        if sections < 1 or n % sections:
            raise make("ValueError", f"split: size of axis {axis}: expected a multiple of {sections}, got {n}")
        sections = range(n // sections, n, n // sections) if sections > 1 else ()
    cuts = [0, *sections, n]
    return [x[(slice(None),) * axis + (slice(a, b),)] for a, b in zip(cuts, cuts[1:])]


def flip(x, /, *, axis=None) -> Array:
    """``x`` with the order along axes (all if None) reversed, a view."""
    x = as_array(x)
    axes = range(x.ndim) if axis is None else [normalized_axis("flip", a, x.ndim) for a in as_tuple(axis)]
    return x[tuple(slice(None, None, -1) if i in axes else slice(None) for i in range(x.ndim))]


def roll(x, /, shift, *, axis=None) -> Array:
    """``x`` moved along axes by ``shift``; what leaves at the end comes in at the start. Flattened where ``axis`` is None."""
    x = as_array(x)
    if axis is None:
        return _core.reshape(roll(_core.reshape(x, (-1,)), shift, axis=0), x.shape)
    axes, shifts = as_tuple(axis), as_tuple(shift)
    shifts = shifts * len(axes) if len(shifts) == 1 else shifts
    axes = axes * len(shifts) if len(axes) == 1 else axes
    if len(axes) != len(shifts):
        raise make("ValueError", f"roll: shift: expected one, or one an axis, got {len(shifts)} for {len(axes)} axes")
    for a, s in zip(axes, shifts):
        a = normalized_axis("roll", a, x.ndim)
        n = x.shape[a]
        at = -s % n if n else 0
        if at:
            key = (slice(None),) * a
            x = _core.concat((x[(*key, slice(at, None))], x[(*key, slice(None, at))]), a)
    return _core.copy(x)


def rot90(x, /, k=1, axes=(0, 1)) -> Array:
    """``x`` turned by ``k`` right angles in the plane of two axes, from the first towards the second."""
    k %= 4
    if k == 0:
        return x
    if k == 2:
        return flip(x, axis=axes)
    return flip(swapaxes(x, *axes), axis=axes[0] if k == 1 else axes[1])


def tile(x, repetitions, /) -> Array:
    """``x`` repeated as a whole, ``repetitions`` times along each axis."""
    x, times = as_array(x), as_tuple(repetitions)
    rank = builtins.max(x.ndim, len(times))
    shape, times = (1,) * (rank - x.ndim) + x.shape, (1,) * (rank - len(times)) + times
    for axis, n in enumerate(times):
        if n != 1:
            x = _core.reshape(x, shape)
            parts = (x,) * n if n else (x[(slice(None),) * axis + (slice(0, 0),)],)
            x = _core.concat(parts, axis)
            shape = x.shape
    return _core.copy(_core.reshape(x, shape))


def repeat(x, repeats, /, *, axis=None) -> Array:
    """Each element along an axis ``repeats`` times, a number or one for each; of the flattened array where ``axis`` is None."""
    x = as_array(x)
    if axis is None:
        x, axis = _core.reshape(x, (-1,)), 0
    axis = normalized_axis("repeat", axis, x.ndim)
    n = x.shape[axis]
    if isinstance(repeats, int):
        wide = _core.broadcast_to(expand_dims(x, axis + 1), x.shape[:axis + 1] + (repeats,) + x.shape[axis + 1:])
        return _core.reshape(_core.copy(wide), x.shape[:axis] + (n * repeats,) + x.shape[axis + 1:])
    counts = [int(c) for c in _core.reshape(as_array(repeats), (-1,)).tolist()]
    counts = counts * n if len(counts) == 1 else counts
    if len(counts) != n:
        raise make("ShapeError", f"repeat: repeats: expected 1 or {n} numbers, got {len(counts)}")
    return _core.take(x, _core.asarray([i for i, c in enumerate(counts) for _ in range(c)], "int64", None, x.device), axis)


def pad(x, pad_width, mode="constant", *, constant_values=0) -> Array:
    """``x`` with elements added around: ``pad_width`` before and behind, one number, a pair, or a pair an axis.

    ``mode`` is "constant", "edge", "reflect", "symmetric" or "wrap", as NumPy's. Raises ValueError for another.
    """
    x = as_array(x)
    widths = [as_tuple(w) for w in as_tuple(pad_width)]
    if builtins.all(len(w) == 1 for w in widths):
        widths = [tuple(w[0] for w in widths)] if len(widths) == 2 else widths
    widths = [w * 2 if len(w) == 1 else w for w in widths]
    widths = widths * x.ndim if len(widths) == 1 else widths
    if len(widths) != x.ndim or builtins.any(len(w) != 2 or builtins.min(w) < 0 for w in widths):
        raise make("ValueError", f"pad: pad_width: expected a pair of sizes for each of {x.ndim} axes, got {pad_width}")
    if mode == "constant":
        result = full(tuple(n + a + b for n, (a, b) in zip(x.shape, widths)), constant_values, dtype=x.dtype, device=x.device)
        result[tuple(slice(a, a + n) for n, (a, _) in zip(x.shape, widths))] = x
        return result
    if mode not in _PAD_POSITIONS:
        raise make("ValueError", f"pad: mode: expected 'constant', 'edge', 'reflect', 'symmetric' or 'wrap', got {mode!r}")
    for axis, (a, b) in enumerate(widths):
        n = x.shape[axis]
        if a or b:
            x = _core.take(x, _core.asarray([_PAD_POSITIONS[mode](i, n) for i in range(-a, n + b)], "int64", None, x.device), axis)
    return x


_PAD_POSITIONS = {
    "edge": lambda i, n: builtins.min(builtins.max(i, 0), n - 1),
    "wrap": lambda i, n: i % n,
    "reflect": lambda i, n: 0 if n == 1 else n - 1 - abs(n - 1 - i % (2 * n - 2)),
    "symmetric": lambda i, n: n - 1 - abs(n - 1 - i % (2 * n)) + (i % (2 * n) >= n),
}


def diagonal(x, /, *, offset=0) -> Array:
    """The elements of the last two axes whose column is their row plus ``offset``, as one axis."""
    if x.ndim < 2:
        raise make("ShapeError", f"diagonal: rank: expected at least 2, got {x.ndim}")
    rows, columns = x.shape[-2:]
    first = builtins.max(0, -offset) * columns + builtins.max(0, offset)
    n = builtins.max(0, builtins.min(rows + builtins.min(offset, 0), columns - builtins.max(offset, 0)))
    flat = _core.reshape(x, x.shape[:-2] + (rows * columns,))
    return flat[..., first:first + n * (columns + 1):columns + 1] if n else flat[..., :0]


def diag(x, /, k=0) -> Array:
    """A diagonal matrix of a vector, or the diagonal of a matrix."""
    x = as_array(x)
    if x.ndim == 2:
        return _core.copy(diagonal(x, offset=k))
    n = x.size + abs(k)
    result = zeros((n, n), dtype=x.dtype, device=x.device)
    diagonal(result, offset=k)[...] = x
    return result


def trace(x, /, *, offset=0, dtype=None) -> Array:
    """The sum of the diagonal of the last two axes."""
    from ._reductions import sum
    return sum(diagonal(x, offset=offset), axis=-1, dtype=dtype)

