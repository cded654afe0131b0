// Recordings of calls that are not run: arrays that they make have no values.
#include "jit.h"
#include "results.h"

#include "lib/Package/Programs.h"

#include <algorithm>
#include <functional>

namespace kiln::py {
namespace {

/// What is done with a recorder and the result of its call when the call is over; why it is of no use, or nothing.
using AtEnd = std::function<std::string(Recorder &recorder, PyObject *result)>;

/// Records a call, for a tree that watches what it reads. Throws Error (trace) where the call would run in eager.
void recordCall(JitState &state, Tree &tree, const Call &call, Arguments &arguments, const char *what, const AtEnd &atEnd) {
  std::string why = arguments.why.empty() ? watch(tree, state.function.get(), arguments) : arguments.why;
  if (why.empty()) why = stateOf(tree).unanalysed;
  if (why.empty()) {
    Recorder r(Recorder::Abstract);
    r.isFast = state.options.isFast;
    try {
      for (const Array *a : arguments.key.arrays) r.addInput(*a);
      Object result(callRecorded(r, stateOf(tree), call));
      if (!result && r.left.empty()) throw PythonError();
      PyErr_Clear();
      why = r.left.size() ? r.left : atEnd(r, result.get());
    } catch (const LeaveRecording &) { why = r.left; }
  }
  if (why.size())
    throw Error(ErrorKind::Trace, std::string(what) + ": expected a function that records, got one that runs in eager: " + why);
}

} // namespace

std::shared_ptr<Tree> recordAbstract(JitState &state, const Call &call, Arguments &arguments, const char *what) {
  auto tree = std::make_shared<Tree>();
  recordCall(state, *tree, call, arguments, what, [&](Recorder &r, PyObject *result) {
    Path path;
    std::string why = readResult(r, arguments, result, path.ending);
    path.entries = r.inputs();
    path.pieces = r.finish();
    if (why.empty()) tree->add(std::move(path));
    return why;
  });
  return tree;
}

PyObject *interpretTree(Tree &tree, const Arguments &arguments) {
  Ran ran;
  if (run(tree, arguments.key.arrays, runHooks(tree.isLong), ran) != RunStatus::Done)
    throw Error(ErrorKind::Trace, "replay: expected operations that fit the values, got one that fails on them");
  return buildResult(*ran.ending, arguments, ran.results);
}

PyObject *recordForPackage(JitState &state, const Call &call, Arguments &arguments, PyObject *flatten) {
  Tree tree;
  std::vector<int> inputs, written; // among the arrays of the call
  Trace trace;
  recordCall(state, tree, call, arguments, "export", [&](Recorder &r, PyObject *result) -> std::string {
    Object leaves(check(PyObject_CallOneArg(flatten, result)));
    std::vector<int> places = r.inputs();
    for (auto &[input, slot] : r.written()) {
      r.output(slot);
      written.push_back(places[size_t(input)]);
    }
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(leaves.get()); ++i) {
      int64_t slot = r.slotOf(arrayOf(PyList_GET_ITEM(leaves.get(), i)));
      if (slot < 0) return "the result has an array in it that the recording does not know";
      r.output(slot);
    }
    std::vector<Piece> pieces = r.finish();
    for (const Source &source : pieces[0].inputs) inputs.push_back(places[size_t(source.index)]);
    trace = std::move(pieces[0].trace);
    return "";
  });
  std::vector<char> isUsed = usedInputs(trace);
  std::vector<size_t> order;
  auto isArgument = [&](size_t i) { return !arguments.key.arrays[size_t(inputs[i])]->storage->value; };
  for (bool arguing : {true, false})
    for (size_t i = 0; i < inputs.size(); ++i)
      if (isArgument(i) == arguing && (arguing || isUsed[i])) order.push_back(i);
  std::vector<int64_t> words = withInputs(trace, order).serialize();
  Object arrays(check(PyList_New(0))), writes(check(PyList_New(0)));
  for (size_t i : order)
    if (PyList_Append(arrays.get(), arguments.arrays[size_t(inputs[i])])) throw PythonError();
  for (int place : written) {
    auto number = std::ranges::find(order, place, [&](size_t i) { return inputs[i]; }) - order.begin();
    Object object(check(PyLong_FromLong(long(number))));
    if (PyList_Append(writes.get(), object.get())) throw PythonError();
  }
  return Py_BuildValue("(y#OO)", reinterpret_cast<const char *>(words.data()), Py_ssize_t(words.size() * 8), arrays.get(), writes.get());
}

} // namespace kiln::py
