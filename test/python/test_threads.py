"""Loops shared between threads: the same bits for any number of them, and a pool that survives forks and crowds."""
import os
import subprocess
import sys
import threading

import numpy as np
import pytest

import kiln as kn
from conftest import same_bits


@pytest.fixture
def restored():
    yield
    kn.set_num_threads(0)


PROGRAMS = {
    "elementwise": lambda x, m: kn.exp(x) * 2 + 1, "views": lambda x, m: m[:, :301].T + m[::-1, :301], "rows": lambda x, m: kn.sum(m, axis=1), "columns": lambda x, m: kn.sum(m, axis=0),
    "softmax": lambda x, m: kn.softmax(m, axis=1), "product": lambda x, m: m[:, :301] @ m, "transposed": lambda x, m: m.T @ m[:, :100], "scan": lambda x, m: kn.cumulative_sum(m, axis=1),
    "columns scanned": lambda x, m: kn.cumulative_sum(m, axis=0), "sort": lambda x, m: kn.sort(m, axis=1), "parts": lambda x, m: kn.concat([m, m * 2], axis=1), "sin": lambda x, m: kn.sin(x * 1e6),
    "gather": lambda x, m: kn.take(m, kn.arange(400) % 300, axis=0), "argmax": lambda x, m: kn.argmax(m, axis=0), "integers": lambda x, m: kn.astype(x * 100, kn.int32) // 7,
    "convolution": lambda x, m: kn.convolution(kn.reshape(m, (1, 301, 407, 1)), kn.ones((3, 3, 1, 4))), "whole": lambda x, m: kn.sum(x), "lines": lambda x, m: kn.max(m - kn.mean(m, axis=1, keepdims=True), axis=1),
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_same_bits_for_any_number(name, rng, restored):
    x, m = kn.asarray(rng.normal(size=100_003).astype("f")), kn.asarray(rng.normal(size=(301, 407)).astype("f"))
    program, jitted = PROGRAMS[name], kn.jit(PROGRAMS[name])
    kn.set_num_threads(1)
    want = program(x, m)
    for count in (1, 2, 5):
        kn.set_num_threads(count)
        same_bits(program(x, m), want)
        same_bits(jitted(x, m), want)
    assert not jitted.explain().variants[0]["eager"]


def test_the_number(restored):
    assert kn.get_num_threads() >= 1
    kn.set_num_threads(3)
    assert kn.get_num_threads() == 3
    for bad, kind in ((-1, ValueError), (5000, ValueError), ("two", TypeError), ((1, 2), TypeError)):
        with pytest.raises(kind, match="set_num_threads"):
            kn.set_num_threads(bad)
    assert kn.get_num_threads() == 3
    out = subprocess.run([sys.executable, "-c", "import kiln; print(kiln.get_num_threads())"], env={**os.environ, "KILN_NUM_THREADS": "7"}, capture_output=True, text=True)
    assert out.stdout.strip() == "7", out.stderr
    for text in ("two", "0", "-1", "2000"):  # negative
        out = subprocess.run([sys.executable, "-c", "import kiln"], env={**os.environ, "KILN_NUM_THREADS": text}, capture_output=True, text=True)
        assert f"KILN_NUM_THREADS: threads: expected 1 to 1024, got '{text}'" in out.stderr, out.stderr


def test_a_fork_gets_a_pool_of_its_own(rng, restored):
    kn.set_num_threads(4)
    m = kn.asarray(rng.normal(size=(300, 300)).astype("f"))
    want = kn.exp(m @ m)
    for _ in range(5):
        child = os.fork()
        if child == 0:
            os._exit(0 if np.array_equal(kn.exp(m @ m).numpy(), want.numpy(), equal_nan=True) else 1)
        assert os.waitpid(child, 0)[1] == 0


def test_many_callers_at_once(rng, restored):
    kn.set_num_threads(4)
    m = kn.asarray(rng.normal(size=(300, 400)).astype("f"))
    jitted = kn.jit(lambda m: kn.sum(kn.tanh(m.T @ m), axis=1))
    want, wrong = jitted(m).numpy(), []

    def work():
        for _ in range(30):
            if not np.array_equal(jitted(m).numpy(), want):
                wrong.append(1)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert not wrong
