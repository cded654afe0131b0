"""Convolutions, pooling and windows, channels first: (batch, channels, spatial...), by the names and with the parameters of torch."""
import builtins

from .. import _core
from .._arguments import as_array, as_tuple, floating, ops
from .._core import Array
from .._creation import zeros
from .._errors import make

_INF = float("inf")


def _each(op, what, value, rank):
    """One number, or one for each spatial axis, as a tuple of ``rank``."""
    values = as_tuple(value)
    values = values * rank if len(values) == 1 else values
    if len(values) != rank or builtins.any(not isinstance(v, int) for v in values):
        raise make("ValueError", f"{op}: {what}: expected an integer, or one for each of {rank} axes, got {value!r}")
    return values


def _batched(op, x, rank):
    """``x`` with an axis of batches, and whether it was added."""
    x = as_array(x)
    if x.ndim not in (rank + 1, rank + 2):
        raise make("ShapeError", f"{op}: rank: expected {rank + 1} or {rank + 2}, got {x.ndim}")
    return (x, False) if x.ndim == rank + 2 else (_core.reshape(x, (1, *x.shape)), True)


def _to_last(x):
    return _core.permute_dims(x, (0, *range(2, x.ndim), 1))


def _to_first(x):
    return _core.permute_dims(x, (0, x.ndim - 1, *range(1, x.ndim - 1)))


def _with_bias(y, bias):
    return y if bias is None else y + _core.reshape(as_array(bias), (-1,) + (1,) * (y.ndim - 2))


def _paddings(op, padding, window, strides, dilation):
    """Widths before and behind each axis, also for "same" and "valid"."""
    rank = len(window)
    if padding == "valid":
        return ((0, 0),) * rank
    if padding == "same":
        if builtins.any(s != 1 for s in strides):
            raise make("ValueError", f"{op}: padding: expected numbers for strides {strides}, got 'same'")
        totals = [d * (k - 1) for k, d in zip(window, dilation)]
        return tuple((t // 2, t - t // 2) for t in totals)
    return tuple((p, p) for p in _each(op, "padding", padding, rank))


def _conv(op, x, weight, bias, stride, padding, dilation, groups, rank):
    x, added = _batched(op, x, rank)
    weight = as_array(weight)
    if weight.ndim != rank + 2:
        raise make("ShapeError", f"{op}: rank of the weight: expected {rank + 2}, got {weight.ndim}")
    stride, dilation = _each(op, "stride", stride, rank), _each(op, "dilation", dilation, rank)
    pads = _paddings(op, padding, weight.shape[2:], stride, dilation)
    sizes = tuple(n + a + b for n, (a, b) in zip(x.shape[2:], pads))
    if builtins.any(n < d * (k - 1) + 1 for n, d, k in zip(sizes, dilation, weight.shape[2:])):
        raise make("ShapeError", f"{op}: window: expected one within the padded sizes {sizes}, got {weight.shape[2:]}")
    w = _core.permute_dims(weight, (*range(2, rank + 2), 1, 0))
    y = _core.convolution(_to_last(x), w, stride, tuple(p[0] for p in pads), tuple(p[1] for p in pads), dilation, groups)
    y = _with_bias(_to_first(y), bias)
    return y[0] if added else y


def conv1d(x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1) -> Array:
    """Convolution of (batch, channels, n) with ``weight`` (filters, channels // groups, window), plus ``bias`` (filters).

    ``padding`` is a number, or "same" or "valid". Raises ShapeError where ranks or channels do not fit.
    """
    return _conv("conv1d", x, weight, bias, stride, padding, dilation, groups, 1)


def conv2d(x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1) -> Array:
    """``conv1d`` over two spatial axes; sizes are one number, or a pair."""
    return _conv("conv2d", x, weight, bias, stride, padding, dilation, groups, 2)


def conv3d(x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1) -> Array:
    """``conv1d`` over three spatial axes; sizes are one number, or three."""
    return _conv("conv3d", x, weight, bias, stride, padding, dilation, groups, 3)


def _conv_transpose(op, x, weight, bias, stride, padding, output_padding, groups, dilation, rank):
    """The adjoint of a convolution: of the input with zeros between, with the weights turned around."""
    x, added = _batched(op, x, rank)
    weight = as_array(weight)
    if weight.ndim != rank + 2 or x.shape[1] != weight.shape[0] or x.shape[1] % groups:
        raise make("ShapeError", f"{op}: shape of the weight: expected ({x.shape[1]}, filters // groups, window of {rank} sizes), got {weight.shape}")
    stride, padding, more, dilation = (_each(op, w, v, rank) for w, v in (("stride", stride), ("padding", padding), ("output_padding", output_padding), ("dilation", dilation)))
    window, channels, filters = weight.shape[2:], x.shape[1] // groups, weight.shape[1]
    if builtins.any(n > 1 and s > 1 for n, s in zip(x.shape[2:], stride)):
        wide = zeros((*x.shape[:2], *((n - 1) * s + 1 if n else 0 for n, s in zip(x.shape[2:], stride))), dtype=x.dtype, device=x.device)
        wide[(..., *(slice(None, None, s) for s in stride))] = x
        x = wide
    w = _core.reshape(weight[(..., *(slice(None, None, -1),) * rank)], (groups, channels, filters, *window))
    w = _core.reshape(_core.permute_dims(w, (*range(3, rank + 3), 1, 0, 2)), (*window, channels, groups * filters))
    low = tuple(d * (k - 1) - p for k, d, p in zip(window, dilation, padding))
    high = tuple(a + m for a, m in zip(low, more))
    cut = tuple((builtins.max(0, -a), builtins.max(0, -b)) for a, b in zip(low, high))  # more padding than the window covers
    y = _core.convolution(_to_last(x), w, (1,) * rank, tuple(builtins.max(a, 0) for a in low), tuple(builtins.max(b, 0) for b in high), dilation, groups)
    y = _to_first(y)
    if builtins.any(a or b for a, b in cut):
        y = y[(..., *(slice(a, n - b) for n, (a, b) in zip(y.shape[2:], cut)))]
    y = _with_bias(y, bias)
    return y[0] if added else y


def conv_transpose1d(x, weight, bias=None, stride=1, padding=0, output_padding=0, groups=1, dilation=1) -> Array:
    """The adjoint of ``conv1d``: ``weight`` is (channels, filters // groups, window); ``output_padding`` adds to the end.

    Raises ShapeError where ranks or channels do not fit.
    """
    return _conv_transpose("conv_transpose1d", x, weight, bias, stride, padding, output_padding, groups, dilation, 1)


def conv_transpose2d(x, weight, bias=None, stride=1, padding=0, output_padding=0, groups=1, dilation=1) -> Array:
    """``conv_transpose1d`` over two spatial axes."""
    return _conv_transpose("conv_transpose2d", x, weight, bias, stride, padding, output_padding, groups, dilation, 2)


def conv_transpose3d(x, weight, bias=None, stride=1, padding=0, output_padding=0, groups=1, dilation=1) -> Array:
    """``conv_transpose1d`` over three spatial axes."""
    return _conv_transpose("conv_transpose3d", x, weight, bias, stride, padding, output_padding, groups, dilation, 3)


# ===-- windows --------------------------------------------------------------------------------------------------------


def _count(n, k, s, p, d, ceil_mode):
    """Windows along an axis; with ``ceil_mode`` the last one may hang over, but begins inside."""
    span = n + 2 * p - d * (k - 1) - 1
    count = (-(-span // s) if ceil_mode else span // s) + 1
    return count - 1 if ceil_mode and (count - 1) * s >= n + p else count


def _surrounded(x, pads, value):
    """``x`` with ``pads`` (before, behind) of a number around its last axes."""
    if not builtins.any(a or b for a, b in pads):
        return x
    lead = x.ndim - len(pads)
    wide = _core.full((*x.shape[:lead], *(n + a + b for n, (a, b) in zip(x.shape[lead:], pads))), value, x.dtype, x.device)
    wide[(..., *(slice(a, a + n) for n, (a, _) in zip(x.shape[lead:], pads)))] = x
    return wide


def _positions(window):
    """Each position within a window, in order."""
    if not window:
        yield ()
        return
    for i in range(window[0]):
        for rest in _positions(window[1:]):
            yield (i, *rest)


class _Windows:
    """How windows lie over the last axes of an array."""

    def __init__(self, op, x, window, stride, padding, dilation, ceil_mode, rank, value):
        self.window = _each(op, "kernel_size", window, rank)
        self.stride = self.window if stride is None else _each(op, "stride", stride, rank)
        self.padding, self.dilation = _each(op, "padding", padding, rank), _each(op, "dilation", dilation, rank)
        self.sizes = x.shape[x.ndim - rank:]
        self.counts = tuple(_count(n, k, s, p, d, ceil_mode) for n, k, s, p, d in zip(self.sizes, self.window, self.stride, self.padding, self.dilation))
        if builtins.any(s < 1 for s in self.stride) or builtins.any(c < 1 for c in self.counts):
            raise make("ValueError", f"{op}: windows: expected at least one along each axis of {self.sizes}, got {self.counts}")
        ends = (builtins.max(p, (c - 1) * s + d * (k - 1) + 1 - n - p)
                for n, k, s, p, d, c in zip(self.sizes, self.window, self.stride, self.padding, self.dilation, self.counts))
        self.x = _surrounded(x, tuple(zip(self.padding, ends)), value)

    def at(self, position):
        """The elements at one position within all windows."""
        return self.x[(..., *(slice(i * d, i * d + (c - 1) * s + 1, s) for i, d, c, s in zip(position, self.dilation, self.counts, self.stride)))]

    def joined(self, op):
        result = None
        for position in _positions(self.window):
            part = self.at(position)
            result = part if result is None else ops[op](result, part)
        return result


def _max_pool(op, x, kernel_size, stride, padding, dilation, ceil_mode, rank, return_indices):
    if return_indices:
        from .pools import max_pool_with_indices
        return max_pool_with_indices(op, x, kernel_size, stride, padding, dilation, ceil_mode, rank)
    x, added = _batched(op, x, rank)
    from .._dtypes import iinfo
    least = -_INF if x.dtype.kind == "f" else iinfo(x.dtype).min
    y = _core.copy(_Windows(op, x, kernel_size, stride, padding, dilation, ceil_mode, rank, least).joined("maximum"))
    return y[0] if added else y


def max_pool1d(x, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False, return_indices=False) -> Array:
    """The largest element of each window of the last axis; windows follow each other unless a ``stride`` is given.

    With ``ceil_mode`` a last window may hang over the end; with ``return_indices`` the positions of the elements among all of their channel are
    given as well. Raises ValueError where no window fits.
    """
    return _max_pool("max_pool1d", x, kernel_size, stride, padding, dilation, ceil_mode, 1, return_indices)


def max_pool2d(x, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False, return_indices=False) -> Array:
    """``max_pool1d`` over the last two axes."""
    return _max_pool("max_pool2d", x, kernel_size, stride, padding, dilation, ceil_mode, 2, return_indices)


def max_pool3d(x, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False, return_indices=False) -> Array:
    """``max_pool1d`` over the last three axes."""
    return _max_pool("max_pool3d", x, kernel_size, stride, padding, dilation, ceil_mode, 3, return_indices)


def _avg_pool(op, x, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override, rank):
    x, added = _batched(op, floating(x), rank)
    y = _average(op, x, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override, rank)
    return y[0] if added else y


def _average(op, x, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override, rank):
    narrow = x.dtype
    x = _core.astype(x, "float32") if narrow.itemsize == 2 else x
    w = _Windows(op, x, kernel_size, stride, padding, 1, ceil_mode, rank, 0)
    total = w.joined("add")
    if divisor_override is not None:
        result = total / divisor_override
    else:
        divisor = None  # how many elements each window counts: a product of those along each axis
        for i, (n, k, s, p, c) in enumerate(zip(w.sizes, w.window, w.stride, w.padding, w.counts)):
            low, high = (0, n + 2 * p) if count_include_pad else (p, n + p)
            counts = [builtins.min(j * s + k, high) - builtins.max(j * s, low) for j in range(c)]
            line = _core.reshape(_core.asarray(counts, x.dtype, None), (-1,) + (1,) * (rank - 1 - i))
            divisor = line if divisor is None else divisor * line
        result = total / divisor
    return result if result.dtype is narrow else _core.astype(result, narrow)


def avg_pool1d(x, kernel_size, stride=None, padding=0, ceil_mode=False, count_include_pad=True) -> Array:
    """The mean of each window of the last axis, of zeros around it as well unless ``count_include_pad`` is False."""
    return _avg_pool("avg_pool1d", x, kernel_size, stride, padding, ceil_mode, count_include_pad, None, 1)


def avg_pool2d(x, kernel_size, stride=None, padding=0, ceil_mode=False, count_include_pad=True, divisor_override=None) -> Array:
    """``avg_pool1d`` over the last two axes; sums over ``divisor_override`` where that is given."""
    return _avg_pool("avg_pool2d", x, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override, 2)


def avg_pool3d(x, kernel_size, stride=None, padding=0, ceil_mode=False, count_include_pad=True, divisor_override=None) -> Array:
    """``avg_pool2d`` over the last three axes."""
    return _avg_pool("avg_pool3d", x, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override, 3)


def _adaptive(op, x, output_size, rank, reduction):
    x, added = _batched(op, x, rank)
    sizes = as_tuple(output_size) * (rank if not isinstance(output_size, (tuple, list)) else 1)
    for axis, m in enumerate(sizes, 2):
        n = x.shape[axis]
        if m is not None and m != n:
            cuts = [(i * n // m, -(-(i + 1) * n // m)) for i in range(m)]
            parts = [_core.reduce(reduction, x[(*(slice(None),) * axis, slice(a, b))], axis, True) / (b - a if reduction == "sum" else 1) for a, b in cuts]
            x = _core.concat(tuple(parts), axis)
    return x[0] if added else x


def adaptive_avg_pool1d(x, output_size) -> Array:
    """Means of ``output_size`` windows that cover the last axis, as equal as can be; an entry of None keeps a size."""
    return _adaptive("adaptive_avg_pool1d", floating(x), output_size, 1, "sum")


def adaptive_avg_pool2d(x, output_size) -> Array:
    """``adaptive_avg_pool1d`` over the last two axes."""
    return _adaptive("adaptive_avg_pool2d", floating(x), output_size, 2, "sum")


def adaptive_max_pool1d(x, output_size) -> Array:
    """The largest elements of the windows of ``adaptive_avg_pool1d``."""
    return _adaptive("adaptive_max_pool1d", floating(x), output_size, 1, "max")


def adaptive_max_pool2d(x, output_size) -> Array:
    """``adaptive_max_pool1d`` over the last two axes."""
    return _adaptive("adaptive_max_pool2d", floating(x), output_size, 2, "max")


def unfold(x, kernel_size, dilation=1, padding=0, stride=1) -> Array:
    """The windows of (batch, channels, height, width) as columns: (batch, channels * window, windows)."""
    x, added = _batched("unfold", x, 2)
    w = _Windows("unfold", x, kernel_size, stride, padding, dilation, False, 2, 0)
    parts = tuple(_core.reshape(w.at(p), (*x.shape[:2], 1, -1)) for p in _positions(w.window))
    columns = _core.concat(parts, 2)
    columns = _core.reshape(columns, (x.shape[0], -1, columns.shape[3]))
    return columns[0] if added else columns


def fold(x, output_size, kernel_size, dilation=1, padding=0, stride=1) -> Array:
    """The adjoint of ``unfold``: columns added into (batch, channels, height, width) of ``output_size``.

    Raises ShapeError where the columns do not fit.
    """
    x = as_array(x)
    added = x.ndim == 2
    x = _core.reshape(x, (1, *x.shape)) if added else x
    size, window, dilation, padding, stride = (_each("fold", w, v, 2) for w, v in (
        ("output_size", output_size), ("kernel_size", kernel_size), ("dilation", dilation), ("padding", padding), ("stride", stride)))
    counts = [_count(n, k, s, p, d, False) for n, k, s, p, d in zip(size, window, stride, padding, dilation)]
    if x.ndim != 3 or x.shape[1] % (window[0] * window[1]) or x.shape[2] != counts[0] * counts[1]:
        raise make("ShapeError", f"fold: columns: expected (batch, channels * {window[0] * window[1]}, {counts[0] * counts[1]}), got {x.shape}")
    parts = _core.reshape(x, (x.shape[0], -1, window[0], window[1], *counts))
    wide = zeros((*parts.shape[:2], *(n + 2 * p for n, p in zip(size, padding))), dtype=x.dtype, device=x.device)
    for i, j in _positions(window):
        key = (..., *(slice(a * d, a * d + (c - 1) * s + 1, s) for a, d, c, s in zip((i, j), dilation, counts, stride)))
        wide[key] = wide[key] + parts[:, :, i, j]
    y = wide[(..., *(slice(p, p + n) for n, p in zip(size, padding)))]
    return y[0] if added else y
