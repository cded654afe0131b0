"""Gradients of models against those of JAX and torch, and what they cost in eager. One thread."""
import time

import numpy as np
from kernels import geometric_mean, jax, torch
from measure import once, peers, ratio, row

import kiln as kn

RNG = np.random.default_rng(0)


def normal(*shape):
    return (RNG.normal(size=shape) * 0.1).astype(np.float32)


class Names:
    """What models below need, of Kiln, JAX or torch, under one name."""

    def __init__(self, exp, log, sqrt, tanh, relu, mean, amax, sum, zeros, eye, cholesky, solve, diagonal, convolution):
        self.__dict__.update({k: v for k, v in locals().items() if k != "self"})


def of_kiln():
    return Names(kn.exp, kn.log, kn.sqrt, kn.tanh, lambda x: kn.maximum(x, 0), lambda x, axis: kn.mean(x, axis=axis, keepdims=axis is not None), lambda x: kn.max(x, axis=-1, keepdims=True),
                 lambda x, axis: kn.sum(x, axis=axis, keepdims=axis is not None), kn.zeros, lambda n: kn.eye(n, dtype=kn.float64), kn.linalg.cholesky, kn.linalg.solve, kn.linalg.diagonal,
                 lambda x, w: kn.convolution(x, w, padding=1))


def of_jax():
    j = jax()
    n = j.numpy
    return Names(n.exp, n.log, n.sqrt, n.tanh, lambda x: n.maximum(x, 0), lambda x, axis: n.mean(x, axis=axis, keepdims=axis is not None), lambda x: n.max(x, axis=-1, keepdims=True),
                 lambda x, axis: n.sum(x, axis=axis, keepdims=axis is not None), n.zeros, n.eye, n.linalg.cholesky, n.linalg.solve, n.diagonal,
                 lambda x, w: j.lax.conv_general_dilated(x, w, (1, 1), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC")))


def of_torch():
    t = torch()

    def convolution(x, w):  # memory stays that of channels last
        return t.nn.functional.conv2d(x.permute(0, 3, 1, 2), w.permute(3, 2, 0, 1), padding=1).permute(0, 2, 3, 1)

    return Names(t.exp, t.log, t.sqrt, t.tanh, t.relu, lambda x, axis: t.mean(x) if axis is None else t.mean(x, axis, keepdim=True), lambda x: t.amax(x, -1, keepdim=True),
                 lambda x, axis: t.sum(x) if axis is None else t.sum(x, axis, keepdim=True), t.zeros, lambda n: t.eye(n, dtype=t.float64), t.linalg.cholesky, t.linalg.solve, t.diagonal, convolution)


def mlp(n, p, x, y):
    h = n.tanh(x @ p[0] + p[1])
    h = n.tanh(h @ p[2] + p[3])
    return n.mean((h @ p[4] + p[5] - y) ** 2, None)


def cnn(n, p, x, y):
    h = n.relu(n.convolution(x, p[0]))
    h = n.relu(n.convolution(h, p[1]))
    return n.mean((n.mean(n.mean(h, 1), 2).reshape(h.shape[0], -1) @ p[2] - y) ** 2, None)


def sigmoid(n, x):
    return 1 / (1 + n.exp(-x))


def lstm(n, p, x, y):
    w, u, b = p
    size = u.shape[0]
    h = c = n.zeros((x.shape[1], size))
    for t in range(x.shape[0]):
        z = x[t] @ w + h @ u + b
        i, g, o, f = (z[:, k * size:(k + 1) * size] for k in range(4))
        c = sigmoid(n, f) * c + sigmoid(n, i) * n.tanh(g)
        h = sigmoid(n, o) * n.tanh(c)
    return n.mean((h - y) ** 2, None)


def normalized(n, x):
    d = x - n.mean(x, -1)
    return d / n.sqrt(n.mean(d * d, -1) + 1e-5)


def transformer(n, p, x, y):
    q, k, v, o, up, down = p
    h = normalized(n, x)
    s = (h @ q) @ (h @ k).swapaxes(-1, -2) / 8
    e = n.exp(s - n.amax(s))
    x = x + (e / n.sum(e, -1)) @ (h @ v) @ o
    return n.mean((x + n.relu(normalized(n, x) @ up) @ down - y) ** 2, None)


def likelihood(n, p, x, y):
    length, scale = p
    k = n.exp(-0.5 * ((x[:, None] - x[None, :]) / length) ** 2) * scale ** 2 + 0.1 * n.eye(x.shape[0])
    return 0.5 * n.sum(y * n.solve(k, y), None) + n.sum(n.log(n.diagonal(n.cholesky(k))), None)


MODELS = {"MLP, 64-256-256-10, batch of 128": (mlp, [normal(64, 256), normal(256), normal(256, 256), normal(256), normal(256, 10), normal(10)], normal(128, 64), normal(128, 10)),
          "CNN, two 3 x 3 convolutions, 16 x 32 x 32": (cnn, [normal(3, 3, 3, 16), normal(3, 3, 16, 32), normal(32, 10)], normal(16, 32, 32, 3), normal(16, 10)),
          "LSTM, 100 steps of 16 x 64": (lstm, [normal(32, 256), normal(64, 256), normal(256)], normal(100, 16, 32), normal(16, 64)),
          "transformer block, 4 x 64 x 64": (transformer, [normal(64, 64) for _ in range(4)] + [normal(64, 256), normal(256, 64)], normal(4, 64, 64), normal(4, 64, 64)),
          "Gaussian process of 100 points": (likelihood, [np.float64(1.0), np.float64(1.2)], RNG.normal(size=100), RNG.normal(size=100))}


def with_gradient(model, names):
    return kn.value_and_grad(lambda p, x, y: model(names, p, x, y))


def programs():
    """Name, function and arguments of the models, and of them with their gradients."""
    names = of_kiln()
    for name, (model, p, x, y) in MODELS.items():
        arguments = [[kn.asarray(a) for a in p], kn.asarray(x), kn.asarray(y)]
        yield f"{name}, forward", lambda p, x, y, m=model: m(names, p, x, y), arguments
        yield name, with_gradient(model, names), arguments


def first_code(f, *args):
    """Seconds from the first call until a call runs compiled code."""
    start = time.perf_counter()
    f(*args)
    f(*args)
    while f.stats.tier == 0:
        assert time.perf_counter() - start < 60, f.explain()
        time.sleep(0.0005)
    f(*args)
    return time.perf_counter() - start


def gradients():
    print("value and gradient of models: the fastest of JAX and torch over Kiln; compile time in the time of JAX")
    j, t = jax(), torch()
    j.config.update("jax_enable_x64", True)
    kn.set_num_threads(1)
    shares, compiling = [], []
    names = of_kiln(), of_jax(), of_torch()
    for name, (model, p, x, y) in MODELS.items():
        ours, theirs, torchs = [[make(a) for a in (*p, x, y)] for make in (kn.asarray, j.numpy.asarray, t.asarray)]
        for a in torchs[:-2]:
            a.requires_grad_()
        f = kn.jit(with_gradient(model, names[0]))
        g = j.jit(j.value_and_grad(lambda p, x, y, m=model: m(names[1], p, x, y)))

        def backward(m=model, a=torchs):
            return t.autograd.grad(m(names[2], a[:-2], a[-2], a[-1]), a[:-2])

        with kn.config.override(cache=False):
            took = first_code(f, ours[:-2], *ours[-2:])
        peer = once(lambda: g(theirs[:-2], *theirs[-2:])[0].block_until_ready())
        compiling.append(peer / took)
        found = f(ours[:-2], *ours[-2:])[1], g(theirs[:-2], *theirs[-2:])[1], backward()
        for a, b, c in zip(*found):
            assert np.allclose(a, b, rtol=1e-3, atol=1e-5) and np.allclose(a, c.numpy(), rtol=1e-3, atol=1e-5), name
        shares.append(peers(name, lambda: f(ours[:-2], *ours[-2:]), {"JAX": lambda: g(theirs[:-2], *theirs[-2:])[0].block_until_ready(), "torch": backward}, (">=", 0.8), rounds=7))
        row("  compile time of JAX over that of Kiln", compiling[-1])
    row("geometric mean", geometric_mean(shares), (">=", 1.0))
    row("geometric mean of compile times", geometric_mean(compiling), (">=", 5.0))
    in_eager(t)


def ten(n, x):
    y = n.tanh(x) * x + x
    z = n.exp(y * 0.5) - x
    return n.sum(n.tanh(z) * z * 2, None)


def in_eager(t):
    x, tx = kn.asarray(normal(10)), t.asarray(normal(10)).requires_grad_()
    ours, theirs = of_kiln(), of_torch()
    g = kn.grad(lambda x: ten(ours, x))
    row("eager gradient of 10 operations on 10 elements, over forward", 1 / ratio(lambda: g(x), lambda: ten(ours, x), 21, 300), ("<=", 5))
    row("the same in the time of torch's", 1 / ratio(lambda: g(x), lambda: t.autograd.grad(ten(theirs, tx), tx), 21, 100), ("<=", 0.5))
