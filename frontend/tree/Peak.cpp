#include "frontend/tree/Peak.h"

#include "frontend/tree/HotPath.h"

#include <map>

namespace kiln {
namespace {

int64_t bytesOf(const ArrayType &type) { return numElements(type.shape) * byteSize(type.dtype); }

class Peak {
public:
  explicit Peak(const Tree &tree) : tree(tree) {
    for (auto &step : tree.steps) addEntries(*step);
  }

  int64_t most() {
    struct Reached {
      const Node *node;
      std::vector<int64_t> live; // bytes of what the nodes before it hand on
    };
    std::vector<Reached> waiting = {{&tree.root(), {}}};
    for (size_t seen = 0; !waiting.empty() && seen < tree.nodes.size(); ++seen) {
      auto [node, live] = std::move(waiting.back());
      waiting.pop_back();
      if (!node->step) continue;
      std::vector<int64_t> next = run(*node->step, live);
      for (auto &[value, child] : node->children) waiting.push_back({child, next});
    }
    if (tree.hot) run(tree.hot->step, {});
    if (!isKnown) return 0;
    for (auto &[entry, bytes] : entries) peak += bytes;
    return peak;
  }

private:
  const Tree &tree;
  std::map<int32_t, int64_t> entries; // bytes
  int64_t peak = 0;
  bool isKnown = true;

  void addEntries(const Step &step) {
    for (size_t i = 0; i < step.inputs.size() && i < step.segment.inputs.size(); ++i)
      if (step.inputs[i].kind == Source::Entry) entries[step.inputs[i].index] = bytesOf(step.segment.inputs[i]);
  }

  /// What a step hands on.
  std::vector<int64_t> run(const Step &step, const std::vector<int64_t> &live) {
    const Segment &s = step.segment;
    isKnown &= s.executable || s.outputs.empty();
    std::vector<int64_t> made, next;
    int64_t held = int64_t(s.workspaceBytes);
    for (size_t i = 0; i < s.outputs.size(); ++i) {
      bool isInPlace = s.executable && i < s.executable->inPlace.size() && s.executable->inPlace[i] >= 0;
      made.push_back(isInPlace ? 0 : bytesOf(s.outputs[i]));
      held += made.back();
    }
    for (int64_t bytes : live) held += bytes;
    peak = std::max(peak, held);
    for (const Source &source : step.live) {
      const std::vector<int64_t> &from = source.kind == Source::Live ? live : made;
      bool isMade = source.kind != Source::Entry && size_t(source.index) < from.size();
      next.push_back(isMade ? from[size_t(source.index)] : 0);
    }
    return next;
  }
};

} // namespace

int64_t peakBytes(const Tree &tree) { return tree.isEager() ? 0 : Peak(tree).most(); }

} // namespace kiln
