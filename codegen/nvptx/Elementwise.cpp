// Positions of results, one or some a thread.
#include "codegen/nvptx/Kernels.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;

namespace kiln::nvptx {

void emitGrid(GpuKernel &k) {
  auto grid = k.schedule<ir::GridAttr>();
  Emitter &e = k.e;
  SmallVector<int64_t, 4> shape = k.shapeOf(k.outputs[0]);
  int64_t size = product(shape), part = grid.getThreads() * grid.getEach();
  if (grid.getCollapse()) std::fill(shape.begin(), shape.end() - 1, 1), shape.back() = size;
  k.threads = grid.getThreads(), k.blocks = ceilDiv(size, part);
  if (!size) return;
  Index start = e.add(e.mul(k.block(), part), k.thread());
  auto at = [&](int64_t i) { return e.add(start, i * k.threads); };
  auto positionOf = [&](int64_t i) {
    Coordinates position;
    k.place(position, at(i), shape);
    return position;
  };
  auto checked = [&] {
    for (int64_t i = 0; i < grid.getEach(); ++i) k.when(e.lessThan(at(i), size), [&] { k.storeResults(positionOf(i)); });
  };
  auto whole = [&] { // all loads before the first store
    SmallVector<std::pair<Coordinates, SmallVector<Expr>>> results;
    for (int64_t i = 0; i < grid.getEach(); ++i) {
      auto &[position, values] = results.emplace_back(positionOf(i), SmallVector<Expr>());
      for (Value value : k.yielded()) values.push_back(k.ev.at(value, position));
    }
    for (auto &[position, values] : results)
      for (auto [value, buffer] : llvm::zip(values, k.outputs)) k.ev.storeAt(buffer, position, value);
  };
  if (size % part == 0) return whole();
  if (grid.getEach() == 1) return checked();
  auto branch = [&](llvm::function_ref<void()> emit) {
    return [&k, emit] {
      Evaluator::Scope scope(k.ev, 0, {});
      emit();
    };
  };
  Value isWhole = e.lessThan(k.block(), size / part);
  e.when(isWhole, branch(whole), branch(checked));
}

} // namespace kiln::nvptx
