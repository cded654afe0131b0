// kiln.JitFunction: the type behind @kn.jit. A call builds its signature, compares it with the entry used last, and runs
// native code; everything else is the slow path.
#include "jit.h"

#include <algorithm>
#include <chrono>
#include <structmember.h>

namespace kiln::py {

namespace {

// Numbers are part of a variant, so a program that counts would compile without end.
constexpr size_t kManyVariants = 32, kMostVariants = 256;

// Code is asked for when a recording is called again, or at once where it runs long.
constexpr int64_t kReplays = 2;
constexpr auto kLongReplay = std::chrono::milliseconds(1);

struct JitFunction {
  PyObject_HEAD vectorcallfunc vectorcall;
  PyObject *dict, *weakrefs;
  JitState *state;
};
PyTypeObject *jitType = nullptr;
bool isDisabled = false;

/// KILN_JIT: code is compiled behind the program's back, or waited for, or functions run as they are written.
enum class Mode { Auto, Sync, Off } mode = Mode::Auto;
constexpr const char *kModeNames[] = {"auto", "sync", "off"};

JitState &stateOf(PyObject *self) { return *reinterpret_cast<JitFunction *>(self)->state; }

/// Whether a debugger or tracer watches this thread: functions then run as written, so that breakpoints stop.
bool isTraced() {
  PyThreadState *thread = PyThreadState_Get();
  return thread->c_tracefunc != nullptr;
}

bool isStaticName(const JitOptions &options, PyObject *name) {
  return options.staticNames && PySet_Contains(options.staticNames.get(), name) == 1;
}

PyObject *callEager(JitState &state, PyObject *const *args, size_t nargs, PyObject *kwnames) {
  return PyObject_Vectorcall(state.function.get(), args, nargs, kwnames);
}

/// Moves an entry to its code where that is there, or starts to get it.
void advance(JitState &state, Entry &entry) {
  if (!entry.code || entry.executable || !entry.eager.empty()) return;
  auto code = entry.code;
  if (mode == Mode::Sync && code->state != Code::Ready && !(code->state == Code::Failed && code->isDeclined)) {
    std::exception_ptr failure;
    Py_BEGIN_ALLOW_THREADS try { compileNow(code); } catch (const Declined &) {} catch (...) {
      failure = std::current_exception();
    }
    Py_END_ALLOW_THREADS if (failure) std::rethrow_exception(failure);
  }
  if (!state.adoptCode(entry) && ++code->replays >= kReplays) compileLater(code);
  if (code->state == Code::Failed) {
    std::string why = code->error + " (calls run operation by operation, without optimized code)";
    Object(check(PyObject_CallFunction(side().note, "Oss", state.function.get(), why.c_str(), "")));
  }
}

/// Runs an entry by its recording, and has code compiled where that takes long.
PyObject *runReplay(const Entry &entry, const Signature &s, bool &failedOnData) {
  auto start = std::chrono::steady_clock::now();
  auto code = entry.code;
  PyObject *result = runEntry(entry, s, failedOnData);
  if (code && entry.eager.empty() && std::chrono::steady_clock::now() - start > kLongReplay) compileLater(code);
  return result;
}

PyObject *runOrFallBack(JitState &state, Entry &entry, const Signature &s, PyObject *const *args, size_t nargs, PyObject *kwnames) {
  if (entry.eager.empty() || std::exchange(entry.runsOnce, false)) {
    bool failedOnData = false;
    PyObject *result = entry.executable ? runEntry(entry, s, failedOnData) : runReplay(entry, s, failedOnData);
    if (!failedOnData) return result;
  }
  // Eager on the original arguments: the error, its line and what was written before it are eager's own.
  return callEager(state, args, nargs, kwnames);
}

std::shared_ptr<Entry> findEntry(JitState &state, const Signature &s) {
  auto fits = [&](Entry &e) {
    if (!e.matches(s)) return false;
    std::vector<PyObject *> captured;
    return e.captured.empty() || findCaptured(e, s, captured);
  };
  if (state.last < state.entries.size() && fits(*state.entries[state.last])) return state.entries[state.last];
  for (size_t i = 0; i < state.entries.size(); ++i)
    if (i != state.last && fits(*state.entries[i])) return state.entries[state.last = i];
  return nullptr;
}

/// Told when entries with code of their own are many, and when they are too many.
void tellOfVariants(JitState &state) {
  size_t n = size_t(std::ranges::count_if(state.entries, [](auto &e) { return !e->isOpen(); }));
  if (state.entries.back()->isOpen() || (n != kManyVariants && n != kMostVariants)) return;
  std::string text =
      std::to_string(n) + " variants are recorded, one for each combination of shapes and numbers" +
      (n < kMostVariants ? ": pass numbers that change as arrays" : "; further ones run in eager: pass numbers that change as arrays");
  Object(check(PyObject_CallFunction(side().note, "Oss", state.function.get(), text.c_str(), "")));
}

/// Room for another entry: one whose code others share is recorded again quickly. False where there is none.
bool makeRoom(JitState &state) {
  if (state.entries.size() < kMostVariants) return true;
  auto oldest = std::ranges::find_if(state.entries, [](auto &e) { return e->isOpen(); });
  if (oldest == state.entries.end()) return false;
  state.entries.erase(oldest);
  return true;
}

std::shared_ptr<Entry> addEntry(JitState &state, const Signature &s, PyObject *const *args, size_t nargs, PyObject *kwnames) {
  state.misses++;
  Call call{state.function.get(), args, nargs, kwnames};
  if (!state.options.openAxes.empty()) state.programs.check(state.options, call, s);
  auto entry = recordEntry(call, s);
  if (entry->eager.empty()) {
    // A list or dict that the call was given and changed: Python has to run on every call.
    Signature after;
    std::vector<PyObject *> converted;
    readArguments(state.options, args, nargs, kwnames, after, converted);
    if (after.words != s.words || after.objects != s.objects || after.arrays != s.arrays) {
      entry->eager = "a list or dict that the function was given is changed by it";
      entry->runsOnce = true;
    }
  }
  if (entry->eager.empty()) {
    auto earlier = state.entries; // other threads may add to them meanwhile
    state.programs.choose(state.options, call, s, *entry, earlier);
    if (entry->code && entry->code->state == Code::Recorded) findCode(*entry->code);
  }
  if (!entry->eager.empty() && state.options.raiseOnMiss)
    throw Error(ErrorKind::Trace,
                "jitted function: expected one that compiles (on_miss=\"raise\"), got one that runs in eager: " + entry->eager);
  if (!entry->eager.empty()) Object(check(PyObject_CallFunction(side().note, "Os", state.function.get(), entry->eager.c_str())));
  state.entries.push_back(entry);
  state.last = state.entries.size() - 1;
  tellOfVariants(state);
  return entry;
}

/// A call that is not the plain one of last time.
[[gnu::noinline]] PyObject *callSlow(JitState &state, PyObject *const *args, size_t nargs, PyObject *kwnames) {
  thread_local Signature reused;
  thread_local bool isBusy = false;
  return guarded([&]() -> PyObject * {
    Signature own;
    Signature &s = isBusy ? own : reused; // a call inside a call, from eager code
    struct Busy {
      bool before = isBusy;
      Busy() { isBusy = true; }
      ~Busy() {
        isBusy = before;
        if (!before) reused.clear();
      }
    } busy;
    std::vector<PyObject *> converted;
    state.calls++;
    readArguments(state.options, args, nargs, kwnames, s, converted);
    PyObject *const *actual = converted.empty() ? args : converted.data();
    auto entry = findEntry(state, s);
    if (entry) state.hits++, entry->hits++;
    else if (!makeRoom(state)) return state.misses++, callEager(state, actual, nargs, kwnames);
    else entry = addEntry(state, s, actual, nargs, kwnames);
    advance(state, *entry);
    if (entry->executable && !entry->plain.isKnown && !kwnames && state.options.staticNumbers.empty()) entry->findPlain(s, nargs);
    PyObject *result = runOrFallBack(state, *entry, s, actual, nargs, kwnames);
    if (!result && !PyErr_Occurred()) throw Error(ErrorKind::Trace, "jitted function: no result");
    return result;
  });
}

PyObject *call(PyObject *self, PyObject *const *args, size_t nargsf, PyObject *kwnames) {
  JitState &state = stateOf(self);
  size_t nargs = size_t(PyVectorcall_NARGS(nargsf));
  if (isDisabled || mode == Mode::Off || Recorder::current() || isTraced()) return callEager(state, args, nargs, kwnames);
  Entry *entry = state.last < state.entries.size() ? state.entries[state.last].get() : nullptr;
  if (kwnames || !entry || !entry->matchesPlain(args, nargs)) return callSlow(state, args, nargs, kwnames);
  state.calls++, state.hits++, entry->hits++;
  bool failedOnData = false;
  PyObject *result = guarded([&] { return runPlain(*entry, args, failedOnData); });
  return failedOnData ? callEager(state, args, nargs, kwnames) : result;
}

//===-- the type ----------------------------------------------------------------------------------------------------===//

PyObject *create(PyTypeObject *type, PyObject *args, PyObject *kwargs) {
  static const char *const names[] = {"function", "static_argnums", "static_argnames", "raise_on_miss", "dynamic", "open_axes", nullptr};
  PyObject *function, *numbers, *staticNames, *openAxes;
  int raiseOnMiss, dynamic;
  if (!PyArg_ParseTupleAndKeywords(args, kwargs, "OOOpiO!", const_cast<char **>(names), &function, &numbers, &staticNames, &raiseOnMiss,
                                   &dynamic, &PyTuple_Type, &openAxes))
    return nullptr;
  auto *self = reinterpret_cast<JitFunction *>(type->tp_alloc(type, 0));
  if (!self) return nullptr;
  self->vectorcall = call;
  self->state = new JitState;
  self->state->function = Object::borrow(function);
  self->state->options.staticNames = Object::borrow(staticNames);
  self->state->options.raiseOnMiss = raiseOnMiss;
  self->state->options.dynamic = JitOptions::Dynamic(dynamic);
  for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(openAxes); ++i) {
    OpenAxis axis;
    const char *argument, *name;
    if (!PyArg_ParseTuple(PyTuple_GET_ITEM(openAxes, i), "isisLL", &axis.position, &argument, &axis.axis, &name, &axis.low, &axis.high)) {
      Py_DECREF(self);
      return nullptr;
    }
    axis.argument = argument, axis.name = name;
    self->state->options.openAxes.push_back(axis);
  }
  for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(numbers); ++i)
    self->state->options.staticNumbers.push_back(int(PyLong_AsLong(PyTuple_GET_ITEM(numbers, i))));
  return reinterpret_cast<PyObject *>(self);
}

int traverse(PyObject *self, visitproc visit, void *arg) {
  auto *jit = reinterpret_cast<JitFunction *>(self);
  Py_VISIT(Py_TYPE(self));
  Py_VISIT(jit->dict);
  if (!jit->state) return 0;
  Py_VISIT(jit->state->function.get());
  for (auto &entry : jit->state->entries)
    for (Guard &g : entry->guards) {
      Py_VISIT(g.place.container.get());
      Py_VISIT(g.expected.get());
    }
  return 0;
}
int clear(PyObject *self) {
  auto *jit = reinterpret_cast<JitFunction *>(self);
  Py_CLEAR(jit->dict);
  if (jit->state) {
    jit->state->entries.clear();
    jit->state->function = Object();
  }
  return 0;
}
void dealloc(PyObject *self) {
  PyObject_GC_UnTrack(self);
  auto *jit = reinterpret_cast<JitFunction *>(self);
  if (jit->weakrefs) PyObject_ClearWeakRefs(self);
  clear(self);
  delete jit->state;
  PyTypeObject *type = Py_TYPE(self);
  type->tp_free(self);
  Py_DECREF(type);
}
PyObject *bind(PyObject *self, PyObject *instance, PyObject *) {
  return instance && instance != Py_None ? PyMethod_New(self, instance) : Py_NewRef(self);
}

PyObject *counters(PyObject *self, PyObject *) { return countersOf(stateOf(self)); }
PyObject *entries(PyObject *self, PyObject *) { return entriesOf(stateOf(self)); }

/// A call by a tuple and a dict, recorded and not compiled; `use` has the entry and its arguments.
template <typename Use> PyObject *recordApart(PyObject *self, PyObject *argsAndKwargs, const char *what, const Use &use) {
  return guarded([&]() -> PyObject * {
    PyObject *tuple, *kwargs;
    if (!PyArg_ParseTuple(argsAndKwargs, "O!O!", &PyTuple_Type, &tuple, &PyDict_Type, &kwargs)) throw PythonError();
    JitState &state = stateOf(self);
    std::vector<PyObject *> args, converted;
    Object names(check(PySequence_Tuple(Object(check(PyDict_Keys(kwargs))).get())));
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(tuple); ++i) args.push_back(PyTuple_GET_ITEM(tuple, i));
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(names.get()); ++i) args.push_back(PyDict_GetItem(kwargs, PyTuple_GET_ITEM(names.get(), i)));
    Signature s;
    size_t nargs = size_t(PyTuple_GET_SIZE(tuple));
    PyObject *kwnames = PyTuple_GET_SIZE(names.get()) ? names.get() : nullptr;
    readArguments(state.options, args.data(), nargs, kwnames, s, converted);
    auto entry = recordEntry({state.function.get(), converted.empty() ? args.data() : converted.data(), nargs, kwnames}, s);
    if (!entry->eager.empty())
      throw Error(ErrorKind::Trace, std::string(what) + ": expected a function that records, got one that runs in eager: " + entry->eager);
    return use(*entry, s);
  });
}

/// _record(args, kwargs) -> words of the trace.
PyObject *recordOnly(PyObject *self, PyObject *argsAndKwargs) {
  return recordApart(self, argsAndKwargs, "lower", [](const Entry &entry, const Signature &) {
    auto words = entry.trace->serialize();
    return PyBytes_FromStringAndSize(reinterpret_cast<const char *>(words.data()), Py_ssize_t(words.size() * 8));
  });
}

/// _replay(args, kwargs) -> the result of the call by the eager kernels; TraceError where an operation fails on data.
PyObject *replayOnly(PyObject *self, PyObject *argsAndKwargs) {
  return recordApart(self, argsAndKwargs, "replay", [](const Entry &entry, const Signature &s) {
    bool failedOnData = false;
    PyObject *result = runEntry(entry, s, failedOnData);
    if (failedOnData) throw Error(ErrorKind::Trace, "replay: expected operations that fit the values, got one that fails on them");
    return result;
  });
}

/// _forget(): drops recordings and their code; calls that run keep theirs.
PyObject *forget(PyObject *self, PyObject *) {
  JitState &state = stateOf(self);
  auto entries = std::exchange(state.entries, {}); // dropped last: that can run Python code
  state.programs = {};
  state.last = 0;
  Py_RETURN_NONE;
}

PyObject *setDisabled(PyObject *, PyObject *flag) {
  bool before = isDisabled;
  isDisabled = PyObject_IsTrue(flag);
  return PyBool_FromLong(before);
}

PyObject *setMode(PyObject *, PyObject *name) {
  return guarded([&]() -> PyObject * {
    for (int i = 0; i < 3; ++i)
      if (PyUnicode_Check(name) && !PyUnicode_CompareWithASCIIString(name, kModeNames[i])) return mode = Mode(i), Py_NewRef(Py_None);
    Object shown(check(PyObject_Repr(name)));
    fail(ErrorKind::Value, "KILN_JIT", "mode", "auto, sync or off", PyUnicode_AsUTF8(shown.get()));
  });
}
PyObject *getMode(PyObject *, PyObject *) { return PyUnicode_FromString(kModeNames[int(mode)]); }

PyMethodDef methods[] = {{"_counters", counters, METH_NOARGS, nullptr},  {"_entries", entries, METH_NOARGS, nullptr},
                         {"_record", recordOnly, METH_VARARGS, nullptr}, {"_forget", forget, METH_NOARGS, nullptr},
                         {"_replay", replayOnly, METH_VARARGS, nullptr}, {nullptr, nullptr, 0, nullptr}};
PyMemberDef members[] = {{"__vectorcalloffset__", T_PYSSIZET, offsetof(JitFunction, vectorcall), READONLY, nullptr},
                         {"__dictoffset__", T_PYSSIZET, offsetof(JitFunction, dict), READONLY, nullptr},
                         {"__weaklistoffset__", T_PYSSIZET, offsetof(JitFunction, weakrefs), READONLY, nullptr},
                         {nullptr, 0, 0, 0, nullptr}};
PyGetSetDef getset[] = {{"__dict__", PyObject_GenericGetDict, PyObject_GenericSetDict, nullptr, nullptr},
                        {nullptr, nullptr, nullptr, nullptr, nullptr}};
PyMethodDef functions[] = {{"set_jit_disabled", setDisabled, METH_O, nullptr},
                           {"set_jit_mode", setMode, METH_O, nullptr},
                           {"jit_mode", getMode, METH_NOARGS, nullptr},
                           {nullptr, nullptr, 0, nullptr}};

} // namespace

bool JitState::adoptCode(Entry &entry) {
  if (!entry.adoptCode()) return false;
  if (!std::exchange(entry.code->isCounted, true)) ++(entry.code->result.fromCache ? cacheHits : compiles);
  return true;
}

void readArguments(const JitOptions &options, PyObject *const *args, size_t nargs, PyObject *kwnames, Signature &s,
                   std::vector<PyObject *> &converted) {
  size_t keywords = kwnames ? size_t(PyTuple_GET_SIZE(kwnames)) : 0;
  s.words.push_back(int64_t(nargs) << 8 | int64_t(defaultFloat()));
  for (size_t i = 0; i < nargs + keywords; ++i) {
    PyObject *name = i < nargs ? nullptr : PyTuple_GET_ITEM(kwnames, Py_ssize_t(i - nargs));
    if (name) s.objects.push_back(name);
    bool isStatic = name ? isStaticName(options, name) : false;
    for (int k : options.staticNumbers) isStatic |= !name && k == int(i);
    size_t held = s.held.size();
    if (isStatic) s.addStatic(args[i], name ? PyUnicode_AsUTF8(name) : std::to_string(i).c_str());
    else s.add(args[i]);
    bool isConverted = s.held.size() == held + 1 && s.arrays.size() && s.arrays.back() == s.held.back().get() && !PyTuple_Check(args[i]) &&
                       !PyList_Check(args[i]) && !PyDict_Check(args[i]);
    if (isConverted && converted.empty()) converted.assign(args, args + nargs + keywords);
    if (isConverted) converted[i] = s.held.back().get();
  }
}

bool initJit(PyObject *module) {
  auto slot = [](auto f) { return reinterpret_cast<void *>(f); };
  PyType_Slot slots[] = {{Py_tp_new, slot(create)},
                         {Py_tp_dealloc, slot(dealloc)},
                         {Py_tp_traverse, slot(traverse)},
                         {Py_tp_clear, slot(clear)},
                         {Py_tp_call, slot(PyVectorcall_Call)},
                         {Py_tp_descr_get, slot(bind)},
                         {Py_tp_methods, methods},
                         {Py_tp_members, members},
                         {Py_tp_getset, getset},
                         {Py_tp_doc, const_cast<char *>("A function that records its calls and runs them as compiled code.")},
                         {0, nullptr}};
  PyType_Spec spec = {"kiln.JitFunction", sizeof(JitFunction), 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_HAVE_VECTORCALL,
                      slots};
  jitType = reinterpret_cast<PyTypeObject *>(PyType_FromSpec(&spec));
  if (!jitType || PyModule_AddObjectRef(module, "JitFunction", reinterpret_cast<PyObject *>(jitType))) return false;
  return !PyModule_AddFunctions(module, functions);
}

} // namespace kiln::py
