"""Eager operations on elements and short vectors against NumPy: what loops over elements are made of."""
import math
import statistics
import timeit

import numpy as np

from measure import function_of

import kiln as kn

# Texts over A, B (square), x, y (vectors), i, j (numbers), a, b (elements), and t, u (kept from what the one before left).
TEXTS = [
    "A[i, j]", "x[i]", "A[i]", "A[i, :j]", "A[:j, i]", "x[1:j]", "A[i, j] = 0.5", "A[i, j] = a", "x[i] = a", "x[i] = 1", "A[i, :j] = 0.5", "A[i, :j] = x[:j]", "A[i, j] += a", "A[i, j] -= 0.5", "x[i] *= 2.0",
    "a + b", "a * 2.0", "2.0 * a", "a - 1", "a / b", "-a", "abs(a)", "a ** 2", "a < b", "a == b", "a > 0.5", "a if a < b else b", "float(a)", "float(x[i])", "int(k[i])", "bool(a < b)", "k[i] + 1", "k[i] == k[j]",
    "x[:j] @ y[:j]", "A[i, :j] @ A[j, :j]", "np.dot(x[:j], y[:j])", "A[i, :j] + x[:j]", "A[i, :j] * a", "x[:j] += y[:j]", "A[i, :j] -= a * x[:j]", "np.sqrt(a)", "np.exp(a)", "np.maximum(a, b)", "np.max(x)", "np.sum(x)", "np.sum(x[:j] * y[:j])",
    "np.zeros(10)", "np.arange(10)", "A.shape[0]", "x.T", "len(x)", "x.copy()", "A.reshape(-1)"]


def names(module):
    rng = np.random.default_rng(0)
    arrays = {"A": rng.random((20, 20)), "B": rng.random((20, 20)), "x": rng.random(20), "y": rng.random(20), "k": rng.integers(0, 9, 20)}
    found = {"np": module, "i": 7, "j": 5, **{name: module.asarray(a.copy()) for name, a in arrays.items()}}
    found["a"], found["b"] = found["x"][3], found["x"][4]
    return found


def programs():
    """Name, function and arguments of each text."""
    given = names(kn)
    for text in TEXTS:
        yield text, *function_of(text, given)


def compare(rounds, texts=TEXTS):
    """NumPy's time over Kiln's for each text, the two in turns, medians; and Kiln's in nanoseconds."""
    ratios = {}
    for text in texts:
        ours, theirs = (timeit.Timer(text, globals=names(module)) for module in (kn, np))
        ours.timeit(100), theirs.timeit(100)
        pairs = [(theirs.timeit(2000), ours.timeit(2000)) for _ in range(rounds)]
        ratios[text] = statistics.median(t / o for t, o in pairs), statistics.median(o for _, o in pairs) / 2000e-9
    return ratios


def rows(row):
    print("eager, elements and short vectors: NumPy's time over Kiln's, and Kiln's")
    ratios = compare(11)
    for text, (value, ns) in sorted(ratios.items(), key=lambda pair: pair[1]):
        print(f"    {text:<28} {value:6.2f}  {ns:6.0f} ns")
    row(f"eager, elements and short vectors, geometric mean of {len(ratios)}", math.exp(statistics.fmean(math.log(v) for v, _ in ratios.values())), (">=", 1.0))
    row("eager, elements and short vectors, slowest", min(v for v, _ in ratios.values()), (">=", 0.5))


if __name__ == "__main__":
    rows(lambda *columns: print(*columns))
