// kiln.Array: a hand-written type, since attribute access and arithmetic on it are the hot path of eager programs.
#include "array_type.h"
#include "elements.h"

#include <structmember.h>

#include <algorithm>

namespace kiln::py {

PyTypeObject *arrayType = nullptr;

namespace {

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
  if (const Storage &cell = *arrayOf(self).storage.get(); !cell.value) {
    const char *what = cell.recording && cell.recording->fate.size() ? "without values" : "recording";
    return PyUnicode_FromFormat("kiln.Array(%s, %s)", toString(arrayOf(self).type()).c_str(), what);
  }
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
      std::reverse_copy(a.shape.begin(), a.shape.end(), view.shape.data());
      std::reverse_copy(a.strides.begin(), a.strides.end(), view.strides.data());
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

} // namespace

bool initArrayType(PyObject *module) {
  std::vector<PyType_Slot> slots{
      {Py_tp_new, slot(newArrayOf)},
      {Py_tp_dealloc, slot(arrayDealloc)},
      {Py_tp_repr, slot(repr)},
      {Py_tp_str, slot(str)},
      {Py_tp_hash, slot(hashOf)},
      {Py_tp_iter, slot(iterate)},
      {Py_tp_methods, methods},
      {Py_tp_getset, getset},
      {Py_tp_members, members},
      {Py_tp_doc, const_cast<char *>("An array: a view (shape, strides) of memory that other arrays may share.")},
      {Py_nb_bool, slot(toBool)},
      {Py_nb_int, slot(toInt)},
      {Py_nb_float, slot(toFloat)},
      {Py_nb_index, slot(toIndex)},
      {Py_mp_length, slot(length)},
      {Py_mp_subscript, slot(subscript)},
      {Py_mp_ass_subscript, slot(assignSubscript)},
      {Py_bf_getbuffer, slot(getBuffer)},
      {Py_bf_releasebuffer, slot(releaseBuffer)}};
  for (const PyType_Slot &one : arithmeticSlots()) slots.push_back(one);
  slots.push_back({0, nullptr});
  PyType_Spec spec = {"kiln.Array", sizeof(PyArray), 0, Py_TPFLAGS_DEFAULT, slots.data()};
  arrayType = reinterpret_cast<PyTypeObject *>(PyType_FromSpec(&spec));
  return arrayType && initIterator() && initCreation(module) && initDonation(module) &&
         !PyModule_AddObjectRef(module, "Array", reinterpret_cast<PyObject *>(arrayType));
}

} // namespace kiln::py
