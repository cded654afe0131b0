// Positions in sorted vectors, members of sets, greatest common divisors: what has no form of vectors.
#include "lib/Library/Library.h"
#include "lib/Library/Sorting.h"

#include <algorithm>
#include <bit>
#include <cmath>
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

/// Where to search in a sorted run: its range in cells of one width, and what lies before each. A value's cell only grows with it, in
/// the arithmetic of `T` as well, so that elements of other cells need not be compared.
template <typename T> class Cells {
public:
  /// `sorted` without nan.
  explicit Cells(std::span<const T> sorted) : n(int64_t(sorted.size())) {
    constexpr int64_t kMost = 1 << 24;
    if (n < 2 || n > kMost || !(sorted.front() < sorted.back()) || !setWidth(sorted.front(), sorted.back())) return;
    before.reserve(size_t(last) + 2);
    for (int64_t i = 0; i < n; ++i) before.resize(std::max(before.size(), size_t(cellOf(sorted[size_t(i)])) + 1), int32_t(i));
    before.resize(size_t(last) + 2, int32_t(n));
    for (size_t i = 0; i <= size_t(last); ++i) most = std::max<int64_t>(most, before[i + 1] - before[i]);
    most = int64_t(std::bit_ceil(uint64_t(most) + 1)) - 1;
    if (!help()) return;
    line.assign(sorted.begin(), sorted.end());
    line.resize(size_t(n + most),
                std::numeric_limits<T>::has_infinity ? std::numeric_limits<T>::infinity() : std::numeric_limits<T>::max());
  }
  /// Whether that leaves much less to compare.
  bool help() const { return !before.empty() && most * 4 <= n; }

  /// Gives `body` a function that counts the elements before a value, each of which a function of its own says.
  template <typename Body> void withCount(const Body &body) const {
    if (most == 1)
      return body([this](T v, const auto &isBefore) { return this->count(v, isBefore, std::integral_constant<int64_t, 1>()); });
    if (most == 3)
      return body([this](T v, const auto &isBefore) { return this->count(v, isBefore, std::integral_constant<int64_t, 3>()); });
    if (most == 7)
      return body([this](T v, const auto &isBefore) { return this->count(v, isBefore, std::integral_constant<int64_t, 7>()); });
    body([this](T v, const auto &isBefore) { return this->count(v, isBefore, most); });
  }

private:
  static constexpr bool isFloat = std::is_floating_point_v<T>;
  int64_t n;
  T low = T(), high = T(), scale = T();
  int shift = 0;
  int64_t last = 0, most = 0; // cell; elements in a cell, as one below a power of two
  std::vector<int32_t> before;
  std::vector<T> line; // with as many behind it as are looked at

  bool setWidth(T first, T end) {
    low = first, high = end;
    uint64_t wanted = std::bit_ceil((n < 1024 ? 8 : 2) * uint64_t(n));
    if constexpr (isFloat) {
      last = int64_t(wanted) - 1;
      scale = T(wanted) / (high - low);
      return std::isfinite(high - low) && std::isfinite(scale) && scale > 0;
    } else {
      uint64_t range = uint64_t(high) - uint64_t(low);
      shift = std::max(0, int(std::bit_width(range)) - int(std::bit_width(wanted - 1)));
      last = int64_t(range >> shift);
      return true;
    }
  }
  size_t cellOf(T v) const {
    if constexpr (isFloat)
      return size_t(int64_t(std::min(T(last), std::max(T(0), (v - low) * scale)))); // 0 of nan, which a sorted run has not
    else return size_t((uint64_t(std::min(std::max(v, low), high)) - uint64_t(low)) >> shift);
  }
  /// Halves what may be before, as often for every value and without branches.
  template <typename IsBefore> int64_t count(T v, const IsBefore &isBefore, int64_t left) const {
    int64_t at = before[cellOf(v)];
    for (; left; left /= 2) {
      int64_t half = (left + 1) / 2;
      at += half & -int64_t(isBefore(line[size_t(at + half - 1)]));
    }
    return std::min(at, n);
  }
};

template <typename T> void search(std::span<const T> line, std::span<const T> values, bool right, int64_t *result) {
  int64_t n = int64_t(line.size()), numbers = countBefore(line.data(), n, [](T e) { return e == e; });
  auto searchBy = [=](const auto &count) {
    int64_t *next = result;
    for (T v : values)
      if (v != v) *next++ = right ? n : numbers;
      else if (right) *next++ = count(v, [v](T e) { return e <= v; });
      else *next++ = count(v, [v](T e) { return e < v; });
  };
  if (values.size() >= 4 * line.size()) {
    const Cells<T> cells(line.first(size_t(numbers)));
    if (cells.help()) return cells.withCount(searchBy);
  }
  searchBy([=](T, const auto &isBefore) { return countBefore(line.data(), n, isBefore); });
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
    overBatches<T>(tensors[0], tensors[1], [&](std::span<const T> line, std::span<const T> values) {
      search<T>(line, values, words[0], result), result += values.size();
    });
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
