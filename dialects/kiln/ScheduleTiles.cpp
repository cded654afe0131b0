// What schedules may say of products in tiles that blocks of threads multiply.
#include "dialects/kiln/ScheduleFields.h"

using namespace mlir;

namespace kiln::ir {

/// Operands of a product that lie in memory, elements of 4 or 8 bytes: what asynchronous copies take.
static bool canCopy(Value operand) {
  int64_t bytes = byteSize(typeOf(operand).dtype);
  return isa<BlockArgument>(operand) && (bytes == 4 || bytes == 8);
}

static void checkCopies(Fields &fields, KernelOp kernel, Packing copy, Packing wide) {
  auto dot = cast<DotGeneralOp>(mainOf(kernel));
  auto isIn = [](Packing side, Packing set) { return (uint32_t(set) & uint32_t(side)) != 0; };
  for (auto [side, operand] : {std::pair(Packing::A, dot.getX()), std::pair(Packing::B, dot.getY())}) {
    if (fields && isIn(side, copy) && !canCopy(operand))
      fields.fail("copy") << "expected operands in memory, of elements of 4 or 8 bytes, got " << stringifyEnum(side);
    if (fields && isIn(side, wide) && !isIn(side, copy))
      fields.fail("wide") << "expected operands that are copied, got " << stringifyEnum(side);
  }
}

LogicalResult ThreadTilesAttr::verifyFor(Operation *op) const {
  auto kernel = cast<KernelOp>(op);
  Fields fields(kernel, KernelKind::Contraction, getMnemonic());
  fields.extents("tile", getTile(), 2).extents("block", getBlock(), 3);
  if (!fields) return failure();
  ArrayRef<int64_t> tile = getTile(), block = getBlock();
  constexpr int64_t kDown = 4, kAcross = 8; // threads of a warp
  fields.powerOfTwo("tile: rows", tile[0], 1, 16).powerOfTwo("tile: columns", tile[1], 1, 16);
  fields.powerOfTwo("block: rows", block[0], kDown * tile[0], 1024).powerOfTwo("block: columns", block[1], kAcross * tile[1], 1024);
  fields.powerOfTwo("block: depth", block[2], 4, 128).range("stages", getStages(), 2, 8);
  if (!fields) return failure();
  int64_t threads = block[0] / tile[0] * (block[1] / tile[1]);
  // Lines along the contracted axis lie 16 bytes apart, so that threads meet other banks.
  int64_t element = byteSize(typeOf(mainOf(kernel)->getResult(0)).dtype);
  int64_t bytes = (block[0] + block[1]) * (block[2] * element + 16) * getStages();
  fields.powerOfTwo("block: threads", threads, kWarp, kMostThreads).bytes("block", bytes, kMostSharedBytes);
  if (getOccupancy()) fields.range("occupancy", getOccupancy(), 1, 2048 / threads);
  if (fields) checkCopies(fields, kernel, getCopy(), getWide());
  return fields.result();
}

DType narrowOf(DotGeneralOp dot) {
  auto of = [](Value operand) {
    auto cast = operand.getDefiningOp<CastOp>();
    DType dtype = cast ? typeOf(cast.getX()).dtype : DType::F32;
    return typeOf(operand).dtype == DType::F32 && (dtype == DType::F16 || dtype == DType::BF16) ? dtype : DType::F32;
  };
  return of(dot.getX()) == of(dot.getY()) ? of(dot.getX()) : DType::F32;
}

/// Tiles of four warps, in shared memory as their units want them: rows of 128 bytes.
static void checkGroup(Fields &fields, MatrixTilesAttr schedule) {
  constexpr int64_t kRows = 64, kDepth = 64;
  ArrayRef<int64_t> tile = schedule.getTile(), block = schedule.getBlock();
  fields.range("tile: rows", tile[0], kRows, kRows).powerOfTwo("tile: columns", tile[1], kRows, 256);
  fields.powerOfTwo("block: rows", block[0], kRows, 512).powerOfTwo("block: columns", block[1], tile[1], 512);
  fields.range("block: depth", block[2], kDepth, kDepth).range("stages", schedule.getStages(), 3, 8);
  if (!fields) return;
  constexpr int64_t kElement = 2;
  fields.bytes("block", (block[0] + block[1]) * block[2] * kElement * schedule.getStages(), kMostGroupBytes);
}

static void checkWarp(Fields &fields, MatrixTilesAttr schedule) {
  constexpr int64_t kSide = 16; // of what a unit reads at once
  ArrayRef<int64_t> tile = schedule.getTile(), block = schedule.getBlock();
  fields.powerOfTwo("tile: rows", tile[0], kSide, 128).powerOfTwo("tile: columns", tile[1], kSide, 128);
  fields.powerOfTwo("block: rows", block[0], tile[0], 1024).powerOfTwo("block: columns", block[1], tile[1], 1024);
  fields.powerOfTwo("block: depth", block[2], kSide, 128).range("stages", schedule.getStages(), 2, 8);
  if (!fields) return;
  constexpr int64_t kElement = 2, kApart = 16;
  auto bytesOf = [&](int64_t lines) { return lines * block[2] * kElement + std::max(lines, block[2]) * kApart; };
  fields.bytes("block", (bytesOf(block[0]) + bytesOf(block[1])) * schedule.getStages(), kMostAskedBytes);
  fields.range("tile", tile[0] * tile[1], 1, 128 * kWarp); // in registers
}

LogicalResult MatrixTilesAttr::verifyFor(Operation *op) const {
  auto kernel = cast<KernelOp>(op);
  Fields fields(kernel, KernelKind::Contraction, getMnemonic());
  fields.extents("tile", getTile(), 2).extents("block", getBlock(), 3);
  if (!fields) return failure();
  auto dot = cast<DotGeneralOp>(mainOf(kernel));
  if (narrowOf(dot) == DType::F32) fields.fail(getMnemonic()) << "expected operands that are float16 or bfloat16 made float32";
  if (!fields) return failure();
  getGroup() ? checkGroup(fields, *this) : checkWarp(fields, *this);
  if (!fields) return failure();
  int64_t threads = getBlock()[0] / getTile()[0] * (getBlock()[1] / getTile()[1]) * kWarp * (getGroup() ? 4 : 1);
  fields.powerOfTwo("block: threads", threads, kWarp, kMostThreads);
  if (getOccupancy()) fields.range("occupancy", getOccupancy(), 1, 2048 / threads);
  auto isIn = [&](Packing side) { return (uint32_t(getWide()) & uint32_t(side)) != 0; };
  for (auto [side, operand] : {std::pair(Packing::A, dot.getX()), std::pair(Packing::B, dot.getY())})
    if (fields && isIn(side) && !isa<BlockArgument>(operand.getDefiningOp<CastOp>().getX()))
      fields.fail("wide") << "expected operands in memory, got " << stringifyEnum(side);
  return fields.result();
}

} // namespace kiln::ir
