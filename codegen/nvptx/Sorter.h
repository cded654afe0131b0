// Lines of keys that launches sort, each with the place that its element had, so that equal ones stay in their order: parts of lines in
// shared memory, and then merges.
#pragma once

#include "codegen/nvptx/Kernels.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "llvm/Support/MathExtras.h"

namespace kiln::nvptx {

class Sorter {
public:
  struct Pair {
    Expr key, place;
  };
  using KeyAt = llvm::function_ref<Expr(Index line, Index at)>;
  using Put = llvm::function_ref<void(Index line, Index at, const Pair &pair)>;

  /// The size of a line says how many launches there are: it must be known.
  Sorter(GpuKernel &k, DType keyType, Index lines, Index size, ir::MergeSortAttr schedule)
      : k(k), e(k.e), keyType(keyType), lines(lines), size(size), threads(schedule.getThreads()), part(schedule.getPart()),
        parts(ceilDiv(size.number(), part)) {}

  int64_t launches() const { return 1 + int64_t(llvm::Log2_64_Ceil(uint64_t(std::max<int64_t>(parts, 1)))); }

  /// Launch `number` of them. The last one puts the pairs where they belong; those before it, into scratch memory.
  void emit(int64_t number, KeyAt keyAt, Put put) {
    launch = number;
    k.threads = threads, k.blocks = e.mul(lines, parts);
    Index all = e.mul(lines, size);
    if (launches() > 1)
      for (Pairs &pairs : results) pairs = {k.scratch(e.mul(all, byteSize(keyType))), k.scratch(e.mul(all, kPlaceBytes))};
    local = {k.shared(part * byteSize(keyType)), k.shared(part * kPlaceBytes)};
    Coordinates at;
    k.place(at, k.block(), {lines, parts});
    line = at[0].base, lineStart = e.mul(line, size);
    auto putHere = [&](Index at, const Pair &pair) {
      if (launch + 1 < launches()) store(results[launch % 2], e.add(lineStart, at), pair);
      else put(line, at, pair);
    };
    if (launch == 0) sortPart(e.mul(at[1].base, part), keyAt, putHere);
    else mergeTile(at[1].base, part << (launch - 1), putHere);
  }

private:
  static constexpr int64_t kPlaceBytes = 4;
  struct Pairs {
    Value keys, places;
  };
  using PutHere = llvm::function_ref<void(Index at, const Pair &pair)>;
  GpuKernel &k;
  Emitter &e;
  DType keyType;
  Index lines, size;            // how many; of a line
  int64_t threads, part, parts; // of a block; elements of a part; of a line
  int64_t launch = 0;
  Pairs results[2], local; // in turn of launches; of the block
  Index line, lineStart;   // of the block; in scratch memory

  Pair load(const Pairs &from, Index at) { return {e.load(from.keys, keyType, at, 0), e.load(from.places, DType::I32, at, 0)}; }
  void store(const Pairs &to, Index at, const Pair &pair) {
    e.store(to.keys, at, pair.key);
    e.store(to.places, at, pair.place);
  }
  Expr number(Index i) { return Expr(e.b, e.loc, e.use(i), DType::I64); }
  Value both(Value x, Value y) { return mlir::arith::AndIOp::create(e.b, e.loc, x, y); }
  template <typename Op> Index bits(Index x, Index y) { return Index(Op::create(e.b, e.loc, e.use(x), e.use(y)).getResult()); }

  /// What a thread does for each element of the part.
  void forEach(llvm::function_ref<void(Index)> body) {
    for (int64_t i = 0; i < part; i += threads) {
      Evaluator::Scope scope(k.ev, 0, {});
      body(e.add(k.thread(), i));
    }
  }

  void sortPart(Index from, KeyAt keyAt, PutHere put) {
    // Behind the end come keys as large as any, from later places.
    forEach([&](Index i) {
      Index at = e.add(from, i);
      Expr place = scalar::cast(number(at), DType::I32), most = ir::bits(place, keyType, ~uint64_t(0) >> (64 - 8 * byteSize(keyType)));
      if (isMultiple(size, part)) return store(local, i, {keyAt(line, at), place});
      auto branch = mlir::scf::IfOp::create(e.b, e.loc, mlir::TypeRange{e.registerType(keyType)}, e.lessThan(at, size), true);
      {
        mlir::OpBuilder::InsertionGuard guard(e.b);
        e.b.setInsertionPointToStart(branch.elseBlock());
        mlir::scf::YieldOp::create(e.b, e.loc, most.value);
        e.b.setInsertionPointToStart(branch.thenBlock());
        Evaluator::Scope scope(k.ev, 0, {});
        mlir::scf::YieldOp::create(e.b, e.loc, keyAt(line, at).value);
      }
      store(local, i, {Expr(e.b, e.loc, branch.getResult(0), keyType), place});
    });
    sortLocal();
    forEach([&](Index i) {
      Index at = e.add(from, i);
      k.when(isMultiple(size, part) ? Value() : e.lessThan(at, size), [&] { put(at, load(local, i)); });
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
    Index distance = bits<mlir::arith::ShLIOp>(1, shift), above = bits<mlir::arith::ShRUIOp>(number, shift);
    Index low = e.add(bits<mlir::arith::ShLIOp>(above, e.add(shift, 1)), bits<mlir::arith::AndIOp>(number, e.sub(distance, 1)));
    Index high = e.add(low, distance);
    Pair x = load(local, low), y = load(local, high);
    Expr isGreater =
        scalar::bitwise_or(scalar::less(y.key, x.key), scalar::bitwise_and(scalar::equal(x.key, y.key), scalar::less(y.place, x.place)));
    Value falls = e.lessThan(0, bits<mlir::arith::AndIOp>(bits<mlir::arith::ShRUIOp>(low, level), 1));
    k.when(mlir::arith::XOrIOp::create(e.b, e.loc, isGreater.value, falls), [&] {
      store(local, low, y);
      store(local, high, x);
    });
  }

  /// As many results of two sorted runs as a part has: the elements that they come from go to shared memory, and each finds how many of the
  /// other run come before it.
  void mergeTile(Index tile, int64_t run, PutHere put) {
    const Pairs &from = results[(launch + 1) % 2];
    int64_t tiles = 2 * run / part;
    Index pair = e.mul(k.quotient(tile, tiles), 2 * run), begin = e.mul(k.remainder(tile, tiles), part);
    Index left = e.min(run, e.sub(size, pair)), all = e.min(2 * run, e.sub(size, pair));
    Index end = e.min(e.add(begin, part), all), first = e.add(lineStart, pair), second = e.add(first, run);
    auto [a, aEnd] = splits(from.keys, first, second, left, e.sub(all, left), begin, end);
    Index fromLeft = e.sub(aEnd, a), b = e.sub(begin, a), count = e.sub(end, begin);
    forEach([&](Index i) {
      k.when(e.lessThan(i, count), [&] {
        Value isLeft = e.lessThan(i, fromLeft);
        Index x = e.add(e.add(first, a), i), y = e.add(e.add(second, b), e.sub(i, fromLeft));
        store(local, i, load(from, Index(mlir::arith::SelectOp::create(e.b, e.loc, isLeft, e.use(x), e.use(y)).getResult())));
      });
    });
    k.barrier();
    forEach([&](Index i) {
      k.when(e.lessThan(i, count), [&] { put(e.add(e.add(pair, begin), rankOf(i, fromLeft, count)), load(local, i)); });
    });
  }

  /// while (low < high) by halves: the first place for which `isBehind` holds.
  Index search(Index low, Index high, llvm::function_ref<Value(Index)> isBehind) {
    mlir::Type i64 = e.b.getI64Type();
    auto loop = mlir::scf::WhileOp::create(
        e.b, e.loc, mlir::TypeRange{i64, i64}, mlir::ValueRange{e.use(low), e.use(high)},
        [&](mlir::OpBuilder &, mlir::Location, mlir::ValueRange args) {
          mlir::scf::ConditionOp::create(e.b, e.loc, e.lessThan(Index(args[0]), Index(args[1])), args);
        },
        [&](mlir::OpBuilder &, mlir::Location, mlir::ValueRange args) {
          Index middle = bits<mlir::arith::ShRUIOp>(e.add(Index(args[0]), Index(args[1])), 1);
          Value behind = isBehind(middle);
          Value next = mlir::arith::SelectOp::create(e.b, e.loc, behind, args[0], e.use(e.add(middle, 1)));
          Value end = mlir::arith::SelectOp::create(e.b, e.loc, behind, e.use(middle), args[1]);
          mlir::scf::YieldOp::create(e.b, e.loc, mlir::ValueRange{next, end});
        });
    return Index(loop.getResult(0));
  }

  /// How many of the first `begin` and `end` results are from the left run: two threads search.
  std::pair<Index, Index> splits(Value keys, Index first, Index second, Index left, Index right, Index begin, Index end) {
    Value memory = k.shared(2 * byteSize(DType::I64));
    k.when(e.lessThan(k.thread(), 2), [&] {
      Value isFirst = e.lessThan(k.thread(), 1);
      Index results = Index(mlir::arith::SelectOp::create(e.b, e.loc, isFirst, e.use(begin), e.use(end)).getResult());
      Index least = Index(mlir::arith::MaxSIOp::create(e.b, e.loc, e.use(0), e.use(e.sub(results, right))).getResult());
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
    auto either = [&](Index x, Index y) {
      return Index(mlir::arith::SelectOp::create(e.b, e.loc, isLeft, e.use(x), e.use(y)).getResult());
    };
    Index found = search(either(fromLeft, 0), either(count, fromLeft), [&](Index middle) {
      Expr other = e.load(local.keys, keyType, middle, 0);
      Value notLess = scalar::bitwise_invert(scalar::less(other, key)).value;
      return mlir::arith::SelectOp::create(e.b, e.loc, isLeft, notLess, scalar::less(key, other).value).getResult();
    });
    // Of the own run those before it, of the other those that were found.
    return e.add(e.sub(i, fromLeft), found);
  }
};

} // namespace kiln::nvptx
