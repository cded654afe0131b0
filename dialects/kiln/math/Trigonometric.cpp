// sin and cos. Angles up to 2^20 are reduced by Cody and Waite in three parts, larger ones by Payne and Hanek: the product
// with the bits of 2/pi around the binary point, in integers. The polynomials are those of fdlibm's kernels.
#include "dialects/kiln/math/Expr.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/BuiltinOps.h"

using namespace mlir;

namespace kiln::ir::math {
namespace {

constexpr double kHalfPi[] = {0x1.921fb54442d18p+0, 0x1.1a62633145c07p-54, -0x1.f1976b7ed8fbcp-110};
constexpr double kTwoOverPi = 0.63661977236758134308;
constexpr double kLargeAngle = 0x1p20;
// 64 zero bits, then the bits of 2/pi, then zeros that complete the last window.
constexpr uint64_t kTwoOverPiBits[] = {0,
                                       0xa2f9836e4e441529,
                                       0xfc2757d1f534ddc0,
                                       0xdb6295993c439041,
                                       0xfe5163abdebbc561,
                                       0xb7246e3a424dd2e0,
                                       0x06492eea09d1921c,
                                       0xfe1deb1cb129a73e,
                                       0xe88235f52ebb4484,
                                       0xe99c7026b45f7e41,
                                       0x3991d639835339f4,
                                       0x9c845f8bbdf9283b,
                                       0x1ff897ffde05980f,
                                       0xef2f118b5a0a6d1f,
                                       0x6d367ecf27cb09b7,
                                       0x4f463f669e5fea2d,
                                       0x7527bac7ebe5f17b,
                                       0x3d0739f78a5292ea,
                                       0x6bfb5fb11f8d5d08,
                                       0x56033046fc7b6bab,
                                       0xf0cfbc209af4361d,
                                       0xa9e391615ee61b08};

/// x = (4 j + quadrant) pi/2 + (high + low), |high| <= pi/4.
struct Angle {
  Expr high, low, quadrant; // f64, f64, i64
};

Expr u64(const Expr &like, uint64_t n) { return bits(like, DType::U64, n); }

/// A shift by a value below 64.
Expr shift(Expr a, Expr by, bool left) {
  if (left) return a.with(arith::ShLIOp::create(*a.builder, a.loc, a.value, by.value));
  return a.with(arith::ShRUIOp::create(*a.builder, a.loc, a.value, by.value));
}
/// The high word of hi:lo shifted left by a value below 64.
Expr funnel(Expr hi, Expr lo, Expr by) {
  Expr rest = shift(shiftRight(lo, 1), bitwise_xor(by, u64(by, 63)), false);
  return bitwise_or(shift(hi, by, true), rest);
}
struct Wide {
  Expr low, high;
};
Wide multiply(Expr a, Expr b) {
  auto product = arith::MulUIExtendedOp::create(*a.builder, a.loc, a.value, b.value);
  return {a.with(product.getLow()), a.with(product.getHigh())};
}
Expr carry(Expr sum, Expr part) { return cast(less(sum, part), DType::U64); }

Value tableOf(ModuleOp module, OpBuilder &b, Location loc) {
  auto global = module.lookupSymbol<LLVM::GlobalOp>("kiln_two_over_pi");
  if (!global) {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(module.getBody());
    auto type = LLVM::LLVMArrayType::get(b.getI64Type(), std::size(kTwoOverPiBits));
    SmallVector<APInt> words;
    for (uint64_t w : kTwoOverPiBits) words.push_back(APInt(64, w));
    auto tensor = RankedTensorType::get({int64_t(words.size())}, b.getI64Type());
    global = LLVM::GlobalOp::create(b, loc, type, /*isConstant=*/true, LLVM::Linkage::Internal, "kiln_two_over_pi",
                                    DenseElementsAttr::get(tensor, words));
  }
  return LLVM::AddressOfOp::create(b, loc, global);
}

/// Payne and Hanek for one finite f64 of at least 2^-10.
Angle reduceLarge(Expr x, Value table) {
  OpBuilder &b = *x.builder;
  Expr raw = bitcast(x, DType::U64);
  Expr mantissa = bitwise_or(bitwise_and(raw, u64(raw, 0xfffffffffffffu)), u64(raw, 0x10000000000000u));
  // x = mantissa 2^e; the window of 2/pi starts where the product has weight 2, so its top two bits are the quadrant.
  Expr start = bitwise_and(shiftRight(raw, 52), u64(raw, 0x7ff)) - u64(raw, 1075 - 62);
  Expr by = bitwise_and(start, u64(raw, 63)), first = shiftRight(start, 6);
  auto word = [&](int i) {
    Value at = arith::AddIOp::create(b, x.loc, first.value, u64(raw, uint64_t(i)).value);
    Value address =
        LLVM::GEPOp::create(b, x.loc, LLVM::LLVMPointerType::get(b.getContext()), b.getI64Type(), table, ArrayRef<LLVM::GEPArg>{at});
    return raw.with(LLVM::LoadOp::create(b, x.loc, b.getI64Type(), address));
  };
  Expr w0 = word(0), w1 = word(1), w2 = word(2), w3 = word(3);
  Expr c0 = funnel(w0, w1, by), c1 = funnel(w1, w2, by), c2 = funnel(w2, w3, by);
  // The low 192 bits of mantissa * c.
  Wide m2 = multiply(mantissa, c2), m1 = multiply(mantissa, c1);
  Expr p1 = m2.high + m1.low;
  Expr p0 = mantissa * c0 + m1.high + carry(p1, m1.low);
  Expr quadrant = shiftRight(p0, 62);
  Expr hi = bitwise_or(shiftLeft(p0, 2), shiftRight(p1, 62)), lo = bitwise_or(shiftLeft(p1, 2), shiftRight(m2.low, 62));
  // To the nearest quadrant: the fraction becomes signed.
  Expr up = shiftRight(hi, 63), mask = u64(up, 0) - up;
  quadrant = quadrant + up;
  hi = bitwise_xor(hi, mask);
  lo = bitwise_xor(lo, mask);
  Expr zeros = hi.with(mlir::math::CountLeadingZerosOp::create(b, x.loc, hi.value));
  zeros = min(zeros, u64(hi, 63));
  Expr top = funnel(hi, lo, zeros);
  Expr scale = bitcast(shiftLeft(u64(hi, 1023 - 53) - zeros, 52), DType::F64);
  Expr negative = shiftLeft(bitwise_xor(up, shiftRight(raw, 63)), 63);
  scale = bitcast(bitwise_or(bitcast(scale, DType::U64), negative), DType::F64);
  Expr head = cast(shiftRight(top, 11), DType::F64) * scale;
  Expr tail = cast(bitwise_and(top, u64(top, 0x7ff)), DType::F64) * (scale * constant(scale, 0x1p-11));
  Expr halfPi = constant(head, kHalfPi[0]), high = head * halfPi;
  Expr low = fma(head, halfPi, -high) + (head * constant(head, kHalfPi[1]) + tail * halfPi);
  // A negative angle turns the other way.
  Expr minus = shiftRight(raw, 63), flip = u64(raw, 0) - minus;
  quadrant = bitwise_xor(quadrant, flip) + minus;
  return {high, low, bitcast(quadrant, DType::I64)};
}

/// The helper that reduces one large angle; one in a module.
func::FuncOp largeAngleFunction(OpBuilder &b, Location loc) {
  auto module = b.getInsertionBlock()->getParentOp()->getParentOfType<ModuleOp>();
  if (auto existing = module.lookupSymbol<func::FuncOp>("kiln_reduce_angle")) return existing;
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToEnd(module.getBody());
  Type f64 = b.getF64Type(), i64 = b.getI64Type();
  auto fn = func::FuncOp::create(b, loc, "kiln_reduce_angle", b.getFunctionType({f64}, {f64, f64, i64}));
  fn->setAttr("llvm.linkage", LLVM::LinkageAttr::get(b.getContext(), LLVM::Linkage::Internal));
  b.setInsertionPointToStart(fn.addEntryBlock());
  Angle angle = reduceLarge(Expr{&b, loc, fn.getArgument(0), DType::F64}, tableOf(module, b, loc));
  func::ReturnOp::create(b, loc, ValueRange{angle.high.value, angle.low.value, angle.quadrant.value});
  return fn;
}

Angle reduceSmall(Expr x) {
  Expr magic = constant(x, 0x1.8p52);
  Expr z = fma(x, constant(x, kTwoOverPi), magic), n = z - magic;
  Expr r = fma(-n, constant(x, kHalfPi[0]), x);
  Expr p = n * constant(x, kHalfPi[1]), rounding = fma(n, constant(x, kHalfPi[1]), -p);
  Expr high = r - p;
  Expr low = ((r - high) - p) - fma(n, constant(x, kHalfPi[2]), rounding);
  return {high, low, bitcast(z, DType::I64)};
}

/// Replaces the lanes whose angle is large.
Angle replaceLarge(Expr x, Expr isLarge, Angle small) {
  OpBuilder &b = *x.builder;
  Location loc = x.loc;
  func::FuncOp helper = largeAngleFunction(b, loc);
  SmallVector<Value, 3> start = {small.high.value, small.low.value, small.quadrant.value};
  SmallVector<Type> types(ValueRange(start).getTypes());
  auto call = [&](Value one) { return func::CallOp::create(b, loc, helper, ValueRange{one}).getResults(); };
  if (!x.lanes()) {
    auto branch = scf::IfOp::create(b, loc, types, isLarge.value, true);
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(branch.thenBlock());
    scf::YieldOp::create(b, loc, call(x.value));
    b.setInsertionPointToStart(branch.elseBlock());
    scf::YieldOp::create(b, loc, start);
    return {small.high.with(branch.getResult(0)), small.low.with(branch.getResult(1)), small.quadrant.with(branch.getResult(2))};
  }
  Value any = vector::ReductionOp::create(b, loc, vector::CombiningKind::OR, isLarge.value);
  auto branch = scf::IfOp::create(b, loc, types, any, true);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(branch.elseBlock());
  scf::YieldOp::create(b, loc, start);
  b.setInsertionPointToStart(branch.thenBlock());
  auto index = [&](int64_t i) { return arith::ConstantIndexOp::create(b, loc, i); };
  auto loop = scf::ForOp::create(b, loc, index(0), index(x.lanes()), index(1), start);
  scf::YieldOp::create(b, loc, loop.getResults());
  b.setInsertionPointToStart(loop.getBody());
  Value lane = loop.getInductionVar();
  Value mine = vector::ExtractOp::create(b, loc, isLarge.value, OpFoldResult(lane));
  auto one = scf::IfOp::create(b, loc, types, mine, true);
  scf::YieldOp::create(b, loc, one.getResults());
  b.setInsertionPointToStart(one.elseBlock());
  scf::YieldOp::create(b, loc, loop.getRegionIterArgs());
  b.setInsertionPointToStart(one.thenBlock());
  Value scalar = vector::ExtractOp::create(b, loc, x.value, OpFoldResult(lane));
  SmallVector<Value> inserted;
  for (auto [value, into] : llvm::zip(call(scalar), loop.getRegionIterArgs()))
    inserted.push_back(vector::InsertOp::create(b, loc, value, into, OpFoldResult(lane)));
  scf::YieldOp::create(b, loc, inserted);
  return {small.high.with(branch.getResult(0)), small.low.with(branch.getResult(1)), small.quadrant.with(branch.getResult(2))};
}

Angle reduce(Expr x) {
  Expr size = abs(x);
  Expr infinity = constant(x, std::numeric_limits<double>::infinity());
  Expr isLarge = bitwise_and(greater(size, constant(x, kLargeAngle)), less(size, infinity));
  return replaceLarge(x, isLarge, reduceSmall(x));
}

Expr sinKernel(Expr x, Expr low) {
  if (x.dtype == DType::F32) {
    Expr s = x * x;
    Expr p = polynomial(s, {-1.6666654611e-1, 8.3321608736e-3, -1.9515295891e-4});
    return fma(p * s, x, x);
  }
  Expr z = x * x, v = z * x;
  Expr r = polynomial(z, {8.33333333332248946124e-03, -1.98412698298579493134e-04, 2.75573137070700676789e-06, -2.50507602534068634195e-08,
                          1.58969099521155010221e-10});
  return x - ((z * (constant(x, 0.5) * low - v * r) - low) - v * constant(x, -1.66666666666666324348e-01));
}

Expr cosKernel(Expr x, Expr low) {
  Expr z = x * x;
  if (x.dtype == DType::F32) {
    Expr p = polynomial(z, {4.166664568298827e-2, -1.388731625493765e-3, 2.443315711809948e-5});
    return fma(p, z * z, fma(z, constant(x, -0.5), constant(x, 1)));
  }
  Expr r = z * polynomial(z, {4.16666666666666019037e-02, -1.38888888888741095749e-03, 2.48015872894767294178e-05,
                              -2.75573143513906633035e-07, 2.08757232129817482790e-09, -1.13596475577881948265e-11});
  Expr half = constant(x, 0.5) * z, one = constant(x, 1), w = one - half;
  return w + (((one - w) - half) + (z * r - x * low));
}

/// sin(x + turns pi/2).
Expr sinTurned(Expr x, int turns) {
  DType dtype = x.dtype;
  Angle angle = reduce(cast(x, DType::F64));
  Expr high = cast(angle.high, dtype), low = cast(angle.low, dtype);
  Expr quadrant = angle.quadrant + constant(angle.quadrant, turns);
  Expr isOdd = not_equal(bitwise_and(quadrant, constant(quadrant, 1)), constant(quadrant, 0));
  Expr result = select(isOdd, cosKernel(high, low), sinKernel(high, low));
  Expr isLower = not_equal(bitwise_and(quadrant, constant(quadrant, 2)), constant(quadrant, 0));
  result = select(isLower, -result, result);
  // x - x is nan for infinities; -0 keeps its sign.
  Expr zero = constant(x, 0);
  result = select(equal(x - x, zero), result, x - x);
  return turns ? result : select(equal(x, zero), x, result);
}

} // namespace

Expr sin(Expr x) { return sinTurned(x, 0); }
Expr cos(Expr x) { return sinTurned(x, 1); }

} // namespace kiln::ir::math
