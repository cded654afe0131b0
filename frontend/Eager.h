// Eager execution through the pack of kernels (tools/kiln-pack): how each op with its layout finds its kernel.
#pragma once

#include "frontend/Array.h"
#include "lib/Core/Ops.h"
#include "lib/Runtime/Executable.h"

namespace kiln::eager {

/// Of a loop nest, which needs no memory of its own.
inline int32_t callNest(kiln_entry_fn kernel, void *const *buffers, const int64_t *dims) {
  return kernel(runtimeTable(), buffers, dims, nullptr);
}

/// An operand in memory; strides are for the shape of the result.
struct Input {
  const void *data;
  DType dtype;
  Dims strides;
};

/// A shape with neighbouring axes joined wherever all operands allow it; two axes at least.
inline constexpr int kMostInputs = 3;
struct Nest {
  Dims shape;
  Dims strides[kMostInputs];
};
Nest coalesce(const Dims &shape, std::span<const Input> inputs);

/// An elementwise op of one or two operands over `n` consecutive elements; `isScalar` marks the second operand as one element.
void flat(Op op, DType dtype, DType resultType, int64_t n, bool isScalar, void *const *buffers);
/// `n` consecutive elements, or one that stands for all.
struct Flat {
  const void *data;
  DType dtype;
  bool isOne;
};
/// The same of up to three operands, few elements; of two, one at most stands for all, and of three one behind the first.
void flat(Op op, std::span<const Flat> operands, DType resultType, int64_t n, void *result);
/// An elementwise op (or cast, or select) over `shape` into row-major memory.
void elementwise(Op op, std::span<const Input> inputs, DType resultType, const Dims &shape, void *result);
/// target[...] = source, both of one dtype, any strides.
void stridedCopy(const Array &target, const Input &source);
void iota(const Array &result);
/// These take row-major memory.
void gather(const Array &x, const Array &indices, const Array &result, int axis);
void scatter(Op op, const Array &x, const Array &indices, const Array &updates, int axis); // in place
int64_t countTrue(const Array &mask);
void nonzero(const Array &mask, const Array &result);
/// The first `count` elements, each of 1, 2, 4 or 8 bytes, where a mask is true.
void compress(const void *x, int64_t bytes, const Array &mask, int64_t count, void *result);
void scan(Op op, const Array &x, int axis, const Array &result);
void sort(Op op, const Array &x, const Array &result, bool descending); // along the last axis
/// One axis of row-major memory.
void reduce(Op op, const Array &x, int axis, const Array &result);
/// All of `n` consecutive elements.
void reduce(Op op, DType dtype, int64_t n, const void *x, void *result);
void matrixProduct(const Array &x, const Array &y, const Array &result); // (m, k) and (k, n), any strides
void vectorProduct(const Array &matrix, int axis, const Array &vector, const Array &result);
/// result[b] = x[b] y[b], of matrices or of vectors, whose last axes are contiguous; results are.
void eachProduct(const Array &x, const Array &y, const Array &result);

} // namespace kiln::eager
