// What a reader knows of objects: where they come from, which places they were read from, and what C functions may look at.
#include "frontend/frames/Reader.h"

#include <algorithm>

namespace kiln::py {

namespace {
constexpr int kMostVisits = 20000, kDeepest = 50;
const char *nameOfType(PyObject *o) { return Py_TYPE(o)->tp_name; }
} // namespace

Reader::Origin Reader::originOf(PyObject *o) const {
  auto found = origins.find(o);
  return found == origins.end() ? Origin::Unknown : found->second;
}

/// What an instruction put on the stack: nobody else holds it, so it was made just now.
void Reader::noteResult(PyObject *o) {
  if (o && Py_REFCNT(o) == 1 && values.isOpen(o) && originOf(o) == Origin::Unknown) setOrigin(o, Origin::Fresh);
}

/// A tree of containers, whose leaves are arrays or come from elsewhere.
void Reader::made(PyObject *o, int depth) {
  if (depth > kOneDeep || !values.isOpen(o) || originOf(o) != Origin::Unknown) return;
  if (!mayHold(values.sortOf(o))) return;
  setOrigin(o, Origin::Fresh);
  for (PyObject *held : heldBy(o)) made(held, depth + 1);
}

/// What an object leads to is new, but for what is known from before the call. Others that were made in it may have had its address.
void Reader::madeAnew(PyObject *o) {
  std::vector<PyObject *> next{o};
  std::unordered_set<PyObject *> seen;
  while (!next.empty()) {
    PyObject *one = next.back();
    next.pop_back();
    Origin origin = originOf(one);
    if (!mayHold(values.sortOf(one)) || origin == Origin::Covered || origin == Origin::InKey || !seen.insert(one).second) continue;
    setOrigin(one, Origin::Fresh);
    addHeld(one, next);
  }
}

/// An object whose content is looked at or changed.
void Reader::require(PyObject *o) {
  if (originOf(o) == Origin::Unknown) fail(std::string("uses a ") + nameOfType(o) + " that comes from elsewhere");
}

/// One object for all keys that a dict takes for one.
PyObject *Reader::canonical(PyObject *key) {
  if (!key) return nullptr;
  pin(key);
  Sort sort = values.sortOf(key);
  if (sort == Sort::Tuple) pinItems(key);
  if (sort == Sort::Tuple)
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(key); ++i) canonical(PyTuple_GET_ITEM(key, i));
  else if (sort != Sort::Plain && sort != Sort::Trusted && sort != Sort::Class)
    fail(std::string("uses a ") + nameOfType(key) + " as a key");
  PyObject *same = PyDict_SetDefault(keys.get(), key, key);
  if (!same) throw PythonError();
  return same;
}

/// An object as later calls find it.
Held Reader::heldOf(PyObject *o) const {
  auto found = anchors.find(o);
  return found == anchors.end() ? Held(o) : Held::anchor(found->second);
}

Place Reader::placeOf(Place::Kind kind, PyObject *container, PyObject *key, Py_ssize_t index) {
  return {kind, heldOf(container), Object::borrow(canonical(key)), index};
}

/// Whether a place is read for the first time, and was not stored to.
bool Reader::isNew(const Place &place) {
  return known.try_emplace({place.container.get(), place.kind, place.key.get(), place.index}, -1).second;
}

void Reader::edge(Place place, PyObject *value) {
  if (!isNew(place)) return;
  if (value && values.sortOf(value) == Sort::Array) {
    listener.addInput(value);
    return state.arrays.push_back(std::move(place));
  }
  if (value && isToAnchor(place, value)) return anchor(std::move(place), value);
  state.guards.emplace_back(std::move(place), heldOf(value));
  if (value) coverValue(value);
}

/// Whether later calls may have another object of the class in a place: other recordings had, or the object that has it is another one.
/// What is known already by itself stays so.
bool Reader::isToAnchor(const Place &place, PyObject *value) {
  constexpr int kMostAnchors = 64;
  bool isKind = mayHold(values.sortOf(value)) || PyFunction_Check(value) || PyCell_Check(value);
  if (!isKind || originOf(value) != Origin::Unknown || state.anchors == kMostAnchors) return false;
  return (place.container.isAnchor() && !PyFunction_Check(value)) || listener.changes(place, value) >= kMisses;
}

void Reader::anchor(Place place, PyObject *o) {
  int number = state.anchors++;
  anchors[o] = number;
  listener.addAnchor(number, o);
  state.guards.emplace_back(std::move(place), Py_TYPE(o), number);
  setOrigin(o, Origin::Covered);
  if (!PyTuple_Check(o)) return;
  Place all = placeOf(Place::Items, o);
  Object size = all.read();
  state.guards.emplace_back(std::move(all), size.get());
  if ((visits += int(PyTuple_GET_SIZE(o))) > kMostVisits) fail("reads very large containers");
  for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(o); ++i) edgeOfItem(placeOf(Place::Item, o, nullptr, i), PyTuple_GET_ITEM(o, i));
}

/// An object that later calls come to without looking it up: no anchor.
void Reader::requireItself(PyObject *o) {
  if (anchors.contains(o)) fail(std::string("reads a ") + nameOfType(o) + " by a name that changes, and without");
}

void Reader::coverValue(PyObject *value) {
  if (!values.isOpen(value) || anchors.contains(value)) return;
  if (originOf(value) == Origin::InKey) fail(std::string("reads a ") + nameOfType(value) + " by name that is an argument, too");
  setOrigin(value, Origin::Covered);
  if (values.sortOf(value) == Sort::Tuple) coverTuple(value);
  if (values.sortOf(value) != Sort::Method) return;
  for (PyObject *part : {PyMethod_GET_FUNCTION(value), PyMethod_GET_SELF(value)}) { // those stay
    requireItself(part);
    if (values.isOpen(part) && originOf(part) == Origin::Unknown) coverValue(part);
  }
}

/// The items of a tuple that is guarded by identity: they stay.
void Reader::coverTuple(PyObject *tuple) {
  if (++visits > kMostVisits) fail("reads very large containers");
  for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(tuple); ++i) {
    PyObject *item = PyTuple_GET_ITEM(tuple, i);
    if (values.sortOf(item) == Sort::Array || anchors.contains(item)) edge(placeOf(Place::Item, tuple, nullptr, i), item);
    else if (values.isOpen(item) && originOf(item) == Origin::Unknown) coverValue(item);
  }
}

/// All that a list, dict or set holds, in its order, which is looked at.
void Reader::snapshot(PyObject *o) {
  walk(o);
  if (openItems.size()) pinItems(o);
}

/// The same where each item is looked at later, by itself.
void Reader::walk(PyObject *o) {
  Sort sort = values.sortOf(o);
  if (sort == Sort::Tuple) return; // stays as it is
  require(o);
  if (originOf(o) != Origin::Covered || !walked.insert(o).second) return;
  if (changed.contains(o)) fail(std::string("looks through a ") + nameOfType(o) + " after a store to it");
  sized(o);
  bool isList = sort == Sort::List || sort == Sort::Queue;
  for (Py_ssize_t i = 0; isList && i < PyObject_Size(o); ++i) {
    Place item = placeOf(Place::Item, o, nullptr, i);
    Object value = item.read();
    edgeOfItem(std::move(item), value.get());
  }
  Object content = sort == Sort::Dict ? placeOf(Place::Keys, o).read() : Object();
  for (Py_ssize_t i = 0; content && i < PyTuple_GET_SIZE(content.get()); ++i) {
    PyObject *key = PyTuple_GET_ITEM(content.get(), i);
    edgeOfItem(placeOf(Place::Entry, o, key), PyDict_GetItemWithError(o, key));
  }
}

/// How many items a list has, and which keys a dict or a set.
void Reader::sized(PyObject *o) {
  Sort sort = values.sortOf(o);
  require(o);
  if (originOf(o) != Origin::Covered) return;
  bool isList = sort == Sort::List || sort == Sort::Queue;
  Place all = placeOf(isList ? Place::Items : Place::Keys, o);
  if (!isNew(all)) return;
  if (changed.contains(o)) fail(std::string("looks through a ") + nameOfType(o) + " after a store to it");
  if ((visits += int(PyObject_Size(o))) > kMostVisits) fail("reads very large containers");
  Object content = all.read();
  if (!isList) deep(content.get());
  state.guards.emplace_back(all, content.get());
}

/// All that an object of a builtin class holds.
void Reader::visitAll(PyObject *o, int depth) {
  for (PyObject *held : heldBy(o))
    if (held != asObject(Py_TYPE(o))) deep(held, depth + 1);
}

/// An object that a C function may look at as a whole, with all that it leads to: no code of the user may run for it.
void Reader::deep(PyObject *o, int depth) {
  if (++visits > kMostVisits || depth > kDeepest) fail("gives large containers to a function");
  if (PySlice_Check(o)) {
    auto *slice = reinterpret_cast<PySliceObject *>(o);
    for (PyObject *part : {slice->start, slice->stop, slice->step}) deep(part, depth + 1);
    return;
  }
  switch (values.sortOf(o)) {
  case Sort::Plain: return pin(o);
  case Sort::Array:
  case Sort::Member: return;
  case Sort::Trusted: return pin(o);
  case Sort::Native:
    if (values.known(o) == Known::Computes) return;
    break;
  case Sort::Class:
    if (values.known(o) == Known::Computes) return;
    break;
  case Sort::Tuple:
    pinItems(o);
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(o); ++i) deep(PyTuple_GET_ITEM(o, i), depth + 1);
    return;
  case Sort::List:
    snapshot(o);
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(o); ++i) deep(PyList_GET_ITEM(o, i), depth + 1);
    return;
  case Sort::Dict: {
    snapshot(o);
    PyObject *key, *value;
    for (Py_ssize_t at = 0; PyDict_Next(o, &at, &key, &value);) deep(key, depth + 1), deep(value, depth + 1);
    return;
  }
  case Sort::Set:
  case Sort::Queue:
    snapshot(o);
    visitAll(o, depth);
    return;
  case Sort::Instance: { // an exception is shown by what it was made with
    if (isGivenTrees && takeApart(o, depth)) return;
    if (!isErrorOfArguments(Py_TYPE(o)) || originOf(o) != Origin::Fresh) break;
    coverClass(o);
    Object args(check(PyObject_GetAttrString(o, "args")));
    return deep(args.get(), depth + 1);
  }
  case Sort::Iterator:                                                        // what it walks through
    if (originOf(o) != Origin::Fresh && !(depth && Py_REFCNT(o) == 1)) break; // one that another one has made
    if (!PyGen_CheckExact(o)) visitAll(o, depth);                             // what a generator yields is looked at when it does
    return;
  default:
    if (Py_TYPE(o) == package().partial && originOf(o) == Origin::Fresh) return visitAll(o, depth);
    if (values.known(o) == Known::Computes) return;
    if (values.known(o) == Known::Operation) return enterOperation(o);
  }
  fail(std::string("gives a ") + nameOfType(o) + " to a function that may look into it");
}

/// Whether attributes of a class change with the calls: then what it has is looked up name by name.
bool Reader::isLooked(PyTypeObject *type) {
  auto [known, isNew] = looked.try_emplace(type, false);
  if (!isNew) return known->second;
  bool isPlain = Py_TYPE(type) == &PyType_Type && PyType_HasFeature(type, Py_TPFLAGS_HEAPTYPE) && looksUpPlainly(type) &&
                 type->tp_setattro == PyObject_GenericSetAttr && !type->tp_finalize && !type->tp_del;
  return known->second = isPlain && listener.changes(placeOf(Place::Type, asObject(type)), nullptr) >= kMisses;
}

/// Such a class, or that of an object: that attributes are looked up plainly, and where. `name`: this one is the object's own if it has it,
/// whatever else the class has there.
void Reader::coverLookup(PyObject *o, PyObject *name) {
  require(o);
  PyObject *type = PyType_Check(o) ? o : asObject(Py_TYPE(o));
  Place place = placeOf(Place::Plainly, originOf(o) == Origin::Covered ? o : type, name);
  if (!isNew(place)) return;
  Object order = place.read();
  state.guards.emplace_back(std::move(place), order.get());
  setOrigin(type, Origin::Covered);
}

/// The class of an object: whether what it has is looked up name by name.
bool Reader::coverKind(PyObject *o) {
  require(o);
  if (!isLooked(Py_TYPE(o))) return coverClass(o), false;
  return coverLookup(o), true;
}

/// What is in a place of a class, by identity.
void Reader::itself(Place place, PyObject *found) {
  if (isNew(place)) state.guards.emplace_back(std::move(place), found);
}

/// What such a class has under a name, or that it has nothing, by identity.
void Reader::memberItself(PyTypeObject *type, PyObject *name, PyObject *found) {
  itself(placeOf(Place::Member, asObject(type), name), found);
  if (found && PyFunction_Check(found)) member(type, name, found);
}

/// The class of an object whose attributes or operators are used.
void Reader::coverClass(PyObject *o) {
  require(o);
  PyTypeObject *type = Py_TYPE(o);
  if (originOf(o) != Origin::Covered) return coverType(type);
  Place place = placeOf(Place::Class, o);
  if (!isNew(place)) return;
  state.guards.emplace_back(place, asObject(type));
  coverType(type);
}

void Reader::coverType(PyTypeObject *type) {
  auto *o = asObject(type);
  Place place = placeOf(Place::Type, o);
  if (!isNew(place)) return;
  static PyObject *const finalizer = PyUnicode_InternFromString("__del__");
  if (PyType_HasFeature(type, Py_TPFLAGS_HEAPTYPE) && _PyType_Lookup(type, finalizer))
    fail(std::string("uses ") + type->tp_name + " objects, which have a finalizer");
  state.guards.emplace_back(place, o);
  if (!state.guards.back().isCountable()) fail("a class is read whose changes CPython does not number any more");
  setOrigin(o, Origin::Covered);
}

/// What a class that is guarded has under a name.
void Reader::member(PyTypeObject *type, PyObject *name, PyObject *value) {
  if (Py_TYPE(value) == &PyStaticMethod_Type || Py_TYPE(value) == &PyClassMethod_Type) {
    Object inner(check(PyObject_GetAttrString(value, "__func__")));
    return member(type, name, inner.get());
  }
  if (values.sortOf(value) == Sort::Array || anchors.contains(value)) return edge(placeOf(Place::Member, asObject(type), name), value);
  coverValue(value);
}

void Reader::store(Place::Kind kind, PyObject *container, PyObject *key, Py_ssize_t index, PyObject *value) {
  if (refuse) fail("stores where it stays");
  Sort sort = values.sortOf(value);
  bool isKept = sort == Sort::Plain || sort == Sort::Array || package().isNumPyNumber(value);
  if (!isKept) fail(std::string("stores a ") + nameOfType(value) + " where it stays");
  Origin origin = originOf(container);
  if (origin == Origin::Unknown) fail(std::string("stores into a ") + nameOfType(container) + " that comes from elsewhere");
  changed.insert(container);
  bool isAppend = kind == Place::Items; // each is a store of its own, and says nothing of the list
  int none = -1;
  int &place = isAppend ? none : known.try_emplace({container, kind, canonical(key), index}, -1).first->second;
  if (isAppend) grown.insert(container);
  if (place < 0) {
    place = int(state.stores.size());
    auto argument = std::ranges::find(passed, container);
    int number = origin == Origin::InKey ? int(argument - passed.begin()) : -1;
    state.stores.push_back({placeOf(kind, number < 0 ? container : nullptr, key, index), number, {}});
  }
  state.stores[size_t(place)].value = Object::borrow(value);
}

} // namespace kiln::py
