#include "codegen/cpu/InstructionSet.h"

#include "llvm/Support/TargetSelect.h"

namespace kiln::cpu {

static bool owns(const llvm::Triple &triple) { return triple.getArch() == llvm::Triple::aarch64; }

static void initialize() {
  LLVMInitializeAArch64TargetInfo();
  LLVMInitializeAArch64Target();
  LLVMInitializeAArch64TargetMC();
  LLVMInitializeAArch64AsmPrinter();
  LLVMInitializeAArch64AsmParser();
}

/// 32 registers of 16 bytes hold what 16 of 32 do: the emitters' tiles are those of the latter.
static Target describe(const llvm::TargetMachine &) { return {}; }

static codegen::MachineName host() { return {}; }

const InstructionSet kAArch64 = {"AArch64", owns, initialize, "", describe, nullptr, host, {}, kAArch64Library};

} // namespace kiln::cpu
