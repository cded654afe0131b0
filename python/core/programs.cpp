// Which code a recording runs: of its own, or for any size, shared with other recordings of the function (lib/Core/Generalize.h).
#include "jit.h"

#include <algorithm>

namespace kiln::py {
namespace {

constexpr size_t kMostOpen = 8; // programs for any size of one function, and how many earlier recordings are compared

/// The argument that a declared axis names; null where the call leaves it out.
PyObject *argumentOf(const OpenAxis &axis, const Call &call) {
  if (axis.position >= 0 && size_t(axis.position) < call.nargs) return call.args[axis.position];
  for (Py_ssize_t i = 0; call.kwnames && i < PyTuple_GET_SIZE(call.kwnames); ++i)
    if (axis.argument == PyUnicode_AsUTF8(PyTuple_GET_ITEM(call.kwnames, i))) return call.args[call.nargs + size_t(i)];
  return nullptr;
}

std::string describe(const OpenAxis &axis) { return "dynamic: axis " + std::to_string(axis.axis) + " of argument '" + axis.argument + "'"; }

/// The inputs of a trace have numbers of leaves; this is the other way.
size_t inputOf(const Entry &entry, size_t leaf) {
  for (size_t i = 0; i < entry.inputs.size(); ++i)
    if (entry.inputs[i].kind == InputPlace::Argument && size_t(entry.inputs[i].number) == leaf) return i;
  return entry.inputs.size();
}

size_t leafOf(const Signature &s, PyObject *argument) {
  return size_t(std::find(s.arrays.begin(), s.arrays.end(), argument) - s.arrays.begin());
}

OpenAxes allowedAxes(const JitOptions &options, const Call &call, const Signature &s, const Entry &entry) {
  OpenAxes allowed(entry.inputs.size());
  for (const OpenAxis &axis : options.openAxes)
    if (PyObject *argument = argumentOf(axis, call))
      if (size_t input = inputOf(entry, leafOf(s, argument)); input < allowed.size()) allowed[input] |= 1u << axis.axis;
  return allowed;
}

/// Sizes for a second recording that shows what follows from which size: multiples, as programs divide sizes.
class ProbeSizes {
public:
  /// Another size for an axis of `size`; axes of one name, or without names of one size, get one.
  int64_t of(const std::string &name, int64_t size, int64_t low, int64_t high) {
    for (Known &k : known)
      if (k.name == name && k.size == size) return k.probe;
    int64_t multiple = 2;
    for (Known &k : known) multiple += k.size == size;
    int64_t probe = size * multiple;
    if (probe > high) probe = high != size ? high : std::max<int64_t>(low, 2);
    known.push_back({name, size, probe});
    return probe;
  }

private:
  struct Known {
    std::string name;
    int64_t size, probe;
  };
  std::vector<Known> known;
};

/// An array of another shape without memory: enough to record with.
Object shapeOnly(const Array &like, const Dims &shape) {
  Array a = like;
  a.shape = shape;
  if (a.isContiguous) a.strides = contiguousStrides(shape);
  a.storage = Storage::make({});
  return Object(wrap(std::move(a)));
}

bool isShared(const Signature &s, size_t leaf) {
  for (size_t i = 0; i < s.arrays.size(); ++i)
    if (i != leaf && arrayOf(s.arrays[i]).storage.get() == arrayOf(s.arrays[leaf]).storage.get()) return true;
  return false;
}

} // namespace

void Programs::check(const JitOptions &options, const Call &call, const Signature &s) const {
  std::vector<std::pair<const OpenAxis *, int64_t>> sizes;
  for (const OpenAxis &axis : options.openAxes) {
    PyObject *argument = argumentOf(axis, call);
    if (!argument) continue;
    size_t leaf = leafOf(s, argument);
    if (leaf == s.arrays.size()) throw Error(ErrorKind::Trace, describe(axis) + ": expected an array, got " + Py_TYPE(argument)->tp_name);
    const Dims &shape = arrayOf(s.arrays[leaf]).shape;
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

/// Records once more with other sizes; null where that cannot be, and why.
std::shared_ptr<Entry> Programs::probe(const JitOptions &options, const Call &call, const Signature &s, std::string &why) {
  size_t keywords = call.kwnames ? size_t(PyTuple_GET_SIZE(call.kwnames)) : 0;
  std::vector<PyObject *> args(call.args, call.args + call.nargs + keywords), converted;
  std::vector<Object> held;
  ProbeSizes sizes;
  for (PyObject *&argument : args) {
    size_t leaf = leafOf(s, argument);
    if (leaf == s.arrays.size() || isShared(s, leaf)) continue;
    const Array &array = arrayOf(argument);
    Dims shape = array.shape;
    constexpr int64_t kAny = std::numeric_limits<int32_t>::max();
    if (options.dynamic == JitOptions::Everywhere)
      for (int i = 0; i < shape.rank; ++i)
        if (shape[i] >= 2) shape[i] = sizes.of("", shape[i], 0, kAny);
    for (const OpenAxis &axis : options.openAxes)
      if (argumentOf(axis, call) == argument && shape[axis.axis] >= 2)
        shape[axis.axis] = sizes.of(axis.name, shape[axis.axis], axis.low, axis.high);
    if (shape == array.shape) continue;
    held.push_back(shapeOnly(array, shape));
    argument = held.back().get();
  }
  if (held.empty()) return nullptr;
  Signature other;
  readArguments(options, args.data(), call.nargs, call.kwnames, other, converted);
  try {
    auto entry = recordEntry({call.function, args.data(), call.nargs, call.kwnames}, other);
    if (entry->eager.empty()) return entry;
    why = entry->eager;
  } catch (const PythonError &) {
    Object type, value, trace;
    PyObject *t, *v, *tb;
    PyErr_Fetch(&t, &v, &tb);
    type = Object(t), value = Object(v), trace = Object(tb);
    Object text(value ? PyObject_Str(value.get()) : nullptr);
    const char *utf8 = text ? PyUnicode_AsUTF8(text.get()) : nullptr;
    why = utf8 ? utf8 : "it raises an exception";
    PyErr_Clear();
  } catch (const Error &error) { why = error.what(); }
  return nullptr;
}

bool Programs::share(Entry &entry, const std::shared_ptr<Code> &program) {
  auto values = instantiate(program->trace, *entry.trace);
  if (!values) return false;
  entry.values = std::move(*values);
  entry.code = program;
  return true;
}

/// A program that has `entry` and `with`, the trace of `other`, as instances.
bool Programs::widen(const OpenAxes *allowed, Entry &entry, const Trace &with, Entry *other) {
  Difference difference;
  auto trace = generalize(with, *entry.trace, &difference, allowed);
  if (!trace || !trace->isOpen()) {
    entry.apart = difference.why;
    return false;
  }
  auto program = std::make_shared<Code>(std::move(*trace));
  if (!share(entry, program)) return false;
  // Code of its own that nobody has asked for yet is not worth compiling any more.
  if (other && other->code->state == Code::Recorded) {
    program->replays = other->code->replays;
    share(*other, program);
  }
  std::erase_if(open, [&](auto &known) { return &known->trace == &with; });
  open.push_back(std::move(program));
  entry.apart.clear();
  return true;
}

void Programs::choose(const JitOptions &options, const Call &call, const Signature &s, Entry &entry,
                      std::span<const std::shared_ptr<Entry>> earlier) {
  if (entry.trace->outputs.empty()) return;
  bool mayShare = options.dynamic != JitOptions::Never;
  if (mayShare)
    for (auto &program : open)
      if (share(entry, program)) return;
  OpenAxes allowed = allowedAxes(options, call, s, entry);
  const OpenAxes *limit = options.dynamic == JitOptions::Declared ? &allowed : nullptr;
  if (mayShare && open.size() < kMostOpen) {
    for (auto &program : std::vector(open))
      if (widen(limit, entry, program->trace, nullptr)) return;
    size_t compared = 0;
    for (auto other = earlier.rbegin(); other != earlier.rend() && compared < kMostOpen; ++other) {
      Entry &known = **other;
      if (!known.eager.empty() || !known.code || known.isOpen()) continue;
      if (known.trace->words == entry.trace->words && known.trace->outputs == entry.trace->outputs) {
        entry.code = known.code; // the arguments differ in what the program does not see
        return;
      }
      ++compared;
      if (widen(limit, entry, *known.trace, &known)) return;
    }
  }
  bool isFirst = options.dynamic >= JitOptions::Everywhere && open.empty();
  if (isFirst) {
    std::string why;
    auto other = probe(options, call, s, why);
    if (other && widen(limit, entry, *other->trace, nullptr)) return;
    if (why.empty()) why = entry.apart;
    if (options.dynamic == JitOptions::Declared && !why.empty())
      throw Error(ErrorKind::Trace, "dynamic: expected a function whose recordings differ in sizes alone, got at another size: " + why);
  }
  entry.code = std::make_shared<Code>(*entry.trace);
  entry.trace = {entry.code, &entry.code->trace};
}

} // namespace kiln::py
