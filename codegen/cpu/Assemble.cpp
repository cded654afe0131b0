// Results put together from parts: joins, updates of regions, and scatters.
#include "codegen/cpu/Kernels.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;

namespace kiln::cpu {

static SmallVector<Index> toIndices(KernelContext &k, ArrayRef<Size> sizes) {
  return llvm::map_to_vector(sizes, [&](Size d) { return k.ev.sizeOf(d); });
}

static void emitConcat(KernelContext &k, ir::ConcatOp op) {
  size_t axis = size_t(op.getAxis());
  Region region{SmallVector<Index>(k.outputs[0].shape.size(), Index(0)), {}};
  for (Value part : op.getArrays()) {
    SmallVector<Index> shape = shapeOf(k, part);
    storeAll(k, shape, part, k.outputs[0], region);
    region.starts[axis] = k.e.add(region.starts[axis], shape[axis]);
  }
}

/// The array that is changed, unless it lies where the result goes already.
static void copyBase(KernelContext &k, Value x) {
  if (!k.isInPlace(x)) storeAll(k, k.outputs[0].shape, x, k.outputs[0]);
}

static void emitUpdate(KernelContext &k, ir::UpdateOp op) {
  copyBase(k, op.getX());
  storeAll(k, shapeOf(k, op.getValue()), op.getValue(), k.outputs[0],
           {toIndices(k, op.getStarts()), SmallVector<Index>(op.getSteps().begin(), op.getSteps().end())});
}

static void emitDynamicUpdate(KernelContext &k, ir::DynamicUpdateOp op) {
  Shape shape = ir::typeOf(op.getX()).shape, part = ir::typeOf(op.getValue()).shape;
  Region region;
  for (int i = 0; i < shape.rank; ++i)
    region.starts.push_back(k.ev.dynamicStart(op.getStarts(), i, k.ev.sizeOf(shape[i]), k.ev.sizeOf(part[i])));
  copyBase(k, op.getX());
  storeAll(k, shapeOf(k, op.getValue()), op.getValue(), k.outputs[0], region);
}

void emitAssemble(KernelContext &k) {
  Operation *op = k.yield().getValues()[0].getDefiningOp();
  if (auto concat = dyn_cast<ir::ConcatOp>(op)) emitConcat(k, concat);
  else if (auto update = dyn_cast<ir::UpdateOp>(op)) emitUpdate(k, update);
  else emitDynamicUpdate(k, cast<ir::DynamicUpdateOp>(op));
}

/// The updates in order along their axis; whatever lies behind the axis in lanes.
void emitScatter(KernelContext &k) {
  auto op = k.yield().getValues()[0].getDefiningOp<ir::ArrayOp>();
  Value indices = op->getOperand(1), updates = op->getOperand(2);
  Op id = op.getId();
  size_t axis = size_t(op.getAlong()[0]);
  const Buffer &out = k.outputs[0];
  Emitter &e = k.e;
  copyBase(k, op.getMain());
  SmallVector<Index> shape(out.shape.begin(), out.shape.end());
  shape[axis] = shapeOf(k, indices)[0];
  bool hasLanes = axis + 1 < shape.size();
  Coordinates position(shape.size()), target;
  auto putOne = [&] {
    target[shape.size() - 1] = hasLanes ? position.back() : target.back();
    Expr value = k.ev.at(updates, position), old = id == Op::Scatter ? value : k.ev.loadAt(out, target);
    k.ev.storeAt(out, target, scalarOp(id, e.splat(old, k.ev.lanes), e.splat(value, k.ev.lanes), value, out.dtype));
  };
  auto putAt = [&](Expr index) {
    target = position;
    target[axis] = {Index(index.value), 0, {}};
    if (!hasLanes) return putOne();
    SmallVector<int64_t> skip;
    for (size_t i = 0; i < shape.size(); ++i)
      if (i <= axis || i + 1 == shape.size()) skip.push_back(int64_t(i));
    forEachPosition(e, shape, skip, position, [&] {
      for (size_t i = axis + 1; i < shape.size(); ++i) target[i] = position[i];
      forEachVector(k.ev, 0, shape.back(), lanesFor(shape.back(), preferredLanes(k)), [&](Coordinate c) {
        position.back() = c;
        putOne();
      });
    });
  };
  SmallVector<int64_t> behind;
  for (size_t i = axis; i < shape.size(); ++i) behind.push_back(int64_t(i));
  forEachPosition(e, shape, behind, position, [&] {
    e.loop(0, shape[axis], 1, [&](Index i) {
      Evaluator::Scope scope(k.ev, 0, {});
      position[axis] = {i, 0, {}};
      Expr isBad = e.scalar(DType::Bool, 0);
      Expr index = k.ev.wrapIndex(k.ev.at(indices, Coordinate{i, 0, {}}), out.shape[axis], &isBad);
      k.ev.reportIndex(isBad);
      e.when(scalar::bitwise_invert(isBad).value, [&] {
        Evaluator::Scope inner(k.ev, 0, {});
        putAt(index);
      });
    });
  });
}

} // namespace kiln::cpu
