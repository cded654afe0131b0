#include "passes/memory/PlanMemory/InPlace.h"

using namespace mlir;

namespace kiln {

/// The input that the one result of a kernel is a changed copy of.
static Value changedInput(ir::KernelOp kernel) {
  if (kernel.getNumResults() != 1) return nullptr;
  Operation *op = kernel.getBody().front().getTerminator()->getOperand(0).getDefiningOp();
  if (!op || !(isa<ir::UpdateOp, ir::DynamicUpdateOp>(op) || ir::isKind(op, Kind::Scatter))) return nullptr;
  auto base = dyn_cast<BlockArgument>(op->getOperand(0));
  if (!base || !base.hasOneUse()) return nullptr;
  Value memory = ir::memoryOf(kernel.getInputs()[base.getArgNumber()]);
  auto isSame = [&](Value other) { return ir::memoryOf(other) == memory; };
  return llvm::count_if(kernel.getInputs(), isSame) == 1 ? memory : nullptr;
}

Reads::Reads(ir::KernelOp kernel) : kernel(kernel), changed(changedInput(kernel)) {
  Block &body = kernel.getBody().front();
  isInStep = kernel.getKind() == ir::KernelKind::Elementwise;
  for (Operation &op : llvm::reverse(body.without_terminator())) {
    isInStep &= !isa<ir::TransposeOp>(op); // in tiles, whose elements are read and written in different orders
    bool isSame = ir::isKind(&op, Kind::Elementwise) && !llvm::any_of(op.getResults(), [&](Value v) { return elsewhere.contains(v); });
    if (!isSame) elsewhere.insert_range(op.getOperands());
  }
}

bool Reads::allow(unsigned result, Value memory) {
  if (change(memory)) return true;
  if (!isInStep) return false;
  for (auto [argument, input] : llvm::zip(kernel.getBody().getArguments(), kernel.getInputs()))
    if (ir::memoryOf(input) == memory && (elsewhere.contains(argument) || argument.getType() != kernel.getResult(result).getType()))
      return false;
  return true;
}

bool mayFail(ir::KernelOp kernel) {
  return llvm::any_of(kernel.getBody().front().without_terminator(), [](Operation &op) {
    auto array = dyn_cast<ir::ArrayOp>(op);
    return array && (mayFail(array.getKind()) || array.getKind() == Kind::Control);
  });
}

} // namespace kiln
