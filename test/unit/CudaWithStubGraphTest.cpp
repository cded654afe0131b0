// Programs of several launches, which are played as graphs: on the stub of the driver.
#include "lib/Runtime/CudaProgram.h"
#include "test/unit/CudaStub.h"
#include "test/unit/Thrown.h"

#include <thread>

using namespace kiln;
using namespace kiln::cuda;

namespace {

/// Arrays of one call of `steps`, filled with numbers of their own, and what it gives.
struct Steps {
  static constexpr size_t kInput = 600 * sizeof(float), kOutput = 20 * sizeof(float);
  Steps(Device &device, int seed)
      : stream(device.stream()), x(stream, kInput), y(stream, kInput), result(stream, kOutput), workspace(stream, 3200), status(stream, 4) {
    for (size_t i = 0; i < 600; ++i) numbers[i] = float((i * 7 + size_t(seed)) % 5) - 2;
    stream->copyIn(x.address(), numbers.data(), kInput);
    stream->copyIn(y.address(), numbers.data(), kInput);
    stream->fillBytes(status.address(), 0, 4);
  }
  std::shared_ptr<Stream> stream;
  Buffer x, y, result, workspace, status;
  std::vector<float> numbers = std::vector<float>(600), got = std::vector<float>(20);

  void launch(const LoadedPlan &loaded) {
    const Address arrays[] = {x.address(), y.address(), result.address()};
    loaded.launch(*stream, loaded.program("steps"), std::span<const Address>(arrays), workspace.address(), status.address());
  }
  /// The sums of the rows of (x y) (x y).
  std::vector<float> expected() const {
    auto product = [](const std::vector<float> &a, const std::vector<float> &b, size_t depth) {
      std::vector<float> c(400);
      for (size_t i = 0; i < 20; ++i)
        for (size_t j = 0; j < 20; ++j)
          for (size_t k = 0; k < depth; ++k) c[i * 20 + j] += a[i * depth + k] * b[k * 20 + j];
      return c;
    };
    std::vector<float> once = product(numbers, numbers, 30), twice = product(once, once, 20), sums(20);
    for (size_t i = 0; i < 400; ++i) sums[i / 20] += twice[i];
    return sums;
  }
  bool isRight() {
    stream->copyOut(got.data(), result.address(), kOutput);
    stream->synchronize();
    return got == expected();
  }
};

using CudaGraph = OnStub;

} // namespace

TEST_F(CudaGraph, PlaysSeveralLaunches) {
  Device device(stubDriver(), 0);
  LoadedPlan loaded(device, stubPrograms());
  ASSERT_EQ(loaded.program("steps").launches.size(), 3u);
  int64_t launches = stubCalls("cuLaunchKernel"), plays = stubCalls("cuGraphLaunch"), made = stubCalls("cuGraphInstantiateWithFlags"),
          sets = stubCalls("cuGraphExecKernelNodeSetParams_v2");
  Steps first(device, 0), second(device, 1);
  for (int i = 0; i < 5; ++i) first.launch(loaded);
  EXPECT_TRUE(first.isRight());
  EXPECT_EQ(stubCalls("cuGraphExecKernelNodeSetParams_v2"), sets + 3) << "once, as no pointer changes";
  second.launch(loaded);
  EXPECT_TRUE(second.isRight());
  EXPECT_EQ(stubCalls("cuGraphExecKernelNodeSetParams_v2"), sets + 6);
  EXPECT_EQ(stubCalls("cuGraphLaunch"), plays + 6);
  EXPECT_EQ(stubCalls("cuGraphInstantiateWithFlags"), made + 1);
  EXPECT_EQ(stubCalls("cuLaunchKernel"), launches);
}

TEST_F(CudaGraph, WaitingPlaysKeepTheirPointers) {
  Device device(stubDriver({{"KILN_STUB_SLOW", "2000"}}), 0);
  LoadedPlan loaded(device, stubPrograms());
  std::vector<std::unique_ptr<Steps>> calls;
  for (int i = 0; i < 6; ++i) {
    calls.push_back(std::make_unique<Steps>(device, i));
    calls.back()->launch(loaded);
  }
  for (auto &call : calls) EXPECT_TRUE(call->isRight());
}

TEST_F(CudaGraph, ServesThreads) {
  Device device(stubDriver(), 0);
  LoadedPlan loaded(device, stubPrograms());
  std::atomic<int> wrong = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&, t] {
      for (int i = 0; i < 8; ++i) {
        Steps call(device, t * 100 + i);
        call.launch(loaded);
        wrong += !call.isRight();
      }
    });
  for (std::thread &thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
}

TEST_F(CudaGraph, IsNotNeededWhereMemoryIsShort) {
  Device device(stubDriver({{"KILN_STUB_FAIL", "cuGraphInstantiateWithFlags:1:2"}}), 0);
  LoadedPlan loaded(device, stubPrograms());
  Steps steps(device, 3);
  int64_t launches = stubCalls("cuLaunchKernel");
  steps.launch(loaded);
  EXPECT_EQ(stubCalls("cuLaunchKernel"), launches + 3) << "one by one";
  EXPECT_TRUE(steps.isRight());
}

TEST_F(CudaGraph, FailsAndRecovers) {
  Device device(stubDriver({{"KILN_STUB_FAIL", "cuGraphInstantiateWithFlags:1,cuGraphLaunch:1,cuGraphExecKernelNodeSetParams_v2:5"}}), 0);
  LoadedPlan loaded(device, stubPrograms());
  Steps steps(device, 3), others(device, 4);
  EXPECT_TRUE(contains(thrown([&] { steps.launch(loaded); }).second, "graph: expected one of 3 launches, got CUDA_ERROR_UNKNOWN"));
  EXPECT_TRUE(contains(thrown([&] { steps.launch(loaded); }).second, "graph: expected one that can be played"));
  steps.launch(loaded);
  EXPECT_TRUE(steps.isRight());
  EXPECT_TRUE(contains(thrown([&] { others.launch(loaded); }).second, "graph: expected a launch that can be given other pointers"));
  others.launch(loaded);
  EXPECT_TRUE(others.isRight());
}
