// Reductions and what surrounds them. The orders are those of docs/numerics.md, so that the bits are the CPU's: element k of a row goes to
// lane k mod 32 within blocks of 8,192, lanes are joined by a halving tree, blocks pairwise; columns are swept in order within blocks of
// 1,024.
#include "codegen/cpu/Pairwise.h"
#include "codegen/nvptx/Kernels.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;

namespace kiln::nvptx {
namespace {

/// What rows and columns share: stages, and where their results go.
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
  }

protected:
  using Stage = SmallVector<Reducer>;
  using Accumulators = SmallVector<Value>; // of the reductions of a stage, one after the other
  GpuKernel &k;
  Emitter &e;
  Evaluator &ev;
  SmallVector<Stage> stages;
  Shape spaceType;
  SmallVector<int64_t, 4> space;
  size_t axis;
  int64_t size; // of the axis
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
  Accumulators loop(const Stage &stage, Index from, Index to, int64_t by) {
    return e.loop(from, to, by, start(stage), [&](Index i, ValueRange acc) {
      Evaluator::Scope scope(ev, 0, {});
      return step(stage, acc, i);
    });
  }
  Value emptyOf(const Reducer &r) { return cpu::emptyOf(r.id, e.scalar(r.dtype, 0)).value; }
  /// Blocks, whose results `reduce` gives, joined pairwise.
  Accumulators inBlocks(const Stage &stage, int64_t block, llvm::function_ref<Accumulators(Index, Index)> reduce) {
    if (size <= block) return reduce(0, size);
    int64_t blocks = ceilDiv(size, block);
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

class RowEmitter : ReductionEmitter {
public:
  RowEmitter(GpuKernel &k, ir::RowGroupsAttr schedule)
      : ReductionEmitter(k, schedule.getStages()), isResident(schedule.getResident()), threads(schedule.getThreads()),
        rows(schedule.getRows()) {}

  void run() {
    auto outer = space;
    outer[axis] = 1;
    int64_t count = product(outer);
    k.threads = threads * rows, k.blocks = ceilDiv(count, rows);
    if (!k.blocks) return;
    lane = k.remainder(k.thread(), threads);
    Index row = rows == 1 ? k.block() : e.add(e.mul(k.block(), rows), k.quotient(k.thread(), threads));
    k.when(count % rows ? e.lessThan(row, count) : Value(), [&] { emitRow(row, outer); });
  }

private:
  bool isResident;
  int64_t threads, rows; // of a row; of a block
  Index lane;            // of the threads of a row
  struct Trip {
    Index at;
    Value isInside; // null: always
  };
  SmallVector<Trip> trips; // of a resident row
  bool isFirstStage = true;

  void emitRow(Index row, ArrayRef<int64_t> outer) {
    k.place(position, row, outer, int64_t(axis));
    for (int64_t from = 0; isResident && from < size; from += threads) {
      Index at = e.add(lane, from);
      bool isWhole = from + threads <= size;
      trips.push_back({isWhole ? at : e.min(at, size - 1), isWhole ? Value() : e.lessThan(at, size)});
    }
    for (const Stage &stage : stages) {
      rememberResults(stage, size ? reduce(stage) : empty(stage));
      isFirstStage = false;
    }
    if (!results(true).empty()) storeRow();
    k.when(e.lessThan(lane, 1), [&] { storeReduced(); });
  }

  void storeRow() {
    if (!isResident) {
      e.loop(lane, size, threads, [&](Index at) {
        Evaluator::Scope scope(ev, 0, {});
        storeFull(at);
      });
      return;
    }
    for (const Trip &trip : trips) k.when(trip.isInside, [&] { storeFull(trip.at); });
  }

  Accumulators reduce(const Stage &stage) {
    bool isOrdered = stage[0].isInBlocks();
    if (threads == kWarp) {
      int64_t lanes = isOrdered ? cpu::lanesFor(size, kWarp) : kWarp;
      if (!isOrdered) return join(stage, overRow(stage), lanes);
      return inBlocks(stage, cpu::kRowBlock, [&](Index from, Index to) {
        return join(stage, isResident ? overRow(stage) : loop(stage, e.add(from, lane), to, threads), lanes);
      });
    }
    if (!isFirstStage) k.barrier(); // others may still read what the last stage shared
    return isOrdered ? reduceInOrder(stage) : joinWarps(stage, join(stage, overRow(stage), kWarp));
  }

  /// All elements of this thread.
  Accumulators overRow(const Stage &stage) {
    if (!isResident) return loop(stage, lane, size, threads);
    Accumulators acc = start(stage);
    for (const Trip &trip : trips) {
      Accumulators next = step(stage, acc, trip.at);
      if (trip.isInside) // lanes behind the end keep what they have
        for (auto [n, old] : llvm::zip(next, acc)) n = arith::SelectOp::create(e.b, e.loc, trip.isInside, n, old);
      acc = next;
    }
    return acc;
  }

  Accumulators join(const Stage &stage, ValueRange acc, int64_t lanes) {
    return each(stage, acc, [&](const Reducer &r, SmallVector<Value> mine) { return k.joinLanes(r, mine, lanes); });
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

  /// All threads compute elements into shared memory, chunk by chunk; the first warp adds them in their order.
  Accumulators reduceInOrder(const Stage &stage) {
    constexpr int64_t kMostBytes = 16 << 10;
    SmallVector<DType> dtypes = types(stage);
    int64_t bytes = 0;
    for (DType dtype : dtypes) bytes += byteSize(dtype);
    int64_t chunk = threads;
    while (chunk < cpu::kRowBlock && 2 * chunk * bytes <= kMostBytes && chunk < size) chunk *= 2;
    SmallVector<Value> memory;
    for (DType dtype : dtypes) memory.push_back(k.shared(chunk * byteSize(dtype)));
    Value isFirstWarp = e.lessThan(lane, kWarp);
    Accumulators sums = inBlocks(stage, cpu::kRowBlock, [&](Index from, Index to) {
      Accumulators acc = e.loop(from, to, chunk, start(stage), [&](Index begin, ValueRange carried) {
        Index end = e.min(to, e.add(begin, chunk));
        stageChunk(stage, begin, end, memory);
        k.barrier();
        Accumulators next = addChunk(stage, isFirstWarp, begin, end, memory, carried);
        k.barrier();
        return next;
      });
      return join(stage, acc, kWarp);
    });
    // The first warp alone has the sum.
    for (auto [value, dtype, at] : llvm::zip(sums, dtypes, memory)) {
      k.when(e.lessThan(lane, 1), [&, &value = value, dtype = dtype, at = at] { e.store(at, 0, Expr(e.b, e.loc, value, dtype)); });
      k.barrier();
      value = e.load(at, dtype, 0, 0).value;
    }
    return sums;
  }

  void stageChunk(const Stage &stage, Index begin, Index end, ArrayRef<Value> memory) {
    e.loop(e.add(begin, lane), end, threads, [&](Index at) {
      Evaluator::Scope scope(ev, 0, {});
      position[axis] = {at, 0, {}};
      for (auto [r, to] : llvm::zip(stage, memory)) e.store(to, e.sub(at, begin), ev.at(r.op->getOperand(0), position));
    });
  }

  Accumulators addChunk(const Stage &stage, Value isFirstWarp, Index begin, Index end, ArrayRef<Value> memory, ValueRange carried) {
    auto branch = scf::IfOp::create(e.b, e.loc, carried.getTypes(), isFirstWarp, true);
    OpBuilder::InsertionGuard guard(e.b);
    e.b.setInsertionPointToStart(branch.elseBlock());
    scf::YieldOp::create(e.b, e.loc, carried);
    e.b.setInsertionPointToStart(branch.thenBlock());
    auto acc = e.loop(e.add(begin, lane), end, kWarp, carried, [&](Index at, ValueRange old) {
      Evaluator::Scope scope(ev, 0, {});
      position[axis] = {at, 0, {}};
      for (auto [r, from] : llvm::zip(stage, memory))
        ev.remember(r.op->getOperand(0), position, e.load(from, r.dtype, e.sub(at, begin), 0));
      return step(stage, old, at);
    });
    scf::YieldOp::create(e.b, e.loc, acc);
    return SmallVector<Value>(branch.getResults());
  }
};

class ColumnEmitter : ReductionEmitter {
public:
  ColumnEmitter(GpuKernel &k, ir::ColumnThreadsAttr schedule) : ReductionEmitter(k, schedule.getStages()), threads(schedule.getThreads()) {}

  void run() {
    auto outer = space;
    outer[axis] = 1;
    int64_t count = product(outer);
    k.threads = threads, k.blocks = ceilDiv(count, threads);
    if (!count) return;
    Index column = e.add(e.mul(k.block(), threads), k.thread());
    k.when(count % threads ? e.lessThan(column, count) : Value(), [&] {
      k.place(position, column, outer, int64_t(axis));
      for (const Stage &stage : stages) rememberResults(stage, size ? reduce(stage) : empty(stage));
      if (!results(true).empty())
        e.loop(0, size, 1, [&](Index at) {
          Evaluator::Scope scope(ev, 0, {});
          storeFull(at);
        });
      storeReduced();
    });
  }

private:
  int64_t threads;

  Accumulators reduce(const Stage &stage) {
    if (!stage[0].isInBlocks()) return loop(stage, 0, size, 1);
    return inBlocks(stage, cpu::kColumnBlock, [&](Index from, Index to) { return loop(stage, from, to, 1); });
  }
};

} // namespace

void emitRowGroups(GpuKernel &k) { RowEmitter(k, k.schedule<ir::RowGroupsAttr>()).run(); }
void emitColumnThreads(GpuKernel &k) { ColumnEmitter(k, k.schedule<ir::ColumnThreadsAttr>()).run(); }

} // namespace kiln::nvptx
