// Matrix products: the loop nest of BLIS (Van Zee and van de Geijn, 2015) with packed panels, emitted directly. Each element
// of the result is one chain of fused multiply-adds over K in order: a later block of K continues from the result, so the
// block sizes do not show in the bits.
#include "codegen/cpu/Kernels.h"

#include "lib/Core/Assert.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"

using namespace mlir;

namespace kiln::cpu {
namespace {

constexpr int64_t kL1Bytes = 32 << 10, kPanelColumns = 2048, kPanelRows = 96, kUnroll = 4;

struct Matrix {
  Value pointer;
  DType dtype;
  Index rowStride, columnStride;
};

class GemmEmitter {
public:
  GemmEmitter(KernelContext &k, Index m, Index n, Index kk, DType dtype) : e(k.e), M(m), N(n), K(kk), dtype(dtype) {
    nr = std::clamp<int64_t>(64 / byteSize(dtype), 8, 16);
    mr = chooseRows();
    kc = kL1Bytes * 3 / 4 / (nr * byteSize(dtype));
    if (K.isStatic()) kc = balance(K.number, kc, kUnroll);
    mc = kPanelRows / mr * mr;
    if (M.isStatic()) mc = balance(M.number, mc, mr);
    nc = kPanelColumns;
    if (N.isStatic()) nc = balance(N.number, nc, nr);
    packedB = k.scratch(kc * nc * byteSize(dtype));
    packedA = k.scratch(kc * mc * byteSize(dtype));
  }
  void run(Matrix a, Matrix b, Matrix c);

private:
  Emitter &e;
  Index M, N, K;
  DType dtype;
  int64_t mr, nr, mc, nc, kc;
  Value packedA, packedB;

  int64_t chooseRows();
  static int64_t balance(int64_t size, int64_t block, int64_t unit);
  void packB(Matrix b, Index pc, Index kSize, Index jc, Index panels);
  void packA(Matrix a, Index pc, Index kSize, Index ic, Index panels);
  void microKernel(Matrix c, Value aPanel, Value bPanel, Index row, Index column, Index pc, Index kSize);
  SmallVector<Value> accumulate(SmallVector<Value> acc, Value aPanel, Value bPanel, Index kSize);
  SmallVector<Value> startTile(Matrix c, Index row, Index column, Index pc, Value isFull);
  void fillZero(Matrix c);
  Index rowOf(Index row, int64_t r) { return e.min(e.add(row, r), e.sub(M, 1)); }
  Value columnMask(Index column) { return e.maskBelow(e.sub(N, column), nr); }
  Index at(const Matrix &m, Index row, Index column) { return e.add(e.mul(row, m.rowStride), e.mul(column, m.columnStride)); }
  Value zeros() { return e.splat(e.scalar(dtype, 0), nr).value; }
};

/// Rows of the register tile: those of {6, 5, 4} that leave the least of the last tile unused.
int64_t GemmEmitter::chooseRows() {
  if (!M.isStatic()) return 6;
  int64_t best = 6, waste = INT64_MAX;
  for (int64_t rows : {6, 5, 4}) {
    int64_t w = (M.number + rows - 1) / rows * rows - M.number;
    if (M.number >= 64 && rows != 6) continue; // one partial tile of many does not count
    if (w < waste) best = rows, waste = w;
  }
  return std::min(best, std::max<int64_t>(M.number, 1));
}

/// Equal blocks of at most `block`, in multiples of `unit`.
int64_t GemmEmitter::balance(int64_t size, int64_t block, int64_t unit) {
  int64_t count = std::max<int64_t>((size + block - 1) / block, 1), each = (size + count - 1) / count;
  return std::max<int64_t>((each + unit - 1) / unit * unit, unit);
}

void GemmEmitter::packB(Matrix b, Index pc, Index kSize, Index jc, Index panels) {
  e.loop(0, panels, 1, [&](Index panel) {
    Index column = e.add(jc, e.mul(panel, nr)), base = e.mul(panel, kc * nr);
    if (b.columnStride.isConstant(1)) {
      auto copy = [&](Value mask) {
        e.loop(0, kSize, 1, [&](Index q) {
          Expr row = e.load(b.pointer, dtype, at(b, e.add(pc, q), column), nr, mask);
          e.store(packedB, e.add(base, e.mul(q, nr)), row);
        });
      };
      Value isFull = e.lessThan(e.add(column, nr - 1), N);
      return e.when(isFull, [&] { copy({}); }, [&] { copy(columnMask(column)); });
    }
    e.loop(0, nr, 1, [&](Index j) {
      Index source = e.min(e.add(column, j), e.sub(N, 1)); // columns behind the end are computed and never stored
      e.loop(0, kSize, 1, [&](Index q) {
        Expr one = e.load(b.pointer, dtype, at(b, e.add(pc, q), source), 0);
        e.store(packedB, e.add(e.add(base, e.mul(q, nr)), j), one);
      });
    });
  });
}

void GemmEmitter::packA(Matrix a, Index pc, Index kSize, Index ic, Index panels) {
  e.loop(0, panels, 1, [&](Index panel) {
    Index row = e.add(ic, e.mul(panel, mr)), base = e.mul(panel, kc * mr);
    SmallVector<Index> rows;
    for (int64_t r = 0; r < mr; ++r) rows.push_back(e.mul(rowOf(row, r), a.rowStride));
    e.loop(0, kSize, 1, [&](Index q) {
      Index column = e.mul(e.add(pc, q), a.columnStride), to = e.add(base, e.mul(q, mr));
      for (int64_t r = 0; r < mr; ++r) e.store(packedA, e.add(to, r), e.load(a.pointer, dtype, e.add(rows[size_t(r)], column), 0));
    });
  });
}

SmallVector<Value> GemmEmitter::accumulate(SmallVector<Value> acc, Value aPanel, Value bPanel, Index kSize) {
  auto steps = [&](Index q, ValueRange old, int64_t count) {
    SmallVector<Value> sums(old);
    for (int64_t u = 0; u < count; ++u) {
      Index at = e.add(q, u);
      Expr b = e.load(bPanel, dtype, e.mul(at, nr), nr);
      for (int64_t r = 0; r < mr; ++r) {
        Expr a = e.splat(e.load(aPanel, dtype, e.add(e.mul(at, mr), r), 0), nr);
        sums[size_t(r)] = scalarOp(Op::DotGeneral, a, b, a.with(sums[size_t(r)]), dtype).value;
      }
    }
    return sums;
  };
  Index whole = e.floorTo(kSize, kUnroll);
  acc = e.loop(0, whole, kUnroll, acc, [&](Index q, ValueRange old) { return steps(q, old, kUnroll); });
  return e.loop(whole, kSize, 1, acc, [&](Index q, ValueRange old) { return steps(q, old, 1); });
}

/// Zeros for the first block of K, the result so far for the others.
SmallVector<Value> GemmEmitter::startTile(Matrix c, Index row, Index column, Index pc, Value isFull) {
  SmallVector<Value> start(size_t(mr), zeros());
  if (pc.isConstant(0)) return start;
  auto loadRows = [&](Value mask) {
    SmallVector<Value> rows;
    for (int64_t r = 0; r < mr; ++r) rows.push_back(e.load(c.pointer, dtype, at(c, rowOf(row, r), column), nr, mask).value);
    return rows;
  };
  SmallVector<Type> types(size_t(mr), start[0].getType());
  auto yieldIn = [&](Block *block, llvm::function_ref<SmallVector<Value>()> body) {
    OpBuilder::InsertionGuard guard(e.b);
    e.b.setInsertionPointToStart(block);
    scf::YieldOp::create(e.b, e.loc, body());
  };
  auto first = scf::IfOp::create(e.b, e.loc, types, e.lessThan(0, pc), true);
  yieldIn(first.elseBlock(), [&] { return start; });
  yieldIn(first.thenBlock(), [&] {
    auto whole = scf::IfOp::create(e.b, e.loc, types, isFull, true);
    yieldIn(whole.thenBlock(), [&] { return loadRows({}); });
    yieldIn(whole.elseBlock(), [&] { return loadRows(columnMask(column)); });
    return SmallVector<Value>(whole.getResults());
  });
  return SmallVector<Value>(first.getResults());
}

void GemmEmitter::microKernel(Matrix c, Value aPanel, Value bPanel, Index row, Index column, Index pc, Index kSize) {
  Value rowsFit = e.lessThan(e.add(row, mr - 1), M), columnsFit = e.lessThan(e.add(column, nr - 1), N);
  Value isFull = arith::AndIOp::create(e.b, e.loc, rowsFit, columnsFit);
  auto acc = accumulate(startTile(c, row, column, pc, isFull), aPanel, bPanel, kSize);
  auto result = [&](int64_t r) { return Expr{e.b, e.loc, acc[size_t(r)], dtype}; };
  e.when(
      isFull,
      [&] {
        for (int64_t r = 0; r < mr; ++r) e.store(c.pointer, at(c, e.add(row, r), column), result(r));
      },
      [&] {
        Value mask = columnMask(column);
        for (int64_t r = 0; r < mr; ++r)
          e.when(e.lessThan(e.add(row, r), M), [&] { e.store(c.pointer, at(c, e.add(row, r), column), result(r), mask); });
      });
}

void GemmEmitter::fillZero(Matrix c) {
  e.loop(0, M, 1, [&](Index i) { e.loop(0, N, 1, [&](Index j) { e.store(c.pointer, at(c, i, j), e.scalar(dtype, 0)); }); });
}

void GemmEmitter::run(Matrix a, Matrix b, Matrix c) {
  if (K.isConstant(0)) return fillZero(c);
  if (!K.isStatic()) e.when(e.lessThan(K, 1), [&] { fillZero(c); });
  e.loop(0, N, nc, [&](Index jc) {
    Index columns = e.min(nc, e.sub(N, jc)), bPanels = e.ceilDiv(columns, nr);
    e.loop(0, K, kc, [&](Index pc) {
      Index kSize = e.min(kc, e.sub(K, pc));
      packB(b, pc, kSize, jc, bPanels);
      e.loop(0, M, mc, [&](Index ic) {
        Index rows = e.min(mc, e.sub(M, ic)), aPanels = e.ceilDiv(rows, mr);
        packA(a, pc, kSize, ic, aPanels);
        e.loop(0, bPanels, 1, [&](Index jp) {
          Value bPanel = e.address(packedB, dtype, e.mul(jp, kc * nr));
          Index column = e.add(jc, e.mul(jp, nr));
          e.loop(0, aPanels, 1, [&](Index ip) {
            Value aPanel = e.address(packedA, dtype, e.mul(ip, kc * mr));
            microKernel(c, aPanel, bPanel, e.add(ic, e.mul(ip, mr)), column, pc, kSize);
          });
        });
      });
    });
  });
}

} // namespace

void emitContraction(KernelContext &k) {
  Operation *dot = k.yield().getValues()[0].getDefiningOp();
  auto words = ir::wordsOf(dot);
  WordReader reader{{words.data(), words.size()}};
  int batches = reader.dims().rank;
  reader.dims();
  size_t xAxis = size_t(reader.next()), yAxis = size_t(reader.next());
  const Buffer &x = k.ev.buffers[dot->getOperand(0)], &y = k.ev.buffers[dot->getOperand(1)], &c = k.outputs[0];
  size_t xFree = size_t(2 * batches + 1) - xAxis, yFree = size_t(2 * batches + 1) - yAxis; // the other of the last two
  GemmEmitter gemm(k, x.shape[xFree], y.shape[yFree], x.shape[xAxis], x.dtype);
  SmallVector<int64_t> last = {batches, batches + 1};
  Coordinates batch(c.shape.size());
  forEachPosition(k.e, c.shape, last, batch, [&] {
    auto matrix = [&](const Buffer &buffer, size_t row, size_t column) {
      Coordinates at(batch);
      at[size_t(batches)] = at[size_t(batches) + 1] = {};
      return Matrix{k.e.address(buffer.pointer, buffer.dtype, k.e.offsetOf(buffer, at)), buffer.dtype, buffer.strides[row],
                    buffer.strides[column]};
    };
    gemm.run(matrix(x, xFree, xAxis), matrix(y, yAxis, yFree), matrix(c, size_t(batches), size_t(batches) + 1));
  });
}

} // namespace kiln::cpu
