"""`make accuracy`: the error of the math functions in units of the last place, and what an element costs; writes docs/accuracy.md.

float32 against NumPy's or SciPy's float64 (whose own error is 2^-28 of a unit here), over every STEP-th float (1 is all of them: hours);
float64 against MPFR with 160 bits, over samples from every range. Costs are of a jitted call over a million elements, one thread. Beside
them libm (one element at a time), libmvec and SLEEF (if libsleef-dev is installed; its variants within 1 unit) on eight lanes.

  bench/accuracy.py [STEP]      (default 257)
"""
import ctypes
import os
import pathlib
import statistics
import subprocess
import sys
import time

os.environ["KILN_NUM_THREADS"] = "1"

import gmpy2  # noqa: E402
import numpy as np  # noqa: E402
from scipy import special  # noqa: E402

import kiln as kn  # noqa: E402

gmpy2.get_context().precision = 160
# Of each function: the float64 twin, and MPFR's.
FUNCTIONS = {
    "exp": (np.exp, gmpy2.exp), "exp2": (np.exp2, gmpy2.exp2), "expm1": (np.expm1, gmpy2.expm1), "log": (np.log, gmpy2.log), "log2": (np.log2, gmpy2.log2), "log10": (np.log10, gmpy2.log10),
    "log1p": (np.log1p, gmpy2.log1p), "sin": (np.sin, gmpy2.sin), "cos": (np.cos, gmpy2.cos), "tan": (np.tan, gmpy2.tan), "asin": (np.arcsin, gmpy2.asin), "acos": (np.arccos, gmpy2.acos),
    "atan": (np.arctan, gmpy2.atan), "sinh": (np.sinh, gmpy2.sinh), "cosh": (np.cosh, gmpy2.cosh), "tanh": (np.tanh, gmpy2.tanh), "asinh": (np.arcsinh, gmpy2.asinh), "acosh": (np.arccosh, gmpy2.acosh),
    "atanh": (np.arctanh, gmpy2.atanh), "erf": (special.erf, gmpy2.erf), "erfc": (special.erfc, gmpy2.erfc), "sqrt": (np.sqrt, gmpy2.sqrt)}


def other_libraries():
    """{"libm": {...}, "libmvec": {...}, "SLEEF": {...}}: functions of float32 arrays (of a multiple of 8 elements) by name."""
    root = pathlib.Path(__file__).parents[1]
    target, command = root / "build/bench-mathlibs.so", ["cc", "-O2", "-mavx2", "-mfma", "-fno-tree-vectorize", "-fno-builtin", "-shared", "-fPIC"]
    source = root / "bench/mathlibs.c"
    has_sleef = subprocess.run([*command, "-DKILN_SLEEF", "-o", target, source, "-lmvec", "-lm", "-lsleef"], capture_output=True).returncode == 0
    if not has_sleef:
        subprocess.run([*command, "-o", target, source, "-lmvec", "-lm"], check=True)
    library = ctypes.CDLL(str(target))

    def function(symbol):
        f = getattr(library, symbol)

        def call(x):
            out = np.empty_like(x)
            f(ctypes.c_void_p(out.ctypes.data), ctypes.c_void_p(x.ctypes.data), ctypes.c_int64(x.size))
            return out
        return call

    kinds = {"libm": "libm", "libmvec": "libmvec", **({"SLEEF": "sleef"} if has_sleef else {})}
    return {kind: {name: function(f"{prefix}_{name}") for name in FUNCTIONS if name != "sqrt"} for kind, prefix in kinds.items()}


def float32_error(name, step, function=None, checks_special=True):
    """(largest, mean, where) over every step-th float32; special values must be equal."""
    twin, worst, total, count, place = FUNCTIONS[name][0], 0.0, 0.0, 0, 0.0
    function = function or (lambda x: getattr(kn, name)(kn.asarray(x)).numpy())
    with np.errstate(all="ignore"):
        for start in range(0, 2**32, step * (1 << 20)):
            x = np.arange(start, min(start + step * (1 << 20), 2**32), step, dtype=np.uint64).astype(np.uint32).view(np.float32)
            x = x[:x.size // 8 * 8]
            got, want = function(x).astype("d"), twin(x.astype("d"))
            rounded = want.astype("f").astype("d")
            special_values = ~np.isfinite(rounded)
            same = (got == rounded) | (np.isnan(got) & np.isnan(rounded))
            assert not checks_special or same[special_values].all(), f"{name} of {x[special_values][~same[special_values]][0]!r}"
            ok = ~special_values & np.isfinite(got)
            error = np.abs(got[ok] - want[ok]) / np.spacing(np.abs(rounded[ok]).astype("f")).astype("d")
            if error.size and error.max() > worst:
                worst, place = float(error.max()), float(x[ok][error.argmax()])
            total, count = total + float(error.sum()), count + error.size
    return worst, total / count, place


def samples():
    rng = np.random.default_rng(0)
    return np.concatenate([rng.normal(size=6000), rng.uniform(-1, 1, 6000), rng.uniform(-700, 700, 4000), rng.uniform(0.9, 1.1, 3000), 10.0 ** rng.uniform(-300, 300, 3000), -(10.0 ** rng.uniform(-300, 300, 1000)),
                           np.arange(-200, 200) * (np.pi / 4)])


def float64_error(name, x):
    """(largest, mean, where) over samples where the function is finite."""
    got = getattr(kn, name)(kn.asarray(x)).numpy()
    worst, total, count, place = 0.0, 0.0, 0, 0.0
    for xi, yi in zip(x.tolist(), got.tolist()):
        want = FUNCTIONS[name][1](gmpy2.mpfr(xi))
        if not gmpy2.is_finite(want) or not np.isfinite(yi) or abs(float(want)) < 2.3e-308:
            continue
        error = float(abs(gmpy2.mpfr(yi) - want) / gmpy2.mpfr(float(np.spacing(abs(float(want))))))
        if error > worst:
            worst, place = error, xi
        total, count = total + error, count + 1
    return worst, total / max(count, 1), place


def nanoseconds(run, n):
    run()
    times = []
    for _ in range(9):
        start = time.perf_counter()
        run()
        times.append(time.perf_counter() - start)
    return statistics.median(times) / n * 1e9


def costs(name):
    """Nanoseconds an element: Kiln's float32, NumPy's (or SciPy's) float32, Kiln's float64, and theirs."""
    x = np.random.default_rng(0).uniform(1.01 if name == "acosh" else 0.05, 8 if name not in ("asin", "acos", "atanh") else 0.95, 1 << 20)
    result = []
    for dtype in ("float32", "float64"):
        a, f = x.astype(dtype), kn.jit(getattr(kn, name))
        k = kn.asarray(a)
        result += [nanoseconds(lambda: f(k), x.size), nanoseconds(lambda: FUNCTIONS[name][0](a), x.size)]
    return result


def pow_error(dtype):
    """(largest, mean, where) of pow over samples of every range, results from subnormal to largest."""
    rng, n = np.random.default_rng(0), 20000
    limit = (88, 103) if dtype == "float32" else (709, 744)
    logs = np.concatenate([rng.uniform(-1, 1, n), rng.uniform(-limit[0], limit[0], n), rng.normal(size=n) * 1e-4, np.full(n, np.log(2) / 2) * rng.choice([-1, 1], n) * (1 + rng.normal(size=n) * 1e-3)])
    x = np.exp(logs).astype(dtype)
    y = (rng.uniform(-limit[1], limit[0], 4 * n) / np.where(logs == 0, 1, logs)).astype(dtype)
    got = kn.pow(kn.asarray(x), kn.asarray(y)).numpy()
    worst, total, count, place = 0.0, 0.0, 0, ""
    for xi, yi, zi in zip(x.tolist(), y.tolist(), got.tolist()):
        want = gmpy2.mpfr(xi) ** gmpy2.mpfr(yi)
        with np.errstate(over="ignore"):
            rounded = np.dtype(dtype).type(float(want)) if abs(want) < 1e308 else np.inf
        if not np.isfinite(rounded) or not np.isfinite(zi) or (dtype == "float64" and want < 2.3e-308):
            continue
        error = float(abs(gmpy2.mpfr(zi) - want) / gmpy2.mpfr(float(np.spacing(rounded))))
        if error > worst:
            worst, place = error, f"{xi:.7g}, {yi:.7g}"
        total, count = total + error, count + 1
    return worst, total / count, place


def pow_costs():
    x = np.random.default_rng(0).uniform(0.1, 10, 1 << 20)
    result = []
    for dtype in ("float32", "float64"):
        a, f = x.astype(dtype), kn.jit(lambda v: kn.pow(v, v))
        k = kn.asarray(a)
        result += [nanoseconds(lambda: f(k), x.size), nanoseconds(lambda: np.power(a, a), x.size)]
    return result


def table_of_others(step):
    """float32: largest error and nanoseconds an element, over 4096 elements in the cache, beside libm, libmvec and SLEEF."""
    others = other_libraries()
    yield f"\n## float32 beside libm, libmvec and SLEEF\n\nLargest error over every {16 * step}th float, and nanoseconds an element over 4096 elements in the cache, one thread.\n"
    yield "| function | Kiln | ns | " + " | ".join(f"{kind} | ns" for kind in others) + " |"
    yield "|---|---|---|" + "---|---|" * len(others)
    for name in FUNCTIONS:
        if name == "sqrt":
            continue
        x = np.random.default_rng(0).uniform(1.01 if name == "acosh" else 0.05, 8 if name not in ("asin", "acos", "atanh") else 0.95, 4096).astype("f")
        k, f = kn.asarray(x), kn.jit(getattr(kn, name))
        cells = [f"{float32_error(name, 16 * step)[0]:.2f}", f"{repeated(lambda: f(k), x.size):.2f}"]
        for functions in others.values():
            cells += [f"{float32_error(name, 16 * step, functions[name], False)[0]:.2f}", f"{repeated(lambda: functions[name](x), x.size):.2f}"]
        yield f"| {name} | " + " | ".join(cells) + " |"


def repeated(run, n, times=200):
    return nanoseconds(lambda: [run() for _ in range(times)], n * times)


def main():
    step = int(sys.argv[1]) if len(sys.argv) > 1 else 257
    lines = ["# Accuracy and cost of the math functions\n",
             f"Written by `make accuracy`. Errors in units of the last place: float32 over every {step}th float of the whole range (`STEP=1` takes all), float64 over",
             "23,400 samples against MPFR, pow over 80,000 samples of every range. Costs in nanoseconds an element, one thread, a million elements, beside NumPy's function",
             "(SciPy's for erf and erfc). Vector and scalar code have the same bits, so the errors are of both.\n",
             "| function | float32: largest | mean | at | float64: largest | mean | ns, float32 | NumPy | ns, float64 | NumPy |", "|---|---|---|---|---|---|---|---|---|---|"]

    def add(line):
        lines.append(line)
        print(line, flush=True)

    x = samples()
    for name in FUNCTIONS:
        single, double, ns = float32_error(name, step), float64_error(name, x), costs(name)
        add(f"| {name} | {single[0]:.2f} | {single[1]:.3f} | {single[2]:.7g} | {double[0]:.2f} | {double[1]:.3f} | " + " | ".join(f"{v:.2f}" for v in ns) + " |")
    single, double = pow_error("float32"), pow_error("float64")
    add(f"| pow | {single[0]:.2f} | {single[1]:.3f} | {single[2]} | {double[0]:.2f} | {double[1]:.3f} | " + " | ".join(f"{v:.2f}" for v in pow_costs()) + " |")
    for line in table_of_others(step):
        add(line)
    pathlib.Path(__file__).parents[1].joinpath("docs/accuracy.md").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
