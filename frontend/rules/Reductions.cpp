// Reductions, and what runs along an axis.
#include "frontend/rules/Table.h"

namespace kiln::rules {
namespace {

/// A reduced array with its axes of size 1 again, repeated to the operand's shape.
Array spread(const Array &reduced, const Dims &axes, const Dims &shape) {
  Dims kept = shape;
  for (int64_t axis : axes) kept[int(axis)] = 1;
  return broadcastTo(reshape(reduced, kept), shape);
}

/// For each element of one axis the product of all others.
Array productsOfOthers(const Array &x, int axis) {
  Array before = shifted(alongAxis(Op::CumulativeProd, x, axis), axis, 1, 1);
  Array behind = shifted(alongAxis(Op::CumulativeProd, reversed(x, axis), axis), axis, 1, 1);
  return before * reversed(behind, axis);
}

/// The same over several axes, which become one.
Array productsOfOthers(const Array &x, const Dims &axes) {
  Dims order, inverse;
  unsigned reduced = 0;
  for (int64_t axis : axes) reduced |= 1u << axis;
  for (int i = 0; i < x.shape.rank; ++i)
    if (!(reduced >> i & 1)) order.push(i);
  int first = order.rank;
  for (int64_t axis : axes) order.push(axis);
  inverse = order;
  for (int i = 0; i < order.rank; ++i) inverse[int(order[i])] = i;
  Array moved = transpose(x, order), others = productsOfOthers(mergeAxes(moved, first, axes.rank), first);
  return transpose(reshape(others, moved.shape), inverse);
}

/// y(k) = b(k) + a(k) y(k - 1) along an axis. Joins runs of twice the length each time.
Array recurrence(Array a, Array b, int axis) {
  for (int64_t by = 1; by < b.shape[axis]; by *= 2) {
    b = b + a * shifted(b, axis, by, 0);
    a = a * shifted(a, axis, by, 1);
  }
  return b;
}

/// The position of the element that a cumulative maximum (minimum) shows, of equal ones the first.
Array shownPositions(Op op, const Array &x, const Array &result, int axis) {
  Array before = shifted(result, axis, 1, 0), position = positions(x, x.shape, axis);
  Array isFirst = equal(position, filled(position, {}, 0)), isNan = call(Op::Isnan, {x}), wasNan = call(Op::Isnan, {before});
  Array isBeyond = call(op == Op::CumulativeMax ? Op::Greater : Op::Less, {x, before});
  Array isNew = call(Op::LogicalOr, {isBeyond, call(Op::Greater, {isNan, wasNan})});
  isNew = call(Op::LogicalOr, {isNew, isFirst});
  return alongAxis(Op::CumulativeMax, choose(isNew, position, filled(position, {}, 0)), axis);
}

} // namespace

void vjp::sum(const Applied &o, const Array &ct, Gradients &g) { g.set(0, spread(ct, WordReader{o.words}.dims(), o.operands[0]->shape)); }

void vjp::prod(const Applied &o, const Array &ct, Gradients &g) {
  const Array &x = *o.operands[0];
  Dims axes = WordReader{o.words}.dims();
  g.set(0, axes.rank ? spread(ct, axes, x.shape) * productsOfOthers(x, axes) : ct);
}
Array jvp::prod(const Applied &o, std::span<const Array *const> t) {
  Dims axes = WordReader{o.words}.dims();
  return axes.rank ? rules::sum(*t[0] * productsOfOthers(*o.operands[0], axes), axes) : *t[0];
}

/// The elements equal to the extreme one share.
void vjp::extreme(const Applied &o, const Array &ct, Gradients &g) {
  const Array &x = *o.operands[0];
  Dims axes = WordReader{o.words}.dims();
  Array isShown = equal(x, spread(*o.result, axes, x.shape)), count = rules::sum(kiln::cast(isShown, ct.dtype), axes);
  g.set(0, choose(isShown, spread(ct / count, axes, x.shape), 0.));
}
Array jvp::extreme(const Applied &o, std::span<const Array *const> t) {
  const Array &x = *o.operands[0];
  Dims axes = WordReader{o.words}.dims();
  Array isShown = equal(x, spread(*o.result, axes, x.shape)), count = rules::sum(kiln::cast(isShown, x.dtype), axes);
  return choose(equal(count, 0.), 0., rules::sum(choose(isShown, *t[0], 0.), axes) / count);
}

void vjp::cumulativeSum(const Applied &o, const Array &ct, Gradients &g) {
  int axis = int(o.words[0]);
  g.set(0, reversed(alongAxis(Op::CumulativeSum, reversed(ct, axis), axis), axis));
}

void vjp::cumulativeProd(const Applied &o, const Array &ct, Gradients &g) {
  int axis = int(o.words[0]);
  Array factors = shifted(reversed(*o.operands[0], axis), axis, 1, 1);
  Array sums = reversed(recurrence(factors, reversed(ct, axis), axis), axis);
  g.set(0, shifted(*o.result, axis, 1, 1) * sums);
}
Array jvp::cumulativeProd(const Applied &o, std::span<const Array *const> t) {
  int axis = int(o.words[0]);
  return recurrence(*o.operands[0], *t[0] * shifted(*o.result, axis, 1, 1), axis);
}

void vjp::cumulativeExtreme(const Applied &o, const Array &ct, Gradients &g) {
  int axis = int(o.words[0]);
  const Array &x = *o.operands[0];
  g.set(0, addAlong(ct, shownPositions(o.op, x, *o.result, axis), axis, x.shape));
}
Array jvp::cumulativeExtreme(const Applied &o, std::span<const Array *const> t) {
  int axis = int(o.words[0]);
  return takeAlong(*t[0], shownPositions(o.op, *o.operands[0], *o.result, axis), axis);
}

void vjp::sort(const Applied &o, const Array &ct, Gradients &g) {
  int axis = int(o.words[0]);
  const Array &x = *o.operands[0];
  g.set(0, addAlong(ct, alongAxis(Op::Argsort, x, axis, o.words[1]), axis, x.shape));
}
Array jvp::sort(const Applied &o, std::span<const Array *const> t) {
  int axis = int(o.words[0]);
  return takeAlong(*t[0], alongAxis(Op::Argsort, *o.operands[0], axis, o.words[1]), axis);
}

} // namespace kiln::rules
