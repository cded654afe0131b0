// Elementwise ops whose derivative is no formula over their own dtype.
#include "frontend/rules/Table.h"

#include <numbers>

namespace kiln::rules {
namespace {

Array timesImaginary(const Array &x) { return joinParts(-Term(partOf(x, true)), realPart(x)); }

/// What turning a complex number makes of its sign: the part of `given` across it, over its size. The map is its own adjoint.
Array turned(const Array &x, const Array &given) {
  Array across = timesImaginary(call(Op::Sign, {x})), size = call(Op::Abs, {x});
  Array part = realPart(conj(across) * given);
  return choose(equal(size, 0.), 0., across * (part / size));
}

/// The derivative of digamma: from 1/2 on 10 steps of its recurrence and the asymptotic series, below by reflection.
Array trigamma(const Array &given) {
  // B(2k), from k = 8 down to 1.
  static constexpr double kBernoulli[] = {-3617. / 510, 7. / 6, -691. / 2730, 5. / 66, -1. / 30, 1. / 42, -1. / 30, 1. / 6};
  constexpr double kPi = std::numbers::pi;
  Array x = isNarrow(given.dtype) ? cast(given, DType::F32) : given;
  Array isLow = call(Op::Less, {x, 0.5}), y = choose(isLow, 1. - Term(x), x), total = call(Op::Reciprocal, {call(Op::Square, {y})});
  for (int k = 1; k < 10; ++k) total = total + call(Op::Reciprocal, {call(Op::Square, {y + double(k)})});
  Array r = call(Op::Reciprocal, {y + 10.}), square = call(Op::Square, {r}), series = square * kBernoulli[0];
  for (double b : std::span(kBernoulli).subspan(1)) series = (series + b) * square;
  total = total + (r + square * 0.5 + series * r);
  Array sine = choose(isLow, call(Op::Sin, {(x - call(Op::Round, {x})) * kPi}), 1.);
  Array result = choose(isLow, call(Op::Square, {kPi / Term(sine)}) - total, total);
  return cast(result, given.dtype);
}

} // namespace

void vjp::abs(const Applied &o, const Array &ct, Gradients &g) { g.set(0, call(Op::Sign, {*o.operands[0]}) * ct); }
Array jvp::abs(const Applied &o, std::span<const Array *const> t) { return realPart(conj(call(Op::Sign, {*o.operands[0]})) * *t[0]); }

void vjp::sign(const Applied &o, const Array &ct, Gradients &g) {
  if (isComplex(ct.dtype)) g.set(0, turned(*o.operands[0], ct));
}
Array jvp::sign(const Applied &o, std::span<const Array *const> t) {
  return isComplex(t[0]->dtype) ? turned(*o.operands[0], *t[0]) : zerosLike(*t[0]);
}

/// 0 stays 0 at a pole.
static Array timesTrigamma(const Array &given, const Array &x) {
  Array isPole = call(Op::BitwiseAnd, {call(Op::LessEqual, {x, 0.}), equal(x, call(Op::Round, {x}))});
  return given * trigamma(choose(call(Op::BitwiseAnd, {isPole, equal(given, 0.)}), 1., x));
}
void vjp::digamma(const Applied &o, const Array &ct, Gradients &g) { g.set(0, timesTrigamma(ct, *o.operands[0])); }
Array jvp::digamma(const Applied &o, std::span<const Array *const> t) { return timesTrigamma(*t[0], *o.operands[0]); }

void vjp::real(const Applied &o, const Array &ct, Gradients &g) {
  g.set(0, isComplex(o.operands[0]->dtype) ? joinParts(ct, zerosLike(ct)) : ct);
}
void vjp::imag(const Applied &o, const Array &ct, Gradients &g) {
  if (isComplex(o.operands[0]->dtype)) g.set(0, joinParts(zerosLike(ct), ct));
}
void vjp::complex(const Applied &, const Array &ct, Gradients &g) {
  for (size_t i = 0; i < 2; ++i)
    if (g.wants(i)) g.set(i, partOf(ct, i == 1));
}

void vjp::cast(const Applied &o, const Array &ct, Gradients &g) {
  DType dtype = o.operands[0]->dtype;
  g.set(0, kiln::cast(isComplex(dtype) ? ct : realPart(ct), dtype));
}

} // namespace kiln::rules
