#include "lib/Core/Stats.h"
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

Type typeWith(Value like, const Shape &shape) { return ir::tensorType(like.getContext(), {ir::typeOf(like).dtype, shape}); }

Value reshape(PatternRewriter &rw, Value x, const Shape &shape) {
  if (ir::typeOf(x).shape == shape) return x;
  return ir::ReshapeOp::create(rw, x.getLoc(), typeWith(x, shape), x);
}

Value broadcast(PatternRewriter &rw, ir::BroadcastOp op, Value x, ArrayRef<int64_t> axes) {
  return ir::BroadcastOp::create(rw, op.getLoc(), op.getType(), x, axes);
}

/// Reductions over one axis. Neighbouring axes are one axis of the reshaped operand.
struct SplitReduction : OpInterfaceRewritePattern<ir::ArrayOp> {
  using OpInterfaceRewritePattern::OpInterfaceRewritePattern;

  /// The same reduction of `x` over other axes.
  static Value reduce(PatternRewriter &rw, ir::ArrayOp op, Value x, ArrayRef<int64_t> axes) {
    Shape shape;
    for (auto [i, size] : llvm::enumerate(ir::typeOf(x).shape))
      if (!llvm::is_contained(axes, int64_t(i))) shape.push(size);
    OperationState state(op.getLoc(), op->getName(), x, typeWith(op->getResult(0), shape), {});
    state.addAttribute("axes", rw.getDenseI64ArrayAttr(axes));
    return rw.create(state)->getResult(0);
  }

  LogicalResult matchAndRewrite(ir::ArrayOp op, PatternRewriter &rw) const override {
    if (op.getKind() != Kind::Reduce) return rw.notifyMatchFailure(op, "is no reduction");
    SmallVector<int64_t, 2> axes = op.getAlong();
    Value operand = op.getMain();
    if (axes.size() == 1) return rw.notifyMatchFailure(op, "has one axis");
    if (axes.empty()) {
      rw.replaceOp(op, operand);
      return success();
    }
    // The last run of neighbouring axes first, the rest by another reduction.
    size_t first = axes.size() - 1;
    while (first > 0 && axes[first - 1] == axes[first] - 1) --first;
    Shape shape = ir::typeOf(operand).shape, merged;
    SmallVector<Size> sizes;
    for (size_t i = first; i < axes.size(); ++i) sizes.push_back(shape[int(axes[i])]);
    for (int i = 0; i < shape.rank; ++i) {
      if (i == axes[first]) merged.push(ir::productOf(op, sizes));
      else if (i < axes[first] || i > axes.back()) merged.push(shape[i]);
    }
    Value x = reduce(rw, op, reshape(rw, operand, merged), axes[first]);
    rw.replaceOp(op, first ? reduce(rw, op, x, ArrayRef(axes).take_front(first)) : x);
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

bool isAt(ir::SliceOp op, ir::UpdateOp write) { return op.getStarts() == write.getStarts() && op.getSteps() == write.getSteps(); }
bool isAt(ir::UpdateOp op, ir::UpdateOp write) { return op.getStarts() == write.getStarts() && op.getSteps() == write.getSteps(); }
bool isAt(ir::DynamicSliceOp op, ir::DynamicUpdateOp write) { return op.getStarts() == write.getStarts(); }
bool isAt(ir::DynamicUpdateOp op, ir::DynamicUpdateOp write) { return op.getStarts() == write.getStarts(); }

/// What is read where it was written is what was written, where a second write there makes the first one unnecessary: in a loop it need
/// not pass through memory then. Where the array is used in another way it would be computed twice, from what the first write replaces.
template <typename ReadOp, typename WriteOp> struct ReadWritten : OpRewritePattern<ReadOp> {
  using OpRewritePattern<ReadOp>::OpRewritePattern;
  LogicalResult matchAndRewrite(ReadOp op, PatternRewriter &rw) const override {
    auto write = op.getX().template getDefiningOp<WriteOp>();
    if (!write) return rw.notifyMatchFailure(op, "operand is as it was");
    Type type = write.getValue().getType();
    bool hasSecond = false,
         isUsedElsewhere = llvm::any_of(write->getUsers(), [&](Operation *user) {
           if (auto read = dyn_cast<ReadOp>(user)) return !isAt(read, write) || read.getType() != type;
           auto second = dyn_cast<WriteOp>(user);
           bool isSecond = second && second.getX() == write.getResult() && isAt(second, write) && second.getValue().getType() == type;
           hasSecond |= isSecond;
           return !isSecond;
         });
    if (isUsedElsewhere || !hasSecond) return rw.notifyMatchFailure(op, "operand is used elsewhere");
    rw.replaceOp(op, write.getValue());
    return success();
  }
};

/// Of two writes at one place the second stays, where nothing reads between them.
template <typename WriteOp> struct WriteOver : OpRewritePattern<WriteOp> {
  using OpRewritePattern<WriteOp>::OpRewritePattern;
  LogicalResult matchAndRewrite(WriteOp op, PatternRewriter &rw) const override {
    auto first = op.getX().template getDefiningOp<WriteOp>();
    if (!first || !first->hasOneUse()) return rw.notifyMatchFailure(op, "operand is as it was, or read");
    if (!isAt(op, first) || op.getValue().getType() != first.getValue().getType())
      return rw.notifyMatchFailure(op, "was written at another place");
    rw.modifyOpInPlace(op, [&] { op.getXMutable().assign(first.getX()); });
    rw.eraseOp(first);
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
    SmallVector<int64_t> joined;
    for (int64_t p : op.getPermutation()) joined.push_back(inner.getPermutation()[size_t(p)]);
    rw.replaceOpWithNewOp<ir::TransposeOp>(op, op.getType(), inner.getX(), joined);
    return success();
  }
};

struct JoinBroadcasts : OpRewritePattern<ir::BroadcastOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(ir::BroadcastOp op, PatternRewriter &rw) const override {
    auto inner = op.getX().getDefiningOp<ir::BroadcastOp>();
    if (!inner) return rw.notifyMatchFailure(op, "operand is no broadcast");
    SmallVector<int64_t> axes;
    for (int64_t a : inner.getAxes()) axes.push_back(op.getAxes()[size_t(a)]);
    rw.replaceOp(op, broadcast(rw, op, inner.getX(), axes));
    return success();
  }
};

/// A reshape that only adds unit axes, then repeated: the broadcast does both.
struct JoinUnitReshape : OpRewritePattern<ir::BroadcastOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(ir::BroadcastOp op, PatternRewriter &rw) const override {
    auto inner = op.getX().getDefiningOp<ir::ReshapeOp>();
    if (!inner) return rw.notifyMatchFailure(op, "operand is no reshape");
    Shape from = ir::typeOf(inner.getX()).shape, to = ir::typeOf(inner.getResult()).shape;
    SmallVector<int64_t> axes;
    int j = 0;
    for (int i = 0; i < to.rank; ++i)
      if (j < from.rank && from[j] == to[i]) axes.push_back(op.getAxes()[size_t(i)]), ++j;
      else if (!to[i].is(1)) return rw.notifyMatchFailure(op, "the reshape does more than add unit axes");
    if (j != from.rank) return rw.notifyMatchFailure(op, "the reshape removes axes");
    rw.replaceOp(op, broadcast(rw, op, inner.getX(), axes));
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
    Shape shape = ir::typeOf(op.getResult()).shape;
    if (auto broadcast = dyn_cast<ir::BroadcastOp>(inner)) {
      if (ir::typeOf(broadcast.getX()).shape.rank) return rw.notifyMatchFailure(op, "repeats an array");
      rw.replaceOpWithNewOp<ir::BroadcastOp>(op, op.getType(), broadcast.getX(), ArrayRef<int64_t>());
      return success();
    }
    bool isReduced = op->hasOneUse() && (ir::isKind(*op->user_begin(), Kind::Reduce) || ir::isKind(*op->user_begin(), Kind::Elementwise));
    if (!ir::isKind(inner, Kind::Elementwise) || !isReduced || !isFree(op.getX(), 32))
      return rw.notifyMatchFailure(op, "operand is not elementwise over arrays in memory");
    SmallVector<Value> operands;
    for (Value v : inner->getOperands()) operands.push_back(reshape(rw, v, shape));
    OperationState state(inner->getLoc(), inner->getName(), operands, op->getResultTypes(), inner->getAttrs());
    rw.replaceOp(op, rw.create(state)->getResults());
    return success();
  }
};

/// Batch axes first and one free axis: the form of the emitter.
struct CanonicalDot : OpRewritePattern<ir::DotGeneralOp> {
  using OpRewritePattern::OpRewritePattern;

  /// Batch axes first, then the others in order; all free axes as one, before or behind the contracted axis.
  static Value canonical(PatternRewriter &rw, Value x, ArrayRef<int64_t> batch, int64_t &axis, bool freeFirst) {
    Shape shape = ir::typeOf(x).shape;
    SmallVector<int64_t> order(batch), free;
    for (int i = 0; i < shape.rank; ++i)
      if (i != axis && !llvm::is_contained(batch, i)) free.push_back(i);
    bool isSplit = free.size() > 1 && free.front() < axis && axis < free.back(); // the contracted axis between free ones
    bool contractedLast = free.empty() || (isSplit ? freeFirst : free.back() < axis);
    if (!contractedLast) order.push_back(axis);
    llvm::append_range(order, free);
    if (contractedLast) order.push_back(axis);
    Shape ordered;
    for (int64_t i : order) ordered.push(shape[int(i)]);
    if (!llvm::is_sorted(order)) x = ir::TransposeOp::create(rw, x.getLoc(), typeWith(x, ordered), x, order);
    Shape merged;
    SmallVector<Size> sizes;
    for (int64_t f : free) sizes.push_back(shape[int(f)]);
    for (int64_t b : batch) merged.push(shape[int(b)]);
    Size contracted = shape[int(axis)];
    if (!contractedLast) merged.push(contracted);
    if (!free.empty()) merged.push(ir::productOf(rw.getInsertionBlock()->getParentOp(), sizes));
    if (contractedLast) merged.push(contracted);
    axis = contractedLast ? merged.rank - 1 : int64_t(batch.size());
    return reshape(rw, x, merged);
  }

  LogicalResult matchAndRewrite(ir::DotGeneralOp op, PatternRewriter &rw) const override {
    int64_t xAxis = int64_t(op.getXAxis()), yAxis = int64_t(op.getYAxis());
    Value x = canonical(rw, op.getX(), op.getXBatch(), xAxis, true), y = canonical(rw, op.getY(), op.getYBatch(), yAxis, false);
    // Two vectors: the second is a matrix of one row, so that one side runs over the lanes.
    int64_t batches = int64_t(op.getXBatch().size());
    Shape yShape = ir::typeOf(y).shape;
    if (ir::typeOf(x).shape.rank == batches + 1 && yShape.rank == batches + 1) {
      yShape.insert(int(batches), Size(1));
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
    auto batch = llvm::to_vector(llvm::seq<int64_t>(0, batches));
    Shape xShape = ir::typeOf(x).shape, shape;
    yShape = ir::typeOf(y).shape;
    for (int i = 0; i < xShape.rank; ++i)
      if (i != xAxis) shape.push(xShape[i]);
    for (int i = int(batches); i < yShape.rank; ++i)
      if (i != yAxis) shape.push(yShape[i]);
    Value result =
        ir::DotGeneralOp::create(rw, op.getLoc(), typeWith(op.getResult(), shape), x, y, batch, batch, uint64_t(xAxis), uint64_t(yAxis));
    rw.replaceOp(op, reshape(rw, result, ir::typeOf(op.getResult()).shape));
    return success();
  }
};

/// Under fast_math the quotients of a row by one number become products.
struct DivideOnce : OpRewritePattern<ir::DivideOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(ir::DivideOp op, PatternRewriter &rw) const override {
    auto spread = op.getY().getDefiningOp<ir::BroadcastOp>();
    auto around = op->getParentOfType<func::FuncOp>();
    if (!spread || !around || !around->hasAttr(ir::kFastMath)) return rw.notifyMatchFailure(op, "divides by an array, or as it is written");
    TensorType type = ir::typeOf(spread.getX());
    if (type.dtype != DType::F32 && type.dtype != DType::F64) return rw.notifyMatchFailure(op, "a reciprocal is less accurate, or none");
    Type element = ir::elementType(rw.getContext(), type.dtype);
    Value one = ir::ConstantOp::create(rw, op.getLoc(), RankedTensorType::get({}, element), rw.getFloatAttr(element, 1));
    Value ones = ir::BroadcastOp::create(rw, op.getLoc(), spread.getX().getType(), one, ArrayRef<int64_t>());
    Value inverse = ir::DivideOp::create(rw, op.getLoc(), spread.getX().getType(), ones, spread.getX());
    Value wide = ir::BroadcastOp::create(rw, op.getLoc(), spread.getType(), inverse, spread.getAxes());
    rw.replaceOpWithNewOp<ir::MultiplyOp>(op, op.getType(), op.getX(), wide);
    return success();
  }
};

struct Simplify : impl::SimplifyBase<Simplify> {
  FrozenRewritePatternSet patterns;

  LogicalResult initialize(MLIRContext *context) override {
    RewritePatternSet set(context);
    set.add<SplitReduction, DropIdentity<ir::CastOp>, DropIdentity<ir::BroadcastOp>, DropIdentity<ir::ReshapeOp>,
            DropIdentity<ir::TransposeOp>, DropIdentity<ir::SliceOp>, DropWholeUpdate, ReadWritten<ir::SliceOp, ir::UpdateOp>,
            ReadWritten<ir::DynamicSliceOp, ir::DynamicUpdateOp>, WriteOver<ir::UpdateOp>, WriteOver<ir::DynamicUpdateOp>, JoinReshapes,
            JoinTransposes, JoinBroadcasts, JoinUnitReshape, HoistReshape, CanonicalDot, DivideOnce>(context);
    patterns = std::move(set);
    return success();
  }

  void runOnOperation() override {
    struct Counter : RewriterBase::Listener {
      void notifyOperationReplaced(Operation *, ValueRange) override { count("simplify.rewrites"); }
    } counter;
    GreedyRewriteConfig config;
    config.setListener(&counter);
    config.enableFolding(false);
    if (failed(applyPatternsGreedily(getOperation(), patterns, config))) signalPassFailure();
  }
};

} // namespace
} // namespace kiln
