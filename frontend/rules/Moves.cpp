// Ops that move elements.
#include "frontend/rules/Table.h"

namespace kiln::rules {

/// The axes of the result that repeat an operand: those that are not its own, and those where its size is 1.
void vjp::broadcast(const Applied &o, const Array &ct, Gradients &g) {
  const Array &x = *o.operands[0];
  Dims axes = WordReader{o.words}.dims(), repeated;
  for (int i = 0, own = 0; i < ct.shape.rank; ++i) {
    bool isOwn = own < axes.rank && axes[own] == i;
    if (!isOwn || x.shape[own] != ct.shape[i]) repeated.push(i);
    own += isOwn;
  }
  g.set(0, kiln::reshape(repeated.rank ? kiln::rules::sum(ct, repeated) : ct, x.shape));
}

void vjp::reshape(const Applied &o, const Array &ct, Gradients &g) { g.set(0, kiln::reshape(ct, o.operands[0]->shape)); }

void vjp::transpose(const Applied &o, const Array &ct, Gradients &g) {
  Dims permutation = WordReader{o.words}.dims(), inverse = permutation;
  for (int i = 0; i < permutation.rank; ++i) inverse[int(permutation[i])] = i;
  g.set(0, kiln::transpose(ct, inverse));
}

void vjp::slice(const Applied &o, const Array &ct, Gradients &g) {
  WordReader words{o.words};
  Dims starts = words.dims();
  words.dims();
  g.set(0, updated(zeros(ct, o.operands[0]->shape), ct, starts, words.dims()));
}

void vjp::dynamicSlice(const Applied &o, const Array &ct, Gradients &g) {
  g.set(0, kiln::dynamicUpdate(zeros(ct, o.operands[0]->shape), ct, *o.operands[1]));
}

void vjp::concat(const Applied &o, const Array &ct, Gradients &g) {
  int axis = int(o.words[0]);
  int64_t at = 0;
  for (size_t i = 0; i < o.operands.size(); at += o.operands[i++]->shape[axis])
    if (g.wants(i)) g.set(i, part(ct, axis, at, o.operands[i]->shape[axis]));
}

void vjp::update(const Applied &o, const Array &ct, Gradients &g) {
  WordReader words{o.words};
  Dims starts = words.dims(), steps = words.dims(), sizes = o.operands[1]->shape;
  if (g.wants(0)) g.set(0, updated(ct, zeros(ct, sizes), starts, steps));
  if (g.wants(1)) g.set(1, kiln::slice(ct, starts, sizes, steps));
}

void vjp::dynamicUpdate(const Applied &o, const Array &ct, Gradients &g) {
  const Dims &sizes = o.operands[1]->shape;
  if (g.wants(1)) g.set(1, kiln::dynamicSlice(ct, *o.operands[2], sizes)); // first: what follows may be in place
  if (g.wants(0)) g.set(0, kiln::dynamicUpdate(ct, zeros(ct, sizes), *o.operands[2]));
}

} // namespace kiln::rules
