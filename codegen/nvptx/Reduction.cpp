// Rows by groups of threads, columns by one each.
#include "codegen/nvptx/Reductions.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;

namespace kiln::nvptx {
namespace {

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
