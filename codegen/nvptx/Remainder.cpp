// Exact remainders. LLVM computes those of floats for PTX as x - trunc(x / y) y, with one rounded quotient: fmod(1, 2^-149) would be -inf.
#include "codegen/nvptx/Kernels.h"

#include "lib/Core/Assert.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Parser/Parser.h"

using namespace mlir;

namespace kiln::nvptx {
namespace {

/// In integers: x = m 2^e, y = n 2^f, and m 2^(e - f) mod n by steps that fit into 64 bits.
constexpr const char *kSource = R"(
func.func private @NAME(%x: i64, %y: i64) -> i64 {
  %sign = arith.constant SIGN : i64
  %infinity = arith.constant INFINITY : i64
  %nan = arith.constant NAN : i64
  %mantissa = arith.constant MANTISSA : i64
  %hidden = arith.constant HIDDEN : i64
  %step = arith.constant STEP : i64
  %spare = arith.constant SPARE : i64
  %0 = arith.constant 0 : i64
  %1 = arith.constant 1 : i64
  %ones = arith.constant -1 : i64
  %rest = arith.xori %sign, %ones : i64
  %below = arith.subi %hidden, %1 : i64
  %a = arith.andi %x, %rest : i64
  %b = arith.andi %y, %rest : i64
  %bad0 = arith.cmpi uge, %a, %infinity : i64
  %bad1 = arith.cmpi ugt, %b, %infinity : i64
  %bad2 = arith.cmpi eq, %b, %0 : i64
  %bad3 = arith.ori %bad0, %bad1 : i1
  %bad = arith.ori %bad2, %bad3 : i1
  %small = arith.cmpi ult, %a, %b : i64
  %result = scf.if %bad -> i64 {
    scf.yield %nan : i64
  } else {
    %inner = scf.if %small -> i64 {
      scf.yield %x : i64
    } else {
      %ea = arith.shrui %a, %mantissa : i64
      %eb = arith.shrui %b, %mantissa : i64
      %ma = arith.andi %a, %below : i64
      %mb = arith.andi %b, %below : i64
      %isa = arith.cmpi ne, %ea, %0 : i64
      %isb = arith.cmpi ne, %eb, %0 : i64
      %wa = arith.ori %ma, %hidden : i64
      %wb = arith.ori %mb, %hidden : i64
      %m = arith.select %isa, %wa, %ma : i64
      %n = arith.select %isb, %wb, %mb : i64
      %e = arith.select %isa, %ea, %1 : i64
      %f = arith.select %isb, %eb, %1 : i64
      %r0 = arith.remui %m, %n : i64
      %left0 = arith.subi %e, %f : i64
      %last:2 = scf.while (%r = %r0, %left = %left0) : (i64, i64) -> (i64, i64) {
        %more = arith.cmpi sgt, %left, %0 : i64
        %any = arith.cmpi ne, %r, %0 : i64
        %goes = arith.andi %more, %any : i1
        scf.condition(%goes) %r, %left : i64, i64
      } do {
      ^body(%r: i64, %left: i64):
        %by = arith.minsi %left, %step : i64
        %moved = arith.shli %r, %by : i64
        %next = arith.remui %moved, %n : i64
        %then = arith.subi %left, %by : i64
        scf.yield %next, %then : i64, i64
      }
      %zeros = math.ctlz %last#0 : i64
      %up = arith.subi %zeros, %spare : i64
      %fits = arith.cmpi sgt, %f, %up : i64
      %exponent = arith.subi %f, %up : i64
      %high = arith.shli %exponent, %mantissa : i64
      %raised = arith.shli %last#0, %up : i64
      %low = arith.subi %raised, %hidden : i64
      %normal = arith.addi %high, %low : i64
      %by = arith.subi %f, %1 : i64
      %subnormal = arith.shli %last#0, %by : i64
      %either = arith.select %fits, %normal, %subnormal : i64
      %isZero = arith.cmpi eq, %last#0, %0 : i64
      %bits = arith.select %isZero, %0, %either : i64
      %mine = arith.andi %x, %sign : i64
      %signed = arith.ori %bits, %mine : i64
      scf.yield %signed : i64
    }
    scf.yield %inner : i64
  }
  return %result : i64
}
)";

std::string sourceOf(bool isWide, StringRef name) {
  int64_t mantissa = isWide ? 52 : 23, hidden = int64_t(1) << mantissa, infinity = isWide ? 0x7FF0000000000000 : 0x7F800000;
  int64_t sign = isWide ? std::numeric_limits<int64_t>::min() : int64_t(1) << 31;
  std::string text = kSource;
  const std::pair<StringRef, std::string> parts[] = {
      {"NAME", name.str()},
      {"SIGN", std::to_string(sign)},
      {"INFINITY", std::to_string(infinity)},
      {"NAN", std::to_string(infinity | hidden >> 1)},
      {"MANTISSA", std::to_string(mantissa)},
      {"HIDDEN", std::to_string(hidden)},
      {"STEP", std::to_string(63 - mantissa)},
      {"SPARE", std::to_string(63 - mantissa)},
  };
  for (auto &[key, value] : parts) text.replace(text.find(key), key.size(), value);
  return text;
}

func::FuncOp functionOf(gpu::GPUModuleOp module, bool isWide) {
  StringRef name = isWide ? "kiln_remainder_f64" : "kiln_remainder_f32";
  if (auto known = module.lookupSymbol<func::FuncOp>(name)) return known;
  auto source = parseSourceString<ModuleOp>(sourceOf(isWide, name), module.getContext());
  KILN_ASSERT(source, "text that parses");
  auto fn = *source->getOps<func::FuncOp>().begin();
  fn->remove();
  fn->setAttr("llvm.linkage", LLVM::LinkageAttr::get(module.getContext(), LLVM::Linkage::Internal));
  module.getBody()->push_back(fn);
  return fn;
}

} // namespace

void expandRemainders(gpu::GPUModuleOp module) {
  SmallVector<arith::RemFOp> remainders;
  module.walk([&](arith::RemFOp op) { remainders.push_back(op); });
  for (arith::RemFOp op : remainders) {
    OpBuilder b(op);
    Location loc = op.getLoc();
    bool isWide = op.getType().isF64();
    Type whole = b.getIntegerType(isWide ? 64 : 32), i64 = b.getI64Type();
    auto bits = [&](Value v) -> Value {
      v = arith::BitcastOp::create(b, loc, whole, v);
      return isWide ? v : arith::ExtUIOp::create(b, loc, i64, v).getResult();
    };
    SmallVector<Value> operands = {bits(op.getLhs()), bits(op.getRhs())};
    Value result = func::CallOp::create(b, loc, functionOf(module, isWide), operands).getResult(0);
    if (!isWide) result = arith::TruncIOp::create(b, loc, whole, result);
    op.replaceAllUsesWith(arith::BitcastOp::create(b, loc, op.getType(), result).getResult());
    op.erase();
  }
}

} // namespace kiln::nvptx
