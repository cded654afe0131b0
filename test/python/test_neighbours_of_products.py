"""What comes before and behind products and convolutions in their kernels: the bits of eager, and how many kernels there are."""
import numpy as np
import pytest

import kiln as kn
from conftest import same_bits

SHAPES = [(1, 5, 7), (4, 4096, 600), (33, 17, 45), (64, 64, 64), (100, 700, 130), (200, 0, 30), (130, 257, 65), (300, 1500, 48)]

FUNCTIONS = {
    "bias and relu": (lambda x, w, b: kn.maximum(x @ w + b, 0), 1),
    "gelu": (lambda x, w, b: (x @ w + b) * (1 + kn.erf((x @ w + b) * 0.7071)), 1),
    "residual": (lambda x, w, b: x @ w + kn.tanh(x @ w + b) * 2, 1),
    "a scaled operand": (lambda x, w, b: (x * 2 + 1) @ w, 1),
    "both operands": (lambda x, w, b: (x + 1) @ (w * b), 1),
    "rounded weights": (lambda x, w, b: x @ kn.astype(kn.astype(w, kn.bfloat16), x.dtype), 1),
    "transposed and scaled": (lambda x, w, b: (w.T * 2) @ (x.T + 1), 1),
    "before and behind": (lambda x, w, b: kn.maximum((x * 3) @ w + b, 0), 1),
    "a dear operand": (lambda x, w, b: kn.exp(x) @ w, 2),
    "an operand that is a result": (lambda x, w, b: ((x * 2) @ w, x * 2), 2),
    "a decision": (lambda x, w, b: x @ w + b > 0, 1),
    "a choice": (lambda x, w, b: kn.where(x @ w > b, x @ w, b), 1),
    "several results": (lambda x, w, b: (kn.exp(x @ w), x @ w, x @ w > 0), 1),
    "another dtype": (lambda x, w, b: kn.astype(x @ w + b, kn.float64) * 2, 1),
    "elementwise beside it": (lambda x, w, b: x @ w + kn.tanh(kn.broadcast_to(b, (x.shape[0], b.shape[0]))), 1),
    "a reduction behind it": (lambda x, w, b: kn.softmax(x @ w + b, axis=-1), 2),
    "other positions": (lambda x, w, b: x @ w + kn.flip(x @ w, axis=0), 2),
    "transposed": (lambda x, w, b: kn.maximum((w.T @ x.T).T + b, 0), 2),
}


def arrays(dtype, *shapes):
    rng = np.random.default_rng(0)
    return [kn.asarray(rng.normal(size=s).astype(dtype)) for s in shapes]


@pytest.mark.parametrize("dtype", ["float32", "float64", "float16"])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_products(name, dtype):
    function, kernels = FUNCTIONS[name]
    for m, k, n in SHAPES:
        args = arrays(dtype, (m, k), (k, n), (n,))
        expected = function(*args)
        for dynamic in (True, False):
            f = kn.jit(function, dynamic=dynamic)
            got = f(*args)
            for a, b in zip(got if isinstance(got, tuple) else (got,), expected if isinstance(expected, tuple) else (expected,)):
                same_bits(a, b)
            if dtype == "float32" and m > 1 and k:
                assert f.stats.kernels == kernels, str(f.explain())


def test_batches():
    x, y, b = arrays("float32", (6, 20, 30), (6, 30, 17), (17,))
    f = kn.jit(lambda x, y, b: kn.maximum((x * 2) @ (y + 1) + b, 0))
    same_bits(f(x, y, b), kn.maximum((x * 2) @ (y + 1) + b, 0))
    assert f.stats.kernels == 1


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_threads(threads):
    x, w, b = arrays("float32", (500, 300), (300, 400), (400,))
    kn.set_num_threads(threads)
    try:
        same_bits(kn.jit(lambda x, w, b: kn.tanh((x + 1) @ (w * 2) + b) * b)(x, w, b), kn.tanh((x + 1) @ (w * 2) + b) * b)
    finally:
        kn.set_num_threads(1)


@pytest.mark.parametrize("images", [1, 2, 5])
@pytest.mark.parametrize("how", [{"padding": 1}, {"strides": 2}, {"padding": 2, "dilation": 2}])
def test_convolutions(images, how):
    x, w, b = arrays("float32", (images, 11, 13, 5), (3, 3, 5, 40), (40,))
    for function in (lambda x: kn.maximum(kn.convolution(x, w, **how) + b, 0), lambda x: kn.convolution(x, w, **how) > 0):
        for dynamic in (True, False):
            f = kn.jit(lambda x, w, b: kn.maximum(kn.convolution(x, w, **how) + b, 0), dynamic=dynamic)
            same_bits(f(x, w, b), kn.maximum(kn.convolution(x, w, **how) + b, 0))


REPEATED = [((6, 5, 1, 17), (17, 9)), ((6, 5, 3, 17), (17, 9)), ((4, 1, 3, 17), (4, 1, 17, 9)), ((4, 5, 3, 17), (4, 1, 17, 9)), ((4, 5, 3, 17), (1, 5, 17, 9)),
            ((1, 5, 3, 17), (17, 9)), ((3, 17), (5, 17, 9)), ((1, 17), (4, 5, 17, 9)), ((4, 5, 3, 17), (17,)), ((4, 5, 1, 17), (17,)), ((17,), (4, 5, 17, 9)),
            ((2, 0, 3, 17), (17, 9)), ((2, 5, 0, 17), (17, 9)), ((2, 5, 3, 0), (0, 9)), ((2, 5, 3, 17), (17, 0)), ((2, 40, 70, 300), (300, 65))]


@pytest.mark.parametrize("a, b", REPEATED, ids=[f"{a}@{b}" for a, b in REPEATED])
@pytest.mark.parametrize("dtype", [kn.float32, kn.float16])
def test_products_that_repeat_a_matrix(a, b, dtype, rng):
    """One product of all rows gives the bits of a product for each position of the batch axes."""
    x, y = (kn.astype(kn.asarray(rng.standard_normal(s) * 4), dtype) for s in (a, b))
    batch = np.broadcast_shapes(a[:-2], b[:-2])
    xs, ys = (kn.broadcast_to(v, batch + s[-2:]) for v, s in ((x, a), (y, b)))
    want = kn.zeros(batch + (a[-2:-1] + (b[-1:] if len(b) > 1 else ())), dtype=dtype)
    for at in np.ndindex(*batch):
        want[at] = (xs[at] if len(a) > 1 else x) @ (ys[at] if len(b) > 1 else y)
    same_bits(x @ y, want)
    for plain in (lambda x, y: x @ y, lambda x, y: (x * 2) @ y + y[..., :1, :1].sum()) if len(b) > 1 else (lambda x, y: x @ y, lambda x, y: x @ y - 1):
        for dynamic in (True, False):
            same_bits(kn.jit(plain, dynamic=dynamic)(x, y), plain(x, y))
    if len(a) > 2:  # rows that do not lie one behind the other
        turned = kn.matrix_transpose(kn.matrix_transpose(x) * 1)
        same_bits(turned @ y, want)
        same_bits(kn.jit(lambda x, y: x @ y)(turned, y), want)
    if len(a) > 2 >= len(b):
        same_bits(kn.flip(x, axis=0) @ y, kn.flip(want, axis=0))


def test_a_repeated_matrix_takes_no_memory(rng):
    x, y = (kn.asarray(rng.standard_normal(s)) for s in ((60, 60, 1, 128), (128, 128)))
    f = kn.jit(lambda x, y: kn.maximum(x @ y + 1, 0))
    same_bits(f(x, y), kn.maximum(x @ y + 1, 0))
    assert f.stats.kernels == 1 and f.stats.workspace_bytes < 1 << 20
