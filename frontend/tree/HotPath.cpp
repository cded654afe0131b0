#include "frontend/tree/HotPath.h"

#include <algorithm>
#include <map>

namespace kiln {
namespace {

/// Puts the segments of a path one after the other.
class Joining {
public:
  Trace trace;
  std::vector<Source> inputs;
  std::vector<Location> locations; // by slot

  bool knows(const Source &s) const { return s.kind != Source::Entry || entries.contains(s.index); }
  /// Entries become inputs, before any operation is added.
  void addInputs(const Step &step) {
    const Trace &from = *step.segment.trace;
    for (size_t at = 0, i = 0; at < from.words.size() && i < step.inputs.size(); ++i) {
      TraceOp entry = Trace::decode(from.words, at);
      const Source &source = step.inputs[i];
      if (source.kind != Source::Entry || entries.contains(source.index)) continue;
      trace.words.insert(trace.words.end(), from.words.begin() + ptrdiff_t(entry.at), from.words.begin() + ptrdiff_t(at));
      trace.types.push_back(from.types[i]);
      locations.emplace_back();
      ++trace.inputs;
      entries[source.index] = int64_t(trace.types.size()) - 1;
      inputs.push_back(source);
    }
  }

  void addOperations(const Step &step) {
    const Trace &from = *step.segment.trace;
    std::vector<int64_t> slots; // of the segment, in the whole
    for (const Source &s : step.inputs) slots.push_back(slotOf(s));
    for (size_t at = 0; at < from.words.size();) {
      TraceOp entry = Trace::decode(from.words, at);
      if (entry.op == Op::Input) continue;
      trace.words.insert(trace.words.end(), from.words.begin() + ptrdiff_t(entry.at), from.words.begin() + ptrdiff_t(at));
      int64_t *operands = trace.words.data() + trace.words.size() - entry.words.size() - entry.operands.size();
      for (size_t i = 0; i < entry.operands.size(); ++i) operands[i] = slots[size_t(entry.operands[i])];
      for (size_t i = 0; i < entry.results; ++i) {
        trace.types.push_back(from.types[slots.size()]);
        locations.push_back(slots.size() < step.locations.size() ? step.locations[slots.size()] : Location());
        slots.push_back(int64_t(trace.types.size()) - 1);
      }
    }
    made.clear();
    for (int64_t output : from.outputs) made.push_back(slots[size_t(output)]);
  }

  int64_t slotOf(const Source &s) const {
    return s.kind == Source::Entry ? entries.at(s.index) : (s.kind == Source::Live ? live : made)[size_t(s.index)];
  }
  void handOn(const Step &step) {
    std::vector<int64_t> next;
    for (const Source &s : step.live) next.push_back(slotOf(s));
    live = std::move(next);
  }
  Source output(const Source &s) {
    trace.outputs.push_back(slotOf(s));
    return {Source::Output, int32_t(trace.outputs.size()) - 1};
  }

private:
  std::map<int32_t, int64_t> entries; // slots of inputs
  std::vector<int64_t> live, made;    // slots
};

/// Whether the operations of a step are at hand and may stand among others.
bool canJoin(const Step &step) {
  const Segment &s = step.segment;
  return s.trace && !s.trace->isOpen() && !s.device && s.places.empty() && s.trace->bodies.empty() && s.trace->devices.empty();
}

} // namespace

std::shared_ptr<HotPath> joinPath(std::span<Node *const> nodes) {
  size_t ops = 0;
  for (const Node *node : nodes) {
    if (!canJoin(*node->step)) return nullptr;
    ops += node->step->segment.ops;
  }
  if (nodes.size() < 2 || nodes.size() > HotPath::kMostNodes || ops > HotPath::kMostOps) return nullptr;
  auto path = std::make_shared<HotPath>();
  Joining joining;
  joining.trace.isFast = nodes[0]->step->segment.trace->isFast;
  path->nodes.assign(nodes.begin(), nodes.end());
  for (const Node *node : nodes) joining.addInputs(*node->step);
  for (size_t i = 0; i < nodes.size(); ++i) {
    const Step &step = *nodes[i]->step;
    joining.addOperations(step);
    if (i + 1 == nodes.size()) break;
    if (!joining.knows(step.asked)) return nullptr; // an argument that no operation takes
    joining.output(step.asked);
    joining.handOn(step);
    auto isNext = [&](auto &child) { return child.second == nodes[i + 1]; };
    auto next = std::ranges::find_if(nodes[i]->children, isNext);
    if (next == nodes[i]->children.end()) return nullptr;
    path->values.push_back(next->first);
  }
  auto ending = std::make_shared<Ending>(*nodes.back()->ending);
  for (Source &s : ending->results) s = joining.output(s);
  for (Commit &c : ending->commits) c.content = joining.output(c.content);
  path->ending = ending;
  keepWhatFails(joining.trace);
  path->step.segment = Segment(std::move(joining.trace));
  path->step.inputs = std::move(joining.inputs);
  path->step.locations = std::move(joining.locations);
  return path;
}

} // namespace kiln
