// How the numbers and sizes of a line go on from trip to trip.
#pragma once

#include "lib/Core/Periods.h"

namespace kiln {

/// How a number goes on: the same, start + step * trip, or the product of a float and start + trip.
struct Rule {
  enum Kind { Same, Whole, Product } kind = Same;
  int64_t start = 0, step = 0, factor = 0; // the bits of the factor
};

/// The words of one number through the trips.
class Course {
public:
  Course(const Lines &lines, const Run &run, size_t offset, size_t word) : lines(lines), run(run), offset(offset), word(word) {}

  /// The rule of the trips from `trip` on, by the first of them.
  Rule rule(size_t trip) const;
  /// How many trips from `trip` on, at most `most`, follow one rule.
  size_t regular(size_t trip, size_t most) const;

private:
  const Lines &lines;
  const Run &run;
  const size_t offset, word;

  const TraceOp &op() const { return lines.ops[run.first + offset]; }
  DType dtype() const { return DType(op().words[0]); }
  int64_t at(size_t trip) const { return lines.ops[run.at(trip) + offset].words[word]; }
  bool follows(const Rule &rule, size_t trips, int64_t value) const;
  int64_t bitsOf(double value) const;
};

/// A size of a line: one of its words, or of an axis of a result.
struct SizePlace {
  size_t offset; // of the line in its trip
  bool isWord;
  size_t number; // of the word, or of the result
  int axis = 0;
  bool operator==(const SizePlace &) const = default;
};

/// The sizes of a trip, in the order of its lines.
std::vector<SizePlace> sizePlacesOf(const Lines &lines, const Run &run);
/// How many trips from `trip` on, at most `most`, have a size that is the same, or start + step * trip.
size_t regularTrips(const Lines &lines, const Run &run, const SizePlace &place, size_t trip, size_t most);

/// The sizes that trips have otherwise: those that a body of computed sizes is given.
class TripSizes {
public:
  TripSizes(const Lines &lines, const Run &run) : lines(lines), run(run), places(sizePlacesOf(lines, run)) {}

  std::vector<std::pair<int64_t, int64_t>> rules; // start and step of each
  std::vector<int64_t> most;                      // of each

  /// False where they are more than a body can be given.
  bool find();
  /// Puts them into the words and the types of the results of the line at `offset`.
  void put(size_t offset, std::vector<int64_t> &words, std::vector<TensorType> &types) const;

private:
  const Lines &lines;
  const Run &run;
  const std::vector<SizePlace> places;

  Size sizeOf(const SizePlace &place) const;
  int64_t mostOf(int64_t start, int64_t step) const;
};

} // namespace kiln
