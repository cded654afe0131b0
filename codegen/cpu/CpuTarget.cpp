// The CPU as a target: kernels become loops over flat pointers, LLVM makes code of them, lld one shared object.
#include "codegen/cpu/Native.h"
#include "codegen/cpu/Passes.h"
#include "lib/Core/Budget.h"
#include "lib/Core/Error.h"
#include "lib/Core/Stats.h"
#include "mlir/Target/LLVMIR/Dialect/Builtin/BuiltinToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/LLVMIR/LLVMToLLVMIRTranslation.h"

#include <dlfcn.h>

using namespace mlir;

namespace kiln::cpu {
namespace {

class CpuMachine : public codegen::Machine {
public:
  explicit CpuMachine(const codegen::MachineName &name) : machine(makeTargetMachine(name)), generation(*machine) {}

  void describe(ModuleOp module) const override { describeMachine(module, *machine); }

  std::string print(ModuleOp module, codegen::Text form) const override {
    llvm::LLVMContext context;
    auto native = toLlvm(module, context, *machine);
    std::string text;
    llvm::raw_string_ostream out(text);
    if (form == codegen::Text::Lowered) return native->print(out, nullptr), text;
    auto assembly = CodeGeneration(*machine, /*asText=*/true).run(*native);
    return {assembly.begin(), assembly.end()};
  }

  void serialize(ModuleOp module, const std::string &path) const override {
    constexpr size_t kPart = 32; // functions that are generated at once
    addInfo(module, stats()["emit-cpu.kernels"]);
    std::vector<llvm::SmallVector<char, 0>> objects;
    auto generate = [&](ModuleOp part) {
      llvm::LLVMContext context;
      auto native = toLlvm(part, context, *machine);
      Budget::check();
      objects.push_back(generation.run(*native));
      Budget::check();
    };
    auto parts = splitModule(module, kPart);
    if (parts.empty()) generate(module);
    for (auto &part : parts) generate(*part), part = nullptr;
    linkShared(llvm::map_to_vector(objects, [](auto &object) { return ArrayRef<char>(object); }), *machine, path);
  }

private:
  std::unique_ptr<llvm::TargetMachine> machine;
  mutable CodeGeneration generation; // of one thread at a time, as all of the compiler
};

/// A shared object in this process.
class CpuCode : public codegen::Code {
public:
  explicit CpuCode(const std::string &path) : handle(dlopen(path.c_str(), RTLD_NOW)) {
    if (!handle) throw Error(ErrorKind::Compile, "target 'cpu': expected code for this machine");
  }
  ~CpuCode() override { dlclose(handle); }

  int32_t run(StringRef name, const kiln_rt *runtime, void *const *buffers, const int64_t *dims, void *workspace) override {
    auto entry = reinterpret_cast<kiln_entry_fn>(dlsym(handle, name.str().c_str()));
    if (!entry) throw Error(ErrorKind::Value, "target 'cpu': expected a function of the module, got '" + name.str() + "'");
    return entry(runtime, buffers, dims, workspace);
  }
  int64_t workspaceBytes(const int64_t *dims) override {
    auto asked = reinterpret_cast<int64_t (*)(const int64_t *)>(dlsym(handle, "kiln_workspace"));
    return asked ? asked(dims) : 0;
  }

private:
  void *handle;
};

class CpuTarget : public codegen::Target {
public:
  StringRef name() const override { return "cpu"; }
  codegen::Capabilities capabilities() const override {
    codegen::Capabilities can{{}, /*openSizes=*/true};
    for (uint32_t kind = 0; kind <= ir::getMaxEnumValForKernelKind(); ++kind) can.kernels.push_back(ir::KernelKind(kind));
    return can;
  }
  void addDialects(DialectRegistry &registry) const override {
    registry.insert<arith::ArithDialect, cf::ControlFlowDialect, LLVM::LLVMDialect, math::MathDialect, scf::SCFDialect,
                    vector::VectorDialect>();
    registerBuiltinDialectTranslation(registry);
    registerLLVMDialectTranslation(registry);
  }
  void addPasses() const override { registerKilnCpuPasses(); }
  const FusionRules &fusion() const override { return rules; }
  void addSchedule(OpPassManager &pm, uint64_t seed) const override { pm.addNestedPass<func::FuncOp>(createSchedule({seed})); }
  void addEmission(OpPassManager &pm) const override { pm.addPass(createEmitCpu()); }
  void addLowering(OpPassManager &pm) const override { pm.addPass(createLowerToLlvm()); }
  std::unique_ptr<codegen::Machine> machine(const codegen::MachineName &name) const override { return std::make_unique<CpuMachine>(name); }
  std::unique_ptr<codegen::Code> load(const std::string &path) const override { return std::make_unique<CpuCode>(path); }

private:
  FusionRules rules; // a row that stays in the cache, or a block of columns: what the rules' own numbers describe
};

const codegen::RegisterTarget registered(std::make_unique<CpuTarget>());

} // namespace
} // namespace kiln::cpu
