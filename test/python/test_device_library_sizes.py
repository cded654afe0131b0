"""Libraries for a GPU whose sizes calls choose, or values decide: the bits of the CPU at each size, and every status of sizes."""
import subprocess

import pytest

import gpu_fuzz
from device_library import HERE, run
from native import compile_c

BUILD = gpu_fuzz.BUILD


def test_sizes_that_calls_choose(tmp_path):
    run("""
def f(x, s):
    y = x * s + kn.arange(x.shape[0])[:, None]
    return y, kn.sum(y, axis=0), kn.max(y, axis=1), kn.nn.softmax(y @ w, axis=-1), kn.cumulative_sum(y, axis=0), y.T, kn.concatenate([y[1:], y[:1] * 2])
path = export(f, v, np.float32(2), dynamic={"x": {0: "n"}}, input_names=["x", "s"], assume_sizes=True)
for n in (1, 2, 3, 31, 64, 257, 1000):
    check(path, f, r.standard_normal((n, 40), dtype="f4"), np.float32(3), n=n)
def g(x, y):
    return x @ y + kn.sum(x, axis=1, keepdims=True), kn.reshape(x, (-1,)), x.size * kn.mean(x)
path = export(g, np.ones((3, 4), "f4"), np.ones((4, 5), "f4"), name="g", dynamic={"x": {0: ("a", 1, 40), 1: ("b", 1, 40)}, "y": {0: "b"}}, input_names=["x", "y"])
for a, b in ((1, 1), (2, 1), (1, 7), (40, 40), (33, 2)):
    check(path, g, r.standard_normal((a, b), dtype="f4"), r.standard_normal((b, 5), dtype="f4"), a=a, b=b)
""", tmp_path)


def test_sizes_of_none(tmp_path):
    """Launches of no blocks are left out."""
    run("""
f = lambda x: (x * 2 + 1, kn.sum(x, axis=0))
path = export(f, np.ones((3, 4), "f4"), dynamic={"x": {0: "n"}}, input_names=["x"])
for n in (0, 1, 2, 9):
    check(path, f, r.standard_normal((n, 4), dtype="f4"), n=n)
""", tmp_path)


def test_what_is_read_and_written(tmp_path):
    run("""
lib = DeviceLibrary(export(steps, np.zeros((8, 5), "f4"), np.ones((8, 5), "f4"), dynamic={"state": {0: ("n", 1, 200)}, "x": {0: "n"}}, input_names=["state", "x"]), Gpu())
for n in (1, 8, 100):
    state, x = r.standard_normal((2, n, 5)).astype("f4")
    want = state.copy()
    total = np.asarray(kn.jit(steps)(want, x))
    assert lib(state, x, n=n).tobytes() == total.tobytes() and state.tobytes() == want.tobytes()
picks = DeviceLibrary(export(pick, np.ones(9, "f4"), np.int64([0, 8]), dynamic={"x": {0: ("n", 1, 70)}, "i": {0: ("k", 1, 9)}}, input_names=["x", "i"], name="g"), lib.gpu)
x = r.standard_normal(70, dtype="f4")
assert np.array_equal(picks(x, np.int64([69, -70, 3]), n=70, k=3), x[[69, -70, 3]] * 2)
status, text = refusal(lambda: picks(x, np.int64([70]), n=70, k=1))
assert status > 0 and "an index in the data is out of range" in text, text
""", tmp_path)


def test_sizes_that_values_decide(tmp_path):
    run("""
f = lambda x: (x[x > 0] * 2, kn.nonzero(x < 1)[0], kn.sum(x))
path = export(f, np.float32([1, -1, 2]), dynamic={"x": {0: ("n", 0, 24)}}, input_names=["x"])
for n in (0, 1, 2, 5, 24):
    for shift in (0, 5, -5):
        lib = check(path, f, r.standard_normal(n).astype("f4") + np.float32(shift), n=n)
x, out = lib.gpu.array(np.ones(9, "f4")), [lib.gpu.empty(100) for _ in range(3)]
assert refusal(lambda: lib.raw("run", [x, *out], [9], out0=3)) == (-15, "f_run: out0: expected room for 9 elements, got 3")
assert [v.value for v in lib.found.values()][0] == 9
path = export(lambda x: x[x > 0], np.float32([1, -1, 2]), name="g")
lib = check(path, lambda x: x[x > 0], np.float32([-1, 1, 3]))
""", tmp_path)


def test_misuse_is_a_status(tmp_path):
    run("""
gpu = Gpu()
lib = DeviceLibrary(export(lambda x: kn.cumulative_sum(x, axis=0) + 1, np.ones((8, 4), "f4"), dynamic={"x": {0: ("n", 2, 100)}}, input_names=["x"]), gpu)
a, b, space = gpu.array(np.ones((100, 4), "f4")), gpu.empty(1600), gpu.empty(1 << 16)
call = lambda n, x=a, y=b, **more: refusal(lambda: lib.raw("run", (x, y), [n], **more))
for n in (1, 101, -1, 1 << 62):
    assert call(n) == (-2, f"f_run: n: expected a size from 2 to 100, got {n}") and lib.workspace_size("run", n) == -2
few, many = lib.workspace_size("run", 2), lib.workspace_size("run", 100)
assert 0 < few < many, (few, many)
lib.raw("run", (a, b), [2], workspace=space, workspace_bytes=few)
lib.raw("run", (a, b), [100], workspace=space, workspace_bytes=many)
assert gpu.read(b, (100, 4), "f4")[99, 0] == 101
assert call(100, workspace=space, workspace_bytes=many - 1) == (-7, f"f_run: workspace: expected {many} bytes, got {many - 1}")
assert call(100, workspace=space, workspace_bytes=few)[0] == -7 and call(100, y=a + 16)[0] == -6 and call(100, x=None)[0] == -1
part = DeviceLibrary(export(lambda x: x * 2 if x.shape[0] < 9 else x[:9], np.ones(8, "f4"), dynamic={"x": {0: ("n", 2, 5000)}}, input_names=["x"], name="g"), gpu)
assert refusal(lambda: part.raw("run", (a, b), [1234])) == (-3, "g_run: n: expected sizes that the function was exported for, got 1234")
lib = DeviceLibrary(export(lambda x: kn.arange(x.shape[0]) > 3, np.ones((8, 0), bool), dynamic={"x": {0: "n"}}, input_names=["x"], assume_sizes=True, name="h"), gpu)
call = lambda n: refusal(lambda: lib.raw("run", (a, b), [n]))
assert call(1 << 62) == (-4, f"h_run: n: expected sizes whose arrays fit into memory, got {1 << 62}") and lib.workspace_size("run", 1 << 62) == -4
status, text = call(1 << 43)
assert (status, text) == (-4, f"h_run: n: expected sizes whose kernels have at most 2147483647 blocks of threads, got {1 << 43}"), text
""", tmp_path)


def test_tensors(tmp_path):
    run("""
gpu = Gpu()
lib = DeviceLibrary(export(lambda x: x * 2, v, dynamic={"x": {0: ("n", 1, 64)}}, input_names=["x"]), gpu)
class Tensor(ctypes.Structure):
    _fields_ = [("data", ctypes.c_void_p), ("device", ctypes.c_int32), ("number", ctypes.c_int32), ("rank", ctypes.c_int32), ("type", ctypes.c_uint32),
                ("shape", ctypes.POINTER(ctypes.c_int64)), ("strides", ctypes.c_void_p), ("offset", ctypes.c_uint64)]
def call(n, out):
    x, y = gpu.array(v[:n]), gpu.empty(4000)
    tensors = [Tensor(data, 2, 0, 2, 2 | 32 << 8 | 1 << 16, (ctypes.c_int64 * 2)(rows, 40), None, 0) for data, rows in ((x, n), (y, out))]
    ins, outs = ((ctypes.POINTER(Tensor) * 1)(ctypes.pointer(t)) for t in tensors)
    lib.check(lib._call("run_dlpack", lib.handle, ins, ctypes.c_size_t(1), outs, ctypes.c_size_t(1), None, ctypes.c_size_t(0), behind=[gpu.stream]))
    return gpu.read(y, (n, 40), "f4")
for n in (1, 7, 20):
    assert call(n, n).tobytes() == (v[:n] * 2).tobytes()
assert refusal(lambda: call(7, 8)) == (-12, "f_run: out0: axis 0: expected size 7, got 8")
assert refusal(lambda: call(0, 0)) == (-2, "f_run: n: expected a size from 1 to 64, got 0")
""", tmp_path)


@pytest.mark.parametrize("compiler, standard", [("clang-22", "-std=c99"), ("g++", "-std=c++17")])
def test_caller_under_the_address_sanitizer(tmp_path, compiler, standard):
    run("""export(lambda x: kn.fori_loop(0, 3, lambda i, s: s * 2 + i, x), np.ones(8, 'f4'), name='g')
export(lambda x: kn.cumulative_sum(x * 2, axis=0), np.ones((8, 5), 'f4'), dynamic={'x': {0: ('n', 1, 1000)}}, input_names=['x'])""", tmp_path)
    program = compile_c(HERE / "native_device_sizes.c", tmp_path / "caller", "-I", tmp_path, "-L", tmp_path, "-lf", "-lg", "-L", BUILD / "lib", "-lkiln_cuda_stub", f"-Wl,-rpath,{tmp_path}:{BUILD / 'lib'}",
                        "-fsanitize=address,undefined", "-fno-sanitize-recover=all", *(["-x", "c++"] if compiler == "g++" else []), compiler=compiler, standard=standard)
    done = subprocess.run([program], capture_output=True, text=True, env=gpu_fuzz.stub_environment())
    assert done.returncode == 0 and done.stdout == "2 200 2000 12\n", done.stdout + done.stderr
