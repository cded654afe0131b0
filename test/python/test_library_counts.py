"""Libraries of functions whose values decide sizes: callers say how much room there is for a result, and are told how large it is."""
import ctypes
import json
import shutil
import subprocess

import numpy as np
import pytest

import kiln as kn
from native import Failure, Library, compile_c
from test_other_machines import symbols
from test_package_counts import ONE, BOTH_WAYS, alike, vectors

SHORT_OUTPUT = -15


def exported(tmp_path, f, *args, **options):
    kn.export(f, *args, to=tmp_path / "libm.so", header=tmp_path / "m.h", **options)
    return Library(tmp_path / "libm.so")


def flat(value):
    """The arrays of a result, in their order."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, (list, tuple)):
        return [a for v in value for a in flat(v)]
    return [np.asarray(value)]


@pytest.mark.parametrize("f", [f for f in ONE if f.__name__ != "twice"], ids=lambda f: f.__name__)
def test_libraries_have_the_sizes_of_python(f, tmp_path):
    m = exported(tmp_path, f, kn.asarray([1.0, -2.0, 3.0, 0.5, -1.0]), dynamic={"x": {0: ("n", 0, 24)}}, examples=BOTH_WAYS if f is branches_of(ONE) else ())
    for v in vectors(1, 100, *range(25)):
        got = m(v, n=len(v))
        assert alike([np.asarray(a) for a in flat(f(kn.asarray(v)))], got if isinstance(got, list) else [got]), v


def branches_of(functions):
    return next(f for f in functions if f.__name__ == "branches")


def two(x):
    mask = x > 0
    y = x[mask]
    return y[y < 1], y * 2, kn.nonzero(mask)[0], y.sum()


def rows(x, w):
    return kn.tanh(x @ w)[x[:, 0] > 0]


def test_the_room_for_each_result_is_asked_for(tmp_path):
    m = exported(tmp_path, two, kn.ones(5))
    (function,) = m.signature["functions"]
    outputs = {a["name"]: a for a in function["arguments"] if a["use"] == "out"}
    assert outputs["out0"]["capacity"] == "out0_capacity" and outputs["out0"]["found"] == ["out0_size"]
    assert outputs["out1"]["found"] == ["out1_size"] and outputs["out2"]["found"] == [] and "capacity" not in outputs["out3"]
    assert [d.get("bound") for d in function["sizes"]] == ["5", "count"]
    x, out = np.float32([0.5, -1, 2, 0.25, 3]), [np.full(5, 7, t) for t in ("float32", "float32", "int64")] + [np.zeros((), "float32")]
    m.raw("run", [x, *out])
    assert {n: v.value for n, v in m.found.items()} == {"out0_size": 2, "out1_size": 4}
    assert out[0].tolist() == [0.5, 0.25, 7, 7, 7] and out[1].tolist() == [1, 4, 0.5, 6, 7] and out[2].tolist() == [0, 2, 3, 4, 7] and out[3] == 5.75


def test_counts_of_one_range_are_told_apart(tmp_path):
    """Two counts that are from 0 to all there is, and a result that has as many elements as an argument for one count alone."""
    def f(x, y):
        return x[x > 0], y[y > 0], x[:int((y > 0).sum())]

    m = exported(tmp_path, f, kn.ones(6), kn.ones(6), assume_sizes=True)
    for x, y in zip(vectors(6, 30, 6), vectors(7, 30, 6)):
        out = [np.zeros(6, "float32") for _ in range(3)]
        m.raw("run", [x, y, *out])
        want = flat(f(kn.asarray(x), kn.asarray(y)))
        assert [m.found["out0_size"].value, m.found["out1_size"].value, m.found.get("out2_size", m.found["out1_size"]).value] == [len(w) for w in want]
        assert all(o[:len(w)].tobytes() == w.tobytes() and not o[len(w):].any() for o, w in zip(out, want))


@pytest.mark.parametrize("room", range(-1, 4))
def test_too_little_room_is_told_and_nothing_is_written(room, tmp_path):
    m = exported(tmp_path, two, kn.ones(5))
    x, out = np.float32([0.5, -1, 2, 0.25, 3]), [np.full(5, 7, t) for t in ("float32", "float32", "int64")] + [np.full((), 7, "float32")]
    with pytest.raises(Failure, match=f"m_run: out1: expected room for 4 elements, got {room}$") as failed:
        m.raw("run", [x, *out], out1=room)
    assert failed.value.status == SHORT_OUTPUT
    assert {n: v.value for n, v in m.found.items()} == {"out0_size": 2, "out1_size": 4}  # how much it is, all the same
    assert all((a == 7).all() for a in out)


def test_arguments_are_checked_first(tmp_path):
    m = exported(tmp_path, rows, kn.ones((4, 3)), kn.ones((3, 2)), dynamic={"x": {0: ("n", 1, 64)}})
    x, w, y = np.ones((4, 3), "float32"), np.ones((3, 2), "float32"), np.zeros((4, 2), "float32")
    with pytest.raises(Failure, match="m_run: x: expected a pointer to 48 bytes, got NULL"):
        m.raw("run", [None, w, y], [4])
    with pytest.raises(Failure, match="m_run: out0: expected a pointer to 32 bytes, got NULL"):
        m.raw("run", [x, w, None], [4], out0=8)
    with pytest.raises(Failure, match="m_run: out0: expected memory of its own, got some that x has too"):
        m.raw("run", [x, w, x], [4], out0=8)
    with pytest.raises(Failure, match="m_run: n: expected a size from 1 to 64, got 65"):
        m.raw("run", [x, w, y], [65])
    need = m.workspace_size("run", 4)
    memory = np.zeros(need + 64, "uint8")
    at = memory.ctypes.data + -memory.ctypes.data % 64
    with pytest.raises(Failure, match=rf"m_run: workspace: expected \d+ bytes, got {need - 1}"):
        m.raw("run", [x, w, y], [4], at, need - 1)
    m.raw("run", [x, w, y], [4], at, need)
    assert alike(np.asarray(rows(kn.asarray(x), kn.asarray(w))), y)


def test_a_workspace_is_enough_for_any_count(tmp_path):
    m = exported(tmp_path, rows, kn.ones((4, 3)), kn.ones((3, 2)), dynamic={"x": {0: ("n", 1, 64)}})
    random = np.random.default_rng(0)
    w = random.normal(size=(3, 2)).astype("float32")
    for n in (1, 2, 5, 64):
        need = m.workspace_size("run", n)
        memory = np.zeros(need + 64, "uint8")
        for positive in {0, 1, n // 2, n - 1, n}:
            x = random.normal(size=(n, 3)).astype("float32")
            x[:, 0] = [1] * positive + [-1] * (n - positive)
            y = np.zeros((n, 2), "float32")
            m.raw("run", [x, w, y], [n], memory.ctypes.data + -memory.ctypes.data % 64, need)
            assert m.found["out0_size"].value == positive
            assert alike(np.asarray(rows(kn.asarray(x), kn.asarray(w))), y[:positive])


class Tensor(ctypes.Structure):
    _fields_ = [("data", ctypes.c_void_p), ("device", ctypes.c_int32 * 2), ("rank", ctypes.c_int32), ("code", ctypes.c_uint8), ("bits", ctypes.c_uint8), ("lanes", ctypes.c_uint16),
                ("shape", ctypes.POINTER(ctypes.c_int64)), ("strides", ctypes.POINTER(ctypes.c_int64)), ("offset", ctypes.c_uint64)]

    @classmethod
    def of(cls, array, with_strides=False):
        made = cls(array.ctypes.data, (ctypes.c_int32 * 2)(1, 0), array.ndim, 2, 32, 1, (ctypes.c_int64 * 2)(*array.shape))
        if with_strides:
            made.strides = (ctypes.c_int64 * 2)(*(s // array.itemsize for s in array.strides))
        return made


@pytest.mark.parametrize("with_strides", [False, True])
def test_tensors_get_the_shape_that_they_have(with_strides, tmp_path):
    m = exported(tmp_path, lambda x: x[:, kn.nonzero(x[0] > 0)[0]], kn.ones((2, 3)))
    x, y = np.float32([[1, -1, 2], [3, 4, 5]]), np.zeros((2, 3), "float32")
    call = m.dll.m_run_dlpack

    def run(out):
        tensors = Tensor.of(x), out
        text = ctypes.create_string_buffer(300)
        status = call(m.handle, (ctypes.c_void_p * 1)(ctypes.addressof(tensors[0])), ctypes.c_size_t(1), (ctypes.c_void_p * 1)(ctypes.addressof(tensors[1])),
                      ctypes.c_size_t(1), None, ctypes.c_size_t(0), text, ctypes.c_size_t(300))
        return status, out.shape[:2], text.value.decode()
    out = Tensor.of(y, with_strides)
    assert run(out)[:2] == (0, [2, 2]) and y.ravel().tolist() == [1, 2, 3, 5, 0, 0]
    assert not with_strides or out.strides[:2] == [2, 1]
    small = Tensor.of(np.zeros((2, 1), "float32"))
    assert run(small) == (SHORT_OUTPUT, [2, 2], "m_run: out0: expected room for 4 elements, got 2")


PROGRAM = r"""
#include "m.h"
#include <stdio.h>
#include <stdlib.h>

int main(void) {
  char err[256] = "";
  m *library;
  if (m_open(&library, NULL, err, sizeof err)) return puts(err), 1;
  for (int64_t n = 0; n <= 24; ++n) {
    float *x = malloc((size_t)n * 4 + 1);
    for (int64_t i = 0; i < n; ++i) x[i] = (float)((i * 7 + n) % 11) - 5.0f;
    int64_t size = -1, expected = 0;
    int32_t status = m_run(library, x, n, NULL, 0, &size, NULL, 0, err, sizeof err);
    for (int64_t i = 0; i < n; ++i) expected += x[i] > 0;
    if (size != expected || status != (expected ? M_SHORT_OUTPUT : M_OK)) return printf("%d %ld: %s\n", (int)status, (long)size, err), 1;
    float *y = malloc((size_t)size * 4 + 1);
    if (m_run(library, x, n, y, size, NULL, NULL, 0, err, sizeof err)) return puts(err), 1;
    for (int64_t i = 0, k = 0; i < n; ++i)
      if (x[i] > 0 && y[k++] != 2 * x[i]) return puts("wrong"), 1;
    free(y), free(x);
  }
  m_close(library);
  return puts("ok"), 0;
}
"""


@pytest.mark.parametrize("standard", ["-std=c99", "-std=c++17"])
def test_c_asks_for_the_size_first(standard, tmp_path):
    kn.export(lambda x: x[x > 0] * 2, kn.ones(5), to=tmp_path / "libm.so", header=tmp_path / "m.h", dynamic={"x": {0: ("n", 0, 24)}}, name="m")
    header = (tmp_path / "m.h").read_text()
    assert "@param out0_capacity how many elements there is room for in `out0`" in header and "count is a number that the values decide, at most n" in header
    source = tmp_path / ("main.c" if standard == "-std=c99" else "main.cpp")
    source.write_text(PROGRAM if standard == "-std=c99" else PROGRAM.replace("= malloc", "= (float *)malloc"))
    program = compile_c(source, tmp_path / "main", "-fsanitize=address,undefined", tmp_path / "libm.so", f"-Wl,-rpath,{tmp_path}", compiler="clang-22" if standard == "-std=c99" else "clang++-22", standard=standard)
    done = subprocess.run([program], capture_output=True, text=True)
    assert done.stdout == "ok\n" and done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("machine", ["aarch64", "riscv64"])
def test_other_machines_count_alike(machine, tmp_path):
    compiler, emulator = f"{machine}-linux-gnu-gcc", f"qemu-{machine}"
    if not shutil.which(compiler) or not shutil.which(emulator):
        pytest.skip(f"{compiler} and {emulator} are needed (make test-machines installs them)")
    kn.export(lambda x: x[x > 0] * 2, kn.ones(5), to=tmp_path / "libm.so", header=tmp_path / "m.h", dynamic={"x": {0: ("n", 0, 24)}}, name="m", target=f"{machine}-linux-gnu")
    (tmp_path / "main.c").write_text(PROGRAM)
    program = compile_c(tmp_path / "main.c", tmp_path / "main", "-D_ISOC11_SOURCE", tmp_path / "libm.so", compiler=compiler)
    done = subprocess.run([emulator, "-L", f"/usr/{machine}-linux-gnu", "-E", f"LD_LIBRARY_PATH={tmp_path}", program], capture_output=True, text=True)
    assert done.stdout == "ok\n" and done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("target", ["thumbv7em-none-eabi", "aarch64-linux-android"])
def test_machines_that_are_not_here_have_it_too(target, tmp_path):
    kn.export(lambda x: x[x > 0] * 2, kn.ones(5), to=tmp_path / "libm.a", header=tmp_path / "m.h", name="m", target=target)
    assert "int32_t m_run(const m *m, const float *x, float *out0, int64_t out0_capacity, int64_t *out0_size, void *workspace" in (tmp_path / "m.h").read_text().replace("m_ *", "m *")
    defined, taken = symbols(tmp_path / "libm.a")
    assert "m_run" in defined and all(n.startswith(("__aeabi", "mem")) or target.endswith("android") for n in taken), taken


def test_a_project_has_room_for_all(tmp_path):
    kn.export(two, kn.ones(5), to=tmp_path / "libm.so", project=tmp_path / "p")
    subprocess.run(["cmake", "-S", tmp_path / "p", "-B", tmp_path / "b"], check=True, capture_output=True)
    subprocess.run(["cmake", "--build", tmp_path / "b"], check=True, capture_output=True)
    assert subprocess.run([tmp_path / "b/m_main"], capture_output=True, text=True).stdout == "m_run: ok\n"


def test_a_special_case_within_sizes_that_are_assumed(tmp_path):
    """C takes the program that was checked for a size before one that is assumed for it, as Python does."""
    def f(x):
        return x * (3 if x.shape[0] == 7 else 2)

    kn.export(f, kn.ones(5), to=tmp_path / "m.kiln", dynamic={"x": {0: "n"}}, assume_sizes=True)
    m = exported(tmp_path, f, kn.ones(5), dynamic={"x": {0: "n"}}, assume_sizes=True)
    for n in (1, 2, 6, 7, 8, 9000):
        x = np.ones(n, "float32")
        assert m(x, n=n)[0] == kn.load(tmp_path / "m.kiln")(kn.asarray(x))[0].item() == (3 if n == 7 else 2)
    assert json.loads(m.dll.m_signature().decode())["functions"]


def test_stages_that_were_not_made_for_each_other(tmp_path):
    """The first stage of one function before the last one of another, which takes more than it keeps: nobody runs it."""
    def part(size):
        def f(x):
            y = x[:size]
            return y[y > 0]
        return f

    first, other = tmp_path / "first.kiln", tmp_path / "other.kiln"
    kn.export(part(3), kn.ones(5), to=first)
    kn.export(part(4), kn.ones(5), to=other)
    first, other = kn.load(first), kn.load(other)
    programs = [(first, 0), *((other, i) for i in range(1, len(other._manifest["entries"])))]
    entries = [m._manifest["entries"][i] | {"program": f"programs/{k}.kilntrace"} for k, (m, i) in enumerate(programs)]
    words = {f"programs/{k}.kilntrace": m._loaded.program(i) for k, (m, i) in enumerate(programs)}
    kn._core.write_package(json.dumps(other._manifest | {"entries": entries}), words, [], str(tmp_path / "m.kiln"))
    x = np.float32([1, 2, 3, 4, 5])
    with pytest.raises(kn.PackageError, match=r"run: 'kept0_0' of the stage before: expected bool\[4\], got bool\[3\]"):  # negative
        kn.load(tmp_path / "m.kiln")(kn.asarray(x))
    kn._core.make_library(str(tmp_path / "m.kiln"), str(tmp_path / "libm.so"), {"name": "m"})
    with pytest.raises(Failure, match="m_run: expected stages that fit together, got some that do not at these sizes"):  # negative
        Library(tmp_path / "libm.so").raw("run", [x, np.zeros(5, "float32")])
