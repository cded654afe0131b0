// Sorts: parts of lines in shared memory, and launches that merge them. What is sorted are keys (SortKey.h) with the places that elements
// had, so that equal elements stay in their order.
#include "codegen/cpu/SortKey.h"
#include "codegen/nvptx/Kernels.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;

namespace kiln::nvptx {
namespace {

class SortEmitter {
public:
  SortEmitter(GpuKernel &k, ir::MergeSortAttr schedule)
      : k(k), e(k.e), op(cast<ir::ArrayOp>(k.yielded()[0].getDefiningOp())), threads(schedule.getThreads()), part(schedule.getPart()),
        axis(size_t(op.getAlong()[0])), outer(k.shapeOf(k.outputs[0])), size(outer[axis]) {
    auto sort = dyn_cast<ir::SortOp>(*op);
    isDescending = sort ? sort.getDescending() : cast<ir::ArgsortOp>(*op).getDescending();
    keyType = DType(int(scalar::integerOf(ir::typeOf(op.getMain()).dtype)) + int(DType::U8) - int(DType::I8));
    outer[axis] = 1;
    lines = product(outer), parts = ceilDiv(size, part);
  }

  void run() {
    k.launches = 1 + int64_t(llvm::Log2_64_Ceil(uint64_t(std::max<int64_t>(parts, 1))));
    if (!size || !lines) return;
    k.threads = threads, k.blocks = lines * parts;
    if (k.launches > 1)
      for (Pairs &pairs : results) pairs = {k.scratch(lines * size * byteSize(keyType)), k.scratch(lines * size * kPlaceBytes)};
    local = {k.shared(part * byteSize(keyType)), k.shared(part * kPlaceBytes)};
    Coordinates at;
    k.place(at, k.block(), {lines, parts});
    k.place(position, at[0].base, outer, int64_t(axis));
    line = e.mul(at[0].base, size);
    if (k.launch == 0) sortPart(e.mul(at[1].base, part));
    else mergeTile(at[1].base, part << (k.launch - 1));
  }

private:
  static constexpr int64_t kPlaceBytes = 4;
  struct Pairs {
    Value keys, places;
  };
  struct Pair {
    Expr key, place;
  };
  GpuKernel &k;
  Emitter &e;
  ir::ArrayOp op;
  int64_t threads, part;
  size_t axis;
  SmallVector<int64_t, 4> outer;
  int64_t size, lines = 0, parts = 0; // of a line; how many; of a line
  bool isDescending;
  DType keyType;
  Pairs results[2], local; // in turn of launches; of the block
  Coordinates position;
  Index line; // where the line starts in scratch memory

  Pair load(const Pairs &from, Index at) { return {e.load(from.keys, keyType, at, 0), e.load(from.places, DType::I32, at, 0)}; }
  void store(const Pairs &to, Index at, const Pair &pair) {
    e.store(to.keys, at, pair.key);
    e.store(to.places, at, pair.place);
  }
  Expr number(Index i) { return Expr(e.b, e.loc, e.use(i), DType::I64); }
  Value both(Value x, Value y) { return arith::AndIOp::create(e.b, e.loc, x, y); }
  template <typename Op> Index bits(Index x, Index y) { return Index(Op::create(e.b, e.loc, e.use(x), e.use(y)).getResult()); }

  /// What a thread does for each element of the part.
  void forEach(llvm::function_ref<void(Index)> body) {
    for (int64_t i = 0; i < part; i += threads) {
      Evaluator::Scope scope(k.ev, 0, {});
      body(e.add(k.thread(), i));
    }
  }

  /// To the result, or the scratch memory of the next launch.
  void put(Index at, const Pair &pair) {
    if (k.launch + 1 < k.launches) return store(results[k.launch % 2], e.add(line, at), pair);
    Expr place = scalar::cast(pair.place, DType::I64), value = place;
    if (isa<ir::SortOp>(*op)) {
      position[axis] = {Index(place.value), 0, {}};
      value = k.ev.at(op.getMain(), position);
    }
    position[axis] = {at, 0, {}};
    k.ev.storeAt(k.outputs[0], position, value);
  }

  void sortPart(Index from) {
    // Behind the end come keys as large as any, from later places.
    forEach([&](Index i) {
      Index at = e.add(from, i);
      Expr place = scalar::cast(number(at), DType::I32), most = ir::bits(place, keyType, ~uint64_t(0) >> (64 - 8 * byteSize(keyType)));
      auto keyAt = [&] {
        position[axis] = {at, 0, {}};
        return cpu::sortKey(k.ev.at(op.getMain(), position), isDescending);
      };
      if (size % part == 0) return store(local, i, {keyAt(), place});
      auto branch = scf::IfOp::create(e.b, e.loc, TypeRange{e.registerType(keyType)}, e.lessThan(at, size), true);
      {
        OpBuilder::InsertionGuard guard(e.b);
        e.b.setInsertionPointToStart(branch.elseBlock());
        scf::YieldOp::create(e.b, e.loc, most.value);
        e.b.setInsertionPointToStart(branch.thenBlock());
        Evaluator::Scope scope(k.ev, 0, {});
        scf::YieldOp::create(e.b, e.loc, keyAt().value);
      }
      store(local, i, {Expr(e.b, e.loc, branch.getResult(0), keyType), place});
    });
    sortLocal();
    forEach([&](Index i) {
      Index at = e.add(from, i);
      k.when(size % part ? e.lessThan(at, size) : Value(), [&] { put(at, load(local, i)); });
    });
  }

  /// A bitonic network: sequences that rise and fall in turn are merged into twice as long ones, by comparing what is ever nearer.
  void sortLocal() {
    k.barrier();
    int64_t levels = int64_t(llvm::Log2_64(uint64_t(part)));
    e.loop(1, levels + 1, 1, [&](Index level) {
      e.loop(0, level, 1, [&](Index step) {
        Index shift = e.sub(e.sub(level, 1), step);
        for (int64_t i = 0; i < part / 2; i += threads) compare(e.add(k.thread(), i), level, shift);
        k.barrier();
      });
    });
  }

  void compare(Index number, Index level, Index shift) {
    Index distance = bits<arith::ShLIOp>(1, shift), above = bits<arith::ShRUIOp>(number, shift);
    Index low = e.add(bits<arith::ShLIOp>(above, e.add(shift, 1)), bits<arith::AndIOp>(number, e.sub(distance, 1)));
    Index high = e.add(low, distance);
    Pair x = load(local, low), y = load(local, high);
    Expr isGreater =
        scalar::bitwise_or(scalar::less(y.key, x.key), scalar::bitwise_and(scalar::equal(x.key, y.key), scalar::less(y.place, x.place)));
    Value falls = e.lessThan(0, bits<arith::AndIOp>(bits<arith::ShRUIOp>(low, level), 1));
    k.when(arith::XOrIOp::create(e.b, e.loc, isGreater.value, falls), [&] {
      store(local, low, y);
      store(local, high, x);
    });
  }

  /// As many results of two sorted runs as a part has: the elements that they come from go to shared memory, and each finds how many of the
  /// other run come before it.
  void mergeTile(Index tile, int64_t run) {
    const Pairs &from = results[(k.launch + 1) % 2];
    int64_t tiles = 2 * run / part;
    Index pair = e.mul(k.quotient(tile, tiles), 2 * run), begin = e.mul(k.remainder(tile, tiles), part);
    Index left = e.min(run, e.sub(size, pair)), all = e.min(2 * run, e.sub(size, pair));
    Index end = e.min(e.add(begin, part), all), first = e.add(line, pair), second = e.add(first, run);
    auto [a, aEnd] = splits(from.keys, first, second, left, e.sub(all, left), begin, end);
    Index fromLeft = e.sub(aEnd, a), b = e.sub(begin, a), count = e.sub(end, begin);
    forEach([&](Index i) {
      k.when(e.lessThan(i, count), [&] {
        Value isLeft = e.lessThan(i, fromLeft);
        Index x = e.add(e.add(first, a), i), y = e.add(e.add(second, b), e.sub(i, fromLeft));
        store(local, i, load(from, Index(arith::SelectOp::create(e.b, e.loc, isLeft, e.use(x), e.use(y)).getResult())));
      });
    });
    k.barrier();
    forEach([&](Index i) {
      k.when(e.lessThan(i, count), [&] { put(e.add(e.add(pair, begin), rankOf(i, fromLeft, count)), load(local, i)); });
    });
  }

  /// while (low < high) by halves: the first place for which `isBehind` holds.
  Index search(Index low, Index high, llvm::function_ref<Value(Index)> isBehind) {
    Type i64 = e.b.getI64Type();
    auto loop = scf::WhileOp::create(
        e.b, e.loc, TypeRange{i64, i64}, ValueRange{e.use(low), e.use(high)},
        [&](OpBuilder &, Location, ValueRange args) {
          scf::ConditionOp::create(e.b, e.loc, e.lessThan(Index(args[0]), Index(args[1])), args);
        },
        [&](OpBuilder &, Location, ValueRange args) {
          Index middle = bits<arith::ShRUIOp>(e.add(Index(args[0]), Index(args[1])), 1);
          Value behind = isBehind(middle);
          Value next = arith::SelectOp::create(e.b, e.loc, behind, args[0], e.use(e.add(middle, 1)));
          Value end = arith::SelectOp::create(e.b, e.loc, behind, e.use(middle), args[1]);
          scf::YieldOp::create(e.b, e.loc, ValueRange{next, end});
        });
    return Index(loop.getResult(0));
  }

  /// How many of the first `begin` and `end` results are from the left run: two threads search.
  std::pair<Index, Index> splits(Value keys, Index first, Index second, Index left, Index right, Index begin, Index end) {
    Value memory = k.shared(2 * byteSize(DType::I64));
    k.when(e.lessThan(k.thread(), 2), [&] {
      Value isFirst = e.lessThan(k.thread(), 1);
      Index results = Index(arith::SelectOp::create(e.b, e.loc, isFirst, e.use(begin), e.use(end)).getResult());
      Index least = Index(arith::MaxSIOp::create(e.b, e.loc, e.use(0), e.use(e.sub(results, right))).getResult());
      Index found = search(least, e.min(results, left), [&](Index middle) {
        Expr x = e.load(keys, keyType, e.add(first, middle), 0);
        Expr y = e.load(keys, keyType, e.add(second, e.sub(e.sub(results, 1), middle)), 0);
        return scalar::less(y, x).value;
      });
      e.store(memory, k.thread(), number(found));
    });
    k.barrier();
    auto at = [&](int64_t i) { return Index(e.load(memory, DType::I64, i, 0).value); };
    return {at(0), at(1)};
  }

  /// Equal elements of the left run come first.
  Index rankOf(Index i, Index fromLeft, Index count) {
    Expr key = e.load(local.keys, keyType, i, 0);
    Value isLeft = e.lessThan(i, fromLeft);
    auto either = [&](Index x, Index y) { return Index(arith::SelectOp::create(e.b, e.loc, isLeft, e.use(x), e.use(y)).getResult()); };
    Index found = search(either(fromLeft, 0), either(count, fromLeft), [&](Index middle) {
      Expr other = e.load(local.keys, keyType, middle, 0);
      Value notLess = scalar::bitwise_invert(scalar::less(other, key)).value;
      return arith::SelectOp::create(e.b, e.loc, isLeft, notLess, scalar::less(key, other).value).getResult();
    });
    // Of the own run those before it, of the other those that were found.
    return e.add(e.sub(i, fromLeft), found);
  }
};

/// Each element by the number of those that come before it, which a thread counts.
void emitCounts(GpuKernel &k, int64_t threads) {
  auto op = cast<ir::ArrayOp>(k.yielded()[0].getDefiningOp());
  auto sort = dyn_cast<ir::SortOp>(*op);
  bool isDescending = sort ? sort.getDescending() : cast<ir::ArgsortOp>(*op).getDescending();
  size_t axis = size_t(op.getAlong()[0]);
  Emitter &e = k.e;
  auto shape = k.shapeOf(k.outputs[0]);
  forEachPosition(k, threads, shape, [&](Coordinates &position) {
    Expr x = k.ev.at(op.getMain(), position), mine = cpu::sortKey(x, isDescending);
    Expr here(e.b, e.loc, e.use(position[axis].base), DType::I64);
    Coordinates other(position);
    Value before = e.loop(0, shape[axis], 1, ValueRange{e.use(0)}, [&](Index i, ValueRange carried) {
      Evaluator::Scope scope(k.ev, 0, {});
      other[axis] = {i, 0, {}};
      Expr key = cpu::sortKey(k.ev.at(op.getMain(), other), isDescending), there(e.b, e.loc, e.use(i), DType::I64);
      Expr isEarlier = scalar::bitwise_and(scalar::equal(key, mine), scalar::less(there, here));
      Expr comes = scalar::bitwise_or(scalar::less(key, mine), isEarlier);
      return SmallVector<Value>{(here.with(carried[0]) + scalar::cast(comes, DType::I64)).value};
    })[0];
    position[axis] = {Index(before), 0, {}};
    k.ev.storeAt(k.outputs[0], position, sort ? x : here);
  });
}

} // namespace

void emitSort(GpuKernel &k) {
  if (auto merges = dyn_cast<ir::MergeSortAttr>(*k.kernel.getSchedule())) return SortEmitter(k, merges).run();
  emitCounts(k, k.schedule<ir::GridAttr>().getThreads());
}

} // namespace kiln::nvptx
