// Recordings of calls that are not run: arrays that they make have no values.
#include "bounds.h"
#include "jit.h"
#include "results.h"

#include "frontend/frames/Effects.h"
#include "frontend/Interpreter.h"
#include "lib/Package/Programs.h"

#include <algorithm>
#include <cstring>
#include <functional>
#include <map>
#include <optional>
#include <string_view>

namespace kiln::py {
namespace {

/// What is done with a recorder and the result of its call when the call is over; why it is of no use, or nothing.
using AtEnd = std::function<std::string(Recorder &recorder, PyObject *result)>;

/// Runs a call under a recorder that takes every operation, whatever code it is in.
PyObject *callUnwatched(Recorder &r, const Call &call, const EffectWatch &effects) {
  r.describe = currentPlace;
  r.locate = [] {
    Location at = currentLocation();
    at.isForeign = false;
    return at;
  };
  Object result(callEager(call));
  ErrorAside error;
  if (r.left.empty() && !effects.isWhole()) r.left = "its instructions could not be followed";
  return result.release();
}

/// `isSeenByCalls`: what a function reads is seen while it runs.
[[noreturn]] void refuse(const char *what, const std::string &why, bool isSeenByCalls) {
  const char *expected = isSeenByCalls ? ": expected a function whose reads its code tells, or a call of it before, got: "
                                       : ": expected a function that records, got one that runs in eager: ";
  throw Error(ErrorKind::Trace, what + std::string(expected) + why);
}

/// Records a call, for a tree that watches what it reads. Where the analysis of a function cannot say what its calls read
/// (docs/architecture.md) a trace that is run later is refused; of a package, which has what was read when it was made, arrays that the
/// call meets become inputs: `existing` is what there is before. Throws Error (trace) where the call would run in eager.
void recordCall(JitState &state, Tree &tree, const Call &call, Arguments &arguments, const char *what, Existing *existing,
                const AtEnd &atEnd, const std::function<void(Recorder &)> &atBegin = {}) {
  std::string why = arguments.why, unwatched;
  if (why.empty()) {
    unwatched = watch(tree, state, arguments, false);
    if (unwatched.empty()) unwatched = stateOf(tree).unanalysed;
    if (!existing) why = unwatched;
    else if (unwatched.size() && !isHookProven()) why = "its frames cannot be read, and the analysis says: " + unwatched;
  }
  if (why.empty()) {
    Recorder r(Recorder::Abstract);
    r.isFast = state.options.isFast;
    if (atBegin) atBegin(r);
    std::optional<EffectWatch> effects;
    Existing none; // what is known by analysis changes its arguments alone
    try {
      for (const Array *a : arguments.key.arrays) r.addInput(*a);
      std::vector<int32_t> held = countHolders(arguments);
      if (unwatched.size()) r.captureOthers(), existing->take();
      if (unwatched.size() || arguments.passed.size())
        effects.emplace(unwatched.size() ? *existing : none, arguments.passed, [&](const std::string &effect) {
          if (r.left.empty()) r.left = effect;
          PyErr_SetString(side().leave, r.left.c_str());
        });
      Object result(unwatched.empty() ? callRecorded(r, stateOf(tree), call) : callUnwatched(r, call, *effects));
      if (!result && r.left.empty()) throw PythonError();
      PyErr_Clear();
      why = r.left;
      if (why.empty() && unwatched.size()) why = findKept(r, arguments, result.get(), {}, held);
      if (why.empty()) why = atEnd(r, result.get());
    } catch (const LeaveRecording &) { why = r.left; }
    if (why.size() && effects) effects->forgetResults();
  }
  if (why.size()) refuse(what, why, why == unwatched && std::string_view(what) == "lower" && Reader::canRead(state.function.get()));
}

} // namespace

std::shared_ptr<Tree> recordAbstract(JitState &state, const Call &call, Arguments &arguments, const char *what) {
  auto tree = std::make_shared<Tree>();
  recordCall(state, *tree, call, arguments, what, nullptr, [&](Recorder &r, PyObject *result) {
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
  RunStatus status = run(tree, arguments.key.arrays, runHooks(tree.isLong), ran);
  if (status == RunStatus::Stopped) throw PythonError();
  if (status != RunStatus::Done)
    throw Error(ErrorKind::Trace, "replay: expected operations that fit the values, got one that fails on them");
  return buildResult(*ran.ending, arguments, ran.results);
}

namespace {

/// The trace of a call, and the arrays that are its inputs: of the call, and others that it met.
struct Recorded {
  Trace trace;
  std::map<std::string, std::string> routines; // of the runtime, by the operations that call them: where the first one was recorded
  std::vector<Object> inputs;
  std::vector<size_t> written; // among the inputs; their contents are the first outputs

  bool isArgument(size_t input) const { return !arrayOf(inputs[input].get()).storage->value; }
  /// Arguments, used or not, then the other inputs that are used.
  std::vector<size_t> order() const {
    std::vector<char> isUsed = usedInputs(trace);
    std::vector<size_t> result;
    for (bool arguing : {true, false})
      for (size_t i = 0; i < inputs.size(); ++i)
        if (isArgument(i) == arguing && (arguing || isUsed[i])) result.push_back(i);
    return result;
  }
};

/// Where operations stand that call routines, which libraries may lack.
std::map<std::string, std::string> routinesIn(const Piece &piece) {
  std::map<std::string, std::string> places;
  size_t slot = 0;
  for (size_t at = 0; at < piece.trace.words.size();) {
    TraceOp entry = Trace::decode(piece.trace.words, at);
    bool isRoutine = entry.op != Op::Input && info(entry.op).kind == Kind::Library;
    if (isRoutine && !places.contains(info(entry.op).name)) places[info(entry.op).name] = placeOf(piece.locations[slot]);
    slot += entry.results;
  }
  return places;
}

/// Ends a recording whose result has these arrays; why it is of no use, or nothing.
std::string finish(Recorder &r, const Arguments &arguments, PyObject *leaves, Recorded &recorded) {
  size_t declared = arguments.key.arrays.size(); // then those that are captured
  for (auto &[input, slot] : r.written()) {
    r.output(slot);
    recorded.written.push_back(size_t(input));
  }
  for (Py_ssize_t i = 0; i < PyList_GET_SIZE(leaves); ++i) {
    int64_t slot = r.slotOf(arrayOf(PyList_GET_ITEM(leaves, i)));
    if (slot < 0) return "the result has an array in it that the recording does not know";
    r.output(slot);
  }
  for (int place : r.inputs())
    recorded.inputs.push_back(size_t(place) < declared ? Object::borrow(arguments.arrays[size_t(place)])
                                                       : Object(check(wrap(r.captured[size_t(place) - declared]))));
  Piece whole = std::move(r.finish()[0]);
  recorded.routines = routinesIn(whole);
  recorded.trace = std::move(whole.trace);
  return "";
}

/// What a recording was told where it asked: what for, where and why, the bits of the answer, and what it can be at most, or -1.
struct Answered {
  TensorType type;
  std::string why, value;
  int64_t bound = -1;
};

/// What an integer that is asked for can be at most, or -1.
int64_t boundOf(const Piece &piece, const TensorType &asked) {
  bool isNumber = piece.asked.kind == Source::Output && isInteger(asked.dtype) && !asked.shape.rank;
  return isNumber ? py::boundOf(piece.trace, piece.trace.outputs[size_t(piece.asked.index)]) : -1;
}

/// Where a recording asks, and why, for a person.
std::string whyOf(const Piece &piece) { return placeOf(piece.at) + piece.why; }

/// What Python is told while a call is recorded: values of an example, by the interpreter; or what another recording was told, at other
/// sizes.
class Answers {
public:
  static constexpr size_t kMostBefore = 8;  // questions before one for a bounded number, where such ones are looked for
  bool isSearch = false;                    // for them: it ends where there are none
  std::vector<Array> entries;               // of the example, in the order of the recorder's
  std::vector<Answered> answered;           // in order; of another recording, as far as it went
  bool areGiven = false, hasOthers = false; // questions
  size_t told = 0;

  Array fromValues(const Piece &piece) {
    std::vector<const Array *> inputs;
    for (const Source &s : piece.inputs) inputs.push_back(&of(s));
    Paused paused;
    made = interpret(piece.trace, inputs, nullptr);
    Array asked = contiguous(of(piece.asked));
    std::vector<Array> next;
    for (const Source &s : piece.live) next.push_back(of(s));
    live = std::move(next);
    std::string bits(asked.data(), size_t(asked.size() * byteSize(asked.dtype)));
    answered.push_back({asked.type(), whyOf(piece), std::move(bits), boundOf(piece, asked.type())});
    if (isSearch && answered.size() == kMostBefore && std::ranges::all_of(answered, [](auto &a) { return a.bound < 0; })) {
      hasOthers = true;
      throw Error(ErrorKind::Trace, "export: expected a question for a bounded number among the first ones, got none");
    }
    ++told;
    return asked;
  }
  /// Throws Error (trace) where the other recording asked for something else, or nothing more.
  Array given(const Piece &piece, const TensorType &asked) {
    bool isSame = told < answered.size() && answered[told].type == asked && answered[told].why == whyOf(piece);
    hasOthers |= !isSame;
    if (!isSame) throw Error(ErrorKind::Trace, "export: expected the questions of an example, got another one: " + whyOf(piece));
    Answered &now = answered[told++];
    std::string &value = now.value;
    now.bound = boundOf(piece, asked);
    uint64_t number = 0; // not below 0, where it has a bound
    std::memcpy(&number, value.data(), now.bound < 0 ? 0 : value.size());
    if (now.bound >= 0 && number > uint64_t(now.bound)) std::memcpy(value.data(), &now.bound, value.size()); // as many as there can be here
    Array array = Array::empty(asked.dtype, asked.shape.numbers());
    std::memcpy(const_cast<char *>(array.data()), value.data(), value.size());
    return array;
  }

private:
  std::vector<Array> live, made;
  const Array &of(const Source &s) const {
    return (s.kind == Source::Entry ? entries : s.kind == Source::Live ? live : made)[size_t(s.index)];
  }
};

/// As Python has them: lists of (dtype, shape, why, bits, bound).
Object describe(const std::vector<Answered> &answered) {
  std::vector<Object> list;
  for (const Answered &a : answered) {
    Dims sizes = a.type.shape.numbers();
    Object shape(check(PyTuple_New(sizes.rank)));
    for (int i = 0; i < sizes.rank; ++i) PyTuple_SET_ITEM(shape.get(), i, check(PyLong_FromLongLong(sizes[i])));
    list.emplace_back(check(Py_BuildValue("(NNs#y#L)", fromDType(a.type.dtype), shape.release(), a.why.data(), Py_ssize_t(a.why.size()),
                                          a.value.data(), Py_ssize_t(a.value.size()), static_cast<long long>(a.bound))));
  }
  return listOf(list);
}
std::vector<Answered> readAnswers(PyObject *list) {
  std::vector<Answered> answered;
  for (Py_ssize_t i = 0; i < PyList_GET_SIZE(list); ++i) {
    PyObject *dtype, *shape;
    const char *why, *value;
    long long bound; // at other sizes it is another one
    Py_ssize_t lengths[2];
    if (!PyArg_ParseTuple(PyList_GET_ITEM(list, i), "OOs#y#L", &dtype, &shape, &why, &lengths[0], &value, &lengths[1], &bound))
      throw PythonError();
    answered.push_back(
        {{toDType(dtype), toDims("export", shape)}, std::string(why, size_t(lengths[0])), std::string(value, size_t(lengths[1]))});
    if (numElements(answered.back().type.shape) * byteSize(answered.back().type.dtype) != lengths[1])
      throw Error(ErrorKind::Value, "export: expected an answer of its type, got other bits");
  }
  return answered;
}

/// A piece as (words, inputs, live, what is asked or None): and of what is asked (bits, where and why).
Object describe(const Piece &piece, bool isLast) {
  std::vector<int64_t> words = piece.trace.serialize();
  Object asked = isLast ? Object::borrow(Py_None) : pairOf(piece.asked);
  return Object(check(Py_BuildValue("(y#NNNy#s)", reinterpret_cast<const char *>(words.data()), Py_ssize_t(words.size() * 8),
                                    pairsOf(piece.inputs).release(), pairsOf(piece.live).release(), asked.release(), piece.value.data(),
                                    Py_ssize_t(piece.value.size()), whyOf(piece).c_str())));
}

} // namespace

/// (pieces, arrays, numbers of those that are written, outputs, answers); None where the answers are given and others are asked for, and of
/// a search that finds nothing.
PyObject *recordPath(JitState &state, const Call &call, Arguments &arguments, PyObject *given) {
  PyObject *flatten, *existing, *places, *values; // of the arrays of the call, what the example has
  int isSearch = false;                           // for numbers that are bounded
  if (!PyArg_ParseTuple(given, "OOO!O|p", &flatten, &existing, &PyTuple_Type, &places, &values, &isSearch)) return nullptr;
  Tree tree;
  std::vector<Piece> pieces;
  std::vector<Source> outputs;
  std::vector<Object> inputs, written;
  Answers answers;
  answers.areGiven = PyList_Check(values);
  answers.isSearch = isSearch;
  if (answers.areGiven) answers.answered = readAnswers(values);
  else if (!PyTuple_Check(values) || PyTuple_GET_SIZE(values) != PyTuple_GET_SIZE(places))
    throw Error(ErrorKind::Value, "export: expected the values of an example, or the answers of another recording, got neither");
  auto valueOf = [&](PyObject *array) -> const Array & {
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(places); ++i)
      if (PyTuple_GET_ITEM(places, i) == array) return arrayOf(PyTuple_GET_ITEM(values, i));
    return arrayOf(array);
  };
  size_t declared = 0;
  auto objectOf = [&](const Recorder &r, size_t place) {
    return place < declared ? Object::borrow(arguments.arrays[place]) : Object(check(wrap(Array(r.captured[place - declared]))));
  };
  auto atEnd = [&](Recorder &r, PyObject *result) {
    Object leaves(check(PyObject_CallOneArg(flatten, result)));
    for (auto &[input, slot] : r.written()) {
      outputs.push_back(r.output(slot));
      written.emplace_back(check(PyLong_FromLong(input)));
    }
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(leaves.get()); ++i) {
      int64_t slot = r.slotOf(arrayOf(PyList_GET_ITEM(leaves.get(), i)));
      if (slot < 0) return std::string("the result has an array in it that the recording does not know");
      outputs.push_back(r.output(slot));
    }
    for (int place : r.inputs()) inputs.push_back(objectOf(r, size_t(place)));
    pieces = r.finish();
    return std::string();
  };
  auto atBegin = [&](Recorder &r) {
    declared = arguments.key.arrays.size();
    r.answer = [&](const Piece &piece, const TensorType &asked) {
      if (answers.areGiven) return answers.given(piece, asked);
      std::vector<int> all = r.inputs();
      while (answers.entries.size() < all.size())
        answers.entries.push_back(valueOf(objectOf(r, size_t(all[answers.entries.size()])).get()));
      return answers.fromValues(piece);
    };
  };
  try {
    recordCall(state, tree, call, arguments, "export", existingOf(existing), atEnd, atBegin);
  } catch (...) {
    if (!answers.hasOthers || (PyErr_Occurred() && !PyErr_ExceptionMatches(PyExc_Exception))) throw; // an interrupt goes on
    PyErr_Clear();
  }
  if (answers.hasOthers || answers.told != answers.answered.size()) Py_RETURN_NONE;
  std::vector<Object> described;
  for (const Piece &piece : pieces) described.push_back(describe(piece, &piece == &pieces.back()));
  return Py_BuildValue("(NNNNN)", listOf(described).release(), listOf(inputs).release(), listOf(written).release(),
                       pairsOf(outputs).release(), describe(answers.answered).release());
}

PyObject *recordForPackage(JitState &state, const Call &call, Arguments &arguments, PyObject *given) {
  PyObject *flatten, *existing;
  if (!PyArg_ParseTuple(given, "OO", &flatten, &existing)) return nullptr;
  Tree tree;
  Recorded recorded;
  recordCall(state, tree, call, arguments, "export", existingOf(existing), [&](Recorder &r, PyObject *result) {
    Object leaves(check(PyObject_CallOneArg(flatten, result)));
    return finish(r, arguments, leaves.get(), recorded);
  });
  std::vector<size_t> order = recorded.order();
  std::vector<Object> arrays, writes;
  for (size_t i : order) arrays.push_back(recorded.inputs[i]);
  for (size_t input : recorded.written) writes.emplace_back(check(PyLong_FromSsize_t(std::ranges::find(order, input) - order.begin())));
  Object routines(check(PyDict_New()));
  for (const auto &[name, place] : recorded.routines) {
    Object text(check(PyUnicode_FromString(place.c_str())));
    if (PyDict_SetItemString(routines.get(), name.c_str(), text.get())) throw PythonError();
  }
  std::vector<int64_t> words = withInputs(recorded.trace, order).serialize();
  return Py_BuildValue("(y#NNN)", reinterpret_cast<const char *>(words.data()), Py_ssize_t(words.size() * 8), listOf(arrays).release(),
                       listOf(writes).release(), routines.release());
}

} // namespace kiln::py
