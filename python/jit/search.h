// The search for what a call reads, while it is recorded (frontend/frames/Reader.h): where the analysis of its code cannot say.
#pragma once

#include "jit.h"

#include "frontend/frames/Reader.h"

#include <algorithm>

namespace kiln::py {

class StateSearch final : public ReadListener {
public:
  /// For a call of a tree that watches `known` already; `holders` are those of the arrays of the call (results.h).
  StateSearch(const JitState &jitted, const Tree &tree, Arguments &arguments, Recorder &recorder, std::vector<int32_t> &holders)
      : StateSearch(jitted, tree, stateOf(tree), arguments, recorder, holders) {}

  std::unique_ptr<PythonState> state; // with what was found
  std::vector<int64_t> captured;      // words of the arrays that were found, as a key has them

  /// The call is over: why it cannot be watched, or nothing.
  std::string finish() {
    captured.assign(arguments.key.words.begin() + ptrdiff_t(words), arguments.key.words.end());
    arguments.key.words.resize(words);
    if (!isStarted) return "its frames cannot be read";
    reader.finish();
    state->findKnown();
    return reader.why;
  }
  void giveNumber(PyObject *apart, Py_ssize_t number) { reader.giveNumber(apart, number); }
  void giveItem(const GivenNumber &given, Py_ssize_t number) { reader.giveItem(given, number); }
  size_t newArrays() const { return captured.empty() ? 0 : state->arrays.size() - arrays; }
  /// Whether nothing was added to what the tree watches since the search began.
  bool isOf(const PythonState &tree) const {
    return tree.arrays.size() == arrays && tree.guards.size() == guards && tree.numbers.size() == numbers;
  }

  void addInput(PyObject *array) override {
    if (recorder.cellSlot(arrayOf(array).storage.get()) >= 0) recorder.giveUp("an array is read by name that the call made");
    arguments.addCaptured(array);
    recorder.addInput(arrayOf(array));
    holders.push_back(arrayOf(array).storage->refs.load());
  }
  const Array &inputAt(size_t number) override { return arrayOf(arguments.arrays[first + number]); }
  void tellNext(bool tells) override { recorder.tells = tells; }
  int told() override { return int(recorder.told.size()); }
  void dependOn(int told) override { recorder.cutBy(recorder.told[size_t(told)]); }
  void forget(int told) override { recorder.told[size_t(told)].array = Array(); }
  Object asItIs(PyObject *array) override { return Object(check(wrap(recorder.asItIs(arrayOf(array))))); }
  void setAside(bool isAside) override { recorder.isAside = isAside; }
  const Array &arrayOf(PyObject *array) override { return py::arrayOf(array); }
  Object objectOf(Array array) override { return Object(check(wrap(std::move(array)))); }
  bool isMade(const Array &array) override { return recorder.cellSlot(array.storage.get()) >= 0; }
  const Array &arrayTold(int told) override { return recorder.told[size_t(told)].array; }
  int tell(const Array &array) override {
    recorder.told.push_back({array, "a number is asked for", recorder.locate ? recorder.locate() : Location()});
    return int(recorder.told.size()) - 1;
  }
  bool ask(const Array &answer) override { return recorder.ask(answer, "a number that changes is compared"); }
  Reader &reading() { return reader; }
  void addAnchor(int number, PyObject *object) override { arguments.anchors.set(number, object); }
  int changes(const Place &place, PyObject *object) override {
    return countOthers([&](const Guard &g) { return g.isOfOther(place, object); });
  }
  int misses(const Place &place, PyObject *number) override {
    return countOthers([&](const Guard &g) { return g.isOfAnother(place, number); });
  }

private:
  /// How many other recordings of such calls have a guard of a kind.
  template <typename Is> int countOthers(const Is &is) const {
    auto hasOne = [&](auto &t) {
      return t.get() != &tree && t->key == tree.key && t->watched && std::ranges::any_of(stateOf(*t).guards, is);
    };
    return int(std::ranges::count_if(jitted.trees(), hasOne));
  }

  const JitState &jitted;
  const Tree &tree;
  Arguments &arguments;
  Recorder &recorder;
  std::vector<int32_t> &holders;
  size_t words, arrays, guards, numbers, first; // before the call; the first of the arrays that are read by name
  Reader reader;
  bool isStarted;

  StateSearch(const JitState &jitted, const Tree &tree, const PythonState &known, Arguments &arguments, Recorder &recorder,
              std::vector<int32_t> &holders)
      : state(std::make_unique<PythonState>(known.forCall())), jitted(jitted), tree(tree), arguments(arguments), recorder(recorder),
        holders(holders), words(arguments.key.words.size()), arrays(known.arrays.size()), guards(known.guards.size()),
        numbers(known.numbers.size()), first(arguments.arrays.size() - arrays),
        reader(*state, *this, jitted.function.get(), arguments.passed, arguments.values), isStarted(reader.start()) {}
};

} // namespace kiln::py
