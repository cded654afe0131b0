// What belongs to no kernel: moves of elements, constants and short arithmetic of scalars are pulled into each kernel that reads them,
// unless they must lie in memory. Aliases name the memory of another array by other sizes.
#pragma once

#include "passes/fuse/Fuse/FusionRules.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/DenseSet.h"
#include "llvm/ADT/SetVector.h"

namespace kiln {

class Moves {
public:
  Moves(mlir::func::FuncOp fn, const FusionRules &rules) : fn(fn), block(fn.getBody().front()), rules(rules) {}
  /// Drops what nothing reads, copies what needs memory of its own, and finds what must lie in memory.
  void prepare();

  bool isAlias(mlir::Operation *op) { return llvm::isa<ir::ReshapeOp>(op) && (roots.contains(op) || !ir::addsOnlyUnitAxes(op)); }
  bool isPulled(mlir::Operation *op) { return op && !roots.contains(op) && isMove(op) && !isAlias(op); }
  /// The operations in kernels that a value is read from through what is pulled, and through aliases.
  void producers(mlir::Value v, llvm::SetVector<mlir::Operation *> &found);

private:
  mlir::func::FuncOp fn;
  mlir::Block &block;
  const FusionRules &rules;
  llvm::DenseSet<mlir::Operation *> roots;   // moves that must lie in memory
  llvm::DenseSet<mlir::Operation *> settled; // scalars among them that are too much to compute more than once

  bool isMove(mlir::Operation *op);
  void requireMemory(mlir::Value v);
  bool readsWhenPulled(mlir::Value v, mlir::Value array);
  void startLoopsApart();
  void copyAliasedOutputs();
  void findRoots();
  void copyReshapedArguments();
  void limitPulled();
  bool isMuch(mlir::Operation *scalar);
};

} // namespace kiln
