#include "codegen/cpu/InstructionSet.h"

#include "llvm/Support/TargetSelect.h"

namespace kiln::cpu {

static bool owns(const llvm::Triple &triple) { return triple.getArch() == llvm::Triple::riscv64; }

static void initialize() {
  LLVMInitializeRISCVTargetInfo();
  LLVMInitializeRISCVTarget();
  LLVMInitializeRISCVTargetMC();
  LLVMInitializeRISCVAsmPrinter();
  LLVMInitializeRISCVAsmParser();
}

/// With the vector extension LLVM lays the tiles over groups of registers; without, they become scalars.
static Target describe(const llvm::TargetMachine &) { return {}; }

static codegen::MachineName host() { return {}; }

const InstructionSet kRiscV = {"RISC-V", owns, initialize, "", describe, nullptr, host, {}, kRiscVLibrary};

} // namespace kiln::cpu
