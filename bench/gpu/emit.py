"""Kernels as MLIR text, and from there to PTX by the packaged tools of LLVM 22.

A kernel is built from values with operators; what comes out are the dialects that Kiln's own GPU code would use: scf, arith, math, vector,
llvm (flat pointers) and nvvm (threads, shuffles, asynchronous copies, matrix instructions). No PTX is written by hand.
"""
import contextlib
import pathlib
import shutil
import subprocess

GLOBAL, SHARED = "!llvm.ptr<1>", "!llvm.ptr<3>"
PASSES = ("convert-nvvm-to-llvm,convert-scf-to-cf,convert-math-to-llvm,convert-vector-to-llvm,convert-arith-to-llvm,convert-cf-to-llvm,"
          "reconcile-unrealized-casts,canonicalize,cse")
# The first pipeline is the one that Kiln runs for the CPU; unrolling is done by the emitters.
LLVM_PASSES = ("always-inline,function(sroa,early-cse<memssa>,instcombine<no-verify-fixpoint>,simplifycfg,loop-mssa(loop-rotate,licm),"
               "separate-const-offset-from-gep,early-cse<memssa>,instcombine<no-verify-fixpoint>,simplifycfg),globaldce")


def tool(name):
    """The packaged tool of that name."""
    return shutil.which(name + "-22") or str(pathlib.Path("/usr/lib/llvm-22/bin") / name)


def run(*command, text):
    done = subprocess.run(command, input=text, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)}:\n{done.stderr[:4000]}")
    return done.stdout


class Value:
    def __init__(self, kernel, name, type):
        self.kernel, self.name, self.type = kernel, name, type

    @property
    def is_float(self):
        return "f32" in self.type or "f64" in self.type

    def _binary(self, op, other):
        if not isinstance(other, Value):
            other = self.kernel.constant(other, self.type)
        return self.kernel.new(f"{op} {self.name}, {other.name} : {self.type}", self.type)

    def __add__(self, other):
        return self._binary("arith.addf" if self.is_float else "arith.addi", other)

    def __sub__(self, other):
        return self._binary("arith.subf" if self.is_float else "arith.subi", other)

    def __mul__(self, other):
        return self._binary("arith.mulf" if self.is_float else "arith.muli", other)

    def __truediv__(self, other):
        return self._binary("arith.divf", other)

    def __floordiv__(self, other):
        return self._binary("arith.divui", other)

    def __mod__(self, other):
        return self._binary("arith.remui", other)

    def __and__(self, other):
        return self._binary("arith.andi", other)

    def __xor__(self, other):
        return self._binary("arith.xori", other)

    def max(self, other):
        return self._binary("arith.maximumf", other)

    def __or__(self, other):
        return self._binary("arith.ori", other)

    def __lshift__(self, by):
        return self._binary("arith.shli", by)

    def __rshift__(self, by):
        return self._binary("arith.shrui", by)

    def __lt__(self, other):
        if not isinstance(other, Value):
            other = self.kernel.constant(other, self.type)
        return self.kernel.new(f"arith.cmpi ult, {self.name}, {other.name} : {self.type}", "i1")

    def to(self, type):
        ops = {("i32", "i64"): "arith.extui", ("i64", "i32"): "arith.trunci"}
        op = ops.get((self.type, type)) or ("arith.extf" if "bf16" in self.type else "arith.truncf" if "bf16" in type else "arith.bitcast")
        return self.kernel.new(f"{op} {self.name} : {self.type} to {type}", type)


class Kernel:
    """One kernel: descriptors of tensors for the copy engine, pointers to global memory, then 32-bit numbers; `threads` a block, at least
    `blocks` of them on a multiprocessor."""

    def __init__(self, name, pointers, numbers=(), threads=256, blocks=None, shared=0, maps=0):
        self.name, self.threads, self.shared, self.lines, self.count, self.constants = name, threads, shared, [], 0, {}
        self.maps = [Value(self, f"%t{i}", "!llvm.ptr") for i in range(maps)]
        self.arguments = [Value(self, f"%a{i}", GLOBAL) for i in range(pointers)] + [Value(self, f"%n{i}", "i32") for i, _ in enumerate(numbers)]
        self.attributes = f"nvvm.kernel, nvvm.maxntid = array<i32: {threads}>" + (f", nvvm.minctasm = {blocks} : i32" if blocks else "")

    def line(self, text):
        self.lines.append(text)

    def new(self, text, type):
        self.count += 1
        self.line(f"%{self.count} = {text}")
        return Value(self, f"%{self.count}", type)

    def constant(self, number, type):
        if type not in ("i1", "i32", "i64"):
            number = float(number)
            text = f"{number:e}" if abs(number) != float("inf") else ("0x7F800000" if number > 0 else "0xFF800000")
        else:
            text = str(int(number))
        text = f"dense<{text}>" if type.startswith("vector") else text
        if (text, type) not in self.constants:
            self.constants[text, type] = Value(self, f"%c{len(self.constants)}", type)
        return self.constants[text, type]

    def special(self, register):
        return self.new(f"nvvm.read.ptx.sreg.{register} : i32", "i32")

    def at(self, pointer, index, element):
        """The address of an element."""
        index = index if isinstance(index, Value) else self.constant(index, "i32")
        return self.new(f"llvm.getelementptr {pointer.name}[{index.name}] : ({pointer.type}, {index.type}) -> {pointer.type}, {element}", pointer.type)

    def load(self, pointer, type, align):
        return self.new(f"llvm.load {pointer.name} {{alignment = {align} : i64}} : {pointer.type} -> {type}", type)

    def store(self, value, pointer, align):
        self.line(f"llvm.store {value.name}, {pointer.name} {{alignment = {align} : i64}} : {value.type}, {pointer.type}")

    def shared_memory(self):
        return self.new("llvm.mlir.addressof @shared : !llvm.ptr<3>", SHARED)

    def fma(self, a, b, c):
        return self.new(f"math.fma {a.name}, {b.name}, {c.name} : {a.type}", a.type)

    def splat(self, a, type):
        return self.new(f"vector.broadcast {a.name} : {a.type} to {type}", type)

    def lane(self, a, i):
        return self.new(f"vector.extract {a.name}[{i}] : {a.type.split('x')[1][:-1]} from {a.type}", a.type.split("x")[1][:-1])

    def pack(self, values):
        type = f"vector<{len(values)}x{values[0].type}>"
        return self.new(f"vector.from_elements {', '.join(v.name for v in values)} : {type}", type)

    def call(self, function, a):
        return self.new(f"llvm.call @{function}({a.name}) : ({a.type}) -> {a.type}", a.type)

    def shuffle(self, a, distance):
        everyone, width, by = (self.constant(n, "i32") for n in (-1, 31, distance))
        return self.new(f"nvvm.shfl.sync bfly {everyone.name}, {a.name}, {by.name}, {width.name} : {a.type} -> {a.type}", a.type)

    def barrier(self):
        self.line("nvvm.barrier")

    def copy_async(self, to, source, size):
        self.line(f"nvvm.cp.async.shared.global {to.name}, {source.name}, {size}, cache = {'cg' if size == 16 else 'ca'} : {SHARED}, {GLOBAL}")

    def commit(self):
        self.line("nvvm.cp.async.commit.group")

    def wait(self, pending):
        self.line(f"nvvm.cp.async.wait.group {pending}")

    @contextlib.contextmanager
    def when(self, condition):
        self.line(f"scf.if {condition.name} {{")
        yield
        self.line("}")

    def loop(self, low, high, step, carried, body):
        """A loop of 32-bit numbers; `body(i, values)` gives the values of the next round."""
        low, high, step = (x if isinstance(x, Value) else self.constant(x, "i32") for x in (low, high, step))
        self.count += 1
        i = Value(self, f"%i{self.count}", "i32")
        inner = [Value(self, f"%l{self.count}_{k}", v.type) for k, v in enumerate(carried)]
        head = f"scf.for {i.name} = {low.name} to {high.name} step {step.name}"
        types = ", ".join(v.type for v in carried)
        result = f"%r{self.count}"
        if carried:
            pairs = ", ".join(f"{a.name} = {b.name}" for a, b in zip(inner, carried))
            head = f"{result}:{len(carried)} = {head} iter_args({pairs}) -> ({types})"
        self.line(head + " : i32 {")
        next = body(i, inner)
        if carried:
            self.line(f"scf.yield {', '.join(v.name for v in next)} : {types}")
        self.line("}")
        return [Value(self, f"{result}#{k}", v.type) for k, v in enumerate(carried)]

    def text(self):
        marks = {GLOBAL: " {llvm.noalias}", "!llvm.ptr": " {llvm.byval = !llvm.array<128 x i8>, llvm.align = 64 : i64, nvvm.grid_constant}"}
        arguments = ", ".join(f"{a.name}: {a.type}{marks.get(a.type, '')}" for a in [*self.maps, *self.arguments])
        constants = [f"{c.name} = arith.constant {text} : {type}" for (text, type), c in self.constants.items()]
        size = f"internal @shared() {{addr_space = 3 : i32, alignment = 1024 : i64}} : !llvm.array<{self.shared} x i8>"
        if self.shared > 48 << 10:  # more than a launch gives without being asked
            size = "external @shared() {addr_space = 3 : i32, alignment = 1024 : i64} : !llvm.array<0 x i8>"
        called = sorted({line.split("@")[1].split("(")[0] for line in self.lines if "llvm.call @" in line})
        return "\n".join(["module {", *(f"llvm.func @{c}(f32) -> f32" for c in called), *([f"llvm.mlir.global {size}"] if self.shared else []),
                          f"llvm.func @{self.name}({arguments}) attributes {{{self.attributes}}} {{", *constants, *self.lines, "llvm.return", "}", "}"])

    def ptx(self, definitions="", chip="sm_90", flags=()):
        """PTX of the kernel; `definitions` is LLVM IR of the functions that it calls."""
        dialect = run(tool("mlir-opt"), f"--pass-pipeline=builtin.module({PASSES})", text=self.text())
        ir = run(tool("mlir-translate"), "--mlir-to-llvmir", text=dialect)
        if definitions:
            ir = "\n".join(line for line in ir.splitlines() if not (line.startswith("declare") and "@kiln_" in line)) + "\n" + definitions
        return ptx_of(ir, chip, flags)


def ptx_of(ir, chip="sm_90", flags=()):
    """PTX of LLVM IR. Strict by default: nothing is contracted, subnormals stay, quotients and roots are rounded correctly."""
    layout = 'target triple = "nvptx64-nvidia-cuda"\n'
    ir = layout + "\n".join(line for line in ir.splitlines() if not line.startswith("target "))
    ir = run(tool("opt"), "-S", f"--passes={LLVM_PASSES}", text=ir)
    ptx = run(tool("llc"), "-mtriple=nvptx64-nvidia-cuda", f"-mcpu={chip}", "-mattr=+ptx80", "-O3", *(flags or ("-fp-contract=off",)), text=ir)
    missing = [line for line in ptx.splitlines() if line.startswith(".extern .func")]
    if missing:
        raise RuntimeError(f"PTX calls functions that nobody defines: {missing}")
    return ptx
