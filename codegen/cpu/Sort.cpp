// Sorting of lines by the runtime's library, or where it is not there by least significant digits: stable, without a branch on the data,
// the same for every dtype. Elements become unsigned keys in their order; each pass counts one byte of the keys and distributes keys and
// positions by it.
#include "codegen/cpu/Kernels.h"
#include "codegen/cpu/SortKey.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;

namespace kiln::cpu {
Expr sortKey(Expr x, bool descending) {
  DType whole = scalar::integerOf(x.dtype), key = DType(int(whole) + int(DType::U8) - int(DType::I8));
  if (isFloat(x.dtype)) x = scalar::select(scalar::equal(x, ir::constant(x, 0)), ir::constant(x, 0), x); // -0 is 0
  Expr raw = ir::bitcast(x, key), sign = ir::bits(raw, key, scalar::signMask(key)), ones = scalar::bitwise_invert(sign - sign);
  Expr ordered = raw;
  if (isFloat(x.dtype)) ordered = scalar::bitwise_xor(raw, scalar::select(scalar::greater_equal(raw, sign), ones, sign));
  else if (info(x.dtype).isSigned) ordered = scalar::bitwise_xor(raw, sign);
  if (descending) ordered = scalar::bitwise_invert(ordered);
  return isFloat(x.dtype) ? scalar::select(scalar::isnan(x), ones, ordered) : ordered;
}

namespace {

constexpr int64_t kBuckets = 256;

/// Sorts lines, by the runtime's vector instructions where it has a routine for their dtype.
class SortEmitter {
public:
  SortEmitter(KernelContext &k, DType dtype, Index n, bool isPositions, bool isDescending)
      : k(k), e(k.e), n(n), dtype(dtype), isPositions(isPositions), isDescending(isDescending) {
    key = DType(int(scalar::integerOf(dtype)) + int(DType::U8) - int(DType::I8));
    counts = k.scratch(kBuckets * 8);
    line = k.scratch(e.mul(n, byteSize(dtype)));
    for (int i = 0; i < 2; ++i) positions[i] = k.scratch(e.mul(n, 8));
    for (int i = 0; i < 2; ++i) keys[i] = k.scratch(e.mul(n, byteSize(key)));
  }

  /// Sorts one line; `elementAt` reads it.
  void run(llvm::function_ref<Expr(Index)> elementAt) {
    e.loop(0, n, 1, [&](Index i) {
      Evaluator::Scope scope(k.ev, 0, {});
      e.store(line, i, elementAt(i));
    });
    Buffer from{line, dtype, {n}, {1}}, to{result(), isPositions ? DType::I64 : dtype, {n}, {1}};
    Value status = callRoutine(k, isPositions ? "argsort" : "sort", {from, to}, {Index(int64_t(isDescending))});
    Value isMissing = arith::CmpIOp::create(e.b, e.loc, arith::CmpIPredicate::ne, status, e.scalar(DType::I32, 0).value);
    e.when(isMissing, [&] { sortByDigits(); });
  }
  /// Of the line that was sorted last.
  Expr at(Index i) { return e.load(result(), isPositions ? DType::I64 : dtype, i, 0); }

private:
  KernelContext &k;
  Emitter &e;
  Index n;
  DType dtype, key;
  bool isPositions, isDescending;
  Value counts, line, positions[2], keys[2];

  Value result() { return isPositions ? positions[0] : keys[0]; }
  void sortByDigits() {
    e.loop(0, n, 1, [&](Index i) {
      e.store(keys[0], i, sortKey(e.load(line, dtype, i, 0), isDescending));
      e.store(positions[0], i, number(i));
    });
    int at = 0;
    for (int64_t byte = 0; byte < byteSize(key); ++byte, at ^= 1) pass(int(byte), at);
    if (isPositions && at == 0) return;
    e.loop(0, n, 1, [&](Index i) {
      Expr from = e.load(positions[at], DType::I64, i, 0);
      e.store(result(), i, isPositions ? from : e.load(line, dtype, Index(from.value), 0));
    });
  }

  Expr number(Index i) { return {e.b, e.loc, e.use(i), DType::I64}; }
  Index digitOf(Expr x, int byte) {
    Expr digit = byte ? scalar::shiftRight(x, 8 * byte) : x;
    return Index(scalar::bitwise_and(scalar::cast(digit, DType::I64), number(kBuckets - 1)).value);
  }

  void pass(int byte, int from) {
    e.loop(0, kBuckets, 1, [&](Index i) { e.store(counts, i, number(0)); });
    e.loop(0, n, 1, [&](Index i) {
      Index digit = digitOf(e.load(keys[from], key, i, 0), byte);
      e.store(counts, digit, e.load(counts, DType::I64, digit, 0) + number(1));
    });
    // Counts become where each bucket starts.
    e.loop(0, kBuckets, 1, ValueRange{e.use(0)}, [&](Index i, ValueRange carried) {
      Expr before = number(Index(carried[0])), count = e.load(counts, DType::I64, i, 0);
      e.store(counts, i, before);
      return SmallVector<Value>{(before + count).value};
    });
    e.loop(0, n, 1, [&](Index i) {
      Expr mine = e.load(keys[from], key, i, 0);
      Index digit = digitOf(mine, byte);
      Expr place = e.load(counts, DType::I64, digit, 0);
      e.store(counts, digit, place + number(1));
      e.store(keys[from ^ 1], Index(place.value), mine);
      e.store(positions[from ^ 1], Index(place.value), e.load(positions[from], DType::I64, i, 0));
    });
  }
};

} // namespace

LogicalResult emitSort(KernelContext &k) {
  auto op = cast<ir::ArrayOp>(k.mainOp());
  auto schedule = k.schedule<ir::SortAttr>();
  auto sort = dyn_cast<ir::SortOp>(*op);
  bool isDescending = sort ? sort.getDescending() : cast<ir::ArgsortOp>(*op).getDescending();
  size_t axis = size_t(op.getAlong()[0]);
  Value x = op.getMain();
  const Buffer &out = k.outputs[0];
  Emitter &e = k.e;
  SortEmitter sorter(k, ir::typeOf(x).dtype, out.shape[axis], !sort, isDescending);
  Coordinates position(out.shape.size());
  auto elementAt = [&](Index i) {
    position[axis] = {i, 0, {}};
    return k.ev.at(x, position);
  };
  Sharing sharing{schedule.getParallel(), schedule.getGrain()};
  forEachPosition(k, out.shape, {int64_t(axis)}, position, sharing, e.mul(out.shape[axis], kSortWork), [&] {
    sorter.run(elementAt);
    e.loop(0, out.shape[axis], 1, [&](Index i) {
      Evaluator::Scope scope(k.ev, 0, {});
      position[axis] = {i, 0, {}};
      k.ev.storeAt(out, position, sorter.at(i));
    });
  });
  return success();
}

} // namespace kiln::cpu
