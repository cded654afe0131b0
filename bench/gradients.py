"""Gradients of models against those of JAX and torch: time with one thread and two, compile time, peak memory; and what they cost in eager."""
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

import numpy as np
from kernels import geometric_mean, jax, torch
from measure import ROWS, THREADS, once, peers, ratio, row
from models import MODELS, call_of, normal, of_kiln, of_torch, with_gradient

import kiln as kn

FRAMEWORKS = "kiln", "jax", "torch"
FOLDER = pathlib.Path(__file__).parent


def programs():
    """Name, function and arguments of the models, and of them with their gradients."""
    names = of_kiln()
    for name, (model, p, x, y) in MODELS.items():
        arguments = [[kn.asarray(a) for a in p], kn.asarray(x), kn.asarray(y)]
        yield f"{name}, forward", lambda p, x, y, m=model: m(names, p, x, y), arguments
        yield name, with_gradient(model, names), arguments


def first(run):
    """Seconds of processor time of a first call, which compiles."""
    start = time.process_time()
    run()
    return time.process_time() - start


def compiling_time(framework, model):
    """Of the quickest of three functions of their own: memory that a process takes for the first time costs the system more or less by turns."""
    return min(first(call_of(framework, *model)) for _ in range(3))


def check_same(name, *found):
    for a, b in zip(found[0][1], zip(*(gradients for _, gradients in found[1:]))):
        assert all(np.allclose(np.asarray(a), np.asarray(other), rtol=1e-3, atol=1e-5) for other in b), name


def gradients():
    print(f"value and gradient of models, threads: {THREADS}: the fastest of JAX and torch over Kiln; compile time (of the processor) in the time of JAX")
    j = jax()
    j.config.update("jax_enable_x64", True)
    torch()
    kn.set_num_threads(THREADS)
    with kn.config.override(cache=False):
        kn.jit(lambda x: kn.sum(x * 2))(kn.ones(8))  # opens the compiler, as jax() has opened JAX's
    shares, compiling, threads = [], [], f", {THREADS} threads" * (THREADS > 1)
    for name, model in MODELS.items():
        ours, theirs, torchs = (call_of(framework, *model) for framework in ("kiln", "jax", "torch"))
        with kn.config.override(cache=False):
            took = compiling_time("kiln", model)
        compiling.append(compiling_time("jax", model) / took)
        check_same(name, ours(), theirs(), torchs())
        shares.append(peers(name + threads, ours, {"JAX": theirs, "torch": torchs}, (">=", 0.8), rounds=7))
        row("  compile time of JAX over that of Kiln", compiling[-1])
    row("geometric mean" + threads, geometric_mean(shares), (">=", 1.0))
    if THREADS > 1:
        return
    row("geometric mean of compile times", geometric_mean(compiling), (">=", 5.0))
    in_eager()


def gradients_of_two_threads():
    """In a process of its own: JAX and torch take their threads when they start."""
    with tempfile.TemporaryDirectory() as folder:
        rows = pathlib.Path(folder, "rows.json")
        subprocess.run([sys.executable, FOLDER / "run.py", "gradients"], env={**os.environ, "KILN_BENCH_THREADS": "2", "KILN_BENCH_ROWS": str(rows)}, check=True)
        ROWS.extend(json.loads(rows.read_text()))


def gradients_compiled_by_torch():
    """torch writes C++ and has it compiled; loops of Python are written out, so that the longest are left out."""
    import torch._inductor.utils as inductor
    print("compile time of value and gradient: that of torch.compile over Kiln's")
    t, names, ratios = torch(), of_torch(), []
    t.compile(lambda x: x * 2)(t.ones(8))  # finds the C++ compiler
    with kn.config.override(cache=False):
        kn.jit(lambda x: kn.sum(x * 2))(kn.ones(8))
    for name, model in MODELS.items():
        if name.startswith(("LSTM", "ODE")):
            continue
        with kn.config.override(cache=False):
            took = min(once(call_of("kiln", *model)) for _ in range(3))  # as in compiling_time
        function, arrays = model[0], [t.asarray(a) for a in (*model[1], *model[2:])]
        for a in arrays[:-2]:
            a.requires_grad_()
        t._dynamo.reset()
        compiled = t.compile(lambda p, x, y, f=function: f(names, p, x, y), dynamic=False)
        with inductor.fresh_inductor_cache():
            start = time.perf_counter()
            t.autograd.grad(compiled(arrays[:-2], *arrays[-2:]), arrays[:-2])
            ratios.append((time.perf_counter() - start) / took)
        row(name, ratios[-1])
    row("geometric mean", geometric_mean(ratios), (">=", 50.0))


def gradients_in_memory():
    """In a process for each, the third one, whose code is in a cache already."""
    print("peak memory of value and gradient over large data: Kiln's over that of the best of JAX and torch")
    with tempfile.TemporaryDirectory() as folder:
        env = {**os.environ, "KILN_JIT": "auto", "KILN_CACHE_DIR": folder, "JAX_COMPILATION_CACHE_DIR": folder, "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0", "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "-1"}

        def peak(name, framework):
            command = [sys.executable, FOLDER / "peak.py", name, framework]
            return [subprocess.run(command, env=env, check=True, capture_output=True, text=True).stdout for _ in range(3)][2].split()

        for name in MODELS:
            first, later = ({framework: int(peak) / 1e6 for framework, peak in zip(FRAMEWORKS, peaks)} for peaks in zip(*(peak(name, framework) for framework in FRAMEWORKS)))
            row(name.split(",")[0], later["kiln"] / min(later["jax"], later["torch"]), ("<=", 1.1), "", "MB: " + "  ".join(f"{f} {later[f]:.0f}, in the first call {first[f]:.0f}" for f in FRAMEWORKS))


def ten(n, x):
    y = n.tanh(x) * x + x
    z = n.exp(y * 0.5) - x
    return n.sum(n.tanh(z) * z * 2, None)


def in_eager():
    t = torch()
    x, tx = kn.asarray(normal(10)), t.asarray(normal(10)).requires_grad_()
    ours, theirs = of_kiln(), of_torch()
    g = kn.grad(lambda x: ten(ours, x))
    row("eager gradient of 10 operations on 10 elements, over forward", 1 / ratio(lambda: g(x), lambda: ten(ours, x), 21, 300), ("<=", 5))
    row("the same in the time of torch's", 1 / ratio(lambda: g(x), lambda: t.autograd.grad(ten(theirs, tx), tx), 21, 100), ("<=", 0.5))
