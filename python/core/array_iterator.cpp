// Iterators over kiln.Array.
#include "array_type.h"
#include "elements.h"

namespace kiln::py {

static PyTypeObject *iteratorType = nullptr;

namespace {

/// Iterates over the first axis: an array and a position, so that a recording can tell where it is.
struct PyIterator {
  PyObject_HEAD PyObject *array;
  int64_t position;
};
PyObject *iteratorNext(PyObject *self) {
  return guarded([&]() -> PyObject * {
    auto *it = reinterpret_cast<PyIterator *>(self);
    const Array &a = arrayOf(it->array);
    if (it->position >= a.shape[0]) return nullptr;
    Object index(PyLong_FromLongLong(it->position++));
    if (PyObject *element = readElement(a, index.get())) return element;
    const Array *kept = numberInputs ? numberInputs->inputOf(self, DType::I64) : nullptr;
    if (kept) return wrap(gather(a, *kept, 0)); // a recording keeps the position
    return wrap(getItem(a, index.get()));
  });
}
void iteratorDealloc(PyObject *self) {
  Py_DECREF(reinterpret_cast<PyIterator *>(self)->array);
  PyTypeObject *type = Py_TYPE(self);
  PyObject_Free(self);
  Py_DECREF(type);
}

} // namespace

PyObject *iterate(PyObject *self) {
  return guarded([&]() -> PyObject * {
    if (!arrayOf(self).shape.rank) fail(ErrorKind::DType, "iteration", "array", "one with axes", "one without");
    PyIterator *it = PyObject_New(PyIterator, iteratorType);
    if (!it) throw PythonError();
    it->array = Py_NewRef(self);
    it->position = 0;
    return reinterpret_cast<PyObject *>(it);
  });
}

ArrayIterator arrayIteratorOf(PyObject *o) {
  if (Py_TYPE(o) != iteratorType) return {};
  auto *it = reinterpret_cast<PyIterator *>(o);
  return {&arrayOf(it->array), it->array, it->position};
}

bool initIterator() {
  PyType_Slot iteratorSlots[] = {
      {Py_tp_dealloc, slot(iteratorDealloc)}, {Py_tp_iter, slot(PyObject_SelfIter)}, {Py_tp_iternext, slot(iteratorNext)}, {0, nullptr}};
  PyType_Spec iteratorSpec = {"kiln.ArrayIterator", sizeof(PyIterator), 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION,
                              iteratorSlots};
  iteratorType = reinterpret_cast<PyTypeObject *>(PyType_FromSpec(&iteratorSpec));
  return iteratorType;
}

} // namespace kiln::py
