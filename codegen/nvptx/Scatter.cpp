// Scatters: the array as it was, unless it lies there already, and then the updates in order.
#include "codegen/nvptx/Sorter.h"

using namespace mlir;

namespace kiln::nvptx {
namespace {

class ScatterEmitter {
public:
  ScatterEmitter(GpuKernel &k)
      : k(k), e(k.e), op(cast<ir::ArrayOp>(k.yielded()[0].getDefiningOp())), out(k.outputs[0]), indices(op->getOperand(1)),
        updates(op->getOperand(2)), axis(size_t(op.getAlong()[0])), outer(out.shape), size(outer[axis]), count(k.shapeOf(indices)[0]),
        copies(op.getMain() == k.placedWithResult ? 0 : 1) {
    outer[axis] = 1;
  }

  /// Updates of a line by a thread.
  void run(ir::LinesAttr schedule) {
    k.launches = copies + 1;
    if (k.launch < copies) return copy();
    forEachPosition(
        k, schedule.getThreads(), outer,
        [&](Coordinates &position) {
          auto putAll = [&] { e.loop(0, count, 1, [&](Index i) { putOne(position, i); }); };
          if (copies) return putAll();
          Expr isOutside = isAnyOutside();
          k.ev.reportIndex(isOutside);
          k.when(scalar::bitwise_invert(isOutside).value, putAll);
        },
        int64_t(axis));
  }

  /// The updates are sorted by where they go, and those of one element are put there by one thread.
  void run(ir::MergeSortAttr schedule) {
    Sorter sorter(k, DType::U32, 1, count, schedule);
    k.launches = copies + (count.isConstant(0) ? 0 : sorter.launches() + 1);
    if (k.launch < copies) return copy();
    if (count.isConstant(0)) return;
    Value keys = k.scratch(e.mul(count, byteSize(DType::U32))), places = k.scratch(e.mul(count, byteSize(DType::I32)));
    if (k.launch + 1 == k.launches) return putSorted(keys, places);
    auto keyAt = [&](Index, Index i) {
      auto [index, isBad] = indexAt(i);
      k.ev.reportIndex(isBad);
      Expr key = scalar::cast(index, DType::U32);
      return scalar::select(isBad, ir::bits(key, DType::U32, kOutside), key);
    };
    sorter.emit(k.launch - copies, keyAt, [&](Index, Index at, const Sorter::Pair &pair) {
      e.store(keys, at, pair.key);
      e.store(places, at, pair.place);
    });
  }

private:
  static constexpr int64_t kThreads = 256, kOutside = 0xFFFFFFFF; // the key of updates that go nowhere
  GpuKernel &k;
  Emitter &e;
  ir::ArrayOp op;
  const Buffer &out;
  Value indices, updates;
  size_t axis;
  Sizes outer;
  Index size, count; // of the axis; of the updates
  int64_t copies;    // launches that copy the array

  void copy() {
    forEachPosition(k, kThreads, out.shape, [&](Coordinates &at) { k.ev.storeAt(out, at, k.ev.at(op.getMain(), at)); });
  }

  std::pair<Expr, Expr> indexAt(Index i) {
    Expr isBad = e.scalar(DType::Bool, 0);
    Expr index = k.ev.wrapIndex(k.ev.at(indices, Coordinate{i, 0, {}}), size, &isBad);
    return {index, isBad};
  }

  /// Whether a position lies outside, which each thread finds by itself: what is changed in place then stays as it is.
  Expr isAnyOutside() {
    Expr none = e.scalar(DType::Bool, 0);
    return none.with(e.loop(0, count, 1, ValueRange{none.value}, [&](Index i, ValueRange carried) {
      Evaluator::Scope scope(k.ev, 0, {});
      return SmallVector<Value>{scalar::bitwise_or(none.with(carried[0]), indexAt(i).second).value};
    })[0]);
  }

  bool needsOld() { return op.getId() != Op::Scatter; }
  Expr oldAt(ArrayRef<Coordinate> position) { return needsOld() ? k.ev.loadAt(out, position) : e.scalar(out.dtype, 0); }
  Expr updated(Expr old, Coordinates position, Index i) {
    position[axis] = {i, 0, {}};
    Expr value = k.ev.at(updates, position);
    return cpu::scalarOp(op.getId(), needsOld() ? old : value, value, value, out.dtype);
  }

  void putOne(Coordinates position, Index i) {
    Evaluator::Scope scope(k.ev, 0, {});
    auto [index, isBad] = indexAt(i);
    k.ev.reportIndex(isBad);
    k.when(scalar::bitwise_invert(isBad).value, [&, index = index] {
      position[axis] = {Index(index.value), 0, {}};
      k.ev.storeAt(out, position, updated(oldAt(position), position, i));
    });
  }

  void putSorted(Value keys, Value places) {
    Sizes shape = {count};
    shape.append(outer.begin(), outer.end());
    forEachPosition(k, kThreads, shape, [&](Coordinates &at) {
      Index first = at[0].base;
      Coordinates position(ArrayRef(at).drop_front());
      auto keyAt = [&](Index i) { return e.load(keys, DType::U32, i, 0); };
      Expr key = keyAt(first), before = keyAt(Index(arith::MaxSIOp::create(e.b, e.loc, e.use(e.sub(first, 1)), e.use(0)).getResult()));
      Value isHead = arith::OrIOp::create(e.b, e.loc, e.lessThan(first, 1), scalar::not_equal(key, before).value);
      Value puts = arith::AndIOp::create(e.b, e.loc, isHead, scalar::not_equal(key, ir::bits(key, DType::U32, kOutside)).value);
      if (!copies) {
        Expr status = e.load(k.ev.statusFlag, DType::I32, 0, 0);
        puts = arith::AndIOp::create(e.b, e.loc, puts, scalar::equal(status, e.scalar(DType::I32, 0)).value);
      }
      k.when(puts, [&] { putRun(position, first, key, keyAt, places); });
    });
  }

  /// All updates of one element, which follow each other.
  void putRun(Coordinates position, Index first, Expr key, llvm::function_ref<Expr(Index)> keyAt, Value places) {
    position[axis] = {Index(scalar::cast(key, DType::I64).value), 0, {}};
    Expr old = oldAt(position);
    Type i64 = e.b.getI64Type();
    auto loop = scf::WhileOp::create(
        e.b, e.loc, TypeRange{i64, old.value.getType()}, ValueRange{e.use(first), old.value},
        [&](OpBuilder &, Location, ValueRange args) {
          Value isThere = e.lessThan(Index(args[0]), count);
          Value isSame = scalar::equal(keyAt(e.min(Index(args[0]), e.sub(count, 1))), key).value;
          scf::ConditionOp::create(e.b, e.loc, arith::AndIOp::create(e.b, e.loc, isThere, isSame), args);
        },
        [&](OpBuilder &, Location, ValueRange args) {
          Evaluator::Scope scope(k.ev, 0, {});
          Expr place = scalar::cast(e.load(places, DType::I32, Index(args[0]), 0), DType::I64);
          Expr next = updated(old.with(args[1]), position, Index(place.value));
          scf::YieldOp::create(e.b, e.loc, ValueRange{e.use(e.add(Index(args[0]), 1)), next.value});
        });
    k.ev.storeAt(out, position, old.with(loop.getResult(1)));
  }
};

} // namespace

void emitScatter(GpuKernel &k) {
  if (auto sorted = dyn_cast<ir::MergeSortAttr>(*k.kernel.getSchedule())) return ScatterEmitter(k).run(sorted);
  ScatterEmitter(k).run(k.schedule<ir::LinesAttr>());
}

} // namespace kiln::nvptx
