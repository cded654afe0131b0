// What schedules may say of reductions: which run in one loop, and what it keeps.
#include "dialects/kiln/ScheduleFields.h"

using namespace mlir;

namespace kiln::ir {

bool isInBlocks(Operation *reduction) {
  auto [space, axis] = reducedSpace(reduction);
  return cast<ArrayOp>(reduction).getRecord().blocked && (axis == space.rank - 1 || !isa<DotGeneralOp>(reduction));
}

bool canSweep(Operation *reduction) {
  DType dtype = typeOf(reduction->getOperand(0)).dtype;
  return !isComplex(dtype) && (isKind(reduction, Kind::Reduce) || (isKind(reduction, Kind::Contract) && !isNarrow(dtype)));
}

namespace {

/// Each reduction once, and behind those that it needs; kept values where all that they need is known.
class StageCheck {
public:
  StageCheck(Fields &fields, KernelOp kernel) : fields(fields) {
    for (Operation &op : kernel.getBody().front().without_terminator()) {
      numbers[&op] = int64_t(ops.size());
      ops.push_back(&op);
      if (kernelKindOf(&op)) ++left;
    }
    std::tie(space, axis) = reducedSpace(mainOf(kernel));
    isRow = axis == space.rank - 1;
    stage.resize(ops.size(), -1);
  }

  void run(ArrayRef<StageAttr> stages) {
    for (auto [i, each] : llvm::enumerate(stages)) {
      if (each.getReduce().empty() && fields) fields.fail("stages") << "expected reductions in each";
      for (int64_t number : each.getReduce()) reduce(number, int64_t(i), each);
    }
    if (fields && left) fields.fail("stages") << "expected all reductions, got all but " << left;
    findReady();
    for (auto [i, each] : llvm::enumerate(stages)) {
      for (int64_t number : each.getReduce()) check("reduce", number, int64_t(i));
      for (int64_t number : each.getKeep()) keep(number, int64_t(i));
    }
  }

private:
  Fields &fields;
  SmallVector<Operation *> ops;
  DenseMap<Operation *, int64_t> numbers;
  SmallVector<int64_t> stage, ready; // of each op: where it is reduced; the first stage in which it can be computed
  int64_t left = 0;
  Shape space;
  int axis;
  bool isRow;

  void reduce(int64_t number, int64_t at, StageAttr all) {
    if (!fields.range("reduce", number, 0, int64_t(ops.size()) - 1)) return;
    Operation *op = ops[size_t(number)];
    if (!kernelKindOf(op))
      return void(fields.fail("reduce") << "expected a reduction, got operation " << number << ", '" << op->getName() << "'");
    if (stage[size_t(number)] >= 0) return void(fields.fail("reduce") << "expected each reduction once, got " << number << " again");
    stage[size_t(number)] = at;
    --left;
    if (isInBlocks(op) != isInBlocks(ops[size_t(all.getReduce()[0])]))
      fields.fail("reduce") << "expected sums and products apart from the others, got " << number << " beside " << all.getReduce()[0];
  }

  void findReady() {
    for (Operation *op : ops) {
      int64_t first = 0;
      for (Value v : op->getOperands())
        if (auto found = numbers.find(v.getDefiningOp()); found != numbers.end())
          first = std::max(first, stage[size_t(found->second)] >= 0 ? stage[size_t(found->second)] + 1 : ready[size_t(found->second)]);
      ready.push_back(first);
    }
  }

  void check(StringRef what, int64_t number, int64_t at) {
    if (fields && ready[size_t(number)] > at)
      fields.fail(what) << "expected operation " << number << " in stage " << ready[size_t(number)] << " or later, got " << at;
  }

  void keep(int64_t number, int64_t at) {
    if (fields && !isRow) fields.fail("keep") << "expected nothing where another axis than the last is reduced";
    if (!fields.range("keep", number, 0, int64_t(ops.size()) - 1)) return;
    Operation *op = ops[size_t(number)];
    bool isKept = !kernelKindOf(op) && typeOf(op->getResult(0)).shape == space;
    if (!isKept) return void(fields.fail("keep") << "expected a value of shape " << toString(space) << ", got operation " << number);
    if (!kept.insert(op).second) return void(fields.fail("keep") << "expected each value once, got " << number << " again");
    check("keep", number, at);
  }
  llvm::DenseSet<Operation *> kept;
};

} // namespace

/// Whether the reductions run along the last axis, as `isRow` says.
static void checkAxis(Fields &fields, KernelOp kernel, StringRef name, bool isRow) {
  auto [space, axis] = reducedSpace(mainOf(kernel));
  if (fields && (axis == space.rank - 1) != isRow)
    fields.fail(name) << "expected reductions of " << (isRow ? "the last axis" : "another axis than the last") << ", got axis " << axis
                      << " of " << toString(space);
}

LogicalResult RowsAttr::verifyFor(Operation *op) const {
  auto kernel = cast<KernelOp>(op);
  Fields fields(kernel, KernelKind::Reduction, getMnemonic());
  if (!fields) return failure();
  auto [space, axis] = reducedSpace(mainOf(kernel));
  checkAxis(fields, kernel, getMnemonic(), true);
  fields.powerOfTwo("lanes", getLanes(), 1, 4 * kMostLanes).range("prefetch", getPrefetch(), 0, kMostPrefetchBytes);
  checkParallel(fields, getParallel(), getGrain(), space.rank, axis);
  checkStream(fields, kernel, getStream());
  if (fields && getCount() && llvm::none_of(kernel.getBody().front(), [](Operation &op) { return isCount(&op); }))
    fields.fail("count") << "expected a sum of true elements";
  StageCheck(fields, kernel).run(getStages());
  return fields.result();
}

LogicalResult ColumnsAttr::verifyFor(Operation *op) const {
  auto kernel = cast<KernelOp>(op);
  Fields fields(kernel, KernelKind::Reduction, getMnemonic());
  if (!fields) return failure();
  auto [space, axis] = reducedSpace(mainOf(kernel));
  checkAxis(fields, kernel, getMnemonic(), false);
  fields.powerOfTwo("lanes", getLanes(), 1, 2 * kMostLanes).range("prefetch", getPrefetch(), 0, 1024);
  if (getWide()) fields.powerOfTwo("wide", getWide(), 2 * getLanes(), 4 * kMostLanes);
  fields.powerOfTwo("rows", getRows(), 1, kMostUnrolled);
  checkParallel(fields, getParallel(), getGrain(), space.rank, axis);
  checkStream(fields, kernel, getStream());
  StageCheck(fields, kernel).run(getStages());
  if (!fields || !getSweep()) return fields.result();
  Operation *main = mainOf(kernel);
  DType dtype = typeOf(main->getOperand(0)).dtype;
  bool isOne = getStages().size() == 1 && getStages()[0].getReduce().size() == 1 && canSweep(main);
  auto isFull = [&space = space](Type type) { return typeOf(type).shape == space; };
  if (!isOne || llvm::any_of(kernel.getResultTypes(), isFull))
    fields.fail("sweep") << "expected one reduction of real numbers, and no result of its operand's shape";
  fields.range("sweep", getSweep(), 1, kMostSweepBytes)
      .multiple("sweep", getSweep(), 64)
      .bytes("sweep", getSweep() * byteSize(dtype), kMostSweepBytes);
  return fields.result();
}

//===-- by the threads of blocks ------------------------------------------------------------------------------------===//

LogicalResult RowGroupsAttr::verifyFor(Operation *op) const {
  auto kernel = cast<KernelOp>(op);
  Fields fields(kernel, KernelKind::Reduction, getMnemonic());
  if (!fields) return failure();
  checkAxis(fields, kernel, getMnemonic(), true);
  fields.powerOfTwo("threads", getThreads(), kWarp, kMostThreads).powerOfTwo("rows", getRows(), 1, kMostThreads / kWarp);
  if (fields && getThreads() > kWarp) fields.range("rows", getRows(), 1, 1);
  if (fields && getRows() * getThreads() > kMostThreads)
    fields.fail("rows") << "expected at most " << kMostThreads << " threads in all, got " << getRows() * getThreads();
  if (getSplit()) fields.powerOfTwo("split", getSplit(), kWarp, kMostSize).range("resident", getResident(), 0, 0);
  StageCheck(fields, kernel).run(getStages());
  return fields.result();
}

LogicalResult ColumnThreadsAttr::verifyFor(Operation *op) const {
  auto kernel = cast<KernelOp>(op);
  Fields fields(kernel, KernelKind::Reduction, getMnemonic());
  if (!fields) return failure();
  checkAxis(fields, kernel, getMnemonic(), false);
  fields.powerOfTwo("threads", getThreads(), kWarp, kMostThreads);
  if (getSplit()) fields.powerOfTwo("split", getSplit(), 2, kMostSize);
  StageCheck(fields, kernel).run(getStages());
  return fields.result();
}

} // namespace kiln::ir
