// Loops whose steps follow each other: cumulative results, and the positions of true elements.
#include "codegen/cpu/Kernels.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;

namespace kiln::cpu {

void emitScan(KernelContext &k) {
  Operation *op = k.yield().getValues()[0].getDefiningOp();
  Emitter &e = k.e;
  Op id = *ir::opOf(op);
  const Buffer &out = k.outputs[0];
  size_t axis = size_t(ir::wordsOf(op)[0]), last = out.shape.size() - 1;
  Index size = out.shape[axis];
  if (size.isConstant(0)) return;
  Coordinates position(out.shape.size());
  // The first element as it is, then one after the other; other axes than the scanned one lie in lanes.
  auto sweep = [&](int64_t lanes, Value mask) {
    auto elementAt = [&](Index i) {
      position[axis] = {i, 0, {}};
      return e.splat(k.ev.at(op->getOperand(0), position), lanes);
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
  if (axis == last) return forEachPosition(k, out.shape, {int64_t(axis)}, position, e.mul(size, 4), [&] { sweep(0, {}); });
  int64_t lanes = lanesFor(out.shape[last], preferredLanes(k));
  forEachPosition(e, out.shape, {int64_t(axis), int64_t(last)}, position, [&] {
    forEachVector(k.ev, 0, out.shape[last], lanes, [&](Coordinate c) {
      position[last] = c;
      sweep(lanes, k.ev.mask);
    });
  });
}

/// Without a branch on the data: every step writes the slot that the next true element will take, until all are found.
/// Slots that nothing came to are -1.
void emitCompact(KernelContext &k) {
  Operation *op = k.yield().getValues()[0].getDefiningOp();
  Emitter &e = k.e;
  const Buffer &out = k.outputs[0];
  Index count = out.shape[0], n = shapeOf(k, op->getOperand(0))[0];
  if (count.isConstant(0)) return;
  auto number = [&](Index i) { return Expr(e.b, e.loc, e.use(i), DType::I64); };
  Type i64 = e.b.getI64Type();
  auto loop = scf::WhileOp::create(
      e.b, e.loc, TypeRange{i64, i64}, ValueRange{e.use(0), e.use(0)},
      [&](OpBuilder &, Location, ValueRange at) {
        Value goesOn = arith::AndIOp::create(e.b, e.loc, e.lessThan(Index(at[0]), n), e.lessThan(Index(at[1]), count));
        scf::ConditionOp::create(e.b, e.loc, goesOn, at);
      },
      [&](OpBuilder &, Location, ValueRange at) {
        Evaluator::Scope scope(k.ev, 0, {});
        Index i(at[0]), used(at[1]);
        e.store(out.pointer, e.mul(used, out.strides[0]), number(i));
        Expr isTrue = k.ev.at(op->getOperand(0), Coordinate{i, 0, {}});
        scf::YieldOp::create(e.b, e.loc, ValueRange{e.use(e.add(i, 1)), (number(used) + scalar::cast(isTrue, DType::I64)).value});
      });
  e.loop(Index(loop.getResult(1)), count, 1, [&](Index i) { e.store(out.pointer, e.mul(i, out.strides[0]), number(-1)); });
}

} // namespace kiln::cpu
