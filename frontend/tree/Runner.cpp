#include "frontend/tree/Runner.h"

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

/// Puts new content into a cell from before the call.
void commit(Array &target, const Array &content) {
  Storage &cell = *target.storage.get();
  bool isWhole = target.isContiguous && target.offset == 0 && cell.value->bytes == content.storage->value->bytes;
  if (!cell.pinned && isWhole && cell.device == deviceOf(content)) cell.value = content.storage->value;
  else writeInto(target, content);
}

/// Runs the code of a segment into new arrays.
RunStatus runCode(const Segment &segment, std::span<Array *const> inputs, const RunHooks &hooks, std::vector<Array> &made) {
  Short<void *> buffers;
  Short<int64_t> dims;            // symbols, then strides
  std::vector<Ref<Value>> memory; // another thread may put other memory into a cell meanwhile
  for (int64_t size : segment.values.symbols) dims.push(size);
  for (const Array *a : inputs) {
    memory.push_back(a->storage->value);
    buffers.push(static_cast<char *>(memory.back()->data) + a->offset * byteSize(a->dtype));
    if (!a->isContiguous)
      for (int64_t stride : a->strides) dims.push(stride);
  }
  for (const int64_t &number : segment.values.numbers) buffers.push(const_cast<int64_t *>(&number));
  made.reserve(segment.outputs.size());
  for (const TensorType &type : segment.outputs) {
    made.push_back(Array::empty(type.dtype, type.shape));
    buffers.push(made.back().data());
  }
  bool isStopped = false;
  int32_t status = callProgram(segment, buffers.data(), dims.data(), hooks, isStopped);
  return isStopped ? RunStatus::Stopped : status ? RunStatus::Eager : RunStatus::Done;
}

/// Runs the recording of a segment by the interpreter.
RunStatus runTrace(const Segment &segment, std::span<Array *const> inputs, const RunHooks &hooks, std::vector<Array> &made) {
  auto trace = segment.trace; // code may come meanwhile
  std::vector<const Array *> operands(inputs.begin(), inputs.end());
  try {
    made = interpret(*trace, operands, hooks.between, segment.places);
  } catch (const Error &e) {
    if (e.kind == ErrorKind::Memory) throw; // nothing is written yet, and eager would need more
    return RunStatus::Eager;
  }
  return RunStatus::Done;
}

} // namespace

bool writesNeedEager(const Node &node, std::span<Array *const> arrays) {
  for (auto &[input, output] : node.commits) {
    const Array &target = *arrays[size_t(node.inputs[size_t(input)])];
    if (!target.storage->isWritable) return true;
    for (int other : node.inputs) {
      const Array &seen = *arrays[size_t(other)];
      if (seen.storage.get() != target.storage.get() && overlaps(target, seen)) return true;
    }
  }
  return false;
}

int32_t callProgram(const Segment &segment, void *const *buffers, const int64_t *dims, const RunHooks &hooks, bool &isStopped) {
  const Executable &program = *segment.executable;
  void *workspace = segment.workspaceBytes ? threadWorkspace(segment.workspaceBytes) : nullptr;
  if (!segment.isLong() || !longWork().begin) return program.entry(runtimeTable(), buffers, dims, workspace);
  struct Released { // other threads of the host run meanwhile
    void *state = longWork().begin();
    ~Released() { longWork().end(state); }
  } released;
  if (!hooks.poll) return program.entry(runtimeTable(), buffers, dims, workspace);
  Interruptible interruptible(hooks.poll);
  int32_t status = program.entry(runtimeTable(), buffers, dims, workspace);
  isStopped = interruptible.isStopped();
  return status;
}

RunStatus run(const Node &node, std::span<Array *const> arrays, const RunHooks &hooks, std::vector<Array> &made) {
  if (node.segment.outputs.empty()) return RunStatus::Done;
  std::vector<Array *> inputs;
  for (int i : node.inputs) inputs.push_back(arrays[size_t(i)]);
  if (writesNeedEager(node, arrays)) return RunStatus::Eager;
  auto runner = node.segment.executable ? runCode : runTrace;
  if (RunStatus status = runner(node.segment, inputs, hooks, made); status != RunStatus::Done) return status;
  for (auto &[input, output] : node.commits) commit(*inputs[size_t(input)], made[size_t(output)]);
  return RunStatus::Done;
}

void PlainCall::find(const Tree &tree, std::span<Array *const> arrays) {
  isKnown = true;
  const Node &node = tree.root;
  const Segment &s = node.segment;
  usable = !tree.isEager() && s.executable && tree.captured.empty() && node.commits.empty() && tree.key.objects.empty() &&
           arrays.size() <= kMostArguments && s.outputs.size() <= kMostOutputs && s.values.numbers.size() <= kMostNumbers;
  size_t expected = 2;
  for (const Array *a : arrays) {
    expected += 1 + size_t(a->shape.rank);
    usable &= a->isContiguous && !a->isRepeated;
    arguments.push_back(a->type());
  }
  usable &= tree.key.words.size() == expected; // nothing but distinct arrays
  for (const TensorType &t : s.outputs) {
    strides.push_back(contiguousStrides(t.shape));
    bytes.push_back(size_t(numElements(t.shape) * byteSize(t.dtype)));
  }
  auto isNew = [&](const Template &t, size_t at) {
    return t.kind == Template::New && t.index == int(at) && t.offset == 0 && t.shape == s.outputs[at].shape &&
           t.strides == contiguousStrides(t.shape);
  };
  isTuple = node.result.kind == Template::Container;
  if (isTuple) { // of the host's plain kind, which its module checks
    usable &= node.result.children.size() == s.outputs.size();
    for (size_t i = 0; usable && i < s.outputs.size(); ++i) usable &= isNew(node.result.children[i], i);
  } else {
    usable &= s.outputs.size() == 1 && isNew(node.result, 0);
  }
}

} // namespace kiln
