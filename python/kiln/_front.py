"""What may be jitted besides functions: methods, partial objects, callables; and jitted functions as values: names, copies, pickles."""
import functools
import inspect
import sys
import types

from . import _core
from ._errors import make

_NAMES = ("__module__", "__name__", "__qualname__", "__doc__", "__annotations__")


def call_object(obj, /, *args, **kwargs):
    """What a jitted callable object runs: the object is an argument, so that its attributes and its class are watched."""
    return obj(*args, **kwargs)


def opened(function):
    """(function, arguments that go before a call's, their keywords) behind a callable."""
    if type(function) is functools.partial:
        inner, args, _ = opened(function.func)
        return inner, args + function.args, function.keywords
    if isinstance(function, types.MethodType):
        return function.__func__, (function.__self__,), {}
    is_plain = isinstance(function, (types.FunctionType, types.BuiltinFunctionType, type, _core.JitFunction, _core.OpFunction))
    if not is_plain and isinstance(getattr(type(function), "__call__", None), types.FunctionType):
        named = types.FunctionType(call_object.__code__, call_object.__globals__, type(function).__name__)
        named.__qualname__ = type(function).__qualname__
        return named, (function,), {}
    return function, (), {}


def check_callable(function):
    """Raises TraceError for what is no function, or one whose results come later."""
    if not callable(function):
        raise make("TraceError", f"jit: expected a function, got {type(function).__name__}")
    inner = function
    while isinstance(inner, (functools.partial, types.MethodType, _core.JitFunction)):
        inner = inner.func if isinstance(inner, functools.partial) else getattr(inner, "__func__", None) or inner.__wrapped__
    for code in (inner, getattr(type(inner), "__call__", None)):
        if inspect.isgeneratorfunction(code) or inspect.iscoroutinefunction(code) or inspect.isasyncgenfunction(code):
            raise make("TraceError", f"jit: expected a function that returns its result, got '{name_of(function)}', a generator or coroutine: jit the function that it calls")


def name_of(function):
    """The name that a callable is told of by: that of its function, or of its class."""
    while isinstance(function, functools.partial):
        function = function.func
    return getattr(function, "__qualname__", type(function).__qualname__)


def dress(jitted, function, options):
    """Gives a jitted callable the names, text and signature of what it was made of."""
    source = function
    while isinstance(source, functools.partial):
        source = source.func
    for attribute in _NAMES:
        if hasattr(source if hasattr(source, "__qualname__") else type(source), attribute):
            setattr(jitted, attribute, getattr(source if hasattr(source, "__qualname__") else type(source), attribute))
    jitted.__wrapped__ = function
    jitted._options = options


class Bound(functools.partial):
    """A jitted function with arguments that go before a call's: what methods, partial objects and callable objects are jitted to."""

    def __new__(cls, jitted, args, keywords):
        self = super().__new__(cls, jitted)
        self.__setstate__((jitted, args, keywords, {}))  # the keywords themselves: who changes a partial object's changes them here
        return self

    stats = property(lambda self: self.func.stats)

    def explain(self):
        """What became of the function: see ``JitFunction.explain``."""
        return self.func.explain()

    def lower(self, *args, **kwargs):
        """Records a call without running it: see ``JitFunction.lower``."""
        return self.func.lower(*self.args, *args, **{**self.keywords, **kwargs})

    def __repr__(self):
        return f"<jitted function {name_of(self.__wrapped__)}>"

    def __reduce__(self):
        return again, (self.__wrapped__, self._options)


def again(function, options):
    """A jitted function made anew, in another process."""
    from ._jit import jit
    return jit(function, **options)


def _reduce(self):
    found = sys.modules.get(self.__module__)
    for part in self.__qualname__.split("."):
        found = getattr(found, part, None)
    by_value = self.__module__ == "__main__" and "cloudpickle" in sys._getframe(1).f_globals.get("__name__", "")  # its processes have another __main__
    return (again, (self.__wrapped__, self._options)) if found is not self or by_value else self.__qualname__


_core.JitFunction.__reduce__ = _reduce
_core.JitFunction.__copy__ = lambda self: self
_core.JitFunction.__deepcopy__ = lambda self, memo: self
