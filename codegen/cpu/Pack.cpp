#include "codegen/cpu/Pack.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"

using namespace mlir;

namespace kiln::cpu {
namespace {

/// One strip under way.
class Packer {
public:
  Packer(Emitter &e, const Side &side, Value panel, int64_t width, Index first, Index count, bool isWhole)
      : e(e), side(side), panel(panel), width(width), first(first), count(count), isWhole(isWhole) {}

  void strip(Index start, Index base) {
    if (side.across.isConstant(1)) return copyRuns(start, base);
    if (side.along.isConstant(1)) return transposeBlocks(start, base);
    if (side.along.isStatic()) return copyElements(start, base, 0, width, 0);
    Value isRun = arith::CmpIOp::create(e.b, e.loc, arith::CmpIPredicate::eq, e.use(side.along), e.use(1));
    e.when(isRun, [&] { transposeBlocks(start, base); }, [&] { copyElements(start, base, 0, width, 0); });
  }

private:
  Emitter &e;
  const Side &side;
  Value panel;
  int64_t width;
  Index first, count;
  bool isWhole;

  Index source(Index at, Index q) { return e.add(e.mul(at, side.across), e.mul(e.add(first, q), side.along)); }
  Index clamped(Index at) { return isWhole ? at : e.min(at, e.sub(side.size, 1)); }

  /// Powers of two that add up to the width behind `from`, at most `most` each.
  template <typename Body> void pieces(int64_t from, int64_t most, Body &&body) {
    for (int64_t at = from, size = most; at < width; at += size) {
      while (size > width - at) size /= 2;
      body(at, size);
    }
  }

  /// Far positions lie on other pages, where the processor does not look ahead.
  void prefetch(Index start, Index q) {
    constexpr int64_t kAhead = 16;
    if (side.compute) return;
    int64_t bytes = byteSize(side.dtype);
    if (side.along.isStatic() && side.along.number() * bytes < kFar) return;
    for (int64_t at = 0; at < width * bytes; at += kLine) {
      Value address =
          e.address(side.pointer, side.dtype, source(clamped(e.add(start, at / bytes)), e.min(e.add(q, kAhead), e.sub(count, 1))));
      LLVM::Prefetch::create(e.b, e.loc, address, /*rw=*/0, /*hint=*/3, /*cache=*/1);
    }
  }

  /// The elements of a position lie one after the other.
  void copyRuns(Index start, Index base) {
    auto copy = [&](bool isMasked) {
      e.loop(0, count, 1, [&](Index q) {
        prefetch(start, q);
        pieces(0, 16, [&](int64_t at, int64_t size) {
          Index from = e.add(start, at);
          Value mask = isMasked ? e.maskBelow(e.sub(side.size, from), size) : Value();
          put(e.add(e.add(base, e.mul(q, width)), at), side.read(e, from, e.add(first, q), true, size, mask));
        });
      });
    };
    if (isWhole) return copy(false);
    e.when(e.lessThan(e.add(start, width - 1), side.size), [&] { copy(false); }, [&] { copy(true); });
  }

  void copyElements(Index start, Index base, Index at, int64_t size, Index from) {
    e.loop(at, e.add(at, size), 1, [&](Index i) {
      Index element = clamped(e.add(start, i)), to = e.add(base, i);
      e.loop(from, count, 1, [&](Index q) { put(e.add(to, e.mul(q, width)), side.read(e, element, e.add(first, q), true, 0)); });
    });
  }

  /// The positions of an element lie one after the other: squares of them are turned in registers.
  void transposeBlocks(Index start, Index base) {
    constexpr int64_t kSide = 4;
    if (!isFloat(side.dtype)) return copyElements(start, base, 0, width, 0);
    int64_t whole = width / kSide * kSide;
    e.loop(0, whole, kSide, [&](Index at) { transposeSquares(start, base, at, kSide); });
    pieces(whole, kSide, [&](int64_t at, int64_t size) { transposeSquares(start, base, at, size); });
  }

  /// Those of `size` elements from `at` on.
  void transposeSquares(Index start, Index base, Index at, int64_t size) {
    if (size == 1) return copyElements(start, base, at, size, 0);
    SmallVector<Index> elements;
    for (int64_t i = 0; i < size; ++i) elements.push_back(clamped(e.add(e.add(start, at), i)));
    Index whole = e.floorTo(count, size), to = e.add(base, at);
    e.loop(0, whole, size, [&](Index q) {
      SmallVector<Value> square;
      for (Index element : elements) square.push_back(side.read(e, element, e.add(first, q), false, size).value);
      e.transpose(square);
      for (int64_t i = 0; i < size; ++i) put(e.add(to, e.mul(e.add(q, i), width)), Expr(e.b, e.loc, square[size_t(i)], side.dtype));
    });
    copyElements(start, base, at, size, whole);
  }

  void put(Index at, Expr value) { e.store(panel, at, value); }
};

} // namespace

void packPanels(Emitter &e, const Side &side, Value to, int64_t width, int64_t block, Index start, Index panels, Index first, Index count,
                bool isWhole) {
  Packer packer(e, side, to, width, first, count, isWhole);
  e.loop(0, panels, 1, [&](Index panel) { packer.strip(e.add(start, e.mul(panel, width)), e.mul(panel, block * width)); });
}

void packShared(KernelContext &k, const Side &side, Value to, int64_t width, int64_t block, Index start, Index panels, Index first,
                Index count, bool isWhole) {
  Packer packer(k.e, side, to, width, first, count, isWhole);
  Index work = k.e.mul(count, width / 2);
  auto grain = grainOf(panels.isStatic() ? Extent(panels.number()) : Extent(), work.isStatic() ? Extent(work.number()) : Extent());
  k.parallelLoop(grain, 0, panels, 1, work,
                 [&](Index panel) { packer.strip(k.e.add(start, k.e.mul(panel, width)), k.e.mul(panel, block * width)); });
}

} // namespace kiln::cpu
