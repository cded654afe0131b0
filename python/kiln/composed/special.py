"""Functions of one array that are compositions of ops."""
from .. import _core
from .._arguments import as_array, floating, ops, rounded_once, store
from .._core import Array
from .._fused import fused

_INF = float("inf")


@fused
@rounded_once
def sigmoid(x, /) -> Array:
    """1 / (1 + exp(-x)), exact in both tails and without overflow. Narrow floats are computed in float32."""
    is_low = ops["less"](x, 0)
    e = ops["exp"](_core.where(is_low, x, -x))
    return _core.where(is_low, e, 1.0) / (e + 1)


def relu(x, /) -> Array:
    """The larger of ``x`` and 0; its derivative is 0 at 0."""
    x = as_array(x)
    if _core.innermost() is None:
        return ops["maximum"](x, 0)
    return _core.where(ops["less_equal"](x, 0), 0, x)


@fused
@rounded_once
def gelu(x, /, approximate=False) -> Array:
    """``x`` times the normal distribution function of ``x``, through erfc, which keeps the tail; by tanh if ``approximate``, or as torch "tanh", not "none".

    Narrow floats are computed in float32.
    """
    if approximate and approximate != "none":
        return x * 0.5 * (ops["tanh"]((x + x * x * x * 0.044715) * 0.7978845608028654) + 1)
    return x * 0.5 * ops["erfc"](x * -0.7071067811865476)


@fused
@rounded_once
def silu(x, /) -> Array:
    """``x`` times its sigmoid. Narrow floats are computed in float32."""
    return x * sigmoid(x)


def softplus(x, /, beta=1.0, threshold=None) -> Array:
    """log(1 + exp(beta x)) / beta without overflow; ``x`` itself where beta x is above ``threshold``, which torch has at 20."""
    x = floating(x)
    result = ops["logaddexp"](x if beta == 1 else x * beta, 0.0)
    result = result if beta == 1 else result / beta
    return result if threshold is None else _core.where(ops["greater"](x * beta, threshold), x, result)


def angle(z, /, deg=False) -> Array:
    """The angle of complex numbers, in [-pi, pi], or in degrees; of real ones 0 or pi."""
    z = floating(z)
    result = ops["atan2"](ops["imag"](z), ops["real"](z))
    return result * 57.29577951308232 if deg else result


def isreal(x, /) -> Array:
    """Where the imaginary part is 0."""
    return ops["equal"](ops["imag"](as_array(x)), 0)


def iscomplex(x, /) -> Array:
    """Where the imaginary part is not 0."""
    return ops["not_equal"](ops["imag"](as_array(x)), 0)


def isposinf(x, /) -> Array:
    """Where an element is +inf."""
    return ops["equal"](floating(x), _INF)


def isneginf(x, /) -> Array:
    """Where an element is -inf."""
    return ops["equal"](floating(x), -_INF)


@fused
def nan_to_num(x, /, copy=True, nan=0.0, posinf=None, neginf=None) -> Array:
    """``x`` with nan and infinities replaced: by ``nan``, and the limits of the dtype unless given; both parts of complex numbers.

    Without ``copy``, ``x`` itself is changed and returned.
    """
    from .._dtypes import finfo
    x = as_array(x)
    if x.dtype.kind in "biu":
        return _core.copy(x) if copy else x
    limits = finfo(x.dtype)
    posinf, neginf = limits.max if posinf is None else posinf, limits.min if neginf is None else neginf
    if x.dtype.kind == "c":
        result = ops["complex"](_finite(x.real, nan, posinf, neginf), _finite(x.imag, nan, posinf, neginf))
    else:
        result = _finite(x, nan, posinf, neginf)
    return result if copy else store("nan_to_num", result, x)


def _finite(x, nan, posinf, neginf):
    from .._dtypes import finfo
    limits = finfo(x.dtype)
    if (posinf, neginf) == (limits.max, limits.min):
        return _core.where(ops["isnan"](x), nan, ops["minimum"](ops["maximum"](x, neginf), posinf))
    x = _core.where(ops["isnan"](x), nan, x)
    x = _core.where(ops["equal"](x, _INF), posinf, x)
    return _core.where(ops["equal"](x, -_INF), neginf, x)
