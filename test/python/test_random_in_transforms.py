"""Random numbers in gradients, batches and checkpoints: each example has its own, and they are the same in eager and under jit, however examples are grouped."""
import numpy as np
import pytest

import kiln as kn
from conftest import same_bits

random = kn.random


@pytest.fixture(autouse=True)
def seeded():
    random.seed(3)


def of(key, counter, draw):
    """What a generator of a key draws from a counter on."""
    return draw(random.Generator(kn.stack([key, kn.asarray(counter, dtype=kn.uint64)])))


def as_told(draw, n, counter=0):
    """The documented rule: example i has the key ``fold_in(key, i)``."""
    key = random.get_state()[0]
    return kn.stack([of(random.fold_in(key, i), counter, draw) for i in range(n)])


def counter():
    return int(random.get_state()[1])


@pytest.mark.parametrize("make", ["kn.grad(lambda x: x * kn.random.normal())(one)", "kn.vmap(lambda x: x + kn.random.normal())(many)", "kn.jvp(lambda x: x * kn.random.normal(), (one,), (one,))",
                                  "kn.grad(lambda x: (kn.random.seed(1), x)[1])(one)"])
def test_the_first_draw_of_a_process_is_in_a_transform(make):
    import subprocess
    import sys
    text = f"import kiln as kn; one, many = kn.asarray(1.0), kn.zeros(3); {make}; kn.random.seed(2); print(kn.random.normal(), kn.jit(lambda: kn.random.normal())())"
    done = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


DRAWS = [lambda g: g.normal(), lambda g: g.normal(size=(2, 3)), lambda g: g.uniform(-1.0, 2.0, size=3, dtype="float64"), lambda g: g.integers(0, 2**40, size=3), lambda g: g.permutation(7),
         lambda g: g.choice(5, 3, replace=False), lambda g: g.poisson(3.0, size=2), lambda g: g.spawn(2)[1].random(2), lambda g: g.standard_gamma(2.0, size=2), lambda g: g.bits(2)]


@pytest.mark.parametrize("draw", DRAWS)
def test_examples_draw_numbers_of_their_own(draw):
    shared = random._generator.shared()

    def f(x):
        return draw(shared)

    want = as_told(draw, 4)
    assert len({str(row.tolist()) for row in want}) == 4
    x = kn.zeros(4)
    state = random.get_state()
    same_bits(kn.vmap(f)(x), want)
    moved = counter()
    one = random.Generator(state)
    draw(one)
    assert moved == int(one.state[1])  # by what one example draws
    jitted = kn.jit(kn.vmap(f))
    for _ in range(3):
        random.set_state(state)
        same_bits(jitted(x), want)
        assert counter() == moved


def test_a_second_draw_goes_on():
    first, second = as_told(lambda g: g.random(3), 2), as_told(lambda g: g.random(3), 2, counter=3)
    a, b = kn.vmap(lambda x: (random.random(3), random.random(3)))(kn.zeros(2))
    same_bits(a, first)
    same_bits(b, second)


def test_batches_of_batches():
    key = random.get_state()[0]
    want = kn.stack([kn.stack([of(random.fold_in(random.fold_in(key, i), k), 0, lambda g: g.normal(size=2)) for k in range(3)]) for i in range(2)])
    x = kn.zeros((2, 3))
    for f in (kn.vmap(kn.vmap(lambda x: x + random.normal(size=2))), kn.vmap(lambda r: kn.vmap(lambda x: x + random.normal(size=2))(r))):
        random.seed(3)
        same_bits(f(x), want)


def branching(x):
    y = random.normal()
    if x > 0:
        return y + 0 * random.random(3)[0]
    return y * 1 if random.uniform() < 2 else y


@pytest.mark.parametrize("wrap", [lambda f: f, kn.jit])
def test_groups_draw_as_the_whole_batch(wrap):
    x = kn.asarray([1.0, -1.0, 2.0, -2.0, -3.0])
    want = as_told(lambda g: g.normal(), 5)
    f = wrap(kn.vmap(branching))
    for _ in range(3):
        random.seed(3)
        same_bits(f(x), want)
        words = counter()
        random.seed(3)
        random.normal()
        random.random(3)
        assert words == counter()  # the longest way


def test_ways_that_random_numbers_decide():
    flips = as_told(lambda g: g.random(), 8)
    got = kn.vmap(lambda x: x + 1 if random.random() > 0.5 else x - 1)(kn.zeros(8))
    same_bits(got, kn.where(flips > 0.5, 1.0, -1.0))
    assert counter() == 1 and 0 < float(kn.sum(flips > 0.5)) < 8


def test_keys_are_a_loop_over_keys():
    keys = random.split(random.key(5), 3)
    for draw in (lambda k: random.normal(size=2, key=k), lambda k: random.uniform(key=random.fold_in(k, 1)), lambda k: kn.nn.dropout(kn.ones(9), key=k)):
        same_bits(kn.vmap(draw)(keys), kn.stack([draw(k) for k in keys]))
        same_bits(kn.jit(kn.vmap(draw))(keys), kn.stack([draw(k) for k in keys]))
        one = random.key(1)
        same_bits(kn.vmap(lambda x: draw(one))(kn.zeros(2)), kn.stack([draw(one)] * 2))
    assert counter() == 0


def test_generators_of_the_user():
    g = random.default_rng(8)
    want = kn.stack([of(random.fold_in(random.key(8), i), 0, lambda g: g.random()) for i in range(3)])
    same_bits(kn.vmap(lambda x: x + g.random())(kn.zeros(3)), want)
    assert int(g.state[1]) == 1
    same_bits(kn.vmap(lambda x: random.default_rng(8).random())(kn.zeros(3)), kn.stack([random.default_rng(8).random()] * 3))  # a function of its arguments
    assert len(set(kn.vmap(lambda x: x + random.default_rng().random())(kn.zeros(4)).tolist())) == 4


def test_gradients_by_example():
    x = kn.ones((3, 4))
    noise = as_told(lambda g: g.normal(size=4), 3)
    for f in (kn.vmap(kn.grad(lambda v: kn.sum(v * random.normal(size=4)))), kn.grad(lambda x: kn.sum(kn.vmap(lambda v: v * random.normal(size=4))(x)))):
        random.seed(3)
        same_bits(f(x), noise)
        assert counter() == (4 if noise.dtype is kn.float32 else 8)


def noisy(x):
    return kn.sin(x) * random.normal(size=(5,)) * (random.uniform() + 1)


@pytest.mark.parametrize("wrap", [lambda f: f, kn.jit])
def test_checkpoint_draws_the_same_numbers_again(wrap):
    def plain(x):
        return kn.sum(noisy(x)) + random.random()

    def kept(x):
        return kn.sum(kn.checkpoint(noisy)(x)) + random.random()

    x, many = kn.asarray(np.linspace(0, 1, 5)), kn.asarray(np.linspace(0, 1, 10).reshape(2, 5))
    calls = [(kn.value_and_grad(plain), kn.value_and_grad(kept), x), (kn.vmap(kn.value_and_grad(plain)), kn.vmap(kn.value_and_grad(kept)), many),
             (kn.value_and_grad(lambda x: kn.sum(kn.vmap(plain)(x))), kn.value_and_grad(lambda x: kn.sum(kn.vmap(kept)(x))), many), (kn.jacfwd(plain), kn.jacfwd(kept), x)]
    for want, got, arg in calls:
        got = wrap(got)
        for _ in range(3):
            random.seed(3)
            expected, state = want(arg), random.get_state()
            random.seed(3)
            for a, b in zip(kn.tree.leaves(got(arg)), kn.tree.leaves(expected)):
                np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-5)
            same_bits(random.get_state(), state)


def test_checkpoint_as_a_pullback():
    x = kn.ones(5)
    value, back = kn.vjp(kn.checkpoint(lambda x: x * random.normal(size=(5,))), x)
    random.normal(size=9)
    state = random.get_state()
    for _ in range(2):
        same_bits(back(x)[0], value)
        same_bits(random.get_state(), state)


def test_checkpoint_in_groups():
    def step(x):
        if x[0] > 1:
            return x * random.normal(size=5)
        return x * random.uniform(size=5) * random.normal(size=5)

    x = kn.ones((4, 5)) * kn.asarray([[1.0], [2.0], [0.5], [3.0]])
    want = kn.vmap(step)(kn.where(x > 1, x, 1.0)) / kn.where(x > 1, x, 1.0)
    for f in (lambda x: kn.sum(kn.vmap(kn.checkpoint(step))(x)), lambda x: kn.sum(kn.vmap(lambda v: kn.sum(kn.checkpoint(step)(v)))(x))):
        random.seed(3)
        np.testing.assert_allclose(kn.grad(f)(x).numpy(), want.numpy(), rtol=1e-5)


def test_jacobians_are_of_one_call():
    x, y = kn.asarray(np.linspace(1, 2, 5)), kn.asarray(np.linspace(0, 1, 3))

    def f(x, y):
        return x**3 * random.normal(size=5) + kn.sum(kn.vmap(lambda v: v * v * random.normal())(y))

    for make in (kn.jacfwd, kn.jacrev, lambda f, n: kn.jit(kn.jacfwd(f, n)), lambda f, n: kn.jacrev(kn.checkpoint(f), n), lambda f, n: kn.jacfwd(kn.checkpoint(f), n)):
        random.seed(3)
        value, state = f(x, y), random.get_state()
        random.seed(3)
        of_x, of_y = make(f, (0, 1))(x, y)
        same_bits(random.get_state(), state)
        random.seed(3)
        np.testing.assert_allclose(of_x.numpy(), np.diag((3 * x**2 * random.normal(size=5)).numpy()), rtol=1e-5)
        h = random.get_state()
        noise = kn.stack([of(random.fold_in(h[0], i), int(h[1]), lambda g: g.normal()) for i in range(3)])
        np.testing.assert_allclose(of_y.numpy(), np.broadcast_to((2 * y * noise).numpy(), (5, 3)), rtol=1e-5, atol=1e-6)
        assert value.shape == (5,)
    random.seed(3)
    w = random.normal(size=5)
    random.seed(3)
    np.testing.assert_allclose(kn.hessian(lambda x: kn.sum(x**3 * random.normal(size=5)))(x).numpy(), np.diag((6 * x * w).numpy()), rtol=1e-5)
    random.seed(3)
    same_bits(kn.jacfwd(lambda x: (x * random.normal(), random.normal()), has_aux=True)(x)[1], as_drawn(2)[1])


def as_drawn(n):
    random.seed(3)
    return [random.normal() for _ in range(n)]


def test_a_pullback_in_a_batch_draws_what_the_call_drew():
    x = kn.ones(4)
    value, back = kn.vjp(kn.checkpoint(lambda x: x * random.normal(size=4)), x)
    np.testing.assert_allclose(kn.vmap(lambda ct: back(ct)[0])(kn.eye(4)).numpy(), np.diag(value.numpy()), rtol=1e-6)
    many = kn.ones((3, 4))
    value, back = kn.vjp(lambda x: kn.vmap(kn.checkpoint(lambda v: v * random.normal(size=4)))(x), many)
    np.testing.assert_allclose(kn.vmap(lambda ct: back(ct)[0])(kn.ones((2, 3, 4))).numpy(), np.broadcast_to(value.numpy(), (2, 3, 4)), rtol=1e-6)
    push = kn.linearize(kn.checkpoint(lambda x: kn.sin(x) * random.normal(size=4)), x)[1]
    same_bits(kn.vmap(push)(kn.eye(4)), kn.stack([push(row) for row in kn.eye(4)]))


def test_what_is_the_same_for_all_examples_draws_for_each():
    """The argument of the checkpoint has no axis of the batch."""
    noise = as_told(lambda g: g.normal(size=2), 3)
    f = kn.checkpoint(lambda x: x * random.normal(size=2))
    same_bits(kn.vmap(lambda x: x + f(kn.ones(2)))(kn.zeros(3)), noise)


def test_a_jitted_step_with_checkpoint_is_compiled():
    @kn.checkpoint
    def block(x):
        return kn.tanh(x) * 2

    @kn.jit(on_miss="raise")
    def step(x):
        return kn.grad(lambda x: kn.sum(block(block(x))))(x)

    x = kn.ones(4)
    for _ in range(3):
        same_bits(step(x), kn.grad(lambda x: kn.sum(block(block(x))))(x))
    same_bits(kn.jit(kn.grad(lambda x: kn.sum(block(x))), on_miss="raise")(x), kn.grad(lambda x: kn.sum(block(x)))(x))
