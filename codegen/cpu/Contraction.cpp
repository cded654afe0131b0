// Contractions of matrices, batch by batch.
#include "codegen/cpu/Gemm.h"

using namespace mlir;

namespace kiln::cpu {
namespace {

void fillZero(Emitter &e, const Product &p) {
  e.loop(0, p.a.size, 1, [&](Index i) {
    e.loop(0, p.b.size, 1, [&](Index j) { e.store(p.c.pointer, e.add(e.mul(i, p.c.across), j), e.scalar(p.dtype, 0)); });
  });
}

/// An operand that is computed from others where it is packed or read.
Side computed(KernelContext &k, Value operand, const Coordinates &batch, size_t free, size_t along) {
  SmallVector<Index> shape = shapeOf(k, operand);
  bool isAcross = free > along; // the last axis
  Side side{{}, ir::typeOf(operand).dtype, shape[free], isAcross ? Index(1) : shape[along], isAcross ? shape[free] : Index(1)};
  side.compute = [&k, operand, batch, free, along](Index at, Index q, bool lanesAcross, int64_t lanes, Value mask) {
    Coordinates position(batch);
    position[free] = {at, lanesAcross && lanes, {}};
    position[along] = {q, !lanesAcross && lanes, {}};
    Evaluator::Scope scope(k.ev, lanes, mask);
    return k.ev.vectorAt(operand, position);
  };
  return side;
}

/// Whether a product streams through one large operand for few rows.
bool isSkinny(const Product &p) {
  constexpr int64_t kLargeBytes = 512 << 10;
  if (!p.a.size.isStatic() || !p.b.size.isStatic() || !p.depth.isStatic() || !p.b.across.isConstant(1)) return false;
  return p.a.size.number <= (p.target.isWide() ? 16 : 8) && p.depth.number > 0 &&
         p.depth.number * p.b.size.number * byteSize(p.dtype) >= kLargeBytes;
}

} // namespace

void emitContraction(KernelContext &k) {
  Operation *dot = k.mainOp();
  auto words = ir::wordsOf(dot);
  WordReader reader{{words.data(), words.size()}};
  int batches = reader.dims().rank;
  reader.dims();
  size_t xAxis = size_t(reader.next()), yAxis = size_t(reader.next());
  const Buffer &c = k.mainOutput();
  size_t xFree = size_t(2 * batches + 1) - xAxis, yFree = size_t(2 * batches + 1) - yAxis; // the other of the last two
  Coordinates batch(c.shape.size());
  auto productAt = [&] {
    auto inMemory = [&](const Buffer &buffer, size_t free, size_t along) {
      Coordinates at(batch);
      at[size_t(batches)] = at[size_t(batches) + 1] = {};
      Value start = k.e.address(buffer.pointer, buffer.dtype, k.ev.offsetOf(buffer, at));
      return Side{start, buffer.dtype, buffer.shape[free], buffer.strides[free], buffer.strides[along]};
    };
    size_t row = size_t(batches);
    auto side = [&](Value operand, size_t free, size_t along) {
      auto buffer = k.ev.buffers.find(operand);
      return buffer == k.ev.buffers.end() ? computed(k, operand, batch, free, along) : inMemory(buffer->second, free, along);
    };
    Index depth = shapeOf(k, dot->getOperand(0))[xAxis];
    Product p{side(dot->getOperand(0), xFree, xAxis),
              side(dot->getOperand(1), yFree, yAxis),
              inMemory(c, row, row + 1),
              depth,
              c.dtype,
              k.target};
    if (k.hasEpilogue())
      p.finish = [&k, batch](Index row, Index rowEnd, Index column, Index columnEnd) {
        k.finishPart(batch, row, rowEnd, column, columnEnd);
      };
    return p;
  };
  Product shape = productAt();
  SmallVector<int64_t> last = {batches, batches + 1};
  auto forEachBatch = [&](llvm::function_ref<void(const Product &)> body) {
    forEachPosition(k.e, c.shape, last, batch, [&] { body(productAt()); });
  };
  auto finishAll = [&](const Product &p) {
    if (p.finish) p.finish(0, p.a.size, 0, p.b.size);
  };
  auto zeros = [&](const Product &p) {
    fillZero(k.e, p);
    finishAll(p);
  };
  if (shape.depth.isConstant(0)) return forEachBatch(zeros);
  if (isSkinny(shape))
    return forEachBatch([&](const Product &p) {
      emitSkinnyProduct(k, p);
      finishAll(p);
    });
  TiledProduct tiled(k, shape);
  forEachBatch([&](const Product &p) {
    if (!p.depth.isStatic()) k.e.when(k.e.lessThan(p.depth, 1), [&] { zeros(p); });
    tiled.run(p);
  });
}

} // namespace kiln::cpu
