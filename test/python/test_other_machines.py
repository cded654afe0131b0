"""Libraries for WebAssembly, Android and microcontrollers: the bits of this machine where they are promised, what they are made of, and what is
refused."""
import json
import pathlib
import shutil
import struct
import subprocess
import warnings

import numpy as np
import pytest

import kiln as kn
from native import compile_c, undefined
from programs import Writer, make_input
from test_library_programs import CODES, SEEDS, raw, same_values

HERE = pathlib.Path(__file__).parent
SUPPORT = HERE.parents[1] / "codegen/library/support"
GCC_OF_ARM = sorted(pathlib.Path("/usr/lib/gcc/arm-none-eabi").glob("*/thumb/v7e-m+fp/softfp/libgcc.a"))


def symbols(path, *options):
    """Names of an object, archive or module: defined ones, and those that it takes from others."""
    nm = shutil.which("llvm-nm-22") or "/usr/lib/llvm-22/bin/llvm-nm"
    lines = [line.split() for line in subprocess.run([nm, *options, path], capture_output=True, text=True, check=True).stdout.splitlines() if line and not line.endswith(":")]
    defined = {parts[-1] for parts in lines if parts[-2] != "U"}
    return defined, {parts[-1] for parts in lines if parts[-2] == "U"} - defined


def make_mlp():
    rng = np.random.default_rng(0)
    w1, b1, w2 = (kn.asarray(rng.normal(size=s).astype(np.float32)) for s in ((8, 16), (16,), (16, 3)))

    def tiny(x):
        y = kn.nn.softmax(kn.tanh(x @ w1 + b1) @ w2, axis=-1)
        return y, kn.exp(kn.astype(y, kn.float64)) + kn.sqrt(kn.astype(y, kn.float64)) + kn.floor(y * 7)

    return tiny


# -- what machines without instructions have


def test_functions_of_libm_are_exact(tmp_path):
    """Each against libm, on all kinds of bits."""
    names = "fma fmaf fmod fmodf trunc floor ceil roundeven sqrt truncf floorf ceilf roundevenf sqrtf rint rintf".split()
    renamed = [f"-D{n}=kiln_{n}" for n in names]
    done = subprocess.run(["clang-22", "-std=c11", "-O1", "-ffreestanding", "-ffp-contract=off", "-fno-builtin", "-fsanitize=undefined", "-fno-sanitize-recover=all", "-DKILN_BARE",
                           *renamed, "-c", SUPPORT / "exact.c", "-o", tmp_path / "exact.o"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    (tmp_path / "main.c").write_text(r"""#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
static uint64_t state = 1;
static uint64_t draw(void) { state ^= state << 13, state ^= state >> 7, state ^= state << 17; return state; }
static double any(double near) {
  static const uint64_t edges[] = {0, 1, 0x000fffffffffffff, 0x0010000000000000, 0x3ff0000000000000, 0x3fe0000000000000, 0x4330000000000001, 0x7fefffffffffffff, 0x7ff0000000000000, 0x7ff8000000000000};
  uint64_t bits = draw(), sign = bits & (uint64_t)1 << 63;
  double x;
  switch (bits % 8) {
  case 0: bits = edges[bits / 8 % 10] | sign; break;
  case 1: bits &= 0x800fffffffffffff; break;
  case 2: bits = (bits & 0x800fffff00000000) | 0x3ff0000000000000 + (bits % 64 << 52); break;
  case 3: return -near * (1 + (double)(bits % 5) * 0x1p-52);
  case 4: return (double)(int64_t)(bits % 4096) / 2;
  case 5: bits = (bits & 0x800fffffffffffff) | 0x3f00000000000000 + (bits % 512 << 52); break;
  }
  memcpy(&x, &bits, 8);
  return x;
}
static int differ(double a, double b) { return a != a ? b == b : memcmp(&a, &b, 8) != 0; }
static int differ_f(float a, float b) { return a != a ? b == b : memcmp(&a, &b, 4) != 0; }
#define ONE(g) double kiln_##g(double); float kiln_##g##f(float);
ONE(trunc) ONE(floor) ONE(ceil) ONE(roundeven) ONE(sqrt) ONE(rint)
double kiln_fma(double, double, double); float kiln_fmaf(float, float, float); double kiln_fmod(double, double); float kiln_fmodf(float, float);
double roundeven(double); float roundevenf(float);
#define CHECK(f, wanted, got, d) if (d(wanted, got)) return printf(f ": %a %a %a: expected %a, got %a\n", x, y, z, (double)(wanted), (double)(got)), 1
int main(void) {
  for (int i = 0; i < 2000000; ++i) {
    double x = any(1), y = any(x), z = any(x * y);
    float a = (float)x, b = (float)y, c = i % 2 ? (float)z : (float)any(a * b);
    CHECK("fma", fma(x, y, z), kiln_fma(x, y, z), differ);
    CHECK("fmaf", fmaf(a, b, c), kiln_fmaf(a, b, c), differ_f);
    if (i % 8 == 0) CHECK("fmod", fmod(x, y), kiln_fmod(x, y), differ);
    if (i % 8 == 0) CHECK("fmodf", fmodf(a, b), kiln_fmodf(a, b), differ_f);
#define BOTH(g) CHECK(#g, g(x), kiln_##g(x), differ); CHECK(#g "f", g##f(a), kiln_##g##f(a), differ_f)
    BOTH(trunc); BOTH(floor); BOTH(ceil); BOTH(roundeven); BOTH(sqrt); BOTH(rint);
  }
  return 0;
}
""")
    program = tmp_path / "main"
    done = subprocess.run(["clang-22", "-std=c2x", "-O1", "-ffp-contract=off", "-fno-builtin", "-fsanitize=undefined", tmp_path / "main.c", tmp_path / "exact.o", "-o", program, "-lm"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    done = subprocess.run([program], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


# -- WebAssembly


class Module:
    """A module of WebAssembly that Kiln has made, in wasmtime."""

    def __init__(self, path, name, weights=()):
        wasmtime = pytest.importorskip("wasmtime", reason="the package wasmtime is not installed (make test-machines installs it)")
        engine = wasmtime.Engine()
        self.store = wasmtime.Store(engine)
        module = wasmtime.Module.from_file(engine, str(path))
        assert not module.imports
        self.exports = wasmtime.Instance(self.store, module, []).exports(self.store)
        self.memory, self.name = self.exports["memory"], name
        self.signature = json.loads(self.text(self.call("signature")))
        place = self.call("alloc", 8)
        pointers = self.put(struct.pack(f"<{len(weights)}I", *[self.put(w) & 0xffffffff for w in weights]) or b"\0")
        options = self.put(struct.pack("<IIII", 16, pointers & 0xffffffff, 0, 0)) if weights else 0
        assert self.call("open", place, options, 0, 0) == 0
        self.handle, = struct.unpack("<I", self.read(place, 4))

    def call(self, function, *arguments):
        return self.exports[f"{self.name}_{function}"](self.store, *arguments)

    def read(self, place, count):
        return bytes(self.memory.read(self.store, place & 0xffffffff, (place & 0xffffffff) + count))

    def text(self, place):
        return self.read(place, 1 << 14).split(b"\0")[0].decode()

    def put(self, data):
        place = self.call("alloc", len(data))
        assert place % 64 == 0 and place
        self.memory.write(self.store, data, place & 0xffffffff)
        return place

    def tensor(self, dtype, shape, data):
        """A DLTensor as 32 bits have it: its place, and that of its data."""
        place = self.put(data or b"\0")
        sizes = self.put(struct.pack(f"<{len(shape)}q", *shape) or b"\0")
        bits = {"bool": 8, "bfloat16": 16}.get(dtype) or 8 * np.dtype(dtype).itemsize
        return self.put(struct.pack("<IiiiBBHIIIQ", place & 0xffffffff, 1, 0, len(shape), CODES.get(dtype, 2), bits, 1, sizes & 0xffffffff, 0, 0, 0)), place

    def run(self, inputs, outputs, entry="run"):
        """The status, its sentence, and what is in the tensors then: inputs are (dtype, shape, bytes), outputs (dtype, shape, count of bytes)."""
        made = [self.tensor(*i) for i in inputs] + [self.tensor(d, s, bytes(n)) for d, s, n in outputs]
        lists = [self.put(struct.pack(f"<{len(part)}I", *[t & 0xffffffff for t, _ in part]) or b"\0") for part in (made[:len(inputs)], made[len(inputs):])]
        text = self.put(bytes(512))
        status = self.call(f"{entry}_dlpack", self.handle, lists[0], len(inputs), lists[1], len(outputs), 0, 0, text, 512)
        counts = [len(i[2]) for i in inputs] + [n for _, _, n in outputs]
        result = status, self.text(text), [self.read(p, n) for (_, p), n in zip(made, counts)]
        for place in [p for pair in made for p in pair] + [*lists, text]:
            self.call("free", place)
        return result


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tiny")
    x = np.random.default_rng(1).normal(size=(3, 8)).astype(np.float32)
    return folder, x, [np.asarray(a) for a in kn.jit(make_mlp())(kn.asarray(x))]


def export(tiny, to, **options):
    kn.export(make_mlp(), np.zeros((2, 8), np.float32), to=tiny[0] / to, header=tiny[0] / "tiny.h", name="tiny", dynamic={"x": {0: ("n", 2, 64)}}, output_names=["y", "z"], **options)
    return tiny[0] / to


def test_a_module_of_webassembly(tiny):
    path = export(tiny, "tiny.wasm")
    assert path.stat().st_size < 80_000
    module = Module(path, "tiny")
    _, x, (y, z) = tiny
    status, text, (_, got_y, got_z) = module.run([("float32", x.shape, x.tobytes())], [("float32", y.shape, y.nbytes), ("float64", z.shape, z.nbytes)])
    assert status == 0, text
    np.testing.assert_allclose(np.frombuffer(got_y, np.float32), y.ravel(), rtol=1e-5, atol=1e-7)  # contractions round each step twice
    np.testing.assert_allclose(np.frombuffer(got_z, np.float64), z.ravel(), rtol=1e-5, atol=1e-7)
    status, text, _ = module.run([("float32", (1, 8), bytes(32))], [("float32", (1, 3), 12), ("float64", (1, 3), 24)])
    assert (status, text) == (-2, "tiny_run: n: expected a size from 2 to 64, got 1")
    assert module.call("run_workspace_size", module.handle, 64) > 0 and module.call("run_workspace_size", module.handle, 65) == -2
    assert module.call("open", 0, 0, 0, 0) == -1
    module.call("close", module.handle)


def test_a_module_tells_the_size_that_values_decide(tmp_path):
    kn.export(lambda x: x[x > 0] * 2, np.zeros(5, np.float32), to=tmp_path / "f.wasm", name="f")
    module = Module(tmp_path / "f.wasm", "f")
    x, y, size, text = module.put(np.float32([1, -2, 3, -4, 5]).tobytes()), module.put(bytes(20)), module.put(bytes(8)), module.put(bytes(200))
    assert module.call("run", module.handle, x, y, 2, size, 0, 0, text, 200) == -15 and module.text(text) == "f_run: out0: expected room for 3 elements, got 2"
    assert module.call("run", module.handle, x, y, 3, size, 0, 0, text, 200) == 0 and struct.unpack("<q", module.read(size, 8)) == (3,)
    assert np.frombuffer(module.read(y, 20), np.float32).tolist() == [2, 6, 10, 0, 0]


def test_memory_of_a_module_is_used_again(tiny):
    module = Module(export(tiny, "tiny.wasm"), "tiny")
    rng, blocks = np.random.default_rng(0), {}
    for step in range(4000):
        if blocks and rng.random() < 0.5:
            place = list(blocks)[rng.integers(len(blocks))]
            assert module.read(place, len(blocks[place])) == blocks.pop(place)
            module.call("free", place)
        else:
            data = rng.bytes(int(rng.integers(1, 3000)))
            blocks[module.put(data)] = data
        if step == 2000:
            size = module.memory.size(module.store)
    for place, data in blocks.items():
        assert module.read(place, len(data)) == data
        module.call("free", place)
    assert module.memory.size(module.store) <= size + 16
    assert module.call("alloc", -1) == 0
    module.call("free", 0)


def test_weights_of_the_caller_in_a_module(tmp_path):
    w = kn.asarray(np.arange(3, dtype=np.float32))
    kn.export(lambda x: x * w, np.zeros(3, np.float32), to=tmp_path / "f.wasm", name="f", weights="caller")
    module = Module(tmp_path / "f.wasm", "f", [np.arange(5, 8, dtype=np.float32).tobytes()])
    x = np.ones(3, np.float32)
    status, text, (_, got) = module.run([("float32", (3,), x.tobytes())], [("float32", (3,), 12)])
    assert status == 0 and np.frombuffer(got, np.float32).tolist() == [5, 6, 7], text
    text = module.put(bytes(200))
    assert module.call("open", module.put(bytes(4)), 0, text, 200) == -10
    assert module.text(text) == "f: weights: expected them in the options, as the library has none of its own, got NULL"


def test_math_in_webassembly_has_the_bits_of_this_machine(tmp_path):
    """Elementwise functions and sums, which use fused multiply-adds for what they lose otherwise."""
    x = np.concatenate([np.random.default_rng(0).integers(0, 2**32, 4000, np.uint32).view(np.float32), np.linspace(-20, 20, 2001, dtype=np.float32), [0, -0.0, np.inf, -np.inf, np.nan]]).astype(np.float32)

    def f(a, d):
        results = [g(a) for g in (kn.exp, kn.log, kn.sin, kn.cos, kn.tan, kn.tanh, kn.sinh, kn.expm1, kn.log1p, kn.sqrt, kn.floor, kn.special.erf, kn.special.gammaln)]
        results += [g(d) for g in (kn.exp, kn.log, kn.sin, kn.tanh, kn.special.erf)]
        return [*results, a ** 3.3, kn.abs(d) ** 1.7, kn.sum(kn.where(kn.isfinite(a), a, 0)), a % 0.7, d % -3.1, kn.astype(a, kn.float16), kn.astype(kn.astype(a, kn.float16), kn.float32), kn.astype(a, kn.bfloat16), kn.astype(a, kn.int32)]

    d = x.astype(np.float64) * 1.37
    kn.export(f, x, d, to=tmp_path / "f.wasm", name="f")
    module, wanted = Module(tmp_path / "f.wasm", "f"), kn.jit(f)(kn.asarray(x), kn.asarray(d))
    status, text, got = module.run([("float32", x.shape, x.tobytes()), ("float64", d.shape, d.tobytes())], [(w.dtype.name, w.shape, len(raw(w))) for w in wanted])
    assert status == 0, text
    for i, (g, w) in enumerate(zip(got[2:], wanted, strict=True)):
        assert same_values(g, w), i


def test_random_programs_in_webassembly(tmp_path):
    pytest.importorskip("wasmtime", reason="the package wasmtime is not installed (make test-machines installs it)")
    compared = 0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for seed in range(SEEDS):
            rng = np.random.default_rng(seed)
            writer = Writer(rng)
            text, scope = writer.text(int(rng.integers(5, 20))), {"kn": kn}
            exec(text, scope)
            inputs = [make_input(rng, *writer.vars[n]) for n in writer.inputs]
            package = tmp_path / "p.kiln"
            kn.export(scope["program"], *(kn.copy(x) for x in inputs), to=package, name="p")
            try:
                kn._core.make_library(str(package), str(tmp_path / "p.wasm"), {"emit": "so", "target": "wasm32-wasi"})
            except kn.KilnError as error:
                assert "as a library has no routines of Kiln's runtime" in str(error), f"seed {seed}: {error}\n{text}"
                continue
            loaded = kn._core.load_package(str(package), True)
            (entry,) = json.loads(loaded.manifest())["entries"]
            given = [kn.copy(inputs[writer.inputs.index(i["name"])]) for i in entry["inputs"] if i["role"] in ("argument", "number")]
            before = [(x.dtype.name, x.shape, raw(x)) for x in given]
            fresh = loaded.function("run")(given)
            status, sentence, got = Module(tmp_path / "p.wasm", "p").run(before, [(r.dtype.name, r.shape, len(raw(r))) for r in fresh])
            assert status == 0, f"seed {seed}: {sentence}\n{text}"
            contracts = any(word in kn._core.print_ir(loaded.program(0), "kiln") for word in ("dot_general", "convolve"))
            for i, (g, w) in enumerate(zip(got, [*given, *fresh], strict=True)):
                assert contracts or same_values(g, w), f"seed {seed}: tensor {i}\n{text}"
            compared += not contracts
    assert compared >= SEEDS // 4


def test_objects_of_webassembly(tiny):
    for name in ("tiny.o", "libtiny.a"):
        defined, taken = symbols(export(tiny, name, target="wasm32-wasi"))
        assert {"tiny_open", "tiny_run", "tiny_run_dlpack"} <= defined
        assert taken <= {"__stack_pointer", "__indirect_function_table", "__linear_memory", "aligned_alloc", "bcmp", "free", "memcmp", "memcpy", "memmove", "memset", "sched_yield"}, taken


# -- Android


def test_android(tiny, tmp_path):
    path = export(tiny, "tiny.o", target="aarch64-linux-android")
    defined, taken = symbols(path)
    assert {"tiny_open", "tiny_run"} <= defined and taken <= {"aligned_alloc", "close", "dladdr", "free", "getauxval", "lseek", "memcmp", "memcpy", "memmove", "memset", "mmap", "munmap", "open", "sched_yield"}
    library = export(tiny, "libtiny.so", target="aarch64-linux-android")
    text = subprocess.run(["readelf", "-dlW", library], capture_output=True, text=True, check=True).stdout
    assert "[libc.so]" in text and "[libdl.so]" in text and "libc.so.6" not in text
    assert all(line.split()[-1] == "0x4000" for line in text.splitlines() if line.split()[:1] == ["LOAD"])
    if not shutil.which("aarch64-linux-gnu-gcc") or not shutil.which("qemu-aarch64"):
        pytest.skip("aarch64-linux-gnu-gcc and qemu-aarch64 are needed to run it (make test-machines installs them)")
    (tmp_path / "main.c").write_text("""#include "tiny.h"
#include <stdio.h>
int main(void) {
  float x[24], y[9];
  double z[9];
  tiny *m;
  if (fread(x, 4, 24, stdin) != 24 || tiny_open(&m, NULL, NULL, 0)) return 1;
  int status = tiny_run(m, x, 3, y, z, NULL, 0, NULL, 0);
  fwrite(y, 4, 9, stdout), fwrite(z, 8, 9, stdout);
  tiny_close(m);
  return status;
}
""")
    program = compile_c(tmp_path / "main.c", tmp_path / "main", "-I", tiny[0], path, compiler="aarch64-linux-gnu-gcc")
    done = subprocess.run(["qemu-aarch64", "-L", "/usr/aarch64-linux-gnu", program], input=tiny[1].tobytes(), capture_output=True)
    assert done.returncode == 0 and done.stdout == b"".join(a.tobytes() for a in tiny[2])


# -- microcontrollers

OF_EABI = {"memcmp", "memcpy", "memmove", "memset"}


@pytest.mark.parametrize("name", ["libtiny.a", "tiny.o"])
@pytest.mark.parametrize("cpu", [None, "cortex-m7", "cortex-m3", "cortex-m33"])
def test_a_library_of_a_microcontroller(name, cpu, tiny):
    target = "thumbv8m.main-none-eabi" if cpu == "cortex-m33" else "thumbv7em-none-eabi"
    path = export(tiny, name, target=target, cpu=cpu)
    defined, taken = symbols(path)
    assert {"tiny_init", "tiny_run", "tiny_run_workspace_size", "tiny_signature", "tiny_status_text"} <= defined
    assert not {"tiny_open", "tiny_run_dlpack"} & defined
    assert all(n in OF_EABI or n.startswith("__aeabi_") for n in taken), taken
    header = (tiny[0] / "tiny.h").read_text()
    assert "int32_t tiny_init(tiny *m, const tiny_weights *weights);" in header and "tiny_open" not in header and "dlpack" not in header
    size = shutil.which("llvm-size-22") or "/usr/lib/llvm-22/bin/llvm-size"
    text = subprocess.run([size, "-t" if name.endswith(".a") else "-B", path], capture_output=True, text=True, check=True).stdout.splitlines()[-1].split()
    assert int(text[0]) < 44_000 and int(text[2]) < 64, text  # code and constants; nothing in RAM


def test_a_microcontroller_in_qemu(tiny, tmp_path):
    if not shutil.which("qemu-system-arm") or not GCC_OF_ARM:
        pytest.skip("qemu-system-arm and gcc-arm-none-eabi (for the functions of the EABI) are needed (make test-machines installs them)")
    path = export(tiny, "libtiny.a", target="thumbv7em-none-eabi")
    (tmp_path / "input.inc").write_text(",".join(float(v).hex() + "f" for v in tiny[1].ravel()))
    (tmp_path / "link.ld").write_text("""ENTRY(reset)
SECTIONS {
  .text 0 : { KEEP(*(.vectors)) *(.text*) *(.rodata*) }
  .ARM.exidx : { *(.ARM.ex*) }
  .data 0x20000000 : { *(.data*) *(.bss*) *(COMMON) }
}
""")
    done = subprocess.run(["clang-22", "--target=thumbv7em-none-eabi", "-mcpu=cortex-m4", "-mfloat-abi=softfp", "-std=c11", "-O1", "-ffreestanding", "-nostdlib", "-fno-builtin", "-Wall", "-Wextra", "-Werror", "-Wno-incompatible-library-redeclaration", "-fuse-ld=lld",
                           "-isystem", "/usr/lib/llvm-22/lib/clang/22/include", "-I", tmp_path, "-I", tiny[0], HERE / "bare_run.c", path, GCC_OF_ARM[-1], "-Wl,--gc-sections",
                           f"-Wl,-T,{tmp_path}/link.ld", "-o", tmp_path / "image"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    done = subprocess.run(["qemu-system-arm", "-M", "mps2-an386", "-nographic", "-monitor", "none", "-serial", "none", "-semihosting-config", "enable=on,target=native", "-kernel", tmp_path / "image"],
                          capture_output=True, text=True, timeout=60)
    lines = (done.stdout + done.stderr).splitlines()
    assert lines[-1:] == ["done"], lines
    y, z = tiny[2]
    # the unit for floats multiplies and adds in one: the bits of this machine
    assert lines[0] == y.tobytes().hex() and lines[1] == z.tobytes().hex()
    assert lines[2] == "tiny_run: n: expected a size from 2 to 64, got 99" and lines[3].startswith("tiny_run: workspace: expected memory for ")


# -- what is refused


@pytest.mark.parametrize("to, options, text", [
    ("f.so", dict(target="thumbv7em-none-eabi"), "emit: expected archive or obj, as nothing is loaded on thumbv7em.*, got 'so'"),
    ("f.a", dict(target="thumbv7em-none-eabi", weights="file"), "weights: expected 'embed' or 'caller' for thumbv7em.*, which has no files, got 'file'"),
    ("f.wasm", dict(weights="file"), "weights: expected 'embed' or 'caller' for wasm32.*, which has no files, got 'file'"),
    ("f.wasm", dict(project="project", header="f.h"), "project: expected a target with Linux, got 'wasm32"),
    ("f.kiln", dict(target="wasm32-wasi"), "emit: expected code of Linux for a package, got 'wasm32"),
    ("f.a", dict(target="thumbv7em-linux-gnueabi"), "target: expected thumbv7em-none-eabi or another of none-eabi, got 'thumbv7em-linux-gnueabi'"),
    ("f.a", dict(target="thumbv7em-none-eabi", cpu="cortex-m4,cortex-m7"), "cpu: expected one, as a microcontroller is known, got 'cortex-m4,cortex-m7'"),
    ("f.a", dict(target="mips-none-elf"), "expected one of x86-64, AArch64, RISC-V, WebAssembly or Arm|target: expected one of x86_64-linux-gnu, aarch64-linux-gnu, aarch64-linux-android, riscv64-linux-gnu, wasm32-wasi, thumbv7em-none-eabi")])
def test_what_these_machines_lack(to, options, text, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(kn.KilnError, match=text):
        kn.export(lambda x: x + 1, np.zeros(3), to=to, name="f", **options)


def test_many_sizes_on_a_microcontroller(tmp_path):
    arrays = [np.zeros(4, np.float32) for _ in range(17)]
    with pytest.raises(kn.KilnError, match="run: expected at most 16 sizes and numbers that follow from them on thumbv7em.*, got 17|at most 16"):
        kn.export(lambda *xs: [x + 1 for x in xs], *arrays, to=tmp_path / "f.a", name="f", target="thumbv7em-none-eabi", assume_sizes=True,
                  dynamic={f"xs_{i}": {0: (f"n{i}", 4, 4)} for i in range(17)})


def test_the_layout_of_services_is_the_same_everywhere(tmp_path):
    (tmp_path / "main.c").write_text("""#include "include/kiln/executable.h"
#include <stddef.h>
_Static_assert(offsetof(kiln_rt, library) == 8 && offsetof(kiln_rt, parallel_for) == 16 && offsetof(kiln_rt, commits) == 32, "slots");
""")
    for target in ("x86_64-linux-gnu", "wasm32-wasi", "thumbv7em-none-eabi"):
        subprocess.run(["clang-22", f"--target={target}", "-std=c11", "-ffreestanding", "-fsyntax-only", "-I", HERE.parents[1], tmp_path / "main.c"], check=True)
