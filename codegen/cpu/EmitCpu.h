// Turns every program of a module (a function of kernels) into functions over pointers. Sets `kiln.workspace_bytes`.
#pragma once

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/Support/LLVM.h"

namespace kiln::cpu {
/// Writes a schedule on each kernel of a program that has none; with a seed, any that is legal.
mlir::LogicalResult scheduleCpu(mlir::func::FuncOp fn, uint64_t seed);
mlir::LogicalResult emitCpu(mlir::ModuleOp module);
} // namespace kiln::cpu
