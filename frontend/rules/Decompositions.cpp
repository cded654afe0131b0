// Decompositions of the last two axes. Factors that only the phase of columns tells apart have the derivative that keeps it, of svd that
// which turns both alike; where values repeat, what divides by their difference is left out.
#include "frontend/Transform.h"
#include "frontend/rules/Table.h"

#include <cmath>

namespace kiln::rules {
namespace {

int64_t rowsOf(const Array &x) { return x.shape[x.shape.rank - 2]; }
int64_t columnsOf(const Array &x) { return x.shape[x.shape.rank - 1]; }
Array swapped(const Array &x) { return moveAxis(x, x.shape.rank - 2, x.shape.rank - 1); }
Array adjoint(const Array &x) { return conj(swapped(x)); }
Array hermitian(const Array &x) { return (x + adjoint(x)) * 0.5; }
Array solveLeft(const Array &a, const Array &b) { return applyOp(Op::Solve, {&a, &b}, {}); } // a \ b
Array solveRight(const Array &b, const Array &a) { return adjoint(solveLeft(adjoint(a), adjoint(b))); }

/// Whether row minus column is at least (or at most) `offset`.
Array triangleMask(const Array &x, Op comparison, int64_t offset) {
  Dims shape = {rowsOf(x), columnsOf(x)};
  Array row = positions(x, shape, 0), column = positions(x, shape, 1);
  return call(comparison, {row, column + filled(column, {}, offset)});
}
Array lower(const Array &x, int64_t offset = 0) { return choose(triangleMask(x, Op::GreaterEqual, offset), x, 0.); }
Array upper(const Array &x) { return choose(triangleMask(x, Op::LessEqual, 0), x, 0.); }
Array onDiagonal(const Array &x) { return choose(triangleMask(x, Op::Equal, 0), x, 0.); }
/// The lower triangle with half of the diagonal.
Array halved(const Array &x) { return lower(x) - onDiagonal(x) * 0.5; }
Array diagonalOf(const Array &x) { return sum(onDiagonal(x), {x.shape.rank - 1}); }
/// A vector as the diagonal of a matrix.
Array asDiagonal(const Array &v) {
  Array rows = withAxis(v, v.shape.rank - 1, v.shape[v.shape.rank - 1]);
  return onDiagonal(rows);
}
/// Each column (row) times an element of a vector.
Array timesColumns(const Array &x, const Array &v) { return x * withAxis(v, v.shape.rank - 1); }
/// 1 / x, 0 for 0.
Array inverseOrZero(const Array &x) {
  Array isZero = equal(x, 0.);
  return choose(isZero, 0., call(Op::Reciprocal, {choose(isZero, 1., x)}));
}
/// 1 / (v(j) - v(i)) at row i and column j; 0 for values that are equal but for how LAPACK rounds them.
Array inverseDifferences(const Array &v) {
  int last = v.shape.rank - 1;
  auto n = double(v.shape[last]);
  Array difference = withAxis(v, last) - withAxis(v, last + 1);
  if (n == 0) return difference;
  double eps = v.dtype == DType::F64 || v.dtype == DType::C128 ? 0x1p-52 : 0x1p-23;
  Array largest = reduce(Op::Max, call(Op::Abs, {stopGradient(v)}), Dims{last}, true);
  Array isEqual = call(Op::LessEqual, {call(Op::Abs, {stopGradient(difference)}), withAxis(largest * (4 * std::sqrt(n) * eps), last)});
  return choose(isEqual, 0., call(Op::Reciprocal, {choose(isEqual, 1., difference)}));
}

/// Parts of a result that lie one behind the other along the last axis.
class Parts {
public:
  explicit Parts(const Array &flat) : flat(flat) {}
  Array vector(int64_t size) { return next(size, {size}); }
  Array matrix(int64_t rows, int64_t columns) { return next(rows * columns, {rows, columns}); }

private:
  Array flat;
  int64_t at = 0;
  Array next(int64_t size, std::initializer_list<int64_t> sizes) {
    int last = flat.shape.rank - 1;
    Dims shape = flat.shape;
    shape.erase(last);
    for (int64_t n : sizes) shape.push(n);
    at += size;
    return reshape(part(flat, last, at - size, size), shape);
  }
};
/// The same put together; matrices have two of the axes of the operand.
Array joined(DType dtype, const Array &vector, std::initializer_list<Array> matrices) {
  std::vector<Array> all = {cast(vector, dtype)};
  for (const Array &m : matrices) all.push_back(mergeAxes(m, m.shape.rank - 2, 2));
  std::vector<const Array *> pointers;
  for (const Array &a : all) pointers.push_back(&a);
  return concat(pointers, vector.shape.rank - 1);
}

//===-- what the rules of one op share ------------------------------------------------------------------------------===//

struct Eigen {
  Array values, vectors, inverse; // 1 / differences
  bool hasVectors;
  int64_t n;
  /// Of a result of eigenvalues alone, the vectors are computed.
  Eigen(const Applied &o, size_t flag) : hasVectors(o.words[flag]), n(columnsOf(*o.operands[0])) {
    std::vector<int64_t> words(o.words.begin(), o.words.end());
    words[flag] = 1;
    Parts parts(hasVectors ? *o.result : applyOp(o.op, o.operands, words));
    values = parts.vector(n);
    if (o.op == Op::Eigh) values = realPart(values);
    vectors = parts.matrix(n, n);
    inverse = inverseDifferences(values);
  }
};

struct Svd {
  Array u, s, vh;
  bool hasVectors;
  int64_t m, n, k;
  explicit Svd(const Applied &o) : hasVectors(o.words[0]), m(rowsOf(*o.operands[0])), n(columnsOf(*o.operands[0])), k(std::min(m, n)) {
    if (o.words[0] == 2 && m != n)
      fail(ErrorKind::Value, "svd", "gradient", "as many vectors as values, or a square matrix",
           "all vectors of " + toString(o.operands[0]->shape));
    int64_t word = 1;
    Parts parts(hasVectors ? *o.result : applyOp(Op::Svd, o.operands, {&word, 1}));
    s = realPart(parts.vector(k));
    u = parts.matrix(m, k);
    vh = parts.matrix(k, n);
  }
  Array v() const { return adjoint(vh); }
  /// How much of two matrices turns the vectors of both sides alike, and how much against each other: the latter is there where values
  /// repeat.
  Array alike(const Array &x) const { return x * inverseDifferences(s) * 0.5; }
  Array against(const Array &x) const { return x * inverseOrZero(withAxis(s, s.shape.rank - 1) + withAxis(s, s.shape.rank)) * 0.5; }
};

/// The first square of a wide matrix is decomposed, the rest follows.
struct Qr {
  Array q, r; // of the square part, or of a tall matrix
  int64_t m, n, k;
  explicit Qr(const Applied &o) : m(rowsOf(*o.operands[0])), n(columnsOf(*o.operands[0])), k(std::min(m, n)) {
    if (o.words[0] && m > n)
      fail(ErrorKind::Value, "qr", "gradient", "as many columns of Q as the matrix has", "a square Q of " + toString(o.operands[0]->shape));
    Parts parts(*o.result);
    q = parts.matrix(m, k);
    r = columns(parts.matrix(k, n), 0, k);
  }
  static Array columns(const Array &x, int64_t first, int64_t count) { return part(x, x.shape.rank - 1, first, count); }
  /// What an upper triangle and a skew part make of a matrix, and the transpose of that.
  static Array triangular(const Array &x) { return upper(x) + adjoint(lower(x, 1)) - imaginaryDiagonal(x); }
  static Array transposed(const Array &x) { return upper(x) + adjoint(upper(x)) - onDiagonal(adjoint(x)) - imaginaryDiagonal(x); }

private:
  static Array imaginaryDiagonal(const Array &x) { return isComplex(x.dtype) ? onDiagonal((x - adjoint(x)) * 0.5) : zerosLike(x); }
};

} // namespace

//===-- factors -----------------------------------------------------------------------------------------------------===//

void vjp::cholesky(const Applied &o, const Array &ct, Gradients &g) {
  bool isUpper = o.words[0];
  Array factor = isUpper ? adjoint(*o.result) : *o.result, by = isUpper ? adjoint(ct) : ct;
  Array middle = halved(matmul(adjoint(factor), by));
  g.set(0, hermitian(solveRight(solveLeft(adjoint(factor), middle), factor)));
}
Array jvp::cholesky(const Applied &o, std::span<const Array *const> t) {
  bool isUpper = o.words[0];
  Array factor = isUpper ? adjoint(*o.result) : *o.result;
  Array middle = solveRight(solveLeft(factor, hermitian(*t[0])), adjoint(factor)), result = matmul(factor, halved(middle));
  return isUpper ? adjoint(result) : result;
}

/// Exchanges of rows go with the matrix: lower and upper factor are of u * (x \ t) / u.
void vjp::lu(const Applied &o, const Array &ct, Gradients &g) {
  const Array &x = *o.operands[0];
  int64_t n = columnsOf(x);
  Array both = Parts(*o.result).matrix(n, n), by = Parts(ct).matrix(n, n), u = upper(both);
  Array l = choose(triangleMask(both, Op::Equal, 0), 1., lower(both));
  Array middle = lower(matmul(adjoint(l), lower(by, 1)), 1) + upper(matmul(upper(by), adjoint(u)));
  g.set(0, solveLeft(adjoint(x), solveRight(matmul(adjoint(u), middle), adjoint(u))));
}
Array jvp::lu(const Applied &o, std::span<const Array *const> t) {
  const Array &x = *o.operands[0];
  int64_t n = columnsOf(x);
  Array both = Parts(*o.result).matrix(n, n), u = upper(both), l = choose(triangleMask(both, Op::Equal, 0), 1., lower(both));
  Array middle = solveRight(matmul(u, solveLeft(x, *t[0])), u);
  Array factors = mergeAxes(matmul(l, lower(middle, 1)) + matmul(upper(middle), u), x.shape.rank - 2, 2);
  Dims shape = factors.shape;
  shape[shape.rank - 1] = n;
  Array pivots = zeros(factors, shape);
  const Array *all[] = {&factors, &pivots};
  return concat(all, shape.rank - 1);
}

void vjp::solve(const Applied &o, const Array &ct, Gradients &g) {
  Array by = solveLeft(adjoint(*o.operands[0]), ct);
  if (g.wants(0)) g.set(0, -Term(matmul(by, adjoint(*o.result))));
  if (g.wants(1)) g.set(1, by);
}
Array jvp::solve(const Applied &o, std::span<const Array *const> t) {
  if (!t[0]) return solveLeft(*o.operands[0], *t[1]);
  Array moved = matmul(*t[0], *o.result);
  return solveLeft(*o.operands[0], t[1] ? *t[1] - moved : -Term(moved));
}

void vjp::qr(const Applied &o, const Array &ct, Gradients &g) {
  Qr f(o);
  Parts parts(ct);
  Array byQ = parts.matrix(f.m, f.k), byR = parts.matrix(f.k, f.n), bySquare = Qr::columns(byR, 0, f.k);
  Array rest;
  if (f.n > f.k) { // the other columns are multiplied with the adjoint of Q
    Array byRest = Qr::columns(byR, f.k, f.n - f.k);
    byQ = byQ + matmul(Qr::columns(*o.operands[0], f.k, f.n - f.k), adjoint(byRest));
    rest = matmul(f.q, byRest);
  }
  Array middle = Qr::transposed(matmul(bySquare, adjoint(f.r)) - matmul(adjoint(f.q), byQ));
  Array square = solveRight(byQ + matmul(f.q, middle), adjoint(f.r));
  const Array *all[] = {&square, &rest};
  g.set(0, f.n > f.k ? concat(all, square.shape.rank - 1) : square);
}
Array jvp::qr(const Applied &o, std::span<const Array *const> t) {
  Qr f(o);
  Array scaled = solveRight(Qr::columns(*t[0], 0, f.k), f.r), middle = Qr::triangular(matmul(adjoint(f.q), scaled));
  Array q = scaled - matmul(f.q, middle), r = matmul(middle, f.r);
  if (f.n > f.k) {
    Array rest = matmul(adjoint(q), Qr::columns(*o.operands[0], f.k, f.n - f.k)) + matmul(adjoint(f.q), Qr::columns(*t[0], f.k, f.n - f.k));
    const Array *all[] = {&r, &rest};
    r = concat(all, r.shape.rank - 1);
  }
  return joined(q.dtype, mergeAxes(q, q.shape.rank - 2, 2), {r});
}

//===-- values and vectors ------------------------------------------------------------------------------------------===//

void vjp::eigh(const Applied &o, const Array &ct, Gradients &g) {
  Eigen f(o, 1);
  Parts parts(ct);
  Array middle = asDiagonal(realPart(parts.vector(f.n)));
  if (f.hasVectors) middle = middle + matmul(adjoint(f.vectors), parts.matrix(f.n, f.n)) * f.inverse;
  g.set(0, hermitian(matmul(matmul(f.vectors, kiln::cast(middle, ct.dtype)), adjoint(f.vectors))));
}
Array jvp::eigh(const Applied &o, std::span<const Array *const> t) {
  Eigen f(o, 1);
  Array middle = matmul(matmul(adjoint(f.vectors), hermitian(*t[0])), f.vectors), values = realPart(diagonalOf(middle));
  if (!f.hasVectors) return kiln::cast(values, t[0]->dtype);
  return joined(t[0]->dtype, values, {matmul(f.vectors, middle * f.inverse)});
}

/// Vectors are of length 1: what is along themselves is left out.
void vjp::eig(const Applied &o, const Array &ct, Gradients &g) {
  Eigen f(o, 0);
  Parts parts(ct);
  Array middle = asDiagonal(parts.vector(f.n));
  if (f.hasVectors) {
    Array by = parts.matrix(f.n, f.n), along = realPart(diagonalOf(matmul(adjoint(f.vectors), by)));
    middle = middle + matmul(adjoint(f.vectors), by - timesColumns(f.vectors, along)) * conj(f.inverse);
  }
  Array result = matmul(solveLeft(adjoint(f.vectors), middle), adjoint(f.vectors));
  g.set(0, isComplex(o.operands[0]->dtype) ? result : realPart(result));
}
Array jvp::eig(const Applied &o, std::span<const Array *const> t) {
  Eigen f(o, 0);
  DType dtype = f.vectors.dtype;
  Array middle = solveLeft(f.vectors, matmul(kiln::cast(*t[0], dtype), f.vectors)), values = diagonalOf(middle);
  if (!f.hasVectors) return values;
  Array moved = matmul(f.vectors, middle * f.inverse), along = realPart(diagonalOf(matmul(adjoint(f.vectors), moved)));
  return joined(dtype, values, {moved - timesColumns(f.vectors, along)});
}

void vjp::svd(const Applied &o, const Array &ct, Gradients &g) {
  Svd f(o);
  Parts parts(ct);
  Array v = f.v(), middle = asDiagonal(realPart(parts.vector(f.k)));
  Array perValue = inverseOrZero(f.s), beside;
  if (f.hasVectors) {
    Array byU = parts.matrix(f.m, f.k), byV = adjoint(parts.matrix(f.k, f.n));
    Array alongU = matmul(adjoint(f.u), byU), alongV = matmul(adjoint(v), byV);
    Array turnU = alongU - adjoint(alongU), turnV = alongV - adjoint(alongV);
    middle = middle + f.alike(turnU + turnV) + f.against(turnU - turnV);
    beside = zerosLike(*o.operands[0]);
    if (f.m > f.k) beside = beside + matmul(timesColumns(byU - matmul(f.u, alongU), perValue), f.vh);
    if (f.n > f.k) beside = beside + matmul(timesColumns(f.u, perValue), adjoint(byV - matmul(v, alongV)));
  }
  Array result = matmul(matmul(f.u, kiln::cast(middle, ct.dtype)), f.vh);
  g.set(0, f.hasVectors ? result + beside : result);
}
Array jvp::svd(const Applied &o, std::span<const Array *const> t) {
  Svd f(o);
  const Array &dx = *t[0];
  Array v = f.v(), middle = matmul(matmul(adjoint(f.u), dx), v), values = realPart(diagonalOf(middle));
  if (!f.hasVectors) return kiln::cast(values, dx.dtype);
  Array perValue = inverseOrZero(f.s), alike = f.alike(middle + adjoint(middle)), against = f.against(middle - adjoint(middle));
  Array du = matmul(f.u, alike + against), dv = matmul(v, alike - against);
  if (f.m > f.k) {
    Array beside = matmul(dx, v);
    du = du + timesColumns(beside - matmul(f.u, matmul(adjoint(f.u), beside)), perValue);
  }
  if (f.n > f.k) {
    Array beside = matmul(adjoint(dx), f.u);
    dv = dv + timesColumns(beside - matmul(v, matmul(f.vh, beside)), perValue);
  }
  return joined(dx.dtype, values, {du, adjoint(dv)});
}

} // namespace kiln::rules
