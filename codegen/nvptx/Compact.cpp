// The positions of true elements, or the elements of an array there: each true one counts those up to it, and so finds its slot.
#include "codegen/nvptx/GroupScanner.h"

using namespace mlir;

namespace kiln::nvptx {

void emitCompact(GpuKernel &k) {
  constexpr int64_t kThreads = 256;
  Emitter &e = k.e;
  Operation *op = k.yielded()[0].getDefiningOp();
  auto gather = dyn_cast<ir::GatherOp>(op);
  Value elements = gather ? gather.getX() : Value(), mask = (gather ? gather.getIndices().getDefiningOp() : op)->getOperand(0);
  const Buffer &out = k.outputs[0];
  Index size = k.shapeOf(mask)[0], count = out.shape[0];
  auto number = [&](Value v) { return Expr(e.b, e.loc, v, DType::I64); };
  auto join = [&](Value before, Value x) { return (number(before) + number(x)).value; };
  auto put = [&](Index slot, Index at) {
    Expr item = elements ? k.ev.at(elements, Coordinate{at, 0, {}}) : number(e.use(at));
    k.ev.storeAt(out, Coordinate{slot, 0, {}}, item);
  };
  GroupScanner scanner(k, DType::I64, 1, size, k.schedule<ir::ScanGroupsAttr>(), join);
  int64_t scans = size.isConstant(0) ? 0 : scanner.launches();
  k.launches = scans + 1;
  if (count.isConstant(0)) return;
  Value found = k.scratch(byteSize(DType::I64));
  if (k.launch < scans) {
    auto load = [&](Index, Index at) { return scalar::cast(k.ev.at(mask, Coordinate{at, 0, {}}), DType::I64).value; };
    return scanner.emit(k.launch, load, [&](Index, Index at, Value joined) {
      Index slot = e.sub(Index(joined), 1);
      Value isTrue = k.ev.at(mask, Coordinate{at, 0, {}}).value;
      k.when(arith::AndIOp::create(e.b, e.loc, isTrue, e.lessThan(slot, count)), [&] { put(slot, at); });
      Value isLast = arith::CmpIOp::create(e.b, e.loc, arith::CmpIPredicate::eq, e.use(at), e.use(e.sub(size, 1)));
      k.when(isLast, [&] { e.store(found, 0, number(joined)); });
    });
  }
  // Slots that nothing came to have the position -1, or the last element.
  forEachPosition(k, kThreads, {count}, [&](Coordinates &slot) {
    if (elements && size.isConstant(0))
      return k.ev.reportIndex(Expr(e.b, e.loc, arith::ConstantOp::create(e.b, e.loc, e.b.getBoolAttr(true)), DType::Bool));
    Index used = size.isConstant(0) ? Index(0) : Index(e.load(found, DType::I64, 0, 0).value);
    Value isFree = arith::CmpIOp::create(e.b, e.loc, arith::CmpIPredicate::sge, e.use(slot[0].base), e.use(used));
    k.when(isFree, [&] { put(slot[0].base, elements ? e.sub(size, 1) : Index(-1)); });
  });
}

} // namespace kiln::nvptx
