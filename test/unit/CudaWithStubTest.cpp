// The CUDA runtime on the stub of the driver, end to end.
#include "lib/Runtime/CudaProgram.h"
#include "test/unit/CudaStub.h"
#include "test/unit/Thrown.h"

#include <chrono>
#include <cstring>

using namespace kiln;
using namespace kiln::cuda;

namespace {

using CudaWithStub = OnStub;

/// Squares of 300 numbers, launched into a stream.
struct Squares {
  static constexpr size_t kBytes = 300 * sizeof(float);
  explicit Squares(Device &device)
      : stream(device.stream()), loaded(device, stubPrograms()), x(stream, kBytes), y(stream, kBytes), workspace(stream, 64),
        status(stream, 4) {
    for (size_t i = 0; i < numbers.size(); ++i) numbers[i] = float(i) - 100;
    stream->copyIn(x.address(), numbers.data(), kBytes);
    stream->fillBytes(status.address(), 0, 4);
  }
  std::shared_ptr<Stream> stream;
  LoadedPlan loaded;
  Buffer x, y, workspace, status;
  std::vector<float> numbers = std::vector<float>(300), result = numbers;
  void launch(Address from, Address to) {
    loaded.launch(*stream, loaded.program("square"), {from, to}, workspace.address(), status.address());
  }
};

double secondsOf(const std::function<void()> &run) {
  auto start = std::chrono::steady_clock::now();
  run();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

} // namespace

TEST_F(CudaWithStub, HasDevices) {
  const Driver &driver = stubDriver({{"KILN_STUB_DEVICES", "2"}, {"KILN_STUB_MEMORY", "1000000"}});
  Device first(driver, 0), second(driver, 1);
  EXPECT_EQ(second.facts.name, "Kiln simulator");
  EXPECT_EQ(second.facts.ordinal, 1);
  EXPECT_EQ(second.facts.major * 10 + second.facts.minor, 90);
  EXPECT_EQ(second.facts.multiprocessors, 132);
  EXPECT_EQ(second.facts.memory, 1000000);
  EXPECT_THROW(Device(driver, 2), Error);
  DeviceId one, two;
  EXPECT_EQ(driver.deviceId(&one, 0) + driver.deviceId(&two, 1), 0);
  EXPECT_NE(std::memcmp(&one, &two, sizeof one), 0);
  auto stream = second.stream();
  Buffer buffer(stream, 100);
  int ordinal = 0;
  Address start = 0;
  EXPECT_EQ(driver.pointerGet(&ordinal, DeviceOrdinal, buffer.address()), 201) << "no context";
  ContextHandle context;
  driver.primaryContext(&context, 0); // any: an address says where it belongs to
  driver.pushContext(context);
  EXPECT_EQ(driver.pointerGet(&ordinal, DeviceOrdinal, buffer.address() + 50), 0);
  EXPECT_EQ(ordinal, 1);
  EXPECT_EQ(driver.pointerGet(&start, RangeStart, buffer.address() + 50), 0);
  EXPECT_EQ(start, buffer.address());
  EXPECT_EQ(driver.pointerGet(&ordinal, DeviceOrdinal, Address(&ordinal)), InvalidValue) << "memory that the driver does not know";
  driver.popContext(&context);
}

TEST_F(CudaWithStub, CountsAndLimitsMemory) {
  Device device(stubDriver({{"KILN_STUB_DEVICES", "8"}, {"KILN_STUB_MEMORY", "1000000"}}), 7); // no other test has used it
  auto stream = device.stream();
  {
    Buffer buffer(stream, 512000);
    EXPECT_EQ(device.memory().used, 512000);
    auto [kind, text] = thrown([&] { Buffer(stream, 512000); });
    EXPECT_EQ(kind, ErrorKind::Memory);
    EXPECT_TRUE(contains(text, "CUDA_ERROR_OUT_OF_MEMORY (out of memory)")) << text;
  }
  EXPECT_EQ(device.memory().used, 0);
  EXPECT_EQ(device.memory().held, 512000) << "kept for the next one";
  Buffer again(stream, 512000);
  EXPECT_EQ(device.memory().held, 512000) << "which has it at once in the same stream";
  Address address = again.address();
  { Buffer moved(std::move(again)); }
  Buffer larger(stream, 900000);
  EXPECT_NE(larger.address(), address) << "blocks of other sizes are given back where memory is short";
  EXPECT_EQ(device.memory().held, 900096);
}

TEST_F(CudaWithStub, CopiesInOrderAndLater) {
  Device device(stubDriver({{"KILN_STUB_SLOW", "20000"}}), 0);
  auto stream = device.stream();
  Buffer buffer(stream, 8), other(stream, 8);
  PinnedMemory pinned(device, 8);
  char text[8] = "before", seen[8] = "nothing", last[8] = "";
  std::memcpy(pinned.data, "pinned", 7);
  stream->copyIn(buffer.address(), text, 8);
  std::memcpy(text, "changed", 8);
  stream->copyOut(seen, buffer.address(), 8);
  stream->copyIn(buffer.address(), pinned.data, 8);
  std::memcpy(pinned.data, "later!", 7);
  stream->copy(other.address(), buffer.address(), 8);
  stream->fillBytes(other.address(), '-', 2);
  stream->copyOut(last, other.address(), 8);
  EXPECT_FALSE(stream->isDone());
  EXPECT_STREQ(seen, "nothing") << "copies are done later";
  stream->synchronize();
  EXPECT_TRUE(stream->isDone());
  EXPECT_STREQ(seen, "before") << "memory that is not pinned is read at once";
  EXPECT_STREQ(last, "--ter!") << "pinned memory when the stream comes to it";
  EXPECT_THROW(stream->copyOut(seen, buffer.address() + 4, 8), Error) << "beyond the buffer";
}

TEST_F(CudaWithStub, RunsPlans) {
  Device device(stubDriver(), 0);
  Squares squares(device);
  for (int i = 0; i < 3; ++i) squares.launch(squares.x.address(), squares.y.address());
  squares.stream->copyOut(squares.result.data(), squares.y.address(), Squares::kBytes);
  squares.stream->synchronize();
  for (size_t i = 0; i < 300; ++i) ASSERT_EQ(squares.result[i], squares.numbers[i] * squares.numbers[i]) << i;
  int attribute = 0;
  Module module(device, assemble(device, stubPrograms().code));
  attribute = module.attribute(module.kernel("kernel_0"), MaxThreads);
  EXPECT_EQ(attribute, 1024);
  void *none[4] = {};
  void *arguments[] = {&none, &none, &none};
  EXPECT_THROW(cuda::launch(*squares.stream, module.kernel("kernel_0"), {1}, {1025}, arguments), Error) << "more threads than a block has";
  EXPECT_THROW(module.kernel("kernel_9"), Error);
}

TEST_F(CudaWithStub, TakesNoOtherCode) {
  Device device(stubDriver(), 0);
  auto [kind, text] = thrown([&] { Module(device, ".version 7.0\n.target sm_70\n"); });
  EXPECT_EQ(kind, ErrorKind::Compile);
  EXPECT_TRUE(contains(text, "CUDA_ERROR_INVALID_PTX (a PTX JIT compilation failed): the simulator takes no PTX")) << text;
  EXPECT_EQ(
      thrown([&] { assemble(device, ".version 7.0\n.target sm_70\n.address_size 64\n// so that it is as long as a header\n"); }).second,
      text);
}

TEST_F(CudaWithStub, EventsOrderStreams) {
  Device device(stubDriver({{"KILN_STUB_SLOW", "20000"}}), 0);
  auto first = device.stream(), second = device.stream();
  Buffer buffer(first, 1);
  Event start(device), filled(device);
  start.record(*first);
  first->fillBytes(buffer.address(), 7, 1);
  filled.record(*first);
  EXPECT_FALSE(filled.isReached());
  filled.holdUp(*second);
  uint8_t last = 0;
  second->copyOut(&last, buffer.address(), 1);
  second->synchronize();
  EXPECT_EQ(last, 7);
  filled.synchronize();
  EXPECT_TRUE(filled.isReached());
  EXPECT_GE(filled.since(start), 0.02);
  EXPECT_LT(secondsOf([&] { first->fillBytes(buffer.address(), 1, 1); }), 0.015) << "asking does not wait";
  first->synchronize();
}

TEST_F(CudaWithStub, PlantedFailures) {
  const Driver &driver = stubDriver({{"KILN_STUB_FAIL", "cuStreamCreate:2,cuMemAllocFromPoolAsync:1,cuMemcpyDtoHAsync_v2:1:700"}});
  Device device(driver, 0);
  auto stream = device.stream();
  EXPECT_TRUE(contains(thrown([&] { device.stream(); }).second, "CUDA_ERROR_UNKNOWN"));
  Buffer buffer(stream, 16); // asked for twice
  char text[16];
  EXPECT_TRUE(contains(thrown([&] { stream->copyOut(text, buffer.address(), 16); }).second, "CUDA_ERROR_ILLEGAL_ADDRESS"));
  stream->copyOut(text, buffer.address(), 16);
  stream->synchronize();
}

TEST_F(CudaWithStub, MemoryIsNotTheHosts) {
  EXPECT_DEATH(
      {
        Device device(stubDriver(), 0);
        auto stream = device.stream();
        Buffer buffer(stream, 4096);
        stream->synchronize();
        volatile char seen = *reinterpret_cast<char *>(buffer.address());
        (void)seen;
      },
      "");
}

TEST_F(CudaWithStub, FaultsStay) {
  auto run = [] {
    Device device(stubDriver(), 0);
    Squares squares(device);
    Buffer small(squares.stream, Squares::kBytes - 4);
    squares.launch(squares.x.address(), small.address()); // one number too many
    bool isRight = true;
    for (int i = 0; i < 2; ++i) {
      auto [kind, text] = thrown([&] { squares.stream->synchronize(); });
      isRight = isRight && kind == ErrorKind::Device && contains(text, "CUDA_ERROR_ILLEGAL_ADDRESS");
    }
    isRight = isRight && contains(thrown([&] { device.stream(); }).second, "CUDA_ERROR_ILLEGAL_ADDRESS");
    _exit(isRight ? 0 : 1);
  };
  EXPECT_EXIT(run(), testing::ExitedWithCode(0),
              "kiln-cuda-stub: simulator: kernel_0: out of bounds: a write of 4 bytes by thread 43 of block 1");
}

TEST_F(CudaWithStub, BuffersThatAreGoneAreFaults) {
  auto run = [] {
    Device device(stubDriver(), 0);
    Squares squares(device);
    Address gone = Buffer(squares.stream, Squares::kBytes).address();
    squares.launch(squares.x.address(), gone);
    _exit(contains(thrown([&] { squares.stream->synchronize(); }).second, "CUDA_ERROR_ILLEGAL_ADDRESS") ? 0 : 1);
  };
  EXPECT_EXIT(run(), testing::ExitedWithCode(0), "out of bounds: a write of 4 bytes by thread 0 of block 0");
}

TEST_F(CudaWithStub, IsNotOfForks) {
  const Driver &driver = stubDriver();
  Device device(driver, 0);
  auto stream = device.stream();
  EXPECT_EQ(inChild([&] {
              int count = 0;
              if (driver.deviceCount(&count) != 3) return 1;
              return contains(thrown([&] { stream->synchronize(); }).second, "a fork of a process that had used the driver") ? 0 : 2;
            }),
            0);
  stream->synchronize();
}

TEST_F(CudaWithStub, IsChosenByTheEnvironment) {
  auto run = [] {
    setenv("KILN_CUDA_DRIVER", kStubLibrary, 1);
    setenv("KILN_STUB_DEVICES", "2", 1);
    _exit(devices().size() == 2 && Device::of(1).facts.name == "Kiln simulator" ? 0 : 1);
  };
  EXPECT_EXIT(run(), testing::ExitedWithCode(0), "");
  auto none = [] {
    setenv("KILN_CUDA_DRIVER", "/none/libcuda.so", 1);
    _exit(devices().empty() && contains(thrown([] { driver(); }).second, "expected /none/libcuda.so of an NVIDIA driver") ? 0 : 1);
  };
  EXPECT_EXIT(none(), testing::ExitedWithCode(0), "");
}
