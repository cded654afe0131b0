// Loops whose steps follow each other: cumulative results, and the positions of true elements.
#include "codegen/cpu/Kernels.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
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
      sweep(lanes, k.ev.mask);
    });
  });
  return success();
}

/// Blocks of the mask as bits, of which the true ones are taken from the lowest on; what is left behind the blocks one by one. Slots that
/// nothing came to are -1.
LogicalResult emitCompact(KernelContext &k) {
  Operation *op = k.mainOp();
  Emitter &e = k.e;
  const Buffer &out = k.outputs[0];
  Index count = out.shape[0], n = shapeOf(k, op->getOperand(0))[0];
  if (count.isConstant(0)) return success();
  int64_t lanes = k.schedule<ir::CompactAttr>().getLanes();
  Type i64 = e.b.getI64Type(), bitsType = e.b.getIntegerType(unsigned(lanes));
  auto number = [&](Index i) { return Expr(e.b, e.loc, e.use(i), DType::I64); };
  auto put = [&](Index used, Index i) { e.store(out.pointer, e.mul(used, out.strides[0]), number(i)); };
  // From `start` on while positions are below `end` and slots are free; `step` gives the number of slots used behind position `at[0]`.
  auto positions = [&](Index start, Value used, Index end, int64_t by, llvm::function_ref<Value(Index, Value)> step) {
    auto loop = scf::WhileOp::create(
        e.b, e.loc, TypeRange{i64, i64}, ValueRange{e.use(start), used},
        [&](OpBuilder &, Location, ValueRange at) {
          Value goesOn = arith::AndIOp::create(e.b, e.loc, e.lessThan(Index(at[0]), end), e.lessThan(Index(at[1]), count));
          scf::ConditionOp::create(e.b, e.loc, goesOn, at);
        },
        [&](OpBuilder &, Location, ValueRange at) {
          Value next = step(Index(at[0]), at[1]);
          scf::YieldOp::create(e.b, e.loc, ValueRange{e.use(e.add(Index(at[0]), by)), next});
        });
    return loop.getResult(1);
  };
  auto takeBits = [&](Index i, Value used, Value bits) {
    Value zero = arith::ConstantIntOp::create(e.b, e.loc, bitsType, 0), one = arith::ConstantIntOp::create(e.b, e.loc, bitsType, 1);
    auto loop = scf::WhileOp::create(
        e.b, e.loc, TypeRange{bitsType, i64}, ValueRange{bits, used},
        [&](OpBuilder &, Location, ValueRange at) {
          Value isAny = arith::CmpIOp::create(e.b, e.loc, arith::CmpIPredicate::ne, at[0], zero);
          scf::ConditionOp::create(e.b, e.loc, arith::AndIOp::create(e.b, e.loc, isAny, e.lessThan(Index(at[1]), count)), at);
        },
        [&](OpBuilder &, Location, ValueRange at) {
          Value lowest = math::CountTrailingZerosOp::create(e.b, e.loc, at[0]);
          if (bitsType != i64) lowest = arith::ExtUIOp::create(e.b, e.loc, i64, lowest);
          put(Index(at[1]), e.add(i, Index(lowest)));
          Value others = arith::AndIOp::create(e.b, e.loc, at[0], arith::SubIOp::create(e.b, e.loc, at[0], one));
          scf::YieldOp::create(e.b, e.loc, ValueRange{others, e.use(e.add(Index(at[1]), 1))});
        });
    return loop.getResult(1);
  };
  Index whole = e.floorTo(n, lanes);
  Value used = positions(0, e.use(0), whole, lanes, [&](Index i, Value used) {
    Evaluator::Scope scope(k.ev, lanes, {});
    Value mask = k.ev.vectorAt(op->getOperand(0), Coordinate{i, 1, {}}).value;
    Value bits = vector::BitCastOp::create(e.b, e.loc, VectorType::get({1}, bitsType), mask);
    return takeBits(i, used, vector::ExtractOp::create(e.b, e.loc, bits, ArrayRef<int64_t>{0}));
  });
  used = positions(whole, used, n, 1, [&](Index i, Value used) {
    Evaluator::Scope scope(k.ev, 0, {});
    put(Index(used), i);
    Expr isTrue = k.ev.at(op->getOperand(0), Coordinate{i, 0, {}});
    return (number(Index(used)) + scalar::cast(isTrue, DType::I64)).value;
  });
  e.loop(Index(used), count, 1, [&](Index i) { put(i, -1); });
  return success();
}

} // namespace kiln::cpu
