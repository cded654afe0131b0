// Elementwise operations on dtypes that their records do not accept and NumPy defines, as compositions of others.
#include "frontend/OpsShared.h"

namespace kiln {

static Array applyTo(Op op, const Array &x, const Array &y) {
  Operand operands[] = {{Operand::IsArray, &x}, {Operand::IsArray, &y}};
  return applyElementwise(op, operands);
}

static bool isComparison(Op op) {
  return op == Op::Equal || op == Op::NotEqual || op == Op::Less || op == Op::LessEqual || op == Op::Greater || op == Op::GreaterEqual;
}

std::optional<Array> compareWithOutside(Op op, std::span<const Operand> operands) {
  if (!isComparison(op)) return std::nullopt;
  bool isLast = operands[1].kind == Operand::IsInt;
  const Operand &number = operands[isLast], &other = operands[!isLast];
  if (number.kind != Operand::IsInt || other.kind != Operand::IsArray) return std::nullopt;
  const Array &x = *other.array;
  if (!isInteger(x.dtype) || fitsInteger(number, x.dtype)) return std::nullopt;
  bool isAbove = number.isLarge || number.integer > 0, isLess = isAbove == isLast;
  bool result = op == Op::Less || op == Op::LessEqual ? isLess : op == Op::Equal ? false : op == Op::NotEqual || !isLess;
  return full(x.shape, DType::Bool, {result, 0}, deviceOf(x));
}

/// Sums and products of bools are or and and; rounding and sizes are the array itself.
static std::optional<Array> applyToBools(Op op, std::span<const Operand> operands) {
  switch (op) {
  case Op::Add: return applyElementwise(Op::BitwiseOr, operands);
  case Op::Multiply: return applyElementwise(Op::BitwiseAnd, operands);
  case Op::Maximum: return applyElementwise(Op::BitwiseOr, operands);
  case Op::Minimum: return applyElementwise(Op::BitwiseAnd, operands);
  case Op::Abs:
  case Op::Ceil:
  case Op::Floor:
  case Op::Trunc:
  case Op::Real: return copy(*operands[0].array);
  case Op::Imag: return full(operands[0].array->shape, DType::Bool, {}, deviceOf(*operands[0].array));
  case Op::Square:
  case Op::Conj: return cast(*operands[0].array, DType::I8);
  default: return std::nullopt;
  }
}

/// Complex numbers in NumPy's order: by the real part, and by the imaginary one where those are equal.
static Array compareParts(Op op, const Array &x, const Array &y) {
  Op strict = op == Op::LessEqual ? Op::Less : op == Op::GreaterEqual ? Op::Greater : op;
  Array re = partOf(x, false), other = partOf(y, false);
  Array decided = applyTo(strict, re, other), isEqual = applyTo(Op::Equal, re, other);
  return applyTo(Op::BitwiseOr, decided, applyTo(Op::BitwiseAnd, isEqual, applyTo(op, partOf(x, true), partOf(y, true))));
}

/// The larger (or smaller) of two, and nan where one is.
static Array chooseComplex(Op op, const Array &x, const Array &y) {
  Array isFirst = compareParts(op == Op::Maximum ? Op::GreaterEqual : Op::LessEqual, x, y);
  isFirst = applyTo(Op::BitwiseOr, isFirst, applyTo(Op::NotEqual, x, x));
  return where(isFirst, {Operand::IsArray, &x}, {Operand::IsArray, &y});
}

static std::optional<Array> applyToComplex(Op op, std::span<const Operand> operands, DType dtype) {
  bool isOrdered = (isComparison(op) && op != Op::Equal && op != Op::NotEqual) || op == Op::Maximum || op == Op::Minimum;
  if (op == Op::Exp2) {
    Operand powers[] = {{.kind = Operand::IsFloat, .number = 2}, operands[0]};
    return applyElementwise(Op::Pow, powers);
  }
  if (!isOrdered) return std::nullopt;
  Array held[2];
  for (size_t i = 0; i < 2; ++i)
    held[i] = operands[i].kind == Operand::IsArray ? cast(*operands[i].array, dtype) : constantArray(dtype, scalarBits(operands[i], dtype));
  return isComparison(op) ? compareParts(op, held[0], held[1]) : chooseComplex(op, held[0], held[1]);
}

std::optional<Array> applyBeyondRecord(Op op, std::span<const Operand> operands, DType dtype) {
  if (dtype == DType::Bool) return applyToBools(op, operands);
  if (isComplex(dtype)) return applyToComplex(op, operands, dtype);
  return std::nullopt;
}

} // namespace kiln
