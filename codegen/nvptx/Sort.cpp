// Sorts of keys (SortKey.h), and where they are not merged, counts.
#include "codegen/cpu/SortKey.h"
#include "codegen/nvptx/Sorter.h"

using namespace mlir;

namespace kiln::nvptx {
namespace {

struct Sort {
  ir::ArrayOp op;
  bool hasValues, isDescending;
  size_t axis;
  Sort(GpuKernel &k) : op(cast<ir::ArrayOp>(k.yielded()[0].getDefiningOp())), axis(size_t(op.getAlong()[0])) {
    auto sort = dyn_cast<ir::SortOp>(*op);
    hasValues = bool(sort), isDescending = sort ? sort.getDescending() : cast<ir::ArgsortOp>(*op).getDescending();
  }
};

void emitMerges(GpuKernel &k, ir::MergeSortAttr schedule) {
  Sort sort(k);
  Sizes outer = k.outputs[0].shape;
  Index size = std::exchange(outer[sort.axis], 1), lines = k.product(outer);
  DType keyType = DType(int(scalar::integerOf(ir::typeOf(sort.op.getMain()).dtype)) + int(DType::U8) - int(DType::I8));
  Sorter sorter(k, keyType, lines, size, schedule);
  k.launches = sorter.launches();
  if (size.isConstant(0) || lines.isConstant(0)) return;
  auto positionOf = [&](Index line, Index at) {
    Coordinates position;
    k.place(position, line, outer, int64_t(sort.axis));
    position[sort.axis] = {at, 0, {}};
    return position;
  };
  auto keyAt = [&](Index line, Index at) { return cpu::sortKey(k.ev.at(sort.op.getMain(), positionOf(line, at)), sort.isDescending); };
  sorter.emit(k.launch, keyAt, [&](Index line, Index at, const Sorter::Pair &pair) {
    Expr place = scalar::cast(pair.place, DType::I64);
    Expr value = sort.hasValues ? k.ev.at(sort.op.getMain(), positionOf(line, Index(place.value))) : place;
    k.ev.storeAt(k.outputs[0], positionOf(line, at), value);
  });
}

/// Each element by the number of those that come before it, which a thread counts.
void emitCounts(GpuKernel &k, int64_t threads) {
  Sort sort(k);
  size_t axis = sort.axis;
  Emitter &e = k.e;
  const Sizes &shape = k.outputs[0].shape;
  forEachPosition(k, threads, shape, [&](Coordinates &position) {
    Expr x = k.ev.at(sort.op.getMain(), position), mine = cpu::sortKey(x, sort.isDescending);
    Expr here(e.b, e.loc, e.use(position[axis].base), DType::I64);
    Coordinates other(position);
    Value before = e.loop(0, shape[axis], 1, ValueRange{e.use(0)}, [&](Index i, ValueRange carried) {
      Evaluator::Scope scope(k.ev, 0, {});
      other[axis] = {i, 0, {}};
      Expr key = cpu::sortKey(k.ev.at(sort.op.getMain(), other), sort.isDescending), there(e.b, e.loc, e.use(i), DType::I64);
      Expr isEarlier = scalar::bitwise_and(scalar::equal(key, mine), scalar::less(there, here));
      Expr comes = scalar::bitwise_or(scalar::less(key, mine), isEarlier);
      return SmallVector<Value>{(here.with(carried[0]) + scalar::cast(comes, DType::I64)).value};
    })[0];
    position[axis] = {Index(before), 0, {}};
    k.ev.storeAt(k.outputs[0], position, sort.hasValues ? x : here);
  });
}

} // namespace

void emitSort(GpuKernel &k) {
  if (auto merges = dyn_cast<ir::MergeSortAttr>(*k.kernel.getSchedule())) return emitMerges(k, merges);
  emitCounts(k, k.schedule<ir::GridAttr>().getThreads());
}

} // namespace kiln::nvptx
