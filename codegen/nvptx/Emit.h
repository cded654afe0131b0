// From scheduled kernels to functions for a device, and the program that launches them.
#pragma once

#include "lib/Core/LaunchPlan.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinOps.h"

namespace kiln::nvptx {

/// Writes schedules on the kernels of a program that have none.
llvm::LogicalResult scheduleProgram(mlir::func::FuncOp fn);
/// Replaces programs by functions that launch kernels, and puts those into a module for a device:
///
///   func.func @program(ptr input..., ptr output..., ptr workspace, ptr status) with gpu.launch_func alone
///   gpu.module @kernels { gpu.func @kernel_i(ptr buffer..., ptr status) kernel }
llvm::LogicalResult emitPrograms(mlir::ModuleOp module);
/// The launches of an emitted module as a plan, without code.
LaunchPlan planOf(mlir::ModuleOp module);

/// Of a kernel: for each pointer the first byte that it may touch, and the one behind the last; bytes of shared memory.
inline constexpr llvm::StringLiteral kExtents = "kiln.extents", kSharedBytes = "kiln.shared_bytes", kInputs = "kiln.inputs",
                                     kCanFail = "kiln.can_fail";

/// Of a module: the chip that it is compiled for, like sm_90a.
inline constexpr llvm::StringLiteral kChip = "kiln.chip";
/// The one whose warps multiply in groups.
inline constexpr llvm::StringLiteral kGroupChip = "sm_90a";

} // namespace kiln::nvptx
