// What reductions of rows and of columns share. The orders are those of docs/numerics.md, so that the bits are the CPU's: element k of a
// row goes to lane k mod 32 within blocks of 8,192, lanes are joined by a halving tree, blocks pairwise; columns are swept in order within
// blocks of 1,024.
#pragma once

#include "codegen/cpu/Pairwise.h"
#include "codegen/nvptx/Kernels.h"

#include <bit>

namespace kiln::nvptx {

using llvm::ArrayRef;
using llvm::SmallVector;
using mlir::Operation;
using mlir::ValueRange;

/// Stages, and where their results go.
class ReductionEmitter {
public:
  ReductionEmitter(GpuKernel &k, ArrayRef<ir::StageAttr> attributes) : k(k), e(k.e), ev(k.ev) {
    SmallVector<Operation *> ops;
    for (Operation &op : k.kernel.getBody().front()) ops.push_back(&op);
    for (ir::StageAttr stage : attributes)
      stages.push_back(llvm::map_to_vector(stage.getReduce(), [&](int64_t number) { return Reducer::of(ops[size_t(number)]); }));
    Operation *first = stages[0][0].op;
    auto [type, along] = ir::reducedSpace(first);
    spaceType = type, axis = size_t(along);
    space = k.shapeOf(cast<ir::ArrayOp>(first).getMain());
    size = space[axis];
    position.resize(space.size());
    int64_t cost = 0;
    for (Operation &op : k.kernel.getBody().front().without_terminator()) cost += cast<ir::ArrayOp>(op).getCost();
    constexpr int64_t kMost = 16, kWork = 64; // operations of one iteration
    unroll = std::clamp<int64_t>(int64_t(std::bit_floor(uint64_t(kWork / std::max<int64_t>(cost, 1)))), 1, kMost);
  }

protected:
  using Stage = SmallVector<Reducer>;
  using Accumulators = SmallVector<Value>; // of the reductions of a stage, one after the other
  GpuKernel &k;
  Emitter &e;
  Evaluator &ev;
  SmallVector<Stage> stages;
  Shape spaceType;
  Sizes space;
  size_t axis;
  Index size;     // of the axis
  int64_t unroll; // steps whose elements are loaded before the first
  Coordinates position;

  bool isFull(Value value) { return ir::typeOf(value).shape == spaceType; }
  Coordinates without(ArrayRef<Coordinate> at) {
    Coordinates result(at);
    result.erase(result.begin() + int64_t(axis));
    return result;
  }

  Accumulators start(const Stage &stage) {
    Accumulators acc;
    for (const Reducer &r : stage) acc.append(r.start(e, 0, DType::I64));
    return acc;
  }
  /// Each reduction with its own accumulators.
  Accumulators each(const Stage &stage, ValueRange acc, llvm::function_ref<SmallVector<Value>(const Reducer &, SmallVector<Value>)> make) {
    Accumulators next;
    size_t at = 0;
    for (const Reducer &r : stage) {
      next.append(make(r, SmallVector<Value>(acc.slice(at, r.width()))));
      at += r.width();
    }
    return next;
  }
  Accumulators step(const Stage &stage, ValueRange acc, Index at) {
    position[axis] = {at, 0, {}};
    auto here = [&] { return Expr(e.b, e.loc, e.use(at), DType::I64); };
    return each(stage, acc, [&](const Reducer &r, SmallVector<Value> mine) { return r.step(ev, mine, position, axis, here); });
  }
  /// All elements that `by` apart lie between two, in order.
  Accumulators loop(const Stage &stage, Index from, Index to, int64_t by) {
    auto load = [&](Index i) {
      position[axis] = {i, 0, {}};
      for (const Reducer &r : stage)
        if (!r.isDot()) ev.at(r.op->getOperand(0), position);
    };
    return unrolled(from, to, by, start(stage), load, [&](Index i, ValueRange acc) { return step(stage, acc, i); });
  }
  /// Steps that `by` apart lie between two, some at a time: `load` for each of them comes before the first.
  Accumulators unrolled(Index from, Index to, int64_t by, ValueRange init, llvm::function_ref<void(Index)> load,
                        llvm::function_ref<Accumulators(Index, ValueRange)> step) {
    Accumulators carried(init);
    bool isShort = from.isStatic() && to.isStatic() && to.number() - from.number() < unroll * by;
    if (unroll > 1 && !isShort) {
      carried.push_back(e.use(from)); // where the steps one by one go on
      carried = e.loop(from, e.sub(to, (unroll - 1) * by), unroll * by, carried, [&](Index i, ValueRange old) {
        Evaluator::Scope scope(ev, 0, {});
        for (int64_t u = 0; u < unroll; ++u) load(e.add(i, u * by));
        Accumulators acc(old.drop_back());
        for (int64_t u = 0; u < unroll; ++u) acc = step(e.add(i, u * by), acc);
        acc.push_back(e.use(e.add(i, unroll * by)));
        return acc;
      });
      from = Index(carried.pop_back_val());
    }
    return e.loop(from, to, by, carried, [&](Index i, ValueRange old) {
      Evaluator::Scope scope(ev, 0, {});
      return step(i, old);
    });
  }
  Value emptyOf(const Reducer &r) { return cpu::emptyOf(r.id, e.scalar(r.dtype, 0)).value; }
  /// Blocks, whose results `reduce` gives, joined pairwise.
  Accumulators inBlocks(const Stage &stage, int64_t block, llvm::function_ref<Accumulators(Index, Index)> reduce) {
    if (isAtMost(size, block)) return reduce(0, size);
    Index blocks = e.ceilDiv(size, block);
    SmallVector<cpu::PairwiseStack> stacks;
    for (const Reducer &r : stage) stacks.emplace_back(e, r.dtype, 0);
    auto joining = [&](const Reducer &r) { return [&](Value a, Value b) { return r.join(e, a, b)[0]; }; };
    e.loop(0, blocks, 1, [&](Index i) {
      Index from = e.mul(i, block);
      Accumulators partial = reduce(from, e.min(size, e.add(from, block)));
      for (auto [r, stack, value] : llvm::zip(stage, stacks, partial)) stack.push(i, value, joining(r));
    });
    Accumulators joined;
    for (auto [r, stack] : llvm::zip(stage, stacks)) joined.push_back(stack.finish(blocks, emptyOf(r), joining(r)));
    return joined;
  }
  Accumulators empty(const Stage &stage) {
    Accumulators acc = start(stage);
    return each(stage, acc, [&](const Reducer &r, SmallVector<Value> mine) { return mine[0] = emptyOf(r), mine; });
  }
  /// Types of accumulators as they lie in memory.
  SmallVector<DType> types(const Stage &stage) {
    SmallVector<DType> result;
    for (const Reducer &r : stage) {
      result.push_back(r.dtype);
      if (r.isArg()) result.push_back(DType::I64);
    }
    return result;
  }
  void rememberResults(const Stage &stage, ValueRange acc) {
    each(stage, acc, [&](const Reducer &r, SmallVector<Value> mine) {
      ev.remember(r.op->getResult(0), without(position), Expr(e.b, e.loc, mine.back(), r.isArg() ? DType::I64 : r.dtype));
      return mine;
    });
  }
  SmallVector<std::pair<Value, Buffer>> results(bool full) {
    SmallVector<std::pair<Value, Buffer>> found;
    for (auto [value, buffer] : llvm::zip(k.yielded(), k.outputs))
      if (isFull(value) == full) found.push_back({value, buffer});
    return found;
  }
  void storeFull(Index at) {
    position[axis] = {at, 0, {}};
    SmallVector<Expr> values;
    auto full = results(true);
    for (auto &[value, buffer] : full) values.push_back(ev.at(value, position));
    for (auto [result, value] : llvm::zip(full, values)) ev.storeAt(result.second, position, value);
  }
  /// Reduced values lack the axis, or have it with size 1.
  void storeReduced() {
    Coordinates at = without(position), unit(position);
    unit[axis] = {};
    for (auto &[value, buffer] : results(false)) {
      const Coordinates &mine = buffer.shape.size() == space.size() ? unit : at;
      ev.storeAt(buffer, mine, ev.at(value, mine));
    }
  }
};

} // namespace kiln::nvptx
