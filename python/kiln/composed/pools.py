"""More pooling, and what normalizes by neighbours: channels first, by the names and with the parameters of torch."""
import builtins

from .. import _core
from .._arguments import as_array, floating, ops, rounded_once
from .._core import Array
from .._creation import zeros
from .._errors import make
from .windows import _INF, _adaptive, _avg_pool, _batched, _each, _positions, _Windows

_where = _core.where


def adaptive_avg_pool3d(x, output_size) -> Array:
    """``adaptive_avg_pool1d`` over the last three axes."""
    return _adaptive("adaptive_avg_pool3d", floating(x), output_size, 3, "sum")


def adaptive_max_pool3d(x, output_size) -> Array:
    """``adaptive_max_pool1d`` over the last three axes."""
    return _adaptive("adaptive_max_pool3d", floating(x), output_size, 3, "max")


@rounded_once
def _lp_pool(x, norm_type, kernel_size, stride, ceil_mode, rank):
    powers = ops["pow"](x, float(norm_type)) if norm_type != 2 else ops["square"](x)
    window = _each(f"lp_pool{rank}d", "kernel_size", kernel_size, rank)
    n = 1
    for k in window:
        n *= k
    mean = _avg_pool(f"lp_pool{rank}d", powers, window, stride, 0, ceil_mode, True, None, rank) * float(n)
    sign = _where(ops["less"](mean, 0), -1.0, _where(ops["greater"](mean, 0), 1.0, 0.0))
    return ops["pow"](sign * ops["maximum"](ops["abs"](mean), 0.0), 1.0 / norm_type)


def lp_pool1d(x, norm_type, kernel_size, stride=None, ceil_mode=False) -> Array:
    """The root of the order ``norm_type`` of the sum of powers of each window of the last axis."""
    return _lp_pool(as_array(x), norm_type, kernel_size, stride, ceil_mode, 1)


def lp_pool2d(x, norm_type, kernel_size, stride=None, ceil_mode=False) -> Array:
    """``lp_pool1d`` over the last two axes."""
    return _lp_pool(as_array(x), norm_type, kernel_size, stride, ceil_mode, 2)


def max_pool_with_indices(op, x, kernel_size, stride, padding, dilation, ceil_mode, rank):
    """The largest element of each window, the first of equals, and its position among all of its channel."""
    from .._dtypes import iinfo
    x, added = _batched(op, x, rank)
    least = -_INF if x.dtype.kind == "f" else iinfo(x.dtype).min
    values = _Windows(op, x, kernel_size, stride, padding, dilation, ceil_mode, rank, least)
    numbers = _core.reshape(_core.iota((builtins.max(x.size // builtins.max(x.shape[0] * x.shape[1], 1), 1),), "int64", 0, x.device), (1, 1, *x.shape[2:]))
    places = _Windows(op, numbers, kernel_size, stride, padding, dilation, ceil_mode, rank, 0)
    best = at = None
    for position in _positions(values.window):
        value, place = values.at(position), places.at(position)
        if best is None:
            best, at = value, _core.broadcast_to(place, value.shape)
            continue
        larger = ops["greater"](value, best)
        larger = ops["bitwise_or"](larger, ops["isnan"](value)) if x.dtype.kind == "f" else larger
        best, at = _where(larger, value, best), _where(larger, place, at)
    return (best[0], at[0]) if added else (_core.copy(best), at)


def _max_unpool(op, x, indices, kernel_size, stride, padding, output_size, rank):
    x, added = _batched(op, x, rank)
    indices = _core.reshape(as_array(indices), x.shape)
    window = _each(op, "kernel_size", kernel_size, rank)
    stride, padding = window if stride is None else _each(op, "stride", stride, rank), _each(op, "padding", padding, rank)
    sizes = tuple((n - 1) * s - 2 * p + k for n, s, p, k in zip(x.shape[2:], stride, padding, window)) if output_size is None else tuple(output_size)[-rank:]
    n = 1
    for size in sizes:
        n *= size
    if _core.is_at_hand() and x.size and not ops["less"](indices, n).all():
        raise make("ValueError", f"{op}: indices: expected positions below {n}, those of {sizes}, got larger ones")
    channels = x.shape[0] * x.shape[1]
    start = _core.reshape(_core.iota((channels,), "int64", 0, x.device) * n, (channels, 1))
    flat = _core.reshape(_core.astype(indices, "int64"), (channels, -1)) + start
    y = zeros((channels * n,), dtype=x.dtype, device=x.device)
    y[_core.reshape(flat, (-1,))] = _core.reshape(x, (-1,))
    y = _core.reshape(y, (*x.shape[:2], *sizes))
    return y[0] if added else y


def max_unpool1d(x, indices, kernel_size, stride=None, padding=0, output_size=None) -> Array:
    """Zeros with the elements of ``x`` at the positions that ``max_pool1d(..., return_indices=True)`` gave.

    Raises ValueError for positions outside, where they are known.
    """
    return _max_unpool("max_unpool1d", x, indices, kernel_size, stride, padding, output_size, 1)


def max_unpool2d(x, indices, kernel_size, stride=None, padding=0, output_size=None) -> Array:
    """``max_unpool1d`` over the last two axes."""
    return _max_unpool("max_unpool2d", x, indices, kernel_size, stride, padding, output_size, 2)


def max_unpool3d(x, indices, kernel_size, stride=None, padding=0, output_size=None) -> Array:
    """``max_unpool1d`` over the last three axes."""
    return _max_unpool("max_unpool3d", x, indices, kernel_size, stride, padding, output_size, 3)


@rounded_once
def local_response_norm(x, size, alpha=1e-4, beta=0.75, k=1.0) -> Array:
    """``x`` (batch, channels, ...) over (k + alpha times the mean of the squares of ``size`` channels around)^beta."""
    n, low = x.shape[1], size // 2
    square, total = ops["square"](x), None
    empty = _core.full((x.shape[0], size, *x.shape[2:]), 0, x.dtype, x.device)
    wide = _core.concat((empty[:, :low], square, empty[:, :size - 1 - low]), 1)
    for i in range(size):
        part = wide[:, i:i + n]
        total = part if total is None else total + part
    return x / ops["pow"](total * (alpha / size) + k, beta)
