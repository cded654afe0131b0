"""Decompositions: the ops that call LAPACK, their results taken apart."""
from typing import Literal, NamedTuple, overload

from .. import _core
from .._arguments import cast, floating, ops
from .._core import Array
from .._diagonals import diagonal_view, eye
from .._dtypes import BY_NAME
from .._errors import make
from .._fused import looped
from .._reductions import prod, sum  # noqa: A004
from .._shaping import broadcast_shapes
from .._types import result_type

_int64 = BY_NAME["int64"]
EighResult = NamedTuple("EighResult", [("eigenvalues", Array), ("eigenvectors", Array)])
EigResult = NamedTuple("EigResult", [("eigenvalues", Array), ("eigenvectors", Array)])
QRResult = NamedTuple("QRResult", [("Q", Array), ("R", Array)])
SlogdetResult = NamedTuple("SlogdetResult", [("sign", Array), ("logabsdet", Array)])
SVDResult = NamedTuple("SVDResult", [("U", Array), ("S", Array), ("Vh", Array)])


def _call(op, operands, *words):
    """A library op on floating operands of one dtype: narrow floats in float32, the result rounded back."""
    dtype = result_type(*operands)
    wide = BY_NAME["float32"] if dtype.kind == "f" and dtype.itemsize == 2 else dtype
    result = _core.library(op, tuple([cast(x, wide) for x in operands]), *words)
    return _core.astype(result, dtype) if result.dtype is wide else result


def _parts(flat, *shapes):
    """Results that lie one behind the other along the last axis, each with its shape."""
    at, batch = 0, flat.shape[:-1]
    for shape in shapes:
        size = 1
        for n in shape:
            size *= n
        part = flat[..., at:at + size] if batch else flat[at:at + size]
        yield _core.reshape(part, (*batch, *shape)) if len(shape) > 1 else part
        at += size


def cholesky(x, /, upper=False) -> Array:
    """The lower triangle L with ``x = L @ L.conj().mT`` of a positive definite matrix, or the ``upper`` one, its adjoint.

    Only the triangle of that name is read. Raises LinAlgError where a matrix is not positive definite, ShapeError where it
    is not square.
    """
    return _call("cholesky", (floating(x),), int(bool(upper)))


def qr(x, /, mode="reduced"):
    """``Q`` with orthonormal columns and the upper triangle ``R`` with ``x = Q @ R``.

    ``mode`` is "reduced" (as many columns as ``R`` has rows), "complete" (``Q`` square) or "r" (``R`` alone). Raises ValueError for another.
    """
    x = floating(x)
    if mode not in ("reduced", "complete", "r"):
        raise make("ValueError", f"qr: mode: expected 'reduced', 'complete' or 'r', got {mode!r}")
    flat = _call("qr", (x,), int(mode == "complete"))
    m, n = x.shape[-2:]
    k = m if mode == "complete" else min(m, n)
    result = QRResult(*_parts(flat, (m, k), (k, n)))
    return result.R if mode == "r" else result


def _triangle(op, uplo):
    if uplo not in ("L", "U"):
        raise make("ValueError", f"{op}: UPLO: expected 'L' or 'U', got {uplo!r}")
    return int(uplo == "U")


def eigh(x, /, UPLO="L") -> EighResult:
    """Eigenvalues, ascending, and eigenvectors, as columns, of a Hermitian matrix; only the triangle ``UPLO`` is read."""
    x = floating(x)
    flat = _call("eigh", (x,), _triangle("eigh", UPLO), 1)
    n = x.shape[-1]
    values, vectors = _parts(flat, (n,), (n, n))
    return EighResult(values.real, vectors)


def eigvalsh(x, /, UPLO="L") -> Array:
    """Eigenvalues of a Hermitian matrix, ascending; only the triangle ``UPLO`` is read."""
    return _call("eigh", (floating(x),), _triangle("eigvalsh", UPLO), 0).real


def eig(x, /) -> EigResult:
    """Eigenvalues, in no order, and eigenvectors, as columns, of a square matrix: complex numbers always."""
    x = floating(x)
    flat = _call("eig", (x,), 1)
    n = x.shape[-1]
    return EigResult(*_parts(flat, (n,), (n, n)))


def eigvals(x, /) -> Array:
    """Eigenvalues of a square matrix, in no order: complex numbers always."""
    return _call("eig", (floating(x),), 0)


@overload
def svd(x, /, full_matrices: bool = True, compute_uv: Literal[True] = True, hermitian: bool = False) -> SVDResult: ...


@overload
def svd(x, /, full_matrices: bool = True, *, compute_uv: Literal[False], hermitian: bool = False) -> Array: ...


def svd(x, /, full_matrices=True, compute_uv=True, hermitian=False):
    """``U``, the singular values ``S``, descending, and ``Vh`` with ``x = U @ diag(S) @ Vh``.

    ``U`` and ``Vh`` are square with ``full_matrices``, and have as many columns and rows as there are values without. Without ``compute_uv``
    the values alone; a ``hermitian`` matrix has the same.
    """
    x = floating(x)
    if not compute_uv:
        return svdvals(x)
    flat = _call("svd", (x,), 2 if full_matrices else 1)
    m, n = x.shape[-2:]
    k = min(m, n)
    values, u, vh = _parts(flat, (k,), (m, m if full_matrices else k), (n if full_matrices else k, n))
    return SVDResult(u, values.real, vh)


def svdvals(x, /) -> Array:
    """Singular values of a matrix, descending."""
    return _call("svd", (floating(x),), 0).real


@looped
def solve(x1, x2, /) -> Array:
    """The x of ``x1 @ x = x2`` for square matrices: of a vector ``x2`` of one axis, or of each column of matrices.

    Raises LinAlgError where a matrix is singular, ShapeError where sizes do not fit.
    """
    a, b = floating(x1), floating(x2)
    is_vector = b.ndim == 1
    b = _core.reshape(b, (-1, 1)) if is_vector else b
    if a.ndim > 1 and b.ndim > 1:
        batch = broadcast_shapes(a.shape[:-2], b.shape[:-2])
        a, b = _core.broadcast_to(a, batch + a.shape[-2:]), _core.broadcast_to(b, batch + b.shape[-2:])
    result = _call("solve", (a, b))
    return _core.reshape(result, result.shape[:-1]) if is_vector else result


@looped
def inv(x, /) -> Array:
    """Inverse of a square matrix. Raises LinAlgError where it is singular: better solve than multiply with an inverse."""
    x = floating(x)
    return solve(x, eye(x.shape[-1] if x.ndim else 1, dtype=x.dtype, device=x.device))


def _triangular(op, x):
    """The diagonal of the upper factor, and the sign of the exchanges of rows."""
    x = floating(x)
    flat = _call("lu", (x,))
    n = x.shape[-1]
    factors, pivots = _parts(flat, (n, n), (n,))
    pivots = pivots.real if pivots.dtype.kind == "c" else pivots
    exchanged = ops["not_equal"](pivots, _core.iota((n,), pivots.dtype, 0, pivots.device))
    exchanges = _core.reduce("sum", _core.astype(exchanged, _int64), -1, False)
    return diagonal_view(factors), _core.astype(1 - (exchanges & 1) * 2, x.dtype)


@looped
def slogdet(x, /) -> SlogdetResult:
    """Sign (for complex numbers a number of size 1) and logarithm of the size of the determinant; 0 and -inf where it is 0."""
    diagonal, sign = _triangular("slogdet", x)
    return SlogdetResult(sign * prod(ops["sign"](diagonal), axis=-1), sum(ops["log"](ops["abs"](diagonal)), axis=-1))
