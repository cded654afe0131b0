"""Polynomials by their coefficients, the highest first."""
import builtins

from .. import _core
from .._arguments import as_array, first_array, floating, ops
from .._core import Array
from .._errors import make
from .._fused import fused
from .._ranges import arange
from .signals import convolve


def polyval(p, x, /) -> Array:
    """The polynomial with coefficients ``p``, the highest first, at ``x``: Horner's scheme."""
    x = as_array(x, first_array(p))
    p = as_array(p, x)
    return (_horner if p.shape[0] <= _MOST else _horner.__kiln_fused__)(p, x)


_MOST = 64  # coefficients of one pass


@fused
def _horner(p, x):
    result = _core.full(x.shape, 0, _core.promote(p.dtype, x.dtype), x.device)
    for i in range(p.shape[0]):
        result = result * x + p[i]
    return result


def polyfit(x, y, deg, rcond=None, full=False, w=None, cov=False):
    """Coefficients, the highest first, of the polynomial of degree ``deg`` whose squared distances to the points, weighed by ``w``, are least.

    ``y`` may have several columns. With ``full`` the sums of squares, the rank, the singular values and ``rcond`` are given as well, with ``cov`` the
    covariance of the coefficients, not scaled by those sums if it is "unscaled". Raises ShapeError where the numbers of points differ, ValueError
    where there are too few for a covariance.
    """
    from .._diagonals import vander
    from ..linalg import pinv
    x, y = floating(x), floating(y)
    if x.ndim != 1 or not x.size or y.shape[:1] != x.shape:
        raise make("ShapeError", f"polyfit: points: expected a vector, and a value for each element, got {x.shape} and {y.shape}")
    columns = vander(x, deg + 1)
    if w is not None:
        w = floating(w)
        columns, y = columns * _core.reshape(w, (-1, 1)), y * (w if y.ndim == 1 else _core.reshape(w, (-1, 1)))
    scale = ops["sqrt"](_core.reduce("sum", columns * columns, 0, False))
    rcond = x.size * _eps(x) if rcond is None else rcond
    c = _core.matmul(pinv(columns / scale, rtol=rcond), y)
    scaled = c / (scale if y.ndim == 1 else _core.reshape(scale, (-1, 1)))
    if full:
        rank, values = _rank(columns / scale, rcond)
        rest = y - _core.matmul(columns / scale, c)
        squares = _core.reduce("sum", rest * rest, 0, False)
        return scaled, _core.reshape(squares, (-1,)) if rank == deg + 1 < x.size else _core.full((0,), 0, squares.dtype), rank, values, rcond
    return (scaled, _covariance(columns / scale, c, y, scale, cov)) if cov else scaled


def _rank(a, rcond):
    from ..linalg import svdvals
    values = svdvals(a)
    return int(_core.reduce("sum", _core.astype(values > values[0] * rcond, "int64"), 0, False).item()), values


def _covariance(a, c, y, scale, cov):
    """Of coefficients: the inverse of the products of columns, times the mean of the squares that are left."""
    from ..linalg import inv
    base = inv(_core.matmul(a.T, a)) / (_core.reshape(scale, (-1, 1)) * scale)
    if cov == "unscaled":
        return base if y.ndim == 1 else base[..., None] * _core.full((y.shape[1],), 1, base.dtype, base.device)
    free = a.shape[0] - a.shape[1]
    if free <= 0:
        raise make("ValueError", f"polyfit: points: expected more than {a.shape[1]} for a scaled covariance, got {a.shape[0]}")
    rest = y - _core.matmul(a, c)
    squares = _core.reduce("sum", rest * rest, 0, False) / free
    return base * squares if y.ndim == 1 else base[..., None] * squares


def _eps(x):
    from .._dtypes import finfo
    return finfo(x.dtype).eps


def polyder(p, m=1) -> Array:
    """Coefficients of the derivative of order ``m``."""
    p = as_array(p)
    for _ in range(m):
        n = p.shape[0] - 1
        p = p[:-1] * _core.astype(arange(n, 0, -1, device=p.device), p.dtype)
    return p


def polyint(p, m=1, k=None) -> Array:
    """Coefficients of the integral of order ``m``, whose constants are 0, or ``k``: one, or one for each integration.

    Raises ValueError for another number of them.
    """
    p = floating(p)
    constants = _core.full((1,), 0, p.dtype, p.device) if k is None else _core.reshape(_core.astype(as_array(k), p.dtype), (-1,)).to_device(p.device)
    if constants.size not in (1, m):
        raise make("ValueError", f"polyint: k: expected one constant or {m}, got {constants.size}")
    for i in range(m):
        n, at = p.shape[0], i if constants.size > 1 else 0
        p = _core.concat((p / _core.astype(arange(n, 0, -1, device=p.device), p.dtype), constants[at:at + 1]), 0)
    return p


def polyadd(p, q) -> Array:
    """Coefficients of the sum of two polynomials."""
    p, q = _of_one_size(as_array(p), as_array(q))
    return p + q


def _of_one_size(p, q):
    """Both behind as many zeros as the longer one has more coefficients."""
    n = builtins.max(p.size, q.size)
    return tuple([a if a.shape == (n,) else _core.concat((_core.full((n - a.size,), 0, a.dtype, a.device), a), 0) for a in (p, q)])


def polysub(p, q) -> Array:
    """Coefficients of the difference of two polynomials."""
    p, q = as_array(p), as_array(q)
    if q.dtype.kind in "bu":  # by the rules of negation
        return polyadd(p, -q)
    p, q = _of_one_size(p, q)
    return p - q


def polymul(p, q) -> Array:
    """Coefficients of the product of two polynomials."""
    return convolve(p, q)


def roots(p) -> Array:
    """The complex numbers where a polynomial is 0: the eigenvalues of its companion matrix. Leading and trailing zeros are looked for.

    Raises ShapeError unless ``p`` is a vector.
    """
    from .._diagonals import diag
    from ..linalg import eigvals
    p = floating(p)
    if p.ndim != 1:
        raise make("ShapeError", f"roots: rank: expected 1, got {p.ndim}")
    there = _core.nonzero(_core.astype(p, "bool"))
    if not there.size:
        return ops["complex"](p[:0], p[:0]) if p.dtype.kind != "c" else p[:0]
    first, last = int(there[0].item()), int(there[-1].item())
    zeros = p.size - 1 - last
    p = p[first:last + 1]
    n = p.size - 1
    if not n:
        found = ops["complex"](p[:0], p[:0]) if p.dtype.kind != "c" else p[:0]
    else:
        companion = diag(_core.full((n - 1,), 1, p.dtype, p.device), -1)
        companion[0, :] = -p[1:] / p[0]
        found = eigvals(companion)
    return _core.concat((found, _core.full((zeros,), 0, found.dtype, found.device)), 0) if zeros else found


def poly(roots_) -> Array:
    """Coefficients, the highest first, of the polynomial that is 0 at the elements of a vector and begins with 1.

    Of a square matrix the characteristic one: 0 at its eigenvalues.
    """
    zeros = floating(roots_)
    if zeros.ndim == 2:
        from ..linalg import eigvals
        result = poly(eigvals(zeros))
        return result if zeros.dtype.kind == "c" else result.real
    result = _core.full((1,), 1, zeros.dtype, zeros.device)
    if zeros.ndim == 1 and zeros.size and zeros.dtype.name in ("float32", "float64"):
        factors, nothing = -zeros, _core.full((1,), 0, zeros.dtype, zeros.device)
        result = _core.concat((result, factors[:1]), 0)
        for i in range(1, zeros.size):
            line = _core.concat((nothing, result, nothing), 0)
            result = line[:-1] * factors[i:i + 1] + line[1:]
        return result
    for i in range(zeros.shape[0]):
        result = convolve(result, _core.concat((_core.full((1,), 1, zeros.dtype, zeros.device), _core.reshape(-zeros[i], (1,))), 0))
    return result
