"""What a jitted function writes into an array that it was given: in that array's own memory where nobody else looks at it."""
import numpy as np
import pytest

import kiln as kn
from conftest import same_bits
from test_tiers import wait


def adam(w, m, v, g):
    m *= 0.9
    m += 0.1 * g
    v *= 0.99
    v += 0.01 * g * g
    w -= 0.01 * m / (kn.sqrt(v) + 1e-8)


def compiled(f, *args):
    """The jitted function with its code in place."""
    f = kn.jit(f)
    f(*args)
    f(*args)
    wait(f)
    return f


def arrays(count, n=1000, dtype="float32"):
    rng = np.random.default_rng(count)
    return [kn.asarray(rng.uniform(0.5, 2, n).astype(dtype)) for _ in range(count)]


def test_an_update_allocates_nothing():
    w, m, v, g = arrays(4, 1 << 20)
    f = compiled(adam, w, m, v, g)
    before = kn.memory_stats()
    f(w, m, v, g)
    after = kn.memory_stats()
    assert after.in_use == before.in_use
    text = f.lower(w, m, v, g).ir("kernels")
    assert text.count("kiln.in_place") == 3


def test_the_same_bits_as_eager():
    for n in (1, 7, 1000, 100_003):
        mine, theirs = arrays(4, n), arrays(4, n)
        f = compiled(adam, *[kn.copy(x) for x in mine])
        for _ in range(3):
            f(*mine)
            adam(*theirs)
            for a, b in zip(mine, theirs):
                same_bits(a, b)


def scale(x, k):
    x *= k
    return kn.sum(x)


def test_who_else_looks_at_the_memory_sees_what_eager_shows():
    base = kn.asarray(np.arange(12.0))
    f = compiled(scale, kn.copy(base), 2.0)
    x = kn.copy(base)
    kept, view = kn.copy(x), x[3:6]  # a copy that shares its memory until one is written, and a view
    f(x, 2.0)
    assert kn.all(kept == base) and kn.all(x == 2 * base) and kn.all(view == 2 * base[3:6])
    host = np.arange(12.0)
    x = kn.asarray(host)  # NumPy's memory
    f(x, 2.0)
    assert (host == 2 * np.arange(12.0)).all()
    f(host, 2.0)
    assert (host == 4 * np.arange(12.0)).all()
    x = kn.copy(base)
    f(x[2:8], 2.0)  # a part
    assert kn.all(x[2:8] == 2 * base[2:8]) and kn.all(x[:2] == base[:2]) and kn.all(x[8:] == base[8:])


def test_another_argument_is_the_same_array_or_a_view_of_it():
    def add(x, y):
        x += y
        return x + y

    for make in (lambda x: x, lambda x: x[:], lambda x: kn.copy(x), lambda x: x[::-1]):
        f = compiled(add, kn.zeros(8, dtype="float64"), kn.ones(8, dtype="float64"))
        mine, theirs = kn.asarray(np.arange(8.0)), kn.asarray(np.arange(8.0))
        same_bits(f(mine, make(mine)), add(theirs, make(theirs)))
        same_bits(mine, theirs)


def test_a_program_that_fails_has_no_effect():
    def f(x, table, i):
        found = kn.take(table, i)  # fails on an index that is outside
        x += 1
        return found

    x, table, i = kn.zeros(64), kn.ones(4), kn.asarray([1])
    f = compiled(f, x, table, i)
    was = kn.copy(x)
    with pytest.raises(kn.IndexError):
        f(x, table, kn.asarray([9]))
    assert kn.all(x == was)
    f(x, table, i)
    assert kn.all(x == was + 1)


def test_a_result_that_is_also_returned_has_memory_of_its_own():
    def f(x):
        x += 1
        return x * 1, x

    x = kn.zeros(1000)
    f = compiled(f, x)
    other, same = f(x)
    assert same is x
    x += 5
    assert kn.all(other == x - 5)


def test_program_text_says_it():
    x = kn.ones(8)

    @kn.jit
    def f(x):
        x *= 2

    f(x)
    text = f.lower(x).ir("kiln")
    assert "{kiln.replaces = 0 : i64}" in text
    assert kn._core.print_ir(kn._core.parse_ir(text.encode()), "kiln") == text


def test_loops_that_were_rolled():
    def f(x, g):
        for i in range(600):
            x -= 0.01 * kn.tanh(g * kn.sum(x) + x)

    mine, theirs, g = kn.ones(5000), kn.ones(5000), kn.linspace(-1, 1, 5000)
    fast, exact = kn.jit(f, fast_math=True), compiled(f, kn.ones(5000), g)
    assert "kiln.replaces" in exact.lower(mine, g).ir("kiln") and fast.lower(mine, g).ir("kiln").count("kiln.fast_math") > 1
    exact(mine, g)
    f(theirs, g)
    same_bits(mine, theirs)


def test_numbers_that_fail_behind_a_write():
    """A call that ends in eager after its operations has written nothing before."""
    class State:
        count = 0

    s = State()

    def f(w, g):
        w -= 0.5 * g
        s.count += int(kn.sum(g))
        return kn.sum(w)

    jitted = kn.jit(f)
    for g in (kn.ones(300_000), kn.ones(300_000) * 2, kn.full(300_000, kn.nan), kn.ones(300_000)):
        for _ in range(4):
            outcomes, before = [], s.count
            for call in (jitted, f):
                s.count, w = before, kn.ones(300_000)
                try:
                    outcomes.append((float(call(w, g)), s.count))
                except ValueError:
                    outcomes.append(("fails", s.count))
                outcomes.append(w)
            assert repr(outcomes[0]) == repr(outcomes[2]), outcomes
            same_bits(outcomes[1], outcomes[3])


def put(x, i, y):
    x[i] = y


def put_both(x, z, i, k):
    """Two scatters, of which either may fail."""
    x[i] = 1
    z[k] += 2


@pytest.mark.parametrize("shape", [(1000,), (40, 9), (3, 5, 17)])
@pytest.mark.parametrize("count", [0, 1, 7, 40])
def test_elements_are_put_in_place(shape, count):
    rng = np.random.default_rng(count)
    x, y = (rng.random(shape).astype("float32"), rng.random((count, *shape[1:])).astype("float32"))
    i = rng.integers(-shape[0], shape[0], count)
    mine, theirs = kn.asarray(x.copy()), x.copy()
    f = compiled(put, kn.asarray(x.copy()), i, y)
    before = kn.memory_stats().in_use
    f(mine, i, y)
    theirs[i] = y
    same_bits(mine, theirs)
    assert kn.memory_stats().in_use <= before + mine.nbytes  # the argument that was made of `mine`, and no more


def test_a_put_in_place_allocates_nothing():
    x, y = arrays(2, 1 << 20)
    i = kn.asarray(np.random.default_rng(0).integers(0, 1 << 20, 1 << 20))
    f = compiled(put, x, i, y)
    before = kn.memory_stats()
    f(x, i, y)
    assert kn.memory_stats().in_use == before.in_use
    assert f.lower(x, i, y).ir("kernels").count("kiln.in_place") == 1


@pytest.mark.parametrize("at", [0, 15, 16, 36, 99])
@pytest.mark.parametrize("bad", [1000, -1001, 1 << 40])
def test_a_position_outside_leaves_everything_as_it_was(at, bad):
    x, y = arrays(2)
    i = np.arange(100)
    f = compiled(put, kn.copy(x), i, y[:100])
    i[at] = bad
    before = kn.copy(x)
    with pytest.raises(IndexError):
        f(x, i, y[:100])
    same_bits(x, before)


def test_no_write_stands_before_one_that_may_fail():
    x, z = arrays(2)
    i, k = np.arange(10), np.arange(5, 25)
    f = compiled(put_both, kn.copy(x), kn.copy(z), i, k)
    k[3] = 5000
    mine, theirs = (kn.copy(x), kn.copy(z)), (kn.copy(x), kn.copy(z))
    with pytest.raises(IndexError):
        f(*mine, i, k)
    with pytest.raises(IndexError):
        put_both(*theirs, i, k)
    for a, b in zip(mine, theirs):
        same_bits(a, b)


def step(w, g):
    w -= 0.1 * g
    return w


def writers():
    """Functions that only write, in plain calls: what they return, and how many arguments they take."""
    def both(a, b):
        a += b
        b *= 2

    def half(a, b):
        a[::2] = b[::2]

    return [(step, 2), (both, 2), (half, 2)]




@pytest.mark.parametrize("function, count", writers(), ids=lambda v: getattr(v, "__name__", None))
def test_plain_calls_that_write(function, count):
    """The same as eager on arguments that lie in any way, in turns with plain ones, cold and warm."""
    def plain():
        return arrays(count, 64, "float64")

    def with_a_view():  # which shows what is written
        x, *rest = arrays(count, 64, "float64")
        return [x, *rest, x[8:24]]

    def held():  # by NumPy
        x, *rest = arrays(count, 64, "float64")
        return [x, *rest, np.asarray(x)]

    def of_one_array():  # of NumPy, overlapping
        memory = np.linspace(1, 2, 72)
        return [kn.asarray(memory[:64]), kn.asarray(memory[8:]), memory]

    def the_same():
        x, = arrays(1, 64, "float64")
        return [x] * count

    def other_sizes():
        return arrays(count, 6, "float64")

    f = compiled(function, *plain())
    for make in (plain, with_a_view, held, of_one_array, the_same, other_sizes, plain):
        for _ in range(3):
            mine, theirs = make(), make()
            a, b = f(*mine[:count]), function(*theirs[:count])
            assert (a is None) == (b is None) and (a is None or (a is mine[0] and b is theirs[0]))
            for x, y in zip(mine, theirs):
                same_bits(x, y)


def test_plain_calls_that_write_read_only_memory():
    f = compiled(step, *arrays(2, 64, "float64"))
    memory = np.ones(64)
    memory.flags.writeable = False
    for g in (step, f, f):
        with pytest.raises(kn.KilnError, match="read-only"):
            g(kn.asarray(memory), kn.ones(64, dtype="float64"))
    assert (memory == 1).all()


def test_plain_calls_that_write_are_short():
    f, g = compiled(step, *arrays(2, 64, "float64")), arrays(2, 64, "float64")
    before = f.stats
    for _ in range(10):
        f(*g)
    assert f.stats.hits == before.hits + 10 and f.stats.misses == before.misses
