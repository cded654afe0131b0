// Transposes, and what follows elementwise from them, in squares that go through shared memory.
#include "codegen/nvptx/Wide.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"

using namespace mlir;

namespace kiln::nvptx {

/// Squares of two axes. What lies along the first of them in memory is read along it into shared memory, and from there along the other.
static void emitSquares(GpuKernel &k) {
  constexpr int64_t kSide = 32, kPitch = kSide + 1; // a column of shared memory is in all banks
  auto grid = k.schedule<ir::GridAttr>();
  Emitter &e = k.e;
  Sizes shape = k.outputs[0].shape, squares(shape);
  size_t axis = size_t(grid.getTranspose()), last = shape.size() - 1;
  k.threads = grid.getThreads();
  for (size_t i : {axis, last}) squares[i] = e.ceilDiv(shape[i], kSide);
  k.blocks = k.product(squares);
  if (k.blocks.isConstant(0)) return;
  Coordinates position;
  k.place(position, k.block(), squares);
  Index row = e.mul(position[axis].base, kSide), column = e.mul(position[last].base, kSide);
  Index x = k.remainder(k.thread(), kSide), y = k.quotient(k.thread(), kSide);
  SmallVector<std::pair<Value, Value>> turned; // values, and where their squares are
  for (auto move : k.kernel.getBody().front().getOps<ir::TransposeOp>())
    turned.push_back({move.getResult(), k.shared(kSide * kPitch * byteSize(ir::typeOf(move.getResult()).dtype))});
  auto forEach = [&](bool isAcross, llvm::function_ref<void(Index)> body) {
    for (int64_t i = 0; i < kSide * kSide; i += k.threads) {
      Index far = e.add(y, i / kSide);
      Index r = isAcross ? x : far, c = isAcross ? far : x;
      position[axis] = {e.add(row, r), 0, {}}, position[last] = {e.add(column, c), 0, {}};
      Value isIn =
          arith::AndIOp::create(e.b, e.loc, e.lessThan(position[axis].base, shape[axis]), e.lessThan(position[last].base, shape[last]));
      k.when(isIn, [&] { body(e.add(e.mul(r, kPitch), c)); });
    }
  };
  forEach(true, [&](Index at) {
    for (auto &[value, memory] : turned) e.store(memory, at, k.ev.at(value, position));
  });
  k.barrier();
  forEach(false, [&](Index at) {
    for (auto &[value, memory] : turned) k.ev.remember(value, position, e.load(memory, ir::typeOf(value).dtype, at, 0));
    k.storeResults(position);
  });
}

namespace {

/// The same with accesses of 16 bytes. In shared memory a word holds elements beside each other along the last axis, which come from as
/// many rows that a thread reads: row `a` of the square is `words` of them. Their order in a row depends on the row, so that threads that
/// go along either axis meet different banks.
class WideTranspose {
public:
  WideTranspose(GpuKernel &k, ir::GridAttr grid)
      : k(k), e(k.e), shape(k.outputs[0].shape), axis(size_t(grid.getTranspose())), last(shape.size() - 1), side(grid.getSide()),
        wide(grid.getWide()) {
    for (auto move : k.kernel.getBody().front().getOps<ir::TransposeOp>()) turned.push_back({move.getResult(), {}});
    dtype = ir::typeOf(turned[0].value).dtype;
    pack = std::max<int64_t>(1, kWord / byteSize(dtype));
    words = side / pack, across = side / wide, groups = std::max<int64_t>(1, kWarp / across);
    k.threads = grid.getThreads();
  }

  void run() {
    Sizes squares(shape);
    for (size_t i : {axis, last}) squares[i] = e.ceilDiv(shape[i], side);
    k.blocks = k.product(squares);
    if (k.blocks.isConstant(0)) return;
    k.place(position, k.block(), squares);
    column = e.mul(position[last].base, side);
    for (Turned &each : turned) each.memory = k.shared(side * side * byteSize(dtype));
    auto emit = [&](bool isWide) {
      return [this, isWide] {
        Evaluator::Scope scope(k.ev, 0, {});
        turn(isWide);
      };
    };
    if (Value isAligned = Wide(k, wide).isAligned()) e.when(isAligned, emit(true), emit(false));
    else turn(true);
  }

private:
  static constexpr int64_t kWord = 4;
  struct Turned {
    Value value, memory;
  };
  GpuKernel &k;
  Emitter &e;
  Sizes shape;
  size_t axis, last;
  int64_t side, wide, pack = 1, words = 0, across = 0, groups = 0;
  DType dtype = DType::F32; // of what is turned
  SmallVector<Turned> turned;
  Coordinates position;
  Index column; // where the square starts

  Type wordType() { return e.b.getIntegerType(unsigned(8 * std::max(kWord, byteSize(dtype)))); }

  /// Where word `w` of row `a` of the square lies, given what depends on the row.
  Value wordAt(Value memory, Index a, Index order, Index w) {
    Index at = e.add(e.mul(a, words), Index(arith::XOrIOp::create(e.b, e.loc, e.use(w), e.use(order)).getResult()));
    LLVM::GEPArg arg(e.use(at));
    return LLVM::GEPOp::create(e.b, e.loc, memory.getType(), wordType(), memory, ArrayRef<LLVM::GEPArg>{arg},
                               LLVM::GEPNoWrapFlags::inbounds);
  }
  Index orderOf(Index a) { return e.add(e.mul(k.quotient(a, wide), groups), k.remainder(a, groups)); }
  unsigned wordBytes() { return unsigned(std::max(kWord, byteSize(dtype))); }

  Value isInside(ArrayRef<Coordinate> at) {
    Value all;
    for (size_t i : {axis, last}) {
      if (isMultiple(shape[i], side)) continue;
      Value mine = e.lessThan(at[i].base, shape[i]);
      all = all ? arith::AndIOp::create(e.b, e.loc, all, mine).getResult() : mine;
    }
    return all;
  }

  /// Elements of several rows as words.
  SmallVector<Value> packed(ArrayRef<SmallVector<Expr>> rows) {
    SmallVector<Value> result;
    for (int64_t j = 0; j < wide; ++j) {
      auto element = [&](int64_t p) {
        Expr x = rows[size_t(p)][size_t(j)];
        return dtype == DType::Bool ? arith::ExtUIOp::create(e.b, e.loc, e.b.getI8Type(), x.value).getResult() : x.value;
      };
      Value word = element(0);
      if (pack > 1) {
        word = LLVM::PoisonOp::create(e.b, e.loc, e.vectorOf(e.memoryType(dtype), pack));
        for (int64_t p = 0; p < pack; ++p) word = LLVM::InsertElementOp::create(e.b, e.loc, word, element(p), e.use(p));
      }
      result.push_back(LLVM::BitcastOp::create(e.b, e.loc, wordType(), word));
    }
    return result;
  }

  void turn(bool isWide) {
    Wide access(k, wide);
    read(access, isWide);
    k.barrier();
    write(access, isWide);
  }

  /// Along the axis: `pack` rows at a time into words.
  void read(Wide &access, bool isWide) {
    Index inner = k.remainder(k.thread(), across), outer = k.quotient(k.thread(), across);
    for (int64_t g = 0; g < words; g += k.threads / across) {
      Index w = e.add(outer, g), number = e.add(e.mul(position[axis].base, across), inner);
      SmallVector<SmallVector<Coordinates>> rows;
      for (int64_t p = 0; p < pack; ++p) {
        Coordinates at(position);
        at[last] = {e.add(column, e.add(e.mul(w, pack), p)), 0, {}};
        rows.push_back(access.from(at, axis, number));
      }
      k.when(isInside(rows[0][0]), [&] {
        for (Turned &each : turned)
          for (auto &at : rows)
            if (isWide) access.load(each.value, at);
        for (Turned &each : turned) {
          auto values = llvm::map_to_vector(
              rows, [&](auto &at) { return llvm::map_to_vector(at, [&](const Coordinates &p) { return k.ev.at(each.value, p); }); });
          for (auto [j, word] : llvm::enumerate(packed(values))) {
            Index a = e.add(e.mul(inner, wide), int64_t(j));
            LLVM::StoreOp::create(e.b, e.loc, word, wordAt(each.memory, a, e.add(e.mul(inner, groups), int64_t(j) % groups), w),
                                  wordBytes());
          }
        }
      });
    }
  }

  /// Along the last axis: what other threads read.
  void write(Wide &access, bool isWide) {
    Index inner = k.remainder(k.thread(), across), outer = k.quotient(k.thread(), across);
    for (int64_t r = 0; r < side; r += k.threads / across) {
      Index a = e.add(outer, r);
      Coordinates here(position);
      here[axis] = {e.add(e.mul(position[axis].base, side), a), 0, {}};
      auto at = access.from(here, last, e.add(e.mul(position[last].base, across), inner));
      k.when(isInside(at[0]), [&] {
        for (Turned &each : turned) remember(each, a, inner, at);
        if (isWide)
          for (Value value : k.yielded()) access.load(value, at);
        SmallVector<SmallVector<Expr>> results;
        for (Value value : k.yielded()) results.push_back(llvm::map_to_vector(at, [&](const Coordinates &p) { return k.ev.at(value, p); }));
        for (auto [buffer, values] : llvm::zip(k.outputs, results)) {
          if (isWide) access.store(buffer, at, values);
          else
            for (auto [p, value] : llvm::zip(at, values)) k.ev.storeAt(buffer, p, value);
        }
      });
    }
  }

  void remember(const Turned &each, Index a, Index inner, ArrayRef<Coordinates> at) {
    Index order = orderOf(a);
    for (int64_t i = 0; i < wide / pack; ++i) {
      Value word =
          LLVM::LoadOp::create(e.b, e.loc, wordType(), wordAt(each.memory, a, order, e.add(e.mul(inner, wide / pack), i)), wordBytes());
      Type type = pack > 1 ? e.vectorOf(e.memoryType(dtype), pack) : e.memoryType(dtype);
      Value elements = LLVM::BitcastOp::create(e.b, e.loc, type, word);
      for (int64_t p = 0; p < pack; ++p) {
        Value one = pack > 1 ? LLVM::ExtractElementOp::create(e.b, e.loc, elements, e.use(p)).getResult() : elements;
        k.ev.remember(each.value, at[size_t(i * pack + p)], e.fromMemory(one, dtype));
      }
    }
  }
};

} // namespace

void emitTransposed(GpuKernel &k) {
  auto grid = k.schedule<ir::GridAttr>();
  if (grid.getWide() > 1) WideTranspose(k, grid).run();
  else emitSquares(k);
}

} // namespace kiln::nvptx
