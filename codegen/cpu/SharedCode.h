// Code that several kernels of a program have alike, as functions that they call.
#pragma once

#include "codegen/cpu/Emit.h"

namespace kiln::cpu {

/// Calls the function of a name, which `body` fills where it is not in the module yet: it emits into a block whose arguments are the
/// operands.
void callShared(Emitter &e, llvm::StringRef name, llvm::ArrayRef<Value> operands, llvm::function_ref<void(Emitter &, mlir::Block *)> body);

/// What two tiles of products have alike that one function computes.
struct TileForm {
  DType dtype;
  int64_t rows, parts, lanes; // of the result, `parts` vectors a row
  bool prefetches;            // the rows of the result behind these
  bool continues;             // from what the result holds, where there have been steps before
};

/// Where a tile lies; distances in elements.
struct TileOperands {
  Value a;
  Index aRow, aStep;
  Value b;
  Index bStep, depth;
  Value c;
  Index cRow, before; // steps whose sums the result holds already
};

void callTile(Emitter &e, const TileForm &form, const TileOperands &tile);

} // namespace kiln::cpu
