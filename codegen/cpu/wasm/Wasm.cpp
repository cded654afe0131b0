#include "codegen/cpu/InstructionSet.h"

#include "llvm/Support/TargetSelect.h"

namespace kiln::cpu {

static bool owns(const llvm::Triple &triple) { return triple.getArch() == llvm::Triple::wasm32; }

static void initialize() {
  LLVMInitializeWebAssemblyTargetInfo();
  LLVMInitializeWebAssemblyTarget();
  LLVMInitializeWebAssemblyTargetMC();
  LLVMInitializeWebAssemblyAsmPrinter();
  LLVMInitializeWebAssemblyAsmParser();
}

/// Registers of 16 bytes; engines have as many of them as the machine below. A fused multiply-add is there in no form that is the same
/// everywhere.
static Target describe(const llvm::TargetMachine &) {
  Target target;
  target.unfused = {4, 8};
  return target;
}

static codegen::MachineName host() { return {}; }

const InstructionSet kWasm = {owns, initialize, "", describe, nullptr, host, {}, llvm::Reloc::Static};

} // namespace kiln::cpu
