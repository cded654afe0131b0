"""How arguments and results of packages are put together: trees that JSON holds, of arrays by number and plain values.

A tree is a list whose head says what it is: ["array", n], ["value", v], ["number", text] (one that JSON has no form for), ["fixed", text] (something that
was given when the package was made), ["item", n] (of a result: the number that an array holds), ["list" | "tuple", items], ["dict", [[key, item], ...]] or ["namedtuple", name, fields, items].
"""
import collections
import inspect
import math

from ._core import Array
from ._errors import make

_KINDS = {k.name: k for k in inspect._ParameterKind}
_SIGNS = {"+": "{} + {}", "*": "{} * {}", "//": "{} // {}", "max()": "max({}, {})", "min()": "min({}, {})"}


def plain(value):
    """The tree of a plain value, or None."""
    if value is None or isinstance(value, (bool, str)):
        return ["value", value]
    if type(value) is int:
        return ["value", value] if -2**63 <= value < 2**63 else ["number", repr(value)]
    if type(value) is float:
        return ["value", value] if math.isfinite(value) else ["number", repr(value)]
    return ["number", repr(value)] if type(value) is complex else None


def number(text):
    """The number of a ["number", text]."""
    try:
        return int(text)
    except ValueError:
        return complex(text) if text.endswith(("j", "j)")) else float(text)


def is_namedtuple(value):
    return isinstance(value, tuple) and hasattr(type(value), "_fields")


def encode(value, path, leaf):
    """The tree of a value; ``leaf(value, path)`` gives that of what is no container of this page and no plain value. Paths are tuples of keys."""
    known = plain(value)
    if known is not None:
        return known
    if is_namedtuple(value):
        fields = type(value)._fields
        return ["namedtuple", type(value).__name__, list(fields), [encode(v, (*path, n), leaf) for n, v in zip(fields, value)]]
    if type(value) in (list, tuple):
        return [type(value).__name__, [encode(v, (*path, i), leaf) for i, v in enumerate(value)]]
    if type(value) is dict and all(isinstance(k, str) for k in value):
        return ["dict", [[k, encode(v, (*path, k), leaf)] for k, v in value.items()]]
    return leaf(value, path)


def text_of(path):
    """``batch["x"][0]`` of a path."""
    return str(path[0]) + "".join(f"[{k!r}]" for k in path[1:])


def build(tree, arrays):
    """The value of a tree, with these arrays."""
    kind, *rest = tree
    if kind == "array":
        return arrays[rest[0]]
    if kind == "item":
        return arrays[rest[0]].item()
    if kind == "value":
        return rest[0]
    if kind == "number":
        return number(rest[0])
    if kind == "dict":
        return {k: build(item, arrays) for k, item in rest[0]}
    items = [build(item, arrays) for item in rest[-1]]
    if kind == "namedtuple":
        return collections.namedtuple(rest[0], rest[1])(*items)
    return items if kind == "list" else tuple(items)


def take(tree, value, path, found, where):
    """Puts the arrays of an argument that has the form of a tree into ``found``, by number. Raises ValueError where it has another form."""
    def wrong(expected, got):
        raise make("ValueError", f"{where}: argument {text_of(path)}: expected {expected}, got {got}")

    kind, *rest = tree
    if kind == "array":
        found[rest[0]] = value
    elif kind in ("value", "number"):
        known = rest[0] if kind == "value" else number(rest[0])
        same = type(value) is type(known) and (value == known or value != value and known != known)
        if not same:
            wrong(f"{known!r}, as when the package was made", repr(value)[:60])
    elif kind == "fixed":
        wrong(f"none, as {rest[0]} is in the package", type(value).__name__)
    elif kind == "dict":
        if type(value) is not dict or set(value) != {k for k, _ in rest[0]}:
            wrong(f"a dict of {', '.join(repr(k) for k, _ in rest[0])}", f"one of {', '.join(map(repr, value))}" if type(value) is dict else type(value).__name__)
        for key, item in rest[0]:
            take(item, value[key], (*path, key), found, where)
    else:
        items = rest[-1]
        fits = isinstance(value, list) if kind == "list" else isinstance(value, tuple)
        if not fits or len(value) != len(items):
            wrong(f"a {kind} of {len(items)}", f"a {type(value).__name__}" + (f" of {len(value)}" if fits else ""))
        for i, (item, part) in enumerate(zip(items, value)):
            take(item, part, (*path, i), found, where)


def has_arrays(tree):
    """Whether a tree has an array in it."""
    kind, *rest = tree
    return kind == "array" or kind == "dict" and any(has_arrays(item) for _, item in rest[0]) or kind in ("list", "tuple", "namedtuple") and any(map(has_arrays, rest[-1]))


def check(signature, inputs, outputs):
    """Whether a signature that a file says is one: trees of known kinds that have each array of ``inputs`` once, and results below ``outputs``."""
    def arrays(tree):
        kind, *rest = tree
        if kind in ("array", "item"):
            (place,) = rest
            return [place] if type(place) is int else [-1]
        if kind in ("list", "tuple", "namedtuple", "dict"):
            if kind == "namedtuple" and len(collections.namedtuple(*rest[:2])._fields) != len(rest[2]):
                return [-1]
            items = rest[-1] if kind != "dict" else [item for _, item in rest[0]]
            return [place for item in items for place in arrays(item)]
        if kind == "number":
            number(*rest)
        known = kind == "value" and plain(*rest) is not None or kind in ("number", "fixed") and isinstance(*rest, str)
        return [] if known else [-1]

    try:
        Parameters(signature["parameters"])
        given = [place for _, _, tree in signature["parameters"] for place in arrays(tree)]
        return sorted(given) == sorted(inputs) and all(0 <= place < outputs for place in arrays(signature["result"]))
    except (KeyError, IndexError, TypeError, ValueError, AttributeError):
        return False


def size_text(size):
    """A size of a manifest as Python writes it: ``(n + 1) // 2``."""
    if not isinstance(size, list):
        return str(size)
    stack = []  # texts, and whether they need parentheses inside of others
    for item in size:
        if item in _SIGNS:
            (b, is_sum_b), (a, is_sum_a) = stack.pop(), stack.pop()
            is_call = item.endswith("()")
            inside = [f"({t})" if (is_sum and item != "+" and not is_call) else t for t, is_sum in ((a, is_sum_a), (b, is_sum_b))]
            stack.append((_SIGNS[item].format(*inside).replace("+ -", "- "), not is_call))
        else:
            stack.append((str(item), False))
    return stack[0][0]


class Parameters:
    """The parameters of an entry: what of a call goes where."""

    def __init__(self, parameters):
        """``parameters``: a list of [name, kind, tree], as a signature in a package has it."""
        self.trees = {name: tree for name, _, tree in parameters if tree[0] != "fixed"}
        given, needed = [], False  # from the last one: a default must not stand before a parameter without
        for name, kind, tree in reversed(parameters):
            if name not in self.trees:
                continue
            is_value = kind in ("POSITIONAL_ONLY", "POSITIONAL_OR_KEYWORD", "KEYWORD_ONLY") and not has_arrays(tree)
            has_default = is_value and (kind == "KEYWORD_ONLY" or not needed)
            needed |= kind.startswith("POSITIONAL") and not has_default
            given.append(inspect.Parameter(name, _KINDS[kind], default=build(tree, ()) if has_default else inspect.Parameter.empty))
        self.signature = inspect.Signature(given[::-1])

    def arrays(self, args, kwargs, where):
        """The arrays of a call by their number. Raises TypeError or ValueError for another form of call."""
        try:
            bound = self.signature.bind(*args, **kwargs)
        except TypeError as error:
            raise TypeError(f"{where}: {error}; the signature is {self.signature}") from None
        found = {}
        for name, tree in self.trees.items():
            if name in bound.arguments:
                take(tree, bound.arguments[name], (name,), found, where)
            elif has_arrays(tree):  # *args and **kwargs that were left out
                raise make("ValueError", f"{where}: argument {name}: expected as many arrays as when the package was made, got none")
        return found


def is_array(value):
    """An array of Kiln or NumPy, also a number of NumPy's."""
    return isinstance(value, Array) or hasattr(value, "__array__") and hasattr(value, "dtype") and hasattr(value, "shape")


def output_of(value, path, outputs, entry):
    """An array of the result."""
    if not isinstance(value, Array):
        raise make("TraceError", f"export: result of '{entry}': expected arrays, plain values, or dicts, lists and tuples of them, got a {type(value).__name__} at {text_of(path)}")
    for number, (known, _) in enumerate(outputs):
        if known is value:
            return ["array", number]
    outputs.append((value, path))
    return ["array", len(outputs) - 1]
