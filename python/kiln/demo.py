"""``python -m kiln.demo``: what Kiln does, in half a minute, with nothing but the package itself.

It fits a logistic regression and prices options, eager and jitted, checks that the results are the same bits, and tells what was compiled
and how long things take.
"""
import statistics
import sys
import time

import kiln as kn


def predict(x, w, b):
    """Probabilities (n,) of class 1 for rows x (n, d), weights w (d,) and bias b."""
    return kn.sigmoid(x @ w + b)


def step(x, y, w, b, rate):
    """A step of gradient descent on the mean cross-entropy, in place; the loss before it."""
    p = predict(x, w, b)
    loss = -kn.mean(y * kn.log(p + 1e-7) + (1 - y) * kn.log(1 - p + 1e-7))
    error = (p - y) / x.shape[0]
    w -= rate * (x.T @ error)
    b -= rate * kn.sum(error)
    return loss


def black_scholes(price, strike, years, rate, volatility):
    """Values (n,) of European call options: F. Black and M. Scholes, 1973."""
    spread = volatility * kn.sqrt(years)
    d1 = (kn.log(price / strike) + (rate + volatility**2 / 2) * years) / spread
    discounted = strike * kn.exp(-rate * years)
    return price * normal(d1) - discounted * normal(d1 - spread)


def normal(x):
    """The normal distribution function, of each element."""
    return 0.5 * (1 + kn.erf(x / 2**0.5))


def spread_points(n, start, step=0.6180339887498949):
    """n numbers in [0, 1): fractional parts of multiples of the golden ratio."""
    x = kn.arange(n, dtype=kn.float64) * step + start
    return kn.astype(x - kn.floor(x), kn.float32)


def milliseconds(run, times=9):
    run(), run()
    took = []
    for _ in range(times):
        start = time.perf_counter()
        run()
        took.append(1e3 * (time.perf_counter() - start))
    return statistics.median(took)


def regression():
    """Trains twice from the same start, eager and jitted; whether weights and losses have the same bits."""
    n, d, steps = 2000, 16, 60
    x = kn.stack([spread_points(n, 0.1 * k, 0.6180339887498949 + 0.05 * k) for k in range(d)], axis=1) - 0.5
    truth = kn.linspace(-3, 3, d)
    y = kn.astype(x @ truth > 0, kn.float32)
    outcomes = []
    for run in (step, kn.jit(step)):
        w, b = kn.zeros(d), kn.zeros(())
        start = time.perf_counter()
        losses = [float(run(x, y, w, b, 5.0)) for _ in range(steps)]
        outcomes.append((losses, w, 1e3 * (time.perf_counter() - start)))
    (losses, w, eager), (jitted_losses, jitted_w, jitted) = outcomes
    right = float(kn.mean(kn.astype((predict(x, jitted_w, 0.0) > 0.5) == (y > 0.5), kn.float32)))
    same = losses == jitted_losses and bool(kn.array_equal(w, jitted_w))
    print(f"logistic regression, {n} x {d}, {steps} steps: loss {losses[0]:.4f} -> {jitted_losses[-1]:.4f}, {right:.1%} right")
    print(f"    eager {eager:.1f} ms, jitted {jitted:.1f} ms with recording and compiling; the same bits: {same}")
    return same and right > 0.9 and jitted_losses[-1] < losses[0]


def options():
    """Prices a million options, eager and jitted; whether the results have the same bits and are right where they are known."""
    n = 1_000_000
    price, strike = 50 + 100 * spread_points(n, 0.2), 50 + 100 * spread_points(n, 0.7, 0.7548776662466927)
    years, rate, volatility = 0.1 + 2 * spread_points(n, 0.4, 0.5698402909980532), 0.03, 0.3
    arguments = (price, strike, years, rate, volatility)
    with kn.config.override(jit="sync"):
        jitted = kn.jit(black_scholes)
        same = bool(kn.array_equal(jitted(*arguments), black_scholes(*arguments)))
    known = float(jitted(kn.asarray([100.0]), kn.asarray([95.0]), kn.asarray([0.25]), 0.1, 0.5)[0])
    eager, compiled = milliseconds(lambda: black_scholes(*arguments)), milliseconds(lambda: jitted(*arguments))
    print(f"a million option prices: eager {eager:.1f} ms, jitted {compiled:.1f} ms, {eager / compiled:.1f} times as fast; the same bits: {same}")
    print("   ", "\n    ".join(str(jitted.explain()).splitlines()[:4]))
    return same and abs(known - 13.6953) < 1e-3


def main() -> int:
    start = time.perf_counter()
    kn.show_versions()
    print()
    passed = [regression(), options()]
    print(f"\n{'all as it should be' if all(passed) else 'FAILED'}, {time.perf_counter() - start:.1f} s")
    return 0 if all(passed) else 1


if __name__ == "__main__":
    sys.exit(main())
