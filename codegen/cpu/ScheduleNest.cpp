// Loops without a reduction: which axes are one, and in which order and squares the others are taken.
#include "codegen/cpu/Schedule.h"

#include "llvm/ADT/DenseSet.h"

using namespace mlir;

namespace kiln::cpu {
namespace {

/// Finds the axis along which operands are consecutive that are not so along the lanes.
class TransposedAxis {
public:
  TransposedAxis(const KernelLayout &layout, size_t rank) : layout(layout), last(int(rank) - 1), votes(rank, 0) {}

  std::optional<size_t> find(ValueRange values) {
    SmallVector<int> axes;
    for (int i = 0; i <= last; ++i) axes.push_back(i);
    for (Value v : values) visit(v, axes);
    auto most = llvm::max_element(votes);
    return most == votes.end() || *most == 0 ? std::nullopt : std::optional(size_t(most - votes.begin()));
  }
  /// Of the operands found.
  int64_t elementBytes = 1;

private:
  const KernelLayout &layout;
  int last;
  SmallVector<int> votes;
  DenseSet<Value> seen;

  /// `axes`: the axis of the result that each axis of the value follows, one step for one; -1: none.
  void visit(Value value, SmallVector<int> along) {
    SmallVector<std::pair<Value, SmallVector<int>>> ahead = {{value, along}};
    while (!ahead.empty()) {
      auto [v, axes] = ahead.pop_back_val();
      if (!seen.insert(v).second) continue;
      auto array = layout.inputs.find(v);
      if (array != layout.inputs.end()) {
        vote(array->second, axes);
        continue;
      }
      Operation *op = v.getDefiningOp();
      if (ir::isKind(op, Kind::Elementwise))
        for (Value operand : llvm::reverse(op->getOperands())) ahead.push_back({operand, axes});
      else if (ir::isKind(op, Kind::Index) && !isa<ir::DynamicSliceOp>(op)) ahead.push_back({op->getOperand(0), through(op, axes)});
    }
  }

  void vote(const Layout &array, ArrayRef<int> axes) {
    std::optional<size_t> along;
    bool crosses = false;
    for (auto [axis, stride] : llvm::zip(axes, array.strides)) {
      if (axis == last) crosses |= stride != 1 && stride != 0;
      else if (axis >= 0 && stride == 1) along = size_t(axis);
    }
    if (!crosses || !along || isComplex(array.dtype)) return;
    ++votes[*along];
    elementBytes = std::max(elementBytes, byteSize(array.dtype));
  }

  static SmallVector<int> through(Operation *op, ArrayRef<int> axes) {
    Shape from = ir::typeOf(op->getOperand(0)).shape, to = ir::typeOf(op->getResult(0)).shape;
    SmallVector<int> result;
    if (auto broadcast = dyn_cast<ir::BroadcastOp>(op)) {
      for (auto [i, a] : llvm::enumerate(broadcast.getAxes()))
        result.push_back(from[int(i)].is(1) && !to[int(a)].is(1) ? -1 : axes[size_t(a)]);
    } else if (auto transpose = dyn_cast<ir::TransposeOp>(op)) {
      result.resize(axes.size());
      for (auto [i, p] : llvm::enumerate(transpose.getPermutation())) result[size_t(p)] = axes[i];
    } else if (auto slice = dyn_cast<ir::SliceOp>(op)) {
      for (auto [axis, step] : llvm::zip(axes, slice.getSteps())) result.push_back(step == 1 ? axis : -1);
    } else {
      result = ir::throughUnitAxes(from, to, axes, -1);
    }
    return result;
  }
};

/// Whether an array is read in three places or more, not all of one row: a stencil.
bool readsNeighbourRows(ir::KernelOp kernel) {
  constexpr size_t kSeveral = 3;
  llvm::DenseMap<Value, SmallVector<ir::SliceOp, 4>> slices;
  for (auto slice : kernel.getBody().front().getOps<ir::SliceOp>()) slices[slice.getX()].push_back(slice);
  return llvm::any_of(slices, [](auto &read) {
    return read.second.size() >= kSeveral && llvm::any_of(read.second, [&](ir::SliceOp s) {
             return ArrayRef(s.getStarts()).drop_back() != ArrayRef(read.second[0].getStarts()).drop_back();
           });
  });
}

/// A cheap kernel reads four vectors before the first is stored, since a load right behind a store whose address ends in the same 12 bits
/// waits for it (measured: 15 % of `x * 2` on arrays that begin 48 bytes apart).
int64_t lanesOf(const Planner &p) {
  constexpr int64_t kCheap = 3, kFewLanes = 16;
  return p.target.isWide() && p.lanes >= kFewLanes && p.cost <= kCheap ? 2 * p.lanes : p.lanes;
}

/// The cheapest wait for memory alone. Of arrays that begin between two lines (NumPy's memory), a load as wide as a line touches two each
/// time, one of half the width every second time: 5 to 12 % of `x + y` on Zen 4, and nothing is lost where they begin with a line.
int64_t registersOf(const Planner &p) { return p.target.isWide() && p.cost <= 1 ? 256 : 0; }

/// Squares of `lanes` x `lanes`, of `axis` and the last: a line of the cache on either side where registers allow it.
ir::NestAttr transposedNest(const Planner &p, ArrayRef<Extent> shape, size_t axis, int64_t lanes) {
  constexpr int64_t kBlock = 512; // rows whose pages the processor keeps in mind
  size_t last = shape.size() - 1;
  SmallVector<int64_t> skip = {int64_t(axis), int64_t(last)};
  Extent rows = shape[axis] ? Extent(*shape[axis] / lanes * lanes) : Extent();
  Sharing sharing = hasOuterLoop(shape, skip) ? shareOuter(shape, skip, shape[axis] * shape[last] * p.cost)
                                              : shareLoop(int64_t(axis), rows, kBlock, shape[last] * p.cost);
  return ir::NestAttr::get(p.context(), lanes, false, 1, int64_t(axis), kBlock, sharing.axis, sharing.grain, {}, 0, false);
}

/// Some neighbouring rows at a time: what several of them read is loaded once.
ir::NestAttr stencilNest(const Planner &p, ArrayRef<Extent> shape) {
  constexpr int64_t kRows = 4;
  size_t last = shape.size() - 1, axis = last - 1;
  int64_t lanes = lanesFor(shape[last], std::min<int64_t>(p.lanes, 16));
  SmallVector<int64_t> skip = {int64_t(axis), int64_t(last)};
  Extent rowWork = p.cost * shape[last];
  Sharing sharing =
      hasOuterLoop(shape, skip) ? shareOuter(shape, skip, rowWork * shape[axis]) : shareVectors(int64_t(axis), shape[axis], kRows, rowWork);
  return ir::NestAttr::get(p.context(), lanes, false, kRows, -1, 0, sharing.axis, sharing.grain, {}, 0, false);
}

} // namespace

ir::NestAttr nestOf(const Planner &p, ArrayRef<Extent> shape, ValueRange values) {
  if (shape.empty()) return ir::NestAttr::get(p.context(), 1, false, 1, -1, 0, -1, 1, {}, 0, false);
  if (shape.size() > 1) {
    TransposedAxis transposed(p.layout, shape.size());
    if (auto axis = transposed.find(values)) {
      int64_t lanes = std::max<int64_t>(4, std::min<int64_t>(p.target.isWide() ? 16 : 8, p.target.vectorBytes / transposed.elementBytes));
      auto isSmall = [&](Extent n) { return n && *n < lanes; };
      if (!isSmall(shape[*axis]) && !isSmall(shape.back())) return transposedNest(p, shape, *axis, lanes);
    }
    if (readsNeighbourRows(p.kernel)) return stencilNest(p, shape);
  }
  int64_t last = int64_t(shape.size()) - 1, lanes = lanesFor(shape.back(), lanesOf(p));
  Sharing sharing =
      hasOuterLoop(shape, {last}) ? shareOuter(shape, {last}, p.cost * shape.back()) : shareVectors(last, shape.back(), lanes, p.cost);
  return ir::NestAttr::get(p.context(), lanes, false, 1, -1, 0, sharing.axis, sharing.grain, {}, 0, false);
}

bool isFlat(ir::KernelOp kernel, const KernelLayout &layout) {
  auto isWhole = [&](const Layout &array) {
    return array.shape.empty() || (array.isRowMajor && array.shape.size() == layout.outputs[0].shape.size());
  };
  bool inOrder = llvm::all_of(layout.outputs, isWhole) && llvm::all_of(layout.inputs, [&](auto &known) { return isWhole(known.second); });
  return inOrder && llvm::all_of(kernel.getBody().front().without_terminator(), [&](Operation &op) {
           if (auto broadcast = dyn_cast<ir::BroadcastOp>(op)) return ir::typeOf(broadcast.getX()).shape.rank == 0;
           return isa<ir::ConstantOp>(op) || ir::isKind(&op, Kind::Elementwise);
         });
}

ir::ScheduleAttr scheduleNest(const Planner &p) {
  ArrayRef<Extent> shape = p.layout.outputs[0].shape;
  SmallVector<int64_t> stream = p.streams();
  if (shape.size() > 1 && isFlat(p.kernel, p.layout)) {
    Extent size = 1;
    for (Extent n : shape) size = size * n;
    int64_t lanes = lanesFor(size, lanesOf(p));
    Sharing sharing = shareVectors(0, size, lanes, p.cost);
    return ir::NestAttr::get(p.context(), lanes, true, 1, -1, 0, sharing.axis, sharing.grain, stream, registersOf(p), false);
  }
  ir::NestAttr nest = nestOf(p, shape, p.yielded());
  return ir::NestAttr::get(p.context(), nest.getLanes(), false, nest.getRows(), nest.getTranspose(), nest.getBlock(), nest.getParallel(),
                           nest.getGrain(), stream, nest.getTranspose() < 0 ? registersOf(p) : 0, false);
}

} // namespace kiln::cpu
