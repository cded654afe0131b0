"""Loops that Python writes out while it is recorded, rolled into one again."""
import numpy as np
import pytest

import kiln as kn
import rolled_fuzz
from conftest import same_bits


def loops(f):
    return [loop for v in f.explain().variants for step in v["steps"] for loop in step["loops"]]


def checked(f, *arguments, calls=2):
    """The jitted function, whose calls gave the bits of eager, changed arguments included."""
    jitted = kn.jit(f)
    for _ in range(calls):
        mine, theirs = ([a.copy() if isinstance(a, kn.Array) else a for a in arguments] for _ in range(2))
        want, got = f(*mine), jitted(*theirs)
        for x, y in zip(kn.tree.leaves([want, mine]), kn.tree.leaves([got, theirs])):
            same_bits(x, y)
    return jitted


@pytest.mark.parametrize("first", range(0, 24, 4))
def test_random_programs(first):
    for seed in range(first, first + 4):
        rolled_fuzz.check(seed, "sync" if seed % 4 == 0 else "auto")


def steps(x, a, b, trips):
    for _ in range(trips):
        x = kn.sin(x * a) + b
    return x


def test_any_number_of_trips_is_one_program(rng):
    x, a, b = (kn.asarray(rng.random(10)) for _ in range(3))
    f = kn.jit(steps)
    for trips in (300, 10_000, 777, 299, 1024):
        same_bits(f(x, a, b, trips), steps(x, a, b, trips))
    assert f.stats.misses == 5 and f.stats.compiles + f.stats.cache_hits == 1
    assert len({v["kernels"] for v in f.explain().variants}) == 1


def test_what_is_compiled_does_not_grow_with_the_trips(rng):
    x, a, b = (kn.asarray(rng.random(100)) for _ in range(3))
    kernels = []
    for trips in (500, 10_000):
        f = kn.jit(steps)
        f(x, a, b, trips)
        kernels.append(f.stats.kernels)
    assert kernels[0] == kernels[1] < 16


def test_short_loops_stay_as_they_are(rng):
    x, a, b = (kn.asarray(rng.random(100)) for _ in range(3))
    f = checked(lambda x, a, b: steps(x, a, b, 60), x, a, b)
    assert [loop["why"] for loop in loops(f)] == ["it is short, and faster as it is"] and f.stats.kernels == 1


def test_explain_tells_of_loops(rng):
    def f(A, x):
        kept = []
        for i in range(64):
            x = kn.sin(x) + A[i]
        for i in range(64):
            x = kn.cos(x) * A[i]
            kept.append(x)
        return kept

    jitted = checked(f, kn.asarray(rng.random((64, 4))), kn.asarray(rng.random(4)))
    text = str(jitted.explain())
    assert "64 trips of 4 operations are one loop" in text and "test_rolled.py" in text
    assert "64 trips of 4 operations are not a loop: values of several trips are used after them" in text


def test_arguments_are_changed_in_place(rng):
    def seidel(A):
        for i in range(1, A.shape[0] - 1):
            A[i, 1:-1] += A[i - 1, :-2] + A[i + 1, 2:]
            for j in range(1, A.shape[1] - 1):
                A[i, j] += A[i, j - 1]
                A[i, j] /= 3.0

    f = checked(seidel, kn.asarray(rng.random((20, 20))))
    assert {loop["trips"] for loop in loops(f) if not loop["why"]} == {17, 18} or {loop["trips"] for loop in loops(f) if not loop["why"]} >= {18}
    assert f.explain().variants[0]["workspace_bytes"] < 3 * 20 * 20 * 8  # not an array for each write


def test_products_of_a_float_and_the_number_of_a_trip(rng):
    """Which trips go by one product follows from its rounding: they begin anywhere."""
    def f(A, x, factor):
        for _ in range(12):
            for j in range(20):
                x = x * 0.5 + j * factor
                A[j] = x
                for k in range(12):
                    A[60 - k, ::2] += x[::2]
        return x

    for dtype in (kn.float32, kn.float64):
        for factor in (0.67, 0.1, 0.3, 1e-3, 0.7):
            jitted = kn.jit(lambda A, x, factor=factor: f(A, x, factor))
            x = kn.asarray(rng.uniform(-1, 1, 5)).astype(dtype)
            for _ in range(3):
                a = kn.asarray(rng.uniform(-1, 1, (70, 5))).astype(dtype)
                b = a.copy()
                assert np.array_equal(f(a, x, factor), jitted(b, x)) and np.array_equal(a, b), (dtype, factor)


def test_trips_of_trips(rng):
    """The inner loops are of other lengths each time, their numbers those of the outer one."""
    def f(A, x):
        for i in range(25):
            for j in range(i):
                x = x * 0.5 + A[j] * i
            A[i] = A[i + 1] - x
        return x

    jitted = checked(f, kn.asarray(rng.random((26, 3))), kn.asarray(rng.random(3)))
    assert any(loop["trips"] > 10 and not loop["why"] for loop in loops(jitted))


def test_rows_of_strided_arguments(rng):
    def f(A, x):
        for i in range(60):
            x = kn.sin(x) + A[i]
        return x

    checked(f, kn.permute_dims(kn.asarray(rng.random((4, 60))), (1, 0)), kn.asarray(rng.random(4)))


def test_a_failure_inside_is_that_of_eager(rng):
    def f(A, at, x):
        for i in range(64):
            x = kn.sin(x) + kn.take(A, at[i])
            A[i] = x[0]
        return x

    A, x = kn.asarray(rng.random(80)), kn.asarray(rng.random(2))
    jitted = checked(f, A, kn.asarray(rng.integers(0, 80, (64, 2))), x)
    assert any(not loop["why"] for loop in loops(jitted))
    wrong = np.zeros((64, 2), np.int64)
    wrong[50] = 99
    mine, theirs = A.copy(), A.copy()
    for call, changed in ((f, mine), (jitted, theirs)):
        with pytest.raises(kn.IndexError, match="got one outside"):  # negative
            call(changed, kn.asarray(wrong), x)
    same_bits(mine, theirs)  # the first fifty trips


def test_segments_between_questions_are_rolled(rng):
    def f(A, x):
        for i in range(60):
            x = kn.sin(x) + A[i]
        if kn.sum(x) > 0:
            for i in range(50):
                x = x * 0.5 - kn.cos(A[i])
        return x

    A, x = kn.asarray(rng.random((60, 4))), kn.asarray(rng.random(4))
    jitted = checked(f, A, x, calls=3)
    same_bits(jitted(-A - 1, x), f(-A - 1, x))
    assert len([loop for loop in loops(jitted) if not loop["why"]]) >= 2


def test_other_sizes_are_one_program(rng):
    """Bodies are for any size: the second size makes the program of all further ones."""
    f = kn.jit(lambda x, a, b: steps(x, a, b, 400))
    for n in (5, 6, 7, 40, 9):
        x, a, b = (kn.asarray(rng.random(n)) for _ in range(3))
        same_bits(f(x, a, b), steps(x, a, b, 400))
    assert f.stats.compiles + f.stats.cache_hits == 2
