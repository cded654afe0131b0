// Results that are put together, and steps along an axis in order. The threads of a launch share positions, or lines; none reads what
// another writes.
#include "codegen/nvptx/Kernels.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;

namespace kiln::nvptx {

void forEachPosition(GpuKernel &k, int64_t threads, ArrayRef<Index> shape, llvm::function_ref<void(Coordinates &)> body, int64_t skip) {
  Emitter &e = k.e;
  Sizes sizes(shape);
  if (skip >= 0) sizes[size_t(skip)] = 1;
  Index size = k.product(sizes);
  if (size.isConstant(0)) return;
  Index blocks = e.ceilDiv(size, threads);
  k.threads = threads, k.blocks = k.blocks.isConstant(0) ? blocks : e.max(k.blocks, blocks);
  Index linear = e.add(e.mul(k.block(), threads), k.thread());
  k.when(e.lessThan(linear, size), [&] {
    Coordinates position;
    k.place(position, linear, sizes, skip);
    body(position);
  });
}

namespace {

void emitConcat(GpuKernel &k, ir::ConcatOp op, int64_t threads) {
  Index start = 0;
  for (Value part : op.getArrays()) {
    Sizes shape = k.shapeOf(part);
    forEachPosition(k, threads, shape, [&](Coordinates &position) {
      Coordinates to(position);
      Index &along = to[size_t(op.getAxis())].base;
      along = k.e.add(along, start);
      k.ev.storeAt(k.outputs[0], to, k.ev.at(part, position));
    });
    start = k.e.add(start, shape[size_t(op.getAxis())]);
  }
}

/// A part of an array, element i of each axis at starts + i * steps.
struct Region {
  SmallVector<Index> starts;
  SmallVector<int64_t> steps;
};

Region regionOf(GpuKernel &k, Operation *op) {
  Region region;
  if (auto update = dyn_cast<ir::UpdateOp>(op)) {
    for (Size start : update.getStarts()) region.starts.push_back(k.ev.sizeOf(start));
    region.steps.assign(update.getSteps().begin(), update.getSteps().end());
    return region;
  }
  Value starts = cast<ir::DynamicUpdateOp>(op).getStarts();
  auto shape = k.shapeOf(op->getOperand(0)), part = k.shapeOf(op->getOperand(1));
  for (size_t i = 0; i < shape.size(); ++i) region.starts.push_back(k.ev.dynamicStart(starts, int(i), shape[i], part[i]));
  region.steps.assign(shape.size(), 1);
  return region;
}

/// Whether a position of the whole is one of the region of `shape`; null: all are.
Value isInside(GpuKernel &k, ArrayRef<Coordinate> position, const Region &region, ArrayRef<Index> shape) {
  Emitter &e = k.e;
  Value all;
  auto both = [&](Value v) { all = all ? arith::AndIOp::create(e.b, e.loc, all, v).getResult() : v; };
  for (size_t i = 0; i < shape.size(); ++i) {
    int64_t step = region.steps[i];
    Index behind = step < 0 ? e.sub(region.starts[i], position[i].base) : e.sub(position[i].base, region.starts[i]);
    both(e.lessThan(-1, behind));
    both(e.lessThan(behind, e.mul(shape[i], std::abs(step))));
    if (std::abs(step) > 1) both(e.lessThan(k.remainder(behind, std::abs(step)), 1));
  }
  return all;
}

} // namespace

void emitAssemble(GpuKernel &k) {
  Operation *op = k.yielded()[0].getDefiningOp();
  int64_t threads = k.schedule<ir::GridAttr>().getThreads();
  if (auto concat = dyn_cast<ir::ConcatOp>(op)) return emitConcat(k, concat, threads);
  Emitter &e = k.e;
  Value x = op->getOperand(0), part = op->getOperand(1);
  const Buffer &out = k.outputs[0];
  Sizes shape = k.shapeOf(part);
  if (x != k.placedWithResult)
    forEachPosition(k, threads, out.shape, [&](Coordinates &position) {
      Value inside = isInside(k, position, regionOf(k, op), shape);
      if (!inside) return; // a scalar is replaced whole
      Value yes = arith::ConstantOp::create(e.b, e.loc, e.b.getBoolAttr(true));
      k.when(arith::XOrIOp::create(e.b, e.loc, inside, yes), [&] { k.ev.storeAt(out, position, k.ev.at(x, position)); });
    });
  forEachPosition(k, threads, shape, [&](Coordinates &position) {
    Region region = regionOf(k, op);
    Coordinates to(position);
    for (size_t i = 0; i < to.size(); ++i) to[i].base = e.add(region.starts[i], e.mul(to[i].base, region.steps[i]));
    k.ev.storeAt(out, to, k.ev.at(part, position));
  });
}

} // namespace kiln::nvptx
