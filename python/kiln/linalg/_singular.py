"""``det``, and derivatives that matrices without full rank have as well: of the determinant, by cofactors, and of the pseudo-inverse."""
from .. import _core
from .._arguments import floating, ops
from .._control import cond
from .._core import Array
from .._diagonals import diagonal_view, eye
from .._dtypes import finfo
from .._fused import looped
from .._gradients import _zeros_like
from .._own_derivatives import _apply, _Rule
from .._products import matmul
from .._ranges import arange
from .._reductions import any, cumulative_prod, max, min, prod, sum  # noqa: A004
from .._selection import where
from .._shaping import expand_dims, flip
from ._decompositions import _triangular, inv, svd


def adjoint(x):
    return ops["conj"](x.mT) if x.dtype.kind == "c" else x.mT


@looped
def det(x, /) -> Array:
    """Determinant of a square matrix."""
    return _determinant(floating(x))


# The determinant: its derivative is the adjugate, the transposed matrix of cofactors, and that of the adjugate is made of second minors.

class _Determinant(_Rule):
    def primal(self, arrays):
        diagonal, sign = _triangular("det", arrays[0])
        return [sign * prod(diagonal, axis=-1)]

    def backward(self, residuals, cotangents):
        return [expand_dims(cotangents[0], axis=(-2, -1)) * adjoint(adjugate(residuals[0]))]

    def jvp(self, arrays, tangents):
        return [_determinant(arrays[0])], [sum(adjugate(arrays[0]).mT * tangents[0], axis=(-2, -1))]


def _determinant(x):
    return _apply(_Determinant(), [x])[0]


def adjugate(x):
    """What is the determinant times the inverse where there is one, that of a matrix without full rank as well."""
    if 0 in x.shape:
        return x
    sizes = ops["abs"](_triangular("det", _core.stop_gradient(x))[0])
    is_singular = ops["less_equal"](min(sizes, axis=-1), max(sizes, axis=-1) * (16 * x.shape[-1] * finfo(sizes.dtype).eps))
    product = ops["abs"](_determinant(x))  # which leaves the range of its dtype before the adjugate does
    is_singular = is_singular | ops["equal"](product, 0) | ops["isinf"](product)
    if _core.innermost() is not None:
        return _of_any(x, is_singular)
    return cond(any(is_singular), _of_any, lambda x, _: _of_regular(x), x, is_singular)


def _of_regular(x):
    return expand_dims(_determinant(x), axis=(-2, -1)) * inv(x)


def _of_any(x, is_singular):
    mask, identity = expand_dims(is_singular, axis=(-2, -1)), eye(x.shape[-1], dtype=x.dtype, device=x.device)
    return where(mask, _apply(_Adjugate(), [where(mask, x, identity)])[0], _of_regular(where(mask, identity, x)))


class _Adjugate(_Rule):
    """By singular values: products of all but one of them, and in the derivative of all but two."""

    def primal(self, arrays):
        u, s, vh = svd(arrays[0])
        return [_turned(u, expand_dims(_others(s), axis=-1) * eye(s.shape[-1], dtype=s.dtype, device=s.device), vh)]

    def backward(self, residuals, cotangents):
        u, s, vh = svd(residuals[0])  # the change of the adjugate of a diagonal matrix is its own transpose
        phase = _phase(u, vh)
        turned = matmul(matmul(vh, cotangents[0]), u) * (ops["conj"](phase) if phase.dtype.kind == "c" else phase)
        return [matmul(matmul(u, _minors(s, turned)), vh)]

    def jvp(self, arrays, tangents):
        u, s, vh = svd(arrays[0])
        return _apply(self, arrays), [_turned(u, _minors(s, matmul(matmul(adjoint(u), tangents[0]), adjoint(vh))), vh)]


def _phase(u, vh):
    return expand_dims(_determinant(u) * _determinant(vh), axis=(-2, -1))


def _turned(u, middle, vh):
    """An adjugate in the vectors of the matrix."""
    return matmul(matmul(adjoint(vh), _core.astype(middle, u.dtype)), adjoint(u)) * _phase(u, vh)


def _around(s):
    """Products of what is before, and of what is behind each element."""
    before = cumulative_prod(s, axis=-1, include_initial=True)[..., :-1]
    return before, flip(cumulative_prod(flip(s, axis=-1), axis=-1, include_initial=True)[..., :-1], axis=-1)


def _others(s):
    before, behind = _around(s)
    return before * behind


def _minors(s, change):
    """The change of the adjugate of a diagonal matrix."""
    n = s.shape[-1]
    before, behind = _around(s)
    is_right = ops["less"](arange(n)[:, None], arange(n))
    between = cumulative_prod(where(is_right, expand_dims(s, axis=-2), 1), axis=-1, include_initial=True)[..., :-1]
    half = where(is_right, expand_dims(before, axis=-1) * between * expand_dims(behind, axis=-2), 0)
    others = half + half.mT
    total = sum(others * expand_dims(diagonal_view(change), axis=-2), axis=-1)
    return expand_dims(total, axis=-1) * eye(n, dtype=s.dtype, device=s.device) - others * change


# The pseudo-inverse of matrices whose rank does not change around them. G. Golub and V. Pereyra, "The differentiation of
# pseudo-inverses and nonlinear least squares problems whose variables separate", 1973.

class PseudoInverse(_Rule):
    """``primal(x, limit)``, which has no derivative by the limit of what counts as 0."""

    def __init__(self, inverse):
        self.inverse = inverse

    def __call__(self, *arrays):
        return _apply(self, list(arrays))[0]

    def primal(self, arrays):
        return [self.inverse(*arrays)]

    def backward(self, residuals, cotangents):
        x, p, by = residuals[0], self(*residuals), adjoint(cotangents[0])
        outer = adjoint(p)
        columns, rows = matmul(matmul(by, p), outer), matmul(outer, matmul(p, by))
        gradient = columns - matmul(x, matmul(p, columns)) + rows - matmul(matmul(rows, p), x) - matmul(matmul(outer, cotangents[0]), outer)
        return [gradient, *map(_zeros_like, residuals[1:])]

    def jvp(self, arrays, tangents):
        x, p, by = arrays[0], self(*arrays), adjoint(tangents[0])
        outer = adjoint(p)
        rows, columns = matmul(p, matmul(outer, by)), matmul(matmul(by, outer), p)
        change = rows - matmul(matmul(rows, x), p) + columns - matmul(p, matmul(x, columns)) - matmul(matmul(p, tangents[0]), p)
        return [p], [change]
