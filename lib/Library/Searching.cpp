// Positions in sorted vectors, members of sets, greatest common divisors: what has no form of vectors.
#include "lib/Library/Library.h"
#include "lib/Library/Sorting.h"

#include <algorithm>
#include <limits>
#include <numeric>
#include <span>
#include <vector>

namespace kiln::library {
namespace {

int64_t sizeOf(const kiln_tensor &t) {
  int64_t n = 1;
  for (int i = 0; i < t.rank; ++i) n *= t.shape[i];
  return n;
}

/// The elements of a tensor in row-major order: where they are, or a copy.
template <typename T> class Elements {
public:
  explicit Elements(const kiln_tensor &t) : data(static_cast<const T *>(t.data)), size(sizeOf(t)) {
    int64_t step = 1;
    bool isRowMajor = true;
    for (int i = t.rank - 1; i >= 0; step *= t.shape[i--]) isRowMajor &= t.shape[i] == 1 || t.strides[i] == step;
    if (isRowMajor || !size) return;
    copy.reserve(size_t(size));
    int64_t at[kMaxRank] = {};
    for (int64_t k = 0; k < size; ++k) {
      int64_t offset = 0;
      for (int i = 0; i < t.rank; ++i) offset += at[i] * t.strides[i];
      copy.push_back(data[offset]);
      for (int i = t.rank - 1; i >= 0 && ++at[i] == t.shape[i]; --i) at[i] = 0;
    }
    data = copy.data();
  }
  const T *data;
  int64_t size;

private:
  std::vector<T> copy;
};

/// How many elements of a sorted run stand before a value, each of which `isBefore` says; without branches.
template <typename T, typename IsBefore> int64_t countBefore(const T *line, int64_t n, const IsBefore &isBefore) {
  if (!n) return 0;
  const T *base = line;
  while (n > 1) {
    int64_t half = n / 2;
    base += half & -int64_t(isBefore(base[half - 1]));
    n -= half;
  }
  return base - line + isBefore(*base);
}

/// Looks integers up in a table from the smallest value on, where their range is not much larger than their number; else false.
template <typename T> bool findByTable(std::span<const T> x, std::span<const T> values, bool *result) {
  auto [low, high] = std::minmax_element(values.begin(), values.end());
  uint64_t range = uint64_t(*high) - uint64_t(*low);
  if (range > 8 * (x.size() + values.size()) + 1024) return false;
  std::vector<uint8_t> table(size_t(range + 1), 0);
  for (T v : values) table[size_t(uint64_t(v) - uint64_t(*low))] = 1;
  for (T v : x) {
    uint64_t at = uint64_t(v) - uint64_t(*low);
    *result++ = table[size_t(at <= range ? at : 0)] && at <= range;
  }
  return true;
}

template <typename T> void find(std::span<const T> x, std::span<const T> values, bool *result) {
  if (values.empty()) return void(std::fill_n(result, x.size(), false));
  if constexpr (!std::is_floating_point_v<T>)
    if (findByTable(x, values, result)) return;
  std::vector<T> line(values.size());
  constexpr DType dtype = std::is_same_v<T, float> ? DType::F32 : DType::F64;
  if constexpr (std::is_floating_point_v<T>) sortValues(dtype, 1, int64_t(values.size()), false, values.data(), line.data());
  else std::copy(values.begin(), values.end(), line.begin()), std::sort(line.begin(), line.end());
  int64_t n = int64_t(line.size());
  for (T v : x) {
    int64_t at = countBefore(line.data(), n, [v](T e) { return e < v; });
    *result++ = at < n && line[size_t(at)] == v;
  }
}

template <typename T> int64_t *search(std::span<const T> line, std::span<const T> values, bool right, int64_t *result) {
  int64_t n = int64_t(line.size());
  for (T v : values)
    if (v != v) *result++ = right ? n : countBefore(line.data(), n, [](T e) { return e == e; });
    else if (right) *result++ = countBefore(line.data(), n, [v](T e) { return e <= v; });
    else *result++ = countBefore(line.data(), n, [v](T e) { return e < v; });
  return result;
}

/// Calls `body` with each row of `lines` and the part of `values` that it is for.
template <typename T, typename Body> void overBatches(const kiln_tensor &lines, const kiln_tensor &values, const Body &body) {
  Elements<T> line(lines), value(values);
  int64_t batches = 1, size = lines.shape[lines.rank - 1];
  for (int i = 0; i < lines.rank - 1; ++i) batches *= lines.shape[i];
  for (int64_t i = 0; i < batches; ++i) {
    size_t count = size_t(value.size / batches);
    body(std::span<const T>(line.data + i * size, size_t(size)), std::span<const T>(value.data + size_t(i) * count, count));
  }
}

} // namespace

int32_t searchsorted(const kiln_tensor *tensors, const int64_t *words) {
  auto *result = static_cast<int64_t *>(tensors[2].data);
  withElementType(DType(tensors[0].dtype), [&]<typename T>(T) {
    overBatches<T>(tensors[0], tensors[1],
                   [&](std::span<const T> line, std::span<const T> values) { result = search<T>(line, values, words[0], result); });
  });
  return 0;
}

int32_t isin(const kiln_tensor *tensors, const int64_t *) {
  auto *result = static_cast<bool *>(tensors[2].data);
  withElementType(DType(tensors[0].dtype), [&]<typename T>(T) {
    overBatches<T>(tensors[1], tensors[0],
                   [&](std::span<const T> values, std::span<const T> x) { find<T>(x, values, result), result += x.size(); });
  });
  return 0;
}

/// Of the sizes; that of the smallest integer wraps to itself.
int32_t gcd(const kiln_tensor *tensors, const int64_t *) {
  withElementType(DType(tensors[0].dtype), [&]<typename T>(T) {
    if constexpr (std::is_integral_v<T>) {
      Elements<T> x(tensors[0]), y(tensors[1]);
      auto *result = static_cast<T *>(tensors[2].data);
      auto size = [](T v) { return v < 0 ? uint64_t(0) - uint64_t(v) : uint64_t(v); };
      for (int64_t i = 0; i < x.size; ++i) result[i] = T(std::gcd(size(x.data[i]), size(y.data[i])));
    }
  });
  return 0;
}

} // namespace kiln::library
