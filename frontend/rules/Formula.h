// Formulae over arrays, for rules: what they share beside the frontend's operations.
#pragma once

#include "frontend/OpsShared.h"

namespace kiln::rules {

/// An array, or a number that takes the dtype of the array beside it.
class Term {
public:
  Term(const Array &array) : value(array) {}
  Term(Array &&array) : value(std::move(array)) {}
  Term(double number) : number(number), isNumber(true) {}
  const Array &array() const { return value; }
  Operand operand() const;

private:
  Array value;
  double number = 0;
  bool isNumber = false;
};

/// An elementwise op, promoted and broadcast.
Array call(Op op, std::initializer_list<Term> terms);
inline Array operator+(const Term &x, const Term &y) { return call(Op::Add, {x, y}); }
inline Array operator-(const Term &x, const Term &y) { return call(Op::Subtract, {x, y}); }
inline Array operator*(const Term &x, const Term &y) { return call(Op::Multiply, {x, y}); }
inline Array operator/(const Term &x, const Term &y) { return call(Op::Divide, {x, y}); }
inline Array operator-(const Term &x) { return call(Op::Negative, {x}); }
inline Array equal(const Term &x, const Term &y) { return call(Op::Equal, {x, y}); }
inline Array choose(const Array &condition, const Term &x, const Term &y) { return call(Op::Select, {condition, x, y}); }
/// Of real numbers the array itself.
inline Array conj(const Array &x) { return isComplex(x.dtype) ? call(Op::Conj, {x}) : x; }
inline Array realPart(const Array &x) { return partOf(x, false); }

/// An op of the op table over operands that fit it.
Array applyOp(Op op, std::initializer_list<const Array *> operands, std::span<const int64_t> words);
Array applyOp(Op op, std::span<const Array *const> operands, std::span<const int64_t> words);

/// A number of a shape, beside `x`: of its dtype and on its device.
Array filled(const Array &x, const Dims &shape, int64_t number);
inline Array zeros(const Array &x, const Dims &shape) { return filled(x, shape, 0); }
inline Array zerosLike(const Array &x) { return zeros(x, x.shape); }
/// Positions along an axis of a shape, beside `x`.
Array positions(const Array &x, const Dims &shape, int axis);
/// `x` with `value` at `starts + i * steps`: a new array.
Array updated(const Array &x, const Array &value, const Dims &starts, const Dims &steps);
/// The part of an axis from `start` on.
Array part(const Array &x, int axis, int64_t start, int64_t size);
/// An axis moved back by `by` positions; in front stands a number.
Array shifted(const Array &x, int axis, int64_t by, int64_t number);
/// An axis from its end.
Array reversed(const Array &x, int axis);
Array moveAxis(const Array &x, int from, int to);
/// Axes [first, first + count) as one.
Array mergeAxes(const Array &x, int first, int count);
inline Array withAxis(const Array &x, int at, int64_t size = 1) {
  Dims shape = x.shape;
  shape.insert(at, 1);
  Array result = reshape(x, shape);
  shape[at] = size;
  return size == 1 ? result : broadcastTo(result, shape);
}
inline Array sum(const Array &x, const Dims &axes, bool keepDims = false) { return reduce(Op::Sum, x, axes, keepDims); }

/// Element `indices` (int64, of the shape of the result) along an axis, for each position of the others.
Array takeAlong(const Array &x, const Array &indices, int axis);
/// Zeros of `shape`, with `values` added at `indices` along an axis: the transpose of takeAlong.
Array addAlong(const Array &values, const Array &indices, int axis, const Dims &shape);

} // namespace kiln::rules
