"""Arrays made longer or shorter."""
import builtins

from . import _core
from ._arguments import as_array, as_tuple, normalized_axes, ops
from ._core import Array
from ._creation import full
from ._dtypes import BY_NAME
from ._errors import make
from ._fused import looped
from ._shaping import flip

_MODES = ("constant", "edge", "empty", "linear_ramp", "maximum", "mean", "median", "minimum", "reflect", "symmetric", "wrap")


_MANY = 1 << 14  # elements


def _pairs(what, value, rank):
    """A number, a pair, or a pair an axis, as a pair an axis."""
    rows = [as_tuple(w) for w in as_tuple(value.tolist() if hasattr(value, "tolist") else value)]
    if builtins.all(len(w) == 1 for w in rows) and len(rows) == 2:
        rows = [tuple(w[0] for w in rows)]
    rows = [w * 2 if len(w) == 1 else w for w in rows]
    rows = rows * rank if len(rows) == 1 else rows
    if len(rows) != rank or builtins.any(len(w) != 2 for w in rows):
        raise make("ValueError", f"pad: {what}: expected a number or a pair for each of {rank} axes, got {value}")
    return rows


@looped
def pad(x, pad_width, mode="constant", *, constant_values=0, end_values=0, stat_length=None, reflect_type="even") -> Array:
    """``x`` with elements added around: ``pad_width`` before and behind, one number, a pair, or a pair an axis.

    ``mode`` is "constant" (with ``constant_values``), "edge", "reflect", "symmetric", "wrap", "linear_ramp" (to ``end_values``),
    "maximum", "minimum", "mean", "median" (of ``stat_length`` elements at the end) or "empty", as NumPy's. Raises ValueError for
    another, for negative widths, and where an empty axis would be continued.
    """
    x = as_array(x)
    widths = _pairs("pad_width", pad_width, x.ndim)
    if builtins.any(builtins.min(w) < 0 for w in widths):
        raise make("ValueError", f"pad: pad_width: expected sizes of at least 0, got {pad_width}")
    if mode not in _MODES:
        raise make("ValueError", f"pad: mode: expected {', '.join(map(repr, _MODES[:-1]))} or {_MODES[-1]!r}, got {mode!r}")
    many = mode == "constant" and x.size >= _MANY and _core.innermost() is None  # memory is written once
    if mode in ("constant", "empty") and not many and not isinstance(constant_values, (tuple, list)):
        result = full(tuple(n + a + b for n, (a, b) in zip(x.shape, widths)), constant_values if mode == "constant" else 0, dtype=x.dtype, device=x.device)
        result[tuple(slice(a, a + n) for n, (a, _) in zip(x.shape, widths))] = x
        return result
    values = _pairs("values", constant_values if mode == "constant" else end_values, x.ndim)
    lengths = _pairs("stat_length", stat_length, x.ndim) if stat_length is not None else [(None, None)] * x.ndim
    for axis, (a, b) in enumerate(widths):
        if (a or b) and not x.shape[axis] and mode != "constant":
            raise make("ValueError", f"pad: size of axis {axis}: expected at least 1 for mode {mode!r}, got 0")
    padded = _padded if _core.innermost() is None else _joined
    return padded(x, widths, lambda part, axis: _ends(part, axis, *widths[axis], mode, values[axis], lengths[axis], reflect_type))


def _joined(x, widths, ends):
    """One axis after the other, each by a concatenation."""
    result = x
    for axis, (a, b) in enumerate(widths):
        if a or b:
            result = _core.concat(tuple(p for p in ends(result, axis) if p.shape[axis]), axis)
    return _core.copy(x) if result is x else result


def _padded(x, widths, ends):
    """In its memory: ``x`` is written once, then what stands around it, one axis after the other."""
    shape = tuple(n + a + b for n, (a, b) in zip(x.shape, widths))
    made = _core.unwritten(x, shape) if x.size >= _MANY else None
    result = full(shape, 0, dtype=x.dtype, device=x.device) if made is None else made
    region = [slice(a, a + n) for n, (a, _) in zip(x.shape, widths)]
    result[tuple(region)] = x
    for axis, (a, b) in enumerate(widths):
        if not (a or b):
            continue
        inside, start = result[tuple(region)], 0
        for part in ends(inside, axis):
            end = start + part.shape[axis]
            if part is not inside and end > start:
                region[axis] = slice(start, end)
                result[tuple(region)] = part
            start = end
        region[axis] = slice(0, start)
    return result


def _ends(x, axis, a, b, mode, values, lengths, reflect_type):
    """What stands before, the array, and what stands behind."""
    key, n = (slice(None),) * axis, x.shape[axis]

    def part(low, high):
        return x[(*key, slice(low, high))]

    def spread(piece, count):
        return _core.broadcast_to(piece, (*x.shape[:axis], count, *x.shape[axis + 1:]))

    if mode == "constant":
        return spread(full((), values[0], dtype=x.dtype, device=x.device), a), x, spread(full((), values[1], dtype=x.dtype, device=x.device), b)
    if mode == "edge":
        return spread(part(0, 1), a), x, spread(part(n - 1, n), b)
    if mode == "linear_ramp":
        return _ramp(part(0, 1), values[0], a, axis), x, flip(_ramp(part(n - 1, n), values[1], b, axis), axis=axis)
    if mode in ("maximum", "minimum", "mean", "median"):
        low, high = (n if m is None else builtins.min(m, n) for m in lengths)
        return spread(_statistic(mode, part(0, low), axis), a), x, spread(_statistic(mode, part(n - high, n), axis), b)
    return _mirrored(x, part, axis, a, b, mode, reflect_type)


def _mirrored(x, part, axis, a, b, mode, reflect_type):
    """By pieces as long as the array: of each the part that is next to it comes first."""
    n = x.shape[axis]
    odd = reflect_type == "odd" and mode != "wrap"
    if mode == "reflect" and n == 1:
        spread = (*x.shape[:axis], 1, *x.shape[axis + 1:])
        return *[_core.broadcast_to(x, spread)] * a, x, *[_core.broadcast_to(x, spread)] * b
    if odd:
        return _odd(x, axis, a, b, mode)
    period = {"wrap": n, "symmetric": n, "reflect": n - 1}[mode]
    if a <= period and b <= period:
        if mode == "wrap":
            return part(n - a, n), x, part(0, b)
        skip = 1 if mode == "reflect" else 0
        return flip(part(skip, skip + a), axis=axis), x, flip(part(n - skip - b, n - skip), axis=axis)
    i = _core.iota((a + n + b,), BY_NAME["int64"], 0, x.device) - a
    if mode == "wrap":
        at = i % n
    elif mode == "reflect":
        at = (n - 1) - ops["abs"]((n - 1) - i % (2 * n - 2))
    else:
        turn = i % (2 * n)
        at = ops["minimum"](turn, (2 * n - 1) - turn)
    return (_core.take(x, at, axis),)


def _odd(x, axis, a, b, mode):
    """Twice the edge less the mirrored elements, in steps of what there is to mirror."""
    key, skip = (slice(None),) * axis, 1 if mode == "reflect" else 0
    while a or b:
        n = x.shape[axis]
        p, q = builtins.min(a, n - skip), builtins.min(b, n - skip)
        first, last = x[(*key, slice(0, 1))], x[(*key, slice(n - 1, n))]
        before = 2 * first - flip(x[(*key, slice(skip, skip + p))], axis=axis)
        behind = 2 * last - flip(x[(*key, slice(n - skip - q, n - skip))], axis=axis)
        x, a, b = _core.concat((before, x, behind), axis), a - p, b - q
    return (x,)


def _ramp(edge, end, count, axis):
    """From ``end`` towards ``edge``, which comes next."""
    shape = [1] * edge.ndim
    shape[axis] = count
    i = _core.reshape(_core.iota((count,), BY_NAME["float64"], 0, edge.device), tuple(shape))
    step = (_core.astype(edge, "float64") - end) / builtins.max(count, 1) if edge.dtype.kind != "c" else (edge - end) / builtins.max(count, 1)
    line = step * i + end
    return _core.astype(ops["floor"](line) if edge.dtype.kind in "iu" else line, edge.dtype)


def _statistic(mode, x, axis):
    from . import _reductions
    from .composed import quantiles, statistics
    if mode in ("maximum", "minimum"):
        return (_reductions.max if mode == "maximum" else _reductions.min)(x, axis=axis, keepdims=True)
    wide = _core.astype(x, "float64") if x.dtype.kind in "iu" else x
    result = (statistics.mean if mode == "mean" else quantiles.median)(wide, axis=axis, keepdims=True)
    return _core.astype(ops["round"](result) if x.dtype.kind in "iu" else result, x.dtype)


def resize(x, shape, /) -> Array:
    """The elements of ``x`` in row-major order under ``shape``, from the start again where they end; zeros if there are none."""
    x, shape = _core.reshape(as_array(x), (-1,)), as_tuple(shape)
    n = 1
    for d in shape:
        n *= d
    if not x.size:
        return _core.full(shape, 0, x.dtype)
    times = -(-n // x.size)
    line = _core.reshape(_core.copy(_core.broadcast_to(x, (times, x.size))), (-1,)) if times > 1 else _core.copy(x[:n])
    return _core.reshape(line if line.size == n else line[:n], shape)


def trim_zeros(x, trim="fb", axis=None) -> Array:
    """An array without the zeros at the front ("f") and back ("b") of its axes, or of those that are named, a view."""
    x = as_array(x)
    if x.ndim > 1:
        for a in normalized_axes("trim_zeros", axis, x.ndim):
            there = _core.nonzero(_core.reduce("any", _core.astype(x, "bool"), tuple(i for i in range(x.ndim) if i != a), False))
            first, last = (int(there[0].item()), int(there[-1].item())) if there.size else (0, -1)
            low, high = first if "f" in trim.lower() or last < 0 else 0, last + 1 if "b" in trim.lower() or last < 0 else x.shape[a]
            x = x[(slice(None),) * a + (slice(low, high),)]
        return x
    there = _core.nonzero(_core.astype(x, "bool"))
    if not there.size:
        return x[:0]
    first, last = int(there[0].item()), int(there[-1].item())
    return x[first if "f" in trim.lower() else 0:last + 1 if "b" in trim.lower() else x.size]
