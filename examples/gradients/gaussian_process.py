"""A Gaussian process whose parameters make its data most likely: a gradient through the Cholesky factor of a covariance.

C. Rasmussen and C. Williams, "Gaussian processes for machine learning", 2006, chapter 5. The likelihood is compared with SciPy's density, its
gradient with the closed form of the book, and the prediction with the truth.
"""
import numpy as np
from scipy.optimize import minimize
from scipy.stats import multivariate_normal

import kiln as kn

POINTS = 120


def covariance(p, a, b):
    """Squared exponential; the parameters are logarithms of height, length and noise."""
    return kn.exp(2 * p[0]) * kn.exp(-0.5 * kn.square((a[:, None] - b) / kn.exp(p[1])))


def with_noise(p, x):
    return covariance(p, x, x) + (kn.exp(2 * p[2]) + 1e-9) * kn.eye(x.shape[0], dtype=x.dtype)


def surprise(p, x, y):
    """The negative logarithm of the marginal likelihood."""
    factor = kn.linalg.cholesky(with_noise(p, x))
    white = kn.linalg.solve_triangular(factor, y, lower=True)
    return 0.5 * (white @ white) + kn.sum(kn.log(kn.diag(factor))) + 0.5 * x.shape[0] * np.log(2 * np.pi)


fit = kn.jit(kn.value_and_grad(surprise))


def predicted(p, x, y, at):
    return covariance(p, at, x) @ kn.linalg.solve(with_noise(p, x), y)


def closed_form(p, x, y):
    """-1/2 tr((a a^T - K^-1) dK/dp) with a = K^-1 y, in NumPy."""
    square = np.square(x[:, None] - x)
    k = np.exp(2 * p[0] - 0.5 * square / np.exp(2 * p[1]))
    inverse = np.linalg.inv(k + (np.exp(2 * p[2]) + 1e-9) * np.eye(len(x)))
    a = inverse @ y
    changes = (2 * k, k * square / np.exp(2 * p[1]), 2 * np.exp(2 * p[2]) * np.eye(len(x)))
    return np.array([-0.5 * np.sum((np.outer(a, a) - inverse) * change) for change in changes])


def main():
    rng = np.random.default_rng(0)
    truth = lambda x: np.sin(2 * x) + 0.3 * x  # noqa: E731
    x = np.sort(rng.uniform(-3, 3, POINTS))
    y = truth(x) + 0.1 * rng.normal(size=POINTS)
    start, xs, ys = np.zeros(3), kn.asarray(x), kn.asarray(y)

    value, gradient = fit(kn.asarray(start), xs, ys)
    density = multivariate_normal(cov=with_noise(kn.asarray(start), xs).numpy()).logpdf(y)
    off = np.abs(gradient.numpy() / closed_form(start, x, y) - 1).max()
    found = minimize(lambda p: tuple(np.asarray(a) for a in fit(kn.asarray(p), xs, ys)), start, jac=True, method="L-BFGS-B")
    at = np.linspace(-2.8, 2.8, 50)
    error = np.abs(predicted(kn.asarray(found.x), xs, ys, kn.asarray(at)).numpy() - truth(at)).max()
    print(f"Gaussian process: likelihood {abs(float(value) / -density - 1):.0e} off SciPy's, gradient {off:.0e} off the closed form; noise {np.exp(found.x[2]):.3f} (0.1), prediction at most {error:.2f} off")
    assert abs(float(value) / -density - 1) < 1e-9 and off < 1e-7 and 0.08 < np.exp(found.x[2]) < 0.12 and error < 0.15
    assert np.abs(closed_form(found.x, x, y)).max() < 0.05


if __name__ == "__main__":
    main()
