#include "frontend/tree/Folding.h"

#include "frontend/Accelerated.h"
#include "lib/Core/Roll.h"

#include <algorithm>

namespace kiln {

HostCounts &hostCounts() {
  static HostCounts counts;
  return counts;
}

Node *Node::childFor(const std::string &value) {
  for (size_t i = 0; i < children.size(); ++i) {
    if (children[i].first != value) continue;
    if (i) std::swap(children[i], children[i - 1]);
    return children[i ? i - 1 : 0].second;
  }
  return nullptr;
}

void Tree::dropHot() {
  if (plain.hot) plain.way = PlainCall::Way::None; // the rest stays for calls that run
  hot = nullptr;
}

void Tree::end(Node::Terminator terminator, std::string why) {
  root().terminator = terminator; // the rest stays for calls that run
  dropHot();
  root().why = std::move(why);
}

void Tree::endAt(Node &node, std::string why) {
  if (&node == &root() && !hits) { // new: no call runs in it
    nodes.resize(1);
    known.clear(), steps.clear();
    node = {};
  }
  if (&node == &root() || 2 * node.hits > hits) return end(Node::Eager, std::move(why));
  node.terminator = Node::Eager;
  node.children.clear();
  node.why = std::move(why);
  dropHot();
}

bool Tree::isResting() {
  auto waits = [](const Code &code) { return code.state == Code::Recorded || code.state == Code::Waiting; };
  while (awaited.size() && !waits(*awaited.back())) awaited.pop_back();
  return awaited.size();
}

/// Whatever two steps may differ in.
static std::vector<int64_t> contentOf(const Piece &piece, bool isGuard) {
  std::vector<int64_t> content = piece.trace.serialize();
  auto add = [&](const std::vector<Source> &sources) {
    content.push_back(int64_t(sources.size()));
    for (const Source &s : sources) content.push_back(int64_t(s.kind) << 32 | s.index);
  };
  add(piece.inputs);
  add(piece.live);
  add(isGuard ? std::vector{piece.asked} : std::vector<Source>());
  for (const Device *device : piece.places) content.push_back(reinterpret_cast<intptr_t>(device));
  content.insert(content.end(), {reinterpret_cast<intptr_t>(piece.at.code), piece.at.instruction});
  return content;
}

/// Adds what repeats in a piece, the largest first: loops in loops once, and a few that are none.
static void noteLoops(Piece &piece, std::vector<Repetition> &found) {
  constexpr size_t kMost = 16, kMostRefused = 2;
  std::ranges::stable_sort(found, std::greater(), [](const Repetition &r) { return r.trips * r.lines; });
  size_t refused = 0;
  for (Repetition &r : found) {
    Location at = piece.locations[size_t(r.slot)];
    auto isSame = [&](const Repeated &known) {
      return known.at.code == at.code && known.at.instruction == at.instruction && (known.lines == r.lines || !r.why.empty());
    };
    if (piece.loops.size() == kMost || std::ranges::any_of(piece.loops, isSame) || (!r.why.empty() && refused++ >= kMostRefused)) continue;
    piece.loops.push_back({at, r.trips, r.lines, std::move(r.why)});
  }
}

/// Whether loops over arrays of other devices leave values where the operations that were recorded do, and can be compiled there: trips of
/// other sizes cannot.
static bool keepsPlaces(const Piece &piece, const Rolled &rolled, std::span<Device *const> places) {
  auto isSized = [](const Trace &trace) {
    for (size_t at = 0; at < trace.words.size();)
      if (Trace::decode(trace.words, at).op == Op::Sized) return true;
    return false;
  };
  const Trace &trace = rolled.trace;
  if (isSized(trace) || std::ranges::any_of(trace.bodies, [&](auto &body) { return isSized(*body); })) return false;
  std::vector<Device *> before = devicesOf(piece.trace, piece.places), after = devicesOf(trace, places);
  for (size_t at = 0, slot = 0; at < trace.words.size();) {
    TraceOp entry = Trace::decode(trace.words, at);
    for (size_t i = 1; entry.op == Op::Loop && i < entry.results; ++i) { // the first counts
      bool isHandedOn = rolled.from[slot + i] == rolled.from[slot];      // to the loop of what is left of the trips
      if (!isHandedOn && after[slot + i] != before[size_t(rolled.from[slot + i])]) return false;
    }
    slot += entry.results;
  }
  return true;
}

/// Puts loops in the place of what repeats.
static void rollLoops(Piece &piece) {
  std::vector<Repetition> found;
  auto rolled = roll(piece.trace, found);
  std::vector<Device *> places;
  if (bool isElsewhere = !piece.places.empty() || !piece.trace.devices.empty(); rolled && isElsewhere) {
    for (int64_t slot : rolled->from) places.push_back(size_t(slot) < piece.places.size() ? piece.places[size_t(slot)] : nullptr);
    if (!keepsPlaces(piece, *rolled, places)) return;
    if (piece.places.empty()) places.clear();
  }
  noteLoops(piece, found);
  if (!rolled) return;
  piece.places = std::move(places);
  std::vector<Location> locations;
  for (int64_t slot : rolled->from) locations.push_back(piece.locations[size_t(slot)]);
  piece.ops = piece.trace.types.size() - size_t(piece.trace.inputs);
  piece.trace = std::move(rolled->trace);
  piece.locations = std::move(locations);
}

static std::shared_ptr<Step> makeStep(Piece &&piece) {
  auto step = std::make_shared<Step>();
  step->askedType = piece.askedType;
  step->segment = Segment(std::move(piece.trace), std::move(piece.places));
  if (piece.ops) step->segment.ops = piece.ops;
  step->loops = std::move(piece.loops);
  step->inputs = std::move(piece.inputs);
  step->live = std::move(piece.live);
  step->asked = piece.asked;
  step->loop = std::move(piece.loop);
  step->why = std::move(piece.why);
  step->at = piece.at;
  step->locations = std::move(piece.locations);
  return step;
}

Step *Tree::stepOf(Piece &&piece, bool isGuard, std::vector<Step *> &fresh) {
  keepWhatFails(piece.trace);
  rollLoops(piece);
  auto [found, isNew] = known.try_emplace(contentOf(piece, isGuard));
  if (!isNew) return found->second.get();
  found->second = makeStep(std::move(piece));
  steps.push_back(found->second);
  keepCodes(*steps.back());
  fresh.push_back(steps.back().get());
  return fresh.back();
}

std::pair<std::shared_ptr<Step>, bool> Tree::stepApart(Piece &&piece) {
  constexpr size_t kMost = 256;
  rollLoops(piece);
  auto content = contentOf(piece, false);
  auto found = known.find(content);
  if (found != known.end()) return {found->second, false};
  auto step = makeStep(std::move(piece));
  if (known.size() >= kMost) return {step, true}; // numbers that change: its code is shared all the same
  known.emplace(std::move(content), step);
  steps.push_back(step);
  keepCodes(*step);
  return {step, true};
}

/// Objects of the host that locations are in.
void Tree::keepCodes(const Step &step) {
  isLong |= step.segment.isLong();
  auto keep = [&](const Location &at) {
    if (at.code && heldCodes.insert(at.code).second) codes.emplace_back(at.code);
  };
  keep(step.at);
  for (const Location &at : step.locations) keep(at);
}

/// Says of the last piece which outputs are new content of its inputs and nothing else: code may write them over the old one.
static void noteReplaced(Piece &piece, const Ending &ending) {
  if (ending.commits.empty()) return;
  Trace &trace = piece.trace;
  std::vector<int> uses(trace.outputs.size());
  auto isOutput = [](const Source &s) { return s.kind == Source::Output; };
  auto count = [&](const Source &s) {
    if (isOutput(s)) ++uses[size_t(s.index)];
  };
  for (const Source &s : ending.results) count(s);
  for (const Commit &c : ending.commits) count(c.content);
  std::vector<int64_t> replaces(trace.outputs.size(), -1);
  bool isAny = false;
  for (size_t at = 0, input = 0; at < trace.words.size(); ++input) {
    TraceOp entry = Trace::decode(trace.words, at);
    if (entry.op != Op::Input || input >= piece.inputs.size()) break;
    bool isRowMajor = entry.words[2 + size_t(entry.words[1])] == 0;
    auto writes = [&](const Commit &c) { return piece.inputs[input] == Source{Source::Entry, c.entry} && isOutput(c.content); };
    auto commit = std::ranges::find_if(ending.commits, writes);
    if (!isRowMajor || trace.deviceOf(input) != kHostDevice || commit == ending.commits.end()) continue;
    auto output = size_t(commit->content.index);
    if (uses[output] != 1 || !(trace.types[size_t(trace.outputs[output])] == trace.types[input])) continue;
    replaces[output] = int64_t(input);
    isAny = true;
  }
  if (isAny) trace.replaces = std::move(replaces);
}

/// What a node does now; where it did otherwise, its old path is dropped.
void Tree::set(Node &node, Step *step, Node::Terminator terminator, Added &added) {
  if (node.step == step && node.terminator == terminator) return;
  bool isFolded = step->loop != nullptr; // what was recorded before is a trip of it
  if (node.terminator != Node::Unknown) forks += !isFolded, dropHot();
  auto isSameLoop = [&](const Step &a, const Step &b) { // perhaps with more ways: what is handed on is the same
    return a.loop && b.loop && a.loop->moment == b.loop->moment && a.loop->asksForTrip() == b.loop->asksForTrip() &&
           a.live.size() == b.live.size() && a.at.code == b.at.code && a.at.instruction == b.at.instruction;
  };
  bool asksTheSame = terminator == Node::Guard && node.terminator == Node::Guard && isSameLoop(*node.step, *step);
  if (asksTheSame) { // with more ways than before
    if (!added.first) added.first = &node;
    node.step = step;
    return;
  }
  refolds += node.terminator != Node::Unknown && isFolded;
  if (!added.first) added.first = &node;
  node.children.clear();
  node.ending = nullptr;
  node.step = step;
  node.terminator = terminator;
}

bool Tree::takeTrips(Path &path) const {
  constexpr int kMostRefolds = 4;
  if (refolds > kMostRefolds) return false;
  const Node *node = &root();
  for (size_t i = 0; i < path.pieces.size() && node->step; ++i) {
    const auto &known = node->step->loop;
    bool isOther = known && !foldInto(*known, path.pieces, i);
    const Piece &piece = path.pieces[i];
    if (isOther && (!piece.loop || !covers(*piece.loop, *known))) return false;
    auto child = std::ranges::find(node->children, piece.value, [](auto &c) { return c.first; });
    if (child == node->children.end()) break;
    node = child->second;
  }
  return true;
}

Tree::Added Tree::add(Path path) {
  Added added;
  if (path.entries.size() > entries.size()) entries = std::move(path.entries); // more are found on further paths, behind the others
  Node *node = &root();
  for (size_t i = 0; i < path.pieces.size(); ++i) {
    Piece &piece = path.pieces[i];
    bool isGuard = path.end != Node::Return || i + 1 < path.pieces.size();
    std::string value = std::move(piece.value);
    if (!isGuard) noteReplaced(piece, path.ending);
    Step *step = stepOf(std::move(piece), isGuard, added.steps);
    set(*node, step, isGuard ? Node::Guard : Node::Return, added);
    if (!isGuard) {
      if (!node->ending) node->ending = std::make_shared<const Ending>(std::move(path.ending));
      break;
    }
    Node *child = node->childFor(value);
    if (!child) node->children.emplace_back(std::move(value), child = &nodes.emplace_back());
    node = child;
  }
  added.end = node;
  if (path.end != Node::Return && path.end != Node::Unknown && node->terminator != path.end) {
    if (node->terminator != Node::Unknown) ++forks, dropHot();
    node->terminator = path.end;
    node->why = std::move(path.why);
  }
  return added;
}

} // namespace kiln
