// Serialized programs: printed, packed and run.
#include "transforms.h"

#include "frontend/Accelerated.h"
#include "lib/Cache/Code.h"
#include "lib/Core/Program.h"
#include "lib/Library/Threads.h"
#include "lib/Runtime/Memory.h"

#include <pybind11/stl.h>

namespace py11 = pybind11;

namespace kiln::py {

namespace {

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

/// Runs a serialized program of row-major inputs by `run(program, inputs, outputs, and how many there are)`.
template <typename Run> py11::object runWords(py11::bytes words, py11::tuple inputs, const Run &run) {
  return located([&]() -> PyObject * {
    std::vector<int64_t> program = toWords(words);
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
    for (size_t i = 0; i < to.size(); ++i) PyTuple_SET_ITEM(results, Py_ssize_t(i), wrap(held[count + i]));
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

} // namespace

void definePrograms(py11::module_ &m) {
  m.def(
      "print_ir",
      [](py11::bytes words, const std::string &stage, const std::string &device) {
        return located([&]() -> PyObject * {
          std::vector<int64_t> list = toWords(words);
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
      std::vector<int64_t> list = toWords(words);
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
      Trace trace = Trace::parse(toWords(words));
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

} // namespace kiln::py
