// Who touched which byte, and when.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

namespace simulator {

/// A thread of the launch at some point between two barriers of its block.
struct Moment {
  int64_t thread = -1, block = 0; // -1: nobody; -2: several threads of the block; -3: threads of several blocks
  int64_t epoch = 0;

  /// Whether it is over before `now` begins.
  bool isBefore(const Moment &now) const {
    if (thread == -1 || thread == now.thread) return true;
    return thread != -3 && block == now.block && epoch < now.epoch;
  }
};

/// What is known of a byte.
struct Byte {
  Moment write, read;
  int16_t coming = 0; // asynchronous copies that may write it at any time
  int16_t going = 0;  // products that may read it at any time

  /// Whether the access may fall together with an earlier one.
  bool races(const Moment &now, bool isWrite) {
    if (!write.isBefore(now) || (isWrite && !read.isBefore(now))) return true;
    if (isWrite) write = now, read = {};
    else if (read.thread == -1 || (read.isBefore(now) && read.block == now.block)) read = now;
    else read = {read.block == now.block ? -2 : -3, now.block, now.epoch};
    return false;
  }
};

/// Memory that kernels may touch.
struct Range {
  char *begin, *end;
  bool isShared = false, isStatus = false; // of a block; the word that any thread may set
  std::vector<Byte> bytes;
};

/// Ranges that meet are one: an array may be read under several shapes.
inline void addRange(std::vector<Range> &ranges, char *begin, char *end, bool isStatus) {
  for (auto range = ranges.begin(); range != ranges.end();) {
    if (begin >= range->end || end <= range->begin) {
      ++range;
      continue;
    }
    begin = std::min(begin, range->begin), end = std::max(end, range->end);
    range = ranges.erase(range);
  }
  if (begin < end) ranges.push_back({begin, end, false, isStatus, {}});
}

} // namespace simulator
