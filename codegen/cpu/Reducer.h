// One reduction: how an accumulator starts, takes an element, and joins another.
#pragma once

#include "codegen/cpu/Evaluate.h"
#include "dialects/kiln/Schedule.h"

namespace kiln::cpu {

inline constexpr int64_t kRowBlock = 8192, kColumnBlock = 1024, kRowLanes = 32; // of sums: docs/numerics.md
inline constexpr int64_t kLongRow = 16;                                         // vectors in a row for which more lanes than those pay

/// An accumulator is a value, and of an arg-reduction also where it was found, a number of the dtype `place`. That starts as the first
/// place: where no element beats the identity, all are equal to it, and so the first is the answer. Where true elements are counted by
/// masks it has no lanes.
struct Reducer {
  mlir::Operation *op;
  Op id;
  DType dtype; // of the elements
  bool countsMasks = false;

  static Reducer of(mlir::Operation *op, bool countsMasks = false);
  bool isArg() const { return info(id).kind == Kind::Argreduce; }
  bool isDot() const { return info(id).kind == Kind::Contract; }
  bool isInBlocks() const { return !countsMasks && ir::isInBlocks(op); }
  size_t width() const { return isArg() ? 2 : 1; }
  /// Of the numbers of vectors in an arg-reduction: one mask chooses among them and the elements.
  DType numberType() const { return byteSize(dtype) > 4 ? DType::I64 : DType::I32; }

  llvm::SmallVector<Value> start(Emitter &e, int64_t lanes, DType place) const;
  /// Takes the element at `position`, which moves along `axis`; `here` gives its place.
  llvm::SmallVector<Value> step(Evaluator &ev, llvm::ArrayRef<Value> acc, llvm::ArrayRef<Coordinate> position, size_t axis,
                                llvm::function_ref<Expr()> here) const;
  /// The number of true elements in the lanes at `position`, as the accumulator's dtype.
  Expr count(Evaluator &ev, llvm::ArrayRef<Coordinate> position) const;
  /// Of two accumulators whose places are int64.
  llvm::SmallVector<Value> join(Emitter &e, llvm::ArrayRef<Value> a, llvm::ArrayRef<Value> b) const;
};

} // namespace kiln::cpu
