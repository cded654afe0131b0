// NVIDIA's GPUs as a target: kernels become functions of one thread, LLVM makes PTX of them, and the artifact is a plan that launches them.
#include "codegen/Pipelines.h"
#include "codegen/nvptx/Custom.h"
#include "codegen/nvptx/Emit.h"
#include "codegen/nvptx/LibraryCalls.h"
#include "codegen/nvptx/Passes.h"
#include "codegen/nvptx/Ptx.h"
#include "lib/Core/Error.h"
#include "mlir/Pass/PassRegistry.h"
#include "mlir/Target/LLVMIR/Dialect/Builtin/BuiltinToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/GPU/GPUToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/LLVMIR/LLVMToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/NVVM/NVVMToLLVMIRTranslation.h"

using namespace mlir;

namespace kiln::nvptx {
namespace {

class NvptxMachine : public codegen::Machine {
public:
  explicit NvptxMachine(const codegen::MachineName &name) : machine(makeTargetMachine(name)) {}

  void describe(ModuleOp module) const override { module->setAttr(kChip, StringAttr::get(module.getContext(), machine->getTargetCPU())); }

  std::string print(ModuleOp module, codegen::Text form) const override {
    llvm::LLVMContext context;
    auto code = toLlvm(*module.getOps<gpu::GPUModuleOp>().begin(), context, *machine);
    if (form == codegen::Text::Assembly) return toPtx(*code, *machine);
    std::string text;
    llvm::raw_string_ostream(text) << *code;
    return text;
  }

  void serialize(ModuleOp module, const std::string &path) const override {
    LaunchPlan plan = planOf(module);
    plan.code = print(module, codegen::Text::Assembly);
    std::error_code error;
    llvm::raw_fd_ostream out(path, error);
    if (!error) out << plan.write();
    if (error || out.has_error()) throw Error(ErrorKind::Compile, "target 'nvptx': expected a writable file, got " + path);
  }

private:
  std::unique_ptr<llvm::TargetMachine> machine;
};

/// Float16 and bfloat16 that are made float32 for products alone stay what they are until the product reads them: its matrix units take
/// them so.
class Rules : public FusionRules {
public:
  StringRef refuses(ir::KernelKind, ir::ArrayOp op) const override {
    auto cast = dyn_cast<ir::CastOp>(op.getOperation());
    if (!cast || ir::typeOf(cast.getResult()).dtype != DType::F32) return "";
    DType from = ir::typeOf(cast.getX()).dtype;
    bool isNarrow = from == DType::F16 || from == DType::BF16;
    bool isOperand = llvm::all_of(cast->getUsers(), [](Operation *user) { return isa<ir::DotGeneralOp>(user); });
    return isNarrow && isOperand ? "is read by a product" : "";
  }
};

class NvptxTarget : public codegen::Target {
public:
  StringRef name() const override { return "nvptx"; }
  codegen::Capabilities capabilities() const override {
    using Kind = ir::KernelKind;
    return {{Kind::Elementwise, Kind::Reduction, Kind::Contraction, Kind::Assemble, Kind::Scatter, Kind::Scan, Kind::Sort,
             Kind::Convolution, Kind::Compact, Kind::Control, Kind::Library},
            /*openSizes=*/true,
            /*device=*/"nvptx64-nvidia-cuda"};
  }
  bool takes(ir::KernelOp kernel) const override {
    return kernel.getKind() != ir::KernelKind::Library || deviceRoutineOf(kernel) || launchesOp(kernel);
  }
  bool takesOpenSizes(ir::KernelOp kernel) const override { return nvptx::takesOpenSizes(kernel); }
  void addDialects(DialectRegistry &registry) const override {
    registry.insert<arith::ArithDialect, cf::ControlFlowDialect, gpu::GPUDialect, LLVM::LLVMDialect, math::MathDialect, NVVM::NVVMDialect,
                    scf::SCFDialect>();
    registerBuiltinDialectTranslation(registry);
    registerLLVMDialectTranslation(registry);
    registerGPUDialectTranslation(registry);
    registerNVVMDialectTranslation(registry);
  }
  void addPasses() const override { registerKilnNvptxPasses(); }
  const FusionRules &fusion() const override { return rules; }
  void addSchedule(OpPassManager &pm, uint64_t) const override { pm.addNestedPass<func::FuncOp>(createScheduleNvptx()); }
  void addEmission(OpPassManager &pm) const override { pm.addPass(createEmitNvptx()); }
  void addLowering(OpPassManager &pm) const override { pm.addNestedPass<gpu::GPUModuleOp>(createLowerToNvvm()); }
  std::unique_ptr<codegen::Machine> machine(const codegen::MachineName &name) const override {
    return std::make_unique<NvptxMachine>(name);
  }
  std::unique_ptr<codegen::Code> load(const std::string &) const override {
    throw Error(ErrorKind::Device, "target 'nvptx': expected a process with a device, got the compiler alone");
  }

private:
  Rules rules;
};

const codegen::RegisterTarget registered(std::make_unique<NvptxTarget>());

} // namespace
} // namespace kiln::nvptx
