// How kernels run on the threads of a GPU, by what was measured (docs/decisions/0010-gpu-facts.md).
#include "codegen/cpu/Reducer.h"
#include "codegen/cpu/Schedule.h"
#include "codegen/nvptx/Custom.h"
#include "codegen/nvptx/Emit.h"
#include "codegen/nvptx/LibraryCalls.h"
#include "codegen/nvptx/Schedule.h"
#include "lib/Core/Stats.h"
#include "passes/memory/PlanMemory/Planned.h"

#include <bit>

using namespace mlir;

namespace kiln::nvptx {

using cpu::operator*;

namespace {

constexpr int64_t kThreads = 256, kLineThreads = 64; // of a block
constexpr int64_t kBusy = 1 << 17;                   // threads that fill a large chip

/// Schedules of programs for any size take open sizes for large ones, of which nothing is known.
bool isBelow(cpu::Extent n, int64_t limit) { return n && *n < limit; }
bool isMultiple(cpu::Extent n, int64_t by) { return by == 1 || (n && *n % by == 0); }

cpu::Extent countOf(Value array) {
  cpu::Extent count = 1;
  for (cpu::Extent n : cpu::extentsOf(array)) count = count * n;
  return count;
}

constexpr int64_t kMostSharedBytes = 48 << 10; // of a block
constexpr int64_t kAccess = 16;                // bytes of one, and so many a thread are enough

/// Bytes of the largest elements of a kernel, but of single ones.
int64_t elementBytes(ir::KernelOp kernel) {
  int64_t bytes = 1;
  for (Value array : llvm::concat<Value>(SmallVector<Value>(kernel.getInputs()), SmallVector<Value>(kernel.getResults())))
    if (!isBelow(countOf(array), 2)) bytes = std::max(bytes, byteSize(ir::typeOf(array).dtype));
  return bytes;
}

/// A position a thread.
ir::ScheduleAttr singles(ir::KernelOp kernel) { return ir::GridAttr::get(kernel.getContext(), kThreads, 1, false, -1, 1, 32); }

/// Positions beside each other save work on indices where there are several axes, and instructions where elements are small. They lie along
/// the last axis in whole accesses.
int64_t widthOf(ir::KernelOp kernel, bool isFlat) {
  int64_t bytes = elementBytes(kernel), wide = kAccess / std::min(bytes, kAccess);
  Shape shape = ir::typeOf(kernel.getResult(0)).shape;
  if (!shape.rank || wide == 1 || isBelow(countOf(kernel.getResult(0)), wide * kBusy / 4)) return 1;
  bool isOnTheWay = llvm::all_of(kernel.getBody().front().without_terminator(), [](Operation &op) {
    return (ir::isKind(&op, Kind::Elementwise) || ir::isKind(&op, Kind::Index) || ir::isKind(&op, Kind::Source)) &&
           !isa<ir::DynamicSliceOp>(op);
  });
  auto isReal = [](Type type) { return !isComplex(ir::typeOf(type).dtype); };
  if (!isOnTheWay || !llvm::all_of(kernel.getResultTypes(), isReal)) return 1;
  if (isFlat || shape.rank == 1) return bytes < 4 ? wide : 1;
  return isMultiple(cpu::extentOf(shape[shape.rank - 1]), wide) ? wide : 1;
}

/// Accesses of 16 bytes a thread in all; fewer where a position costs much, or there are not enough of them.
int64_t positionsEach(ir::KernelOp kernel) {
  constexpr int64_t kMost = 4, kDear = 50;
  int64_t cost = 0;
  for (Operation &op : kernel.getBody().front().without_terminator()) cost += cast<ir::ArrayOp>(op).getCost();
  int64_t each = cost >= kDear ? 1 : std::min(kMost, kAccess / std::min(elementBytes(kernel), kAccess));
  while (each > 1 && isBelow(countOf(kernel.getResult(0)), each * kBusy)) each /= 2;
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

/// Squares of the axis and the last: large ones with accesses of 16 bytes where rows are whole accesses.
ir::ScheduleAttr scheduleSquares(ir::KernelOp kernel, int64_t axis) {
  constexpr int64_t kLeast = 32, kMiddle = 64, kLarge = 128;
  auto moves = kernel.getBody().front().getOps<ir::TransposeOp>();
  int64_t bytes = byteSize(ir::typeOf((*moves.begin()).getResult()).dtype), count = llvm::range_size(moves);
  bool isSame = llvm::all_of(moves, [&](ir::TransposeOp move) { return byteSize(ir::typeOf(move.getResult()).dtype) == bytes; });
  auto shape = ir::typeOf(kernel.getResult(0)).shape;
  int64_t wide = kAccess / std::min(bytes, kAccess), side = bytes == 1 ? kLarge : bytes == 8 ? kLeast : kMiddle;
  cpu::Extent rows = cpu::extentOf(shape[int(axis)]), columns = cpu::extentOf(shape[shape.rank - 1]);
  bool isReal = llvm::all_of(kernel.getResultTypes(), [](Type type) { return !isComplex(ir::typeOf(type).dtype); });
  bool isWide = isSame && isReal && bytes <= 8 && !isBelow(rows, side) && !isBelow(columns, side) && isMultiple(rows, wide) &&
                isMultiple(columns, wide) && count * side * side * bytes <= kMostSharedBytes;
  return ir::GridAttr::get(kernel.getContext(), kThreads, 1, false, axis, isWide ? wide : 1, isWide ? side : kLeast);
}

ir::ScheduleAttr scheduleGrid(ir::KernelOp kernel, const cpu::KernelLayout &layout) {
  constexpr int64_t kSide = 32;
  auto axis = transposedAxis(kernel);
  auto shape = ir::typeOf(kernel.getResult(0)).shape;
  auto isLong = [&](int64_t axis) { return !isBelow(cpu::extentOf(shape[int(axis)]), kSide); };
  bool isLarge = axis && isLong(*axis) && isLong(shape.rank - 1);
  if (isLarge && readsInPlace(kernel)) return scheduleSquares(kernel, *axis);
  bool isFlat = layout.outputs[0].shape.size() > 1 && cpu::isFlat(kernel, layout);
  int64_t wide = widthOf(kernel, isFlat);
  return ir::GridAttr::get(kernel.getContext(), kThreads, wide > 1 ? 1 : positionsEach(kernel), isFlat, -1, wide, kSide);
}

bool hasVectorProducts(ir::KernelOp kernel) {
  return llvm::any_of(kernel.getBody().front().without_terminator(), [](Operation &op) { return ir::isVectorProduct(&op); });
}

bool isOrdered(ir::KernelOp kernel) {
  return llvm::any_of(kernel.getBody().front().without_terminator(),
                      [](Operation &op) { return ir::kernelKindOf(&op) == ir::KernelKind::Reduction && ir::isInBlocks(&op); });
}

/// Columns a thread; parts of them where there are few.
ir::ScheduleAttr scheduleColumns(ir::KernelOp kernel, ArrayRef<ir::StageAttr> stages, cpu::Extent size, cpu::Extent columns) {
  constexpr int64_t kLeast = 64, kFew = kBusy / 2;
  int64_t split = cpu::kColumnBlock;
  while (!isOrdered(kernel) && split > kLeast && size && columns && ceilDiv(*size, split) * *columns < kBusy) split /= 2;
  bool isSplit = (!columns || *columns <= kFew) && !isBelow(size, 2 * split);
  return ir::ColumnThreadsAttr::get(kernel.getContext(), stages, kThreads, isSplit ? split : 0);
}

/// A warp a row of up to 1,024, or where it is a chain of products; else a block of eight. Few long rows in parts: of many a warp each.
ir::ScheduleAttr scheduleReduction(ir::KernelOp kernel, const cpu::KernelLayout &layout) {
  constexpr int64_t kWarpRow = 1024, kResident = 32, kFewRows = 1024, kManyParts = 2048;
  auto [space, axis] = cpu::spaceOf(kernel);
  SmallVector<ir::StageAttr> stages; // nothing is kept but in registers
  for (ir::StageAttr stage : cpu::stagesOf(kernel, layout))
    stages.push_back(ir::StageAttr::get(kernel.getContext(), stage.getReduce(), {}));
  cpu::Extent size = space[axis], rows = 1;
  for (size_t i = 0; i < space.size(); ++i) rows = rows * (i == axis ? 1 : space[i]);
  if (axis + 1 != space.size()) return scheduleColumns(kernel, stages, size, rows);
  if (isBelow(rows, kFewRows + 1) && !isBelow(size, 2 * cpu::kRowBlock)) {
    bool isMany = (size && *rows * ceilDiv(*size, cpu::kRowBlock) >= kManyParts) || hasVectorProducts(kernel);
    return ir::RowGroupsAttr::get(kernel.getContext(), stages, isMany ? kWarp : kThreads, isMany ? kThreads / kWarp : 1, false,
                                  cpu::kRowBlock);
  }
  int64_t threads = isBelow(size, kWarpRow + 1) || hasVectorProducts(kernel) ? kWarp : kThreads;
  bool isFull = llvm::any_of(kernel.getResults(), [&space = space](Value v) { return cpu::extentsOf(v) == space; });
  bool isResident = (stages.size() > 1 || isFull) && isBelow(size, kResident * threads + 1);
  return ir::RowGroupsAttr::get(kernel.getContext(), stages, threads, threads == kWarp ? kThreads / kWarp : 1, isResident, 0);
}

/// As many threads a line as there is work for; a long one in parts.
ir::ScanGroupsAttr groupsOf(ir::KernelOp kernel, cpu::Extent open, int64_t bytes) {
  constexpr int64_t kMost = 1024, kEach = 16, kPart = 256, kLong = kMost * kEach + 1;
  int64_t size = open.value_or(kLong);
  int64_t most = bytes > 4 ? kEach / 2 : kEach; // that registers hold
  int64_t each = std::clamp<int64_t>(int64_t(std::bit_ceil(uint64_t(ceilDiv(size, kWarp)))), 1, most);
  int64_t threads = std::max<int64_t>(kWarp, int64_t(std::bit_ceil(uint64_t(ceilDiv(size, each)))));
  if (threads > kMost) threads = kPart;
  return ir::ScanGroupsAttr::get(kernel.getContext(), threads, each, threads == kWarp ? kThreads / kWarp : 1);
}

ir::ScheduleAttr scheduleCompact(ir::KernelOp kernel) {
  auto gather = dyn_cast<ir::GatherOp>(cpu::mainOp(kernel));
  Operation *positions = gather ? gather.getIndices().getDefiningOp() : cpu::mainOp(kernel);
  return groupsOf(kernel, countOf(positions->getOperand(0)), byteSize(DType::I64));
}

/// Blocks of threads where elements may be joined in groups, but for short or many lines. Else a line a thread: along the last axis by
/// warps that fetch some of them, fewer where there are few.
ir::ScheduleAttr scheduleScan(ir::KernelOp kernel) {
  constexpr int64_t kShort = 16, kMany = 1 << 14, kWarps = 2048, kAhead = 8;
  Operation *op = cpu::mainOp(kernel);
  Shape shape = ir::typeOf(kernel.getResult(0)).shape;
  int64_t axis = cast<ir::ArrayOp>(op).getAlong()[0];
  cpu::Extent size = cpu::extentOf(shape[int(axis)]), lines = 1;
  for (int64_t i = 0; i < shape.rank; ++i) lines = lines * (i == axis ? 1 : cpu::extentOf(shape[int(i)]));
  bool isLast = axis + 1 == shape.rank;
  if (ir::isGroupable(op) && !isBelow(size, kShort) && (isLast || isBelow(lines, kMany)))
    return groupsOf(kernel, size, byteSize(ir::typeOf(kernel.getResult(0)).dtype));
  if (!isLast || isBelow(size, kShort)) return ir::LinesAttr::get(kernel.getContext(), kLineThreads, kAhead, 0);
  int64_t held = std::clamp<int64_t>(int64_t(std::bit_floor(uint64_t(std::max<int64_t>(lines.value_or(kWarps) / kWarps, 1)))), 1, kWarp);
  return ir::LinesAttr::get(kernel.getContext(), kWarp, 1, held);
}

/// Parts as large as shared memory holds with their places.
ir::ScheduleAttr scheduleSort(ir::KernelOp kernel) {
  constexpr int64_t kLeast = 64, kMost = 4096, kMostThreads = 512;
  auto op = cast<ir::ArrayOp>(cpu::mainOp(kernel));
  int64_t size = ir::typeOf(kernel.getResult(0)).shape[int(op.getAlong()[0])].number();
  if (size >= int64_t(1) << 31) return singles(kernel); // places have 32 bits
  int64_t most = byteSize(ir::typeOf(op.getMain()).dtype) > 4 ? kMost / 2 : kMost;
  int64_t part = std::clamp<int64_t>(int64_t(std::bit_ceil(uint64_t(std::max<int64_t>(size, 1)))), kLeast, most);
  return ir::MergeSortAttr::get(kernel.getContext(), std::min(part / 2, kMostThreads), part);
}

/// Many updates of not so many lines are sorted by where they go.
ir::ScheduleAttr scheduleScatter(ir::KernelOp kernel) {
  constexpr int64_t kFewUpdates = 64, kLeast = 64, kMost = 4096, kMostThreads = 512;
  auto op = cast<ir::ArrayOp>(cpu::mainOp(kernel));
  TensorType type = ir::typeOf(kernel.getResult(0));
  int64_t updates = *countOf(op->getOperand(1)), size = type.shape[int(op.getAlong()[0])].number();
  cpu::Extent all = countOf(kernel.getResult(0));
  int64_t lines = !size ? 0 : all ? *all / size : kBusy;
  bool fits = !isComplex(type.dtype) && size < (int64_t(1) << 32) - 1 && updates < int64_t(1) << 31;
  if (!fits || updates < kFewUpdates || lines >= kBusy) return ir::LinesAttr::get(kernel.getContext(), kLineThreads, 1, 0);
  int64_t part = std::clamp<int64_t>(int64_t(std::bit_ceil(uint64_t(updates))), kLeast, kMost);
  return ir::MergeSortAttr::get(kernel.getContext(), std::min(part / 2, kMostThreads), part);
}

ir::ScheduleAttr scheduleOf(ir::KernelOp kernel, const cpu::KernelLayout &layout) {
  switch (kernel.getKind()) {
  case ir::KernelKind::Reduction: return scheduleReduction(kernel, layout);
  case ir::KernelKind::Contraction: return scheduleProduct(kernel, layout);
  case ir::KernelKind::Scan: return scheduleScan(kernel);
  case ir::KernelKind::Sort: return scheduleSort(kernel);
  case ir::KernelKind::Compact: return scheduleCompact(kernel);
  case ir::KernelKind::Scatter: return scheduleScatter(kernel);
  case ir::KernelKind::Elementwise: return scheduleGrid(kernel, layout);
  default: return singles(kernel);
  }
}

/// What a schedule and layouts must be like together.
LogicalResult check(ir::KernelOp kernel, const cpu::KernelLayout &layout) {
  if (!isa<ir::GridAttr, ir::RowGroupsAttr, ir::ColumnThreadsAttr, ir::ThreadTilesAttr, ir::MatrixTilesAttr, ir::LinesAttr,
           ir::ScanGroupsAttr, ir::MergeSortAttr>(*kernel.getSchedule()))
    return cpu::refuse(kernel, "kind") << "expected one for blocks of threads, got " << *kernel.getSchedule();
  auto grid = dyn_cast<ir::GridAttr>(*kernel.getSchedule());
  if (grid && grid.getTranspose() >= 0 && (transposedAxis(kernel) != grid.getTranspose() || !readsInPlace(kernel)))
    return cpu::refuse(kernel, "transpose")
           << "expected transposes of the result's shape that turn this axis, and only elementwise operations behind them";
  if (grid && grid.getCollapse() && !cpu::isFlat(kernel, layout))
    return cpu::refuse(kernel, "collapse") << "expected arrays that are all read and written in the order of memory";
  if (failed(checkProduct(kernel, layout))) return failure();
  auto rows = dyn_cast<ir::RowGroupsAttr>(*kernel.getSchedule());
  auto [space, axis] = cpu::spaceOf(kernel);
  if (rows && rows.getResident() && !space[axis]) return cpu::refuse(kernel, "resident") << "expected rows of a size that is known";
  if (rows && rows.getThreads() > kWarp && hasVectorProducts(kernel))
    return cpu::refuse(kernel, "threads") << "expected " << kWarp << " for products, got " << rows.getThreads();
  auto columns = dyn_cast<ir::ColumnThreadsAttr>(*kernel.getSchedule());
  int64_t split = rows ? rows.getSplit() : columns ? columns.getSplit() : 0, block = rows ? cpu::kRowBlock : cpu::kColumnBlock;
  if (split && split != block && isOrdered(kernel))
    return cpu::refuse(kernel, "split") << "expected " << block << " where the order shows, got " << split;
  return success();
}

} // namespace

LogicalResult checkPlanned(func::FuncOp fn) {
  if (failed(verifyPlanned(fn))) return failure();
  bool isOpen = ir::symbolsOf(fn) > 0; // looked for in all of the function
  if (fn.isPrivate() && isOpen) return fn.emitError("target 'nvptx': expected sizes that are known, got a program for any size");
  for (ir::KernelOp kernel : fn.getOps<ir::KernelOp>()) {
    if (isOpen && !takesOpenSizes(kernel))
      return kernel.emitError() << "target 'nvptx': expected sizes that are known in a kernel of the kind '"
                                << ir::stringifyKernelKind(kernel.getKind()) << "', got a program for any size";
    if (kernel.getKind() == ir::KernelKind::Library && !deviceRoutineOf(kernel) && !launchesOp(kernel))
      return kernel.emitError("target 'nvptx': expected a kind of kernel that it can run, got 'library'");
    if (isa<ir::SizedOp>(kernel.getBody().front().front()))
      return kernel.emitError("target 'nvptx': expected sizes that are known, got a body for sizes that the program computes");
  }
  return success();
}

bool takesOpenSizes(ir::KernelOp kernel) {
  if (isOfHost(kernel)) return launchesForAnySize(kernel);
  auto isKnown = [](Value array) { return ir::typeOf(array).shape.isStatic(); };
  auto isAxisKnown = [](Value array, int64_t axis) { return ir::typeOf(array).shape[int(axis)].isConstant(); };
  Operation *op = cpu::mainOp(kernel);
  switch (kernel.getKind()) {
  case ir::KernelKind::Sort: return isAxisKnown(kernel.getResult(0), cast<ir::ArrayOp>(op).getAlong()[0]); // the number of launches
  case ir::KernelKind::Scatter: return isKnown(op->getOperand(1)) && isAxisKnown(kernel.getResult(0), cast<ir::ArrayOp>(op).getAlong()[0]);
  case ir::KernelKind::Contraction:
    return (llvm::all_of(kernel.getInputs(), isKnown) && llvm::all_of(kernel.getResults(), isKnown)) || takesOpenProduct(kernel);
  default: return true;
  }
}

LogicalResult scheduleProgram(func::FuncOp fn) {
  if (fn.isDeclaration()) return success();
  if (failed(checkPlanned(fn))) return failure();
  cpu::Places places(fn, /*hasStack=*/false);
  for (ir::KernelOp kernel : fn.getOps<ir::KernelOp>()) {
    if (isOfHost(kernel)) continue;
    cpu::KernelLayout layout = cpu::layoutOf(kernel, places);
    if (!kernel.getSchedule()) kernel.setScheduleAttr(scheduleOf(kernel, layout));
    if (failed(check(kernel, layout))) return failure();
    count("schedule.kernels");
  }
  return success();
}

} // namespace kiln::nvptx
