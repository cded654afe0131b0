// Positions of results, one or some a thread.
#include "codegen/nvptx/Wide.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;

namespace kiln::nvptx {

namespace {

/// Groups of positions beside each other, where blocks are whole and arrays begin at whole accesses; else one position after the other.
class WideGrid {
public:
  WideGrid(GpuKernel &k, ir::GridAttr grid)
      : k(k), e(k.e), shape(k.outputs[0].shape), size(k.product(shape)), wide(grid.getWide()), each(grid.getEach()),
        groups(grid.getThreads() * each), part(groups * wide) {
    if (grid.getCollapse()) std::fill(shape.begin(), shape.end() - 1, 1), shape.back() = size;
    k.threads = grid.getThreads(), k.blocks = e.ceilDiv(size, part);
  }

  void run() {
    if (size.isConstant(0)) return;
    Value isWhole = Wide(k, wide).isAligned();
    if (!isMultiple(size, part)) {
      Value isFull = e.lessThan(k.block(), k.quotient(size, part));
      isWhole = isWhole ? arith::AndIOp::create(e.b, e.loc, isWhole, isFull).getResult() : isFull;
    }
    auto inScope = [&](void (WideGrid::*emit)()) {
      Evaluator::Scope scope(k.ev, 0, {});
      (this->*emit)();
    };
    if (!isWhole) return atOnce();
    e.when(isWhole, [&] { inScope(&WideGrid::atOnce); }, [&] { inScope(&WideGrid::oneByOne); });
  }

private:
  GpuKernel &k;
  Emitter &e;
  Sizes shape;
  Index size;                       // positions
  int64_t wide, each, groups, part; // of a group; groups of a thread; of a block; positions of a block

  /// All loads before the first store.
  void atOnce() {
    Sizes outer(shape);
    outer.back() = k.quotient(outer.back(), wide);
    Wide access(k, wide);
    std::vector<std::pair<SmallVector<Coordinates>, SmallVector<SmallVector<Expr>>>> results;
    for (int64_t i = 0; i < each; ++i) {
      Coordinates position;
      k.place(position, e.add(e.add(e.mul(k.block(), groups), k.thread()), i * k.threads), outer);
      auto &[at, values] =
          results.emplace_back(access.from(position, shape.size() - 1, position.back().base), SmallVector<SmallVector<Expr>>());
      for (Value value : k.yielded()) access.load(value, at);
      for (Value value : k.yielded()) values.push_back(llvm::map_to_vector(at, [&](const Coordinates &p) { return k.ev.at(value, p); }));
    }
    for (auto &[at, values] : results)
      for (auto [buffer, mine] : llvm::zip(k.outputs, values)) access.store(buffer, at, mine);
  }

  void oneByOne() {
    e.loop(0, each * wide, 1, [&](Index i) {
      Evaluator::Scope scope(k.ev, 0, {});
      Index at = e.add(e.add(e.mul(k.block(), part), k.thread()), e.mul(i, k.threads));
      k.when(isMultiple(size, part) ? Value() : e.lessThan(at, size), [&] {
        Coordinates position;
        k.place(position, at, shape);
        k.storeResults(position);
      });
    });
  }
};

} // namespace

void emitGrid(GpuKernel &k) {
  auto grid = k.schedule<ir::GridAttr>();
  if (grid.getWide() > 1) return WideGrid(k, grid).run();
  Emitter &e = k.e;
  Sizes shape = k.outputs[0].shape;
  Index size = k.product(shape);
  int64_t part = grid.getThreads() * grid.getEach();
  if (grid.getCollapse()) std::fill(shape.begin(), shape.end() - 1, 1), shape.back() = size;
  k.threads = grid.getThreads(), k.blocks = e.ceilDiv(size, part);
  if (size.isConstant(0)) return;
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
  if (isMultiple(size, part)) return whole();
  if (grid.getEach() == 1) return checked();
  auto branch = [&](llvm::function_ref<void()> emit) {
    return [&k, emit] {
      Evaluator::Scope scope(k.ev, 0, {});
      emit();
    };
  };
  Value isWhole = e.lessThan(k.block(), k.quotient(size, part));
  e.when(isWhole, branch(whole), branch(checked));
}

} // namespace kiln::nvptx
