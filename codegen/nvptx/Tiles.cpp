// Products in tiles of registers, over blocks of both operands in shared memory. Each result is one chain of multiply-adds in the order of
// the contracted axis, so tiles, blocks and stages do not show in the bits.
#include "codegen/nvptx/Pipeline.h"

using namespace mlir;

namespace kiln::nvptx {
namespace {

Copying copyingOf(ir::ThreadTilesAttr schedule, ir::Packing side) {
  auto has = [&](ir::Packing set) { return (uint32_t(set) & uint32_t(side)) != 0; };
  return has(schedule.getWide()) ? Copying::Wide : has(schedule.getCopy()) ? Copying::Single : Copying::None;
}

class TileEmitter {
public:
  TileEmitter(GpuKernel &k, ir::DotGeneralOp dot, ir::ThreadTilesAttr schedule)
      : k(k), e(k.e), rows(schedule.getTile()[0]), columns(schedule.getTile()[1]), depth(schedule.getBlock()[2]),
        down(schedule.getBlock()[0] / rows), across(schedule.getBlock()[1] / columns),
        way(k, dot, dot.getX(), dot.getY(), schedule.getBlock(), schedule.getStages(), copyingOf(schedule, ir::Packing::A),
            copyingOf(schedule, ir::Packing::B), Reader::Threads) {
    k.threads = down * across, k.occupancy = schedule.getOccupancy();
  }

  void run() {
    if (k.blocks.isConstant(0)) return;
    way.x.share(down), way.y.share(across);
    way.place();
    constexpr int64_t kAcross = 8, kDown = kWarp / kAcross; // threads of a warp, so that it reads few lines of both
    Index lane = k.remainder(k.thread(), kWarp), warp = k.quotient(k.thread(), kWarp);
    firstRow = way.x.firstLine(e.add(e.mul(k.quotient(warp, across / kAcross), kDown), k.quotient(lane, kAcross)));
    firstColumn = way.y.firstLine(e.add(e.mul(k.remainder(warp, across / kAcross), kAcross), k.remainder(lane, kAcross)));
    Pipeline::Sums sums(size_t(rows * columns), e.scalar(way.dtype, 0).value);
    sums = way.run(sums, [&](Index stage, Pipeline::Sums &sums) { multiply(stage, sums); });
    store(withRest(sums));
  }

private:
  GpuKernel &k;
  Emitter &e;
  int64_t rows, columns, depth, down, across; // of a thread; threads
  Pipeline way;
  Index firstRow, firstColumn; // of the thread, in its block

  void add(Value &sum, Expr left, Expr top) {
    sum = cpu::scalarOp(Op::DotGeneral, left, top, Expr(e.b, e.loc, sum, way.dtype), way.dtype).value;
  }

  Pipeline::Sums withRest(Pipeline::Sums sums) {
    if (way.rest().isStatic()) return way.rest().isConstant(0) ? sums : addRest(way.bringRest(), sums);
    auto branch = scf::IfOp::create(e.b, e.loc, ValueRange(sums).getTypes(), e.lessThan(0, way.rest()), true);
    OpBuilder::InsertionGuard guard(e.b);
    e.b.setInsertionPointToStart(branch.elseBlock());
    scf::YieldOp::create(e.b, e.loc, sums);
    e.b.setInsertionPointToStart(branch.thenBlock());
    Evaluator::Scope scope(k.ev, 0, {});
    scf::YieldOp::create(e.b, e.loc, addRest(way.bringRest(), sums));
    return Pipeline::Sums(branch.getResults());
  }

  /// The last steps, which are less than a block. A loop, for they are few, and may be needed under the guards of stores alone, where the
  /// compiler would move all of them.
  Pipeline::Sums addRest(Index stage, ValueRange carried) {
    return e.loop(0, way.rest(), 1, carried, [&](Index step, ValueRange carried) {
      Evaluator::Scope scope(k.ev, 0, {});
      Pipeline::Sums sums(carried);
      SmallVector<Expr> left, top;
      for (int64_t i = 0; i < rows; ++i) left.push_back(way.x.readAlone(stage, firstRow, i, step));
      for (int64_t j = 0; j < columns; ++j) top.push_back(way.y.readAlone(stage, firstColumn, j, step));
      for (int64_t i = 0; i < rows * columns; ++i) add(sums[size_t(i)], left[size_t(i / columns)], top[size_t(i % columns)]);
      return sums;
    });
  }

  void multiply(Index stage, Pipeline::Sums &sums) {
    int64_t group = std::max(way.x.group(), way.y.group());
    for (int64_t from = 0; from < depth; from += group) {
      way.x.forget(), way.y.forget();
      auto addColumn = [&](int64_t step, int64_t j) {
        Expr top = way.y.read(stage, firstColumn, j, step);
        for (int64_t i = 0; i < rows; ++i) add(sums[size_t(i * columns + j)], way.x.read(stage, firstRow, i, step), top);
      };
      // In the order in which few values are in registers at once.
      for (int64_t n = 0; n < group * columns; ++n)
        way.y.lies() ? addColumn(from + n % group, n / group) : addColumn(from + n / columns, n % columns);
    }
  }

  void store(ArrayRef<Value> sums) {
    // Columns that lie beside each other are stored at once, where rows have no other end than a run has.
    int64_t run = way.hasRuns(way.y.run()) ? way.y.run() : 1;
    for (int64_t i = 0; i < rows; ++i)
      for (int64_t j = 0; j < columns; j += run)
        way.store(e.add(firstRow, way.x.line(i)), e.add(firstColumn, way.y.line(j)), sums.slice(size_t(i * columns + j), size_t(run)));
  }
};

} // namespace

void emitThreadTiles(GpuKernel &k) {
  auto dots = k.kernel.getBody().front().getOps<ir::DotGeneralOp>();
  TileEmitter(k, *dots.begin(), k.schedule<ir::ThreadTilesAttr>()).run();
}

} // namespace kiln::nvptx
