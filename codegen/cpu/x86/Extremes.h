// Extremes by the range instructions of AVX-512DQ.
#pragma once

#include "llvm/IR/Module.h"

namespace kiln::cpu {

/// Puts them where vectors are compared by llvm.maximum and llvm.minimum; for machines that have AVX-512 DQ and VL.
void useRangeInstructions(llvm::Module &module);

} // namespace kiln::cpu
