// What a recorded call is at its questions (frontend/frames/Moment.h), so that its repetition can be folded.
#pragma once

#include "frontend/frames/Moment.h"
#include "frontend/frames/Watch.h"
#include "frontend/tree/Folding.h"

#include <deque>
#include <map>
#include <set>
#include <unordered_map>

namespace kiln::py {

/// Moments that calls of a function were at more than once.
class Moments {
public:
  /// The number of a moment; -1 for one that is not among them.
  int64_t find(const Moment &moment) const;
  int64_t add(Moment moment);
  int visit(visitproc visit, void *arg) const;

  using Counters = std::map<std::vector<int64_t>, std::vector<Counter>>; // by the places of the frames
  /// Numbers that changed from one time that a call was at some places to the next, where nothing else did.
  Counters counters;
  std::set<EndOfTrip> ends; // of trips of loops
  bool isGivenUp = false;   // recordings had different loops in the same places: from here on, they are chains
  bool carries = true;      // they are to be kept as arrays, where calls can be searched
  /// Whether more of them are known than recordings of a tree keep.
  bool knowsMore(int carrying) const {
    constexpr size_t kMost = 4;
    bool isMore = !counters.empty() && (!carrying || counters != generations[size_t(carrying) - 1]);
    return carries && isMore && (generations.size() < kMost || (generations.back() == counters && carrying < int(kMost)));
  }
  /// All that are known now, as a number for recordings that keep them.
  int keep() {
    if (generations.empty() || generations.back() != counters) generations.push_back(counters);
    return int(generations.size());
  }
  const Counters &kept(int carrying) const { return generations[size_t(carrying) - 1]; }

private:
  std::vector<Counters> generations;
  std::deque<Moment> all;
  std::unordered_multimap<size_t, int64_t> numbers; // by hash
};

/// Looks at each question of a call.
class LoopWatch final : public MomentContext {
public:
  /// `search`: null where nothing is searched.
  LoopWatch(Recorder &recorder, Moments &moments, class StateSearch *search, int carrying);
  ~LoopWatch() override { recorder.cutBehind = nullptr, recorder.cutBefore = nullptr; }

  const Array &arrayOf(PyObject *array) override;
  std::optional<std::pair<Source, TensorType>> handedOnOf(const Array &array) override { return recorder.handedOnOf(array); }
  bool isCovered(PyObject *o) override;
  const Array *carriedAs(PyObject *number) override;
  const Reader::CarriedRange *rangeOf(PyObject *iterator) override;
  int formulaOf(PyObject *number) override;

private:
  Recorder &recorder;
  Moments &moments;
  StateSearch *search;
  const int carrying;
  const Frame caller = Frame::innermost();
  Values values;
  struct Last {
    Moment moment;
    size_t piece = 0;
    int told = 0; // that it is no loop
  };
  using Key = std::pair<int64_t, std::string>;   // a moment and the answer there
  std::map<std::vector<int64_t>, Last> last;     // by the places of the frames
  std::map<Key, size_t> lastOfMoment;            // pieces
  std::map<Key, std::set<std::vector<int>>> met; // trips, from one piece of a key to the next, as numbers of their pieces
  /// By piece: its number, which equal ones share, the one before of the same key, and where it stands.
  struct Seen {
    int number = -1;
    size_t before = size_t(-1);
    std::optional<LoopOfCode> loop; // whose condition it is
    size_t depth = 0;               // of its frame
  };
  std::vector<Seen> seen;
  std::vector<Piece> distinct; // by number
  std::unordered_multimap<size_t, int> byHash;

  void keepCounters();
  void look(Piece &piece);
  void compareWithLast(Piece &piece);
  std::string compare(const std::vector<int64_t> &places, const Moment &before, const Moment &moment);
  int numberOf(const Piece &piece);
  bool isOneTrip(size_t from, size_t to) const;
  void dropTrip(const Key &key, size_t from, size_t to);
};

/// Puts loops in the place of the trips of a path. One that was shortened is none without them.
void foldPath(Path &path, std::set<EndOfTrip> &ends);

} // namespace kiln::py
