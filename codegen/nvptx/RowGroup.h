// A row, or a part of one, that a group of threads reduces.
#pragma once

#include "codegen/nvptx/Reductions.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

namespace kiln::nvptx {

class RowGroup : protected ReductionEmitter {
public:
  RowGroup(GpuKernel &k, ArrayRef<ir::StageAttr> stages, int64_t threads) : ReductionEmitter(k, stages), threads(threads) {}

protected:
  int64_t threads;
  Index lane; // of the threads of the row

  Accumulators join(const Stage &stage, ValueRange acc, int64_t lanes) {
    return each(stage, acc, [&](const Reducer &r, SmallVector<Value> mine) { return k.joinLanes(r, mine, lanes); });
  }

  /// The elements between two, which are of one block where the order shows: in all threads, or in that case in the first warp.
  Accumulators overPart(const Stage &stage, Index from, Index to) {
    bool isOrdered = stage[0].isInBlocks();
    if (isOrdered && threads > kWarp) return inChunks(stage, from, to);
    Accumulators acc = join(stage, loop(stage, e.add(from, lane), to, threads), isOrdered ? cpu::lanesFor(size, kWarp) : kWarp);
    return threads > kWarp ? joinWarps(stage, acc) : acc;
  }

  /// What the first thread of a row has, in all of them.
  Accumulators shared(const Stage &stage, Accumulators acc) {
    for (auto [value, dtype] : llvm::zip(acc, types(stage))) {
      Value at = k.shared(byteSize(dtype));
      k.when(e.lessThan(lane, 1), [&, &value = value, dtype = dtype] { e.store(at, 0, Expr(e.b, e.loc, value, dtype)); });
      k.barrier();
      value = e.load(at, dtype, 0, 0).value;
    }
    return acc;
  }

  /// What the warps of a row have, in an order that does not show.
  Accumulators joinWarps(const Stage &stage, Accumulators acc) {
    int64_t warps = threads / kWarp;
    SmallVector<DType> dtypes = types(stage);
    SmallVector<Value> memory;
    for (DType dtype : dtypes) memory.push_back(k.shared(warps * byteSize(dtype)));
    k.when(e.lessThan(k.remainder(lane, kWarp), 1), [&] {
      for (auto [value, dtype, at] : llvm::zip(acc, dtypes, memory)) e.store(at, k.quotient(lane, kWarp), Expr(e.b, e.loc, value, dtype));
    });
    k.barrier();
    auto load = [&](int64_t warp) {
      Accumulators loaded;
      for (auto [dtype, at] : llvm::zip(dtypes, memory)) loaded.push_back(e.load(at, dtype, warp, 0).value);
      return loaded;
    };
    Accumulators joined = load(0);
    for (int64_t warp = 1; warp < warps; ++warp) {
      Accumulators other = load(warp);
      size_t at = 0;
      joined = each(stage, joined, [&](const Reducer &r, SmallVector<Value> mine) {
        auto theirs = ArrayRef(other).slice(at, r.width());
        at += r.width();
        return r.join(e, mine, theirs);
      });
    }
    return joined;
  }

  /// Memory for elements of each reduction of a stage, the same for all stages.
  SmallVector<Value> staging(const Stage &stage, int64_t elements) {
    if (!stagingMemory) stagingMemory = k.shared(stagingBytes);
    SmallVector<Value> memory;
    int64_t offset = 0;
    for (DType dtype : types(stage)) {
      memory.push_back(e.address(stagingMemory, DType::U8, offset));
      offset += ceilDiv(elements * byteSize(dtype), 16) * 16;
    }
    return memory;
  }
  int64_t stagedBytes(const Stage &stage, int64_t elements) {
    int64_t bytes = 0;
    for (DType dtype : types(stage)) bytes += ceilDiv(elements * byteSize(dtype), 16) * 16;
    return bytes;
  }
  int64_t stagingBytes = kStaging; // or what the emitter asks for

  /// The first warp adds the elements between two in their order, which lie in memory from `begin` on.
  Accumulators addStaged(const Stage &stage, ArrayRef<Value> memory, Index begin, Index end, ValueRange carried) {
    auto branch = mlir::scf::IfOp::create(e.b, e.loc, carried.getTypes(), e.lessThan(lane, kWarp), true);
    mlir::OpBuilder::InsertionGuard guard(e.b);
    e.b.setInsertionPointToStart(branch.elseBlock());
    mlir::scf::YieldOp::create(e.b, e.loc, carried);
    e.b.setInsertionPointToStart(branch.thenBlock());
    auto load = [&](Index at) {
      position[axis] = {at, 0, {}};
      for (auto [r, from] : llvm::zip(stage, memory)) {
        Value operand = r.op->getOperand(0);
        if (!ev.known(operand, position)) ev.remember(operand, position, e.load(from, r.dtype, e.sub(at, begin), 0));
      }
    };
    auto acc = unrolled(e.add(begin, lane), end, kWarp, carried, load, [&](Index at, ValueRange old) {
      load(at);
      return step(stage, old, at);
    });
    mlir::scf::YieldOp::create(e.b, e.loc, acc);
    return SmallVector<Value>(branch.getResults());
  }

private:
  static constexpr int64_t kStaging = 16 << 10;
  Value stagingMemory;

  /// All threads compute elements into shared memory, chunk by chunk; the first warp adds them.
  Accumulators inChunks(const Stage &stage, Index from, Index to) {
    int64_t chunk = threads;
    while (chunk < cpu::kRowBlock && stagedBytes(stage, 2 * chunk) <= kStaging && !isAtMost(size, chunk)) chunk *= 2;
    SmallVector<Value> memory = staging(stage, chunk);
    Accumulators acc = e.loop(from, to, chunk, start(stage), [&](Index begin, ValueRange carried) {
      Index end = e.min(to, e.add(begin, chunk));
      stageChunk(stage, memory, begin, end);
      k.barrier();
      Accumulators next = addStaged(stage, memory, begin, end, carried);
      k.barrier();
      return next;
    });
    return join(stage, acc, kWarp);
  }

  void stageChunk(const Stage &stage, ArrayRef<Value> memory, Index begin, Index end) {
    auto load = [&](Index at) {
      position[axis] = {at, 0, {}};
      for (const Reducer &r : stage) ev.at(r.op->getOperand(0), position);
    };
    unrolled(e.add(begin, lane), end, threads, {}, load, [&](Index at, ValueRange) {
      position[axis] = {at, 0, {}};
      for (auto [r, to] : llvm::zip(stage, memory)) e.store(to, e.sub(at, begin), ev.at(r.op->getOperand(0), position));
      return Accumulators();
    });
  }
};

} // namespace kiln::nvptx
