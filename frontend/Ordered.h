// Orders along an axis that eager execution knows at once, where a recording has operations for them.
#pragma once

#include "frontend/Array.h"

#include <optional>

namespace kiln {

/// `x` with the element that sorting puts at `place` of an axis there: before it what is smaller, behind it what is larger, each in its
/// order, and beside it what equals it; or as int64 where these were. Nothing where operations are recorded, or off the host.
std::optional<Array> partition(const Array &x, int64_t axis, int64_t place, bool wantsPositions);

} // namespace kiln
