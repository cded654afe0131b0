"""Arrays joined, cut and repeated."""
import builtins

from . import _core
from ._arguments import as_array, as_tuple, integer, normalized_axis, ops, store
from ._core import Array
from ._dtypes import BY_NAME
from ._errors import make
from ._fused import looped
from ._shaping import broadcast_to, in_space, moveaxis

_int64 = BY_NAME["int64"]


def concat(arrays, /, axis=0, out=None, *, dtype=None) -> Array:
    """Arrays joined along an existing axis; flattened first where ``axis`` is None.

    Raises ShapeError where the other sizes differ, ValueError without an array.
    """
    arrays = tuple([as_array(a) for a in arrays])
    if dtype is not None:
        arrays = tuple(_core.astype(a, dtype) for a in arrays)
    if axis is None:
        arrays, axis = tuple(_core.reshape(a, (-1,)) for a in arrays), 0
    result = _core.concat(arrays, axis)
    return result if out is None else store("concat", result, out)


def concatenate(arrays, /, axis=0, out=None, *, dtype=None, casting="same_kind") -> Array:
    """Arrays joined along an existing axis, as ``concat``; ``casting`` is there for NumPy's sake."""
    return concat(arrays, axis, out, dtype=dtype)


def stack(arrays, /, axis=0, out=None, *, dtype=None, casting="same_kind") -> Array:
    """Arrays of one shape joined along a new axis. Raises ShapeError where shapes differ, ValueError without an array."""
    arrays = [as_array(a) for a in arrays]
    if not arrays:
        raise make("ValueError", "stack: arrays: expected at least one, got none")
    if len({a.shape for a in arrays}) > 1:
        raise make("ShapeError", f"stack: shapes: expected equal ones, got {', '.join(str(a.shape) for a in arrays)}")
    axis = normalized_axis("stack", axis, arrays[0].ndim + 1)
    shape = (*arrays[0].shape[:axis], 1, *arrays[0].shape[axis:])
    if out is None and dtype is None:
        return _core.concat(tuple([_core.reshape(a, shape) for a in arrays]), axis)
    return concat([_core.reshape(a, shape) for a in arrays], axis, out, dtype=dtype)


def unstack(x, /, axis=0) -> tuple[Array, ...]:
    """The parts of ``x`` along an axis, without it: a tuple of views."""
    x = as_array(x)
    axis = normalized_axis("unstack", axis, x.ndim)
    x = moveaxis(x, axis, 0) if axis else x
    return tuple([x[i] for i in range(x.shape[0])])


def vstack(arrays, /, *, dtype=None, casting="same_kind") -> Array:
    """Arrays joined along the first axis, vectors as rows."""
    return concat([a if a.ndim > 1 else _core.reshape(a, (1, a.size)) for a in map(as_array, arrays)], dtype=dtype)


def hstack(arrays, /, *, dtype=None, casting="same_kind") -> Array:
    """Arrays joined along the second axis, vectors along their only one."""
    arrays = [a if a.ndim else _core.reshape(a, (1,)) for a in map(as_array, arrays)]
    return concat(arrays, axis=0 if arrays and arrays[0].ndim == 1 else 1, dtype=dtype)


def dstack(arrays, /) -> Array:
    """Arrays joined along the third axis, vectors and matrices with axes of size 1 for it."""
    return concat([in_space(as_array(a)) for a in arrays], axis=2)


def column_stack(arrays, /) -> Array:
    """Vectors as columns, matrices as they are, joined along the second axis."""
    arrays = [as_array(a) for a in arrays]
    return concat([a if a.ndim > 1 else _core.reshape(a, (-1, 1)) for a in arrays], axis=1)


def block(arrays, /) -> Array:
    """Arrays put together from nested lists of blocks: the innermost along the last axis, the next along the one before.

    Raises ValueError where lists are nested to different depths, or empty.
    """
    depth = _depth(arrays)
    leaves = list(_leaves(arrays))
    rank = builtins.max([depth, *(a.ndim for a in leaves)])
    first, blocks = leaves[0], []
    many = builtins.sum([a.size for a in leaves]) >= _MANY and builtins.all([a.dtype is first.dtype and a.device == first.device for a in leaves])
    shape = _layout(arrays, rank - depth, rank, (0,) * rank, blocks) if many and depth else None
    if shape is None:
        result = _blocks(arrays, depth, rank)
        return result if depth else _core.copy(result)
    result = _core.full(shape, 0, first.dtype, first.device)
    for at, a in blocks:  # each is written once, where joins of joins copy it for every axis
        result[tuple([slice(i, i + n) for i, n in zip(at, a.shape)])] = a
    return result


_MANY = 1 << 14


def _layout(nested, axis, rank, at, blocks):
    """The shape of nested blocks from a position on, all of which go into ``blocks`` with theirs; None where sizes differ."""
    if not isinstance(nested, list):
        a = as_array(nested)
        blocks.append((at, _core.reshape(a, (1,) * (rank - a.ndim) + a.shape)))
        return blocks[-1][1].shape
    shape = None
    for n in nested:
        part = _layout(n, axis + 1, rank, at if shape is None else (*at[:axis], at[axis] + shape[axis], *at[axis + 1:]), blocks)
        if part is None or shape is not None and (part[:axis], part[axis + 1:]) != (shape[:axis], shape[axis + 1:]):
            return None
        shape = part if shape is None else (*shape[:axis], shape[axis] + part[axis], *shape[axis + 1:])
    return shape


def _depth(nested):
    if not isinstance(nested, list):
        return 0
    depths = {_depth(n) for n in nested}
    if len(depths) != 1:
        raise make("ValueError", f"block: nested lists: expected equal depths and no empty list, got depths {sorted(depths) or 'of an empty list'}")
    return depths.pop() + 1


def _leaves(nested):
    if not isinstance(nested, list):
        yield as_array(nested)
    else:
        for n in nested:
            yield from _leaves(n)


def _blocks(nested, depth, rank):
    if not isinstance(nested, list):
        a = as_array(nested)
        return _core.reshape(a, (1,) * (rank - a.ndim) + a.shape)
    return _core.concat(tuple([_blocks(n, depth - 1, rank) for n in nested]), rank - depth)


def _cuts(op, sections, n):
    if not isinstance(sections, (tuple, list, Array)) and hasattr(sections, "__index__"):
        return integer(op, "sections", sections)
    return [integer(op, "sections", c) for c in (sections.tolist() if hasattr(sections, "tolist") else sections)]


def _parts(x, cuts, axis):
    key, cuts = (slice(None),) * axis, [0, *cuts, x.shape[axis]]
    return [x[(*key, slice(a, b))] for a, b in zip(cuts, cuts[1:])]


def split(x, /, indices_or_sections, axis=0) -> list[Array]:
    """Views of ``x`` along an axis: as many equal ones as ``indices_or_sections`` says, or cut at its positions.

    Raises ValueError where equal parts are not possible.
    """
    x = as_array(x)
    axis = normalized_axis("split", axis, x.ndim)
    n, cuts = x.shape[axis], _cuts("split", indices_or_sections, x.shape[axis])
    if isinstance(cuts, int):
        if cuts < 1 or n % cuts:
            raise make("ValueError", f"split: size of axis {axis}: expected a multiple of {cuts}, got {n}")
        cuts = [n // cuts * i for i in range(1, cuts)]
    return _parts(x, cuts, axis)


def array_split(x, /, indices_or_sections, axis=0) -> list[Array]:
    """As ``split``, the first parts one longer where equal ones are not possible. Raises ValueError for less than one part."""
    x = as_array(x)
    axis = normalized_axis("array_split", axis, x.ndim)
    n, cuts = x.shape[axis], _cuts("array_split", indices_or_sections, x.shape[axis])
    if isinstance(cuts, int):
        if cuts < 1:
            raise make("ValueError", f"array_split: sections: expected at least 1, got {cuts}")
        size, longer = divmod(n, cuts)
        cuts = [size * i + builtins.min(i, longer) for i in range(1, cuts)]
    return _parts(x, cuts, axis)


def hsplit(x, sections, /) -> list[Array]:
    """``split`` along the second axis, of vectors along their only one."""
    return split(x, sections, axis=0 if as_array(x).ndim == 1 else 1)


def vsplit(x, sections, /) -> list[Array]:
    """``split`` along the first axis."""
    return split(x, sections, axis=0)


def dsplit(x, sections, /) -> list[Array]:
    """``split`` along the third axis."""
    return split(x, sections, axis=2)


@looped
def tile(x, /, reps) -> Array:
    """``x`` repeated as a whole, ``reps`` times along each axis. Raises ValueError for a negative number."""
    x, times = as_array(x), as_tuple(reps)
    if builtins.any(n < 0 for n in times):
        raise make("ValueError", f"tile: repetitions: expected at least 0, got {reps}")
    rank = builtins.max(x.ndim, len(times))
    shape, times = (1,) * (rank - x.ndim) + x.shape, (1,) * (rank - len(times)) + times
    if builtins.all(n == 1 for n in times):
        return _core.copy(_core.reshape(x, shape))
    for axis in reversed(range(rank)):  # the innermost first: what is copied grows towards the end
        if times[axis] != 1:
            wide = _core.broadcast_to(_core.reshape(x, (*shape[:axis], 1, *shape[axis:])), (*shape[:axis], times[axis], *shape[axis:]))
            shape = (*shape[:axis], times[axis] * shape[axis], *shape[axis + 1:])
            x = _core.reshape(_core.copy(wide), shape)
    return _core.reshape(x, shape)


def repeat(x, /, repeats, axis=None, *, total_repeat_length=None) -> Array:
    """Each element along an axis ``repeats`` times, a number or one for each; of the flattened array where ``axis`` is None.

    ``total_repeat_length`` says how many there are in all where ``repeats`` is an array, which jit otherwise has to look into.
    Raises ShapeError unless there is one number, or one an element.
    """
    x = as_array(x)
    if axis is None:
        x, axis = _core.reshape(x, (-1,)), 0
    axis = normalized_axis("repeat", axis, x.ndim)
    n = x.shape[axis]
    if isinstance(repeats, int):
        if repeats < 0:
            raise make("ValueError", f"repeat: repeats: expected at least 0, got {repeats}")
        few = _core.repeat(x, axis, repeats)
        if few is not None:
            return few
        before, behind = x.shape[:axis], x.shape[axis + 1:]
        wide = _core.broadcast_to(_core.reshape(x, (*before, n, 1, *behind)), (*before, n, repeats, *behind))
        return _core.reshape(_core.copy(wide), (*before, n * repeats, *behind))
    if not n:
        return _core.copy(x)
    total = builtins.sum(repeats) if isinstance(repeats, (tuple, list)) and len(repeats) == n else total_repeat_length
    counts = _core.reshape(_core.astype(as_array(repeats, x), _int64), (-1,))
    if counts.size not in (1, n):
        raise make("ShapeError", f"repeat: repeats: expected 1 or {n} numbers, got {counts.size}")
    repeated = None if total_repeat_length is not None else _core.repeat(x, axis, counts)
    if repeated is not None:  # outside of recordings, at once
        return repeated
    if counts.size == 1:
        return repeat(x, int(counts.item()), axis)
    ends = _core.along_axis("cumulative_sum", counts, 0, False)
    total = int(ends[-1].item()) if total is None else total
    if not total:
        return _core.take(x, _core.full((0,), 0, _int64, x.device), axis)
    marks = _core.full((total + 1,), 0, _int64, counts.device)
    marks = marks.at[ops["minimum"](ends, total)].add(1)[:total]  # element i begins where those before it end
    return _core.take(x, ops["minimum"](_core.along_axis("cumulative_sum", marks, 0, False), n - 1), axis)


@looped
def append(x, values, /, axis=None) -> Array:
    """``values`` behind ``x`` along an axis; both flattened where it is None."""
    return concat((as_array(x), as_array(values)), axis=axis)


def _positions(op, where, n, extra=0):
    """Positions that a slice, an integer or a sequence names along an axis of ``n``, as Python integers."""
    if isinstance(where, slice):
        return list(range(*where.indices(n)))
    known = where.tolist() if hasattr(where, "tolist") else where
    known = known if isinstance(known, (list, tuple)) else [known]
    if known and isinstance(known[0], bool):
        return [i for i, b in enumerate(known) if b]
    if type(where) is not Array or where.ndim != 1 or where.dtype.kind not in "iu":  # whose elements are integers
        known = [p if type(p) is int else integer(op, "position", p) for p in known]
    for p in known:
        if not -n <= p < n + extra:
            raise make("IndexError", f"{op}: position: expected one in [{-n}, {n + extra}), got {p}")
    return [p % n if p < 0 else p for p in known]


def _gathers(x):
    """Whether elements of a vector are gathered sooner than its parts are joined: not where something records, which knows parts better."""
    return x.ndim == 1 and x.size <= 256 and _core.innermost() is None


def _line_of(x, axis, op):
    """``x`` and an axis of it; flattened if that is None."""
    if axis is None:
        return (x if x.ndim == 1 else _core.reshape(x, (-1,))), 0
    return x, normalized_axis(op, axis, x.ndim)


def delete(x, positions, /, axis=None) -> Array:
    """``x`` without the elements at ``positions`` (an integer, a slice, a sequence or a mask) along an axis; flattened if None.

    Raises IndexError for a position outside.
    """
    x, axis = _line_of(as_array(x), axis, "delete")
    gone = set(_positions("delete", positions, x.shape[axis]))
    if gone and _gathers(x):
        return x[_core.asarray([i for i in range(x.size) if i not in gone], _int64, None, x.device)]
    cuts = [-1, *sorted(gone), x.shape[axis]]
    key = (slice(None),) * axis
    parts = tuple(x[(*key, slice(a + 1, b))] for a, b in zip(cuts, cuts[1:]) if b > a + 1)
    return _core.concat(parts, axis) if parts else _core.copy(x[(*key, slice(0, 0))])


def insert(x, positions, values, /, axis=None) -> Array:
    """``x`` with ``values`` before the elements at ``positions`` along an axis; flattened if None.

    Raises IndexError for a position outside.
    """
    x, axis = _line_of(as_array(x), axis, "insert")
    single = isinstance(positions, int)
    at = _positions("insert", positions, x.shape[axis], 1)
    values = _core.astype(as_array(values, x), x.dtype)
    if single:  # the values go in together
        values = moveaxis(values, 0, axis) if values.ndim == x.ndim and axis else values
        unit = values.shape[axis] if values.ndim == x.ndim else values.size if x.ndim == 1 and values.ndim else 1
        values = broadcast_to(values, (*x.shape[:axis], unit, *x.shape[axis + 1:]))
        at = at * unit
    else:
        values = broadcast_to(values, (*x.shape[:axis], len(at), *x.shape[axis + 1:]))
    if len(at) > 2 and not single and _gathers(x):
        places = sorted(enumerate(at, x.size), key=lambda pair: pair[1])
        line = list(range(x.size))
        for i, p in reversed(places):
            line.insert(p, i)
        return _core.concat((x, values), 0)[_core.asarray(line, _int64, None, x.device)]
    key, parts, last = (slice(None),) * axis, [], 0
    for i, p in sorted(enumerate(at), key=lambda pair: pair[1]):
        parts += [x[(*key, slice(last, p))], values[(*key, slice(i, i + 1))]]
        last = p
    return _core.concat(tuple([*parts, x[(*key, slice(last, None))]]), axis)
