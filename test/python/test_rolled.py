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


def trips_of(f):
    return [loop["trips"] for loop in loops(f) if not loop["why"]]


def wave(h, W, T):
    for _ in range(T):
        h = kn.tanh(h * W + 0.1)
    return kn.sum(h)


def recurrent(h, W, xs):
    for i in range(xs.shape[0]):
        h = kn.tanh(W @ h + xs[i])
    return kn.sum(h * h)


def kept(h, W, xs):
    all = []
    for i in range(xs.shape[0]):
        h = kn.tanh(W @ h + xs[i])
        all.append(h)
    return kn.sum(kn.stack(all) ** 2)


def summed(h, W, xs):
    all = []
    for i in range(xs.shape[0]):
        h = kn.tanh(W @ h + xs[i])
        all.append(h)
    return sum(kn.sum(x * x) for x in all)


def written(h, W, xs):
    out = kn.zeros_like(xs)
    for i in range(xs.shape[0]):
        h = kn.tanh(W @ h + xs[i])
        out[i] = h * h
    return kn.sum(out * xs)


def selected(h, W, xs):
    for i in range(xs.shape[0]):
        h = kn.where(h > xs[i], W @ h, kn.maximum(h, xs[i]) * 0.5)
    return kn.sum(h)


@pytest.mark.parametrize("f", [recurrent, kept, summed, written, selected])
@pytest.mark.parametrize("dtype", ["float32", "float64", "bfloat16"])
def test_gradients_of_loops_are_loops(f, dtype, rng):
    h, W, xs = (kn.asarray(rng.normal(size=shape) * 0.3).astype(dtype) for shape in ((8,), (8, 8), (100, 8)))
    jitted = checked(lambda h, W, xs: kn.value_and_grad(f, argnums=(0, 1, 2))(h, W, xs), h, W, xs)
    assert 2 <= len(trips_of(jitted)) <= 4 and min(trips_of(jitted)) >= 97 and jitted.stats.kernels < 100


def test_gradients_of_complex_loops(rng):
    z, w = (kn.asarray(rng.normal(size=6) + 1j * rng.normal(size=6)) * 0.5 for _ in range(2))

    def f(z, w):
        for _ in range(100):
            z = z * w * 0.5 + w
        return kn.sum(kn.abs(z))

    checked(lambda z, w: kn.grad(f, argnums=(0, 1))(z, w), z, w)


def test_gradients_of_any_number_of_trips_are_one_program(rng):
    h, W = (kn.asarray(rng.normal(size=16)) for _ in range(2))
    f = kn.jit(lambda h, W, T: kn.grad(wave, argnums=(0, 1))(h, W, T))
    kernels = set()
    for trips in (300, 2000, 777, 400):
        for x, y in zip(f(h, W, trips), kn.grad(wave, argnums=(0, 1))(h, W, trips)):
            same_bits(x, y)
        kernels.add(f.stats.kernels)
    assert f.stats.misses == 4 and f.stats.compiles + f.stats.cache_hits <= 2 and len(kernels) == 1 and kernels.pop() < 30


def test_gradients_of_gradients_and_batches_are_loops(rng):
    h, W, rows = (kn.asarray(rng.normal(size=shape)) for shape in ((8,), (8,), (4, 8)))
    second = checked(lambda h, W: kn.grad(lambda h: kn.sum(kn.grad(wave)(h, W, 200) ** 2))(h), h, W)
    assert len(trips_of(second)) == 4
    along = checked(lambda h, W: kn.jvp(lambda h: kn.grad(wave)(h, W, 200), (h,), (W,))[1], h, W)
    each = checked(lambda h, W: kn.vmap(lambda h: kn.grad(wave)(h, W, 200))(h), rows, W)
    assert len(trips_of(along)) == len(trips_of(each)) == 2

    def descends(w, x):
        for _ in range(100):
            w = w - 0.1 * kn.grad(lambda w: kn.mean((x @ w - 1) ** 2))(w)
        return kn.sum(w)

    assert len(trips_of(checked(lambda w, x: kn.grad(descends)(w, x), h, rows))) == 2


def test_lists_that_are_stacked_are_rows(rng):
    def f(x, rows):
        all = []
        for i in range(rows.shape[0]):
            x = kn.sin(x) * 0.5 + rows[i]
            all.append(x)
        return kn.stack(all), kn.stack(all[3:-2])

    jitted = checked(f, kn.asarray(rng.normal(size=5)), kn.asarray(rng.normal(size=(80, 5))))
    assert trips_of(jitted) == [80] and jitted.stats.kernels < 20


@pytest.mark.parametrize("first", range(0, 12, 4))
def test_random_gradients(first):
    for seed in range(first, first + 4):
        rolled_fuzz.check(seed, "sync" if seed % 4 == 0 else "auto", of_gradient=True)
