// What a target allows to become one kernel; fusion asks it, and knows no target.
#pragma once

#include "dialects/kiln/KilnDialect.h"
#include "mlir/Pass/Pass.h"

namespace kiln {

struct FusionRules {
  size_t mostOps = 256;
  int mostStages = 16;  // of reductions that follow each other: each computes again what those before it did
  int mostPrologue = 8; // cost of what a product may compute as it reads an operand: it reads an element several times; -1: nothing
  virtual ~FusionRules() = default;

  /// What an operation costs, an element, in cheap operations.
  virtual int costOf(ir::ArrayOp op) const { return op.getCost(); }
  /// Why `op` cannot become part of a kernel of this kind; empty: it can.
  virtual llvm::StringRef refuses(ir::KernelKind, ir::ArrayOp) const { return ""; }
};

/// The pass kiln-fuse for a target; the rules must live as long as it.
std::unique_ptr<mlir::Pass> createFuseFor(const FusionRules &rules);

} // namespace kiln
