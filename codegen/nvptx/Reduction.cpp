// Rows by groups of threads, columns by one each.
#include "codegen/nvptx/RowGroup.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;

namespace kiln::nvptx {
namespace {

class RowEmitter : RowGroup {
public:
  RowEmitter(GpuKernel &k, ir::RowGroupsAttr schedule)
      : RowGroup(k, schedule.getStages(), schedule.getThreads()), isResident(schedule.getResident()), rows(schedule.getRows()) {}

  void run() {
    auto outer = space;
    outer[axis] = 1;
    Index count = k.product(outer);
    k.threads = threads * rows, k.blocks = e.ceilDiv(count, rows);
    if (count.isConstant(0)) return;
    for (const Stage &stage : stages)
      if (isResident && fitsStaging(stage)) stagingBytes = std::max(stagingBytes, stagedBytes(stage, size.number()));
    lane = k.remainder(k.thread(), threads);
    Index row = rows == 1 ? k.block() : e.add(e.mul(k.block(), rows), k.quotient(k.thread(), threads));
    k.when(isMultiple(count, rows) ? Value() : e.lessThan(row, count), [&] { emitRow(row, outer); });
  }

private:
  static constexpr int64_t kMostStaging = 40 << 10;
  bool isResident;
  int64_t rows; // of a block
  struct Trip {
    Index at;
    Value isInside; // null: always
  };
  SmallVector<Trip> trips; // of a resident row
  bool isFirstStage = true;

  void emitRow(Index row, ArrayRef<Index> outer) {
    k.place(position, row, outer, int64_t(axis));
    for (int64_t from = 0; isResident && from < size.number(); from += threads) {
      Index at = e.add(lane, from);
      bool isWhole = from + threads <= size.number();
      trips.push_back({isWhole ? at : e.min(at, e.sub(size, 1)), isWhole ? Value() : e.lessThan(at, size)});
    }
    for (const Stage &stage : stages) {
      rememberResults(stage, size.isConstant(0) ? empty(stage) : reduce(stage));
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
    if (threads > kWarp && !isFirstStage) k.barrier(); // others may still read what the last stage shared
    if (isResident && threads > kWarp && stage[0].isInBlocks() && fitsStaging(stage)) return inOrder(stage);
    if (isResident && threads == kWarp) return join(stage, overRow(stage), stage[0].isInBlocks() ? cpu::lanesFor(size, kWarp) : kWarp);
    if (!stage[0].isInBlocks()) return isResident ? joinWarps(stage, join(stage, overRow(stage), kWarp)) : overPart(stage, 0, size);
    Accumulators acc = inBlocks(stage, cpu::kRowBlock, [&](Index from, Index to) { return overPart(stage, from, to); });
    return threads > kWarp ? shared(stage, acc) : acc;
  }

  bool fitsStaging(const Stage &stage) { return isAtMost(size, cpu::kRowBlock) && stagedBytes(stage, size.number()) <= kMostStaging; }

  /// A resident row, whose elements stay in registers also where the first warp adds them in shared memory.
  Accumulators inOrder(const Stage &stage) {
    SmallVector<Value> memory = staging(stage, size.number());
    for (const Trip &trip : trips) {
      position[axis] = {trip.at, 0, {}};
      SmallVector<Expr> elements;
      for (const Reducer &r : stage) elements.push_back(ev.at(r.op->getOperand(0), position));
      k.when(trip.isInside, [&] {
        for (auto [to, element] : llvm::zip(memory, elements)) e.store(to, trip.at, element);
      });
    }
    k.barrier();
    return shared(stage, join(stage, addStaged(stage, memory, 0, size, start(stage)), kWarp));
  }

  /// All elements of this thread, of a resident row.
  Accumulators overRow(const Stage &stage) {
    Accumulators acc = start(stage);
    for (const Trip &trip : trips) {
      Accumulators next = step(stage, acc, trip.at);
      if (trip.isInside) // lanes behind the end keep what they have
        for (auto [n, old] : llvm::zip(next, acc)) n = arith::SelectOp::create(e.b, e.loc, trip.isInside, n, old);
      acc = next;
    }
    return acc;
  }
};

class ColumnEmitter : ReductionEmitter {
public:
  ColumnEmitter(GpuKernel &k, ir::ColumnThreadsAttr schedule) : ReductionEmitter(k, schedule.getStages()), threads(schedule.getThreads()) {}

  void run() {
    auto outer = space;
    outer[axis] = 1;
    Index count = k.product(outer);
    k.threads = threads, k.blocks = e.ceilDiv(count, threads);
    if (count.isConstant(0)) return;
    Index column = e.add(e.mul(k.block(), threads), k.thread());
    k.when(isMultiple(count, threads) ? Value() : e.lessThan(column, count), [&] {
      k.place(position, column, outer, int64_t(axis));
      for (const Stage &stage : stages) rememberResults(stage, size.isConstant(0) ? empty(stage) : reduce(stage));
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
