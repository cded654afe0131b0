#include "passes/fuse/Fuse/Moves.h"

#include "lib/Core/Stats.h"
#include "mlir/IR/Builders.h"

using namespace mlir;

namespace kiln {

bool Moves::isMove(Operation *op) {
  if (ir::isKind(op, Kind::Index) || ir::isKind(op, Kind::Source)) return true;
  // A scalar of arithmetic is hoisted out of every loop.
  return ir::isKind(op, Kind::Elementwise) && ir::typeOf(op->getResult(0)).shape.rank == 0;
}

void Moves::requireMemory(Value v) {
  Operation *op = v.getDefiningOp();
  while (op && isa<ir::ReshapeOp>(op) && roots.insert(op).second) op = op->getOperand(0).getDefiningOp();
  if (op && !isa<ir::ReshapeOp>(op) && isMove(op)) roots.insert(op);
}

/// Each output needs memory of its own: one that is an argument, or another output, is copied. What a body gives as it was given stays.
void Moves::copyAliasedOutputs() {
  Operation *end = block.getTerminator();
  DenseSet<Value> taken;
  OpBuilder b(end);
  for (OpOperand &output : end->getOpOperands()) {
    Value root = ir::memoryOf(output.get());
    auto argument = dyn_cast<BlockArgument>(root);
    bool mayStay = !argument || (fn.isPrivate() && root == output.get() && argument.getArgNumber() == output.getOperandNumber());
    if (mayStay && taken.insert(root).second) continue;
    output.set(ir::CopyOp::create(b, end->getLoc(), output.get().getType(), output.get()));
    count("fuse.copies");
  }
}

/// The operand of a product in memory: where it is repeated along batch axes alone, what is repeated; the product reads it at each.
static Value inMemory(ir::DotGeneralOp dot, Value operand) {
  auto broadcast = operand.getDefiningOp<ir::BroadcastOp>();
  int64_t rank = ir::typeOf(operand).shape.rank, batches = int64_t(dot.getXBatch().size());
  if (!broadcast || rank != batches + 2 || !llvm::is_sorted(dot.getXBatch()) || !llvm::is_sorted(dot.getYBatch())) return operand;
  Shape x = ir::typeOf(broadcast.getX()).shape, to = ir::typeOf(operand).shape;
  ArrayRef<int64_t> axes = broadcast.getAxes();
  auto isWhole = [&](int64_t axis) {
    auto at = llvm::find(axes, axis);
    return at != axes.end() && x[int(at - axes.begin())] == to[int(axis)];
  };
  return isWhole(rank - 2) && isWhole(rank - 1) ? broadcast.getX() : operand;
}

/// Whether what is pulled with a value reads an array; also where it is too much to find out.
bool Moves::readsWhenPulled(Value v, Value array) {
  constexpr size_t kMost = 64;
  llvm::SetVector<Value> ahead;
  ahead.insert(v);
  for (size_t i = 0; i < ahead.size(); ++i) {
    if (i == kMost || ir::memoryOf(ahead[i]) == array) return true;
    Operation *op = ahead[i].getDefiningOp();
    if (op && (isMove(op) || isa<ir::ReshapeOp>(op))) ahead.insert(op->getOperands().begin(), op->getOperands().end());
  }
  return false;
}

void Moves::findRoots() {
  for (Operation &op : llvm::make_early_inc_range(llvm::reverse(block))) {
    if (op.hasTrait<OpTrait::IsTerminator>()) {
      for (Value v : op.getOperands()) requireMemory(v);
      continue;
    }
    if (op.use_empty()) {
      op.erase();
      continue;
    }
    if (isa<ir::ReshapeOp>(op) && !ir::addsOnlyUnitAxes(&op)) requireMemory(op.getOperand(0));
    if (auto dot = dyn_cast<ir::DotGeneralOp>(op); dot && !ir::isVectorProduct(dot))
      for (Value v : op.getOperands()) requireMemory(inMemory(dot, v));
    if (auto convolution = dyn_cast<ir::ConvolutionOp>(op)) requireMemory(convolution.getW()); // read once for each position
    // What is moved inside of an array is read before it is written, so that the array can be changed where it lies.
    bool isPart = isa<ir::UpdateOp, ir::DynamicUpdateOp>(op) && !ir::changesOneElement(&op);
    if (isPart && readsWhenPulled(op.getOperand(1), ir::memoryOf(op.getOperand(0)))) requireMemory(op.getOperand(1));
    for (OpOperand &operand : op.getOpOperands())
      if (cast<ir::ArrayOp>(op).getAccess(operand.getOperandNumber()) == ir::Access::Memory) requireMemory(operand.get());
  }
}

/// A reshape names the memory of its operand by other sizes, and a body reads row-major arrays, which a strided argument's memory does not
/// allow: it is copied.
void Moves::copyReshapedArguments() {
  OpBuilder b = OpBuilder::atBlockBegin(&block);
  for (BlockArgument argument : block.getArguments()) {
    if (!fn.getArgAttr(argument.getArgNumber(), ir::kStrides)) continue;
    Value copy;
    for (OpOperand &use : llvm::make_early_inc_range(argument.getUses())) {
      if (!isAlias(use.getOwner()) && !isa<ir::LoopOp, ir::BranchOp, ir::SizedOp>(use.getOwner())) continue;
      if (!copy) copy = ir::CopyOp::create(b, argument.getLoc(), argument.getType(), argument);
      use.set(copy);
    }
    if (copy) count("fuse.copies");
  }
}

/// Whether the arithmetic behind a scalar is too much for each kernel, or even each element, to do again. What follows from a scalar
/// that is computed once is computed with it.
bool Moves::isMuch(Operation *scalar) {
  constexpr size_t kMostOps = 48; // loads among them
  constexpr int kMostCost = 200;  // in costs of the records
  int cost = 0;
  llvm::SetVector<Operation *> cone;
  cone.insert(scalar);
  for (size_t i = 0; i < cone.size(); ++i) {
    if (settled.contains(cone[i])) return true;
    if (!isPulled(cone[i])) continue;
    cost += rules.costOf(cast<ir::ArrayOp>(cone[i]));
    if (cost > kMostCost || cone.size() > kMostOps) return true;
    for (Value v : cone[i]->getOperands())
      if (Operation *op = v.getDefiningOp()) cone.insert(op);
  }
  return false;
}

/// What is pulled is evaluated by recursion, and again in each kernel: it must be neither deep nor much.
void Moves::limitPulled() {
  constexpr int kDeepest = 24;
  DenseMap<Operation *, int> depths;
  for (Operation &op : block.without_terminator()) {
    if (!isPulled(&op)) continue;
    int &depth = depths[&op];
    for (Value v : op.getOperands())
      if (Operation *from = v.getDefiningOp(); isPulled(from)) depth = std::max(depth, depths.lookup(from) + 1);
    bool isScalar = ir::isKind(&op, Kind::Elementwise);
    if (depth <= kDeepest && !(isScalar && isMuch(&op))) continue;
    requireMemory(op.getResult(0));
    if (isScalar) settled.insert(&op);
    count("fuse.settled");
  }
}

/// What a loop writes row by row starts as an array of zeros for each result, whose memory that takes over: one for several would be copied
/// to each, and stay.
void Moves::startLoopsApart() {
  constexpr int64_t kLeast = 1 << 14; // bytes; what is smaller is copied as fast as it is filled
  auto isSmall = [](const TensorType &type) { return type.shape.isStatic() && numElements(type.shape) * byteSize(type.dtype) < kLeast; };
  for (ir::LoopOp loop : block.getOps<ir::LoopOp>())
    for (OpOperand &start : loop->getOpOperands().take_front(loop.getNumResults())) {
      auto fill = start.get().getDefiningOp<ir::BroadcastOp>();
      if (!fill || start.get().hasOneUse() || isSmall(ir::typeOf(start.get()))) continue;
      start.set(OpBuilder(loop).clone(*fill)->getResult(0));
      count("fuse.copies");
    }
}

void Moves::prepare() {
  startLoopsApart();
  copyAliasedOutputs();
  findRoots();
  copyReshapedArguments();
  limitPulled();
}

void Moves::producers(Value v, llvm::SetVector<Operation *> &found) {
  DenseSet<Operation *> seen;
  SmallVector<Value> ahead = {v};
  while (!ahead.empty()) {
    Operation *op = ahead.pop_back_val().getDefiningOp();
    if (!op) continue;
    if (!isPulled(op) && !isAlias(op)) found.insert(op);
    else if (seen.insert(op).second)
      for (Value operand : llvm::reverse(op->getOperands())) ahead.push_back(operand);
  }
}

} // namespace kiln
