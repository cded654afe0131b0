#include "passes/memory/PlanMemory/Lifetimes.h"

#include "passes/memory/PlanMemory/InPlace.h"

using namespace mlir;

namespace kiln {

Lifetimes::Lifetimes(func::FuncOp program) {
  for (auto [i, op] : llvm::enumerate(program.getBody().front())) {
    order[&op] = int64_t(i);
    if (auto alias = dyn_cast<ir::ReshapeOp>(op)) {
      roots[alias] = rootOf(alias.getX());
      continue;
    }
    for (Value operand : op.getOperands()) last[rootOf(operand)] = int64_t(i);
    for (Value result : op.getResults()) last[result] = int64_t(i);
    if (op.hasTrait<OpTrait::IsTerminator>())
      for (Value operand : op.getOperands()) outputs.insert(rootOf(operand));
  }
}

std::optional<int64_t> Lifetimes::lastUse(Value root) const {
  return outputs.contains(root) ? std::nullopt : std::optional(last.lookup_or(root, -1));
}

int64_t firstSafe(func::FuncOp program, const Lifetimes &lifetimes) {
  int64_t safe = 0; // kernels that can fail stand before, or look first
  for (ir::KernelOp kernel : program.getOps<ir::KernelOp>())
    if (mayFail(kernel)) safe = lifetimes.at(kernel) + (failsFirst(kernel) ? 0 : 1);
  return safe;
}

} // namespace kiln
