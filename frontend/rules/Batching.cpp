// Ops that are another call of themselves, or several ops, for a batch.
#include "frontend/rules/Table.h"

#include <limits>

namespace kiln::rules {
namespace {

/// A list of words with one more value in front.
void appendBehind(std::vector<int64_t> &words, int64_t first, const Dims &dims, int64_t added = 0) {
  words.insert(words.end(), {dims.rank + 1, first});
  for (int64_t d : dims) words.push_back(d + added);
}

/// The axis of the batch and the one behind it as one.
Array joinedAxis(const Array &x, int axis) { return mergeAxes(moveAxis(x, axis + 1, 1), 0, 2); }

/// Positions in that axis, of `size` for each of the batch, by positions of rank 1 at least behind the axis of the batch.
Array joinedPositions(const Array &indices, int64_t size) {
  Array signedIndices = indices;
  if (indices.dtype == DType::U64) { // beyond int64 they stay outside
    Operand operands[] = {{Operand::IsArray, &indices}, {Operand::IsInt, nullptr, std::numeric_limits<int64_t>::max()}};
    signedIndices = applyElementwise(Op::Minimum, operands);
  }
  Array both[] = {positions(indices, indices.shape, 0), signedIndices};
  return ravelIndices(both, {indices.shape[0], size});
}

/// Positions in the flat operand of the block at `starts`, of the batch, which are moved so that all of it lies inside.
Array blockPositions(const Array &starts, const Dims &shape, const Dims &sizes) {
  int64_t batch = starts.shape[0];
  Dims all = sizes;
  all.insert(0, batch);
  Array flat = filled(starts, all, 0);
  for (int axis = 0; axis < sizes.rank; ++axis) {
    Dims one = ones(all.rank);
    one[0] = batch;
    Array start = reshape(part(starts, 1, axis, 1), one), most = filled(starts, {}, shape[axis] - sizes[axis]);
    start = call(Op::Maximum, {call(Op::Minimum, {start, most}), filled(starts, {}, 0)});
    flat = flat * filled(starts, {}, shape[axis]) + (start + positions(starts, all, axis + 1));
  }
  return flat;
}

} // namespace

//===-- moves -------------------------------------------------------------------------------------------------------===//

Array batch::broadcast(const Batched &o, const RuleRecord &) {
  WordReader reader{o.words};
  std::vector<int64_t> words;
  appendBehind(words, 0, reader.dims(), 1);
  appendBehind(words, o.size, reader.dims());
  return applyOp(o.op, o.operands, words);
}

Array batch::reshape(const Batched &o, const RuleRecord &) {
  std::vector<int64_t> words;
  appendBehind(words, o.size, WordReader{o.words}.dims());
  return applyOp(o.op, o.operands, words);
}

Array batch::transpose(const Batched &o, const RuleRecord &) {
  std::vector<int64_t> words;
  appendBehind(words, 0, WordReader{o.words}.dims(), 1);
  return applyOp(o.op, o.operands, words);
}

Array batch::slice(const Batched &o, const RuleRecord &) {
  WordReader reader{o.words};
  std::vector<int64_t> words;
  appendBehind(words, 0, reader.dims());
  appendBehind(words, o.size, reader.dims());
  appendBehind(words, 1, reader.dims());
  return applyOp(o.op, o.operands, words);
}

Array batch::concat(const Batched &o, const RuleRecord &) {
  std::vector<Array> arrays;
  std::vector<const Array *> pointers;
  for (size_t i = 0; i < o.operands.size(); ++i) arrays.push_back(whole(o, i));
  for (const Array &a : arrays) pointers.push_back(&a);
  return kiln::concat(pointers, o.words[0] + 1);
}

Array batch::update(const Batched &o, const RuleRecord &) {
  WordReader reader{o.words};
  Array x = whole(o, 0), value = whole(o, 1);
  std::vector<int64_t> words;
  appendBehind(words, 0, reader.dims());
  appendBehind(words, 1, reader.dims());
  return applyOp(o.op, {&x, &value}, words);
}

/// At one place for all of the batch, or as a gather.
Array batch::dynamicSlice(const Batched &o, const RuleRecord &) {
  const Array &x = *o.operands[0], &starts = *o.operands[1];
  Dims sizes = WordReader{o.words}.dims(), shape = x.shape;
  if (!o.isBatched[1]) {
    Array zero = zeros(starts, {1});
    const Array *both[] = {&zero, &starts};
    sizes.insert(0, o.size);
    return kiln::dynamicSlice(x, kiln::concat(both, 0), sizes);
  }
  if (o.isBatched[0]) shape.erase(0);
  Array places = blockPositions(starts, shape, sizes);
  if (o.isBatched[0]) places = places + positions(starts, places.shape, 0) * filled(starts, {}, numElements(shape));
  return kiln::gather(kiln::reshape(x, {x.size()}), places, 0);
}

/// At one place for all of the batch, or as a scatter.
Array batch::dynamicUpdate(const Batched &o, const RuleRecord &) {
  Array x = whole(o, 0), value = whole(o, 1);
  const Array &starts = *o.operands[2];
  if (!o.isBatched[2]) {
    Array zero = zeros(starts, {1});
    const Array *both[] = {&zero, &starts};
    return kiln::dynamicUpdate(x, value, kiln::concat(both, 0));
  }
  Dims shape = x.shape, sizes = value.shape;
  shape.erase(0);
  sizes.erase(0);
  Array places = blockPositions(starts, shape, sizes);
  places = places + positions(starts, places.shape, 0) * filled(starts, {}, numElements(shape));
  Array flat = kiln::scatter(Op::Scatter, kiln::reshape(x, {x.size()}), kiln::reshape(places, {places.size()}),
                             kiln::reshape(value, {value.size()}), 0);
  return kiln::reshape(flat, x.shape);
}

//===-- positions ---------------------------------------------------------------------------------------------------===//

Array batch::gather(const Batched &o, const RuleRecord &) {
  const Array &x = *o.operands[0], &indices = *o.operands[1];
  int axis = int(o.words[0]);
  if (!o.isBatched[1]) return kiln::gather(x, indices, axis + 1);
  if (!o.isBatched[0]) return moveAxis(kiln::gather(x, indices, axis), axis, 0);
  Array result = kiln::gather(joinedAxis(x, axis), joinedPositions(indices, x.shape[axis + 1]), 0);
  for (int i = 0; i < axis; ++i) result = moveAxis(result, indices.shape.rank + i, i + 1); // the axes before come in front of the indices'
  return result;
}

Array batch::scatter(const Batched &o, const RuleRecord &) {
  Array x = whole(o, 0), updates = whole(o, 2);
  const Array &indices = *o.operands[1];
  int axis = int(o.words[0]);
  if (!o.isBatched[1]) return kiln::scatter(o.op, x, indices, updates, axis + 1);
  Array places = joinedPositions(indices, x.shape[axis + 1]), moved = moveAxis(x, axis + 1, 1);
  Array flat = kiln::scatter(o.op, mergeAxes(moved, 0, 2), kiln::reshape(places, {places.size()}), joinedAxis(updates, axis), 0);
  return moveAxis(kiln::reshape(flat, moved.shape), 1, axis + 1);
}

/// The positions of true elements first, by a stable sort.
Array batch::nonzero(const Batched &o, const RuleRecord &) {
  const Array &mask = *o.operands[0];
  int64_t count = o.words[0], size = mask.shape[1];
  Array order = alongAxis(Op::Argsort, cast(call(Op::LogicalNot, {mask}), DType::I64), 1);
  Array found = kiln::rules::sum(cast(mask, DType::I64), {1}, true);
  Array chosen = choose(call(Op::Less, {positions(mask, mask.shape, 1), found}), order, filled(order, {}, -1));
  if (count <= size) return part(chosen, 1, 0, count);
  return updated(filled(order, {o.size, count}, -1), chosen, {0, 0}, {1, 1});
}

//===-- products ----------------------------------------------------------------------------------------------------===//

/// With one batch axis more; where one operand alone has it, it is one that stays.
Array batch::dotGeneral(const Batched &o, const RuleRecord &) {
  WordReader reader{o.words};
  Dims batches[] = {reader.dims(), reader.dims()};
  int64_t axes[] = {reader.next(), reader.next()};
  bool isInBoth = o.isBatched[0] && o.isBatched[1];
  for (int i = 0; i < 2; ++i) {
    if (!o.isBatched[size_t(i)]) continue;
    for (int j = 0; j < batches[i].rank; ++j) ++batches[i][j];
    ++axes[i];
    if (isInBoth) batches[i].insert(0, 0);
  }
  Array result = kiln::dotGeneral(*o.operands[0], *o.operands[1], batches[0], batches[1], axes[0], axes[1]);
  if (isInBoth) return result;
  int freeOfX = o.operands[0]->shape.rank - batches[0].rank - 1;
  return moveAxis(result, batches[0].rank + (o.isBatched[0] ? 0 : freeOfX), 0);
}

/// A batch of operands is a longer batch, one of weights more filters of each group; both are more groups.
Array batch::convolution(const Batched &o, const RuleRecord &) {
  WordReader reader{o.words};
  Dims strides = reader.dims(), low = reader.dims(), high = reader.dims(), dilation = reader.dims();
  int64_t groups = reader.next();
  const Array &x = *o.operands[0], &w = *o.operands[1];
  auto run = [&](const Array &operand, const Array &weights, int64_t number) {
    return kiln::convolution(operand, weights, strides, low, high, dilation, number);
  };
  auto split = [](const Array &a, int axis, std::initializer_list<int64_t> sizes) {
    Dims shape = a.shape;
    shape.erase(axis);
    for (int64_t size : sizes) shape.insert(axis++, size);
    return kiln::reshape(a, shape);
  };
  int last = strides.rank + 1; // the axis of channels and filters
  if (!o.isBatched[1]) {
    Array result = run(mergeAxes(x, 0, 2), w, groups);
    return split(result, 0, {o.size, x.shape[1]});
  }
  int64_t filters = w.shape[last + 1];
  if (o.isBatched[0]) {
    Array result = run(mergeAxes(moveAxis(x, 0, last), last, 2), mergeAxes(moveAxis(w, 0, last), last, 2), o.size * groups);
    return moveAxis(split(result, last, {o.size, filters}), last, 0);
  }
  Array weights = moveAxis(split(w, last + 1, {groups, filters / groups}), 0, last + 1); // (..., groups, batch, filters)
  Array result = split(run(x, mergeAxes(weights, last, 3), groups), last, {groups, o.size, filters / groups});
  return mergeAxes(moveAxis(result, last + 1, 0), last + 1, 2);
}

} // namespace kiln::rules
