// kiln.JitFunction: the type behind @kn.jit. A plain call is compared with the entry used last and runs native code; everything else is
// in call.cpp.
#include "jit.h"
#include "log.h"
#include "recording.h"

#include <structmember.h>

namespace kiln::py {

PyTypeObject *jitType = nullptr;

namespace {

struct JitFunction {
  PyObject_HEAD vectorcallfunc vectorcall;
  PyObject *dict, *weakrefs;
  JitState *state;
};
bool isDisabled = false;

constexpr const char *kModeNames[] = {"auto", "sync", "off"};

JitState &jitOf(PyObject *self) { return *reinterpret_cast<JitFunction *>(self)->state; }

/// Whether the entry used last fits a call of arrays alone.
bool matchesPlain(const Tree &entry, PyObject *const *args, size_t nargs) {
  if (entry.plain.way == PlainCall::Way::None || nargs != entry.plain.arguments.size()) return false;
  KeyContext now = currentContext();
  if (entry.key.words[0] != now.word() || entry.key.words[1] != now.epoch) return false;
  const Storage *seen[PlainCall::kMostArguments];
  for (size_t i = 0; i < nargs; ++i)
    if (!isArray(args[i]) || !entry.plain.fits(i, arrayOf(args[i]), seen)) return false;
  return !stateOf(entry).anchors && stateOf(entry).holds(); // they are kept for calls with a key
}

/// Drops the frames of the package from the traceback of the error: it shows the program's.
[[gnu::noinline]] void hideOwnFrames() {
  PyObject *type, *value, *trace;
  PyErr_Fetch(&type, &value, &trace);
  auto isOwn = [](PyTracebackObject *entry) {
    Object code(reinterpret_cast<PyObject *>(PyFrame_GetCode(entry->tb_frame)));
    const char *file = PyUnicode_AsUTF8(reinterpret_cast<PyCodeObject *>(code.get())->co_filename);
    if (!file) PyErr_Clear();
    return file && std::string_view(file).starts_with(package().folder);
  };
  auto **next = reinterpret_cast<PyTracebackObject **>(&trace);
  while (PyTracebackObject *entry = *next)
    if (isOwn(entry)) *next = entry->tb_next, entry->tb_next = nullptr, Py_DECREF(entry);
    else next = &entry->tb_next;
  PyErr_Restore(type, value, trace);
}

PyObject *callAs(PyObject *self, PyObject *const *args, size_t nargsf, PyObject *kwnames) {
  JitState &state = jitOf(self);
  size_t nargs = size_t(PyVectorcall_NARGS(nargsf));
  Call asGiven{state.function.get(), args, nargs, kwnames};
  if (!asGiven.function) return PyErr_SetString(PyExc_ReferenceError, "jitted function: it has been collected"), nullptr;
  state.calls++;
  if (isDisabled || jitMode == JitMode::Off || Mode::current() || isDebugged()) return callEager(asGiven);
  Tree *entry = state.last();
  if (kwnames || !entry || !matchesPlain(*entry, args, nargs)) return callAny(state, asGiven);
  state.hits++, entry->hits++;
  using Way = PlainCall::Way;
  Way way = entry->plain.way;
  if (way == Way::Eager) return callEager(asGiven);
  std::shared_ptr<Tree> keep = entry->plain.guards ? entry->shared_from_this() : nullptr;
  PyObject *result = guarded([&] { return callPlain(*entry, args); });
  if (result || PyErr_Occurred()) return result;
  if (!keep && way != Way::Write) return callEager(asGiven);
  state.hits--, entry->hits--; // it takes another path
  return callAny(state, asGiven);
}

PyObject *call(PyObject *self, PyObject *const *args, size_t nargsf, PyObject *kwnames) {
  PyObject *result = callAs(self, args, nargsf, kwnames);
  if (!result) hideOwnFrames();
  return result;
}

//===-- the type ----------------------------------------------------------------------------------------------------===//

bool readAxis(PyObject *from, OpenAxis &axis) {
  const char *argument, *name;
  if (!PyArg_ParseTuple(from, "isisLL", &axis.position, &argument, &axis.axis, &name, &axis.low, &axis.high)) return false;
  axis.argument = argument, axis.name = name;
  return true;
}

PyObject *create(PyTypeObject *type, PyObject *args, PyObject *kwargs) {
  static const char *const names[] = {"function",  "static_argnums", "static_argnames", "on_miss",   "dynamic",
                                      "open_axes", "parameters",     "positional",      "fast_math", nullptr};
  PyObject *function, *numbers, *staticNames, *openAxes, *parameters;
  int onMiss, dynamic, isFast;
  Py_ssize_t positional;
  if (!PyArg_ParseTupleAndKeywords(args, kwargs, "OO!OiiO!O!np", const_cast<char **>(names), &function, &PyTuple_Type, &numbers,
                                   &staticNames, &onMiss, &dynamic, &PyTuple_Type, &openAxes, &PyTuple_Type, &parameters, &positional,
                                   &isFast))
    return nullptr;
  auto *self = reinterpret_cast<JitFunction *>(type->tp_alloc(type, 0));
  if (!self) return nullptr;
  self->vectorcall = call;
  self->state = new JitState;
  self->state->function = Object::borrow(function);
  JitOptions &options = self->state->options;
  if (PySet_GET_SIZE(staticNames)) options.parameters.staticNames = Object::borrow(staticNames);
  options.parameters.positional = size_t(positional);
  options.raiseOnMiss = onMiss == 1;
  options.warnOnMiss = onMiss == 2;
  options.dynamic = Dynamic(dynamic);
  options.isFast = isFast;
  for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(parameters); ++i)
    options.parameters.names.push_back(Object::borrow(PyTuple_GET_ITEM(parameters, i)));
  for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(numbers); ++i)
    options.parameters.staticNumbers.push_back(int(PyLong_AsLong(PyTuple_GET_ITEM(numbers, i))));
  for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(openAxes); ++i)
    if (!readAxis(PyTuple_GET_ITEM(openAxes, i), options.openAxes.emplace_back())) return Py_DECREF(self), nullptr;
  return reinterpret_cast<PyObject *>(self);
}

int traverse(PyObject *self, visitproc visit, void *arg) {
  auto *jit = reinterpret_cast<JitFunction *>(self);
  Py_VISIT(Py_TYPE(self));
  Py_VISIT(jit->dict);
  if (!jit->state) return 0;
  return jit->state->visit(visit, arg);
}
int clear(PyObject *self) {
  auto *jit = reinterpret_cast<JitFunction *>(self);
  Py_CLEAR(jit->dict);
  if (jit->state) {
    jit->state->forget();
    Object function = std::exchange(jit->state->function, Object());
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

PyObject *counters(PyObject *self, PyObject *) { return countersOf(jitOf(self)); }
PyObject *entries(PyObject *self, PyObject *) { return entriesOf(jitOf(self)); }
PyObject *again(PyObject *self, PyObject *) { return againOf(jitOf(self)); }

/// A call by a tuple and a dict, and for some a further object; `use` has the call as it is made, its arguments and that.
template <typename Use> PyObject *readApart(PyObject *self, PyObject *argsAndKwargs, const Use &use) {
  return guarded([&]() -> PyObject * {
    PyObject *tuple, *kwargs, *more = nullptr;
    if (!PyArg_ParseTuple(argsAndKwargs, "O!O!|O", &PyTuple_Type, &tuple, &PyDict_Type, &kwargs, &more)) throw PythonError();
    JitState &state = jitOf(self);
    PyObject *result = nullptr;
    readCall(state, tuple, kwargs, [&](const Call &call, Arguments &arguments) { result = use(state, call, arguments, more); });
    return result;
  });
}

/// The same recorded, neither computed nor compiled; `use` has the entry and its arguments.
template <typename Use> PyObject *recordApart(PyObject *self, PyObject *argsAndKwargs, const char *what, const Use &use) {
  return readApart(self, argsAndKwargs, [&](JitState &state, const Call &call, Arguments &arguments, PyObject *) {
    return use(*recordAbstract(state, call, arguments, what), arguments);
  });
}

/// The program of such calls that one has recorded, of what could not be told from the code of the function; null: there is none.
const Trace *recordedBefore(JitState &state, Arguments &arguments) {
  if (arguments.why.size()) return nullptr;
  auto tree = state.find([&](const Tree &tree) { return fits(tree, arguments); });
  bool isWhole = tree && stateOf(*tree).unanalysed.size() && tree->root().terminator == Node::Return && tree->root().step;
  return isWhole ? tree->root().step->segment.trace.get() : nullptr;
}

/// _record(args, kwargs) -> words of the trace.
PyObject *recordOnly(PyObject *self, PyObject *argsAndKwargs) {
  return readApart(self, argsAndKwargs, [](JitState &state, const Call &call, Arguments &arguments, PyObject *) {
    const Trace *before = recordedBefore(state, arguments);
    auto words = (before ? *before : *recordAbstract(state, call, arguments, "lower")->root().step->segment.trace).serialize();
    return PyBytes_FromStringAndSize(reinterpret_cast<const char *>(words.data()), Py_ssize_t(words.size() * 8));
  });
}

/// _replay(args, kwargs) -> the result of the call by the interpreter; TraceError where an operation fails on data.
PyObject *replayOnly(PyObject *self, PyObject *argsAndKwargs) { return recordApart(self, argsAndKwargs, "replay", interpretTree); }

/// _export(args, kwargs, flatten) -> what recordForPackage gives.
PyObject *exportOnly(PyObject *self, PyObject *argsAndFlatten) { return readApart(self, argsAndFlatten, recordForPackage); }

/// _export_path(args, kwargs, given) -> what recordPath gives.
PyObject *exportPath(PyObject *self, PyObject *argsAndGiven) { return readApart(self, argsAndGiven, recordPath); }

/// _export_ways(again, count, taken) -> what recordWays gives.
PyObject *exportWays(PyObject *self, PyObject *given) {
  return guarded([&] { return recordWays(jitOf(self), given); });
}

/// _forget(): drops recordings and their code; calls that run keep theirs.
PyObject *forget(PyObject *self, PyObject *) {
  JitState &state = jitOf(self);
  state.forget();
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
      if (PyUnicode_Check(name) && !PyUnicode_CompareWithASCIIString(name, kModeNames[i])) return jitMode = JitMode(i), Py_NewRef(Py_None);
    Object shown(check(PyObject_Repr(name)));
    fail(ErrorKind::Value, "KILN_JIT", "mode", "auto, sync or off", PyUnicode_AsUTF8(shown.get()));
  });
}
PyObject *setLog(PyObject *, PyObject *kinds) {
  unsigned long bits = PyLong_AsUnsignedLong(kinds);
  if (PyErr_Occurred()) return nullptr;
  logged = unsigned(bits);
  Py_RETURN_NONE;
}
PyObject *getLog(PyObject *, PyObject *) { return PyLong_FromUnsignedLong(logged); }
PyObject *setTiming(PyObject *, PyObject *flag) {
  isTiming = PyObject_IsTrue(flag);
  Py_RETURN_NONE;
}
PyObject *getTiming(PyObject *, PyObject *) { return PyBool_FromLong(isTiming); }
PyObject *getMode(PyObject *, PyObject *) { return PyUnicode_FromString(kModeNames[int(jitMode)]); }

PyMethodDef methods[] = {{"_counters", counters, METH_NOARGS, nullptr},
                         {"_entries", entries, METH_NOARGS, nullptr},
                         {"_again", again, METH_NOARGS, nullptr},
                         {"_record", recordOnly, METH_VARARGS, nullptr},
                         {"_forget", forget, METH_NOARGS, nullptr},
                         {"_replay", replayOnly, METH_VARARGS, nullptr},
                         {"_export", exportOnly, METH_VARARGS, nullptr},
                         {"_export_path", exportPath, METH_VARARGS, nullptr},
                         {"_export_ways", exportWays, METH_VARARGS, nullptr},
                         {nullptr, nullptr, 0, nullptr}};
PyMemberDef members[] = {{"__vectorcalloffset__", T_PYSSIZET, offsetof(JitFunction, vectorcall), READONLY, nullptr},
                         {"__dictoffset__", T_PYSSIZET, offsetof(JitFunction, dict), READONLY, nullptr},
                         {"__weaklistoffset__", T_PYSSIZET, offsetof(JitFunction, weakrefs), READONLY, nullptr},
                         {nullptr, 0, 0, 0, nullptr}};
PyGetSetDef getset[] = {{"__dict__", PyObject_GenericGetDict, PyObject_GenericSetDict, nullptr, nullptr},
                        {nullptr, nullptr, nullptr, nullptr, nullptr}};
PyMethodDef functions[] = {{"set_jit_disabled", setDisabled, METH_O, nullptr},
                           {"set_jit_mode", setMode, METH_O, nullptr},
                           {"jit_mode", getMode, METH_NOARGS, nullptr},
                           {"set_timing", setTiming, METH_O, nullptr},
                           {"is_timing", getTiming, METH_NOARGS, nullptr},
                           {"set_log", setLog, METH_O, nullptr},
                           {"log", getLog, METH_NOARGS, nullptr},
                           {nullptr, nullptr, 0, nullptr}};

} // namespace

void readCall(const JitState &state, PyObject *args, PyObject *kwargs, const std::function<void(const Call &, Arguments &)> &use) {
  std::vector<PyObject *> all;
  Object names(check(PySequence_Tuple(Object(check(PyDict_Keys(kwargs))).get())));
  for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(args); ++i) all.push_back(PyTuple_GET_ITEM(args, i));
  for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(names.get()); ++i) all.push_back(PyDict_GetItem(kwargs, PyTuple_GET_ITEM(names.get(), i)));
  Call call{state.function.get(), all.data(), size_t(PyTuple_GET_SIZE(args)), PyTuple_GET_SIZE(names.get()) ? names.get() : nullptr};
  Arguments arguments;
  arguments.read(state.options.parameters, call, /*byValue=*/true);
  use(arguments.calling(call), arguments);
}

PyObject *functionOf(PyObject *jitted) { return jitOf(jitted).function.get(); }

bool initJit(PyObject *module) {
  hostCounts() = {[](void *o) { Py_INCREF(static_cast<PyObject *>(o)); }, [](void *o) { Py_DECREF(static_cast<PyObject *>(o)); }};
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
