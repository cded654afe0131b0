"""Loops and branches that are one operation: programs that people write with them, against NumPy and in every way that they can run."""
import collections
import dataclasses
import os
import random
import subprocess
import sys
import threading

import numpy as np
import pytest

import kiln as kn
from kiln import _errors
from conftest import same_bits

Point = collections.namedtuple("Point", "x v")


def newton(a):
    def step(state):
        x, _, n = state
        new = 0.5 * (x + a / x)
        return new, kn.abs(new - x), n + 1
    return kn.while_loop(lambda s: (s[1] > 1e-12) & (s[2] < 50), step, (a, kn.asarray(1.0, dtype=kn.float64), 0))


def conjugate_gradients(a, b):
    def step(s):
        p = s["p"]
        ap = a @ p
        alpha = s["rr"] / kn.sum(p * ap)
        r = s["r"] - alpha * ap
        rr = kn.sum(r * r)
        return {"x": s["x"] + alpha * p, "r": r, "p": r + rr / s["rr"] * p, "rr": rr, "n": s["n"] + 1}
    start = {"x": kn.zeros_like(b), "r": b, "p": b, "rr": kn.sum(b * b), "n": 0}
    out = kn.while_loop(lambda s: (s["rr"] > 1e-20) & (s["n"] < 100), step, start)
    return out["x"], out["n"]


def runge_kutta(y, steps, h):
    def slope(p):
        return Point(p.v, -p.x)

    def moved(p, k, by):
        return Point(p.x + by * k.x, p.v + by * k.v)

    def step(i, p):
        k1 = slope(p)
        k2 = slope(moved(p, k1, h / 2))
        k3 = slope(moved(p, k2, h / 2))
        k4 = slope(moved(p, k3, h))
        return Point(*[a + h / 6 * (b + 2 * c + 2 * d + e) for a, b, c, d, e in zip(p, k1, k2, k3, k4)])
    return kn.fori_loop(0, steps, step, Point(y, kn.zeros_like(y)))


def power_iteration(a, v):
    def step(i, v):
        w = a @ v
        return w / kn.sqrt(kn.sum(w * w))
    v = kn.fori_loop(0, 60, step, v)
    return kn.sum(v * (a @ v)), v


def jacobi(b, tol):
    def step(s):
        x, _, n = s
        new = x.at[1:-1].set(0.5 * (x[:-2] + x[2:] + b[1:-1]))
        return new, kn.max(kn.abs(new - x)), n + 1
    return kn.while_loop(lambda s: s[1] > tol, step, (kn.zeros_like(b), kn.asarray(1.0, dtype=b.dtype), 0))


def rnn(wx, wh, h, xs):
    def step(h, x):
        h = kn.tanh(x @ wx + h @ wh)
        return h, kn.sum(h)
    return kn.scan(step, h, xs)


def low_pass(x, alpha):
    def step(y, x):
        y = y + alpha * (x - y)
        return y, y
    return kn.scan(step, x[0], x)


def collatz(n):
    def step(s):
        n, count = s
        return kn.cond(n % 2 == 0, lambda n: n // 2, lambda n: 3 * n + 1, n), count + 1
    return kn.while_loop(lambda s: s[0] != 1, step, (n, 0))[1]


def mandelbrot(c):
    def step(i, s):
        z, count = s
        inside = kn.real(z) ** 2 + kn.imag(z) ** 2 < 4.0
        return kn.where(inside, z * z + c, z), count + kn.astype(inside, kn.int64)
    return kn.fori_loop(0, 30, step, (kn.zeros_like(c), kn.zeros(c.shape, dtype=kn.int64)))[1]


def product(a, b):
    n, m, k = a.shape[0], b.shape[1], a.shape[1]

    def row(i, c):
        def column(j, c):
            total = kn.fori_loop(0, k, lambda l, t: t + a[i, l] * b[l, j], kn.zeros((), dtype=a.dtype))
            return kn.dynamic_update(c, kn.reshape(total, (1, 1)), kn.stack([i, j]))
        return kn.fori_loop(0, m, column, c)
    return kn.fori_loop(0, n, row, kn.zeros((n, m), dtype=a.dtype))


def sieve(n):
    def strike(i, flags):
        def mark(k, flags):
            flags[k * i] = False
            return flags
        return kn.cond(flags[i], lambda f: kn.fori_loop(i, (n + i - 1) // i, mark, f), lambda f: f, flags)
    return kn.fori_loop(2, n, strike, kn.ones((n,), dtype=kn.bool))


def bisection(lo, hi):
    def step(i, s):
        lo, hi = s
        mid = (lo + hi) / 2
        return kn.cond(mid ** 3 - mid - 2 > 0, lambda: (lo, mid), lambda: (mid, hi))
    return kn.fori_loop(0, 40, step, (lo, hi))


def reversed_sums(x):
    return kn.scan(lambda c, row: (c + row, {"sum": c + row, "n": kn.sum(row)}), kn.zeros(x.shape[1:], dtype=x.dtype), x, reverse=True)


def switched(i, x):
    return kn.switch(i, [lambda v: v, lambda v: -v, lambda v: v * v], x)


def spread(x):
    return kn.associative_scan(lambda a, b: (b[0] * a[0], b[0] * a[1] + b[1]), (x, x + 1.0))


def arrays(*shapes, dtype="float64", seed=0):
    rng = np.random.default_rng(seed)
    return [kn.asarray(rng.normal(size=s).astype(dtype)) for s in shapes]


def spd(n):
    a = np.random.default_rng(1).normal(size=(n, n))
    return kn.asarray(a @ a.T + n * np.eye(n))


PROGRAMS = {
    "newton": (newton, [kn.asarray(2.0, dtype=kn.float64)]),
    "conjugate gradients": (conjugate_gradients, [spd(12), *arrays(12)]),
    "runge-kutta": (runge_kutta, [*arrays((5,)), 20, 0.05]),
    "power iteration": (power_iteration, [spd(9), kn.ones((9,), dtype=kn.float64)]),
    "jacobi": (jacobi, [*arrays((16,)), 1e-3]),
    "rnn": (rnn, arrays((3, 4), (4, 4), (2, 4), (7, 2, 3), dtype="float32")),
    "low pass": (low_pass, [*arrays((33,)), 0.2]),
    "collatz": (collatz, [kn.asarray(27)]),
    "mandelbrot": (mandelbrot, [kn.asarray((np.linspace(-2, 1, 12)[None] + 1j * np.linspace(-1, 1, 8)[:, None]).astype("complex64"))]),
    "nested product": (product, arrays((3, 4), (4, 2))),
    "sieve": (sieve, [40]),
    "bisection": (bisection, [kn.asarray(1.0, dtype=kn.float64), kn.asarray(2.0, dtype=kn.float64)]),
    "reversed sums": (reversed_sums, arrays((6, 3))),
    "switch": (switched, [kn.asarray(2), *arrays((5,))]),
    "associative scan": (spread, arrays((13,))),
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_every_way_gives_the_same_bits(name):
    f, args = PROGRAMS[name]
    kn.testing.assert_same_bits(f, *args)


def test_against_numpy():
    x, _, n = newton(kn.asarray(2.0, dtype=kn.float64))
    assert abs(float(x) - 2.0 ** 0.5) < 1e-15 and 3 < int(n) < 10
    a, (b,) = spd(12), arrays(12)
    np.testing.assert_allclose(conjugate_gradients(a, b)[0].numpy(), np.linalg.solve(a.numpy(), b.numpy()), rtol=1e-8)
    np.testing.assert_allclose(float(power_iteration(a, kn.ones(12, dtype=kn.float64))[0]), np.linalg.eigvalsh(a.numpy())[-1], rtol=1e-6)
    (y,) = arrays((5,))
    np.testing.assert_allclose(runge_kutta(y, 20, 0.05).x.numpy(), y.numpy() * np.cos(1.0), rtol=1e-6)
    assert int(collatz(kn.asarray(27))) == 111
    np.testing.assert_array_equal(np.flatnonzero(sieve(40).numpy())[2:], [2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37])
    a, b = arrays((3, 4), (4, 2))
    np.testing.assert_allclose(product(a, b).numpy(), a.numpy() @ b.numpy(), rtol=1e-12)
    (x,) = arrays((6, 3))
    last, rows = reversed_sums(x)
    np.testing.assert_allclose(rows["sum"].numpy(), x.numpy()[::-1].cumsum(0)[::-1], rtol=1e-12)
    np.testing.assert_allclose(last.numpy(), x.numpy().sum(0), rtol=1e-12)
    lo, _ = bisection(kn.asarray(1.0, dtype=kn.float64), kn.asarray(2.0, dtype=kn.float64))
    np.testing.assert_allclose(float(lo), 1.5213797068045676, rtol=1e-11)


def test_filters_against_scipy():
    signal_ = pytest.importorskip("scipy.signal")
    (x,) = arrays((33,))
    expected, _ = signal_.lfilter([0.2], [1, -0.8], x.numpy(), zi=[0.8 * x.numpy()[0]])
    np.testing.assert_allclose(low_pass(x, 0.2)[1].numpy(), expected, rtol=1e-12)


@pytest.mark.parametrize("n", [1, 2, 3, 4, 5, 7, 8, 16, 31])
@pytest.mark.parametrize("reverse", [False, True])
def test_associative_scans_are_sums(n, reverse):
    x = np.arange(n * 3, dtype="int64").reshape(n, 3) - 4
    for axis in (0, -2):
        got = kn.associative_scan(kn.add, kn.asarray(x), reverse=reverse, axis=axis).numpy()
        np.testing.assert_array_equal(got, x[::-1].cumsum(0)[::-1] if reverse else x.cumsum(0))


def test_one_operation_under_jit():
    f = kn.jit(lambda x, n: kn.fori_loop(0, n, lambda i, x: x * 2, x))
    (x,) = arrays((4,))
    for n in (3, 5, 10000, 7):
        same_bits(f(x, n), kn.fori_loop(0, n, lambda i, x: x * 2, x))
    assert f.stats.compiles + f.stats.cache_hits == 1  # for any number
    assert "kiln.loop" in f.lower(x, 3).ir("kiln")


# Carried values

def test_numbers_take_the_dtype_that_the_body_gives():
    i, x, y = kn.while_loop(lambda s: s[0] < 3, lambda s: (s[0] + 1, s[1] + kn.asarray(0.5, dtype=kn.float64), True), (0, 0, True))
    assert (i.dtype, x.dtype, y.dtype) == (kn.int64, kn.float64, kn.bool) and float(x) == 1.5
    (total,) = kn.fori_loop(0, 2, lambda i, s: (s[0] + 1j,), (0,))
    assert total.dtype.kind == "c"
    x = kn.fori_loop(0, 3, lambda i, x: 1.0, kn.zeros((), dtype=kn.float16))
    assert x.dtype is kn.float16 and float(x) == 1.0


@pytest.mark.parametrize("change, error, text", [
    (lambda s: {"a": s["a"], "b": kn.astype(s["b"], kn.float64)}, "DTypeError", r"carried value \['b'\]: expected float32\[3\], got float64\[3\]: convert it"),
    (lambda s: {"a": s["a"][:1], "b": s["b"]}, "ShapeError", r"carried value \['a'\]: expected int64\[2\], got int64\[1\]"),
    (lambda s: (s["a"], s["b"]), "ValueError", r"structure of the carr.*: expected PyTreeDef"),
])
def test_carried_types_stay(change, error, text):
    start = {"a": kn.zeros((2,), dtype=kn.int64), "b": kn.zeros((3,), dtype=kn.float32)}
    for form in (lambda: kn.while_loop(lambda s: True, change, start), lambda: kn.fori_loop(0, 2, lambda i, s: change(s), start),
                 lambda: kn.scan(lambda s, _: (change(s), None), start, length=2)):
        with pytest.raises(getattr(_errors, error), match=text):
            form()


@pytest.mark.parametrize("call, text", [
    (lambda: kn.while_loop(lambda x: x, lambda x: x, kn.asarray(1.0)), "result of cond_fun: expected bool"),
    (lambda: kn.while_loop(lambda x: kn.ones(2, dtype=kn.bool), lambda x: x, kn.asarray(1.0)), "result of cond_fun: expected bool"),
    (lambda: kn.while_loop(lambda x: (True, True), lambda x: x, kn.asarray(1.0)), "result of cond_fun: expected one bool"),
    (lambda: kn.while_loop(lambda x: True, lambda x: x, ()), "expected at least one value"),
    (lambda: kn.while_loop(1, lambda x: x, 1), "cond_fun: expected a function, got int"),
    (lambda: kn.fori_loop(0.5, 2, lambda i, x: x, 1), "lower: expected an integer of rank 0"),
    (lambda: kn.fori_loop(0, kn.zeros(2, dtype=kn.int64), lambda i, x: x, 1), "upper: expected an integer of rank 0"),
    (lambda: kn.scan(lambda c, x: c, 1, kn.ones(3)), r"expected a tuple \(carry, y\)"),
    (lambda: kn.scan(lambda c, x: (c, x), 1), "length: expected one .* got none"),
    (lambda: kn.scan(lambda c, x: (c, x), 1, (kn.ones(3), kn.ones(2))), "got 2, 3"),
    (lambda: kn.scan(lambda c, x: (c, x), 1, kn.ones(3), length=4), "got 3, 4"),
    (lambda: kn.scan(lambda c, x: (c, x), 1, kn.asarray(1.0)), "arrays with a first axis"),
    (lambda: kn.cond(kn.ones(2), lambda: 1, lambda: 2), "pred: expected a bool of rank 0"),
    (lambda: kn.cond(True, lambda: 1, lambda: (1, 2)), "structure of the result of function 1"),
    (lambda: kn.cond(True, lambda: kn.ones(2), lambda: kn.ones(3)), r"result of function 1: expected float32\[3\], got float32\[2\]"),
    (lambda: kn.switch(0, []), "branches: expected at least one"),
    (lambda: kn.switch(0.5, [lambda: 1]), "index: expected an integer of rank 0"),
    (lambda: kn.associative_scan(kn.add, kn.asarray(1.0)), "one size of axis 0, got none"),
    (lambda: kn.associative_scan(kn.add, (kn.ones(3), kn.ones(4))), "got 3, 4"),
])
def test_refuses(call, text):
    with pytest.raises(kn.KilnError, match=text):
        call()


def test_branches_agree_on_numbers():
    x = kn.asarray(2.0, dtype=kn.float16)
    for flag in (True, False):
        assert kn.cond(flag, lambda v: v, lambda v: 1, x).dtype is kn.float16
        assert kn.cond(flag, lambda: 1, lambda: 2.5).dtype is kn.get_default_dtype()
    assert kn.cond(3, lambda: 1, lambda: 2).item() == 1
    assert [kn.switch(i, [lambda: 10, lambda: 11, lambda: 12]).item() for i in (-2, 0, 1, 2, 99)] == [10, 10, 11, 12, 12]
    assert kn.switch(kn.asarray(2**64 - 1, dtype=kn.uint64), [lambda: 1, lambda: 2]).item() == 2
    assert kn.cond(True, lambda: (), lambda: ()) == ()


# Bodies

def test_bodies_read_what_is_around_them():
    scale = kn.asarray([2.0, 3.0])

    @kn.jit
    def f(x, y):
        z = x + y

        def step(i, v):
            inner = kn.fori_loop(0, i, lambda k, w: w + z * scale, v)
            return inner + y
        return kn.fori_loop(0, 3, step, x)
    x, y = arrays((2,), (2,), dtype="float32")
    for factor in (1.0, 2.0):
        same_bits(f(x, y * factor), f.__wrapped__(x, y * factor))
    scale[0] = 7.0  # captured arrays are live
    same_bits(f(x, y), f.__wrapped__(x, y))
    assert f.stats.tier == 1


def test_views_and_strided_operands():
    (a,) = arrays((4, 6))
    f = kn.jit(lambda a: (kn.fori_loop(0, 3, lambda i, s: s + a[0, i], a[::2, 1]), kn.fori_loop(0, 2, lambda i, m: m * 2, a.T)))
    for given in (a, a.T, a[::-1], a[:, ::2]):
        for x, y in zip(f(given), f.__wrapped__(given)):
            same_bits(x, y)


def test_writes_stay_inside():
    x = kn.zeros((5,))

    def fill(i, v):
        v[i] = kn.astype(i, kn.float32)
        return v
    for f in (lambda x: kn.fori_loop(0, 5, fill, x), kn.jit(lambda x: kn.fori_loop(0, 5, fill, x))):
        np.testing.assert_array_equal(f(x).numpy(), np.arange(5))
        np.testing.assert_array_equal(x.numpy(), np.zeros(5))


def test_bodies_that_ask_for_values_run_as_python():
    seen = []

    def step(i, x):
        if x.sum() > 10:
            seen.append(int(i))
            return x
        return x * 2
    x = kn.ones((2,))
    np.testing.assert_array_equal(kn.fori_loop(0, 6, step, x).numpy(), [8, 8])
    assert seen == [3, 4, 5]
    assert float(kn.while_loop(lambda v: float(v) < 20, lambda v: v * 3, 1.0)) == 27
    last, rows = kn.scan(lambda c, r: (c + int(r), c), 0, kn.arange(4))
    assert int(last) == 6 and rows.numpy().tolist() == [0, 0, 1, 3]
    assert kn.cond(kn.asarray(True), lambda v: v if bool(v > 0) else -v, lambda v: v, kn.asarray(-3.0)).item() == 3
    with pytest.raises(kn.DTypeError, match="carried value"):
        kn.fori_loop(0, 2, lambda i, v: kn.astype(v, kn.float64) * int(i), kn.ones((2,)))
    with pytest.raises(kn.TraceError, match="nothing to run it on"):
        kn.scan(lambda c, r: (c + int(r), c), 0, kn.zeros((0,)))
    f = kn.jit(lambda x: kn.fori_loop(0, 3, lambda i, v: v * 2 if float(v[0]) < 3 else v, x))
    for start in (1.0, 2.0, 0.5, 1.0):
        np.testing.assert_array_equal(f(x * start).numpy(), f.__wrapped__(x * start).numpy())


def test_gradients_and_batches_follow_the_bodies():
    def f(x):
        y = kn.fori_loop(0, 3, lambda i, v: v * v, x)
        last, rows = kn.scan(lambda c, r: (c + r * x, c), kn.zeros_like(x), kn.ones((2,), dtype=x.dtype))
        return kn.cond(True, lambda a, b: a + b, lambda a, b: a, y, last) + kn.sum(rows)
    x = kn.asarray(1.1, dtype=kn.float64)
    expected = 8 * 1.1 ** 7 + 2 + 1
    for g in (kn.grad(f), kn.jit(kn.grad(f))):
        np.testing.assert_allclose(float(g(x)), expected, rtol=1e-12)
    xs = kn.asarray([0.5, 1.0, 2.0], dtype=kn.float64)
    same_bits(kn.vmap(f)(xs), kn.stack([f(x) for x in xs]))
    np.testing.assert_allclose(float(kn.grad(lambda x: kn.while_loop(lambda s: s < 10.0, lambda s: s * x, x))(x)), 25 * 1.1 ** 24, rtol=1e-9)


def test_writes_from_a_body_to_the_outside_run_as_python():
    log = kn.zeros((4,))

    def step(i, x):
        log[i] = x
        return x + 1
    assert float(kn.fori_loop(0, 4, step, kn.asarray(0.0))) == 4
    np.testing.assert_array_equal(log.numpy(), [0, 1, 2, 3])


def test_errors_of_bodies_are_those_of_the_user():
    with pytest.raises(ZeroDivisionError):
        kn.while_loop(lambda x: x < 3, lambda x: x + 1 // 0, 1)
    with pytest.raises(kn.ShapeError):
        kn.fori_loop(0, 3, lambda i, x: x + kn.ones((3,)), kn.ones((2,)))
    assert float(kn.ones((2,)).sum()) == 2  # no recording is left behind


def test_positions_outside_raise_and_write_nothing():
    @kn.jit
    def f(x, w):
        y = kn.fori_loop(0, 5, lambda i, s: s + kn.take(w, i, 0), x)
        x[0] = 9.0
        return y
    x, w = kn.zeros((2,)), kn.ones((3, 2))
    with pytest.raises(kn.IndexError):
        f(x, w)
    np.testing.assert_array_equal(f(x, kn.ones((5, 2))).numpy(), [5, 5])
    before = x.numpy().copy()
    x[0] = 0.0
    with pytest.raises(kn.IndexError):
        f(x, w)
    assert before[0] == 9 and x.numpy()[0] == 0


@dataclasses.dataclass
class State:
    x: object
    rest: object


def test_trees_come_back_as_they_were():
    start = State(kn.ones((2,)), {"b": [1, (2.0, None)], "a": Point(kn.zeros(()), 3)})
    out = kn.fori_loop(0, 2, lambda i, s: kn.tree.map(lambda v: v * 2, s), start)
    assert type(out) is State and kn.tree.structure(out) == kn.tree.structure(start)
    assert out.rest["b"][1][0].item() == 8 and out.rest["a"].v.item() == 12


@pytest.mark.parametrize("n", [0, 1, 5])
def test_scans_of_any_length(n):
    x = kn.asarray(np.arange(n * 2.0).reshape(n, 2))
    for f in (lambda x: kn.scan(lambda c, r: (c + r, (c, kn.sum(r))), kn.zeros((2,), dtype=kn.float64), x), ):
        for g in (f, kn.jit(f)):
            last, (carries, sums) = g(x)
            np.testing.assert_array_equal(last.numpy(), x.numpy().sum(0))
            np.testing.assert_array_equal(carries.numpy(), x.numpy().cumsum(0) - x.numpy())
            np.testing.assert_array_equal(sums.numpy(), x.numpy().sum(1))
    last, ys = kn.scan(lambda c, _: (c + 1, None), 0, length=n, unroll=2)
    assert int(last) == n and ys is None


def random_body(rng, depth):
    """A function of an array of three numbers and an integer that gives such two, of a few steps and forms inside one another."""
    def step():
        kind = rng.choice(["affine", "turn", "put", "count", "outer"] + ["fori", "while", "cond", "switch", "scan"] * (depth < 2))
        inner, second, third = [random_body(rng, depth + 1) if depth < 2 else None for _ in range(3)]
        c = rng.randrange(-3, 4) / 4
        if kind == "affine":
            return lambda x, n: (x * c + kn.astype(n, x.dtype), n)
        if kind == "turn":
            return lambda x, n: (kn.flip(x) - kn.max(x), n)
        if kind == "put":
            return lambda x, n: (kn.dynamic_update(x, kn.reshape(kn.sum(x) * 0.5, (1,)), kn.reshape(n % 5 - 1, (1,))), n)
        if kind == "count":
            return lambda x, n: (x, (n * 5 + 3) % 17)
        if kind == "outer":
            return lambda x, n: (kn.where(x > OUTER, OUTER, x) + c, n)
        if kind == "fori":
            return lambda x, n: kn.fori_loop(0, n % 4, lambda i, s: inner(s[0] + kn.astype(i, x.dtype), s[1]), (x, n))
        if kind == "while":
            def more(s):
                x, n = inner(s[0], s[1])
                return x, n, s[2] + 1
            return lambda x, n: kn.while_loop(lambda s: (s[2] < 3) & (kn.sum(s[0]) < 100.0), more, (x, n, 0))[:2]
        if kind == "cond":
            return lambda x, n: kn.cond(n % 2 == 0, inner, second, x, n)
        if kind == "switch":
            return lambda x, n: kn.switch(n % 5 - 1, (inner, second, third), x, n)

        def scanned(x, n):
            (x, n), rows = kn.scan(lambda s, r: (inner(s[0] * r, s[1]), s[0]), (x, n), x, reverse=c > 0)
            return x + kn.sum(rows, 0), n
        return scanned

    def chain(first, then):
        return lambda x, n: then(*first(x, n))
    body = step()
    for _ in range(rng.randrange(3)):
        body = chain(body, step())
    return body


OUTER = kn.asarray([0.5, -0.25, 1.0], dtype=kn.float64)


@pytest.mark.parametrize("seed", range(int(os.environ.get("KILN_CONTROL_PROGRAMS", 12))))
def test_random_nests(seed):
    body = random_body(random.Random(seed), 0)
    f = kn.jit(body, on_miss="raise")
    for start in (0, 3, 8):
        x, n = kn.asarray([0.5, -1.5, start], dtype=kn.float64), kn.asarray(start)
        for got, expected in zip(f(x, n), body(x, n)):
            same_bits(got, expected)


# Stopping and sharing

ENDLESS = """
import signal, sys, time
import kiln as kn
kn.config.jit = sys.argv[1]
f = lambda x: kn.while_loop(lambda s: s[0] < 2.0, lambda s: (s[0] * 1.0, kn.sin(s[1])), (x, kn.ones(({n},))))
g = kn.jit(f) if sys.argv[1] != "off" else f
if sys.argv[1] == "sync":
    g(kn.asarray(3.0))
    g(kn.asarray(3.0))
started = None
def stop(*_):
    global started
    started = time.perf_counter()
    raise KeyboardInterrupt
signal.signal(signal.SIGALRM, stop)
signal.setitimer(signal.ITIMER_REAL, 0.3)
try:
    g(kn.asarray(1.0))
except KeyboardInterrupt:
    print("stopped", time.perf_counter() - started)
"""


@pytest.mark.parametrize("mode", ["off", "sync"])
@pytest.mark.parametrize("n", [1, 3000])
def test_signals_end_a_loop(mode, n):
    done = subprocess.run([sys.executable, "-c", ENDLESS.replace("{n}", str(n)), mode], capture_output=True, text=True, timeout=60, env=os.environ)
    assert done.stdout.startswith("stopped"), done.stderr
    assert float(done.stdout.split()[1]) < 0.5


def test_threads_share_a_loop():
    f = kn.jit(jacobi)
    (b,) = arrays((16,))
    expected = jacobi(b, 1e-3)
    wrong = []

    def run():
        for _ in range(20):
            for x, y in zip(f(b, 1e-3), expected):
                if x.numpy().tobytes() != y.numpy().tobytes():
                    wrong.append(1)
    threads = [threading.Thread(target=run) for _ in range(8)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert not wrong
