"""Programs that an unrolled loop makes: the time to compile them grows with their length, not faster, and no length ends the process."""
import os
import time
import timeit

import pytest

import kiln as kn
from conftest import same_bits


def reused(n, x):
    for _ in range(n):
        x = x + x * 0.5
    return x


def reused_and_summed(n, x):
    return kn.sum(reused(n, x))


def sums(n, x):
    for _ in range(n):
        x = x * (1 - x)
        x = x / (kn.sum(x) + 3)
    return x


def sums_of_rows(n, x):
    y = x * x[:, None]
    for _ in range(n):
        y = y / (kn.sum(y * (2 - y), axis=1, keepdims=True) + 3)
    return y


def sums_of_columns(n, x):
    y = x * x[:, None]
    for _ in range(n):
        y = y / (kn.sum(y * (2 - y), axis=0) + 3)
    return y


def softmaxes(n, x):
    for _ in range(n):
        x = kn.exp(x - kn.max(x))
        x = x / kn.sum(x)
    return x


def residuals(n, x):
    for _ in range(n):
        x = x - 0.1 * kn.sqrt(kn.sum(x * x)) * x
    return x


def scalars(n, x):
    t = kn.sum(x)
    for i in range(n):
        t = t * 1.0001 + 0.5 if i % 2 else t - 0.25
    return t


def scalar_functions(n, x):
    t = kn.sum(x)
    for _ in range(n):
        t = kn.tanh(t) * 0.5 + t * t
    return x * t


def kernels(n, x):
    for i in range(n):
        x = kn.concat([x[1:] * (i + 0.5), x[:1]])
    return x


def equal_kernels(n, x):
    for _ in range(n):
        x = kn.concat([x[1:] * 0.5, x[:1]])
    return x


def writes(n, x):
    x = x * 1
    for i in range(n):
        x[i % 60] = x[i % 60] * 0.5 + x[(i * 7) % 60]
    return x


def readers(n, x):
    return [kn.sum(x * (i + 0.5)) for i in range(n)]


def moves(n, x):
    for i in range(n):
        x = kn.flip(kn.broadcast_to(x, (2, 64))[:, ::-1], axis=1)[0, :] if i % 2 else kn.reshape(x, (1, 64))[0]
    return x * 2


CHAINS = [(reused, 250), (reused_and_summed, 250), (sums, 20), (sums_of_rows, 20), (sums_of_columns, 20), (softmaxes, 20), (residuals, 20), (scalars, 1000),
          (scalar_functions, 100), (kernels, 300), (equal_kernels, 300), (writes, 100), (readers, 50), (moves, 200)]


def first_call(program, n, x):
    """The seconds of processors that the first call takes, of which a thread of its own compiles; what it gives is what eager gives."""
    def run(x):
        return program(n, x)

    jitted, start = kn.jit(run, dynamic=False), time.process_time()
    got = jitted(x)
    taken = time.process_time() - start
    want = program(n, x)
    for g, w in zip(got, want) if isinstance(want, list) else [(got, want)]:
        same_bits(g, w)
    assert jitted.stats.tier == 1
    return taken, jitted


@pytest.mark.parametrize("program, n", CHAINS, ids=[c[0].__name__ for c in CHAINS])
def test_chains_compile_in_linear_time(program, n):
    x = kn.linspace(0.1, 0.9, 64)
    with kn.config.override(jit="sync", cache=False):
        first_call(program, 2, x)
        short, middle, long = (first_call(program, k, x)[0] for k in (n, 2 * n, 4 * n))
    # Four times the length takes four times as long; what is less than a tenth of a second may be noise.
    assert long < 2.7 * max(middle, 0.1) and long < 7 * max(short, 0.1), (short, middle, long)


@pytest.mark.parametrize("program, n", [(scalars, 100_000), (reused, 5_000), (reused_and_summed, 5_000), (kernels, 1_000), (sums, 500), (scalar_functions, 3_000)])
def test_long_programs_compile(program, n):
    with kn.config.override(jit="sync", cache=False):
        taken, _ = first_call(program, n, kn.linspace(0.1, 0.9, 64))
    assert taken < 30, taken


def test_long_arithmetic_of_scalars_is_done_once():
    """Not in the kernel of each array that reads it, where it would be done for each element."""
    def f(a, b):
        t = 0.0
        for i in range(60):
            t += kn.tanh(a[i * i % 60, i])  # no loop: positions without a rule
        return a + t, b * t, kn.sum(b, axis=1) * t

    a, b = kn.linspace(0, 1, 3600).reshape((60, 60)), kn.linspace(0, 2, 400).reshape((20, 20))
    with kn.config.override(jit="sync"):
        jitted = kn.jit(f)
        for got, want in zip(jitted(a, b), f(a, b)):
            same_bits(got, want)
        listed = [[op for op, _ in k["ops"]] for k in jitted.explain().kernels()]
    assert sum(ops.count("tanh") for ops in listed) == 60, listed
    assert all("tanh" not in ops for ops in listed if set(ops) & {"broadcast", "sum"})


def test_short_arithmetic_of_scalars_is_done_where_it_is_read():
    def f(x, a, b):
        scale = a * 2 / (b + 1)
        return x * scale - kn.sum(x) * scale

    x, a, b = kn.linspace(0, 1, 50), kn.asarray(3.0), kn.asarray(2.0)
    with kn.config.override(jit="sync"):
        jitted = kn.jit(f)
        same_bits(jitted(x, a, b), f(x, a, b))
        assert jitted.stats.kernels == 1


def test_moves_are_not_followed_without_end():
    x = kn.linspace(0.1, 0.9, 64)
    with kn.config.override(jit="sync", cache=False):
        first_call(moves, 5_000, x)


@pytest.mark.parametrize("mode", ["sync", "auto"])
def test_a_program_that_takes_too_long_runs_without_code(mode, monkeypatch):
    """With a note, and without another try."""
    def f(x):
        return kernels(1500, x)

    seconds = {"sync": "0.05", "auto": "0.06"}[mode]  # a note is given once
    monkeypatch.setenv("KILN_COMPILE_SECONDS", seconds)
    x = kn.linspace(0.1, 0.9, 64)
    with kn.config.override(jit=mode, cache=False):
        jitted = kn.jit(f)
        with pytest.warns(kn.KilnWarning, match=f"expected at most {seconds} seconds to compile it .calls run operation by operation"):  # negative
            end = time.monotonic() + 60
            while not (v := jitted.explain().variants) or (v[0]["state"] != "failed" and time.monotonic() < end):
                same_bits(jitted(x), f(x))
            jitted(x)
        monkeypatch.delenv("KILN_COMPILE_SECONDS")
        start = time.thread_time()
        same_bits(jitted(x), f(x))
        assert time.thread_time() - start < 1 and jitted.stats.tier == 0


@pytest.mark.filterwarnings("ignore::kiln.KilnWarning")
@pytest.mark.parametrize("mode", ["sync", "auto"])
def test_what_has_no_code_is_not_slower_than_eager(mode, monkeypatch):
    """It is run op by op and as it is written, in turns, and then as what takes less."""
    def f(x):
        return x * 1.25 + 0.375

    monkeypatch.setenv("KILN_COMPILE_SECONDS", "1e-6")
    x = kn.linspace(0.1, 0.9, 10)
    with kn.config.override(jit=mode, cache=False):
        jitted = kn.jit(f)
        end = time.monotonic() + 30
        while not (v := jitted.explain().variants) or (v[0]["state"] != "failed" and not v[0]["eager"] and time.monotonic() < end):
            same_bits(jitted(x), f(x))
        for _ in range(200):
            same_bits(jitted(x), f(x))
        times = [min(timeit.repeat(lambda: g(x), number=2000, repeat=9)) for g in (jitted, f)]  # noqa: B023
    assert jitted.stats.tier == 0
    assert times[0] < 4 * times[1] or "KILN_SANITIZED" in os.environ  # with a key it takes 5 to 7 times as long


def uses(x, i):
    """Views and what is read through them, values that are read several times, arguments and views among the results."""
    rows = x[:, None] * x[None, :]
    low, mean = rows[1:, ::2], kn.mean(rows, axis=1, keepdims=True)
    apart = rows - mean
    apart[0] = low[0, 0]
    turned = kn.permute_dims(apart, (1, 0))
    return turned, low + mean[1:], kn.reshape(apart, (-1,))[3:9], kn.take(x, i), x, mean


@pytest.mark.filterwarnings("ignore::kiln.KilnWarning")
@pytest.mark.parametrize("varies", [False, True])  # whether calls have other sizes
def test_plain_calls_of_what_has_no_code(varies, monkeypatch, rng):
    """The same as eager on call after call: the recording is read once, and the calls have no key after some time."""
    monkeypatch.setenv("KILN_COMPILE_SECONDS", "1e-6")
    functions = [(uses, 6), (lambda x, i: kn.take(x, i) * 2, 1), (lambda x, i: (kn.sum(x), kn.max(x)), 2), (lambda x, i: x[::-1], 1)]
    with kn.config.override(jit="sync", cache=False):
        for f, results in functions:
            jitted = kn.jit(f)
            for n in (9, 5, 9) * 40 if varies else (9,) * 120:
                x, i = kn.asarray(rng.random(n)), kn.asarray(rng.integers(0, n, 4))
                found, wanted = jitted(x, i), f(x, i)
                for a, b in zip(found, wanted) if results > 1 else [(found, wanted)]:
                    same_bits(a, b)
            assert jitted.stats.tier == 0
    jitted = kn.jit(functions[1][0])
    x = kn.ones(5)
    for bad in (0, 0, 7) * 30:
        if bad:
            with pytest.raises(IndexError, match="got one outside"):  # negative
                jitted(x, kn.asarray([bad]))
        else:
            same_bits(jitted(x, kn.asarray([bad])), x[:1] * 2)


@pytest.mark.filterwarnings("ignore::kiln.KilnWarning")
def test_a_call_takes_time_linear_in_its_questions():
    def f(x, most):
        k = 0
        while kn.max(x) > -1 and k < most:
            k += 1
        return x + k

    jitted, x = kn.jit(f), kn.linspace(0.1, 0.9, 4)
    for most in (2, 3, 4):  # from here on any number
        jitted(x, most)

    def seconds(most):
        start = time.process_time()
        same_bits(jitted(x, most), f(x, most))
        return time.process_time() - start

    assert seconds(40_000) < 50 * max(seconds(4_000), 1e-3)  # 10 times as many; quadratic: 100


@pytest.mark.parametrize("wrap", [lambda x: x, lambda x: [x]], ids=["arrays", "lists"])
def test_a_call_takes_time_linear_in_its_arguments(wrap):
    f = kn.jit(lambda items: len(items))

    def seconds(n):
        items = [wrap(kn.ones(2)) for _ in range(n)]
        f(items)
        start = time.process_time()
        f(items)
        return time.process_time() - start

    assert seconds(40_000) < 50 * max(seconds(4_000), 1e-3)  # 10 times as many; quadratic: 100
