// Functions that are equal but for their names become one: trips of a loop that are left outside run the kernels of its body.
#pragma once

#include "mlir/IR/BuiltinOps.h"

namespace kiln::cpu {

/// Equal for equal bodies.
llvm::hash_code hashOf(mlir::Region &body);
/// Erases functions of a module that nobody outside sees and that are equal to another one; gives how many.
int64_t mergeEqual(mlir::ModuleOp module);

} // namespace kiln::cpu
