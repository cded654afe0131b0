// Containers of the module collections: a dict with a factory for what is missing, counters and queues.
#include "frontend/frames/Builtins.h"
#include "frontend/frames/Reader.h"

#include <cstring>

namespace kiln::py {

/// What a collections.defaultdict has under a key; where it has nothing, its factory is called and the dict gets one more.
void Reader::missing(PyObject *dict, PyObject *key) {
  require(dict);
  canonical(key);
  Object factory(check(PyObject_GetAttrString(dict, "default_factory")));
  entry(dict, key);
  if (PyDict_GetItemWithError(dict, key) || factory.get() == Py_None) return;
  if (originOf(dict) != Origin::Fresh) fail("changes a collections.defaultdict that exists before the call");
  bool isClass = PyType_Check(factory.get());
  callObject(factory.get(), nullptr, 0, false);
  if (isClass) willMake(false);
}

/// What is gone through by C, which looks at none of its items.
void Reader::walkedOver(PyObject *o) {
  Sort sort = values.sortOf(o);
  bool isContainer = sort == Sort::List || sort == Sort::Tuple || sort == Sort::Queue;
  return isContainer ? snapshot(o) : deep(o);
}

/// zip, enumerate and reversed: what their iterators go through is known with each item.
bool Reader::callPairs(PyObject *callee, std::span<PyObject *> args, bool hasNames) {
  bool isReversed = callee == asObject(&PyReversed_Type) && args.size() == 1 && (PyList_CheckExact(args[0]) || PyTuple_CheckExact(args[0]));
  if ((callee != asObject(&PyZip_Type) && callee != asObject(&PyEnum_Type) && !isReversed) || hasNames) return false;
  for (size_t i = 0; i < args.size(); ++i) {
    Sort sort = values.sortOf(args[i]);
    bool isIterator = sort == Sort::Iterator && originOf(args[i]) == Origin::Fresh && !PyGen_CheckExact(args[i]);
    bool isWalked = (sort == Sort::List || sort == Sort::Tuple || isIterator) && (i == 0 || callee == asObject(&PyZip_Type));
    if (!isWalked) deep(args[i]);
    else iterated(args[i]);
  }
  return true;
}

bool Reader::callContainer(PyObject *callee, std::span<PyObject *> args, bool hasNames) {
  const Library &l = Library::get();
  if (callee == asObject(l.queue)) {
    for (PyObject *o : args) walkedOver(o);
    if (args.size() && PyGen_CheckExact(args[0])) take(args[0], Taking::Kept);
    return true;
  }
  if (callee == asObject(l.defaultDict)) {
    for (PyObject *o : args.subspan(args.empty() ? 0 : 1)) deep(o);
    if (args.size() && hasNames && args.size() == size_t(argumentNames ? PyTuple_GET_SIZE(argumentNames) : 0)) deep(args[0]);
    return true;
  }
  if (PyFunction_Check(callee) && args.size() && Py_TYPE(args[0]) == l.counter) {
    if (_PyType_Lookup(l.counter, reinterpret_cast<PyFunctionObject *>(callee)->func_name) != callee) return false;
    return callOfCounter(callee, args[0], args.subspan(1)), true;
  }
  if (callee != asObject(l.counter)) return false;
  coverType(l.counter);
  for (PyObject *o : args) deep(o);
  for (const char *name : {"__init__", "update"}) {
    Object text(check(PyUnicode_InternFromString(name)));
    PyObject *method = _PyType_Lookup(l.counter, text.get());
    if (!method || !PyFunction_Check(method)) fail("makes a Counter in an unknown way");
    callOfCounter(method, nullptr, {});
  }
  return true;
}

/// A method of collections.Counter, which is written in Python: one of the library's own computes with the counts alone.
void Reader::callOfCounter(PyObject *method, PyObject *self, std::span<PyObject *> args) {
  const char *path =
      PyFunction_Check(method) ? PyUnicode_AsUTF8(reinterpret_cast<PyCodeObject *>(PyFunction_GET_CODE(method))->co_filename) : nullptr;
  if (!path) PyErr_Clear();
  if (!path || !std::string_view(path).starts_with(package().libraries)) fail("calls a method of a Counter that is not the library's");
  std::string name = textOf(reinterpret_cast<PyFunctionObject *>(method)->func_name);
  bool isRead = name == "most_common" || name == "elements" || name == "total" || name == "copy";
  if (self && !isRead && originOf(self) != Origin::Fresh) fail("changes a Counter that exists before the call");
  if (self) coverType(Py_TYPE(self)), deep(self);
  for (PyObject *o : args) deep(o);
  state.addCode(PyFunction_GET_CODE(method)); // what it goes through may be a generator of the call
}

} // namespace kiln::py
