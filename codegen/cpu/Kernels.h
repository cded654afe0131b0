// The emitters, one for each kind of kernel.
#pragma once

#include "codegen/cpu/Evaluate.h"
#include "codegen/cpu/Target.h"
#include "llvm/ADT/StringMap.h"

namespace kiln::cpu {

struct EmittedBody;

/// A kernel under emission: its body, where its results go, and scratch memory behind them.
struct KernelContext {
  Emitter &e;
  Evaluator &ev;
  ir::KernelOp kernel;
  llvm::SmallVector<Buffer> outputs; // one a result
  Value scratchPointer, runtime;     // the first holds what all tasks share, then the first task's own
  Target target;
  const llvm::StringMap<EmittedBody> *bodies; // by name
  bool isOpen = false;                        // of a program for any size: its workspace grows with the sizes
  Index scratchUsed = 0;                      // static for static shapes; else the workspace function says it, or the caller knows
  int64_t sharedBytes = 0;                    // before it
  Value scratchBase = {};                     // where a task's own starts
  int64_t tasks = 0;                          // task functions so far
  bool isParallel = false;                    // inside a parallel loop

  Value status = {};           // of a call, for the kernel to return
  Value placedWithResult = {}; // the input that lies in the memory of the (one) result, or null

  /// The operation that gives the kernel its kind; what else it yields follows from its result at the same position.
  mlir::Operation *mainOp();
  /// The result that holds the main operation's, at least on the way to its own.
  const Buffer &mainOutput();
  /// Whether anything follows from the main operation's result.
  bool hasEpilogue() { return yield().getValues().size() > 1 || yield().getValues()[0] != mainOp()->getResult(0); }
  /// Computes what follows from a part of the main result, which has just been stored: rows [row, rowEnd) along the axis before the last
  /// of `position`, columns [column, columnEnd) along the last. `place` puts a row into a position where rows span several axes.
  void finishPart(Coordinates position, Index row, Index rowEnd, Index column, Index columnEnd,
                  llvm::function_ref<void(Coordinates &, Index)> place = nullptr);
  /// Whether every array is read and written in the order of memory alone, so that the axes are one.
  bool isFlat();
  ir::YieldOp yield() { return llvm::cast<ir::YieldOp>(kernel.getBody().front().getTerminator()); }
  /// 64-byte aligned scratch that lives as long as the call, of each task its own.
  Value scratch(Index bytes);
  /// The same that all tasks share; asked for before any other.
  Value sharedScratch(int64_t bytes);
  /// A loop whose iterations may run at once, where there is enough to do; `work` is that of one, in cheap element operations.
  void parallelLoop(Index from, Index to, Index step, Index work, llvm::function_ref<void(Index)> body);
  /// What one element costs, in cheap operations.
  int64_t elementCost();
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
void emitControl(KernelContext &k);

/// Convolutions of floats and of static shapes, whose weights lie in rows.
bool fitsTiledConvolution(KernelContext &k, mlir::Operation *op);
void emitTiledConvolution(KernelContext &k, mlir::Operation *op);

/// Loops over all positions of `shape` but the axes in `skip`; those keep the coordinates of `position`.
void forEachPosition(Emitter &e, llvm::ArrayRef<Index> shape, llvm::ArrayRef<int64_t> skip, Coordinates &position,
                     llvm::function_ref<void()> body);
/// The same, shared between threads; `work` is that of one call of `body`.
void forEachPosition(KernelContext &k, llvm::ArrayRef<Index> shape, llvm::ArrayRef<int64_t> skip, Coordinates &position, Index work,
                     llvm::function_ref<void()> body);
/// Lanes over [from, to): whole vectors, then one masked rest.
void forEachVector(Evaluator &ev, Index from, Index to, int64_t lanes, llvm::function_ref<void(Coordinate)> body);
/// The same, shared between threads; `work` is that of one element.
void forEachVector(KernelContext &k, Index from, Index to, int64_t lanes, Index work, llvm::function_ref<void(Coordinate)> body);
/// Whether the loops over `shape` without the axes in `skip` have enough iterations to share, as far as one can know.
bool hasOuterLoop(llvm::ArrayRef<Index> shape, llvm::ArrayRef<int64_t> skip);
/// A position of a part as one of the whole.
Coordinates inRegion(Emitter &e, llvm::ArrayRef<Coordinate> position, const Region &region);
/// Where operands lie across the lanes, in square tiles that are turned in registers; false where none do.
bool storeTiles(KernelContext &k, llvm::ArrayRef<Index> shape, mlir::ValueRange values, llvm::ArrayRef<Buffer> buffers,
                const Region &region);
/// Stores `values` into the region of `buffers` for every position of their common shape.
void storeAll(KernelContext &k, llvm::ArrayRef<Index> shape, mlir::ValueRange values, llvm::ArrayRef<Buffer> buffers,
              const Region &region = {});
llvm::SmallVector<Index> shapeOf(KernelContext &k, Value value);
/// Lanes that suit the dtypes and accesses of a kernel.
int64_t preferredLanes(KernelContext &k);

} // namespace kiln::cpu
