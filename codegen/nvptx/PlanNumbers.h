// Numbers of a launch plan in the IR: arithmetic on the sizes that a function is given, its last arguments.
#pragma once

#include "codegen/cpu/Emit.h"
#include "lib/Core/LaunchPlan.h"

namespace kiln::nvptx {

/// Values that a function computes from its sizes, as numbers of a plan.
class PlanNumbers {
public:
  PlanNumbers(mlir::Block *body, int64_t sizes) : first(int64_t(body->getNumArguments()) - sizes) {}

  PlanNumber of(cpu::Index index) const { return index.isStatic() ? PlanNumber(index.number()) : ofValue(index.base()) + index.offset(); }

private:
  int64_t first; // argument that is a size

  PlanNumber ofValue(mlir::Value v) const;
};

/// The first byte that a pointer may touch and the one behind the last, as an attribute (kExtents): numbers, or their text where they
/// follow from sizes.
mlir::Attribute extentAttribute(mlir::OpBuilder &b, const PlanNumber &low, const PlanNumber &high);

} // namespace kiln::nvptx
