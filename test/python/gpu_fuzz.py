"""Random programs on a GPU against the CPU: the same bits, in eager and under ``kn.jit``, on arrays that lie row by row and in strides, and on
NumPy arrays, with what they write.

``python test/python/gpu_fuzz.py --first-seed 0 --programs 1000`` runs a range of seeds in processes of their own, on the stand-in of the driver (docs/gpu.md)
unless ``--real`` says that there is a GPU, and prints, for each that differs, the shortest text found that still does.
"""
import argparse
import collections
import concurrent.futures
import ctypes
import json
import os
import pathlib
import subprocess
import sys
import warnings

BUILD = pathlib.Path(__file__).parents[2] / "build"
CHUNK, SECONDS = 20, 300


def stub_environment(**more):
    """The environment of a process whose GPU is the stand-in."""
    stub = {"KILN_CUDA_DRIVER": str(BUILD / "lib/libkiln_cuda_stub.so"), "KILN_CUDA_TARGET": "nvptx-sim", "KILN_GPU_SIMULATOR": str(BUILD / "lib/libkiln_target_simulator.so"),
            "KILN_CUSOLVER": str(BUILD / "lib/libkiln_cusolver_stub.so"), "KILN_CUFFT": str(BUILD / "lib/libkiln_cufft_stub.so")}
    return {**os.environ, "PYTHONPATH": str(BUILD / "python"), "KILN_CACHE": "0", "KILN_JIT": "sync", "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", **stub, **more}


def load_simulator():
    """The target of the stand-in's kernels, before anything is compiled."""
    if path := os.environ.get("KILN_GPU_SIMULATOR"):
        ctypes.CDLL(path, mode=ctypes.RTLD_GLOBAL)


def make_writer():
    import kiln as kn
    from programs import Writer

    class DeviceWriter(Writer):
        """More writes through views, in which steps, orders and overlaps differ; no calls of the maker's libraries, whose rounding is theirs (test_gpu_libraries.py)."""

        def library(self):
            return self.rng.integers(4) == 0 and self.searches()

        def write(self):
            a = self.one(lambda s, t: len(s) > 0 and 0 not in s)
            if a is None or self.rng.integers(2):
                return super().write()
            shape, dtype = self.vars[a]
            view = self.pick([f"{a}[::-1]", f"{a}.T", f"{a}[{self.slices(shape)}]", f"{a}.T[::2]", f"{a}[..., ::-2]", f"{a}[..., -1]", f"kn.flip({a})", f"{a}[None, ..., ::3]", f"{a}[..., :1].T"])
            part = eval(view, self.scope())
            value = self.one(lambda s, t: s == part.shape or not s or s == part.shape[-len(s):])
            if value is None or (self.vars[value][1].startswith("complex") and not dtype.startswith("complex")):
                value = self.number(dtype)
            verb = self.pick(["=", "+=", "*="]) if self.rng.integers(2) and dtype != "bool" else "="
            if verb != "=" and value in self.vars and self.vars[value][1] != dtype:
                verb = "="
            kind = self.pick(["plain", "plain", "mask", "other view"])
            if kind == "mask" and verb == "=":
                return self.try_statement("write mask in view", f"{view}[{view} != {self.number(dtype)}] = {self.number(dtype)}", dtype)
            if kind == "other view" and part.ndim:
                return self.try_statement("write of view", f"{view}[...] = kn.flip({view})", dtype)
            return self.try_statement("write in view", f"{view}[...] {verb} {value}", dtype)

        def try_statement(self, kind, text, dtype):
            try:
                return super().try_statement(kind, text, dtype)
            except kn.KilnError:  # a dtype that does not fit: nothing is written
                return False

    return DeviceWriter


class Case:
    """A program with its inputs, on the CPU."""

    def __init__(self, seed, counts):
        import kiln as kn
        import numpy as np
        from programs import make_input
        rng = np.random.default_rng(seed)
        with kn.device("cpu"):
            writer = make_writer()(rng, counts)
            self.text = writer.text(int(rng.integers(4, 16)))
            self.names = writer.inputs
            self.inputs = [make_input(rng, *writer.vars[n]) for n in writer.inputs]
            larger = [[(tuple(n * by if n > 1 else n for n in shape), dtype) for shape, dtype in map(writer.vars.get, writer.inputs)] for by in (2, 3)]
            self.larger = [[make_input(rng, *array) for array in arrays] for arrays in larger]

    def difference(self, text):
        """What is not the same under one of the ways to run the text; None: all is."""
        import kiln as kn
        scope = {"kn": kn}
        exec(text, scope)
        program = scope["program"]
        with kn.device("cpu"):
            want = outcome(program, [kn.copy(x) for x in self.inputs])
            want_jitted = outcome(kn.jit(program), [kn.copy(x) for x in self.inputs])
        if isinstance(want, str) != isinstance(want_jitted, str):
            return f"the CPU alone: {want} against {want_jitted}"
        jitted = kn.jit(program)
        for way, call, prepare in (("eager", program, on_device), ("jitted", jitted, on_device), ("jitted again", jitted, on_device), ("eager, strided", program, strided),
                                   ("jitted, strided", jitted, strided)):
            # What is a view of an array and what a copy follows from its strides.
            expected = self.strided_outcome(program) if prepare is strided else want
            if why := differs(outcome(call, [prepare(x) for x in self.inputs]), expected):
                return f"{way}: {why}"
        return self.numpy_difference(jitted, want) or self.larger_difference(program, jitted)

    def larger_difference(self, program, jitted):
        """What has run at some sizes runs at larger ones: from the second on by code for any size, where there is such."""
        import kiln as kn
        for inputs in self.larger:
            with kn.device("cpu"):
                want = outcome(program, [kn.copy(x) for x in inputs])
                want_jitted = outcome(kn.jit(program), [kn.copy(x) for x in inputs])
            if isinstance(want, str) != isinstance(want_jitted, str):
                continue  # an index that is out of range at these sizes alone
            for way, call in (("eager", program), ("jitted", jitted)):
                if why := differs(outcome(call, [on_device(x) for x in inputs]), want):
                    return f"{way}, of {[x.shape for x in inputs]}: {why}"
        return None

    def strided_outcome(self, program):
        import kiln as kn
        with kn.device("cpu"):
            return outcome(program, [strided(x, kn.copy) for x in self.inputs])

    def numpy_difference(self, jitted, want):
        """NumPy arrays are written to as arrays are; the last results of a program are its inputs."""
        if isinstance(want, str) or any(x.dtype.name.startswith(("bfloat", "float8")) or x.ndim == 0 for x in self.inputs):
            return None
        given = [x.numpy().copy() for x in self.inputs]
        got = outcome(jitted, given)
        why = differs(got, want) or differs(given, want[-len(given):])
        return f"jitted, of NumPy arrays: {why}" if why else None

    def shortest(self):
        lines = self.text.splitlines()
        at = len(lines) - 2
        while at > 0:
            fewer = lines[:at] + lines[at + 1:]
            at -= 1
            try:
                if self.difference("\n".join(fewer) + "\n"):
                    lines = fewer
            except Exception:
                continue
        return "\n".join(lines)


def outcome(call, arguments):
    import kiln as kn
    try:
        return call(*arguments)
    except kn.KilnError as error:
        return f"{type(error).__name__}: {str(error).splitlines()[0]}"


def differs(got, want):
    from conftest import same_bits
    if isinstance(got, str) or isinstance(want, str):
        return None if got == want else f"{got} against {want}"
    for number, (x, y) in enumerate(zip(got, want, strict=True)):
        try:
            same_bits(x, y)
        except AssertionError as error:
            return f"result {number}: {error}"
    return None


def on_device(x):
    import kiln as kn
    return kn.copy(x).to_device(kn.default_device())


def strided(x, place=None):
    """On a device, by ``place``: the same elements in a part of a larger array, backwards and with steps, the axes in the other order."""
    import kiln as kn
    place = place or on_device
    if x.ndim == 0:
        return place(x)
    wide = kn.zeros([2 * n + 1 for n in x.shape[::-1]], dtype=x.dtype)
    part = wide[tuple(slice(2 * n - 1, None, -2) for n in x.shape[::-1])] if x.size else wide[tuple(slice(0, n) for n in x.shape[::-1])]
    part.T[...] = place(x)
    return part.T


def run_seeds(first, count):
    """In a process of its own: a line a seed, so that what ends the process is known."""
    warnings.simplefilter("ignore")
    load_simulator()
    import kiln as kn
    assert kn.default_device() != "cpu", kn.devices()
    counts = collections.Counter()
    for seed in range(first, first + count):
        print(json.dumps({"begin": seed}), flush=True)
        case = None
        try:
            case = Case(seed, counts)
            why = case.difference(case.text)
            text = case.shortest() if why else ""
        except Exception as error:  # of Python: the package is wrong there as well
            why, text = f"{type(error).__name__}: {error}", case.text if case else ""
        if why:
            print(json.dumps({"seed": seed, "why": why, "text": text}), flush=True)
    print(json.dumps({"done": count, "counts": counts}), flush=True)


def run_chunk(first, count, real=False):
    """(seeds run, {seed: what is wrong}, counts of what was drawn); seeds behind one that ends the process are run by another one."""
    real_environment = {"PYTHONPATH": str(BUILD / "python"), **os.environ, "KILN_JIT": "sync"}  # another build, of another interpreter, may be named
    environment = real_environment if real else stub_environment()
    command = [sys.executable, __file__, "--first-seed", str(first), "--programs", str(count), "--here"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, env=environment)
        output, end = done.stdout, f"ended with {done.returncode}: {done.stderr[-2000:]}"
    except subprocess.TimeoutExpired as late:
        output, end = (late.stdout or b"").decode(), f"took more than {SECONDS} seconds"
    wrong, counts, last = {}, collections.Counter(), first - 1
    for line in map(json.loads, output.splitlines()):
        last = line.get("begin", last)
        if "seed" in line:
            wrong[line["seed"]] = f"{line['why']}\n{line['text']}"
        if "done" in line:
            return count, wrong, collections.Counter(line["counts"])
    last = max(last, first)
    wrong[last] = end
    rest = first + count - last - 1
    ran, more, counts = run_chunk(last + 1, rest, real) if rest > 0 else (0, {}, counts)
    return count, wrong | more, counts


def run_range(first, programs, jobs=None, real=False, chunk=CHUNK):
    chunks = [(at, min(chunk, first + programs - at), real) for at in range(first, first + programs, chunk)]
    ran, wrong, counts = 0, {}, collections.Counter()
    with concurrent.futures.ThreadPoolExecutor(jobs or os.cpu_count()) as pool:
        for count, bad, drawn in pool.map(lambda c: run_chunk(*c), chunks):
            ran, wrong, counts = ran + count, wrong | bad, counts + drawn
    return ran, wrong, counts


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--programs", type=int, default=200)
    parser.add_argument("--jobs", type=int)
    parser.add_argument("--real", action="store_true")
    parser.add_argument("--here", action="store_true", help="in this process")
    given = parser.parse_args()
    if given.here:
        return run_seeds(given.first_seed, given.programs)
    ran, wrong, counts = run_range(given.first_seed, given.programs, given.jobs, given.real)
    for seed, why in sorted(wrong.items()):
        print(f"seed {seed}: {why}\n")
    kinds = len([k for k in counts if not k.startswith("dtype")])
    print(f"gpu_fuzz: {ran} programs from seed {given.first_seed} on, {kinds} kinds of statements, {len(wrong)} wrong")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
