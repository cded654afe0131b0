"""`make npbench NPBENCH=DIR`: the kernels of a checkout of spcl/npbench as they are, with `kiln.numpy` for `numpy`: in eager, under jit, and
beside them NumPy, Numba and JAX (where installed), in turns, one thread, medians. `npbench.py DIR [PRESET] [KERNEL...]`.

Prints a line a kernel (seconds of NumPy, then times as fast as it) and writes bench/npbench.json. Each kernel runs in a process of its own,
for LIMIT seconds at most.
"""
import json
import math
import os
import pathlib
import statistics
import subprocess
import sys
import time

LIMIT = 180  # seconds of one kernel
SOURCES = {"numba": "_numba_n", "jax": "_jax"}
ONE_THREAD = {name: "1" for name in ("KILN_NUM_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")}
RESULTS = pathlib.Path(__file__).with_name("npbench.json")


class Kernel:
    """A kernel of the checkout and its arguments."""

    def __init__(self, root, name, preset):
        self.info = json.loads((root / "bench_info" / f"{name}.json").read_text())["benchmark"]
        self.folder = root / "npbench" / "benchmarks" / self.info["relative_path"]
        self.arguments = dict(self.info["parameters"][preset])
        init = self.info.get("init")
        if init:
            made = self.module("")[init["func_name"]](*[self.arguments[a] for a in init["input_args"]])
            names = init["output_args"]
            self.arguments.update(zip(names, made if len(names) > 1 else [made]))

    def module(self, suffix, change=lambda text: text):
        """The names of one of its source files."""
        path = self.folder / f"{self.info['module_name']}{suffix}.py"
        names = {"__name__": path.stem, "__file__": str(path)}
        exec(compile(change(path.read_text()), str(path), "exec"), names)
        return names

    def function(self, suffix, change=lambda text: text):
        return self.module(suffix, change)[self.info["func_name"]]

    def call(self, function, convert=lambda a: a):
        """Runs on fresh arguments: seconds, and the result with the arrays that it may have changed."""
        values = [self.arguments[name] for name in self.info["input_args"]]
        values = [convert(v.copy()) if hasattr(v, "dtype") and getattr(v, "ndim", 0) else v for v in values]
        start = time.perf_counter()
        result = function(*values)
        done(result)
        seconds = time.perf_counter() - start
        results = list(result) if isinstance(result, (tuple, list)) else [] if result is None else [result]
        return seconds, results + [v for n, v in zip(self.info["input_args"], values) if n in self.info.get("output_args", [])]


def done(result):
    """Waits for what runs behind the program."""
    for part in result if isinstance(result, (tuple, list)) else [result]:
        if hasattr(part, "block_until_ready"):
            part.block_until_ready()


def farthest(got, want):
    """The largest error relative to the largest element; inf for other shapes or places of nan."""
    import numpy as np
    worst = 0.0 if len(got) == len(want) else math.inf
    for g, w in zip(got, want):
        g, w = np.asarray(g), np.asarray(w)
        if g.shape != w.shape or not np.array_equal(np.isfinite(g), np.isfinite(w)):
            return math.inf
        finite = np.isfinite(w)
        if finite.any():
            worst = max(worst, float(np.abs(g[finite] - w[finite]).max() / max(float(np.abs(w[finite]).max()), 1e-30)))
    return worst


def contenders(kernel):
    """Functions by name, with what makes their arguments."""
    import kiln as kn
    own = lambda text: text.replace("import numpy as np", "import kiln.numpy as np")
    found = {"numpy": (kernel.function("_numpy"), lambda a: a)}
    found["eager"] = (kernel.function("_numpy", own), kn.asarray)
    found["jit"] = (kn.jit(kernel.function("_numpy", own)), kn.asarray)
    for name, suffix in SOURCES.items():
        try:
            __import__(name)
            if name == "jax":
                import jax
                jax.config.update("jax_enable_x64", True)
                found[name] = (kernel.function(suffix), jax.numpy.asarray)
            else:
                found[name] = (kernel.function(suffix), lambda a: a)
        except (ImportError, OSError):
            pass
    return found


def first_call(name, function, kernel, convert, want, report):
    """Runs once, for its time and its result; false where it fails."""
    try:
        report["first"][name], got = kernel.call(function, convert)
    except Exception as error:  # of a kernel, whatever it is: the row says so
        report["error"][name] = f"{type(error).__name__}: {str(error)[:200]}"
        return False
    report["off"][name] = farthest(got, want)
    return True


def wait_for_code(function, kernel, convert):
    """Calls until optimized code runs, or does not come."""
    end = time.monotonic() + 30
    while time.monotonic() < end:
        kernel.call(function, convert)
        if function.stats.tier == 1 or not function.stats.segments:
            break
        time.sleep(0.01)


def measure(root, name, preset):
    kernel = Kernel(root, name, preset)
    report = {"kernel": name, "first": {}, "error": {}, "off": {}, "seconds": {}}
    functions = contenders(kernel)
    want = kernel.call(functions["numpy"][0])[1]
    for contender, (function, convert) in list(functions.items()):
        if not first_call(contender, function, kernel, convert, want, report):
            del functions[contender]
    if "jit" in functions:
        wait_for_code(*functions["jit"][:1], kernel, functions["jit"][1])
        stats, note = functions["jit"][0].stats, str(functions["jit"][0].explain())
        report["code"] = "optimized" if stats.tier == 1 else "op by op" if stats.segments else "eager"
        report["why"] = next((line.strip() for line in note.splitlines() if "eager" in line or "declined" in line), "")
    times = {contender: [] for contender in functions}
    end = time.monotonic() + 10
    while len(times["numpy"]) < 3 or (time.monotonic() < end and len(times["numpy"]) < 30):
        for contender, (function, convert) in functions.items():
            times[contender].append(kernel.call(function, convert)[0])
    report["seconds"] = {contender: statistics.median(t) for contender, t in times.items()}
    return report


def run(root, name, preset):
    """The report of a kernel, measured in a process of its own."""
    command = [sys.executable, __file__, "--one", str(root), preset, name]
    try:
        ended = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT, env={**os.environ, **ONE_THREAD, "JAX_PLATFORMS": "cpu"})
    except subprocess.TimeoutExpired:
        return {"kernel": name, "failed": f"not done in {LIMIT} s"}
    lines = ended.stdout.splitlines()
    if ended.returncode or not lines:
        return {"kernel": name, "failed": (ended.stderr.strip().splitlines() or ["nothing was printed"])[-1][:200]}
    return json.loads(lines[-1])


def speeds(report):
    """How many times as fast as NumPy each contender is."""
    seconds = report.get("seconds", {})
    return {name: seconds["numpy"] / s for name, s in seconds.items() if name != "numpy"}


def line_of(report):
    if "failed" in report:
        return f"{report['kernel']:<26} {report['failed']}"
    ratios = speeds(report)
    columns = "".join(f"{ratios[c]:9.2f}" if c in ratios else f"{'-':>9}" for c in ("eager", "jit", "numba", "jax"))
    wrong = [c for c, off in report["off"].items() if off > 1e-5]
    notes = [f"{c}: wrong by {report['off'][c]:.1e}" for c in wrong] + [f"{c}: {e}" for c, e in report["error"].items()] + [report.get("why", "")]
    return f"{report['kernel']:<26} {report['seconds']['numpy']:10.5f}{columns}{report['first'].get('jit', math.nan):9.2f}  {report.get('code', ''):<10} {'; '.join(n for n in notes if n)[:160]}"


def geomean(values):
    values = list(values)
    return math.exp(sum(map(math.log, values)) / len(values)) if values else math.nan


def summary(reports):
    """Lines with geometric means over the kernels that ran, and what is slower than it may be."""
    ran = [r for r in reports if "jit" in r.get("seconds", {})]
    yield f"{len(ran)} of {len(reports)} ran under jit, {sum(r.get('code') == 'optimized' for r in ran)} with optimized code"
    for name in ("eager", "jit", "numba", "jax"):
        known = [speeds(r)[name] for r in reports if name in speeds(r)]
        yield f"{name}: {geomean(known):.2f} times NumPy's speed over {len(known)} kernels"
    best = [speeds(r)["jit"] / max([1.0] + [v for k, v in speeds(r).items() if k in SOURCES]) for r in ran]
    yield f"jit against the best of NumPy, Numba and JAX: {geomean(best):.2f} over {len(best)} kernels"
    slow = [r["kernel"] for r in ran if min(speeds(r)["jit"], speeds(r)["jit"] / speeds(r)["eager"]) < 0.95]
    yield f"under jit slower than NumPy or eager by more than 5 %: {len(slow)} {' '.join(slow)}"
    late = [r["kernel"] for r in ran if r["first"]["jit"] > max(2.0, 1.5 * r["first"]["eager"])]
    yield f"first call above 2 s and above eager's: {len(late)} {' '.join(late)}"


def main(root, preset="S", *names):
    root = pathlib.Path(root)
    if not (root / "bench_info").is_dir():
        sys.exit(f"npbench: expected a checkout of spcl/npbench, got '{root}'")
    print(f"{'kernel':<26} {'NumPy, s':>10}{'eager':>9}{'jit':>9}{'Numba':>9}{'JAX':>9}{'first, s':>9}")
    reports = []
    for name in names or sorted(p.stem for p in (root / "bench_info").glob("*.json")):
        reports.append(run(root, name, preset))
        print(line_of(reports[-1]), flush=True)
    print(*summary(reports), sep="\n")
    if not names:
        RESULTS.write_text(json.dumps(reports, indent=1) + "\n")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--one"]:
        print(json.dumps(measure(pathlib.Path(sys.argv[2]), sys.argv[4], sys.argv[3])))
    elif len(sys.argv) < 2:
        sys.exit("npbench: expected the folder of a checkout of spcl/npbench: make npbench NPBENCH=DIR")
    else:
        main(*sys.argv[1:])
