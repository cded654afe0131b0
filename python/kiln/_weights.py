"""Names of the arrays that a function reads besides its arguments, as the user would write them."""
import types

from ._core import Array, JitFunction, memory_key

_DEEPEST = 12


def _children(value):
    """(name, object) of what an object holds, for a name like ``layers.0.weight``."""
    if type(value) is dict:
        return [(k, v) for k, v in value.items() if isinstance(k, str)]
    if isinstance(value, (list, tuple)):
        names = getattr(type(value), "_fields", map(str, range(len(value))))
        return list(zip(names, value))
    if isinstance(value, (types.ModuleType, type, types.FunctionType)) or not hasattr(value, "__dict__"):
        return []
    return list(vars(value).items())


def names_of(arrays, function, prefix, arguments):
    """A name for each array: its path from the object whose method the function is, from an argument, or from a name that the function reads.
    None for what has none."""
    keys = [memory_key(a) for a in arrays]
    wanted, found, seen = set(keys), {}, set()
    roots = [("", p) for p in prefix] + list(arguments.items())
    while isinstance(function, JitFunction):
        function = function.__wrapped__
    code = getattr(function, "__code__", None)
    if code is not None:
        cells = [(n, c) for n, c in zip(code.co_freevars, function.__closure__ or ())]
        for name, cell in cells:
            try:
                roots.append((name, cell.cell_contents))
            except ValueError:  # empty
                pass
        roots += [(n, function.__globals__[n]) for n in code.co_names if n in function.__globals__]
    level = [(name, value) for name, value in roots]
    for _ in range(_DEEPEST):  # the shortest path first
        following = []
        for path, value in level:
            if isinstance(value, Array):
                if memory_key(value) in wanted:
                    found.setdefault(memory_key(value), path)
            elif id(value) not in seen:
                seen.add(id(value))
                following += [(f"{path}.{name}" if path else name, child) for name, child in _children(value)]
        if len(found) == len(wanted):
            break
        level = following
    return [found.get(key) for key in keys]
