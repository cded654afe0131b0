// The CUDA runtime on the first device of the machine.
#include "lib/Runtime/CudaProgram.h"
#include "test/unit/Thrown.h"

#include <chrono>
#include <gtest/gtest.h>
#include <iostream>

using namespace kiln;
using namespace kiln::cuda;

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
  std::string image = assemble(device, kSaxpy);
  EXPECT_EQ(image.substr(1, 3), "ELF");
  Module module(device, image), again(device, kSaxpy);
  EXPECT_GT(again.attribute(again.kernel("saxpy"), MaxThreads), 0);
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
  std::string refused = thrown([&] { assemble(device, ".version 7.0\n.target sm_70\n.address_size 64\nnonsense"); }).second;
  EXPECT_TRUE(contains(refused, "line 4")) << refused;
  EXPECT_EQ(thrown([&] { assemble(device, "nonsense"); }).first, ErrorKind::Compile);
  std::string calls =
      ".version 7.0\n.target sm_70\n.address_size 64\n.extern .func __nv_expf;\n.visible .entry f() { call.uni __nv_expf; ret; }";
  EXPECT_TRUE(contains(thrown([&] { Module(device, calls); }).second, "__nv_expf")) << "a function that nobody defines is named";
  EXPECT_THROW(Device::of(1000), Error);
  EXPECT_EQ(inChild([] { return thrown([] { Device::of(); }).first == ErrorKind::Device ? 0 : 1; }), 0);
  EXPECT_EQ(device.stream()->isDone(), true) << "the parent goes on";
}

namespace {

// to[i] = from[i] + 1 for 256 numbers; the status gets bit 0.
const char *kStep = R"(
.version 7.0
.target sm_70
.address_size 64
.visible .entry step(.param .u64 from, .param .u64 to, .param .u64 status)
{
  .reg .b32 %r<5>;
  .reg .b64 %rd<6>;
  mov.u32 %r1, %tid.x;
  ld.param.b64 %rd1, [from];
  ld.param.b64 %rd2, [to];
  ld.param.b64 %rd3, [status];
  mul.wide.s32 %rd4, %r1, 4;
  add.s64 %rd1, %rd1, %rd4;
  add.s64 %rd2, %rd2, %rd4;
  ld.global.b32 %r2, [%rd1];
  add.s32 %r3, %r2, 1;
  st.global.b32 [%rd2], %r3;
  mov.u32 %r4, 1;
  st.global.b32 [%rd3], %r4;
  ret;
}
)";

/// A program of so many launches, each of which reads what the one before has written.
LaunchPlan::Program stepsOf(int64_t launches) {
  using Memory = LaunchPlan::Memory;
  LaunchPlan::Program program{std::to_string(launches), 1, 1, 2048, {}};
  for (int64_t i = 0; i < launches; ++i) {
    LaunchPlan::Argument from{Memory::Workspace, i % 2 * 1024, 0, 1024}, to{Memory::Workspace, (i + 1) % 2 * 1024, 0, 1024};
    if (i == 0) from = {Memory::Input, 0, 0, 1024};
    if (i == launches - 1) to = {Memory::Output, 0, 0, 1024};
    program.launches.push_back({"step", 1, 256, 0, {from, to, {Memory::Status, 0, 0, 4}}});
  }
  return program;
}

double secondsOf(const std::function<void()> &run) {
  auto start = std::chrono::steady_clock::now();
  run();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

} // namespace

// And what calls cost the host: the best of 50 rounds of 20, which a stream takes without waiting.
TEST_F(CudaDevice, PlaysPrograms) {
  Device &device = Device::of();
  auto stream = device.stream();
  const std::vector<int64_t> counts = {1, 2, 5, 20, 50};
  LaunchPlan plan;
  plan.code = assemble(device, kStep);
  for (int64_t count : counts) plan.programs.push_back(stepsOf(count));
  LoadedPlan loaded(device, plan);
  std::vector<int32_t> numbers(256, 7);
  Buffer x(stream, 1024), y(stream, 1024), z(stream, 1024), workspace(stream, 2048), status(stream, 4);
  stream->copyIn(x.address(), numbers.data(), 1024);
  for (int64_t count : counts) {
    const LaunchPlan::Program &program = loaded.program(std::to_string(count));
    auto launch = [&](Address to) { loaded.launch(*stream, program, std::vector{x.address(), to}, workspace.address(), status.address()); };
    stream->fillBytes(status.address(), 0, 4);
    for (const Buffer *to : {&y, &z}) {
      stream->fillBytes(to->address(), 0, 1024);
      launch(to->address());
      int32_t word = 0;
      stream->copyOut(numbers.data(), to->address(), 1024);
      stream->copyOut(&word, status.address(), 4);
      stream->synchronize();
      for (int32_t number : numbers) ASSERT_EQ(number, 7 + count);
      EXPECT_EQ(word, 1);
    }
    double same = 1, others = 1;
    constexpr int kCalls = 20;
    for (int round = 0; round < 50; ++round) {
      auto play = [&](bool isOther) {
        for (int i = 0; i < kCalls; ++i) launch(i % 2 && isOther ? z.address() : y.address());
      };
      same = std::min(same, secondsOf([&] { play(false); }) / kCalls);
      stream->synchronize();
      others = std::min(others, secondsOf([&] { play(true); }) / kCalls);
      stream->synchronize();
    }
    std::cout << program.launches.size() << " launches: " << same * 1e6 << " us of the host a call, " << others * 1e6
              << " where an array changes\n";
    EXPECT_LT(same, 20e-6 + 1e-6 * double(count));
  }
}

// Prints how fast they are: the best of 5.
TEST_F(CudaDevice, LargeCopies) {
  Device &device = Device::of();
  auto stream = device.stream();
  for (size_t bytes : {size_t(1) << 20, (size_t(16) << 20) + 13, size_t(256) << 20}) {
    std::vector<char> given(bytes), got(bytes);
    for (size_t i = 0; i < bytes; ++i) given[i] = char(i * 31 + i / 4096);
    Buffer buffer(stream, bytes);
    double in = 1e9, out = 1e9;
    for (int round = 0; round < 5; ++round) {
      std::fill(got.begin(), got.end(), 0);
      in = std::min(in, secondsOf([&] { stream->copyIn(buffer.address(), given.data(), bytes), stream->synchronize(); }));
      out = std::min(out, secondsOf([&] { stream->copyOut(got.data(), buffer.address(), bytes), stream->synchronize(); }));
      ASSERT_TRUE(got == given);
    }
    std::cout << bytes << " bytes: " << double(bytes) / in / 1e9 << " GB/s in, " << double(bytes) / out / 1e9 << " GB/s out\n";
  }
}
