"""``kn.pure_callback``: functions of Python as operations, with JAX's name and signature."""
from . import _core, tree
from ._core import Array
from ._creation import asarray
from ._dtypes import BY_NAME
from ._errors import make
from ._front import name_of
from ._gradients import _arrays
from ._op_rules import OpRule, Type, run_rule

_METHODS = ("sequential", "expand_dims", "broadcast_all")
_forms = {}  # what tells a callback from another -> its name in programs
_NUMBERS = (bool, int, float, complex)


def pure_callback(callback, result_shape_dtypes, *args, vmap_method=None, **kwargs):
    """Calls a function of Python wherever the program runs: in eager, and from compiled code.

    The function gets arrays, runs outside of any recording, gradient or batch, and may do what it likes, with NumPy, Kiln or else. It must give the same
    for the same arguments: it may be called more often than it seems, or not at all where nothing needs its result.

    Parameters
    ----------
    callback : function
        ``callback(*args, **kwargs)`` gives arrays, or numbers, in the structure of ``result_shape_dtypes``.
    result_shape_dtypes : tree
        Of ``kn.ShapeDtypeStruct``, arrays, or other objects with ``.shape`` and ``.dtype``.
    *args, **kwargs : trees
        Of arrays and numbers.
    vmap_method : str
        How ``vmap`` runs it: ``"sequential"``: one example after another; ``"expand_dims"``: once, with the axis of the batch in front of all arrays, of size 1 for those
        without one; ``"broadcast_all"``: of its size. Without one it cannot be batched.

    Its derivative is that of ``custom_vjp`` or ``custom_jvp`` around it; without one there is none. What it raises, the call raises.

    Raises
    ------
    ShapeError, DTypeError
        For results of other types than were told.
    ValueError
        For results of another structure; in ``vmap`` without a method; in a gradient without a rule.
    TraceError
        For what is no function, and arguments that are no arrays; in a function that is exported.
    """
    if not callable(callback):
        raise make("TraceError", f"pure_callback: expected a function, got {type(callback).__name__}")
    if vmap_method not in (None, *_METHODS):
        raise make("ValueError", f"pure_callback: vmap_method: expected one of {', '.join(_METHODS)}, got {vmap_method!r}")
    types, results = tree.flatten(result_shape_dtypes)
    for t in types:
        if not hasattr(t, "shape") or not hasattr(t, "dtype"):
            raise make("ValueError", f"pure_callback: result_shape_dtypes: expected a tree of kn.ShapeDtypeStruct or arrays, got a {type(t).__name__}")
    leaves, structure = tree.flatten((args, kwargs))
    rule = _CallbackRule(_Call(callback, structure, results), [Type(t.shape, t.dtype) for t in types], vmap_method)
    found = run_rule(rule, _arrays("pure_callback", "arguments", leaves))
    return tree.unflatten(results, list(found))


class _Call:
    """A callback as a function of lists of arrays."""

    def __init__(self, callback, structure, results):
        self.callback, self.structure, self.results, self.name = callback, structure, results, name_of(callback)

    def key(self):
        """What tells it from others. Functions that were made anew of one code, and read nothing else, are one."""
        f = self.callback
        code, reads = getattr(f, "__code__", None), getattr(f, "__closure__", None) or getattr(f, "__defaults__", None) or getattr(f, "__kwdefaults__", None)
        same = (code, id(f.__globals__)) if code is not None and not reads else id(f)
        return same, str(self.structure), str(self.results)

    def __call__(self, arrays, types):
        args, kwargs = tree.unflatten(self.structure, arrays)
        leaves, structure = tree.flatten(self.callback(*args, **kwargs))
        if structure != self.results:
            raise make("ValueError", f"pure_callback '{self.name}': structure of the result: expected {self.results}, got {structure}")
        return [self._checked(x, t, number) for number, (x, t) in enumerate(zip(leaves, types))]

    def _checked(self, x, expected, number):
        """A result as an array. Python's numbers take the dtype that was told."""
        found = x if type(x) is Array else asarray(x, dtype=expected.dtype) if isinstance(x, _NUMBERS) else asarray(x)
        if found.shape != expected.shape:
            raise make("ShapeError", f"pure_callback '{self.name}': shape of result {number}: expected {expected.shape}, got {found.shape}")
        if found.dtype is not expected.dtype:
            raise make("DTypeError", f"pure_callback '{self.name}': dtype of result {number}: expected {expected.dtype.name}, got {found.dtype.name}")
        return found


class _CallbackRule(OpRule):
    several = True

    def __init__(self, call, types, method):
        self.call, self.types, self.method, self.name = call, types, method, f"pure_callback '{call.name}'"

    def apply(self, arrays):
        if not self.types:
            return []
        if not _core.has_mode():
            return self.call([_core.own_cell(x) for x in arrays], self.types)
        types = [(t.dtype, t.shape) for t in self.types]
        return _core.apply_custom(self._form(len(arrays)), arrays, types, ())

    def _form(self, operands):
        key = (*self.call.key(), operands, len(self.types))
        if key not in _forms:
            call = self.call
            _forms[key] = _core.declare_callback(lambda arrays, types: call(arrays, [Type(*t) for t in types]), self.name, operands, len(self.types)), call
        return _forms[key][0]

    def enlarged(self, size):
        return _CallbackRule(self.call, [Type((size, *t.shape), t.dtype) for t in self.types], self.method)

    def jvp(self, arrays, tangents):
        raise make("ValueError", f"{self.name}: derivative: expected a rule, got none: give one by kn.custom_jvp around it")

    def gradients(self, arrays, results, cotangents):
        raise make("ValueError", f"{self.name}: gradient: expected a rule, got none: give one by kn.custom_vjp or kn.custom_jvp around it")


_of_numbers = {}  # (function, what it is given beside arrays) -> (its name in programs, what has to stay)


def number_of(function, operands, kind):
    """What a function of C that only computes gives of numbers, as an array without axes: Python itself runs it, whenever the program runs.

    ``operands`` are arrays without axes, and numbers, which stay as they are; ``kind`` is ``float`` or ``int``: where the result is of another type, or the
    function raises, the call runs in eager, where it does so, too.
    """
    given = tuple(None if type(o) is Array else o for o in operands)
    key = id(function), repr(given)
    if key not in _of_numbers:
        _of_numbers[key] = _core.declare_number(function, f"'{name_of(function)}' of a number", given), function
    arrays = [o for o in operands if type(o) is Array]
    return _core.apply_custom(_of_numbers[key][0], arrays, [(BY_NAME["float64" if kind is float else "int64"], ())], ())[0]
