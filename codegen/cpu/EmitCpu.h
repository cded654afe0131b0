// Turns every program of a module (a function of kernels) into functions over pointers. Sets `kiln.workspace_bytes`.
#pragma once

#include "mlir/IR/BuiltinOps.h"
#include "mlir/Support/LLVM.h"

namespace kiln::cpu {
mlir::LogicalResult emitCpu(mlir::ModuleOp module);
} // namespace kiln::cpu
