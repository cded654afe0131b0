// The parts of kiln.Array, which are in files of their own.
#pragma once

#include "core.h"

namespace kiln::py {

template <typename F> void *slot(F f) { return reinterpret_cast<void *>(f); }

void arrayDealloc(PyObject *self);
std::span<const PyType_Slot> arithmeticSlots();
PyObject *iterate(PyObject *self);
bool initIterator();
int getBuffer(PyObject *self, Py_buffer *view, int flags);
void releaseBuffer(PyObject *self, Py_buffer *view);
/// As NumPy's ndarray(shape, dtype=float64), of zeros.
PyObject *newArrayOf(PyTypeObject *type, PyObject *args, PyObject *kwargs);
bool initCreation(PyObject *module);
bool initDonation(PyObject *module);

} // namespace kiln::py
