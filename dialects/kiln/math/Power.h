// Powers: through the logarithm in double-double for floats, by squaring for integers.
#pragma once

#include "dialects/kiln/math/Exponential.h"

namespace kiln::scalar::math {

template <Scalar E> E complexPow(E x, E y); // Complex.h

/// Wraps; to a negative power 0, but for -1, 0 and 1.
template <Scalar E> E integerPow(E x, E y) {
  E zero = constant(x, 0), one = constant(x, 1), result = one, power = x;
  bool isSigned = info(x.dtype).isSigned;
  int width = int(8 * byteSize(x.dtype)) - isSigned;
  for (int i = 0; i < width; ++i) {
    E isSet = not_equal(bitwise_and(shiftRight(y, i), one), zero);
    result = select(isSet, result * power, result);
    if (i + 1 < width) power = power * power;
  }
  if (!isSigned) return result;
  E minus = constant(x, -1), isOdd = not_equal(bitwise_and(y, one), zero);
  E inverse = select(equal(x, one), one, select(equal(x, minus), select(isOdd, minus, one), zero));
  return select(less(y, zero), inverse, result);
}

/// |x|^y to float64's last place.
template <Scalar E> E powerOfSize(E size, E y) {
  auto [k, high, low] = logParts(size);
  E a = k * constant(y, kLn2High), sum = a + high, rest = ((a - sum) + high) + (low + k * constant(y, kLn2Low));
  E log = sum + rest, logLow = (sum - log) + rest;
  E p = y * log, pLow = fma(y, log, -p) + y * logLow, e = exp(p);
  return select(bitwise_and(isfinite(e), isfinite(pLow)), fma(e, pLow, e), e);
}

/// |x|^y to far beyond float32's last place, for a size in the range of float32: short polynomials, one scale.
template <Scalar E> E roughPowerOfSize(E size, E y) {
  E i = bitcast(size, DType::I64) + bits(size, DType::I64, 0x3ff0000000000000u - 0x3fe6a09e667f3bcdu);
  E k = cast(shiftRight(i, 52) - constant(i, 1023), DType::F64), one = constant(size, 1);
  E m = bitwise_and(i, bits(i, DType::I64, 0xfffffffffffff)) + bits(i, DType::I64, 0x3fe6a09e667f3bcdu);
  E f = bitcast(m, DType::F64) - one; // log(1 + f) / f, minimax to 2^-38
  E p = polynomial(f, {0.99999999999834452, -0.49999999991895252, 0.33333333460833389, -0.25000002281458061, 0.19999985277789253,
                       -0.16666476754344034, 0.14286256963289451, -0.12506922333330391, 0.11105376303654704, -0.098772568923308279,
                       0.090299882750254643, -0.093317476039928249, 0.091851366557461591, -0.048341304100115694});
  E log = fma(k, constant(size, kLn2), f * p);
  E t = clamp(y * log, -200, 200), shifted = fma(t, constant(t, kLog2E), constant(t, 0x1.8p52 + 1023)),
    n = shifted - constant(t, 0x1.8p52 + 1023);
  E r = fma(n, constant(t, -kLn2), t), scale = bitcast(shiftLeft(bitcast(shifted, DType::I64), 52), DType::F64);
  return scale * polynomial(r, {0.99999999995855221, 1.0000000002633269, 0.50000001109070287, 0.16666665030874154, 0.041666207629155917,
                                0.0083335704120450153, 0.001394936970153487, 0.00019773810633042885});
}

/// What `result`, |x|^y of ordinary numbers, is for all others.
template <Scalar E> E powEdges(E x, E y, E result) {
  E zero = constant(x, 0), one = constant(x, 1), infinity = constant(x, kInfinity), size = abs(x);
  // 0 and infinity to a power, and the sign of odd powers.
  E isEdge = bitwise_or(equal(size, zero), equal(size, infinity));
  E grows = bitwise_invert(bitwise_xor(greater(y, zero), equal(size, infinity)));
  result = select(isEdge, select(grows, infinity, zero), result);
  result = select(bitwise_and(equal(size, one), isinf(y)), one, result);
  E isWhole = equal(floor(y), y), half = y * constant(x, 0.5), isOdd = bitwise_and(isWhole, not_equal(floor(half), half));
  result = select(bitwise_and(signbit(x), isOdd), -result, result);
  E isUndefined = bitwise_and(bitwise_and(less(x, zero), bitwise_invert(isWhole)), bitwise_invert(isEdge));
  result = select(bitwise_or(isUndefined, bitwise_or(isnan(x), isnan(y))), constant(x, kNan), result);
  return select(bitwise_or(equal(y, zero), equal(x, one)), one, result);
}

template <Scalar E> E pow(E x, E y) {
  if (isComplex(x.dtype)) return complexPow(x, y);
  if (!isFloat(x.dtype)) return integerPow(x, y);
  auto wide = [](E v) { return cast(v, DType::F64); };
  E result = x.dtype == DType::F32 ? cast(roughPowerOfSize(wide(abs(x)), wide(y)), DType::F32) : powerOfSize(abs(x), y);
  return powEdges(x, y, result);
}

} // namespace kiln::scalar::math
