// The emitters, one for each kind of kernel.
#pragma once

#include "codegen/cpu/Evaluate.h"

namespace kiln::cpu {

/// A kernel under emission: its body, where its results go, and scratch memory behind them.
struct KernelContext {
  Emitter &e;
  Evaluator &ev;
  ir::KernelOp kernel;
  llvm::SmallVector<Buffer> outputs; // one a result
  Value scratchPointer;
  int64_t scratchBytes = 0;

  ir::YieldOp yield() { return llvm::cast<ir::YieldOp>(kernel.getBody().front().getTerminator()); }
  /// 64-byte aligned scratch that lives as long as the call.
  Value scratch(int64_t bytes);
};

void emitElementwise(KernelContext &k);
void emitReduction(KernelContext &k);
void emitContraction(KernelContext &k);
void emitConcat(KernelContext &k);

/// Loops over all positions of `shape` but the axes in `skip`; those keep the coordinates of `position`.
void forEachPosition(Emitter &e, llvm::ArrayRef<Index> shape, llvm::ArrayRef<int64_t> skip, Coordinates &position,
                     llvm::function_ref<void()> body);
/// Lanes over [from, to): whole vectors, then one masked rest.
void forEachVector(Evaluator &ev, Index from, Index to, int64_t lanes, llvm::function_ref<void(Coordinate)> body);
llvm::SmallVector<Index> shapeOf(KernelContext &k, Value value);
/// Lanes that suit the dtypes and accesses of a kernel.
int64_t preferredLanes(KernelContext &k);

} // namespace kiln::cpu
