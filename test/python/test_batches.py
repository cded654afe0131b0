"""``kn.vmap`` of functions whose Python reads values: examples that agree run together, and the results are those of a loop."""
import numpy as np
import pytest

import kiln as kn
from conftest import same_bits


def newton(a):
    x, n = a, 0
    while abs(x * x - a) > 1e-9:
        x, n = 0.5 * (x + a / x), n + 1
    return {"root": x, "steps": n}


def collatz(n):
    steps = 0
    while n != 1:
        n = n // 2 if n % 2 == 0 else 3 * n + 1
        steps += 1
    return steps


def clipped(v):
    norm = kn.sqrt(kn.sum(v * v))
    return v / norm if norm > 1 else v


def pieces(x):
    if x < 0:
        return kn.exp(x)
    elif x < 1:
        return x * x
    return kn.log(x)


def by_number(x):
    return x * int(x) + float(x)


def early(v):
    total = kn.zeros((), dtype=v.dtype)
    for i in range(v.shape[0]):
        if v[i] < 0:
            break
        total = total + v[i]
    return total, i


def caught(x):
    try:
        return 1 / x if x != 0 else x
    except Exception:
        return x * 0 + 7


def recursive(n):
    return n if n < 2 else recursive(n - 1) + recursive(n - 2)


def listed(v):
    return kn.asarray(sorted(v.tolist()))


def positive(v):
    return kn.sum(v[v > 0])


def chosen(v):
    return v[int(kn.argmax(v))]


def matched(k):
    match int(k) % 3:
        case 0:
            return k * 10
        case 1:
            return k - 1
    return k


def stacked(f, *args):
    """A loop over the examples."""
    results = [f(*(x[i] for x in args)) for i in range(args[0].shape[0])]
    leaves = [kn.tree.flatten(r)[0] for r in results]
    return kn.tree.unflatten(kn.tree.structure(results[0]), [kn.stack([kn.asarray(x) for x in parts]) for parts in zip(*leaves)])


def numbers(*shape, seed=0):
    return kn.asarray(np.random.default_rng(seed).normal(size=shape) * 3)


CASES = [(newton, abs(numbers(40)) + 0.1), (collatz, kn.asarray(np.arange(1, 30))), (clipped, numbers(20, 3)), (pieces, numbers(50)),
         (by_number, numbers(12)), (early, numbers(30, 6)), (caught, kn.asarray(np.array([1.0, 0, 2, 0, -1]))), (recursive, kn.asarray(np.arange(7))),
         (listed, numbers(6, 4)), (positive, numbers(9, 5)), (chosen, numbers(9, 5)), (matched, kn.asarray(np.arange(10)))]


@pytest.mark.parametrize("f, x", CASES, ids=lambda c: getattr(c, "__name__", ""))
def test_a_batch_is_a_loop(f, x):
    want = stacked(f, x)
    for g in (kn.vmap(f), kn.jit(kn.vmap(f)), kn.vmap(kn.jit(f))):
        for _ in range(2):
            got = g(x)
            assert kn.tree.structure(got) == kn.tree.structure(want)
            for a, b in zip(kn.tree.leaves(got), kn.tree.leaves(want)):
                same_bits(a, b)


@pytest.mark.parametrize("f, x", [c for c in CASES if c[0] in (clipped, pieces, early, positive, chosen)], ids=lambda c: getattr(c, "__name__", ""))
def test_with_gradients_either_way_round(f, x):
    def real(v):
        return kn.sum(kn.tree.leaves(f(v))[0])

    want = stacked(kn.grad(real), x)
    np.testing.assert_allclose(kn.vmap(kn.grad(real))(x).numpy(), want.numpy(), rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(kn.grad(lambda x: kn.sum(kn.vmap(real)(x)))(x).numpy(), want.numpy(), rtol=1e-12, atol=1e-12)


def test_nested_batches_and_arguments_without_an_axis():
    def f(x, y, k):
        return x * y if x > k else y - x

    x, y = numbers(4), numbers(5, seed=1)
    got = kn.vmap(lambda x: kn.vmap(lambda y: f(x, y, kn.asarray(0.0)))(y))(x)
    same_bits(got, kn.stack([kn.stack([f(a, b, kn.asarray(0.0)) for b in y]) for a in x]))
    got = kn.vmap(f, in_axes=(0, 0, None), out_axes=0)(x, y[:4], kn.asarray(0.5))
    same_bits(got, kn.stack([f(a, b, kn.asarray(0.5)) for a, b in zip(x, y)]))
    wide = kn.vmap(lambda v: v * 2 if v[0] > 0 else v, in_axes=1, out_axes=1)(numbers(3, 4))
    same_bits(wide, kn.stack([v * 2 if v[0] > 0 else v for v in numbers(3, 4).T], axis=1))


def test_examples_of_one_way_run_together():
    calls = []

    def f(x):
        calls.append(x.shape)
        return x + 1 if x > 0 else x - 1

    kn.vmap(f)(kn.asarray([1.0, -1.0, 2.0, -2.0] * 100))
    assert len(calls) == 3  # once until they part, and once for each group
    calls.clear()
    kn.vmap(f)(kn.ones(100))
    assert len(calls) == 1


def test_errors():
    x = kn.asarray([1.0, -1.0])
    with pytest.raises(kn.ShapeError, match=r"vmap: shape of a result: expected \(2,\) as that of example 0, got \(3,\) of example 1"):
        kn.vmap(lambda v: kn.zeros(2) if v > 0 else kn.zeros(3))(x)
    with pytest.raises(ValueError, match="vmap: structure of the result: expected .* as that of example 0, got"):
        kn.vmap(lambda v: v if v > 0 else (v, v))(x)
    with pytest.raises(kn.TraceError, match="vmap: a value that Python reads: expected at least one example, got none"):
        kn.vmap(lambda v: v if v > 0 else -v)(kn.zeros(0))
    with pytest.raises(ZeroDivisionError):
        kn.vmap(lambda v: v if v > 0 else 1 // 0)(x)

    def interrupted(v):
        try:
            return v if v > 0 else -v
        except kn.TraceError:
            raise KeyboardInterrupt from None

    with pytest.raises(KeyboardInterrupt):
        kn.vmap(interrupted)(x)


def test_functions_with_derivatives_of_their_own():
    @kn.custom_vjp
    def f(x):
        return x * 2 if x > 0 else x * 3

    f.defvjp(lambda x: (f(x), x), lambda x, ct: (ct * 5 if x > 0 else ct * 7,))
    x = kn.asarray([1.0, -1.0, 2.0])
    assert kn.vmap(f)(x).tolist() == [2, -3, 4] and kn.vmap(kn.grad(f))(x).tolist() == [5, 7, 5]


def test_ways_of_examples_under_jit():
    """Each group of examples is code of its own; the answers of all examples are what a call is found by."""
    def f(x):
        return x * x + 1 if x > 0 else -x

    jitted, x = kn.jit(kn.vmap(f), on_miss="raise"), kn.asarray([2.0, -3.0, 4.0, -1.0])
    for given in (x, x * 2, -x, x, -x):
        same_bits(jitted(given), kn.vmap(f)(given))
    variant, = jitted.explain().variants
    assert not variant["eager"] and jitted.stats.misses == 2 and jitted.stats.tier == 1
    assert "[True, False, True, False]" in str(jitted.explain()) and "test_batches.py" in str(jitted.explain())


@pytest.mark.filterwarnings("ignore")
def test_ever_new_ways_of_examples_under_jit(rng):
    """Where most calls group their examples anew, calls run in eager, and say why."""
    jitted = kn.jit(kn.vmap(lambda x: x * x + 1 if x > 0 else -x))
    for _ in range(80):
        x = kn.asarray(rng.normal(size=32))
        same_bits(jitted(x), kn.where(x > 0, x * x + 1, -x))
    assert "the truth value of an array is asked for, which is another one on most calls" in str(jitted.explain())


@pytest.mark.parametrize("f, x", [c for c in CASES if c[0] in (clipped, pieces, early, positive)], ids=lambda c: getattr(c, "__name__", ""))
def test_gradients_of_ways_under_jit(f, x):
    of_each = kn.vmap(kn.grad(lambda v: kn.sum(kn.tree.leaves(f(v))[0])))
    jitted = kn.jit(of_each)
    for given in (x, x[::-1], x):
        same_bits(jitted(given), of_each(given))
