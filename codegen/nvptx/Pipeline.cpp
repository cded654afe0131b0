#include "codegen/nvptx/Pipeline.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"

using namespace mlir;

namespace kiln::nvptx {

Pipeline::Pipeline(GpuKernel &k, ir::DotGeneralOp dot, Value left, Value right, ArrayRef<int64_t> block, int64_t stages, Copying copyX,
                   Copying copyY, Reader reader)
    : k(k), e(k.e), dot(dot), dtype(ir::typeOf(dot.getResult()).dtype),
      x(k, left, size_t(dot.getXAxis()), 2 * dot.getXBatch().size() + 1 - size_t(dot.getXAxis()),
        {block[0], block[2], stages, copyX, reader}),
      y(k, right, size_t(dot.getYAxis()), 2 * dot.getXBatch().size() + 1 - size_t(dot.getYAxis()),
        {block[1], block[2], stages, copyY, reader}),
      shape(k.shapeOf(dot.getResult())), block(block), row(shape.size() - 2), stages(stages),
      ahead(stages - (reader == Reader::Group ? 2 : 1)), depth(block[2]), isGroup(reader == Reader::Group) {
  Index size = k.shapeOf(dot.getX())[size_t(dot.getXAxis())];
  count = k.quotient(size, depth), remaining = k.remainder(size, depth);
  k.blocks = k.product(blocks());
}

Sizes Pipeline::blocks() {
  Sizes blocks(shape);
  for (size_t side : {0, 1}) blocks[row + side] = e.ceilDiv(shape[row + side], block[side]);
  return blocks;
}

/// Blocks that run at once take a few rows of blocks together, so that they share what they read of both operands.
void Pipeline::groupRows(ArrayRef<Index> blocks) {
  constexpr int64_t kRows = 8;
  Index down = blocks[row], across = blocks[row + 1];
  if (isAtMost(down, kRows) || isAtMost(across, kRows)) return;
  Index number = e.add(e.mul(position[row].base, across), position[row + 1].base);
  Index all = e.mul(across, kRows), first = e.mul(k.quotient(number, all), kRows), within = k.remainder(number, all);
  Value rows = e.use(isMultiple(down, kRows) ? Index(kRows) : e.min(e.sub(down, first), kRows));
  auto divided = [&](auto op) { return Index(decltype(op)::create(e.b, e.loc, e.use(within), rows).getResult()); };
  position[row] = {e.add(first, divided(arith::RemUIOp())), 0, {}};
  position[row + 1] = {divided(arith::DivUIOp()), 0, {}};
}

void Pipeline::place() {
  Sizes all = blocks();
  k.place(position, k.block(), all);
  groupRows(all);
  x.place(position, position[row].base), y.place(position, position[row + 1].base);
}

/// Brings the block `number` of the contracted axis into its stage; what comes through registers does so behind `meanwhile`.
void Pipeline::fetch(Index number, Value isThere, Index steps, llvm::function_ref<void()> meanwhile) {
  Index stage = k.remainder(number, stages);
  for (Panel *panel : {&x, &y}) {
    // Registers take the last block once more where there is no next.
    Index there = !panel->isAsync() && isThere ? e.min(number, e.sub(count, 1)) : number;
    if (!panel->isAsync() && isThere && !count.isStatic()) there = e.max(there, 0);
    panel->start(e.mul(there, depth), stage, isThere, steps);
  }
  commit();
  meanwhile();
  for (Panel *panel : {&x, &y}) panel->finish(stage);
}

void Pipeline::commit() {
  if (x.isAsync() || y.isAsync()) NVVM::CpAsyncCommitGroupOp::create(e.b, e.loc);
}

/// Until all but so many of the last stages are there, for all threads.
void Pipeline::wait(int64_t but) {
  if (x.isAsync() || y.isAsync()) NVVM::CpAsyncWaitGroupOp::create(e.b, e.loc, uint32_t(but));
  if (isGroup) { // units that read shared memory see what threads wrote behind a fence alone
    auto space = NVVM::SharedSpaceAttr::get(e.b.getContext(), NVVM::SharedSpace::shared_cta);
    NVVM::FenceProxyOp::create(e.b, e.loc, NVVM::ProxyKind::async_shared, space);
  }
  k.barrier();
}

Pipeline::Sums Pipeline::run(Sums sums, llvm::function_ref<void(Index, Sums &)> multiply) {
  for (int64_t stage = 0; stage < ahead; ++stage) {
    if (!count.isStatic()) fetch(stage, e.lessThan(stage, count), depth, [] {});
    else if (stage < count.number()) fetch(stage, {}, depth, [] {});
    else commit();
  }
  return e.loop(0, count, 1, sums, [&](Index i, ValueRange carried) {
    Evaluator::Scope scope(k.ev, 0, {});
    Sums sums(carried);
    wait(ahead - 1);
    auto meanwhile = [&] { multiply(k.remainder(i, stages), sums); };
    Index next = e.add(i, ahead);
    if (!next.isStatic()) fetch(next, e.lessThan(next, count), depth, meanwhile);
    else if (next.number() < count.number()) fetch(next, {}, depth, meanwhile);
    else meanwhile();
    return sums;
  });
}

Index Pipeline::bringRest() {
  k.barrier();
  fetch(count, {}, rest(), [] {});
  wait(0);
  return k.remainder(count, stages);
}

void Pipeline::store(Index line, Index column, ArrayRef<Value> sums) {
  Index down = x.positionOf(line), right = y.positionOf(column);
  Value isIn = x.isMine(down), fits = y.isMine(right);
  if (isIn && fits) isIn = arith::AndIOp::create(e.b, e.loc, isIn, fits);
  k.when(isIn ? isIn : fits, [&] {
    k.storeResults(int64_t(sums.size()), [&](int64_t i) {
      position[row] = {down, 0, {}}, position[row + 1] = {e.add(right, i), 0, {}};
      k.ev.remember(dot.getResult(), position, Expr(e.b, e.loc, sums[size_t(i)], dtype));
      return position;
    });
  });
}

} // namespace kiln::nvptx
