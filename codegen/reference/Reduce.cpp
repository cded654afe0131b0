// Reductions and contractions in the orders of docs/numerics.md.
#include "codegen/reference/Interpreter.h"
#include "dialects/kiln/math/Apply.h"

#include <functional>

namespace kiln::reference {
namespace {

using Line = std::vector<Number>;
using Join = std::function<Number(Number, Number)>;

Number pairwise(Line parts, const Join &join) {
  while (parts.size() > 1) {
    Line next;
    for (size_t i = 0; i < parts.size(); i += 2) next.push_back(i + 1 < parts.size() ? join(parts[i], parts[i + 1]) : parts[i]);
    parts = std::move(next);
  }
  return parts[0];
}

/// Steps of a line: element k of a block goes to lane k mod 32; lanes join by a halving tree, blocks pairwise.
Number rowOrder(int64_t n, Number start, const std::function<Number(Number, int64_t)> &step, const Join &join) {
  Line blocks;
  for (int64_t first = 0; first < n; first += 8192) {
    int64_t last = std::min<int64_t>(n, first + 8192);
    // A line shorter than 32 has as many lanes as the next power of two.
    Line lanes(size_t(std::min<int64_t>(32, int64_t(std::bit_ceil(uint64_t(n))))), start);
    for (int64_t k = first; k < last; ++k) {
      Number &lane = lanes[size_t(k - first) % lanes.size()];
      lane = step(lane, k);
    }
    for (size_t half = lanes.size() / 2; half >= 1; half /= 2)
      for (size_t i = 0; i < half; ++i) lanes[i] = join(lanes[i], lanes[i + half]);
    blocks.push_back(lanes[0]);
  }
  return pairwise(blocks, join);
}

/// Another axis than the last: in order within blocks of 1,024, blocks pairwise.
Number columnOrder(int64_t n, Number start, const std::function<Number(Number, int64_t)> &step, const Join &join) {
  Line blocks;
  for (int64_t first = 0; first < n; first += 1024) {
    Number sum = start;
    for (int64_t k = first; k < std::min<int64_t>(n, first + 1024); ++k) sum = step(sum, k);
    blocks.push_back(sum);
  }
  return pairwise(blocks, join);
}

Number applyTwo(Op op, Number a, Number b) { return scalar::apply(op, a, b, b, a.dtype); }

/// One axis of an array.
Tensor reduceAxis(Op op, const Tensor &x, int axis) {
  ArrayType type = x.type;
  int64_t n = type.shape[axis];
  bool isLast = axis + 1 == type.shape.rank;
  type.shape.erase(axis);
  Number like = scalar::emptyOf(op, Number(x.type.dtype, 0)), start = scalar::identityOf(op, like);
  Tensor result = Tensor::filled(type, like);
  if (n == 0) return result;
  auto join = [&](Number a, Number b) { return applyTwo(op, a, b); };
  for (Positions p(type.shape); !p.done(); p.next()) {
    auto step = [&](Number sum, int64_t k) {
      Dims position = *p;
      position.insert(axis, k);
      return applyTwo(op, sum, at(x, position));
    };
    result.elements[placeOf(type.shape, *p)] = isLast ? rowOrder(n, start, step, join) : columnOrder(n, start, step, join);
  }
  return result;
}

} // namespace

Tensor reduce(Op op, const Tensor &x, const Dims &axes) {
  // The last run of neighbouring axes first, as one axis.
  Tensor current = x;
  int last = axes.rank;
  while (last > 0) {
    int first = last - 1;
    while (first > 0 && axes[first - 1] == axes[first] - 1) --first;
    for (int64_t i = axes[last - 1]; i > axes[first]; --i) {
      current.type.shape[int(i) - 1] *= current.type.shape[int(i)];
      current.type.shape.erase(int(i));
    }
    current = reduceAxis(op, current, int(axes[first]));
    last = first;
  }
  return current;
}

Tensor argReduce(Op op, const Tensor &x, int axis) {
  ArrayType type{DType::I64, x.type.shape};
  type.shape.erase(axis);
  Tensor result = Tensor::filled(type, Number(DType::I64, 0));
  for (Positions p(type.shape); !p.done(); p.next()) {
    int64_t best = 0;
    auto element = [&](int64_t k) {
      Dims position = *p;
      position.insert(axis, k);
      return at(x, position);
    };
    for (int64_t k = 1; k < x.type.shape[axis]; ++k) {
      Number mine = element(k), old = element(best);
      bool isFirstNan = isTrue(scalar::isnan(mine)) && !isTrue(scalar::isnan(old));
      bool isBetter = isTrue(scalar::apply(op, mine, old, old, DType::Bool)) && !isTrue(scalar::isnan(old));
      if (isFirstNan || isBetter) best = k;
    }
    result.elements[placeOf(type.shape, *p)] = Number(DType::I64, uint64_t(best));
  }
  return result;
}

Tensor contract(Op op, const Tensor &x, const Tensor &y, const ArrayType &type, std::span<const int64_t> words) {
  WordReader reader{words};
  Dims xBatch = reader.dims(), yBatch = reader.dims();
  int xAxis = int(reader.next()), yAxis = int(reader.next());
  auto freeAxes = [](const Dims &shape, const Dims &batch, int axis) {
    Dims free;
    for (int i = 0; i < shape.rank; ++i)
      if (i != axis && std::find(batch.begin(), batch.end(), i) == batch.end()) free.push(i);
    return free;
  };
  Dims xFree = freeAxes(x.type.shape, xBatch, xAxis), yFree = freeAxes(y.type.shape, yBatch, yAxis);
  // A side without free axes is a vector; the order then follows how the contracted axis lies in the other.
  bool isVector = !xFree.rank || !yFree.rank;
  const Dims &free = xFree.rank ? xFree : yFree;
  bool isRow = !free.rank || free[free.rank - 1] < (xFree.rank ? xAxis : yAxis);
  int64_t n = x.type.shape[xAxis];
  Number zero = Number(type.dtype, 0), minusZero = scalar::identityOf(op, zero);
  Tensor result = Tensor::filled(type, zero);
  if (n == 0) return result;
  for (Positions p(type.shape); !p.done(); p.next()) {
    auto positionIn = [&](const Dims &shape, const Dims &batch, const Dims &frees, int axis, int firstFree, int64_t k) {
      Dims position = shape;
      position[axis] = k;
      for (int i = 0; i < batch.rank; ++i) position[int(batch[i])] = (*p)[i];
      for (int i = 0; i < frees.rank; ++i) position[int(frees[i])] = (*p)[firstFree + i];
      return position;
    };
    auto step = [&](Number sum, int64_t k) {
      Number a = at(x, positionIn(x.type.shape, xBatch, xFree, xAxis, xBatch.rank, k));
      Number b = at(y, positionIn(y.type.shape, yBatch, yFree, yAxis, xBatch.rank + xFree.rank, k));
      return scalar::apply(op, a, b, sum, type.dtype);
    };
    Number sum = isVector ? minusZero : zero;
    if (isVector && isRow) sum = rowOrder(n, minusZero, step, [](Number a, Number b) { return a + b; });
    else
      for (int64_t k = 0; k < n; ++k) sum = step(sum, k);
    result.elements[placeOf(type.shape, *p)] = sum;
  }
  return result;
}

} // namespace kiln::reference
