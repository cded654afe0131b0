"""What stands before the first result of a function, and how soon its code is there."""
import statistics
import subprocess
import sys
import time

import kiln as kn
from measure import once, row


def ten_ops(k):
    def f(x, w):
        y = kn.tanh(x * w + k)
        return kn.exp(y - kn.abs(x)) * w / (y * y + 2.0)
    return f


def beyond_eager(n):
    """Milliseconds of a first call beyond 1.5 times the eager time, the median of new functions."""
    x = kn.linspace(-1, 1, n)
    eager = ten_ops(0.5)
    eager(x, x), eager(x, x)
    with kn.config.override(jit="auto", cache=False):
        firsts, eagers = [], []
        for k in range(21):
            f = kn.jit(ten_ops(float(k)), dynamic=False)
            eagers.append(once(lambda: eager(x, x)))
            firsts.append(once(lambda: f(x, x)))  # noqa: B023
    return 1e3 * (statistics.median(firsts) - 1.5 * statistics.median(eagers))


def in_place():
    """Milliseconds from the second call of a new function until its code runs."""
    x = kn.linspace(-1, 1, 1000)
    times = []
    with kn.config.override(jit="auto", cache=False):
        for k in range(12):
            f = kn.jit(ten_ops(float(k)), dynamic=False)
            f(x, x)
            start = time.perf_counter()
            f(x, x)
            while f.stats.tier == 0:
                time.sleep(0.0002)
            times.append(1e3 * (time.perf_counter() - start))
    return times


def rows():
    print("tiers: a new function of 10 operations")
    for n in (10, 1000, 100_000, 1_000_000):
        row(f"first result beyond 1.5 times eager, {n:,} elements", beyond_eager(n), ("<=", 0.3), "ms")
    fresh = [[float(v) for v in subprocess.run([sys.executable, __file__], capture_output=True, text=True, check=True).stdout.split()] for _ in range(5)]
    row("code in place after the second call, first function of a process", statistics.median(t[0] for t in fresh), ("<=", 150), "ms")
    row("the same, second function of a process", statistics.median(t[1] for t in fresh), ("<=", 15), "ms")
    row("the same, later functions", statistics.median(v for t in fresh for v in t[2:]), None, "ms")


if __name__ == "__main__":
    print(*in_place())
