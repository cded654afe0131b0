// Rolled loops: what Python wrote out trip by trip becomes one loop again, compiled once for any number of trips.
//
// A recording is straight: `for i in range(n): x = f(x, a[i])` is n times the operations of f. Where a period of operations repeats, each
// operand of the one being that of the other, or lying as far behind it, the repetitions become a kiln.loop. What a trip takes from the one
// before is carried, what all read is an operand, and numbers and positions go by start + step * trip. Loops in loops roll from the inside
// out. docs/loops.md says when; docs/decisions/0022-rolled-loops.md why.
#pragma once

#include "lib/Core/Trace.h"

#include <optional>
#include <string>

namespace kiln {

/// Operations that repeat.
struct Repetition {
  int64_t slot;        // of the recording: the first operation
  size_t trips, lines; // how often, and how many operations each time
  std::string why;     // that it was not rolled; empty: it was
};

struct Rolled {
  Trace trace;
  std::vector<int64_t> from; // by slot, the one of the recording that it stands for
};

/// The trace with its repetitions as loops; none where nothing is rolled. `found` gets what was, and the largest that was not.
std::optional<Rolled> roll(const Trace &recorded, std::vector<Repetition> &found);

/// The program that has the numbers which loops of `trace` read as inputs: of another number of trips it is another instance. None where
/// there are none.
std::optional<Trace> openTrips(const Trace &trace);

} // namespace kiln
