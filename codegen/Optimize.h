// LLVM's passes, for targets whose code it makes.
#pragma once

#include "llvm/ADT/DenseSet.h"
#include "llvm/IR/Module.h"
#include "llvm/Target/TargetMachine.h"

namespace kiln::codegen {

/// Passes of LLVM, as `opt` names them.
struct Pipeline {
  llvm::StringRef passes;
  const llvm::DenseSet<const llvm::Function *> *only = nullptr; // whose functions they change; null: all
};

/// Says on a module which machine it is for, and runs passes one after the other; those that may be left out are where the budget of the
/// compilation is used up.
void optimize(llvm::Module &module, llvm::TargetMachine &machine, llvm::ArrayRef<Pipeline> pipelines);

} // namespace kiln::codegen
