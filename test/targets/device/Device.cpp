// The target nvptx-device: what the target nvptx emits, run on the first NVIDIA GPU of this machine; for tools/test-gpu. With
// KILN_DEVICE_TARGET=nvptx-sim, that target's code on the stub of the driver (test/targets/stub), which KILN_CUDA_DRIVER names. With
// KILN_DEVICE_TIMES=FILE each run adds a line of JSON: the program, its bytes, and the seconds of it and of a copy of as many bytes on the
// device, medians of 20.
#include "codegen/Target.h"
#include "lib/Core/Error.h"
#include "lib/Runtime/CudaProgram.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"

#include <algorithm>

using namespace mlir;
using namespace kiln;

namespace device {
namespace {

codegen::MachineName nameOf(cuda::Device &device) {
  std::string chip = "sm_" + std::to_string(device.facts.major) + std::to_string(device.facts.minor);
  return {"", chip == "sm_90" ? "sm_90a" : chip, ""}; // with what that one alone has
}

LaunchPlan readPlan(const std::string &path) {
  auto file = llvm::MemoryBuffer::getFile(path);
  if (!file) throw Error(ErrorKind::Compile, "target 'nvptx-device': expected a file, got " + path);
  return LaunchPlan::read((*file)->getBuffer().str());
}

/// An array of the host and its twin on the device: the bytes that kernels reach.
struct Twin {
  char *host;
  int64_t low = 0, high = 0;
  std::optional<cuda::Buffer> buffer;
  size_t bytes() const { return size_t(high - low); }
  cuda::Address address() const { return buffer->address() - cuda::Address(low); }
};

class DeviceCode : public codegen::Code {
public:
  explicit DeviceCode(const std::string &path) : device(cuda::Device::of()), plan(device, readPlan(path)) {}

  int32_t run(StringRef name, const kiln_rt *, void *const *buffers, const int64_t *dims, void *) override {
    const LaunchPlan::Program &entry = plan.program(name.str());
    std::span<const int64_t> sizes(dims, size_t(entry.sizes));
    const LaunchPlan::Program program = entry.at(sizes);
    auto stream = device.stream();
    std::vector<Twin> twins;
    for (auto [low, high] : LaunchPlan::extentsOf(program))
      twins.push_back({static_cast<char *>(buffers[twins.size()]), low, high, std::nullopt});
    std::vector<cuda::Address> arrays;
    size_t bytes = 0;
    for (Twin &twin : twins) {
      twin.buffer.emplace(stream, std::max<size_t>(twin.bytes(), 1));
      if (twin.bytes()) stream->copyIn(twin.buffer->address(), twin.host + twin.low, twin.bytes());
      arrays.push_back(twin.address());
      bytes += twin.bytes();
    }
    cuda::Buffer workspace(stream, size_t(std::max<int64_t>(program.workspaceBytes.constant(), 1)));
    cuda::PinnedMemory words(device, 2 * sizeof(int64_t)); // a number that is read, and the status, which kernels write by themselves
    auto &status = *reinterpret_cast<volatile int32_t *>(static_cast<char *>(words.data) + sizeof(int64_t));
    status = 0;
    auto launch = [&] {
      if (entry.steps.empty()) plan.launch(*stream, entry, arrays, workspace.address(), cuda::Address(&status), sizes);
      else plan.run(*stream, entry, {arrays, workspace.address()}, &status, words.data);
    };
    launch();
    for (int64_t i = program.inputs; i < int64_t(twins.size()); ++i) {
      Twin &twin = twins[size_t(i)];
      if (twin.bytes()) stream->copyOut(twin.host + twin.low, twin.buffer->address(), twin.bytes());
    }
    stream->synchronize();
    if (const char *path = getenv("KILN_DEVICE_TIMES")) writeTimes(path, program, bytes, launch, *stream);
    return status;
  }

private:
  cuda::Device &device;
  cuda::LoadedPlan plan;

  double median(cuda::Stream &stream, llvm::function_ref<void()> work) {
    constexpr size_t kRuns = 20;
    std::vector<double> seconds;
    cuda::Event start(device), end(device);
    for (size_t i = 0; i <= kRuns; ++i) {
      start.record(stream);
      work();
      end.record(stream);
      end.synchronize();
      if (i) seconds.push_back(end.since(start));
    }
    std::nth_element(seconds.begin(), seconds.begin() + kRuns / 2, seconds.end());
    return seconds[kRuns / 2];
  }

  void writeTimes(const char *path, const LaunchPlan::Program &program, size_t bytes, llvm::function_ref<void()> launch,
                  cuda::Stream &stream) {
    size_t half = std::max<size_t>(bytes / 2, 1); // a copy reads and writes
    auto memory = device.stream();
    cuda::Buffer from(memory, half), to(memory, half);
    memory->synchronize();
    double seconds = median(stream, launch), copy = median(stream, [&] { stream.copy(to.address(), from.address(), half); });
    std::error_code error;
    llvm::raw_fd_ostream out(path, error, llvm::sys::fs::OF_Append);
    if (error) throw Error(ErrorKind::Value, std::string("KILN_DEVICE_TIMES: expected a writable file, got ") + path);
    out << "{\"program\": \"" << program.name << "\", \"device\": \"" << device.facts.name << "\", \"bytes\": " << bytes
        << ", \"seconds\": " << seconds << ", \"copy_seconds\": " << copy << "}\n";
  }
};

class OnDevice : public codegen::Target {
public:
  StringRef name() const override { return "nvptx-device"; }
  codegen::Capabilities capabilities() const override { return real().capabilities(); }
  bool takes(ir::KernelOp kernel) const override { return real().takes(kernel); }
  bool takesOpenSizes(ir::KernelOp kernel) const override { return real().takesOpenSizes(kernel); }
  const FusionRules &fusion() const override { return real().fusion(); }
  void addSchedule(OpPassManager &pm, uint64_t seed) const override { real().addSchedule(pm, seed); }
  void addEmission(OpPassManager &pm) const override { real().addEmission(pm); }
  void addLowering(OpPassManager &pm) const override { real().addLowering(pm); }
  std::unique_ptr<codegen::Machine> machine(const codegen::MachineName &name) const override {
    return real().machine(name.cpu.empty() ? nameOf(cuda::Device::of()) : name);
  }
  std::unique_ptr<codegen::Code> load(const std::string &path) const override { return std::make_unique<DeviceCode>(path); }

private:
  static const codegen::Target &real() {
    const char *name = getenv("KILN_DEVICE_TARGET");
    return codegen::targetOf(name ? name : "nvptx");
  }
};

const codegen::RegisterTarget registered(std::make_unique<OnDevice>());

} // namespace
} // namespace device
