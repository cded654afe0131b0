"""What layers compute: linear maps, normalization, embeddings, attention, and sums over segments, by the names and with the parameters of torch and JAX."""
import math

from .. import _core
from .._arguments import as_array, choice, floating, integer, normalized_axis, ops, rounded_once
from .._core import Array
from .._creation import zeros
from .._errors import make
from .statistics import softmax

_where = _core.where


def linear(x, weight, bias=None, /) -> Array:
    """``x @ weight.T + bias`` with ``weight`` (out, in). Raises ShapeError where the sizes differ."""
    y = _core.matmul(as_array(x), as_array(weight).T)
    return y if bias is None else y + as_array(bias)


def embedding(indices, weight, padding_idx=None) -> Array:
    """The rows of ``weight`` at ``indices``; that of ``padding_idx`` has no gradient."""
    weight, indices = as_array(weight), as_array(indices)
    rows = _core.take(weight, indices, 0)
    if padding_idx is None:
        return rows
    from .._gradients import stop_gradient
    padding_idx = padding_idx % weight.shape[0]
    return _where(ops["equal"](indices, padding_idx)[..., None], stop_gradient(rows), rows)


def embedding_bag(indices, weight, offsets=None, mode="mean", per_sample_weights=None, include_last_offset=False, padding_idx=None) -> Array:
    """The "mean", "sum" or "max" of the rows of ``weight`` at each row of ``indices``, or of a vector from each of ``offsets`` to the next.

    Rows at ``padding_idx`` are left out; ``per_sample_weights`` are factors of a sum. Nothing is 0. Raises ValueError for another mode, or factors
    of another than a sum, ShapeError for a vector without offsets.
    """
    choice("embedding_bag", "mode", mode, ("sum", "mean", "max"))
    if per_sample_weights is not None and mode != "sum":
        raise make("ValueError", f"embedding_bag: per_sample_weights: expected mode 'sum', got {mode!r}")
    indices, weight = as_array(indices), as_array(weight)
    if (indices.ndim == 1) == (offsets is None) or indices.ndim not in (1, 2):
        raise make("ShapeError", f"embedding_bag: indices: expected a matrix, or a vector with offsets, got the shape {indices.shape}")
    if indices.ndim == 2:
        bags = indices.shape[0]
        ids = _core.reshape(_core.iota(indices.shape, "int64", 0, indices.device), (-1,))
        indices = _core.reshape(indices, (-1,))
    else:
        from .._ordering import searchsorted
        offsets = as_array(offsets)
        bags = offsets.shape[0] - bool(include_last_offset)
        ids = searchsorted(offsets[:bags], _core.iota(indices.shape, offsets.dtype, 0, indices.device), side="right") - 1
    if padding_idx is not None:
        ids = _where(ops["equal"](indices, padding_idx % weight.shape[0]), bags, ids)
    rows = embedding(indices, weight)
    if mode == "max":
        result = segment_max(rows, ids, bags)
        return _where(ops["equal"](result, -math.inf), 0, result) if result.dtype.kind == "f" else result
    if per_sample_weights is not None:
        rows = rows * _core.reshape(as_array(per_sample_weights), (-1, 1))
    total = segment_sum(rows, ids, bags)
    if mode == "sum":
        return total
    count = segment_sum(_core.full(ids.shape, 1, rows.dtype, rows.device), ids, bags)
    return total / ops["maximum"](count, 1)[:, None]


def one_hot(indices, num_classes=-1, /, *, dtype="int64", axis=-1) -> Array:
    """1 at the class that an index names along a new axis, else 0; the largest index plus 1 are the classes unless given.

    An index outside names none. Raises DTypeError unless indices are integers.
    """
    x = as_array(indices)
    if x.dtype.kind not in "iu":
        raise make("DTypeError", f"one_hot: dtype of the indices: expected an integer one, got {x.dtype}")
    n = int(_core.reduce("max", x, None, False).item()) + 1 if num_classes == -1 else integer("one_hot", "num_classes", num_classes)
    axis = normalized_axis("one_hot", axis, x.ndim + 1)
    classes = _core.reshape(_core.iota((n,), x.dtype, 0, x.device), (-1,) + (1,) * (x.ndim - axis))
    return _core.astype(ops["equal"](_core.reshape(x, (*x.shape[:axis], 1, *x.shape[axis:])), classes), dtype)


def _segments(op, data, segment_ids, num_segments):
    data, ids = as_array(data), as_array(segment_ids)
    if ids.ndim != 1 or not data.ndim or ids.shape[0] != data.shape[0]:
        raise make("ShapeError", f"{op}: shape of the segments: expected ({data.shape[0] if data.ndim else 0},), got {ids.shape}")
    n = int(_core.reduce("max", ids, None, False).item()) + 1 if num_segments is None else integer(op, "num_segments", num_segments)
    inside = ops["bitwise_and"](ids >= 0, ids < n)
    return data, _where(inside, ids, n), n  # what is outside goes behind the last


def _gathered(op, data, segment_ids, num_segments, start, update):
    data, ids, n = _segments(op, data, segment_ids, num_segments)
    result = _core.full((n + 1, *data.shape[1:]), start(data.dtype), data.dtype, data.device)
    result = update(result.at[ids], data)
    return result[:n]


def _least(dtype, sign):
    from .._dtypes import iinfo
    return sign * math.inf if dtype.kind == "f" else (iinfo(dtype).max if sign > 0 else iinfo(dtype).min)


def segment_sum(data, segment_ids, num_segments=None) -> Array:
    """Sums of the rows of ``data`` of each segment, in order; 0 for an empty one. Ids outside are left out.

    The largest id plus 1 are the segments unless given. Raises ShapeError unless there is an id for each row.
    """
    return _gathered("segment_sum", data, segment_ids, num_segments, lambda _: 0, lambda at, v: at.add(v))


def segment_max(data, segment_ids, num_segments=None) -> Array:
    """Largest elements of each segment; the least number of the dtype for an empty one."""
    return _gathered("segment_max", data, segment_ids, num_segments, lambda t: _least(t, -1), lambda at, v: at.max(v))


def segment_min(data, segment_ids, num_segments=None) -> Array:
    """Smallest elements of each segment; the largest number of the dtype for an empty one."""
    return _gathered("segment_min", data, segment_ids, num_segments, lambda t: _least(t, 1), lambda at, v: at.min(v))


def segment_mean(data, segment_ids, num_segments=None) -> Array:
    """Means of each segment; nan for an empty one."""
    data, ids, n = _segments("segment_mean", floating(data), segment_ids, num_segments)
    total = segment_sum(data, ids, n)
    count = segment_sum(_core.full(ids.shape, 1, data.dtype, data.device), ids, n)
    return total / _core.reshape(count, (-1,) + (1,) * (data.ndim - 1))


def _normalized(x, axes, eps):
    mean = _core.reduce("sum", x, axes, True)
    n = 1
    for a in axes:
        n *= x.shape[a]
    centered = x - mean / n
    return centered / ops["sqrt"](_core.reduce("sum", ops["square"](centered), axes, True) / n + eps)


def _scaled(y, weight, bias, shape):
    y = y if weight is None else y * _core.reshape(as_array(weight), shape)
    return y if bias is None else y + _core.reshape(as_array(bias), shape)


@rounded_once
def layer_norm(x, normalized_shape, weight=None, bias=None, eps=1e-5) -> Array:
    """``x`` with mean 0 and variance 1 over its last axes, times ``weight``, plus ``bias``. Raises ShapeError where they do not fit."""
    shape = (normalized_shape,) if isinstance(normalized_shape, int) else tuple(normalized_shape)
    if x.shape[x.ndim - len(shape):] != shape:
        raise make("ShapeError", f"layer_norm: last axes: expected {shape}, got {x.shape}")
    return _scaled(_normalized(x, tuple(range(x.ndim - len(shape), x.ndim)), eps), weight, bias, shape)


@rounded_once
def rms_norm(x, normalized_shape, weight=None, eps=None) -> Array:
    """``x`` over the root of the mean of its squares over its last axes, times ``weight``."""
    from .._dtypes import finfo
    shape = (normalized_shape,) if isinstance(normalized_shape, int) else tuple(normalized_shape)
    if x.shape[x.ndim - len(shape):] != shape:
        raise make("ShapeError", f"rms_norm: last axes: expected {shape}, got {x.shape}")
    axes, n = tuple(range(x.ndim - len(shape), x.ndim)), math.prod(shape)
    square = _core.reduce("sum", ops["square"](x), axes, True) / n
    return _scaled(x / ops["sqrt"](square + (finfo(x.dtype).eps if eps is None else eps)), weight, None, shape)


@rounded_once
def batch_norm(x, running_mean, running_var, weight=None, bias=None, training=False, eps=1e-5) -> Array:
    """``x`` (batch, channels, ...) less the mean over the root of the variance of each channel: the running ones, or its own in ``training``.

    The running ones are read, and never changed.
    """
    shape = (1, -1) + (1,) * (x.ndim - 2)
    if training:
        return _scaled(_normalized(x, (0, *range(2, x.ndim)), eps), weight, bias, shape)
    mean, var = (_core.reshape(as_array(v), shape) for v in (running_mean, running_var))
    return _scaled((x - mean) / ops["sqrt"](var + eps), weight, bias, shape)


@rounded_once
def group_norm(x, num_groups, weight=None, bias=None, eps=1e-5) -> Array:
    """``layer_norm`` over groups of channels of ``x`` (batch, channels, ...). Raises ShapeError unless they divide the channels."""
    if x.ndim < 2 or x.shape[1] % num_groups:
        raise make("ShapeError", f"group_norm: channels: expected a multiple of {num_groups}, got {x.shape}")
    groups = _core.reshape(x, (x.shape[0], num_groups, -1))
    return _scaled(_core.reshape(_normalized(groups, (2,), eps), x.shape), weight, bias, (1, -1) + (1,) * (x.ndim - 2))


def instance_norm(x, weight=None, bias=None, eps=1e-5) -> Array:
    """``group_norm`` of single channels."""
    x = as_array(x)
    return group_norm(x, x.shape[1], weight, bias, eps)


@rounded_once
def normalize(x, p=2.0, axis=1, eps=1e-12) -> Array:
    """Vectors along an axis over their ``p``-norms, which count as at least ``eps``."""
    from ..linalg import vector_norm
    return x / ops["maximum"](vector_norm(x, axis=axis, keepdims=True, ord=p), eps)


def scaled_dot_product_attention(query, key, value, attn_mask=None, dropout_p=0.0, is_causal=False, scale=None, enable_gqa=False) -> Array:
    """softmax(query key^T / sqrt(size)) value over the last two axes; where a mask of bools is False, or ``is_causal`` forbids, nothing is seen.

    A mask of numbers is added to the scores; of weights, ``dropout_p`` is the part that ``dropout`` puts to 0. With ``enable_gqa`` several heads of the
    query, the third axis from the end, share one of key and value. Raises ShapeError where their numbers do not fit.
    """
    query, key, value = as_array(query), as_array(key), as_array(value)
    if enable_gqa:
        key, value = (_repeated_heads(v, query) for v in (key, value))
    scores = _core.matmul(query, key.mT) * (1 / math.sqrt(query.shape[-1]) if scale is None else scale)
    if is_causal:
        rows, columns = (_core.iota(scores.shape[-2:], "int64", axis, scores.device) for axis in (0, 1))
        scores = _where(columns <= rows, scores, -math.inf)
    if attn_mask is not None:
        mask = as_array(attn_mask)
        scores = _where(mask, scores, -math.inf) if mask.dtype.kind == "b" else scores + mask
    weights = softmax(scores)
    return _core.matmul(dropout(weights, dropout_p) if dropout_p else weights, value)


def _repeated_heads(x, query):
    heads, n = query.shape[-3], x.shape[-3]
    if heads % n:
        raise make("ShapeError", f"scaled_dot_product_attention: heads: expected those of key and value to divide {heads}, got {n}")
    wide = _core.broadcast_to(x[..., None, :, :], (*x.shape[:-2], heads // n, *x.shape[-2:]))
    return _core.reshape(wide, (*x.shape[:-3], heads, *x.shape[-2:]))


def dropout(x, p=0.5, training=True, *, key=None) -> Array:
    """Elements put to 0 with probability ``p``, others over ``1 - p``; ``x`` itself unless ``training``. ``key`` as in ``kn.random``."""
    from .. import random
    if not 0 <= p <= 1:
        raise make("ValueError", f"dropout: p: expected a probability in [0, 1], got {p}")
    x = floating(x)
    if not training or p == 0:
        return x
    if p == 1:
        return zeros(x.shape, dtype=x.dtype, device=x.device)
    keep = random.random(x.shape, key=key) >= p if key is not None else random.random(x.shape) >= p
    return _where(keep, x * (1 / (1 - p)), 0)


def _whole_channels(op, x, p, training, key, rank):
    from .. import random
    if not 0 <= p <= 1:
        raise make("ValueError", f"{op}: p: expected a probability in [0, 1], got {p}")
    x = floating(x)
    if not training or p == 0:
        return x
    shape = x.shape[:x.ndim - rank] + (1,) * rank
    drawn = random.random(shape, key=key) if key is not None else random.random(shape)
    return _where(drawn >= p, x * (1 / (1 - p) if p < 1 else 0), 0)


def dropout1d(x, p=0.5, training=True, *, key=None) -> Array:
    """``dropout`` of whole channels of (batch, channels, n), or without the batch."""
    return _whole_channels("dropout1d", x, p, training, key, 1)


def dropout2d(x, p=0.5, training=True, *, key=None) -> Array:
    """``dropout`` of whole channels of (batch, channels, height, width), or without the batch."""
    return _whole_channels("dropout2d", x, p, training, key, 2)


def dropout3d(x, p=0.5, training=True, *, key=None) -> Array:
    """``dropout`` of whole channels of three spatial axes."""
    return _whole_channels("dropout3d", x, p, training, key, 3)


def alpha_dropout(x, p=0.5, training=True, *, key=None) -> Array:
    """``dropout`` that keeps mean 0 and variance 1 of what ``selu`` gives (G. Klambauer and others, 2017)."""
    from .. import random
    if not 0 <= p < 1:
        raise make("ValueError", f"alpha_dropout: p: expected a probability in [0, 1), got {p}")
    x, low = floating(x), -1.7580993408473766
    if not training or p == 0:
        return x
    drawn = random.random(x.shape, key=key) if key is not None else random.random(x.shape)
    scale = (1 - p + p * (1 - p) * low * low) ** -0.5
    return _where(drawn >= p, x, low) * scale - scale * p * low


def bilinear(x1, x2, weight, bias=None) -> Array:
    """x1^T weight x2 over the last axes, with ``weight`` (out, in of x1, in of x2), plus ``bias``. Raises ShapeError where sizes differ."""
    from .._einsum import einsum
    y = einsum("...i,oij,...j->...o", as_array(x1), as_array(weight), as_array(x2))
    return y if bias is None else y + as_array(bias)
