"""Estimates from random numbers: pi, an integral by importance, an option's price, a random walk. The numbers differ between libraries; what they estimate does not."""
import kiln.numpy as np

DRAWS = 400_000


def estimate_pi(points):
    inside = np.sum(points ** 2, axis=1) <= 1
    share = np.mean(inside)
    return 4 * share, 4 * np.sqrt(share * (1 - share) / points.shape[0])


def integral(u):
    """Of exp(-x) x^2 over [0, inf), by draws of the exponential distribution."""
    x = -np.log1p(-u)
    values = x ** 2
    return values.mean(), values.std(ddof=1) / np.sqrt(values.size)


def option(z, price, strike, rate, volatility, years):
    end = price * np.exp((rate - volatility ** 2 / 2) * years + volatility * np.sqrt(years) * z)
    payoff = np.maximum(end - strike, 0) * np.exp(-rate * years)
    return payoff.mean(), payoff.std(ddof=1) / np.sqrt(payoff.size)


def antithetic(z, *terms):
    first, _ = option(z, *terms)
    second, _ = option(-z, *terms)
    return (first + second) / 2


def walk(steps):
    paths = np.cumsum(steps, axis=1)
    return np.mean(paths[:, -1] ** 2), np.mean(np.max(paths, axis=1))


def shares(values, bins):
    counts, edges = np.histogram(values, bins=bins)
    return counts / values.size


def main():
    rng = np.random.default_rng(7)
    pi, error = estimate_pi(rng.uniform(-1, 1, (DRAWS, 2)))
    mean, spread = integral(rng.random(DRAWS))
    terms = (100.0, 105.0, 0.03, 0.2, 1.0)
    price, _ = option(rng.standard_normal(DRAWS), *terms)
    better = antithetic(rng.standard_normal(DRAWS), *terms)
    square, top = walk(rng.choice(np.array([-1, 1]), (4000, 100)))
    thirds = shares(rng.integers(0, 3, DRAWS), np.array([-0.5, 0.5, 1.5, 2.5]))
    assert error < 0.01 and spread < 0.02
    # To the digits that so many draws give.
    return [np.round(pi, 1), np.round(mean / 2, 1), np.round(price / 100, 2), np.round(better / 100, 2), np.round(square / 1000, 1), np.round(top / 100, 1), np.round(thirds, 1)]
