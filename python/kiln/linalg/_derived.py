"""What follows from decompositions and products: norms, ranks, inverses of any matrix."""
import builtins
import functools

from .. import _core
from .._arguments import as_array, as_tuple, floating, normalized_axis, ops, rounded_once
from .._core import Array
from .._diagonals import eye
from .._dtypes import finfo
from .._errors import make
from .._fused import fused, looped
from .._products import matmul
from .._reductions import any, max, min, rooted, sum  # noqa: A004
from .._selection import where
from .._joining import stack
from .._shaping import broadcast_shapes, expand_dims, moveaxis, squeeze
from ._decompositions import _triangular, inv, svd, svdvals
from ._singular import PseudoInverse, adjoint

_INF = float("inf")


def _matrices(op, x):
    x = floating(x)
    if x.ndim < 2:
        raise make("ShapeError", f"{op}: rank of operand 0: expected at least 2, got {x.ndim}")
    return x


def _cutoff(x, values, rtol):
    """What singular values are compared with, over a new last axis."""
    if rtol is None:
        rtol = builtins.max(x.shape[-2:]) * finfo(values.dtype).eps
    rtol = expand_dims(rtol, axis=-1) if isinstance(rtol, Array) and rtol.ndim else rtol
    return rtol * max(values, axis=-1, keepdims=True)


@looped
def pinv(x, /, rtol=None, hermitian=False, *, rcond=None) -> Array:
    """Moore-Penrose inverse: singular values up to ``rtol`` (the larger size times eps) of the largest count as 0.

    ``rcond`` is NumPy's name of ``rtol``; a ``hermitian`` matrix has the same inverse. Its derivative is that of matrices of the same rank.
    """
    x, rtol = _matrices("pinv", x), rtol if rcond is None else rcond
    if 0 in x.shape[-2:]:
        return _core.full((*x.shape[:-2], x.shape[-1], x.shape[-2]), 0, x.dtype, x.device)
    if _core.innermost() is None:
        return _pinv(x, rtol)
    limit = () if rtol is None else (_core.asarray(rtol, x.real.dtype if x.dtype.kind == "c" else x.dtype, x.device),)
    return PseudoInverse(_pinv)(x, *limit)


def _pinv(x, rtol=None):
    return _inverse(x, svd(x, full_matrices=False), rtol)


def _inverse(x, factors, rtol):
    u, s, vh = factors
    kept = ops["greater"](s, _cutoff(x, s, rtol))
    inverse = where(kept, 1 / where(kept, s, 1), 0)
    return matmul(adjoint(vh), expand_dims(inverse, axis=-1) * adjoint(u))


@looped
def matrix_rank(x, /, tol=None, hermitian=False, *, rtol=None) -> Array:
    """Number of singular values above ``tol``, or above ``rtol`` (the larger size times eps) of the largest: int64. Of a vector 1, or 0 of zeros.

    A ``hermitian`` matrix has the same rank.
    """
    x = floating(x)
    if x.ndim < 2:
        return _core.astype(any(x), "int64")
    return _rank(x, svdvals(x), rtol, tol)


def _rank(x, s, rtol, tol=None):
    if not s.shape[-1]:
        return _core.full(s.shape[:-1], 0, "int64", s.device)
    if tol is None:
        cutoff = _cutoff(x, s, rtol)
    else:
        cutoff = expand_dims(tol, axis=-1) if isinstance(tol, Array) and tol.ndim else tol
    return sum(_core.astype(ops["greater"](s, cutoff), "int64"), axis=-1)


def matrix_power(x, n, /) -> Array:
    """Product of ``n`` of the matrix, by repeated squares; of its inverse for a negative ``n``."""
    x = as_array(x)
    if x.ndim < 2 or x.shape[-1] != x.shape[-2]:
        raise make("ShapeError", f"matrix_power: operand 0: expected square matrices, got {x.shape}")
    if n == 0:
        return _core.copy(_core.broadcast_to(eye(x.shape[-1], dtype=x.dtype, device=x.device), x.shape))
    square, result = (inv(x) if n < 0 else x), None
    n = abs(n)
    while n:
        if n & 1:
            result = square if result is None else matmul(result, square)
        n >>= 1
        square = matmul(square, square) if n else square
    return result if result is not x else _core.copy(x)


@fused
def _sum_of_squares(x, axis, keepdims):
    return sum(x.real * x.real + x.imag * x.imag, axis=axis, keepdims=keepdims)


@looped
@rounded_once
def vector_norm(x, /, axis=None, keepdims=False, ord=2) -> Array:  # noqa: A002
    """Norm over ``axis`` (all) as of one vector: the root of order ``ord`` of the sum of that power of the sizes.

    ``ord`` inf and -inf are the largest and smallest size, 0 the number of elements that are not 0. Narrow floats are computed in
    float32.
    """
    if ord == 2 and x.dtype.kind == "c":
        return rooted(ops["sqrt"], _sum_of_squares(x, axis, keepdims))
    if ord == 2 and x.ndim == 1 and axis in (None, 0, -1) and not keepdims:
        return rooted(ops["sqrt"], matmul(x, x))  # one pass
    if ord == 2:
        return rooted(ops["sqrt"], sum(x * x, axis=axis, keepdims=keepdims))
    x = ops["abs"](x)
    if ord == _INF:
        return max(x, axis=axis, keepdims=keepdims, initial=None if x.size else 0)
    if ord == -_INF:
        return min(x, axis=axis, keepdims=keepdims)
    if ord == 0:
        return sum(_core.astype(ops["not_equal"](x, 0), x.dtype), axis=axis, keepdims=keepdims)
    if ord == 1:
        return sum(x, axis=axis, keepdims=keepdims)
    return rooted(lambda total: total ** (1 / ord), sum(x ** ord, axis=axis, keepdims=keepdims))


@looped
def matrix_norm(x, /, keepdims=False, ord="fro") -> Array:  # noqa: A002
    """Norm of matrices: "fro", "nuc", 1, -1, 2, -2, inf or -inf, as NumPy's; 0 of empty ones. Raises ValueError for another ``ord``."""
    x = _matrices("matrix_norm", x)
    kind = max if not isinstance(ord, str) and ord > 0 else min
    if ord == "fro":
        return vector_norm(x, axis=(-2, -1), keepdims=keepdims)
    if ord not in ("nuc", 1, -1, 2, -2, _INF, -_INF):
        raise make("ValueError", f"matrix_norm: ord: expected 'fro', 'nuc', 1, -1, 2, -2, inf or -inf, got {ord!r}")
    if not x.shape[-1] * x.shape[-2] and (ord == "nuc" or ord > 0):
        return _core.full((*x.shape[:-2], *((1, 1) if keepdims else ())), 0, x.real.dtype if x.dtype.kind == "c" else x.dtype)
    if ord == "nuc" or ord in (2, -2):
        s = svdvals(x)
        result = sum(s, axis=-1) if ord == "nuc" else kind(s, axis=-1)
        return _core.reshape(result, (*result.shape, 1, 1)) if keepdims else result
    sums = sum(ops["abs"](x), axis=-2 if abs(ord) == 1 else -1, keepdims=True)
    return kind(sums, axis=(-2, -1), keepdims=keepdims)


@looped
def norm(x, ord=None, axis=None, keepdims=False) -> Array:  # noqa: A002
    """``vector_norm`` over one axis, ``matrix_norm`` over two, as NumPy's function of the name; of all elements without ``ord``."""
    x = floating(x)
    if axis is None and ord is None:
        return vector_norm(x, keepdims=keepdims)
    axes = [normalized_axis("norm", a, x.ndim) for a in (range(x.ndim) if axis is None else as_tuple(axis))]
    if len(axes) == 1:
        return vector_norm(x, axis=axes[0], keepdims=keepdims, ord=2 if ord is None else ord)
    if len(axes) != 2:
        raise make("ValueError", f"norm: axis: expected one or two, got {len(axes)}")
    result = matrix_norm(moveaxis(x, tuple(axes), (-2, -1)), ord="fro" if ord is None else ord)
    return _core.reshape(result, tuple(1 if i in axes else n for i, n in enumerate(x.shape))) if keepdims else result


@looped
def cond(x, p=None) -> Array:
    """Condition number: the norm of a matrix times that of its inverse, by ``p`` as ``ord`` of ``matrix_norm`` (2).

    inf for a singular matrix, nan for one that holds nan. Raises ShapeError for matrices that are not square, unless ``p`` is 2 or -2.
    """
    x = _matrices("cond", x)
    if p in (None, 2, -2):
        s = svdvals(x)
        least, most = s[..., -1], s[..., 0]
        if p == -2:
            return least / most
        return _core.where(ops["equal"](least, 0), _INF, most / least)
    if x.shape[-1] != x.shape[-2]:
        raise make("ShapeError", f"cond: operand 0: expected square matrices, got {x.shape}")
    factors, _ = _triangular("cond", x)
    singular = _core.reduce("any", ops["equal"](factors, 0), -1, False)
    mask = _core.reshape(singular, (*singular.shape, 1, 1))
    safe = _core.where(mask, eye(x.shape[-1], dtype=x.dtype, device=x.device), x)
    return _core.where(singular, _INF, matrix_norm(x, ord=p) * matrix_norm(inv(safe), ord=p))


def cross(x1, x2, /, axis=-1, *, axisa=-1, axisb=-1, axisc=-1) -> Array:
    """Cross products of vectors of three elements along ``axis``; other axes broadcast. Raises ShapeError for another size.

    ``axisa``, ``axisb`` and ``axisc`` are those of the operands and the result, where they differ.
    """
    x1, x2 = as_array(x1), as_array(x2)
    if (axisa, axisb, axisc) != (-1, -1, -1):
        return moveaxis(cross(moveaxis(x1, axisa, -1), moveaxis(x2, axisb, -1)), -1, axisc)
    shape = broadcast_shapes(x1.shape, x2.shape)
    axis = normalized_axis("cross", axis, builtins.min(x1.ndim, x2.ndim)) - builtins.min(x1.ndim, x2.ndim) if axis >= 0 else axis
    for x in (x1, x2):
        if x.shape[normalized_axis("cross", axis, x.ndim)] != 3:
            raise make("ShapeError", f"cross: size of axis {axis}: expected 3, got {x.shape[axis]}")
    a, b = (moveaxis(_core.broadcast_to(x, shape), axis, 0) for x in (x1, x2))
    return stack([a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]], axis=axis)


def multi_dot(arrays) -> Array:
    """Product of two or more matrices, in the order of fewest multiplications; the first and last may be vectors."""
    arrays = [as_array(a) for a in arrays]
    if len(arrays) < 2:
        raise make("ValueError", f"multi_dot: arrays: expected at least 2, got {len(arrays)}")
    row, column = arrays[0].ndim == 1, arrays[-1].ndim == 1
    arrays[0] = _core.reshape(arrays[0], (1, -1)) if row else arrays[0]
    arrays[-1] = _core.reshape(arrays[-1], (-1, 1)) if column else arrays[-1]
    result = _product(arrays, _splits((*[a.shape[0] for a in arrays], arrays[-1].shape[1])), 0, len(arrays) - 1)
    return squeeze(result, axis=tuple(a for a, wanted in ((0, row), (1, column)) if wanted)) if row or column else result


@functools.lru_cache(256)
def _splits(sizes):
    """Where each run of factors is best split. T. Cormen and others, "Introduction to Algorithms", section on chains."""
    n = len(sizes) - 1
    cost, split = {(i, i): 0 for i in range(n)}, {}
    for length in range(1, n):
        for i in range(n - length):
            j = i + length
            cost[i, j], split[i, j] = builtins.min((cost[i, k] + cost[k + 1, j] + sizes[i] * sizes[k + 1] * sizes[j + 1], k) for k in range(i, j))
    return split


def _product(arrays, split, i, j):
    return arrays[i] if i == j else matmul(_product(arrays, split, i, split[i, j]), _product(arrays, split, split[i, j] + 1, j))


@looped
def lstsq(a, b, rcond=None):
    """The x of least norm that makes ``a @ x - b`` smallest, with the sums of squares left, the rank and the singular values of ``a``.

    ``a`` may have batches in front, ``b`` then has two axes besides; without them ``b`` has one or two. The sums of squares are empty
    unless ``a`` has more rows than columns. Raises ShapeError where sizes do not fit.
    """
    a, b = _matrices("lstsq", a), floating(b)
    rows = b.shape[-2 if b.ndim > 1 else -1] if b.ndim else 0
    if rows != a.shape[-2] or a.ndim > 2 and b.ndim < 2:
        raise make("ShapeError", f"lstsq: operands: expected a matrix and {a.shape[-2]} rows, got {a.shape} and {b.shape}")
    factors = svd(a, full_matrices=False)
    x = matmul(_inverse(a, factors, rcond) if _core.innermost() is None and a.size else pinv(a, rtol=rcond), b)
    left = ops["abs"](b - matmul(a, x))
    axis = 0 if b.ndim == 1 else -2
    squares = sum(left * left, axis=axis, keepdims=b.ndim == 1) if a.shape[-2] > a.shape[-1] else _core.full((0,), 0, left.dtype, left.device)
    s = factors[1]
    return x, squares, _rank(a, s, rcond), s
