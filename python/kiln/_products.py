"""Products of arrays."""
import builtins

from . import _core
from ._arguments import as_array, as_tuple, normalized_axis, ops, store
from ._core import Array
from ._errors import make
from ._fused import fused, looped
from ._shaping import moveaxis


def matmul(x, y, /, out=None) -> Array:
    """Matrix product; vectors are rows on the left and columns on the right, further axes are batches that broadcast.

    Raises ShapeError where the contracted sizes differ or an operand has no axis.
    """
    result = _core.matmul(as_array(x), as_array(y))
    return result if out is None else store("matmul", result, out)


def dot(x, y, /, out=None) -> Array:
    """Product of numbers, vectors or arrays, as NumPy's: the last axis of ``x`` with the second to last of ``y``."""
    if out is None and type(x) is type(y) is Array and 0 < x.ndim < 3 and 0 < y.ndim < 3:
        return x @ y
    result = _dot(as_array(x), as_array(y))
    return result if out is None else store("dot", result, out)


def _dot(x, y):
    if x.ndim == 0 or y.ndim == 0:
        return ops["multiply"](x, y)
    return _core.matmul(x, y) if x.ndim <= 2 and y.ndim <= 2 else tensordot(x, y, axes=((-1,), (-2 if y.ndim > 1 else -1,)))


def tensordot(x, y, /, axes=2) -> Array:
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
    if not rows and not columns:
        return _core.matmul(*(_core.reshape(_core.permute_dims(v, axes), (depth,)) for v, axes in ((x, left), (y, right))))
    p = _core.reshape(_core.permute_dims(x, (*xfree, *left)), (_size(rows), depth))
    q = _core.reshape(_core.permute_dims(y, (*right, *yfree)), (depth, _size(columns)))
    return _core.reshape(_core.matmul(p, q), rows + columns)


def _size(shape):
    n = 1
    for d in shape:
        n *= d
    return n


@fused
def summed_products(x, y, axes) -> Array:
    """Sums over axes of the products of elements."""
    return _core.reduce("sum", ops["multiply"](x, y), axes, False)


@looped
def vecdot(x, y, /, axis=-1) -> Array:
    """Products summed over one axis of both, the first conjugated; the others broadcast."""
    x, y = as_array(x), as_array(y)
    normalized_axis("vecdot", axis, builtins.min(x.ndim, y.ndim))
    if x.shape[axis] != y.shape[axis]:
        raise make("ShapeError", f"vecdot: size of axis {axis}: expected {x.shape[axis]}, got {y.shape[axis]}")
    x, y = (moveaxis(x, axis, -1), moveaxis(y, axis, -1)) if axis != -1 else (x, y)
    if x.dtype.kind == "c":
        x = ops["conj"](x)
    if x.ndim == 1 and y.ndim == 1:
        return _core.matmul(x, y)
    common = x.dtype if x.dtype is y.dtype else _core.promote(x.dtype, y.dtype)
    if common.kind == "b":
        return _core.reduce("any", ops["bitwise_and"](x, y), -1, False)
    result = summed_products(x, y, -1)
    return result if result.dtype is common else _core.astype(result, common)


@looped
def vdot(x, y, /) -> Array:
    """Sum of the products of all elements, the first conjugated. Raises ShapeError where the numbers of elements differ."""
    x, y = [a if a.ndim == 1 else _core.reshape(a, (-1,)) for a in map(as_array, (x, y))]
    return _core.matmul(x, y) if x.size == y.size and x.dtype.kind != "c" else vecdot(x, y)


def inner(x, y, /) -> Array:
    """Products summed over the last axis of both; numbers multiply. Raises ShapeError where its sizes differ."""
    x, y = as_array(x), as_array(y)
    if not x.ndim or not y.ndim:
        return ops["multiply"](x, y)
    return _core.matmul(x, y) if y.ndim == 1 else tensordot(x, y, axes=((-1,), (-1,)))


def outer(x, y, /, out=None) -> Array:
    """Products of every element of ``x`` with every element of ``y``, both flattened."""
    result = ops["multiply"](_core.reshape(as_array(x), (-1, 1)), _core.reshape(as_array(y), (1, -1)))
    return result if out is None else store("outer", result, out)


def kron(x, y, /) -> Array:
    """Kronecker's product: every element of ``x`` times ``y``, in blocks."""
    x, y = as_array(x), as_array(y)
    rank = builtins.max(x.ndim, y.ndim)
    a, b = (1,) * (rank - x.ndim) + x.shape, (1,) * (rank - y.ndim) + y.shape
    wide = tuple(n for pair in zip(a, (1,) * rank) for n in pair), tuple(n for pair in zip((1,) * rank, b) for n in pair)
    if 2 * rank > 8:  # more axes than an array has: by the positions of both factors in the result
        return _kron(_core.reshape(x, a), _core.reshape(y, b))
    return _core.reshape(ops["multiply"](_core.reshape(x, wide[0]), _core.reshape(y, wide[1])), tuple(m * n for m, n in zip(a, b)))


def _kron(x, y):
    from ._ranges import arange
    p, q = x, y
    for axis, (m, n) in enumerate(zip(x.shape, y.shape)):
        i = arange(m * n)
        p, q = _core.take(p, i // n, axis), _core.take(q, i % n, axis)
    return p * q


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
