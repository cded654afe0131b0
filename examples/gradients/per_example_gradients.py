"""A gradient for each example, by `kn.vmap` of `kn.grad`: clipped one by one, so that none can say much (M. Abadi and others, 2016).

Logistic regression, for which the gradient of an example is (p - y) x; some labels are wrong, and far out. Clipping bounds what they do
to the fit, which is compared with SciPy's of the same data without them.
"""
import numpy as np
from scipy.optimize import minimize
from scipy.special import expit

import kiln as kn

EXAMPLES, SIZE, WRONG, MOST = 2000, 4, 60, 2.0


def loss(w, x, y):
    """Of one example."""
    return kn.nn.softplus(x @ w) - y * (x @ w)


each = kn.vmap(kn.grad(loss), in_axes=(None, 0, 0))


@kn.jit
def step(w, x, y, most):
    """One program: the gradients of all examples, their lengths, and the mean of the clipped ones."""
    gradients = each(w, x, y)
    lengths = kn.linalg.norm(gradients, axis=1, keepdims=True)
    w -= 0.5 * kn.mean(gradients * kn.minimum(1.0, most / lengths), axis=0)


def fitted(x, y, most):
    w = kn.zeros(SIZE, dtype=kn.float64)
    for _ in range(600):
        step(w, x, y, most)
    return w.numpy()


def main():
    rng = np.random.default_rng(0)
    truth = np.array([1.0, -1.0, 0.5, 0.0])
    x = rng.normal(size=(EXAMPLES, SIZE))
    y = (rng.uniform(size=EXAMPLES) < expit(x @ truth)).astype(float)
    x[:WRONG] *= 8
    y[:WRONG] = x[:WRONG] @ truth < 0

    w = rng.normal(size=SIZE)
    got, want = each(kn.asarray(w), kn.asarray(x), kn.asarray(y)).numpy(), (expit(x @ w) - y)[:, None] * x
    off = np.abs(got - want).max()
    clean = minimize(lambda w: np.mean(np.logaddexp(0, x[WRONG:] @ w) - y[WRONG:] * (x[WRONG:] @ w)), np.zeros(SIZE)).x
    plain, clipped = (np.linalg.norm(fitted(kn.asarray(x), kn.asarray(y), most) - clean) for most in (np.inf, MOST))
    right = np.linalg.norm(fitted(kn.asarray(x[WRONG:]), kn.asarray(y[WRONG:]), np.inf) - clean)
    print(f"per-example gradients: {off:.0e} off the closed form; with {WRONG} wrong labels of {EXAMPLES} the fit is {plain:.2f} off SciPy's without them, {clipped:.2f} with clipped gradients; without them {right:.0e}")
    assert off < 1e-12 and right < 1e-4 and clipped < 0.5 * plain


if __name__ == "__main__":
    main()
