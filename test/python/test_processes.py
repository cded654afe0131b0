"""Processes that fork, end, are killed or interrupted while programs are compiled and run. ``KILN_SOAK=1`` does each as often as a release asks."""
import os
import pathlib
import random
import signal
import subprocess
import sys
import threading
import time

import pytest

import kiln as kn
import kiln.cache
from conftest import same_bits

SOAK = os.environ.get("KILN_SOAK", "0") != "0"
FORKS, EXITS, KILLS, SECONDS, FUNCTIONS = (100, 1000, 200, 60, 10_000) if SOAK else (10, 12, 8, 2, 300)

ONE = """
import sys, time, random
import kiln as kn
x = kn.linspace(0, 1, 32)
functions = [kn.jit(lambda v, k=k: kn.tanh(v * k) - kn.sum(v) / (k + 2), dynamic=False) for k in range(3)]
for f in functions:
    for _ in range(2):
        assert kn.array_equal(f(x), f.__wrapped__(x))
print("compiling", flush=True)
time.sleep(float(sys.argv[1]))
"""


def start(delay, folder, code=ONE, **env):
    return subprocess.Popen([sys.executable, "-c", code, str(delay)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                            env={**os.environ, "KILN_JIT": "auto", "KILN_CACHE_DIR": str(folder), **env})


def ended(process):
    """Its error output; fails where it hangs or does not end with 0."""
    _, error = process.communicate(timeout=60)
    assert process.returncode == 0, (process.returncode, error)
    return error


def test_ends_while_it_compiles(tmp_path):
    rng = random.Random(0)
    for i in range(EXITS):
        assert ended(start(rng.uniform(0, 0.12), tmp_path / str(i), KILN_CACHE=str(i % 2))) == ""


def test_ends_without_pythons_exit(tmp_path):
    """As in a program that embeds Python: the C library's exit alone, once LLVM has been in use."""
    rng = random.Random(1)
    code = ONE.replace("print(", "while not functions[0].stats.tier: time.sleep(0.001)\nprint(") + "import ctypes; ctypes.CDLL(None).exit(0)\n"
    for _ in range(EXITS // 4):
        assert ended(start(rng.uniform(0, 0.12), tmp_path, code, KILN_CACHE="0")) == ""
    assert ended(start(0, tmp_path, ONE + "import os; os._exit(0)\n", KILN_CACHE="0")) == ""


def test_is_killed_while_it_compiles(tmp_path):
    """What it leaves on disk is whole or is built again."""
    rng = random.Random(2)
    for i in range(KILLS):
        process = start(5, tmp_path, ONE.replace("tanh", ("tanh", "sin", "exp", "cos")[i % 4]).replace("k + 2", f"k + {i + 2}"))
        assert process.stdout.readline() == "compiling\n"
        time.sleep(rng.uniform(0, 0.12))
        process.kill()
        process.communicate()
    assert ended(start(0, tmp_path)) == ""
    result = subprocess.run([sys.executable, "-m", "kiln.cache", "verify"], env={**os.environ, "KILN_CACHE_DIR": str(tmp_path)}, capture_output=True, text=True)
    assert result.returncode == 0 and ", 0 damaged" in result.stdout, result.stdout


def make(k):
    return lambda v: kn.exp(v * k) + kn.sum(v) / (k + 1)


def wait(child, seconds=60):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        pid, status = os.waitpid(child, os.WNOHANG)
        if pid:
            return status
        time.sleep(0.002)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return "hangs"


def forks():
    """In a process of its own: forks while the compile thread, other threads and the pool work."""
    rng, stop, wrong = random.Random(3), threading.Event(), []
    x, big = kn.linspace(0, 1, 100), kn.ones((400, 400))
    product = kn.sum(big @ big)

    def others():
        f = kn.jit(make(1000))
        while not stop.is_set():
            if not kn.array_equal(f(x), f.__wrapped__(x)) or not kn.array_equal(kn.sum(big @ big), product):
                wrong.append("thread")

    thread = threading.Thread(target=others)
    thread.start()
    kept = []
    for i in range(int(sys.argv[1])):
        f = kn.jit(make(i), dynamic=False)
        f(x), f(x)
        kept.append(f)
        time.sleep(rng.uniform(0, 0.02))
        child = os.fork()
        if child == 0:
            new, expected = kn.jit(make(i + 0.5), dynamic=False), make(i + 0.5)(x)
            ok = all(kn.array_equal(g(x), g.__wrapped__(x)) for g in kept[-3:]) and kn.array_equal(kn.sum(big @ big), product)
            end, isLost = time.monotonic() + 50, False
            while ok and time.monotonic() < end and not isLost and not (new.stats.tier and f.stats.tier):  # both are compiled here
                ok = kn.array_equal(new(x), expected) and kn.array_equal(f(x), f.__wrapped__(x))
                isLost = "forked while the compiler was at work" in new.explain().variants[0]["error"]  # on a busy machine
            ok = ok and (isLost or (new.stats.tier == 1 and f.stats.tier == 1))
            if i % 2:
                os._exit(0 if ok else 3)
            sys.exit(0 if ok else 3)  # with the hooks of the interpreter's end
        status = wait(child)
        if status:
            wrong.append((i, status))
            break
    stop.set()
    thread.join()
    assert not wrong, wrong


def test_forks_while_it_compiles(tmp_path):
    process = subprocess.Popen([sys.executable, "-c", "import test_processes; test_processes.forks()", str(FORKS)], stderr=subprocess.PIPE, text=True,
                               env={**os.environ, "KILN_JIT": "auto", "KILN_CACHE": "0", "PYTHONPATH": os.pathsep.join([os.path.dirname(__file__), *sys.path])})
    _, error = process.communicate(timeout=600)
    assert process.returncode == 0, error[-2000:]


LONG = """
import ctypes, os, sys, threading, time, warnings
import kiln as kn
x = kn.linspace(0, 1, 64)
g = kn.jit(lambda v: kn.tanh(v) * 2, dynamic=False)
g(x), g(x)
while not g.stats.tier:
    time.sleep(0.001)
def long(v):
    for i in range(6000):
        v = kn.concat([kn.tanh(v[1:]) * (i + 0.5), v[:1]])
    return v
f = kn.jit(long, dynamic=False)
"""


@pytest.mark.parametrize("end", ["sys.exit(0)", "os._exit(0)", "ctypes.CDLL(None).exit(0)"])
def test_forks_do_not_wait_for_a_long_compile(end, tmp_path):
    """A child that cannot use the compiler runs on without, and says so; what was compiled stays."""
    code = LONG + f"""
f(x), f(x)
for delay in (0.05, 0.4, 0.8):
    time.sleep(delay)
    assert f.explain().variants[0]["state"] == "compiling"
    start = time.monotonic()
    child = os.fork()
    if not child:
        ok = kn.array_equal(g(x), kn.tanh(x) * 2) and g.stats.tier == 1
        new, again = (kn.jit(lambda v: v * 3 + delay, dynamic=False) for _ in range(2))
        with warnings.catch_warnings(record=True) as seen:
            warnings.simplefilter("always")
            while ok and new.explain().variants == [] or new.explain().variants[0]["state"] not in ("failed", "ready"):
                ok = kn.array_equal(new(x), x * 3 + delay)
            new(x)
        kn.config.jit = "sync"
        ok = ok and kn.array_equal(again(x), x * 3 + delay) and kn.array_equal(f(x), long(x))
        ok = ok and (new.stats.tier or any("forked while the compiler was at work" in str(w.message) for w in seen))
        if not ok:
            os._exit(3)
        {end}
    taken = time.monotonic() - start
    assert taken < 2, taken  # 0.1 s where nothing else runs
    assert os.waitpid(child, 0)[1] == 0
"""
    ended(start(0, tmp_path, code, KILN_CACHE="0"))


@pytest.mark.parametrize("end", ["sys.exit(0)", "ctypes.CDLL(None).exit(0)"])
@pytest.mark.parametrize("mode", ["auto", "sync"])
def test_ends_during_a_long_compile(mode, end, tmp_path):
    call = "f(x), f(x)" if mode == "auto" else "kn.config.jit = 'sync'; threading.Thread(target=f, args=(x,), daemon=True).start()"
    for delay in (0.02, 0.3, 0.8, 1.6):
        process = start(0, tmp_path, LONG + f"{call}; time.sleep({delay}); print('ends', flush=True); {end}\n", KILN_CACHE="0")
        assert process.stdout.readline() == "ends\n"
        began = time.monotonic()
        assert ended(process) == ""
        assert time.monotonic() - began < 4  # 0.2 s where nothing else runs


@pytest.mark.parametrize("delay", [0.05, 0.2, 0.35, 0.5])
def test_ends_while_other_threads_are_in_long_calls(delay, tmp_path):
    """Python ends threads that want its lock back by unwinding them: none may take the process with it."""
    code = ("import sys, threading, time, kiln as kn\n"
            "x = kn.ones(3_000_000)\n"
            "f = kn.jit(lambda v: kn.tanh(v) * 2 + kn.sum(v))\n"
            "f(x), f(x)\n"
            "def work():\n"
            "    while True: f(x); kn.exp(x) + x\n"
            "for _ in range(4): threading.Thread(target=work, daemon=True).start()\n"
            f"time.sleep({delay})\n")
    for _ in range(3):
        assert ended(start(0, tmp_path, code)) == ""


def test_many_threads(tmp_path):
    """Threads on shared functions: new sizes and numbers, evictions, cleared caches, changed settings, failing calls."""
    shared = [kn.jit(lambda v, k, f=f: f(v) * k + kn.sum(v)) for f in (kn.tanh, kn.sin, kn.abs)]
    functions = [(f, f.__wrapped__) for f in shared]
    wrong, end = [], time.monotonic() + SECONDS

    def work(seed):
        rng = random.Random(seed)
        while time.monotonic() < end and not wrong:
            f, plain = rng.choice(functions)
            n = rng.choice((1, 2, 3, 5, 8, 300, 70_000))
            x, k = kn.linspace(-1, 1, n), rng.choice((1, 2.5, seed))
            try:
                same_bits(f(x, k), plain(x, k))
                if rng.random() < 0.02:
                    kn.clear_caches()
                if rng.random() < 0.05:
                    f.explain().to_dict() if rng.random() < 0.1 else f.stats
                if n > 1 and rng.random() < 0.1:
                    with pytest.raises(kn.ShapeError):
                        f(x, kn.ones((2, n + 1)))
                if rng.random() < 0.01:
                    kn.set_num_threads(rng.choice((1, 2, 3)))
            except BaseException as error:  # noqa: BLE001
                wrong.append(error)

    with kn.config.override(jit="auto", cache_dir=str(tmp_path), num_threads=2):
        threads = [threading.Thread(target=work, args=(k,)) for k in range(32)]
        [t.start() for t in threads]
        [t.join() for t in threads]
    if wrong:
        raise wrong[0]


def test_memory_stays_while_other_threads_replace_it(tmp_path):
    """A name that a call reads is bound anew, and its argument's cell gets other memory, while the call runs."""
    n = 1 << 20
    scope = {"kn": kn, "weights": kn.ones(n)}
    exec("def scaled(x): return kn.tanh(x) * 0 + x * weights\ndef put(x, k): x[...] = kn.zeros_like(x) + k\n", scope)
    x, wrong, end = kn.ones(n), [], time.monotonic() + SECONDS
    plain = lambda v: v * 2 + kn.sin(v) * 0  # noqa: E731

    def read(f, names):
        while time.monotonic() < end and not wrong:
            out = f(x)
            if not kn.all(out == out[0]) or float(out[0]) not in names:
                wrong.append(float(out[0]))

    def replace():
        put = kn.jit(scope["put"])
        for k in range(10**9):
            if time.monotonic() > end:
                return
            put(x, kn.asarray(float(1 + k % 2)))
            scope["weights"] = kn.ones(n)

    with kn.config.override(cache_dir=str(tmp_path), num_threads=2):
        for mode in ("auto", "sync"):
            kn.config.jit, end = mode, time.monotonic() + SECONDS
            threads = [threading.Thread(target=read, args=(kn.jit(f), (1 * m, 2 * m))) for f, m in ((scope["scaled"], 1), (plain, 2))]
            threads.append(threading.Thread(target=replace))
            [t.start() for t in threads]
            [t.join() for t in threads]
            assert not wrong, wrong


def resident():
    return int(pathlib.Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.skipif("KILN_SANITIZED" in os.environ, reason="freed memory is kept")
def test_dropped_functions_leave_memory_flat():
    x = kn.ones(4)

    def round_of(count, mode):
        with kn.config.override(jit=mode, cache=False):
            for k in range(count):
                kn.jit(make(k + 0.25), dynamic=False)(x)

    round_of(FUNCTIONS // 10, "sync"), round_of(1000, "auto")
    before, executables = resident(), kn.memory_stats().executables
    round_of(FUNCTIONS, "sync"), round_of(3000, "auto")
    grown = resident() - before
    assert kn.memory_stats().executables == executables
    assert grown < (64 << 20 if SOAK else 24 << 20), f"{grown:,} bytes for {FUNCTIONS} functions"


def test_interrupts_in_native_code():
    """Ctrl-C ends a long call in time, and what the call would have written is as before."""
    with kn.config.override(jit="sync", num_threads=2):
        def f(x, y):
            y[...] = kn.lgamma(x) * kn.digamma(x) * kn.erfinv(x) * kn.pow(x, 0.3)
            return kn.sum(y, axis=1)

        jitted = kn.jit(f)
        x, y = kn.ones((4000, 5000)), kn.zeros((4000, 5000))
        jitted(kn.ones((4000, 5000)), y)
        y[...] = 0
        was = signal.signal(signal.SIGINT, signal.default_int_handler)
        try:
            for threads in (1, 2):
                kn.set_num_threads(threads)
                sent = []
                timer = threading.Timer(0.05, lambda: (sent.append(time.monotonic()), os.kill(os.getpid(), signal.SIGINT)))  # noqa: B023
                timer.start()
                with pytest.raises(KeyboardInterrupt):
                    jitted(x, y)
                assert time.monotonic() - sent[0] < 0.5  # 20 ms and a task, where nothing else runs
                timer.join()
                assert not kn.any(y)
        finally:
            signal.signal(signal.SIGINT, was)
        same_bits(jitted(x[:10], kn.zeros((10, 5000))), f(x[:10], kn.zeros((10, 5000))))


def test_ctrl_c_in_a_first_call():
    """Whether it is recorded, compiled or run by its code when Ctrl-C comes."""
    def f(x):
        return kn.sum(kn.lgamma(x) * kn.digamma(x) * kn.erfinv(x) * kn.pow(x, 0.3), axis=1)

    x = kn.ones((2000, 2000))
    start = time.monotonic()
    f(x)
    took = time.monotonic() - start
    was = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        for share in (0.3, 0.8, 1.1, 1.4, 1.7):
            timer = threading.Timer(share * took, os.kill, (os.getpid(), signal.SIGINT))
            with kn.config.override(jit="sync", cache=False), pytest.raises(KeyboardInterrupt):
                timer.start()
                kn.jit(f)(x)
                time.sleep(20)  # where it had ended before
            timer.join()
    finally:
        signal.signal(signal.SIGINT, was)


@pytest.mark.parametrize("others", (False, True))
def test_ctrl_c_ends_compiling(others):
    """Also while another thread's program is compiled; later calls compile as if nothing had been."""
    kinds = [kn.sin, kn.cos, kn.tanh, lambda v: kn.sum(v, axis=0) + v, lambda v: v @ v, lambda v: v.T + 1, kn.abs]

    def program(seed, count):
        order = tuple(random.Random(seed).choices(range(len(kinds)), k=count))

        def f(x):
            for i in order:
                x = kinds[i](x) * 0.5
            return x
        return f

    with kn.config.override(jit="sync", cache=False):
        x = kn.ones((8, 8))
        other = threading.Thread(target=lambda: kn.jit(program(1, 300))(x))
        if others:
            other.start()
        was, sent, jitted = signal.signal(signal.SIGINT, signal.default_int_handler), [], kn.jit(program(2, 1500))
        timer = threading.Timer(0.3, lambda: (sent.append(time.monotonic()), os.kill(os.getpid(), signal.SIGINT)))
        timer.start()
        try:
            with pytest.raises(KeyboardInterrupt):
                jitted(x)
            assert time.monotonic() - sent[0] < 1  # 20 ms to ask and 100 for the compiler, where nothing else runs
        finally:
            signal.signal(signal.SIGINT, was)
            timer.join()
        small = kn.jit(program(2, 30))
        same_bits(small(x), program(2, 30)(x))
        assert small.stats.compiles == 1
        if others:
            other.join()


def test_handlers_may_use_arrays_in_the_midst_of_a_program():
    with kn.config.override(jit="sync", num_threads=2):
        f = kn.jit(lambda x: kn.sum(kn.softmax(kn.lgamma(x) * kn.pow(x, 0.3), axis=1), axis=0) @ kn.ones((3000, 7)))
        x = kn.linspace(1, 2, 3_000_000).reshape(1000, 3000)
        expected, seen = f(x), []
        was = signal.signal(signal.SIGALRM, lambda *_: seen.append(float(kn.sum(f(x[:500])))))
        try:
            for _ in range(5):
                signal.setitimer(signal.ITIMER_REAL, 0.002)
                same_bits(f(x), expected)
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, was)
        assert seen and len(set(seen)) == 1


def test_signals_stay_the_programs_own(tmp_path):
    """The actions of all signals are the same before and after the first compile, also of one behind the program's back."""
    code = ("import re, time, signal, kiln as kn\n"
            "ours = ~(3 << 31)  # without the two that the C library takes for itself at the first thread\n"
            "def state(): return [int(re.search(name + r':\\s*(\\w+)', open('/proc/self/status').read()).group(1), 16) & ours for name in ('SigCgt', 'SigIgn', 'SigBlk')]\n"
            "signal.signal(signal.SIGUSR1, lambda *_: None); signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
            "before, f = state(), kn.jit(lambda x: x * 3 + 1)\n"
            "f(kn.ones(3)); f(kn.ones(3))\n"
            "while not f.stats.tier: time.sleep(0.001)\n"
            "assert kn._core.compiler_is_open() and state() == before, (before, state())\n")
    assert ended(start(0, tmp_path, code, KILN_CACHE="0")) == ""


def test_a_signal_at_the_first_compile(tmp_path):
    """A handler that is set runs, also while LLVM starts."""
    code = ("import os, signal, sys, threading, time, kiln as kn\n"
            "seen = []\n"
            "signal.signal(signal.SIGINT, lambda *_: seen.append(1))\n"
            "def send():\n"
            "    for _ in range(400): os.kill(os.getpid(), signal.SIGINT); time.sleep(0.0002)\n"
            "t = threading.Thread(target=send); f = kn.jit(lambda x: x * 3 + 1)\n"
            "f(kn.ones(3)); t.start(); f(kn.ones(3))\n"
            "while not f.stats.tier: time.sleep(0.001)\n"
            "t.join(); assert seen\n")
    assert ended(start(0, tmp_path, code, KILN_CACHE="0")) == ""


def test_subinterpreters_are_refused(tmp_path):
    code = ("import sys, kiln\n"
            "s = __import__('_interpreters' if sys.version_info >= (3, 13) else '_xxsubinterpreters')\n"
            "try: told = s.run_string(s.create(), 'import kiln')  # the exception, from 3.13 on\n"
            "except Exception as e: told = e\n"
            "assert 'main interpreter' in str(told), told\n")
    assert ended(start(0, tmp_path, code)) == ""  # negative


@pytest.mark.skipif("libclang_rt" in os.environ.get("LD_PRELOAD", ""), reason="a sanitizer takes address space of its own")
def test_out_of_memory(tmp_path):
    """A clean MemoryError, and nothing half-written."""
    code = ("import resource, kiln as kn\n"
            "with kn.config.override(jit='sync'): kn.jit(lambda x: x + 2)(kn.ones(3))  # opens the compiler\n"
            "x, y = kn.ones((1000, 1000)), kn.zeros((1000, 1000))\n"
            "@kn.jit\n"
            "def f(x, y):\n"
            "    y[...] = x + 1\n"
            "    return kn.sum(kn.broadcast_to(x, (60, 1000, 1000)) * 2, axis=1), kn.broadcast_to(x, (200, 1000, 1000)) * 2\n"
            "def fails(call):\n"
            "    try: call()\n"
            "    except MemoryError: return True\n"
            "f(x, y); y[...] = 0\n"
            "kn._core.release_kept()\n"
            "used = int(open('/proc/self/statm').read().split()[0]) * 4096\n"
            "resource.setrlimit(resource.RLIMIT_AS, (used + (300 << 20), resource.RLIM_INFINITY))\n"
            "assert fails(lambda: f(x, y)) and not kn.any(y), 'op by op'\n"
            "kn.config.jit = 'sync'\n"
            "assert fails(lambda: f(x, y)) and not kn.any(y), 'compiled'\n"
            "kn.clear_caches()\n"
            "assert fails(lambda: f(x, y)) and kn.all(y == 2), 'recorded: what eager wrote before'\n"
            "assert fails(lambda: kn.ones(1 << 40)) and fails(lambda: kn.ones((1 << 31, 1 << 31)))\n"
            "assert float(kn.sum(x)) == 1e6\n")
    assert ended(start(0, tmp_path, code, KILN_CACHE="0")) == ""  # negative
