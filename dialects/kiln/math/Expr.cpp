#include "dialects/kiln/math/Expr.h"

#include "lib/Core/Assert.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/BuiltinTypes.h"

using namespace mlir;

namespace kiln::ir {

int64_t Expr::lanes() const {
  auto vector = dyn_cast<VectorType>(value.getType());
  return vector ? vector.getNumElements() : 0;
}

Type Expr::typeFor(DType t) const {
  Type element = t == DType::F32    ? Type(builder->getF32Type())
                 : t == DType::F64  ? Type(builder->getF64Type())
                 : t == DType::Bool ? Type(builder->getI1Type())
                                    : Type(builder->getIntegerType(unsigned(8 * byteSize(t))));
  int64_t n = lanes();
  return n ? VectorType::get({n}, element) : element;
}

static Expr splat(const Expr &like, DType dtype, Attribute element) {
  Type type = like.typeFor(dtype);
  auto value = isa<VectorType>(type) ? TypedAttr(DenseElementsAttr::get(cast<ShapedType>(type), element)) : cast<TypedAttr>(element);
  return like.with(arith::ConstantOp::create(*like.builder, like.loc, type, value), dtype);
}

Expr constant(const Expr &like, DType dtype, double number) {
  Type element = getElementTypeOrSelf(like.typeFor(dtype));
  if (isFloat(dtype)) return splat(like, dtype, FloatAttr::get(element, number));
  return splat(like, dtype, IntegerAttr::get(element, int64_t(number)));
}
Expr constant(const Expr &like, double number) { return constant(like, like.dtype, number); }

Expr bits(const Expr &like, DType dtype, uint64_t raw) {
  Type element = getElementTypeOrSelf(like.typeFor(dtype));
  APInt value(element.getIntOrFloatBitWidth(), raw, false, true);
  if (auto f = dyn_cast<FloatType>(element)) return splat(like, dtype, FloatAttr::get(f, APFloat(f.getFloatSemantics(), value)));
  return splat(like, dtype, IntegerAttr::get(element, value));
}

template <typename FloatOp, typename IntOp> static Expr binary(Expr a, Expr b) {
  KILN_ASSERT(a.dtype == b.dtype, "operands of one dtype");
  if (isFloat(a.dtype)) return a.with(FloatOp::create(*a.builder, a.loc, a.value, b.value));
  return a.with(IntOp::create(*a.builder, a.loc, a.value, b.value));
}

Expr operator+(Expr a, Expr b) { return binary<arith::AddFOp, arith::AddIOp>(a, b); }
Expr operator-(Expr a, Expr b) { return binary<arith::SubFOp, arith::SubIOp>(a, b); }
Expr operator*(Expr a, Expr b) { return binary<arith::MulFOp, arith::MulIOp>(a, b); }
Expr operator/(Expr a, Expr b) {
  KILN_ASSERT(isFloat(a.dtype), "integer division is not total");
  return a.with(arith::DivFOp::create(*a.builder, a.loc, a.value, b.value));
}
Expr operator-(Expr a) {
  if (isFloat(a.dtype)) return a.with(arith::NegFOp::create(*a.builder, a.loc, a.value));
  return constant(a, 0) - a;
}
Expr max(Expr a, Expr b) {
  if (info(a.dtype).isSigned) return binary<arith::MaximumFOp, arith::MaxSIOp>(a, b);
  return binary<arith::MaximumFOp, arith::MaxUIOp>(a, b);
}
Expr min(Expr a, Expr b) {
  if (info(a.dtype).isSigned) return binary<arith::MinimumFOp, arith::MinSIOp>(a, b);
  return binary<arith::MinimumFOp, arith::MinUIOp>(a, b);
}
Expr abs(Expr a) {
  if (isFloat(a.dtype)) return a.with(mlir::math::AbsFOp::create(*a.builder, a.loc, a.value));
  if (!info(a.dtype).isSigned) return a;
  return select(less(a, constant(a, 0)), -a, a);
}
Expr sqrt(Expr a) { return a.with(mlir::math::SqrtOp::create(*a.builder, a.loc, a.value)); }
Expr fma(Expr a, Expr b, Expr c) {
  if (!isFloat(a.dtype)) return a * b + c;
  return a.with(mlir::math::FmaOp::create(*a.builder, a.loc, a.value, b.value, c.value));
}

static Expr compare(Expr a, Expr b, arith::CmpFPredicate f, arith::CmpIPredicate s, arith::CmpIPredicate u) {
  KILN_ASSERT(a.dtype == b.dtype, "operands of one dtype");
  if (isFloat(a.dtype)) return a.with(arith::CmpFOp::create(*a.builder, a.loc, f, a.value, b.value), DType::Bool);
  return a.with(arith::CmpIOp::create(*a.builder, a.loc, info(a.dtype).isSigned ? s : u, a.value, b.value), DType::Bool);
}
using F = arith::CmpFPredicate;
using I = arith::CmpIPredicate;
Expr equal(Expr a, Expr b) { return compare(a, b, F::OEQ, I::eq, I::eq); }
Expr not_equal(Expr a, Expr b) { return compare(a, b, F::UNE, I::ne, I::ne); }
Expr less(Expr a, Expr b) { return compare(a, b, F::OLT, I::slt, I::ult); }
Expr less_equal(Expr a, Expr b) { return compare(a, b, F::OLE, I::sle, I::ule); }
Expr greater(Expr a, Expr b) { return compare(a, b, F::OGT, I::sgt, I::ugt); }
Expr greater_equal(Expr a, Expr b) { return compare(a, b, F::OGE, I::sge, I::uge); }

Expr bitwise_and(Expr a, Expr b) { return a.with(arith::AndIOp::create(*a.builder, a.loc, a.value, b.value)); }
Expr bitwise_or(Expr a, Expr b) { return a.with(arith::OrIOp::create(*a.builder, a.loc, a.value, b.value)); }
Expr bitwise_xor(Expr a, Expr b) { return a.with(arith::XOrIOp::create(*a.builder, a.loc, a.value, b.value)); }
Expr bitwise_invert(Expr a) { return bitwise_xor(a, bits(a, a.dtype, ~uint64_t(0))); }
Expr select(Expr condition, Expr a, Expr b) {
  return a.with(arith::SelectOp::create(*a.builder, a.loc, condition.value, a.value, b.value));
}
Expr bitcast(Expr a, DType to) { return a.with(arith::BitcastOp::create(*a.builder, a.loc, a.typeFor(to), a.value), to); }
Expr shiftLeft(Expr a, int by) { return a.with(arith::ShLIOp::create(*a.builder, a.loc, a.value, constant(a, by).value)); }
Expr shiftRight(Expr a, int by) {
  Expr n = constant(a, by);
  if (info(a.dtype).isSigned) return a.with(arith::ShRSIOp::create(*a.builder, a.loc, a.value, n.value));
  return a.with(arith::ShRUIOp::create(*a.builder, a.loc, a.value, n.value));
}

Expr isnan(Expr a) { return not_equal(a, a); }
Expr isinf(Expr a) {
  if (!isFloat(a.dtype)) return isnan(a);
  return equal(abs(a), constant(a, std::numeric_limits<double>::infinity()));
}
Expr isfinite(Expr a) {
  if (!isFloat(a.dtype)) return equal(a, a);
  return less(abs(a), constant(a, std::numeric_limits<double>::infinity()));
}
Expr sign(Expr a) {
  Expr zero = constant(a, 0), one = constant(a, 1);
  Expr result = select(greater(a, zero), one, zero);
  if (info(a.dtype).isSigned) result = select(less(a, zero), -one, result);
  return isFloat(a.dtype) ? select(isnan(a), a, result) : result;
}
template <typename RoundOp> static Expr rounded(Expr a) {
  return isFloat(a.dtype) ? a.with(RoundOp::create(*a.builder, a.loc, a.value)) : a;
}
Expr floor(Expr a) { return rounded<mlir::math::FloorOp>(a); }
Expr ceil(Expr a) { return rounded<mlir::math::CeilOp>(a); }
Expr trunc(Expr a) { return rounded<mlir::math::TruncOp>(a); }
Expr round(Expr a) { return rounded<mlir::math::RoundEvenOp>(a); }

/// Saturates at the limits of `to`; nan becomes 0.
static Expr floatToInteger(Expr a, DType to) {
  int bitsOfTo = int(8 * byteSize(to));
  bool isSigned = info(to).isSigned;
  double high = std::ldexp(1.0, isSigned ? bitsOfTo - 1 : bitsOfTo), low = isSigned ? -high : 0;
  Expr above = greater_equal(a, constant(a, high)), below = less_equal(a, constant(a, low));
  // Lanes out of range are converted from 0 and replaced: the conversion itself never leaves its range.
  Expr inside = bitwise_and(less(a, constant(a, high)), greater(a, constant(a, low)));
  Expr safe = select(inside, a, constant(a, 0));
  Type type = a.typeFor(to);
  Expr result = isSigned ? a.with(arith::FPToSIOp::create(*a.builder, a.loc, type, safe.value), to)
                         : a.with(arith::FPToUIOp::create(*a.builder, a.loc, type, safe.value), to);
  uint64_t top = isSigned ? (uint64_t(1) << (bitsOfTo - 1)) - 1 : ~uint64_t(0);
  result = select(above, bits(a, to, top), result);
  return isSigned ? select(below, bits(a, to, uint64_t(1) << (bitsOfTo - 1)), result) : result;
}

Expr cast(Expr a, DType to) {
  DType from = a.dtype;
  if (from == to) return a;
  OpBuilder &b = *a.builder;
  Type type = a.typeFor(to);
  if (to == DType::Bool) return not_equal(a, constant(a, 0));
  if (isFloat(from) && isFloat(to)) {
    if (byteSize(to) > byteSize(from)) return a.with(arith::ExtFOp::create(b, a.loc, type, a.value), to);
    return a.with(arith::TruncFOp::create(b, a.loc, type, a.value), to);
  }
  if (isFloat(from)) return floatToInteger(a, to);
  if (isFloat(to)) {
    if (info(from).isSigned) return a.with(arith::SIToFPOp::create(b, a.loc, type, a.value), to);
    return a.with(arith::UIToFPOp::create(b, a.loc, type, a.value), to);
  }
  if (from != DType::Bool && byteSize(to) == byteSize(from)) return a.with(a.value, to);
  if (from != DType::Bool && byteSize(to) < byteSize(from)) return a.with(arith::TruncIOp::create(b, a.loc, type, a.value), to);
  if (info(from).isSigned) return a.with(arith::ExtSIOp::create(b, a.loc, type, a.value), to);
  return a.with(arith::ExtUIOp::create(b, a.loc, type, a.value), to);
}

Expr polynomial(Expr x, ArrayRef<double> c) {
  Expr sum = constant(x, c.back());
  for (double k : llvm::reverse(c.drop_back())) sum = fma(sum, x, constant(x, k));
  return sum;
}

} // namespace kiln::ir
