"""Functions of few elements that the native part computes at once, or that become code in a loop: the bits of the usual way."""
import inspect
import re
import warnings

import numpy as np
import pytest

import kiln as kn
from conftest import frames_of, same_bits
from kiln import _core, _fused

DRAWS = {
    "random": lambda g, size, dtype: g.random(size, dtype), "normal": lambda g, size, dtype: g.normal(size=size, dtype=dtype),
    "normal, moved": lambda g, size, dtype: g.normal(-1.5, 3, size, dtype), "standard_normal": lambda g, size, dtype: g.standard_normal(size, dtype),
    "exponential": lambda g, size, dtype: g.exponential(size=size, dtype=dtype), "exponential, moved": lambda g, size, dtype: g.exponential(0.3, size, dtype),
    "standard_exponential": lambda g, size, dtype: g.standard_exponential(size, dtype), "uniform": lambda g, size, dtype: g.uniform(-1, 2.5, size, dtype),
    "bits": lambda g, size, dtype: g.bits(size), "integers": lambda g, size, dtype: g.integers(-3, 1000, size), "integers below": lambda g, size, dtype: g.integers(7, size=size, dtype=kn.int64),
    "gamma": lambda g, size, dtype: g.gamma(2.5, size=size, dtype=dtype),
}


def usual(monkeypatch, *names):
    """The native part has nothing for few elements."""
    for name in names:
        monkeypatch.setattr(_core, name, lambda *args: None)


@pytest.mark.parametrize("dtype", [None, "float32", kn.float64])
@pytest.mark.parametrize("size", [None, 1, 2, 10, 63, 64, 65, 0, (), (3, 5), (8, 8), (2, 0), [3, 2]], ids=str)
@pytest.mark.parametrize("name", DRAWS)
def test_few_random_numbers(name, size, dtype, monkeypatch):
    few, many = kn.random.default_rng(5), kn.random.default_rng(5)
    found = [DRAWS[name](few, size, dtype) for _ in range(2)]
    usual(monkeypatch, "draw_few")
    for x in found:
        same_bits(x, DRAWS[name](many, size, dtype))
    same_bits(few.state, many.state)


def test_draws_of_recordings_are_those_of_eager():
    g, h = kn.random.default_rng(1), kn.random.default_rng(1)
    drawn = kn.jit(lambda g: (g.random(10), g.normal(size=3), g.integers(0, 10, 5)))
    for _ in range(3):
        for x, y in zip(drawn(g), (h.random(10), h.normal(size=3), h.integers(0, 10, 5))):
            same_bits(x, y)
    same_bits(g.state, h.state)


def test_a_state_that_others_hold_is_not_written():
    g = kn.random.default_rng(1)
    before = kn.copy(g.state)
    view, values = g.state[:], g.random(4)
    assert view.tolist() == g.state.tolist() != before.tolist()
    copied = kn.copy(g.state)
    g.random(4)
    assert copied.tolist() != g.state.tolist()
    g.state[...] = before
    same_bits(g.random(4), values)


def test_what_is_wrong_with_a_draw_is_said_as_before():
    g = kn.random.default_rng(1)
    for call, kind, text in ((lambda: g.random(3, "int32"), kn.DTypeError, "random: dtype: expected float32 or float64, got int32"), (lambda: g.normal(size=3, dtype="float16"), kn.DTypeError, "got float16"),
                             (lambda: g.integers(5, 5, 3), ValueError, "expected one above 5, got 5\n  at test_few.py"), (lambda: g.normal("a", 1.0, 3), Exception, "got str"),
                             (lambda: g.normal(1.0, None, 3), Exception, "got NoneType"), (lambda: g.random(-1), OverflowError, "out of bounds")):
        with pytest.raises(kind, match=text):
            call()
    assert g.normal(np.float64(2), 1e-30, 3).shape == (3,)


def test_numbers_of_few_need_few_frames():
    kn.random.seed(0)
    assert frames_of(lambda: kn.random.random(10)) == ["random", "shared", "random"]


COUNTED = [[], [0], [3, 1, 1, 0, 7], list(range(100)) * 3, [5] * 70]


@pytest.mark.parametrize("dtype", ["int64", "int32", "uint8", "bool"])
@pytest.mark.parametrize("weights", [None, "float32", "float64", "int64"])
@pytest.mark.parametrize("least", [0, 3, 200, True])
def test_counts(dtype, weights, least, monkeypatch):
    for values in COUNTED:
        x = kn.astype(kn.asarray(values, dtype=kn.int64), dtype)
        w = None if weights is None else kn.astype(kn.asarray([0.1 * i for i in range(len(values))], dtype=kn.float64), weights)
        found = kn.bincount(x, w, least)
        with monkeypatch.context() as m:
            usual(m, "bincount")
            same_bits(found, kn.bincount(x, w, least))


def test_counts_of_other_layouts_and_what_is_wrong_with_them():
    x = kn.arange(40)
    assert kn.bincount(x[::4]).tolist() == kn.bincount(x[::4].copy()).tolist() == [1, 0, 0, 0] * 9 + [1]
    assert kn.bincount(x[:3], x[:6:2] * 0.5).tolist() == [0, 1, 2]
    assert kn.bincount(kn.asarray([1, 2]), kn.asarray(2.0)).tolist() == [0, 2, 2]  # one for all
    with pytest.raises(ValueError, match="expected at least 0, got -2\n  at test_few.py"):
        kn.bincount(kn.asarray([1, -2]))
    with pytest.raises(kn.ShapeError):
        kn.bincount(x[:4], kn.ones(3))
    assert kn.jit(lambda x: kn.bincount(x, length=5))(x[:3]).tolist() == [1, 1, 1, 0, 0]


@pytest.mark.parametrize("dtype", ["bool", "int8", "float16", "float32", "int64", "complex64", "complex128"])
def test_repetitions(dtype, monkeypatch):
    values = np.arange(24).reshape(2, 3, 4)
    cube = kn.astype(kn.asarray(values), dtype)
    line = kn.reshape(cube, (-1,))
    calls = [(x, r, axis) for x in (cube, line, line[:1], line[::2], cube[:, :0]) for axis in (None, 0, -1) for r in (0, 1, 2, 30)]
    calls += [(line, kn.arange(24) % 7, 0), (line, kn.asarray([5]), None), (line[:1], kn.asarray([5]), 0), (line, kn.zeros(24, dtype=kn.int64), None), (cube, kn.asarray([2, 0, 1]), 1),
              (cube, kn.asarray([9, 9, 9, 9], dtype=kn.int32), 2), (line, [1, 2, 3] * 8, 0), (line, kn.arange(24)[::-1], 0), (kn.concat([line] * 50), kn.arange(1200) % 11, 0)]
    for x, r, axis in calls:
        found = kn.repeat(x, r, axis)
        with monkeypatch.context() as m:
            usual(m, "repeat")
            same_bits(found, kn.repeat(x, r, axis))


def test_repetitions_that_are_wrong_or_recorded():
    x = kn.arange(4)
    for call in (lambda: kn.repeat(x, -1), lambda: kn.repeat(x, kn.asarray([1, 2]))):
        with pytest.raises(kn.KilnError, match="repeats: expected"):
            call()
    r = kn.asarray([1, 0, 2, 3])
    assert kn.repeat(x, r, total_repeat_length=6).tolist() == kn.repeat(x, r).tolist() == kn.jit(lambda x, r: kn.repeat(x, r, total_repeat_length=6))(x, r).tolist()
    assert kn.jit(lambda x: kn.repeat(x, 3))(x).tolist() == kn.repeat(x, 3).tolist()


def test_one_axis():
    x = kn.asarray(np.arange(6.0).reshape(2, 3))
    flat = x.ravel()
    assert np.shares_memory(flat.numpy(), x.numpy()) and flat.shape == (6,) and x.T.ravel().tolist() == [0, 3, 1, 4, 2, 5]
    assert x.ravel("F").tolist() == x.ravel(order="F").tolist() == [0, 3, 1, 4, 2, 5] and x.ravel("C").tolist() == x.ravel(order="C").tolist() == flat.tolist()
    assert kn.asarray(2.0).ravel().shape == (1,) and kn.zeros((0, 3)).ravel().shape == (0,) and str(inspect.signature(kn.Array.ravel)) == "(self, /, order='C')"
    assert kn.jit(lambda x: x.T.ravel() + x.ravel("F"))(x).tolist() == [0, 6, 2, 8, 4, 10]
    assert kn.grad(lambda x: kn.sum(x.ravel() * 2))(x).tolist() == [[2] * 3] * 2


WRITTEN = {"putmask": (kn.putmask, False), "place": (kn.place, True), "copyto": (lambda x, mask, values: kn.copyto(x, values, where=mask), False)}


@pytest.mark.parametrize("dtype", ["bool", "int8", "float16", "float32", "int64", "complex128"])
@pytest.mark.parametrize("name", WRITTEN)
def test_few_elements_by_masks(name, dtype, monkeypatch):
    write, is_packed = WRITTEN[name]
    rng = np.random.default_rng(2)
    base = kn.astype(kn.asarray(rng.integers(0, 100, (4, 6))), dtype)
    line = kn.reshape(base, (-1,))
    for x in (base, line, line[::2], base[:, 1:3], kn.concat([line] * 4), line[:0], kn.asarray(3).astype(dtype)):
        mask = kn.asarray(rng.random(x.shape) < 0.5)
        fits = kn.astype(kn.asarray(rng.integers(0, 100, x.shape)), dtype)
        packed = [line[1:2] + line[:0].sum() if dtype not in ("bool", "int8") else line[1:2], line[:3], line[::-1]]
        for values in [fits, 3, kn.astype(fits, kn.complex64 if dtype == "complex128" else kn.float64), *(packed if name == "place" else []), *([] if name == "place" else [x])]:
            for m in (mask, kn.astype(mask, kn.int32), kn.zeros(x.shape, dtype=kn.bool), kn.ones(x.shape, dtype=kn.bool)):
                few, usually = kn.copy(x), kn.copy(x)
                write(few, m, values)
                with monkeypatch.context() as patch:
                    patch.setattr(_core, "put_where", lambda *args: False)
                    write(usually, m, values)
                same_bits(few, usually)


def test_writes_by_masks_are_seen_by_views_and_recordings():
    x = kn.arange(6) * 1.0
    view, mask = x[::1], x > 2
    kn.putmask(x, mask, -x)
    assert view.tolist() == x.tolist() == [0, 1, 2, -3, -4, -5]
    kn.place(x, x < 0, x[:2])  # its own elements
    assert view.tolist() == [0, 1, 2, 0, 1, 0]
    held, copied = x, kn.copy(x)
    kn.copyto(held, copied * 10, where=copied > 1)
    assert x.tolist() == [0, 1, 20, 0, 1, 0] and copied.tolist() == [0, 1, 2, 0, 1, 0]

    @kn.jit
    def f(x, mask):
        kn.putmask(x, mask, x * 2)
        kn.place(x, x > 30, kn.asarray([7.0, 8.0]))
        kn.copyto(x, -x, where=mask)
        return x
    for _ in range(3):
        y, z = kn.asarray([1.0, 20.0, 3.0, 50.0]), kn.asarray([1.0, 20.0, 3.0, 50.0])
        same_bits(f(y, kn.asarray([True, True, False, False])), f.__wrapped__(z, kn.asarray([True, True, False, False])))
    with pytest.raises(ValueError, match="place: values: expected at least one, got none"):
        kn.place(kn.ones(3), kn.ones(3, dtype=kn.bool), kn.zeros(0))
    with pytest.raises(kn.KilnError):
        kn.putmask(kn.broadcast_to(kn.ones(1), (3,)), kn.ones(3, dtype=kn.bool), kn.zeros(3))


@pytest.mark.parametrize("dtype", ["uint8", "int64", "float16", "float32", "float64", "complex64", "bool"])
def test_small_numbers_that_are_written(dtype):
    for value in (0, 3, 127, 128, 255, True):
        x, y, z = (kn.zeros(5).astype(dtype) for _ in range(3))
        kn.put(x, kn.asarray([1, -1]), value)
        kn.put(y, [1, -1], value)  # the usual way
        z[kn.asarray([1, 4])] = kn.astype(kn.asarray(value), dtype)
        same_bits(x, y), same_bits(x, z)
        square, other = (kn.zeros((3, 3)).astype(dtype) for _ in range(2))
        kn.fill_diagonal(square, value), kn.fill_diagonal(other, [value] * 3)
        same_bits(square, other)
    with pytest.raises(IndexError, match="at test_few.py"):
        kn.put(kn.ones(3), kn.asarray([3]), 1)


@pytest.mark.parametrize("dtypes", [("int64", "int64"), ("float32", "uint8"), ("float64", "float32", "int16"), ("bool", "int64"), ("float16", "float16"), ("int32",), ("complex64", "int64")])
def test_orders_by_several_keys(dtypes, monkeypatch):
    rng = np.random.default_rng(4)
    for n in (0, 1, 2, 10, 64, 65):
        keys = [kn.astype(kn.asarray(rng.integers(0, 4, n)), t) for t in dtypes]
        keys = [kn.where(k == 1, kn.nan, kn.where(k == 2, -0.0, k)) if k.dtype.name in ("float32", "float64") else k for k in keys]
        found = kn.lexsort(keys)
        with monkeypatch.context() as patch:
            usual(patch, "lexsort")
            same_bits(found, kn.lexsort(keys))
    if n and "complex64" not in dtypes and "bool" not in dtypes:
        assert kn.jit(lambda *keys: kn.lexsort(keys))(*keys).tolist() == found.tolist() == np.lexsort([k.numpy() for k in keys]).tolist()


def test_vectors_without_and_with_more_elements():
    rng = np.random.default_rng(6)
    for n in (0, 1, 2, 5, 12, 300):
        x = kn.asarray(rng.normal(size=n))
        for count in (0, 1, 2, 3, 7):
            into = rng.integers(-n, n + 1, count)
            for values in (7, rng.normal(size=count)):
                for at in (kn.asarray(into), into.tolist(), kn.asarray(into.astype("int32"))):
                    same_bits(kn.insert(x, at, kn.asarray(values)), np.insert(x.numpy(), into, values))
            out = rng.integers(-n, n, count) if n else np.zeros(0, "int64")
            for at in (kn.asarray(out), out.tolist(), *(int(p) for p in out[:1])):
                same_bits(kn.delete(x, at), np.delete(x.numpy(), np.asarray(at, dtype="int64")))
    x = kn.arange(5)
    recorded = kn.jit(lambda x: (kn.delete(x, [0, 2]), kn.insert(x, [1, 1, 4], 9)))
    assert [r.tolist() for r in recorded(x)] == [kn.delete(x, [0, 2]).tolist(), kn.insert(x, [1, 1, 4], 9).tolist()] == [[1, 3, 4], [0, 9, 9, 1, 2, 3, 9, 4]]
    for call, text in ((lambda: kn.delete(x, [5]), "delete: position: expected one in [-5, 5), got 5"), (lambda: kn.insert(x, kn.asarray([0, 6, 1]), 1), "insert: position: expected one in [-5, 6), got 6"),
                       (lambda: kn.delete(x, kn.asarray([1.5])), "delete: position: expected an integer, got float")):
        with pytest.raises((IndexError, TypeError), match=re.escape(text) + "\n  at test_few.py"):
            call()


def compiled_of(function):
    return function.__kiln_code__.compiled


def looped(body):
    """A composition of its own, as every function that is ``fused`` is one."""
    body.__module__ = "kiln.composed.elementwise"
    return _fused.fused(body)


def test_a_loop_over_few_elements_becomes_code():
    f = looped(lambda x: kn.sin(x) * kn.cos(x) + 1)
    x = kn.asarray(np.linspace(0, 3, 10, dtype="f"))
    with kn.config.override(jit="sync"):
        for i in range(_fused.FEW_CALLS + 2 * _fused.WINDOW):
            same_bits(f(x), f.__kiln_fused__(x))
            assert (compiled_of(f) is None) == (i < _fused.FEW_CALLS)
    assert compiled_of(f).stats.compiles + compiled_of(f).stats.cache_hits == 1 and compiled_of(f).stats.hits > _fused.WINDOW


def test_a_loop_over_ever_other_shapes_goes_as_it_is_written():
    f, xs = looped(lambda x: kn.sin(x) * kn.cos(x) + 1), [kn.ones((i % 20 + 1, i // 20 + 1)) for i in range(400)]
    with kn.config.override(jit="sync"), warnings.catch_warnings():
        warnings.simplefilter("error")
        for x in xs:
            same_bits(f(x), f.__kiln_fused__(x))
        calls = compiled_of(f).stats.calls
        assert calls <= _fused.WINDOW
        for _ in range(200):
            f(xs[0])
        assert compiled_of(f).stats.calls == calls
        for _ in range(_fused.REST):
            f(xs[0])
        assert compiled_of(f).stats.calls > calls + 32  # it was tried again
        calls = compiled_of(f).stats.calls
        big = kn.ones(_fused.LEAST)  # which still is one pass
        for _ in range(_fused.CALLS + 2):
            same_bits(f(big), f.__kiln_fused__(big))
        assert compiled_of(f).stats.calls > calls


def test_a_loop_goes_on_when_caches_are_cleared():
    f, x = looped(lambda x: kn.sin(x) + kn.cos(x)), kn.ones(5)
    with kn.config.override(jit="sync"):
        for _ in range(_fused.FEW_CALLS + 3 * _fused.WINDOW):
            f(x)
        compiled_of(f)._forget()
        before = compiled_of(f).stats.calls
        for _ in range(2 * _fused.WINDOW):
            same_bits(f(x), f.__kiln_fused__(x))
        assert compiled_of(f).stats.calls >= before + 2 * _fused.WINDOW


def test_errors_in_a_loop_are_those_of_the_composition():
    z = kn.ones(3, dtype=kn.complex64)
    for _ in range(3 * _fused.WINDOW):
        with pytest.raises(kn.DTypeError, match="frexp: dtype: expected float16, float32 or float64, got complex64\n  at test_few.py"):
            kn.frexp(z)
