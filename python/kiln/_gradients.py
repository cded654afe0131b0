"""Derivatives and batches of functions, with JAX's names and signatures: ``grad``, ``vjp``, ``jvp``, ``vmap`` and what follows from them.

A function is called with arrays that carry a derivative (or a batch) through every operation, by the rules of its ops. Its arguments
and results are trees (``kn.tree``); gradients of complex numbers are conjugate to JAX's, as in PyTorch.
"""
import functools

from . import _core, tree
from ._core import Array
from ._creation import asarray
from ._errors import make
from ._front import name_of
from ._ranges import arange
from ._shaping import broadcast_to, moveaxis, reshape


def _check(op, fun):
    if not callable(fun):
        raise make("TraceError", f"{op}: expected a function, got {type(fun).__name__}")


def _is_number(x):
    return isinstance(x, (Array, bool, int, float, complex)) or hasattr(x, "__array__") or hasattr(x, "__dlpack__")


def _arrays(op, what, leaves):
    """Leaves as arrays. Raises TraceError for one that is none."""
    for leaf in leaves:
        if type(leaf) is not Array and not _is_number(leaf):
            raise make("TraceError", f"{op}: {what}: expected trees of arrays and numbers, got {type(leaf).__name__}")
    return [leaf if type(leaf) is Array else asarray(leaf) for leaf in leaves]


def _is_inexact(x):
    return x.dtype.kind in "fc"


def _zeros_like(x):
    return _core.full(x.shape, 0, x.dtype, x.device)


def _flatten(x):
    """``tree.flatten``; arrays, and tuples of them, by themselves."""
    if type(x) is Array:
        return [x], tree.LEAF
    if type(x) is tuple and all(type(leaf) is Array for leaf in x):
        return list(x), len(x)
    return tree.flatten(x)


def _unflatten(structure, leaves):
    if structure is tree.LEAF:
        return leaves[0]
    return tuple(leaves) if type(structure) is int else tree.unflatten(structure, leaves)


def _whole(structure):
    return tree.structure((0,) * structure) if type(structure) is int else structure


class _Call:
    """A function of lists of arrays, as the modes call it; keeps the structure of its result."""

    def __init__(self, op, function, structure, has_aux):
        self.op, self.function, self.structure, self.has_aux = op, function, structure, has_aux

    def __call__(self, arrays):
        result = self.function(*_unflatten(self.structure, arrays))
        others = []
        if self.has_aux:
            if not isinstance(result, tuple) or len(result) != 2:
                raise make("TraceError", f"{self.op}: result with has_aux: expected (result, aux), got {type(result).__name__}")
            result, aux = result
            others, self.aux = tree.flatten(aux)
        leaves, self.result = _flatten(result)
        leaves = _arrays(self.op, "result", leaves)
        self.count = len(leaves)
        self.plain = [None if _is_number(x) else x for x in others]
        return leaves + [asarray(x) if _is_number(x) else asarray(0) for x in others]

    def rebuild(self, arrays):
        """The result and aux of arrays of all their leaves."""
        result = _unflatten(self.result, arrays[:self.count])
        if not self.has_aux:
            return result, None
        return result, tree.unflatten(self.aux, [a if plain is None else plain for a, plain in zip(arrays[self.count:], self.plain)])


class _Vjp:
    """The gradients of the arguments of one call, for cotangents of its result."""

    def __init__(self, call, pullback, results, arguments):
        self._call, self._pullback, self._results, self._arguments = call, pullback, results, arguments

    def __call__(self, cotangents):
        leaves, structure = _flatten(cotangents)
        if _whole(structure) != _whole(self._call.result):
            raise make("ValueError", f"vjp: structure of the cotangent: expected {_whole(self._call.result)}, got {_whole(structure)}")
        given = []
        for x, ct in zip(self._results, _arrays("vjp", "cotangent", leaves)):
            if ct.shape != x.shape:
                raise make("ShapeError", f"vjp: shape of a cotangent: expected {x.shape}, got {ct.shape}")
            given.append(_core.astype(ct, x.dtype) if _is_inexact(x) else None)
        gradients = self._pullback(given + [None] * len(self._call.plain))
        filled = [_zeros_like(x) if g is None else g for x, g in zip(self._arguments, gradients)]
        return _unflatten(self._call.structure, filled)


def _vjp(op, function, primals, has_aux, needs_floating=False):
    leaves, structure = _flatten(primals)
    arguments = _arrays(op, "arguments", leaves)
    if needs_floating:
        _check_floating(op, arguments)
    call = _Call(op, function, structure, has_aux)
    results, pullback = _core.vjp(call, arguments)
    result, aux = call.rebuild(results)
    return result, _Vjp(call, pullback, results[:call.count], arguments), aux


def vjp(fun, *primals, has_aux=False):
    """The result of ``fun(*primals)``, and a function from a cotangent of it to a tuple of gradients of the primals.

    With ``has_aux``, ``fun`` gives (result, aux), and aux is returned last. Arguments that are no floating arrays have gradients of 0. Raises
    TraceError for arguments or results that are no trees of arrays.
    """
    _check("vjp", fun)
    result, function, aux = _vjp("vjp", fun, primals, has_aux)
    return (result, function, aux) if has_aux else (result, function)


def jvp(fun, primals, tangents, has_aux=False):
    """The result of ``fun(*primals)``, and its derivative in the direction of ``tangents``, of the primals' structure.

    With ``has_aux``, ``fun`` gives (result, aux), and aux is returned last. Raises ValueError where structures differ, ShapeError where shapes do.
    """
    _check("jvp", fun)
    leaves, structure = _flatten(tuple(primals))
    moving, other = _flatten(tuple(tangents))
    if _whole(other) != _whole(structure):
        raise make("ValueError", f"jvp: structure of the tangents: expected {_whole(structure)}, got {_whole(other)}")
    arguments, given = _arrays("jvp", "primals", leaves), []
    for x, t in zip(arguments, _arrays("jvp", "tangents", moving)):
        if t.shape != x.shape:
            raise make("ShapeError", f"jvp: shape of a tangent: expected {x.shape}, got {t.shape}")
        given.append(_core.astype(t, x.dtype) if _is_inexact(x) else None)
    call = _Call("jvp", fun, structure, has_aux)
    results, changes = _core.jvp(call, arguments, given)
    result, aux = call.rebuild(results)
    filled = [_zeros_like(x) if t is None else t for x, t in zip(results[:call.count], changes)]
    change = _unflatten(call.result, filled)
    return (result, change, aux) if has_aux else (result, change)


def linearize(fun, *primals, has_aux=False):
    """The result of ``fun(*primals)``, and the function that gives its derivative there in the direction of tangents.

    With ``has_aux``, ``fun`` gives (result, aux), and aux is returned last.
    """
    _check("linearize", fun)
    result = fun(*primals)

    def pushed(*tangents):
        return jvp(fun, primals, tangents, has_aux=has_aux)[1]

    return (result[0], pushed, result[1]) if has_aux else (result, pushed)


def _chosen(op, argnums, args):
    """Positions of arguments. Raises ValueError for one that is none."""
    numbers = (argnums,) if isinstance(argnums, int) else tuple(argnums)
    for n in numbers:
        if not isinstance(n, int) or not -len(args) <= n < len(args):
            raise make("ValueError", f"{op}: argnums: expected positions among {len(args)} arguments, got {argnums!r}")
    return [n % len(args) for n in numbers]


def _of_some(function, numbers, args, kwargs):
    """The function of the arguments at some positions."""
    def partial(*some):
        rest = list(args)
        for n, x in zip(numbers, some):
            rest[n] = x
        return function(*rest, **kwargs)

    return partial


def _check_floating(op, arguments):
    for x in arguments:
        if not _is_inexact(x):
            raise make("DTypeError", f"{op}: dtype of an argument: expected a floating one, got {x.dtype}")


def _value_and_grad(fun, argnums, has_aux, args, kwargs):
    numbers = _chosen("grad", argnums, args)
    some = tuple([args[n] for n in numbers])
    result, back, aux = _vjp("grad", _of_some(fun, numbers, args, kwargs), some, has_aux, True)
    if not isinstance(result, Array) or result.shape != ():
        raise make("ShapeError", f"grad: result of '{name_of(fun)}': expected an array of shape (), got {getattr(result, 'shape', type(result).__name__)}")
    if result.dtype.kind != "f":
        raise make("DTypeError", f"grad: result of '{name_of(fun)}': expected a real floating dtype, got {result.dtype}")
    gradients = back(_core.full((), 1, result.dtype, result.device))
    return (result, aux) if has_aux else result, gradients[0] if isinstance(argnums, int) else gradients


def value_and_grad(fun, argnums=0, has_aux=False):
    """A function that gives ``fun``'s result, a real number, and its gradient by the arguments at ``argnums``.

    The gradient has the structure of the argument; of several positions it is a tuple. With ``has_aux``, ``fun`` gives (result, aux), and so does this in the
    place of the result. Raises ShapeError or DTypeError where the result is no real floating number, DTypeError for arguments of another dtype.
    """
    _check("grad", fun)

    @functools.wraps(fun)
    def call(*args, **kwargs):
        return _value_and_grad(fun, argnums, has_aux, args, kwargs)

    return call


def grad(fun, argnums=0, has_aux=False):
    """A function that gives the gradient of ``fun``, whose result is a real number, by the arguments at ``argnums``; see ``value_and_grad``.

    With ``has_aux`` it gives (gradient, aux).
    """
    _check("grad", fun)

    @functools.wraps(fun)
    def call(*args, **kwargs):
        value, gradient = _value_and_grad(fun, argnums, has_aux, args, kwargs)
        return (gradient, value[1]) if has_aux else gradient

    return call


def stop_gradient(x):
    """A tree of arrays through which no derivative flows."""
    return tree.map(lambda leaf: _core.stop_gradient(asarray(leaf)) if _is_number(leaf) else leaf, x)


#===-- batches ---------------------------------------------------------------------------------------------------------===


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
    results, is_batched = _core.vmap(inner, arrays, [a is not None for a in axes], size)
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
    differ, or no axis is given and no ``axis_size``; TraceError where ``fun`` needs a value of an example in Python.
    """
    _check("vmap", fun)

    @functools.wraps(fun)
    def call(*args, **kwargs):
        return _vmap(fun, in_axes, out_axes, axis_size, args, kwargs)

    return call


#===-- whole derivatives -----------------------------------------------------------------------------------------------===


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
    partial, columns = _of_some(fun, numbers, args, kwargs), []
    for k, units in _unit_vectors(leaves):
        def pushed(unit, k=k):
            tangents = tree.unflatten(structure, [unit if i == k else _zeros_like(x) for i, x in enumerate(leaves)])
            return jvp(partial, some, tangents, has_aux)[1]

        changes = vmap(pushed, out_axes=-1)(units)
        columns.append(tree.map(lambda t, x=leaves[k]: reshape(t, (*t.shape[:-1], *x.shape)), changes))
    outer = tree.structure(columns[0])

    def by_argument(*parts):
        whole = tree.unflatten(structure, list(parts))
        return whole[0] if isinstance(argnums, int) else whole

    jacobian = tree.unflatten(outer, [by_argument(*parts) for parts in zip(*(tree.leaves(c) for c in columns))])
    return (jacobian, fun(*args, **kwargs)[1]) if has_aux else jacobian


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
