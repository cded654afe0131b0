// From the form of kernels that a GPU target emits to code of this machine, in which each access of memory is told to the simulator.
#pragma once

#include "mlir/Pass/Pass.h"

namespace simulator {

/// The launch plan of a lowered module, as text.
inline constexpr llvm::StringLiteral kPlan = "simulator.plan";

std::unique_ptr<mlir::Pass> createLower();

} // namespace simulator
