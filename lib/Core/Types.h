// Dtypes and shapes: the vocabulary that every stage shares. No LLVM here.
#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <limits>
#include <span>
#include <string>

namespace kiln {

enum class DType : uint8_t { Bool, I8, I16, I32, I64, U8, U16, U32, U64, F16, BF16, F32, F64, C64, C128, F8E4M3, F8E5M2 };
inline constexpr int kNumDTypes = 17;
inline constexpr int kMaxRank = 8;

struct DTypeInfo {
  const char *name;      // NumPy's (or ml_dtypes') name
  const char *shortName; // in kernel names
  uint8_t bytes;
  bool isFloat, isSigned, isComplex;
};
inline constexpr std::array<DTypeInfo, kNumDTypes> kDTypes = {{
    {"bool", "b1", 1, false, false, false},
    {"int8", "i8", 1, false, true, false},
    {"int16", "i16", 2, false, true, false},
    {"int32", "i32", 4, false, true, false},
    {"int64", "i64", 8, false, true, false},
    {"uint8", "u8", 1, false, false, false},
    {"uint16", "u16", 2, false, false, false},
    {"uint32", "u32", 4, false, false, false},
    {"uint64", "u64", 8, false, false, false},
    {"float16", "f16", 2, true, true, false},
    {"bfloat16", "bf16", 2, true, true, false},
    {"float32", "f32", 4, true, true, false},
    {"float64", "f64", 8, true, true, false},
    {"complex64", "c64", 8, false, true, true},
    {"complex128", "c128", 16, false, true, true},
    {"float8_e4m3fn", "f8e4m3", 1, true, true, false},
    {"float8_e5m2", "f8e5m2", 1, true, true, false},
}};
inline const DTypeInfo &info(DType t) { return kDTypes[size_t(t)]; }
inline int64_t byteSize(DType t) { return info(t).bytes; }
/// Real floating-point, of any width.
inline bool isFloat(DType t) { return info(t).isFloat; }
inline bool isComplex(DType t) { return info(t).isComplex; }
inline bool isInteger(DType t) { return t != DType::Bool && !isFloat(t) && !isComplex(t); }
/// Kept in memory only: converted, moved and chosen, never computed with.
inline bool isStorage(DType t) { return t == DType::F8E4M3 || t == DType::F8E5M2; }
/// Floats that are computed in float32, each result rounded once.
inline bool isNarrow(DType t) { return t == DType::F16 || t == DType::BF16 || isStorage(t); }
inline DType computeType(DType t) { return isNarrow(t) ? DType::F32 : t; }
/// The dtype of the parts of a complex number.
inline DType realType(DType t) { return t == DType::C64 ? DType::F32 : t == DType::C128 ? DType::F64 : t; }
inline DType complexType(DType real) { return real == DType::F64 ? DType::C128 : DType::C64; }

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
    for (int i = 0; i < rank; ++i) differ |= values[size_t(i)] != o.values[size_t(i)];
    return !differ;
  }
};

/// Shapes, strides, permutations. In a trace a negative size -(1 + s) is symbol s; lib/Core/Size.h tells them apart by type.
struct Dims : InlineList<int64_t> {
  Dims() = default;
  Dims(std::initializer_list<int64_t> list) {
    for (int64_t v : list) push(v);
  }
  explicit Dims(std::span<const int64_t> list) {
    for (int64_t v : list) push(v);
  }
};

inline bool isSymbol(int64_t size) { return size < 0; }
/// What a rule gives for a size that follows from symbols by arithmetic.
inline constexpr int64_t kUnknownSize = std::numeric_limits<int64_t>::min() + 1;
/// Number of elements; the sizes must be static.
inline int64_t numElements(const Dims &shape) {
  int64_t n = 1;
  for (int64_t d : shape) n *= d;
  return n;
}
/// Row-major element strides.
Dims contiguousStrides(const Dims &shape);

struct TensorType {
  DType dtype = DType::F32;
  Dims shape;
  bool operator==(const TensorType &o) const { return dtype == o.dtype && shape == o.shape; }
};
/// Whether a type is what a rule gave: symbols stand for sizes that are unknown.
bool agrees(const TensorType &inferred, const TensorType &type);
bool hasSymbols(const Dims &shape);
std::string toString(const Dims &shape);      // (3, 4)
std::string toString(const TensorType &type); // float32[3, 4]

/// The dtype of an op over two arrays by the array API's table; false where it has none (uint64 with a signed integer, float8 with others).
bool promote(DType a, DType b, DType &result);

} // namespace kiln
