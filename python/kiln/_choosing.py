"""Elements chosen by masks and conditions, written by positions, and functions applied along axes."""
import builtins
import itertools

from . import _core
from ._arguments import as_array, as_tuple, cast, choice, first_array, fits_as_it_is, normalized_axis, ops, store
from ._core import Array
from ._dtypes import BY_NAME
from ._errors import make
from ._fused import looped
from ._joining import stack
from ._ranges import arange
from ._selection import take, take_along_axis
from ._shaping import broadcast_arrays, moveaxis
from ._types import result_type

_bool, _int64 = BY_NAME["bool"], BY_NAME["int64"]


def _mask(x, beside=None):
    return cast(as_array(x, beside), _bool)


def compress(condition, x, /, axis=None, out=None) -> Array:
    """Elements of ``x`` along an axis (flattened if None) where a vector of conditions holds. Raises ShapeError for more conditions than elements."""
    x = as_array(x, first_array(condition))
    mask = _mask(condition, x)
    x, axis = (_core.reshape(x, (-1,)), 0) if axis is None else (x, normalized_axis("compress", axis, x.ndim))
    if mask.ndim != 1 or mask.size > x.shape[axis]:
        raise make("ShapeError", f"compress: condition: expected a vector of at most {x.shape[axis]} elements, got {mask.shape}")
    is_whole = axis == 0 and mask.size == x.shape[0]
    result = x[mask] if is_whole else _core.take(x, _core.nonzero(mask), axis)
    return result if out is None else store("compress", result, out)


def extract(condition, x, /) -> Array:
    """Elements of ``x`` where ``condition`` holds, as a vector."""
    return compress(_core.reshape(_mask(condition), (-1,)), _core.reshape(as_array(x), (-1,)))


def place(x, mask, vals) -> None:
    """Writes ``vals``, one after the other and again from the start, where ``mask`` holds. Raises ValueError where there is none."""
    if _core.put_where(x, mask, vals, True):
        return
    at, vals = _core.nonzero(_core.reshape(_mask(mask), (-1,))), _core.reshape(as_array(vals), (-1,))
    if at.size and not vals.size:
        raise make("ValueError", "place: values: expected at least one, got none")
    if at.size:
        _put(x, at, vals)


def putmask(x, mask, values) -> None:
    """Writes elements of ``values`` at the same positions (again from the start if there are fewer) where ``mask`` holds."""
    if _core.put_where(x, mask, values, False):
        return
    values = as_array(values)
    if values.shape != x.shape:
        flat = _core.reshape(values, (-1,))
        if not flat.size:
            return
        values = _core.reshape(_core.take(flat, arange(x.size, device=x.device) % flat.size, 0), x.shape)
    x[...] = _core.where(_mask(mask), cast(values, x.dtype), x)


def put(x, ind, v, mode="raise") -> None:
    """Writes ``v``, again from the start if there are fewer, at ind of the flattened array.

    ``mode`` says what a position outside does: "raise" an IndexError, "wrap" around or "clip" to the ends.
    """
    choice("put", "mode", mode, ("raise", "wrap", "clip"))
    if mode == "raise" and fits_as_it_is(v, x) and x.ndim == 1 and type(ind) is Array and ind.dtype is _int64:
        x[ind] = v
        return
    at, v = cast(as_array(ind), _int64), as_array(v)
    at, v = at if at.ndim == 1 else _core.reshape(at, (-1,)), v if v.ndim < 2 else _core.reshape(v, (-1,))
    if not at.size or not v.size:
        return
    if mode != "raise":
        at = ops["remainder"](at, x.size) if mode == "wrap" else ops["minimum"](ops["maximum"](at, 0), x.size - 1)
    _put(x, at, v)


def _put(x, at, values):
    if values.size > at.size:
        values = values[:at.size]
    elif values.size == 1:
        values = _core.reshape(values, ())
    elif values.size < at.size:
        values = _core.take(values, arange(at.size, device=values.device) % values.size, 0)
    flat = x if x.ndim == 1 else _core.reshape(x, (-1,))
    if flat is x or _core.shares_memory(flat, x):
        flat[at] = cast(values, x.dtype)
    else:
        flat = _core.copy(flat)
        flat[at] = cast(values, x.dtype)
        x[...] = _core.reshape(flat, x.shape)


def copyto(x, values, casting="same_kind", where=True) -> None:
    """Writes ``values``, which broadcast, into ``x``, where ``where`` holds."""
    if where is not True and _core.put_where(x, where, values, False):
        return
    values = as_array(values)
    x[...] = values if where is True else _core.where(_mask(where), cast(values, x.dtype), x)


def select(condlist, choicelist, default=0) -> Array:
    """Of the first condition that holds the element of its choice; ``default`` where none does.

    Raises ValueError for no condlist, or as many choicelist as there are not condlist.
    """
    if not condlist or len(condlist) != len(choicelist):
        raise make("ValueError", f"select: choices: expected one for each of at least one condition, got {len(choicelist)} for {len(condlist)}")
    numbers, beside = (bool, int, float, complex), first_array(*condlist, *choicelist, default)
    *choicelist, default = [c if isinstance(c, numbers) else as_array(c, beside) for c in (*choicelist, default)]
    dtype = result_type(*choicelist, default) if builtins.any(isinstance(c, Array) for c in (*choicelist, default)) else None
    result = as_array(default, beside)
    result = result if dtype is None else _core.astype(result, dtype)
    for condition, c in zip(reversed(condlist), reversed(choicelist)):
        result = _core.where(_mask(condition, beside), c, result)
    return result


@looped
def choose(index, choices, /, mode="raise") -> Array:
    """Of the array that ``index`` names the element at the same position; arrays broadcast. ``mode`` as of ``take``."""
    beside = first_array(index, *choices)
    index, *arrays = [as_array(a, beside) for a in (index, *choices)]
    if builtins.any([a.shape != index.shape for a in arrays]):
        index, *arrays = broadcast_arrays(index, *arrays)
    numbers = arange(len(arrays), device=index.device)
    index = _core.take(numbers, index, 0) if mode == "raise" else take(numbers, index, mode=mode)
    if 1 < len(arrays) < 5:  # choices between two cost less than a stack and a gather
        first, *others = _alike(arrays)
        for i, other in enumerate(others, 1):
            first = _core.where(ops["equal"](index, i), other, first)
        return first
    return _core.reshape(take_along_axis(stack(arrays), _core.reshape(index, (1, *index.shape)), axis=0), index.shape)


def _alike(arrays):
    """Arrays in the dtype that holds them all."""
    dtype = arrays[0].dtype
    for a in arrays[1:]:
        dtype = _core.promote(dtype, a.dtype)
    return [cast(a, dtype) for a in arrays]


def piecewise(x, conditions, functions, *args, **kwargs) -> Array:
    """Of each element the value of the function (or the number) of the last condition that holds; one more stands for where none does, else 0.

    Functions see the whole array. Raises ValueError for another number of them.
    """
    x = as_array(x)
    conditions = list(conditions) if isinstance(conditions, (list, tuple)) else [conditions]
    if len(functions) not in (len(conditions), len(conditions) + 1):
        raise make("ValueError", f"piecewise: functions: expected {len(conditions)} or {len(conditions) + 1}, got {len(functions)}")

    def value(f):
        return _core.astype(as_array(f(x, *args, **kwargs) if callable(f) else f, x), x.dtype)

    result = value(functions[-1]) if len(functions) > len(conditions) else _core.full(x.shape, 0, x.dtype, x.device)
    for condition, f in zip(conditions, functions):
        result = _core.where(_mask(condition, x), value(f), result)
    return _core.copy(_core.broadcast_to(result, x.shape)) if result.shape != x.shape else result


def ix_(*lines) -> tuple[Array, ...]:
    """Vectors of positions, or masks, as a key that takes every combination of them. Raises ShapeError for other ranks."""
    result = []
    for i, line in enumerate(lines):
        line = as_array(line)
        if line.ndim != 1:
            raise make("ShapeError", f"ix_: rank of operand {i}: expected 1, got {line.ndim}")
        line = _core.nonzero(line) if line.dtype is _bool else line if line.size else _core.astype(line, _int64)
        result.append(_core.reshape(line, tuple(-1 if j == i else 1 for j in range(len(lines)))))
    return tuple(result)


def apply_along_axis(function, axis, x, *args, **kwargs) -> Array:
    """The results of a function of each vector along an axis, whose axes take the place of it.

    The function is called for each: what broadcasts is better written with arrays. Raises ValueError where there is no vector.
    """
    x = as_array(x)
    axis = normalized_axis("apply_along_axis", axis, x.ndim)
    moved = moveaxis(x, axis, -1)
    shape = moved.shape[:-1]
    results = [as_array(function(moved[at], *args, **kwargs)) for at in ndindex(*shape)]
    if not results:
        raise make("ValueError", "apply_along_axis: size: expected at least one vector, got none")
    joined = _core.reshape(stack(results), shape + results[0].shape)
    inner = results[0].ndim
    return moveaxis(joined, tuple(range(len(shape), len(shape) + inner)), tuple(range(axis, axis + inner))) if inner else joined


def apply_over_axes(function, x, axes) -> Array:
    """A function of an array and an axis, applied for one axis after the other; a result with one axis less gets it back."""
    x = as_array(x)
    for axis in as_tuple(axes):
        axis = normalized_axis("apply_over_axes", axis, x.ndim)
        result = function(x, axis)
        x = _core.reshape(result, (*x.shape[:axis], 1, *x.shape[axis + 1:])) if result.ndim < x.ndim else result
    return x


def ndindex(*shape):
    """Every position of a shape as a tuple, in row-major order."""
    shape = shape[0] if len(shape) == 1 and isinstance(shape[0], (tuple, list)) else shape
    return itertools.product(*(range(n) for n in shape))


def ndenumerate(x):
    """Every position of an array as a tuple, with the element there."""
    x = as_array(x)
    return ((at, x[at]) for at in ndindex(*x.shape))
