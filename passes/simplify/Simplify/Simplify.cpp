#include "lib/Core/Stats.h"
#include "lib/Core/Infer.h"
#include "passes/Passes.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

namespace kiln {
#define GEN_PASS_DEF_SIMPLIFY
#include "kiln/Passes.h.inc"
} // namespace kiln

using namespace mlir;

namespace kiln {
namespace {

Dims dims(ArrayRef<int64_t> list) { return Dims(std::span<const int64_t>(list.data(), list.size())); }

Value build(PatternRewriter &rw, Location loc, Op op, ValueRange operands, ArrayRef<int64_t> words) {
  SmallVector<TensorType> types;
  for (Value v : operands) types.push_back(ir::typeOf(v));
  TensorType result = infer(op, {types.data(), types.size()}, {words.data(), words.size()});
  return ir::buildOp(rw, loc, op, operands, words, result)->getResult(0);
}

Value reshape(PatternRewriter &rw, Value x, const Dims &shape) {
  TensorType type = ir::typeOf(x);
  if (type.shape == shape) return x;
  return ir::buildOp(rw, x.getLoc(), Op::Reshape, x, {}, {type.dtype, shape})->getResult(0);
}

/// Reductions over one axis. Neighbouring axes are one axis of the reshaped operand.
struct SplitReduction : RewritePattern {
  SplitReduction(MLIRContext *context) : RewritePattern(MatchAnyOpTypeTag(), 1, context) {}
  LogicalResult matchAndRewrite(Operation *op, PatternRewriter &rw) const override {
    if (!ir::isKind(op, Kind::Reduce)) return rw.notifyMatchFailure(op, "is no reduction");
    ArrayRef<int64_t> axes = op->getAttrOfType<DenseI64ArrayAttr>("axes").asArrayRef();
    Value operand = op->getOperand(0);
    if (axes.size() == 1) return rw.notifyMatchFailure(op, "has one axis");
    if (axes.empty()) {
      rw.replaceOp(op, operand);
      return success();
    }
    // The last run of neighbouring axes first, the rest by another reduction.
    size_t first = axes.size() - 1;
    while (first > 0 && axes[first - 1] == axes[first] - 1) --first;
    Dims shape = ir::typeOf(operand).shape, merged;
    SmallVector<int64_t> sizes;
    for (size_t i = first; i < axes.size(); ++i) sizes.push_back(shape[int(axes[i])]);
    for (int i = 0; i < shape.rank; ++i) {
      if (i == axes[first]) merged.push(ir::productOf(op, sizes));
      else if (i < axes[first] || i > axes.back()) merged.push(shape[i]);
    }
    Op id = *ir::opOf(op);
    Value x = reshape(rw, operand, merged);
    x = build(rw, op->getLoc(), id, x, {1, axes[first]});
    SmallVector<int64_t> rest = {int64_t(first)};
    rest.append(axes.begin(), axes.begin() + int64_t(first));
    rw.replaceOp(op, first ? build(rw, op->getLoc(), id, x, rest) : x);
    return success();
  }
};

/// Moves that move nothing, and casts to the same dtype.
template <typename MoveOp> struct DropIdentity : OpRewritePattern<MoveOp> {
  using OpRewritePattern<MoveOp>::OpRewritePattern;
  LogicalResult matchAndRewrite(MoveOp op, PatternRewriter &rw) const override {
    if (op.getX().getType() != op.getType()) return rw.notifyMatchFailure(op, "changes the type");
    if constexpr (std::is_same_v<MoveOp, ir::TransposeOp>)
      if (!llvm::is_sorted(op.getPermutation())) return rw.notifyMatchFailure(op, "permutes axes");
    if constexpr (std::is_same_v<MoveOp, ir::SliceOp>)
      if (llvm::any_of(op.getSteps(), [](int64_t s) { return s < 0; })) return rw.notifyMatchFailure(op, "reverses an axis");
    rw.replaceOp(op, op.getX());
    return success();
  }
};

/// An update of the whole array is its value.
struct DropWholeUpdate : OpRewritePattern<ir::UpdateOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(ir::UpdateOp op, PatternRewriter &rw) const override {
    if (op.getValue().getType() != op.getType()) return rw.notifyMatchFailure(op, "leaves a part as it is");
    if (llvm::any_of(op.getSteps(), [](int64_t s) { return s < 0; })) return rw.notifyMatchFailure(op, "reverses an axis");
    rw.replaceOp(op, op.getValue());
    return success();
  }
};

struct JoinReshapes : OpRewritePattern<ir::ReshapeOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(ir::ReshapeOp op, PatternRewriter &rw) const override {
    auto inner = op.getX().getDefiningOp<ir::ReshapeOp>();
    if (!inner) return rw.notifyMatchFailure(op, "operand is no reshape");
    rw.replaceOp(op, reshape(rw, inner.getX(), ir::typeOf(op.getResult()).shape));
    return success();
  }
};

struct JoinTransposes : OpRewritePattern<ir::TransposeOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(ir::TransposeOp op, PatternRewriter &rw) const override {
    auto inner = op.getX().getDefiningOp<ir::TransposeOp>();
    if (!inner) return rw.notifyMatchFailure(op, "operand is no transpose");
    Dims joined;
    for (int64_t p : op.getPermutation()) joined.push(inner.getPermutation()[size_t(p)]);
    SmallVector<int64_t> words;
    appendWords(words, joined);
    rw.replaceOp(op, build(rw, op.getLoc(), Op::Transpose, inner.getX(), words));
    return success();
  }
};

struct JoinBroadcasts : OpRewritePattern<ir::BroadcastOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(ir::BroadcastOp op, PatternRewriter &rw) const override {
    auto inner = op.getX().getDefiningOp<ir::BroadcastOp>();
    if (!inner) return rw.notifyMatchFailure(op, "operand is no broadcast");
    SmallVector<int64_t> words;
    Dims axes;
    for (int64_t a : inner.getAxes()) axes.push(op.getAxes()[size_t(a)]);
    appendWords(words, axes);
    appendWords(words, ir::typeOf(op.getResult()).shape);
    rw.replaceOp(op, build(rw, op.getLoc(), Op::Broadcast, inner.getX(), words));
    return success();
  }
};

/// A reshape that only adds unit axes, then repeated: the broadcast does both.
struct JoinUnitReshape : OpRewritePattern<ir::BroadcastOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(ir::BroadcastOp op, PatternRewriter &rw) const override {
    auto inner = op.getX().getDefiningOp<ir::ReshapeOp>();
    if (!inner) return rw.notifyMatchFailure(op, "operand is no reshape");
    Dims from = ir::typeOf(inner.getX()).shape, to = ir::typeOf(inner.getResult()).shape, axes;
    int j = 0;
    for (int i = 0; i < to.rank; ++i)
      if (j < from.rank && from[j] == to[i]) axes.push(op.getAxes()[size_t(i)]), ++j;
      else if (to[i] != 1) return rw.notifyMatchFailure(op, "the reshape does more than add unit axes");
    if (j != from.rank) return rw.notifyMatchFailure(op, "the reshape removes axes");
    SmallVector<int64_t> words;
    appendWords(words, axes);
    appendWords(words, ir::typeOf(op.getResult()).shape);
    rw.replaceOp(op, build(rw, op.getLoc(), Op::Broadcast, inner.getX(), words));
    return success();
  }
};

/// Merging neighbouring axes of an elementwise result is elementwise on the merged operands, where those are in memory.
struct HoistReshape : OpRewritePattern<ir::ReshapeOp> {
  using OpRewritePattern::OpRewritePattern;

  static bool isFree(Value v, int depth) {
    Operation *op = v.getDefiningOp();
    if (!op || isa<ir::ReshapeOp>(op)) return true;
    if (auto broadcast = dyn_cast<ir::BroadcastOp>(op)) return ir::typeOf(broadcast.getX()).shape.rank == 0;
    return ir::isKind(op, Kind::Elementwise) && op->hasOneUse() && depth > 0 &&
           llvm::all_of(op->getOperands(), [&](Value x) { return isFree(x, depth - 1); });
  }

  LogicalResult matchAndRewrite(ir::ReshapeOp op, PatternRewriter &rw) const override {
    Operation *inner = op.getX().getDefiningOp();
    if (!inner) return rw.notifyMatchFailure(op, "operand is an argument");
    Dims shape = ir::typeOf(op.getResult()).shape;
    if (auto broadcast = dyn_cast<ir::BroadcastOp>(inner)) {
      if (ir::typeOf(broadcast.getX()).shape.rank) return rw.notifyMatchFailure(op, "repeats an array");
      SmallVector<int64_t> words = {0};
      appendWords(words, shape);
      rw.replaceOp(op, build(rw, op.getLoc(), Op::Broadcast, broadcast.getX(), words));
      return success();
    }
    bool isReduced = op->hasOneUse() && (ir::isKind(*op->user_begin(), Kind::Reduce) || ir::isKind(*op->user_begin(), Kind::Elementwise));
    if (!ir::isKind(inner, Kind::Elementwise) || !isReduced || !isFree(op.getX(), 32))
      return rw.notifyMatchFailure(op, "operand is not elementwise over arrays in memory");
    SmallVector<Value> operands;
    for (Value v : inner->getOperands()) operands.push_back(reshape(rw, v, shape));
    TensorType type{ir::typeOf(op.getResult()).dtype, shape};
    rw.replaceOp(op, ir::buildOp(rw, inner->getLoc(), *ir::opOf(inner), operands, ir::wordsOf(inner), type)->getResults());
    return success();
  }
};

/// Batch axes first and one free axis: the form of the emitter.
struct CanonicalDot : OpRewritePattern<ir::DotGeneralOp> {
  using OpRewritePattern::OpRewritePattern;

  /// Batch axes first, then the others in order; all free axes as one, before or behind the contracted axis.
  static Value canonical(PatternRewriter &rw, Value x, ArrayRef<int64_t> batch, int64_t &axis, bool freeFirst) {
    Dims shape = ir::typeOf(x).shape, order = dims(batch), free;
    for (int i = 0; i < shape.rank; ++i)
      if (i != axis && !llvm::is_contained(batch, i)) free.push(i);
    bool isSplit = false; // the contracted axis between free ones
    if (free.rank > 1) isSplit = free[0] < axis && axis < free[free.rank - 1];
    bool contractedLast = free.rank == 0 || (isSplit ? freeFirst : free[free.rank - 1] < axis);
    if (!contractedLast) order.push(axis);
    for (int64_t f : free) order.push(f);
    if (contractedLast) order.push(axis);
    SmallVector<int64_t> words;
    appendWords(words, order);
    if (!llvm::is_sorted(order)) x = build(rw, x.getLoc(), Op::Transpose, x, words);
    Dims merged;
    SmallVector<int64_t> sizes;
    for (int64_t f : free) sizes.push_back(shape[int(f)]);
    for (int64_t b : batch) merged.push(shape[int(b)]);
    int64_t contracted = shape[int(axis)];
    if (!contractedLast) merged.push(contracted);
    if (free.rank) merged.push(ir::productOf(rw.getInsertionBlock()->getParentOp(), sizes));
    if (contractedLast) merged.push(contracted);
    axis = contractedLast ? merged.rank - 1 : int64_t(batch.size());
    return reshape(rw, x, merged);
  }

  LogicalResult matchAndRewrite(ir::DotGeneralOp op, PatternRewriter &rw) const override {
    int64_t xAxis = int64_t(op.getXAxis()), yAxis = int64_t(op.getYAxis());
    Value x = canonical(rw, op.getX(), op.getXBatch(), xAxis, true), y = canonical(rw, op.getY(), op.getYBatch(), yAxis, false);
    // Two vectors: the second is a matrix of one row, so that one side runs over the lanes.
    int64_t batches = int64_t(op.getXBatch().size());
    Dims yShape = ir::typeOf(y).shape;
    if (ir::typeOf(x).shape.rank == batches + 1 && yShape.rank == batches + 1) {
      yShape.insert(int(batches), 1);
      y = reshape(rw, y, yShape);
      yAxis = batches + 1;
    }
    // Which way a matrix lies in memory does not change the order of a matrix product.
    bool isMatrixProduct = ir::typeOf(x).shape.rank == batches + 2 && ir::typeOf(y).shape.rank == batches + 2;
    auto fold = [&](Value &v, int64_t &axis) {
      auto transpose = v.getDefiningOp<ir::TransposeOp>();
      if (!transpose || !isMatrixProduct) return;
      for (int64_t i = 0; i < batches; ++i)
        if (transpose.getPermutation()[size_t(i)] != i) return;
      axis = transpose.getPermutation()[size_t(axis)];
      v = transpose.getX();
    };
    fold(x, xAxis);
    fold(y, yAxis);
    bool isSame = x == op.getX() && y == op.getY();
    if (isSame) return rw.notifyMatchFailure(op, "is in the form of the emitter");
    SmallVector<int64_t> words;
    Dims batch;
    for (int64_t i = 0; i < batches; ++i) batch.push(i);
    appendWords(words, batch);
    appendWords(words, batch);
    words.append({xAxis, yAxis});
    Value result = build(rw, op.getLoc(), Op::DotGeneral, {x, y}, words);
    rw.replaceOp(op, reshape(rw, result, ir::typeOf(op.getResult()).shape));
    return success();
  }
};

struct Simplify : impl::SimplifyBase<Simplify> {
  void runOnOperation() override {
    struct Counter : RewriterBase::Listener {
      void notifyOperationReplaced(Operation *, ValueRange) override { count("simplify.rewrites"); }
    } counter;
    RewritePatternSet patterns(&getContext());
    patterns.add<SplitReduction, DropIdentity<ir::CastOp>, DropIdentity<ir::BroadcastOp>, DropIdentity<ir::ReshapeOp>,
                 DropIdentity<ir::TransposeOp>, DropIdentity<ir::SliceOp>, DropWholeUpdate, JoinReshapes, JoinTransposes, JoinBroadcasts,
                 JoinUnitReshape, HoistReshape, CanonicalDot>(&getContext());
    GreedyRewriteConfig config;
    config.setListener(&counter);
    config.enableFolding(false);
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns), config))) signalPassFailure();
  }
};

} // namespace
} // namespace kiln
