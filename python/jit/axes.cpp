// Declared axes (dynamic=): which sizes of a call may be any, and the same call at other sizes.
#include "jit.h"

#include <algorithm>

namespace kiln::py {
namespace {

/// The argument that a declared axis names; null where the call leaves it out.
PyObject *argumentOf(const OpenAxis &axis, const Call &call) {
  if (axis.position >= 0 && size_t(axis.position) < call.nargs) return call.args[axis.position];
  for (Py_ssize_t i = 0; call.kwnames && i < PyTuple_GET_SIZE(call.kwnames); ++i)
    if (axis.argument == PyUnicode_AsUTF8(PyTuple_GET_ITEM(call.kwnames, i))) return call.args[call.nargs + size_t(i)];
  return nullptr;
}

std::string describe(const OpenAxis &axis) { return "dynamic: axis " + std::to_string(axis.axis) + " of argument '" + axis.argument + "'"; }

size_t leafOf(const Arguments &arguments, PyObject *argument) {
  return size_t(std::ranges::find(arguments.arrays, argument) - arguments.arrays.begin());
}

/// An array of another shape without memory: enough to record with.
Object shapeOnly(const Array &like, const Dims &shape) {
  Array a = like;
  a.shape = shape;
  if (a.isContiguous) a.strides = contiguousStrides(shape);
  a.storage = Storage::make({});
  a.storage->device = deviceOf(like);
  a.mark = {};
  a.view = nullptr;
  return Object(wrap(std::move(a)));
}

bool isShared(const Arguments &arguments, size_t leaf) {
  for (size_t i = 0; i < arguments.arrays.size(); ++i)
    if (i != leaf && arrayOf(arguments.arrays[i]).storage.get() == arrayOf(arguments.arrays[leaf]).storage.get()) return true;
  return false;
}

/// The text of the Python error that is set, which is cleared.
std::string takeErrorText() {
  PyObject *t, *v, *tb;
  PyErr_Fetch(&t, &v, &tb);
  Object type(t), value(v), trace(tb), text(v ? PyObject_Str(v) : nullptr);
  const char *utf8 = text ? PyUnicode_AsUTF8(text.get()) : nullptr;
  PyErr_Clear();
  return utf8 ? utf8 : "it raises an exception";
}

/// The size that a probe takes for each axis of an array.
Dims probeShape(const JitOptions &options, const Call &call, PyObject *argument, const Dims &given, ProbeSizes &sizes) {
  constexpr int64_t kAny = std::numeric_limits<int32_t>::max();
  Dims shape = given;
  if (options.dynamic == Dynamic::Everywhere)
    for (int i = 0; i < shape.rank; ++i)
      if (shape[i] >= 2) shape[i] = sizes.of("", shape[i], 0, kAny);
  for (const OpenAxis &axis : options.openAxes)
    if (argumentOf(axis, call) == argument && shape[axis.axis] >= 2)
      shape[axis.axis] = sizes.of(axis.name, shape[axis.axis], axis.low, axis.high);
  return shape;
}

} // namespace

void checkAxes(const JitOptions &options, const Call &call, const Arguments &arguments) {
  std::vector<std::pair<const OpenAxis *, int64_t>> sizes;
  for (const OpenAxis &axis : options.openAxes) {
    PyObject *argument = argumentOf(axis, call);
    if (!argument) continue;
    size_t leaf = leafOf(arguments, argument);
    if (leaf == arguments.arrays.size())
      throw Error(ErrorKind::Trace, describe(axis) + ": expected an array, got " + Py_TYPE(argument)->tp_name);
    const Dims &shape = arrayOf(arguments.arrays[leaf]).shape;
    if (axis.axis >= shape.rank)
      throw Error(ErrorKind::Shape,
                  describe(axis) + ": expected at least " + std::to_string(axis.axis + 1) + " axes, got shape " + toString(shape));
    int64_t size = shape[axis.axis];
    if (size < axis.low || size > axis.high)
      throw Error(ErrorKind::Shape, describe(axis) + ": expected a size from " + std::to_string(axis.low) + " to " +
                                        std::to_string(axis.high) + ", got " + std::to_string(size));
    for (auto &[other, known] : sizes)
      if (other->name == axis.name && known != size)
        throw Error(ErrorKind::Shape, describe(axis) + ": expected size " + std::to_string(known) + " as that of axis " +
                                          std::to_string(other->axis) + " of '" + other->argument + "', both named '" + axis.name +
                                          "', got " + std::to_string(size));
    sizes.emplace_back(&axis, size);
  }
}

OpenAxes allowedAxes(const JitOptions &options, const Call &call, const Arguments &arguments, std::span<const int> inputs) {
  OpenAxes allowed(inputs.size());
  for (const OpenAxis &axis : options.openAxes) {
    PyObject *argument = argumentOf(axis, call);
    if (!argument) continue;
    auto input = std::ranges::find(inputs, int(leafOf(arguments, argument)));
    if (input != inputs.end()) allowed[size_t(input - inputs.begin())] |= 1u << axis.axis;
  }
  return allowed;
}

std::optional<Trace> probeSizes(JitState &state, const Call &call, const Arguments &arguments, std::string &why) {
  std::vector<PyObject *> args(call.args, call.args + call.count());
  std::vector<Object> held;
  ProbeSizes sizes;
  for (PyObject *&argument : args) {
    size_t leaf = leafOf(arguments, argument);
    if (leaf == arguments.arrays.size() || isShared(arguments, leaf)) continue;
    const Array &array = arrayOf(argument);
    Dims shape = probeShape(state.options, call, argument, array.shape, sizes);
    if (shape == array.shape) continue;
    held.push_back(shapeOnly(array, shape));
    argument = held.back().get();
  }
  if (held.empty()) return std::nullopt;
  Arguments other;
  Call probe{call.function, args.data(), call.nargs, call.kwnames};
  try {
    other.read(state.options.parameters, probe);
    return *recordAbstract(state, probe, other, "dynamic")->root().step->segment.trace;
  } catch (const PythonError &) { why = takeErrorText(); } catch (const Error &error) {
    why = error.what();
  }
  return std::nullopt;
}

} // namespace kiln::py
