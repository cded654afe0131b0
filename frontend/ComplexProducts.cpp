// Products of complex matrices of the CPU, outside of recordings.
#include "frontend/OpsShared.h"

namespace kiln {
namespace {

/// The products of the real and of the imaginary parts of x with pairs of numbers, in one: of a row of pairs the first becomes the result.
template <typename T> void combine(T *re, const T *im, int64_t pairs) {
  for (int64_t i = 0; i < 2 * pairs; i += 2) {
    T first = re[i] - im[i + 1], second = re[i + 1] + im[i];
    re[i] = first, re[i + 1] = second;
  }
}

} // namespace

std::optional<Array> complexProduct(const Array &x, const Array &y) {
  if (!isComplex(x.dtype) || isApart(x, y) || x.shape.rank != 2 || y.shape.rank != 2) return std::nullopt;
  int64_t m = x.shape[0], n = y.shape[1];
  // The rows of y as real numbers, which are pairs: two real products in place of four, and each sum as there.
  Array pairs = withOwnCell(n == 1 || y.strides[1] == 1 ? y : copy(y)), parts = withOwnCell(x);
  pairs.dtype = realType(y.dtype);
  pairs.offset *= 2;
  pairs.shape[1] *= 2;
  pairs.strides = {2 * pairs.strides[0], 1};
  Array re = Array::empty(pairs.dtype, {m, 2 * n}), im = Array::empty(pairs.dtype, {m, 2 * n});
  Running running(2 * m * n * x.shape[1]);
  eager::matrixProduct(partOf(parts, false), pairs, re);
  eager::matrixProduct(partOf(parts, true), pairs, im);
  if (x.dtype == DType::C64) combine(reinterpret_cast<float *>(re.data()), reinterpret_cast<const float *>(im.data()), m * n);
  else combine(reinterpret_cast<double *>(re.data()), reinterpret_cast<const double *>(im.data()), m * n);
  re.dtype = x.dtype;
  re.shape = {m, n};
  re.strides = contiguousStrides(re.shape);
  return re;
}

} // namespace kiln
