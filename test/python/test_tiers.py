"""Functions before their code is there, while it is compiled, and after."""
import os
import pathlib
import subprocess
import sys
import time

import pytest

import kiln as kn
from conftest import same_bits


@pytest.fixture(autouse=True)
def behind(tmp_path):
    with kn.config.override(jit="auto", cache_dir=str(tmp_path)):
        yield tmp_path


def wait(f, seconds=20):
    """Until the function's code is there."""
    end = time.monotonic() + seconds
    while f.stats.tier == 0:
        assert time.monotonic() < end, f.explain()
        time.sleep(0.001)


def chain(x, w):
    return kn.tanh(x * w + 1) - kn.sum(x) / 3


def test_code_comes_after_the_second_call():
    f = kn.jit(chain)
    x = kn.linspace(0, 1, 50)
    first = f(x, x)
    assert f.stats.tier == 0 and f.stats.kernels == 0 and f.stats.compiles == 0 and f.stats.segments == 1
    assert f.explain().variants[0]["state"] == "recorded" and "not compiled yet" in str(f.explain())
    second = f(x, x)
    wait(f)
    third = f(x, x)
    assert f.stats.tier == 1 and f.stats.kernels == 1 and f.stats.compiles == 1 and f.stats.calls == 3
    for result in (first, second, third):
        same_bits(result, chain(x, x))


def test_long_calls_are_compiled_at_once():
    f = kn.jit(lambda x: kn.exp(kn.sin(x)) * x)
    f(kn.ones(2_000_000))
    wait(f)
    assert f.stats.calls == 1 and f.stats.compiles == 1


def test_code_on_disk_is_taken_at_once():
    first, second = kn.jit(chain), kn.jit(chain)
    x = kn.ones(3)
    first(x, x), first(x, x)
    wait(first)
    second(x, x)
    assert second.stats.tier == 1 and second.stats.cache_hits == 1 and second.stats.compiles == 0


def test_sync_waits_also_for_code_on_its_way():
    f = kn.jit(chain)
    x = kn.ones(5)
    f(x, x), f(x, x)
    with kn.config.override(jit="sync"):
        f(x, x)
    assert f.stats.tier == 1 and f.stats.compiles == 1


def test_off_runs_as_written():
    with kn.config.override(jit="off"):
        f = kn.jit(chain)
        same_bits(f(kn.ones(3), kn.ones(3)), chain(kn.ones(3), kn.ones(3)))
        assert f.stats.calls == 1 and f.stats.misses == 0


def test_a_second_size_makes_one_program_for_all():
    f = kn.jit(chain)
    for n in (3, 4, 5, 6):
        same_bits(f(kn.ones(n), kn.ones(n)), chain(kn.ones(n), kn.ones(n)))
    wait(f)
    for n in (3, 4, 5, 6, 9):
        same_bits(f(kn.ones(n), kn.ones(n)), chain(kn.ones(n), kn.ones(n)))
    assert f.stats.compiles == 1 and f.stats.tier == 1 and all(v["any_size"] for v in f.explain().variants)


def test_writes_views_and_structures():
    def f(x, y):
        row = x[1]
        row *= 2
        y += 1
        return {"view": x[:2], "same": y, "new": (x.T, kn.flip(x)), "n": 3}

    def call(g):
        x, y = kn.reshape(kn.arange(6.0), (3, 2)), kn.ones(4)
        out = g(x, y)
        assert out["same"] is y and kn._core.shares_memory(out["view"], x)
        return [x, y, out["view"], *out["new"]]

    jitted = kn.jit(f)
    for a, b in zip(call(jitted), call(f)):
        same_bits(a, b)
    assert jitted.stats.tier == 0


def test_results_have_memory_of_their_own():
    f = kn.jit(lambda x: (x[1:], x.T * 1, kn.copy(x), kn.broadcast_to(x, (2, 3))))
    x = kn.arange(3.0)
    view, twice, copied, repeated = f(x)
    copied[0] = 7
    twice[1] = 8
    assert x.tolist() == [0, 1, 2] and repeated.tolist() == [[0, 1, 2]] * 2 and view.tolist() == [1, 2]


def test_results_that_are_one_value_are_two_arrays():
    def f(x):
        y = x + 1
        return kn.copy(y), kn.copy(y)

    a, b = kn.jit(f)(kn.zeros(3))
    a[0] = 5
    assert b.tolist() == [1, 1, 1]


def test_failures_on_data_are_eager_errors():
    f = kn.jit(lambda x, i: x[i] * 2)
    same_bits(f(kn.arange(4), kn.asarray([1, 3])), kn.asarray([2, 6]))
    with pytest.raises(kn.IndexError, match="test_tiers.py"):  # negative
        f(kn.arange(4), kn.asarray([9]))
    with pytest.raises(kn.linalg.LinAlgError, match="test_tiers.py"):  # negative
        kn.jit(lambda x: kn.linalg.cholesky(x))(kn.asarray([[0.0, 1.0], [1.0, 0.0]]))


def test_without_a_compiler_functions_run_and_say_so(tmp_path):
    folder = pathlib.Path(kn._libraries)
    for name in os.listdir(folder):
        if "compiler" not in name and name.endswith(".so"):
            (tmp_path / name).symlink_to(folder / name)
    code = ("import warnings; warnings.simplefilter('error', KilnWarning := __import__('kiln').KilnWarning)\n"
            f"import kiln as kn; kn._core.set_python_side({{**kn._python_side, 'libraries': {str(tmp_path)!r}}})\n"
            "f = kn.jit(lambda x: x * 3)\n"
            "import time\n"
            "warned = []\n"
            "for _ in range(200):\n"
            "    try: assert float(f(kn.ones(2))[0]) == 3\n"
            "    except KilnWarning as w: warned.append(str(w))\n"
            "    time.sleep(0.005)\n"
            "assert len(warned) == 1 and 'without optimized code' in warned[0] and 'library of the installation' in warned[0], warned\n"
            "assert f.stats.tier == 0 and 'their code was not compiled: compiler: expected' in str(f.explain())\n")
    result = subprocess.run([sys.executable, "-c", code], env={**os.environ, "KILN_CACHE": "0", "KILN_JIT": "auto"}, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr  # negative


def test_without_a_folder_code_stays_in_memory():
    with kn.config.override(cache_dir="/proc/none"):
        f = kn.jit(chain)
        x = kn.ones(2)
        f(x, x), f(x, x)
        wait(f)


@pytest.mark.parametrize("value", ["later", "", 3, None])
def test_modes_are_checked(value):
    with pytest.raises(ValueError, match="KILN_JIT: mode: expected auto, sync or off"):  # negative
        kn.config.jit = value


def test_the_environment_chooses_the_mode():
    code = "import kiln as kn; print(kn.config.jit)"
    for value, shown in (("sync", "sync"), ("", "auto"), ("off", "off")):
        assert subprocess.run([sys.executable, "-c", code], env={**os.environ, "KILN_JIT": value}, capture_output=True, text=True).stdout.strip() == shown
    result = subprocess.run([sys.executable, "-c", code], env={**os.environ, "KILN_JIT": "never"}, capture_output=True, text=True)
    assert result.returncode and "expected auto, sync or off, got 'never'" in result.stderr  # negative


def test_settings():
    assert "jit = 'auto'" in repr(kn.config) and set(dir(kn.config)) >= {"jit", "cache_dir", "num_threads"}
    with kn.config.override(cache=False, cache_path=("/a", "/b"), cache_limit=5, num_threads=1):
        assert (kn.config.cache, kn.config.cache_path, kn.config.cache_limit, kn.config.num_threads) == (False, ("/a", "/b"), 5, 1)
    assert kn.config.cache
    for name, value in (("cache", 1), ("cache_path", "/a"), ("cache_limit", -1), ("cache_dir", None)):
        with pytest.raises(ValueError, match=f"config: {name}: expected a"):  # negative
            setattr(kn.config, name, value)
    with pytest.raises(AttributeError, match="config: expected one of jit, cache"):  # negative
        kn.config.speed = 3
    with pytest.raises(AttributeError, match="got 'speed'"):  # negative
        kn.config.speed  # noqa: B018


def test_clear_caches():
    f = kn.jit(chain)
    x = kn.ones(3)
    f(x, x), f(x, x)
    wait(f)
    before = kn.memory_stats()
    kn.clear_caches()
    assert f.explain().variants == [] and kn.memory_stats().executables < before.executables and kn.memory_stats().kept == 0
    same_bits(f(x, x), chain(x, x))


def test_memory_statistics():
    kn.clear_caches()
    before = kn.memory_stats()
    x = kn.zeros(1 << 20, dtype=kn.float32)
    during = kn.memory_stats()
    assert during.in_use - before.in_use >= 4 << 20 and during.peak >= 4 << 20
    del x
    after = kn.memory_stats()
    assert after.in_use < during.in_use and after.kept >= 4 << 20 and after.kept <= after.kept_limit
    small = [kn.ones(3) for _ in range(1000)]
    assert kn.memory_stats().in_use - after.in_use >= 64 * 1000
    del small


def test_assert_same_bits(monkeypatch):
    def f(x, w, scale=2.0):
        x[1:] *= scale
        return {"a": kn.tanh(x @ w), "b": kn.sum(x, axis=0), "n": 3}

    x, w = kn.reshape(kn.arange(12.0), (3, 4)), kn.ones((4, 5))
    kn.testing.assert_same_bits(f, x, w, scale=3.0)
    kn.testing.assert_same_bits(kn.jit(f), x, w)
    kn.testing.assert_same_bits(lambda z: z / 0 - z / 0, kn.ones(3, dtype=kn.complex64))
    assert x.tolist()[1] == [4, 5, 6, 7], "the arguments are as before"
    with pytest.raises(kn.TraceError, match="runs in eager"):  # negative
        kn.testing.assert_same_bits(lambda x: print() or x, x)
    jit = kn.testing.jit
    for other, what in ((lambda x: x + 2, "operation by operation, 1 threads: leaf 0: expected 1.0 at element 0, got 2.0"), (lambda x: x[:1] + 1, r"expected float32\[3\], got float32\[1\]"),
                        (lambda x: (x, 1), "expected a result like"), (lambda x: 4, r"expected float32\[3\], got int")):
        monkeypatch.setattr(kn.testing, "jit", lambda function, other=other, **options: jit(other, dynamic=False))
        with pytest.raises((AssertionError, kn.TraceError), match=what):  # negative
            kn.testing.assert_same_bits(lambda x: x + 1, kn.zeros(3))


def test_the_first_operation_that_differs_is_named(monkeypatch):
    def f(x):
        y = kn.exp(x)
        return kn.sin(y)

    run = kn._core.run_program
    f = kn.jit(f)
    with kn.config.override(jit="sync"):
        f(kn.ones(3))
    monkeypatch.setattr(kn._core, "run_program", lambda words, inputs: tuple(x + (len(inputs) > 0) for x in run(words, inputs)))
    assert "exp (" in kn.testing._first_operation(f, (kn.ones(3),)) and "test_tiers.py:" in kn.testing._first_operation(f, (kn.ones(3),))
    monkeypatch.setattr(kn._core, "run_program", run)
    assert kn.testing._first_operation(f, (kn.ones(3),)) == "no operation differs by itself"


def test_replays_write_into_memory_of_their_own():
    """A loop of writes does not copy the array each time, and leaves the arguments alone."""
    def f(x, rows):
        y = kn.copy(x)
        for i in range(20):
            y[i] = rows[i] * 2
        return y

    x, rows = kn.zeros((20, 1 << 16)), kn.ones((20, 1 << 16))
    jitted = kn.jit(f)
    same_bits(jitted._replay((x, rows), {}), f(x, rows))
    assert not kn.any(x)


def test_threads_share_a_function_while_it_is_compiled():
    import threading

    f = kn.jit(chain)
    x = kn.linspace(0, 1, 64)
    expected, wrong, end = chain(x, x), [], time.monotonic() + 1

    def work(k):
        while time.monotonic() < end:
            n = 3 + k % 5
            if not kn.array_equal(f(x, x), expected) or not kn.array_equal(f(x[:n], x[:n]), chain(x[:n], x[:n])):
                wrong.append(k)

    threads = [threading.Thread(target=work, args=(k,)) for k in range(16)]
    [t.start() for t in threads]
    [t.join() for t in threads]
    assert not wrong and f.stats.tier == 1


def test_testing_is_imported_when_it_is_used():
    code = ("import sys, kiln as kn\n"
            "assert 'kiln.testing' not in sys.modules and 'email' not in sys.modules, 'they make the import slow'\n"
            "kn.testing.assert_same_bits(lambda x: x + 1, kn.ones(3))\n"
            "try: kn.nothing\n"
            "except AttributeError as e: assert \"no attribute 'nothing'\" in str(e)\n"
            "else: raise SystemExit('found')\n")
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0  # negative
