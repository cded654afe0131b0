#include "lib/Runtime/CudaProgram.h"

#include "lib/Core/Error.h"
#include "lib/Core/NativeOps.h"
#include "lib/Library/Threads.h"
#include "lib/Runtime/CudaLibraries.h"

#include <chrono>
#include <cstring>
#include <map>
#include <thread>

namespace kiln::cuda {

/// A run of a program with steps: all goes into a stream, and the host waits for what it reads alone. It is not let far ahead of the
/// device, so that what is under way takes little memory, and a program that is stopped leaves little behind it.
class StepRun final : public PlanRunner {
public:
  StepRun(const LoadedPlan &loaded, Stream &stream, const volatile int32_t *status, void *word)
      : PlanRunner(loaded.plan), loaded(loaded), stream(stream), status(status), word(word),
        points{Event(stream.device), Event(stream.device)} {}

private:
  static constexpr size_t kAhead = 1024; // launches and copies
  const LoadedPlan &loaded;
  Stream &stream;
  const volatile int32_t *status;
  void *word;
  Event points[2];  // of the stream, so many launches apart, in turns
  size_t count = 0; // of those behind what was read last
  size_t ahead = 0; // what was put in behind the last one
  bool isStopped = false;

  void launch(const LaunchPlan::Program &program, size_t number, const Frame &frame) override {
    auto &part = loaded.launches.at(&program)[number];
    part->put(stream, frame.arrays.data(), frame.workspace, Address(status), {});
    wentAhead(program.part(number).size());
  }
  void copy(Address to, Address from, int64_t bytes) override {
    stream.copy(to, from, size_t(bytes));
    wentAhead(1);
  }
  void callLibrary(const LaunchPlan::Step &step, std::span<const Address> pointers) override {
    stream.device.libraries().run({stream, step.routine, step.words, pointers});
    wentAhead(kAhead / 16); // it may be many launches
  }
  std::optional<int64_t> read(Address from, int64_t bytes) override {
    std::memset(word, 0, sizeof(int64_t));
    stream.copyOut(word, from, size_t(bytes));
    points[0].record(stream);
    count = ahead = 0;
    if (!wait(points[0]) || *status) return std::nullopt;
    int64_t number = 0;
    std::memcpy(&number, word, sizeof number);
    return number;
  }
  bool stops() override { return isStopped || *status || Interruptible::stops(); }

  void wentAhead(size_t work) {
    ahead += work;
    if (ahead < kAhead) return;
    points[count++ % 2].record(stream);
    if (count > 1) isStopped |= !wait(points[count % 2]);
    ahead = 0;
  }

  /// False where the program is to stop before that point is reached.
  bool wait(Event &event) {
    constexpr auto kSoon = std::chrono::microseconds(200), kNap = std::chrono::microseconds(50);
    for (auto start = std::chrono::steady_clock::now(); !event.isReached();) {
      if (Interruptible::stops()) return false;
      if (std::chrono::steady_clock::now() - start < kSoon) std::this_thread::yield();
      else std::this_thread::sleep_for(kNap);
    }
    return true;
  }
};

/// The kernel that a custom op has in this process.
static const DeviceKernel *kernelOfOp(const std::string &name) {
  const RegisteredOp *op = findRegistered(name);
  if (const DeviceKernel *kernel = op ? deviceKernelOf(op->id) : nullptr) return kernel;
  fail(ErrorKind::Compile, "launch plan", "op '" + name + "'", "one that has a kernel for devices in this process", "none");
}

LoadedPlan::LoadedPlan(Device &device, LaunchPlan given) : plan(std::move(given)), module(device, plan.code) {
  std::map<std::string, int64_t> asked; // bytes of shared memory beyond what kernels declare
  plan.forEach([&](const LaunchPlan::Program &program) {
    for (const LaunchPlan::Launch &launch : program.launches) asked[launch.kernel] = std::max(asked[launch.kernel], launch.askedBytes());
  });
  std::map<std::string, Kernel> kernels;
  auto kernelOf = [&](const LaunchPlan::Launch &launch) {
    auto [found, isNew] = kernels.try_emplace(launch.kernel);
    if (!isNew) return found->second;
    const DeviceKernel *op = launch.isOp ? kernelOfOp(launch.kernel) : nullptr;
    if (op) ops.push_back(std::make_unique<Module>(device, op->code));
    return found->second = (op ? *ops.back() : module).kernel(op ? op->symbol : launch.kernel, size_t(asked[launch.kernel]));
  };
  plan.forEach([&](const LaunchPlan::Program &program) {
    for (size_t number = 0; number <= program.steps.size(); ++number)
      launches[&program].push_back(std::make_unique<Launches>(device, program.part(number), program.inputs, program.sizes > 0, kernelOf));
    for (const LaunchPlan::Step &step : program.steps)
      if (step.kind == LaunchPlan::Step::Kind::Library) routines.push_back(step.routine);
  });
}

bool LoadedPlan::hasRoutines() const { return Libraries::have(routines); }

const LaunchPlan::Program &LoadedPlan::program(const std::string &name) const {
  if (const LaunchPlan::Program *found = plan.find(name)) return *found;
  fail(ErrorKind::Value, "launch plan", "program", "one of the plan", "'" + name + "'");
}

static void checkArrays(const LaunchPlan::Program &program, size_t count) {
  if (count != size_t(program.inputs + program.outputs))
    fail(ErrorKind::Value, "launch plan", program.name, std::to_string(program.inputs + program.outputs) + " arrays",
         std::to_string(count));
}

void LoadedPlan::launch(Stream &stream, const LaunchPlan::Program &program, std::span<const Address> arrays, Address workspace,
                        Address status, std::span<const int64_t> sizes) const {
  if (int64_t(sizes.size()) != program.sizes)
    fail(ErrorKind::Value, "launch plan", program.name, std::to_string(program.sizes) + " sizes", std::to_string(sizes.size()));
  checkArrays(program, arrays.size());
  launches.at(&program)[0]->put(stream, arrays.data(), workspace, status, sizes);
}

bool LoadedPlan::run(Stream &stream, const LaunchPlan::Program &program, const PlanRunner::Frame &frame, const volatile int32_t *status,
                     void *word) const {
  checkArrays(program, frame.arrays.size());
  return StepRun(*this, stream, status, word).run(program, frame);
}

} // namespace kiln::cuda
