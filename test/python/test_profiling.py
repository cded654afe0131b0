"""What explain() says that calls cost: bytes, memory, times, recordings; and the names of code for perf and gdb."""
import os
import re
import shutil
import subprocess
import sys
import threading

import pytest

import kiln as kn


@pytest.fixture(autouse=True)
def waits_for_code():
    with kn.config.override(jit="sync"):
        yield


def explained(function, *args, calls=2):
    jitted = kn.jit(function)
    for _ in range(calls):
        jitted(*args)
    return jitted, jitted.explain()


@pytest.mark.parametrize("function, arrays, reads, writes", [
    (lambda x, y: x * 2 + y, [(4, 3), (4, 3)], 96, 48),
    (lambda x: x * x, [(4, 3)], 48, 48),  # once
    (lambda x: x[1:3] * 2, [(4, 3)], 24, 24),  # a part
    (lambda x: x[1:] + x[:-1], [(4, 3)], 48, 36),  # parts that overlap are no more than the whole
    (lambda x: x[:1] + x[3:], [(4, 3)], 24, 12),
    (lambda x, y: x + y, [(4, 3), (3,)], 60, 48),  # broadcast
    (lambda x: kn.sum(x, axis=1), [(4, 3)], 48, 16),
    (lambda x: kn.flip(x, axis=0).T * 2, [(4, 3)], 48, 48),
    (lambda x, y: x @ y, [(4, 3), (3, 5)], 108, 80),
    (lambda x: kn.cumulative_sum(x), [(5,)], 20, 20),
    (lambda x: kn.concat([x, x]), [(5,)], 20, 40),
])
def test_bytes_of_a_kernel(function, arrays, reads, writes):
    _, explanation = explained(function, *(kn.ones(shape) for shape in arrays))
    kernel, = explanation.kernels()
    assert (kernel["bytes_read"], kernel["bytes_written"]) == (reads, writes)
    step, = explanation.traffic()
    assert step["bytes"] == step["least_bytes"] == reads + writes and "each byte of its inputs and results once" in str(explanation)


def test_bytes_of_a_gather():
    _, explanation = explained(lambda x, at: kn.take(x, at, axis=0), kn.ones((40, 3)), kn.asarray([1, 3], dtype=kn.int32))
    assert explanation.kernels()[-1]["bytes_read"] == 24 + 8  # two rows, and their positions


def test_bytes_of_a_change_in_place():
    def f(x, v):
        x[3] = v

    x = kn.zeros((100, 4))
    _, explanation = explained(f, x, kn.ones(4), calls=3)
    kernel, = explanation.kernels()
    assert (kernel["bytes_read"], kernel["bytes_written"]) == (16, 16)


def test_bytes_against_the_least():
    def f(x):
        y = kn.cumulative_sum(x)  # a kernel of its own, which stores what the next one reads
        return y * x

    _, explanation = explained(f, kn.ones(1000))
    step, = explanation.traffic()
    assert [k["bytes_read"] for k in explanation.kernels()] == [4000, 8000] and step["bytes"] == 20000
    assert step["least_bytes"] == 8000 and "moves 20 KB, 2.5 times the 8 KB of its inputs and results" in str(explanation)


def test_bytes_of_code_for_any_size():
    jitted = kn.jit(lambda x: kn.tanh(x) + kn.sum(x.reshape(-1)))
    for n in (3, 4, 5):
        jitted(kn.ones((n, 8)))
    explanation = jitted.explain()
    kernels = explanation.kernels()
    assert kernels[-1]["results"] == ["float32[s0, 8]"] and kernels[-1]["bytes_written"] == 5 * 8 * 4
    assert explanation.traffic()[0]["least_bytes"] == 2 * 5 * 8 * 4


def test_bytes_of_loops_are_those_of_their_bodies():
    def f(x):
        return kn.fori_loop(0, 10, lambda i, c: kn.tanh(c) * 2, x)

    _, explanation = explained(f, kn.ones(100))
    inside = [k for k in explanation.kernels() if k["body"]]
    control, = (k for k in explanation.kernels() if k["kind"] == "control")
    assert control["bytes_read"] is None and any(k["bytes_read"] == 400 for k in inside)
    assert explanation.traffic()[0]["has_bodies"] and " in a body: elementwise, " in str(explanation) and "outside of bodies" in str(explanation)


def test_peak_of_a_call():
    def f(x):
        return kn.cumulative_sum(kn.cumulative_sum(x))

    jitted = kn.jit(f)
    x = kn.ones(1 << 10)
    jitted(x)
    assert jitted.stats.peak_bytes == (3 << 12) == jitted.explain().variants[0]["peak_bytes"]  # the argument, the result, what is between
    assert "at most 12.3 KB at once" in str(jitted.explain())


def test_peak_of_a_tree_is_that_of_its_largest_path():
    def f(x):
        y = x * 2
        if kn.sum(x) > 0:
            return kn.concat([y, y, y])
        return y

    jitted = kn.jit(f)
    x = kn.ones(1000)
    jitted(-x)
    low = jitted.stats.peak_bytes
    jitted(x)
    assert low >= 8000 and jitted.stats.peak_bytes >= 4000 + 4000 + 12000
    with kn.config.override(jit="auto"):
        fresh = kn.jit(lambda x: x * 3 - 1.5)
        fresh(x)
        assert fresh.stats.tier or fresh.stats.peak_bytes == 0


def test_times_of_kernels():
    def f(x, w):
        y = kn.cumulative_sum(kn.tanh(x @ w), axis=0)
        return kn.fori_loop(0, 5, lambda i, c: c * 0.5, y)

    x = kn.ones((64, 64))
    jitted, before = explained(f, x, x)
    assert all(k["seconds"] is None for k in before.kernels()) and before.traffic()[0]["seconds"] is None
    expected = jitted(x, x)
    with kn.config.override(profile=True):
        assert kn.config.profile
        assert all(kn.array_equal(jitted(x, x), expected) for _ in range(5))
    jitted(x, x)
    explanation = jitted.explain()
    assert len(explanation.variants) == 1  # other settings than those that results depend on are no reason to record again
    assert all(k["seconds"] >= 0 for k in explanation.kernels()) and explanation.kernels()[0]["seconds"] > 0
    step = explanation.to_dict()["variants"][0]["steps"][0]
    assert step["timed_runs"] == 5 and step["seconds"] == pytest.approx(sum(k["seconds"] for k in explanation.kernels()))
    assert re.search(r"; takes [\d.]+ [nµm]s, on average of 5 runs", str(explanation)) and "GB/s)" in str(explanation)


def test_times_of_calls_of_every_kind():
    """Plain ones, with numbers, into arguments, as views, by several threads, of trees and their hot paths."""
    def write(x):
        x *= 0.5

    def decide(x):
        y = x * 2
        return y + 1 if kn.sum(x) > 0 else y

    functions = [kn.jit(f) for f in (lambda x: x + 1, lambda x: (x + 1, x * 2), write, lambda x: kn.sum(kn.cumulative_sum(x)), decide)]
    scaled = kn.jit(lambda x, s: x * s)
    x = kn.ones(100)
    with kn.config.override(profile=True):
        for i in range(50):
            for f in functions:
                f(x)
            scaled(x, 1.0 + i)
            scaled(kn.ones((10, 10)).T, 2.0)
        large = kn.ones(1 << 18)
        threads = [threading.Thread(target=lambda: [functions[0](large) for _ in range(20)]) for _ in range(3)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
    assert functions[0](x).tolist() == (x + 1).tolist()
    for f in [*functions, scaled]:
        runs = [s["timed_runs"] for v in f.explain().variants for s in [*v["steps"], *([v["hot"]] if v["hot"] else [])]]
        assert sum(runs) >= 40, (f, runs)
    assert "GB/s" in str(functions[-1].explain()).split("the path of most calls")[1]


def test_why_calls_were_recorded_again():
    rate, calls = 0.5, []

    def f(x, n=1):
        y = x * rate * n
        return y + 1 if kn.sum(x) > 0 else y

    jitted = kn.jit(f)
    x = kn.ones(3)
    jitted(x)
    rate = 0.25
    jitted(x)
    jitted(-x)
    jitted(kn.ones(4))
    jitted(x, n=2)
    calls = jitted.explain().to_dict()["again"]
    whys = [c["why"] for c in calls]
    assert whys[0] == "variant 1: 'rate' of a function around it was 0.5, is 0.25" or "was 0.5, is 0.25" in whys[0]
    assert "the truth value of an array is asked for, and is False for the first time, was True" in whys[1]
    assert "an argument was float32[3], is float32[4]" in whys[2]
    assert len(whys) >= 4 and all(c["milliseconds"] > 0 for c in calls)
    text = str(jitted.explain())
    assert "recorded again:" in text and re.search(r"is float32\[4\], in [\d.]+ ms", text)


def test_many_recordings_are_cut_short():
    jitted = kn.jit(lambda x, key: x * 2, static_argnames="key")
    for i in range(30):
        jitted(kn.ones(2), key=f"k{i}")
    assert len(jitted.explain().again) == 29 and "recorded again:  and 9 times before" in str(jitted.explain())


NAMED = """
import sys
import kiln as kn
kn.config.jit = "sync"
def inner(x):
    return kn.cumulative_sum(x * 2, axis=0)
def outer(x):
    y = kn.tanh(x @ x)
    y = inner(y)
    return kn.fori_loop(0, 3, lambda i, c: kn.cumulative_sum(c * 0.5), y.reshape(-1))
f = kn.jit(outer)
x = kn.ones((200, 200)) * 0.001
for _ in range(int(sys.argv[1])):
    f(x)
print(f.stats.cache_hits)
"""


def run_named(tmp_path, calls, prefix=(), **environment):
    script = tmp_path / "model.py"
    script.write_text(NAMED)
    (tmp_path / "code").mkdir(exist_ok=True)
    settings = {**os.environ, "KILN_PERF_DIR": str(tmp_path / "code"), "KILN_CACHE_DIR": str(tmp_path / "cache"), "KILN_NUM_THREADS": "1", **environment}
    return subprocess.run([*prefix, sys.executable, str(script), str(calls)], env=settings, capture_output=True, text=True, timeout=300)


def symbols_of(path):
    """The names of functions."""
    tool = shutil.which("readelf") or shutil.which("llvm-readelf-22")
    if not tool:
        pytest.skip("no readelf")
    out = subprocess.run([tool, "-sW", str(path)], capture_output=True, text=True, check=True).stdout
    return [line.split(maxsplit=7)[7] for line in out.splitlines() if " FUNC " in line]


def test_code_has_the_names_of_the_program(tmp_path):
    for hits in ("0", "1"):  # compiled, then from the cache
        shutil.rmtree(tmp_path / "code", ignore_errors=True)
        done = run_named(tmp_path, 2)
        assert done.returncode == 0 and done.stdout.split() == [hits] and done.stderr == "", done.stderr
        file, = (tmp_path / "code").iterdir()
        names = symbols_of(file)
        assert file.name.startswith("outer-") and "kiln: outer [model.py:8]" in names and "kiln: inner [model.py:6]" in names
        assert any(n.startswith("kiln: outer [model.py:10]") for n in names)  # the kernels in the loop's body
        assert any(n.endswith(" entry") for n in names) and "kiln_entry" in names  # by which it is found


def test_names_are_a_setting(tmp_path):
    f = kn.jit(lambda x: kn.cumulative_sum(x) * 1.25)
    with kn.config.override(perf_dir=str(tmp_path)):
        assert kn.config.perf_dir == str(tmp_path)
        f(kn.ones(3))
    file, = tmp_path.iterdir()
    assert any("test_names_are_a_setting.<lambda> [test_profiling.py:" in n for n in symbols_of(file)), symbols_of(file)
    with pytest.raises(ValueError, match="config: perf_dir: expected a folder to write to"):
        kn.config.perf_dir = "/proc/none"
    with pytest.raises(ValueError, match="config: profile: expected a bool"):
        kn.config.profile = 1
    broken = kn.jit(lambda x: kn.cumulative_sum(x) * 1.5)
    with kn.config.override(perf_dir=str(tmp_path)):
        shutil.rmtree(tmp_path)  # gone meanwhile: code has no names then
        assert broken(kn.ones(2)).tolist() == [1.5, 3.0]


def test_perf_reports_functions_and_lines(tmp_path):
    perf, data = shutil.which("perf"), str(tmp_path / "perf.data")
    if not perf:
        pytest.skip("no perf")
    done = run_named(tmp_path, 400, [perf, "record", "-q", "-e", "cpu-clock", "-o", data])
    if done.returncode:
        pytest.skip("perf may not record here")
    report = subprocess.run([perf, "report", "--stdio", "-i", data, "--sort", "dso,sym"], capture_output=True, text=True, timeout=300).stdout
    assert re.search(r"outer-\d+-\d+\.so +\[\.\] kiln: outer \[model\.py:8\]", report), report[:4000]


def test_gdb_finds_functions_and_lines(tmp_path):
    gdb = shutil.which("gdb")
    if not gdb:
        pytest.skip("no gdb")
    run_named(tmp_path, 1)
    file, = (tmp_path / "code").iterdir()
    commands = ["break model.py:8", "break -function kiln: inner [model.py:6]"]
    done = subprocess.run([gdb, "-nx", "-batch", *(x for c in commands for x in ("-ex", c)), str(file)], capture_output=True, text=True, timeout=300)
    assert re.search(r"Breakpoint 1 at 0x\w+: (file )?.*model\.py", done.stdout) and "Breakpoint 2 at 0x" in done.stdout, done.stdout + done.stderr
    commands = ["set breakpoint pending on", "break model.py:8", "run", "bt 1"]
    done = run_named(tmp_path, 2, [gdb, "-nx", "-batch", *(x for c in commands for x in ("-ex", c)), "--args"])
    if "ptrace" in done.stderr + done.stdout:
        pytest.skip("no process may be traced")
    assert re.search(r"#0 .*kiln: outer \[model\.py:8\].* \(\) at .*model\.py:8", done.stdout), done.stdout + done.stderr
