"""Whole derivatives: ``jacrev``, ``jacfwd`` and ``hessian``, with JAX's names and signatures."""
import functools

from . import _core, tree
from ._batches import vmap
from ._gradients import _arrays, _check, _check_floating, _chosen, _of_some, _vjp, _zeros_like, jvp
from ._ranges import arange
from ._shaping import reshape
from ._streams import Drawn, alike


def _unit_vectors(leaves):
    """For each array, all arrays of its shape with one 1, along a first axis; by the position of the array, and zeros for the others."""
    for k, x in enumerate(leaves):
        n = x.size
        eye = _core.astype(reshape(arange(n), (n, 1)) == arange(n), x.dtype)
        yield k, reshape(eye, (n, *x.shape))


def _jacrev(fun, argnums, has_aux, args, kwargs):
    numbers = _chosen("jacrev", argnums, args)
    some = tuple(args[n] for n in numbers)
    result, back, aux = _vjp("jacrev", _of_some(fun, numbers, args, kwargs), some, has_aux, True)
    leaves, structure = tree.flatten(result)
    rows = []
    for k, units in _unit_vectors(leaves):
        def pulled(unit, k=k):
            return back(tree.unflatten(structure, [unit if i == k else _zeros_like(x) for i, x in enumerate(leaves)]))

        gradients = vmap(pulled)(units)
        shaped = tree.map(lambda g, y=leaves[k]: reshape(g, (*y.shape, *g.shape[1:])), gradients)
        rows.append(shaped[0] if isinstance(argnums, int) else shaped)
    jacobian = tree.unflatten(structure, rows)
    return (jacobian, aux) if has_aux else jacobian


def jacrev(fun, argnums=0, has_aux=False):
    """A function that gives the derivative of every element of ``fun``'s result by every element of its arguments, by reverse mode.

    The result has, for each leaf of ``fun``'s, the structure of the arguments at ``argnums``; arrays have the axes of the result, then those of the argument.
    """
    _check("jacrev", fun)

    @functools.wraps(fun)
    def call(*args, **kwargs):
        return _jacrev(fun, argnums, has_aux, args, kwargs)

    return call


def _jacfwd(fun, argnums, has_aux, args, kwargs):
    numbers = _chosen("jacfwd", argnums, args)
    some = tuple(args[n] for n in numbers)
    leaves, structure = tree.flatten(some)
    leaves = _arrays("jacfwd", "arguments", leaves)
    _check_floating("jacfwd", leaves)
    partial, columns, drawn, level = _of_some(fun, numbers, args, kwargs), [], Drawn(), _core.level_of(None)
    for k, units in _unit_vectors(leaves):
        def pushed(unit, k=k):
            tangents = tree.unflatten(structure, [unit if i == k else _zeros_like(x) for i, x in enumerate(leaves)])
            return jvp(partial, some, tangents, has_aux)[1]

        drawn.rewind()  # all columns are of one call
        with drawn:
            changes = alike(level, level + 1, lambda: vmap(pushed, out_axes=-1)(units))
        columns.append(tree.map(lambda t, x=leaves[k]: reshape(t, (*t.shape[:-1], *x.shape)), changes))
    outer = tree.structure(columns[0])

    def by_argument(*parts):
        whole = tree.unflatten(structure, list(parts))
        return whole[0] if isinstance(argnums, int) else whole

    jacobian = tree.unflatten(outer, [by_argument(*parts) for parts in zip(*(tree.leaves(c) for c in columns))])
    return (jacobian, drawn.again(lambda: fun(*args, **kwargs)[1])) if has_aux else jacobian


def jacfwd(fun, argnums=0, has_aux=False):
    """The same as ``jacrev``, by forward mode: for functions of few arguments."""
    _check("jacfwd", fun)

    @functools.wraps(fun)
    def call(*args, **kwargs):
        return _jacfwd(fun, argnums, has_aux, args, kwargs)

    return call


def hessian(fun, argnums=0, has_aux=False):
    """A function that gives the second derivatives of ``fun``: the derivative, by forward mode, of its gradient by reverse mode."""
    return jacfwd(jacrev(fun, argnums, has_aux), argnums, has_aux)
