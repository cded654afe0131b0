"""Compiled code against the same function in eager, and its recording op by op against eager: neither may be slower, in any program."""
import json
import os
import statistics
import subprocess
import sys
import timeit
import warnings

import eager
import gradients
import kernels
import loops
import tiny
from measure import function_of, once, row

import kiln as kn

BAR, CALL = 1.05, 2.5e-7  # of eager's time; seconds that a call of a jitted function may take beside its work
SIZES = 10, 1_000_000
PROGRAMS = {
    "softmax": kernels.softmax(kn), "layernorm": kernels.layernorm(kn), "affine chain": kernels.affine, "stencil": kernels.stencil,
    "relu(x @ w + b)": lambda x: kn.maximum(x @ x + x[0], 0), "clipped differences": lambda x: kn.clip(x[1:] - x[:-1], -0.1, 0.1),
    "distances": lambda x: kn.sum((x[:, None, :8] - x[None, :, :8]) ** 2, axis=-1), "masked mean": lambda x: kn.sum(kn.where(x > 0.5, x, 0)) / kn.sum(x > 0.5),
    "normalized columns": lambda x: (x - kn.mean(x, axis=0)) / (kn.std(x, axis=0) + 1e-6), "cumulative": lambda x: kn.cumsum(x * 2, axis=1)}


def cases():
    """Name, function and arguments of the programs here, and of those that the other benchmarks measure."""
    for n in SIZES:
        arrays = eager.names(kn, n)
        for text in eager.TEXTS:
            yield f"{text}, {n:,}", *function_of(text, arrays)
        for name, function in PROGRAMS.items():
            if n > 100 or name == "affine chain":
                yield f"{name}, {n:,}", function, [kn.asarray(arrays["s"])]
    for module in (kernels, loops, gradients, tiny):
        for name, function, arguments in module.programs():
            yield f"{module.__name__}: {name}", function, arguments


def in_turns(timers, times, rounds):
    """The time of the second over the first and the seconds a call beyond it: medians of runs in turns, either one first."""
    taken = []
    for r in range(rounds):
        order = (0, 1) if r % 2 else (1, 0)
        by_timer = {k: timers[k].timeit(times) for k in order}
        taken.append((by_timer[0], by_timer[1]))
    return statistics.median(b / a for a, b in taken), statistics.median(b - a for a, b in taken) / times


def is_slower(ratio, beyond):
    return ratio > BAR and beyond > CALL


def over_eager(function, arguments, rounds=8):
    """The time of a jitted call over eager's, the seconds beyond it, and whether compiled code ran. What seems slower is measured for longer."""
    jitted = kn.jit(function, dynamic=False)
    for _ in range(3):
        jitted(*arguments)
    times = max(1, min(5000, int(5e-3 / max(once(lambda: function(*arguments)), 1e-7))))
    timers = [timeit.Timer("f(*a)", globals={"f": f, "a": arguments}) for f in (function, jitted)]
    found = in_turns(timers, times, rounds)
    if is_slower(*found):
        found = in_turns(timers, times, 6 * rounds)
    return (*found, jitted.stats.tier == 1)


def measured():
    with kn.config.override(jit="sync", cache=False), warnings.catch_warnings():
        warnings.simplefilter("ignore", kn.KilnWarning)
        return {name: over_eager(function, arguments) for name, function, arguments in cases()}


def compiled_against_eager():
    print("jitted calls against eager, where code is compiled, and op by op where there is no time to compile it: the slowest")
    without_code = {**os.environ, "KILN_COMPILE_SECONDS": "0.000001"}
    op_by_op = json.loads(subprocess.run([sys.executable, __file__], env=without_code, capture_output=True, text=True, check=True).stdout)
    for what, found in (("compiled", measured()), ("op by op", op_by_op)):
        ran = {name: (ratio, beyond) for name, (ratio, beyond, has_code) in found.items() if has_code == (what == "compiled")}
        slower = {name: found for name, found in ran.items() if is_slower(*found)}
        for name, (ratio, beyond) in sorted(slower.items(), key=lambda pair: -pair[1][0]):
            print(f"    {what:<10} {name:<60} {ratio:6.2f}, {beyond * 1e6:.2f} us more")
        row(f"{what}: slower than eager, of {len(ran)}", len(slower), ("<=", 0))


if __name__ == "__main__":
    json.dump(measured(), sys.stdout)
