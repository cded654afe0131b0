"""Random programs as libraries: the bits of the loaded package, on this machine and, under QEMU, on others.

``KILN_LIBRARY_SEEDS=200`` draws as many instead of a few.
"""
import os
import pathlib
import json
import shutil
import subprocess
import warnings

import numpy as np
import pytest

import kiln as kn
from conftest import to_numpy
from native import compile_c, lapack
from programs import Writer, make_input

HERE = pathlib.Path(__file__).parent
SEEDS = int(os.environ.get("KILN_LIBRARY_SEEDS", "12"))
CODES = {"bool": 6, "bfloat16": 4, "complex64": 5, "complex128": 5, **{f"int{b}": 0 for b in (8, 16, 32, 64)}, **{f"uint{b}": 1 for b in (8, 16, 32, 64)}}
MACHINES = {"host": ("clang-22", []), "aarch64": ("aarch64-linux-gnu-gcc", ["qemu-aarch64", "-L", "/usr/aarch64-linux-gnu"]),
            "riscv64": ("riscv64-linux-gnu-gcc", ["qemu-riscv64", "-L", "/usr/riscv64-linux-gnu"])}


def raw(array):
    """The bytes of an array, row-major."""
    if array.dtype.name == "bfloat16":
        return (to_numpy(array).view(np.uint32) >> 16).astype(np.uint16).tobytes()
    return to_numpy(array).tobytes()


def same_values(got, wanted):
    """Equal bits, nans apart: theirs differ between processors."""
    dtype = wanted.dtype.name
    if dtype == "bfloat16":
        got = (np.frombuffer(got, np.uint16).astype(np.uint32) << 16).view(np.float32)
    else:
        got = np.frombuffer(got, dtype)
    wanted = to_numpy(wanted).ravel()
    if got.dtype.kind == "c":
        got, wanted = (x.view(f"f{x.itemsize // 2}") for x in (got, wanted))
    if got.dtype.kind == "f":
        both = np.isnan(got) & np.isnan(wanted)
        got, wanted = np.where(both, 0, got).astype(got.dtype), np.where(both, 0, wanted).astype(got.dtype)
    return got.tobytes() == wanted.tobytes()


def describe(dtype, shape):
    return np.array([CODES.get(dtype, 2), {"bool": 8, "bfloat16": 16}.get(dtype) or 8 * np.dtype(dtype).itemsize, len(shape), *shape], np.int64).tobytes()


class Runner:
    """A program of C that calls libraries for one machine."""

    def __init__(self, machine, folder):
        compiler, self.emulator = MACHINES[machine]
        for tool in (compiler, *self.emulator[:1]):
            if not shutil.which(tool):
                pytest.skip(f"{tool} is not installed")
        self.target = {} if machine == "host" else {"target": f"{machine}-linux-gnu"}
        self.folder, self.program = folder, compile_c(HERE / "native_run.c", folder / "run", "-ldl", compiler=compiler, standard="-std=gnu11")
        self.environment = None
        if machine == "host":
            self.environment = {**os.environ, "LD_LIBRARY_PATH": str(lapack(folder).parent), "OPENBLAS_NUM_THREADS": "1"}

    def run(self, seed):
        """False where a library cannot hold the program, or another machine's libm takes part in it."""
        rng = np.random.default_rng(seed)
        writer = Writer(rng)
        text, scope = writer.text(int(rng.integers(5, 20))), {"kn": kn}
        if self.target and ("kn.fft." in text or "kn.linalg." in text):  # by their libm and LAPACK
            return False
        exec(text, scope)
        inputs = [make_input(rng, *writer.vars[n]) for n in writer.inputs]
        package, library = self.folder / "p.kiln", self.folder / "libp.so"
        kn.export(scope["program"], *(kn.copy(x) for x in inputs), to=package, name="p")
        try:
            kn._core.make_library(str(package), str(library), {"emit": "so", **self.target})
        except kn.KilnError as error:
            assert "as a library has no routines of Kiln's runtime" in str(error), f"seed {seed}: {error}\n{text}"
            return False
        loaded = kn._core.load_package(str(package), True)
        (entry,) = json.loads(loaded.manifest())["entries"]
        given = [kn.copy(inputs[writer.inputs.index(i["name"])]) for i in entry["inputs"] if i["role"] in ("argument", "number")]
        before = [raw(x) for x in given]
        fresh = loaded.function("run")(given)  # and changes those that it writes
        wanted = [*given, *fresh]
        head = np.array([len(given), len(fresh)], np.int64).tobytes()
        tensors = [describe(x.dtype.name, x.shape) + b for x, b in zip(given, before)] + [describe(r.dtype.name, r.shape) for r in fresh]
        (self.folder / "in").write_bytes(head + b"".join(tensors))
        done = subprocess.run([*self.emulator, self.program, library, "p", "run_dlpack", self.folder / "in", self.folder / "out"], capture_output=True, text=True, env=self.environment)
        assert done.returncode == 0, f"seed {seed}: {done.stderr}\n{text}"
        got, at = (self.folder / "out").read_bytes(), 0
        for i, x in enumerate(wanted):
            length = len(raw(x))
            assert same_values(got[at:at + length], x), f"seed {seed}: tensor {i}\n{text}"
            at += length
        return True


@pytest.mark.parametrize("machine", MACHINES)
def test_random_programs(machine, tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        runner = Runner(machine, tmp_path)
        assert sum(runner.run(seed) for seed in range(SEEDS)) >= SEEDS // 3


def test_random_packages_are_run_by_their_code(tmp_path):
    """All operations: routines of the runtime are there."""
    path = tmp_path / "p.kiln"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for seed in range(1000, 1000 + SEEDS):
            rng = np.random.default_rng(seed)
            writer = Writer(rng)
            text, scope = writer.text(int(rng.integers(5, 20))), {"kn": kn}
            exec(text, scope)
            inputs = [make_input(rng, *writer.vars[n]) for n in writer.inputs]
            kn.export(scope["program"], *(kn.copy(x) for x in inputs), to=path, name="p", cpu="x86-64-v3")
            (entry,) = json.loads(kn._core.load_package(str(path), True).manifest())["entries"]
            results = []
            for native in (False, True):
                given = [kn.copy(inputs[writer.inputs.index(i["name"])]) for i in entry["inputs"] if i["role"] in ("argument", "number")]
                fresh = kn._core.load_package(str(path), True, native).function("run")(given)
                results.append([*given, *fresh])
            for i, (wanted, got) in enumerate(zip(*results, strict=True)):
                assert same_values(raw(got), wanted), f"seed {seed}: array {i}\n{text}"
