"""Libraries of C functions: the same bits as in Python, from ctypes, C and C++; every way to misuse them; other machines."""
import ctypes
import pathlib
import shutil
import subprocess

import numpy as np
import pytest

import kiln as kn
from native import Failure, Library, compile_c, undefined

HERE = pathlib.Path(__file__).parent
LIBC = {"__tls_get_addr", "aligned_alloc", "bcmp", "close", "dladdr", "getauxval", "fma", "fmaf", "fmod", "fmodf", "free", "getpid", "lseek", "memcmp", "memcpy", "memmove", "memset", "mmap", "munmap",
        "open", "pthread_create", "pthread_join", "pthread_sigmask", "sched_yield", "strlen", "syscall"}


def make_mlp(seed=0):
    r = np.random.default_rng(seed)
    w1, b1, w2, b2 = (kn.asarray(r.standard_normal(s, dtype=np.float32) * np.float32(0.05)) for s in ((784, 512), (512,), (512, 10), (10,)))

    def mlp(x):
        return kn.nn.softmax(kn.maximum(x @ w1 + b1, 0) @ w2 + b2, axis=-1)

    return mlp, [w.numpy() for w in (w1, b1, w2, b2)]


@pytest.fixture(scope="module")
def images():
    return np.random.default_rng(1).random((32, 784), dtype=np.float32)


@pytest.fixture(scope="module")
def mlp(tmp_path_factory, images):
    """A folder with libmlp.so, mlp.h and what Python computes."""
    folder = tmp_path_factory.mktemp("mlp")
    f, _ = make_mlp()
    kn.export(f, images, to=folder / "libmlp.so", header=folder / "mlp.h", cpu="native")
    images.tofile(folder / "x.bin")
    return folder, np.asarray(kn.jit(f)(kn.asarray(images)))


def test_ctypes_gives_the_bits_of_python(mlp, images):
    folder, wanted = mlp
    library = Library(folder / "libmlp.so")
    assert library(images).tobytes() == wanted.tobytes()
    library.close()


def test_small_and_freestanding(mlp):
    folder, _ = mlp
    weights = 4 * (784 * 512 + 512 + 512 * 10 + 10)
    assert (folder / "libmlp.so").stat().st_size - weights < 100_000
    assert undefined(folder / "libmlp.so") <= LIBC


@pytest.mark.parametrize("compiler, standard", [("clang-22", "-std=c99"), ("gcc", "-std=c11")])
def test_c_caller_under_the_address_sanitizer(mlp, compiler, standard, tmp_path):
    folder, wanted = mlp
    program = compile_c(HERE / "native_mlp.c", tmp_path / "caller", "-D_ISOC11_SOURCE", "-I", folder, "-L", folder, "-lmlp", f"-Wl,-rpath,{folder}",
                        "-fsanitize=address,undefined", "-fno-sanitize-recover=all", compiler=compiler, standard=standard)
    done = subprocess.run([program, folder / "x.bin", tmp_path / "y.bin"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "y.bin").read_bytes() == wanted.tobytes()


@pytest.mark.parametrize("compiler", ["clang++-22", "g++"])
def test_header_in_cpp(mlp, compiler, tmp_path):
    folder, wanted = mlp
    (tmp_path / "main.cpp").write_text("""#include "mlp.h"
#include <vector>
int main() {
  mlp *m = nullptr;
  std::vector<float> x(32 * 784), y(320);
  if (mlp_open(&m, nullptr, nullptr, 0) != MLP_OK) return 1;
  int32_t status = mlp_run(m, x.data(), y.data(), nullptr, 0, nullptr, 0);
  mlp_close(m);
  return status;
}
""")
    program = compile_c(tmp_path / "main.cpp", tmp_path / "main", "-I", folder, "-L", folder, "-lmlp", f"-Wl,-rpath,{folder}", compiler=compiler, standard="-std=c++17")
    subprocess.run([program], check=True)


def test_header_behind_that_of_dlpack(mlp, tmp_path):
    (tmp_path / "main.c").write_text("""#define DLPACK_DLPACK_H_
typedef struct DLTensor DLTensor;
#include "mlp.h"
int main(void) {
  return mlp_run_dlpack(NULL, NULL, 1, NULL, 1, NULL, 0, NULL, 0) != MLP_NULL_ARGUMENT;
}
""")
    subprocess.run([compile_c(tmp_path / "main.c", tmp_path / "main", "-I", mlp[0], "-L", mlp[0], "-lmlp", f"-Wl,-rpath,{mlp[0]}")], check=True)


@pytest.mark.parametrize("compiler", ["clang++-22", "g++"])
def test_handle_of_cpp(mlp, compiler, tmp_path):
    folder, wanted = mlp
    (tmp_path / "main.cpp").write_text(r"""#include <kiln/kiln.hpp>
#include "mlp.h"
#include <cstdio>
#include <cstring>
#include <vector>
int main(int, char **argv) {
  std::vector<float> x(32 * 784), y(320), again(320);
  std::FILE *in = std::fopen(argv[1], "rb");
  if (std::fread(x.data(), 4, x.size(), in) != x.size()) return 2;
  std::fclose(in);
  kiln::library<mlp> opened, m = std::move(opened);
  m(mlp_run, x.data(), y.data());
  kiln::workspace memory(mlp_run_workspace_size(m.get()));
  m.in(memory)(mlp_run, x.data(), again.data());
  if (std::memcmp(y.data(), again.data(), 4 * y.size())) return 3;
  std::fwrite(y.data(), 4, y.size(), stdout);
  try {
    m(mlp_run, x.data(), static_cast<float *>(nullptr));
  } catch (const kiln::error &e) {
    std::fputs(e.what(), stderr);
    return e.status() == MLP_NULL_ARGUMENT ? 0 : 4;
  }
  return 5;
}
""")
    program = compile_c(tmp_path / "main.cpp", tmp_path / "main", "-I", folder, "-I", HERE.parents[1] / "include", "-L", folder, "-lmlp", f"-Wl,-rpath,{folder}",
                        compiler=compiler, standard="-std=c++17")
    done = subprocess.run([program, folder / "x.bin"], capture_output=True)
    assert done.returncode == 0 and done.stdout == wanted.tobytes()
    assert done.stderr.decode() == "mlp_run: out0: expected a pointer to 1280 bytes, got NULL"


def test_header_says_everything(mlp):
    header = (mlp[0] / "mlp.h").read_text()
    for text in ("#ifndef MLP_H", "@param[in] x float32 (32, 784)", "@param[out] out0 float32 (32, 10)", "MLP_OVERLAP = -6", "MLP_ABI_VERSION 1", "typedef struct mlp_weights {"):
        assert text in header


def test_static_library_and_object(images, mlp, tmp_path):
    f, _ = make_mlp()
    for name in ("libmlp.a", "mlp.o"):
        kn.export(f, images, to=tmp_path / name, header=tmp_path / "mlp.h", cpu="native")
        program = compile_c(HERE / "native_mlp.c", tmp_path / "caller", "-D_ISOC11_SOURCE", "-I", tmp_path, tmp_path / name)
        subprocess.run([program, mlp[0] / "x.bin", tmp_path / "y.bin"], check=True)
        assert (tmp_path / "y.bin").read_bytes() == mlp[1].tobytes()


@pytest.mark.parametrize("weights", ["embed", "file", "caller"])
def test_project_builds_at_once(weights, images, tmp_path):
    f, _ = make_mlp()
    kn.export(f, images, to=tmp_path / "libmlp.so", project=tmp_path / "project", weights=weights)
    for command in (["cmake", "-B", "build"], ["cmake", "--build", "build"], ["build/mlp_main"]):
        done = subprocess.run(command, cwd=tmp_path / "project", capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout == "mlp_run: ok\n"


def test_same_file_byte_for_byte(images, tmp_path, monkeypatch):
    files = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        monkeypatch.chdir(tmp_path / name)
        kn.export(make_mlp()[0], images, to="libmlp.so", header="mlp.h")
        files.append([(tmp_path / name / f).read_bytes() for f in ("libmlp.so", "mlp.h")])
    assert files[0] == files[1]


# -- weights


def test_weights_beside_the_library(images, mlp, tmp_path):
    f, arrays = make_mlp()
    kn.export(f, images, to=tmp_path / "libmlp.so", weights="file", cpu="native")
    assert (tmp_path / "libmlp.so").stat().st_size < 100_000
    assert Library(tmp_path / "libmlp.so")(images).tobytes() == mlp[1].tobytes()
    other = tmp_path / "elsewhere.safetensors"
    (tmp_path / "libmlp.safetensors").rename(other)
    with pytest.raises(Failure, match="mlp: weights: expected a file that can be read, got '.*libmlp.safetensors'") as missing:
        Library(tmp_path / "libmlp.so")
    assert missing.value.status == -10
    assert Library(tmp_path / "libmlp.so", weights_path=other)(images).tobytes() == mlp[1].tobytes()
    for damage in (lambda b: b.replace(b"F32", b"F64"), lambda b: b[:-1], lambda b: b[:9]):
        (tmp_path / "libmlp.safetensors").write_bytes(damage(other.read_bytes()))
        with pytest.raises(Failure, match="mlp: weights: expected the arrays that the library was exported with") as wrong:
            Library(tmp_path / "libmlp.so")
        assert wrong.value.status == -11


def test_weights_of_the_caller(images, mlp, tmp_path):
    f, arrays = make_mlp()
    kn.export(f, images, to=tmp_path / "libmlp.so", weights="caller", cpu="native")
    with pytest.raises(Failure, match="mlp: weights: expected them in the options") as missing:
        Library(tmp_path / "libmlp.so")
    assert missing.value.status == -10
    names = [w["name"] for w in Library(tmp_path / "libmlp.so", weights=arrays).signature["weights"]]
    ordered = [arrays[["w1", "b1", "w2", "b2"].index(n)] for n in names]
    library = Library(tmp_path / "libmlp.so", weights=ordered)
    assert library(images).tobytes() == mlp[1].tobytes()
    with pytest.raises(Failure, match="mlp: weights: w1: expected a pointer, got NULL") as none:
        library.set_weights([None if n == "w1" else a for n, a in zip(names, ordered)])
    assert none.value.status == -1
    odd = np.frombuffer(b" " + ordered[0].tobytes(), np.uint8)[1:]
    with pytest.raises(Failure, match="expected a pointer that is a multiple of 4") as misaligned:
        library.set_weights([odd[(4 - odd.ctypes.data % 4) % 4 + 1:], *ordered[1:]])
    assert misaligned.value.status == -5


@pytest.mark.parametrize("swaps", [100])
def test_weights_are_swapped_while_calls_run(swaps, images, mlp, tmp_path):
    for i, seed in enumerate((0, 7)):
        f, arrays = make_mlp(seed)
        np.concatenate([a.ravel() for a in arrays]).tofile(tmp_path / f"w{i}.bin")
    kn.export(f, images, to=tmp_path / "libmlp.so", header=tmp_path / "mlp.h", weights="caller", cpu="native")
    program = compile_c(HERE / "native_threads.c", tmp_path / "threads", "-I", tmp_path, "-L", tmp_path, "-lmlp", f"-Wl,-rpath,{tmp_path}", "-pthread", standard="-std=c11")
    done = subprocess.run([program, str(swaps), mlp[0] / "x.bin", tmp_path / "w0.bin", tmp_path / "w1.bin"], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert ", 0 wrong" in done.stdout


@pytest.mark.parametrize("count", [20000])
def test_calls_that_are_drawn(count, tmp_path):
    kn.export(lambda x: (kn.tanh(x) + 1, kn.sum(x)), np.zeros((8, 3), np.float32), to=tmp_path / "libf.so", header=tmp_path / "f.h", name="f",
              dynamic={"x": {0: ("n", 1, 100)}}, output_names=["y", "total"])
    program = compile_c(HERE / "native_fuzz.c", tmp_path / "fuzz", "-I", tmp_path, "-L", tmp_path, "-lf", f"-Wl,-rpath,{tmp_path}",
                        "-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-O1", standard="-std=c11")
    done = subprocess.run([program, str(count)], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_memory_is_flat_over_opening_and_closing(images, mlp):
    def resident():
        return int(pathlib.Path("/proc/self/statm").read_text().split()[1]) * 4096

    for i in range(3000):
        library = Library(mlp[0] / "libmlp.so")
        if i % 100 == 0:
            library(images)
        library.close()
        if i == 1000:
            before = resident()
    assert resident() - before < 1 << 20


# -- arguments


def test_numbers_and_dtypes(tmp_path):
    def f(x, n, s, z, h):
        return x * n + s, z * z, h + h, kn.sum(x, dtype=kn.float64)

    x, z = np.arange(6, dtype=np.int32).reshape(2, 3), np.array([1 + 2j, -1j], np.complex64)
    arguments = (x, np.int32(3), np.int32(-7), z, np.array([1.5, 2], np.float16))
    kn.export(f, *arguments, to=tmp_path / "libf.so", header=tmp_path / "f.h")
    compile_c(HERE / "empty.c", tmp_path / "empty.o", "-include", tmp_path / "f.h", "-c")
    got = Library(tmp_path / "libf.so")(*arguments)
    for a, b in zip(got, kn.jit(f)(*map(kn.asarray, arguments)), strict=True):
        assert a.tobytes() == np.asarray(b).tobytes()


def test_arrays_that_are_written(tmp_path):
    def step(state, x):
        state += x
        return kn.sum(state)

    kn.export(step, np.zeros(5, np.float32), np.zeros(5, np.float32), to=tmp_path / "libstep.so", header=tmp_path / "step.h")
    assert "@param[in,out] state float32 (5,)" in (tmp_path / "step.h").read_text()
    library, state = Library(tmp_path / "libstep.so"), np.ones(5, np.float32)
    assert library(state, np.arange(5, dtype=np.float32)) == 15
    assert state.tolist() == [1, 2, 3, 4, 5]
    with pytest.raises(Failure, match="step_run: state: expected memory of its own, got some that x has too"):
        library(state, state)


def test_state_of_the_function(tmp_path):
    state = kn.asarray(np.full(3, 5, np.float32))

    def count(x):
        state[...] = state + x
        return state * 2

    kn.export(count, np.zeros(3, np.float32), to=tmp_path / "libcount.so", header=tmp_path / "count.h")
    assert "@param[in,out] state float32 (3,); what it starts as is `state` of count_get_weights" in (tmp_path / "count.h").read_text()
    library = Library(tmp_path / "libcount.so")
    start, = library.weights_now(np.float32, 3)
    values = {"state": start.copy(), "x": np.ones(3, np.float32)}
    given = [values[a["name"]] for a in library.functions["run"]["arguments"] if a["use"] != "out"]
    assert [library(*given).tolist() for _ in range(2)] == [[12] * 3, [14] * 3]
    assert values["state"].tolist() == [7] * 3 and start.tolist() == [5] * 3
    with pytest.raises(Failure, match="count: weights: expected a pointer, got NULL"):
        library.check(library._call("get_weights", library.handle, None))


def test_results_that_nothing_computes(tmp_path):
    w = kn.asarray(np.arange(3, dtype=np.int16))
    kn.export(lambda x: (x, w, kn.full(2, 7)), np.zeros(4, np.float32), to=tmp_path / "libf.so", name="f")
    x = np.arange(4, dtype=np.float32)
    got = Library(tmp_path / "libf.so")(x)
    assert [g.tolist() for g in got] == [x.tolist(), [0, 1, 2], [7, 7]]


def test_loops_and_branches(tmp_path):
    def f(x, rate):
        root = kn.while_loop(lambda y: kn.any(kn.abs(y * y - x) > 1e-5), lambda y: (y + x / y) / 2, x)
        return kn.cond(kn.sum(root) > rate, lambda r: r * rate, lambda r: -r, root)

    x = np.linspace(1, 9, 64, dtype=np.float32)
    kn.export(f, x, np.float32(1), to=tmp_path / "libf.so")
    library = Library(tmp_path / "libf.so")
    for rate in (np.float32(1.5), np.float32(1000)):
        assert library(x, rate).tobytes() == np.asarray(kn.jit(f)(kn.asarray(x), kn.asarray(rate))).tobytes()


def test_failures_of_the_data(tmp_path):
    def pick(x, i):
        return x[i]

    kn.export(pick, np.zeros(5), np.zeros(2, np.int64), to=tmp_path / "libpick.so")
    library = Library(tmp_path / "libpick.so")
    assert library(np.arange(5.0), np.array([4, -1])).tolist() == [4, 4]
    with pytest.raises(Failure, match="pick_run: expected data that it can compute with: an index in the data is out of range") as failure:
        library(np.arange(5.0), np.array([4, 5]))
    assert failure.value.status == 1


def test_every_size(tmp_path):
    def f(x):
        y = x * 2 if x.shape[0] > 100 else x + 1
        return kn.sum(y), y[: x.shape[0] // 3]

    kn.export(f, np.zeros(8, np.float32), to=tmp_path / "libf.so", header=tmp_path / "f.h", dynamic={"x": {0: ("n", 1, 300)}})
    library, data = Library(tmp_path / "libf.so"), np.random.default_rng(0).random(300, dtype=np.float32)
    compiled = kn.jit(f)
    for n in range(1, 301):
        total, third = np.empty((), np.float32), np.empty(n // 3, np.float32)
        library.raw("run", [data[:n], total, third], [n])
        a, b = compiled(kn.asarray(data[:n]))
        assert (total.tobytes(), third.tobytes()) == (np.asarray(a).tobytes(), np.asarray(b).tobytes()), n
    for n in (0, 301, -1, 2**62):
        with pytest.raises(Failure, match="f_run: n: expected a size from 1 to 300, got") as outside:
            library.raw("run", [data, total, third], [n])
        assert outside.value.status == -2
        assert library.workspace_size("run", n) == -2


def test_sizes_that_do_not_fit_into_memory(tmp_path):
    kn.export(lambda x: x + 1, np.zeros((4, 4)), to=tmp_path / "libf.so", dynamic={"x": {0: "n", 1: "k"}}, assume_sizes=True)
    with pytest.raises(Failure, match="expected sizes whose arrays fit into memory") as failure:
        Library(tmp_path / "libf.so").raw("run", [8, 16], [2**40, 2**40])
    assert failure.value.status == -4


def test_arrays_of_the_program_that_do_not_fit_into_memory(tmp_path):
    kn.export(lambda x: kn.sum(kn.sort(x[:, None] * x[None, :], axis=-1)), np.zeros(8, np.float32), to=tmp_path / "libf.so", name="f", dynamic={"x": {0: "n"}}, assume_sizes=True)
    library, x, y = Library(tmp_path / "libf.so"), np.ones(300, np.float32), np.empty((), np.float32)
    library.raw("run", [x, y], [300])
    assert y == 90000
    for n in (2**31, 2**32, 2**33 + 1, 2**47, 2**56 - 1, 2**61, 2**62, 2**63 - 64):
        with pytest.raises(Failure, match=f"f_run: n: expected sizes whose arrays fit into memory, got {n}") as failure:
            library.raw("run", [x, y], [n])
        assert failure.value.status == -4 == library.workspace_size("run", n)


def test_workspaces_that_do_not_fit_into_memory(tmp_path):
    def f(x):
        parts = [kn.sort(x + i) for i in range(12)]
        return sum(kn.sum(a * b) for a, b in zip(parts, parts[::-1]))

    kn.export(f, np.zeros(8), to=tmp_path / "libf.so", name="f", dynamic={"x": {0: "n"}}, assume_sizes=True)
    library, y = Library(tmp_path / "libf.so"), np.empty(())
    least = library.workspace_size("run", 2**20)
    assert 12 * 2**23 <= least and 2**11 * least <= library.workspace_size("run", 2**31) + 2**11 * 2**16
    for n in (2**47, 2**52, 2**58 + 3, 2**61, 2**62, 2**63 - 1):
        assert library.workspace_size("run", n) == -4, n
        with pytest.raises(Failure, match="expected sizes whose arrays fit into memory"):
            library.raw("run", [8, y], [n])


def test_several_entries_share_weights(tmp_path):
    w = kn.asarray(np.arange(12, dtype=np.float32).reshape(3, 4))
    kn.export({"up": (lambda x: x @ w, (np.zeros(3, np.float32),)), "down": (lambda y: w @ y, (np.zeros(4, np.float32),))}, to=tmp_path / "libboth.so")
    library = Library(tmp_path / "libboth.so")
    assert [w["name"] for w in library.signature["weights"]] == ["w"]
    assert library(np.ones(3, np.float32), entry="up").tolist() == [12, 15, 18, 21]
    assert library(np.ones(4, np.float32), entry="down").tolist() == [6, 22, 38]


def test_options_of_other_versions(tmp_path):
    """Programs that were compiled before there were threads open the library, too; none that was compiled for options that it does not know."""
    kn.export(lambda x: x + 1, np.zeros(3, np.float32), to=tmp_path / "libf.so")
    library, handle, text = Library(tmp_path / "libf.so"), ctypes.c_void_p(), ctypes.create_string_buffer(200)
    for size, status, expected in ((32, 0, b""), (56, -13, b"f: options: expected 48 bytes, got 56")):
        words = (ctypes.c_int64 * 7)(size, 0, 0, 0, 0, 0, 0)
        assert library.dll.f_open(ctypes.byref(handle), words, text, ctypes.c_size_t(200)) == status and text.value == expected


# -- tensors of DLPack


class Tensor(ctypes.Structure):
    _fields_ = [("data", ctypes.c_void_p), ("device", ctypes.c_int32), ("device_id", ctypes.c_int32), ("ndim", ctypes.c_int32), ("code", ctypes.c_uint8),
                ("bits", ctypes.c_uint8), ("lanes", ctypes.c_uint16), ("shape", ctypes.c_void_p), ("strides", ctypes.c_void_p), ("byte_offset", ctypes.c_uint64)]

    def __init__(self, array, code=2, **changes):
        self.kept = array, np.array(array.shape, np.int64), np.array([s // array.itemsize for s in array.strides], np.int64)
        super().__init__(array.ctypes.data, 1, 0, array.ndim, code, 8 * array.itemsize, 1, self.kept[1].ctypes.data, self.kept[2].ctypes.data, 0)
        for name, value in changes.items():
            setattr(self, name, value)


def test_tensors(tmp_path):
    kn.export(lambda x, y: x + y, np.zeros((4, 3), np.float32), np.zeros((4, 3), np.float32), to=tmp_path / "libadd.so", dynamic={"x": {0: ("n", 1, 64)}, "y": {0: ("n", 1, 64)}})
    library = Library(tmp_path / "libadd.so")

    def call(*tensors):
        lists = [(ctypes.POINTER(Tensor) * len(part))(*[t and ctypes.pointer(t) for t in part]) for part in (tensors[:-1], tensors[-1:])]
        library.check(library._call("run_dlpack", library.handle, lists[0], ctypes.c_size_t(len(tensors) - 1), lists[1], ctypes.c_size_t(1), None, ctypes.c_size_t(0)))

    x, y, z = (np.full((5, 3), i, np.float32) for i in (1, 2, 0))
    call(Tensor(x), Tensor(y), Tensor(z))
    assert (z == 3).all()
    wide, short = np.zeros((5, 6), np.float32), np.zeros((4, 3), np.float32)
    for tensors, text in [((Tensor(x), Tensor(wide[:, ::2]), Tensor(z)), "y: axis 1: expected row-major order with stride 1, got 2"),
                          ((Tensor(x), Tensor(short), Tensor(z)), r"axis 0: expected size \d, got \d"),
                          ((Tensor(x), Tensor(y), Tensor(short)), "out0: axis 0: expected size 5, got 4"),
                          ((Tensor(x), Tensor(y.astype(np.float64)), Tensor(z)), "y: expected elements of type code 2 with 32 bits, got code 2 with 64 bits"),
                          ((Tensor(x), Tensor(y[0]), Tensor(z)), "y: expected rank 2, got 1"),
                          ((Tensor(x), Tensor(y, device=2), Tensor(z)), r"y: expected memory of the host \(device 1\), got device 2"),
                          ((Tensor(x), Tensor(z)), "expected 2 inputs and 1 outputs, got 1 and 1")]:
        with pytest.raises(Failure, match=text) as wrong:
            call(*tensors)
        assert wrong.value.status == -12
    with pytest.raises(Failure, match="x: expected a tensor, got NULL") as none:
        call(None, Tensor(y), Tensor(z))
    assert none.value.status == -1


# -- what cannot be exported


@pytest.mark.parametrize("changes, text", [
    (dict(target="vax-unknown-none"), "target"), (dict(target="x86_64-linux-gnu", cpu="z80"), "cpu: expected one that LLVM knows"),
    (dict(weights="cloud"), "weights: expected embed, file or caller, got 'cloud'"), (dict(name="9 lives"), "name: expected a name of letters, digits and _, got '9 lives'"),
    (dict(header="/none/there/f.h"), "output: expected a file that can be written"), (dict(target="aarch64-apple-darwin"), "target: expected Linux")])
def test_what_an_export_refuses(changes, text, tmp_path):
    with pytest.raises(kn.KilnError, match=text):
        kn.export(lambda x: x + 1, np.zeros(3), to=tmp_path / "libf.so", **changes)


@pytest.mark.parametrize("name, op", [("cholesky", "cholesky"), ("qr", "qr"), ("eigh", "eigh"), ("svd", "svd"), ("eig", "eig"), ("inv", "solve"), ("det", "lu"), ("slogdet", "lu"), ("pinv", "svd")])
@pytest.mark.parametrize("target", ["wasm32-wasi", "aarch64-linux-android", "thumbv7em-none-eabi"])
def test_where_decompositions_are_refused(name, op, target, tmp_path):
    """They call LAPACK, which is there on Linux with glibc."""
    to = tmp_path / "libf.a"
    text = f"operation: expected one that is compiled, as a library has no routines of Kiln's runtime but Fourier transforms and decompositions on Linux with glibc, got 'kiln.{op}'"
    with pytest.raises(kn.CompileError, match=text):
        kn.export(getattr(kn.linalg, name), np.eye(3), to=to, name="f", target=target)
    assert not to.exists()


def test_arguments_of_libraries_alone(tmp_path):
    with pytest.raises(ValueError, match="export: weights: expected it for a library alone"):
        kn.export(lambda x: x, np.zeros(3), to=tmp_path / "f.kiln", weights="file")
    with pytest.raises(ValueError, match="export: to: expected a file"):
        kn.export(lambda x: x, np.zeros(3), to=tmp_path / "f.dll")


# -- processors and machines


def test_several_processors_in_one_file(images, mlp, tmp_path):
    kn.export(make_mlp()[0], images, to=tmp_path / "libmlp.so", cpu="x86-64-v2,x86-64-v3,x86-64-v4")
    library = Library(tmp_path / "libmlp.so")
    assert library.signature["processors"] == ["x86-64-v2", "x86-64-v3", "x86-64-v4"]
    assert library(images).tobytes() == mlp[1].tobytes()


@pytest.mark.parametrize("cpu", ["x86-64-v2", "x86-64-v3"])
def test_each_level_has_the_same_bits(cpu, mlp, images, tmp_path):
    kn.export(make_mlp()[0], images[:1], to=tmp_path / "libmlp.so", cpu=cpu)
    assert Library(tmp_path / "libmlp.so")(images[:1]).tobytes() == np.asarray(kn.jit(make_mlp()[0])(kn.asarray(images[:1]))).tobytes()


def test_halves_without_instructions_for_them(tmp_path):
    halves, floats = np.arange(65536, dtype=np.uint16).view(np.float16), np.random.default_rng(0).integers(0, 2**32, 200_000, np.uint32).view(np.float32)
    edges = np.nextafter(np.repeat(halves[:31745].astype(np.float32), 3), np.tile(np.float32([-np.inf, 0, np.inf]), 31745))
    floats = np.concatenate([floats, edges, -edges, (edges + np.roll(edges, 3)) / 2])

    def f(h, x):
        return kn.astype(h, kn.float32), kn.astype(x, kn.float16)

    kn.export(f, halves, floats, to=tmp_path / "libf.so", cpu="x86-64-v2")
    with np.errstate(all="ignore"):
        for got, wanted in zip(Library(tmp_path / "libf.so")(halves, floats), (halves.astype(np.float32), floats.astype(np.float16)), strict=True):
            np.testing.assert_array_equal(got, wanted)


def test_another_processor_is_a_status(tmp_path):
    kn.export(lambda x: x + 1, np.zeros(3, np.float32), to=tmp_path / "libf.so", cpu="bdver2")  # fma4, which no processor has any more
    with pytest.raises(Failure, match="f: expected a processor with all of bdver2, got one without") as wrong:
        Library(tmp_path / "libf.so")
    assert wrong.value.status == -9


def test_another_processor_of_another_machine(mlp, tmp_path):
    if not shutil.which("aarch64-linux-gnu-gcc") or not shutil.which("qemu-aarch64"):
        pytest.skip("aarch64-linux-gnu-gcc and qemu-aarch64 are needed")
    (tmp_path / "main.c").write_text("""#include "f.h"
#include <stdio.h>
int main(void) {
  f *m;
  char err[200] = "";
  int status = f_open(&m, NULL, err, sizeof err);
  puts(err);
  return -status;
}
""")
    kn.export(lambda x: x + 1, np.zeros(3, np.float32), to=tmp_path / "libf.so", header=tmp_path / "f.h", target="aarch64-linux-gnu", cpu="neoverse-v1")
    program = compile_c(tmp_path / "main.c", tmp_path / "main", "-I", tmp_path, "-L", tmp_path, "-lf", compiler="aarch64-linux-gnu-gcc")
    for cpu, wanted in (("cortex-a53", (9, "f: expected a processor with all of neoverse-v1, got one without\n")), ("max", (0, "\n"))):
        done = subprocess.run(["qemu-aarch64", "-cpu", cpu, "-L", "/usr/aarch64-linux-gnu", "-E", f"LD_LIBRARY_PATH={tmp_path}", program], capture_output=True, text=True)
        assert (done.returncode, done.stdout) == wanted


@pytest.mark.parametrize("machine", ["aarch64", "riscv64"])
def test_other_machines(machine, mlp, images, tmp_path):
    compiler, emulator = f"{machine}-linux-gnu-gcc", f"qemu-{machine}"
    if not shutil.which(compiler) or not shutil.which(emulator):
        pytest.skip(f"{compiler} and {emulator} are needed")
    kn.export(make_mlp()[0], images, to=tmp_path / "libmlp.so", header=tmp_path / "mlp.h", target=f"{machine}-linux-gnu")
    assert undefined(tmp_path / "libmlp.so") <= LIBC
    program = compile_c(HERE / "native_mlp.c", tmp_path / "caller", "-D_ISOC11_SOURCE", "-I", tmp_path, "-L", tmp_path, "-lmlp", compiler=compiler)
    command = [emulator, "-L", f"/usr/{machine}-linux-gnu", "-E", f"LD_LIBRARY_PATH={tmp_path}", program, mlp[0] / "x.bin", tmp_path / "y.bin"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "y.bin").read_bytes() == mlp[1].tobytes()
