// Builtin functions that a reader tells apart.
#pragma once

#include "frontend/frames/Object.h"

namespace kiln::py {

struct Builtins {
  PyObject *isInstance, *isSubclass, *getAttribute, *hasAttribute, *isCallable, *print, *min, *max, *abs;
  static const Builtins &get() {
    static const Builtins known = [] {
      Object module(check(PyImport_ImportModule("builtins")));
      auto take = [&](const char *name) { return check(PyObject_GetAttrString(module.get(), name)); };
      return Builtins{take("isinstance"), take("issubclass"), take("getattr"), take("hasattr"), take("callable"),
                      take("print"),      take("min"),        take("max"),     take("abs")};
    }();
    return known;
  }
};

} // namespace kiln::py
