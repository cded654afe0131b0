#include "recording.h"
#include "results.h"

#include "frontend/OpsShared.h"

#include <algorithm>
#include <stdexcept>

namespace kiln::py {

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

} // namespace

Recorded recordCall(JitState &state, const Tree &tree, const Call &call, Arguments &arguments, const Apart *how) {
  Recorded recorded;
  Path &path = recorded.path;
  bool isSearched = stateOf(tree).unanalysed.size();
  if (jitMode == JitMode::Sync && !isSearched) recorded.given = snapshot(arguments);
  Recorder r(Recorder::Computed);
  r.isFast = state.options.isFast;
  if (how) r.writable = how->writable;
  for (const Array *a : arguments.key.arrays) r.addInput(*a);
  std::vector<int32_t> held = countHolders(arguments);
  auto settings = [] { return std::tuple(defaultFloat(), configEpoch(), defaultDevice()); };
  auto before = settings();
  auto &search = recorded.search;
  if (isSearched) search = std::make_unique<StateSearch>(state, tree, arguments, r, held);
  if (how) search->reading().refuse = how->refuse, search->reading().mostSteps = how->mostSteps;
  if (how) r.flips = how->flips, r.answered = how->answered, r.given = how->given;
  std::vector<PyObject *> args(call.args, call.args + call.count());
  std::vector<Object> apart; // numbers that nobody else holds, in the place of those that are known as arguments
  for (size_t i = 0; search && i < arguments.given.size(); ++i) {
    const GivenNumber &g = arguments.given[i];
    if (g.isOpen && g.container) search->giveItem(g, Py_ssize_t(i));
    if (!g.isOpen || g.container) continue;
    args[size_t(g.index)] = apart.emplace_back(numberApart(g.value)).get();
    search->giveNumber(args[size_t(g.index)], Py_ssize_t(i));
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
  if (path.why.empty() && how) path.why = r.left.size() ? r.left : how->readEnd(r, *search, recorded.result.get(), path.ending);
  else if (path.why.empty())
    path.why =
        findFault(r, state.options, call, arguments, recorded.result.get(), search ? search->state.get() : nullptr, held, path.ending);
  if (path.why.empty() && settings() != before) path.why = "a setting is changed by it";
  if (path.why.empty()) {
    path.pieces = r.finish();
  } else {
    path.end = Node::Eager;
    path.pieces = std::move(r.pieces);
    path.ending = {}; // it is of the piece that was under way, which is none of these
  }
  if (tree.mayFold) foldPath(path, state.moments.ends);
  return recorded;
}

namespace {

/// With KILN_JIT=sync the first result is that of the code, too: the call is run once more on what it was given. It has no effects in
/// Python, or it would run in eager, and what it writes it has written.
Object runCodeOnce(Tree &tree, const Arguments &arguments, std::vector<Array> &given, Object result) {
  std::vector<Array *> arrays;
  for (Array &a : given) arrays.push_back(&a);
  Ran ran;
  RunStatus status = run(tree, arrays, hooksOf(tree), ran);
  if (status == RunStatus::Stopped) throw PythonError();
  if (status != RunStatus::Done || !ran.isCompiled) return result;
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
  adoptSearch(tree, recorded);
  return true;
}

} // namespace

void adoptSearch(Tree &tree, Recorded &recorded) {
  tree.captured.insert(tree.captured.end(), recorded.search->captured.begin(), recorded.search->captured.end());
  tree.watched = std::move(recorded.search->state);
}

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

PyObject *callRecording(JitState &state, const std::shared_ptr<Tree> &tree, bool isNew, const Call &call, Arguments &arguments) {
  state.misses++;
  bool hasAnchors = isNew || size_t(stateOf(*tree).anchors) <= arguments.anchors.now.size();
  if (!hasAnchors) return callEager(call); // another thread has added some
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
      for (size_t i = 0; i < arguments.given.size(); ++i) fixed.push_back(Py_ssize_t(i));
    state.closeNumbers(arguments, fixed);
    if (recorded.unseen.size() && state.closeObjects(arguments)) return recorded.result.release();
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

} // namespace kiln::py
