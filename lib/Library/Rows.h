// Products of short rows.
#pragma once

#include "lib/Core/Types.h"

namespace kiln {

/// The sum of the products of each row of `x` and of `y`, `size` elements each that lie one behind the other, in the order of all sums
/// (docs/numerics.md). False for dtypes that it does not know, few rows, and rows that are longer than a block of lanes of a sum.
bool rowProducts(DType dtype, int64_t rows, int64_t size, const void *x, int64_t xStep, const void *y, int64_t yStep, void *result);

constexpr int64_t kSumLanes = 32; // of the first step of a sum

/// What is compiled for several processors: rows of two operands, and where the sums of their products go.
template <typename T> struct RowPairs {
  const T *x, *y;
  T *result;
  int64_t size, xStep, yStep;

  RowPairs from(int64_t row) const { return {x + row * xStep, y + row * yStep, result + row, size, xStep, yStep}; }
};
template <typename T> using RowCode = void(const RowPairs<T> &rows, int64_t count, int64_t first, int64_t last);

} // namespace kiln
