"""Custom ops with kernels for GPUs: sources of CUDA by a stand-in of nvcc on the stand-in for NVIDIA's driver, PTX by what its text says."""
import pathlib
import shutil
import subprocess
import sys

import pytest

import gpu_fuzz
import kiln as kn

HERE = pathlib.Path(__file__).parent
NVCC = HERE.parent / "targets/stub/nvcc"
LEAKY = """
#include "slopes.h"
extern "C" __global__ void leaky(const float *x, float *y, long long count, double slope) {
  long long i = blockIdx.x * (long long)blockDim.x + threadIdx.x;
  if (i < count) y[i] = x[i] < 0 ? (float)(x[i] * slope * SCALE) : x[i];
}
"""
LEAKY_C = """
#include <kiln/op.h>
KILN_KERNEL int32_t leaky(const kiln_context *context, const kiln_tensor *operands, const kiln_tensor *results) {
  const float *x = operands[0].data;
  float *y = results[0].data;
  for (int64_t i = 0, n = kiln_elements(results); i < n; ++i) y[i] = x[i] < 0 ? (float)(x[i] * kiln_number(context, 0)) : x[i];
  return 0;
}
"""
PTX = """.version 7.0
.target sm_80
.address_size 64
// .visible .entry hidden(.param .u64 a)
.visible .entry leaky(
	.param .u64 .ptr .align 1 leaky_param_0,
	.param .u64 leaky_param_1,
	.param .s64 leaky_param_2,
	.param .f64 leaky_param_3
)
{
	ret;
}
"""
START = """
import sys; sys.path.insert(0, {here!r})
import gpu_fuzz; gpu_fuzz.load_simulator()
import os, pathlib, warnings, numpy as np, kiln as kn
warnings.filterwarnings("error", ".*runs on the CPU.*")
folder = pathlib.Path({folder!r})
def make(*names, **options):
    return kn.custom_op("leaky", [folder / n for n in names], **{{"shape": lambda x, *, slope=0.1: x, **options}})
def refusal(action, error):
    try:
        action()
    except error as e:
        return str(e)
    raise AssertionError("not refused")
def want(x, slope=0.1):
    return np.where(x < 0, (x.astype("f8") * slope).astype("f4"), x)
x = np.random.default_rng(1).standard_normal((70, 10)).astype("f4")
g = kn.asarray(x, device="cuda:0", copy=True)
"""


def write_sources(folder):
    (folder / "leaky.cu").write_text(LEAKY)
    (folder / "slopes.h").write_text("#define SCALE 1\n")
    (folder / "leaky.c").write_text(LEAKY_C)
    (folder / "leaky.ptx").write_text(PTX)
    return folder


@pytest.fixture
def folder(tmp_path):
    return write_sources(tmp_path)


def run(program, folder, **environment):
    done = subprocess.run([sys.executable, "-c", START.format(here=str(HERE), folder=str(folder)) + program], capture_output=True, text=True, timeout=300,
                          env=gpu_fuzz.stub_environment(**{"NVCC": str(NVCC), "KILN_CACHE_DIR": str(folder / "cache"), **environment}))
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_eager_and_jitted(folder):
    run("""
leaky = make("leaky.cu")
y = leaky(g)
assert y.device == "cuda:0" and y.numpy().tobytes() == want(x).tobytes()
assert leaky(g, slope=0.5).numpy().tobytes() == want(x, 0.5).tobytes() and leaky(g, slope=2).numpy().tobytes() != 0
assert leaky(g.T[::2]).numpy().tobytes() == want(x.T[::2]).tobytes() and leaky(g[:0]).shape == (0, 10)
f = kn.jit(lambda x, s: kn.sum(leaky(x * 2, slope=0.5) + s, axis=0))
host = kn.jit(lambda x, s: kn.sum(x + s, axis=0))
for _ in range(3):
    got = f(g, kn.asarray(np.float32(1), device="cuda:0"))
    assert got.device == "cuda:0" and np.allclose(got.numpy(), (want(x * 2, 0.5) + 1).sum(0), atol=1e-4)
text = refusal(lambda: leaky(kn.asarray(x, device="cpu")), kn.DeviceError)
assert "leaky: operands: expected arrays on a GPU, as the op has a kernel for GPUs alone, got arrays on the CPU" in text, text
""", folder)


def test_compiled_between_other_kernels(folder):
    run("""
leaky = make("leaky.cu", vjp=lambda ct, x, *, slope: kn.where(x < 0, ct * slope, ct), batch="expand_dims")
def is_compiled(f):
    text = str(f.explain())
    return "one by one" not in text and "1 compiled" in text or print(text)
f = kn.jit(lambda x: leaky(x * 2, slope=0.5) + 1)
for rows in (70, 20, 1, 300, 26, 25, 0):  # from the second one on for any size
    a = np.random.default_rng(rows).standard_normal((rows, 10)).astype("f4")
    for _ in range(2):
        assert f(kn.asarray(a, device="cuda:0")).numpy().tobytes() == (want(a * 2, 0.5) + 1).tobytes(), rows
text = str(f.explain())
assert "one by one" not in text, text
loop = kn.jit(lambda x: kn.fori_loop(0, 5, lambda i, s: leaky(s, slope=0.5) - 0.25, x))
y = x
for _ in range(5):
    y = want(y, 0.5) - np.float32(0.25)
assert loop(g).numpy().tobytes() == y.tobytes() and "one by one" not in str(loop.explain()), loop.explain()
d = kn.jit(kn.grad(lambda x: kn.sum(leaky(x * 2, slope=0.5))))
for _ in range(2):
    assert np.array_equal(d(g).numpy(), np.where(x < 0, np.float32(1), np.float32(2)))
few = kn.jit(lambda x: make("leaky.cu", launch=lambda x, *, slope: (-(-x.shape[0] // 16), 160))(x) * 2)
for rows in (16, 15, 160, 161, 16):
    a = np.random.default_rng(rows).standard_normal((rows, 10)).astype("f4")
    assert few(kn.asarray(a, device="cuda:0")).numpy().tobytes() == (want(a) * 2).tobytes(), rows
""", folder)


def test_beside_a_kernel_of_the_cpu(folder):
    run("""
leaky = make("leaky.c", "leaky.cu", vjp=lambda ct, x, *, slope: kn.where(x < 0, ct * slope, ct), batch="expand_dims")
for a in (g, kn.asarray(x, device="cpu")):
    y = leaky(a, slope=0.25)
    assert y.device == a.device and y.numpy().tobytes() == want(x, 0.25).tobytes()
    d = kn.grad(lambda a: kn.sum(leaky(a, slope=0.5)))(a)
    assert d.device == a.device and np.array_equal(d.numpy(), np.where(x < 0, np.float32(0.5), np.float32(1)))
    assert kn.vmap(leaky)(a).numpy().tobytes() == want(x).tobytes()
kn.set_default_device("cpu")
kn.export(lambda x: leaky(x) + 1, x, to=folder / "f.kiln")
kn.export(lambda x: leaky(x) + 1, x, to=folder / "libf.so", name="f")
assert kn.load(folder / "f.kiln")(kn.asarray(x, device="cpu")).numpy().tobytes() == (want(x) + 1).tobytes()
""", folder)


def test_several_results_and_launches(folder):
    (folder / "both.cu").write_text("""
extern "C" __global__ void both(const float *x, const float *y, float *sum, long long *order, long long count, long long by) {
  for (long long i = threadIdx.x + blockIdx.x * blockDim.x; i < count; i += by) sum[i] = x[i] + y[i], order[i] = i;
}
""")
    run("""
def shape(x, y, *, by):
    return x, kn.ShapeDtypeStruct(x.shape, "int64")
both = kn.custom_op("both", folder / "both.cu", shape=shape, launch=lambda x, y, *, by: (by // 32, 32))
s, order = both(g, g, by=96)
assert s.numpy().tobytes() == (x + x).tobytes() and np.array_equal(order.numpy().reshape(-1), np.arange(700)) and s.device == order.device == "cuda:0"
s, order = kn.jit(lambda g: both(g, g * 2, by=64))(g)
assert s.numpy().tobytes() == (x + x * 2).tobytes()
for bad in (lambda x, y, *, by: 5, lambda x, y, *, by: (1, 2000), lambda x, y, *, by: (1, 0), lambda x, y, *, by: (1, 32, 1 << 20)):
    op = kn.custom_op("both", folder / "both.cu", shape=shape, launch=bad)
    text = refusal(lambda: op(g, g, by=32), ValueError)
    assert "both: launch: expected blocks, threads up to 1024 and bytes of shared memory up to 232448, got" in text, text
""", folder)


def test_headers_are_part_of_the_code(folder):
    run("""
assert make("leaky.cu")(g).numpy().tobytes() == want(x).tobytes()
(folder / "slopes.h").write_text("#define SCALE 2\\n")
assert make("leaky.cu")(g).numpy().tobytes() == want(x, 0.2).tobytes()
kept = len(list((folder / "cache/ops").glob("*.ptx")))
assert kept == 2, kept
os.environ["NVCC"] = "/nowhere"
assert make("leaky.cu")(g).numpy().tobytes() == want(x, 0.2).tobytes(), "what was compiled is kept"
""", folder, KILN_CACHE="1")


def test_a_driver_that_refuses_the_code(folder):
    run("""
leaky = make("leaky.ptx")
text = refusal(lambda: leaky(g), kn.CompileError)
assert "the simulator takes no PTX" in text, text
""", folder)


def test_ptx_is_read(folder, monkeypatch):
    def make(name, **options):
        return kn.custom_op("leaky", folder / name, **{"shape": lambda x, *, slope=0.1: x, **options})

    x = kn.ones(3)
    leaky = make("leaky.ptx")
    with pytest.raises(kn.DeviceError, match="expected arrays on a GPU"):
        leaky(x)
    with pytest.raises(ValueError, match=r"code of 'leaky.ptx': expected a kernel 'other', got leaky"):
        make("leaky.ptx", symbol="other")
    with pytest.raises(ValueError, match=r"parameters of 'leaky' in 'leaky.ptx': expected 1 operands, 1 results, a count and 0 numbers, of 64 bits each, got \(u64, u64, s64, f64\)"):
        make("leaky.ptx", shape=lambda x: x)(x)
    (folder / "leaky.ptx").write_text(PTX.replace(".s64", ".s32"))
    with pytest.raises(ValueError, match=r"of 64 bits each, got \(u64, u64, s32, f64\)"):
        make("leaky.ptx")(x)
    (folder / "leaky.ptx").write_text(PTX.replace(".u64 leaky_param_1", ".align 8 .b8 leaky_param_1[16]"))
    with pytest.raises(ValueError, match=r"of 64 bits each, got \(u64, b8\[, s64, f64\)"):
        make("leaky.ptx")(x)
    (folder / "leaky.ptx").write_text("nothing")
    with pytest.raises(ValueError, match=r"expected a kernel 'leaky', got none"):
        make("leaky.ptx")
    with pytest.raises(ValueError, match="launch: expected a function, of an op with a kernel for GPUs"):
        make("leaky.c", launch=lambda x, *, slope: (1, 1))
    with pytest.raises(ValueError, match="launch: expected a function"):
        make("leaky.ptx", launch=3)
    (folder / "more.ptx").write_text(PTX)
    with pytest.raises(ValueError, match="sources: expected one file for GPUs, got 'leaky.cu' and 'more.ptx'"):
        kn.custom_op("leaky", [folder / "leaky.cu", folder / "more.ptx"], shape=lambda x: x)
    (folder / "leaky.ptx").write_text(PTX)
    only = make("leaky.ptx")
    with pytest.raises((kn.CompileError, kn.DeviceError)):
        kn.export(lambda x: only(x), x, to=folder / "f.kiln")
    monkeypatch.setenv("NVCC", "/nowhere/nvcc")
    with pytest.raises(kn.CompileError, match=r"compiler: expected '/nowhere/nvcc' on this machine to compile 'leaky.cu', got none: install one \(NVIDIA's CUDA toolkit\), name it in \$NVCC, or give PTX"):
        make("leaky.cu")


def test_what_nvcc_refuses(folder, monkeypatch):
    (folder / "leaky.cu").write_text("no code\n")
    monkeypatch.setenv("NVCC", str(NVCC))
    with pytest.raises(kn.CompileError, match="'leaky.cu': expected it to compile, got"):
        kn.custom_op("leaky", folder / "leaky.cu", shape=lambda x: x)


@pytest.mark.skipif(not shutil.which("nvcc"), reason="needs nvcc")
def test_by_nvcc(folder, monkeypatch):
    """That it compiles, and what its PTX says of parameters."""
    monkeypatch.delenv("NVCC", raising=False)
    leaky = kn.custom_op("leaky", [folder / "leaky.c", folder / "leaky.cu"], shape=lambda x, *, slope=0.1: x)
    assert [p[1:] for p in leaky._parameters] == ["64"] * 4 and leaky(kn.asarray([-1.0], device="cpu")).tolist()[0] == pytest.approx(-0.1)
    (folder / "leaky.cu").write_text(LEAKY.replace("double slope", "float slope"))
    with pytest.raises(ValueError, match="of 64 bits each"):
        kn.custom_op("leaky", folder / "leaky.cu", shape=lambda x, *, slope=0.1: x)(kn.ones(3))
