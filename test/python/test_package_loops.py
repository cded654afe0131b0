"""Functions whose values decide how many trips a loop has, exported: one loop, for any number of trips; and nothing but computing is done for it."""
import collections
import contextlib
import gc
import math

import numpy as np
import pytest

import kiln as kn
from conftest import same_bits
from native import Library


def scaled(x):
    trips = 0
    while kn.max(kn.abs(x)) > 1:
        x = x / 2
        trips += 1
    return x, trips


def newton(a, most):
    """A number of trips that an argument bounds."""
    x, n = a * 0.5 + 0.5, 0
    while kn.abs(x * x - a) > 1e-6 * a and n < most:
        x, n = 0.5 * (x + a / x), n + 1
    return {"root": x, "trips": n, "last": float(x)}


def descent(x):
    """A loop of Python's that is left early."""
    before = kn.sum(x * x)
    for i in range(1000):
        x = x - 0.1 * (2 * x + kn.sin(x))
        loss = kn.sum(x * x)
        if before - loss < 1e-7:
            break
        before = loss
    return x, i


def branches(x):
    """Two ways through a trip, one loop behind the other."""
    ups = downs = 0
    while kn.sum(kn.abs(x)) > 1:
        if x[0] > x[1]:
            x, ups = kn.stack([x[0] * 0.25, x[1]]), ups + 1
        else:
            x, downs = kn.stack([x[0], x[1] * 0.5]), downs + 1
    y = x
    while y[0] < 1:
        y = y * 2 + 0.125
    return (x, y), [ups, downs, ups - downs]


def nested(x):
    total, trips = x * 0, 0
    while kn.max(x) > 0.5:
        y = x
        while kn.max(y) > 0.25:
            y, trips = y * 0.5, trips + 1
        total, x = total + y, x * 0.75
    return total, trips


def divisor(a, b):
    while b != 0:
        a, b = b, a % b
    return a


def gives_up(x):
    """A result of other numbers on another way."""
    n = 0
    while kn.max(x) > 1:
        x, n = x * 0.5, n + 1
        if n == 20:
            return x, -1
    return x, n


def in_place(x, w):
    while kn.sum(w) < 10:
        w += x
    w[0] = 0.0
    return kn.sum(w)


class Model:
    def __init__(self):
        self.w, self.decay, self.most = vec(0.5, 0.25, -0.125), 0.75, 30

    def __call__(self, x):
        n = 0
        while kn.sum(x * x) > 0.01 and n < self.most:
            x, n = kn.tanh(x * self.w + x * self.decay), n + 1
        return x, n


def vec(*values, dtype="f"):
    return kn.asarray(np.array(values, dtype=dtype))


def integer(value):
    return vec(value, dtype="i8")[0]


# function, examples, and calls with other numbers of trips
CASES = {
    "scaled": (scaled, [(vec(3, 1),), (vec(0.5, 0.1),)], [(vec(2.0**k, -1),) for k in (-3, 0, 1, 5, 100, 127)] + [(vec(math.nan, 2),)]),
    "newton": (newton, [(vec(9)[0], integer(50)), (vec(2)[0], integer(50)), (vec(5)[0], integer(2)), (vec(1)[0], integer(3))],
               [(vec(a)[0], integer(n)) for a in (0.01, 7, 1e8) for n in (0, 1, 4, 1000)]),
    "descent": (descent, [(vec(1, 2),), (vec(0, 0),)], [(vec(40, -3),), (vec(1e-4, 0),), (vec(1e3, 1e3),)]),
    "branches": (branches, [(vec(9, 4),), (vec(2, 8),), (vec(0.5, 0.25),)], [(vec(100, 30),), (vec(1, 1000),), (vec(0.125, 0),), (vec(1e10, 1e20),)]),
    "nested": (nested, [(vec(1, 2),), (vec(4, 0),), (vec(0, 0),)], [(vec(100, 3),), (vec(0.6, 0.7),), (vec(-1, -1),), (vec(1e6, 0),)]),
    "divisor": (divisor, [(integer(48), integer(36)), (integer(7), integer(0)), (integer(5), integer(3))], [(integer(1071), integer(462)), (integer(2**31 - 1), integer(1836311903)), (integer(0), integer(9))]),
    "gives_up": (gives_up, [(vec(4, 1),), (vec(2.0**30, 0),), (vec(0, 0),)], [(vec(2.0**k, 0),) for k in (1, 7, 18, 19, 20, 21, 60)]),
    "model": (Model(), [(vec(1, 2, 3),), (vec(0, 0, 0.01),), (vec(100, -50, 3),)], [(vec(7, 0, 0),), (vec(0.2, 0.1, 0),), (vec(-5, -5, 1e5),)]),
}


def leaves(value):
    if isinstance(value, dict):
        return [leaf for v in value.values() for leaf in leaves(v)]
    return [leaf for v in value for leaf in leaves(v)] if isinstance(value, (list, tuple)) else [value]


def same(got, want):
    got, want = leaves(got), leaves(want)
    assert [type(g) for g in got] == [type(w) for w in want]
    for g, w in zip(got, want, strict=True):
        same_bits(np.asarray(g), np.asarray(w))


@pytest.mark.parametrize("mode", ("sync", "off"))
@pytest.mark.parametrize("name", CASES)
def test_packages_run_any_number_of_trips(name, mode, tmp_path):
    f, examples, others = CASES[name]
    kn.export(f, *examples[0], to=tmp_path / "f.kiln", examples=examples[1:])
    with kn.config.override(jit=mode):
        m = kn.load(tmp_path / "f.kiln")
        for args in [*examples, *others]:
            same(m(*args), f(*args))


@pytest.mark.parametrize("name", CASES)
def test_libraries_run_any_number_of_trips(name, tmp_path):
    f, examples, others = CASES[name]
    kn.export(f, *examples[0], to=tmp_path / "libf.so", header=tmp_path / "f.h", examples=examples[1:], cpu="native")
    library = Library(tmp_path / "libf.so")
    for args in [*examples, *others]:
        found = library(*map(np.asarray, args))
        for got, want in zip(found if isinstance(found, list) else [found], leaves(f(*args)), strict=True):
            same_bits(got, np.asarray(want))
    library.close()


def test_arguments_that_are_written(tmp_path):
    kn.export(in_place, vec(1, 2), vec(0, 0), to=tmp_path / "f.kiln", examples=[(vec(1, 2), vec(20, 0)), (vec(0.5, 0), vec(0, 0))])
    m = kn.load(tmp_path / "f.kiln")
    for x in (vec(1, 1), vec(0.01, 0), vec(100, 0)):
        got, want = vec(0, 1), vec(0, 1)
        same(m(x, got), in_place(x, want))
        same(got, want)


def test_forbid_takes_loops(tmp_path):
    kn.export(scaled, vec(3, 1), to=tmp_path / "f.kiln", examples=[(vec(0.5, 0),)], miss="forbid")
    assert kn.load(tmp_path / "f.kiln")(vec(512, 0))[1] == 9


def test_ways_that_no_example_took(tmp_path):
    """The other answers to questions for truth values, where the function goes on with them."""
    def damped(x):
        ups = downs = 0
        while kn.sum(kn.abs(x)) > 1:
            if x[0] > x[1]:
                x, ups = x * kn.asarray([0.25, 1.0]), ups + 1
            else:
                x, downs = x * kn.asarray([1.0, 0.5]), downs + 1
        return x, ups, downs

    kn.export(damped, vec(9, 1), to=tmp_path / "f.kiln")
    m = kn.load(tmp_path / "f.kiln")
    for x in (vec(9, 1), vec(1e10, 3), vec(2, 1e20), vec(0, 0), vec(3, 3), vec(0.5, 0.75)):
        same(m(x), damped(x))

    def checked(x):
        if kn.any(kn.isnan(x)):
            raise ValueError("expected numbers")
        if kn.max(x) > 10:
            return x, None  # of another form
        assert kn.min(x) > -10
        if kn.sum(x) > 0:
            while True:  # for ever, where no value says so
                if kn.max(x) > 1:
                    return x * 2, 1
                x = x * 1.5 + 1e-3
        return -x, 0

    kn.export(checked, vec(-1, -2), to=tmp_path / "f.kiln", examples=[(vec(4, 1),)])
    m = kn.load(tmp_path / "f.kiln")
    for args in [(vec(-3, 1),), (vec(4, 1),), (vec(0.125, 0.25),)]:
        same(m(*args), checked(*args))
    for x in (vec(math.nan, 1), vec(11, 0), vec(-11, 0)):
        with pytest.raises(kn.TraceError, match=r"another answer at test_package_loops.py:\d+: "):
            m(x)


def test_other_answers_may_never_end(tmp_path):
    """A loop of Python's that ends because values are as they are: it is left after some time, and is no way of the package."""
    def f(x):
        n, below = 0, kn.sum(x) < 10
        while not below or n < 3:
            n += 1
            if n == 3:
                below = True if below else n  # a number: true, too
            elif n > 3:
                below = False
        return x * n

    kn.export(f, vec(1, 2), to=tmp_path / "f.kiln")
    m = kn.load(tmp_path / "f.kiln")
    same(m(vec(2, 3)), f(vec(2, 3)))


class Kept:
    def __init__(self):
        self.n, self.seen, self.state = 0, [], vec(0, 0)


KEPT, CALLS = Kept(), collections.Counter()


def stores_a_number(x):
    while kn.max(x) > 1:
        x = x * 0.5
        KEPT.n += 1
    return x


def appends(x):
    while kn.max(x) > 1:
        KEPT.seen.append(1)
        x = x * 0.5
    return x


def stores_a_global(x):
    global TOTAL
    while kn.max(x) > 1:
        x = x * 0.5
        TOTAL += 1
    return x


TOTAL = 0


def counts(x):
    while kn.max(x) > 1:
        x = x * 0.5
        CALLS["trips"] += 1
    return x


def prints(x):
    while kn.max(x) > 1:
        x = x * 0.5
        print("a trip")
    return x


def draws(x):
    while kn.max(x) > 1:
        x = x * 0.5 * kn.random.uniform()
    return x


def hides_the_error(x):
    while kn.max(x) > 1:
        x = x * 0.5
        try:
            KEPT.n += 1
        except BaseException:
            KEPT.seen.append(2)
        finally:
            KEPT.n += 1
    return x


def in_a_block(x):
    @contextlib.contextmanager
    def noted():
        KEPT.n += 1
        yield
        KEPT.n -= 1
    while kn.max(x) > 1:
        with noted():
            x = x * 0.5
    return x


@pytest.mark.parametrize("f", (stores_a_number, appends, stores_a_global, counts, prints, draws, hides_the_error, in_a_block))
def test_nothing_but_computing_is_done(f, tmp_path, capfd):
    state = kn.random.get_state().tolist()
    x, y = vec(9, 1), vec(0.5, 0)
    with pytest.raises(kn.TraceError):
        kn.export(f, x, to=tmp_path / "f.kiln", examples=[(y,)])
    assert (KEPT.n, KEPT.seen, TOTAL, dict(CALLS)) == (0, [], 0, {})
    assert kn.random.get_state().tolist() == state
    assert capfd.readouterr().out == ""
    assert x.tolist() == [9, 1] and y.tolist() == [0.5, 0]
    assert not (tmp_path / "f.kiln").exists()


class Counted:
    """Its state is in an array: a package keeps it, and calls for the export leave it alone."""
    def __init__(self):
        self.trips = kn.asarray(0.0)

    def __call__(self, x):
        while kn.max(x) > 1:
            x = x * 0.5
            self.trips[...] += 1
        return x


def test_state_in_arrays(tmp_path):
    model, plain = Counted(), Counted()
    kn.export(model, vec(4, 1), to=tmp_path / "m.kiln", examples=[(vec(0.5, 0),)])
    assert float(model.trips) == 0
    m = kn.load(tmp_path / "m.kiln")
    for x in (vec(3, 1), vec(0, 0), vec(4, 4)):
        same(m(x), plain(x))
        same(m.state["trips"], plain.trips)


def test_exports_hold_nothing(tmp_path):
    """Neither the arrays of the examples nor the function."""
    def export():
        def f(x):
            n = 0
            while kn.max(x) > 1:
                x, n = x * 0.5, n + 1
            return x, n
        kn.export(f, kn.ones(100_000) * 4, to=tmp_path / "f.kiln", examples=[(kn.ones(100_000),)])
        import weakref
        return weakref.ref(f)
    gone = export()
    gc.collect()
    assert gone() is None


def test_errors_of_the_function_are_its_own(tmp_path):
    def f(x):
        while kn.max(x) > 1:
            x = x * 0.5
        return x @ kn.ones((3, 3))
    with pytest.raises(ValueError, match=r"matmul|product"):
        kn.export(f, vec(9, 1), to=tmp_path / "f.kiln")
