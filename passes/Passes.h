// The passes of Kiln and their registration; docs are in the records.
#pragma once

#include "dialects/kiln/KilnDialect.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Pass/Pass.h"

namespace kiln {
#define GEN_PASS_DECL
#include "kiln/Passes.h.inc"
#define GEN_PASS_REGISTRATION
#include "kiln/Passes.h.inc"
} // namespace kiln
