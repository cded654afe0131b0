"""Compiled code against the same function in eager, and its recording op by op against eager: neither may be slower, in any program."""
import os
import statistics
import timeit

import eager
import kernels
from measure import once, row

import kiln as kn

BAR = 1.05  # of eager's time
PROGRAMS = {
    "softmax": kernels.softmax(kn), "layernorm": kernels.layernorm(kn), "affine chain": kernels.affine, "stencil": kernels.stencil,
    "relu(x @ w + b)": lambda x: kn.maximum(x @ x + x[0], 0), "clipped differences": lambda x: kn.clip(x[1:] - x[:-1], -0.1, 0.1),
    "distances": lambda x: kn.sum((x[:, None, :8] - x[None, :, :8]) ** 2, axis=-1), "masked mean": lambda x: kn.sum(kn.where(x > 0.5, x, 0)) / kn.sum(x > 0.5),
    "normalized columns": lambda x: (x - kn.mean(x, axis=0)) / (kn.std(x, axis=0) + 1e-6), "cumulative": lambda x: kn.cumsum(x * 2, axis=1)}


def function_of(text):
    """A function of the names that a text of the eager benchmarks uses, and their names."""
    used = [name for name in ("x", "y", "i", "m", "k", "s", "none") if f" {name}" in f" {text.replace('(', ' ').replace('[', ' ').replace('-', ' ').replace(',', ' ')}"]
    scope = {"np": kn}
    exec(f"def f({', '.join(used)}):\n    {'return ' if ' = ' not in text else ''}{text}", scope)
    return scope["f"], used


def cases(n):
    arrays = eager.names(kn, n)
    for text in eager.TEXTS:
        function, used = function_of(text)
        yield f"{text}, {n:,}", function, [arrays[name] for name in used]
    for name, function in PROGRAMS.items():
        if n > 100 or name == "affine chain":
            yield f"{name}, {n:,}", function, [kn.asarray(arrays["s"])]


def against_eager(function, arguments, rounds=7):
    """The time of compiled code, and of its recording op by op, over eager's: medians of runs in turns."""
    compiled, replayed = kn.jit(function, dynamic=False), kn.jit(function, dynamic=False)
    with kn.config.override(jit="sync"):
        compiled(*arguments), compiled(*arguments)
    with without_code():
        replayed(*arguments), replayed(*arguments)
    times = max(1, min(5000, int(5e-3 / max(once(lambda: function(*arguments)), 1e-7))))
    timers = [timeit.Timer("f(*a)", globals={"f": f, "a": arguments}) for f in (function, compiled, replayed)]
    taken = [[timer.timeit(times) for timer in timers] for _ in range(rounds)]
    tiers = compiled.stats.tier, replayed.stats.tier
    return statistics.median(t[1] / t[0] for t in taken), statistics.median(t[2] / t[0] for t in taken), tiers


class without_code:
    """What is recorded here stays without optimized code: there is no time to compile it."""

    def __enter__(self):
        self.override = kn.config.override(jit="sync", cache=False)
        self.override.__enter__()
        self.before = os.environ.get("KILN_COMPILE_SECONDS")
        os.environ["KILN_COMPILE_SECONDS"] = "0.000001"

    def __exit__(self, *error):
        if self.before is None:
            del os.environ["KILN_COMPILE_SECONDS"]
        else:
            os.environ["KILN_COMPILE_SECONDS"] = self.before
        return self.override.__exit__(*error)


def compiled_against_eager():
    for n in (10, 1_000_000):
        print(f"compiled code and op-by-op runs against eager, {n:,} elements: the slowest")
        found = {name: against_eager(function, arguments) for name, function, arguments in cases(n)}
        for which, what in enumerate(("compiled", "op by op")):
            slowest = sorted(found.items(), key=lambda pair: -pair[1][which])
            for name, ratios in slowest[:6]:
                print(f"    {what:<10} {name:<34} {ratios[which]:6.2f}{'' if ratios[2][which] == 1 - which else '  (tier ' + str(ratios[2][which]) + ')'}")
            row(f"{what}: slower than eager, of {len(found)}", sum(ratios[which] > BAR for _, ratios in slowest), ("<=", 0))
