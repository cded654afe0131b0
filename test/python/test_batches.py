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


def by_sign(x):
    return x * x + 1 if x > 0 else -x


def nested(v):
    if v[0] > 0:
        return v * 2 if v[1] > 0 else v[::-1] - 1
    return kn.exp(v) if v[1] > 0.5 else v - v[0]


def loss(w, x):
    y = kn.tanh(x @ w)
    return kn.sum(y * y) if y[0] > 0 else kn.sum(y) * kn.sum(w)


def signs(size, positive):
    """Numbers of which so many are positive."""
    x = np.abs(np.random.default_rng(size + positive).normal(size=size)) + 0.1
    x[positive:] *= -1
    return kn.asarray(np.random.default_rng(positive).permutation(x))


def test_other_groups_of_examples_compile_nothing():
    """The examples of a group are computed: a call is known by how many there are about."""
    with kn.config.override(jit="sync"):
        jitted, x = kn.jit(kn.vmap(by_sign), on_miss="raise"), signs(100, 40)
        same_bits(jitted(x), kn.vmap(by_sign)(x))
        before = jitted.stats
        assert before.misses == 1 and before.tier == 1
        for given in (kn.copy(x[::-1]), -x, *(signs(100, k) for k in range(36, 65))):
            same_bits(jitted(given), kn.vmap(by_sign)(given))
        assert (jitted.stats.misses, jitted.stats.compiles) == (1, before.compiles)


def test_groups_of_other_sizes_run_code_for_any_size():
    with kn.config.override(jit="sync", cache=False):
        jitted = kn.jit(kn.vmap(by_sign))
        for k in (5, 9, 17, 33):
            jitted(signs(1000, k))
        before = jitted.stats.compiles
        for k in (100, 200, 300, 480):
            same_bits(jitted(signs(1000, k)), kn.vmap(by_sign)(signs(1000, k)))
        assert jitted.stats.compiles == before


@pytest.mark.parametrize("f, shape", [(by_sign, ()), (nested, (3,)), (pieces, ()), (early, (5,)), (chosen, (4,)), (clipped, (3,))], ids=lambda c: getattr(c, "__name__", ""))
def test_random_groups_under_jit(f, shape, rng):
    """All one way, one example another way, none, and anything between."""
    batch = kn.vmap(f)
    jitted = kn.jit(batch)
    for size in (2, 7, 70):
        for shift in (0, 9, 1, -9, 0, -1, 0.5):
            x = kn.asarray(np.clip(rng.normal(size=(size, *shape)) + shift, -3, 3))
            for a, b in zip(kn.tree.leaves(jitted(x)), kn.tree.leaves(batch(x))):
                same_bits(a, b)
    assert not any(v["eager"] for v in jitted.explain().variants)


def test_loops_of_other_trips_under_jit(rng):
    jitted, inside = kn.jit(kn.vmap(newton)), kn.vmap(kn.jit(newton))
    for size in (1, 3, 40, 90):
        x = kn.asarray(np.abs(rng.normal(size=size)) + 0.1)
        want = stacked(newton, x)
        for g in (jitted, inside):
            for name, value in g(x).items():
                same_bits(value, want[name])


def test_gradients_of_groups_in_any_order(rng):
    """The same bits in eager and under jit, and a loop's numbers; of shared arguments as well."""
    x, w = kn.asarray(rng.normal(size=(70, 3))), kn.asarray(rng.normal(size=(3, 4)))

    def total(w, x):
        return kn.sum(kn.vmap(loss, in_axes=(None, 0))(w, x))

    each, both = kn.vmap(kn.grad(loss, argnums=1), in_axes=(None, 0)), kn.grad(total, argnums=(0, 1))
    jitted_each, jitted_both = kn.jit(each), kn.jit(both)
    for given in (x, x[::-1], x * 0.5, kn.abs(x), -kn.abs(x)):
        same_bits(jitted_each(w, given), each(w, given))
        np.testing.assert_allclose(each(w, given), np.stack([kn.grad(loss, argnums=1)(w, row) for row in given]), rtol=1e-10, atol=1e-12)
        for a, b in zip(jitted_both(w, given), both(w, given)):
            same_bits(a, b)
        np.testing.assert_allclose(both(w, given)[0], sum(kn.grad(loss)(w, row) for row in given), rtol=1e-10, atol=1e-12)
    primal, tangent = kn.jit(lambda x, t: kn.jvp(lambda x: total(w, x), (x,), (t,)))(x, x * 2)
    np.testing.assert_allclose(tangent, kn.sum(both(w, x)[1] * x * 2), rtol=1e-10)
    second = kn.jit(lambda x: kn.grad(lambda x: kn.sum(kn.grad(lambda x: total(w, x))(x) ** 2))(x))
    same_bits(second(x), kn.grad(lambda x: kn.sum(kn.grad(lambda x: total(w, x))(x) ** 2))(x))


def test_batches_of_batches_under_jit(rng):
    def f(x, y):
        return x * y if x > y else (y - x if y > 0 else x)

    batch = kn.vmap(lambda x, y: kn.vmap(f, in_axes=(None, 0))(x, y), in_axes=(0, None))
    jitted = kn.jit(batch)
    for _ in range(4):
        x, y = kn.asarray(rng.normal(size=9)), kn.asarray(rng.normal(size=11))
        want = kn.stack([kn.stack([f(a, b) for b in y]) for a in x])
        same_bits(batch(x, y), want)
        same_bits(jitted(x, y), want)
    assert not any(v["eager"] for v in jitted.explain().variants)


def test_integers_of_examples_under_jit(rng):
    """A group for each answer, while there are few; each set of answers is a path, and which examples give them none."""
    jitted = kn.jit(kn.vmap(lambda k, x: x * int(k) - k), on_miss="warn")
    k, x = kn.asarray(np.arange(60) % 3 - 1), kn.asarray(rng.normal(size=60))
    for order in range(5):
        k = kn.asarray(rng.permutation(k.numpy()))
        same_bits(jitted(k, x), x * k - k)
    assert jitted.stats.misses == 1
    many = kn.jit(kn.vmap(lambda k, x: x * int(k)))
    same_bits(many(kn.asarray(np.arange(60)), x), x * np.arange(60))
    assert "the value" in str(many.explain()) or many.explain().variants[-1]["eager"]


def test_examples_that_fill_a_group_have_no_gradient():
    def f(x):
        return kn.exp(x * 800.0) if x > 0 else x * x

    x = kn.asarray([1.0, -1.0, 2.0, -3.0, 0.5])  # three go one way, whose group has four rows, of derivatives that are infinite
    gradient = kn.grad(lambda x: kn.sum(kn.vmap(f)(x)))
    alone = [float(kn.grad(f)(v)) for v in x]
    assert kn.isinf(gradient(x)[0])
    assert gradient(x).tolist() == kn.jit(gradient)(x).tolist() == alone


def test_random_numbers_of_groups_under_jit():
    def f(x):
        return x + kn.random.normal() if x > 0 else x - kn.random.uniform()

    jitted, x = kn.jit(kn.vmap(f)), signs(50, 20)
    for given in (x, x[::-1], signs(50, 44)):
        state = kn.random.get_state()
        want, after = kn.vmap(f)(given), kn.random.get_state()
        kn.random.set_state(state)
        same_bits(jitted(given), want)
        same_bits(kn.random.get_state(), after)


def test_explain_tells_groups_of_examples():
    jitted = kn.jit(kn.vmap(by_sign))
    for k in (20, 5):
        jitted(signs(50, k))
    text = str(jitted.explain())
    assert "test_batches.py" in text and "by examples of a batch: at most how many say False, and how many True" in text
    assert "[32, 32]: step 1" in text and "[64, 8]: step" in text
    assert "and is [64, 8] for the first time, was [32, 32]" in text


@pytest.mark.parametrize("f, x", [c for c in CASES if c[0] in (clipped, pieces, early, positive)], ids=lambda c: getattr(c, "__name__", ""))
def test_gradients_of_ways_under_jit(f, x):
    of_each = kn.vmap(kn.grad(lambda v: kn.sum(kn.tree.leaves(f(v))[0])))
    jitted = kn.jit(of_each)
    for given in (x, x[::-1], x):
        same_bits(jitted(given), of_each(given))
