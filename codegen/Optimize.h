// LLVM's passes, for targets whose code it makes.
#pragma once

#include "llvm/IR/Module.h"
#include "llvm/Target/TargetMachine.h"

namespace kiln::codegen {

/// Says on a module which machine it is for, and runs passes of LLVM, as `opt` names them; those that may be left out are where the budget
/// of the compilation is used up.
void optimize(llvm::Module &module, llvm::TargetMachine &machine, llvm::ArrayRef<llvm::StringRef> pipelines);

} // namespace kiln::codegen
