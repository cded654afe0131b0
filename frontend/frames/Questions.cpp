// Comparisons of numbers that are elements of arrays, or made of some: calls depend on the answer, which many values share, and not on the
// values. `if float(loss) < best` is a question about arrays, as `if loss < best` is.
#include "frontend/frames/Builtins.h"
#include "frontend/frames/Reader.h"
#include "frontend/frames/Scalars.h"

#include <algorithm>
#include <cmath>

namespace kiln::py {
namespace {

bool isOfFloats(const Formula &f) { return f.type == &PyFloat_Type; }

std::optional<Op> likePython(const Formula &f, const Numbers &numbers) {
  const Formula &second = numbers.at(f.of[1]);
  bool isByConstant = f.op == TrueDivide && second.kind == Formula::Constant && PyFloat_AsDouble(second.object.get()) != 0;
  if (PyErr_Occurred()) return PyErr_Clear(), std::nullopt;
  return ofFloats(f.op, isByConstant);
}

} // namespace

/// Whether a formula is a float that operations on float64 make as Python does, of elements, numbers of the program and constants.
bool Reader::isAskable(int formula) const {
  int most = 64; // operations: formulas share operands, each of which is computed anew
  return isAskable(formula, most);
}

bool Reader::isAskable(int formula, int &most) const {
  const Formula &f = state.numbers.at(formula);
  if (f.kind == Formula::Constant) return isPlainNumber(f.object.get()) && constantFor(f.object.get());
  if (!isOfFloats(f) || --most < 0) return false;
  auto areAll = [&] { return std::ranges::all_of(f.of, [&](int of) { return isAskable(of, most); }); };
  switch (f.kind) {
  case Formula::Read: return true;
  case Formula::Value: { // of an integer it is rounded as it is cast
    int told = toldOf(formula);
    DType dtype = told < 0 ? DType::Bool : listener.arrayTold(told).dtype;
    return isFloat(dtype) || (isInteger(dtype) && dtype != DType::U64);
  }
  case Formula::Unary: return f.op == Formula::Negative && areAll();
  case Formula::Binary: return likePython(f, state.numbers) && areAll();
  case Formula::Call: return f.object.get() == Builtins::get().abs && areAll();
  default: return false;
  }
}

/// Whether it is an integer that is an element, or a constant.
bool Reader::isWholeAskable(int formula) const {
  const Formula &f = state.numbers.at(formula);
  if (f.type != &PyLong_Type) return false;
  if (f.kind == Formula::Constant) return constantFor(f.object.get()).has_value();
  int told = f.kind == Formula::Value ? toldOf(formula) : -1;
  return told >= 0 && isInteger(listener.arrayTold(told).dtype) && listener.arrayTold(told).dtype != DType::U64;
}

/// The array that has its value: of float64, or of int64 where it is an integer.
Array Reader::arrayAsked(int formula) {
  const Formula f = state.numbers.at(formula); // a copy: reading may add formulas
  DType dtype = isOfFloats(f) ? DType::F64 : DType::I64;
  auto as = [&](const Array &array, DType to) { return array.dtype == to ? array : cast(array, to); };
  auto operand = [&](size_t i) { return as(arrayAsked(f.of[i]), DType::F64); };
  switch (f.kind) {
  case Formula::Constant: return *constantFor(f.object.get());
  case Formula::Read: return inputFor(formula, state.numbers.valueOf(formula, now), DType::F64);
  case Formula::Value: return as(reshape(listener.arrayTold(toldOf(formula)), Dims()), dtype);
  case Formula::Binary: return compute(*likePython(f, state.numbers), operand(0), operand(1));
  default: break;
  }
  Array x = operand(0);
  Operand operands[] = {operandOf(x)};
  return applyElementwise(f.kind == Formula::Call ? Op::Abs : Op::Negative, operands);
}

/// Whether a comparison has become a question. `areLeft`: the numbers are taken from the stack by it.
bool Reader::askedComparison(int how, int left, int right, PyObject *a, PyObject *b, bool areLeft) {
  bool areWhole = isWholeAskable(left) && isWholeAskable(right);
  if (!areWhole && !(isAskable(left) && isAskable(right))) return false;
  std::optional<Array> x = arrayAsked(left), y = arrayAsked(right);
  if (x->dtype != y->dtype) x = cast(*x, DType::F64), y = cast(*y, DType::F64);
  Array answer = compute(comparison(how), *x, *y);
  Object told(check(PyObject_RichCompare(a, b, how)));
  if (bool(*answer.data()) != (told.get() == Py_True)) return false;
  x.reset(), y.reset(); // what is held is handed on
  if (areLeft) forgetValues({a, b});
  else forgetValues();
  ask(answer);
  return true;
}

/// The same of math.isnan and the like.
bool Reader::askedTest(PyObject *callee, PyObject *number) {
  const Builtins &b = Builtins::get();
  auto op = callee == b.isNan        ? std::optional(Op::Isnan)
            : callee == b.isInfinite ? std::optional(Op::Isinf)
            : callee == b.isFinite   ? std::optional(Op::Isfinite)
                                     : std::nullopt;
  if (!op || !PyFloat_CheckExact(number)) return false;
  int formula = formulaOf(number);
  if (!state.numbers.isLate(formula) || !isAskable(formula)) return false;
  std::optional<Array> x = arrayAsked(formula);
  Operand operands[] = {operandOf(*x)};
  Array answer = applyElementwise(*op, operands);
  double value = PyFloat_AS_DOUBLE(number);
  bool told = op == Op::Isnan ? std::isnan(value) : op == Op::Isinf ? std::isinf(value) : std::isfinite(value);
  if (bool(*answer.data()) != told) return false;
  x.reset();
  forgetValues({number});
  ask(answer);
  return true;
}

} // namespace kiln::py
