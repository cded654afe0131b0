// Kernels with reductions along one axis, fused with what surrounds them. Rows: the reduced axis is the last one and runs
// along the lanes. Columns: another axis is swept in order and the lanes lie along the last one. For each row (or block of
// columns) the reductions run in stages, each stage one loop; values that later stages need again and that are dear to
// compute are kept in scratch. The orders are those of docs/numerics.md.
#include "codegen/cpu/Kernels.h"

#include "lib/Core/Assert.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "llvm/ADT/SetVector.h"

using namespace mlir;

namespace kiln::cpu {
namespace {

constexpr int64_t kRowBlock = 8192, kColumnBlock = 1024, kRowLanes = 32;
constexpr int kDearCost = 10;

/// One reduction: how an accumulator starts, takes an element, and joins another.
struct Reducer {
  Operation *op;
  Op id;
  DType dtype; // of the elements
  int level = 0;

  bool isArg() const { return info(id).kind == Kind::Argreduce; }
  bool isDot() const { return info(id).kind == Kind::Contract; }
  bool isBlocked() const { return info(id).blocked; }
  size_t width() const { return isArg() ? 2 : 1; }
};

class ReductionEmitter {
public:
  ReductionEmitter(KernelContext &k) : k(k), e(k.e), ev(k.ev) {}
  void run();

private:
  KernelContext &k;
  Emitter &e;
  Evaluator &ev;
  SmallVector<Reducer> reducers;
  SmallVector<Index> space; // the shape that is reduced
  size_t axis = 0;
  bool isRow = false;
  int64_t rowLanes = 0;
  int levels = 0;
  SmallVector<llvm::SetVector<Value>> kept; // values to keep, by the stage that computes them
  DenseMap<Value, Buffer> keptBuffers;

  void findReducers();
  int levelOf(Value value);
  void findKept();
  bool isFull(Value value) { return ir::typeOf(value).shape == spaceType; }
  Dims spaceType;

  void emitStages(Coordinates &position);
  void emitStage(ArrayRef<Reducer *> stage, bool inBlocks, ArrayRef<Value> keep, Coordinates &position);
  SmallVector<Value> reduceRange(ArrayRef<Reducer *> stage, Index from, Index to, ArrayRef<Value> keep, Coordinates &position);
  void overAxis(Index from, Index to, Coordinates &position, llvm::function_ref<void()> body);
  void emitOutputs(Coordinates &position);
  void storeKept(ArrayRef<Value> keep, ArrayRef<Coordinate> position);

  /// Of the positions in an arg-reduction under way: along lanes the number of the vector is enough, and half as wide.
  DType placeType() { return isRow ? DType::I32 : DType::I64; }
  int64_t accumulatorLanes() { return isRow ? rowLanes : ev.lanes; }
  SmallVector<Value> start(const Reducer &r);
  SmallVector<Value> step(const Reducer &r, ArrayRef<Value> acc, ArrayRef<Coordinate> position);
  SmallVector<Value> join(const Reducer &r, ArrayRef<Value> a, ArrayRef<Value> b);
  SmallVector<Value> joinLanes(const Reducer &r, SmallVector<Value> acc);
  Expr expr(Value v, DType t) { return {e.b, e.loc, v, t}; }
  Coordinates without(ArrayRef<Coordinate> position) {
    Coordinates result(position);
    result.erase(result.begin() + int64_t(axis));
    return result;
  }
};

/// The value whose shape a reduction runs over: the matrix, of a product with a vector.
Value reducedOperand(Operation *op) {
  Value x = op->getOperand(0);
  if (op->getNumOperands() == 1) return x;
  Value y = op->getOperand(1);
  return ir::typeOf(y).shape.rank > ir::typeOf(x).shape.rank ? y : x;
}

void ReductionEmitter::findReducers() {
  for (Operation &op : k.kernel.getBody().front()) {
    if (!ir::isKind(&op, Kind::Reduce) && !ir::isKind(&op, Kind::Argreduce) && !ir::isKind(&op, Kind::Contract)) continue;
    Value operand = reducedOperand(&op);
    Reducer r{&op, *ir::opOf(&op), ir::typeOf(operand).dtype};
    for (Value v : op.getOperands()) r.level = std::max(r.level, levelOf(v));
    auto words = ir::wordsOf(&op);
    if (reducers.empty()) {
      space = shapeOf(k, operand);
      spaceType = ir::typeOf(operand).shape;
      axis = size_t(words[r.isArg() ? 0 : 1]); // the axis, or the first of a list of one
      if (r.isDot()) axis = size_t(words[words.size() - (operand == op.getOperand(0) ? 2 : 1)]);
      isRow = axis + 1 == space.size();
    }
    levels = std::max(levels, r.level + 1);
    reducers.push_back(r);
  }
}

/// How many stages must have run before a value of the body can be computed.
int ReductionEmitter::levelOf(Value value) {
  Operation *op = value.getDefiningOp();
  if (!op) return 0;
  for (Reducer &r : reducers)
    if (r.op == op) return r.level + 1;
  int level = 0;
  for (Value v : op->getOperands()) level = std::max(level, levelOf(v));
  return level;
}

void ReductionEmitter::findKept() {
  kept.resize(size_t(levels) + 1);
  if (!isRow || !(space[axis].isStatic() || k.isOpen)) return;
  SmallVector<llvm::SetVector<Value>> reached(size_t(levels) + 1);
  auto walk = [&](auto &self, size_t stage, Value v, const llvm::SetVector<Value> *stop) -> void {
    Operation *op = v.getDefiningOp();
    if (!op || !isFull(v) || !reached[stage].insert(v) || (stop && stop->contains(v))) return;
    for (Value operand : op->getOperands()) self(self, stage, operand, stop);
  };
  auto walkAll = [&](const llvm::SetVector<Value> *stop) {
    for (auto &set : reached) set.clear();
    for (Reducer &r : reducers)
      for (Value v : r.op->getOperands()) walk(walk, size_t(r.level), v, stop);
    for (Value v : k.yield().getValues()) walk(walk, size_t(levels), v, stop);
  };
  walkAll(nullptr);
  llvm::SetVector<Value> dear;
  auto stages = [&](Value v) { return llvm::count_if(reached, [&](auto &set) { return set.contains(v); }); };
  for (auto &set : reached)
    for (Value v : set)
      if (info(*ir::opOf(v.getDefiningOp())).cost >= kDearCost && stages(v) > 1) dear.insert(v);
  // Behind a kept value nothing is computed again, so what only it needs is not kept.
  for (size_t s = 0; s <= size_t(levels); ++s)
    for (Value v : reached[s])
      if (dear.contains(v) && llvm::none_of(kept, [&](auto &set) { return set.contains(v); })) kept[s].insert(v);
}

SmallVector<Value> ReductionEmitter::start(const Reducer &r) {
  int64_t lanes = accumulatorLanes();
  Expr zero = e.splat(e.scalar(r.dtype, 0), lanes);
  if (r.isArg()) return {zero.value, e.splat(e.scalar(placeType(), -1), lanes).value};
  return {identityOf(r.id, zero).value};
}

/// x comes before y in an arg-reduction: it is better, or the first nan.
static Expr beats(Op id, Expr x, Expr y) {
  Expr better = scalarOp(id, x, y, y, DType::Bool);
  if (!isFloat(x.dtype)) return better;
  return scalar::bitwise_or(better, scalar::bitwise_and(scalar::isnan(x), scalar::bitwise_invert(scalar::isnan(y))));
}

SmallVector<Value> ReductionEmitter::step(const Reducer &r, ArrayRef<Value> acc, ArrayRef<Coordinate> position) {
  SmallVector<Value> next;
  int64_t lanes = ev.lanes;
  if (r.isArg()) {
    Expr x = ev.vectorAt(r.op->getOperand(0), position), best = expr(acc[0], r.dtype), at = expr(acc[1], placeType());
    Expr here = expr(e.use(position[axis].base), DType::I64);
    if (isRow) here = scalar::cast(scalar::shiftRight(here, std::countr_zero(uint64_t(rowLanes))), DType::I32); // the vector's number
    here = e.splat(here, lanes);
    Expr take = scalar::bitwise_or(scalar::less(at, ir::constant(at, 0)), beats(r.id, x, best));
    next = {scalar::select(take, x, best).value, scalar::select(take, here, at).value};
  } else if (r.isDot()) {
    Value x = r.op->getOperand(0), y = r.op->getOperand(1), matrix = reducedOperand(r.op);
    size_t batches = size_t(ir::typeOf(r.op->getResult(0)).shape.rank) -
                     (ir::typeOf(matrix).shape.rank > ir::typeOf(x == matrix ? y : x).shape.rank ? 1 : 0);
    Coordinates vector(position.take_front(batches));
    vector.push_back(position[axis]);
    Expr a = ev.vectorAt(x, x == matrix ? position : ArrayRef(vector)), b = ev.vectorAt(y, y == matrix ? position : ArrayRef(vector));
    next = {scalarOp(r.id, a, b, expr(acc[0], r.dtype), r.dtype).value};
  } else {
    Expr x = ev.vectorAt(r.op->getOperand(0), position);
    next = {scalarOp(r.id, expr(acc[0], r.dtype), x, x, r.dtype).value};
  }
  if (isRow && ev.mask) // lanes behind the end keep what they have
    for (auto [n, old] : llvm::zip(next, acc)) n = arith::SelectOp::create(e.b, e.loc, ev.mask, n, old);
  return next;
}

SmallVector<Value> ReductionEmitter::join(const Reducer &r, ArrayRef<Value> a, ArrayRef<Value> b) {
  if (!r.isArg()) {
    Expr x = expr(a[0], r.dtype), y = expr(b[0], r.dtype);
    return {(r.isDot() ? x + y : scalarOp(r.id, x, y, y, r.dtype)).value};
  }
  Expr x = expr(a[0], r.dtype), y = expr(b[0], r.dtype), i = expr(a[1], DType::I64), j = expr(b[1], DType::I64);
  Expr zero = ir::constant(i, 0), same = scalar::equal(x, y);
  if (isFloat(r.dtype)) same = scalar::bitwise_or(same, scalar::bitwise_and(scalar::isnan(x), scalar::isnan(y)));
  Expr earlier = scalar::bitwise_and(same, scalar::less(j, i));
  Expr take = scalar::bitwise_or(scalar::less(i, zero), scalar::bitwise_or(beats(r.id, y, x), earlier));
  take = scalar::bitwise_and(take, scalar::greater_equal(j, zero));
  return {scalar::select(take, y, x).value, scalar::select(take, j, i).value};
}

/// Halves the lanes until one is left: lane i joins lane i + n/2.
SmallVector<Value> ReductionEmitter::joinLanes(const Reducer &r, SmallVector<Value> acc) {
  if (r.isArg()) { // from numbers of vectors to positions
    Expr number = scalar::cast(expr(acc[1], DType::I32), DType::I64), none = scalar::less(number, ir::constant(number, 0));
    Expr place = number * ir::constant(number, double(rowLanes)) + expr(e.laneNumbers(rowLanes), DType::I64);
    acc[1] = scalar::select(none, number, place).value;
  }
  for (int64_t n = rowLanes / 2; n >= 1; n /= 2) {
    SmallVector<int64_t> low, high;
    for (int64_t i = 0; i < n; ++i) low.push_back(i), high.push_back(i + n);
    auto half = [&](ArrayRef<int64_t> lanes) {
      return llvm::map_to_vector(acc, [&](Value v) { return Value(vector::ShuffleOp::create(e.b, e.loc, v, v, lanes)); });
    };
    acc = join(r, half(low), half(high));
  }
  return llvm::map_to_vector(acc, [&](Value v) { return Value(vector::ExtractOp::create(e.b, e.loc, v, ArrayRef<int64_t>{0})); });
}

void ReductionEmitter::overAxis(Index from, Index to, Coordinates &position, llvm::function_ref<void()> body) {
  if (isRow)
    return forEachVector(ev, from, to, rowLanes, [&](Coordinate c) {
      position[axis] = c;
      body();
    });
  e.loop(from, to, 1, [&](Index i) {
    Evaluator::Scope scope(ev, ev.lanes, ev.mask);
    position[axis] = {i, 0, {}};
    body();
  });
}

void ReductionEmitter::storeKept(ArrayRef<Value> keep, ArrayRef<Coordinate> position) {
  for (Value v : keep) ev.storeAt(keptBuffers[v], position, ev.vectorAt(v, position));
}

SmallVector<Value> ReductionEmitter::reduceRange(ArrayRef<Reducer *> stage, Index from, Index to, ArrayRef<Value> keep,
                                                 Coordinates &position) {
  SmallVector<Value> acc;
  for (Reducer *r : stage) acc.append(start(*r));
  auto stepAll = [&](Coordinate c, ValueRange old) {
    position[axis] = c;
    SmallVector<Value> next;
    size_t at = 0;
    for (Reducer *r : stage) {
      SmallVector<Value> mine(old.slice(at, r->width()));
      next.append(step(*r, mine, position));
      at += r->width();
    }
    storeKept(keep, position);
    return next;
  };
  int64_t lanes = isRow ? rowLanes : 1;
  Index whole = isRow ? e.add(from, e.floorTo(e.sub(to, from), lanes)) : to;
  acc = e.loop(from, whole, lanes, acc, [&](Index i, ValueRange old) {
    Evaluator::Scope scope(ev, isRow ? rowLanes : ev.lanes, isRow ? Value() : ev.mask);
    return stepAll({i, isRow ? 1 : 0, {}}, old);
  });
  if (whole == to) return acc;
  // The rest of a row, masked; nothing is left where the mask is empty.
  Evaluator::Scope scope(ev, rowLanes, e.maskBelow(e.sub(to, whole), rowLanes));
  return stepAll({whole, 1, {}}, acc);
}

/// Partial results of blocks, joined pairwise as in a binary counter: block i carries as often as i has trailing ones.
class PairwiseStack {
public:
  using Join = llvm::function_ref<Value(Value, Value)>;
  PairwiseStack(Emitter &e, DType dtype, int64_t lanes)
      : e(e), dtype(dtype), lanes(lanes), width(std::max<int64_t>(lanes, 1)), memory(e.stack(dtype, 64 * width)) {}

  void push(Index block, Value value, Join join) {
    auto i64 = e.b.getI64Type();
    auto loop = scf::WhileOp::create(
        e.b, e.loc, TypeRange{i64, value.getType()}, ValueRange{e.use(0), value},
        [&](OpBuilder &, Location, ValueRange args) {
          Value bit = arith::ShRUIOp::create(e.b, e.loc, e.use(block), args[0]);
          Value isSet = arith::TruncIOp::create(e.b, e.loc, e.b.getI1Type(), bit);
          scf::ConditionOp::create(e.b, e.loc, isSet, args);
        },
        [&](OpBuilder &, Location, ValueRange args) {
          Value next = join(at(args[0]), args[1]);
          scf::YieldOp::create(e.b, e.loc, ValueRange{e.use(e.add(Index(args[0]), 1)), next});
        });
    e.store(memory, e.mul(Index(loop.getResult(0)), width), Expr(e.b, e.loc, loop.getResult(1), dtype));
  }

  /// All `blocks`, the lowest level first.
  Value finish(Index blocks, Value empty, Join join) {
    Value no = arith::ConstantOp::create(e.b, e.loc, e.b.getBoolAttr(false));
    auto results = e.loop(0, 64, 1, ValueRange{empty, no}, [&](Index level, ValueRange args) {
      Value bit = arith::ShRUIOp::create(e.b, e.loc, e.use(blocks), e.use(level));
      Value isSet = arith::TruncIOp::create(e.b, e.loc, e.b.getI1Type(), bit);
      auto branch = scf::IfOp::create(e.b, e.loc, TypeRange(args.getTypes()), isSet, true);
      OpBuilder::InsertionGuard guard(e.b);
      e.b.setInsertionPointToStart(branch.thenBlock());
      Value mine = at(level.value), yes = arith::ConstantOp::create(e.b, e.loc, e.b.getBoolAttr(true));
      Value both = arith::SelectOp::create(e.b, e.loc, args[1], join(mine, args[0]), mine);
      scf::YieldOp::create(e.b, e.loc, ValueRange{both, yes});
      e.b.setInsertionPointToStart(branch.elseBlock());
      scf::YieldOp::create(e.b, e.loc, args);
      return SmallVector<Value>(branch.getResults());
    });
    return results[0];
  }

private:
  Emitter &e;
  DType dtype;
  int64_t lanes, width;
  Value memory;
  Value at(Value level) { return e.load(memory, dtype, e.mul(Index(level), width), lanes).value; }
};

void ReductionEmitter::emitStage(ArrayRef<Reducer *> stage, bool inBlocks, ArrayRef<Value> keep, Coordinates &position) {
  Index n = space[axis];
  int64_t block = isRow ? kRowBlock : kColumnBlock;
  auto finish = [&](SmallVector<Value> acc) {
    if (!isRow) return acc;
    SmallVector<Value> results;
    size_t at = 0;
    for (Reducer *r : stage) {
      results.append(joinLanes(*r, SmallVector<Value>(ArrayRef(acc).slice(at, r->width()))));
      at += r->width();
    }
    return results;
  };
  SmallVector<Value> results;
  auto empty = [&](const Reducer &r, int64_t lanes) { return emptyOf(r.id, e.splat(e.scalar(r.dtype, 0), lanes)).value; };
  if (n.isConstant(0)) {
    for (Reducer *r : stage) results.push_back(empty(*r, isRow ? 0 : ev.lanes));
  } else if (!inBlocks || (n.isStatic() && n.number <= block)) {
    results = finish(reduceRange(stage, 0, n, keep, position));
  } else {
    Index blocks = e.ceilDiv(n, block);
    int64_t lanes = isRow ? 0 : ev.lanes;
    SmallVector<PairwiseStack> stacks;
    for (Reducer *r : stage) stacks.emplace_back(e, r->dtype, lanes);
    e.loop(0, blocks, 1, [&](Index i) {
      Index from = e.mul(i, block);
      auto partial = finish(reduceRange(stage, from, e.min(n, e.add(from, block)), keep, position));
      for (auto [r, stack, value] : llvm::zip(stage, stacks, partial))
        stack.push(i, value, [&, r = r](Value a, Value b) { return join(*r, a, b)[0]; });
    });
    for (auto [r, stack] : llvm::zip(stage, stacks))
      results.push_back(stack.finish(blocks, empty(*r, lanes), [&, r = r](Value a, Value b) { return join(*r, a, b)[0]; }));
  }
  size_t at = 0;
  for (Reducer *r : stage) {
    size_t last = at + r->width() - 1; // the position, of an arg-reduction
    ev.remember(r->op->getResult(0), without(position), expr(results[last], r->isArg() ? DType::I64 : r->dtype));
    at += r->width();
  }
}

void ReductionEmitter::emitStages(Coordinates &position) {
  for (int level = 0; level < levels; ++level) {
    // Sums run in blocks, products of matrix and column in one chain, the others in any order.
    SmallVector<Reducer *> blocked, plain;
    for (Reducer &r : reducers)
      if (r.level == level) (r.isBlocked() && (isRow || !r.isDot()) ? blocked : plain).push_back(&r);
    auto keep = kept[size_t(level)].getArrayRef();
    if (!blocked.empty()) emitStage(blocked, true, keep, position);
    if (!plain.empty()) emitStage(plain, false, blocked.empty() ? keep : ArrayRef<Value>(), position);
    for (Value v : keep) ev.buffers[v] = keptBuffers[v];
  }
  emitOutputs(position);
  for (auto &set : kept)
    for (Value v : set) ev.buffers.erase(v);
}

void ReductionEmitter::emitOutputs(Coordinates &position) {
  SmallVector<std::pair<Value, Buffer>> full, reduced;
  for (auto [value, buffer] : llvm::zip(k.yield().getValues(), k.outputs)) {
    bool isStored = keptBuffers.contains(value) && keptBuffers[value].pointer == buffer.pointer;
    if (!isStored) (isFull(value) ? full : reduced).push_back({value, buffer});
  }
  if (!full.empty())
    overAxis(0, space[axis], position, [&] {
      for (auto &[value, buffer] : full) ev.storeAt(buffer, position, ev.at(value, position));
    });
  // Reduced values lack the axis, or have it with size 1.
  Coordinates at = without(position), unit(position);
  unit[axis] = {};
  for (auto &[value, buffer] : reduced) {
    const Coordinates &mine = buffer.shape.size() == space.size() ? unit : at;
    ev.storeAt(buffer, mine, ev.at(value, mine));
  }
}

void ReductionEmitter::run() {
  findReducers();
  findKept();
  rowLanes = lanesFor(space[axis], kRowLanes);
  for (auto &set : kept)
    for (Value v : set) {
      Buffer &buffer = keptBuffers[v];
      for (auto [value, output] : llvm::zip(k.yield().getValues(), k.outputs))
        if (value == v) buffer = output, buffer.streams = false;
      if (buffer.pointer) continue;
      buffer.dtype = ir::typeOf(v).dtype;
      buffer.pointer = k.scratch(e.mul(space[axis], byteSize(buffer.dtype)));
      buffer.shape.assign(space.begin(), space.end());
      buffer.strides.assign(space.size(), Index(0));
      buffer.strides[axis] = 1;
    }
  Coordinates position(space.size());
  int64_t last = int64_t(space.size()) - 1;
  if (isRow) {
    forEachPosition(k, space, {int64_t(axis)}, position, e.mul(space[axis], k.elementCost()), [&] {
      Evaluator::Scope scope(ev, 0, {});
      emitStages(position);
    });
    return;
  }
  int64_t lanes = lanesFor(space.back(), preferredLanes(k));
  auto body = [&](Coordinate c) {
    position[size_t(last)] = c;
    emitStages(position);
  };
  SmallVector<int64_t> skip = {int64_t(axis), last};
  Index work = e.mul(space[axis], k.elementCost());
  bool isOuter = llvm::all_of(space, [](Index n) { return n.isStatic(); }) && hasOuterLoop(space, skip);
  if (isOuter)
    return forEachPosition(k, space, skip, position, e.mul(work, space.back()), [&] { forEachVector(ev, 0, space.back(), lanes, body); });
  forEachPosition(e, space, skip, position, [&] { forEachVector(k, space.back(), lanes, work, body); });
}

} // namespace

void emitReduction(KernelContext &k) { ReductionEmitter(k).run(); }

} // namespace kiln::cpu
