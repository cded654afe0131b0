// From scheduled kernels to functions for a device, and the program that launches them.
#pragma once

#include "dialects/kiln/KilnDialect.h"
#include "lib/Core/LaunchPlan.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinOps.h"

namespace kiln::nvptx {

/// Whether a kernel has code for any size: a few need to know how large some axes are.
bool takesOpenSizes(ir::KernelOp kernel);
/// Whether there are no threads of its own to schedule: the host goes through loops and branches, and calls libraries.
inline bool isOfHost(ir::KernelOp kernel) {
  return kernel.getKind() == ir::KernelKind::Control || kernel.getKind() == ir::KernelKind::Library;
}
/// Writes schedules on the kernels of a program that have none.
llvm::LogicalResult scheduleProgram(mlir::func::FuncOp fn);
/// Replaces programs and bodies by functions that launch kernels, and puts those into a module for a device:
///
///   func.func @program(ptr input..., ptr output..., ptr workspace, ptr status, i64 size...) with gpu.launch_func, loops and
///   branches (Control.h), and calls of libraries (LibraryCalls.h), as func.call of a declaration
///   gpu.module @kernels { gpu.func @kernel_i(ptr buffer..., ptr status, i64 size...) kernel }
///
/// The sizes are those that a call gives: the symbols by number, then the dynamic strides of the inputs and outputs in order. What follows
/// from them is arithmetic: blocks, places in the workspace, and its bytes, which a program with sizes gives back.
llvm::LogicalResult emitPrograms(mlir::ModuleOp module);
/// The launches of an emitted module as a plan, without code.
LaunchPlan planOf(mlir::ModuleOp module);

/// Of a kernel: for each pointer the first byte that it may touch, and the one behind the last, as text where they follow from sizes;
/// bytes of shared memory. Of a program: its inputs, and how many sizes it has.
inline constexpr llvm::StringLiteral kExtents = "kiln.extents", kSharedBytes = "kiln.shared_bytes", kInputs = "kiln.inputs",
                                     kSizes = "kiln.sizes", kCanFail = "kiln.can_fail";

/// Of a module: the chip that it is compiled for, like sm_90a.
inline constexpr llvm::StringLiteral kChip = "kiln.chip";
/// The one whose warps multiply in groups.
inline constexpr llvm::StringLiteral kGroupChip = "sm_90a";

} // namespace kiln::nvptx
