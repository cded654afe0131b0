// What a jitted function tells of itself: counts, and its recordings with what they watch.
#include "jit.h"
#include "results.h"

#include "frontend/Groups.h"
#include "frontend/tree/HotPath.h"
#include "frontend/tree/Peak.h"
#include "frontend/tree/Times.h"

#include <cstring>
#include <unordered_map>

namespace kiln::py {

PyObject *countersOf(JitState &s) {
  int64_t kernels = 0, workspace = 0, segments = 0, peak = 0;
  bool isCompiled = false;
  for (auto &tree : s.trees()) {
    for (auto &step : tree->steps) s.adoptCode(*step);
    segments += tree->isEager() ? 0 : int64_t(tree->steps.size());
  }
  if (Tree *last = s.last(); last && !last->isEager()) {
    isCompiled = !last->steps.empty();
    for (auto &step : last->steps) {
      const Segment &segment = step->segment;
      isCompiled &= segment.executable || segment.outputs.empty();
      kernels += segment.executable ? segment.executable->info.kernels : 0;
      workspace = std::max(workspace, int64_t(segment.workspaceBytes));
    }
    peak = peakBytes(*last);
    if (last->steps.size() == 1) isCompiled = bool(last->steps[0]->segment.executable);
  }
  return Py_BuildValue("{s:L,s:L,s:L,s:L,s:L,s:L,s:i,s:L,s:L,s:L}", "calls", s.calls, "hits", s.hits, "misses", s.misses, "compiles",
                       s.compiles, "segments", segments, "kernels", kernels, "tier", int(isCompiled), "workspace_bytes", workspace,
                       "peak_bytes", peak, "cache_hits", s.cacheHits);
}

namespace {

Object add(Object list, PyObject *item) {
  Object owned(check(item));
  if (PyList_Append(list.get(), owned.get())) throw PythonError();
  return list;
}

Object listOf(std::span<const int64_t> numbers) {
  Object list(check(PyList_New(0)));
  for (int64_t number : numbers) list = add(list, PyLong_FromLongLong(number));
  return list;
}

} // namespace

PyObject *valueOf(const std::string &bits, const Step &step) {
  if (auto sizes = sizesOfGroups(step.why, bits)) return listOf(*sizes).release();
  DType dtype = step.askedType;
  int64_t count = int64_t(bits.size()) / byteSize(dtype);
  Array array = Array::empty(dtype, count == 1 ? Dims() : Dims{count});
  std::memcpy(array.data(), bits.data(), bits.size());
  return count == 1 ? toScalar(array) : toList(array);
}

namespace {

/// Code and instruction of each slot.
Object placesOf(const Step &step) {
  Object places(check(PyList_New(0)));
  for (const Location &at : step.locations)
    places = add(places, at.code ? Py_BuildValue("(Oi)", static_cast<PyObject *>(at.code), at.instruction) : Py_NewRef(Py_None));
  return places;
}

/// What repeats in a step.
Object loopsOf(const Step &step) {
  Object loops(check(PyList_New(0)));
  for (const Repeated &r : step.loops)
    loops = add(loops, Py_BuildValue("{s:s,s:n,s:n,s:s}", "at", placeOf(r.at).c_str(), "trips", Py_ssize_t(r.trips), "ops",
                                     Py_ssize_t(r.lines), "why", r.why.c_str()));
  return loops;
}

/// How often a step was timed, and the nanoseconds of all runs by kernel.
std::pair<int64_t, std::vector<int64_t>> timesOf(const Segment &segment) {
  if (!segment.times) return {};
  std::lock_guard lock(segment.times->mutex);
  return {segment.times->runs, segment.times->nanoseconds};
}

/// The code of a step.
Object stepOf(JitState &state, Step &step) {
  state.adoptCode(step);
  const Segment &segment = step.segment;
  const Code *code = segment.code.get();
  constexpr const char *kStates[] = {"recorded", "compiling", "ready", "failed"};
  Object inputs(check(PyList_New(0)));
  for (const ArrayType &type : segment.inputs) inputs = add(inputs, PyUnicode_FromString(toString(type).c_str()));
  auto words = code ? code->trace.serialize() : std::vector<int64_t>();
  Object program(check(PyBytes_FromStringAndSize(reinterpret_cast<const char *>(words.data()), Py_ssize_t(words.size() * 8))));
  bool isReady = bool(segment.executable);
  auto [runs, nanoseconds] = timesOf(segment);
  return Object(
      check(Py_BuildValue("{s:s,s:s,s:O,s:n,s:L,s:L,s:d,s:O,s:O,s:s,s:s,s:O,s:L,s:O,s:O,s:O,s:O}", "state",
                          code             ? kStates[code->state]
                          : segment.device ? "interpreted"
                                           : "ready",
                          "error", code && code->state == Code::Failed ? code->error.c_str() : segment.why.c_str(), "inputs", inputs.get(),
                          "ops", Py_ssize_t(segment.ops), "kernels", isReady ? segment.executable->info.kernels : int64_t(0),
                          "workspace_bytes", int64_t(segment.workspaceBytes), "milliseconds", isReady ? code->result.milliseconds : 0.0,
                          "from_cache", isReady && code->result.fromCache ? Py_True : Py_False, "any_size",
                          segment.isOpen() ? Py_True : Py_False, "apart", segment.apart.c_str(), "device", nameOf(segment.device).c_str(),
                          "loops", loopsOf(step).get(), "timed_runs", runs, "_nanoseconds", listOf(nanoseconds).get(), "_sizes",
                          listOf(segment.values.symbols).get(), "_places", placesOf(step).get(), "_program", program.get())));
}

/// The nodes of a tree: each with its parent, the value that leads to it, its step, and how it ends.
Object nodesOf(const Tree &tree) {
  constexpr const char *kEnds[] = {"unknown", "return", "guard", "python", "raise", "eager"};
  std::unordered_map<const Node *, Py_ssize_t> parents;
  std::unordered_map<const Step *, Py_ssize_t> steps;
  std::vector<Object> values(tree.nodes.size());
  std::vector<Py_ssize_t> parent(tree.nodes.size(), -1);
  for (size_t i = 0; i < tree.steps.size(); ++i) steps[tree.steps[i].get()] = Py_ssize_t(i);
  for (size_t i = 0; i < tree.nodes.size(); ++i) parents[&tree.nodes[i]] = Py_ssize_t(i);
  for (size_t i = 0; i < tree.nodes.size(); ++i)
    for (auto &[bits, child] : tree.nodes[i].children) {
      size_t at = size_t(parents[child]);
      values[at] = Object(check(valueOf(bits, *tree.nodes[i].step)));
      parent[at] = Py_ssize_t(i);
    }
  Object list(check(PyList_New(0)));
  for (size_t i = 0; i < tree.nodes.size(); ++i) {
    const Node &node = tree.nodes[i];
    bool isGuard = node.terminator == Node::Guard;
    std::string asks = isGuard ? placeOf(node.step->at) + node.step->why : "";
    list = add(list, Py_BuildValue("{s:n,s:O,s:n,s:s,s:s,s:s,s:L}", "parent", parent[i], "value", values[i] ? values[i].get() : Py_None,
                                   "step", node.step ? steps[node.step] : Py_ssize_t(-1), "ends", kEnds[node.terminator], "asks",
                                   asks.c_str(), "why", node.why.c_str(), "hits", node.hits));
  }
  return list;
}

Object variantOf(JitState &state, Tree &tree) {
  Object guards(check(PyList_New(0))), steps(check(PyList_New(0)));
  for (const Guard &g : stateOf(tree).guards) {
    // Not a name that is absent, nor the code of every function: a person asks what values decide.
    if (!g.expected || g.place.kind == Place::Part) continue;
    guards = add(guards, Py_BuildValue("(sO)", g.place.describe().c_str(), g.expected.get() ? g.expected.get() : Py_None));
  }
  for (auto &[place, value] : stateOf(tree).numbers.describe()) guards = add(guards, Py_BuildValue("(sO)", place.c_str(), value));
  if (!tree.isEager())
    for (auto &step : std::vector(tree.steps)) steps = add(steps, stepOf(state, *step).release());
  Object hot = Object::borrow(Py_None);
  if (tree.hot && !tree.isEager()) {
    hot = stepOf(state, tree.hot->step);
    Object hits(check(PyLong_FromLongLong(tree.hot->hits))), length(check(PyLong_FromSize_t(tree.hot->nodes.size())));
    if (PyDict_SetItemString(hot.get(), "hits", hits.get()) || PyDict_SetItemString(hot.get(), "length", length.get())) throw PythonError();
  }
  return Object(check(Py_BuildValue("{s:L,s:L,s:s,s:O,s:O,s:O,s:O}", "hits", tree.hits, "peak_bytes", peakBytes(tree), "eager",
                                    tree.isEager() ? tree.root().why.c_str() : "", "guards", guards.get(), "steps", steps.get(), "hot",
                                    hot.get(), "nodes", (tree.isEager() ? Object(check(PyList_New(0))) : nodesOf(tree)).get())));
}

} // namespace

PyObject *entriesOf(JitState &state) {
  return guarded([&] {
    Object list(check(PyList_New(0)));
    for (auto &tree : std::vector(state.trees())) list = add(list, variantOf(state, *tree).release());
    return list.release();
  });
}

PyObject *againOf(JitState &state) {
  return guarded([&] {
    Object list(check(PyList_New(0)));
    for (const JitState::RecordedAgain &r : state.again) list = add(list, Py_BuildValue("(sd)", r.why.c_str(), 1e3 * r.seconds));
    return list.release();
  });
}

} // namespace kiln::py
