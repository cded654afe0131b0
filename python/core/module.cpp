// The module kiln._core: pybind11 around what is not on the hot path.
#include "control.h"
#include "core.h"
#include "elements.h"
#include "transforms.h"

#include "frontend/Accelerated.h"
#include "frontend/frames/Values.h"
#include "lib/Core/Infer.h"
#include "lib/Library/Threads.h"

#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <cstring>
#include <unistd.h>

namespace py11 = pybind11;
using namespace kiln;
using kiln::py::arrayOf, kiln::py::located;

Dims kiln::py::resolveShape(const Array &x, Dims shape) {
  int64_t known = 1;
  int unknown = -1;
  for (int i = 0; i < shape.rank; ++i) {
    if (shape[i] == -1 && unknown < 0) unknown = i;
    else if (shape[i] < 0) fail(ErrorKind::Shape, "reshape", "shape", "sizes, at most one of them -1", toString(shape));
    else known *= shape[i];
  }
  if (unknown >= 0) {
    if (known == 0 || x.size() % known)
      fail(ErrorKind::Shape, "reshape", "number of elements", "a multiple of " + std::to_string(known),
           std::to_string(x.size()) + " in " + toString(x.shape));
    shape[unknown] = x.size() / known;
  }
  return shape;
}

namespace {

void defineConversions(py11::module_ &m) {
  m.def("loose", [](py11::object x) { // of values that were written out as an operand
    arrayOf(x.ptr()).storage->isLoose = true;
    return x;
  });
}

void defineShaping(py11::module_ &m) {
  m.def("broadcast_shapes", [](py11::object a, py11::object b) {
    return located([&] {
      Dims shape =
          broadcastShapes("broadcast_shapes", kiln::py::toDims("broadcast_shapes", a.ptr()), kiln::py::toDims("broadcast_shapes", b.ptr()));
      PyObject *tuple = PyTuple_New(shape.rank);
      for (int i = 0; tuple && i < shape.rank; ++i) PyTuple_SET_ITEM(tuple, i, PyLong_FromLongLong(shape[i]));
      return tuple;
    });
  });
}

void definePositions(py11::module_ &m) {
  using kiln::py::Holder, kiln::py::wrap;
  m.def(
      "run_starts",
      [](py11::object line, bool joinsNans) {
        return located([&] {
          Holder h;
          return wrap(runStarts(arrayIn(line.ptr(), h), joinsNans));
        });
      },
      py11::arg("line"), py11::arg("joins_nans") = false);
  m.def("count_true", [](py11::object mask) {
    return located([&] {
      Holder h;
      return wrap(countTrue(arrayIn(mask.ptr(), h)));
    });
  });
  m.def("ravel_indices", [](py11::tuple indices, py11::object sizes) {
    return located([&] {
      std::vector<Array> arrays;
      for (auto item : indices) arrays.push_back(kiln::py::asArray(item.ptr(), std::nullopt, -1));
      return wrap(ravelIndices(arrays, kiln::py::toDims("ravel_multi_index", sizes.ptr())));
    });
  });
  m.def("dynamic_slice", [](py11::object x, py11::object starts, py11::object sizes) {
    return located([&] {
      Holder a, b;
      return wrap(dynamicSlice(arrayIn(x.ptr(), a), arrayIn(starts.ptr(), b), kiln::py::toDims("dynamic_slice", sizes.ptr())));
    });
  });
  m.def("dynamic_update", [](py11::object x, py11::object value, py11::object starts) {
    return located([&] {
      Holder a, b, c;
      return wrap(dynamicUpdate(arrayIn(x.ptr(), a), arrayIn(value.ptr(), b), arrayIn(starts.ptr(), c)));
    });
  });
}

void defineReductions(py11::module_ &m) {
  using kiln::py::Holder, kiln::py::wrap;
  m.def("convolution", [](py11::object x, py11::object w, py11::object strides, py11::object low, py11::object high, py11::object dilation,
                          int64_t groups) {
    return located([&] {
      Holder a, b;
      auto dims = [](py11::object o) { return kiln::py::toDims("convolution", o.ptr()); };
      return wrap(convolution(arrayIn(x.ptr(), a), arrayIn(w.ptr(), b), dims(strides), dims(low), dims(high), dims(dilation), groups));
    });
  });
}

void defineExchange(py11::module_ &m) {
  using kiln::py::wrap;
  m.def("dlpack", [](py11::object x, bool isVersioned, bool copies, bool toHost, uint64_t queue) {
    return located([&] { return kiln::py::toDlpack(x.ptr(), {isVersioned, copies, toHost, queue}); });
  });
  m.def("dlpack_device", [](py11::object x) { return kiln::py::dlpackDevice(x.ptr()); });
  m.def("device_memory", [](py11::object x) { // address, strides in bytes, whether it can be written, queue; None of memory of the host
    return located([&]() -> PyObject * {
      const Array &a = arrayOf(x.ptr());
      Accelerator *on = deviceOf(a) ? deviceOf(a)->accelerator() : nullptr;
      if (!on || Mode::current()) Py_RETURN_NONE;
      a.storage->pinned = true; // shared from now on
      kiln::py::Object strides(PyTuple_New(a.shape.rank));
      for (int i = 0; i < a.shape.rank; ++i) PyTuple_SET_ITEM(strides.get(), i, PyLong_FromLongLong(a.strides[i] * byteSize(a.dtype)));
      return Py_BuildValue("(KOOK)", static_cast<unsigned long long>(uintptr_t(a.data())), strides.get(),
                           a.storage->isWritable ? Py_True : Py_False, static_cast<unsigned long long>(on->queue()));
    });
  });
  m.def("from_dlpack", [](py11::object x, bool copies) { return located([&] { return wrap(kiln::py::fromDlpack(x.ptr(), copies)); }); });
  m.def("bits_of", [](py11::object x) { // a view as unsigned integers of the same size
    return located([&] {
      Array bits = arrayOf(x.ptr());
      bits.dtype = byteSize(bits.dtype) == 2 ? DType::U16 : DType::U8;
      return wrap(std::move(bits));
    });
  });
  m.def("to_bytes", [](py11::object x) {
    return located([&] {
      Array whole = contiguous(leave(arrayOf(x.ptr()), "an array is serialized"));
      return PyBytes_FromStringAndSize(whole.data(), whole.size() * byteSize(whole.dtype));
    });
  });
  m.def("from_bytes", [](py11::bytes data, py11::object shape, py11::object dtype) {
    return located([&] {
      Array a = Array::empty(kiln::py::toDType(dtype.ptr()), kiln::py::toDims("from_bytes", shape.ptr()));
      std::string_view raw = data;
      if (int64_t(raw.size()) != a.size() * byteSize(a.dtype))
        fail(ErrorKind::Value, "from_bytes", "size", std::to_string(a.size() * byteSize(a.dtype)) + " bytes", std::to_string(raw.size()));
      std::memcpy(a.data(), raw.data(), raw.size());
      return wrap(std::move(a));
    });
  });
  m.def("to_dtype", [](py11::object o) { return located([&] { return kiln::py::fromDType(kiln::py::toDType(o.ptr())); }); });
  m.def("shares_memory", [](py11::object x, py11::object y) { return arrayOf(x.ptr()).storage.get() == arrayOf(y.ptr()).storage.get(); });
}

/// Goes on under the interpreter's lock. Where Python ends meanwhile it ends other threads by unwinding them, which would drop objects
/// without the lock and meet destructors that may not throw: such a thread stays here until the process is gone.
void takeLockBack(void *state) {
  try {
    PyEval_RestoreThread(static_cast<PyThreadState *>(state));
  } catch (...) {
    for (;;) pause();
  }
}

void definePythonSide(py11::module_ &m) {
  m.def("ufunc", [](py11::object function, py11::object form, py11::dict attributes) {
    return located([&] { return kiln::py::makeUfunc(function.ptr(), form.ptr(), attributes.ptr()); });
  });
  m.def("set_python_side", [](py11::dict d) {
    auto &side = kiln::py::side();
    auto take = [&](const char *name) { return Py_NewRef(d[name].ptr()); };
    side.raise = take("raise");
    side.repr = take("repr");
    side.leave = take("leave");
    side.note = take("note");
    side.where = take("where");
    side.log = take("log");
    side.lineOf = take("line_of");
    side.sourceOf = take("source_of");
    side.form = take("form");
    side.flatten = take("flatten");
    side.takeResult = take("take_result");
    side.makeResult = take("make_result");
    side.opFunction = take("op_function");
    side.dtypeClass = take("dtype_class");
    side.thingClasses = take("thing_classes");
    py11::tuple dtypes = d["dtypes"];
    for (int i = 0; i < kNumDTypes; ++i) side.dtypes[i] = Py_NewRef(py11::object(dtypes[size_t(i)]).ptr());
    kiln::py::package() = {d["folder"].cast<std::string>(),
                           d["standard_library"].cast<std::string>(),
                           reinterpret_cast<PyTypeObject *>(take("partial")),
                           take("kind_of"),
                           kiln::py::functionOf,
                           kiln::py::arrayOfNumber,
                           kiln::py::isNumPyNumber,
                           kiln::py::arrayIteratorOf,
                           take("print"),
                           take("operations"),
                           take("analyze")};
    setLibraryFolder(d["libraries"].cast<std::string>());
    located([]() -> PyObject * { // here, where an error of the environment can be raised, and not within a kernel
      threadCount();
      Py_RETURN_NONE;
    });
    longWork() = {[]() -> void * { return PyEval_SaveThread(); }, takeLockBack,
                  [] {
                    if (PyErr_CheckSignals()) throw kiln::py::PythonError();
                  },
                  [] { return PyThreadState_Next(PyInterpreterState_ThreadHead(PyInterpreterState_Get())) != nullptr; }};
  });
}

void defineDTypes(py11::module_ &m) {
  m.def("dtype_names", [] {
    std::vector<std::tuple<std::string, int, char>> names; // with NumPy's letter of the kind
    for (int i = 0; i < kNumDTypes; ++i) {
      DType t = DType(i);
      char kind = t == DType::Bool ? 'b' : isComplex(t) ? 'c' : isFloat(t) ? 'f' : info(t).isSigned ? 'i' : 'u';
      names.emplace_back(info(t).name, info(t).bytes, kind);
    }
    return names;
  });
  m.def("op_dtypes", [](py11::str op) {
    std::vector<std::string> names;
    for (int i = 0; i < kNumDTypes; ++i)
      if (accepts(info(kiln::py::opIn(op.ptr())).accepts, DType(i))) names.push_back(info(DType(i)).name);
    return names;
  });
  m.def("promote", [](py11::object a, py11::object b) {
    return located([&] {
      DType result, x = kiln::py::toDType(a.ptr()), y = kiln::py::toDType(b.ptr());
      if (!promoteArrays(x, y, result)) fail(ErrorKind::DType, "result_type", "dtypes have no common one", info(x).name, info(y).name);
      return kiln::py::fromDType(result);
    });
  });
  m.def("set_default_dtype", [](py11::object t) {
    return located([&]() -> PyObject * {
      DType dtype = kiln::py::toDType(t.ptr());
      if (dtype != DType::F32 && dtype != DType::F64)
        fail(ErrorKind::DType, "set_default_dtype", "dtype", "float32 or float64", info(dtype).name);
      setDefaultFloat(dtype);
      Py_RETURN_NONE;
    });
  });
  m.def("default_dtype", [] { return located([] { return kiln::py::fromDType(defaultFloat()); }); });
}

} // namespace

PYBIND11_MODULE(_core, m) {
  m.doc() = "The native part of Kiln.";
  if (!kiln::py::initArrayType(m.ptr()) || !kiln::py::initOpFunctions(m.ptr()) || !kiln::py::initJit(m.ptr()) ||
      !kiln::py::initCalls(m.ptr()) || !kiln::py::initFew(m.ptr()) || !kiln::py::initDraws(m.ptr()) || !kiln::py::initCounting(m.ptr()))
    throw py11::error_already_set();
  for (auto define : {defineConversions, defineShaping, definePositions, defineReductions, defineExchange, kiln::py::defineDevices,
                      definePythonSide, defineDTypes, kiln::py::definePrograms, kiln::py::defineProcess, kiln::py::defineFrames,
                      kiln::py::defineCache, kiln::py::defineTransforms, kiln::py::definePackages, kiln::py::defineCustom})
    define(m);
  kiln::py::defineControl(m.ptr());
}
