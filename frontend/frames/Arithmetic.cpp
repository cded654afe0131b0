// Numbers of a recorded call that are known by formula. Each is an object of its own, which takes the place of the one that was read on the
// stack: a true int or float, told from others by identity. Where it goes is judged with every instruction: arithmetic makes further
// formulas, operations on arrays take it as an input, and whatever may look at it otherwise requires its value.
#include "frontend/frames/Builtins.h"
#include "frontend/frames/Reader.h"

#include <algorithm>
#include <cmath>

namespace kiln::py {
namespace {

constexpr int kPower = 8, kMatmul = 4, kSubtract = 10, kOperators = 13; // of a BINARY_OP
constexpr size_t kMostQuestions = 10'000;                               // of a recording

bool isNan(PyObject *o) { return PyFloat_CheckExact(o) && std::isnan(PyFloat_AS_DOUBLE(o)); }

/// Whether it is a function of NumPy's that computes element by element.
bool isOfElements(PyObject *callee) { return std::string_view(Py_TYPE(callee)->tp_name) == "numpy.ufunc"; }

} // namespace

//===-- what is read ------------------------------------------------------------------------------------------------===//

/// Whether the code that runs stores to a place, too: then its number changes with the calls.
bool Reader::isStoredTo(const Place &place) const {
  PyCodeObject *code = live.back().frame.code();
  const CodeMap &map = CodeMap::of(code);
  bool isAttribute = place.kind == Place::Attribute || place.kind == Place::Found;
  const char *store = isAttribute                                                 ? "STORE_ATTR"
                      : place.kind == Place::Cell                                 ? "STORE_DEREF"
                      : Opcodes::get().name(map.at(atOffset).op) == "LOAD_GLOBAL" ? "STORE_GLOBAL"
                                                                                  : nullptr;
  if (!store) { // `d[k] += 1` copies both for the store
    const auto &offsets = map.offsets();
    auto here = std::ranges::find(offsets, atOffset);
    return here != offsets.begin() && here != offsets.end() && Opcodes::get().name(map.at(*(here - 1)).op) == "COPY";
  }
  return std::ranges::any_of(map.offsets(), [&](int offset) {
    const Instruction &i = map.at(offset);
    if (Opcodes::get().name(i.op) != store) return false;
    if (place.kind == Place::Cell) return i.arg == map.at(atOffset).arg;
    return PyUnicode_Compare(PyTuple_GET_ITEM(code->co_names, i.arg), place.key.get()) == 0;
  });
}

/// Whether later calls read a number anew; else it is required to stay what it is.
bool Reader::isWidened(const Place &place, PyObject *number) const {
  return state.numbers.size() < kMostFormulas && (isStoredTo(place) || listener.misses(place, number) >= kMisses);
}

/// A read that leaves its value on the stack.
void Reader::load(Place place, PyObject *value) {
  bool isOfNumber = value && mayVary(value);
  isReadOnce = value && !isOfNumber;
  if (!mayTag || !isOfNumber || isTagged(value)) return edge(std::move(place), value);
  auto seen = known.find({place.container.get(), place.kind, place.key.get(), place.index});
  if (seen != known.end() && seen->second >= 0) return; // what the call has stored
  int formula = state.numbers.find(place);
  if (formula < 0) {
    if (seen != known.end() || !isWidened(place, value)) return edge(std::move(place), value);
    isNew(place);
    formula = addRead(std::move(place), value);
  } else if (Py_TYPE(value) != state.numbers.at(formula).type) {
    return void(state.guards.emplace_back(place, value)); // other paths are those of another type
  }
  if (now.size() < state.numbers.size()) now.resize(state.numbers.size());
  now[size_t(formula)] = Object::borrow(value);
  expected = {.frame = live.back().frame, .next = live.back().next, .formula = formula, .of = {formula}};
}

/// The formula of a place's number, which later calls read anew.
int Reader::addRead(Place place, PyObject *value) {
  Formula read;
  read.kind = Formula::Read;
  read.place = std::move(place);
  read.type = Py_TYPE(value);
  int formula = state.numbers.add(std::move(read));
  if (now.size() < state.numbers.size()) now.resize(state.numbers.size());
  now[size_t(formula)] = Object::borrow(value);
  return formula;
}

//===-- formulas ----------------------------------------------------------------------------------------------------===//

int Reader::formulaOf(PyObject *number) {
  if (carried.contains(number)) return demote(number);
  if (auto known = tagged.find(number); known != tagged.end()) return known->second;
  Formula constant;
  constant.object = Object::borrow(number);
  constant.type = Py_TYPE(number);
  return state.numbers.add(std::move(constant));
}

void Reader::giveNumber(PyObject *apart, Py_ssize_t number) {
  int formula = addRead({Place::Argument, {}, {}, number}, apart);
  tagged[apart] = formula;
  kept.push_back(Object::borrow(apart));
  state.named.emplace_back(Object::borrow(apart), formula);
}

/// The number on the stack becomes one that is known by its formula.
void Reader::tag(PyObject **slot, int formula) {
  Object apart = numberApart(*slot);
  tagged[apart.get()] = formula;
  kept.push_back(apart);
  state.named.emplace_back(apart, formula);
  Py_SETREF(*slot, apart.release());
}

/// The instruction under way leaves the value of a formula.
void Reader::expect(Formula formula) {
  expected = {live.back().frame, live.back().next, -1, {}, formula.of, {}};
  expected.call = std::move(formula);
}

/// The instruction before has ended: its value is in `slot`, or it ended otherwise.
void Reader::settle(PyObject **slot, bool isDone) {
  Expected ended = std::move(expected);
  expected = {};
  if (ended.isValue) return settleValue(slot, std::move(ended.call));
  if (ended.isChoice) return settleChoice(slot, std::move(*ended.array), ended.call.op);
  if (ended.array) return settleCarried(slot, std::move(*ended.array), ended.bounds);
  if (ended.range) return settleRange(slot, std::move(*ended.range));
  bool hasInputs = std::ranges::all_of(ended.operands, [&](PyObject *o) { return asked.contains(o); });
  if (slot && ended.formula >= 0)
    return isNan(*slot) ? pin(ended.formula) : tag(slot, ended.formula); // `nan in [nan]` tells one from another
  if (ended.coming && slot) return ended.coming->function ? tagComing(*ended.coming, slot) : settleComing(*ended.coming, *slot);
  if (ended.isSplit) return settleSplit(slot, std::move(ended.call));
  if (slot && ended.each.size()) {
    for (size_t i = 0; i < ended.each.size(); ++i)
      if (ended.each[i] >= 0) tag(slot - i, ended.each[i]);
    return;
  }
  bool isOfNumbers = slot && ended.operands.empty() && mayVary(*slot);
  if (isOfNumbers && state.numbers.size() < kMostFormulas) {
    ended.call.type = Py_TYPE(*slot);
    int formula = state.numbers.add(std::move(ended.call));
    if (now.size() < state.numbers.size()) now.resize(state.numbers.size());
    now[size_t(formula)] = Object::borrow(*slot);
    if (state.numbers.mayRaise(formula)) state.risky.push_back(formula);
    return tag(slot, formula);
  }
  if ((slot || ended.isPassed || (ended.isStore && isDone)) && ended.operands.size() && hasInputs) return;
  if (ended.position) fail("goes through an array in an unknown way");
  for (int formula : ended.of) pin(formula); // it raised, or made something else of the numbers
  for (PyObject *o : ended.operands)
    if (carried.contains(o)) pin(o);
}

/// Which element that was told a formula is; -1: it is of another path.
int Reader::toldOf(int formula) const {
  auto known = std::ranges::find_if(state.told, [&](auto &t) { return t.first == formula; });
  return known == state.told.end() ? -1 : known->second;
}

/// Elements whose numbers nobody holds any more are not handed from segment to segment. `left`: numbers that the instruction under way
/// takes from the stack.
void Reader::forgetValues(std::initializer_list<PyObject *> left) {
  constexpr Py_ssize_t kOwn = 2; // references: of `kept` and of the state
  std::vector<int> held;
  for (auto &[object, formula] : state.named)
    if (Py_REFCNT(object.get()) > kOwn + std::ranges::count(left, object.get())) held.push_back(formula);
  auto isKept = [&](int formula) { return state.numbers.at(formula).kind != Formula::Value && toldOf(formula) >= 0; };
  std::vector<char> last = state.numbers.reached(held, isKept), used = state.numbers.reached(std::move(held));
  for (size_t i = 0; i < used.size(); ++i) // what was computed is of use where nothing that is made of it was
    if (state.numbers.at(int(i)).kind != Formula::Value) used[i] = last[i];
  size_t alive = 0;
  for (auto &[formula, told] : state.told) {
    if (told >= 0 && !used[size_t(formula)]) listener.forget(std::exchange(told, -1));
    alive += told >= 0;
  }
  manyTold = std::max<size_t>(4, 2 * alive);
}

/// An element of an array that the function asked for: a number of its own, on which nothing depends yet.
void Reader::settleValue(PyObject **slot, Formula value) {
  listener.tellNext(false);
  int before = value.op, number = listener.told() - 1;
  if (number < before) return; // it was no element of an array of this recording, or not told
  bool isNumber = slot && (PyFloat_CheckExact(*slot) || PyLong_CheckExact(*slot));
  if (!isNumber || number > before || state.numbers.size() >= kMostFormulas) {
    for (int i = before; i <= number; ++i) listener.dependOn(i);
    return;
  }
  bool isPlain = !value.object || value.object.get() == asObject(&PyFloat_Type);
  if (isPlain && carryElement(slot, number)) return;
  value.op = int(state.numbers.size()); // no other formula is the same
  value.type = Py_TYPE(*slot);
  int formula = state.numbers.add(std::move(value));
  if (now.size() < state.numbers.size()) now.resize(state.numbers.size());
  now[size_t(formula)] = Object::borrow(*slot);
  state.told.emplace_back(formula, number);
  if (state.numbers.mayRaise(formula) && isFloat(listener.arrayTold(number).dtype)) state.risky.push_back(formula);
  tag(slot, formula);
}

/// Requires the value of a formula.
void Reader::pin(int formula) {
  const Formula &f = state.numbers.at(formula);
  if (f.kind == Formula::Constant || !pinned.insert(formula).second) return;
  if (f.kind == Formula::Value) {
    auto known = std::ranges::find_if(state.told, [&](auto &t) { return t.first == formula; });
    if (known == state.told.end() || known->second < 0) return;
    listener.dependOn(std::exchange(known->second, -1));
    state.fixed.emplace_back(formula, now[size_t(formula)]);
    return;
  }
  if (state.numbers.isLate(formula)) {
    for (int i : std::vector<int>(f.of)) pin(i);
    return;
  }
  state.numbers.require(formula, state.numbers.valueOf(formula, now));
}

/// Something may look at an object.
void Reader::pin(PyObject *o) {
  if (carried.contains(o)) demote(o);
  if (auto known = tagged.find(o); known != tagged.end()) pin(known->second);
}

//===-- instructions ------------------------------------------------------------------------------------------------===//

/// Operators that use a number known by formula; false for others, and where its value is looked at.
bool Reader::arithmetic(const Instruction &i, std::string_view name, PyObject **top) {
  PyObject *a = top[-2], *b = top[-1];
  if (name.starts_with("UNARY")) {
    if (!isTagged(b) || (!isNumber(b) && !isFormulaOfNumPy(b, b))) return false;
    Object zero(PyLong_FromLong(0));
    bool isNegated = name == "UNARY_NEGATIVE" && carried.contains(b) && PyLong_CheckExact(b);
    if (isNegated && carriedArithmetic(kSubtract, zero.get(), b)) return true;
    if (name == "UNARY_INVERT" && carriedInvert(b)) return true;
    int sign = name == "UNARY_NEGATIVE" ? Formula::Negative : name == "UNARY_POSITIVE" ? Formula::Positive : Formula::Invert;
    return expect({Formula::Unary, sign, {}, {}, {formulaOf(b)}, nullptr}), true;
  }
  if ((!isTagged(a) && !isTagged(b)) || name == "CONTAINS_OP") return false;
  int op = i.arg % kOperators;
  if (isArray(a) || isArray(b)) return besideArray(name == "BINARY_OP" ? op : 0, a, b);
  if ((!isNumber(a) && !mayVary(a)) || (!isNumber(b) && !mayVary(b))) return false;
  if ((!isNumber(a) || !isNumber(b)) && !isFormulaOfNumPy(a, b)) return false;
  if (name == "COMPARE_OP") return compare(comparisonOf(i), a, b, true);
  if ((carried.contains(a) || carried.contains(b)) && carriedArithmetic(op, a, b)) return true;
  return expect({Formula::Binary, op, {}, {}, {formulaOf(a), formulaOf(b)}, nullptr}), true;
}

/// Whether a number is made of values of arrays, or is kept as an array.
bool Reader::isLateNumber(PyObject *number) {
  auto known = tagged.find(number);
  return carried.contains(number) || (known != tagged.end() && state.numbers.isLate(known->second));
}

/// Whether later calls compute what NumPy makes of two numbers: where the call handles its errors no other way, and before it runs.
bool Reader::isFormulaOfNumPy(PyObject *a, PyObject *b) { return !watchesErrors && !isLateNumber(a) && !isLateNumber(b); }

/// Calls of this recording are those where the answer is the same.
bool Reader::compare(int how, PyObject *a, PyObject *b, bool areLeft) {
  if ((carried.contains(a) || carried.contains(b)) && carriedComparison(how, a, b)) return true;
  int left = formulaOf(a), right = formulaOf(b);
  bool areMany = state.numbers.size() >= kMostQuestions; // with as many answers, calls are not alike but with the same numbers
  bool isLate = state.numbers.isLate(left) || state.numbers.isLate(right);
  if (!areMany && isLate && askedComparison(how, left, right, a, b, areLeft)) return true;
  if (areMany || isLate) return pin(left), pin(right), true; // that it will be the same, nobody can know
  Object answer(check(PyObject_RichCompare(a, b, how)));
  return requireTruth({Formula::Compare, how, {}, {}, {left, right}, nullptr}, answer.get()), true;
}

/// An operation on an array and a number. Powers are computed in another way for each exponent.
bool Reader::besideArray(int op, PyObject *a, PyObject *b) {
  auto isOperand = [](PyObject *o) { return isArray(o) || isNumber(o) || mayVary(o); };
  bool isKnown = isOperand(a) && isOperand(b);
  if (!isKnown || op == kPower || op == kMatmul) return false;
  PyObject *number = isArray(a) ? b : a;
  asked.clear();
  DType beside = listener.arrayOf(isArray(a) ? a : b).dtype;
  if (carried.contains(number) && !isComplex(beside)) {
    expected = {live.back().frame, live.back().next, -1, {}, {}, {number}};
    return true;
  }
  int formula = formulaOf(number);
  // Before the operation is recorded: a guard behind it would come too late for its constant.
  bool isBesideComplex = isComplex(beside);
  bool isLate = state.numbers.isLate(formula);
  if (isLate && (isBesideComplex || !isAskable(formula) || !askDomain(formula))) return pin(formula), true;
  asked.clear();
  expected = {live.back().frame, live.back().next, -1, {}, {formula}, {number}};
  return true;
}

/// Functions of C that compute a number of numbers.
bool Reader::callOnNumbers(PyObject *callee, PyObject **args, Py_ssize_t n, bool hasNames) {
  std::span<PyObject *> given(args, size_t(n));
  bool isUfunc = isOfElements(callee);
  bool isOfC = PyCFunction_Check(callee) || callee == asObject(&PyFloat_Type) || callee == asObject(&PyLong_Type) || isUfunc;
  bool isPlain = isOfC && !hasNames && std::ranges::all_of(given, [](PyObject *o) { return isNumber(o) || mayVary(o); });
  if (!isPlain || std::ranges::none_of(given, [&](PyObject *o) { return isTagged(o); })) return false;
  if (values.known(callee) != (isUfunc ? Known::OfNumPy : Known::Computes)) return false;
  bool isOfNumPy = isUfunc || std::ranges::any_of(given, [](PyObject *o) { return !isNumber(o); });
  if (isOfNumPy && (watchesErrors || std::ranges::any_of(given, [&](PyObject *o) { return isTagged(o) && isLateNumber(o); }))) return false;
  if (std::ranges::any_of(given, [&](PyObject *o) { return carried.contains(o); }) && carriedCall(callee, given)) return true;
  if (n == 1 && askedTest(callee, given[0])) return true;
  Formula call{Formula::Call, 0, {}, Object::borrow(callee), {}, nullptr};
  for (PyObject *o : given) call.of.push_back(formulaOf(o));
  expect(std::move(call));
  expected.isSplit = callee == Builtins::get().divmod && !isOfNumPy;
  return true;
}

/// Functions of arrays and numbers, as operators are.
bool Reader::callOperation(PyObject *callee, PyObject **args, Py_ssize_t n, bool hasNames) {
  std::span<PyObject *> given(args, size_t(n));
  bool isFunction = PyFunction_Check(callee);
  auto isArrayOrAt = [&](PyObject *o) { return isArray(o) || (isFunction && !mayVary(o) && values.sortOf(o) == Sort::Trusted); };
  auto isOperand = [&](PyObject *o) { return isArrayOrAt(o) || isNumber(o) || o == Py_None || mayVary(o); };
  if (!std::ranges::all_of(given, isOperand) || std::ranges::none_of(given, isArrayOrAt)) return false;
  if (!isFunction && (hasNames || Py_TYPE(callee)->tp_hash != PyBaseObject_Type.tp_hash)) return false; // no code of the user runs
  int isOperation = PySet_Contains(package().operations, callee);
  if (isOperation <= 0) return isOperation < 0 ? throw PythonError() : false;
  Expected call{live.back().frame, live.back().next, -1, {}, {}, {}};
  for (PyObject *o : given) {
    if (!isTagged(o)) continue;
    call.of.push_back(formulaOf(o));
    call.operands.push_back(o);
    if (state.numbers.isLate(call.of.back())) return false; // its value is looked at
  }
  if (call.of.empty()) return false;
  asked.clear();
  expected = std::move(call);
  return true;
}

/// float(x), int(x) and x.item(): what is done with the number is seen later.
bool Reader::callForValue(PyObject *callee, PyObject **args, Py_ssize_t n, bool hasNames) {
  if (n != 1 || hasNames || !isArray(args[0])) return false;
  bool isType = callee == asObject(&PyFloat_Type) || callee == asObject(&PyLong_Type);
  static PyObject *const item = check(PyObject_GetAttrString(asObject(arrayType), "item"));
  if (!isType && callee != item) return false;
  size_t alive = size_t(std::ranges::count_if(state.told, [](auto &t) { return t.second >= 0; }));
  if (alive >= manyTold) forgetValues();
  expected = {live.back().frame, live.back().next, -1, {}, {}, {}, true};
  expected.call.kind = Formula::Value;
  expected.call.op = listener.told();
  if (isType) expected.call.object = Object::borrow(callee);
  listener.tellNext(true);
  return true;
}

/// What a function gives back: C may have called it, and looks at that.
void Reader::returned(const Frame &frame, PyObject *value) {
  if (live.size() < 2 && openItems.size()) return pinResult(value);
  if (live.size() < 2) return;
  Frame to = frame.caller(); // one of the package looks at it, too
  if (to && !frame.isCalledByC() && state.codes.contains(to.code())) return;
  if (!hasNumbers() && openItems.empty() && !lookedAt.contains(frame.code())) return;
  Live &by = live[live.size() - 2];
  bool isBy = by.frame == frame.caller();
  if (isBy && std::ranges::find(by.forwarded, frame.code()) != by.forwarded.end()) return;
  if (isBy && isOfMap(by, frame)) return nextOfMap(by, value);
  if (lookedAt.contains(frame.code())) return deep(value);
  pinAll(value);
}

/// All numbers that an object leads to.
void Reader::pinAll(PyObject *o, int depth) {
  constexpr int kMost = 1000, kDeepest = 20;
  if (++visits > kMost || depth > kDeepest) fail("gives large containers to a function");
  Sort sort = values.sortOf(o);
  if (sort == Sort::Plain) return pin(o);
  if (sort == Sort::Trusted) pin(o);
  if (!mayHold(sort)) return;
  pinItems(o);
  for (PyObject *held : heldBy(o)) pinAll(held, depth + 1);
}

//===-- operations --------------------------------------------------------------------------------------------------===//

/// Whether a formula is the float that an element of an array of floats is.
bool Reader::isElement(int formula) const {
  int told = toldOf(formula);
  return told >= 0 && state.numbers.at(formula).type == &PyFloat_Type && isFloat(listener.arrayTold(told).dtype);
}

/// The element of an array beside another one, or what is made of some, which is rounded as its number would be: both are floats.
const Array *Reader::elementFor(int formula, DType dtype) {
  if (!isFloat(dtype) || !isAskable(formula)) return nullptr;
  for (PyObject *o : expected.operands) asked.insert(o);
  Array flat = isElement(formula) ? reshape(listener.arrayTold(toldOf(formula)), Dims()) : arrayAsked(formula);
  return &casts.emplace_back(cast(flat, dtype));
}

/// The input of the recording that a number is beside an array.
const Array *Reader::inputOf(const void *number, DType dtype) {
  auto *object = static_cast<PyObject *>(const_cast<void *>(number));
  bool isExpected = std::ranges::find(expected.operands, object) != expected.operands.end();
  if (isExpected && expected.position) return asked.insert(object), &*expected.position;
  if (why.empty() && isExpected && carried.contains(object)) return carriedBeside(object, dtype);
  auto found = tagged.find(object);
  if (why.size() || found == tagged.end() || !isExpected) return nullptr;
  int formula = found->second;
  if (state.numbers.isLate(formula)) return elementFor(formula, dtype);
  asked.insert(object);
  return &inputFor(formula, object, dtype);
}

/// The input of the recording that has the value of a formula.
const Array &Reader::inputFor(int formula, PyObject *value, DType dtype) {
  int i = state.numbers.findArray(formula, dtype);
  if (i < 0) {
    Object array(check(package().arrayOfNumber(value, dtype)));
    i = state.numbers.addArray(formula, dtype);
    listener.addInput(array.get());
    state.arrays.push_back({Place::Number, {}, {}, i});
  }
  auto place = std::ranges::find_if(state.arrays, [&](const Place &p) { return p.kind == Place::Number && p.index == i; });
  return listener.inputAt(size_t(place - state.arrays.begin()));
}

/// Small integers that were stored are again those that everybody has.
void Reader::putBack() {
  for (Store &s : state.stores) {
    if (!isTagged(s.value.get()) || !PyLong_CheckExact(s.value.get()) || s.place.kind == Place::Items) continue;
    PyObject *container = s.passed < 0 ? s.place.container.get() : passed[size_t(s.passed)];
    int overflow;
    long long value = PyLong_AsLongLongAndOverflow(s.value.get(), &overflow);
    Place place = s.place;
    place.container = Held(container);
    if (overflow || place.read().get() != s.value.get()) continue;
    Object plain(check(PyLong_FromLongLong(value)));
    s.put(container, plain.get());
  }
}

} // namespace kiln::py
