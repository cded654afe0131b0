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

template <Scalar E> E complexExp(E z) {
  return wide(z, [](E a, E b) {
    E e = exp(a), flat = isZero(b); // a real number stays one, also where e is infinite
    E vanishes = equal(a, constant(a, -kInfinity));
    E re = select(flat, e, select(vanishes, constant(a, 0), e * cos(b))),
      im = select(flat, b, select(vanishes, constant(a, 0), e * sin(b)));
    return makeComplex(re, im);
  });
}
template <Scalar E> E complexExpm1(E z) {
  return wide(z, [](E a, E b) {
    E s = sin(b * constant(b, 0.5));
    return makeComplex(expm1(a) * cos(b) - constant(b, 2) * s * s, select(isZero(b), b, exp(a) * sin(b)));
  });
}
/// log|z|, through log1p where |z| is near 1.
template <Scalar E> E logModulus(E a, E b) {
  E x = max(abs(a), abs(b)), y = min(abs(a), abs(b)), one = constant(a, 1), half = constant(a, 0.5);
  E near = half * log1p(fma(y, y, (x - one) * (x + one)));
  E size = hypot(a, b), isNear = bitwise_and(greater(size, half), less(size, constant(a, 2)));
  return select(isNear, near, log(size));
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
template <Scalar E> E complexLog1p(E z) {
  return wide(z, [](E a, E b) {
    E half = constant(a, 0.5), u = a + constant(a, 1);
    E isSmall = less(max(abs(a), abs(b)), half);
    return makeComplex(select(isSmall, half * log1p(fma(b, b, a * (a + constant(a, 2)))), logModulus(u, b)), atan2(b, u));
  });
}
template <Scalar E> E complexSqrt(E z) {
  return wide(z, [](E a, E b) {
    E half = constant(a, 0.5), t = sqrtRaw(half * abs(a) + half * hypot(a, b)), zero = constant(a, 0);
    E other = select(isZero(t), zero, half * abs(b) / select(isZero(t), constant(a, 1), t));
    E isLeft = less(a, zero), re = select(isLeft, other, t), im = copysign(select(isLeft, t, other), b);
    E isOpen = isinf(b); // along the imaginary axis everything is infinite
    return makeComplex(select(isOpen, abs(b), re), select(isOpen, b, im));
  });
}

template <Scalar E> E complexSinh(E z) {
  return wide(z,
              [](E a, E b) { return makeComplex(select(isZero(b), sinh(a), sinh(a) * cos(b)), select(isZero(b), b, cosh(a) * sin(b))); });
}
template <Scalar E> E complexCosh(E z) {
  return wide(z, [](E a, E b) {
    E flat = bitwise_or(isZero(a), isZero(b));
    return makeComplex(select(isZero(b), cosh(a), cosh(a) * cos(b)), select(flat, a * b, sinh(a) * sin(b)));
  });
}
template <Scalar E> E complexTanh(E z) {
  return wide(z, [](E a, E b) {
    E c = cos(b), s = sin(b), isFar = greater(abs(a), constant(a, 20)), safe = select(isFar, constant(a, 1), a);
    E sh = sinh(safe), scale = fma(sh, sh, c * c); // sinh^2 a + cos^2 b
    E far = constant(a, 4) * s * c * exp(constant(a, -2) * abs(a));
    E re = select(isFar, copysign(constant(a, 1), a), sh * cosh(safe) / scale), im = select(isFar, far, s * c / scale);
    return makeComplex(re, select(isZero(b), b, im));
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
template <Scalar E> E complexAsin(E z) {
  return wide(z, [](E a, E b) {
    auto [minus, plus] = rootsAround(a, b);
    E product = minus * plus, turned = conj(minus) * plus;
    return makeComplex(atan2(a, realPart(product)), asinh(imagPart(turned)));
  });
}
template <Scalar E> E complexAcos(E z) {
  return wide(z, [](E a, E b) {
    auto [minus, plus] = rootsAround(a, b);
    E turned = conj(plus) * minus;
    return makeComplex(constant(a, 2) * atan2(realPart(minus), realPart(plus)), asinh(imagPart(turned)));
  });
}
template <Scalar E> E complexAcosh(E z) {
  return wide(z, [](E a, E b) {
    E one = constant(a, 1), minus = complexSqrt(makeComplex(a - one, b)), plus = complexSqrt(makeComplex(a + one, b));
    E turned = conj(minus) * plus;
    return makeComplex(asinh(realPart(turned)), constant(a, 2) * atan2(imagPart(minus), realPart(plus)));
  });
}
template <Scalar E> E complexAtanh(E z) {
  return wide(z, [](E a, E b) {
    E one = constant(a, 1), left = one - a, four = constant(a, 4);
    E re = constant(a, 0.25) * log1p(four * a / fma(left, left, b * b));
    E im = constant(a, 0.5) * atan2(b + b, left * (one + a) - b * b);
    return makeComplex(re, im);
  });
}
template <Scalar E> E complexAsinh(E z) { return timesMinusI(complexAsin(timesI(z))); }
template <Scalar E> E complexAtan(E z) { return timesMinusI(complexAtanh(timesI(z))); }

/// exp(y log x); 0 to a power is 0, or 1 to the power 0.
template <Scalar E> E complexPow(E x, E y) {
  if (x.dtype == DType::C64) return cast(complexPow(cast(x, DType::C128), cast(y, DType::C128)), DType::C64);
  E zero = constant(realPart(x), 0), none = makeComplex(zero, zero), one = makeComplex(constant(zero, 1), zero);
  E result = complexExp(y * complexLog(x));
  result = select(equal(x, none), none, result);
  return select(equal(y, none), one, result);
}

} // namespace kiln::scalar::math
