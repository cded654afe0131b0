// Fourier transforms by pocketfft, over the strides that arrays have: for Kiln itself, and for libraries, which have no library of C++
// (codegen/library/support/fourier.cpp).
#pragma once

#include "include/kiln/executable.h"

#define POCKETFFT_NO_MULTITHREADING
#include <pocketfft_hdronly.h>

namespace kiln::fourier {

using pocketfft::shape_t, pocketfft::stride_t;

inline bool isSingle(const kiln_tensor &t) { return t.dtype == KILN_FLOAT32 || t.dtype == KILN_COMPLEX64; }
inline bool isComplex(const kiln_tensor &t) { return t.dtype == KILN_COMPLEX64 || t.dtype == KILN_COMPLEX128; }

inline shape_t shapeOf(const kiln_tensor &t) { return shape_t(t.shape, t.shape + t.rank); }

/// Strides in bytes.
inline stride_t stridesOf(const kiln_tensor &t) {
  stride_t result(t.strides, t.strides + t.rank);
  for (auto &s : result) s *= (isSingle(t) ? 4 : 8) * (isComplex(t) ? 2 : 1);
  return result;
}

/// What sums over `points` are multiplied with: the words' norm 0 is nothing, 1 the root, 2 all of them.
template <typename T> T factorOf(int64_t norm, int64_t points) {
  return norm == 0 ? T(1) : T(1) / (norm == 1 ? std::sqrt(T(points)) : T(points));
}

inline size_t axisOf(int64_t axis, int rank) { return size_t(axis < 0 ? axis + rank : axis); }

/// Calls `body` with a number of the precision.
template <typename Body> int32_t withReal(const kiln_tensor &t, Body &&body) {
  if (isSingle(t)) body(float());
  else body(double());
  return 0;
}

/// Whether a tensor is one line of elements along `axis` that lie one behind the other.
inline bool isLine(const kiln_tensor &t, size_t axis) {
  for (size_t i = 0; i < size_t(t.rank); ++i)
    if (i == axis ? t.strides[i] != 1 : t.shape[i] != 1) return false;
  return true;
}

/// One line in the memory of its result, without which a large one takes pages of its own and two copies more. The same numbers meet.
template <typename T> void rfftLine(const T *x, int64_t step, int64_t points, T *out, T factor) {
  T *line = out + 1; // where all numbers but the first have their places
  for (int64_t i = 0; i < points; ++i) line[i] = x[i * step];
  pocketfft::detail::get_plan<pocketfft::detail::pocketfft_r<T>>(size_t(points))->exec(line, factor, true);
  out[0] = line[0];
  out[1] = 0;
  if (points % 2 == 0) out[points + 1] = 0;
}
template <typename T> void irfftLine(const T *x, int64_t step, int64_t points, T *out, T factor) {
  out[0] = x[0];
  for (int64_t i = 1; 2 * i < points; ++i) {
    out[2 * i - 1] = x[2 * i * step];
    out[2 * i] = x[2 * i * step + 1];
  }
  if (points % 2 == 0) out[points - 1] = x[points * step];
  pocketfft::detail::get_plan<pocketfft::detail::pocketfft_r<T>>(size_t(points))->exec(out, factor, false);
}

inline int32_t fft(const kiln_tensor *tensors, const int64_t *words) {
  const kiln_tensor &x = tensors[0], &out = tensors[1];
  shape_t axes;
  int64_t count = words[0], points = 1;
  for (int64_t i = 1; i <= count; ++i) {
    axes.push_back(axisOf(words[i], x.rank));
    points *= x.shape[axes.back()];
  }
  bool inverse = words[count + 1];
  return withReal(x, [&]<typename T>(T) {
    pocketfft::c2c(shapeOf(x), stridesOf(x), stridesOf(out), axes, !inverse, static_cast<const std::complex<T> *>(x.data),
                   static_cast<std::complex<T> *>(out.data), factorOf<T>(words[count + 2], points));
  });
}

inline int32_t rfft(const kiln_tensor *tensors, const int64_t *words) {
  const kiln_tensor &x = tensors[0], &out = tensors[1];
  size_t axis = axisOf(words[0], x.rank);
  return withReal(x, [&]<typename T>(T) {
    if (isLine(out, axis)) {
      T factor = factorOf<T>(words[1], x.shape[axis]);
      return rfftLine(static_cast<const T *>(x.data), x.strides[axis], x.shape[axis], static_cast<T *>(out.data), factor);
    }
    pocketfft::r2c(shapeOf(x), stridesOf(x), stridesOf(out), axis, true, static_cast<const T *>(x.data),
                   static_cast<std::complex<T> *>(out.data), factorOf<T>(words[1], x.shape[axis]));
  });
}

inline int32_t irfft(const kiln_tensor *tensors, const int64_t *words) {
  const kiln_tensor &x = tensors[0], &out = tensors[1];
  size_t axis = axisOf(words[0], x.rank);
  return withReal(x, [&]<typename T>(T) {
    if (isLine(out, axis)) {
      T factor = factorOf<T>(words[2], words[1]);
      return irfftLine(static_cast<const T *>(x.data), x.strides[axis], words[1], static_cast<T *>(out.data), factor);
    }
    pocketfft::c2r(shapeOf(out), stridesOf(x), stridesOf(out), axis, false, static_cast<const std::complex<T> *>(x.data),
                   static_cast<T *>(out.data), factorOf<T>(words[2], words[1]));
  });
}

} // namespace kiln::fourier
