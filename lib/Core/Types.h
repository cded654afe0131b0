// Dtypes and types of arrays: the vocabulary that every stage shares. No LLVM here.
#pragma once

#include "lib/Core/Size.h"

namespace kiln {

enum class DType : uint8_t { Bool, I8, I16, I32, I64, U8, U16, U32, U64, F16, BF16, F32, F64, C64, C128, F8E4M3, F8E5M2 };
inline constexpr int kNumDTypes = 17;

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

struct TensorType {
  DType dtype = DType::F32;
  Shape shape;
  bool operator==(const TensorType &o) const { return dtype == o.dtype && shape == o.shape; }
};
/// The type of an array that is there: its sizes are numbers.
struct ArrayType {
  DType dtype = DType::F32;
  Dims shape;
  ArrayType() = default;
  ArrayType(DType dtype, const Dims &shape) : dtype(dtype), shape(shape) {}
  explicit ArrayType(const TensorType &type) : dtype(type.dtype), shape(type.shape.numbers()) {}
  operator TensorType() const { return {dtype, shape}; }
  bool operator==(const ArrayType &o) const { return dtype == o.dtype && shape == o.shape; }
};
/// Whether a type is what a rule gave: symbols stand for sizes that the rule derives.
bool agrees(const TensorType &inferred, const TensorType &type);
std::string toString(const TensorType &type); // float32[3, 4]

/// The dtype of an op over two arrays by the array API's table; false where it has none (uint64 with a signed integer, float8 with others).
bool promote(DType a, DType b, DType &result);

} // namespace kiln
