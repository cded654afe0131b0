// Finds while a call is recorded for a package what it would do beside computing: stores to objects that exist before the call, prints,
// and what is another one at each call, such as clocks. Nothing of that happens: the call ends there. What it reads is not judged.
#pragma once

#include "frontend/frames/Hook.h"
#include "frontend/frames/Values.h"

#include <functional>
#include <span>
#include <string>
#include <unordered_set>
#include <utility>

namespace kiln::py {

/// The objects of the process at one time, told apart from those that are made later.
class Existing {
public:
  /// Takes those that there are; once.
  void take();
  bool has(PyObject *o) const { return objects.contains(o); }
  void add(PyObject *o);
  /// Lets them go: they may be what holds this.
  void forget() {
    objects.clear();
    std::exchange(kept, {});
  }

private:
  std::vector<Object> kept; // no other object takes their place
  std::unordered_set<PyObject *> objects;
};

class EffectWatch final : public InstructionWatcher {
public:
  /// Is called with where the call would do what, before it does; sets an error of Python.
  using Refuse = std::function<void(const std::string &what)>;
  /// `passed` are containers among the arguments.
  EffectWatch(Existing &existing, std::span<PyObject *const> passed, Refuse refuse);

  /// Whether all was seen so far.
  bool isWhole() const { return hook.isWhole(); }
  /// Empties the caches of functions (functools.cache) that were called: what they keep may be of a recording that is of no use.
  void forgetResults();

  bool follows(PyCodeObject *code) override;
  void before(const Frame &frame, const Instruction &instruction, int offset) noexcept override;

private:
  Existing &existing;
  Refuse refuse;
  Values values;
  Frame caller; // of the call
  std::unordered_set<PyObject *> passed;
  std::vector<Object> caches;
  PyObject *names = nullptr; // of the arguments of the next call, before CPython 3.13
  Hook hook;

  /// What a call is given: the arguments, the last ones by name.
  struct Given {
    std::vector<PyObject *> all;
    PyObject *names = nullptr;
    PyObject *first() const { return all.empty() ? nullptr : all[0]; }
    PyObject *named(const char *name) const;
  };

  bool exists(PyObject *o) const { return o && !isArray(o) && (existing.has(o) || passed.contains(o)); }
  bool isImporting(Frame frame) const;
  std::string judge(const Frame &frame, const Instruction &instruction);
  std::string change(PyObject *o, const char *method) const;
  std::string storeAttribute(PyObject *o, PyObject *name) const;
  std::string goesOn(PyObject *iterator) const;
  void openAttributes(PyObject *o);
  std::string call(const Instruction &instruction, std::string_view name, PyObject **top);
  std::string call(PyObject *callee, Given given);
  std::string callOfPackage(Known kind, PyObject *callee, const Given &given) const;
  std::string callNative(PyObject *callee, Given given);
  std::string callFunction(std::string_view module, std::string_view name, const Given &given);
  std::string callMethod(std::string_view name, PyObject *self) const;
};

} // namespace kiln::py
