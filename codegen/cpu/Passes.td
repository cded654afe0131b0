#ifndef KILN_CPU_PASSES
#define KILN_CPU_PASSES
include "mlir/Pass/PassBase.td"

def Schedule : Pass<"kiln-schedule", "::mlir::func::FuncOp"> {
  let summary = "Write on each kernel how its loops run on the CPU";
  let description = [{
    The attribute `schedule` of a kernel holds all that emission decides by: tiles, blocks and packing of products, stages and kept values of
    reductions, lanes, the axis that threads share and its grain, stores past the caches. A kernel that has one keeps it, so that a file can be
    changed by hand. What schedules may say is in `dialects/kiln/Schedule.td`; none of it shows in the bits.

    Counters: `schedule.kernels`.
  }];
  let options = [Option<"seed", "seed", "uint64_t", "0", "Draw any schedule that is legal, from this seed (for tests); 0: the usual ones">];
  let dependentDialects = ["::kiln::ir::KilnDialect"];
}

def EmitCpu : Pass<"kiln-emit-cpu", "::mlir::ModuleOp"> {
  let summary = "Emit each kernel as vectorized loops over flat pointers, and the entry that calls them";
  let description = [{
    Reads the schedules that `kiln-schedule` wrote. A kernel becomes a private function over one `noalias` pointer a buffer. The program becomes an entry with the ABI of
    executables, `i32 (rt, buffers, dims, workspace)`; its status is not 0 when an index was out of range. The size of the
    workspace, scratch of kernels included, is the attribute `kiln.workspace_bytes` of the module.

    Equal kernels are one function, also those of a body and of the program around it. Counters: `emit-cpu.kernels` (calls), `emit-cpu.functions`,
    `emit-cpu.merged`, functions that were equal to others.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::func::FuncDialect", "::mlir::LLVM::LLVMDialect",
                           "::mlir::math::MathDialect", "::mlir::scf::SCFDialect", "::mlir::vector::VectorDialect"];
}

def LowerToLlvm : Pass<"kiln-lower-to-llvm", "::mlir::ModuleOp"> {
  let summary = "Convert emitted loops to the LLVM dialect in one conversion";
  let description = [{
    Control flow, arithmetic, math, vectors and functions in one `applyFullConversion`: one walk over the module instead of one
    a dialect, and no cast between them remains.
  }];
  let dependentDialects = ["::mlir::LLVM::LLVMDialect", "::mlir::cf::ControlFlowDialect"];
}
#endif
