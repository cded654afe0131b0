// The scalar lowering of every op, generated from the records, for any kind of element.
#pragma once

#include "dialects/kiln/math/Complex.h"
#include "lib/Core/Assert.h"
#include "lib/Core/Ops.h"

namespace kiln::scalar {

template <Scalar E> E applyAsIs(Op op, E a, E b, E c, DType t) {
  switch (op) {
#include "kiln/Scalars.inc"
  default: break;
  }
  KILN_ASSERT(false, "the op has no scalar lowering");
  return a;
}

/// `op` on one element of each operand, with a result of dtype `t`. Narrow floats are computed in float32 and rounded once.
template <Scalar E> E apply(Op op, E a, E b, E c, DType t) {
  if (info(op).native || !(isNarrow(a.dtype) || isNarrow(b.dtype) || isNarrow(c.dtype))) return applyAsIs(op, a, b, c, t);
  auto widen = [](E x) { return cast(x, computeType(x.dtype)); };
  return cast(applyAsIs(op, widen(a), widen(b), widen(c), computeType(t)), t);
}

/// The element that a reduction starts from, and its result over none; `a` gives the dtype.
template <Scalar E> E identityOf(Op op, E a) {
  switch (op) {
#include "kiln/Identities.inc"
  default: break;
  }
  KILN_ASSERT(false, "the op has no identity");
  return a;
}
template <Scalar E> E emptyOf(Op op, E a) {
  switch (op) {
#include "kiln/Empties.inc"
  default: break;
  }
  return identityOf(op, a);
}

} // namespace kiln::scalar
