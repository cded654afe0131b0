// What C takes of containers and iterators at once: list(l), [*l], f(*l), l[1:], {**d}, sum(l), sorted(l). Numbers that are known by
// formula go along: in a copy they are objects of their own, and functions of them are formulas.
#include "frontend/frames/Builtins.h"
#include "frontend/frames/Reader.h"
#include "frontend/frames/Scalars.h"

#include <algorithm>
#include <exception>

namespace kiln::py {
namespace {

bool isSequence(PyObject *o) { return PyList_CheckExact(o) || PyTuple_CheckExact(o); }
bool isView(PyObject *o) { return Py_TYPE(o) == &PyDictValues_Type || Py_TYPE(o) == &PyDictItems_Type; }

/// Whether an iterator of C's goes through containers alone, and nobody else holds it or those that it goes on with.
bool isOwnIterator(PyObject *o) {
  PyTypeObject *type = Py_TYPE(o);
  if (Py_REFCNT(o) != 1) return false;
  for (PyTypeObject *plain : {&PyListIter_Type, &PyTupleIter_Type, &PyListRevIter_Type, &PyReversed_Type, &PyDictIterKey_Type,
                              &PyDictIterValue_Type, &PyDictIterItem_Type, &PyRangeIter_Type})
    if (type == plain) return true;
  if (std::string_view(type->tp_name).starts_with("str_")) return true; // two classes, of which the headers name one
  if (type != &PyZip_Type && type != &PyEnum_Type) return false;
  Object state(check(PyObject_CallMethod(o, "__reduce__", nullptr)));
  if (type == &PyZip_Type && PyTuple_GET_SIZE(state.get()) != 2) return false; // a strict one may raise
  state = Object();
  std::vector<PyObject *> held = heldBy(o); // its iterators come first
  if (held.empty()) return false;
  if (type == &PyEnum_Type) return isOwnIterator(held[0]);
  PyObject *all = held[0];
  return PyTuple_Check(all) && PyTuple_GET_SIZE(all) &&
         std::all_of(PySequence_Fast_ITEMS(all), PySequence_Fast_ITEMS(all) + PyTuple_GET_SIZE(all), isOwnIterator);
}

} // namespace

/// Whether an instruction takes an object from there, so that another one may be put in its place.
bool Reader::isOnStack(PyObject **slot) const {
  const Frame &frame = live.back().frame;
  return slot >= frame.stack() && slot < frame.stack() + frame.code()->co_stacksize;
}

/// An object of the user that C goes through: a generator gives what it has, any other iterator would run code that nobody judges.
void Reader::walkedByC(PyObject *o) {
  static PyObject *const name = PyUnicode_InternFromString("__iter__");
  PyObject *found = _PyType_Lookup(Py_TYPE(o), name);
  bool isGenerator =
      found && PyFunction_Check(found) && reinterpret_cast<PyCodeObject *>(PyFunction_GET_CODE(found))->co_flags & CO_GENERATOR;
  if (!isGenerator) fail(std::string("goes through a ") + Py_TYPE(o)->tp_name + " at once, which has an iterator of its own");
  special(o, {"__iter__", "__len__", "__length_hint__"});
}

/// What is gone through as a whole by C, which keeps the items as they are.
void Reader::takenAtOnce(PyObject **slot) {
  PyObject *o = *slot;
  if (values.sortOf(o) == Sort::Instance) return walkedByC(o);
  iterated(o);
  if (values.sortOf(o) == Sort::Iterator) take(o, Taking::Kept);
  if (openItems.empty() || PyGen_CheckExact(o) || isJudgedMap(o)) return;
  Object copy = isOnStack(slot) ? copyApart(o) : Object();
  if (!copy) return pinBehind(o);
  kept.push_back(copy);
  setOrigin(copy.get(), Origin::Fresh);
  Py_SETREF(*slot, copy.release());
  live.back().taking = {};
  if (std::exception_ptr why = std::exchange(failed, nullptr)) std::rethrow_exception(why);
}

/// The same items, numbers that are known by formula as objects of their own; null where it is no container of such.
Object Reader::copyApart(PyObject *o) {
  if (PyDict_CheckExact(o)) return dictApart(o);
  if (isView(o)) return listApart(Object(check(PyObject_GetIter(o))).get());
  if (!isSequence(o)) return isOwnIterator(o) ? listApart(o) : Object();
  if (!openItems.contains(o)) return Object();
  Py_ssize_t size = PySequence_Fast_GET_SIZE(o);
  Object copy(check(PyList_CheckExact(o) ? PyList_New(size) : PyTuple_New(size)));
  PyObject **to = PySequence_Fast_ITEMS(copy.get());
  for (Py_ssize_t i = 0; i < size; ++i) {
    to[i] = Py_NewRef(PySequence_Fast_GET_ITEM(o, i));
    if (const OpenItem *item = openItem(o, Place::Item, nullptr, i)) tag(to + i, item->formula);
  }
  return copy;
}

Object Reader::dictApart(PyObject *dict) {
  if (!openItems.contains(dict)) return Object();
  Object copy(check(PyDict_Copy(dict)));
  PyObject *key, *value;
  for (Py_ssize_t at = 0; PyDict_Next(dict, &at, &key, &value);) {
    const OpenItem *item = values.sortOf(key) == Sort::Plain ? openItem(dict, Place::Entry, canonical(key), 0) : nullptr;
    PyObject *apart = Py_NewRef(value);
    if (item) tag(&apart, item->formula);
    Object owned(apart);
    if (item && PyDict_SetItem(copy.get(), key, apart)) throw PythonError();
  }
  return copy;
}

/// What an iterator gives, which is at its end then: also where the search ends in between.
Object Reader::listApart(PyObject *iterator) {
  Object all(check(PyList_New(0)));
  while (true) {
    Coming coming;
    if (!failed) try {
        coming = comingOf(iterator);
      } catch (...) { failed = std::current_exception(); }
    PyObject *value = PyIter_Next(iterator);
    if (!value) break;
    if (!failed) try {
        tagComing(coming, &value);
      } catch (...) { failed = std::current_exception(); }
    Object owned(value);
    if (PyList_Append(all.get(), value)) throw PythonError();
  }
  if (!PyErr_Occurred()) return all;
  PyErr_Clear(); // a dict that has changed: the instruction says so itself
  return Object();
}

/// What an iterator has given, a tuple that nobody has seen included.
void Reader::tagComing(const Coming &coming, PyObject **slot) {
  if (coming.formula >= 0) return tag(slot, coming.formula);
  if (coming.function) {
    Formula call{Formula::Call, 0, {}, Object::borrow(coming.function), {}, nullptr};
    for (const Coming &part : coming.parts) call.of.push_back(part.formula);
    return expect(std::move(call)), settle(slot, true);
  }
  PyObject *o = *slot;
  if (!PyTuple_CheckExact(o)) return;
  for (size_t i = 0; i < coming.parts.size() && i < size_t(PyTuple_GET_SIZE(o)); ++i)
    tagComing(coming.parts[i], PySequence_Fast_ITEMS(o) + i);
  const OpenItem *item = coming.dict ? openItem(coming.dict, Place::Entry, canonical(PyTuple_GET_ITEM(o, 0)), 0) : nullptr;
  if (item) tag(PySequence_Fast_ITEMS(o) + 1, item->formula);
}

/// Whether the second argument is given by that name, and no other one.
bool Reader::isByName(std::span<PyObject *> given, const char *name) const {
  return given.size() == 2 && argumentNames && PyTuple_GET_SIZE(argumentNames) == 1 &&
         !PyUnicode_CompareWithASCIIString(PyTuple_GET_ITEM(argumentNames, 0), name);
}

/// Functions and classes of C that take all items of what they are given: list and the like, sums, extremes, any and all, sorted.
bool Reader::callOnItems(PyObject *callee, std::span<PyObject *> given, bool hasNames) {
  const Builtins &b = Builtins::get();
  if (given.empty()) return false;
  if (callee == asObject(&PyDict_Type)) return given.size() == 1 && !hasNames && callOfDict(given);
  bool isTuple = callee == asObject(&PyTuple_Type);
  if (isTuple || callee == asObject(&PyList_Type)) {
    if (given.size() != 1 || hasNames) return false;
    return (isTuple && PyTuple_CheckExact(given[0])) || (takenAtOnce(&given[0]), true); // a tuple is itself
  }
  bool isSum = callee == b.sum, isSorted = callee == b.sorted, isTruth = callee == b.any || callee == b.all;
  bool isChoice = callee == b.min || callee == b.max, isDown = isSorted && isByName(given, "reverse") && given[1] == Py_True;
  bool isKnown = isSum || isSorted || isTruth || isChoice || callee == b.exactSum || callee == b.product;
  if (isDown || (isChoice && isByName(given, "default"))) hasNames = false, given = given.first(1); // where there are items, that is left
  bool isFit = given.size() == 1 || (isSum && given.size() == 2 && isNumber(given[1]) && !isLateNumber(given[1]));
  if (!isKnown || !isFit || hasNames) return false;
  Formula call{Formula::Call, 0, {}, Object::borrow(isDown ? b.sortedDown : callee), {}, nullptr};
  std::vector<int> rest = given.size() == 2 ? std::vector{formulaOf(given[1])} : std::vector<int>();
  bool isOneByOne = PyGen_CheckExact(given[0]) || isJudgedMap(given[0]);
  takenAtOnce(&given[0]);
  if (isOneByOne) {
    Taking &taking = live.back().taking;
    taking.into = isTruth ? Taking::Truths : Taking::Numbers;
    taking.call = std::move(call), taking.rest = std::move(rest), taking.isSplit = isSorted;
    return true;
  }
  if (isTruth && callOfTruths(given)) return true;
  call.of = isTruth ? std::vector<int>() : formulasIn(given[0]);
  if (call.of.empty()) return false;
  call.op = int(call.of.size());
  call.of.insert(call.of.end(), rest.begin(), rest.end());
  expect(std::move(call));
  expected.isSplit = isSorted;
  return true;
}

/// any and all of numbers: which are true is as it was.
bool Reader::callOfTruths(std::span<PyObject *> given) {
  if (formulasIn(given[0]).empty()) return false;
  for (Py_ssize_t i = 0; i < PySequence_Fast_GET_SIZE(given[0]); ++i) truth(PySequence_Fast_GET_ITEM(given[0], i));
  return true;
}

/// A dict of another one, or of pairs that come just now.
bool Reader::callOfDict(std::span<PyObject *> given) {
  PyObject *o = given[0];
  if (!PyDict_CheckExact(o) && !isView(o) && !isOwnIterator(o)) return false;
  takenAtOnce(&given[0]);
  for (Py_ssize_t i = 0; PyList_CheckExact(given[0]) && i < PyList_GET_SIZE(given[0]); ++i) {
    PyObject *pair = PyList_GET_ITEM(given[0], i);
    if (PyTuple_CheckExact(pair) && PyTuple_GET_SIZE(pair)) canonical(PyTuple_GET_ITEM(pair, 0));
  }
  return PyDict_CheckExact(given[0]) || PyList_CheckExact(given[0]);
}

/// The formulas of the numbers that a list or tuple holds; none where it holds something else, or none of them is known by formula.
std::vector<int> Reader::formulasIn(PyObject *o, bool isAnyKnown) {
  if (!isSequence(o) || PySequence_Fast_GET_SIZE(o) > kMostItems || state.numbers.size() >= kMostFormulas) return {};
  PyObject **items = PySequence_Fast_ITEMS(o), **end = items + PySequence_Fast_GET_SIZE(o);
  isAnyKnown = isAnyKnown || openItems.contains(o) || std::any_of(items, end, [&](PyObject *i) { return isTagged(i); });
  bool areNumbers = std::all_of(items, end, [&](PyObject *i) { return isPlainNumber(i) && !isLateNumber(i); });
  std::vector<int> found;
  for (PyObject **i = items; areNumbers && isAnyKnown && i != end; ++i) {
    const OpenItem *item = openItem(o, Place::Item, nullptr, i - items);
    found.push_back(item ? item->formula : formulaOf(*i));
  }
  return found;
}

/// The list or tuple that the instruction before has left is the value of a formula: what it holds is known, and how much that is.
void Reader::settleSplit(PyObject **slot, Formula call) {
  bool isIt = slot && isSequence(*slot) && Py_REFCNT(*slot) == 1;
  PyObject **items = isIt ? PySequence_Fast_ITEMS(*slot) : nullptr;
  Py_ssize_t size = isIt ? PySequence_Fast_GET_SIZE(*slot) : 0;
  isIt =
      isIt && size <= kMostItems && state.numbers.size() + size_t(size) < kMostFormulas && std::all_of(items, items + size, isPlainNumber);
  if (!isIt) {
    for (int i : call.of) pin(i);
    return;
  }
  auto add = [&](Formula formula, PyTypeObject *type, Object value) {
    formula.type = type;
    int number = state.numbers.add(std::move(formula));
    state.numbers.set(number, value, now);
    return number;
  };
  const Builtins &b = Builtins::get();
  auto constant = [&](Py_ssize_t i) { return formulaOf(Object(check(PyLong_FromSsize_t(i))).get()); };
  int whole = add(std::move(call), Py_TYPE(*slot), Object(check(PySequence_GetSlice(*slot, 0, size))));
  if (state.numbers.mayRaise(whole)) state.risky.push_back(whole);
  Object length(check(PyLong_FromSsize_t(size)));
  state.numbers.require(add({Formula::Call, 0, {}, Object::borrow(b.length), {whole}, nullptr}, &PyLong_Type, length), length.get());
  for (Py_ssize_t i = 0; i < size; ++i)
    tag(items + i,
        add({Formula::Call, 0, {}, Object::borrow(b.item), {whole, constant(i)}, nullptr}, Py_TYPE(items[i]), Object::borrow(items[i])));
}

/// This recording is for calls where the answer is the same.
void Reader::requireTruth(Formula question, PyObject *answer) {
  question.type = Py_TYPE(answer);
  int formula = state.numbers.add(std::move(question));
  if (pinned.insert(formula).second) state.numbers.require(formula, answer);
}

/// `number in container`, where the numbers there are known.
bool Reader::isOneOf(PyObject **top) {
  PyObject *number = top[-2], *o = top[-1];
  if (!isPlainNumber(number) || isLateNumber(number) || !isSequence(o)) return false;
  iterated(o);
  std::vector<int> all = formulasIn(o, isTagged(number));
  if (all.empty()) return false;
  Object answer(check(PyBool_FromLong(PySequence_Contains(o, number))));
  Formula question{Formula::Call, int(all.size()), {}, Object::borrow(Builtins::get().contains), std::move(all), nullptr};
  question.of.push_back(formulaOf(number));
  requireTruth(std::move(question), answer.get());
  return true;
}

/// The number of a list or tuple at a position that is known by formula: read there by later calls.
bool Reader::item(PyObject **top) {
  PyObject *o = top[-2], *key = top[-1];
  if (!isSequence(o) || !PyLong_CheckExact(key) || !isTagged(key) || isLateNumber(key)) return false;
  Py_ssize_t at = PyLong_AsSsize_t(key), size = PySequence_Fast_GET_SIZE(o);
  if (at == -1) PyErr_Clear();
  at = at < 0 ? at + size : at;
  if (at < 0 || at >= size || !isPlainNumber(PySequence_Fast_GET_ITEM(o, at))) return false;
  bool isOfPlace = originOf(o) == Origin::Covered && !anchors.contains(o) && !changed.contains(o);
  Formula call{Formula::Call, 0, {}, Object::borrow(Builtins::get().item), {}, nullptr};
  if (isOfPlace) call.of = {formulaOf(o)};
  else if (PyTuple_CheckExact(o) || originOf(o) == Origin::Fresh || originOf(o) == Origin::InKey)
    call.of = formulasIn(o, true), call.op = int(call.of.size());
  if (call.of.empty()) return false;
  call.of.push_back(formulaOf(key));
  return expect(std::move(call)), true;
}

/// The items of a list or tuple between bounds; false for other objects.
bool Reader::slice(PyObject **container, std::span<PyObject *const> parts) {
  PyObject *o = *container;
  auto isBound = [&](PyObject *part) { return part == Py_None || (PyLong_CheckExact(part) && !isLateNumber(part)); };
  if (!isSequence(o)) return false;
  bool areBounds = std::ranges::all_of(parts, isBound) && std::ranges::any_of(parts, [&](PyObject *part) { return isTagged(part); });
  bool isOfPlace = originOf(o) == Origin::Covered && !anchors.contains(o) && !changed.contains(o) && !openItems.contains(o);
  bool areNumbers = std::all_of(PySequence_Fast_ITEMS(o), PySequence_Fast_ITEMS(o) + PySequence_Fast_GET_SIZE(o), isPlainNumber);
  if (areBounds && isOfPlace && areNumbers) {
    Formula bounds{Formula::Call, 0, {}, Object::borrow(asObject(&PySlice_Type)), {}, &PySlice_Type};
    for (PyObject *part : parts) bounds.of.push_back(formulaOf(part));
    int all = state.numbers.add(std::move(bounds));
    expect({Formula::Call, 0, {}, Object::borrow(Builtins::get().item), {formulaOf(o), all}, nullptr});
    expected.isSplit = true;
    return true;
  }
  takenAtOnce(container);
  for (PyObject *part : parts) deep(part);
  return true;
}

} // namespace kiln::py
