// Integers over one number, by its reciprocal.
#pragma once

#include "lib/Core/Types.h"

namespace kiln {

/// x // divisor of `n` elements, or with `isRest` x % divisor, both rounded down: by a product with a number of as many bits and a shift
/// (T. Granlund and P. Montgomery, "Division by invariant integers using multiplication", 1994), as processors divide slowly. `divisor` is
/// an element of `dtype`; false, and nothing done, for one below 2, and for uint32 and uint64.
bool divideByNumber(DType dtype, bool isRest, const void *x, const void *divisor, int64_t n, void *result);

} // namespace kiln
