// Elementwise results of operands that lie across the lanes: transposed, or of another order of axes. A square of positions is
// evaluated row by row; what crosses it is loaded along its rows, whole lines at a time, and turned in registers.
#include "codegen/cpu/Kernels.h"

using namespace mlir;

namespace kiln::cpu {
namespace {

class Tiles {
public:
  Tiles(KernelContext &k, ir::NestAttr nest, ArrayRef<Index> shape, ValueRange values, ArrayRef<Buffer> buffers, const Region &region)
      : k(k), e(k.e), nest(nest), shape(shape), values(values), buffers(buffers), region(region), axis(size_t(nest.getTranspose())),
        last(shape.size() - 1), side(nest.getLanes()), position(shape.size()) {}

  void run() {
    Index area = e.mul(shape[axis], shape[last]);
    Sharing sharing{nest.getParallel(), nest.getGrain()};
    forEachPosition(k, shape, {int64_t(axis), int64_t(last)}, position, sharing, e.mul(area, elementCost(k.kernel)),
                    [&] { plane(sharing.along(int64_t(axis))); });
  }

private:
  KernelContext &k;
  Emitter &e;
  ir::NestAttr nest;
  ArrayRef<Index> shape;
  ValueRange values;
  ArrayRef<Buffer> buffers;
  const Region &region;
  size_t axis, last;
  int64_t side;
  Coordinates position;

  void storeHere() { storeValues(k, values, buffers, position, inRegion(e, position, region)); }

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

  /// Column by column of tiles, so that operands are read along their lines, in blocks of rows; blocks are shared where there is a grain.
  void plane(std::optional<int64_t> grain) {
    int64_t block = nest.getBlock();
    Index rows = e.floorTo(shape[axis], side), columns = e.floorTo(shape[last], side);
    Index work = grain ? e.mul(e.mul(shape[last], block), elementCost(k.kernel)) : Index(0);
    k.parallelLoop(grain, 0, rows, block, work, [&](Index first) {
      Index end = e.min(e.add(first, block), rows);
      e.loop(0, columns, side, [&](Index column) { e.loop(first, end, side, [&](Index row) { tile(row, column); }); });
      if (!(columns == shape[last])) rest(first, end, columns);
    });
    if (!(rows == shape[axis])) rest(rows, shape[axis], 0);
  }
};

} // namespace

void storeTiles(KernelContext &k, ir::NestAttr nest, ArrayRef<Index> shape, ValueRange values, ArrayRef<Buffer> buffers,
                const Region &region) {
  Tiles(k, nest, shape, values, buffers, region).run();
}

} // namespace kiln::cpu
