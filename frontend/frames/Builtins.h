// Builtin functions and classes that a reader tells apart.
#pragma once

#include "frontend/frames/Object.h"

namespace kiln::py {

struct Builtins {
  PyObject *isInstance, *isSubclass, *getAttribute, *hasAttribute, *isCallable, *print, *min, *max, *abs;
  PyObject *isNan, *isInfinite, *isFinite;             // of math
  PyTypeObject *abstract, *enumerations, *enumeration; // abc.ABCMeta, the class of enum's classes, enum.Enum

  static const Builtins &get() {
    static const Builtins known = [] {
      Object module(check(PyImport_ImportModule("builtins")));
      auto take = [&](const char *name) { return check(PyObject_GetAttrString(module.get(), name)); };
      Object math(check(PyImport_ImportModule("math")));
      auto ofMath = [&](const char *name) { return check(PyObject_GetAttrString(math.get(), name)); };
      auto classOf = [](const char *from, const char *name) {
        return reinterpret_cast<PyTypeObject *>(check(PyObject_GetAttrString(Object(check(PyImport_ImportModule(from))).get(), name)));
      };
      return Builtins{take("isinstance"),
                      take("issubclass"),
                      take("getattr"),
                      take("hasattr"),
                      take("callable"),
                      take("print"),
                      take("min"),
                      take("max"),
                      take("abs"),
                      ofMath("isnan"),
                      ofMath("isinf"),
                      ofMath("isfinite"),
                      classOf("abc", "ABCMeta"),
                      classOf("enum", "EnumMeta"),
                      classOf("enum", "Enum")};
    }();
    return known;
  }
};

} // namespace kiln::py
