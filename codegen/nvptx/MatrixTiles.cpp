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

/// What an operand was before it became float32.
Value narrow(Value operand) { return operand.getDefiningOp<ir::CastOp>().getX(); }

Copying copyingOf(ir::MatrixTilesAttr schedule, ir::Packing side) {
  return (uint32_t(schedule.getWide()) & uint32_t(side)) != 0 ? Copying::Wide : Copying::None;
}

constexpr int64_t kUnitRows = 16, kUnitColumns = 8, kUnitSteps = 16;

class MatrixEmitter {
public:
  MatrixEmitter(GpuKernel &k, ir::DotGeneralOp dot, ir::MatrixTilesAttr schedule)
      : k(k), e(k.e), rows(schedule.getTile()[0]), columns(schedule.getTile()[1]), depth(schedule.getBlock()[2]),
        across(schedule.getBlock()[1] / columns),
        way(k, dot, narrow(dot.getX()), narrow(dot.getY()), schedule.getBlock(), schedule.getStages(), copyingOf(schedule, ir::Packing::A),
            copyingOf(schedule, ir::Packing::B), Reader::Warp) {
    isHalf = ir::typeOf(narrow(dot.getX())).dtype == DType::F16;
    k.threads = schedule.getBlock()[0] / rows * across * kWarp, k.occupancy = schedule.getOccupancy();
  }

  void run() {
    if (k.blocks.isConstant(0)) return;
    way.place();
    lane = k.remainder(k.thread(), kWarp);
    Index warp = k.quotient(k.thread(), kWarp);
    firstRow = e.mul(k.quotient(warp, across), rows), firstColumn = e.mul(k.remainder(warp, across), columns);
    Pipeline::Sums sums(size_t(rows * columns / kWarp), e.scalar(way.dtype, 0).value);
    auto add = [&](Index stage, Pipeline::Sums &sums) { multiply(stage, sums); };
    sums = way.run(sums, add);
    if (!way.rest().isConstant(0)) add(way.bringRest(), sums);
    store(sums);
  }

private:
  GpuKernel &k;
  Emitter &e;
  int64_t rows, columns, depth, across; // of a warp; warps
  Pipeline way;
  bool isHalf;
  Index lane, firstRow, firstColumn; // of the warp, in its block

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

/// Four warps together: 64 rows, with both operands in shared memory, where descriptors say they are. Products of one block of the
/// contracted axis run on while the next are started.
class GroupEmitter {
public:
  GroupEmitter(GpuKernel &k, ir::DotGeneralOp dot, ir::MatrixTilesAttr schedule)
      : k(k), e(k.e), columns(schedule.getTile()[1]), depth(schedule.getBlock()[2]), across(schedule.getBlock()[1] / columns),
        way(k, dot, narrow(dot.getX()), narrow(dot.getY()), schedule.getBlock(), schedule.getStages(), copyingOf(schedule, ir::Packing::A),
            copyingOf(schedule, ir::Packing::B), Reader::Group) {
    isHalf = ir::typeOf(narrow(dot.getX())).dtype == DType::F16;
    k.threads = schedule.getBlock()[0] / kRows * across * kGroup, k.occupancy = schedule.getOccupancy(), k.sharedAlignment = kBlock;
  }

  void run() {
    if (k.blocks.isConstant(0)) return;
    way.place();
    Index group = k.quotient(k.thread(), kGroup);
    firstRow = e.mul(k.quotient(group, across), kRows), firstColumn = e.mul(k.remainder(group, across), columns);
    SmallVector<Type> parts(size_t(columns / 2), e.b.getF32Type());
    type = LLVM::LLVMStructType::getLiteral(e.b.getContext(), parts);
    Pipeline::Sums sums = {LLVM::ZeroOp::create(e.b, e.loc, type)};
    auto add = [&](Index stage, Pipeline::Sums &sums) { multiply(stage, sums[0]); };
    sums = {finish(way.run(sums, add)[0])};
    if (!way.rest().isConstant(0)) {
      add(way.bringRest(), sums);
      sums = {finish(sums[0])};
    }
    store(sums[0]);
  }

private:
  static constexpr int64_t kGroup = 4 * kWarp, kRows = 64, kRow = 128, kBlock = 8 * kRow; // bytes of rows, and of their blocks
  GpuKernel &k;
  Emitter &e;
  int64_t columns, depth, across; // of a group; groups
  Pipeline way;
  bool isHalf;
  Type type;
  Index firstRow, firstColumn; // of the group, in its block

  /// Where a matrix is, what lies between its blocks of 64 columns and of 8 rows, and how its rows are swizzled.
  Value descriptor(Panel &panel, Index stage, Index line) {
    OpBuilder &b = e.b;
    constexpr unsigned kShared = 3;
    constexpr int64_t kPlaces = 0x3FFFF, kUnit = 4, kNext = 16, kBelow = 32, kSwizzle = int64_t(1) << 62;
    Value address = panel.addressOf(stage, line, 0);
    address = LLVM::AddrSpaceCastOp::create(b, e.loc, LLVM::LLVMPointerType::get(b.getContext(), kShared), address);
    Value place = LLVM::PtrToIntOp::create(b, e.loc, b.getI32Type(), address);
    place = arith::ExtUIOp::create(b, e.loc, b.getI64Type(), place);
    place = arith::ShRUIOp::create(b, e.loc, arith::AndIOp::create(b, e.loc, place, e.use(kPlaces)), e.use(kUnit));
    int64_t apart = (panel.lies() ? 1 : depth * kRow >> kUnit) << kNext | (kBlock >> kUnit) << kBelow | kSwizzle;
    return arith::OrIOp::create(b, e.loc, place, e.use(apart));
  }

  void multiply(Index stage, Value &sums) {
    OpBuilder &b = e.b;
    constexpr int64_t kUnitShift = 4, kElement = 2;
    Value left = descriptor(way.x, stage, firstRow), right = descriptor(way.y, stage, firstColumn);
    NVVM::WgmmaFenceAlignedOp::create(b, e.loc);
    auto at = [&](Value first, Panel &panel, int64_t step) {
      int64_t distance = step * (panel.lies() ? kElement : kRow) >> kUnitShift;
      return distance ? arith::AddIOp::create(b, e.loc, first, e.use(distance)).getResult() : first;
    };
    auto layout = [](Panel &panel, NVVM::MMALayout lying, NVVM::MMALayout other) { return panel.lies() ? lying : other; };
    auto kind = isHalf ? NVVM::WGMMATypes::f16 : NVVM::WGMMATypes::bf16;
    for (int64_t step = 0; step < depth; step += kUnitSteps)
      sums = NVVM::WgmmaMmaAsyncOp::create(b, e.loc, type, sums, at(left, way.x, step), at(right, way.y, step),
                                           NVVM::MMAShapeAttr::get(b.getContext(), int(kRows), int(columns), int(kUnitSteps)), kind, kind,
                                           NVVM::WGMMATypes::f32, NVVM::WGMMAScaleOut::one, NVVM::WGMMAScaleIn::one,
                                           NVVM::WGMMAScaleIn::one, layout(way.x, NVVM::MMALayout::row, NVVM::MMALayout::col),
                                           layout(way.y, NVVM::MMALayout::col, NVVM::MMALayout::row), NVVM::MMAIntOverflowAttr());
    NVVM::WgmmaGroupSyncAlignedOp::create(b, e.loc);
    NVVM::WgmmaWaitGroupSyncOp::create(b, e.loc, 1); // the block before this one is done, and its stage free behind the next barrier
  }

  /// Waits for all products. The sums go through it, so that nothing that reads them comes before.
  Value finish(Value sums) {
    std::string constraints;
    SmallVector<Value> parts;
    for (int64_t i = 0; i < columns / 2; ++i) constraints += "=f,", parts.push_back(LLVM::ExtractValueOp::create(e.b, e.loc, sums, i));
    for (int64_t i = 0; i < columns / 2; ++i) constraints += std::to_string(i) + ",";
    constraints.pop_back();
    auto waited = LLVM::InlineAsmOp::create(e.b, e.loc, TypeRange{type}, parts, "wgmma.wait_group.sync.aligned 0;", constraints,
                                            /*has_side_effects=*/true, /*is_align_stack=*/false, LLVM::TailCallKind::None,
                                            LLVM::AsmDialectAttr(), ArrayAttr());
    return waited.getRes();
  }

  /// A warp has 16 rows, a lane pairs of columns, of two rows eight apart.
  void store(Value sums) {
    Index lane = k.remainder(k.thread(), kWarp), warp = k.remainder(k.quotient(k.thread(), kWarp), 4);
    Index down = e.add(firstRow, e.add(e.mul(warp, kUnitRows), k.quotient(lane, 4)));
    Index right = e.add(firstColumn, e.mul(k.remainder(lane, 4), 2));
    int64_t run = way.hasRuns(2) ? 2 : 1;
    for (int64_t i = 0; i < columns / 2; i += run) {
      SmallVector<Value> part;
      for (int64_t c = 0; c < run; ++c) part.push_back(LLVM::ExtractValueOp::create(e.b, e.loc, sums, i + c));
      way.store(e.add(down, i % 4 / 2 * 8), e.add(right, i / 4 * kUnitColumns + i % 2), part);
    }
  }
};

} // namespace

void emitMatrixTiles(GpuKernel &k) {
  auto dots = k.kernel.getBody().front().getOps<ir::DotGeneralOp>();
  auto schedule = k.schedule<ir::MatrixTilesAttr>();
  if (schedule.getGroup()) GroupEmitter(k, *dots.begin(), schedule).run();
  else MatrixEmitter(k, *dots.begin(), schedule).run();
}

} // namespace kiln::nvptx
