// sin, cos and tan. Angles up to 2^20 (2^16 in float32) are reduced by Cody and Waite in three parts, larger ones by Payne and
// Hanek: the product with the bits of 2/pi around the binary point, in integers. The polynomials are those of fdlibm's kernels.
#pragma once

#include "dialects/kiln/math/Exponential.h"

namespace kiln::scalar::math {

inline constexpr double kHalfPi[] = {0x1.921fb54442d18p+0, 0x1.1a62633145c07p-54, -0x1.f1976b7ed8fbcp-110};
inline constexpr double kTwoOverPi = 0.63661977236758134308;
inline constexpr float kHalfPiSingle[] = {0x1.921fb6p+0f, -0x1.777a5cp-25f, -0x1.ee59dap-50f};
// 64 zero bits, then the bits of 2/pi, then zeros that complete the last window.
inline constexpr uint64_t kTwoOverPiBits[] = {0,
                                              0xa2f9836e4e441529,
                                              0xfc2757d1f534ddc0,
                                              0xdb6295993c439041,
                                              0xfe5163abdebbc561,
                                              0xb7246e3a424dd2e0,
                                              0x06492eea09d1921c,
                                              0xfe1deb1cb129a73e,
                                              0xe88235f52ebb4484,
                                              0xe99c7026b45f7e41,
                                              0x3991d639835339f4,
                                              0x9c845f8bbdf9283b,
                                              0x1ff897ffde05980f,
                                              0xef2f118b5a0a6d1f,
                                              0x6d367ecf27cb09b7,
                                              0x4f463f669e5fea2d,
                                              0x7527bac7ebe5f17b,
                                              0x3d0739f78a5292ea,
                                              0x6bfb5fb11f8d5d08,
                                              0x56033046fc7b6bab,
                                              0xf0cfbc209af4361d,
                                              0xa9e391615ee61b08};

/// x = (4 j + quadrant) pi/2 + (high + low), |high| <= pi/4.
template <Scalar E> struct Angle {
  E high, low, quadrant; // f64, f64, i64; or f32, f32 (no more than high), i32
};

template <Scalar E> E u64(const E &like, uint64_t n) { return bits(like, DType::U64, n); }

/// The high word of hi:lo shifted left by a value below 64.
template <Scalar E> E funnel(E hi, E lo, E by) {
  E rest = shrRaw(shiftRight(lo, 1), bitwise_xor(by, u64(by, 63)));
  return bitwise_or(shlRaw(hi, by), rest);
}
template <Scalar E> E carry(E sum, E part) { return cast(less(sum, part), DType::U64); }

/// Payne and Hanek for a finite f64 of at least 2^-10; `wordAt` reads kTwoOverPiBits.
template <Scalar E> Angle<E> reduceLarge(E x, auto &&wordAt) {
  E raw = bitcast(x, DType::U64);
  E mantissa = bitwise_or(bitwise_and(raw, u64(raw, 0xfffffffffffffu)), u64(raw, 0x10000000000000u));
  // x = mantissa 2^e; the window of 2/pi starts where the product has weight 2, so its top two bits are the quadrant.
  E start = bitwise_and(shiftRight(raw, 52), u64(raw, 0x7ff)) - u64(raw, 1075 - 62);
  E by = bitwise_and(start, u64(raw, 63)), first = shiftRight(start, 6);
  auto word = [&](int i) { return wordAt(first + u64(raw, uint64_t(i))); };
  E w0 = word(0), w1 = word(1), w2 = word(2), w3 = word(3);
  E c0 = funnel(w0, w1, by), c1 = funnel(w1, w2, by), c2 = funnel(w2, w3, by);
  // The low 192 bits of mantissa * c.
  E low2 = mantissa * c2, low1 = mantissa * c1, p1 = mulhiRaw(mantissa, c2) + low1;
  E p0 = mantissa * c0 + mulhiRaw(mantissa, c1) + carry(p1, low1);
  E quadrant = shiftRight(p0, 62);
  E hi = bitwise_or(shiftLeft(p0, 2), shiftRight(p1, 62)), lo = bitwise_or(shiftLeft(p1, 2), shiftRight(low2, 62));
  // To the nearest quadrant: the fraction becomes signed.
  E up = shiftRight(hi, 63), mask = u64(up, 0) - up;
  quadrant = quadrant + up;
  hi = bitwise_xor(hi, mask);
  lo = bitwise_xor(lo, mask);
  E zeros = min(clzRaw(hi), u64(hi, 63));
  E top = funnel(hi, lo, zeros);
  E scale = bitcast(shiftLeft(u64(hi, 1023 - 53) - zeros, 52), DType::F64);
  E negative = shiftLeft(bitwise_xor(up, shiftRight(raw, 63)), 63);
  scale = bitcast(bitwise_or(bitcast(scale, DType::U64), negative), DType::F64);
  E head = cast(shiftRight(top, 11), DType::F64) * scale;
  E tail = cast(bitwise_and(top, u64(top, 0x7ff)), DType::F64) * (scale * constant(scale, 0x1p-11));
  E halfPi = constant(head, kHalfPi[0]), high = head * halfPi;
  E low = fma(head, halfPi, -high) + (head * constant(head, kHalfPi[1]) + tail * halfPi);
  // A negative angle turns the other way.
  E minus = shiftRight(raw, 63), flip = u64(raw, 0) - minus;
  quadrant = bitwise_xor(quadrant, flip) + minus;
  return {high, low, bitcast(quadrant, DType::I64)};
}

template <Scalar E> Angle<E> reduceSmall(E x) {
  E magic = constant(x, 0x1.8p52);
  E z = fma(x, constant(x, kTwoOverPi), magic), n = z - magic;
  E r = fma(-n, constant(x, kHalfPi[0]), x);
  E p = n * constant(x, kHalfPi[1]), rounding = fma(n, constant(x, kHalfPi[1]), -p);
  E high = r - p;
  E low = ((r - high) - p) - fma(n, constant(x, kHalfPi[2]), rounding);
  return {high, low, bitcast(z, DType::I64)};
}

/// Of a float32: every product but the last parts' is exact where it cancels.
template <Scalar E> Angle<E> reduceSmallSingle(E x) {
  E magic = constant(x, 0x1.8p23), z = fma(x, constant(x, kTwoOverPi), magic), n = z - magic, r = x;
  for (float part : kHalfPiSingle) r = fma(-n, constant(x, part), r);
  return {r, constant(x, 0), bitcast(z, DType::I32)};
}

/// A large angle in the dtypes of `like`.
template <Scalar E> Angle<E> reduceLargeLike(const Angle<E> &like, E x, auto &&wordAt) {
  Angle<E> angle = reduceLarge(cast(x, DType::F64), wordAt);
  return {cast(angle.high, like.high.dtype), cast(angle.low, like.low.dtype), cast(angle.quadrant, like.quadrant.dtype)};
}

/// The angle of a float; `replaceLarge`, of each kind of element, puts in the lanes whose angle is large.
template <Scalar E> Angle<E> reduceAngle(E x) {
  bool single = x.dtype == DType::F32;
  E size = abs(x), limit = constant(x, single ? 0x1p16 : 0x1p20);
  E isLarge = bitwise_and(greater(size, limit), less(size, constant(x, kInfinity)));
  return replaceLarge(x, isLarge, single ? reduceSmallSingle(x) : reduceSmall(x));
}

template <Scalar E> E sinKernel(E x, E low) {
  if (x.dtype == DType::F32) {
    E s = x * x;
    E p = polynomial(s, {-1.6666654611e-1, 8.3321608736e-3, -1.9515295891e-4});
    return fma(p * s, x, x);
  }
  E z = x * x, v = z * x;
  E r = polynomial(z, {8.33333333332248946124e-03, -1.98412698298579493134e-04, 2.75573137070700676789e-06, -2.50507602534068634195e-08,
                       1.58969099521155010221e-10});
  return x - ((z * (constant(x, 0.5) * low - v * r) - low) - v * constant(x, -1.66666666666666324348e-01));
}

template <Scalar E> E cosKernel(E x, E low) {
  E z = x * x;
  if (x.dtype == DType::F32) {
    E p = polynomial(z, {4.166664568298827e-2, -1.388731625493765e-3, 2.443315711809948e-5});
    return fma(p, z * z, fma(z, constant(x, -0.5), constant(x, 1)));
  }
  E r = z * polynomial(z, {4.16666666666666019037e-02, -1.38888888888741095749e-03, 2.48015872894767294178e-05, -2.75573143513906633035e-07,
                           2.08757232129817482790e-09, -1.13596475577881948265e-11});
  E half = constant(x, 0.5) * z, one = constant(x, 1), w = one - half;
  return w + (((one - w) - half) + (z * r - x * low));
}

/// Of a float32, minimax to 2^-30.
template <Scalar E> E tanKernel(E x) {
  E z = x * x,
    p = polynomial(z, {0.3333334978, 0.1333266232, 0.05406003454, 0.02128156179, 0.01083747502, 8.737947432e-05, 0.004377362629});
  return fma(p * z, x, x);
}

// Complex.h
template <Scalar E> E complexSin(E z);
template <Scalar E> E complexCos(E z);
template <Scalar E> E complexTan(E z);
template <Scalar E> E complexAsin(E z);
template <Scalar E> E complexAcos(E z);
template <Scalar E> E complexAtan(E z);

/// sin(x + turns pi/2).
template <Scalar E> E sinTurned(E x, int turns) {
  Angle<E> angle = reduceAngle(x);
  E high = angle.high, low = angle.low;
  E quadrant = angle.quadrant + constant(angle.quadrant, turns);
  E isOdd = not_equal(bitwise_and(quadrant, constant(quadrant, 1)), constant(quadrant, 0));
  E result = select(isOdd, cosKernel(high, low), sinKernel(high, low));
  E isLower = not_equal(bitwise_and(quadrant, constant(quadrant, 2)), constant(quadrant, 0));
  result = select(isLower, -result, result);
  // x - x is nan for infinities; -0 keeps its sign.
  E zero = constant(x, 0);
  result = select(equal(x - x, zero), result, x - x);
  return turns ? result : select(equal(x, zero), x, result);
}

template <Scalar E> E sin(E x) { return isComplex(x.dtype) ? complexSin(x) : sinTurned(x, 0); }
template <Scalar E> E cos(E x) { return isComplex(x.dtype) ? complexCos(x) : sinTurned(x, 1); }
template <Scalar E> E tan(E x) {
  if (isComplex(x.dtype)) return complexTan(x);
  Angle<E> angle = reduceAngle(x);
  E isOdd = not_equal(bitwise_and(angle.quadrant, constant(angle.quadrant, 1)), constant(angle.quadrant, 0));
  auto ratio = [&](E s, E c) { return select(isOdd, -c, s) / select(isOdd, s, c); };
  bool single = angle.high.dtype == DType::F32;
  E result =
      single ? ratio(tanKernel(angle.high), constant(x, 1)) : ratio(sinKernel(angle.high, angle.low), cosKernel(angle.high, angle.low));
  result = select(equal(x - x, constant(x, 0)), result, x - x);
  return select(equal(x, constant(x, 0)), x, result);
}

//===-- inverses ----------------------------------------------------------------------------------------------------===//

constexpr double kPi = 0x1.921fb54442d18p+1, kPiRest = 0x1.1a62633145c07p-53;

/// multiple * pi / 4 + x.
template <Scalar E> E addPi(E multiple, E x) {
  bool single = x.dtype == DType::F32;
  double quarter = single ? kHalfPiSingle[0] / 2 : kPi / 4, rest = single ? kHalfPiSingle[1] / 2 : kPiRest / 4;
  return multiple * constant(x, quarter) + (x + multiple * constant(x, rest));
}

/// multiple * pi / 4 + rest, added as late as possible.
template <Scalar E> struct Direction {
  E multiple, rest;
};

/// The angle whose tangent is n / m, for n <= m: at most pi/4, or its complement to pi/2.
template <Scalar E> Direction<E> arctangent(E n, E m, E isComplement) {
  E t = n / m, one = constant(t, 1), zero = constant(t, 0), complement = select(isComplement, constant(t, 2), zero);
  if (t.dtype == DType::F32) { // minimax to 2^-28 as far as pi/4: a second division would cost more than the longer polynomial
    E z = t * t, p = polynomial(z, {-0.3333329909, 0.199985482, -0.1426424079, 0.109521811, -0.0840343665, 0.05795735953, -0.03117761301,
                                    0.01091448101, -0.00179359389});
    E r = fma(t * z, p, t);
    return {complement, select(isComplement, -r, r)};
  }
  E isMiddle = greater(t, constant(t, 0.41421356237309503)); // brought below tan(pi/8) by a rotation
  t = select(isMiddle, (n - m) / (n + m), t);
  E z = t * t;
  E p = polynomial(z, {-0.3333333333333333, 0.19999999999999993, -0.142857142857115, 0.11111111110752839, -0.09090909066897136,
                       0.07692306732038715, -0.06666641932181527, 0.058819239737029724, -0.052580291581384685, 0.0471931588817865,
                       -0.04104116513616649, 0.03062829697290147, -0.013910735375374706});
  E r = fma(t * z, p, t);
  return {select(isMiddle, one, complement), select(isComplement, -r, r)};
}

template <Scalar E> E atan(E x) {
  if (isComplex(x.dtype)) return complexAtan(x);
  E a = abs(x), one = constant(x, 1), isLarge = greater(a, one);
  E isInfinite = equal(a, constant(x, kInfinity));
  E n = select(isInfinite, constant(x, 0), select(isLarge, one, a)), m = select(isInfinite, one, select(isLarge, a, one));
  auto [multiple, rest] = arctangent(n, m, isLarge);
  return copysign(addPi(multiple, rest), x);
}
template <Scalar E> E atan2(E y, E x) {
  E a = abs(x), b = abs(y), zero = constant(x, 0), one = constant(x, 1), infinity = constant(x, kInfinity);
  E isSteep = greater(b, a), n = min(a, b), m = max(a, b);
  // Of infinities only the direction counts; 0 / 0 is 0.
  E isInfinite = equal(m, infinity);
  n = select(isInfinite, select(equal(n, infinity), one, zero), n);
  m = select(bitwise_or(isInfinite, equal(m, zero)), one, m);
  if (x.dtype == DType::F64) {
    E scale = select(greater(m, constant(x, 0x1p1000)), constant(x, 0x1p-60), one); // so that no sum of them overflows
    n = n * scale;
    m = m * scale;
  }
  auto [multiple, rest] = arctangent(n, m, isSteep);
  E isBack = signbit(x); // where the angle is taken from pi
  return copysign(addPi(select(isBack, constant(x, 4) - multiple, multiple), select(isBack, -rest, rest)), y);
}

/// asin(s) / s - 1 over s^2, for s^2 <= 1/4.
template <Scalar E> E arcsineTail(E z) {
  if (z.dtype == DType::F32) return polynomial(z, {0.1666675393, 0.07495241777, 0.04547709712, 0.02414761185, 0.04221854616});
  return polynomial(z, {0.16666666666666666, 0.07500000000000118, 0.044642857142551895, 0.03038194447553234, 0.02237215744350722,
                        0.017352816540325496, 0.01396378001220357, 0.011566459612121669, 0.009621842970100282, 0.009319560794767446,
                        0.0030448799094556773, 0.019554513336123378, -0.01924167174674304, 0.02961201126495512});
}
template <Scalar E> E asin(E x) {
  if (isComplex(x.dtype)) return complexAsin(x);
  E a = abs(x), half = constant(x, 0.5), isLarge = greater(a, half);
  E z = select(isLarge, (constant(x, 1) - a) * half, a * a), s = select(isLarge, sqrtRaw(z), a);
  E r = fma(s * z, arcsineTail(z), s);
  return copysign(select(isLarge, addPi(constant(x, 2), -(r + r)), r), x);
}
template <Scalar E> E acos(E x) {
  if (isComplex(x.dtype)) return complexAcos(x);
  E a = abs(x), half = constant(x, 0.5), isLarge = greater(a, half);
  E z = select(isLarge, (constant(x, 1) - a) * half, a * a), s = select(isLarge, sqrtRaw(z), a);
  E r = fma(s * z, arcsineTail(z), s), twice = r + r;
  E large = select(less(x, constant(x, 0)), addPi(constant(x, 4), -twice), twice);
  return select(isLarge, large, addPi(constant(x, 2), -copysign(r, x)));
}

} // namespace kiln::scalar::math
