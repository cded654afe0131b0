"""Systems and functions of matrices that follow from the decompositions."""
import math
from typing import NamedTuple

from .. import _core
from .._arguments import floating, ops
from .._core import Array
from .._diagonals import eye, tril, triu
from .._errors import make
from .._fused import looped
from .._products import matmul
from .._ranges import arange
from .._reductions import max, sum  # noqa: A004
from .._selection import take_along_axis
from .._shaping import moveaxis
from ._decompositions import _call, _parts, inv, solve

LUResult = NamedTuple("LUResult", [("P", Array), ("L", Array), ("U", Array)])


def _square(op, x):
    x = floating(x)
    if x.ndim < 2 or x.shape[-1] != x.shape[-2]:
        raise make("ShapeError", f"{op}: operand 0: expected square matrices, got {x.shape}")
    return x


def lu(x, /) -> LUResult:
    """``P``, ``L`` with ones on its diagonal, and ``U`` with ``x = P @ L @ U``, of square matrices. Raises ShapeError for others."""
    x = _square("lu", x)
    n = x.shape[-1]
    factors, pivots = _parts(_call("lu", (x,)), (n, n), (n,))
    pivots = _core.astype(pivots.real if pivots.dtype.kind == "c" else pivots, "int64")
    order = _core.broadcast_to(arange(n, device=pivots.device), pivots.shape)
    line = arange(n, device=pivots.device)
    for i in range(n):  # the exchanges of rows, one after the other
        p = pivots[..., i:i + 1]
        here, there = order[..., i:i + 1], take_along_axis(order, p, axis=-1)
        order = _core.where(ops["equal"](line, i), there, _core.where(ops["equal"](line, p), here, order))
    permutation = _core.astype(ops["equal"](_core.reshape(line, (-1, 1)), _core.reshape(order, (*order.shape[:-1], 1, n))), x.dtype)
    return LUResult(permutation, tril(factors, -1) + eye(n, dtype=x.dtype, device=x.device), triu(factors))


def solve_triangular(a, b, /, *, lower=False, trans=False, unit_diagonal=False) -> Array:
    """The x of ``a @ x = b`` for the upper triangle of ``a``, or the lower one; of its adjoint with ``trans``; with ones on its diagonal.

    The other triangle is not read. Raises LinAlgError where the diagonal holds a 0, ShapeError where sizes do not fit.
    """
    a = _square("solve_triangular", a)
    a = tril(a, -1 if unit_diagonal else 0) if lower else triu(a, 1 if unit_diagonal else 0)
    a = a + eye(a.shape[-1], dtype=a.dtype, device=a.device) if unit_diagonal else a
    a = (ops["conj"](a) if a.dtype.kind == "c" else a).mT if trans else a
    return solve(a, b)


def tensorsolve(a, b, axes=None) -> Array:
    """The x of ``tensordot(a, x, x.ndim) = b``; ``axes`` of ``a`` are moved to its end first. Raises ShapeError where sizes do not fit."""
    a, b = floating(a), floating(b)
    if axes is not None:
        a = moveaxis(a, tuple(axes), tuple(range(a.ndim - len(axes), a.ndim)))
    shape = a.shape[b.ndim:]
    if a.shape[:b.ndim] != b.shape or math.prod(shape) != b.size:
        raise make("ShapeError", f"tensorsolve: shapes: expected {b.shape} and as many elements besides, got {a.shape}")
    return _core.reshape(solve(_core.reshape(a, (b.size, b.size)), _core.reshape(b, (-1,))), shape)


@looped
def tensorinv(a, ind=2) -> Array:
    """The inverse of ``tensordot`` over the last axes: the first ``ind`` axes hold as many elements as the others.

    Raises ValueError for ``ind`` below 1, ShapeError where sizes do not fit.
    """
    a = floating(a)
    if ind < 1:
        raise make("ValueError", f"tensorinv: ind: expected at least 1, got {ind}")
    n = math.prod(a.shape[:ind])
    if n * n != a.size:
        raise make("ShapeError", f"tensorinv: shape: expected as many elements in the first {ind} axes as in the others, got {a.shape}")
    return _core.reshape(inv(_core.reshape(a, (n, n))), a.shape[ind:] + a.shape[:ind])


_PADE = (64764752532480000, 32382376266240000, 7771770303897600, 1187353796428800, 129060195264000, 10559470521600, 670442572800, 33522128640, 1323241920, 40840800, 960960, 16380, 182, 1)
_SQUARINGS = 20


def matrix_exp(x, /) -> Array:
    """Exponential of square matrices: N. Higham, "The scaling and squaring method for the matrix exponential revisited", 2005.

    A matrix of 1-norm above 5 million is not scaled enough. Raises ShapeError for matrices that are not square.
    """
    x = _square("matrix_exp", x)
    narrow = x.dtype
    x = _core.astype(x, "float32") if narrow.itemsize == 2 else x
    n = x.shape[-1]
    size = max(sum(ops["abs"](x), axis=-2), axis=-1)
    s = ops["maximum"](ops["ceil"](ops["log2"](ops["maximum"](size, 1e-30) / 5.371920351148152)), 0.0)
    s = _core.reshape(ops["minimum"](s, float(_SQUARINGS)), (*size.shape, 1, 1))
    a, one = x * ops["exp2"](-s), eye(n, dtype=x.dtype, device=x.device)
    a2 = matmul(a, a)
    a4 = matmul(a2, a2)
    a6 = matmul(a2, a4)
    b = [float(c) for c in _PADE]
    u = matmul(a, matmul(a6, a6 * b[13] + a4 * b[11] + a2 * b[9]) + a6 * b[7] + a4 * b[5] + a2 * b[3] + one * b[1])
    v = matmul(a6, a6 * b[12] + a4 * b[10] + a2 * b[8]) + a6 * b[6] + a4 * b[4] + a2 * b[2] + one * b[0]
    result = solve(v - u, v + u)
    for i in range(_SQUARINGS):
        result = _core.where(ops["greater"](s, float(i)), matmul(result, result), result)
    return _core.astype(result, narrow) if result.dtype is not narrow else result


