"""Results over axes, and along them."""
import builtins

from . import _core
from ._arguments import as_array, as_tuple, cast, integer, merged, normalized_axis, operation, ops, store
from ._core import Array
from ._creation import full
from ._dtypes import BY_NAME, iinfo
from ._errors import make
from ._fused import fused

_bool, _int64, _uint64, _uint8 = (BY_NAME[name] for name in ("bool", "int64", "uint64", "uint8"))


def _wide(x, dtype):
    """Sums of small integers and bools are int64 (or uint64), as the array API says."""
    x = as_array(x)
    if dtype is not None:
        return _core.astype(x, dtype)
    if x.dtype.kind in "bi" and x.dtype is not _int64:
        return _core.astype(x, _int64)
    return _core.astype(x, _uint64) if x.dtype.kind == "u" and x.dtype is not _uint64 else x


_COMBINE = {"sum": "add", "prod": "multiply", "max": "maximum", "min": "minimum"}
_IDENTITY = {"sum": 0, "prod": 1, "any": False, "all": True}


def _reduced(op, x, axis, out, keepdims, initial=None, where=None):
    """A reduction in NumPy's form: of the elements where ``where`` holds, and of ``initial``, written into ``out``."""
    if initial is None and out is None and (where is None or where is True):
        return _complex_prod(x, axis, keepdims) if op == "prod" and x.dtype.kind == "c" else _core.reduce(op, x, axis, keepdims)
    if where is not None and where is not True:
        other = _IDENTITY.get(op, initial)
        if other is None:
            raise make("ValueError", f"{op}: where: expected an initial value besides, as a mask may leave no element")
        x = _core.where(where, x, _core.full((), other, x.dtype, x.device))
    if initial is None:
        return _into(op, _reduced(op, x, axis, None, keepdims), out)
    if op in ("max", "min"):  # which have no value over an empty axis
        rest, shape, kept = merged(op, x, axis)
        x = _core.concat((rest, _core.full((*shape, 1), initial, x.dtype, x.device)), -1)
        return _into(op, _core.reshape(_core.reduce(op, x, -1, False), kept if keepdims else shape), out)
    return _into(op, ops[_COMBINE[op]](_reduced(op, x, axis, None, keepdims), initial), out)


def _into(op, result, out):
    return result if out is None else store(op, result, out)


def sum(x, /, axis=None, dtype=None, out=None, keepdims=False, initial=None, where=None) -> Array:  # noqa: A001
    """Sum over ``axis`` (an axis, several, or all); integers and bools as int64, unsigned ones as uint64, unless ``dtype`` is given.

    ``initial`` is added, elements where ``where`` is false are left out, and the result is written into ``out`` if that is given.
    """
    if dtype is out is initial is where is None:
        x = as_array(x)
        if x.dtype is _bool and axis is None and not keepdims:
            return _core.count_true(x)
        if x.dtype.kind in "buc" or (x.dtype.kind == "i" and x.dtype is not _int64):
            return _sum_at_once(x, axis, keepdims)
    return _reduced("sum", _wide(x, dtype), axis, out, keepdims, initial, where)


@fused
def _sum_at_once(x, axis, keepdims):
    """Of what eager code would convert, or take apart, in a pass of its own."""
    return _core.reduce("sum", _wide(x, None), axis, keepdims)


def prod(x, /, axis=None, dtype=None, out=None, keepdims=False, initial=None, where=None) -> Array:
    """Product over ``axis``, as ``sum``."""
    return _reduced("prod", _wide(x, dtype), axis, out, keepdims, initial, where)


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


def _extreme(op, x, axis, out, keepdims, initial, where):
    x = as_array(x)
    if x.dtype is _bool:
        result = _reduced(op, _core.astype(x, _uint8), axis, None, keepdims, initial, where)
        return _into(op, _core.astype(result, _bool), out)
    return _reduced(op, x, axis, out, keepdims, initial, where)


def max(x, /, axis=None, out=None, keepdims=False, initial=None, where=None) -> Array:  # noqa: A001
    """Largest element over ``axis``, and of ``initial``; nan if any is nan. Elements where ``where`` is false are left out.

    Raises ValueError for an empty axis, or a mask, without ``initial``.
    """
    return _extreme("max", x, axis, out, keepdims, initial, where)


def min(x, /, axis=None, out=None, keepdims=False, initial=None, where=None) -> Array:  # noqa: A001
    """Smallest element over ``axis``, as ``max``."""
    return _extreme("min", x, axis, out, keepdims, initial, where)


amax, amin = max, min


@fused
def ptp(x, /, axis=None, out=None, keepdims=False) -> Array:
    """Largest less smallest element over ``axis``. Raises ValueError for an empty axis."""
    return _into("ptp", ops["subtract"](max(x, axis, None, keepdims), min(x, axis, None, keepdims)), out)


def _position(op, x, axis, out, keepdims):
    x = as_array(x)
    if axis is not None and not isinstance(axis, int):
        axis = integer(op, "axis", axis)
    x = _core.astype(x, _uint8) if x.dtype is _bool else x
    return _into(op, _core.reduce(op, x, axis, keepdims), out)


def argmax(x, /, axis=None, out=None, keepdims=False) -> Array:
    """Position of the first largest element along ``axis``, or in the flattened array; of the first nan if there is one.

    Raises ValueError for an empty axis, DTypeError for several axes.
    """
    return _position("argmax", x, axis, out, keepdims)


def argmin(x, /, axis=None, out=None, keepdims=False) -> Array:
    """Position of the first smallest element along ``axis``, as ``argmax``."""
    return _position("argmin", x, axis, out, keepdims)


def any(x, /, axis=None, out=None, keepdims=False, where=None) -> Array:  # noqa: A001
    """Whether any element over ``axis`` is true (not 0), of those where ``where`` holds."""
    return _reduced("any", cast(as_array(x), _bool), axis, out, keepdims, None, where)


def all(x, /, axis=None, out=None, keepdims=False, where=None) -> Array:  # noqa: A001
    """Whether all elements over ``axis`` are true (not 0), of those where ``where`` holds."""
    return _reduced("all", cast(as_array(x), _bool), axis, out, keepdims, None, where)


def count_nonzero(x, /, axis=None, keepdims=False) -> Array:
    """Number of elements over ``axis`` that are not 0."""
    mask = cast(as_array(x), _bool)
    if axis is None and not keepdims:
        return _core.count_true(mask)
    return _sum_at_once(mask, axis, keepdims)


def _cumulative(op, x, axis, dtype, include_initial, initial):
    x = _wide(x, dtype)
    if axis is None:
        if x.ndim != 1:
            raise make("ValueError", f"{op}: axis: expected one for an array of {x.ndim} axes, got None")
        axis = 0
    axis = normalized_axis(op, axis, x.ndim)
    if x.dtype.kind == "c" and op == "cumulative_prod":
        result = _complex_scan(x, axis)
    elif op == "cumulative_sum" and x.shape[axis] >= 16 * _BLOCK and x.dtype.kind in "fc":
        result = _blocked_sums(x, axis)
    else:
        result = _core.along_axis(op, x, axis, False)
    if not include_initial:
        return result
    first = full(x.shape[:axis] + (1,) + x.shape[axis + 1:], initial, dtype=x.dtype, device=x.device)
    return _core.concat((first, result), axis)


_BLOCK = 1024


def _blocked_sums(x, axis):
    """Within blocks in order, then the sums of the blocks before each, found likewise: errors grow as the root of what they would."""
    n = x.shape[axis]
    count = n // _BLOCK
    key, whole = (slice(None),) * axis, count * _BLOCK
    blocks = _core.reshape(x[(*key, slice(0, whole))], (*x.shape[:axis], count, _BLOCK, *x.shape[axis + 1:]))
    inner = _core.along_axis("cumulative_sum", blocks, axis + 1, False)
    totals = inner[(*key, slice(None), _BLOCK - 1)]
    before = _blocked_sums(totals, axis) if count >= 2 * _BLOCK else _core.along_axis("cumulative_sum", totals, axis, False)
    nothing = _core.full((*x.shape[:axis], 1, *x.shape[axis + 1:]), -0.0, x.dtype, x.device)
    shifts = _core.concat((nothing, before[(*key, slice(0, count - 1))]), axis)
    shifts = _core.reshape(shifts, (*x.shape[:axis], count, 1, *x.shape[axis + 1:]))
    result = _core.reshape(inner + shifts, (*x.shape[:axis], whole, *x.shape[axis + 1:]))
    if whole == n:
        return result
    rest = _core.along_axis("cumulative_sum", x[(*key, slice(whole, n))], axis, False)
    return _core.concat((result, rest + before[(*key, slice(count - 1, count))]), axis)


def _complex_scan(x, axis):
    """By doubling: after step k, each element is the product of up to 2**k that end in it."""
    key, step = (slice(None),) * axis, 1
    while step < x.shape[axis]:
        x = _core.concat((x[(*key, slice(None, step))], x[(*key, slice(step, None))] * x[(*key, slice(None, -step))]), axis)
        step *= 2
    return _core.copy(x)


def cumulative_sum(x, /, axis=None, dtype=None, include_initial=False) -> Array:
    """Sums of all elements up to each along an axis, which may be left out for a vector; behind a 0 if ``include_initial``.

    Raises ValueError without an axis for several.
    """
    return _cumulative("cumulative_sum", x, axis, dtype, include_initial, 0)


def rooted(root, total):
    """``root`` of a sum; its derivative is 0 where the sum is."""
    if _core.innermost() is None:
        return root(total)
    is_zero = ops["equal"](total, 0)
    return _core.where(is_zero, 0, root(_core.where(is_zero, 1, total)))


def cumulative_prod(x, /, axis=None, dtype=None, include_initial=False) -> Array:
    """Products of all elements up to each along an axis, as ``cumulative_sum``."""
    return _cumulative("cumulative_prod", x, axis, dtype, include_initial, 1)


def cumulative_max(x, /, axis=0) -> Array:
    """Largest of all elements up to each along an axis; nan from the first nan on."""
    return _core.along_axis("cumulative_max", as_array(x), axis, False)


def cumulative_min(x, /, axis=0) -> Array:
    """Smallest of all elements up to each along an axis; nan from the first nan on."""
    return _core.along_axis("cumulative_min", as_array(x), axis, False)


def _flat(function, x, axis, dtype, out):
    x = as_array(x)
    x, axis = (_core.reshape(x, (-1,)), 0) if axis is None else (x, axis)
    return _into(function.__name__, function(x, axis=axis, dtype=dtype), out)


def cumsum(x, /, axis=None, dtype=None, out=None) -> Array:
    """Sums of all elements up to each along ``axis``, of the flattened array where it is None."""
    return _flat(cumulative_sum, x, axis, dtype, out)


def cumprod(x, /, axis=None, dtype=None, out=None) -> Array:
    """Products of all elements up to each along ``axis``, of the flattened array where it is None."""
    return _flat(cumulative_prod, x, axis, dtype, out)


def diff(x, /, n=1, axis=-1, prepend=None, append=None) -> Array:
    """Differences of neighbours along an axis, ``n`` times, of ``prepend``, ``x`` and ``append`` joined.

    Raises ValueError for a negative ``n``.
    """
    x = as_array(x)
    axis = normalized_axis("diff", axis, x.ndim)
    if n < 0:
        raise make("ValueError", f"diff: n: expected at least 0, got {n}")
    ends = [p for p in (prepend, x, append) if p is not None]
    if len(ends) > 1:
        unit = x.shape[:axis] + (1,) + x.shape[axis + 1:]
        x = _core.concat(tuple(p if p is x else full(unit, p, device=x.device) if as_array(p).ndim == 0 else as_array(p) for p in ends), axis)
    key = (slice(None),) * axis
    op = "not_equal" if x.dtype.kind == "b" else "subtract"
    for _ in range(builtins.min(n, x.shape[axis])):
        x = ops[op](x[(*key, slice(1, None))], x[(*key, slice(None, -1))])
    return x


@fused
@operation
def clip(x, /, min=None, max=None, out=None, *, a_min=None, a_max=None) -> Array:  # noqa: A002
    """Elements of ``x`` brought into [``min``, ``max``] (``a_min`` and ``a_max`` as well); a bound of None is left out.

    The dtype of ``x`` stays, unless it is an integer one and a bound is not. Python integers outside of it are its ends.
    """
    x = as_array(x)
    result = x
    for bound, op in ((a_min if min is None else min, "maximum"), (a_max if max is None else max, "minimum")):
        if bound is not None:
            result = ops[op](result, _bound(bound, x.dtype) if isinstance(bound, (int, float)) else as_array(bound))
    keeps = result.dtype.kind not in "fc" or x.dtype.kind in "fc"
    return _into("clip", _core.copy(x) if result is x else cast(result, x.dtype) if keeps else result, out)


def _bound(bound, dtype):
    if not isinstance(bound, int) or dtype.kind not in "iu":
        return bound
    ends = iinfo(dtype)
    return bound if ends.min <= bound <= ends.max else ends.min if bound < ends.min else ends.max


def allclose(x, y, /, rtol=1e-5, atol=1e-8, equal_nan=False) -> bool:
    """Whether all elements are as close as NumPy's ``allclose`` asks; a Python bool."""
    return bool(all(isclose(x, y, rtol, atol, equal_nan)))


def _measured(x):
    """What a distance is taken in: integers and bools in float64, where nothing wraps, narrow floats in float32."""
    x = as_array(x)
    return _core.astype(x, "float64" if x.dtype.kind in "biu" else "float32") if x.dtype.kind in "biu" or x.dtype.itemsize < 4 else x


@fused
def isclose(x, y, /, rtol=1e-5, atol=1e-8, equal_nan=False) -> Array:
    """Where two elements differ by at most ``atol + rtol * |y|``, or are equal; nans are if ``equal_nan``."""
    x, y = _measured(x), _measured(y)
    near = ops["less_equal"](ops["abs"](x - y), atol + rtol * ops["abs"](y))
    result = ops["bitwise_or"](ops["bitwise_and"](near, ops["isfinite"](y)), ops["equal"](x, y))
    return ops["bitwise_or"](result, ops["bitwise_and"](ops["isnan"](x), ops["isnan"](y))) if equal_nan else result


def array_equal(x, y, /, equal_nan=False) -> bool:
    """Whether shapes and all elements are equal, nans as well if ``equal_nan``; a Python bool."""
    x, y = as_array(x), as_array(y)
    if x.shape != y.shape:
        return False
    same = ops["equal"](x, y)
    if equal_nan:
        same = ops["bitwise_or"](same, ops["bitwise_and"](ops["isnan"](x), ops["isnan"](y)))
    return bool(all(same))
