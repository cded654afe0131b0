#include "lib/Library/Extremes.h"

#include "lib/Library/Library.h"
#include "lib/Library/Sorting.h"
#include "lib/Library/VectorTargets.h"

#include <algorithm>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "lib/Library/Extremes.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace kiln::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

/// The first of `n` elements that is no number.
template <typename T> int64_t firstNan(const T *row, int64_t n) {
  return std::find_if(row, row + n, [](T x) { return x != x; }) - row;
}

/// By blocks, of which the last lies over the one before it; of at least one. Those that have a further extreme are few.
template <typename T, bool IsLargest> int64_t positionOfExtreme(const T *row, int64_t n) {
  const hn::ScalableTag<T> d;
  constexpr int64_t kVectors = kExtremeBlock / HWY_LANES(T);
  const int64_t lanes = int64_t(hn::Lanes(d)), last = n - kVectors * lanes;
  auto best = hn::Set(d, row[0]);
  int64_t start = 0;
  for (int64_t i = 0;; i = std::min(i + kVectors * lanes, last)) {
    auto extreme = best;
    auto isNumber = hn::Eq(best, best);
    for (int64_t k = 0; k < kVectors; ++k) {
      auto x = hn::LoadU(d, row + i + k * lanes);
      isNumber = hn::And(isNumber, hn::Eq(x, x));
      extreme = IsLargest ? hn::Max(extreme, x) : hn::Min(extreme, x);
    }
    if (!hn::AllTrue(d, isNumber)) return firstNan(row, n);
    if (!hn::AllFalse(d, IsLargest ? hn::Lt(best, extreme) : hn::Lt(extreme, best))) {
      best = IsLargest ? hn::MaxOfLanes(d, extreme) : hn::MinOfLanes(d, extreme);
      start = i;
    }
    if (i == last) break;
  }
  for (;; start += lanes) {
    int64_t at = hn::FindFirstTrue(d, hn::Eq(hn::LoadU(d, row + start), best));
    if (at >= 0) return start + at;
  }
}

bool positionsOfRows(DType dtype, bool isLargest, int64_t rows, int64_t size, const void *from, int64_t *positions) {
  return withElementType(dtype, [&]<typename T>(T) HWY_ATTR {
    if constexpr (sizeof(T) >= 4) {
      auto *row = static_cast<const T *>(from);
      for (int64_t i = 0; i < rows; ++i, row += size)
        positions[i] = isLargest ? positionOfExtreme<T, true>(row, size) : positionOfExtreme<T, false>(row, size);
    }
  });
}

} // namespace kiln::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace kiln {
namespace {

struct Rows {
  DType dtype;
  bool isLargest;
  int64_t size;
  const char *from;
  int64_t *positions;

  static void run(void *context, void *, int64_t first, int64_t last) {
    auto [dtype, isLargest, size, from, positions] = *static_cast<Rows *>(context);
    from += first * size * byteSize(dtype);
#if defined(__x86_64__)
    hasWideLanes() ? N_AVX3::positionsOfRows(dtype, isLargest, last - first, size, from, positions + first)
                   : N_AVX2::positionsOfRows(dtype, isLargest, last - first, size, from, positions + first);
#else
    HWY_STATIC_DISPATCH(positionsOfRows)(dtype, isLargest, last - first, size, from, positions + first);
#endif
  }
};

} // namespace

bool positionsOfExtremes(DType dtype, bool isLargest, int64_t rows, int64_t size, const void *from, int64_t *positions) {
  constexpr int64_t kShare = 65536;
  if (size < kExtremeBlock || byteSize(dtype) < 4 || !withElementType(dtype, [](auto) {})) return false;
  Rows each = {dtype, isLargest, size, static_cast<const char *>(from), positions};
  runtimeTable()->parallel_for(Rows::run, &each, nullptr, 0, rows, std::max<int64_t>(kShare / size, 1));
  return true;
}

} // namespace kiln
#endif
