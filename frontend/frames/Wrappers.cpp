// Callables that hold others: partial objects, functions that functools.lru_cache keeps results of, and what gives them the names of
// others.
#include "frontend/frames/Builtins.h"
#include "frontend/frames/Reader.h"

#include <algorithm>

namespace kiln::py {

bool Reader::callWrapper(PyObject *callee, std::span<PyObject *> args, bool hasNames) {
  const Library &l = Library::get();
  if (callee == asObject(package().partial)) return true; // holds what it is given
  if (Py_TYPE(callee) == package().partial) return callPartial(callee, args, hasNames), true;
  if (callee == asObject(l.keptResults)) return true;
  if (Py_TYPE(callee) == l.keptResults) {
    if (originOf(callee) != Origin::Fresh)
      fail("calls a function of functools.lru_cache that exists before the call: what it has kept cannot be watched");
    for (PyObject *key : args) canonical(key);
    Object inner(check(PyObject_GetAttrString(callee, "__wrapped__")));
    callObject(inner.get(), args.data(), Py_ssize_t(args.size()), hasNames);
    return true;
  }
  if (callee != l.updateWrapper || args.size() < 2 || PyFunction_GET_CODE(callee) != l.updateCode) return false;
  bool isOwn = originOf(args[0]) == Origin::Fresh && (PyFunction_Check(args[0]) || Py_TYPE(args[0]) == l.keptResults);
  if (!isOwn || !PyFunction_Check(args[1])) return false;
  require(args[1]);
  for (const char *label : {"__module__", "__name__", "__qualname__", "__doc__"}) {
    Object name(check(PyUnicode_InternFromString(label)));
    Place place = placeOf(Place::Part, args[1], name.get());
    Object value = place.read();
    if (originOf(args[1]) == Origin::Covered) edge(std::move(place), value.get());
  }
  return true;
}

/// A partial object: a function with some of its arguments.
void Reader::callPartial(PyObject *partial, std::span<PyObject *> args, bool hasNames) {
  require(partial);
  Object parts[3];
  const char *names[] = {"func", "args", "keywords"};
  for (int i = 0; i < 3; ++i) {
    Object name(check(PyUnicode_InternFromString(names[i])));
    parts[i] = Object(check(PyObject_GetAttr(partial, name.get())));
    if (originOf(partial) == Origin::Covered) edge(placeOf(Place::Part, partial, name.get()), parts[i].get());
    else if (i && originOf(parts[i].get()) == Origin::Unknown) setOrigin(parts[i].get(), Origin::Fresh);
  }
  if (!PyTuple_CheckExact(parts[1].get()) || !PyDict_CheckExact(parts[2].get())) fail("calls a partial object of an unknown kind");
  snapshot(parts[2].get());
  std::vector<PyObject *> all(PySequence_Fast_ITEMS(parts[1].get()),
                              PySequence_Fast_ITEMS(parts[1].get()) + PyTuple_GET_SIZE(parts[1].get()));
  all.insert(all.end(), args.begin(), args.end());
  PyObject *key, *value;
  for (Py_ssize_t at = 0; PyDict_Next(parts[2].get(), &at, &key, &value);) all.push_back(value);
  bool hasOthers = PyDict_GET_SIZE(parts[2].get());
  if (hasOthers) argumentNames = nullptr;
  callObject(parts[0].get(), all.data(), Py_ssize_t(all.size()), hasNames || hasOthers);
}

} // namespace kiln::py
