// Numbers that loops change, kept as arrays without axes while a call is recorded: what is computed of them is recorded like operations on
// arrays, and comparisons are questions, so that a trip does the same whatever they are. Only what comes out as Python computes it is kept
// so; for anything else they are numbers known by formula again, as elements of arrays are (Arithmetic.cpp).
#include "frontend/frames/Builtins.h"
#include "frontend/frames/Reader.h"
#include "frontend/frames/Scalars.h"

#include <bit>
#include <cmath>

namespace kiln::py {
namespace {

// So that int64 never overflows and float64 has them exactly: where a trip begins integers are at most kMostInteger, and what a trip makes
// of them is bound by factors of that, which a loop checks (Folding.cpp).
constexpr double kMostOfFloats = double(1 << 12);

/// Whether an array has the value of a number.
bool isValueOf(const Array &array, PyObject *number) {
  if (PyFloat_CheckExact(number) && array.dtype == DType::F64) {
    double value = PyFloat_AS_DOUBLE(number);
    return std::bit_cast<int64_t>(value) == *reinterpret_cast<const int64_t *>(array.data()) ||
           (std::isnan(value) && std::isnan(*reinterpret_cast<const double *>(array.data())));
  }
  auto whole = wholeOf(number);
  return whole && array.dtype == DType::I64 && *reinterpret_cast<const int64_t *>(array.data()) == *whole;
}

} // namespace

std::optional<Array> Reader::constantFor(PyObject *number) const {
  if (PyFloat_CheckExact(number)) return constantArray(DType::F64, {std::bit_cast<int64_t>(PyFloat_AS_DOUBLE(number)), 0});
  auto whole = wholeOf(number);
  if (!whole || std::abs(*whole) > kMostInteger) return std::nullopt;
  return constantArray(DType::I64, {*whole, 0});
}

/// The array that a number is kept as, or one for a constant, or an input for one that is read.
std::optional<Array> Reader::arrayFor(PyObject *number) {
  if (auto known = carried.find(number); known != carried.end()) return known->second.array;
  auto formula = tagged.find(number);
  if (formula == tagged.end()) return constantFor(number);
  bool isRead = !state.numbers.isLate(formula->second) && (PyFloat_CheckExact(number) || wholeOf(number));
  if (!isRead) return std::nullopt;
  return inputFor(formula->second, number, PyFloat_CheckExact(number) ? DType::F64 : DType::I64);
}

Bounds Reader::boundsOf(PyObject *number) const {
  auto known = carried.find(number);
  if (known != carried.end()) return known->second.bounds;
  auto whole = wholeOf(number);
  return whole ? Bounds::of(double(*whole)) : Bounds();
}

void Reader::carryAs(PyObject **slot, Array array, Bounds bounds) {
  Object apart = numberApart(*slot);
  carried[apart.get()] = {apart, std::move(array), bounds};
  largest = std::max(largest, bounds.growth());
  Py_SETREF(*slot, apart.release());
}

/// An integer becomes a float, and is to be one that float64 has: it may grow less.
void Reader::noteExact() { largest = std::max(largest, kMostGrowth / kMostOfFloats); }

/// The instruction under way leaves a number that is kept as an array.
void Reader::expectCarried(Array array, Bounds bounds) {
  expected = {live.back().frame, live.back().next, -1, {}, {}, {}};
  expected.array = std::move(array), expected.bounds = bounds;
}

bool Reader::carry(PyObject **slot, bool isVariable) {
  PyObject *o = *slot;
  if (!carries || why.size() || !o || carried.contains(o)) return false;
  if (auto formula = tagged.find(o); formula != tagged.end()) {
    bool isRead = PyFloat_CheckExact(o) && !state.numbers.isLate(formula->second);
    if (isRead) carryAs(slot, copy(inputFor(formula->second, o, DType::F64)));
    return isRead;
  }
  if (Py_TYPE(o) == &PyRangeIter_Type) return !isVariable && carryRange(o);
  if (package().iteratorOf(o).array) return !isVariable && carryIterator(o);
  bool isOwn = PyFloat_CheckExact(o) || PyLong_CheckExact(o);
  auto array = isOwn ? constantFor(o) : std::nullopt;
  if (!array) return false;
  carryAs(slot, std::move(*array));
  return true;
}

bool Reader::ask(const Array &answer) {
  bool told = listener.ask(answer);
  if (told != bool(*answer.data())) instead = told;
  return told;
}

const Array *Reader::carriedAs(PyObject *number) const {
  auto known = carried.find(number);
  if (known != carried.end()) return &known->second.array;
  auto formula = tagged.find(number);
  bool isElement = formula != tagged.end() && state.numbers.at(formula->second).kind == Formula::Value;
  int told = isElement ? toldOf(formula->second) : -1;
  return told < 0 ? nullptr : &listener.arrayTold(told);
}

/// Before a question: numbers that nobody else holds any more are not handed on.
void Reader::dropCarried() {
  casts.clear();
  for (auto &[number, of] : carried) of.bounds = {};
  std::erase_if(carried, [](auto &c) { return Py_REFCNT(c.first) == 1; });
  std::erase_if(ranges, [](auto &r) { return Py_REFCNT(r.first) == 1; });
}

/// A number is one known by formula from here on: an element of its array.
int Reader::demote(PyObject *number) {
  auto known = carried.find(number);
  CarriedNumber of = std::move(known->second);
  carried.erase(known);
  Formula value;
  value.kind = Formula::Value;
  value.op = int(state.numbers.size()); // no other formula is the same
  value.type = Py_TYPE(number);
  int formula = state.numbers.add(std::move(value));
  if (now.size() < state.numbers.size()) now.resize(state.numbers.size());
  now[size_t(formula)] = of.number;
  state.told.emplace_back(formula, listener.tell(of.array));
  tagged[number] = formula;
  kept.push_back(of.number);
  state.named.emplace_back(of.number, formula);
  return formula;
}

/// What the call gives back and stores may be any of them.
void Reader::demoteAll() {
  dropCarried();
  std::vector<PyObject *> numbers;
  for (auto &[number, of] : carried) numbers.push_back(number);
  for (PyObject *number : numbers) demote(number);
  ranges.clear();
}

/// abs, min and max of numbers; false for other functions, and where they are no such numbers.
bool Reader::carriedCall(PyObject *callee, std::span<PyObject *> given) {
  const Builtins &b = Builtins::get();
  if (callee == b.root && given.size() == 1) return carriedRoot(given[0]);
  bool isPair = (callee == b.min || callee == b.max) && given.size() == 2 && Py_TYPE(given[0]) == Py_TYPE(given[1]);
  if (!isPair && !(callee == b.abs && given.size() == 1)) return false;
  std::vector<Array> arrays;
  for (PyObject *o : given) {
    bool isRead = PyLong_CheckExact(o) && tagged.contains(o); // of any size
    auto array = PyBool_Check(o) || isRead ? std::nullopt : arrayFor(o);
    if (!array) return false;
    arrays.push_back(std::move(*array));
  }
  if (!isPair) {
    Operand operands[] = {operandOf(arrays[0])};
    return expectCarried(applyElementwise(Op::Abs, operands), boundsOf(given[0]).absolute()), true;
  }
  // The first one, unless the second one is smaller or larger.
  Array isSecond = compute(callee == b.min ? Op::Less : Op::Greater, arrays[1], arrays[0]);
  Bounds bounds = either(boundsOf(given[0]), boundsOf(given[1]));
  return expectCarried(where(isSecond, operandOf(arrays[1]), operandOf(arrays[0])), bounds), true;
}

namespace {

/// How an operation does what Python does with two numbers, and what its result is between.
struct Alike {
  Op op;
  Bounds bounds = {};
};

/// What both have, where one is known to be none below 0.
Bounds masked(Bounds x, Bounds y) {
  for (Bounds mask : {y, x})
    if (mask.low >= 0 && !mask.isOpen) return Bounds::between(0, mask.high);
  return sameBits(x, y);
}

/// Of two integers, `constant` the second one where it is one.
std::optional<Alike> ofIntegers(int op, std::optional<int64_t> constant, Bounds x, Bounds y) {
  bool isPositive = constant && *constant > 0, isShift = constant && *constant >= 0 && *constant < 63;
  double scale = isShift ? std::ldexp(1, int(*constant)) : 1;
  auto where = [](bool holds, Alike a) { return holds ? std::optional(a) : std::nullopt; };
  switch (op) {
  case Add: return Alike{Op::Add, x + y};
  case Subtract: return Alike{Op::Subtract, x - y};
  case Multiply: return Alike{Op::Multiply, x * y};
  case And: return Alike{Op::BitwiseAnd, masked(x, y)};
  case Or: return Alike{Op::BitwiseOr, sameBits(x, y)};
  case Xor: return Alike{Op::BitwiseXor, sameBits(x, y)};
  case LeftShift: return where(isShift, {Op::BitwiseLeftShift, x * Bounds::of(scale)});
  case RightShift: return where(isShift, {Op::BitwiseRightShift, x.over(scale)});
  case FloorDivide: return where(isPositive, {Op::FloorDivide, constant ? x.over(double(*constant)) : x});
  case Remainder: return where(isPositive, {Op::Remainder, Bounds::between(0, constant ? double(*constant - 1) : 0)});
  default: return std::nullopt;
  }
}

} // namespace

/// Whether a number is not 0: a question, where it is none that stays. Its array is found anew behind it.
bool Reader::askDivisor(PyObject *number) {
  double value = PyFloat_AsDouble(number);
  if (PyErr_Occurred()) return PyErr_Clear(), false;
  if (value == 0 || !isTagged(number)) return value != 0;
  auto array = arrayFor(number);
  if (!array) return false;
  Object zero(check(PyFloat_FromDouble(0)));
  Array answer = compute(Op::NotEqual, cast(*array, DType::F64), *constantFor(zero.get()));
  if (array->dtype != DType::F64) noteExact();
  array.reset();
  return ask(answer);
}

/// The same of a root: that it is of nothing below 0.
bool Reader::carriedRoot(PyObject *number) {
  auto known = carried.find(number);
  if (known == carried.end() || !PyFloat_CheckExact(number) || PyFloat_AS_DOUBLE(number) < 0) return false;
  Object zero(check(PyFloat_FromDouble(0)));
  Array answer = compute(Op::Less, known->second.array, *constantFor(zero.get()));
  ask(answer);
  Operand operands[] = {operandOf(carried.at(number).array)};
  return expectCarried(applyElementwise(Op::Sqrt, operands)), true;
}

/// Arithmetic that arrays do as numbers do; false where they do not.
bool Reader::carriedArithmetic(int op, PyObject *a, PyObject *b) {
  auto isLarge = [&](PyObject *o) { return PyLong_CheckExact(o) && tagged.contains(o); };
  if (!isPlainNumber(a) || !isPlainNumber(b) || isLarge(a) || isLarge(b)) return false;
  bool isWhole = PyLong_CheckExact(a) && PyLong_CheckExact(b) && op != TrueDivide;
  Bounds x = boundsOf(a), y = boundsOf(b);
  std::optional<Alike> found;
  if (isWhole) {
    found = ofIntegers(op, isTagged(b) ? std::nullopt : wholeOf(b), x, y);
  } else if (x.growth() <= kMostOfFloats && y.growth() <= kMostOfFloats) {
    if (auto of = ofFloats(op); of && (op != TrueDivide || askDivisor(b))) found = Alike{*of};
  }
  if (!found || found->bounds.growth() > kMostGrowth) return false;
  auto left = arrayFor(a), right = arrayFor(b);
  if (!left || !right) return false;
  if (!isWhole) left = cast(*left, DType::F64), right = cast(*right, DType::F64), noteExact();
  return expectCarried(compute(found->op, *left, *right), found->bounds), true;
}

bool Reader::carriedInvert(PyObject *number) {
  auto known = carried.find(number);
  if (known == carried.end() || !PyLong_CheckExact(number)) return false;
  Operand operands[] = {operandOf(known->second.array)};
  return expectCarried(applyElementwise(Op::BitwiseInvert, operands), -known->second.bounds - Bounds::of(1)), true;
}

/// A comparison is a question.
bool Reader::carriedComparison(int how, PyObject *a, PyObject *b) {
  auto isLarge = [&](PyObject *o) { // perhaps, and floats are not as exact
    return PyLong_CheckExact(o) && (tagged.contains(o) || boundsOf(o).growth() > kMostOfFloats);
  };
  if (Py_TYPE(a) != Py_TYPE(b) && (isLarge(a) || isLarge(b))) return false;
  bool isPlain = isPlainNumber(a) && isPlainNumber(b);
  auto x = isPlain ? arrayFor(a) : std::nullopt, y = isPlain ? arrayFor(b) : std::nullopt;
  if (!x || !y) return false;
  if (x->dtype != y->dtype) x = cast(*x, DType::F64), y = cast(*y, DType::F64), noteExact();
  Array answer = compute(comparison(how), *x, *y);
  x.reset(), y.reset(); // what is held is handed on
  ask(answer);
  return true;
}

/// What an instruction left is the number of an array.
void Reader::settleCarried(PyObject **slot, Array array, Bounds bounds) {
  if (!slot || !isNumber(*slot) || !isValueOf(array, *slot)) fail("computes with a number otherwise than with an array");
  carryAs(slot, std::move(array), bounds);
}

/// The float that an element of an array is.
bool Reader::carryElement(PyObject **slot, int told) {
  const Array &element = listener.arrayTold(told);
  bool isOne = carries && PyFloat_CheckExact(*slot) && (element.dtype == DType::F32 || element.dtype == DType::F64);
  if (!isOne) return false;
  Array flat = reshape(element, Dims());
  Array wide = element.dtype == DType::F64 ? copy(flat) : cast(flat, DType::F64);
  if (!isValueOf(wide, *slot)) return false;
  listener.forget(told);
  carryAs(slot, std::move(wide));
  return true;
}

/// A number beside an array, which is rounded as the number would be.
const Array *Reader::carriedBeside(PyObject *number, DType dtype) {
  auto known = carried.find(number);
  const Array &array = known->second.array;
  bool isWhole = array.dtype == DType::I64, isOfFloats = dtype == DType::F64 || dtype == DType::F32;
  Bounds bounds = known->second.bounds;
  if (isOfFloats ? isWhole && bounds.growth() > kMostOfFloats : !isWhole || !bounds.fits(dtype)) return nullptr;
  if (isWhole && isOfFloats) noteExact();
  asked.insert(number);
  return &casts.emplace_back(cast(array, dtype));
}

/// Elements at positions that are kept or known by formula, and stores there, or of numbers that are kept: x[i], x[i, j] = y, x[i, 1:] = i.
/// What else is read would be a view. `stored`: null where it is read.
bool Reader::carriedIndex(PyObject *o, PyObject *key, PyObject *stored) {
  bool isStore = stored;
  const Array &x = listener.arrayOf(o);
  PyObject **items = PyTuple_CheckExact(key) ? PySequence_Fast_ITEMS(key) : &key;
  Py_ssize_t n = PyTuple_CheckExact(key) ? PyTuple_GET_SIZE(key) : 1;
  if (!hasNumbers() || n > x.shape.rank || (n < x.shape.rank && !isStore)) return false;
  std::vector<PyObject *> used;
  std::vector<int> formulas;
  for (Py_ssize_t axis = 0; axis < n; ++axis) {
    PyObject *item = items[axis];
    if (auto *slice = reinterpret_cast<PySliceObject *>(item); isStore && PySlice_Check(item)) {
      for (PyObject *part : {slice->start, slice->stop, slice->step})
        if (isTagged(part) || !(part == Py_None || PyLong_CheckExact(part))) return false;
      continue;
    }
    auto at = wholeOf(item);
    bool isInside = at && *at >= -x.shape[int(axis)] && *at < x.shape[int(axis)]; // else Python is to say so
    auto known = tagged.find(item);
    if (!isInside || (known != tagged.end() && isLateNumber(item))) return false;
    if (known != tagged.end()) formulas.push_back(known->second);
    if (isTagged(item)) used.push_back(item);
  }
  if (stored && carried.contains(stored)) used.push_back(stored);
  if (used.empty()) return false;
  if (auto known = tagged.find(stored); stored && known != tagged.end() && !isLateNumber(stored))
    formulas.push_back(known->second), used.push_back(stored);
  asked.clear();
  expected = {live.back().frame, live.back().next, -1, {}, std::move(formulas), std::move(used)};
  expected.isStore = isStore;
  return true;
}

} // namespace kiln::py
