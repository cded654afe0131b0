// Functions that bodies have become, for the kernels that call them.
#pragma once

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "llvm/ADT/StringMap.h"

namespace kiln::cpu {

/// i32 body(ptr input..., ptr result..., ptr workspace, ptr dims, ptr rt): row-major arrays apart from each other.
struct EmittedBody {
  mlir::func::FuncOp function;
  int64_t workspace = 0;               // bytes
  mlir::func::FuncOp workspaceOf = {}; // of one for any size: i64 workspace(ptr dims), which says them
  int64_t symbols = 0, given = 0;      // of one for any size, how many; of them, how many operands give: the first
  int64_t work = 0;                    // of a run, in cheap element operations
  int64_t inlined = 0;                 // operations that a call becomes where it is inlined; 0: it is not
  llvm::SmallVector<int64_t>
      replaced; // by result, the input that it takes the place of; -1: none. The pointer of such a result is not used
};
using EmittedBodies = llvm::StringMap<EmittedBody>;

/// What a body does between two questions whether to stop, at the most: some 20 microseconds.
inline constexpr int64_t kWorkBetweenPolls = 32768;

/// Up to here a value of a body lies on the stack, from where LLVM brings it into registers.
inline constexpr int64_t kOnStackBytes = 64;

} // namespace kiln::cpu
