// What a jitted function knows besides its trees: numbers that change, and what was told.
#include "jit.h"
#include "log.h"
#include "results.h"

#include <algorithm>

namespace kiln::py {

bool JitState::opensNumbers(const Arguments &arguments) {
  constexpr int kChanges = 2;
  constexpr size_t kMostPaths = 4096;
  if (!Reader::canRead(function.get())) return false;
  bool opens = false;
  for (const GivenNumber &g : arguments.given) {
    if (g.isOpen || (changing.size() >= kMostPaths && !changing.contains(g.path))) continue;
    Changing &c = changing[g.path];
    if (c.isFixed) continue;
    c.changes += c.last && Py_TYPE(c.last.get()) == Py_TYPE(g.value) && !sameValue(c.last.get(), g.value);
    c.last = Object::borrow(g.value);
    if (c.changes < kChanges || options.parameters.isOpen(g.path)) continue;
    options.parameters.open.push_back(g.path);
    options.parameters.hasOpened = true;
    std::ranges::sort(options.parameters.open);
    opens = true;
  }
  return opens;
}

bool JitState::opensObjects(const Arguments &arguments) {
  constexpr int kMostObjects = 8;
  if (!Reader::canRead(function.get())) return false;
  bool changes = false;
  for (const GivenObject &o : arguments.objects) {
    if (changingObjects.size() <= size_t(o.parameter)) changingObjects.resize(size_t(o.parameter) + 1);
    ChangingObject &c = changingObjects[size_t(o.parameter)];
    if (c.isFixed) continue;
    std::vector<int64_t> words(arguments.key.words.begin() + ptrdiff_t(o.first), arguments.key.words.begin() + ptrdiff_t(o.end));
    bool isSame = c.last && c.last.get() == o.object;
    options.parameters.byPlace.resize(options.parameters.names.size());
    Object &open = options.parameters.byPlace[size_t(o.parameter)];
    if (o.isOpen && !isSame && ++c.others > kMostObjects) {
      open = Object();
      c.isFixed = changes = true;
    } else if (!o.isOpen && isSame && words != c.words && PyType_SUPPORTS_WEAKREFS(Py_TYPE(o.object))) {
      open = Object::borrow(reinterpret_cast<PyObject *>(Py_TYPE(o.object)));
      changes = true;
    }
    c.last = Held(o.object);
    c.words = std::move(words);
  }
  return changes;
}

bool JitState::closeObjects(const Arguments &arguments) {
  bool changes = false;
  for (const GivenObject &o : arguments.objects) {
    if (!o.isOpen) continue;
    changingObjects[size_t(o.parameter)].isFixed = changes = true;
    options.parameters.byPlace[size_t(o.parameter)] = Object();
  }
  return changes;
}

void JitState::closeNumbers(const Arguments &arguments, std::span<const Py_ssize_t> numbers) {
  for (Py_ssize_t number : numbers) {
    const GivenNumber &given = arguments.given[size_t(number)];
    if (given.isOpen) changing[given.path].isFixed = true;
    std::erase(options.parameters.open, given.path);
  }
}

void JitState::note(const std::string &why, const char *what) {
  if (why.empty() || !told.insert(why).second) return;
  Object(check(what ? PyObject_CallFunction(side().note, "Oss", function.get(), why.c_str(), what)
                    : PyObject_CallFunction(side().note, "Os", function.get(), why.c_str())));
}

void JitState::noteAgain(const std::string &what, double seconds) {
  constexpr size_t kMost = 64;
  again.push_back({what, seconds});
  if (again.size() > kMost) again.pop_front();
  if (logs(Log::Guards)) writeLog(Log::Guards, *this, what + ": recorded again in " + milliseconds(seconds));
}

void JitState::codeIsThere(const Step &step, bool isCompiled) {
  Log kind = isCompiled ? Log::Compile : Log::Cache;
  if (!logs(kind)) return;
  const Segment &s = step.segment;
  auto at = std::ranges::find_if(step.locations, [](const Location &l) { return l.code != nullptr; });
  writeLog(kind, *this,
           (at == step.locations.end() ? "" : placeOf(*at)) + std::to_string(s.ops) + " operations in " +
               std::to_string(s.executable->info.kernels) + " kernels, " + (isCompiled ? "" : "found in ") +
               milliseconds(s.code->result.milliseconds * 1e-3));
}

std::vector<SourcePlace> JitState::placesOf(const Step &step) {
  std::vector<SourcePlace> places;
  if (cacheConfig().perfDir.empty()) return places;
  for (const Location &at : step.locations) {
    SourcePlace &place = places.emplace_back();
    if (!at.code) continue;
    Object source(check(PyObject_CallFunction(side().sourceOf, "Oi", static_cast<PyObject *>(at.code), at.instruction)));
    const char *function, *file;
    long long line;
    if (!PyArg_ParseTuple(source.get(), "ssL", &function, &file, &line)) throw PythonError();
    place = {function, file, line};
  }
  return places;
}

void JitState::noteMiss(const std::string &why, const char *what) {
  if (logs(Log::Guards)) writeLog(Log::Guards, *this, (what ? what : "calls run in eager: ") + why);
  if (options.raiseOnMiss)
    throw Error(ErrorKind::Trace, "jitted function: expected one that compiles (on_miss=\"raise\"), got one that runs in eager: " + why);
  note(why, what);
}

int JitState::visit(visitproc visit, void *arg) const {
  Py_VISIT(function.get());
  for (const Object &name : options.parameters.names) Py_VISIT(name.get());
  for (const Object &type : options.parameters.byPlace) Py_VISIT(type.get());
  for (const ChangingObject &c : changingObjects) Py_VISIT(c.last.visited());
  if (int status = moments.visit(visit, arg)) return status;
  Py_VISIT(options.parameters.staticNames.get());
  std::vector<Tree *> all;
  for (auto &tree : trees())
    for (Tree *t = tree.get(); t; t = t->other.get()) all.push_back(t);
  for (Tree *entry : all) {
    for (const HostObject &o : entry->key.objects) Py_VISIT(static_cast<PyObject *>(o.get()));
    for (const HostObject &o : entry->codes) Py_VISIT(static_cast<PyObject *>(o.get()));
    if (int status = entry->watched ? stateOf(*entry).visit(visit, arg) : 0) return status;
    for (const Node &node : entry->nodes)
      if (int status = node.ending ? visitEnding(*node.ending, visit, arg) : 0) return status;
  }
  return 0;
}

} // namespace kiln::py
