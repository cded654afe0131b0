"""Functions with control flow on values at sizes that calls choose: packages and libraries against eager, at every size."""
import json

import numpy as np
import pytest

import kiln as kn
from conftest import same_bits
from native import Failure, Library

W = kn.asarray(np.random.default_rng(0).normal(size=(3, 3)).astype("f"))


def rows(n, scale=1.0, seed=0, width=3):
    return kn.asarray((np.random.default_rng(1000 * seed + n).normal(size=(n, width)) * scale).astype("f"))


def scaled(x):
    """An if and a while, numbers and shapes that follow from the size, and a result that is a number of Python."""
    y = x @ W
    if kn.mean(y) > 0:
        y = y - kn.mean(y, axis=0) + x.shape[0]
    else:
        y = kn.concat([y[1:], y[:1]]) * 2
    trips = 0
    while kn.max(kn.abs(y)) > 1:
        y = y / 2
        trips += 1
    return y, trips


def counts(x):
    """Ways in ways, in bodies that reduce and gather."""
    big = kn.sum(x * x, axis=1)
    if kn.max(big) > 4:
        if kn.argmax(big) == 0:
            return kn.sort(big)[::-1] / x.shape[0], kn.sum(x)
        return kn.cumsum(big), kn.prod(x[0]) * x.shape[0]
    return big[::-1] + kn.arange(x.shape[0]), kn.sum(x) / (x.shape[0] + 1)


def products(x):
    """Products in ways, whose workspace follows from the size."""
    g = x.T @ x
    y = x @ g if kn.sum(g) > 10 else kn.softmax(x @ W, axis=0) @ g
    return kn.tanh(y) if y[0, 0] > y[-1, -1] else kn.sum(y, axis=0) + y


EXAMPLES = {scaled: [(rows(n, s, seed),) for n in range(1, 17) for seed in range(8) for s in (0.1, 0.4, 1, 4)],
            counts: [(rows(5, s, seed),) for seed in range(20) for s in (0.2, 1)],
            products: [(rows(6, s, seed),) for seed in range(20) for s in (0.3, 2)]}


def leaves(value):
    return [np.asarray(x) for x in (value if isinstance(value, tuple) else (value,))]


def exported(function, to, most=16, **options):
    first, *others = EXAMPLES[function]
    kn.export(function, *first, to=to, examples=others, dynamic={"x": {0: ("n", 1, most)}}, **options)
    return to


@pytest.mark.parametrize("mode", ["sync", "off"])
@pytest.mark.parametrize("function", EXAMPLES)
def test_packages_at_every_size(function, mode, tmp_path):
    with kn.config.override(jit=mode):
        m = kn.load(exported(function, tmp_path / "f.kiln"))
        for n in range(1, 17):
            for scale in (0.3, 1):
                x = rows(n, scale, 77)
                for got, want in zip(leaves(m(x)), leaves(function(x)), strict=True):
                    same_bits(got, want)
    assert len(m._manifest["entries"]) <= 4  # of which one is for any size from 3 on
    with pytest.raises(kn.ShapeError, match="run: size of n: expected from 1 to 16, got 17"):
        m(rows(17))


@pytest.mark.parametrize("function", EXAMPLES)
def test_libraries_at_every_size(function, tmp_path):
    exported(function, tmp_path / "libf.so", header=tmp_path / "f.h", cpu="native")
    library = Library(tmp_path / "libf.so")
    for n in range(1, 17):
        for scale in (0.3, 1):
            x = rows(n, scale, 77)
            want = leaves(function(x))
            got = [np.empty_like(a) for a in want]
            library.raw("run", [np.asarray(x), *got], [n])
            for a, b in zip(got, want, strict=True):
                same_bits(a, b)
            got = [np.empty_like(a) for a in want]
            memory = np.zeros(max(library.workspace_size("run", n), 1) + 64 + 4096, np.uint8)
            start, size = -memory.ctypes.data % 64, library.workspace_size("run", n)
            memory[start + size:] = 77
            library.raw("run", [np.asarray(x), *got], [n], memory.ctypes.data + start, size)
            for a, b in zip(got, want, strict=True):
                same_bits(a, b)
            assert (memory[start + size:] == 77).all()
    with pytest.raises(Failure, match="f_run: n: expected a size from 1 to 16, got 17"):
        library.raw("run", [np.asarray(rows(17)), *[np.empty(100, "f") for _ in want]], [17])
    library.close()


def test_large_sizes(tmp_path):
    """Beyond what the stack and small blocks hold, with a workspace that grows."""
    ways = [(rows(300 + seed % 11, s, seed),) for seed in range(20) for s in (0.01, 0.5)]
    kn.export(products, *ways[0], to=tmp_path / "f.kiln", examples=ways, dynamic={"x": {0: ("n", 300, 310)}})
    m = kn.load(tmp_path / "f.kiln")
    assert len(m._manifest["entries"]) == 1
    with kn.config.override(jit="sync"):
        for n in (300, 305, 310):
            x = rows(n, 0.5)
            same_bits(m(x), products(x))


def test_two_sizes_and_writes(tmp_path):
    def f(x, y, seen):
        seen += 1
        z = x[:, :1] * y
        if kn.sum(z) > 0:
            seen[0] = x.shape[0] * 100 + y.shape[0]
            return {"z": kn.exp(z), "n": 1}
        return {"z": z - x.shape[0], "n": 2}
    given = rows(3), rows(4, width=1)[:, 0], kn.zeros(2)
    kn.export(f, *given, to=tmp_path / "f.kiln", examples=[(-rows(3), *given[1:])], dynamic={"x": {0: ("n", 1, 6)}, "y": {0: ("m", 1, 5)}}, miss="forbid")
    m = kn.load(tmp_path / "f.kiln")
    assert not any("misses" in e for e in m._manifest["entries"])
    for n in range(1, 7):
        for k in range(1, 6):
            for sign in (-1, 1):
                x, y, got, want = sign * rows(n), rows(k, width=1)[:, 0], kn.ones(2), kn.ones(2)
                found, expected = m(x, y, got), f(x, y, want)
                same_bits(found["z"], expected["z"])
                same_bits(got, want)
                assert found["n"] == expected["n"]


def test_trips_that_follow_from_sizes(tmp_path):
    """Questions that are others at other sizes take an example of each."""
    def f(x):
        total = kn.zeros(())
        for i in range(x.shape[0]):
            if x[i] > 0:
                total = total + x[i]
        return total
    vec = lambda *values: kn.asarray(np.array(values, "f"))  # noqa: E731
    ways = [(vec(*[1 if bits >> i & 1 else -1 for i in range(n)]),) for n in (1, 2, 3) for bits in range(2 ** n)]
    kn.export(f, *ways[0], to=tmp_path / "f.kiln", examples=ways, dynamic={"x": {0: ("n", 1, 3)}}, miss="forbid")
    m = kn.load(tmp_path / "f.kiln")
    for values in ([3.0], [-2.0], [1.0, -4.0], [2.0, 5.0, -1.0], [-1.0, -1.0, -1.0]):
        same_bits(m(vec(*values)), f(vec(*values)))
    def g(x):
        return kn.sum(x) * sum(int(v) for v in x)
    with pytest.raises(kn.TraceError, match="'run' asks for other values at n = 4 than it does for any example: expected an example of these sizes, or fewer sizes"):
        kn.export(g, *ways[0], to=tmp_path / "g.kiln", examples=ways, dynamic={"x": {0: ("n", 1, 4)}})


def test_sizes_without_questions_and_ways_that_raise(tmp_path):
    def f(x):
        if x.shape[0] < 3:
            return x * 2
        if kn.sum(x) > 0:
            return x + kn.reshape(x[:4], (4, 1))[0] if x.shape[0] > 3 else x
        return -x
    vec = lambda n, sign: kn.asarray(np.full(n, sign, "f"))  # noqa: E731
    kn.export(f, vec(5, 1), to=tmp_path / "f.kiln", examples=[(vec(5, -1),)], dynamic={"x": {0: ("n", 1, 8)}})
    m = kn.load(tmp_path / "f.kiln")
    for n in range(1, 9):
        for sign in (1, -1):
            same_bits(m(vec(n, sign)), f(vec(n, sign)))

    def g(x):
        return kn.reshape(x, (4,)) * 1 if kn.sum(x) > 0 else x[:4] * 2
    with pytest.warns(kn.KilnWarning, match="raises an error at 4 of the 5 sizes that were checked.*at n = 2"):
        kn.export(g, vec(4, 1), to=tmp_path / "g.kiln", examples=[(vec(4, -1),)], dynamic={"x": {0: ("n", 2, 6)}})
    m = kn.load(tmp_path / "g.kiln")
    same_bits(m(vec(4, -1)), g(vec(4, -1)))
    with pytest.raises(kn.ShapeError):
        m(vec(5, 1))


def test_ways_that_no_example_takes(tmp_path):
    def f(x):
        return x * 2 if int(kn.max(x)) == 1 else x - 1
    with pytest.warns(kn.KilnWarning, match="'run' is exported for the way that these arguments take; .* examples= names more ways") as warned:
        kn.export(f, kn.ones(4), to=tmp_path / "f.kiln", dynamic={"x": {0: ("n", 1, 9)}})
    assert len(warned) == 1
    m = kn.load(tmp_path / "f.kiln")
    for n in range(1, 10):
        same_bits(m(kn.ones(n)), f(kn.ones(n)))
        with pytest.raises(kn.TraceError, match=r"another answer at test_package_path_sizes.py:\d+: "):
            m(-kn.ones(n))
    with pytest.raises(kn.TraceError, match="expected examples of every way"):
        kn.export(f, kn.ones(4), to=tmp_path / "g.kiln", dynamic={"x": {0: ("n", 1, 9)}}, miss="forbid")

    def g(x):
        return x * 2 if kn.sum(x) > 0 else x - x.shape[0]
    kn.export(g, kn.ones(4), to=tmp_path / "g.kiln", dynamic={"x": {0: ("n", 1, 9)}}, miss="forbid")  # the other answer to a question for a truth value
    m = kn.load(tmp_path / "g.kiln")
    for n in range(1, 10):
        same_bits(m(kn.ones(n)), g(kn.ones(n)))
        same_bits(m(-kn.ones(n)), g(-kn.ones(n)))


def test_wrong_examples(tmp_path):
    def f(x, y):
        return x * 2 if kn.sum(x) > 0 else y
    dynamic = {"x": {0: ("n", 2, 8)}, "y": {0: "n"}}
    with pytest.raises(kn.ShapeError, match="examples: size of n: expected from 2 to 8, got 9"):
        kn.export(f, kn.ones(4), kn.ones(4), to=tmp_path / "f.kiln", examples=[(kn.ones(9), kn.ones(9))], dynamic=dynamic)
    with pytest.raises(kn.ShapeError, match="examples: size of n: expected 5 as on another axis of the name, got 6"):
        kn.export(f, kn.ones(4), kn.ones(4), to=tmp_path / "f.kiln", examples=[(kn.ones(5), kn.ones(6))], dynamic=dynamic)
    with pytest.raises(ValueError, match="expected arguments like those of the call"):
        kn.export(f, kn.ones(4), kn.ones(4), to=tmp_path / "f.kiln", examples=[(kn.ones((5, 1)), kn.ones(5))], dynamic=dynamic)
    assert not (tmp_path / "f.kiln").exists()


def control(x):
    """Operations with bodies, which read sizes."""
    y = kn.cond(kn.sum(x) > 0, lambda x: x / x.shape[0], lambda x: kn.cumsum(x, axis=0), x)
    z, _ = kn.scan(lambda c, v: (c * 0.5 + v, None), kn.zeros_like(x[0]), kn.ones((4, 3)) * y[0])
    w, trips = kn.while_loop(lambda c: kn.max(kn.abs(c[0])) > 0.1, lambda c: (c[0] * 0.5 + kn.mean(c[0]) * 0.1, c[1] + 1), (y, kn.asarray(0)))
    return w + z, trips, kn.fori_loop(0, x.shape[0], lambda i, c: c + x[i], kn.zeros_like(x[0]))


@pytest.mark.parametrize("mode", ["sync", "off"])
def test_bodies_are_for_any_size(mode, tmp_path):
    kn.export(control, rows(4), to=tmp_path / "f.kiln", dynamic={"x": {0: ("n", 1, 70)}})
    with kn.config.override(jit=mode):
        m = kn.load(tmp_path / "f.kiln")
        assert len(m._manifest["entries"]) <= 2
        for n in (1, 2, 3, 8, 31, 70):
            for seed in range(3):
                for got, want in zip(m(rows(n, 1, seed)), control(rows(n, 1, seed)), strict=True):
                    same_bits(got, want)
    kn.export(control, rows(4), to=tmp_path / "libf.so", header=tmp_path / "f.h", dynamic={"x": {0: ("n", 1, 70)}}, cpu="native")
    library = Library(tmp_path / "libf.so")
    for n in (1, 2, 3, 8, 31, 70):
        want = [np.asarray(v) for v in control(rows(n))]
        got = [np.empty_like(a) for a in want]
        library.raw("run", [np.asarray(rows(n)), *got], [n])
        for a, b in zip(got, want, strict=True):
            same_bits(a, b)
    library.close()


def test_jitted_functions_with_bodies_are_for_any_size():
    with kn.config.override(cache=False):
        f = kn.jit(lambda x: kn.cond(kn.sum(x) > 0, lambda x: x * 2, lambda x: kn.cumsum(x, axis=0), x))
        for n in (5, 6, 7, 8, 9):
            for sign in (1, -1):
                same_bits(f(sign * rows(n)), f.__wrapped__(sign * rows(n)))
        assert "for any size" in str(f.explain())


def test_positions_that_follow_from_sizes(tmp_path):
    """They may be smaller than sizes are: of two rows, the last one is at 1."""
    kn.export(lambda x: kn.concat([x[x.shape[0] - 1:], x]), kn.ones(4), to=tmp_path / "libf.so", name="f", header=tmp_path / "f.h", dynamic={"x": {0: ("n", 1, 9)}}, cpu="native")
    library = Library(tmp_path / "libf.so")
    for n in range(1, 10):
        y = np.empty(n + 1, "f")
        library.raw("run", [np.arange(n).astype("f"), y], [n])
        assert y.tolist() == [n - 1, *range(n)]
    library.close()


def test_what_the_manifest_says(tmp_path):
    m = kn.load(exported(scaled, tmp_path / "f.kiln"))
    last = m._manifest["entries"][-1]
    assert last["checked"] == [[[3, 16]]] and last["outputs"][0]["shape"] == ["n", 3] and last["misses"]
    assert json.loads(m._loaded.manifest()) == m._manifest


def trained(x, w, most):
    """Steps until the loss is small, for any number of rows."""
    n = 0
    loss = kn.mean((x @ w) ** 2)
    while loss > 1e-3 and n < most:
        w = w - 0.2 * (x.T @ (x @ w)) / x.shape[0]
        loss, n = kn.mean((x @ w) ** 2), n + 1
    return w, float(loss), n


def settled(x):
    """Rows until none is large, in a loop of Python's; another result for one row."""
    if x.shape[0] == 1:
        return x * 0, -1
    for i in range(100):
        if kn.max(kn.abs(x)) < 0.5:
            break
        x = x * 0.75 + kn.roll(x, 1, axis=0) * 0.125
    return x, i


@pytest.mark.parametrize("function, more", [(trained, (kn.asarray([1.0, -0.5, 0.25]), kn.asarray(40))), (settled, ())])
def test_loops_at_every_size(function, more, tmp_path):
    """Any number of trips at any size, from examples of one size."""
    examples = [(rows(7, s), *more) for s in (1.0, 0.01, 3.0)]
    if more:
        examples += [(rows(7), more[0], kn.asarray(n)) for n in (0, 1, 2)]
    kn.export(function, *examples[0], to=tmp_path / "f.kiln", examples=examples[1:], dynamic={"x": {0: ("n", 1, 40)}})
    m = kn.load(tmp_path / "f.kiln")
    assert len(m._manifest["entries"]) <= 4
    kn.export(function, *examples[0], to=tmp_path / "libf.so", header=tmp_path / "f.h", examples=examples[1:], dynamic={"x": {0: ("n", 1, 40)}}, cpu="native")
    library = Library(tmp_path / "libf.so")
    for n in (1, 2, 3, 7, 16, 39, 40):
        for scale in (0.1, 1.0, 2.5):
            x = rows(n, scale, 3)
            want = function(x, *more)
            assert [type(v) for v in m(x, *more)] == [type(v) for v in want]
            want = leaves(want)
            for got, expected in zip(leaves(m(x, *more)), want, strict=True):
                same_bits(got, expected)
            got = [np.empty_like(a) for a in want]
            library.raw("run", [np.asarray(x), *map(np.asarray, more), *got], [n])
            for a, b in zip(got, want, strict=True):
                same_bits(a, b)
    library.close()
