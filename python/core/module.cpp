// The module kiln._core: pybind11 around what is not on the hot path.
#include "control.h"
#include "core.h"
#include "elements.h"
#include "transforms.h"

#include "frontend/Accelerated.h"
#include "frontend/frames/Check.h"
#include "frontend/frames/Values.h"
#include "lib/Cache/Cache.h"
#include "lib/Cache/CacheEntry.h"
#include "lib/Cache/Code.h"
#include "lib/Core/Infer.h"
#include "lib/Core/Program.h"
#include "lib/Library/Threads.h"
#include "lib/Runtime/Memory.h"

#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <cstring>
#include <unistd.h>
#include <unordered_map>

namespace py11 = pybind11;
using namespace kiln;
using kiln::py::arrayOf, kiln::py::located;

namespace {

const Array &require(const char *op, py11::handle h, kiln::py::Holder &holder) {
  if (kiln::py::isArray(h.ptr())) return arrayOf(h.ptr());
  holder.array = kiln::py::asOperand(h.ptr());
  return *holder.array;
}

/// The device of a name. Throws Error (device) where there is none.
Device *deviceNamed(py11::handle name) {
  if (py11::isinstance<py11::str>(name)) return findDevice(name.cast<std::string>());
  fail(ErrorKind::Device, "device", "name", "a str, as 'cpu'", py11::repr(name).cast<std::string>());
}
Device *deviceOr(py11::handle name, Device *otherwise) { return name.is_none() ? otherwise : deviceNamed(name); }

Op opNamed(const std::string &name) {
  if (auto found = findOp(name)) return *found;
  throw Error(ErrorKind::Value, "op: expected the name of one, got '" + name + "'");
}

} // namespace

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
  m.def("run_starts", [](py11::object line) {
    return located([&] {
      Holder h;
      return wrap(runStarts(require("unique", line, h)));
    });
  });
  m.def("count_true", [](py11::object mask) {
    return located([&] {
      Holder h;
      return wrap(countTrue(require("count_nonzero", mask, h)));
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
      return wrap(dynamicSlice(require("dynamic_slice", x, a), require("dynamic_slice", starts, b),
                               kiln::py::toDims("dynamic_slice", sizes.ptr())));
    });
  });
  m.def("dynamic_update", [](py11::object x, py11::object value, py11::object starts) {
    return located([&] {
      Holder a, b, c;
      return wrap(
          dynamicUpdate(require("dynamic_update", x, a), require("dynamic_update", value, b), require("dynamic_update", starts, c)));
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
      return wrap(convolution(require("convolution", x, a), require("convolution", w, b), dims(strides), dims(low), dims(high),
                              dims(dilation), groups));
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

void defineDevices(py11::module_ &m) {
  using kiln::py::wrap;
  addAccelerators();
  m.def("tell_of_host", [](py11::object tell) { // of operations that a device has no kernels for
    static PyObject *kept = nullptr;
    Py_XDECREF(std::exchange(kept, tell.release().ptr()));
    tellOfHost = [](const std::string &text) { kiln::py::Object said(kiln::py::check(PyObject_CallFunction(kept, "s", text.c_str()))); };
  });
  m.def("device_stats", [](const std::string &name) { // used and held bytes; None where nothing was asked of a device, or it does not count
    return located([&]() -> PyObject * {
      Device *device = findDevice(name);
      if (!device || !device->accelerator() || !device->accelerator()->isOpen()) Py_RETURN_NONE;
      Accelerator::Memory memory = device->accelerator()->memory();
      return Py_BuildValue("(LL)", static_cast<long long>(memory.used), static_cast<long long>(memory.held));
    });
  });
  m.def("describe_device", [](const std::string &name) {
    return located([&]() -> PyObject * {
      Device *device = findDevice(name);
      if (!device || !device->accelerator()) Py_RETURN_NONE;
      return PyUnicode_FromString(device->accelerator()->describe().c_str());
    });
  });
  m.def("synchronize", [](const std::string &name) {
    return located([&]() -> PyObject * {
      Device *device = findDevice(name);
      if (device && device->accelerator()) {
        py11::gil_scoped_release released;
        device->accelerator()->synchronize();
      }
      Py_RETURN_NONE;
    });
  });
  m.def("devices", deviceNames);
  m.def("find_device", [](py11::object name) { return located([&] { return PyUnicode_FromString(nameOf(deviceNamed(name)).c_str()); }); });
  m.def("default_device", [] { return nameOf(defaultDevice()); });
  m.def("set_default_device", [](py11::object name) {
    return located([&]() -> PyObject * {
      DefaultDevice::set(deviceNamed(name));
      Py_RETURN_NONE;
    });
  });
  m.def("scope_device", [](py11::object name) { // of this thread; None: it has none of its own. The one before
    return located([&]() -> PyObject * {
      auto before = DefaultDevice::enter({!name.is_none(), deviceOr(name, nullptr)});
      if (!before.isSet) Py_RETURN_NONE;
      return PyUnicode_FromString(nameOf(before.device).c_str());
    });
  });
  m.def("to_device", [](py11::object x, py11::object name) {
    return located([&]() -> PyObject * {
      Device *to = deviceNamed(name);
      return deviceOf(arrayOf(x.ptr())) == to ? Py_NewRef(x.ptr()) : wrap(toDevice(arrayOf(x.ptr()), to));
    });
  });
}

/// Runs a serialized program of row-major inputs by `run(program, inputs, outputs, and how many there are)`.
template <typename Run> py11::object runWords(py11::bytes words, py11::tuple inputs, const Run &run) {
  return located([&]() -> PyObject * {
    std::vector<int64_t> program = kiln::py::toWords(words);
    std::vector<Array> held;
    std::vector<const void *> from;
    std::vector<void *> to;
    for (auto item : inputs) held.push_back(contiguous(leave(arrayOf(item.ptr()), "a program is run")));
    size_t count = held.size();
    for (const TensorType &type : Trace::outputTypes(program)) held.push_back(Array::empty(type.dtype, type.shape.numbers()));
    for (size_t i = 0; i < held.size(); ++i)
      if (i < count) from.push_back(held[i].data());
      else to.push_back(held[i].data());
    run(program, from.data(), to.data(), from.size(), to.size());
    PyObject *results = PyTuple_New(Py_ssize_t(to.size()));
    for (size_t i = 0; i < to.size(); ++i) PyTuple_SET_ITEM(results, Py_ssize_t(i), kiln::py::wrap(held[count + i]));
    return results;
  });
}

void runCompiled(const std::vector<int64_t> &program, const void *const *from, void *const *to, size_t inputs, size_t outputs) {
  auto executable = getExecutable(program).executable;
  std::vector<void *> buffers;
  for (size_t i = 0; i < inputs; ++i) buffers.push_back(const_cast<void *>(from[i]));
  buffers.insert(buffers.end(), to, to + outputs);
  std::vector<size_t> sizes;
  for (const TensorType &type : Trace::outputTypes(program)) sizes.push_back(size_t(numElements(type.shape) * byteSize(type.dtype)));
  executable->keepInputs(buffers, inputs, sizes);
  size_t bytes = executable->workspaceBytes(nullptr);
  int32_t status = executable->entry(runtimeTable(), buffers.data(), nullptr, bytes ? threadWorkspace(bytes) : nullptr);
  if (status) throw Error(ErrorKind::Value, "run_program: expected operations that fit the values, got status " + std::to_string(status));
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
  m.def("op_dtypes", [](const std::string &op) {
    std::vector<std::string> names;
    for (int i = 0; i < kNumDTypes; ++i)
      if (accepts(info(opNamed(op)).accepts, DType(i))) names.push_back(info(DType(i)).name);
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

/// The accelerator that the inputs of a recording are on, beside those on the host; null where there is none, or more than one.
Device *acceleratorOf(const Trace &trace) {
  Device *found = nullptr;
  for (const std::string &name : trace.devices) {
    if (name == kHostDevice) continue;
    Device *device = findDevice(name);
    if ((found && found != device) || !device->accelerator()) return nullptr;
    found = device;
  }
  return found;
}

void definePrograms(py11::module_ &m) {
  m.def(
      "print_ir",
      [](py11::bytes words, const std::string &stage, const std::string &device) {
        return located([&]() -> PyObject * {
          std::vector<int64_t> list = kiln::py::toWords(words);
          Device *there = findDevice(device);
          if (Device *own = acceleratorOf(parseTrace(list))) {
            there = own;
            list = forAccelerator(parseTrace(list)).serialize();
          }
          CompileTarget target = there && there->accelerator() ? there->accelerator()->target() : CompileTarget();
          return PyUnicode_FromString(printIr(list, stage, target).c_str());
        });
      },
      py11::arg("words"), py11::arg("stage"), py11::arg("device") = "cpu");
  auto toBytes = [](const void *data, size_t size) { return PyBytes_FromStringAndSize(static_cast<const char *>(data), Py_ssize_t(size)); };
  m.def("pack_program", [toBytes](py11::bytes words) {
    return located([&] {
      std::vector<int64_t> list = kiln::py::toWords(words);
      std::vector<uint8_t> bytes = packProgram(parseTrace(list));
      return toBytes(bytes.data(), bytes.size());
    });
  });
  m.def("unpack_program", [toBytes](py11::bytes program) {
    return located([&] {
      std::string_view raw = program;
      std::vector<int64_t> words = unpackProgram({reinterpret_cast<const uint8_t *>(raw.data()), raw.size()}).serialize();
      return toBytes(words.data(), words.size() * 8);
    });
  });
  m.def("program_until", [toBytes](py11::bytes words, int64_t slot) { // with the value of one slot as its only result
    return located([&] {
      Trace trace = Trace::parse(kiln::py::toWords(words));
      trace.outputs = {slot};
      trace.replaces.clear();
      std::vector<int64_t> part = trace.serialize();
      return toBytes(part.data(), part.size() * 8);
    });
  });
  m.def("parse_ir", [toBytes](py11::bytes source) {
    return located([&] {
      std::vector<int64_t> words = parseIr(std::string_view(source));
      return toBytes(words.data(), words.size() * 8);
    });
  });
  m.def("interpret", [](py11::bytes words, py11::tuple inputs) {
    return runWords(words, inputs, [](const std::vector<int64_t> &program, const void *const *from, void *const *to, size_t, size_t) {
      interpret(program, from, to);
    });
  });
  m.def("run_program", [](py11::bytes words, py11::tuple inputs) { return runWords(words, inputs, runCompiled); });
}

void defineProcess(py11::module_ &m) {
  m.def("get_num_threads", [] { return threadCount(); });
  m.def("set_num_threads", [](py11::object count) {
    return located([&]() -> PyObject * {
      Dims one = kiln::py::toDims("set_num_threads", count.ptr());
      if (one.rank != 1) fail(ErrorKind::DType, "set_num_threads", "threads", "one number", toString(one));
      setThreadCount(int(std::clamp<int64_t>(one[0], -1, 2000)));
      kiln::py::nextConfigEpoch();
      Py_RETURN_NONE;
    });
  });
  m.def("memory_stats", [] {
    MemoryStats s = memoryStats();
    return py11::make_tuple(s.inUse, s.peak, s.kept, s.keptLimit, Executable::count());
  });
  m.def("release_kept", [] {
    releaseKept();
    for (Accelerator *a : accelerators())
      if (a->isOpen()) a->releaseHeld();
  });
  m.def("stop_compile_thread", stopCompileThread, py11::call_guard<py11::gil_scoped_release>());
  m.def("compiler_is_open", [] { return compilerIsOpen(); });
  m.def("build_id", [] { return std::string(kBuildId); });
  m.def("is_debugged", [] { return kiln::py::isDebugged(); });
  m.def("known_kinds", [] { // names, by number
    py11::list names;
#define KILN_KIND(name) names.append(#name);
    KILN_KNOWN(KILN_KIND)
#undef KILN_KIND
    return names;
  });
  m.def("frames", [] { // code and instruction of each, outwards
    py11::list list;
    for (auto frame = kiln::py::Frame::innermost(); frame; frame = frame.caller())
      list.append(py11::make_tuple(py11::handle(reinterpret_cast<PyObject *>(frame.code())), frame.instruction()));
    return list;
  });
}

/// What tests ask about frames.
void defineFrames(py11::module_ &m) {
  using namespace kiln::py;
  auto codeOf = [](py11::handle o) { return reinterpret_cast<PyCodeObject *>(o.ptr()); };
  m.def("hook_is_proven", isHookProven);
  m.def("check_frames", [=](py11::function call, py11::list codes) { // (instructions told, checked, what was not as expected, whole)
    FrameChecker checker;
    Hook hook(checker);
    for (py11::handle code : codes) hook.enter(codeOf(code));
    py11::object result = call();
    bool isWhole = hook.isWhole();
    hook.stop();
    return py11::make_tuple(checker.told, checker.checked, checker.failures, isWhole, result);
  });
  m.def("stack_depths", [=](py11::object code) { // offset and depth of each instruction; -1: no path leads there
    const CodeMap &map = CodeMap::of(codeOf(code));
    py11::list found;
    for (int offset : map.offsets()) found.append(py11::make_tuple(offset, map.at(offset).depth));
    return py11::make_tuple(map.isConsistent(), found);
  });
}

void defineCache(py11::module_ &m) {
  cacheConfig(); // reads the environment: what is wrong there is said at import
  m.def("cache_config", [] {
    auto c = cacheConfig();
    py11::tuple path(c.path.size());
    for (size_t i = 0; i < c.path.size(); ++i) path[i] = c.path[i];
    py11::dict d;
    d["cache"] = c.enabled, d["cache_dir"] = c.folder, d["cache_path"] = path, d["cache_limit"] = c.limit, d["dump_dir"] = c.dumpDir;
    return d;
  });
  m.def("set_cache_config", [](py11::dict d) {
    setCacheConfig({d["cache"].cast<bool>(), d["cache_dir"].cast<std::string>(), d["dump_dir"].cast<std::string>(),
                    d["cache_path"].cast<std::vector<std::string>>(), d["cache_limit"].cast<int64_t>()});
  });
  m.def("cache_folder", [] { return cacheFolder(); });
  m.def("inspect_entry", [](const std::string &path) {
    EntryState state = inspectEntry(path);
    return py11::make_tuple(state.isWhole, state.isCurrent);
  });
}

} // namespace

PYBIND11_MODULE(_core, m) {
  m.doc() = "The native part of Kiln.";
  if (!kiln::py::initArrayType(m.ptr()) || !kiln::py::initOpFunctions(m.ptr()) || !kiln::py::initJit(m.ptr()) ||
      !kiln::py::initCalls(m.ptr()) || !kiln::py::initFew(m.ptr()) || !kiln::py::initDraws(m.ptr()) || !kiln::py::initCounting(m.ptr()))
    throw py11::error_already_set();
  for (auto define : {defineConversions, defineShaping, definePositions, defineReductions, defineExchange, defineDevices, definePythonSide,
                      defineDTypes, definePrograms, defineProcess, defineFrames, defineCache, kiln::py::defineTransforms,
                      kiln::py::definePackages, kiln::py::defineCustom})
    define(m);
  kiln::py::defineControl(m.ptr());
}
