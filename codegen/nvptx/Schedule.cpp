// How kernels run on the threads of a GPU, by what was measured (docs/decisions/0010-gpu-facts.md).
#include "codegen/cpu/Schedule.h"
#include "codegen/nvptx/Emit.h"
#include "codegen/nvptx/Kernels.h"
#include "lib/Core/Stats.h"

using namespace mlir;

namespace kiln::nvptx {
namespace {

constexpr int64_t kThreads = 256, kLineThreads = 64; // of a block
constexpr int64_t kBusy = 1 << 17;                   // threads that fill a large chip

int64_t countOf(Value array) {
  int64_t count = 1;
  for (Size d : ir::typeOf(array).shape) count *= d.number();
  return count;
}

/// Accesses of 16 bytes a thread in all; fewer where a position costs much, or there are not enough of them.
int64_t positionsEach(ir::KernelOp kernel) {
  constexpr int64_t kBytes = 16, kDear = 20;
  int64_t bytes = 1, cost = 0;
  for (Value array : llvm::concat<Value>(SmallVector<Value>(kernel.getInputs()), SmallVector<Value>(kernel.getResults())))
    bytes = std::max(bytes, byteSize(ir::typeOf(array).dtype));
  for (Operation &op : kernel.getBody().front().without_terminator()) cost += cast<ir::ArrayOp>(op).getCost();
  int64_t each = std::min<int64_t>(kBytes / std::min(bytes, kBytes), cost >= kDear ? 1 : 4);
  while (each > 1 && countOf(kernel.getResult(0)) < each * kBusy) each /= 2;
  return each;
}

/// The axis that the operands of all transposes of a kernel hold consecutively, where each has the shape of the result and they agree.
std::optional<int64_t> transposedAxis(ir::KernelOp kernel) {
  std::optional<int64_t> axis;
  for (auto move : kernel.getBody().front().getOps<ir::TransposeOp>()) {
    int64_t mine = -1, last = int64_t(move.getPermutation().size()) - 1;
    for (auto [i, from] : llvm::enumerate(move.getPermutation()))
      if (from == last) mine = int64_t(i);
    bool fits = ir::typeOf(move.getResult()).shape == ir::typeOf(kernel.getResult(0)).shape;
    if (mine == last || !fits || (axis && *axis != mine)) return std::nullopt;
    axis = mine;
  }
  return axis;
}

/// Whether the results are transposes themselves, or follow elementwise from them: each is read at the position of the result.
bool readsInPlace(ir::KernelOp kernel) {
  return llvm::all_of(kernel.getBody().front().without_terminator(), [](Operation &op) {
    auto isTurned = [](Value v) { return v.getDefiningOp<ir::TransposeOp>() != nullptr; };
    return ir::isKind(&op, Kind::Elementwise) || llvm::none_of(op.getOperands(), isTurned);
  });
}

ir::ScheduleAttr scheduleGrid(ir::KernelOp kernel, const cpu::KernelLayout &layout) {
  constexpr int64_t kSide = 32;
  auto axis = transposedAxis(kernel);
  auto shape = ir::typeOf(kernel.getResult(0)).shape;
  bool isLarge = axis && shape[int(*axis)].number() >= kSide && shape[shape.rank - 1].number() >= kSide;
  if (isLarge && readsInPlace(kernel)) return ir::GridAttr::get(kernel.getContext(), kThreads, 1, false, *axis);
  bool isFlat = layout.outputs[0].shape.size() > 1 && cpu::isFlat(kernel, layout);
  return ir::GridAttr::get(kernel.getContext(), kThreads, positionsEach(kernel), isFlat, -1);
}

/// A warp a row of up to 1,024, or where it is a chain of products; else a block of eight.
ir::ScheduleAttr scheduleReduction(ir::KernelOp kernel, const cpu::KernelLayout &layout) {
  constexpr int64_t kWarpRow = 1024, kResident = 32;
  auto [space, axis] = cpu::spaceOf(kernel);
  SmallVector<ir::StageAttr> stages; // nothing is kept but in registers
  for (ir::StageAttr stage : cpu::stagesOf(kernel, layout))
    stages.push_back(ir::StageAttr::get(kernel.getContext(), stage.getReduce(), {}));
  if (axis + 1 != space.size()) return ir::ColumnThreadsAttr::get(kernel.getContext(), stages, kThreads);
  bool hasProducts = llvm::any_of(kernel.getBody().front().without_terminator(), [](Operation &op) { return ir::isVectorProduct(&op); });
  int64_t threads = *space[axis] <= kWarpRow || hasProducts ? kWarp : kThreads;
  bool isFull = llvm::any_of(kernel.getResults(), [&](Value v) { return cpu::extentsOf(v) == space; });
  bool isResident = (stages.size() > 1 || isFull) && ceilDiv(*space[axis], threads) <= kResident;
  return ir::RowGroupsAttr::get(kernel.getContext(), stages, threads, threads == kWarp ? kThreads / kWarp : 1, isResident);
}

/// The operands of a product as they come into shared memory: narrow ones before they become float32, where a matrix unit takes them.
std::pair<ir::Packing, Value> operandOf(ir::DotGeneralOp dot, bool isRight, bool isNarrow) {
  Value operand = isRight ? dot.getY() : dot.getX();
  return {isRight ? ir::Packing::B : ir::Packing::A, isNarrow ? operand.getDefiningOp<ir::CastOp>().getX() : operand};
}

/// Whether an operand lies in memory, and 16 bytes of it beside each other, wherever a thread starts.
bool isWide(ir::DotGeneralOp dot, Value operand, const cpu::KernelLayout &layout) {
  auto found = layout.inputs.find(operand);
  if (found == layout.inputs.end()) return false;
  const cpu::Layout &array = found->second;
  int64_t lanes = 16 / byteSize(array.dtype), last = -1;
  size_t batches = dot.getXBatch().size();
  for (size_t axis : {batches, batches + 1})
    if (array.strides[axis] == 1 && array.shape[axis] != 1) last = int64_t(axis);
  if (last < 0 || *array.shape[size_t(last)] % lanes) return false;
  for (auto [axis, stride] : llvm::enumerate(array.strides))
    if (int64_t(axis) != last && *stride % lanes && array.shape[axis] != 1) return false;
  return true;
}

/// What asynchronous copies bring, and what they bring in 16 bytes.
std::pair<ir::Packing, ir::Packing> copiesOf(ir::DotGeneralOp dot, const cpu::KernelLayout &layout, bool isNarrow) {
  uint32_t copy = 0, wide = 0;
  for (bool isRight : {false, true}) {
    auto [side, operand] = operandOf(dot, isRight, isNarrow);
    int64_t bytes = byteSize(ir::typeOf(operand).dtype);
    if (isa<BlockArgument>(operand) && (bytes == 4 || bytes == 8)) copy |= uint32_t(side);
    if (isa<BlockArgument>(operand) && (isNarrow || bytes >= 4) && isWide(dot, operand, layout)) wide |= uint32_t(side);
  }
  return {ir::Packing(copy), ir::Packing(wide)};
}

struct Tiles {
  int64_t tile[2], block[3], stages;
};

/// The result of a product, as tiles cut it.
struct Result {
  int64_t rows, columns, matrices = 1;

  explicit Result(ir::DotGeneralOp dot) {
    auto shape = ir::typeOf(dot.getResult()).shape;
    rows = shape[shape.rank - 2].number(), columns = shape[shape.rank - 1].number();
    for (int i = 0; i + 2 < shape.rank; ++i) matrices *= shape[i].number();
  }
  /// Whether there are enough blocks of this size for a large chip.
  bool fills(int64_t side, int64_t other) const {
    constexpr int64_t kManyBlocks = 128;
    return rows >= side && columns >= other && matrices * ceilDiv(rows, side) * ceilDiv(columns, other) >= kManyBlocks;
  }
};

/// The largest tiles of which there are enough; of few rows or columns narrow ones, whose blocks are many and deep: each result is one
/// chain of steps, so what counts is how many bytes are on their way.
Tiles tilesOf(ir::DotGeneralOp dot) {
  Result result(dot);
  bool isDouble = byteSize(ir::typeOf(dot.getResult()).dtype) == 8;
  auto deep = [&](Tiles tiles) {
    if (isDouble) tiles.block[2] /= 2;
    return tiles;
  };
  if (result.rows <= 4) return deep({{1, 1}, {4, 32, 64}, 4});
  if (result.columns <= 8) return deep({{1, 1}, {32, 8, 64}, 3});
  if (result.rows <= 16) return deep({{2, 2}, {16, 32, 32}, 4});
  if (result.columns <= 16) return deep({{2, 2}, {32, 16, 32}, 4});
  if (!isDouble && result.fills(128, 128)) return {{8, 8}, {128, 128, 16}, 2};
  if (isDouble && result.fills(128, 64)) return {{8, 4}, {128, 64, 8}, 2};
  if (result.fills(64, 64)) return deep({{4, 4}, {64, 64, 16}, 4});
  return deep({{2, 2}, {32, 32, 32}, 4});
}

/// The same of warps with matrix units.
Tiles matrixTilesOf(ir::DotGeneralOp dot) {
  Result result(dot);
  if (result.rows <= 16) return {{16, 16}, {16, 64, 64}, 4};
  if (result.columns <= 16) return {{16, 16}, {64, 16, 64}, 4};
  if (result.fills(128, 256)) return {{64, 64}, {128, 256, 32}, 3};
  if (result.fills(128, 128)) return {{64, 32}, {128, 128, 32}, 4};
  if (result.fills(64, 64)) return {{32, 32}, {64, 64, 32}, 4};
  return {{16, 16}, {32, 32, 64}, 4};
}

bool hasGroups(ir::KernelOp kernel) {
  auto chip = kernel->getParentOfType<ModuleOp>()->getAttrOfType<StringAttr>(kChip);
  return chip && chip == kGroupChip;
}

/// Of four warps, whose blocks are as large as their chip has room for; none where there are too few.
std::optional<Tiles> groupTilesOf(ir::DotGeneralOp dot) {
  Result result(dot);
  if (result.fills(128, 256)) return Tiles{{64, 256}, {128, 256, 64}, 4};
  if (result.fills(128, 128)) return Tiles{{64, 128}, {128, 128, 64}, 3};
  return std::nullopt;
}

ir::ScheduleAttr scheduleProduct(ir::KernelOp kernel, const cpu::KernelLayout &layout) {
  auto dot = *kernel.getBody().front().getOps<ir::DotGeneralOp>().begin();
  bool isNarrow = ir::narrowOf(dot) != DType::F32;
  auto [copy, wide] = copiesOf(dot, layout, isNarrow);
  if (isNarrow) {
    auto group = hasGroups(kernel) && wide == ir::Packing::Both ? groupTilesOf(dot) : std::nullopt;
    if (group) return ir::MatrixTilesAttr::get(kernel.getContext(), group->tile, group->block, group->stages, wide, 0, true);
    Tiles tiles = matrixTilesOf(dot);
    int64_t occupancy = tiles.block[0] == 128 && tiles.block[1] == 128 && wide == ir::Packing::Both ? 2 : 0;
    return ir::MatrixTilesAttr::get(kernel.getContext(), tiles.tile, tiles.block, wide == ir::Packing::Both ? tiles.stages : 2, wide,
                                    occupancy, false);
  }
  Tiles tiles = tilesOf(dot);
  // What waits in registers for its turn leaves no room for the tiles of a second block.
  bool isLarge = tiles.block[0] >= 128 && copy == ir::Packing::Both;
  int64_t stages = copy == ir::Packing::Both ? tiles.stages : 2;
  return ir::ThreadTilesAttr::get(kernel.getContext(), tiles.tile, tiles.block, stages, copy, wide, isLarge ? 2 : 0);
}

ir::ScheduleAttr scheduleOf(ir::KernelOp kernel, const cpu::KernelLayout &layout) {
  switch (kernel.getKind()) {
  case ir::KernelKind::Reduction: return scheduleReduction(kernel, layout);
  case ir::KernelKind::Contraction: return scheduleProduct(kernel, layout);
  case ir::KernelKind::Scan:
  case ir::KernelKind::Scatter: return ir::LinesAttr::get(kernel.getContext(), kLineThreads);
  case ir::KernelKind::Elementwise: return scheduleGrid(kernel, layout);
  default: return ir::GridAttr::get(kernel.getContext(), kThreads, 1, false, -1);
  }
}

/// What a schedule and layouts must be like together.
LogicalResult check(ir::KernelOp kernel, const cpu::KernelLayout &layout) {
  auto known = [](const cpu::Layout &array) { return llvm::all_of(array.strides, [](cpu::Extent s) { return s.has_value(); }); };
  bool isKnown = llvm::all_of(layout.outputs, known) && llvm::all_of(layout.inputs, [&](auto &array) { return known(array.second); });
  if (!isKnown) return kernel.emitError("target 'nvptx': expected arrays with known strides, got one whose strides a call tells");
  if (!isa<ir::GridAttr, ir::RowGroupsAttr, ir::ColumnThreadsAttr, ir::ThreadTilesAttr, ir::MatrixTilesAttr, ir::LinesAttr>(
          *kernel.getSchedule()))
    return cpu::refuse(kernel, "kind") << "expected one for blocks of threads, got " << *kernel.getSchedule();
  auto grid = dyn_cast<ir::GridAttr>(*kernel.getSchedule());
  if (grid && grid.getTranspose() >= 0 && (transposedAxis(kernel) != grid.getTranspose() || !readsInPlace(kernel)))
    return cpu::refuse(kernel, "transpose")
           << "expected transposes of the result's shape that turn this axis, and only elementwise operations behind them";
  if (grid && grid.getCollapse() && !cpu::isFlat(kernel, layout))
    return cpu::refuse(kernel, "collapse") << "expected arrays that are all read and written in the order of memory";
  auto tiles = dyn_cast<ir::ThreadTilesAttr>(*kernel.getSchedule());
  auto matrix = dyn_cast<ir::MatrixTilesAttr>(*kernel.getSchedule());
  if (matrix && matrix.getGroup() && !hasGroups(kernel)) return cpu::refuse(kernel, "group") << "expected the chip " << kGroupChip;
  uint32_t wide = tiles ? uint32_t(tiles.getWide()) : matrix ? uint32_t(matrix.getWide()) : 0;
  for (bool isRight : {false, true}) {
    if (!(wide & uint32_t(isRight ? ir::Packing::B : ir::Packing::A))) continue;
    auto dot = *kernel.getBody().front().getOps<ir::DotGeneralOp>().begin();
    if (!isWide(dot, operandOf(dot, isRight, bool(matrix)).second, layout))
      return cpu::refuse(kernel, "wide") << "expected operands that lie in whole runs of 16 bytes";
  }
  auto rows = dyn_cast<ir::RowGroupsAttr>(*kernel.getSchedule());
  bool hasProducts = llvm::any_of(kernel.getBody().front().without_terminator(), [](Operation &op) { return ir::isVectorProduct(&op); });
  if (rows && rows.getThreads() > kWarp && hasProducts)
    return cpu::refuse(kernel, "threads") << "expected " << kWarp << " for products, got " << rows.getThreads();
  return success();
}

} // namespace

LogicalResult scheduleProgram(func::FuncOp fn) {
  if (fn.isDeclaration()) return success();
  for (ir::KernelOp kernel : fn.getOps<ir::KernelOp>())
    if (!kernel.getWorkspace()) return kernel.emitOpError("expected a planned workspace: run kiln-plan-memory first");
  cpu::Places places(fn);
  for (ir::KernelOp kernel : fn.getOps<ir::KernelOp>()) {
    cpu::KernelLayout layout = cpu::layoutOf(kernel, places);
    if (!kernel.getSchedule()) kernel.setScheduleAttr(scheduleOf(kernel, layout));
    if (failed(check(kernel, layout))) return failure();
    count("schedule.kernels");
  }
  return success();
}

} // namespace kiln::nvptx
