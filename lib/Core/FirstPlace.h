// The first place of each pointer in a list that grows: found by comparing while the list is short, as most are, then in a table.
#pragma once

#include <cstdint>
#include <unordered_map>
#include <vector>

namespace kiln {

class FirstPlace {
public:
  /// The first place of `key`, or -1.
  int64_t find(const void *key) const {
    if (!many.empty()) {
      auto found = many.find(key);
      return found == many.end() ? -1 : found->second;
    }
    for (auto &[known, place] : few)
      if (known == key) return place;
    return -1;
  }
  /// The same; where there is none, it is `place` from now on.
  int64_t put(const void *key, int64_t place) {
    int64_t first = find(key);
    if (first >= 0) return first;
    if (many.empty() && few.size() < kFew) return few.emplace_back(key, place), -1;
    if (many.empty()) many.insert(few.begin(), few.end());
    many.emplace(key, place);
    return -1;
  }
  /// The list ends before `end` now.
  void cut(int64_t end) {
    auto isCut = [=](const auto &known) { return known.second >= end; };
    std::erase_if(few, isCut);
    std::erase_if(many, isCut);
  }
  void clear() {
    few.clear();
    if (!many.empty()) many.clear(); // which takes a while for none, too
  }

private:
  static constexpr size_t kFew = 24;
  std::vector<std::pair<const void *, int64_t>> few;
  std::unordered_map<const void *, int64_t> many;
};

} // namespace kiln
