// Repetition that values decide, as one program: where a call comes back to a moment that it was at before, what lies between is a trip of
// a loop. Its ways through a trip are a tree of pieces, each of which goes on by the answer to its question, until the last one asks
// whether there is another trip. docs/decisions/0027-loops-from-moments.md says why that is so.
#pragma once

#include "frontend/tree/Tree.h"

namespace kiln {

/// What trips of a loop end with: a moment, and the answer there.
using EndOfTrip = std::pair<int64_t, std::string>;

/// The ways through a trip of a loop.
struct LoopOf {
  struct Ways {
    Piece piece;
    std::map<std::string, std::shared_ptr<const Ways>> next; // by the answer; none: the trip ends here
  };
  std::shared_ptr<const Ways> root;
  std::string answer;      // to the last question of each way: there is another trip
  int64_t moment = -1;     // at that question
  std::vector<Piece> tail; // pieces behind it, before the root: they only ask, and hand on what they were given

  /// Every path leaves it by the last question of a trip.
  bool isLeftAtEnd = false;

  /// Whether every answer within a trip is known.
  bool isComplete() const { return isComplete(*root); }
  /// Whether the step of the loop asks for another trip. One that is left at its end has no tail, and says yes where a trip was told
  /// something unknown: no path goes on there. Else such a trip is dropped, and done again outside of the loop, by the root, which stands
  /// behind it in the same program, and further steps of the tree.
  bool asksForTrip() const { return isLeftAtEnd || isComplete(); }
  size_t countOps() const;
  /// By which factor integers may be beyond their bounds within a trip.
  double growth() const;

private:
  static bool isComplete(const Ways &node);
};

/// Has pieces hand on no memory that nothing reads, and take their inputs in one order. `results`: what the end of the path takes.
void normalize(std::vector<Piece> &pieces, std::span<Source *const> results);

/// Puts loops in the place of the pieces that repeat, and notes with pieces what was not. `ends`: of
/// the trips of loops, which have them again: all paths have the same loops.
void fold(std::vector<Piece> &pieces, std::set<EndOfTrip> &ends);

/// Puts trips of a known loop, from piece `first` on, into one; with ways that are new. False where they are none.
bool foldInto(const LoopOf &loop, std::vector<Piece> &pieces, size_t first);

/// Whether a loop has all ways of another one of the same moment.
bool covers(const LoopOf &loop, const LoopOf &other);

} // namespace kiln
