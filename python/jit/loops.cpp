#include "search.h"

#include "frontend/tree/Folding.h"
#include "python/core/core.h"

#include <string_view>

namespace kiln::py {

static size_t hashOf(const Moment &moment) {
  return std::hash<std::string_view>()({reinterpret_cast<const char *>(moment.words.data()), moment.words.size() * sizeof(int64_t)});
}

int64_t Moments::find(const Moment &moment) const {
  auto [first, end] = numbers.equal_range(hashOf(moment));
  for (auto known = first; known != end; ++known)
    if (const Moment &m = all[size_t(known->second)];
        m.words == moment.words && std::ranges::all_of(m.objects, [](const Held &o) { return o.get(); }))
      return known->second; // else an object has the place of one that is gone
  return -1;
}

int64_t Moments::add(Moment moment) {
  constexpr size_t kMost = 4096;
  if (all.size() == kMost) return -1;
  numbers.emplace(hashOf(moment), int64_t(all.size()));
  all.push_back(std::move(moment));
  return int64_t(all.size()) - 1;
}

int Moments::visit(visitproc visit, void *arg) const {
  for (const Moment &m : all)
    for (const Held &o : m.objects) Py_VISIT(o.visited());
  return 0;
}

LoopWatch::LoopWatch(Recorder &recorder, Moments &moments, StateSearch *search, int carrying)
    : recorder(recorder), moments(moments), search(search), carrying(carrying) {
  recorder.cutBehind = [this](Piece &piece) { look(piece); };
  if (search && carrying) {
    search->reading().carries = true;
    recorder.cutBefore = [this] { keepCounters(); };
  }
}

bool LoopWatch::isCovered(PyObject *o) { return search && search->reading().isCovered(o); }
const Array *LoopWatch::carriedAs(PyObject *number) { return search ? search->reading().carriedAs(number) : nullptr; }
int LoopWatch::formulaOf(PyObject *number) { return search ? search->state->formulaOf(number) : -1; }
const Reader::CarriedRange *LoopWatch::rangeOf(PyObject *iterator) { return search ? search->reading().rangeOf(iterator) : nullptr; }

/// Numbers that are known to change from here on are kept as arrays.
void LoopWatch::keepCounters() {
  search->reading().dropCarried();
  const Moments::Counters &counters = moments.kept(carrying);
  auto known = counters.find(placesOfFrames(caller));
  if (known == counters.end()) return;
  for (const Counter &c : known->second) search->reading().carry(placeOfCounter(c), isVariable(c));
}

/// Notes numbers that changed since the last time that the call was here, where nothing else did.
std::string LoopWatch::compare(const std::vector<int64_t> &places, const Moment &before, const Moment &moment) {
  constexpr const char *kOther = "what it holds is of another kind than the last time";
  if (before.words.size() != moment.words.size() || before.counters != moment.counters) return kOther;
  std::vector<Counter> changed;
  for (size_t i = 0; i < moment.words.size(); ++i) {
    if (before.words[i] == moment.words[i]) continue;
    auto isIt = [&](const Counter &c) { return i >= c.word && i < c.word + (c.kind == Counter::Range ? 3 : 1); };
    auto counter = std::ranges::find_if(moment.counters, isIt);
    if (counter == moment.counters.end()) return kOther;
    if (!counter->isOwn) return describeCounter(*counter);
    changed.push_back(*counter);
  }
  std::vector<Counter> &known = moments.counters[places];
  for (Counter &c : changed) {
    c.word = 0; // of this moment
    if (std::ranges::find(known, c) == known.end()) known.push_back(c);
  }
  return changed.empty() ? ""
                         : describeCounter(changed[0]) + (carrying ? "" : ", which the next recording of a new path keeps as an array");
}

const Array &LoopWatch::arrayOf(PyObject *array) { return py::arrayOf(array); }

void LoopWatch::look(Piece &piece) {
  seen.emplace_back();
  compareWithLast(piece);
  seen.back().number = numberOf(piece);
  if (piece.moment < 0) return;
  size_t at = recorder.pieces.size() - 1;
  Key key(piece.moment, piece.value);
  auto [same, isFirst] = lastOfMoment.try_emplace(key, at);
  if (isFirst) return;
  size_t from = std::exchange(same->second, at);
  seen.back().before = from;
  dropTrip(key, from, at);
}

/// Equal pieces have one number.
int LoopWatch::numberOf(const Piece &p) {
  auto bytesOf = [](const auto &words) {
    return std::string_view(reinterpret_cast<const char *>(words.data()), words.size() * sizeof(words[0]));
  };
  size_t hash = std::hash<std::string_view>()(bytesOf(p.trace.words)) ^ size_t(p.moment * 31 + p.at.instruction);
  auto [first, end] = byHash.equal_range(hash);
  auto isSame = [&](const Piece &other) {
    return p.trace == other.trace && p.inputs == other.inputs && p.live == other.live && p.asked == other.asked && p.value == other.value &&
           p.moment == other.moment && p.at.instruction == other.at.instruction && p.at.code == other.at.code && p.places.empty() &&
           other.places.empty() && p.growth == other.growth;
  };
  for (auto known = first; known != end; ++known)
    if (isSame(distinct[size_t(known->second)])) return known->second;
  byHash.emplace(hash, int(distinct.size()));
  distinct.push_back(p);
  return int(distinct.size()) - 1;
}

/// Whether pieces are one trip of a loop of the program, and not the end of one and the start of another.
bool LoopWatch::isOneTrip(size_t from, size_t to) const {
  const Piece &end = recorder.pieces[to];
  const Seen &header = seen[to];
  if (!header.loop || header.loop->goesOnIf != (end.value[0] != 0)) return false;
  for (size_t i = from + 1; i < to; ++i) {
    const Piece &p = recorder.pieces[i];
    bool isSame = p.at.code == end.at.code && p.at.instruction == end.at.instruction && seen[i].depth == header.depth;
    bool isAround = seen[i].depth < header.depth || (seen[i].depth == header.depth && p.at.code == end.at.code && seen[i].loop &&
                                                     seen[i].loop->first <= header.loop->first && seen[i].loop->last >= header.loop->last);
    if (isSame || isAround) return false;
  }
  return true;
}

/// Of very many pieces, trips that were met before are dropped: at the same moment the call goes on alike, so the path without them is one
/// of the function, too. What stands around trips stays as it was, so that this call is known by it.
void LoopWatch::dropTrip(const Key &key, size_t from, size_t to) {
  constexpr size_t kMany = 4096, kLongest = 256;
  if (to - from > kLongest || !isOneTrip(from, to)) return;
  std::vector<int> trip;
  for (size_t i = from + 1; i <= to; ++i) trip.push_back(seen[i].number);
  bool isKnown = !met[key].insert(std::move(trip)).second;
  std::vector<Piece> &pieces = recorder.pieces;
  if (!isKnown || pieces.size() < kMany) return;
  for (size_t i = to; i > from; --i) {
    Key other(pieces[i].moment, pieces[i].value);
    auto known = lastOfMoment.find(other);
    if (known == lastOfMoment.end() || known->second != i) continue;
    if (seen[i].before == size_t(-1)) lastOfMoment.erase(known);
    else known->second = seen[i].before;
  }
  pieces.resize(from + 1), seen.resize(from + 1);
  pieces.back().stands = true;
}

void LoopWatch::compareWithLast(Piece &piece) {
  std::vector<int64_t> places = placesOfFrames(caller);
  if (places.empty()) return;
  seen.back().loop = loopAskedFor(), seen.back().depth = places.size();
  std::vector<PyObject *> others;
  for (size_t i = 0; search && i < search->state->stores.size(); ++i) others.push_back(search->state->stores[i].value.get());
  Moment moment =
      readMoment(caller, recorder.askedNow, recorder.isAskedApart, others, recorder.countWritten(), recorder.countLive(), values, *this);
  size_t at = recorder.pieces.size() - 1;
  auto [known, isNew] = last.try_emplace(places);
  Last &before = known->second;
  bool isByNumber = !isNew && !recorder.askedNow && search; // a number of an array, in each trip of a loop
  if (isByNumber) moments.counters.try_emplace(std::move(places));
  std::string why = isNew ? "" : moment.why; // that it is no loop
  if (moment.why.empty()) {
    recorder.reorderLive(moment.order);
    piece.meant = moment.meant, piece.isKnown = true;
    std::tie(piece.goesTo[0], piece.goesTo[1]) = goesTo();
    piece.moment = moments.find(moment);
    bool isAgain = piece.moment < 0 && !isNew && before.moment.words == moment.words && before.moment.why.empty() && before.piece < at;
    if (isAgain) piece.moment = recorder.pieces[before.piece].moment = moments.add(moment);
  }
  if (!isNew && piece.moment < 0 && moment.why.empty() && before.moment.why.empty()) why = compare(places, before.moment, moment);
  if (why.size() && before.told++ == 0) piece.loops.push_back({piece.at, 0, 0, why});
  piece.numbers = moment.integers;
  if (search) piece.growth = search->reading().takeGrowth();
  before.moment = std::move(moment), before.piece = at;
}

void foldPath(Path &path, std::set<EndOfTrip> &ends) {
  std::vector<Source *> results;
  for (Source &s : path.ending.results) results.push_back(&s);
  for (Commit &c : path.ending.commits) results.push_back(&c.content);
  normalize(path.pieces, results);
  bool mayRepeat = std::ranges::any_of(path.pieces, [](const Piece &p) { return p.moment >= 0; });
  if (mayRepeat) fold(path.pieces, ends);
  // A path without the trips that were dropped is one of the function. It is of use where loops do them.
  auto shortened = std::ranges::find_if(path.pieces, &Piece::stands);
  bool hasLoops = std::ranges::any_of(path.pieces, [](const Piece &p) { return p.loop != nullptr; });
  if (shortened == path.pieces.end() || hasLoops) return;
  path.pieces.erase(shortened + 1, path.pieces.end());
  path.ending = {};
  path.end = Node::Eager;
  path.why = "one call asks for very many values";
}

} // namespace kiln::py
