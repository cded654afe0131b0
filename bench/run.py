"""`make bench`: Kiln against its peers in one run, one thread, medians of interleaved ratios; writes bench/results.json.
With names of parts as arguments only those run, and nothing is written.

A ratio above 1 is Kiln ahead; call costs are given as a fraction of one NumPy `a + b` instead (lower is better).
"""
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time
import timeit

for name in ("KILN_NUM_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = "1"

import eager  # noqa: E402
import numpy as np  # noqa: E402

import kiln as kn  # noqa: E402

ROWS = []


def row(name, value, bar, unit=""):
    ok = None if bar is None else (value <= bar[1] if bar[0] == "<=" else value >= bar[1])
    ROWS.append({"name": name, "value": value, "bar": None if bar is None else f"{bar[0]} {bar[1]}", "met": ok, "unit": unit})
    print(f"  {name:<58} {value:9.3f}{unit:<3} {'' if bar is None else f'bar {bar[0]} {bar[1]}':<14} {'' if ok is None else 'met' if ok else 'MISSED'}", flush=True)


def once(run, times):
    start = time.perf_counter()
    for _ in range(times):
        run()
    return (time.perf_counter() - start) / times


def ratio(kiln, peer, rounds=15, times=1):
    """Median over rounds of peer's time over Kiln's, the two in turns."""
    kiln(), peer()
    return statistics.median(once(peer, times) / once(kiln, times) for _ in range(rounds))


def calls():
    print("calls from Python")
    a, b = np.ones(10, np.float32), np.ones(10, np.float32)
    x, y, z = kn.asarray(a.copy()), kn.asarray(b.copy()), kn.asarray(b.copy())
    f = kn.jit(lambda p, q, r: p * q + r)
    f(x, y, z)
    names = {"f": f, "x": x, "y": y, "z": z, "a": a, "b": b}
    jitted, eager, numpy = (timeit.Timer(text, globals=names) for text in ("f(x, y, z)", "x + y", "a + b"))

    def fraction(timer):  # of NumPy's, the two in turns
        return statistics.median(timer.timeit(5000) / numpy.timeit(5000) for _ in range(41))

    row("jitted call, 3 small arrays, of one NumPy a+b", fraction(jitted), ("<=", 0.25))
    row("eager a+b, 10 elements, of NumPy's", fraction(eager), ("<=", 0.5))
    w = kn.ones(10)
    steps = 200

    def chain(v):
        for _ in range(steps):
            v = v + w
        return v

    g = kn.jit(chain)
    record = statistics.median(once(lambda: g._record((x,), {}), 1) for _ in range(9)) / steps
    row("recording, an op with its location", record * 1e9, None, "ns")


def compile_times():
    print("compiling, the compiler open, nothing cached")
    config = kn._core.cache_config()
    kn._core.set_cache_config(False, *config[1:])
    x, m = kn.ones(1000), kn.ones((100, 100))

    def fresh(make, argument):
        times = []
        for k in range(1, 8):
            f = kn.jit(make(float(k)))
            start = time.perf_counter()
            f(argument)
            times.append(time.perf_counter() - start)
        return statistics.median(times) * 1e3

    def ten_ops(k):
        def f(v):
            for j in range(5):
                v = v * k + j
            return v
        return f

    row("elementwise kernel of 10 ops", fresh(ten_ops, x), None, "ms")
    row("softmax kernel", fresh(lambda k: lambda v: kn.softmax(v * k), m), None, "ms")
    row("matrix product", fresh(lambda k: lambda v: (v + k) @ v, m), None, "ms")
    kn._core.set_cache_config(*config)


START = """
import sys, time
t0 = time.perf_counter()
import numpy as np
t1 = time.perf_counter()
import kiln as kn
t2 = time.perf_counter()
f = kn.jit(lambda x, y: kn.tanh(x) * y + kn.sum(x))
x = kn.asarray(np.ones(64, np.float32))
t3 = time.perf_counter()
f(x, x)
t4 = time.perf_counter()
mapped = "libLLVM" in open("/proc/self/maps").read()
print(1e3 * (t2 - t1), 1e3 * (t4 - t3), f.stats.cache_hits, int(mapped))
"""


def start_up():
    print("a new process")
    with tempfile.TemporaryDirectory() as folder:
        env = {**os.environ, "KILN_CACHE_DIR": folder}

        def run():
            return [float(v) for v in subprocess.run([sys.executable, "-c", START], env=env, capture_output=True, text=True, check=True).stdout.split()]

        first = run()
        again = [run() for _ in range(9)]
    row("import kiln beyond NumPy's", statistics.median(r[0] for r in again), ("<=", 30), "ms")
    row("first compiled result, nothing cached", first[1], None, "ms")
    row("first compiled result, warm cache", statistics.median(r[1] for r in again), ("<=", 2), "ms")
    row("processes of 9 that found the code and mapped no LLVM", sum(r[2] == 1 and r[3] == 0 for r in again), (">=", 9))


def memory_bound():
    print("bytes moved, against a plain copy of as many")
    n = 16 << 20
    source, target = np.random.default_rng(0).random(n, np.float32), np.empty(n, np.float32)
    x = kn.asarray(source)

    @kn.jit
    def affine(v):
        for a, b in ((1.1, 0.1), (0.9, 0.2), (1.2, -0.3), (0.8, 0.4), (1.05, 0.5)):
            v = v * a + b
        return v

    row("affine chain of 10 ops, 16M floats", ratio(lambda: affine(x), lambda: np.copyto(target, source)), (">=", 0.9))
    row("  kernels in it", affine.stats.kernels, ("<=", 1))
    m = kn.asarray(source[:4096 * 1024].reshape(4096, 1024))
    rows, into = m.numpy(), np.empty((4096, 1024), np.float32)

    @kn.jit
    def softmax(v):
        e = kn.exp(v - kn.max(v, axis=-1, keepdims=True))
        return e / kn.sum(e, axis=-1, keepdims=True)

    @kn.jit
    def layernorm(v):
        c = v - kn.mean(v, axis=-1, keepdims=True)
        return c / kn.sqrt(kn.mean(c * c, axis=-1, keepdims=True) + 1e-5)

    for f in (softmax, layernorm):
        row(f"{f.__name__}, 4096 rows of 1024", ratio(lambda: f(m), lambda: np.copyto(into, rows)), None)
        row("  kernels in it", f.stats.kernels, ("<=", 1))
    row("sum of 16M floats, against NumPy's", ratio(lambda: kn.sum(x), lambda: source.sum()), None)


def math_functions():
    print("eager elementwise over 1M floats, against NumPy's")
    a = np.random.default_rng(0).uniform(0.1, 10, 1 << 20).astype(np.float32)
    x = kn.asarray(a)
    for name in ("add", "exp", "log", "tanh", "sin", "sqrt"):
        ours, theirs = getattr(kn, name), getattr(np, name)
        args, peers = ((x, x), (a, a)) if name == "add" else ((x,), (a,))
        row(name, ratio(lambda: ours(*args), lambda: theirs(*peers)), None)


def products():
    print("float32 matrix products, jitted, against NumPy's OpenBLAS")
    for n in (32, 64, 128, 256, 512, 1003):
        a = np.random.default_rng(0).random((n, n), np.float32)
        x, y = kn.asarray(a), kn.asarray(a.copy())
        f = kn.jit(lambda p, q: p @ q)
        row(f"{n} x {n}", ratio(lambda: f(x, y), lambda: a @ a, 9, max(1, int(1e7 / n**3))), None)


def eager_operations():
    eager.rows(row)


def main():
    parts = (calls, start_up, compile_times, memory_bound, math_functions, products, eager_operations)
    for part in parts:
        if not sys.argv[1:] or part.__name__ in sys.argv[1:]:
            part()
    if sys.argv[1:]:
        return
    path = pathlib.Path(__file__).with_name("results.json")
    path.write_text(json.dumps(ROWS, indent=1) + "\n")
    missed = [r["name"] for r in ROWS if r["met"] is False]
    print(f"written to {path.name}; {len(missed)} bars missed" + (": " + ", ".join(missed) if missed else ""))


if __name__ == "__main__":
    main()
