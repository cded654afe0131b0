"""Eager operations against NumPy: elementwise, reductions and indexing, at a million and at ten elements."""
import math
import statistics
import timeit

import numpy as np

import kiln as kn

# Texts over x, y (floats), s (a square of x), i (positions), m (a mask), k (integers), none (a mask without a true element).
TEXTS = [
    "x + y", "x * 2", "s - s[0]", "x / y", "np.maximum(x, y)", "x < y", "np.where(m, x, y)", "np.abs(x)", "np.sqrt(x)", "-x", "np.exp(x)", "np.log(x)", "np.sin(x)", "np.tanh(x)", "x ** y",
    "x ** 2", "k + k", "k // 7", "x[::2] + y[::2]", "s.T + s", "np.sum(x)", "np.sum(s, axis=0)", "np.sum(s, axis=1)", "np.max(x)", "np.max(s, axis=0)", "np.argmax(x)", "np.mean(x)",
    "np.any(none)", "np.prod(x)", "np.cumsum(x)", "x[i]", "x[m]", "x[i] = y", "y[m] = 1", "x[1:-1]", "x[1:-1] = y[1:-1]", "x[5]", "np.nonzero(m)", "np.take(x, i)", "np.concatenate([x, y])", "x.reshape(-1, 1)"]


def names(module, n):
    rng = np.random.default_rng(0)
    side = max(2, math.isqrt(n))
    x = rng.uniform(0.1, 1, n).astype("f")
    arrays = {"x": x, "y": rng.uniform(0.1, 1, n).astype("f"), "i": rng.integers(0, n, n), "m": x > 0.5, "k": rng.integers(0, 1000, n), "s": x[:side * side].reshape(side, side).copy(),
              "none": np.zeros(n, bool)}
    return {"np": module, **{name: module.asarray(a.copy()) for name, a in arrays.items()}}


def compare(n, rounds):
    """NumPy's time over Kiln's for each text, the two in turns, medians."""
    ratios = {}
    for text in TEXTS:
        ours, theirs = (timeit.Timer(text, globals=names(module, n)) for module in (kn, np))
        ours.timeit(1)
        times = max(1, min(2000, int(2e-3 / max(theirs.timeit(1), 1e-7)))) if n > 1000 else 2000
        ratios[text] = statistics.median(theirs.timeit(times) / ours.timeit(times) for _ in range(rounds))
    return ratios


def rows(row):
    for n, bar in ((1_000_000, 1.0), (10, 1.5)):
        print(f"eager, {n:,} elements: NumPy's time over Kiln's")
        ratios = compare(n, 7)
        for text, value in sorted(ratios.items(), key=lambda pair: pair[1]):
            print(f"    {text:<28} {value:6.2f}")
        row(f"eager, {n:,} elements, geometric mean of {len(ratios)}", math.exp(statistics.fmean(map(math.log, ratios.values()))), (">=", bar))
