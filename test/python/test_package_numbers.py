"""Results of packages that depend on sizes: numbers are outputs where they follow from them, and else, as texts, those of the program that runs."""
import ctypes
import json
import zipfile

import numpy as np
import pytest

import kiln as kn

X = kn.ones(5)


def exported(tmp_path, f, *args, least=1, most=64, **options):
    kn.export(f, *(args or (X,)), to=tmp_path / "m.kiln", dynamic={0: {0: ("n", least, most)}}, **options)
    return kn.load(tmp_path / "m.kiln"), json.loads(zipfile.ZipFile(tmp_path / "m.kiln").read("manifest.json"))["entries"]


def plain(value):
    if isinstance(value, kn.Array):
        return value.dtype.name, value.shape, value.tolist()
    if isinstance(value, dict):
        return {k: plain(v) for k, v in value.items()}
    return type(value)(map(plain, value)) if isinstance(value, (list, tuple)) else (type(value), repr(value))


def mean_and_size(x):
    return kn.mean(x), x.shape[0]


FOLLOWING = [  # a function, and how many programs it is: a size of 1 is one of its own
    (lambda x: (x * 2, x.shape[0]), 2), (lambda x: {"a": x, "n": x.shape[0] // 3, "m": [x.shape[0] * x.shape[0] + 7]}, 2), (lambda x: (x, 1 / x.shape[0]), 2),
    (lambda x: (x, (x.shape[0] - 1) / x.shape[0], x.shape[0] / 2, float(x.shape[0]), 3, 0.1), 2), (lambda x: (x, -x.shape[0] / 1), 2), (mean_and_size, 2)]


@pytest.mark.parametrize("f, programs", FOLLOWING)
def test_numbers_that_follow_from_sizes(tmp_path, f, programs):
    m, entries = exported(tmp_path, f)
    assert len(entries) <= programs
    for n in range(1, 65):
        assert plain(m(kn.arange(float(n)))) == plain(f(kn.arange(float(n)))), n


CHOSEN = [
    lambda x: (x, "odd" if x.shape[0] % 2 else "even"), lambda x: (x, x.shape[0] > 10), lambda x: (x, None if x.shape[0] < 9 else 3.5), lambda x: (x, 3 if x.shape[0] < 7 else 3.0),
    lambda x: [x] if x.shape[0] < 20 else (x,), lambda x: (x, 0.1 * (x.shape[0] // 30)), lambda x: (x, 2**(60 + x.shape[0] // 16)), lambda x: (x, float("nan") if x.shape[0] == 3 else -0.0)]


@pytest.mark.parametrize("f", CHOSEN)
def test_what_is_one_of_few(tmp_path, f):
    m, _ = exported(tmp_path, f)
    for n in range(1, 65):
        assert plain(m(kn.arange(float(n)))) == plain(f(kn.arange(float(n)))), n


def test_many_sizes_are_few_programs(tmp_path):
    m, entries = exported(tmp_path, lambda x: (x * 2, x.shape[0], 1 / x.shape[0]), most=4096)
    assert len(entries) == 2
    assert [m(kn.ones(n))[1:] for n in (1, 2, 1023, 4096)] == [(n, 1 / n) for n in (1, 2, 1023, 4096)]


def test_two_sizes(tmp_path):
    def f(x, y):
        return x.shape[0] * y.shape[0] + 1, y.shape[0] / x.shape[0], kn.sum(x) + kn.sum(y)
    kn.export(f, X, X, to=tmp_path / "m.kiln", dynamic={"x": {0: ("n", 1, 20)}, "y": {0: ("m", 1, 20)}})
    m = kn.load(tmp_path / "m.kiln")
    for n, k in ((1, 1), (1, 7), (20, 3), (19, 20), (6, 6)):
        assert plain(m(kn.ones(n), kn.ones(k))) == plain(f(kn.ones(n), kn.ones(k)))


def test_numbers_of_ways_and_sizes(tmp_path):
    def f(x):
        return (x, x.shape[0] + 1, 2) if kn.sum(x) > 0 else (-x, x.shape[0] // 2, 2)
    m, entries = exported(tmp_path, f, X, examples=[(-X,)])
    assert len(entries) <= 3
    for n in range(1, 65):
        for x in (kn.ones(n), -kn.ones(n)):
            assert plain(m(x)) == plain(f(x)), n


def test_numbers_of_ways_that_are_equal(tmp_path):
    """1, 1.0, True, 0.0 and -0.0 are others."""
    for a, b in ((1, 1.0), (True, 1), (0.0, -0.0)):
        def f(x):
            return (x, a) if kn.sum(x) > 0 else (x, b)
        try:
            kn.export(f, X, to=tmp_path / "m.kiln", examples=[(-X,)])
        except kn.TraceError as error:
            assert type(a) is not type(b) and "expected one structure on every way" in str(error)
        else:
            assert [plain(kn.load(tmp_path / "m.kiln")(x)) for x in (X, -X)] == [plain(f(x)) for x in (X, -X)]


def test_numbers_of_libraries(tmp_path):
    kn.export(mean_and_size, X, to=tmp_path / "libm.so", header=tmp_path / "m.h", name="m", dynamic={0: {0: ("n", 1, 64)}})
    assert "int64_t *out1" in (tmp_path / "m.h").read_text()
    library, m = ctypes.CDLL(str(tmp_path / "libm.so")), ctypes.c_void_p()
    assert library.m_open(ctypes.byref(m), None, None, 0) == 0
    for n in (1, 2, 33, 64):
        x, mean, size = np.arange(n, dtype="f"), np.zeros(1, "f"), np.zeros(1, np.int64)
        pointer = ctypes.c_void_p
        assert library.m_run(m, pointer(x.ctypes.data), ctypes.c_int64(n), pointer(mean.ctypes.data), pointer(size.ctypes.data), None, ctypes.c_size_t(0), None, ctypes.c_size_t(0)) == 0
        assert (mean[0], size[0]) == (x.mean(), n)
    library.m_close(m)


def test_what_no_program_can_be(tmp_path):
    with pytest.raises(kn.TraceError, match=r"result of 'run': expected the same arrays at all sizes, got out0 float32 of 1 axes at n = 1 and out0 float32 of 1 axes, out1 float32 of 1 axes at n = 2"):
        exported(tmp_path, lambda x: [x * 2 + i for i in range(x.shape[0])], most=6)
    with pytest.raises(kn.TraceError, match="expected the same arrays at all sizes, got out0 float32 of 1 axes at n = 1 and out0 int32 of 1 axes at n = 5"):
        exported(tmp_path, lambda x: x if x.shape[0] < 5 else x.astype("int32"))
    with pytest.raises(kn.TraceError, match=r"result\['1'\] of 'run': expected what is the same at all sizes, is one of few, or a number that follows"):
        exported(tmp_path, lambda x: (x, f"n = {x.shape[0]}"), most=100)
    with pytest.raises(kn.TraceError, match=r"result\['1'\] of 'run': expected what is the same at all sizes"):
        exported(tmp_path, lambda x: (x, 1.37 ** (x.shape[0] % 97)), most=200)
    assert not (tmp_path / "m.kiln").exists()
