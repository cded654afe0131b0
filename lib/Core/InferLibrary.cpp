// The rules of ops that call a library, with sizes that are fixed: their workspaces follow them. Several results lie one behind the other
// along the last axis.
#include "lib/Core/Infer.h"

#include <algorithm>
#include <limits>

namespace kiln {

namespace {

/// The matrices in the last two axes of an operand.
struct Matrices {
  Dims batch;
  Wide rows, columns;

  /// An array of `count` elements for each matrix.
  TensorType flat(DType dtype, Wide count) const {
    TensorType result{dtype, batch};
    result.shape.push(int64_t(std::min<Wide>(count, std::numeric_limits<int64_t>::max())));
    return result;
  }
};

Matrices matricesOf(const InferArgs &args, size_t operand) {
  checkDType(args, operand);
  checkFixed(args);
  Matrices m{args.operands[operand].shape.numbers(), 0, 0};
  int rank = m.batch.rank;
  if (rank < 2) fail(ErrorKind::Shape, args.op, "rank of operand " + std::to_string(operand), "at least 2", std::to_string(rank));
  m.rows = m.batch[rank - 2];
  m.columns = m.batch[rank - 1];
  m.batch.rank = rank - 2;
  return m;
}

Matrices squareOf(const InferArgs &args, size_t operand) {
  Matrices m = matricesOf(args, operand);
  if (m.rows != m.columns)
    fail(ErrorKind::Shape, args.op, "operand " + std::to_string(operand), "square matrices", toString(args.operands[operand]));
  return m;
}

/// The points along an axis that is transformed.
int64_t pointsOf(const InferArgs &args, int64_t axis) {
  checkFixed(args);
  const Shape &shape = args.operands[0].shape;
  int64_t n = shape[axisOf(args, axis, shape.rank)].number();
  if (n < 1) fail(ErrorKind::Value, args.op, "points", "at least 1", std::to_string(n));
  return n;
}

} // namespace

TensorType inferCholesky(const InferArgs &args) {
  squareOf(args, 0);
  choiceOf(args, "upper", args.words[0], 2);
  return args.operands[0];
}

TensorType inferLu(const InferArgs &args) {
  Matrices m = squareOf(args, 0);
  return m.flat(args.operands[0].dtype, m.rows * m.rows + m.rows);
}

TensorType inferSolve(const InferArgs &args) {
  const TensorType &a = args.operands[0], &b = args.operands[1];
  Matrices left = squareOf(args, 0), right = matricesOf(args, 1);
  if (a.dtype != b.dtype) fail(ErrorKind::DType, args.op, "dtypes of operands differ", info(a.dtype).name, info(b.dtype).name);
  if (!(left.batch == right.batch) || left.rows != right.rows)
    fail(ErrorKind::Shape, args.op, "shape of b",
         "one matrix of " + std::to_string(int64_t(left.rows)) + " rows for each of " + toString(a), toString(b));
  return b;
}

TensorType inferQr(const InferArgs &args) {
  Matrices m = matricesOf(args, 0);
  Wide k = choiceOf(args, "complete", args.words[0], 2) ? m.rows : std::min(m.rows, m.columns);
  return m.flat(args.operands[0].dtype, m.rows * k + k * m.columns);
}

TensorType inferEigh(const InferArgs &args) {
  Matrices m = squareOf(args, 0);
  choiceOf(args, "upper", args.words[0], 2);
  return m.flat(args.operands[0].dtype, m.rows + (choiceOf(args, "vectors", args.words[1], 2) ? m.rows * m.rows : 0));
}

TensorType inferEig(const InferArgs &args) {
  Matrices m = squareOf(args, 0);
  return m.flat(complexType(realType(args.operands[0].dtype)),
                m.rows + (choiceOf(args, "vectors", args.words[0], 2) ? m.rows * m.rows : 0));
}

TensorType inferSvd(const InferArgs &args) {
  Matrices m = matricesOf(args, 0);
  Wide k = std::min(m.rows, m.columns);
  int64_t vectors = choiceOf(args, "vectors", args.words[0], 3);
  Wide left = vectors == 0 ? 0 : vectors == 1 ? k : m.rows, right = vectors == 2 ? m.columns : left;
  return m.flat(args.operands[0].dtype, k + m.rows * left + right * m.columns);
}

TensorType inferFft(const InferArgs &args) {
  checkDType(args, 0);
  unsigned seen = 0;
  WordReader reader{args.words};
  Dims axes = reader.dims();
  choiceOf(args, "inverse", reader.next(), 2);
  choiceOf(args, "norm", reader.next(), 3);
  if (axes.rank == 0) fail(ErrorKind::Axis, args.op, "axes", "at least one", "none");
  for (int64_t axis : axes) {
    pointsOf(args, axis);
    unsigned bit = 1u << axisOf(args, axis, args.operands[0].shape.rank);
    if (seen & bit) fail(ErrorKind::Axis, args.op, "axes", "axes named once", toString(axes));
    seen |= bit;
  }
  return args.operands[0];
}

TensorType inferRfft(const InferArgs &args) {
  checkDType(args, 0);
  choiceOf(args, "norm", args.words[1], 3);
  const TensorType &x = args.operands[0];
  TensorType result{complexType(x.dtype), x.shape};
  result.shape[axisOf(args, args.words[0], x.shape.rank)] = pointsOf(args, args.words[0]) / 2 + 1;
  return result;
}

TensorType inferIrfft(const InferArgs &args) {
  checkDType(args, 0);
  choiceOf(args, "norm", args.words[2], 3);
  const TensorType &x = args.operands[0];
  int64_t n = args.words[1], given = pointsOf(args, args.words[0]);
  if (n < 1 || given != n / 2 + 1)
    fail(ErrorKind::Shape, args.op, "frequencies", std::to_string(n / 2 + 1) + " for " + std::to_string(n) + " points",
         std::to_string(given));
  TensorType result{realType(x.dtype), x.shape};
  result.shape[axisOf(args, args.words[0], x.shape.rank)] = n;
  return result;
}

/// Two operands of one dtype that the record accepts, the second with the first axes of the other one but the last, which are batches.
static void checkSearch(const InferArgs &args, size_t line, size_t values) {
  checkDType(args, 0);
  checkFixed(args);
  const TensorType &a = args.operands[line], &b = args.operands[values];
  if (a.dtype != b.dtype)
    fail(ErrorKind::DType, args.op, "dtypes of operands differ", info(args.operands[0].dtype).name, info(args.operands[1].dtype).name);
  bool fits = a.shape.rank >= 1 && b.shape.rank >= a.shape.rank - 1;
  for (int i = 0; fits && i < a.shape.rank - 1; ++i) fits = a.shape[i] == b.shape[i];
  if (!fits) fail(ErrorKind::Shape, args.op, "shapes", "a vector, or one for each of the first axes", toString(a.shape));
}

TensorType inferSearchsorted(const InferArgs &args) {
  checkSearch(args, 0, 1);
  choiceOf(args, "right", args.words[0], 2);
  return {DType::I64, args.operands[1].shape};
}

TensorType inferIsin(const InferArgs &args) {
  checkSearch(args, 1, 0);
  return {DType::Bool, args.operands[0].shape};
}

TensorType inferGcd(const InferArgs &args) {
  checkDType(args, 0);
  checkFixed(args);
  const TensorType &x = args.operands[0], &y = args.operands[1];
  if (x.dtype != y.dtype) fail(ErrorKind::DType, args.op, "dtypes of operands differ", info(x.dtype).name, info(y.dtype).name);
  if (!(x.shape == y.shape)) fail(ErrorKind::Shape, args.op, "shape of y", toString(x.shape), toString(y.shape));
  return x;
}

} // namespace kiln
