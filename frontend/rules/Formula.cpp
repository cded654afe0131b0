#include "frontend/rules/Formula.h"

#include <algorithm>

namespace kiln::rules {

Operand Term::operand() const {
  if (!isNumber) return {Operand::IsArray, &value};
  Operand result;
  result.kind = Operand::IsFloat;
  result.number = number;
  return result;
}

Array call(Op op, std::initializer_list<Term> terms) {
  Operand operands[3];
  size_t n = 0;
  for (const Term &t : terms) operands[n++] = t.operand();
  if (op == Op::Select) return where(terms.begin()->array(), operands[1], operands[2]);
  return applyElementwise(op, {operands, n});
}

Array applyOp(Op op, std::span<const Array *const> operands, std::span<const int64_t> words) {
  std::vector<TensorType> types;
  for (const Array *a : operands) types.push_back(a->type());
  return apply({op, operands, words, infer(op, types, words)});
}
Array applyOp(Op op, std::initializer_list<const Array *> operands, std::span<const int64_t> words) {
  return applyOp(op, std::span(operands.begin(), operands.size()), words);
}

Array filled(const Array &x, const Dims &shape, int64_t number) {
  Operand value{Operand::IsInt};
  value.integer = number;
  return full(shape, x.dtype, scalarBits(value, x.dtype), deviceOf(x));
}

Array positions(const Array &x, const Dims &shape, int axis) { return iota(DType::I64, shape, axis, deviceOf(x)); }

Array updated(const Array &x, const Array &value, const Dims &starts, const Dims &steps) {
  std::vector<int64_t> words;
  appendWords(words, starts);
  appendWords(words, steps);
  return applyOp(Op::Update, {&x, &value}, words);
}

Array part(const Array &x, int axis, int64_t start, int64_t size) {
  Dims starts = Dims::zeros(x.shape.rank), sizes = x.shape;
  starts[axis] = start;
  sizes[axis] = size;
  return slice(x, starts, sizes, ones(sizes.rank));
}

Array shifted(const Array &x, int axis, int64_t by, int64_t number) {
  Dims starts = Dims::zeros(x.shape.rank);
  starts[axis] = by = std::min(by, x.shape[axis]);
  return updated(filled(x, x.shape, number), part(x, axis, 0, x.shape[axis] - by), starts, ones(x.shape.rank));
}

Array reversed(const Array &x, int axis) {
  Dims starts = Dims::zeros(x.shape.rank), steps = ones(x.shape.rank);
  if (x.shape[axis] < 2) return x;
  starts[axis] = x.shape[axis] - 1;
  steps[axis] = -1;
  return slice(x, starts, x.shape, steps);
}

Array moveAxis(const Array &x, int from, int to) {
  if (from == to) return x;
  Dims order;
  for (int i = 0; i < x.shape.rank; ++i) order.push(i);
  order.erase(from);
  order.insert(to, from);
  return transpose(x, order);
}

Array mergeAxes(const Array &x, int first, int count) {
  Dims shape = x.shape;
  int64_t size = 1;
  for (int i = 0; i < count; ++i) {
    size *= shape[first];
    shape.erase(first);
  }
  shape.insert(first, size);
  return reshape(x, shape);
}

/// Positions in the flat array of the elements at `indices` along the last axis, of `size`.
static Array flatPositions(const Array &indices, int64_t size) {
  int last = indices.shape.rank - 1;
  int64_t lines = 1;
  for (int i = 0; i < last; ++i) lines *= indices.shape[i];
  Dims shape = {lines, indices.shape[last]};
  Array line = positions(indices, shape, 0), within = reshape(indices, shape);
  Array all[] = {line, within};
  Array flat = ravelIndices(all, {lines, size});
  return reshape(flat, {flat.size()});
}

Array takeAlong(const Array &x, const Array &indices, int axis) {
  int last = x.shape.rank - 1;
  Array source = moveAxis(x, axis, last), at = moveAxis(indices, axis, last);
  Array taken = gather(reshape(source, {x.size()}), flatPositions(at, x.shape[axis]), 0);
  return moveAxis(reshape(taken, at.shape), last, axis);
}

Array addAlong(const Array &values, const Array &indices, int axis, const Dims &shape) {
  int last = shape.rank - 1;
  Array source = moveAxis(values, axis, last), at = moveAxis(indices, axis, last);
  Dims moved = shape;
  moved.erase(axis);
  moved.push(shape[axis]);
  Array flat = zeros(values, {numElements(shape)});
  flat = scatter(Op::ScatterAdd, flat, flatPositions(at, shape[axis]), reshape(source, {source.size()}), 0);
  return moveAxis(reshape(flat, moved), last, axis);
}

} // namespace kiln::rules
