// Custom ops as Python sees them: functions of C in shared objects, and functions of Python.
#include "transforms.h"

#include "lib/Core/NativeOps.h"
#include "lib/Core/Program.h"
#include "lib/Runtime/Executable.h"

#include <pybind11/stl.h>

#include <dlfcn.h>
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
    std::vector<Array> made = applyLibraryAll(Op::Custom, arrays, nativeWords(opOf(name), results, attributesOf(attributes)));
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
  m.def("apply_custom", apply);
  m.def("custom_names", namesIn);
  m.def("link_object", [](const std::string &object, const std::string &output) {
    located([&]() -> PyObject * {
      linkObject(object, output);
      Py_RETURN_NONE;
    });
  });
}

} // namespace kiln::py
