// What functions of the package are given that run functions and take trees of containers apart: gradients, batches, kn.tree.
#include "frontend/frames/Reader.h"

#include <cstring>

namespace kiln::py {

/// Whether a function of the package takes what it is given for trees, and does nothing else with objects of the user.
static bool takesTrees(PyObject *function) {
  static PyObject *const key = PyUnicode_InternFromString("__name__");
  PyObject *module = PyDict_GetItemWithError(PyFunction_GET_GLOBALS(function), key);
  if (!module || !PyUnicode_Check(module)) return false;
  for (const char *name : {"kiln._gradients", "kiln._jacobians", "kiln._batches", "kiln._checkpoint", "kiln.tree"})
    if (!PyUnicode_CompareWithASCIIString(module, name)) return true;
  return false;
}

/// Arguments of a function of the package, which runs the functions among them and reads nothing else of those.
void Reader::give(PyObject *callee, std::span<PyObject *const> args) {
  bool wasGiven = std::exchange(isGivenTrees, takesTrees(callee));
  for (PyObject *o : args) {
    if (PyFunction_Check(o)) enter(o);
    else if (isGivenTrees && isCallable(o)) callObject(o, nullptr, 0, false);
    else deep(o);
  }
  isGivenTrees = wasGiven;
}

/// Whether it is a method, a jitted function, a partial object, or an object of the user that is called as one.
bool Reader::isCallable(PyObject *o) {
  if (Py_TYPE(o) == package().partial) return true;
  Sort sort = values.sortOf(o);
  if (sort != Sort::Instance) return sort == Sort::Method || (sort == Sort::Other && values.known(o) == Known::Jitted);
  static PyObject *const name = PyUnicode_InternFromString("__call__");
  return _PyType_Lookup(Py_TYPE(o), name);
}

/// An object of a class that kn.tree knows: its functions run, or those of its fields. False for other objects.
bool Reader::takeApart(PyObject *o, int depth) {
  PyTypeObject *type = Py_TYPE(o);
  Object trees(check(PyImport_ImportModule("kiln.tree"))), registered(check(PyObject_GetAttrString(trees.get(), "_registered")));
  PyObject *functions = PyDict_GetItemWithError(registered.get(), asObject(type));
  static PyObject *const fieldsName = PyUnicode_InternFromString("__dataclass_fields__");
  PyObject *fields = _PyType_Lookup(type, fieldsName);
  if (!functions && !(fields && PyDict_CheckExact(fields))) return false;
  coverClass(o);
  bool isOfUser = false, isOfMethods = false;
  for (Py_ssize_t i = 0; functions && i < PyTuple_GET_SIZE(functions); ++i) {
    PyObject *function = PyTuple_GET_ITEM(functions, i);
    if (!PyFunction_Check(function)) fail(std::string("takes a ") + type->tp_name + " apart in an unknown way");
    if (Values::isOfPackage(function)) continue;
    isOfUser = true;
    if (originOf(function) == Origin::Unknown) setOrigin(function, Origin::Covered); // it stays: a class is registered once
    enter(function);
    if (i) rebuilding.insert(reinterpret_cast<PyCodeObject *>(PyFunction_GET_CODE(function)));
  }
  for (const char *method : {"tree_flatten", "tree_unflatten"}) {
    Object name(check(PyUnicode_InternFromString(method)));
    PyObject *found = functions && !isOfUser ? _PyType_Lookup(type, name.get()) : nullptr;
    if (!found) continue;
    isOfMethods = true;
    Object inner = PyFunction_Check(found) ? Object::borrow(found) : Object(check(PyObject_GetAttrString(found, "__func__")));
    member(type, name.get(), inner.get());
    enter(inner.get());
    if (!std::strcmp(method, "tree_unflatten")) rebuilding.insert(reinterpret_cast<PyCodeObject *>(PyFunction_GET_CODE(inner.get())));
  }
  if (isOfUser || isOfMethods) return true;
  PyObject *name, *field;
  for (Py_ssize_t at = 0; PyDict_Next(fields, &at, &name, &field);) {
    attributeOfInstance(o, name);
    Object value = placeOf(Place::Attribute, o, name).read(); // none of a property, which runs
    if (value) deep(value.get(), depth + 1);
  }
  callClass(type, nullptr, 0);
  return true;
}

} // namespace kiln::py
