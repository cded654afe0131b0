// Which results of a kernel may lie in the memory of what it reads.
#pragma once

#include "dialects/kiln/KilnDialect.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace kiln {

/// The array outside the kernel that a result is, changed in some places, or what a loop or branch makes of it, where nothing else in the
/// kernel reads it; null where there is none.
mlir::Value changedInput(ir::KernelOp kernel, unsigned result);

/// The reads of a kernel. Each element of a result is written when all that is needed for it has been read, so memory that is read in
/// step, every element at the position that is being written, may hold the result.
class Reads {
public:
  explicit Reads(ir::KernelOp kernel);
  /// Whether result `result` may take over the memory of an array outside the kernel, which nobody reads after it.
  bool allow(unsigned result, mlir::Value memory);

private:
  ir::KernelOp kernel;
  bool isInStep = false;                 // any read is
  llvm::DenseSet<mlir::Value> elsewhere; // what is needed at other positions than the one that is being written
};

/// Whether an operation of a kernel, or of a body that it runs, may fail on some values, so that a program has to end without effect.
bool mayFail(ir::KernelOp kernel);
/// Whether it then has written nothing where its result lies in the memory of what it changes: a scatter of positions that are all looked
/// at before, and of values that cannot fail.
bool failsFirst(ir::KernelOp kernel);

} // namespace kiln
