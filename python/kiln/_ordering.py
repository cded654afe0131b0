"""Elements in order, and places in an order."""
from . import _core
from ._arguments import as_array, cast, choice, first_array, integer, normalized_axis, ops
from ._core import Array
from ._creation import zeros
from ._dtypes import BY_NAME
from ._errors import make
from ._fused import looped
from ._selection import take_along_axis

_bool, _int64, _uint8, _float32 = (BY_NAME[n] for n in ("bool", "int64", "uint8", "float32"))


def _along(op, x, axis):
    x = as_array(x)
    if axis == -1 and x.ndim:
        return x, x.ndim - 1
    if axis is None:
        return _core.reshape(x, (-1,)), 0
    return x, normalized_axis(op, axis, x.ndim)


def sort(x, /, axis=-1, kind=None, order=None, *, descending=False, stable=True) -> Array:
    """Elements in order along an axis (flattened if None), nan last; complex numbers by their real parts, then the imaginary ones.

    Always stable: ``kind`` and ``stable`` are there for the sake of other libraries.
    """
    x, axis = _along("sort", x, axis)
    if x.dtype.kind == "c":
        return take_along_axis(x, argsort(x, axis, descending=descending), axis)
    return _ordered("sort", x, axis, descending)


def argsort(x, /, axis=-1, kind=None, order=None, *, descending=False, stable=True) -> Array:
    """Positions that ``sort`` along an axis (flattened if None), equal elements in their order, nan last."""
    x, axis = _along("argsort", x, axis)
    if x.dtype.kind != "c":
        return _ordered("argsort", x, axis, descending)
    isnan = ops["isnan"](x)
    re, im = (_core.where(isnan, float("nan"), part) for part in (x.real, x.imag))
    order = _ordered("argsort", im, axis, descending)
    return take_along_axis(order, _ordered("argsort", take_along_axis(re, order, axis), axis, descending), axis)


def _ordered(op, x, axis, descending):
    descending = bool(descending)
    if x.dtype.kind == "b":
        result = _core.along_axis(op, _core.astype(x, _uint8), axis, descending)
        return result if op == "argsort" else _core.astype(result, _bool)
    return _core.along_axis(op, x, axis, descending)


def partition(x, /, kth, axis=-1, kind="introselect") -> Array:
    """``x`` with the element ``kth`` of the sorted axis in its place: smaller ones before, then those that equal it, and larger ones behind, all in their order.

    For several places, and of complex numbers, all are sorted; ``kind`` is there for the sake of other libraries. Raises IndexError for a place outside.
    """
    x, axis = _along("partition", x, axis)
    place = _place("partition", kth, x.shape[axis], x.dtype)
    if place is None:
        return sort(x, axis)
    if x.dtype.kind == "b":
        return _core.astype(_parted(_core.astype(x, _uint8), axis, place, False), _bool)
    return _parted(x, axis, place, False)


def argpartition(x, /, kth, axis=-1, kind="introselect") -> Array:
    """Positions of the elements of ``partition``."""
    x, axis = _along("argpartition", x, axis)
    place = _place("argpartition", kth, x.shape[axis], x.dtype)
    if place is None:
        return argsort(x, axis)
    return _parted(_core.astype(x, _uint8) if x.dtype.kind == "b" else x, axis, place, True)


def _place(op, kth, n, dtype):
    """The one place of an axis that elements are parted at; none where they are sorted."""
    places = kth if isinstance(kth, (tuple, list)) else (kth,)
    for k in places:
        if not -n <= integer(op, "kth", k) < n:
            raise make("IndexError", f"{op}: kth: expected a place in [{-n}, {n}), got {k}")
    return places[0] % n if len(places) == 1 and dtype.kind != "c" else None


def _parted(x, axis, place, positions):
    result = _core.partition(x, axis, place, positions)
    if result is not None:
        return result
    middle = _ordered("sort", x, axis, False)[(slice(None),) * axis + (slice(place, place + 1),)]
    none, last = ops["isnan"](x), ops["isnan"](middle)
    behind = ops["bitwise_or"](ops["greater"](x, middle), ops["bitwise_and"](none, ops["bitwise_invert"](last)))
    same = ops["bitwise_or"](ops["equal"](x, middle), ops["bitwise_and"](none, last))
    order = _ordered("argsort", _core.where(behind, _core.full((), 2, _uint8), _core.where(same, _core.full((), 1, _uint8), _core.full((), 0, _uint8))), axis, False)
    return order if positions else take_along_axis(x, order, axis)


def lexsort(keys, /, axis=-1) -> Array:
    """Positions that sort by the last of ``keys``, equal ones by the key before it, and so on.

    Raises ValueError without a key, ShapeError where shapes differ.
    """
    keys = [as_array(k) for k in keys]
    if not keys:
        raise make("ValueError", "lexsort: keys: expected at least one, got none")
    if any(k.shape != keys[0].shape for k in keys):
        raise make("ShapeError", f"lexsort: shapes: expected equal ones, got {', '.join(str(k.shape) for k in keys)}")
    if not keys[0].ndim:
        return zeros((), dtype=_int64)
    axis = normalized_axis("lexsort", axis, keys[0].ndim)
    few = _core.lexsort(keys)
    if few is not None:
        return few
    order = argsort(keys[0], axis)
    if order.ndim == 1:
        for key in keys[1:]:
            order = _core.take(order, argsort(_core.take(key, order, 0)), 0)
        return order
    for key in keys[1:]:
        order = take_along_axis(order, argsort(take_along_axis(key, order, axis), axis), axis)
    return order


def top_k(x, k, /, axis=-1, *, largest=True) -> tuple[Array, Array]:
    """The ``k`` largest elements along an axis in descending order (or the smallest, ascending), and their positions.

    nan counts as larger than all. Raises ValueError where there are not so many.
    """
    x, axis = _along("top_k", x, axis)
    if not 0 <= integer("top_k", "k", k) <= x.shape[axis]:
        raise make("ValueError", f"top_k: k: expected one in [0, {x.shape[axis]}], got {k}")
    rank = _core.where(ops["isnan"](x), float("inf"), x) if largest and x.dtype.kind == "f" else x
    order = _ordered("argsort", rank, axis, largest)[(slice(None),) * axis + (slice(0, k),)]
    return take_along_axis(x, order, axis), order


def searchsorted(sorted, /, v, side="left", sorter=None) -> Array:  # noqa: A002
    """Where ``v`` would be inserted into a sorted vector to keep its order, before equal elements or ("right") behind.

    nan lies behind all numbers. Raises ShapeError unless ``sorted`` is a vector, ValueError for another ``side``.
    """
    line, values = sorted if type(sorted) is Array else as_array(sorted, first_array(v)), v
    if type(values) is not Array:
        isint = type(values) is int and line.dtype.kind in "iu" and _fits(values, line.dtype)
        values = _core.full((), values, line.dtype, line.device) if isint else as_array(values, line)
    if line.ndim != 1:
        raise make("ShapeError", f"searchsorted: rank of the sorted array: expected 1, got {line.ndim}")
    choice("searchsorted", "side", side, ("left", "right"))
    if sorter is not None:
        line = _core.take(line, as_array(sorter, line), 0)
    common = searched(line.dtype if line.dtype is values.dtype else _core.promote(line.dtype, values.dtype))
    return _core.library("searchsorted", (cast(line, common), cast(values, common)), int(side == "right"))


def searched(dtype):
    """The dtype that elements of ``dtype`` are compared in by searches."""
    return _uint8 if dtype.kind == "b" else _float32 if dtype.kind == "f" and dtype.itemsize < 4 else dtype


def _fits(value, dtype):
    bits = 8 * dtype.itemsize - (dtype.kind == "i")
    return (-(1 << bits) if dtype.kind == "i" else 0) <= value < 1 << bits


@looped
def digitize(x, bins, right=False) -> Array:
    """The interval of monotonic ``bins`` that each element lies in: ``bins[i - 1] <= x < bins[i]``, or with ``right`` ``bins[i - 1] < x <= bins[i]``.

    Raises ShapeError unless ``bins`` is a vector. Descending bins are read from the end.
    """
    x, bins = as_array(x), as_array(bins)
    if bins.ndim != 1:
        raise make("ShapeError", f"digitize: rank of the bins: expected 1, got {bins.ndim}")
    if bins.size < 2:
        return searchsorted(bins, x, "left" if right else "right")
    descend = bins[:1] > bins[-1:]
    at = searchsorted(_core.where(descend, bins[::-1], bins), x, "left" if right else "right")
    return _core.where(_core.reshape(descend, ()), bins.size - at, at)
