// Loops whose steps follow each other: cumulative results.
#include "codegen/cpu/Kernels.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;

namespace kiln::cpu {

LogicalResult emitScan(KernelContext &k) {
  auto op = cast<ir::ArrayOp>(k.mainOp());
  auto schedule = k.schedule<ir::ScanAttr>();
  Emitter &e = k.e;
  Op id = op.getId();
  const Buffer &out = k.outputs[0];
  size_t axis = size_t(op.getAlong()[0]), last = out.shape.size() - 1;
  Index size = out.shape[axis];
  if (size.isConstant(0)) return success();
  Coordinates position(out.shape.size());
  // The first element as it is, then one after the other; other axes than the scanned one lie in lanes.
  auto sweep = [&](int64_t lanes, Value mask) {
    auto elementAt = [&](Index i) {
      position[axis] = {i, 0, {}};
      return e.splat(k.ev.at(op.getMain(), position), lanes);
    };
    auto first = [&] {
      Evaluator::Scope scope(k.ev, lanes, mask);
      Expr x = elementAt(0);
      k.ev.storeAt(out, position, x);
      return x;
    };
    auto rest = [&](Expr start) {
      e.loop(1, size, 1, ValueRange{start.value}, [&](Index i, ValueRange carried) {
        Evaluator::Scope scope(k.ev, lanes, mask);
        Expr x = elementAt(i), next = scalarOp(id, start.with(carried[0]), x, x, out.dtype);
        k.ev.storeAt(out, position, next);
        return SmallVector<Value>{next.value};
      });
    };
    if (size.isStatic()) return rest(first());
    e.when(e.lessThan(0, size), [&] { rest(first()); });
  };
  Sharing sharing{schedule.getParallel(), schedule.getGrain()};
  Index work = e.mul(size, kScanWork);
  if (axis == last) {
    forEachPosition(k, out.shape, {int64_t(axis)}, position, sharing, work, [&] { sweep(0, {}); });
    return success();
  }
  int64_t lanes = schedule.getLanes();
  forEachPosition(k, out.shape, {int64_t(axis), int64_t(last)}, position, sharing, e.mul(work, out.shape[last]), [&] {
    forEachVector(k, sharing.along(int64_t(last)), 0, out.shape[last], lanes, work, [&](Coordinate c) {
      position[last] = c;
      sweep(k.ev.lanes, k.ev.mask);
    });
  });
  return success();
}

} // namespace kiln::cpu
