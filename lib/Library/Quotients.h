// Integers over one number, by its reciprocal.
#pragma once

#include <cstdint>

namespace kiln {

/// x // divisor of `n` elements, for a divisor of at least 2: by a product with a number of 64 bits and a shift (T. Granlund and
/// P. Montgomery, "Division by invariant integers using multiplication", 1994), as processors divide 64 bits slowly.
void floorDivide(const int64_t *x, int64_t divisor, int64_t n, int64_t *result);

} // namespace kiln
