// What functions and modules of kiln ops say of the program that they are, for code generation and for people.
#pragma once

#include "dialects/kiln/KilnDialect.h"

namespace kiln::ir {

/// Of a module: its code tells the runtime of each kernel that has run (lib/Core/Timed.h).
inline constexpr llvm::StringLiteral kTimed = "kiln.timed";
/// Stands for the file in places of an imported trace: the line is a slot of it.
inline constexpr llvm::StringLiteral kSlot = "slot";

/// The sizes that a further symbol of a program (kProducts) is the product of.
llvm::SmallVector<Size> factorsOf(mlir::Operation *program, int64_t symbol);

/// The types of the open blocks of its workspace (kBlocks).
llvm::SmallVector<TensorType> blocksOf(mlir::Operation *program);

} // namespace kiln::ir
