// Decompositions by cuSOLVER, which has LAPACK's routines for matrices in columns. Each result is copied from where a routine leaves it, as
// it is transposed there or has more than the op's result.
#include "codegen/nvptx/LibraryCalls.h"

#include "include/kiln/executable.h"

using namespace mlir;

namespace kiln::nvptx {
namespace {

using Part = LibraryCalls::Part;

enum class Order { Columns, Rows };

/// The matrices of the last two axes of an operand.
struct Stack {
  Value array;
  DType dtype;
  int64_t rows, columns, count = 1;
  explicit Stack(Value array) : array(array), dtype(ir::typeOf(array).dtype) {
    const Shape &shape = ir::typeOf(array).shape;
    for (int i = 0; i + 2 < shape.rank; ++i) count *= shape[i].number();
    rows = shape[shape.rank - 2].number(), columns = shape[shape.rank - 1].number();
  }
  int64_t least() const { return std::min(rows, columns); }
  bool isEmpty() const { return !count || !rows || !columns; }
};

Expr zeroLike(Expr x) {
  return isComplex(x.dtype) ? scalar::map(x, [](Expr part) { return constant(part, 0); }) : constant(x, 0);
}

/// The number of a matrix, from the first axes of a position.
Index numberOf(GpuKernel &k, ArrayRef<Coordinate> position, ArrayRef<Index> shape) {
  Index number = 0;
  for (auto [at, size] : llvm::zip(position, shape)) number = k.e.add(k.e.mul(number, size), at.base);
  return number;
}

/// Copies matrices into a part of as many elements. `isChecked`: what is not finite becomes 0, as iterations need not end on it, and is
/// said to be none that converges.
void bring(LibraryCalls &calls, const Stack &from, const Part &to, Order order, bool isChecked = false) {
  calls.launch([=](GpuKernel &k) {
    Sizes shape = k.shapeOf(from.array);
    forEachPosition(k, kCopyThreads, shape, [&](Coordinates &position) {
      Index matrix = numberOf(k, ArrayRef(position).drop_back(2), ArrayRef(shape).drop_back(2));
      Index i = position[position.size() - 2].base, j = position.back().base;
      Index inside = order == Order::Columns ? k.e.add(k.e.mul(j, from.rows), i) : k.e.add(k.e.mul(i, from.columns), j);
      Expr element = k.ev.at(from.array, position);
      if (isChecked) {
        Expr isFinite = scalar::isfinite(element);
        setStatus(k, scalar::bitwise_invert(isFinite).value, KILN_NOT_CONVERGED);
        element = scalar::select(isFinite, element, zeroLike(element));
      }
      store(k, to, k.e.add(k.e.mul(matrix, to.each), inside), element);
    });
  });
}

/// Sets bits of the status where a routine says that it failed on one of `count` matrices.
void check(LibraryCalls &calls, const Part &info, int64_t count, int32_t bits) {
  calls.launch([=](GpuKernel &k) {
    forEachPosition(k, kCopyThreads, {count}, [&](Coordinates &position) {
      Expr said = load(k, info, position[0].base);
      setStatus(k, scalar::not_equal(said, constant(said, 0)).value, bits);
    });
  });
}

/// A matrix, or a vector of one row, of the result: the element at a position of it, of a matrix of that number.
struct Piece {
  int64_t rows, columns;
  std::function<Expr(GpuKernel &, Index matrix, Index i, Index j)> at;
};

/// What stands from `start` on at a position of the result: of the piece that is there.
void putFrom(GpuKernel &k, ArrayRef<Piece> pieces, int64_t start, Index matrix, ArrayRef<Coordinate> position) {
  if (pieces.empty()) return;
  const Piece &piece = pieces[0];
  int64_t end = start + piece.rows * piece.columns;
  Index at = position.back().base;
  auto here = [&] {
    Index inside = k.e.sub(at, start);
    Expr element = piece.at(k, matrix, k.quotient(inside, piece.columns), k.remainder(inside, piece.columns));
    k.ev.storeAt(k.outputs[0], position, scalar::cast(element, k.outputs[0].dtype));
  };
  if (start == end) return putFrom(k, pieces.drop_front(), end, matrix, position);
  if (pieces.size() == 1) return here();
  k.e.when(k.e.lessThan(at, end), here, [&] { putFrom(k, pieces.drop_front(), end, matrix, position); });
}

/// The pieces one behind the other along the last axis.
void putFlat(LibraryCalls &calls, std::vector<Piece> pieces) {
  llvm::erase_if(pieces, [](const Piece &piece) { return !piece.rows || !piece.columns; });
  calls.launch([=](GpuKernel &k) {
    ArrayRef<Index> shape = k.outputs[0].shape;
    forEachPosition(k, kCopyThreads, shape, [&](Coordinates &position) {
      putFrom(k, pieces, 0, numberOf(k, ArrayRef(position).drop_back(), shape.drop_back()), position);
    });
  });
}

/// The one matrix that is the result.
void putMatrix(LibraryCalls &calls, Piece piece) {
  calls.launch([=](GpuKernel &k) {
    ArrayRef<Index> shape = k.outputs[0].shape;
    forEachPosition(k, kCopyThreads, shape, [&](Coordinates &position) {
      Index matrix = numberOf(k, ArrayRef(position).drop_back(2), shape.drop_back(2));
      k.ev.storeAt(k.outputs[0], position, piece.at(k, matrix, position[position.size() - 2].base, position.back().base));
    });
  });
}

Expr loadAt(GpuKernel &k, const Part &part, Index matrix, Index outer, int64_t lead, Index inner) {
  return load(k, part, k.e.add(k.e.mul(matrix, part.each), k.e.add(k.e.mul(outer, lead), inner)));
}
/// A matrix that lies in columns of `lead` elements, or in rows of as many.
Piece columnsOf(const Part &part, int64_t rows, int64_t columns, int64_t lead) {
  return {rows, columns, [=](GpuKernel &k, Index matrix, Index i, Index j) { return loadAt(k, part, matrix, j, lead, i); }};
}
Piece rowsOf(const Part &part, int64_t rows, int64_t columns, int64_t lead) {
  return {rows, columns, [=](GpuKernel &k, Index matrix, Index i, Index j) { return loadAt(k, part, matrix, i, lead, j); }};
}
Piece vectorOf(const Part &part) { return rowsOf(part, 1, part.each, part.each); }

Expr numberIn(GpuKernel &k, Index i) { return Expr(k.e.b, k.e.loc, k.e.use(i), DType::I64); }
/// With zeros below the diagonal, or above it.
Piece triangleOf(Piece whole, bool isUpper) {
  return {whole.rows, whole.columns, [=](GpuKernel &k, Index matrix, Index i, Index j) {
            Expr element = whole.at(k, matrix, i, j);
            Expr isOutside(k.e.b, k.e.loc, isUpper ? k.e.lessThan(j, i) : k.e.lessThan(i, j), DType::Bool);
            return scalar::select(isOutside, zeroLike(element), element);
          }};
}
Piece unitOf(DType dtype, int64_t rows, int64_t columns) {
  return {rows, columns,
          [=](GpuKernel &k, Index, Index i, Index j) { return scalar::cast(scalar::equal(numberIn(k, i), numberIn(k, j)), dtype); }};
}

Part infoOf(LibraryCalls &calls, const Stack &x) { return calls.part(DType::I32, 1, x.count); }
Part matricesOf(LibraryCalls &calls, const Stack &x) { return calls.part(x.dtype, x.rows * x.columns, x.count); }

} // namespace

namespace library {

/// The triangle of a matrix in rows is the other one of its transpose in columns, which is its conjugate: so is the factor.
void cholesky(LibraryCalls &calls) {
  Stack x(calls.op->getOperand(0));
  if (x.isEmpty()) return;
  bool isUpper = calls.words[0];
  Part a = matricesOf(calls, x), info = infoOf(calls, x);
  bring(calls, x, a, Order::Rows);
  calls.call("potrf", {int64_t(x.dtype), x.rows, x.count, !isUpper}, {a, info});
  check(calls, info, x.count, KILN_NOT_POSITIVE_DEFINITE);
  putMatrix(calls, triangleOf(rowsOf(a, x.rows, x.rows, x.rows), isUpper));
}

/// A zero on the diagonal is a result.
void lu(LibraryCalls &calls) {
  Stack x(calls.op->getOperand(0));
  if (x.isEmpty()) return;
  Part a = matricesOf(calls, x), pivots = calls.part(DType::I64, x.rows, x.count), info = infoOf(calls, x);
  bring(calls, x, a, Order::Columns);
  calls.call("getrf", {int64_t(x.dtype), x.rows, x.count}, {a, pivots, info});
  Piece rows = vectorOf(pivots);
  Piece fromZero{1, x.rows, [=](GpuKernel &k, Index matrix, Index i, Index j) {
                   Expr row = rows.at(k, matrix, i, j);
                   return row - constant(row, 1);
                 }};
  putFlat(calls, {columnsOf(a, x.rows, x.rows, x.rows), fromZero});
}

void solve(LibraryCalls &calls) {
  Stack left(calls.op->getOperand(0)), right(calls.op->getOperand(1));
  if (left.isEmpty()) return;
  Part a = matricesOf(calls, left), pivots = calls.part(DType::I64, left.rows, left.count), info = infoOf(calls, left);
  bring(calls, left, a, Order::Columns);
  calls.call("getrf", {int64_t(left.dtype), left.rows, left.count}, {a, pivots, info});
  check(calls, info, left.count, KILN_SINGULAR);
  if (right.isEmpty()) return;
  Part b = matricesOf(calls, right);
  bring(calls, right, b, Order::Columns);
  calls.call("getrs", {int64_t(left.dtype), left.rows, right.columns, left.count}, {a, pivots, b, info});
  putMatrix(calls, columnsOf(b, right.rows, right.columns, right.rows));
}

void qr(LibraryCalls &calls) {
  Stack x(calls.op->getOperand(0));
  int64_t m = x.rows, n = x.columns, least = x.least(), k = calls.words[0] ? m : least, dtype = int64_t(x.dtype);
  if (!x.count || !k) return;
  if (!least) return putFlat(calls, {unitOf(x.dtype, m, k)});
  Part a = matricesOf(calls, x), tau = calls.part(x.dtype, least, x.count), q = calls.part(x.dtype, m * k, x.count);
  Part info = infoOf(calls, x);
  bring(calls, x, a, Order::Columns);
  calls.call("geqrf", {dtype, m, n, x.count}, {a, tau, info});
  calls.launch([=](GpuKernel &kernel) { // the reflectors, with room behind them
    forEachPosition(kernel, kCopyThreads, {x.count, k, m}, [&](Coordinates &position) {
      Index matrix = position[0].base, j = position[1].base, i = position[2].base;
      Index from = kernel.e.min(j, least - 1);
      store(kernel, q, kernel.e.add(kernel.e.mul(matrix, q.each), kernel.e.add(kernel.e.mul(j, m), i)),
            loadAt(kernel, a, matrix, from, m, i));
    });
  });
  calls.call("orgqr", {dtype, m, k, least, x.count}, {q, tau, info});
  putFlat(calls, {columnsOf(q, m, k, m), triangleOf(columnsOf(a, k, n, m), /*isUpper=*/true)});
}

void eigh(LibraryCalls &calls) {
  Stack x(calls.op->getOperand(0));
  if (x.isEmpty()) return;
  bool isUpper = calls.words[0], hasVectors = calls.words[1];
  Part a = matricesOf(calls, x), values = calls.part(realType(x.dtype), x.rows, x.count), info = infoOf(calls, x);
  bring(calls, x, a, Order::Columns, /*isChecked=*/true);
  calls.call("syevd", {int64_t(x.dtype), hasVectors, isUpper, x.rows, x.count}, {a, values, info});
  check(calls, info, x.count, KILN_NOT_CONVERGED);
  std::vector<Piece> pieces = {vectorOf(values)};
  if (hasVectors) pieces.push_back(columnsOf(a, x.rows, x.rows, x.rows));
  putFlat(calls, pieces);
}

/// Complex eigenvectors of a real matrix: of a pair the first column has the real parts and the second one the imaginary parts.
static Piece joinPairs(const Part &values, const Part &parts, int64_t n) {
  return {n, n, [=](GpuKernel &k, Index matrix, Index i, Index j) {
            Expr turn = ir::imagPart(loadAt(k, values, matrix, 0, 0, j)), zero = constant(turn, 0);
            Expr isFirst = scalar::greater(turn, zero), isSecond = scalar::less(turn, zero);
            Expr one = loadAt(k, parts, matrix, j, n, i), next = loadAt(k, parts, matrix, k.e.min(k.e.add(j, 1), n - 1), n, i);
            Expr before = loadAt(k, parts, matrix, k.e.max(k.e.sub(j, 1), 0), n, i);
            Expr real = scalar::select(isSecond, before, one);
            return ir::makeComplex(real, scalar::select(isFirst, next, scalar::select(isSecond, -one, zero)));
          }};
}

void eig(LibraryCalls &calls) {
  Stack x(calls.op->getOperand(0));
  if (x.isEmpty()) return;
  bool hasVectors = calls.words[0];
  int64_t n = x.rows;
  Part a = matricesOf(calls, x), values = calls.part(complexType(realType(x.dtype)), n, x.count);
  Part vectors = calls.part(x.dtype, hasVectors ? n * n : 0, x.count), info = infoOf(calls, x);
  bring(calls, x, a, Order::Columns, /*isChecked=*/true);
  calls.call("geev", {int64_t(x.dtype), hasVectors, n, x.count}, {a, values, vectors, info});
  check(calls, info, x.count, KILN_NOT_CONVERGED);
  std::vector<Piece> pieces = {vectorOf(values)};
  if (hasVectors) pieces.push_back(isComplex(x.dtype) ? columnsOf(vectors, n, n, n) : joinPairs(values, vectors, n));
  putFlat(calls, pieces);
}

/// cuSOLVER takes matrices that are no wider than high: of others their transpose, whose left vectors are the right ones, transposed.
void svd(LibraryCalls &calls) {
  Stack x(calls.op->getOperand(0));
  int64_t m = x.rows, n = x.columns, most = std::max(m, n), least = x.least(), vectors = calls.words[0];
  int64_t left = vectors == 0 ? 0 : vectors == 1 ? least : m, right = vectors == 2 ? n : left, own = vectors == 2 ? most : least;
  if (!least) return putFlat(calls, {unitOf(x.dtype, m, left), unitOf(x.dtype, right, n)}); // of no values, the unit vectors
  if (!x.count) return;
  bool isWide = m < n;
  Part a = matricesOf(calls, x), values = calls.part(realType(x.dtype), least, x.count);
  Part u = calls.part(x.dtype, vectors ? most * own : 0, x.count), v = calls.part(x.dtype, vectors ? least * least : 0, x.count);
  Part info = infoOf(calls, x);
  bring(calls, x, a, isWide ? Order::Rows : Order::Columns, /*isChecked=*/true);
  calls.call("gesvd", {int64_t(x.dtype), vectors, most, least, x.count}, {a, values, u, v, info});
  check(calls, info, x.count, KILN_NOT_CONVERGED);
  std::vector<Piece> pieces = {vectorOf(values)};
  if (vectors && isWide) pieces.push_back(rowsOf(v, m, left, m)), pieces.push_back(rowsOf(u, right, n, n));
  else if (vectors) pieces.push_back(columnsOf(u, m, left, m)), pieces.push_back(columnsOf(v, right, n, n));
  putFlat(calls, pieces);
}

} // namespace library
} // namespace kiln::nvptx
