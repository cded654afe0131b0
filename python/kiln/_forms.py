"""NumPy's forms of elementwise functions: what the native ones hand on when they are called with more than arrays and numbers."""
import inspect

from ._arguments import ops
from ._errors import make

_NAMED = ("out", "where", "dtype", "casting", "order", "subok")


def call(name, args, named):
    """The op of a name with ``out``, ``where``, ``dtype``, or with sequences among its operands.

    Raises DTypeError for operands of other types, too few or too many of them, and other keywords.
    """
    from ._numpy import ufuncs
    function = ufuncs.ALL.get(name) or ufuncs.ufunc(name, ops[name], len(inspect.signature(ops[name]).parameters))
    for keyword in named:
        if keyword not in _NAMED:
            raise make("DTypeError", f"{name}: arguments: expected {', '.join(_NAMED)} by name, got {keyword!r}")
    for value in args[:function.nin]:
        if value is None or isinstance(value, (str, bytes, dict, set)):
            raise make("DTypeError", f"{name}: operand: expected an array or a number, got {type(value).__name__}")
    return function(*args, **named)
