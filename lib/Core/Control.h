// What ops that run bodies take and give: rules over the signatures of the bodies, for traces, whose bodies are traces, and for modules,
// where they are functions.
#pragma once

#include "lib/Core/Ops.h"

#include <vector>

namespace kiln {

/// The types of a body.
struct Signature {
  std::vector<TensorType> inputs, results;
  int64_t given = 0; // the first symbols in them, which operands give
};

/// The types of the results. Each throws Error (value, dtype or shape) where operands and bodies do not fit together.
std::vector<TensorType> loopTypes(std::span<const TensorType> operands, const Signature &condition, const Signature &body);
std::vector<TensorType> branchTypes(std::span<const TensorType> operands, std::span<const Signature> bodies);
/// `most` has an entry for each size that operands give.
std::vector<TensorType> sizedTypes(std::span<const TensorType> operands, const Shape &most, const Signature &body);

/// Throws Error (shape) where an operation of a body of computed sizes may leave an array for some sizes up to `most`.
void checkSizedBody(const Trace &body, const Shape &most);

/// The signature of a trace as a body, in a program of so many symbols, which are its own. Throws Error (value) for one that cannot be any:
/// of more symbols, strided inputs or devices, or with bodies too deep inside one another.
Signature signatureOf(const char *op, const Trace &body, int64_t symbols);

/// The numbers of the bodies among the words of an op.
std::vector<int64_t> bodyNumbers(const OpInfo &record, std::span<const int64_t> words);
/// The same words with other numbers in their place.
std::vector<int64_t> withBodies(const OpInfo &record, std::span<const int64_t> words, std::span<const int64_t> numbers);

std::vector<TensorType> inferLoop(const InferArgs &args);
std::vector<TensorType> inferBranch(const InferArgs &args);
std::vector<TensorType> inferSized(const InferArgs &args);

} // namespace kiln
