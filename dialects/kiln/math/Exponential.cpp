// exp, log and tanh. Reduction by Cody and Waite; log after K. C. Ng (fdlibm); tanh through expm1, without a branch.
#include "dialects/kiln/math/Expr.h"

namespace kiln::ir::math {
namespace {

/// x = n ln 2 + r with |r| <= ln 2 / 2, and q with exp(r) = 1 + q. `z` is the float whose low bits hold n + bias.
struct Reduced {
  Expr q, z;
};

constexpr double kLog2E = 1.4426950408889634074;

/// The bias sits in the magic constant, so its removal costs nothing.
Reduced reduce(Expr x, int bias) {
  bool single = x.dtype == DType::F32;
  Expr magic = constant(x, (single ? 0x1.8p23 : 0x1.8p52) + bias);
  Expr z = fma(x, constant(x, kLog2E), magic), n = z - magic;
  if (single) {
    Expr r = fma(n, constant(x, 2.12194440e-4), fma(n, constant(x, -0.693359375), x));
    Expr p = polynomial(r, {0.49999994, 0.166665196, 0.0416683964, 0.0083687967, 0.00138144335});
    return {fma(p, r * r, r), z};
  }
  Expr r = fma(n, constant(x, -1.90821492927058770002e-10), fma(n, constant(x, -6.93147180369123816490e-01), x));
  Expr p = polynomial(r, {0.5, 0.16666666666666666, 0.041666666666666664, 0.008333333333333333, 0.001388888888888889, 0.0001984126984126984,
                          2.48015873015873e-05, 2.7557319223985893e-06, 2.755731922398589e-07, 2.505210838544172e-08, 2.08767569878681e-09,
                          1.6059043836821613e-10});
  return {fma(p, r * r, r), z};
}

DType integerOf(DType t) { return t == DType::F32 ? DType::I32 : DType::I64; }
int mantissaBits(DType t) { return t == DType::F32 ? 23 : 52; }

/// Keeps nan: both comparisons are false for it.
Expr clamp(Expr x, double low, double high) {
  x = select(less(x, constant(x, low)), constant(x, low), x);
  return select(greater(x, constant(x, high)), constant(x, high), x);
}

} // namespace

Expr exp(Expr x) {
  bool single = x.dtype == DType::F32;
  DType whole = integerOf(x.dtype);
  int mantissa = mantissaBits(x.dtype);
  x = single ? clamp(x, -104, 89) : clamp(x, -746, 710);
  // Two scales of about half the exponent: one rounding into the subnormals, infinity only beyond the range.
  auto [q, z] = reduce(x, single ? 254 : 2046);
  Expr i = bitcast(z, whole);
  // Only the low bits of z count; the shift drops those of the magic constant above them.
  Expr h = shiftRight(i, 1);
  Expr s1 = bitcast(shiftLeft(h, mantissa), x.dtype), s2 = bitcast(shiftLeft(i - h, mantissa), x.dtype);
  return fma(q, s1, s1) * s2;
}

Expr log(Expr x) {
  bool single = x.dtype == DType::F32;
  DType whole = integerOf(x.dtype);
  int mantissa = mantissaBits(x.dtype);
  Expr zero = constant(x, 0);
  // Subnormals are scaled into the normal range.
  Expr tiny = less(x, constant(x, single ? 0x1p-126 : 0x1p-1022));
  Expr y = select(tiny, x * constant(x, single ? 0x1p25 : 0x1p54), x);
  Expr scale = select(tiny, constant(x, single ? -25 : -54), zero);
  // y = 2^k (1 + f) with sqrt(1/2) < 1 + f < sqrt(2).
  Expr offset = bits(x, whole, single ? 0x3f800000u - 0x3f3504f3u : 0x3ff0000000000000u - 0x3fe6a09e667f3bcdu);
  Expr i = bitcast(y, whole) + offset;
  Expr k = shiftRight(i, mantissa) - constant(i, single ? 127 : 1023);
  uint64_t low = (uint64_t(1) << mantissa) - 1;
  Expr m = bitwise_and(i, bits(i, whole, low)) + bits(i, whole, single ? 0x3f3504f3u : 0x3fe6a09e667f3bcdu);
  Expr f = bitcast(m, x.dtype) - constant(x, 1), kf = cast(k, x.dtype) + scale;
  Expr s = f / (constant(x, 2) + f), s2 = s * s;
  Expr r =
      single ? s2 * polynomial(s2, {0x1.555554p-1, 0x1.999c26p-2, 0x1.23d3dcp-2, 0x1.f13c4cp-3})
             : s2 * polynomial(s2, {6.666666666666735130e-01, 3.999999999940941908e-01, 2.857142874366239149e-01, 2.222219843214978396e-01,
                                    1.818357216161805012e-01, 1.531383769920937332e-01, 1.479819860511658591e-01});
  Expr half = constant(x, 0.5) * f * f;
  Expr hi = constant(x, single ? 6.9313812256e-01 : 6.93147180369123816490e-01);
  Expr lo = constant(x, single ? 9.0580006145e-06 : 1.90821492927058770002e-10);
  Expr result = kf * hi - ((half - (s * (half + r) + kf * lo)) - f);
  // Zero, negative numbers, infinity and nan.
  Expr infinity = constant(x, std::numeric_limits<double>::infinity());
  result = select(less(x, infinity), result, x);
  result = select(equal(x, zero), -infinity, result);
  return select(less(x, zero), constant(x, std::numeric_limits<double>::quiet_NaN()), result);
}

Expr tanh(Expr x) {
  bool single = x.dtype == DType::F32;
  DType whole = integerOf(x.dtype);
  double limit = single ? 10 : 20;
  Expr size = abs(x);
  Expr a = select(greater(size, constant(x, limit)), constant(x, limit), size) * constant(x, 2);
  auto [q, z] = reduce(a, single ? 127 : 1023);
  // expm1(a) = s (1 + q) - 1 with s = 2^n.
  Expr s = bitcast(shiftLeft(bitcast(z, whole), mantissaBits(x.dtype)), x.dtype);
  Expr t = fma(s, q, s - constant(x, 1));
  Expr result = bitcast(t / (t + constant(x, 2)), whole);
  Expr sign = bitwise_and(bitcast(x, whole), bits(x, whole, single ? 0x80000000u : 0x8000000000000000u));
  return bitcast(bitwise_or(result, sign), x.dtype);
}

} // namespace kiln::ir::math
