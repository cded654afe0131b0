"""Code for any size: what is shared between recordings, what is not, and the declarations of ``dynamic=``."""
import warnings

import numpy as np
import pytest

import kiln as kn
from conftest import same_bits

SHAPES = [(5, 7), (6, 7), (9, 33), (40, 50), (300, 17), (2, 2), (64, 1000), (3, 9000)]


def softmax(x):
    e = kn.exp(x - kn.max(x, axis=-1, keepdims=True))
    return e / kn.sum(e, axis=-1, keepdims=True)


FUNCTIONS = {
    "elementwise": lambda x: kn.tanh(x) * 2 + 1,
    "softmax": softmax,
    "mean of all": lambda x: x - kn.mean(x),
    "normalize": lambda x: (x - kn.mean(x, axis=0)) / kn.std(x, axis=1, keepdims=True),
    "columns": lambda x: kn.sum(x, axis=0) + kn.max(x, axis=0),
    "product": lambda x: x @ x.T,
    "products": lambda x: kn.tanh(x @ x.T) @ x + kn.sum(x, axis=0),
    "matrix and vector": lambda x: x @ x[0] + (x.T @ x[:, 0])[0],
    "slices": lambda x: x[1:] + x[:-1] - x[-1:],
    "reversed": lambda x: x[::-1] + kn.flip(x),
    "transposed": lambda x: x.T * 2,
    "concat": lambda x: kn.concat([x, x[1:], x[:2]], axis=0) * 2,
    "sort": lambda x: kn.sort(x, axis=0) + kn.argsort(x, axis=-1),
    "argmax": lambda x: kn.argmax(x, axis=0) + kn.argmin(x),
    "scan": lambda x: kn.cumulative_sum(x, axis=0) + kn.cumulative_sum(x, axis=1),
    "flat": lambda x: kn.sum(kn.reshape(x, (-1,)) * 2),
    "sizes as numbers": lambda x: x / x.shape[0] + x.shape[1],
    "update": lambda x: x.at[1:].set(0.0),
    "take": lambda x: kn.take(x, kn.asarray([0, -1]), axis=0),
    "scatter": lambda x: x.at[kn.asarray([0, -1, 0])].add(1),
    "arange": lambda x: x + kn.arange(x.shape[0], dtype=kn.float32)[:, None],
    "parts of a table": lambda x: x[:2] * kn.arange(100, dtype=kn.float32)[: x.shape[1] % 97 or 1][:1],
}


def make(shape, seed=0):
    return kn.asarray(np.random.default_rng(seed).normal(size=shape).astype("f"))


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("dynamic", [None, True])
def test_sizes_share_code_and_give_the_bits_of_eager(name, dynamic):
    f = kn.jit(FUNCTIONS[name], dynamic=dynamic)
    for shape in SHAPES:
        x = make(shape)
        same_bits(f(x), FUNCTIONS[name](x))
    stats = f.stats
    assert stats.compiles + stats.cache_hits <= 4 and stats.misses == len(SHAPES)  # 3: the first, one open size, two open sizes
    assert f.explain().variants[-1]["any_size"] and "for any size" in str(f.explain())


def test_the_second_size_makes_the_program_for_all():
    f = kn.jit(lambda x: kn.exp(x) + 1)
    f(kn.ones(10))
    assert not f.explain().variants[0]["any_size"]
    for n in range(11, 400):
        assert f(kn.ones(n)).shape == (n,)
    assert f.stats.compiles + f.stats.cache_hits == 2 and f.stats.misses == 390
    assert f(kn.ones(11)).shape == (11,) and f.stats.calls == 391  # evicted or not, a size seen before is right


def test_numbers_are_inputs_from_the_second_on():
    f = kn.jit(lambda x, k, flag: kn.where(x > 0, x * k, k + 1) if flag else x - k)
    x = make((5,))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for step in range(300):
            rate = 1 / (step + 1)
            same_bits(f(x, rate, True), kn.where(x > 0, x * rate, rate + 1))
            same_bits(f(x, rate, False), x - rate)
    assert f.stats.compiles + f.stats.cache_hits == 5  # with the one that was to be for any number, but that a function was given


@pytest.mark.parametrize("dtype", ["bool", "int8", "uint64", "int64", "float16", "bfloat16", "float32", "float64", "complex64", "complex128"])
def test_numbers_of_every_dtype(dtype):
    def f(x, k):
        return kn.where(x == k, k, x)

    jitted = kn.jit(f)
    x = kn.astype(kn.asarray([0, 1, 2, 3]), dtype)
    for k in ([True, False, True] if dtype == "bool" else [0, 1, 2, 3] if "complex" not in dtype else [0, 1j, 2 + 1j, 3]):
        same_bits(jitted(x, k), f(x, k))


def test_what_python_decides_by_a_size_is_right():
    def f(x):
        total = x * 1
        for i in range(x.shape[0] % 3):
            total = total + x * i
        return total[:4] if len(x) > 20 else total

    jitted = kn.jit(f)
    for n in [*range(2, 40), 100, 21, 20]:
        x = make((n,), n)
        same_bits(jitted(x), f(x))


def test_sizes_of_several_arguments():
    def f(x, y, w):
        return kn.concat([x @ w, y @ w], axis=0) + kn.sum(w, axis=0)

    jitted = kn.jit(f)
    for n, m, k, d in [(3, 4, 5, 6), (4, 3, 5, 6), (7, 7, 2, 3), (2, 9, 9, 9), (33, 65, 129, 17)]:
        args = make((n, k)), make((m, k), 1), make((k, d), 2)
        same_bits(jitted(*args), f(*args))


def test_writes_into_arguments_of_any_size():
    def f(x, y):
        x[1:] += y[:-1]
        y[...] = x * 2

    jitted = kn.jit(f)
    for n in (4, 5, 6, 50, 3000):
        a, b, c, d = (make((n,), s) for s in (0, 1, 0, 1))
        jitted(a, b), f(c, d)
        same_bits(a, c)
        same_bits(b, d)
    assert jitted.stats.compiles + jitted.stats.cache_hits == 2


def test_views_tuples_and_numpy_arguments():
    def f(tree, s):
        return {"a": tree["x"].T, "b": (s, tree["x"][0], kn.sum(tree["x"]))}

    jitted = kn.jit(f)
    for n in (3, 4, 5, 6):
        x = np.arange(2.0 * n, dtype="f").reshape(n, 2)
        got, want = jitted({"x": x}, n), f({"x": kn.asarray(x)}, n)
        same_bits(got["a"], want["a"])
        same_bits(got["b"][1], want["b"][1])
        assert got["b"][0] == n and got["b"][2] == want["b"][2]


def test_workspaces_grow_with_the_sizes():
    def f(x):
        return kn.cumulative_sum(kn.cumulative_sum(softmax(x), axis=0), axis=1) @ kn.sort(x, axis=1).T

    jitted = kn.jit(f, dynamic=True)
    used = []
    for n in (4, 40, 400, 8):
        x = make((n, n + 1))
        same_bits(jitted(x), f(x))
        used.append(jitted.stats.workspace_bytes)
    assert used[0] < used[1] < used[2] and used[3] < used[1]
    assert jitted.stats.compiles + jitted.stats.cache_hits == 1


@pytest.mark.parametrize("shape", [(2050, 1024), (2100, 1001), (1, 2_100_000), (4, 8)])
def test_large_results_of_any_size(shape):
    def f(x):
        mean = kn.mean(x, axis=-1, keepdims=True)
        return (x - mean) / 3, -x, x.T + 1

    g = kn.jit(f, dynamic=True)
    g(kn.ones((2, 3)))
    x = kn.asarray(np.random.default_rng(0).random(shape, np.float32))
    for got, expected in zip(g(x), f(x)):
        assert got.numpy().tobytes() == expected.numpy().tobytes()


@pytest.mark.parametrize("function", [kn.min, kn.sum, kn.argmax])
@pytest.mark.parametrize("shape", [(4, 6, 42), (2, 2, 17), (2, 3, 64), (3, 2, 700_001)])
def test_columns_of_any_size_out_of_line(function, shape):
    """Their results were stored past the caches whatever their sizes were, which ended the process where rows are not whole lines."""
    def f(x):
        return function(x, axis=1, keepdims=True)

    g = kn.jit(f, dynamic=True)
    g(kn.ones((3, 2, 6), dtype=kn.uint64))
    x = kn.asarray(np.random.default_rng(0).integers(0, 1000, shape, np.uint64))
    same_bits(g(x), f(x))
    assert g.stats.compiles + g.stats.cache_hits == 1


def test_what_masks_select_is_of_any_size():
    def f(x):
        positive = x > 0
        y = x[positive]
        x[positive] = y * 2
        return y, kn.sum(y * y) + kn.sum(x[positive])

    jitted, rng = kn.jit(f), np.random.default_rng(0)
    for n in (0, 1, 2, *map(int, rng.integers(2, 1000, 30))):
        x = np.arange(1000, dtype=np.float32) - (1000 - n) + 0.5
        mine = kn.asarray(rng.permutation(x))
        other = kn.copy(mine)
        wanted = f(other)
        for got, want in zip((*jitted(mine), mine), (*wanted, other)):
            same_bits(got, want)
    assert jitted.stats.compiles + jitted.stats.cache_hits <= 8  # the first segment; for none, one, two and any number of elements
    nodes = jitted.explain().variants[0]["nodes"]
    assert {n["parent"] for n in nodes[1:]} == {0} and len(nodes) > 25  # each mask is counted once


def test_a_mask_that_was_written_is_counted_again():
    def f(x):
        mask = x > 0
        first = x[mask]
        mask[:2] = [True, False]
        return first, x[mask], x[mask[1:].any() & mask]

    jitted = kn.jit(f)
    for start in ([-1.0, -1.0, 1.0], [1.0, 1.0, 1.0], [-1.0, 1.0, -1.0], [1.0, 1.0, -1.0]):
        for _ in range(2):
            for got, want in zip(jitted(kn.asarray(start)), f(kn.asarray(start))):
                same_bits(got, want)


def test_convolutions_of_any_number_of_images():
    w = make((3, 3, 3, 8), 5)

    def f(x):
        return kn.convolution(x, w, padding=1)

    jitted = kn.jit(f)
    for n in (2, 3, 7):
        x = make((n, 12, 12, 3))
        same_bits(jitted(x), f(x))
    assert jitted.stats.compiles + jitted.stats.cache_hits == 2


CONVOLUTIONS = [  # images, height, width, channels; window, filters; what changes from call to call
    ("filters", lambda n: ((2, 6, 7, 3), (3, 2, 3, 8 * n)), {}),
    ("few filters", lambda n: ((2, 6, 7, 3), (3, 2, 3, n + 1)), {}),
    ("filters of groups", lambda n: ((2, 6, 7, 6), (3, 2, 3, 4 * n)), {"groups": 2, "padding": 1}),
    ("channels", lambda n: ((2, 6, 7, n + 1), (3, 2, n + 1, 5)), {"padding": 1}),
    ("channels of groups", lambda n: ((2, 6, 7, 3 * n), (3, 2, n, 6)), {"groups": 3}),
    ("groups", lambda n: ((2, 6, 7, 12), (3, 2, 12 // n, 12)), lambda n: {"groups": n}),
    ("depthwise", lambda n: ((2, 6, 7, 2 * n), (3, 2, 1, 4 * n)), lambda n: {"groups": 2 * n}),
    ("images", lambda n: ((n + 1, 6, 7, 3), (3, 2, 3, 4)), {}),
    ("height", lambda n: ((2, 5 + n, 7, 3), (3, 2, 3, 4)), {"padding": 1}),
    ("width and window", lambda n: ((2, 6, 7 + n, 3), (3, 1 + n, 3, 4)), {"strides": 2, "padding": 1}),
    ("a line", lambda n: ((2, 9, 2 * n), (3, n, 8 * n)), {"groups": 2}),
    ("everything", lambda n: ((n + 1, 5 + n, 9 * n, 2 * n), (n + 1, n + 2, 2 * n, 8 * n)), {"padding": 2, "dilation": 2}),
]


@pytest.mark.parametrize("name, shapes, how", CONVOLUTIONS, ids=[c[0] for c in CONVOLUTIONS])
@pytest.mark.parametrize("dtype", [kn.float32, kn.int64])
def test_convolutions_of_any_size(name, shapes, how, dtype):
    """A size that changes is a symbol, never a number: of the filters, also of groups, as of all others."""
    for plain in (lambda x, w, k: kn.convolution(x, w, **k), lambda x, w, k: kn.maximum(kn.convolution(x * 2, w, **k) + w[0, 0, 0], 0)):
        f = kn.jit(plain)
        for n in (1, 2, 3, 4, 2):
            xs, ws = shapes(n)
            k = how(n) if callable(how) else how
            x, w = (kn.astype(make(s, i) * 10, dtype) for i, s in enumerate((xs, ws)))
            same_bits(f(x, w, k), plain(x, w, k))
        assert f.stats.compiles + f.stats.cache_hits and not any(v["eager"] for v in f.explain().variants)


def test_library_ops_are_compiled_for_their_sizes():
    f = kn.jit(lambda x: kn.linalg.cholesky(x @ x.T + 100 * kn.eye(x.shape[0])))
    for n in (3, 4, 5):
        f(make((n, n)))
    assert f.stats.compiles + f.stats.cache_hits == 3 and "calls a library" in str(f.explain())


def test_dynamic_false_compiles_each_size():
    f = kn.jit(lambda x: x + 12.5, dynamic=False)
    for n in (3, 4, 5):
        f(kn.ones(n))
    assert f.stats.compiles + f.stats.cache_hits == 3 and not any(v["any_size"] for v in f.explain().variants)


def test_declared_axes_are_open_from_the_first_call():
    f = kn.jit(lambda x, w: softmax(x @ w), dynamic={"x": {0: ("n", 1, 4096)}})
    w = make((4, 3))
    for n in (5, 6, 4096, 2):
        x = make((n, 4))
        same_bits(f(x, w), softmax(x @ w))
    assert f.stats.compiles + f.stats.cache_hits == 1
    same_bits(f(x=make((9, 4)), w=w), softmax(make((9, 4)) @ w))
    f(make((5, 8)), make((8, 3)))  # another axis than the declared one: code of its own
    assert not f.explain().variants[-1]["any_size"] and "fixed sizes" in f.explain().variants[-1]["apart"]


def test_one_name_is_one_size():
    f = kn.jit(lambda x, y: x + y, dynamic={0: {0: "n"}, "y": {0: "n"}})
    assert f(kn.ones(3), kn.ones(3)).shape == (3,)
    assert f(kn.ones(8), kn.ones(8)).shape == (8,) and f.stats.compiles + f.stats.cache_hits == 1
    with pytest.raises(kn.ShapeError, match="axis 0 of argument 'y': expected size 3 as that of axis 0 of 'x', both named 'n', got 4"):
        f(kn.ones(3), kn.ones(4))


def test_two_names_are_two_sizes():
    f = kn.jit(lambda x, y: kn.sum(x) + kn.sum(y), dynamic={"x": {0: "n"}, "y": {0: "m"}})
    for n, m in ((5, 5), (5, 6), (7, 3)):
        assert f(kn.ones(n), kn.ones(m)) == n + m
    assert f.stats.compiles + f.stats.cache_hits == 1


@pytest.mark.parametrize("size, text", [(0, "from 1 to 16, got 0"), (17, "from 1 to 16, got 17")])
def test_sizes_outside_the_bounds(size, text):
    f = kn.jit(lambda x: x * 2, dynamic={"x": {0: ("n", 1, 16)}})
    f(kn.ones(4))
    with pytest.raises(kn.ShapeError, match=text):
        f(kn.ones(size))


def test_declared_axes_that_cannot_be_open():
    f = kn.jit(lambda x: x * x.shape[0] if x.shape[0] < 6 else x + 1 + x, dynamic={"x": {0: "n"}})
    with pytest.raises(kn.TraceError, match="whose recordings differ in sizes alone, got at another size: "):
        f(kn.ones(5))
    f = kn.jit(lambda x: kn.reshape(x, (2, 3)) * 2, dynamic={"x": {0: "n"}})
    with pytest.raises(kn.TraceError, match="number of elements"):
        f(kn.ones(6))


def test_declarations_of_what_is_no_array():
    f = kn.jit(lambda x: x["a"] * 2, dynamic={"x": {0: "n"}})
    with pytest.raises(kn.TraceError, match="axis 0 of argument 'x': expected an array, got dict"):
        f({"a": kn.ones(3)})
    f = kn.jit(lambda x: x * 2, dynamic={"x": {1: "n"}})
    with pytest.raises(kn.ShapeError, match=r"axis 1 of argument 'x': expected at least 2 axes, got shape \(3,\)"):
        f(kn.ones(3))


@pytest.mark.parametrize("dynamic, error, text", [
    (3, kn.TraceError, "expected None, a bool, or a dict"),
    ({1.5: {0: "n"}}, kn.TraceError, "names or positions"),
    ({"x": 0}, kn.TraceError, "a dict of axes for argument 'x'"),
    ({"x": {-1: "n"}}, ValueError, "axes from 0 to 7, got -1"),
    ({"x": {0: ("n", 5, 4)}}, ValueError, "a name or \\(name, least, most\\)"),
    ({"y": {0: "n"}}, ValueError, "expected an argument among x, got 'y'"),
    ({1: {0: "n"}}, ValueError, "expected an argument among x, got 1"),
    ({"x": {0: 7}}, ValueError, "a name or \\(name, least, most\\)"),
])
def test_wrong_declarations(dynamic, error, text):
    with pytest.raises(error, match=text):
        kn.jit(lambda x: x, dynamic=dynamic)


def test_another_process_finds_the_program(tmp_path):
    import os
    import subprocess
    import sys
    code = ("import kiln as kn\n"
            "f = kn.jit(lambda x: kn.tanh(x) * 3)\n"
            "for n in {}: f(kn.ones(n))\n"
            "print(f.stats.compiles, f.stats.cache_hits, 'libLLVM' in open('/proc/self/maps').read())")
    env = {**os.environ, "KILN_CACHE_DIR": str(tmp_path)}

    def run(sizes):
        return subprocess.run([sys.executable, "-c", code.format(sizes)], env=env, capture_output=True, text=True, check=True).stdout.split()

    assert run((5, 6, 7)) == ["2", "0", "True"]
    assert run((5, 9, 1000)) == ["0", "2", "False"]  # the program is the same, whatever sizes showed it


def test_threads_and_any_size():
    f = kn.jit(lambda x: softmax(x) @ x.T, dynamic=True)
    x, y = make((700, 300)), make((20, 30))
    f(y)
    try:
        results = []
        for threads in (1, 2, 5):
            kn.set_num_threads(threads)
            results.append(f(x))
    finally:
        kn.set_num_threads(1)
    for r in results:
        same_bits(r, softmax(x) @ x.T)


def test_threads_that_drive_each_other_out():
    """More sizes than are kept, in several threads whose calls run without the interpreter's lock."""
    import concurrent.futures

    f = kn.jit(lambda x, k: kn.sum(x * k) + x[0])
    f(kn.ones(70000), 1), f(kn.ones(70001), 2)

    def work(seed):
        rng = np.random.default_rng(seed)
        for n in rng.integers(70000, 70400, 120):
            x = kn.full(int(n), 2.0)
            assert float(f(x, seed)) == float(kn.sum(x * seed) + x[0])
        return True

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        assert all(pool.map(work, range(1, 9)))
    assert f.stats.compiles + f.stats.cache_hits == 2 and len(f.explain().variants) <= 256
