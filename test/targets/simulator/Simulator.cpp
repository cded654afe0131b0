// The target nvptx-sim: what the target nvptx emits, run on this machine by the simulator (Machine.h) instead of as PTX.
#include "codegen/Target.h"
#include "codegen/cpu/Native.h"
#include "codegen/cpu/Passes.h"
#include "codegen/nvptx/Emit.h"
#include "lib/Core/Error.h"
#include "lib/Core/PlanRunner.h"
#include "test/targets/simulator/Lower.h"
#include "test/targets/simulator/Machine.h"
#include "llvm/Support/FileUtilities.h"
#include "llvm/Support/MemoryBuffer.h"

#include <dlfcn.h>

using namespace mlir;
using kiln::Error;
using kiln::ErrorKind;
using kiln::LaunchPlan;

namespace simulator {
namespace {

std::string contentOf(const std::string &path) {
  auto file = llvm::MemoryBuffer::getFile(path);
  if (!file) throw Error(ErrorKind::Compile, "target 'nvptx-sim': expected a file, got " + path);
  return (*file)->getBuffer().str();
}

class SimulatedMachine : public kiln::codegen::Machine {
public:
  SimulatedMachine() : machine(kiln::cpu::makeTargetMachine({})) {}
  /// KILN_SIMULATOR_CHIP: schedules for that one.
  void describe(ModuleOp module) const override {
    if (const char *chip = getenv("KILN_SIMULATOR_CHIP")) module->setAttr(kiln::nvptx::kChip, StringAttr::get(module.getContext(), chip));
  }

  std::string print(ModuleOp module, kiln::codegen::Text form) const override {
    llvm::LLVMContext context;
    auto code = kiln::cpu::toLlvm(module, context, *machine);
    auto bytes = kiln::cpu::CodeGeneration(*machine, form == kiln::codegen::Text::Assembly).run(*code);
    return {bytes.begin(), bytes.end()};
  }

  void serialize(ModuleOp module, const std::string &path) const override {
    LaunchPlan plan = LaunchPlan::read(module->getAttrOfType<StringAttr>(kPlan).str());
    llvm::LLVMContext context;
    auto code = kiln::cpu::toLlvm(module, context, *machine);
    kiln::cpu::linkShared({kiln::cpu::CodeGeneration(*machine).run(*code)}, *machine, path);
    plan.code = contentOf(path);
    std::error_code error;
    llvm::raw_fd_ostream out(path, error);
    if (error) throw Error(ErrorKind::Compile, "target 'nvptx-sim': expected a writable file, got " + path);
    out << plan.write();
  }

private:
  std::unique_ptr<llvm::TargetMachine> machine;
};

/// The arrays of a call elsewhere, KILN_SIMULATOR_SHIFT bytes behind a multiple of 64: a caller may give memory that begins at any element.
class ShiftedArrays {
public:
  ShiftedArrays(const LaunchPlan::Program &program, void *const *buffers) {
    const char *shift = getenv("KILN_SIMULATOR_SHIFT");
    for (auto [low, high] : LaunchPlan::extentsOf(program)) arrays.push_back({nullptr, nullptr, low, high, {}});
    for (size_t i = 0; i < arrays.size(); ++i) {
      Array &array = arrays[i];
      array.given = static_cast<char *>(buffers[i]);
      if (!shift || array.low == array.high) continue;
      array.memory.resize(size_t(array.high - array.low) + kLine + size_t(atoi(shift)));
      auto begin = reinterpret_cast<uintptr_t>(array.memory.data() - array.low);
      array.moved = array.memory.data() - array.low + (kLine - begin % kLine) % kLine + atoi(shift);
      memcpy(array.moved + array.low, array.given + array.low, size_t(array.high - array.low));
    }
  }
  ~ShiftedArrays() {
    for (Array &array : arrays)
      if (array.moved) memcpy(array.given + array.low, array.moved + array.low, size_t(array.high - array.low));
  }
  void *operator[](int64_t i) const { return arrays[size_t(i)].moved ? arrays[size_t(i)].moved : arrays[size_t(i)].given; }

private:
  static constexpr size_t kLine = 64;
  struct Array {
    char *given = nullptr, *moved = nullptr;
    int64_t low = 0, high = 0;
    std::vector<char> memory;
  };
  std::vector<Array> arrays;
};

/// A call: at once, in this process.
class Run final : public kiln::PlanRunner {
public:
  Run(const LaunchPlan &plan, void *library, const int64_t *sizes) : PlanRunner(plan), library(library), sizes(sizes) {}
  int32_t status = 0;

private:
  void *library;
  const int64_t *sizes;

  void *valueOf(const LaunchPlan::Program &program, const LaunchPlan::Argument &a, const Frame &frame) {
    if (a.memory == LaunchPlan::Memory::Status) return &status;
    if (a.memory == LaunchPlan::Memory::Size) return reinterpret_cast<void *>(sizes[a.number.constant()]);
    return reinterpret_cast<void *>(addressOf(program, a, frame));
  }
  void launch(const LaunchPlan::Program &program, size_t number, const Frame &frame) override {
    for (const LaunchPlan::Launch &each : program.part(number)) {
      if (each.isOp)
        throw Error(ErrorKind::Device, "target 'nvptx-sim': expected kernels of the plan alone, got one of the op '" + each.kernel + "'");
      std::vector<void *> pointers;
      for (const LaunchPlan::Argument &a : each.arguments) pointers.push_back(valueOf(program, a, frame));
      simulator::launch(each, reinterpret_cast<KernelFunction>(dlsym(library, each.kernel.c_str())), pointers);
    }
  }
  void copy(Address to, Address from, int64_t bytes) override {
    memcpy(reinterpret_cast<void *>(to), reinterpret_cast<void *>(from), size_t(bytes));
  }
  void callLibrary(const LaunchPlan::Step &step, std::span<const Address>) override {
    throw Error(ErrorKind::Device,
                "target 'nvptx-sim': expected a device with libraries for '" + step.routine + "', got the simulator alone");
  }
  std::optional<int64_t> read(Address from, int64_t bytes) override {
    int64_t number = 0;
    memcpy(&number, reinterpret_cast<void *>(from), size_t(bytes));
    return status ? std::nullopt : std::optional(number);
  }
  bool stops() override { return status != 0; }
};

class SimulatedCode : public kiln::codegen::Code {
public:
  explicit SimulatedCode(const std::string &path) : plan(LaunchPlan::read(contentOf(path))) {
    llvm::SmallString<64> library;
    if (llvm::sys::fs::createTemporaryFile("kiln-simulator", "so", library))
      throw Error(ErrorKind::Compile, "target 'nvptx-sim': expected a writable temporary folder");
    llvm::FileRemover remover(library);
    std::error_code error;
    llvm::raw_fd_ostream(library, error) << plan.code;
    showToKernels();
    handle = dlopen(library.c_str(), RTLD_NOW);
    if (!handle) throw Error(ErrorKind::Compile, std::string("target 'nvptx-sim': expected code for this machine: ") + dlerror());
  }
  ~SimulatedCode() override { dlclose(handle); }

  int32_t run(StringRef name, const kiln_rt *, void *const *buffers, const int64_t *dims, void *workspace) override {
    const LaunchPlan::Program *found = plan.find(name.str());
    if (!found) throw Error(ErrorKind::Value, "target 'nvptx-sim': expected a function of the module, got '" + name.str() + "'");
    LaunchPlan::Program program = found->at({dims, size_t(found->sizes)});
    ShiftedArrays arrays(program, buffers);
    kiln::PlanRunner::Frame frame{{}, reinterpret_cast<uint64_t>(workspace)};
    for (int64_t i = 0; i < program.inputs + program.outputs; ++i) frame.arrays.push_back(reinterpret_cast<uint64_t>(arrays[i]));
    Run run(plan, handle, dims);
    run.run(program, frame);
    return run.status;
  }
  int64_t workspaceBytes(const int64_t *dims) override { // of the program that asks for most, each at the first of these sizes
    size_t most = 0;
    for (const LaunchPlan::Program &program : plan.programs) most = std::max(most, program.workspaceFor({dims, size_t(program.sizes)}));
    return int64_t(most);
  }

private:
  LaunchPlan plan;
  void *handle;
};

class Simulated : public kiln::codegen::Target {
public:
  StringRef name() const override { return "nvptx-sim"; }
  kiln::codegen::Capabilities capabilities() const override {
    kiln::codegen::Capabilities all = real().capabilities();
    all.device = "nvptx-sim";
    return all;
  }
  bool takes(kiln::ir::KernelOp kernel) const override { return real().takes(kernel); }
  bool takesOpenSizes(kiln::ir::KernelOp kernel) const override { return real().takesOpenSizes(kernel); }
  const kiln::FusionRules &fusion() const override { return real().fusion(); }
  void addSchedule(OpPassManager &pm, uint64_t seed) const override { real().addSchedule(pm, seed); }
  void addEmission(OpPassManager &pm) const override { real().addEmission(pm); }
  void addLowering(OpPassManager &pm) const override {
    pm.addPass(createLower());
    pm.addPass(kiln::createLowerToLlvm());
  }
  std::unique_ptr<kiln::codegen::Machine> machine(const kiln::codegen::MachineName &) const override {
    return std::make_unique<SimulatedMachine>();
  }
  std::unique_ptr<kiln::codegen::Code> load(const std::string &path) const override { return std::make_unique<SimulatedCode>(path); }

private:
  static const kiln::codegen::Target &real() { return kiln::codegen::targetOf("nvptx"); }
};

const kiln::codegen::RegisterTarget registered(std::make_unique<Simulated>());

} // namespace
} // namespace simulator
