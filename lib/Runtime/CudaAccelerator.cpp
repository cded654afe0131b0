// NVIDIA's GPUs as accelerators: one stream for all threads, so that work and memory follow the order of the program.
#include "lib/Runtime/Accelerator.h"
#include "lib/Runtime/CudaInternal.h"
#include "lib/Runtime/CudaLibraries.h"
#include "lib/Runtime/CudaProgram.h"

#include "include/kiln/executable.h"
#include "lib/Core/Dlpack.h"
#include "lib/Core/Environment.h"
#include "lib/Core/Error.h"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <dlfcn.h>
#include <filesystem>
#include <map>
#include <mutex>
#include <optional>

namespace kiln::cuda {
namespace {

/// Numbers of the host on their way to kernels. A place is written again behind the launches that read it, as all goes through one stream.
class Numbers {
public:
  explicit Numbers(std::shared_ptr<Stream> stream) : stream(stream), room(stream, kPlaces * kBytes) {}

  /// Copies what fits into one piece, each number at a multiple of its own largest size.
  Address put(const void *from, size_t count) {
    if (next + count > kPlaces) next = 0;
    Address at = room.address() + Address(next * kBytes);
    stream->copyIn(at, from, count * kBytes);
    next += count;
    return at;
  }
  static constexpr size_t kBytes = AcceleratorProgram::kMostHostBytes, kPlaces = 4096;

private:
  std::shared_ptr<Stream> stream;
  Buffer room;
  size_t next = 0;
};

/// An opened device, and what launches share. Never destroyed: arrays may outlive everything.
struct Opened {
  explicit Opened(int ordinal) : device(Device::of(ordinal)), stream(device.stream()), numbers(stream), status(device, sizeof(int32_t)) {}

  Device &device;
  std::shared_ptr<Stream> stream;
  std::mutex mutex; // of what follows
  Numbers numbers;
  PinnedMemory status; // which kernels write by themselves
  std::optional<Buffer> workspace;

  Address workspaceOf(size_t bytes) {
    if (bytes && (!workspace || workspace->bytes < bytes)) {
      workspace.reset(); // before there is another: both are in the order of the stream
      workspace.emplace(stream, bytes);
    }
    return workspace ? workspace->address() : 0;
  }
};

class Program final : public AcceleratorProgram {
public:
  Program(Opened &on, LaunchPlan plan)
      : AcceleratorProgram(plan.programs.at(0)), on(on), loaded(on.device, std::move(plan)), entry(loaded.program(this->plan.name)) {}

  int32_t run(std::span<const Argument> arguments, std::span<const int64_t> sizes) override {
    if (!plan.steps.empty()) return runSteps(arguments);
    size_t workspace = plan.workspaceFor(sizes);
    std::lock_guard lock(on.mutex);
    std::vector<Address> arrays = addressesOf(arguments);
    auto &word = *static_cast<volatile int32_t *>(on.status.data);
    if (plan.canFail) word = 0;
    loaded.launch(*on.stream, entry, arrays, on.workspaceOf(workspace), Address(on.status.data), sizes);
    if (!plan.canFail) return 0;
    on.stream->synchronize();
    return word;
  }

private:
  Opened &on;
  LoadedPlan loaded;
  const LaunchPlan::Program &entry;

  /// Pinned memory of a run of a program with steps: a number that is read, and the status. Kernels of one that was stopped still write it.
  struct Words {
    explicit Words(Device &device) : memory(device, 2 * sizeof(int64_t)), last(device) {}
    PinnedMemory memory;
    Event last; // that may write it
    volatile int32_t *status() { return reinterpret_cast<volatile int32_t *>(static_cast<char *>(memory.data) + sizeof(int64_t)); }
  };
  std::mutex mutex;
  std::vector<std::unique_ptr<Words>> idle; // several runs may be under way: other threads', and those of handlers of signals

  std::unique_ptr<Words> takeWords() {
    std::lock_guard lock(mutex);
    auto found = std::ranges::find_if(idle, [](auto &words) { return words->last.isReached(); });
    if (found == idle.end()) return std::make_unique<Words>(on.device);
    std::unique_ptr<Words> words = std::move(*found);
    idle.erase(found);
    return words;
  }

  /// Programs of other threads come between its launches, so nothing that lives from one to the next is shared.
  int32_t runSteps(std::span<const Argument> arguments) {
    if (!loaded.hasRoutines()) return KILN_LIBRARY_MISSING;
    std::unique_ptr<Words> words = takeWords();
    volatile int32_t *status = words->status();
    *status = 0;
    size_t numbers = size_t(std::ranges::count_if(arguments, [](const Argument &a) { return a.hostBytes > 0; }));
    size_t planned = (size_t(plan.workspaceBytes.constant()) + Numbers::kBytes - 1) / Numbers::kBytes * Numbers::kBytes;
    Buffer workspace(on.stream, planned + numbers * Numbers::kBytes);
    PlanRunner::Frame frame{{}, workspace.address(), {}};
    Address next = workspace.address() + planned;
    for (const Argument &a : arguments) {
      frame.numbers.push_back(numberOf(a));
      frame.arrays.push_back(a.hostBytes ? next : Address(a.data));
      if (!a.hostBytes) continue;
      on.stream->copyIn(next, a.data, a.hostBytes);
      next += Numbers::kBytes;
    }
    bool isDone = runToEnd(frame, *words);
    words->last.record(*on.stream);
    if (isDone && plan.canFail) on.stream->synchronize();
    int32_t result = *status ? *status : isDone ? 0 : KILN_STOPPED;
    std::lock_guard lock(mutex);
    idle.push_back(std::move(words));
    return result;
  }
  /// Where it fails halfway, what was put in still writes its words.
  bool runToEnd(const PlanRunner::Frame &frame, Words &words) {
    try {
      return loaded.run(*on.stream, entry, frame, words.status(), words.memory.data);
    } catch (const Error &) {
      quietly(on.device, [&] { on.stream->synchronize(); });
      throw;
    }
  }
  /// What a number of the host is to those who count trips.
  static std::optional<int64_t> numberOf(const Argument &a) {
    int64_t number = 0;
    if (a.hostBytes != sizeof number) return std::nullopt;
    std::memcpy(&number, a.data, sizeof number);
    return number;
  }

  std::vector<Address> addressesOf(std::span<const Argument> arguments) {
    std::vector<Address> arrays;
    std::vector<char> bytes;
    for (const Argument &a : arguments)
      if (a.hostBytes) {
        bytes.resize(bytes.size() + Numbers::kBytes);
        std::memcpy(bytes.data() + bytes.size() - Numbers::kBytes, a.data, a.hostBytes);
      }
    Address next = bytes.empty() ? 0 : on.numbers.put(bytes.data(), bytes.size() / Numbers::kBytes);
    for (const Argument &a : arguments) {
      arrays.push_back(a.hostBytes ? next : Address(a.data));
      if (a.hostBytes) next += Numbers::kBytes;
    }
    return arrays;
  }
};

class CudaAccelerator final : public Accelerator {
public:
  explicit CudaAccelerator(int ordinal) : Accelerator("cuda:" + std::to_string(ordinal)), ordinal(ordinal) {}

  bool isOpen() const override { return open.load(std::memory_order_acquire); }
  const CompileTarget &target() override {
    std::call_once(named, [&] {
      const DeviceFacts &facts = opened().device.facts;
      std::string other = environment("KILN_CUDA_TARGET");
      compileTarget = {other.empty() ? "nvptx" : other, "sm_" + std::to_string(facts.major) + std::to_string(facts.minor)};
    });
    return compileTarget;
  }
  std::string describe() override {
    const DeviceFacts &facts = opened().device.facts;
    return facts.name + ", " + std::to_string(facts.memory >> 20) + " MiB, " + std::to_string(facts.multiprocessors) +
           " multiprocessors, " + target().cpu + "\n" + describeLibraries();
  }
  void *allocate(size_t bytes) override {
    Opened &on = opened();
    Address start = 0;
    if (bytes) start = on.device.allocate(*on.stream, bytes);
    return reinterpret_cast<void *>(start);
  }
  void release(void *memory, size_t) noexcept override {
    if (memory) opened().device.release(*opened().stream, Address(memory));
  }
  void copyIn(void *to, const void *from, size_t bytes) override { opened().stream->copyIn(Address(to), from, bytes); }
  void copyOut(void *to, const void *from, size_t bytes) override {
    Stream &stream = *opened().stream;
    stream.copyOut(to, Address(from), bytes);
    stream.synchronize();
  }
  void copyWithin(void *to, const void *from, size_t bytes) override { opened().stream->copy(Address(to), Address(from), bytes); }
  std::pair<int32_t, int32_t> numbers() const override { return {dlpack::kCuda, ordinal}; }
  uint64_t queue() override { return reinterpret_cast<uint64_t>(opened().stream->handle); }
  void waitFor(uint64_t theirs) override { order(reinterpret_cast<StreamHandle>(theirs), opened().stream->handle); }
  void holdUp(uint64_t theirs) override { order(opened().stream->handle, reinterpret_cast<StreamHandle>(theirs)); }
  void synchronize() override { opened().stream->synchronize(); }
  Memory memory() override {
    Device::Memory memory = opened().device.memory();
    return {memory.used, memory.held};
  }
  void releaseHeld() override {
    synchronize();
    opened().device.trim();
  }
  std::string assemble(const std::string &code) override {
    bool isImage = code.starts_with("\x7f"
                                    "ELF");
    return isImage ? code : cuda::assemble(opened().device, code);
  }
  void launch(const std::string &code, const std::string &name, Shape shape, std::span<const uint64_t> parameters) override {
    Kernel kernel = kernelOf(code, name, size_t(shape.sharedBytes));
    std::vector<uint64_t> values(parameters.begin(), parameters.end());
    std::vector<void *> arguments;
    for (uint64_t &value : values) arguments.push_back(&value);
    cuda::launch(*opened().stream, kernel, {unsigned(shape.blocks)}, {unsigned(shape.threads)}, arguments.data());
  }
  std::shared_ptr<AcceleratorProgram> load(LaunchPlan plan) override {
    if (plan.programs.size() != 1) fail(ErrorKind::Compile, "launch plan", "programs", "one", std::to_string(plan.programs.size()));
    return std::make_shared<Program>(opened(), std::move(plan));
  }

private:
  const int ordinal;
  std::mutex opening;
  std::atomic<Opened *> open = nullptr;
  std::once_flag named;
  CompileTarget compileTarget;
  std::mutex loading;
  std::map<const std::string *, std::unique_ptr<Module>> modules; // of kernels that are no part of a plan, by their code

  Kernel kernelOf(const std::string &code, const std::string &name, size_t sharedBytes) {
    Opened &on = opened();
    std::lock_guard lock(loading);
    auto &module = modules[&code];
    if (!module) module = std::make_unique<Module>(on.device, code);
    return module->kernel(name, sharedBytes);
  }

  /// What is put into `later` from now on waits for what is in `first`.
  void order(StreamHandle first, StreamHandle later) {
    Device &device = opened().device;
    Event event(device);
    event.record(first);
    event.holdUp(later);
  }
  Opened &opened() {
    if (Opened *known = open.load(std::memory_order_acquire)) return *known;
    std::lock_guard lock(opening);
    if (!open.load(std::memory_order_relaxed)) open.store(new Opened(ordinal), std::memory_order_release);
    return *open.load(std::memory_order_relaxed);
  }
};

/// How many devices there are by what the kernel's driver shows; none where its library is not there. It is not started for that: a process
/// may fork until it uses a device.
size_t countDevices() {
  if (!environment("KILN_CUDA_DRIVER").empty()) return devices().size();
  size_t count = 0;
  std::error_code none;
  for (auto &entry : std::filesystem::directory_iterator("/dev", none)) {
    std::string name = entry.path().filename();
    bool isDevice = name.starts_with("nvidia") && name.size() > 6 && std::ranges::all_of(name.substr(6), isdigit);
    count += isDevice;
  }
  if (count && !dlopen("libcuda.so.1", RTLD_LAZY | RTLD_LOCAL)) return 0;
  const char *visible = getenv("CUDA_VISIBLE_DEVICES");
  if (!visible) return count;
  std::string list = visible;
  size_t listed = list.empty() || list == "-1" ? 0 : 1 + size_t(std::ranges::count(list, ','));
  return std::min(count, listed);
}

} // namespace
} // namespace kiln::cuda

namespace kiln {

std::span<Accelerator *const> accelerators() {
  static const auto *all = [] {
    auto *list = new std::vector<Accelerator *>;
    for (size_t i = 0, count = cuda::countDevices(); i < count; ++i) list->emplace_back(new cuda::CudaAccelerator(int(i)));
    return list;
  }();
  return *all;
}

} // namespace kiln
