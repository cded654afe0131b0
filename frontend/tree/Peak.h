// How much memory a call of a tree needs at once.
#pragma once

#include "frontend/tree/Tree.h"

namespace kiln {

/// The bytes of the arrays that a call is given or reads, and of what its segments make, hand on and use beside it, at most at once: on
/// the path that needs most. 0 before there is code, which says how much workspace that needs.
int64_t peakBytes(const Tree &tree);

} // namespace kiln
