// Loop nests without a reduction, and what the emitters share.
#include "codegen/cpu/Kernels.h"

#include "lib/Core/Infer.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"

using namespace mlir;

namespace kiln::cpu {

/// Scratch of a kernel that is more than any workspace: the kernel is refused, and what is emitted for it is not used.
static bool isTooMuch(KernelContext &k, int64_t bytes) {
  if (bytes >= 0 && bytes <= kMostWorkspace) return false;
  k.ev.refuse(k.mainOp(), ("expected scratch memory of at most " + Twine(kMostWorkspace) + " bytes").str());
  return true;
}

Value KernelContext::sharedScratch(int64_t bytes) {
  Value result = e.address(scratchPointer, DType::U8, sharedBytes);
  if (!isTooMuch(*this, bytes)) sharedBytes += (bytes + 63) / 64 * 64;
  if (isTooMuch(*this, sharedBytes)) sharedBytes = 0;
  return result;
}

Value KernelContext::scratch(Index bytes) {
  if (!scratchBase) scratchBase = e.address(scratchPointer, DType::U8, sharedBytes);
  Value result = e.address(scratchBase, DType::U8, scratchUsed);
  if (bytes.isStatic() && isTooMuch(*this, bytes.number())) bytes = 0;
  scratchUsed = e.add(scratchUsed, e.mul(e.ceilDiv(bytes, 64), 64));
  if (scratchUsed.isStatic() && isTooMuch(*this, scratchUsed.number())) scratchUsed = 0;
  return result;
}

/// Whether stores into a result may go past the caches; null: always.
static Value mayStream(KernelContext &k, const Buffer &output, bool isCollapsed) {
  Emitter &e = k.e;
  Index size = byteSize(output.dtype), row = e.mul(output.shape.back(), size);
  for (Index n : output.shape) size = e.mul(size, n);
  if (size.isStatic()) return {}; // as the schedule says
  Value address = LLVM::PtrToIntOp::create(e.b, e.loc, e.b.getI64Type(), output.pointer);
  if (!isCollapsed && output.shape.size() > 1) address = arith::OrIOp::create(e.b, e.loc, address, e.use(row));
  Value rest = arith::AndIOp::create(e.b, e.loc, address, e.use(kLine - 1));
  int64_t least = Target::of(k.kernel->getParentOfType<ModuleOp>()).streamBytes;
  return arith::AndIOp::create(e.b, e.loc, e.lessThan(Index(rest), 1), e.lessThan(least - 1, size));
}

void KernelContext::stream(ArrayRef<int64_t> results, bool isCollapsed) {
  for (int64_t i : results) {
    outputs[size_t(i)].streams = true;
    Value mine = mayStream(*this, outputs[size_t(i)], isCollapsed);
    if (mine) streamsIf = streamsIf ? arith::AndIOp::create(e.b, e.loc, streamsIf, mine).getResult() : mine;
  }
}

void KernelContext::eitherWay(llvm::function_ref<void()> body) {
  if (!streamsIf) return body();
  e.when(streamsIf, body, [&] {
    SmallVector<Buffer> streaming = outputs;
    for (Buffer &output : outputs) output.streams = false;
    body();
    outputs = streaming;
  });
}

SmallVector<Index> shapeOf(KernelContext &k, Value value) {
  return llvm::map_to_vector(ir::typeOf(value).shape, [&](Size d) { return k.ev.sizeOf(d); });
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

void forEachPosition(KernelContext &k, ArrayRef<Index> shape, ArrayRef<int64_t> skip, Coordinates &position, Sharing sharing, Index work,
                     llvm::function_ref<void()> body) {
  for (int64_t axis = sharing.axis + 1; sharing.axis >= 0 && axis < int64_t(shape.size()); ++axis)
    if (!llvm::is_contained(skip, axis)) work = k.e.mul(work, shape[size_t(axis)]);
  auto loop = [&](size_t axis, llvm::function_ref<void(Index)> step) {
    k.parallelLoop(sharing.along(int64_t(axis)), 0, shape[axis], 1, work, step);
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
    Index count = e.sub(to, whole);
    int64_t few = e.restLanes(count, lanes);
    Evaluator::Scope scope(ev, few, e.restMask(count, few));
    body({whole, 1, {}});
  };
  if (size.isStatic()) rest();
  else e.when(e.lessThan(whole, to), rest);
}

void forEachVector(Evaluator &ev, Index from, Index to, int64_t lanes, llvm::function_ref<void(Coordinate)> body) {
  auto loop = [&](Index a, Index b, llvm::function_ref<void(Index)> step) { ev.e.loop(a, b, lanes, step); };
  forEachVector(ev, from, to, lanes, loop, body);
}

void forEachVector(KernelContext &k, std::optional<int64_t> grain, Index from, Index to, int64_t lanes, Index work,
                   llvm::function_ref<void(Coordinate)> body) {
  auto loop = [&](Index a, Index b, llvm::function_ref<void(Index)> step) {
    k.parallelLoop(grain, a, b, lanes, grain ? k.e.mul(work, lanes) : Index(0), step);
  };
  forEachVector(k.ev, from, to, lanes, loop, body);
}

Coordinates inRegion(Emitter &e, ArrayRef<Coordinate> position, const Region &region) {
  Coordinates result(position);
  for (size_t i = 0; i < result.size(); ++i) {
    Coordinate &c = result[i];
    if (!region.steps.empty()) {
      c.base = e.mul(c.base, region.steps[i]);
      c.step *= region.steps[i].number();
      c.rowStep *= region.steps[i].number();
    }
    if (!region.starts.empty()) c.base = e.add(c.base, region.starts[i]);
  }
  return result;
}

/// Some neighbouring rows at a time.
static void storeRows(KernelContext &k, ir::NestAttr nest, ArrayRef<Index> shape, Coordinates &position, Index cost,
                      llvm::function_ref<void()> body) {
  int64_t last = int64_t(shape.size()) - 1, axis = last - 1;
  Sharing sharing{nest.getParallel(), nest.getGrain()};
  auto rows = [&](Index row, int64_t count) {
    forEachVector(k, sharing.along(last), 0, shape.back(), nest.getLanes(), cost, [&](Coordinate c) {
      position.back() = c;
      for (int64_t r = 0; r < count; ++r) {
        position[size_t(axis)] = {k.e.add(row, r), 0, {}};
        body();
      }
    });
  };
  Index size = shape[size_t(axis)], whole = k.e.floorTo(size, nest.getRows()), rowWork = k.e.mul(cost, shape.back());
  forEachPosition(k, shape, {axis, last}, position, sharing, k.e.mul(rowWork, size), [&] {
    k.parallelLoop(sharing.along(axis), 0, whole, nest.getRows(), k.e.mul(rowWork, nest.getRows()),
                   [&](Index row) { rows(row, nest.getRows()); });
    k.e.loop(whole, size, 1, [&](Index row) { rows(row, 1); });
  });
}

void storeValues(KernelContext &k, ValueRange values, ArrayRef<Buffer> buffers, ArrayRef<Coordinate> from, ArrayRef<Coordinate> to) {
  SmallVector<Expr> results;
  for (Value value : values) results.push_back(k.ev.at(value, from));
  for (auto [result, buffer] : llvm::zip(results, buffers)) k.ev.storeAt(buffer, to, result);
}

/// How many elements come before the first line, or vector if that is less, of the memory that starts at an element.
static Index headOf(KernelContext &k, const Buffer &buffer, ArrayRef<Coordinate> first, int64_t lanes) {
  Emitter &e = k.e;
  int64_t size = byteSize(buffer.dtype), unit = std::min(kLine, lanes * size);
  Value at = LLVM::PtrToIntOp::create(e.b, e.loc, e.b.getI64Type(), e.address(buffer.pointer, buffer.dtype, k.ev.offsetOf(buffer, first)));
  Value behind = arith::SubIOp::create(e.b, e.loc, e.use(0), at);
  Value bytes = arith::AndIOp::create(e.b, e.loc, behind, e.use(unit - 1));
  return Index(arith::DivUIOp::create(e.b, e.loc, bytes, e.use(size)));
}

void storeAll(KernelContext &k, ir::NestAttr nest, ArrayRef<Index> shape, ValueRange values, ArrayRef<Buffer> buffers,
              const Region &region) {
  Coordinates position(shape.size());
  auto body = [&] {
    Coordinates to = inRegion(k.e, position, region);
    storeValues(k, values, buffers, position, to);
  };
  if (shape.empty()) {
    Evaluator::Scope scope(k.ev, 0, {});
    return body();
  }
  if (nest.getTranspose() >= 0) return storeTiles(k, nest, shape, values, buffers, region);
  Index cost = elementCost(k.kernel);
  if (nest.getRows() > 1) return storeRows(k, nest, shape, position, cost, body);
  int64_t last = int64_t(shape.size()) - 1;
  Sharing sharing{nest.getParallel(), nest.getGrain()};
  auto vector = [&](Coordinate c) {
    position.back() = c;
    body();
  };
  forEachPosition(k, shape, {last}, position, sharing, k.e.mul(cost, shape.back()), [&] {
    Index start = 0;
    if (int64_t lanes = nest.getLanes(); nest.getAlign() && lanes > 1) {
      position.back() = {0, 0, {}};
      start = k.e.min(headOf(k, buffers[0], inRegion(k.e, position, region), lanes), shape.back());
      k.e.when(k.e.lessThan(0, start), [&] {
        Evaluator::Scope scope(k.ev, lanes, k.e.restMask(start, lanes));
        vector({0, 1, {}});
      });
    }
    forEachVector(k, sharing.along(last), start, shape.back(), nest.getLanes(), cost, vector);
  });
}

/// All elements by the last coordinate alone.
static void storeFlat(KernelContext &k, ir::NestAttr nest) {
  Index size = 1;
  for (Index n : k.outputs[0].shape) size = k.e.mul(size, n);
  Coordinates position(k.outputs[0].shape.size());
  forEachVector(k, Sharing{nest.getParallel(), nest.getGrain()}.along(0), 0, size, nest.getLanes(), elementCost(k.kernel),
                [&](Coordinate c) {
                  position.back() = c;
                  storeValues(k, k.yield().getValues(), k.outputs, position, position);
                });
}

LogicalResult emitElementwise(KernelContext &k) {
  auto nest = k.schedule<ir::NestAttr>();
  k.stream(nest.getStream(), nest.getCollapse());
  k.eitherWay([&] {
    if (nest.getCollapse()) storeFlat(k, nest);
    else storeAll(k, nest, k.outputs[0].shape, k.yield().getValues(), k.outputs);
  });
  return success();
}

} // namespace kiln::cpu
