#include "lib/Runtime/CudaLaunches.h"

#include "lib/Runtime/CudaInternal.h"

#include <algorithm>
#include <utility>

namespace kiln::cuda {

Launches::Launches(Device &device, std::span<const LaunchPlan::Launch> launches, int64_t inputs, bool isOpen,
                   const std::function<Kernel(const LaunchPlan::Launch &)> &kernelOf)
    : device(device), isOpen(isOpen) {
  using Memory = LaunchPlan::Memory;
  for (const LaunchPlan::Launch &launch : launches) {
    Kernel kernel = kernelOf(launch);
    Step step{{}, launch.blocks, pointers.size(), launch.arguments.size()};
    step.node.function = kernel.handle;
    step.node.sharedBytes = unsigned(launch.askedBytes());
    step.node.blockX = unsigned(launch.threads);
    steps.push_back(step);
    for (const LaunchPlan::Argument &a : launch.arguments) {
      if (a.memory == Memory::Status) pointers.push_back({Pointer::Status, 0, 0});
      else if (a.memory == Memory::Workspace) pointers.push_back({Pointer::Workspace, a.number, 0});
      else if (a.memory == Memory::Size) pointers.push_back({Pointer::Number, PlanNumber::size(a.number.constant()), 0});
      else if (a.memory == Memory::Constant) pointers.push_back({Pointer::Number, a.number, 0});
      else pointers.push_back({a.number.constant() + (a.memory == Memory::Output ? inputs : 0), 0, 0});
    }
  }
  if (!isOpen) fit({});
  values.resize(pointers.size());
  for (Address &value : values) arguments.push_back(&value);
}

Launches::~Launches() { forgetGraph(); }

/// Computes what follows from sizes.
void Launches::fit(std::span<const int64_t> given) {
  constexpr int64_t kMostBlocks = (int64_t(1) << 31) - 1;
  sizes.clear(); // of no call, where it fails halfway
  for (Step &step : steps) {
    int64_t blocks = step.blocks.at(given);
    if (blocks < 0 || blocks > kMostBlocks)
      fail(ErrorKind::Value, "launch plan", "blocks", "at most " + std::to_string(kMostBlocks), std::to_string(blocks));
    step.node.gridX = unsigned(blocks);
  }
  for (Pointer &pointer : pointers) pointer.offset = Address(pointer.number.at(given));
  sizes.assign(given.begin(), given.end());
}

void Launches::put(Stream &stream, const Address *arrays, Address workspace, Address status, std::span<const int64_t> given) {
  Current current(device);
  if (steps.size() <= 1 && !isOpen) return launchOneByOne(stream, arrays, workspace, status);
  // Setting and playing belong together. What was played before keeps the pointers that it had.
  std::lock_guard lock(mutex);
  if (isOpen && !std::ranges::equal(sizes, given)) fit(given);
  auto hasNone = [](const Step &step) { return !step.node.gridX; };
  if (steps.size() <= 1 || std::ranges::any_of(steps, hasNone)) return launchOneByOne(stream, arrays, workspace, status);
  if (!runnable) {
    int code = makeGraph();
    if (code != Success) forgetGraph();
    if (code == OutOfMemory) return launchOneByOne(stream, arrays, workspace, status);
    check(device.functions, code, "graph", "one of " + std::to_string(steps.size()) + " launches");
  }
  setPointers(arrays, workspace, status);
  check(device.functions, device.functions.graphLaunch(runnable, stream.handle), "graph", "one that can be played");
}

void Launches::launchOneByOne(Stream &stream, const Address *arrays, Address workspace, Address status) const {
  constexpr size_t kFew = 64; // without asking for memory
  Address few[kFew];
  void *fewArguments[kFew];
  std::vector<Address> many;
  std::vector<void *> manyArguments;
  for (const Step &step : steps) {
    if (!step.node.gridX) continue;
    Address *current = few;
    void **given = fewArguments;
    if (step.count > kFew) {
      many.resize(step.count), manyArguments.resize(step.count);
      current = many.data(), given = manyArguments.data();
    }
    for (size_t i = 0; i < step.count; ++i) {
      current[i] = valueOf(pointers[step.first + i], arrays, workspace, status);
      given[i] = &current[i];
    }
    const LaunchNode &n = step.node;
    check(device.functions,
          device.functions.launch(n.function, n.gridX, 1, 1, n.blockX, 1, 1, n.sharedBytes, stream.handle, given, nullptr), "launch",
          "a grid and a block that the device takes");
  }
}

/// With pointers to nothing, which the first call replaces. The driver's code.
int Launches::makeGraph() {
  const Driver &driver = device.functions;
  int code = driver.graphCreate(&graph, 0);
  values.assign(values.size(), 0), blocks.clear();
  for (size_t i = 0; code == Success && i < steps.size(); ++i) {
    LaunchNode node = steps[i].node;
    node.arguments = arguments.data() + steps[i].first;
    NodeHandle made = nullptr;
    code = driver.graphAddLaunch(&made, graph, i ? &nodes.back() : nullptr, i ? 1 : 0, &node); // behind the one before
    nodes.push_back(made), blocks.push_back(node.gridX);
  }
  return code == Success ? driver.graphInstantiate(&runnable, graph, 0) : code;
}

void Launches::forgetGraph() {
  quietly(device, [&] {
    if (runnable) device.functions.runnableGraphDestroy(runnable);
    if (graph) device.functions.graphDestroy(graph);
  });
  runnable = nullptr, graph = nullptr;
  nodes.clear();
}

/// Tells the graph of those kernels that get other pointers, sizes or blocks than they had.
void Launches::setPointers(const Address *arrays, Address workspace, Address status) {
  for (size_t i = 0; i < steps.size(); ++i) {
    const Step &step = steps[i];
    bool changes = std::exchange(blocks[i], step.node.gridX) != step.node.gridX;
    for (size_t k = step.first; k < step.first + step.count; ++k) {
      Address value = valueOf(pointers[k], arrays, workspace, status);
      changes |= value != values[k];
      values[k] = value;
    }
    if (!changes) continue;
    LaunchNode node = step.node;
    node.arguments = arguments.data() + step.first;
    int code = device.functions.launchNodeSet(runnable, nodes[i], &node);
    if (code == Success) continue;
    blocks[i] = 0; // so that the next call sets it
    check(device.functions, code, "graph", "a launch that can be given other pointers");
  }
}

} // namespace kiln::cuda
