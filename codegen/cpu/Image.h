// A shared object without a linker, of objects that need nothing but each other.
#pragma once

#include "codegen/cpu/InstructionSet.h"

#include <optional>

namespace kiln::cpu {

/// The bytes of a shared object of relocatable ELF objects; none where that takes a linker: memory that is written, symbols of elsewhere,
/// tables of the debugger, or references that the processor's `refer` does not know.
std::optional<llvm::SmallVector<char, 0>> layOut(llvm::ArrayRef<llvm::ArrayRef<char>> objects, const InstructionSet &set);

} // namespace kiln::cpu
