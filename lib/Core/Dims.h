// Short lists of numbers: sizes that are known, strides, permutations.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <span>
#include <string>
#include <type_traits>
#include <utility>

namespace kiln {

inline constexpr int kMaxRank = 32;

/// A list of at most as many values as an array has axes: inline, but for those few that are longer than almost all. Values from `rank` on
/// are not set.
template <typename T> struct InlineList {
  static_assert(std::is_trivially_copyable_v<T>);
  static constexpr int kInline = 8;
  int rank = 0; // sets no value: it may be made less

  InlineList() {}
  InlineList(const InlineList &o) { take(o); }
  InlineList(InlineList &&o) noexcept { move(o); }
  InlineList &operator=(const InlineList &o) {
    take(o);
    return *this;
  }
  InlineList &operator=(InlineList &&o) noexcept {
    move(o);
    return *this;
  }
  ~InlineList() { delete[] many; }

  void push(T v) {
    makeRoom(rank + 1);
    data()[rank++] = v;
  }
  void insert(int at, T v) {
    makeRoom(rank + 1);
    for (int i = rank++; i > at; --i) data()[i] = data()[i - 1];
    data()[at] = v;
  }
  void erase(int at) {
    for (int i = at; i + 1 < rank; ++i) data()[i] = data()[i + 1];
    --rank;
  }
  T *data() { return many ? many : few; }
  const T *data() const { return many ? many : few; }
  T &operator[](int i) { return data()[i]; }
  T operator[](int i) const { return data()[i]; }
  const T *begin() const { return data(); }
  const T *end() const { return data() + rank; }
  operator std::span<const T>() const { return {data(), size_t(rank)}; }
  bool operator==(const InlineList &o) const {
    if (rank != o.rank) return false;
    bool differ = false;
    for (int i = 0; i < rank; ++i) differ |= !((*this)[i] == o[i]);
    return !differ;
  }

  /// Becomes a copy of a list whose words mean the same here.
  template <typename U> void take(const InlineList<U> &o) {
    static_assert(sizeof(T) == sizeof(U));
    makeRoom(o.rank);
    rank = o.rank;
    if (rank <= kInline) std::memmove(data(), o.data(), sizeof few); // a constant size; of itself as well
    else std::memmove(data(), o.data(), size_t(rank) * sizeof(T));
  }

protected:
  void makeRoom(int count) {
    if (count <= kInline || many) return;
    many = new T[kMaxRank];
    std::memcpy(many, few, sizeof few);
  }

private:
  T few[kInline];
  T *many = nullptr; // of kMaxRank values, once there were more than a few

  void move(InlineList &o) noexcept {
    if (!o.many) return take(o);
    std::swap(many, o.many);
    rank = std::exchange(o.rank, 0);
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
  /// So many values, all of which are to be set.
  static Dims unset(int rank) {
    Dims result;
    result.makeRoom(rank);
    result.rank = rank;
    return result;
  }
  static Dims zeros(int rank) {
    Dims result = unset(rank);
    for (int i = 0; i < rank; ++i) result[i] = 0;
    return result;
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
