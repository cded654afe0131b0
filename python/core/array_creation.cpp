// New arrays: kiln.Array(shape), and those that the package makes most.
#include "array_type.h"
#include "elements.h"

#include "lib/Core/Infer.h"

#include <algorithm>

namespace kiln::py {

PyObject *newArrayOf(PyTypeObject *, PyObject *args, PyObject *kwargs) {
  static const char *const names[] = {"shape", "dtype", nullptr};
  PyObject *shape, *dtype = nullptr;
  if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O|O:ndarray", const_cast<char **>(names), &shape, &dtype)) return nullptr;
  return guarded([&] {
    Dims sizes = sizesIn("ndarray", shape);
    DType type = dtype ? toDType(dtype) : DType::F64;
    checkSize("ndarray", {type, sizes});
    return wrap(full(sizes, type, Scalar()));
  });
}

namespace {

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

} // namespace

bool initCreation(PyObject *module) { return !PyModule_AddFunctions(module, functions); }

} // namespace kiln::py
