// copy.copy and copy.deepcopy, as a whole: what they look at, and that what they give is new.
#include "frontend/frames/Builtins.h"
#include "frontend/frames/Reader.h"

#include <algorithm>

namespace kiln::py {

/// The dict of the attributes of an object of a class statement, borrowed.
PyObject *Reader::attributesOf(PyObject *o) {
  static PyObject *const name = PyUnicode_InternFromString("__dict__");
  PyObject *found = _PyType_Lookup(Py_TYPE(o), name);
  if (!found || Py_TYPE(found) != &PyGetSetDescr_Type)
    fail(std::string("looks at the attributes of a ") + Py_TYPE(o)->tp_name + " as a whole");
  Object dict(check(PyObject_GenericGetAttr(o, name)));
  if (!PyDict_CheckExact(dict.get())) fail(std::string("copies a ") + Py_TYPE(o)->tp_name + ", whose attributes are in no plain dict");
  if (originOf(o) == Origin::Covered) edge(placeOf(Place::Attribute, o, name), dict.get());
  return dict.get(); // the object holds it
}

/// Whether an object itself has an attribute, which is not its class's.
bool Reader::hasOwn(PyObject *o, PyObject *name) {
  Object dict(PyObject_GenericGetDict(o, nullptr));
  if (!dict) PyErr_Clear(); // it has slots
  return dict && PyDict_Contains(dict.get(), name) == 1;
}

void Reader::copiedInstance(PyObject *o, bool isDeep, int depth) {
  PyTypeObject *type = Py_TYPE(o);
  coverClass(o);
  pinItems(o);
  const Library &l = Library::get();
  for (PyObject *kinds : {isDeep ? l.deepKinds : l.shallowKinds, l.reductions}) {
    setOrigin(kinds, Origin::Covered);
    entry(kinds, asObject(type));
    if (PyDict_GetItemWithError(kinds, asObject(type))) fail(std::string("copies a ") + type->tp_name + " in a way of its own");
  }
  const char *own = isDeep ? "__deepcopy__" : "__copy__";
  Object ownName(check(PyUnicode_InternFromString(own)));
  if (_PyType_Lookup(type, ownName.get())) return hasOwnCopies = true, special(o, {own});
  for (const char *name : {"__reduce__", "__reduce_ex__", "__getstate__", "__setstate__", "__getnewargs__", "__getnewargs_ex__", "__new__",
                           "__class__", "__slots__"}) {
    Object text(check(PyUnicode_InternFromString(name)));
    if (_PyType_Lookup(type, text.get()) != _PyType_Lookup(&PyBaseObject_Type, text.get()))
      fail(std::string("copies a ") + type->tp_name + ", which has " + name + " of its own");
  }
  if (type->tp_new != PyBaseObject_Type.tp_new) fail(std::string("copies a ") + type->tp_name);
  if (changed.contains(o)) fail(std::string("copies a ") + type->tp_name + " after a store to it");
  PyObject *attributes = attributesOf(o);
  if (originOf(o) == Origin::Covered) snapshot(attributes);
  PyObject *key, *value;
  for (Py_ssize_t at = 0; isDeep && PyDict_Next(attributes, &at, &key, &value);) copied(value, isDeep, depth + 1);
}

/// An object that is copied, or kept where it cannot change.
void Reader::copied(PyObject *o, bool isDeep, int depth) {
  constexpr int kMostCopied = 20000, kDeepest = 50;
  if (++visits > kMostCopied || depth > kDeepest) fail("copies large containers");
  Sort sort = values.sortOf(o);
  switch (sort) {
  case Sort::Plain:
    if (PyRange_Check(o)) fail("copies a range"); // a new one
    return;
  case Sort::Array:
  case Sort::Function:
  case Sort::Native:
  case Sort::Class: return;
  case Sort::Tuple:
    if (!PyTuple_CheckExact(o)) fail(std::string("copies a ") + Py_TYPE(o)->tp_name);
    pinItems(o);
    break;
  case Sort::List:
  case Sort::Dict:
  case Sort::Set:
  case Sort::Queue:
    if (Py_TYPE(o) == Library::get().counter) coverType(Py_TYPE(o));
    snapshot(o);
    break;
  case Sort::Instance: return copiedInstance(o, isDeep, depth);
  default: fail(std::string("copies a ") + Py_TYPE(o)->tp_name);
  }
  if (!isDeep) return;
  for (PyObject *held : heldBy(o))
    if (held != asObject(Py_TYPE(o))) copied(held, isDeep, depth + 1);
}

bool Reader::callCopy(PyObject *callee, std::span<PyObject *> args) {
  const Library &l = Library::get();
  bool isDeep = callee == l.deepCopy;
  if ((callee != l.copy && !isDeep) || args.size() != 1) return false;
  if (PyFunction_GET_CODE(callee) != (isDeep ? l.deepCopyCode : l.copyCode)) return false;
  hasOwnCopies = false;
  copied(args[0], isDeep);
  for (PyObject *code : l.codesOfCopies) state.addCode(code);
  if (values.sortOf(args[0]) != Sort::Plain) willMake(isDeep && !hasOwnCopies);
  return true;
}

} // namespace kiln::py
