"""Models whose gradients are measured, over the names of Kiln, JAX or torch."""
import numpy as np
from kernels import jax, torch

import kiln as kn

RNG = np.random.default_rng(0)


def normal(*shape):
    return (RNG.normal(size=shape) * 0.1).astype(np.float32)


class Names:
    """What models below need, of Kiln, JAX or torch, under one name."""

    def __init__(self, exp, log, sqrt, sin, tanh, relu, mean, amax, sum, zeros, eye, cholesky, solve, diagonal, convolution, over):
        self.__dict__.update({k: v for k, v in locals().items() if k != "self"})


def written_out(step, carry, rows):
    """A loop as Python writes it: what ``step`` makes of the carry and each row, or of the carry a number of times."""
    for i in range(rows) if isinstance(rows, int) else range(rows.shape[0]):
        carry = step(carry, None if isinstance(rows, int) else rows[i])
    return carry


def of_kiln():
    return Names(kn.exp, kn.log, kn.sqrt, kn.sin, kn.tanh, kn.nn.relu, lambda x, axis: kn.mean(x, axis=axis, keepdims=axis is not None), lambda x: kn.max(x, axis=-1, keepdims=True),
                 lambda x, axis: kn.sum(x, axis=axis, keepdims=axis is not None), kn.zeros, lambda n: kn.eye(n, dtype=kn.float64), kn.linalg.cholesky, kn.linalg.solve, kn.linalg.diagonal,
                 lambda x, w: kn.convolution(x, w, padding=1), written_out)


def of_jax():
    j = jax()
    n = j.numpy

    def over(step, carry, rows):  # loops that are written out take minutes to compile
        many = rows if isinstance(rows, int) else None
        return j.lax.scan(lambda carry, row: (step(carry, row), None), carry, None if many else rows, many)[0]

    return Names(n.exp, n.log, n.sqrt, n.sin, n.tanh, j.nn.relu, lambda x, axis: n.mean(x, axis=axis, keepdims=axis is not None), lambda x: n.max(x, axis=-1, keepdims=True),
                 lambda x, axis: n.sum(x, axis=axis, keepdims=axis is not None), lambda shape: n.zeros(shape, np.float32), n.eye, n.linalg.cholesky, n.linalg.solve, n.diagonal,
                 lambda x, w: j.lax.conv_general_dilated(x, w, (1, 1), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC")), over)


def of_torch():
    t = torch()

    def convolution(x, w):  # memory stays that of channels last
        return t.nn.functional.conv2d(x.permute(0, 3, 1, 2), w.permute(3, 2, 0, 1), padding=1).permute(0, 2, 3, 1)

    return Names(t.exp, t.log, t.sqrt, t.sin, t.tanh, t.relu, lambda x, axis: t.mean(x) if axis is None else t.mean(x, axis, keepdim=True), lambda x: t.amax(x, -1, keepdim=True),
                 lambda x, axis: t.sum(x) if axis is None else t.sum(x, axis, keepdim=True), t.zeros, lambda n: t.eye(n, dtype=t.float64), t.linalg.cholesky, t.linalg.solve, t.diagonal, convolution, written_out)


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

    def step(carry, row):
        h, c = carry
        z = row @ w + h @ u + b
        i, g, o, f = (z[:, k * size:(k + 1) * size] for k in range(4))
        c = sigmoid(n, f) * c + sigmoid(n, i) * n.tanh(g)
        return sigmoid(n, o) * n.tanh(c), c

    start = n.zeros((x.shape[1], size))
    return n.mean((n.over(step, (start, start), x)[0] - y) ** 2, None)


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


def equation(n, p, x, y):
    """1,000 steps of a pendulum with friction, by Euler's method."""
    k, friction = p

    def step(carry, _):
        angle, speed = carry
        return angle + 0.005 * speed, speed - 0.005 * (k * n.sin(angle) + friction * speed)

    return n.mean((n.over(step, (x, 0 * x), 1000)[0] - y) ** 2, None)


MODELS = {"MLP, 64-256-256-10, batch of 128": (mlp, [normal(64, 256), normal(256), normal(256, 256), normal(256), normal(256, 10), normal(10)], normal(128, 64), normal(128, 10)),
          "CNN, two 3 x 3 convolutions, 16 x 32 x 32": (cnn, [normal(3, 3, 3, 16), normal(3, 3, 16, 32), normal(32, 10)], normal(16, 32, 32, 3), normal(16, 10)),
          "LSTM, 100 steps of 16 x 64": (lstm, [normal(32, 256), normal(64, 256), normal(256)], normal(100, 16, 32), normal(16, 64)),
          "transformer block, 4 x 64 x 64": (transformer, [normal(64, 64) for _ in range(4)] + [normal(64, 256), normal(256, 64)], normal(4, 64, 64), normal(4, 64, 64)),
          "Gaussian process of 100 points": (likelihood, [np.float64(1.0), np.float64(1.2)], RNG.normal(size=100), RNG.normal(size=100)),
          "ODE, 1,000 steps of 64": (equation, [normal(64) + 1, normal(64)], normal(64), normal(64))}

LARGE = {"MLP": (normal(8192, 64), normal(8192, 10)), "CNN": (normal(64, 32, 32, 3), normal(64, 10)), "LSTM": (normal(100, 128, 32), normal(128, 64)), "transformer": (normal(256, 64, 64), normal(256, 64, 64)),
         "Gaussian": (RNG.normal(size=1500), RNG.normal(size=1500)), "ODE": (normal(128, 64), normal(128, 64))}  # of which memory is measured, by the first word of the name


def with_gradient(model, names):
    return kn.value_and_grad(lambda p, x, y: model(names, p, x, y))


def call_of(framework, model, p, x, y):
    """A function of no arguments that computes value and gradient: by "kiln", "jax" or "torch"; the first call compiles."""
    if framework == "kiln":
        f, arrays = kn.jit(with_gradient(model, of_kiln())), [kn.asarray(a) for a in (*p, x, y)]
        return lambda: f(arrays[:-2], *arrays[-2:])
    if framework == "jax":
        j, names = jax(), of_jax()
        f, arrays = j.jit(j.value_and_grad(lambda p, x, y: model(names, p, x, y))), [j.numpy.asarray(a) for a in (*p, x, y)]
        return lambda: j.block_until_ready(f(arrays[:-2], *arrays[-2:]))
    t, names = torch(), of_torch()
    arrays = [t.asarray(a) for a in (*p, x, y)]
    for a in arrays[:-2]:
        a.requires_grad_()

    def run():
        value = model(names, arrays[:-2], arrays[-2], arrays[-1])
        return value, t.autograd.grad(value, arrays[:-2])

    return run
