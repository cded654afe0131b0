// Sums of blocks joined pairwise: part of the order of accumulation (docs/numerics.md).
#pragma once

#include "codegen/cpu/Emit.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

namespace kiln::cpu {

/// Partial results of blocks, joined pairwise as in a binary counter: block i carries as often as i has trailing ones.
class PairwiseStack {
public:
  using Join = llvm::function_ref<Value(Value, Value)>;
  PairwiseStack(Emitter &e, DType dtype, int64_t lanes)
      : PairwiseStack(e, dtype, lanes, e.stack(dtype, 64 * std::max<int64_t>(lanes, 1)), std::max<int64_t>(lanes, 1)) {}
  /// In memory with `width` elements between levels.
  PairwiseStack(Emitter &e, DType dtype, int64_t lanes, Value memory, int64_t width)
      : e(e), dtype(dtype), lanes(lanes), width(width), memory(memory) {}

  void push(Index block, Value value, Join join) {
    auto i64 = e.b.getI64Type();
    auto loop = mlir::scf::WhileOp::create(
        e.b, e.loc, mlir::TypeRange{i64, value.getType()}, mlir::ValueRange{e.use(0), value},
        [&](mlir::OpBuilder &, mlir::Location, mlir::ValueRange args) {
          Value bit = mlir::arith::ShRUIOp::create(e.b, e.loc, e.use(block), args[0]);
          Value isSet = mlir::arith::TruncIOp::create(e.b, e.loc, e.b.getI1Type(), bit);
          mlir::scf::ConditionOp::create(e.b, e.loc, isSet, args);
        },
        [&](mlir::OpBuilder &, mlir::Location, mlir::ValueRange args) {
          Value next = join(at(args[0]), args[1]);
          mlir::scf::YieldOp::create(e.b, e.loc, mlir::ValueRange{e.use(e.add(Index(args[0]), 1)), next});
        });
    e.store(memory, e.mul(Index(loop.getResult(0)), width), Expr(e.b, e.loc, loop.getResult(1), dtype));
  }

  /// All `blocks`, the lowest level first.
  Value finish(Index blocks, Value empty, Join join) {
    Value no = mlir::arith::ConstantOp::create(e.b, e.loc, e.b.getBoolAttr(false));
    auto results = e.loop(0, 64, 1, mlir::ValueRange{empty, no}, [&](Index level, mlir::ValueRange args) {
      Value bit = mlir::arith::ShRUIOp::create(e.b, e.loc, e.use(blocks), e.use(level));
      Value isSet = mlir::arith::TruncIOp::create(e.b, e.loc, e.b.getI1Type(), bit);
      auto branch = mlir::scf::IfOp::create(e.b, e.loc, mlir::TypeRange(args.getTypes()), isSet, true);
      OpBuilder::InsertionGuard guard(e.b);
      e.b.setInsertionPointToStart(branch.thenBlock());
      Value mine = at(e.use(level)), yes = mlir::arith::ConstantOp::create(e.b, e.loc, e.b.getBoolAttr(true));
      Value both = mlir::arith::SelectOp::create(e.b, e.loc, args[1], join(mine, args[0]), mine);
      mlir::scf::YieldOp::create(e.b, e.loc, mlir::ValueRange{both, yes});
      e.b.setInsertionPointToStart(branch.elseBlock());
      mlir::scf::YieldOp::create(e.b, e.loc, args);
      return llvm::SmallVector<Value>(branch.getResults());
    });
    return results[0];
  }

private:
  Emitter &e;
  DType dtype;
  int64_t lanes, width;
  Value memory;
  Value at(Value level) { return e.load(memory, dtype, e.mul(Index(level), width), lanes).value; }
};

} // namespace kiln::cpu
