// The functions of support/, which were compiled to bitcode with Kiln.
#include "codegen/library/Parts.h"

#include "codegen/cpu/InstructionSet.h"
#include "llvm/Bitcode/BitcodeReader.h"
#include "llvm/Support/MemoryBuffer.h"

namespace kiln::library {

/// None where libraries have no such routines.
static cpu::LibraryParts::Bitcode routinesFor(RoutineSet set, const llvm::Triple &triple) {
  if (!triple.isOSLinux() || triple.isAndroid()) return {};
  const cpu::LibraryParts &parts = cpu::instructionSetOf(triple).library;
  return set == RoutineSet::Fourier ? parts.fourier : parts.decompositions;
}

/// Functions of bitcode for a machine; `kiln_<function>` are those of the library `name`.
static std::unique_ptr<llvm::Module> read(cpu::LibraryParts::Bitcode bytes, const std::string &name, const llvm::TargetMachine &machine,
                                          llvm::LLVMContext &context) {
  llvm::MemoryBufferRef buffer(llvm::StringRef(reinterpret_cast<const char *>(bytes.data()), bytes.size()), "support");
  auto module = llvm::cantFail(llvm::parseBitcodeFile(buffer, context)); // of the same build
  module->setSourceFileName(name + ".support");
  module->setTargetTriple(machine.getTargetTriple());
  module->setDataLayout(machine.createDataLayout());
  for (llvm::Function &f : *module) {
    for (const char *own : {"target-cpu", "target-features", "tune-cpu"}) f.removeFnAttr(own);
    if (f.isDeclaration()) continue;
    f.addFnAttr("target-cpu", machine.getTargetCPU());
    f.addFnAttr("target-features", machine.getTargetFeatureString());
    f.addFnAttr(llvm::Attribute::NoUnwind);
    if (!f.getName().starts_with("kiln_")) continue;
    f.setName(supportName(name, f.getName().drop_front(5)));
    f.setVisibility(llvm::GlobalValue::HiddenVisibility);
  }
  return module;
}

std::unique_ptr<llvm::Module> supportOf(const std::string &name, const Machines &machines, bool standsAlone, llvm::LLVMContext &context) {
  const llvm::TargetMachine &machine = *machines.any;
  const cpu::LibraryParts &parts = cpu::instructionSetOf(machine.getTargetTriple()).library;
  if (machines.device) return read(parts.device, name, machine, context);
  bool isAndroid = machine.getTargetTriple().isAndroid();
  return read(standsAlone && !parts.whole.empty() ? parts.whole : isAndroid ? parts.android : parts.support, name, machine, context);
}

bool hasRoutines(RoutineSet set, const llvm::Triple &triple) { return !routinesFor(set, triple).empty(); }

std::unique_ptr<llvm::Module> routinesOf(RoutineSet set, const std::string &name, const llvm::TargetMachine &machine,
                                         llvm::LLVMContext &context) {
  auto module = read(routinesFor(set, machine.getTargetTriple()), name, machine, context);
  module->setSourceFileName(name + (set == RoutineSet::Fourier ? ".fourier" : ".decompositions"));
  for (llvm::Function &f : *module) { // what C++ makes of templates and of `new` is nobody else's
    if (f.isDeclaration() || f.hasLocalLinkage() || f.getName().starts_with(name + ".")) continue;
    f.setComdat(nullptr);
    f.setLinkage(llvm::GlobalValue::InternalLinkage);
  }
  return module;
}

} // namespace kiln::library
