// One call of a jitted function: its key, its tree, and the run.
#include "jit.h"
#include "log.h"
#include "results.h"
#include "search.h"

#include "frontend/OpsShared.h"
#include "frontend/tree/HotPath.h"
#include "lib/Library/Threads.h"
#include "lib/Runtime/Memory.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <stdexcept>
#include <unistd.h>

namespace kiln::py {

JitMode jitMode = JitMode::Auto;

namespace {

// A run that takes longer has its code compiled at once.
constexpr auto kLongRun = std::chrono::milliseconds(1);
using Clock = std::chrono::steady_clock;

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

RunHooks hooksOf(const Tree &tree) { return runHooks(tree.isLong); }

//===-- finding -----------------------------------------------------------------------------------------------------===//

/// Whether a tree is the one of a call; the arrays that it reads by name are then behind the arguments.
bool fits(const Tree &entry, Arguments &arguments) {
  if (!(entry.key == arguments.key) || (entry.watched && !stateOf(entry).holds(arguments.numbers))) return false;
  if (entry.watched && stateOf(entry).mayMeet(arguments.passed)) return false;
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

//===-- recording ---------------------------------------------------------------------------------------------------===//

} // namespace

std::string watch(Tree &tree, const JitState &jitted, Arguments &arguments, bool maySearch) {
  PyObject *function = jitted.function.get();
  auto watched = std::make_unique<PythonState>();
  PythonState &state = *watched;
  tree.key = arguments.key.finish();
  tree.watched = std::move(watched);
  constexpr ptrdiff_t kMostAlike = 2; // beyond, numbers that change are looked for
  std::string why = state.find(function, arguments.classes, arguments.values);
  auto alike = std::ranges::count_if(jitted.trees(), [&](auto &other) { return other->key == tree.key; });
  bool isBetter = maySearch && why.empty() && Reader::canRead(function) &&
                  (arguments.hasOpen() || tree.carrying || (jitted.prefersSearch && (alike >= kMostAlike || state.asksForElements())));
  if (isBetter) {
    auto unknown = std::make_unique<PythonState>();
    unknown->unanalysed = "it has numbers that may change";
    unknown->isOptional = true;
    tree.watched = std::move(unknown);
    return "";
  }
  size_t words = arguments.key.words.size();
  if (why.empty() && !state.readArrays(arguments.numbers, [&](PyObject *o) { arguments.addCaptured(o); }))
    why = "an array is read by name that other code replaces";
  tree.captured.assign(arguments.key.words.begin() + ptrdiff_t(words), arguments.key.words.end());
  arguments.key.words.resize(words);
  if (why.empty() || !Reader::canRead(function)) return why;
  auto unknown = std::make_unique<PythonState>();
  unknown->unanalysed = why;
  tree.watched = std::move(unknown);
  return "";
}

PyObject *callRecorded(Recorder &r, const PythonState &state, const Call &call) {
  r.locate = currentLocation;
  r.describe = currentPlace;
  RecordedFrames frames(state);
  return PyObject_Vectorcall(call.function, call.args, call.nargs, call.kwnames);
}

namespace {

/// Whether lists and dicts that the call was given are as they were.
bool isChanged(const JitOptions &options, const Call &call, const Arguments &before) {
  if (before.passed.empty()) return false;
  Arguments after;
  after.read(options.parameters, call);
  return after.why.size() || after.key.words != before.key.words || after.key.objects != before.key.objects ||
         !std::equal(after.arrays.begin(), after.arrays.end(), before.arrays.begin(),
                     before.arrays.begin() + ptrdiff_t(std::min(after.arrays.size(), before.arrays.size()))) ||
         after.passed != before.passed;
}

/// The arrays of a call as they are, in cells that the call does not write.
std::vector<Array> snapshot(const Arguments &arguments) {
  std::vector<Array> arrays;
  for (const Array *a : arguments.key.arrays) {
    bool isKept = !a->storage->pinned || !a->storage->isWritable; // a write goes elsewhere while this one holds the value
    arrays.push_back(isKept ? withOwnCell(*a) : copyOfMemory(*a));
  }
  return arrays;
}

/// A recorded call: its result, null where it raised, and the path that it took.
struct Recorded {
  Object result;
  Path path;
  std::vector<Array> given;            // with KILN_JIT=sync, the arrays as the call found them
  std::unique_ptr<StateSearch> search; // null: what it reads was known
  std::string unseen;                  // why the search failed, or nothing
};

/// Why a call that has ended cannot be run from its recording, or nothing.
std::string findFault(Recorder &r, const JitOptions &options, const Call &call, const Arguments &arguments, PyObject *result,
                      PythonState *found, std::span<const int32_t> held, Ending &ending) {
  if (r.left.size()) return r.left;
  std::string why = readResult(r, arguments, found ? found->withStored(result).get() : result, ending, found);
  r.told.clear(); // what they hold is in the result, or of no use
  if (why.empty()) why = findKept(r, arguments, result, found ? std::span<const Store>(found->stores) : std::span<const Store>(), held);
  bool changesArguments = found && found->storesToArguments();
  if (found) ending.effects = found->takeStores();
  if (why.empty() && !changesArguments && isChanged(options, call, arguments))
    why = "a list or dict that the function was given is changed by it";
  return why;
}

/// Records a call of a tree while it runs as eager does.
Recorded recordCall(JitState &state, const Tree &tree, const Call &call, Arguments &arguments) {
  Recorded recorded;
  Path &path = recorded.path;
  bool isSearched = stateOf(tree).unanalysed.size();
  if (jitMode == JitMode::Sync && !isSearched) recorded.given = snapshot(arguments);
  Recorder r(Recorder::Computed);
  r.isFast = state.options.isFast;
  for (const Array *a : arguments.key.arrays) r.addInput(*a);
  std::vector<int32_t> held = countHolders(arguments);
  auto settings = [] { return std::tuple(defaultFloat(), configEpoch(), defaultDevice()); };
  auto before = settings();
  auto &search = recorded.search;
  if (isSearched) search = std::make_unique<StateSearch>(state, tree, arguments, r, held);
  std::vector<PyObject *> args(call.args, call.args + call.count());
  std::vector<Object> apart; // numbers that nobody else holds, in the place of those that are known as arguments
  for (const GivenNumber &g : arguments.given) {
    if (!search || !g.isOpen) continue;
    args[g.position] = apart.emplace_back(numberApart(g.value)).get();
    search->giveNumber(args[g.position], g.parameter);
  }
  Call told{call.function, args.data(), call.nargs, call.kwnames};
  std::optional<LoopWatch> loops;
  if (tree.mayFold) loops.emplace(r, state.moments, search.get(), tree.carrying);
  recorded.result = Object(callRecorded(r, search ? *search->state : stateOf(tree), told));
  if (search) {
    ErrorAside error; // the search runs code of Python
    recorded.unseen = search->finish();
  }
  path.entries = r.inputs();
  if (!recorded.result) {
    bool isOfPath = r.left.empty() && !PyErr_ExceptionMatches(PyExc_MemoryError); // other values may do without
    path.end = recorded.unseen.size() ? Node::Eager : isOfPath ? Node::Raise : Node::Unknown;
    path.why = recorded.unseen;
    path.pieces = std::move(r.pieces);
    if (tree.mayFold) foldPath(path, state.moments.ends);
    return recorded;
  }
  path.why = recorded.unseen;
  if (path.why.empty())
    path.why =
        findFault(r, state.options, call, arguments, recorded.result.get(), search ? search->state.get() : nullptr, held, path.ending);
  if (path.why.empty() && settings() != before) path.why = "a setting is changed by it";
  if (path.why.empty()) {
    path.pieces = r.finish();
  } else {
    path.end = Node::Eager;
    path.pieces = std::move(r.pieces);
  }
  if (tree.mayFold) foldPath(path, state.moments.ends);
  return recorded;
}

/// With KILN_JIT=sync the first result is that of the code, too: the call is run once more on what it was given. It has no effects in
/// Python, or it would run in eager, and what it writes it has written.
Object runCodeOnce(Tree &tree, const Arguments &arguments, std::vector<Array> &given, Object result) {
  std::vector<Array *> arrays;
  for (Array &a : given) arrays.push_back(&a);
  Ran ran;
  if (run(tree, arrays, hooksOf(tree), ran) != RunStatus::Done || !ran.isCompiled) return result;
  if (writesNeedEager(tree, *ran.ending, arguments.key.arrays)) return result;
  return Object(check(buildResult(*ran.ending, arguments, ran.results)));
}

/// Adds a recorded path to its tree, with code for the steps that are new.
void addPath(JitState &state, Tree &tree, Path path, const Call &call, const Arguments &arguments, Clock::duration took) {
  constexpr size_t kMostCodes = 256; // of one path: compiling more takes seconds
  bool isStraight = path.end == Node::Return && path.pieces.size() == 1;
  Dynamic dynamic = isStraight || state.options.dynamic == Dynamic::Never ? state.options.dynamic : Dynamic::WhereSizesVary;
  constexpr float kQuestions = 8; // a recording takes longer for each: as for its operations
  float questions = float(path.pieces.size());
  auto [fresh, first, end] = tree.add(std::move(path));
  end->pace.recorded = std::chrono::duration<float>(took).count() / (1 + questions / kQuestions);
  OpenAxes axes = isStraight ? allowedAxes(state.options, call, arguments, tree.entries) : OpenAxes();
  std::set<const Code *> codes;
  for (Step *step : fresh) {
    state.chooseCode(dynamic, axes, tree, *step, [&](std::string &why) { return probeSizes(state, call, arguments, why); });
    const Code *code = step->segment.code.get();
    if (code && code->state != Code::Ready) codes.insert(code);
    if (codes.size() <= kMostCodes) continue;
    std::string why = placeOf(step->at) + "one call makes more than " + std::to_string(kMostCodes) +
                      " segments that share no code: to compile them takes longer than they save";
    tree.endAt(*first, why);
    return state.noteMiss(why);
  }
  for (Step *step : fresh) state.note(state.advance(*step, jitMode, took > kLongRun), "");
}

/// Runs what a call that Python drives has put off.
std::vector<Array> runApart(JitState &state, Tree &tree, Piece &&piece, std::span<const Array *const> inputs) {
  Paused paused;
  auto [step, isNew] = tree.stepApart(std::move(piece));
  Dynamic dynamic = state.options.dynamic == Dynamic::Never ? Dynamic::Never : Dynamic::WhereSizesVary;
  if (isNew) state.chooseCode(dynamic, {}, tree, *step, {});
  state.note(state.advance(*step, jitMode, false), "");
  std::vector<Array> made;
  RunStatus status = runStep(*step, inputs, hooksOf(tree), made);
  if (status == RunStatus::Stopped) throw PythonError();
  if (status != RunStatus::Done) throw std::logic_error("an operation that cannot fail has failed");
  return made;
}

/// Has a tree watch what a call of it was found to read; whether the call can become a path of it. `why`: the tree is of no use.
bool adoptState(const JitState &state, Tree &tree, Recorded &recorded, bool isNew, std::string &why) {
  constexpr ptrdiff_t kMostSiblings = 8;
  if (!recorded.search) return true;
  auto siblings = std::ranges::count_if(state.trees(), [&](auto &t) { return t.get() != &tree && t->key == tree.key; });
  const PythonState &before = stateOf(tree);
  size_t newArrays = recorded.search->newArrays();
  if (recorded.unseen.size() && (isNew || newArrays)) why = recorded.unseen;
  else if (isNew && siblings >= kMostSiblings) why = "it reads Python state that changes with its calls";
  if (why.size()) {
    tree.watched = std::make_unique<PythonState>(); // nothing: it is of no use whatever is found
    tree.captured.clear();
    return true;
  }
  if (recorded.unseen.size()) return true;
  if (!recorded.search->isOf(before)) return false; // another thread has added some
  tree.captured.insert(tree.captured.end(), recorded.search->captured.begin(), recorded.search->captured.end());
  tree.watched = std::move(recorded.search->state);
  return true;
}

/// A call that Python drives: its operations are put off until a value is needed, and run as segments then.
PyObject *callDriven(JitState &state, const std::shared_ptr<Tree> &tree, const Call &call, const Arguments &arguments) {
  Recorder r(Recorder::Deferred);
  r.isFast = state.options.isFast;
  r.runPiece = [&](Piece &&piece, std::span<const Array *const> inputs) { return runApart(state, *tree, std::move(piece), inputs); };
  for (const Array *a : arguments.key.arrays) r.addInput(*a);
  Object result(callRecorded(r, stateOf(*tree), call));
  ErrorAside error;
  r.settle();
  return result.release();
}

/// A call that is recorded, into a tree of the function or a new one.
PyObject *callRecording(JitState &state, const std::shared_ptr<Tree> &tree, bool isNew, const Call &call, Arguments &arguments) {
  state.misses++;
  tree->mayFold = isNew ? !state.moments.isGivenUp : tree->mayFold;
  if (isNew && tree->mayFold && state.moments.knowsMore(0)) tree->carrying = state.moments.keep();
  std::string why = isNew ? watch(*tree, state, arguments) : "";
  Recorded recorded;
  auto start = Clock::now();
  if (why.empty()) recorded = recordCall(state, *tree, call, arguments);
  else recorded.result = Object(callEager(call));
  auto took = Clock::now() - start;
  Path &path = recorded.path;
  size_t segments = path.pieces.size();
  bool isTold = recorded.result || (path.pieces.size() && PyErr_ExceptionMatches(PyExc_Exception));
  if (!isTold) return nullptr;
  ErrorAside error;
  if (arguments.hasOpen() && recorded.search) {
    std::vector<Py_ssize_t> fixed = recorded.search->state->numbers.fixedArguments();
    if (recorded.unseen.size())
      for (const GivenNumber &g : arguments.given) fixed.push_back(g.parameter);
    state.closeNumbers(fixed);
    if (fixed.size() && (!isNew || recorded.unseen.size())) return recorded.result.release();
    if (fixed.size()) {
      Arguments again;
      again.read(state.options.parameters, call);
      tree->key = again.key.finish();
    }
  }
  if (recorded.unseen.size() && stateOf(*tree).isOptional && isNew) { // the analysis knows better
    (tree->carrying ? state.moments.carries : state.prefersSearch) = false;
    return recorded.result.release();
  }
  if (why.empty() && !adoptState(state, *tree, recorded, isNew, why)) return recorded.result.release();
  if (why.empty() && isNew && path.pieces.empty()) why = path.why;
  if (why.size()) tree->end(Node::Eager, why);
  else why = path.why;
  if (why.size()) state.noteMiss(why);
  if (tree->isEager()) path = {};
  else if (!tree->takeTrips(path)) state.moments.isGivenUp = true; // what was recorded is not to replace what is known
  else addPath(state, *tree, std::move(path), call, arguments, took);
  constexpr size_t kMany = 64;
  if (segments >= kMany && tree->mayFold && state.moments.knowsMore(tree->carrying)) tree->isToCarry = true;
  if (isNew && state.makeRoom()) state.note(state.add(tree), ""); // there was room before, but other threads may have added trees
  if (why.empty() && recorded.result && jitMode == JitMode::Sync && !recorded.search)
    recorded.result = runCodeOnce(*tree, arguments, recorded.given, std::move(recorded.result));
  return recorded.result.release();
}

/// A call of a key that is not known.
PyObject *callNew(JitState &state, const Call &call, Arguments &arguments) {
  if (!state.makeRoom()) return state.misses++, callEager(call);
  if (state.misses && (state.options.warnOnMiss || logs(Log::Guards)))
    state.noteGrowth("variant " + std::to_string(state.misses) + ": " + describeDifference(state, arguments));
  if (!state.options.openAxes.empty()) checkAxes(state.options, call, arguments);
  return callRecording(state, std::make_shared<Tree>(), true, call, arguments);
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

double secondsSince(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }
std::string milliseconds(double seconds) {
  char text[32];
  std::snprintf(text, sizeof text, "%.3g ms", 1e3 * seconds);
  return text;
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
  auto hasCome = [](Step *step) { return step->segment.code && step->segment.code->state == Code::Ready; }; // since the run without it
  if (tree.isResting() || std::ranges::any_of(waiting, hasCome)) return end.pace.restart(), result.release();
  std::string why = "its path takes " + milliseconds(end.pace.native) + " in segments, and " + milliseconds(end.pace.eager) + " in eager";
  auto hasFailed = [](Step *step) { return step->segment.code && step->segment.code->state == Code::Failed; };
  if (auto failed = std::ranges::find_if(waiting, hasFailed); failed != waiting.end())
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
PyObject *finishCall(const Ending &ending, const Arguments &arguments, std::span<const Array> results) {
  PyObject *result = buildResult(ending, arguments, results);
  return ending.effects ? static_cast<const Stores &>(*ending.effects).apply(arguments.passed, result) : result;
}

/// Computes the numbers of a result that are made of values of arrays; false where Python fails to.
bool takeNumbers(const Tree &tree, const Ending &ending, Arguments &arguments, std::span<const Array> results) {
  auto &stores = static_cast<const Stores &>(*ending.effects);
  const Numbers &numbers = stateOf(tree).numbers;
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
  bool isHot = ran.end->hits >= kLeastHits && 4 * ran.end->hits >= 3 * tree.hits && ran.path.back() == ran.end;
  if (!isHot || tree.hot || tree.lastJoined == ran.end) return;
  tree.lastJoined = ran.end;
  auto hot = joinPath(ran.path);
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
  Object value(check(valueOf(asked, node.step->askedType))), text(check(PyObject_Repr(value.get())));
  return placeOf(node.step->at) + node.step->why + ", and is " + PyUnicode_AsUTF8(check(text.get())) + " for the first time";
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
  hooks.prepare = [&](Step &step) {
    state.note(state.advance(step, jitMode, false), "");
    if (step.segment.executable) return;
    waiting.push_back(&step);
    tree->lacksCode |= step.segment.code && step.segment.code->state == Code::Failed;
  };
  auto start = Clock::now();
  // Not beside other threads: they take time from one way or the other, and what is written as eager does it they may see half done.
  bool mayTry = !state.options.raiseOnMiss && (jitMode != JitMode::Sync || tree->lacksCode) && !longWork().hasOthers();
  constexpr double kAround = 2.5e-7; // what comes before a run and behind it, which short ones are not to leave out
  if (mayTry) hooks.tries = [&tree, start](Node &end) { return end.pace.isDue(secondsSince(start) + kAround, !tree->lacksCode); };
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
      state.noteGrowth(describeMiss(*ran.end, ran.asked));
      bool isBetter = tree->mayFold && (state.moments.isGivenUp || state.moments.knowsMore(std::max(tree->carrying, tree->tried)));
      if (isBetter) return callAnew(state, tree, call, arguments);
      return callRecording(state, tree, false, call, arguments);
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
  if (entry.plain.isTuple && ending->result.object.get() != &PyTuple_Type) entry.plain.usable = false;
}

/// What the call did to lists and dicts that were given in another form, also where it raised.
void giveBack(const Arguments &arguments) {
  if (arguments.replaced.empty()) return;
  ErrorAside error;
  arguments.giveBack();
}

int64_t epoch = 0;

} // namespace

int64_t configEpoch() { return epoch; }
void nextConfigEpoch() { ++epoch; }

PyObject *callEager(const Call &call) { return PyObject_Vectorcall(call.function, call.args, call.nargs, call.kwnames); }

[[gnu::noinline]] PyObject *callAny(JitState &state, const Call &call) {
  thread_local Arguments reused;
  thread_local bool isBusy = false;
  return guarded([&]() -> PyObject * {
    Arguments own;
    Arguments &arguments = isBusy ? own : reused; // a call inside a call, from eager code
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
      explicit Now(const Arguments &arguments) { numbers(arguments.given); }
      ~Now() { givenNumbers = outer; }
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
        arguments.read(state.options.parameters, call, byValue);
        actual = arguments.calling(call);
        now.numbers(arguments.given);
      };
      auto entry = find();
      if (!entry && arguments.hasOpen()) { // what was recorded before its numbers were left out of keys
        readAgain(true);
        if (!(entry = find())) readAgain(false);
      } else if (!entry && state.opensNumbers(arguments)) {
        readAgain(false);
        entry = find();
      }
      const Step *whole = entry ? wholeOf(*entry) : nullptr;
      if (whole && whole->segment.executable && !entry->plain.isKnown && !call.kwnames && state.options.parameters.staticNumbers.empty())
        findPlain(*entry, arguments);
      if (entry && entry->isEager() && !entry->plain.isEager && !call.kwnames && state.options.parameters.staticNumbers.empty())
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

bool JitState::opensNumbers(const Arguments &arguments) {
  constexpr int kChanges = 2;
  if (!Reader::canRead(function.get())) return false;
  bool opens = false;
  for (const GivenNumber &g : arguments.given) {
    if (g.isOpen) continue;
    if (changing.size() <= size_t(g.parameter)) changing.resize(size_t(g.parameter) + 1);
    Changing &c = changing[size_t(g.parameter)];
    if (c.isFixed) continue;
    c.changes += c.last && Py_TYPE(c.last.get()) == Py_TYPE(g.value) && !sameValue(c.last.get(), g.value);
    c.last = Object::borrow(g.value);
    if (c.changes < kChanges) continue;
    options.parameters.open.resize(options.parameters.names.size());
    opens = options.parameters.open[size_t(g.parameter)] = true;
  }
  return opens;
}

void JitState::closeNumbers(std::span<const Py_ssize_t> parameters) {
  for (Py_ssize_t parameter : parameters) {
    if (size_t(parameter) >= changing.size() || size_t(parameter) >= options.parameters.open.size()) continue;
    changing[size_t(parameter)].isFixed = true;
    options.parameters.open[size_t(parameter)] = false;
  }
}

void JitState::note(const std::string &why, const char *what) {
  if (why.empty() || !told.insert(why).second) return;
  Object(check(what ? PyObject_CallFunction(side().note, "Oss", function.get(), why.c_str(), what)
                    : PyObject_CallFunction(side().note, "Os", function.get(), why.c_str())));
}

void JitState::noteGrowth(const std::string &what) {
  if (logs(Log::Guards)) writeLog(Log::Guards, *this, what + ": recorded again");
  if (options.warnOnMiss) note(what, "records again: ");
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

void JitState::noteMiss(const std::string &why, const char *what) {
  if (logs(Log::Guards)) writeLog(Log::Guards, *this, (what ? what : "calls run in eager: ") + why);
  if (options.raiseOnMiss)
    throw Error(ErrorKind::Trace, "jitted function: expected one that compiles (on_miss=\"raise\"), got one that runs in eager: " + why);
  note(why, what);
}

int JitState::visit(visitproc visit, void *arg) const {
  Py_VISIT(function.get());
  for (const Object &name : options.parameters.names) Py_VISIT(name.get());
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
