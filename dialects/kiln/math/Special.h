// Error functions, the gamma function's logarithm and its derivative, and random bits.
#pragma once

#include "dialects/kiln/math/Trigonometric.h"

namespace kiln::scalar::math {

//===-- error functions ---------------------------------------------------------------------------------------------===//

/// |x| < 1.
template <Scalar E> E erfSmall(E x) {
  return x * polynomial(x * x, {1.1283791670955126, -0.3761263890318375, 0.11283791670954879, -0.026866170645076792, 0.0052239776248180145,
                                -0.000854832698083379, 0.0001205533111164271, -1.4925595266831182e-05, 1.6461000484121368e-06,
                                -1.6350312701054695e-07, 1.4659775274047436e-08, -1.1372848856791674e-09, 5.957176147748911e-11});
}
/// a >= 1/2: exp(-a^2) times (1 + 2 a) exp(a^2) erfc(a), which is smooth in (a - 4) / (a + 4) (W. J. Cody's idea).
template <Scalar E> E erfcLarge(E a) {
  a = min(a, constant(a, 28));
  E four = constant(a, 4), q = (a - four) / (a + four);
  E p = polynomial(q, {1.2329951186255526,     -0.1396211168405629,     0.01537965210262074,     0.06809705425473732,
                       -0.10103906603635213,   0.09373283499679412,     -0.06633036581152939,    0.03716751556249286,
                       -0.016197734059115006,  0.005031969755895426,    -0.00075777334141333,    -0.00019925550755614952,
                       0.000150622243948303,   -2.4403169244974074e-05, -1.1224789135154701e-05, 5.7178872846321855e-06,
                       3.0135049944875397e-07, -8.351619688696847e-07,  6.270727157198311e-08,   1.1534943745754157e-07,
                       -7.71541861441783e-09,  -1.3670989863347383e-08, -1.8206098680308682e-09});
  E square = a * a, rest = fma(a, a, -square), e = exp(-square);
  return fma(-e, rest, e) * p / (constant(a, 1) + (a + a));
}

/// In float32: x + x P(x^2) below 0.9, 1 - exp(-Q(x)) above, up to where that is 1 (the form is N. Juffa's).
template <Scalar E> E erfSingle(E x) {
  E a = min(abs(x), constant(x, 4.05)), square = x * x, one = constant(x, 1);
  E small = fma(x, polynomial(square, {0.1283791538, -0.3761252328, 0.1128214087, -0.02677891087, 0.005011965669, -0.0006090374376}), x);
  E exponent =
      polynomial(a, {-0.000166466699, -1.127797157, -0.6369762392, -0.1041135308, 0.02231513626, -0.003065469641, 0.0001982174083});
  auto [q, z] = reduce(exponent, 127);
  E s = bitcast(shiftLeft(bitcast(z, DType::I32), 23), DType::F32); // 2^n
  return select(less(a, constant(x, 0.9)), small, copysign(one - fma(q, s, s), x));
}
template <Scalar E> E erf(E x) {
  if (x.dtype == DType::F32) return erfSingle(x);
  E a = abs(x), one = constant(x, 1);
  return select(less(a, one), erfSmall(x), copysign(one - erfcLarge(a), x));
}
template <Scalar E> E erfc(E x) {
  return viaDouble(x, [](E x) {
    E a = abs(x), tail = erfcLarge(a);
    E outer = select(less(x, constant(x, 0)), constant(x, 2) - tail, tail);
    return select(less(a, constant(x, 0.5)), constant(x, 1) - erfSmall(x), outer);
  });
}

/// A start after M. Giles (2012), or the asymptotic one in the far tail, then Halley's steps.
template <Scalar E> E erfinv(E x) {
  return viaDouble(x, [](E x) {
    E a = abs(x), one = constant(x, 1), rest = one - a, w = -log(rest * (one + a)), half = constant(x, 0.5);
    E middle = polynomial(w - constant(x, 2.5), {1.50140941, 0.246640727, -0.00417768164, -0.00125372503, 0.00021858087, -4.39150654e-06,
                                                 -3.5233877e-06, 3.43273939e-07, 2.81022636e-08}) *
               a;
    E tail = -log(rest), outer = sqrtRaw(tail - half * log(constant(x, kPi) * tail));
    E isInner = less(w, constant(x, 5)), y = select(isInner, middle, outer);
    for (int i = 0; i < 3; ++i) {
      E error = select(less(a, half), erf(y) - a, rest - erfc(y));
      E step = error / (constant(x, 1.1283791670955126) * exp(-(y * y)));
      y = y - step / fma(y, step, one);
    }
    y = select(equal(a, one), constant(x, kInfinity), select(greater(a, one), constant(x, kNan), y));
    return select(equal(x, constant(x, 0)), x, copysign(y, x));
  });
}

//===-- gamma -------------------------------------------------------------------------------------------------------===//

/// Of a positive number: a polynomial between 1 and 2, brought there by the recurrence; Stirling's series from 8 on.
template <Scalar E> E lgammaPositive(E a) {
  E one = constant(a, 1), two = constant(a, 2), y = a, product = one;
  for (int i = 0; i < 7; ++i) {
    E isAbove = greater_equal(y, two);
    y = select(isAbove, y - one, y);
    product = select(isAbove, product * y, product);
  }
  E isBelow = less(a, one), t = select(isBelow, a, y - one);
  E p = polynomial(t, {0.5772156649015329,    -0.2452513685225802,    0.1554342658639254,    -0.11514654256202178,  0.09223900839673513,
                       -0.07731816695435863,  0.0667317036225764,     -0.058777667470402806, 0.05255406110070427,   -0.04752880628077319,
                       0.043339857638184334,  -0.03966224019740984,   0.03609248636789441,   -0.032097730495708306, 0.027152349716737766,
                       -0.02110047983607859,  0.01448936567667992,    -0.008442227196988863, 0.003996690356391307,  -0.0014604876715712317,
                       0.0003836157004792754, -6.412167369659485e-05, 5.1046181162001864e-06});
  E shift = log(select(isBelow, a, product));
  E small = t * (t - one) * p + select(isBelow, -shift, shift);
  E inverse = one / a, z = inverse * inverse;
  E series = inverse * polynomial(z, {0.08333333333333333, -0.002777777777777778, 0.0007936507936507937, -0.0005952380952380953,
                                      0.0008417508417508417, -0.0019175269175269176, 0.00641025641025641, -0.029550653594771242});
  E large = (a - constant(a, 0.5)) * (log(a) - one) + (constant(a, 0.4189385332046727) + series);
  return select(less(a, constant(a, 8)), small, large);
}
template <Scalar E> E lgamma(E x) {
  return viaDouble(x, [](E x) {
    E a = abs(x), zero = constant(x, 0), positive = lgammaPositive(a);
    E turn = constant(x, kPi) * (a - round(a));                                                  // sin(pi a) of the exact fraction
    E reflected = (constant(x, 0x1.250d048e7a1bdp+0) - log(abs(sin(turn))) - log(a)) - positive; // log pi first
    E result = select(less(x, zero), reflected, positive);
    return select(bitwise_or(isinf(x), equal(x, zero)), constant(x, kInfinity), result);
  });
}
template <Scalar E> E digammaPositive(E a) {
  E one = constant(a, 1), sum = constant(a, 0);
  for (int i = 0; i < 10; ++i) {
    E isBelow = less(a, constant(a, 10));
    sum = select(isBelow, sum - one / a, sum);
    a = select(isBelow, a + one, a);
  }
  E inverse = one / a, z = inverse * inverse;
  E series = z * polynomial(z, {0.08333333333333333, -0.008333333333333333, 0.003968253968253968, -0.004166666666666667,
                                0.007575757575757576, -0.021092796092796094, 0.08333333333333333, -0.4432598039215686});
  return sum + (log(a) - (constant(a, 0.5) * inverse + series));
}
template <Scalar E> E digamma(E x) {
  return viaDouble(x, [](E x) {
    E isLow = less_equal(x, constant(x, 0)), pi = constant(x, kPi);
    E base = digammaPositive(select(isLow, constant(x, 1) - x, x));
    E fraction = x - round(x), isPole = bitwise_and(isLow, equal(fraction, constant(x, 0)));
    E result = select(isLow, base - pi / tan(pi * fraction), base);
    return select(bitwise_or(isPole, equal(x, constant(x, -kInfinity))), constant(x, kNan), result);
  });
}

//===-- random bits -------------------------------------------------------------------------------------------------===//

/// Threefry-2x32 of 20 rounds; the low words come first.
template <Scalar E> E threefry(E counter, E key) {
  auto low = [](E x) { return cast(x, DType::U32); };
  auto high = [&](E x) { return cast(shiftRight(x, 32), DType::U32); };
  E k0 = low(key), k1 = high(key), k2 = bitwise_xor(bitwise_xor(k0, k1), bits(k0, DType::U32, 0x1bd11bda));
  const E keys[] = {k0, k1, k2};
  E x = low(counter) + k0, y = high(counter) + k1;
  static constexpr int rotations[2][4] = {{13, 15, 26, 6}, {17, 29, 16, 24}};
  for (int group = 0; group < 5; ++group) {
    for (int by : rotations[group % 2]) {
      x = x + y;
      y = bitwise_xor(bitwise_or(shiftLeft(y, by), shiftRight(y, 32 - by)), x);
    }
    x = x + keys[(group + 1) % 3];
    y = y + keys[(group + 2) % 3] + constant(y, group + 1);
  }
  return bitwise_or(cast(x, DType::U64), shiftLeft(cast(y, DType::U64), 32));
}

} // namespace kiln::scalar::math
