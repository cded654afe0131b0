// Rows parted at an element.
#pragma once

#include "lib/Core/Types.h"

namespace kiln {

/// Of each row first what comes before the element that sorting puts at `place`, then what equals it, then what comes behind it, each in
/// its order: the elements, or as int64 where they were. nan comes last. False for dtypes that it does not know.
bool partitionRows(DType dtype, int64_t rows, int64_t size, int64_t place, bool wantsPositions, const void *from, void *to);

/// What is compiled for several processors, of elements of 4 or 8 bytes.
template <typename T> struct PartitionCode {
  /// Elements from `low` to `high`, in their order; how many they are, and how many are below.
  int64_t (*collect)(const T *row, int64_t n, T low, T high, T *to, int64_t &below);
  /// Elements below `middle`, those that equal it, and all others: their bits, or with `wantsPositions` their numbers.
  void (*split)(const T *row, int64_t n, T middle, bool wantsPositions, void *to);
};

} // namespace kiln
