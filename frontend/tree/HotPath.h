// A path that most calls of a tree take, as one program: its segments run as one, and what Python asked for is compared afterwards.
// Nothing is written before the end of a path, so a run that turns out to be of another path is dropped.
#pragma once

#include "frontend/tree/Runner.h"

namespace kiln {

struct HotPath {
  static constexpr size_t kMostNodes = Ran::kMostNoted - 1, kMostOps = 1000;
  Step step;                            // all inputs are entries; its first outputs are what was asked for
  std::vector<Node *> nodes;            // from the root to the end
  std::vector<std::string> values;      // that Python was told
  std::shared_ptr<const Ending> ending; // with results among the outputs of the step
  int64_t hits = 0, misses = 0;
};

/// The path of some nodes from the root to a Return as one program; null for one that is too long, or works on another device than the CPU.
std::shared_ptr<HotPath> joinPath(std::span<Node *const> nodes);

/// Runs a call as if it took the path; Unknown: it takes another one.
RunStatus run(const Tree &tree, HotPath &path, std::span<Array *const> arrays, const RunHooks &hooks, Ran &ran);

} // namespace kiln
