// Products and convolutions, a position of the result a thread: one chain of fused multiply-adds from 0, as the CPU has it.
#include "codegen/nvptx/Kernels.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;

namespace kiln::nvptx {
namespace {

Operation *mainOp(GpuKernel &k) {
  for (Operation &op : k.kernel.getBody().front())
    if (ir::kernelKindOf(&op)) return &op;
  llvm_unreachable("a kernel with an operation of its kind");
}

Value chain(GpuKernel &k, Index count, Value start, llvm::function_ref<Expr(Index, Expr)> step, DType dtype) {
  return k.e.loop(0, count, 1, ValueRange{start}, [&](Index i, ValueRange carried) {
    Evaluator::Scope scope(k.ev, 0, {});
    return SmallVector<Value>{step(i, Expr(k.e.b, k.e.loc, carried[0], dtype)).value};
  })[0];
}

/// One position of a convolution.
class Window {
public:
  Window(GpuKernel &k, ir::ConvolutionOp op, ArrayRef<Coordinate> position)
      : k(k), e(k.e), op(op), x(k.shapeOf(op->getOperand(0))), w(k.shapeOf(op->getOperand(1))), position(position), spatial(x.size() - 2),
        dtype(ir::typeOf(op->getResult(0)).dtype) {
    Index filters = k.quotient(k.shapeOf(op->getResult(0)).back(), int64_t(op.getGroups()));
    firstChannel = e.mul(k.quotient(position.back().base, filters), w[spatial]);
  }

  Value run() { return over(0, e.scalar(dtype, 0).value, {}); }

private:
  GpuKernel &k;
  Emitter &e;
  ir::ConvolutionOp op;
  Sizes x, w;
  ArrayRef<Coordinate> position;
  size_t spatial;
  DType dtype;
  Index firstChannel;
  SmallVector<Index> tap, from; // in the window, in the operand

  /// `inside`: whether the axes so far lie in the operand and not in the padding; null where they always do.
  Value over(size_t axis, Value sum, Value inside) {
    if (axis == spatial) return overChannels(sum, inside);
    Index origin = e.sub(e.mul(position[axis + 1].base, op.getStrides()[axis]), op.getLow()[axis]);
    auto step = [&](Index t, Expr carried) {
      tap.resize(axis), from.resize(axis);
      Index at = e.add(origin, e.mul(t, op.getDilation()[axis]));
      tap.push_back(t), from.push_back(at);
      Value fits = inside;
      if (op.getLow()[axis] || op.getHigh()[axis]) {
        fits = arith::AndIOp::create(e.b, e.loc, e.lessThan(-1, at), e.lessThan(at, x[axis + 1]));
        if (inside) fits = arith::AndIOp::create(e.b, e.loc, inside, fits);
      }
      return carried.with(over(axis + 1, carried.value, fits));
    };
    return chain(k, w[axis], sum, step, dtype);
  }

  Value overChannels(Value sum, Value inside) {
    auto accumulate = [&](bool isPadding) {
      Evaluator::Scope scope(k.ev, 0, {});
      auto step = [&](Index c, Expr carried) {
        Coordinates data = {position[0]}, weight;
        for (Index at : from) data.push_back({at, 0, {}});
        for (Index at : tap) weight.push_back({at, 0, {}});
        data.push_back({e.add(firstChannel, c), 0, {}});
        weight.push_back({c, 0, {}});
        weight.push_back(position.back());
        Expr a = isPadding ? e.scalar(dtype, 0) : k.ev.at(op->getOperand(0), data);
        return cpu::scalarOp(Op::Convolution, a, k.ev.at(op->getOperand(1), weight), carried, dtype);
      };
      return chain(k, w[spatial], sum, step, dtype);
    };
    if (!inside) return accumulate(false);
    auto branch = scf::IfOp::create(e.b, e.loc, TypeRange{sum.getType()}, inside, true);
    OpBuilder::InsertionGuard guard(e.b);
    e.b.setInsertionPointToStart(branch.thenBlock());
    scf::YieldOp::create(e.b, e.loc, accumulate(false));
    e.b.setInsertionPointToStart(branch.elseBlock());
    scf::YieldOp::create(e.b, e.loc, accumulate(true));
    return branch.getResult(0);
  }
};

Value productAt(GpuKernel &k, ir::DotGeneralOp dot, ArrayRef<Coordinate> position) {
  size_t batches = dot.getXBatch().size(), xAxis = size_t(dot.getXAxis()), yAxis = size_t(dot.getYAxis());
  DType dtype = ir::typeOf(dot.getResult()).dtype;
  Coordinates x(position), y(position);
  x[2 * batches + 1 - xAxis] = position[batches];
  y[2 * batches + 1 - yAxis] = position[batches + 1];
  auto step = [&](Index i, Expr carried) {
    x[xAxis] = y[yAxis] = {i, 0, {}};
    return cpu::scalarOp(Op::DotGeneral, k.ev.at(dot.getX(), x), k.ev.at(dot.getY(), y), carried, dtype);
  };
  return chain(k, k.shapeOf(dot.getX())[xAxis], k.e.scalar(dtype, 0).value, step, dtype);
}

} // namespace

void emitPointwiseProduct(GpuKernel &k) {
  Operation *op = mainOp(k);
  Value result = op->getResult(0);
  forEachPosition(k, k.schedule<ir::GridAttr>().getThreads(), k.shapeOf(result), [&](Coordinates &position) {
    auto dot = dyn_cast<ir::DotGeneralOp>(op);
    Value sum = dot ? productAt(k, dot, position) : Window(k, cast<ir::ConvolutionOp>(op), position).run();
    k.ev.remember(result, position, Expr(k.e.b, k.e.loc, sum, ir::typeOf(result).dtype));
    k.storeResults(position);
  });
}

} // namespace kiln::nvptx
