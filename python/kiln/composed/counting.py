"""Histograms, counts and interpolation in tables."""
import builtins
import math

from .. import _core
from .._arguments import as_array, cast, first_array, floating, ops
from .._core import Array
from .._dtypes import BY_NAME
from .._errors import make
from .._fused import looped
from .._ordering import argsort, searchsorted, sort
from .._ranges import linspace
from .._reductions import cumsum, diff, max, min, sum  # noqa: A004
from .._shaping import moveaxis
from .quantiles import quantile
from .statistics import mean, std

_int64 = BY_NAME["int64"]


def bincount(x, /, weights=None, minlength=0, *, length=None) -> Array:
    """How often each integer from 0 on occurs, or the sum of the ``weights`` there: as many as the largest element asks for.

    ``length`` says how many, and leaves out what is not below it, so that the shape depends on no value. Raises ValueError for a negative
    element, ShapeError for another rank.
    """
    x = as_array(x)
    if x.ndim != 1 or (x.dtype.kind not in "biu" and x.size):  # an empty list has the default dtype
        raise make("DTypeError" if x.ndim == 1 else "ShapeError", f"bincount: operand 0: expected a vector of integers, got {x.dtype}{list(x.shape)}")
    x = cast(x, _int64)
    if length is None:
        counts = _core.bincount(x, None if weights is None else floating(weights), minlength)
        if counts is not None:  # outside of recordings, at once
            return counts
        least, most = (_core.reduce(end, x, None, False).item() for end in ("min", "max")) if x.size else (0, -1)
        if least < 0:
            raise make("ValueError", f"bincount: elements: expected at least 0, got {least}")
        n = builtins.max(most + 1, minlength)
    else:
        n = length
    values = 1 if weights is None else floating(weights)
    counts = _core.full((n + (length is not None),), 0, *((_int64, x.device) if weights is None else (values.dtype, values.device)))
    if length is None:
        if x.size:
            _core.update_at(counts, x, values, "scatter_add")
        return counts
    inside = ops["bitwise_and"](ops["greater_equal"](x, 0), ops["less"](x, n))
    return counts.at[_core.where(inside, x, n)].add(values)[:n] if x.size else counts[:n]





def histogram_bin_edges(x, bins=10, range=None, weights=None) -> Array:  # noqa: A002
    """The limits of ``bins`` equal intervals over ``range`` (the smallest to the largest element), or ``bins`` itself if it is a vector.

    ``bins`` may be a rule, "auto", "doane", "fd", "rice", "scott", "sqrt", "stone" or "sturges", which looks at values. Raises ValueError for another rule, no interval, or a range that is not finite or not ascending; outside of
    recordings also for limits that do not ascend, and elements without a range that are not finite.
    """
    x = _core.reshape(as_array(x), (-1,))
    if isinstance(bins, str):
        bins = _bins_by_rule(bins, x, range)
    if not isinstance(bins, int):
        bins = as_array(bins, x)
        if bins.ndim == 1:
            _check("bins", "limits that ascend", ops["less_equal"](bins[:-1], bins[1:]), bins)
            return bins
        raise make("ShapeError", f"histogram: bins: expected a number or a vector of limits, got {bins.ndim} axes")
    if bins < 1:
        raise make("ValueError", f"histogram: bins: expected at least 1, got {bins}")
    dtype = x.dtype if x.dtype.kind == "f" and x.dtype.itemsize > 2 else _core.default_dtype()
    if range is not None:
        low, high = float(range[0]), float(range[1])
        if not (math.isfinite(low) and math.isfinite(high) and low <= high):
            raise make("ValueError", f"histogram: range: expected two finite limits that ascend, got {range}")
        low, high = (low - 0.5, high + 0.5) if low == high else (low, high)
        return linspace(low, high, bins + 1, dtype=dtype, device=x.device)
    if not x.size:
        return linspace(0.0, 1.0, bins + 1, dtype=dtype, device=x.device)
    wide = "float32" if dtype == "float32" and x.dtype.kind == "f" else "float64"  # as NumPy: counts are equal where the limits are
    low, high = _core.astype(min(x), wide), _core.astype(max(x), wide)
    _check("elements", "finite ones, or a range", ops["isfinite"](high - low), x)
    flat = ops["equal"](low, high)
    low, high = _core.where(flat, low - 0.5, low), _core.where(flat, high + 0.5, high)
    line = _core.concat((_core.iota((bins,), wide, 0, x.device) * ((high - low) / bins) + low, _core.reshape(high, (1,))), 0)
    return _core.astype(line, dtype)


def _doane(x, n, extent):
    spread = std(x)
    if n < 3 or not spread > 0:
        return 0.0
    skew = abs(mean(((x - mean(x)) / spread) ** 3).item()) / math.sqrt(6.0 * (n - 2) / ((n + 1.0) * (n + 3)))
    return extent / (1.0 + math.log2(n) + math.log2(1.0 + skew))


def _stone(x, n, extent, limits=None):
    def loss(count):
        p = histogram(x, count, limits)[0] / float(n)
        return (2 - (n + 1) * sum(p * p).item()) * count / extent

    return extent / builtins.min(builtins.range(1, builtins.max(100, int(math.sqrt(n))) + 1), key=loss) if n > 1 and extent else 0.0


def _spread_of_middle(x):
    low, high = quantile(x, as_array([0.25, 0.75])).tolist()
    return high - low


# Widths of the intervals of n elements, the largest less the smallest of which is the extent.
_RULES = {"sqrt": lambda x, n, extent: extent / math.sqrt(n), "sturges": lambda x, n, extent: extent / (math.log2(n) + 1.0), "rice": lambda x, n, extent: extent / (2.0 * n ** (1 / 3)),
          "scott": lambda x, n, extent: (24.0 * math.pi**0.5 / n) ** (1 / 3) * std(x).item(), "fd": lambda x, n, extent: 2.0 * _spread_of_middle(x) / n ** (1 / 3), "doane": _doane, "stone": _stone}
_RULES["auto"] = lambda x, n, extent: builtins.min(_RULES["fd"](x, n, extent) or math.inf, _RULES["sturges"](x, n, extent))


def _bins_by_rule(rule, x, range):  # noqa: A002
    """How many intervals a rule of NumPy's makes of elements: a number, which recordings ask for."""
    if rule not in _RULES:
        raise make("ValueError", f"histogram: bins: expected a number, limits, or one of {', '.join(map(repr, sorted(_RULES)))}, got {rule!r}")
    is_whole, x = x.dtype.kind in "iu", _core.astype(x, "float64")
    if range is not None:
        x = x[ops["bitwise_and"](ops["greater_equal"](x, range[0]), ops["less_equal"](x, range[1]))]
    if not x.size:
        return 1
    ends = (min(x).item(), max(x).item())
    width = float(_RULES[rule](x, x.size, ends[1] - ends[0], *((range,) if rule == "stone" else ())))
    if not (math.isfinite(width) and width):
        return 1
    low, high = range or ends
    return int(math.ceil((high - low) / (builtins.max(width, 1.0) if is_whole else width)))


def _check(what, expected, good, met):
    """Raises ValueError where elements are not as expected, if they can be looked at: a recording does not depend on them."""
    if _core.is_at_hand() and not good.all():
        raise make("ValueError", f"histogram: {what}: expected {expected}, got {met}")


def _sums_between(x, edges, n, weights):
    """How many elements lie in each of the ``n`` intervals, or the sums of their weights. What lies outside goes before the first."""
    at = _core.where(ops["less_equal"](x, edges[n]), searchsorted(edges[:n], x, "right"), 0)
    values = _core.full((x.size,), 1, "int64", x.device) if weights is None else floating(_core.reshape(as_array(weights), (-1,)))
    sums = _core.full((n + 1,), 0, values.dtype, values.device)
    return sums.at[at].add(values)[1:]


def histogram(x, bins=10, range=None, density=None, weights=None) -> tuple[Array, Array]:  # noqa: A002
    """How many elements lie in each interval (or the sum of their ``weights``), and its limits; the last interval is closed.

    ``bins`` and ``range`` as of ``histogram_bin_edges``; with ``density`` the counts are over their sum and the widths.
    """
    x = _core.reshape(as_array(x), (-1,))
    x = _core.astype(x, "float32") if x.dtype.itemsize == 2 and x.dtype.kind == "f" else _core.astype(x, "uint8") if x.dtype.kind == "b" else x
    edges = histogram_bin_edges(x, bins, range, weights)
    n = edges.size - 1
    if n < 1:
        raise make("ShapeError", f"histogram: bins: expected at least 2 limits, got {edges.size}")
    if weights is None and n * 8 > x.size:
        line = sort(x, None)
        counts = diff(_core.concat((searchsorted(line, edges[:n], "left"), searchsorted(line, edges[n:], "right")), 0))
    else:
        counts = _sums_between(x, edges, n, weights)
    if weights is not None and as_array(weights).dtype.kind in "iu":
        counts = _core.astype(counts, as_array(weights).dtype)
    if density:
        widths = _core.astype(diff(edges), _core.default_dtype() if edges.dtype.kind != "f" else edges.dtype)
        counts = _core.astype(counts, widths.dtype)
        counts = counts / widths / sum(counts)
    return counts, edges


def histogramdd(sample, bins=10, range=None, density=None, weights=None):  # noqa: A002
    """``histogram`` of points of several coordinates, an axis for each: the counts and a list of limits.

    ``sample`` has a row for each point, or is a sequence of vectors of coordinates; ``bins`` and ``range`` may be one for each.
    """
    columns = [_core.reshape(as_array(c), (-1,)) for c in sample] if isinstance(sample, (list, tuple)) else [as_array(sample)[:, i] for i in builtins.range(as_array(sample).shape[1])]
    d = len(columns)
    bins = list(bins) if isinstance(bins, (list, tuple)) and len(bins) == d else [bins] * d
    limits = [None] * d if range is None else list(range)
    edges, position, total, inside = [], 0, 1, None
    for c, b, r in zip(columns, bins, limits):
        e = histogram_bin_edges(c, b, r)
        n = e.size - 1
        at = searchsorted(e, c, "right") - 1
        at = _core.where(ops["equal"](c, e[n]), n - 1, at)
        good = ops["bitwise_and"](ops["greater_equal"](at, 0), ops["less"](at, n))
        inside = good if inside is None else ops["bitwise_and"](inside, good)
        position, total = position * n + at, total * n
        edges.append(e)
    counts = bincount(_core.where(inside, position, total), weights, length=total)
    counts = _core.reshape(floating(counts), tuple(e.size - 1 for e in edges))
    if density:
        counts = counts / sum(counts)
        for i, e in enumerate(edges):
            counts = counts / _core.reshape(diff(e), tuple(-1 if j == i else 1 for j in builtins.range(d)))
    return counts, edges





def histogram2d(x, y, bins=10, range=None, density=None, weights=None):  # noqa: A002
    """``histogramdd`` of points with two coordinates: the counts, and the limits along each."""
    bins = bins if isinstance(bins, (list, tuple)) and len(bins) == 2 else [bins, bins]
    counts, edges = histogramdd((x, y), bins, range, density, weights)
    return counts, edges[0], edges[1]


@looped
def interp(x, xp, fp, left=None, right=None, period=None) -> Array:
    """Values at ``x`` of the lines between the points (``xp``, ``fp``); ``left`` and ``right`` (the end values) outside.

    ``xp`` ascends, unless ``period`` folds both. Raises ShapeError unless ``xp`` and ``fp`` are vectors of one size of at least 1.
    """
    beside = first_array(x, xp, fp)
    x, xp, fp = floating(x, beside), floating(xp, beside), floating(fp, beside)
    if xp.ndim != 1 or xp.shape != fp.shape or not xp.size:
        raise make("ShapeError", f"interp: points: expected two vectors of one size of at least 1, got {xp.shape} and {fp.shape}")
    if period is not None:
        period = abs(period)
        x, xp = ops["remainder"](x, period), ops["remainder"](xp, period)
        order = argsort(xp)
        xp, fp = _core.take(xp, order, 0), _core.take(fp, order, 0)
        n = xp.size
        xp = _core.concat((xp[n - 1:] - period, xp, xp[:1] + period), 0)
        fp = _core.concat((fp[n - 1:], fp, fp[:1]), 0)
    n = xp.size
    right_of = ops["minimum"](ops["maximum"](searchsorted(xp, x, "right"), 1), builtins.max(n - 1, 1))
    low, high = right_of - 1, right_of if n > 1 else right_of - 1
    x0, x1, y0, y1 = _core.take(xp, low, 0), _core.take(xp, high, 0), _core.take(fp, low, 0), _core.take(fp, high, 0)
    width = x1 - x0
    slope = (y1 - y0) / _core.where(ops["equal"](width, 0), 1.0, width)
    result = slope * (x - x0) + y0
    result = _core.where(ops["isnan"](result), slope * (x - x1) + y1, result)  # from the other end, where this one is infinite
    result = _core.where(ops["bitwise_and"](ops["isnan"](result), ops["equal"](y0, y1)), y0, result)
    result = _core.where(ops["equal"](x, x1), y1, _core.where(ops["equal"](x, x0), y0, result))
    result = _core.where(ops["less"](x, xp[0]), fp[0] if left is None else left, result)
    result = _core.where(ops["greater"](x, xp[n - 1]), fp[n - 1] if right is None else right, result)
    return _core.where(ops["isnan"](x), x, result)


def trapezoid(y, x=None, dx=1.0, axis=-1) -> Array:
    """Integral along an axis of the lines between points, ``dx`` apart or at ``x``."""
    y = floating(y) if axis == -1 else moveaxis(floating(y), axis, -1)
    if x is None:
        steps = dx
    else:
        x = as_array(x)
        steps = diff(x) if x.ndim == 1 else diff(moveaxis(x, axis, -1))
    return sum(_areas(y, steps), axis=-1)


def _areas(y, steps):
    """Of the strips below the lines between neighbours."""
    pairs = y[..., 1:] + y[..., :-1]
    if pairs.dtype.kind == "c":
        return pairs * steps / 2.0
    return (pairs if isinstance(steps, (int, float)) and steps == 1 else pairs * steps) * 0.5  # the same bits in fewer passes


def cumulative_trapezoid(y, x=None, dx=1.0, axis=-1, initial=None) -> Array:
    """``trapezoid`` up to each point; behind ``initial`` if that is given."""
    y = moveaxis(floating(y), axis, -1)
    steps = dx if x is None else diff(as_array(x)) if as_array(x).ndim == 1 else diff(moveaxis(as_array(x), axis, -1))
    line = cumsum(_areas(y, steps), axis=-1)
    if initial is not None:
        line = _core.concat((_core.full((*line.shape[:-1], 1), initial, line.dtype, line.device), line), line.ndim - 1)
    return moveaxis(line, -1, axis)
