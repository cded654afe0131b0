"""`make bench`: Kiln against its peers in one run, one thread, medians of interleaved ratios; writes bench/results.json and the chart
docs/benchmarks.svg. With names of parts as arguments only those run, and nothing is written.

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

THREADS = os.environ.get("KILN_BENCH_THREADS", "1")  # of a process that measures those parts that also run on two
for name in ("KILN_NUM_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"):
    os.environ[name] = THREADS
os.environ.setdefault("KILN_JIT", "sync")
os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1" if THREADS == "1" else ""
os.environ.setdefault("JAX_PLATFORMS", "cpu")

import compiled  # noqa: E402
import control  # noqa: E402
import eager  # noqa: E402
import functions  # noqa: E402
import gradients  # noqa: E402
import kernels  # noqa: E402
import libraries  # noqa: E402
import loops  # noqa: E402
import numpy as np  # noqa: E402
import tiers  # noqa: E402
import tiny  # noqa: E402
from measure import ROWS, once, ratio, row  # noqa: E402

import kiln as kn  # noqa: E402

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
    config = kn.config.cache
    kn.config.cache = False
    x, m = kn.ones(1000), kn.ones((100, 100))

    def fresh(make, argument):
        times = []
        for k in range(1, 8):
            f = kn.jit(make(float(k)), dynamic=False)
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

    row("elementwise kernel of 10 ops", fresh(ten_ops, x), ("<=", 6), "ms")
    row("softmax kernel", fresh(lambda k: lambda v: kn.softmax(v * k), m), ("<=", 9), "ms")
    row("matrix product", fresh(lambda k: lambda v: (v + k) @ v, m), ("<=", 20), "ms")
    kn.config.cache = config
    kernels.latencies()


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
        env.pop("PYTHONDONTWRITEBYTECODE", None)  # an installed module has its bytecode beside it

        def run():
            return [float(v) for v in subprocess.run([sys.executable, "-c", START], env=env, capture_output=True, text=True, check=True).stdout.split()]

        first = run()
        again = [run() for _ in range(9)]
    row("import kiln beyond NumPy's", statistics.median(r[0] for r in again), ("<=", 30), "ms")
    row("first compiled result, nothing cached", first[1], None, "ms")
    row("first compiled result, warm cache", statistics.median(r[1] for r in again), ("<=", 2), "ms")
    row("processes of 9 that found the code and mapped no LLVM", sum(r[2] == 1 and r[3] == 0 for r in again), (">=", 9))


def first_results():
    tiers.rows()


def eager_operations():
    eager.rows(row)


def elements():
    tiny.rows(row)


def every_function():
    functions.rows(row)


def any_size():
    print("code for any size: time of code for one size over its")
    rng, ratios = np.random.default_rng(0), []
    for name, f, shape, times in (("softmax, 4096 x 1024", kernels.softmax(kn), (4096, 1024), 1), ("layernorm, 4096 x 1024", kernels.layernorm(kn), (4096, 1024), 1),
                                  ("x @ x, 512", lambda v: v @ v, (512, 512), 1), ("x @ x, 64", lambda v: v @ v, (64, 64), 50), ("affine chain, 10", kernels.affine, (10,), 500)):
        x = kn.asarray(rng.random(shape, np.float32))
        any_, one = kn.jit(f, dynamic=True), kn.jit(f, dynamic=False)
        ratios.append(ratio(lambda: any_(x), lambda: one(x), 11, times))
        row(name, ratios[-1], None)
    row("geometric mean", kernels.geometric_mean(ratios), (">=", 0.85))


def chart(path):
    """Peers' times over Kiln's, on a logarithmic axis: to the right of 1 Kiln is ahead."""
    import matplotlib
    matplotlib.use("svg")
    from matplotlib import pyplot
    compared = [r for r in ROWS if r.get("peers")]
    names = sorted({p for r in compared for p in r["peers"]})
    figure, axes = pyplot.subplots(figsize=(9, 0.28 * len(compared) + 1))
    for i, name in enumerate(names):
        points = [(r["peers"][name], len(compared) - k) for k, r in enumerate(compared) if name in r["peers"]]
        axes.scatter(*zip(*points), s=22, label=name, marker="osD^vPX*"[i % 8], zorder=3)
    axes.axvline(1, color="black", linewidth=1)
    axes.set(xscale="log", xlabel="time of the peer over Kiln's", yticks=range(1, len(compared) + 1), yticklabels=[r["name"] for r in reversed(compared)])
    axes.tick_params(labelsize=7)
    axes.grid(axis="x", alpha=0.3)
    axes.legend(fontsize=7, loc="lower right")
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None})


def main():
    parts = (calls, start_up, first_results, compile_times, kernels.math_functions, kernels.memory_bound, kernels.relaxed, kernels.products, kernels.convolutions, any_size, compiled.compiled_against_eager, gradients.gradients, gradients.gradients_of_two_threads, gradients.gradients_compiled_by_torch, gradients.gradients_in_memory, eager_operations, elements, every_function, loops.loops, control.control, libraries.libraries)
    for part in parts:
        if not sys.argv[1:] or part.__name__ in sys.argv[1:]:
            part()
    if "KILN_BENCH_ROWS" in os.environ:
        pathlib.Path(os.environ["KILN_BENCH_ROWS"]).write_text(json.dumps(ROWS))
    if sys.argv[1:]:
        return
    path = pathlib.Path(__file__).with_name("results.json")
    path.write_text(json.dumps(ROWS, indent=1) + "\n")
    chart(path.parents[1] / "docs/benchmarks.svg")
    missed = [r["name"] for r in ROWS if r["met"] is False]
    print(f"written to {path.name}; {len(missed)} of {sum(r['met'] is not None for r in ROWS)} bars missed" + (": " + ", ".join(missed) if missed else ""))


if __name__ == "__main__":
    main()
