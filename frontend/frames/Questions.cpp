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

bool isChoice(PyObject *function) { return function == Builtins::get().min || function == Builtins::get().max; }

} // namespace

/// Whether a formula is a float that operations on float64 make as Python does, of elements, numbers of the program and constants.
bool Reader::isAskable(int formula) const {
  int most = 64; // operations: formulas share operands, each of which is computed anew
  return isAskable(formula, most);
}

bool Reader::isAskable(int formula, int &most) const {
  const Formula &f = state.numbers.at(formula);
  if (f.kind == Formula::Constant) return isPlainNumber(f.object.get()) && constantFor(f.object.get());
  return isOfFloats(f) && isComputed(formula, most);
}

/// The same of any number that a function of C gives of such.
bool Reader::isComputed(int formula, int &most) const {
  const Formula &f = state.numbers.at(formula);
  if (!state.numbers.isLate(formula)) return isOfFloats(f);          // as an input
  if (toldOf(formula) >= 0 && f.kind != Formula::Value) return true; // it was computed before
  if (--most < 0) return false;
  auto areAll = [&] { return std::ranges::all_of(f.of, [&](int of) { return isAskable(of, most); }); };
  switch (f.kind) {
  case Formula::Value: { // of an integer it is rounded as it is cast
    int told = toldOf(formula);
    DType dtype = told < 0 ? DType::Bool : listener.arrayTold(told).dtype;
    return isFloat(dtype) || (isInteger(dtype) && dtype != DType::U64);
  }
  case Formula::Unary: return f.op == Formula::Negative && areAll();
  case Formula::Binary:
  case Formula::Call: return areAll();
  default: return false;
  }
}

/// Whether it is an integer that is an element, or a constant.
bool Reader::isWholeAskable(int formula) const {
  const Formula &f = state.numbers.at(formula);
  if (f.type != &PyLong_Type) return false;
  if (f.kind == Formula::Constant) return constantFor(f.object.get()).has_value();
  int told = f.kind == Formula::Value ? toldOf(formula) : -1, most = 64;
  if (f.kind == Formula::Call) return isComputed(formula, most);
  return told >= 0 && isInteger(listener.arrayTold(told).dtype) && listener.arrayTold(told).dtype != DType::U64;
}

/// The array that has its value: of float64, or of int64 where it is an integer.
Array Reader::arrayAsked(int formula) {
  const Formula f = state.numbers.at(formula); // a copy: reading may add formulas
  DType dtype = isOfFloats(f) ? DType::F64 : DType::I64;
  auto as = [&](const Array &array, DType to) { return array.dtype == to ? array : cast(array, to); };
  bool isInput = f.kind != Formula::Constant && !state.numbers.isLate(formula); // Python computes it where a call begins
  if (isInput) return inputFor(formula, state.numbers.valueOf(formula, now), DType::F64);
  bool isMade = f.kind == Formula::Binary || f.kind == Formula::Call;
  if (int told = isMade ? toldOf(formula) : -1; told >= 0) return listener.arrayTold(told);
  if (isMade) { // kept, as long as somebody holds a number that is made of it
    Array made = arrayMade(f);
    auto known = std::ranges::find_if(state.told, [&](auto &t) { return t.first == formula; });
    if (known == state.told.end()) known = state.told.emplace(known, formula, -1);
    known->second = listener.tell(made);
    return made;
  }
  switch (f.kind) {
  case Formula::Constant: return *constantFor(f.object.get());
  case Formula::Unary: {
    Array x = as(arrayAsked(f.of[0]), DType::F64);
    Operand operands[] = {operandOf(x)};
    return applyElementwise(Op::Negative, operands);
  }
  default: return as(reshape(listener.arrayTold(toldOf(formula)), Dims()), dtype);
  }
}

/// The same of an operation or a function of numbers.
Array Reader::arrayMade(const Formula &f) {
  auto operand = [&](size_t i) {
    Array array = arrayAsked(f.of[i]);
    return array.dtype == DType::F64 ? array : cast(array, DType::F64);
  };
  if (f.kind == Formula::Binary) {
    auto op = ofFloats(f.op);
    return op ? compute(*op, operand(0), operand(1)) : arrayCalled(f);
  }
  auto unary = [&](Op op) {
    Array x = operand(0);
    Operand operands[] = {operandOf(x)};
    return applyElementwise(op, operands);
  };
  const Builtins &b = Builtins::get();
  PyObject *function = f.object.get();
  bool areFloats = std::ranges::all_of(f.of, [&](int i) { return state.numbers.at(i).type == &PyFloat_Type; });
  if (function == b.abs && areFloats) return unary(Op::Abs);
  if (function == b.root) return unary(Op::Sqrt);
  if (!isChoice(function) || f.of.size() != 2 || !areFloats) return arrayCalled(f);
  Array first = operand(0), second = operand(1);
  Array isSecond = compute(function == b.max ? Op::Greater : Op::Less, second, first);
  return where(isSecond, operandOf(second), operandOf(first));
}

/// The same of a function that Python itself is to run, with the numbers that calls have: C's functions of floats have no bits of their
/// own.
Array Reader::arrayCalled(const Formula &f) {
  static PyObject *const call = check(PyObject_GetAttrString(Object(check(PyImport_ImportModule("kiln._callbacks"))).get(), "number_of"));
  constexpr const char *kOperators[] = {"add", "and_", "floordiv", "lshift", "matmul",  "mul", "mod",
                                        "or_", "pow",  "rshift",   "sub",    "truediv", "xor"};
  Object function = f.object;
  if (f.kind == Formula::Binary)
    function = Object(check(PyObject_GetAttrString(Object(check(PyImport_ImportModule("operator"))).get(), kOperators[f.op])));
  Object operands(check(PyTuple_New(Py_ssize_t(f.of.size()))));
  for (size_t i = 0; i < f.of.size(); ++i) {
    const Formula &of = state.numbers.at(f.of[i]);
    Object operand = of.kind == Formula::Constant ? of.object : listener.objectOf(arrayAsked(f.of[i]));
    PyTuple_SET_ITEM(operands.get(), Py_ssize_t(i), operand.release());
  }
  Object result(check(PyObject_CallFunctionObjArgs(call, function.get(), operands.get(), asObject(f.type), nullptr)));
  return listener.arrayOf(result.get());
}

/// Asks what has to hold for operations to do as Python does, which else raises: that divisors are not 0, and that roots are of nothing
/// below 0; other functions are asked themselves. False where it does not hold.
bool Reader::askDomain(int formula) {
  if (!state.numbers.isLate(formula) || proven.contains(formula)) return true;
  const Formula f = state.numbers.at(formula);
  for (int of : f.of)
    if (!askDomain(of)) return false;
  if (!state.numbers.mayRaise(formula) || f.kind == Formula::Value) return proven.insert(formula).second;
  PyObject *function = f.object.get();
  bool isQuotient = f.kind == Formula::Binary && f.op == TrueDivide, isRoot = function && function == Builtins::get().root;
  bool isByConstant = isQuotient && state.numbers.at(f.of[1]).kind == Formula::Constant; // not 0: it was divided by
  bool isSafe =
      f.kind == Formula::Binary ? ofFloats(f.op) && (!isQuotient || isByConstant) : function == Builtins::get().abs || isChoice(function);
  if (!isSafe) {
    auto answered = [&] { // of others it is asked whether they are nan, which takes their value
      Array number = arrayAsked(isQuotient ? f.of[1] : isRoot ? f.of[0] : formula);
      if (number.dtype != DType::F64) number = cast(number, DType::F64);
      Array bound = isQuotient || isRoot ? *constantFor(Object(check(PyFloat_FromDouble(0))).get()) : number;
      return compute(isQuotient ? Op::NotEqual : isRoot ? Op::Less : Op::Equal, number, bound);
    };
    Array answer = answered();
    bool isRaised = (isQuotient && !*answer.data()) || (isRoot && *answer.data());
    if (isRaised) return false;
    casts.clear();
    ask(answer);
  }
  std::erase(state.risky, formula); // later calls are asked as well
  return proven.insert(formula).second;
}

/// Whether a comparison has become a question. `areLeft`: the numbers are taken from the stack by it.
bool Reader::askedComparison(int how, int left, int right, PyObject *a, PyObject *b, bool areLeft) {
  bool areWhole = isWholeAskable(left) && isWholeAskable(right);
  if (!areWhole && !(isAskable(left) && isAskable(right))) return false;
  if (!askDomain(left) || !askDomain(right)) return false;
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
  if (!state.numbers.isLate(formula) || !isAskable(formula) || !askDomain(formula)) return false;
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

/// Gives an instruction that takes numbers from the stack others, by which it answers as it is to.
void Reader::tellInstead(const Instruction &i, std::string_view name, PyObject **top) {
  bool told = *std::exchange(instead, std::nullopt);
  auto put = [](PyObject *&slot, PyObject *owned) { Py_SETREF(slot, check(owned)); };
  if (name == "COMPARE_OP") {
    constexpr std::pair<bool, bool> kOf[][2] = {{{1, 0}, {0, 1}}, {{1, 0}, {0, 0}}, {{0, 1}, {0, 0}},
                                                {{0, 0}, {0, 1}}, {{0, 0}, {1, 0}}, {{0, 1}, {0, 0}}};
    auto [a, b] = kOf[comparisonOf(i)][told]; // by Py_LT ... Py_GE
    put(top[-2], PyLong_FromLong(a)), put(top[-1], PyLong_FromLong(b));
  } else if (name == "FOR_ITER" && !told) {
    put(top[-1], PyObject_GetIter(Object(check(PyTuple_New(0))).get()));
  } else if (name == "TO_BOOL" || name == "UNARY_NOT" || name.starts_with("POP_JUMP")) {
    put(top[-1], PyBool_FromLong(told));
  } else {
    fail("is told another answer than it can be");
  }
}

} // namespace kiln::py
