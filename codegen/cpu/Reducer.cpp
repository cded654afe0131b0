#include "codegen/cpu/Reducer.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;

namespace kiln::cpu {

Reducer Reducer::of(Operation *op, bool countsMasks) {
  auto array = cast<ir::ArrayOp>(op);
  return {op, array.getId(), ir::typeOf(array.getMain()).dtype, countsMasks && ir::isCount(op)};
}

static Expr expr(Emitter &e, Value v, DType t) { return {e.b, e.loc, v, t}; }

SmallVector<Value> Reducer::start(Emitter &e, int64_t lanes, DType place) const {
  Value identity = identityOf(id, e.splat(e.scalar(dtype, 0), countsMasks ? 0 : lanes)).value;
  if (isArg()) return {identity, e.splat(e.scalar(place, 0), lanes).value};
  return {identity};
}

/// y stays the best of an arg-reduction behind which comes x: that is no better, or y is a nan.
static Expr stays(Op id, Expr y, Expr x) {
  if (!isFloat(x.dtype)) return scalar::bitwise_invert(scalarOp(id, x, y, y, DType::Bool));
  Expr isGood = scalar::bitwise_or(scalarOp(id, y, x, x, DType::Bool), scalar::equal(y, x)); // one comparison
  return scalar::bitwise_or(isGood, scalar::isnan(y));
}

SmallVector<Value> Reducer::step(Evaluator &ev, ArrayRef<Value> acc, ArrayRef<Coordinate> position, size_t axis,
                                 llvm::function_ref<Expr()> where) const {
  Emitter &e = ev.e;
  if (countsMasks) return {(expr(e, acc[0], dtype) + count(ev, position)).value};
  if (isArg()) {
    Expr x = ev.vectorAt(op->getOperand(0), position), best = expr(e, acc[0], dtype), here = where();
    Expr at = expr(e, acc[1], here.dtype);
    here = e.splat(here, ev.lanes);
    Expr stays = cpu::stays(id, best, x);
    return {scalar::select(stays, best, x).value, scalar::select(stays, at, here).value};
  }
  if (isDot()) {
    Value x = op->getOperand(0), y = op->getOperand(1), matrix = cast<ir::ArrayOp>(op).getMain();
    size_t batches = size_t(ir::typeOf(op->getResult(0)).shape.rank) -
                     (ir::typeOf(matrix).shape.rank > ir::typeOf(x == matrix ? y : x).shape.rank ? 1 : 0);
    Coordinates vector(position.take_front(batches));
    vector.push_back(position[axis]);
    Expr a = ev.vectorAt(x, x == matrix ? position : ArrayRef(vector)), b = ev.vectorAt(y, y == matrix ? position : ArrayRef(vector));
    return {scalarOp(id, a, b, expr(e, acc[0], dtype), dtype).value};
  }
  Expr x = ev.vectorAt(op->getOperand(0), position);
  return {scalarOp(id, expr(e, acc[0], dtype), x, x, dtype).value};
}

Expr Reducer::count(Evaluator &ev, ArrayRef<Coordinate> position) const {
  Emitter &e = ev.e;
  Value isTrue = ev.vectorAt(op->getOperand(0).getDefiningOp<ir::CastOp>().getX(), position).value;
  if (ev.mask) isTrue = arith::AndIOp::create(e.b, e.loc, isTrue, ev.mask);
  auto bitsType = e.b.getIntegerType(unsigned(ev.lanes));
  if (ev.lanes > 1) isTrue = vector::BitCastOp::create(e.b, e.loc, VectorType::get({1}, bitsType), isTrue);
  Value bits = vector::ExtractOp::create(e.b, e.loc, isTrue, ArrayRef<int64_t>{0});
  constexpr int64_t kWord = 64;
  if (ev.lanes < kWord) bits = arith::ExtUIOp::create(e.b, e.loc, e.b.getI64Type(), bits);
  Value number = math::CtPopOp::create(e.b, e.loc, bits);
  if (ev.lanes > kWord) number = arith::TruncIOp::create(e.b, e.loc, e.b.getI64Type(), number);
  return scalar::cast(expr(e, number, DType::I64), dtype);
}

SmallVector<Value> Reducer::join(Emitter &e, ArrayRef<Value> a, ArrayRef<Value> b) const {
  if (!isArg()) {
    Expr x = expr(e, a[0], dtype), y = expr(e, b[0], dtype);
    return {(isDot() ? x + y : scalarOp(id, x, y, y, dtype)).value};
  }
  Expr x = expr(e, a[0], dtype), y = expr(e, b[0], dtype), i = expr(e, a[1], DType::I64), j = expr(e, b[1], DType::I64);
  Expr same = scalar::equal(x, y);
  if (isFloat(dtype)) same = scalar::bitwise_or(same, scalar::bitwise_and(scalar::isnan(x), scalar::isnan(y)));
  Expr earlier = scalar::bitwise_and(same, scalar::less(j, i));
  Expr take = scalar::bitwise_or(scalar::bitwise_invert(stays(id, x, y)), earlier);
  return {scalar::select(take, y, x).value, scalar::select(take, j, i).value};
}

} // namespace kiln::cpu
