// Objects of kiln.Array as they come and go: small ones are kept whole for the next, as what makes them costs more than what most of their
// operations do.
#include "array_type.h"
#include "elements.h"

#include <cstring>

namespace kiln::py {

PyObject *wrap(Array &&array) {
  PyArray *self = PyObject_New(PyArray, arrayType);
  if (!self) throw PythonError();
  self->weakrefs = nullptr;
  new (&self->array) Array(std::move(array));
  return reinterpret_cast<PyObject *>(self);
}

namespace {

/// Small arrays that died with nobody else at their memory, by size in units of 64 bytes. Guarded by the GIL.
constexpr size_t kSizes = 16, kMostPerSize = 16;
PyArray *dead[kSizes][kMostPerSize];
size_t deadCount[kSizes];

bool keepDead(PyArray *a) {
  const Array &x = a->array;
  const Storage *cell = x.storage.get();
  if (cell->refs.load(std::memory_order_relaxed) != 1 || cell->pinned || cell->recording || x.view || x.isRepeated || !cell->value ||
      cell->device || cell->isLoose)
    return false;
  const Value *value = cell->value.get();
  size_t size = (value->bytes + 63) / 64;
  if (size >= kSizes || deadCount[size] == kMostPerSize || value->isForeign || value->refs.load(std::memory_order_relaxed) != 1)
    return false;
  dead[size][deadCount[size]++] = a;
  return true;
}

PyObject *revive(PyArray *a) {
  a->weakrefs = nullptr;
  auto *object = reinterpret_cast<PyObject *>(a);
#ifdef Py_REF_DEBUG
  _Py_NewReference(object); // in the count of all references as well
#else
  Py_SET_REFCNT(object, 1); // it still holds its type
#endif
  return object;
}

} // namespace

void arrayDealloc(PyObject *self) {
  auto *a = reinterpret_cast<PyArray *>(self);
  if (a->weakrefs) PyObject_ClearWeakRefs(self);
  if (keepDead(a)) return;
  a->array.~Array();
  PyTypeObject *type = Py_TYPE(self);
  PyObject_Free(self);
  Py_DECREF(type);
}

PyObject *newArray(const ArrayType &type, const Dims &strides, size_t bytes) {
  size_t size = (bytes + 63) / 64;
  if (size >= kSizes || !deadCount[size]) return wrap(Array::empty(type.dtype, type.shape));
  PyArray *a = dead[size][--deadCount[size]];
  Array &x = a->array;
  x.storage->value->bytes = bytes; // of the same size class
  x.dtype = type.dtype;
  x.isContiguous = true;
  x.offset = 0;
  x.shape = type.shape;
  x.strides = strides;
  return revive(a);
}

static Array &newLike(void *object, DType dtype, const Array &like) {
  PyObject *made = newArray({dtype, like.shape}, like.strides, size_t(like.size() * byteSize(dtype)));
  *static_cast<Object *>(object) = Object(made);
  return arrayOf(made);
}

static void newOfCell(void *object, DType dtype, const Array &like, Ref<Storage> cell) {
  PyArray *self = PyObject_New(PyArray, arrayType);
  if (!self) throw PythonError();
  self->weakrefs = nullptr;
  Array &x = *new (&self->array) Array;
  x.storage = std::move(cell);
  x.dtype = dtype;
  x.shape = like.shape;
  x.strides = contiguousStrides(like.shape);
  *static_cast<Object *>(object) = Object(reinterpret_cast<PyObject *>(self));
}

SmallResult resultIn(Object &object) { return {&object, newLike, newOfCell}; }

PyObject *newElement(DType dtype, const void *bits) {
  size_t bytes = size_t(byteSize(dtype));
  if (!deadCount[1]) {
    Array a = Array::empty(dtype, {});
    std::memcpy(a.data(), bits, bytes);
    return wrap(std::move(a));
  }
  PyArray *a = dead[1][--deadCount[1]];
  Array &x = a->array;
  Value &value = *x.storage->value.get();
  value.bytes = bytes;
  if (bytes == 8) std::memcpy(value.data, bits, 8);
  else std::memcpy(value.data, bits, bytes);
  x.dtype = dtype;
  x.isContiguous = true;
  x.offset = 0;
  x.shape.rank = x.strides.rank = 0;
  return revive(a);
}

} // namespace kiln::py
