"""A training step in plain Python as one unit: parameters where they live, written in place, and memory that stays what it is. ``KILN_SOAK=1`` takes a million steps."""
import os
import resource

import numpy as np
import pytest

import kiln as kn
from conftest import frames_of, same_bits

STEPS = 1_000_000 if os.environ.get("KILN_SOAK", "0") != "0" else 20_000


class Model:
    def __init__(self, w):
        self.w = w
        self.lr = 0.1


@pytest.fixture
def data(rng):
    return kn.asarray(rng.normal(size=(8, 3)).astype(np.float32)), kn.asarray(rng.normal(size=8).astype(np.float32))


def training_of(m):
    def step(x, y):
        loss, g = kn.value_and_grad(lambda w: kn.mean((x @ w - y) ** 2))(m.w)
        m.w -= m.lr * g
        return loss

    return step


def resident():
    """Bytes of the process that are in memory."""
    with open("/proc/self/statm") as f:
        return int(f.read().split()[1]) * resource.getpagesize()


def test_writes_through_views():
    x = kn.zeros((3, 4))
    row = x[1]
    row += 5
    assert float(x[1, 0]) == 5


def test_a_step_is_one_unit(data):
    m, other = Model(kn.ones(3)), Model(kn.ones(3))
    step, eager, w = kn.jit(training_of(m), on_miss="raise"), training_of(other), m.w
    memory = np.asarray(w).ctypes.data
    for trip in range(4):
        want = eager(*data)
        got = []
        seen = frames_of(lambda: got.append(step(*data)))
        same_bits(got[0], want)
        same_bits(m.w, other.w)
        assert m.w is w and np.asarray(w).ctypes.data == memory
        assert trip == 0 or not seen, seen
    variant, = step.explain().variants
    assert step.stats.segments == step.stats.misses == 1 and not variant["eager"] and len(variant["steps"]) == 1
    assert "Python" not in str(step.explain()) and step.stats.tier == 1


def test_a_rate_is_a_guard_and_then_an_input(data):
    m, other = Model(kn.ones(3)), Model(kn.ones(3))
    step, eager = kn.jit(training_of(m)), training_of(other)
    for _ in range(8):
        m.lr = other.lr = m.lr * 0.5
        same_bits(step(*data), eager(*data))
        same_bits(m.w, other.w)
    assert step.stats.misses == 3
    m.w, other.w = kn.ones(3) * 2, kn.ones(3) * 2                # the place is read at each call
    same_bits(step(*data), eager(*data))
    same_bits(m.w, other.w)


def test_memory_stays_what_it_is(data):
    m = Model(kn.ones(3))
    step = kn.jit(training_of(m))

    def run(count):
        for _ in range(count):
            step(*data)

    run(2_000)
    before, arrays = resident(), kn.memory_stats().in_use
    run(STEPS)
    assert resident() - before < 2 << 20 and kn.memory_stats().in_use == arrays
    assert step.stats.misses == 1
