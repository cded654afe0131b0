"""Trees of segments: what they cost, what limits them, what they tell, and calls that Python drives; jit against eager."""
import gc
import threading
import traceback
import warnings

import numpy as np
import pytest

import control_flow_more  # noqa: F401: adds to PROGRAMS
import kiln as kn
from conftest import same_bits
from control_flow import PROGRAMS
from control_flow_fuzz import driven, outcome
from state_harness import settle

scale = 2.0


def quiet(f, *args):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        result = f(*args)
    return result, [str(w.message) for w in caught]


def halved_until_small(x):
    n = 0
    while kn.max(x) > 1:
        x, n = x * 0.5, n + 1
    return x, n


def ends_of(f):
    return [node["ends"] for v in f.explain().variants for node in v["nodes"]]


# What it costs


def test_trips_of_a_loop_share_their_code():
    f = kn.jit(halved_until_small)
    for value in (1.0, 3.0, 1e30, 7.0, 1e10):
        want = halved_until_small(kn.full(3, value))
        for _ in range(2):
            got = f(kn.full(3, value))
            same_bits(got[0], want[0])
            assert got[1] == want[1]
    assert f.stats.misses <= 4 and f.stats.compiles + f.stats.cache_hits <= 5 and f.stats.segments <= 4  # written out before its number was known to count
    assert len(f.explain().variants[0]["nodes"]) < 10 and "as long as its questions are answered so, are one loop" in str(f.explain())


def test_ten_thousand_trips():
    def count(x, n):
        k = 0
        while x > 0 and k < n:
            x, k = x + 0.5, k + 1
        return x, k

    f = kn.jit(count)
    for _ in range(3):
        assert f(kn.asarray(1.0), 10_000)[1] == 10_000
    same_bits(f(kn.asarray(1.0), 10_000)[0], count(kn.asarray(1.0), 10_000)[0])
    assert f.stats.misses == 2 and f.stats.compiles + f.stats.cache_hits <= 6 and f.stats.segments <= 6  # the second time with `k` kept
    assert "one loop" in str(f.explain())
    for n in (100, 7):
        assert f(kn.asarray(1.0), n)[1] == n


def test_numbers_and_sizes_that_differ_share_code():
    def f(x):
        for i in range(20):
            x = x + i
            if kn.sum(x) > 100:
                break
        return x

    jitted = kn.jit(f)
    for n in (2, 3, 5, 8, 13, 21):
        same_bits(jitted(kn.ones(n)), f(kn.ones(n)))
        same_bits(jitted(kn.ones(n)), f(kn.ones(n)))
    assert jitted.stats.compiles + jitted.stats.cache_hits <= 10, jitted.stats  # loops are compiled for each size


def test_memory_is_flat():
    f, x = kn.jit(halved_until_small), kn.full(1000, 50.0)
    for _ in range(3):
        f(x)
    gc.collect()  # of other tests
    before = kn.memory_stats().in_use
    for _ in range(50):
        f(x)
    gc.collect()
    assert kn.memory_stats().in_use <= before


def test_the_first_segment_of_a_path_that_is_new_is_not_compiled_again():
    def f(x):
        y = kn.tanh(x) + kn.sum(x)
        return y * 2 if y[0] > 0 else y * 3

    jitted = kn.jit(f)
    jitted(kn.ones(3))
    before = jitted.stats.compiles + jitted.stats.cache_hits
    jitted(-kn.ones(3))
    assert jitted.stats.compiles + jitted.stats.cache_hits <= before + 1


def test_a_path_of_most_calls_is_one_program():
    def f(x, i):
        y = kn.tanh(x) * 2
        if kn.sum(y) > 0:
            z = kn.take(y, i) + 1
            return z * z if z[0] < 100 else z
        return y - 1

    jitted, good, bad = kn.jit(f), kn.asarray([0, 1]), kn.asarray([0, 99])
    x = kn.asarray([1.0, 2.0, -0.5])
    for _ in range(60):
        same_bits(jitted(x, good), f(x, good))
    hot = jitted.explain().variants[0]["hot"]
    assert hot["length"] == 3 and hot["hits"] > 10 and "is one program" in str(jitted.explain())
    for _ in range(3):
        same_bits(jitted(-x, bad), f(-x, bad))  # an index of the path that is not taken
        with pytest.raises(IndexError):
            jitted(x, bad)
        same_bits(jitted(x, good), f(x, good))
    for _ in range(60):
        same_bits(jitted(-x, good), f(-x, good))
    assert jitted.explain().variants[0]["hot"] is None, "most calls take another one now"

    def g(x, flag):
        x += 1
        if x[0] > 2:
            x *= 2
        y = x * 1
        if flag:
            x[0] = 7
        return y, x

    jitted = kn.jit(g)
    for i in range(50):
        a, b = kn.full(3, 5.0), kn.full(3, 5.0)
        (y, same), (want, _) = jitted(a, kn.asarray(True)), g(b, kn.asarray(True))
        same_bits(y, want), same_bits(a, b)
        assert same is a


# Limits


def float_of(x, w):
    w = w - 0.1 * kn.tanh(w * x)
    loss = float(kn.sum(w * w))
    w = w * 0.5 if float(repr(loss)) > 2 else w * 2
    return w, loss


def test_floats_that_differ_have_python_go_first():
    f, rng = kn.jit(float_of), np.random.default_rng(0)
    notes = []
    for step in range(40):
        x, w = (kn.asarray(rng.normal(size=4).astype("f4")) for _ in range(2))
        (got, loss), told = quiet(f, x, w)
        want = float_of(x, w)
        same_bits(got, want[0])
        assert type(loss) is float and loss == want[1]
        notes += told
        if step == 20:
            before = f.stats.compiles + f.stats.cache_hits
    assert ends_of(f)[0] == "python" and f.stats.tier == 1
    assert f.stats.compiles + f.stats.cache_hits == before and len(f.explain().variants[0]["nodes"]) < 12
    assert len(notes) == 1 and "Python goes first" in notes[0] and f"test_trees.py:{float_of.__code__.co_firstlineno + 2}: " in notes[0]
    g = kn.jit(float_of, on_miss="raise")
    with pytest.raises(kn.TraceError, match="another one on most calls"):
        for step in range(6):
            g(kn.full(4, float(step)), kn.ones(4))


def test_numbers_that_differ_become_inputs_of_what_python_drives():
    def f(x, rate):
        rate = rate.item()
        return x * rate + 1, rate

    jitted = kn.jit(f)
    quiet(lambda: [jitted(kn.ones(5), kn.asarray(i * 0.37)) for i in range(20)])
    before = jitted.stats.compiles + jitted.stats.cache_hits
    for i in range(400):
        x, rate = kn.ones(5) * i, kn.asarray(i * 0.71)
        same_bits(jitted(x, rate)[0], f(x, rate)[0])
    assert jitted.stats.compiles + jitted.stats.cache_hits == before and len(jitted.explain().variants[0]["steps"]) <= 256


def test_many_paths_have_a_limit():
    def f(bits, x):
        for i in range(10):
            x = x * 0.5 + 1 if bits[i] else x * 0.25
        return x

    jitted, rng = kn.jit(f), np.random.default_rng(0)
    for _ in range(300):
        bits = kn.asarray(rng.integers(0, 2, size=10))
        same_bits(jitted(bits, kn.ones(2)), f(bits, kn.ones(2)))
    assert jitted.stats.compiles + jitted.stats.cache_hits < 40 and set(ends_of(jitted)) <= {"guard", "return"}

    def by_number(k):
        return kn.ones(2) * int(k)

    jitted = kn.jit(by_number)
    for i in range(100):
        same_bits(quiet(jitted, kn.asarray(i))[0], by_number(i))
    assert "python" in ends_of(jitted) and len(ends_of(jitted)) < 70


@pytest.mark.parametrize("name", PROGRAMS)
def test_programs_that_python_drives(name):
    function, make = PROGRAMS[name]
    rng = np.random.default_rng(7)
    inputs = [make(rng) for _ in range(8)]
    with kn.config.override(jit="auto"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        jitted, call = driven(function)
        for _ in range(6):
            quiet(lambda: outcome(call, inputs[0]))
        for i in [*range(8), *range(8)]:
            assert outcome(call, inputs[i]) == outcome(function, inputs[i]), f"{name}: input {i}"
    loops = [loop for v in jitted.explain().variants for step in v["steps"] for loop in step["loops"]]
    assert "python" in ends_of(jitted) or loops


def test_what_python_drives_writes_where_others_look():
    def f(x, y, fails):
        x += 1
        seen = y * 1
        y[:] = x
        if fails:
            raise ValueError("as asked")
        x *= 2
        return seen

    jitted, call = driven(f)
    for _ in range(6):
        quiet(call, kn.ones(3), kn.ones(3), False)
    for _ in range(2):
        shared = np.zeros(5, np.float32)
        assert call(shared[:3], shared[2:], False).tolist() == [1, 0, 0], "NumPy's memory, which overlaps"
        assert shared.tolist() == [2, 2, 4, 1, 1] or shared.tolist() == f_of_numpy(f)
        x, y = kn.zeros(2), kn.zeros(2)
        with pytest.raises(ValueError, match="as asked"):
            quiet(call, x, y, True)
        assert x.tolist() == [1, 1] and y.tolist() == [1, 1], "what was written before"


def f_of_numpy(f):
    shared = np.zeros(5, np.float32)
    f(kn.asarray(shared[:3]), kn.asarray(shared[2:]), False)
    return shared.tolist()


# Errors


def test_errors_are_those_of_eager_and_leave_the_tree():
    def f(x, i):
        x += 1
        if kn.sum(x) > 10:
            raise OverflowError("too large")
        if x[0] > 2:
            return kn.take(x, i)
        return x * 2

    jitted = kn.jit(f)
    good, bad = kn.asarray([1]), kn.asarray([9])
    for _ in range(3):
        x = kn.full(2, 3.0)
        with pytest.raises(IndexError):
            jitted(x, bad)
        assert x.tolist() == [4, 4]
        x = kn.full(2, 3.0)
        assert jitted(x, good).tolist() == [4] and x.tolist() == [4, 4]
        x = kn.full(2, 30.0)
        with pytest.raises(OverflowError, match="too large") as caught:
            jitted(x, good)
        assert x.tolist() == [31, 31] and traceback.extract_tb(caught.tb)[-1].name == "f"
        assert jitted(kn.ones(2), good).tolist() == [4, 4]
    assert sorted(set(ends_of(jitted))) == ["guard", "raise", "return"] and not jitted.explain().variants[0]["eager"]


def test_what_ends_a_path_in_eager_leaves_the_others():
    def f(x):
        if x[0] > 0:
            return {1, 2}
        return x + 1

    jitted = kn.jit(f)
    (result, notes), x = quiet(jitted, kn.ones(2)), -kn.ones(2)
    assert result == {1, 2} and "a set" in notes[0]
    for _ in range(3):
        assert jitted(x).tolist() == [0, 0] and jitted(kn.ones(2)) == {1, 2}
    assert ends_of(jitted) == ["guard", "eager", "return"]


def test_growth_is_told_where_that_is_asked_for():
    def f(x):
        return x + 1 if kn.argmax(x) == 1 else x * int(x[0])

    jitted = kn.jit(f, on_miss="warn")
    x = kn.asarray([1.0, 2.0])
    assert not quiet(jitted, x)[1] and not quiet(jitted, x)[1]
    line = f"test_trees.py:{f.__code__.co_firstlineno + 1}: "
    assert [n for n in quiet(jitted, kn.asarray([3.0, 2.0]))[1] if "records again: " + line in n and "False for the first time" in n]
    assert [n for n in quiet(jitted, kn.asarray([4.0, 2.0]))[1] if "is 4.0 for the first time" in n]
    assert [n for n in quiet(jitted, kn.ones(3))[1] if "an argument was float32[2], is float32[3]" in n] and not quiet(jitted, x)[1]


# State, threads


def test_names_are_watched_on_all_paths():
    global scale

    def f(x):
        return x * scale if x[0] > 0 else x - scale

    jitted = kn.jit(f)
    for scale in (2.0, 3.0, 2.0):
        for x in (kn.ones(2), -kn.ones(2)):
            same_bits(jitted(x), f(x))
            same_bits(jitted(x), f(x))
    assert jitted.stats.misses == 4


def test_default_dtype_and_sizes_are_of_the_key():
    f = kn.jit(halved_until_small)
    for x in (kn.full(3, 9.0), kn.full(3, 9.0, dtype=kn.float64), kn.full((2, 2), 5.0), kn.full(1, 5.0)):
        for _ in range(2):
            same_bits(f(x)[0], halved_until_small(x)[0])


@pytest.mark.parametrize("mode", ["auto", "sync"])
def test_threads_grow_one_tree(mode):
    function, wrong = PROGRAMS["three_ways"][0], []
    rng = np.random.default_rng(0)
    inputs = [kn.asarray((rng.normal(size=5)).astype("f4")) for _ in range(40)]
    want = [function(x).tolist() for x in inputs]
    with kn.config.override(jit=mode):
        jitted = kn.jit(function)

        def work(seed):
            for i in np.random.default_rng(seed).permutation(40).tolist() * 5:
                if jitted(inputs[i]).tolist() != want[i]:
                    wrong.append(i)

        threads = [threading.Thread(target=work, args=(seed,)) for seed in range(8)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
    assert not wrong and set(ends_of(jitted)) <= {"guard", "return"}


# What it tells


def test_explain_shows_the_tree():
    def f(x):
        if kn.sum(x) > 0:
            return x * 2
        return x - 1

    jitted = kn.jit(f)
    for x in (1.0, 1.0, -1.0, 1.0):
        jitted(kn.full(2, x))
    variant = jitted.explain().to_dict()["variants"][0]
    root, positive, negative = variant["nodes"]
    line = f"test_trees.py:{f.__code__.co_firstlineno + 1}: the truth value of an array is asked for"
    assert root["ends"] == "guard" and root["asks"] == line and root["parent"] == -1
    assert positive["value"] is True and positive["parent"] == 0 and positive["ends"] == "return" and negative["value"] is False
    assert root["hits"] >= 3 and len(variant["steps"]) == 3 == jitted.stats.segments
    assert {k["step"] for k in variant["kernel_list"]} == {0, 1, 2}
    text = str(jitted.explain())
    assert line in text and "True: step 1, then the result" in text and "False: step 2" in text


def test_bits_decide():
    def f(x):
        return x + 1, 1 / x.item() if x.item() else "zero", str(x.item())

    jitted = kn.jit(f)
    for value in (0.0, -0.0, 2.0, 0.0, -0.0, 2.0):
        got, want = jitted(kn.asarray(value)), f(kn.asarray(value))
        assert got[1:] == want[1:]


def test_lower_says_why_not():
    with pytest.raises(kn.TraceError, match="truth value"):
        kn.jit(lambda x: x if x[0] > 0 else -x).lower(kn.ones(2))


class Scale:
    def __init__(self):
        self.__dict__.update(by=2)


def test_lower_of_what_only_calls_tell():
    scale = Scale()
    f, x = kn.jit(lambda x: x * scale.by), kn.ones(3)
    with pytest.raises(kn.TraceError, match="lower: expected a function whose reads its code tells, or a call of it before, got: test_trees.py:.*: reads 'scale'"):
        f.lower(x)
    assert f(x).tolist() == [2, 2, 2]
    assert "kiln.multiply" in f.lower(x).ir("kiln")
    with pytest.raises(kn.TraceError, match="a call of it before"):
        f.lower(kn.ones((3, 3)))


# What does not pay ends in eager


def relaxed(table, order):
    """Writes single elements, and decides by others."""
    for i in order:
        if table[i] < table[i + 1]:
            table[i] = table[i + 1] + 1
    return table


def turned(table, order):
    """Every segment has operations of its own."""
    for i in order:
        x = table[i]
        for bit in range(9):
            x = kn.sin(x) if i >> bit & 1 else kn.cos(x)
        if x > 0:
            table[i] = table[i + 1] + 1
    return table


def test_a_call_of_very_many_segments_runs_in_eager():
    f = kn.jit(turned)
    _, told = quiet(f, kn.arange(400.0), tuple(range(300)))
    assert len(told) == 1 and "more than 256 segments that share no code" in told[0] and "test_trees.py" in told[0]
    for start in (kn.arange(400.0), -kn.arange(400.0)):
        want = turned(kn.asarray(start, copy=True), tuple(range(300)))
        for _ in range(3):
            same_bits(quiet(f, kn.asarray(start, copy=True), tuple(range(300)))[0], want)
    assert "segments that share no code" in str(f.explain())


def test_a_path_that_is_slower_than_eager_ends_there():
    f = kn.jit(relaxed)  # each segment makes a table of its own
    table, order = kn.arange(1 << 21), tuple(range(0, 60, 3))
    want = relaxed(kn.asarray(table, copy=True), order)
    told = []
    with kn.config.override(jit="auto"):
        for _ in range(200):
            own = kn.asarray(table, copy=True)
            told += quiet(f, own, order)[1]
            same_bits(own, want)
            if told:
                break
            settle()
    assert len(told) == 1 and "in segments, and" in told[0] and "in eager" in told[0]
    assert "in segments, and" in str(f.explain())
    with kn.config.override(jit="auto"):
        raising = kn.jit(relaxed, on_miss="raise")
        for _ in range(30):
            raising(kn.asarray(table, copy=True), order)
    assert set(ends_of(raising)) == {"guard", "return"}


def test_calls_that_python_drives_are_no_slower_than_eager():
    table = kn.arange(1 << 20)

    def asks(x, steps):  # a float on each call; in between, writes that are each a table when they are put off
        for i in range(steps):
            x[i] = x[i + 1]
            x[i + 1] = float(x[i]) + 1
        return x

    f, told = kn.jit(asks), []
    for i in range(200):
        own = kn.asarray(table, copy=True) + i
        want = asks(kn.asarray(own, copy=True), 4)
        got, new = quiet(f, own, 4)
        same_bits(got, want)
        told += new
        if len(told) > 1:
            break
    assert "Python goes first" in told[0] and len(told) == 2 and "with Python first, calls take" in told[1]
    assert "runs in eager" in str(f.explain())
