// The positions of true elements, or the elements of an array there, a block of the mask at a time.
#include "codegen/cpu/Kernels.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;

namespace kiln::cpu {
namespace {

class Compaction {
public:
  explicit Compaction(KernelContext &k)
      : k(k), e(k.e), gather(dyn_cast<ir::GatherOp>(k.mainOp())), elements(gather ? gather.getX() : Value()),
        mask((gather ? gather.getIndices().getDefiningOp() : k.mainOp())->getOperand(0)), out(k.outputs[0]), count(out.shape[0]),
        n(shapeOf(k, mask)[0]), schedule(k.schedule<ir::CompactAttr>()), lanes(schedule.getLanes()), i64(e.b.getI64Type()),
        bitsType(e.b.getIntegerType(unsigned(lanes))) {}

  /// Slots that nothing came to have the position -1, or the last element.
  void run() {
    if (count.isConstant(0)) return;
    Index whole = e.floorTo(n, lanes);
    Value used = positions(0, e.use(0), whole, lanes, [&](Index i, Value used) { return takeBlock(i, used); });
    used = positions(whole, used, n, 1, [&](Index i, Value used) {
      Evaluator::Scope scope(k.ev, 0, {});
      put(Index(used), i);
      Expr isTrue = k.ev.at(mask, Coordinate{i, 0, {}});
      return (number(Index(used)) + scalar::cast(isTrue, DType::I64)).value;
    });
    e.loop(Index(used), count, 1, [&](Index i) {
      Evaluator::Scope scope(k.ev, 0, {});
      if (!elements) return put(i, -1);
      if (!n.isStatic()) k.ev.reportIndex(Expr(e.b, e.loc, e.lessThan(n, 1), DType::Bool));
      put(i, e.sub(n, e.min(n, 1)));
    });
  }

private:
  KernelContext &k;
  Emitter &e;
  ir::GatherOp gather; // null: the positions themselves are wanted
  Value elements, mask;
  const Buffer &out;
  Index count, n;
  ir::CompactAttr schedule;
  int64_t lanes;
  Type i64, bitsType;

  Expr number(Index i) { return Expr(e.b, e.loc, e.use(i), DType::I64); }
  Expr itemAt(Index i) { return elements ? k.ev.at(elements, Coordinate{i, 0, {}}) : number(i); }
  void put(Index used, Index i) {
    Evaluator::Scope scope(k.ev, 0, {});
    e.store(out.pointer, e.mul(used, out.strides[0]), itemAt(i));
  }

  /// From `start` on while positions are below `end` and slots are free; `step` gives the number of slots used behind a position.
  Value positions(Index start, Value used, Index end, int64_t by, llvm::function_ref<Value(Index, Value)> step) {
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
  }

  Value either(Value condition, llvm::function_ref<Value()> then, llvm::function_ref<Value()> otherwise) {
    auto branch = scf::IfOp::create(e.b, e.loc, TypeRange{i64}, condition, /*withElseRegion=*/true);
    OpBuilder::InsertionGuard guard(e.b);
    e.b.setInsertionPointToStart(branch.thenBlock());
    scf::YieldOp::create(e.b, e.loc, then());
    e.b.setInsertionPointToStart(branch.elseBlock());
    scf::YieldOp::create(e.b, e.loc, otherwise());
    return branch.getResult(0);
  }

  Value takeBlock(Index i, Value used) {
    Evaluator::Scope scope(k.ev, lanes, {});
    Value isTrue = k.ev.vectorAt(mask, Coordinate{i, 1, {}}).value;
    Value vector = vector::BitCastOp::create(e.b, e.loc, VectorType::get({1}, bitsType), isTrue);
    Value bits = vector::ExtractOp::create(e.b, e.loc, vector, ArrayRef<int64_t>{0});
    Value zero = arith::ConstantIntOp::create(e.b, e.loc, bitsType, 0);
    Value isAny = arith::CmpIOp::create(e.b, e.loc, arith::CmpIPredicate::ne, bits, zero);
    auto take = [&] {
      if (!out.strides[0].isConstant(1)) return takeBits(i, used, bits);
      Value hasRoom = e.lessThan(e.add(Index(used), lanes - 1), count); // for a whole block
      return either(
          hasRoom, [&] { return schedule.getCompress() ? compress(i, used, isTrue) : takeAll(i, used, isTrue); },
          [&] { return takeBits(i, used, bits); });
    };
    return either(isAny, take, [&] { return used; });
  }

  /// Every position is written, and the next one over it where it is not true: what no branch foresees costs nothing.
  Value takeAll(Index i, Value used, Value isTrue) {
    for (int64_t lane = 0; lane < lanes; ++lane) {
      put(Index(used), e.add(i, lane));
      Value here = vector::ExtractOp::create(e.b, e.loc, isTrue, ArrayRef<int64_t>{lane});
      used = arith::AddIOp::create(e.b, e.loc, used, arith::ExtUIOp::create(e.b, e.loc, i64, here));
    }
    return used;
  }

  /// A register at a time, in which an instruction moves the true ones together: of 4 or 8 bytes each.
  Value compress(Index i, Value used, Value isTrue) {
    constexpr int64_t kRegister = 64;
    DType dtype = ir::typeOf(k.yield().getValues()[0]).dtype;
    int64_t bytes = byteSize(dtype);
    if (isComplex(dtype) || bytes < 4) return takeAll(i, used, isTrue);
    int64_t width = std::min(lanes, kRegister / bytes);
    auto name = e.b.getStringAttr("llvm.experimental.vector.compress");
    for (int64_t first = 0; first < lanes; first += width) {
      auto some = llvm::to_vector(llvm::seq(first, first + width));
      Value part = vector::ShuffleOp::create(e.b, e.loc, isTrue, isTrue, some);
      Value here = items(e.add(i, first), width);
      Value none = arith::ConstantOp::create(e.b, e.loc, e.b.getZeroAttr(here.getType()));
      Value together = LLVM::CallIntrinsicOp::create(e.b, e.loc, here.getType(), name, ValueRange{here, part, none}).getResult(0);
      e.store(out.pointer, Index(used), Expr(e.b, e.loc, together, dtype));
      Value ones = vector::BitCastOp::create(e.b, e.loc, VectorType::get({1}, e.b.getIntegerType(unsigned(width))), part);
      Value bits = vector::ExtractOp::create(e.b, e.loc, ones, ArrayRef<int64_t>{0});
      Value found = math::CtPopOp::create(e.b, e.loc, arith::ExtUIOp::create(e.b, e.loc, i64, bits));
      used = arith::AddIOp::create(e.b, e.loc, used, found);
    }
    return used;
  }

  Value items(Index i, int64_t width) {
    if (elements) {
      Evaluator::Scope scope(k.ev, width, {});
      return k.ev.vectorAt(elements, Coordinate{i, 1, {}}).value;
    }
    Value start = vector::BroadcastOp::create(e.b, e.loc, VectorType::get({width}, i64), e.use(i));
    return arith::AddIOp::create(e.b, e.loc, start, e.laneNumbers(width));
  }

  /// The true ones from the lowest on.
  Value takeBits(Index i, Value used, Value bits) {
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
  }
};

} // namespace

LogicalResult emitCompact(KernelContext &k) {
  Compaction(k).run();
  return success();
}

} // namespace kiln::cpu
