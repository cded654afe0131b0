"""Gradients of functions of few numbers, which a tape keeps in memory of its own: the bits of the rules over arrays, wherever the two meet."""
import gc
import threading
import weakref

import numpy as np
import pytest

import kiln as kn
from conftest import same_bits
from kiln import _core

RNG = np.random.default_rng(0)
EDGES = [0.0, -0.0, 1.0, -1.0, 2.5, -0.75, 1e-30, np.inf, -np.inf, np.nan, 0.5, 3.0]
UNARY = sorted(name for name, f in _core.op_functions.items() if "(x, /)" in f.__doc__)
BINARY = sorted(name for name, f in _core.op_functions.items() if "(x, y, /)" in f.__doc__)


def over_arrays(call):
    """What a call gives under another tape, where nothing is few numbers."""
    return kn.vjp(lambda _: call(), kn.asarray(0.0))[0]


def check(f, x, *others):
    """The value and gradient of a function by its first argument, by both ways."""
    call = kn.value_and_grad(f)
    found = call(x, *others)
    for a, b in zip(found, over_arrays(lambda: call(x, *others))):
        same_bits(a, b)
    return found


def runs(f, *args):
    try:
        f(*args)
    except kn.DTypeError:
        return False
    return True


def test_all_elementwise_ops_are_tried():
    assert len(UNARY) > 40 and len(BINARY) > 25


@pytest.mark.parametrize("size", [1, 12, 128, 129, 256, 257])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", UNARY)
def test_ops_of_one_operand(name, dtype, size):
    x = kn.asarray(np.resize(np.concatenate([EDGES, RNG.normal(size=53)]), size).astype(dtype))
    weights = kn.asarray(np.resize([1.5, 0.0, -0.0, -2.0, np.nan, np.inf, 0.25], size).astype(dtype))
    op = _core.op_functions[name]
    if not runs(op, x) or op(x).dtype is not x.dtype:
        return
    check(lambda x: kn.sum(op(x) * weights), x)
    check(lambda x: kn.sum(op(x)), x)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", BINARY)
def test_ops_of_two_operands(name, dtype):
    grid = np.array([(a, b) for a in EDGES for b in EDGES])[RNG.permutation(len(EDGES) ** 2)[:60]]
    x, y = (kn.asarray(np.ascontiguousarray(column).astype(dtype)) for column in grid.T)
    weights = kn.asarray(np.resize([1.5, 0.0, -2.0, np.nan, 0.25], 60).astype(dtype))
    op = _core.op_functions[name]
    if not runs(op, x, y) or op(x, y).dtype is not x.dtype:
        return
    check(lambda x: kn.sum(op(x, y) * weights), x)
    check(lambda y: kn.sum(op(x, y) * weights), y)
    check(lambda x: kn.sum(op(x, x) * weights), x)
    check(lambda x: kn.sum(op(kn.exp(x), kn.negative(x)) * weights), x)
    for number in (0, 1, -2, 0.5, -0.0, True, float("inf"), float("nan")):
        if runs(op, x, number):
            check(lambda x: kn.sum(op(x, number) * weights), x)
            check(lambda x: kn.sum(op(x, number)), x)
        if runs(op, number, x):
            check(lambda x: kn.sum(op(number, x) * weights), x)
            check(lambda x: kn.sum(op(number, x)), x)


def random_function(seed):
    """A function of an array of float64 and one beside it, as text: sums, views, writes, numbers, broadcasts, choices."""
    rng = np.random.default_rng(seed)
    names, lines = ["x", "w"], []

    def pick():
        return str(rng.choice(names))

    for i in range(int(rng.integers(3, 14))):
        kind = int(rng.integers(0, 12))
        a, b, n = pick(), pick(), f"{rng.normal():.3}"
        if kind < 4:
            value = f"{a} {rng.choice(['+', '-', '*'])} {b}"
        elif kind < 6:
            value = str(rng.choice([f"{a} * {n}", f"{n} - {a}", f"{a} / 2", f"1 / (2 + {a} * {a})", f"{a} ** 2", f"kn.maximum({a}, {n})"]))
        elif kind < 8:
            value = f"kn.{rng.choice(['tanh', 'exp', 'sin', 'square', 'abs', 'sqrt', 'negative'])}({a})"
        else:
            value = str(rng.choice([f"{a} + kn.sum({b})", f"{a}[::-1]", f"kn.where({a} > 0, {a}, {b})", f"kn.concat(({a}[2:], {b}[:2]))", f"{a} * kn.max({b})",
                                    f"kn.stop_gradient({a}) * {b}", f"{a} if float(kn.sum({b})) > 0 else -{a}", f"kn.broadcast_to({a}[1:2], {a}.shape) + {b}",
                                    f"kn.roll({a}, 1)", f"kn.astype(kn.astype({a}, kn.float32), kn.float64)"]))
        lines.append(f"v{i} = {value}")
        names.append(f"v{i}")
        if rng.random() < 0.2:
            lines.append(str(rng.choice([f"v{i} = v{i} + 0; v{i}[1] = {n}", f"v{i} = v{i} * 1; v{i}[2:4] = {a}[:2]", f"v{i} = v{i} + 0; v{i} *= {b}"])))
    lines.append("return kn.sum(" + " + ".join(names[-3:]) + ")")
    return "def f(x, w):\n" + "".join(f"    {line}\n" for line in lines)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("first", range(0, 300, 25))
def test_random_functions(first):
    for seed in range(first, first + 25):
        text, scope = random_function(seed), {"kn": kn}
        exec(text, scope)
        rng = np.random.default_rng(seed)
        x, w = (kn.asarray(rng.normal(size=7)) for _ in range(2))
        f = scope["f"]
        try:
            value, gradient = check(f, x, w)
            same_bits(f(x, w), value)
            v = kn.asarray(rng.normal(size=7))
            check(lambda x: kn.sum(kn.grad(f)(x, w) * v), x)  # of the second order
            results, back = kn.vjp(f, x, w)
            same_bits(back(kn.ones(()) + kn.zeros((), dtype=kn.float64))[0], gradient)
            if seed % 5 == 0:
                for a, b in zip(kn.jit(kn.value_and_grad(f))(x, w), (value, gradient)):
                    same_bits(a, b)
        except Exception as error:
            raise AssertionError(text) from error


def test_functions_that_exec_made_are_recorded():
    scope = {"kn": kn}  # without __name__: no module
    exec("def f(x): return kn.sum(x * x)", scope)
    assert scope["f"].__module__ is None
    assert kn.jit(kn.grad(scope["f"]))(kn.ones(2)).tolist() == [2, 2]


def test_functions_that_differ_in_one_detail():
    x, w = kn.asarray(RNG.normal(size=10)), kn.asarray(RNG.normal(size=10))
    functions = [lambda x: kn.sum(x * w), lambda x: kn.sum(w * x), lambda x: kn.sum(x * x), lambda x: kn.sum(x * 2), lambda x: kn.sum(x * 2.5), lambda x: kn.sum(2 * x),
                 lambda x: kn.sum(x - w), lambda x: kn.sum(w - x), lambda x: kn.sum(x - x), lambda x: kn.sum((x + w) * x), lambda x: kn.sum(x + w * x)]
    expected = [w, w, 2 * x, 2 + 0 * x, 2.5 + 0 * x, 2 + 0 * x, 1 + 0 * x, 0 * x - 1, 0 * x, 2 * x + w, 1 + w]
    for _ in range(2):
        for f, g in zip(functions, expected):
            np.testing.assert_allclose(check(f, x)[1].numpy(), g.numpy(), rtol=1e-15, atol=1e-15)


def test_what_the_tape_read_may_be_written_afterwards():
    given = np.array([1.0, 2.0, 3.0])
    shared, own = kn.asarray(given, copy=False), kn.asarray([1.0, 2.0, 3.0], dtype=kn.float64)
    x = kn.asarray([1.0, 1.0, 2.0], dtype=kn.float64)

    def f(x):
        y = x * shared * own
        given[:] = 7
        own[:] = 9
        return kn.sum(y)

    assert kn.grad(f)(x).tolist() == [1, 4, 9]

    def argument(x):
        y = x * x
        x *= 10
        x[0] = 5
        return kn.sum(y) + kn.sum(x)

    assert kn.grad(argument)(x).tolist() == [2, 12, 14]
    assert x.tolist() == [1, 1, 2]


def test_views_before_and_after_a_write():
    def f(x, w):
        y = x * w
        part, back, all_ = y[1:4], y[::-1], y[:]
        before = kn.sum(part * part) + kn.sum(back * x) + kn.sum(all_ * 2)
        y[1] = 5
        y[2:4] = x[:2] * 3
        after = kn.sum(part * part * 2) + kn.sum(back * x) + kn.sum(all_ * w)
        part *= 2
        part[0] = x[4]
        return before + after + kn.sum(y * part[1]) + kn.sum(kn.exp(back[1:]) * back[:-1])

    x, w = (kn.asarray(RNG.normal(size=5)) for _ in range(2))
    _, gradient = check(f, x, w)
    same_bits(kn.jit(kn.grad(f))(x, w), gradient)
    kn.testing.check_grads(lambda x: f(x, w), (x,), order=1)


def test_a_derivative_stays_inside():
    outside, x = kn.zeros(3), kn.ones(3)

    def f(x):
        y = x * 2
        outside[0] = y[0]
        return kn.sum(y)

    with pytest.raises(kn.TraceError, match="assignment: expected an array made inside the function"):
        kn.grad(f)(x)
    assert outside.tolist() == [0, 0, 0] and kn.grad(lambda x: kn.sum(x * outside))(x).tolist() == [0, 0, 0]


def test_results_are_memory_of_their_own():
    x = kn.ones(3)
    f = kn.value_and_grad(lambda x: kn.sum(x * x))
    value, gradient = f(x)
    value += 1
    gradient *= 5
    again, other = f(x)
    assert (float(value), gradient.tolist(), float(again), other.tolist(), x.tolist()) == (4, [10] * 3, 3, [2] * 3, [1] * 3)
    number = kn.asarray(3.0)
    result, one = kn.value_and_grad(lambda x: x)(number)
    result += 1
    assert (float(number), float(one)) == (3, 1)


def test_arrays_that_outlive_their_tape():
    kept = []

    def f(x, fails=False):
        kept.append(x * 2)
        return kn.sum(kept[-1]) if not fails else 1 / 0

    kn.grad(f)(kn.ones(3))
    kn.grad(f)(kn.ones(3))
    assert (kept[0] + 1).tolist() == [3, 3, 3] and kn.grad(lambda x: kn.sum(x * kept[0]))(kn.ones(3)).tolist() == kept[1].tolist() == [2, 2, 2]
    kept.clear()
    for _ in range(2):  # an error leaves them as they are
        with pytest.raises(ZeroDivisionError):
            kn.grad(f)(kn.ones(3), fails=True)
    for call in (lambda: kept[0] + 1, lambda: kn.grad(lambda x: kn.sum(x * kept[0]))(kn.ones(3)), lambda: kept[1].numpy()):
        with pytest.raises(kn.TraceError, match="the value of an array is needed"):
            call()
    assert kept[0].shape == (3,) and kept[0].dtype is kn.float32
    done = []
    thread = threading.Thread(target=lambda: done.append(kept.clear()))  # they may die anywhere
    thread.start()
    thread.join()
    assert done


def test_errors_leave_nothing_behind():
    x = kn.ones(4)

    def f(x, fails):
        y = kn.exp(x) * x
        if fails == "shape":
            y = y + kn.ones(3)
        if fails == "python":
            raise KeyError("mine")
        return kn.sum(y) if fails != "vector" else y

    expected = kn.grad(f)(x, "").tolist()
    for fails, error in (("shape", kn.ShapeError), ("python", KeyError), ("vector", kn.ShapeError)):
        with pytest.raises(error) as caught:
            kn.grad(f)(x, fails)
        assert "test_gradients_of_few" in str(caught.value) or fails == "python"
        assert kn.grad(f)(x, "").tolist() == expected and (x + x).tolist() == [2] * 4


def test_results_of_other_kinds():
    x = kn.ones(3)
    assert kn.grad(lambda x: kn.asarray(3.0))(x).tolist() == [0, 0, 0]
    assert kn.grad(lambda x: kn.stop_gradient(kn.sum(x)))(x).tolist() == [0, 0, 0]
    for result, error, text in (((1.0,), kn.ShapeError, r"of shape \(\), got tuple"), ("text", kn.TraceError, "grad: result: expected trees of arrays and numbers, got str"),
                                ({"a": 1.0}, kn.ShapeError, "got dict"), (kn.asarray(3), kn.DTypeError, "real floating dtype, got int64"),
                                (3.0, kn.TraceError, "expected an array, got float, which no derivative reaches"), (np.float64(3), kn.TraceError, "got float64, which no derivative reaches")):
        with pytest.raises(error, match=text):
            kn.grad(lambda x: result)(x)
    with pytest.raises(kn.DTypeError, match="expected a floating one, got int64"):
        kn.grad(lambda x: kn.sum(x))(kn.arange(3))
    assert kn.grad(lambda x, n, scale=1.0: kn.sum(x) * n * scale)(x, 2, scale=3.0).tolist() == [6, 6, 6]
    assert kn.grad(lambda *a: kn.sum(a[0] * a[9]))(x, *range(8), 4).tolist() == [4, 4, 4]


def test_a_pullback_runs_again_and_under_other_modes():
    x, ct = kn.asarray([0.5, 1.5, 2.5]), kn.asarray([1.0, 0.0, -2.0])
    result, back = kn.vjp(lambda x: kn.tanh(x) * x * 3, x)
    first, = back(ct)
    same_bits(back(ct)[0], first)
    same_bits(kn.jit(lambda ct: back(ct)[0])(ct), first)
    same_bits(over_arrays(lambda: back(ct)[0]), first)
    rows = kn.vmap(lambda ct: back(ct)[0])(kn.stack([ct, ct]))
    same_bits(rows[1], first)
    slope = kn.grad(lambda ct: kn.sum(back(ct)[0] * x))(ct)  # of a linear function
    np.testing.assert_allclose(slope.numpy(), back(x)[0].numpy(), rtol=1e-6)


def test_compositions():
    x = kn.asarray(RNG.normal(size=5))

    def f(x):
        return kn.sum(kn.sin(x) * x * x)

    rows = kn.stack([x, x + 1])
    together = kn.vmap(kn.grad(f))(rows)
    for row, g in zip(rows, together):
        same_bits(kn.grad(f)(row), g)
    through = kn.grad(lambda rows: kn.sum(kn.vmap(f)(rows)))(rows)
    same_bits(through, together)
    np.testing.assert_allclose(kn.hessian(f)(x).numpy(), np.diag(((2 - x * x) * kn.sin(x) + 4 * x * kn.cos(x)).numpy()), rtol=1e-12, atol=1e-12)
    value, change = kn.jvp(kn.grad(f), (x,), (kn.ones(5, dtype=kn.float64),))
    np.testing.assert_allclose(change.numpy(), np.diag(kn.hessian(f)(x).numpy()), rtol=1e-12)
    with kn.debug.nans():
        same_bits(kn.grad(f)(x), kn.grad(f)(x))
    third = kn.grad(kn.grad(kn.grad(lambda t: t ** 5)))(kn.asarray(2.0))
    assert float(third) == 240


def test_functions_of_their_own_between():
    @kn.custom_vjp
    def clipped(x):
        return x * x

    clipped.defvjp(lambda x: (x * x, x), lambda x, ct: (kn.clip(ct * 2 * x, -1, 1),))
    x = kn.asarray([0.1, 5.0, -3.0])
    check(lambda x: kn.sum(clipped(kn.exp(x)) * x + x), x)
    check(lambda x: kn.sum(kn.checkpoint(lambda y: kn.sin(y) * y)(x * 2) * x), x)
    product = kn.asarray(RNG.normal(size=(3, 3)).astype(np.float32))
    check(lambda x: kn.sum(kn.tanh(x @ product) * x), x)


def test_threads_have_tapes_of_their_own():
    def f(x, n):
        y = x
        for _ in range(n):
            y = kn.tanh(y) * x + y
        return kn.sum(y)

    points = [kn.asarray(RNG.normal(size=4 + i)) for i in range(6)]
    expected = [kn.grad(f)(x, 3 + i) for i, x in enumerate(points)]
    wrong = []

    def run(i):
        for _ in range(200):
            if kn.grad(f)(points[i], 3 + i).tolist() != expected[i].tolist():
                wrong.append(i)

    threads = [threading.Thread(target=run, args=(i,)) for i in range(6)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert not wrong


def test_memory_ends_with_the_tape():
    def f(x):
        for _ in range(500):
            x = x * 0.5 + 1
        return kn.sum(x)

    x = kn.ones(10)
    kn.grad(f)(x)
    gc.collect()
    before = kn.memory_stats().in_use
    for _ in range(50):
        kn.grad(f)(x)
    assert kn.memory_stats().in_use <= before
    reference = []

    class Held:
        pass

    def holds(x):
        held = Held()
        reference.append(weakref.ref(held))
        return kn.sum(x * 2)

    kn.grad(holds)(x)
    assert reference[0]() is None


def test_trees_of_arguments():
    a, b, c = (kn.asarray(RNG.normal(size=3)) for _ in range(3))

    def f(p, q, scale=1.0):
        assert list(p) == sorted(p)
        p["new"], p["w"] = 5, p["w"]  # its own dict
        return kn.sum(p["w"] * p["b"][0] * q[0]) * scale + kn.sum(p["b"][1] * 0)

    p, q = {"w": a, "b": (b, [c])[0:1] + (c,)}, [c, kn.ones(2)]
    slopes, others = kn.grad(f, argnums=(0, -1))(p, q)
    assert list(slopes) == ["b", "w"] and list(p) == ["w", "b"] and type(slopes["b"]) is tuple and type(others) is list
    for found, expected in ((slopes["w"], b * c), (slopes["b"][0], a * c), (slopes["b"][1], kn.zeros(3, dtype=c.dtype)), (others[0], a * b), (others[1], kn.zeros(2))):
        same_bits(found, expected)
    same_bits(kn.grad(f, 0)(p, q, scale=2.0)["w"], b * c * 2)
    assert kn.grad(lambda t: kn.sum(t[0]["x"][()]), 0)(({"x": a}, [], ()))[1:] == ([], ())
    same_bits(kn.grad(lambda x, y: kn.sum(x * y), (1, 0))(a, b)[0], a)
    assert kn.grad(lambda: kn.ones(()), ())() == ()
    number = kn.grad(lambda p: p["a"] * 3 + p["b"])({"a": 2.0, "b": kn.asarray(1.0)})  # numbers are arrays
    assert float(number["a"]) == 3 and float(number["b"]) == 1
    deep = a
    for _ in range(100):
        deep = [deep]
    found = kn.grad(lambda t: kn.sum(a * kn.tree.leaves(t)[0]))(deep)
    same_bits(kn.tree.leaves(found)[0], a)
    for call, error, text in ((lambda: kn.grad(f, 2)(p, q), ValueError, "argnums: expected positions among 2 arguments, got 2"),
                              (lambda: kn.grad(f)(p), TypeError, "missing 1 required positional argument"),
                              (lambda: kn.grad(lambda p: 1)({"a": kn.arange(3)}), kn.DTypeError, "expected a floating one, got int64"),
                              (lambda: kn.grad(lambda p: 1)({"a": "text"}), kn.TraceError, "arguments: expected trees of arrays and numbers, got str"),
                              (lambda: kn.grad(lambda p: 1)({1: a, "a": a}), TypeError, "not supported between"),
                              (lambda: kn.grad(lambda p: kn.sum(p[0]))([a], b), TypeError, "positional argument")):
        with pytest.raises(error, match=text):
            call()


def test_trees_that_change_while_they_are_taken_apart():
    x = kn.ones(2)

    class Key:
        def __init__(self, n):
            self.n = n

        def __lt__(self, other):
            outer.clear()
            return self.n < other.n

    outer = [{Key(2): x, Key(1): x}, x, x]
    assert len(kn.grad(lambda t: kn.sum(x))(outer)) == 1
    inner = {}

    class Clears(Key):
        def __lt__(self, other):
            inner.clear()
            return self.n < other.n

    inner.update({Clears(2): x, Clears(1): x})
    assert kn.grad(lambda t: kn.sum(x))(inner) == {}


def test_gradients_in_many_sizes_and_types():
    for size in (1, 64, 256, 257, 3000):
        for dtype in (kn.float16, kn.bfloat16, kn.float32, kn.float64, kn.complex64):
            x, w = (kn.astype(kn.asarray(RNG.normal(size=size)), dtype) for _ in range(2))
            real = kn.real if dtype is kn.complex64 else lambda x: x
            check(lambda x: real(kn.sum(kn.exp(x * 0.5) * w - x * x)), x)
            check(lambda x: real(kn.sum(x[::2] * 2)) + real(kn.sum(kn.reshape(x, (1, -1)) * 3)), x)
