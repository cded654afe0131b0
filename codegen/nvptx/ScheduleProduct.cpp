// How products run on the threads of a GPU, or its matrix units.
#include "codegen/cpu/Schedule.h"
#include "codegen/nvptx/Emit.h"
#include "codegen/nvptx/Kernels.h"
#include "codegen/nvptx/Schedule.h"

using namespace mlir;

namespace kiln::nvptx {
namespace {

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
  auto isWhole = [&](cpu::Extent n) { return n && *n % lanes == 0; };
  if (last < 0 || !isWhole(array.shape[size_t(last)])) return false;
  for (auto [axis, stride] : llvm::enumerate(array.strides))
    if (int64_t(axis) != last && !isWhole(stride) && array.shape[axis] != 1) return false;
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

/// The result of a product, as tiles cut it. Open sizes are middling: neither few, nor enough for the largest tiles.
struct Result {
  static constexpr int64_t kOpen = 1024;
  int64_t rows, columns, matrices = 1;

  explicit Result(ir::DotGeneralOp dot) {
    auto shape = ir::typeOf(dot.getResult()).shape;
    auto sizeOf = [&](int axis) { return cpu::extentOf(shape[axis]); };
    rows = sizeOf(shape.rank - 2).value_or(kOpen), columns = sizeOf(shape.rank - 1).value_or(kOpen);
    for (int i = 0; i + 2 < shape.rank; ++i) matrices *= sizeOf(i).value_or(1);
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

/// Matrix units add in an order of their own. Eager, which runs an operation after the other, adds as the CPU does, and so does a program
/// that is to have its bits.
bool isFast(ir::KernelOp kernel) { return kernel->getParentOfType<func::FuncOp>()->hasAttr(ir::kFastMath); }

} // namespace

ir::ScheduleAttr scheduleProduct(ir::KernelOp kernel, const cpu::KernelLayout &layout) {
  auto dot = *kernel.getBody().front().getOps<ir::DotGeneralOp>().begin();
  bool isNarrow = ir::narrowOf(dot) != DType::F32 && isFast(kernel);
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

bool takesOpenProduct(ir::KernelOp kernel) {
  auto dot = *kernel.getBody().front().getOps<ir::DotGeneralOp>().begin();
  return ir::narrowOf(dot) == DType::F32 || !isFast(kernel); // matrix units want tiles that fit the sizes
}

LogicalResult checkProduct(ir::KernelOp kernel, const cpu::KernelLayout &layout) {
  auto tiles = dyn_cast<ir::ThreadTilesAttr>(*kernel.getSchedule());
  auto matrix = dyn_cast<ir::MatrixTilesAttr>(*kernel.getSchedule());
  auto isKnown = [](Value array) { return ir::typeOf(array).shape.isStatic(); };
  if (matrix && !(llvm::all_of(kernel.getInputs(), isKnown) && llvm::all_of(kernel.getResults(), isKnown)))
    return cpu::refuse(kernel, "matrix_tiles") << "expected sizes that are known";
  if (matrix && matrix.getGroup() && !hasGroups(kernel)) return cpu::refuse(kernel, "group") << "expected the chip " << kGroupChip;
  if (matrix && !isFast(kernel))
    return cpu::refuse(kernel, "matrix_tiles") << "expected a program with " << ir::kFastMath << ", as the units' order shows in the bits";
  uint32_t wide = tiles ? uint32_t(tiles.getWide()) : matrix ? uint32_t(matrix.getWide()) : 0;
  for (bool isRight : {false, true}) {
    if (!(wide & uint32_t(isRight ? ir::Packing::B : ir::Packing::A))) continue;
    auto dot = *kernel.getBody().front().getOps<ir::DotGeneralOp>().begin();
    if (!isWide(dot, operandOf(dot, isRight, bool(matrix)).second, layout))
      return cpu::refuse(kernel, "wide") << "expected operands that lie in whole runs of 16 bytes";
  }
  return success();
}

} // namespace kiln::nvptx
