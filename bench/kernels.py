"""Kernels against their peers: math functions, memory-bound code, matrix products, convolutions. One thread, but where two are named."""
import ctypes
import functools
import math
import os
import pathlib
import statistics
import subprocess

import numpy as np
from measure import THREADS, once, peers, ratio, rounds_of, row

import kiln as kn

RNG = np.random.default_rng(0)


def torch():
    import torch as t
    t.set_num_threads(THREADS)
    return t


@functools.cache
def jax():
    """JAX with the threads that are measured: it takes as many as there are processors for it when it starts."""
    every = os.sched_getaffinity(0)
    os.sched_setaffinity(0, set(sorted(every)[:THREADS]))
    import jax as j
    j.numpy.ones(8).sum().block_until_ready()
    os.sched_setaffinity(0, every)
    return j


#===-- math -----------------------------------------------------------------------------------------------------------===#


def numba_map(expression):
    import numba
    scope = {"math": math, "np": np, "numba": numba}
    exec(f"@numba.njit\ndef f(v):\n    o = np.empty_like(v)\n    for i in range(v.size):\n        o[i] = {expression}\n    return o\n", scope)
    return scope["f"]


MATH = {"exp": 1.0, "tanh": 1.0, "sin": 1.0, "log": 1.0, "pow": 1.0, "erf": 0.85}


def math_function(name):
    ours = getattr(kn, name)
    return (lambda v: ours(v, v)) if name == "pow" else (lambda v: ours(v))


def math_functions():
    print("math functions over 1M floats, jitted, against the fastest of NumPy, Numba and torch")
    j, t = jax(), torch()
    a = RNG.uniform(0.1, 10, 1 << 20).astype(np.float32)
    x, tx, jx = kn.asarray(a.copy()), t.from_numpy(a.copy()), j.numpy.asarray(a)
    for name, bar in MATH.items():
        theirs, numba = getattr(t, name), numba_map("v[i] ** v[i]" if name == "pow" else f"math.{name}(v[i])")
        twice = name == "pow"
        f = kn.jit(math_function(name))
        compiled = j.jit((lambda v: v ** v) if twice else j.scipy.special.erf if name == "erf" else getattr(j.numpy, name))
        others = {"torch": (lambda: theirs(tx, tx)) if twice else (lambda: theirs(tx)), "Numba": lambda: numba(a), "JAX": lambda: compiled(jx).block_until_ready()}
        if name != "erf":
            n = np.power if twice else getattr(np, name)
            others["NumPy"] = (lambda: n(a, a)) if twice else (lambda: n(a))
        peers(name, lambda: f(x), others, (">=", bar), among=("NumPy", "Numba", "torch"))


#===-- memory ---------------------------------------------------------------------------------------------------------===#


@functools.cache
def copies():
    """(plain, non-temporal) copy of as many floats as an array has."""
    here, build = pathlib.Path(__file__).parent, pathlib.Path(__file__).parents[1] / "build"
    subprocess.run(["cc", "-O2", "-mavx2", "-shared", "-fPIC", "-o", build / "bench-copies.so", here / "copies.c"], check=True)
    library = ctypes.CDLL(str(build / "bench-copies.so"))

    def copier(function):
        def copy(to, source):
            function(ctypes.c_void_p(to.ctypes.data), ctypes.c_void_p(source.ctypes.data), ctypes.c_int64(to.size))
        return copy

    return copier(library.copy_plain), copier(library.copy_streaming)


def softmax(np_):
    def f(v):
        e = np_.exp(v - np_.max(v, axis=-1, keepdims=True))
        return e / np_.sum(e, axis=-1, keepdims=True)
    return f


def layernorm(np_):
    def f(v):
        c = v - np_.mean(v, axis=-1, keepdims=True)
        return c / np_.sqrt(np_.mean(c * c, axis=-1, keepdims=True) + 1e-5)
    return f


def affine(v):
    for a, b in ((1.1, 0.1), (0.9, 0.2), (1.2, -0.3), (0.8, 0.4), (1.05, 0.5)):
        v = v * a + b
    return v


def stencil(x):
    return 0.25 * (x[1:-1, :-2] + x[1:-1, 2:] + x[:-2, 1:-1] + x[2:, 1:-1]) - x[1:-1, 1:-1]


def sums(axis):
    return lambda v: kn.sum(v, axis=axis)


# Name, function, shape, times that memory is passed through, bar.
MEMORY = [("affine chain of 10 ops, 16M floats", affine, (16 << 20,), 2, 0.8), ("layernorm, 16384 rows of 1024", layernorm(kn), (16384, 1024), 2, 0.8),
          ("softmax, 16384 rows of 1024", softmax(kn), (16384, 1024), 2, 0.45), ("5-point stencil, 4098 x 4098", stencil, (4098, 4098), 2, 0.7),
          ("5-point stencil, 4096 x 4096 (rows out of line)", stencil, (4096, 4096), 2, 0.7),
          ("transpose, 4096 x 4096", lambda v: kn.copy(v.T), (4096, 4096), 2, 0.7), ("transpose, 4000 x 4080", lambda v: kn.copy(v.T), (4000, 4080), 2, 0.7)]
SUMS = (("of all", None), ("of columns", 0), ("of rows", 1))


def memory_bound():
    print("bytes read and written a second, of the faster of a plain and a non-temporal copy of 16M floats")
    plain, streaming = copies()
    n = 16 << 20
    source, target = RNG.random(n, np.float32), np.empty(n, np.float32)
    copied = 8 * n
    for name, function, shape, passes, bar in MEMORY:
        f = kn.jit(function)
        a = RNG.random(shape, np.float32)
        x = kn.asarray(a)
        measured = rounds_of({"kiln": lambda: f(x), "plain": lambda: plain(target, source), "streaming": lambda: streaming(target, source)}, 11, 1)
        moved = passes * 4 * a.size

        def share(r):
            return moved / r["kiln"] * min(r["plain"], r["streaming"]) / copied

        row(name, statistics.median(map(share, measured)), (">=", bar), "", f"of a plain copy {statistics.median(moved / r['kiln'] * r['plain'] / copied for r in measured):.2f}  kernels {f.stats.kernels}")
    print("sums of 16M floats: bytes read a second, of a plain copy's; and against NumPy")
    a = RNG.random((4096, 4096), np.float32)
    x = kn.asarray(a)
    for name, axis in SUMS:
        f = kn.jit(sums(axis))
        measured = rounds_of({"kiln": lambda: f(x), "plain": lambda: plain(target, source)}, 11, 1)
        row(f"sum {name}, rate", statistics.median(4 * n / r["kiln"] * r["plain"] / copied for r in measured), (">=", 1.0))
        row(f"sum {name}, against NumPy", ratio(lambda: f(x), lambda: a.sum(axis=axis), 11), (">=", 1.0))
    memory_peers(RNG.random((4096, 1024), np.float32))


def step(w, g):
    w -= 0.1 * g


def step_outside(w, g):
    return w - 0.1 * g


RELAXED = {"softmax": softmax(kn), "layernorm": layernorm(kn), "x / 3 / y / 7": lambda x: x / 3 / (x * x + 1) / 7, "polynomial": lambda x: ((((0.1 * x + 0.2) * x + 0.3) * x + 0.4) * x + 0.5) * x}


def relaxed():
    """What kn.jit(fast_math=True) gains, and an update in the memory of its argument over one that returns new memory."""
    print("fast_math and updates in place, over the same without")
    a = kn.asarray(np.random.default_rng(0).normal(size=(100, 768)).astype(np.float32))
    for name, f in RELAXED.items():
        fast, exact = kn.jit(f, fast_math=True), kn.jit(f)
        row(name, ratio(lambda: fast(a), lambda: exact(a), 15, 100), (">=", 0.95))

    w, g = kn.ones(25_000_000), kn.ones(25_000_000)
    inside, outside = kn.jit(step), kn.jit(step_outside)
    row("w -= 0.1 g of 100 MB, over a new array", ratio(lambda: inside(w, g), lambda: outside(w, g), 15), (">=", 1.0))


def memory_peers(a):
    """The same programs in other frameworks, over 4M floats."""
    j, t = jax(), torch()
    jnp = j.numpy
    x, tx, jx = kn.asarray(a.copy()), t.from_numpy(a.copy()), jnp.asarray(a)

    class Named:  # torch under NumPy's names
        exp, sqrt = t.exp, t.sqrt
        max = staticmethod(lambda v, axis, keepdims: t.amax(v, axis, keepdims))
        sum = staticmethod(lambda v, axis, keepdims: t.sum(v, axis, keepdims))
        mean = staticmethod(lambda v, axis, keepdims: t.mean(v, axis, keepdims))

    print("fused kernels over 4096 x 1024 floats, against the fastest peer")
    for name, make in (("affine chain", lambda m: affine), ("softmax", softmax), ("layernorm", layernorm), ("5-point stencil", lambda m: stencil)):
        f, xla, eager, compiled = kn.jit(make(kn)), j.jit(make(jnp)), make(Named), t.compile(make(Named))
        numpy = make(np)
        peers(name, lambda: f(x), {"NumPy": lambda: numpy(a), "JAX": lambda: xla(jx).block_until_ready(), "torch": lambda: eager(tx), "torch.compile": lambda: compiled(tx)}, rounds=7)


#===-- products -------------------------------------------------------------------------------------------------------===#


def against_numpy(name, f, x, y, a, b, bar, rounds=9):
    size = a.shape[0] * a.shape[1] * b.shape[1]
    value = ratio(lambda: f(x, y), lambda: a @ b, rounds, max(1, int(2e7 / size)))
    row(name, value, bar)
    return value


def geometric_mean(values):
    return math.exp(statistics.fmean(map(math.log, values)))


PRODUCTS = {"x @ y": lambda p, q: p @ q, "x @ y.T": lambda p, q: p @ q.T, "x.T @ y": lambda p, q: p.T @ q}
SQUARES, TURNED, FEW_ROWS, LAYERS = (32, 64, 128, 256, 512, 1003, 1024), (64, 256, 1024), (1, 2, 4, 8, 12, 16, 32), ((64, 64, 64), (1024, 1024, 1024), (32, 1024, 4096))


def arrays(m, k, n, dtype=np.float32):
    """Factors of a product, in Kiln and in NumPy."""
    a, b = RNG.random((m, k)).astype(dtype), RNG.random((k, n)).astype(dtype)
    return kn.asarray(a.copy()), kn.asarray(b.copy()), a, b


def layer(x, w, b):
    return kn.maximum(x @ w + b, 0)


def products():
    print("float32 matrix products, jitted, against NumPy's OpenBLAS")
    product = kn.jit(PRODUCTS["x @ y"], dynamic=False)
    values = []
    for n in (*SQUARES, 2048):
        values.append(against_numpy(f"{n} x {n}", product, *arrays(n, n, n), (">=", 0.95 if n == 2048 else 0.97), 5 if n == 2048 else 9))
    for m in FEW_ROWS:
        values.append(against_numpy(f"{m} x 4096 x 4096", product, *arrays(m, 4096, 4096), (">=", 0.97 if m <= 8 else 0.9)))
    for n in TURNED:
        x, y, a, b = arrays(n, n, n)
        for name, left, right in (("x @ y.T", a, b.T), ("x.T @ y", a.T, b)):
            values.append(against_numpy(f"{name}, {n}", kn.jit(PRODUCTS[name]), x, y, left, right, (">=", 0.97)))
    row("geometric mean of these", geometric_mean(values), (">=", 1.05))
    double = [ratio(lambda: product(x, y), lambda: a @ b, 7, max(1, int(2e7 / n**3))) for n in SQUARES for x, y, a, b in [arrays(n, n, n, np.float64)]]
    row("float64, geometric mean of 32 to 1024", geometric_mean(double), (">=", 0.97))
    x, y, _, _ = arrays(1024, 1024, 1024)

    def threaded(count):
        def run():
            kn.set_num_threads(count)
            product(x, y)
        return run

    row("two threads against one, 1024", ratio(threaded(2), threaded(1), 11), (">=", 1.8))
    kn.set_num_threads(1)
    product_peers()


def product_peers():
    print("products with what follows, against the fastest peer")
    j, t = jax(), torch()
    for m, k, n in LAYERS:
        x, w, b = (RNG.random(s, np.float32) for s in ((m, k), (k, n), (n,)))
        ours, theirs, jaxs = [kn.asarray(v.copy()) for v in (x, w, b)], [t.from_numpy(v.copy()) for v in (x, w, b)], [j.numpy.asarray(v) for v in (x, w, b)]
        f = kn.jit(layer)
        xla = j.jit(lambda x, w, b: j.numpy.maximum(x @ w + b, 0))
        compiled = t.compile(lambda x, w, b: t.relu(x @ w + b))
        peers(f"relu(x @ w + b), {m} x {k} x {n}", lambda: f(*ours), {
            "NumPy": lambda: np.maximum(x @ w + b, 0), "JAX": lambda: xla(*jaxs).block_until_ready(), "torch": lambda: t.relu(t.addmm(theirs[2], theirs[0], theirs[1])), "torch.compile": lambda: compiled(*theirs)}, rounds=7)


#===-- convolutions ---------------------------------------------------------------------------------------------------===#

# Of ResNet-50: input size, channels, filters, window, stride, padding.
RESNET = [(224, 3, 64, 7, 2, 3), (56, 64, 64, 1, 1, 0), (56, 64, 64, 3, 1, 1), (56, 64, 256, 1, 1, 0), (56, 256, 64, 1, 1, 0), (56, 256, 128, 1, 1, 0), (56, 128, 128, 3, 2, 1),
          (28, 128, 512, 1, 1, 0), (28, 512, 128, 1, 1, 0), (28, 128, 128, 3, 1, 1), (28, 256, 256, 3, 2, 1), (14, 256, 1024, 1, 1, 0), (14, 1024, 256, 1, 1, 0), (14, 256, 256, 3, 1, 1),
          (14, 512, 512, 3, 2, 1), (7, 512, 2048, 1, 1, 0), (7, 2048, 512, 1, 1, 0), (7, 512, 512, 3, 1, 1)]


def convolution(stride, padding):
    return lambda a, b: kn.convolution(a, b, strides=stride, padding=padding)


def convolutions():
    print("ResNet-50's convolutions at batch 1, jitted, against oneDNN through torch (the faster of NCHW and channels last)")
    t = torch()
    values = []
    for size, channels, filters, window, stride, padding in RESNET:
        x, w = RNG.random((1, size, size, channels), np.float32), RNG.random((window, window, channels, filters), np.float32)
        kx, kw = kn.asarray(x.copy()), kn.asarray(w.copy())
        f = kn.jit(convolution(stride, padding))
        tx, tw = t.from_numpy(np.ascontiguousarray(x.transpose(0, 3, 1, 2))), t.from_numpy(np.ascontiguousarray(w.transpose(3, 2, 0, 1)))
        last = [v.contiguous(memory_format=t.channels_last) for v in (tx, tw)]
        conv = functools.partial(t.nn.functional.conv2d, stride=stride, padding=padding)
        with t.no_grad():
            values.append(peers(f"{window}x{window} of {size} x {size} x {channels} to {filters}, stride {stride}", lambda: f(kx, kw), {"NCHW": lambda: conv(tx, tw), "channels last": lambda: conv(*last)}, rounds=7, target=1e-2))
    row("geometric mean", geometric_mean(values), (">=", 0.8))


def latencies():
    """Of whole programs: how compile time grows with their length."""
    config = kn.config.cache
    kn.config.cache = False

    def per_op(count):
        def f(v, w):
            for j in range(count // 2):
                v = kn.sin(v) if j % 50 == 49 else v * w + v
            return v
        x = kn.ones(64)
        g = kn.jit(f, dynamic=False)
        return once(lambda: g(x, x)) / count

    small = statistics.median(per_op(1000) for _ in range(3))
    row("compile time an op, 10,000 ops over 1,000 ops", per_op(10000) / small, ("<=", 2.5))
    for name, program, n in (("reused values", reused, 5000), ("ops of one number", numbers, 100_000), ("kernels", shifts, 2000)):
        part, whole = compile_seconds(program, n // 4), compile_seconds(program, n)
        row(f"a chain of {n:,} {name}: first call", whole, ("<=", 30), "s")
        row(f"the same, of four times the first call of {n // 4:,}", whole / part / 4, ("<=", 1.5))
    kn.config.cache = config


def reused(n, v):
    for _ in range(n):
        v = v + v * 0.5
    return v


def numbers(n, v):
    total = kn.sum(v)
    for j in range(n):
        total = total * 1.0001 + 0.5 if j % 2 else total - 0.25
    return total


def shifts(n, v):
    for j in range(n):
        v = kn.concat([v[1:] * (j + 0.5), v[:1]])
    return v


def compile_seconds(program, n):
    x = kn.ones(64)
    return once(lambda: kn.jit(lambda v: program(n, v), dynamic=False)(x))


#===-- all of them -----------------------------------------------------------------------------------------------------===#


def programs():
    """Name, function and arguments of what is measured here, where memory is large of a sixteenth of it."""
    def random(*shape):
        return kn.asarray(RNG.random(shape, np.float32))

    for name in MATH:
        yield name, math_function(name), [random(1 << 20)]
    for name, function, (rows, *columns), _, _ in MEMORY:
        yield name, function, [random(rows // 16, *columns)]
    for name, axis in SUMS:
        yield f"sum {name}", sums(axis), [random(1024, 1024)]
    for name, function in RELAXED.items():
        yield f"{name}, 100 x 768", function, [random(100, 768)]
    for function in (step, step_outside):
        yield function.__name__, function, [random(1 << 20), random(1 << 20)]
    for name, function in PRODUCTS.items():
        for n in SQUARES if name == "x @ y" else TURNED:
            yield f"{name}, {n}", function, [random(n, n), random(n, n)]
    for m in FEW_ROWS:
        yield f"{m} x 4096 x 4096", PRODUCTS["x @ y"], [random(m, 4096), random(4096, 4096)]
    for m, k, n in LAYERS:
        yield f"relu(x @ w + b), {m} x {k} x {n}", layer, [random(m, k), random(k, n), random(n)]
    for size, channels, filters, window, stride, padding in RESNET:
        name = f"{window}x{window} of {size} x {size} x {channels} to {filters}, stride {stride}"
        yield name, convolution(stride, padding), [random(1, size, size, channels), random(window, window, channels, filters)]
    for program, n in ((reused, 500), (numbers, 500), (shifts, 100)):
        yield f"a chain of {n} {program.__name__}", functools.partial(program, n), [kn.ones(64)]
