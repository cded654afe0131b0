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
    size = k.shapeOf(dot.getX())[size_t(dot.getXAxis())], count = size / depth;
  }

  void run() {
    ArrayRef<int64_t> block = schedule.getBlock();
    int64_t down = block[0] / rows, across = block[1] / columns;
    SmallVector<int64_t, 4> blocks(shape);
    for (size_t side : {0, 1}) blocks[row + side] = ceilDiv(shape[row + side], block[side]);
    k.threads = down * across, k.blocks = product(blocks), k.occupancy = schedule.getOccupancy();
    if (!k.blocks) return;
    k.place(position, k.block(), blocks);
    x.share(down), y.share(across);
    x.place(position, position[row].base), y.place(position, position[row + 1].base);
    constexpr int64_t kAcross = 8, kDown = kWarp / kAcross; // threads of a warp, so that it reads few lines of both
    Index lane = k.remainder(k.thread(), kWarp), warp = k.quotient(k.thread(), kWarp);
    first[0] = x.firstLine(e.add(e.mul(k.quotient(warp, across / kAcross), kDown), k.quotient(lane, kAcross)));
    first[1] = y.firstLine(e.add(e.mul(k.remainder(warp, across / kAcross), kAcross), k.remainder(lane, kAcross)));
    for (int64_t stage = 0; stage + 1 < stages; ++stage) {
      if (stage < count) fetch(stage, {}, depth, [] {});
      else commit();
    }
    SmallVector<Value> sums(size_t(rows * columns), e.scalar(dtype, 0).value);
    sums = e.loop(0, count, 1, sums, [&](Index i, ValueRange carried) { return addBlock(i, carried); });
    if (size % depth) sums = addRest(sums);
    store(sums);
  }

private:
  GpuKernel &k;
  Emitter &e;
  ir::DotGeneralOp dot;
  ir::ThreadTilesAttr schedule;
  SmallVector<int64_t, 4> shape;
  size_t row;                                                // the axis of rows of the result
  int64_t rows, columns, depth, stages, size = 0, count = 0; // size / depth: blocks of the contracted axis
  DType dtype;
  Panel x, y;
  Coordinates position; // of the block
  Index first[2];       // row and column of the thread in its block

  Panel panel(Value operand, int64_t along, size_t side, ir::Packing packing) {
    size_t across = 2 * row + 1 - size_t(along);
    return {k, operand, size_t(along), across, {schedule.getBlock()[side], depth, stages, copyingOf(schedule, packing)}};
  }

  /// Brings the block `number` of the contracted axis into its stage; what comes through registers does so behind `meanwhile`.
  void fetch(Index number, Value isThere, int64_t steps, llvm::function_ref<void()> meanwhile) {
    Index stage = k.remainder(number, stages);
    for (Panel *panel : {&x, &y}) {
      // Registers take the last block once more where there is no next.
      Index there = !panel->isAsync() && isThere ? e.min(number, count - 1) : number;
      panel->start(e.mul(there, depth), stage, isThere, steps);
    }
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
    auto meanwhile = [&] { multiply(k.remainder(i, stages), sums); };
    Index next = e.add(i, stages - 1);
    if (!next.isStatic()) fetch(next, e.lessThan(next, count), depth, meanwhile);
    else if (next.number() < count) fetch(next, {}, depth, meanwhile);
    else meanwhile();
    return sums;
  }

  /// The last steps, which are less than a block. A loop, for they are few, and may be needed under the guards of stores alone, where the
  /// compiler would move all of them.
  SmallVector<Value> addRest(ValueRange carried) {
    k.barrier();
    fetch(count, {}, size % depth, [] {});
    wait(0);
    return e.loop(0, size % depth, 1, carried, [&](Index step, ValueRange carried) {
      Evaluator::Scope scope(k.ev, 0, {});
      SmallVector<Value> sums(carried);
      SmallVector<Expr> left, top;
      Index stage = count % stages;
      for (int64_t i = 0; i < rows; ++i) left.push_back(x.readAlone(stage, first[0], i, step));
      for (int64_t j = 0; j < columns; ++j) top.push_back(y.readAlone(stage, first[1], j, step));
      for (int64_t i = 0; i < rows * columns; ++i) add(sums[size_t(i)], left[size_t(i / columns)], top[size_t(i % columns)]);
      return sums;
    });
  }

  void add(Value &sum, Expr left, Expr top) { sum = cpu::scalarOp(Op::DotGeneral, left, top, Expr(e.b, e.loc, sum, dtype), dtype).value; }

  void multiply(Index stage, SmallVectorImpl<Value> &sums) {
    int64_t group = std::max(x.group(), y.group());
    for (int64_t from = 0; from < depth; from += group) {
      x.forget(), y.forget();
      auto addColumn = [&](int64_t step, int64_t j) {
        Expr top = y.read(stage, first[1], j, step);
        for (int64_t i = 0; i < rows; ++i) add(sums[size_t(i * columns + j)], x.read(stage, first[0], i, step), top);
      };
      // In the order in which few values are in registers at once.
      for (int64_t n = 0; n < group * columns; ++n)
        y.lies() ? addColumn(from + n % group, n / group) : addColumn(from + n / columns, n % columns);
    }
  }

  void store(ArrayRef<Value> sums) {
    // Columns that lie beside each other are stored at once, where rows have no other end than a run has.
    int64_t run = shape[row + 1] % y.run() ? 1 : y.run();
    for (int64_t i = 0; i < rows; ++i)
      for (int64_t j = 0; j < columns; j += run) {
        Index down = x.positionOf(first[0], i), right = y.positionOf(first[1], j);
        Value isIn = x.isMine(down), fits = y.isMine(right);
        if (isIn && fits) isIn = arith::AndIOp::create(e.b, e.loc, isIn, fits);
        k.when(isIn ? isIn : fits, [&] {
          k.storeResults(run, [&](int64_t c) {
            position[row] = {down, 0, {}}, position[row + 1] = {e.add(right, c), 0, {}};
            k.ev.remember(dot.getResult(), position, Expr(e.b, e.loc, sums[size_t(i * columns + j + c)], dtype));
            return position;
          });
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
