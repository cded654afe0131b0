// kiln.Array: a hand-written type, since attribute access and arithmetic on it are the hot path of eager programs.
#include "elements.h"

#include <structmember.h>

#include <algorithm>
#include <cstring>

namespace kiln::py {

PyTypeObject *arrayType = nullptr;
static PyTypeObject *iteratorType = nullptr;

PyObject *wrap(Array array) {
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

void arrayDealloc(PyObject *self) {
  auto *a = reinterpret_cast<PyArray *>(self);
  if (a->weakrefs) PyObject_ClearWeakRefs(self);
  if (keepDead(a)) return;
  a->array.~Array();
  PyTypeObject *type = Py_TYPE(self);
  PyObject_Free(self);
  Py_DECREF(type);
}

//===-- arithmetic --------------------------------------------------------------------------------------------------===//

bool isSequence(PyObject *o) { return PyList_Check(o) || PyTuple_Check(o); }

PyObject *binary(Op op, PyObject *x, PyObject *y) {
  if (hasNoAxes(x) || hasNoAxes(y))
    if (PyObject *result = computeNumbers(op, x, y)) return result;
  return guarded([&]() -> PyObject * {
    if (isSequence(x) || isSequence(y)) return check(PyObject_CallFunction(side().form, "s(OO){}", info(op).name, x, y));
    Holder a, b;
    if (!toOperand(x, a) || !toOperand(y, b)) Py_RETURN_NOTIMPLEMENTED;
    Operand operands[] = {a.operand, b.operand};
    Object small;
    if (applySmall(op, operands, resultIn(small))) return small.release();
    return wrap(applyElementwise(op, operands));
  });
}
template <Op op> PyObject *binarySlot(PyObject *x, PyObject *y) { return binary(op, x, y); }

template <Op op> PyObject *unarySlot(PyObject *x) {
  if (PyObject *result = computeNumber(op, x)) return result;
  return guarded([&] {
    Operand operand{Operand::IsArray, &arrayOf(x)};
    Object small;
    if (applySmall(op, {&operand, 1}, resultIn(small))) return small.release();
    return wrap(applyElementwise(op, {&operand, 1}));
  });
}

/// Whether a result of dtype `result` may be rounded into an array of dtype `target`: both floats, or both complex.
bool isWider(DType target, DType result) {
  return (isFloat(target) && isFloat(result)) || (isComplex(target) && (isFloat(result) || isComplex(result)));
}

/// x op= y writes into x's memory; the dtype of x stays.
template <Op op> PyObject *inplaceSlot(PyObject *x, PyObject *y) {
  if (computeInPlace(op, x, y)) return Py_NewRef(x);
  return guarded([&]() -> PyObject * {
    Holder b;
    if (isSequence(y)) {
      b.array = asArray(y, std::nullopt, -1);
      b.operand = {Operand::IsArray, &*b.array};
    } else if (!toOperand(y, b)) {
      Py_RETURN_NOTIMPLEMENTED;
    }
    Operand operands[] = {{Operand::IsArray, &arrayOf(x)}, b.operand};
    if (applyInto(op, operands, arrayOf(x))) return Py_NewRef(x);
    Array result = applyElementwise(op, operands);
    if (result.dtype != arrayOf(x).dtype && !isWider(arrayOf(x).dtype, result.dtype))
      fail(ErrorKind::DType, info(op).name, "dtype of an in-place result", info(arrayOf(x).dtype).name, info(result.dtype).name);
    assignResult(arrayOf(x), result);
    return Py_NewRef(x);
  });
}

PyObject *power(PyObject *x, PyObject *y, PyObject *modulus) {
  if (modulus != Py_None) Py_RETURN_NOTIMPLEMENTED;
  return binary(Op::Pow, x, y);
}
PyObject *inplacePower(PyObject *x, PyObject *y, PyObject *) { return inplaceSlot<Op::Pow>(x, y); }
PyObject *divmodSlot(PyObject *x, PyObject *y) {
  Object quotient(binary(Op::FloorDivide, x, y));
  if (!quotient || quotient.get() == Py_NotImplemented) return quotient.release();
  Object rest(binary(Op::Remainder, x, y));
  return rest ? PyTuple_Pack(2, quotient.get(), rest.get()) : nullptr;
}
PyObject *matmulSlot(PyObject *x, PyObject *y) {
  return guarded([&]() -> PyObject * {
    Holder a, b;
    if (!toOperand(x, a) || !toOperand(y, b) || a.operand.kind != Operand::IsArray || b.operand.kind != Operand::IsArray)
      Py_RETURN_NOTIMPLEMENTED;
    return wrap(matmul(*a.operand.array, *b.operand.array));
  });
}

PyObject *inplaceMatmul(PyObject *x, PyObject *y) {
  return guarded([&]() -> PyObject * {
    Holder b;
    if (!toOperand(y, b) || b.operand.kind != Operand::IsArray) Py_RETURN_NOTIMPLEMENTED;
    Array product = matmul(arrayOf(x), *b.operand.array);
    if (!(product.shape == arrayOf(x).shape) || product.dtype != arrayOf(x).dtype)
      fail(ErrorKind::Shape, "matmul", "type of an in-place result", toString(arrayOf(x).type()), toString(product.type()));
    assignResult(arrayOf(x), product);
    return Py_NewRef(x);
  });
}

PyObject *richCompare(PyObject *x, PyObject *y, int how) {
  static constexpr Op ops[] = {Op::Less, Op::LessEqual, Op::Equal, Op::NotEqual, Op::Greater, Op::GreaterEqual};
  if (y == Py_None && (how == Py_EQ || how == Py_NE)) // of every element, as NumPy has it
    return guarded([&] { return wrap(full(arrayOf(x).shape, DType::Bool, {how == Py_NE, 0}, deviceOf(arrayOf(x)))); });
  return binary(ops[how], x, y);
}

//===-- values ------------------------------------------------------------------------------------------------------===//

PyObject *scalarOf(const Array &a, const char *why) {
  if (a.size() != 1)
    fail(ErrorKind::Value, "conversion", "an array of one element", "1 (kn.any or kn.all decide over several)",
         std::to_string(a.size()) + " in " + toString(a.type()));
  return check(toScalar(a, why));
}
PyObject *scalarOf(PyObject *self, const char *why) { return scalarOf(arrayOf(self), why); }
/// Where operations are recorded, what is asked for is the truth value alone: all values that have it take one path.
int toBool(PyObject *self) {
  if (int known = numberAsBool(self); known >= 0) return known;
  return guardedInt([&] {
    const Array &a = arrayOf(self);
    bool isApart = Mode::current() && a.dtype != DType::Bool && a.size() == 1;
    Object value(scalarOf(isApart ? cast(a, DType::Bool) : a, "the truth value of an array is asked for"));
    return PyObject_IsTrue(value.get());
  });
}
/// Likewise the whole part.
PyObject *toInt(PyObject *self) {
  if (PyObject *number = numberAsInt(self)) return number;
  return guarded([&] {
    const Array &a = arrayOf(self);
    Operand operand{Operand::IsArray, &a};
    bool isApart = Mode::current() && isFloat(a.dtype) && !isNarrow(a.dtype) && a.size() == 1;
    Object value(scalarOf(isApart ? applyElementwise(Op::Trunc, {&operand, 1}) : a, "the value of an array is asked for"));
    return PyNumber_Long(value.get());
  });
}
PyObject *toFloat(PyObject *self) {
  if (PyObject *number = numberAsFloat(self)) return number;
  return guarded([&] { return PyNumber_Float(Object(scalarOf(self, "the value of an array is asked for")).get()); });
}
PyObject *toIndex(PyObject *self) {
  if (PyObject *number = numberAsInt(self)) return number;
  return guarded([&]() -> PyObject * {
    if (!isInteger(arrayOf(self).dtype) || arrayOf(self).shape.rank)
      fail(ErrorKind::DType, "index", "array", "an integer without axes", toString(arrayOf(self).type()));
    return scalarOf(self, "an array is used as an index or a size");
  });
}
PyObject *toComplex(PyObject *self, PyObject *) {
  return guarded([&]() -> PyObject * {
    Object value(scalarOf(self, "the value of an array is asked for"));
    return value.get() && PyComplex_Check(value.get()) ? value.release() : PyComplex_FromDoubles(PyFloat_AsDouble(value.get()), 0);
  });
}
/// A call with arguments that only the package knows: of its method of that name.
PyObject *callForm(PyObject *self, const char *name, PyObject *const *args, Py_ssize_t n, PyObject *kwnames) {
  Object method(check(PyObject_GetAttrString(self, name)));
  return PyObject_Vectorcall(method.get(), args, size_t(n), kwnames);
}
/// x.item(), and x.item(3), x.item((0, 1)).
PyObject *item(PyObject *self, PyObject *const *args, Py_ssize_t n) {
  return guarded([&] { return n ? callForm(self, "_item", args, n, nullptr) : toScalar(arrayOf(self)); });
}
/// x.reshape(2, 3) and x.reshape((2, 3)).
PyObject *reshapeMethod(PyObject *self, PyObject *const *args, Py_ssize_t n, PyObject *kwnames) {
  return guarded([&] {
    if (kwnames) return callForm(self, "_reshape", args, n, kwnames);
    const Array &a = arrayOf(self);
    Dims shape;
    if (n == 1) return wrap(reshape(a, resolveShape(a, toDims("reshape", args[0]))));
    if (n > kMaxRank) fail(ErrorKind::Shape, "reshape", "rank", "at most " + std::to_string(kMaxRank), std::to_string(n));
    for (Py_ssize_t i = 0; i < n; ++i) shape.push(toDims("reshape", args[i])[0]);
    return wrap(reshape(a, resolveShape(a, shape)));
  });
}
/// x.ravel(); with an order it is of the package.
PyObject *ravel(PyObject *self, PyObject *const *args, Py_ssize_t n, PyObject *kwnames) {
  return guarded([&]() -> PyObject * {
    const Array &a = arrayOf(self);
    if (!n && !kwnames) return wrap(reshape(a, {a.size()}));
    return callForm(self, "_ravel", args, n, kwnames);
  });
}
PyObject *copyMethod(PyObject *self, PyObject *const *args, Py_ssize_t n, PyObject *kwnames) {
  return guarded([&] { return n || kwnames ? callForm(self, "_copy", args, n, kwnames) : wrap(copy(arrayOf(self))); });
}
/// Of an array without axes that of its number; others have none, as they change.
Py_hash_t hashOf(PyObject *self) {
  if (arrayOf(self).shape.rank) return PyObject_HashNotImplemented(self);
  Object number(guarded([&] { return toScalar(arrayOf(self), "an array is hashed"); }));
  return number ? PyObject_Hash(number.get()) : -1;
}
PyObject *tolist(PyObject *self, PyObject *) {
  return guarded([&] { return toList(arrayOf(self)); });
}

PyObject *repr(PyObject *self) {
  bool isPutOff = !arrayOf(self).storage->value && Mode::current();
  if (isPutOff && guardedInt([&] { return leave(arrayOf(self), "an array is formatted"), 0; })) return nullptr;
  if (!arrayOf(self).storage->value) return PyUnicode_FromFormat("kiln.Array(%s, recording)", toString(arrayOf(self).type()).c_str());
  return PyObject_CallFunctionObjArgs(side().repr, self, Py_False, nullptr);
}
PyObject *str(PyObject *self) {
  return guarded([&] {
    Object host(wrap(leave(arrayOf(self), "an array is formatted")));
    return PyObject_CallFunctionObjArgs(side().repr, host.get(), Py_True, nullptr);
  });
}
PyObject *format(PyObject *self, PyObject *spec) {
  return guarded([&] {
    const Array &a = arrayOf(self);
    Object value(check(a.shape.rank ? PyObject_Str(self) : toScalar(a, "an array is formatted")));
    return PyObject_Format(value.get(), spec);
  });
}

//===-- attributes --------------------------------------------------------------------------------------------------===//

PyObject *toTuple(const Dims &dims) {
  PyObject *tuple = PyTuple_New(dims.rank);
  for (int i = 0; tuple && i < dims.rank; ++i) PyTuple_SET_ITEM(tuple, i, PyLong_FromLongLong(dims[i]));
  return tuple;
}
PyObject *getShape(PyObject *self, void *) { return toTuple(arrayOf(self).shape); }
int setShape(PyObject *self, PyObject *value, void *) {
  return guardedInt([&] {
    Array &array = arrayOf(self);
    if (!value) throw Error(ErrorKind::Value, "shape: expected sizes, got none: it cannot be deleted");
    auto *recorder = dynamic_cast<Recorder *>(Mode::current());
    bool isMade = recorder && recorder->cellSlot(array.storage.get()) >= 0; // in the call, as all objects that show it were
    if (recorder && !isMade) recorder->giveUp("the shape of an array from before the call is set");
    Array view = reshape(array, resolveShape(array, toDims("shape", value)));
    if (view.storage.get() != array.storage.get())
      throw Error(ErrorKind::Shape,
                  "shape: expected one that the memory of the array can be seen in, got " + toString(view.shape) + " (kn.reshape copies)");
    array = std::move(view);
    return 0;
  });
}
PyObject *getStrides(PyObject *self, void *) {
  Dims bytes = arrayOf(self).strides;
  for (int i = 0; i < bytes.rank; ++i) bytes[i] *= byteSize(arrayOf(self).dtype);
  return toTuple(bytes);
}
template <bool imaginary> PyObject *getPart(PyObject *self, void *) {
  return guarded([&] { return wrap(partOf(arrayOf(self), imaginary)); });
}
template <bool imaginary> int setPart(PyObject *self, PyObject *value, void *) {
  return guardedInt([&] {
    if (!value) fail(ErrorKind::Value, "del", "statement", "an assignment", "a deletion: the parts of an array cannot be deleted");
    Array part = partOf(arrayOf(self), imaginary);
    if (imaginary && !isComplex(arrayOf(self).dtype)) fail(ErrorKind::DType, "imag", "dtype", "a complex one", info(part.dtype).name);
    setItem(part, Py_Ellipsis, value);
    return 0;
  });
}
PyObject *getItemSize(PyObject *self, void *) { return PyLong_FromLongLong(byteSize(arrayOf(self).dtype)); }
PyObject *getByteCount(PyObject *self, void *) { return PyLong_FromLongLong(arrayOf(self).size() * byteSize(arrayOf(self).dtype)); }
PyObject *getDType(PyObject *self, void *) { return fromDType(arrayOf(self).dtype); }
PyObject *getNdim(PyObject *self, void *) { return PyLong_FromLong(arrayOf(self).shape.rank); }
PyObject *getSize(PyObject *self, void *) { return PyLong_FromLongLong(arrayOf(self).size()); }
PyObject *getDevice(PyObject *self, void *) { return PyUnicode_InternFromString(nameOf(deviceOf(arrayOf(self))).c_str()); }
PyObject *getT(PyObject *self, void *) {
  return guarded([&] {
    const Array &a = arrayOf(self);
    if (!Mode::current()) {
      Array view = a;
      std::reverse_copy(a.shape.begin(), a.shape.end(), view.shape.values.begin());
      std::reverse_copy(a.strides.begin(), a.strides.end(), view.strides.values.begin());
      view.updateContiguous();
      return wrap(std::move(view));
    }
    Dims permutation;
    for (int i = a.shape.rank - 1; i >= 0; --i) permutation.push(i);
    return wrap(transpose(a, permutation));
  });
}
PyObject *getMT(PyObject *self, void *) {
  return guarded([&] {
    const Array &a = arrayOf(self);
    if (a.shape.rank < 2) fail(ErrorKind::Shape, "mT", "rank", "at least 2", std::to_string(a.shape.rank));
    Dims permutation;
    for (int i = 0; i < a.shape.rank; ++i) permutation.push(i);
    std::swap(permutation[a.shape.rank - 1], permutation[a.shape.rank - 2]);
    return wrap(transpose(a, permutation));
  });
}

//===-- container ---------------------------------------------------------------------------------------------------===//

Py_ssize_t length(PyObject *self) {
  int status = guardedInt([&]() -> int {
    if (!arrayOf(self).shape.rank) fail(ErrorKind::DType, "len", "array", "one with axes", "one without");
    return 0;
  });
  return status ? status : Py_ssize_t(arrayOf(self).shape[0]);
}
PyObject *subscript(PyObject *self, PyObject *key) {
  if (PyObject *element = readElement(arrayOf(self), key)) return element;
  return guarded([&] {
    PyObject *few = readFew(arrayOf(self), key);
    return few ? few : wrap(getItem(arrayOf(self), key));
  });
}
int assignSubscript(PyObject *self, PyObject *key, PyObject *value) {
  if (value && (writeElement(arrayOf(self), key, value) || writeFew(arrayOf(self), key, value))) return 0;
  return guardedInt([&] {
    if (!value) fail(ErrorKind::Value, "del", "statement", "an assignment", "a deletion: elements of an array cannot be deleted");
    setItem(arrayOf(self), key, value);
    return 0;
  });
}

/// Iterates over the first axis: an array and a position, so that a recording can tell where it is.
struct PyIterator {
  PyObject_HEAD PyObject *array;
  int64_t position;
};
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

//===-- buffer protocol ---------------------------------------------------------------------------------------------===//

int getBuffer(PyObject *self, Py_buffer *view, int flags) {
  return guardedInt([&] {
    Array &a = arrayOf(self);
    if (deviceOf(a)) { // NumPy then asks __array__, which makes a copy
      PyErr_Format(PyExc_BufferError, "array: expected one of the CPU, got one of '%s' (x.to_device('cpu') copies it)",
                   nameOf(deviceOf(a)).c_str());
      throw PythonError();
    }
    leave(a, "an array is turned into one of another library");
    static const char *const formats[kNumDTypes] = {"?", "b", "h", "i", "l", "B", "H", "I", "L", "e", nullptr, "f", "d", "Zf", "Zd"};
    if (!formats[size_t(a.dtype)]) { // NumPy then asks __array__, which knows ml_dtypes
      PyErr_SetString(PyExc_BufferError, "array: expected a dtype that the buffer protocol has a name for (convert with kn.astype)");
      throw PythonError();
    }
    if ((flags & PyBUF_WRITABLE) && !a.storage->isWritable) {
      PyErr_SetString(PyExc_BufferError, "array: expected writable memory, got read-only");
      throw PythonError();
    }
    if (!(flags & PyBUF_STRIDES) && !a.isContiguous) {
      PyErr_SetString(PyExc_BufferError, "array: expected row-major memory, got strides");
      throw PythonError();
    }
    // Shared from now on: later writes go in place, so both sides see them.
    a.storage->pinned = true;
    auto *dims = new Py_ssize_t[2 * kMaxRank];
    for (int i = 0; i < a.shape.rank; ++i) {
      dims[i] = a.shape[i];
      dims[kMaxRank + i] = a.strides[i] * byteSize(a.dtype);
    }
    *view = {};
    view->buf = a.data();
    view->obj = Py_NewRef(self);
    view->len = a.size() * byteSize(a.dtype);
    view->readonly = !a.storage->isWritable;
    view->itemsize = byteSize(a.dtype);
    view->format = const_cast<char *>(formats[size_t(a.dtype)]);
    view->ndim = a.shape.rank;
    view->shape = dims;
    view->strides = dims + kMaxRank;
    view->internal = dims;
    return 0;
  });
}
void releaseBuffer(PyObject *, Py_buffer *view) { delete[] static_cast<Py_ssize_t *>(view->internal); }

PyMethodDef methods[] = {{"item", reinterpret_cast<PyCFunction>(reinterpret_cast<void *>(item)), METH_FASTCALL,
                          "The element of an array of size 1, or that at a position, as a Python number."},
                         {"__complex__", toComplex, METH_NOARGS, nullptr},
                         {"reshape", reinterpret_cast<PyCFunction>(reinterpret_cast<void *>(reshapeMethod)), METH_FASTCALL | METH_KEYWORDS,
                          "The elements in row-major order under a shape, one size of which may be -1; a view where it can be."},
                         {"ravel", reinterpret_cast<PyCFunction>(reinterpret_cast<void *>(ravel)), METH_FASTCALL | METH_KEYWORDS,
                          "ravel($self, /, order='C')\n--\n\nOne axis, in row-major order: a view where that can be."},
                         {"copy", reinterpret_cast<PyCFunction>(reinterpret_cast<void *>(copyMethod)), METH_FASTCALL | METH_KEYWORDS,
                          "copy($self, /, order='C')\n--\n\nA copy with memory of its own."},
                         {"tolist", tolist, METH_NOARGS, "The elements as (nested) lists of Python numbers."},
                         {"__format__", format, METH_O, "Formats the element of an array without axes."},
                         {nullptr, nullptr, 0, nullptr}};

PyGetSetDef getset[] = {{"shape", getShape, setShape, "Sizes of the axes; setting them is for NumPy's programs.", nullptr},
                        {"strides", getStrides, nullptr, "Bytes between neighbours along each axis.", nullptr},
                        {"dtype", getDType, nullptr, "Type of the elements.", nullptr},
                        {"ndim", getNdim, nullptr, "Number of axes.", nullptr},
                        {"size", getSize, nullptr, "Number of elements.", nullptr},
                        {"device", getDevice, nullptr, "Where the memory is.", nullptr},
                        {"real", getPart<false>, setPart<false>, "The real parts, a view.", nullptr},
                        {"imag", getPart<true>, setPart<true>, "The imaginary parts, a view; zeros for real dtypes.", nullptr},
                        {"itemsize", getItemSize, nullptr, "Bytes of an element.", nullptr},
                        {"nbytes", getByteCount, nullptr, "Bytes of all elements.", nullptr},
                        {"T", getT, nullptr, "The array with its axes reversed, a view.", nullptr},
                        {"mT", getMT, nullptr, "The array with its last two axes swapped, a view.", nullptr},
                        {nullptr, nullptr, nullptr, nullptr, nullptr}};

PyMemberDef members[] = {{"__weaklistoffset__", T_PYSSIZET, offsetof(PyArray, weakrefs), READONLY, nullptr}, {nullptr, 0, 0, 0, nullptr}};

template <typename F> void *slot(F f) { return reinterpret_cast<void *>(f); }

} // namespace

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

ArrayIterator arrayIteratorOf(PyObject *o) {
  if (Py_TYPE(o) != iteratorType) return {};
  auto *it = reinterpret_cast<PyIterator *>(o);
  return {&arrayOf(it->array), it->array, it->position};
}

static bool initIterator() {
  auto slot = [](auto f) { return reinterpret_cast<void *>(f); };
  PyType_Slot iteratorSlots[] = {
      {Py_tp_dealloc, slot(iteratorDealloc)}, {Py_tp_iter, slot(PyObject_SelfIter)}, {Py_tp_iternext, slot(iteratorNext)}, {0, nullptr}};
  PyType_Spec iteratorSpec = {"kiln.ArrayIterator", sizeof(PyIterator), 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION,
                              iteratorSlots};
  iteratorType = reinterpret_cast<PyTypeObject *>(PyType_FromSpec(&iteratorSpec));
  return iteratorType;
}

/// As NumPy's ndarray(shape, dtype=float64), of zeros.
PyObject *newArrayOf(PyTypeObject *, PyObject *args, PyObject *kwargs) {
  static const char *const names[] = {"shape", "dtype", nullptr};
  PyObject *shape, *dtype = nullptr;
  if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O|O:ndarray", const_cast<char **>(names), &shape, &dtype)) return nullptr;
  return guarded([&] {
    Dims sizes = toDims("ndarray", shape);
    DType type = dtype ? toDType(dtype) : DType::F64;
    for (int64_t size : sizes)
      if (size < 0) fail(ErrorKind::Shape, "ndarray", "shape", "sizes of at least 0", toString(sizes));
    checkSize("ndarray", {type, sizes});
    return wrap(full(sizes, type, Scalar()));
  });
}

/// zeros(shape, dtype): of sizes that are plain integers, on the default device; None for all others.
PyObject *zeros(PyObject *, PyObject *const *args, Py_ssize_t n) {
  return guarded([&]() -> PyObject * {
    if (n != 2) Py_RETURN_NONE;
    bool isTuple = PyTuple_CheckExact(args[0]);
    Py_ssize_t rank = isTuple ? PyTuple_GET_SIZE(args[0]) : 1;
    Dims shape;
    for (Py_ssize_t i = 0; i < rank && rank <= kMaxRank; ++i) {
      PyObject *item = isTuple ? PyTuple_GET_ITEM(args[0], i) : args[0];
      int64_t size;
      if (!PyLong_CheckExact(item) || !positionOf(item, size) || size < 0) Py_RETURN_NONE;
      shape.push(size);
    }
    if (rank > kMaxRank) Py_RETURN_NONE;
    return wrap(full(shape, args[1] == Py_None ? defaultFloat() : toDType(args[1]), Scalar()));
  });
}

/// (x, shape) -> an array of the dtype of x whose memory is not written: the caller does that. None where x is not on the CPU.
PyObject *unwritten(PyObject *, PyObject *const *args, Py_ssize_t n) {
  return guarded([&]() -> PyObject * {
    if (n != 2 || !isArray(args[0]) || Mode::current() || deviceOf(arrayOf(args[0]))) Py_RETURN_NONE;
    ArrayType type(arrayOf(args[0]).dtype, toDims("empty", args[1]));
    for (int64_t size : type.shape)
      if (size < 0) Py_RETURN_NONE;
    checkSize("empty", type);
    return wrap(Array::empty(type.dtype, type.shape));
  });
}

/// The numbers below a plain integer, on the default device; None for all others.
PyObject *count(PyObject *, PyObject *end) {
  return guarded([&]() -> PyObject * {
    int64_t n;
    if (!PyLong_CheckExact(end) || !positionOf(end, n)) Py_RETURN_NONE;
    return wrap(iota(DType::I64, {std::max<int64_t>(n, 0)}, 0));
  });
}

/// Whether values can be looked at: nothing is recorded, batched or differentiated.
PyObject *isAtHand(PyObject *, PyObject *) { return PyBool_FromLong(!Mode::current()); }

PyObject *isWritable(PyObject *, PyObject *o) {
  return PyBool_FromLong(isArray(o) && arrayOf(o).storage->isWritable && !arrayOf(o).isRepeated);
}

PyMethodDef functions[] = {{"count", count, METH_O, nullptr},
                           {"is_writable", isWritable, METH_O, nullptr},
                           {"is_at_hand", isAtHand, METH_NOARGS, nullptr},
                           {"unwritten", reinterpret_cast<PyCFunction>(reinterpret_cast<void *>(unwritten)), METH_FASTCALL, nullptr},
                           {"zeros", reinterpret_cast<PyCFunction>(reinterpret_cast<void *>(zeros)), METH_FASTCALL, nullptr},
                           {nullptr, nullptr, 0, nullptr}};

bool initArrayType(PyObject *module) {
  PyType_Slot slots[] = {{Py_tp_new, slot(newArrayOf)},
                         {Py_tp_dealloc, slot(arrayDealloc)},
                         {Py_tp_repr, slot(repr)},
                         {Py_tp_str, slot(str)},
                         {Py_tp_richcompare, slot(richCompare)},
                         {Py_tp_hash, slot(hashOf)},
                         {Py_tp_iter, slot(iterate)},
                         {Py_tp_methods, methods},
                         {Py_tp_getset, getset},
                         {Py_tp_members, members},
                         {Py_tp_doc, const_cast<char *>("An array: a view (shape, strides) of memory that other arrays may share.")},
                         {Py_nb_add, slot(binarySlot<Op::Add>)},
                         {Py_nb_subtract, slot(binarySlot<Op::Subtract>)},
                         {Py_nb_multiply, slot(binarySlot<Op::Multiply>)},
                         {Py_nb_true_divide, slot(binarySlot<Op::Divide>)},
                         {Py_nb_floor_divide, slot(binarySlot<Op::FloorDivide>)},
                         {Py_nb_remainder, slot(binarySlot<Op::Remainder>)},
                         {Py_nb_divmod, slot(divmodSlot)},
                         {Py_nb_power, slot(power)},
                         {Py_nb_lshift, slot(binarySlot<Op::BitwiseLeftShift>)},
                         {Py_nb_rshift, slot(binarySlot<Op::BitwiseRightShift>)},
                         {Py_nb_matrix_multiply, slot(matmulSlot)},
                         {Py_nb_inplace_matrix_multiply, slot(inplaceMatmul)},
                         {Py_nb_negative, slot(unarySlot<Op::Negative>)},
                         {Py_nb_positive, slot(unarySlot<Op::Positive>)},
                         {Py_nb_absolute, slot(unarySlot<Op::Abs>)},
                         {Py_nb_invert, slot(unarySlot<Op::BitwiseInvert>)},
                         {Py_nb_and, slot(binarySlot<Op::BitwiseAnd>)},
                         {Py_nb_or, slot(binarySlot<Op::BitwiseOr>)},
                         {Py_nb_xor, slot(binarySlot<Op::BitwiseXor>)},
                         {Py_nb_inplace_add, slot(inplaceSlot<Op::Add>)},
                         {Py_nb_inplace_subtract, slot(inplaceSlot<Op::Subtract>)},
                         {Py_nb_inplace_multiply, slot(inplaceSlot<Op::Multiply>)},
                         {Py_nb_inplace_true_divide, slot(inplaceSlot<Op::Divide>)},
                         {Py_nb_inplace_floor_divide, slot(inplaceSlot<Op::FloorDivide>)},
                         {Py_nb_inplace_remainder, slot(inplaceSlot<Op::Remainder>)},
                         {Py_nb_inplace_power, slot(inplacePower)},
                         {Py_nb_inplace_lshift, slot(inplaceSlot<Op::BitwiseLeftShift>)},
                         {Py_nb_inplace_rshift, slot(inplaceSlot<Op::BitwiseRightShift>)},
                         {Py_nb_inplace_and, slot(inplaceSlot<Op::BitwiseAnd>)},
                         {Py_nb_inplace_or, slot(inplaceSlot<Op::BitwiseOr>)},
                         {Py_nb_inplace_xor, slot(inplaceSlot<Op::BitwiseXor>)},
                         {Py_nb_bool, slot(toBool)},
                         {Py_nb_int, slot(toInt)},
                         {Py_nb_float, slot(toFloat)},
                         {Py_nb_index, slot(toIndex)},
                         {Py_mp_length, slot(length)},
                         {Py_mp_subscript, slot(subscript)},
                         {Py_mp_ass_subscript, slot(assignSubscript)},
                         {Py_bf_getbuffer, slot(getBuffer)},
                         {Py_bf_releasebuffer, slot(releaseBuffer)},
                         {0, nullptr}};
  PyType_Spec spec = {"kiln.Array", sizeof(PyArray), 0, Py_TPFLAGS_DEFAULT, slots};
  arrayType = reinterpret_cast<PyTypeObject *>(PyType_FromSpec(&spec));
  return arrayType && initIterator() && !PyModule_AddFunctions(module, functions) &&
         !PyModule_AddObjectRef(module, "Array", reinterpret_cast<PyObject *>(arrayType));
}

} // namespace kiln::py
