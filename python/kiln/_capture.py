"""What a function reads besides its arguments, from its bytecode: everything that is not known to be watchable runs in eager.

A compiled call is right only while all that its recording depended on is unchanged. The places that can be watched are names of
modules and closures, functions (code and defaults) and classes (their version); what they hold is judged by tables below, and so is
every instruction. The analysis follows all functions that may be called; it is done once a recording, never on a hit.
"""
import collections
import functools
import os
import sys
import types

from . import _core, tree
from ._bytecode import instructions_of, is_asked_for, is_filled, line_at, name_of, only_raises
from ._front import Bound, call_object
from ._known import (DENIED, INTRINSICS, INTROSPECTIVE, KNOWN, NOT_IMPLICIT, PURE, REPR_CODE, TEXT, attributes_of_values, computes, is_constant,
                     is_numpy_scalar, is_op, is_own, is_plain_error)
from ._objects import allocates_plainly, instance_names

LIBRARIES = os.path.dirname(os.path.abspath(os.__file__)) + os.sep
_TEXT_METHODS = ("__repr__", "__str__", "__format__")  # these run where text is made elsewhere
_HEAP = 1 << 9  # of a class's flags: made by a class statement
_MOST_FUNCTIONS = 300
_FIELD_OF_TUPLE = getattr(collections, "_tuplegetter", property)


class _Stop(Exception):
    """Why the calls run in eager."""


class _Analysis:
    def __init__(self):
        self.places, self.known, self.seen, self.kept = [], set(), set(), []
        self.codes = set()
        self.names, self.attributes = set(), {}  # attributes that objects may have, and those that are read
        self.classes, self.modules, self.owners = [], [], []
        self.nameless, self.texts = [], []  # classes whose objects' text is their address, and where text is made
        self.at = None  # (code, offset) that is looked at
        self.trail = []  # the same of the functions that lead there

    def fail(self, text):
        places = [(code.co_filename, f"{os.path.basename(code.co_filename)}:{line_at(code, offset)}: ") for code, offset in filter(None, [*self.trail, self.at])]
        own = [where for file, where in places if not file.startswith(LIBRARIES) and "site-packages" not in file]
        if own and places[-1][1] != own[-1]:
            raise _Stop(f"{own[-1]}leads to {places[-1][1]}{text}")
        raise _Stop((places[-1][1] if places else "") + text)

    def watch(self, container, key=None):
        if (id(container), key) not in self.known:
            self.known.add((id(container), key))
            self.places.append((container, key))

    def once(self, *what):
        """Whether something has not been looked at yet."""
        key = tuple(id(w) for w in what)
        self.kept.append(what)
        return not (key in self.seen or self.seen.add(key))

    # Values

    def judge(self, value, label):
        """A value that is read: known, or followed, or the end."""
        if is_constant(value) or isinstance(value, (_core.Array, _core.OpFunction)) or id(value) in PURE and PURE[id(value)] is value:
            return
        if isinstance(value, (_core.JitFunction, Bound)):
            self.judge(value.__wrapped__, label)
        elif is_op(value):
            for name in value.functions:
                self.watch(vars(value), name)
                if callable(vars(value).get(name)):
                    self.judge(vars(value)[name], label)
        elif getattr(value, "__code__", None) is call_object.__code__:
            return  # of a callable object, which is an argument
        elif isinstance(value, (types.FunctionType, type)) and is_own(value) and computes(value) is not None:
            if not computes(value):
                self.fail(f"uses '{label}', which does more than compute")
        elif isinstance(value, types.FunctionType):
            self.function(value)
        elif isinstance(value, types.MethodType) and isinstance(value.__self__, type):
            self.judge(value.__self__, label)
            self.judge(value.__func__, label)
        elif type(value) is functools.partial:
            self.partial(value, label)
        elif type(value) is types.ModuleType and (value.__name__ + ".").startswith("kiln."):
            self.namespace(value)
        elif isinstance(value, type):
            if not is_numpy_scalar(value):
                self.constructor(value, label)
        else:
            self.fail(f"calls '{label}', which is not known to only compute" if callable(value) else f"reads '{label}', a {type(value).__name__} that may change unseen")

    def partial(self, value, label):
        if vars(value) or not isinstance(value.func, types.FunctionType):
            self.fail(f"calls '{label}', a partial object of something else than a plain function")
        if value.func.__code__.co_flags & 8:
            self.fail(f"calls '{label}', a partial object of a function with **{value.func.__code__.co_varnames[-1]}")
        for name in ("func", "args", "keywords"):
            self.watch(value, name)
        for v in (*value.args, *value.keywords.values()):
            self.judge(v, label)
        for name in value.func.__code__.co_varnames[:value.func.__code__.co_argcount + value.func.__code__.co_kwonlyargcount]:
            self.watch(value.keywords, name)
        self.judge(value.func, label)

    def function(self, fn, fresh=None):
        """A function: its code, defaults, globals and closure, and whatever it names."""
        if not self.once(fn, fresh):
            return
        if len(self.seen) > _MOST_FUNCTIONS:
            self.fail("leads to too many functions")
        self.trail.append(self.at)
        self.at = (fn.__code__, 0)
        for name in ("__code__", "__defaults__", "__kwdefaults__"):
            self.watch(fn, name)
        for name in fn.__kwdefaults__ or ():
            self.watch(fn.__kwdefaults__, name)
        for default in (*(fn.__defaults__ or ()), *(fn.__kwdefaults__ or {}).values()):
            if not is_constant(default):
                self.fail(f"has a default value of type {type(default).__name__}, which may change")
        cells = dict(zip(fn.__code__.co_freevars, fn.__closure__ or ()))
        self.code(fn.__code__, fn.__globals__, fn.__builtins__, cells, fresh)
        self.at = self.trail.pop()

    # Classes and namespaces: owners of attributes that values of the call may have

    def admit(self, cls):
        """A class that objects of the call have: its special methods, and what an attribute of its name may be."""
        if not self.once(cls, "class"):
            return
        if not allocates_plainly(cls):
            self.fail(f"uses {cls.__qualname__} objects, whose class is not known to be plain")
        self.watch(cls)
        self.names |= instance_names(cls) | set(tree.fields_of(cls))
        self.classes.append(cls)
        if not any({"__repr__", "__str__"} & {*vars(k)} for k in _own_classes(cls)) and not issubclass(cls, tuple):
            self.nameless.append(cls)
        for name in sorted({n for k in _own_classes(cls) for n in vars(k)}):
            if name == "__del__":
                self.fail(f"uses {cls.__qualname__} objects, which have a finalizer")
            if name in self.names or name[:2] == name[-2:] == "__" and name not in NOT_IMPLICIT:
                self.member(cls, name)
        for function in tree._registered.get(cls, ()):
            self.judge(function, cls.__qualname__)
        self.owner(lambda name: self.member(cls, name))

    def constructor(self, cls, label):
        """A class that is called: what its objects do when they are made."""
        if is_plain_error(cls):
            return self.watch(cls)
        if not allocates_plainly(cls):
            self.fail(f"calls '{label}', which is not known to only compute")
        self.admit(cls)
        for k in _own_classes(cls):
            for name in ("__new__", "__init__", "__post_init__"):
                found = vars(k).get(name)
                found = found.__func__ if isinstance(found, staticmethod) else found
                if isinstance(found, types.FunctionType):
                    if any("__setattr__" in vars(c) for c in _own_classes(cls)):
                        self.fail(f"makes {cls.__qualname__} objects, whose attributes are set by a method")
                    self.function(found, cls if name != "__new__" else None)
                elif found is not None:
                    self.fail(f"makes {cls.__qualname__} objects in an unknown way")

    def member(self, cls, name):
        """What a class and those that it inherits from have under a name, if anything."""
        for found in [vars(k)[name] for k in _own_classes(cls) if name in vars(k)]:
            if isinstance(found, (staticmethod, classmethod)):
                found = found.__func__
            if isinstance(found, property):
                found = found.fget
            if getattr(found, "__code__", None) is REPR_CODE:  # dataclasses' own
                found = found.__wrapped__
            if found is not None and not isinstance(found, (types.MemberDescriptorType, types.GetSetDescriptorType, _FIELD_OF_TUPLE)):
                self.judge(found, f"{cls.__qualname__}.{name}")

    def namespace(self, module):
        """A module of Kiln that is a value: any of its names may be read."""
        if self.once(module):
            def look(name):
                if name in vars(module):
                    self.watch(vars(module), name)
                    self.judge(vars(module)[name], f"{module.__name__}.{name}")
            self.modules.append(module)
            self.owner(look)

    def owner(self, look):
        """Something that attributes are looked up in: those met so far, and all further ones."""
        self.owners.append(look)
        for name in list(self.attributes):
            look(name)

    def attribute(self, name):
        """An attribute of some value, looked up in the owners; whether it is known at all is asked at the end."""
        if name == "__array_namespace__":
            self.namespace(sys.modules["kiln"])
        if name not in self.attributes:
            self.attributes[name] = self.at
            for look in list(self.owners):
                look(name)

    def finish(self):
        """What can be asked only when all has been seen."""
        for self.at in self.texts if self.nameless else ():
            self.fail(f"makes text while there are {self.nameless[0].__qualname__} objects, whose text is their address")
        for name, self.at in self.attributes.items():
            is_member = any(name in vars(k) for cls in self.classes for k in _own_classes(cls)) or any(name in vars(m) for m in self.modules)
            if name in INTROSPECTIVE or not (is_member or name in self.names or name in attributes_of_values()):
                self.fail(f"reads the attribute '{name}' of an object")

    # Code

    def code(self, code, names, builtin_names, cells, fresh):
        """One code object; `cells` are the closure cells that exist before the call, `fresh` is the class of an object that it makes."""
        self.codes.add(code)
        instructions, at = instructions_of(code), 0
        variables = code.co_varnames + tuple(c for c in code.co_cellvars if c not in code.co_varnames) + code.co_freevars
        while at < len(instructions):
            offset, name, arg = instructions[at]
            self.at, at = (code, offset), at + 1
            if name in TEXT and code.co_name not in _TEXT_METHODS and not only_raises(instructions, at):
                self.texts.append(self.at)
            if name in KNOWN:
                continue
            if name in DENIED:
                self.fail(DENIED[name])
            elif name in ("LOAD_GLOBAL", "LOAD_NAME"):
                key = name_of(code, name, arg)
                container = names if key in names else builtin_names
                if container is not names:
                    self.watch(names, key)  # to stay absent: a global would shadow the builtin
                at = self.read(container, key, container.get(key), key, code, at)
            elif name == "LOAD_DEREF":
                cell = cells.get(variables[arg])
                if cell is not None and is_filled(cell):
                    at = self.read(cell, None, cell.cell_contents, variables[arg], code, at)
            elif name in ("STORE_DEREF", "DELETE_DEREF"):
                if variables[arg] in cells:
                    self.fail(f"writes '{variables[arg]}' of an enclosing function")
            elif name in ("LOAD_ATTR", "LOAD_METHOD"):
                self.attribute(name_of(code, name, arg))
            elif name == "LOAD_SUPER_ATTR":
                self.attribute(code.co_names[arg >> 2])
            elif name == "STORE_ATTR":
                self.store(code, instructions, at - 2, code.co_names[arg], fresh)
            elif not (name == "CALL_INTRINSIC_1" and arg in INTRINSICS):
                self.fail(f"uses the instruction {name}, which is not known")
        for constant in code.co_consts:
            if isinstance(constant, types.CodeType):
                self.code(constant, names, builtin_names, {n: c for n, c in cells.items() if n in constant.co_freevars}, None)

    def store(self, code, instructions, before, name, fresh):
        """An attribute that is set: only of the object that a constructor makes, its first argument."""
        _, load, arg = instructions[before] if before >= 0 else (0, "", 0)
        is_self = load == "LOAD_FAST" and arg == 0 or load in ("LOAD_FAST_LOAD_FAST", "STORE_FAST_LOAD_FAST") and arg & 15 == 0
        rebinds = any(n == "STORE_FAST" and a == 0 for _, n, a in instructions)
        found = next((vars(k)[name] for k in fresh.__mro__ if name in vars(k)), None) if fresh else None
        if not (fresh and is_self) or rebinds or hasattr(found, "__set__") and not isinstance(found, types.MemberDescriptorType):
            self.fail(f"writes the attribute '{name}'")
        self.names.add(name)

    def read(self, container, key, value, label, code, at):
        """A name, with the attributes that are read of it while it is a module or a class; where to go on."""
        self.watch(container, key)
        instructions = instructions_of(code)
        while at < len(instructions) and instructions[at][1] in ("LOAD_ATTR", "LOAD_METHOD"):
            name = name_of(code, *instructions[at][1:])
            if type(value) is types.ModuleType:
                if name not in vars(value) and "__getattr__" in vars(value):
                    self.fail(f"reads '{label}.{name}', which the module makes when it is asked")
                self.watch(vars(value), name)
                value = vars(value).get(name)
            elif type(value) is type and value.__flags__ & _HEAP and not is_own(value) and not is_numpy_scalar(value):
                self.watch(value)
                self.member(value, name)
                return at + 1
            else:
                break
            label, at = f"{label}.{name}", at + 1
        else:
            name = None
        if isinstance(value, types.ModuleType) and not (value.__name__ + ".").startswith("kiln."):
            self.fail(f"uses the module '{label}' as a value")
        if (value is str or value is repr) and not only_raises(instructions, at):
            self.texts.append(self.at)
        if type(value) is type and (label == "__class__" or is_asked_for(code, instructions, at)) and allocates_plainly(value):
            return self.admit(value) or at
        if name and isinstance(value, (types.FunctionType, _core.JitFunction, functools.partial)):
            self.fail(f"reads an attribute of the function '{label}'")
        self.judge(value, label)
        return at


def _own_classes(cls):
    """The class and those that it inherits from, without object and tuple."""
    return [k for k in cls.__mro__ if k not in (object, tuple)]


def analyze(fn, classes, values=()):
    """([(container, key)], why, codes): the places to watch, or why the function's calls run in eager, and all code that may run in them.

    `classes` are those of container arguments, `values` the static arguments. A place is a dict and a key, a cell and None, a function
    and the name of its code or defaults, or a class and None.
    """
    analysis = _Analysis()
    try:
        for cls in classes:
            analysis.admit(cls)
        for value in values:
            analysis.judge(value, "an argument")
        analysis.judge(fn, getattr(fn, "__qualname__", type(fn).__name__))
        analysis.finish()
    except _Stop as stop:
        return [], str(stop), ()
    except RecursionError:
        return [], "leads to code that is too deep to analyze", ()
    return analysis.places, None, tuple(analysis.codes)
