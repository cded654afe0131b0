// What a plan of memory says, and whether it is sound: emission on any target relies on it.
#pragma once

#include "dialects/kiln/KilnDialect.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace kiln {

/// Arrays start at multiples of so many bytes.
inline constexpr int64_t kPlanAlignment = 64;

/// How `workspace` of a kernel names open block i, and which one it names.
inline int64_t openPlace(size_t i) { return -2 - int64_t(i); }
inline size_t openBlock(int64_t place) { return size_t(-2 - place); }
/// Whether two arrays have as many bytes in every call.
bool areAsLarge(const TensorType &a, const TensorType &b);

/// Fails with a diagnostic where a function is no program of kernels whose memory is planned, or where the plan, which may be written by
/// hand, is not sound: symbols that nobody gives, arrays outside the workspace, or one over another that is still read.
mlir::LogicalResult verifyPlanned(mlir::func::FuncOp program);

} // namespace kiln
