"""A physics-informed network: u'' + exp(u) = 0 with u(0) = u(1) = 0, solved by making a network small where the equation is not.

The second derivative is two tangents, one inside the other; the gradient of the loss by the weights goes through both. The solution is
known: u(x) = -2 log(cosh((2x - 1) t / 4) / cosh(t / 4)) with t = sqrt(2) cosh(t / 4) (G. Bratu, 1914).
"""
import numpy as np
from scipy.optimize import brentq

import kiln as kn

WIDTH, STEPS = 24, 1200


def start(rng):
    sizes = [(1, WIDTH), (WIDTH, WIDTH), (WIDTH, 1)]
    return [(kn.asarray(rng.normal(size=s) / np.sqrt(s[0]), dtype=kn.float32), kn.zeros(s[1])) for s in sizes]


def u(weights, x):
    """The network, times what is 0 at both ends."""
    h = x[:, None]
    for w, b in weights[:-1]:
        h = kn.tanh(h @ w + b)
    w, b = weights[-1]
    return x * (1 - x) * (h @ w + b)[:, 0]


def loss(weights, x):
    one = kn.ones_like(x)
    solution = lambda x: u(weights, x)  # noqa: E731
    slope = lambda x: kn.jvp(solution, (x,), (one,))[1]  # noqa: E731
    curvature = kn.jvp(slope, (x,), (one,))[1]
    return kn.mean(kn.square(curvature + kn.exp(solution(x))))


@kn.jit
def adam(weights, moments, x, t):
    """Step ``t``, at a rate that falls to 0, written into the weights."""
    value, gradients = kn.value_and_grad(loss)(weights, x)
    t += 1
    rate = 0.005 * (1 + kn.cos(np.pi * t / STEPS))
    for w, g, (m, v) in zip(kn.tree.leaves(weights), kn.tree.leaves(gradients), moments):
        m += 0.1 * (g - m)
        v += 0.01 * (g * g - v)
        w -= rate * (m / (1 - 0.9 ** t)) / (kn.sqrt(v / (1 - 0.99 ** t)) + 1e-8)
    return value


def main():
    weights, x = start(np.random.default_rng(0)), kn.linspace(0, 1, 64)
    moments = [(kn.zeros_like(w), kn.zeros_like(w)) for w in kn.tree.leaves(weights)]
    step = kn.asarray(0.0)
    for _ in range(STEPS):
        value = adam(weights, moments, x, step)

    t = brentq(lambda t: t - np.sqrt(2) * np.cosh(t / 4), 0, 3)
    points = np.linspace(0, 1, 201)
    exact = -2 * np.log(np.cosh((2 * points - 1) * t / 4) / np.cosh(t / 4))
    error = np.abs(u(weights, kn.asarray(points, dtype=kn.float32)).numpy() - exact).max()
    print(f"physics-informed network: loss {float(value):.1e}, at most {error:.1e} off the solution, whose height is {exact.max():.3f}")
    assert error < 2e-3


if __name__ == "__main__":
    main()
