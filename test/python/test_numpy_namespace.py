"""kiln.numpy: programs whose only change is the import, ufunc methods, files, keys and settings. In a process of its own: importing it sets
the default dtype."""
import importlib
import inspect
import io
import re
import subprocess
import sys

import numpy
import pytest

import kiln as kn
from conftest import same_bits


@pytest.fixture(autouse=True)
def np():
    """The namespace, with the default dtype that it sets."""
    before = kn.get_default_dtype()
    space = importlib.import_module("kiln.numpy")
    kn._core.set_default_dtype(kn.float64)
    yield space
    kn._core.set_default_dtype(before)


def life(np, steps=4):
    board = np.zeros((12, 12), dtype=int)
    board[1, 2] = board[2, 3] = board[3, 1] = board[3, 2] = board[3, 3] = 1
    for _ in range(steps):
        near = sum(np.roll(np.roll(board, i, 0), j, 1) for i in (-1, 0, 1) for j in (-1, 0, 1)) - board
        board = np.where((near == 3) | ((board == 1) & (near == 2)), 1, 0)
    return board


def pca(np, seed=0):
    x = np.asarray(numpy.random.default_rng(seed).normal(size=(50, 4)) @ numpy.diag([5.0, 2.0, 1.0, 0.1]))
    x = x - x.mean(0)
    _, s, vt = np.linalg.svd(x, full_matrices=False)
    return np.cumsum(s ** 2) / np.sum(s ** 2), np.abs(vt[0])


def low_pass(np):
    t = np.linspace(0, 1, 256, endpoint=False)
    signal = np.sin(2 * np.pi * 5 * t) + 0.5 * np.sin(2 * np.pi * 60 * t)
    spectrum = np.fft.rfft(signal)
    spectrum[np.fft.rfftfreq(256, 1 / 256) > 20] = 0
    return np.fft.irfft(spectrum, 256)


def monte_carlo(np):
    rng = np.random.default_rng(0)
    p = rng.uniform(-1, 1, (200000, 2))
    return np.round(4 * np.mean(np.sum(p * p, axis=1) < 1), 1)


def blur(np):
    image = np.arange(64.0).reshape(8, 8) % 7
    padded = np.pad(image, 1, mode="edge")
    out = np.zeros_like(image)
    for i in range(3):
        for j in range(3):
            out += padded[i:i + 8, j:j + 8] / 9
    return out


def insertion_sort(np):
    a = np.array([5, 2, 9, 1, 5, 6])
    for i in range(1, len(a)):
        j = i
        while j > 0 and a[j - 1] > a[j]:
            a[j - 1], a[j] = a[j].copy(), a[j - 1].copy()
            j -= 1
    return a


def k_means(np):
    points = np.asarray(numpy.random.default_rng(1).normal(size=(60, 2)) + numpy.repeat([[0, 0], [6, 6], [0, 6]], 20, 0))
    centers = points[[0, 20, 40]]
    for _ in range(5):
        labels = np.argmin(np.sum((points[:, None] - centers[None]) ** 2, axis=2), axis=1)
        centers = np.stack([points[labels == k].mean(axis=0) for k in range(3)])
    return centers, np.bincount(labels, minlength=3)


def equalize(np):
    image = np.asarray((numpy.random.default_rng(2).normal(size=(16, 16)) * 30 + 100).astype("uint8"))
    counts, edges = np.histogram(image.flatten(), 256, (0, 256))
    cdf = counts.cumsum()
    return np.interp(image.flatten(), edges[:-1], 255 * cdf / cdf[-1]).reshape(image.shape)


def kalman(np):
    z = np.asarray(numpy.random.default_rng(3).normal(size=30)) * 0.1 + 1
    x, p, track = 0.0, 1.0, np.empty(30)
    for i in range(30):
        p += 1e-5
        gain = p / (p + 0.01)
        x = x + gain * (z[i] - x)
        p = (1 - gain) * p
        track[i] = x
    return track


def lu(np):
    a = np.asarray(numpy.random.default_rng(4).normal(size=(6, 6)) + 6 * numpy.eye(6))
    lower, upper = np.eye(6), a.copy()
    for k in range(5):
        for i in range(k + 1, 6):
            lower[i, k] = upper[i, k] / upper[k, k]
            upper[i] -= lower[i, k] * upper[k]
    return lower, np.triu(upper), np.allclose(lower @ upper, a)


PROGRAMS = [life, pca, low_pass, monte_carlo, blur, insertion_sort, k_means, equalize, kalman, lu]


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda p: p.__name__)
def test_programs_with_another_import(program, np):
    want, got = program(numpy), program(np)
    for a, b in zip(got if isinstance(got, tuple) else (got,), want if isinstance(want, tuple) else (want,)):
        numpy.testing.assert_allclose(numpy.asarray(a), b, rtol=1e-9, atol=1e-12)
        assert numpy.asarray(a).dtype == numpy.asarray(b).dtype


def test_ufunc_methods(np, rng):
    x, y = rng.normal(size=(3, 4)), rng.normal(size=4)
    for name in ("add", "multiply", "maximum", "minimum", "subtract", "hypot", "logaddexp", "divide"):
        ours, theirs = getattr(np, name), getattr(numpy, name)
        a, b = np.asarray(x), np.asarray(y)
        pairs = [(ours.accumulate(a, 1), theirs.accumulate(x, 1)), (ours.outer(b, a), theirs.outer(y, x)), (ours.reduce(a), theirs.reduce(x)), (ours.reduceat(a, [0, 2, 1], axis=1), theirs.reduceat(x, [0, 2, 1], axis=1))]
        for got, want in pairs:
            numpy.testing.assert_allclose(got.numpy(), want, rtol=1e-12)
        theirs.at(p := y.copy(), [0, 0, 2], 2.0)
        ours.at(q := np.asarray(y.copy()), [0, 0, 2], 2.0)
        numpy.testing.assert_allclose(q.numpy(), p, rtol=1e-13)
    assert np.logical_and.reduce([True, False]).item() is False and np.bitwise_or.reduce(np.array([1, 2, 4])).item() == 7 and np.gcd.reduce(np.array([12, 18])).item() == 6
    assert np.add.nin == 2 and np.add.identity == 0 and np.add(np.array([True, False]), np.array([True, False])).tolist() == [True, False]
    out = np.zeros(4)
    assert np.multiply(y, 2, out) is out and np.sin(y, out=out) is out
    same_bits(out, kn.sin(kn.asarray(y)))
    numpy.testing.assert_array_equal(np.add(y, 1, where=y > 0, out=np.asarray(y.copy())).numpy(), numpy.add(y, 1, where=y > 0, out=y.copy()))
    assert np.exp([1, 2]).dtype == "float64" and np.add(1, 2, dtype=np.float32).dtype == "float32"
    with pytest.raises(ValueError, match="subtract.reduce: where: expected a function with an identity"):
        np.subtract.reduce(np.ones(3), where=[True, False, True])
    with pytest.raises(TypeError, match="add: arguments: expected 2 arrays, got 1"):
        np.add(1)


def test_files(np, tmp_path, rng):
    arrays = [rng.normal(size=(3, 4)), rng.integers(0, 9, 5), numpy.array(2.5), numpy.zeros((0, 3), "f"), rng.normal(size=4) + 1j, rng.random(3) < 0.5, rng.normal(size=(2, 3)).astype("f2")]
    for i, a in enumerate(arrays):
        np.save(tmp_path / f"{i}", np.asarray(a))
        back = numpy.load(tmp_path / f"{i}.npy")
        numpy.save(tmp_path / f"their{i}.npy", a)
        for loaded in (back, np.load(tmp_path / f"their{i}.npy").numpy()):
            numpy.testing.assert_array_equal(loaded, a)
            assert loaded.dtype == a.dtype and loaded.shape == a.shape
    numpy.save(tmp_path / "f.npy", numpy.asfortranarray(arrays[0]))
    numpy.testing.assert_array_equal(np.load(tmp_path / "f.npy").numpy(), arrays[0])
    for write in (np.savez, np.savez_compressed):
        write(tmp_path / "z", arrays[0], b=arrays[1])
        with np.load(tmp_path / "z.npz") as z:
            assert z.files == ["arr_0", "b"] and z["b"].tolist() == arrays[1].tolist()
        assert numpy.load(tmp_path / "z.npz")["arr_0"].tolist() == arrays[0].tolist()
    np.savetxt(tmp_path / "t.txt", np.asarray(arrays[0]), header="numbers")
    numpy.testing.assert_array_equal(np.loadtxt(tmp_path / "t.txt").numpy(), numpy.loadtxt(tmp_path / "t.txt"))
    numpy.testing.assert_array_equal(np.loadtxt(io.StringIO("1,2\n3,4"), delimiter=",", unpack=True)[1].numpy(), [2, 4])
    numpy.save(tmp_path / "o.npy", numpy.array(["a"]))
    data = (tmp_path / "0.npy").read_bytes()
    (tmp_path / "short.npy").write_bytes(data[:-8])
    (tmp_path / "other.npy").write_bytes(b"hello world")
    for name, error, message in (("o.npy", kn.DTypeError, "load: o.npy: expected numbers in the order of this machine"), ("short.npy", kn.PackageError, "load: short.npy: expected 96 bytes of elements, got 88"),
                                 ("other.npy", kn.PackageError, "load: other.npy: expected an .npy or .npz file")):
        with pytest.raises(error, match=message):
            np.load(tmp_path / name)
    with pytest.raises(kn.DTypeError, match="save: dtype: expected one that NumPy's files have, got bfloat16"):
        np.save(tmp_path / "b", kn.zeros(2, kn.bfloat16))
    with pytest.raises(ValueError, match="loadtxt: line: expected numbers, got 'a b'"):
        np.loadtxt(io.StringIO("a b"))
    with pytest.raises(kn.ShapeError, match="savetxt: rank: expected at most 2, got 3"):
        np.savetxt(io.StringIO(), np.zeros((1, 1, 1)))


def test_keys_types_and_settings(np):
    assert np.mgrid[0:2, 0:3].tolist() == numpy.mgrid[0:2, 0:3].tolist() and np.ogrid[0:2, 0:3][1].shape == (1, 3) and np.mgrid[0:1:5j].tolist() == [0, 0.25, 0.5, 0.75, 1]
    assert np.r_[1:4, 0, 4].tolist() == [1, 2, 3, 0, 4] and np.c_[[1, 2], [3, 4]].tolist() == [[1, 3], [2, 4]] and np.s_[1:2, 3] == (slice(1, 2), 3) and np.index_exp[1] == (1,)
    assert np.issubdtype(np.float32, np.floating) and not np.issubdtype(np.int8, np.unsignedinteger) and np.issubdtype(np.integer, np.number) and np.dtype("f4") is kn.float32 and np.dtype(float) is kn.float64
    assert np.promote_types("int8", "int16") is kn.int16 and np.finfo(np.float64).tiny == numpy.finfo(float).tiny and np.int_ is kn.int64 and np.iinfo(np.int8).max == 127
    with np.errstate(divide="ignore"), np.printoptions(precision=2):
        assert str(np.array([1 / 3])) == "[0.33]"
    assert str(np.array([1 / 3])) == "[0.3333333333333333]" and np.geterr()["over"] == "ignore"
    big = np.arange(100000)
    assert str(big) == "[    0,     1,     2, ..., 99997, 99998, 99999]"
    assert np.ndim([[1]]) == 2 and np.shape([[1, 2]]) == (1, 2) and np.size([1, 2]) == 2 and np.isscalar(3) and np.iterable([]) and np.array_equiv([1, 1], 1) and not np.array_equiv([1, 2], [1, 2, 3])
    assert np.frombuffer(b"\x01\x00\x02\x00", np.int16).tolist() == [1, 2] and np.fromiter((i * i for i in range(4)), int).tolist() == [0, 1, 4, 9]
    assert np.fromfunction(lambda i, j: i + j, (2, 2), dtype=int).tolist() == [[0, 1], [1, 2]] and np.vectorize(lambda a, b: max(a, b))([1, 5], 3).tolist() == [3, 5]
    assert list(np.ndindex(2, 2)) == [(0, 0), (0, 1), (1, 0), (1, 1)] and [(i, int(v)) for i, v in np.ndenumerate(np.array([3, 4]))] == [((0,), 3), ((1,), 4)]
    with pytest.raises(ValueError, match="frombuffer: count: expected at most 2, got 3"):
        np.frombuffer(b"\x01\x00\x02\x00", np.int16, 3)


def test_functions_of_parts_of_arrays(np, rng):
    """As NumPy's vectorize, by a signature, with names and what is left out."""
    x, y = rng.normal(size=(3, 1, 4)), rng.normal(size=(2, 4))
    cases = [("(n),(n)->()", lambda m: lambda a, b: m.dot(a, b), (x, y)), ("(n)->(n)", lambda m: lambda a: m.cumsum(a), (x,)), ("(n),()->(n)", lambda m: lambda a, s: a * s, (y, [2.0, 3.0])),
             ("(i, j),(j)->(i)", lambda m: lambda a, b: m.matmul(a, b), (rng.normal(size=(5, 2, 3, 4)), y)), ("(n)->(),(n)", lambda m: lambda a: (m.sum(a), a * 2), (x,))]
    for signature, function, operands in cases:
        ours, theirs = (m.vectorize(function(m), signature=signature)(*operands) for m in (np, numpy))
        for a, b in zip(*((r if isinstance(r, tuple) else (r,)) for r in (ours, theirs))):
            numpy.testing.assert_allclose(a.numpy(), b)

    def power(base, *, times=1, names=None):
        assert names is None or names == ["a"]
        return base ** times
    each = np.vectorize(power, excluded=["names"], otypes=["f8"])
    assert each([1, 2, 3], times=[2, 2, 3], names=["a"]).tolist() == [1, 4, 27] and each.__name__ == "power"

    @np.vectorize(signature="(n)->()", otypes=[float])
    def largest(a):
        return a.max()
    assert largest(np.zeros((0, 3))).shape == (0,) and largest([[1, 2], [4, 3]]).tolist() == [2, 4] and largest([1, 2]).dtype == np.float64
    for text, operands, match in [("(n)", (1,), r"signature: expected one like '\(n\),\(n\)->\(\)', got '\(n\)'"), ("(n),(n)->()", (y,), "arguments: expected 2, as the signature says, got 1"), ("(n)->()", (1.0,), "rank of operand 0: expected at least 1, got 0"),
                                  ("(n),(n)->()", (y, [1.0, 2]), "size of axis 'n' of operand 1: expected 4, got 2"), ("(n)->(),()", (y,), "results: expected 2, as the signature says, got 1"), ("(n)->(n)", (y,), "rank of result 0: expected 1, got 0"),
                                  ("(n)->()", (np.zeros((0, 3)),), "operands: expected at least one position, or 'otypes' and sizes that operands have, got none")]:
        with pytest.raises(ValueError, match="vectorize: " + match):
            np.vectorize(lambda *a: 1.0, signature=text)(*operands)
    together = np.frompyfunc(lambda a, b: a * 10 + b, 2, 1)
    assert together([1, 2], [[3], [4]]).tolist() == [[13, 23], [14, 24]] and (together.nin, together.nout, together.nargs) == (2, 1, 3)
    with pytest.raises(ValueError, match="operands: expected 2, got 1"):
        together(1)


@pytest.mark.parametrize("code", ["?", "b", "h", "i", "l", "q", "p", "B", "H", "I", "L", "e", "f", "d", "F", "D", "b1", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f2", "f4", "f8", "c8", "c16",
                                  "<f8", "=i4", "|u1", "int", "float", "complex", "double", "single", "half", "intp", "uint", "short", "longlong", "bool_"])
def test_codes_of_dtypes(code, np):
    """Everywhere that a dtype is asked for."""
    theirs = numpy.dtype(code)
    ours = np.dtype(code)
    assert ours.name == theirs.name and np.zeros(3, code).dtype is ours and np.ones(2).astype(code).dtype is ours and ours == code and ours == theirs
    plain = numpy.dtype(theirs.name)  # NumPy tells C's names of one size apart
    assert (ours.str, ours.char, ours.num) == (plain.str, plain.char, plain.num)
    assert ours.byteorder == theirs.byteorder and kn.jit(lambda x: x.astype(code))(np.ones(2)).dtype is ours
    if ours.kind in "fc":
        assert np.finfo(code).eps == numpy.finfo(code).eps
    elif ours.kind in "iu":
        assert np.iinfo(code).max == numpy.iinfo(code).max


def test_kinds_of_numbers(np):
    x = np.asarray([1.5, 2.5])
    assert np.finfo(float).bits == np.finfo(1.0).bits == 64 and np.iinfo(int).bits == 64 and x.dtype == float and x.dtype == "f8" and x.dtype != int and x.dtype != "nothing" and x.dtype.type(3) == 3
    assert isinstance(x[0], np.floating) and isinstance(x[0], np.float64) and isinstance(x[0], np.generic) and not isinstance(x[0], np.integer) and not isinstance(x, np.floating)
    assert isinstance(numpy.float64(1), np.float64) and issubclass(np.float64, np.inexact) and not issubclass(np.float64, np.integer) and not isinstance(x[0], np.float32)
    with pytest.raises(kn.DTypeError, match="finfo: dtype: expected a floating dtype, got <class 'int'>"):
        np.finfo(int)
    with pytest.raises(kn.DTypeError, match="dtype: name: expected one of bool"):
        np.zeros(3, ">f8")
    with pytest.raises(AttributeError, match="dtype: expected one that NumPy has, got bfloat16"):
        kn.bfloat16.char


def test_functions_of_integers_and_texts(np):
    i = np.asarray([1, 2, 0, -3])
    assert np.reciprocal(i).tolist() == [1, 0, 0, 0] and np.rint(i).dtype is kn.float64 and np.reciprocal(np.asarray([4.0])).tolist() == [0.25]
    same_bits(kn.jit(lambda v: np.rint(v) + np.reciprocal(v))(i), np.rint(i) + np.reciprocal(i))
    x = np.asarray([[1 / 3, 2.0], [3.0, 4.0]])
    assert x.tobytes("F") == x.numpy().tobytes("F") and x.tobytes() == x.numpy().tobytes()
    assert np.array2string(x[0], precision=2, separator=";") == "[0.33;  2.]" and np.array_str(x[0], precision=1) == "[0.3,  2.]" and "0.33," in np.array_repr(x, precision=2)
    assert np.array2string(np.arange(3)) == numpy.array2string(numpy.arange(3)) and "separator" not in np.get_printoptions()


def test_methods_of_arrays(np, tmp_path):
    theirs = numpy.arange(6.0).reshape(2, 3)
    x = np.asarray(theirs.copy())
    x.flat[1], x.T.flat[1] = 9, 7
    theirs.flat[1], theirs.T.flat[1] = 9, 7
    assert x.tolist() == theirs.tolist() and len(x.flat) == 6 and numpy.asarray(x.flat).tolist() == theirs.ravel().tolist() and x.flat.copy().tolist() == theirs.flat.copy().tolist()
    assert x.flags.c_contiguous and x.T.flags["F_CONTIGUOUS"] and x.flags["W"] and not np.broadcast_to(x, (2, 2, 3)).flags.writeable and "C_CONTIGUOUS : True" in repr(x.flags)
    x.put([0, 5], 8)
    theirs.put([0, 5], 8)
    x.resize(3, 2)
    assert x.tolist() == theirs.reshape(3, 2).tolist() and x.data.shape == (3, 2)
    x.tofile(tmp_path / "x")
    assert numpy.fromfile(tmp_path / "x").tolist() == theirs.ravel().tolist()
    x.tofile(tmp_path / "text", sep=" ", format="%g")
    assert (tmp_path / "text").read_text() == "8 9 2 7 4 8"
    swapped = np.asarray([1, 256], dtype="i2")
    assert swapped.byteswap(inplace=True) is swapped and swapped.tolist() == [256, 1]
    x.flat = 0
    assert not x.any() and kn.jit(lambda v: v.flat[2])(x) == 0
    assert [theirs.item(3), theirs.item(1, 2), theirs.item((0, 1))] == [a.item(3) if i == 0 else a.item(1, 2) if i == 1 else a.item((0, 1)) for i, a in enumerate([np.asarray(theirs)] * 3)]
    for call, error, message in ((lambda: x.resize(7), kn.ShapeError, "resize: size: expected 6 elements"), (lambda: x.astype("i4", casting="same_kind"), kn.DTypeError, "astype: casting: expected a 'same_kind' conversion, got float64 to int32"),
                                 (lambda: x.copy(order="X"), ValueError, "copy: order: expected 'C'"), (lambda: np.ones(3, "u1").view("i2"), kn.ShapeError, "view: last axis: expected a multiple of 2 bytes, got 3"),
                                 (lambda: x.item(9), IndexError, "position along axis 0")):
        with pytest.raises(error, match=message):
            call()


@pytest.mark.parametrize("call", [lambda n: n.histogram([n.inf, 1]), lambda n: n.histogram([n.nan, 1]), lambda n: n.histogram([1, 2], bins=[3, 1])])
def test_histograms_without_limits(call, np):
    for space in (np, numpy):
        with pytest.raises(ValueError):
            call(space)
    with pytest.raises(ValueError, match="histogram: elements: expected finite ones, or a range"):
        np.histogram([np.inf, 1])
    with pytest.raises(ValueError, match=r"histogram: bins: expected limits that ascend, got \[3, 1\]"):
        np.histogram([1, 2], bins=[3, 1])


FUNCTIONS = ["np.fix(x * 3)", "np.i0(x)", "np.kaiser(9, 5.5)", "np.kaiser(1, 2.0)", "np.polydiv([1.0, 5, 8, 4], [1.0, 2])[0]", "np.polydiv([1.0, 5, 8, 5], [1.0, 2])[1]", "np.polydiv([2.0], [1.0, 3])[0]", "np.matvec(x, v)", "np.vecmat(u, x)",
             "np.vecmat(u * 1j, x)", "np.mask_indices(4, np.triu, 1)", "np.packbits(x > 0)", "np.packbits(x > 0, axis=1)", "np.packbits(x > 0, axis=0, bitorder='little')", "np.unpackbits(b)", "np.unpackbits(b, count=11)",
             "np.unpackbits(b, count=-3)", "np.unpackbits(b[:, None], axis=1, bitorder='little')", "np.unpackbits(b, count=30)", "np.sort_complex(v + 1j)", "np.sort_complex([3, 1, 2])", "np.sort_complex([[2j, 1j], [1, 0]])",
             "np.real_if_close([1 + 1e-20j, 2])", "np.real_if_close([1 + 1j, 2])", "np.asarray_chkfinite(v)", "np.fromstring('1 2 3', sep=' ')", "np.fromstring('1, 2,3', dtype=int, count=2, sep=',')", "np.broadcast(x, v).shape",
             "[float(p) + float(q) for p, q in np.broadcast(v, 2.0)]", "np.isfortran(x.T)"]
ALIKE = ["np.min_scalar_type(255).name", "np.min_scalar_type(-129).name", "np.min_scalar_type(2**40).name", "np.min_scalar_type(1e10).name", "np.min_scalar_type(1e300j).name", "np.min_scalar_type(True).name", "np.binary_repr(10, width=6)",
         "np.binary_repr(-3, width=5)", "np.binary_repr(-3)", "np.base_repr(-255, 16)", "np.base_repr(0)", "np.base_repr(5, padding=3)", "np.broadcast(x, v).ndim", "np.broadcast(x, v).size"]


@pytest.mark.parametrize("text", FUNCTIONS + ALIKE)
def test_functions_of_numpy_alone(text, np):
    scope = {"x": numpy.linspace(-1.5, 2, 12).reshape(3, 4), "v": numpy.array([2.0, -1, 0.5, 3]), "u": numpy.array([1.0, -2, 3]), "b": numpy.array([7, 130], "u1")}
    want = eval(text, {"np": numpy, **scope})
    got = eval(text, {"np": np, **{n: np.asarray(a) for n, a in scope.items()}})
    if text in ALIKE:
        assert got == want
        return
    for a, b in zip(got, want, strict=True) if isinstance(want, tuple) else ((got, want),):
        a, b = numpy.asarray(a), numpy.asarray(b)
        assert a.shape == b.shape and a.dtype == b.dtype
        numpy.testing.assert_allclose(a, b, rtol=1e-13, atol=1e-15)
    if not any(part in text for part in ("real_if", "polydiv", "mask_", "chkfinite", "broadcast", "fortran")):
        names = [n for n in scope if re.search(rf"\b{n}\b", text)]
        f = eval(f"lambda {', '.join(names)}: {text}", {"np": np})
        same_bits(kn.jit(f)(*(np.asarray(scope[n]) for n in names)), got)


def test_numbers_in_files(np, tmp_path):
    numpy.arange(6.0).tofile(tmp_path / "x")
    assert np.fromfile(tmp_path / "x").tolist() == [0, 1, 2, 3, 4, 5] and np.fromfile(tmp_path / "x", count=2, offset=8).tolist() == [1, 2]
    (tmp_path / "text").write_text("1;2;3")
    with open(tmp_path / "text", "rb") as file:
        assert np.fromfile(file, dtype=int, sep=";").tolist() == [1, 2, 3]
    for call, error, message in ((lambda: np.fromstring("1 a", sep=" "), ValueError, "fromstring: string: expected numbers, got"), (lambda: np.binary_repr(9, 2), ValueError, "binary_repr: width: expected enough digits for 9, got 2"),
                                 (lambda: np.base_repr(9, 37), ValueError, r"base_repr: base: expected one in \[2, 36\], got 37"), (lambda: np.unpackbits(np.ones(3)), kn.DTypeError, "unpackbits: dtype: expected uint8, got float64"),
                                 (lambda: np.asarray_chkfinite([np.nan]), ValueError, "asarray_chkfinite: elements: expected finite ones"), (lambda: np.packbits([1], bitorder="x"), ValueError, "packbits: bitorder: expected 'big' or 'little'")):
        with pytest.raises(error, match=message):
            call()


@pytest.mark.parametrize("rule", ["auto", "doane", "fd", "rice", "scott", "sqrt", "stone", "sturges"])
def test_rules_of_histograms(rule, np, rng):
    for x in (rng.normal(size=300), rng.exponential(size=50), rng.integers(0, 9, 200), rng.integers(0, 400, 80), numpy.ones(5), numpy.zeros(0), numpy.array([3.0])):
        for limits in (None, (0.5, 2.0)):
            want, edges = numpy.histogram(x, rule, limits)
            got, ours = np.histogram(np.asarray(x), rule, limits)
            assert got.tolist() == want.tolist() and numpy.allclose(ours.numpy(), edges)
    with pytest.raises(ValueError, match="histogram: bins: expected a number, limits, or one of 'auto', 'doane'"):
        np.histogram([1.0], "nothing")


def test_results_in_arrays_of_numpy(np):
    out = numpy.zeros(2, int)
    assert np.add([1, 2], [3, 4], out=out) is out and out.tolist() == [4, 6] and np.sum(np.asarray([[1, 2], [3, 4]]), 0, out=out) is out and out.tolist() == [4, 6]
    with pytest.raises(kn.ShapeError, match=r"add: out: expected an array of shape \(3,\), got \(2,\)"):
        np.add([1, 2, 3], 1, out=out)


def test_arguments_of_polynomials(np):
    a = numpy.array([[1.0, 2], [3, 4]])
    numpy.testing.assert_allclose(np.poly(np.asarray(a)).numpy(), numpy.poly(a), atol=1e-12)
    for call, error, message in ((lambda: np.polyint([1.0, 2], 3, [1, 2]), ValueError, "polyint: k: expected one constant or 3, got 2"), (lambda: np.geomspace(0j, 1), ValueError, "geomspace: limits: expected numbers other than 0"),
                                 (lambda: np.ravel_multi_index(([1], [2]), (3, 4), mode="x"), ValueError, "ravel_multi_index: mode: expected 'raise' or 'wrap' or 'clip', got 'x'")):
        with pytest.raises(error, match=message):
            call()


def test_arguments_of_decompositions(np, rng):
    a = rng.normal(size=(4, 3))
    x, s = np.asarray(a), np.asarray(a.T @ a)
    assert np.linalg.svd(x, compute_uv=False).tolist() == np.linalg.svdvals(x).tolist() and len(np.linalg.svd(s, hermitian=True)) == 3
    for tol in (None, 0.5, 1.5):
        assert np.linalg.matrix_rank(x, tol).item() == numpy.linalg.matrix_rank(a, tol) and np.linalg.matrix_rank(s, rtol=0.1, hermitian=True).item() == numpy.linalg.matrix_rank(a.T @ a, rtol=0.1)
    assert np.linalg.matrix_rank([0.0, 2]).item() == 1 and np.linalg.matrix_rank(np.zeros(3)).item() == 0
    numpy.testing.assert_allclose(np.linalg.pinv(x, rcond=0.4).numpy(), numpy.linalg.pinv(a, rcond=0.4), atol=1e-12)


def test_the_default_dtype_is_set_once(tmp_path):
    code = "import kiln as kn\nassert kn.zeros(1).dtype is kn.float32\n{}\nimport kiln.numpy as np\nassert np.zeros(1).dtype is kn.{}\nassert (np.arange(2) / 2).dtype is kn.{}"
    for before, dtype in (("", "float64"), ("kn.set_default_dtype(kn.float32)", "float32"), ("import numpy\nnumpy.sin(kn.ones(2))\nassert kn.zeros(1).dtype is kn.float32", "float64")):
        run = subprocess.run([sys.executable, "-c", code.format(before, dtype, dtype)], capture_output=True, text=True)
        assert run.returncode == 0, run.stderr


def test_names_that_are_planned_say_so():
    for name in ("optim", "SummaryWriter"):
        with pytest.raises(AttributeError, match="it is planned; meanwhile use"):
            getattr(kn, name)
    with pytest.raises(AttributeError, match="has no attribute 'nothing'$"):
        kn.nothing


@pytest.mark.filterwarnings("ignore::kiln.KilnWarning")
@pytest.mark.parametrize("program", PROGRAMS, ids=lambda p: p.__name__)
def test_programs_under_jit(program, np):
    """The same source with the namespace as a global, decorated."""
    source = inspect.getsource(program).replace("(np, ", "(", 1).replace("(np)", "()", 1)
    scope = {"np": np, "numpy": numpy}
    exec(compile(source, "program.py", "exec"), scope)
    jitted = kn.jit(scope[program.__name__])
    want = program(np)
    for _ in range(2):
        got = jitted()
        for a, b in zip(got if isinstance(got, tuple) else (got,), want if isinstance(want, tuple) else (want,)):
            numpy.testing.assert_array_equal(numpy.asarray(a), numpy.asarray(b))


def test_ufuncs_compile(np):
    """Functions of the namespace are known to jit: nothing runs in eager."""
    scope = {"np": np}
    exec("def f(x, y):\n    z = np.add(np.sin(x), np.multiply(y, 2.0))\n    return np.where(np.greater(z, 0), np.hypot(x, y), np.cumsum(z, 0)), np.einsum('ij,ij->i', x, y), np.linalg.norm(x), np.median(x, 1)", scope)
    x, y = np.asarray(numpy.random.default_rng(0).normal(size=(4, 5))), np.ones((4, 5))
    jitted = kn.jit(scope["f"], on_miss="raise")
    for a, b in zip(jitted(x, y), scope["f"](x, y)):
        same_bits(a, b)
    assert jitted.stats.kernels


def test_arrays_by_their_class_and_shapes_that_are_set():
    import kiln.numpy as np

    x = np.ndarray((2, 3))
    assert isinstance(x, np.ndarray) and x.shape == (2, 3) and x.dtype == np.float64
    assert np.ndarray(4, dtype="int32").dtype == np.int32 and np.ndarray(()).shape == ()
    y = np.arange(6)
    whole, y.shape = y, (2, -1)
    y[0, 1] = 9
    assert y.tolist() == [[0, 9, 2], [3, 4, 5]] and whole is y
    part = np.arange(12).reshape(3, 4)[:, 0]
    part.shape = (3, 1)
    part[1] = 7
    assert part.tolist() == [[0], [7], [8]]

    def inside(x):
        z = np.ndarray(x.shape)
        z[...] = x
        z.shape = (-1,)
        return z

    def outside(x):
        x.shape = (3, 2)
        return x + 1

    for f in (inside, outside):
        jitted, mine, theirs = kn.jit(f), np.arange(6.0).reshape(2, 3), np.arange(6.0).reshape(2, 3)
        for _ in range(3):
            mine.shape = theirs.shape = (2, 3)
            assert jitted(mine).tolist() == f(theirs).tolist() and mine.shape == theirs.shape


@pytest.mark.parametrize("call, error, message", [
    (lambda np: np.ndarray((-1,)), ValueError, "ndarray: shape: expected sizes of at least 0"),
    (lambda np: np.ndarray(), TypeError, "missing required argument 'shape'"),
    (lambda np: np.ndarray(3, "none"), TypeError, "dtype: name: expected one of"),
    (lambda np: np.ndarray((1 << 62,)), ValueError, "ndarray: number of elements: expected at most"),
    (lambda np: setattr(np.ones((2, 3)).T, "shape", (6,)), ValueError, "shape: expected one that the memory of the array can be seen in"),
    (lambda np: setattr(np.ones(3), "shape", (2,)), ValueError, "number of elements: expected 3"),
    (lambda np: delattr(np.ones(3), "shape"), ValueError, "shape: expected sizes, got none: it cannot be deleted")])
def test_what_no_array_can_be(call, error, message):
    import kiln.numpy as np

    with pytest.raises(error, match=message):
        call(np)


NUMERIC = ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "float16", "float32", "float64", "complex64", "complex128")


@pytest.mark.parametrize("first", NUMERIC)
def test_promotion_is_numpys(np, first):
    for second in ("bool", *NUMERIC):
        wanted = numpy.result_type(first, second).name
        x, y = np.ones(2, dtype=first), np.ones(2, dtype=second)
        made = {"result_type": np.result_type(x, y), "+": (x + y).dtype, "jit": kn.jit(lambda a, b: a + b)(x, y).dtype, "matmul": (x @ y).dtype,
                "concatenate": np.concatenate([x, y]).dtype, "where": np.where(np.asarray([True, False]), x, y).dtype}
        assert {k: v.name for k, v in made.items()} == dict.fromkeys(made, wanted), second
        for casting in ("no", "equiv", "safe", "same_kind", "unsafe"):
            assert np.can_cast(first, second, casting=casting) == numpy.can_cast(first, second, casting=casting), (second, casting)
    with pytest.raises(ValueError, match="can_cast: casting: expected 'no' or 'equiv'"):
        np.can_cast(first, "int8", "maybe")


def test_numbers_stay_weak(np):
    x = np.ones(2, dtype="float32")
    assert (x + 1).dtype == (x * 2.5).dtype == np.float32 and (np.ones(2, dtype="int32") * 2.5).dtype == np.float64
    x += np.ones(2, dtype="int32")
    assert x.dtype == np.float32
