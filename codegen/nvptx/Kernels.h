// A kernel under emission for a processor of many threads: what one thread does, and how many there are.
//
// What comes out is a `gpu.func` over flat pointers, one for each buffer, and one for the status word. It holds gpu, scf, arith, math and
// llvm operations alone; the lowering to NVVM and the simulator of the tests both start from it. The values of a body are computed by the
// evaluator of the CPU's emitters, without lanes: a thread computes one element at a time.
#pragma once

#include "codegen/cpu/Evaluate.h"
#include "codegen/cpu/Reducer.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"

namespace kiln::nvptx {

using cpu::Buffer;
using cpu::Coordinate;
using cpu::Coordinates;
using cpu::Emitter;
using cpu::Evaluator;
using cpu::Index;
using cpu::Reducer;
using ir::Expr;
using mlir::Value;

inline constexpr int64_t kWarp = 32; // threads that exchange registers
inline constexpr int64_t kLine = 64; // what parts of the workspace are aligned to

/// Sizes of axes, some of which a call tells.
using Sizes = llvm::SmallVector<Index, 4>;

struct GpuKernel {
  Emitter &e;
  Evaluator &ev;
  ir::KernelOp kernel;
  mlir::gpu::GPUFuncOp function;
  llvm::SmallVector<Buffer> outputs;      // one a result
  Value placedWithResult;                 // the input that lies in the memory of the (one) result, or null
  llvm::SmallVector<Value> givenPointers; // of arrays that a call gives, which begin at any element
  Index blocks = 0;                       // set by the emitter, as follows from sizes; none: there is nothing to compute
  int64_t threads = kWarp;                // of a block
  int64_t sharedBytes = 0, sharedAlignment = 16;
  int64_t occupancy = 0; // blocks that a multiprocessor is to have at once; 0: as many as fit
  Value threadNumber = {}, blockNumber = {};
  llvm::SmallVector<std::tuple<Value, int64_t, Value>> aligned = {}; // pointers, bytes, and whether they are
  int64_t launch = 0, launches = 1;                                  // the one under emission, of as many as the emitter says
  Value scratchPointer = {};                                         // memory that all launches of a kernel share
  Index scratchBytes = 0;

  template <typename T> T schedule() { return llvm::cast<T>(*kernel.getSchedule()); }
  llvm::SmallVector<unsigned> used(); // numbers of results
  mlir::ValueRange yielded() { return kernel.getBody().front().getTerminator()->getOperands(); }
  Sizes shapeOf(Value value);
  Index product(llvm::ArrayRef<Index> sizes);

  /// Numbers as i64: of this thread in its block, and of its block.
  Index thread();
  Index block();
  /// Shared by the threads of a block, 16-byte aligned.
  Value shared(int64_t bytes);
  void barrier();
  /// Shared by the launches of a kernel, each of which asks for the same in the same order.
  Value scratch(Index bytes);
  /// What `emit` emits is run by threads for which `condition` holds; null: by all.
  void when(Value condition, llvm::function_ref<void()> emit);
  /// The value of the thread `by` lanes further in the warp, or of lane `by`.
  Value fromLane(Value value, int64_t by, mlir::gpu::ShuffleMode mode);
  /// The accumulators of `lanes` lanes joined by a halving tree, in all lanes.
  llvm::SmallVector<Value> joinLanes(const Reducer &r, llvm::SmallVector<Value> acc, int64_t lanes);

  /// Of numbers of at least 0.
  Index quotient(Index x, Index by);
  Index remainder(Index x, Index by);
  /// Puts number `linear` of the positions of `shape`, in row-major order, into a position; axis `skip` keeps what it has.
  void place(Coordinates &position, Index linear, llvm::ArrayRef<Index> shape, int64_t skip = -1);
  /// Stores all results at a position of theirs.
  void storeResults(llvm::ArrayRef<Coordinate> position);
  /// The same at `count` positions, of which `at` gives each: along the last axis, from a multiple of `count` on. In one access where a
  /// result lies so, which is found out when the kernel runs.
  void storeResults(int64_t count, llvm::function_ref<Coordinates(int64_t)> at);
  /// Whether an address is a multiple of so many bytes.
  Value isAligned(Value pointer, int64_t bytes);
};

inline int64_t ceilDiv(int64_t x, int64_t by) { return (x + by - 1) / by; }
/// Whether a size is known to be a multiple of a number.
inline bool isMultiple(Index size, int64_t by) { return by == 1 || (size.isStatic() && size.number() % by == 0); }
/// Whether a size is known to be at most a number.
inline bool isAtMost(Index size, int64_t most) { return size.isStatic() && size.number() <= most; }

void emitGrid(GpuKernel &k);
void emitTransposed(GpuKernel &k);
void emitAssemble(GpuKernel &k);
void emitRowGroups(GpuKernel &k);
void emitColumnThreads(GpuKernel &k);
/// Those whose schedule splits rows or columns: several launches.
void emitSplitReduction(GpuKernel &k);
void emitScan(GpuKernel &k);
void emitScatter(GpuKernel &k);
void emitCompact(GpuKernel &k);
void emitSort(GpuKernel &k);
/// Products and convolutions, a position a thread.
void emitPointwiseProduct(GpuKernel &k);
void emitThreadTiles(GpuKernel &k);
void emitMatrixTiles(GpuKernel &k);

/// Runs `body` for each position of `shape`, one a thread, and asks for as many; axis `skip` is left to it.
void forEachPosition(GpuKernel &k, int64_t threads, llvm::ArrayRef<Index> shape, llvm::function_ref<void(Coordinates &)> body,
                     int64_t skip = -1);

/// Replaces remainders of floats, of which LLVM makes inexact ones for PTX, by calls of a function that is put into the module.
void expandRemainders(mlir::gpu::GPUModuleOp module);

} // namespace kiln::nvptx
