"""Functions of one example for many: ``vmap``, with JAX's name and signature."""
import functools
import types

from . import _core, tree
from ._core import Array
from ._creation import asarray, zeros
from ._errors import make
from ._gradients import _arrays, _Call, _check, _is_number, _whole
from ._joining import concat
from ._ranges import arange
from ._selection import take, where
from ._shaping import broadcast_to, moveaxis, reshape
from ._streams import Drawn


class _Group:
    """Examples that go one way: their numbers in the batch, some of them twice, and the results of all of them."""

    def __init__(self, rows, results, is_batched, structure):
        self.rows, self.structure = rows, structure
        self.results = [x if batched else broadcast_to(x, (rows.size, *x.shape)) for x, batched in zip(results, is_batched)]


def run(function, arrays, is_batched, size, structure=lambda: None, numbers=None):
    """The results of a function over lists of arrays for a batch, and which of them have its axis.

    Where examples differ in a value that is asked for, it runs for each group of them, in which ``structure`` of the results is to be the same. The examples
    have ``numbers`` of their own, an array, where they are a group themselves. Generators of random numbers go on from where the longest way through the
    function left them.
    """
    waiting, done, drawn = [(None, arrays)], [], Drawn()
    while waiting:
        rows, given = waiting.pop()
        drawn.rewind()
        with drawn:
            results, others = _core.vmap(function, given, is_batched, size if rows is None else rows.size, _chosen(numbers, rows))
        if results is not None and rows is None:
            return results, others
        if results is not None:
            done.append(_Group(rows, results, others, structure()))
            drawn.note_end()
            continue
        for group in reversed(others):
            index = group if type(group) is Array else asarray(group)
            waiting.append((_chosen(rows, index), [_gathered(x, index) if b else x for x, b in zip(given, is_batched)]))
    drawn.go_on()
    return _merge(done, size)


def _gathered(x, index):
    """The rows of a group. No derivative flows into one that is there again to fill it: its results are not used, and their cotangents of 0 become nan where a derivative is infinite."""
    rows = take(x, index, axis=0)
    constant = _core.stop_gradient(rows)
    if constant is rows:
        return rows
    is_first = (index != index[0]) | (arange(index.size) == 0)
    return where(reshape(is_first, (-1, *[1] * (rows.ndim - 1))), rows, constant)


def _chosen(numbers, index):
    """The elements at an index; None stands for all numbers in their order."""
    return index if numbers is None else numbers if index is None else take(numbers, index, axis=0)


def _merge(groups, size):
    """Results of groups in the order of the batch."""
    first = groups[0]
    for group in groups:
        if group.structure != first.structure:
            raise make("ValueError", f"vmap: structure of the result: expected {first.structure} as that of example {int(first.rows[0])}, got {group.structure} of example {int(group.rows[0])}")
        for x, y in zip(first.results, group.results):
            if x.shape[1:] != y.shape[1:]:
                raise make("ShapeError", f"vmap: shape of a result: expected {x.shape[1:]} as that of example {int(first.rows[0])}, got {y.shape[1:]} of example {int(group.rows[0])}")
    rows = concat([group.rows for group in groups])
    order = zeros(size, dtype=rows.dtype).at[rows[::-1]].set(arange(rows.size - 1, -1, -1, dtype=rows.dtype))  # the first of equal ones
    merged = [take(concat(parts), order, axis=0) for parts in zip(*(group.results for group in groups))]
    return merged, [True] * len(merged)


def _spread(op, axes, structure_of):
    """An axis (or None) for each leaf of a tree, of a tree that is a prefix of it."""
    if axes is None or isinstance(axes, int):
        return [axes] * len(tree.leaves(structure_of))
    mine, theirs = tree._take_apart(axes), tree._take_apart(structure_of)
    is_prefix = mine and theirs and (mine[:2] == theirs[:2] or {mine[0], theirs[0]} == {list, tuple}) and len(mine[2]) == len(theirs[2])
    if is_prefix:
        return [a for part, below in zip(mine[2], theirs[2]) for a in _spread(op, part, below)]
    raise make("ValueError", f"vmap: {op}: expected ints and None in the structure of {tree.structure(structure_of)}, got {axes!r}")


def _vmap(fun, in_axes, out_axes, axis_size, args, kwargs):
    if isinstance(in_axes, (list, tuple)) and len(in_axes) != len(args):
        raise make("ValueError", f"vmap: in_axes: expected {len(args)} of them, got {in_axes!r}")
    axes = _spread("in_axes", in_axes, args)
    leaves, structure = tree.flatten((args, kwargs))
    axes += [0] * (len(leaves) - len(axes))
    is_plain = all(_is_number(x) or isinstance(x, (str, bytes, types.FunctionType)) for x in leaves)
    is_array = [axis is not None or _is_number(x) for x, axis in zip(leaves, axes)]  # others are the same for all examples, and go as they are
    axes = [axis for axis, known in zip(axes, is_array) if known]
    arrays, sizes = [], set() if axis_size is None else {axis_size}
    for x, axis in zip(_arrays("vmap", "arguments", [x for x, known in zip(leaves, is_array) if known]), axes):
        if axis is not None and not -x.ndim <= axis < x.ndim:
            raise make("AxisError", f"vmap: in_axes: expected an axis of {x.shape}, got {axis}")
        arrays.append(x if axis is None else moveaxis(x, axis, 0))
        sizes |= set() if axis is None else {x.shape[axis]}
    if len(sizes) != 1:
        raise make("ValueError", f"vmap: sizes of the batch: expected one, got {sorted(sizes) or 'no axis and no axis_size'}")
    size = sizes.pop()

    def one(*some):
        rest = iter(some)
        positional, named = given = tree.unflatten(structure, [next(rest) if known else x for x, known in zip(leaves, is_array)])
        if is_plain:
            _core.note_made(given)
        return fun(*positional, **named)

    inner = _Call("vmap", one, len(arrays), False)
    results, is_batched = run(inner, arrays, [a is not None for a in axes], size, lambda: _whole(inner.result))
    placed = []
    for x, batched, axis in zip(results, is_batched, _spread("out_axes", out_axes, inner.rebuild(results)[0])):
        if axis is None:
            if batched:
                raise make("ValueError", "vmap: out_axes: expected an axis for a result that differs along the batch, got None")
            placed.append(x)
            continue
        x = x if batched else broadcast_to(x, (size, *x.shape))
        if not -x.ndim <= axis < x.ndim:
            raise make("AxisError", f"vmap: out_axes: expected an axis of {x.shape}, got {axis}")
        placed.append(moveaxis(x, 0, axis) if axis else x)
    return inner.rebuild(placed)[0]


def vmap(fun, in_axes=0, out_axes=0, axis_size=None):
    """A function that runs ``fun``, of one example, for all along an axis of its arguments.

    ``in_axes`` says along which axis, for each argument or part of one; None is the same for all. ``out_axes`` says where the axis stands in the results. The
    results are those of a loop, to the bit but for products (docs/numerics.md). Keyword arguments have their axis first. Raises ValueError where sizes
    differ, or no axis is given and no ``axis_size``.

    ``fun`` may ask for values: examples that give the same answers run together, so it is called again for each group of them, from the start. It has to
    be a function of its arguments, as what else it does is done again. Raises ShapeError or ValueError where results of groups have other shapes or
    structures.
    """
    _check("vmap", fun)

    @functools.wraps(fun)
    def call(*args, **kwargs):
        return _vmap(fun, in_axes, out_axes, axis_size, args, kwargs)

    return call
