"""Kiln's own functions of one element as kernels for the GPU: the LLVM IR that Kiln makes of a program of one number, unchanged but for the
target, called by each thread. And what the CPU gives, to compare bits."""
import ctypes
import pathlib
import re
import subprocess
import tempfile

import numpy as np

UNARY = "exp log tanh erf sin cos sqrt expm1 log1p exp2 log2 sinh erfc lgamma arcsin arctan round sign".split()
BINARY = "add multiply divide power remainder fmod floor_divide hypot arctan2 maximum copysign".split()
CASTS = [("float32", "bfloat16"), ("float32", "float16"), ("float32", "int32"), ("float64", "float32"), ("float64", "int64"), ("int64", "float32")]
INTEGERS = ["floor_divide", "remainder"]
LLVM_TYPE = {"float32": "float", "float64": "double", "int32": "i32", "int64": "i64", "bfloat16": "i16", "float16": "i16"}
VARIANTS = {  # of the flags of llc
    "strict": ("-fp-contract=off",), "default": ("-O3",), "contracted": ("-fp-contract=fast",),
    "ftz": ("-fp-contract=off", "-denormal-fp-math-f32=preserve-sign"), "approximate": ("-fp-contract=off", "-nvptx-prec-divf32=0", "-nvptx-prec-sqrtf32=0")}


def function_ir(kiln_function, dtypes, name):
    """LLVM IR of `kiln_function` of numbers of `dtypes`: void @name(ptr, ..., ptr result)."""
    import kiln as kn

    numbers = [kn.asarray(np.ones((), t)) for t in dtypes]
    ir = kn.jit(kiln_function).lower(*numbers).ir("llvm")
    if "kernel_1" in ir:
        raise RuntimeError(f"{name}: expected one kernel")
    ir = re.sub(r"\ndefine i32 @kiln_entry\(.*?\n}\n", "\n", ir, flags=re.S)
    ir = "\n".join(line for line in ir.splitlines() if not line.startswith(("attributes #", "target ", "source_filename", "!", "@kiln_info", "@kiln_entry")))
    ir = re.sub(r" #\d+", "", ir)
    ir = re.sub(r"define internal i32 @kiln_entry\.kernel_0(\.slot_\d+)?\(", f"define internal i32 @{name}(", ir).replace("@kiln_entry.", f"@{name}.")
    return re.sub(rf"(define internal i32 @{re.escape(name)}\([^)]*\))", r"\1 alwaysinline", ir)


def arguments_of(ir, name):
    """How many arguments the function has."""
    return re.search(rf"@{re.escape(name)}\(([^)]*)\)", ir).group(1).count("ptr")


def kernel_ir(ir, name, inputs, output):
    """Kernels that call the function in each thread: name_run(inputs, result, n), and for one float32 name_bits(result, first, n), whose
    inputs are the bits first, first + 1, ..."""
    rest = arguments_of(ir, name) - len(inputs) - 1
    rest = "".join(", ptr null" for _ in range(rest))
    index = """  %b = call i32 @llvm.nvvm.read.ptx.sreg.ctaid.x()
  %s = call i32 @llvm.nvvm.read.ptx.sreg.ntid.x()
  %t = call i32 @llvm.nvvm.read.ptx.sreg.tid.x()
  %m = mul i32 %b, %s
  %i = add i32 %m, %t
  %in = icmp ult i32 %i, %n
  br i1 %in, label %work, label %end
"""
    parameters = "".join(f"ptr addrspace(1) %x{j}, " for j in range(len(inputs)))
    work = "".join(f"  %p{j} = getelementptr {LLVM_TYPE[t]}, ptr addrspace(1) %x{j}, i32 %i\n  %g{j} = addrspacecast ptr addrspace(1) %p{j} to ptr\n"
                   for j, t in enumerate([*inputs]))
    names = ", ".join(f"ptr %g{j}" for j in range(len(inputs)))
    out = f"""  %q = getelementptr {LLVM_TYPE[output]}, ptr addrspace(1) %y, i32 %i
  %h = addrspacecast ptr addrspace(1) %q to ptr
"""
    call = f"  call i32 @{name}({names}, ptr %h{rest})\n  br label %end\nend:\n  ret void\n}}\n"
    text = ir + "\n" + "".join(f"declare i32 @llvm.nvvm.read.ptx.sreg.{r}.x()\n" for r in ("ctaid", "ntid", "tid"))
    text += f"define ptx_kernel void @{name}_run({parameters}ptr addrspace(1) %y, i32 %n) {{\n{index}work:\n{work}{out}{call}"
    if inputs == ["float32"]:
        made = "  %p0 = alloca float\n  %bits = add i32 %first, %i\n  store i32 %bits, ptr %p0\n"
        text += f"define ptx_kernel void @{name}_bits(ptr addrspace(1) %y, i32 %first, i32 %n) {{\n{index}work:\n{made}{out}{call.replace('%g0', '%p0')}"
    return text


def element_ir(kiln_function, name):
    """float @name(float), for kernels that call it on values."""
    inner = function_ir(kiln_function, ["float32"], name + "_memory")
    rest = "".join(", ptr null" for _ in range(arguments_of(inner, name + "_memory") - 2))
    return inner + f"""
define internal float @{name}(float %x) alwaysinline {{
  %p = alloca float
  %q = alloca float
  store float %x, ptr %p
  call i32 @{name}_memory(ptr %p, ptr %q{rest})
  %y = load float, ptr %q
  ret float %y
}}
"""


def exhaustive(function, library):
    """Checksums of a function of every float32, in runs of 2^20."""
    sums = np.zeros(4096, np.uint64)
    for part in range(256):
        x = np.arange(part << 24, (part + 1) << 24, dtype=np.uint32).view(np.float32)
        y = np.ascontiguousarray(np.asarray(function(x)))
        library.checksums(y.ctypes.data_as(ctypes.c_void_p), ctypes.c_uint64(1 << 24), ctypes.c_uint64(part << 24),
                          sums[part * 16:].ctypes.data_as(ctypes.c_void_p))
    return sums


def with_exact_remainder(ir):
    """The same with remainders from remainder.c."""
    source = pathlib.Path(__file__).with_name("remainder.c")
    made = subprocess.run(["clang-22", "-O2", "--target=nvptx64-nvidia-cuda", "-nogpulib", "-S", "-emit-llvm", source, "-o", "-"], check=True,
                          capture_output=True, text=True).stdout
    made = re.sub(r" #\d+|^attributes.*$|^target.*$|^source_filename.*$|^!.*$|, !\S+ !\d+", "", made, flags=re.M)
    for type, name in (("float", "kiln_fmod_f32"), ("double", "kiln_fmod_f64")):
        ir = re.sub(rf"frem {type} (\S+), (\S+)", rf"call {type} @{name}({type} \1, {type} \2)", ir)
    declared = {re.search(r"@[\w.]+", line).group() for line in ir.splitlines() if line.startswith("declare")}
    made = "\n".join(l for l in made.splitlines() if not (l.startswith("declare") and re.search(r"@[\w.]+", l).group() in declared))
    return ir + "\n" + made


def checksum_library():
    source = pathlib.Path(__file__).with_name("bits.c")
    made = pathlib.Path(tempfile.mkdtemp()) / "bits.so"
    subprocess.run(["clang-22", "-O3", "-march=native", "-shared", "-fPIC", source, "-o", made], check=True)
    return ctypes.CDLL(str(made))
