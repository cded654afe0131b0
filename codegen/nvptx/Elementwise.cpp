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

/// Squares of two axes. What lies along the first of them in memory is read along it into shared memory, and from there along the other.
void emitTransposed(GpuKernel &k) {
  constexpr int64_t kSide = 32, kPitch = kSide + 1; // a column of shared memory is in all banks
  auto grid = k.schedule<ir::GridAttr>();
  Emitter &e = k.e;
  SmallVector<int64_t, 4> shape = k.shapeOf(k.outputs[0]), squares(shape);
  size_t axis = size_t(grid.getTranspose()), last = shape.size() - 1;
  k.threads = grid.getThreads();
  for (size_t i : {axis, last}) squares[i] = ceilDiv(shape[i], kSide);
  k.blocks = product(squares);
  if (!k.blocks) return;
  Coordinates position;
  k.place(position, k.block(), squares);
  Index row = e.mul(position[axis].base, kSide), column = e.mul(position[last].base, kSide);
  Index x = k.remainder(k.thread(), kSide), y = k.quotient(k.thread(), kSide);
  SmallVector<std::pair<Value, Value>> turned; // values, and where their squares are
  for (auto move : k.kernel.getBody().front().getOps<ir::TransposeOp>())
    turned.push_back({move.getResult(), k.shared(kSide * kPitch * byteSize(ir::typeOf(move.getResult()).dtype))});
  auto forEach = [&](bool isAcross, llvm::function_ref<void(Index)> body) {
    for (int64_t i = 0; i < kSide * kSide; i += k.threads) {
      Index far = e.add(y, i / kSide);
      Index r = isAcross ? x : far, c = isAcross ? far : x;
      position[axis] = {e.add(row, r), 0, {}}, position[last] = {e.add(column, c), 0, {}};
      Value isIn =
          arith::AndIOp::create(e.b, e.loc, e.lessThan(position[axis].base, shape[axis]), e.lessThan(position[last].base, shape[last]));
      k.when(isIn, [&] { body(e.add(e.mul(r, kPitch), c)); });
    }
  };
  forEach(true, [&](Index at) {
    for (auto &[value, memory] : turned) e.store(memory, at, k.ev.at(value, position));
  });
  k.barrier();
  forEach(false, [&](Index at) {
    for (auto &[value, memory] : turned) k.ev.remember(value, position, e.load(memory, ir::typeOf(value).dtype, at, 0));
    k.storeResults(position);
  });
}

} // namespace kiln::nvptx
