"""Elements chosen by position, by value and by order."""
import math
import typing

from . import _core
from ._arguments import as_array, as_tuple, cast, choice, first_array, normalized_axis, operation, ops, store
from ._core import Array
from ._creation import zeros
from ._dtypes import BY_NAME
from ._errors import make
from ._fused import looped
from ._joining import stack

_bool, _int64 = BY_NAME["bool"], BY_NAME["int64"]
_NUMBERS = (Array, bool, int, float, complex)


@typing.overload
def where(condition, /) -> tuple[Array, ...]: ...


@typing.overload
def where(condition, x, y, /) -> Array: ...


@operation
def where(condition, x=None, y=None, /):
    """Elements of ``x`` where ``condition`` holds, of ``y`` elsewhere; all three broadcast. Alone: ``nonzero``.

    Raises ValueError for one of ``x`` and ``y`` without the other.
    """
    if x is None and y is None:
        return nonzero(condition)
    if x is None or y is None:
        raise make("ValueError", "where: arguments: expected a condition alone, or with both x and y, got one of them")
    condition = cast(as_array(condition, first_array(x, y)), _bool)
    return _core.where(condition, x if isinstance(x, _NUMBERS) else as_array(x), y if isinstance(y, _NUMBERS) else as_array(y))


def take(x, /, indices, axis=None, out=None, mode="raise") -> Array:
    """Elements of ``x`` at ``indices`` along ``axis`` (of the flattened array if None).

    Negative indices count from the end. ``mode`` says what a position outside does: "raise" an IndexError, "wrap" around, or "clip"
    to the ends. Raises ValueError for another mode.
    """
    x = as_array(x)
    if axis is None:
        x, axis = _core.reshape(x, (-1,)), 0
    if not isinstance(indices, (Array, int)):
        indices = as_array(indices, x)
        indices = indices if indices.size else _core.astype(indices, _int64)
    if mode != "raise":
        choice("take", "mode", mode, ("raise", "wrap", "clip"))
        n = x.shape[normalized_axis("take", axis, x.ndim)]
        indices = as_array(indices, x)
        indices = ops["remainder"](indices, n) if mode == "wrap" else ops["minimum"](ops["maximum"](indices, 0), n - 1)
    result = _core.take(x, indices, axis)
    return result if out is None else store("take", result, out)


def _along(op, x, indices, axis):
    """The positions of ``take_along_axis`` in all axes: those other than ``axis`` broadcast."""
    if indices.ndim != x.ndim:
        raise make("ShapeError", f"{op}: rank of the indices: expected {x.ndim}, got {indices.ndim}")
    shape = tuple(m if i == axis else n if m == 1 else m for i, (m, n) in enumerate(zip(indices.shape, x.shape)))
    for i, (m, n) in enumerate(zip(shape, x.shape)):
        if i != axis and n not in (1, m):
            raise make("ShapeError", f"{op}: size of axis {i} of the indices: expected {n} or 1, got {m}")
    grid = []
    for i, n in enumerate(shape):
        if i == axis:
            grid.append(_core.broadcast_to(indices, shape))
        else:
            unit = tuple(-1 if j == i else 1 for j in range(x.ndim))
            grid.append(_core.reshape(_core.iota((n,), _int64, 0, x.device) if x.shape[i] == n else zeros((n,), dtype=_int64, device=x.device), unit))
    return tuple(grid)


@looped
def take_along_axis(x, indices, /, axis=-1) -> Array:
    """Elements of ``x`` at ``indices`` along an axis, each at its own position in the others, which broadcast.

    Both are flattened where ``axis`` is None. Raises ShapeError unless ranks are equal and sizes broadcast, IndexError for a
    position outside.
    """
    x, indices = as_array(x), as_array(indices)
    if axis is None:
        x, indices, axis = _core.reshape(x, (-1,)), _core.reshape(indices, (-1,)), 0
    axis = normalized_axis("take_along_axis", axis, x.ndim)
    return x[_along("take_along_axis", x, indices, axis)]


def put_along_axis(x, indices, values, axis=-1) -> None:
    """Writes ``values`` where ``take_along_axis`` would read."""
    indices = as_array(indices)
    x = _core.reshape(x, (-1,)) if axis is None else x
    axis = 0 if axis is None else normalized_axis("put_along_axis", axis, x.ndim)
    x[_along("put_along_axis", x, indices, axis)] = values if isinstance(values, _NUMBERS) else as_array(values)


def nonzero(x, /) -> tuple[Array, ...]:
    """Positions of the elements that are not 0: one array an axis. Raises ValueError for an array without axes."""
    x = as_array(x)
    if x.ndim == 0:
        raise make("ValueError", "nonzero: rank: expected at least 1, got 0")
    x = cast(x, _bool)
    return (_core.nonzero(x),) if x.ndim == 1 else _unravel(_core.nonzero(_core.reshape(x, (-1,))), x.shape)


def flatnonzero(x, /) -> Array:
    """Positions of the elements that are not 0 in the flattened array."""
    return _core.nonzero(_core.reshape(cast(as_array(x), _bool), (-1,)))


def argwhere(x, /) -> Array:
    """Positions of the elements that are not 0, one row each."""
    x = as_array(x)
    return stack(nonzero(x), axis=-1) if x.ndim else zeros((int(bool(x)), 0), dtype=_int64)


@looped
def unravel_index(indices, shape, /, order="C") -> tuple[Array, ...]:
    """Positions in the flattened array as one array an axis. Raises IndexError for one outside [0, size).

    With ``order="F"`` the first axis is counted fastest.
    """
    choice("unravel_index", "order", order, ("C", "F"))
    indices, shape = as_array(indices), as_tuple(shape)
    if order == "F":
        return unravel_index(indices, shape[::-1])[::-1]
    indices = cast(indices, _int64) if indices.dtype.kind in "biu" else indices
    if indices.size:
        # A gather from nothing but zeros checks what a gather checks: of many positions the largest; for a negative one stands one outside.
        size, nothing = math.prod(shape), _core.full((), 0, _int64, indices.device)
        least, most = (indices, indices) if indices.size < 1024 else [_core.reduce(end, indices, None, True) for end in ("min", "max")]
        indices = indices + _core.take(_core.broadcast_to(nothing, (size,)), _core.where(ops["less"](least, 0), size, most), 0)
    return _unravel(indices, shape)


def _unravel(indices, shape):
    result, step = [], 1
    for n in reversed(shape):
        position = ops["floor_divide"](indices, step) if step > 1 else indices
        result.append(ops["remainder"](position, n) if len(result) + 1 < len(shape) else position)
        step *= n if n else 1
    return tuple(reversed(result))


def ravel_multi_index(indices, shape, /, mode="raise", order="C") -> Array:
    """Positions in the flattened array from one array an axis; negative ones count from the end, the least int64 where one is outside.

    ``mode`` "wrap" or "clip" (one, or one an axis) brings those inside; with ``order="F"`` the first axis is counted fastest.
    """
    indices, shape = [as_array(i) for i in indices], as_tuple(shape)
    modes = mode if isinstance(mode, tuple) else (mode,) * len(shape)
    for i, (how, n) in enumerate(zip(modes, shape)):
        choice("ravel_multi_index", "mode", how, ("raise", "wrap", "clip"))
        if how != "raise":
            indices[i] = ops["remainder"](indices[i], n) if how == "wrap" else ops["minimum"](ops["maximum"](indices[i], 0), n - 1)
    choice("ravel_multi_index", "order", order, ("C", "F"))
    step = 1 if order == "C" else -1
    return _core.ravel_indices(tuple(indices[::step]), shape[::step])


def dynamic_slice(x, starts, sizes, /) -> Array:
    """``sizes`` elements of each axis from the integers ``starts`` on, which are moved so that all lie inside."""
    x = as_array(x)
    return _core.dynamic_slice(x, _core.asarray(starts, _int64, None, x.device), sizes)


def dynamic_update(x, value, starts, /) -> Array:
    """``x`` with ``value`` from the integers ``starts`` on, which are moved so that all of it lies inside."""
    x = as_array(x)
    return _core.dynamic_update(x, value, _core.asarray(starts, _int64, None, x.device))


_OF_BOOLS = {"scatter_add": "scatter_max", "scatter_multiply": "scatter_min"}


class At:
    """``x.at[key].set(value)`` and so on: a changed copy of ``x``; with duplicate positions every update counts."""

    __slots__ = ("_array", "_key")
    __iter__ = None  # `x.at[0]`, `x.at[1]`, ... would never end

    def __init__(self, array, key=None):
        self._array, self._key = array, key

    def __getitem__(self, key) -> "At":
        return At(self._array, key)

    def _changed(self, value, op):
        if op != "scatter" and self._array.dtype is _bool:  # or and and
            whole = At(_core.astype(self._array, "uint8"), self._key)._changed(_core.astype(as_array(value), _bool), _OF_BOOLS.get(op, op))
            return _core.astype(whole, _bool)
        result = _core.copy(self._array)
        _core.update_at(result, self._key, value, op)
        return result

    @operation
    def set(self, value) -> Array:
        """``value`` at the key."""
        return self._changed(value, "scatter")

    @operation
    def add(self, value) -> Array:
        """``value`` added at the key."""
        return self._changed(value, "scatter_add")

    @operation
    def multiply(self, value) -> Array:
        """Multiplied by ``value`` at the key."""
        return self._changed(value, "scatter_multiply")

    @operation
    def min(self, value) -> Array:
        """The smaller of the elements at the key and ``value``."""
        return self._changed(value, "scatter_min")

    @operation
    def max(self, value) -> Array:
        """The larger of the elements at the key and ``value``."""
        return self._changed(value, "scatter_max")

    def get(self) -> Array:
        """The elements at the key."""
        return self._array[self._key]
