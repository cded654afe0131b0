"""NumPy parity of every op of the ufunc kind, from the op records: dtype x layout x {eager, jit}, eager and jit to the bit."""
import json
import pathlib

import numpy as np
import pytest
from scipy import special

import kiln as kn
from conftest import DTYPES, same_bits

OPS = json.loads((pathlib.Path(kn._core.__file__).parents[2] / "gen/python/_ops.json").read_text())
UFUNCS = [o for o in OPS if o["ufunc"] and o["numpy"]]
FLOATING = ["float16", "complex64", "complex128"]
EDGES = {"f": [0.0, -0.0, np.inf, -np.inf, np.nan, 1e-42, -1e-42, 1.0, -1.0], "i": [0, 1, -1], "u": [0, 1], "b": [False, True]}


def operand(rng, op, dtype, shape):
    low, high = op["domain"]
    kind = np.dtype(dtype).kind
    if kind == "b":
        x = rng.integers(0, 2, shape).astype(bool)
    elif kind == "f":
        x = rng.uniform(low, high, shape).astype(dtype)
    elif kind == "c":  # no edges: there NumPy follows C's annex G, Kiln its formulae
        return (rng.uniform(low, high, shape) * 0.5 + 1j * rng.uniform(-2, 2, shape)).astype(dtype)
    elif op.get("name") in ("pow", "bitwise_left_shift", "bitwise_right_shift"):
        return rng.integers(low, high + 1, shape).astype(dtype)  # others NumPy refuses, or leaves to C
    else:
        info = np.iinfo(dtype)
        x = rng.integers(max(info.min, -100), min(info.max, 100), shape).astype(dtype)
        if x.size > 4:
            x.flat[:2] = info.min, info.max
    if x.size > 20:
        with np.errstate(all="ignore"):
            x.flat[2:2 + len(EDGES[kind])] = np.array(EDGES[kind], dtype)
        rng.shuffle(x.reshape(-1))
    return x


def layouts(rng, op, dtype):
    """Operand tuples of one op: contiguous, odd sizes, empty, no axes, transposed, strided, reversed, broadcast, misaligned."""
    n = len(op["operands"])

    def make(shape):
        return operand(rng, op, dtype, shape)

    for shape in [(100,), (3, 7), (0,), (), (1,), (33,), (2, 1, 5)]:
        yield tuple(make(shape) for _ in range(n))
    yield tuple(make((7, 5)).T for _ in range(n))
    yield tuple(make((60,))[::-2] for _ in range(n))
    yield tuple(make((9, 41))[1:, 3:] for _ in range(n))
    yield tuple(np.ascontiguousarray(make((7, 5)).T).T if i else make((7, 5)) for i in range(n))
    if n == 2:
        yield make((4, 9)), make((9,))
        yield make((4, 1)), make((4, 9))
        yield make(()), make((5, 3))
        yield make((5, 3)), make(())


def twin(op):
    """The NumPy function of an op, or SciPy's special one."""
    name = op["numpy"]
    return getattr(special, name.removeprefix("special.")) if name.startswith("special.") else getattr(np, name)


def reference(op, args):
    with np.errstate(all="ignore"):
        return twin(op)(*args)


def close(got, want, ulp):
    if want.dtype.kind == "c":
        size = np.spacing(np.maximum(np.abs(want), np.finfo(want.dtype).tiny))
        assert (np.abs(got - want) <= (2 * ulp + 8) * size).all()
        return
    if want.dtype.kind != "f" or ulp == 0:
        np.testing.assert_array_equal(got, want)
        return
    # NumPy's own error counts as well.
    finite = np.isfinite(want)
    np.testing.assert_array_equal(got[~finite], want[~finite])
    spacing = np.spacing(np.maximum(np.abs(want[finite]), np.finfo(want.dtype).tiny))
    assert (np.abs(got[finite] - want[finite]) <= (ulp + 1) * spacing).all()


@pytest.mark.parametrize("op", UFUNCS, ids=lambda o: o["name"])
def test_parity(op, rng):
    function = getattr(kn, op["name"])
    jitted = kn.jit(lambda *args: function(*args))
    accepted = kn._core.op_dtypes(op["name"])
    for dtype in [t for t in DTYPES + FLOATING if t in accepted]:
        for args in layouts(rng, op, dtype):
            ours = [kn.asarray(a) for a in args]
            eager = function(*ours)
            want = np.asarray(reference(op, args))
            if op["numpy"].startswith("special."):
                if want.shape and want.size > 20 or dtype == "float16":
                    keep = np.isfinite(want)  # at poles SciPy has signs of its own
                    got = eager.numpy().astype("f8")
                    np.testing.assert_allclose(got[keep], want.astype("f8")[keep], rtol=1e-3 if dtype == "float16" else 1e-6 if dtype == "float32" else 1e-13,
                                               atol=2e-3 if dtype == "float16" else 1e-6 if dtype == "float32" else 1e-13)
                if dtype in ("float32", "float16"):
                    same_bits(jitted(*ours), eager)
                continue
            assert eager.shape == want.shape and eager.dtype == want.dtype, (dtype, args)
            close(eager.numpy(), want, op["ulp"])
            if dtype in ("float32", "int32", "bool", "uint8", "float16", "complex64") and want.shape in ((100,), (3, 7), (5, 7), (30,), (4, 9), (0,), ()):
                same_bits(jitted(*ours), eager)


@pytest.mark.parametrize("source", DTYPES)
def test_cast(source, rng):
    op = {"domain": [-300, 300]}
    x = operand(rng, op, source, (101,))
    for target in DTYPES:
        eager = kn.astype(kn.asarray(x), target)
        same_bits(kn.jit(lambda a: kn.astype(a, target))(kn.asarray(x)), eager)
        if np.dtype(source).kind == "f" and np.dtype(target).kind in "iu":
            info = np.iinfo(target)
            want = [0 if np.isnan(v) else min(max(int(v) if np.isfinite(v) else (info.max if v > 0 else info.min), info.min), info.max) for v in x.tolist()]
            np.testing.assert_array_equal(eager.numpy(), np.array(want, target))
        else:
            np.testing.assert_array_equal(eager.numpy(), x.astype(target))


@pytest.mark.parametrize("name", ["sum", "max", "min", "argmax", "argmin"])
@pytest.mark.parametrize("dtype", ["float32", "float64", "int32", "uint8", "int64"])
def test_reductions(name, dtype, rng):
    function, twin = getattr(kn, name), getattr(np, name)
    for shape in [(5,), (3, 40), (40, 3), (4, 5, 6), (1, 7), (2, 3, 4, 5), (70, 33)]:
        x = operand(rng, {"domain": [-8, 8]}, dtype, shape) if np.dtype(dtype).kind != "f" else rng.normal(size=shape).astype(dtype)
        axes = [None, *range(len(shape)), -1] + ([(0, len(shape) - 1), tuple(range(len(shape)))] if len(shape) > 1 and not name.startswith("arg") else [])
        for axis in axes:
            for keepdims in (False, True):
                def run(a):
                    return function(a, axis=axis, keepdims=keepdims)
                eager, want = run(kn.asarray(x)), twin(x, axis=axis, keepdims=keepdims)
                np.testing.assert_allclose(eager.numpy(), want, rtol=1e-5, atol=1e-5)
                assert eager.shape == np.shape(want)
                if shape in ((3, 40), (4, 5, 6), (70, 33)):
                    same_bits(kn.jit(run)(kn.asarray(x)), eager)


@pytest.mark.parametrize("name", ["sum", "prod", "mean", "var", "max", "min", "any", "all", "argmax", "argmin", "logsumexp", "softmax"])
@pytest.mark.parametrize("order", [(1, 0, 2), (2, 1, 0), (0, 2, 1), (2, 0, 1)])
def test_reductions_of_arrays_in_other_orders(name, order, rng):
    """Square ones, where a wrong shape has the right number of elements, too."""
    for shape in ((3, 3, 3), (2, 3, 4), (3, 1, 3)):
        x = rng.normal(size=shape).astype("float32")
        for turned, same in ((kn.permute_dims(kn.asarray(x), order), np.ascontiguousarray(x.transpose(order))), (kn.asarray(x)[:, ::-1, 1:], np.ascontiguousarray(x[:, ::-1, 1:]))):
            for axis in (0, 1, 2, (0, 2), (1, 2), None):
                if isinstance(axis, tuple) and name.startswith("arg"):
                    continue
                if name == "softmax":
                    got, want = kn.nn.softmax(turned, axis=axis), kn.nn.softmax(kn.asarray(same), axis=axis)
                else:
                    function = getattr(kn.special, name, None) or getattr(kn, name)
                    got, want = (function(a, axis=axis, keepdims=True) for a in (turned, kn.asarray(same)))
                assert got.shape == want.shape
                np.testing.assert_allclose(got.numpy(), want.numpy(), rtol=1e-5, atol=1e-6)


def test_reductions_of_special_values():
    x = np.array([[1, np.nan, 3], [np.nan, 5, np.nan], [-0.0, 0.0, -0.0]], np.float32)
    a = kn.asarray(x)
    for name in ("max", "min", "argmax", "argmin"):
        for axis in (0, 1, None):
            np.testing.assert_array_equal(getattr(kn, name)(a, axis=axis).numpy(), getattr(np, name)(x, axis=axis))
    assert np.signbit(kn.sum(kn.asarray(np.array([-0.0, -0.0], np.float32))).numpy())
    assert kn.sum(kn.zeros((0, 3)), axis=0).tolist() == [0, 0, 0]
    assert kn.sum(kn.zeros((3, 0)), axis=1).tolist() == [0, 0, 0]
    assert not np.signbit(kn.sum(kn.zeros(0)).numpy())
    assert kn.argmax(kn.asarray([3, 7, 7, 1])).item() == 1


@pytest.mark.parametrize("dtype", ["float32", "float64", "int32", "int8"])
def test_products(dtype, rng):
    def make(*shape):
        return rng.normal(size=shape).astype(dtype) if np.dtype(dtype).kind == "f" else rng.integers(-5, 6, shape).astype(dtype)

    pairs = [(make(3, 4), make(4, 5)), (make(4), make(4)), (make(3, 4), make(4)), (make(4), make(4, 5)), (make(2, 3, 4), make(4, 5)),
             (make(2, 1, 3, 4), make(5, 4, 2)), (make(1, 1), make(1, 1)), (make(0, 3), make(3, 2)), (make(3, 0), make(0, 2)), (make(130, 70), make(70, 33)),
             (make(7, 500), make(500, 9)), (make(5, 3).T, make(7, 5).T), (make(6, 5)[::2], make(5, 4)[:, ::-1]), (make(5, 6).T, make(5)), (make(2, 3, 4), make(4))]
    for x, y in pairs:
        a, b = kn.asarray(x), kn.asarray(y)
        eager = a @ b
        np.testing.assert_allclose(eager.numpy(), x @ y, rtol=2e-4, atol=2e-4)
        same_bits(kn.jit(lambda p, q: p @ q)(a, b), eager)


def test_where_take_concat(rng):
    x, y = rng.normal(size=(4, 5)).astype("f"), rng.normal(size=(5,)).astype("f")
    c = rng.integers(0, 2, (4, 1)).astype(bool)
    i = np.array([[3, -1], [0, 2]])
    a, b, m, k = map(kn.asarray, (x, y, c, i))
    programs = [
        (lambda: kn.where(m, a, b), np.where(c, x, y)), (lambda: kn.where(m, a, 0), np.where(c, x, np.float32(0))),
        (lambda: kn.take(a, k, axis=0), np.take(x, i, axis=0)), (lambda: kn.take(a, k, axis=1), np.take(x, i, axis=1)), (lambda: kn.take(a, k), np.take(x, i)),
        (lambda: kn.concat([a, a[:2], a[:0]], axis=0), np.concatenate([x, x[:2]])), (lambda: kn.concat([a, a[:, 1:3]], axis=-1), np.concatenate([x, x[:, 1:3]], 1)),
        (lambda: kn.stack([b, b * 2]), np.stack([y, y * 2])), (lambda: a[1:][k[1]], x[1:][i[1]]), (lambda: a[:, k], x[:, i]),
        (lambda: kn.concat([kn.exp(a), a + 1], axis=1), np.concatenate([np.exp(x), x + 1], 1))]
    for program, want in programs:
        eager = program()
        np.testing.assert_allclose(eager.numpy(), want, rtol=1e-6)
        same_bits(kn.jit(program)(), eager)


def test_gather_from_computed_values_and_iota():
    i = kn.asarray([2, 0, 1])

    @kn.jit
    def f(x):
        return kn.take(x * 2, i + 0, axis=0) + kn.arange(3), kn.eye(3), kn.arange(2, 11, 3), kn.linspace(0, 1, 5)

    got, want = f(kn.asarray([1.0, 2.0, 3.0])), f.__wrapped__(kn.asarray([1.0, 2.0, 3.0]))
    for p, q in zip(got, want):
        same_bits(p, q)
    assert want[0].tolist() == [6, 3, 6] and want[2].tolist() == [2, 5, 8] and want[3].tolist() == [0, 0.25, 0.5, 0.75, 1]
