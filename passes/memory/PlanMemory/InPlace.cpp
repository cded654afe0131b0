#include "passes/memory/PlanMemory/InPlace.h"

using namespace mlir;

namespace kiln {

Value changedInput(ir::KernelOp kernel, unsigned i) {
  auto result = dyn_cast<OpResult>(kernel.getBody().front().getTerminator()->getOperand(i));
  Operation *op = result ? result.getOwner() : nullptr;
  bool isPart = op && kernel.getNumResults() == 1 && (isa<ir::UpdateOp, ir::DynamicUpdateOp>(op) || ir::isKind(op, Kind::Scatter));
  auto sized = dyn_cast_or_null<ir::SizedOp>(op);
  bool isBranch = isa_and_nonnull<ir::BranchOp>(op);
  if (!isPart && !sized && !isBranch && !isa_and_nonnull<ir::LoopOp>(op)) return nullptr;
  unsigned number = isPart ? 0 : result.getResultNumber() + (sized ? unsigned(sized.getMost().size()) : isBranch);
  if (number >= op->getNumOperands()) return nullptr;
  auto base = dyn_cast<BlockArgument>(op->getOperand(number));
  if ((sized || isBranch) && base && base.getType() != result.getType()) return nullptr;
  if (!base || !(base.hasOneUse() || ir::changesOneElement(op))) return nullptr;
  Value memory = ir::memoryOf(kernel.getInputs()[base.getArgNumber()]);
  auto isSame = [&](Value other) { return ir::memoryOf(other) == memory; };
  return llvm::count_if(kernel.getInputs(), isSame) == 1 ? memory : nullptr;
}

Reads::Reads(ir::KernelOp kernel) : kernel(kernel) {
  Block &body = kernel.getBody().front();
  isInStep = kernel.getKind() == ir::KernelKind::Elementwise;
  for (Operation &op : llvm::reverse(body.without_terminator())) {
    isInStep &= !isa<ir::TransposeOp>(op); // in tiles, whose elements are read and written in different orders
    bool isSame = ir::isKind(&op, Kind::Elementwise) && !llvm::any_of(op.getResults(), [&](Value v) { return elsewhere.contains(v); });
    if (!isSame) elsewhere.insert_range(op.getOperands());
  }
}

bool Reads::allow(unsigned result, Value memory) {
  if (memory == changedInput(kernel, result)) return true;
  if (!isInStep) return false;
  for (auto [argument, input] : llvm::zip(kernel.getBody().getArguments(), kernel.getInputs()))
    if (ir::memoryOf(input) == memory && (elsewhere.contains(argument) || argument.getType() != kernel.getResult(result).getType()))
      return false;
  return true;
}

static int64_t countFailing(ir::KernelOp kernel) {
  return llvm::count_if(kernel.getBody().front().without_terminator(), [](Operation &op) {
    auto array = dyn_cast<ir::ArrayOp>(op);
    return array && (mayFail(array.getKind()) || array.getKind() == Kind::Control);
  });
}

bool mayFail(ir::KernelOp kernel) { return countFailing(kernel) > 0; }

bool failsFirst(ir::KernelOp kernel) { return kernel.getKind() == ir::KernelKind::Scatter && countFailing(kernel) == 1; }

} // namespace kiln
