// The last trips of what repeats, where they lack operations of the others: a gradient ends with the first step of its function, of whose
// operands nobody asks for the gradient.
#pragma once

#include "lib/Core/RollBody.h"

namespace kiln {

/// The trace with the operations that trips behind `runs` lack in their places; what those compute is of no use, but lets the trips join
/// the loop. None where there are no such trips.
std::optional<Changed> completeTrips(const Lines &lines, std::vector<Run> runs);

} // namespace kiln
