// What all kernel emitters share: index arithmetic that folds constants, loops, typed memory access.
#pragma once

#include "dialects/kiln/KilnDialect.h"
#include "dialects/kiln/math/Expr.h"
#include "lib/Core/Assert.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

#include <optional>

namespace kiln::cpu {

using ir::Expr;
using mlir::Location;
using mlir::OpBuilder;
using mlir::Value;

/// An i64: a constant, or a value and a constant distance from it, so that positions beside each other are known as such. It is no number:
/// whoever needs one asks whether it is static first.
class Index {
public:
  Index() = default;
  Index(int64_t n) : distance(n) {}
  explicit Index(Value v) : from(v) {}
  /// `distance` behind a value; the distance alone where there is none.
  static Index behind(Value from, int64_t distance) {
    Index index(distance);
    index.from = from;
    return index;
  }

  bool isConstant(int64_t n) const { return isStatic() && distance == n; }
  bool isStatic() const { return !from; }
  /// The constant that it is.
  int64_t number() const {
    KILN_ASSERT(isStatic(), "an index that is a constant");
    return distance;
  }
  /// The value that it is behind, or null, and how far.
  Value base() const { return from; }
  int64_t offset() const { return distance; }
  bool operator==(const Index &o) const { return distance == o.distance && from == o.from; }

private:
  int64_t distance = 0;
  Value from;
};

/// A position along one axis for every lane: base + lane * step, or a vector of positions.
struct Coordinate {
  Index base;
  int64_t step = 0;
  Value lanes;         // vector<W x i64>; then base and step are unused
  int64_t rowStep = 0; // in a tile of rows under way, between its rows
  bool isUniform() const { return step == 0 && !lanes; }
  bool operator==(const Coordinate &o) const { return base == o.base && step == o.step && lanes == o.lanes && rowStep == o.rowStep; }
};
using Coordinates = llvm::SmallVector<Coordinate, 4>;

/// An array in memory.
struct Buffer {
  Value pointer;
  DType dtype = DType::F32;
  llvm::SmallVector<Index, 4> shape, strides; // in elements
  bool isRowMajor = false;                    // without gaps
  bool streams = false;                       // too large for the cache and in whole lines: stores go past it
};

/// What is found of values as they are emitted, region by region: what is found in one is of no use behind it.
class Regions {
public:
  virtual ~Regions() = default;
  virtual void enter() = 0;
  virtual void leave() = 0;
};

/// Emits into one function. All arithmetic on positions is i64 without signed wrap.
class Emitter {
public:
  Emitter(OpBuilder &builder, Location loc) : b(builder), loc(loc) {}
  OpBuilder &b;
  Location loc;
  Regions *regions = nullptr; // entered in each body of a loop or branch, where there is an op around it

  Value use(Index i);
  Index add(Index x, Index y);
  Index sub(Index x, Index y);
  Index mul(Index x, Index y);
  Index min(Index x, Index y);
  Index max(Index x, Index y);
  Index ceilDiv(Index x, int64_t by);
  /// x rounded down to a multiple of `by`.
  Index floorTo(Index x, int64_t by);
  Value lessThan(Index x, Index y);

  /// for (i = from; i < to; i += step); one known trip emits no loop.
  void loop(Index from, Index to, Index step, llvm::function_ref<void(Index)> body);
  /// The same with carried values.
  llvm::SmallVector<Value> loop(Index from, Index to, Index step, mlir::ValueRange init,
                                llvm::function_ref<llvm::SmallVector<Value>(Index, mlir::ValueRange)> body);
  void when(Value condition, llvm::function_ref<void()> then, llvm::function_ref<void()> otherwise = nullptr);

  /// Signless element type in registers; bools are i1 there and a byte in memory.
  mlir::Type registerType(DType dtype);
  mlir::Type memoryType(DType dtype);
  mlir::Type vectorOf(mlir::Type element, int64_t lanes);
  Value address(Value pointer, DType dtype, Index offset);
  /// Lanes from consecutive memory; `mask` guards each lane, lanes without are 0. No lanes (0): a scalar. Complex numbers lie
  /// as pairs.
  Expr load(Value pointer, DType dtype, Index offset, int64_t lanes, Value mask = {});
  /// `streams`: past the cache, of whole aligned lines.
  void store(Value pointer, Index offset, Expr value, Value mask = {}, bool streams = false);
  /// Lanes as they lie in memory, and what such are in registers.
  Value loadBytes(Value pointer, DType dtype, Index offset, int64_t lanes);
  Expr fromMemory(Value loaded, DType dtype) { return {b, loc, widen(loaded, dtype), dtype}; }
  Expr splat(Expr scalar, int64_t lanes);
  /// 0, 1, 2, ... as i64 lanes.
  Value laneNumbers(int64_t lanes);
  /// Lanes below `count`.
  Value maskBelow(Index count, int64_t lanes);
  /// Of what is left behind the last whole vector: as few as hold it where its size is known, and those of them that do; null for all.
  int64_t restLanes(Index rest, int64_t lanes);
  Value restMask(Index rest, int64_t lanes) { return rest.isConstant(lanes) ? Value() : maskBelow(rest, lanes); }
  Value firstLanes(Value vector, int64_t lanes);
  Value withFirstLanes(Value vector, Value first);
  Expr scalar(DType dtype, double number);
  /// Fixed scratch on the stack.
  Value stack(DType dtype, int64_t elements);

  /// Vector lanes in another order or number.
  Value shuffle(Value a, Value b, llvm::ArrayRef<int64_t> lanes);
  /// Rows of a square become its columns, by exchanging ever larger blocks.
  void transpose(llvm::SmallVectorImpl<Value> &rows);

private:
  struct Region;
  Value widen(Value inMemory, DType dtype);
  Expr loadComplex(Value pointer, DType dtype, Index offset, int64_t lanes, Value mask);
  void storeComplex(Value pointer, Index offset, Expr value, Value mask);
  Value pairMask(Value mask);
};

/// A power of two of at least `n`, at most `limit`.
int64_t lanesFor(Index n, int64_t limit);

} // namespace kiln::cpu
