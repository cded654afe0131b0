// Passes over masks of bytes, and elements that they move.
#pragma once

#include <cstdint>
#include <cstring>

namespace kiln {

/// An element of 16 bytes.
struct Pair {
  uint64_t words[2];
};

/// Calls `one` with each position, how many true ones came before and whether it is one, until there were `count`; `eight` with the first
/// of eight true ones in its place. Runs of eight without a true one are left out.
template <typename One, typename Eight> void overTrue(const char *mask, int64_t n, int64_t count, const One &one, const Eight &eight) {
  constexpr uint64_t kAllTrue = 0x0101010101010101;
  int64_t found = 0, i = 0;
  for (; i + 8 <= n && found + 8 <= count; i += 8) {
    uint64_t run;
    std::memcpy(&run, mask + i, 8);
    if (!run) continue;
    if (run == kAllTrue) {
      eight(i, found);
      found += 8;
      continue;
    }
    for (int k = 0; k < 8; ++k) { // no branch: masks are not foreseen
      bool isTrue = mask[i + k] != 0;
      one(i + k, found, isTrue);
      found += isTrue;
    }
  }
  for (; i < n && found < count; ++i) {
    bool isTrue = mask[i] != 0;
    one(i, found, isTrue);
    found += isTrue;
  }
}

} // namespace kiln
