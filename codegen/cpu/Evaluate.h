// Evaluates values of a kernel's body at positions: the pull model behind every emitter. An elementwise op evaluates its
// operands at the same position, an op that moves elements at the position it maps to, an input loads.
#pragma once

#include "codegen/cpu/Emit.h"

namespace kiln::cpu {

class Evaluator : Regions {
public:
  Evaluator(Emitter &emitter) : e(emitter) {
    scopes.emplace_back();
    e.regions = this;
  }
  ~Evaluator() override { e.regions = nullptr; }
  Evaluator(const Evaluator &) = delete;

  Emitter &e;
  llvm::DenseMap<Value, Buffer> buffers;    // values that lie in memory
  int64_t lanes = 0;                        // of the current loop; 0 in scalar code
  Value mask;                               // of the current iteration, or null
  Value statusFlag;                         // i32 in memory that a bad index sets; made when first needed
  llvm::function_ref<Index(Size)> openSize; // of a symbol
  bool isFast = false;                      // operations may be contracted
  bool isRefused = false;                   // something was asked for that cannot be emitted; an error says what
  int64_t row = 0;                          // of the tile under way (Tile.cpp)
  int64_t tileRows = 0;                     // and how many it has; 0: none

  /// A size, or a number that follows from one: itself, or what the call says of a symbol.
  Index sizeOf(Size d) const { return d.isConstant() ? Index(d.number()) : openSize(d); }

  /// The value at a position: one lane a position, or a scalar where all lanes have the same one.
  Expr at(Value value, llvm::ArrayRef<Coordinate> position);
  /// The same, always with `lanes` lanes.
  Expr vectorAt(Value value, llvm::ArrayRef<Coordinate> position) { return e.splat(at(value, position), lanes); }
  /// What was found or remembered for it.
  std::optional<Expr> known(Value value, llvm::ArrayRef<Coordinate> position);
  /// Where in its operand an op that moves elements finds the element at `position`.
  Coordinates source(mlir::Operation *op, llvm::ArrayRef<Coordinate> position);
  /// Makes `result` the answer for `value` at `position` in this scope.
  void remember(Value value, llvm::ArrayRef<Coordinate> position, Expr result);

  /// Results found inside do not outlive it: they may not dominate what follows. Loops and branches of the emitter are such by themselves.
  struct Scope {
    Evaluator &evaluator;
    int64_t lanes;
    Value mask;
    Scope(Evaluator &ev, int64_t newLanes, Value newMask) : evaluator(ev), lanes(ev.lanes), mask(ev.mask) {
      ev.scopes.emplace_back();
      ev.lanes = newLanes;
      ev.mask = newMask;
    }
    ~Scope() {
      evaluator.scopes.pop_back();
      evaluator.lanes = lanes;
      evaluator.mask = mask;
    }
  };

  Expr wrapIndex(Expr index, Index count, Expr *isBad);
  /// The same of an element of `indices`.
  Expr indexAt(mlir::Value indices, llvm::ArrayRef<Coordinate> position, Index count, Expr *isBad);
  void reportIndex(Expr isBad);
  Index dynamicStart(Value starts, int i, Index size, Index part);
  /// Where an axis is at in this row.
  Index baseOf(const Coordinate &c) { return e.add(c.base, c.rowStep * row); }
  Index offsetOf(const Buffer &buffer, llvm::ArrayRef<Coordinate> at);
  /// Forgets what was loaded for the rows of a tile: another starts.
  void startTile() { tileLoads.clear(); }
  Expr loadAt(const Buffer &buffer, llvm::ArrayRef<Coordinate> position);
  void storeAt(const Buffer &buffer, llvm::ArrayRef<Coordinate> position, Expr value);
  /// Says why the kernel cannot be emitted, once.
  void refuse(mlir::Operation *op, llvm::StringRef expected);

private:
  struct Known {
    Coordinates position;
    Expr result;
  };
  std::vector<llvm::DenseMap<Value, std::vector<Known>>> scopes;
  void enter() override { scopes.emplace_back(); }
  void leave() override { scopes.pop_back(); }
  struct TileLoad {
    Value pointer;
    Coordinates position;
    llvm::SmallVector<Value> rows;
  };
  std::vector<TileLoad> tileLoads;

  Expr compute(mlir::Operation *op, llvm::ArrayRef<Coordinate> position);
  Expr positions(ir::IotaOp op, llvm::ArrayRef<Coordinate> position);
  Expr constant(ir::ConstantOp op);
  bool crossesTile(const Buffer &buffer, llvm::ArrayRef<Coordinate> position);
  std::optional<Expr> loadAcross(const Buffer &buffer, llvm::ArrayRef<Coordinate> position);
  Expr gather(ir::GatherOp op, llvm::ArrayRef<Coordinate> position);
  Expr loadStepped(const Buffer &buffer, llvm::ArrayRef<Coordinate> position, int64_t step);
  void storeStepped(const Buffer &buffer, llvm::ArrayRef<Coordinate> position, int64_t step, Expr value);
  Value lanePointers(const Buffer &buffer, llvm::ArrayRef<Coordinate> position);
  Coordinate shifted(Coordinate c, Index by);
  Value lanePositions(const Coordinate &c);
  Value laneOffsets(const Buffer &buffer, llvm::ArrayRef<Coordinate> position);
};

/// The scalar lowering of an op's record; the element that a reduction starts from; its result over nothing.
Expr scalarOp(Op op, Expr a, Expr b, Expr c, DType t);
Expr identityOf(Op op, Expr like);
Expr emptyOf(Op op, Expr like);

} // namespace kiln::cpu
