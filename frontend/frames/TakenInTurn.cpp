// What C takes one by one of a generator, and of map: sum(f(v) for v in l), list(map(f, l)), any(...). What it is handed on to is known, or
// what is taken is looked at.
#include "frontend/frames/Reader.h"
#include "frontend/frames/Scalars.h"

#include <algorithm>

namespace kiln::py {
namespace {

bool isSequence(PyObject *o) { return PyList_CheckExact(o) || PyTuple_CheckExact(o); }

/// The function of a map, and its iterators.
std::pair<Object, Object> partsOfMap(PyObject *map) {
  Object state(check(PyObject_CallMethod(map, "__reduce__", nullptr))); // map, (function, iterators...)
  PyObject *all = PyTuple_GET_ITEM(state.get(), 1);
  return {Object::borrow(PyTuple_GET_ITEM(all, 0)), Object(check(PyTuple_GetSlice(all, 1, PyTuple_GET_SIZE(all))))};
}

bool isFunctionOfC(PyObject *o) { return PyCFunction_Check(o) || o == asObject(&PyFloat_Type) || o == asObject(&PyLong_Type); }

/// The function of Python that a callable runs at once; null for others.
PyObject *judgedFunction(PyObject *o) {
  if (PyMethod_Check(o)) o = PyMethod_GET_FUNCTION(o);
  return PyFunction_Check(o) && !Values::isOfPackage(o) ? o : nullptr;
}

} // namespace

/// Whether it is a map whose function is code of the user.
bool Reader::isJudgedMap(PyObject *o) { return Py_TYPE(o) == &PyMap_Type && judgedFunction(partsOfMap(o).first.get()); }

/// map: its function is judged as it runs, or computes with numbers, and what its iterators go through with each item.
bool Reader::callMap(PyObject *callee, std::span<PyObject *> given, bool hasNames) {
  if (callee != asObject(&PyMap_Type) || hasNames || given.size() < 2) return false;
  auto isOfPlain = [&](PyObject *o) {
    bool isFixed = originOf(o) == Origin::Covered || originOf(o) == Origin::InKey; // nothing but numbers comes there
    return isFixed && isSequence(o) &&
           std::all_of(PySequence_Fast_ITEMS(o), PySequence_Fast_ITEMS(o) + PySequence_Fast_GET_SIZE(o), isPlainNumber);
  };
  bool isOfNumbers =
      isFunctionOfC(given[0]) && values.known(given[0]) == Known::Computes && std::ranges::all_of(given.subspan(1), isOfPlain);
  if (!judgedFunction(given[0]) && !isOfNumbers) return false;
  if (!isOfNumbers) callObject(given[0], nullptr, 0, false);
  for (PyObject *o : given.subspan(1)) {
    Sort sort = values.sortOf(o);
    if (sort == Sort::List || sort == Sort::Tuple || sort == Sort::Dict || sort == Sort::Iterator) iterated(o);
    else deep(o);
  }
  return true;
}

/// What a map of a function of C gives next.
Reader::Coming Reader::comingOfFunction(PyObject *map) {
  auto [function, iterators] = partsOfMap(map);
  Coming coming;
  if (!isFunctionOfC(function.get())) return pinBehind(map), coming;
  for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(iterators.get()); ++i) coming.parts.push_back(comingOf(PyTuple_GET_ITEM(iterators.get(), i)));
  coming.function = function.get(); // which the map holds
  auto isKnown = [](const Coming &part) { return part.formula >= 0; };
  if (std::ranges::all_of(coming.parts, isKnown)) return coming;
  for (const Coming &part : coming.parts)
    if (isKnown(part)) pin(part.formula);
    else if (part.parts.size() || part.dict) pinBehind(map);
  return {};
}

/// The instruction under way takes what an iterator gives one by one.
void Reader::take(PyObject *from, Taking::Into into) {
  live.back().taking = {into, from};
  if (isJudgedMap(from)) live.back().taking.coming = comingOfMap(from);
}

std::vector<Reader::Coming> Reader::comingOfMap(PyObject *map) {
  std::vector<Coming> all;
  if (openItems.empty()) return all;
  Object iterators = partsOfMap(map).second;
  for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(iterators.get()); ++i) all.push_back(comingOf(PyTuple_GET_ITEM(iterators.get(), i)));
  return all;
}

/// Whether a frame is one of the function of the map that is taken of.
bool Reader::isOfMap(const Live &by, const Frame &frame) {
  PyObject *map = by.taking.from;
  if (!map || Py_TYPE(map) != &PyMap_Type || !frame.isCalledByC()) return false;
  PyObject *function = judgedFunction(partsOfMap(map).first.get()); // which the map holds
  return function && PyFunction_GET_CODE(function) == reinterpret_cast<PyObject *>(frame.code());
}

/// It has given one more: what its function is called with next.
void Reader::nextOfMap(Live &by, PyObject *value) {
  by.taking.coming = comingOfMap(by.taking.from);
  took(by, value);
}

/// A frame starts that map may have called: its arguments are what iterators have given.
void Reader::giveMapped(const Frame &frame) {
  Live *by = live.size() > 1 ? &live[live.size() - 2] : nullptr;
  if (!by || by->taking.coming.empty() || by->frame != frame.caller() || !isOfMap(*by, frame)) return;
  PyObject *map = by->taking.from;
  PyCodeObject *code = frame.code();
  int first = PyMethod_Check(partsOfMap(map).first.get());
  for (size_t i = 0; i < by->taking.coming.size(); ++i) {
    const Coming &coming = by->taking.coming[i];
    PyObject **slot = first + int(i) < code->co_argcount ? frame.variables() + first + i : nullptr;
    PyObject *held = slot && *slot && PyCell_Check(*slot) ? *slot : nullptr; // a variable of a closure
    if (held) slot = &reinterpret_cast<PyCellObject *>(held)->ob_ref;
    if (!slot || !*slot) coming.formula >= 0 ? pin(coming.formula) : pinBehind(map);
    else if (coming.formula >= 0) tag(slot, coming.formula);
    else settleComing(coming, *slot);
  }
}

/// Whether what a generator yields comes as it is to who goes on with an iterator, or to a function that is judged. `isLooked`: who goes on
/// with this one looks at it.
bool Reader::handsOn(PyObject *from, const Frame &generator, bool isLooked, bool isKept) const {
  if (PyGen_CheckExact(from)) return !isLooked && Frame::ofGenerator(from) == generator;
  bool isPairs = Py_TYPE(from) == &PyZip_Type || Py_TYPE(from) == &PyEnum_Type;
  if (PyTuple_CheckExact(from)) {
    PyObject **items = PySequence_Fast_ITEMS(from);
    return std::any_of(items, items + PyTuple_GET_SIZE(from), [&](PyObject *o) { return handsOn(o, generator, isLooked, isKept); });
  }
  if (Py_TYPE(from) == &PyMap_Type) isLooked = !isJudgedMap(from), isKept = !isLooked;
  else if (isPairs) isLooked |= !isKept;
  else return false;
  return std::ranges::any_of(heldBy(from), [&](PyObject *o) {
    bool mayBe = PyGen_CheckExact(o) || PyTuple_CheckExact(o) || Py_TYPE(o) == &PyMap_Type || Py_TYPE(o) == &PyZip_Type ||
                 Py_TYPE(o) == &PyEnum_Type;
    return mayBe && handsOn(o, generator, isLooked, isKept);
  });
}

/// What a generator gives to C, which may look into it.
void Reader::yielded(const Frame &frame, PyObject *value) {
  Frame to = frame.caller();
  auto by = std::ranges::find_if(live, [&](const Live &l) { return l.frame == to; });
  if (!to || by == live.end() || !by->taking.from) return deep(value);
  PyObject *from = by->taking.from;
  if (PyGen_CheckExact(from) && Frame::ofGenerator(from) == frame) return took(*by, value);
  if (!handsOn(from, frame, false, by->taking.into == Taking::Kept)) deep(value);
}

/// One more of what an instruction takes.
void Reader::took(Live &by, PyObject *value) {
  Taking &taking = by.taking;
  if (taking.into == Taking::Kept) return;
  bool isKnown = isPlainNumber(value) && !isLateNumber(value);
  if (taking.into == Taking::Truths && isKnown) return truth(value);
  bool isFew = taking.call.of.size() < size_t(kMostItems) && state.numbers.size() < kMostFormulas;
  if (taking.into == Taking::Numbers && isKnown && isFew) return taking.call.of.push_back(formulaOf(value));
  giveUp(taking);
  deep(value);
}

/// It has taken something else than such numbers.
void Reader::giveUp(Taking &taking) {
  for (int i : taking.call.of) pin(i);
  if (taking.into == Taking::Numbers) taking.into = Taking::Looked;
}

/// The instruction that takes them is over: what it left is in `slot`, or it ended otherwise.
void Reader::endTaking(Live &by, PyObject **slot) {
  Taking ended = std::exchange(by.taking, {});
  if (ended.into != Taking::Numbers || ended.call.of.empty()) return;
  auto isKnown = [&](int i) { return state.numbers.at(i).kind != Formula::Constant; };
  if (!slot || std::ranges::none_of(ended.call.of, isKnown)) return giveUp(ended);
  ended.call.op = int(ended.call.of.size());
  ended.call.of.insert(ended.call.of.end(), ended.rest.begin(), ended.rest.end());
  expected = {by.frame, by.next, -1, {}, ended.call.of, {}};
  expected.call = std::move(ended.call);
  expected.isSplit = ended.isSplit;
  settle(slot, true);
}

} // namespace kiln::py
