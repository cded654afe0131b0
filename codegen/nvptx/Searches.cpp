// Ops that call a routine of the CPU's and have kernels here: what looks at elements until it has found something, a position a thread.
#include "codegen/nvptx/LibraryCalls.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

#include <bit>

using namespace mlir;

namespace kiln::nvptx {
namespace {

/// Runs `body` for each position of the result, which gives the element there.
void forEachResult(LibraryCalls &calls, std::function<Expr(GpuKernel &, ArrayRef<Coordinate>)> body) {
  calls.launch([=](GpuKernel &k) {
    const Buffer &out = k.outputs[0];
    forEachPosition(k, kCopyThreads, out.shape, [&](Coordinates &at) { k.ev.storeAt(out, at, body(k, at)); });
  });
}

/// The element of a line, or of one of each batch, which the first axes of a position say.
Expr elementOf(GpuKernel &k, Value line, ArrayRef<Coordinate> position, Index at) {
  Coordinates from(position.take_front(size_t(ir::typeOf(line).shape.rank) - 1));
  from.push_back({at, 0, {}});
  return k.ev.at(line, from);
}
int64_t sizeOf(Value line) { return ir::typeOf(line).shape[ir::typeOf(line).shape.rank - 1].number(); }

Expr numberOf(GpuKernel &k, Value v) { return Expr(k.e.b, k.e.loc, v, DType::I64); }

} // namespace

namespace library {

/// Halves the part of the line in which the answer lies, in the steps of the CPU's routine, so that lines that are not sorted give the
/// same. Nan is behind all numbers.
void searchsorted(LibraryCalls &calls) {
  Value line = calls.op->getOperand(0), values = calls.op->getOperand(1);
  bool isRight = calls.words[0];
  int64_t size = sizeOf(line), halvings = size ? int64_t(std::bit_width(uint64_t(size) - 1)) : 0;
  forEachResult(calls, [=](GpuKernel &k, ArrayRef<Coordinate> at) {
    Emitter &e = k.e;
    if (!size) return numberOf(k, e.use(0));
    Expr value = k.ev.at(values, at);
    auto isBefore = [&](Expr place) {
      Expr element = elementOf(k, line, at, Index(place.value)), isNan = scalar::not_equal(value, value);
      if (isRight) return scalar::bitwise_or(scalar::less_equal(element, value), isNan);
      return scalar::bitwise_or(scalar::less(element, value), scalar::bitwise_and(isNan, scalar::equal(element, element)));
    };
    auto found = e.loop(0, halvings, 1, {e.use(0), e.use(size)}, [&](Index, ValueRange carried) -> SmallVector<Value> {
      Expr start = numberOf(k, carried[0]), left = numberOf(k, carried[1]), one = constant(left, 1);
      Expr half = ir::shrRaw(left, one), middle = start + half;
      return {scalar::select(isBefore(middle - one), middle, start).value, (left - half).value};
    });
    Expr start = numberOf(k, found[0]);
    return start + scalar::cast(isBefore(start), DType::I64);
  });
}

/// Looks at all of the values.
void isin(LibraryCalls &calls) {
  Value x = calls.op->getOperand(0), values = calls.op->getOperand(1);
  forEachResult(calls, [=](GpuKernel &k, ArrayRef<Coordinate> at) {
    Expr element = k.ev.at(x, at), none = k.e.scalar(DType::Bool, 0);
    auto found = k.e.loop(0, sizeOf(values), 1, {none.value}, [&](Index i, ValueRange carried) -> SmallVector<Value> {
      return {scalar::bitwise_or(none.with(carried[0]), scalar::equal(element, elementOf(k, values, at, i))).value};
    });
    return none.with(found[0]);
  });
}

/// Euclid's algorithm on their sizes.
void gcd(LibraryCalls &calls) {
  Value x = calls.op->getOperand(0), y = calls.op->getOperand(1);
  forEachResult(calls, [=](GpuKernel &k, ArrayRef<Coordinate> at) {
    OpBuilder &b = k.e.b;
    auto sizeAt = [&](Value v) {
      Expr number = k.ev.at(v, at);
      Expr wide = scalar::cast(number, info(number.dtype).isSigned ? DType::I64 : DType::U64);
      return info(number.dtype).isSigned ? scalar::select(scalar::less(wide, constant(wide, 0)), -wide, wide).value : wide.value;
    };
    SmallVector<Type> types(2, b.getI64Type());
    auto loop = scf::WhileOp::create(
        b, k.e.loc, types, ValueRange{sizeAt(x), sizeAt(y)},
        [&](OpBuilder &inner, Location loc, ValueRange pair) {
          Value isLeft =
              arith::CmpIOp::create(inner, loc, arith::CmpIPredicate::ne, pair[1], arith::ConstantIntOp::create(inner, loc, types[1], 0));
          scf::ConditionOp::create(inner, loc, isLeft, pair);
        },
        [&](OpBuilder &inner, Location loc, ValueRange pair) {
          scf::YieldOp::create(inner, loc, ValueRange{pair[1], arith::RemUIOp::create(inner, loc, pair[0], pair[1])});
        });
    DType dtype = k.outputs[0].dtype;
    return scalar::cast(Expr(b, k.e.loc, loop.getResult(0), info(dtype).isSigned ? DType::I64 : DType::U64), dtype);
  });
}

} // namespace library
} // namespace kiln::nvptx
