// Repeated periods of a sequence of operations (Roll.h).
#pragma once

#include "lib/Core/Lines.h"

#include <map>
#include <string>

namespace kiln {

/// For each place of a sequence, how far back it was last like that: what its period may be there. Places are compared by what precedes
/// them, a few or many, so that the period is found also where parts of it are alike.
class Echoes {
public:
  explicit Echoes(std::span<const uint64_t> sequence);
  static constexpr size_t kLengths[] = {2, 16, 128};
  /// Ascending and distinct.
  std::vector<size_t> at(size_t place) const;

private:
  std::vector<int32_t> back[std::size(kLengths)]; // 0: not met before
};

/// A loop that was written out: `trips` times `period` lines.
struct Run {
  size_t first, period, trips;
  size_t end() const { return first + period * trips; }
  /// The first line of a trip.
  size_t at(size_t trip) const { return first + period * trip; }
};

/// Lines [begin, end) each continue the line `distance` before.
struct Stretch {
  size_t begin, end, distance;
  std::vector<uint64_t> same; // of each, as Lines::relate has it: it is that of the line `distance` before
};

/// The longest one around line `seed`; none of it lies before `lowest`.
Stretch stretchAround(const Lines &lines, size_t seed, size_t distance, size_t lowest);

/// The loop that a stretch is: where its trips begin, so that they hand on as little as may be, each to the next one alone. None where
/// values are handed on further than to the fourth repetition; `why` then says so.
std::optional<Run> alignRun(const Lines &lines, const Stretch &stretch, size_t lowest, std::string &why);

} // namespace kiln
