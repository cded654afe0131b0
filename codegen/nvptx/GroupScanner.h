// Scans of lines whose elements may be joined in any groups of neighbours. A warp has neighbouring elements in its threads, and `each`
// times so many; what comes before it, it finds in shared memory, and what comes before its part of the line in what other launches have
// left.
#pragma once

#include "codegen/nvptx/Kernels.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

namespace kiln::nvptx {

class GroupScanner {
public:
  using Join = llvm::function_ref<Value(Value before, Value x)>;
  using Load = llvm::function_ref<Value(Index line, Index at)>; // of an element
  using Put = llvm::function_ref<void(Index line, Index at, Value joined)>;

  GroupScanner(GpuKernel &k, DType dtype, Index lines, Index size, ir::ScanGroupsAttr schedule, Join next)
      : k(k), e(k.e), dtype(dtype), lines(lines), size(size), threads(schedule.getThreads()), each(schedule.getEach()),
        rows(schedule.getLines()), part(threads * each), parts(k.e.ceilDiv(size, part)), next(next) {}

  int64_t launches() const { return isAtMost(parts, 1) ? 1 : 3; }

  /// Launch `number` of them, of which the last has the results.
  void emit(int64_t number, Load load, Put put) {
    bool isLast = number + 1 == launches();
    Index all = e.mul(lines, parts);
    if (launches() > 1) totals = k.scratch(e.mul(all, byteSize(dtype))), before = k.scratch(e.mul(all, byteSize(dtype)));
    if (!isLast && number == 1) return scanTotals();
    k.threads = threads * rows, k.blocks = e.ceilDiv(all, rows);
    thread = k.remainder(k.thread(), threads);
    Index group = rows == 1 ? k.block() : e.add(e.mul(k.block(), rows), k.quotient(k.thread(), threads));
    k.when(isMultiple(all, rows) ? Value() : e.lessThan(group, all), [&] {
      Coordinates at;
      k.place(at, group, {lines, parts});
      scanPart(group, at[0].base, at[1].base, load, isLast ? put : Put());
    });
  }

  /// What `load` gives, and anything where the condition does not hold. Then an element that is there anyway is read, but where another
  /// thread may be writing it.
  static Value loadWhere(GpuKernel &k, DType dtype, Value condition, Index at, Index there, llvm::function_ref<Value(Index)> load) {
    Emitter &e = k.e;
    if (!condition) return load(at);
    if (!k.placedWithResult) return load(Index(mlir::arith::SelectOp::create(e.b, e.loc, condition, e.use(at), e.use(there)).getResult()));
    auto branch = mlir::scf::IfOp::create(e.b, e.loc, mlir::TypeRange{e.registerType(dtype)}, condition, true);
    mlir::OpBuilder::InsertionGuard guard(e.b);
    e.b.setInsertionPointToStart(branch.elseBlock());
    mlir::scf::YieldOp::create(e.b, e.loc, e.scalar(dtype, 0).value);
    e.b.setInsertionPointToStart(branch.thenBlock());
    Evaluator::Scope scope(k.ev, 0, {});
    mlir::scf::YieldOp::create(e.b, e.loc, load(at));
    return branch.getResult(0);
  }

private:
  GpuKernel &k;
  Emitter &e;
  DType dtype;
  Index lines, size;                 // how many; of a line
  int64_t threads, each, rows, part; // of a part; of a thread; lines of a block; elements
  Index parts;                       // of a line
  Join next;
  Value totals, before; // of parts
  Index thread;
  struct Scanned {
    llvm::SmallVector<Value> values;
    Value total;
  };

  Expr expr(Value v) { return Expr(e.b, e.loc, v, dtype); }
  Value either(Value condition, Value yes, Value no) { return mlir::arith::SelectOp::create(e.b, e.loc, condition, yes, no); }

  void scanPart(Index group, Index line, Index number, Load load, Put put) {
    Index from = e.mul(number, part);
    Scanned scanned = scan([&](Index i) {
      Index at = e.add(from, i);
      Value isInside = isMultiple(size, part) ? Value() : e.lessThan(at, size);
      return loadWhere(k, dtype, isInside, at, from, [&](Index there) { return load(line, there); });
    });
    if (!put) return k.when(e.lessThan(thread, 1), [&] { e.store(totals, group, expr(scanned.total)); });
    if (launches() > 1) {
      Value isFirst = e.lessThan(number, 1);
      Index there = Index(either(isFirst, e.use(group), e.use(e.sub(group, 1))));
      Value prefix = e.load(before, dtype, there, 0).value;
      for (Value &v : scanned.values) v = either(isFirst, v, next(prefix, v));
    }
    for (auto [r, v] : llvm::enumerate(scanned.values)) {
      Index at = e.add(from, placeOf(int64_t(r)));
      k.when(isMultiple(size, part) ? Value() : e.lessThan(at, size), [&, v = v] { put(line, at, v); });
    }
  }

  /// Of a round of a thread in its part.
  Index placeOf(int64_t round) {
    return e.add(e.add(e.mul(k.quotient(thread, kWarp), kWarp * each), k.remainder(thread, kWarp)), round * kWarp);
  }

  Value acrossLanes(Value v, Index lane) {
    for (int64_t d = 1; d < kWarp; d *= 2) v = either(e.lessThan(lane, d), v, next(k.fromLane(v, d, mlir::gpu::ShuffleMode::UP), v));
    return v;
  }

  Scanned scan(llvm::function_ref<Value(Index)> load) {
    Index lane = k.remainder(thread, kWarp), warp = k.quotient(thread, kWarp);
    Scanned s;
    for (int64_t r = 0; r < each; ++r) s.values.push_back(load(placeOf(r)));
    for (Value &v : s.values) {
      v = acrossLanes(v, lane);
      if (s.total) v = next(s.total, v);
      s.total = k.fromLane(v, kWarp - 1, mlir::gpu::ShuffleMode::IDX);
    }
    int64_t warps = threads / kWarp;
    if (warps == 1) return s;
    Value mine = k.shared(warps * byteSize(dtype)), joined = k.shared(warps * byteSize(dtype));
    k.when(e.lessThan(lane, 1), [&] { e.store(mine, warp, expr(s.total)); });
    k.barrier();
    k.when(e.lessThan(warp, 1), [&] {
      Value v = acrossLanes(e.load(mine, dtype, e.min(lane, warps - 1), 0).value, lane);
      k.when(e.lessThan(lane, warps), [&] { e.store(joined, lane, expr(v)); });
    });
    k.barrier();
    Value isFirst = e.lessThan(warp, 1);
    Value prefix = e.load(joined, dtype, Index(either(isFirst, e.use(0), e.use(e.sub(warp, 1)))), 0).value;
    for (Value &v : s.values) v = either(isFirst, v, next(prefix, v));
    s.total = e.load(joined, dtype, warps - 1, 0).value;
    return s;
  }

  /// A block a line goes along its parts.
  void scanTotals() {
    k.threads = threads, k.blocks = lines;
    thread = k.thread();
    Index row = e.mul(k.block(), parts);
    e.loop(0, parts, part, mlir::ValueRange{e.scalar(dtype, 0).value}, [&](Index from, mlir::ValueRange carried) {
      Evaluator::Scope scope(k.ev, 0, {});
      Value isFirst = e.lessThan(from, 1);
      auto at = [&](Index i) { return e.add(row, e.min(e.add(from, i), e.sub(parts, 1))); };
      Scanned s = scan([&](Index i) { return e.load(totals, dtype, at(i), 0).value; });
      auto behind = [&](Value v) { return either(isFirst, v, next(carried[0], v)); };
      for (auto [r, v] : llvm::enumerate(s.values)) {
        Index i = e.add(from, placeOf(int64_t(r)));
        k.when(e.lessThan(i, parts), [&, v = v] { e.store(before, e.add(row, i), expr(behind(v))); });
      }
      k.barrier();
      return llvm::SmallVector<Value>{behind(s.total)};
    });
  }
};

} // namespace kiln::nvptx
