#include "frontend/tree/Tree.h"

#include <unordered_map>

namespace kiln {

HostCounts &hostCounts() {
  static HostCounts counts;
  return counts;
}

void Tree::notePlaces(const std::vector<Location> &locations) {
  std::unordered_map<void *, int32_t> known;
  for (const Location &l : locations) {
    if (l.code && known.emplace(l.code, int32_t(codes.size())).second) codes.emplace_back(l.code);
    places.emplace_back(l.code ? known[l.code] : -1, l.instruction);
  }
}

} // namespace kiln
