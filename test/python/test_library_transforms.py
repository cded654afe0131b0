"""Fourier transforms in libraries for C: the bits of kn.fft, and no symbol of C++."""
import pathlib
import subprocess
import sys
import threading

import numpy as np
import pytest

import kiln as kn
from conftest import same_bits
from native import Library, undefined
from test_library_programs import Runner, describe


def complex_rows(*shape, dtype="complex64"):
    r = np.random.default_rng(sum(shape))
    return (r.normal(size=shape) + 1j * r.normal(size=shape)).astype(dtype)


def real_rows(*shape, dtype="float32"):
    return np.random.default_rng(sum(shape)).normal(size=shape).astype(dtype)


TRANSFORMS = {"fft": lambda x: kn.fft.fft(x), "ifft": lambda x: kn.fft.ifft(x, norm="ortho"), "fftn": lambda x: kn.fft.fftn(x), "fft of axis 0": lambda x: kn.fft.fft(x, axis=0),
              "hfft": lambda x: kn.fft.hfft(x)}
REAL = {"rfft": lambda x: kn.fft.rfft(x), "irfft of rfft": lambda x: kn.fft.irfft(kn.fft.rfft(x, axis=0) * 2, axis=0), "rfftn": lambda x: kn.fft.rfftn(x, norm="forward")}
# Powers of two, primes small and large (by Bluestein's algorithm), products of both, 1.
LENGTHS = (1, 2, 3, 8, 30, 97, 128, 211, 1000, 1031)


def exported(f, x, tmp_path, name="f", **options):
    kn.export(f, x, to=tmp_path / f"lib{name}.so", name=name, header=tmp_path / f"{name}.h", **options)
    return Library(tmp_path / f"lib{name}.so")


def test_bits_of_kn_fft(tmp_path):
    """All in one library."""
    entries = {}
    for name, f in (TRANSFORMS | REAL).items():
        for wide in (False, True):
            for n in LENGTHS if name in ("fft", "rfft") else (6, 97):
                x = complex_rows(5, n, dtype="complex128" if wide else "complex64") if name in TRANSFORMS else real_rows(5, n, dtype="float64" if wide else "float32")
                entries[f"e{len(entries)}"] = f, (x,)
    kn.export(entries, to=tmp_path / "libf.so", name="f", header=tmp_path / "f.h", cpu="native")
    library = Library(tmp_path / "libf.so")
    for entry, (f, (x,)) in entries.items():
        for _ in range(2):
            same_bits(library(x, entry=entry), f(kn.asarray(x)))
    library.close()


def test_what_a_library_needs(tmp_path):
    exported(lambda x: kn.abs(kn.fft.fft(x)) + 1, complex_rows(4, 8), tmp_path)
    known = {"__tls_get_addr", "free", "malloc", "aligned_alloc", "_setjmp", "longjmp", "sin", "cos", "fma", "fmaf", "fmod", "fmodf", "memcpy", "memset", "memmove", "memcmp", "bcmp", "strlen", "close", "open",
             "mmap", "munmap", "lseek", "getauxval", "getpid", "pthread_create", "pthread_join", "pthread_sigmask", "sched_yield", "syscall", "dladdr"}
    assert {"sin", "cos", "malloc"} <= undefined(tmp_path / "libf.so") <= known
    exported(lambda x: x + 1, complex_rows(4, 8), tmp_path, "g")
    assert not undefined(tmp_path / "libg.so") & {"sin", "cos", "malloc", "longjmp"}
    assert (tmp_path / "libf.so").stat().st_size - (tmp_path / "libg.so").stat().st_size < 900_000


def test_at_any_of_some_sizes_and_from_threads(tmp_path):
    def f(x):
        y = kn.fft.rfft(x * 2, axis=-1)
        return kn.fft.irfft(y * kn.asarray(0.5), n=x.shape[1], axis=-1) if x.shape[0] > 1 else kn.real(y)
    kn.export(f, real_rows(3, 12), to=tmp_path / "libf.so", header=tmp_path / "f.h", dynamic={"x": {1: ("n", 2, 12)}})
    library, wrong = Library(tmp_path / "libf.so"), []

    def work():
        for n in range(2, 13):
            x = real_rows(3, n)
            y = np.empty((3, n), "f")
            library.raw("run", [x, y], [n])
            wrong.extend([] if y.tobytes() == f(kn.asarray(x)).numpy().tobytes() else [n])
    threads = [threading.Thread(target=work) for _ in range(4)]
    [t.start() for t in threads]
    [t.join() for t in threads]
    assert not wrong
    library.close()


def test_loops_and_processors(tmp_path):
    def f(x):
        return kn.fori_loop(0, 3, lambda i, c: kn.fft.fft(c) * 0.1, x)
    x = complex_rows(4, 24)
    library = exported(f, x, tmp_path, cpu="x86-64-v2,x86-64-v3")
    same_bits(library(x), f(kn.asarray(x)))


def test_no_memory(tmp_path):
    """Where a call gets none it is a status, and what it had is given back."""
    exported(lambda x: kn.fft.fft(x), complex_rows(2**22), tmp_path).close()
    code = f"""
import sys, resource, numpy as np
sys.path.insert(0, {str(pathlib.Path(__file__).parent)!r})
from native import Library, Failure
library = Library({str(tmp_path / 'libf.so')!r})
x, y = np.ones(2**22, "complex64"), np.zeros(2**22, "complex64")
used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
for room in [30 << 20, 60 << 20] * 10:
    resource.setrlimit(resource.RLIMIT_AS, (used + room, resource.RLIM_INFINITY))
    try:
        library.raw("run", [x, y])
        print("done")
    except Failure as failure:
        print(failure)
resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
library.raw("run", [x, y])
print(int(y[0].real), int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize() - used < 30 << 20)
"""
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.splitlines()
    assert set(out[:-1]) == {"f_run: expected data that it can compute with: the system has no memory left"} and out[-1] == "4194304 True", out


@pytest.mark.parametrize("machine", ["aarch64", "riscv64"])
def test_other_machines(machine, tmp_path):
    """Their libm has sines and cosines of its own: within a few units of the transforms here."""
    runner = Runner(machine, tmp_path)
    for i, (f, x) in enumerate([(f, rows(4, n, dtype=dtype)) for dtype in ("float32", "float64") for n in (1, 6, 97, 128, 1000, 1031)
                                for f, rows in ((REAL["rfft"], real_rows), (TRANSFORMS["fft"], lambda *s, dtype: complex_rows(*s, dtype={"float32": "complex64"}.get(dtype, "complex128"))))]):
        wanted = f(kn.asarray(x)).numpy()
        library = tmp_path / f"lib{i}.so"
        kn.export(f, x, to=library, name="f", target=f"{machine}-linux-gnu")
        assert not undefined(library) & {"__divtf3", "__floatunditf", "__trunctfdf2"}
        (tmp_path / "in").write_bytes(np.array([1, 1], np.int64).tobytes() + describe(x.dtype.name, x.shape) + x.tobytes() + describe(wanted.dtype.name, wanted.shape))
        done = subprocess.run([*runner.emulator, runner.program, library, "f", "run_dlpack", tmp_path / "in", tmp_path / "out"], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        got = np.frombuffer((tmp_path / "out").read_bytes()[x.nbytes:], wanted.dtype).reshape(wanted.shape)
        np.testing.assert_allclose(got, wanted, rtol=0, atol=8 * np.finfo(wanted.dtype).eps * float(abs(wanted).max()))


@pytest.mark.parametrize("target", ["wasm32-wasi", "thumbv7em-none-eabi", "aarch64-linux-android"])
def test_other_targets_refuse(target, tmp_path):
    with pytest.raises(kn.CompileError, match="no routines of Kiln's runtime but Fourier transforms and decompositions on Linux with glibc, got 'kiln.fft'"):
        kn.export(lambda x: kn.fft.fft(x), complex_rows(8), to=tmp_path / "f.o", header=tmp_path / "f.h", target=target)


def test_transforms_whose_results_nobody_needs(tmp_path):
    for target in (None, "aarch64-linux-android"):
        kn.export(lambda x: kn.sum(kn.real(kn.fft.fft(x)) * 1) * 0 + 1 if x.shape[0] > 8 else [kn.fft.fft(x), x + 1][1], complex_rows(8), to=tmp_path / "f.so", header=tmp_path / "f.h", target=target)
