// Products in tiles of registers, over blocks of both operands in shared memory. Each result is one chain of multiply-adds in the order of
// the contracted axis, so tiles, blocks and stages do not show in the bits.
#include "codegen/nvptx/Panel.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"

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
      : k(k), e(k.e), dot(dot), schedule(schedule), shape(k.shapeOf(dot.getResult())), row(shape.size() - 2), rows(schedule.getTile()[0]),
        columns(schedule.getTile()[1]), depth(schedule.getBlock()[2]), stages(schedule.getStages()),
        dtype(ir::typeOf(dot.getResult()).dtype), x(panel(dot.getX(), dot.getXAxis(), 0, ir::Packing::A)),
        y(panel(dot.getY(), dot.getYAxis(), 1, ir::Packing::B)) {
    size = k.shapeOf(dot.getX())[size_t(dot.getXAxis())], count = ceilDiv(size, depth);
  }

  void run() {
    ArrayRef<int64_t> block = schedule.getBlock();
    int64_t down = block[0] / rows, across = block[1] / columns;
    SmallVector<int64_t, 4> blocks(shape);
    for (size_t side : {0, 1}) blocks[row + side] = ceilDiv(shape[row + side], block[side]);
    k.threads = down * across, k.blocks = product(blocks), k.occupancy = schedule.getOccupancy();
    if (!k.blocks) return;
    k.place(position, k.block(), blocks);
    start[0] = e.mul(position[row].base, block[0]), start[1] = e.mul(position[row + 1].base, block[1]);
    x.share(down), y.share(across);
    x.place(position, start[0]), y.place(position, start[1]);
    constexpr int64_t kAcross = 8, kDown = kWarp / kAcross; // threads of a warp, so that it reads few lines of both
    Index lane = k.remainder(k.thread(), kWarp), warp = k.quotient(k.thread(), kWarp);
    first[0] = x.firstLine(e.add(e.mul(k.quotient(warp, across / kAcross), kDown), k.quotient(lane, kAcross)));
    first[1] = y.firstLine(e.add(e.mul(k.remainder(warp, across / kAcross), kAcross), k.remainder(lane, kAcross)));
    for (int64_t stage = 0; stage + 1 < stages; ++stage) {
      if (stage < count) fetch(stage, {}, [] {});
      else commit();
    }
    SmallVector<Value> sums(size_t(rows * columns), e.scalar(dtype, 0).value);
    sums = e.loop(0, size / depth, 1, sums, [&](Index i, ValueRange carried) { return addBlock(i, carried); });
    if (size % depth) {
      wait(0);
      multiply((count - 1) % stages, size % depth, sums);
    }
    store(sums);
  }

private:
  GpuKernel &k;
  Emitter &e;
  ir::DotGeneralOp dot;
  ir::ThreadTilesAttr schedule;
  SmallVector<int64_t, 4> shape;
  size_t row; // the axis of rows of the result
  int64_t rows, columns, depth, stages, size = 0, count = 0;
  DType dtype;
  Panel x, y;
  Coordinates position; // of the block
  Index start[2], first[2]; // the first row and column of the block, and in it of the thread

  Panel panel(Value operand, int64_t along, size_t side, ir::Packing packing) {
    size_t across = 2 * row + 1 - size_t(along);
    return {k, operand, size_t(along), across, {schedule.getBlock()[side], depth, stages, copyingOf(schedule, packing)}};
  }

  /// Brings the block `number` of the contracted axis into its stage; what comes through registers does so behind `meanwhile`.
  void fetch(Index number, Value isThere, llvm::function_ref<void()> meanwhile) {
    Index from = e.mul(number, depth), stage = k.remainder(number, stages);
    for (Panel *panel : {&x, &y}) panel->start(from, stage, isThere);
    commit();
    meanwhile();
    for (Panel *panel : {&x, &y}) panel->finish(stage);
  }

  void commit() {
    if (x.isAsync() || y.isAsync()) NVVM::CpAsyncCommitGroupOp::create(e.b, e.loc);
  }
  /// Until all but so many of the last stages are there, for all threads.
  void wait(int64_t but) {
    if (x.isAsync() || y.isAsync()) NVVM::CpAsyncWaitGroupOp::create(e.b, e.loc, uint32_t(but));
    k.barrier();
  }

  SmallVector<Value> addBlock(Index i, ValueRange carried) {
    Evaluator::Scope scope(k.ev, 0, {});
    SmallVector<Value> sums(carried);
    wait(stages - 2);
    auto meanwhile = [&] { multiply(k.remainder(i, stages), depth, sums); };
    Index next = e.add(i, stages - 1);
    if (!next.isStatic()) fetch(next, e.lessThan(next, count), meanwhile);
    else if (next.number() < count) fetch(next, {}, meanwhile);
    else meanwhile();
    return sums;
  }

  void multiply(Index stage, int64_t steps, SmallVectorImpl<Value> &sums) {
    int64_t group = std::max(x.group(), y.group());
    for (int64_t from = 0; from < steps; from += group) {
      x.forget(), y.forget();
      int64_t to = std::min(steps, from + group);
      auto add = [&](int64_t step, int64_t j) {
        Expr top = y.read(stage, first[1], j, step);
        for (int64_t i = 0; i < rows; ++i) {
          Value &sum = sums[size_t(i * columns + j)];
          Expr left = x.read(stage, first[0], i, step);
          sum = cpu::scalarOp(Op::DotGeneral, left, top, Expr(e.b, e.loc, sum, dtype), dtype).value;
        }
      };
      // In the order in which few values are in registers at once.
      if (y.lies()) {
        for (int64_t j = 0; j < columns; ++j)
          for (int64_t step = from; step < to; ++step) add(step, j);
      } else {
        for (int64_t step = from; step < to; ++step)
          for (int64_t j = 0; j < columns; ++j) add(step, j);
      }
    }
  }

  void store(ArrayRef<Value> sums) {
    for (int64_t i = 0; i < rows; ++i)
      for (int64_t j = 0; j < columns; ++j) {
        position[row] = {e.add(start[0], e.add(first[0], x.line(i))), 0, {}};
        position[row + 1] = {e.add(start[1], e.add(first[1], y.line(j))), 0, {}};
        Value isIn;
        for (size_t side : {0, 1}) {
          if (shape[row + side] % schedule.getBlock()[side] == 0) continue;
          Value fits = e.lessThan(position[row + side].base, shape[row + side]);
          isIn = isIn ? arith::AndIOp::create(e.b, e.loc, isIn, fits).getResult() : fits;
        }
        k.when(isIn, [&] {
          k.ev.remember(dot.getResult(), position, Expr(e.b, e.loc, sums[size_t(i * columns + j)], dtype));
          k.storeResults(position);
        });
      }
  }
};

} // namespace

void emitThreadTiles(GpuKernel &k) {
  auto dots = k.kernel.getBody().front().getOps<ir::DotGeneralOp>();
  TileEmitter(k, *dots.begin(), k.schedule<ir::ThreadTilesAttr>()).run();
}

} // namespace kiln::nvptx
