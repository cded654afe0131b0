// What pocketfft and decompositions take from the standard library of C++, for code that is linked against none. Memory comes from the
// call (routine.h), which ends where there is none: there are no exceptions.
#pragma once

#include <stddef.h>
#include <stdint.h>

extern "C" {
double sin(double);
double cos(double);
}

/// Memory of the call. They do not return where there is none.
void *takeMemory(size_t bytes);
void giveMemory(void *memory);
[[noreturn]] void giveUp();

/// What stands in the place of `throw`.
struct Thrown {
  template <typename T> [[noreturn]] void operator=(const T &) const { giveUp(); }
};

inline void *operator new(size_t, void *place) noexcept { return place; }
inline void *operator new(size_t bytes) { return takeMemory(bytes); }
inline void operator delete(void *memory) noexcept { giveMemory(memory); }
inline void operator delete(void *memory, size_t) noexcept { giveMemory(memory); }

namespace std {

using ::size_t, ::ptrdiff_t, ::uintptr_t, ::max_align_t;

inline double sin(double x) { return ::sin(x); }
inline double cos(double x) { return ::cos(x); }
inline double sqrt(double x) { return __builtin_sqrt(x); }
inline float sqrt(float x) { return __builtin_sqrtf(x); }

struct bad_alloc {};
struct runtime_error {
  explicit runtime_error(const char *) {}
};
struct invalid_argument {
  explicit invalid_argument(const char *) {}
};

template <bool, typename A, typename> struct conditional {
  using type = A;
};
template <typename A, typename B> struct conditional<false, A, B> {
  using type = B;
};

template <typename T> const T &max(const T &a, const T &b) { return a < b ? b : a; }
template <typename T> const T &min(const T &a, const T &b) { return b < a ? b : a; }
template <typename T> void swap(T &a, T &b) {
  T kept = static_cast<T &&>(a);
  a = static_cast<T &&>(b);
  b = static_cast<T &&>(kept);
}
template <typename From, typename To> To copy_n(From from, size_t count, To to) {
  for (; count > 0; --count) *to++ = *from++;
  return to;
}

template <typename T> struct complex { // as C lays it out
  T r, i;
  complex(T re = 0, T im = 0) : r(re), i(im) {}
  T real() const { return r; }
  T imag() const { return i; }
  void imag(T im) { i = im; }
};
template <typename T> T real(const complex<T> &x) { return x.r; }
template <typename T> T imag(const complex<T> &x) { return x.i; }
template <typename T> complex<T> conj(const complex<T> &x) { return {x.r, -x.i}; }
inline float real(float x) { return x; }
inline double real(double x) { return x; }
inline float imag(float) { return 0; }
inline double imag(double) { return 0; }
inline bool isfinite(double x) { return __builtin_isfinite(x); }

template <typename T> class initializer_list {
public:
  constexpr size_t size() const { return count; }
  constexpr const T *begin() const { return first; }
  constexpr const T *end() const { return first + count; }

private:
  const T *first = nullptr;
  size_t count = 0;
};

template <typename T> class vector {
public:
  /// A pointer that `--v.end()` can change.
  struct Place {
    const T *at;
    operator const T *() const { return at; }
    Place &operator--() {
      --at;
      return *this;
    }
  };

  vector() = default;
  explicit vector(size_t count, const T &value = T()) {
    if (count > 0) grow(count);
    for (; count > 0; --count) push_back(value);
  }
  template <typename From, typename To>
    requires requires(From from) { *from; }
  vector(From from, To to) {
    for (; from != to; ++from) push_back(T(*from));
  }
  vector(initializer_list<T> list) : vector(list.begin(), list.end()) {}
  vector(const vector &other) : vector(other.begin(), other.end()) {}
  vector(vector &&other) noexcept { exchange(other); }
  vector &operator=(vector other) noexcept {
    exchange(other);
    return *this;
  }
  ~vector() { giveMemory(items); } // of items that need no end

  size_t size() const { return count; }
  T *data() { return items; }
  const T *data() const { return items; }
  T &operator[](size_t i) { return items[i]; }
  const T &operator[](size_t i) const { return items[i]; }
  T &back() { return items[count - 1]; }
  const T &back() const { return items[count - 1]; }
  T *begin() { return items; }
  T *end() { return items + count; }
  const T *begin() const { return items; }
  Place end() const { return {items + count}; }

  void push_back(const T &value) {
    T kept = value;
    if (count == room) grow(room ? 2 * room : 4);
    new (items + count++) T(kept);
  }
  void resize(size_t wanted) {
    while (count < wanted) push_back(T());
    count = wanted;
  }

  bool operator==(const vector &other) const {
    bool isSame = count == other.count;
    for (size_t i = 0; isSame && i < count; ++i) isSame = items[i] == other.items[i];
    return isSame;
  }

private:
  T *items = nullptr;
  size_t count = 0, room = 0;

  void grow(size_t wanted) {
    T *larger = static_cast<T *>(takeMemory(wanted * sizeof(T)));
    for (size_t i = 0; i < count; ++i) new (larger + i) T(items[i]);
    giveMemory(items);
    items = larger, room = wanted;
  }
  void exchange(vector &other) {
    swap(items, other.items);
    swap(count, other.count);
    swap(room, other.room);
  }
};

template <typename T> class unique_ptr {
public:
  unique_ptr() = default;
  unique_ptr(decltype(nullptr)) {}
  explicit unique_ptr(T *item) : item(item) {}
  unique_ptr(unique_ptr &&other) noexcept : item(other.item) { other.item = nullptr; }
  unique_ptr &operator=(unique_ptr &&other) noexcept {
    swap(item, other.item);
    return *this;
  }
  ~unique_ptr() { delete item; }
  T *operator->() const { return item; }
  T &operator*() const { return *item; }
  explicit operator bool() const { return item != nullptr; }

private:
  T *item = nullptr;
};

/// Of one owner, or two.
template <typename T> class shared_ptr {
public:
  shared_ptr() = default;
  explicit shared_ptr(T *item) : item(item), owners(new int(1)) {}
  shared_ptr(const shared_ptr &other) : item(other.item), owners(other.owners) {
    if (owners) ++*owners;
  }
  shared_ptr &operator=(shared_ptr other) {
    swap(item, other.item);
    swap(owners, other.owners);
    return *this;
  }
  ~shared_ptr() {
    if (!owners || --*owners > 0) return;
    delete item;
    delete owners;
  }
  T *operator->() const { return item; }
  T &operator*() const { return *item; }
  explicit operator bool() const { return item != nullptr; }

private:
  T *item = nullptr;
  int *owners = nullptr;
};
template <typename T> shared_ptr<T> make_shared(size_t length) { return shared_ptr<T>(new T(length)); }

} // namespace std

inline void *malloc(size_t bytes) { return takeMemory(bytes); }
inline void free(void *memory) { giveMemory(memory); }
