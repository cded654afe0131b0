"""Libraries of C functions for a GPU, on the stand-in for NVIDIA's driver: the bits of the CPU, every way to misuse them, what they leave behind."""
import pathlib
import subprocess

import numpy as np
import pytest

import gpu_fuzz
import kiln as kn
from device_library import run
from native import compile_c

HERE, BUILD = pathlib.Path(__file__).parent, gpu_fuzz.BUILD


def test_the_bits_of_the_cpu(tmp_path):
    run("""
lib = DeviceLibrary(export(scores, v, np.float32(2)), Gpu())
assert lib.signature["device"] == "cuda" and lib.signature["processors"] == ["sm_80"] and lib.signature["target"] == "nvptx-sim"
want = [np.asarray(a) for a in kn.jit(scores)(v, np.float32(2))]
for got in (lib(v, 2.0), lib(v, 2.0)):
    assert all(a.tobytes() == b.tobytes() for a, b in zip(got, want, strict=True))
lib.close()
""", tmp_path)


def test_what_is_read_and_written(tmp_path):
    run("""
lib = DeviceLibrary(export(steps, np.zeros((8, 5), "f4"), np.ones((8, 5), "f4")), Gpu())
state, x = r.standard_normal((2, 8, 5)).astype("f4")
want = state.copy()
total = np.asarray(kn.jit(steps)(want, x))
assert lib(state, x).tobytes() == total.tobytes() and state.tobytes() == want.tobytes()
def moves(state, x, i):
    state += x[i]
lib = DeviceLibrary(export(moves, np.zeros((4, 5), "f4"), np.ones((8, 5), "f4"), np.int64(1), name="g"), lib.gpu)
before = state[:4].copy()
good = state[:4].copy(); lib(good, x, 3)
assert np.array_equal(good, before + x[3])
status, text = refusal(lambda: lib(before, x, 8))
assert status > 0 and text == "g_run: expected data that it can compute with: an index in the data is out of range", text
assert np.array_equal(before, state[:4]), "as before"
""", tmp_path)


def test_values_that_fail_are_a_status(tmp_path):
    run("""
x, i = r.standard_normal(9, dtype="f4"), np.int64([0, 8, -1, 4])
lib = DeviceLibrary(export(pick, x, i), Gpu())
assert np.array_equal(lib(x, i), x[i] * 2)
status, text = refusal(lambda: lib(x, np.int64([0, 9, 1, 2])))
assert status > 0 and "an index in the data is out of range" in text, text
assert np.array_equal(lib(x, i), x[i] * 2), "a status is of one call"
""", tmp_path)


@pytest.mark.parametrize("mode", ["embed", "file", "caller"])
def test_weights(tmp_path, mode):
    run(f"""
path, gpu, mode = export(scores, v, np.float32(2), weights={mode!r}), Gpu(), {mode!r}
""" + """
want = [np.asarray(a) for a in kn.jit(scores)(v, np.float32(2))]
if mode == "caller":
    status, text = refusal(lambda: DeviceLibrary(path, gpu))
    assert status == -10 and "expected them in the options" in text, text
    assert refusal(lambda: DeviceLibrary(path, gpu, weights=[0]))[0] == -1
    status, text = refusal(lambda: DeviceLibrary(path, gpu, weights=[w.numpy().ctypes.data]))
    assert status == -19 and "expected memory of device 0, got memory that its driver does not know" in text, text
    lib = DeviceLibrary(path, gpu, weights=[gpu.array(w.numpy())])
else:
    lib = DeviceLibrary(path, gpu)
assert all(a.tobytes() == b.tobytes() for a, b in zip(lib(v, 2.0), want, strict=True))
now = (ctypes.c_void_p * 1)()
assert lib.dll.f_get_weights(lib.handle, now, None, ctypes.c_size_t(0)) == 0
assert gpu.read(now[0], (40, 30), "f4").tobytes() == w.numpy().tobytes()
zeros = gpu.array(np.zeros((40, 30), "f4"))
lib.set_weights([zeros])
assert np.allclose(lib(v, 2.0)[0], 1 / 30) and lib(v, 2.0)[1].tobytes() == want[1].tobytes()
assert refusal(lambda: lib.set_weights([zeros + 2]))[0] == -5
assert refusal(lambda: lib.set_weights([w.numpy().ctypes.data]))[0] == -19
lib.close()
if mode == "file":
    (folder / "libf.safetensors").unlink()
    assert refusal(lambda: DeviceLibrary(path, gpu))[0] == -10
    (folder / "libf.safetensors").write_bytes(b"{}" * 3000)
    assert refusal(lambda: DeviceLibrary(path, gpu))[0] == -11
    assert gpu.used() < 100_000, "what opening had taken is given back"
""", tmp_path)


def test_misuse_is_a_status(tmp_path):
    run("""
gpu = Gpu()
lib = DeviceLibrary(export(steps, np.zeros((8, 5), "f4"), np.ones((8, 5), "f4")), gpu)
a, b, c = (gpu.array(np.ones((8, 5), "f4")) for _ in range(3))
call = lambda *given, **more: refusal(lambda: lib.raw("run", given, **more))
assert call(None, b, c) == (-1, "f_run: state: expected a pointer to 160 bytes, got NULL")
assert call(a + 1, b, c) == (-5, "f_run: state: expected a pointer that is a multiple of 4, got one that is 1 above")
assert call(a, b, b) [0] == -6 and call(a, a, c)[0] == -6
host = np.ones((8, 5), "f4")
assert call(a, host.ctypes.data, c) == (-19, "f_run: x: expected memory of device 0, got memory that its driver does not know")
assert lib.workspace_size() >= 64
space = gpu.empty(4096)
lib.raw("run", (a, b, c), workspace=space, workspace_bytes=4096)
assert call(a, b, c, workspace=space + 4, workspace_bytes=4000)[0] == -5
assert call(a, b, c, workspace=space, workspace_bytes=8)[0] == -7
assert call(a, b, c, workspace=a // 64 * 64, workspace_bytes=4096)[0] == -6
assert call(a, b, c, workspace=host.ctypes.data // 64 * 64, workspace_bytes=4096)[0] == -19
lib.handle, handle = ctypes.c_void_p(), lib.handle
assert call(a, b, c) == (-1, "f_run: m: expected a library that was opened, got NULL")
lib.handle = handle
gpu.stream, stream = ctypes.c_void_p(12345), gpu.stream
status, text = call(a, b, c)
assert status == -18 and "CUDA_ERROR_INVALID_HANDLE (invalid resource handle)" in text, text
gpu.stream = ctypes.c_void_p()  # the default one
lib.raw("run", (a, b, c))
gpu("cuCtxSynchronize")
gpu.stream = stream
assert np.array_equal(gpu.read(a, (8, 5), "f4"), np.full((8, 5), 3, "f4"))
lib.options.bytes = 7
assert refusal(lambda: lib.check(lib._call("open", ctypes.byref(ctypes.c_void_p()), ctypes.byref(lib.options)))) == (-13, "f: options: expected 40 bytes, got 7")
lib.options.bytes, lib.options.none = 40, 1
assert refusal(lambda: lib.check(lib._call("open", ctypes.byref(ctypes.c_void_p()), ctypes.byref(lib.options))))[0] == -13
assert refusal(lambda: lib.check(lib._call("open", None, None)))[0] == -1
""", tmp_path)


def test_several_devices(tmp_path):
    run("""
gpu = Gpu(1)
lib = DeviceLibrary(export(scores, v, np.float32(2)), gpu, device=1)
assert all(a.tobytes() == np.asarray(b).tobytes() for a, b in zip(lib(v, 2.0), kn.jit(scores)(v, np.float32(2))))
first = Gpu(0)
x, y, z = first.array(v), gpu.empty(2400), gpu.empty(160)
assert refusal(lambda: lib.raw("run", (x, 2.0, y, z))) == (-19, "f_run: x: expected memory of device 1, got memory of another device")
assert refusal(lambda: DeviceLibrary(folder / "libf.so", gpu, device=2)) == (-17, "f: device: expected a number below 2, got 2")
assert refusal(lambda: DeviceLibrary(folder / "libf.so", gpu, device=-1))[0] == -17
""", tmp_path, KILN_STUB_DEVICES="2")


def test_processors(tmp_path):
    folder = str(tmp_path)
    run("export(steps, np.zeros((8, 5), 'f4'), np.ones((8, 5), 'f4'), cpu='sm_80,sm_90a')", folder)
    use = "lib = DeviceLibrary(folder / 'libf.so', Gpu()); lib(np.zeros((8, 5), 'f4'), np.ones((8, 5), 'f4'))\n"
    for chip in ("80", "89", "90", "103"):
        run(use, folder, KILN_STUB_CHIP=chip)
    run("assert refusal(lambda: DeviceLibrary(folder / 'libf.so', Gpu())) == (-9, 'f: device: expected one that runs code for sm_80, got one of sm_75')", folder, KILN_STUB_CHIP="75")


def test_opened_and_closed_a_thousand_times(tmp_path):
    run("""
import resource
gpu, path = Gpu(), export(steps, np.zeros((8, 5), "f4"), np.ones((8, 5), "f4"))
pages = lambda: int(pathlib.Path("/proc/self/statm").read_text().split()[1])
def once():
    lib = DeviceLibrary(path, gpu)
    state = np.zeros((8, 5), "f4")
    lib(state, np.ones((8, 5), "f4"))
    lib.close()
for _ in range(100): once()
before, memory = pages(), gpu.used()
for _ in range(900): once()
assert gpu.used() == memory and pages() - before < 1000, (gpu.used(), memory, pages() - before)
""", tmp_path)


def test_threads(tmp_path):
    run("""
path = export(scores, v, np.float32(2))
lib = DeviceLibrary(path, Gpu())
want = [np.asarray(a).tobytes() for a in kn.jit(scores)(v, np.float32(2))]
failed = []
def work():
    try:
        mine = DeviceLibrary.__new__(DeviceLibrary)
        mine.__dict__.update(lib.__dict__)
        mine.gpu = Gpu()  # a stream of its own
        for _ in range(20):
            if [a.tobytes() for a in mine(v, 2.0)] != want: failed.append("other bits")
    except BaseException as error:
        failed.append(repr(error))
threads = [threading.Thread(target=work) for _ in range(8)]
for t in threads: t.start()
for t in threads: t.join()
assert not failed, failed[:3]
lib.close()
""", tmp_path, KILN_STUB_SLOW="50")


def test_tensors(tmp_path):
    run("""
gpu = Gpu()
lib = DeviceLibrary(export(scores, v, np.float32(2)), gpu)
class Tensor(ctypes.Structure):
    _fields_ = [("data", ctypes.c_void_p), ("device", ctypes.c_int32), ("number", ctypes.c_int32), ("rank", ctypes.c_int32), ("type", ctypes.c_uint32),
                ("shape", ctypes.POINTER(ctypes.c_int64)), ("strides", ctypes.c_void_p), ("offset", ctypes.c_uint64)]
def tensor(data, shape, device=2, number=0):
    return Tensor(data, device, number, len(shape), 2 | 32 << 8 | 1 << 16, (ctypes.c_int64 * len(shape))(*shape), None, 0)
def call(*tensors, m=lib.handle):
    pointers = [ctypes.pointer(t) for t in tensors]
    ins, outs = (ctypes.POINTER(Tensor) * 2)(*pointers[:2]), (ctypes.POINTER(Tensor) * 2)(*pointers[2:])
    lib.check(lib._call("run_dlpack", m, ins, ctypes.c_size_t(2), outs, ctypes.c_size_t(2), None, ctypes.c_size_t(0), behind=[gpu.stream]))
scale = ctypes.c_float(2)
x, s, y, z = tensor(gpu.array(v), (20, 40)), tensor(ctypes.addressof(scale), (), 1), tensor(gpu.empty(2400), (20, 30)), tensor(gpu.empty(160), (40,))
call(x, s, y, z)
want = [np.asarray(a).tobytes() for a in kn.jit(scores)(v, np.float32(2))]
assert gpu.read(y.data, (20, 30), "f4").tobytes() == want[0] and gpu.read(z.data, (40,), "f4").tobytes() == want[1]
x.device = 1
assert refusal(lambda: call(x, s, y, z)) == (-12, "f_run: x: expected memory of CUDA's device 0 (device 2), got device 1, number 0")
x.device, x.number = 2, 1
assert refusal(lambda: call(x, s, y, z))[0] == -12
x.number, s.device = 0, 2
assert refusal(lambda: call(x, s, y, z)) == (-12, "f_run: scale: expected memory of the host (device 1), got device 2")
assert refusal(lambda: call(x, s, y, z, m=None)) == (-1, "f_run: m: expected a library that was opened, got NULL")
""", tmp_path)


@pytest.mark.parametrize("compiler, standard", [("clang-22", "-std=c99"), ("gcc", "-std=c11"), ("g++", "-std=c++17")])
def test_caller_under_the_address_sanitizer(tmp_path, compiler, standard):
    run("export(steps, np.zeros((8, 5), 'f4'), np.ones((8, 5), 'f4'))", tmp_path)
    program = compile_c(HERE / "native_device.c", tmp_path / "caller", "-I", tmp_path, "-L", tmp_path, "-lf", "-L", BUILD / "lib", "-lkiln_cuda_stub", f"-Wl,-rpath,{tmp_path}:{BUILD / 'lib'}",
                        "-fsanitize=address,undefined", "-fno-sanitize-recover=all", *(["-x", "c++"] if compiler == "g++" else []), compiler=compiler, standard=standard)
    done = subprocess.run([program], capture_output=True, text=True, env=gpu_fuzz.stub_environment())
    assert done.returncode == 0 and done.stdout == "40 120\n", done.stdout + done.stderr


def test_handle_of_cpp(tmp_path):
    run("export(steps, np.zeros((8, 5), 'f4'), np.ones((8, 5), 'f4'))", tmp_path)
    (tmp_path / "main.cpp").write_text("""#include <kiln/kiln.hpp>
#include "f.h"
int main() {
  kiln::library<f> m;
  try {
    m.on(nullptr)(f_run, nullptr, nullptr, nullptr);
  } catch (const kiln::error &e) { return e.status() == F_NULL_ARGUMENT ? 0 : 1; }
  return 2;
}
""")
    program = compile_c(tmp_path / "main.cpp", tmp_path / "main", "-I", tmp_path, "-I", kn.get_include(), "-L", tmp_path, "-lf", f"-Wl,-rpath,{tmp_path}", compiler="g++", standard="-std=c++17")
    subprocess.run([program], check=True, env=gpu_fuzz.stub_environment())


def test_for_nvidia(tmp_path):
    """Without a device: what is in the file, and what cannot be."""
    x = np.ones((8, 5), np.float32)
    kn.export(lambda x: kn.nn.softmax(x), x, to=tmp_path / "libs.so", name="s", header=tmp_path / "s.h", target="nvptx64-nvidia-cuda", cpu="sm_80,sm_90a")
    code = (tmp_path / "libs.so").read_bytes()
    assert code.count(b".target sm_80") == 1 and code.count(b".target sm_90a") == 1
    assert "for nvptx64-nvidia-cuda (sm_80, sm_90a)" in (tmp_path / "s.h").read_text()
    for what, text, options in ((lambda x: kn.linalg.inv(x @ x.T), "code: expected kernels alone for a device, got a call of its maker's libraries", {}),
                                (lambda x: x + 1, "cpu: expected one that LLVM knows, like sm_90a, got 'sm_1'", {"cpu": "sm_1"}),
                                (lambda x: x + 1, "project: expected a target whose arrays are the host's, got 'nvptx64-nvidia-cuda'", {"project": tmp_path / "project"})):
        with pytest.raises((kn.CompileError, ValueError), match=text.replace("(", r"\(")):
            kn.export(what, x, to=tmp_path / "libs.so", target="nvptx64-nvidia-cuda", input_names=["x"], **options)
    with pytest.raises(ValueError, match="emit: expected code of a host for a package"):
        kn.export(lambda x: x + 1, x, to=tmp_path / "s.kiln", target="nvptx64-nvidia-cuda")
