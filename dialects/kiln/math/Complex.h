// Functions of complex numbers by stated formulae over the real ones; complex64 is computed in complex128 and rounded once.
// The inverses are W. Kahan's ("Branch cuts for complex elementary functions", 1987).
#pragma once

#include "dialects/kiln/math/Power.h"
#include "dialects/kiln/math/Special.h"

namespace kiln::scalar::math {

template <Scalar E> E wide(E z, auto &&f) { // f takes the parts
  if (z.dtype == DType::C64) return cast(wide(cast(z, DType::C128), f), DType::C64);
  return f(realPart(z), imagPart(z));
}
template <Scalar E> E timesI(E z) { return makeComplex(-imagPart(z), realPart(z)); }
template <Scalar E> E timesMinusI(E z) { return makeComplex(imagPart(z), -realPart(z)); }
template <Scalar E> E isZero(E a) { return equal(a, constant(a, 0)); }

template <Scalar E> E either(E a, E b) { return bitwise_or(a, b); }
template <Scalar E> E both(E a, E b) { return bitwise_and(a, b); }
template <Scalar E> E isOpen(E a) { return bitwise_invert(isfinite(a)); } // an infinity or nan
/// copysign(a, b), where a nan, whose sign is not defined, counts as positive.
template <Scalar E> E withSign(E a, E b) { return copysign(a, select(isnan(b), constant(b, 1), b)); }
/// 0 with the sign of the product.
template <Scalar E> E zeroOf(E a, E b) { return withSign(constant(a, 0), a) * withSign(constant(a, 1), b); }

/// x e^a: in steps where e^a overflows or vanishes and the product need not.
template <Scalar E> E timesExp(E x, E a, double factor = 1) {
  E first = constant(a, 700);
  return rarely(greater(a, first), x * constant(a, factor) * exp(a), [&] {
    E rest = min(a, constant(a, 2100)) - first, second = min(rest, first);
    E result = (x * exp(first)) * (constant(a, factor) * exp(second)) * exp(rest - second);
    return select(isinf(a), x * a, result);
  });
}

template <Scalar E> E complexExp(E z) {
  return wide(z, [](E a, E b) {
    E flat = isZero(b), c = select(flat, constant(a, 1), cos(b)), s = select(flat, b, sin(b)); // a real number stays one
    E zero = constant(a, 0), open = isOpen(b), gone = both(equal(a, constant(a, -kInfinity)), open);
    E re = timesExp(c, a), im = select(flat, b, timesExp(s, a));
    re = select(both(equal(a, constant(a, kInfinity)), open), a, re);
    return makeComplex(select(gone, zero, re), select(gone, zero, im));
  });
}
template <Scalar E> E complexExpm1(E z) {
  return wide(z, [](E a, E b) {
    E s = sin(b * constant(b, 0.5)), flat = isZero(b), open = isOpen(b), one = constant(a, 1);
    E usual = expm1(a) * cos(b) - constant(b, 2) * s * s, e = complexExp(makeComplex(a, b)), large = realPart(e);
    E re = select(greater(a, constant(a, 40)), large, usual); // beyond, 1 is lost in it
    re = select(both(equal(a, constant(a, -kInfinity)), open), -one, re);
    return makeComplex(select(flat, expm1(a) + constant(a, 0), re), imagPart(e));
  });
}

/// high + low = a + b.
template <Scalar E> std::pair<E, E> twoSum(E a, E b) {
  E high = a + b, part = high - a;
  return {high, (a - (high - part)) + (b - part)};
}
/// high + low = a * a.
template <Scalar E> std::pair<E, E> twoSquare(E a) {
  E high = a * a;
  return {high, fma(a, a, -high)};
}
/// log|z|: through log1p of |z|^2 - 1 in double-double where |z| is near 1, scaled where |z| leaves the range.
template <Scalar E> E logModulus(E a, E b) {
  E x = max(abs(a), abs(b)), y = min(abs(a), abs(b)), one = constant(a, 1), half = constant(a, 0.5);
  auto [q, f] = twoSquare(x);
  auto [p, e] = twoSquare(y);
  auto [sum, rest] = twoSum(q - one, p);
  E near = half * log1p(sum + (rest + (e + f)));
  E isLarge = greater(x, constant(a, 0x1p1000)), isSmall = less(x, constant(a, 0x1p-900));
  E scale = select(isLarge, constant(a, 0x1p-100), select(isSmall, constant(a, 0x1p150), one));
  E shift = select(isLarge, constant(a, 100 * kLn2), select(isSmall, constant(a, -150 * kLn2), constant(a, 0)));
  E size = hypot(x * scale, y * scale), isNear = both(greater(size, half), less(size, constant(a, 2)));
  size = select(either(isinf(a), isinf(b)), constant(a, kInfinity), size);
  return select(both(isNear, equal(scale, one)), near, log(size) + shift);
}
template <Scalar E> E complexLog(E z) {
  return wide(z, [](E a, E b) { return makeComplex(logModulus(a, b), atan2(b, a)); });
}
template <Scalar E> E complexLog(E z, double base) {
  return wide(z, [&](E a, E b) {
    E scale = constant(a, 1 / std::log(base));
    return makeComplex(logModulus(a, b) * scale, atan2(b, a) * scale);
  });
}
/// |1 + z|^2 - 1 in double-double, but where 1 + z is near 0 or far away.
template <Scalar E> E complexLog1p(E z) {
  return wide(z, [](E a, E b) {
    E u = a + constant(a, 1);
    auto [q, f] = twoSquare(a);
    auto [p, e] = twoSquare(b);
    auto [first, r1] = twoSum(a + a, p);
    auto [sum, r2] = twoSum(first, q);
    E total = sum + ((r1 + r2) + (e + f));
    E isNear = both(greater(total, constant(a, -0.75)), less(max(abs(a), abs(b)), constant(a, 4)));
    E re = select(isNear, constant(a, 0.5) * log1p(total), logModulus(u, b));
    return makeComplex(re, atan2(b, u));
  });
}
/// Scaled by powers of 4, so that no part of it leaves the range.
template <Scalar E> E complexSqrt(E z) {
  return wide(z, [](E a, E b) {
    E m = max(abs(a), abs(b)), isLarge = greater(m, constant(a, 0x1p1000)), isSmall = less(m, constant(a, 0x1p-900)), one = constant(a, 1);
    E scale = select(isLarge, constant(a, 0x1p-100), select(isSmall, constant(a, 0x1p200), one));
    E back = select(isLarge, constant(a, 0x1p50), select(isSmall, constant(a, 0x1p-100), one));
    E x = a * scale, y = b * scale, half = constant(a, 0.5), t = sqrtRaw(half * abs(x) + half * hypot(x, y)), zero = constant(a, 0);
    E other = select(isZero(t), zero, half * abs(y) / select(isZero(t), one, t));
    E isLeft = less(a, zero), re = select(isLeft, other, t) * back, im = withSign(select(isLeft, t, other) * back, b);
    E alongI = isinf(b); // there everything is infinite
    return makeComplex(select(alongI, abs(b), re), select(alongI, b, im));
  });
}

template <Scalar E> E complexSinh(E z) {
  return wide(z, [](E a, E b) {
    E flat = isZero(b), open = isOpen(b), size = abs(a), isLarge = greater(size, constant(a, 700));
    E c = select(flat, constant(a, 1), cos(b)), s = select(flat, b, sin(b));
    E re = select(isLarge, timesExp(copysign(constant(a, 1), a) * c, size, 0.5), sinh(a) * c);
    re = select(both(open, either(isZero(a), isinf(a))), a, re);
    E im = select(isLarge, timesExp(s, size, 0.5), cosh(a) * s);
    return makeComplex(re, select(flat, b, im));
  });
}
template <Scalar E> E complexCosh(E z) {
  return wide(z, [](E a, E b) {
    E flat = isZero(b), open = isOpen(b), size = abs(a), isLarge = greater(size, constant(a, 700));
    E c = select(flat, constant(a, 1), cos(b)), s = sin(b);
    E re = select(isLarge, timesExp(c, size, 0.5), cosh(a) * c);
    re = select(both(open, isinf(a)), size, re);
    E im = select(isLarge, timesExp(copysign(constant(a, 1), a) * s, size, 0.5), sinh(a) * s);
    return makeComplex(re, select(either(flat, both(open, isZero(a))), zeroOf(a, b), im));
  });
}
template <Scalar E> E complexTanh(E z) {
  return wide(z, [](E a, E b) {
    E c = cos(b), s = sin(b), isFar = greater(abs(a), constant(a, 20)), safe = select(isFar, constant(a, 1), a), one = constant(a, 1);
    E sh = sinh(safe), scale = fma(sh, sh, c * c); // sinh^2 a + cos^2 b
    E far = constant(a, 4) * s * c * exp(constant(a, -2) * abs(a));
    E flat = isZero(b), open = isOpen(b), end = isinf(a);
    E re = select(isFar, copysign(one, a), select(flat, tanh(a), sh * cosh(safe) / scale)), im = select(isFar, far, s * c / scale);
    re = select(isZero(a), a, select(both(open, bitwise_invert(end)), constant(a, kNan), re));
    im = select(end, zeroOf(one, b), im);
    return makeComplex(re, select(flat, b, im));
  });
}
template <Scalar E> E complexSin(E z) { return timesMinusI(complexSinh(timesI(z))); }
template <Scalar E> E complexCos(E z) { return complexCosh(timesI(z)); }
template <Scalar E> E complexTan(E z) { return timesMinusI(complexTanh(timesI(z))); }

/// sqrt(1 - z) and sqrt(1 + z).
template <Scalar E> std::pair<E, E> rootsAround(E a, E b) {
  E one = constant(a, 1);
  return {complexSqrt(makeComplex(one - a, -b)), complexSqrt(makeComplex(one + a, b))};
}
/// Where 1 is lost beside z^2: the inverse functions are angles and log|2z| there.
template <Scalar E> E isVast(E a, E b) {
  E limit = constant(a, 0x1p60);
  return either(greater(abs(a), limit), greater(abs(b), limit));
}
template <Scalar E> E logTwice(E a, E b) { return logModulus(a, b) + constant(a, kLn2); }

template <Scalar E> E complexAsin(E z) {
  return wide(z, [](E a, E b) {
    auto [minus, plus] = rootsAround(a, b);
    E product = minus * plus, turned = conj(minus) * plus, vast = isVast(a, b);
    E re = select(vast, atan2(a, abs(b)), atan2(a, realPart(product)));
    E im = select(vast, withSign(logTwice(a, b), b), asinh(imagPart(turned)));
    E inside = both(isZero(b), less_equal(abs(a), constant(a, 1)));
    return makeComplex(select(isZero(a), a, re), select(inside, b, im));
  });
}
template <Scalar E> E complexAcos(E z) {
  return wide(z, [](E a, E b) {
    auto [minus, plus] = rootsAround(a, b);
    E turned = conj(plus) * minus, vast = isVast(a, b);
    E re = select(vast, atan2(abs(b), a), constant(a, 2) * atan2(realPart(minus), realPart(plus)));
    E im = select(vast, withSign(logTwice(a, b), -b), asinh(imagPart(turned)));
    return makeComplex(select(isZero(a), constant(a, kPi / 2), re), im);
  });
}
template <Scalar E> E complexAcosh(E z) {
  return wide(z, [](E a, E b) {
    E one = constant(a, 1), minus = complexSqrt(makeComplex(a - one, b)), plus = complexSqrt(makeComplex(a + one, b));
    E turned = conj(minus) * plus, vast = isVast(a, b);
    E re = select(vast, logTwice(a, b), asinh(realPart(turned)));
    E im = select(vast, atan2(b, a), constant(a, 2) * atan2(imagPart(minus), realPart(plus)));
    return makeComplex(re, select(isZero(a), withSign(constant(a, kPi / 2), b), im));
  });
}
/// By symmetry of |a|; near 1 and far away the squares would leave the range.
template <Scalar E> E complexAtanh(E z) {
  return wide(z, [](E a, E b) {
    E one = constant(a, 1), four = constant(a, 4), x = abs(a), left = one - x, vast = isVast(a, b), half = constant(a, 0.5);
    E distance = hypot(left, b), isNear = less(distance, constant(a, 0x1p-60));
    E re = constant(a, 0.25) * log1p(four * x / fma(left, left, b * b));
    re = select(isNear, half * (constant(a, kLn2) - log(distance)), re);
    E h = hypot(x * half, b * half), end = either(isinf(a), isinf(b));
    re = select(vast, select(end, constant(a, 0), constant(a, 0.25) * (x / h) / h), re);
    E im = half * atan2(b + b, left * (one + x) - b * b);
    E isLost = bitwise_or(isnan(b), bitwise_and(isnan(a), bitwise_invert(isinf(b)))); // nowhere but at infinity is a quarter turn sure
    im = select(vast, select(isLost, a + b, withSign(constant(a, kPi / 2), b)), im);
    return makeComplex(select(isZero(a), a, withSign(re, a)), im);
  });
}
template <Scalar E> E complexAsinh(E z) { return timesMinusI(complexAsin(timesI(z))); }
template <Scalar E> E complexAtan(E z) { return timesMinusI(complexAtanh(timesI(z))); }

/// exp(y log x); 0 to a power is 0, nan if the power's real part is not positive, and 1 to the power 0.
template <Scalar E> E complexPow(E x, E y) {
  if (x.dtype == DType::C64) return cast(complexPow(cast(x, DType::C128), cast(y, DType::C128)), DType::C64);
  E zero = constant(realPart(x), 0), none = makeComplex(zero, zero), one = makeComplex(constant(zero, 1), zero);
  E result = complexExp(y * complexLog(x));
  E nan = constant(zero, kNan), rises = greater(realPart(y), zero);
  result = select(equal(x, none), select(rises, none, makeComplex(nan, nan)), result);
  return select(equal(y, none), one, result);
}

} // namespace kiln::scalar::math
