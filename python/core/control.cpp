// Bodies of loops and branches: recorded from functions of Python, and applied.
#include "control.h"
#include "core.h"

#include "frontend/Control.h"
#include "frontend/Debug.h"
#include "frontend/OpsShared.h"
#include "frontend/Transform.h"

#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

namespace py11 = pybind11;

namespace kiln::py {
namespace {

/// What a body gives for arrays of the given types. Nothing is computed; throws LeaveRecording where it asks for a value.
std::shared_ptr<RecordedBody> record(PyObject *function, py11::tuple examples) {
  bool isFollowed = Recorder::followed() || dynamic_cast<Transform *>(Mode::current());
  if (isFollowed && NanCheck::current()) throw LeaveRecording{"nans are looked for in each operation of a gradient"};
  Recorder recorder(Recorder::Abstract);
  recorder.isFollowed = isFollowed;
  Object arguments(check(PyTuple_New(Py_ssize_t(examples.size()))));
  for (size_t i = 0; i < examples.size(); ++i) {
    const Array &example = arrayOf(examples[i].ptr());
    Array input;
    input.dtype = example.dtype;
    input.shape = example.shape;
    input.strides = contiguousStrides(example.shape);
    input.storage = Storage::make({});
    input.storage->device = deviceOf(example);
    recorder.addInput(input);
    PyTuple_SET_ITEM(arguments.get(), Py_ssize_t(i), check(wrap(std::move(input))));
  }
  recorder.captureOthers();
  Object results(PyObject_CallObject(function, arguments.get()));
  bool isInterrupt = !results && !PyErr_ExceptionMatches(side().leave) && !PyErr_ExceptionMatches(PyExc_Exception);
  if (recorder.left.size() && !isInterrupt) {
    PyErr_Clear(); // also where the function caught it
    throw LeaveRecording{recorder.left};
  }
  if (!results) throw PythonError();
  for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(results.get()); ++i)
    recorder.trace.outputs.push_back(recorder.slotOf(arrayOf(PyTuple_GET_ITEM(results.get(), i))));
  return std::make_shared<RecordedBody>(
      RecordedBody{std::make_shared<const Trace>(std::move(recorder.trace)), std::move(recorder.captured)});
}

py11::tuple wrapAll(std::vector<Array> arrays) {
  py11::tuple result(arrays.size());
  for (size_t i = 0; i < arrays.size(); ++i) result[i] = py11::reinterpret_steal<py11::object>(check(wrap(std::move(arrays[i]))));
  return result;
}

/// The operations of a body, each applied here.
std::vector<Array> inlineBody(const RecordedBody &body, py11::tuple given) {
  std::vector<Array> inputs;
  for (auto item : given) inputs.push_back(arrayOf(item.ptr()));
  inputs.insert(inputs.end(), body.captured.begin(), body.captured.end());
  return applyTrace(*body.trace, inputs);
}

/// The results of an op that runs bodies: a loop on its carried values, a branch on the number of the body and what bodies take.
std::vector<Array> applyTo(Op op, std::vector<RecordedBody> bodies, py11::tuple given) {
  bool isBranch = op == Op::Branch;
  std::vector<Array> captured = alignBodies(bodies, given.size() - isBranch);
  std::vector<const Array *> operands;
  for (auto item : given) operands.push_back(&arrayOf(item.ptr()));
  for (const Array &a : captured) operands.push_back(&a);
  std::vector<std::shared_ptr<const Trace>> traces;
  std::vector<int64_t> words;
  if (isBranch) words.push_back(int64_t(bodies.size()));
  for (const RecordedBody &body : bodies) words.push_back(int64_t(traces.size())), traces.push_back(body.trace);
  return applyBodies(op, operands, words, traces);
}

template <typename Body> auto located(Body &&body) -> decltype(body()) {
  try {
    return body();
  } catch (const py11::error_already_set &) { throw; } catch (...) {
    setError();
    throw py11::error_already_set();
  }
}

} // namespace

void defineControl(PyObject *module) {
  auto m = py11::reinterpret_borrow<py11::module_>(module);
  py11::class_<RecordedBody, std::shared_ptr<RecordedBody>>(m, "Body", "A recorded body of a loop or branch.")
      .def_property_readonly("types", [](const RecordedBody &body) { // dtype and shape of each result
        py11::list types;
        for (int64_t output : body.trace->outputs) {
          const TensorType &type = body.trace->types[size_t(output)];
          py11::tuple shape(size_t(type.shape.rank));
          for (int i = 0; i < type.shape.rank; ++i) shape[size_t(i)] = type.shape[i].number();
          types.append(py11::make_tuple(py11::reinterpret_steal<py11::object>(fromDType(type.dtype)), shape));
        }
        return types;
      });
  m.def("record_body",
        [](py11::object function, py11::tuple examples) { return located([&] { return record(function.ptr(), examples); }); });
  m.def("inline_body",
        [](const RecordedBody &body, py11::tuple given) { return located([&] { return wrapAll(inlineBody(body, given)); }); });
  m.def("apply_trace", [](py11::bytes words, py11::tuple given) { // its results, each operation applied here
    return located([&] {
      RecordedBody body;
      body.trace = std::make_shared<const Trace>(Trace::parse(toWords(words)));
      return wrapAll(inlineBody(body, given));
    });
  });
  m.def("loop", [](const RecordedBody &condition, const RecordedBody &body, py11::tuple carried) {
    return located([&] { return wrapAll(applyTo(Op::Loop, {condition, body}, carried)); });
  });
  m.def("branch", [](py11::tuple bodies, py11::tuple given) {
    return located([&] {
      std::vector<RecordedBody> list;
      for (auto body : bodies) list.push_back(*body.cast<std::shared_ptr<RecordedBody>>());
      return wrapAll(applyTo(Op::Branch, std::move(list), given));
    });
  });
}

} // namespace kiln::py
