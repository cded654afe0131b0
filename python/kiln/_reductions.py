"""Results over axes, and along them."""
from . import _core
from ._arguments import as_array, as_tuple, normalized_axis, ops
from ._core import Array
from ._creation import full
from ._dtypes import BY_NAME
from ._errors import make

_bool, _int64, _uint64 = BY_NAME["bool"], BY_NAME["int64"], BY_NAME["uint64"]


def _wide(x, dtype):
    """Sums of small integers and bools are int64 (or uint64), as the array API says."""
    x = as_array(x)
    if dtype is not None:
        return _core.astype(x, dtype)
    if x.dtype.kind in "bi" and x.dtype is not _int64:
        return _core.astype(x, _int64)
    return _core.astype(x, _uint64) if x.dtype.kind == "u" and x.dtype is not _uint64 else x


def sum(x, /, *, axis=None, dtype=None, keepdims=False) -> Array:  # noqa: A001
    """Sum over ``axis`` (an axis, several, or all); integers and bools as int64."""
    return _core.reduce("sum", _wide(x, dtype), axis, keepdims)


def prod(x, /, *, axis=None, dtype=None, keepdims=False) -> Array:
    """Product over ``axis`` (an axis, several, or all); integers and bools as int64."""
    x = _wide(x, dtype)
    return _complex_prod(x, axis, keepdims) if x.dtype.kind == "c" else _core.reduce("prod", x, axis, keepdims)


def _complex_prod(x, axis, keepdims):
    """By halving: element i of a run meets element i + n/2."""
    axes = range(x.ndim) if axis is None else [normalized_axis("prod", a, x.ndim) for a in as_tuple(axis)]
    for a in axes:
        key = (slice(None),) * a
        if not x.shape[a]:
            x = full(x.shape[:a] + (1,) + x.shape[a + 1:], 1, dtype=x.dtype, device=x.device)
        while (n := x.shape[a]) > 1:
            half = (n + 1) // 2
            low, high = x[(*key, slice(0, n - half))], x[(*key, slice(half, n))]
            x = _core.concat((low * high, x[(*key, slice(n - half, half))]), a)
    return x if keepdims else _core.reshape(x, tuple(n for i, n in enumerate(x.shape) if i not in axes))


def max(x, /, *, axis=None, keepdims=False) -> Array:  # noqa: A001
    """Largest element over ``axis``; nan if any is nan. Raises ValueError for an empty axis."""
    return _core.reduce("max", x, axis, keepdims)


def min(x, /, *, axis=None, keepdims=False) -> Array:  # noqa: A001
    """Smallest element over ``axis``; nan if any is nan. Raises ValueError for an empty axis."""
    return _core.reduce("min", x, axis, keepdims)


amax, amin = max, min


def argmax(x, /, *, axis=None, keepdims=False) -> Array:
    """Position of the first largest element along ``axis``, or in the flattened array."""
    return _core.reduce("argmax", x, axis, keepdims)


def argmin(x, /, *, axis=None, keepdims=False) -> Array:
    """Position of the first smallest element along ``axis``, or in the flattened array."""
    return _core.reduce("argmin", x, axis, keepdims)


def any(x, /, *, axis=None, keepdims=False) -> Array:  # noqa: A001
    """Whether any element over ``axis`` is true (not 0)."""
    return _core.reduce("any", _core.astype(x, _bool), axis, keepdims)


def all(x, /, *, axis=None, keepdims=False) -> Array:  # noqa: A001
    """Whether all elements over ``axis`` are true (not 0)."""
    return _core.reduce("all", _core.astype(x, _bool), axis, keepdims)


def count_nonzero(x, /, *, axis=None, keepdims=False) -> Array:
    """Number of elements over ``axis`` that are not 0."""
    return _core.reduce("sum", _core.astype(_core.astype(x, _bool), _int64), axis, keepdims)


def _cumulative(op, x, axis, dtype, include_initial, initial):
    x = _wide(x, dtype)
    if axis is None:
        if x.ndim != 1:
            raise make("ValueError", f"{op}: axis: expected one for an array of {x.ndim} axes, got None")
        axis = 0
    axis = normalized_axis(op, axis, x.ndim)
    if x.dtype.kind == "c" and op == "cumulative_prod":
        result = _complex_scan(x, axis)
    else:
        result = _core.along_axis(op, x, axis, False)
    if not include_initial:
        return result
    first = full(x.shape[:axis] + (1,) + x.shape[axis + 1:], initial, dtype=x.dtype, device=x.device)
    return _core.concat((first, result), axis)


def _complex_scan(x, axis):
    """By doubling: after step k, each element is the product of up to 2**k that end in it."""
    key, step = (slice(None),) * axis, 1
    while step < x.shape[axis]:
        x = _core.concat((x[(*key, slice(None, step))], x[(*key, slice(step, None))] * x[(*key, slice(None, -step))]), axis)
        step *= 2
    return _core.copy(x)


def cumulative_sum(x, /, *, axis=None, dtype=None, include_initial=False) -> Array:
    """Sums of all elements up to each along an axis, which may be left out for a vector; behind a 0 if ``include_initial``.

    Raises ValueError without an axis for several.
    """
    return _cumulative("cumulative_sum", x, axis, dtype, include_initial, 0)


def cumulative_prod(x, /, *, axis=None, dtype=None, include_initial=False) -> Array:
    """Products of all elements up to each along an axis, as ``cumulative_sum``."""
    return _cumulative("cumulative_prod", x, axis, dtype, include_initial, 1)


def cumulative_max(x, /, *, axis=0) -> Array:
    """Largest of all elements up to each along an axis."""
    return _core.along_axis("cumulative_max", x, axis, False)


def cumulative_min(x, /, *, axis=0) -> Array:
    """Smallest of all elements up to each along an axis."""
    return _core.along_axis("cumulative_min", x, axis, False)


def cumsum(x, /, axis=None, dtype=None) -> Array:
    """Sums of all elements up to each along ``axis``, of the flattened array where it is None."""
    x = as_array(x)
    return cumulative_sum(_core.reshape(x, (-1,)), dtype=dtype) if axis is None else cumulative_sum(x, axis=axis, dtype=dtype)


def cumprod(x, /, axis=None, dtype=None) -> Array:
    """Products of all elements up to each along ``axis``, of the flattened array where it is None."""
    x = as_array(x)
    return cumulative_prod(_core.reshape(x, (-1,)), dtype=dtype) if axis is None else cumulative_prod(x, axis=axis, dtype=dtype)


def diff(x, /, *, axis=-1, n=1, prepend=None, append=None) -> Array:
    """Differences of neighbours along an axis, ``n`` times."""
    x = as_array(x)
    axis = normalized_axis("diff", axis, x.ndim)
    ends = [p for p in (prepend, x, append) if p is not None]
    if len(ends) > 1:
        unit = x.shape[:axis] + (1,) + x.shape[axis + 1:]
        x = _core.concat(tuple(p if p is x else full(unit, p, device=x.device) if as_array(p).ndim == 0 else as_array(p) for p in ends), axis)
    key = (slice(None),) * axis
    op = "not_equal" if x.dtype.kind == "b" else "subtract"
    for _ in range(n):
        x = ops[op](x[(*key, slice(1, None))], x[(*key, slice(None, -1))])
    return x


def clip(x, /, min=None, max=None) -> Array:  # noqa: A002
    """Elements of ``x`` brought into [``min``, ``max``]; a bound of None is left out. The dtype of ``x`` stays."""
    x = as_array(x)
    result = x
    for bound, op in ((min, "maximum"), (max, "minimum")):
        if bound is not None:
            result = ops[op](result, bound)
    return _core.copy(x) if result is x else result if result.dtype is x.dtype else _core.astype(result, x.dtype)


def allclose(x, y, /, rtol=1e-5, atol=1e-8, equal_nan=False) -> bool:
    """Whether all elements are as close as NumPy's ``allclose`` asks; a Python bool."""
    return bool(all(isclose(x, y, rtol, atol, equal_nan)))


def isclose(x, y, /, rtol=1e-5, atol=1e-8, equal_nan=False) -> Array:
    """Where two elements differ by at most ``atol + rtol * |y|``, or are equal; nans are if ``equal_nan``."""
    x, y = as_array(x), as_array(y)
    near = ops["less_equal"](ops["abs"](x - y), atol + rtol * ops["abs"](y))
    result = ops["bitwise_or"](ops["bitwise_and"](near, ops["isfinite"](y)), ops["equal"](x, y))
    return ops["bitwise_or"](result, ops["bitwise_and"](ops["isnan"](x), ops["isnan"](y))) if equal_nan else result


def array_equal(x, y, /) -> bool:
    """Whether shapes and all elements are equal; a Python bool."""
    x, y = as_array(x), as_array(y)
    return x.shape == y.shape and bool(all(ops["equal"](x, y)))

