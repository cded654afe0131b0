// The ways of calls through a function that asks for values, for packages: calls are recorded as jitted functions record them, until there
// is a tree that has all of them, with loops in the place of trips. They compute and write what they are given; what would do more is ended
// before it does. Where a truth value was asked for and one answer is known, such a call is told the other one: what it does then is
// recorded, too, as a call whose values say so would do it.
#include "exploration.h"
#include "results.h"

#include "frontend/tree/Folding.h"

#include <algorithm>
#include <set>

namespace kiln::py {
namespace {

/// Whether an array has the elements that are such numbers in Python, for all values.
bool isKindOf(DType dtype, PyTypeObject *type) {
  if (type == &PyFloat_Type) return isFloat(dtype);
  return type == &PyLong_Type && isInteger(dtype) && dtype != DType::U64;
}

/// What is known of a function from one recording to the next.
struct Scout {
  JitState state;
  std::vector<Run> runs;
};

class WaysRecorder {
public:
  WaysRecorder(Scout &scout, PyObject *again, PyObject *numbers, PyObject *taken)
      : scout(scout), state(scout.state), again(again), taken(taken), isReplayed(numbers == Py_None) {
    for (Py_ssize_t i = 0; !isReplayed && i < PyList_GET_SIZE(numbers); ++i)
      examples.push_back({PyLong_AsSsize_t(PyList_GET_ITEM(numbers, i))});
    if (isReplayed) examples = scout.runs;
    how.refuse = [](const std::string &why) { PyErr_SetString(side().leave, why.c_str()); };
    how.readEnd = [this](Recorder &r, StateSearch &search, PyObject *result, Ending &ending) { return readEnd(r, search, result, ending); };
  }

  /// The tree; null where there is none.
  Object run() {
    if (!Reader::canRead(state.function.get())) return Object();
    constexpr int kMostGenerations = 4;
    bool isRecorded = isReplayed || recordAll(true); // which only finds numbers that change
    for (int i = 0; isRecorded && i < kMostGenerations && (i == 0 || state.moments.knowsMore(tree->carrying)); ++i)
      isRecorded = recordAll(false);
    if (!isRecorded && hasOtherLoops) mayFold = false, isRecorded = recordAll(false); // as chains
    for (; isRecorded && !isComplete && !isReplayed && explored.flips != Flips::None;
         isRecorded = recordAll(false)) // fewer ways fit together
      explored.flips = explored.flips == Flips::All ? Flips::OfArrays : Flips::None;
    if (!isRecorded || !isComplete || !tree->root().step) return Object();
    if (isReplayed) scout.runs.clear();
    for (Run &run : explored.runs)
      if (run.isOfUse ? run.isNew : isReplayed) scout.runs.push_back(std::move(run)); // what does not fit here may fit at other sizes
    return describe();
  }

private:
  Scout &scout;
  JitState &state;
  PyObject *again, *taken;
  const bool isReplayed;
  std::vector<Run> examples; // to begin with
  Apart how;
  std::shared_ptr<Tree> tree;
  Exploration explored;
  int64_t longest = 0;                        // of the calls of examples, in instructions
  bool isScouting = false, isExample = true;  // the call under way
  bool isFirst = true;                        // of the tree
  bool mayFold = true, hasOtherLoops = false; // paths have others in the same places: then there are none
  bool isComplete = false;                    // the last round has met nothing new
  std::vector<Object> results; // by number: (what `taken` said of it, where each of its numbers is among the sources of the end, or None)
  std::vector<Object> arrays;  // of the last call that was recorded
  Object given, now;           // of these the copies of an example; of the call under way

  /// Records all calls into a new tree; false where that of an example cannot be.
  bool recordAll(bool scouts) {
    constexpr int kMostRounds = 4; // paths with more ways through a loop than those before change the tree
    isScouting = scouts, isFirst = true, isComplete = false;
    tree = std::make_shared<Tree>();
    tree->mayFold = mayFold;
    if (mayFold && state.moments.knowsMore(0)) tree->carrying = state.moments.keep();
    results.clear();
    explored.start(examples);
    std::vector<Run> &runs = explored.runs;
    for (int i = 0; i < (scouts ? 1 : kMostRounds) && !isComplete; ++i) {
      isComplete = true;
      for (size_t k = 0; k < runs.size(); ++k) { // which get more meanwhile
        if (runs[k].isOfUse) recordRun(k);
        if (!runs[k].isOfUse && runs[k].flips.empty() && !isReplayed) return false;
        bool isEnough = !scouts && mayFold && state.moments.knowsMore(tree->carrying); // the next tree has other loops
        if (isEnough) return true;
      }
    }
    return true;
  }

  void recordRun(size_t k) {
    Run run = explored.runs[k];
    std::vector<Recorder::Answered> answered;
    how.flips = isReplayed ? std::set<int64_t>() : run.flips;
    how.given = isReplayed ? &run.answers : nullptr;
    how.answered = &answered;
    isExample = run.flips.empty();
    bool isNew = false;
    run.isOfUse = record(run, isNew);
    run.isNew |= isNew;
    if (!isReplayed && !isScouting && run.isOfUse) explored.findOneSided(run, answered);
    if (!isReplayed) run.answers = std::move(answered);
    isComplete &= !isNew;
    explored.runs[k] = std::move(run);
  }

  bool record(const Run &run, bool &isNew) {
    Object call(check(PyObject_CallFunction(again, "n", run.example)));
    PyObject *args, *kwargs, *own;
    if (!PyArg_ParseTuple(call.get(), "O!O!O!", &PyTuple_Type, &args, &PyDict_Type, &kwargs, &PyList_Type, &own)) throw PythonError();
    bool isRecorded = false;
    readCall(state, args, kwargs, [&](const Call &made, Arguments &arguments) {
      now = Object::borrow(own);
      how.writable.clear();
      for (Py_ssize_t i = 0; i < PyList_GET_SIZE(own); ++i)
        how.writable.insert(int(std::ranges::find(arguments.arrays, PyList_GET_ITEM(own, i)) - arguments.arrays.begin()));
      isRecorded = record(run, made, arguments, isNew);
    });
    return isRecorded;
  }

  bool record(const Run &run, const Call &call, Arguments &arguments, bool &isNew) {
    struct Now { // while the call is under way
      std::span<const GivenNumber> numbers = givenNumbers;
      Anchors *anchors = callAnchors;
      explicit Now(Arguments &arguments) { givenNumbers = arguments.given, callAnchors = &arguments.anchors; }
      ~Now() { givenNumbers = numbers, callAnchors = anchors; }
    } now(arguments);
    if (arguments.why.size()) return false;
    if (isFirst) {
      auto unknown = std::make_unique<PythonState>();
      unknown->unanalysed = "it is exported";
      tree->key = arguments.key.finish();
      tree->watched = std::move(unknown);
    } else if (!fits(*tree, arguments)) {
      return false;
    }
    constexpr int64_t kTimes = 4, kLeast = 2000; // what no value leads to may go on for ever
    how.mostSteps = run.flips.empty() || isReplayed ? -1 : kTimes * longest + kLeast;
    Recorded recorded = recordCall(state, *tree, call, arguments, &how);
    bool isLeft = !recorded.result && PyErr_Occurred();
    bool isOwn = isLeft && !PyErr_ExceptionMatches(side().leave) && PyErr_ExceptionMatches(PyExc_Exception); // the function's error
    bool isInterrupt = isLeft && !isOwn && !PyErr_ExceptionMatches(side().leave);
    if (isInterrupt || (isOwn && isReplayed && run.flips.empty())) throw PythonError(); // the way of an example raises at these sizes
    PyErr_Clear();
    if (!recorded.result || recorded.path.why.size() || !recorded.search->isOf(stateOf(*tree))) return false;
    if (run.flips.empty()) longest = std::max(longest, recorded.search->reading().steps);
    bool isSame = !isReplayed || *how.answered == run.answers; // also what Python answered itself
    return isSame && add(run, recorded, arguments, isNew);
  }

  bool add(const Run &run, Recorded &recorded, const Arguments &arguments, bool &isNew) {
    if (mayFold && !tree->takeTrips(recorded.path)) return hasOtherLoops = true, isScouting;
    adoptSearch(*tree, recorded);
    given = now;
    arrays.clear();
    for (PyObject *array : arguments.arrays) arrays.push_back(Object::borrow(array));
    std::vector<Exploration::Question> asked = explored.questionsOf(recorded.path.pieces);
    asked.pop_back();
    isFirst = false;
    isNew = tree->add(std::move(recorded.path)).first;
    if (!isScouting && !isReplayed) explored.findOpen(*tree, run, asked);
    return true;
  }

  /// The arrays of the result, then those of its numbers that are values.
  std::string readEnd(Recorder &r, StateSearch &search, PyObject *result, Ending &ending) {
    const PythonState &read = *search.state;
    if (read.stores.size() || read.risky.size()) return "it does more than compute";
    Object parts(PyObject_CallFunctionObjArgs(taken, result, isExample ? Py_True : Py_False, nullptr));
    if (!parts && !PyErr_ExceptionMatches(PyExc_Exception)) throw PythonError();
    if (!parts) return PyErr_Clear(), "its result is of another form";
    PyObject *said, *leaves, *numbers;
    if (!PyArg_ParseTuple(parts.get(), "OO!O!", &said, &PyList_Type, &leaves, &PyList_Type, &numbers)) throw PythonError();
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(leaves); ++i) {
      int64_t slot = r.slotOf(arrayOf(PyList_GET_ITEM(leaves, i)));
      if (slot < 0) return "the result has an array in it that the recording does not know";
      ending.results.push_back(r.output(slot));
    }
    std::vector<Object> places;
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(numbers); ++i) {
      int formula = read.formulaOf(PyList_GET_ITEM(numbers, i));
      bool isFixed =
          formula < 0 || !read.numbers.isLate(formula) || std::ranges::count(read.fixed, formula, [](auto &f) { return f.first; });
      places.push_back(isFixed ? Object::borrow(Py_None) : Object(check(PyLong_FromSize_t(ending.results.size()))));
      if (isFixed) continue;
      auto told = std::ranges::find(read.told, formula, [](auto &t) { return t.first; });
      bool isValue = read.numbers.at(formula).kind == Formula::Value && told != read.told.end() && told->second >= 0;
      if (!isValue) return "the result has a number in it that Python computes of values";
      const Array &array = r.told[size_t(told->second)].array;
      if (!isKindOf(array.dtype, read.numbers.at(formula).type)) return "the result has a number of another kind than its array";
      ending.results.push_back(r.output(r.cellSlot(array.storage.get())));
    }
    for (auto &[input, slot] : r.written()) ending.commits.push_back({input, r.output(slot)});
    ending.result.index = int(results.size());
    results.emplace_back(check(Py_BuildValue("(ON)", said, listOf(places).release())));
    return "";
  }

  //===-- for Python ------------------------------------------------------------------------------------------------===//

  /// (nodes, arrays of a call, and those of them that are copies of an example's).
  Object describe() {
    std::vector<const Node *> nodes = {&tree->root()};
    std::vector<Object> described, entries;
    for (size_t i = 0; i < nodes.size(); ++i) described.push_back(describe(*nodes[i], nodes));
    for (int place : tree->entries) entries.push_back(arrays[size_t(place)]);
    return Object(check(Py_BuildValue("(NNO)", listOf(described).release(), listOf(entries).release(), given.get())));
  }

  /// (words, inputs, live, asked, why, is loop, answers, end): what it asks for, or None; whether that ends a loop; by the bits of each
  /// answer the number of a node; and where the call ends there, (contents of inputs that are written, sources of the results, the result),
  /// or None.
  Object describe(const Node &node, std::vector<const Node *> &nodes) {
    const Step &step = *node.step;
    bool isEnd = node.terminator == Node::Return;
    std::vector<int64_t> words = step.segment.trace->serialize();
    std::vector<Object> answers;
    for (auto &[value, child] : node.children) {
      if (!child->step) continue; // it was left for another way
      answers.emplace_back(check(Py_BuildValue("(y#n)", value.data(), Py_ssize_t(value.size()), Py_ssize_t(nodes.size()))));
      nodes.push_back(child);
    }
    bool isLoop = step.loop && step.loop->isComplete(); // it is left by the other answer, or by an integer that may be too large
    std::string why = isEnd ? "" : placeOf(step.at) + step.why;
    return Object(check(Py_BuildValue("(y#NNNsNNN)", reinterpret_cast<const char *>(words.data()), Py_ssize_t(words.size() * 8),
                                      pairsOf(step.inputs).release(), pairsOf(step.live).release(),
                                      (isEnd ? Object::borrow(Py_None) : pairOf(step.asked)).release(), why.c_str(),
                                      Object::borrow(isLoop ? Py_True : Py_False).release(), listOf(answers).release(),
                                      (isEnd ? describe(*node.ending) : Object::borrow(Py_None)).release())));
  }
  Object describe(const Ending &ending) {
    std::vector<Object> written;
    for (const Commit &c : ending.commits) written.emplace_back(check(Py_BuildValue("(iN)", c.entry, pairOf(c.content).release())));
    return Object(check(
        Py_BuildValue("(NNO)", listOf(written).release(), pairsOf(ending.results).release(), results[size_t(ending.result.index)].get())));
  }
};

} // namespace

PyObject *recordWays(JitState &state, PyObject *given) {
  constexpr const char *kName = "kiln.ways";
  PyObject *again, *numbers, *taken, *before;
  if (!PyArg_ParseTuple(given, "OOOO", &again, &numbers, &taken, &before)) throw PythonError();
  Object known = Object::borrow(before);
  if (before == Py_None) {
    auto scout = std::make_unique<Scout>();
    scout->state.function = Object::borrow(state.function.get());
    scout->state.options = state.options;
    known = Object(check(
        PyCapsule_New(scout.get(), kName, [](PyObject *capsule) { delete static_cast<Scout *>(PyCapsule_GetPointer(capsule, kName)); })));
    scout.release();
  }
  auto *scout = static_cast<Scout *>(PyCapsule_GetPointer(known.get(), kName));
  if (!scout) throw PythonError();
  Object found = WaysRecorder(*scout, again, numbers, taken).run();
  if (!found) Py_RETURN_NONE;
  return Py_BuildValue("(NN)", found.release(), known.release());
}

} // namespace kiln::py
