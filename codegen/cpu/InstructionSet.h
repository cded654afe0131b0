// What differs between the processors that LLVM generates code for: one folder each.
#pragma once

#include "codegen/Target.h"
#include "codegen/cpu/Target.h"
#include "llvm/Target/TargetMachine.h"

namespace kiln::cpu {

/// A bit that says of a processor, in the words that codegen/library/support/processor.c reads, that it has a feature of LLVM's name.
struct FeatureBit {
  const char *feature;
  size_t word;
  int bit;
};

/// What libraries of C functions (codegen/library) take from a set.
struct LibraryParts {
  using Bitcode = llvm::ArrayRef<unsigned char>;
  /// Those that libraries are made for, with commas between.
  const char *triples;
  /// The processor that they are for unless they say otherwise, the least one, and the features of all.
  const char *cpu, *least, *features;
  /// What a processor must have to run code that uses a feature.
  llvm::ArrayRef<FeatureBit> bits;
  /// The functions of codegen/library/support; for Android those, where it is another.
  Bitcode support, android = {};
  /// The same with what else a module that stands alone has, and routines; empty: there are none such.
  Bitcode whole = {}, fourier = {}, decompositions = {};
  /// The functions of support/ that launch what a device runs; empty: a machine of this set has none.
  Bitcode device = {};
};
extern const LibraryParts kX86Library, kAArch64Library, kRiscVLibrary, kWasmLibrary, kArmLibrary;

struct InstructionSet {
  /// As messages name it.
  const char *name;
  /// Whether a triple is one of its.
  bool (*owns)(const llvm::Triple &triple);
  /// Starts LLVM's backend; once.
  void (*initialize)();
  /// Features that are added to those that the caller names.
  const char *tuning;
  /// What the emitters should know of a machine.
  Target (*describe)(const llvm::TargetMachine &machine);
  /// The intrinsic that orders stores past the caches before what follows; null: there are none such.
  const char *storeFence;
  /// This machine, where it is of this set; else an empty triple.
  codegen::MachineName (*host)();
  /// Libraries of the host that code may call into.
  llvm::ArrayRef<const char *> hostLibraries;
  const LibraryParts &library;
  llvm::Reloc::Model relocation = llvm::Reloc::PIC_;
  /// Changes what LLVM's backend does not take, or makes little of, and gives the passes of LLVM that do the rest; null: nothing, or no
  /// passes.
  const char *(*legalize)(llvm::Module &module, const llvm::TargetMachine &machine) = nullptr;
  /// Writes how far an address lies from `at`, as a relocation of ELF says; false for one that it does not know, or too far. Null: none.
  bool (*refer)(uint32_t relocation, uint64_t distance, char *at) = nullptr;
  /// Passes of LLVM's code generation that cost more than they bring: those that it lets be left out, and the optional ones that functions
  /// skip, by the arguments that name them.
  llvm::SmallVector<const void *> (*spared)() = [] { return llvm::SmallVector<const void *>(); };
  llvm::ArrayRef<llvm::StringLiteral> skipped = {};
};

extern const InstructionSet kX86, kAArch64, kRiscV, kWasm, kArm;

llvm::ArrayRef<const InstructionSet *> instructionSets();
/// Throws Error (compile) for a triple of none.
const InstructionSet &instructionSetOf(const llvm::Triple &triple);
/// This machine by its names; features are those that it has.
codegen::MachineName hostMachine();

} // namespace kiln::cpu
