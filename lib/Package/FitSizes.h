// Finds how numbers follow from sizes, from what they are at some of them.
#pragma once

#include "lib/Package/SizeExpression.h"

namespace kiln {

/// An expression that gives `values[i]` for the sizes `points[i]`, for all of them; none where no form that is tried does. Forms: linear in
/// the sizes and in products of two, divided by a number and rounded down; and the greater or lesser of two such ones of a size.
std::optional<SizeExpression> fitSizes(std::span<const std::vector<int64_t>> points, std::span<const int64_t> values);

} // namespace kiln
