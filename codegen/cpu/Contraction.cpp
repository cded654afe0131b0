// Contractions of matrices, batch by batch.
#include "codegen/cpu/Gemm.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;

namespace kiln::cpu {
namespace {

void fillZero(Emitter &e, const Product &p) {
  e.loop(0, p.a.size, 1, [&](Index i) {
    e.loop(0, p.b.size, 1, [&](Index j) { e.store(p.c.pointer, e.add(e.mul(i, p.c.across), j), e.scalar(p.dtype, 0)); });
  });
}

/// Where an operand lies in memory: an input, or one that is repeated; none where it is computed.
std::optional<Buffer> memoryOf(KernelContext &k, Value operand) {
  auto known = k.ev.buffers.find(operand);
  if (known != k.ev.buffers.end()) return known->second;
  auto broadcast = operand.getDefiningOp<ir::BroadcastOp>();
  auto from = broadcast ? k.ev.buffers.find(broadcast.getX()) : k.ev.buffers.end();
  if (from == k.ev.buffers.end()) return std::nullopt;
  Shape x = ir::typeOf(broadcast.getX()).shape, to = ir::typeOf(operand).shape;
  Buffer view{from->second.pointer, from->second.dtype, shapeOf(k, operand), {}};
  view.strides.assign(view.shape.size(), Index(0));
  for (auto [i, axis] : llvm::enumerate(broadcast.getAxes()))
    if (x[int(i)] == to[int(axis)]) view.strides[size_t(axis)] = from->second.strides[i];
  return view;
}

/// The last `folded` batch axes and the rows of a result, as rows of one product.
class Rows {
public:
  Rows(KernelContext &k, const Buffer &c, size_t batches, size_t folded)
      : first(batches), e(k.e), shape(ArrayRef<Index>(c.shape).drop_back()), all(shape.back()) {
    while (first > batches - folded) all = e.mul(all, shape[--first]);
    while (outer + 1 < shape.size() && (outer < first || shape[outer].isConstant(1))) ++outer;
  }
  size_t first;

  Index size() const { return all; }
  /// Puts row `i` into a position.
  void place(Coordinates &position, Index i) const {
    for (size_t axis = shape.size(); axis-- > first;) {
      if (shape[axis].isConstant(1)) {
        position[axis] = {};
      } else if (axis == outer) {
        position[axis] = {i, 0, {}};
      } else {
        position[axis] = {Index(arith::RemUIOp::create(e.b, e.loc, e.use(i), e.use(shape[axis])).getResult()), 0, {}};
        i = Index(arith::DivUIOp::create(e.b, e.loc, e.use(i), e.use(shape[axis])).getResult());
      }
    }
  }

private:
  Emitter &e;
  SmallVector<Index> shape; // of the batch axes and the rows
  Index all;
  size_t outer = 0; // the first of the joined axes that has more than one position
};

/// An operand that is computed from others where it is packed or read; `rows`: of the left one, where they span batch axes.
Side computed(KernelContext &k, Value operand, const Coordinates &batch, size_t free, size_t along, const Rows *rows) {
  SmallVector<Index> shape = shapeOf(k, operand);
  bool isAcross = free > along; // the last axis
  Side side{{},
            ir::typeOf(operand).dtype,
            rows ? rows->size() : shape[free],
            isAcross ? Index(1) : shape[along],
            isAcross ? shape[free] : Index(1)};
  side.compute = [&k, operand, batch, free, along, rows](Index at, Index q, bool lanesAcross, int64_t lanes, Value mask) {
    Coordinates position(batch);
    if (rows) rows->place(position, at);
    else position[free] = {at, lanesAcross && lanes, {}};
    position[along] = {q, !lanesAcross && lanes, {}};
    Evaluator::Scope scope(k.ev, lanes, mask);
    return k.ev.vectorAt(operand, position);
  };
  return side;
}

} // namespace

LogicalResult emitContraction(KernelContext &k) {
  auto dot = cast<ir::DotGeneralOp>(k.mainOp());
  int batches = int(dot.getXBatch().size());
  size_t xAxis = size_t(dot.getXAxis()), yAxis = size_t(dot.getYAxis());
  const Buffer &c = k.mainOutput();
  size_t xFree = size_t(2 * batches + 1) - xAxis, yFree = size_t(2 * batches + 1) - yAxis; // the other of the last two
  Coordinates batch(c.shape.size());
  auto a = memoryOf(k, dot.getX()), b = memoryOf(k, dot.getY());
  size_t row = size_t(batches);
  auto tiles = dyn_cast<ir::ProductAttr>(*k.kernel.getSchedule());
  auto update = dyn_cast<ir::RankUpdateAttr>(*k.kernel.getSchedule());
  int64_t folded = tiles ? tiles.getFold() : update.getFold(), lanes = tiles ? tiles.getEpilogue() : update.getEpilogue();
  std::optional<Rows> rows;
  if (folded) rows.emplace(k, c, row, size_t(folded));
  const Rows *joined = rows ? &*rows : nullptr;
  auto productAt = [&] {
    auto inMemory = [&](const Buffer &buffer, size_t free, size_t along, const Rows *rows) {
      Coordinates at(batch);
      for (size_t axis = rows ? rows->first : row; axis < at.size(); ++axis) at[axis] = {};
      Value start = k.e.address(buffer.pointer, buffer.dtype, k.ev.offsetOf(buffer, at));
      return Side{start, buffer.dtype, rows ? rows->size() : buffer.shape[free], buffer.strides[free], buffer.strides[along]};
    };
    auto side = [&](const std::optional<Buffer> &memory, Value operand, size_t free, size_t along, const Rows *rows) {
      return memory ? inMemory(*memory, free, along, rows) : computed(k, operand, batch, free, along, rows);
    };
    Index depth = shapeOf(k, dot.getX())[xAxis];
    Product p{side(a, dot.getX(), xFree, xAxis, joined), side(b, dot.getY(), yFree, yAxis, nullptr), inMemory(c, row, row + 1, joined),
              depth, c.dtype};
    if (k.hasEpilogue())
      p.finish = [&k, batch, joined, lanes](Index from, Index rowEnd, Index column, Index columnEnd) {
        auto place = [&](Coordinates &position, Index i) { joined->place(position, i); };
        if (joined) k.finishPart(lanes, batch, from, rowEnd, column, columnEnd, place);
        else k.finishPart(lanes, batch, from, rowEnd, column, columnEnd);
      };
    return p;
  };
  Product shape = productAt();
  SmallVector<int64_t> last;
  for (size_t axis = joined ? joined->first : row; axis < c.shape.size(); ++axis) last.push_back(int64_t(axis));
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
  if (shape.depth.isConstant(0)) return forEachBatch(zeros), success();
  if (update) {
    forEachBatch([&](const Product &p) {
      emitRankUpdate(k, update, p);
      finishAll(p);
    });
    return success();
  }
  TiledProduct tiled(k, tiles, shape);
  std::optional<TiledProduct> strip;
  if (tiles.getStrip()) strip.emplace(k, tiles, shape, /*isStrip=*/true);
  forEachBatch([&](const Product &p) {
    if (!p.depth.isStatic()) k.e.when(k.e.lessThan(p.depth, 1), [&] { zeros(p); });
    if (!strip) return tiled.run(p);
    Value isNarrow = k.e.lessThan(p.b.size, tiles.getLanes() + 1), isShallow = k.e.lessThan(p.depth, tiles.getStrip() + 1);
    k.e.when(arith::AndIOp::create(k.e.b, k.e.loc, isNarrow, isShallow), [&] { strip->run(p); }, [&] { tiled.run(p); });
  });
  return success();
}

} // namespace kiln::cpu
