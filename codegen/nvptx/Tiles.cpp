// Products in tiles of registers, over blocks of both operands in shared memory. Each result is one chain of multiply-adds in the order of
// the contracted axis, so tiles and blocks do not show in the bits.
#include "codegen/nvptx/Kernels.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;

namespace kiln::nvptx {
namespace {

class TileEmitter {
public:
  TileEmitter(GpuKernel &k, ir::DotGeneralOp dot, ir::ThreadTilesAttr schedule)
      : k(k), e(k.e), dot(dot), shape(k.shapeOf(dot.getResult())), row(shape.size() - 2), rows(schedule.getTile()[0]),
        columns(schedule.getTile()[1]), depth(schedule.getBlock()[2]), blockRows(schedule.getBlock()[0]),
        blockColumns(schedule.getBlock()[1]), across(blockColumns / columns), dtype(ir::typeOf(dot.getResult()).dtype) {
    x = {dot.getX(), size_t(dot.getXAxis()), blockRows, shape[row], {}, {}};
    y = {dot.getY(), size_t(dot.getYAxis()), blockColumns, shape[row + 1], {}, {}};
    size = k.shapeOf(x.operand)[x.along];
  }

  void run() {
    SmallVector<int64_t, 4> blocks(shape);
    blocks[row] = ceilDiv(shape[row], blockRows), blocks[row + 1] = ceilDiv(shape[row + 1], blockColumns);
    k.threads = blockRows / rows * across, k.blocks = product(blocks);
    if (!k.blocks) return;
    k.place(position, k.block(), blocks);
    x.start = e.mul(position[row].base, blockRows), y.start = e.mul(position[row + 1].base, blockColumns);
    for (Side *side : {&x, &y}) side->memory = k.shared(depth * pitch(*side) * byteSize(ir::typeOf(side->operand).dtype));
    down = e.mul(k.quotient(k.thread(), across), rows), right = k.remainder(k.thread(), across);
    SmallVector<Value> sums(size_t(rows * columns), e.scalar(dtype, 0).value);
    int64_t whole = size / depth * depth;
    sums = e.loop(0, whole, depth, sums, [&](Index from, ValueRange carried) { return addBlock(from, depth, carried); });
    if (whole < size) sums = addBlock(whole, size - whole, sums);
    store(sums);
  }

private:
  /// An operand: its rows (or columns) from `start` on are in shared memory, those of one step of the contracted axis beside each other.
  struct Side {
    Value operand;
    size_t along; // the contracted axis
    int64_t block, size;
    Index start;
    Value memory;
  };
  GpuKernel &k;
  Emitter &e;
  ir::DotGeneralOp dot;
  SmallVector<int64_t, 4> shape;
  size_t row; // the axis of rows of the result
  int64_t rows, columns, depth, blockRows, blockColumns, across, size = 0;
  DType dtype;
  Side x, y;
  Coordinates position; // of the batch
  Index down, right;    // where the tile of this thread starts; its columns are `across` apart

  /// One more than there are, so that threads that write along the contracted axis meet other banks.
  static int64_t pitch(const Side &side) { return side.block + 1; }

  SmallVector<Value> addBlock(Index from, int64_t count, ValueRange carried) {
    Evaluator::Scope scope(k.ev, 0, {});
    for (Side *side : {&x, &y}) fetch(*side, from, count);
    k.barrier();
    SmallVector<Value> sums(carried);
    for (int64_t step = 0; step < count; ++step) multiply(step, sums);
    k.barrier();
    return sums;
  }

  void fetch(const Side &side, Index from, int64_t count) {
    bool isAlong = side.along + 1 == shape.size(); // the contracted axis lies along memory
    for (int64_t first = 0; first < side.block * count; first += k.threads) {
      Index number = e.add(k.thread(), first);
      int64_t inner = isAlong ? count : side.block;
      Index far = k.quotient(number, inner), near = k.remainder(number, inner);
      Index step = isAlong ? near : far, line = isAlong ? far : near, at = e.add(side.start, line);
      Value isIn = side.size % side.block ? e.lessThan(at, side.size) : Value();
      if (first + k.threads > side.block * count) {
        Value inBlock = e.lessThan(number, side.block * count);
        isIn = isIn ? arith::AndIOp::create(e.b, e.loc, isIn, inBlock).getResult() : inBlock;
      }
      k.when(isIn, [&] {
        Coordinates here(position);
        here[2 * row + 1 - side.along] = {at, 0, {}}, here[side.along] = {e.add(from, step), 0, {}};
        e.store(side.memory, e.add(e.mul(step, pitch(side)), line), k.ev.at(side.operand, here));
      });
    }
  }

  void multiply(int64_t step, SmallVectorImpl<Value> &sums) {
    auto load = [&](const Side &side, Index line) {
      return e.load(side.memory, ir::typeOf(side.operand).dtype, e.add(line, step * pitch(side)), 0);
    };
    SmallVector<Expr> left, top;
    for (int64_t i = 0; i < rows; ++i) left.push_back(load(x, e.add(down, i)));
    for (int64_t j = 0; j < columns; ++j) top.push_back(load(y, e.add(right, j * across)));
    for (size_t i = 0; i < size_t(rows); ++i)
      for (size_t j = 0; j < size_t(columns); ++j) {
        Value &sum = sums[i * size_t(columns) + j];
        sum = cpu::scalarOp(Op::DotGeneral, left[i], top[j], Expr(e.b, e.loc, sum, dtype), dtype).value;
      }
  }

  void store(ArrayRef<Value> sums) {
    for (int64_t i = 0; i < rows; ++i)
      for (int64_t j = 0; j < columns; ++j) {
        position[row] = {e.add(x.start, e.add(down, i)), 0, {}}, position[row + 1] = {e.add(y.start, e.add(right, j * across)), 0, {}};
        Value isIn;
        for (size_t axis : {row, row + 1}) {
          int64_t block = axis == row ? blockRows : blockColumns;
          if (shape[axis] % block == 0) continue;
          Value fits = e.lessThan(position[axis].base, shape[axis]);
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
