// Panels of a matrix product: strips of one operand, laid out so that the inner loop reads them in order.
#pragma once

#include "codegen/cpu/Kernels.h"

#include <functional>

namespace kiln::cpu {

constexpr int64_t kFar = 1024; // bytes from one position to the next, where the processor does not look ahead by itself

/// One operand of a product: across its own axis (rows of the left one, columns of the right one) and along K.
struct Side {
  Value pointer;
  DType dtype;
  Index size, across, along; // how many; strides
  /// Of an operand that is computed as it is read: the element at a position, or lanes from there on across or along.
  using Compute = std::function<Expr(Index at, Index q, bool lanesAcross, int64_t lanes, Value mask)>;
  Compute compute = {};

  Expr read(Emitter &e, Index at, Index q, bool lanesAcross, int64_t lanes, Value mask = {}) const {
    if (compute) return compute(at, q, lanesAcross, lanes, mask);
    return e.load(pointer, dtype, e.add(e.mul(at, across), e.mul(q, along)), lanes, mask);
  }
};

/// Copies `panels` strips of `width` from `start` on, K positions [first, first + count), to `to`: position by position, `width`
/// elements each; a strip takes `block` positions. What lies behind the end of the side is anything; `isWhole`: no strip goes beyond it.
void packPanels(Emitter &e, const Side &side, Value to, int64_t width, int64_t block, Index start, Index panels, Index first, Index count,
                bool isWhole);

/// The same by several threads.
void packShared(KernelContext &k, const Side &side, Value to, int64_t width, int64_t block, Index start, Index panels, Index first,
                Index count, bool isWhole);

} // namespace kiln::cpu
