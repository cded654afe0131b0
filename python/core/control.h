// Ops that run bodies, as functions of the module.
#pragma once

#define PY_SSIZE_T_CLEAN
#include <Python.h>

namespace kiln::py {

/// Adds `Body`, `record_body`, `inline_body`, `loop` and `branch`.
void defineControl(PyObject *module);

} // namespace kiln::py
