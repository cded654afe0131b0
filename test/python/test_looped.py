"""Compositions that become code in a loop over few elements: results, their classes and errors of the code are those of the composition."""
import warnings

import numpy as np
import pytest

import kiln as kn
from conftest import same_bits
from kiln import _fused

LA = kn.linalg
LOOPED = {f"{space.__name__}.{name}": f for space in (kn, LA) for name, f in vars(space).items() if hasattr(f, "__kiln_code__") and not f.__kiln_code__.is_one_pass}


def a(shape, dtype="float32", low=-3.0):
    rng = np.random.default_rng(3)
    return kn.astype(kn.asarray(rng.uniform(low, 3, shape)), dtype)


def square(n, dtype="float32", batch=()):
    return kn.asarray(np.random.default_rng(1).normal(size=(*batch, n, n)) + 2 * np.eye(n)).astype(dtype)


X, LINE, NAN = a(10), kn.sort(a(10)), kn.where(a((3, 4)) > 0, a((3, 4)), kn.nan)
I, M, E = kn.arange(10) % 3, a((3, 4)), kn.zeros((0,))
EMPTY = kn.zeros((0, 3))
CALLS = {
    kn.interp: [(X, LINE, LINE), (X, LINE, LINE, -1, 2.5), (a(10, "float64"), LINE, LINE), (1.5, [1, 2], [3.0, 4.0]), (X, LINE, LINE[::-1]), (M, LINE, LINE), (X, X, X, None, None, 2.5), (E, LINE, LINE),
                (X, LINE[:1], LINE[:1]), (np.linspace(0, 1, 4), np.arange(3.0), np.ones(3)), (a(4, "float16"), LINE, LINE)],
    kn.gcd: [(I, I * 4), (I, 12), (12, 18), (I, kn.asarray(6, dtype=kn.int8)), (I[:3, None], I), (kn.arange(3, dtype=kn.uint8), kn.arange(3, dtype=kn.uint8))],
    kn.lcm: [(I, I * 4), (I, 12), (I.astype("int32"), I)],
    kn.median: [(X,), (M, 0), (M, (0, 1)), (M, None, None, False, True), (NAN, 1), (a(5, "float16"),), (I,), (M, -1)],
    kn.nanmedian: [(NAN,), (NAN, 0), (NAN, 1, None, False, True), (M,), (kn.full((3,), kn.nan),)],
    kn.diag: [(X,), (M,), (M, 1), (X, -2), (M.T, -1), (EMPTY,), (E,)],
    kn.diagonal: [(M,), (M, 1), (M.T, -1), (a((2, 3, 4)), 0, 0, 1), (a((2, 3, 4)), 1, 2, 0), (EMPTY,), (M, 9)],
    kn.trace: [(M,), (M, 1), (a((2, 3, 4)), 0, 0, 1), (a((3, 3), "int32"),), (M, 0, -2, -1, kn.float64), (EMPTY,), (a((3, 3), "bool"),)],
    kn.indices: [((3, 4),), ((3, 4), kn.int32), ((3, 4), None, True), ((),), ((0, 2),)],
    kn.unravel_index: [(I, (3, 4)), (kn.arange(12), (2, 3, 2)), (5, (3, 4)), (E.astype("int64"), (3,)), ([1, 2], (3, 4)), (I, (12,))],
    kn.take_along_axis: [(M, kn.argsort(M, 1), 1), (M, kn.asarray([[2], [0], [-1]])), (X, kn.asarray([3, 1]), None), (M, kn.asarray([[1, 0, 2, 2]]), 0)],
    kn.digitize: [(X, LINE), (X, LINE[::-1]), (X, LINE, True), (X, LINE[:1]), (2.0, [1.0, 3.0]), (M, LINE), (I, [0, 1, 2])],
    kn.choose: [(I, [X, -X, 2.0]), (I % 2, [X, 1]), (I, [X, X, X, X, X]), (kn.asarray([5, -1]), [X[:2], 0, 1], "clip"), (I % 2, (X, I))],
    kn.tile: [(X, 2), (X, (2, 3)), (M, (2, 1)), (M, 1), (X, 0), (M, (2, 2, 2)), (1.5, 3), (I, (1,))],
    kn.append: [(X, X), (M, M), (M, M, 0), (X, 1), (X, [1, 2]), (I, X), (E, E), (X, E)],
    kn.vecdot: [(X, X), (M, M), (M, M, 0), (M, X[:4]), (M + 1j * M, M), (M > 0, M > 1), (a(4, "float16"), a(4, "float16")), (I, I), (X, I)],
    kn.vdot: [(X, X), (M, M), (M * 1j, M), (I, I)],
    kn.pad: [(X, 3), (M, 2), (M, ((1, 2), (0, 3))), (X, 3, "edge"), (M, 2, "reflect"), (M, 2, "symmetric"), (M, 5, "wrap"), (M, 1, "linear_ramp"), (M, (1, 2), "maximum"), (M, 1, "mean"), (X, 0), (X, 0, "edge"), (E, 2)],
    kn.einsum: [("ij,jk", M, M.T), ("ij->j", M), ("ii->i", square(3)), ("ij", M), ("ij,jk,kl->il", M, M.T, M), ("...j,j", M, M[0]), (M, [0, 1], M.T, [1, 2]), ("ij,j", M > 0, I[:4]), ("i,i", [1, 2], [3.0, 4.0])],
    LA.det: [(square(3),), (square(4, "float64", (2,)),), (square(2, "complex64"),), (square(3, "float16"),), (kn.zeros((3, 3)),), (kn.zeros((0, 0)),), ([[1, 2], [3, 4]],)],
    LA.slogdet: [(square(3),), (square(4, "float64", (2,)),), (square(2, "complex128"),), (kn.zeros((2, 2)),)],
    LA.inv: [(square(3),), (square(4, "float64", (2, 2)),), (square(2, "complex64"),), (square(3, "float16"),), ([[1, 2], [3, 4]],), (kn.zeros((0, 0)),)],
    LA.solve: [(square(3), a(3)), (square(3), a((3, 2))), (square(3, "float64", (2,)), a((2, 3, 1))), (square(3, "complex64"), a(3)), (square(2), [1, 2])],
    LA.lstsq: [(M, a(3)), (M.T, a(4)), (M.T, a((4, 2))), (square(3), a(3), 0.1), (kn.zeros((3, 2)), a(3))],
    LA.tensorinv: [(kn.reshape(square(4), (2, 2, 4)),), (square(3), 1)],
    LA.pinv: [(M,), (M.T,), (square(3, "complex64"),), (a((2, 3, 4)),), (M, 0.5), (M, kn.asarray(0.5)), (EMPTY,)],
    LA.matrix_rank: [(M,), (kn.zeros((3, 3)),), (a((2, 3, 4)), 0.1), (EMPTY,)],
    LA.vector_norm: [(X,), (M, 0), (M, (0, 1), True), (M * 1j,), (X, None, False, 1), (X, None, False, kn.inf), (X, None, False, 3), (X, None, False, 0), (a(4, "float16"),), (E,), (E, None, False, kn.inf), (I,)],
    LA.matrix_norm: [(M,), (M, True), (M, False, "nuc"), (M, False, 1), (M, False, -2), (a((2, 3, 4)),), (EMPTY,)],
    LA.norm: [(X,), (M,), (M, 1), (M, None, 0), (M, "fro", (0, 1), True), (X, kn.inf), (M * 1j,), (a((2, 3, 4)),)],
    LA.cond: [(square(3),), (square(3), 1), (square(3), -2), (M,), (kn.zeros((2, 2)),), (square(3, "float64", (2,)), "fro")],
}


def same(x, y):
    assert type(x) is type(y), f"{type(x)} against {type(y)}"
    if isinstance(x, (tuple, list)):
        for u, v in zip(x, y, strict=True):
            same(u, v)
    else:
        same_bits(x, y)


def test_every_function_is_called():
    assert set(LOOPED.values()) == set(CALLS), [n for n, f in LOOPED.items() if f not in CALLS]


@pytest.mark.parametrize("name", LOOPED)
def test_code_gives_what_the_composition_gives(name):
    function = LOOPED[name]
    with kn.config.override(jit="sync"), warnings.catch_warnings():
        warnings.simplefilter("error", kn.KilnWarning)
        code = function.__kiln_code__.made()
        for args in CALLS[function]:
            for _ in range(3):
                same(code(*args), function.__kiln_fused__(*args))


def test_formulae():
    x, y, z = a((3, 4)), a((4, 5)), a((3, 3))
    for args in (("ij,jk", x, y), ("ij->j", x), ("ij,ij->i", x, x), ("ii->i", z), ("ii", z), ("ij", x), ("ij->ji", x), ("ij,jk,kl->il", x, y, y.T), ("...j,j", x, x[0]), ("i,j", x[0], x[:, 0]), (x, [0, 1], y, [1, 2])):
        expected = kn.einsum(*args)
        for _ in range(_fused.FEW_CALLS + 5):
            same_bits(kn.einsum(*args), expected)
    view = kn.einsum("ij->ji", x)
    view[0, 0] = 99
    assert x[0, 0] != 99
    for _ in range(100):
        with pytest.raises(kn.ShapeError, match="size of the label 'i': expected 3, got 4\n  at test_looped.py"):
            kn.einsum("ij,i", x, x[0])


WRONG = {
    "inv": lambda: LA.inv(kn.zeros((2, 2))), "inv, no matrix": lambda: LA.inv(X), "solve": lambda: LA.solve(kn.zeros((2, 2)), X[:2]), "det": lambda: LA.det(M), "unravel_index": lambda: kn.unravel_index(kn.asarray([99]), (3, 4)),
    "take_along_axis": lambda: kn.take_along_axis(M, kn.asarray([[9]] * 3), 1), "choose": lambda: kn.choose(kn.asarray([7]), [1, 2]), "interp": lambda: kn.interp(X, LINE, X[:3]), "gcd": lambda: kn.gcd(X, X),
    "diagonal": lambda: kn.diagonal(X), "eye": lambda: kn.eye(-1), "tile": lambda: kn.tile(X, (1, -2)), "pad": lambda: kn.pad(X, -1), "pad, mode": lambda: kn.pad(X, 1, "none"), "vecdot": lambda: kn.vecdot(X, M[0]),
    "median": lambda: kn.median(M, 7), "norm": lambda: LA.norm(a((2, 3, 4)), None, (0, 1, 2)), "trace": lambda: kn.trace(M, 0, 0, 0), "digitize": lambda: kn.digitize(X, M), "append": lambda: kn.append(M, X, 0),
    "slogdet": lambda: LA.slogdet(X), "cond": lambda: LA.cond(M, 1), "tensorinv": lambda: LA.tensorinv(M, 0), "lstsq": lambda: LA.lstsq(M, X),
}


@pytest.mark.parametrize("name", WRONG)
def test_errors_of_code_are_those_of_the_composition(name, monkeypatch):
    texts = []
    for least in (10**9, 0, 0, 0):
        monkeypatch.setattr(_fused, "FEW_CALLS", least)
        with kn.config.override(jit="sync"), pytest.raises(Exception) as caught:
            WRONG[name]()
        texts.append((type(caught.value), str(caught.value)))
    assert texts[0] == texts[1] == texts[2] == texts[3]


@pytest.mark.parametrize("dtype", [np.float32, np.dtype("int32"), float, int, bool, "complex64", kn.float16, None])
def test_dtypes_of_any_kind(dtype):
    expected = kn.eye(3, dtype=dtype)
    for _ in range(_fused.FEW_CALLS + _fused.WINDOW):
        same_bits(kn.eye(3, dtype=dtype), expected)


def test_results_go_where_they_are_to_go():
    out, wide = kn.zeros(()), kn.zeros((2, 2))
    for i in range(_fused.FEW_CALLS + _fused.WINDOW):
        assert kn.trace(M * i, out=out) is out and out == kn.trace.__kiln_fused__(M * i)
        assert kn.median(X + i, out=out) is out and out == kn.median.__kiln_fused__(X + i)
        assert kn.einsum("ij,kj->ik", M[:2], M[:2] * i, out=wide) is wide
        same_bits(wide, kn.matmul(M[:2], M[:2].T * i))
    for function, args in ((kn.diag, (M,)), (kn.diagonal, (M,)), (kn.tile, (X, 1)), (kn.append, (X, E)), (kn.pad, (X, 0)), (kn.vecdot, (X[:1], X[:1]))):
        result, before = function(*args), args[0].tolist()
        result[...] = 77
        assert args[0].tolist() == before


def test_few_elements_in_transforms_and_recordings():
    m = square(3, "float64")
    for _ in range(_fused.FEW_CALLS + 2):
        LA.det(m), LA.inv(m), kn.pad(m, 1), kn.trace(m)
    slope = kn.grad(lambda m: LA.det(m) + kn.trace(LA.inv(m)))(m)
    inverse = np.linalg.inv(m.numpy())
    np.testing.assert_allclose(slope.numpy(), np.linalg.det(m.numpy()) * inverse.T - (inverse @ inverse).T, rtol=1e-9)
    batch = kn.stack([m, m * 2])
    same_bits(kn.vmap(LA.det)(batch), LA.det(batch))
    f = kn.jit(lambda m: LA.det(m) * kn.sum(kn.pad(m, 1)))
    for _ in range(3):
        same_bits(f(m), LA.det(m) * kn.sum(kn.pad(m, 1)))
    assert f.stats.hits == 2
    with kn.config.override(jit="off"):
        same_bits(LA.det(m), LA.det.__kiln_fused__(m))


@pytest.mark.parametrize("dtype", ["bool", "int16", "float32", "int64", "complex128"])
def test_few_places_of_many_rows(dtype):
    x = np.arange(6000).reshape(100, 60).astype(dtype)
    rng = np.random.default_rng(0)
    for count in (0, 1, 10, 64, 65):
        at = rng.integers(-60, 60, count)
        for rows in (x, x[:1], x[:0]):
            same_bits(kn.take(kn.asarray(rows), kn.asarray(at), 1), rows[:, at])
        same_bits(kn.take(kn.asarray(x).T, kn.asarray(at), 0), x.T[at])
    for wrong in (60, -61):
        with pytest.raises(IndexError, match=r"expected one in \[-60, 60\) along axis 1"):
            kn.take(kn.asarray(x), kn.asarray([0, wrong]), 1)


@pytest.mark.parametrize("dtype", ["bool", "float32", "complex64", "complex128"])
def test_long_lines_by_places(dtype):
    x = np.random.default_rng(1).integers(0, 100, (3, 30, 700)).astype(dtype)
    rng = np.random.default_rng(0)
    for count in (0, 1, 7, 500):
        for axis in (0, 1):
            at = rng.integers(-x.shape[axis], x.shape[axis], count)
            same_bits(kn.take(kn.asarray(x), kn.asarray(at), axis), x.take(at, axis))
    at = rng.integers(0, 3, (2, 2))
    same_bits(kn.asarray(x)[kn.asarray(at)], x[at])
    for wrong in (30, -31):
        with pytest.raises(IndexError, match=r"expected one in \[-30, 30\) along axis 1"):
            kn.take(kn.asarray(x), kn.asarray([0, wrong]), 1)


@pytest.mark.parametrize("shape", [(20000,), (150, 140), (30, 30, 30)])
@pytest.mark.parametrize("mode", ["constant", "edge", "reflect", "symmetric", "wrap", "linear_ramp", "maximum", "empty"])
def test_many_elements_padded(mode, shape):
    x = np.random.default_rng(0).integers(-100, 100, shape).astype("f")
    for width in (0, 3, (2, 0)):
        found = kn.pad(kn.asarray(x), width, mode).numpy()
        expected = np.pad(x, width, "constant" if mode == "empty" else mode)
        np.testing.assert_allclose(found, expected, rtol=1e-6)
    if mode == "constant":
        for value in (7, -0.0, (2, 3)):
            same_bits(kn.pad(kn.asarray(x), 2, constant_values=value), np.pad(x, 2, constant_values=value))
        same_bits(kn.pad(kn.asarray(x).T, 1), np.pad(x.T, 1))


def test_polynomials_of_few_and_many_coefficients():
    x = kn.asarray(np.linspace(-1, 1, _fused.LEAST, dtype="f"))
    for n in (0, 1, 9, 64, 65):
        p = a(n)
        expected = kn.zeros(x.shape)
        for c in p:
            expected = expected * x + c
        for _ in range(_fused.CALLS + 2):
            same_bits(kn.polyval(p, x), expected)
    assert kn.polyval([1, 2], kn.asarray([3])).tolist() == [5] and kn.polyval(kn.asarray([1.0, 2]), 3).item() == 5


def test_unit_matrices():
    for args in ((3,), (3, 4), (3, None, 1), (4, 3, -2), (0,), (3, None, 7), (200,), (200, 300, -150), (300, 200, 250), (300, 200, 199), (1, 20000, 3), (20000, 1), (0, 20000)):
        named = dict(zip(("M", "k"), args[1:]))
        for dtype in ("float32", "int64", "bool", "complex64", "float16"):
            for _ in range(_fused.FEW_CALLS // 4):
                same_bits(kn.eye(*args, dtype=dtype), np.eye(args[0], **named, dtype=dtype))
    same_bits(kn.eye(200), kn.jit(lambda: kn.eye(200))())
    for n in (300, 3):
        with pytest.raises(kn.KilnError, match="offset: expected an integer, got float\n  at test_looped.py"):
            kn.eye(n, k=1.5)


def test_diagonals_of_large_matrices():
    x = kn.asarray(np.arange(300 * 400.0).reshape(300, 400))
    for _ in range(_fused.FEW_CALLS + 3):
        same_bits(kn.diagonal(x, 5), np.diagonal(x.numpy(), 5).copy())
        same_bits(kn.diag(x), np.diag(x.numpy()).copy())
    assert kn.diagonal.__kiln_code__.compiled.stats.hits > 2
