// Operations as the words of a trace, and back: for import and export, and for the rules of lib/Core, which read words.
#pragma once

#include "dialects/kiln/KilnDialect.h"

namespace kiln::ir {

/// Attributes and result parameters of an op as the words of a trace. Throws Error (value) for a custom op whose attributes are not those
/// of the registered op. Bodies are numbered in the order in which the op names them.
llvm::SmallVector<int64_t> wordsOf(ArrayOp op);
/// Builds the op that an entry of a trace says; `bodies` are functions by the number of a body. Throws Error (value) for words that are
/// not those of the op.
mlir::Operation *buildOp(mlir::OpBuilder &builder, mlir::Location loc, Op op, mlir::ValueRange operands, llvm::ArrayRef<int64_t> words,
                         llvm::ArrayRef<TensorType> types, llvm::ArrayRef<mlir::FlatSymbolRefAttr> bodies = {});

} // namespace kiln::ir
