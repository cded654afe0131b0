#include "codegen/cpu/InstructionSet.h"
#include "codegen/cpu/x86/Extremes.h"

#include "llvm/BinaryFormat/ELF.h"
#include "llvm/CodeGen/Passes.h"
#include "llvm/MC/MCSubtargetInfo.h"
#include "llvm/Support/Endian.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/TargetParser/Host.h"

namespace kiln::cpu {

static bool owns(const llvm::Triple &triple) { return triple.getArch() == llvm::Triple::x86_64; }

static void initialize() {
  LLVMInitializeX86TargetInfo();
  LLVMInitializeX86Target();
  LLVMInitializeX86TargetMC();
  LLVMInitializeX86AsmPrinter();
  LLVMInitializeX86AsmParser();
}

static bool isWide(const llvm::TargetMachine &machine) {
  return machine.getMCSubtargetInfo()->checkFeatures("+avx512f,+avx512vl,+avx512dq,+avx512bw");
}

static Target describe(const llvm::TargetMachine &machine) {
  Target target;
  target.vectorBytes = isWide(machine) ? 64 : 32;
  // Measured: on Zen a copy past the caches takes 0.6 to 0.75 of the time of a plain one from 16 MB of traffic on; on Cascade Lake chains
  // got 5 percent slower and layernorm 20.
  if (machine.getTargetCPU().starts_with("znver")) target.streamBytes = 8 << 20;
  return target;
}

static codegen::MachineName host() {
#if defined(__x86_64__)
  codegen::MachineName name{llvm::sys::getProcessTriple(), llvm::sys::getHostCPUName().str(), ""};
  for (auto &[feature, isOn] : llvm::sys::getHostCPUFeatures())
    name.features += (name.features.empty() ? "" : ",") + std::string(isOn ? "+" : "-") + feature.str();
  return name;
#else
  return {};
#endif
}

static const char *legalize(llvm::Module &module, const llvm::TargetMachine &machine) {
  if (isWide(machine)) useRangeInstructions(module);
  return nullptr;
}

/// Code and constants are relative to where they stand (Reloc::PIC_).
static bool refer(uint32_t relocation, uint64_t distance, char *at) {
  bool isNear = relocation == llvm::ELF::R_X86_64_PC32 || relocation == llvm::ELF::R_X86_64_PLT32;
  if (!isNear || !llvm::isInt<32>(int64_t(distance))) return false;
  llvm::support::endian::write32le(at, uint32_t(distance));
  return true;
}

static constexpr const char *kLibraries[] = {"/lib/x86_64-linux-gnu/libc.so.6", "/lib/x86_64-linux-gnu/libm.so.6"};

/// The processor puts instructions in an order of its own, and kernels come without copies, repeated expressions and code to move or to
/// double: with and without these passes they run as fast (0.99 over 34 kernels), and compile in 0.87 of the time without.
static llvm::SmallVector<const void *> spared() {
  using namespace llvm;
  return {&MachineSchedulerID,        &PostRASchedulerID,          &LiveRangeShrinkID,      &MachineCSELegacyID,
          &MachineCopyPropagationID,  &PeepholeOptimizerLegacyID,  &MachineSinkingLegacyID, &MachineCombinerID,
          &EarlyIfConverterLegacyID,  &EarlyTailDuplicateLegacyID, &TailDuplicateLegacyID,  &OptimizePHIsLegacyID,
          &MachineLateInstrsCleanupID};
}

/// What kernels have none of: comparisons of memory, calls of C, objects of stack with a life of their own, constants that are long to
/// make, integers that could be in masks, rows of branches. Without these they run as fast (1.00 over 327 kernels) and compile in 0.96 of
/// the time.
static constexpr llvm::StringLiteral kSkipped[] = {"branch-folder",
                                                   "consthoist",
                                                   "expand-memcmp",
                                                   "fixup-statepoint-caller-saved",
                                                   "interleaved-access",
                                                   "Local Dynamic TLS Access Clean-up",
                                                   "machinelicm",
                                                   "mergeicmps",
                                                   "partially-inline-libcalls",
                                                   "postra-machine-sink",
                                                   "remove-loads-into-fake-uses",
                                                   "shrink-wrap",
                                                   "stack-coloring",
                                                   "X86 Atom pad short functions",
                                                   "x86-avoid-sfb",
                                                   "x86-cf-opt",
                                                   "x86-cmov-conversion",
                                                   "x86-domain-reassignment",
                                                   "x86-fixup-bw-insts",
                                                   "x86-fixup-leas",
                                                   "x86-optimize-leas",
                                                   "x86-partial-reduction"};

// Scalar loads beat the gather instruction since its microcode was mended, and 64-bit divisions of small numbers are slow.
const InstructionSet kX86 = {.name = "x86-64",
                             .owns = owns,
                             .initialize = initialize,
                             .tuning = "+prefer-no-gather,+idivq-to-divl",
                             .describe = describe,
                             .storeFence = "llvm.x86.sse.sfence",
                             .host = host,
                             .hostLibraries = kLibraries,
                             .library = kX86Library,
                             .legalize = legalize,
                             .refer = refer,
                             .spared = spared,
                             .skipped = kSkipped};

} // namespace kiln::cpu
