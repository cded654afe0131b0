// Which integers of a loop need not be compared with their bounds in each trip.
#pragma once

#include "lib/Core/Trace.h"

namespace kiln {

/// An integer that a trip makes of the one before it, and the question whether there is another trip, as slots of the trip.
struct Counted {
  int64_t now, before, asked;
  bool goesOnIf;
};

/// Whether it is in bounds wherever there is another trip: it goes one way, up to a number that is in bounds. Those are `bounded`.
bool staysInBounds(const Trace &trip, const Counted &counted, std::span<const int64_t> bounded);

} // namespace kiln
