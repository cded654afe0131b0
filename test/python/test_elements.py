"""Elements, arrays without axes, masks, results given with out= and ufunc methods: the short ways of eager code against NumPy and jit."""
import itertools
import math
import operator

import numpy as np
import pytest

import kiln as kn
from conftest import same_bits

DTYPES = "int8 uint8 int16 uint16 int32 uint32 int64 uint64 float32 float64".split()
BINARY = [operator.add, operator.sub, operator.mul, operator.truediv, operator.floordiv, operator.mod, operator.pow, operator.and_, operator.or_, operator.xor, operator.lshift,
          operator.rshift, operator.lt, operator.le, operator.eq, operator.ne, operator.gt, operator.ge]


def elements_of(dtype):
    if np.dtype(dtype).kind == "f":
        return np.array([0.0, -0.0, 1.5, -2.0, 2.0, np.inf, -np.inf, np.nan, np.finfo(dtype).max, np.finfo(dtype).tiny / 4], dtype)
    info = np.iinfo(dtype)
    return np.array([0, 1, 2, 3, 7, 100, info.min, info.max, info.max - 1], dtype)


def outcome(f):
    """A result, or the class of the error."""
    try:
        return f()
    except (kn.DTypeError, OverflowError, ValueError, TypeError) as error:
        return type(error)


@pytest.mark.parametrize("dtype", DTYPES)
def test_arrays_without_axes_are_as_vectors_of_one(dtype):
    """Two ways to one result: what has no axes is computed at once, a vector of one element by the kernels."""
    for op in BINARY:
        for u, v in itertools.product(elements_of(dtype), repeat=2):
            x, y = kn.asarray(u.reshape(1)), kn.asarray(v.reshape(1))
            got, want = outcome(lambda: op(x[0], y[0])), outcome(lambda: op(x, y))
            if isinstance(want, type):
                assert got is want
                continue
            assert got.shape == () and got.dtype == want.dtype
            same_bits(got, want[0]) if not (got != got) else None
            target, whole = x[0], x + 0
            into = getattr(operator, "i" + op.__name__.strip("_"), None)
            if into and op not in BINARY[12:]:
                got, want = outcome(lambda: into(target, y[0])), outcome(lambda: into(whole, y))
                assert got is want if isinstance(want, type) else got is target and bool((got == want[0]) | (got != got))


@pytest.mark.parametrize("dtype", DTYPES)
def test_numbers_beside_arrays_without_axes(dtype):
    for op in BINARY:
        for u, number in itertools.product(elements_of(dtype), [0, 1, 2, -1, 3, 200, 70000, 1 << 40, True, 0.5, -2.0, 2.0, float("inf"), np.float64(2.5)]):
            x = kn.asarray(u.reshape(1))
            for f in (lambda a: op(a, number), lambda a: op(number, a)):  # noqa: B023
                got, want = outcome(lambda: f(x[0])), outcome(lambda: f(x))
                if isinstance(want, type):
                    assert got is want, (op, u, number)
                else:
                    assert got.dtype == want.dtype and bool((got == want[0]) | (got != got) & (want[0] != want[0])), (op, u, number)


@pytest.mark.parametrize("dtype", [*DTYPES, "bool", "complex64", "complex128", "float16"])
def test_elements_are_read_and_written(dtype, rng):
    a = (rng.normal(size=(4, 5)) * 20).astype(dtype)
    x = kn.asarray(a.copy(), copy=True)
    for i, j in itertools.product(range(-4, 4), range(-5, 5)):
        same_bits(x[i, j], a[i, j])
        same_bits(x[kn.asarray(i), j], a[i, j])
        same_bits(x.T[j, i], a[i, j])
    for key in ((4, 0), (-5, 0), (0, 5), (0, -6), 4, (0, 0, 0)):
        with pytest.raises(IndexError):
            x[key]
        with pytest.raises(IndexError):
            x[key] = 1
    element = x[1, 2]
    for value in (1, True, kn.asarray(1), x[0, 0], np.float64(1.0) if np.dtype(dtype).kind in "fc" else 1):
        x[2, 3] = value
        a[2, 3] = value if not isinstance(value, kn.Array) else value.numpy()
        np.testing.assert_array_equal(x.numpy(), a)
    same_bits(element, a[1, 2])  # a value of its own
    x[1, 2] = x[1, 3]
    same_bits(element, a[1, 2])


def test_writes_of_elements_that_do_not_fit():
    x = kn.asarray(np.zeros(3, np.int8), copy=True)
    with pytest.raises(OverflowError):
        x[0] = 300
    x[1] = 2.9
    assert x.tolist() == [0, 2, 0]
    repeated = kn.broadcast_to(kn.zeros(1), (3,))
    with pytest.raises(ValueError, match="broadcast_to"):
        repeated[0] = 1
    fixed = np.zeros(3)
    fixed.flags.writeable = False
    with pytest.raises(ValueError, match="read-only"):
        kn.asarray(fixed)[0] = 1.0
    shared = np.zeros(3)
    kn.asarray(shared)[1] = 4.0
    assert shared.tolist() == [0, 4, 0]


def test_values_are_kept_apart():
    x = kn.arange(5)
    y = kn.reshape(x, (5,)) + 0
    z = y.copy()
    y[0] = 9
    assert (x[0], y[0], z[0]) == (0, 9, 0)
    x[0], x[1] = x[1], x[0]
    assert x.tolist() == [1, 0, 2, 3, 4]
    row = kn.reshape(kn.arange(6), (2, 3))
    picked = row[kn.asarray(1)]
    picked[0] = 7  # a copy, as of any array of positions
    assert row.tolist() == [[0, 1, 2], [3, 4, 5]]
    row[kn.asarray(1)] = 8
    row[kn.asarray(0), 1:] = kn.asarray([5, 6])
    assert row.tolist() == [[0, 5, 6], [8, 8, 8]]


def test_conversions():
    for dtype in DTYPES:
        for v in elements_of(dtype):
            x = kn.asarray(v.reshape(1))[0]
            assert float(x) == float(v) or v != v
            assert bool(x) == bool(v)
            if np.dtype(dtype).kind in "iu":
                assert int(x) == int(v) and operator.index(x) == int(v) and list(range(3))[operator.index(x) % 3] == int(v) % 3
    assert [type(b) for b in kn.asarray([1, 2])] == [kn.Array] * 2 and [int(b) for b in kn.asarray([1, 2])] == [1, 2]


def test_recordings_see_elements():
    @kn.jit
    def f(x, k):
        total = x[0] * 2.0 + x[k[1]]
        x[2] = total
        x[k[0], ] -= 1
        return total if total > 0 else -total

    for values in ([1.0, 2.0, 3.0], [-5.0, 2.0, 3.0]):
        x, y = kn.asarray(values), kn.asarray(values)
        k = kn.asarray([1, 2])
        assert float(f(x, k)) == float(f.__wrapped__(y, k)) and x.tolist() == y.tolist()
    assert f.stats.segments


#===-- masks ----------------------------------------------------------------------------------------------------------===#


@pytest.mark.parametrize("dtype", "bool int8 float16 int32 float32 int64 float64 complex64 complex128".split())
@pytest.mark.parametrize("shape, masked", [((0,), 1), ((1,), 1), ((7,), 1), ((1000,), 1), ((13, 11), 2), ((13, 11), 1), ((5, 4, 3), 2), ((6, 0), 1)])
def test_masks(dtype, shape, masked, rng):
    for part in (0.0, 0.03, 0.5, 0.97, 1.0):
        a = (rng.normal(size=shape) * 9).astype(dtype)
        mask = rng.random(shape[:masked]) < part
        x, m = kn.asarray(a.copy(), copy=True), kn.asarray(mask)
        want = a[mask]
        same_bits(x[m], want)
        same_bits(x.T[m.T] if masked == len(shape) else x[m], a.T[mask.T] if masked == len(shape) else want)
        value = (rng.normal(size=want.shape) * 9).astype(dtype)
        a[mask] = value
        x[m] = kn.asarray(value)
        same_bits(x, a)
        a[mask] = a[mask][::-1]
        x[m] = x[m][::-1]
        same_bits(x, a)
        a[mask] = a[:1].ravel()[:1] if a.size else 0
        x[m] = kn.reshape(x[:1], (-1,))[:1] if a.size else 0
        same_bits(x, a)


@pytest.mark.parametrize("dtype", ["bool", "int8", "uint8", "int16", "float16", "bfloat16", "int32", "float32", "int64", "float64", "complex64", "complex128"])
@pytest.mark.parametrize("n", [0, 1, 7, 15, 16, 17, 33, 65, 1000])
def test_compiled_masks(dtype, n, rng):
    """Elements that a mask selects, of every width, at each density: a compiled kernel against eager."""
    take, doubled = kn.jit(lambda x, m: x[m]), kn.jit(lambda x, m: (x * x)[m] if x.dtype != kn.bool else (~x)[m])
    for part in (0, 0.02, 0.5, 0.97, 1):
        x, m = kn.astype(kn.asarray(rng.standard_normal(n) * 50), dtype), kn.asarray(rng.random(n) < part)
        with kn.config.override(jit="sync"):
            same_bits(take(x, m), x[m])
            same_bits(take(x, m), x[m])
            same_bits(doubled(x, m), doubled.__wrapped__(x, m))


@pytest.mark.parametrize("dtype", ["bool", "int8", "uint8", "int16", "uint16", "int32", "uint32"])
def test_sums_of_narrow_integers(dtype, rng):
    for shape in ((0,), (7,), (300, 301), (5, 0)):
        a = rng.integers(0, 2 if dtype == "bool" else 100, shape).astype(dtype)
        x = kn.asarray(a)
        for axis in (None, 0, -1, (0,)):
            for keepdims in (False, True):
                for _ in range(5):  # from some call on, compiled
                    got, want = kn.sum(x, axis=axis, keepdims=keepdims), np.sum(a, axis=axis, keepdims=keepdims)
                    assert got.dtype == want.dtype and got.shape == want.shape and (np.asarray(got) == want).all()
        assert int(kn.count_nonzero(x)) == np.count_nonzero(a)


def test_counts_of_true_elements(rng):
    counts = {
        "whole": lambda x: kn.sum(x > 0),
        "rows": lambda x: kn.sum(x > 0, axis=-1),
        "of bools": lambda x: kn.count_nonzero((x > 0) & (x < 1)),
        "narrow": lambda x: kn.sum(kn.astype(x > 0, kn.int8), dtype=kn.int8),
        "beside others": lambda x: (kn.sum(x > 0), kn.max(x, initial=0.0), kn.sum(x)),
        "apart": lambda x: kn.sum(x[..., ::2] > 0),
    }
    for n in [*range(20), 63, 64, 65, 127, 1000, 8191, 8192, 8193, 70000]:
        for shape in ((n,), (3, n)) if n < 9000 else ((n,),):
            x = kn.asarray(rng.standard_normal(shape).astype("float32"))
            x[..., ::7] = math.nan
            for name, count in counts.items():
                with kn.config.override(jit="sync"):
                    got = kn.tree.leaves(kn.jit(count)(x))
                for a, b in zip(got, kn.tree.leaves(count(x)), strict=True):
                    assert a.dtype == b.dtype and np.array_equal(a, b, equal_nan=True), (name, shape)
            assert int(kn.jit(counts["whole"])(x)) == np.count_nonzero(np.asarray(x) > 0)


@pytest.mark.parametrize("shape, mask", [((3, 2), (0, 2)), ((3, 2), (3, 0)), ((3, 2), (0,)), ((0, 2), (0, 0)), ((2, 3, 4), (2, 0))])
def test_masks_without_elements_select_nothing(shape, mask):
    a, none = np.ones(shape, "float32"), np.zeros(mask, bool)
    x, m = kn.asarray(a.copy()), kn.asarray(none)
    take = kn.jit(lambda x, m: x[m])
    for _ in range(3):
        same_bits(take(x, m), a[none])
    same_bits(x[m], a[none])
    x[m] = 5
    same_bits(x, a)


def test_masks_that_do_not_fit():
    x = kn.arange(6)
    with pytest.raises(IndexError, match="mask"):
        x[kn.asarray([True] * 5)]
    with pytest.raises(IndexError, match="size of axis 1 of the mask: expected 2, got 3"):
        kn.ones((3, 2))[kn.zeros((0, 3), dtype=kn.bool)]
    with pytest.raises(kn.ShapeError):
        x[x > 2] = kn.asarray([1, 2])
    b = kn.asarray([True, False, True])
    b[b] = kn.asarray([False, True])  # a mask of itself
    assert b.tolist() == [False, False, True]
    twice = kn.zeros(4)
    view = twice[:2]
    twice[kn.asarray([True, True, False, True])] = kn.asarray([1.0, 2.0, 3.0])
    assert view.tolist() == [1, 2]


#===-- ufuncs ---------------------------------------------------------------------------------------------------------===#


@pytest.fixture(scope="module")
def ufuncs():
    from kiln._numpy import ufuncs
    return ufuncs.ALL


def test_results_go_into_out(ufuncs, rng):
    for n in (3, 2000, 70000):
        a, b = rng.normal(size=n), rng.normal(size=n)
        for name in ("add", "multiply", "maximum", "less", "sqrt", "abs"):
            two = name not in ("sqrt", "abs")
            dtype = "bool" if name == "less" else "float64"
            with np.errstate(invalid="ignore"):
                want = getattr(np, name)(*(abs(a), b)[:1 + two])
            for positional in (False, True):
                x, y = kn.asarray(abs(a), copy=True), kn.asarray(b, copy=True)
                out = kn.zeros(n, dtype=dtype)
                view = out[1:]
                args = (x, y)[:1 + two]
                got = ufuncs[name](*args, out) if positional else ufuncs[name](*args, out=out)
                assert got is out
                np.testing.assert_array_equal(out.numpy(), want)
                np.testing.assert_array_equal(view.numpy(), want[1:])  # the cell is the same
        x = kn.asarray(a, copy=True)
        ufuncs["multiply"](x, x, x)
        np.testing.assert_array_equal(x.numpy(), a * a)
        x = kn.asarray(a, copy=True)
        ufuncs["add"](x[1:], x[:-1], x[1:])  # memory that overlaps otherwise
        np.testing.assert_array_equal(x[1:].numpy(), a[1:] + a[:-1])
        kept = x.copy()
        x += kept
        x += x[::-1]
        np.testing.assert_array_equal(x.numpy(), (kept * 2 + (kept * 2)[::-1]).numpy())
    x = kn.arange(3)
    for out, error in ((kn.zeros(4), kn.ShapeError), (kn.zeros(3, dtype="int64"), kn.DTypeError), ([0, 0, 0], kn.DTypeError)):
        with pytest.raises(error, match="add: out"):
            ufuncs["add"](kn.ones(3), x, out=out)
    shared = np.ones(3)
    ufuncs["add"](kn.asarray(shared), 1.0, out=kn.asarray(shared))
    assert shared.tolist() == [2, 2, 2]


def test_results_are_taken_over_and_stay_apart():
    x = kn.zeros((100, 100))
    y = x[:, 3]
    z = kn.ones((100, 100))
    x[:] = z
    z[0, 3] = 5
    assert float(x[0, 3]) == 1 and y.tolist() == [1.0] * 100
    x[:] = z + 1
    assert y[0] == 6 and y[1] == 2
    before = x + 0
    x @= kn.eye(100)
    np.testing.assert_array_equal(x.numpy(), before.numpy())
    assert y[0] == 6
    host = x.numpy()  # shared from here on
    x[:] = z * 0
    assert host.sum() == 0


def test_attributes_of_ufuncs(ufuncs):
    add = ufuncs["add"]
    assert (add.nin, add.nout, add.nargs, add.identity, add.__name__) == (2, 1, 3, 0, "add") and "out" in add.__doc__
    assert ufuncs["float_power"].nin == 2 and ufuncs["sqrt"].nin == 1
    with pytest.raises(AttributeError, match="outer"):
        ufuncs["sqrt"].outer
    with pytest.raises(AttributeError):
        add.outer = None
    with pytest.raises(AttributeError, match="reduce"):
        kn.add.reduce
    assert add(True, True).dtype == kn.bool and add(kn.asarray([True]), kn.asarray([True])).tolist() == [True]


@pytest.mark.parametrize("method", ["outer", "reduce", "accumulate", "at", "reduceat"])
def test_methods_of_ufuncs_are_recorded(method, ufuncs, rng):
    add, maximum = ufuncs["add"], ufuncs["maximum"]
    a = rng.normal(size=6)

    def f(x):
        if method == "at":
            add.at(x, kn.asarray([0, 0, 2]), 1.5)
            return x * 2
        if method == "reduceat":
            return add.reduceat(x, [0, 2, 4])
        return getattr(add, method)(x, x) + maximum.outer(x, x) if method == "outer" else (add.reduce if method == "reduce" else maximum.accumulate)(x)

    g = kn.jit({"outer": lambda x: add.outer(x, x) + maximum.outer(x, x), "reduce": lambda x: add.reduce(x), "accumulate": lambda x: maximum.accumulate(x),
                "at": f, "reduceat": lambda x: add.reduceat(x, [0, 2, 4])}[method])
    for _ in range(3):
        same_bits(g(kn.asarray(a, copy=True)), f(kn.asarray(a, copy=True)))
    if method not in ("at",):
        assert g.stats.segments, g.explain()


#===-- what recordings met ---------------------------------------------------------------------------------------------===#


def test_shapes_of_arrays_that_the_call_made_can_be_set():
    def f(x, n):
        y = x * 2
        z = y
        y.shape = (n, -1)
        w = kn.zeros(6)
        w.shape = z.shape
        return y + w, z.shape

    g = kn.jit(f)
    for _ in range(3):
        got, want = g(kn.arange(6), 2), f(kn.arange(6), 2)
        same_bits(got[0], want[0])
        assert got[1] == want[1] == (2, 3)
    assert g.stats.segments, g.explain()

    def of_argument(x):
        x.shape = (2, 3)
        return x + 1

    h = kn.jit(of_argument)
    with pytest.warns(kn.KilnWarning, match="shape"):
        for _ in range(3):
            x = kn.arange(6)
            assert h(x).shape == (2, 3) and x.shape == (2, 3)  # the caller's array has it, too


def test_loops_over_many_instructions_are_recorded():
    """Whose jumps need a prefix, in code that the analysis cannot follow by itself."""
    grid = __import__("kiln._numpy.types", fromlist=["mgrid"]).mgrid
    names = {"grid": grid}
    lines = [f"        y = y * {k}.5 + i" for k in range(60)]
    exec("\n".join(["def f(y, n):", "    q = grid[0:2, 0:2]", "    for i in range(n):", *lines, "    return y - q[0, 0, 0]"]), names)
    g = kn.jit(names["f"])
    for n in (3, 3, 0, 1):
        same_bits(g(kn.ones(4), n), names["f"](kn.ones(4), n))
    assert g.stats.segments, g.explain()


#===-- few elements by arrays of positions and masks ---------------------------------------------------------------------===#


def keys_of_few(n, rng):
    yield rng.integers(-n, n, 7) if n else np.zeros(0, "int64")
    yield rng.integers(0, n, (2, 3)) if n else np.zeros((0, 3), "int64")
    yield np.zeros(0, "int64")
    yield rng.integers(0, max(n, 1), 5 if n else 0).astype("int32")
    yield from (rng.random(n) < p for p in (0, 0.3, 1))


@pytest.mark.parametrize("dtype", "bool int8 uint16 float16 int32 float32 int64 float64 complex64 complex128".split())
@pytest.mark.parametrize("n", [0, 1, 9, 64, 65])
def test_few_elements_by_key(dtype, n, rng):
    for key in keys_of_few(n, rng):
        a = (rng.normal(size=n) * 9).astype(dtype)
        x, k = kn.asarray(a.copy(), copy=True), kn.asarray(key)
        same_bits(x[k], a[key])
        values = (rng.normal(size=a[key].shape) * 9).astype(dtype)
        for value in (values, values.dtype.type(3), 1, values[:1].ravel() if values.size else 1, a[key][::-1]):
            a[key] = value
            x[k] = kn.asarray(value) if isinstance(value, np.ndarray) else value
            same_bits(x, a)
        view, shown = x[1:], a[1:]
        if key.dtype != bool and n > 1:
            view[k % (n - 1)] = 5
            shown[key % (n - 1)] = 5
            same_bits(x, a)


def test_few_elements_that_overlap_or_are_refused(rng):
    a = rng.integers(0, 6, 6)
    x = kn.asarray(a.copy(), copy=True)
    x[x] = x  # read before it is written, as by NumPy
    a[a.copy()] = a.copy()
    assert x.tolist() == a.tolist()
    y = kn.arange(6)
    y[kn.asarray([0, 1, 2])] = y[3:]
    y[kn.asarray([1, 2, 3, 4, 5])] = y[:5]
    assert y.tolist() == [3, 3, 4, 5, 3, 4]
    held = kn.copy(y)
    shared = np.asarray(y)
    y[kn.asarray([0])] = 9
    assert shared.tolist() == y.tolist() and held.tolist()[0] == 3
    for bad in ([6], [-7], [0, 99]):
        with pytest.raises(IndexError):
            y[kn.asarray(bad)]
        with pytest.raises(IndexError):
            y[kn.asarray(bad)] = 1
    assert shared.tolist() == y.tolist()
    fixed = np.arange(4.0)
    fixed.flags.writeable = False
    with pytest.raises(kn.KilnError, match="read-only"):
        kn.asarray(fixed)[kn.asarray([1])] = 2
    with pytest.raises(kn.KilnError):
        kn.broadcast_to(kn.ones(1), (4,))[kn.asarray([1])] = 2


def test_a_mask_in_the_memory_that_it_writes(rng):
    """Read before it is written, of few elements and of many."""
    for n in (9, 1000):
        a = rng.random(n) < 0.5
        m = kn.asarray(a.copy(), copy=True)
        values = rng.random(n - 1) < 0.5
        m[1:][m[:-1]] = kn.asarray(values[a[:-1]])
        mask = a[:-1].copy()
        a[1:][mask] = values[mask]
        same_bits(m, a)


def test_a_long_linspace_refuses_what_a_short_one_does():
    for num in (10, 100_000):
        with pytest.raises(kn.DTypeError):
            kn.linspace(0, 1, num, dtype="nope")
        with pytest.raises(TypeError):
            kn.linspace(None, 1, num)


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int32", "uint32", "int64", "uint64"])
def test_a_number_is_looked_up_among_integers(dtype):
    for values in ([0], [3, 1, 2], list(range(20))):
        v = kn.asarray(np.array(values, dtype))
        for number in (0, 2, 19, 100):
            assert bool(kn.isin(number, v)) == (number in values) and bool(kn.isin(number, v, invert=True)) == (number not in values)
            assert np.array_equal(kn.isin(v, number), np.isin(np.array(values, dtype), number))


@pytest.mark.parametrize("divisor", [2, 3, 7, 64, 641, 2**31, 2**62, 2**62 + 1, 2**63 - 1, 1, -1, -3, 0])
def test_long_arrays_over_one_number(divisor, rng):
    """Of int64 by the reciprocal of the number, or by processors."""
    x = np.concatenate([rng.integers(-2**63, 2**63 - 1, 70000), [-2**63, 2**63 - 1, 0, -1, 1, divisor, -divisor, divisor - 1]])
    with np.errstate(all="ignore"):
        want = np.zeros_like(x) if divisor == 0 else -x if divisor == -1 else x // divisor
    np.testing.assert_array_equal((kn.asarray(x) // divisor).numpy(), want)
    same_bits(kn.jit(lambda v: v // divisor)(kn.asarray(x)), kn.asarray(want))
    np.testing.assert_array_equal((kn.asarray(x)[::2] // divisor).numpy(), want[::2])


@pytest.mark.parametrize("dtype", ["uint8", "float16", "float32", "float64", "complex128"])
def test_many_positions(dtype, rng):
    """One by one; one outside raises, and nothing is written."""
    x, at = rng.integers(0, 100, 5000).astype(dtype), rng.integers(-5000, 5000, 100000)
    np.testing.assert_array_equal(kn.asarray(x)[kn.asarray(at)].numpy(), x[at])
    values, target, want = rng.integers(0, 100, 100000).astype(dtype), kn.asarray(x, copy=True), x.copy()
    target[kn.asarray(at)], want[at] = kn.asarray(values), values
    np.testing.assert_array_equal(target.numpy(), want)
    for wrong in (5000, -5001, 2**62, -2**63):
        at[777] = wrong
        with pytest.raises(kn.IndexError, match=r"expected one in \[-5000, 5000\) along axis 0"):
            kn.asarray(x)[kn.asarray(at)]
        with pytest.raises(kn.IndexError, match=r"expected one in \[-5000, 5000\) along axis 0"):
            target[kn.asarray(at)] = 1
        np.testing.assert_array_equal(target.numpy(), want)


@pytest.mark.parametrize("dtype", ["float32", "float64", "int64", "int32", "uint8", "bool", "complex64", "float16"])
def test_lists(dtype, rng):
    x = rng.integers(0, 2, (3, 4, 5)).astype(dtype)
    for view in (lambda a: a, lambda a: a[:, ::-2], lambda a: a.T, lambda a: a[:0], lambda a: a[0, 0], lambda a: a[0, 0, 0]):
        assert view(kn.asarray(x)).tolist() == view(x).tolist()


@pytest.mark.parametrize("shape, reps", [((9,), 1000), ((3, 5), (1, 200)), ((3, 5), (7, 1)), ((1000,), (3, 1000)), ((2048,), 3), ((0,), 5)])
def test_rows_that_are_repeated(shape, reps, rng):
    for dtype in ("uint8", "float32", "complex128"):
        x = rng.integers(0, 99, shape).astype(dtype)
        np.testing.assert_array_equal(kn.tile(kn.asarray(x), reps).numpy(), np.tile(x, reps))


@pytest.mark.parametrize("dtype", ["int32", "float32", "float64"])
def test_short_rows_times_a_vector(dtype, rng):
    """By the kernel of rows times rows, in the order of every sum."""
    for n in (1, 5, 17, 32, 33):
        m = kn.asarray((rng.normal(size=(300, n)) * 50).astype(dtype))
        same_bits(kn.jit(lambda a, b: a @ b)(m, m[0]), m @ m[0])
        same_bits(kn.jit(lambda a, b: a @ b)(m[::3], m[0, ::-1]), m[::3] @ m[0, ::-1])
