// Parts of the module that pybind11 defines in files of their own.
#pragma once

#include "core.h"

#include <pybind11/pybind11.h>

namespace kiln::py {

/// Calls `body` and throws what it raised as Python errors, located.
template <typename Body> pybind11::object located(Body &&body) {
  PyObject *result = guarded([&]() -> PyObject * { return body(); });
  if (!result) throw pybind11::error_already_set();
  return pybind11::reinterpret_steal<pybind11::object>(result);
}

/// Memory that nobody else shows: what a user may write into.
Array owned(const Array &x);

void defineDevices(pybind11::module_ &m);
void definePrograms(pybind11::module_ &m);
void defineProcess(pybind11::module_ &m);
void defineFrames(pybind11::module_ &m);
void defineCache(pybind11::module_ &m);
void defineTransforms(pybind11::module_ &m);
void defineGradient(pybind11::module_ &m);
void definePackages(pybind11::module_ &m);
void defineCustom(pybind11::module_ &m);

} // namespace kiln::py
