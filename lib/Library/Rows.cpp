#include "lib/Library/Rows.h"

#include "lib/Library/Library.h"
#include "lib/Library/Sorting.h"
#include "lib/Library/VectorTargets.h"

#include <algorithm>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "lib/Library/Rows.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#if HWY_ARCH_X86
HWY_BEFORE_NAMESPACE();
namespace kiln::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

template <typename T> constexpr int64_t kLanes = 32 / int64_t(sizeof(T));

/// The lanes of the sum of a row of `Parts` vectors, joined as far as one vector.
template <int64_t Parts, typename T> auto lanesOf(const T *x, const T *y, int64_t size) {
  const hn::FixedTag<T, kLanes<T>> d;
  hn::Vec<decltype(d)> lanes[Parts];
  constexpr int64_t kLast = (Parts - 1) * kLanes<T>;
  for (int64_t i = 0; i + 1 < Parts; ++i) lanes[i] = hn::Mul(hn::LoadU(d, x + i * kLanes<T>), hn::LoadU(d, y + i * kLanes<T>));
  auto isInside = hn::FirstN(d, size_t(size - kLast));
  auto products = hn::Mul(hn::MaskedLoad(isInside, d, x + kLast), hn::MaskedLoad(isInside, d, y + kLast));
  lanes[Parts - 1] = hn::IfThenElse(isInside, products, hn::Set(d, T(-0.0))); // which changes no sum
  int64_t count = Parts;
  for (int64_t half = kSumLanes / kLanes<T> / 2; half; half /= 2) {
    for (int64_t i = half; i < count; ++i) lanes[i - half] = hn::Add(lanes[i - half], lanes[i]);
    count = std::min(count, half);
  }
  return lanes[0];
}

/// The sums of as many rows as a vector has lanes: half as many vectors with each step of their trees.
template <int64_t Parts, typename T> auto sumsOf(const RowPairs<T> &rows) {
  const hn::FixedTag<T, kLanes<T>> d;
  constexpr int64_t n = kLanes<T>, kRowOf[] = {0, n / 2, n / 4, 3 * n / 4, 1, 5, 3, 7}; // so that the steps put them in order
  hn::Vec<decltype(d)> sums[n];
  for (int64_t i = 0; i < n; ++i) sums[i] = lanesOf<Parts>(rows.x + kRowOf[i] * rows.xStep, rows.y + kRowOf[i] * rows.yStep, rows.size);
  for (int64_t i = 0; i < n; i += 2)
    sums[i / 2] = hn::Add(hn::ConcatLowerLower(d, sums[i + 1], sums[i]), hn::ConcatUpperUpper(d, sums[i + 1], sums[i]));
  const hn::Repartition<double, decltype(d)> wide;
  for (int64_t i = 0; i < n / 2; i += 2) {
    auto a = hn::BitCast(wide, sums[i]), b = hn::BitCast(wide, sums[i + 1]);
    sums[i / 2] = hn::Add(hn::BitCast(d, hn::InterleaveLower(wide, a, b)), hn::BitCast(d, hn::InterleaveUpper(wide, a, b)));
  }
  if constexpr (n == 4) return sums[0];
  else return hn::OddEven(hn::Add(sums[1], hn::Shuffle2301(sums[1])), hn::Add(sums[0], hn::Shuffle2301(sums[0])));
}

/// Groups from `first` to `last` of so many rows. The last group of all lies over the one before it, whose sums are there.
template <int64_t Parts, typename T> void multiplyGroups(const RowPairs<T> &rows, int64_t count, int64_t first, int64_t last) {
  if constexpr (Parts * kLanes<T> < kSumLanes)
    if (rows.size > Parts * kLanes<T>) return multiplyGroups<Parts + 1>(rows, count, first, last);
  const hn::FixedTag<T, kLanes<T>> d;
  for (int64_t group = first; group < last; ++group) {
    int64_t own = group * kLanes<T>, start = std::min(own, count - kLanes<T>);
    auto sums = sumsOf<Parts>(rows.from(start));
    if (start == own) hn::StoreU(sums, d, rows.result + start);
    else hn::BlendedStore(sums, hn::Not(hn::FirstN(d, size_t(own - start))), d, rows.result + start);
  }
}

template <typename T> void multiplyRows(const RowPairs<T> &rows, int64_t count, int64_t first, int64_t last) {
  multiplyGroups<1>(rows, count, first, last);
}
void code(RowCode<float> *&c) { c = multiplyRows<float>; }
void code(RowCode<double> *&c) { c = multiplyRows<double>; }

} // namespace kiln::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
#endif

#if HWY_ONCE
namespace kiln {
namespace {

template <typename T> struct Groups {
  static constexpr int64_t kLanes = 32 / int64_t(sizeof(T)), kShare = 65536;
  RowPairs<T> rows;
  int64_t count;
  RowCode<T> *code;

  void run() {
    int64_t groups = (count + kLanes - 1) / kLanes, grain = std::max<int64_t>(kShare / (rows.size * kLanes), 1);
    auto part = [](void *context, void *, int64_t first, int64_t last) {
      auto &[rows, count, code] = *static_cast<Groups *>(context);
      code(rows, count, first, last);
    };
    runtimeTable()->parallel_for(part, this, nullptr, 0, groups, grain);
  }
};

template <typename T> bool multiply(const RowPairs<T> &rows, int64_t count) {
#if HWY_ARCH_X86
  if (count < Groups<T>::kLanes || rows.size < 1 || rows.size > kSumLanes) return false;
  Groups<T> groups = {rows, count, nullptr};
  hasWideLanes() ? N_AVX3::code(groups.code) : N_AVX2::code(groups.code);
  return groups.run(), true;
#else
  return false;
#endif
}

} // namespace

bool rowProducts(DType dtype, int64_t rows, int64_t size, const void *x, int64_t xStep, const void *y, int64_t yStep, void *result) {
  auto of = [&]<typename T>(T) {
    return multiply<T>({static_cast<const T *>(x), static_cast<const T *>(y), static_cast<T *>(result), size, xStep, yStep}, rows);
  };
  return dtype == DType::F32 ? of(float()) : dtype == DType::F64 && of(double());
}

} // namespace kiln
#endif
