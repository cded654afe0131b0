// Loop nests without a reduction, and what the emitters share.
#include "codegen/cpu/Kernels.h"

#include "lib/Core/Assert.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"

using namespace mlir;

namespace kiln::cpu {

Value KernelContext::sharedScratch(int64_t bytes) {
  Value result = e.address(scratchPointer, DType::U8, sharedBytes);
  sharedBytes += (bytes + 63) / 64 * 64;
  return result;
}

Value KernelContext::scratch(Index bytes) {
  if (!scratchBase) scratchBase = e.address(scratchPointer, DType::U8, sharedBytes);
  Value result = e.address(scratchBase, DType::U8, scratchUsed);
  scratchUsed = e.add(scratchUsed, e.mul(e.ceilDiv(bytes, 64), 64));
  return result;
}

SmallVector<Index> shapeOf(KernelContext &k, Value value) {
  return llvm::map_to_vector(ir::typeOf(value).shape, [&](Size d) { return k.ev.sizeOf(d); });
}

int64_t preferredLanes(KernelContext &k) {
  int64_t lanes = 32;
  for (auto &[value, buffer] : k.ev.buffers)
    if (!buffer.strides.empty() && !buffer.strides.back().isConstant(1) && !buffer.strides.back().isConstant(0)) lanes = 8;
  k.kernel.getBody().walk([&](Operation *op) {
    if (op->getNumResults() != 1) return;
    DType dtype = ir::typeOf(op->getResult(0)).dtype;
    if (byteSize(realType(dtype)) == 8) lanes = std::min<int64_t>(lanes, isComplex(dtype) ? 8 : 16);
    if (isComplex(dtype)) lanes = std::min<int64_t>(lanes, 16);
    if (isa<ir::TransposeOp>(op) || ir::isKind(op, Kind::Gather)) lanes = 8;
  });
  return lanes;
}

/// `loop` makes the loop over an axis.
static void forEachPosition(ArrayRef<Index> shape, ArrayRef<int64_t> skip, Coordinates &position,
                            llvm::function_ref<void(size_t axis, llvm::function_ref<void(Index)>)> loop, llvm::function_ref<void()> body) {
  auto nest = [&](auto &self, size_t axis) -> void {
    if (axis == shape.size()) return body();
    if (llvm::is_contained(skip, int64_t(axis))) return self(self, axis + 1);
    loop(axis, [&](Index i) {
      position[axis] = {i, 0, {}};
      self(self, axis + 1);
    });
  };
  position.resize(shape.size());
  nest(nest, 0);
}

void forEachPosition(Emitter &e, ArrayRef<Index> shape, ArrayRef<int64_t> skip, Coordinates &position, llvm::function_ref<void()> body) {
  auto loop = [&](size_t axis, llvm::function_ref<void(Index)> step) { e.loop(0, shape[axis], 1, step); };
  forEachPosition(shape, skip, position, loop, body);
}

/// Iterations that are worth sharing; an outer axis of fewer stays in order where there is an inner one.
static constexpr int64_t kEnough = 8;

int64_t KernelContext::elementCost() {
  int64_t sum = 0;
  for (Operation &op : kernel.getBody().front().without_terminator()) sum += cast<ir::ArrayOp>(op).getCost();
  return 1 + sum / 10; // the costs of records are those of scalars, with nothing to load or store
}

void forEachPosition(KernelContext &k, ArrayRef<Index> shape, ArrayRef<int64_t> skip, Coordinates &position, Index work,
                     llvm::function_ref<void()> body) {
  SmallVector<size_t> axes;
  for (size_t axis = 0; axis < shape.size(); ++axis)
    if (!llvm::is_contained(skip, int64_t(axis)) && !shape[axis].isConstant(1)) axes.push_back(axis);
  auto isEnough = [&](size_t axis) { return !shape[axis].isStatic() || shape[axis].number >= kEnough; };
  auto found = llvm::find_if(axes, isEnough);
  if (found == axes.end() && !axes.empty()) found = axes.begin();
  for (size_t axis : ArrayRef(found, axes.end()).drop_front(found != axes.end())) work = k.e.mul(work, shape[axis]);
  auto loop = [&](size_t axis, llvm::function_ref<void(Index)> step) {
    if (found != axes.end() && axis == *found) k.parallelLoop(0, shape[axis], 1, work, step);
    else k.e.loop(0, shape[axis], 1, step);
  };
  forEachPosition(shape, skip, position, loop, body);
}

using Loop = llvm::function_ref<void(Index from, Index to, llvm::function_ref<void(Index)>)>;

static void forEachVector(Evaluator &ev, Index from, Index to, int64_t lanes, Loop loop, llvm::function_ref<void(Coordinate)> body) {
  Emitter &e = ev.e;
  Index size = e.sub(to, from);
  if (size.isConstant(0)) return;
  Index whole = e.add(from, e.floorTo(size, lanes));
  loop(from, whole, [&](Index i) {
    Evaluator::Scope scope(ev, lanes, {});
    body({i, lanes ? 1 : 0, {}});
  });
  if (whole == to) return;
  auto rest = [&] {
    Evaluator::Scope scope(ev, lanes, e.maskBelow(e.sub(to, whole), lanes));
    body({whole, 1, {}});
  };
  if (size.isStatic()) rest();
  else e.when(e.lessThan(whole, to), rest);
}

void forEachVector(Evaluator &ev, Index from, Index to, int64_t lanes, llvm::function_ref<void(Coordinate)> body) {
  auto loop = [&](Index a, Index b, llvm::function_ref<void(Index)> step) { ev.e.loop(a, b, lanes, step); };
  forEachVector(ev, from, to, lanes, loop, body);
}

void forEachVector(KernelContext &k, Index from, Index to, int64_t lanes, Index work, llvm::function_ref<void(Coordinate)> body) {
  auto loop = [&](Index a, Index b, llvm::function_ref<void(Index)> step) { k.parallelLoop(a, b, lanes, k.e.mul(work, lanes), step); };
  forEachVector(k.ev, from, to, lanes, loop, body);
}

bool hasOuterLoop(ArrayRef<Index> shape, ArrayRef<int64_t> skip) {
  int64_t count = 1;
  for (auto [axis, size] : llvm::enumerate(shape)) {
    if (llvm::is_contained(skip, int64_t(axis))) continue;
    if (!size.isStatic()) return true;
    count *= size.number;
  }
  return count >= kEnough;
}

Coordinates inRegion(Emitter &e, ArrayRef<Coordinate> position, const Region &region) {
  Coordinates result(position);
  for (size_t i = 0; i < result.size(); ++i) {
    Coordinate &c = result[i];
    if (!region.steps.empty()) {
      c.base = e.mul(c.base, region.steps[i]);
      c.step *= region.steps[i].number;
      c.rowStep *= region.steps[i].number;
    }
    if (!region.starts.empty()) c.base = e.add(c.base, region.starts[i]);
  }
  return result;
}

/// Whether an array is read in three places or more, not all of one row: a stencil.
static bool readsNeighbourRows(KernelContext &k) {
  constexpr size_t kSeveral = 3;
  llvm::DenseMap<Value, SmallVector<ir::SliceOp, 4>> slices;
  for (auto slice : k.kernel.getBody().front().getOps<ir::SliceOp>()) slices[slice.getX()].push_back(slice);
  return llvm::any_of(slices, [](auto &read) {
    return read.second.size() >= kSeveral && llvm::any_of(read.second, [&](ir::SliceOp s) {
             return ArrayRef(s.getStarts()).drop_back() != ArrayRef(read.second[0].getStarts()).drop_back();
           });
  });
}

/// Some neighbouring rows at a time: what several of them read is loaded once.
static void storeRows(KernelContext &k, ArrayRef<Index> shape, Coordinates &position, Index cost, llvm::function_ref<void()> body) {
  constexpr int64_t kRows = 4;
  size_t last = shape.size() - 1, axis = last - 1;
  int64_t lanes = lanesFor(shape[last], std::min<int64_t>(preferredLanes(k), 16));
  auto rows = [&](Index row, int64_t count) {
    forEachVector(k.ev, 0, shape[last], lanes, [&](Coordinate c) {
      position[last] = c;
      for (int64_t r = 0; r < count; ++r) {
        position[axis] = {k.e.add(row, r), 0, {}};
        body();
      }
    });
  };
  SmallVector<int64_t> skip = {int64_t(axis), int64_t(last)};
  Index whole = k.e.floorTo(shape[axis], kRows);
  auto plane = [&](llvm::function_ref<void(Index, llvm::function_ref<void(Index)>)> loop) {
    loop(whole, [&](Index row) { rows(row, kRows); });
    k.e.loop(whole, shape[axis], 1, [&](Index row) { rows(row, 1); });
  };
  Index rowWork = k.e.mul(cost, shape[last]);
  if (hasOuterLoop(shape, skip))
    return forEachPosition(k, shape, skip, position, k.e.mul(rowWork, shape[axis]),
                           [&] { plane([&](Index end, llvm::function_ref<void(Index)> step) { k.e.loop(0, end, kRows, step); }); });
  forEachPosition(k.e, shape, skip, position, [&] {
    plane([&](Index end, llvm::function_ref<void(Index)> step) { k.parallelLoop(0, end, kRows, k.e.mul(rowWork, kRows), step); });
  });
}

void storeAll(KernelContext &k, ArrayRef<Index> shape, ValueRange values, ArrayRef<Buffer> buffers, const Region &region) {
  Coordinates position(shape.size());
  auto body = [&] {
    Coordinates to = inRegion(k.e, position, region);
    for (auto [value, buffer] : llvm::zip(values, buffers)) k.ev.storeAt(buffer, to, k.ev.at(value, position));
  };
  if (shape.empty()) {
    Evaluator::Scope scope(k.ev, 0, {});
    return body();
  }
  if (storeTiles(k, shape, values, buffers, region)) return;
  int64_t last = int64_t(shape.size()) - 1, lanes = lanesFor(shape.back(), preferredLanes(k));
  auto vectorBody = [&](Coordinate c) {
    position.back() = c;
    body();
  };
  Index cost = k.elementCost();
  if (shape.size() > 1 && readsNeighbourRows(k)) return storeRows(k, shape, position, cost, body);
  if (hasOuterLoop(shape, {last}))
    return forEachPosition(k, shape, {last}, position, k.e.mul(cost, shape.back()),
                           [&] { forEachVector(k.ev, 0, shape.back(), lanes, vectorBody); });
  forEachPosition(k.e, shape, {last}, position, [&] { forEachVector(k, 0, shape.back(), lanes, cost, vectorBody); });
}

bool KernelContext::isFlat() {
  auto isWhole = [&](const Buffer &buffer) {
    return buffer.shape.empty() || (buffer.isRowMajor && buffer.shape.size() == outputs[0].shape.size());
  };
  bool inOrder = llvm::all_of(outputs, isWhole) && llvm::all_of(ev.buffers, [&](auto &known) { return isWhole(known.second); });
  return inOrder && llvm::all_of(kernel.getBody().front().without_terminator(), [&](Operation &op) {
           if (auto broadcast = dyn_cast<ir::BroadcastOp>(op)) return ir::typeOf(broadcast.getX()).shape.rank == 0;
           return isa<ir::ConstantOp>(op) || ir::isKind(&op, Kind::Elementwise);
         });
}

/// All elements by the last coordinate alone.
static void storeFlat(KernelContext &k) {
  Index size = 1;
  for (Index n : k.outputs[0].shape) size = k.e.mul(size, n);
  Coordinates position(k.outputs[0].shape.size());
  forEachVector(k, 0, size, lanesFor(size, preferredLanes(k)), k.elementCost(), [&](Coordinate c) {
    position.back() = c;
    for (auto [value, buffer] : llvm::zip(k.yield().getValues(), k.outputs)) k.ev.storeAt(buffer, position, k.ev.at(value, position));
  });
}

void emitElementwise(KernelContext &k) {
  if (k.outputs[0].shape.size() > 1 && k.isFlat()) return storeFlat(k);
  storeAll(k, k.outputs[0].shape, k.yield().getValues(), k.outputs);
}

} // namespace kiln::cpu
