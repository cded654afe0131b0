"""Packages for sizes that callers choose: at every size that was checked the bits of the function, at others an error that says so."""
import json
import warnings
import zipfile

import numpy as np
import pytest

import kiln as kn
from conftest import same_bits
from native import Library
from test_packages import exported, make, manifest_of


def branching(x):
    n = x.shape[0]
    y = x * 2 if n > 100 else x * 3
    return y[: n // 3] + 1, kn.sum(y, axis=0) / n


@pytest.mark.parametrize("jit, sizes", [("off", [*range(1, 25), *range(95, 106), *range(200, 4096, 97), 4095, 4096]), ("sync", [1, 2, 3, 4, 5, 6, 7, 100, 101, 102, 4096])])
def test_branches_and_parts_of_sizes(tmp_path, jit, sizes):
    m = exported(tmp_path, branching, make((7, 4)), dynamic={"x": {0: ("n", 1, 4096)}})
    entries = manifest_of(tmp_path / "m.kiln")["entries"]
    assert [e["checked"] for e in entries] == [[[[1, 1]]], [[[2, 2]]], [[[3, 5]]], [[[6, 100]]], [[[101, 4096]]]]
    assert entries[-1]["symbols"] == ["n", ["n", 3, "//"]] and entries[-1]["outputs"][0]["shape"] == [["n", 3, "//"], 4]
    with kn.config.override(jit=jit):
        for n in sizes:
            x = make((n, 4), n)
            for a, b in zip(m(x), branching(x)):
                same_bits(a, b)
    with pytest.raises(kn.ShapeError, match="size of n: expected from 1 to 4096, got 4097"):
        m(make((4097, 4)))


FUNCTIONS = {  # name: (function, shape, symbols of the program of the greatest size)
    "normalize": (lambda x: (x - kn.mean(x, axis=0)) / kn.std(x, axis=1, keepdims=True), ["n"]),
    "flat": (lambda x: kn.reshape(x, (-1,)) * 2, ["n", [4, "n", "*"]]),
    "concat": (lambda x: kn.concat([x, x[1:], x[:2]]), ["n", ["n", -1, "+"], [2, "n", "*", 1, "+"]]),
    "every third": (lambda x: x[::3], ["n", ["n", 2, "+", 3, "//"]]),
    "at most": (lambda x: x[: min(x.shape[0], 70)], None),
    "all but some, or one": (lambda x: x[: max(x.shape[0] - 5, 1)], ["n", ["n", -5, "+"]]),
    "at least": (lambda x: kn.zeros(max(x.shape[0], 30)) + x.sum(), None),
    "product": (lambda x: kn.softmax(x @ x.T), ["n"]),
    "windows": (lambda x: kn.nn.max_pool1d(x.T[None], 3, stride=2), None),
    "halves": (lambda x: x[: x.shape[0] // 2] + x[x.shape[0] - x.shape[0] // 2:], ["n", ["n", 2, "//"], ["n", 1, "+", 2, "//"]]),
    "arange": (lambda x: x + kn.arange(x.shape[0], dtype=kn.float32)[:, None], ["n"]),
    "numbers": (lambda x: (x + x.shape[0]) * (x.shape[0] // 2) - 2 * x.shape[0], ["n"]),
    "neither": (lambda x: x[: 7 if x.shape[0] % 2 else 3] if x.shape[0] > 9 else x, None),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_what_follows_from_a_size(tmp_path, name):
    f, symbols = FUNCTIONS[name]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", kn.KilnWarning)
        m = exported(tmp_path, f, make((8, 4)), dynamic={0: {0: ("n", 0, 120)}})
    if symbols:
        assert manifest_of(tmp_path / "m.kiln")["entries"][-1]["symbols"] == symbols
    with kn.config.override(jit="off"):
        for n in range(121):
            x = make((n, 4), n)
            try:
                want = f(x)
            except Exception:  # where the function raises, so does the package
                with pytest.raises(kn.ShapeError, match=f"expected some that it was checked for when it was exported, got n = {n}"):
                    m(x)
                continue
            same_bits(m(x), want)


def test_two_sizes(tmp_path):
    def f(x, y):
        z = x @ y.T if x.shape[0] < y.shape[0] else (y @ x.T).T
        return kn.reshape(z, (-1,)), kn.sum(x) / (x.shape[0] * y.shape[0])
    m = exported(tmp_path, f, make((4, 3)), make((5, 3)), dynamic={"x": {0: ("n", 1, 40)}, "y": {0: ("m", 1, 40)}})
    assert "n, 3" in repr(m) and "m, 3" in repr(m)
    with kn.config.override(jit="off"):
        for a in (1, 2, 7, 8, 39, 40):
            for b in (1, 2, 7, 9, 39, 40):
                x, y = make((a, 3), a), make((b, 3), b)
                for got, want in zip(m(x, y), f(x, y)):
                    same_bits(got, want)


def test_one_size_of_two_arguments(tmp_path):
    m = exported(tmp_path, lambda x, y: x + y, make((4, 3)), make((4, 1)), dynamic={"x": {0: ("n", 1, 40)}, "y": {0: "n"}})
    same_bits(m(make((9, 3)), make((9, 1))), make((9, 3)) + make((9, 1)))
    with pytest.raises(kn.ShapeError, match="axis 0 of 'y': expected n = 9 as axis 0 of 'x' has, got 1"):
        m(make((9, 3)), make((1, 1)))


def test_sizes_at_which_the_function_raises(tmp_path):
    with pytest.warns(kn.KilnWarning, match=r"'run' raises an error at 5 of the 40 sizes.*at n = 1: "):
        m = exported(tmp_path, lambda x: x[5], make((8, 3)), dynamic={"x": {0: ("n", 1, 40)}})
    same_bits(m(make((6, 3))), make((6, 3))[5])
    with pytest.raises(kn.ShapeError, match="got n = 5"):
        m(make((5, 3)))
    with pytest.raises(IndexError):
        exported(tmp_path, lambda x: x[50], make((8, 3)), dynamic={"x": {0: ("n", 1, 40)}})


def test_more_sizes_than_are_checked(tmp_path):
    def f(x):
        return x * 2 if x.shape[0] < 5000 else x * 3
    options = dict(dynamic={"x": {0: ("n", 1, 100_000)}})
    m = exported(tmp_path, f, make((8, 3)), **options)
    checked = [box[0] for e in manifest_of(tmp_path / "m.kiln")["entries"] for box in e["checked"]]
    assert [1, 1] in checked and checked[-1][1] == 100_000 and len(checked) < 1000
    unchecked = next(high + 1 for (_, high), (low, _) in zip(checked, checked[1:]) if low > high + 1)
    with pytest.raises(kn.ShapeError, match=f"expected some that it was checked for when it was exported, got n = {unchecked}"):
        m(make((unchecked, 3)))
    m = exported(tmp_path, f, make((8, 3)), assume_sizes=True, **options)
    for n in (1, 2, unchecked, 4000, 50_000, 100_000):
        same_bits(m(make((n, 3))), f(make((n, 3))))


def test_sizes_without_bounds(tmp_path):
    m = exported(tmp_path, lambda x: x + x.shape[0], make((8, 3)), dynamic={"x": {0: "n"}}, assume_sizes=True)
    for n in (0, 1, 2, 5000, 100_001):
        same_bits(m(make((n, 3))), make((n, 3)) + n)
    assert "size from 0\n" in __import__("kiln.inspect", fromlist=["describe"]).describe(m)


def test_declarations_that_do_not_fit(tmp_path):
    def f(x, y):
        return x + y
    for error, dynamic, text in [
            (kn.TraceError, True, "dynamic: expected a dict of arguments and their axes, got bool"),
            (ValueError, {"z": {0: "n"}}, r"expected an array among the arguments \(x, y\), got 'z'"),
            (ValueError, {7: {0: "n"}}, "got '7'"),
            (kn.ShapeError, {"x": {2: "n"}}, "axis 2 of 'x': expected one of 2 axes"),
            (ValueError, {"x": {0: "größe"}}, "expected a name of letters, digits and _"),
            (kn.ShapeError, {"x": {0: "n", 1: "n"}}, "expected n = 4 as on another axis of the name, got 3"),
            (kn.ShapeError, {"x": {0: ("n", 5, 9)}}, "expected a size from 5 to 9, got 4"),
            (ValueError, {"x": {0: ("n", 9, 5)}}, "export: dynamic: axis 0 of argument 'x': expected a name or")]:
        with pytest.raises(error, match=text):
            exported(tmp_path, f, make((4, 3)), make((4, 3)), dynamic=dynamic)


def test_too_many_programs(tmp_path):
    with pytest.raises(kn.TraceError, match="expected a function of at most 64 programs over the sizes"):
        exported(tmp_path, lambda x: x * kn.asarray(float(np.sin(x.shape[0]))), make((8, 3)), dynamic={"x": {0: ("n", 1, 1000)}})


def recurrent(x):
    h, ys = kn.zeros(4), kn.zeros((x.shape[0], 4))
    for t in range(x.shape[0]):
        h = kn.tanh(x[t] + h * 0.9)
        ys[t] = h
    return ys, h


def factorized(x):
    a = x @ x.T + x.shape[0] * kn.eye(x.shape[0])
    for i in range(x.shape[0]):
        for j in range(i):
            a[i, j] = (a[i, j] - a[i, :j] @ a[j, :j]) / a[j, j]
        a[i, i] = kn.sqrt(a[i, i] - a[i, :i] @ a[i, :i])
    return a


@pytest.mark.parametrize("f, most, dynamic", [(recurrent, 300, {0: ("n", 1, 300)}), (factorized, 40, {0: ("n", 1, 40), 1: "n"})])
def test_loops_over_a_size_are_few_programs(f, most, dynamic, tmp_path):
    """Of few trips one each, and one of all others: in packages and in libraries."""
    shape = (8, 4) if f is recurrent else (8, 8)
    m = exported(tmp_path, f, make(shape), dynamic={"x": dynamic})
    entries = manifest_of(tmp_path / "m.kiln")["entries"]
    assert len(entries) < 30 and entries[-1]["checked"][0][0][1] == most
    kn.export(f, make(shape), to=tmp_path / "libf.so", name="f", dynamic={"x": dynamic})
    library = Library(tmp_path / "libf.so")
    for n in (1, 2, 5, 14, 15, 21, 39, 40, most):
        x = make((n, shape[1] if f is recurrent else n))
        wanted = f(kn.asarray(x))
        wanted = wanted if isinstance(wanted, tuple) else (wanted,)
        results = [np.empty(w.shape, np.float32) for w in wanted]
        library.raw("run", [np.asarray(x), *results], [n])
        packaged = m(x)
        for got, kept, w in zip(results, packaged if isinstance(packaged, tuple) else (packaged,), wanted, strict=True):
            same_bits(kept, w)
            same_bits(got, w)


def test_every_size_is_in_one_program(tmp_path):
    exported(tmp_path, branching, make((7, 4)), dynamic={"x": {0: ("n", 1, 4096)}})
    manifest = json.loads(zipfile.ZipFile(tmp_path / "m.kiln").read("manifest.json"))
    sizes = sorted(n for e in manifest["entries"] for box in e["checked"] for n in range(box[0][0], box[0][1] + 1))
    assert sizes == list(range(1, 4097))


def test_a_workspace_that_does_not_fit_into_memory(tmp_path):
    def f(x):
        parts = [kn.sort(x + i) for i in range(7)]  # so few that they are no loop
        return sum(kn.sum(a * b) for a, b in zip(parts, parts[::-1]))

    m = exported(tmp_path, f, make((8,)).astype(kn.float64), dynamic={0: {0: "n"}}, assume_sizes=True)
    with kn.config.override(jit="sync"):
        same_bits(m(make((9,)).astype(kn.float64)), f(make((9,)).astype(kn.float64)))
        for n in (2**45, 2**47, 2**48):
            with pytest.raises(MemoryError, match="workspace: expected|out of memory"):
                m(kn.broadcast_to(kn.zeros(1, dtype=kn.float64), (n,)))
