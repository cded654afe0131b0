// The element of the reference interpreter: one number, as the bits of its dtype. Its primitives compute with the C++ types
// of the dtypes, one element at a time.
#pragma once

#include "dialects/kiln/math/Trigonometric.h"

#include <bit>

namespace kiln::reference {

struct Number : scalar::Element {
  DType dtype = DType::F32;
  uint64_t raw = 0, rawImag = 0; // of a complex number the bits of its parts

  Number() = default;
  Number(DType dtype, uint64_t raw, uint64_t rawImag = 0);
};

Number constant(const Number &like, double number);
Number constant(const Number &like, DType dtype, double number);
Number bits(const Number &like, DType dtype, uint64_t raw);

Number addRaw(Number a, Number b);
Number subRaw(Number a, Number b);
Number mulRaw(Number a, Number b);
Number divRaw(Number a, Number b);
Number remRaw(Number a, Number b);
Number negRaw(Number a);
Number absRaw(Number a);
inline Number opaqueRaw(Number a) { return a; }
Number fmaRaw(Number a, Number b, Number c);
inline Number accumulateRaw(Number a, Number b, Number c) { return fmaRaw(a, b, c); }
Number sqrtRaw(Number a);
Number floorRaw(Number a);
Number ceilRaw(Number a);
Number truncRaw(Number a);
Number roundRaw(Number a);
Number maxRaw(Number a, Number b);
Number minRaw(Number a, Number b);
Number compareRaw(Number a, Number b, scalar::Relation relation);
Number selectRaw(Number condition, Number a, Number b);
Number andRaw(Number a, Number b);
Number orRaw(Number a, Number b);
Number xorRaw(Number a, Number b);
Number shlRaw(Number a, Number by);
Number shrRaw(Number a, Number by);
Number popcountRaw(Number a);
Number clzRaw(Number a);
Number mulhiRaw(Number a, Number b);
Number convertRaw(Number a, DType to);
Number bitcast(Number a, DType to);
Number realPart(Number a);
Number imagPart(Number a);
Number makeComplex(Number re, Number im);
Number rarely(Number isRare, Number usual, auto &&other) { return isRare.raw ? other() : usual; }
using scalar::math::Angle;
Angle<Number> replaceLarge(Number x, Number isLarge, Angle<Number> small);

/// Of an integer or bool.
int64_t toInteger(const Number &a);
inline bool isTrue(const Number &a) { return a.raw != 0; }

} // namespace kiln::reference
