"""Memory of functions that take very many paths, or are called with ever new numbers. ``KILN_SOAK=1`` takes 10,000 paths and a million calls."""
import os
import random
import resource

import pytest

import kiln as kn

IS_SOAK = os.environ.get("KILN_SOAK", "0") != "0"
PATHS, CALLS = (10_000, 1_000_000) if IS_SOAK else (500, 20_000)
QUESTIONS = 14  # as many as tell all paths apart


def resident():
    """Bytes of the process that are in memory."""
    with open("/proc/self/statm") as f:
        return int(f.read().split()[1]) * resource.getpagesize()


def asking():
    """A function that takes a path of its own for each pattern of signs."""
    lines = [f"    if x[{i}] > 0: y = y * 1.25 + x[{i}]\n    else: y = y - x\n" for i in range(QUESTIONS)]
    scope = {}
    exec("def f(x):\n    y = x * 0.5\n" + "".join(lines) + "    return y.sum()\n", scope)
    return scope["f"]


def test_many_paths_stay_within_their_budget():
    eager, patterns = asking(), random.Random(0).sample(range(1 << QUESTIONS), PATHS)
    f = kn.jit(eager)

    def call(pattern):
        x = kn.asarray([1.0 if pattern >> i & 1 else -1.0 for i in range(QUESTIONS)])
        return f(x), x

    kept = PATHS // 5  # and code is there
    for pattern in patterns[:kept]:
        call(pattern)
    before = resident()
    for k, pattern in enumerate(patterns[kept:]):
        got, x = call(pattern)
        assert k % 50 or got.tolist() == eager(x).tolist()
    variant, = f.explain().variants
    assert f.stats.misses == PATHS and not variant["eager"] and len(variant["nodes"]) < 1 << 15
    assert f.stats.segments < 3 * QUESTIONS                    # equal ones are one
    assert resident() - before < (PATHS << 11) + (64 << 20)    # 2 KB a path, and what the compiler keeps
    for pattern in patterns[::7]:                              # none has been dropped
        got, x = call(pattern)
        assert got.tolist() == eager(x).tolist()
    assert f.stats.misses == PATHS


@pytest.mark.parametrize("where", ["argument", "attribute", "container", "all"])
def test_ever_new_numbers_leave_memory_as_it_is(where):
    class Run:
        rate, seen = 0.5, 0.0

    run, given = Run(), {"lr": 0.25}
    run.rate, run.seen, run.w = 0.5, 0.0, kn.ones(3)

    @kn.jit
    def step(x, k, given):
        run.seen = float(x[0]) * run.rate
        run.w = run.w * 0.5 + x * run.rate
        return x * k + given["lr"], float(x[1])

    def calls(first, count):
        for i in range(first, first + count):
            new = 1 / (i + 1)
            if where in ("attribute", "all"):
                run.rate = new
            if where in ("container", "all"):
                given["lr"] = new
            got, value = step(kn.asarray([i * 0.5, i + 0.25, 1.0]), i + 0.125 if where in ("argument", "all") else 1.5, given)
            assert i % 997 or (value == i + 0.25 and run.seen == i * 0.5 * run.rate)

    count = CALLS if where == "all" else CALLS // 20
    calls(0, 5_000)
    while any(s["state"] == "compiling" for v in step.explain().variants for s in v["steps"]):
        calls(0, 10)
    before, arrays, recorded = resident(), kn.memory_stats().in_use, step.stats.misses
    calls(5_000, count)
    assert step.stats.misses == recorded <= 8 and not any(v["eager"] for v in step.explain().variants)
    assert kn.memory_stats().in_use <= arrays
    assert resident() - before < 2 << 20
