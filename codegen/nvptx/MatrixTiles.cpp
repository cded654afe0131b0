// Products of narrow floats by the matrix units of warps: 16 x 8 results and 16 steps of the contracted axis an instruction. The unit adds
// the products of 16 steps to a float32 sum in an order and with a rounding of its own; blocks of these are added in order, so tiles do not
// show.
#include "codegen/nvptx/Pipeline.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"

using namespace mlir;

namespace kiln::nvptx {
namespace {

constexpr int64_t kUnitRows = 16, kUnitColumns = 8, kUnitSteps = 16;

class MatrixEmitter {
public:
  MatrixEmitter(GpuKernel &k, ir::DotGeneralOp dot, ir::MatrixTilesAttr schedule)
      : k(k), e(k.e), rows(schedule.getTile()[0]), columns(schedule.getTile()[1]), depth(schedule.getBlock()[2]),
        across(schedule.getBlock()[1] / columns),
        way(k, dot, narrow(dot.getX()), narrow(dot.getY()), schedule.getBlock(), schedule.getStages(), copyingOf(schedule, ir::Packing::A),
            copyingOf(schedule, ir::Packing::B), true) {
    isHalf = ir::typeOf(narrow(dot.getX())).dtype == DType::F16;
    k.threads = schedule.getBlock()[0] / rows * across * kWarp, k.occupancy = schedule.getOccupancy();
  }

  void run() {
    if (!k.blocks) return;
    way.place();
    lane = k.remainder(k.thread(), kWarp);
    Index warp = k.quotient(k.thread(), kWarp);
    firstRow = e.mul(k.quotient(warp, across), rows), firstColumn = e.mul(k.remainder(warp, across), columns);
    Pipeline::Sums sums(size_t(rows * columns / kWarp), e.scalar(way.dtype, 0).value);
    auto add = [&](Index stage, Pipeline::Sums &sums) { multiply(stage, sums); };
    sums = way.run(sums, add);
    if (way.rest()) add(way.bringRest(), sums);
    store(sums);
  }

private:
  GpuKernel &k;
  Emitter &e;
  int64_t rows, columns, depth, across; // of a warp; warps
  Pipeline way;
  bool isHalf;
  Index lane, firstRow, firstColumn; // of the warp, in its block

  /// What an operand was before it became float32.
  static Value narrow(Value operand) { return operand.getDefiningOp<ir::CastOp>().getX(); }
  static Copying copyingOf(ir::MatrixTilesAttr schedule, ir::Packing side) {
    return (uint32_t(schedule.getWide()) & uint32_t(side)) != 0 ? Copying::Wide : Copying::None;
  }

  SmallVector<Value> parts(Value structure, Type type) {
    return llvm::map_to_vector(llvm::seq<int64_t>(4), [&](int64_t i) -> Value {
      Value part = LLVM::ExtractValueOp::create(e.b, e.loc, structure, i);
      return part.getType() == type ? part : LLVM::BitcastOp::create(e.b, e.loc, type, part).getResult();
    });
  }

  /// 16 lines by 16 steps as registers: four squares of 8 x 8, of which each lane names a row of 16 bytes.
  SmallVector<Value> read(Panel &panel, bool isRight, Index stage, Index line, int64_t step) {
    OpBuilder &b = e.b;
    auto bit = [&](int64_t n) { return e.mul(k.remainder(k.quotient(lane, n), 2), 8); };
    Index within = k.remainder(lane, 8), far = e.add(line, bit(isRight ? 16 : 8)), at = e.add(bit(isRight ? 8 : 16), step);
    Value address = panel.lies() ? panel.addressOf(stage, e.add(far, within), at) : panel.addressOf(stage, far, e.add(at, within));
    constexpr unsigned kShared = 3;
    address = LLVM::AddrSpaceCastOp::create(b, e.loc, LLVM::LLVMPointerType::get(b.getContext(), kShared), address);
    Type word = b.getI32Type(), four = LLVM::LLVMStructType::getLiteral(b.getContext(), {word, word, word, word});
    Value loaded = NVVM::LdMatrixOp::create(b, e.loc, four, address, 4, panel.lies() ? NVVM::MMALayout::row : NVVM::MMALayout::col,
                                            NVVM::LdStMatrixShapeAttr::get(b.getContext(), 8, 8), NVVM::LdStMatrixEltType::B16);
    return parts(loaded, isHalf ? Type(VectorType::get({2}, b.getF16Type())) : word);
  }

  void multiply(Index stage, Pipeline::Sums &sums) {
    for (int64_t step = 0; step < depth; step += kUnitSteps) {
      SmallVector<SmallVector<Value>> left, right;
      for (int64_t i = 0; i < rows; i += kUnitRows) left.push_back(read(way.x, false, stage, e.add(firstRow, i), step));
      for (int64_t j = 0; j < columns; j += 2 * kUnitColumns) right.push_back(read(way.y, true, stage, e.add(firstColumn, j), step));
      auto sum = MutableArrayRef<Value>(sums).begin();
      for (ArrayRef<Value> a : left)
        for (ArrayRef<Value> pair : right)
          for (ArrayRef<Value> b : {pair.take_front(2), pair.drop_front(2)})
            add(a, b, MutableArrayRef<Value>(std::exchange(sum, sum + 4), 4));
    }
  }

  void add(ArrayRef<Value> x, ArrayRef<Value> y, MutableArrayRef<Value> sums) {
    OpBuilder &b = e.b;
    Type f32 = b.getF32Type(), four = LLVM::LLVMStructType::getLiteral(b.getContext(), {f32, f32, f32, f32});
    auto type = isHalf ? NVVM::MMATypes::f16 : NVVM::MMATypes::bf16;
    Value result = NVVM::MmaOp::create(b, e.loc, four, ValueRange(x), ValueRange(y), ValueRange(sums),
                                       ArrayRef<int64_t>{kUnitRows, kUnitColumns, kUnitSteps}, std::nullopt, std::nullopt,
                                       std::array{type, type}, std::array{NVVM::MMALayout::row, NVVM::MMALayout::col});
    llvm::copy(parts(result, f32), sums.begin());
  }

  /// A lane has pairs of columns, of two rows eight apart.
  void store(ArrayRef<Value> sums) {
    Index down = e.add(firstRow, k.quotient(lane, 4)), right = e.add(firstColumn, e.mul(k.remainder(lane, 4), 2));
    int64_t run = way.hasRuns(2) ? 2 : 1;
    for (int64_t i = 0; i < rows; i += kUnitRows)
      for (int64_t j = 0; j < columns; j += kUnitColumns, sums = sums.drop_front(4))
        for (int64_t part = 0; part < 4; part += run)
          way.store(e.add(down, i + part / 2 * 8), e.add(right, j + part % 2), sums.slice(size_t(part), size_t(run)));
  }
};

} // namespace

void emitMatrixTiles(GpuKernel &k) {
  auto dots = k.kernel.getBody().front().getOps<ir::DotGeneralOp>();
  MatrixEmitter(k, *dots.begin(), k.schedule<ir::MatrixTilesAttr>()).run();
}

} // namespace kiln::nvptx
