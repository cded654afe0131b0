// The language that the `scalar` fields of op records are written in: operations on one element, or on a vector of elements.
// It is generic over what an element is. In codegen it is an Expr, which emits code as it is evaluated; in the reference
// interpreter a Number, which computes. Both give the primitives (names in -Raw, on real dtypes but narrow floats); all
// else is here once, so the interpreter and the compiler differ only in what the primitives do.
//
// Every operation is total (docs/numerics.md): nothing here reaches what LLVM calls undefined.
#pragma once

#include "lib/Core/Types.h"

#include <cmath>
#include <concepts>
#include <limits>

namespace kiln::scalar {

/// Base of element types: brings this namespace into argument-dependent lookup.
struct Element {};
template <typename E>
concept Scalar = std::derived_from<E, Element>;

enum class Relation { Equal, NotEqual, Less, LessEqual, Greater, GreaterEqual };

inline DType integerOf(DType t) {
  return byteSize(t) == 1 ? DType::I8 : byteSize(t) == 2 ? DType::I16 : byteSize(t) == 4 ? DType::I32 : DType::I64;
}
inline uint64_t signMask(DType t) { return uint64_t(1) << (8 * byteSize(t) - 1); }
inline constexpr double kInfinity = std::numeric_limits<double>::infinity(), kNan = std::numeric_limits<double>::quiet_NaN();

//===-- arithmetic --------------------------------------------------------------------------------------------------===//

template <Scalar E> E map(E a, auto &&f) { return makeComplex(f(realPart(a)), f(imagPart(a))); }
template <Scalar E> E map(E a, E b, auto &&f) { return makeComplex(f(realPart(a), realPart(b)), f(imagPart(a), imagPart(b))); }

template <Scalar E> E operator+(E a, E b) {
  return isComplex(a.dtype) ? map(a, b, [](E x, E y) { return addRaw(x, y); }) : addRaw(a, b);
}
template <Scalar E> E operator-(E a, E b) {
  return isComplex(a.dtype) ? map(a, b, [](E x, E y) { return subRaw(x, y); }) : subRaw(a, b);
}
template <Scalar E> E operator*(E x, E y) {
  if (!isComplex(x.dtype)) return mulRaw(x, y);
  E a = realPart(x), b = imagPart(x), c = realPart(y), d = imagPart(y);
  return makeComplex(a * c - b * d, a * d + b * c);
}
/// Floating only. Complex by Smith's formula: scaled by the larger part of the divisor.
template <Scalar E> E operator/(E x, E y) {
  if (!isComplex(x.dtype)) return divRaw(x, y);
  E a = realPart(x), b = imagPart(x), c = realPart(y), d = imagPart(y);
  E swaps = less(abs(c), abs(d)), p = select(swaps, d, c), q = select(swaps, c, d);
  E r = q / p, scale = p + q * r;
  return makeComplex(select(swaps, a * r + b, a + b * r) / scale, select(swaps, b * r - a, b - a * r) / scale);
}
template <Scalar E> E operator-(E a) {
  if (isComplex(a.dtype)) return map(a, [](E x) { return negRaw(x); });
  return isFloat(a.dtype) ? negRaw(a) : constant(a, 0) - a;
}
template <Scalar E> E max(E a, E b) { return maxRaw(a, b); }
template <Scalar E> E min(E a, E b) { return minRaw(a, b); }
/// a * b + c, rounded once for floats.
template <Scalar E> E fma(E a, E b, E c) { return isFloat(a.dtype) ? fmaRaw(a, b, c) : a * b + c; }
/// The same as a step of a contraction, which machines without that instruction round twice (docs/numerics.md).
template <Scalar E> E accumulate(E a, E b, E c) { return isFloat(a.dtype) ? accumulateRaw(a, b, c) : a * b + c; }

//===-- comparison, choice, bits ------------------------------------------------------------------------------------===//

template <Scalar E> E bitwise_and(E a, E b) { return andRaw(a, b); }
template <Scalar E> E bitwise_or(E a, E b) { return orRaw(a, b); }
template <Scalar E> E bitwise_xor(E a, E b) { return xorRaw(a, b); }
template <Scalar E> E bitwise_invert(E a) { return xorRaw(a, bits(a, a.dtype, ~uint64_t(0))); }

template <Scalar E> E equal(E a, E b) {
  if (!isComplex(a.dtype)) return compareRaw(a, b, Relation::Equal);
  return bitwise_and(equal(realPart(a), realPart(b)), equal(imagPart(a), imagPart(b)));
}
template <Scalar E> E not_equal(E a, E b) {
  if (!isComplex(a.dtype)) return compareRaw(a, b, Relation::NotEqual);
  return bitwise_or(not_equal(realPart(a), realPart(b)), not_equal(imagPart(a), imagPart(b)));
}
template <Scalar E> E less(E a, E b) { return compareRaw(a, b, Relation::Less); }
template <Scalar E> E less_equal(E a, E b) { return compareRaw(a, b, Relation::LessEqual); }
template <Scalar E> E greater(E a, E b) { return compareRaw(a, b, Relation::Greater); }
template <Scalar E> E greater_equal(E a, E b) { return compareRaw(a, b, Relation::GreaterEqual); }

template <Scalar E> E select(E condition, E a, E b) {
  if (!isComplex(a.dtype)) return selectRaw(condition, a, b);
  return map(a, b, [&](E x, E y) { return selectRaw(condition, x, y); });
}
template <Scalar E> E shiftLeft(E a, int by) { return shlRaw(a, constant(a, by)); }
template <Scalar E> E shiftRight(E a, int by) { return shrRaw(a, constant(a, by)); } // keeps the sign of signed dtypes
template <Scalar E> E popcount(E a) { return popcountRaw(a); }

/// Shifts by the width or more give 0, or the sign.
template <Scalar E> E leftShift(E a, E b) {
  E limit = constant(a, double(8 * byteSize(a.dtype))), zero = constant(a, 0);
  E inside = bitwise_and(less(b, limit), greater_equal(b, zero));
  return select(inside, shlRaw(a, select(inside, b, zero)), zero);
}
template <Scalar E> E rightShift(E a, E b) {
  E last = constant(a, double(8 * byteSize(a.dtype) - 1)), zero = constant(a, 0);
  E inside = bitwise_and(less_equal(b, last), greater_equal(b, zero));
  E beyond = info(a.dtype).isSigned ? shrRaw(a, last) : zero;
  return select(inside, shrRaw(a, select(inside, b, zero)), beyond);
}

template <Scalar E> E isnan(E a) { return not_equal(a, a); } // false for integers
template <Scalar E> E isinf(E a) {
  if (isComplex(a.dtype)) return bitwise_or(isinf(realPart(a)), isinf(imagPart(a)));
  return isFloat(a.dtype) ? equal(absRaw(a), constant(a, kInfinity)) : isnan(a);
}
template <Scalar E> E isfinite(E a) {
  if (isComplex(a.dtype)) return bitwise_and(isfinite(realPart(a)), isfinite(imagPart(a)));
  return isFloat(a.dtype) ? less(absRaw(a), constant(a, kInfinity)) : equal(a, a);
}

//===-- parts, signs, rounding --------------------------------------------------------------------------------------===//

namespace math {
template <Scalar E> E hypot(E a, E b);
}

template <Scalar E> E real(E a) { return isComplex(a.dtype) ? realPart(a) : a; }
template <Scalar E> E imag(E a) { return isComplex(a.dtype) ? imagPart(a) : bits(a, a.dtype, 0); }
template <Scalar E> E conj(E a) { return isComplex(a.dtype) ? makeComplex(realPart(a), -imagPart(a)) : a; }
template <Scalar E> E complex(E re, E im) { return makeComplex(re, im); }

template <Scalar E> E abs(E a) {
  if (isComplex(a.dtype)) return math::hypot(realPart(a), imagPart(a));
  if (isFloat(a.dtype)) return absRaw(a);
  return info(a.dtype).isSigned ? select(less(a, constant(a, 0)), -a, a) : a;
}
template <Scalar E> E sign(E a) {
  if (isComplex(a.dtype)) {
    E size = abs(a), zero = constant(size, 0), isZero = equal(size, zero);
    return select(isZero, makeComplex(zero, zero), map(a, [&](E x) { return x / select(isZero, constant(x, 1), size); }));
  }
  E zero = constant(a, 0), one = constant(a, 1), result = select(greater(a, zero), one, zero);
  if (info(a.dtype).isSigned) result = select(less(a, zero), -one, result);
  return isFloat(a.dtype) ? select(isnan(a), a, result) : result;
}
template <Scalar E> E floor(E a) { return isFloat(a.dtype) ? floorRaw(a) : a; } // integers as they are
template <Scalar E> E ceil(E a) { return isFloat(a.dtype) ? ceilRaw(a) : a; }
template <Scalar E> E trunc(E a) { return isFloat(a.dtype) ? truncRaw(a) : a; }
template <Scalar E> E round(E a) { // halves to the even one
  if (isComplex(a.dtype)) return map(a, [](E x) { return roundRaw(x); });
  return isFloat(a.dtype) ? roundRaw(a) : a;
}
template <Scalar E> E signbit(E a) {
  E raw = bitcast(a, integerOf(a.dtype));
  return less(raw, constant(raw, 0));
}
template <Scalar E> E copysign(E a, E b) {
  DType whole = integerOf(a.dtype);
  E sign = bits(a, whole, signMask(a.dtype));
  E size = bitwise_and(bitcast(a, whole), bitwise_invert(sign));
  // Opaque: a choice between this and `b`, both taken as integers, LLVM 22 folds into a wrong vpternlog.
  E result = bitcast(bitwise_or(size, bitwise_and(bitcast(b, whole), sign)), a.dtype);
  return isNarrow(a.dtype) ? result : opaqueRaw(result);
}
template <Scalar E> E fmax(E a, E b) { return isFloat(a.dtype) ? select(isnan(a), b, select(isnan(b), a, max(a, b))) : max(a, b); }
template <Scalar E> E fmin(E a, E b) { return isFloat(a.dtype) ? select(isnan(a), b, select(isnan(b), a, min(a, b))) : min(a, b); }
template <Scalar E> E heaviside(E a, E b) {
  E zero = constant(a, 0);
  return select(less(a, zero), zero, select(greater(a, zero), constant(a, 1), select(isnan(a), a, b)));
}
/// Keeps nan, as both comparisons are false for it.
template <Scalar E> E clamp(E x, double low, double high) {
  x = select(less(x, constant(x, low)), constant(x, low), x);
  return select(greater(x, constant(x, high)), constant(x, high), x);
}

/// The limits of a dtype, infinities for floats.
template <Scalar E> E lowest(E a) {
  if (isFloat(a.dtype)) return constant(a, -kInfinity);
  return bits(a, a.dtype, info(a.dtype).isSigned ? signMask(a.dtype) : 0);
}
template <Scalar E> E highest(E a) {
  if (isFloat(a.dtype)) return constant(a, kInfinity);
  return bits(a, a.dtype, info(a.dtype).isSigned ? signMask(a.dtype) - 1 : ~uint64_t(0));
}

//===-- division ----------------------------------------------------------------------------------------------------===//

/// A divisor that integers can be divided by: 1 in place of 0, and of -1 under the smallest integer, where it gives the same.
template <Scalar E> E safeDivisor(E a, E b) {
  E bad = equal(b, constant(b, 0));
  if (info(a.dtype).isSigned) bad = bitwise_or(bad, bitwise_and(equal(a, lowest(a)), equal(b, constant(b, -1))));
  return select(bad, constant(b, 1), b);
}
template <Scalar E> E differentSigns(E a, E b) { return bitwise_xor(less(a, constant(a, 0)), less(b, constant(b, 0))); }

/// As Python's //: through the exact remainder, so that 1.0 // 0.1 is 9.
template <Scalar E> E floorDivide(E a, E b) {
  E zero = constant(a, 0), one = constant(a, 1);
  if (!isFloat(a.dtype)) {
    E divisor = safeDivisor(a, b), quotient = divRaw(a, divisor);
    if (info(a.dtype).isSigned) {
      E rest = a - quotient * divisor;
      E isBelow = bitwise_and(not_equal(rest, zero), differentSigns(rest, divisor));
      quotient = select(isBelow, quotient - one, quotient);
    }
    return select(equal(b, zero), zero, quotient);
  }
  E rest = remRaw(a, b), plain = a / b, quotient = (a - rest) / b;
  E isBelow = bitwise_and(not_equal(rest, zero), differentSigns(rest, b));
  quotient = select(isBelow, quotient - one, quotient);
  E whole = floor(quotient);
  whole = select(greater(quotient - whole, constant(a, 0.5)), whole + one, whole);
  whole = select(equal(quotient, zero), copysign(zero, plain), whole);
  return select(equal(b, zero), plain, whole);
}
template <Scalar E> E remainder(E a, E b) {
  E zero = constant(a, 0);
  if (!isFloat(a.dtype)) {
    E rest = remRaw(a, safeDivisor(a, b));
    E turns = bitwise_and(not_equal(rest, zero), differentSigns(rest, b));
    return select(equal(b, zero), zero, info(a.dtype).isSigned ? select(turns, rest + b, rest) : rest);
  }
  E rest = remRaw(a, b);
  return select(equal(rest, zero), copysign(zero, b), select(differentSigns(rest, b), rest + b, rest));
}
template <Scalar E> E fmod(E a, E b) {
  if (isFloat(a.dtype)) return remRaw(a, b);
  return select(equal(b, constant(b, 0)), constant(a, 0), remRaw(a, safeDivisor(a, b)));
}

/// The position in an array with one more axis of size `size`, or the least int64 where it is outside.
template <Scalar E> E ravelIndex(E position, E index, E size) {
  E zero = constant(index, 0), wrapped = select(less(index, zero), index + size, index);
  E inside = bitwise_and(greater_equal(position, zero), bitwise_and(greater_equal(wrapped, zero), less(wrapped, size)));
  return select(inside, position * size + wrapped, lowest(index));
}

//===-- conversion --------------------------------------------------------------------------------------------------===//

/// Saturates at the limits of `to`; nan becomes 0.
template <Scalar E> E floatToInteger(E a, DType to) {
  int width = int(8 * byteSize(to));
  bool isSigned = info(to).isSigned;
  double high = std::ldexp(1.0, isSigned ? width - 1 : width), low = isSigned ? -high : -1;
  // Lanes out of range are converted from 0 and replaced: the conversion itself never leaves its range.
  E isBelow = less_equal(a, constant(a, low)), inside = bitwise_and(less(a, constant(a, high)), greater(a, constant(a, low)));
  E result = convertRaw(select(inside, a, constant(a, 0)), to);
  result = select(greater_equal(a, constant(a, high)), highest(result), result);
  return isSigned ? select(isBelow, lowest(result), result) : result;
}

/// The bits of a non-negative float32 rounded to a format with `mantissa` bits and `bias`, halves to even; beyond its
/// range whatever follows.
template <Scalar E> E roundBits(E size, int mantissa, int bias) {
  int drop = 23 - mantissa;
  E raw = bitcast(size, DType::U32);
  E odd = bitwise_and(shiftRight(raw, drop), constant(raw, 1));
  E normal = shiftRight(raw + constant(raw, double((1 << (drop - 1)) - 1)) + odd, drop) - constant(raw, double((127 - bias) << mantissa));
  if (bias == 127) return normal; // subnormals have the same exponent
  // Below the normal range an addition rounds: the unit of `magic` is that of the format's subnormals.
  E magic = constant(size, std::ldexp(1.0, 1 - bias - mantissa + 23));
  E subnormal = bitcast(size + magic, DType::U32) - bitcast(magic, DType::U32);
  return select(less(size, constant(size, std::ldexp(1.0, 1 - bias))), subnormal, normal);
}

template <Scalar E> E floatToNarrow(E a, DType to) {
  if (to == DType::F16) return convertRaw(a, DType::F16);
  E sign = shiftRight(bitwise_and(bitcast(a, DType::U32), bits(a, DType::U32, 0x80000000u)), to == DType::BF16 ? 16 : 24);
  E size = absRaw(a), nan = isnan(a), code = sign;
  auto u32 = [&](uint64_t n) { return bits(a, DType::U32, n); };
  if (to == DType::BF16) code = select(nan, u32(0x7fc0), roundBits(size, 7, 127));
  else if (to == DType::F8E5M2) code = select(nan, u32(0x7e), min(roundBits(min(size, constant(size, 1e6)), 2, 15), u32(0x7c)));
  else code = select(nan, u32(0x7f), min(roundBits(min(size, constant(size, 1e6)), 3, 7), u32(0x7f)));
  return bitcast(convertRaw(bitwise_or(code, sign), to == DType::BF16 ? DType::U16 : DType::U8), to);
}

template <Scalar E> E narrowToFloat(E a) {
  if (a.dtype == DType::F16) return convertRaw(a, DType::F32);
  E raw = convertRaw(bitcast(a, byteSize(a.dtype) == 2 ? DType::U16 : DType::U8), DType::U32);
  if (a.dtype == DType::BF16) return bitcast(shiftLeft(raw, 16), DType::F32);
  if (a.dtype == DType::F8E5M2) // the upper half of a float16
    return convertRaw(bitcast(convertRaw(shiftLeft(raw, 8), DType::U16), DType::F16), DType::F32);
  E size = bitwise_and(raw, bits(raw, DType::U32, 0x7f)), sign = shiftLeft(bitwise_and(raw, bits(raw, DType::U32, 0x80)), 24);
  E normal = bitcast(shiftLeft(size, 20) + bits(raw, DType::U32, 120u << 23), DType::F32);
  E subnormal = convertRaw(bitcast(size, DType::I32), DType::F32) * constant(normal, 0x1p-9);
  E result = select(less(size, bits(raw, DType::U32, 8)), subnormal, normal);
  result = select(equal(size, bits(raw, DType::U32, 0x7f)), constant(result, kNan), result);
  return bitcast(bitwise_or(bitcast(result, DType::U32), sign), DType::F32);
}

/// float64 to float32, inexact results with an odd last bit: rounded again, they give what one rounding gives.
template <Scalar E> E roundToOdd(E a) {
  E near = convertRaw(a, DType::F32), back = convertRaw(near, DType::F64);
  E raw = bitcast(near, DType::U32), one = bits(raw, DType::U32, 1);
  raw = select(greater(absRaw(back), absRaw(a)), raw - one, raw); // towards zero
  return bitcast(select(bitwise_and(not_equal(back, a), equal(a, a)), bitwise_or(raw, one), raw), DType::F32);
}

template <Scalar E> E cast(E a, DType to) {
  DType from = a.dtype;
  if (from == to) return a;
  if (isComplex(from)) {
    if (to == DType::Bool) return not_equal(a, makeComplex(constant(realPart(a), 0), constant(realPart(a), 0)));
    if (!isComplex(to)) return cast(realPart(a), to);
    return map(a, [&](E x) { return convertRaw(x, realType(to)); });
  }
  if (isComplex(to)) {
    E re = cast(a, realType(to));
    return makeComplex(re, constant(re, 0));
  }
  if (isNarrow(from)) return cast(narrowToFloat(a), to);
  if (isNarrow(to)) {
    if (from == DType::Bool) return floatToNarrow(convertRaw(a, DType::F32), to);
    if (from != DType::F32) a = roundToOdd(from == DType::F64 ? a : convertRaw(a, DType::F64));
    return floatToNarrow(a, to);
  }
  if (to == DType::Bool) return not_equal(a, constant(a, 0));
  return isFloat(from) && !isFloat(to) ? floatToInteger(a, to) : convertRaw(a, to);
}

/// The next number in the direction of `b`, on the bits.
template <Scalar E> E nextafter(E a, E b) {
  DType whole = integerOf(a.dtype);
  E x = cast(a, computeType(a.dtype)), y = cast(b, computeType(a.dtype)), zero = constant(x, 0);
  E raw = bitcast(a, whole), one = constant(raw, 1);
  E away = bitwise_invert(bitwise_xor(less(x, y), greater(x, zero)));
  E next = select(away, raw + one, raw - one);
  E first = bitwise_or(bitwise_and(bitcast(b, whole), bits(raw, whole, signMask(a.dtype))), one);
  next = select(equal(x, zero), first, next);
  next = select(equal(x, y), bitcast(b, whole), next);
  return bitcast(select(bitwise_or(isnan(x), isnan(y)), bitcast(cast(constant(x, kNan), a.dtype), whole), next), a.dtype);
}

/// Polynomial c[0] + c[1] x + ..., Horner's scheme in fused multiply-adds.
template <Scalar E> E polynomial(E x, std::initializer_list<double> c) {
  E sum = constant(x, *(c.end() - 1));
  for (const double *k = c.end() - 2; k >= c.begin(); --k) sum = fma(sum, x, constant(x, *k));
  return sum;
}

} // namespace kiln::scalar
