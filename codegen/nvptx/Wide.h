// Accesses of several elements beside each other: what a thread has in flight counts, and each access costs an instruction.
#pragma once

#include "codegen/nvptx/Kernels.h"

namespace kiln::nvptx {

/// `count` positions beside each other along an axis, the first of which is a multiple of it.
class Wide {
public:
  Wide(GpuKernel &k, int64_t count) : k(k), e(k.e), ev(k.ev), count(count) {}

  /// Whether what the kernel was given begins at whole accesses; null: it always does.
  Value isAligned();
  /// `position` moved along `axis` to element `number` * count, and the ones behind it.
  llvm::SmallVector<Coordinates> from(Coordinates position, size_t axis, Index number);
  /// Loads at once what `value` needs of each array at the positions, where it lies there one after the other, for the evaluator to find.
  void load(Value value, llvm::ArrayRef<Coordinates> at);
  /// Stores a value for each position, at once where they lie one after the other.
  void store(const Buffer &to, llvm::ArrayRef<Coordinates> at, llvm::ArrayRef<Expr> values);

private:
  GpuKernel &k;
  Emitter &e;
  Evaluator &ev;
  int64_t count;
  llvm::SmallVector<Value> multiples; // of the count

  bool isMultiple(Index i);
  bool isOneAccess(const Buffer &buffer, llvm::ArrayRef<Coordinates> at);
  void loadFrom(Value array, const Buffer &buffer, llvm::ArrayRef<Coordinates> at);
};

} // namespace kiln::nvptx
