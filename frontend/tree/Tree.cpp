#include "frontend/tree/Tree.h"

#include <algorithm>
#include <set>

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

void Tree::makeEager(std::string why) {
  root().terminator = Node::Eager; // the rest stays for calls that run
  root().why = std::move(why);
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

Step *Tree::stepOf(Piece &&piece, bool isGuard, std::vector<Step *> &fresh) {
  keepWhatFails(piece.trace);
  auto [found, isNew] = known.try_emplace(contentOf(piece, isGuard));
  if (!isNew) return found->second.get();
  auto step = std::make_unique<Step>();
  auto typeOf = [&] {
    Source s = piece.asked;
    if (s.kind == Source::Output) return piece.trace.types[size_t(piece.trace.outputs[size_t(s.index)])].dtype;
    auto input = std::ranges::find(piece.inputs, s);
    return input == piece.inputs.end() ? DType::Bool : piece.trace.types[size_t(input - piece.inputs.begin())].dtype;
  };
  if (isGuard) step->askedType = typeOf();
  step->segment = Segment(std::move(piece.trace), std::move(piece.places));
  step->inputs = std::move(piece.inputs);
  step->live = std::move(piece.live);
  step->asked = piece.asked;
  step->why = std::move(piece.why);
  step->at = piece.at;
  step->locations = std::move(piece.locations);
  found->second = std::move(step);
  steps.push_back(found->second.get());
  isLong |= steps.back()->segment.isLong();
  fresh.push_back(steps.back());
  return steps.back();
}

std::vector<Step *> Tree::add(Path path) {
  std::vector<Step *> fresh;
  if (entries.empty()) entries = std::move(path.entries);
  Node *node = &root();
  for (size_t i = 0; i < path.pieces.size(); ++i) {
    Piece &piece = path.pieces[i];
    bool isGuard = path.end != Node::Return || i + 1 < path.pieces.size();
    std::string value = std::move(piece.value);
    Step *step = stepOf(std::move(piece), isGuard, fresh);
    auto terminator = isGuard ? Node::Guard : Node::Return;
    if (node->step != step || node->terminator != terminator) {
      forks += node->terminator != Node::Unknown;
      node->children.clear();
      node->ending = nullptr;
      node->step = step;
      node->terminator = terminator;
    }
    if (!isGuard) {
      if (!node->ending) node->ending = std::make_shared<const Ending>(std::move(path.ending));
      break;
    }
    Node *child = node->childFor(value);
    if (!child) node->children.emplace_back(std::move(value), child = &nodes.emplace_back());
    node = child;
  }
  if (path.end != Node::Return && path.end != Node::Unknown && node->terminator != path.end) {
    forks += node->terminator != Node::Unknown;
    node->terminator = path.end;
    node->why = std::move(path.why);
  }
  std::set<void *> held;
  for (const HostObject &code : codes) held.insert(code.get());
  for (const Step *step : fresh) {
    if (step->at.code && held.insert(step->at.code).second) codes.emplace_back(step->at.code);
    for (const Location &l : step->locations)
      if (l.code && held.insert(l.code).second) codes.emplace_back(l.code);
  }
  return fresh;
}

} // namespace kiln
