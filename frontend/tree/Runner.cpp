#include "frontend/tree/HotPath.h"

#include "frontend/Accelerated.h"
#include "frontend/Interpreter.h"
#include "frontend/OpsShared.h"
#include "lib/Library/Threads.h"
#include "lib/Runtime/Memory.h"

namespace kiln {
namespace {

/// Lists that are short as a rule.
template <typename T> class Short {
public:
  void push(T value) {
    if (count == kFew) many.assign(few, few + kFew);
    if (count++ < kFew) few[count - 1] = value;
    else many.push_back(value);
  }
  T *data() { return many.empty() ? few : many.data(); }

private:
  static constexpr size_t kFew = 32;
  T few[kFew];
  std::vector<T> many;
  size_t count = 0;
};

/// The input that code writes over, and is to find the result in: the memory itself where nobody but the cell, and maybe the run, holds
/// it, else a copy.
Array overwritten(std::span<const Array *const> inputs, size_t input, int holders, bool mayWrite) {
  const Array &a = *inputs[input];
  Ref<Value> memory = a.storage->value;
  bool isAlone = mayWrite && memory->refs.load(std::memory_order_acquire) == holders + 1;
  for (size_t i = 0; i < inputs.size(); ++i) isAlone &= i == input || inputs[i]->storage.get() != a.storage.get();
  if (!isAlone) return copyOfMemory(a);
  Array result = a;
  result.mark = {};
  result.view = nullptr;
  result.storage = Storage::make(std::move(memory));
  return result;
}

/// Runs the code of a segment into new arrays.
RunStatus runCode(const Segment &segment, std::span<const Array *const> inputs, const RunHooks &hooks, std::vector<Array> &made) {
  if (segment.executable->program) {
    std::optional<Interruptible> interruptible;
    if (hooks.poll && segment.executable->program->waits()) interruptible.emplace(hooks.poll);
    auto [status, results] = runOn(*segment.device, *segment.executable, inputs, segment.outputs, segment.values);
    if (interruptible && interruptible->isStopped()) return RunStatus::Stopped;
    if (!status) made = std::move(results);
    return status ? RunStatus::Eager : RunStatus::Done;
  }
  Short<void *> buffers;
  Short<int64_t> dims; // symbols, then strides
  std::vector<Ref<Value>> held;
  if (longWork().pays(segment.seconds)) // another thread may put other memory into a cell meanwhile
    for (const Array *a : inputs) held.push_back(a->storage->value);
  for (int64_t size : segment.values.symbols) dims.push(size);
  for (const Array *a : inputs) {
    buffers.push(a->data());
    if (!a->isContiguous)
      for (int64_t stride : a->strides) dims.push(stride);
  }
  for (const int64_t &number : segment.values.numbers) buffers.push(const_cast<int64_t *>(&number));
  made.reserve(segment.outputs.size());
  std::span<const int64_t> inPlace = segment.executable->inPlace;
  // Another thread sees an array as it was or as it is after: it waits for what is written in place, unless that takes long.
  constexpr double kMostWaiting = 20e-3;
  bool hasReaders = !inPlace.empty() && segment.isLong() && longWork().hasOthers && longWork().hasOthers();
  bool keepsOthersOut = hasReaders && segment.seconds <= kMostWaiting, mayWrite = !hasReaders || keepsOthersOut;
  for (size_t i = 0; i < segment.outputs.size(); ++i) {
    const ArrayType &type = segment.outputs[i];
    bool isNew = i >= inPlace.size() || inPlace[i] < 0;
    made.push_back(isNew ? Array::empty(type.dtype, type.shape) : overwritten(inputs, size_t(inPlace[i]), held.empty() ? 1 : 2, mayWrite));
    buffers.push(made.back().data());
    if (!isNew) buffers.data()[inPlace[i]] = made.back().data();
  }
  bool isStopped = false;
  int32_t status = callProgram(segment, buffers.data(), dims.data(), hooks, isStopped, keepsOthersOut);
  return isStopped ? RunStatus::Stopped : status ? RunStatus::Eager : RunStatus::Done;
}

/// Runs the recording of a segment by the interpreter.
RunStatus runTrace(const Segment &segment, std::span<const Array *const> inputs, const RunHooks &hooks, std::vector<Array> &made) {
  if (!segment.plan) segment.plan = std::make_shared<const Plan>(segment.trace, segment.places.empty());
  auto plan = segment.plan; // code may come meanwhile
  try {
    made = interpret(*plan, inputs, hooks.between, segment.places);
    if (segment.device && segment.why.empty()) // what bodies made of numbers alone is on the host
      for (Array &result : made) result = moved(result, segment.device);
  } catch (const Error &e) {
    if (e.kind == ErrorKind::Memory) throw; // nothing is written yet, and eager would need more
    return RunStatus::Eager;
  }
  return RunStatus::Done;
}

} // namespace

void commit(Array &target, const Array &content) {
  Storage &cell = *target.storage.get();
  cell.noteWrite();
  if (cell.value.get() == content.storage->value.get()) return; // it was written in place
  bool isWhole = target.isContiguous && target.offset == 0 && cell.value->bytes == content.storage->value->bytes;
  if (!cell.pinned && isWhole && cell.device == deviceOf(content)) cell.value = content.storage->value;
  else writeInto(target, content);
}

RunStatus runStep(const Step &step, std::span<const Array *const> inputs, const RunHooks &hooks, std::vector<Array> &made) {
  auto runner = step.segment.executable ? runCode : runTrace;
  return runner(step.segment, inputs, hooks, made);
}

namespace {

/// A path under way: the arrays that sources stand for.
struct Values {
  const Tree &tree;
  std::span<Array *const> arrays;
  std::vector<Array> live, made;
  const uint64_t start = timeOfWrites();

  const Array &of(const Source &s) const {
    if (s.kind == Source::Entry) return *arrays[size_t(tree.entries[size_t(s.index)])];
    return (s.kind == Source::Live ? live : made)[size_t(s.index)];
  }

  RunStatus run(const Step &step, const RunHooks &hooks) {
    made.clear();
    if (step.segment.outputs.empty()) return RunStatus::Done;
    Short<const Array *> inputs;
    for (const Source &s : step.inputs) inputs.push(&of(s));
    return runStep(step, {inputs.data(), step.inputs.size()}, hooks, made);
  }

  /// The bits that decide.
  std::string bitsOf(const Source &asked) const {
    auto bits = [](const Array &flat) { return std::string(flat.data(), size_t(flat.size() * byteSize(flat.dtype))); };
    const Array &x = of(asked);
    if (!deviceOf(x) && x.isContiguous) return bits(x);
    Array host = deviceOf(x) ? moved(x, nullptr) : x;
    return bits(host.isContiguous ? host : contiguous(host));
  }

  void handOn(const Step &step) {
    if (step.live.empty()) return live.clear();
    std::vector<Array> next;
    next.reserve(step.live.size());
    for (const Source &s : step.live) next.push_back(of(s));
    live = std::move(next);
  }

  /// Holds the memory of what a path writes, where the call may run in eager after the last operation: nothing is computed in its place.
  std::vector<Ref<Value>> holdWritten(const Ending &ending) const {
    std::vector<Ref<Value>> held;
    for (const Commit &c : ending.commits) held.push_back(arrays[size_t(tree.entries[size_t(c.entry)])]->storage->value);
    return held;
  }

  /// Whether something else has written, since the path began, what it writes as a whole: that would be lost.
  bool isOvertaken(const Ending &ending) const {
    return std::ranges::any_of(ending.commits, [&](const Commit &c) { return cellOf(c).writtenAt > start; });
  }
  const Storage &cellOf(const Commit &c) const { return *arrays[size_t(tree.entries[size_t(c.entry)])]->storage.get(); }

  /// Takes the results, and writes into the inputs; false where that is for eager to do.
  bool finish(const Ending &ending, const RunHooks &hooks) {
    std::vector<Array> chosen;
    bool isAll = areMade(ending);
    if (!isAll) {
      chosen.reserve(ending.results.size());
      for (const Source &s : ending.results) chosen.push_back(s.kind == Source::Live ? withOwnCell(of(s)) : of(s));
    }
    std::vector<Array> &results = isAll ? made : chosen;
    if (ending.effects && hooks.accepts && !hooks.accepts(ending, results)) return false;
    auto isDone = [&](const Commit &c) { return of(c.content).storage->value.get() == cellOf(c).value.get(); }; // in place
    if (isOvertaken(ending) && !std::ranges::any_of(ending.commits, isDone)) return false;
    for (const Commit &c : ending.commits) commit(*arrays[size_t(tree.entries[size_t(c.entry)])], of(c.content));
    if (!isAll) made = std::move(chosen);
    return true;
  }
  /// Whether the results are what the last step made, in its order.
  bool areMade(const Ending &ending) const {
    auto isMade = [&](const Source &s) { return s == Source{Source::Output, int32_t(&s - ending.results.data())}; };
    return ending.results.size() == made.size() && std::ranges::all_of(ending.results, isMade);
  }
};

} // namespace

bool writesNeedEager(const Tree &tree, const Ending &ending, std::span<Array *const> arrays) {
  for (const Commit &c : ending.commits) {
    const Array &target = *arrays[size_t(tree.entries[size_t(c.entry)])];
    if (!target.storage->isWritable) return true;
    for (int other : tree.entries) {
      const Array &seen = *arrays[size_t(other)];
      if (seen.storage.get() != target.storage.get() && overlaps(target, seen)) return true;
    }
  }
  return false;
}

int32_t callProgram(const Segment &segment, void *const *buffers, const int64_t *dims, const RunHooks &hooks, bool &isStopped,
                    bool keepsOthersOut) {
  const bool isTimed = isTiming;
  if (isTimed) findTimed(segment);
  void *workspace = segment.workspaceBytes ? threadWorkspace(segment.workspaceBytes) : nullptr;
  if (keepsOthersOut || !longWork().pays(segment.seconds)) return runEntry(segment, buffers, dims, workspace, isTimed);
  struct Released { // other threads of the host run meanwhile
    void *state = longWork().begin();
    ~Released() { longWork().end(state); }
  } released;
  if (!hooks.poll) return runEntry(segment, buffers, dims, workspace, isTimed);
  Interruptible interruptible(hooks.poll);
  int32_t status = runEntry(segment, buffers, dims, workspace, isTimed);
  isStopped = interruptible.isStopped();
  return status;
}

RunStatus run(Tree &tree, std::span<Array *const> arrays, const RunHooks &hooks, Ran &ran) {
  constexpr int kOften = 64; // how many steps Ctrl-C may wait for
  Values values{tree, arrays, {}, {}};
  Node *node = &tree.root();
  for (int count = 1;; ++count) {
    ++node->hits;
    ran.end = node;
    if (ran.count < Ran::kMostNoted) ran.path[ran.count] = node;
    ++ran.count;
    if (node->needsPython()) return RunStatus::Eager;
    if (node->terminator == Node::Unknown) return RunStatus::Unknown;
    bool isLast = node->terminator == Node::Return;
    auto ending = node->ending; // another thread may put another path in its place
    if (isLast && (values.isOvertaken(*ending) || writesNeedEager(tree, *ending, arrays))) return RunStatus::Eager;
    Step &step = *node->step;
    if (hooks.prepare && step.segment.code && !step.segment.executable) hooks.prepare(step);
    ran.isCompiled &= step.segment.executable || step.segment.outputs.empty();
    std::vector<Ref<Value>> held;
    if (isLast && (ending->effects || (hooks.tries && node->pace.mayBeDue()))) held = values.holdWritten(*ending);
    if (RunStatus status = values.run(step, hooks); status != RunStatus::Done) return status;
    held.clear();
    if (isLast) {
      ran.isTried = hooks.tries && hooks.tries(*node);
      if (ran.isTried) return RunStatus::Eager;
      if (!values.finish(*ending, hooks)) return RunStatus::Eager;
      ran.ending = std::move(ending);
      ran.results = std::move(values.made);
      return RunStatus::Done;
    }
    if (count % kOften == 0 && hooks.between) hooks.between();
    std::string value = values.bitsOf(step.asked);
    Node *next = node->step == &step && node->terminator == Node::Guard ? node->childFor(value) : nullptr;
    if (!next) {
      ran.asked = std::move(value);
      return RunStatus::Unknown;
    }
    values.handOn(step);
    node = next;
  }
}

RunStatus run(const Tree &tree, HotPath &path, std::span<Array *const> arrays, const RunHooks &hooks, Ran &ran) {
  if (writesNeedEager(tree, *path.ending, arrays)) return RunStatus::Eager;
  Values values{tree, arrays, {}, {}};
  std::vector<Ref<Value>> held;
  if (path.ending->effects) held = values.holdWritten(*path.ending);
  RunStatus status = values.run(path.step, hooks);
  held.clear();
  for (size_t i = 0; status == RunStatus::Done && i < path.values.size(); ++i)
    if (values.bitsOf({Source::Output, int32_t(i)}) != path.values[i]) status = RunStatus::Unknown;
  if (status == RunStatus::Eager) status = RunStatus::Unknown; // an operation of a path that is not taken may fail
  if (status != RunStatus::Done) return status;
  for (Node *node : path.nodes) ++node->hits;
  ran.end = path.nodes.back();
  if (!values.finish(*path.ending, hooks)) return RunStatus::Unknown;
  ran.ending = path.ending;
  ran.results = std::move(values.made);
  return RunStatus::Done;
}

/// They tell calls of a tree apart where they are nothing but distinct arrays, each row by row.
void PlainCall::takeArguments(const Tree &tree, std::span<Array *const> arrays) {
  isKnown = true;
  areArguments = arrays.size() <= kMostArguments && tree.key.objects.empty();
  size_t expected = 2;
  for (const Array *a : arrays) {
    expected += 1 + size_t(a->shape.rank);
    areArguments &= a->isContiguous && !a->isRepeated;
    arguments.emplace_back(a->dtype, a->shape);
  }
  areArguments &= tree.key.words.size() == expected;
}

void PlainCall::findEager(const Tree &tree, std::span<Array *const> arrays) {
  if (!isKnown) takeArguments(tree, arrays);
  if (areArguments) way = Way::Eager;
}

/// Whether all that a step computes is new content of arguments, in its place.
static bool onlyWrites(const Tree &tree, const Step &step, const Ending &ending) {
  const Segment &s = step.segment;
  if (ending.commits.empty() || !s.executable || s.outputs.size() != ending.commits.size()) return false;
  std::span<const int64_t> inPlace = s.executable->inPlace;
  auto isInPlace = [&](const Commit &c) {
    size_t output = size_t(c.content.index);
    bool isOutput = c.content.kind == Source::Output && output < inPlace.size() && inPlace[output] >= 0;
    return isOutput && tree.entries[size_t(step.inputs[size_t(inPlace[output])].index)] == tree.entries[size_t(c.entry)];
  };
  return std::ranges::all_of(ending.commits, isInPlace);
}

std::shared_ptr<const Ending> PlainCall::find(const Tree &tree, std::span<Array *const> arrays) {
  const Node &root = tree.root();
  bool isStraight = root.terminator == Node::Return;
  if (!isStraight && !tree.hot) return nullptr;
  takeArguments(tree, arrays);
  hot = isStraight ? nullptr : tree.hot;
  step = hot ? &hot->step : root.step;
  guards = hot ? hot->values.size() : 0;
  auto ending = hot ? hot->ending : root.ending;
  const Segment &s = step->segment;
  for (const Source &source : step->inputs) inputs.push_back(tree.entries[size_t(source.index)]);
  for (size_t i = guards; i < s.outputs.size(); ++i) {
    strides.push_back(contiguousStrides(s.outputs[i].shape));
    bytes.push_back(size_t(numElements(s.outputs[i].shape) * byteSize(s.outputs[i].dtype)));
  }
  isTuple = ending->result.kind == Template::Container;
  way = wayOf(tree, *ending);
  return ending;
}

/// Whether the result is all that the step computes, in new memory.
bool PlainCall::isNew(const Ending &ending) const {
  const std::vector<ArrayType> &outputs = step->segment.outputs;
  auto isOutput = [&](const Template &t, size_t at) {
    return t.kind == Template::New && ending.results[size_t(t.index)] == Source{Source::Output, int32_t(guards + at)} && t.offset == 0 &&
           t.shape == outputs[guards + at].shape && t.strides == strides[at];
  };
  const Template &result = ending.result;
  if (!isTuple) return bytes.size() == 1 && isOutput(result, 0);
  if (result.children.size() != bytes.size()) return false; // the host's plain kind of containers, which its module checks
  for (size_t i = 0; i < bytes.size(); ++i)
    if (!isOutput(result.children[i], i)) return false;
  return true;
}

PlainCall::Way PlainCall::wayOf(const Tree &tree, const Ending &ending) const {
  const Segment &s = step->segment;
  bool isFew = bytes.size() <= kMostOutputs && s.values.numbers.size() <= kMostNumbers, isStraight = !hot;
  if (!areArguments || tree.captured.size() || ending.effects || s.device) return Way::None;
  if (!ending.commits.empty()) {
    bool isSame = ending.result.kind == Template::Constant || ending.result.kind == Template::Input;
    return isFew && isStraight && isSame && onlyWrites(tree, *step, ending) ? Way::Write : Way::None;
  }
  if (isStraight && s.outputs.empty() && ending.result.kind == Template::View) return Way::View;
  if (!isFew || !isNew(ending)) return Way::None;
  if (!s.executable) return isStraight && tree.lacksCode ? Way::Replayed : Way::None;
  return isTuple || guards || s.workspaceBytes ? Way::Code : Way::Short;
}

} // namespace kiln
