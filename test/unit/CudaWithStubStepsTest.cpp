// Programs with loops and branches through the runtime: on the stub of the driver.
#include "lib/Runtime/CudaProgram.h"
#include "lib/Library/Threads.h"
#include "test/unit/CudaStub.h"

using namespace kiln;
using namespace kiln::cuda;

namespace {

using CudaSteps = OnStub;

/// Doubled n times; doubled until it is 1000 or more.
const char *const kLoops = R"(
func.func @counted(%x: tensor<64xf32>, %n: tensor<i64>) -> tensor<64xf32> {
  %zero = kiln.constant 0 : i64 : tensor<i64>
  %i, %y = kiln.loop @less, @twice(%zero, %x, %n) : (tensor<i64>, tensor<64xf32>, tensor<i64>) -> (tensor<i64>, tensor<64xf32>)
  return %y : tensor<64xf32>
}
func.func @asked(%x: tensor<64xf32>, %n: tensor<i64>) -> tensor<64xf32> {
  %y = kiln.loop @isSmall, @double(%x) : (tensor<64xf32>) -> tensor<64xf32>
  return %y : tensor<64xf32>
}
func.func private @less(%i: tensor<i64>, %x: tensor<64xf32>, %n: tensor<i64>) -> tensor<i1> {
  %r = kiln.less %i, %n : (tensor<i64>, tensor<i64>) -> tensor<i1>
  return %r : tensor<i1>
}
func.func private @twice(%i: tensor<i64>, %x: tensor<64xf32>, %n: tensor<i64>) -> (tensor<i64>, tensor<64xf32>) {
  %one = kiln.constant 1 : i64 : tensor<i64>
  %j = kiln.add %i, %one : (tensor<i64>, tensor<i64>) -> tensor<i64>
  %y = kiln.add %x, %x : (tensor<64xf32>, tensor<64xf32>) -> tensor<64xf32>
  return %j, %y : tensor<i64>, tensor<64xf32>
}
func.func private @isSmall(%x: tensor<64xf32>) -> tensor<i1> {
  %s = kiln.max %x {axes = array<i64: 0>} : (tensor<64xf32>) -> tensor<f32>
  %most = kiln.constant 1000.0 : f32 : tensor<f32>
  %r = kiln.less %s, %most : (tensor<f32>, tensor<f32>) -> tensor<i1>
  return %r : tensor<i1>
}
func.func private @double(%x: tensor<64xf32>) -> tensor<64xf32> {
  %y = kiln.add %x, %x : (tensor<64xf32>, tensor<64xf32>) -> tensor<64xf32>
  return %y : tensor<64xf32>
}
)";

const LaunchPlan &loops() {
  static const LaunchPlan plan = stubPlan(kLoops);
  return plan;
}

/// Arrays of a call, filled with ones.
struct Call {
  explicit Call(Device &device)
      : stream(device.stream()), x(stream, kBytes), n(stream, 8), y(stream, kBytes), workspace(stream, 4096), words(device, 16) {
    std::vector<float> ones(64, 1);
    stream->copyIn(x.address(), ones.data(), kBytes);
  }
  static constexpr size_t kBytes = 64 * sizeof(float);
  std::shared_ptr<Stream> stream;
  Buffer x, n, y, workspace;
  PinnedMemory words;

  /// The first result; -1 where the program was stopped. `isKnown`: the host knows the number of trips.
  float run(const LoadedPlan &loaded, const char *name, int64_t trips, bool isKnown) {
    stream->copyIn(n.address(), &trips, 8);
    auto *status = reinterpret_cast<volatile int32_t *>(static_cast<char *>(words.data) + 8);
    *status = 0;
    PlanRunner::Frame frame{{x.address(), n.address(), y.address()}, workspace.address()};
    if (isKnown) frame.numbers = {std::nullopt, trips};
    bool isDone = loaded.run(*stream, loaded.program(name), frame, status, words.data);
    float result[64];
    stream->copyOut(result, y.address(), kBytes);
    stream->synchronize();
    return isDone ? result[63] : -1;
  }
};

} // namespace

TEST_F(CudaSteps, LoopsRunAsOftenAsTheySay) {
  Device device(stubDriver(), 0);
  LoadedPlan loaded(device, loops());
  Call call(device);
  for (int64_t trips : {0, 1, 2, 9})
    for (bool isKnown : {false, true}) EXPECT_EQ(call.run(loaded, "counted", trips, isKnown), float(1 << trips));
  EXPECT_EQ(call.run(loaded, "asked", 0, false), 1024);
}

TEST_F(CudaSteps, CountedLoopsReadNothing) {
  Device device(stubDriver(), 0);
  LoadedPlan loaded(device, loops());
  Call call(device);
  auto reads = [&](const char *name, int64_t trips, bool isKnown) {
    int64_t before = stubCalls("cuMemcpyDtoHAsync_v2");
    call.run(loaded, name, trips, isKnown);
    return stubCalls("cuMemcpyDtoHAsync_v2") - before - 1; // the result
  };
  EXPECT_EQ(reads("counted", 9, true), 0);
  EXPECT_EQ(reads("counted", 9, false), 1) << "the number of trips";
  EXPECT_EQ(reads("asked", 0, false), 11) << "the flag, before each trip and behind the last";
  int64_t plays = stubCalls("cuGraphLaunch"), made = stubCalls("cuGraphInstantiateWithFlags");
  call.run(loaded, "counted", 20, true);
  EXPECT_EQ(stubCalls("cuGraphLaunch") - plays, 20) << "a trip of two launches is a graph";
  EXPECT_EQ(stubCalls("cuGraphInstantiateWithFlags"), made) << "made once";
}

TEST_F(CudaSteps, StaysCloseToTheDevice) {
  Device device(stubDriver(), 0);
  LoadedPlan loaded(device, loops());
  Call call(device);
  int64_t asked = stubCalls("cuEventRecord");
  call.run(loaded, "counted", 3000, true);
  EXPECT_EQ(stubCalls("cuEventRecord") - asked, 3000 * 2 / 1024) << "a point for each thousand launches, which is waited for";
}

TEST_F(CudaSteps, StopsWhereTheThreadIsToldTo) {
  Device device(stubDriver({{"KILN_STUB_SLOW", "100"}}), 0);
  LoadedPlan loaded(device, loops());
  Call call(device);
  static int polls;
  polls = 0;
  Interruptible interruptible([] { return ++polls == 2; });
  auto start = std::chrono::steady_clock::now();
  EXPECT_EQ(call.run(loaded, "counted", 1'000'000'000, true), -1);
  EXPECT_TRUE(interruptible.isStopped());
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(30));
}
