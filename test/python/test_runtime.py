"""Packages with code, run by it: by Kiln itself, and by the runtime alone, from Python, C and C++."""
import ctypes
import json
import os
import pathlib
import shutil
import subprocess
import sys

import numpy as np
import pytest

import kiln as kn
from native import compile_c
from test_languages import EXAMPLES, X, checksum, model, run  # noqa: F401

RUNTIME = pathlib.Path(kn.__file__).parents[2] / "runtime"
FOLDER = RUNTIME / "kiln_runtime"
pytestmark = pytest.mark.skipif(not (FOLDER / "lib/libkiln_runtime.so.0").exists(), reason="ninja kiln_package_runtime builds what is tested")


@pytest.fixture(scope="module")
def runtime():
    """The package of Python, in this process beside Kiln."""
    sys.path.insert(0, str(RUNTIME))
    import kiln_runtime
    sys.path.remove(str(RUNTIME))
    return kiln_runtime


def alone(*command):
    """Runs a program of Python that finds the runtime and NumPy, and no Kiln."""
    blocked = "import sys, runpy; sys.modules['kiln'] = None; sys.argv = sys.argv[1:]; runpy.run_path(sys.argv[0], run_name='__main__')"
    path = os.pathsep.join([str(RUNTIME), str(pathlib.Path(np.__file__).parents[1])])
    return run(sys.executable, "-c", blocked, *command, env={"PYTHONPATH": path})


def saying(model):
    return model[1] + "run: size of n: expected from 1 to 1000, got 1001\n"


def test_python_with_the_runtime_alone(model):  # noqa: F811
    assert alone(EXAMPLES / "with_runtime.py", model[0] / "scores.kiln") == saying(model)


def test_cpp_by_pkg_config(model, tmp_path):  # noqa: F811
    if not shutil.which("pkg-config"):
        flags = ["-I", FOLDER / "include", "-L", FOLDER / "lib", "-l:libkiln_runtime.so.0", f"-Wl,-rpath,{FOLDER}/lib"]
    else:
        flags = run("pkg-config", "--cflags", "--libs", "kiln", env={**os.environ, "PKG_CONFIG_PATH": str(FOLDER / "lib/pkgconfig")}).split()
    program = compile_c(EXAMPLES / "package.cpp", tmp_path / "package", *flags, compiler="clang++-22", standard="-std=c++17")
    assert run(program, model[0] / "scores.kiln") == saying(model)


def test_cpp_by_cmake(model, tmp_path):  # noqa: F811
    installed = tmp_path / "installed"
    run("cmake", "--install", RUNTIME.parent, "--component", "runtime", "--prefix", installed)
    (tmp_path / "CMakeLists.txt").write_text(f"""cmake_minimum_required(VERSION 3.16)
project(example CXX)
set(CMAKE_CXX_STANDARD 17)
find_package(kiln 0.1 REQUIRED)
add_executable(package {EXAMPLES}/package.cpp)
target_link_libraries(package PRIVATE kiln::runtime)
find_library(scores scores PATHS {model[0]} REQUIRED)
add_executable(scores {EXAMPLES}/scores.cpp)
target_include_directories(scores PRIVATE {model[0]})
target_link_libraries(scores PRIVATE kiln::headers ${{scores}})
""")
    run("cmake", "-S", tmp_path, "-B", tmp_path / "build", f"-DCMAKE_PREFIX_PATH={installed}")
    run("cmake", "--build", tmp_path / "build")
    assert run(tmp_path / "build/package", model[0] / "scores.kiln") == saying(model)
    assert run(tmp_path / "build/scores") == model[1] + model[2]


def test_it_is_small_and_needs_no_llvm(tmp_path):
    run(sys.executable, "tools/build-runtime", RUNTIME.parent, tmp_path, cwd=pathlib.Path(__file__).parents[2])  # which compares sizes with 3 MB
    library = FOLDER / "lib/libkiln_runtime.so.0"
    text = run("readelf", "-dW", library)
    needed = {line.split("[")[1].rstrip("]") for line in text.splitlines() if "NEEDED" in line}
    assert needed <= {"libc.so.6", "libm.so.6", "libgcc_s.so.1", "ld-linux-x86-64.so.2"} and "libkiln_runtime.so.0" in text
    shown = {line.split()[-1] for line in run("nm", "-D", "--defined-only", library).splitlines()}
    assert all(name.startswith(("kiln_runtime_", "kiln_package_")) for name in shown) and len(shown) == 9
    assert b"N4llvm" not in library.read_bytes()


def test_the_wheel_installs(model, tmp_path):  # noqa: F811
    run(sys.executable, "tools/build-runtime", RUNTIME.parent, tmp_path, cwd=pathlib.Path(__file__).parents[2])
    (wheel,) = tmp_path.glob("*.whl")
    run(sys.executable, "-m", "pip", "install", "--quiet", "--no-index", "--no-deps", "--target", tmp_path / "site", wheel)
    path = os.pathsep.join([str(tmp_path / "site"), str(pathlib.Path(np.__file__).parents[1])])
    assert run(sys.executable, EXAMPLES / "with_runtime.py", model[0] / "scores.kiln", env={"PYTHONPATH": path}) == saying(model)


def both(runtime, path):
    return kn.load(path, native=True), runtime.load(path)


def test_sizes_that_values_decide(runtime, tmp_path):
    def f(x, w):
        y = kn.tanh(x @ w)
        return {"rows": y[x[:, 0] > 0], "last": y.sum()}

    kn.export(f, np.ones((4, 2), "f"), np.ones((2, 3), "f"), to=tmp_path / "f.kiln", dynamic={"x": {0: ("n", 0, 9)}}, cpu="native")
    for m in both(runtime, tmp_path / "f.kiln"):
        for n in range(10):
            x, w = (np.random.default_rng(n).normal(size=s).astype("f") for s in ((n, 2), (2, 3)))
            got, want = m(x, w), f(kn.asarray(x), kn.asarray(w))
            for name in want:
                assert np.asarray(got[name]).tobytes() == np.asarray(want[name]).tobytes() and got[name].shape == want[name].shape


def test_cpp_gets_the_shape_that_a_result_has(tmp_path):
    kn.export(lambda x: x[x > 0], np.ones(5, "f"), to=tmp_path / "f.kiln", cpu="native")
    (tmp_path / "main.cpp").write_text(r"""#include <kiln/runtime.hpp>
#include <cstdio>
int main(int, char **argv) {
  kiln::package m(argv[1]);
  kiln::array<float> x({5}, {1, -2, 3, -4, 5}), y = m.run<float>("run", x);
  std::printf("%d of %d: %g %g %g\n", int(y.size()), int(y.shape()[0]), double(y[0]), double(y[1]), double(y.end()[-1]));
}
""")
    flags = ["-I", FOLDER / "include", "-L", FOLDER / "lib", "-l:libkiln_runtime.so.0", f"-Wl,-rpath,{FOLDER}/lib"]
    program = compile_c(tmp_path / "main.cpp", tmp_path / "main", *flags, compiler="clang++-22", standard="-std=c++17")
    assert run(program, tmp_path / "f.kiln") == "3 of 3: 1 3 5\n"


def test_structures_numbers_and_writes(runtime, tmp_path):
    total = kn.asarray(np.full(2, 10, np.float32))

    def f(batch, rate, pair, scale=2.0):
        a, b = pair
        batch["x"] += a
        total[...] += batch["x"][0]
        return {"sum": batch["x"] * rate, "parts": (a - b, [kn.sum(a, dtype=kn.float64)], scale)}

    def arguments():
        return {"x": np.ones((3, 2), np.float32)}, np.float32(0.5), (np.full((3, 2), 2, np.float32), np.ones((3, 2), np.float32)), 2.0

    kn.export(f, *arguments(), to=tmp_path / "f.kiln", target="x86_64-linux-gnu")
    for m in both(runtime, tmp_path / "f.kiln"):
        batch, rate, pair, _ = arguments()
        wide = np.zeros((3, 4), np.float32)
        wide[:, ::2] = batch["x"]
        batch["x"] = wide[:, ::2] if m.__class__.__module__ == "kiln_runtime._load" else kn.asarray(batch["x"])
        got = m(batch, 0.5, pair)
        assert np.asarray(got["sum"]).tolist() == [[1.5, 1.5]] * 3 and got["parts"][2] == 2.0 and float(got["parts"][1][0]) == 12
        assert np.asarray(batch["x"]).tolist() == [[3, 3]] * 3 and np.asarray(m.state["total"]).tolist() == [13, 13]
        m(batch, rate, pair)
        assert np.asarray(m.state["total"]).tolist() == [18, 18] and np.asarray(m.weights["total"]).tolist() == [10, 10]
        with pytest.raises(ValueError, match=r"argument scale: expected 2.0, as when the package was made, got 3.0"):
            m(batch, rate, pair, 3.0)
    with pytest.raises(runtime.KilnError, match="argument 'batch_x': expected an array that may be written"):
        fixed = np.ones((3, 2), np.float32)
        fixed.flags.writeable = False
        m({"x": fixed}, rate, pair)
    with pytest.raises(runtime.KilnError, match="dtype of 'pair_0': expected float32, got float64"):
        m(batch, rate, (pair[0].astype(float), pair[1]))
    with pytest.raises(runtime.KilnError, match="run: batch_x: expected memory of its own"):
        m({"x": pair[0]}, rate, pair)


def test_every_dtype(runtime, tmp_path):
    names = ["bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "float16", "float32", "float64", "complex64", "complex128", "bfloat16"]
    import ml_dtypes
    arrays = [np.arange(4).astype(ml_dtypes.bfloat16 if n == "bfloat16" else n) for n in names]
    kn.export(lambda *all: [kn.flip(a) for a in all], *map(kn.asarray, arrays), to=tmp_path / "f.kiln", cpu="native")
    for m in both(runtime, tmp_path / "f.kiln"):
        for a, b in zip(arrays, m(*arrays), strict=True):
            assert kn.asarray(b).tolist() == a[::-1].tolist() and str(getattr(b.dtype, "name", b.dtype)) == a.dtype.name


def test_routines_are_there(runtime, tmp_path, monkeypatch):
    a = np.array([[4, 1], [1, 3]], np.float64)
    kn.export(lambda x: (kn.linalg.cholesky(x), kn.fft.rfft(x[0])), a, to=tmp_path / "f.kiln", cpu="x86-64-v3")
    for m in both(runtime, tmp_path / "f.kiln"):
        low, spectrum = m(a)
        np.testing.assert_allclose(np.asarray(low), np.linalg.cholesky(a))
        assert np.asarray(spectrum).tolist() == [5, 3]
        with pytest.raises(ValueError, match="not positive definite") as wrong:
            m(-a)
        assert type(wrong.value).__name__ == "LinAlgError"
    text = f"import kiln_runtime, numpy as np; kiln_runtime.load({str(tmp_path / 'f.kiln')!r})(np.eye(2))"
    done = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True,
                          env={"KILN_LAPACK": "/none", "PYTHONPATH": os.pathsep.join([str(RUNTIME), str(pathlib.Path(np.__file__).parents[1])])})
    assert "PackageError: run_run: expected LAPACK: install the package scipy-openblas32, or set KILN_LAPACK to a library with LAPACK" in done.stderr, done.stderr


def test_failures_of_the_data_and_ways_that_were_not_recorded(runtime, tmp_path):
    kn.export(lambda x, i: x[i], np.zeros(5), np.zeros(2, np.int64), to=tmp_path / "pick.kiln", cpu="x86-64-v3")
    kn.export(lambda x: x * 2 if int(kn.sum(x)) == 3 else x, kn.ones(3), to=tmp_path / "way.kiln", cpu="x86-64-v3")
    for m, way in zip(both(runtime, tmp_path / "pick.kiln"), both(runtime, tmp_path / "way.kiln")):
        assert np.asarray(m(np.arange(5.0), np.array([4, -1]))).tolist() == [4, 4]
        with pytest.raises(IndexError, match="an index in the data is out of range"):
            m(np.arange(5.0), np.array([4, 5]))
        assert np.asarray(way(np.ones(3, np.float32))).tolist() == [2, 2, 2]
        with pytest.raises(Exception, match="expected values that lead to a recorded way") as wrong:
            way(-np.ones(3, np.float32))
        assert type(wrong.value).__name__ == "TraceError"


# -- what is missing is said


@pytest.mark.parametrize("options, text", [
    (dict(), r"package 'f': code: expected some for x86_64-linux-gnu \(kilnc PACKAGE --emit package --target x86_64-linux-gnu -o PACKAGE adds it\), got none: programs alone, which need Kiln's compiler"),
    (dict(target=["aarch64-linux-gnu", "riscv64-linux-gnu"]), "code: expected some for x86_64-linux-gnu .*, got some for aarch64-unknown-linux-gnu, riscv64-unknown-linux-gnu"),
    (dict(cpu="bdver2"), "package: code for x86_64-.*linux-gnu: f: expected a processor with all of bdver2, got one without")])
def test_packages_for_other_machines(options, text, runtime, tmp_path):
    kn.export(lambda x: x + 1, kn.ones(3), to=tmp_path / "f.kiln", name="f", **options)
    assert kn.load(tmp_path / "f.kiln")(kn.ones(3)).tolist() == [2, 2, 2]
    for load in (lambda: kn.load(tmp_path / "f.kiln", native=True), lambda: runtime.load(tmp_path / "f.kiln")):
        with pytest.raises(Exception, match=text) as wrong:
            load()
        assert type(wrong.value).__name__ == "PackageError"


def test_code_that_is_no_code(runtime, tmp_path):
    kn.export(lambda x: x + 1, kn.ones(3), to=tmp_path / "f.kiln", cpu="x86-64-v3")
    whole = (tmp_path / "f.kiln").read_bytes()
    start = whole.index(b"\x7fELF")
    (tmp_path / "damaged.kiln").write_bytes(whole[:start + 100] + b"????" + whole[start + 104:])
    (tmp_path / "short.kiln").write_bytes(whole[:-30])
    for name in ("damaged", "short", "none"):
        for load in (kn.load, runtime.load):
            with pytest.raises(Exception) as wrong:
                load(tmp_path / f"{name}.kiln", native=True)
            assert type(wrong.value).__name__ == "PackageError"


def test_arguments(runtime, tmp_path):
    with pytest.raises(runtime.KilnError, match="load: native: expected True"):
        runtime.load(tmp_path / "f.kiln", native=False)
    with pytest.raises(runtime.KilnError, match="thread"):
        runtime.set_num_threads(-1)
    with pytest.raises(kn.KilnError, match="export: target: expected one triple or more, and one alone beside cpu"):
        kn.export(lambda x: x, kn.ones(3), to=tmp_path / "f.kiln", target=["x86_64-linux-gnu", "aarch64-linux-gnu"], cpu="generic")
    with pytest.raises(kn.KilnError, match="export: target: expected one triple or more"):
        kn.export(lambda x: x, kn.ones(3), to=tmp_path / "f.kiln", target=[])
    kn.export(lambda x: x, kn.ones(3), to=tmp_path / "f.kiln", cpu="native")
    m = runtime.load(tmp_path / "f.kiln")
    for x, text in [(np.ones(4, np.float32), "expected size 3, got 4"), (np.ones((3, 1), np.float32), "axes of 'x': expected 1, got 2")]:
        with pytest.raises(ValueError, match=text):
            m(x)


def test_functions_of_c(model):  # noqa: F811
    library = ctypes.CDLL(FOLDER / "lib/libkiln_runtime.so.0")
    text, package, size = ctypes.create_string_buffer(200), ctypes.c_void_p(), ctypes.c_size_t
    last = (text, size(200))

    def expect(status, wanted, *contents):
        assert status == wanted and all(c in text.value.decode() for c in contents), (status, text.value)

    expect(library.kiln_package_open(None, 0, ctypes.byref(package), *last), 9, "path: expected a text, got NULL")
    expect(library.kiln_package_open(b"/none", 0, None, *last), 9, "package: expected a pointer, got NULL")
    expect(library.kiln_package_open(b"/none", 0, ctypes.byref(package), *last), 5, "/none")
    assert package.value is None and library.kiln_package_open(b"/none", 0, ctypes.byref(package), None, size(0)) == 5
    assert library.kiln_package_open(str(model[0] / "scores.kiln").encode(), 1, ctypes.byref(package), *last) == 0
    library.kiln_package_manifest.restype = ctypes.c_char_p
    assert json.loads(library.kiln_package_manifest(package))["name"] == "scores" and library.kiln_package_manifest(None) == b""
    expect(library.kiln_package_run(None, b"run", None, size(0), None, size(0), *last), 9, "package: expected one that was opened, got NULL")
    expect(library.kiln_package_run(package, None, None, size(0), None, size(0), *last), 9, "entry: expected a text, got NULL")
    expect(library.kiln_package_run(package, b"walk", None, size(0), None, size(0), *last), 5, "entry: expected one of it, got 'walk'")
    expect(library.kiln_package_run(package, b"run", None, size(1), None, size(0), *last), 9, "array 0: expected a pointer, got NULL")
    expect(library.kiln_package_run(package, b"run", None, size(0), None, size(0), *last), 1, "expected 1 inputs and 1 outputs, got 0 and 0")
    expect(library.kiln_package_result(package, b"run", None, size(0), size(0), None, None, None, *last), 9, "expected an array for 'x', got none")
    expect(library.kiln_package_weight(package, size(3), None, None, *last), 9, "weight: expected one of 3, got 3")
    library.kiln_package_close(package)
    library.kiln_package_close(None)


def test_threads_and_closing(runtime, tmp_path):
    import threading
    kn.export(lambda x: kn.tanh(x @ x), kn.ones((256, 256)), to=tmp_path / "f.kiln", cpu="native")
    x = np.random.default_rng(0).random((256, 256), dtype=np.float32)
    wanted = np.asarray(kn.load(tmp_path / "f.kiln")(x)).tobytes()
    m, failed = runtime.load(tmp_path / "f.kiln"), []
    threads = [threading.Thread(target=lambda: failed.extend(1 for _ in range(20) if m(x).tobytes() != wanted)) for _ in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert not failed
    for count in (1, 2, 0):
        runtime.set_num_threads(count)
        assert m(x).tobytes() == wanted
    weights = [runtime.load(tmp_path / "f.kiln") for _ in range(50)]
    assert all(w(x).tobytes() == wanted for w in weights)


def test_same_bytes(tmp_path):
    for name in ("a", "b"):
        kn.export(lambda x: kn.tanh(x), kn.ones(3), to=tmp_path / f"{name}.kiln", name="f", target=["riscv64-linux-gnu", "x86_64-linux-gnu", "aarch64-linux-gnu"])
    assert (tmp_path / "a.kiln").read_bytes() == (tmp_path / "b.kiln").read_bytes()
    triples = [c["triple"].split("-")[0] for c in kn.load(tmp_path / "a.kiln")._manifest["native"]]
    assert triples == ["aarch64", "riscv64", "x86_64"]
    assert kn.load(tmp_path / "a.kiln", native=True)(kn.zeros(3)).tolist() == [0, 0, 0]
