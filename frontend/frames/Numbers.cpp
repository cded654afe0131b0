#include "frontend/frames/Numbers.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

namespace kiln::py {
namespace {

bool sameFormula(const Formula &a, const Formula &b) {
  bool isSame = a.kind == b.kind && a.op == b.op && a.of == b.of && a.type == b.type && sameValue(a.object.get(), b.object.get());
  return isSame && (a.kind != Formula::Read || a.place == b.place);
}

/// The same of formulas that are the same.
size_t hashOf(const Formula &formula) {
  size_t hash = size_t(formula.kind) * 31 + size_t(formula.op);
  auto mix = [&](size_t value) { hash = (hash ^ value) * 0x9e3779b97f4a7c15u, hash ^= hash >> 29; };
  for (int i : formula.of) mix(size_t(i));
  if (formula.kind == Formula::Read) mix(size_t(formula.place.kind)), mix(size_t(formula.place.index));
  PyObject *object = formula.object.get();
  if (object && PyFloat_CheckExact(object)) mix(std::bit_cast<uint64_t>(PyFloat_AS_DOUBLE(object)));
  else if (object && PyLong_CheckExact(object)) mix(size_t(PyObject_Hash(object)));
  return hash;
}

using BinaryFunction = PyObject *(*)(PyObject *, PyObject *);
PyObject *power(PyObject *a, PyObject *b) { return PyNumber_Power(a, b, Py_None); }
// As the interpreter numbers its operators.
constexpr BinaryFunction kBinary[] = {
    PyNumber_Add, PyNumber_And, PyNumber_FloorDivide, PyNumber_Lshift,   PyNumber_MatrixMultiply, PyNumber_Multiply, PyNumber_Remainder,
    PyNumber_Or,  power,        PyNumber_Rshift,      PyNumber_Subtract, PyNumber_TrueDivide,     PyNumber_Xor};
constexpr PyObject *(*kUnary[])(PyObject *) = {PyNumber_Negative, PyNumber_Positive, PyNumber_Invert};

/// A function of numbers in a tuple, and of those behind it.
PyObject *callOver(const Formula &f, PyObject *const *of) {
  auto n = size_t(f.op);
  Object all(PyTuple_New(Py_ssize_t(n)));
  if (!all) return nullptr;
  for (size_t i = 0; i < n; ++i) PyTuple_SET_ITEM(all.get(), Py_ssize_t(i), Py_NewRef(of[i]));
  std::vector<PyObject *> given{all.get()};
  given.insert(given.end(), of + n, of + f.of.size());
  return PyObject_Vectorcall(f.object.get(), given.data(), given.size(), nullptr);
}

} // namespace

int Numbers::add(Formula formula) {
  size_t hash = hashOf(formula);
  auto [first, end] = known.equal_range(hash);
  auto found = std::find_if(first, end, [&](auto &entry) { return sameFormula(at(entry.second), formula); });
  if (found != end) return found->second;
  known.emplace(hash, int(formulas.size()));
  late.push_back(formula.kind == Formula::Value || std::ranges::any_of(formula.of, [&](int i) { return isLate(i); }));
  formulas.push_back(std::move(formula));
  return int(formulas.size()) - 1;
}

int Numbers::find(const Place &place) const {
  Formula read;
  read.kind = Formula::Read;
  read.place = place;
  auto [first, end] = known.equal_range(hashOf(read));
  auto found =
      std::find_if(first, end, [&](auto &entry) { return at(entry.second).kind == Formula::Read && at(entry.second).place == place; });
  return found == end ? -1 : found->second;
}

Object Numbers::compute(const Formula &f, NumberValues &values) const {
  std::array<PyObject *, 4> few{};
  std::vector<PyObject *> many(f.of.size() > few.size() ? f.of.size() : 0);
  PyObject **of = many.empty() ? few.data() : many.data();
  for (size_t i = 0; i < f.of.size(); ++i)
    if (!(of[i] = valueOf(f.of[i], values))) return Object();
  switch (f.kind) {
  case Formula::Read: return f.place.read();
  case Formula::Value: return Object(); // not before `take`
  case Formula::Constant: return f.object;
  case Formula::Binary: return Object(kBinary[f.op](of[0], of[1]));
  case Formula::Unary: return Object(kUnary[f.op](of[0]));
  case Formula::Compare: return Object(PyObject_RichCompare(of[0], of[1], f.op));
  case Formula::Call: return Object(f.op ? callOver(f, of) : PyObject_Vectorcall(f.object.get(), of, f.of.size(), nullptr));
  }
  return Object();
}

PyObject *Numbers::valueOf(int i, NumberValues &values) const {
  if (values.size() < formulas.size()) values.resize(formulas.size());
  if (values[size_t(i)]) return values[size_t(i)].get();
  Object value = compute(at(i), values);
  if (!value) PyErr_Clear(); // the call itself will raise it
  if (!value || Py_TYPE(value.get()) != at(i).type) return nullptr;
  values[size_t(i)] = std::move(value);
  return values[size_t(i)].get();
}

void Numbers::require(int formula, PyObject *value) {
  auto [first, end] = required.equal_range(formula);
  if (std::any_of(first, end, [&](auto &entry) { return sameValue(conditions[size_t(entry.second)].value.get(), value); })) return;
  required.emplace(formula, int(conditions.size()));
  conditions.push_back({formula, Object::borrow(value)});
}

std::vector<char> Numbers::reached(std::vector<int> from, const std::function<bool(int)> &isEnd) const {
  std::vector<char> all(formulas.size());
  while (!from.empty()) {
    int i = from.back();
    from.pop_back();
    if (std::exchange(all[size_t(i)], 1) || (isEnd && isEnd(i))) continue;
    from.insert(from.end(), at(i).of.begin(), at(i).of.end());
  }
  return all;
}

bool Numbers::mayRaise(int formula) const {
  const Formula &f = at(formula);
  if (f.kind == Formula::Call) return true;
  if (f.kind == Formula::Value) return f.type == &PyLong_Type; // int() of what is no finite number
  auto isOfNumPy = [&](int i) { return at(i).type != &PyFloat_Type && at(i).type != &PyLong_Type && at(i).type != &PyBool_Type; };
  if (std::ranges::any_of(f.of, isOfNumPy)) return true; // warnings
  if (f.kind != Formula::Binary) return false;
  constexpr unsigned kSafe = 1 << 0 | 1 << 1 | 1 << 5 | 1 << 7 | 1 << 10 | 1 << 12; // + & * | - ^ of a BINARY_OP
  auto isFloat = [&](int i) { return at(i).type == &PyFloat_Type || (at(i).object && PyFloat_CheckExact(at(i).object.get())); };
  return !(kSafe >> f.op & 1) || isFloat(f.of[0]) != isFloat(f.of[1]); // a large int does not become a float
}

std::vector<char> Numbers::computed(std::span<const int> others) const {
  std::vector<int> from(others.begin(), others.end());
  from.insert(from.end(), results.begin(), results.end());
  for (const Condition &c : conditions) from.push_back(c.formula);
  for (const OfArray &a : arrays) from.push_back(a.formula);
  return reached(std::move(from));
}

std::vector<Py_ssize_t> Numbers::fixedArguments() const {
  std::vector<int> from;
  for (const Condition &c : conditions)
    if (at(c.formula).kind != Formula::Compare) from.push_back(c.formula);
  std::vector<char> used = reached(std::move(from));
  std::vector<Py_ssize_t> fixed;
  for (size_t i = 0; i < formulas.size(); ++i)
    if (used[i] && formulas[i].kind == Formula::Read && formulas[i].place.kind == Place::Argument) fixed.push_back(formulas[i].place.index);
  return fixed;
}

void Numbers::set(int formula, const Object &value, NumberValues &values) const {
  if (values.size() < formulas.size()) values.resize(formulas.size());
  values[size_t(formula)] = value;
}

bool Numbers::take(int formula, PyObject *element, NumberValues &values) const {
  const Formula &f = at(formula);
  bool isItself = !f.object || (isNumber(element) && f.object.get() == reinterpret_cast<PyObject *>(Py_TYPE(element))); // as float(0.5)
  Object number = isItself ? Object::borrow(element) : Object(PyObject_CallOneArg(f.object.get(), element));
  if (!number) PyErr_Clear();
  if (!number || Py_TYPE(number.get()) != f.type) return false;
  set(formula, number, values);
  return true;
}

int Numbers::findArray(int formula, DType dtype) const {
  for (size_t i = 0; i < arrays.size(); ++i)
    if (arrays[i].formula == formula && arrays[i].dtype == dtype) return int(i);
  return -1;
}

int Numbers::addArray(int formula, DType dtype) {
  arrays.push_back({formula, dtype});
  return int(arrays.size()) - 1;
}

Object Numbers::arrayOf(Py_ssize_t i, NumberValues &values) const {
  PyObject *number = valueOf(arrays[size_t(i)].formula, values);
  if (!number) return Object();
  Object array(package().arrayOfNumber(number, arrays[size_t(i)].dtype));
  if (!array) PyErr_Clear();
  return array;
}

bool Numbers::holds(NumberValues &values) const {
  values.clear();
  for (const Condition &c : conditions) {
    PyObject *now = valueOf(c.formula, values);
    if (!now || !sameValue(now, c.value.get())) return false;
  }
  return std::ranges::all_of(results, [&](int i) { return valueOf(i, values) != nullptr; });
}

std::vector<std::pair<std::string, PyObject *>> Numbers::describe() const {
  std::vector<std::pair<std::string, PyObject *>> all;
  for (const Formula &f : formulas)
    if (f.kind == Formula::Read) all.emplace_back(f.place.describe() + ", any number", reinterpret_cast<PyObject *>(f.type));
  for (const Condition &c : conditions) {
    const Formula &f = at(c.formula);
    bool isAsked = f.kind == Formula::Compare || f.type == &PyBool_Type;
    all.emplace_back(isAsked ? "a question about numbers" : "a number that is computed", c.value.get());
  }
  return all;
}

int Numbers::visit(visitproc visit, void *arg) const {
  for (const Formula &f : formulas) {
    Py_VISIT(f.place.container.visited());
    Py_VISIT(f.place.key.get());
    Py_VISIT(f.object.get());
  }
  return 0;
}

Object numberApart(PyObject *number) {
  if (!isNumber(number)) return Object(check(PyObject_CallMethod(number, "copy", nullptr)));
  if (PyFloat_CheckExact(number)) return Object(check(PyFloat_FromDouble(PyFloat_AS_DOUBLE(number))));
  auto *from = reinterpret_cast<PyLongObject *>(number);
#if PY_VERSION_HEX >= 0x030c0000
  auto digits = Py_ssize_t(from->long_value.lv_tag >> 3);
  PyLongObject *made = _PyLong_New(digits);
  if (!made) throw PythonError();
  made->long_value.lv_tag = from->long_value.lv_tag;
  std::memcpy(made->long_value.ob_digit, from->long_value.ob_digit, size_t(digits) * sizeof(digit));
#else
  Py_ssize_t digits = std::abs(Py_SIZE(from));
  PyLongObject *made = _PyLong_New(digits);
  if (!made) throw PythonError();
  Py_SET_SIZE(made, Py_SIZE(from));
  std::memcpy(made->ob_digit, from->ob_digit, size_t(digits) * sizeof(digit));
#endif
  return Object(reinterpret_cast<PyObject *>(made));
}

} // namespace kiln::py
