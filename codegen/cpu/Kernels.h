// The emitters, one for each kind of kernel.
#pragma once

#include "codegen/cpu/Evaluate.h"
#include "codegen/cpu/Schedule.h"
#include "llvm/ADT/StringMap.h"

namespace kiln::cpu {

struct EmittedBody;

/// Of functions whose loops have their registers full of sums: LLVM moves no constants of what follows into others before the loops.
constexpr llvm::StringLiteral kFullRegisters = "kiln-full-registers";
/// Adds to the attributes that the function has in LLVM.
void addAttributes(mlir::Operation *function, llvm::ArrayRef<mlir::Attribute> attributes);

/// A kernel under emission: its body, where its results go, and scratch memory behind them.
struct KernelContext {
  Emitter &e;
  Evaluator &ev;
  ir::KernelOp kernel;
  llvm::SmallVector<Buffer> outputs;          // one a result
  Value scratchPointer, runtime;              // the first holds what all tasks share, then the first task's own
  const llvm::StringMap<EmittedBody> *bodies; // by name
  Index scratchUsed = 0;                      // static for static shapes; else the workspace function says it, or the caller knows
  int64_t sharedBytes = 0;                    // before it
  Value scratchBase = {};                     // where a task's own starts
  int64_t tasks = 0;                          // task functions so far
  bool isParallel = false;                    // inside a parallel loop

  Value status = {};           // of a call, for the kernel to return
  Value streamsIf = {};        // see eitherWay
  Value placedWithResult = {}; // the input that lies in the memory of the (one) result, or null

  /// The schedule, of the kind that belongs to the kernel's.
  template <typename T> T schedule() { return llvm::cast<T>(*kernel.getSchedule()); }
  /// The operation that gives the kernel its kind; what else it yields follows from its result at the same position.
  mlir::Operation *mainOp() { return cpu::mainOp(kernel); }
  /// The result that holds the main operation's, at least on the way to its own.
  const Buffer &mainOutput() { return outputs[mainResult(kernel)]; }
  /// Stores of these results go past the caches; where only the call knows a size, if all are large and rows are whole lines.
  void stream(llvm::ArrayRef<int64_t> results, bool isCollapsed = false);
  /// Emits loops that store results: twice where only the call knows whether they stream.
  void eitherWay(llvm::function_ref<void()> body);
  /// Whether anything follows from the main operation's result.
  bool hasEpilogue() { return yield().getValues().size() > 1 || yield().getValues()[0] != mainOp()->getResult(0); }
  /// Computes what follows from a part of the main result, which has just been stored: rows [row, rowEnd) along the axis before the last
  /// of `position`, columns [column, columnEnd) along the last, in at most `most` lanes. `place` puts a row into a position where rows span
  /// several axes.
  void finishPart(int64_t most, Coordinates position, Index row, Index rowEnd, Index column, Index columnEnd,
                  llvm::function_ref<void(Coordinates &, Index)> place = nullptr);
  ir::YieldOp yield() { return llvm::cast<ir::YieldOp>(kernel.getBody().front().getTerminator()); }
  /// 64-byte aligned scratch that lives as long as the call, of each task its own.
  Value scratch(Index bytes);
  /// The same that all tasks share; asked for before any other.
  Value sharedScratch(int64_t bytes);
  /// A loop whose iterations threads share, at least `grain` a task; none: one thread. `work`, that of an iteration in cheap operations, is
  /// for an open grain.
  void parallelLoop(std::optional<int64_t> grain, Index from, Index to, Index step, Index work, llvm::function_ref<void(Index)> body);
  /// Whether `x` is the array that the result replaces in place.
  bool isInPlace(Value x) const { return x == placedWithResult; }
};

/// Where a part lies in a result: element i of each axis at starts + i * steps. Empty: at the start, step by step.
struct Region {
  llvm::SmallVector<Index, 4> starts, steps;
};

/// What a question of the runtime's table answers, which stands there at `offset`; 0 where there is no table.
Value askRuntime(Emitter &e, Value runtime, int64_t offset);
/// Calls a routine of the runtime's library; a status, KILN_LIBRARY_MISSING where there is no such routine, or no library.
Value callRoutine(KernelContext &k, llvm::StringRef name, llvm::ArrayRef<Buffer> tensors, llvm::ArrayRef<Index> words);

llvm::LogicalResult emitElementwise(KernelContext &k);
llvm::LogicalResult emitReduction(KernelContext &k);
llvm::LogicalResult emitContraction(KernelContext &k);
llvm::LogicalResult emitAssemble(KernelContext &k);
llvm::LogicalResult emitScatter(KernelContext &k);
llvm::LogicalResult emitScan(KernelContext &k);
llvm::LogicalResult emitCompact(KernelContext &k);
llvm::LogicalResult emitSort(KernelContext &k);
llvm::LogicalResult emitConvolution(KernelContext &k);
llvm::LogicalResult emitLibrary(KernelContext &k);
llvm::LogicalResult emitControl(KernelContext &k);

/// In register tiles.
void emitTiledConvolution(KernelContext &k, mlir::Operation *op);

/// Loops over all positions of `shape` but the axes in `skip`; those keep the coordinates of `position`.
void forEachPosition(Emitter &e, llvm::ArrayRef<Index> shape, llvm::ArrayRef<int64_t> skip, Coordinates &position,
                     llvm::function_ref<void()> body);
/// The same, one axis shared between threads; `work` is that of one call of `body`.
void forEachPosition(KernelContext &k, llvm::ArrayRef<Index> shape, llvm::ArrayRef<int64_t> skip, Coordinates &position, Sharing sharing,
                     Index work, llvm::function_ref<void()> body);
/// Lanes over [from, to): whole vectors, then one masked rest.
void forEachVector(Evaluator &ev, Index from, Index to, int64_t lanes, llvm::function_ref<void(Coordinate)> body);
/// The same, shared between threads where there is a grain; `work` is that of one element.
void forEachVector(KernelContext &k, std::optional<int64_t> grain, Index from, Index to, int64_t lanes, Index work,
                   llvm::function_ref<void(Coordinate)> body);
/// A position of a part as one of the whole.
Coordinates inRegion(Emitter &e, llvm::ArrayRef<Coordinate> position, const Region &region);
/// Stores `values` into the region of `buffers` for every position of their common shape.
void storeAll(KernelContext &k, ir::NestAttr nest, llvm::ArrayRef<Index> shape, mlir::ValueRange values, llvm::ArrayRef<Buffer> buffers,
              const Region &region = {});
/// All values at a position, and then their stores: a result may lie in the memory of what another one reads.
void storeValues(KernelContext &k, mlir::ValueRange values, llvm::ArrayRef<Buffer> buffers, llvm::ArrayRef<Coordinate> from,
                 llvm::ArrayRef<Coordinate> to);
/// The same in square tiles that are turned in registers, for operands that lie across the lanes.
void storeTiles(KernelContext &k, ir::NestAttr nest, llvm::ArrayRef<Index> shape, mlir::ValueRange values, llvm::ArrayRef<Buffer> buffers,
                const Region &region);
llvm::SmallVector<Index> shapeOf(KernelContext &k, Value value);

} // namespace kiln::cpu
