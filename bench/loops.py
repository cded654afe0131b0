"""Loops as one operation against the same loop in C (-O3): time per trip."""
import ctypes
import pathlib
import statistics
import subprocess

import numpy as np
from measure import rounds_of, row

import kiln as kn


def _library():
    here, build = pathlib.Path(__file__).parent, pathlib.Path(__file__).parents[1] / "build"
    subprocess.run(["clang-22", "-O3", "-march=native", "-ffp-contract=off", "-shared", "-fPIC", "-o", build / "bench-loops.so", here / "loops.c", "-lm"], check=True)
    return ctypes.CDLL(str(build / "bench-loops.so"))


def _compare(name, trips, kiln, c):
    measured = rounds_of({"kiln": kiln, "c": c}, 11, 1)
    ns = {who: statistics.median(r[who] for r in measured) / trips * 1e9 for who in ("kiln", "c")}
    row(name, statistics.median(r["kiln"] / r["c"] for r in measured), ("<=", 2.0), "", f"ns a trip: {ns['kiln']:.2f}, C {ns['c']:.2f}")


@kn.jit
def scalar_loop(x, a, b, n):
    return kn.fori_loop(0, n, lambda i, v: v * a + b, x)


@kn.jit
def jacobi(x, b, tol, most):
    def sweep(s):
        x, _, n = s
        inner = 0.5 * (x[:-2] + x[2:] + b)
        change = kn.max(kn.abs(inner - x[1:-1]))
        return x.at[1:-1].set(inner), change, n + 1
    return kn.while_loop(lambda s: (s[1] > tol) & (s[2] < most), sweep, (x, kn.asarray(1.0, dtype=x.dtype), 0))


@kn.jit
def jacobi_in_python(x, b, tol, most):
    change, n = kn.asarray(1.0, dtype=x.dtype), 0
    while change > tol and n < most:
        inner = 0.5 * (x[:-2] + x[2:] + b)
        change = kn.max(kn.abs(inner - x[1:-1]))
        x = x.at[1:-1].set(inner)
        n += 1
    return x, n


def programs():
    """Name, function and arguments of what is measured here, in few trips."""
    one, a, b, tol = (kn.asarray(v, dtype=kn.float64) for v in (1.0, 0.999, 0.5, -1.0))
    x, rhs, count = kn.zeros((18,), dtype=kn.float64), kn.asarray(np.random.default_rng(0).random(16)), kn.asarray(100)
    yield "scalar loop, x * a + b", scalar_loop.__wrapped__, [one, a, b, count]
    yield "Jacobi sweep, 16 float64", jacobi.__wrapped__, [x, rhs, tol, count]
    yield "Jacobi sweep in Python, 16 float64", jacobi_in_python.__wrapped__, [x, rhs, tol, count]


def loops():
    print("loops of 100,000 trips, of C's")
    c, trips, n = _library(), 100_000, 16
    c.scalar_loop.argtypes, c.scalar_loop.restype = [ctypes.c_double] * 3 + [ctypes.c_int64], ctypes.c_double
    one, a, b = (kn.asarray(v, dtype=kn.float64) for v in (1.0, 0.999, 0.5))
    count = kn.asarray(trips)
    assert float(scalar_loop(one, a, b, count)) == c.scalar_loop(1.0, 0.999, 0.5, trips)
    _compare("scalar loop, x * a + b", trips, lambda: scalar_loop(one, a, b, count), lambda: c.scalar_loop(1.0, 0.999, 0.5, trips))

    right = np.random.default_rng(0).random(n)
    x, rhs, tol = kn.zeros((n + 2,), dtype=kn.float64), kn.asarray(right), kn.asarray(-1.0, dtype=kn.float64)
    mine, other = np.zeros(n + 2), np.zeros(n + 2)

    def in_c():
        mine[:] = 0
        return c.jacobi(*(ctypes.c_void_p(v.ctypes.data) for v in (mine, other, right)), ctypes.c_int64(n), ctypes.c_double(-1.0), ctypes.c_int64(trips))

    in_c()
    assert jacobi(x, rhs, tol, count)[0].numpy().tobytes() == mine.tobytes()
    _compare("Jacobi sweep, 16 float64", trips, lambda: jacobi(x, rhs, tol, count), in_c)

    for most in (20, 30, 40, 50, trips):  # the third number makes it one that is read anew; the loop is found
        jacobi_in_python(x, rhs, tol, most)
    misses = jacobi_in_python.stats.misses
    got, n_trips = jacobi_in_python(x, rhs, tol, trips)
    in_c()
    assert got.numpy().tobytes() == mine.tobytes() and n_trips == trips and jacobi_in_python.stats.misses == misses
    _compare("the same, `while change > tol and n < most` in Python", trips, lambda: jacobi_in_python(x, rhs, tol, trips), in_c)
