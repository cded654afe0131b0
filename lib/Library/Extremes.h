// Where rows have their extremes.
#pragma once

#include "lib/Core/Types.h"

namespace kiln {

constexpr int64_t kExtremeBlock = 128; // elements that are looked at together

/// The position of the first largest element (or smallest) of each of `rows` rows of `size` elements, or of the first nan. False for
/// shorter rows than a block, and for dtypes that it does not know.
bool positionsOfExtremes(DType dtype, bool isLargest, int64_t rows, int64_t size, const void *from, int64_t *positions);

} // namespace kiln
