// The Python module: types written by hand on the hot path, pybind11 for the rest.
#pragma once

#include "frontend/Mode.h"
#include "frontend/Ops.h"
#include "frontend/Recorder.h"
#include "frontend/frames/Object.h"
#include "frontend/tree/Key.h"

namespace kiln::py {

/// The Python object of an array.
struct PyArray {
  PyObject_HEAD PyObject *weakrefs;
  Array array;
};
extern PyTypeObject *jitType;
inline Array &arrayOf(PyObject *o) { return reinterpret_cast<PyArray *>(o)->array; }
PyObject *wrap(Array &&array);
inline PyObject *wrap(const Array &array) { return wrap(Array(array)); }
/// A new array of a type: its object, cell and memory come as a whole from those of an array of that size that died.
PyObject *newArray(const ArrayType &type, const Dims &strides, size_t bytes);

/// Names of the Python side that C++ needs: error and dtype classes, helpers. Set by kiln/__init__.py.
struct PythonSide {
  PyObject *raise = nullptr; // (kind, message) -> exception instance, located
  PyObject *dtypes[kNumDTypes] = {};
  PyObject *repr = nullptr;       // (array) -> str
  PyObject *leave = nullptr;      // the exception of LeaveRecording
  PyObject *note = nullptr;       // (function, why): tells once that calls run in eager
  PyObject *where = nullptr;      // () -> "file.py:3 "
  PyObject *form = nullptr;       // (name, arguments, named) -> result of an op function called in one of NumPy's forms
  PyObject *flatten = nullptr;    // (object) -> (children, names) of an object that is its attributes, or None
  PyObject *takeResult = nullptr; // the same of a result, whose every attribute counts
  PyObject *makeResult = nullptr; // (class, data, children) -> object
  PyObject *opFunction = nullptr, *dtypeClass = nullptr;
  PyObject *thingClasses = nullptr; // of further objects that are in keys by identity: (Enum, functools.partial)
  PyObject *log = nullptr;          // (function, kind, text): writes a line
  PyObject *lineOf = nullptr;       // (code, instruction) -> "file.py:3: "
  PyObject *sourceOf = nullptr;     // (code, instruction) -> (function, file, line)
};
PythonSide &side();

/// Turns a C++ exception in flight into the Python error it stands for.
void setError();
/// Calls `body`, and returns its result or null with the error set.
template <typename Body> auto guarded(Body &&body) -> decltype(body()) {
  try {
    return body();
  } catch (...) {
    setError();
    return decltype(body())();
  }
}
template <typename Body> int guardedInt(Body &&body) {
  try {
    return body();
  } catch (...) {
    setError();
    return -1;
  }
}

/// Python to C++.
struct Holder {
  std::optional<Array> array; // made of an object that is none
  Operand operand;
};
/// A number of a type of NumPy's.
bool isNumPyScalar(PyObject *o);
/// One of them that is an int or float of a dtype that arrays have, exactly.
bool isNumPyNumber(PyObject *o);
/// An operand of an op; false where the object is no array or number.
bool toOperand(PyObject *o, Holder &holder);
Operand requireOperand(const char *op, PyObject *o, Holder &holder);
/// An int or float, of NumPy's too, as an array without axes, on the CPU; null, with an error set, where it does not fit.
PyObject *arrayOfNumber(PyObject *number, DType dtype);
ArrayIterator arrayIteratorOf(PyObject *o);
/// An array from an array, number, nested sequence, or an object with the buffer protocol. `copy`: -1 as needed, 0 never, 1 always.
/// Numbers, sequences and copies of the host's memory become arrays of `device`; others are where they are.
Array asArray(PyObject *o, std::optional<DType> dtype, int copy, Device *device = defaultDevice());
/// The same of an operand: an array of values that were written out goes where the arrays beside it are.
inline Array asOperand(PyObject *o) {
  Array a = asArray(o, std::nullopt, -1);
  if (!isArray(o)) a.storage->isLoose = true;
  return a;
}
DType toDType(PyObject *o);
Dims toDims(const char *op, PyObject *o);
/// The same of sizes, which are not negative.
Dims sizesIn(const char *op, PyObject *o);
const Array &arrayIn(PyObject *o, Holder &holder);
int64_t integerIn(PyObject *o);
bool truthOf(PyObject *o);
/// The op of a name. Throws Error (value) where there is none.
Op opIn(PyObject *name);
/// The device of a name. Throws Error (device) where there is none.
Device *deviceNamed(PyObject *name);
PyObject *fromDType(DType dtype);
/// A number that changes with every setting that results depend on and no key has otherwise.
int64_t configEpoch();
void nextConfigEpoch();
inline KeyContext currentContext() { return {defaultFloat(), configEpoch(), numberOf(defaultDevice())}; }
/// Sizes for the elements of an array, with the one that is -1 worked out.
Dims resolveShape(const Array &x, Dims shape);
PyObject *toScalar(const Array &array, const char *why = "the value of an array is asked for");
struct ExportOptions {
  bool isVersioned, copies, toHost;
  uint64_t queue; // of the other library, on the array's device; 0: it orders nothing
};
PyObject *toDlpack(PyObject *array, const ExportOptions &options);
/// The kind and the number of an array's device, as DLPack has them.
std::pair<int32_t, int32_t> dlpackDevice(PyObject *array);
Array fromDlpack(PyObject *o, bool copies);
PyObject *toList(const Array &array);

Array getItem(const Array &array, PyObject *key);
void setItem(Array &array, PyObject *key, PyObject *value, Op op = Op::Scatter);

bool initArrayType(PyObject *module);
bool initOpFunctions(PyObject *module);
/// NumPy's ufunc around a function, which runs as its op where it is one and the call is plain; `form` takes all other calls.
PyObject *makeUfunc(PyObject *function, PyObject *form, PyObject *attributes);
bool initJit(PyObject *module);
/// The function of a jitted one, borrowed.
PyObject *functionOf(PyObject *jitted);
/// The words of a serialized program, which Python has as bytes.
std::vector<int64_t> toWords(std::string_view bytes);
/// Where the program is, as text: "file.py:3 ".
std::string currentPlace();

} // namespace kiln::py
