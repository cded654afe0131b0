#include "codegen/nvptx/Ptx.h"

#include "codegen/Optimize.h"
#include "lib/Core/Error.h"
#include "mlir/Target/LLVMIR/Export.h"
#include "llvm/IR/LegacyPassManager.h"
#include "llvm/MC/MCSubtargetInfo.h"
#include "llvm/MC/TargetRegistry.h"

using namespace llvm;

extern "C" {
void LLVMInitializeNVPTXTargetInfo();
void LLVMInitializeNVPTXTarget();
void LLVMInitializeNVPTXTargetMC();
void LLVMInitializeNVPTXAsmPrinter();
}

namespace kiln::nvptx {

std::unique_ptr<TargetMachine> makeTargetMachine(const codegen::MachineName &name) {
  static const bool once = [] {
    LLVMInitializeNVPTXTargetInfo();
    LLVMInitializeNVPTXTarget();
    LLVMInitializeNVPTXTargetMC();
    LLVMInitializeNVPTXAsmPrinter();
    return true;
  }();
  (void)once;
  constexpr const char *kTriple = "nvptx64-nvidia-cuda";
  if (!name.triple.empty() && name.triple != kTriple)
    throw Error(ErrorKind::Compile, std::string("target 'nvptx': triple: expected ") + kTriple + ", got '" + name.triple + "'");
  Triple triple(kTriple);
  std::string error, cpu = name.cpu.empty() ? "sm_80" : name.cpu;
  const llvm::Target *target = TargetRegistry::lookupTarget(triple, error);
  if (!target) throw Error(ErrorKind::Compile, "target 'nvptx': expected LLVM with a backend for PTX: " + error);
  std::unique_ptr<MCSubtargetInfo> known(target->createMCSubtargetInfo(triple, "", ""));
  if (!StringRef(cpu).starts_with("sm_") || !known->isCPUStringValid(cpu))
    throw Error(ErrorKind::Compile, "target 'nvptx': cpu: expected one that LLVM knows, like sm_90a, got '" + cpu + "'");
  unsigned number = 0;
  StringRef(cpu).drop_front(3).take_while([](char c) { return c >= '0' && c <= '9'; }).getAsInteger(10, number);
  constexpr unsigned kLeast = 80; // asynchronous copies
  if (number < kLeast) throw Error(ErrorKind::Compile, "target 'nvptx': cpu: expected sm_80 or a later one, got '" + cpu + "'");
  TargetOptions options;
  options.AllowFPOpFusion = FPOpFusion::Strict; // a multiplication and an addition stay two
  return std::unique_ptr<TargetMachine>(
      target->createTargetMachine(triple, cpu, name.features, options, Reloc::PIC_, std::nullopt, CodeGenOptLevel::Default));
}

std::unique_ptr<Module> toLlvm(mlir::gpu::GPUModuleOp kernels, LLVMContext &context, TargetMachine &machine) {
  auto module = mlir::translateModuleToLLVMIR(kernels, context);
  if (!module) throw Error(ErrorKind::Compile, "target 'nvptx': translation to LLVM IR failed");
  // Those of the CPU, and addresses that share their variable part. Emitters have unrolled what should be.
  codegen::optimize(*module, machine,
                    {{"function(sroa,early-cse<memssa>,instcombine<no-verify-fixpoint>,simplifycfg,loop-mssa(loop-rotate,licm),"
                      "separate-const-offset-from-gep,early-cse<memssa>,instcombine<no-verify-fixpoint>,simplifycfg),globaldce"}});
  return module;
}

std::string toPtx(Module &module, TargetMachine &machine) {
  SmallVector<char, 0> bytes;
  raw_svector_ostream out(bytes);
  legacy::PassManager passes;
  if (machine.addPassesToEmitFile(passes, out, nullptr, CodeGenFileType::AssemblyFile))
    throw Error(ErrorKind::Compile, "target 'nvptx': expected a backend that emits PTX");
  passes.run(module);
  StringRef ptx(bytes.data(), bytes.size());
  auto [before, external] = ptx.split(".extern .func");
  if (!external.empty())
    throw Error(ErrorKind::Compile,
                "target 'nvptx': expected code that calls nothing outside itself, got" + external.split('\n').first.str());
  return ptx.str();
}

} // namespace kiln::nvptx
