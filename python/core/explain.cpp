// What a jitted function tells of itself: counts, and its recordings with what they watch.
#include "jit.h"

namespace kiln::py {

PyObject *countersOf(JitState &s) {
  int64_t kernels = 0, workspace = 0, segments = 0;
  bool isCompiled = false;
  for (auto &e : s.trees()) s.adoptCode(*e);
  if (s.last() && s.last()->root.segment.executable) {
    kernels = s.last()->root.segment.executable->info.kernels;
    workspace = int64_t(s.last()->root.segment.workspaceBytes);
    isCompiled = true;
  }
  for (auto &e : s.trees()) segments += !e->isEager();
  return Py_BuildValue("{s:L,s:L,s:L,s:L,s:L,s:L,s:i,s:L,s:L}", "calls", s.calls, "hits", s.hits, "misses", s.misses, "compiles",
                       s.compiles, "segments", segments, "kernels", kernels, "tier", int(isCompiled), "workspace_bytes", workspace,
                       "cache_hits", s.cacheHits);
}

PyObject *entriesOf(JitState &state) {
  Object list(PyList_New(0));
  for (auto &e : state.trees()) {
    Object guards(PyList_New(0)), inputs(PyList_New(0));
    const Segment &segment = e->root.segment;
    for (const Guard &g : stateOf(*e).guards) {
      // Not a name that is absent, nor the code of every function: a person asks what values decide.
      if (!g.expected || g.place.kind == Place::Part) continue;
      Object text(Py_BuildValue("(sO)", g.place.describe().c_str(), g.expected.get() ? g.expected.get() : Py_None));
      PyList_Append(guards.get(), text.get());
    }
    for (const TensorType &type : segment.inputs) {
      Object text(PyUnicode_FromString(toString(type).c_str()));
      PyList_Append(inputs.get(), text.get());
    }
    state.adoptCode(*e);
    const Code *code = segment.code.get();
    constexpr const char *kStates[] = {"recorded", "compiling", "ready", "failed"};
    Object places(PyList_New(0));
    for (auto &[number, instruction] : e->places) {
      Object place(number < 0 ? Py_NewRef(Py_None)
                              : Py_BuildValue("(Oi)", static_cast<PyObject *>(e->codes[size_t(number)].get()), instruction));
      PyList_Append(places.get(), place.get());
    }
    auto words = code ? code->trace.serialize() : std::vector<int64_t>();
    Object program(PyBytes_FromStringAndSize(reinterpret_cast<const char *>(words.data()), Py_ssize_t(words.size() * 8)));
    bool isReady = bool(segment.executable);
    Object dict(Py_BuildValue("{s:s,s:s,s:L,s:s,s:O,s:O,s:n,s:L,s:L,s:d,s:O,s:O,s:s,s:O,s:O}", "state",
                              code             ? kStates[code->state]
                              : segment.device ? "interpreted"
                                               : "ready",
                              "error", code && code->state == Code::Failed ? code->error.c_str() : segment.why.c_str(), "hits", e->hits,
                              "eager", e->root.why.c_str(), "guards", guards.get(), "inputs", inputs.get(), "ops", Py_ssize_t(segment.ops),
                              "kernels", isReady ? segment.executable->info.kernels : int64_t(0), "workspace_bytes",
                              int64_t(segment.workspaceBytes), "milliseconds", isReady ? code->result.milliseconds : 0.0, "from_cache",
                              isReady && code->result.fromCache ? Py_True : Py_False, "any_size", segment.isOpen() ? Py_True : Py_False,
                              "apart", segment.apart.c_str(), "_places", places.get(), "_program", program.get()));
    if (!dict || PyList_Append(list.get(), dict.get())) return nullptr;
  }
  return list.release();
}

} // namespace kiln::py
