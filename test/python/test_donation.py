"""Arrays that are given away to a jitted function: their memory is the results', and using them is an error."""
import dataclasses
import pickle
import re

import numpy as np
import pytest

import kiln as kn
from conftest import same_bits

GONE = "donated"


def descend(w, g, rate=0.5):
    return w - rate * g


def ones(*shape, **options):
    return kn.ones(shape, **options) * 2


def test_results_take_the_memory():
    f = kn.jit(descend, donate_argnums=0)
    for _ in range(4):
        w, g = ones(1000), ones(1000)
        result = f(w, g)
        assert result is not w and result.tolist() == [1.0] * 1000 and g.tolist() == [2.0] * 1000
        with pytest.raises(kn.TraceError, match="its memory was donated to 'descend'"):
            w.tolist()


def test_results_are_computed_in_place():
    def memory_given_back(f):
        w, g = ones(100_000), ones(100_000)
        for _ in range(3):
            w = f(w, g)
        kn._core.release_kept()
        before = kn.memory_stats()
        w = f(w, g)
        assert kn.memory_stats().in_use == before.in_use and f.stats.segments == 1
        return kn.memory_stats().kept - before.kept

    assert memory_given_back(kn.jit(descend)) >= 400_000
    assert memory_given_back(kn.jit(descend, donate_argnums=0)) == 0


USES = {
    "arithmetic": lambda w: w + 1, "in place": lambda w: w.__iadd__(1), "a sum": kn.sum, "an element": lambda w: w[0], "a slice": lambda w: w[1:] * 1, "a view": lambda w: w.T + 0,
    "float": lambda w: float(w[0]), "tolist": lambda w: w.tolist(), "numpy": lambda w: w.numpy(), "np.asarray": np.asarray, "dlpack": np.from_dlpack,
    "an assignment": lambda w: w.__setitem__(slice(0, 1), 1), "a whole assignment": lambda w: w.__setitem__(..., 1), "a mask": lambda w: w[w > 0], "a product": lambda w: w @ w,
    "a copy": lambda w: w.copy(), "a gradient": kn.grad(lambda w: kn.sum(w * w)), "a batch": kn.vmap(lambda w: w * 2), "jit": kn.jit(lambda w: w * 2), "pickle": pickle.dumps,
    "where": lambda w: kn.where(kn.ones(4) > 0, w, 0), "concat": lambda w: kn.concat([w, w]), "donation": kn.jit(lambda w: w * 3, donate_argnums=0), "bytes": lambda w: w.tobytes()}


@pytest.mark.parametrize("use", USES)
def test_using_it_is_an_error(use):
    USES[use](ones(4))  # as it is compiled
    w = ones(4)
    view = w[1:]
    kn.jit(descend, donate_argnums=0)(w, ones(4))
    with pytest.raises(kn.TraceError, match=GONE) as caught:
        USES[use](w)
    assert "test_donation.py" in str(caught.value)
    with pytest.raises(kn.TraceError, match=GONE):
        view.tolist()
    assert w.shape == (4,) and w.dtype is kn.float32


@dataclasses.dataclass
class State:
    w: kn.Array
    m: kn.Array
    steps: int = 0


def test_trees_and_names():
    @kn.jit(donate_argnames="state")
    def step(state, x, scale=2.0):
        m = state.m * 0.5 + x
        return State(state.w - m * scale, m, state.steps), kn.sum(m)

    for _ in range(3):
        state = State(ones(3), ones(3), 4)
        w, m = state.w, state.m
        moved, total = step(state=state, x=ones(3))
        assert moved.w.tolist() == [-4.0] * 3 and moved.m.tolist() == [3.0] * 3 and moved.steps == 4 and float(total) == 9
        for x in (w, m):
            with pytest.raises(kn.TraceError, match="donated"):
                kn.sum(x)


def test_results_that_are_views_of_what_is_given():
    """The whole, a part, and one more result of its type."""
    f = kn.jit(lambda w: (w[1:], w * 2, w, w[::-1]), donate_argnums=0)
    for _ in range(3):
        w = kn.arange(4.0)
        part, double, same, back = f(w)
        assert part.tolist() == [1, 2, 3] and double.tolist() == [0, 2, 4, 6] and same.tolist() == [0, 1, 2, 3] and back.tolist() == [3, 2, 1, 0]
        with pytest.raises(kn.TraceError, match="donated"):
            w.tolist()
    g = kn.jit(lambda w: (w[1:], w * 2, w[::-1]), donate_argnums=0)
    for _ in range(3):
        part, double, back = g(kn.arange(4.0))
        assert part.tolist() == [1, 2, 3] and double.tolist() == [0, 2, 4, 6] and back.tolist() == [3, 2, 1, 0]


def test_other_shapes_and_dtypes_are_given_away_too():
    f = kn.jit(lambda w: (kn.sum(w), w.astype("float64")), donate_argnums=0)
    w = ones(8)
    total, wide = f(w)
    assert float(total) == 16 and wide.dtype is kn.float64
    with pytest.raises(kn.TraceError, match="donated"):
        w + 1


def test_exchanged_results():
    f = kn.jit(lambda a, b: (b * 1, a * 1, a + b), donate_argnums=(0, 1))
    for _ in range(3):
        a, b, c = f(kn.asarray([1.0, 2.0]), kn.asarray([3.0, 4.0]))
        assert a.tolist() == [3, 4] and b.tolist() == [1, 2] and c.tolist() == [4, 6]


def test_what_shares_memory_stays():
    f = kn.jit(descend, donate_argnums=0)
    whole, outside = kn.arange(6.0), np.ones(3, np.float32)
    seen = ones(3)
    array = seen.numpy()
    with pytest.warns(kn.KilnWarning, match="nothing of this call is donated"):
        assert f(whole[:3], kn.ones(3)).tolist() == [-0.5, 0.5, 1.5]
    assert f(kn.asarray(outside), kn.ones(3)).tolist() == [0.5] * 3 and f(seen, kn.ones(3)).tolist() == [1.5] * 3
    assert whole.tolist() == [0, 1, 2, 3, 4, 5] and outside.tolist() == [1, 1, 1] and array.tolist() == seen.tolist() == [2, 2, 2]


def test_copies_keep_their_values():
    f = kn.jit(descend, donate_argnums=0)
    w = ones(1000)
    kept = w.copy()
    f(w, kn.ones(1000))
    assert kept.tolist() == [2.0] * 1000


def test_twice():
    f, w = kn.jit(descend, donate_argnums=0), ones(3)
    for other in (w, w[::-1]):
        with pytest.raises(ValueError, match=re.escape("expected arrays that are given once, got two of one memory")):
            f(w, other)
    with pytest.raises(ValueError, match="given once"):
        kn.jit(lambda a, b: a + b, donate_argnums=(0, 1))(w, w)
    assert w.tolist() == [2, 2, 2]


def test_captured_elsewhere():
    """The call itself sees the values of before; then there are none."""
    w = ones(3)

    @kn.jit(donate_argnums=0)
    def f(x):
        return x * 2 + w, w * 1

    first, second = f(w)
    assert first.tolist() == [6, 6, 6] and second.tolist() == [2, 2, 2]
    with pytest.raises(kn.TraceError, match="donated to 'test_captured_elsewhere.<locals>.f'"):
        f(ones(3))
    w = ones(3)
    assert f(ones(3))[0].tolist() == [6, 6, 6]


def test_a_call_that_raises_gives_nothing_away():
    f = kn.jit(lambda w, i: kn.take(w, i), donate_argnums=0)
    w = ones(3)
    for _ in range(3):
        with pytest.raises(IndexError):
            f(w, kn.asarray([7]))
        assert w.tolist() == [2, 2, 2]


def test_inside_of_other_functions():
    f = kn.jit(descend, donate_argnums=0)

    def outer(w):
        return f(w, w * 1) * 2

    jitted = kn.jit(outer)
    for _ in range(3):
        assert jitted(ones(3)).tolist() == [2, 2, 2]
    w = ones(3)
    assert kn.grad(lambda w: kn.sum(f(w, w * w)))(w).tolist() == [-1, -1, -1]
    assert kn.vmap(lambda w: f(w, w))(w).tolist() == [1, 1, 1]


class Trainer:
    rate = 0.5

    @kn.jit(donate_argnums=1)
    def step(self, w):
        return w * self.rate


def test_methods_partials_and_options():
    trainer, w = Trainer(), ones(3)
    assert trainer.step(w).tolist() == [1, 1, 1]
    with pytest.raises(kn.TraceError, match="Trainer.step"):
        w + 1
    f = kn.jit(lambda w, n: w * n, donate_argnums=-2, static_argnums=1)
    assert f(ones(2), 3).tolist() == [6, 6] and repr(f).startswith("<jitted function")
    assert "multiply" in f.lower(ones(2), 3).ir() and f.stats.calls == 1 and "variant" in str(f.explain())
    with kn.disable_jit():
        w = ones(2)
        assert f(w, 3).tolist() == [6, 6]
        with pytest.raises(kn.TraceError, match="donated"):
            w + 1
    for options, message in (({"donate_argnums": 2}, "donate_argnums: expected positions among 2 arguments, got 2"), ({"donate_argnames": "z"}, "donate_argnames: expected names among w, n, got 'z'"),
                             ({"donate_argnums": 0, "static_argnames": "w"}, "expected arguments that are not static")):
        with pytest.raises(ValueError, match=re.escape(message)):
            kn.jit(lambda w, n: w * n, **options)


def test_a_step_with_a_gradient():
    def loss(w, x):
        return kn.sum(kn.tanh(x @ w) ** 2)

    step = kn.jit(lambda w, x: w - 0.1 * kn.grad(loss)(w, x), donate_argnums=0)
    w, x = kn.ones(4), kn.asarray(np.random.default_rng(0).normal(size=(8, 4)).astype(np.float32))
    plain = w.copy()
    for _ in range(5):
        w, plain = step(w, x), plain - 0.1 * kn.grad(loss)(plain, x)
        same_bits(w, plain)
