"""Exported functions whose values decide sizes: masks, positions, unique values, slices up to a count."""
import json
import pathlib
import zipfile

import numpy as np
import pytest

import kiln as kn
from kiln import inspect


def selected(x):
    return x[x > 0] * 2


def positions(x):
    return kn.nonzero(x > 0)


def rows(x):
    return x[x[:, 0] > 0]


def different(x):
    return kn.unique_values(x)


def different_with_nans(x):
    return kn.unique(kn.where(x > 2, kn.nan, x), return_counts=True)


def different_all(x):
    return kn.unique_all(x)


def summed(x):
    return x[x > 0].sum()


def twice(x):
    y = x[x > 0]
    return y[y < 1], y


def front(x):
    return x[:int((x > 0).sum())]


def described(x):
    y = x[x > 0]
    return {"y": y, "n": y.shape[0], "half": y.shape[0] // 2}


def checked(x):
    if kn.isnan(x).any():
        raise ValueError("expected no nan")
    return x[x > 0]


def branches(x):
    y = x[x > 0]
    return y * 2 if y.sum() > 2 else y + 1


def limited(x):
    return x[:int(kn.clip(x.astype("int32").sum(dtype="int32"), 0, 3))]


def written(x, out):
    y = x[x > 0]
    out += y.sum()
    return y


WEIGHTS = kn.asarray([0.5, -1.5, 2.0])


def weighted(x):
    y = x[x > 0]
    return y[:, None] * WEIGHTS, y @ kn.ones((y.shape[0], 2))


ONE = [selected, positions, different, different_with_nans, different_all, summed, twice, front, described, checked, branches, limited, weighted]


def alike(a, b):
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(alike(a[k], b[k]) for k in a)
    if isinstance(a, (tuple, list)):
        return len(a) == len(b) and all(map(alike, a, b))
    a, b = np.asarray(a), np.asarray(b)
    return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()


def vectors(seed, count, *sizes):
    """Vectors of numbers of which none, some or all are positive, often equal."""
    random = np.random.default_rng(seed)
    for i in range(count):
        x = np.round(random.normal(size=sizes[i % len(sizes)]), 1).astype("float32")
        yield [x, abs(x), -abs(x), x + 1][i % 4]


def export(f, path, *args, **options):
    kn.export(f, *args, to=path, **options)
    return kn.load(path)


def manifest(path):
    return json.loads(zipfile.ZipFile(path).read("manifest.json"))


BOTH_WAYS = [(kn.asarray([-1.0, -0.5, -1, 0.1, -3]),), (kn.asarray([1.0, 2, 3, 4, 5]),)]


@pytest.mark.parametrize("f", ONE, ids=lambda f: f.__name__)
@pytest.mark.parametrize("mode", ["off", "sync"])
def test_counts_are_what_the_values_say(f, mode, tmp_path):
    x = kn.asarray([1.0, -2.0, 3.0, 0.5, -1.0])
    m = export(f, tmp_path / "m.kiln", x, examples=BOTH_WAYS if f is branches else ())
    with kn.config.override(jit=mode):
        for v in vectors(1, 24, 5):
            assert alike(f(kn.asarray(v)), m(kn.asarray(v))), v
    assert manifest(tmp_path / "m.kiln")["format"][0] == 3


@pytest.mark.parametrize("f", ONE, ids=lambda f: f.__name__)
def test_counts_at_sizes_that_calls_choose(f, tmp_path):
    x = kn.asarray([1.0, -2.0, 3.0, 0.5, -1.0])
    m = export(f, tmp_path / "m.kiln", x, dynamic={"x": {0: ("n", 0, 24)}}, examples=BOTH_WAYS if f is branches else ())
    for v in vectors(2, 150, *range(25)):
        assert alike(f(kn.asarray(v)), m(kn.asarray(v))), v


def test_rows_of_a_matrix(tmp_path):
    m = export(rows, tmp_path / "m.kiln", kn.ones((4, 3)), dynamic={"x": {0: ("n", 1, 9), 1: ("k", 1, 4)}})
    random = np.random.default_rng(0)
    for n in range(1, 10):
        for k in range(1, 5):
            x = kn.asarray(random.normal(size=(n, k)).astype("float32"))
            assert alike(rows(x), m(x))


@pytest.mark.parametrize("dtype", ["bool", "int8", "uint64", "float16", "bfloat16", "float64", "complex64"])
def test_elements_of_every_kind(dtype, tmp_path):
    def f(x, mask):
        return x[mask]

    x = kn.asarray([0, 1, 1, 0, 1]).astype(dtype)
    m = export(f, tmp_path / "m.kiln", x, kn.asarray([True, False, True, True, False]))
    for bits in range(32):
        mask = kn.asarray([bool(bits >> i & 1) for i in range(5)])
        assert alike(f(x, mask), m(x, mask))


def test_many_counts_are_sampled(tmp_path):
    """Of 20,001 counts some are recorded, and those between assumed: nobody can choose them."""
    m = export(selected, tmp_path / "m.kiln", kn.zeros(20000))
    x = np.full(20000, -1.0, "float32")
    for count in [0, 1, 2, 3, 7, 4097, 9999, 19998, 19999, 20000]:
        x[:count] = 1
        assert alike(kn.asarray(x)[kn.asarray(x) > 0] * 2, m(kn.asarray(x)))
    last = manifest(tmp_path / "m.kiln")["entries"][-1]
    assert last["assumed"] and len(last["checked"]) < 200


def test_unchecked_sizes_are_a_miss_unless_they_are_assumed(tmp_path):
    x, wide = kn.asarray([1.0, -2.0, 3.0]), kn.asarray(np.linspace(-1, 1, 8001).astype("float32"))
    m = export(selected, tmp_path / "m.kiln", x, dynamic={"x": {0: ("n", 0, 9000)}})
    with pytest.raises(kn.ShapeError, match="checked for when it was exported, got n = 8001"):
        m(wide)
    m = export(selected, tmp_path / "m.kiln", x, dynamic={"x": {0: "n"}}, assume_sizes=True)
    assert alike(selected(wide), m(wide)) and alike(selected(x), m(x))


def test_arguments_are_written_when_all_is_well(tmp_path):
    out = kn.zeros(2)
    m = export(written, tmp_path / "m.kiln", kn.asarray([1.0, -1, 3]), out)
    assert out.tolist() == [0, 0]
    assert m(kn.asarray([-1.0, 5, 3]), out).tolist() == [5, 3] and out.tolist() == [8, 8]
    shared = kn.ones(3)
    with pytest.raises(ValueError, match="memory of its own"):
        m(shared, shared[:2])


def test_guards_before_a_count_are_told(tmp_path):
    with pytest.warns(kn.KilnWarning, match=r"calls that are told otherwise are errors, at test_package_counts.py:\d+: the truth value of an array"):
        m = export(checked, tmp_path / "m.kiln", kn.asarray([1.0, -1, 3]))
    with pytest.raises(kn.TraceError, match="expected examples of every way, got none with another answer to: test_package_counts.py"):
        export(checked, tmp_path / "other.kiln", kn.asarray([1.0, -1, 3]), miss="forbid")
    export(selected, tmp_path / "other.kiln", kn.asarray([1.0, -1, 3]), miss="forbid")
    with pytest.raises(kn.TraceError, match=r"another answer at test_package_counts.py:\d+"):
        m(kn.asarray([1.0, np.nan, 3]))


def test_a_function_that_raises_at_some_counts(tmp_path):
    def f(x):
        y = x[x > 0]
        if not y.shape[0]:
            raise ValueError("nothing is positive")
        return y.max()

    with pytest.warns(kn.KilnWarning, match="raises an error at 1 of the 4 sizes.*at count = 0: nothing is positive"):
        m = export(f, tmp_path / "m.kiln", kn.asarray([1.0, -1, 3]))
    assert m(kn.asarray([1.0, -1, 3])).item() == 3
    with pytest.raises(kn.ShapeError, match="count = 0"):
        m(kn.asarray([-1.0, -1, -3]))


def test_a_size_without_a_bound_is_refused_with_its_line(tmp_path):
    def repeated(x, n):
        return kn.repeat(x, n)

    def long(x):
        return kn.zeros(int(x.sum()))

    line = long.__code__.co_firstlineno + 1
    with pytest.raises(kn.TraceError, match=rf"'run': test_package_counts.py:{line}: .*expected a bound of the number, which is a size of the result"):
        kn.export(long, kn.ones(3), to=tmp_path / "m.kiln")
    with pytest.raises(kn.TraceError, match="expected a bound of the number"):
        kn.export(repeated, kn.ones(3), kn.asarray([1, 0, 2]), to=tmp_path / "m.kiln")
    assert not (tmp_path / "m.kiln").exists()


def test_more_sizes_than_there_are_stages_for(tmp_path):
    def f(x):
        for limit in range(5):
            x = x[x > limit]
        return x

    with pytest.raises(kn.TraceError, match="expected at most 4 sizes that values decide, got 5, at test_package_counts.py"):
        kn.export(f, kn.asarray([1.0, 9, 7]), to=tmp_path / "m.kiln")


def test_counts_that_are_no_sizes_stay_values(tmp_path):
    """A number of trips is a value as others are."""
    def f(x):
        y = x
        for _ in range(int((x > 0).sum())):
            y = y * 0.5 + 1
        return y

    x = kn.asarray([1.0, -2, 3, 4])
    with pytest.warns(kn.KilnWarning, match="for the way that these arguments take"):
        m = export(f, tmp_path / "m.kiln", x)
    assert not any(e.get("counts") for e in manifest(tmp_path / "m.kiln")["entries"])
    assert alike(f(x), m(x))


def test_what_is_heavy_is_computed_once(tmp_path):
    """What the first stage computed is kept for the last one."""
    def f(x, w):
        y = kn.tanh(x @ w)
        return y[y > 0]

    m = export(f, tmp_path / "m.kiln", kn.ones((4, 8)), kn.ones((8, 3)))
    first, *_, last = manifest(tmp_path / "m.kiln")["entries"]
    assert first["counts"] and any(i["role"] == "kept" for i in last["inputs"])
    text = "".join(str(kn._core.print_ir(m._loaded.program(i), "kiln")) for i in range(1, len(m.run._programs)))
    assert "tanh" not in text
    x, w = (kn.asarray(np.random.default_rng(0).normal(size=s).astype("float32")) for s in ((4, 8), (8, 3)))
    assert alike(f(x, w), m(x, w))


def test_inspect_tells_the_stages(tmp_path):
    export(selected, tmp_path / "m.kiln", kn.ones(4), dynamic={"x": {0: ("n", 2, 9)}})
    text = inspect.describe(kn.load(tmp_path / "m.kiln"))
    assert "count        size that the values decide, at most n" in text
    assert "program that counts 'count' for n 2 to 9 (checked)" in text and "out0         result float32[count]" in text


@pytest.mark.parametrize("f", ONE, ids=lambda f: f.__name__)
def test_code_in_packages_counts_too(f, tmp_path):
    m = export(f, tmp_path / "m.kiln", kn.asarray([1.0, -2.0, 3.0, 0.5, -1.0]), dynamic={"x": {0: ("n", 0, 24)}}, cpu="native",
               examples=BOTH_WAYS if f is branches else ())
    native = kn.load(tmp_path / "m.kiln", native=True)
    for v in vectors(4, 60, *range(25)):
        assert alike(m(kn.asarray(v)), native(kn.asarray(v)))


def test_exports_are_deterministic(tmp_path):
    for name in ("a", "b"):
        kn.export(twice, kn.ones(5), to=tmp_path / f"{name}.kiln", name="m", dynamic={"x": {0: ("n", 1, 20)}})
    assert pathlib.Path(tmp_path / "a.kiln").read_bytes() == pathlib.Path(tmp_path / "b.kiln").read_bytes()
