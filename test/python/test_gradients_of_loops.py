"""Gradients, tangents and batches of kn.scan and kn.fori_loop are loops: with the values of the loops written out."""
import os
import random

import numpy as np
import pytest

import kiln as kn
from kiln import _core
from conftest import same_bits
from loop_gradients import arrays, random_program, written_out

ALL = (0, 1, 2, 3)
x4, w4 = kn.asarray([0.5, -1.25, 2.0, 0.1], dtype=kn.float64), kn.asarray([1.5, 0.3, -0.7, 1.0], dtype=kn.float64)


def equal(got, expected):
    for a, b in zip(kn.tree.leaves(got), kn.tree.leaves(expected)):
        assert a.dtype == b.dtype
        np.testing.assert_array_equal(a.numpy(), b.numpy())


def close(got, expected, rtol=1e-12):
    for a, b in zip(kn.tree.leaves(got), kn.tree.leaves(expected)):
        np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=rtol, atol=rtol)


def unrolled_fori(first, end, body, value):
    for i in range(first, end):
        value = body(kn.asarray(i), value)
    return value


def recorded(f, *args):
    """How many operations a call of f records."""
    g = kn.jit(f)
    g(*args)
    return sum(len(line.split()) > 0 for line in g.lower(*args).ir("kiln").splitlines())


@pytest.mark.parametrize("trips", [0, 1, 2, 7])
def test_counted_loops(trips):
    def f(loop):
        def program(x, w):
            y, n, z = loop(2, 2 + trips, lambda i, s: (kn.sin(s[0]) * w + kn.astype(i, w.dtype) * s[0], s[1] + i, s[2] * 2.0), (x, 3, w * 0.5))
            return kn.sum(y * w) + kn.sum(kn.astype(n, y.dtype) * z)
        return kn.value_and_grad(program, argnums=(0, 1))
    expected = f(unrolled_fori)(x4, w4)
    equal(f(kn.fori_loop)(x4, w4), expected)
    equal(kn.jit(f(kn.fori_loop))(x4, w4), expected)


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("trips", [1, 2, 5])
def test_scans(trips, reverse):
    xs = kn.asarray(np.random.default_rng(0).normal(size=(trips, 4)))

    def f(scan):
        def program(x, xs, w):
            def step(s, row):
                s = kn.tanh(s * w + row["a"]) + kn.exp(-s * s)
                return s, {"s": s, "sum": kn.sum(s * row["a"]), "n": kn.argmax(s)}
            last, ys = scan(step, x, {"a": xs, "b": xs[:, 0]}, reverse=reverse)
            return kn.sum(last) + kn.sum(kn.sin(ys["s"])) + kn.sum(ys["sum"] * ys["sum"])
        return kn.value_and_grad(program, argnums=(0, 1, 2))
    expected = f(written_out)(x4, xs, w4)
    equal(f(kn.scan)(x4, xs, w4), expected)
    equal(kn.jit(f(kn.scan))(x4, xs, w4), expected)


def test_no_trips_of_a_scan():
    f = lambda x: kn.sum(kn.scan(lambda s, r: (s * r, s), x, kn.zeros((0, 4), dtype=kn.float64))[0] * x)  # noqa: E731
    np.testing.assert_array_equal(kn.grad(f)(x4).numpy(), 2 * x4.numpy())


def ode(y, k):
    def step(i, y):
        return y + 0.01 * (k * kn.sin(y) - 0.1 * y)
    return kn.sum(kn.fori_loop(0, 1000, step, y))


def test_programs_are_loops():
    g = kn.grad(ode, argnums=(0, 1))
    hessian = kn.grad(lambda y, k: kn.sum(kn.grad(ode)(y, k)))
    for f, most in ((g, 150), (hessian, 400), (lambda y, k: kn.jvp(ode, (y, k), (y, k)), 150)):
        assert recorded(f, x4, w4) < most
    assert recorded(kn.vmap(g), kn.ones((3, 4)), kn.ones((3, 4))) < 150
    f = kn.jit(g)
    for _ in range(3):
        f(x4, w4)
    assert f.stats.misses == 1
    equal(f(x4, w4), g(x4, w4))


def test_orders_and_compositions():
    def f(x, w):
        return kn.sum(kn.fori_loop(0, 4, lambda i, v: kn.sin(v * w) + v, x))

    def g(x, w):
        return kn.sum(unrolled_fori(0, 4, lambda i, v: kn.sin(v * w) + v, x))
    close(kn.hessian(f, argnums=0)(x4, w4), kn.hessian(g, argnums=0)(x4, w4))
    ways = [lambda f: kn.grad(lambda x, w: kn.sum(kn.grad(f, argnums=1)(x, w) * x)),
            lambda f: (lambda x, w: kn.jvp(kn.grad(f), (x, w), (w, x))),
            lambda f: kn.grad(lambda x, w: kn.jvp(f, (x, w), (w, x))[1]),
            lambda f: (lambda x, w: kn.jvp(lambda x, w: kn.jvp(f, (x, w), (w, x))[1], (x, w), (x, x))),
            lambda f: kn.grad(lambda x, w: kn.sum(kn.vmap(f, in_axes=(0, None))(kn.stack([x, w]), w))),
            lambda f: kn.vmap(kn.grad(f, argnums=(0, 1)), in_axes=(0, None)),
            lambda f: kn.grad(lambda x, w: kn.sum(kn.grad(lambda x: kn.sum(kn.grad(f)(x, w) * w))(x)))]
    for way in ways:
        x = kn.stack([x4, w4, x4 * 2]) if ways.index(way) == 5 else x4
        close(way(f)(x, w4), way(g)(x, w4))
        close(kn.jit(way(f))(x, w4), way(g)(x, w4))


def test_differences():
    def f(x, w):
        def step(s, row):
            return kn.tanh(s * w) + row * kn.sum(s), kn.log(1 + s * s)
        last, rows = kn.scan(step, x, kn.outer(w, x))
        return kn.sum(last) * kn.sum(rows)
    kn.testing.check_grads(f, (x4, w4), order=2, modes=("fwd", "rev"))


def test_complex_values():
    z = kn.asarray([0.3 + 0.4j, -0.2 + 1j])

    def f(loop):
        def program(z, c):
            return kn.sum(kn.abs(loop(0, 5, lambda i, v: v * v * 0.5 + c, z)))
        return kn.grad(program, argnums=(0, 1))
    equal(f(kn.fori_loop)(z, z * 0.5), f(unrolled_fori)(z, z * 0.5))
    equal(kn.jit(f(kn.fori_loop))(z, z * 0.5), f(unrolled_fori)(z, z * 0.5))


def test_values_beside():
    """What does not depend on an argument is carried and read; integers and masks choose."""
    def f(loop):
        def program(x):
            def step(i, s):
                v, key, total = s
                key = (key * 5 + 3) % 17
                return kn.where(key % 2 == 0, v * 1.5, kn.sin(v)), key, total + kn.astype(key, kn.float64)
            v, key, total = loop(0, 6, step, (x, 1, kn.zeros((), dtype=kn.float64)))
            return kn.sum(v) * total
        return kn.grad(program)
    equal(f(kn.fori_loop)(x4), f(unrolled_fori)(x4))
    inactive = kn.grad(lambda x: kn.sum(x * kn.fori_loop(0, 3, lambda i, v: v * 2, kn.ones(4, dtype=kn.float64))))
    assert inactive(x4).tolist() == [8] * 4


def test_a_table_whose_rows_are_read():
    """The gradient of a table is added to row by row: no trip passes over all of it."""
    table = kn.asarray(np.random.default_rng(1).normal(size=(6, 4)))

    def f(loop):
        def program(table):
            def step(i, s):
                return s * kn.reshape(kn.dynamic_slice(table, kn.stack([i % 4, 0]), (1, 4)), (4,)) + 1.0
            return kn.sum(loop(0, 9, step, kn.ones(4, dtype=kn.float64)))
        return kn.grad(program)
    equal(f(kn.fori_loop)(table), f(unrolled_fori)(table))
    assert not np.signbit(f(kn.fori_loop)(table).numpy()[4:]).any()


def test_rows_written_in_the_body():
    def f(loop):
        def program(x, w):
            def step(i, a):
                row = kn.reshape(kn.dynamic_slice(a, kn.stack([i, 0]), (1, 4)), (4,))
                return kn.dynamic_update(a, kn.reshape(kn.sin(row * w) + row, (1, 4)), kn.stack([i + 1, 0]))
            a = kn.concat([kn.reshape(x, (1, 4)), kn.zeros((5, 4), dtype=kn.float64)])
            return kn.sum(loop(0, 5, step, a) * w)
        return kn.grad(program, argnums=(0, 1))
    close(f(kn.fori_loop)(x4, w4), f(unrolled_fori)(x4, w4))


def test_sums_go_on_over_loops():
    """What several loops and the operations between them read has its terms in the order of the loops written out."""
    def f(loop):
        def program(w):
            y = loop(0, 3, lambda i, v: kn.sin(v * w), kn.ones(4, dtype=kn.float64))
            y = loop(0, 2, lambda i, v: kn.exp(v * w) * 0.1 + w, y * w)
            return kn.sum(y * w * w)
        return kn.grad(program)
    equal(f(kn.fori_loop)(x4), f(unrolled_fori)(x4))


def test_branches_and_loops_inside():
    def f(loop):
        def program(x, w):
            def step(i, v):
                v = kn.cond(kn.sum(v) > 0, lambda v: kn.sin(v) * w, lambda v: v * v - w, v)
                v = kn.switch(i % 3, [lambda v: v, lambda v: v * x, lambda v: kn.cos(v)], v)
                return loop(0, 2, lambda k, u: u * 0.5 + kn.sin(u * w), v)
            return kn.sum(loop(0, 5, step, x))
        return kn.grad(program, argnums=(0, 1))
    close(f(kn.fori_loop)(x4, w4), f(unrolled_fori)(x4, w4))
    close(kn.jit(f(kn.fori_loop))(x4, w4), f(unrolled_fori)(x4, w4))
    assert recorded(f(kn.fori_loop), x4, w4) < 700


def test_while_loops_go_along():
    """A tangent and a batch of examples that agree need no number of trips."""
    f = lambda x, k: kn.while_loop(lambda s: s[1] < k, lambda s: (kn.sin(s[0]) * 2, s[1] + 1), (x, kn.asarray(0)))[0]  # noqa: E731
    k = kn.asarray(5)
    value, tangent = kn.jvp(lambda x: f(x, k), (x4,), (w4,))
    same_bits(value, f(x4, k))
    close(tangent, kn.jacfwd(lambda x: unrolled_fori(0, 5, lambda i, v: kn.sin(v) * 2, x))(x4) @ w4)
    same_bits(kn.vmap(lambda x: f(x, k))(kn.stack([x4, w4])), kn.stack([f(x4, k), f(w4, k)]))
    same_bits(kn.vmap(f)(kn.stack([x4, w4]), kn.asarray([2, 4])), kn.stack([f(x4, kn.asarray(2)), f(w4, kn.asarray(4))]))
    assert recorded(lambda x, k: kn.jvp(lambda x: f(x, k), (x,), (x,)), x4, k) < 80
    np.testing.assert_allclose(kn.grad(lambda x: kn.sum(f(x, k)))(x4).numpy(), np.diag(kn.jacfwd(lambda x: f(x, k))(x4).numpy()), rtol=1e-12)


def test_functions_with_derivatives_of_their_own():
    @kn.custom_vjp
    def twice(x):
        return x * 2
    twice.defvjp(lambda x: (x * 2, None), lambda _, ct: (ct * 3,))
    f = lambda x: kn.fori_loop(0, 2, lambda i, v: twice(v), x)  # noqa: E731
    assert float(kn.grad(f)(kn.asarray(1.0))) == 9
    g = lambda x: kn.fori_loop(0, 2, lambda i, v: v * kn.stop_gradient(v), x)  # noqa: E731
    assert float(kn.grad(g)(kn.asarray(3.0))) == 27
    assert float(kn.jit(kn.grad(g))(kn.asarray(3.0))) == 27
    z = kn.grad(lambda z: kn.real(kn.fori_loop(0, 2, lambda i, v: v * kn.stop_gradient(v), z)))(kn.asarray(3.0 + 1j))
    expected = kn.grad(lambda z: kn.real(unrolled_fori(0, 2, lambda i, v: v * kn.stop_gradient(v), z)))(kn.asarray(3.0 + 1j))
    same_bits(z, expected)


def test_numbers_of_trips():
    """One that a call computes is asked for, as Python does."""
    f = lambda x, n: kn.sum(kn.fori_loop(0, n, lambda i, v: kn.sin(v), x))  # noqa: E731
    for g in (kn.grad(f), kn.jit(kn.grad(f))):
        for n in (3, 1, 4, 0, 3):
            expected = kn.grad(lambda x: kn.sum(unrolled_fori(0, n, lambda i, v: kn.sin(v), x)))(x4)  # noqa: B023
            equal(g(x4, n), expected)
            equal(g(x4, kn.asarray(n)), expected)


def test_nans_are_found_in_the_body():
    f = lambda x: kn.fori_loop(0, 3, lambda i, v: kn.sqrt(v) - 2, x)  # noqa: E731
    with kn.debug.nans(), pytest.raises(kn.KilnError, match="sqrt: result: expected numbers"):
        kn.grad(f)(kn.asarray(1.0))


def test_an_array_that_is_written_later():
    """The way back reads what the loop read."""
    x, w = kn.asarray([1.0, 2.0]), kn.asarray([3.0, 4.0])
    _, back = kn.vjp(lambda x: kn.fori_loop(0, 2, lambda i, v: v * w, x), x)
    w[...] = 0.0
    assert back(kn.ones(2))[0].tolist() == [9, 16]


@pytest.mark.parametrize("seed", range(int(os.environ.get("KILN_SEEDS", 25))))
def test_random_bodies(seed):
    rng = random.Random(seed)
    loop, plain = random_program(rng)
    given = arrays(rng, rng.choice([1, 2, 3, 6]))
    assert _core.innermost() is None
    expected = kn.value_and_grad(plain, argnums=ALL)(*given)
    got = kn.value_and_grad(loop, argnums=ALL)(*given)
    same_bits(got[0], expected[0])
    equal(got[1], expected[1])
    equal(kn.jit(kn.value_and_grad(loop, argnums=ALL))(*given), got)
    tangents = [kn.flip(x) for x in given]
    change = kn.jvp(loop, given, tangents)[1]
    close(change, kn.jvp(plain, given, tangents)[1], 1e-11)
    close(change, sum(kn.sum(g * t) for g, t in zip(got[1], tangents)), 1e-9)
    if seed % 5 == 0:
        second = lambda f: kn.grad(lambda *a: sum(kn.sum(g * g) for g in kn.grad(f, argnums=ALL)(*a)), argnums=ALL)(*given)  # noqa: E731
        close(second(loop), second(plain), 1e-9)
        many = [kn.stack([x, x * 0.5]) for x in given]
        each = kn.vmap(kn.grad(loop, argnums=ALL))(*many)
        close(each, [kn.stack([a, b]) for a, b in zip(got[1], kn.grad(loop, argnums=ALL)(*(x * 0.5 for x in given)))], 1e-11)
