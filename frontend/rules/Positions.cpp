// Gathers and scatters.
#include "frontend/rules/Table.h"

namespace kiln::rules {
namespace {

/// A scatter taken apart: `x` with `updates` at `indices` along `axis`.
struct Scatter {
  const Array &x, &indices, &updates;
  const int axis;
  explicit Scatter(const Applied &o) : x(*o.operands[0]), indices(*o.operands[1]), updates(*o.operands[2]), axis(int(o.words[0])) {}

  /// What stands in an array at the place of each update.
  Array at(const Array &all) const { return kiln::gather(all, indices, axis); }
  Array into(Op op, const Array &all, const Array &values) const { return kiln::scatter(op, all, indices, values, axis); }
  /// What there is for each index, for each update.
  Array along(const Array &values) const {
    Dims shape = ones(updates.shape.rank);
    shape[axis] = values.shape[0];
    return broadcastTo(kiln::reshape(values, shape), updates.shape);
  }
};

/// Of several updates to one place the last is seen.
Array isLast(const Scatter &s) {
  Array number = positions(s.x, s.indices.shape, 0), none = filled(number, {s.x.shape[s.axis]}, 0);
  Array last = scatter(Op::Scatter, none, s.indices, number, 0);
  return s.along(equal(gather(last, s.indices, 0), number));
}

/// Products of the values before each along an axis, of those with its place: equal places follow one another. Joins runs of twice the
/// length each time.
Array productsBefore(const Array &values, const Array &places, const Scatter &s) {
  auto joined = [&](const Array &product, int64_t by) {
    return choose(s.along(equal(places, shifted(places, 0, by, -1))), shifted(product, s.axis, by, 1), 1.);
  };
  Array product = joined(values, 1);
  for (int64_t by = 1; by < places.shape[0]; by *= 2) product = product * joined(product, by);
  return product;
}

/// For each update the product of all others to its place.
Array productsOfOthers(const Scatter &s) {
  Array index = cast(s.indices, DType::I64);
  Array places = choose(call(Op::Less, {index, filled(index, {}, 0)}), index + filled(index, {}, s.x.shape[s.axis]), index);
  Array order = alongAxis(Op::Argsort, places, 0), back = alongAxis(Op::Argsort, order, 0);
  Array values = gather(s.updates, order, s.axis), sorted = gather(places, order, 0);
  Array before = productsBefore(values, sorted, s);
  Array behind = productsBefore(reversed(values, s.axis), reversed(sorted, 0), s);
  return gather(before * reversed(behind, s.axis), back, s.axis);
}

/// Who has the extreme value of each place, and how many do.
struct Shares {
  Array isInX, isUpdate, count;
  Shares(const Scatter &s, const Array &result)
      : isInX(equal(s.x, result)), isUpdate(equal(s.updates, s.at(result))),
        count(s.into(Op::ScatterAdd, cast(isInX, result.dtype), cast(isUpdate, result.dtype))) {}
};

} // namespace

void vjp::gather(const Applied &o, const Array &ct, Gradients &g) {
  const Array &x = *o.operands[0], &indices = *o.operands[1];
  int axis = int(o.words[0]);
  Dims shape = x.shape;
  shape[axis] = indices.size();
  g.set(0, kiln::scatter(Op::ScatterAdd, zeros(ct, x.shape), kiln::reshape(indices, {indices.size()}), kiln::reshape(ct, shape), axis));
}

void vjp::scatter(const Applied &o, const Array &ct, Gradients &g) {
  Scatter s(o);
  if (g.wants(0)) g.set(0, s.into(Op::Scatter, ct, zeros(ct, s.updates.shape)));
  if (g.wants(2)) g.set(2, choose(isLast(s), s.at(ct), 0.));
}

void vjp::scatterAdd(const Applied &o, const Array &ct, Gradients &g) {
  Scatter s(o);
  if (g.wants(0)) g.set(0, ct);
  if (g.wants(2)) g.set(2, s.at(ct));
}

void vjp::scatterMultiply(const Applied &o, const Array &ct, Gradients &g) {
  Scatter s(o);
  if (g.wants(0)) g.set(0, s.into(Op::ScatterMultiply, ct, s.updates));
  if (g.wants(2)) g.set(2, s.at(ct * s.x) * productsOfOthers(s));
}
Array jvp::scatterMultiply(const Applied &o, std::span<const Array *const> t) {
  Scatter s(o);
  Array result = t[0] ? s.into(Op::ScatterMultiply, *t[0], s.updates) : zerosLike(s.x);
  return t[2] ? s.into(Op::ScatterAdd, result, s.at(s.x) * *t[2] * productsOfOthers(s)) : result;
}

void vjp::scatterExtreme(const Applied &o, const Array &ct, Gradients &g) {
  Scatter s(o);
  Shares shares(s, *o.result);
  Array share = ct / shares.count;
  if (g.wants(0)) g.set(0, choose(shares.isInX, share, 0.));
  if (g.wants(2)) g.set(2, choose(shares.isUpdate, s.at(share), 0.));
}
Array jvp::scatterExtreme(const Applied &o, std::span<const Array *const> t) {
  Scatter s(o);
  Shares shares(s, *o.result);
  Array total = t[0] ? choose(shares.isInX, *t[0], 0.) : zerosLike(s.x);
  if (t[2]) total = s.into(Op::ScatterAdd, total, choose(shares.isUpdate, *t[2], 0.));
  return choose(equal(shares.count, 0.), 0., total / shares.count);
}

} // namespace kiln::rules
