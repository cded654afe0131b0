// Calls of row-major arrays alone, which need no key: compared with the entry used last (jit.cpp), and run here.
#include "jit.h"

#include "frontend/OpsShared.h"
#include "frontend/tree/HotPath.h"
#include "lib/Runtime/Memory.h"

#include <cstring>

namespace kiln::py {

static PyObject *callView(const Tree &entry, PyObject *const *args) {
  const Template &t = entry.root().ending->result;
  return wrap(t.arrayOf(arrayOf(args[t.index])));
}

static PyObject *callShort(const Tree &entry, PyObject *const *args) {
  const PlainCall &plain = entry.plain;
  const Segment &s = plain.step->segment;
  void *buffers[PlainCall::kMostArguments + PlainCall::kMostNumbers + 1], **next = buffers;
  for (int i : plain.inputs) *next++ = arrayOf(args[i]).data();
  for (const int64_t &number : s.values.numbers) *next++ = const_cast<int64_t *>(&number);
  PyObject *result = newArray(s.outputs[0], plain.strides[0], plain.bytes[0]);
  *next = arrayOf(result).storage->value->data;
  if (runEntry(s, buffers, s.values.symbols.data(), nullptr)) Py_CLEAR(result);
  return result;
}

static PyObject *callCode(Tree &entry, PyObject *const *args) {
  const PlainCall &plain = entry.plain;
  const Segment &s = plain.step->segment;
  // While other threads run, one may drop the entry, or put other memory into an argument's cell.
  std::shared_ptr<Tree> keep = longWork().pays(s.seconds) ? entry.shared_from_this() : nullptr;
  std::vector<Ref<Value>> memory;
  for (size_t i = 0; keep && i < plain.arguments.size(); ++i) memory.push_back(arrayOf(args[i]).storage->value);
  void *buffers[PlainCall::kMostArguments + PlainCall::kMostOutputs + PlainCall::kMostNumbers + PlainCall::kMostGuards];
  alignas(64) char answers[PlainCall::kMostGuards][64];
  size_t count = 0;
  for (int i : plain.inputs) buffers[count++] = arrayOf(args[i]).data();
  for (const int64_t &number : s.values.numbers) buffers[count++] = const_cast<int64_t *>(&number);
  PyObject *results[PlainCall::kMostOutputs] = {};
  for (size_t i = 0; i < plain.guards; ++i) buffers[count++] = answers[i];
  size_t outputs = plain.bytes.size();
  struct Drop { // until they are handed over
    PyObject **results;
    size_t count;
    ~Drop() {
      for (size_t i = 0; i < count; ++i) Py_XDECREF(results[i]);
    }
  } drop{results, outputs};
  for (size_t i = 0; i < outputs; ++i) {
    results[i] = newArray(s.outputs[plain.guards + i], plain.strides[i], plain.bytes[i]);
    buffers[count++] = arrayOf(results[i]).storage->value->data;
  }
  if (!keep) {
    void *workspace = s.workspaceBytes ? threadWorkspace(s.workspaceBytes) : nullptr;
    if (runEntry(s, buffers, s.values.symbols.data(), workspace)) return nullptr;
  } else {
    bool isStopped = false;
    int32_t status = callProgram(s, buffers, s.values.symbols.data(), runHooks(entry.isLong), isStopped);
    if (isStopped) throw PythonError();
    if (status) return nullptr;
  }
  for (size_t i = 0; i < plain.guards; ++i) {
    const std::string &expected = plain.hot->values[i];
    if (!std::memcmp(answers[i], expected.data(), expected.size())) continue;
    entry.isHotRefuted = true;
    return nullptr;
  }
  if (plain.hot) ++plain.hot->hits;
  if (!plain.isTuple) return std::exchange(results[0], nullptr);
  PyObject *tuple = check(PyTuple_New(Py_ssize_t(outputs)));
  for (size_t i = 0; i < outputs; ++i) PyTuple_SET_ITEM(tuple, Py_ssize_t(i), std::exchange(results[i], nullptr));
  return tuple;
}

static PyObject *callWrite(const Tree &entry, PyObject *const *args) {
  const PlainCall &plain = entry.plain;
  const Segment &s = plain.step->segment;
  auto ending = entry.root().ending;
  Array *arrays[PlainCall::kMostArguments];
  for (size_t i = 0; i < plain.arguments.size(); ++i) arrays[i] = &arrayOf(args[i]);
  std::span<Array *const> all(arrays, plain.arguments.size());
  for (const Array *a : all)
    if (!a->storage->value) a->failLeaked();
  for (const Commit &c : ending->commits) // where somebody else holds the memory, it stays as it is
    if (arrays[entry.entries[size_t(c.entry)]]->storage->value->refs.load(std::memory_order_acquire) != 1) return nullptr;
  if (longWork().pays(s.seconds) || writesNeedEager(entry, *ending, all)) return nullptr;
  void *buffers[PlainCall::kMostArguments + PlainCall::kMostNumbers + PlainCall::kMostOutputs], **next = buffers;
  for (int i : plain.inputs) *next++ = arrays[i]->data();
  for (const int64_t &number : s.values.numbers) *next++ = const_cast<int64_t *>(&number);
  for (size_t i = 0; i < s.outputs.size(); ++i) *next++ = buffers[s.executable->inPlace[i]];
  void *workspace = s.workspaceBytes ? threadWorkspace(s.workspaceBytes) : nullptr;
  if (runEntry(s, buffers, s.values.symbols.data(), workspace)) return nullptr;
  for (const Commit &c : ending->commits) arrays[entry.entries[size_t(c.entry)]]->storage->noteWrite();
  const Template &t = ending->result;
  return Py_NewRef(t.kind == Template::Input ? args[t.index] : static_cast<PyObject *>(t.object.get()));
}

static PyObject *callReplayed(Tree &entry, PyObject *const *args) {
  std::shared_ptr<Tree> keep = entry.shared_from_this(); // other threads run between operations
  const PlainCall &plain = entry.plain;
  const Array *inputs[PlainCall::kMostArguments], **next = inputs;
  for (int i : plain.inputs) *next++ = &arrayOf(args[i]);
  std::vector<Array> made;
  RunStatus status = runStep(*plain.step, {inputs, next}, runHooks(entry.isLong), made);
  if (status == RunStatus::Stopped) throw PythonError();
  if (status != RunStatus::Done) return nullptr;
  if (!plain.isTuple) return wrap(std::move(made[0]));
  Object tuple(check(PyTuple_New(Py_ssize_t(made.size()))));
  for (size_t i = 0; i < made.size(); ++i) PyTuple_SET_ITEM(tuple.get(), Py_ssize_t(i), check(wrap(std::move(made[i]))));
  return tuple.release();
}

PyObject *callPlain(Tree &entry, PyObject *const *args) {
  using Way = PlainCall::Way;
  switch (entry.plain.way) {
  case Way::View: return callView(entry, args);
  case Way::Write: return callWrite(entry, args);
  case Way::Replayed: return callReplayed(entry, args);
  case Way::Short:
    if (!longWork().pays(entry.plain.step->segment.seconds)) return callShort(entry, args);
    [[fallthrough]];
  default: return callCode(entry, args);
  }
}

} // namespace kiln::py
