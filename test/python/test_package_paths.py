"""Functions with control flow on values, exported: every way that the arguments and examples take, and errors for the others."""
import json
import math
import os

import numpy as np
import pytest

import control_flow
import control_flow_fuzz
import control_flow_more  # noqa: F401
import kiln as kn
import kiln.inspect
from conftest import same_bits
from native import Failure, Library

W = kn.asarray(np.random.default_rng(3).normal(size=(4, 4)).astype("f"))
B = kn.asarray(np.random.default_rng(4).normal(size=4).astype("f"))


def signed(x):
    y = x @ W
    if kn.sum(x) > 0:
        return kn.tanh(y)
    return y * 2 + B


def halved(x):
    t, trips = x * 1, 0
    while kn.max(kn.abs(t)) > 0.1:
        t = t * 0.5
        trips += 1
    return {"t": t, "sum": kn.sum(t) + trips}


def counted(x, n):
    for _ in range(int(n)):
        x = kn.sin(x) + x
    return x, kn.sum(x)


def nested(x):
    if kn.max(x) > 1:
        if kn.min(x) < -1:
            return kn.clip(x, -1, 1)
        x = x / kn.max(x)
    if x[0] > x[1]:
        x = x[::-1]
    return x * 3


def selected(x):
    chosen = x[x > 0]
    return kn.sum(chosen * chosen), x.size - chosen.size + kn.sum(x)


def narrow(x):
    return kn.sum(x) if float(x[0]) == 1.5 else kn.prod(x)


def finite(x):
    if kn.isnan(x[0]) and not bool(kn.all(kn.isfinite(x))):
        return kn.where(kn.isnan(x), 0, x)
    return x + 1


def updated(x, w):
    if kn.sum(x) > 0:
        w -= x * 0.5
    else:
        w[1:] = w[:-1] * 2
    return kn.sum(w)


def early(x):
    for i in range(4):
        x = kn.tanh(x @ W)
        if kn.sum(x) < 0.5:
            return x, kn.asarray(float(i))
    return x, kn.asarray(4.0)


class Model:
    def __init__(self):
        self.a, self.b = kn.arange(4.0), kn.ones(4)

    def __call__(self, x):
        return x * self.a if kn.all(x > 0) else x - self.b


def vec(*values, dtype="f"):
    return kn.asarray(np.array(values, dtype=dtype))


# function, examples, further calls of the same ways, and calls of others
CASES = {
    "signed": (signed, [(vec(1, 2, 3, 4),), (vec(-1, -2, -3, -4),)], [(vec(0.5, 0, 0, 0),), (vec(0, 0, 0, 0),)], []),
    "halved": (halved, [(vec(1, 2),), (vec(0.01, 0),), (vec(9, -2),)], [(vec(1.5, -1.7),), (vec(0.1, 0),), (vec(400, 2),), (vec(0.3, 0.2),), (vec(1e38, 0),)], []),
    "counted": (counted, [(vec(1, 2), vec(3, dtype="i4")[0]), (vec(1, 2), vec(0, dtype="i4")[0])], [(vec(0.5, 3), vec(3, dtype="i4")[0])], [(vec(1, 2), vec(2, dtype="i4")[0])]),
    "nested": (nested, [(vec(3, 2, -0.5),), (vec(3, 2, -5),), (vec(0.5, 0.7, 0),)], [(vec(7, 1, 0),), (vec(0.1, 0.2, 0.9),), (vec(0.7, 0.5, 0),), (vec(2, 3, 0),)], []),
    "selected": (selected, [(vec(1, -2, 3, 4),), (vec(1, -2, 3, -4),)], [(vec(-1, 5, 6, 7),), (vec(-1, -5, -6, -7),)], []),
    "narrow": (narrow, [(vec(1.5, 2),), (vec(2, 2),)], [(vec(1.5, 7),), (vec(2.5, 2),)], []),
    "finite": (finite, [(vec(math.nan, 1),), (vec(0, 1),)], [(vec(math.nan, math.inf),), (vec(-0.0, 1),)], []),
    "early": (early, [(vec(1, 1, 1, 1),), (-vec(1, 1, 1, 1),)], [], []),
    "method": (Model(), [(vec(1, 2, 3, 4),), (-vec(1, 2, 3, 4),)], [(vec(5, 6, 7, 8),)], []),
}


def leaves(value):
    return [np.asarray(v) for v in (value.values() if isinstance(value, dict) else value if isinstance(value, tuple) else (value,))]


@pytest.mark.parametrize("mode", ("sync", "off"))
@pytest.mark.parametrize("name", CASES)
def test_packages_take_recorded_ways(name, mode, tmp_path):
    f, examples, further, others = CASES[name]
    kn.export(f, *examples[0], to=tmp_path / "f.kiln", examples=examples[1:])
    with kn.config.override(jit=mode):
        m = kn.load(tmp_path / "f.kiln")
        for args in [*examples, *further] * 2:
            for got, want in zip(leaves(m(*args)), leaves(kn.jit(f)(*args)), strict=True):
                same_bits(got, want)
        for args in others:
            with pytest.raises(kn.TraceError, match=r"run: values: expected a way .* got another answer at test_package_paths.py:\d+: "):
                m(*args)
    assert ("not every answer is known" in kiln.inspect.describe(m)) == bool(others or name in ("early", "halved"))


@pytest.mark.parametrize("name", CASES)
def test_libraries_take_recorded_ways(name, tmp_path):
    f, examples, further, others = CASES[name]
    kn.export(f, *examples[0], to=tmp_path / "libf.so", header=tmp_path / "f.h", examples=examples[1:], cpu="native")
    library = Library(tmp_path / "libf.so")
    for args in [*examples, *further]:
        found = library(*map(np.asarray, args))
        for got, want in zip(found if isinstance(found, list) else [found], leaves(kn.jit(f)(*args)), strict=True):
            same_bits(got, want)
    for args in others:
        with pytest.raises(Failure, match=r"f_run: expected values that lead to a recorded way, got another answer at test_package_paths.py:\d+: ") as failure:
            library(*map(np.asarray, args))
        assert failure.value.status == -14
    library.close()


def test_what_is_written(tmp_path):
    """Arguments that some ways write: as eager does on each; a way that is not known writes nothing."""
    kn.export(updated, vec(1, 2, 3), vec(1, 1, 1), to=tmp_path / "u.kiln", examples=[(-vec(1, 2, 3), vec(1, 1, 1))])
    m = kn.load(tmp_path / "u.kiln")
    got, want = vec(1, 2, 4), vec(1, 2, 4)
    for k in range(6):
        x = vec(1, 2, 3) * (-1) ** (k // 2)
        same_bits(np.asarray(m(x, got)), np.asarray(updated(x, want)))
        same_bits(np.asarray(got), np.asarray(want))

    def once(x, w):
        w *= 2
        if int(kn.sum(x)) in (6, 60):
            w += x
        return w + 0

    kn.export(once, vec(1, 2, 3), vec(1, 1, 1), to=tmp_path / "o.kiln")
    m, w = kn.load(tmp_path / "o.kiln"), vec(1, 2, 4)
    for _ in range(3):
        with pytest.raises(kn.TraceError, match="another answer"):
            m(vec(1, 2, 4), w)
        assert w.tolist() == [1, 2, 4]
    m(vec(3, 2, 1), w)
    assert w.tolist() == [5, 6, 9]


def test_nothing_is_computed_or_changed_by_an_export(tmp_path):
    def f(x):
        x *= 2
        return x if kn.sum(x) > 0 else -x

    x, y = vec(1, 2), vec(-1, -2)
    kn.export(f, x, to=tmp_path / "f.kiln", examples=[(y,)])
    assert x.tolist() == [1, 2] and y.tolist() == [-1, -2]


def test_forbid(tmp_path):
    kn.export(signed, *CASES["signed"][1][0], to=tmp_path / "s.kiln", examples=CASES["signed"][1][1:], miss="forbid")
    with pytest.raises(kn.TraceError, match=r"expected examples of every way, got none with another answer to: test_package_paths.py:\d+: "):
        kn.export(counted, vec(1, 2), vec(3, dtype="i4")[0], to=tmp_path / "no.kiln", miss="forbid")
    assert not (tmp_path / "no.kiln").exists()

    def asks(x):
        y = x
        for _ in range(3):
            if int(y[0]) in (1, 3):
                y = y * 0.5
        return y
    with pytest.raises(kn.TraceError, match="to: ") as refused:  # one line, though it is asked three times
        kn.export(asks, vec(1, 2, 3), to=tmp_path / "no.kiln", miss="forbid")
    assert str(refused.value).split("to: ")[1].split("\n")[0].count("test_package_paths.py") == 1


def test_one_way_alone(tmp_path):
    """Without examples: the way of the arguments."""
    with pytest.warns(kn.KilnWarning, match=r"calls that are told otherwise are errors, at test_package_paths.py:\d+: .*examples= names more ways") as caught:
        kn.export(counted, vec(1, 2), vec(3, dtype="i4")[0], to=tmp_path / "s.kiln")
    assert caught[0].filename == __file__
    m = kn.load(tmp_path / "s.kiln")
    for got, want in zip(m(vec(3, 0.5), vec(3, dtype="i4")[0]), counted(vec(3, 0.5), 3), strict=True):
        same_bits(np.asarray(got), np.asarray(want))
    with pytest.raises(kn.TraceError, match="another answer"):
        m(vec(1, 2), vec(4, dtype="i4")[0])
    text = kiln.inspect.describe(m)
    assert "not every answer is known at test_package_paths.py" in text and "miss" not in text


# What a package cannot be: results of other shapes, other structures, and arguments that are no arrays and differ.
SHAPES = {"edit_prefix", "chained_comparison", "and_or_not", "views_of_arguments_across_a_cut", "strided", "unused_branch_value", "until_none_is_large", "indexed_by_values"}
SIZES = {"array_as_size", "python_math"}  # without a bound
STRUCTURES = {"digits", "greedy_decoding", "run_lengths", "matched", "any_and_all", "numbers_of_arrays", "as_list", "special_values", "returns_an_argument",
              "the_same_array_twice", "factorial", "closure_counter", "binary_text", "prime_factors", "histogram_by_hand", "breadth_first", "first_positive"}
ARGUMENTS = {"schedule", "keyed_and_guarded", "rnn", "layer"}


# Whose trips are decided by values: from six examples on, for any number of them.
LOOPS = {"newton", "newton_with_count", "golden_section", "gcd", "power_iteration", "conjugate_gradient", "jacobi_until_converged", "scaled_until_small", "k_means_until_converged",
         "mandelbrot", "secant", "exponential_series", "arithmetic_geometric_mean", "while_else"}


def after(f, args):
    """The result of a call, and its arguments behind it, by type and bits."""
    args = control_flow_fuzz.copies(args)

    def plain(value):
        if isinstance(value, kn.Array):
            return value.dtype.name, value.shape, np.asarray(value).tobytes()
        if isinstance(value, (list, tuple)):
            return type(value).__name__, [plain(v) for v in value]
        return [(k, plain(v)) for k, v in value.items()] if isinstance(value, dict) else (type(value), repr(value))

    try:
        return plain(f(*args)), plain(args)
    except kn.TraceError as error:
        return "another answer" if "another answer" in str(error) else str(error)
    except Exception as error:
        return type(error), plain(args)


@pytest.mark.parametrize("name", control_flow.PROGRAMS)
def test_programs_as_people_write_them(name, tmp_path):
    function, make = control_flow.PROGRAMS[name]
    rng = np.random.default_rng(len(name))
    inputs = [make(rng) for _ in range(10)]
    examples = [control_flow_fuzz.copies(args) for args in inputs[:6]]
    try:
        kn.export(function, *examples[0], to=tmp_path / "f.kiln", examples=examples[1:])
    except (kn.TraceError, ValueError) as error:
        expected = "shapes and dtypes on every way" if name in SHAPES else "expected a bound of the number" if name in SIZES else "on every way" if name in STRUCTURES else "like those of the call"
        assert name in SHAPES | SIZES | STRUCTURES | ARGUMENTS and expected in str(error), str(error)
        return
    assert name not in SHAPES | SIZES | STRUCTURES | ARGUMENTS
    with kn.config.override(jit="off"):
        loaded = kn.load(tmp_path / "f.kiln")
        for number, args in enumerate(inputs):
            found = after(loaded, args)
            assert found == after(function, args) or (found == "another answer" and number >= 6 and name not in LOOPS), number


def different(x):
    return (x, x) if kn.sum(x) > 0 else x


SOMEWHERE = os.memfd_create("position")


def unsteady(x):
    """Another function each time: the position in a file of the system is nothing of Python's."""
    y = x * os.lseek(SOMEWHERE, 1, os.SEEK_CUR)
    return y if kn.sum(x) > 0 else -y


@pytest.mark.parametrize("call, kind, text", [
    (lambda to: kn.export(signed, vec(1, 2, 3, 4), to=to, examples=[vec(1, 2, 3, 4)]), ValueError, "examples: expected tuples of arguments, got a Array"),
    (lambda to: kn.export(signed, vec(1, 2, 3, 4), to=to, examples=[(vec(1, 2, 3, 4), 1)]), ValueError, "examples: expected arguments of signed"),
    (lambda to: kn.export(signed, vec(1, 2, 3, 4), to=to, examples=[(vec(1, 2),)]), ValueError, "examples: expected arguments like those of the call"),
    (lambda to: kn.export(signed, vec(1, 2, 3, 4), to=to, examples=[(vec(1, 2, 3, 4, dtype="d"),)]), ValueError, "examples: expected arguments like those of the call"),
    (lambda to: kn.export(signed, vec(1, 2, 3, 4), to=to, miss="interpret"), ValueError, "miss: expected 'error' or 'forbid', got 'interpret'"),
    (lambda to: kn.export({"a": (signed, (vec(1, 2, 3, 4),))}, to=to, examples=[(1,)]), ValueError, "examples: expected them for one function"),
    (lambda to: kn.export(different, vec(1, 2), to=to, examples=[(-vec(1, 2),)]), kn.TraceError, "expected one structure on every way"),
    (lambda to: kn.export(unsteady, vec(1, 2), to=to, examples=[(vec(1, 3),)]), kn.TraceError, "expected a function that does the same where it is told the same"),
    (lambda to: kn.export(counted, kn.ones((2, 4)), vec(2, dtype="i4")[0], to=to, dynamic={"x": {0: ("n", 1, 8)}}, miss="forbid"), kn.TraceError, "expected examples of every way"),
])
def test_errors(call, kind, text, tmp_path):
    with pytest.raises(kind, match=text):
        call(tmp_path / "f.kiln")
    assert not (tmp_path / "f.kiln").exists()


class Counted:
    def __init__(self):
        self.w, self.count, self.largest = vec(1, 2, 3), kn.asarray(0.0), kn.zeros(3)

    def __call__(self, x, *, k=2.0):
        self.count[...] += 1
        if kn.sum(x) > 3:
            self.largest[...] = x
            return x * self.w * k
        return x - self.w


def test_state_that_some_ways_write(tmp_path):
    model, plain = Counted(), Counted()
    kn.export(model, vec(1, 1, 1), kwargs={"k": 3.0}, to=tmp_path / "m.kiln", examples=[(vec(4, 4, 4),)])
    assert float(model.count) == 0
    m = kn.load(tmp_path / "m.kiln")
    for k in range(4):
        x = vec(2, 1, 0) * k
        same_bits(np.asarray(m(x)), np.asarray(plain(x, k=3.0)))
        same_bits(np.asarray(m.state["count"]), np.asarray(plain.count))
        same_bits(np.asarray(m.state["largest"]), np.asarray(plain.largest))


def test_numbers_of_questions_that_a_file_does_not_have(tmp_path):
    """A package whose questions were taken away: an error all the same, from it and from a library of it."""
    def thrice(x):
        return [x * int(v) for v in x]

    kn.export(thrice, vec(3, 2, -0.5), to=tmp_path / "whole.kiln")
    m = kn.load(tmp_path / "whole.kiln")
    manifest = m._manifest
    assert len(manifest["entries"][0]["misses"]) > 2
    del manifest["entries"][0]["misses"][1:]
    programs = {e["program"]: m._loaded.program(i) for i, e in enumerate(manifest["entries"])}
    kn._core.write_package(json.dumps(manifest), programs, [], str(tmp_path / "cut.kiln"))
    with pytest.raises(kn.TraceError, match="another answer at a place that it does not name"):
        kn.load(tmp_path / "cut.kiln")(vec(3, 2, 1))
    kn._core.make_library(str(tmp_path / "cut.kiln"), str(tmp_path / "libcut.so"), {"emit": "so", "cpu": "native", "name": "cut"})
    library = Library(tmp_path / "libcut.so")
    with pytest.raises(Failure, match="another answer at a place that it does not name") as failure:
        library(np.asarray(vec(3, 2, 1)))
    assert failure.value.status == -14
    library.close()
