"""The same elements under other shapes and orders."""

from . import _core
from ._arguments import as_array, as_tuple, choice, normalized_axis
from ._core import Array
from ._errors import make


def reshape(x, /, shape, order="C", *, copy=None) -> Array:
    """The elements of ``x`` in row-major order under ``shape``, one size of which may be -1; a view where it can be.

    With ``order="F"`` the first axis is counted fastest on both sides. Raises ShapeError where the sizes do not fit, ValueError
    where ``copy=False`` and a view is not possible, or for another order.
    """
    x = as_array(x)
    if order not in ("C", "A", "K"):
        choice("reshape", "order", order, ("C", "F"))
        return transpose(reshape(transpose(x), tuple(reversed(as_tuple(shape))), copy=copy))
    result = _core.reshape(_core.copy(x) if copy else x, shape)
    if copy is False and not _core.shares_memory(x, result):
        raise make("ValueError", "reshape: copy: expected True or None for memory in another order, got False")
    return result


def permute_dims(x, /, axes) -> Array:
    """``x`` with axis i taken from ``axes[i]``, a view."""
    return _core.permute_dims(as_array(x), axes)


def transpose(x, /, axes=None) -> Array:
    """``x`` with its axes reversed, or permuted by ``axes``, a view."""
    return as_array(x).T if axes is None else _core.permute_dims(x, axes)


def matrix_transpose(x, /) -> Array:
    """``x`` with its last two axes swapped, a view. Raises ShapeError for fewer axes."""
    return as_array(x).mT


def swapaxes(x, /, axis1, axis2) -> Array:
    """``x`` with two axes swapped, a view."""
    x = as_array(x)
    order = list(range(x.ndim))
    a, b = normalized_axis("swapaxes", axis1, x.ndim), normalized_axis("swapaxes", axis2, x.ndim)
    order[a], order[b] = order[b], order[a]
    return _core.permute_dims(x, order)


def rollaxis(x, axis, start=0) -> Array:
    """``x`` with ``axis`` moved before the axis that stands at ``start``, a view."""
    x = as_array(x)
    axis = normalized_axis("rollaxis", axis, x.ndim)
    start = start + x.ndim if start < 0 else start
    return moveaxis(x, axis, start - 1 if start > axis else start)


def moveaxis(x, source, destination) -> Array:
    """``x`` with the axes ``source`` at the places ``destination``, the others in their order, a view."""
    x = as_array(x)
    if type(source) is type(destination) is int:
        order = list(range(x.ndim))
        source, destination = normalized_axis("moveaxis", source, x.ndim), normalized_axis("moveaxis", destination, x.ndim)
        order.insert(destination, order.pop(source))
        return _core.permute_dims(x, order)
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
    return _core.broadcast_to(as_array(x), as_tuple(shape))


def broadcast_shapes(*shapes) -> tuple[int, ...]:
    """The shape that all shapes repeat to. Raises ShapeError where there is none."""
    result = ()
    for shape in shapes:
        result = _core.broadcast_shapes(result, as_tuple(shape))
    return result


def broadcast_arrays(*arrays) -> tuple[Array, ...]:
    """All arrays repeated to their common shape: a tuple of views."""
    arrays = [as_array(a) for a in arrays]
    shape = broadcast_shapes(*(a.shape for a in arrays))
    return tuple(_core.broadcast_to(a, shape) for a in arrays)


def expand_dims(x, /, axis=0) -> Array:
    """``x`` with axes of size 1 at ``axis``, one or several."""
    x = as_array(x)
    if type(axis) is int:
        axis = normalized_axis("expand_dims", axis, x.ndim + 1)
        return _core.reshape(x, (*x.shape[:axis], 1, *x.shape[axis:]))
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
    if axis is None:
        return x.reshape(tuple([n for n in x.shape if n != 1]))
    axes = [normalized_axis("squeeze", a, x.ndim) for a in as_tuple(axis)]
    for a in axes:
        if x.shape[a] != 1:
            raise make("ValueError", f"squeeze: size of axis {a}: expected 1, got {x.shape[a]}")
    return _core.reshape(x, tuple(n for i, n in enumerate(x.shape) if i not in axes))


def ravel(x, /, order="C") -> Array:
    """The elements of ``x`` in row-major order along one axis, a view where it can be; with ``order="F"`` the first axis fastest."""
    return _core.reshape(as_array(x), (-1,)) if order == "C" else reshape(x, (-1,), order)


def _at_least(one, arrays):
    """``one`` of each array; several give a tuple."""
    results = tuple(one(as_array(x)) for x in arrays)
    return results[0] if len(results) == 1 else results


def atleast_1d(*arrays):
    """The array, with an axis if it has none; of several a tuple."""
    return _at_least(lambda x: x if x.ndim else _core.reshape(x, (1,)), arrays)


def atleast_2d(*arrays):
    """The array with at least two axes, added in front; of several a tuple."""
    return _at_least(lambda x: x if x.ndim > 1 else _core.reshape(x, (1, x.size)), arrays)


def atleast_3d(*arrays):
    """The array with at least three axes, one added behind a matrix, around a vector; of several a tuple."""
    return _at_least(in_space, arrays)


def in_space(x):
    """One array of ``atleast_3d``."""
    return x if x.ndim > 2 else _core.reshape(x, (*x.shape, 1) if x.ndim == 2 else (1, x.size, 1))


def flip(x, /, axis=None) -> Array:
    """``x`` with the order along axes (all if None) reversed, a view."""
    x = as_array(x)
    if x.ndim == 1 and axis is None:
        return x[::-1]
    axes = range(x.ndim) if axis is None else [normalized_axis("flip", a, x.ndim) for a in as_tuple(axis)]
    return x[tuple(slice(None, None, -1) if i in axes else slice(None) for i in range(x.ndim))]


def fliplr(x, /) -> Array:
    """``x`` with the order along its second axis reversed, a view."""
    x = as_array(x)
    return x[:, ::-1] if x.ndim > 1 else flip(x, 1)


def flipud(x, /) -> Array:
    """``x`` with the order along its first axis reversed, a view."""
    x = as_array(x)
    return x[::-1] if x.ndim else flip(x, 0)


def roll(x, /, shift, axis=None) -> Array:
    """``x`` moved along axes by ``shift``; what leaves at the end comes in at the start. Flattened where ``axis`` is None."""
    x = as_array(x)
    if axis is None:
        return _core.reshape(roll(_core.reshape(x, (-1,)), shift, axis=0), x.shape)
    axes, shifts = as_tuple(axis), as_tuple(shift)
    shifts = shifts * len(axes) if len(shifts) == 1 else shifts
    axes = axes * len(shifts) if len(axes) == 1 else axes
    if len(axes) != len(shifts):
        raise make("ValueError", f"roll: shift: expected one, or one an axis, got {len(shifts)} for {len(axes)} axes")
    result = x
    for a, s in zip(axes, shifts):
        a = normalized_axis("roll", a, x.ndim)
        n = x.shape[a]
        at = -s % n if n else 0
        if at:
            key = (slice(None),) * a
            result = _core.concat((result[(*key, slice(at, None))], result[(*key, slice(None, at))]), a)
    return _core.copy(x) if result is x else result


def rot90(x, /, k=1, axes=(0, 1)) -> Array:
    """``x`` turned by ``k`` right angles in the plane of two axes, from the first towards the second."""
    x = as_array(x)
    k %= 4
    if k == 0:
        return x
    if k == 2:
        return flip(x, axis=axes)
    return flip(swapaxes(x, *axes), axis=axes[0] if k == 1 else axes[1])
