// What follows elementwise from the result of a product or convolution, part by part, while the part is in the nearest cache. It is a
// loop of its own behind the stores: unrolled into them it would be there once a register.
#include "codegen/cpu/Kernels.h"

#include "lib/Core/Assert.h"

using namespace mlir;

namespace kiln::cpu {

Operation *KernelContext::mainOp() {
  for (Operation &op : kernel.getBody().front())
    if (ir::isKind(&op, Kind::Contract) || ir::isKind(&op, Kind::Convolve)) return &op;
  return yield().getValues()[0].getDefiningOp();
}

const Buffer &KernelContext::mainOutput() {
  Value main = mainOp()->getResult(0);
  Buffer *found = nullptr;
  for (auto [value, buffer] : llvm::zip(yield().getValues(), outputs)) {
    if (value == main) return buffer;
    if (!found && value.getType() == main.getType()) found = &buffer;
  }
  KILN_ASSERT(found, "fusion yields a value of the main result's type");
  return *found;
}

void KernelContext::finishPart(Coordinates position, Index row, Index rowEnd, Index column, Index columnEnd,
                               llvm::function_ref<void(Coordinates &, Index)> place) {
  Value main = mainOp()->getResult(0);
  const Buffer &stored = mainOutput();
  size_t last = position.size() - 1;
  int64_t lanes = lanesFor(e.sub(columnEnd, column), preferredLanes(*this));
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
