// How large a whole number can be that a program computes.
#pragma once

#include "lib/Core/Trace.h"

namespace kiln::py {

/// What an integer of a program of fixed sizes is at most, as its operations say: a sum of truth values is at most how many there are. -1:
/// nothing says it, or it may be below 0.
int64_t boundOf(const Trace &trace, int64_t slot);

} // namespace kiln::py
