#ifndef KILN_NVPTX_PASSES
#define KILN_NVPTX_PASSES
include "mlir/Pass/PassBase.td"

def ScheduleNvptx : Pass<"kiln-schedule-nvptx", "::mlir::func::FuncOp"> {
  let summary = "Write on each kernel how the threads of a GPU run it";
  let description = [{
    As `kiln-schedule` does for the CPU. What schedules may say is in `dialects/kiln/Schedule.td`; none of it shows in the bits.

    Counters: `schedule.kernels`.
  }];
  let dependentDialects = ["::kiln::ir::KilnDialect"];
}

def EmitNvptx : Pass<"kiln-emit-nvptx", "::mlir::ModuleOp"> {
  let summary = "Emit each kernel as what one thread of a GPU does, and programs that launch them";
  let description = [{
    Reads the schedules that `kiln-schedule-nvptx` wrote. Kernels become `gpu.func` over flat pointers in one `gpu.module`, of gpu, scf, arith, math and llvm operations, and nvvm ones for asynchronous copies; a
    program becomes a function of `gpu.launch_func`, over its inputs, outputs, the workspace and the status word. So does a body; loops and branches are `scf` operations around calls of bodies. The lowering to NVVM and the simulator of
    the tests start from this form.

    Counters: `emit-nvptx.kernels`.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::func::FuncDialect", "::mlir::gpu::GPUDialect", "::mlir::LLVM::LLVMDialect",
                           "::mlir::math::MathDialect", "::mlir::NVVM::NVVMDialect", "::mlir::scf::SCFDialect"];
}

def LowerToNvvm : Pass<"kiln-lower-to-nvvm", "::mlir::gpu::GPUModuleOp"> {
  let summary = "Convert emitted kernels to the LLVM and NVVM dialects in one conversion";
  let description = "Control flow, arithmetic, math, functions and what is the device's own in one `applyFullConversion`; no function of a library is called.";
  let dependentDialects = ["::mlir::LLVM::LLVMDialect", "::mlir::NVVM::NVVMDialect", "::mlir::cf::ControlFlowDialect"];
}
#endif
