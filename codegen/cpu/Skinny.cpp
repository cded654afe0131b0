// Few rows times a large matrix: for a few positions of K at a time, all columns.
#include "codegen/cpu/Gemm.h"

using namespace mlir;

namespace kiln::cpu {

void emitRankUpdate(KernelContext &k, ir::RankUpdateAttr schedule, const Product &p) {
  Emitter &e = k.e;
  int64_t rows = p.a.size.number(), depth = p.depth.number(), step = schedule.getDepth(), lanes = schedule.getLanes();
  auto block = [&](Index start, int64_t count, bool isFirst) {
    SmallVector<Expr> left; // the elements of a
    for (int64_t r = 0; r < rows; ++r)
      for (int64_t q = 0; q < count; ++q) { left.push_back(p.a.read(e, r, e.add(start, q), true, 0)); }
    forEachVector(k.ev, 0, p.b.size, lanes, [&](Coordinate c) {
      SmallVector<Expr> sums;
      int64_t lanes = k.ev.lanes; // fewer in the rest
      auto place = [&](int64_t r) { return e.add(e.mul(p.c.across, r), c.base); };
      for (int64_t r = 0; r < rows; ++r)
        sums.push_back(isFirst ? e.splat(e.scalar(p.dtype, 0), lanes) : e.load(p.c.pointer, p.dtype, place(r), lanes, k.ev.mask));
      for (int64_t q = 0; q < count; ++q) {
        Expr right = p.b.read(e, c.base, e.add(start, q), true, lanes, k.ev.mask);
        for (int64_t r = 0; r < rows; ++r)
          sums[size_t(r)] = scalarOp(Op::DotGeneral, e.splat(left[size_t(r * count + q)], lanes), right, sums[size_t(r)], p.dtype);
      }
      for (int64_t r = 0; r < rows; ++r) e.store(p.c.pointer, place(r), sums[size_t(r)], k.ev.mask);
    });
  };
  int64_t first = std::min(step, depth), rest = first + (depth - first) / step * step;
  block(0, first, true);
  e.loop(first, rest, step, [&](Index start) { block(start, step, false); });
  if (rest < depth) block(rest, depth - rest, false);
}

} // namespace kiln::cpu
