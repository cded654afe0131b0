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

/// log gamma(1 + t) for 0 <= t < 1, less the zero at t = 0 and at t = 1 as factors.
template <Scalar E> E lgammaUnit(E t) {
  E p = polynomial(t - constant(t, 0.5), {0.4831289505409809,     -0.14595989591430594,   0.06291140107456485,    -0.03130848750105327,
                                          0.01679709863121395,    -0.009425622444829649,  0.005446457842219553,   -0.0032120742206072908,
                                          0.0019229162321227923,  -0.001164411377219605,  0.0007115202752051298,  -0.00043803516132580534,
                                          0.00027130273545114005, -0.0001685717945035172, 0.00010541715222185904, -6.793733027397047e-05,
                                          4.281642862794779e-05,  -2.148770252062576e-05, 1.3584275459130943e-05, -1.8527803997032962e-05,
                                          1.1820969445467145e-05});
  return t * (t - constant(t, 1)) * p;
}
/// A product in double-double, so that the logarithm of many factors has one rounding.
template <Scalar E> struct Product {
  E high, low;
  void multiply(E by, E where) {
    E p = high * by, rest = fma(high, by, -p);
    low = select(where, fma(low, by, rest), low);
    high = select(where, p, high);
  }
  E logOfSize() const { return log(abs(high)) + low / high; }
};

/// Of a positive number: a polynomial between 1 and 2, brought there by the recurrence; Stirling's series from 8 on.
template <Scalar E> E lgammaPositive(E a) {
  E one = constant(a, 1), two = constant(a, 2), isBelow = less(a, one), y = a;
  Product<E> product = {select(isBelow, a, one), constant(a, 0)};
  for (int i = 0; i < 6; ++i) {
    E isAbove = greater_equal(y, two);
    y = select(isAbove, y - one, y);
    product.multiply(y, isAbove);
  }
  E shift = product.logOfSize();
  E small = lgammaUnit(select(isBelow, a, y - one)) + select(isBelow, -shift, shift);
  E inverse = one / a, z = inverse * inverse;
  E series = inverse * polynomial(z, {0.08333333333333333, -0.002777777777777778, 0.0007936507936507937, -0.0005952380952380953,
                                      0.0008417508417508417, -0.0019175269175269176, 0.00641025641025641, -0.029550653594771242});
  E large = (a - constant(a, 0.5)) * (log(a) - one) + (constant(a, 0.4189385332046727) + series);
  large = select(equal(a, constant(a, kInfinity)), a, large);
  return select(less(a, constant(a, 8)), small, large);
}
/// Of a negative number: by the recurrence as well, up to 1; reflected where the factors are many.
template <Scalar E> E lgammaNegative(E x) {
  constexpr int factors = 24;
  E a = abs(x), one = constant(x, 1), zero = constant(x, 0), y = x;
  Product<E> product = {one, zero};
  for (int i = 0; i <= factors; ++i) {
    E isBelow = less(y, one);
    product.multiply(y, isBelow);
    y = select(isBelow, y + one, y);
  }
  E near = lgammaUnit(y - one) - product.logOfSize();
  E fraction = a - round(a), turn = constant(x, kPi) * fraction;                                  // sin(pi a) of the exact fraction
  E far = (constant(x, 0x1.250d048e7a1bdp+0) - log(abs(sin(turn))) - log(a)) - lgammaPositive(a); // log pi first
  E result = select(less(a, constant(x, factors)), near, far);
  return select(equal(fraction, zero), constant(x, kInfinity), result);
}
template <Scalar E> E lgamma(E x) {
  return viaDouble(x, [](E x) {
    E zero = constant(x, 0), infinite = constant(x, kInfinity);
    E result = rarely(less(x, zero), lgammaPositive(abs(x)), [&] { return lgammaNegative(min(x, zero)); });
    return select(bitwise_or(isinf(x), equal(x, zero)), infinite, result);
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
