"""Decompositions in libraries for C: the bits of kn.linalg by the same LAPACK, which the library names and does not bring."""
import ctypes
import os
import pathlib
import subprocess
import sys
import threading

import numpy as np
import pytest

import kiln as kn
from conftest import same_bits
from native import Failure, Library, compile_c, lapack, undefined

TYPES = "float32", "float64", "complex64", "complex128"
UNARY = {"cholesky": lambda x: kn.linalg.cholesky(x @ kn.conj(x.mT) + 9 * kn.eye(x.shape[-1], dtype=x.dtype)), "upper": lambda x: kn.linalg.cholesky(x @ kn.conj(x.mT) + 9 * kn.eye(x.shape[-1], dtype=x.dtype), upper=True),
         "qr": kn.linalg.qr, "complete": lambda x: kn.linalg.qr(x, mode="complete"), "eigh": kn.linalg.eigh, "eigvalsh": lambda x: kn.linalg.eigvalsh(x, UPLO="U"), "eig": kn.linalg.eig, "eigvals": kn.linalg.eigvals,
         "svd": kn.linalg.svd, "svdvals": kn.linalg.svdvals, "thin": lambda x: kn.linalg.svd(x, full_matrices=False), "inv": kn.linalg.inv, "det": kn.linalg.det, "slogdet": kn.linalg.slogdet, "pinv": kn.linalg.pinv}
SHAPES = {"qr": [(5, 3), (2, 3, 5), (0, 3)], "complete": [(5, 3)], "svd": [(5, 3), (3, 5), (2, 4, 4), (0, 3)], "svdvals": [(40, 33)], "thin": [(2, 6, 3)]}


@pytest.fixture(scope="module", autouse=True)
def found(tmp_path_factory):
    """The LAPACK that is loaded is the one that libraries of the same process name."""
    return ctypes.CDLL(str(lapack(tmp_path_factory.mktemp("lapack"))))


def matrices(*shape, dtype="float64"):
    r = np.random.default_rng(sum(shape))
    real = r.normal(size=shape)
    return (real + 1j * r.normal(size=shape) if np.dtype(dtype).kind == "c" else real).astype(dtype)


def flat(results):
    return list(results) if isinstance(results, (tuple, list)) else [results]


@pytest.mark.parametrize("dtype", TYPES)
def test_bits_of_kn_linalg(dtype, tmp_path):
    """All in one library."""
    entries = {f"{name}{i}": (f, (matrices(*shape, dtype=dtype),)) for name, f in UNARY.items() for i, shape in enumerate(SHAPES.get(name, [(4, 4), (2, 3, 3), (1, 1), (0, 0), (45, 45)]))}
    entries["solve"] = kn.linalg.solve, (matrices(2, 5, 5, dtype=dtype), matrices(2, 5, 3, dtype=dtype))
    kn.export(entries, to=tmp_path / "libf.so", name="f", header=tmp_path / "f.h", cpu="native")
    library = Library(tmp_path / "libf.so")
    for entry, (f, arguments) in entries.items():
        wanted = flat(f(*map(kn.asarray, arguments)))
        for _ in range(2):
            for got, expected in zip(flat(library(*arguments, entry=entry)), wanted, strict=True):
                same_bits(got, expected)
    library.close()


def test_what_a_library_needs(tmp_path):
    kn.export(kn.linalg.inv, matrices(4, 4), to=tmp_path / "libf.so", header=tmp_path / "f.h")
    kn.export(lambda x: x + 1, matrices(4, 4), to=tmp_path / "libg.so", header=tmp_path / "g.h")
    assert Library(tmp_path / "libf.so").signature["needs"] == ["LAPACK"] and Library(tmp_path / "libg.so").signature["needs"] == []
    assert "liblapack.so.3" in (tmp_path / "f.h").read_text() and "apack" not in (tmp_path / "g.h").read_text()
    assert "dgesv_" in undefined(tmp_path / "libf.so") and not {n for n in undefined(tmp_path / "libg.so") if n.endswith("_")}
    assert {"LAPACKE_dgesv", "_Znwm"}.isdisjoint(undefined(tmp_path / "libf.so"))


@pytest.mark.parametrize("f, x, text", [
    (kn.linalg.inv, np.zeros((3, 3)), "a matrix is singular"), (kn.linalg.cholesky, -np.eye(3), "a matrix is not positive definite"),
    (kn.linalg.eigvalsh, np.full((3, 3), np.nan), "an iteration did not converge"), (kn.linalg.svdvals, np.full((3, 3), np.inf), "an iteration did not converge"),
    (kn.linalg.eigvals, np.full((3, 3), np.nan), "an iteration did not converge")])
def test_what_data_may_not_be(f, x, text, tmp_path):
    kn.export(f, np.eye(3), to=tmp_path / "libf.so")
    library = Library(tmp_path / "libf.so")
    with pytest.raises(Failure, match=text) as failure:
        library(x)
    assert failure.value.status > 0
    library(np.eye(3))


def test_nan_goes_through_where_nothing_iterates(tmp_path):
    x = matrices(3, 3)
    x[1, 1] = np.nan
    kn.export(kn.linalg.det, x, to=tmp_path / "libf.so")
    assert np.isnan(Library(tmp_path / "libf.so")(x)) and np.isnan(kn.linalg.det(kn.asarray(x)).item())


def test_at_any_of_some_sizes_and_from_threads(tmp_path):
    def f(a, b):
        return kn.linalg.solve(a @ a.T + a.shape[0] * kn.eye(a.shape[0], dtype=a.dtype), b)
    kn.export(f, matrices(4, 4), matrices(4), to=tmp_path / "libf.so", dynamic={"a": {0: ("n", 1, 24), 1: "n"}, "b": {0: "n"}})
    library, wrong = Library(tmp_path / "libf.so"), []

    def work():
        for n in range(1, 25):
            a, b, x = matrices(n, n), matrices(n), np.empty(n)
            library.raw("run", [a, b, x], [n])
            wrong.extend([] if x.tobytes() == f(kn.asarray(a), kn.asarray(b)).numpy().tobytes() else [n])
    threads = [threading.Thread(target=work) for _ in range(4)]
    [t.start() for t in threads]
    [t.join() for t in threads]
    assert not wrong


def test_an_archive_is_linked_with_lapack(tmp_path):
    a, b = matrices(6, 6), matrices(6)
    kn.export(kn.linalg.solve, a, b, to=tmp_path / "libf.a", name="f", header=tmp_path / "f.h", input_names=["a", "b"])
    numbers = ", ".join(map(repr, a.ravel().tolist())), ", ".join(map(repr, b.tolist()))
    (tmp_path / "main.c").write_text(f"""
#include "f.h"
#include <stdio.h>
int main(void) {{
  static const double a[36] = {{{numbers[0]}}}, b[6] = {{{numbers[1]}}};
  double x[6];
  char err[200];
  f *m;
  if (f_open(&m, NULL, err, sizeof err) || f_run(m, a, b, x, NULL, 0, err, sizeof err)) return puts(err), 1;
  for (int i = 0; i < 6; ++i) printf("%.17g ", x[i]);
  f_close(m);
  return 0;
}}
""")
    there = lapack(tmp_path)
    program = compile_c(tmp_path / "main.c", tmp_path / "main", tmp_path / "libf.a", f"-I{tmp_path}", there, f"-Wl,-rpath,{tmp_path}", "-lm")
    out = subprocess.run([program], capture_output=True, text=True, check=True, env={**os.environ, "OPENBLAS_NUM_THREADS": "1"}).stdout
    same_bits(np.array(out.split(), np.float64), kn.linalg.solve(kn.asarray(a), kn.asarray(b)))


def test_no_memory(tmp_path):
    """Where a call gets none it is a status, and what it had is given back."""
    n = 1500
    kn.export(kn.linalg.qr, np.eye(n), to=tmp_path / "libf.so")
    code = f"""
import ctypes, resource, sys, numpy as np
sys.path.insert(0, {str(pathlib.Path(__file__).parent)!r})
from native import Library, Failure
ctypes.CDLL({str(lapack(tmp_path))!r})
library = Library({str(tmp_path / 'libf.so')!r})
x = np.eye({n})
library(x)
results = [np.empty(({n}, {n})) for _ in range(2)]
used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
for room in [1 << 20, 20 << 20] * 4:
    resource.setrlimit(resource.RLIMIT_AS, (used + room, resource.RLIM_INFINITY))
    try:
        library.raw("run", [x, *results])
        print("done")
    except Failure as failure:
        print(failure)
resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
library.raw("run", [x, *results])
print(bool((np.abs(np.diag(results[1])) == 1).all()))
"""
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env={**os.environ, "OPENBLAS_NUM_THREADS": "1"}).stdout.splitlines()
    assert set(out[:-1]) == {"f_run: expected data that it can compute with: the system has no memory left"} and out[-1] == "True", out


@pytest.mark.parametrize("machine", ["aarch64", "riscv64"])
def test_other_machines_name_theirs(machine, tmp_path):
    kn.export(kn.linalg.svdvals, matrices(4, 3, dtype="complex64"), to=tmp_path / "libf.so", target=f"{machine}-linux-gnu")
    assert "cgesdd_" in undefined(tmp_path / "libf.so")


def test_decompositions_whose_results_nobody_needs(tmp_path):
    kn.export(lambda x: [kn.linalg.qr(x), x + 1][1], matrices(3, 3), to=tmp_path / "f.so", name="f", target="aarch64-linux-android")


def test_a_refusal_names_the_line(tmp_path):
    def model(x):
        y = x * 2
        return kn.linalg.inv(y)
    with pytest.raises(kn.CompileError, match=rf"^test_library_decompositions.py:{model.__code__.co_firstlineno + 2}: library: operation: expected .*got 'kiln.solve'\n"):
        kn.export(model, matrices(3, 3), to=tmp_path / "f.wasm", name="f")
