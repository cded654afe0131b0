// The workspace of a program for any size: a function of the sizes of a call, which says where they are too large.
#pragma once

#include "codegen/cpu/Emit.h"
#include "codegen/cpu/Layout.h"

namespace kiln::cpu {

/// Scratch that a kernel asks for where sizes are open: a value of its function.
struct OpenScratch {
  mlir::func::FuncOp function;
  Index bytes;
};
/// Adds `i64 name(ptr dims)`: the bytes of the planned part, of the open blocks and of the scratch of the kernel that asks for
/// most, which is at least `scratch`; -1 where they are more than kMostWorkspace, or arithmetic overflows on the way.
mlir::func::FuncOp emitWorkspace(mlir::func::FuncOp main, llvm::StringRef name, const Places &places, int64_t scratch,
                                 llvm::ArrayRef<OpenScratch> asked);

} // namespace kiln::cpu
