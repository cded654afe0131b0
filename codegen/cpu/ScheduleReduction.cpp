// Reductions: which run in one loop, what is kept for the next, and how many columns are taken at once.
#include "codegen/cpu/Reducer.h"
#include "codegen/cpu/Schedule.h"

#include "llvm/ADT/SetVector.h"

#include <bit>

using namespace mlir;

namespace kiln::cpu {
namespace {

constexpr int kDearCost = 10;

/// The reductions of a kernel by how many others must have run before them.
class Stages {
public:
  Stages(ir::KernelOp kernel, const KernelLayout &layout) : kernel(kernel) {
    std::tie(space, axis) = spaceOf(kernel);
    isRow = axis + 1 == space.size();
    findLevels();
    if (isRow && (space[axis] || layout.isOpen)) findKept();
  }

  SmallVector<Extent, 4> space;
  size_t axis;
  bool isRow;
  SmallVector<Operation *> reducers;

  /// Sums run in blocks, products of matrix and column in one chain, the others in any order: each in loops of their own.
  SmallVector<ir::StageAttr> attributes() {
    SmallVector<ir::StageAttr> stages;
    for (size_t level = 0; level < kept.size() - 1; ++level) {
      SmallVector<int64_t> ordered, others, keep;
      for (Operation *op : reducers)
        if (levelOf[op] == level) (ir::isInBlocks(op) ? ordered : others).push_back(numbers[op]);
      for (Value v : kept[level]) keep.push_back(numbers[v.getDefiningOp()]);
      for (auto *reduce : {&ordered, &others})
        if (!reduce->empty()) stages.push_back(ir::StageAttr::get(kernel.getContext(), *reduce, std::exchange(keep, {})));
    }
    return stages;
  }

private:
  ir::KernelOp kernel;
  DenseMap<Operation *, int64_t> numbers;
  DenseMap<Operation *, size_t> levelOf;    // of reductions
  SmallVector<llvm::SetVector<Value>> kept; // values to keep, by the level that computes them first; behind the last the results

  void findLevels() {
    DenseMap<Operation *, size_t> ready; // the level in which an operation can be computed
    size_t levels = 0;
    for (Operation &op : kernel.getBody().front().without_terminator()) {
      numbers[&op] = int64_t(numbers.size());
      size_t level = 0;
      for (Value v : op.getOperands()) level = std::max(level, ready.lookup(v.getDefiningOp()));
      bool isReducer = ir::kernelKindOf(&op) == ir::KernelKind::Reduction;
      ready[&op] = level + isReducer;
      if (!isReducer) continue;
      levelOf[&op] = level;
      reducers.push_back(&op);
      levels = std::max(levels, level + 1);
    }
    kept.resize(levels + 1);
  }

  bool isFull(Value v) { return ir::typeOf(v).shape == ir::reducedSpace(reducers[0]).first; }

  /// Values of the space that each level computes.
  SmallVector<llvm::SetVector<Value>> reached() {
    SmallVector<llvm::SetVector<Value>> sets(kept.size());
    auto walk = [&](size_t level, Value from) {
      SmallVector<Value> ahead = {from};
      while (!ahead.empty()) {
        Value v = ahead.pop_back_val();
        Operation *op = v.getDefiningOp();
        if (!op || !isFull(v) || !sets[level].insert(v)) continue;
        for (Value operand : llvm::reverse(op->getOperands())) ahead.push_back(operand);
      }
    };
    for (Operation *op : reducers)
      for (Value v : op->getOperands()) walk(levelOf[op], v);
    for (Value v : kernel.getBody().front().getTerminator()->getOperands()) walk(kept.size() - 1, v);
    return sets;
  }

  /// What is dear and needed in several levels is kept in the first of them.
  void findKept() {
    auto sets = reached();
    DenseSet<Value> dear;
    auto levels = [&](Value v) { return llvm::count_if(sets, [&](auto &set) { return set.contains(v); }); };
    for (auto &set : sets)
      for (Value v : set)
        if (v.getDefiningOp<ir::ArrayOp>().getCost() >= kDearCost && levels(v) > 1) dear.insert(v);
    for (auto [set, keep] : llvm::zip(sets, kept))
      for (Value v : set)
        if (dear.erase(v)) keep.insert(v);
  }
};

/// Arrays beyond the caches are asked for ahead: the processor's own requests end with each page, and vectors across two lines wait for
/// both.
int64_t prefetchBytes(const Planner &p, const Stages &stages) {
  constexpr int64_t kLargeBytes = 8 << 20, kAhead = 4096;
  auto isLarge = [&](const auto &input) {
    Extent bytes = byteSize(input.second.dtype);
    for (Extent n : stages.space) bytes = bytes * n;
    return bytes && *bytes >= kLargeBytes && input.second.isRowMajor && input.second.shape == stages.space;
  };
  return llvm::any_of(p.layout.inputs, isLarge) ? kAhead : 0;
}

ir::ScheduleAttr scheduleRows(const Planner &p, Stages &stages) {
  constexpr int64_t kMost = 256, kManyBytes = 512, kCheap = 3, kMaskLanes = 64;
  // Where the order does not show and an element costs little, the registers hold many results so far: each waits for the one before it.
  Extent n = stages.space[stages.axis];
  int64_t bytes = 0; // of a result so far, with its position
  for (Operation *op : stages.reducers) {
    Reducer r = Reducer::of(op);
    bytes += byteSize(r.dtype) + (r.isArg() ? byteSize(r.numberType()) : 0);
  }
  int64_t many = std::clamp(int64_t(std::bit_floor(uint64_t(kManyBytes / bytes))), kRowLanes, kMost);
  bool hasMany = p.cost <= kCheap && llvm::none_of(stages.reducers, ir::isInBlocks) && (!n || *n >= kLongRow * many);
  bool counts = p.target.isWide() && llvm::any_of(stages.reducers, ir::isCount);
  int64_t lanes = hasMany ? many : counts && llvm::all_of(stages.reducers, ir::isCount) ? kMaskLanes : kRowLanes;
  Sharing sharing = shareOuter(stages.space, {int64_t(stages.axis)}, stages.space[stages.axis] * p.cost);
  return ir::RowsAttr::get(p.context(), stages.attributes(), lanesFor(n, lanes), sharing.axis, sharing.grain, p.streams(), counts,
                           prefetchBytes(p, stages));
}

/// Lanes that eight registers hold, where a few plain sums and the like leave the others free.
int64_t wideLanes(const Planner &p, ArrayRef<Operation *> reducers) {
  constexpr size_t kFew = 2;
  int64_t bytes = 4;
  for (Operation *op : reducers) {
    DType dtype = ir::typeOf(op->getOperand(0)).dtype;
    if (ir::isKind(op, Kind::Argreduce) || isComplex(dtype) || reducers.size() > kFew) return 0;
    bytes = std::max(bytes, byteSize(dtype));
  }
  return 8 * p.target.vectorBytes / bytes / int64_t(reducers.size());
}

/// Columns that a walk along the rows takes at once: their sums stay in the cache, and reads go on in memory as far as they can; two tiles
/// at least, for two threads.
int64_t sweepColumns(Extent columns, DType dtype, bool hasLevels) {
  constexpr int64_t kBytes = 64 << 10, kOpenBytes = 8 << 10, kLeast = 128;
  int64_t most = (columns || !hasLevels ? kBytes : kOpenBytes) / byteSize(dtype); // the levels of an open size take scratch memory
  if (!columns) return most;
  int64_t half = (*columns + 1) / 2;
  return std::clamp<int64_t>((half + kLeast - 1) / kLeast * kLeast, kLeast, most);
}

bool isMany(Extent n) {
  constexpr int64_t kMany = 128;
  return !n || *n >= kMany;
}

ir::ScheduleAttr scheduleColumns(const Planner &p, Stages &stages) {
  constexpr int64_t kRowsAhead = 8, kSweepRows = 8;
  auto space = stages.space;
  size_t axis = stages.axis, last = space.size() - 1;
  Operation *first = stages.reducers[0];
  DType dtype = ir::typeOf(first->getOperand(0)).dtype;
  auto isFull = [&](Value v) { return ir::typeOf(v).shape == ir::reducedSpace(first).first; };
  bool sweeps = stages.reducers.size() == 1 && ir::canSweep(first) && llvm::none_of(p.yielded(), isFull);
  if (ir::isKind(first, Kind::Contract)) sweeps &= isMany(space[axis]) && isMany(space[last]); // else registers hold all results so far
  int64_t lanes = p.lanes, wide = sweeps ? 0 : wideLanes(p, stages.reducers);
  if (!sweeps && space.back() && *space.back() <= std::max(lanes, wide)) lanes = lanesFor(space.back(), std::max(lanes, wide)); // one block
  if (wide <= lanes || (space.back() && *space.back() < wide)) wide = 0;
  int64_t sweep = sweeps ? sweepColumns(space.back(), dtype, ir::isInBlocks(first)) : 0;
  SmallVector<int64_t> skip = {int64_t(axis), int64_t(last)};
  Extent work = space[axis] * p.cost;
  bool isOuter = llvm::all_of(space, [](Extent n) { return n.has_value(); }) && hasOuterLoop(space, skip);
  Sharing sharing;
  if (isOuter) sharing = shareOuter(space, skip, work * space[last]);
  else if (sweep) sharing = shareLoop(int64_t(last), space[last], sweep, work);
  else sharing = shareVectors(int64_t(last), space[last], wide ? wide : lanes, work);
  return ir::ColumnsAttr::get(p.context(), stages.attributes(), lanes, wide, sweep ? 0 : kRowsAhead, sweep, sweep ? kSweepRows : 1,
                              sharing.axis, sharing.grain, p.streams());
}

} // namespace

std::pair<SmallVector<Extent, 4>, size_t> spaceOf(ir::KernelOp kernel) {
  for (Operation &op : kernel.getBody().front().without_terminator())
    if (ir::kernelKindOf(&op) == ir::KernelKind::Reduction) {
      auto [shape, axis] = ir::reducedSpace(&op);
      return {llvm::map_to_vector<4>(shape, extentOf), size_t(axis)};
    }
  return {};
}

SmallVector<ir::StageAttr> stagesOf(ir::KernelOp kernel, const KernelLayout &layout) { return Stages(kernel, layout).attributes(); }

ir::ScheduleAttr scheduleReduction(const Planner &p) {
  Stages stages(p.kernel, p.layout);
  return stages.isRow ? scheduleRows(p, stages) : scheduleColumns(p, stages);
}

} // namespace kiln::cpu
