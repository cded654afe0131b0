// Custom ops as Python sees them: functions of C in shared objects, and functions of Python.
#include "transforms.h"

#include "frontend/OpsShared.h"
#include "include/kiln/executable.h"
#include "lib/Core/NativeOps.h"
#include "lib/Core/Program.h"
#include "lib/Runtime/Executable.h"
#include "lib/Runtime/Memory.h"

#include <pybind11/stl.h>

#include <cstring>
#include <dlfcn.h>
#include <functional>
#include <set>

namespace py11 = pybind11;

namespace kiln::py {
namespace {

const RegisteredOp &opOf(const std::string &name) {
  if (const RegisteredOp *op = findRegistered(name)) return *op;
  fail(ErrorKind::Value, "custom_op", "op", "one that is registered", "'" + name + "'");
}

py11::object declare(const std::string &name, const std::string &title, int operands, int results, std::vector<std::string> attributes) {
  return located([&]() -> PyObject * {
    const RegisteredOp &op = declareNative({name, title, operands, results, std::move(attributes)});
    return PyBool_FromLong(op.op.code->load() != nullptr);
  });
}

/// The function stays for the rest of the process, as programs call it by name.
py11::object define(const std::string &name, const std::string &path, const std::string &symbol) {
  return located([&]() -> PyObject * {
    const RegisteredOp &op = opOf(name);
    void *library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (!library) fail(ErrorKind::Package, "custom_op", "code of '" + op.op.title + "'", "a shared object that loads", dlerror());
    auto function = reinterpret_cast<kiln_op_fn>(dlsym(library, symbol.c_str()));
    if (!function)
      fail(ErrorKind::Value, "custom_op", "code of '" + op.op.title + "'", "a function KILN_KERNEL '" + symbol + "'", "none of that name");
    defineNative(op, function);
    Py_RETURN_NONE;
  });
}

/// Code for GPUs likewise.
py11::object defineKernel(const std::string &name, const std::string &code, const std::string &symbol) {
  return located([&]() -> PyObject * {
    defineOnDevice(opOf(name), {code, symbol});
    Py_RETURN_NONE;
  });
}

//===-- functions of Python -----------------------------------------------------------------------------------------===//

/// Who called an operation in this thread and wants to know what a callback of it raises; null: compiled code or the interpreter, after
/// which eager runs again.
thread_local Object *raised = nullptr;

/// For a while, someone does or nobody does.
class Wanted {
public:
  explicit Wanted(Object *to) : before(std::exchange(raised, to)) {}
  ~Wanted() { raised = before; }

private:
  Object *before;
};

/// An array of a callback's own.
Array copyOf(const kiln_tensor &t) {
  Array made = Array::empty(DType(t.dtype), Dims(std::span(t.shape, size_t(t.rank))));
  eager::stridedCopy(made, {t.data, DType(t.dtype), Dims(std::span(t.strides, size_t(t.rank)))});
  return made;
}

/// (shape, dtype)
Object typeOf(const kiln_tensor &t) {
  Object shape(check(PyTuple_New(t.rank)));
  for (int i = 0; i < t.rank; ++i) PyTuple_SET_ITEM(shape.get(), i, check(PyLong_FromLongLong(t.shape[i])));
  Object dtype(fromDType(DType(t.dtype)));
  return Object(check(PyTuple_Pack(2, shape.get(), dtype.get())));
}

/// Calls a function of lists of arrays and of types of results, from compiled code, the interpreter or eager.
void call(PyObject *function, const kiln_tensor *tensors, int operands, int results) {
  SetWorkspaceAside apart; // of the program that calls
  Paused paused;
  Wanted nobody(nullptr);
  Object list(check(PyList_New(operands)));
  for (int i = 0; i < operands; ++i) PyList_SET_ITEM(list.get(), i, check(wrap(copyOf(tensors[i]))));
  Object types(check(PyList_New(results)));
  for (int i = 0; i < results; ++i) PyList_SET_ITEM(types.get(), i, typeOf(tensors[operands + i]).release());
  Object given(check(PyObject_CallFunctionObjArgs(function, list.get(), types.get(), nullptr)));
  for (int i = 0; i < results; ++i) {
    const kiln_tensor &t = tensors[operands + i];
    Array from = contiguous(arrayOf(PyList_GET_ITEM(given.get(), i)));                             // of the type that was promised
    if (from.size()) std::memcpy(t.data, from.data(), size_t(from.size() * byteSize(from.dtype))); // nothing may have no address
  }
}

/// An error is set: who wants to know gets it.
int32_t failed() {
  if (!raised && PyErr_ExceptionMatches(PyExc_KeyboardInterrupt)) // eager, which would not meet it again, gets it in this thread
    PyThreadState_SetAsyncExc(PyThread_get_thread_ident(), PyExc_KeyboardInterrupt);
  PyObject *type, *value, *trace;
  PyErr_Fetch(&type, &value, &trace);
  PyErr_NormalizeException(&type, &value, &trace);
  if (trace) PyException_SetTraceback(value, trace);
  Py_XDECREF(type);
  Py_XDECREF(trace);
  Object error(value);
  if (raised) *raised = std::move(error);
  return KILN_CUSTOM_FAILED;
}

/// Runs code of Python from a kernel: its status.
int32_t guarded(const std::function<void()> &run) {
  PyGILState_STATE state = PyGILState_Ensure();
  int32_t status = 0;
  try {
    run();
  } catch (...) {
    setError();
    status = failed();
  }
  PyGILState_Release(state);
  return status;
}

/// Calls a function of C of numbers: elements, in the place of None, and others that stay.
void callOfNumbers(PyObject *function, PyObject *given, const kiln_tensor *tensors, int operands) {
  std::vector<Object> numbers;
  std::vector<PyObject *> args;
  int next = 0;
  for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(given); ++i) {
    PyObject *stays = PyTuple_GET_ITEM(given, i);
    if (stays == Py_None) {
      const kiln_tensor &t = tensors[next++];
      bool isFloat = DType(t.dtype) == DType::F64;
      numbers.emplace_back(check(isFloat ? PyFloat_FromDouble(*static_cast<const double *>(t.data))
                                         : PyLong_FromLongLong(*static_cast<const int64_t *>(t.data))));
    }
    args.push_back(stays == Py_None ? numbers.back().get() : stays);
  }
  Object value(check(PyObject_Vectorcall(function, args.data(), args.size(), nullptr)));
  const kiln_tensor &result = tensors[operands];
  bool isFloat = DType(result.dtype) == DType::F64;
  if (Py_TYPE(value.get()) != (isFloat ? &PyFloat_Type : &PyLong_Type)) {
    PyErr_Format(PyExc_ValueError, "expected a number of the type that it was, got a %s", Py_TYPE(value.get())->tp_name);
    throw PythonError();
  }
  if (isFloat) *static_cast<double *>(result.data) = PyFloat_AS_DOUBLE(value.get());
  else *static_cast<int64_t *>(result.data) = PyLong_AsLongLong(value.get());
  if (PyErr_Occurred()) throw PythonError();
}

/// Registers a function of C that only computes with numbers; its name in programs. `given`: its arguments, None for each operand.
std::string declareNumbers(py11::object function, const std::string &title, py11::tuple given) {
  static std::atomic<int64_t> count{0}; // as of callbacks
  int operands = 0;
  for (py11::handle one : given) operands += one.is_none();
  CustomOp custom = customOf({"python.number" + std::to_string(++count), title, operands, 1, {}});
  PyObject *called = function.inc_ref().ptr(), *kept = given.inc_ref().ptr();
  custom.run = [called, kept, operands](const kiln_tensor *tensors, const int64_t *) {
    return guarded([&] { callOfNumbers(called, kept, tensors, operands); });
  };
  return registerOp(std::move(custom)).op.name;
}

/// Registers a function for the rest of the process; its name in programs.
std::string declareCallback(py11::object function, const std::string &title, int operands, int results) {
  static std::atomic<int64_t> count{0}; // the same in a process that does the same, which finds its programs in the cache
  NativeOp op{"python.callback" + std::to_string(++count), title, operands, results, {}};
  CustomOp custom = customOf(op);
  PyObject *kept = function.inc_ref().ptr();
  custom.run = [kept, operands, results](const kiln_tensor *tensors, const int64_t *) {
    return guarded([&] { call(kept, tensors, operands, results); });
  };
  return registerOp(std::move(custom)).op.name;
}

std::vector<kiln_attribute> attributesOf(py11::tuple given) {
  std::vector<kiln_attribute> attributes;
  for (py11::handle value : given) {
    bool isFloat = py11::isinstance<py11::float_>(value);
    attributes.push_back(
        {int64_t(isFloat ? DType::F64 : DType::I64), isFloat ? std::bit_cast<int64_t>(value.cast<double>()) : value.cast<int64_t>()});
  }
  return attributes;
}

/// The results, of types (dtype, shape), as a list.
py11::object apply(const std::string &name, py11::list operands, py11::list types, py11::tuple attributes) {
  return located([&]() -> PyObject * {
    std::vector<const Array *> arrays;
    for (py11::handle operand : operands) arrays.push_back(&arrayOf(operand.ptr()));
    std::vector<TensorType> results;
    for (py11::handle type : types) {
      auto [dtype, shape] = type.cast<std::pair<py11::object, py11::object>>();
      results.push_back({toDType(dtype.ptr()), toDims("custom_op", shape.ptr())});
    }
    std::vector<int64_t> words = nativeWords(opOf(name), results, attributesOf(attributes));
    std::vector<Array> made;
    Object raisedHere;
    try {
      Wanted mine(&raisedHere);
      made = applyLibraryAll(Op::Custom, arrays, words);
    } catch (const Error &) {
      if (!raisedHere) throw;
      PyErr_SetObject(reinterpret_cast<PyObject *>(Py_TYPE(raisedHere.get())), raisedHere.get());
      throw PythonError();
    }
    Object list(check(PyList_New(0)));
    for (Array &a : made)
      if (Object array(wrap(std::move(a))); !array || PyList_Append(list.get(), array.get())) throw PythonError();
    return list.release();
  });
}

void addNames(const Trace &trace, std::set<std::string> &names) {
  for (size_t at = 0; at < trace.words.size();) {
    TraceOp entry = Trace::decode(trace.words, at);
    if (entry.op == Op::Custom) names.insert(registeredOp(entry.words).op.name);
  }
  for (const auto &body : trace.bodies) addNames(*body, names);
}

/// The names of the ops from outside that a program has.
std::set<std::string> namesIn(std::string_view words) {
  std::set<std::string> names;
  located([&]() -> PyObject * {
    addNames(parseTrace(toWords(words)), names);
    Py_RETURN_NONE;
  });
  return names;
}

} // namespace

void defineCustom(py11::module_ &m) {
  m.def("declare_op", declare); // whether its code is there
  m.def("define_op", define);
  m.def("define_kernel",
        [](const std::string &name, const py11::bytes &code, const std::string &symbol) { return defineKernel(name, code, symbol); });
  m.def("apply_custom", apply);
  m.def("custom_names", namesIn);
  m.def("declare_callback", declareCallback);
  m.def("declare_number", declareNumbers);
  m.def("has_mode", [] { return Mode::current() != nullptr; });
  m.def("own_cell", [](py11::object x) { return located([&] { return wrap(withOwnCell(arrayOf(x.ptr()))); }); }); // writes stay in it
  m.def("link_object", [](const std::string &object, const std::string &output) {
    located([&]() -> PyObject * {
      linkObject(object, output);
      Py_RETURN_NONE;
    });
  });
}

} // namespace kiln::py
