#include "frontend/tree/Folding.h"

#include "frontend/tree/LoopWriter.h"

#include <algorithm>
#include <set>
#include <unordered_map>

namespace kiln {
namespace {

using Ways = LoopOf::Ways;
using WaysPtr = std::shared_ptr<const Ways>;

constexpr size_t kMostPieces = 64, kMostWays = 32; // of a trip

/// Why a piece cannot be in a trip, or nothing.
std::string findFault(const Piece &p) {
  constexpr size_t kMostOps = 20000;
  if (!p.places.empty() || !p.trace.devices.empty()) return "it works on another device than the CPU";
  if (p.askedType != DType::Bool || p.value.size() != 1) return "it asks for something else than a truth value";
  Trace kept = p.trace;
  keepWhatFails(kept);
  if (kept.outputs.size() != p.trace.outputs.size()) return "an operation may fail on its values whose result nothing uses";
  return p.trace.types.size() > kMostOps ? "it is long" : "";
}

/// A way added to those from a node on; null where it does otherwise at the same answers.
WaysPtr withWay(const WaysPtr &node, std::span<const Piece> way) {
  auto made = std::make_shared<Ways>();
  if (node) *made = *node;
  else made->piece = way[0], made->piece.stands = false;
  if (node && !matches(way[0], node->piece)) return nullptr;
  if (way.size() == 1) return made->next.empty() ? made : nullptr;
  if (node && node->next.empty()) return nullptr;
  auto known = made->next.find(way[0].value);
  WaysPtr next = withWay(known == made->next.end() ? nullptr : known->second, way.subspan(1));
  if (!next) return nullptr;
  made->next[way[0].value] = next;
  return made;
}

size_t countWays(const Ways &node) {
  size_t ways = node.next.empty();
  for (auto &[answer, next] : node.next) ways += countWays(*next);
  return ways;
}

Handed givenTo(const LoopOf &loop) { return Handed(loop.tail.empty() ? headOf(loop).live.size() : loop.tail.back().live.size()); }

/// Where a trip from a piece on leads: how many pieces it has, or at which one it stops being a known one.
struct Walk {
  size_t pieces = 0;
  bool isWhole = false;   // it is a trip
  bool isAnswered = true; // it is one up to a piece that is told something new; else what is recorded is not of the loop
};

Walk walk(const LoopOf &loop, std::span<const Piece> pieces, size_t first, Handed *given) {
  Walk w;
  for (const Ways *node = loop.root.get(); node; ++w.pieces) {
    size_t at = first + w.pieces;
    if (at >= pieces.size() || !matches(pieces[at], node->piece, w.pieces ? nullptr : given)) return w.isAnswered = false, w;
    if (node->next.empty()) {
      if (pieces[at].value != loop.answer) return w;
      ++w.pieces;
      break;
    }
    auto next = node->next.find(pieces[at].value);
    if (next == node->next.end()) return w;
    node = next->second.get();
  }
  for (const Piece &p : loop.tail) {
    size_t at = first + w.pieces;
    if (at >= pieces.size() || !matches(pieces[at], p)) return w.isAnswered = false, w;
    if (pieces[at].value != p.value) return w;
    ++w.pieces;
  }
  w.isWhole = true;
  return w;
}

/// Trips as one piece, in the place of those from `first` to the one that asks whether there is another.
struct Replaced {
  Piece piece;
  size_t first = 0, asks = 0;
};

/// The trips from piece `first` on; nothing where they are none. `isLeftWithin`: they are, but for the way out of the last one.
std::optional<Replaced> tripsAt(const std::shared_ptr<const LoopOf> &loop, std::span<const Piece> pieces, size_t first,
                                bool *isLeftWithin = nullptr) {
  Handed given = givenTo(*loop);
  size_t at = first;
  Walk last;
  for (bool isFirst = true;; isFirst = false) {
    last = walk(*loop, pieces, at, isFirst ? &given : nullptr);
    if (!last.isWhole) break;
    at += last.pieces;
  }
  if (!last.isAnswered || at >= pieces.size()) return std::nullopt; // the path ends before the loop does
  if (at == first && pieces[first].loop) return std::nullopt;       // nothing would be gained
  size_t asks = at;                                                 // the root, if it is behind the loop
  for (const Ways *node = loop->root.get(); loop->asksForTrip() && !node->next.empty(); ++asks) {
    auto next = node->next.find(pieces[asks].value);
    if (next == node->next.end()) {
      if (isLeftWithin) *isLeftWithin = true;
      return std::nullopt;
    }
    node = next->second.get();
  }
  auto written = writeLoop(loop, pieces[first], given);
  if (!written) return std::nullopt;
  const Piece &asking = pieces[asks];
  written->value = asking.value, written->moment = asking.moment, written->question = asking.question,
  written->isOfNumbers = asking.isOfNumbers;
  written->at = asking.at, written->why = asking.why;
  return Replaced{std::move(*written), first, asks};
}

/// Puts trips from piece `first` on into one piece; false where they are none.
bool replaceTrips(const std::shared_ptr<const LoopOf> &loop, std::vector<Piece> &pieces, size_t first) {
  auto replaced = tripsAt(loop, pieces, first);
  if (!replaced) return false;
  pieces[first] = std::move(replaced->piece);
  pieces.erase(pieces.begin() + ptrdiff_t(first) + 1, pieces.begin() + ptrdiff_t(replaced->asks) + 1);
  return true;
}

/// Whether what a loop begins its trips with is not made by its tail.
bool hasTail(const Piece &root, std::span<const Piece> tail) {
  auto isPassed = [&](const Source &s) {
    Source from = s;
    for (size_t i = tail.size(); i-- > 0 && from.kind == Source::Live;) from = tail[i].live[size_t(from.index)];
    return s.kind != Source::Live || from.kind == Source::Live;
  };
  auto isSafe = [](const Piece &p) { return !hasRisks(p.trace); };
  return std::ranges::all_of(root.inputs, isPassed) && std::ranges::all_of(root.live, isPassed) && isPassed(root.asked) &&
         std::ranges::all_of(tail, isSafe);
}

/// The first and the last instruction of a function among the questions of all ways.
void findExtent(const Ways &ways, void *code, std::pair<int, int> &extent) {
  const Location &at = ways.piece.at;
  if (at.code == code) extent = {std::min(extent.first, at.instruction), std::max(extent.second, at.instruction)};
  for (auto &[answer, next] : ways.next) findExtent(*next, code, extent);
}

/// Whether the other answer to a question leads out of the loop, as far as can be seen.
bool leavesLoop(const LoopOf &loop, const Piece &p) {
  int to = p.goesTo[p.value[0] ? 0 : 1];
  std::pair<int, int> extent{p.at.instruction, p.at.instruction};
  findExtent(*loop.root, p.at.code, extent);
  return to > extent.second || (to >= 0 && to < extent.first);
}

/// Whether an answer within a trip that is not known leads to where the last question leads out of the loop, or beyond.
bool mayBeLeftWithin(const LoopOf &loop, const Ways &node) {
  const Piece &head = headOf(loop), &p = node.piece;
  auto otherwise = [](const Piece &piece, const std::string &answer) { return piece.goesTo[answer[0] ? 0 : 1]; };
  int out = otherwise(head, loop.answer);
  bool isLeft = node.next.size() == 1 && p.at.code == head.at.code && out >= 0 && otherwise(p, node.next.begin()->first) >= out;
  return isLeft || std::ranges::any_of(node.next, [&](auto &n) { return mayBeLeftWithin(loop, *n.second); });
}

/// Has what only asks, and comes first on all ways, asked at the end of the trip before. Only of use where the rest is complete.
void takeTail(LoopOf &loop) {
  LoopOf best = loop; // `loop` has all questions
  std::vector<Piece> tail;
  for (WaysPtr node = loop.root; node->next.size() == 1; node = node->next.begin()->second) {
    tail.push_back(node->piece);
    tail.back().value = node->next.begin()->first;
    if (!leavesLoop(loop, tail.back())) break;
    LoopOf one = loop;
    one.root = node->next.begin()->second, one.tail = tail;
    if (one.isComplete() && hasTail(one.root->piece, tail)) best = one;
  }
  loop = std::move(best);
}

/// Adds the ways of another loop of the same moment; false where they do otherwise at the same answers.
bool addWays(LoopOf &loop, const Ways &from, std::vector<Piece> way = {}) {
  way.push_back(from.piece);
  if (from.next.empty()) {
    WaysPtr root = withWay(loop.root, way);
    if (!root || countWays(*root) > kMostWays) return false;
    loop.root = root;
    return true;
  }
  for (auto &[answer, next] : from.next) {
    way.back().value = answer;
    if (!addWays(loop, *next, way)) return false;
  }
  return true;
}

/// The pieces of a trip of which the loop has answered in the place of the piece that runs the loop, or the one that is behind it.
void unfold(std::vector<Piece> &pieces, size_t at) {
  Piece folded = std::move(pieces[at]);
  std::vector<Piece> trip;
  const Ways *node = folded.loop->root.get();
  if (folded.loop->asksForTrip()) {
    for (; !node->next.empty(); node = node->next.begin()->second.get()) {
      trip.push_back(node->piece);
      trip.back().value = node->next.begin()->first;
    }
  }
  trip.push_back(node->piece);
  trip[0] = *folded.firstOfLoop;
  if (trip.size() > 1) trip[0].value = folded.loop->root->next.begin()->first;
  trip.back().value = folded.value, trip.back().moment = folded.moment, trip.back().question = folded.question,
  trip.back().isOfNumbers = folded.isOfNumbers;
  pieces.erase(pieces.begin() + ptrdiff_t(at));
  pieces.insert(pieces.begin() + ptrdiff_t(at), trip.begin(), trip.end());
}

/// Trips one behind the other: the pieces that end them, the first of which belongs to what is before.
struct Run {
  std::vector<size_t> ends;
  bool isLeftHere = false; // by another answer to the question that ends a trip
  size_t length() const { return ends.back() - ends.front(); }
};

/// The trips between pieces of the moment and answer of one: as far as nothing else is answered at that moment.
Run runOf(std::span<const Piece> pieces, size_t at) {
  const Piece &of = pieces[at];
  auto isEnd = [&](size_t i) { return pieces[i].moment == of.moment; };
  Run run{{at}};
  for (size_t i = at, gap = 0; i-- > 0 && gap < kMostPieces; ++gap) {
    if (findFault(pieces[i + 1]).size()) break;
    if (!isEnd(i)) continue;
    if (pieces[i].value != of.value) break;
    run.ends.push_back(i), gap = 0;
  }
  std::ranges::reverse(run.ends);
  for (size_t i = at + 1, gap = 0; i < pieces.size() && gap < kMostPieces; ++i, ++gap) {
    if (findFault(pieces[i]).size()) break;
    if (!isEnd(i)) continue;
    if ((run.isLeftHere = pieces[i].value != of.value)) break;
    run.ends.push_back(i), gap = 0;
  }
  return run;
}

/// The loop of a run; why there is none, or nothing.
std::string loopOf(std::span<const Piece> pieces, const Run &run, LoopOf &loop, bool hasTail = true) {
  loop.answer = pieces[run.ends[0]].value, loop.moment = pieces[run.ends[0]].moment;
  for (size_t i = 0; i + 1 < run.ends.size(); ++i) {
    loop.root = withWay(loop.root, pieces.subspan(run.ends[i] + 1, run.ends[i + 1] - run.ends[i]));
    if (!loop.root) return "it does otherwise at the same moment";
  }
  if (countWays(*loop.root) > kMostWays) return "there are very many ways through it";
  if (loop.growth() > kMostGrowth) return "an integer may become very large in one trip";
  if (hasTail) takeTail(loop);
  return "";
}

/// Where the trips of a run may begin before it: at the same moment behind the first trip, though what that is given may lie elsewhere, and
/// the program was at another moment. What it does there is known of the way that it took alone.
size_t startOf(const LoopOf &loop, std::span<const Piece> pieces, size_t first) {
  bool hasOneWay = loop.root->next.empty();
  for (size_t tried = first; hasOneWay && tried-- > 0 && first - tried <= kMostPieces;) {
    Handed given = givenTo(loop);
    Walk w = walk(loop, pieces, tried, &given);
    if (!w.isWhole || tried + w.pieces != first) continue;
    if (pieces[first - 1 - loop.tail.size()].moment == loop.moment) return startOf(loop, pieces, tried);
  }
  return first;
}

/// The ways of trips elsewhere in the path, as an inner loop has them that runs in each trip of one around it: all of its runs are then
/// the same operation.
LoopOf withTripsElsewhere(std::span<const Piece> pieces, const LoopOf &of) {
  LoopOf loop = of;
  size_t before = pieces.size(); // the piece that a trip begins behind
  for (size_t i = 0; i < pieces.size(); ++i) {
    bool isFaulty = before < pieces.size() && i - before > kMostPieces;
    if (isFaulty) before = pieces.size();
    if (pieces[i].moment != loop.moment) continue;
    bool goesOn = pieces[i].value == loop.answer;
    if (before < pieces.size() && goesOn) {
      auto trip = pieces.subspan(before + 1, i - before);
      bool isFit = std::ranges::all_of(trip, [](const Piece &p) { return findFault(p).empty(); });
      WaysPtr root = isFit ? withWay(loop.root, trip) : nullptr;
      if (!root || countWays(*root) > kMostWays) {
        loop = of;
        break;
      }
      loop.root = root;
    }
    before = goesOn ? i : pieces.size();
  }
  if (loop.growth() > kMostGrowth) loop = of;
  takeTail(loop);
  return loop;
}

/// Has all runs of a loop be one piece each; false where there are none, or one is left otherwise than the loop says. Where what a first
/// trip hands on is of another type than in the next one, it stays.
bool replaceRuns(const std::shared_ptr<const LoopOf> &loop, std::vector<Piece> &pieces, size_t ops) {
  constexpr int kTries = 3, kMostInVain = 64; // each of those may go through all trips
  std::vector<Piece> kept;
  size_t taken = 0; // pieces before are in `kept`, or replaced
  int inVain = 0;
  for (size_t i = 1; i < pieces.size() && inVain < kMostInVain; ++i) {
    bool isBehindTrip = pieces[i - 1].moment == loop->moment && pieces[i - 1].value == loop->answer;
    size_t first = isBehindTrip ? startOf(*loop, pieces, i + loop->tail.size()) : pieces.size();
    std::optional<Replaced> replaced;
    for (int tries = 0; tries < kTries && first < pieces.size() && first >= taken && !replaced; ++tries) {
      bool isLeftWithin = false;
      if ((replaced = tripsAt(loop, pieces, first, &isLeftWithin))) break;
      if (isLeftWithin) return false;
      Handed given = givenTo(*loop);
      Walk w = walk(*loop, pieces, first, &given);
      first = w.isWhole ? first + w.pieces : pieces.size();
    }
    inVain += isBehindTrip && !replaced;
    if (!replaced) continue;
    for (; taken < first; ++taken) kept.push_back(pieces[taken]);
    if (kept.size() == first) replaced->piece.loops.push_back({replaced->piece.at, 0, ops, ""}); // is told once
    kept.push_back(std::move(replaced->piece));
    i = taken = replaced->asks + 1;
  }
  if (!taken) return false;
  for (; taken < pieces.size(); ++taken) kept.push_back(std::move(pieces[taken]));
  pieces = std::move(kept);
  return true;
}

/// What a run would be as a loop.
struct Candidate {
  Run run;
  std::shared_ptr<LoopOf> loop;
  std::string why; // it is none
  bool isKnown = false;
  /// Whether the program was seen to leave the loop by its last question, to what stands behind it: as `for` and `while` do.
  bool isNatural = false;
  auto rank() const { return std::tuple(why.empty(), isKnown, why.empty() && loop->isComplete(), isNatural, run.length()); }
};

Candidate candidateAt(std::span<const Piece> pieces, size_t at, const std::set<EndOfTrip> &ends) {
  Candidate c{runOf(pieces, at), std::make_shared<LoopOf>(), findFault(pieces[at])};
  c.isKnown = ends.contains({pieces[at].moment, pieces[at].value});
  bool answer = pieces[at].value[0];
  c.isNatural = c.run.isLeftHere && pieces[at].goesTo[answer] >= 0 && pieces[at].goesTo[!answer] > pieces[at].goesTo[answer];
  if (c.why.empty()) c.why = c.run.ends.size() < 2 ? "it is long" : loopOf(pieces, c.run, *c.loop);
  return c;
}

/// Folds the trips around a piece that ends one; why not, or nothing. `ops`: in a trip. `refused`: what was tried in vain.
std::string foldAround(std::vector<Piece> &pieces, size_t from, size_t to, size_t &ops, std::set<EndOfTrip> &ends,
                       std::set<EndOfTrip> &refused) {
  std::optional<Candidate> best;
  for (size_t i = to; i > from; --i) {
    if (pieces[i].moment < 0 || refused.contains({pieces[i].moment, pieces[i].value})) continue;
    Candidate c = candidateAt(pieces, i, ends);
    if (!best || c.rank() > best->rank()) best = std::move(c);
  }
  if (best->why.size()) return best->why;
  // With all questions in their places: what a tail is, is decided anew.
  LoopOf own;
  loopOf(pieces, best->run, own, false);
  LoopOf loop = withTripsElsewhere(pieces, own);
  ops = loop.countOps();
  auto replace = [&](bool isLeftAtEnd) {
    loop.isLeftAtEnd = isLeftAtEnd;
    return replaceRuns(std::make_shared<const LoopOf>(loop), pieces, ops);
  };
  try {
    bool mayAsk = !loop.isComplete() && !mayBeLeftWithin(loop, *loop.root);
    if ((mayAsk && replace(true)) || replace(false)) return ends.insert({loop.moment, loop.answer}), "";
  } catch (const Error &e) { // of bodies too deep inside one another
    refused.insert({loop.moment, loop.answer});
    return e.what();
  }
  refused.insert({loop.moment, loop.answer});
  return "the call ends inside of it, or what it hands on is of another type in its first trip";
}

/// Outputs that nothing has, and operations for them alone that cannot fail, are no part of a piece.
void dropOutputs(Piece &piece) {
  std::vector<int64_t> outputs;
  std::vector<int32_t> now(piece.trace.outputs.size(), -1);
  auto move = [&](Source &s) {
    if (s.kind != Source::Output) return;
    int32_t &place = now[size_t(s.index)];
    if (place < 0) place = int32_t(outputs.size()), outputs.push_back(piece.trace.outputs[size_t(s.index)]);
    s.index = place;
  };
  for (Source &s : piece.live) move(s);
  move(piece.asked);
  piece.trace.outputs = std::move(outputs);
}

/// Puts the inputs of a piece into one order.
void sortInputs(Piece &piece) {
  auto isBefore = [](const Source &a, const Source &b) { return std::pair(a.kind, a.index) < std::pair(b.kind, b.index); };
  if (std::ranges::is_sorted(piece.inputs, isBefore)) return;
  Trace &trace = piece.trace;
  std::vector<size_t> order;
  for (size_t i = 0; i < piece.inputs.size(); ++i) order.push_back(i);
  std::ranges::stable_sort(order, isBefore, [&](size_t i) { return piece.inputs[i]; });
  std::vector<std::vector<int64_t>> declared;
  size_t at = 0;
  for (size_t i = 0; i < piece.inputs.size(); ++i) {
    size_t start = at;
    Trace::decode(trace.words, at);
    declared.emplace_back(trace.words.begin() + ptrdiff_t(start), trace.words.begin() + ptrdiff_t(at));
  }
  std::vector<int64_t> words, slots(piece.inputs.size());
  std::vector<Source> inputs;
  std::vector<TensorType> types(trace.types);
  std::vector<Location> locations(piece.locations);
  for (size_t now = 0; now < order.size(); ++now) {
    size_t before = order[now];
    slots[before] = int64_t(now);
    words.insert(words.end(), declared[before].begin(), declared[before].end());
    inputs.push_back(piece.inputs[before]);
    types[now] = trace.types[before], locations[now] = piece.locations[before];
  }
  auto moved = [&](int64_t slot) { return slot < int64_t(slots.size()) ? slots[size_t(slot)] : slot; };
  size_t operations = words.size();
  words.insert(words.end(), trace.words.begin() + ptrdiff_t(at), trace.words.end());
  for (size_t k = operations; k < words.size();) {
    TraceOp op = Trace::decode(words, k);
    int64_t *operands = words.data() + k - op.words.size() - op.operands.size();
    for (size_t i = 0; i < op.operands.size(); ++i) operands[i] = moved(operands[i]);
  }
  for (int64_t &output : trace.outputs) output = moved(output);
  trace.words = std::move(words), trace.types = std::move(types);
  piece.inputs = std::move(inputs), piece.locations = std::move(locations);
}

} // namespace

bool LoopOf::isComplete(const Ways &node) {
  if (node.next.empty()) return true;
  return node.next.size() == 2 && std::ranges::all_of(node.next, [](auto &n) { return isComplete(*n.second); });
}

static size_t opsOf(const Piece &p) { return p.trace.types.size() - size_t(p.trace.inputs); }

static size_t opsFrom(const LoopOf::Ways &node) {
  size_t ops = opsOf(node.piece);
  for (auto &[answer, next] : node.next) ops += opsFrom(*next);
  return ops;
}

static double growthFrom(const LoopOf::Ways &node) {
  double most = 1;
  for (auto &[answer, next] : node.next) most = std::max(most, growthFrom(*next));
  return node.piece.growth * most;
}

double LoopOf::growth() const {
  double growth = growthFrom(*root);
  for (const Piece &p : tail) growth *= p.growth;
  return growth;
}

size_t LoopOf::countOps() const {
  size_t ops = opsFrom(*root);
  for (const Piece &p : tail) ops += opsOf(p);
  return ops;
}

void normalize(std::vector<Piece> &pieces, std::span<Source *const> results) {
  std::vector<char> needed; // of what the piece before hands on
  auto need = [&](const Source &s) {
    if (s.kind != Source::Live) return;
    needed.resize(std::max(needed.size(), size_t(s.index) + 1));
    needed[size_t(s.index)] = true;
  };
  std::vector<std::vector<char>> kept(pieces.size());
  for (size_t k = pieces.size(); k-- > 0;) {
    Piece &p = pieces[k];
    std::vector<char> behind = std::exchange(needed, {});
    behind.resize(p.live.size());
    for (size_t i = 0; i < p.live.size(); ++i)
      if (!p.isKnown || i < p.meant) behind[i] = true;
      else if (behind[i]) p.moment = -1; // it is read after all
    for (const Source &s : p.inputs) need(s);
    need(p.asked);
    if (k + 1 == pieces.size())
      for (const Source *s : results) need(*s);
    for (size_t i = 0; i < p.live.size(); ++i)
      if (behind[i]) need(p.live[i]);
    kept[k] = std::move(behind);
  }
  std::vector<int32_t> now; // by what the piece before handed on
  auto move = [&](Source &s) {
    if (s.kind == Source::Live) s.index = now[size_t(s.index)];
  };
  for (size_t k = 0; k < pieces.size(); ++k) {
    Piece &p = pieces[k];
    for (Source &s : p.inputs) move(s);
    move(p.asked);
    if (k + 1 == pieces.size())
      for (Source *s : results) move(*s);
    std::vector<int32_t> next(p.live.size(), -1);
    size_t n = 0;
    for (size_t i = 0; i < p.live.size(); ++i) {
      if (!kept[k][i]) continue;
      next[i] = int32_t(n);
      p.live[n] = p.live[i], p.liveTypes[n++] = p.liveTypes[i];
      move(p.live[n - 1]);
    }
    p.live.resize(n), p.liveTypes.resize(n);
    now = std::move(next);
    if (k + 1 < pieces.size()) dropOutputs(p);
    if (pieces.size() > 1 && p.places.empty() && p.trace.devices.empty()) sortInputs(p);
  }
}

/// Whether a piece runs a loop that its answer does not lead out of, as far as is known: it goes on behind it.
static bool isInsideLoop(const Piece &p) {
  if (!p.loop) return false;
  const Ways &root = *p.loop->root;
  return p.loop->asksForTrip() || root.next.empty() ? p.value == p.loop->answer : root.next.contains(p.value);
}

/// Where a call came back to a moment and answered as before, without having answered otherwise there in between.
struct Cycle {
  size_t from = 0, to = 0;
};

/// The one with the fewest pieces: loops inside of others come first.
static std::optional<Cycle> shortest(std::span<const Piece> pieces, const std::set<EndOfTrip> &refused) {
  std::optional<Cycle> best;
  std::unordered_map<int64_t, size_t> last; // by moment
  for (size_t k = 0; k < pieces.size(); ++k) {
    const Piece &p = pieces[k];
    if (p.moment < 0 || isInsideLoop(p)) continue;
    auto [known, isNew] = last.try_emplace(p.moment, k);
    size_t from = std::exchange(known->second, k);
    bool isShorter = !isNew && pieces[from].value == p.value && (!best || k - from < best->to - best->from);
    if (isShorter && !refused.contains({p.moment, p.value})) best = {from, k};
  }
  return best;
}

void fold(std::vector<Piece> &pieces, std::set<EndOfTrip> &ends) {
  constexpr int kMostTries = 100;
  std::set<EndOfTrip> refused;
  for (int i = 0; i < kMostTries; ++i) {
    auto repeated = shortest(pieces, refused);
    if (!repeated) return;
    auto [from, to] = *repeated;
    size_t ops = 0;
    std::string why = foldAround(pieces, from, to, ops, ends, refused);
    if (why.empty()) continue;
    if (!refused.insert({pieces[to].moment, pieces[to].value}).second) continue;
    pieces[to].loops.push_back({pieces[to].at, 0, ops, why});
  }
}

/// The end of a way from piece `first` on that a loop does not have; none where it does not come back.
static std::optional<size_t> endOfWay(const LoopOf &loop, std::span<const Piece> pieces, size_t first) {
  for (size_t i = first; i < pieces.size() && i < first + kMostPieces; ++i) {
    if (findFault(pieces[i]).size()) return std::nullopt;
    if (pieces[i].moment != loop.moment) continue;
    return pieces[i].value == loop.answer ? std::optional(i) : std::nullopt;
  }
  return std::nullopt;
}

bool foldInto(const LoopOf &known, std::vector<Piece> &pieces, size_t first) {
  auto loop = std::make_shared<LoopOf>(known);
  std::vector<Piece> changed = pieces;
  if (const auto &other = changed[first].loop) { // what was folded by itself: the ways of both, and none of its trips
    if (other->moment != known.moment || other->answer != known.answer || other->tail.size() || known.tail.size()) return false;
    if (!addWays(*loop, *other->root)) return false;
    unfold(changed, first);
  }
  size_t at = first;
  Handed given = givenTo(*loop);
  for (Walk w; (w = walk(*loop, changed, at, at == first ? &given : nullptr)).isAnswered;) {
    if (w.isWhole) {
      at += w.pieces;
      continue;
    }
    auto end = endOfWay(*loop, changed, at);
    bool isAtMoment = at > first || (first > 0 && changed[first - 1].moment == loop->moment);
    if (!end || loop->isComplete() || !isAtMoment) break;
    std::vector<Piece> way(changed.begin() + ptrdiff_t(at), changed.begin() + ptrdiff_t(*end) + 1);
    if (std::string answer = way[0].value; at == first) way[0] = loop->root->piece, way[0].value = answer; // it is given what trips are
    WaysPtr root = withWay(loop->root, way);
    if (!root || countWays(*root) > kMostWays) break;
    loop->root = root;
  }
  if (loop->growth() > kMostGrowth) return false;
  bool isReplaced = replaceTrips(loop, changed, first);
  if (!isReplaced && loop->isLeftAtEnd) { // perhaps this path leaves it elsewhere
    loop->isLeftAtEnd = false;
    isReplaced = replaceTrips(loop, changed, first);
  }
  if (!isReplaced) return false;
  pieces = std::move(changed);
  return true;
}

bool covers(const LoopOf &loop, const LoopOf &other) {
  LoopOf both = loop;
  bool isSame = loop.moment == other.moment && loop.answer == other.answer && loop.tail.size() == other.tail.size();
  return isSame && addWays(both, *other.root) && countWays(*both.root) == countWays(*loop.root);
}

} // namespace kiln
