// Short lists of numbers: sizes that are known, strides, permutations.
#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>

namespace kiln {

inline constexpr int kMaxRank = 16;

/// A list of at most as many values as an array has axes, inline.
template <typename T> struct InlineList {
  std::array<T, kMaxRank> values{};
  int rank = 0;

  void push(T v) { values[size_t(rank++)] = v; }
  void insert(int at, T v) {
    for (int i = rank++; i > at; --i) values[size_t(i)] = values[size_t(i - 1)];
    values[size_t(at)] = v;
  }
  void erase(int at) {
    for (int i = at; i + 1 < rank; ++i) values[size_t(i)] = values[size_t(i + 1)];
    --rank;
  }
  T &operator[](int i) { return values[size_t(i)]; }
  T operator[](int i) const { return values[size_t(i)]; }
  const T *begin() const { return values.data(); }
  const T *end() const { return values.data() + rank; }
  operator std::span<const T>() const { return {values.data(), size_t(rank)}; }
  bool operator==(const InlineList &o) const {
    if (rank != o.rank) return false;
    bool differ = false;
    for (int i = 0; i < rank; ++i) differ |= !(values[size_t(i)] == o.values[size_t(i)]);
    return !differ;
  }
};

/// The sizes of an array that is there, strides, permutations. Those of a program are a Shape (Size.h).
struct Dims : InlineList<int64_t> {
  Dims() = default;
  Dims(std::initializer_list<int64_t> list) {
    for (int64_t v : list) push(v);
  }
  explicit Dims(std::span<const int64_t> list) {
    for (int64_t v : list) push(v);
  }
};

/// Number of elements.
inline int64_t numElements(const Dims &shape) {
  int64_t n = 1;
  for (int64_t d : shape) n *= d;
  return n;
}
/// Row-major element strides.
Dims contiguousStrides(const Dims &shape);
std::string toString(const Dims &shape); // (3, 4)

} // namespace kiln
