// What schedules may say of kernels that threads run in blocks.
#include "dialects/kiln/ScheduleFields.h"

using namespace mlir;

namespace kiln::ir {

/// Squares that a block of threads turns in shared memory, with accesses of 16 bytes.
static void checkSquares(Fields &fields, KernelOp kernel, GridAttr grid) {
  constexpr int64_t kWord = 4, kAccess = 16;
  fields.range("threads", grid.getThreads(), 256, 256).range("each", grid.getEach(), 1, 1);
  if (fields && grid.getWide() == 1) fields.range("side", grid.getSide(), 32, 32);
  if (!fields || grid.getWide() == 1) return;
  auto moves = kernel.getBody().front().getOps<TransposeOp>();
  int64_t count = 0, bytes = 0;
  for (TransposeOp move : moves) {
    int64_t mine = byteSize(typeOf(move.getResult()).dtype);
    if ((count++ && mine != bytes) || mine > 8) fields.fail("wide") << "expected transposes of elements of one size up to 8 bytes";
    bytes = mine;
  }
  if (!fields || !count) return;
  fields.range("wide", grid.getWide(), kAccess / bytes, kAccess / bytes).powerOfTwo("side", grid.getSide(), 32, 128);
  if (!fields) return;
  int64_t pack = std::max<int64_t>(1, kWord / bytes), accesses = grid.getSide() / grid.getWide() * (grid.getSide() / pack);
  if (accesses < grid.getThreads() || grid.getSide() / pack < kWarp)
    fields.fail("side") << "expected an access or more for each thread, got " << grid.getSide();
  Shape shape = resultShape(kernel);
  if (Size size = shape[int(grid.getTranspose())]; size.isConstant())
    fields.multiple("wide: elements of a row", size.number(), grid.getWide());
  fields.bytes("side", count * grid.getSide() * grid.getSide() * bytes, kMostSharedBytes);
}

LogicalResult GridAttr::verifyFor(Operation *op) const {
  auto kernel = cast<KernelOp>(op);
  constexpr KernelKind kKinds[] = {KernelKind::Elementwise, KernelKind::Assemble, KernelKind::Contraction, KernelKind::Convolution,
                                   KernelKind::Sort};
  bool isKind = llvm::is_contained(kKinds, kernel.getKind());
  Fields fields(kernel, isKind ? kernel.getKind() : KernelKind::Elementwise, getMnemonic());
  int64_t rank = resultShape(kernel).rank;
  fields.powerOfTwo("threads", getThreads(), kWarp, kMostThreads).powerOfTwo("each", getEach(), 1, kMostUnrolled);
  fields.powerOfTwo("wide", getWide(), 1, kMostUnrolled);
  if (fields && kernel.getKind() != KernelKind::Elementwise)
    fields.range("each", getEach(), 1, 1)
        .range("collapse", getCollapse(), 0, 0)
        .range("transpose", getTranspose(), -1, -1)
        .range("wide", getWide(), 1, 1);
  fields.range("transpose", getTranspose(), -1, std::max<int64_t>(rank - 2, -1));
  if (fields && getCollapse()) fields.range("collapse", rank, 1, kMaxRank).range("transpose", getTranspose(), -1, -1);
  if (fields && getWide() > 1) fields.range("wide", rank, 1, kMaxRank);
  if (fields && getTranspose() >= 0) checkSquares(fields, kernel, *this);
  else if (fields) fields.range("side", getSide(), 32, 32);
  if (fields && getWide() > 1 && !getCollapse()) {
    Size last = resultShape(kernel)[rank - 1];
    if (last.isConstant()) fields.multiple("wide: elements of a row", last.number(), getWide());
  }
  return fields.result();
}

LogicalResult LinesAttr::verifyFor(Operation *op) const {
  auto kernel = cast<KernelOp>(op);
  bool isScatter = kernel.getKind() == KernelKind::Scatter;
  Fields fields(kernel, isScatter ? KernelKind::Scatter : KernelKind::Scan, getMnemonic());
  fields.powerOfTwo("threads", getThreads(), kWarp, kMostThreads).powerOfTwo("each", getEach(), 1, kMostUnrolled);
  if (fields && isScatter) fields.range("each", getEach(), 1, 1).range("stage", getStage(), 0, 0);
  if (!fields || !getStage()) return fields.result();
  fields.powerOfTwo("stage", getStage(), 1, kWarp).range("threads", getThreads(), kWarp, kWarp).range("each", getEach(), 1, 1);
  Operation *main = mainOf(kernel);
  if (fields && cast<ArrayOp>(main).getAlong()[0] != resultShape(kernel).rank - 1)
    fields.fail("stage") << "expected a scan of the last axis";
  return fields.result();
}

bool isGroupable(Operation *scan) {
  auto op = cast<ArrayOp>(scan);
  DType dtype = typeOf(scan->getResult(0)).dtype;
  return !isFloat(dtype) || !op.getRecord().blocked;
}

LogicalResult ScanGroupsAttr::verifyFor(Operation *op) const {
  auto kernel = cast<KernelOp>(op);
  bool isCompact = kernel.getKind() == KernelKind::Compact; // which counts true elements
  Fields fields(kernel, isCompact ? KernelKind::Compact : KernelKind::Scan, getMnemonic());
  fields.powerOfTwo("threads", getThreads(), kWarp, kMostThreads).powerOfTwo("each", getEach(), 1, kMostUnrolled);
  fields.powerOfTwo("lines", getLines(), 1, kMostThreads / kWarp);
  if (fields && getThreads() > kWarp) fields.range("lines", getLines(), 1, 1);
  if (fields && !isCompact && !isGroupable(mainOf(kernel)))
    fields.fail(getMnemonic()) << "expected integers, or an operation whose groups do not show in the bits";
  return fields.result();
}

LogicalResult MergeSortAttr::verifyFor(Operation *op) const {
  auto kernel = cast<KernelOp>(op);
  bool isScatter = kernel.getKind() == KernelKind::Scatter;
  Fields fields(kernel, isScatter ? KernelKind::Scatter : KernelKind::Sort, getMnemonic());
  fields.powerOfTwo("threads", getThreads(), kWarp, kMostThreads).powerOfTwo("part", getPart(), 2 * kWarp, 1 << 13);
  if (!fields) return failure();
  constexpr int64_t kNumber = 4; // bytes of an element's place
  Operation *main = mainOf(kernel);
  int64_t key = isScatter ? kNumber : byteSize(typeOf(cast<ArrayOp>(main).getMain()).dtype);
  fields.multiple("part", getPart(), 2 * getThreads()).bytes("part", getPart() * (kNumber + key), kMostSharedBytes);
  if (fields && isScatter && isComplex(typeOf(main->getResult(0)).dtype)) fields.fail(getMnemonic()) << "expected updates of real numbers";
  return fields.result();
}

} // namespace kiln::ir
