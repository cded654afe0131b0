"""What a function reads besides its arguments, from its bytecode.

A compiled call is right only while everything that the recording depended on is unchanged. Names of modules and closures
that hold numbers, strings, functions, modules or arrays can be watched; what reads any other Python state (attributes of
objects, captured lists and dicts), or acts on it, cannot, and its calls run in eager. The analysis follows the functions
that a function names; it is done once a recording, never on a hit.
"""
import builtins
import dataclasses
import functools
import math
import os
import sys
import types
from opcode import opmap, opname, HAVE_ARGUMENT, EXTENDED_ARG

from . import _core, tree

_FOLDER = os.path.dirname(os.path.abspath(__file__))
_LIBRARIES = os.path.dirname(os.path.abspath(os.__file__)) + os.sep
_CACHE = opmap.get("CACHE", 0)

# Builtins that only compute. Those that act, or that read what no guard watches, are left out.
_PURE = {getattr(builtins, name) for name in (
    "abs all any bool complex dict divmod enumerate filter float int isinstance len list map max min pow range reversed "
    "round slice sorted str sum tuple zip frozenset set repr ArithmeticError AssertionError Exception IndexError "
    "KeyError LookupError OverflowError RuntimeError StopIteration TypeError ValueError ZeroDivisionError "
    "NotImplementedError Ellipsis NotImplemented").split()}
_IMMUTABLE = (int, float, complex, str, bytes, bool, type(None), type(Ellipsis))
_STORES = {"STORE_GLOBAL": "writes a global", "DELETE_GLOBAL": "deletes a global", "STORE_ATTR": "writes an attribute",
           "DELETE_ATTR": "deletes an attribute", "IMPORT_NAME": "imports a module", "IMPORT_STAR": "imports a module",
           "LOAD_BUILD_CLASS": "defines a class", "GET_AWAITABLE": "awaits"}


def _instructions(code):
    """(offset, name, argument) of each instruction, caches left out."""
    raw, extended = code.co_code, 0
    for offset in range(0, len(raw), 2):
        op, arg = raw[offset], raw[offset + 1]
        if op == _CACHE:
            continue
        arg |= extended
        extended = arg << 8 if op == EXTENDED_ARG else 0
        if op != EXTENDED_ARG:
            yield offset, opname[op], arg if op >= HAVE_ARGUMENT else None


def _name_index(name, arg):
    """The index of the name that an attribute instruction reads; from CPython 3.12 its lowest bit says something else."""
    return arg >> 1 if name == "LOAD_ATTR" and sys.version_info >= (3, 12) else arg


def _line(code, offset):
    for start, end, line in code.co_lines():
        if start <= offset < end:
            return line
    return code.co_firstlineno


# Attributes that values of a call may have: of arrays, numbers, text and containers. Any other name may belong to an object
# whose attributes nobody watches.
@functools.cache
def _attributes():
    from . import _selection, linalg
    results = [v for module in (_selection, linalg) for v in vars(module).values() if hasattr(v, "_fields")]
    kinds = (_core.Array, _selection.At, int, float, complex, str, list, tuple, dict, set, range, slice, BaseException, *results)
    return {name for kind in kinds for name in dir(kind)}


class _Analysis:
    def __init__(self, types_):
        self.fields = set().union(*(tree.fields_of(t) for t in types_))
        self.places, self.why, self.seen = [], None, set()
        self.known = set()
        self.codes = set()

    def fail(self, code, offset, text):
        if self.why is None:
            self.why = f"{os.path.basename(code.co_filename)}:{_line(code, offset)}: {text}"

    def add(self, container, key):
        if (id(container), key) not in self.known:
            self.known.add((id(container), key))
            self.places.append((container, key))

    def function(self, fn, code=None, offset=0):
        """A user function: its globals, its closure, and whatever it names."""
        if isinstance(fn, types.MethodType):
            self.fail(fn.__func__.__code__, 0, "is a method: attributes of its object are read")
            return
        if fn in self.seen:
            return
        self.seen.add(fn)
        for default in (*(fn.__defaults__ or ()), *(fn.__kwdefaults__ or {}).values()):
            if not self.is_constant(default):
                self.fail(fn.__code__, 0, f"has a default value of type {type(default).__name__}, which may change")
        cells = dict(zip(fn.__code__.co_freevars, fn.__closure__ or ()))
        self.code(fn.__code__, fn.__globals__, cells)

    def is_constant(self, value):
        if isinstance(value, (tuple, frozenset)):
            return all(self.is_constant(v) for v in value)
        return isinstance(value, _IMMUTABLE) or type(value).__module__ == "kiln._dtypes"

    def code(self, code, names, cells):
        """One code object; `cells` are the closure cells that exist before the call."""
        self.codes.add(code)
        instructions = list(_instructions(code))
        variables = code.co_varnames + tuple(c for c in code.co_cellvars if c not in code.co_varnames) + code.co_freevars
        at = 0
        while at < len(instructions) and self.why is None:
            offset, name, arg = instructions[at]
            at += 1
            if name in _STORES:
                self.fail(code, offset, _STORES[name])
            elif name in ("LOAD_GLOBAL", "LOAD_NAME", "LOAD_FROM_DICT_OR_GLOBALS"):
                key = code.co_names[arg >> 1 if name == "LOAD_GLOBAL" else arg]
                container = names if key in names else vars(builtins)
                if container is not names:
                    self.add(names, key)  # watched to stay absent: a global would shadow the builtin
                at = self.read(container, key, container.get(key), code, instructions, at, offset)
            elif name in ("LOAD_DEREF", "LOAD_CLASSDEREF", "LOAD_FROM_DICT_OR_DEREF") and variables[arg] in cells:
                cell = cells[variables[arg]]
                try:
                    value = cell.cell_contents
                except ValueError:
                    continue
                at = self.read(cell, None, value, code, instructions, at, offset)
            elif name in ("STORE_DEREF", "DELETE_DEREF") and variables[arg] in cells:
                self.fail(code, offset, f"writes '{variables[arg]}' of an enclosing function")
            elif name in ("LOAD_ATTR", "LOAD_METHOD"):
                attribute = code.co_names[_name_index(name, arg)]
                if attribute not in _attributes() and attribute not in self.fields:
                    self.fail(code, offset, f"reads the attribute '{attribute}' of an object")
        for constant in code.co_consts:
            if isinstance(constant, types.CodeType) and self.why is None:
                self.code(constant, names, {n: c for n, c in cells.items() if n in constant.co_freevars})

    def read(self, container, key, value, code, instructions, at, offset):
        """A watched name, with the attributes that are read of it while it is a module."""
        label = key or "a closure variable"
        self.add(container, key)
        while isinstance(value, types.ModuleType):
            if at >= len(instructions) or instructions[at][1] not in ("LOAD_ATTR", "LOAD_METHOD"):
                self.fail(code, offset, f"uses the module '{label}' as a value")
                return at
            _, name, arg = instructions[at]
            key = code.co_names[_name_index(name, arg)]
            container, label = vars(value), f"{label}.{key}"
            if key not in container:  # a lazy attribute: AttributeError, or made now
                getattr(value, key, None)
            value = container.get(key)
            self.add(container, key)
            at += 1
        self.judge(value, label, code, offset)
        if isinstance(value, (types.FunctionType, _core.JitFunction)) and at < len(instructions) and instructions[at][1] in ("LOAD_ATTR", "LOAD_METHOD"):
            self.fail(code, offset, f"reads an attribute of the function '{label}'")
        return at

    def judge(self, value, label, code, offset):
        if value is None or self.is_constant(value) or isinstance(value, (_core.Array, _core.OpFunction)):
            return
        if isinstance(value, _core.JitFunction):
            return self.function(value.__wrapped__, code, offset)
        if _is_container(value):
            self.fields |= tree.fields_of(value)
            return
        if isinstance(value, types.FunctionType):
            file = value.__code__.co_filename
            if file.startswith(_LIBRARIES) or "site-packages" in file and not file.startswith(_FOLDER):
                self.fail(code, offset, f"calls '{label}' of another library, which is not known to only compute")
            elif not file.startswith(_FOLDER):  # Kiln's own functions are known
                self.function(value)
        elif isinstance(value, (types.BuiltinFunctionType, type)):
            module = getattr(value, "__module__", "") or ""
            known = value in _PURE or value in vars(math).values() or module.startswith("kiln") and value is not _core.Array
            if not known:
                self.fail(code, offset, f"calls '{label}', which is not known to only compute")
        else:
            self.fail(code, offset, f"reads '{label}', a {type(value).__name__} that may change unseen")


def _is_container(value):
    """Whether making an object of a class only puts it together: named tuples, plain dataclasses, registered classes."""
    if not isinstance(value, type):
        return False
    is_named_tuple = issubclass(value, tuple) and hasattr(value, "_fields")
    return is_named_tuple or value in tree._registered or dataclasses.is_dataclass(value) and not hasattr(value, "__post_init__")


def analyze(fn, classes, values):
    """([(container, key)], why): the places to watch, or why the function's calls run in eager; `classes` are those of its arguments."""
    analysis = _Analysis(classes)
    while hasattr(fn, "__wrapped__") and isinstance(fn, _core.JitFunction):
        fn = fn.__wrapped__
    if isinstance(fn, _core.OpFunction) or isinstance(fn, types.FunctionType) and fn.__code__.co_filename.startswith(_FOLDER):
        return [], None, ()  # Kiln's own functions read nothing that changes
    if not isinstance(fn, types.FunctionType):
        return [], f"{type(fn).__name__} objects are not analyzed: jit a plain function", ()
    analysis.function(fn)
    return analysis.places, analysis.why, tuple(analysis.codes)
