"""Libraries for a GPU with custom ops: their kernels are launched as the library's own. Sources of CUDA by a stand-in of nvcc, as in test_gpu_custom_ops.py."""
import shutil

import pytest

import device_library
import kiln as kn
from test_gpu_custom_ops import NVCC, write_sources

HELPERS = """
def make(*names, op="leaky", **options):
    return kn.custom_op(op, [folder / n for n in names], **{"shape": lambda x, *, slope=0.1: x, **options})
def leak(x, slope=0.1):
    return np.where(x < 0, (x.astype("f8") * slope).astype("f4"), x)
x = r.standard_normal((70, 10)).astype("f4")
"""


@pytest.fixture
def folder(tmp_path):
    return write_sources(tmp_path)


def run(program, folder, **environment):
    return device_library.run(HELPERS + program, folder, NVCC=str(NVCC), KILN_CACHE_DIR=str(folder / "cache"), **environment)


@pytest.mark.parametrize("names", [("leaky.cu",), ("leaky.c", "leaky.cu")])
def test_between_kernels(folder, names):
    run(f"leaky = make(*{names!r})" + """
lib = DeviceLibrary(export(lambda x, s: (leaky(x * s, slope=0.5) + 1, kn.sum(leaky(leaky(x)), axis=0)), x, np.float32(2)), Gpu())
for _ in range(2):
    first, second = lib(x, 2.0)
    assert first.tobytes() == (leak(x * 2, 0.5) + 1).tobytes() and np.allclose(second, leak(leak(x)).sum(0), atol=1e-4)
assert lib(x, 3.0)[0].tobytes() == (leak(x * 3, 0.5) + 1).tobytes()
""", folder)


def test_sizes_that_calls_choose(folder):
    run("""
leaky = make("leaky.cu")
lib = DeviceLibrary(export(lambda x: leaky(x * 2) + 1, x, dynamic={"x": {0: ("n", 0, 3000)}}, input_names=["x"], assume_sizes=True), Gpu())
for n in (0, 1, 2, 25, 26, 700, 3000):
    a = r.standard_normal((n, 10)).astype("f4")
    assert lib(a, n=n).reshape(-1)[:a.size].tobytes() == (leak(a * 2) + 1).tobytes(), n
""", folder)


def test_in_loops_and_several_functions(folder):
    (folder / "twice.cu").write_text("""
extern "C" __global__ void twice(const float *x, float *y, long long *order, long long count, long long by) {
  for (long long i = threadIdx.x + blockIdx.x * blockDim.x; i < count; i += by) y[i] = x[i] * 2, order[i] = i;
}
""")
    run("""
leaky = make("leaky.cu")
twice = make("twice.cu", op="twice", shape=lambda x, *, by: (x, kn.ShapeDtypeStruct(x.shape, "int64")), launch=lambda x, *, by: (by // 32, 32, 50000 if by == 64 else 1000))
def loop(x):
    return kn.fori_loop(0, 4, lambda i, s: leaky(s, slope=0.5) - 0.25, x)
def several(x):
    y, order = twice(x, by=96)
    z, _ = twice(y, by=64)
    return leaky(z), order
path = folder / "libf.so"
kn.export({"loop": (loop, (x,)), "several": (several, (x,))}, to=path, name="f", target="nvptx-sim")
lib, want = DeviceLibrary(path, Gpu()), x
for _ in range(4):
    want = leak(want, 0.5) - np.float32(0.25)
assert lib(x, entry="loop").tobytes() == want.tobytes()
y, order = lib(x, entry="several")
assert y.tobytes() == leak(x * 4).tobytes() and np.array_equal(order.reshape(-1), np.arange(700))
lib.close()
""", folder)


def test_a_driver_that_refuses_the_code(folder):
    run("""
leaky = make("leaky.ptx")
path = export(lambda x: leaky(x) + 1, x)
status, text = refusal(lambda: DeviceLibrary(path, Gpu()))
assert status == -18 and text == "f: code: expected some that the driver takes, got error 218: the simulator takes no PTX, only what the target nvptx-sim writes", text
""", folder)


def test_what_is_refused(folder):
    run("""
def refused(action, *texts):
    try:
        action()
    except (kn.CompileError, kn.DeviceError, kn.PackageError, ValueError) as error:
        assert all(t in str(error) for t in texts), error
        return
    raise AssertionError("not refused")
host, both, only = make("leaky.c"), make("leaky.c", "leaky.cu"), make("leaky.cu", launch=lambda x, *, slope: (4, 256))
refused(lambda: export(lambda x: host(x) + 1, x), "library: op 'leaky': expected one with a kernel for GPUs (.cu or .ptx), got one of the CPU alone")
refused(lambda: export(lambda x: only(x) + 1, x, dynamic={"x": {0: ("n", 2, 90)}}, input_names=["x"]), "expected sizes that are known in a kernel of the kind 'library'")
for name in ("libg.so", "g.kiln"):
    refused(lambda: kn.export(lambda x: only(x), x, to=folder / name), "expected arrays on a GPU")
refused(lambda: export(lambda x: only(x) if kn.sum(only(x)) > 0 else x, x), "leaky: expected the op and its code to be known in this process")  # values need it to run
kn.export(lambda x: both(x) + 1, x, to=folder / "g.kiln")
kn._core.make_library(str(folder / "g.kiln"), str(folder / "libg.so"), {"emit": "so", "target": "nvptx-sim", "name": "g"})
assert DeviceLibrary(folder / "libg.so", Gpu())(x).tobytes() == (leak(x) + 1).tobytes()
kn._core.make_library(str(folder / "g.kiln"), str(folder / "g.mlir"), {"emit": "mlir", "name": "g"})
refused(lambda: kn._core.make_library(str(folder / "g.mlir"), str(folder / "libm.so"), {"emit": "so", "target": "nvptx-sim", "name": "m"}),
        "library: op 'leaky.h", "': expected one whose code the package has, got one that it only names")
""", folder)


def test_for_nvidia(folder, monkeypatch):
    leaky = kn.custom_op("leaky", folder / "leaky.ptx", shape=lambda x, *, slope=0.1: x)
    kn.export(lambda x: leaky(x * 2, slope=0.5) + leaky(x), kn.ones(3), to=folder / "libs.so", name="s", target="nvptx64-nvidia-cuda", cpu="sm_80,sm_90a" if shutil.which("ptxas") is None else None)
    code = (folder / "libs.so").read_bytes()
    assert code.count(b".visible .entry leaky(") == (2 if shutil.which("ptxas") is None else 1), "once for each processor"
