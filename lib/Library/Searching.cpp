// Positions in sorted vectors, members of sets, greatest common divisors: what has no form of vectors.
#include "lib/Library/Library.h"
#include "lib/Library/Sorting.h"

#include <algorithm>
#include <limits>
#include <numeric>
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
  const T *begin() const { return data; }
  const T *end() const { return data + size; }
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

/// The positions of integers in a table from the smallest value on, where their range is not much larger than their number.
template <typename T> bool findByTable(const Elements<T> &x, const Elements<T> &values, bool *result) {
  auto [low, high] = std::minmax_element(values.begin(), values.end());
  uint64_t range = uint64_t(*high) - uint64_t(*low);
  if (range > uint64_t(8 * (x.size + values.size) + 1024)) return false;
  std::vector<uint8_t> table(size_t(range + 1), 0);
  for (T v : values) table[size_t(uint64_t(v) - uint64_t(*low))] = 1;
  for (int64_t i = 0; i < x.size; ++i) {
    uint64_t at = uint64_t(x.data[i]) - uint64_t(*low);
    result[i] = table[size_t(at <= range ? at : 0)] && at <= range;
  }
  return true;
}

} // namespace

int32_t searchsorted(const kiln_tensor *tensors, const int64_t *words) {
  auto *result = static_cast<int64_t *>(tensors[2].data);
  withElementType(DType(tensors[0].dtype), [&]<typename T>(T) {
    Elements<T> line(tensors[0]), values(tensors[1]);
    for (T v : values) {
      if (v != v) *result++ = words[0] ? line.size : countBefore(line.data, line.size, [](T e) { return e == e; });
      else if (words[0]) *result++ = countBefore(line.data, line.size, [v](T e) { return e <= v; });
      else *result++ = countBefore(line.data, line.size, [v](T e) { return e < v; });
    }
  });
  return 0;
}

int32_t isin(const kiln_tensor *tensors, const int64_t *) {
  auto *result = static_cast<bool *>(tensors[2].data);
  withElementType(DType(tensors[0].dtype), [&]<typename T>(T) {
    Elements<T> x(tensors[0]), values(tensors[1]);
    if (!values.size) return void(std::fill_n(result, x.size, false));
    if constexpr (!std::is_floating_point_v<T>)
      if (findByTable(x, values, result)) return;
    std::vector<T> line(size_t(values.size));
    sortValues(DType(tensors[0].dtype), 1, values.size, false, values.data, line.data());
    for (int64_t i = 0; i < x.size; ++i) {
      int64_t at = countBefore(line.data(), values.size, [v = x.data[i]](T e) { return e < v; });
      result[i] = at < values.size && line[size_t(at)] == x.data[i];
    }
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
