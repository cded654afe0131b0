// The machines of a library, and what a processor must have to run its code.
#include "codegen/library/Parts.h"

#include "codegen/cpu/InstructionSet.h"
#include "codegen/cpu/Native.h"
#include "lib/Core/Error.h"
#include "llvm/MC/MCSubtargetInfo.h"

namespace kiln::library {
namespace {

struct Bit {
  const char *feature; // in LLVM's names
  size_t word;         // of support/processor.c
  int bit;
};
/// Registers of cpuid: ecx of leaf 1; ebx, ecx, edx of leaf 7; eax of leaf 7.1; ecx of leaf 0x80000001. After Intel's manual, volume 2A.
constexpr Bit kX86[] = {{"sse3", 0, 0},
                        {"pclmul", 0, 1},
                        {"ssse3", 0, 9},
                        {"fma", 0, 12},
                        {"cx16", 0, 13},
                        {"sse4.1", 0, 19},
                        {"sse4.2", 0, 20},
                        {"movbe", 0, 22},
                        {"popcnt", 0, 23},
                        {"aes", 0, 25},
                        {"avx", 0, 28},
                        {"f16c", 0, 29},
                        {"bmi", 1, 3},
                        {"avx2", 1, 5},
                        {"bmi2", 1, 8},
                        {"avx512f", 1, 16},
                        {"avx512dq", 1, 17},
                        {"adx", 1, 19},
                        {"avx512ifma", 1, 21},
                        {"avx512cd", 1, 28},
                        {"sha", 1, 29},
                        {"avx512bw", 1, 30},
                        {"avx512vl", 1, 31},
                        {"avx512vbmi", 2, 1},
                        {"avx512vbmi2", 2, 6},
                        {"gfni", 2, 8},
                        {"vaes", 2, 9},
                        {"vpclmulqdq", 2, 10},
                        {"avx512vnni", 2, 11},
                        {"avx512bitalg", 2, 12},
                        {"avx512vpopcntdq", 2, 14},
                        {"avx512fp16", 3, 23},
                        {"avxvnni", 4, 4},
                        {"avx512bf16", 4, 5},
                        {"lzcnt", 5, 5},
                        {"sse4a", 5, 6},
                        {"xop", 5, 11},
                        {"fma4", 5, 16},
                        {"tbm", 5, 21}};
constexpr size_t kKept = 7; // registers that the system keeps
constexpr int64_t kKeptOfAvx = 0x6, kKeptOfAvx512 = 0xe6;
/// What Linux says in AT_HWCAP and AT_HWCAP2 (asm/hwcap.h).
constexpr Bit kAArch64[] = {{"aes", 0, 3},      {"sha2", 0, 6},       {"crc", 0, 7},   {"lse", 0, 8},   {"fullfp16", 0, 10}, {"rdm", 0, 12},
                            {"jsconv", 0, 13},  {"complxnum", 0, 14}, {"rcpc", 0, 15}, {"sha3", 0, 17}, {"dotprod", 0, 20},  {"sve", 0, 22},
                            {"fp16fml", 0, 23}, {"sve2", 1, 1},       {"i8mm", 1, 13}, {"bf16", 1, 14}};
constexpr Bit kRiscV[] = {{"m", 0, 12}, {"a", 0, 0}, {"f", 0, 5}, {"d", 0, 3}, {"c", 0, 2}, {"v", 0, 21}};

std::array<int64_t, Processor::kWords> needsOf(const llvm::TargetMachine &machine) {
  std::array<int64_t, Processor::kWords> needs{};
  auto has = [&](const char *feature) { return machine.getMCSubtargetInfo()->checkFeatures(std::string("+") + feature); };
  auto add = [&](llvm::ArrayRef<Bit> bits) {
    for (const Bit &b : bits)
      if (has(b.feature)) needs[b.word] |= int64_t(1) << b.bit;
  };
  llvm::Triple::ArchType arch = machine.getTargetTriple().getArch();
  if (arch == llvm::Triple::aarch64) add(kAArch64);
  if (arch == llvm::Triple::riscv64) add(kRiscV);
  if (arch != llvm::Triple::x86_64) return needs;
  add(kX86);
  if (has("avx")) needs[kKept] |= kKeptOfAvx;
  if (has("avx512f")) needs[kKept] |= kKeptOfAvx512;
  return needs;
}

/// What libraries are for unless they say otherwise, and what every machine has.
struct Default {
  const char *cpu, *least, *features;
};
Default defaultOf(const llvm::Triple &triple) {
  switch (triple.getArch()) {
  case llvm::Triple::x86_64: return {"x86-64-v3", "x86-64", ""};
  case llvm::Triple::aarch64: return {"generic", "generic", ""};
  case llvm::Triple::riscv64: return {"generic-rv64", "generic-rv64", "+m,+a,+f,+d,+c"};
  case llvm::Triple::wasm32: return {"generic", "generic", "+simd128,+bulk-memory,+bulk-memory-opt,+sign-ext,+nontrapping-fptoint"};
  case llvm::Triple::thumb: return {"cortex-m4", "cortex-m4", ""};
  default:
    fail(ErrorKind::Compile, "library", "target",
         "one of x86_64-linux-gnu, aarch64-linux-gnu, aarch64-linux-android, riscv64-linux-gnu, wasm32-wasi, thumbv7em-none-eabi",
         "'" + triple.str() + "'");
  }
}

/// Throws Error (compile) for a system that libraries are not made for.
System systemOf(const llvm::Triple &triple, const std::string &given) {
  if (triple.getArch() == llvm::Triple::wasm32) return System::Wasm;
  if (triple.getArch() == llvm::Triple::thumb) {
    bool isBare = triple.getOS() == llvm::Triple::UnknownOS;
    if (!isBare) fail(ErrorKind::Compile, "library", "target", "thumbv7em-none-eabi or another of none-eabi", "'" + given + "'");
    return System::None;
  }
  if (!triple.isOSLinux() && triple.getOS() != llvm::Triple::UnknownOS)
    fail(ErrorKind::Compile, "library", "target", "Linux", "'" + given + "'");
  return System::Linux;
}

} // namespace

std::string Machines::describe() const {
  std::string names;
  for (const Processor &p : processors) names += (names.empty() ? "" : ", ") + p.name;
  return triple + " (" + names + ")";
}

Machines machinesOf(const std::string &given, const std::string &cpus, const std::string &features) {
  codegen::MachineName host = given.empty() ? cpu::hostMachine() : codegen::MachineName{};
  llvm::Triple triple(llvm::Triple::normalize(given.empty() ? host.triple : given));
  Default standard = defaultOf(triple);
  System system = systemOf(triple, given);
  auto join = [](std::string a, const std::string &b) { return a.empty() || b.empty() ? a + b : a + "," + b; };
  Machines result{triple.str(), {}, cpu::makeTargetMachine({triple.str(), standard.least, standard.features}), system};
  llvm::SmallVector<llvm::StringRef> names;
  std::string wantedCpus = cpus.empty() ? standard.cpu : cpus;
  llvm::StringRef(wantedCpus).split(names, ',');
  for (llvm::StringRef name : names) {
    codegen::MachineName wanted{triple.str(), name.str(), join(standard.features, features)};
    if (name == "native" && given.empty()) wanted = {triple.str(), host.cpu, join(host.features, features)};
    if (!result.any->getMCSubtargetInfo()->isCPUStringValid(wanted.cpu)) // LLVM itself would only warn
      fail(ErrorKind::Compile, "library", "cpu", "one that LLVM knows for " + triple.str(), "'" + name.str() + "'");
    auto machine = cpu::makeTargetMachine(wanted);
    if (system == System::None) { // one processor: all is for it
      if (names.size() > 1) fail(ErrorKind::Compile, "library", "cpu", "one, as a microcontroller is known", "'" + wantedCpus + "'");
      result.any = cpu::makeTargetMachine(wanted);
    }
    auto needs = needsOf(*machine);
    result.processors.push_back({name.str(), std::move(machine), needs});
  }
  return result;
}

} // namespace kiln::library
