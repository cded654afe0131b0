#include "codegen/cpu/Workspace.h"

#include "dialects/kiln/Program.h"
#include "lib/Core/Infer.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/IR/IRMapping.h"

using namespace mlir;

namespace kiln::cpu {
namespace {

/// Sums and products of numbers of at least 0 that notice what is too large.
class Checked {
public:
  Checked(Emitter &e) : e(e), isTooLarge(arith::ConstantIntOp::create(e.b, e.loc, e.b.getI1Type(), 0)) {}

  Value add(Value x, Value y) {
    Value sum = arith::AddIOp::create(e.b, e.loc, x, y);
    note(is(arith::CmpIPredicate::slt, sum, 0));
    return sum;
  }
  /// By the leading zeros of both, without a wider product, which some processors have no instruction for: below 65 of them it may be 2^63
  /// or more, and is at least 2^62.
  Value mul(Value x, Value y) {
    note(is(arith::CmpIPredicate::slt, arith::AddIOp::create(e.b, e.loc, zeros(x), zeros(y)), 65));
    return arith::MulIOp::create(e.b, e.loc, x, y);
  }
  /// What another workspace function says.
  void noteAnswer(Value bytes) { note(is(arith::CmpIPredicate::slt, bytes, 0)); }
  /// Up to whole lines.
  Value aligned(Value bytes) { return arith::AndIOp::create(e.b, e.loc, add(bytes, e.use(63)), e.use(-64)); }
  /// -1 for more than any workspace has, and where something was too large on the way.
  Value result(Value bytes) {
    note(is(arith::CmpIPredicate::sgt, bytes, kMostWorkspace));
    return arith::SelectOp::create(e.b, e.loc, isTooLarge, e.use(-1), bytes);
  }

private:
  Emitter &e;
  Value isTooLarge;

  Value is(arith::CmpIPredicate predicate, Value x, int64_t y) { return arith::CmpIOp::create(e.b, e.loc, predicate, x, e.use(y)); }
  Value zeros(Value x) { return LLVM::CountLeadingZerosOp::create(e.b, e.loc, x.getType(), x, /*is_zero_poison=*/false); }
  void note(Value condition) { isTooLarge = arith::OrIOp::create(e.b, e.loc, isTooLarge, condition); }
};

class WorkspaceEmitter {
public:
  WorkspaceEmitter(Emitter &e, func::FuncOp main, const Places &places, Value dims)
      : e(e), main(main), places(places), dims(dims), checked(e) {}

  Value run(int64_t scratch, ArrayRef<OpenScratch> asked) {
    Value most = e.use(scratch), bytes = e.use(places.planned);
    for (OpenScratch one : asked) most = arith::MaxSIOp::create(e.b, e.loc, most, scratchOf(one));
    for (const TensorType &block : ir::blocksOf(main)) {
      Value size = e.use(byteSize(block.dtype));
      for (Size d : block.shape) size = checked.mul(size, sizeOf(d));
      bytes = checked.add(bytes, checked.aligned(size));
    }
    return checked.result(checked.add(bytes, most));
  }

private:
  Emitter &e;
  func::FuncOp main;
  const Places &places;
  Value dims;
  Checked checked;

  Value sizeOf(Size d) {
    if (d.isConstant()) return e.use(d.number());
    if (d.symbol() < places.symbols) return e.load(dims, DType::I64, d.symbol(), 0).value;
    Value result = e.use(1);
    for (Size factor : ir::factorsOf(main, d.symbol())) result = checked.mul(result, sizeOf(factor));
    return result;
  }

  /// What a kernel computes from its sizes, computed again.
  Value scratchOf(OpenScratch asked) {
    IRMapping map;
    map.map(asked.function.getArgument(asked.function.getNumArguments() - 2), dims);
    auto remake = [&](auto &self, Value v) -> Value {
      if (Value known = map.lookupOrNull(v)) return known;
      Operation *op = v.getDefiningOp();
      for (Value operand : op->getOperands()) self(self, operand);
      auto operand = [&](unsigned i) { return map.lookup(op->getOperand(i)); };
      if (isa<arith::AddIOp>(op)) map.map(v, checked.add(operand(0), operand(1)));
      else if (isa<arith::MulIOp>(op)) map.map(v, checked.mul(operand(0), operand(1)));
      else e.b.clone(*op, map);
      if (isa<func::CallOp>(op)) checked.noteAnswer(map.lookup(v)); // the workspace of a body
      return map.lookup(v);
    };
    return checked.add(remake(remake, asked.bytes.base()), e.use(asked.bytes.offset()));
  }
};

} // namespace

func::FuncOp emitWorkspace(func::FuncOp main, StringRef name, const Places &places, int64_t scratch, ArrayRef<OpenScratch> asked) {
  OpBuilder b = OpBuilder::atBlockEnd(main->getParentOfType<ModuleOp>().getBody());
  auto type = b.getFunctionType({LLVM::LLVMPointerType::get(b.getContext())}, {b.getI64Type()});
  auto fn = func::FuncOp::create(b, main.getLoc(), name, type);
  Block *body = fn.addEntryBlock();
  b.setInsertionPointToStart(body);
  Emitter e(b, main.getLoc());
  Value bytes = WorkspaceEmitter(e, main, places, body->getArgument(0)).run(scratch, asked);
  func::ReturnOp::create(b, main.getLoc(), bytes);
  return fn;
}

} // namespace kiln::cpu
