"""Elements by their rank: medians, quantiles, and the statistics that leave nan out.

The methods and their parameters are those of R. Hyndman and Y. Fan, "Sample quantiles in statistical packages", 1996.
"""
import math

from .. import _core
from .._arguments import as_array, floating, merged, ops, rounded_once, store
from .._core import Array
from .._errors import make
from .._fused import fused, looped
from .._reductions import argmax, argmin, cumprod, cumsum, max, min, prod, sum  # noqa: A004
from .statistics import _count, _typed, mean

# Where the fraction q of n elements lies: n q + (alpha + q (1 - alpha - beta)) - 1.
_PLACES = {"linear": (1, 1), "weibull": (0, 0), "hazen": (0.5, 0.5), "interpolated_inverted_cdf": (0, 1), "median_unbiased": (1 / 3, 1 / 3),
           "normal_unbiased": (3 / 8, 3 / 8)}
_STEPS = ("lower", "higher", "midpoint", "nearest", "inverted_cdf", "averaged_inverted_cdf", "closest_observation")


class _Numbers:
    """The few operations that a place is computed with, on Python numbers."""

    floor, where = math.floor, staticmethod(lambda c, a, b: a if c else b)


class _Arrays:
    floor, where = staticmethod(ops["floor"]), staticmethod(_core.where)


def _place(q, n, method, of):
    """(low, t): the quantile lies t of the way from element ``low`` to the next."""
    floor, where = of.floor, of.where
    if method in _PLACES:
        alpha, beta = _PLACES[method]
        at = n * q + (alpha + q * (1 - alpha - beta)) - 1
    else:
        at = n * q - 1 if method.endswith("cdf") else n * q - 1.5 if method == "closest_observation" else q * (n - 1)
    at = where(at < 0, 0 * q, where(at > n - 1, 0 * q + (n - 1), at)) if method not in ("inverted_cdf", "averaged_inverted_cdf", "closest_observation") else at
    low = floor(at)
    t = at - low
    if method == "lower":
        t = t * 0
    elif method in ("higher", "inverted_cdf"):
        t = where(t > 0, t * 0 + 1.0, t * 0)
    elif method == "midpoint":
        t = where(t > 0, t * 0 + 0.5, t * 0)
    elif method == "nearest":  # halves to the even one
        t = where(where(t == 0.5, low % 2 == 1, t > 0.5), t * 0 + 1.0, t * 0)
    elif method == "averaged_inverted_cdf":
        t = where(t > 0, t * 0 + 1.0, t * 0 + 0.5)
    elif method == "closest_observation":
        t = where(where(t == 0, low % 2 == 0, t < 0), t * 0, t * 0 + 1.0)
    return low, t


def _between(first, second, t):
    """``t`` of the way: as NumPy from the nearer end, and without the difference where one is infinite."""
    step = second - first
    result = _core.where(t < 0.5, first + step * t, second - step * (1 - t)) if isinstance(t, Array) else first + step * t if t < 0.5 else second - step * (1 - t)
    endless = ops["bitwise_or"](ops["isinf"](first), ops["isinf"](second))
    mixed = _weighted(first, 1 - t) + _weighted(second, t)
    return _core.where(endless, mixed, result)


def _weighted(x, t):
    """``x * t``, 0 where ``t`` is."""
    if isinstance(t, Array):
        return _core.where(t == 0, 0.0, x * t)
    return x * t if t else _core.full((), 0, x.dtype, x.device)


def _checked(op, q, scale, x):
    """Fractions as a Python number, or as an array of float64; those that are known are looked at."""
    if isinstance(q, Array):
        return _core.astype(q, "float64") / scale
    known = q if isinstance(q, (int, float)) else as_array(q, x)
    for value in [known] if isinstance(known, (int, float)) else _core.reshape(known, (-1,)).tolist():
        if not 0 <= value <= scale:
            raise make("ValueError", f"{op}: fraction: expected one in [0, {scale}], got {value}")
    return float(known) / scale if isinstance(known, (int, float)) else _core.astype(known, "float64") / scale


def _quantile(op, x, q, axis, method, keepdims, scale=1, skips=False):
    from .._ordering import sort
    if method not in _PLACES and method not in _STEPS:
        raise make("ValueError", f"{op}: method: expected one of {', '.join((*_PLACES, *_STEPS))}, got {method!r}")
    q = _checked(op, q, scale, x)
    flat, shape, kept = merged(op, x, axis)
    n = flat.shape[-1]
    if not n:
        raise make("ValueError", f"{op}: size: expected at least one element, got none")
    line = sort(flat)
    if skips:
        return _skipping(line, q, method, kept if keepdims else shape)
    low, t = _place(q, n, method, _Arrays if isinstance(q, Array) else _Numbers)
    last = line[..., n - 1:]  # nan if there is one
    if isinstance(q, Array):
        low, t = _core.reshape(low, (-1,)), _core.reshape(_core.astype(t, x.dtype), (-1,))
        low = _core.astype(low, "int64")
        first, second = (_core.take(line, ops["minimum"](ops["maximum"](low + i, 0), n - 1), flat.ndim - 1) for i in (0, 1))
    else:
        a, b = (0 if low + i < 0 else n - 1 if low + i > n - 1 else low + i for i in (0, 1))
        first, second = line[..., a:a + 1], line[..., b:b + 1]
    result = _core.where(ops["isnan"](last), last, _between(first, second, t))
    return _placed(result, q, kept if keepdims else shape)


def _placed(result, q, shape):
    """The fractions, along the last axis, in front."""
    if not isinstance(q, Array):
        return _core.reshape(result, shape)
    k = result.ndim - 1
    return _core.reshape(_core.permute_dims(result, (k, *range(k))), (*q.shape, *shape))


def _skipping(line, q, method, shape):
    """Of sorted lines, nan last: of as many elements as each has."""
    n = line.shape[-1]
    count = sum(_core.astype(ops["logical_not"](ops["isnan"](line)), "float64"), axis=-1, keepdims=True)
    fractions = _core.reshape(q, (-1,)) if isinstance(q, Array) else _core.full((1,), q, "float64", line.device)
    low, t = _place(fractions + count * 0, count, method, _Arrays)
    low = _core.astype(low, "int64")
    top = _core.astype(count, "int64") - 1
    from .._selection import take_along_axis
    first, second = (take_along_axis(line, ops["minimum"](ops["maximum"](ops["minimum"](low + i, top), 0), n - 1), axis=-1) for i in (0, 1))
    return _placed(_between(first, second, _core.astype(t, line.dtype)), q, shape)


def _weighed(op, x, q, axis, method, keepdims, scale, skips, weights):
    """The first element at which the running sum of weights, over that of all, reaches the fraction."""
    from .._ordering import argsort
    from .._selection import take_along_axis
    if method != "inverted_cdf":
        raise make("ValueError", f"{op}: method: expected 'inverted_cdf' with weights, got {method!r}")
    q, weights = _checked(op, q, scale, x), as_array(weights, x)
    if weights.shape != x.shape:
        if axis is None or isinstance(axis, tuple) or weights.shape != (x.shape[axis],):
            raise make("ShapeError", f"{op}: weights: expected the shape {x.shape}, or a vector along one axis, got {weights.shape}")
        weights = _core.broadcast_to(_core.reshape(weights, (-1,) + (1,) * (x.ndim - 1 - axis % x.ndim)), x.shape)
    line, shape, kept = merged(op, x, axis)
    weights = _core.astype(merged(op, weights, axis)[0], "float64")
    order, last = argsort(line), line.ndim - 1
    line, weights = take_along_axis(line, order, -1), take_along_axis(weights, order, -1)
    is_nan = ops["isnan"](line)
    sums = _core.along_axis("cumulative_sum", _core.where(is_nan, 0.0, weights) if skips else weights, last, False)
    sums = sums / sums[..., -1:]
    sums = _core.where(ops["equal"](sums, 0), -1.0, sums)  # what weighs nothing is not the first
    fractions = _core.reshape(q, (-1,)) if isinstance(q, Array) else _core.full((1,), q, "float64", line.device)
    at = sum(_core.astype(ops["less"](sums[..., None, :], fractions[:, None]), "int64"), axis=-1)
    found = take_along_axis(line, ops["minimum"](at, line.shape[-1] - 1), -1)
    if not skips:
        found = _core.where(is_nan[..., -1:], line[..., -1:], found)
    return _placed(found, q, kept if keepdims else shape)


def _public(op, x, q, axis, out, method, keepdims, scale=1, skips=False, weights=None):
    if weights is not None:
        result = _weighed(op, floating(x), q, axis, method, keepdims, scale, skips, weights)
        return result if out is None else store(op, result, out)
    result = _rounded(floating(x), op, q, axis, method, keepdims, scale, skips)
    return result if out is None else store(op, result, out)


@rounded_once
def _rounded(x, op, q, axis, method, keepdims, scale, skips):
    if x.dtype.kind == "c":
        raise make("DTypeError", f"{op}: dtype of operand 0: expected a real one, got {x.dtype.name}")
    return _quantile(op, x, q, axis, method, keepdims, scale, skips)


def quantile(x, /, q, axis=None, out=None, overwrite_input=False, method="linear", keepdims=False, *, weights=None) -> Array:
    """The element of ``x`` below which the fraction ``q`` of the others lies, over ``axis`` (several, or all if None).

    Several fractions stand along the first axes of the result. ``method`` says what lies between elements, as NumPy's. nan if any
    is nan. ``weights``, of each element or along one axis, count with the method "inverted_cdf". Raises ValueError for a fraction outside
    [0, 1], an empty axis or another method, ShapeError for weights of another shape.
    """
    return _public("quantile", x, q, axis, out, method, keepdims, weights=weights)


def percentile(x, /, q, axis=None, out=None, overwrite_input=False, method="linear", keepdims=False, *, weights=None) -> Array:
    """``quantile`` of ``q`` per cent."""
    return _public("percentile", x, q, axis, out, method, keepdims, 100, weights=weights)


@looped
def median(x, /, axis=None, out=None, overwrite_input=False, keepdims=False) -> Array:
    """The middle element over ``axis`` (several, or all if None), or the mean of the two in the middle; nan if any is nan, or there is none."""
    x = as_array(x)
    if not x.size and axis is None:
        return as_array(math.nan) if out is None else store("median", as_array(math.nan), out)
    return _public("median", x, 0.5, axis, out, "linear", keepdims)


def nanquantile(x, /, q, axis=None, out=None, overwrite_input=False, method="linear", keepdims=False, *, weights=None) -> Array:
    """``quantile`` of the elements that are not nan; nan where there is none."""
    return _public("nanquantile", x, q, axis, out, method, keepdims, skips=True, weights=weights)


def nanpercentile(x, /, q, axis=None, out=None, overwrite_input=False, method="linear", keepdims=False, *, weights=None) -> Array:
    """``percentile`` of the elements that are not nan; nan where there is none."""
    return _public("nanpercentile", x, q, axis, out, method, keepdims, 100, True, weights)


@looped
def nanmedian(x, /, axis=None, out=None, overwrite_input=False, keepdims=False) -> Array:
    """``median`` of the elements that are not nan; nan where there is none."""
    return _public("nanmedian", x, 0.5, axis, out, "linear", keepdims, skips=True)


def _present(x):
    return ops["logical_not"](ops["isnan"](x))


def _without(x, other):
    """``x`` with ``other`` in place of nan."""
    return x if x.dtype.kind in "biu" else _core.where(ops["isnan"](x), _core.full((), other, x.dtype, x.device), x)


@fused
def nansum(x, /, axis=None, dtype=None, out=None, keepdims=False, initial=None, where=None) -> Array:
    """Sum over ``axis`` of the elements that are not nan, and ``initial``; of those alone where ``where`` holds."""
    return sum(_without(as_array(x), 0), axis, dtype, out, keepdims, initial, where)


@fused
def nanprod(x, /, axis=None, dtype=None, out=None, keepdims=False, initial=None, where=None) -> Array:
    """Product over ``axis`` of the elements that are not nan, and ``initial``; of those alone where ``where`` holds."""
    return prod(_without(as_array(x), 1), axis, dtype, out, keepdims, initial, where)


@fused
def nancumsum(x, /, axis=None, dtype=None, out=None) -> Array:
    """``cumsum`` with 0 in place of nan."""
    return cumsum(_without(as_array(x), 0), axis, dtype, out)


@fused
def nancumprod(x, /, axis=None, dtype=None, out=None) -> Array:
    """``cumprod`` with 1 in place of nan."""
    return cumprod(_without(as_array(x), 1), axis, dtype, out)


def _nan_extreme(op, function, x, axis, out, keepdims, initial, where):
    x = as_array(x)
    if x.dtype.kind != "f" or initial is not None or where is not None:
        x = x if x.dtype.kind != "f" else _without(x, -math.inf if function is max else math.inf)
        return function(x, axis, out, keepdims, initial, where)
    result = _core.reduce(op, x, axis, keepdims)
    return result if out is None else store(op, result, out)


def nanmax(x, /, axis=None, out=None, keepdims=False, initial=None, where=None) -> Array:
    """Largest element over ``axis`` that is not nan; nan where there is none. Raises ValueError for an empty axis.

    ``initial`` counts as well, and is needed with ``where``, which leaves elements out.
    """
    return _nan_extreme("nanmax", max, x, axis, out, keepdims, initial, where)


def nanmin(x, /, axis=None, out=None, keepdims=False, initial=None, where=None) -> Array:
    """Smallest element over ``axis`` that is not nan, as ``nanmax``."""
    return _nan_extreme("nanmin", min, x, axis, out, keepdims, initial, where)


@fused
def nanargmax(x, /, axis=None, out=None, keepdims=False) -> Array:
    """Position of the first largest element along ``axis`` that is not nan; 0 where all are."""
    return argmax(_without(as_array(x), -math.inf), axis, out, keepdims)


@fused
def nanargmin(x, /, axis=None, out=None, keepdims=False) -> Array:
    """Position of the first smallest element along ``axis`` that is not nan; 0 where all are."""
    return argmin(_without(as_array(x), math.inf), axis, out, keepdims)


def _chosen(x, where):
    return x if where is None or where is True else _core.where(as_array(where, x), x, math.nan)


@fused
def nanmean(x, /, axis=None, dtype=None, out=None, keepdims=False, *, where=None) -> Array:
    """Mean over ``axis`` of the elements that are not nan, and that ``where`` does not leave out; nan where there is none."""
    x = _chosen(_typed(x, dtype), where)
    return mean(_without(x, 0), axis, None, out, keepdims, where=_present(x))


@rounded_once
def _nanvar(x, axis, ddof, keepdims, root, mean):
    there = _present(x)
    centered = _core.where(there, x - (nanmean(x, axis, keepdims=True) if mean is None else as_array(mean)), 0.0)
    square = centered * centered if x.dtype.kind == "f" else centered.real * centered.real + centered.imag * centered.imag
    n = _count("nanvar", square, axis, there, keepdims) - ddof
    result = sum(square, axis=axis, keepdims=keepdims) / _core.where(n > 0, n, math.nan)
    return ops["sqrt"](result) if root else result


@fused
def nanvar(x, /, axis=None, dtype=None, out=None, ddof=0, keepdims=False, *, where=None, mean=None) -> Array:
    """Variance over ``axis`` of the elements that are not nan; nan where at most ``ddof`` are left.

    ``where`` leaves elements out; ``mean`` is the mean with its axes kept, where that is known.
    """
    result = _nanvar(_chosen(_typed(x, dtype), where), axis, ddof, keepdims, False, mean)
    return result if out is None else store("nanvar", result, out)


@fused
def nanstd(x, /, axis=None, dtype=None, out=None, ddof=0, keepdims=False, *, where=None, mean=None) -> Array:
    """Standard deviation over ``axis`` of the elements that are not nan: the square root of ``nanvar``."""
    result = _nanvar(_chosen(_typed(x, dtype), where), axis, ddof, keepdims, True, mean)
    return result if out is None else store("nanstd", result, out)
