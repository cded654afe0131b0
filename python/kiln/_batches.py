"""Functions of one example for many: ``vmap``, with JAX's name and signature."""
import functools

from . import _core, tree
from ._creation import asarray
from ._errors import make
from ._gradients import _arrays, _Call, _check, _whole
from ._joining import concat
from ._selection import take
from ._shaping import broadcast_to, moveaxis


class _Group:
    """Examples that go one way: their numbers in the batch, and the results of all of them."""

    def __init__(self, rows, results, is_batched, structure):
        self.rows, self.structure = rows, structure
        self.results = [x if batched else broadcast_to(x, (len(rows), *x.shape)) for x, batched in zip(results, is_batched)]


def run(function, arrays, is_batched, size, structure=lambda: None):
    """The results of a function over lists of arrays for a batch, and which of them have its axis.

    Where examples differ in a value that is asked for, it runs for each group of them, in which ``structure`` of the results is to be the same.
    """
    waiting, done = [(list(range(size)), arrays)], []
    while waiting:
        rows, given = waiting.pop()
        results, others = _core.vmap(function, given, is_batched, len(rows))
        if results is not None and not done and not waiting:
            return results, others
        if results is not None:
            done.append(_Group(rows, results, others, structure()))
            continue
        for group in reversed(others):
            index = asarray(group)
            waiting.append(([rows[i] for i in group], [take(x, index, axis=0) if b else x for x, b in zip(given, is_batched)]))
    return _merge(done, size)


def _merge(groups, size):
    """Results of groups in the order of the batch."""
    first, places = groups[0], [0] * size
    for place, row in enumerate(row for group in groups for row in group.rows):
        places[row] = place
    for group in groups:
        if group.structure != first.structure:
            raise make("ValueError", f"vmap: structure of the result: expected {first.structure} as that of example {first.rows[0]}, got {group.structure} of example {group.rows[0]}")
        for x, y in zip(first.results, group.results):
            if x.shape[1:] != y.shape[1:]:
                raise make("ShapeError", f"vmap: shape of a result: expected {x.shape[1:]} as that of example {first.rows[0]}, got {y.shape[1:]} of example {group.rows[0]}")
    order = asarray(places)
    merged = [take(concat(parts), order, axis=0) for parts in zip(*(group.results for group in groups))]
    return merged, [True] * len(merged)


def _spread(op, axes, structure_of):
    """An axis (or None) for each leaf of a tree, of a tree that is a prefix of it."""
    if axes is None or isinstance(axes, int):
        return [axes] * len(tree.leaves(structure_of))
    if isinstance(axes, (list, tuple)) and isinstance(structure_of, (list, tuple)) and len(axes) == len(structure_of):
        return [a for part, below in zip(axes, structure_of) for a in _spread(op, part, below)]
    if isinstance(axes, dict) and isinstance(structure_of, dict) and sorted(axes) == sorted(structure_of):
        return [a for key in sorted(axes) for a in _spread(op, axes[key], structure_of[key])]
    raise make("ValueError", f"vmap: {op}: expected ints and None in the structure of {tree.structure(structure_of)}, got {axes!r}")


def _vmap(fun, in_axes, out_axes, axis_size, args, kwargs):
    if isinstance(in_axes, (list, tuple)) and len(in_axes) != len(args):
        raise make("ValueError", f"vmap: in_axes: expected {len(args)} of them, got {in_axes!r}")
    axes = _spread("in_axes", in_axes if in_axes is None or isinstance(in_axes, int) else tuple(in_axes), args)
    leaves, structure = tree.flatten((args, kwargs))
    axes += [0] * (len(leaves) - len(axes))
    arrays, sizes = [], set() if axis_size is None else {axis_size}
    for x, axis in zip(_arrays("vmap", "arguments", leaves), axes):
        if axis is not None and not -x.ndim <= axis < x.ndim:
            raise make("AxisError", f"vmap: in_axes: expected an axis of {x.shape}, got {axis}")
        arrays.append(x if axis is None else moveaxis(x, axis, 0))
        sizes |= set() if axis is None else {x.shape[axis]}
    if len(sizes) != 1:
        raise make("ValueError", f"vmap: sizes of the batch: expected one, got {sorted(sizes) or 'no axis and no axis_size'}")
    size = sizes.pop()
    inner = _Call("vmap", lambda positional, named: fun(*positional, **named), structure, False)
    results, is_batched = run(inner, arrays, [a is not None for a in axes], size, lambda: _whole(inner.result))
    placed = []
    for x, batched, axis in zip(results, is_batched, _spread("out_axes", out_axes, inner.rebuild(results)[0])):
        if axis is None:
            if batched:
                raise make("ValueError", "vmap: out_axes: expected an axis for a result that differs along the batch, got None")
            placed.append(x)
            continue
        x = x if batched else broadcast_to(x, (size, *x.shape))
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
