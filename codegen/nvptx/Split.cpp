// Reductions of few long rows or columns: each stage is a launch that reduces parts of them into scratch memory, and one that joins those.
#include "codegen/nvptx/RowGroup.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"

using namespace mlir;

namespace kiln::nvptx {
namespace {

class SplitEmitter : RowGroup {
public:
  SplitEmitter(GpuKernel &k, ArrayRef<ir::StageAttr> stages, int64_t threads, int64_t rows, int64_t split)
      : RowGroup(k, stages, threads), rows(rows), split(split), parts(e.ceilDiv(size, split)), outer(space) {
    outer[axis] = 1;
    count = k.product(outer);
    Index all = e.mul(count, parts);
    for (const Stage &stage : this->stages) {
      partial.emplace_back(), joined.emplace_back();
      for (DType dtype : types(stage)) {
        partial.back().push_back(k.scratch(e.mul(all, byteSize(dtype))));
        joined.back().push_back(k.scratch(e.mul(count, byteSize(dtype))));
      }
    }
  }

  void run() {
    int64_t last = 2 * int64_t(stages.size());
    k.launches = last + !results(true).empty();
    if (count.isConstant(0)) return;
    size_t stage = size_t(k.launch / 2);
    if (k.launch == last) storeAll();
    else if (k.launch % 2 == 0) isRow() ? reduceRows(stage) : reduceColumns(stage);
    else if (isAtMost(parts, kFew)) joinFew(stage);
    else if (parts.isStatic() || isAtMost(count, kFewRows)) joinMany(stage);
    else joinAll(stage);
  }

private:
  static constexpr int64_t kFew = 16, kMostThreads = 1024, kJoinThreads = 256; // parts that one thread joins; of a block
  static constexpr int64_t kFewRows = 1024;                                    // of which each has a block that joins any number of parts
  int64_t rows, split;                                                         // of a block; elements of a part
  Index parts, count = 0;                                                      // of a row; rows
  Sizes outer;
  SmallVector<SmallVector<Value>> partial, joined; // by stage, memory for each accumulator

  bool isRow() { return axis + 1 == space.size(); }
  /// Parts of rows lie beside each other, of columns those of all columns.
  Index partAt(Index row, Index part) { return isRow() ? e.add(e.mul(row, parts), part) : e.add(e.mul(part, count), row); }

  void store(const Stage &stage, ArrayRef<Value> memory, Index at, ValueRange acc) {
    for (auto [to, dtype, value] : llvm::zip(memory, types(stage), acc)) e.store(to, at, Expr(e.b, e.loc, value, dtype));
  }
  Accumulators load(const Stage &stage, ArrayRef<Value> memory, Index at) {
    Accumulators acc;
    for (auto [from, dtype] : llvm::zip(memory, types(stage))) acc.push_back(e.load(from, dtype, at, 0).value);
    return acc;
  }
  /// What the stages before one found for the row of this position.
  void recall(size_t before, Index row) {
    for (size_t i = 0; i < before; ++i) rememberResults(stages[i], load(stages[i], joined[i], row));
  }
  std::pair<Index, Index> rangeOf(Index part) {
    Index from = e.mul(part, split);
    return {from, e.min(size, e.add(from, split))};
  }

  void reduceRows(size_t stage) {
    Index all = e.mul(count, parts);
    k.threads = threads * rows, k.blocks = e.ceilDiv(all, rows);
    lane = k.remainder(k.thread(), threads);
    Index number = rows == 1 ? k.block() : e.add(e.mul(k.block(), rows), k.quotient(k.thread(), threads));
    k.when(isMultiple(all, rows) ? Value() : e.lessThan(number, all), [&] {
      Coordinates at;
      k.place(at, number, {count, parts});
      k.place(position, at[0].base, outer, int64_t(axis));
      recall(stage, at[0].base);
      auto [from, to] = rangeOf(at[1].base);
      Accumulators acc = overPart(stages[stage], from, to);
      k.when(e.lessThan(lane, 1), [&] { store(stages[stage], partial[stage], partAt(at[0].base, at[1].base), acc); });
    });
  }

  void reduceColumns(size_t stage) {
    forEachPosition(k, threads, {parts, count}, [&](Coordinates &at) {
      k.place(position, at[1].base, outer, int64_t(axis));
      recall(stage, at[1].base);
      auto [from, to] = rangeOf(at[0].base);
      store(stages[stage], partial[stage], partAt(at[1].base, at[0].base), loop(stages[stage], from, to, 1));
    });
  }

  Accumulators joinTwo(const Stage &stage, ValueRange x, ValueRange y) {
    size_t at = 0;
    return each(stage, x, [&](const Reducer &r, SmallVector<Value> mine) {
      SmallVector<Value> theirs(y.slice(at, r.width()));
      at += r.width();
      return r.join(e, mine, theirs);
    });
  }
  Accumulators select(Value condition, ValueRange yes, ValueRange no) {
    Accumulators result;
    for (auto [y, n] : llvm::zip(yes, no)) result.push_back(arith::SelectOp::create(e.b, e.loc, condition, y, n));
    return result;
  }

  void finishStage(size_t stage, Index row, ValueRange acc) {
    bool isLast = stage + 1 == stages.size();
    if (!isLast || !results(true).empty()) store(stages[stage], joined[stage], row, acc);
    if (!isLast) return;
    recall(stage, row);
    rememberResults(stages[stage], acc);
    storeReduced();
  }

  /// A thread joins neighbours, and so on: where the number of them is odd the last one waits, as in the order by pairs.
  void joinFew(size_t stage) {
    forEachPosition(k, kJoinThreads, {count}, [&](Coordinates &at) {
      Index row = at[0].base;
      k.place(position, row, outer, int64_t(axis));
      SmallVector<Accumulators> line;
      for (int64_t part = 0; part < parts.number(); ++part) line.push_back(load(stages[stage], partial[stage], partAt(row, part)));
      while (line.size() > 1) {
        SmallVector<Accumulators> next;
        for (size_t i = 0; i < line.size(); i += 2)
          next.push_back(i + 1 < line.size() ? joinTwo(stages[stage], line[i], line[i + 1]) : line[i]);
        line = std::move(next);
      }
      finishStage(stage, row, line[0]);
    });
  }

  /// A row a block: neighbours in a thread, then threads of a warp, then warps.
  void joinMany(size_t stage) {
    int64_t most = parts.isStatic() ? parts.number() : kMostThreads;
    int64_t lanes = std::clamp<int64_t>(int64_t(std::bit_ceil(uint64_t(most))), kWarp, kMostThreads);
    Index own = bitCeil(e.ceilDiv(parts, lanes)), holders = k.quotient(e.sub(e.add(parts, own), 1), own);
    k.threads = lanes, k.blocks = count;
    Index row = k.block();
    k.place(position, row, outer, int64_t(axis));
    Accumulators acc = joinOwn(stages[stage], partial[stage], row, own);
    acc = joinAcross(stages[stage], acc, k.thread(), holders);
    if (!isAtMost(holders, kWarp)) acc = joinWarpsInOrder(stages[stage], acc, e.ceilDiv(holders, kWarp), lanes / kWarp);
    k.when(e.lessThan(k.thread(), 1), [&] { finishStage(stage, row, acc); });
  }

  /// A thread joins all parts of a row.
  void joinAll(size_t stage) {
    forEachPosition(k, kJoinThreads, {count}, [&](Coordinates &at) {
      Index row = at[0].base;
      k.place(position, row, outer, int64_t(axis));
      finishStage(stage, row, joinLong(stages[stage], partial[stage], parts, [&](Index part) { return partAt(row, part); }));
    });
  }

  /// The least power of two that is not below a number.
  Index bitCeil(Index n) {
    if (n.isStatic()) return int64_t(std::bit_ceil(uint64_t(n.number())));
    Value zeros = LLVM::CountLeadingZerosOp::create(e.b, e.loc, e.b.getI64Type(), e.use(e.sub(n, 1)), /*is_zero_poison=*/false);
    return Index(arith::ShLIOp::create(e.b, e.loc, e.use(1), e.use(e.sub(64, Index(zeros)))).getResult());
  }

  Accumulators joinOwn(const Stage &stage, ArrayRef<Value> memory, Index row, Index own) {
    Index first = e.mul(k.thread(), own);
    auto at = [&](Index i) { return partAt(row, e.min(e.add(first, i), e.sub(parts, 1))); };
    if (!isAtMost(own, kFew)) return joinLong(stage, memory, e.min(own, e.sub(parts, first)), at);
    SmallVector<Accumulators> line;
    for (int64_t i = 0; i < own.number(); ++i) line.push_back(load(stage, memory, at(i)));
    for (int64_t d = 1; d < own.number(); d *= 2)
      for (int64_t i = 0; i + d < own.number(); i += 2 * d) {
        Value isThere = e.lessThan(e.add(first, i + d), parts);
        line[size_t(i)] = select(isThere, joinTwo(stage, line[size_t(i)], line[size_t(i + d)]), line[size_t(i)]);
      }
    return line[0];
  }

  /// `left` of them, one after the other.
  Accumulators joinLong(const Stage &stage, ArrayRef<Value> memory, Index left, llvm::function_ref<Index(Index)> at) {
    if (!stage[0].isInBlocks())
      return e.loop(1, left, 1, load(stage, memory, at(0)),
                    [&](Index i, ValueRange acc) { return joinTwo(stage, acc, load(stage, memory, at(i))); });
    SmallVector<cpu::PairwiseStack> stacks;
    for (const Reducer &r : stage) stacks.emplace_back(e, r.dtype, 0);
    auto joining = [&](const Reducer &r) { return [&](Value a, Value b) { return r.join(e, a, b)[0]; }; };
    e.loop(0, left, 1, [&](Index i) {
      for (auto [r, stack, value] : llvm::zip(stage, stacks, load(stage, memory, at(i)))) stack.push(i, value, joining(r));
    });
    Accumulators result;
    for (auto [r, stack] : llvm::zip(stage, stacks)) result.push_back(stack.finish(left, emptyOf(r), joining(r)));
    return result;
  }

  /// Of `holders` neighbouring lanes, in the first.
  Accumulators joinAcross(const Stage &stage, Accumulators acc, Index lane, Index holders) {
    for (int64_t d = 1; d < kWarp && !isAtMost(holders, d); d *= 2) {
      auto other = llvm::map_to_vector(acc, [&](Value v) { return k.fromLane(v, d, gpu::ShuffleMode::DOWN); });
      acc = select(e.lessThan(e.add(lane, d), holders), joinTwo(stage, acc, other), acc);
    }
    return acc;
  }

  Accumulators joinWarpsInOrder(const Stage &stage, Accumulators acc, Index warps, int64_t most) {
    SmallVector<Value> memory;
    for (DType dtype : types(stage)) memory.push_back(k.shared((warps.isStatic() ? warps.number() : most) * byteSize(dtype)));
    Index warp = k.quotient(k.thread(), kWarp), lane = k.remainder(k.thread(), kWarp);
    Value isFirst = arith::AndIOp::create(e.b, e.loc, e.lessThan(lane, 1), e.lessThan(warp, warps));
    k.when(isFirst, [&] { store(stage, memory, warp, acc); });
    k.barrier();
    return joinAcross(stage, load(stage, memory, e.min(lane, e.sub(warps, 1))), lane, warps);
  }

  /// Results of the shape of what is reduced, some a thread.
  void storeAll() {
    constexpr int64_t kEach = 4;
    Index all = k.product(space);
    int64_t part = kJoinThreads * kEach;
    k.threads = kJoinThreads, k.blocks = e.ceilDiv(all, part);
    for (int64_t i = 0; i < kEach; ++i) {
      Index at = e.add(e.add(e.mul(k.block(), part), k.thread()), i * kJoinThreads);
      k.when(isMultiple(all, part) ? Value() : e.lessThan(at, all), [&] {
        k.place(position, at, space);
        Index row = 0;
        for (size_t a = 0; a < space.size(); ++a)
          if (a != axis) row = e.add(e.mul(row, space[a]), position[a].base);
        recall(stages.size(), row);
        storeFull(position[axis].base);
      });
    }
  }
};

} // namespace

void emitSplitReduction(GpuKernel &k) {
  if (auto rows = dyn_cast<ir::RowGroupsAttr>(*k.kernel.getSchedule()))
    return SplitEmitter(k, rows.getStages(), rows.getThreads(), rows.getRows(), rows.getSplit()).run();
  auto columns = k.schedule<ir::ColumnThreadsAttr>();
  SplitEmitter(k, columns.getStages(), columns.getThreads(), 1, columns.getSplit()).run();
}

} // namespace kiln::nvptx
