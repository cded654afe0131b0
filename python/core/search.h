// The search for what a call reads, while it is recorded (frontend/frames/Reader.h): where the analysis of its code cannot say.
#pragma once

#include "jit.h"

#include "frontend/frames/Reader.h"

namespace kiln::py {

class StateSearch final : public ReadListener {
public:
  /// For a call of a tree that watches `known` already; `holders` are those of the arrays of the call (results.h).
  StateSearch(PyObject *function, const PythonState &known, Arguments &arguments, Recorder &recorder, std::vector<int32_t> &holders)
      : state(std::make_unique<PythonState>(known)), arguments(arguments), recorder(recorder), holders(holders),
        words(arguments.key.words.size()), arrays(known.arrays.size()), reader(*state, *this, function, arguments.passed, arguments.values),
        isStarted(reader.start()) {}

  std::unique_ptr<PythonState> state; // with what was found
  std::vector<int64_t> captured;      // words of the arrays that were found, as a key has them

  /// The call is over: why it cannot be watched, or nothing.
  std::string finish() {
    captured.assign(arguments.key.words.begin() + ptrdiff_t(words), arguments.key.words.end());
    arguments.key.words.resize(words);
    if (!isStarted) return "its frames cannot be read";
    reader.finish();
    return reader.why;
  }
  size_t newArrays() const { return captured.empty() ? 0 : state->arrays.size() - arrays; }

  void addInput(PyObject *array) override {
    if (recorder.cellSlot(arrayOf(array).storage.get()) >= 0) recorder.giveUp("an array is read by name that the call made");
    arguments.addCaptured(array);
    recorder.addInput(arrayOf(array));
    holders.push_back(arrayOf(array).storage->refs.load());
  }

private:
  Arguments &arguments;
  Recorder &recorder;
  std::vector<int32_t> &holders;
  size_t words, arrays; // before the call
  Reader reader;
  bool isStarted;
};

} // namespace kiln::py
