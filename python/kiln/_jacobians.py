"""Whole derivatives: ``jacrev``, ``jacfwd`` and ``hessian``, with JAX's names and signatures."""
import functools

from . import _core, tree
from ._arguments import ops
from ._batches import vmap
from ._gradients import _arrays, _check, _check_floating, _chosen, _of_some, _vjp, _zeros_like, jvp
from ._ranges import arange
from ._shaping import reshape
from ._streams import Drawn, alike


def _is_complex(x):
    return x.dtype.kind == "c"


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
        if leaves[k].dtype.kind == "c":  # a real argument has the other part by the cotangent i
            turned = gradients if all(_is_complex(x) for x in tree.leaves(gradients)) else vmap(pulled)(units * 1j)
            gradients = tree.map(lambda g, h: ops["conj"](g) if _is_complex(g) else ops["complex"](g, h), gradients, turned)
        shaped = tree.map(lambda g, y=leaves[k]: reshape(g, (*y.shape, *g.shape[1:])), gradients)
        rows.append(shaped[0] if isinstance(argnums, int) else shaped)
    jacobian = tree.unflatten(structure, rows)
    return (jacobian, aux) if has_aux else jacobian


def jacrev(fun, argnums=0, has_aux=False):
    """A function that gives the derivative of every element of ``fun``'s result by every element of its arguments, by reverse mode.

    The result has, for each leaf of ``fun``'s, the structure of the arguments at ``argnums``; arrays have the axes of the result, then those of the argument.
    Of complex results it is the derivative itself, which complex arguments have where ``fun`` is holomorphic; that of real results by complex arguments is
    the gradient, as ``grad`` gives it.
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

        def changed_by(directions, pushed=pushed):
            drawn.rewind()  # all columns are of one call
            with drawn:
                return alike(level, level + 1, lambda: vmap(pushed, out_axes=-1)(directions))

        changes = changed_by(units)
        if _is_complex(leaves[k]) and not all(_is_complex(t) for t in tree.leaves(changes)):  # a real result is a loss: as ``grad``
            turned = changed_by(units * 1j)
            changes = tree.map(lambda t, h: t if _is_complex(t) else ops["complex"](t, h), changes, turned)
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
