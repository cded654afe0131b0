// Numbers of Python beside arrays without axes, for what keeps the ones as the others (Carried.cpp, Ranges.cpp, Choices.cpp).
#pragma once

#include "frontend/frames/Object.h"
#include "frontend/Ops.h"

#include <optional>

namespace kiln::py {

inline Operand operandOf(const Array &array) {
  Operand o;
  o.array = &array;
  return o;
}

inline Array compute(Op op, const Array &a, const Array &b) {
  Operand operands[] = {operandOf(a), operandOf(b)};
  return applyElementwise(op, operands);
}

/// Of a BINARY_OP that is not in place.
enum Operator {
  Add = 0,
  And = 1,
  FloorDivide = 2,
  LeftShift = 3,
  Multiply = 5,
  Remainder = 6,
  Or = 7,
  RightShift = 9,
  Subtract = 10,
  TrueDivide = 11,
  Xor = 12
};

/// What arrays do with two numbers of which one is a float, and for a quotient: by a number that is not 0, else Python raises.
inline std::optional<Op> ofFloats(int op) {
  switch (op) {
  case Add: return Op::Add;
  case Subtract: return Op::Subtract;
  case Multiply: return Op::Multiply;
  case TrueDivide: return Op::Divide;
  default: return std::nullopt;
  }
}

/// How a rich comparison compares.
inline Op comparison(int how) {
  constexpr Op kOps[] = {Op::Less, Op::LessEqual, Op::Equal, Op::NotEqual, Op::Greater, Op::GreaterEqual};
  return kOps[how];
}

inline bool isPlainNumber(PyObject *o) { return PyLong_CheckExact(o) || PyFloat_CheckExact(o); }

/// An exact int in int64; none for others.
inline std::optional<int64_t> wholeOf(PyObject *number) {
  int overflow = 0;
  if (!PyLong_CheckExact(number)) return std::nullopt;
  long long value = PyLong_AsLongLongAndOverflow(number, &overflow);
  return overflow ? std::nullopt : std::optional<int64_t>(value);
}

/// What an iterator over a range gives next, and where it ends.
struct RangePlace {
  int64_t next, stop, step;
};
/// None for a range of numbers beyond int64.
std::optional<RangePlace> placeOfRange(PyObject *iterator);

} // namespace kiln::py
