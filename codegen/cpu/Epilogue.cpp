// What follows elementwise from the result of a product or convolution, part by part, while the part is in the nearest cache. It is a
// loop of its own behind the stores: unrolled into them it would be there once a register.
#include "codegen/cpu/Kernels.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"

using namespace mlir;

namespace kiln::cpu {

void KernelContext::finishPart(int64_t most, Coordinates position, Index row, Index rowEnd, Index column, Index columnEnd,
                               llvm::function_ref<void(Coordinates &, Index)> place) {
  Value main = mainOp()->getResult(0);
  const Buffer &stored = mainOutput();
  size_t last = position.size() - 1;
  int64_t lanes = lanesFor(e.sub(columnEnd, column), most);
  Operation *around = e.b.getInsertionBlock()->getParentOp();
  while (!isa<func::FuncOp>(around)) around = around->getParentOp();
  addAttributes(around, e.b.getStringAttr(kFullRegisters));
  e.loop(row, rowEnd, 1, [&](Index i) {
    if (place) place(position, i);
    else position[last - 1] = {i, 0, {}};
    forEachVector(ev, column, columnEnd, lanes, [&](Coordinate c) {
      position[last] = c;
      ev.remember(main, position, ev.loadAt(stored, position));
      SmallVector<Expr> results; // all before the first store: one takes the place of what they are computed from
      for (Value value : yield().getValues()) results.push_back(ev.at(value, position));
      for (auto [value, result, buffer] : llvm::zip(yield().getValues(), results, outputs))
        if (value != main) ev.storeAt(buffer, position, result);
    });
  });
}

} // namespace kiln::cpu
