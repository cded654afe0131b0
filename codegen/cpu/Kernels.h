// The emitters, one for each kind of kernel.
#pragma once

#include "codegen/cpu/Evaluate.h"
#include "codegen/cpu/Target.h"

namespace kiln::cpu {

/// A kernel under emission: its body, where its results go, and scratch memory behind them.
struct KernelContext {
  Emitter &e;
  Evaluator &ev;
  ir::KernelOp kernel;
  llvm::SmallVector<Buffer> outputs; // one a result
  Value scratchPointer, runtime;
  Target target;
  Index scratchUsed = 0; // static for static shapes; else the caller knows

  Value status = {};           // of a call, for the kernel to return
  Value placedWithResult = {}; // the input that lies in the memory of the (one) result, or null

  ir::YieldOp yield() { return llvm::cast<ir::YieldOp>(kernel.getBody().front().getTerminator()); }
  /// 64-byte aligned scratch that lives as long as the call.
  Value scratch(Index bytes);
  /// Whether `x` is the array that the result replaces in place.
  bool isInPlace(Value x) const { return x == placedWithResult; }
};

/// Where a part lies in a result: element i of each axis at starts + i * steps. Empty: at the start, step by step.
struct Region {
  llvm::SmallVector<Index, 4> starts, steps;
};

void emitElementwise(KernelContext &k);
void emitReduction(KernelContext &k);
void emitContraction(KernelContext &k);
void emitAssemble(KernelContext &k);
void emitScatter(KernelContext &k);
void emitScan(KernelContext &k);
void emitCompact(KernelContext &k);
void emitSort(KernelContext &k);
void emitConvolution(KernelContext &k);
void emitLibrary(KernelContext &k);

/// Loops over all positions of `shape` but the axes in `skip`; those keep the coordinates of `position`.
void forEachPosition(Emitter &e, llvm::ArrayRef<Index> shape, llvm::ArrayRef<int64_t> skip, Coordinates &position,
                     llvm::function_ref<void()> body);
/// Lanes over [from, to): whole vectors, then one masked rest.
void forEachVector(Evaluator &ev, Index from, Index to, int64_t lanes, llvm::function_ref<void(Coordinate)> body);
/// Stores `values` into the region of `buffers` for every position of their common shape.
void storeAll(KernelContext &k, llvm::ArrayRef<Index> shape, mlir::ValueRange values, llvm::ArrayRef<Buffer> buffers,
              const Region &region = {});
llvm::SmallVector<Index> shapeOf(KernelContext &k, Value value);
/// Lanes that suit the dtypes and accesses of a kernel.
int64_t preferredLanes(KernelContext &k);

} // namespace kiln::cpu
