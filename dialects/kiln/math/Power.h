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

/// x^y of ordinary float32, positive and normal, through the logarithm as two floats: 2 artanh(s) with s = f / (2 + f) and what its
/// rounding loses.
template <Scalar E> E powSingle(E x, E y) {
  auto number = [&](double v) { return constant(x, v); };
  E i = bitcast(x, DType::I32) + bits(x, DType::I32, 0x3f800000u - 0x3f3504f3u);
  E k = cast(shiftRight(i, 23) - constant(i, 127), DType::F32);
  E f = bitcast(bitwise_and(i, bits(i, DType::I32, 0x7fffff)) + bits(i, DType::I32, 0x3f3504f3u), DType::F32) - number(1);
  E d = f + number(2), dLow = f - (d - number(2)), inverse = number(1) / d;
  E s = f * inverse, sLow = fma(-s, dLow, fma(-s, d, f)) * inverse, z = s * s;
  E cube = s * z, cubeLow = fma(z * number(3), sLow, fma(s, fma(s, s, -z), fma(s, z, -cube))),
    c = polynomial(z, {0.6666666655, 0.4000012221, 0.2855077883, 0.2333161094});
  E tail = cube * c, tailLow = fma(cubeLow, c, fma(cube, c, -tail));
  // k ln 2 with zeros at its end, 2 s, the tail, and the rest.
  E whole = k * number(0x1.62e4p-1), twice = s + s, first = whole + twice, log = first + tail;
  E rest = fma(k, number(1.42860682030941723e-06), fma(sLow, number(2), tailLow)) + ((whole - first) + twice);
  E logLow = ((first - log) + tail) + rest;
  E p = y * log, pLow = fma(y, logLow, fma(y, log, -p));
  pLow = select(less(abs(p), number(128)), pLow, number(0)); // beyond, the result is 0 or infinity
  // As exp, with the low part added to what is left of the argument.
  E t = clamp(p, -104, 89), magic = number(0x1.8p23 + 254), shifted = fma(t, number(kLog2E), magic), n = shifted - magic;
  E r = fma(n, number(2.12194440e-4), fma(n, number(-0.693359375), t)) + pLow;
  E q = fma(polynomial(r, {0.49999994, 0.166665196, 0.0416683964, 0.0083687967, 0.00138144335}), r * r, r);
  E scale = bitcast(shifted, DType::I32), half = shiftRight(scale, 1);
  E s1 = bitcast(shiftLeft(half, 23), DType::F32), s2 = bitcast(shiftLeft(scale - half, 23), DType::F32);
  return fma(q, s1, s1) * s2;
}

template <Scalar E> E pow(E x, E y) {
  if (isComplex(x.dtype)) return complexPow(x, y);
  if (!isFloat(x.dtype)) return integerPow(x, y);
  bool isWide = x.dtype == DType::F64;
  E isPlain = bitwise_and(greater_equal(x, constant(x, isWide ? 0x1p-1022 : 0x1p-126)), less(x, constant(x, kInfinity)));
  E isRare = bitwise_invert(bitwise_and(isPlain, less(abs(y), constant(y, isWide ? kInfinity : 0x1p30))));
  if (isWide) {
    E result = powerOfSize(abs(x), y);
    return rarely(isRare, result, [&] { return powEdges(x, y, result); });
  }
  return rarely(isRare, powSingle(x, y), [&] {
    auto wide = [](E v) { return cast(v, DType::F64); };
    return powEdges(x, y, cast(roughPowerOfSize(wide(abs(x)), wide(y)), DType::F32));
  });
}

} // namespace kiln::scalar::math
