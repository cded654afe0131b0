"""Runs a text as plain Python and with ``kn.jit`` and compares them after each step: results, their types, exceptions, and all state.

A case is source text: a setup that uses ``jit``, a line ``---``, and one step a line. In the plain run ``jit`` gives the function
back. ``kn``, ``np`` and an array ``x`` are there; every other name is state. ``python state_harness.py < case.txt`` runs one.
"""
import ast
import contextlib
import functools
import io
import json
import os
import pathlib
import re
import subprocess
import sys
import threading
import time
import traceback
import types
import warnings
import weakref

import numpy as np
import pytest

import kiln as kn
from kiln._front import Bound

MODES = ("sync", "auto", "hop", "threads")
PARSING = threading.Lock()  # CPython 3.11 counts the depth of a tree for all threads at once
LIMIT = 60  # seconds that a case may take by itself
FILE = "<state>"
_DRESS = {"__module__", "__name__", "__qualname__", "__doc__", "__annotations__", "__wrapped__", "_options"}  # of jitted functions
_SKIPPED = {"kn", "np", "jit", "x", "print_", "result"}


class Describer:
    """What an object holds, as text: types, values with their bits, and which mutable objects are one."""

    def __init__(self):
        self.seen, self.kept = {}, []

    def of(self, o):
        extra = {}
        while isinstance(o, (kn._core.JitFunction, Bound)):
            extra.update({k: v for k, v in vars(o).items() if k not in _DRESS})
            o = o.__wrapped__
        if o is None or isinstance(o, (bool, int, float, complex, str, bytes, np.generic)):
            return f"{type(o).__name__} {o!r}"
        if id(o) in self.seen:
            return f"#{self.seen[id(o)]}"
        self.seen[id(o)] = number = len(self.seen)
        self.kept.append(o)
        return f"#{number}={self._parts(o, extra)}"

    def _all(self, items):
        return "[" + ", ".join(self.of(i) for i in items) + "]"

    def _parts(self, o, extra):
        name = type(o).__name__
        if isinstance(o, kn.Array):
            return f"array {o.dtype.name} {o.shape} {o.tolist()!r}"
        if isinstance(o, np.ndarray):
            return f"ndarray {o.dtype} {o.shape} {o.tolist()!r}"
        if isinstance(o, types.FunctionType) and hasattr(o, "__kiln_code__"):
            return f"function {o.__name__}"  # which counts its calls
        if isinstance(o, types.FunctionType):
            cells = [c.cell_contents for c in o.__closure__ or () if _is_set(c)]
            return f"function {o.__name__} " + self._all([o.__defaults__, o.__kwdefaults__, *cells, {**vars(o), **extra}])
        if isinstance(o, functools.partial):
            return "partial " + self._all([o.func, o.args, o.keywords])
        if isinstance(o, types.MethodType):
            return "method " + self._all([o.__func__, o.__self__])
        if isinstance(o, type):
            data = {k: v for k, v in vars(o).items() if not k.startswith("__") and not callable(v) and not hasattr(v, "__get__")}
            return f"class {o.__qualname__} " + (self._all([data]) if o.__module__ == FILE else "")
        if isinstance(o, (types.ModuleType, weakref.ref, threading.Thread, types.GeneratorType, kn.DType)):
            return f"{name} {getattr(o, '__name__', getattr(o, 'name', ''))}" + (f" {o() is None}" if isinstance(o, weakref.ref) else "")
        data = vars(o) if hasattr(o, "__dict__") else {n: getattr(o, n) for c in type(o).__mro__ for n in _slots(c) if hasattr(o, n)}
        rest = self._all([dict(data)]) if data else ""
        if isinstance(o, dict):
            return f"{name} " + self._all([i for pair in dict.items(o) for i in pair]) + rest
        if isinstance(o, (list, tuple)):
            return f"{name} " + self._all(type(o).__mro__[-2].__iter__(o)) + rest
        if isinstance(o, (set, frozenset)):
            return f"{name} {sorted(map(repr, o))}"
        if isinstance(o, BaseException):
            return f"{name} " + self._all(o.args)
        return f"{name} {rest}" if data else f"{name} {_plain_repr(o)}"


def _slots(cls):
    slots = vars(cls).get("__slots__", ())
    return (slots,) if isinstance(slots, str) else slots


def _is_set(cell):
    try:
        cell.cell_contents
    except ValueError:
        return False
    return True


def _plain_repr(o):
    return re.sub(r" at 0x[0-9a-f]+", "", repr(o)) if type(o).__module__ in ("builtins", "enum") else ""


def _scope(jit):
    return {"kn": kn, "np": np, "jit": jit, "x": kn.asarray([1.0, 2.0]), "__name__": FILE}


def split(text):
    """(setup, steps) of a case."""
    setup, _, steps = text.partition("\n---\n")
    return setup, [line for line in steps.splitlines() if line.strip() and not line.startswith("#")]


def step_outcome(scope, step):
    """What a step gives or raises, and the line that it raises at."""
    with PARSING:
        tree = ast.parse(step, FILE)
    try:
        if len(tree.body) == 1 and isinstance(tree.body[0], ast.Expr):
            scope["result"] = eval(compile(step, FILE, "eval"), scope)
            return scope["result"], None
        exec(compile(step, FILE, "exec"), scope)
        return None, None
    except Exception as error:
        line, trace = None, error.__traceback__
        while trace is not None:
            line = trace.tb_lineno if trace.tb_frame.f_code.co_filename == FILE else line
            trace = trace.tb_next
        text = re.sub(r" at 0x[0-9a-f]+", "", str(error))
        return None, f"raises {type(error).__name__}: {text} (line {line})"


def describe(scope, value, error, last):
    """A step's result, then the state behind it; which arrays share memory at the end alone, since asking pins them."""
    describer = Describer()
    state = {k: v for k, v in scope.items() if k not in _SKIPPED and not k.startswith("__") and not isinstance(v, types.ModuleType) or k == "settings"}
    text = [error or "gives " + describer.of(value), *(f"{k}: {describer.of(v)}" for k, v in state.items()), f"x: {describer.of(scope['x'])}"]
    if last:
        arrays = [np.asarray(o) for o in describer.kept if isinstance(o, (kn.Array, np.ndarray)) and o.size]
        text.append("shared: " + str([(i, k) for i in range(len(arrays)) for k in range(i) if np.shares_memory(arrays[i], arrays[k])]))
    return text


def settle(seconds=10):
    """Waits for code that is being compiled."""
    end = time.monotonic() + seconds
    while time.monotonic() < end and any(s["state"] == "compiling" for f in list(kn._jit._functions) for v in f._entries() for s in v["steps"]):
        time.sleep(0.001)


def run(text, jit, on_step=lambda do: do(), capture=True, wait=False, scopes=None):
    """The described outcome of each step; the scope goes into `scopes` where that is given."""
    scope, (setup, steps), found = _scope(jit), split(text), []
    (scopes if scopes is not None else []).append(scope)
    exec(compile(setup, FILE, "exec"), scope)
    for i, step in enumerate(steps):
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed) if capture else contextlib.nullcontext():
            value, error = on_step(lambda: step_outcome(scope, step))
        found.append(describe(scope, value, error, i == len(steps) - 1) + [f"prints {printed.getvalue()!r}"])
        if wait:
            settle()
    return found


def plain(function=None, /, **_):
    return plain if function is None else function


def in_thread(do):
    """What a function gives in another thread."""
    box = []
    thread = threading.Thread(target=lambda: box.append(do()))
    thread.start()
    thread.join()
    return box[0]


def compare(text, got, want, mode):
    steps = split(text)[1]
    for number, (mine, theirs) in enumerate(zip(got, want)):
        if mine != theirs:
            differing = "\n".join(f"  jit:   {a}\n  eager: {b}" for a, b in [(a, b) for a, b in zip(mine, theirs) if a != b][:3])
            raise AssertionError(f"mode {mode}, step {number + 1}: {steps[number]}\n{differing}\n{text}")
    assert len(got) == len(want)


def check(text, modes=MODES, scopes=None, count=2):
    """Runs a case in all modes in this process, from `count` threads at a time; AssertionError where jit and eager differ, else what eager says. ``# not threads`` leaves a mode out."""
    modes = [m for m in modes if f"# not {m}\n" not in text]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        want, silent = run(text, plain), None
        for mode in modes:
            with kn.config.override(jit="sync" if mode in ("sync", "threads") else "auto"):
                if mode == "threads":
                    silent = silent or run(text, plain, capture=False)
                    every, ended = [None] * count, []

                    def work(i):
                        try:
                            every[i] = run(text, kn.jit, capture=False, scopes=scopes)
                        except BaseException:
                            ended.append(traceback.format_exc())
                    threads = [threading.Thread(target=work, args=(i,)) for i in range(count)]
                    [t.start() for t in threads]
                    [t.join() for t in threads]
                    for got in every:
                        assert got is not None, f"mode {mode}: a thread ended early: {''.join(ended)}\n{text}"
                        compare(text, got, silent, mode)
                    continue
                turn = iter(range(1000))
                hop = (lambda do: in_thread(do) if next(turn) % 2 else do()) if mode == "hop" else (lambda do: do())
                compare(text, run(text, kn.jit, hop, wait=mode == "auto", scopes=scopes), want, mode)
    return want


def check_apart(text, modes=MODES, limit=LIMIT, count=2):
    """The same in a process of its own: a crash or a hang fails this case alone."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(pathlib.Path(kn.__file__).parents[1]), *filter(None, [os.environ.get("PYTHONPATH")])])}
    try:
        done = subprocess.run([sys.executable, __file__, json.dumps([modes, count])], input=text, text=True, capture_output=True, timeout=limit, env=environment)
    except subprocess.TimeoutExpired:
        raise AssertionError(f"hangs\n{text}") from None
    assert done.returncode == 0, f"ends with {done.returncode}: {done.stderr[-3000:]}\n{text}"


def cases(table, apart=(), limits=None, count=2):
    """A test function over a table of cases by name, each from `count` threads too; those in `apart` run in processes of their own (all do with KILN_STATE_APART=1)."""
    unknown = {*apart} - set(table)
    assert not unknown, f"no such cases: {unknown}"

    @pytest.mark.parametrize("name", list(table))
    def test(name):
        text = table[name].strip("\n") + "\n"
        is_apart = name in apart or os.environ.get("KILN_STATE_APART")
        check_apart(text, limit=(limits or {}).get(name, LIMIT), count=count) if is_apart else check(text, count=count)
    return test


if __name__ == "__main__":
    given = json.loads(sys.argv[1]) if len(sys.argv) > 1 else [MODES, 2]
    check(sys.stdin.read(), tuple(given[0]), count=given[1])
