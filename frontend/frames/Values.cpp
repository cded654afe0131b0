#include "frontend/frames/Values.h"

#include "frontend/frames/Builtins.h"

#include <cstring>
#include <string_view>

namespace kiln::py {

/// Whether a class is one of a class statement, or of an abstract one.
static bool isOfPlainKind(PyTypeObject *type) { return Py_TYPE(type) == &PyType_Type || Py_TYPE(type) == Builtins::get().abstract; }

bool looksUpPlainly(PyTypeObject *type) { return type->tp_getattro == PyObject_GenericGetAttr && isOfPlainKind(type); }

bool isErrorOfArguments(PyTypeObject *type) {
  auto *base = reinterpret_cast<PyTypeObject *>(PyExc_BaseException);
  return PyType_IsSubtype(type, base) && type->tp_new == base->tp_new && type->tp_setattro == PyObject_GenericSetAttr &&
         looksUpPlainly(type);
}

bool Values::isOfPackage(PyObject *function) {
  PyObject *file = reinterpret_cast<PyCodeObject *>(PyFunction_GET_CODE(function))->co_filename;
  const char *path = PyUnicode_AsUTF8(file);
  if (!path) PyErr_Clear();
  return path && std::string_view(path).starts_with(package().folder);
}

/// Asking is for what stays: not for functions of the user, nor for methods that are bound anew each time.
static bool isAsked(PyObject *o) {
  if (PyFunction_Check(o)) return Values::isOfPackage(o);
  PyObject *self = PyCFunction_Check(o) ? PyCFunction_GET_SELF(o) : nullptr;
  return !PyMethod_Check(o) && Py_TYPE(o) != Library::get().boundSlot && (!self || PyModule_Check(self) || PyType_Check(self));
}

Known Values::known(PyObject *o) {
  if (!isAsked(o)) return Known::Nothing;
  auto [found, isNew] = asked.try_emplace(o, Object(), Known::Nothing);
  if (!isNew) return found->second.second;
  Object answer(check(PyObject_CallOneArg(package().kindOf, o)));
  asked[o] = {Object::borrow(o), Known(PyLong_AsLong(answer.get()))};
  return asked[o].second;
}

/// As PyIter_Check, of a type: a class of Python has a function there in any case.
static bool hasNext(PyTypeObject *type) {
  if (!type->tp_iternext || !PyType_HasFeature(type, Py_TPFLAGS_HEAPTYPE)) return type->tp_iternext;
  Object name(check(PyUnicode_InternFromString("__next__")));
  return _PyType_Lookup(type, name.get());
}

Sort Values::sortOfType(PyTypeObject *type) {
  for (PyTypeObject *plain : {Py_TYPE(Py_None), &PyBool_Type, &PyLong_Type, &PyFloat_Type, &PyComplex_Type, &PyUnicode_Type, &PyBytes_Type,
                              Py_TYPE(Py_Ellipsis), Py_TYPE(Py_NotImplemented), &PyRange_Type, &PySlice_Type, &PyCode_Type})
    if (type == plain) return Sort::Plain;
  if (type == arrayType) return Sort::Array;
  bool isNamed = PyType_IsSubtype(type, &PyTuple_Type) && known(asObject(type)) == Known::NamedTuple;
  if (type == &PyTuple_Type || isNamed) return Sort::Tuple;
  if (type == &PyList_Type) return Sort::List;
  const Library &library = Library::get();
  if (type == &PyDict_Type || type == library.defaultDict || type == library.counter) return Sort::Dict;
  if (type == library.queue) return Sort::Queue;
  if (type == library.nameSpace) return Sort::Instance;
  if (type == &PySet_Type || type == &PyFrozenSet_Type) return Sort::Set;
  if (type == &PyFunction_Type) return Sort::Function;
  if (type == &PyCFunction_Type || type == &PyMethodDescr_Type || type == &PyWrapperDescr_Type) return Sort::Native;
  if (type == &PyMethod_Type) return Sort::Method;
  if (type == &PyType_Type || type == Builtins::get().abstract || type == Builtins::get().enumerations) return Sort::Class;
  if (type == &PyModule_Type) return Sort::Module;
  bool isHeap = PyType_HasFeature(type, Py_TPFLAGS_HEAPTYPE);
  bool isView = type == &PyDictKeys_Type || type == &PyDictValues_Type || type == &PyDictItems_Type;
  if (isView || (!isHeap && hasNext(type) && type->tp_iter == PyObject_SelfIter)) return Sort::Iterator;
  if (isHeap && hasNext(type) && !std::strncmp(type->tp_name, "kiln.", 5)) return Sort::Iterator; // of an array
  bool isError = PyType_IsSubtype(type, reinterpret_cast<PyTypeObject *>(PyExc_BaseException));   // holds what it was made with
  if (isError && isErrorOfArguments(type)) {
    Known kind = isHeap ? known(asObject(type)) : Known::OwnError;
    return kind == Known::OwnError || kind == Known::PlainError ? Sort::Instance : Sort::Other;
  }
  bool isOfEnumeration = Py_TYPE(type) == Builtins::get().enumerations;
  if ((!isOfPlainKind(type) && !isOfEnumeration) || isError || type == &PySuper_Type) return Sort::Other;
  Known kind = known(asObject(type));
  if (isOfEnumeration) return kind == Known::Enumeration && type->tp_getattro == PyObject_GenericGetAttr ? Sort::Member : Sort::Other;
  if (type == package().partial) return Sort::Other; // holds a function
  if (kind == Known::Computes) return hasNext(type) ? Sort::Iterator : Sort::Trusted;
  bool isPlain = kind == Known::PlainClass || kind == Known::Generator;
  return isHeap && isPlain && looksUpPlainly(type) ? Sort::Instance : Sort::Other;
}

Sort Values::look(PyTypeObject *type) {
  auto [found, isNew] = types.try_emplace(type, Object(), Sort::Other);
  if (isNew) {
    Sort sort = sortOfType(type);
    types[type] = {Object::borrow(asObject(type)), sort};
  }
  Sort sort = types[type].second;
  recent[slotOf(type)] = {type, sort};
  return sort;
}

} // namespace kiln::py
