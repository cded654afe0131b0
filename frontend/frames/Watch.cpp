#include "frontend/frames/Watch.h"

#include "frontend/frames/Builtins.h"

#include <algorithm>
#include <bit>
#include <cstring>

#if PY_VERSION_HEX >= 0x030d0000 // where these were public before
#define Py_BUILD_CORE 1
#include <internal/pycore_object.h>
#include <internal/pycore_setobject.h>
#undef Py_BUILD_CORE
#endif

namespace kiln::py {
namespace {

/// Changes with every attribute of a type or of its bases; 0 where CPython has no number left.
uint64_t versionOf(PyTypeObject *t) {
#if PY_VERSION_HEX >= 0x030c0000
  return PyUnstable_Type_AssignVersionTag(t) ? t->tp_version_tag : 0;
#else
  static PyObject *const anyName = PyUnicode_InternFromString("__kiln__");
  _PyType_Lookup(t, anyName); // gives it a number
  return PyType_HasFeature(t, Py_TPFLAGS_VALID_VERSION_TAG) ? t->tp_version_tag : 0;
#endif
}

PyTypeObject *asType(PyObject *o) { return reinterpret_cast<PyTypeObject *>(o); }

PyObject **partOf(PyObject *function, PyObject *name) {
  auto *f = reinterpret_cast<PyFunctionObject *>(function);
  const std::pair<const char *, PyObject **> parts[] = {
      {"__code__", &f->func_code},       {"__defaults__", &f->func_defaults}, {"__doc__", &f->func_doc},
      {"__name__", &f->func_name},       {"__qualname__", &f->func_qualname}, {"__module__", &f->func_module},
      {"__closure__", &f->func_closure}, {"__globals__", &f->func_globals},   {"__builtins__", &f->func_builtins}};
  for (auto &[known, part] : parts)
    if (!PyUnicode_CompareWithASCIIString(name, known)) return part;
  return &f->func_kwdefaults;
}

Object readPart(PyObject *of, PyObject *name) {
  if (Py_TYPE(of) == package().partial) return Object(PyObject_GetAttr(of, name)); // of a plain type: no code of the user runs
  return Object::borrow(*partOf(of, name));
}

/// What an object of a class that is known to look attributes up plainly has under a name; of a method the function.
Object readAttribute(PyObject *of, PyObject *name) {
  PyObject *found = nullptr;
  _PyObject_GetMethod(of, name, &found);
  if (!found) PyErr_Clear();
  return Object(found);
}

bool isPlainly(PyTypeObject *type) {
  return type->tp_getattro == PyObject_GenericGetAttr && type->tp_setattro == PyObject_GenericSetAttr && !type->tp_finalize &&
         !type->tp_del;
}

/// The same of an object of a class that may change: null where code of the user would run.
Object readFound(PyObject *of, PyObject *name) {
  PyTypeObject *type = Py_TYPE(of);
  PyObject *found = isPlainly(type) ? _PyType_Lookup(type, name) : nullptr;
  PyTypeObject *kind = found ? Py_TYPE(found) : nullptr;
  bool isKnown = !found || PyFunction_Check(found) || kind == &PyMemberDescr_Type || kind == &PyStaticMethod_Type ||
                 kind == &PyClassMethod_Type || !std::strncmp(kind->tp_name, "kiln.", 5); // a jitted function
  bool runsCode = !isKnown && (kind->tp_descr_get || kind->tp_descr_set);
  return isPlainly(type) && !runsCode ? readAttribute(of, name) : Object();
}

Object readEntry(PyObject *of, PyObject *key) {
  PyObject *found = PyDict_GetItemWithError(of, key);
  if (!found) PyErr_Clear();
  return Object::borrow(found);
}

/// The keys of a dict or the members of a set, as a tuple.
Object keysOf(PyObject *of) {
  Object keys(check(PyTuple_New(PyDict_Check(of) ? PyDict_GET_SIZE(of) : PySet_GET_SIZE(of))));
  PyObject *key, *value;
  Py_hash_t hash;
  Py_ssize_t at = 0, n = 0;
  while (PyDict_Check(of) ? PyDict_Next(of, &at, &key, &value) : _PySet_NextEntry(of, &at, &key, &hash))
    PyTuple_SET_ITEM(keys.get(), n++, Py_NewRef(key));
  return keys;
}

/// To the end of a collections.deque.
int appendTo(PyObject *queue, PyObject *value) {
  static PyObject *const append = check(PyObject_GetAttrString(asObject(Library::get().queue), "append"));
  return Object(PyObject_CallFunctionObjArgs(append, queue, value, nullptr)) ? 0 : -1;
}

/// Of two objects of one class that show what they are made of.
bool sameBytes(PyObject *a, PyObject *b) {
  Py_buffer x, y;
  if (PyObject_GetBuffer(a, &x, PyBUF_SIMPLE)) return PyErr_Clear(), false;
  bool isRead = !PyObject_GetBuffer(b, &y, PyBUF_SIMPLE);
  bool isSame = isRead && x.len == y.len && !std::memcmp(x.buf, y.buf, size_t(x.len));
  if (isRead) PyBuffer_Release(&y);
  else PyErr_Clear();
  PyBuffer_Release(&x);
  return isSame;
}

bool sameMethod(PyObject *a, PyObject *b) {
  return PyMethod_Check(a) && PyMethod_Check(b) && PyMethod_GET_FUNCTION(a) == PyMethod_GET_FUNCTION(b) &&
         PyMethod_GET_SELF(a) == PyMethod_GET_SELF(b);
}

} // namespace

bool sameValue(PyObject *a, PyObject *b) {
  if (a == b) return true;
  if (!a || !b || Py_TYPE(a) != Py_TYPE(b)) return false;
  auto sameBits = [](double x, double y) { return std::bit_cast<int64_t>(x) == std::bit_cast<int64_t>(y); };
  if (PyFloat_CheckExact(a)) return sameBits(PyFloat_AS_DOUBLE(a), PyFloat_AS_DOUBLE(b));
  if (PyComplex_CheckExact(a)) {
    Py_complex x = PyComplex_AsCComplex(a), y = PyComplex_AsCComplex(b);
    return sameBits(x.real, y.real) && sameBits(x.imag, y.imag);
  }
  if (PyLong_CheckExact(a) || PyUnicode_CheckExact(a) || PyBytes_CheckExact(a)) return PyObject_RichCompareBool(a, b, Py_EQ) == 1;
  if (package().isNumPyNumber(a)) return sameBytes(a, b);
  if (PyMethod_Check(a)) return sameMethod(a, b);
  if (!PyTuple_CheckExact(a) || PyTuple_GET_SIZE(a) != PyTuple_GET_SIZE(b)) return false;
  for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(a); ++i)
    if (!sameValue(PyTuple_GET_ITEM(a, i), PyTuple_GET_ITEM(b, i))) return false;
  return true;
}

PyObject *Held::ofCall() const {
  return callAnchors && size_t(number) < callAnchors->now.size() ? callAnchors->now[size_t(number)] : nullptr;
}

Held::Held(PyObject *o) {
  bool isWeak = o && PyType_HasFeature(Py_TYPE(o), Py_TPFLAGS_HEAPTYPE) && !PyType_Check(o) && PyType_SUPPORTS_WEAKREFS(Py_TYPE(o)) &&
                Py_TYPE(o)->tp_getattro == PyObject_GenericGetAttr && !isArray(o);
  form = isWeak ? Form::Weak : Form::Itself;
  object = isWeak ? Object(check(PyWeakref_NewRef(o, nullptr))) : Object::borrow(o);
}

thread_local Anchors *callAnchors = nullptr;
thread_local std::span<const GivenNumber> givenNumbers;

Object Place::read() const {
  if (kind == Argument) return size_t(index) < givenNumbers.size() ? Object::borrow(givenNumbers[size_t(index)].value) : Object();
  PyObject *of = container.get();
  if (!of) return Object();
  switch (kind) {
  case Entry: return readEntry(of, key.get());
  case Cell: return Object::borrow(PyCell_GET(of));
  case Part: return readPart(of, key.get());
  case Type: return Object::borrow(of);
  case Class: return Object::borrow(asObject(Py_TYPE(of)));
  case Attribute: return readAttribute(of, key.get());
  case Member: return Object::borrow(_PyType_Lookup(asType(of), key.get()));
  case Found: return readFound(of, key.get());
  case Plainly: {
    PyTypeObject *type = PyType_Check(of) ? asType(of) : Py_TYPE(of);
    PyObject *found = key ? _PyType_Lookup(type, key.get()) : nullptr;
    bool isPlain = isPlainly(type) && !(found && (Py_TYPE(found)->tp_descr_get || Py_TYPE(found)->tp_descr_set));
    return isPlain ? Object::borrow(type->tp_mro) : Object();
  }
  case Item: {
    bool isQueue = Py_TYPE(of) == Library::get().queue;
    bool isThere = index < (PyTuple_Check(of) ? PyTuple_GET_SIZE(of) : isQueue ? PyObject_Size(of) : PyList_GET_SIZE(of));
    if (isThere && isQueue) return Object(check(PySequence_GetItem(of, index)));
    return isThere ? Object::borrow(PySequence_Fast_GET_ITEM(of, index)) : Object();
  }
  case Items: return Object(check(PyLong_FromSsize_t(PyTuple_Check(of) ? PyTuple_GET_SIZE(of) : PyObject_Size(of))));
  case Keys: return keysOf(of);
  case Number:
  case Argument:
  case Output: break;
  }
  return Object();
}

std::string Place::describe() const {
  const char *name = key && PyUnicode_Check(key.get()) ? PyUnicode_AsUTF8(key.get()) : nullptr;
  if (key && !name) PyErr_Clear();
  std::string quoted = "'" + std::string(name ? name : "?") + "'";
  PyObject *of = container.get();
  switch (kind) {
  case Type: return std::string("class ") + (of ? asType(of)->tp_name : "?");
  case Class:
  case Plainly: return "the class of an object";
  case Cell: return "closure variable";
  case Attribute:
  case Found:
  case Member: return "attribute " + quoted;
  case Item: return "item " + std::to_string(index);
  case Items: return "the length of a list";
  case Output: return "what is printed";
  case Argument: return "number " + std::to_string(index) + " of the arguments";
  case Keys: return "the keys of a dict or set";
  default: return "name " + quoted;
  }
}

bool Place::operator==(const Place &other) const {
  return kind == other.kind && container == other.container && index == other.index && sameValue(key.get(), other.key.get());
}

bool Guard::isOfAnother(const Place &other, PyObject *number) const {
  PyObject *wanted = expected.get();
  return wanted && Py_TYPE(wanted) == Py_TYPE(number) && place == other && !sameValue(wanted, number);
}

bool Guard::isOfOther(const Place &other, PyObject *object) const {
  if (other.kind == Place::Type) // a class: whose other attributes change with the calls, or are read one by one for that
    return place.kind == Place::Plainly
               ? PyTuple_GET_ITEM(expected.get(), 0) == other.container.get()
               : place.container == other.container && (place.kind == Place::Type ? !holds() : place.kind == Place::Member);
  if (!expected || place != other) return false;
  PyObject *wanted = expected.get();
  if (anchor >= 0) return wanted == asObject(Py_TYPE(object));
  bool isAlike = !wanted || (wanted != object && Py_TYPE(wanted) == Py_TYPE(object));
  return isAlike && (!wanted || !PyFunction_Check(object) || PyFunction_GET_CODE(wanted) == PyFunction_GET_CODE(object));
}

Guard::Guard(Place at, Held value) : place(std::move(at)), expected(std::move(value)) {
  PyObject *of = place.container.get(), *key = place.key.get();
  if (place.kind == Place::Type) version = versionOf(asType(of));
  if (place.kind == Place::Class) version = versionOf(Py_TYPE(of));
  if (place.container.isAnchor()) return;
  if (place.kind == Place::Cell) field = &reinterpret_cast<PyCellObject *>(of)->ob_ref;
  if (place.kind == Place::Part && PyFunction_Check(of)) field = partOf(of, key);
  if (place.kind == Place::Entry && PyUnicode_CheckExact(key)) hash = PyObject_Hash(key);
}

bool Guard::holdsByValue() const {
  PyObject *of = place.container.get();
  if (!of) return false;
  if (anchor >= 0) {
    Object now = place.read();
    if (!callAnchors || !now || asObject(Py_TYPE(now.get())) != expected.get()) return false;
    return callAnchors->set(anchor, now.get()), true;
  }
  if (place.kind == Place::Type) return version && versionOf(asType(of)) == version;
  if (place.kind == Place::Class) return version && asObject(Py_TYPE(of)) == expected.get() && versionOf(Py_TYPE(of)) == version;
  PyObject *wanted = expected.get();
  if (expected && !wanted) return false; // what was there is gone
  return sameValue(place.read().get(), wanted);
}

void Store::put(PyObject *of, PyObject *to) const {
  int status = 0;
  switch (place.kind) {
  case Place::Entry: status = PyDict_SetItem(of, place.key.get(), to); break;
  case Place::Cell: status = PyCell_Set(of, to); break;
  case Place::Attribute: status = PyObject_GenericSetAttr(of, place.key.get(), to); break;
  case Place::Items: status = PyList_Check(of) ? PyList_Append(of, to) : appendTo(of, to); break;
  case Place::Item: status = PyList_SetItem(of, place.index, Py_NewRef(to)); break;
  case Place::Output: status = Object(PyObject_Call(of, PyTuple_GET_ITEM(to, 0), PyTuple_GET_ITEM(to, 1))) ? 0 : -1; break;
  default: break;
  }
  if (status) throw PythonError();
}

void PythonState::addCode(PyObject *code) {
  if (codes.insert(code).second) held.push_back(Object::borrow(code));
}

bool PythonState::asksForElements() const {
  const Builtins &b = Builtins::get();
  if (std::ranges::any_of(guards,
                          [&](const Guard &g) { return g.expected.get() && (g.expected.get() == b.min || g.expected.get() == b.max); }))
    return true;
  auto isOne = [](PyObject *name) {
    return std::ranges::any_of(std::initializer_list<const char *>{"float", "int", "item"},
                               [&](const char *one) { return !PyUnicode_CompareWithASCIIString(name, one); });
  };
  return std::ranges::any_of(held, [&](const Object &code) {
    PyObject *names = reinterpret_cast<PyCodeObject *>(code.get())->co_names;
    return std::any_of(PySequence_Fast_ITEMS(names), PySequence_Fast_ITEMS(names) + PyTuple_GET_SIZE(names), isOne);
  });
}

std::string PythonState::find(PyObject *function, std::span<PyObject *const> classes, std::span<PyObject *const> values) {
  auto listOf = [](std::span<PyObject *const> objects) {
    Object list(check(PyList_New(0)));
    for (PyObject *o : objects)
      if (PyList_Append(list.get(), o)) throw PythonError();
    return list;
  };
  Object classList = listOf(classes), valueList = listOf(values);
  Object reads(check(PyObject_CallFunctionObjArgs(package().analyze, function, classList.get(), valueList.get(), nullptr)));
  PyObject *places, *why, *analysed;
  if (!PyArg_ParseTuple(reads.get(), "O!OO!", &PyList_Type, &places, &why, &PyTuple_Type, &analysed)) throw PythonError();
  if (why != Py_None) return PyUnicode_AsUTF8(why);
  for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(analysed); ++i) addCode(PyTuple_GET_ITEM(analysed, i));
  for (Py_ssize_t i = 0; i < PyList_GET_SIZE(places); ++i) {
    PyObject *pair = PyList_GET_ITEM(places, i), *of = PyTuple_GET_ITEM(pair, 0), *key = PyTuple_GET_ITEM(pair, 1);
    Place::Kind kind = PyType_Check(of)                                 ? Place::Type
                       : key == Py_None                                 ? Place::Cell
                       : PyFunction_Check(of) || !PyDict_CheckExact(of) ? Place::Part
                                                                        : Place::Entry;
    Place place{kind, Held(of), key == Py_None ? Object() : Object::borrow(key)};
    Object value = place.read();
    if (value && isArray(value.get())) arrays.push_back(place);
    else guards.emplace_back(place, value.get());
    if (kind == Place::Type && !guards.back().isCountable()) return "a class is read whose changes CPython does not number any more";
  }
  return "";
}

PyObject *Stores::apply(std::span<PyObject *const> passed, PyObject *built) const {
  if (all.empty()) return built;
  Object values(check(built));
  for (size_t i = 0; i < all.size(); ++i) {
    const Store &s = all[i];
    Object container = Object::borrow(s.passed < 0 ? s.place.container.get() : passed[size_t(s.passed)]);
    if (container) s.put(container.get(), PyTuple_GET_ITEM(built, Py_ssize_t(i) + 1)); // else nobody can see it any more
  }
  return Py_NewRef(PyTuple_GET_ITEM(built, 0));
}

int PythonState::formulaOf(PyObject *number) const {
  auto known = std::ranges::find_if(named, [&](auto &n) { return n.first.get() == number; });
  return known == named.end() ? -1 : known->second;
}

Object PythonState::withStored(PyObject *result) const {
  if (stores.empty()) return Object::borrow(result);
  Object all(check(PyTuple_New(Py_ssize_t(stores.size()) + 1)));
  PyTuple_SET_ITEM(all.get(), 0, Py_NewRef(result));
  for (size_t i = 0; i < stores.size(); ++i) PyTuple_SET_ITEM(all.get(), Py_ssize_t(i) + 1, Py_NewRef(stores[i].value.get()));
  return all;
}

std::shared_ptr<const Stores> PythonState::takeStores() {
  named.clear(), told.clear(), risky.clear();
  if (stores.empty() && late.empty()) return nullptr;
  auto made = std::make_shared<Stores>();
  made->all = std::exchange(stores, {});
  made->taken = std::exchange(taken, {});
  made->fixed = std::exchange(fixed, {});
  made->late = std::exchange(late, {});
  for (Store &s : made->all) {
    s.value = Object();
    changed.push_back(s.place.container); // of an argument: none
  }
  return made;
}

bool PythonState::storesToArguments() const {
  return std::ranges::any_of(stores, [](const Store &s) { return s.passed >= 0; });
}

bool PythonState::mayMeet(std::span<PyObject *const> passed) const {
  if (changed.empty() || passed.empty()) return false;
  auto isPassed = [&](const Held &o) { return o && std::ranges::find(passed, o.get()) != passed.end(); };
  return std::ranges::any_of(changed, isPassed) ||
         std::ranges::any_of(guards, [&](const Guard &g) { return isPassed(g.place.container) || isPassed(g.expected); }) ||
         std::ranges::any_of(arrays, [&](const Place &p) { return isPassed(p.container); });
}

bool PythonState::areApart() const {
  const std::vector<PyObject *> &now = callAnchors->now;
  for (size_t i = 0; i < now.size(); ++i)
    if (std::find(now.begin(), now.begin() + ptrdiff_t(i), now[i]) != now.begin() + ptrdiff_t(i)) return false;
  return std::ranges::none_of(known, [&](const Held &o) { return isAnchor(o.get()); });
}

bool PythonState::isAnchor(PyObject *o) const { return anchors && std::ranges::find(callAnchors->now, o) != callAnchors->now.end(); }

void PythonState::findKnown() {
  known.clear();
  auto add = [&](const Held &o) {
    PyObject *of = o.get();
    bool mayMeet = of && !o.isAnchor() && PyObject_IS_GC(of) && !PyType_Check(of) && !PyModule_Check(of);
    if (mayMeet && std::ranges::find(known, o) == known.end()) known.push_back(o);
  };
  if (!anchors) return;
  for (const Guard &g : guards) add(g.place.container), add(g.expected);
  for (const Place &p : arrays) add(p.container);
  for (int i = 0; i < int(numbers.size()); ++i) add(numbers.at(i).place.container);
  for (const Store &s : stores) add(s.place.container);
  for (const Held &h : changed) add(h);
}

int PythonState::visit(visitproc visit, void *arg) const {
  auto visitPlace = [&](const Place &place) {
    Py_VISIT(place.container.visited());
    Py_VISIT(place.key.get());
    return 0;
  };
  for (const Guard &g : guards) {
    if (int status = visitPlace(g.place)) return status;
    Py_VISIT(g.expected.visited());
  }
  for (const Place &p : arrays)
    if (int status = visitPlace(p)) return status;
  if (int status = numbers.visit(visit, arg)) return status;
  for (const Held &h : changed) Py_VISIT(h.visited());
  for (const Held &h : known) Py_VISIT(h.visited());
  for (const Object &code : held) Py_VISIT(code.get());
  return 0;
}

} // namespace kiln::py
