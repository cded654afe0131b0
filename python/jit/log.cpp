#include "log.h"
#include "results.h"

#include <algorithm>
#include <cstdio>

namespace kiln::py {

unsigned logged = 0;

namespace {

/// Numbers and texts as they are, and of anything else the type: showing it would run code of the user.
std::string show(PyObject *value) {
  if (!value) return "nothing";
  bool isPlain = value == Py_None || PyBool_Check(value) || PyLong_CheckExact(value) || PyFloat_CheckExact(value) ||
                 PyComplex_CheckExact(value) || PyUnicode_CheckExact(value);
  if (!isPlain) return std::string("a ") + Py_TYPE(value)->tp_name;
  Object text(check(PyObject_Repr(value)));
  const char *utf8 = PyUnicode_AsUTF8(text.get());
  return utf8 ? utf8 : (PyErr_Clear(), "a text");
}

std::string showTypes(std::span<Array *const> arrays) {
  constexpr size_t kMost = 8;
  std::string text;
  for (size_t i = 0; i < arrays.size() && i < kMost; ++i) text += (i ? ", " : "") + toString(arrays[i]->type());
  return text + (arrays.size() > kMost ? ", ..." : "");
}

} // namespace

std::string milliseconds(double seconds) {
  char text[32];
  std::snprintf(text, sizeof text, "%.3g ms", 1e3 * seconds);
  return text;
}

void writeLog(Log kind, const JitState &state, const std::string &text) {
  constexpr const char *kNames[] = {"compile", "cache", "guards"};
  ErrorAside error;
  Object done(PyObject_CallFunction(side().log, "Oss", state.function.get(), kNames[size_t(kind)], text.c_str()));
  PyErr_Clear(); // of the line alone
}

std::string describeDifference(const JitState &state, const Arguments &arguments) {
  const Tree *last = state.last() ? state.last() : state.trees().empty() ? nullptr : state.trees().back().get();
  if (!last) return "first call";
  if (!(last->key == arguments.key)) {
    auto now = std::span(arguments.key.words).first(KeyBuilder::kFirst);
    if (!std::ranges::equal(now, std::span(last->key.words).first(KeyBuilder::kFirst)))
      return "a setting that results may depend on is another one: the default dtype or device, or the number of threads";
    std::string difference = kiln::describeDifference(last->key.words, arguments.key.words);
    if (difference.size()) return "an argument " + difference;
    return "arguments are of another kind than at the last call: " + showTypes(arguments.key.arrays);
  }
  for (const Guard &guard : stateOf(*last).guards)
    if (!guard.holds()) return guard.place.describe() + " was " + show(guard.expected.get()) + ", is " + show(guard.place.read().get());
  return "what it reads by name has changed";
}

} // namespace kiln::py
