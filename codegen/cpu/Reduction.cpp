// Kernels with reductions along one axis, fused with what surrounds them. Rows: the reduced axis is the last one and runs
// along the lanes. Columns: another axis is swept in order and the lanes lie along the last one. For each row (or block of
// columns) the reductions run in stages, each stage one loop; values that later stages need again and that are dear to
// compute are kept in scratch. The orders are those of docs/numerics.md.
#include "codegen/cpu/Kernels.h"
#include "codegen/cpu/Pairwise.h"

#include "lib/Core/Assert.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "llvm/ADT/SetVector.h"

using namespace mlir;

namespace kiln::cpu {
namespace {

constexpr int64_t kRowBlock = 8192, kColumnBlock = 1024, kRowLanes = 32;
constexpr int64_t kSweepBytes = 4096, kSweepLevels = 32; // of a tile of column sums; blocks of blocks, far more than memory holds
constexpr int64_t kRowsAhead = 8;                        // that a walk along columns prefetches
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
  void findKept();
  bool isFull(Value value) { return ir::typeOf(value).shape == spaceType; }
  Shape spaceType;

  void emitStages(Coordinates &position);
  int64_t wideLanes();
  bool isPlainSum();
  void sweepColumns();
  void sweepTile(Coordinates &position, Index from, Index to, Value sums);
  void emitStage(ArrayRef<Reducer *> stage, bool inBlocks, ArrayRef<Value> keep, Coordinates &position);
  SmallVector<Value> reduceRange(ArrayRef<Reducer *> stage, Index from, Index to, ArrayRef<Value> keep, Coordinates &position);
  void prefetchRow(Coordinates position, Index row);
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

void ReductionEmitter::findReducers() {
  DenseMap<Operation *, int> levelOf; // how many stages must have run before it can be computed
  for (Operation &op : k.kernel.getBody().front().without_terminator()) {
    int level = 0;
    for (Value v : op.getOperands()) level = std::max(level, levelOf.lookup(v.getDefiningOp()));
    bool isReducer = ir::kernelKindOf(&op) == ir::KernelKind::Reduction;
    levelOf[&op] = level + isReducer;
    if (!isReducer) continue;
    Value operand = cast<ir::ArrayOp>(op).getMain();
    Reducer r{&op, cast<ir::ArrayOp>(op).getId(), ir::typeOf(operand).dtype, level};
    if (reducers.empty()) {
      space = shapeOf(k, operand);
      auto [type, along] = ir::reducedSpace(&op);
      spaceType = type, axis = size_t(along);
      isRow = axis + 1 == space.size();
    }
    levels = std::max(levels, r.level + 1);
    reducers.push_back(r);
  }
}

void ReductionEmitter::findKept() {
  kept.resize(size_t(levels) + 1);
  if (!isRow || !(space[axis].isStatic() || k.isOpen)) return;
  SmallVector<llvm::SetVector<Value>> reached(size_t(levels) + 1);
  auto walk = [&](size_t stage, Value from, const llvm::SetVector<Value> *stop) {
    SmallVector<Value> ahead = {from};
    while (!ahead.empty()) {
      Value v = ahead.pop_back_val();
      Operation *op = v.getDefiningOp();
      if (!op || !isFull(v) || !reached[stage].insert(v) || (stop && stop->contains(v))) continue;
      for (Value operand : llvm::reverse(op->getOperands())) ahead.push_back(operand);
    }
  };
  auto walkAll = [&](const llvm::SetVector<Value> *stop) {
    for (auto &set : reached) set.clear();
    for (Reducer &r : reducers)
      for (Value v : r.op->getOperands()) walk(size_t(r.level), v, stop);
    for (Value v : k.yield().getValues()) walk(size_t(levels), v, stop);
  };
  walkAll(nullptr);
  llvm::SetVector<Value> dear;
  auto stages = [&](Value v) { return llvm::count_if(reached, [&](auto &set) { return set.contains(v); }); };
  for (auto &set : reached)
    for (Value v : set)
      if (v.getDefiningOp<ir::ArrayOp>().getCost() >= kDearCost && stages(v) > 1) dear.insert(v);
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
    Value x = r.op->getOperand(0), y = r.op->getOperand(1), matrix = cast<ir::ArrayOp>(r.op).getMain();
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
    prefetchRow(position, e.min(e.add(i, kRowsAhead), e.sub(to, 1)));
    position[axis] = {i, 0, {}};
    body();
  });
}

void ReductionEmitter::storeKept(ArrayRef<Value> keep, ArrayRef<Coordinate> position) {
  for (Value v : keep) ev.storeAt(keptBuffers[v], position, ev.vectorAt(v, position));
}

/// Rows of a matrix lie far from each other for a walk along its columns: the processor does not look ahead.
void ReductionEmitter::prefetchRow(Coordinates position, Index row) {
  constexpr int64_t kFar = 512, kLine = 64;
  if (ev.lanes == 0 || ev.mask) return;
  position[axis] = {row, 0, {}};
  for (auto &[value, buffer] : ev.buffers) {
    if (!isFull(value) || !buffer.strides.back().isConstant(1) || isComplex(buffer.dtype)) continue;
    int64_t bytes = byteSize(buffer.dtype);
    if (buffer.strides[axis].isStatic() && buffer.strides[axis].number * bytes < kFar) continue;
    Value at = e.address(buffer.pointer, buffer.dtype, ev.offsetOf(buffer, position));
    for (int64_t byte = 0; byte < ev.lanes * bytes; byte += kLine)
      LLVM::Prefetch::create(e.b, e.loc, e.address(at, DType::U8, byte), /*rw=*/0, /*hint=*/3, /*cache=*/1);
  }
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
    if (!isRow) prefetchRow(position, e.min(e.add(i, kRowsAhead), e.sub(to, 1)));
    return stepAll({i, isRow ? 1 : 0, {}}, old);
  });
  if (whole == to) return acc;
  // The rest of a row, masked; nothing is left where the mask is empty.
  Evaluator::Scope scope(ev, rowLanes, e.maskBelow(e.sub(to, whole), rowLanes));
  return stepAll({whole, 1, {}}, acc);
}

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
  auto reduceBlocks = [&] {
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
    SmallVector<Value> joined;
    for (auto [r, stack] : llvm::zip(stage, stacks))
      joined.push_back(stack.finish(blocks, empty(*r, lanes), [&, r = r](Value a, Value b) { return join(*r, a, b)[0]; }));
    return joined;
  };
  if (n.isConstant(0)) {
    for (Reducer *r : stage) results.push_back(empty(*r, isRow ? 0 : ev.lanes));
  } else if (!inBlocks || (n.isStatic() && n.number <= block)) {
    results = finish(reduceRange(stage, 0, n, keep, position));
  } else if (n.isStatic()) {
    results = reduceBlocks();
  } else { // most rows are one block; none is left to the others, whose result over nothing is another than where they start
    SmallVector<Type> types;
    for (Reducer *r : stage) types.push_back(e.vectorOf(e.registerType(r->dtype), isRow ? 0 : ev.lanes));
    Value isOne = arith::CmpIOp::create(e.b, e.loc, arith::CmpIPredicate::ult, e.use(e.sub(n, 1)), e.use(block));
    auto branch = scf::IfOp::create(e.b, e.loc, types, isOne, true);
    OpBuilder::InsertionGuard guard(e.b);
    e.b.setInsertionPointToStart(branch.thenBlock());
    scf::YieldOp::create(e.b, e.loc, finish(reduceRange(stage, 0, n, keep, position)));
    e.b.setInsertionPointToStart(branch.elseBlock());
    scf::YieldOp::create(e.b, e.loc, reduceBlocks());
    results = branch.getResults();
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

/// Lanes that eight registers hold, where a few plain sums and the like leave the others free.
int64_t ReductionEmitter::wideLanes() {
  constexpr size_t kFew = 2;
  int64_t bytes = 4;
  for (Reducer &r : reducers) {
    if (r.isArg() || isComplex(r.dtype) || reducers.size() > kFew) return 0;
    bytes = std::max(bytes, byteSize(r.dtype));
  }
  return 8 * k.target.vectorBytes / bytes / int64_t(reducers.size());
}

/// One sum (or maximum, ...) of columns, and what follows from it alone.
bool ReductionEmitter::isPlainSum() {
  return reducers.size() == 1 && !reducers[0].isArg() && !reducers[0].isDot() && !isComplex(reducers[0].dtype) &&
         llvm::none_of(k.yield().getValues(), [&](Value v) { return isFull(v); });
}

/// The matrix is read row by row, as it lies in memory: the sums of a tile of columns are kept in the cache, and take several rows at a
/// time. The order in each column is that of a walk along it.
void ReductionEmitter::sweepTile(Coordinates &position, Index from, Index to, Value sums) {
  constexpr int64_t kRows = 8;
  Reducer &r = reducers[0];
  size_t last = space.size() - 1;
  int64_t lanes = preferredLanes(k), width = kSweepBytes / byteSize(r.dtype);
  Index n = space[axis], blocks = e.ceilDiv(n, kColumnBlock);
  bool isOneBlock = !r.isBlocked() || (n.isStatic() && n.number <= kColumnBlock);
  auto joinTwo = [&](Value a, Value b) { return join(r, a, b)[0]; };
  auto overTile = [&](llvm::function_ref<void(Index)> body) {
    forEachVector(ev, from, to, lanes, [&](Coordinate c) {
      position[last] = c;
      body(e.sub(c.base, from));
    });
  };
  auto load = [&](Index at) { return e.load(sums, r.dtype, at, lanes, ev.mask).value; };
  auto store = [&](Index at, Value value) { e.store(sums, at, expr(value, r.dtype), ev.mask); };
  auto addRows = [&](Index row, int64_t count) {
    overTile([&](Index at) {
      SmallVector<Value> sum = {load(at)};
      for (int64_t i = 0; i < count; ++i) {
        position[axis] = {e.add(row, i), 0, {}};
        sum = step(r, sum, position);
      }
      store(at, sum[0]);
    });
  };
  auto stackAt = [&](Index at) { return PairwiseStack(e, r.dtype, lanes, e.address(sums, r.dtype, e.add(at, width)), width); };
  e.loop(0, isOneBlock ? Index(1) : blocks, 1, [&](Index block) {
    Index begin = e.mul(block, kColumnBlock), end = isOneBlock ? n : e.min(n, e.add(begin, kColumnBlock));
    overTile([&](Index at) { store(at, start(r)[0]); });
    Index whole = e.add(begin, e.floorTo(e.sub(end, begin), kRows));
    e.loop(begin, whole, kRows, [&](Index row) { addRows(row, kRows); });
    e.loop(whole, end, 1, [&](Index row) { addRows(row, 1); });
    if (!isOneBlock) overTile([&](Index at) { stackAt(at).push(block, load(at), joinTwo); });
  });
  overTile([&](Index at) {
    Value empty = emptyOf(r.id, e.splat(e.scalar(r.dtype, 0), lanes)).value;
    Value sum = n.isConstant(0) ? empty : isOneBlock ? load(at) : stackAt(at).finish(blocks, empty, joinTwo);
    ev.remember(r.op->getResult(0), without(position), expr(sum, r.dtype));
    emitOutputs(position);
  });
}

void ReductionEmitter::sweepColumns() {
  size_t last = space.size() - 1;
  if (space[last].isStatic() && space[last].number == 0) return; // no columns
  int64_t bytes = byteSize(reducers[0].dtype), width = kSweepBytes / bytes;
  Value sums = k.scratch(kSweepBytes * (1 + kSweepLevels));
  Coordinates position(space.size());
  Index work = e.mul(space[axis], k.elementCost());
  SmallVector<int64_t> skip = {int64_t(axis), int64_t(last)};
  constexpr int64_t kLeast = 128;
  Index step = e.min(width, e.mul(e.ceilDiv(e.ceilDiv(space[last], 2), kLeast), kLeast)); // two tiles at least, for two threads
  auto tile = [&](Index from) { sweepTile(position, from, e.min(e.add(from, step), space[last]), sums); };
  bool isOuter = llvm::all_of(space, [](Index n) { return n.isStatic(); }) && hasOuterLoop(space, skip);
  if (isOuter) return forEachPosition(k, space, skip, position, e.mul(work, space[last]), [&] { e.loop(0, space[last], step, tile); });
  forEachPosition(e, space, skip, position, [&] { k.parallelLoop(0, space[last], step, e.mul(work, step), tile); });
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
  int64_t lanes = preferredLanes(k), wide = wideLanes();
  bool isNarrow = space.back().isStatic() && space.back().number <= std::max(lanes, wide);
  if (isNarrow) lanes = lanesFor(space.back(), std::max(lanes, wide)); // one block
  auto body = [&](Coordinate c) {
    position[size_t(last)] = c;
    emitStages(position);
  };
  if (isPlainSum()) return sweepColumns();
  // Wide blocks read more of each row before the next.
  auto columns = [&](llvm::function_ref<void(Index, Index, int64_t)> loop) {
    Index whole = wide > lanes ? e.floorTo(space.back(), wide) : Index(0);
    if (!whole.isConstant(0)) loop(0, whole, wide);
    if (!(whole == space.back())) loop(whole, space.back(), lanes);
  };
  SmallVector<int64_t> skip = {int64_t(axis), last};
  Index work = e.mul(space[axis], k.elementCost());
  bool isOuter = llvm::all_of(space, [](Index n) { return n.isStatic(); }) && hasOuterLoop(space, skip);
  if (isOuter)
    return forEachPosition(k, space, skip, position, e.mul(work, space.back()),
                           [&] { columns([&](Index from, Index to, int64_t width) { forEachVector(ev, from, to, width, body); }); });
  forEachPosition(e, space, skip, position,
                  [&] { columns([&](Index from, Index to, int64_t width) { forEachVector(k, from, to, width, work, body); }); });
}

} // namespace

void emitReduction(KernelContext &k) { ReductionEmitter(k).run(); }

} // namespace kiln::cpu
