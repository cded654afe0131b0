"""Instructions told one by one: depths of the value stack, what stands on it, other tracers beside it, threads."""
import gc
import os
import subprocess
import sys
import sysconfig
import threading
import types

import pytest

import kiln as kn
from kiln import _core


def codes_of(*things):
    """All code objects of functions, classes and modules, and those within them."""
    found, todo, seen = [], list(things), set()
    while todo:
        thing = todo.pop()
        if id(thing) in seen:
            continue
        seen.add(id(thing))
        thing = getattr(thing, "__wrapped__", thing)
        if isinstance(thing, types.CodeType):
            found.append(thing)
            todo += [c for c in thing.co_consts if isinstance(c, types.CodeType)]
        elif isinstance(thing, types.ModuleType):
            todo += [v for v in vars(thing).values() if getattr(v, "__module__", None) == thing.__name__]
        elif isinstance(thing, type):
            todo += [getattr(v, "__func__", v) for v in vars(thing).values() if isinstance(getattr(v, "__func__", v), (types.FunctionType, type)) and v is not thing]
            todo += [f for v in vars(thing).values() if isinstance(v, property) for f in (v.fget, v.fset) if f]
        elif isinstance(thing, types.FunctionType):
            todo.append(thing.__code__)
    return found


def check(call, *things, least=1):
    told, checked, failures, is_whole, result = _core.check_frames(call, codes_of(*things))
    assert not failures and is_whole, failures
    assert told >= checked >= least
    return result


def test_frames_read_back():
    assert _core.hook_is_proven()


def expected_depths(code):
    is_consistent, found = _core.stack_depths(code)
    assert is_consistent, code
    assert max(depth for _, depth in found) <= code.co_stacksize + 1, code  # RETURN_GENERATOR is counted with what is sent
    return found


FEW = ["json", "dataclasses", "argparse", "asyncio", "contextlib", "statistics", "difflib", "ast.py", "typing.py", "inspect.py", "tarfile.py", "_pydecimal.py"]


def stdlib_files(names):
    root = sysconfig.get_paths()["stdlib"]
    for name in names or [n for n in sorted(os.listdir(root)) if n != "site-packages"]:
        path = os.path.join(root, name)
        path = path if os.path.exists(path) else path + ".py"
        for file in [os.path.join(f, n) for f, _, files in os.walk(path) for n in files] if os.path.isdir(path) else [path]:
            if file.endswith(".py"):
                yield file


def test_depths_of_the_standard_library():
    """Every instruction that can run has one depth, and the stack holds it."""
    names = [] if os.environ.get("KILN_ALL_DEPTHS") else FEW
    codes = 0
    for file in stdlib_files(names):
        try:
            with open(file, "rb") as source:
                top = compile(source.read(), file, "exec")
        except (SyntaxError, ValueError):
            continue  # files of tests of the compiler
        for code in codes_of(top):
            codes += 1
            expected_depths(code)
    assert codes > 2000


def test_generators_coroutines_and_handlers():
    def numbers(n):
        try:
            for i in range(n):
                got = yield [i, (i, n)]
                if got:
                    yield from numbers(got)
        finally:
            left = (n, n)
        return left

    async def twice(n):
        async with Context():
            return [n async for n in counted(n)]

    class Context:
        async def __aenter__(self):
            return (self, self)

        async def __aexit__(self, *error):
            return [error][0] is None

    async def counted(n):
        for i in range(n):
            yield (i, n)[0]

    def use():
        it, found = numbers(3), []
        found.append(next(it))
        found.append(it.send(2))
        found += [(a, b) for a, b in it]
        with pytest.raises(StopIteration):
            coroutine = twice(3)
            coroutine.send(None)
        try:
            {}["missing"]
        except (KeyError, IndexError) as error:
            try:
                raise ValueError((error, found))
            except ValueError as other:
                found = [other, *found]
            finally:
                found = [*found, {"a": 1, **{"b": 2}}]
        gc.collect()
        return len(found)

    assert check(use, use, numbers, twice, Context, counted, least=60) == use()


STDLIB = {
    "json": ("import json, json.encoder, json.decoder\ndef use(): e = json.encoder; c, e.c_make_encoder = e.c_make_encoder, None; r = json.dumps({'a': [1, 2.5, None, {'b': 'c'}]}, indent=2); e.c_make_encoder = c; return r",
             "json.encoder json.decoder"),
    "statistics": ("import statistics, fractions\ndef use(): return statistics.stdev([1.5, 2.5, 4.0, 9.0]), statistics.median([1, 5, 2])", "statistics fractions"),
    "difflib": ("import difflib\ndef use(): return list(difflib.unified_diff('a b c d e'.split(), 'a c d f e'.split()))", "difflib"),
    "decimal": ("import _pydecimal\ndef use(): return str(_pydecimal.Decimal('1.1').sqrt() / 3)", "_pydecimal"),
    "ast": ("import ast\ndef use(): return ast.unparse(ast.parse('def f(x, *a, k=1):\\n  for i in x:\\n    try: yield i + 1\\n    except* E as e: pass\\n'))", "ast contextlib"),
    "argparse": ("import argparse\ndef use():\n  p = argparse.ArgumentParser(prog='p')\n  p.add_argument('--a', type=int, default=3)\n  p.add_argument('b', nargs='*')\n  return vars(p.parse_args(['--a', '4', 'x'])), p.format_help()", "argparse"),
    "dataclasses": ("import dataclasses\ndef use():\n  @dataclasses.dataclass(order=True)\n  class D:\n    a: int\n    b: list = dataclasses.field(default_factory=list)\n  return repr(dataclasses.replace(D(1), a=2))", "dataclasses inspect"),
    "textwrap": ("import textwrap, pprint\ndef use(): return textwrap.fill('some words that are wrapped ' * 9), pprint.pformat([list(range(30))] * 4)", "textwrap pprint"),
    "tokenize": ("import tokenize, io\ndef use(): return [t.string for t in tokenize.generate_tokens(io.StringIO('a = (b + 1) # c\\nif a:\\n  pass\\n').readline)]", "tokenize"),
    "collections": ("import collections, heapq, enum\ndef use():\n  class E(enum.Flag):\n    A = 1\n    B = 2\n  return collections.Counter('abca').most_common(2), [e.name for e in E.A | E.B], list(heapq.merge([1, 3], [2, 4]))", "collections heapq enum"),
    "asyncio": ("import asyncio, asyncio.tasks, asyncio.base_events, asyncio.events\nasync def f(n): await asyncio.sleep(0); return n\nasync def g(): return await asyncio.gather(f(1), f(2))\ndef use(): return asyncio.run(g())", "asyncio.tasks asyncio.base_events asyncio.events asyncio.runners"),
}


@pytest.mark.parametrize("name", STDLIB)
def test_stacks_of_the_standard_library(name):
    text, modules = STDLIB[name]
    scope = {}
    exec(text, scope)
    want = scope["use"]()
    assert check(scope["use"], scope["use"], *[sys.modules[m] for m in modules.split()], least=50) == want


def test_references_are_as_before():
    class Box:
        pass

    box = Box()
    box.items = [object(), object()]

    def use(box):
        kept = [box, (box, box.items)]
        try:
            raise ValueError(box)
        except ValueError as error:
            kept = [error.args, kept]
        return len(kept)

    def counts():
        return [sys.getrefcount(o) for o in (box, box.items, *box.items, use)]

    use(box), check(lambda: use(box), use)
    before = counts()
    for _ in range(50):
        check(lambda: use(box), use)
    gc.collect()
    assert counts() == before


def test_an_exception_passes_through():
    def fails():
        kept = [1]
        raise KeyError(kept)

    with pytest.raises(KeyError):
        _core.check_frames(fails, codes_of(fails))
    assert sys.gettrace() is None
    assert check(lambda: fails.__name__, fails.__code__.co_consts and fails, least=0) == "fails"


def test_other_tracers_are_told_as_before():
    def traced(n):
        total = [n]
        for i in range(n):
            total += [i]
        return total

    def events(call):
        found = []

        def trace(frame, event, arg):
            if frame.f_code is traced.__code__:
                found.append((event, frame.f_lineno))
            return trace
        before = sys.gettrace()
        sys.settrace(trace)
        try:
            call()
        finally:
            stays = sys.gettrace() is trace
            sys.settrace(before)
        assert stays
        return found

    alone = events(lambda: traced(3))
    assert alone and events(lambda: check(lambda: traced(3), traced, least=10)) == alone


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="events of instructions go to the tracer alone")
def test_tracers_that_ask_for_instructions():
    def traced(n):
        return [n, n]

    def events(call):
        found = []

        def trace(frame, event, arg):
            if frame.f_code is traced.__code__:
                frame.f_trace_opcodes = True
                found.append(event)
            return trace
        sys.settrace(trace)
        try:
            call()
        finally:
            sys.settrace(None)
        return found

    assert events(lambda: check(lambda: traced(3), traced)) == events(lambda: traced(3))


def test_a_hook_that_is_pushed_aside_says_so():
    if sys.version_info >= (3, 12):
        pytest.skip("tools of sys.monitoring are beside each other")

    def replaces(n):
        sys.settrace(None)
        return [n, n]

    *_, is_whole, result = _core.check_frames(lambda: replaces(1), codes_of(replaces))
    assert not is_whole and result == [1, 1]


def test_threads_are_told_apart():
    def work(n):
        total = []
        for i in range(n):
            total = [total and total[-1:], (i, n)]
        return total

    failures, stop = [], threading.Event()

    def beside():
        while not stop.is_set():
            work(50)

    def hooked():
        try:
            for _ in range(20):
                check(lambda: work(50), work, least=200)
        except AssertionError as error:
            failures.append(error)

    threads = [threading.Thread(target=t) for t in (beside, hooked, hooked, hooked)]
    [t.start() for t in threads]
    [t.join() for t in threads[1:]]
    stop.set()
    threads[0].join()
    assert not failures


@pytest.mark.parametrize("core", ["ctrace", "pytrace"] + ["sysmon"] * (sys.version_info >= (3, 12)))
def test_coverage_counts_what_is_told(tmp_path, core):
    program, data = tmp_path / "prog.py", tmp_path / "data"
    program.write_text("from kiln import _core\ndef f(n):\n    a = [n]\n    for i in range(n):\n        a += [i]\n    return a\n"
                       "told = _core.check_frames(lambda: f(3), [f.__code__])\nassert not told[2] and told[3] and told[1] > 5, told\nprint(told[4])\n")
    env = {**os.environ, "PYTHONPATH": os.path.dirname(kn.__path__[0]), "COVERAGE_CORE": core}
    run = lambda *args: subprocess.run([sys.executable, "-m", "coverage", *map(str, args)], capture_output=True, text=True, env=env, check=True).stdout  # noqa: E731
    assert run("run", f"--data-file={data}", program) == "[3, 0, 1, 2]\n"
    assert "100%" in run("report", "-m", f"--data-file={data}", f"--include={program}")
