#!/usr/bin/env python3
"""Makes what `run.py` needs into a folder: PTX, a manifest, and what the CPU computes. Needs Kiln and the tools of LLVM, no GPU.

    .venv/bin/python bench/gpu/build.py build/gpu [--exhaustive]
"""
import argparse
import json
import pathlib
import subprocess
import time

import numpy as np

import kiln as kn
import gemm
import kernels
import samples
import scalar
import wgmma
from emit import ptx_of

FAST_EXP = """
declare float @llvm.nvvm.ex2.approx.f(float)
define internal float @kiln_fast_exp(float %x) alwaysinline {
  %t = fmul float %x, 0x3FF7154760000000
  %y = call float @llvm.nvvm.ex2.approx.f(float %t)
  ret float %y
}
"""
SMALL = """
define ptx_kernel void @empty(ptr addrspace(1) %x, i32 %n) { ret void }
define ptx_kernel void @flag(ptr addrspace(1) %x, i32 %n) {
  store volatile i32 %n, ptr addrspace(1) %x
  ret void
}
declare float @llvm.fma.f32(float, float, float)
define ptx_kernel void @spin(ptr addrspace(1) %x, i32 %n) {
  br label %loop
loop:
  %i = phi i32 [ 0, %0 ], [ %j, %loop ]
  %a = phi float [ 1.0, %0 ], [ %b, %loop ]
  %b = call float @llvm.fma.f32(float %a, float 0.5, float 0.5)
  %j = add i32 %i, 1
  %more = icmp ult i32 %j, %n
  br i1 %more, label %loop, label %end
end:
  store float %b, ptr addrspace(1) %x
  ret void
}
"""
ELEMENTWISE = "exp log tanh erf sin".split()
SAMPLES = 1 << 16


def layernorm(x, gain, bias):
    mean = kn.sum(x, axis=-1, keepdims=True) / x.shape[-1]
    d = x - mean
    return d / kn.sqrt(kn.sum(d * d, axis=-1, keepdims=True) / x.shape[-1] + 1e-5) * gain + bias


def softmax(x):
    e = kn.exp(x - kn.max(x, axis=-1, keepdims=True))
    return e / kn.sum(e, axis=-1, keepdims=True)


def speed_kernels():
    """Pairs of a kernel and LLVM IR of what it calls."""
    k = kernels
    for loads in (1, 2, 4):
        yield k.elementwise(f"chain_f32_x{loads}", k.chain, "f32", loads), ""
        yield k.elementwise(f"chain_bf16_x{loads}", k.chain, "bf16", loads), ""
        yield k.elementwise(f"chain_f32_narrow_x{loads}", k.chain, "f32", loads, narrow=True), ""
    for name in ELEMENTWISE:
        yield k.elementwise(f"map_{name}", k.called(f"kiln_{name}"), "f32", 2), scalar.element_ir(getattr(kn, name), f"kiln_{name}")
    exp = scalar.element_ir(kn.exp, "kiln_exp")
    for columns, warps, ordered in ((1024, 1, False), (1024, 1, True), (4096, 8, False), (4096, 1, True), (4096, 8, True)):
        yield k.softmax(columns, warps, ordered), exp
        yield k.layernorm(columns, warps, ordered), ""
    yield k.softmax(4096, 8, False, "kiln_fast_exp"), FAST_EXP
    for columns in (1024, 4096):
        yield k.row_sum(columns, False), ""
        yield k.row_sum(columns, True), ""
    yield k.row_sum(8192, True), ""
    yield k.pairwise_line(8192), ""
    for block, width in ((1024, 1), (1024, 2), (1024, 4), (128, 1), (128, 4)):
        yield k.column_sum(block, width), ""
    yield k.pairwise_rows(8), ""
    yield k.pairwise_rows(64), ""
    yield k.transpose(32, 1), ""
    yield k.transpose(64, 4), ""
    yield gemm.gemm_f32(2), ""
    yield gemm.gemm_f32(3), ""
    yield gemm.gemm_bf16(128, 128, 32, 4), ""
    yield gemm.gemm_bf16(128, 128, 64, 3), ""
    yield gemm.gemm_bf16(128, 256, 32, 4), ""
    yield gemm.gemm_bf16(128, 256, 64, 3), ""
    yield wgmma.gemm_wgmma(), ""
    yield wgmma.gemm_wgmma(pipelined=True), ""
    yield wgmma.gemm_wgmma(transposed=True), ""
    yield k.checksum(), ""
    yield k.differences(), ""


def scalar_tests():
    """(name, function, input dtypes, result dtype)."""
    for t in ("float32", "float64"):
        yield from ((f"{n}_{t}", getattr(kn, n), [t], t) for n in scalar.UNARY)
        yield from ((f"{n}_{t}", getattr(kn, n), [t, t], t) for n in scalar.BINARY)
    for t in ("int32", "int64"):
        yield from ((f"{n}_{t}", getattr(kn, n), [t, t], t) for n in scalar.INTEGERS)
    for source, target in scalar.CASTS:
        dtype = getattr(kn, target)
        yield f"cast_{source}_{target}", lambda x, dtype=dtype: kn.astype(x, dtype), [source], target


def inputs_of(dtypes, seed):
    if len(dtypes) == 2:
        return samples.pairs(dtypes[0], SAMPLES, seed)
    x, edges = samples.samples(dtypes[0], SAMPLES, seed)
    x[:len(edges)] = edges
    return (x,)


def raw(array):
    """The bits of an array of any dtype of Kiln."""
    array = kn.bitcast(array, kn.uint16) if array.dtype == kn.bfloat16 else array
    return np.ascontiguousarray(np.asarray(array))


def write_kernels(folder, manifest):
    for kernel, definitions in speed_kernels():
        started = time.perf_counter()
        (folder / f"{kernel.name}.ptx").write_text(kernel.ptx(definitions, "sm_90a" if "wgmma" in kernel.name else "sm_90"))
        manifest["kernels"][kernel.name] = {"threads": kernel.threads, "shared": kernel.shared, "rows": getattr(kernel, "rows_a_block", 0), "maps": len(kernel.maps),
                                            "build_s": round(time.perf_counter() - started, 3)}


def write_programs(folder):
    """The probe of costs, and the tests of the runtime as a program that runs where the libraries of the build are not."""
    root = pathlib.Path(__file__).resolve().parents[2]
    (folder / "small.ptx").write_text(ptx_of(SMALL))
    runtime = [*sorted(str(p) for p in (root / "lib/Runtime").glob("Cuda*.cpp")), "lib/Core/LaunchPlan.cpp", "lib/Core/PlanNumber.cpp", "lib/Library/Threads.cpp", "lib/Library/Processors.cpp"]
    for name, source, libraries in (("costs", "bench/gpu/costs.cpp", []), ("overlap", "bench/gpu/overlap.cpp", []), ("cuda-test", "test/unit/CudaTest.cpp", ["test/unit/CudaDeviceTest.cpp", "-lgtest", "-lgtest_main"])):
        subprocess.run(["clang++-22", "-O2", "-std=c++20", f"-I{root}", source, *runtime, *libraries, "-static-libstdc++", "-static-libgcc",
                        "-ldl", "-lpthread", "-o", folder.resolve() / name], check=True, cwd=root)


def write_scalars(folder, manifest):
    expected = {}
    for seed, (name, function, inputs, output) in enumerate(scalar_tests()):
        ir = scalar.kernel_ir(scalar.function_ir(function, inputs, name), name, inputs, output)
        variants = {v: (ir, flags) for v, flags in scalar.VARIANTS.items()}
        if " frem " in ir:  # which LLVM's backend for PTX computes by a rounded quotient
            variants["exact_remainder"] = scalar.with_exact_remainder(ir), scalar.VARIANTS["strict"]
        for variant, (text, flags) in variants.items():
            text = ptx_of(text, flags=flags)
            if variant == "strict" or text != (folder / f"{name}.strict.ptx").read_text():
                (folder / f"{name}.{variant}.ptx").write_text(text)
                manifest["scalars"].setdefault(name, {"inputs": inputs, "output": output, "seed": seed, "variants": []})["variants"].append(variant)
        # Padded by shape: kernels of one number and of arrays have the same bits, which the array shows as well.
        expected[name] = raw(function(*(kn.asarray(x) for x in inputs_of(inputs, seed))))
    np.savez_compressed(folder / "expected_scalars.npz", **expected)


def write_arrays(folder):
    """What jitted programs give for the kernels that keep the CPU's order."""
    expected = {}
    for columns in (1024, 4096):
        x, gain, bias = (samples.uniform(s, i) for i, s in enumerate(((64, columns), (columns,), (columns,))))
        for name, function, args in (("softmax", softmax, (x,)), ("layernorm", layernorm, (x, gain, bias)), ("row_sum", lambda x: kn.sum(x, axis=-1), (x,))):
            expected[f"{name}_{columns}"] = np.asarray(kn.jit(function)(*args))
    expected["sum"] = np.asarray(kn.sum(kn.asarray(np.tile(samples.uniform((1 << 24,), 0), 4))))
    expected["column_sum"] = np.asarray(kn.sum(kn.asarray(samples.uniform((8192, 4096), 5)), axis=0))
    a, b = samples.uniform((1024, 1024), 6), samples.uniform((1024, 1024), 7)
    expected["gemm_f32"] = np.asarray(kn.asarray(a) @ kn.asarray(b))
    # bfloat16 operands are exact in float32: the chain of the CPU, before it is rounded.
    a, b = ((v.view(np.uint32) & np.uint32(0xFFFF0000)).view(np.float32) for v in (a, b))
    expected["gemm_bf16"] = np.asarray(kn.asarray(a) @ kn.asarray(b))
    np.savez(folder / "expected_arrays.npz", **expected)


def write_checksums(folder):
    """Of every float32, some seconds a function."""
    library = scalar.checksum_library()
    path = folder / "checksums.npz"
    done = dict(np.load(path)) if path.exists() else {}
    for name in scalar.UNARY:
        if name not in done:
            started = time.perf_counter()
            done[name] = scalar.exhaustive(getattr(kn, name), library)
            np.savez(path, **done)
            print(f"{name}: {time.perf_counter() - started:.0f} s", flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--exhaustive", action="store_true", help="checksums of the unary functions over every float32 (minutes)")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    if options.exhaustive:
        return write_checksums(options.folder)
    version = subprocess.run(["llc-22", "--version"], capture_output=True, text=True).stdout.split("version ")[1].split()[0]
    manifest = {"llvm": version, "kernels": {}, "scalars": {}}
    write_programs(options.folder)
    write_kernels(options.folder, manifest)
    write_scalars(options.folder, manifest)
    write_arrays(options.folder)
    (options.folder / "manifest.json").write_text(json.dumps(manifest, indent=1))


if __name__ == "__main__":
    main()
