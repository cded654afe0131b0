"""The kernels of bench/gpu as PTX, on machines without a GPU: that the way through upstream's dialects holds, and what the code consists of."""
import ctypes
import math
import pathlib
import re
import shutil
import struct
import subprocess
import sys

import numpy as np
import pytest

import kiln as kn

FOLDER = pathlib.Path(__file__).resolve().parents[2] / "bench/gpu"
sys.path.insert(0, str(FOLDER))

import emit  # noqa: E402
import gemm  # noqa: E402
import kernels  # noqa: E402
import scalar  # noqa: E402
import wgmma  # noqa: E402

if not pathlib.Path(emit.tool("llc")).exists():
    pytest.skip("the tools of LLVM are not here", allow_module_level=True)


def instructions(ptx):
    return set(re.findall(r"^\s*(?:@!?%p\d+ )?([a-z][\w.:]+)", ptx, re.M))


def scalar_ptx(function, dtypes, flags=scalar.VARIANTS["strict"]):
    ir = scalar.function_ir(function, dtypes, "f")
    return emit.ptx_of(scalar.kernel_ir(ir, "f", dtypes, dtypes[0]), flags=flags)


@pytest.mark.parametrize("name", ["exp", "log", "tanh", "erf", "sin", "lgamma"])
def test_functions_need_no_library_and_round_as_the_cpu(name):
    ptx = scalar_ptx(getattr(kn, name), ["float32"])
    used = instructions(ptx)
    assert ".extern" not in ptx and "call" not in used
    assert "fma.rn.f32" in used or "fma.rn.f64" in used
    inexact = [i for i in used if ".ftz" in i or ".approx" in i or ".full" in i]
    assert not inexact
    # Without .rn the driver's compiler may contract.
    assert not [i for i in used if re.fullmatch(r"(add|sub|mul)\.f(32|64)", i)]


def test_contraction_has_to_be_asked_for():
    def f(x, y):
        return x * y + x
    strict = scalar_ptx(f, ["float32", "float32"])
    assert {"mul.rn.f32", "add.rn.f32"} <= instructions(strict)
    assert scalar_ptx(f, ["float32", "float32"], scalar.VARIANTS["default"]) == strict
    assert "fma.rn.f32" in instructions(scalar_ptx(f, ["float32", "float32"], scalar.VARIANTS["contracted"]))


def test_functions_that_nobody_defines_are_refused():
    with pytest.raises(RuntimeError, match="nobody defines"):
        emit.ptx_of("declare float @missing(float)\ndefine ptx_kernel void @f(ptr addrspace(1) %p) {\n %x = call float @missing(float 1.0)\n"
                    " store float %x, ptr addrspace(1) %p\n ret void\n}\n")


def test_accesses_are_wide_and_rows_stay_in_registers():
    chain = kernels.elementwise("chain", kernels.chain, "f32", 2).ptx()
    assert chain.count("ld.global.v4.b32") == chain.count("st.global.v4.b32") == 2
    rows = kernels.softmax(1024).ptx(scalar.element_ir(kn.exp, "kiln_exp"))
    assert rows.count("ld.global.v4.b32") == rows.count("st.global.v4.b32") == 8
    assert rows.count("shfl.sync.bfly") == 10 and ".local" not in rows and "bar.sync" not in rows


def test_products_use_matrix_instructions():
    assert "fma.rn.f32" in instructions(gemm.gemm_f32(2).ptx())
    narrow = gemm.gemm_bf16().ptx()
    assert "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32" in narrow
    assert "ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16" in narrow and "cp.async.cg.shared.global" in narrow
    for transposed in (False, True):
        hopper = wgmma.gemm_wgmma(transposed=transposed).ptx(chip="sm_90a")
        assert hopper.count("wgmma.mma_async.sync.aligned.m64n256k16.f32.bf16.bf16") == 4
        assert "cp.async.bulk.tensor.2d" in hopper
        assert "cvta.param.u64" in hopper and ".local" not in hopper  # descriptors are read where they were passed


@pytest.mark.skipif(not shutil.which("ptxas"), reason="no ptxas here")
def test_ptxas_takes_the_largest_kernels_without_spills(tmp_path):
    for kernel, chip in ((gemm.gemm_f32(3), "sm_90"), (gemm.gemm_bf16(128, 256, 64, 3), "sm_90"), (wgmma.gemm_wgmma(), "sm_90a")):
        source = tmp_path / "kernel.ptx"
        source.write_text(kernel.ptx(chip=chip))
        said = subprocess.run(["ptxas", f"-arch={chip}", "-v", source, "-o", tmp_path / "kernel.cubin"], capture_output=True, text=True)
        assert said.returncode == 0, said.stderr
        assert " 0 bytes spill stores" in said.stderr and "warning" not in said.stderr


def test_remainders_in_integers_are_those_of_the_c_library(tmp_path):
    made = tmp_path / "remainder.so"
    subprocess.run(["clang-22", "-O2", "-shared", "-fPIC", FOLDER / "remainder.c", "-o", made], check=True)
    library = ctypes.CDLL(str(made))
    rng = np.random.default_rng(0)
    for name, dtype, code in (("kiln_fmod_f32", "float32", "f"), ("kiln_fmod_f64", "float64", "d")):
        kind = ctypes.c_float if dtype == "float32" else ctypes.c_double
        function = getattr(library, name)
        function.argtypes, function.restype = (kind, kind), kind
        info = np.finfo(dtype)
        edges = [0.0, 1, 0.1, 3, 1e5, math.inf, math.nan, info.tiny, info.max, info.smallest_subnormal, info.tiny / 3]
        edges = np.array(edges + [-e for e in edges], dtype)
        pairs = [(x, y) for x in edges for y in edges]
        whole = rng.integers(0, 2**(8 * np.dtype(dtype).itemsize), (3000, 2), "uint64").astype(f"uint{8 * np.dtype(dtype).itemsize}").view(dtype)
        pairs += [(x, y) for x, y in whole]
        for x, y in pairs:
            with np.errstate(all="ignore"):
                want = np.fmod(x, y)
            got = function(float(x), float(y))
            assert struct.pack(code, got) == struct.pack(code, want) or (math.isnan(got) and np.isnan(want)), (x, y)
