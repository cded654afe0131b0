// Products of complex matrices of the CPU, outside of recordings.
#include "frontend/OpsShared.h"

namespace kiln {
namespace {

/// x[i, k] y[k, j] of few complex numbers, element by element: the sums of the four real products.
template <typename T> void smallProduct(const Array &x, const Array &y, const Array &result) {
  auto *a = reinterpret_cast<const T *>(x.data()), *b = reinterpret_cast<const T *>(y.data());
  auto *to = reinterpret_cast<T *>(result.data());
  for (int64_t i = 0; i < x.shape[0]; ++i)
    for (int64_t j = 0; j < y.shape[1]; ++j) {
      T sums[4] = {};
      for (int64_t k = 0; k < x.shape[1]; ++k) {
        const T *u = a + 2 * (i * x.strides[0] + k * x.strides[1]), *v = b + 2 * (k * y.strides[0] + j * y.strides[1]);
        sums[0] += u[0] * v[0], sums[1] += u[1] * v[1], sums[2] += u[0] * v[1], sums[3] += u[1] * v[0];
      }
      *to++ = sums[0] - sums[1];
      *to++ = sums[2] + sums[3];
    }
}

/// The products of the real and of the imaginary parts of x with pairs of numbers, in one: of a row of pairs the first becomes the result.
template <typename T> void combine(T *re, const T *im, int64_t pairs) {
  for (int64_t i = 0; i < 2 * pairs; i += 2) {
    T first = re[i] - im[i + 1], second = re[i + 1] + im[i];
    re[i] = first, re[i + 1] = second;
  }
}

} // namespace

std::optional<Array> complexProduct(const Array &x, const Array &y) {
  constexpr int64_t kFew = 1024; // multiplications
  if (!isComplex(x.dtype) || isApart(x, y) || x.shape.rank != 2 || y.shape.rank != 2) return std::nullopt;
  int64_t m = x.shape[0], n = y.shape[1];
  if (m * x.shape[1] * n <= kFew) {
    Array result = Array::empty(x.dtype, {m, n});
    x.dtype == DType::C64 ? smallProduct<float>(x, y, result) : smallProduct<double>(x, y, result);
    return result;
  }
  // The rows of y as real numbers, which are pairs: two real products in place of four.
  Array pairs = n == 1 || y.strides[1] == 1 ? y : copy(y);
  pairs.dtype = realType(y.dtype);
  pairs.offset *= 2;
  pairs.shape[1] *= 2;
  pairs.strides = {2 * pairs.strides[0], 1};
  pairs.updateContiguous();
  Array re = matmul(contiguous(partOf(x, false)), pairs), im = matmul(contiguous(partOf(x, true)), pairs);
  {
    Running running(2 * m * n, {&re, &im});
    if (x.dtype == DType::C64) combine(reinterpret_cast<float *>(re.data()), reinterpret_cast<const float *>(im.data()), m * n);
    else combine(reinterpret_cast<double *>(re.data()), reinterpret_cast<const double *>(im.data()), m * n);
  }
  re.dtype = x.dtype;
  re.shape = {m, n};
  re.strides = contiguousStrides(re.shape);
  return re;
}

} // namespace kiln
