"""Derivatives of functions, with JAX's names and signatures: ``grad``, ``vjp``, ``jvp`` and what follows from them.

A function is called with arrays that carry a derivative through every operation, by the rules of its ops. Its arguments
and results are trees (``kn.tree``); gradients of complex numbers are conjugate to JAX's, as in PyTorch.
"""
import functools

from . import _core, tree
from ._core import Array
from ._creation import asarray
from ._errors import make
from ._front import name_of


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
        arguments = _unflatten(self.structure, arrays)
        if type(self.structure) is not int:
            _core.note_made(arguments)
        result = self.function(*arguments)
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
    arguments = _arrays("jvp", "primals", leaves)
    given = _directions("jvp", arguments, structure, tangents)
    call = _Call("jvp", fun, structure, has_aux)
    results, changes = _core.jvp(call, arguments, given)
    result, aux = call.rebuild(results)
    change = _unflatten(call.result, _filled(results[:call.count], changes))
    return (result, change, aux) if has_aux else (result, change)


def _filled(arrays, changes):
    return [_zeros_like(x) if t is None else t for x, t in zip(arrays, changes)]


def _directions(op, arguments, structure, tangents):
    """The tangents of arguments: None for those that are no floating arrays."""
    moving, other = _flatten(tuple(tangents))
    if _whole(other) != _whole(structure):
        raise make("ValueError", f"{op}: structure of the tangents: expected {_whole(structure)}, got {_whole(other)}")
    given = []
    for x, t in zip(arguments, _arrays(op, "tangents", moving)):
        if t.shape != x.shape:
            raise make("ShapeError", f"{op}: shape of a tangent: expected {x.shape}, got {t.shape}")
        given.append(_core.astype(t, x.dtype) if _is_inexact(x) else None)
    return given


class _Linear:
    """The derivative of one call in the direction of tangents: its pullback, which is linear, transposed."""

    def __init__(self, back):
        self._back = back
        _, self._push = _core.vjp(self._pulled, [_core.full(x.shape, 1, x.dtype, x.device) for x in back._results if _is_inexact(x)])  # of 0, singular ones are 0

    def _pulled(self, cotangents):
        rest, back = iter(cotangents), self._back
        given = [next(rest) if _is_inexact(x) else None for x in back._results]
        return _filled(back._arguments, back._pullback(given + [None] * len(back._call.plain)))

    def __call__(self, *tangents):
        back = self._back
        changes = iter(self._push(_directions("linearize", back._arguments, back._call.structure, tangents)))
        moved = [next(changes) if _is_inexact(x) else None for x in back._results]
        return _unflatten(back._call.result, _filled(back._results, moved))


def linearize(fun, *primals, has_aux=False):
    """The result of ``fun(*primals)``, and the function that gives its derivative there in the direction of tangents.

    ``fun`` runs once: what becomes of its arguments and of what it reads does not change the derivative. With ``has_aux``, ``fun`` gives (result, aux), and aux
    is returned last.
    """
    _check("linearize", fun)
    result, back, aux = _vjp("linearize", fun, primals, has_aux)
    return (result, _Linear(back), aux) if has_aux else (result, _Linear(back))


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
        if x.dtype.name.startswith("float8"):
            raise make("DTypeError", f"{op}: dtype of an argument: expected one that is computed with, got {x.dtype}: convert it with kn.astype")


def _check_number(fun, result):
    if not isinstance(result, Array) or result.shape != ():
        raise make("ShapeError", f"grad: result of '{name_of(fun)}': expected an array of shape (), got {getattr(result, 'shape', type(result).__name__)}")
    if result.dtype.kind != "f":
        raise make("DTypeError", f"grad: result of '{name_of(fun)}': expected a real floating dtype, got {result.dtype}")


def _check_reached(fun, result):
    if type(result) is not Array and _is_number(result):
        raise make("TraceError", f"grad: result of '{name_of(fun)}': expected an array, got {type(result).__name__}, which no derivative reaches: float(), .item(), math and "
                   "NumPy's own functions give numbers (a constant is kn.asarray(number))")


def _number(fun, result):
    """The result of a function that is to be differentiated, as an array."""
    _check_reached(fun, result)
    leaves, structure = _flatten(result)
    result = _unflatten(structure, _arrays("grad", "result", leaves))
    _check_number(fun, result)
    return result


def _value_and_grad(fun, argnums, has_aux, args, kwargs):
    if not has_aux:
        found = _core.gradient(fun, args, kwargs, argnums, _number)
        if found is not None:
            return found
    numbers = _chosen("grad", argnums, args)
    some = tuple([args[n] for n in numbers])
    partial = _of_some(fun, numbers, args, kwargs)

    def checked(*some):
        result = partial(*some)
        _check_reached(fun, result[0] if has_aux and type(result) is tuple and result else result)
        return result

    result, back, aux = _vjp("grad", checked, some, has_aux, True)
    _check_number(fun, result)
    gradients = back(_core.full((), 1, result.dtype, result.device))
    return (result, aux) if has_aux else result, gradients[0] if isinstance(argnums, int) else gradients


def value_and_grad(fun, argnums=0, has_aux=False):
    """A function that gives ``fun``'s result, a real number, and its gradient by the arguments at ``argnums``.

    The gradient has the structure of the argument; of several positions it is a tuple. With ``has_aux``, ``fun`` gives (result, aux), and so does this in the
    place of the result. Raises ShapeError or DTypeError where the result is no real floating number, TraceError where it is none of an array (``float(x)``),
    DTypeError for arguments of another dtype.
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
