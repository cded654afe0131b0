"""``kn.jit`` and what jitted functions tell about themselves."""
import atexit
import dataclasses
import inspect
import sys
import warnings
import weakref

from . import _core
from ._donation import Donating, into_arguments
from ._errors import KilnWarning, make
from ._explain import Explanation
from ._front import Bound, check_callable, dress, name_of, opened

atexit.register(_core.stop_compile_thread)  # LLVM must not be taken down under it

_told = set()
_quiet = set()  # functions that the package itself jits: nobody could change what they tell
_functions = weakref.WeakSet()  # all jitted functions


def note(function, why, what="calls run in eager: "):
    """Tells something about a jitted function once."""
    name = name_of(function)
    if (name, why) in _told or function in _quiet:
        return
    _told.add((name, why))
    warnings.warn(f"jitted function '{name}': {what}{why}", KilnWarning, stacklevel=2)


def keep_quiet(function):
    """No warnings about a function of the package's own that it jits."""
    _quiet.add(function)


def log(function, kind, text):
    """Writes a line about a jitted function, as ``KILN_LOG`` asks for."""
    print(f"kiln {kind}: {name_of(function)}: {text}", file=sys.stderr)


ANY_SIZE = 2**62
_DYNAMIC_MODES = {None: 0, False: 1, True: 2}


def open_axes(dynamic, positional, named, what="jit"):
    """``dynamic`` as (position or -1, argument, axis, name, low, high) for each axis that it names."""
    axes = []
    for key, sizes in dynamic.items():
        if isinstance(key, bool) or not isinstance(key, (int, str)):
            raise make("TraceError", f"{what}: dynamic: expected names or positions of arguments as keys, got {key!r}")
        if named is not None and (key not in named if isinstance(key, str) else not 0 <= key < len(positional)):
            raise make("ValueError", f"{what}: dynamic: expected an argument among {', '.join(named) or 'none'}, got {key!r}")
        if not isinstance(sizes, dict):
            raise make("TraceError", f"{what}: dynamic: expected a dict of axes for argument {key!r}, got {type(sizes).__name__}")
        position = key if isinstance(key, int) else positional.index(key) if key in positional else -1
        argument = positional[key] if isinstance(key, int) and key < len(positional) else str(key)
        for axis, size in sizes.items():
            if isinstance(axis, bool) or not isinstance(axis, int) or not 0 <= axis < 8:
                raise make("ValueError", f"{what}: dynamic: argument {key!r}: expected axes from 0 to 7, got {axis!r}")
            name, low, high = (size, 0, ANY_SIZE) if isinstance(size, str) else size if isinstance(size, tuple) and len(size) == 3 else (None, 0, 0)
            if not isinstance(name, str) or not isinstance(low, int) or not isinstance(high, int) or not 0 <= low <= high:
                raise make("ValueError", f"{what}: dynamic: axis {axis} of argument {key!r}: expected a name or (name, least, most), got {size!r}")
            axes.append((position, argument, axis, name, low, high))
    return tuple(axes)


def jit(function=None, /, *, static_argnums=(), static_argnames=(), donate_argnums=(), donate_argnames=(), dynamic=None, fast_math=False, on_miss=None):
    """Records calls of ``function`` and runs them as compiled code.

    Arguments and results are arrays, numbers, strings, None, or dicts, lists and tuples of them. Each combination of
    shapes, dtypes, layouts, numbers and static values is recorded once; arrays that the function reads by name, also from attributes,
    dicts and lists, are looked up at each call, and what it stores there is stored. What cannot be recorded runs in eager, with one warning that names the line.

    Parameters
    ----------
    static_argnums, static_argnames : int or str, or a sequence of them
        Arguments that are compared by value and may be any hashable object.
    donate_argnums, donate_argnames : int or str, or a sequence of them
        Arguments that the caller gives away: results of the same shape and dtype are computed in the memory of their arrays. Whoever uses such an array, or
        a view of it, after the call gets a TraceError that names the function. A call that raises gives nothing away. Where a donated array is a part of
        another one, or NumPy or another library sees its memory, nothing of the call is donated, with one warning; inside other jitted functions, gradients
        and batches neither.
    dynamic : None, bool, or dict
        Which sizes code is compiled for. None: for those of the first call, and from the second combination of sizes or numbers
        on for any. False: for each combination by itself. True: for any sizes from the first call on, where the function allows
        it. ``{"x": {0: "n"}}``, or ``{"x": {0: ("n", 1, 4096)}}`` with bounds: for any size of these axes of these arguments (by
        name or position); axes of one name have one size. Each combination is recorded once in any case, so what the function
        does with ``x.shape`` is right; sizes 0 and 1 are always compiled by themselves. The results are the same bits.
    fast_math : bool
        Code may contract operations and multiply by reciprocals: results are close to those of eager, and not the same bits. Until
        code is there they are eager's.
    on_miss : None, "warn" or "raise"
        With "raise", a call that would run in eager, or where Python would go first, raises TraceError instead. With "warn", each recording
        after the first gives a warning that says what is new: a value that was asked for, or a combination of arguments.

    Raises
    ------
    TraceError
        At decoration for generators and coroutine functions, also behind methods, partial objects and callables; at a call for
        unhashable static arguments, or a function whose declared ``dynamic`` axes change more than sizes.
    ValueError
        At decoration for static or donated arguments that the function does not have, or options of another kind; at a call whose donated arrays are
        given twice.
    ShapeError
        At a call with a size outside the bounds of ``dynamic``, or two sizes for one name.
    """
    fused = getattr(function, "__kiln_fused__", function)  # which has another part in it than its kernel; wrappers of it have its attributes
    function = fused if getattr(function, "__wrapped__", None) is fused else function
    options = dict(static_argnums=static_argnums, static_argnames=static_argnames, donate_argnums=donate_argnums, donate_argnames=donate_argnames,
                   dynamic=dynamic, fast_math=fast_math, on_miss=on_miss)
    if function is None:
        return lambda f: jit(f, **options)
    if isinstance(function, (staticmethod, classmethod)):
        return type(function)(jit(function.__func__, **options))
    check_callable(function)
    if on_miss not in (None, "raise", "warn"):
        raise make("ValueError", f"jit: on_miss: expected None, 'warn' or 'raise', got {on_miss!r}")
    if not isinstance(fast_math, bool):
        raise make("ValueError", f"jit: fast_math: expected a bool, got {fast_math!r}")
    if not isinstance(dynamic, (dict, bool, type(None))):
        raise make("TraceError", f"jit: dynamic: expected None, a bool, or a dict of arguments and their axes, got {type(dynamic).__name__}")
    inner, args, keywords = opened(function)
    names, numbers, axes, parameters, positional = _options(inner, len(args), static_argnums, static_argnames, dynamic)
    mode = 3 if isinstance(dynamic, dict) else _DYNAMIC_MODES[dynamic]

    def made(function):
        jitted = _core.JitFunction(function, numbers, names, (None, "raise", "warn").index(on_miss), mode, axes, parameters, positional, fast_math)
        dress(jitted, inner, options)
        _functions.add(jitted)
        return jitted

    jitted = made(inner)
    given_names, given_numbers = _chosen(inner, len(args), "donate", donate_argnums, donate_argnames)
    if given_names or given_numbers:
        if given_names & names or set(given_numbers) & set(numbers):
            raise make("ValueError", "jit: donate_argnums: expected arguments that are not static, got one that is both")
        jitted = Donating(made(into_arguments(inner, given_numbers, given_names)), jitted, given_numbers, given_names)
        dress(jitted, inner, options)
    if not args and not keywords and inner is function:
        return jitted
    bound = Bound(jitted, args, keywords)
    dress(bound, function, options)
    return bound


def _code_of(function):
    while isinstance(function, _core.JitFunction):
        function = function.__wrapped__
    return getattr(function, "__code__", None)


def _chosen(function, given, kind, numbers, names):
    """(names, positions) of arguments of a function whose first `given` are there before the call; either way of naming one covers both ways of passing it."""
    numbers = (numbers,) if isinstance(numbers, int) else tuple(numbers)
    names = (names,) if isinstance(names, str) else tuple(names)
    code = _code_of(function)
    positional = code.co_varnames[given:code.co_argcount] if code else ()
    takes_more = code is None or code.co_flags & inspect.CO_VARARGS
    for i in numbers:
        if isinstance(i, bool) or not isinstance(i, int) or i < -len(positional) or i >= len(positional) and not takes_more:
            raise make("ValueError", f"jit: {kind}_argnums: expected positions among {len(positional)} arguments, got {i!r}")
    named = _names_of(code)
    for n in names:
        if not isinstance(n, str) or named is not None and n not in named:
            raise make("ValueError", f"jit: {kind}_argnames: expected names among {', '.join(named or ()) or 'none'}, got {n!r}")
    all_names = frozenset(names) | {positional[i] for i in numbers if -len(positional) <= i < len(positional)}
    all_numbers = {i % len(positional) if i < 0 else i for i in numbers} | {positional.index(n) for n in names if n in positional}
    return all_names, tuple(sorted(i + given for i in all_numbers))


def _names_of(code):
    """All that arguments can be named; None where they can be anything."""
    if code is None or code.co_flags & (inspect.CO_VARARGS | inspect.CO_VARKEYWORDS):
        return None
    return code.co_varnames[:code.co_argcount + code.co_kwonlyargcount]


def _options(function, given, static_argnums, static_argnames, dynamic):
    """(names of static arguments, their positions, open axes, names of parameters, how many of them are positional) of a function whose first `given` arguments are there before the call."""
    names, numbers = _chosen(function, given, "static", static_argnums, static_argnames)
    code = _code_of(function)
    positional = code.co_varnames[given:code.co_argcount] if code else ()
    axes = open_axes(dynamic, positional, _names_of(code)) if isinstance(dynamic, dict) else ()
    axes = tuple((i + given if i >= 0 else i, *rest) for i, *rest in axes)
    parameters = code.co_varnames[:code.co_argcount + code.co_kwonlyargcount] if code else ()
    return names, numbers, axes, parameters, code.co_argcount if code else 0


@dataclasses.dataclass(frozen=True)
class Stats:
    """Counts of a jitted function; ``kernels``, ``tier``, ``workspace_bytes`` and ``peak_bytes`` are those of the variant used last. ``peak_bytes`` is what a call
    holds at most at once: the arrays that it is given or reads, what it makes, and workspace; 0 before there is code."""

    calls: int
    hits: int
    misses: int
    compiles: int
    segments: int
    kernels: int
    tier: int
    workspace_bytes: int
    cache_hits: int
    peak_bytes: int


class Lowered:
    """A recorded program; see ``JitFunction.lower``."""

    def __init__(self, words):
        self._words = words

    def ir(self, stage="kiln"):
        """The program as text at "kiln", "fused", "kernels", "schedule", "vector", "llvm" or "asm", for the device of its arrays."""
        return _core.print_ir(self._words, stage)

    def to_bytes(self):
        """The program in the portable form of docs/formats/program.md: ops by name and version."""
        return _core.pack_program(self._words)


def _stats(self):
    """Counts of calls, hits and compilations, a frozen dataclass."""
    return Stats(**self._counters())


def _explain(self):
    """What became of the function: variants, guards, kernels, compile times, and why calls run in eager."""
    return Explanation(self.__qualname__, self._counters(), self._entries(), self._again())


def _lower(self, *args, **kwargs):
    """Records a call without running it; ``.ir(stage)`` shows the program.

    Where only running it tells what a function reads, it is the program that a call with such arguments has recorded before.

    Raises TraceError where the function would run in eager, or no such call has been made.
    """
    return Lowered(self._record(args, kwargs))


def _repr(self):
    return f"<jitted function {self.__qualname__}>"


_core.JitFunction.stats = property(_stats)
_core.JitFunction.explain = _explain
_core.JitFunction.lower = _lower
_core.JitFunction.__repr__ = _repr


class disable_jit:
    """``with kn.disable_jit():`` jitted functions run as they are written."""

    def __enter__(self):
        self._before = _core.set_jit_disabled(True)

    def __exit__(self, *_):
        _core.set_jit_disabled(self._before)


def clear_caches():
    """Drops what jitted functions have recorded and compiled, and gives memory that is kept for reuse back to the system.

    The next calls record again; their code may still be on disk (``python -m kiln.cache clear``).
    """
    for function in list(_functions):
        function._forget()
    _core.release_kept()


@dataclasses.dataclass(frozen=True)
class MemoryStats:
    """Memory of the process, in bytes: of arrays that are ``in_use``; the ``peak`` of those in blocks above 4 KB; ``kept`` for the next array
    of its size, at most ``kept_limit``. ``executables`` counts compiled programs that are loaded. ``devices`` has the same of other devices than
    the CPU that were used: by name, the bytes of arrays and the bytes that are held."""

    in_use: int
    peak: int
    kept: int
    kept_limit: int
    executables: int
    devices: dict[str, tuple[int, int]] = dataclasses.field(default_factory=dict)


def memory_stats():
    """What arrays and compiled programs hold; see MemoryStats. ``kn.clear_caches()`` gives back what is kept."""
    devices = {name: _core.device_stats(name) for name in _core.devices()}
    return MemoryStats(*_core.memory_stats(), {name: stats for name, stats in devices.items() if stats})
