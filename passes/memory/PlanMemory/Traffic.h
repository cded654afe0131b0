// What kernels of a planned program read from memory and write to it.
#pragma once

#include "dialects/kiln/KilnDialect.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace kiln {

/// An array that a kernel moves: as a whole, or the parts of it that its operations name, which may overlap.
struct Moved {
  mlir::Value memory; // an argument of the program, or the result of a kernel
  Shape whole;
  std::vector<Shape> parts; // none: the whole
};

/// What one run of a kernel reads and writes, each array once: operands that are read again while they are in a cache count no more than
/// others, nor does scratch. Loops and branches move what their state is; what their bodies do is told of the kernels there.
struct Traffic {
  std::vector<Moved> reads, writes;
};
Traffic trafficOf(ir::KernelOp kernel);

} // namespace kiln
