// Kernels with reductions along one axis, fused with what surrounds them. Rows: the reduced axis is the last one and runs
// along the lanes. Columns: another axis is swept in order and the lanes lie along the last one. For each row (or block of
// columns) the reductions run in stages, each stage one loop; values that later stages need again and that are dear to
// compute are kept in scratch. The orders are those of docs/numerics.md.
#include "codegen/cpu/Kernels.h"
#include "codegen/cpu/Pairwise.h"
#include "codegen/cpu/Reducer.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

#include <bit>

using namespace mlir;

namespace kiln::cpu {
namespace {

class ReductionEmitter {
public:
  ReductionEmitter(KernelContext &k) : k(k), e(k.e), ev(k.ev) {}
  void run();

private:
  KernelContext &k;
  Emitter &e;
  Evaluator &ev;
  /// Reductions that run in one loop, and the values that it keeps.
  struct Stage {
    SmallVector<Reducer> reducers;
    SmallVector<Value> keep;
  };
  SmallVector<Stage> stages;
  SmallVector<Index> space; // the shape that is reduced
  size_t axis = 0;
  bool isRow = false;
  int64_t plainLanes = 0, rowLanes = 0; // of the schedule; of the loop under way along a row
  int64_t prefetch = 0;                 // rows ahead, along columns; bytes ahead, along a row that is read for the first time
  bool readsAhead = false;              // the stage under way asks for a row's elements ahead
  DenseMap<Value, Buffer> keptBuffers;

  void readStages(ArrayRef<ir::StageAttr> attributes, bool countsMasks = false);
  void placeKept();
  bool isFull(Value value) { return ir::typeOf(value).shape == spaceType; }
  Shape spaceType;

  void emitStages(Coordinates &position);
  void emitRows(ir::RowsAttr schedule);
  void emitColumns(ir::ColumnsAttr schedule);
  void sweepColumns(ir::ColumnsAttr schedule);
  int64_t sweepLevels();
  void sweepTile(ir::ColumnsAttr schedule, Coordinates &position, Index from, Index to, Value sums);
  void emitStage(ArrayRef<Reducer> stage, ArrayRef<Value> keep, Coordinates &position);
  SmallVector<Value> reduceRange(ArrayRef<Reducer> stage, Index from, Index to, ArrayRef<Value> keep, Coordinates &position);
  void prefetchAt(Coordinates position, int64_t lanes, int64_t ahead);
  void prefetchRow(Coordinates position, Index row);
  void overAxis(Index from, Index to, Coordinates &position, llvm::function_ref<void()> body);
  void emitOutputs(Coordinates &position);
  void storeKept(ArrayRef<Value> keep, ArrayRef<Coordinate> position);

  /// Of the positions in an arg-reduction under way: along lanes the number of the vector is enough, in registers as many as of the
  /// elements.
  DType placeType(const Reducer &r) { return isRow ? r.numberType() : DType::I64; }
  int64_t accumulatorLanes() { return isRow ? rowLanes : ev.lanes; }
  SmallVector<Value> start(const Reducer &r) { return r.start(e, accumulatorLanes(), placeType(r)); }
  SmallVector<Value> step(const Reducer &r, ArrayRef<Value> acc, ArrayRef<Coordinate> position);
  SmallVector<Value> join(const Reducer &r, ArrayRef<Value> a, ArrayRef<Value> b) { return r.join(e, a, b); }
  SmallVector<Value> joinLanes(const Reducer &r, SmallVector<Value> acc);
  Expr expr(Value v, DType t) { return {e.b, e.loc, v, t}; }
  Coordinates without(ArrayRef<Coordinate> position) {
    Coordinates result(position);
    result.erase(result.begin() + int64_t(axis));
    return result;
  }
};

void ReductionEmitter::readStages(ArrayRef<ir::StageAttr> attributes, bool countsMasks) {
  SmallVector<Operation *> ops;
  for (Operation &op : k.kernel.getBody().front()) ops.push_back(&op);
  for (ir::StageAttr attribute : attributes) {
    Stage &stage = stages.emplace_back();
    for (int64_t number : attribute.getReduce()) stage.reducers.push_back(Reducer::of(ops[size_t(number)], countsMasks));
    for (int64_t number : attribute.getKeep()) stage.keep.push_back(ops[size_t(number)]->getResult(0));
  }
  Operation *first = stages[0].reducers[0].op;
  space = shapeOf(k, cast<ir::ArrayOp>(first).getMain());
  auto [type, along] = ir::reducedSpace(first);
  spaceType = type, axis = size_t(along);
  isRow = axis + 1 == space.size();
}

/// Values are kept where they go anyway, or in a row of scratch.
void ReductionEmitter::placeKept() {
  for (Stage &stage : stages)
    for (Value v : stage.keep) {
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
}

SmallVector<Value> ReductionEmitter::step(const Reducer &r, ArrayRef<Value> acc, ArrayRef<Coordinate> position) {
  SmallVector<Value> next = r.step(ev, acc, position, axis, [&] {
    Expr here = expr(e.use(position[axis].base), DType::I64);
    return isRow ? scalar::cast(scalar::shiftRight(here, std::countr_zero(uint64_t(rowLanes))), placeType(r)) : here; // the vector's number
  });
  if (isRow && ev.mask && !r.countsMasks) // lanes behind the end keep what they have
    for (auto [n, old] : llvm::zip(next, acc)) n = arith::SelectOp::create(e.b, e.loc, ev.mask, n, old);
  return next;
}

/// Halves the lanes until one is left: lane i joins lane i + n/2.
SmallVector<Value> ReductionEmitter::joinLanes(const Reducer &r, SmallVector<Value> acc) {
  if (r.countsMasks) return acc;
  if (r.isArg()) { // from numbers of vectors to positions
    Expr number = scalar::cast(expr(acc[1], placeType(r)), DType::I64);
    acc[1] = (number * ir::constant(number, double(rowLanes)) + expr(e.laneNumbers(rowLanes), DType::I64)).value;
  }
  // Halves, down to the smallest register, of which only the first lanes count then.
  constexpr int64_t kSmallest = 16, kAny = vector::ShuffleOp::kPoisonIndex;
  for (int64_t n = rowLanes / 2; n >= 1; n /= 2) {
    SmallVector<int64_t> low, high;
    for (int64_t i = 0; i < n; ++i) low.push_back(i), high.push_back(i + n);
    bool isSmallest = n * byteSize(r.dtype) < kSmallest;
    if (isSmallest) high.resize(size_t(cast<VectorType>(acc[0].getType()).getDimSize(0)), kAny);
    auto part = [&](ArrayRef<int64_t> lanes) {
      return llvm::map_to_vector(acc, [&](Value v) { return Value(vector::ShuffleOp::create(e.b, e.loc, v, v, lanes)); });
    };
    acc = join(r, isSmallest ? acc : part(low), part(high));
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
    prefetchRow(position, e.min(e.add(i, prefetch), e.sub(to, 1)));
    position[axis] = {i, 0, {}};
    body();
  });
}

void ReductionEmitter::storeKept(ArrayRef<Value> keep, ArrayRef<Coordinate> position) {
  for (Value v : keep) ev.storeAt(keptBuffers[v], position, ev.vectorAt(v, position));
}

/// Rows of a matrix lie far from each other for a walk along its columns: the processor does not look ahead.
void ReductionEmitter::prefetchRow(Coordinates position, Index row) {
  if (!prefetch || ev.lanes == 0 || ev.mask) return;
  position[axis] = {row, 0, {}};
  prefetchAt(position, ev.lanes, 0);
}

/// The lines of `lanes` elements of each array of the reduced shape, `ahead` bytes behind a position.
void ReductionEmitter::prefetchAt(Coordinates position, int64_t lanes, int64_t ahead) {
  constexpr int64_t kFar = 512;
  for (auto &[value, buffer] : ev.buffers) {
    if (!isFull(value) || !buffer.strides.back().isConstant(1) || isComplex(buffer.dtype)) continue;
    int64_t bytes = byteSize(buffer.dtype);
    if (!isRow && buffer.strides[axis].isStatic() && buffer.strides[axis].number() * bytes < kFar) continue;
    Value at = e.address(buffer.pointer, buffer.dtype, ev.offsetOf(buffer, position));
    for (int64_t byte = 0; byte < lanes * bytes; byte += kLine)
      LLVM::Prefetch::create(e.b, e.loc, e.address(at, DType::U8, ahead + byte), /*rw=*/0, /*hint=*/3, /*cache=*/1);
  }
}

SmallVector<Value> ReductionEmitter::reduceRange(ArrayRef<Reducer> stage, Index from, Index to, ArrayRef<Value> keep,
                                                 Coordinates &position) {
  SmallVector<Value> acc;
  for (const Reducer &r : stage) acc.append(start(r));
  auto stepAll = [&](Coordinate c, ValueRange old) {
    position[axis] = c;
    SmallVector<Value> next;
    size_t at = 0;
    for (const Reducer &r : stage) {
      SmallVector<Value> mine(old.slice(at, r.width()));
      next.append(step(r, mine, position));
      at += r.width();
    }
    storeKept(keep, position);
    return next;
  };
  int64_t lanes = isRow ? rowLanes : 1;
  Index whole = isRow ? e.add(from, e.floorTo(e.sub(to, from), lanes)) : to;
  acc = e.loop(from, whole, lanes, acc, [&](Index i, ValueRange old) {
    Evaluator::Scope scope(ev, isRow ? rowLanes : ev.lanes, isRow ? Value() : ev.mask);
    position[axis] = {i, 0, {}};
    if (!isRow) prefetchRow(position, e.min(e.add(i, prefetch), e.sub(to, 1)));
    else if (readsAhead) prefetchAt(position, rowLanes, prefetch);
    return stepAll({i, isRow ? 1 : 0, {}}, old);
  });
  if (whole == to) return acc;
  // The rest of a row, in as few lanes as hold it; nothing is left where the mask is empty.
  Index count = e.sub(to, whole);
  bool hasArg = llvm::any_of(stage, [](const Reducer &r) { return r.isArg(); });
  int64_t few = hasArg ? rowLanes : e.restLanes(count, rowLanes);
  Evaluator::Scope scope(ev, few, e.restMask(count, few));
  SmallVector<Value> next = stepAll({whole, 1, {}}, llvm::map_to_vector(acc, [&](Value v) { return e.firstLanes(v, few); }));
  return llvm::map_to_vector(llvm::zip(acc, next), [&](auto pair) { return e.withFirstLanes(std::get<0>(pair), std::get<1>(pair)); });
}

void ReductionEmitter::emitStage(ArrayRef<Reducer> stage, ArrayRef<Value> keep, Coordinates &position) {
  Index n = space[axis];
  bool inBlocks = llvm::any_of(stage, [](const Reducer &r) { return r.isInBlocks(); });
  int64_t block = isRow ? kRowBlock : kColumnBlock;
  rowLanes = inBlocks ? lanesFor(n, kRowLanes) : plainLanes;
  auto finish = [&](SmallVector<Value> acc) {
    if (!isRow) return acc;
    SmallVector<Value> results;
    size_t at = 0;
    for (const Reducer &r : stage) {
      results.append(joinLanes(r, SmallVector<Value>(ArrayRef(acc).slice(at, r.width()))));
      at += r.width();
    }
    return results;
  };
  SmallVector<Value> results;
  auto empty = [&](const Reducer &r, int64_t lanes) { return emptyOf(r.id, e.splat(e.scalar(r.dtype, 0), lanes)).value; };
  auto reduceBlocks = [&] {
    Index blocks = e.ceilDiv(n, block);
    int64_t lanes = isRow ? 0 : ev.lanes;
    SmallVector<PairwiseStack> stacks;
    for (const Reducer &r : stage) stacks.emplace_back(e, r.dtype, lanes);
    e.loop(0, blocks, 1, [&](Index i) {
      Index from = e.mul(i, block);
      auto partial = finish(reduceRange(stage, from, e.min(n, e.add(from, block)), keep, position));
      for (auto [r, stack, value] : llvm::zip(stage, stacks, partial))
        stack.push(i, value, [&, &r = r](Value a, Value b) { return join(r, a, b)[0]; });
    });
    SmallVector<Value> joined;
    for (auto [r, stack] : llvm::zip(stage, stacks))
      joined.push_back(stack.finish(blocks, empty(r, lanes), [&, &r = r](Value a, Value b) { return join(r, a, b)[0]; }));
    return joined;
  };
  // Many results so far in registers pay for a long row alone, as they are joined at its end.
  auto byLength = [&] {
    SmallVector<Type> types;
    for (const Reducer &r : stage) {
      types.push_back(e.registerType(r.dtype));
      if (r.isArg()) types.push_back(e.b.getI64Type());
    }
    Value isLong = arith::CmpIOp::create(e.b, e.loc, arith::CmpIPredicate::uge, e.use(n), e.use(Index(kLongRow * plainLanes)));
    auto branch = scf::IfOp::create(e.b, e.loc, types, isLong, true);
    OpBuilder::InsertionGuard guard(e.b);
    for (auto [block, lanes] : {std::pair(branch.thenBlock(), plainLanes), std::pair(branch.elseBlock(), kRowLanes)}) {
      e.b.setInsertionPointToStart(block);
      rowLanes = lanes;
      scf::YieldOp::create(e.b, e.loc, finish(reduceRange(stage, 0, n, keep, position)));
    }
    return SmallVector<Value>(branch.getResults());
  };
  if (n.isConstant(0)) {
    for (const Reducer &r : stage) results.push_back(empty(r, isRow ? 0 : ev.lanes));
  } else if (!inBlocks && isRow && plainLanes > kRowLanes && !n.isStatic()) {
    results = byLength();
  } else if (!inBlocks || (n.isStatic() && n.number() <= block)) {
    results = finish(reduceRange(stage, 0, n, keep, position));
  } else if (n.isStatic()) {
    results = reduceBlocks();
  } else { // most rows are one block; none is left to the others, whose result over nothing is another than where they start
    SmallVector<Type> types;
    for (const Reducer &r : stage) types.push_back(e.vectorOf(e.registerType(r.dtype), isRow ? 0 : ev.lanes));
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
  for (const Reducer &r : stage) {
    size_t last = at + r.width() - 1; // the position, of an arg-reduction
    ev.remember(r.op->getResult(0), without(position), expr(results[last], r.isArg() ? DType::I64 : r.dtype));
    at += r.width();
  }
}

void ReductionEmitter::emitStages(Coordinates &position) {
  for (Stage &stage : stages) {
    readsAhead = isRow && prefetch && &stage == stages.begin();
    emitStage(stage.reducers, stage.keep, position);
    for (Value v : stage.keep) ev.buffers[v] = keptBuffers[v];
  }
  rowLanes = plainLanes;
  emitOutputs(position);
  for (auto &[value, buffer] : keptBuffers) ev.buffers.erase(value);
}

void ReductionEmitter::emitOutputs(Coordinates &position) {
  SmallVector<std::pair<Value, Buffer *>> full, reduced;
  for (auto [value, buffer] : llvm::zip(k.yield().getValues(), k.outputs)) {
    bool isStored = keptBuffers.contains(value) && keptBuffers[value].pointer == buffer.pointer;
    if (!isStored) (isFull(value) ? full : reduced).push_back({value, &buffer});
  }
  auto storeFull = [&] {
    overAxis(0, space[axis], position, [&] {
      for (auto &[value, buffer] : full) ev.storeAt(*buffer, position, ev.at(value, position));
    });
  };
  if (!full.empty()) k.eitherWay(storeFull);
  // Reduced values lack the axis, or have it with size 1.
  Coordinates at = without(position), unit(position);
  unit[axis] = {};
  auto placeOf = [&](const Buffer &buffer) -> const Coordinates & { return buffer.shape.size() == space.size() ? unit : at; };
  auto found = llvm::map_to_vector(reduced, [&](auto &each) { return ev.at(each.first, placeOf(*each.second)); });
  auto storeReduced = [&] {
    for (auto [each, value] : llvm::zip(reduced, found)) ev.storeAt(*each.second, placeOf(*each.second), value);
  };
  if (ev.lanes && !reduced.empty()) k.eitherWay(storeReduced); // of columns
  else storeReduced();
}

/// The matrix is read row by row, as it lies in memory: the sums of a tile of columns are kept in the cache, and take several rows at a
/// time. The order in each column is that of a walk along it.
void ReductionEmitter::sweepTile(ir::ColumnsAttr schedule, Coordinates &position, Index from, Index to, Value sums) {
  Reducer &r = stages[0].reducers[0];
  size_t last = space.size() - 1;
  int64_t lanes = schedule.getLanes(), rows = schedule.getRows(), width = schedule.getSweep();
  Index n = space[axis], blocks = e.ceilDiv(n, kColumnBlock);
  bool isOneBlock = !r.isInBlocks() || (n.isStatic() && n.number() <= kColumnBlock);
  auto joinTwo = [&](Value a, Value b) { return join(r, a, b)[0]; };
  auto overTile = [&](llvm::function_ref<void(Index)> body) {
    forEachVector(ev, from, to, lanes, [&](Coordinate c) {
      position[last] = c;
      body(e.sub(c.base, from));
    });
  };
  auto load = [&](Index at) { return e.load(sums, r.dtype, at, ev.lanes, ev.mask).value; };
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
  auto stackAt = [&](Index at) { return PairwiseStack(e, r.dtype, ev.lanes, e.address(sums, r.dtype, e.add(at, width)), width); };
  e.loop(0, isOneBlock ? Index(1) : blocks, 1, [&](Index block) {
    Index begin = e.mul(block, kColumnBlock), end = isOneBlock ? n : e.min(n, e.add(begin, kColumnBlock));
    overTile([&](Index at) { store(at, start(r)[0]); });
    Index whole = e.add(begin, e.floorTo(e.sub(end, begin), rows));
    e.loop(begin, whole, rows, [&](Index row) { addRows(row, rows); });
    e.loop(whole, end, 1, [&](Index row) { addRows(row, 1); });
    if (!isOneBlock) overTile([&](Index at) { stackAt(at).push(block, load(at), joinTwo); });
  });
  overTile([&](Index at) {
    Value empty = emptyOf(r.id, e.splat(e.scalar(r.dtype, 0), ev.lanes)).value;
    Value sum = n.isConstant(0) ? empty : isOneBlock ? load(at) : stackAt(at).finish(blocks, empty, joinTwo);
    ev.remember(r.op->getResult(0), without(position), expr(sum, r.dtype));
    emitOutputs(position);
  });
}

/// Blocks of blocks of sums that wait in memory for their like, at the most.
int64_t ReductionEmitter::sweepLevels() {
  constexpr int64_t kMost = 32; // far more than memory holds
  if (!stages[0].reducers[0].isInBlocks()) return 0;
  return space[axis].isStatic() ? int64_t(std::bit_width(uint64_t(space[axis].number() / kColumnBlock + 1))) : kMost;
}

void ReductionEmitter::sweepColumns(ir::ColumnsAttr schedule) {
  int64_t last = int64_t(space.size()) - 1;
  Index columns = space.back();
  if (columns.isConstant(0)) return;
  Value sums = k.scratch(schedule.getSweep() * byteSize(stages[0].reducers[0].dtype) * (1 + sweepLevels()));
  Coordinates position(space.size());
  Index work = e.mul(space[axis], elementCost(k.kernel)), step = schedule.getSweep();
  constexpr int64_t kLeast = 128;
  if (!columns.isStatic())
    step = e.min(step, e.mul(e.ceilDiv(e.ceilDiv(columns, 2), kLeast), kLeast)); // two tiles at least, for two threads
  Sharing sharing{schedule.getParallel(), schedule.getGrain()};
  forEachPosition(k, space, {int64_t(axis), last}, position, sharing, e.mul(work, columns), [&] {
    k.parallelLoop(sharing.along(last), 0, columns, step, e.mul(work, step),
                   [&](Index from) { sweepTile(schedule, position, from, e.min(e.add(from, step), columns), sums); });
  });
}

void ReductionEmitter::emitColumns(ir::ColumnsAttr schedule) {
  int64_t last = int64_t(space.size()) - 1, lanes = schedule.getLanes(), wide = schedule.getWide();
  prefetch = schedule.getPrefetch();
  Coordinates position(space.size());
  Sharing sharing{schedule.getParallel(), schedule.getGrain()};
  Index work = e.mul(space[axis], elementCost(k.kernel)), columns = space.back();
  auto body = [&](Coordinate c) {
    position[size_t(last)] = c;
    emitStages(position);
  };
  // Wide blocks read more of each row before the next.
  forEachPosition(k, space, {int64_t(axis), last}, position, sharing, e.mul(work, columns), [&] {
    auto grain = sharing.along(last);
    Index whole = wide ? e.floorTo(columns, wide) : Index(0);
    if (!whole.isConstant(0)) {
      forEachVector(k, grain, 0, whole, wide, work, body);
      Index rest = e.sub(columns, whole);
      if (rest.isStatic() && rest.number() < 2 * lanes) grain = std::nullopt;
      else if (grain && *grain != ir::kOpenGrain) *grain *= wide / lanes;
    }
    if (!(whole == columns)) forEachVector(k, grain, whole, columns, lanes, work, body);
  });
}

void ReductionEmitter::emitRows(ir::RowsAttr schedule) {
  plainLanes = schedule.getLanes();
  prefetch = schedule.getPrefetch();
  placeKept();
  Coordinates position(space.size());
  Sharing sharing{schedule.getParallel(), schedule.getGrain()};
  forEachPosition(k, space, {int64_t(axis)}, position, sharing, e.mul(space[axis], elementCost(k.kernel)), [&] {
    Evaluator::Scope scope(ev, 0, {});
    emitStages(position);
  });
}

void ReductionEmitter::run() {
  if (auto rows = dyn_cast<ir::RowsAttr>(*k.kernel.getSchedule())) {
    k.stream(rows.getStream());
    readStages(rows.getStages(), rows.getCount());
    return emitRows(rows);
  }
  auto columns = k.schedule<ir::ColumnsAttr>();
  k.stream(columns.getStream());
  readStages(columns.getStages());
  if (columns.getSweep()) sweepColumns(columns);
  else emitColumns(columns);
}

} // namespace

LogicalResult emitReduction(KernelContext &k) {
  ReductionEmitter(k).run();
  return success();
}

} // namespace kiln::cpu
