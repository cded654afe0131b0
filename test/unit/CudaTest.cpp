// The CUDA runtime against a driver that is a table of functions made here, and against the machine's where it has one.
#include "lib/Core/Error.h"
#include "lib/Runtime/Cuda.h"

#include <cstring>
#include <functional>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace kiln;
using namespace kiln::cuda;

namespace {

/// What a stand-in for a driver was asked for, and what it answers.
struct Asked {
  int allocations = 0, failures = 0, frees = 0, trims = 0, synchronizations = 0, depth = 0, pushes = 0, shared = 0, pools = 1, count = 1;
  ContextHandle current = nullptr;
  std::string log;
} asked;
const auto kContext = reinterpret_cast<ContextHandle>(8);

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
  d.moduleLoad = [](ModuleHandle *, const void *, unsigned, int *, void **values) {
    if (asked.log.empty()) return 0;
    std::strcpy(static_cast<char *>(values[0]), asked.log.c_str());
    return int(InvalidPtx);
  };
  d.moduleUnload = [](ModuleHandle) { return 0; };
  d.moduleFunction = [](FunctionHandle *, ModuleHandle, const char *name) { return std::string(name) == "there" ? 0 : 500; };
  d.functionSet = [](FunctionHandle, int, int value) { return asked.shared = value, 0; };
  return d;
}

/// The kind and text of what `run` throws.
std::pair<ErrorKind, std::string> thrown(const std::function<void()> &run) {
  try {
    run();
  } catch (const Error &error) { return {error.kind, error.what()}; }
  return {ErrorKind::Value, "nothing"};
}
bool contains(const std::string &text, const std::string &part) { return text.find(part) != std::string::npos; }

/// The exit code of a child that runs `run`.
int inChild(const std::function<int()> &run) {
  pid_t child = fork();
  if (child == 0) {
    int code = 99; // anything else that is thrown
    try {
      code = run();
    } catch (...) {}
    _exit(code);
  }
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
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
  asked.log.clear();
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

//===-- with a device -----------------------------------------------------------------------------------------------===//

namespace {

// y += a * x, as LLVM 22 makes it for sm_70.
const char *kSaxpy = R"(
.version 7.0
.target sm_70
.address_size 64
.visible .entry saxpy(.param .f32 a, .param .u64 x, .param .u64 y, .param .u32 n)
{
  .reg .pred %p<2>;
  .reg .b32 %r<10>;
  .reg .b64 %rd<6>;
  mov.u32 %r1, %ctaid.x;
  mov.u32 %r2, %ntid.x;
  mov.u32 %r3, %tid.x;
  mad.lo.s32 %r4, %r1, %r2, %r3;
  ld.param.b32 %r5, [n];
  setp.ge.u32 %p1, %r4, %r5;
  @%p1 bra $end;
  ld.param.b32 %r6, [a];
  ld.param.b64 %rd1, [x];
  ld.param.b64 %rd2, [y];
  mul.wide.s32 %rd3, %r4, 4;
  add.s64 %rd4, %rd1, %rd3;
  add.s64 %rd5, %rd2, %rd3;
  ld.global.b32 %r7, [%rd4];
  ld.global.b32 %r8, [%rd5];
  fma.rn.f32 %r9, %r6, %r7, %r8;
  st.global.b32 [%rd5], %r9;
$end:
  ret;
}
)";

class CudaDevice : public testing::Test {
protected:
  void SetUp() override {
    if (devices().empty()) GTEST_SKIP() << thrown([] { driver(); }).second;
  }
};

} // namespace

TEST_F(CudaDevice, RunsKernels) {
  Device &device = Device::of();
  EXPECT_GE(device.facts.major, 7);
  EXPECT_GT(device.facts.memory, 0);
  auto stream = device.stream();
  Module module(device, kSaxpy);
  Kernel kernel = module.kernel("saxpy");
  EXPECT_GT(module.attribute(kernel, Registers), 0);
  std::vector<float> x(100003), y(x.size()), result(x.size());
  for (size_t i = 0; i < x.size(); ++i) x[i] = float(i % 1000), y[i] = float(i % 77);
  size_t bytes = x.size() * sizeof(float);
  Buffer left(stream, bytes), right(stream, bytes), copy(stream, bytes);
  stream->copyIn(left.address(), x.data(), bytes);
  stream->copyIn(right.address(), y.data(), bytes);
  float a = 3;
  uint32_t n = uint32_t(x.size());
  Address p = left.address(), q = right.address();
  void *arguments[] = {&a, &p, &q, &n};
  Event start(device), stop(device);
  start.record(*stream);
  launch(*stream, kernel, {(n + 255) / 256}, {256}, arguments);
  stop.record(*stream);
  stream->copy(copy.address(), right.address(), bytes);
  stream->copyOut(result.data(), copy.address(), bytes);
  stream->synchronize();
  EXPECT_TRUE(stream->isDone());
  for (size_t i = 0; i < x.size(); ++i) ASSERT_EQ(result[i], 3 * x[i] + y[i]) << i;
  EXPECT_GT(stop.since(start), 0);
  EXPECT_THROW(launch(*stream, kernel, {1}, {4096}, arguments), Error) << "more threads than a block has";
}

TEST_F(CudaDevice, MemoryGrowsAndIsGivenBack) {
  Device &device = Device::of();
  auto stream = device.stream();
  constexpr int64_t kBytes = 256 << 20;
  int64_t before = device.memory().used;
  {
    Buffer buffer(stream, kBytes);
    EXPECT_EQ(device.memory().used, before + kBytes);
    PinnedMemory pinned(device, 4096);
    stream->fillBytes(buffer.address(), 7, kBytes);
    stream->copyOut(pinned.data, buffer.address() + kBytes - 4096, 4096);
    stream->synchronize();
    EXPECT_EQ(static_cast<uint8_t *>(pinned.data)[4095], 7);
  }
  stream->synchronize();
  EXPECT_EQ(device.memory().used, before);
  EXPECT_GE(device.memory().held, kBytes) << "kept for the next one";
  device.trim();
  EXPECT_LT(device.memory().held, kBytes);
  auto [kind, text] = thrown([&] { Buffer(stream, size_t(4) << 40); });
  EXPECT_EQ(kind, ErrorKind::Memory);
  EXPECT_TRUE(contains(text, "CUDA_ERROR_OUT_OF_MEMORY")) << text;
  Buffer after(stream, 4096);
  EXPECT_NE(after.address(), 0u);
}

TEST_F(CudaDevice, StreamsWaitForEvents) {
  Device &device = Device::of();
  auto first = device.stream(), second = device.stream();
  constexpr size_t kBytes = 512 << 20;
  Buffer buffer(first, kBytes);
  Event filled(device);
  for (uint8_t value = 1; value <= 9; ++value) first->fillBytes(buffer.address(), value, kBytes);
  filled.record(*first);
  filled.holdUp(*second);
  uint8_t last = 0;
  second->copyOut(&last, buffer.address() + kBytes - 1, 1);
  second->synchronize();
  EXPECT_EQ(last, 9);
}

TEST_F(CudaDevice, ErrorsAndForks) {
  Device &device = Device::of();
  auto [kind, text] = thrown([&] { Module(device, ".version 7.0\n.target sm_70\n.address_size 64\nnonsense"); });
  EXPECT_EQ(kind, ErrorKind::Compile);
  EXPECT_TRUE(contains(text, "line 4")) << text;
  std::string calls =
      ".version 7.0\n.target sm_70\n.address_size 64\n.extern .func __nv_expf;\n.visible .entry f() { call.uni __nv_expf; ret; }";
  EXPECT_TRUE(contains(thrown([&] { Module(device, calls); }).second, "__nv_expf")) << "a function that nobody defines is named";
  EXPECT_THROW(Device::of(1000), Error);
  EXPECT_EQ(inChild([] { return thrown([] { Device::of(); }).first == ErrorKind::Device ? 0 : 1; }), 0);
  EXPECT_EQ(device.stream()->isDone(), true) << "the parent goes on";
}
