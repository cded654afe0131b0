// Exponentials, logarithms and hyperbolic functions. Reduction by Cody and Waite; log after K. C. Ng (fdlibm); what is not on
// a hot path is computed in float64 for float32 as well.
#pragma once

#include "dialects/kiln/math/Scalar.h"

namespace kiln::scalar::math {

// Complex.h
template <Scalar E> E complexExp(E z);
template <Scalar E> E complexExpm1(E z);
template <Scalar E> E complexLog(E z);
template <Scalar E> E complexLog1p(E z);
template <Scalar E> E complexLog(E z, double base);
template <Scalar E> E complexSqrt(E z);
template <Scalar E> E complexSinh(E z);
template <Scalar E> E complexCosh(E z);
template <Scalar E> E complexTanh(E z);
template <Scalar E> E complexAsinh(E z);
template <Scalar E> E complexAcosh(E z);
template <Scalar E> E complexAtanh(E z);

/// A function of float64 for float32 as well, rounded once.
template <Scalar E> E viaDouble(E x, auto &&f) { return x.dtype == DType::F32 ? cast(f(cast(x, DType::F64)), DType::F32) : f(x); }
template <Scalar E> E viaDouble(E x, E y, auto &&f) {
  if (x.dtype != DType::F32) return f(x, y);
  return cast(f(cast(x, DType::F64), cast(y, DType::F64)), DType::F32);
}

constexpr double kLn2 = 0x1.62e42fefa39efp-1, kLn2Rest = 0x1.abc9e3b39803fp-56;
constexpr double kLn2High = 6.93147180369123816490e-01, kLn2Low = 1.90821492927058770002e-10; // the first with zeros at its end

/// x = n ln 2 + r with |r| <= ln 2 / 2, and q with exp(r) = 1 + q. `z` is the float whose low bits hold n + bias.
template <Scalar E> struct Reduced {
  E q, z;
};

constexpr double kLog2E = 1.4426950408889634074;

/// The bias sits in the magic constant, so its removal costs nothing.
template <Scalar E> Reduced<E> reduce(E x, int bias) {
  bool single = x.dtype == DType::F32;
  E magic = constant(x, (single ? 0x1.8p23 : 0x1.8p52) + bias);
  E z = fma(x, constant(x, kLog2E), magic), n = z - magic;
  if (single) {
    E r = fma(n, constant(x, 2.12194440e-4), fma(n, constant(x, -0.693359375), x));
    E p = polynomial(r, {0.49999994, 0.166665196, 0.0416683964, 0.0083687967, 0.00138144335});
    return {fma(p, r * r, r), z};
  }
  E r = fma(n, constant(x, -1.90821492927058770002e-10), fma(n, constant(x, -6.93147180369123816490e-01), x));
  E p = polynomial(r, {0.5, 0.16666666666666666, 0.041666666666666664, 0.008333333333333333, 0.001388888888888889, 0.0001984126984126984,
                       2.48015873015873e-05, 2.7557319223985893e-06, 2.755731922398589e-07, 2.505210838544172e-08, 2.08767569878681e-09,
                       1.6059043836821613e-10});
  return {fma(p, r * r, r), z};
}

inline int mantissaBits(DType t) { return t == DType::F32 ? 23 : 52; }

/// e^x, or half of it, which overflows later.
template <Scalar E> E exp(E x, int halvings = 0) {
  if (isComplex(x.dtype)) return complexExp(x);
  bool single = x.dtype == DType::F32;
  DType whole = integerOf(x.dtype);
  int mantissa = mantissaBits(x.dtype);
  x = single ? clamp(x, -104, 89 + halvings) : clamp(x, -746, 710 + halvings);
  // Two scales of about half the exponent: one rounding into the subnormals, infinity only beyond the range.
  auto [q, z] = reduce(x, single ? 254 : 2046);
  E i = halvings ? bitcast(z, whole) - constant(bitcast(z, whole), halvings) : bitcast(z, whole);
  // Only the low bits of z count; the shift drops those of the magic constant above them.
  E h = shiftRight(i, 1);
  E s1 = bitcast(shiftLeft(h, mantissa), x.dtype), s2 = bitcast(shiftLeft(i - h, mantissa), x.dtype);
  return fma(q, s1, s1) * s2;
}

/// x where a logarithm is x itself, -inf at 0, nan below.
template <Scalar E> E logEdges(E x, E result) {
  E zero = constant(x, 0);
  result = select(less(x, constant(x, kInfinity)), result, x);
  result = select(equal(x, zero), constant(x, -kInfinity), result);
  return select(less(x, zero), constant(x, kNan), result);
}

/// (log(1 + f) - f) / f^2 with sqrt(1/2) < 1 + f < sqrt(2): a minimax polynomial, no division.
template <Scalar E> E logTail(E f) {
  return polynomial(f, {-0.5, 0.3333333126, -0.2499998119, 0.2000068811, -0.1666915084, 0.142511545, -0.1239670452, 0.1163467886,
                        -0.1165990555, 0.07332454221});
}
/// log(1 + f) + k ln 2.
template <Scalar E> E logSingle(E f, E k) {
  E low = fma(f * f, logTail(f), k * constant(f, 9.0580006145e-06));
  return fma(k, constant(f, 6.9313812256e-01), f + low);
}
/// The same in another base: 1 / ln of it, and the logarithm of 2, as a float32 and the rest.
template <Scalar E> E logSingle(E f, E k, std::pair<double, double> scale, std::pair<double, double> two) {
  E rest = f * f * logTail(f), high = f * constant(f, scale.first), lost = fma(f, constant(f, scale.first), -high);
  E low = fma(rest, constant(f, scale.first), fma(f, constant(f, scale.second), lost));
  return fma(k, constant(f, two.first), high + fma(k, constant(f, two.second), low));
}
template <Scalar E> E logDouble(E f, E k) {
  E s = f / (constant(f, 2) + f), s2 = s * s;
  E r = s2 * polynomial(s2, {6.666666666666735130e-01, 3.999999999940941908e-01, 2.857142874366239149e-01, 2.222219843214978396e-01,
                             1.818357216161805012e-01, 1.531383769920937332e-01, 1.479819860511658591e-01});
  E half = constant(f, 0.5) * f * f, low = half - (s * (half + r) + k * constant(f, kLn2Low));
  return k * constant(f, kLn2High) - (low - f);
}

/// x = 2^k (1 + f) with sqrt(1/2) < 1 + f < sqrt(2); k as a float.
template <Scalar E> struct Mantissa {
  E f, k;
};
template <Scalar E> Mantissa<E> splitNormal(E x) {
  bool single = x.dtype == DType::F32;
  DType whole = integerOf(x.dtype);
  int mantissa = mantissaBits(x.dtype);
  E i = bitcast(x, whole) + bits(x, whole, single ? 0x3f800000u - 0x3f3504f3u : 0x3ff0000000000000u - 0x3fe6a09e667f3bcdu);
  E k = shiftRight(i, mantissa) - constant(i, single ? 127 : 1023);
  uint64_t low = (uint64_t(1) << mantissa) - 1;
  E m = bitwise_and(i, bits(i, whole, low)) + bits(i, whole, single ? 0x3f3504f3u : 0x3fe6a09e667f3bcdu);
  return {bitcast(m, x.dtype) - constant(x, 1), cast(k, x.dtype)};
}
inline double leastNormal(DType t) { return t == DType::F32 ? 0x1p-126 : 0x1p-1022; }

/// A logarithm by `f` of mantissa and exponent. Subnormals, which are scaled into the normal range, and edges are rare.
template <Scalar E> E logarithm(E x, auto &&f) {
  auto all = [&] {
    double digits = x.dtype == DType::F32 ? 25 : 54;
    E tiny = less(x, constant(x, leastNormal(x.dtype)));
    auto [m, k] = splitNormal(select(tiny, x * constant(x, std::exp2(digits)), x));
    return logEdges(x, f(m, k + select(tiny, constant(x, -digits), constant(x, 0))));
  };
  E isNormal = bitwise_and(greater_equal(x, constant(x, leastNormal(x.dtype))), less(x, constant(x, kInfinity)));
  auto [m, k] = splitNormal(x);
  return rarely(bitwise_invert(isNormal), f(m, k), all);
}

template <Scalar E> E log(E x) {
  if (isComplex(x.dtype)) return complexLog(x);
  return logarithm(x, [&](E f, E k) { return x.dtype == DType::F32 ? logSingle(f, k) : logDouble(f, k); });
}

template <Scalar E> E tanh(E x) {
  if (isComplex(x.dtype)) return complexTanh(x);
  bool single = x.dtype == DType::F32;
  DType whole = integerOf(x.dtype);
  double limit = single ? 10 : 20;
  E size = abs(x);
  E a = select(greater(size, constant(x, limit)), constant(x, limit), size) * constant(x, 2);
  auto [q, z] = reduce(a, single ? 127 : 1023);
  // expm1(a) = s (1 + q) - 1 with s = 2^n.
  E s = bitcast(shiftLeft(bitcast(z, whole), mantissaBits(x.dtype)), x.dtype);
  E t = fma(s, q, s - constant(x, 1));
  E result = bitcast(t / (t + constant(x, 2)), whole);
  E sign = bitwise_and(bitcast(x, whole), bits(x, whole, single ? 0x80000000u : 0x8000000000000000u));
  return bitcast(bitwise_or(result, sign), x.dtype);
}

template <Scalar E> E sqrt(E x) { return isComplex(x.dtype) ? complexSqrt(x) : sqrtRaw(x); }

//===-- near 1 ------------------------------------------------------------------------------------------------------===//

/// Of float32, times 2^-halvings: (q s1 + (s1 - 1 / s2)) s2 with s1 s2 = 2^n, so nothing overflows before the result does.
template <Scalar E> E expm1Single(E x, int halvings = 0) {
  auto [q, z] = reduce(clamp(x, -20, 90), 254);
  E i = bitcast(z, DType::I32), h = shiftRight(i, 1), rest = i - h;
  auto power = [](E k) { return bitcast(shiftLeft(k, 23), DType::F32); };
  E s1 = power(h), inverse = power(constant(i, 254) - rest), result = fma(q, s1, s1 - inverse) * power(rest - constant(i, halvings));
  return halvings ? result : select(equal(x, constant(x, 0)), x, result);
}

template <Scalar E> E expm1(E x) {
  if (isComplex(x.dtype)) return complexExpm1(x);
  if (x.dtype == DType::F32) return expm1Single(x);
  return viaDouble(x, [](E x) {
    auto [q, z] = reduce(clamp(x, -60, 60), 1023);
    E s = bitcast(shiftLeft(bitcast(z, DType::I64), 52), DType::F64); // 2^n
    E result = fma(s, q, s - constant(x, 1));
    return select(greater(x, constant(x, 50)), exp(x), select(equal(x, constant(x, 0)), x, result));
  });
}

/// log(1 + x), the rounding of the sum put back to first order.
template <Scalar E> E log1p(E x) {
  if (isComplex(x.dtype)) return complexLog1p(x);
  E one = constant(x, 1), u = one + x, lost = x - (u - one);
  E result = log(u) + lost / u;
  E asIs = bitwise_or(equal(x, constant(x, 0)), equal(x, constant(x, kInfinity)));
  return select(asIs, x, select(equal(u, constant(x, 0)), constant(x, -kInfinity), result));
}

/// In float32: scaled as exp is.
template <Scalar E> E exp2Single(E x) {
  x = clamp(x, -151, 129);
  E magic = constant(x, 0x1.8p23 + 254), z = x + magic, r = x - (z - magic);
  E q = r * polynomial(r, {0.6931472017, 0.2402264789, 0.05550333811, 0.009618442606, 0.001339854893, 0.0001535167407});
  E i = bitcast(z, DType::I32), h = shiftRight(i, 1);
  E s1 = bitcast(shiftLeft(h, 23), DType::F32), s2 = bitcast(shiftLeft(i - h, 23), DType::F32);
  return fma(q, s1, s1) * s2;
}

template <Scalar E> E exp2(E x) {
  if (x.dtype == DType::F32) return exp2Single(x);
  return viaDouble(x, [](E x) {
    E inside = clamp(x, -1080, 1025), n = round(inside), r = inside - n, ln2 = constant(x, kLn2);
    E t = r * ln2, rest = fma(r, ln2, -t) + r * constant(x, kLn2Rest);
    E q = reduce(t, 1023).q + rest; // |t| <= ln 2 / 2: nothing is taken off
    E i = cast(n, DType::I64), half = shiftRight(i, 1), bias = constant(i, 1023);
    auto power = [&](E k) { return bitcast(shiftLeft(k + bias, 52), DType::F64); };
    E s = power(half);
    return fma(q, s, s) * power(i - half);
  });
}

/// log(x) = (k + more) ln 2 + high + low, high + low to about 2^-65.
template <Scalar E> struct LogParts {
  E k, high, low;
};
/// Of a positive finite float64: 2 artanh(s), s = f / (2 + f), with the first two terms in double-double.
template <Scalar E> LogParts<E> logParts(E x) {
  E tiny = less(x, constant(x, 0x1p-1022)), y = select(tiny, x * constant(x, 0x1p54), x);
  E i = bitcast(y, DType::I64) + bits(x, DType::I64, 0x3ff0000000000000u - 0x3fe6a09e667f3bcdu);
  E k = cast(shiftRight(i, 52) - constant(i, 1023), DType::F64) + select(tiny, constant(x, -54), constant(x, 0));
  E m = bitwise_and(i, bits(i, DType::I64, 0xfffffffffffff)) + bits(i, DType::I64, 0x3fe6a09e667f3bcdu);
  E two = constant(x, 2), f = bitcast(m, DType::F64) - constant(x, 1), d = two + f, dLow = f - (d - two);
  E s = f / d, sLow = (fma(-s, d, f) - s * dLow) / d;
  E z = s * s, zLow = fma(s, s, -z) + two * s * sLow;
  E t = s * z, tLow = fma(s, z, -t) + (s * zLow + sLow * z);
  E c = constant(x, 0.6666666666666666), u = t * c, uLow = fma(t, c, -u) + (t * constant(x, 3.700743415417188e-17) + tLow * c);
  E tail = t * z *
           polynomial(z, {0.4, 0.28571428571428564, 0.22222222222228577, 0.18181818179612935, 0.15384615767568763, 0.13333296032605915,
                          0.11766834792842433, 0.10455842454227947, 0.10766810618377728});
  E first = two * s, high = first + u, low = ((first - high) + u) + (two * sLow + (uLow + tail));
  E sum = high + low;
  return {k, sum, (high - sum) + low};
}

template <Scalar E> E log2(E x) {
  if (isComplex(x.dtype)) return complexLog(x, 2);
  if (x.dtype == DType::F32) return logarithm(x, [](E f, E k) { return logSingle(f, k, {0x1.715476p+0, 0x1.4ae0c0p-26}, {1, 0}); });
  return viaDouble(x, [](E x) {
    auto [k, high, low] = logParts(x);
    E c = constant(x, 0x1.71547652b82fep+0), t = high * c; // 1 / ln 2
    E rest = fma(high, c, -t) + (high * constant(x, 0x1.777d0ffda0d24p-56) + low * c);
    E sum = k + t;
    return logEdges(x, sum + (((k - sum) + t) + rest));
  });
}
template <Scalar E> E log10(E x) {
  if (isComplex(x.dtype)) return complexLog(x, 10);
  if (x.dtype == DType::F32)
    return logarithm(x, [](E f, E k) { return logSingle(f, k, {0x1.bcb7b2p-2, -0x1.5b235ep-27}, {0x1.344p-2, 0x1.3509f8p-18}); });
  return viaDouble(x, [](E x) {
    auto [k, high, low] = logParts(x);
    E c = constant(x, 0x1.bcb7b1526e50ep-2), t = high * c; // 1 / ln 10
    E rest = fma(high, c, -t) + (high * constant(x, 0x1.95355baaafad3p-57) + low * c);
    E a = k * constant(x, 0x1.34413509f6p-2), aLow = k * constant(x, 0x1.9fef311f12b36p-42); // log10(2), zeros at the end of the first
    E sum = a + t;
    return logEdges(x, sum + (((a - sum) + t) + (rest + aLow)));
  });
}

//===-- hyperbolic --------------------------------------------------------------------------------------------------===//

template <Scalar E> E sinh(E x) {
  if (isComplex(x.dtype)) return complexSinh(x);
  if (x.dtype == DType::F32) {
    E a = abs(x), half = expm1Single(a, 1), isLarge = greater(a, constant(x, 20)); // half of e^a - 1; beyond 20 the rest is lost in it
    E rest = select(isLarge, constant(x, 0.5), half / (half + half + constant(x, 1)));
    // The sign last: LLVM 22 folds a choice between x and copysign(y, x) into a wrong vpternlog for bfloat16.
    return copysign(select(less(a, constant(x, 0x1p-12)), a, half + rest), x);
  }
  return viaDouble(x, [](E x) {
    E a = abs(x), half = constant(x, 0.5), e = expm1(min(a, constant(x, 30)));
    E small = half * (e + e / (e + constant(x, 1)));
    return copysign(select(greater(a, constant(x, 22)), exp(a, 1), small), x);
  });
}
template <Scalar E> E cosh(E x) {
  if (isComplex(x.dtype)) return complexCosh(x);
  if (x.dtype == DType::F32) {
    E half = expm1Single(abs(x), 1) + constant(x, 0.5);
    return half + constant(x, 0.25) / half;
  }
  return viaDouble(x, [](E x) {
    E half = exp(abs(x), 1);
    return half + constant(x, 0.25) / half;
  });
}
/// From where on x + 1 is x, and asinh(x) and acosh(x) are log(2 x), to the last place.
template <Scalar E> E largeFor(E x) { return constant(x, x.dtype == DType::F32 ? 0x1p28 : 0x1p60); }
template <Scalar E> E asinh(E x) {
  if (isComplex(x.dtype)) return complexAsinh(x);
  E a = abs(x), one = constant(x, 1), square = a * a, isLarge = greater(a, largeFor(x));
  E result = log1p(select(isLarge, a, a + square / (one + sqrtRaw(square + one))));
  return copysign(select(isLarge, result + constant(x, kLn2), result), x);
}
template <Scalar E> E acosh(E x) {
  if (isComplex(x.dtype)) return complexAcosh(x);
  E one = constant(x, 1), t = x - one, isLarge = greater(x, largeFor(x));
  E result = log1p(select(isLarge, x, t + sqrtRaw(t + t + t * t)));
  result = select(isLarge, result + constant(x, kLn2), result);
  return select(less(x, one), constant(x, kNan), result);
}
template <Scalar E> E atanh(E x) {
  if (isComplex(x.dtype)) return complexAtanh(x);
  E a = abs(x), one = constant(x, 1), twice = a + a, half = constant(x, 0.5);
  E isSmall = less(a, half), ratio = select(isSmall, twice * a, twice) / (one - a), t = select(isSmall, twice + ratio, ratio);
  return select(greater(a, one), constant(x, kNan), copysign(half * log1p(t), x));
}

/// Of float32, whose squares may leave the range, but not that of float64.
template <Scalar E> E hypotSingle(E x, E y) {
  E a = abs(x), b = abs(y), m = max(a, b), n = min(a, b), direct = sqrtRaw(fma(m, m, n * n));
  E isInside = bitwise_and(greater(m, constant(x, 0x1p-40)), less(m, constant(x, 0x1p60)));
  return rarely(bitwise_invert(isInside), direct, [&] {
    E u = cast(x, DType::F64), v = cast(y, DType::F64), wide = cast(sqrtRaw(fma(u, u, v * v)), DType::F32);
    return select(bitwise_or(isinf(x), isinf(y)), constant(x, kInfinity), wide);
  });
}
/// Without overflow: both are scaled by a power of two where their squares leave the range.
template <Scalar E> E hypot(E x, E y) {
  if (x.dtype == DType::F32) return hypotSingle(x, y);
  return viaDouble(x, y, [](E x, E y) {
    E a = abs(x), b = abs(y), m = max(a, b), n = min(a, b), one = constant(x, 1);
    E isLarge = greater(m, constant(x, 0x1p500)), isSmall = less(m, constant(x, 0x1p-500));
    E scale = select(isLarge, constant(x, 0x1p-600), select(isSmall, constant(x, 0x1p600), one));
    E back = select(isLarge, constant(x, 0x1p600), select(isSmall, constant(x, 0x1p-600), one));
    E u = m * scale, v = n * scale, result = sqrtRaw(fma(u, u, v * v)) * back;
    return select(bitwise_or(isinf(x), isinf(y)), constant(x, kInfinity), result);
  });
}
template <Scalar E> E logaddexp(E x, E y) {
  return viaDouble(x, y, [](E x, E y) {
    E result = max(x, y) + log1p(exp(-abs(x - y)));
    return select(equal(x, y), x + constant(x, kLn2), result);
  });
}

template <Scalar E> E logaddexp2(E x, E y) {
  return viaDouble(x, y, [](E x, E y) {
    E result = max(x, y) + log1p(exp2(-abs(x - y))) * constant(x, kLog2E);
    return select(equal(x, y), x + constant(x, 1), result);
  });
}

/// A start from a third of the exponent (W. Kahan), Halley's steps, and one of Newton's with the exact rest of the cube.
/// Of a positive number whose cube is normal. r is 1 / cbrt within 3.5 percent, by a third of the exponent, then by the series of
/// (1 - h)^(-1/3) for what is left: no division.
template <Scalar E> E cbrtNormal(E x) {
  bool single = x.dtype == DType::F32;
  E third = constant(x, 1.0 / 3), high = bitcast(x, integerOf(x.dtype));
  if (!single) high = cast(shiftRight(high, 32), DType::I32);
  E bits = cast(fma(-third, cast(high, x.dtype), constant(x, single ? 0x54a2fa8c : 0x553ef0ff)), DType::I32);
  E r = bitcast(single ? bits : shiftLeft(cast(bits, DType::I64), 32), x.dtype);
  for (int i = 0; i < (single ? 1 : 2); ++i) {
    E h = fma(-x * r, r * r, constant(x, 1));
    r = fma(r * h, i ? third : fma(h, fma(h, constant(x, 14.0 / 81), constant(x, 2.0 / 9)), third), r);
  }
  E t = x * r * r, square = t * t, rest = fma(square, t, -x);
  if (!single) rest = rest + fma(t, t, -square) * t;
  return fma(-rest, r * r * third, t);
}
template <Scalar E> E cbrt(E x) {
  bool single = x.dtype == DType::F32;
  E size = abs(x), least = constant(x, single ? 0x1p-100 : 0x1p-960), most = constant(x, single ? 0x1p120 : 0x1p1000);
  E isSmall = less(size, least), isInside = bitwise_and(greater_equal(size, least), less_equal(size, most));
  auto all = [&] { // subnormals have no exponent of their own, and cubes of the largest numbers are infinite
    E one = constant(x, 1), isLarge = greater(size, most);
    E t = cbrtNormal(size * select(isSmall, constant(x, 0x1p54), select(isLarge, constant(x, 0x1p-54), one)));
    t = t * select(isSmall, constant(x, 0x1p-18), select(isLarge, constant(x, 0x1p18), one));
    return select(bitwise_and(isfinite(size), greater(size, constant(x, 0))), t, size);
  };
  return copysign(rarely(bitwise_invert(isInside), cbrtNormal(size), all), x);
}

} // namespace kiln::scalar::math
