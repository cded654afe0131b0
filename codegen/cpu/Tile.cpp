// Elementwise results of operands that lie across the lanes: transposed, or of another order of axes. A square of positions is
// evaluated row by row; what crosses it is loaded along its rows, whole lines at a time, and turned in registers.
#include "codegen/cpu/Kernels.h"

#include "llvm/ADT/DenseSet.h"

using namespace mlir;

namespace kiln::cpu {
namespace {

/// Finds the axis along which operands are consecutive that are not so along the lanes.
class RowAxis {
public:
  RowAxis(KernelContext &k, size_t rank) : k(k), last(int(rank) - 1), votes(rank, 0) {}

  std::optional<size_t> find(ValueRange values) {
    SmallVector<int> axes;
    for (int i = 0; i <= last; ++i) axes.push_back(i);
    for (Value v : values) visit(v, axes);
    auto most = llvm::max_element(votes);
    return most == votes.end() || *most == 0 ? std::nullopt : std::optional(size_t(most - votes.begin()));
  }
  /// Of the operands found.
  int64_t elementBytes = 1;

private:
  KernelContext &k;
  int last;
  SmallVector<int> votes;
  DenseSet<Value> seen;

  /// `axes`: the axis of the result that each axis of the value follows, one step for one; -1: none.
  void visit(Value v, ArrayRef<int> axes) {
    if (!seen.insert(v).second) return;
    auto buffer = k.ev.buffers.find(v);
    if (buffer != k.ev.buffers.end()) return vote(buffer->second, axes);
    Operation *op = v.getDefiningOp();
    if (ir::isKind(op, Kind::Elementwise))
      for (Value operand : op->getOperands()) visit(operand, axes);
    else if (ir::isKind(op, Kind::Index) && !isa<ir::DynamicSliceOp>(op)) visit(op->getOperand(0), through(op, axes));
  }

  void vote(const Buffer &buffer, ArrayRef<int> axes) {
    std::optional<size_t> along;
    bool crosses = false;
    for (auto [axis, stride] : llvm::zip(axes, buffer.strides)) {
      if (axis == last) crosses |= !stride.isConstant(1) && !stride.isConstant(0);
      else if (axis >= 0 && stride.isConstant(1)) along = size_t(axis);
    }
    if (!crosses || !along || isComplex(buffer.dtype)) return;
    ++votes[*along];
    elementBytes = std::max(elementBytes, byteSize(buffer.dtype));
  }

  static SmallVector<int> through(Operation *op, ArrayRef<int> axes) {
    Shape from = ir::typeOf(op->getOperand(0)).shape, to = ir::typeOf(op->getResult(0)).shape;
    SmallVector<int> result;
    if (auto broadcast = dyn_cast<ir::BroadcastOp>(op)) {
      for (auto [i, a] : llvm::enumerate(broadcast.getAxes()))
        result.push_back(from[int(i)].is(1) && !to[int(a)].is(1) ? -1 : axes[size_t(a)]);
    } else if (auto transpose = dyn_cast<ir::TransposeOp>(op)) {
      result.resize(axes.size());
      for (auto [i, p] : llvm::enumerate(transpose.getPermutation())) result[size_t(p)] = axes[i];
    } else if (auto slice = dyn_cast<ir::SliceOp>(op)) {
      for (auto [axis, step] : llvm::zip(axes, slice.getSteps())) result.push_back(step == 1 ? axis : -1);
    } else {
      result = ir::throughUnitAxes(from, to, axes, -1);
    }
    return result;
  }
};

class Tiles {
public:
  Tiles(KernelContext &k, ArrayRef<Index> shape, ValueRange values, ArrayRef<Buffer> buffers, const Region &region, size_t axis,
        int64_t side)
      : k(k), e(k.e), shape(shape), values(values), buffers(buffers), region(region), axis(axis), last(shape.size() - 1), side(side),
        position(shape.size()) {}

  void run() {
    SmallVector<int64_t> skip = {int64_t(axis), int64_t(last)};
    Index area = e.mul(shape[axis], shape[last]), cost = k.elementCost();
    if (hasOuterLoop(shape, skip)) return forEachPosition(k, shape, skip, position, e.mul(area, cost), [&] { plane(nullptr); });
    forEachPosition(e, shape, skip, position, [&] { plane(&cost); });
  }

private:
  KernelContext &k;
  Emitter &e;
  ArrayRef<Index> shape;
  ValueRange values;
  ArrayRef<Buffer> buffers;
  const Region &region;
  size_t axis, last;
  int64_t side;
  Coordinates position;

  void storeHere() {
    Coordinates to = inRegion(e, position, region);
    for (auto [value, buffer] : llvm::zip(values, buffers)) k.ev.storeAt(buffer, to, k.ev.at(value, position));
  }

  void tile(Index row, Index column) {
    position[axis] = {row, 0, {}, 1};
    position[last] = {column, 1, {}};
    k.ev.startTile();
    k.ev.tileRows = side;
    for (k.ev.row = 0; k.ev.row < side; ++k.ev.row) {
      Evaluator::Scope scope(k.ev, side, {});
      storeHere();
    }
    k.ev.row = k.ev.tileRows = 0;
    k.ev.startTile();
  }

  /// Rows and columns that fill no tile.
  void rest(Index fromRow, Index toRow, Index fromColumn) {
    e.loop(fromRow, toRow, 1, [&](Index row) {
      position[axis] = {row, 0, {}};
      forEachVector(k.ev, fromColumn, shape[last], side, [&](Coordinate c) {
        position[last] = c;
        storeHere();
      });
    });
  }

  /// Column by column of tiles, so that operands are read along their lines, in blocks of rows whose pages the processor keeps in mind;
  /// `cost` of an element where blocks are shared between threads.
  void plane(const Index *cost) {
    constexpr int64_t kBlock = 512;
    Index rows = e.floorTo(shape[axis], side), columns = e.floorTo(shape[last], side);
    auto blockOfRows = [&](Index first) {
      Index end = e.min(e.add(first, kBlock), rows);
      e.loop(0, columns, side, [&](Index column) { e.loop(first, end, side, [&](Index row) { tile(row, column); }); });
      if (!(columns == shape[last])) rest(first, end, columns);
    };
    if (cost) k.parallelLoop(0, rows, kBlock, e.mul(e.mul(shape[last], kBlock), *cost), blockOfRows);
    else e.loop(0, rows, kBlock, blockOfRows);
    if (!(rows == shape[axis])) rest(rows, shape[axis], 0);
  }
};

} // namespace

bool storeTiles(KernelContext &k, ArrayRef<Index> shape, ValueRange values, ArrayRef<Buffer> buffers, const Region &region) {
  if (shape.size() < 2) return false;
  RowAxis rows(k, shape.size());
  auto axis = rows.find(values);
  if (!axis) return false;
  // A line of the cache on either side where registers allow it.
  int64_t side = std::max<int64_t>(4, std::min<int64_t>(k.target.isWide() ? 16 : 8, k.target.vectorBytes / rows.elementBytes));
  auto isSmall = [&](Index n) { return n.isStatic() && n.number < side; };
  if (isSmall(shape[*axis]) || isSmall(shape.back())) return false;
  Tiles(k, shape, values, buffers, region, *axis, side).run();
  return true;
}

} // namespace kiln::cpu
