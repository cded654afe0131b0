#include "codegen/cpu/InstructionSet.h"

#include "lib/Core/Error.h"

namespace kiln::cpu {

static const InstructionSet *const kSets[] = {&kX86, &kAArch64, &kRiscV, &kWasm, &kArm};

const InstructionSet &instructionSetOf(const llvm::Triple &triple) {
  for (const InstructionSet *set : kSets)
    if (set->owns(triple)) return *set;
  throw Error(ErrorKind::Compile,
              "target 'cpu': triple: expected one of x86-64, AArch64, RISC-V, WebAssembly or Arm (Thumb), got '" + triple.str() + "'");
}

codegen::MachineName hostMachine() {
  for (const InstructionSet *set : kSets)
    if (codegen::MachineName name = set->host(); !name.triple.empty()) return name;
  throw Error(ErrorKind::Compile, "target 'cpu': expected the name of a machine, as code for this one cannot be made");
}

} // namespace kiln::cpu
