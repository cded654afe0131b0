#include "lib/Library/Partition.h"

#include "lib/Library/Sorting.h"
#include "lib/Library/VectorTargets.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>
#include <memory>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "lib/Library/Partition.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace kiln::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

template <typename T> int64_t collect(const T *row, int64_t n, T low, T high, T *to, int64_t &below) {
  const hn::ScalableTag<T> d;
  const auto least = hn::Set(d, low), most = hn::Set(d, high);
  const int64_t lanes = int64_t(hn::Lanes(d));
  int64_t i = 0, count = 0;
  for (; i + lanes <= n; i += lanes) {
    auto x = hn::LoadU(d, row + i);
    auto isBelow = hn::Lt(x, least), isInside = hn::AndNot(hn::Or(isBelow, hn::Lt(most, x)), hn::Eq(x, x));
    count += int64_t(hn::CompressBlendedStore(x, isInside, d, to + count));
    below += int64_t(hn::CountTrue(d, isBelow));
  }
  for (; i < n; ++i) {
    if (row[i] >= low && row[i] <= high) to[count++] = row[i];
    below += row[i] < low;
  }
  return count;
}

template <typename T> void split(const T *row, int64_t n, T middle, bool wantsPositions, void *to) {
  const hn::ScalableTag<T> d;
  const hn::RebindToUnsigned<decltype(d)> bits;
  using Out = hn::TFromD<decltype(bits)>;
  const auto wanted = hn::Set(d, middle);
  const int64_t lanes = int64_t(hn::Lanes(d)), whole = n / lanes * lanes;
  int64_t before = 0, same = 0;
  for (int64_t i = 0; i < whole; i += lanes) {
    auto x = hn::LoadU(d, row + i);
    before += int64_t(hn::CountTrue(d, hn::Lt(x, wanted)));
    same += int64_t(hn::CountTrue(d, hn::Eq(x, wanted)));
  }
  for (int64_t i = whole; i < n; ++i) before += row[i] < middle, same += row[i] == middle;
  Out *first = static_cast<Out *>(to), *second = first + before, *third = second + same;
  for (int64_t i = 0; i < whole; i += lanes) {
    auto x = hn::LoadU(d, row + i);
    auto out = wantsPositions ? hn::Iota(bits, Out(i)) : hn::BitCast(bits, x);
    auto isBefore = hn::Lt(x, wanted), isSame = hn::Eq(x, wanted);
    first += hn::CompressBlendedStore(out, hn::RebindMask(bits, isBefore), bits, first);
    second += hn::CompressBlendedStore(out, hn::RebindMask(bits, isSame), bits, second);
    third += hn::CompressBlendedStore(out, hn::RebindMask(bits, hn::Not(hn::Or(isBefore, isSame))), bits, third);
  }
  for (int64_t i = whole; i < n; ++i) {
    Out out = Out(i), *&at = row[i] < middle ? first : row[i] == middle ? second : third;
    if (!wantsPositions) std::memcpy(&out, row + i, sizeof out);
    *at++ = out;
  }
}

void code(PartitionCode<float> &c) { c = {collect<float>, split<float>}; }
void code(PartitionCode<double> &c) { c = {collect<double>, split<double>}; }
void code(PartitionCode<int32_t> &c) { c = {collect<int32_t>, split<int32_t>}; }
void code(PartitionCode<uint32_t> &c) { c = {collect<uint32_t>, split<uint32_t>}; }
void code(PartitionCode<int64_t> &c) { c = {collect<int64_t>, split<int64_t>}; }
void code(PartitionCode<uint64_t> &c) { c = {collect<uint64_t>, split<uint64_t>}; }

} // namespace kiln::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace kiln {
namespace {

template <typename T> PartitionCode<T> codeHere() {
  PartitionCode<T> result;
#if defined(__x86_64__)
  hasWideLanes() ? N_AVX3::code(result) : N_AVX2::code(result);
#else
  HWY_STATIC_DISPATCH(code)(result);
#endif
  return result;
}

template <typename T> constexpr bool kHasCode = sizeof(T) >= 4;

template <typename T> T nthOf(T *elements, int64_t count, int64_t place) {
  std::nth_element(elements, elements + place, elements + count);
  return elements[place];
}

template <typename T> int64_t withoutNan(const T *row, int64_t n, int64_t step, T *to) {
  int64_t count = 0;
  for (int64_t i = 0; i < n; ++i)
    if (row[i * step] == row[i * step]) to[count++] = row[i * step];
  return count;
}

/// Elements around the one that sorting puts at `place`, by a sample; how many they are, and how many of all are below.
template <typename T> int64_t around(const T *row, int64_t n, int64_t place, T *to, int64_t &below) {
  constexpr int64_t kSample = 4096, kMargin = 128, kLeast = 8 * kSample; // a margin of four standard deviations
  if constexpr (!kHasCode<T>) return 0;
  if (n < kLeast) return 0;
  using Limits = std::numeric_limits<T>;
  std::array<T, kSample> sample;
  int64_t step = n / kSample, count = withoutNan(row, kSample, step, sample.data()), at = place / step;
  if (at - kMargin >= count) return 0;
  T low = Limits::has_infinity ? -Limits::infinity() : Limits::min(), high = Limits::has_infinity ? Limits::infinity() : Limits::max();
  if (at >= kMargin) low = nthOf(sample.data(), count, at - kMargin);
  if (at + kMargin < count) high = nthOf(sample.data(), count, at + kMargin);
  if constexpr (kHasCode<T>) return codeHere<T>().collect(row, n, low, high, to, below);
}

template <typename T> T elementAt(const T *row, int64_t n, int64_t place) {
  constexpr int64_t kBehind = 64; // elements that vectors may write behind the last
  auto kept = std::make_unique_for_overwrite<T[]>(size_t(n + kBehind));
  int64_t below = 0, count = around(row, n, place, kept.get(), below);
  if (place < below || place >= below + count) {
    below = 0, count = withoutNan(row, n, 1, kept.get());
    if (place >= count) return std::numeric_limits<T>::quiet_NaN();
  }
  return nthOf(kept.get(), count, place - below);
}

template <typename T, typename OutOf> void splitRow(const T *row, int64_t n, T middle, OutOf outOf) {
  for (int part : {0, 1, 2})
    for (int64_t i = 0; i < n; ++i) {
      bool isSame = row[i] == middle || (row[i] != row[i] && middle != middle),
           isBefore = row[i] < middle || (row[i] == row[i] && middle != middle);
      if (part == (isBefore ? 0 : isSame ? 1 : 2)) outOf(i);
    }
}

template <typename T> void partitionRow(const T *row, int64_t n, int64_t place, bool wantsPositions, T *values, int64_t *positions) {
  constexpr int64_t kLeast = 32, kMost = std::numeric_limits<uint32_t>::max();
  T middle = elementAt(row, n, place);
  if constexpr (kHasCode<T>)
    if (n >= kLeast && n <= kMost && middle == middle) {
      auto split = codeHere<T>().split;
      if (!wantsPositions) return split(row, n, middle, false, values);
      if constexpr (sizeof(T) == 8) return split(row, n, middle, true, positions);
      auto narrow = std::make_unique_for_overwrite<uint32_t[]>(size_t(n));
      split(row, n, middle, true, narrow.get());
      return void(std::copy_n(narrow.get(), n, positions));
    }
  if (wantsPositions) splitRow(row, n, middle, [&](int64_t i) { *positions++ = i; });
  else splitRow(row, n, middle, [&](int64_t i) { *values++ = row[i]; });
}

} // namespace

bool partitionRows(DType dtype, int64_t rows, int64_t size, int64_t place, bool wantsPositions, const void *from, void *to) {
  return withElementType(dtype, [&]<typename T>(T) {
    for (int64_t i = 0; i < rows; ++i) {
      auto *positions = wantsPositions ? static_cast<int64_t *>(to) + i * size : nullptr;
      auto *values = wantsPositions ? nullptr : static_cast<T *>(to) + i * size;
      partitionRow(static_cast<const T *>(from) + i * size, size, place, wantsPositions, values, positions);
    }
  });
}

} // namespace kiln
#endif
