// The operations that the package calls most: arguments by position, taken as they come, since pybind11's look at them costs as much as
// some of the operations over few elements.
#include "core.h"

#include "frontend/Ordered.h"
#include "lib/Core/Infer.h"

namespace kiln::py {
namespace {

std::optional<Dims> optionalDims(const char *op, PyObject *o) {
  if (o == Py_None) return std::nullopt;
  return toDims(op, o);
}

PyObject *astype(PyObject *const *args) {
  Holder h;
  return wrap(cast(arrayIn(args[0], h), toDType(args[1])));
}
PyObject *copyOf(PyObject *const *args) {
  Holder h;
  return wrap(copy(arrayIn(args[0], h)));
}
PyObject *bitcastOf(PyObject *const *args) {
  Holder h;
  return wrap(bitcast(arrayIn(args[0], h), toDType(args[1])));
}
PyObject *whereOf(PyObject *const *args) {
  Holder hc, hx, hy;
  return wrap(where(arrayIn(args[0], hc), requireOperand("where", args[1], hx), requireOperand("where", args[2], hy)));
}
PyObject *reshapeOf(PyObject *const *args) {
  Holder h;
  const Array &a = arrayIn(args[0], h);
  return wrap(reshape(a, resolveShape(a, toDims("reshape", args[1]))));
}
PyObject *permuteDims(PyObject *const *args) {
  Holder h;
  const Array &a = arrayIn(args[0], h);
  Dims given = toDims("permute_dims", args[1]), permutation;
  for (int64_t p : given) permutation.push(normalizeAxis("permute_dims", p, a.shape.rank));
  return wrap(transpose(a, permutation));
}
PyObject *broadcastOf(PyObject *const *args) {
  Holder h;
  return wrap(broadcastTo(arrayIn(args[0], h), toDims("broadcast_to", args[1])));
}
/// (a tuple or a list of arrays, axis).
PyObject *concatOf(PyObject *const *args) {
  Object items(check(PySequence_Fast(args[0], "concat: expected a sequence of arrays")));
  size_t n = size_t(PySequence_Fast_GET_SIZE(items.get()));
  std::vector<Holder> holders(n);
  std::vector<const Array *> arrays(n);
  for (size_t i = 0; i < n; ++i) arrays[i] = &arrayIn(PySequence_Fast_GET_ITEM(items.get(), Py_ssize_t(i)), holders[i]);
  return wrap(concat(arrays, integerIn(args[1])));
}
PyObject *takeOf(PyObject *const *args) {
  Holder a, b;
  return wrap(gather(arrayIn(args[0], a), arrayIn(args[1], b), integerIn(args[2])));
}
PyObject *nonzeroOf(PyObject *const *args) {
  Holder h;
  return wrap(nonzero(arrayIn(args[0], h)));
}
/// (op, x, axis, whether descending).
PyObject *alongAxisOf(PyObject *const *args) {
  Holder h;
  return wrap(alongAxis(opIn(args[0]), arrayIn(args[1], h), integerIn(args[2]), truthOf(args[3])));
}
/// (x, axis, place, whether positions are wanted) -> None where operations are recorded.
PyObject *partitionOf(PyObject *const *args) {
  Holder h;
  auto result = partition(arrayIn(args[0], h), integerIn(args[1]), integerIn(args[2]), truthOf(args[3]));
  if (result) return wrap(*result);
  Py_RETURN_NONE;
}
/// (op, x, axes or None, whether they stay).
PyObject *reduceOf(PyObject *const *args) {
  Holder h;
  Op op = opIn(args[0]);
  return wrap(reduce(op, arrayIn(args[1], h), optionalDims(info(op).name, args[2]), truthOf(args[3])));
}
PyObject *matmulOf(PyObject *const *args) {
  Holder a, b;
  return wrap(matmul(arrayIn(args[0], a), arrayIn(args[1], b)));
}

/// The device of a name; that of new arrays for None.
Device *deviceIn(PyObject *name) { return name == Py_None ? defaultDevice() : deviceNamed(name); }

/// (shape, a number or an array that broadcasts, dtype or None, device or None).
PyObject *fullOf(PyObject *const *args) {
  Device *to = deviceIn(args[3]);
  Holder h;
  Operand number = requireOperand("full", args[1], h);
  Dims shape = sizesIn("full", args[0]);
  if (number.kind == Operand::IsArray) {
    Array x = args[2] == Py_None ? *number.array : cast(*number.array, toDType(args[2]));
    return wrap(toDevice(copy(broadcastTo(x, shape)), args[3] == Py_None ? deviceOf(x) : to));
  }
  DType t = args[2] == Py_None ? weakDType(number) : toDType(args[2]);
  const Array *input = numberInputs && number.origin && !to ? numberInputs->inputOf(number.origin, t) : nullptr;
  return wrap(input ? copy(broadcastTo(*input, shape)) : full(shape, t, scalarBits(number, t), to));
}
/// (shape, dtype, axis, device or None).
PyObject *iotaOf(PyObject *const *args) {
  Dims shape = sizesIn("iota", args[0]);
  return wrap(iota(toDType(args[1]), shape, integerIn(args[2]), deviceIn(args[3])));
}
/// (a value, dtype or None, whether to copy or None, device or None).
PyObject *asarrayOf(PyObject *const *args) {
  std::optional<DType> t;
  if (args[1] != Py_None) t = toDType(args[1]);
  int mode = args[2] == Py_None ? -1 : truthOf(args[2]);
  if (isArray(args[0]) && mode != 1 && (!t || *t == arrayOf(args[0]).dtype)) return Py_NewRef(args[0]);
  return wrap(asArray(args[0], t, mode, deviceIn(args[3])));
}
/// (x, key, value, op).
PyObject *updateAt(PyObject *const *args) {
  if (!isArray(args[0])) throw Error(ErrorKind::DType, "update_at: operand 0: expected an array");
  setItem(arrayOf(args[0]), args[1], args[2], opIn(args[3]));
  Py_RETURN_NONE;
}

/// (op, a tuple of operands, and its words: numbers, and tuples of them, in the order of the record).
PyObject *library(PyObject *, PyObject *const *args, Py_ssize_t n) {
  return guarded([&]() -> PyObject * {
    if (n < 2 || !PyTuple_Check(args[1])) return PyErr_Format(PyExc_TypeError, "expected an op and a tuple of operands");
    Op op = opIn(args[0]);
    size_t count = size_t(PyTuple_GET_SIZE(args[1]));
    std::vector<Holder> holders(count);
    std::vector<const Array *> operands(count);
    for (size_t i = 0; i < count; ++i) operands[i] = &arrayIn(PyTuple_GET_ITEM(args[1], Py_ssize_t(i)), holders[i]);
    std::vector<int64_t> words;
    for (Py_ssize_t i = 2; i < n; ++i) {
      if (PyTuple_Check(args[i])) appendWords(words, toDims(info(op).name, args[i]));
      else words.push_back(integerIn(args[i]));
    }
    return wrap(applyLibrary(op, operands, words));
  });
}

/// A function of the module of `count` arguments.
template <auto body, int count> PyObject *entry(PyObject *, PyObject *const *args, Py_ssize_t n) {
  if (n != count) return PyErr_Format(PyExc_TypeError, "expected %d arguments, got %zd", count, n);
  return guarded([&] { return body(args); });
}
template <auto body, int count> PyMethodDef function(const char *name) {
  return {name, reinterpret_cast<PyCFunction>(reinterpret_cast<void *>(entry<body, count>)), METH_FASTCALL, nullptr};
}

/// One of three arguments and a device, which may be named or left out.
template <auto body> PyObject *entryOfDevice(PyObject *, PyObject *const *args, Py_ssize_t n, PyObject *names) {
  Py_ssize_t named = names ? PyTuple_GET_SIZE(names) : 0, given = n + named;
  bool isDevice = !named || (n == 3 && named == 1 && !PyUnicode_CompareWithASCIIString(PyTuple_GET_ITEM(names, 0), "device"));
  if (given < 3 || given > 4 || !isDevice) return PyErr_Format(PyExc_TypeError, "expected 3 arguments and a device, got %zd", given);
  PyObject *all[] = {args[0], args[1], args[2], given == 4 ? args[3] : Py_None};
  return guarded([&] { return body(all); });
}
template <auto body> PyMethodDef functionOfDevice(const char *name) {
  return {name, reinterpret_cast<PyCFunction>(reinterpret_cast<void *>(entryOfDevice<body>)), METH_FASTCALL | METH_KEYWORDS, nullptr};
}

PyMethodDef functions[] = {function<astype, 2>("astype"),
                           function<copyOf, 1>("copy"),
                           function<bitcastOf, 2>("bitcast"),
                           function<whereOf, 3>("where"),
                           function<reshapeOf, 2>("reshape"),
                           function<permuteDims, 2>("permute_dims"),
                           function<broadcastOf, 2>("broadcast_to"),
                           function<concatOf, 2>("concat"),
                           function<takeOf, 3>("take"),
                           function<nonzeroOf, 1>("nonzero"),
                           function<alongAxisOf, 4>("along_axis"),
                           function<partitionOf, 4>("partition"),
                           function<reduceOf, 4>("reduce"),
                           function<matmulOf, 2>("matmul"),
                           function<updateAt, 4>("update_at"),
                           {"library", reinterpret_cast<PyCFunction>(reinterpret_cast<void *>(library)), METH_FASTCALL, nullptr},
                           functionOfDevice<fullOf>("full"),
                           functionOfDevice<iotaOf>("iota"),
                           functionOfDevice<asarrayOf>("asarray"),
                           {nullptr, nullptr, 0, nullptr}};

} // namespace

bool initCalls(PyObject *module) { return !PyModule_AddFunctions(module, functions); }

} // namespace kiln::py
