#include "frontend/tree/Packaged.h"

#include "frontend/Interpreter.h"
#include "frontend/OpsShared.h"
#include "lib/Library/Threads.h"
#include "lib/Package/Programs.h"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <optional>

namespace kiln {

constexpr size_t kMostInstances = 256;

/// Inputs that a caller gives.
static bool isGiven(const PackageInput &input) { return input.role == Role::Argument || input.role == Role::Number; }

LoadedPackage::LoadedPackage(Package read, bool runsNative) : package(std::move(read)) {
  if (runsNative) native = NativeCode::open(package);
  for (const PackageWeight &weight : package.weights) {
    Array array;
    array.dtype = weight.type.dtype;
    array.shape = weight.type.shape.numbers();
    array.strides = contiguousStrides(array.shape);
    auto owner =
        std::const_pointer_cast<void>(weight.owner); // as memory that is shared has it: nobody writes what is pinned and not writable
    array.storage = Storage::make(Value::share(const_cast<uint8_t *>(weight.bytes.data()), weight.bytes.size(), owner));
    array.storage->pinned = true;
    array.storage->isWritable = false;
    weights.push_back(std::move(array));
  }
}

PackagedFunction::PackagedFunction(std::shared_ptr<const LoadedPackage> from, std::string name) : loaded(std::move(from)) {
  const std::vector<PackageEntry> &entries = loaded->package.entries;
  auto found = std::ranges::find(entries, name, &PackageEntry::name);
  if (found == entries.end()) fail(ErrorKind::Package, "package", "entry", "one of the package", "'" + name + "'");
  first = &*found;
  last = &*std::ranges::find(entries.rbegin(), entries.rend(), name, &PackageEntry::name);
  types = inputTypesOf(first->program);
}

std::vector<int64_t> PackagedFunction::sizesOf(std::span<Array *const> arguments) const {
  std::vector<int64_t> sizes(first->dimensions.size(), -1);
  std::vector<std::string> from(sizes.size());
  size_t next = 0;
  for (size_t i = 0; i < first->inputs.size(); ++i) {
    const PackageInput &input = first->inputs[i];
    if (!isGiven(input)) continue;
    if (next == arguments.size()) fail(ErrorKind::Value, first->name, "arguments", "an array for '" + input.name + "'", "none");
    const Array &array = *arguments[next++];
    auto rank = types[i].shape.rank;
    if (array.dtype != types[i].dtype)
      fail(ErrorKind::DType, first->name, "dtype of '" + input.name + "'", info(types[i].dtype).name, info(array.dtype).name);
    if (array.shape.rank != rank)
      fail(ErrorKind::Shape, first->name, "axes of '" + input.name + "'", std::to_string(rank), "shape " + toString(array.shape));
    if (deviceOf(array)) fail(ErrorKind::Device, first->name, "device of '" + input.name + "'", "cpu", nameOf(deviceOf(array)));
    for (int axis = 0; axis < rank && input.role == Role::Argument; ++axis) {
      const SizeExpression::Item &wanted = input.shape[size_t(axis)].items[0];
      bool isNumber = wanted.step == SizeExpression::Step::Number;
      auto place = size_t(wanted.value);
      int64_t size = array.shape[axis], known = isNumber ? wanted.value : sizes[place];
      std::string what = "axis " + std::to_string(axis) + " of '" + input.name + "'";
      if (known >= 0 && known != size)
        fail(ErrorKind::Shape, first->name, what,
             isNumber ? std::to_string(known)
                      : first->dimensions[place].name + " = " + std::to_string(known) + " as " + from[place] + " has",
             std::to_string(size));
      if (isNumber) continue;
      sizes[place] = size;
      from[place] = what;
    }
  }
  if (next != arguments.size())
    fail(ErrorKind::Value, first->name, "arguments", std::to_string(next) + " arrays", std::to_string(arguments.size()));
  return sizes;
}

size_t PackagedFunction::variantFor(std::span<Array *const> arguments) const {
  return size_t(&entryFor(loaded->package, first->name, sizesOf(arguments)) - first);
}

/// The number of an input that follows from the sizes.
static Array numberOf(const PackageEntry &entry, const PackageInput &input, DType dtype, std::span<const int64_t> sizes) {
  std::optional<int64_t> value = evaluate(input.number, sizes);
  if (!value) fail(ErrorKind::Shape, entry.name, "number '" + input.name + "'", "one of 64 bits", "one that overflows");
  Operand number;
  number.kind = Operand::IsInt;
  number.integer = *value;
  return constantArray(dtype, scalarBits(number, dtype));
}

std::shared_ptr<PackagedFunction::Instance> PackagedFunction::makeInstance(const std::vector<int64_t> &sizes) const {
  auto instance = std::make_shared<Instance>();
  const PackageEntry &entry = *(instance->entry = &entryFor(loaded->package, first->name, sizes));
  std::vector<int64_t> symbols = symbolsOf(entry, sizes);
  Trace program = entry.program.isOpen() ? specialize(entry.program, symbols) : entry.program;
  Segment &segment = instance->step.segment = Segment(program);
  instance->program = segment.trace;
  for (size_t i = 0; i < entry.inputs.size(); ++i)
    if (entry.inputs[i].role == Role::Size) instance->numbers.push_back(numberOf(entry, entry.inputs[i], segment.inputs[i].dtype, sizes));
  if (segment.outputs.empty()) return instance;
  if (entry.program.isOpen()) {
    segment.code = codeOf(entry.program);
    segment.values.symbols = std::move(symbols);
  } else {
    segment.takeOwnCode();
  }
  if (segment.code->state == Code::Recorded) findCode(*segment.code);
  return instance;
}

std::shared_ptr<PackagedFunction::Instance> PackagedFunction::instanceAt(const std::vector<int64_t> &sizes) {
  if (auto known = instances.find(sizes); known != instances.end()) return ++hits, known->second;
  ++misses;
  auto made = makeInstance(sizes);
  if (instances.size() >= kMostInstances) instances.clear(); // calls that run hold theirs
  return instances[sizes] = made;
}

/// What is written must be writable, and no other argument may see it.
static void checkWrites(const PackageEntry &entry, std::span<Array *const> inputs) {
  for (const PackageOutput &output : entry.outputs) {
    if (output.writes < 0) continue;
    const Array &target = *inputs[size_t(output.writes)];
    std::string what = "argument '" + output.name + "'";
    if (!target.storage->isWritable || target.isRepeated)
      fail(ErrorKind::Value, entry.name, what, "an array that may be written, as it is", "a read-only one");
    for (size_t i = 0; i < inputs.size(); ++i)
      if (int64_t(i) != output.writes && inputs[i] && overlaps(target, *inputs[i]))
        fail(ErrorKind::Value, entry.name, what, "memory of its own, as it is written", "some that '" + entry.inputs[i].name + "' shares");
  }
}

/// Throws Error (trace) where a call took a way that was not recorded.
static void checkMiss(const PackageEntry &entry, const Array &number) {
  int64_t missed = 0;
  std::memcpy(&missed, number.data(), sizeof missed);
  if (!missed) return;
  bool isNamed = missed > 0 && missed <= int64_t(entry.misses.size());
  fail(ErrorKind::Trace, entry.name, "values", "a way that the arguments or an example of the export took",
       "another answer at " + (isNamed ? entry.misses[size_t(missed) - 1] : "a place that it does not name"));
}

/// The arguments of a call by the inputs of an entry; null for the others.
static std::vector<Array *> givenTo(const PackageEntry &entry, std::span<Array *const> arguments) {
  std::vector<Array *> given;
  size_t next = 0;
  for (const PackageInput &input : entry.inputs) given.push_back(isGiven(input) ? arguments[next++] : nullptr);
  return given;
}

/// What the stage before kept under the name of an input, with the shape that the input has.
static const Array &keptFor(const PackageEntry &entry, const PackageInput &input, const ArrayType &type, const PackageEntry &before,
                            std::span<const Array> kept) {
  auto place = keptAs(before, input.name);
  if (!place || !(kept[*place].type() == TensorType{type.dtype, type.shape}))
    fail(ErrorKind::Package, entry.name, "'" + input.name + "' of the stage before", toString(TensorType{type.dtype, type.shape}),
         place ? toString(kept[*place].type()) : "none");
  return kept[*place];
}

/// What a program is run on: arguments by input, and what the stage before kept.
std::vector<Array> PackagedFunction::inputsOf(const Instance &instance, std::span<Array *const> given, const Kept &kept) const {
  std::vector<Array> inputs;
  size_t number = 0;
  for (size_t i = 0; i < given.size(); ++i) {
    const PackageInput &input = instance.entry->inputs[i];
    if (given[i]) inputs.push_back(contiguous(*given[i]));
    else if (input.role == Role::Weight) inputs.push_back(loaded->weights[size_t(input.weight)]);
    else if (input.role == Role::Size) inputs.push_back(instance.numbers[number++]);
    else inputs.push_back(keptFor(*instance.entry, input, instance.step.segment.inputs[i], *kept.entry, kept.arrays));
  }
  return inputs;
}

namespace {

/// Arrays as the code of a package takes them, and what it gives back. Memory is held meanwhile: who writes it then gets other memory.
struct NativeCall {
  std::vector<Array> arguments, results;
  std::vector<Ref<Value>> memory;
  std::vector<dlpack::Tensor> tensors;

  NativeCall(const std::vector<ArrayType> &types, std::span<Array *const> given, const std::vector<bool> &isWritten) {
    for (size_t i = 0; i < given.size(); ++i) {
      Array whole = contiguous(*given[i]);
      arguments.push_back(isWritten[i] ? copyOfMemory(whole) : whole);
    }
    for (const ArrayType &type : types) results.push_back(Array::empty(type.dtype, type.shape));
    for (std::vector<Array> *list : {&arguments, &results})
      for (Array &array : *list) {
        memory.push_back(array.storage->value);
        char *data = array.data();
        auto *shape = const_cast<int64_t *>(array.shape.begin());
        tensors.push_back({data, {dlpack::kCPU, 0}, array.shape.rank, dlpack::dataTypeOf(array.dtype), shape, nullptr, 0});
      }
  }
  bool run(const NativeCode &code, const std::string &entry) {
    std::vector<dlpack::Tensor *> pointers;
    for (dlpack::Tensor &tensor : tensors) pointers.push_back(&tensor);
    return code.run(entry, std::span(pointers).first(arguments.size()), std::span(pointers).subspan(arguments.size()), &isShort);
  }
  /// The results, whose sizes that values decide are known now: the code sets them.
  std::vector<Array> found() {
    for (Array &result : results) result.strides = contiguousStrides(result.shape);
    return std::move(results);
  }
  bool isShort = false; // the results have more elements than there was room for
  /// While other threads of the host run. False: it was stopped.
  bool runBeside(const NativeCode &code, const std::string &entry, const RunHooks &hooks) {
    if (!longWork().begin) return run(code, entry);
    struct Released {
      void *state = longWork().begin();
      ~Released() { longWork().end(state); }
    } released;
    if (!hooks.poll) return run(code, entry);
    Interruptible interruptible(hooks.poll);
    return run(code, entry) && !interruptible.isStopped();
  }
};

} // namespace

static std::vector<ArrayType> typesOf(const std::vector<Array> &arrays) {
  std::vector<ArrayType> types;
  for (const Array &array : arrays) types.emplace_back(array.dtype, array.shape);
  return types;
}

std::vector<Array> PackagedFunction::callNative(std::span<Array *const> arguments, const RunHooks &hooks, bool &isStopped) const {
  std::vector<ArrayType> types = resultsOf(loaded->package, first->name, sizesOf(arguments));
  std::vector<Array *> given = givenTo(*last, arguments);
  checkWrites(*last, given);
  std::vector<bool> isWritten;
  for (size_t i = 0; i < given.size(); ++i)
    if (given[i]) isWritten.push_back(std::ranges::find(last->outputs, int64_t(i), &PackageOutput::writes) != last->outputs.end());
  uint64_t begin = timeOfWrites();
  std::optional<NativeCall> call;
  do {
    if (call) types = typesOf(call->results);
    call.emplace(types, arguments, isWritten);
    if ((isStopped = !call->runBeside(*loaded->native, first->name, hooks))) return {};
  } while (call->isShort);
  bool isOvertaken = false;
  for (size_t i = 0; i < arguments.size(); ++i) isOvertaken |= isWritten[i] && arguments[i]->storage->writtenAt > begin;
  if (isOvertaken) { // what other threads wrote would be lost
    KeepOthersOut whole;
    call.emplace(types, arguments, isWritten);
    do call.emplace(call->isShort ? typesOf(call->results) : types, arguments, isWritten), call->run(*loaded->native, first->name);
    while (call->isShort);
  }
  for (size_t i = 0; i < arguments.size(); ++i)
    if (isWritten[i]) commit(*arguments[i], call->arguments[i]);
  return call->found();
}

/// The results, but the number of a question. Throws Error (trace) where a call took a way that was not recorded.
static std::vector<Array> withoutMiss(const PackageEntry &entry, std::vector<Array> made) {
  if (entry.misses.empty()) return made;
  checkMiss(entry, made.back());
  made.pop_back();
  return made;
}

std::vector<Array> PackagedFunction::runStage(Instance &instance, std::span<const Array> inputs, JitMode mode, const RunHooks &hooks,
                                              bool &isStopped) {
  constexpr auto kLongRun = std::chrono::milliseconds(1);
  Step &step = instance.step;
  std::vector<const Array *> pointers;
  for (const Array &input : inputs) pointers.push_back(&input);
  if (mode != JitMode::Off) advance(step, mode, false);
  auto start = std::chrono::steady_clock::now();
  std::vector<Array> made;
  RunStatus status = step.segment.outputs.empty() ? RunStatus::Done : runStep(step, pointers, hooks, made);
  if (mode == JitMode::Auto && !step.segment.executable && step.segment.code && std::chrono::steady_clock::now() - start > kLongRun)
    compileLater(step.segment.code);
  if ((isStopped = status == RunStatus::Stopped)) return {};
  if (status == RunStatus::Eager) made = interpret(*instance.program, pointers, hooks.between); // which says what failed
  return made;
}

PackagedFunction::Kept PackagedFunction::count(std::vector<int64_t> &sizes, std::span<Array *const> arguments, JitMode mode,
                                               const RunHooks &hooks, bool &isStopped) {
  Kept kept;
  while (sizes.size() < last->dimensions.size() && !isStopped) {
    auto instance = instanceAt(sizes); // another thread may drop it
    const PackageEntry &entry = *instance->entry;
    std::vector<Array> inputs = inputsOf(*instance, givenTo(entry, arguments), kept);
    std::vector<Array> made = runStage(*instance, inputs, mode, hooks, isStopped);
    if (isStopped) break;
    made = withoutMiss(entry, std::move(made));
    std::memcpy(&sizes.emplace_back(), made.back().data(), sizeof(int64_t));
    made.pop_back();
    kept = {&entry, std::move(made)};
  }
  return kept;
}

std::vector<Array> PackagedFunction::call(std::span<Array *const> arguments, JitMode mode, const RunHooks &hooks, bool &isStopped) {
  ++calls;
  if (loaded->native) return callNative(arguments, hooks, isStopped);
  std::vector<int64_t> sizes = sizesOf(arguments);
  checkWrites(*last, givenTo(*last, arguments));
  uint64_t begin = timeOfWrites();
  Kept kept = count(sizes, arguments, mode, hooks, isStopped);
  if (isStopped) return {};
  auto instance = instanceAt(sizes);
  std::vector<Array *> given = givenTo(*instance->entry, arguments);
  std::vector<Array> inputs = inputsOf(*instance, given, kept), results;
  std::vector<Array> made = runStage(*instance, inputs, mode, hooks, isStopped);
  if (isStopped) return {};
  auto isOvertaken = [&](auto &output) { return output.writes >= 0 && given[size_t(output.writes)]->storage->writtenAt > begin; };
  if (std::ranges::any_of(instance->entry->outputs, isOvertaken)) { // what other threads wrote would be lost
    KeepOthersOut whole;
    kept = count(sizes = sizesOf(arguments), arguments, JitMode::Off, {}, isStopped);
    instance = instanceAt(sizes);
    inputs = inputsOf(*instance, given = givenTo(*instance->entry, arguments), kept);
    std::vector<const Array *> pointers;
    for (const Array &input : inputs) pointers.push_back(&input);
    made = interpret(*instance->program, pointers, {});
  }
  made = withoutMiss(*instance->entry, std::move(made));
  for (size_t i = 0; i < made.size(); ++i)
    if (int64_t writes = instance->entry->outputs[i].writes; writes < 0) results.push_back(made[i]);
    else commit(*given[size_t(writes)], made[i]);
  return results;
}

} // namespace kiln
