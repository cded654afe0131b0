#include "frontend/Lines.h"
#include "frontend/Masks.h"
#include "lib/Runtime/Executable.h"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <utility>

namespace kiln::eager {
namespace {

/// A step that is known when this is compiled, so that loops with it are vectorized; 0: any, which is given.
template <int64_t From, int64_t To, typename T> void copyLine(T *to, const T *from, int64_t n, int64_t fromStep, int64_t toStep) {
  if constexpr (From != 0) fromStep = From;
  if constexpr (To != 0) toStep = To;
  for (int64_t i = 0; i < n; ++i) to[i * toStep] = from[i * fromStep];
}

template <typename T> using Line = void (*)(T *, const T *, int64_t, int64_t, int64_t);
/// By the steps of most views: reversed, every second to fourth, the parts of pairs.
template <typename T> Line<T> lineFor(int64_t fromStep, int64_t toStep) {
  if (toStep == 1) switch (fromStep) {
    case 1: return copyLine<1, 1, T>;
    case -1: return copyLine<-1, 1, T>;
    case 2: return copyLine<2, 1, T>;
    case -2: return copyLine<-2, 1, T>;
    case 3: return copyLine<3, 1, T>;
    case 4: return copyLine<4, 1, T>;
    default: return copyLine<0, 1, T>;
    }
  return fromStep == 1 ? copyLine<1, 0, T> : copyLine<0, 0, T>;
}

/// The parts of a copy that threads share: blocks of lines.
template <typename T> struct Copy {
  T *to;
  const T *from;
  Plane p;
  int64_t block;
  Line<T> line;

  static void run(void *context, void *, int64_t first, int64_t last) {
    auto &[to, from, p, block, line] = *static_cast<Copy *>(context);
    for (int64_t part = first; part < last; ++part) {
      int64_t i = part % p.rows, j = part / p.rows * block;
      line(to + i * p.toRows + j * p.toColumns, from + i * p.fromRows + j * p.fromColumns, std::min(block, p.columns - j), p.fromColumns,
           p.toColumns);
    }
  }
};

template <typename T> void copyAs(T *to, const T *from, Plane p) {
  constexpr int64_t kShort = 16, kBlock = 2048, kShare = 65536; // a block stays in the first cache while the short axis is walked along
  if (p.columns < kShort && p.rows > p.columns) {
    std::swap(p.rows, p.columns);
    std::swap(p.fromRows, p.fromColumns);
    std::swap(p.toRows, p.toColumns);
  }
  Copy<T> copy = {to, from, p, std::min(p.columns, kBlock), lineFor<T>(p.fromColumns, p.toColumns)};
  int64_t parts = p.rows * ((p.columns + copy.block - 1) / copy.block);
  if (parts * copy.block < kShare) Copy<T>::run(&copy, nullptr, 0, parts);
  else runtimeTable()->parallel_for(Copy<T>::run, &copy, nullptr, 0, parts, kShare / copy.block);
}

/// A gather whose positions threads share.
template <typename T> struct Elements {
  T *to;
  const T *from;
  const int64_t *positions;
  int64_t size;
  std::atomic<bool> isOutside = false;

  static void run(void *context, void *, int64_t first, int64_t last) {
    auto &self = *static_cast<Elements *>(context);
    T *to = self.to;
    const T *from = self.from;
    const int64_t *positions = self.positions, size = self.size;
    for (int64_t i = first; i < last; ++i) {
      int64_t at = positions[i] + (positions[i] < 0 ? size : 0);
      if (uint64_t(at) >= uint64_t(size)) return void(self.isOutside = true);
      to[i] = from[at];
    }
  }
};

/// Calls `body` with a value as wide as an element.
template <typename Body> auto withWidth(int64_t bytes, const Body &body) {
  if (bytes == 1) return body(uint8_t());
  if (bytes == 2) return body(uint16_t());
  return bytes == 4 ? body(uint32_t()) : body(uint64_t());
}

} // namespace

bool gatherElements(void *to, const void *from, int64_t bytes, const int64_t *positions, int64_t count, int64_t size) {
  constexpr int64_t kShare = 65536;
  return withWidth(bytes, [&]<typename T>(T) {
    Elements<T> elements = {static_cast<T *>(to), static_cast<const T *>(from), positions, size};
    if (count < kShare) elements.run(&elements, nullptr, 0, count);
    else runtimeTable()->parallel_for(elements.run, &elements, nullptr, 0, count, kShare);
    return !elements.isOutside;
  });
}

bool scatterElements(void *to, const void *from, int64_t bytes, const int64_t *positions, int64_t count, int64_t size) {
  bool areInside = true;
  for (int64_t i = 0; i < count; ++i) areInside &= uint64_t(positions[i]) + uint64_t(size) < 2 * uint64_t(size);
  if (!areInside) return false;
  return withWidth(bytes, [&]<typename T>(T) {
    auto *target = static_cast<T *>(to);
    auto *source = static_cast<const T *>(from);
    for (int64_t i = 0; i < count; ++i) target[positions[i] + (positions[i] < 0 ? size : 0)] = source[i];
    return true;
  });
}

void copyPlane(void *to, const void *from, int64_t bytes, const Plane &plane) {
  auto as = [&]<typename T>(T) { copyAs(static_cast<T *>(to), static_cast<const T *>(from), plane); };
  if (bytes == 1) as(uint8_t());
  else if (bytes == 2) as(uint16_t());
  else if (bytes == 4) as(uint32_t());
  else if (bytes == 8) as(uint64_t());
  else as(Pair());
}

void copyBytes(void *to, const void *from, size_t bytes) {
  constexpr size_t kLeast = 512, kMost = 256 << 10;
  auto *target = static_cast<char *>(to);
  auto *source = static_cast<const char *>(from);
  bool overlaps = target < source + bytes && source < target + bytes;
  if (bytes < kLeast || bytes > kMost || overlaps) return void(std::memmove(to, from, bytes));
  struct Line {
    Pair parts[4];
  };
  size_t i = 0;
  for (; i + sizeof(Line) <= bytes; i += sizeof(Line)) {
    Line line;
    std::memcpy(&line, source + i, sizeof line);
    std::memcpy(target + i, &line, sizeof line);
  }
  std::memcpy(target + i, source + i, bytes - i);
}

} // namespace kiln::eager
