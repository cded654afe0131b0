#include "codegen/cpu/Schedule.h"

#include "llvm/ADT/TypeSwitch.h"

#include <bit>

using namespace mlir;

namespace kiln::cpu {

Operation *mainOp(ir::KernelOp kernel) {
  for (Operation &op : kernel.getBody().front())
    if (ir::isKind(&op, Kind::Contract) || ir::isKind(&op, Kind::Convolve)) return &op;
  return kernel.getBody().front().getTerminator()->getOperand(0).getDefiningOp();
}

size_t mainResult(ir::KernelOp kernel) {
  Value main = mainOp(kernel)->getResult(0);
  auto values = kernel.getBody().front().getTerminator()->getOperands();
  auto found = llvm::find(values, main);
  if (found == values.end()) found = llvm::find_if(values, [&](Value v) { return v.getType() == main.getType(); });
  return size_t(found - values.begin());
}

int64_t elementCost(ir::KernelOp kernel) {
  int64_t sum = 0;
  for (Operation &op : kernel.getBody().front().without_terminator()) sum += cast<ir::ArrayOp>(op).getCost();
  return 1 + sum / 10; // the costs of records are those of scalars, with nothing to load or store
}

int64_t lanesFor(Extent n, int64_t limit) {
  if (!n || *n >= limit) return limit;
  return int64_t(std::bit_ceil(uint64_t(std::max<int64_t>(*n, 1))));
}

static int64_t preferredLanes(ir::KernelOp kernel, const KernelLayout &layout) {
  int64_t lanes = 32;
  for (auto &[value, array] : layout.inputs)
    if (!array.strides.empty() && array.strides.back() != 1 && array.strides.back() != 0) lanes = 8;
  for (Operation &op : kernel.getBody().front().without_terminator()) {
    if (op.getNumResults() != 1) continue;
    DType dtype = ir::typeOf(op.getResult(0)).dtype;
    if (byteSize(realType(dtype)) == 8) lanes = std::min<int64_t>(lanes, isComplex(dtype) ? 8 : 16);
    if (isComplex(dtype)) lanes = std::min<int64_t>(lanes, 16);
    if (isa<ir::TransposeOp>(op) || ir::isKind(&op, Kind::Gather)) lanes = 8;
  }
  return lanes;
}

Planner::Planner(ir::KernelOp kernel, const KernelLayout &layout, const Target &target)
    : kernel(kernel), layout(layout), target(target), lanes(preferredLanes(kernel, layout)), cost(elementCost(kernel)) {}

//===-- threads -----------------------------------------------------------------------------------------------------===//

/// Iterations that are worth sharing; an outer axis of fewer stays in order where there is an inner one.
static constexpr int64_t kEnough = 8;

std::optional<int64_t> grainOf(Extent count, Extent work) {
  if (count && work && *count * *work < 2 * kTaskWork) return std::nullopt;
  return work ? std::max<int64_t>(1, kTaskWork / std::max<int64_t>(*work, 1)) : ir::kOpenGrain;
}

static Sharing share(int64_t axis, Extent count, Extent work) {
  auto grain = grainOf(count, work);
  return grain ? Sharing{axis, *grain} : Sharing();
}

Sharing shareOuter(ArrayRef<Extent> shape, ArrayRef<int64_t> skip, Extent work) {
  SmallVector<size_t> axes;
  for (size_t axis = 0; axis < shape.size(); ++axis)
    if (!llvm::is_contained(skip, int64_t(axis)) && shape[axis] != 1) axes.push_back(axis);
  if (axes.empty()) return {};
  auto found = llvm::find_if(axes, [&](size_t axis) { return !shape[axis] || *shape[axis] >= kEnough; });
  if (found == axes.end()) found = axes.begin();
  for (size_t axis : ArrayRef(found, axes.end()).drop_front()) work = work * shape[axis];
  return share(int64_t(*found), shape[*found], work);
}

Sharing shareLoop(int64_t axis, Extent size, int64_t step, Extent work) {
  return share(axis, size ? Extent((*size + step - 1) / step) : size, work * step);
}

Sharing shareVectors(int64_t axis, Extent size, int64_t lanes, Extent work) {
  return share(axis, size ? Extent(*size / lanes) : size, work * lanes);
}

bool hasOuterLoop(ArrayRef<Extent> shape, ArrayRef<int64_t> skip) {
  int64_t count = 1;
  for (auto [axis, size] : llvm::enumerate(shape)) {
    if (llvm::is_contained(skip, int64_t(axis))) continue;
    if (!size) return true;
    count *= *size;
  }
  return count >= kEnough;
}

//===-- stores past the caches --------------------------------------------------------------------------------------===//

/// Whether a result can be stored past the caches: it leaves the program, and rows are whole lines, or a call can see whether they are.
static bool canStream(const Layout &output, bool isCollapsed) {
  if (!output.isResult || !output.isRowMajor || output.shape.empty()) return false;
  return output.shape.size() == 1 || isCollapsed || !output.shape.back() || *output.shape.back() * byteSize(output.dtype) % kLine == 0;
}

/// Results that are larger than the caches; or may be, of kernels that wait for memory: their loops are there twice.
SmallVector<int64_t> Planner::streams() const {
  constexpr int64_t kCheap = 8, kFewLanes = 8; // which elements far from each other are read in
  SmallVector<int64_t> numbers;
  bool isCollapsed = isFlat(kernel, layout);
  for (auto [i, output] : llvm::enumerate(layout.outputs)) {
    Extent bytes = byteSize(output.dtype);
    for (Extent size : output.shape) bytes = bytes * size;
    if (target.streamBytes && canStream(output, isCollapsed) &&
        (bytes ? *bytes >= target.streamBytes : cost <= kCheap && lanes > kFewLanes))
      numbers.push_back(int64_t(i));
  }
  return numbers;
}

//===-- kinds -------------------------------------------------------------------------------------------------------===//

/// A part of a result whose rows are long and start out of line, as far as is known.
static bool isOutOfLine(const Planner &p, ir::UpdateOp op) {
  constexpr int64_t kLong = 4096; // bytes, from which the elements up to the first line are few
  if (!op || op.getSteps().empty() || op.getSteps().back() != 1) return false;
  Shape part = ir::typeOf(op.getValue()).shape, whole = ir::typeOf(op.getX()).shape;
  int64_t bytes = byteSize(ir::typeOf(op.getX()).dtype), last = part.rank - 1;
  auto number = [](Size size) { return size.isConstant() ? size.number() : 0; };
  bool isInLine = number(op.getStarts().back()) * bytes % kLine == 0 && (last == 0 || number(whole[last]) * bytes % kLine == 0);
  return number(part[last]) * bytes >= kLong && !isInLine && p.layout.outputs[0].isRowMajor;
}

static ir::NestAttr aligned(ir::NestAttr nest) {
  if (nest.getRows() > 1 || nest.getTranspose() >= 0) return nest;
  return ir::NestAttr::get(nest.getContext(), nest.getLanes(), false, 1, -1, 0, nest.getParallel(), nest.getGrain(), {}, 0, true);
}

static ir::ScheduleAttr scheduleAssemble(const Planner &p) {
  Operation *op = mainOp(p.kernel);
  SmallVector<ir::NestAttr> parts;
  size_t count = isa<ir::ConcatOp>(op) ? op->getNumOperands() : 2; // else the array and what is put into it
  for (Value part : op->getOperands().take_front(count)) parts.push_back(nestOf(p, extentsOf(part), part));
  if (isOutOfLine(p, dyn_cast<ir::UpdateOp>(op))) parts[1] = aligned(parts[1]);
  return ir::AssembleAttr::get(p.context(), parts);
}

static size_t axisOf(Operation *op) { return size_t(cast<ir::ArrayOp>(op).getAlong()[0]); }

static ir::ScheduleAttr scheduleScatter(const Planner &p) {
  Operation *op = mainOp(p.kernel);
  auto shape = extentsOf(op->getResult(0));
  bool hasLanes = axisOf(op) + 1 < shape.size();
  ir::NestAttr copy = nestOf(p, shape, op->getOperand(0));
  return ir::ScatterAttr::get(p.context(), copy, hasLanes ? lanesFor(shape.back(), p.lanes) : 1);
}

static ir::ScheduleAttr scheduleScan(const Planner &p) {
  Operation *op = mainOp(p.kernel);
  auto shape = extentsOf(op->getResult(0));
  size_t axis = axisOf(op);
  if (axis + 1 < shape.size()) return ir::ScanAttr::get(p.context(), lanesFor(shape.back(), p.lanes), -1, 1);
  Sharing sharing = shareOuter(shape, {int64_t(axis)}, shape[axis] * kScanWork);
  return ir::ScanAttr::get(p.context(), 1, sharing.axis, sharing.grain);
}

/// Blocks that are short enough for every position to be written where no instruction finds the true ones.
static ir::ScheduleAttr scheduleCompact(const Planner &p) {
  bool compresses = p.target.isWide();
  return ir::CompactAttr::get(p.context(), compresses ? 16 : 8, compresses);
}

static ir::ScheduleAttr scheduleSort(const Planner &p) {
  Operation *op = mainOp(p.kernel);
  auto shape = extentsOf(op->getResult(0));
  Extent size = shape[axisOf(op)];
  bool hasScratch = size || p.layout.isOpen; // of known size, for each task
  Sharing sharing = hasScratch ? shareOuter(shape, {int64_t(axisOf(op))}, size * kSortWork) : Sharing();
  return ir::SortAttr::get(p.context(), sharing.axis, sharing.grain);
}

ir::ScheduleAttr scheduleOf(ir::KernelOp kernel, const KernelLayout &layout, const Target &target) {
  Planner p(kernel, layout, target);
  switch (kernel.getKind()) {
  case ir::KernelKind::Elementwise: return scheduleNest(p);
  case ir::KernelKind::Reduction: return scheduleReduction(p);
  case ir::KernelKind::Contraction: return scheduleContraction(p);
  case ir::KernelKind::Convolution: return scheduleConvolution(p);
  case ir::KernelKind::Assemble: return scheduleAssemble(p);
  case ir::KernelKind::Scatter: return scheduleScatter(p);
  case ir::KernelKind::Scan: return scheduleScan(p);
  case ir::KernelKind::Compact: return scheduleCompact(p);
  case ir::KernelKind::Sort: return scheduleSort(p);
  case ir::KernelKind::Library:
  case ir::KernelKind::Control: break;
  }
  return nullptr;
}

//===-- checks ------------------------------------------------------------------------------------------------------===//

InFlightDiagnostic refuse(ir::KernelOp kernel, StringRef field) { return kernel.emitOpError() << "schedule: " << field << ": "; }

static LogicalResult checkStreams(ir::KernelOp kernel, const KernelLayout &layout, ArrayRef<int64_t> stream, bool isCollapsed) {
  for (int64_t i : stream)
    if (!canStream(layout.outputs[size_t(i)], isCollapsed))
      return refuse(kernel, "stream") << "expected a result of the program in rows of whole lines of the cache, got result " << i;
  return success();
}

/// Tasks have scratch of their own, whose size the program must know.
static LogicalResult checkScratch(ir::KernelOp kernel, const KernelLayout &layout, Extent size, int64_t parallel) {
  if (parallel < 0 || size || layout.isOpen) return success();
  return refuse(kernel, "parallel") << "expected none where the size of the scratch memory is not known";
}

static LogicalResult checkRows(ir::KernelOp kernel, const KernelLayout &layout, ir::RowsAttr rows) {
  bool keeps = llvm::any_of(rows.getStages(), [](ir::StageAttr stage) { return !stage.getKeep().empty(); });
  auto [space, axis] = spaceOf(kernel);
  if (keeps && !space[axis] && !layout.isOpen) return refuse(kernel, "keep") << "expected nothing where the size of a row is not known";
  return checkStreams(kernel, layout, rows.getStream(), false);
}

LogicalResult checkSchedule(ir::KernelOp kernel, const KernelLayout &layout) {
  if (ir::isCall(kernel.getKind())) return success();
  if (!kernel.getSchedule()) return kernel.emitOpError("expected a schedule: run kiln-schedule first");
  return TypeSwitch<Attribute, LogicalResult>(*kernel.getSchedule())
      .Case([&](ir::NestAttr nest) -> LogicalResult {
        if (nest.getCollapse() && !isFlat(kernel, layout))
          return refuse(kernel, "collapse") << "expected arrays that are all read and written in the order of memory";
        return checkStreams(kernel, layout, nest.getStream(), nest.getCollapse());
      })
      .Case([&](ir::RowsAttr rows) { return checkRows(kernel, layout, rows); })
      .Case([&](ir::ColumnsAttr columns) { return checkStreams(kernel, layout, columns.getStream(), false); })
      .Case([&](ir::SortAttr sort) {
        return checkScratch(kernel, layout, extentsOf(kernel.getResult(0))[axisOf(mainOp(kernel))], sort.getParallel());
      })
      .Case<ir::ProductAttr, ir::RankUpdateAttr>([&](auto) { return checkContraction(kernel, layout); })
      .Case<ir::ConvolutionAttr>([&](auto) { return checkConvolution(kernel, layout); })
      .Case<ir::GridAttr, ir::RowGroupsAttr, ir::ColumnThreadsAttr, ir::ThreadTilesAttr, ir::LinesAttr>(
          [&](Attribute other) -> LogicalResult { return refuse(kernel, "kind") << "expected one for the CPU, got " << other; })
      .Default(success());
}

} // namespace kiln::cpu
