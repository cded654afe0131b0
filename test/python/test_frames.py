"""Where the program is, and who watches it: frames of the interpreter, debuggers and other trace functions."""
import bdb
import os
import subprocess
import sys

import pytest

import kiln as kn
from kiln import _core


def python_frames():
    """What ``_core.frames`` tells of the caller's frame and outwards, by the interpreter's own objects."""
    frame, found = sys._getframe(1), []
    while frame:
        found.append((frame.f_code, frame.f_lasti))
        frame = frame.f_back
    return found


def both():
    ours, theirs = _core.frames(), python_frames()
    assert [code for code, _ in ours] == [code for code, _ in theirs]
    assert ours[1:] == theirs[1:]  # the frames that called this one stand where they stood
    return ours


def test_frames_are_those_of_the_interpreter():
    names = [code.co_name for code, _ in both()]
    assert names[:2] == ["both", "test_frames_are_those_of_the_interpreter"]


def test_frames_through_calls_of_c_and_generators():
    def generator():
        yield both()

    class Key:
        def __lt__(self, other):
            self.frames = both()
            return False

        def __init__(self):
            self.inner = both()

    key = Key()  # __init__ runs above a frame of the interpreter's own on 3.13
    assert [c.co_name for c, _ in key.inner][:3] == ["both", "__init__", "test_frames_through_calls_of_c_and_generators"]
    sorted([Key(), key])
    assert "__lt__" in [c.co_name for c, _ in key.frames]
    assert [c.co_name for c, _ in next(generator())][:2] == ["both", "generator"]
    assert len(list(map(lambda _: both(), range(3)))) == 3

    async def coroutine():
        return both()

    with pytest.raises(StopIteration) as stop:
        coroutine().send(None)
    assert [c.co_name for c, _ in stop.value.value][:2] == ["both", "coroutine"]


@pytest.mark.parametrize("file", ["prog.py", kn.__path__[0] + "_app/prog.py", "fünf-五.py", "odd-\udcff.py"])
def test_files_of_any_name_are_the_users(file):
    scope = {"kn": kn}
    exec(compile("def f(x):\n    return x + kn.ones((3,))\n", file, "exec"), scope)
    for f in (scope["f"], kn.jit(scope["f"])):
        with pytest.raises(kn.ShapeError) as error:
            f(kn.ones((2,)))
        assert f"{os.path.basename(file)}:2 in f" in str(error.value)


class Debugger(bdb.Bdb):
    def __init__(self):
        super().__init__()
        self.lines = 0

    def user_line(self, frame):
        self.lines += frame.f_code.co_name == "watched"
        self.set_step()


@pytest.fixture
def watched():
    @kn.jit
    def watched(x):
        y = x + 1
        return y * 2

    watched(kn.ones(1))
    return watched


def under(trace, call):
    before = sys.gettrace()
    sys.settrace(trace)
    try:
        return call(), _core.is_debugged()
    finally:
        sys.settrace(before)


def test_a_debugger_sees_the_function_as_written(watched):
    debugger = Debugger()
    debugger.reset()
    result, is_debugged = under(debugger.trace_dispatch, lambda: watched(kn.ones(1)))
    assert is_debugged and result.item() == 4 and debugger.lines == 2
    assert watched.stats.calls == 2 and watched.stats.hits == 0
    watched(kn.ones(1))
    assert debugger.lines == 2 and watched.stats.calls == 3 and watched.stats.hits == 1 and not _core.is_debugged()


class Tracer:
    """A trace function that is an object, from a module of that name."""

    def __init__(self, module):
        self.__module__ = module

    def __call__(self, frame, event, arg):
        return self


@pytest.mark.parametrize("module", ["_pydevd_bundle.pydevd_trace_dispatch_regular", "pydevd_tracing", "debugpy.server"])
def test_pydevd_is_a_debugger(watched, module):
    result, is_debugged = under(Tracer(module), lambda: watched(kn.ones(1)))
    assert is_debugged and result.item() == 4 and watched.stats.hits == 0 and watched.stats.calls == 2


@pytest.mark.parametrize("trace", [lambda *_: None, Tracer("coverage.pytracer"), Tracer("trace"), Tracer(None), Tracer(3), Tracer("\udcff")])
def test_other_trace_functions_are_no_debuggers(watched, trace):
    result, is_debugged = under(trace, lambda: watched(kn.ones(1)))
    assert not is_debugged and result.item() == 4 and watched.stats.hits == 1 and watched.stats.calls == 2


def test_a_trace_function_sees_what_runs_and_stays(watched):
    """It is called for what is recorded, which Python runs, and is there afterwards."""
    events = []

    def trace(frame, event, arg):
        if frame.f_code.co_name == "fresh":
            events.append(event)
        return trace

    @kn.jit
    def fresh(x):
        return kn.exp(x) - 1

    def calls():
        fresh(kn.ones(2))
        fresh(kn.ones(2))
        return sys.gettrace()

    kept, _ = under(trace, calls)
    assert kept is trace and events == ["call", "line", "return"]
    assert fresh.stats.calls == 2 and fresh.stats.misses == 1 and fresh.stats.hits == 1


@pytest.mark.skipif(sys.version_info < (3, 12), reason="sys.monitoring came with 3.12")
@pytest.mark.parametrize("tool, is_debugger", [(0, True), (1, False), (2, False), (5, False)])
def test_monitoring_tools(watched, tool, is_debugger):
    monitoring = sys.monitoring
    inner = watched.__wrapped__.__code__
    if monitoring.get_tool(tool):
        pytest.skip("another tool has this number")
    for _ in range(2):  # attached again, it is seen again
        calls, hits = watched.stats.calls, watched.stats.hits
        monitoring.use_tool_id(tool, "a tool of the test")
        lines = []
        try:
            monitoring.register_callback(tool, monitoring.events.LINE, lambda code, line: lines.append(line))
            monitoring.set_events(tool, monitoring.events.PY_START)  # as debuggers do, to find the code of breakpoints
            monitoring.set_local_events(tool, inner, monitoring.events.LINE)
            result = watched(kn.ones(1))
            assert _core.is_debugged() == is_debugger
        finally:
            monitoring.set_local_events(tool, inner, 0)
            monitoring.set_events(tool, 0)
            monitoring.register_callback(tool, monitoring.events.LINE, None)
            monitoring.free_tool_id(tool)
        assert result.item() == 4 and len(lines) == (2 if is_debugger else 0)
        assert watched.stats.calls == calls + 1 and watched.stats.hits == hits + (not is_debugger)
        assert not _core.is_debugged()


PROGRAM = """import kiln as kn
from kiln import _core

@kn.jit
def f(x):
    y = x + 1
    return y * 2

for _ in range(3):
    f(kn.ones(1))
print("stats", _core.is_debugged(), f.stats.calls, f.stats.hits)
"""


@pytest.fixture
def program(tmp_path):
    path = tmp_path / "prog.py"
    path.write_text(PROGRAM)
    return path


def run(*command, text="", **environment):
    env = {**os.environ, "PYTHONPATH": os.path.dirname(kn.__path__[0]), **environment}
    return subprocess.run([sys.executable, *map(str, command)], input=text, capture_output=True, text=True, env=env, check=True).stdout


def test_breakpoints_of_pdb_stop_at_every_call(program):
    out = run("-m", "pdb", program, text="b 6\n" + "c\n" * 4 + "q\n")
    assert out.count("-> y = x + 1") == 3 and "stats True 3 0" in out


def test_breakpoint_in_a_jitted_function(tmp_path):
    path = tmp_path / "prog.py"
    path.write_text(PROGRAM.replace("    y = x + 1", "    breakpoint()\n    y = x + 1"))
    out = run(path, text="p 'at', x.shape\nc\n" * 4)
    assert out.count("('at', (1,))") == 3 and "stats False 3" in out


@pytest.mark.parametrize("core", ["ctrace", "pytrace"] + ["sysmon"] * (sys.version_info >= (3, 12)))
def test_coverage_does_not_stand_in_the_way(program, tmp_path, core):
    data = tmp_path / "data"
    out = run("-m", "coverage", "run", f"--data-file={data}", program, COVERAGE_CORE=core)
    assert "stats False 3 2" in out
    report = run("-m", "coverage", "report", "-m", f"--data-file={data}", f"--include={program}")
    assert "100%" in report
