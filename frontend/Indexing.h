// What x[key] means, with the key taken apart: NumPy's basic and advanced indexing.
#pragma once

#include "frontend/Array.h"
#include "lib/Core/Ops.h"

#include <optional>

namespace kiln {

/// One item of a key. An ellipsis is given as the full slices that it stands for.
struct Subscript {
  enum Kind { Integer, Slice, NewAxis, Indices, Mask } kind;
  int64_t start = 0, count = 0, step = 1; // of a slice; an integer in [0, n) as start
  Array array;                            // indices (of an integer dtype) or a mask (bool)
};

/// x[key]: a view where the key holds no array, and a copy where it does or where it selects one element.
Array getAt(const Array &x, std::span<const Subscript> key);
/// x[key] = value for Op::Scatter; x[key] += value and so on, duplicates in turn, for the other scatters.
void setAt(Array &x, std::span<const Subscript> key, const Array &value, Op op);

/// x[mask] and x[mask] = value in one pass over the mask, where its key, memory and device allow it; none and false where not.
std::optional<Array> takeByMask(const Array &x, std::span<const Subscript> key);
bool putByMask(Array &x, std::span<const Subscript> key, const Array &value);

} // namespace kiln
