#include "codegen/cpu/InstructionSet.h"

#include "lib/Core/Error.h"

namespace kiln::cpu {

static const InstructionSet *const kSets[] = {&kX86, &kAArch64, &kRiscV, &kWasm, &kArm};

llvm::ArrayRef<const InstructionSet *> instructionSets() { return kSets; }

/// "a, b or c".
static std::string namesOfSets() {
  std::string names;
  for (const auto *set = std::begin(kSets); set != std::end(kSets); ++set)
    names += (set == std::begin(kSets) ? "" : set + 1 == std::end(kSets) ? " or " : ", ") + std::string((*set)->name);
  return names;
}

const InstructionSet &instructionSetOf(const llvm::Triple &triple) {
  for (const InstructionSet *set : kSets)
    if (set->owns(triple)) return *set;
  fail(ErrorKind::Compile, "target 'cpu'", "triple", "one of " + namesOfSets(), "'" + triple.str() + "'");
}

codegen::MachineName hostMachine() {
  for (const InstructionSet *set : kSets)
    if (codegen::MachineName name = set->host(); !name.triple.empty()) return name;
  throw Error(ErrorKind::Compile, "target 'cpu': expected the name of a machine, as code for this one cannot be made");
}

} // namespace kiln::cpu
