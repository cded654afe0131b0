// The loop nest of BLIS (Van Zee and van de Geijn, 2015), emitted directly. A later block of K continues from the result, so the
// block sizes do not show in the bits.
#include "codegen/cpu/Gemm.h"

#include "codegen/cpu/SharedTile.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"

using namespace mlir;

namespace kiln::cpu {

/// A tile of mr x nr of the result under way: where it lies, and where its panels do.
struct TiledProduct::Tile {
  const Product &p;
  Index row, column, pc, count;
  Value aPanel, bPanel;    // null where the operand is read in place
  Value packTo;            // a panel that what is read in place of b is kept in
  SmallVector<Value> isIn; // an edge of columns: masks of those before the end
  Index top = row;         // the first row that is computed: before `row` where the tile moves up
};

static bool divides(Index size, int64_t by) { return size.isStatic() && size.number() % by == 0; }

/// How much of a size a block from `at` on has.
static Index blockOf(Emitter &e, int64_t most, Index size, Index at) {
  return divides(size, most) ? Index(most) : e.min(most, e.sub(size, at));
}

TiledProduct::TiledProduct(KernelContext &k, ir::ProductAttr schedule, const Product &shape, bool isStrip)
    : k(k), e(k.e), dtype(shape.dtype), M(shape.a.size), N(shape.b.size), K(shape.depth), lanes(schedule.getLanes()),
      mr(schedule.getTile()[0]), nr(schedule.getTile()[1]), mc(schedule.getBlock()[0]), nc(schedule.getBlock()[1]),
      kc(schedule.getBlock()[2]), unroll(schedule.getUnroll()), isStrip(isStrip), prefetches(schedule.getPrefetch() && !isStrip),
      isSymmetric(schedule.getSymmetric() && !isStrip), isShared(schedule.getShared() && !isStrip) {
  if (isStrip) nr = nc = lanes;
  parts = nr / lanes;
  uint32_t pack = isStrip ? 0 : uint32_t(schedule.getPack());
  packsA = pack & uint32_t(ir::Packing::A), packsB = pack & uint32_t(ir::Packing::B);
  masks = (isStrip || schedule.getMask()) && !divides(N, nr);
  movesUp = !packsA && !divides(M, mr) && M.isStatic() && M.number() >= mr;
  if (schedule.getParallel() == ir::ProductLoop::Rows) rowsGrain = schedule.getGrain();
  if (schedule.getParallel() == ir::ProductLoop::Columns) columnsGrain = schedule.getGrain();
  packsFirst = schedule.getFirst() && !isStrip;
  looksAhead = packsFirst && shape.b.along.isStatic() && shape.b.along.number() * byteSize(dtype) >= kFar;
  int64_t panelsOfB = kc * (packsFirst ? nr : nc) * byteSize(dtype);
  if (packsB) packedB = columnsGrain ? k.scratch(panelsOfB) : k.sharedScratch(panelsOfB);
  if (packsA) packedA = k.scratch(kc * mc * byteSize(dtype));
}

Value TiledProduct::columnMask(Index column, int64_t part) { return e.maskBelow(e.sub(e.sub(N, column), part * lanes), lanes); }
Value TiledProduct::columnMask(const Tile &t, int64_t part) { return t.isIn.empty() ? columnMask(t.column, part) : t.isIn[size_t(part)]; }

/// Where the rows of a tile start; behind the end, where the last one does. Places of their own for the rows cost registers, which the sums
/// need.
SmallVector<Index> TiledProduct::rowStarts(Index top, Index distance) {
  SmallVector<Index> starts;
  Index first = e.mul(top, distance);
  bool fit = divides(M, mr) || movesUp;
  for (int64_t r = 0; r < mr; ++r)
    starts.push_back(fit ? e.add(first, e.mul(r, distance)) : e.mul(e.min(e.add(top, r), e.sub(M, 1)), distance));
  return starts;
}

SmallVector<Value> TiledProduct::accumulate(const Tile &t, SmallVector<Value> sums) {
  const Side &a = t.p.a, &b = t.p.b;
  SmallVector<Index> rows = t.aPanel ? llvm::to_vector_of<Index>(llvm::seq<int64_t>(0, mr)) : rowStarts(t.top, a.across);
  Index aStart = t.aPanel ? Index(0) : e.mul(t.pc, a.along);
  Index aStep = t.aPanel ? Index(mr) : a.along, bStep = t.bPanel ? Index(nr) : b.along;
  Index bStart = t.bPanel ? Index(0) : e.add(e.mul(t.pc, b.along), t.column);
  auto steps = [&](Index q, ValueRange old, int64_t count) {
    SmallVector<Value> next(old);
    for (int64_t u = 0; u < count; ++u) {
      Index at = e.add(q, u), from = e.add(bStart, e.mul(at, bStep)), along = e.add(aStart, e.mul(at, aStep));
      SmallVector<Expr> right;
      for (int64_t part = 0; part < parts; ++part)
        right.push_back(e.load(t.bPanel ? t.bPanel : b.pointer, dtype, e.add(from, part * lanes), lanes,
                               t.bPanel || t.isIn.empty() ? Value() : t.isIn[size_t(part)]));
      if (looksAhead && !t.bPanel) prefetchStrip(b, from);
      if (t.packTo)
        for (int64_t part = 0; part < parts; ++part) e.store(t.packTo, e.add(e.mul(at, nr), part * lanes), right[size_t(part)]);
      for (int64_t r = 0; r < mr; ++r) {
        Expr left = e.splat(e.load(t.aPanel ? t.aPanel : a.pointer, dtype, e.add(rows[size_t(r)], along), 0), lanes);
        for (int64_t part = 0; part < parts; ++part) {
          Value &sum = next[size_t(r * parts + part)];
          sum = scalarOp(Op::DotGeneral, left, right[size_t(part)], left.with(sum), dtype).value;
        }
      }
    }
    return next;
  };
  Index whole = e.floorTo(t.count, unroll);
  sums = e.loop(0, whole, unroll, sums, [&](Index q, ValueRange old) { return steps(q, old, unroll); });
  return e.loop(whole, t.count, 1, sums, [&](Index q, ValueRange old) { return steps(q, old, 1); });
}

/// Zeros for the first block of K, the result so far for the others.
SmallVector<Value> TiledProduct::start(const Tile &t, Value isFull) {
  SmallVector<Value> zeros(size_t(mr * parts), e.splat(e.scalar(dtype, 0), lanes).value);
  if (t.pc.isConstant(0)) return zeros;
  const Side &c = t.p.c;
  auto loadRows = [&](bool isMasked) {
    SmallVector<Value> rows;
    for (Index start : rowStarts(t.top, c.across))
      for (int64_t part = 0; part < parts; ++part) {
        Index at = e.add(start, e.add(t.column, part * lanes));
        rows.push_back(e.load(c.pointer, dtype, at, lanes, isMasked ? columnMask(t, part) : Value()).value);
      }
    return rows;
  };
  SmallVector<Type> types(zeros.size(), zeros[0].getType());
  auto yieldIn = [&](Block *block, llvm::function_ref<SmallVector<Value>()> body) {
    OpBuilder::InsertionGuard guard(e.b);
    e.b.setInsertionPointToStart(block);
    scf::YieldOp::create(e.b, e.loc, body());
  };
  auto first = scf::IfOp::create(e.b, e.loc, types, e.lessThan(0, t.pc), true);
  yieldIn(first.elseBlock(), [&] { return zeros; });
  yieldIn(first.thenBlock(), [&] {
    bool isEdge = !t.isIn.empty();
    if (!isFull || isEdge) return loadRows(isEdge);
    auto whole = scf::IfOp::create(e.b, e.loc, types, isFull, true);
    yieldIn(whole.thenBlock(), [&] { return loadRows(false); });
    yieldIn(whole.elseBlock(), [&] { return loadRows(true); });
    return SmallVector<Value>(whole.getResults());
  });
  return SmallVector<Value>(first.getResults());
}

/// What the next strip of columns reads of b comes into the cache while the first tile of this one is computed.
void TiledProduct::prefetchStrip(const Side &b, Index from) {
  for (int64_t at = 0; at < nr * byteSize(dtype); at += kLine) {
    Value address = e.address(b.pointer, dtype, e.add(from, nr + at / byteSize(dtype)));
    LLVM::Prefetch::create(e.b, e.loc, address, /*rw=*/0, /*hint=*/3, /*cache=*/1);
  }
}

/// The rows of the result that the next tile will start from or write: they come into the cache while this one computes.
void TiledProduct::prefetchNext(const Tile &t) {
  const Side &c = t.p.c;
  for (Index start : rowStarts(e.add(t.row, mr), c.across))
    for (int64_t at = 0; at < nr * byteSize(dtype); at += 64) {
      Index place = e.add(start, e.add(t.column, at / byteSize(dtype)));
      LLVM::Prefetch::create(e.b, e.loc, e.address(c.pointer, dtype, place), /*rw=*/1, /*hint=*/3, /*cache=*/1);
    }
}

void TiledProduct::store(const Tile &t, ArrayRef<Value> sums, Value isFull) {
  const Side &c = t.p.c;
  Index first = e.add(e.mul(t.top, c.across), t.column);
  auto storeRow = [&](int64_t r, bool isMasked) {
    for (int64_t part = 0; part < parts; ++part) {
      Index at = e.add(e.add(first, e.mul(r, c.across)), part * lanes);
      Expr sum{e.b, e.loc, sums[size_t(r * parts + part)], dtype};
      e.store(c.pointer, at, sum, isMasked ? columnMask(t, part) : Value());
    }
  };
  auto storeAll = [&] {
    for (int64_t r = 0; r < mr; ++r) storeRow(r, !t.isIn.empty());
  };
  if (!isFull) return storeAll();
  e.when(isFull, storeAll, [&] {
    for (int64_t r = 0; r < mr; ++r)
      e.when(movesUp ? e.lessThan(t.row, e.add(t.top, r + 1)) : e.lessThan(e.add(t.row, r), M), [&] { storeRow(r, true); });
  });
}

/// Calls the function of such tiles; false, and nothing, where a tile does more than it does.
bool TiledProduct::callsTile(const Tile &t) {
  if (!isShared || !isFloat(dtype) || isNarrow(dtype) || unroll != 1 || (looksAhead && !t.bPanel) || t.packTo || !t.isIn.empty())
    return false;
  const Side &a = t.p.a, &b = t.p.b, &c = t.p.c;
  Value left = t.aPanel ? t.aPanel : e.address(a.pointer, dtype, e.add(e.mul(t.top, a.across), e.mul(t.pc, a.along)));
  Value right = t.bPanel ? t.bPanel : e.address(b.pointer, dtype, e.add(e.mul(t.pc, b.along), t.column));
  Value result = e.address(c.pointer, dtype, e.add(e.mul(t.top, c.across), t.column));
  callTile(e, tileFormOf(k.kernel, k.schedule<ir::ProductAttr>()),
           {left, t.aPanel ? 1 : a.across, t.aPanel ? mr : a.along, right, t.bPanel ? nr : b.along, t.count, result, c.across, t.pc});
  return true;
}

void TiledProduct::tile(const Tile &t) {
  bool areRowsFull = divides(M, mr), areColumnsFull = !t.isIn.empty() || divides(N, nr); // masked ones need no code of their own
  auto fits = [&](Index first, int64_t count, Index size) { return e.lessThan(e.add(first, count - 1), size); };
  Value isFull; // null: always
  if (!areRowsFull) isFull = fits(t.row, mr, M);
  if (!areColumnsFull) {
    Value columnsFit = fits(t.column, nr, N);
    isFull = isFull ? Value(arith::AndIOp::create(e.b, e.loc, isFull, columnsFit)) : columnsFit;
  }
  if (isFull || !callsTile(t)) {
    SmallVector<Value> sums = start(t, isFull);
    if (prefetches) prefetchNext(t);
    store(t, accumulate(t, sums), isFull);
  }
  if (!t.p.finish) return;
  bool isOnlyBlock = isStrip || (K.isStatic() && kc >= K.number());
  if (isOnlyBlock) return finish(t, isFull);
  e.when(e.lessThan(e.sub(K, 1), e.add(t.pc, t.count)), [&] { finish(t, isFull); });
}

/// Of a tile behind the last block of K.
void TiledProduct::finish(const Tile &t, Value isFull) {
  Index rowEnd = e.add(t.row, mr), columnEnd = e.add(t.column, nr);
  if (!t.isIn.empty()) columnEnd = e.min(columnEnd, N);
  auto whole = [&] { t.p.finish(t.row, rowEnd, t.column, columnEnd); };
  if (!isFull) return whole();
  e.when(isFull, whole, [&] { t.p.finish(t.row, e.min(rowEnd, M), t.column, e.min(columnEnd, N)); });
}

/// All tiles of a strip of columns within a block of rows.
void TiledProduct::tileRows(const Product &p, Index ic, Index jp, Index column, Index pc, Index count) {
  Value bPanel = packsFirst ? packedB : packsB ? e.address(packedB, dtype, e.mul(jp, kc * nr)) : Value();
  Index panels = e.ceilDiv(blockOf(e, mc, M, ic), mr);
  if (isSymmetric) panels = e.min(panels, e.sub(e.ceilDiv(e.add(column, nr), mr), e.ceilDiv(ic, mr))); // the others lie under the diagonal
  auto tileAt = [&](Index ip, bool isEdge, Value bPanel, Value packTo) {
    SmallVector<Value> isIn;
    for (int64_t part = 0; isEdge && part < parts; ++part) isIn.push_back(columnMask(column, part));
    Value aPanel = packsA ? e.address(packedA, dtype, e.mul(ip, kc * mr)) : Value();
    Index row = e.add(ic, e.mul(ip, mr));
    tile({p, row, column, pc, count, aPanel, bPanel, packTo, isIn, movesUp ? e.min(row, e.sub(M, mr)) : row});
  };
  auto whereFull = [&](llvm::function_ref<void(bool isEdge)> body) {
    if (masks || divides(N, nr)) return body(masks);
    e.when(e.lessThan(e.add(column, nr - 1), N), [&] { body(false); }, [&] { body(true); });
  };
  auto rows = [&](int64_t from, bool isEdge) { e.loop(from, panels, 1, [&](Index ip) { tileAt(ip, isEdge, bPanel, {}); }); };
  if (packsFirst) {
    bool isAll = M.number() <= mr;
    whereFull([&](bool isEdge) { tileAt(0, isEdge, {}, isAll ? Value() : bPanel); });
    if (!isAll) rows(1, masks);
  } else if (packsB) {
    rows(0, masks);
  } else {
    whereFull([&](bool isEdge) { rows(0, isEdge); });
  }
}

/// The panels of b: in a task's own memory, or by all threads where they share the rows.
void TiledProduct::packColumns(const Product &p, Index jc, Index panels, Index pc, Index count) {
  if (!rowsGrain) return packPanels(e, p.b, packedB, nr, kc, jc, panels, pc, count, divides(N, nr));
  packShared(k, p.b, packedB, nr, kc, jc, panels, pc, count, divides(N, nr));
}

void TiledProduct::overColumns(const Product &p, Index jc) {
  Index panels = e.ceilDiv(blockOf(e, nc, N, jc), nr);
  auto block = [&](Index pc, Index count) {
    if (packsB && !packsFirst) packColumns(p, jc, panels, pc, count);
    Index work = rowsGrain ? e.mul(e.mul(panels, count), mc * nr / 16) : Index(0);
    k.parallelLoop(rowsGrain, 0, M, mc, work, [&](Index ic) {
      if (packsA) packPanels(e, p.a, packedA, mr, kc, ic, e.ceilDiv(blockOf(e, mc, M, ic), mr), pc, count, divides(M, mr));
      e.loop(0, panels, 1, [&](Index jp) { tileRows(p, ic, jp, e.add(jc, e.mul(jp, nr)), pc, count); });
    });
  };
  if (isStrip) return block(0, K);
  e.loop(0, K, kc, [&](Index pc) { block(pc, blockOf(e, kc, K, pc)); });
}

/// Copies to rows, left of the diagonal, what lies above it, square by square.
void TiledProduct::mirrorRows(const Product &p, Index top, Index bottom) {
  constexpr int64_t kSide = 32;
  const Side &c = p.c;
  auto place = [&](Index i, Index j) { return e.add(e.mul(i, c.across), j); };
  e.loop(0, bottom, kSide, [&](Index left) {
    e.loop(top, bottom, 1, [&](Index i) {
      e.loop(left, e.min(i, e.add(left, kSide)), 1,
             [&](Index j) { e.store(c.pointer, place(i, j), e.load(c.pointer, dtype, place(j, i), 0)); });
    });
  });
}

/// Some rows of the result after others, which threads share as they do the blocks; `work` of a row.
void TiledProduct::overRows(Index work, llvm::function_ref<void(Index top, Index bottom)> body) {
  constexpr int64_t kRows = 32;
  k.parallelLoop(rowsGrain ? std::optional(ir::kOpenGrain) : std::nullopt, 0, M, kRows, e.mul(work, kRows),
                 [&](Index top) { body(top, e.min(M, e.add(top, kRows))); });
}

void TiledProduct::run(const Product &p) {
  Index work = columnsGrain ? e.mul(e.mul(M, K), std::max<int64_t>(nc / 16, 1)) : Index(0);
  Product tiles = p;
  if (isSymmetric) tiles.finish = {}; // once all of the result is there
  k.parallelLoop(columnsGrain, 0, N, nc, work, [&](Index jc) { overColumns(tiles, jc); });
  if (!isSymmetric) return;
  overRows(M, [&](Index top, Index bottom) { mirrorRows(p, top, bottom); });
  if (p.finish) overRows(e.mul(M, elementCost(k.kernel)), [&](Index top, Index bottom) { p.finish(top, bottom, 0, N); });
}

} // namespace kiln::cpu
