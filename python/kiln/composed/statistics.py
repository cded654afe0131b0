"""Mean, variance and what normalizes by them."""
from .. import _core
from .._functions import asarray, max, sum

_exp, _sqrt, _log = (_core.op_functions[name] for name in ("exp", "sqrt", "log"))


def _count(x, axis):
    n = 1
    for a in range(x.ndim) if axis is None else axis if isinstance(axis, (tuple, list)) else (axis,):
        n *= x.shape[a]
    return n


def _floating(x):
    x = asarray(x)
    return x if x.dtype.kind == "f" else _core.astype(x, _core.default_dtype())


def mean(x, /, *, axis=None, keepdims=False):
    """Mean over ``axis``; integers are converted to the default dtype. nan over an empty axis."""
    x = _floating(x)
    n = _count(x, axis)
    return sum(x, axis=axis, keepdims=keepdims) / float(n)


def var(x, /, *, axis=None, correction=0.0, keepdims=False):
    """Variance over ``axis``, in two passes; ``correction`` is taken off the number of elements."""
    x = _floating(x)
    centered = x - mean(x, axis=axis, keepdims=True)
    return sum(centered * centered, axis=axis, keepdims=keepdims) / (_count(x, axis) - correction)


def std(x, /, *, axis=None, correction=0.0, keepdims=False):
    """Standard deviation over ``axis``: the square root of ``var``."""
    return _sqrt(var(x, axis=axis, correction=correction, keepdims=keepdims))


def softmax(x, /, *, axis=-1):
    """Exponentials over their sum along ``axis``, shifted by the largest element."""
    x = _floating(x)
    e = _exp(x - max(x, axis=axis, keepdims=True))
    return e / sum(e, axis=axis, keepdims=True)


def logsumexp(x, /, *, axis=-1, keepdims=False):
    """Logarithm of the sum of exponentials along ``axis``, shifted by the largest element."""
    x = _floating(x)
    top = max(x, axis=axis, keepdims=True)
    total = _log(sum(_exp(x - top), axis=axis, keepdims=True)) + top
    return total if keepdims else sum(total, axis=axis)
