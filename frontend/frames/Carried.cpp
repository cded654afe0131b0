// Numbers that loops change, kept as arrays without axes while a call is recorded: what is computed of them is recorded like operations on
// arrays, and comparisons are questions, so that a trip does the same whatever they are. Only what comes out as Python computes it is kept
// so; for anything else they are numbers known by formula again, as elements of arrays are (Arithmetic.cpp).
#include "frontend/frames/Reader.h"

#include <bit>
#include <cmath>

namespace kiln::py {
namespace {

// Bounds of integers, so that int64 never overflows: what a loop hands on, what is added at once, and how often between questions.
constexpr int64_t kMostAdded = int64_t(1) << 32;
constexpr int kMostAdditions = 16;

Operand operandOf(const Array &array) {
  Operand o;
  o.array = &array;
  return o;
}

Array compute(Op op, const Array &a, const Array &b) {
  Operand operands[] = {operandOf(a), operandOf(b)};
  return applyElementwise(op, operands);
}

/// An exact int in int64; none for others.
std::optional<int64_t> wholeOf(PyObject *number) {
  int overflow = 0;
  if (!PyLong_CheckExact(number)) return std::nullopt;
  long long value = PyLong_AsLongLongAndOverflow(number, &overflow);
  return overflow ? std::nullopt : std::optional<int64_t>(value);
}

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
  if (!whole || std::abs(*whole) > kMostCarried) return std::nullopt;
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

void Reader::carryAs(PyObject **slot, Array array) {
  Object apart = numberApart(*slot);
  carried[apart.get()] = {apart, std::move(array)};
  Py_SETREF(*slot, apart.release());
}

bool Reader::carry(PyObject **slot) {
  PyObject *o = *slot;
  if (!carries || why.size() || !o || carried.contains(o)) return false;
  if (auto formula = tagged.find(o); formula != tagged.end()) {
    bool isRead = PyFloat_CheckExact(o) && !state.numbers.isLate(formula->second);
    if (isRead) carryAs(slot, copy(inputFor(formula->second, o, DType::F64)));
    return isRead;
  }
  if (Py_TYPE(o) == &PyRangeIter_Type) return carryRange(o);
  bool isOwn = PyFloat_CheckExact(o) || PyLong_CheckExact(o);
  auto array = isOwn ? constantFor(o) : std::nullopt;
  if (!array) return false;
  carryAs(slot, std::move(*array));
  return true;
}

/// A range that goes on from where it is.
bool Reader::carryRange(PyObject *iterator) {
  if (ranges.contains(iterator)) return false;
  Object parts(check(PyObject_CallMethod(iterator, "__reduce__", nullptr))); // of C
  PyObject *given = PyTuple_GET_ITEM(parts.get(), 1), *range = PyTuple_GET_ITEM(given, 0);
  Py_ssize_t at = PyTuple_GET_SIZE(parts.get()) > 2 ? PyLong_AsSsize_t(PyTuple_GET_ITEM(parts.get(), 2)) : 0;
  int64_t numbers[3];
  const char *names[] = {"start", "stop", "step"};
  for (int i = 0; i < 3; ++i) {
    Object number(check(PyObject_GetAttrString(range, names[i])));
    auto whole = wholeOf(number.get());
    if (!whole || std::abs(*whole) > kMostAdded) return false;
    numbers[i] = *whole;
  }
  auto now = constantArray(DType::I64, {numbers[0] + at * numbers[2], 0});
  ranges[iterator] = {Object::borrow(iterator), std::move(now), numbers[1], numbers[2]};
  return true;
}

/// The next number of a range that is kept: whether there is one is a question.
bool Reader::nextOfRange(PyObject *iterator) {
  auto known = ranges.find(iterator);
  if (known == ranges.end()) return false;
  CarriedRange &range = known->second;
  Op isBefore = range.step > 0 ? Op::Less : Op::Greater;
  Array answer = compute(isBefore, range.now, constantArray(DType::I64, {range.stop, 0})); // what is held is handed on: not the constant
  if (!ask(answer)) return ranges.erase(known), true;
  expected = {live.back().frame, live.back().next, -1, {}, {}, {}};
  expected.array = range.now;
  range.now = compute(Op::Add, range.now, constantArray(DType::I64, {range.step, 0}));
  return true;
}

bool Reader::ask(const Array &answer) {
  listener.ask(answer);
  return *answer.data();
}

const Array *Reader::carriedAs(PyObject *number) const {
  auto known = carried.find(number);
  if (known != carried.end()) return &known->second.array;
  auto formula = tagged.find(number);
  int told = formula == tagged.end() ? -1 : toldOf(formula->second);
  return told < 0 ? nullptr : &listener.arrayTold(told);
}

/// Before a question: numbers that nobody else holds any more are not handed on.
void Reader::dropCarried() {
  additions = 0;
  casts.clear();
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
  static PyObject *const module = check(PyImport_ImportModule("builtins"));
  static PyObject *const absolute = check(PyObject_GetAttrString(module, "abs")),
                         *const least = check(PyObject_GetAttrString(module, "min")),
                         *const most = check(PyObject_GetAttrString(module, "max"));
  bool isPair = (callee == least || callee == most) && given.size() == 2 && Py_TYPE(given[0]) == Py_TYPE(given[1]);
  if (!isPair && !(callee == absolute && given.size() == 1)) return false;
  std::vector<Array> arrays;
  for (PyObject *o : given) {
    bool isRead = PyLong_CheckExact(o) && tagged.contains(o); // of any size
    auto array = PyBool_Check(o) || isRead ? std::nullopt : arrayFor(o);
    if (!array) return false;
    arrays.push_back(std::move(*array));
  }
  expected = {live.back().frame, live.back().next, -1, {}, {}, {}};
  if (!isPair) {
    Operand operands[] = {operandOf(arrays[0])};
    expected.array = applyElementwise(Op::Abs, operands);
  } else { // the first one, unless the second one is smaller or larger
    Array isSecond = compute(callee == least ? Op::Less : Op::Greater, arrays[1], arrays[0]);
    expected.array = where(isSecond, operandOf(arrays[1]), operandOf(arrays[0]));
  }
  return true;
}

/// Arithmetic that arrays do as numbers do; false where they do not.
bool Reader::carriedArithmetic(int op, PyObject *a, PyObject *b) {
  enum { Add = 0, FloorDivide = 2, Multiply = 5, Remainder = 6, Subtract = 10, TrueDivide = 11 };
  bool isWhole = PyLong_CheckExact(a) && PyLong_CheckExact(b);
  bool isPlain = (PyLong_CheckExact(a) || PyFloat_CheckExact(a)) && (PyLong_CheckExact(b) || PyFloat_CheckExact(b));
  bool isConstant = !isTagged(b), isOne = isConstant || !isTagged(a);
  auto constant = isConstant ? wholeOf(b) : std::nullopt;
  auto other = isOne ? wholeOf(isConstant ? b : a) : std::nullopt;
  std::optional<Op> found;
  if (op == Add || op == Subtract) found = op == Add ? Op::Add : Op::Subtract;
  if (op == Multiply && !isWhole) found = Op::Multiply;
  if (op == TrueDivide && isConstant && PyFloat_AsDouble(b) != 0) found = Op::Divide;
  if (PyErr_Occurred()) PyErr_Clear();
  if (isWhole && constant && *constant > 0 && (op == Remainder || op == FloorDivide))
    found = op == Remainder ? Op::Remainder : Op::FloorDivide;
  bool isBounded = !isWhole || op == Remainder || op == FloorDivide || op == TrueDivide ||
                   (other && std::abs(*other) <= kMostAdded && ++additions <= kMostAdditions);
  auto isLarge = [&](PyObject *o) { return PyLong_CheckExact(o) && tagged.contains(o); };
  if (!found || !isPlain || !isBounded || isLarge(a) || isLarge(b)) return false;
  auto x = arrayFor(a), y = arrayFor(b);
  if (!x || !y) return false;
  if (!isWhole || op == TrueDivide) x = cast(*x, DType::F64), y = cast(*y, DType::F64);
  expected = {live.back().frame, live.back().next, -1, {}, {}, {}};
  expected.array = compute(*found, *x, *y);
  return true;
}

/// A comparison is a question.
bool Reader::carriedComparison(int how, PyObject *a, PyObject *b) {
  constexpr Op kOps[] = {Op::Less, Op::LessEqual, Op::Equal, Op::NotEqual, Op::Greater, Op::GreaterEqual};
  bool isPlain = (PyLong_CheckExact(a) || PyFloat_CheckExact(a)) && (PyLong_CheckExact(b) || PyFloat_CheckExact(b));
  auto isLarge = [&](PyObject *o) { return PyLong_CheckExact(o) && tagged.contains(o); }; // perhaps, and floats are not as exact
  if (Py_TYPE(a) != Py_TYPE(b) && (isLarge(a) || isLarge(b))) return false;
  auto x = isPlain ? arrayFor(a) : std::nullopt, y = isPlain ? arrayFor(b) : std::nullopt;
  if (!x || !y) return false;
  if (x->dtype != y->dtype) x = cast(*x, DType::F64), y = cast(*y, DType::F64);
  Array answer = compute(kOps[how], *x, *y);
  x.reset(), y.reset(); // what is held is handed on
  ask(answer);
  return true;
}

/// What an instruction left is the number of an array.
void Reader::settleCarried(PyObject **slot, Array array) {
  if (!slot || !isNumber(*slot) || !isValueOf(array, *slot)) fail("computes with a number otherwise than with an array");
  carryAs(slot, std::move(array));
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
  bool isKept = dtype == DType::F64 || dtype == DType::F32 || (dtype == DType::I64 && array.dtype == DType::I64);
  if (!isKept) return nullptr;
  asked.insert(number);
  return &casts.emplace_back(cast(array, dtype));
}

} // namespace kiln::py
