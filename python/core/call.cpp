// One call of a jitted function: its key, its tree, and the run.
#include "jit.h"
#include "results.h"

#include "frontend/OpsShared.h"
#include "lib/Library/Threads.h"
#include "lib/Runtime/Memory.h"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <unistd.h>

namespace kiln::py {

JitMode jitMode = JitMode::Auto;

namespace {

// A run that takes longer has its code compiled at once.
constexpr auto kLongRun = std::chrono::milliseconds(1);
using Clock = std::chrono::steady_clock;

//===-- hooks -------------------------------------------------------------------------------------------------------===//

/// Asked during long programs: whether the handler of a signal has raised an exception. Python runs them in the main thread alone.
bool pollSignals() {
  SetWorkspaceAside aside; // for what the handlers run
  PyGILState_STATE state = PyGILState_Ensure();
  bool isRaised = PyErr_CheckSignals() != 0;
  PyGILState_Release(state);
  return isRaised;
}

/// Lets a Ctrl-C through between the operations of the interpreter.
void checkSignals() {
  if (PyErr_CheckSignals()) throw PythonError();
}

/// The main thread of Python is the process's own, also in the child of a fork from another one, where that is the only thread.
RunHooks hooksOf(const Segment &segment) {
  bool isAsked = segment.isLong() && gettid() == getpid();
  return {isAsked ? pollSignals : nullptr, checkSignals};
}

//===-- finding -----------------------------------------------------------------------------------------------------===//

/// Whether a tree is the one of a call; the arrays that it reads by name are then behind the arguments.
bool fits(const Tree &entry, Arguments &arguments) {
  if (!(entry.key == arguments.key) || (entry.watched && !entry.watched->holds())) return false;
  if (entry.captured.empty()) return true;
  KeyBuilder &key = arguments.key;
  size_t words = key.words.size(), arrays = key.arrays.size();
  bool isSame = stateOf(entry).readArrays([&](PyObject *o) { arguments.addCaptured(o); }) &&
                key.words.size() - words == entry.captured.size() &&
                std::equal(entry.captured.begin(), entry.captured.end(), key.words.begin() + ptrdiff_t(words));
  if (!isSame) key.arrays.resize(arrays), arguments.arrays.resize(arrays);
  key.words.resize(words);
  return isSame;
}

//===-- recording ---------------------------------------------------------------------------------------------------===//

/// A recording of a call under way, and the tree that it becomes.
struct Recording {
  std::shared_ptr<Tree> entry = std::make_shared<Tree>();
  PythonState *state = nullptr;
  std::string why; // it cannot be used

  /// What the call reads, and its inputs.
  void start(PyObject *function, Arguments &arguments) {
    auto watched = std::make_unique<PythonState>();
    state = watched.get();
    entry->key = arguments.key.finish();
    entry->watched = std::move(watched);
    why = state->find(function, arguments.classes, arguments.values);
    size_t words = arguments.key.words.size();
    if (why.empty() && !state->readArrays([&](PyObject *o) { arguments.addCaptured(o); }))
      why = "an array is read by name that other code replaces";
    entry->captured.assign(arguments.key.words.begin() + ptrdiff_t(words), arguments.key.words.end());
    arguments.key.words.resize(words);
  }

  PyObject *call(Recorder &r, const Call &call) const {
    r.locate = currentLocation;
    r.describe = currentPlace;
    RecordedFrames frames(*state);
    return PyObject_Vectorcall(call.function, call.args, call.nargs, call.kwnames);
  }

  /// Takes the trace over; a result that cannot be built again is a reason.
  void take(Recorder &r, const Arguments &arguments, PyObject *result) {
    why = r.left;
    if (why.empty()) why = readResult(r, arguments, result, entry->root);
    if (why.size()) return;
    entry->notePlaces(r.locations);
  }
  void finish(Recorder &r) {
    keepWhatFails(r.trace);
    entry->root.segment = Segment(std::move(r.trace), std::move(r.places));
  }
};

/// Whether lists and dicts that the call was given are as they were.
bool isChanged(const JitOptions &options, const Call &call, const Arguments &before) {
  if (before.passed.empty()) return false;
  Arguments after;
  after.read(options.parameters, call);
  return after.why.size() || after.key.words != before.key.words || after.key.objects != before.key.objects ||
         !std::equal(after.arrays.begin(), after.arrays.end(), before.arrays.begin(),
                     before.arrays.begin() + ptrdiff_t(std::min(after.arrays.size(), before.arrays.size()))) ||
         after.passed != before.passed;
}

/// The arrays of a call as they are, in cells that the call does not write.
std::vector<Array> snapshot(const Arguments &arguments) {
  std::vector<Array> arrays;
  for (const Array *a : arguments.key.arrays) {
    bool isKept = !a->storage->pinned || !a->storage->isWritable; // a write goes elsewhere while this one holds the value
    arrays.push_back(isKept ? withOwnCell(*a) : copyOfMemory(*a));
  }
  return arrays;
}

/// Records a call while it runs as eager does; its result. The entry then says whether further calls can run otherwise.
Object recordCall(JitState &state, const Call &call, Arguments &arguments, Recording &recording, std::vector<Array> &given) {
  recording.start(state.function.get(), arguments);
  if (recording.why.size()) return Object(callEager(call));
  if (jitMode == JitMode::Sync) given = snapshot(arguments);
  Recorder r(Recorder::Computed);
  for (const Array *a : arguments.key.arrays) r.addInput(*a);
  std::vector<int32_t> held = countHolders(arguments);
  auto settings = [] { return std::tuple(defaultFloat(), configEpoch(), defaultDevice()); };
  auto before = settings();
  Object result(recording.call(r, call));
  if (!result) return result;
  recording.take(r, arguments, result.get());
  if (recording.why.empty() && settings() != before) recording.why = "a setting is changed by it";
  if (recording.why.empty()) recording.why = findKept(r, arguments, result.get(), held);
  if (recording.why.empty() && isChanged(state.options, call, arguments))
    recording.why = "a list or dict that the function was given is changed by it";
  if (recording.why.empty()) recording.finish(r);
  return result;
}

/// With KILN_JIT=sync the first result is that of the code, too: the call is run once more on what it was given. It has no effects in
/// Python, or it would run in eager, and what it writes it has written.
Object runCodeOnce(const Tree &entry, const Arguments &arguments, std::vector<Array> &given, Object result) {
  std::vector<Array *> arrays;
  for (Array &a : given) arrays.push_back(&a);
  std::vector<Array> made;
  bool isRight = entry.root.segment.executable && !writesNeedEager(entry.root, arguments.key.arrays);
  if (!isRight || run(entry.root, arrays, hooksOf(entry.root.segment), made) != RunStatus::Done) return result;
  return Object(check(buildResult(entry.root, arguments, made)));
}

/// A call of a key that is not known.
PyObject *callNew(JitState &state, const Call &call, Arguments &arguments) {
  state.misses++;
  if (!state.makeRoom()) return callEager(call);
  if (!state.options.openAxes.empty()) checkAxes(state.options, call, arguments);
  std::vector<Array> given; // as the call found them
  Recording recording;
  auto start = Clock::now();
  Object result = recordCall(state, call, arguments, recording, given);
  bool isLong = Clock::now() - start > kLongRun;
  if (!result) return nullptr;
  auto &entry = recording.entry;
  if (recording.why.empty())
    state.chooseCode(state.options.dynamic, allowedAxes(state.options, call, arguments, entry->root.inputs), *entry,
                     [&](std::string &why) { return probeSizes(state, call, arguments, why); });
  else entry->makeEager(recording.why);
  if (entry->isEager()) state.noteMiss(entry->root.why);
  if (!state.makeRoom()) return result.release(); // other threads have added trees meanwhile
  state.note(state.add(entry), "");
  if (entry->isEager()) return result.release();
  state.note(state.advance(*entry, jitMode, isLong), "");
  if (jitMode == JitMode::Sync) result = runCodeOnce(*entry, arguments, given, std::move(result));
  return result.release();
}

/// A call of a known key.
PyObject *callKnown(JitState &state, Tree &entry, const Call &call, const Arguments &arguments) {
  state.hits++, entry.hits++;
  if (entry.isEager()) return callEager(call);
  state.note(state.advance(entry, jitMode, false), "");
  auto start = Clock::now();
  bool isInterpreted = entry.root.segment.code && !entry.root.segment.executable;
  std::vector<Array> made;
  RunStatus status = run(entry.root, arguments.key.arrays, hooksOf(entry.root.segment), made);
  if (status == RunStatus::Stopped) throw PythonError();
  // Eager on the original arguments: the error, its line and what was written before it are eager's own.
  if (status == RunStatus::Eager) return callEager(call);
  if (isInterpreted && Clock::now() - start > kLongRun) compileLater(entry.root.segment.code);
  return buildResult(entry.root, arguments, made);
}

/// Whether calls of an entry need no key.
void findPlain(Tree &entry, const Arguments &arguments) {
  entry.plain.find(entry, arguments.key.arrays);
  void *recipe = entry.root.result.object.get();
  if (entry.plain.isTuple && recipe != &PyTuple_Type) entry.plain.usable = false;
}

/// What the call did to lists and dicts that were given in another form, also where it raised.
void giveBack(const Arguments &arguments, PyObject *result) {
  if (arguments.replaced.empty()) return;
  PyObject *type = nullptr, *value = nullptr, *trace = nullptr;
  if (!result) PyErr_Fetch(&type, &value, &trace);
  arguments.giveBack();
  if (!result) PyErr_Restore(type, value, trace);
}

int64_t epoch = 0;

} // namespace

int64_t configEpoch() { return epoch; }
void nextConfigEpoch() { ++epoch; }

PyObject *callEager(const Call &call) { return PyObject_Vectorcall(call.function, call.args, call.nargs, call.kwnames); }

[[gnu::noinline]] PyObject *callAny(JitState &state, const Call &call) {
  thread_local Arguments reused;
  thread_local bool isBusy = false;
  return guarded([&]() -> PyObject * {
    Arguments own;
    Arguments &arguments = isBusy ? own : reused; // a call inside a call, from eager code
    struct Busy {
      Arguments &arguments;
      bool before = isBusy;
      explicit Busy(Arguments &arguments) : arguments(arguments) { isBusy = true; }
      ~Busy() {
        arguments.clear();
        isBusy = before;
      }
    } busy(arguments);
    Object function = state.function; // while it runs, the jitted function may be dropped
    arguments.read(state.options.parameters, call);
    Call actual = arguments.calling(call);
    PyObject *result;
    if (arguments.why.size()) {
      state.misses++;
      state.noteMiss(arguments.why);
      result = callEager(actual);
    } else {
      auto entry = state.find([&](const Tree &tree) { return fits(tree, arguments); });
      if (entry && entry->root.segment.executable && !entry->plain.isKnown && !call.kwnames &&
          state.options.parameters.staticNumbers.empty())
        findPlain(*entry, arguments);
      result = entry ? callKnown(state, *entry, actual, arguments) : callNew(state, actual, arguments);
    }
    giveBack(arguments, result);
    return result;
  });
}

PyObject *callPlain(Tree &entry, PyObject *const *args) {
  const Segment &s = entry.root.segment;
  const PlainCall &plain = entry.plain;
  // While other threads run, one may drop the entry, or put other memory into an argument's cell.
  std::shared_ptr<Tree> keep = s.isLong() ? entry.shared_from_this() : nullptr;
  std::vector<Ref<Value>> memory;
  for (size_t i = 0; keep && i < plain.arguments.size(); ++i) memory.push_back(arrayOf(args[i]).storage->value);
  void *buffers[PlainCall::kMostArguments + PlainCall::kMostOutputs + PlainCall::kMostNumbers];
  size_t count = 0;
  for (int i : entry.root.inputs) buffers[count++] = arrayOf(args[i]).data();
  for (const int64_t &number : s.values.numbers) buffers[count++] = const_cast<int64_t *>(&number);
  PyObject *results[PlainCall::kMostOutputs] = {};
  size_t outputs = s.outputs.size();
  struct Drop { // until they are handed over
    PyObject **results;
    size_t count;
    ~Drop() {
      for (size_t i = 0; i < count; ++i) Py_XDECREF(results[i]);
    }
  } drop{results, outputs};
  for (size_t i = 0; i < outputs; ++i) {
    results[i] = newArray(s.outputs[i], plain.strides[i], plain.bytes[i]);
    buffers[count++] = arrayOf(results[i]).storage->value->data;
  }
  if (!keep) {
    void *workspace = s.workspaceBytes ? threadWorkspace(s.workspaceBytes) : nullptr;
    if (s.executable->entry(runtimeTable(), buffers, s.values.symbols.data(), workspace)) return nullptr;
  } else {
    bool isStopped = false;
    int32_t status = callProgram(s, buffers, s.values.symbols.data(), hooksOf(s), isStopped);
    if (isStopped) throw PythonError();
    if (status) return nullptr;
  }
  if (!plain.isTuple) return std::exchange(results[0], nullptr);
  PyObject *tuple = check(PyTuple_New(Py_ssize_t(outputs)));
  for (size_t i = 0; i < outputs; ++i) PyTuple_SET_ITEM(tuple, Py_ssize_t(i), std::exchange(results[i], nullptr));
  return tuple;
}

std::shared_ptr<Tree> recordAbstract(JitState &state, const Call &call, Arguments &arguments, const char *what) {
  Recording recording;
  if (arguments.why.empty()) recording.start(state.function.get(), arguments);
  else recording.why = arguments.why;
  if (recording.why.empty()) {
    Recorder r(Recorder::Abstract);
    try {
      for (const Array *a : arguments.key.arrays) r.addInput(*a);
      Object result(recording.call(r, call));
      if (!result && r.left.empty()) throw PythonError();
      PyErr_Clear();
      recording.take(r, arguments, result.get());
    } catch (const LeaveRecording &) { recording.why = r.left; }
    if (recording.why.empty()) recording.finish(r);
  }
  if (recording.why.size())
    throw Error(ErrorKind::Trace, std::string(what) + ": expected a function that records, got one that runs in eager: " + recording.why);
  return recording.entry;
}

PyObject *interpretTree(const Tree &entry, const Arguments &arguments) {
  std::vector<Array> made;
  if (run(entry.root, arguments.key.arrays, hooksOf(entry.root.segment), made) != RunStatus::Done)
    throw Error(ErrorKind::Trace, "replay: expected operations that fit the values, got one that fails on them");
  return buildResult(entry.root, arguments, made);
}

void JitState::note(const std::string &why, const char *what) {
  if (why.empty() || !told.insert(why).second) return;
  Object(check(what ? PyObject_CallFunction(side().note, "Oss", function.get(), why.c_str(), what)
                    : PyObject_CallFunction(side().note, "Os", function.get(), why.c_str())));
}

void JitState::noteMiss(const std::string &why) {
  if (options.raiseOnMiss)
    throw Error(ErrorKind::Trace, "jitted function: expected one that compiles (on_miss=\"raise\"), got one that runs in eager: " + why);
  note(why);
}

int JitState::visit(visitproc visit, void *arg) const {
  Py_VISIT(function.get());
  for (const Object &name : options.parameters.names) Py_VISIT(name.get());
  Py_VISIT(options.parameters.staticNames.get());
  for (auto &entry : trees()) {
    for (const HostObject &o : entry->key.objects) Py_VISIT(static_cast<PyObject *>(o.get()));
    for (const HostObject &o : entry->codes) Py_VISIT(static_cast<PyObject *>(o.get()));
    if (int status = entry->watched ? stateOf(*entry).visit(visit, arg) : 0) return status;
    if (int status = visitTemplate(entry->root.result, visit, arg)) return status;
  }
  return 0;
}

} // namespace kiln::py
