// The tile of a product as a function of its own, which the products of a program that have such tiles call: a tile is most of the code of
// a product. Distances are arguments, so that it does not matter how the operands lie, and whether they are packed.
#include "codegen/cpu/SharedTile.h"

#include "codegen/cpu/Evaluate.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/IR/BuiltinOps.h"

using namespace mlir;

namespace kiln::cpu {
namespace {

/// Rows at equal distances: every fourth has a pointer, the others stand in three distances to it, which is what addresses of x86 take.
class RowPointers {
public:
  RowPointers(Emitter &e, DType dtype, Index distance) : e(e), dtype(dtype) {
    for (int64_t i = 0; i < kGroup; ++i) within.push_back(e.mul(distance, i));
    apart = e.mul(distance, kGroup);
  }

  /// Of the first row of each group.
  SmallVector<Value> from(Value first, int64_t rows) {
    SmallVector<Value> pointers;
    for (int64_t row = 0; row < rows; row += kGroup) pointers.push_back(row ? e.address(pointers.back(), dtype, apart) : first);
    return pointers;
  }
  std::pair<Value, Index> at(ValueRange pointers, int64_t row) { return {pointers[size_t(row / kGroup)], within[size_t(row % kGroup)]}; }

private:
  static constexpr int64_t kGroup = 4;
  Emitter &e;
  DType dtype;
  SmallVector<Index, kGroup> within;
  Index apart;
};

/// The body of a function: void tile(ptr a, i64 aRow, i64 aStep, ptr b, i64 bStep, i64 depth, ptr c, i64 cRow, i64 before)
class Body {
public:
  Body(Emitter &e, const TileForm &form, Block *block)
      : e(e), form(form), rowsOfA(e, form.dtype, index(block, 1)), rowsOfC(e, form.dtype, index(block, 7)), a(block->getArgument(0)),
        b(block->getArgument(3)), c(block->getArgument(6)), aStep(index(block, 2)), bStep(index(block, 4)), depth(index(block, 5)),
        cRow(index(block, 7)), before(index(block, 8)) {}

  void emit() {
    SmallVector<Value> cPointers = rowsOfC.from(c, form.rows), state = start(cPointers);
    if (form.prefetches) prefetch();
    llvm::append_range(state, rowsOfA.from(a, form.rows));
    state.push_back(b);
    state = e.loop(0, depth, 1, state, [&](Index, ValueRange old) { return step(old); });
    forEach(cPointers, [&](size_t i, Value row, Index at) { e.store(row, at, {e.b, e.loc, state[i], form.dtype}); });
  }

private:
  Emitter &e;
  const TileForm &form;
  RowPointers rowsOfA, rowsOfC;
  Value a, b, c;
  Index aStep, bStep, depth, cRow, before;

  static Index index(Block *block, unsigned i) { return Index(block->getArgument(i)); }

  /// Vectors of the result: number, and place as a row's pointer and a distance.
  void forEach(ValueRange cPointers, llvm::function_ref<void(size_t, Value, Index)> body) {
    for (int64_t r = 0; r < form.rows; ++r) {
      auto [row, within] = rowsOfC.at(cPointers, r);
      for (int64_t part = 0; part < form.parts; ++part) body(size_t(r * form.parts + part), row, e.add(within, part * form.lanes));
    }
  }

  /// Zeros, or the result so far.
  SmallVector<Value> start(ValueRange cPointers) {
    SmallVector<Value> zeros(size_t(form.rows * form.parts), e.splat(e.scalar(form.dtype, 0), form.lanes).value);
    if (!form.continues) return zeros;
    SmallVector<Type> types(zeros.size(), zeros[0].getType());
    auto isLater = scf::IfOp::create(e.b, e.loc, types, e.lessThan(0, before), true);
    OpBuilder::InsertionGuard guard(e.b);
    e.b.setInsertionPointToStart(isLater.elseBlock());
    scf::YieldOp::create(e.b, e.loc, zeros);
    e.b.setInsertionPointToStart(isLater.thenBlock());
    SmallVector<Value> soFar;
    forEach(cPointers, [&](size_t, Value row, Index at) { soFar.push_back(e.load(row, form.dtype, at, form.lanes).value); });
    scf::YieldOp::create(e.b, e.loc, soFar);
    return SmallVector<Value>(isLater.getResults());
  }

  /// The rows behind these, which the next tile starts from or writes.
  void prefetch() {
    SmallVector<Value> next = rowsOfC.from(e.address(c, form.dtype, e.mul(cRow, form.rows)), form.rows);
    for (int64_t r = 0; r < form.rows; ++r) {
      auto [row, within] = rowsOfC.at(next, r);
      int64_t size = byteSize(form.dtype), width = form.parts * form.lanes * size;
      for (int64_t at = 0; at < width; at += kLine)
        LLVM::Prefetch::create(e.b, e.loc, e.address(row, form.dtype, e.add(within, at / size)), /*rw=*/1, /*hint=*/3, /*cache=*/1);
    }
  }

  /// The sums, and where the next step reads.
  SmallVector<Value> step(ValueRange old) {
    size_t sums = size_t(form.rows * form.parts);
    SmallVector<Value> next(old);
    ValueRange aPointers = old.drop_front(sums).drop_back();
    SmallVector<Expr> right;
    for (int64_t part = 0; part < form.parts; ++part) right.push_back(e.load(old.back(), form.dtype, part * form.lanes, form.lanes));
    for (int64_t r = 0; r < form.rows; ++r) {
      auto [row, within] = rowsOfA.at(aPointers, r);
      Expr left = e.splat(e.load(row, form.dtype, within, 0), form.lanes);
      for (int64_t part = 0; part < form.parts; ++part) {
        Value &sum = next[size_t(r * form.parts + part)];
        sum = scalarOp(Op::DotGeneral, left, right[size_t(part)], left.with(sum), form.dtype).value;
      }
    }
    for (size_t i = sums; i < next.size(); ++i) next[i] = e.address(next[i], form.dtype, i + 1 < next.size() ? aStep : bStep);
    return next;
  }
};

} // namespace

void callTile(Emitter &e, const TileForm &form, const TileOperands &t) {
  std::string name = ("kiln_tile_" + Twine(info(form.dtype).shortName) + "_" + Twine(form.rows) + "x" + Twine(form.parts) + "x" +
                      Twine(form.lanes) + (form.prefetches ? "_ahead" : "") + (form.continues ? "_on" : ""))
                         .str();
  SmallVector<Value> operands = {t.a, e.use(t.aRow), e.use(t.aStep), t.b, e.use(t.bStep), e.use(t.depth),
                                 t.c, e.use(t.cRow), e.use(t.before)};
  auto module = e.b.getInsertionBlock()->getParentOp()->getParentOfType<ModuleOp>();
  if (!module.lookupSymbol(name)) {
    OpBuilder::InsertionGuard guard(e.b);
    e.b.setInsertionPointToStart(module.getBody());
    auto types = llvm::map_to_vector(operands, [](Value v) { return v.getType(); });
    auto type = LLVM::LLVMFunctionType::get(LLVM::LLVMVoidType::get(e.b.getContext()), types);
    Block *block = LLVM::LLVMFuncOp::create(e.b, module.getLoc(), name, type, LLVM::Linkage::Internal).addEntryBlock(e.b);
    e.b.setInsertionPointToStart(block);
    Emitter inside(e.b, module.getLoc());
    Body(inside, form, block).emit();
    LLVM::ReturnOp::create(e.b, module.getLoc(), ValueRange());
  }
  LLVM::CallOp::create(e.b, e.loc, TypeRange(), name, operands);
}

} // namespace kiln::cpu
