// Matrix products: the loop nests of their schedules.
#pragma once

#include "codegen/cpu/Pack.h"

namespace kiln::cpu {

/// c = a b with c in rows: `a` across rows, `b` across columns, both along K. Each element of the result is one chain of fused
/// multiply-adds over K in order, whatever the nest.
struct Product {
  Side a, b, c; // c: size is the rows', across the distance between rows
  Index depth;
  DType dtype;
  std::function<void(Index row, Index rowEnd, Index column, Index columnEnd)> finish =
      {}; // of a part that is complete; none: nothing to do
};

/// Tiles of the result in registers over panels of the operands; makes the panels' memory once.
class TiledProduct {
public:
  /// `isStrip`: of as few columns as a register has lanes and a depth that is one block; both operands are read in place.
  TiledProduct(KernelContext &k, ir::ProductAttr schedule, const Product &shape, bool isStrip = false);
  void run(const Product &p);

private:
  struct Tile;
  KernelContext &k;
  Emitter &e;
  DType dtype;
  Index M, N, K;
  int64_t lanes, parts, mr, nr, mc, nc, kc, unroll;
  bool isStrip, packsA, packsB, prefetches, isSymmetric;
  bool packsFirst; // b, by the first tiles of a block that has all rows, as they read it: one panel at a time
  bool looksAhead; // in b
  bool masks;      // columns behind the end, in every tile
  bool isShared;   // the code of whole tiles
  bool movesUp;    // the last rows are computed as part of a whole tile, whose other rows are not stored again
  std::optional<int64_t> rowsGrain, columnsGrain; // of the loop that threads share
  Value packedA, packedB;

  void mirrorRows(const Product &p, Index top, Index bottom);
  void overRows(Index work, llvm::function_ref<void(Index top, Index bottom)> body);
  void overColumns(const Product &p, Index jc);
  void packColumns(const Product &p, Index jc, Index panels, Index pc, Index count);
  void tileRows(const Product &p, Index ic, Index jp, Index column, Index pc, Index count);
  void tile(const Tile &t);
  bool callsTile(const Tile &t);
  llvm::SmallVector<Value> start(const Tile &t, Value isFull);
  llvm::SmallVector<Value> accumulate(const Tile &t, llvm::SmallVector<Value> sums);
  void prefetchStrip(const Side &b, Index from);
  void prefetchNext(const Tile &t);
  void finish(const Tile &t, Value isFull);
  void store(const Tile &t, llvm::ArrayRef<Value> sums, Value isFull);
  Value columnMask(Index column, int64_t part);
  Value columnMask(const Tile &t, int64_t part);
  llvm::SmallVector<Index> rowStarts(Index top, Index distance);
};

/// Few rows against a large matrix in rows: it is read once, in order, and the result stays in the cache.
void emitRankUpdate(KernelContext &k, ir::RankUpdateAttr schedule, const Product &p);

} // namespace kiln::cpu
