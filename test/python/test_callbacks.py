"""kn.pure_callback: functions of Python in eager, compiled code and transforms."""
import gc
import subprocess
import sys
import threading
import traceback
import warnings

import numpy as np
import pytest

import kiln as kn
from conftest import same_bits

S = kn.ShapeDtypeStruct
WEIGHT = kn.asarray(np.arange(4, dtype="f"))


@pytest.fixture(autouse=True)
def no_warnings():
    with warnings.catch_warnings():
        warnings.simplefilter("error", kn.KilnWarning)
        yield


def rows(*shape):
    return kn.asarray(np.random.default_rng(0).normal(size=shape).astype("f"))


def like(x):
    return S(x.shape, x.dtype)


def twice(f, *args):
    """The results of a jitted function, recorded and then compiled, are those of eager."""
    jitted, want = kn.jit(f), f(*args)
    for _ in range(3):
        for a, b in zip(kn.tree.leaves(jitted(*args)), kn.tree.leaves(want)):
            same_bits(a, b)
    return jitted


def total(v):
    return np.cumsum(v.numpy(), axis=-1)


def summed(x):
    return kn.pure_callback(total, like(x), x * 2) + 1


def test_eager_and_jit():
    x = rows(3, 4)
    same_bits(summed(x), np.cumsum(x.numpy() * 2, axis=-1) + 1)
    explained = str(twice(summed, x).explain())
    assert "runs in eager" not in explained and "custom" in explained, explained
    f = kn.jit(summed)
    for view in (x, x.T, x[:, 1:3], x[0:0], x[1]):
        for _ in range(2):
            same_bits(f(view), summed(view))


def test_lambdas_builtins_and_numpy():
    x = rows(3, 4)
    twice(lambda x: kn.pure_callback(lambda v: np.cos(v.numpy()), like(x), x), x)
    twice(lambda x: kn.pure_callback(lambda v: WEIGHT.numpy() * v.numpy(), like(x), x), x)
    twice(lambda x: kn.pure_callback(np.negative, like(x), x), x)
    twice(lambda x: kn.pure_callback(float, S((), kn.float32), x[0, 0]), x)
    twice(lambda x: kn.pure_callback(lambda: 3, S((), kn.int8)), x)


def test_trees_and_keywords():
    def f(x):
        def both(d, *, scale, more):
            v = d["v"].numpy() * scale.numpy()
            return {"a": v, "b": (v.sum(), [kn.asarray(v[0]) + more[0]])}
        types = {"a": like(x), "b": (S((), kn.float32), [S((4,), kn.float32)])}
        return kn.pure_callback(both, types, {"v": x}, scale=2.0, more=(x[1],))
    x = rows(3, 4)
    got = f(x)
    assert np.allclose(got["a"].numpy(), x.numpy() * 2) and got["b"][1][0].shape == (4,)
    assert "runs in eager" not in str(twice(f, x).explain())
    assert kn.pure_callback(lambda x: None, None, x) is None


@pytest.mark.parametrize("name", [d.name for d in kn._dtypes.ALL])
def test_all_dtypes(name):
    x = kn.astype(kn.asarray([[0, 1], [2, 3]]), getattr(kn, name))
    twice(lambda x: kn.pure_callback(lambda v: kn.flip(v), like(x), x), x)


def test_what_is_read_is_read_by_each_call():
    """A callback is called anew: what it reads is no part of a recording."""
    seen = {"n": 1.0}
    f = kn.jit(lambda x: kn.pure_callback(lambda v: v.numpy() * np.float32(seen["n"]), like(x), x))
    x = rows(4)
    f(x), f(x)
    seen["n"] = 3.0
    same_bits(f(x), x * 3)


CALLBACK = total


def test_another_function_under_the_name():
    global CALLBACK
    f, x = kn.jit(lambda x: kn.pure_callback(CALLBACK, like(x), x)), rows(4)
    f(x), f(x)
    CALLBACK = lambda v: -v.numpy()  # noqa: E731
    same_bits(f(x), -x)
    same_bits(f(x), -x)
    CALLBACK = total
    same_bits(f(x), np.cumsum(x.numpy()))


def test_variables_of_the_call_keep_it_in_eager():
    def f(x, n):
        return kn.pure_callback(lambda v: v.numpy() * np.float32(n), like(x), x)
    g, x = kn.jit(f), rows(4)
    with pytest.warns(kn.KilnWarning, match="gives a callback that reads variables of the call: give them as its arguments"):
        same_bits(g(x, 2), x * 2)
    same_bits(g(x, 3), x * 3)


def fails(v):
    if float(v[0]) > 1:
        raise KeyError("mine")
    return v


def test_exceptions_are_those_of_the_callback():
    f = kn.jit(lambda x: kn.pure_callback(fails, like(x), x) * 2)
    x = kn.ones(3)
    f(x), f(x)
    for call in (lambda x: kn.pure_callback(fails, like(x), x), f, f, kn.jit(lambda x: kn.pure_callback(fails, like(x), x))):
        with pytest.raises(KeyError, match="mine") as raised:
            call(x * 2)
        assert [frame.name for frame in traceback.extract_tb(raised.tb)][-1] == "fails"
        assert raised.value.__context__ is None
    same_bits(f(x), x * 2)
    with kn.config.override(jit="off"), pytest.raises(KeyError):
        f(x * 2)


@pytest.mark.parametrize("handler", ["default_int_handler", "SIG_IGN"])
def test_interrupts_are_not_lost(handler):
    code = f"import signal; signal.signal(signal.SIGINT, signal.{handler})" + """
import kiln as kn
armed = [False]
def interrupts(v):
    if armed[0]:
        armed[0] = False
        raise KeyboardInterrupt
    return v
kn.config.jit = "sync"
f = kn.jit(lambda x: kn.pure_callback(interrupts, x, x) + 1)
x = kn.ones(3)
f(x), f(x)
armed[0] = True
try:
    f(x)
    print("went on")
except KeyboardInterrupt:
    print("interrupted", f(x).tolist())
"""
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "interrupted [2.0, 2.0, 2.0]\n"


def test_wrong_results():
    x = rows(3)
    for call in (lambda f, t: f(t), lambda f, t: kn.jit(lambda x: f(t))(x)):
        with pytest.raises(kn.ShapeError, match=r"pure_callback '.*': shape of result 0: expected \(3,\), got \(2,\)"):
            call(lambda t: kn.pure_callback(lambda v: v[:2], t, x), like(x))
        with pytest.raises(kn.DTypeError, match="pure_callback '.*': dtype of result 0: expected float32, got float64"):
            call(lambda t: kn.pure_callback(lambda v: v.numpy().astype("d"), t, x), like(x))
        with pytest.raises(kn.KilnError, match="pure_callback '.*': structure of the result: expected .*, got"):
            call(lambda t: kn.pure_callback(lambda v: (v, v), t, x), like(x))


def test_wrong_arguments():
    x = rows(3)
    with pytest.raises(kn.TraceError, match="pure_callback: expected a function, got int"):
        kn.pure_callback(3, like(x), x)
    with pytest.raises(kn.KilnError, match="vmap_method: expected one of sequential, expand_dims, broadcast_all, got 'all'"):
        kn.pure_callback(total, like(x), x, vmap_method="all")
    with pytest.raises(kn.KilnError, match="result_shape_dtypes: expected a tree of kn.ShapeDtypeStruct or arrays, got a int"):
        kn.pure_callback(total, 3, x)
    with pytest.raises(kn.TraceError, match="pure_callback: arguments: expected trees of arrays and numbers, got str"):
        kn.pure_callback(total, like(x), "x")


def test_arguments_are_its_own():
    def writes(v):
        kept.append(v)
        v[...] = 0
        return v
    kept, x = [], rows(3)
    before = x.tolist()
    assert kn.pure_callback(writes, like(x), x).tolist() == [0, 0, 0] and x.tolist() == before
    f = kn.jit(lambda x: kn.pure_callback(writes, like(x), x) + x)
    for _ in range(3):
        assert f(x).tolist() == before and x.tolist() == before
    assert all(v.tolist() == [0, 0, 0] for v in kept)


@pytest.mark.parametrize("method", ["sequential", "expand_dims", "broadcast_all"])
def test_batches(method):
    shapes = []

    def one(v, w):
        shapes.append((v.shape, w.shape))
        return np.cumsum(v.numpy(), axis=-1) + w.numpy()

    def f(v, w):
        return kn.pure_callback(one, like(v), v, w, vmap_method=method)
    x, w = rows(3, 4), rows(4)
    want = np.cumsum(x.numpy(), axis=-1) + w.numpy()
    batched = kn.vmap(f, in_axes=(0, None))
    same_bits(batched(x, w), want)
    assert shapes == {"sequential": [((4,), (4,))] * 3, "expand_dims": [((3, 4), (1, 4))], "broadcast_all": [((3, 4), (3, 4))]}[method]
    twice(batched, x, w)
    both = kn.vmap(batched, in_axes=(0, None))
    same_bits(both(kn.stack([x, -x]), w)[1], np.cumsum(-x.numpy(), axis=-1) + w.numpy())
    with pytest.raises(kn.KilnError, match="pure_callback 'total': vmap: expected a method for batches"):
        kn.vmap(summed)(x)


def test_gradients_are_given():
    @kn.custom_vjp
    def sine(v):
        return kn.pure_callback(lambda v: np.sin(v.numpy()), like(v), v, vmap_method="sequential")
    sine.defvjp(lambda v: (sine(v), v), lambda v, ct: (ct * kn.cos(v),))
    x, g = rows(3, 4), kn.grad(lambda v: kn.sum(sine(v)))
    assert np.allclose(g(x).numpy(), np.cos(x.numpy()))
    assert "runs in eager" not in str(twice(g, x).explain())
    assert np.allclose(kn.vmap(g)(x).numpy(), np.cos(x.numpy()))

    @kn.custom_jvp
    def cube(v):
        return kn.pure_callback(lambda v: v.numpy() ** 3, like(v), v)
    cube.defjvp(lambda p, t: (cube(p[0]), 3 * p[0] * p[0] * t[0]))
    assert np.allclose(kn.jvp(cube, (x,), (x,))[1].numpy(), 3 * x.numpy() ** 3, rtol=1e-4)
    assert np.allclose(kn.grad(lambda v: kn.sum(cube(v)))(x).numpy(), 3 * x.numpy() ** 2, rtol=1e-4)
    same_bits(kn.grad(lambda v: kn.sum(kn.stop_gradient(summed(v)) * v))(x), summed(x))
    with pytest.raises(kn.KilnError, match="pure_callback 'total': gradient: expected a rule, got none: give one by kn.custom_vjp"):
        kn.grad(lambda v: kn.sum(summed(v)))(x)
    with pytest.raises(kn.KilnError, match="pure_callback 'total': derivative: expected a rule, got none: give one by kn.custom_jvp"):
        kn.jvp(summed, (x,), (x,))


def test_loops_and_branches():
    x = rows(4)
    twice(lambda x: kn.scan(lambda c, _: (kn.pure_callback(lambda v: v.numpy() * 2, like(c), c), c[0]), x, None, length=3), x)
    twice(lambda x: kn.cond(x[0] > 0, lambda x: kn.pure_callback(total, like(x), x), lambda x: -x, x), x)


INNER = kn.jit(lambda v: kn.exp(v) @ kn.ones((4, 4)))


def test_callbacks_that_call_kiln():
    """The memory of the program that calls is not that of the one that is called."""
    x = rows(3, 4)
    f = twice(lambda x: (kn.exp(x) @ kn.ones((4, 4))) + kn.pure_callback(lambda v: INNER(v) + 1, like(x), x) + (kn.exp(x) @ kn.ones((4, 4))), x)
    nested = twice(lambda x: kn.pure_callback(lambda v: f(v) * 2, like(x), x), x)
    twice(lambda x: kn.pure_callback(lambda v: kn.grad(lambda v: kn.sum(kn.sin(v)))(v), like(x), x), x)
    same_bits(nested(x), f(x) * 2)


def test_threads():
    x, wrong = rows(200, 200), []
    f = kn.jit(lambda x: kn.pure_callback(lambda v: v.numpy() * 2, like(x), x * 3) + 1)
    want = f(x).numpy()

    def work():
        for _ in range(20):
            wrong.extend([] if np.array_equal(f(x).numpy(), want) else [1])
    threads = [threading.Thread(target=work) for _ in range(4)]
    [t.start() for t in threads]
    [t.join() for t in threads]
    assert not wrong


def test_is_not_exported(tmp_path):
    for name in ("m.kiln", "libm.so"):
        with pytest.raises(kn.TraceError, match="export: expected operations that need no Python, got a pure_callback"):
            kn.export(summed, rows(3), to=tmp_path / name)


def test_another_process_finds_the_program(tmp_path):
    code = "import kiln as kn\nkn.config.jit = 'sync'\nf = kn.jit(lambda x: kn.pure_callback(lambda v: v.numpy() {}, x, x) + 1)\nx = kn.ones(3)\nf(x)\nprint(f(x).tolist())"
    for what, want in (("* 2", 3.0), ("* 4", 5.0)):
        found = subprocess.run([sys.executable, "-c", code.format(what)], capture_output=True, text=True, check=True, env={**__import__("os").environ, "KILN_CACHE_DIR": str(tmp_path)})
        assert found.stdout == f"{[want] * 3}\n"


def test_eager_calls_keep_nothing():
    from kiln import _callbacks
    x, before = rows(3), len(_callbacks._forms)
    for n in range(20):
        kn.pure_callback(lambda v, n=n: v.numpy() * np.float32(n), like(x), x)
    gc.collect()
    assert len(_callbacks._forms) == before


def test_one_program_for_any_size():
    f = kn.jit(lambda x: kn.pure_callback(lambda v: np.cumsum(v.numpy()), S((x.size,), x.dtype), x) * 2)
    with kn.config.override(cache=False):
        [f(rows(n, 2)) for n in (5, 6, 7, 100)]
    assert str(f.explain()).startswith("test_one_program_for_any_size.<locals>.<lambda>: 4 calls, 4 variants, 2 compiled"), f.explain()
    for n in (5, 6, 7, 100):
        same_bits(f(rows(n, 2)), np.cumsum(rows(n, 2).numpy()) * 2)
