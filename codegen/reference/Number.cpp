#include "codegen/reference/Number.h"

#include "lib/Core/Assert.h"

#include <cstring>
#include <type_traits>

namespace kiln::reference {
namespace {

uint64_t widthMask(DType t) {
  if (t == DType::Bool) return 1;
  int64_t bytes = byteSize(realType(t));
  return bytes == 8 ? ~uint64_t(0) : (uint64_t(1) << 8 * bytes) - 1;
}

template <typename T> T valueOf(uint64_t raw) {
  if constexpr (std::is_same_v<T, bool>) return raw & 1;
  T value;
  std::memcpy(&value, &raw, sizeof value);
  return value;
}
template <typename T> uint64_t rawOf(T value) {
  uint64_t raw = 0;
  std::memcpy(&raw, &value, sizeof value);
  return raw;
}

/// Calls `f` with a value of the C++ type of `a`; narrow floats and complex numbers never arrive.
template <typename F> auto visit(DType t, F &&f) {
  switch (t) {
  case DType::Bool: return f(bool());
  case DType::I8: return f(int8_t());
  case DType::I16: return f(int16_t());
  case DType::I32: return f(int32_t());
  case DType::I64: return f(int64_t());
  case DType::U8: return f(uint8_t());
  case DType::U16: return f(uint16_t());
  case DType::U32: return f(uint32_t());
  case DType::U64: return f(uint64_t());
  case DType::F32: return f(float());
  case DType::F64: return f(double());
  default: break;
  }
  KILN_ASSERT(false, "a dtype that is computed with");
  return f(double());
}

/// A result of the dtype of the operands. Integers are computed as unsigned numbers, so that they wrap.
template <typename F> Number binary(Number a, Number b, F &&f) {
  return visit(a.dtype, [&](auto type) {
    using T = decltype(type);
    if constexpr (std::is_integral_v<T>) return Number(a.dtype, uint64_t(f(a.raw, b.raw)));
    else return Number(a.dtype, rawOf<T>(f(valueOf<T>(a.raw), valueOf<T>(b.raw))));
  });
}
/// The same with the signs of the dtype.
template <typename F> Number signedBinary(Number a, Number b, F &&f) {
  return visit(a.dtype, [&](auto type) {
    using T = decltype(type);
    return Number(a.dtype, rawOf<T>(T(f(valueOf<T>(a.raw), valueOf<T>(b.raw)))));
  });
}
template <typename F> Number floating(Number a, F &&f) {
  if (a.dtype == DType::F32) return Number(a.dtype, rawOf<float>(f(valueOf<float>(a.raw))));
  return Number(a.dtype, rawOf<double>(f(valueOf<double>(a.raw))));
}

} // namespace

Number::Number(DType dtype, uint64_t raw, uint64_t rawImag)
    : dtype(dtype), raw(raw & widthMask(dtype)), rawImag(rawImag & widthMask(dtype)) {}

Number constant(const Number &like, DType dtype, double number) {
  if (isComplex(dtype)) return makeComplex(constant(like, realType(dtype), number), constant(like, realType(dtype), 0));
  if (dtype == DType::F32) return Number(dtype, rawOf<float>(float(number)));
  if (dtype == DType::F64) return Number(dtype, rawOf<double>(number));
  return Number(dtype, uint64_t(int64_t(number)));
}
Number constant(const Number &like, double number) { return constant(like, like.dtype, number); }
Number bits(const Number &, DType dtype, uint64_t raw) { return Number(dtype, raw); }

//===-- arithmetic --------------------------------------------------------------------------------------------------===//

Number addRaw(Number a, Number b) {
  return binary(a, b, [](auto x, auto y) { return x + y; });
}
Number subRaw(Number a, Number b) {
  return binary(a, b, [](auto x, auto y) { return x - y; });
}
Number mulRaw(Number a, Number b) {
  return binary(a, b, [](auto x, auto y) { return x * y; });
}
Number divRaw(Number a, Number b) {
  return signedBinary(a, b, [](auto x, auto y) { return x / y; });
}
Number remRaw(Number a, Number b) {
  return signedBinary(a, b, [](auto x, auto y) {
    if constexpr (std::is_floating_point_v<decltype(x)>) return std::fmod(x, y);
    else return x % y;
  });
}
Number negRaw(Number a) {
  return floating(a, [](auto x) { return -x; });
}
Number absRaw(Number a) {
  return floating(a, [](auto x) { return std::fabs(x); });
}
Number sqrtRaw(Number a) {
  return floating(a, [](auto x) { return std::sqrt(x); });
}
Number floorRaw(Number a) {
  return floating(a, [](auto x) { return std::floor(x); });
}
Number ceilRaw(Number a) {
  return floating(a, [](auto x) { return std::ceil(x); });
}
Number truncRaw(Number a) {
  return floating(a, [](auto x) { return std::trunc(x); });
}
Number roundRaw(Number a) {
  return floating(a, [](auto x) { return std::nearbyint(x); });
}
Number fmaRaw(Number a, Number b, Number c) {
  if (a.dtype == DType::F32)
    return Number(a.dtype, rawOf<float>(std::fmaf(valueOf<float>(a.raw), valueOf<float>(b.raw), valueOf<float>(c.raw))));
  return Number(a.dtype, rawOf<double>(std::fma(valueOf<double>(a.raw), valueOf<double>(b.raw), valueOf<double>(c.raw))));
}

/// nan if either is; 0 is above -0.
template <typename T> static T larger(T x, T y) {
  if constexpr (std::is_floating_point_v<T>) {
    if (x != x || y != y) return std::numeric_limits<T>::quiet_NaN();
    if (x == y) return std::signbit(x) ? y : x;
  }
  return x > y ? x : y;
}
Number maxRaw(Number a, Number b) {
  return signedBinary(a, b, [](auto x, auto y) { return larger(x, y); });
}
Number minRaw(Number a, Number b) {
  return signedBinary(a, b, [](auto x, auto y) {
    if constexpr (std::is_floating_point_v<decltype(x)>) return -larger(-x, -y);
    else return x < y ? x : y;
  });
}

//===-- comparison, choice, bits ------------------------------------------------------------------------------------===//

Number compareRaw(Number a, Number b, scalar::Relation relation) {
  bool holds = visit(a.dtype, [&](auto type) {
    using T = decltype(type);
    T x = valueOf<T>(a.raw), y = valueOf<T>(b.raw);
    switch (relation) {
    case scalar::Relation::Equal: return x == y;
    case scalar::Relation::NotEqual: return x != y;
    case scalar::Relation::Less: return x < y;
    case scalar::Relation::LessEqual: return x <= y;
    case scalar::Relation::Greater: return x > y;
    case scalar::Relation::GreaterEqual: return x >= y;
    }
    return false;
  });
  return Number(DType::Bool, holds);
}
Number selectRaw(Number condition, Number a, Number b) { return isTrue(condition) ? a : b; }
Number andRaw(Number a, Number b) { return Number(a.dtype, a.raw & b.raw); }
Number orRaw(Number a, Number b) { return Number(a.dtype, a.raw | b.raw); }
Number xorRaw(Number a, Number b) { return Number(a.dtype, a.raw ^ b.raw); }
Number shlRaw(Number a, Number by) { return Number(a.dtype, a.raw << by.raw); }
Number shrRaw(Number a, Number by) { return Number(a.dtype, info(a.dtype).isSigned ? uint64_t(toInteger(a) >> by.raw) : a.raw >> by.raw); }
Number popcountRaw(Number a) { return Number(a.dtype, uint64_t(std::popcount(a.raw))); }
Number clzRaw(Number a) { return Number(a.dtype, uint64_t(std::countl_zero(a.raw)) - (64 - 8 * uint64_t(byteSize(a.dtype)))); }
Number mulhiRaw(Number a, Number b) { return Number(a.dtype, uint64_t((unsigned __int128)(a.raw) * b.raw >> 8 * byteSize(a.dtype))); }

//===-- conversion --------------------------------------------------------------------------------------------------===//

static Number toHalf(Number a) {
  Number size = absRaw(a), sign = scalar::shiftRight(xorRaw(bitcast(a, DType::U32), bitcast(size, DType::U32)), 16);
  Number code = scalar::roundBits(minRaw(size, constant(a, 1e6)), 10, 15);
  code = selectRaw(scalar::isnan(a), bits(a, DType::U32, 0x7e00), minRaw(code, bits(a, DType::U32, 0x7c00)));
  return Number(DType::F16, code.raw | sign.raw);
}
static Number fromHalf(Number a) {
  uint64_t exponent = a.raw >> 10 & 31, fraction = a.raw & 1023;
  double size = exponent == 31 ? (fraction ? scalar::kNan : scalar::kInfinity)
                : exponent     ? std::ldexp(1024.0 + double(fraction), int(exponent) - 25)
                               : std::ldexp(double(fraction), -24);
  return constant(a, DType::F32, a.raw >> 15 ? -size : size);
}

Number convertRaw(Number a, DType to) {
  if (a.dtype == to) return a;
  if (to == DType::F16) return toHalf(a);
  if (a.dtype == DType::F16) return fromHalf(a);
  return visit(a.dtype, [&](auto from) {
    auto value = valueOf<decltype(from)>(a.raw);
    return visit(to, [&](auto target) { return Number(to, rawOf(decltype(target)(value))); });
  });
}
Number bitcast(Number a, DType to) { return Number(to, a.raw); }
Number realPart(Number a) { return Number(realType(a.dtype), a.raw); }
Number imagPart(Number a) { return Number(realType(a.dtype), a.rawImag); }
Number makeComplex(Number re, Number im) { return Number(complexType(re.dtype), re.raw, im.raw); }

Angle<Number> replaceLarge(Number x, Number isLarge, Angle<Number> small) {
  if (!isTrue(isLarge)) return small;
  return scalar::math::reduceLargeLike(small, x, [](Number at) { return Number(DType::U64, scalar::math::kTwoOverPiBits[at.raw]); });
}

int64_t toInteger(const Number &a) {
  return visit(a.dtype, [&](auto type) { return int64_t(valueOf<decltype(type)>(a.raw)); });
}

} // namespace kiln::reference
