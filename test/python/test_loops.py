"""Loops that values decide, under jit: one program for any number of trips, with the bits, numbers and effects of eager."""
import os
import random
import signal
import threading
import time

import numpy as np
import pytest

import kiln as kn
import loops_fuzz
from control_flow_fuzz import outcome


def f64(value):
    return kn.asarray(value, dtype=kn.float64)


def are_alike(function, *calls):
    """The jitted function, after these calls twice each in some order."""
    jitted, order = kn.jit(function), [*calls, *random.Random(0).sample(calls, len(calls))]
    for args in order:
        assert outcome(jitted, args) == outcome(function, args)
    return jitted


def loops_of(jitted):
    return [loop for v in jitted.explain().variants for step in v["steps"] for loop in step["loops"] if not loop["trips"]]


def jacobi(x, b, tol):
    r = x
    while kn.max(kn.abs(r)) > tol:
        inner = 0.5 * (x[:-2] + x[2:] + b)
        r = inner - x[1:-1]
        x = x.at[1:-1].set(inner)
    return x


def test_any_number_of_trips_is_one_program():
    x, b = kn.full((18,), 1.0, dtype=kn.float64), kn.asarray(np.random.default_rng(0).random(16))
    jitted = are_alike(jacobi, *[(x, b, f64(tol)) for tol in (1e-2, 1e-3, 1e-4, 1e-8, 1e-6, 3.0)])
    assert jitted.stats.misses == 2 and [loop["why"] for loop in loops_of(jitted)] == [""]  # the path of no trip is another one


def newton(a):
    x, n = a * 0.5 + 0.5, 0
    while kn.abs(x * x - a) > 1e-4 * a:
        x, n = 0.5 * (x + a / x), n + 1
    return x, n


def power_iteration(a, v, tol):
    old, n = 0.0, 0
    while True:
        w = a @ v
        new = float(kn.max(kn.abs(w)))
        v = w / new
        n += 1
        if abs(new - old) < tol or n >= 200:
            break
        old = new
    return v, new, n


def conjugate_gradient(a, b, tol, most):
    x, r = b * 0, b
    p, rs, n = r, r @ r, 0
    while rs > tol and n < most:
        ap = a @ p
        alpha = rs / (p @ ap)
        x, r = x + alpha * p, r - alpha * ap
        new = r @ r
        p, rs, n = r + new / rs * p, new, n + 1
    return x, n


def test_counters_are_numbers_of_python():
    jitted = are_alike(newton, *[(kn.asarray(v),) for v in (2.0, 9.0, 50.0, 1000.0, 1e6, 3e7)])
    assert jitted.stats.misses == 2 and type(jitted(kn.asarray(7.0))[1]) is int and jitted.stats.misses == 2
    rng = np.random.default_rng(1)
    a, v = kn.asarray(rng.random((5, 5))), kn.ones(5, dtype=kn.float64)
    jitted = are_alike(power_iteration, *[(a, v, tol) for tol in (1e-3, 1e-6, 1e-9, 1e-1, 1e-2)])
    assert jitted.stats.misses == 3 and loops_of(jitted)  # tolerances are read anew from the third one on
    m = rng.random((6, 6))
    a, b = kn.asarray(m @ m.T + 6 * np.eye(6)), kn.asarray(rng.random(6))
    jitted = are_alike(conjugate_gradient, *[(a, b, f64(tol), 50) for tol in (1e-3, 1e-6, 1e-12, 1e-20, 1e-9)])
    assert jitted.stats.misses == 2


def test_a_way_that_is_new_late_in_a_loop():
    def clipped(x, n):
        k = kn.asarray(0)
        while k < n:
            x = x * 1.5
            if kn.max(x) > 10:
                x = x * 0.125
            k = k + 1
        return x

    jitted = are_alike(clipped, *[(kn.full(3, v), kn.asarray(n)) for v, n in ((1.0, 4), (1.0, 30), (0.1, 50), (3.0, 7), (2.0, 1000))])
    before = jitted.stats.misses
    for v, n in ((0.5, 77), (1.25, 200), (4.0, 500)):
        assert outcome(jitted, (kn.full(3, v), kn.asarray(n))) == outcome(clipped, (kn.full(3, v), kn.asarray(n)))
    assert jitted.stats.misses == before and before <= 4


def test_state_that_changes_in_trips():
    class Run:
        seen = None

    def leaves(x):
        while kn.max(x) > 1:
            x = x * 0.5
            Run.seen = x
        return x

    def appends(x):
        kept = []
        while kn.max(x) > 1:
            x = x * 0.5
            kept.append(x)
        return kept

    def flips(x):
        is_odd, n = False, 0
        while kn.max(x) > 1:
            x = x * 0.5 if is_odd else x * 0.75
            is_odd, n = not is_odd, n + 1
        return x, n, is_odd

    calls = [(kn.full(3, v),) for v in (5.0, 100.0, 0.5, 3.0, 1e6, 40.0)]
    jitted = kn.jit(leaves)
    for args in calls * 2:
        assert outcome(jitted, args) == outcome(leaves, args)
        jitted(*args)
        seen = Run.seen.tolist()
        leaves(*args)
        assert Run.seen.tolist() == seen
    assert not [loop for loop in loops_of(are_alike(appends, *calls)) if not loop["why"]]
    are_alike(flips, *calls)


def test_an_unbound_name_is_still_an_error():
    def late(x, n):
        k = kn.asarray(0)
        while k < n:
            if kn.max(x) > 8:
                return found  # noqa: F821
            if kn.max(x) > 4:
                found = k
            x, k = x * 2, k + 1
        return x

    are_alike(late, *[(kn.full(2, v), kn.asarray(n)) for v, n in ((0.01, 3), (0.01, 6), (0.01, 40), (9.0, 3), (9.0, 9), (5.0, 9))])


def test_integers_stay_those_of_python():
    def grows(x, n):
        k = 1
        while kn.max(x) > 1:
            x, k = x * 0.5, k + n
        return k

    def doubles(x):
        k = 1
        while kn.max(x) > 1:
            x, k = x * 0.5, k * 2
        return k

    values = [f64([2.0 ** e, 1]) for e in (3, 50, 100, 7)]
    are_alike(grows, *[(v, n) for v in values for n in (1, 2 ** 31, 2 ** 62)])
    are_alike(doubles, *[(v,) for v in values])


def test_what_is_no_loop_is_told():
    def kept(x):
        seen = {}
        while kn.max(x) > 1:
            x = x * 0.5
            seen = {"n": len(seen) and seen["n"] + 1}
        return x

    jitted = are_alike(kept, *[(kn.full(3, v),) for v in (50.0, 5.0, 500.0)])
    assert "is not a loop: a number inside of 'seen' changes" in str(jitted.explain())


def counted_down(x, d):
    while x > 0:
        x = x - d
    return x


@pytest.mark.parametrize("has_code", [False, True])
def test_ctrl_c_ends_a_loop_and_other_threads_run_meanwhile(has_code):
    with kn.config.override(jit="sync" if has_code else "auto"):
        jitted = kn.jit(counted_down) if has_code else kn.jit(lambda x, d: counted_down(x, d * 1.0))
        for start in (30.0, 50.0):
            jitted(f64(start), f64(1.0))
        ticks = []

        def tick():
            while len(ticks) < 5:
                time.sleep(0.01)
                ticks.append(time.monotonic())
            os.kill(os.getpid(), signal.SIGINT)

        was = signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell may have had it ignored
        thread = threading.Thread(target=tick)
        thread.start()
        try:
            with pytest.raises(KeyboardInterrupt):
                jitted(f64(30.0), f64(0.0))  # for ever
            thread.join()
        finally:
            signal.signal(signal.SIGINT, was)
        assert jitted(f64(9.0), f64(1.0)).item() == 0


def test_memory_is_flat():
    jitted = kn.jit(jacobi)
    x, b = kn.full((18,), 1.0, dtype=kn.float64), kn.ones(16, dtype=kn.float64)
    for _ in range(2):
        jitted(x, b, f64(1e-3))
    before = kn.memory_stats().in_use
    for _ in range(20):
        jitted(x, b, f64(1e-6))
    assert kn.memory_stats().in_use <= before


@pytest.mark.parametrize("first", [0, 40])
def test_random_loops(first):
    for seed in range(first, first + 40):
        loops_fuzz.check(seed, "sync" if seed % 8 == 0 else "auto")


# Positions


def checksum(data):
    crc = 0xFFFF
    for b in data:
        byte = 0xFF & b
        for _ in range(8):
            if (crc & 1) ^ (byte & 1):
                crc = (crc >> 1) ^ 0x8408
            else:
                crc >>= 1
            byte >>= 1
    crc = ~crc & 0xFFFF
    return (crc << 8 | crc >> 8 & 0xFF) & 0xFFFF


def pairs(kinds):
    """The largest number of nested pairs, as nussinov's program has it."""
    n = kinds.shape[0]
    best = kn.zeros((n, n), dtype=kn.int32)
    for i in range(n - 1, -1, -1):
        for j in range(i + 1, n):
            best[i, j] = max(best[i, j], best[i, j - 1])
            if i + 1 < n:
                fits = 1 if kinds[i] + kinds[j] == 3 and i < j - 1 else 0
                best[i, j] = max(best[i, j], best[i + 1, j - 1] + fits)
            for k in range(i + 1, j):
                best[i, j] = max(best[i, j], best[i, k] + best[k + 1, j])
    return best


def position_of(x, value):
    n = 0
    while x[n] != value:
        n += 1
    return n


def scattered(x, trips):
    n = 1
    while x[n % 5] < trips:
        x[-1 - n % 5] = x[n % 5] + x[(n * 3 + 1) % 5] + 1
        n = (n << 1 | n >> 3) & 31
    return n


def test_positions_that_count():
    rng = np.random.default_rng(0)
    assert are_alike(checksum, *[(kn.asarray(rng.integers(0, 256, size=30, dtype=np.uint8)),) for _ in range(16)]).stats.misses < 16
    assert are_alike(pairs, *[(kn.asarray(rng.integers(0, 4, size=12, dtype=np.int32)),) for _ in range(6)]).stats.misses < 6
    x = kn.asarray(rng.permutation(40).astype("f4"))
    jitted = are_alike(position_of, *[(x, kn.asarray(float(v), dtype=kn.float32)) for v in (3, 20, 5, 0, 39, 7, 11, 18)])
    assert jitted.stats.misses <= 4 and "one loop" in str(jitted.explain())
    assert are_alike(scattered, *[(kn.asarray(rng.random(5).astype("f4")), float(v)) for v in (3, 20, 50, 90, 400, 1000)]).stats.misses <= 5


def summed(x, least):
    total, n = x[0] * 0.0, 0
    while n < x.shape[0]:
        if x[n] < least:
            return -total, n
        if x[n] > 100:
            total = total * 0.5
        total, n = total + x[n], n + 1
    return total, n


def test_answers_that_come_late_in_a_loop():
    """The first calls leave it by its last question alone; then come a way that is new, and one out of it."""
    rng = np.random.default_rng(0)
    calm = [(kn.asarray(rng.random(40)), f64(-1.0)) for _ in range(4)]
    high = [(kn.asarray(np.where(np.arange(40) == at, 101.0, rng.random(40))), f64(-1.0)) for at in (0, 20, 39)]
    low = [(kn.asarray(np.where(np.arange(40) == at, -2.0, rng.random(40))), f64(-1.0)) for at in (0, 13, 39)]
    jitted = are_alike(summed, *calm, *high, *low, *calm)
    assert loops_of(jitted) and jitted.stats.misses <= 10
    misses = jitted.stats.misses
    for call in (*calm, *high, *low):
        assert outcome(jitted, call) == outcome(summed, call)
    assert jitted.stats.misses == misses


def test_loops_in_one_another_are_one_step():
    jitted = kn.jit(pairs)
    kinds = [kn.asarray(np.random.default_rng(seed).integers(0, 4, size=14, dtype=np.int32)) for seed in range(6)]
    for x in kinds:
        assert outcome(jitted, (x,)) == outcome(pairs, (x,))
    steps = [step for v in jitted.explain().variants for step in v["steps"]]
    assert len(steps) <= 12 and max(step["kernels"] for step in steps) <= 200


def sifted(x):
    for i in range(1, x.shape[0]):
        if x[i] > 0.5:
            x[i] = x[i] * x[i - 1]
        if x[i] > 0.25:
            x[i] = x[i] - 0.125
        if x[i - 1] > 0.125:
            x[i] = x[i] + x[i - 1]
        if x[i] > 1.0:
            x[i] = x[i] * 0.5
    return x


def test_ways_that_come_together_are_written_once():
    rng, jitted = np.random.default_rng(0), kn.jit(sifted)
    for x in [rng.random(200) for _ in range(8)]:
        assert outcome(jitted, (kn.asarray(x.copy()),)) == outcome(sifted, (kn.asarray(x.copy()),))
    assert loops_of(jitted) and all(step["kernels"] <= 64 for v in jitted.explain().variants for step in v["steps"])


def test_a_position_outside_is_the_error_of_eager():
    x = kn.arange(20, dtype=kn.float32)
    jitted = kn.jit(position_of)
    for value in (4.0, 9.0, 6.0, 12.0):
        assert jitted(x, kn.asarray(value)) == int(value)
    with pytest.raises(IndexError, match="position along axis 0") as raised:
        jitted(x, kn.asarray(50.0))
    assert raised.value.__traceback__.tb_next is not None or "test_loops" in str(raised.value)
    assert jitted(x, kn.asarray(19.0)) == 19


def test_integers_that_would_leave_int64():
    def grown(x, n):
        k = 3
        while kn.max(x) > n:
            x = x - 1
            k = k * 1000003 ^ k << 20
        return k, x

    def doubled(x, n):
        k, s = 1, 0
        while kn.max(x) > n:
            x = x - 1
            k = k * 2
            s = s + k % 7
        return k, s

    for f in (grown, doubled):
        are_alike(f, *[(kn.asarray([float(v)]), kn.asarray(0.0)) for v in (3, 9, 30, 70, 100, 5)])


def test_a_narrow_integer_beside_a_counter():
    def f(x, n):
        k, total = 0, x[0]
        while kn.max(x) < n:
            x = x + 1
            k += 1
            total = total + (k & 3) * x[k % 4]
        return total, k

    for dtype in (kn.int8, kn.uint8, kn.int16, kn.uint64):
        are_alike(f, *[(kn.asarray([0, 1, 2, 3], dtype=dtype), kn.asarray(v, dtype=dtype)) for v in (5, 20, 60, 100)])


def largest(x):
    best = x[0] * 1
    for v in x:
        best = max(best, v)
    return best


def chosen_and_written(x, y):
    a, b = x[0] * 1, y[0] * 1
    c = max(a, b)
    c += 1
    d = min(x[1] + 1, y[1] + 1)
    d += 1
    return a, b, c, d, max(a, b) is a


def test_choices_between_elements():
    nan = float("nan")
    rows = [[1.0, 5.0, 2.0, 3.0], [5.0, 1.0, 5.0, 2.0], [nan, 1.0, 2.0, 3.0], [0.0, nan, 1.0, 2.0], [-0.0, 0.0, 0.0, -0.0]]
    jitted = are_alike(largest, *[(kn.asarray(r),) for r in rows])
    assert len(jitted.explain().variants[0]["nodes"]) == 1  # no question is asked
    are_alike(chosen_and_written, *[(kn.asarray(r), kn.asarray(q)) for r in rows for q in rows])
