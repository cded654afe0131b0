#!/usr/bin/env python3
"""What Kiln's own programs take on the GPU of this machine, beside copies of the same bytes and torch, as one JSON:

    PYTHONPATH=build/python python3 bench/gpu/programs.py RESULTS.json [--only TEXT]

Needs a build (or wheel) of Kiln for this interpreter, and torch. Times are medians of interleaved rounds; each round runs a program so often that what
the host does is hidden. Ratios are of the peer's time: above 1 Kiln is faster."""
import argparse
import json
import statistics
import subprocess
import sys
import time

import torch

import kiln as kn
from kiln import _core

torch.backends.cuda.matmul.allow_tf32 = False
torch.backends.cudnn.allow_tf32 = False
MIB = 1 << 20


def sync():
    _core.synchronize("cuda:0")
    torch.cuda.synchronize()


def seconds(run, times):
    sync()
    start = time.perf_counter()
    for _ in range(times):
        run()
    sync()
    return (time.perf_counter() - start) / times


def compare(ours, theirs, rounds=7):
    """Medians of both, interleaved."""
    for _ in range(3):
        ours(), theirs()
    sync()
    one = max(seconds(theirs, 2), 1e-6)
    times = max(3, min(200, int(0.02 / one)))
    mine, other = [], []
    for _ in range(rounds):
        mine.append(seconds(ours, times))
        other.append(seconds(theirs, times))
    return statistics.median(mine), statistics.median(other)


def copy_of(count, dtype=torch.float32):
    a, b = (torch.empty(count, dtype=dtype, device="cuda") for _ in range(2))
    return lambda: b.copy_(a)


def uniform(*shape):
    return kn.random.default_rng(1).uniform(0.5, 1.5, shape, dtype=kn.float32)


def chain(x):
    y = x * 1.5 + 0.25
    y = y * x - 0.5
    y = kn.maximum(y, 0.1) * 0.75 + x
    return y * y + 0.125


def softmax(x):
    e = kn.exp(x - kn.max(x, axis=-1, keepdims=True))
    return e / kn.sum(e, axis=-1, keepdims=True)


def layernorm(x):
    centred = x - kn.mean(x, axis=-1, keepdims=True)
    return centred / kn.sqrt(kn.mean(centred * centred, axis=-1, keepdims=True) + 1e-5)


def memory_bound():
    """Programs whose floor is a copy of the bytes that they read and write: (name, function, arguments, bytes)."""
    big = uniform(1 << 26)
    yield "chain, 64M", chain, (big,), 2 * (1 << 28)
    yield "exp, 64M", kn.exp, (big,), 2 * (1 << 28)
    yield "tanh, 64M", kn.tanh, (big,), 2 * (1 << 28)
    yield "add, 64M", lambda a, b: a + b, (big, big[::-1] * 1), 3 * (1 << 28)
    yield "sum of all, 64M", kn.sum, (big,), 1 << 28
    yield "max of all, 64M", kn.max, (big,), 1 << 28
    for rows, columns in ((65536, 1024), (16384, 4096), (2048, 32768)):
        x, size = uniform(rows, columns), rows * columns * 4
        yield f"softmax, {rows} x {columns}", softmax, (x,), 2 * size
        yield f"layernorm, {rows} x {columns}", layernorm, (x,), 2 * size
        yield f"sums of rows, {rows} x {columns}", lambda a: kn.sum(a, axis=1), (x,), size
        yield f"sums of columns, {rows} x {columns}", lambda a: kn.sum(a, axis=0), (x,), size
    square = uniform(8192, 8192)
    yield "transpose, 8192", lambda a: kn.permute_dims(a, (1, 0)) * 1, (square,), 2 * (1 << 28)
    yield "transpose + x, 8192", lambda a: a.T + a, (square,), 3 * (1 << 28)
    yield "rows + column, 8192", lambda a: a + a[0] + a[:, :1], (square,), 2 * (1 << 28)
    yield "stencil, 8192", lambda a: 0.25 * (a[:-2, 1:-1] + a[2:, 1:-1] + a[1:-1, :-2] + a[1:-1, 2:]), (square,), 2 * (1 << 28)


def of_torch():
    """Peers of torch: (name, ours, arguments, theirs)."""
    x = uniform(16384, 4096)
    t = torch.from_dlpack(x.to_device("cpu")).cuda()
    yield "softmax, 16384 x 4096", softmax, (x,), lambda: torch.softmax(t, -1)
    yield "layernorm, 16384 x 4096", layernorm, (x,), lambda: torch.nn.functional.layer_norm(t, (4096,))
    for n in (512, 1024, 2048, 4096, 8192):
        a, b = uniform(n, n), uniform(n, n)
        p, q = torch.rand(n, n, device="cuda"), torch.rand(n, n, device="cuda")
        yield f"product, float32, {n}", lambda a, b: a @ b, (a, b), lambda p=p, q=q: p @ q
    a, b = uniform(4096, 4096), uniform(4096)
    p, q = torch.rand(4096, 4096, device="cuda"), torch.rand(4096, device="cuda")
    yield "matrix times vector, 4096", lambda a, b: a @ b, (a, b), lambda: p @ q
    yield "vector times matrix, 4096", lambda a, b: b @ a, (a, b), lambda: q @ p
    a, b = uniform(64, 512, 512), uniform(64, 512, 512)
    p, q = torch.rand(64, 512, 512, device="cuda"), torch.rand(64, 512, 512, device="cuda")
    yield "64 products, float32, 512", lambda a, b: a @ b, (a, b), lambda: p @ q
    for name in ("bfloat16", "float16"):
        a, b = (kn.astype(uniform(4096, 4096), getattr(kn, name)) for _ in range(2))
        p, q = (torch.rand(4096, 4096, device="cuda").to(getattr(torch, name)) for _ in range(2))
        yield f"product, {name}, 4096", lambda a, b: a @ b, (a, b), lambda p=p, q=q: p @ q
    a, b = (kn.astype(uniform(2048, 2048), kn.float64) for _ in range(2))
    p, q = (torch.rand(2048, 2048, device="cuda", dtype=torch.float64) for _ in range(2))
    yield "product, float64, 2048", lambda a, b: a @ b, (a, b), lambda: p @ q
    x, t = uniform(1 << 22), torch.rand(1 << 22, device="cuda")
    yield "sort, 4M", kn.sort, (x,), lambda: torch.sort(t)
    yield "cumulative sum, 4M", kn.cumulative_sum, (x,), lambda: torch.cumsum(t, 0)
    rows, u = uniform(4096, 4096), torch.rand(4096, 4096, device="cuda")
    yield "cumulative sum of rows, 4096", lambda a: kn.cumulative_sum(a, axis=1), (rows,), lambda: torch.cumsum(u, 1)
    yield "sort of rows, 4096", lambda a: kn.sort(a, axis=1), (rows,), lambda: torch.sort(u, 1)
    yield "argmax of rows, 4096", lambda a: kn.argmax(a, axis=1), (rows,), lambda: torch.argmax(u, 1)


def host_costs():
    """Microseconds of the host."""
    costs = {}
    x, y = kn.ones(1024, dtype=kn.float32), kn.ones((256, 256), dtype=kn.float32)

    def steps(count):
        def run(a):
            for _ in range(count):
                a = a @ a
            return a
        return kn.jit(run)

    one = kn.jit(lambda a: a * 2 + 1)
    programs = {"jitted call, 1 kernel": (one, x), **{f"jitted call, {n} kernels": (steps(n), y) for n in (1, 5, 20)}}
    programs["eager x + x"] = lambda a: a + a, x
    programs["eager x * 2.5"] = lambda a: a * 2.5, x
    t = torch.ones(1024, device="cuda")
    for name, (f, a) in programs.items():
        for _ in range(20):
            f(a)
        sync()
        best = []
        for _ in range(9):
            start = time.perf_counter()
            for _ in range(100):
                f(a)
            best.append((time.perf_counter() - start) / 100)
            sync()
        costs[name] = statistics.median(best) * 1e6
    best = []
    for _ in range(9):
        start = time.perf_counter()
        for _ in range(100):
            t + t
        best.append((time.perf_counter() - start) / 100)
        torch.cuda.synchronize()
    costs["torch x + x"] = statistics.median(best) * 1e6
    host = kn.zeros(1 << 26, dtype=kn.float32, device="cpu")
    there = host.to_device("cuda:0")
    costs["256 MiB in"] = statistics.median(seconds(lambda: host.to_device("cuda:0"), 1) for _ in range(5)) * 1e6
    costs["256 MiB out"] = statistics.median(seconds(lambda: there.to_device("cpu"), 1) for _ in range(5)) * 1e6
    return costs


def device_memory():
    """MiB that a process of its own takes with one array, by the driver."""
    code = ("import subprocess, time, kiln as kn\nx = kn.ones(4, device='cuda:0'); x.tolist()\n"
            "print(subprocess.run(['nvidia-smi', '--query-gpu=memory.used', '--format=csv,noheader,nounits'], capture_output=True, text=True).stdout)")
    def used():
        return float(subprocess.run(["nvidia-smi", "--query-gpu=memory.used", "--format=csv,noheader,nounits"], capture_output=True, text=True).stdout.split()[0])
    before = used()
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    return float(done.stdout.split()[0]) - before if not done.returncode else done.stderr[-300:]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("results")
    parser.add_argument("--only", default="")
    given = parser.parse_args()
    report = {"device": torch.cuda.get_device_name(), "torch": torch.__version__, "rows": {}}

    def save():
        with open(given.results, "w") as file:
            json.dump(report, file, indent=1)

    if not given.only or given.only in "memory":
        report["mib_with_one_array"] = device_memory()
        print("MiB with one array:", report["mib_with_one_array"], flush=True)
    kn.config.jit = "sync"
    with torch.no_grad():
        for peer, rows in (("copy", memory_bound()), ("torch", of_torch())):
            for name, f, arguments, other in rows:
                if given.only not in name:
                    continue
                try:
                    start = time.perf_counter()
                    program = kn.jit(f, dynamic=False, fast_math="float16" in name)  # bfloat16 as well: by the matrix units
                    program(*arguments), program(*arguments)
                    made = time.perf_counter() - start
                    theirs = copy_of(other // 8) if peer == "copy" else other
                    mine, there = compare(lambda: program(*arguments), theirs)
                    row = {"seconds": mine, "peer": peer, "peer_seconds": there, "ratio": there / mine, "first_calls": made}
                except Exception as error:  # the others are still of use
                    row = {"error": f"{type(error).__name__}: {error}"[:300]}
                report["rows"][f"{name} / {peer}"] = row
                print(f"{name:40} {peer:6} " + (f"{row['ratio']:6.3f}  {row['seconds'] * 1e6:9.1f} us  first {row['first_calls']:.2f} s" if "ratio" in row else row["error"]), flush=True)
                save()
        if not given.only or given.only in "host":
            report["host_microseconds"] = host_costs()
            for name, cost in report["host_microseconds"].items():
                print(f"{name:40} {cost:9.2f} us")
    save()


if __name__ == "__main__":
    main()
