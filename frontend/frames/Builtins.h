// Builtin functions and classes that a reader tells apart.
#pragma once

#include "frontend/frames/Object.h"

#include <vector>

namespace kiln::py {

struct Builtins {
  PyObject *isInstance, *isSubclass, *getAttribute, *hasAttribute, *isCallable, *length, *print, *min, *max, *abs, *sum, *any, *all,
      *sorted, *divmod;
  PyObject *isNan, *isInfinite, *isFinite, *root, *exactSum, *product; // of math
  PyObject *contains, *item;                                           // of operator
  PyObject *reduce, *sortedDown;                                       // of functools, and sorted(..., reverse=True)
  PyTypeObject *abstract, *enumerations, *enumeration;                 // abc.ABCMeta, the class of enum's classes, enum.Enum

  static const Builtins &get() {
    static const Builtins known = [] {
      Object module(check(PyImport_ImportModule("builtins")));
      auto take = [&](const char *name) { return check(PyObject_GetAttrString(module.get(), name)); };
      auto of = [](const char *from, const char *name) {
        return check(PyObject_GetAttrString(Object(check(PyImport_ImportModule(from))).get(), name));
      };
      auto ofMath = [&](const char *name) { return of("math", name); };
      auto sortedDown = [&] {
        Object args(check(PyTuple_Pack(1, Object(take("sorted")).get()))), names(check(PyDict_New()));
        if (PyDict_SetItemString(names.get(), "reverse", Py_True)) throw PythonError();
        return check(PyObject_Call(Object(of("functools", "partial")).get(), args.get(), names.get()));
      };
      auto classOf = [&](const char *from, const char *name) { return reinterpret_cast<PyTypeObject *>(of(from, name)); };
      return Builtins{take("isinstance"),
                      take("issubclass"),
                      take("getattr"),
                      take("hasattr"),
                      take("callable"),
                      take("len"),
                      take("print"),
                      take("min"),
                      take("max"),
                      take("abs"),
                      take("sum"),
                      take("any"),
                      take("all"),
                      take("sorted"),
                      take("divmod"),
                      ofMath("isnan"),
                      ofMath("isinf"),
                      ofMath("isfinite"),
                      ofMath("sqrt"),
                      ofMath("fsum"),
                      ofMath("prod"),
                      of("operator", "contains"),
                      of("operator", "getitem"),
                      of("functools", "reduce"),
                      sortedDown(),
                      classOf("abc", "ABCMeta"),
                      classOf("enum", "EnumMeta"),
                      classOf("enum", "Enum")};
    }();
    return known;
  }
};

/// What is known of Python's library, each by identity. Functions of it that are written in Python are those that they were when they
/// were looked up first.
struct Library {
  PyTypeObject *defaultDict, *counter, *queue;     // of collections
  PyTypeObject *keptResults;                       // what functools.lru_cache makes
  PyTypeObject *boundSlot;                         // of a bound special method of C: object().__init__
  PyTypeObject *nameSpace;                         // types.SimpleNamespace
  PyObject *copy, *deepCopy, *updateWrapper;       // of copy and functools
  PyObject *copyCode, *deepCopyCode, *updateCode;  // of those
  PyObject *shallowKinds, *deepKinds, *reductions; // dicts by class: how it is copied
  std::vector<PyObject *> codesOfCopies;           // of the functions that copy uses

  static const Library &get() {
    static const Library known = [] {
      auto take = [](const char *from, const char *name) {
        return check(PyObject_GetAttrString(Object(check(PyImport_ImportModule(from))).get(), name));
      };
      auto classOf = [&](const char *from, const char *name) { return reinterpret_cast<PyTypeObject *>(take(from, name)); };
      Library l{classOf("collections", "defaultdict"),
                classOf("collections", "Counter"),
                classOf("collections", "deque"),
                classOf("functools", "_lru_cache_wrapper"),
                classOf("types", "MethodWrapperType"),
                classOf("types", "SimpleNamespace"),
                take("copy", "copy"),
                take("copy", "deepcopy"),
                take("functools", "update_wrapper"),
                nullptr,
                nullptr,
                nullptr,
                take("copy", "_copy_dispatch"),
                take("copy", "_deepcopy_dispatch"),
                take("copyreg", "dispatch_table"),
                {}};
      auto codeOf = [](PyObject *f) { return PyFunction_Check(f) ? Py_NewRef(PyFunction_GET_CODE(f)) : nullptr; };
      l.copyCode = codeOf(l.copy), l.deepCopyCode = codeOf(l.deepCopy), l.updateCode = codeOf(l.updateWrapper);
      PyObject *names = PyModule_GetDict(Object(check(PyImport_ImportModule("copy"))).get()), *name, *value;
      for (Py_ssize_t at = 0; PyDict_Next(names, &at, &name, &value);)
        if (PyObject *code = codeOf(value)) l.codesOfCopies.push_back(code);
      return l;
    }();
    return known;
  }
};

} // namespace kiln::py
