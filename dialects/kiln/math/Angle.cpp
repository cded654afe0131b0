// What is computed in rare lanes only: edges of functions, and large angles, which go through one function of the module.
#include "dialects/kiln/math/Expr.h"
#include "dialects/kiln/math/Trigonometric.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/BuiltinOps.h"

using namespace mlir;

namespace kiln::ir {
using scalar::math::kTwoOverPiBits;

/// `module`: of the function that is under way, and what it calls: a builtin one, or one of code for a device.
static Value tableOf(Operation *module, OpBuilder &b, Location loc) {
  auto global = dyn_cast_or_null<LLVM::GlobalOp>(SymbolTable::lookupSymbolIn(module, "kiln_two_over_pi"));
  if (!global) {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(&module->getRegion(0).front());
    auto type = LLVM::LLVMArrayType::get(b.getI64Type(), std::size(kTwoOverPiBits));
    SmallVector<APInt> words;
    for (uint64_t w : kTwoOverPiBits) words.push_back(APInt(64, w));
    auto tensor = RankedTensorType::get({int64_t(words.size())}, b.getI64Type());
    global = LLVM::GlobalOp::create(b, loc, type, /*isConstant=*/true, LLVM::Linkage::Internal, "kiln_two_over_pi",
                                    DenseElementsAttr::get(tensor, words));
  }
  return LLVM::AddressOfOp::create(b, loc, global);
}

/// The helper that reduces one large angle; one in a module.
static func::FuncOp largeAngleFunction(OpBuilder &b, Location loc) {
  Operation *module = SymbolTable::getNearestSymbolTable(b.getInsertionBlock()->getParentOp());
  if (auto existing = SymbolTable::lookupSymbolIn(module, "kiln_reduce_angle")) return cast<func::FuncOp>(existing);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToEnd(&module->getRegion(0).front());
  Type f64 = b.getF64Type(), i64 = b.getI64Type();
  auto fn = func::FuncOp::create(b, loc, "kiln_reduce_angle", b.getFunctionType({f64}, {f64, f64, i64}));
  fn->setAttr("llvm.linkage", LLVM::LinkageAttr::get(b.getContext(), LLVM::Linkage::Internal));
  b.setInsertionPointToStart(fn.addEntryBlock());
  Value table = tableOf(module, b, loc);
  auto wordAt = [&](Expr at) {
    Value address = LLVM::GEPOp::create(b, loc, LLVM::LLVMPointerType::get(b.getContext()), i64, table, ArrayRef<LLVM::GEPArg>{at.value});
    return at.with(LLVM::LoadOp::create(b, loc, i64, address));
  };
  Angle<Expr> angle = scalar::math::reduceLarge(Expr(b, loc, fn.getArgument(0), DType::F64), wordAt);
  func::ReturnOp::create(b, loc, ValueRange{angle.high.value, angle.low.value, angle.quadrant.value});
  return fn;
}

Expr rarely(Expr isRare, Expr usual, llvm::function_ref<Expr()> other) {
  OpBuilder &b = *usual.builder;
  Location loc = usual.loc;
  Value any = isRare.lanes() ? vector::ReductionOp::create(b, loc, vector::CombiningKind::OR, isRare.value).getResult() : isRare.value;
  auto branch = scf::IfOp::create(b, loc, TypeRange{usual.value.getType()}, any, true);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(branch.thenBlock());
  scf::YieldOp::create(b, loc, scalar::select(isRare, other(), usual).value);
  b.setInsertionPointToStart(branch.elseBlock());
  scf::YieldOp::create(b, loc, usual.value);
  return usual.with(branch.getResult(0));
}

/// Replaces the lanes whose angle is large.
Angle<Expr> replaceLarge(Expr x, Expr isLarge, Angle<Expr> small) {
  OpBuilder &b = *x.builder;
  Location loc = x.loc;
  func::FuncOp helper = largeAngleFunction(b, loc);
  SmallVector<Value, 3> start = {small.high.value, small.low.value, small.quadrant.value};
  SmallVector<Type> types(ValueRange(start).getTypes());
  const Expr *like[] = {&small.high, &small.low, &small.quadrant};
  auto call = [&](Value one) { // in the dtypes of the small angles
    Value wide = scalar::cast(Expr(b, loc, one, x.dtype), DType::F64).value;
    auto results = func::CallOp::create(b, loc, helper, ValueRange{wide}).getResults();
    SmallVector<Value> angle;
    for (auto [i, value] : llvm::enumerate(results))
      angle.push_back(scalar::cast(Expr(b, loc, value, i < 2 ? DType::F64 : DType::I64), like[i]->dtype).value);
    return angle;
  };
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

} // namespace kiln::ir
