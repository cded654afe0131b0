// Objects of Python, owned, and what this folder knows of the package that it is part of.
#pragma once

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "lib/Core/Types.h"

#include <string>
#include <utility>
#include <vector>

namespace kiln {
struct Array;
}

namespace kiln::py {

/// An owned reference.
class Object {
public:
  Object() = default;
  explicit Object(PyObject *owned) : object(owned) {}
  static Object borrow(PyObject *o) {
    Py_XINCREF(o);
    return Object(o);
  }
  Object(const Object &o) : object(o.object) { Py_XINCREF(object); }
  Object(Object &&o) noexcept : object(std::exchange(o.object, nullptr)) {}
  Object &operator=(Object o) noexcept {
    std::swap(object, o.object);
    return *this;
  }
  ~Object() { Py_XDECREF(object); }
  PyObject *get() const { return object; }
  PyObject *release() { return std::exchange(object, nullptr); }
  explicit operator bool() const { return object; }

private:
  PyObject *object = nullptr;
};

inline PyObject *asObject(PyTypeObject *type) { return reinterpret_cast<PyObject *>(type); }

/// A name as text, for a person.
inline std::string textOf(PyObject *name) {
  const char *text = PyUnicode_Check(name) ? PyUnicode_AsUTF8(name) : nullptr;
  if (!text) PyErr_Clear();
  return text ? text : "?";
}

/// What a class itself has, by name; from CPython 3.12 on builtin classes keep it elsewhere than in themselves.
inline Object membersOf(PyTypeObject *type) {
#if PY_VERSION_HEX >= 0x030c0000
  return Object(PyType_GetDict(type));
#else
  return Object::borrow(type->tp_dict);
#endif
}

/// A Python error is set; unwinds to the next guarded call.
struct PythonError {};

inline PyObject *check(PyObject *o) {
  if (!o) throw PythonError();
  return o;
}

/// An error on its way to the caller, set aside: CPython 3.11 may drop one that is set while code of Python runs.
class ErrorAside {
public:
  ErrorAside() { PyErr_Fetch(&type, &value, &trace); }
  ~ErrorAside() {
    if (type) PyErr_Restore(type, value, trace);
  }
  ErrorAside(const ErrorAside &) = delete;

private:
  PyObject *type, *value, *trace;
};

/// An iterator over the first axis of an array; no array: another object is.
struct ArrayIterator {
  const Array *array = nullptr;
  PyObject *object = nullptr; // the array
  int64_t position = 0;
};

/// What is asked of the package: set once, by the module.
struct Package {
  std::string folder, libraries;                                       // of itself, and of the standard library
  PyTypeObject *partial = nullptr;                                     // functools.partial
  PyObject *kindOf = nullptr;                                          // (object) -> what is known of it, as Known in Values.h
  PyObject *(*unjitted)(PyObject *) = nullptr;                         // the function of a jitted one, borrowed
  PyObject *(*arrayOfNumber)(PyObject *number, DType dtype) = nullptr; // one without axes; null, with an error set, where it does not fit
  bool (*isNumPyNumber)(PyObject *) = nullptr;                         // an int or float of a type of NumPy's that arrays have, too
  ArrayIterator (*iteratorOf)(PyObject *) = nullptr;
  PyObject *print = nullptr;      // kn.debug.print
  PyObject *operations = nullptr; // a set: callables that take numbers beside arrays as operands, and look at their types alone
  PyObject *analyze = nullptr;    // (function, classes of containers among its arguments, other objects among them) -> what it reads
};
Package &package();

/// What an object holds, by its own account: borrowed, in no order that a user could tell. Objects that nobody holds are left out: asyncio
/// (CPython 3.12) tells of those that it keeps for reuse.
inline void addHeld(PyObject *o, std::vector<PyObject *> &to) {
  auto add = [](PyObject *held, void *all) {
    if (Py_REFCNT(held) > 0) static_cast<std::vector<PyObject *> *>(all)->push_back(held);
    return 0;
  };
  if (Py_TYPE(o)->tp_traverse) Py_TYPE(o)->tp_traverse(o, add, &to);
}
inline std::vector<PyObject *> heldBy(PyObject *o) {
  std::vector<PyObject *> found;
  addHeld(o, found);
  return found;
}

extern PyTypeObject *arrayType; // kiln.Array
inline bool isArray(PyObject *o) { return Py_TYPE(o) == arrayType; }

} // namespace kiln::py
