// Launches of kernels that custom ops bring. In the program they are gpu.launch_func of a gpu.binary of the op's name, which is empty: a
// plan names the op, and whoever loads it has the code.
#pragma once

#include "codegen/cpu/Emit.h"
#include "codegen/nvptx/PlanNumbers.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"

namespace kiln::nvptx {

/// Whether the kernel is a custom op with one for devices, whose words say a launch that there can be.
bool launchesOp(ir::KernelOp kernel);

/// Whether how many blocks there are follows from how many elements.
bool launchesForAnySize(ir::KernelOp kernel);

/// One in a program under emission. Of an operand or result of `kernel`: its pointer, and how many elements it has.
struct OpKernel {
  cpu::Emitter &e;
  ir::KernelOp kernel;
  PlanNumbers numbers; // of the program
  llvm::function_ref<mlir::Value(mlir::Value)> pointerOf;
  llvm::function_ref<cpu::Index(mlir::Value)> elementsOf;
};
void emitOpLaunch(OpKernel k);

/// What a plan says of a pointer, of which these bytes are touched.
using PointerArgument = llvm::function_ref<LaunchPlan::Argument(mlir::Value pointer, mlir::Attribute extent)>;
/// What a plan says of the launch.
LaunchPlan::Launch opLaunchOf(mlir::gpu::LaunchFuncOp op, const PlanNumbers &numbers, PointerArgument pointerArgument);

} // namespace kiln::nvptx
