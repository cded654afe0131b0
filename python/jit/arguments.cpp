#include "arguments.h"

#include "frontend/OpsShared.h"

#include <algorithm>
#include <bit>

namespace kiln::py {

bool isNamedTuple(PyObject *value) {
  if (!PyTuple_Check(value) || PyTuple_CheckExact(value)) return false;
  PyObject **attributes = Py_TYPE(value)->tp_dictoffset ? _PyObject_GetDictPtr(value) : nullptr;
  bool hasMore = attributes && *attributes && PyDict_GET_SIZE(*attributes);
  return !hasMore && PyObject_HasAttrString(reinterpret_cast<PyObject *>(Py_TYPE(value)), "_fields");
}

namespace {

constexpr int kDeepest = 100;
constexpr size_t kMostGiven = 256; // numbers; more of them are data

/// The path of what stands somewhere below another one; none is 0.
uint64_t below(uint64_t path, uint64_t number) {
  path = (path * 31 + number) * 0x9e3779b97f4a7c15u;
  return (path ^ path >> 29) | 1;
}

/// Functions, classes, modules and the like: in a key by identity. The analysis of the function says whether it can be watched.
bool isNamedThing(PyObject *value) {
  return PyFunction_Check(value) || PyCFunction_Check(value) || PyType_Check(value) || PyModule_Check(value) || PyMethod_Check(value) ||
         Py_TYPE(value) == jitType || PyObject_TypeCheck(value, reinterpret_cast<PyTypeObject *>(side().opFunction)) ||
         PyObject_TypeCheck(value, reinterpret_cast<PyTypeObject *>(side().dtypeClass)) ||
         PyObject_IsInstance(value, side().thingClasses) == 1;
}

} // namespace

class Arguments::Reader {
public:
  const Parameters &parameters;
  bool byValue, tells;
  bool stays = false;      // nothing is brought anywhere
  bool hasCopies = false;  // of containers, for arrays of NumPy in them
  bool takesItems = false; // numbers of containers may be no part of the key
  uint64_t path = 0;       // of what holds that which is added next; 0: it has none
  GivenNumber place{};     // where that stands

  Reader(Arguments &to, const Parameters &parameters, bool byValue, bool tells)
      : parameters(parameters), byValue(byValue), tells(tells || parameters.hasOpened), takesItems(!byValue), to(to) {}

  /// Adds a value; what to use instead of it where it is or has an array of NumPy, else null.
  Object add(PyObject *value, int depth = 0) {
    if (isArray(value)) return addArray(value), Object();
    if (PyFloat_CheckExact(value) || PyLong_CheckExact(value)) return addNumber(value), Object();
    if (addPlain(value)) return Object();
    if (depth == kDeepest) return fail("is nested deeper than " + std::to_string(kDeepest) + " levels");
    if (PyTuple_CheckExact(value) || isNamedTuple(value)) return addTuple(value, depth);
    if (PyList_CheckExact(value)) return addList(value, depth);
    if (PyDict_CheckExact(value)) return addDict(value, depth);
    if (PySlice_Check(value) || PyRange_Check(value)) return addBounds(value, depth), Object();
    if (isNamedThing(value)) return addThing(value), Object();
    if (isNumPyNumber(value)) return addNumber(value), Object();
    if (isNumPyScalar(value)) return addScalar(value), Object();
    if (PyObject_CheckBuffer(value) && !PyBytes_Check(value) && !PyByteArray_Check(value)) {
      Object array(wrap(bring(asArray(value, std::nullopt, -1))));
      addArray(array.get());
      hold(value);
      to.converted.emplace_back(array.get(), value);
      return array;
    }
    return addNode(value, depth);
  }

  /// A static argument: by type and bits where it is plain data, else by identity.
  void addStatic(PyObject *value, const char *name) {
    if (Py_TYPE(value)->tp_hash == PyObject_HashNotImplemented && !PySlice_Check(value)) {
      throw Error(ErrorKind::Trace, std::string("static argument ") + name + ": expected a hashable value, got " + Py_TYPE(value)->tp_name);
    }
    to.key.token(KeyToken::Static);
    addConstant(value, 0);
  }

  /// What a parameter has that the call leaves out: the function's analysis says whether it may.
  void addDefault(PyObject *value) {
    if (addPlain(value)) return;
    to.key.object(KeyToken::Object, value);
    hold(value);
  }

  /// An object by itself, which is not kept alive for it.
  void addByPlace(PyObject *value) {
    hold(value);
    to.values.push_back(value);
    to.held.emplace_back(check(PyWeakref_NewRef(value, nullptr))); // an object has one
    to.key.object(KeyToken::Object, to.held.back().get());
  }

  Object fail(std::string what) {
    if (to.why.empty()) to.why = "an argument " + what;
    return Object();
  }

private:
  Arguments &to;
  std::vector<PyObject *> within; // containers that are being read

  /// A number where it stands, or any one, where others came in its place.
  void addNumber(PyObject *value) {
    bool isGiven = tells && to.given.size() < kMostGiven && path, isOpen = false;
    if (isGiven) {
      GivenNumber &given = to.given.emplace_back(place);
      given.path = pathHere();
      given.value = value;
      given.isOpen = isOpen = parameters.open.size() && (place.container ? takesItems : !byValue) && parameters.isOpen(given.path);
    }
    if (isOpen) addAny(value);
    else if (!addPlain(value)) addScalar(value);
  }

  void addAny(PyObject *value) {
    enum Kind { Whole, Float, OfNumPy };
    hold(value);
    to.key.token(KeyToken::AnyNumber, PyFloat_CheckExact(value) ? Float : PyLong_CheckExact(value) ? Whole : OfNumPy);
    if (isNumber(value)) return;
    hold(asObject(Py_TYPE(value)));
    to.key.object(KeyToken::Object, Py_TYPE(value));
  }

  uint64_t pathHere() const { return place.container && path ? below(path, uint64_t(place.index)) : path; }

  /// What a container has in a place.
  void go(uint64_t here, PyObject *container, Place::Kind kind, PyObject *key, Py_ssize_t i) {
    if (!tells) return;
    path = here;
    place.kind = kind, place.container = container, place.key = key, place.index = i;
  }

  void hold(PyObject *value) { to.held.push_back(Object::borrow(value)); }

  /// Memory of the host that the call shares with others, as an array of the default device: that it is there too, the call sees to.
  /// All stay where some overlap, as writes into one show in the other, and beside arrays of the CPU, into which they may be written.
  Array bring(Array shared) {
    Device *there = defaultDevice();
    if (!there || deviceOf(shared) || Mode::current()) return shared;
    for (const Arguments::Brought &other : to.brought) stays |= overlaps(shared, other.host);
    if (stays) return shared;
    Array copy = moved(shared, there);
    copy.storage->isWritable = shared.storage->isWritable;
    to.brought.push_back({shared, copy});
    return copy;
  }

  void addArray(PyObject *array) {
    if (to.arrays.size() == KeyBuilder::kMostArrays) return void(fail("is one of very many arrays"));
    hold(array);
    stays |= !deviceOf(arrayOf(array)) && arrayOf(array).shape.rank;
    to.arrays.push_back(array);
    to.key.array(arrayOf(array));
  }

  void addThing(PyObject *value) {
    hold(value);
    to.values.push_back(value);
    to.key.object(KeyToken::Object, value);
  }

  void addClass(PyObject *value) {
    auto *type = reinterpret_cast<PyObject *>(Py_TYPE(value));
    hold(type);
    to.classes.push_back(type);
    to.key.object(KeyToken::Object, type);
  }

  /// A container, which of those before it is the same object, and its number; -1 for one that holds itself.
  int open(KeyToken kind, PyObject *value, Py_ssize_t size) {
    to.key.token(kind, size);
    to.key.words.push_back(to.containers.put(value, int64_t(to.passed.size())));
    if (std::ranges::find(within, value) != within.end()) return -1;
    hold(value);
    within.push_back(value);
    to.passed.push_back(value);
    return int(to.passed.size()) - 1;
  }
  Object close(Object instead = Object()) {
    within.pop_back();
    return instead;
  }

  bool addPlain(PyObject *value) {
    if (PyFloat_CheckExact(value)) {
      to.key.number(KeyToken::Float, std::bit_cast<int64_t>(PyFloat_AS_DOUBLE(value)));
    } else if (PyBool_Check(value)) {
      to.key.number(KeyToken::Bool, value == Py_True);
    } else if (PyLong_CheckExact(value)) {
      addInteger(value);
    } else if (value == Py_None) {
      to.key.token(KeyToken::None);
    } else if (PyUnicode_CheckExact(value)) {
      Py_ssize_t size;
      const char *text = PyUnicode_AsUTF8AndSize(value, &size);
      if (!text) return PyErr_Clear(), false; // lone surrogates
      to.key.text(KeyToken::Text, {text, size_t(size)});
    } else if (PyComplex_CheckExact(value)) {
      Py_complex z = PyComplex_AsCComplex(value);
      to.key.number(KeyToken::Complex, std::bit_cast<int64_t>(z.real));
      to.key.words.push_back(std::bit_cast<int64_t>(z.imag));
    } else if (PyBytes_CheckExact(value)) {
      to.key.text(KeyToken::Bytes, {PyBytes_AS_STRING(value), size_t(PyBytes_GET_SIZE(value))});
    } else {
      return false;
    }
    return true;
  }

  void addInteger(PyObject *value) {
    int overflow;
    int64_t number = PyLong_AsLongLongAndOverflow(value, &overflow);
    if (!overflow) return to.key.number(KeyToken::Integer, number);
    Object digits(check(PyNumber_ToBase(value, 16)));
    to.key.text(KeyToken::Large, PyUnicode_AsUTF8(digits.get()));
  }

  void addScalar(PyObject *value) {
    Py_buffer view;
    if (PyObject_GetBuffer(value, &view, PyBUF_SIMPLE)) throw PythonError();
    hold(reinterpret_cast<PyObject *>(Py_TYPE(value)));
    to.key.object(KeyToken::Object, Py_TYPE(value));
    to.key.text(KeyToken::Bytes, {static_cast<char *>(view.buf), size_t(view.len)});
    PyBuffer_Release(&view);
  }

  void addConstant(PyObject *value, int depth) {
    if (isArray(value)) return void(fail("is a static array"));
    if (addPlain(value)) return;
    if (depth == kDeepest) return void(fail("is nested deeper than " + std::to_string(kDeepest) + " levels"));
    if (PySlice_Check(value) || PyRange_Check(value)) return addBounds(value, depth);
    if (!PyTuple_CheckExact(value)) return addThing(value);
    to.key.token(KeyToken::Tuple, PyTuple_GET_SIZE(value));
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(value); ++i) addConstant(PyTuple_GET_ITEM(value, i), depth + 1);
  }

  /// A slice or a range.
  void addBounds(PyObject *value, int depth) {
    hold(value);
    to.key.object(KeyToken::Object, Py_TYPE(value));
    for (const char *name : {"start", "stop", "step"}) addConstant(Object(check(PyObject_GetAttrString(value, name))).get(), depth + 1);
  }

  Object addTuple(PyObject *value, int depth) {
    Py_ssize_t n = PyTuple_GET_SIZE(value);
    open(KeyToken::Tuple, value, n);
    bool isNamed = !PyTuple_CheckExact(value), changes = false;
    if (isNamed) addClass(value);
    std::vector<Object> items;
    uint64_t here = pathHere();
    for (Py_ssize_t i = 0; i < n; ++i) {
      go(here, value, Place::Item, nullptr, i);
      changes |= bool(items.emplace_back(add(PyTuple_GET_ITEM(value, i), depth + 1)));
    }
    if (!changes) return close();
    hasCopies = true;
    Object copy(check(PyTuple_New(n)));
    for (Py_ssize_t i = 0; i < n; ++i)
      PyTuple_SET_ITEM(copy.get(), i, items[size_t(i)] ? items[size_t(i)].release() : Py_NewRef(PyTuple_GET_ITEM(value, i)));
    if (!isNamed) return close(copy);
    Object arguments(check(PyTuple_Pack(1, copy.get())));
    return close(Object(check(PyTuple_Type.tp_new(Py_TYPE(value), arguments.get(), nullptr))));
  }

  Object addList(PyObject *value, int depth) {
    int at = open(KeyToken::List, value, PyList_GET_SIZE(value));
    if (at < 0) return fail("is a list that holds itself");
    Object copy;
    uint64_t here = pathHere();
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(value); ++i) {
      go(here, value, Place::Item, nullptr, i);
      Object item = Object::borrow(PyList_GET_ITEM(value, i)), instead = add(item.get(), depth + 1);
      if (!instead) continue;
      if (!copy) copy = Object(check(PyList_GetSlice(value, 0, PyList_GET_SIZE(value))));
      PyList_SetItem(copy.get(), i, instead.release());
    }
    return close(replace(size_t(at), value, copy));
  }

  Object addDict(PyObject *value, int depth) {
    int at = open(KeyToken::Dict, value, PyDict_GET_SIZE(value));
    if (at < 0) return fail("is a dict that holds itself");
    Object items(check(PyDict_Items(value))), copy; // in the order of insertion, which programs can see
    uint64_t here = pathHere();
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(items.get()); ++i) {
      PyObject *pair = PyList_GET_ITEM(items.get(), i), *key = PyTuple_GET_ITEM(pair, 0);
      addConstant(key, depth + 1);
      bool isPlain = PyUnicode_CheckExact(key) || PyLong_CheckExact(key); // to look another one up may run code of the user
      go(isPlain ? here : 0, value, Place::Entry, key, i);
      Object instead = add(PyTuple_GET_ITEM(pair, 1), depth + 1);
      if (!instead) continue;
      if (!copy) copy = Object(check(PyDict_Copy(value)));
      if (PyDict_SetItem(copy.get(), key, instead.get())) throw PythonError();
    }
    to.held.push_back(std::move(items));
    return close(replace(size_t(at), value, copy));
  }

  Object replace(size_t at, PyObject *value, const Object &copy) {
    if (!copy) return Object();
    hasCopies = true;
    if (auto first = size_t(to.containers.find(value)); first != at) { // given before
      to.passed[at] = to.passed[first];
      return Object::borrow(to.passed[at]);
    }
    to.held.push_back(copy);
    to.passed[at] = copy.get();
    to.containers.put(copy.get(), int64_t(at));
    Object before(check(PyList_CheckExact(value) ? PyList_GetSlice(copy.get(), 0, PyList_GET_SIZE(copy.get())) : PyDict_Copy(copy.get())));
    to.replaced.push_back({value, copy.get(), before});
    return copy;
  }

  /// An object of a registered class or a dataclass: its class and data, then its children.
  Object addNode(PyObject *value, int depth) {
    std::string name = Py_TYPE(value)->tp_name;
    Object parts(PyObject_CallOneArg(side().flatten, value));
    if (!parts) {
      if (!PyErr_ExceptionMatches(PyExc_Exception)) throw PythonError(); // Ctrl-C
      PyErr_Clear();
      return fail("is a " + name + ", which cannot be taken apart");
    }
    if (parts.get() == Py_None)
      return fail("is a " + name + ", which is not watched (name it in static_argnums or static_argnames if it never changes)");
    PyObject *children = PyTuple_GET_ITEM(parts.get(), 0), *names = PyTuple_GET_ITEM(parts.get(), 1); // one object for equal ones
    if (open(KeyToken::Node, value, PyTuple_GET_SIZE(children)) < 0) return fail("is a " + name + " that holds itself");
    addClass(value);
    to.key.object(KeyToken::Object, names);
    to.held.push_back(parts);
    uint64_t here = pathHere();
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(children); ++i) {
      go(here, value, Place::Attribute, PyTuple_GET_ITEM(names, i), i);
      if (add(PyTuple_GET_ITEM(children, i), depth + 1)) return fail("is a " + name + " with a NumPy array in it");
    }
    return close();
  }
};

void Arguments::clear() {
  key.words.clear(), key.objects.clear(), key.arrays.clear();
  arrays.clear(), passed.clear(), containers.clear(), classes.clear(), values.clear(), actual.clear(), replaced.clear(), converted.clear();
  why.clear(), numbers.clear(), given.clear(), objects.clear(), brought.clear(), anchors.now.clear();
  auto lastAnchors = std::move(anchors.held);
  auto last = std::move(held); // dropping the last reference may run code of the user, which may call again
  last.clear(), lastAnchors.clear();
  if (held.empty()) held.swap(last); // its memory is used again
}

namespace {

/// What a function takes for a parameter that a call leaves out; null: there is nothing.
PyObject *defaultOf(PyObject *function, const Parameters &parameters, size_t number) {
  if (!PyFunction_Check(function)) return nullptr;
  auto *f = reinterpret_cast<PyFunctionObject *>(function);
  if (number >= parameters.positional) {
    PyObject *found = f->func_kwdefaults ? PyDict_GetItemWithError(f->func_kwdefaults, parameters.names[number].get()) : nullptr;
    return PyErr_Clear(), found;
  }
  size_t count = f->func_defaults ? size_t(PyTuple_GET_SIZE(f->func_defaults)) : 0,
         first = parameters.positional - std::min(count, parameters.positional);
  return number >= first && count ? PyTuple_GET_ITEM(f->func_defaults, Py_ssize_t(number - first)) : nullptr;
}

/// The keyword of a call with a parameter's name; -1 for none.
Py_ssize_t keywordOf(const Call &call, PyObject *name) {
  for (Py_ssize_t k = 0; call.kwnames && k < PyTuple_GET_SIZE(call.kwnames); ++k) {
    PyObject *given = PyTuple_GET_ITEM(call.kwnames, k);
    if (given == name || !PyUnicode_Compare(given, name)) return k;
  }
  return -1;
}

} // namespace

void Arguments::read(const Parameters &parameters, const Call &call, bool byValue, bool tells) {
  Reader reader(*this, parameters, byValue, tells);
  readAll(reader, call);
  bool closes = reader.hasCopies && std::ranges::any_of(given, [](const GivenNumber &g) { return g.isOpen && g.container; });
  if (!closes && (brought.empty() || !reader.stays)) return;
  clear();
  reader.takesItems &= !closes;
  readAll(reader, call);
}

void Arguments::readAll(Reader &reader, const Call &call) {
  const Parameters &parameters = reader.parameters;
  key.start(currentContext());
  auto isStatic = [&](size_t number, PyObject *name) {
    for (int k : parameters.staticNumbers)
      if (size_t(k) == number) return true;
    return name && parameters.staticNames && PySet_Contains(parameters.staticNames.get(), name) == 1;
  };
  auto addAt = [&](size_t i, size_t number, PyObject *name) {
    bool isNamed = name && number < parameters.names.size();
    reader.place = {};
    reader.place.index = Py_ssize_t(i);
    reader.path = isNamed ? below(1, number) : name ? below(2, uint64_t(PyObject_Hash(name))) : below(3, number); // `**kwargs`, `*args`
    if (isStatic(number, name)) {
      reader.addStatic(call.args[i], name ? PyUnicode_AsUTF8(name) : std::to_string(number).c_str());
    } else if (isNamed && !reader.byValue && parameters.isByPlace(number, call.args[i])) {
      reader.addByPlace(call.args[i]);
      objects.push_back({Py_ssize_t(number), call.args[i], true, 0, 0});
    } else {
      size_t first = key.words.size();
      Object instead = reader.add(call.args[i]);
      bool isObject = isNamed && key.words.size() > first && KeyToken(key.words[first] & 0xff) == KeyToken::Node;
      if (isObject) objects.push_back({Py_ssize_t(number), call.args[i], false, first, key.words.size()});
      if (!instead) return;
      if (actual.empty()) actual.assign(call.args, call.args + call.count());
      actual[i] = instead.get();
      held.push_back(std::move(instead));
    }
  };
  // By parameter, so that the order and the way in which arguments are given, or left out, make no other key; then what has none.
  std::vector<char> isDone(call.kwnames ? size_t(PyTuple_GET_SIZE(call.kwnames)) : 0);
  for (size_t number = 0; number < parameters.names.size(); ++number) {
    PyObject *name = parameters.names[number].get();
    if (number < std::min(call.nargs, parameters.positional)) {
      addAt(number, number, name);
    } else if (Py_ssize_t k = keywordOf(call, name); k >= 0) {
      isDone[size_t(k)] = true;
      addAt(call.nargs + size_t(k), number, name);
    } else if (PyObject *value = defaultOf(call.function, parameters, number)) {
      reader.addDefault(value);
    } else {
      key.token(KeyToken::Absent);
    }
  }
  for (size_t i = parameters.positional; i < call.nargs; ++i) addAt(i, i, nullptr);
  for (size_t k = 0; k < isDone.size(); ++k) {
    if (isDone[k]) continue;
    PyObject *name = PyTuple_GET_ITEM(call.kwnames, Py_ssize_t(k));
    key.token(KeyToken::Keyword);
    key.text(KeyToken::Text, PyUnicode_AsUTF8(name));
    addAt(call.nargs + k, SIZE_MAX, name);
  }
}

void Arguments::addCaptured(PyObject *array) {
  held.push_back(Object::borrow(array));
  arrays.push_back(array);
  key.array(arrayOf(array));
}

Call Arguments::calling(const Call &call) const {
  return {call.function, actual.empty() ? call.args : actual.data(), call.nargs, call.kwnames};
}

/// Whether two lists, or two dicts, have the same objects in the same order.
static bool sameObjects(PyObject *a, PyObject *b) {
  Object x(check(PyList_CheckExact(a) ? PySequence_Tuple(a) : PyDict_Items(a))),
      y(check(PyList_CheckExact(b) ? PySequence_Tuple(b) : PyDict_Items(b)));
  Py_ssize_t n = PySequence_Fast_GET_SIZE(x.get());
  if (n != PySequence_Fast_GET_SIZE(y.get())) return false;
  for (Py_ssize_t i = 0; i < n; ++i) {
    PyObject *p = PySequence_Fast_GET_ITEM(x.get(), i), *q = PySequence_Fast_GET_ITEM(y.get(), i);
    if (PyList_CheckExact(a) ? p != q
                             : PyTuple_GET_ITEM(p, 0) != PyTuple_GET_ITEM(q, 0) || PyTuple_GET_ITEM(p, 1) != PyTuple_GET_ITEM(q, 1))
      return false;
  }
  return true;
}

void Arguments::giveBack() const {
  for (const Brought &b : brought) {
    if (!b.copy.storage->writtenAt) continue;
    Array host = b.host;
    writeInto(host, moved(b.copy, nullptr));
  }
  auto asGiven = [&](PyObject *value) {
    for (auto &[ours, theirs] : converted)
      if (ours == value) return theirs;
    return value;
  };
  for (const Replaced &r : replaced) {
    if (sameObjects(r.copy, r.before.get())) continue;
    if (PyList_CheckExact(r.original)) {
      Object items(check(PyList_GetSlice(r.copy, 0, PyList_GET_SIZE(r.copy))));
      for (Py_ssize_t i = 0; i < PyList_GET_SIZE(items.get()); ++i)
        PyList_SetItem(items.get(), i, Py_NewRef(asGiven(PyList_GET_ITEM(items.get(), i))));
      if (PyList_SetSlice(r.original, 0, PyList_GET_SIZE(r.original), items.get())) throw PythonError();
      continue;
    }
    Object items(check(PyDict_Items(r.copy)));
    PyDict_Clear(r.original);
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(items.get()); ++i) {
      PyObject *pair = PyList_GET_ITEM(items.get(), i);
      if (PyDict_SetItem(r.original, PyTuple_GET_ITEM(pair, 0), asGiven(PyTuple_GET_ITEM(pair, 1)))) throw PythonError();
    }
  }
}

} // namespace kiln::py
