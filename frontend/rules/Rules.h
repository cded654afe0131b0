// Derivatives and batches of operations, by the op records (docs/gradients.md). A rule calls the frontend's operations: it computes
// where no mode is asked, is recorded under a recorder, and is differentiated again under a tape.
#pragma once

#include "frontend/Ops.h"

#include <vector>

namespace kiln::rules {

/// An operation that ran, as its rules see it.
struct Applied {
  Op op;
  std::span<const Array *const> operands;
  std::span<const int64_t> words;
  const Array *result;
};

/// An operation to run for a batch: batched operands have one axis more, which is the first and of `size`.
struct Batched {
  Op op;
  std::span<const Array *const> operands;
  std::span<const int64_t> words;
  std::span<const char> isBatched; // by operand
  int64_t size;
};

/// What an array that is not there counts as: 0.
using Maybe = std::optional<Array>;

/// The product of a cotangent of the result with the derivative by each operand, in the convention of docs/gradients.md. Nothing for
/// operands that are not `wanted`, that have no floating dtype, or that the result does not change with. Throws Error (value) for an
/// op without a rule.
std::vector<Maybe> applyVjp(const Applied &operation, const Array &cotangent, std::span<const char> wanted);
/// The derivative of the result in the direction of tangents of the operands, which may be null.
Maybe applyJvp(const Applied &operation, std::span<const Array *const> tangents);
/// The results, one behind the other along a new first axis. At least one operand is batched. Throws Error (shape) where they have
/// too many axes.
Array applyBatch(const Batched &operation);

/// What the VJP needs later: an operation with the arrays that its gradients by the `wanted` operands do not read as types alone.
struct Residual {
  std::vector<Array> operands;
  Array result;
};
/// An array of which the type is there.
Array typeAlone(DType dtype, const Dims &shape, Device *device = nullptr);
Residual residualOf(const Applied &operation, std::span<const char> wanted);
/// Whether a gradient flows through an op at all, by its record.
bool isDifferentiable(Op op);

} // namespace kiln::rules
