// The CUDA runtime against a driver that is a table of functions made here.
#include "lib/Core/NativeOps.h"
#include "lib/Runtime/CudaProgram.h"
#include "test/unit/Thrown.h"

#include <cstring>
#include <gtest/gtest.h>
#include <utility>

using namespace kiln;
using namespace kiln::cuda;

namespace {

/// What a stand-in for a driver was asked for, and what it answers.
struct Asked {
  int allocations = 0, failures = 0, frees = 0, trims = 0, synchronizations = 0, depth = 0, pushes = 0, shared = 0, pools = 1, count = 1;
  int linkers = 0;
  std::vector<unsigned> launches; // blocks and threads
  std::vector<Address> arguments; // of all launches
  std::vector<LaunchNode> nodes;  // of the one graph, whose arguments stand below
  std::vector<std::vector<Address>> nodeArguments;
  int graphs = 0, sets = 0, graphFailure = 0, setFailure = 0;
  ContextHandle current = nullptr;
  std::string log;
  void **values = nullptr;
} asked;

int sayLog(void **values) {
  if (asked.log.empty()) return Success;
  std::strcpy(static_cast<char *>(values[0]), asked.log.c_str());
  return InvalidPtx;
}
int recordLaunch(unsigned blocks, unsigned threads, void **arguments) {
  asked.launches.insert(asked.launches.end(), {blocks, threads});
  for (int i = 0; i < 3; ++i) asked.arguments.push_back(*static_cast<Address *>(arguments[i]));
  return 0;
}
std::vector<Address> argumentsOf(const LaunchNode &node) {
  std::vector<Address> values;
  for (int i = 0; i < 3; ++i) values.push_back(*static_cast<Address *>(node.arguments[i]));
  return values;
}
const auto kContext = reinterpret_cast<ContextHandle>(8);

/// Nodes are numbers from 1.
void addGraphs(Driver &d) {
  d.graphCreate = [](GraphHandle *graph, unsigned) { return *graph = reinterpret_cast<GraphHandle>(8), ++asked.graphs, 0; };
  d.graphAddLaunch = [](NodeHandle *node, GraphHandle, const NodeHandle *after, size_t count, const LaunchNode *launch) {
    if (count != (asked.nodes.empty() ? 0u : 1u) || (count && *after != reinterpret_cast<NodeHandle>(asked.nodes.size()))) return 1;
    asked.nodes.push_back(*launch), asked.nodeArguments.push_back(argumentsOf(*launch));
    return *node = reinterpret_cast<NodeHandle>(asked.nodes.size()), 0;
  };
  d.graphInstantiate = [](RunnableGraphHandle *runnable, GraphHandle, unsigned long long) {
    return *runnable = reinterpret_cast<RunnableGraphHandle>(8), std::exchange(asked.graphFailure, 0);
  };
  d.launchNodeSet = [](RunnableGraphHandle, NodeHandle node, const LaunchNode *launch) {
    if (int code = std::exchange(asked.setFailure, 0)) return code;
    size_t number = reinterpret_cast<size_t>(node) - 1;
    return asked.nodes[number] = *launch, asked.nodeArguments[number] = argumentsOf(*launch), ++asked.sets, 0;
  };
  d.graphLaunch = [](RunnableGraphHandle, StreamHandle) {
    for (size_t i = 0; i < asked.nodes.size(); ++i) {
      std::vector<void *> arguments;
      for (Address &value : asked.nodeArguments[i]) arguments.push_back(&value);
      recordLaunch(asked.nodes[i].gridX, asked.nodes[i].blockX, arguments.data());
    }
    return 0;
  };
  d.runnableGraphDestroy = [](RunnableGraphHandle) { return 0; };
  d.graphDestroy = [](GraphHandle) { return --asked.graphs, asked.nodes.clear(), asked.nodeArguments.clear(), 0; };
}

Driver standIn() {
  asked = {};
  Driver d;
  d.errorName = [](int code, const char **text) {
    return *text = code == OutOfMemory ? "CUDA_ERROR_OUT_OF_MEMORY" : "CUDA_ERROR_OTHER", 0;
  };
  d.errorText = [](int code, const char **text) { return *text = code == OutOfMemory ? "out of memory" : nullptr, 0; };
  d.deviceCount = [](int *count) { return *count = asked.count, 0; };
  d.deviceGet = [](int *device, int ordinal) { return *device = ordinal, 0; };
  d.deviceName = [](char *name, int bytes, int) { return std::strncpy(name, "stand-in", size_t(bytes)), 0; };
  d.deviceMemory = [](size_t *bytes, int) { return *bytes = 1 << 30, 0; };
  d.deviceAttribute = [](int *value, int attribute, int) { return *value = attribute == MemoryPools ? asked.pools : 9, 0; };
  d.primaryContext = [](ContextHandle *context, int) { return *context = kContext, 0; };
  d.currentContext = [](ContextHandle *context) { return *context = asked.current, 0; };
  d.pushContext = [](ContextHandle) { return ++asked.depth, ++asked.pushes, 0; };
  d.popContext = [](ContextHandle *) { return --asked.depth, 0; };
  d.poolCreate = [](PoolHandle *, const PoolProperties *) { return 0; };
  d.poolSet = [](PoolHandle, int, void *) { return 0; };
  d.poolTrim = [](PoolHandle, size_t) { return ++asked.trims, 0; };
  d.streamCreate = [](StreamHandle *, unsigned) { return 0; };
  d.streamDestroy = [](StreamHandle) { return 0; };
  d.streamSynchronize = [](StreamHandle) { return ++asked.synchronizations, 0; };
  d.streamQuery = [](StreamHandle) { return int(NotReady); };
  d.allocateAsync = [](Address *address, size_t, PoolHandle, StreamHandle) {
    if (asked.failures-- > 0) return int(OutOfMemory);
    return *address = Address(256 + asked.allocations++), 0;
  };
  d.freeAsync = [](Address, StreamHandle) { return ++asked.frees, 0; };
  d.moduleLoad = [](ModuleHandle *, const void *, unsigned, int *, void **values) { return sayLog(values); };
  d.linkCreate = [](unsigned, int *, void **values, LinkHandle *) { return asked.values = values, 0; };
  d.linkAdd = [](LinkHandle, int, void *, size_t, const char *, unsigned, int *, void **) { return sayLog(asked.values); };
  d.linkComplete = [](LinkHandle, void **image, size_t *bytes) { return *image = const_cast<char *>("image"), *bytes = 5, 0; };
  d.linkDestroy = [](LinkHandle) { return ++asked.linkers, 0; };
  d.moduleUnload = [](ModuleHandle) { return 0; };
  d.moduleFunction = [](FunctionHandle *, ModuleHandle, const char *name) { return std::string(name) == "there" ? 0 : 500; };
  d.launch = [](FunctionHandle, unsigned x, unsigned, unsigned, unsigned threads, unsigned, unsigned, unsigned, StreamHandle,
                void **arguments, void **) { return recordLaunch(x, threads, arguments); };
  addGraphs(d);
  d.functionSet = [](FunctionHandle, int, int value) { return asked.shared = value, 0; };
  return d;
}

} // namespace

// The first, as children of a process that has had a driver are refused.
TEST(Cuda, MachinesWithoutADriverSaySo) {
  if (!devices().empty()) GTEST_SKIP() << "this machine has " << devices()[0].name;
  EXPECT_THROW(Device::of(), Error);
  EXPECT_EQ(thrown([] { Device::of(); }), thrown([] { driver(); })) << "each time the same";
  EXPECT_EQ(inChild([] { return devices().empty() ? 0 : 1; }), 0) << "a child finds none either";
}

TEST(Cuda, LibrariesThatAreNoDriver) {
  EXPECT_THROW(openDriver("libno-such-driver.so.1"), Error);
  auto [kind, text] = thrown([] { openDriver("libm.so.6"); });
  EXPECT_EQ(kind, ErrorKind::Device);
  EXPECT_EQ(text, "cuda: driver: expected one of CUDA 12 or later, got libm.so.6 without cuInit");
}

TEST(Cuda, DevicesOutOfRange) {
  Driver driver = standIn();
  EXPECT_EQ(Device(driver, 0).facts.name, "stand-in");
  EXPECT_THROW(Device(driver, 1), Error);
  EXPECT_EQ(thrown([&] { Device(driver, -1); }).second, "cuda: device: expected a number below 1, got -1");
  asked.pools = 0;
  EXPECT_THROW(Device(driver, 0), Error) << "one without pools";
}

TEST(Cuda, MemoryThatIsShortIsAskedForTwice) {
  Driver driver = standIn();
  Device device(driver, 0);
  auto stream = device.stream();
  asked.failures = 1;
  {
    Buffer buffer(stream, 4096);
    EXPECT_NE(buffer.address(), 0u);
    EXPECT_EQ(asked.synchronizations, 1);
    EXPECT_EQ(asked.trims, 1);
    Buffer moved(std::move(buffer));
    Buffer empty(stream, 0);
    EXPECT_EQ(empty.address(), 0u);
  }
  EXPECT_EQ(asked.frees, 1) << "the one that was moved frees nothing, nor does the empty one";
  asked.failures = 2;
  auto [kind, text] = thrown([&] { Buffer(stream, 4096); });
  EXPECT_EQ(kind, ErrorKind::Memory);
  EXPECT_EQ(text, "cuda: memory: expected room for 4096 bytes on stand-in, got CUDA_ERROR_OUT_OF_MEMORY (out of memory)");
  EXPECT_EQ(asked.frees, 1);
}

TEST(Cuda, ModulesTellWhatTheDriverSays) {
  Driver driver = standIn();
  Device device(driver, 0);
  asked.log = "line 3: unknown symbol";
  auto [kind, text] = thrown([&] { Module(device, "nonsense"); });
  EXPECT_EQ(kind, ErrorKind::Compile);
  EXPECT_EQ(text, "cuda: module: expected code for stand-in, got CUDA_ERROR_OTHER: line 3: unknown symbol");
  EXPECT_EQ(thrown([&] { assemble(device, "nonsense"); }), std::pair(kind, text));
  EXPECT_EQ(asked.linkers, 1) << "also ended where it fails";
  asked.log.clear();
  EXPECT_EQ(assemble(device, "code"), "image");
  Module module(device, "code");
  EXPECT_THROW(module.kernel("missing"), Error);
  module.kernel("there", 48 << 10);
  EXPECT_EQ(asked.shared, 0) << "given without being asked";
  EXPECT_EQ(module.kernel("there", 100 << 10).dynamicShared, size_t(100 << 10));
  EXPECT_EQ(asked.shared, 100 << 10);
}

TEST(Cuda, ContextsOfOthersArePutBack) {
  Driver driver = standIn();
  Device device(driver, 0);
  auto stream = device.stream();
  EXPECT_GT(asked.pushes, 0);
  EXPECT_EQ(asked.depth, 0);
  int before = asked.pushes;
  asked.current = kContext;
  stream->synchronize();
  EXPECT_FALSE(stream->isDone());
  EXPECT_EQ(asked.pushes, before) << "it is current";
}

TEST(Cuda, ChildrenOfAForkUseNoDriverOfTheirParent) {
  Driver driver = standIn();
  Device device(driver, 0);
  auto stream = device.stream();
  auto buffer = std::make_unique<Buffer>(stream, 16);
  EXPECT_EQ(inChild([&] {
              buffer.reset();
              if (asked.frees) return 1;
              if (thrown([&] { stream->synchronize(); }).first != ErrorKind::Device || asked.synchronizations) return 2;
              if (!contains(thrown([&] { Device::of(); }).second, "a fork of a process that had used the driver")) return 3;
              if (!contains(thrown([] { devices(); }).second, "spawn")) return 4;
              return 0;
            }),
            0);
  buffer.reset();
  EXPECT_EQ(asked.frees, 1) << "the parent goes on";
}

/// Two programs: of two launches, and of the second of them alone.
static LaunchPlan twoPrograms() {
  using Memory = LaunchPlan::Memory;
  LaunchPlan plan;
  LaunchPlan::Argument input{Memory::Input, 1, 0, 64}, inside{Memory::Workspace, 256, 0, 64}, output{Memory::Output, 0, 0, 64},
      status{Memory::Status, 0, 0, 4};
  LaunchPlan::Launch first{"there", 4, 256, 0, {input, inside, status}}, second{"there", 2, 32, 0, {inside, output, status}};
  plan.programs = {{"f", 2, 1, 512, {first, second}}, {"g", 2, 1, 512, {second}}};
  return plan;
}

TEST(Cuda, PlansAreLaunchedInOrderWithTheirPointers) {
  Driver driver = standIn();
  Device device(driver, 0);
  auto stream = device.stream();
  LaunchPlan plan = twoPrograms();
  {
    LoadedPlan loaded(device, plan);
    loaded.launch(*stream, loaded.program("f"), {1000, 2000, 3000}, 4000, 5000);
    EXPECT_EQ(asked.launches, (std::vector<unsigned>{4, 256, 2, 32}));
    EXPECT_EQ(asked.arguments, (std::vector<Address>{2000, 4256, 5000, 4256, 3000, 5000}));
    EXPECT_EQ(asked.graphs, 1);
    asked.launches.clear(), asked.arguments.clear();
    loaded.launch(*stream, loaded.program("g"), {1000, 2000, 3000}, 4000, 5000);
    EXPECT_EQ(asked.launches, (std::vector<unsigned>{2, 32}));
    EXPECT_EQ(asked.arguments, (std::vector<Address>{4256, 3000, 5000}));
    EXPECT_EQ(asked.graphs, 1) << "one launch needs none";
    EXPECT_EQ(thrown([&] { loaded.launch(*stream, loaded.program("g"), {1000}, 4000, 5000); }).second,
              "launch plan: g: expected 3 arrays, got 1");
    EXPECT_THROW(loaded.program("h"), Error);
  }
  EXPECT_EQ(asked.graphs, 0);
  plan.programs[0].launches[0].kernel = "missing";
  EXPECT_THROW(LoadedPlan(device, plan), Error);
}

TEST(Cuda, GraphsAreToldWhatChanges) {
  Driver driver = standIn();
  Device device(driver, 0);
  auto stream = device.stream();
  LoadedPlan loaded(device, twoPrograms());
  const LaunchPlan::Program &program = loaded.program("f");
  auto lastLaunches = [&](std::vector<Address> arrays) {
    asked.arguments.clear(), asked.sets = 0;
    loaded.launch(*stream, program, arrays, 4000, 5000);
    return asked.arguments;
  };
  asked.graphFailure = OutOfMemory;
  EXPECT_EQ(lastLaunches({1000, 2000, 3000}).size(), 6u);
  EXPECT_EQ(asked.graphs, 0) << "where memory is short, launches do without";
  asked.graphFailure = 1;
  EXPECT_THROW(lastLaunches({1000, 2000, 3000}), Error);
  lastLaunches({1000, 2000, 3000});
  EXPECT_EQ(asked.sets, 2);
  lastLaunches({9000, 2000, 3000});
  EXPECT_EQ(asked.sets, 0) << "an input that no kernel reads";
  EXPECT_EQ(lastLaunches({1000, 2000, 3333}), (std::vector<Address>{2000, 4256, 5000, 4256, 3333, 5000}));
  EXPECT_EQ(asked.sets, 1);
  asked.setFailure = 1;
  EXPECT_THROW(lastLaunches({1000, 2222, 3333}), Error);
  EXPECT_EQ(lastLaunches({1000, 2222, 3333}), (std::vector<Address>{2222, 4256, 5000, 4256, 3333, 5000})) << "told again";
}

/// A program for any size, of two launches.
static LaunchPlan openProgram() {
  using Memory = LaunchPlan::Memory;
  PlanNumber size = PlanNumber::size(0);
  LaunchPlan::Argument inside{Memory::Workspace, size * 4, 0, 64};
  LaunchPlan::Launch first{"there", (size + 255) / 256, 256, 0, {{Memory::Input, 0, 0, size * 4}, inside, {Memory::Size, 0, 0, 0}}},
      second{"there", size, 32, 0, {inside, {Memory::Output, 0, 0, 64}, {Memory::Status, 0, 0, 4}}};
  LaunchPlan::Program program{"f", 1, 1, size * 4 + 64, {first, second}};
  program.sizes = 1;
  LaunchPlan plan;
  plan.programs = {program};
  return plan;
}

TEST(Cuda, ProgramsLaunchKernelsOfCustomOps) {
  using Memory = LaunchPlan::Memory;
  Driver driver = standIn();
  Device device(driver, 0);
  auto stream = device.stream();
  const std::vector<std::string> shape = {"by", "launch_blocks", "launch_threads", "launch_shared"};
  const RegisteredOp &op = declareNative({"cudatest.twice_1_1", "twice", 1, 1, shape});
  LaunchPlan::Launch launch{
      op.op.name,   3, 64, 1000, {{Memory::Input, 0, 0, 64}, {Memory::Constant, 16, 0, 0}, {Memory::Constant, -7, 0, 0}},
      /*isOp=*/true};
  LaunchPlan plan{"", {{"f", 1, 0, 0, {launch}}}, {}};
  EXPECT_EQ(thrown([&] { LoadedPlan(device, plan); }).second,
            "launch plan: op 'cudatest.twice_1_1': expected one that has a kernel for devices in this process, got none");
  defineOnDevice(op, {"code", "there"});
  LoadedPlan loaded(device, plan);
  asked.arguments.clear(), asked.launches.clear();
  loaded.launch(*stream, loaded.program("f"), {1000}, 4000, 5000);
  EXPECT_EQ(asked.launches, (std::vector<unsigned>{3, 64}));
  EXPECT_EQ(asked.arguments, (std::vector<Address>{1000, 16, Address(-7)}));
}

TEST(Cuda, ProgramsForAnySizeFollowTheSizesOfACall) {
  Driver driver = standIn();
  Device device(driver, 0);
  auto stream = device.stream();
  LoadedPlan loaded(device, openProgram());
  auto launch = [&](std::vector<int64_t> sizes) {
    asked.arguments.clear(), asked.launches.clear(), asked.sets = 0;
    loaded.launch(*stream, loaded.program("f"), {1000, 3000}, 4000, 5000, sizes);
  };
  launch({300});
  EXPECT_EQ(asked.launches, (std::vector<unsigned>{2, 256, 300, 32}));
  EXPECT_EQ(asked.arguments, (std::vector<Address>{1000, 5200, 300, 5200, 3000, 5000}));
  launch({300});
  EXPECT_EQ(asked.sets, 0);
  launch({512});
  EXPECT_EQ(asked.launches, (std::vector<unsigned>{2, 256, 512, 32}));
  EXPECT_EQ(asked.arguments, (std::vector<Address>{1000, 6048, 512, 6048, 3000, 5000}));
  EXPECT_EQ(asked.sets, 2);
  launch({0});
  EXPECT_EQ(asked.launches, std::vector<unsigned>()) << "launches of no block are left out";
  EXPECT_EQ(thrown([&] { launch({}); }).second, "launch plan: f: expected 1 sizes, got 0");
  EXPECT_EQ(thrown([&] { launch({int64_t(1) << 40}); }).second, "launch plan: blocks: expected at most 2147483647, got 4294967296");
  EXPECT_THROW(launch({int64_t(1) << 62}), Error) << "arithmetic that 64 bits do not hold";
  launch({300});
  EXPECT_EQ(asked.launches, (std::vector<unsigned>{2, 256, 300, 32}));
}
