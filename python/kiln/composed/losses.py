"""Losses, by the names and with the parameters of torch; narrow floats are computed in float32."""
import functools
import math

from .. import _core
from .._arguments import as_array, choice, floating, normalized_axis, ops
from .._core import Array
from .._errors import make
from .activations import log_sigmoid
from .statistics import log_softmax

_where = _core.where


def _reduced(op, loss, reduction, weight=None):
    """A loss for each element, or their mean (over the sum of ``weight``, where there is one) or sum."""
    choice(op, "reduction", reduction, ("none", "mean", "sum"))
    if reduction == "none":
        return loss
    total = _core.reduce("sum", loss, None, False)
    if reduction == "sum":
        return total
    return total / (max(loss.size, 1) if weight is None else _core.reduce("sum", weight, None, False))


def _widened(function):
    """A loss of arrays of narrow floats, computed in float32 and rounded once."""
    @functools.wraps(function)
    def loss(input, *args, **kwargs):  # noqa: A002
        x = floating(input)
        if x.dtype.itemsize != 2:
            return function(x, *args, **kwargs)
        wide = [_core.astype(a, "float32") if isinstance(a, Array) and a.dtype.itemsize == 2 and a.dtype.kind == "f" else a for a in (x, *args)]
        return _core.astype(function(*wide, **kwargs), x.dtype)
    return loss


def _pair(op, x, target):
    target = as_array(target)
    if x.shape != target.shape:
        raise make("ShapeError", f"{op}: shape of the target: expected {x.shape}, got {target.shape}")
    return x, _core.astype(target, x.dtype)


@_widened
def mse_loss(input, target, reduction="mean") -> Array:  # noqa: A002
    """Squares of the differences. ``reduction`` is "mean", "sum" or "none". Raises ShapeError where shapes differ."""
    x, y = _pair("mse_loss", input, target)
    return _reduced("mse_loss", ops["square"](x - y), reduction)


@_widened
def l1_loss(input, target, reduction="mean") -> Array:  # noqa: A002
    """Sizes of the differences, as ``mse_loss``."""
    x, y = _pair("l1_loss", input, target)
    return _reduced("l1_loss", ops["abs"](x - y), reduction)


@_widened
def huber_loss(input, target, reduction="mean", delta=1.0) -> Array:  # noqa: A002
    """Half the squares of the differences up to ``delta``, from there on lines, as ``mse_loss``."""
    x, y = _pair("huber_loss", input, target)
    size = ops["abs"](x - y)
    return _reduced("huber_loss", _where(ops["less_equal"](size, delta), ops["square"](size) * 0.5, (size - 0.5 * delta) * delta), reduction)


@_widened
def smooth_l1_loss(input, target, reduction="mean", beta=1.0) -> Array:  # noqa: A002
    """``huber_loss`` over ``beta``; sizes of the differences where that is 0."""
    x, y = _pair("smooth_l1_loss", input, target)
    size = ops["abs"](x - y)
    loss = size if beta == 0 else _where(ops["less"](size, beta), ops["square"](size) * (0.5 / beta), size - 0.5 * beta)
    return _reduced("smooth_l1_loss", loss, reduction)


def _by_class(op, x, target, weight, ignore_index, reduction, smoothing=0.0):
    """Losses of logarithms of probabilities (batch, classes, ...) and class numbers (batch, ...)."""
    axis = 1 if x.ndim > 1 else 0
    shape = x.shape[:axis] + x.shape[axis + 1:]
    if target.shape != shape:
        raise make("ShapeError", f"{op}: shape of the target: expected {shape}, got {target.shape}")
    counted, classes = ops["not_equal"](target, ignore_index), x.shape[axis]
    at = _where(counted, _where(ops["less"](target, 0), classes, target), 0)  # none counts from the end
    if _core.is_at_hand() and not ops["less"](at, classes).all():
        raise make("IndexError", f"{op}: target: expected classes in [0, {classes}) or {ignore_index}, got {target}")
    at = _core.reshape(at, (*shape[:axis], 1, *shape[axis:]))
    from .._selection import take_along_axis
    loss = -_core.reshape(take_along_axis(x, at, axis), shape)
    factors = _core.astype(counted, x.dtype)
    if weight is not None:
        weight = _core.astype(as_array(weight), x.dtype)
        factors = factors * _core.reshape(_core.take(weight, _core.reshape(at, (-1,)), 0), shape)
    loss = _where(counted, loss * factors, 0.0)
    if smoothing:
        spread = x if weight is None else x * _core.reshape(weight, (-1,) + (1,) * (x.ndim - axis - 1))
        every = _where(counted, -_core.reduce("sum", spread, axis, False), 0.0)
        choice(op, "reduction", reduction, ("none", "mean", "sum"))
        parts = [_reduced(op, v, "sum" if reduction == "mean" else reduction) for v in (loss, every)]
        total = parts[0] * (1 - smoothing) + parts[1] * (smoothing / x.shape[axis])
        return total / _core.reduce("sum", factors, None, False) if reduction == "mean" else total
    return _reduced(op, loss, reduction, factors)


@_widened
def nll_loss(input, target, weight=None, ignore_index=-100, reduction="mean") -> Array:  # noqa: A002
    """Minus the logarithms of probabilities (batch, classes, ...) of the classes ``target`` (batch, ...), times ``weight`` of the class.

    Targets of ``ignore_index`` count as nothing. The mean is weighted. Raises ShapeError where shapes do not fit.
    """
    return _by_class("nll_loss", input, as_array(target), weight, ignore_index, reduction)


@_widened
def cross_entropy(input, target, weight=None, ignore_index=-100, reduction="mean", label_smoothing=0.0) -> Array:  # noqa: A002
    """``nll_loss`` of ``log_softmax`` over the classes, which are the second axis, or the only one.

    ``target`` has class numbers, or probabilities in the shape of ``input``; ``label_smoothing`` mixes them with equal ones.
    """
    x, target = input, as_array(target)
    axis = 1 if x.ndim > 1 else 0
    logs = log_softmax(x, axis)
    if target.dtype.kind in "iu":
        return _by_class("cross_entropy", logs, target, weight, ignore_index, reduction, label_smoothing)
    _, target = _pair("cross_entropy", x, target)
    if label_smoothing:
        target = target * (1 - label_smoothing) + label_smoothing / x.shape[axis]
    terms = logs * target
    if weight is not None:
        terms = terms * _core.reshape(_core.astype(as_array(weight), x.dtype), (-1,) + (1,) * (x.ndim - axis - 1))
    return _reduced("cross_entropy", -_core.reduce("sum", terms, axis, False), reduction)


@_widened
def binary_cross_entropy(input, target, weight=None, reduction="mean") -> Array:  # noqa: A002
    """Minus the logarithm of the probability ``input`` of ``target`` (1) or of its contrary (0); logarithms are at least -100."""
    x, y = _pair("binary_cross_entropy", input, target)
    loss = -(ops["maximum"](ops["log"](x), -100) * y + ops["maximum"](ops["log1p"](-x), -100) * (1 - y))
    return _reduced("binary_cross_entropy", loss if weight is None else loss * as_array(weight), reduction)


@_widened
def binary_cross_entropy_with_logits(input, target, weight=None, reduction="mean", pos_weight=None) -> Array:  # noqa: A002
    """``binary_cross_entropy`` of the ``sigmoid`` of ``input``, without its rounding; ``pos_weight`` is a factor of targets of 1."""
    x, y = _pair("binary_cross_entropy_with_logits", input, target)
    high, low = log_sigmoid(x), log_sigmoid(-x)
    loss = -(high * (y if pos_weight is None else y * as_array(pos_weight)) + low * (1 - y))
    return _reduced("binary_cross_entropy_with_logits", loss if weight is None else loss * as_array(weight), reduction)


@_widened
def kl_div(input, target, reduction="mean", log_target=False) -> Array:  # noqa: A002
    """``target`` times the difference of its logarithm and ``input``, which is one; "batchmean" divides the sum by the first size."""
    x, y = _pair("kl_div", input, target)
    loss = ops["exp"](y) * (y - x) if log_target else _where(ops["greater"](y, 0), y * (ops["log"](_where(ops["greater"](y, 0), y, 1.0)) - x), 0.0)
    if reduction == "batchmean":
        return _core.reduce("sum", loss, None, False) / x.shape[0]
    return _reduced("kl_div", loss, reduction)


@_widened
def gaussian_nll_loss(input, target, var, full=False, eps=1e-6, reduction="mean") -> Array:  # noqa: A002
    """Half the logarithm of ``var``, at least ``eps``, plus half the squared difference over it."""
    x, y = _pair("gaussian_nll_loss", input, target)
    var = ops["maximum"](_core.astype(as_array(var), x.dtype), eps)
    loss = (ops["log"](var) + ops["square"](x - y) / var) * 0.5
    return _reduced("gaussian_nll_loss", loss + 0.5 * math.log(2 * math.pi) if full else loss, reduction)


@_widened
def poisson_nll_loss(input, target, log_input=True, reduction="mean", eps=1e-8) -> Array:  # noqa: A002
    """exp(input) less target times input, or of input itself and its logarithm without ``log_input``."""
    x, y = _pair("poisson_nll_loss", input, target)
    return _reduced("poisson_nll_loss", ops["exp"](x) - y * x if log_input else x - y * ops["log"](x + eps), reduction)


@_widened
def hinge_embedding_loss(input, target, margin=1.0, reduction="mean") -> Array:  # noqa: A002
    """``input`` where ``target`` is 1, what it lacks to ``margin`` where that is -1."""
    x, y = _pair("hinge_embedding_loss", input, target)
    return _reduced("hinge_embedding_loss", _where(ops["equal"](y, 1), x, ops["maximum"](margin - x, 0)), reduction)


@_widened
def margin_ranking_loss(input, other, target, margin=0.0, reduction="mean") -> Array:  # noqa: A002
    """What the difference of two inputs times ``target`` lacks to ``margin``."""
    x, y = _pair("margin_ranking_loss", input, other)
    return _reduced("margin_ranking_loss", ops["maximum"](margin - _core.astype(as_array(target), x.dtype) * (x - y), 0), reduction)


@_widened
def soft_margin_loss(input, target, reduction="mean") -> Array:  # noqa: A002
    """log(1 + exp(-target input))."""
    x, y = _pair("soft_margin_loss", input, target)
    return _reduced("soft_margin_loss", -log_sigmoid(x * y), reduction)


@_widened
def cosine_similarity(input, other, dim=1, eps=1e-8) -> Array:  # noqa: A002
    """Cosines of the angles between vectors along an axis, whose lengths count as at least ``eps``."""
    x, y = input, as_array(other)
    axis = normalized_axis("cosine_similarity", dim, max(x.ndim, y.ndim))
    product = _core.reduce("sum", x * y, axis, False)
    lengths = [ops["maximum"](ops["sqrt"](_core.reduce("sum", ops["square"](v), normalized_axis("cosine_similarity", dim, v.ndim), False)), eps) for v in (x, y)]
    return product / (lengths[0] * lengths[1])


@_widened
def triplet_margin_loss(anchor, positive, negative, margin=1.0, p=2.0, eps=1e-6, reduction="mean") -> Array:
    """What the distance to ``negative`` lacks to that to ``positive`` plus ``margin``, along the last axis."""
    def distance(a, b):
        size = ops["abs"](a - b + eps)
        return ops["pow"](_core.reduce("sum", ops["pow"](size, p), -1, False), 1 / p)

    return _reduced("triplet_margin_loss", ops["maximum"](distance(anchor, as_array(positive)) - distance(anchor, as_array(negative)) + margin, 0), reduction)


@_widened
def pairwise_distance(input, other, p=2.0, eps=1e-6, keepdim=False) -> Array:  # noqa: A002
    """The ``p``-norm of the differences, to each of which ``eps`` is added, along the last axis."""
    from ..linalg import vector_norm
    return vector_norm(input - _core.astype(as_array(other), input.dtype) + eps, axis=-1, keepdims=keepdim, ord=p)


@_widened
def cosine_embedding_loss(input1, input2, target, margin=0.0, reduction="mean") -> Array:
    """1 less the cosine of vectors along the last axis where ``target`` is 1, what it is above ``margin`` where that is -1."""
    x, y, z = input1, _core.astype(as_array(input2), input1.dtype), as_array(target)
    small = 1e-12

    def inner(a, b):
        return _core.reduce("sum", a * b, -1, False)

    cosine = inner(x, y) / ops["sqrt"]((inner(x, x) + small) * (inner(y, y) + small))
    loss = _where(ops["equal"](z, 1), 1.0 - cosine, _where(ops["equal"](z, -1), ops["maximum"](cosine - margin, 0.0), 0.0))
    return _reduced("cosine_embedding_loss", loss, reduction)


@_widened
def multi_margin_loss(input, target, p=1, margin=1.0, weight=None, reduction="mean") -> Array:  # noqa: A002
    """What the number of the class ``target`` lacks to each other one plus ``margin``, to the power ``p``: their sum over the classes.

    Raises ShapeError where shapes do not fit.
    """
    from .._selection import take_along_axis
    x, at = input, as_array(target)
    if at.shape != x.shape[:-1]:
        raise make("ShapeError", f"multi_margin_loss: shape of the target: expected {x.shape[:-1]}, got {at.shape}")
    own = take_along_axis(x, at[..., None], -1)
    size = ops["maximum"](margin - own + x, 0.0)
    size = ops["square"](size) if p == 2 else size if p == 1 else ops["pow"](size, float(p))
    if weight is not None:
        size = size * _core.take(_core.astype(as_array(weight), x.dtype), _core.reshape(at, (-1,)), 0).reshape((*at.shape, 1))
    is_own = ops["equal"](_core.iota((x.shape[-1],), at.dtype, 0, x.device), at[..., None])
    return _reduced("multi_margin_loss", _core.reduce("sum", _where(is_own, 0.0, size), -1, False) / x.shape[-1], reduction)


@_widened
def multilabel_margin_loss(input, target, reduction="mean") -> Array:  # noqa: A002
    """The margins of 1 that classes of ``target``, up to its first negative number, lack to all others: their sum over the classes."""
    from .._selection import take_along_axis
    x, at = input, as_array(target)
    if at.shape != x.shape:
        raise make("ShapeError", f"multilabel_margin_loss: shape of the target: expected {x.shape}, got {at.shape}")
    counted = _core.along_axis("cumulative_sum", _core.astype(ops["less"](at, 0), "int64"), at.ndim - 1, False) == 0
    safe = _where(counted, at, 0)
    own = take_along_axis(x, safe, -1)
    numbers = _core.iota((x.shape[-1],), at.dtype, 0, x.device)
    hits = ops["bitwise_and"](ops["equal"](safe[..., None], numbers), counted[..., None])
    is_target = _core.reduce("any", hits, hits.ndim - 2, False)
    size = ops["maximum"](1.0 - own[..., :, None] + x[..., None, :], 0.0)
    size = _where(ops["bitwise_and"](counted[..., :, None], ops["logical_not"](is_target)[..., None, :]), size, 0.0)
    return _reduced("multilabel_margin_loss", _core.reduce("sum", size, (size.ndim - 2, size.ndim - 1), False) / x.shape[-1], reduction)


@_widened
def multilabel_soft_margin_loss(input, target, weight=None, reduction="mean") -> Array:  # noqa: A002
    """``binary_cross_entropy_with_logits`` of each class, their mean over the classes."""
    x, y = _pair("multilabel_soft_margin_loss", input, target)
    loss = -(y * log_sigmoid(x) + (1.0 - y) * log_sigmoid(-x))
    loss = loss if weight is None else loss * _core.astype(as_array(weight), x.dtype)
    return _reduced("multilabel_soft_margin_loss", _core.reduce("sum", loss, -1, False) / x.shape[-1], reduction)
