// Joins, selections, reductions and products.
#include "frontend/OpsShared.h"

#include <utility>

namespace kiln {

//===-- joins and selections ----------------------------------------------------------------------------------------===//

Array concat(std::span<const Array *const> arrays, int64_t axis) {
  if (areMixed(arrays)) return concat(Together("concat", arrays).operands(), axis);
  DType dtype = arrays.empty() ? defaultFloat() : arrays[0]->dtype;
  for (const Array *a : arrays)
    if (!promoteArrays(dtype, a->dtype, dtype))
      fail(ErrorKind::DType, "concat", "dtypes have no common one", info(dtype).name, info(a->dtype).name);
  std::vector<Array> parts;
  std::vector<const Array *> pointers;
  std::vector<TensorType> types;
  for (const Array *a : arrays) parts.push_back(cast(*a, dtype));
  for (const Array &a : parts) {
    pointers.push_back(&a);
    types.push_back(a.type());
  }
  int64_t word = types.empty() ? axis : normalizeAxis("concat", axis, types[0].shape.rank);
  TensorType type = infer(Op::Concat, types, {&word, 1});
  if (isAnyApart(pointers)) return apply({Op::Concat, pointers, {&word, 1}, type});
  Array result = Array::empty(type.dtype, type.shape.numbers());
  int64_t at = 0;
  for (const Array &part : parts) {
    Array target = result;
    target.shape = part.shape;
    target.offset = at * result.strides[int(word)];
    eager::stridedCopy(target, {part.data(), part.dtype, part.strides});
    at += part.shape[int(word)];
  }
  return result;
}

//===-- reductions and products -------------------------------------------------------------------------------------===//

/// Where the order does not show: the axes in the order in which they lie in memory, and which of them `axes` are then.
static void inMemoryOrder(Op op, Array &x, Dims &axes) {
  if (x.isContiguous || info(op).blocked) return;
  Dims order;
  for (int i = 0; i < x.shape.rank; ++i) {
    int at = i;
    while (at > 0 && x.strides[int(order[at - 1])] < x.strides[i]) --at;
    order.insert(at, i);
  }
  // Those that stay must be in their order.
  unsigned gone = 0;
  for (int64_t a : axes) gone |= 1u << a;
  int64_t last = -1;
  for (int64_t a : order)
    if (!(gone >> a & 1) && std::exchange(last, a) > a) return;
  Array turned = transpose(x, order);
  if (!turned.isContiguous) return;
  Dims moved;
  for (int i = 0; i < order.rank; ++i)
    if (gone >> order[i] & 1) moved.push(i);
  x = turned, axes = moved;
}

/// One run of neighbouring axes after the other, the last first: the order of kiln-simplify.
static Array reduceRuns(Op op, Array x, const Dims &axes) {
  int last = axes.rank;
  while (last > 0) {
    int first = last - 1;
    while (first > 0 && axes[first - 1] == axes[first] - 1) --first;
    Dims merged, rest;
    int64_t size = 1;
    int axis = int(axes[first]);
    for (int i = first; i < last; ++i) size *= x.shape[int(axes[i])];
    for (int i = 0; i < x.shape.rank; ++i)
      if (i == axis) merged.push(size);
      else if (i < axis || i > axes[last - 1]) merged.push(x.shape[i]);
    rest = merged;
    rest.erase(axis);
    x = reshape(contiguous(x), merged);
    Array result = Array::empty(x.dtype, rest);
    eager::reduce(op, x, axis, result);
    x = result;
    last = first;
  }
  return x;
}

static Dims keptShape(const Dims &shape, const Dims &axes) {
  Dims kept = shape;
  for (int64_t a : axes) kept[int(a)] = 1;
  return kept;
}

Array reduce(Op op, const Array &x, std::optional<Dims> given, bool keepDims) {
  const char *name = info(op).name;
  // Narrow floats accumulate in float32 and are rounded once; the sum of complex numbers has the sums of their parts.
  if (isNarrow(x.dtype) && !isStorage(x.dtype)) {
    Array wide = reduce(op, cast(x, DType::F32), given, keepDims);
    return info(op).kind == Kind::Argreduce ? wide : cast(wide, x.dtype);
  }
  if (isComplex(x.dtype) && op == Op::Sum)
    return joinParts(reduce(op, partOf(x, false), given, keepDims), reduce(op, partOf(x, true), given, keepDims));
  bool isArg = info(op).kind == Kind::Argreduce;
  Array source = x;
  if (!given && isArg && x.shape.rank != 1) source = reshape(x, {x.size()});
  Dims axes;
  if (!given) {
    for (int i = 0; i < source.shape.rank; ++i) axes.push(i);
  } else {
    unsigned seen = 0;
    for (int64_t a : *given) {
      int axis = normalizeAxis(name, a, x.shape.rank);
      if (seen >> axis & 1) fail(ErrorKind::Axis, name, "axes", "each axis once", toString(*given));
      seen |= 1u << axis;
    }
    for (int i = 0; i < x.shape.rank; ++i)
      if (seen >> i & 1) axes.push(i);
  }
  std::vector<int64_t> words;
  if (isArg) words = {axes.rank ? axes[0] : 0};
  else appendWords(words, axes);
  TensorType type = source.type();
  if (isArg && source.shape.rank == 0) source = reshape(x, {1}), type = source.type();
  TensorType resultType = infer(op, {&type, 1}, words);
  Array result;
  std::optional<Array> total;
  if (hasMode() && !isArg && axes.rank && axes.rank == x.shape.rank) total = Mode::current()->applyTotal(op, x);
  if (total) {
    result = std::move(*total);
  } else if (isApart(source)) {
    result = apply(op, {&source}, words, resultType);
  } else if (isArg) {
    result = Array::empty(resultType.dtype, resultType.shape.numbers());
    Array whole = withOwnCell(contiguous(source));
    Running running(whole.size());
    eager::reduce(op, whole, int(words[0]), result);
  } else {
    source = withOwnCell(source);
    Dims inSource = axes;
    inMemoryOrder(op, source, inSource);
    Running running(source.size());
    result = axes.rank ? reduceRuns(op, source, inSource) : copy(source);
  }
  if (!keepDims) return result;
  Dims all;
  for (int i = 0; i < x.shape.rank; ++i) all.push(i);
  return reshape(result, keptShape(x.shape, given ? axes : all));
}

/// (a + ib)(c + id) by four real products.
static Array complexDot(const Array &x, const Array &y, const Dims &xBatch, const Dims &yBatch, int64_t xAxis, int64_t yAxis) {
  auto dot = [&](bool i, bool j) { return dotGeneral(contiguous(partOf(x, i)), contiguous(partOf(y, j)), xBatch, yBatch, xAxis, yAxis); };
  auto apply = [](Op op, const Array &a, const Array &b) {
    Operand operands[] = {{Operand::IsArray, &a}, {Operand::IsArray, &b}};
    return applyElementwise(op, operands);
  };
  return joinParts(apply(Op::Subtract, dot(false, false), dot(true, true)), apply(Op::Add, dot(false, true), dot(true, false)));
}

/// Whether the batch axes come first, and at most one other beside the contracted one follows.
static bool isMatrices(const Array &x, const Dims &batch) {
  for (int i = 0; i < batch.rank; ++i)
    if (batch[i] != i) return false;
  return x.shape.rank <= batch.rank + 2;
}

/// The batch axes, then one axis of all that are free, if any, and the contracted one: behind it where it was behind all of them, which is
/// what the order of the sums asks.
struct AsMatrices {
  Array array;
  int axis; // contracted

  AsMatrices(const Array &x, const Dims &batch, int contracted) : axis(batch.rank) {
    Dims order = batch, shape, free;
    unsigned used = 1u << contracted;
    int64_t rows = 1;
    for (int64_t b : batch) used |= 1u << b, shape.push(x.shape[int(b)]);
    for (int i = 0; i < x.shape.rank; ++i)
      if (!(used >> i & 1)) free.push(i), rows *= x.shape[i];
    bool isLast = free.rank && free[free.rank - 1] < contracted;
    if (isLast) ++axis, shape.push(rows);
    shape.push(x.shape[contracted]);
    if (!isLast) order.push(contracted);
    for (int64_t i : free) order.push(i);
    if (isLast) order.push(contracted);
    else if (free.rank) shape.push(rows);
    array = reshape(transpose(x, order), shape);
  }
};

/// A strided vector beside a matrix in rows is copied: the order of the sums is the same, and nothing is loaded element by element.
static Array besideRows(Array vector, const Array &matrix) {
  vector.updateContiguous();
  return matrix.strides[1] == 1 && vector.strides[0] != 1 ? copy(vector) : vector;
}

/// Batch axes, from the last on, along which `y` repeats and the matrices of `x` lie one behind the other: they are more rows of one
/// product.
struct MoreRows {
  int batches; // that are left
  int64_t rows, step;

  MoreRows(const Array &x, const Array &y, int given) : batches(given), rows(x.shape[given]), step(x.strides[given]) {
    for (; batches > 0; --batches) {
      int64_t n = x.shape[batches - 1], stride = x.strides[batches - 1];
      if (y.strides[batches - 1] != 0 && y.shape[batches - 1] != 1) return;
      if (n == 1) continue;
      if (rows == 1) step = stride;
      else if (stride != rows * step) return;
      rows *= n;
    }
  }
  /// x[..., i, k] with these rows, and y without the axes.
  Array left(Array x, int axis) const {
    int64_t size = x.shape[axis], stride = x.strides[axis];
    x.shape.rank = x.strides.rank = batches;
    for (int64_t n : {rows, size}) x.shape.push(n);
    for (int64_t s : {step, stride}) x.strides.push(s);
    x.updateContiguous();
    return x;
  }
  Array right(Array y, int given) const {
    for (int i = given; i > batches; --i) y.shape.erase(i - 1), y.strides.erase(i - 1);
    y.updateContiguous();
    return y;
  }
};

/// The batch axes as one, if they have one step.
static std::optional<Array> withOneBatch(Array x, int batches) {
  int64_t count = 1, step = 0;
  for (int i = batches - 1; i >= 0; --i) {
    if (x.shape[i] == 1) continue;
    if (count == 1) step = x.strides[i];
    else if (x.strides[i] != step * count) return std::nullopt;
    count *= x.shape[i];
  }
  for (int i = 0; i < batches; ++i) x.shape.erase(0), x.strides.erase(0);
  x.shape.insert(0, count), x.strides.insert(0, step);
  return x;
}

/// Many small products, or dot products of rows, by one kernel; false where it knows no such form.
static bool multiplyEach(const Array &x, const Array &y, const Array &result, int batches, int64_t xAxis, int64_t yAxis) {
  constexpr int64_t kSmall = 32 * 32 * 32; // to multiply: larger ones have kernels that know more of one product
  bool isRows = x.shape.rank == batches + 1 && y.shape.rank == batches + 1;
  if (!isRows && (x.shape.rank != batches + 2 || y.shape.rank != batches + 2 || xAxis != batches + 1 || yAxis != batches)) return false;
  int xLast = x.shape.rank - 1, yLast = y.shape.rank - 1;
  if (batches == 0 || x.strides[xLast] != 1 || y.strides[yLast] != 1) return false;
  if (!isRows && x.shape[batches] * x.shape[xLast] * y.shape[yLast] > kSmall) return false;
  auto left = withOneBatch(x, batches), right = withOneBatch(y, batches);
  if (!left || !right) return false;
  eager::eachProduct(*left, *right, result);
  return true;
}

/// Rows of a matrix that are shorter than a kernel of one vector pays for: each times the vector, as rows of two matrices are.
static bool areShortRows(const Array &matrix, int axis, const Array &vector) {
  constexpr int64_t kShort = 32;
  return axis == 1 && matrix.strides[1] == 1 && vector.strides[0] == 1 && matrix.shape[1] <= kShort && matrix.shape[0] > 1;
}

Array dotGeneral(const Array &x, const Array &y, const Dims &xBatch, const Dims &yBatch, int64_t xAxis, int64_t yAxis) {
  if (areMixed(x, y)) {
    Together both("matmul", {&x, &y});
    return dotGeneral(both[0], both[1], xBatch, yBatch, xAxis, yAxis);
  }
  if (isComplex(x.dtype) && x.dtype == y.dtype) return complexDot(x, y, xBatch, yBatch, xAxis, yAxis);
  if (isNarrow(x.dtype) && x.dtype == y.dtype && !isStorage(x.dtype))
    return cast(dotGeneral(cast(x, DType::F32), cast(y, DType::F32), xBatch, yBatch, xAxis, yAxis), x.dtype);
  std::vector<int64_t> words;
  appendWords(words, xBatch);
  appendWords(words, yBatch);
  words.insert(words.end(), {normalizeAxis("matmul", xAxis, x.shape.rank), normalizeAxis("matmul", yAxis, y.shape.rank)});
  TensorType types[] = {x.type(), y.type()};
  TensorType type = infer(Op::DotGeneral, types, words);
  if (isApart(x, y)) return apply(Op::DotGeneral, {&x, &y}, words, type);
  if (!x.shape[int(words[words.size() - 2])]) return full(type.shape.numbers(), type.dtype, {}); // sums of nothing
  if (!isMatrices(x, xBatch) || !isMatrices(y, yBatch)) {
    Dims batch;
    for (int i = 0; i < xBatch.rank; ++i) batch.push(i);
    AsMatrices a(x, xBatch, int(words[words.size() - 2])), b(y, yBatch, int(words.back()));
    return reshape(dotGeneral(a.array, b.array, batch, batch, a.axis, b.axis), type.shape.numbers());
  }
  int b = xBatch.rank;
  if (x.shape.rank == b + 2 && words[words.size() - 2] == b + 1 && y.shape.rank > b)
    if (MoreRows more(x, y, b); more.batches < b) {
      Dims batch;
      for (int i = 0; i < more.batches; ++i) batch.push(i);
      Array left = more.left(x, b + 1), right = more.right(y, b);
      return reshape(dotGeneral(left, right, batch, batch, more.batches + 1, words.back() - (b - more.batches)), type.shape.numbers());
    }
  Array result = Array::empty(type.dtype, type.shape.numbers()), xs = withOwnCell(x), ys = withOwnCell(y);
  int64_t batches = 1;
  for (int i = 0; i < b; ++i) batches *= type.shape[i].number();
  Running running(result.size() * x.shape[int(words[words.size() - 2])]);
  if (multiplyEach(xs, ys, result, b, words[words.size() - 2], words.back())) return result;
  // One product for each position of the batch axes, which come first.
  auto without = [&](const Array &a, int64_t at) {
    Array part = a;
    part.shape = part.strides = {};
    for (int i = b - 1; i >= 0; --i) part.offset += at % a.shape[i] * a.strides[i], at /= a.shape[i];
    for (int i = b; i < a.shape.rank; ++i) part.shape.push(a.shape[i]), part.strides.push(a.strides[i]);
    return part;
  };
  int xk = int(words[words.size() - 2]) - b, yk = int(words.back()) - b;
  for (int64_t i = 0; i < batches; ++i) {
    Array p = without(xs, i), q = without(ys, i), r = without(result, i);
    if (p.shape.rank == 1 && q.shape.rank == 1) { // the second as a matrix of one row
      q.shape.insert(0, 1), q.strides.insert(0, q.shape[1]);
      eager::vectorProduct(q, 1, p, r);
    } else if (p.shape.rank == 1) {
      eager::vectorProduct(q, yk, besideRows(p, q), r);
    } else if (q.shape.rank == 1 && areShortRows(p, xk, q)) {
      q.shape = p.shape, q.strides = {0, 1};
      eager::eachProduct(p, q, r);
    } else if (q.shape.rank == 1) {
      eager::vectorProduct(p, xk, besideRows(q, p), r);
    } else {
      auto swap = [](Array &a) { std::swap(a.shape[0], a.shape[1]), std::swap(a.strides[0], a.strides[1]); };
      if (xk == 0) swap(p);
      if (yk == 1) swap(q);
      eager::matrixProduct(p, q, r);
    }
  }
  return result;
}

Array matmul(const Array &a, const Array &b) {
  if (areMixed(a, b)) {
    Together both("matmul", {&a, &b});
    return matmul(both[0], both[1]);
  }
  if (a.shape.rank == 0 || b.shape.rank == 0)
    fail(ErrorKind::Shape, "matmul", "rank of the operands", "at least 1", toString(a.type()) + " and " + toString(b.type()));
  DType dtype;
  if (!promoteArrays(a.dtype, b.dtype, dtype))
    fail(ErrorKind::DType, "matmul", "dtypes have no common one", info(a.dtype).name, info(b.dtype).name);
  if (dtype == DType::Bool) return cast(matmul(cast(a, DType::F32), cast(b, DType::F32)), dtype); // or of ands: no sum of ones is 0
  Array x = cast(a, dtype), y = cast(b, dtype);
  int xk = x.shape.rank - 1, yk = y.shape.rank == 1 ? 0 : y.shape.rank - 2;
  if (x.shape[xk] != y.shape[yk])
    fail(ErrorKind::Shape, "matmul", "contracted dimensions differ",
         std::to_string(x.shape[xk]) + " (last of x: " + toString(x.type()) + ")",
         std::to_string(y.shape[yk]) + " (" + (y.shape.rank == 1 ? "first" : "second to last") + " of y: " + toString(y.type()) + ")");
  if (auto product = complexProduct(x, y)) return std::move(*product);
  // Batch axes broadcast against each other; a vector has none.
  auto batchOf = [](const Array &t) {
    Dims batch;
    for (int i = 0; i + 2 < t.shape.rank; ++i) batch.push(t.shape[i]);
    return batch;
  };
  Dims batch = broadcastShapes("matmul", batchOf(x), batchOf(y)), axes;
  for (int i = 0; i < batch.rank; ++i) axes.push(i);
  auto widen = [&](const Array &t) {
    Dims shape = batch;
    for (int i = std::max(0, t.shape.rank - 2); i < t.shape.rank; ++i) shape.push(t.shape[i]);
    return shape == t.shape ? t : broadcastTo(t, shape);
  };
  if (batch.rank == 0) return dotGeneral(x, y, {}, {}, xk, yk);
  x = widen(x), y = widen(y);
  return dotGeneral(x, y, axes, axes, x.shape.rank - 1, y.shape.rank - (b.shape.rank == 1 ? 1 : 2));
}

} // namespace kiln
