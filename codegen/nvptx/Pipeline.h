// The blocks of both operands of a product, on their way through the stages of shared memory: what the threads of a block do whatever they
// multiply with.
#pragma once

#include "codegen/nvptx/Panel.h"

namespace kiln::nvptx {

class Pipeline {
public:
  /// `operands`: as they are to be in shared memory. `block`: rows x columns x depth.
  Pipeline(GpuKernel &k, ir::DotGeneralOp dot, Value x, Value y, llvm::ArrayRef<int64_t> block, int64_t stages, Copying copyX,
           Copying copyY, Reader reader);

  /// Of the block of the result that these threads compute; the number of blocks is the kernel's.
  void place();
  using Sums = llvm::SmallVector<Value>;
  /// All whole blocks of the contracted axis; `multiply` adds one that is in a stage.
  Sums run(Sums sums, llvm::function_ref<void(Index, Sums &)> multiply);
  /// The steps that are left, and the stage into which it brings them.
  Index rest() const { return remaining; }
  Index bringRest();
  /// Stores `count` results that lie beside each other, from a row and column of the block on.
  void store(Index line, Index column, llvm::ArrayRef<Value> sums);
  /// Columns at which rows may end, when so many are stored at once.
  bool hasRuns(int64_t columns) const { return isMultiple(shape.back(), columns); }

  GpuKernel &k;
  Emitter &e;
  ir::DotGeneralOp dot;
  DType dtype;
  Panel x, y;

private:
  Sizes shape;
  llvm::SmallVector<int64_t, 4> block;
  size_t row;                   // the axis of rows of the result
  int64_t stages, ahead, depth; // blocks that are on their way; steps of one
  Index count, remaining;       // whole blocks of the contracted axis; steps behind them
  bool isGroup;
  Coordinates position; // of the block

  void fetch(Index number, Value isThere, Index steps, llvm::function_ref<void()> meanwhile);
  void commit();
  Sizes blocks();
  void groupRows(llvm::ArrayRef<Index> blocks);
  void wait(int64_t but);
};

} // namespace kiln::nvptx
