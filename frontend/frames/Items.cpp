// Numbers that containers hold and that change with the calls: known by formula, and no guards before they are read. Each way to read one
// is judged: it is known where it goes, or its value is required.
#include "frontend/frames/Builtins.h"
#include "frontend/frames/Reader.h"

#include <algorithm>

namespace kiln::py {

void Reader::giveItem(const GivenNumber &given, Py_ssize_t number) {
  int formula = addRead({Place::Argument, {}, {}, number}, given.value);
  Py_ssize_t index = given.kind == Place::Item ? given.index : 0;
  openItems[given.container].push_back({given.kind, canonical(given.key), index, given.value, formula});
}

/// The number of a container under a key or at an index that is known by formula and was not stored to; null for others.
const Reader::OpenItem *Reader::openItem(PyObject *container, Place::Kind kind, PyObject *key, Py_ssize_t index) const {
  auto of = openItems.find(container);
  if (of == openItems.end()) return nullptr;
  auto found = std::ranges::find_if(of->second, [&](auto &i) { return i.kind == kind && i.key == key && i.index == index; });
  auto stored = known.find({container, kind, key, index});
  bool isThere = found != of->second.end() && (stored == known.end() || stored->second < 0);
  return isThere ? &*found : nullptr;
}

/// What a container has is left on the stack, or looked at.
void Reader::loadItem(PyObject *container, Place::Kind kind, PyObject *key, Py_ssize_t index) {
  const OpenItem *item = openItem(container, kind, canonical(key), index);
  if (!item) return;
  if (!mayTag) return pin(item->formula);
  expected = {.frame = live.back().frame, .next = live.back().next, .formula = item->formula, .of = {item->formula}};
}

/// An item of a container that is gone through: a number that changes with the calls is no guard until it is read.
void Reader::edgeOfItem(Place place, PyObject *value) {
  PyObject *container = place.container.get(), *key = place.key.get();
  bool isOpen = mayVary(value) && !isTagged(value) && state.numbers.size() < kMostFormulas && listener.misses(place, value) >= kMisses;
  int formula = state.numbers.find(place);
  if (openItem(container, place.kind, key, place.index)) return;
  if (!isOpen && formula < 0) return edge(std::move(place), value);
  if (formula < 0 && !isNew(place)) return; // guarded, or stored to
  if (formula >= 0 && Py_TYPE(value) != state.numbers.at(formula).type) return void(state.guards.emplace_back(place, value));
  Place::Kind kind = place.kind;
  Py_ssize_t index = place.index;
  openItems[container].push_back({kind, key, index, value, addRead(std::move(place), value)});
}

/// All that a container holds is looked at.
void Reader::pinItems(PyObject *container) {
  auto of = openItems.find(container);
  if (of == openItems.end()) return;
  for (const OpenItem &i : std::vector<OpenItem>(of->second))
    if (openItem(container, i.kind, i.key, i.index)) pin(i.formula);
}

/// The items of a tuple or list become values on the stack, the first one on top.
void Reader::unpacked(PyObject *o, Py_ssize_t count) {
  Sort sort = values.sortOf(o);
  if (sort != Sort::List && sort != Sort::Tuple) {
    iteration(o);
    if (PyGen_CheckExact(o)) take(o, Taking::Kept);
    return;
  }
  walk(o);
  if (!openItems.contains(o)) return;
  if (PySequence_Fast_GET_SIZE(o) != count) return pinItems(o); // an error
  Expected items{.frame = live.back().frame, .next = live.back().next};
  for (Py_ssize_t i = 0; i < count; ++i) {
    const OpenItem *item = openItem(o, Place::Item, nullptr, i);
    items.each.push_back(item ? item->formula : -1);
    if (item) items.of.push_back(item->formula);
  }
  expected = std::move(items);
}

/// The dict that a view of one, or an iterator over it, goes through.
static PyObject *dictBehind(PyObject *o) {
  std::vector<PyObject *> held = heldBy(o);
  auto dict = std::ranges::find_if(held, [](PyObject *o) { return PyDict_Check(o); });
  return dict == held.end() ? nullptr : *dict;
}

/// The next one of the values of a dict.
const Reader::OpenItem *Reader::nextValue(PyObject *iterator) {
  PyObject *dict = dictBehind(iterator), *key = nullptr, *value;
  if (!dict || !openItems.contains(dict)) return nullptr;
  Py_ssize_t left = PyObject_LengthHint(iterator, 0), size = PyDict_GET_SIZE(dict), at = 0;
  for (Py_ssize_t i = left > 0 && left <= size ? size - left : size; i >= 0; --i)
    if (!PyDict_Next(dict, &at, &key, &value)) return nullptr;
  return openItem(dict, Place::Entry, canonical(key), 0);
}

/// What an iterator gives next, where it goes through containers by itself; else all that it may give is looked at.
Reader::Coming Reader::comingOf(PyObject *iterator) {
  Coming coming;
  PyTypeObject *type = Py_TYPE(iterator);
  if (type == &PyDictIterKey_Type) return coming;
  if (type == &PyListIter_Type || type == &PyTupleIter_Type || type == &PyListRevIter_Type || type == &PyReversed_Type) {
    Object state(check(PyObject_CallMethod(iterator, "__reduce__", nullptr))); // iter or reversed, (sequence,), position
    if (PyTuple_GET_SIZE(state.get()) < 3) return coming;                      // at its end
    PyObject *sequence = PyTuple_GET_ITEM(PyTuple_GET_ITEM(state.get(), 1), 0);
    const OpenItem *item = openItem(sequence, Place::Item, nullptr, PyLong_AsSsize_t(PyTuple_GET_ITEM(state.get(), 2)));
    if (item) coming.formula = item->formula;
    return coming;
  }
  if (type == &PyDictIterValue_Type) {
    if (const OpenItem *item = nextValue(iterator)) coming.formula = item->formula;
    return coming;
  }
  std::vector<PyObject *> held = heldBy(iterator);
  if (type == &PyDictIterItem_Type) { // a dict, and the last pair
    PyObject *dict = dictBehind(iterator);
    if (dict && openItems.contains(dict)) coming.dict = dict;
  } else if (type == &PyZip_Type && held.size() && PyTuple_Check(held[0])) { // a tuple of iterators, and the last result
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(held[0]); ++i) coming.parts.push_back(comingOf(PyTuple_GET_ITEM(held[0], i)));
  } else if (type == &PyEnum_Type && held.size()) { // the iterator first
    coming.parts = {Coming(), comingOf(held[0])};
  } else if (type == &PyMap_Type) {
    return comingOfFunction(iterator);
  } else {
    pinBehind(iterator);
  }
  return coming;
}

/// The next item of an iterator, which is left on the stack.
void Reader::nextOfItems(PyObject *iterator) {
  if (isJudgedMap(iterator)) return;
  Coming coming = comingOf(iterator);
  if (coming.formula < 0 && coming.parts.empty() && !coming.dict) return;
  expected = {.frame = live.back().frame, .next = live.back().next};
  if (coming.formula >= 0) expected.formula = coming.formula, expected.of = {coming.formula};
  else expected.coming = std::move(coming);
}

/// The tuple that an iterator has given: what it holds is known by formula as it was in the containers.
void Reader::settleComing(const Coming &coming, PyObject *value) {
  auto add = [&](Py_ssize_t i, int formula) { openItems[value].push_back({Place::Item, nullptr, i, PyTuple_GET_ITEM(value, i), formula}); };
  bool isTuple = PyTuple_CheckExact(value) && (coming.parts.empty() || coming.parts.size() == size_t(PyTuple_GET_SIZE(value)));
  if (!isTuple || (coming.parts.empty() && !coming.dict)) return;
  kept.push_back(Object::borrow(value));
  setOrigin(value, Origin::Fresh);
  openItems.erase(value);
  const OpenItem *item = coming.dict ? openItem(coming.dict, Place::Entry, canonical(PyTuple_GET_ITEM(value, 0)), 0) : nullptr;
  if (item) add(1, item->formula);
  for (size_t i = 0; i < coming.parts.size(); ++i) {
    if (coming.parts[i].formula >= 0) add(Py_ssize_t(i), coming.parts[i].formula);
    settleComing(coming.parts[i], PyTuple_GET_ITEM(value, Py_ssize_t(i)));
  }
}

/// All that an iterator may give is looked at.
void Reader::pinBehind(PyObject *o, int depth) {
  constexpr int kDeepest = 20;
  if (depth > kDeepest) fail("goes through many iterators");
  pinItems(o);
  bool isBehind = values.sortOf(o) == Sort::Iterator && !PyGen_CheckExact(o);
  if (!isBehind && !(depth && PyTuple_CheckExact(o))) return;
  for (PyObject *held : heldBy(o)) pinBehind(held, depth + 1);
}

/// What the call gives back: numbers that are not known by formula are constants of it, but for those in containers that it was given.
void Reader::pinResult(PyObject *o, int depth) {
  constexpr int kDeepest = 100;
  if (depth > kDeepest || !mayHold(values.sortOf(o)) || originOf(o) == Origin::InKey) return;
  if (++visits > kDeepest * kDeepest) fail("gives large containers back");
  pinItems(o);
  for (PyObject *held : heldBy(o)) pinResult(held, depth + 1);
}

} // namespace kiln::py
