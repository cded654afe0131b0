// The machines of a library, and what a processor must have to run its code.
#include "codegen/library/Parts.h"

#include "codegen/cpu/InstructionSet.h"
#include "codegen/cpu/Native.h"
#include "lib/Core/Error.h"
#include "llvm/MC/MCSubtargetInfo.h"

namespace kiln::library {
namespace {

/// Throws Error (compile) for a triple that libraries are not made for.
const cpu::InstructionSet &setOf(const llvm::Triple &triple) {
  std::string known;
  for (const cpu::InstructionSet *set : cpu::instructionSets()) {
    if (set->owns(triple)) return *set;
    known += (known.empty() ? "" : ", ") + std::string(set->library.triples);
  }
  for (const codegen::Target *target : codegen::allTargets())
    if (llvm::StringRef device = target->capabilities().device; !device.empty()) known += ", " + device.str();
  fail(ErrorKind::Compile, "library", "target", "one of " + known, "'" + triple.str() + "'");
}

std::array<int64_t, Processor::kWords> needsOf(const llvm::TargetMachine &machine, const cpu::LibraryParts &parts) {
  std::array<int64_t, Processor::kWords> needs{};
  for (const cpu::FeatureBit &b : parts.bits)
    if (machine.getMCSubtargetInfo()->checkFeatures(std::string("+") + b.feature)) needs[b.word] |= int64_t(1) << b.bit;
  return needs;
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
  if (const codegen::Target *device = deviceTargetOf(given)) return machinesOfDevice(*device, cpus, features);
  codegen::MachineName host = given.empty() ? cpu::hostMachine() : codegen::MachineName{};
  llvm::Triple triple(llvm::Triple::normalize(given.empty() ? host.triple : given));
  const cpu::LibraryParts &standard = setOf(triple).library;
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
    auto needs = needsOf(*machine, standard);
    result.processors.push_back({name.str(), std::move(machine), needs, nullptr});
  }
  return result;
}

} // namespace kiln::library
