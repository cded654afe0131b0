"""``kn.testing.check_grads``, ``check_vmap`` and ``kn.debug.nans``: they find what is wrong, and nothing where all is right."""
import numpy as np
import pytest

import kiln as kn
from kiln.testing import check_grads, check_vmap


def numbers(*shape, dtype="float64", seed=0):
    x = np.random.default_rng(seed).normal(size=shape)
    return kn.asarray((x + 1j * np.random.default_rng(seed + 1).normal(size=shape) if dtype.startswith("complex") else x).astype(dtype))


@pytest.mark.parametrize("dtype", ["float64", "float32", "complex128", "complex64"])
def test_right_derivatives(dtype):
    x, w = numbers(4, 3, dtype=dtype), numbers(3, 2, dtype=dtype, seed=5)
    check_grads(lambda p: kn.sin(p["x"] @ p["w"]) * 2, [{"x": x, "w": w}])
    check_grads(lambda x, k: (kn.exp(x * 0.1) * k, x[0]), [x, kn.asarray(3)], modes="rev")
    check_grads(kn.jit(lambda x: kn.sum(x * x * x, axis=0)), [x], order=3, modes=("fwd",))


def test_wrong_derivatives():
    @kn.custom_jvp
    def f(x):
        return x * x

    f.defjvp(lambda primals, tangents: (f(*primals), 2.5 * primals[0] * tangents[0]))
    with pytest.raises(AssertionError, match="check_grads: forward mode against differences, order 1: expected .*, got"):
        check_grads(f, [numbers(5)])
    with pytest.raises(AssertionError, match="reverse mode against differences, order 1"):
        check_grads(f, [numbers(5)], modes=("rev",))

    @kn.custom_jvp
    def g(x):
        return x * x

    g.defjvp(lambda primals, tangents: (g(*primals), (2 * primals[0] + kn.stop_gradient(primals[0]) - kn.stop_gradient(primals[0])) * tangents[0] + 0 * tangents[0]))
    check_grads(g, [numbers(5)])
    g.defjvp(lambda primals, tangents: (g(*primals), 2 * kn.stop_gradient(primals[0]) * tangents[0]))
    check_grads(g, [numbers(5)], order=1)
    with pytest.raises(AssertionError, match="order 2"):
        check_grads(g, [numbers(5)], order=2)


def test_grads_of_what():
    for order, modes in ((0, "fwd"), (1, ()), (1, ("forward",))):
        with pytest.raises(ValueError, match="check_grads: expected an order of at least 1 and modes"):
            check_grads(kn.sin, [numbers(3)], order=order, modes=modes)


def ruled(f, rule):
    result = kn.custom_jvp(f)
    result.defjvp(lambda primals, tangents: (f(*primals), rule(*primals) * tangents[0]))
    return result


@pytest.mark.parametrize("f, rule", [(lambda x: x * x + 1e6, lambda x: 5 * x), (lambda x: 1e-8 * kn.sin(x), lambda x: 5e-8 * kn.cos(x)), (lambda x: 1e-8 * x + 0 * x * x, lambda x: 5e-8 + 0 * x),
                                     (lambda x: x * x, lambda x: 2 * x * 1.00001)])
def test_small_faults(f, rule):
    """Next to large values, and of small derivatives."""
    check_grads(f, [numbers(5)])
    for modes in ("fwd", "rev"):
        with pytest.raises(AssertionError, match="order 1"):
            check_grads(ruled(f, rule), [numbers(5)], modes=modes)


def test_where_differences_leave_more_out_than_the_derivative():
    for f in (lambda x: x ** 3, lambda x: x ** 5, lambda x: kn.cos(x * 30), lambda x: x - x, lambda x: kn.asarray(2.0)):
        check_grads(f, [kn.asarray([0.0, 1e-3])])
    for dtype in ("float32", "float16", "bfloat16"):
        check_grads(lambda x: kn.exp(x) * x, [kn.astype(numbers(4), dtype)], order=1)


def test_modes_that_a_function_has():
    @kn.custom_vjp
    def f(x):
        return x * x

    f.defvjp(lambda x: (x * x, x), lambda x, ct: (2 * x * ct,))
    check_grads(f, [numbers(3)])
    with pytest.raises(kn.TraceError, match="custom_vjp: derivative of"):
        check_grads(f, [numbers(3)], modes=("fwd", "rev"))
    f.defvjp(lambda x: (x * x, x), lambda x, ct: (3 * x * ct,))
    with pytest.raises(AssertionError, match="reverse mode"):
        check_grads(f, [numbers(3)])
    with pytest.raises(kn.TraceError, match="an array that a gradient or a batch follows"):
        check_grads(lambda x: kn.asarray(np.sin(x.numpy())), [numbers(3)])


def test_batches_of_trees():
    x, w = numbers(5, 4), numbers(4, seed=2)
    check_vmap(lambda p, k: {"a": p["x"] * p["w"] * k, "b": [p["x"][0]]}, [{"x": x, "w": w}, 2.0], in_axes=({"w": None, "x": 0}, None))
    check_vmap(lambda p: (p["x"], kn.sum(p["x"]), w), [{"x": x}], in_axes=[{"x": 1}], out_axes=(1, 0, None))
    with pytest.raises(ValueError, match="vmap: in_axes: expected ints and None in the structure of"):
        check_vmap(kn.sin, [x], in_axes=({"x": 0},))


def test_batches():
    x, w = numbers(5, 4), numbers(4, 3, seed=2)
    check_vmap(lambda v: kn.cumsum(v) * 2 if v[0] > 0 else v, [x])
    check_vmap(lambda v, w: kn.sort(v * w), [x, x[0]], in_axes=(0, None))
    check_vmap(lambda a, b: a + b, [x, x.T], in_axes=(0, 1), out_axes=1)
    check_vmap(lambda v: v @ w, [x], rtol=1e-12)
    check_vmap(lambda v: kn.sqrt(v), [x])  # nans are equal
    calls = []

    def counted(v):
        calls.append(0)
        return v + len(calls)

    with pytest.raises(AssertionError, match=r"check_vmap: result 0: expected that of a loop, got one that differs in 20 of 20 elements"):
        check_vmap(counted, [x])

    def narrower(v):
        calls.append(0)
        return kn.astype(v, kn.float32) if len(calls) > 100 else v

    calls[:] = [0] * 95
    with pytest.raises(AssertionError, match=r"check_vmap: result 0: expected float64\[5, 4\], got float32\[5, 4\]"):
        check_vmap(narrower, [x])
    with pytest.raises(ValueError, match="check_vmap: in_axes"):
        check_vmap(kn.sin, [x], in_axes=None)


def loss(x):
    return kn.sum(kn.sqrt(x) * 2)


def test_the_first_nan_is_found_forward_and_backward():
    x = kn.asarray([1.0, -1.0])
    with kn.debug.nans():
        with pytest.raises(ValueError, match=r"sqrt: result: expected numbers, as the operands are, got nan\n  at test_checks.py:\d+ in loss:  return kn.sum\(kn.sqrt\(x\) \* 2\)"):
            loss(x)
        with pytest.raises(ValueError, match="sqrt: result"):
            kn.jit(loss)(x)
        with pytest.raises(ValueError, match="in loss"):
            kn.grad(loss)(x)
        with pytest.raises(ValueError, match="in loss"):
            kn.vmap(loss)(kn.stack([x, x]))

        def f(x):
            y = kn.where(x > 0, x, 0.0)
            return kn.sum(kn.where(y > 0, kn.sqrt(y), 0.0) * x)

        with pytest.raises(ValueError, match=r"test_checks.py:\d+: gradient of sqrt: divide: result: expected numbers"):
            kn.grad(f)(kn.asarray([4.0, 0.0]))
        assert kn.isnan(kn.asarray(kn.nan) * 2)  # made before, by nobody here
        assert kn.all(kn.isnan(kn.full(3, kn.nan) + 1)) and kn.sum(kn.ones(3)) == 3
    assert kn.isnan(loss(x)) and kn.isnan(kn.jit(loss)(x))


def test_nans_in_bodies_of_loops():
    def step(x):
        return kn.log(x - 1)  # the body

    x = kn.asarray([0.5])
    with kn.debug.nans():
        for call in (lambda: kn.fori_loop(0, 3, lambda i, v: step(v), x), lambda: kn.scan(lambda c, _: (step(c), c), x, None, length=2), lambda: kn.cond(x[0] > 0, step, kn.sin, x),
                     lambda: kn.while_loop(lambda v: v[0] > 0, step, x), lambda: kn.jit(lambda v: kn.fori_loop(0, 3, lambda i, v: step(v), v))(x)):
            with pytest.raises(ValueError, match=r"log: result: expected numbers.*\n  at test_checks.py:\d+ in step: .*# the body"):
                call()
        assert kn.scan(lambda c, _: (step(c), c), x, None, length=0)[1].shape == (0, 1)
        assert kn.fori_loop(0, 3, lambda i, v: v * 2, x).tolist() == [4]


def test_switching():
    kn.debug.nans(True)
    kn.debug.nans(True)
    assert kn._core.is_debugging_nans()
    kn.debug.nans(False)
    kn.debug.nans(False)
    assert not kn._core.is_debugging_nans()
    with kn.debug.nans():
        with kn.debug.nans(False):
            assert not kn._core.is_debugging_nans()
        assert kn._core.is_debugging_nans()
    with pytest.raises(kn.TraceError, match="debug.nans: expected a place outside of gradients"):
        kn.grad(lambda x: kn.debug.nans() and x)(kn.asarray(1.0))
    with kn.debug.nans(), pytest.raises(kn.TraceError, match="got one inside"):
        kn.vmap(lambda x: kn.debug.nans(False) and x)(kn.ones(3))
