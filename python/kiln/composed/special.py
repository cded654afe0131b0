"""Functions of one array that are compositions of ops."""
from .. import _core
from .._arguments import floating, ops
from .._core import Array


def sigmoid(x, /) -> Array:
    """1 / (1 + exp(-x)), through tanh: no overflow."""
    return ops["tanh"](floating(x) * 0.5) * 0.5 + 0.5


def relu(x, /) -> Array:
    """The larger of ``x`` and 0."""
    return ops["maximum"](x, 0)


def gelu(x, /) -> Array:
    """``x`` times the normal distribution function of ``x``, exactly."""
    x = floating(x)
    return x * 0.5 * (ops["erf"](x * 0.7071067811865476) + 1)


def silu(x, /) -> Array:
    """``x`` times its sigmoid."""
    x = floating(x)
    return x * sigmoid(x)


def softplus(x, /) -> Array:
    """log(1 + exp(x)) without overflow."""
    return ops["logaddexp"](x, 0.0)


def angle(z, /) -> Array:
    """The angle of complex numbers, in [-pi, pi]; of real ones 0 or pi."""
    z = floating(z)
    return ops["atan2"](ops["imag"](z), ops["real"](z))


def isreal(x, /) -> Array:
    """Where the imaginary part is 0."""
    return ops["equal"](ops["imag"](x), 0)


def nan_to_num(x, /, nan=0.0, posinf=None, neginf=None) -> Array:
    """``x`` with nan and infinities replaced: by ``nan``, and the limits of the dtype unless given."""
    from .._dtypes import finfo
    x = floating(x)
    limits = finfo(x.dtype)
    x = _core.where(ops["isnan"](x), nan, x)
    x = _core.where(ops["equal"](x, float("inf")), limits.max if posinf is None else posinf, x)
    return _core.where(ops["equal"](x, -float("inf")), limits.min if neginf is None else neginf, x)
