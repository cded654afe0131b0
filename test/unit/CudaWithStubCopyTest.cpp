// Large copies between a device and memory that is not pinned, which go through pinned blocks: on the stub of the driver.
#include "test/unit/CudaStub.h"
#include "test/unit/Thrown.h"

#include <thread>

using namespace kiln;
using namespace kiln::cuda;

namespace {

constexpr size_t kLarge = (9 << 20) + 12345; // several pieces, the last one short

std::vector<char> sample(size_t bytes, int seed) {
  std::vector<char> result(bytes);
  for (size_t i = 0; i < bytes; ++i) result[i] = char(i * 31 + i / 4096 + size_t(seed));
  return result;
}

/// What is kept of the driver's calls while one lives.
struct Calls {
  const char *name;
  int64_t before = stubCalls(name);
  int64_t operator()() const { return stubCalls(name) - before; }
};

using CudaCopy = OnStub;

} // namespace

TEST_F(CudaCopy, LargeOnesGoThroughPinnedBlocks) {
  Device device(stubDriver({{"KILN_STUB_SLOW", "3000"}}), 0);
  auto stream = device.stream();
  Buffer buffer(stream, kLarge);
  Calls pinned{"cuMemHostAlloc"}, in{"cuMemcpyHtoDAsync_v2"}, out{"cuMemcpyDtoHAsync_v2"};
  for (int seed : {0, 1}) {
    std::vector<char> given = sample(kLarge, seed), expected = given, got(kLarge);
    stream->copyIn(buffer.address(), given.data(), kLarge);
    std::fill(given.begin(), given.end(), 0); // which the call allows
    stream->copyOut(got.data(), buffer.address(), kLarge);
    EXPECT_EQ(got, expected) << "there when it returns";
  }
  EXPECT_EQ(pinned(), 1) << "kept for the next copies";
  EXPECT_GT(in(), 8);
  EXPECT_GT(out(), 8);
}

TEST_F(CudaCopy, OthersGoAtOnce) {
  Device device(stubDriver(), 0);
  auto stream = device.stream();
  Buffer buffer(stream, kLarge);
  PinnedMemory pinned(device, kLarge);
  Calls blocks{"cuMemHostAlloc"}, in{"cuMemcpyHtoDAsync_v2"}, out{"cuMemcpyDtoHAsync_v2"};
  char small[100] = "small";
  stream->copyIn(buffer.address(), pinned.data, kLarge);
  stream->copyOut(pinned.data, buffer.address(), kLarge);
  stream->copyIn(buffer.address(), small, sizeof small);
  stream->copyOut(small, buffer.address(), sizeof small);
  stream->synchronize();
  EXPECT_EQ(blocks(), 0);
  EXPECT_EQ(in(), 2);
  EXPECT_EQ(out(), 2);
}

TEST_F(CudaCopy, ServesThreads) {
  Device device(stubDriver(), 0);
  std::atomic<int> wrong = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 3; ++t)
    threads.emplace_back([&, t] {
      auto stream = device.stream();
      Buffer buffer(stream, kLarge);
      for (int i = 0; i < 3; ++i) {
        std::vector<char> given = sample(kLarge, t * 10 + i), got(kLarge);
        stream->copyIn(buffer.address(), given.data(), kLarge);
        stream->copyOut(got.data(), buffer.address(), kLarge);
        wrong += got != given;
      }
    });
  for (std::thread &thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
}

TEST_F(CudaCopy, FailsAndRecovers) {
  Device device(stubDriver({{"KILN_STUB_FAIL", "cuMemHostAlloc:1,cuMemcpyHtoDAsync_v2:5,cuMemcpyDtoHAsync_v2:3"}}), 0);
  auto stream = device.stream();
  Buffer buffer(stream, kLarge);
  std::vector<char> given = sample(kLarge, 0), got(kLarge);
  Calls in{"cuMemcpyHtoDAsync_v2"};
  stream->copyIn(buffer.address(), given.data(), kLarge);
  EXPECT_EQ(in(), 1) << "without pinned memory the driver does it";
  EXPECT_THROW(stream->copyIn(buffer.address(), given.data(), kLarge), Error);
  stream->copyIn(buffer.address(), given.data(), kLarge);
  EXPECT_THROW(stream->copyOut(got.data(), buffer.address(), kLarge), Error);
  stream->copyOut(got.data(), buffer.address(), kLarge);
  EXPECT_EQ(got, given);
}
