#include "lib/Library/Sorting.h"

#include "lib/Library/Library.h"
#include "lib/Library/VectorTargets.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <numeric>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "lib/Library/Sorting.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>
#include <hwy/contrib/sort/traits-inl.h>
#include <hwy/contrib/sort/vqsort-inl.h>
#include <hwy/contrib/sort/vqsort.h>

HWY_BEFORE_NAMESPACE();
namespace kiln::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

template <typename T, template <typename> class Order> void sortKeys(T *keys, size_t n) {
  hn::detail::SharedTraits<hn::detail::TraitsLane<Order<T>>> traits;
  hn::Sort(hn::SortTag<T>(), traits, keys, n, static_cast<T *>(nullptr));
}
template <typename T> void sortRow(void *keys, size_t n, bool descending) {
  if (descending) sortKeys<T, hn::detail::OrderDescending>(static_cast<T *>(keys), n);
  else sortKeys<T, hn::detail::OrderAscending>(static_cast<T *>(keys), n);
}

using RowSort = void(void *, size_t, bool);
/// By dtype; null for those of one byte, and those that are sorted as others.
RowSort *rowSort(DType dtype) {
  switch (dtype) {
  case DType::I16: return sortRow<int16_t>;
  case DType::U16: return sortRow<uint16_t>;
  case DType::I32:
  case DType::F32: return sortRow<int32_t>; // keys
  case DType::U32: return sortRow<uint32_t>;
  case DType::I64:
  case DType::F64: return sortRow<int64_t>;
  case DType::U64: return sortRow<uint64_t>;
  default: return nullptr;
  }
}

} // namespace kiln::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
bool kiln::hasWideLanes() {
#if defined(__x86_64__)
  static const bool isWide = !__builtin_cpu_is("amdfam19h") && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                             __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512cd");
  return isWide;
#else
  return false;
#endif
}

/// The seed of the pivots' choice: any, as results do not depend on it.
void hwy::Sorter::Fill24Bytes(const void *, size_t, void *bytes) { std::memset(bytes, 1, 24); }
/// Of assertions, which the headers have in builds under sanitizers alone.
void hwy::Abort(const char *file, int line, const char *, ...) {
  std::fprintf(stderr, "%s:%d: an assertion of the sort failed\n", file, line);
  std::abort();
}

namespace kiln {
namespace {

constexpr int64_t kShort = 32;

template <typename T> bool isBefore(T a, T b, bool descending) {
  if constexpr (std::is_floating_point_v<T>)
    if (std::isnan(a) || std::isnan(b)) return !std::isnan(a) && std::isnan(b);
  return descending ? b < a : a < b;
}

template <typename T> void insertPositions(const T *row, int64_t n, bool descending, int64_t *positions) {
  for (int64_t i = 0; i < n; ++i) {
    int64_t k = i;
    for (; k > 0 && isBefore(row[i], row[positions[k - 1]], descending); --k) positions[k] = positions[k - 1];
    positions[k] = i;
  }
}

template <typename T> void insertValues(T *row, int64_t n, bool descending) {
  for (int64_t i = 1; i < n; ++i) {
    T value = row[i];
    int64_t k = i;
    for (; k > 0 && isBefore(value, row[k - 1], descending); --k) row[k] = row[k - 1];
    row[k] = value;
  }
}

/// Bytes by how often each occurs.
template <typename T> void countBytes(T *row, int64_t n, bool descending) {
  std::array<int64_t, 256> counts{};
  for (int64_t i = 0; i < n; ++i) ++counts[uint8_t(row[i])];
  for (int i = 0; i < 256; ++i) {
    int value = int(std::numeric_limits<T>::min()) + (descending ? 255 - i : i);
    int64_t count = counts[uint8_t(value)];
    std::memset(row, value, size_t(count));
    row += count;
  }
}

constexpr int64_t kFew = 2048; // different elements that are counted

/// Integers of a small range by how often each occurs; false for others.
template <typename T> bool countValues(T *row, int64_t n, bool descending) {
  constexpr int64_t kBlock = 4096, kCompared = 12;
  T low = row[0], high = row[0];
  for (int64_t i = 0; i < n; i += kBlock) {
    for (int64_t k = i, end = std::min(i + kBlock, n); k < end; ++k) low = std::min(low, row[k]), high = std::max(high, row[k]);
    if (uint64_t(high) - uint64_t(low) >= uint64_t(std::min(n, kFew))) return false;
  }
  int64_t size = int64_t(uint64_t(high) - uint64_t(low)) + 1;
  std::array<int64_t, kFew> counts;
  std::fill_n(counts.begin(), size, 0);
  if (size <= kCompared) { // neighbours are often equal, and would wait for one another's count
    for (int64_t i = 0; i < n; i += kBlock)
      for (int64_t value = 0; value < size; ++value) {
        int32_t count = 0;
        for (int64_t k = i, end = std::min(i + kBlock, n); k < end; ++k) count += row[k] == T(uint64_t(low) + uint64_t(value));
        counts[size_t(value)] += count;
      }
  } else {
    for (int64_t i = 0; i < n; ++i) ++counts[size_t(uint64_t(row[i]) - uint64_t(low))];
  }
  for (int64_t i = 0; i < size; ++i) {
    int64_t place = descending ? size - 1 - i : i;
    row = std::fill_n(row, counts[size_t(place)], T(uint64_t(low) + uint64_t(place)));
  }
  return true;
}

template <typename T> using KeyOf = std::conditional_t<sizeof(T) == 4, int32_t, int64_t>;
/// The bits of a float as an integer of the same order; the same again gives them back.
template <typename T> KeyOf<T> turned(KeyOf<T> bits) { return bits ^ (bits >> (8 * sizeof(T) - 1) & std::numeric_limits<KeyOf<T>>::max()); }

/// Floats by their bits: Highway's sort of floats takes the largest finite one for infinity. nans, and zeros of both signs, are put in
/// their order, which the sort of keys does not keep.
template <typename T> void sortFloats(T *row, const T *from, int64_t n, bool descending, void (*sortKeys)(void *, size_t, bool)) {
  using Key = KeyOf<T>;
  bool hasNan = false, hasNegativeZero = false;
  for (int64_t i = 0; i < n; ++i) {
    Key bits = std::bit_cast<Key>(from[i]);
    row[i] = std::bit_cast<T>(turned<T>(bits));
    hasNan |= from[i] != from[i];
    hasNegativeZero |= bits == std::numeric_limits<Key>::min();
  }
  T *end = row + n;
  if (hasNan) {
    end = row;
    for (int64_t i = 0; i < n; ++i)
      if (from[i] == from[i]) *end++ = std::bit_cast<T>(turned<T>(std::bit_cast<Key>(from[i])));
    std::copy_if(from, from + n, end, [](T x) { return x != x; });
  }
  sortKeys(row, size_t(end - row), descending);
  for (T *at = row; at < end; ++at) *at = std::bit_cast<T>(turned<T>(std::bit_cast<Key>(*at)));
  if (hasNegativeZero)
    std::copy_if(from, from + n, std::partition_point(row, end, [&](T x) { return descending ? x > 0 : x < 0; }),
                 [](T x) { return x == 0; });
}

auto *rowSortHere(DType dtype) {
#if defined(__x86_64__)
  return hasWideLanes() ? N_AVX3::rowSort(dtype) : N_AVX2::rowSort(dtype);
#else
  return HWY_STATIC_DISPATCH(rowSort)(dtype);
#endif
}

/// A word in the order of the elements: nan last, zeros of both signs one word.
template <typename T> uint64_t orderOf(T x, bool descending) {
  constexpr uint64_t kLast = ~uint64_t(0);
  uint64_t order;
  if constexpr (std::is_floating_point_v<T>) {
    if (x != x) return kLast;
    order = uint64_t(int64_t(turned<T>(std::bit_cast<KeyOf<T>>(x + T(0)))));
  } else {
    order = uint64_t(x);
  }
  if constexpr (std::is_signed_v<T>) order ^= uint64_t(1) << 63; // of floats as well
  return descending ? ~order : order;
}

/// Positions as the lower bits of words with as much of their elements' order above as there is room for. Words whose upper parts are
/// equal are sorted by the rest of it, for which there is always room.
template <typename T> class PositionSort {
public:
  PositionSort(const T *row, int64_t n, bool descending, int64_t *positions)
      : row(row), n(n), descending(descending), words(reinterpret_cast<uint64_t *>(positions)), bits(int(std::bit_width(uint64_t(n - 1)))) {
  }

  void run() {
    uint64_t high = 0;
    for (int64_t i = 0; i < n; ++i) {
      words[i] = orderOf(row[i], descending);
      low = std::min(low, words[i]), high = std::max(high, words[i]);
    }
    if (high - low < uint64_t(std::min(n, kFew))) return countEach();
    left = std::max(0, int(std::bit_width(high - low)) + bits - 64);
    for (int64_t i = 0; i < n; ++i) words[i] = (words[i] - low) >> left << bits | uint64_t(i);
    sort(words, n);
    if (left) sortRuns();
    for (int64_t i = 0; i < n; ++i) words[i] &= mask();
  }

private:
  const T *row;
  int64_t n;
  bool descending;
  uint64_t *words, low = ~uint64_t(0);
  int bits, left = 0; // of a position; of the order that a word has no room for

  /// Elements of a small range by how often each occurs.
  void countEach() {
    auto elements = std::make_unique_for_overwrite<uint16_t[]>(size_t(n));
    std::array<int64_t, kFew> starts{};
    for (int64_t i = 0; i < n; ++i) ++starts[elements[size_t(i)] = uint16_t(words[i] - low)];
    std::exclusive_scan(starts.begin(), starts.end(), starts.begin(), int64_t(0));
    for (int64_t i = 0; i < n; ++i) words[starts[elements[size_t(i)]]++] = uint64_t(i);
  }

  uint64_t mask() const { return (uint64_t(1) << bits) - 1; }
  static void sort(uint64_t *words, int64_t n) {
    if (n <= kShort) insertValues(words, n, false);
    else rowSortHere(DType::U64)(words, size_t(n), false);
  }
  void sortRuns() {
    for (int64_t from = 0, to = 0; from < n; from = to) {
      while (to < n && words[to] >> bits == words[from] >> bits) ++to;
      if (to - from == 1) continue;
      for (int64_t i = from; i < to; ++i) {
        uint64_t at = words[i] & mask(), rest = orderOf(row[at], descending) - low;
        words[i] = (rest & ((uint64_t(1) << left) - 1)) << bits | at;
      }
      sort(words + from, to - from);
    }
  }
};

} // namespace

bool sortValues(DType dtype, int64_t rows, int64_t size, bool descending, const void *from, void *to) {
  return withElementType(dtype, [&]<typename T>(T) {
    auto *source = static_cast<const T *>(from);
    T *row = static_cast<T *>(to);
    for (int64_t i = 0; i < rows; ++i, row += size, source += size) {
      if constexpr (std::is_floating_point_v<T>)
        if (size > kShort) {
          sortFloats(row, source, size, descending, rowSortHere(dtype));
          continue;
        }
      std::memcpy(row, source, size_t(size) * sizeof(T));
      if (size <= kShort) insertValues(row, size, descending);
      else if constexpr (sizeof(T) == 1) countBytes(row, size, descending);
      else if constexpr (!std::is_floating_point_v<T>)
        if (!countValues(row, size, descending)) rowSortHere(dtype)(row, size_t(size), descending);
    }
  });
}

bool sortPositions(DType dtype, int64_t rows, int64_t size, bool descending, const void *from, int64_t *positions) {
  constexpr int64_t kMost = int64_t(1) << 32;
  return size <= kMost && withElementType(dtype, [&]<typename T>(T) {
           auto *row = static_cast<const T *>(from);
           for (int64_t i = 0; i < rows; ++i, row += size, positions += size)
             if (size <= kShort) insertPositions(row, size, descending, positions);
             else PositionSort<T>(row, size, descending, positions).run();
         });
}

namespace library {

/// Of one row, with `words` that say whether it is descending.
int32_t sort(const kiln_tensor *tensors, const int64_t *words) {
  bool isKnown = sortValues(DType(tensors[0].dtype), 1, tensors[0].shape[0], words[0], tensors[0].data, tensors[1].data);
  return isKnown ? 0 : KILN_LIBRARY_MISSING;
}
int32_t argsort(const kiln_tensor *tensors, const int64_t *words) {
  auto *positions = static_cast<int64_t *>(tensors[1].data);
  bool isKnown = sortPositions(DType(tensors[0].dtype), 1, tensors[0].shape[0], words[0], tensors[0].data, positions);
  return isKnown ? 0 : KILN_LIBRARY_MISSING;
}

} // namespace library

int64_t runStarts(DType dtype, const void *line, int64_t n, int64_t *starts, int64_t count) {
  if (n == 0) return 0;
  int64_t found = 1;
  bool isKnown = withElementType(dtype, [&]<typename T>(T) {
    auto *x = static_cast<const T *>(line);
    if (!starts) {
      for (int64_t i = 1; i < n; ++i) found += x[i] != x[i - 1];
      return;
    }
    starts[0] = 0;
    for (int64_t i = 1; found < count; ++i) starts[found] = i, found += x[i] != x[i - 1];
  });
  return isKnown ? found : -1;
}

} // namespace kiln
#endif
