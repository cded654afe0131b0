"""Mean, variance and what normalizes by them."""
from .. import _core
from .._arguments import as_array, floating, merged, normalized_axes, normalized_axis, ops, rounded_once, store
from .._core import Array
from .._errors import make
from .._fused import fused
from .._reductions import max, rooted, sum  # noqa: A004

_exp, _sqrt, _log = (ops[name] for name in ("exp", "sqrt", "log"))
_INF = float("inf")


def _typed(x, dtype):
    return floating(x) if dtype is None else _core.astype(as_array(x), dtype)


def _count(op, x, axis, where, keepdims=True):
    """How many elements a result is made of: a number, or an array where a mask decides."""
    if where is not None and where is not True:
        ones = _core.astype(_core.broadcast_to(as_array(where), x.shape), x.real.dtype if x.dtype.kind == "c" else x.dtype)
        return sum(ones, axis=axis, keepdims=keepdims)
    n = 1
    for a in normalized_axes(op, axis, x.ndim):
        n *= x.shape[a]
    return float(n)


def _into(op, result, out):
    return result if out is None else store(op, result, out)


def mean(x, /, axis=None, dtype=None, out=None, keepdims=False, where=None) -> Array:
    """Mean over ``axis``, of the elements where ``where`` holds; integers are converted to the default dtype.

    nan over an empty axis. Narrow floats are added and divided in float32.
    """
    return _into("mean", _mean(_typed(x, dtype), axis, keepdims, where), out)


@rounded_once
def _mean(x, axis, keepdims, where):
    return sum(x, axis=axis, keepdims=keepdims, where=where) / _count("mean", x, axis, where, keepdims)


def var(x, /, axis=None, dtype=None, out=None, ddof=0, keepdims=False, where=None, *, mean=None, correction=None) -> Array:
    """Variance over ``axis``, in two passes; ``correction`` (NumPy's ``ddof``) is taken off the number of elements.

    nan where nothing is left of that number. ``mean`` is the mean, with its axes kept, where it is known. Narrow floats are computed in float32.
    """
    return _into("var", _var(_typed(x, dtype), axis, ddof if correction is None else correction, keepdims, where, *_known(mean)), out)


def _known(mean):
    return () if mean is None else (as_array(mean),)


@fused
@rounded_once
def _var(x, axis, correction, keepdims, where, mean=None):
    centered = x - (_mean(x, axis, True, where) if mean is None else mean)
    square = centered * centered if x.dtype.kind == "f" else centered.real * centered.real + centered.imag * centered.imag
    total = sum(square, axis=axis, keepdims=keepdims, where=where)
    n = _count("var", square, axis, where, keepdims) - correction
    if isinstance(n, Array):
        return total / _core.where(n > 0, n, float("nan"))
    return total / n if n > 0 else total * float("nan")


def std(x, /, axis=None, dtype=None, out=None, ddof=0, keepdims=False, where=None, *, mean=None, correction=None) -> Array:
    """Standard deviation over ``axis``: the square root of ``var``."""
    return _into("std", _std(_typed(x, dtype), axis, ddof if correction is None else correction, keepdims, where, *_known(mean)), out)


@fused
@rounded_once
def _std(x, axis, correction, keepdims, where, mean=None):
    return rooted(_sqrt, _var(x, axis, correction, keepdims, where, mean))


@fused
def average(x, /, axis=None, weights=None, returned=False, *, keepdims=False):
    """Mean over ``axis``, of elements times their weights over the sum of the weights if those are given; with it if ``returned``.

    Weights have the shape of ``x``, or one axis, along the ``axis`` that then must be given. Raises ShapeError for others.
    """
    x = as_array(x)
    if weights is None:
        result = mean(x, axis=axis, keepdims=keepdims)
        scale = _core.full(result.shape, _count("average", x, axis, None), result.dtype)
        return (result, scale) if returned else result
    w = as_array(weights, x)
    if w.shape != x.shape:
        axes = normalized_axes("average", axis, x.ndim)
        if axis is None or w.shape != tuple(x.shape[a] for a in axes):
            raise make("ShapeError", f"average: weights: expected the shape {x.shape}, or the sizes of the axes that are given, got {w.shape}")
        order = sorted(range(len(axes)), key=lambda i: axes[i])
        w = _core.reshape(_core.permute_dims(w, order), tuple(n if i in axes else 1 for i, n in enumerate(x.shape)))
        w = _core.broadcast_to(w, x.shape)
    x, w = floating(x), floating(w)
    narrow = _core.promote(x.dtype, w.dtype)
    if narrow.itemsize == 2:
        x, w = _core.astype(x, "float32"), _core.astype(w, "float32")
    scale = sum(w, axis=axis, keepdims=keepdims)
    result = sum(x * w, axis=axis, keepdims=keepdims) / scale
    if narrow.itemsize == 2:
        result, scale = _core.astype(result, narrow), _core.astype(scale, narrow)
    return (result, scale) if returned else result


@rounded_once
def softmax(x, /, axis=-1) -> Array:
    """Exponentials over their sum along ``axis`` (one, several, or all if None), shifted by the largest element.

    Narrow floats are computed in float32. Empty axes give empty results.
    """
    if not x.size:
        return x + 0
    e = _exp(x - _core.stop_gradient(max(x, axis=axis, keepdims=True)))  # the shift changes nothing
    return e / sum(e, axis=axis, keepdims=True)


@fused
@rounded_once
def log_softmax(x, /, axis=-1) -> Array:
    """Logarithm of ``softmax`` along ``axis``, without its rounding to 0."""
    if not x.size:
        return x + 0
    shifted = x - _core.stop_gradient(max(x, axis=axis, keepdims=True))
    return shifted - _log(sum(_exp(shifted), axis=axis, keepdims=True))


@fused
@rounded_once
def logsumexp(x, /, axis=-1, keepdims=False, *, b=None) -> Array:
    """Logarithm of the sum of exponentials over ``axis`` (several, or all if None), of those times ``b``, shifted by the largest.

    -inf over an empty axis. ``b`` is real; a negative sum gives nan.
    """
    real = x.real if x.dtype.kind == "c" else x
    top = max(real, axis=axis, keepdims=True, initial=-_INF)
    shift = _core.stop_gradient(_core.where(ops["isfinite"](top), top, 0.0))
    terms = _exp(x - shift)
    total = _log(sum(terms if b is None else terms * b, axis=axis, keepdims=True)) + shift
    return total if keepdims else _core.reshape(total, merged("logsumexp", real, axis)[1])


@fused
@rounded_once
def logcumsumexp(x, /, axis=-1) -> Array:
    """Logarithms of the sums of exponentials of all elements up to each along an axis, by doubling steps of ``logaddexp``."""
    axis = normalized_axis("logcumsumexp", axis, x.ndim)
    key, step = (slice(None),) * axis, 1
    while step < x.shape[axis]:
        joined = ops["logaddexp"](x[(*key, slice(step, None))], x[(*key, slice(None, -step))])
        x = _core.concat((x[(*key, slice(None, step))], joined), axis)
        step *= 2
    return x + 0


@fused
def cov(x, y=None, /, rowvar=True, bias=False, ddof=None, fweights=None, aweights=None, *, dtype=None) -> Array:
    """Covariance matrix of variables in rows (columns if not ``rowvar``), those of ``y`` behind those of ``x``.

    ``ddof`` (1, or 0 with ``bias``) is taken off the number of observations; ``fweights`` count and ``aweights`` weigh them.
    Raises ShapeError for more than two axes, or for weights that are not one an observation.
    """
    x = _rows(_typed(x, dtype), rowvar)
    if y is not None:
        x = _core.concat((x, _rows(_typed(y, dtype), rowvar)), 0)
    ddof = (0 if bias else 1) if ddof is None else ddof
    w = None
    for given in (fweights, aweights):
        if given is not None:
            given = _core.astype(as_array(given), x.real.dtype if x.dtype.kind == "c" else x.dtype)
            if given.shape != x.shape[1:]:
                raise make("ShapeError", f"cov: weights: expected {x.shape[1]} of them, got {given.shape}")
            w = given if w is None else w * given
    total = float(x.shape[1]) if w is None else sum(w)
    centered = x - (mean(x, axis=1, keepdims=True) if w is None else sum(x * w, axis=1, keepdims=True) / total)
    if w is None or ddof == 0:
        scale = total - ddof
    else:
        scale = total - ddof if aweights is None else total - ddof * sum(w * _core.astype(as_array(aweights), w.dtype)) / total
    right = _core.permute_dims(ops["conj"](centered) if x.dtype.kind == "c" else centered, (1, 0))
    if not isinstance(scale, Array) and scale <= 0:
        scale = float("nan") if scale < 0 else 0.0
    result = _core.matmul(centered if w is None else centered * w, right) / scale
    return _core.reshape(result, ()) if result.size == 1 else result


def _rows(x, rowvar):
    if x.ndim > 2:
        raise make("ShapeError", f"cov: rank: expected at most 2, got {x.ndim}")
    if x.ndim < 2:
        return _core.reshape(x, (1, -1))
    return x if rowvar or x.shape[0] == 1 else _core.permute_dims(x, (1, 0))


def corrcoef(x, y=None, /, rowvar=True, *, dtype=None) -> Array:
    """Correlation coefficients: ``cov`` over the product of the standard deviations, parts kept in [-1, 1]."""
    c = cov(x, y, rowvar, dtype=dtype)
    if not c.ndim:
        return c / c
    real = c.real if c.dtype.kind == "c" else c
    size = _sqrt(_core.copy(real[tuple([_core.iota((c.shape[0],), "int64", 0, c.device)] * 2)]))
    result = c / _core.reshape(size, (-1, 1)) / size
    if c.dtype.kind == "c":
        return ops["complex"](_limited(result.real), _limited(result.imag))
    return _limited(result)


def _limited(x):
    return ops["minimum"](ops["maximum"](x, -1.0), 1.0)
