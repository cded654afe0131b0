// Convolutions of any shape, dtype and layout, directly: filters in lanes, one chain of fused multiply-adds over window and channels in
// row-major order.
#include "codegen/cpu/Kernels.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;

namespace kiln::cpu {
namespace {

class ConvolutionEmitter {
public:
  ConvolutionEmitter(KernelContext &k, Operation *op) : k(k), e(k.e), op(op) {
    auto convolution = cast<ir::ConvolutionOp>(op);
    strides = convolution.getStrides(), low = convolution.getLow(), high = convolution.getHigh(), dilation = convolution.getDilation();
    groups = int64_t(convolution.getGroups());
    x = shapeOf(k, op->getOperand(0));
    w = shapeOf(k, op->getOperand(1));
    spatial = x.size() - 2;
  }

  void run() {
    const Buffer &out = k.mainOutput();
    Index filters = e.ceilDiv(out.shape.back(), groups), channels = w[spatial];
    auto schedule = k.schedule<ir::WindowAttr>();
    Sharing sharing{schedule.getParallel(), schedule.getGrain()};
    int64_t lanes = schedule.getLanes();
    position.resize(out.shape.size());
    Index work = e.mul(out.shape.back(), channels); // a product each
    for (size_t i = 0; i < spatial; ++i) work = e.mul(work, w[i]);
    forEachPosition(k, out.shape, {int64_t(spatial) + 1}, position, sharing, work, [&] {
      e.loop(0, groups, 1, [&](Index group) {
        Index first = e.mul(group, filters);
        forEachVector(k.ev, first, e.add(first, filters), lanes, [&](Coordinate c) {
          position.back() = c;
          Value zero = e.splat(e.scalar(out.dtype, 0), k.ev.lanes).value;
          Value sum = overWindow(0, e.mul(group, channels), channels, zero, {});
          k.ev.remember(op->getResult(0), position, Expr(e.b, e.loc, sum, out.dtype));
          for (auto [value, buffer] : llvm::zip(k.yield().getValues(), k.outputs)) k.ev.storeAt(buffer, position, k.ev.at(value, position));
        });
      });
    });
  }

private:
  KernelContext &k;
  Emitter &e;
  Operation *op;
  ArrayRef<int64_t> strides, low, high, dilation;
  int64_t groups = 1;
  SmallVector<Index> x, w;
  size_t spatial = 0;
  Coordinates position, tap; // of the result, and in the window
  SmallVector<Index> from;   // in the operand

  /// `inside`: whether the axes so far lie in the operand and not in the padding; null where they always do.
  Value overWindow(size_t axis, Index firstChannel, Index channels, Value sum, Value inside) {
    if (axis == spatial) return overChannels(firstChannel, channels, sum, inside);
    int i = int(axis);
    Index origin = e.sub(e.mul(position[axis + 1].base, strides[i]), low[i]);
    return e.loop(0, w[axis], 1, ValueRange{sum}, [&](Index t, ValueRange carried) {
      Evaluator::Scope scope(k.ev, k.ev.lanes, k.ev.mask);
      Index at = e.add(origin, e.mul(t, dilation[i]));
      tap.resize(axis);
      from.resize(axis);
      tap.push_back({t, 0, {}});
      from.push_back(at);
      Value fits = inside;
      if (low[i] || high[i]) {
        fits = arith::AndIOp::create(e.b, e.loc, e.lessThan(-1, at), e.lessThan(at, x[axis + 1]));
        if (inside) fits = arith::AndIOp::create(e.b, e.loc, inside, fits);
      }
      return SmallVector<Value>{overWindow(axis + 1, firstChannel, channels, carried[0], fits)};
    })[0];
  }

  Value overChannels(Index first, Index channels, Value sum, Value inside) {
    if (!inside) return accumulate(first, channels, sum, false);
    auto branch = scf::IfOp::create(e.b, e.loc, TypeRange{sum.getType()}, inside, true);
    OpBuilder::InsertionGuard guard(e.b);
    for (bool isPadding : {false, true}) {
      e.b.setInsertionPointToStart(isPadding ? branch.elseBlock() : branch.thenBlock());
      Evaluator::Scope scope(k.ev, k.ev.lanes, k.ev.mask);
      scf::YieldOp::create(e.b, e.loc, accumulate(first, channels, sum, isPadding));
    }
    return branch.getResult(0);
  }

  Value accumulate(Index first, Index channels, Value sum, bool isPadding) {
    DType dtype = k.mainOutput().dtype;
    return e.loop(0, channels, 1, ValueRange{sum}, [&](Index c, ValueRange carried) {
      Evaluator::Scope scope(k.ev, k.ev.lanes, k.ev.mask);
      Coordinates data = {position[0]}, weight(tap);
      for (Index at : from) data.push_back({at, 0, {}});
      data.push_back({e.add(first, c), 0, {}});
      weight.push_back({c, 0, {}});
      weight.push_back(position.back());
      Expr b = k.ev.vectorAt(op->getOperand(1), weight);
      Expr a = isPadding ? e.splat(e.scalar(dtype, 0), k.ev.lanes) : k.ev.vectorAt(op->getOperand(0), data);
      return SmallVector<Value>{scalarOp(Op::Convolution, a, b, a.with(carried[0]), dtype).value};
    })[0];
  }
};

} // namespace

LogicalResult emitConvolution(KernelContext &k) {
  Operation *op = k.mainOp();
  if (isa<ir::ConvolutionAttr>(*k.kernel.getSchedule())) emitTiledConvolution(k, op);
  else ConvolutionEmitter(k, op).run();
  return success();
}

} // namespace kiln::cpu
