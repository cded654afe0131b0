// Results put together from parts: joins, updates of regions, and scatters.
#include "codegen/cpu/Kernels.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;

namespace kiln::cpu {

static SmallVector<Index> toIndices(KernelContext &k, ArrayRef<Size> sizes) {
  return llvm::map_to_vector(sizes, [&](Size d) { return k.ev.sizeOf(d); });
}

static void emitConcat(KernelContext &k, ir::ConcatOp op, ArrayRef<ir::NestAttr> nests) {
  size_t axis = size_t(op.getAxis());
  Region region{SmallVector<Index>(k.outputs[0].shape.size(), Index(0)), {}};
  for (auto [part, nest] : llvm::zip(op.getArrays(), nests)) {
    SmallVector<Index> shape = shapeOf(k, part);
    storeAll(k, nest, shape, part, k.outputs[0], region);
    region.starts[axis] = k.e.add(region.starts[axis], shape[axis]);
  }
}

/// The array that is changed, unless it lies where the result goes already.
static void copyBase(KernelContext &k, ir::NestAttr nest, Value x) {
  if (!k.isInPlace(x)) storeAll(k, nest, k.outputs[0].shape, x, k.outputs[0]);
}

static Region regionOf(KernelContext &k, ir::UpdateOp op) {
  return {toIndices(k, op.getStarts()), SmallVector<Index>(op.getSteps().begin(), op.getSteps().end())};
}

static Region regionOf(KernelContext &k, ir::DynamicUpdateOp op) {
  Shape shape = ir::typeOf(op.getX()).shape, part = ir::typeOf(op.getValue()).shape;
  Region region;
  for (int i = 0; i < shape.rank; ++i)
    region.starts.push_back(k.ev.dynamicStart(op.getStarts(), i, k.ev.sizeOf(shape[i]), k.ev.sizeOf(part[i])));
  return region;
}

LogicalResult emitAssemble(KernelContext &k) {
  Operation *op = k.mainOp();
  ArrayRef<ir::NestAttr> nests = k.schedule<ir::AssembleAttr>().getParts();
  if (auto concat = dyn_cast<ir::ConcatOp>(op)) return emitConcat(k, concat, nests), success();
  auto update = dyn_cast<ir::UpdateOp>(op);
  Region region = update ? regionOf(k, update) : regionOf(k, cast<ir::DynamicUpdateOp>(op));
  copyBase(k, nests[0], op->getOperand(0));
  storeAll(k, nests[1], shapeOf(k, op->getOperand(1)), op->getOperand(1), k.outputs[0], region);
  return success();
}

/// Runs `body` where all positions are inside: what is changed in place stays as it is where one is not.
static void whenInside(KernelContext &k, Value indices, Index size, llvm::function_ref<void()> body) {
  constexpr int64_t kLanes = 16;
  Index count = shapeOf(k, indices)[0];
  if (count.isConstant(0)) return;
  forEachVector(k.ev, 0, count, lanesFor(count, kLanes), [&](Coordinate c) {
    Expr isBad = k.e.scalar(DType::Bool, 0);
    k.ev.wrapIndex(k.ev.vectorAt(indices, c), size, &isBad);
    k.ev.reportIndex(isBad);
  });
  k.e.when(scalar::equal(k.e.load(k.ev.statusFlag, DType::I32, 0, 0), k.e.scalar(DType::I32, 0)).value, body);
}

/// The updates in order along their axis; whatever lies behind the axis in lanes.
LogicalResult emitScatter(KernelContext &k) {
  auto op = cast<ir::ArrayOp>(k.mainOp());
  auto schedule = k.schedule<ir::ScatterAttr>();
  Value indices = op->getOperand(1), updates = op->getOperand(2);
  Op id = op.getId();
  size_t axis = size_t(op.getAlong()[0]);
  const Buffer &out = k.outputs[0];
  Emitter &e = k.e;
  copyBase(k, schedule.getCopy(), op.getMain());
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
      forEachVector(k.ev, 0, shape.back(), schedule.getLanes(), [&](Coordinate c) {
        position.back() = c;
        putOne();
      });
    });
  };
  SmallVector<int64_t> behind;
  for (size_t i = axis; i < shape.size(); ++i) behind.push_back(int64_t(i));
  bool looksFirst = k.isInPlace(op.getMain()) && !shape[axis].isConstant(1);
  auto putAll = [&] {
    forEachPosition(e, shape, behind, position, [&] {
      e.loop(0, shape[axis], 1, [&](Index i) {
        Evaluator::Scope scope(k.ev, 0, {});
        position[axis] = {i, 0, {}};
        Expr isBad = e.scalar(DType::Bool, 0);
        Expr index = k.ev.indexAt(indices, Coordinate{i, 0, {}}, out.shape[axis], &isBad);
        if (looksFirst) return putAt(index);
        k.ev.reportIndex(isBad);
        e.when(scalar::bitwise_invert(isBad).value, [&] {
          Evaluator::Scope inner(k.ev, 0, {});
          putAt(index);
        });
      });
    });
  };
  if (looksFirst) whenInside(k, indices, out.shape[axis], putAll);
  else putAll();
  return success();
}

} // namespace kiln::cpu
