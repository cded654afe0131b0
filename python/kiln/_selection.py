"""Elements chosen by position, by value and by order."""
import typing

from . import _core
from ._arguments import as_array, normalized_axis, ops
from ._core import Array
from ._creation import arange, zeros
from ._dtypes import BY_NAME
from ._errors import make

_bool, _int64 = BY_NAME["bool"], BY_NAME["int64"]


@typing.overload
def where(condition, /) -> tuple[Array, ...]: ...


@typing.overload
def where(condition, x, y, /) -> Array: ...


def where(condition, x=None, y=None, /):
    """Elements of ``x`` where ``condition`` holds, of ``y`` elsewhere; all three broadcast. Alone: ``nonzero``."""
    return nonzero(condition) if x is None else _core.where(condition, x, y)


def take(x, indices, /, *, axis=None) -> Array:
    """Elements of ``x`` at ``indices`` along ``axis`` (of the flattened array if None).

    Negative indices count from the end. Raises IndexError for a position outside.
    """
    if axis is None:
        x, axis = _core.reshape(x, (-1,)), 0
    return _core.take(x, indices, axis)


def _along(x, indices, axis):
    """The positions of ``take_along_axis`` in all axes."""
    grid = []
    for i, n in enumerate(indices.shape):
        if i == axis:
            grid.append(indices)
        else:
            grid.append(_core.reshape(arange(x.shape[i] if n == 1 and x.shape[i] > 1 else n), tuple(-1 if j == i else 1 for j in range(x.ndim))))
    return tuple(grid)


def take_along_axis(x, indices, /, *, axis=-1) -> Array:
    """Elements of ``x`` at ``indices`` along an axis, each at its own position in the others.

    Raises ShapeError unless ranks are equal, IndexError for a position outside.
    """
    x, indices = as_array(x), as_array(indices)
    axis = normalized_axis("take_along_axis", axis, x.ndim)
    if indices.ndim != x.ndim:
        raise make("ShapeError", f"take_along_axis: rank of the indices: expected {x.ndim}, got {indices.ndim}")
    return x[_along(x, indices, axis)]


def put_along_axis(x, indices, values, /, *, axis=-1) -> None:
    """Writes ``values`` where ``take_along_axis`` would read."""
    indices = as_array(indices)
    x[_along(x, indices, normalized_axis("put_along_axis", axis, x.ndim))] = values


def nonzero(x, /) -> tuple[Array, ...]:
    """Positions of the elements that are not 0: one array an axis. Raises ValueError for an array without axes."""
    x = as_array(x)
    if x.ndim == 0:
        raise make("ValueError", "nonzero: rank: expected at least 1, got 0")
    flat = _core.nonzero(_core.reshape(_core.astype(x, _bool), (-1,)))
    return unravel_index(flat, x.shape)


def flatnonzero(x, /) -> Array:
    """Positions of the elements that are not 0 in the flattened array."""
    return _core.nonzero(_core.reshape(_core.astype(x, _bool), (-1,)))


def argwhere(x, /) -> Array:
    """Positions of the elements that are not 0, one row each."""
    from ._shaping import stack
    return stack(nonzero(x), axis=-1)


def unravel_index(indices, shape, /) -> tuple[Array, ...]:
    """Positions in the flattened array as one array an axis."""
    result, step = [], 1
    for n in reversed(shape):
        position = ops["floor_divide"](indices, step) if step > 1 else indices
        result.append(ops["remainder"](position, n) if len(result) + 1 < len(shape) else position)
        step *= n if n else 1
    return tuple(reversed(result))


def ravel_multi_index(indices, shape, /) -> Array:
    """Positions in the flattened array from one array an axis; negative ones count from the end, the least int64 where one is outside."""
    return _core.ravel_indices(tuple(indices), shape)


def dynamic_slice(x, starts, sizes, /) -> Array:
    """``sizes`` elements of each axis from the integers ``starts`` on, which are moved so that all lie inside."""
    return _core.dynamic_slice(x, _core.asarray(starts, _int64, None), sizes)


def dynamic_update(x, value, starts, /) -> Array:
    """``x`` with ``value`` from the integers ``starts`` on, which are moved so that all of it lies inside."""
    return _core.dynamic_update(x, value, _core.asarray(starts, _int64, None))


def sort(x, /, *, axis=-1, descending=False, stable=True) -> Array:
    """Elements in order along an axis, nan last."""
    return _ordered("sort", x, axis, descending)


def argsort(x, /, *, axis=-1, descending=False, stable=True) -> Array:
    """Positions that sort along an axis, equal elements in their order, nan last."""
    return _ordered("argsort", x, axis, descending)


def _ordered(op, x, axis, descending):
    x = as_array(x)
    if x.dtype.kind == "b":
        result = _core.along_axis(op, _core.astype(x, BY_NAME["uint8"]), axis, descending)
        return result if op == "argsort" else _core.astype(result, _bool)
    return _core.along_axis(op, x, axis, descending)


def searchsorted(sorted, values, /, *, side="left", sorter=None) -> Array:  # noqa: A002
    """Where ``values`` would be inserted into a sorted vector to keep its order, before equal elements or ("right") behind.

    Raises ShapeError unless ``sorted`` is a vector, ValueError for another ``side``.
    """
    line, values = as_array(sorted), as_array(values)
    if line.ndim != 1:
        raise make("ShapeError", f"searchsorted: rank of the sorted array: expected 1, got {line.ndim}")
    if side not in ("left", "right"):
        raise make("ValueError", f"searchsorted: side: expected 'left' or 'right', got {side!r}")
    if sorter is not None:
        line = _core.take(line, sorter, 0)
    n = line.size
    position = zeros(values.shape, dtype=_int64)
    if not n:
        return position
    before = ops["less" if side == "left" else "less_equal"]
    step = 1 << (n.bit_length() - 1)
    while step:  # the longest prefix of elements before the value, bit by bit
        last = position + (step - 1)
        element = _core.take(line, ops["minimum"](last, n - 1), 0)
        position = _core.where(ops["bitwise_and"](last < n, before(element, values)), position + step, position)
        step >>= 1
    return position


class UniqueAll(typing.NamedTuple):
    """What ``unique_all`` gives."""

    values: Array
    indices: Array
    inverse_indices: Array
    counts: Array


class UniqueCounts(typing.NamedTuple):
    """What ``unique_counts`` gives."""

    values: Array
    counts: Array


class UniqueInverse(typing.NamedTuple):
    """What ``unique_inverse`` gives."""

    values: Array
    inverse_indices: Array




def unique_all(x, /) -> UniqueAll:
    """The different elements in order, where each is first, which of them each element is, and how often each occurs."""
    x = as_array(x)
    flat = _core.reshape(x, (-1,))
    n = flat.size
    if not n:
        none = zeros((0,), dtype=_int64)
        return UniqueAll(flat, none, zeros(x.shape, dtype=_int64), none)
    if flat.dtype.kind == "c":
        order = argsort(flat.imag)
        order = _core.take(order, argsort(_core.take(flat.real, order, 0)), 0)
    else:
        order = argsort(flat)
    line = _core.take(flat, order, 0)
    isnew = _core.concat((_core.asarray([True], None, None), ops["not_equal"](line[1:], line[:-1])), 0)
    starts = _core.nonzero(isnew)
    group = _core.along_axis("cumulative_sum", _core.astype(isnew, _int64), 0, False) - 1
    inverse = zeros((n,), dtype=_int64)
    inverse[order] = group
    ends = _core.concat((starts[1:], _core.asarray([n], None, None)), 0)
    return UniqueAll(_core.take(line, starts, 0), _core.take(order, starts, 0), _core.reshape(inverse, x.shape), ends - starts)


def unique_values(x, /) -> Array:
    """The different elements of ``x`` in order; every nan is one."""
    return unique_all(x).values


def unique_counts(x, /) -> UniqueCounts:
    """The different elements in order, and how often each occurs."""
    found = unique_all(x)
    return UniqueCounts(found.values, found.counts)


def unique_inverse(x, /) -> UniqueInverse:
    """The different elements in order, and which of them each element of ``x`` is."""
    found = unique_all(x)
    return UniqueInverse(found.values, found.inverse_indices)


def isin(x, values, /, *, invert=False) -> Array:
    """Where an element of ``x`` is one of ``values``."""
    x, values = as_array(x), _core.reshape(as_array(values), (-1,))
    if not values.size:
        return _core.full(x.shape, invert, _bool)
    if x.dtype.kind == "c" or values.dtype.kind == "c":
        hit = _core.reduce("any", ops["equal"](_core.reshape(x, (*x.shape, 1)), values), -1, False)
    else:
        common = _core.promote(x.dtype, values.dtype)
        x, line = _core.astype(x, common), sort(_core.astype(values, common))
        position = ops["minimum"](searchsorted(line, x), line.size - 1)
        hit = ops["equal"](_core.take(line, position, 0), x)
    return ops["logical_not"](hit) if invert else hit


class At:
    """``x.at[key].set(value)`` and so on: a changed copy of ``x``; with duplicate positions every update counts."""

    __slots__ = ("_array", "_key")
    __iter__ = None  # `x.at[0]`, `x.at[1]`, ... would never end

    def __init__(self, array, key=None):
        self._array, self._key = array, key

    def __getitem__(self, key) -> "At":
        return At(self._array, key)

    def _changed(self, value, op):
        result = _core.copy(self._array)
        _core.update_at(result, self._key, value, op)
        return result

    def set(self, value) -> Array:
        """``value`` at the key."""
        return self._changed(value, "scatter")

    def add(self, value) -> Array:
        """``value`` added at the key."""
        return self._changed(value, "scatter_add")

    def multiply(self, value) -> Array:
        """Multiplied by ``value`` at the key."""
        return self._changed(value, "scatter_multiply")

    def min(self, value) -> Array:
        """The smaller of the elements at the key and ``value``."""
        return self._changed(value, "scatter_min")

    def max(self, value) -> Array:
        """The larger of the elements at the key and ``value``."""
        return self._changed(value, "scatter_max")

    def get(self) -> Array:
        """The elements at the key."""
        return self._array[self._key]
