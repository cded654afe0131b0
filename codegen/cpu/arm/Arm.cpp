#include "codegen/cpu/InstructionSet.h"

#include "llvm/MC/MCSubtargetInfo.h"
#include "llvm/Support/TargetSelect.h"

namespace kiln::cpu {

/// Microcontrollers: the profile M, which has Thumb alone.
static bool owns(const llvm::Triple &triple) { return triple.getArch() == llvm::Triple::thumb; }

static void initialize() {
  LLVMInitializeARMTargetInfo();
  LLVMInitializeARMTarget();
  LLVMInitializeARMTargetMC();
  LLVMInitializeARMAsmPrinter();
  LLVMInitializeARMAsmParser();
}

/// Floats are done by the processor where it has a unit for them, one at a time; those without one are functions of the EABI.
static Target describe(const llvm::TargetMachine &machine) {
  Target target;
  if (!machine.getMCSubtargetInfo()->checkFeatures("+vfp4d16sp")) target.unfused.push_back(4);
  if (!machine.getMCSubtargetInfo()->checkFeatures("+vfp4d16")) target.unfused.push_back(8);
  return target;
}

static codegen::MachineName host() { return {}; }

const InstructionSet kArm = {"Arm (Thumb)", owns, initialize, "", describe, nullptr, host, {}, kArmLibrary, llvm::Reloc::Static};

} // namespace kiln::cpu
