"""Products of arrays."""
import builtins

from . import _core
from ._arguments import as_array, as_tuple, normalized_axis, ops
from ._core import Array
from ._errors import make


def matmul(x, y, /) -> Array:
    """Matrix product; vectors are rows on the left and columns on the right, further axes are batches that broadcast.

    Raises ShapeError where the contracted sizes differ or an operand has no axis.
    """
    return _core.matmul(x, y)


def dot(x, y, /) -> Array:
    """Product of numbers, vectors or arrays, as NumPy's: the last axis of ``x`` with the second to last of ``y``."""
    x, y = as_array(x), as_array(y)
    if x.ndim == 0 or y.ndim == 0:
        return ops["multiply"](x, y)
    return _core.matmul(x, y) if x.ndim <= 2 and y.ndim <= 2 else tensordot(x, y, axes=((-1,), (-2 if y.ndim > 1 else -1,)))


def tensordot(x, y, /, *, axes=2) -> Array:
    """Products summed over axes of both: the last ``axes`` of ``x`` with the first of ``y``, or a pair of lists of them."""
    x, y = as_array(x), as_array(y)
    if isinstance(axes, int):
        if axes > builtins.min(x.ndim, y.ndim) or axes < 0:
            raise make("ValueError", f"tensordot: axes: expected at most {builtins.min(x.ndim, y.ndim)}, got {axes}")
        left, right = tuple(range(x.ndim - axes, x.ndim)), tuple(range(axes))
    else:
        left = tuple(normalized_axis("tensordot", a, x.ndim) for a in as_tuple(axes[0]))
        right = tuple(normalized_axis("tensordot", a, y.ndim) for a in as_tuple(axes[1]))
    if [x.shape[a] for a in left] != [y.shape[a] for a in right]:
        raise make("ShapeError", f"tensordot: contracted dimensions differ: expected {[x.shape[a] for a in left]}, got {[y.shape[a] for a in right]}")
    xfree, yfree = [a for a in range(x.ndim) if a not in left], [a for a in range(y.ndim) if a not in right]
    rows, columns = tuple(x.shape[a] for a in xfree), tuple(y.shape[a] for a in yfree)
    depth = 1
    for a in left:
        depth *= x.shape[a]
    p = _core.reshape(_core.permute_dims(x, (*xfree, *left)), (_size(rows), depth))
    q = _core.reshape(_core.permute_dims(y, (*right, *yfree)), (depth, _size(columns)))
    return _core.reshape(_core.matmul(p, q), rows + columns)


def _size(shape):
    n = 1
    for d in shape:
        n *= d
    return n


def vecdot(x, y, /, *, axis=-1) -> Array:
    """Products summed over one axis of both, the first conjugated; the others broadcast."""
    x, y = as_array(x), as_array(y)
    from ._shaping import broadcast_shapes, moveaxis
    normalized_axis("vecdot", axis, builtins.min(x.ndim, y.ndim))
    if x.shape[axis] != y.shape[axis]:
        raise make("ShapeError", f"vecdot: size of axis {axis}: expected {x.shape[axis]}, got {y.shape[axis]}")
    x, y = moveaxis(x, axis, -1), moveaxis(y, axis, -1)
    if x.dtype.kind == "c":
        x = ops["conj"](x)
    shape = broadcast_shapes(x.shape[:-1], y.shape[:-1])
    x = _core.reshape(_core.broadcast_to(x, shape + x.shape[-1:]), (*shape, 1, x.shape[-1]))
    y = _core.reshape(_core.broadcast_to(y, shape + y.shape[-1:]), (*shape, y.shape[-1], 1))
    return _core.reshape(_core.matmul(x, y), shape)


def outer(x, y, /) -> Array:
    """Products of every element of the vector ``x`` with every element of the vector ``y``."""
    return ops["multiply"](_core.reshape(x, (-1, 1)), _core.reshape(y, (1, -1)))


def convolution(x, w, /, *, strides=1, padding=0, dilation=1, groups=1) -> Array:
    """Sums of products of weights with the window around each position, channels last.

    Parameters
    ----------
    x : array of shape (batch, spatial..., channels), with 1 to 3 spatial axes
    w : array of shape (window..., channels // groups, filters)
    strides, padding, dilation : int or one an axis; ``padding`` may hold pairs (before, behind)

    Raises ShapeError where ranks or channels do not fit, ValueError for sizes that are not positive.
    """
    x, w = as_array(x), as_array(w)
    n = x.ndim - 2

    def each(v):
        return v * n if len(v := as_tuple(v)) == 1 else v

    pads = [as_tuple(p) * 2 if isinstance(p, int) else tuple(p) for p in each(padding)]
    return _core.convolution(x, w, each(strides), tuple(p[0] for p in pads), tuple(p[1] for p in pads), each(dilation), groups)
