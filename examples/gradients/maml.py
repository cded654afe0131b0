"""Model-agnostic meta-learning (C. Finn and others, 2017): weights from which one step of gradient descent fits any of many tasks.

The gradient of the loss behind the step goes through the gradient in it: a second derivative. For a linear model it is known, and
compared; then a network learns to learn sines of any height and phase from ten points.
"""
import numpy as np

import kiln as kn

RATE, TASKS, WIDTH = 0.05, 16, 32


def adapted(loss, weights, x, y):
    """One step on the points of a task."""
    return kn.tree.map(lambda w, g: w - RATE * g, weights, kn.grad(loss)(weights, x, y))


def behind(loss, weights, task):
    """The loss on other points of the task behind that step."""
    x, y, other_x, other_y = task
    return loss(adapted(loss, weights, x, y), other_x, other_y)


def of_line(w, x, y):
    return kn.mean(kn.square(x @ w - y))


def of_network(weights, x, y):
    h = x[:, None]
    for w, b in weights[:-1]:
        h = kn.tanh(h @ w + b)
    w, b = weights[-1]
    return kn.mean(kn.square((h @ w + b)[:, 0] - y))


def check_against_the_closed_form(rng):
    """d/dw of L2(w - r L1'(w)) is (1 - r L1'') L2'."""
    x, other = rng.normal(size=(2, 10, 3))
    y, other_y = rng.normal(size=(2, 10))
    w = rng.normal(size=3)
    gradient = lambda w, x, y: 2 / 10 * x.T @ (x @ w - y)  # noqa: E731
    want = (np.eye(3) - RATE * 2 / 10 * x.T @ x) @ gradient(w - RATE * gradient(w, x, y), other, other_y)
    got = kn.grad(lambda w: behind(of_line, w, tuple(map(kn.asarray, (x, y, other, other_y)))))(kn.asarray(w))
    off = np.abs(got.numpy() - want).max()
    assert off < 1e-12
    return off


def tasks(rng):
    """Sines of any height and phase, ten points to learn from and ten others."""
    height, phase = rng.uniform(0.5, 2, size=(TASKS, 1)), rng.uniform(0, np.pi, size=(TASKS, 1))
    x, other = rng.uniform(-3, 3, size=(2, TASKS, 10))
    return tuple(kn.asarray(a, dtype=kn.float32) for a in (x, height * np.sin(x + phase), other, height * np.sin(other + phase)))


@kn.jit
def meta_step(weights, moments, batch, rate):
    """A step over all tasks at once, written into the weights."""
    of_all = lambda weights: kn.mean(kn.vmap(lambda *task: behind(of_network, weights, task))(*batch))  # noqa: E731
    value, gradients = kn.value_and_grad(of_all)(weights)
    for w, g, (m, v) in zip(kn.tree.leaves(weights), kn.tree.leaves(gradients), moments):
        m += 0.1 * (g - m)
        v += 0.01 * (g * g - v)
        w -= rate * m / (kn.sqrt(v) + 1e-6)
    return value


def main():
    rng = np.random.default_rng(0)
    off = check_against_the_closed_form(rng)
    sizes = [(1, WIDTH), (WIDTH, WIDTH), (WIDTH, 1)]
    weights = [(kn.asarray(rng.normal(size=s) / np.sqrt(s[0]), dtype=kn.float32), kn.zeros(s[1])) for s in sizes]
    moments = [(kn.zeros_like(w), kn.zeros_like(w)) for w in kn.tree.leaves(weights)]
    values = [float(meta_step(weights, moments, tasks(rng), 0.003)) for _ in range(1500)]

    fresh = tasks(np.random.default_rng(1))
    before = float(kn.mean(kn.vmap(lambda x, y, *_: of_network(weights, x, y))(*fresh)))
    after = float(kn.mean(kn.vmap(lambda *task: behind(of_network, weights, task))(*fresh)))
    print(f"meta-learning: second derivative {off:.0e} off the closed form; loss behind a step {np.mean(values[:20]):.2f} to {np.mean(values[-20:]):.2f}; of sines not seen before it {before:.2f}, behind it {after:.2f}")
    assert after < 0.4 * before


if __name__ == "__main__":
    main()
