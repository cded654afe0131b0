// Recording a call into an entry, and running entries.
#include "jit.h"

#include "frontend/Eager.h"
#include "frontend/Replay.h"
#include "lib/Library/Threads.h"
#include "lib/Runtime/Memory.h"

#include <unistd.h>

namespace kiln::py {
namespace {

/// The Python state that a function reads, as the analysis of its code says; sorted into guards and captured arrays.
std::string addReads(PyObject *function, Entry &entry, const Signature &s, std::vector<PyObject *> &captured) {
  Object classes(check(PyList_New(0))); // of the arguments that are containers: their attributes are read
  for (PyObject *o : s.objects)
    if (PyType_Check(o) && PyList_Append(classes.get(), o)) throw PythonError();
  Object reads(check(PyObject_CallFunctionObjArgs(side().analyze, function, classes.get(), nullptr)));
  PyObject *places = PyTuple_GET_ITEM(reads.get(), 0), *why = PyTuple_GET_ITEM(reads.get(), 1);
  if (why != Py_None) return PyUnicode_AsUTF8(why);
  for (Py_ssize_t i = 0; i < PyList_GET_SIZE(places); ++i) {
    PyObject *pair = PyList_GET_ITEM(places, i);
    Place place{Object::borrow(PyTuple_GET_ITEM(pair, 0)), {}};
    if (PyTuple_GET_ITEM(pair, 1) != Py_None) place.key = Object::borrow(PyTuple_GET_ITEM(pair, 1));
    PyObject *value = place.read();
    if (!value || !isArray(value)) { // an absent name is watched to stay absent
      entry.guards.push_back({place, Object::borrow(value)});
      continue;
    }
    const Array &a = arrayOf(value);
    Captured c{place, a.type(), a.isContiguous};
    for (size_t k = 0; k < s.arrays.size() + captured.size() && c.alias < 0; ++k) {
      PyObject *other = k < s.arrays.size() ? s.arrays[k] : captured[k - s.arrays.size()];
      if (arrayOf(other).storage.get() == a.storage.get()) c.alias = int(k);
    }
    entry.captured.push_back(c);
    captured.push_back(value);
  }
  return "";
}

/// Turns the value that a recorded function returned into a template.
class ResultReader {
public:
  ResultReader(Recorder &r, Entry &entry, const Signature &s, const std::vector<PyObject *> &captured)
      : r(r), entry(entry), s(s), captured(captured) {}

  Output read(PyObject *value) {
    Output out;
    if (isArray(value)) return readArray(value);
    if (PyTuple_Check(value) || PyList_CheckExact(value)) {
      bool isTuple = PyTuple_Check(value);
      out.kind = isTuple ? Output::Tuple : Output::List;
      if (isTuple && !PyTuple_CheckExact(value)) out.object = Object::borrow(reinterpret_cast<PyObject *>(Py_TYPE(value)));
      Py_ssize_t n = PySequence_Fast_GET_SIZE(value);
      for (Py_ssize_t i = 0; i < n; ++i) out.children.push_back(read(PySequence_Fast_GET_ITEM(value, i)));
      return out;
    }
    if (PyDict_CheckExact(value)) {
      out.kind = Output::Dict;
      out.object = Object(check(PyDict_Keys(value)));
      for (Py_ssize_t i = 0; i < PyList_GET_SIZE(out.object.get()); ++i)
        out.children.push_back(read(PyDict_GetItem(value, PyList_GET_ITEM(out.object.get(), i))));
      return out;
    }
    Object parts(check(PyObject_CallOneArg(side().flatten, value)));
    if (parts.get() != Py_None) {
      out.kind = Output::Node;
      PyObject *children = PyTuple_GET_ITEM(parts.get(), 0);
      out.object = Object(check(PyTuple_Pack(2, Py_TYPE(value), PyTuple_GET_ITEM(parts.get(), 1))));
      for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(children); ++i) out.children.push_back(read(PyTuple_GET_ITEM(children, i)));
      return out;
    }
    bool isPlain = value == Py_None || PyBool_Check(value) || PyLong_CheckExact(value) || PyFloat_CheckExact(value) ||
                   PyUnicode_CheckExact(value) || PyComplex_CheckExact(value);
    if (!isPlain)
      throw Error(ErrorKind::Trace, std::string("result of a jitted function: expected arrays, numbers, strings, None, or dicts, lists, "
                                                "tuples and dataclasses of them, got ") +
                                        Py_TYPE(value)->tp_name);
    out.object = Object::borrow(value);
    return out;
  }

private:
  Recorder &r;
  Entry &entry;
  const Signature &s;
  const std::vector<PyObject *> &captured;
  std::vector<const Storage *> stored;

  Output readArray(PyObject *value) {
    Output out;
    const Array &a = arrayOf(value);
    auto find = [&](const std::vector<PyObject *> &list, Output::Kind kind) {
      for (size_t i = 0; i < list.size() && out.kind == Output::Constant; ++i)
        if (list[i] == value) out.kind = kind, out.index = int(i);
    };
    find(s.arrays, Output::Argument);
    find(captured, Output::CapturedArray);
    if (out.kind != Output::Constant) return out;
    r.slotOf(a); // belongs to this recording, or leaves
    out.dtype = a.dtype;
    out.offset = a.offset;
    out.shape = a.shape;
    out.strides = a.strides;
    if (const InputPlace *place = r.placeOf(a.storage.get())) {
      const Array &base = arrayOf(place->kind == InputPlace::Argument ? s.arrays[size_t(place->number)] : captured[size_t(place->number)]);
      if (!base.isContiguous) r.leave("a view of an argument with strides is returned");
      out.kind = Output::View;
      out.index =
          int(std::find_if(r.inputs.begin(), r.inputs.end(), [&](auto &p) { return p.kind == place->kind && p.number == place->number; }) -
              r.inputs.begin());
      out.offset -= base.offset;
      return out;
    }
    out.kind = Output::New;
    for (size_t i = 0; i < stored.size(); ++i)
      if (stored[i] == a.storage.get()) return out.index = int(i), out;
    out.index = int(stored.size());
    stored.push_back(a.storage.get());
    int64_t slot = r.cellSlot(a.storage.get());
    r.trace.outputs.push_back(slot);
    entry.stored.push_back(r.trace.types[size_t(slot)]);
    return out;
  }
};

bool hasArray(const Output &out) {
  if (out.kind == Output::Constant) return out.object.get() != Py_None;
  if (out.children.empty()) return true;
  for (const Output &c : out.children)
    if (hasArray(c)) return true;
  return false;
}

/// Arrays of a recording that something outside still holds when it is over.
void checkLeaks(Recorder &r) {
  if (!r.liveArrays()) return;
  PyGC_Collect(); // cycles hold nothing
  int64_t slot = r.firstLive();
  if (slot < 0) return;
  Location at = r.locations[size_t(slot)];
  Object exception(check(PyObject_CallFunction(side().leaked, "Oi", at.code ? static_cast<PyObject *>(at.code) : Py_None, at.instruction)));
  PyErr_SetObject(reinterpret_cast<PyObject *>(Py_TYPE(exception.get())), exception.get());
  throw PythonError();
}

} // namespace

std::shared_ptr<Entry> recordEntry(const Call &call, const Signature &s) {
  auto entry = std::make_shared<Entry>();
  entry->words = s.words;
  for (PyObject *o : s.objects) entry->objects.push_back(Object::borrow(o));
  std::vector<PyObject *> captured;
  entry->eager = addReads(call.function, *entry, s, captured);
  if (!entry->eager.empty()) return entry;

  Recorder r;
  r.locate = currentLocation;
  r.describe = currentPlace;
  Object result;
  auto leaves = [&] { // the recording is of no use: the call runs in eager
    PyErr_Clear();
    entry->eager = r.left;
    return std::move(entry);
  };
  try {
    for (size_t i = 0; i < s.arrays.size(); ++i) r.addInput(arrayOf(s.arrays[i]), {InputPlace::Argument, int64_t(i)});
    for (size_t i = 0; i < captured.size(); ++i) r.addInput(arrayOf(captured[i]), {InputPlace::Captured, int64_t(i)});
    result = Object(PyObject_Vectorcall(call.function, call.args, call.nargs, call.kwnames));
    if (!r.left.empty()) return leaves();
    if (!result) {
      if (r.commits().empty()) throw PythonError();
      r.left = "the call raises an exception after it has written into an array";
      return leaves(); // eager raises it again, with what was written before
    }
    ResultReader reader(r, *entry, s, captured);
    entry->result = reader.read(result.get());
    auto commits = r.commits();
    if (!hasArray(entry->result) && commits.empty())
      throw Error(ErrorKind::Trace, "jitted function: expected a result or a write into an array, got a function that returns nothing");
    for (auto &commit : commits) {
      entry->commits.push_back({commit.place, int(r.trace.outputs.size())});
      r.trace.outputs.push_back(commit.slot);
      entry->stored.push_back(r.trace.types[size_t(commit.slot)]);
    }
  } catch (const LeaveRecording &) { return leaves(); }
  result = Object();
  checkLeaks(r);
  for (const Location &l : r.locations) {
    auto *code = static_cast<PyObject *>(l.code);
    size_t at = 0;
    while (code && at < entry->codes.size() && entry->codes[at].get() != code) ++at;
    if (code && at == entry->codes.size()) entry->codes.push_back(Object::borrow(code));
    entry->places.emplace_back(code ? int32_t(at) : -1, l.instruction);
  }
  entry->inputs = r.inputs;
  auto trace = std::make_shared<const Trace>(std::move(r.trace));
  entry->types.assign(trace->types.begin(), trace->types.begin() + ptrdiff_t(entry->inputs.size()));
  entry->ops = trace->types.size() - entry->inputs.size();
  entry->trace = std::move(trace);
  return entry;
}

//===-- running -----------------------------------------------------------------------------------------------------===//

namespace {

PyObject *build(const Output &out, const Signature &s, const std::vector<PyObject *> &captured, const std::vector<InputPlace> &inputs,
                std::vector<Array> &made) {
  auto arrayAt = [&](const InputPlace &p) {
    return p.kind == InputPlace::Argument ? s.arrays[size_t(p.number)] : captured[size_t(p.number)];
  };
  switch (out.kind) {
  case Output::Constant: return Py_NewRef(out.object.get());
  case Output::Argument: return Py_NewRef(s.arrays[size_t(out.index)]);
  case Output::CapturedArray: return Py_NewRef(captured[size_t(out.index)]);
  case Output::New:
  case Output::View: {
    Array a = out.kind == Output::New ? made[size_t(out.index)] : arrayOf(arrayAt(inputs[size_t(out.index)]));
    a.offset += out.offset;
    a.shape = out.shape;
    a.strides = out.strides;
    a.dtype = out.dtype;
    a.updateContiguous();
    return wrap(std::move(a));
  }
  case Output::Tuple: {
    Object tuple(check(PyTuple_New(Py_ssize_t(out.children.size()))));
    for (size_t i = 0; i < out.children.size(); ++i)
      PyTuple_SET_ITEM(tuple.get(), Py_ssize_t(i), build(out.children[i], s, captured, inputs, made));
    return out.object ? PyObject_Call(out.object.get(), tuple.get(), nullptr) : tuple.release();
  }
  case Output::Node: {
    Object children(check(PyTuple_New(Py_ssize_t(out.children.size()))));
    for (size_t i = 0; i < out.children.size(); ++i)
      PyTuple_SET_ITEM(children.get(), Py_ssize_t(i), check(build(out.children[i], s, captured, inputs, made)));
    PyObject *node = out.object.get();
    return PyObject_CallFunctionObjArgs(side().unflatten, PyTuple_GET_ITEM(node, 0), PyTuple_GET_ITEM(node, 1), children.get(), nullptr);
  }
  case Output::List: {
    Object list(check(PyList_New(Py_ssize_t(out.children.size()))));
    for (size_t i = 0; i < out.children.size(); ++i)
      PyList_SET_ITEM(list.get(), Py_ssize_t(i), build(out.children[i], s, captured, inputs, made));
    return list.release();
  }
  case Output::Dict: {
    Object dict(check(PyDict_New()));
    for (size_t i = 0; i < out.children.size(); ++i) {
      Object value(build(out.children[i], s, captured, inputs, made));
      if (PyDict_SetItem(dict.get(), PyList_GET_ITEM(out.object.get(), Py_ssize_t(i)), value.get())) throw PythonError();
    }
    return dict.release();
  }
  }
  return nullptr;
}

/// Writes that only eager does right: into memory that another input sees under another storage, whose reads have an order,
/// or into read-only memory, which is refused at the user's line before anything is written.
bool needsEagerWrites(const Entry &entry, const std::vector<Array *> &inputs) {
  auto range = [](const Array &a) {
    auto *data = static_cast<char *>(a.storage->value->data);
    return std::pair(data, data + a.storage->value->bytes);
  };
  for (auto &[place, output] : entry.commits)
    for (size_t i = 0; i < inputs.size(); ++i) {
      const Array *target = nullptr;
      for (size_t k = 0; k < inputs.size(); ++k)
        if (entry.inputs[k].kind == place.kind && entry.inputs[k].number == place.number) target = inputs[k];
      if (target && !target->storage->isWritable) return true;
      if (!target || inputs[i]->storage.get() == target->storage.get()) continue;
      auto [aLow, aHigh] = range(*target);
      auto [bLow, bHigh] = range(*inputs[i]);
      if (aLow < bHigh && bLow < aHigh) return true;
    }
  return false;
}

/// Puts new content into a cell from before the call.
void commit(Array &target, Array &content) {
  Storage &cell = *target.storage.get();
  bool isWhole = target.isContiguous && target.offset == 0 && cell.value->bytes == content.storage->value->bytes;
  if (!cell.pinned && isWhole) cell.value = content.storage->value;
  else eager::stridedCopy(target, {content.data(), content.dtype, content.strides});
}

constexpr int64_t kLongBytes = 256 << 10; // about 20 us of memory traffic

} // namespace

/// Asked during long programs: whether the handler of a signal has raised an exception. Python runs them in the main thread alone.
static bool pollSignals() {
  SetWorkspaceAside aside; // for what the handlers run
  PyGILState_STATE state = PyGILState_Ensure();
  bool isRaised = PyErr_CheckSignals() != 0;
  PyGILState_Release(state);
  return isRaised;
}

/// Runs a program; other threads of Python run meanwhile where it is long, and the caller keeps the entry.
static int32_t callProgram(const Entry &entry, void *const *buffers, const int64_t *dims, bool isLong) {
  const Executable &program = *entry.executable;
  void *workspace = entry.workspaceBytes ? threadWorkspace(entry.workspaceBytes) : nullptr;
  if (!isLong) return program.entry(runtimeTable(), buffers, dims, workspace);
  static thread_local const bool isMain = gettid() == getpid();
  int32_t status;
  bool isStopped = false;
  Py_BEGIN_ALLOW_THREADS if (isMain) {
    Interruptible interruptible(pollSignals);
    status = program.entry(runtimeTable(), buffers, dims, workspace);
    isStopped = interruptible.isStopped();
  }
  else status = program.entry(runtimeTable(), buffers, dims, workspace); Py_END_ALLOW_THREADS if (isStopped) throw PythonError();
  return status;
}

PyObject *runPlain(const Entry &entry, PyObject *const *args, bool &failedOnData) {
  // While other threads run, one may drop the entry, or put other memory into an argument's cell.
  std::shared_ptr<const Entry> keep = entry.plain.isLong ? entry.shared_from_this() : nullptr;
  Ref<Value> memory[16];
  for (size_t i = 0; entry.plain.isLong && i < entry.plain.arguments.size(); ++i) memory[i] = arrayOf(args[i]).storage->value;
  void *buffers[16 + 8 + 8];
  size_t count = 0;
  for (int i : entry.plain.inputs) buffers[count++] = arrayOf(args[i]).data();
  for (const int64_t &number : entry.values.numbers) buffers[count++] = const_cast<int64_t *>(&number);
  PyObject *results[8] = {};
  size_t outputs = entry.stored.size();
  struct Drop { // until they are handed over
    PyObject **results;
    size_t count;
    ~Drop() {
      for (size_t i = 0; i < count; ++i) Py_XDECREF(results[i]);
    }
  } drop{results, outputs};
  for (size_t i = 0; i < outputs; ++i) {
    results[i] = newArray(entry.stored[i], entry.plain.strides[i], entry.plain.bytes[i]);
    buffers[count++] = arrayOf(results[i]).storage->value->data;
  }
  if (callProgram(entry, buffers, entry.values.symbols.data(), entry.plain.isLong)) {
    failedOnData = true;
    return nullptr;
  }
  if (entry.result.kind != Output::Tuple) return std::exchange(results[0], nullptr);
  PyObject *tuple = check(PyTuple_New(Py_ssize_t(outputs)));
  for (size_t i = 0; i < outputs; ++i) PyTuple_SET_ITEM(tuple, Py_ssize_t(i), std::exchange(results[i], nullptr));
  return tuple;
}

/// Lists that are short as a rule.
template <typename T> class Short {
public:
  void push(T value) {
    if (count == kFew) many.assign(few, few + kFew);
    if (count++ < kFew) few[count - 1] = value;
    else many.push_back(value);
  }
  T *data() { return many.empty() ? few : many.data(); }

private:
  static constexpr size_t kFew = 32;
  T few[kFew];
  std::vector<T> many;
  size_t count = 0;
};

/// Runs the code of an entry into new arrays; its status.
static int32_t runCode(const Entry &entry, std::span<Array *const> inputs, std::vector<Array> &made) {
  Short<void *> buffers;
  Short<int64_t> dims;            // symbols, then strides
  std::vector<Ref<Value>> memory; // another thread may put other memory into a cell meanwhile
  int64_t bytes = 0;
  for (int64_t size : entry.values.symbols) dims.push(size);
  for (const Array *a : inputs) {
    buffers.push(a->data());
    memory.push_back(a->storage->value);
    bytes += a->size() * byteSize(a->dtype);
    if (!a->isContiguous)
      for (int64_t stride : a->strides) dims.push(stride);
  }
  for (const int64_t &number : entry.values.numbers) buffers.push(const_cast<int64_t *>(&number));
  made.reserve(entry.stored.size());
  for (const TensorType &type : entry.stored) {
    made.push_back(Array::empty(type.dtype, type.shape));
    buffers.push(made.back().data());
    bytes += made.back().size() * byteSize(type.dtype);
  }
  return callProgram(entry, buffers.data(), dims.data(), bytes >= kLongBytes);
}

/// Lets a Ctrl-C through between the operations of a replay.
static void checkSignals() {
  if (PyErr_CheckSignals()) throw PythonError();
}

/// Runs the recording of an entry through the eager kernels; false where an operation fails on data: eager tells where.
static bool replayTrace(const Entry &entry, std::span<Array *const> inputs, std::vector<Array> &made) {
  auto trace = entry.trace; // code may come meanwhile
  try {
    made = replay(*trace, {inputs.data(), inputs.size()}, checkSignals);
  } catch (const Error &e) {
    if (e.kind == ErrorKind::Memory) throw; // nothing is written yet, and eager would need more
    return false;
  }
  return true;
}

PyObject *runEntry(const Entry &entry, const Signature &s, bool &failedOnData) {
  auto keep = entry.shared_from_this(); // another thread, or Python code behind the run, may drop it
  std::vector<PyObject *> captured;
  auto fail = [&]() -> PyObject * {
    failedOnData = true;
    return nullptr;
  };
  if (!entry.captured.empty() && !findCaptured(entry, s, captured)) return fail();
  std::vector<Object> held; // what a container or a name holds alone, another thread may take out of it
  for (PyObject *array : s.arrays) held.push_back(Object::borrow(array));
  for (PyObject *array : captured) held.push_back(Object::borrow(array));
  auto arrayAt = [&](const InputPlace &p) -> Array & {
    return arrayOf(p.kind == InputPlace::Argument ? s.arrays[size_t(p.number)] : captured[size_t(p.number)]);
  };
  std::vector<Array> made;
  if (!entry.stored.empty()) {
    std::vector<Array *> inputs;
    for (const InputPlace &p : entry.inputs) inputs.push_back(&arrayAt(p));
    if (needsEagerWrites(entry, inputs)) return fail();
    if (entry.executable ? runCode(entry, inputs, made) != 0 : !replayTrace(entry, inputs, made)) return fail();
    for (auto &[place, output] : entry.commits) commit(arrayAt(place), made[size_t(output)]);
  }
  return build(entry.result, s, captured, entry.inputs, made);
}

} // namespace kiln::py
