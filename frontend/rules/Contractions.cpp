// Products and convolutions.
#include "frontend/rules/Table.h"

#include <algorithm>

namespace kiln::rules {
namespace {

/// An operand of dot_general: its batch axes, those that stay, and the contracted one.
struct Side {
  const Array &x;
  Dims batch, free;
  int axis;

  Side(const Array &x, const Dims &batch, int64_t axis) : x(x), batch(batch), axis(int(axis)) {
    unsigned used = 1u << axis;
    for (int64_t b : batch) used |= 1u << b;
    for (int i = 0; i < x.shape.rank; ++i)
      if (!(used >> i & 1)) free.push(i);
  }
  Dims order() const {
    Dims result = batch;
    for (int64_t i : free) result.push(i);
    result.push(axis);
    return result;
  }
  Array ordered() const { return transpose(x, order()); }
  /// From batch, free and contracted axes back to those of the operand.
  Array restored(const Array &gradient) const {
    Dims to = order(), inverse = to;
    for (int i = 0; i < to.rank; ++i) inverse[int(to[i])] = i;
    return transpose(gradient, inverse);
  }
};

/// The gradient of `mine`: `ct` has the batch axes and those that stay of both sides, of the other one from `first` on. Their sum is in the
/// order of a product.
Array gradientOf(const Side &mine, const Side &other, const Array &ct, int first) {
  int batches = mine.batch.rank;
  Dims batch;
  for (int i = 0; i < batches; ++i) batch.push(i);
  Array factor = other.ordered();
  if (other.free.rank) {
    Array left = mergeAxes(ct, first, other.free.rank), right = mergeAxes(factor, batches, other.free.rank);
    return mine.restored(dotGeneral(left, right, batch, batch, first, batches));
  }
  for (int i = 0; i < mine.free.rank; ++i) factor = withAxis(factor, batches);
  return mine.restored(withAxis(ct, ct.shape.rank) * factor);
}

struct Window {
  Dims strides, low, high, dilation;
  int64_t groups;
  explicit Window(std::span<const int64_t> given) {
    WordReader words{given};
    strides = words.dims(), low = words.dims(), high = words.dims(), dilation = words.dims();
    groups = words.next();
  }
};

/// The last axis as groups and what is in one.
Array splitLast(const Array &x, int64_t groups) {
  Dims shape = x.shape;
  shape[shape.rank - 1] = groups;
  shape.push(x.shape[x.shape.rank - 1] / std::max<int64_t>(groups, 1));
  return reshape(x, shape);
}

/// By the operand: each element of the cotangent goes to where the window was. The cotangent, its elements a stride apart, under the
/// weights from their end.
Array gradientOfOperand(const Array &x, const Array &w, const Array &ct, const Window &window) {
  int spatial = window.strides.rank;
  Dims from = {0}, count = {ct.shape[0]}, to = {0}, steps = {1}, shape = {ct.shape[0]}, unit, none;
  Array turned = w;
  for (int i = 0; i < spatial; ++i) {
    int64_t stride = window.strides[i], reach = (w.shape[i] - 1) * window.dilation[i], shift = reach - window.low[i];
    int64_t first = shift < 0 ? (-shift + stride - 1) / stride : 0;
    int64_t last = std::min(ct.shape[i + 1] - 1, (x.shape[i + 1] - 1 + window.low[i]) / stride);
    if (last < first) return zerosLike(x);
    from.push(first);
    count.push(last - first + 1);
    to.push(first * stride + shift);
    steps.push(stride);
    shape.push(x.shape[i + 1] + reach);
    unit.push(1);
    none.push(0);
    turned = reversed(turned, i);
  }
  for (Dims *d : {&from, &to}) d->push(0);
  for (Dims *d : {&count, &shape}) d->push(ct.shape[spatial + 1]);
  steps.push(1);
  Array apart = updated(zeros(ct, shape), slice(ct, from, count, ones(ct.shape.rank)), to, steps);
  // (window..., channels of a group, groups, filters of one) with the filters of a group as channels.
  Array weights = moveAxis(moveAxis(splitLast(turned, window.groups), spatial, spatial + 2), spatial, spatial + 1);
  return convolution(apart, mergeAxes(weights, spatial + 1, 2), unit, none, none, window.dilation, window.groups);
}

/// By the weights: the operand under the cotangent, with the batch as channels.
Array gradientOfWeights(const Array &x, const Array &w, const Array &ct, const Window &window) {
  int spatial = window.strides.rank;
  Array channels = moveAxis(splitLast(x, window.groups), spatial + 2, 0); // (channels of a group, batch, spatial..., groups)
  Array operand = mergeAxes(moveAxis(channels, 1, spatial + 2), spatial + 1, 2);
  Array result = convolution(operand, moveAxis(ct, 0, spatial), window.dilation, window.low, window.high, window.strides, window.groups);
  for (int i = 0; i < spatial; ++i) result = part(result, i + 1, 0, w.shape[i]);
  return moveAxis(result, 0, spatial);
}

} // namespace

void vjp::dotGeneral(const Applied &o, const Array &ct, Gradients &g) {
  WordReader words{o.words};
  Dims xBatch = words.dims(), yBatch = words.dims();
  int64_t xAxis = words.next();
  Side x(*o.operands[0], xBatch, xAxis), y(*o.operands[1], yBatch, words.next());
  if (g.wants(0)) g.set(0, gradientOf(x, y, ct, xBatch.rank + x.free.rank));
  if (g.wants(1)) g.set(1, gradientOf(y, x, ct, xBatch.rank));
}

void vjp::convolution(const Applied &o, const Array &ct, Gradients &g) {
  Window window(o.words);
  const Array &x = *o.operands[0], &w = *o.operands[1];
  bool isEmpty = !ct.size() || !x.size() || !w.size();
  if (g.wants(0)) g.set(0, isEmpty ? zerosLike(x) : gradientOfOperand(x, w, ct, window));
  if (g.wants(1)) g.set(1, isEmpty ? zerosLike(w) : gradientOfWeights(x, w, ct, window));
}

} // namespace kiln::rules
