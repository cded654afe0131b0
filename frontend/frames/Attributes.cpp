// Attributes, as a reader judges them: whose code runs for them, and what they read.
#include "frontend/frames/Builtins.h"
#include "frontend/frames/Reader.h"

#include <cstring>

namespace kiln::py {
namespace {

/// What functions and classes are called, and say of themselves.
bool isLabel(std::string_view name) { return name == "__name__" || name == "__qualname__" || name == "__module__" || name == "__doc__"; }
bool isDunder(const std::string &name) { return name.starts_with("__"); }

} // namespace

void Reader::attribute(PyObject *o, PyObject *name) {
  std::string text = textOf(name);
  switch (values.sortOf(o)) {
  case Sort::Instance: return attributeOfInstance(o, name);
  case Sort::Member: return attributeOfMember(o, name);
  case Sort::Class: return attributeOfClass(reinterpret_cast<PyTypeObject *>(o), name);
  case Sort::Module: {
    PyObject *names = PyModule_GetDict(o), *found = PyDict_GetItemWithError(names, name);
    if (!found) fail("reads '" + text + "' of a module, which the module may make when it is asked");
    require(o);
    requireItself(names);
    return load(placeOf(Place::Entry, names, name), found);
  }
  case Sort::Plain: pin(o); [[fallthrough]];
  case Sort::Array:
  case Sort::Tuple:
    if (!PyTuple_CheckExact(o) && PyTuple_Check(o)) return attributeOfNamedTuple(o, name);
    [[fallthrough]];
  case Sort::List:
  case Sort::Dict:
  case Sort::Set:
  case Sort::Queue:
  case Sort::Trusted:
    pin(o);
    if (text == "default_factory" && originOf(o) != Origin::Fresh) break; // which may be another one
    if (Py_TYPE(o) == Library::get().counter) coverType(Py_TYPE(o));
    if (!isDunder(text) || text == "__class__") return; // methods, and what the key has of arrays
    break;
  case Sort::Function:
    if (!isLabel(text)) break;
    require(o);
    if (originOf(o) == Origin::Fresh) { // of its code, and of where that is
      auto *function = reinterpret_cast<PyFunctionObject *>(o);
      static PyObject *const module = PyUnicode_InternFromString("__name__");
      if (text == "__module__")
        edge(placeOf(Place::Entry, function->func_globals, module), PyDict_GetItemWithError(function->func_globals, module));
      return;
    }
    return edge(placeOf(Place::Part, o, name), Object(check(PyObject_GetAttr(o, name))).get());
  case Sort::Iterator:
    if (PyGen_CheckExact(o) && originOf(o) == Origin::Fresh && (text == "send" || text == "close")) return;
    break;
  default:
    if (Py_TYPE(o) != &PySuper_Type) break;
    Object from(PyObject_GetAttrString(o, "__thisclass__")), self(PyObject_GetAttrString(o, "__self__"));
    if (from && self) return superAttribute(reinterpret_cast<PyTypeObject *>(from.get()), self.get(), name);
    PyErr_Clear();
  }
  fail("reads the attribute '" + text + "' of a " + Py_TYPE(o)->tp_name);
}

/// Whether reading something from a class through an object or the class runs no code that is not known.
bool Reader::isKnownMember(PyObject *found) {
  return !Py_TYPE(found)->tp_descr_get || PyFunction_Check(found) || Py_TYPE(found) == &PyStaticMethod_Type ||
         Py_TYPE(found) == &PyClassMethod_Type || values.known(found) == Known::Jitted;
}

/// The function that gets or sets a property is about to run.
void Reader::enterProperty(PyTypeObject *type, PyObject *name, PyObject *property, bool isRead) {
  Object function(check(PyObject_GetAttrString(property, isRead ? "fget" : "fset")));
  if (function.get() == Py_None) fail("uses the attribute '" + textOf(name) + "', which cannot be " + (isRead ? "read" : "written"));
  member(type, name, function.get());
  enter(function.get());
  if (isRead) forward(function.get());
}

/// Whether an attribute of objects of a class is changed as `object` does it: no code of the user runs. `isPlain`: it is asked to.
bool Reader::changesPlainly(PyTypeObject *type, PyObject *found, bool isPlain) {
  bool isOwn = !found || !Py_TYPE(found)->tp_descr_set || Py_TYPE(found) == &PyMemberDescr_Type;
  return isOwn && (isPlain || type->tp_setattro == PyObject_GenericSetAttr);
}

void Reader::attributeOfInstance(PyObject *o, PyObject *name) {
  PyTypeObject *type = Py_TYPE(o);
  if (coverKind(o)) return attributeLooked(o, name);
  PyObject *found = _PyType_Lookup(type, name);
  if (found && Py_TYPE(found) == &PyProperty_Type) return enterProperty(type, name, found, true);
  if (!PyUnicode_CompareWithASCIIString(name, "__class__")) return;
  bool isSlot = found && Py_TYPE(found) == &PyMemberDescr_Type && PyUnicode_CompareWithASCIIString(name, "__dict__");
  bool isOfArguments = isErrorOfArguments(type) && originOf(o) == Origin::Fresh && !PyUnicode_CompareWithASCIIString(name, "args");
  if (isOfArguments) return;
  if (found && !isSlot && !isKnownMember(found)) fail("reads the attribute '" + textOf(name) + "' of a " + type->tp_name);
  Place place = placeOf(Place::Attribute, o, name);
  Object value = place.read();
  bool isCovered = originOf(o) == Origin::Covered;
  if (found && !isSlot && (Py_TYPE(found)->tp_descr_get || (!isCovered && value.get() == found))) member(type, name, found);
  if (isCovered) load(std::move(place), value.get());
  else loadItem(o, Place::Attribute, name, 0);
}

/// An attribute of an object whose class has others that change with the calls.
void Reader::attributeLooked(PyObject *o, PyObject *name) {
  PyTypeObject *type = Py_TYPE(o);
  PyObject *found = _PyType_Lookup(type, name);
  if (!PyUnicode_CompareWithASCIIString(name, "__class__")) return memberItself(type, name, found);
  if (found && Py_TYPE(found) == &PyProperty_Type) return memberItself(type, name, found), enterProperty(type, name, found, true);
  bool isSlot = found && Py_TYPE(found) == &PyMemberDescr_Type;
  if (found && !isSlot && !isKnownMember(found)) fail("reads the attribute '" + textOf(name) + "' of a " + type->tp_name);
  bool isOfClass = found && !isSlot && Py_TYPE(found)->tp_descr_get; // a function, perhaps behind an attribute of the object's own
  if (isOfClass) memberItself(type, name, found), member(type, name, found);
  if (originOf(o) != Origin::Covered) {
    bool isAlone = found && !isSlot && !isOfClass && !hasOwn(o, name);
    if (isAlone) return memberAlone(type, name, found);
    isSlot || isOfClass ? memberItself(type, name, found) : coverLookup(asObject(type), name);
    return loadItem(o, Place::Attribute, name, 0);
  }
  auto stored = known.find({o, Place::Attribute, canonical(name), 0});
  if (stored != known.end() && stored->second >= 0) return;
  Place place = placeOf(Place::Found, o, name);
  Object value = place.read();
  load(std::move(place), value.get());
}

/// The number of the item that an attribute of a named tuple is; -1 for others.
static Py_ssize_t itemOf(PyObject *found) {
  if (!std::strstr(Py_TYPE(found)->tp_name, "_tuplegetter")) return -1;
  Object state(check(PyObject_CallMethod(found, "__reduce__", nullptr))); // its class, (number, text)
  return PyLong_AsSsize_t(PyTuple_GET_ITEM(PyTuple_GET_ITEM(state.get(), 1), 0));
}

/// A field of a named tuple is one of its items; others are what its class has.
void Reader::attributeOfNamedTuple(PyObject *o, PyObject *name) {
  PyTypeObject *type = Py_TYPE(o);
  PyObject *found = _PyType_Lookup(type, name);
  std::string text = textOf(name);
  if (text == "__class__") return;
  if (!found || isDunder(text)) fail("reads the attribute '" + text + "' of a " + type->tp_name);
  coverType(type);
  Py_ssize_t item = itemOf(found);
  if (item >= 0 && openItems.contains(o)) return loadItem(o, Place::Item, nullptr, item);
  bool isField = PyTuple_Check(found) ? text == "_fields" : item >= 0;
  bool isOfTuple = Py_TYPE(found) == &PyMethodDescr_Type;
  if (isField || isOfTuple) return;
  if (Py_TYPE(found) == &PyProperty_Type) return enterProperty(type, name, found, true);
  if (!isKnownMember(found)) fail("reads the attribute '" + text + "' of a " + type->tp_name);
  member(type, name, found);
}

/// A member of an enumeration: its name and value are attributes under other names.
void Reader::attributeOfMember(PyObject *o, PyObject *name) {
  static PyObject *const value = PyUnicode_InternFromString("_value_"), *const label = PyUnicode_InternFromString("_name_");
  std::string text = textOf(name);
  if (originOf(o) == Origin::Unknown) setOrigin(o, Origin::Covered); // there is one of each
  bool isOwn = text == "value" || text == "name";
  if (!isOwn) return attributeOfInstance(o, name);
  coverClass(o);
  if (_PyType_Lookup(Py_TYPE(o), name) != _PyType_Lookup(Builtins::get().enumeration, name)) fail("reads '" + text + "' of an enumeration");
  Place place = placeOf(Place::Attribute, o, text == "value" ? value : label);
  Object found = place.read();
  load(std::move(place), found.get());
}

void Reader::attributeOfClass(PyTypeObject *type, PyObject *name) {
  std::string text = textOf(name);
  PyObject *found = _PyType_Lookup(type, name);
  if (values.known(asObject(type)) == Known::Computes && found) return; // of a builtin class
  PyTypeObject *kind = Py_TYPE(type);
  bool isAbsent = !found && kind->tp_getattro == PyType_Type.tp_getattro && !_PyType_Lookup(kind, name);
  if (isAbsent && kind != &PyType_Type) coverType(kind);
  if (isAbsent && !PyType_HasFeature(type, Py_TPFLAGS_HEAPTYPE)) return; // nobody can add it
  if (isAbsent && (originOf(asObject(type)) != Origin::Unknown || values.known(asObject(type)) == Known::Computes)) return coverType(type);
  if (type == &PyBaseObject_Type && found && Py_TYPE(found) == &PyWrapperDescr_Type && text == "__setattr__") return;
  require(asObject(type));
  if (isLabel(text) && PyType_HasFeature(type, Py_TPFLAGS_HEAPTYPE)) return coverType(type);
  bool isOfKind = isDunder(text) && _PyType_Lookup(kind, name); // what every class has
  if (!found || isOfKind || !PyType_HasFeature(type, Py_TPFLAGS_HEAPTYPE)) fail("reads '" + text + "' of the class " + type->tp_name);
  if (!isKnownMember(found)) fail("reads '" + text + "' of the class " + type->tp_name);
  bool looked = kind == &PyType_Type && !isDunder(text) && listener.changes(placeOf(Place::Type, asObject(type)), found) >= kMisses;
  if (looked) return memberAlone(type, name, found);
  coverType(type);
  member(type, name, found);
}

/// An attribute of a class whose others change with the calls.
void Reader::memberAlone(PyTypeObject *type, PyObject *name, PyObject *value) {
  Place place = placeOf(Place::Member, asObject(type), name);
  if (!Py_TYPE(value)->tp_descr_get) {
    load(std::move(place), value);
    if (values.sortOf(value) == Sort::Instance) coverClass(value); // which may become one that is asked
    return;
  }
  if (isNew(place)) state.guards.emplace_back(std::move(place), value);
  member(type, name, value);
}

/// What a class has under a name behind another one in the order of its bases.
void Reader::superAttribute(PyTypeObject *from, PyObject *self, PyObject *name) {
  bool isClass = PyType_Check(self), looked = false;
  if (isClass) coverType(reinterpret_cast<PyTypeObject *>(self));
  else if (values.sortOf(self) == Sort::Instance) looked = coverKind(self);
  else fail("uses super() of an object that is not known");
  PyTypeObject *type = isClass ? reinterpret_cast<PyTypeObject *>(self) : Py_TYPE(self);
  bool isBehind = false;
  for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(type->tp_mro); ++i) {
    auto *base = reinterpret_cast<PyTypeObject *>(PyTuple_GET_ITEM(type->tp_mro, i));
    PyObject *found = isBehind ? PyDict_GetItemWithError(membersOf(base).get(), name) : nullptr;
    if (looked && isBehind && PyType_HasFeature(base, Py_TPFLAGS_HEAPTYPE))
      itself(placeOf(Place::Entry, membersOf(base).get(), name), found);
    if (found && base == &PyBaseObject_Type) return; // object.__init__ and the like
    bool isStart = found && Py_TYPE(found) == &PyWrapperDescr_Type && !PyUnicode_CompareWithASCIIString(name, "__init__");
    if (isStart && isErrorOfArguments(base)) return;
    if (found && !PyFunction_Check(found)) break;
    if (found) return member(type, name, found);
    isBehind |= base == from;
  }
  fail("reads '" + textOf(name) + "' of super()");
}

void Reader::storeAttribute(PyObject *o, PyObject *name, PyObject *value, bool isPlain) {
  if (values.sortOf(o) == Sort::Array && !PyUnicode_CompareWithASCIIString(name, "shape"))
    return; // of one that the call made: else it says so
  bool isOwnWrapper = Py_TYPE(o) == Library::get().keptResults && originOf(o) == Origin::Fresh && !isDunder(textOf(name));
  if (isOwnWrapper) return; // nothing here reads it
  if (values.sortOf(o) != Sort::Instance) fail("writes the attribute '" + textOf(name) + "' of a " + Py_TYPE(o)->tp_name);
  PyTypeObject *type = Py_TYPE(o);
  PyObject *found = _PyType_Lookup(type, name);
  bool isOfClass = found && (Py_TYPE(found)->tp_descr_get || Py_TYPE(found)->tp_descr_set);
  if (coverKind(o)) isOfClass ? memberItself(type, name, found) : coverLookup(o, name);
  if (found && Py_TYPE(found) == &PyProperty_Type && (isPlain || type->tp_setattro == PyObject_GenericSetAttr))
    return enterProperty(type, name, found, false);
  bool isDoc = originOf(o) == Origin::Fresh && !PyUnicode_CompareWithASCIIString(name, "__doc__");
  if (!changesPlainly(type, found, isPlain) || (isDunder(textOf(name)) && !isDoc)) fail("writes the attribute '" + textOf(name) + "'");
  if (originOf(o) != Origin::Fresh) store(Place::Attribute, o, name, 0, value);
}

void Reader::deleteAttribute(PyObject *o, PyObject *name) {
  bool isOwn = values.sortOf(o) == Sort::Instance && originOf(o) == Origin::Fresh;
  if (!isOwn) fail("deletes the attribute '" + textOf(name) + "' of a " + Py_TYPE(o)->tp_name);
  coverClass(o);
  if (!changesPlainly(Py_TYPE(o), _PyType_Lookup(Py_TYPE(o), name))) fail("deletes the attribute '" + textOf(name) + "'");
}

/// An exception's class that adds no methods to the builtin ones.
void Reader::coverError(PyObject *type) {
  require(type);
  coverType(reinterpret_cast<PyTypeObject *>(type));
}

} // namespace kiln::py
