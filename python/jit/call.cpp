// One call of a jitted function: its key, its tree, and the run.
#include "jit.h"
#include "log.h"
#include "recording.h"
#include "results.h"

#include "frontend/OpsShared.h"
#include "frontend/tree/HotPath.h"
#include "lib/Library/Threads.h"
#include "lib/Runtime/Memory.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstring>
#include <optional>
#include <unistd.h>

namespace kiln::py {

JitMode jitMode = JitMode::Auto;

namespace {

// How often a call may do otherwise than one before it at the same values.
constexpr int64_t kMostForks = 4;

// What the trees of a function may hold before they grow no more.
constexpr size_t kMostNodes = 1 << 16, kMostSteps = 1 << 14;

//===-- hooks -------------------------------------------------------------------------------------------------------===//

/// Asked during long programs: whether the handler of a signal has raised an exception. Python runs them in the main thread alone.
bool pollSignals() {
  SetWorkspaceAside aside; // for what the handlers run
  PyGILState_STATE state = PyGILState_Ensure();
  bool isRaised = PyErr_CheckSignals() != 0;
  PyGILState_Release(state);
  return isRaised;
}

/// Lets a Ctrl-C through between the operations of the interpreter, and now and then other threads: a loop may take long.
void checkSignals() {
  constexpr int kOften = 64;
  constexpr auto kTurn = std::chrono::milliseconds(20); // a thread that waits asks for its turn after 5, and gets none before
  if (PyErr_CheckSignals()) throw PythonError();
  thread_local int calls = 0;
  thread_local Clock::time_point last;
  if (++calls % kOften || Clock::now() - last < kTurn) return;
  last = Clock::now();
  if (longWork().hasOthers()) longWork().end(longWork().begin());
}

//===-- finding -----------------------------------------------------------------------------------------------------===//

double secondsSince(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

/// Records a call after the first, by `record`, and tells why and how long that took.
template <typename Record> PyObject *recordAgain(JitState &state, const std::string &what, const Record &record) {
  if (state.options.warnOnMiss) state.note(what, "records again: ");
  struct Told { // also where it raises
    JitState &state;
    const std::string &what;
    Clock::time_point start = Clock::now();
    ~Told() { state.noteAgain(what, secondsSince(start)); }
  } told{state, what};
  return record();
}

/// A call of a key that is not known.
PyObject *callNew(JitState &state, const Call &call, Arguments &arguments) {
  bool isFutile = !state.paysToRecord() && !state.options.raiseOnMiss;
  static const std::string futile = "calls have ever new shapes or numbers among their arguments: most of them run in eager";
  if (isFutile) state.note(futile);
  if (isFutile || !state.makeRoom()) return state.misses++, callEager(call);
  std::string what;
  if (state.misses) what = "variant " + std::to_string(state.misses) + ": " + describeDifference(state, arguments);
  if (!state.options.openAxes.empty()) checkAxes(state.options, call, arguments);
  auto record = [&] { return callRecording(state, std::make_shared<Tree>(), true, call, arguments); };
  return what.empty() ? record() : recordAgain(state, what, record);
}

/// Whether all that was asked for are whole numbers, as int(x) asks for.
bool areWhole(const Node &node) {
  DType type = node.step->askedType;
  auto isWhole = [&](auto &child) {
    float narrow;
    double wide = 0.5;
    if (type == DType::F64 && child.first.size() == sizeof wide) std::memcpy(&wide, child.first.data(), sizeof wide);
    if (type == DType::F32 && child.first.size() == sizeof narrow) std::memcpy(&narrow, child.first.data(), sizeof narrow), wide = narrow;
    return std::trunc(wide) == wide;
  };
  return (!isFloat(type) && !isComplex(type)) || std::ranges::all_of(node.children, isWhole);
}

/// Why a tree does not grow at a node, or nothing.
std::string findLimit(const JitState &state, const Tree &tree, const Node &node) {
  constexpr size_t kMostFloats = 4, kMostOthers = 64;
  if (tree.forks > kMostForks) return "it does otherwise on calls that look the same";
  size_t nodes = 0, steps = 0;
  for (auto &t : state.trees()) nodes += t->nodes.size(), steps += t->steps.size();
  if (nodes >= kMostNodes || steps >= kMostSteps) return "it has taken very many paths: the values that it asks for decide which";
  if (node.terminator != Node::Guard) return "";
  if (node.children.size() < (areWhole(node) ? kMostOthers : kMostFloats)) return "";
  return placeOf(node.step->at) + node.step->why + ", which is another one on most calls";
}

/// Calls that Python drives, and as they are written, in turns for a while: no call is to be slower for it.
PyObject *callPaced(JitState &state, const std::shared_ptr<Tree> &tree, const Call &call, const Arguments &arguments) {
  DrivenPace &pace = tree->driven;
  DrivenPace::Turn turn = state.options.raiseOnMiss || longWork().hasOthers() ? DrivenPace::Untimed : pace.next();
  auto start = Clock::now();
  Object result(turn == DrivenPace::Eager ? callEager(call) : callDriven(state, tree, call, arguments));
  if (turn == DrivenPace::Untimed || !result) return result.release();
  pace.add(turn, secondsSince(start));
  if (pace.isSlower() && tree->root().terminator == Node::Python) {
    std::string why = tree->root().why + "; with Python first, calls take " + milliseconds(pace.middle(false)) + ", and " +
                      milliseconds(pace.middle(true)) + " in eager";
    tree->end(Node::Eager, why);
    state.noteMiss(why);
  }
  return result.release();
}

/// A call whose native run is complete but for its writes, run in eager as well: which one is quicker.
PyObject *callTried(JitState &state, Tree &tree, Node &end, std::span<Step *const> waiting, const Call &call) {
  auto start = Clock::now();
  Object result(callEager(call));
  if (!result) return nullptr;
  end.pace.add(secondsSince(start));
  if (!end.pace.isSlower() || end.terminator != Node::Return) return result.release();
  for (Step *step : waiting)
    if (const auto &code = step->segment.code; code->state != Code::Failed) {
      compileLater(code);
      tree.awaited.push_back(code);
    }
  auto in = [](Code::State state) { return [=](Step *s) { return s->segment.code && s->segment.code->state == state; }; };
  bool hasComeSince = std::ranges::any_of(waiting, in(Code::Ready));
  if (tree.isResting() || hasComeSince) return end.pace.restart(), result.release();
  std::string why = "its path takes " + milliseconds(end.pace.native) + " in segments, and " + milliseconds(end.pace.eager) + " in eager";
  if (auto failed = std::ranges::find_if(waiting, in(Code::Failed)); failed != waiting.end())
    why += "; their code was not compiled: " + (*failed)->segment.code->error;
  tree.endAt(end, why);
  if (!tree.lacksCode) state.noteMiss(why); // which was told
  return result.release();
}

/// A known path that needs Python. After many such calls in a row, nothing is run before it.
PyObject *callAbandoned(JitState &state, const std::shared_ptr<Tree> &tree, const Node &end, const Call &call, const Arguments &arguments) {
  constexpr int64_t kMostAbandoned = 64;
  bool isKind = end.terminator == Node::Python || end.terminator == Node::Eager; // not what raises, nor what fails on its values
  if (isKind && ++tree->abandoned == kMostAbandoned) tree->end(end.terminator, end.why);
  if (end.terminator == Node::Python) return callDriven(state, tree, call, arguments);
  // On the original arguments: the error, its line and what was written before it are eager's own.
  return callEager(call);
}

/// The result of a run, and what the call stores.
PyObject *finishCall(const Ending &ending, const Arguments &arguments, std::span<Array> results) {
  PyObject *result = buildResult(ending, arguments, results);
  return ending.effects ? static_cast<const Stores &>(*ending.effects).apply(arguments.passed, result) : result;
}

/// Computes the numbers of a result that are made of values of arrays; false where Python fails to.
bool takeNumbers(const Tree &tree, const Ending &ending, Arguments &arguments, std::span<const Array> results) {
  auto &stores = static_cast<const Stores &>(*ending.effects);
  const Numbers &numbers = stateOf(tree).numbers;
  if (size_t(stateOf(tree).anchors) > arguments.anchors.now.size()) return false; // another thread has added some
  for (auto &[formula, result] : stores.taken) {
    Object element(check(toScalar(results[size_t(result)])));
    if (!numbers.take(formula, element.get(), arguments.numbers)) return false;
  }
  for (auto &[formula, value] : stores.fixed) numbers.set(formula, value, arguments.numbers);
  return std::ranges::all_of(stores.late, [&](int formula) { return numbers.valueOf(formula, arguments.numbers) != nullptr; });
}

/// Makes the path of a run one program where most calls take it.
void considerHot(JitState &state, Tree &tree, const Ran &ran) {
  constexpr int64_t kLeastHits = 32;
  bool isHot = ran.end->hits >= kLeastHits && 4 * ran.end->hits >= 3 * tree.hits && ran.noted().back() == ran.end;
  if (!isHot || tree.hot || tree.lastJoined == ran.end) return;
  tree.lastJoined = ran.end;
  auto hot = joinPath(ran.noted());
  if (!hot) return;
  Dynamic dynamic = state.options.dynamic == Dynamic::Never ? Dynamic::Never : Dynamic::WhereSizesVary;
  state.chooseCode(dynamic, {}, tree, hot->step, {});
  tree.isLong |= hot->step.segment.isLong();
  tree.hot = hot;
}

/// Runs a call by the hot path of its tree; false where there is none, or the call takes another one.
bool runHot(JitState &state, Tree &tree, const Arguments &arguments, const RunHooks &hooks, Ran &ran) {
  auto hot = tree.hot; // another thread may drop it
  if (!hot) return false;
  state.note(state.advance(hot->step, jitMode, false), "");
  if (!hot->step.segment.executable) return false;
  bool isRefuted = std::exchange(tree.isHotRefuted, false);
  RunStatus status = isRefuted ? RunStatus::Unknown : run(tree, *hot, arguments.key.arrays, hooks, ran);
  if (status == RunStatus::Stopped) throw PythonError();
  if (status == RunStatus::Done) return ++hot->hits;
  if (++hot->misses > 16 + hot->hits / 4) tree.dropHot();
  return false;
}

/// The question that a known path does not go on from, and its answer.
std::string describeMiss(const Node &node, const std::string &asked) {
  if (node.terminator != Node::Guard) return "a path that was left by an error";
  auto show = [&](const std::string &bits) {
    Object value(check(valueOf(bits, *node.step))), text(check(PyObject_Repr(value.get())));
    return std::string(PyUnicode_AsUTF8(check(text.get())));
  };
  constexpr size_t kMostShown = 4;
  std::string before;
  if (node.children.size() <= kMostShown)
    for (auto &[bits, child] : node.children) before += (before.empty() ? ", was " : " or ") + show(bits);
  return placeOf(node.step->at) + node.step->why + ", and is " + show(asked) + " for the first time" + before;
}

/// Has the arrays of a call, of which there are `count` arguments, be those that a tree reads by name; false where it is not of the call.
bool turnTo(const Tree &tree, size_t count, Arguments &arguments) {
  arguments.key.cut(arguments.key.words.size(), count);
  arguments.arrays.resize(count);
  return fits(tree, arguments);
}

/// A call that is recorded in another way than its tree was: into one that keeps numbers which change as arrays, or has no loops. The one
/// that has loops is asked first from then on, or the one that may have none.
PyObject *callAnew(JitState &state, const std::shared_ptr<Tree> &tree, const Call &call, Arguments &arguments, bool wasLong = false) {
  size_t count = arguments.key.arrays.size() - stateOf(*tree).arrays.size();
  arguments.key.cut(arguments.key.words.size(), count);
  arguments.arrays.resize(count);
  auto next = std::make_shared<Tree>();
  Object result(callRecording(state, next, true, call, arguments));
  tree->tried = std::max(tree->tried, next->carrying);
  if (next->isEager() || next->root().terminator == Node::Unknown) return state.remove(*next), result.release();
  auto isLoop = [](auto &step) { return step->loop != nullptr; };
  bool hasLoop = std::ranges::any_of(next->steps, isLoop);
  if (wasLong && !hasLoop) return state.remove(*next), result.release();                                  // nothing is gained
  if (wasLong && std::ranges::none_of(tree->steps, isLoop)) return state.remove(*tree), result.release(); // slower, in any case
  bool isFirst = hasLoop || !next->mayFold;
  const auto &first = isFirst ? next : tree, &second = isFirst ? tree : next;
  auto &last = [&]() -> std::shared_ptr<Tree> & { // of those that are asked
    Tree *at = first.get();
    while (at->other) at = at->other.get();
    return at->other;
  }();
  last = second;
  state.remove(*second);
  return result.release();
}

/// Runs a call by a tree that was recorded in another way; null where none knows its path.
PyObject *callOther(JitState &state, const Tree &tree, size_t count, Arguments &arguments) {
  for (auto other = tree.other; other; other = other->other) { // held: other threads may drop them
    if (!turnTo(*other, count, arguments)) continue;
    RunHooks hooks = hooksOf(*other);
    hooks.accepts = [&](const Ending &ending, std::span<const Array> results) { return takeNumbers(*other, ending, arguments, results); };
    hooks.prepare = [&](Step &step) { state.note(state.advance(step, jitMode, false), ""); };
    Ran ran;
    RunStatus status = run(*other, arguments.key.arrays, hooks, ran);
    if (status == RunStatus::Stopped) throw PythonError();
    if (status == RunStatus::Done) return finishCall(*ran.ending, arguments, ran.results);
  }
  return nullptr;
}

/// A call of a known key.
PyObject *callKnown(JitState &state, const std::shared_ptr<Tree> &tree, const Call &call, Arguments &arguments) {
  tree->hits++;
  if (std::exchange(tree->isToCarry, false) && state.moments.knowsMore(tree->carrying)) return callAnew(state, tree, call, arguments, true);
  if (tree->isEager()) return state.hits++, callEager(call);
  if (tree->root().terminator == Node::Python) return state.hits++, callPaced(state, tree, call, arguments);
  if (tree->isResting()) return state.hits++, callEager(call);
  std::vector<Step *> waiting; // for code
  RunHooks hooks = hooksOf(*tree);
  hooks.accepts = [&](const Ending &ending, std::span<const Array> results) { return takeNumbers(*tree, ending, arguments, results); };
  Ran ran;
  if (runHot(state, *tree, arguments, hooks, ran)) return state.hits++, finishCall(*ran.ending, arguments, ran.results);
  Clock::time_point start; // where someone asks: a look at the clock takes as long as a small kernel
  auto prepare = [&](Step &step) {
    state.note(state.advance(step, jitMode, false), "");
    if (step.segment.executable) return;
    if (waiting.empty()) start = Clock::now();
    waiting.push_back(&step);
    tree->lacksCode |= step.segment.code && step.segment.code->state == Code::Failed;
  };
  hooks.prepare = std::ref(prepare); // not copied
  // Not beside other threads: they take time from one way or the other, and what is written as eager does it they may see half done.
  bool mayTry = !state.options.raiseOnMiss && (jitMode != JitMode::Sync || tree->lacksCode) && !longWork().hasOthers();
  constexpr double kAround = 2.5e-7; // what comes before a run and behind it, which short ones are not to leave out
  if (mayTry)
    hooks.tries = [&tree, start = Clock::now()](Node &end) { return end.pace.isDue(secondsSince(start) + kAround, !tree->lacksCode); };
  RunStatus status = run(*tree, arguments.key.arrays, hooks, ran);
  if (waiting.size() && Clock::now() - start > kLongRun)
    for (Step *step : waiting) compileLater(step->segment.code);
  if (status == RunStatus::Stopped) throw PythonError();
  if (status == RunStatus::Unknown) {
    if (tree->other) {
      size_t count = arguments.key.arrays.size() - stateOf(*tree).arrays.size();
      if (PyObject *result = callOther(state, *tree, count, arguments)) return state.hits++, result;
      if (!turnTo(*tree, count, arguments)) return state.hits++, callEager(call);
    }
    std::string why = findLimit(state, *tree, *ran.end);
    if (why.empty()) {
      bool isBetter = tree->mayFold && (state.moments.isGivenUp || state.moments.knowsMore(std::max(tree->carrying, tree->tried)));
      return recordAgain(state, describeMiss(*ran.end, ran.asked), [&] {
        return isBetter ? callAnew(state, tree, call, arguments) : callRecording(state, tree, false, call, arguments);
      });
    }
    ran.end->terminator = Node::Python;
    ran.end->why = why;
    state.noteMiss(why, "Python goes first on each call, and operations run in between: ");
    return state.misses++, callDriven(state, tree, call, arguments);
  }
  state.hits++;
  if (ran.isTried) return callTried(state, *tree, *ran.end, waiting, call);
  if (status == RunStatus::Eager) return callAbandoned(state, tree, *ran.end, call, arguments);
  tree->abandoned = 0;
  considerHot(state, *tree, ran);
  return finishCall(*ran.ending, arguments, ran.results);
}

/// The step that is all of a tree's calls, or of most; null for none.
const Step *wholeOf(const Tree &tree) {
  if (tree.root().terminator == Node::Return) return tree.root().step;
  return tree.root().terminator == Node::Guard && tree.hot ? &tree.hot->step : nullptr;
}

/// Whether calls of an entry need no key.
void findPlain(Tree &entry, const Arguments &arguments) {
  auto ending = entry.plain.find(entry, arguments.key.arrays);
  if (entry.plain.isTuple && ending->result.object.get() != &PyTuple_Type) entry.plain.way = PlainCall::Way::None;
}

/// What the call did to lists and dicts that were given in another form, also where it raised.
void giveBack(const Arguments &arguments) {
  if (arguments.replaced.empty() && arguments.brought.empty()) return;
  ErrorAside error;
  arguments.giveBack();
}

int64_t epoch = 0;

} // namespace

bool fits(const Tree &entry, Arguments &arguments) {
  if (!(entry.key == arguments.key) || (entry.watched && !stateOf(entry).holds(arguments.numbers))) return false;
  if (entry.watched && stateOf(entry).mayMeet(arguments.passed)) return false;
  auto isAnchor = [&](PyObject *o) { return stateOf(entry).isAnchor(o); };
  bool mayMeet = entry.watched && stateOf(entry).anchors;
  if (mayMeet && (std::ranges::any_of(arguments.passed, isAnchor) || std::ranges::any_of(arguments.values, isAnchor))) return false;
  if (entry.captured.empty()) return true;
  KeyBuilder &key = arguments.key;
  size_t words = key.words.size(), arrays = key.arrays.size();
  bool isSame = stateOf(entry).readArrays(arguments.numbers, [&](PyObject *o) { arguments.addCaptured(o); }) &&
                key.words.size() - words == entry.captured.size() &&
                std::equal(entry.captured.begin(), entry.captured.end(), key.words.begin() + ptrdiff_t(words));
  key.cut(words, isSame ? key.arrays.size() : arrays);
  arguments.arrays.resize(key.arrays.size());
  return isSame;
}

int64_t configEpoch() { return epoch; }
void nextConfigEpoch() { ++epoch; }

PyObject *callEager(const Call &call) { return PyObject_Vectorcall(call.function, call.args, call.nargs, call.kwnames); }

[[gnu::noinline]] PyObject *callAny(JitState &state, const Call &call) {
  // Behind a pointer: what a module has a thread comes out of few bytes that all modules of a process share.
  thread_local std::unique_ptr<Arguments> reused = std::make_unique<Arguments>();
  thread_local bool isBusy = false;
  return guarded([&]() -> PyObject * {
    std::optional<Arguments> own;
    Arguments &arguments = isBusy ? own.emplace() : *reused; // a call inside a call, from eager code
    struct Busy {
      Arguments &arguments;
      bool before = isBusy;
      explicit Busy(Arguments &arguments) : arguments(arguments) { isBusy = true; }
      ~Busy() {
        arguments.clear();
        isBusy = before;
      }
    } busy(arguments);
    Object function = state.function; // while it runs, the jitted function may be dropped
    arguments.read(state.options.parameters, call);
    struct Now { // while the call is under way
      std::span<const GivenNumber> outer = givenNumbers;
      Anchors *outerAnchors = callAnchors;
      explicit Now(Arguments &arguments) {
        numbers(arguments.given);
        callAnchors = &arguments.anchors;
      }
      ~Now() { givenNumbers = outer, callAnchors = outerAnchors; }
      void numbers(std::span<const GivenNumber> given) { givenNumbers = given; }
    } now(arguments);
    Call actual = arguments.calling(call);
    PyObject *result;
    if (arguments.why.size()) {
      state.misses++;
      state.noteMiss(arguments.why);
      result = callEager(actual);
    } else {
      auto find = [&] { return state.find([&](const Tree &tree) { return fits(tree, arguments); }); };
      auto readAgain = [&](bool byValue) {
        now.numbers({});
        arguments.clear();
        arguments.read(state.options.parameters, call, byValue, true);
        actual = arguments.calling(call);
        now.numbers(arguments.given);
      };
      auto entry = find();
      if (!entry && !state.options.parameters.hasOpened) readAgain(false);
      if (!entry && (int(state.opensNumbers(arguments)) | int(state.opensObjects(arguments)))) {
        readAgain(false);
        entry = find();
      }
      if (!entry && arguments.hasOpen()) { // what was recorded before its numbers were left out of keys
        readAgain(true);
        if (!(entry = find())) readAgain(false);
      }
      const Step *whole = entry ? wholeOf(*entry) : nullptr;
      bool isReplayed = whole && entry->lacksCode && entry->root().pace.isSettled();
      bool isReady = whole && (whole->segment.executable || whole->segment.outputs.empty() || isReplayed);
      if (isReady && !entry->plain.isKnown && !call.kwnames && state.options.parameters.staticNumbers.empty()) findPlain(*entry, arguments);
      if (entry && entry->isEager() && entry->plain.way != PlainCall::Way::Eager && !call.kwnames &&
          state.options.parameters.staticNumbers.empty())
        entry->plain.findEager(*entry, arguments.key.arrays);
      result = entry ? callKnown(state, entry, actual, arguments) : callNew(state, actual, arguments);
    }
    giveBack(arguments);
    return result;
  });
}

/// The main thread of Python is the process's own, also in the child of a fork from another one, where that is the only thread.
RunHooks runHooks(bool isLong) {
  bool isAsked = isLong && gettid() == getpid();
  return {isAsked ? pollSignals : nullptr, checkSignals, nullptr};
}

} // namespace kiln::py
