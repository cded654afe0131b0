#include "dialects/kiln/math/Expr.h"

#include "lib/Core/Assert.h"
#include "llvm/Support/DivisionByConstantInfo.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/BuiltinTypes.h"

using namespace mlir;

namespace kiln::ir {

int64_t Expr::lanes() const {
  auto vector = dyn_cast<VectorType>(value.getType());
  return vector ? vector.getNumElements() : 0;
}

Type registerType(MLIRContext *context, DType dtype) {
  switch (realType(dtype)) {
  case DType::Bool: return IntegerType::get(context, 1);
  case DType::F32: return Float32Type::get(context);
  case DType::F64: return Float64Type::get(context);
  default: return IntegerType::get(context, unsigned(8 * byteSize(dtype)));
  }
}

Type Expr::typeFor(DType t) const {
  Type element = registerType(builder->getContext(), t);
  int64_t n = lanes();
  return n ? VectorType::get({n}, element) : element;
}

static Expr splat(const Expr &like, DType dtype, Attribute element) {
  Type type = like.typeFor(dtype);
  auto value = isa<VectorType>(type) ? TypedAttr(DenseElementsAttr::get(cast<ShapedType>(type), element)) : cast<TypedAttr>(element);
  return like.with(arith::ConstantOp::create(*like.builder, like.loc, type, value), dtype);
}

Expr constant(const Expr &like, DType dtype, double number) {
  if (isComplex(dtype)) return makeComplex(constant(like, realType(dtype), number), constant(like, realType(dtype), 0));
  KILN_ASSERT(!isNarrow(dtype), "narrow floats are computed in float32");
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

//===-- arithmetic --------------------------------------------------------------------------------------------------===//

template <typename FloatOp, typename IntOp> static Expr binary(Expr a, Expr b) {
  KILN_ASSERT(a.dtype == b.dtype && !isComplex(a.dtype) && !isNarrow(a.dtype), "operands of one dtype that is computed with");
  if (isFloat(a.dtype)) return a.with(FloatOp::create(*a.builder, a.loc, a.value, b.value));
  return a.with(IntOp::create(*a.builder, a.loc, a.value, b.value));
}
template <typename FloatOp, typename SignedOp, typename UnsignedOp> static Expr signedBinary(Expr a, Expr b) {
  return info(a.dtype).isSigned ? binary<FloatOp, SignedOp>(a, b) : binary<FloatOp, UnsignedOp>(a, b);
}
template <typename UnaryOp> static Expr unary(Expr a) { return a.with(UnaryOp::create(*a.builder, a.loc, a.value)); }

Expr addRaw(Expr a, Expr b) { return binary<arith::AddFOp, arith::AddIOp>(a, b); }
Expr subRaw(Expr a, Expr b) { return binary<arith::SubFOp, arith::SubIOp>(a, b); }
Expr mulRaw(Expr a, Expr b) { return binary<arith::MulFOp, arith::MulIOp>(a, b); }
/// A divisor that is known, and divides every integer: then a product and shifts do.
static std::optional<APInt> knownDivisor(Expr b) {
  Value value = b.value;
  if (auto safe = value.getDefiningOp<arith::SelectOp>()) value = safe.getFalseValue(); // as safeDivisor has it
  DenseElementsAttr lanes;
  APInt number;
  if (matchPattern(value, m_Constant(&lanes)) && lanes.isSplat()) number = lanes.getSplatValue<APInt>();
  else if (!matchPattern(value, m_ConstantInt(&number))) return std::nullopt;
  bool isOfAll = !number.isZero() && !(info(b.dtype).isSigned && number.isAllOnes());
  return isOfAll ? std::optional(number) : std::nullopt;
}
/// The upper half of a product of unsigned 64 bits.
static Expr upperProduct(Expr x, Expr y) {
  Expr by = bits(x, x.dtype, 32), mask = bits(x, x.dtype, 0xffffffffu);
  auto low = [&](Expr v) { return andRaw(v, mask); };
  auto high = [&](Expr v) { return shrRaw(v, by); };
  Expr middle = addRaw(mulRaw(high(x), low(y)), high(mulRaw(low(x), low(y))));
  Expr other = addRaw(mulRaw(low(x), high(y)), low(middle));
  return addRaw(mulRaw(high(x), high(y)), addRaw(high(middle), high(other)));
}
/// Vectors of 64 bits over a known number by a product and shifts, which LLVM does lane by lane (H. Warren, "Hacker's Delight", chapter
/// 10).
static Expr divideByFactor(Expr a, const APInt &divisor) {
  auto shifted = [](Expr x, unsigned by) { return by ? shrRaw(x, bits(x, x.dtype, by)) : x; };
  if (!info(a.dtype).isSigned) {
    auto by = llvm::UnsignedDivisionByConstantInfo::get(divisor);
    Expr result = upperProduct(shifted(a, by.PreShift), bits(a, a.dtype, by.Magic.getZExtValue()));
    if (by.IsAdd) result = addRaw(shifted(subRaw(a, result), 1), result);
    return shifted(result, by.PostShift);
  }
  auto by = llvm::SignedDivisionByConstantInfo::get(divisor);
  uint64_t factor = by.Magic.getZExtValue();
  Expr x = bitcast(a, DType::U64), isBelow = shifted(a, 63);
  Expr result = subRaw(bitcast(upperProduct(x, bits(x, x.dtype, factor)), a.dtype), andRaw(isBelow, bits(a, a.dtype, factor)));
  if (divisor.isNegative()) result = subRaw(result, a);
  result = shifted(result, by.ShiftAmount);
  return addRaw(result, bitcast(shifted(bitcast(result, DType::U64), 63), a.dtype)); // towards 0
}
/// Quotients of integers, which no vector unit has: those of up to 16 bits are exact in float32, of 32 in float64, others are taken lane
/// by lane.
static Expr divideIntegers(Expr a, Expr b) {
  int64_t bytes = byteSize(a.dtype);
  auto known = knownDivisor(b);
  bool isShift = known && (info(b.dtype).isSigned ? known->abs() : *known).isPowerOf2();
  if (isShift || (known && bytes <= 4)) return signedBinary<arith::DivFOp, arith::DivSIOp, arith::DivUIOp>(a, b);
  DType exact = bytes <= 2 ? DType::F32 : DType::F64;
  if (bytes <= 4) return convertRaw(truncRaw(convertRaw(a, exact) / convertRaw(b, exact)), a.dtype);
  if (!a.lanes()) return signedBinary<arith::DivFOp, arith::DivSIOp, arith::DivUIOp>(a, b);
  if (known) return divideByFactor(a, *known);
  OpBuilder &builder = *a.builder;
  // Where all lanes are below 2^51, too; a magic number turns integers into floats and back.
  Expr offset = bits(a, DType::U64, info(a.dtype).isSigned ? uint64_t(1) << 51 : 0);
  auto isSmall = [&](Expr x) {
    Expr moved = addRaw(bitcast(x, DType::U64), offset);
    return compareRaw(moved, bits(x, DType::U64, uint64_t(1) << (info(x.dtype).isSigned ? 52 : 51)), scalar::Relation::Less);
  };
  Value small = vector::ReductionOp::create(builder, a.loc, vector::CombiningKind::AND, andRaw(isSmall(a), isSmall(b)).value);
  auto branch = scf::IfOp::create(builder, a.loc, TypeRange{a.value.getType()}, small, true);
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPointToStart(branch.thenBlock());
  Expr magic = constant(a, DType::F64, 0x1.8p52), magicBits = bitcast(magic, a.dtype);
  auto toFloat = [&](Expr x) { return subRaw(bitcast(addRaw(x, magicBits), DType::F64), magic); };
  Expr quick = subRaw(bitcast(addRaw(truncRaw(divRaw(toFloat(a), toFloat(b))), magic), a.dtype), magicBits);
  scf::YieldOp::create(builder, a.loc, quick.value);
  builder.setInsertionPointToStart(branch.elseBlock());
  Value result = a.value;
  for (int64_t i = 0; i < a.lanes(); ++i) {
    auto lane = [&](Expr x) { return x.with(vector::ExtractOp::create(builder, a.loc, x.value, ArrayRef<int64_t>{i})); };
    result = vector::InsertOp::create(builder, a.loc, divideIntegers(lane(a), lane(b)).value, result, ArrayRef<int64_t>{i});
  }
  scf::YieldOp::create(builder, a.loc, result);
  return a.with(branch.getResult(0));
}
Expr divRaw(Expr a, Expr b) { return isFloat(a.dtype) ? binary<arith::DivFOp, arith::DivSIOp>(a, b) : divideIntegers(a, b); }
Expr maxRaw(Expr a, Expr b) { return signedBinary<arith::MaximumFOp, arith::MaxSIOp, arith::MaxUIOp>(a, b); }
Expr minRaw(Expr a, Expr b) { return signedBinary<arith::MinimumFOp, arith::MinSIOp, arith::MinUIOp>(a, b); }
Expr negRaw(Expr a) { return unary<arith::NegFOp>(a); }
Expr absRaw(Expr a) { return unary<mlir::math::AbsFOp>(a); }
Expr opaqueRaw(Expr a) {
  auto name = a.builder->getStringAttr("llvm.arithmetic.fence");
  return a.with(LLVM::CallIntrinsicOp::create(*a.builder, a.loc, a.value.getType(), name, ValueRange{a.value}).getResult(0));
}
Expr sqrtRaw(Expr a) { return unary<mlir::math::SqrtOp>(a); }
Expr floorRaw(Expr a) { return unary<mlir::math::FloorOp>(a); }
Expr ceilRaw(Expr a) { return unary<mlir::math::CeilOp>(a); }
Expr truncRaw(Expr a) { return unary<mlir::math::TruncOp>(a); }
Expr roundRaw(Expr a) { return unary<mlir::math::RoundEvenOp>(a); }
Expr popcountRaw(Expr a) { return unary<mlir::math::CtPopOp>(a); }
Expr clzRaw(Expr a) { return unary<mlir::math::CountLeadingZerosOp>(a); }
Expr fmaRaw(Expr a, Expr b, Expr c) { return a.with(mlir::math::FmaOp::create(*a.builder, a.loc, a.value, b.value, c.value)); }
/// Whether the processor multiplies and adds at once.
static bool isFused(Expr a) {
  auto module = a.builder->getInsertionBlock()->getParentOp()->getParentOfType<ModuleOp>();
  auto unfused = module ? module->getAttrOfType<DenseI64ArrayAttr>(kUnfused) : nullptr;
  return !unfused || !llvm::is_contained(unfused.asArrayRef(), byteSize(a.dtype));
}
Expr accumulateRaw(Expr a, Expr b, Expr c) { return isFused(a) ? fmaRaw(a, b, c) : addRaw(mulRaw(a, b), c); }
Expr mulhiRaw(Expr a, Expr b) { return a.with(arith::MulUIExtendedOp::create(*a.builder, a.loc, a.value, b.value).getHigh()); }

/// Of floats. Where the quotient is below 2^23 (2^52 in float64), q is the next whole number below it, or one above where it was rounded
/// up: |a| - q |b| lies between -|b| and |b| and is a multiple of the last place of b, so that one rounding leaves it as it is. Other lanes
/// are left to the C library.
static Expr remainderOfFloats(Expr a, Expr b) {
  auto byLibrary = [&] { return binary<arith::RemFOp, arith::RemSIOp>(a, b); };
  if (!a.lanes() || !isFused(a)) return byLibrary();
  constexpr double kInfinity = std::numeric_limits<double>::infinity(), kNaN = std::numeric_limits<double>::quiet_NaN();
  Expr x = absRaw(a), y = absRaw(b), zero = constant(a, 0), quotient = divRaw(x, y);
  Expr rest = fmaRaw(negRaw(truncRaw(quotient)), y, x);
  rest = selectRaw(scalar::less(rest, zero), addRaw(rest, y), rest);
  Expr isBelow = scalar::less(x, y), isNear = scalar::less(quotient, constant(a, a.dtype == DType::F64 ? 0x1p52 : 0x1p23));
  rest = selectRaw(isBelow, x, selectRaw(isNear, rest, constant(a, kNaN))); // also where y is infinite
  Expr isNumber = andRaw(scalar::less(x, constant(a, kInfinity)), scalar::less(zero, y));
  return rarely(andRaw(isNumber, scalar::bitwise_invert(orRaw(isBelow, isNear))), scalar::copysign(rest, a), byLibrary);
}
Expr remRaw(Expr a, Expr b) { return isFloat(a.dtype) ? remainderOfFloats(a, b) : a - divideIntegers(a, b) * b; }

//===-- comparison, choice, bits ------------------------------------------------------------------------------------===//

Expr compareRaw(Expr a, Expr b, scalar::Relation relation) {
  KILN_ASSERT(a.dtype == b.dtype && !isNarrow(a.dtype), "operands of one dtype that is computed with");
  using F = arith::CmpFPredicate;
  using I = arith::CmpIPredicate;
  static constexpr F floats[] = {F::OEQ, F::UNE, F::OLT, F::OLE, F::OGT, F::OGE};
  static constexpr I integers[2][6] = {{I::eq, I::ne, I::ult, I::ule, I::ugt, I::uge}, {I::eq, I::ne, I::slt, I::sle, I::sgt, I::sge}};
  Value result;
  if (isFloat(a.dtype)) result = arith::CmpFOp::create(*a.builder, a.loc, floats[size_t(relation)], a.value, b.value);
  else result = arith::CmpIOp::create(*a.builder, a.loc, integers[info(a.dtype).isSigned][size_t(relation)], a.value, b.value);
  return a.with(result, DType::Bool);
}
Expr selectRaw(Expr condition, Expr a, Expr b) {
  return a.with(arith::SelectOp::create(*a.builder, a.loc, condition.value, a.value, b.value));
}
Expr andRaw(Expr a, Expr b) { return a.with(arith::AndIOp::create(*a.builder, a.loc, a.value, b.value)); }
Expr orRaw(Expr a, Expr b) { return a.with(arith::OrIOp::create(*a.builder, a.loc, a.value, b.value)); }
Expr xorRaw(Expr a, Expr b) { return a.with(arith::XOrIOp::create(*a.builder, a.loc, a.value, b.value)); }
Expr shlRaw(Expr a, Expr by) { return a.with(arith::ShLIOp::create(*a.builder, a.loc, a.value, by.value)); }
Expr shrRaw(Expr a, Expr by) {
  if (info(a.dtype).isSigned) return a.with(arith::ShRSIOp::create(*a.builder, a.loc, a.value, by.value));
  return a.with(arith::ShRUIOp::create(*a.builder, a.loc, a.value, by.value));
}

Expr bitcast(Expr a, DType to) {
  Type type = a.typeFor(to);
  if (type == a.value.getType()) return a.with(a.value, to);
  return a.with(arith::BitcastOp::create(*a.builder, a.loc, type, a.value), to);
}

//===-- conversion --------------------------------------------------------------------------------------------------===//

/// float16 is an integer in registers, and a float only on its way to and from float32.
static Expr convertHalf(Expr a, DType to) {
  OpBuilder &b = *a.builder;
  Type half = b.getF16Type();
  if (a.lanes()) half = VectorType::get({a.lanes()}, half);
  if (to == DType::F16) {
    // Behind the fence LLVM does not see where the float32 comes from: it would round float64 at once, which has no instruction.
    Value fenced = opaqueRaw(a).value;
    Value rounded = arith::TruncFOp::create(b, a.loc, half, fenced);
    return a.with(arith::BitcastOp::create(b, a.loc, a.typeFor(DType::F16), rounded), DType::F16);
  }
  Value value = arith::BitcastOp::create(b, a.loc, half, a.value);
  return a.with(arith::ExtFOp::create(b, a.loc, a.typeFor(DType::F32), value), DType::F32);
}

Expr convertRaw(Expr a, DType to) {
  DType from = a.dtype;
  if (from == to) return a;
  if (from == DType::F16 || to == DType::F16) return convertHalf(a, to);
  OpBuilder &b = *a.builder;
  Type type = a.typeFor(to);
  bool isSigned = info(from).isSigned, isWider = byteSize(to) > byteSize(from) || from == DType::Bool;
  if (isFloat(from) && isFloat(to)) {
    if (isWider) return a.with(arith::ExtFOp::create(b, a.loc, type, a.value), to);
    return a.with(arith::TruncFOp::create(b, a.loc, type, a.value), to);
  }
  if (isFloat(from)) {
    if (info(to).isSigned) return a.with(arith::FPToSIOp::create(b, a.loc, type, a.value), to);
    return a.with(arith::FPToUIOp::create(b, a.loc, type, a.value), to);
  }
  if (isFloat(to)) {
    if (isSigned) return a.with(arith::SIToFPOp::create(b, a.loc, type, a.value), to);
    return a.with(arith::UIToFPOp::create(b, a.loc, type, a.value), to);
  }
  if (!isWider && byteSize(to) == byteSize(from)) return a.with(a.value, to);
  if (!isWider) return a.with(arith::TruncIOp::create(b, a.loc, type, a.value), to);
  if (isSigned) return a.with(arith::ExtSIOp::create(b, a.loc, type, a.value), to);
  return a.with(arith::ExtUIOp::create(b, a.loc, type, a.value), to);
}

Expr realPart(Expr a) { return a.with(a.value, realType(a.dtype)); }
Expr imagPart(Expr a) { return a.with(a.imag, realType(a.dtype)); }
Expr makeComplex(Expr re, Expr im) { return {*re.builder, re.loc, re.value, complexType(re.dtype), im.value}; }

} // namespace kiln::ir
