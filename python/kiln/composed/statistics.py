"""Mean, variance and what normalizes by them."""
from .. import _core
from .._arguments import as_array, as_tuple, floating
from .._core import Array
from .._errors import make
from .._reductions import max, sum  # noqa: A004

_exp, _sqrt, _log = (_core.op_functions[name] for name in ("exp", "sqrt", "log"))


def _count(x, axis):
    n = 1
    for a in range(x.ndim) if axis is None else as_tuple(axis):
        n *= x.shape[a]
    return n


def mean(x, /, *, axis=None, keepdims=False) -> Array:
    """Mean over ``axis``; integers are converted to the default dtype. nan over an empty axis."""
    x = floating(x)
    total = sum(x, axis=axis, keepdims=keepdims)
    return total / float(_count(x, axis))


def var(x, /, *, axis=None, correction=0.0, keepdims=False) -> Array:
    """Variance over ``axis``, in two passes; ``correction`` is taken off the number of elements."""
    x = floating(x)
    centered = x - mean(x, axis=axis, keepdims=True)
    square = centered * centered if x.dtype.kind == "f" else centered.real * centered.real + centered.imag * centered.imag
    total = sum(square, axis=axis, keepdims=keepdims)
    n = _count(x, axis) - correction
    return total / n if n > 0 else total * float("nan")


def std(x, /, *, axis=None, correction=0.0, keepdims=False) -> Array:
    """Standard deviation over ``axis``: the square root of ``var``."""
    return _sqrt(var(x, axis=axis, correction=correction, keepdims=keepdims))


def average(x, /, axis=None, weights=None) -> Array:
    """Mean over ``axis``, of elements times their weights over the sum of the weights if those are given."""
    if weights is None:
        return mean(x, axis=axis)
    weights = as_array(weights)
    return sum(x * weights, axis=axis) / sum(weights, axis=axis)


def median(x, /, *, axis=None, keepdims=False) -> Array:
    """The middle element over ``axis``, or the mean of the two in the middle; nan if any is nan."""
    return quantile(x, 0.5, axis=axis, keepdims=keepdims)


def quantile(x, q, /, *, axis=None, keepdims=False) -> Array:
    """The element below which the fraction ``q`` of the others lies, between neighbours by proportion; nan if any is nan.

    Raises ValueError for a fraction outside [0, 1] or an empty axis.
    """
    from .._selection import sort
    if not 0 <= q <= 1:
        raise make("ValueError", f"quantile: fraction: expected one in [0, 1], got {q}")
    x = floating(x)
    shape = tuple(1 if axis is None or i == axis % x.ndim else n for i, n in enumerate(x.shape))
    x, along = (_core.reshape(x, (-1,)), 0) if axis is None else (x, axis % x.ndim)
    n = x.shape[along]
    if not n:
        raise make("ValueError", "quantile: size: expected at least one element, got none")
    line, key = sort(x, axis=along), (slice(None),) * along
    at = q * (n - 1)
    low = min(int(at), n - 1)
    first, second = line[(*key, slice(low, low + 1))], line[(*key, slice(min(low + 1, n - 1), min(low + 1, n - 1) + 1))]
    last = line[(*key, slice(n - 1, n))]  # nan if there is one
    result = _core.where(_core.op_functions["isnan"](last), last, first + (second - first) * (at - low))
    return _core.reshape(result, shape if keepdims else tuple(m for i, m in enumerate(x.shape) if i != along))


def percentile(x, q, /, *, axis=None, keepdims=False) -> Array:
    """``quantile`` of ``q`` per cent."""
    return quantile(x, q / 100, axis=axis, keepdims=keepdims)


def softmax(x, /, *, axis=-1) -> Array:
    """Exponentials over their sum along ``axis``, shifted by the largest element."""
    x = floating(x)
    e = _exp(x - max(x, axis=axis, keepdims=True))
    return e / sum(e, axis=axis, keepdims=True)


def logsumexp(x, /, *, axis=-1, keepdims=False) -> Array:
    """Logarithm of the sum of exponentials along ``axis``, shifted by the largest element."""
    x = floating(x)
    top = max(x, axis=axis, keepdims=True)
    total = _log(sum(_exp(x - top), axis=axis, keepdims=True)) + top
    return total if keepdims else sum(total, axis=axis)
