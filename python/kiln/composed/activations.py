"""Activation functions, by the names and with the parameters of torch. Narrow floats are computed in float32."""
from .. import _core
from .._arguments import as_array, floating, operation, ops, rounded_once
from .._core import Array
from .._fused import fused
from .special import sigmoid, softplus

_where = _core.where


def _between(x, low, high):
    """``x`` brought into bounds, at which its derivative is 0."""
    if _core.innermost() is None:
        return ops["minimum"](ops["maximum"](x, low), high)
    return _where(ops["less_equal"](x, low), low, _where(ops["greater_equal"](x, high), high, x))


@rounded_once
def relu6(x, /) -> Array:
    """``x`` brought into [0, 6]; its derivative is 0 at both."""
    return _between(x, 0, 6)


@operation
@rounded_once
def leaky_relu(x, /, negative_slope=0.01) -> Array:
    """``x`` where it is positive, else ``negative_slope`` times it."""
    return _where(ops["greater"](x, 0), x, x * negative_slope)


def prelu(x, weight, /) -> Array:
    """``leaky_relu`` with a slope for each channel, which are the second axis of ``x``; one for all if there is one."""
    x, weight = as_array(x), as_array(weight)
    if weight.ndim == 1 and weight.size > 1:
        weight = _core.reshape(weight, (-1,) + (1,) * (x.ndim - 2))
    return _where(ops["greater"](x, 0), x, x * weight)


def _negative(x):
    """``x`` where it is not positive, else 0; at 0 with the derivative 1."""
    return _where(ops["greater"](x, 0), 0, x)


@fused
@operation
@rounded_once
def elu(x, /, alpha=1.0) -> Array:
    """``x`` where it is positive, else ``alpha (exp(x) - 1)``."""
    return _where(ops["greater"](x, 0), x, ops["expm1"](_negative(x)) * alpha)


@fused
@operation
@rounded_once
def celu(x, /, alpha=1.0) -> Array:
    """``x`` where it is positive, else ``alpha (exp(x / alpha) - 1)``."""
    return _where(ops["greater"](x, 0), x, ops["expm1"](_negative(x) / alpha) * alpha)


@fused
@rounded_once
def selu(x, /) -> Array:
    """``elu`` with the scale and ``alpha`` that keep means and variances (G. Klambauer and others, 2017)."""
    return elu(x, 1.6732632423543772) * 1.0507009873554805


@fused
@rounded_once
def mish(x, /) -> Array:
    """``x tanh(softplus(x))``."""
    return x * ops["tanh"](softplus(x))


@fused
@rounded_once
def softsign(x, /) -> Array:
    """``x / (1 + |x|)``."""
    return x / (ops["abs"](x) + 1)


@fused
@rounded_once
def log_sigmoid(x, /) -> Array:
    """Logarithm of ``sigmoid``, exact in both tails."""
    return -softplus(-x)


@operation
@rounded_once
def hardtanh(x, /, min_val=-1.0, max_val=1.0) -> Array:
    """``x`` brought into [``min_val``, ``max_val``]; its derivative is 0 at both."""
    return _between(x, min_val, max_val)


@fused
@rounded_once
def hardsigmoid(x, /) -> Array:
    """``x / 6 + 1/2``, brought into [0, 1]."""
    return relu6(x + 3) / 6


@fused
@rounded_once
def hardswish(x, /) -> Array:
    """``x`` times ``hardsigmoid``."""
    return x * relu6(x + 3) / 6


@fused
@operation
@rounded_once
def hardshrink(x, /, lambd=0.5) -> Array:
    """``x`` where its size is above ``lambd``, else 0."""
    return _where(ops["greater"](ops["abs"](x), lambd), x, 0)


@fused
@rounded_once
def softshrink(x, /, lambd=0.5) -> Array:
    """``x`` moved towards 0 by ``lambd``; 0 where its size is not above it."""
    return _where(ops["greater"](x, lambd), x - lambd, _where(ops["less"](x, -lambd), x + lambd, 0))


@fused
@rounded_once
def tanhshrink(x, /) -> Array:
    """``x - tanh(x)``."""
    return x - ops["tanh"](x)


@fused
@operation
@rounded_once
def threshold(x, /, threshold, value) -> Array:
    """``x`` where it is above ``threshold``, else ``value``."""
    return _where(ops["greater"](x, threshold), x, value)


@fused
def glu(x, /, axis=-1) -> Array:
    """The first half along ``axis`` times the ``sigmoid`` of the second. Raises ValueError for an odd size."""
    from .._joining import split
    first, second = split(as_array(x), 2, axis)
    return first * sigmoid(second)


def softmin(x, axis=-1) -> Array:
    """``softmax`` of ``-x``."""
    from .statistics import softmax
    return softmax(-as_array(x), axis)


def rrelu(x, lower=1 / 8, upper=1 / 3, training=False, *, key=None) -> Array:
    """``leaky_relu`` with a slope for each element from between ``lower`` and ``upper``, or their middle unless ``training``. ``key`` as in ``kn.random``."""
    from .. import random
    x = floating(x)
    slope = (lower + upper) / 2
    if training:
        slope = _core.astype(random.uniform(lower, upper, x.shape, key=key) if key is not None else random.uniform(lower, upper, x.shape), x.dtype)
    return _where(ops["less"](x, 0), x * slope, x)


def gumbel_softmax(logits, tau=1.0, hard=False, axis=-1, *, key=None) -> Array:
    """``softmax`` of ``logits`` with Gumbel numbers added, over ``tau``; the largest as 1 and all others as 0 if ``hard``, with the same gradient."""
    from .. import random
    from .._gradients import stop_gradient
    from .statistics import softmax
    x = floating(logits)
    noise = random.gumbel(size=x.shape, key=key) if key is not None else random.gumbel(size=x.shape)
    soft = softmax((x + _core.astype(noise, x.dtype)) / tau, axis)
    if not hard:
        return soft
    axis = axis % x.ndim
    at = _core.reduce("argmax", soft, axis, True)
    one = _core.astype(ops["equal"](_core.iota(x.shape, at.dtype, axis, x.device), at), x.dtype)
    return stop_gradient(one - soft) + soft
