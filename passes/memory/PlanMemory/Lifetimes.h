// When the arrays of a program of kernels are read.
#pragma once

#include "dialects/kiln/KilnDialect.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"

#include <optional>

namespace kiln {

/// The operations of a program by number, and the last one that reads each array, under any shape.
class Lifetimes {
public:
  explicit Lifetimes(mlir::func::FuncOp program);

  int64_t at(mlir::Operation *op) const { return order.lookup(op); }
  /// The array whose memory a value names, as ir::memoryOf says, in constant time.
  mlir::Value rootOf(mlir::Value value) const { return roots.lookup_or(value, value); }
  /// The last operation that reads an array, or the one that makes it; none where it is an output.
  std::optional<int64_t> lastUse(mlir::Value root) const;

private:
  llvm::DenseMap<mlir::Operation *, int64_t> order;
  llvm::DenseMap<mlir::Value, mlir::Value> roots; // of reshapes
  llvm::DenseMap<mlir::Value, int64_t> last;      // by root
  llvm::DenseSet<mlir::Value> outputs;            // roots
};

/// From which operation of a program on none can fail, so that it may write into arguments.
int64_t firstSafe(mlir::func::FuncOp program, const Lifetimes &lifetimes);

} // namespace kiln
