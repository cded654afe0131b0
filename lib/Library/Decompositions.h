// Decompositions of stacks of matrices. LAPACK wants columns: every matrix is copied into memory of that order. For Kiln itself, and for
// libraries, which have no library of C++ (codegen/library/support/decompositions.cpp).
#pragma once

#include "include/kiln/executable.h"
#include "lib/Library/Lapack.h"

#include <cmath>

namespace kiln::library::decompositions {

/// A matrix in columns.
template <typename T> struct Columns {
  int64_t rows, columns;
  std::vector<T> data;
  Columns(int64_t rows, int64_t columns) : rows(rows), columns(columns), data(size_t(std::max<int64_t>(rows * columns, 1))) {}
  T &at(int64_t i, int64_t j) { return data[size_t(j * rows + i)]; }
  /// What LAPACK calls the leading dimension.
  int lead() const { return rows > 1 ? int(rows) : 1; }
  /// Its first `count` rows, row by row; behind them.
  T *write(T *to, int64_t count) {
    for (int64_t i = 0; i < count; ++i)
      for (int64_t j = 0; j < columns; ++j) *to++ = at(i, j);
    return to;
  }
};

/// The matrices of the last two axes of a tensor, by number.
template <typename T> class Stack {
public:
  explicit Stack(const kiln_tensor &t) : t(t), rows(t.shape[t.rank - 2]), columns(t.shape[t.rank - 1]) {
    for (int i = 0; i < t.rank - 2; ++i) count *= t.shape[i];
  }
  const kiln_tensor &t;
  int64_t rows, columns, count = 1;

  Columns<T> operator[](int64_t number) const {
    const T *from = static_cast<const T *>(t.data);
    for (int i = t.rank - 2; i-- > 0; number /= t.shape[i]) from += number % t.shape[i] * t.strides[i];
    int64_t down = t.strides[t.rank - 2], right = t.strides[t.rank - 1];
    Columns<T> result(rows, columns);
    for (int64_t j = 0; j < columns; ++j)
      for (int64_t i = 0; i < rows; ++i) result.at(i, j) = from[i * down + j * right];
    return result;
  }
};

/// LAPACK's iterations need not end on inf and nan.
template <typename T> bool isFinite(const Columns<T> &a) {
  for (const T &x : a.data)
    if (!std::isfinite(std::real(x)) || !std::isfinite(std::imag(x))) return false;
  return true;
}

/// Calls `body` with the functions for the element type, and the first operand as a stack.
template <typename Body> int32_t withLapack(const kiln_tensor *tensors, Body &&body) {
  auto run = [&]<typename T>(const Lapack<T> *lapack) {
    return lapack ? body(*lapack, Stack<T>(tensors[0])) : int32_t(KILN_LIBRARY_MISSING);
  };
  switch (tensors[0].dtype) {
  case KILN_FLOAT32: return run(Lapack<float>::get());
  case KILN_FLOAT64: return run(Lapack<double>::get());
  case KILN_COMPLEX64: return run(Lapack<std::complex<float>>::get());
  default: return run(Lapack<std::complex<double>>::get());
  }
}

/// Sets what lies below the diagonal (or above) to 0.
template <typename T> void clearTriangle(Columns<T> &a, bool below) {
  for (int64_t j = 0; j < a.columns; ++j)
    for (int64_t i = 0; i < a.rows; ++i)
      if (below ? i > j : i < j) a.at(i, j) = 0;
}

inline int32_t cholesky(const kiln_tensor *tensors, const int64_t *words) {
  return withLapack(tensors, [&]<typename T>(const Lapack<T> &lapack, const Stack<T> &x) -> int32_t {
    T *out = static_cast<T *>(tensors[1].data);
    for (int64_t k = 0; k < x.count; ++k) {
      Columns<T> a = x[k];
      if (x.rows && lapack.potrf(words[0] ? 'U' : 'L', int(x.rows), a.data.data(), a.lead())) return KILN_NOT_POSITIVE_DEFINITE;
      clearTriangle(a, words[0]);
      out = a.write(out, x.rows);
    }
    return 0;
  });
}

inline int32_t lu(const kiln_tensor *tensors, const int64_t *) {
  return withLapack(tensors, [&]<typename T>(const Lapack<T> &lapack, const Stack<T> &x) -> int32_t {
    T *out = static_cast<T *>(tensors[1].data);
    std::vector<int> pivots(size_t(x.rows));
    for (int64_t k = 0; k < x.count; ++k) {
      Columns<T> a = x[k];
      if (x.rows) lapack.getrf(int(x.rows), int(x.rows), a.data.data(), a.lead(), pivots.data());
      out = a.write(out, x.rows); // a zero on the diagonal is a result
      for (int pivot : pivots) *out++ = T(typename Lapack<T>::Real(pivot - 1));
    }
    return 0;
  });
}

inline int32_t solve(const kiln_tensor *tensors, const int64_t *) {
  return withLapack(tensors, [&]<typename T>(const Lapack<T> &lapack, const Stack<T> &left) -> int32_t {
    Stack<T> right(tensors[1]);
    T *out = static_cast<T *>(tensors[2].data);
    std::vector<int> pivots(size_t(left.rows));
    for (int64_t k = 0; k < left.count; ++k) {
      Columns<T> a = left[k], b = right[k];
      int n = int(left.rows), columns = int(right.columns);
      if (n && lapack.gesv(n, columns, a.data.data(), a.lead(), pivots.data(), b.data.data(), b.lead())) return KILN_SINGULAR;
      out = b.write(out, b.rows);
    }
    return 0;
  });
}

inline int32_t qr(const kiln_tensor *tensors, const int64_t *words) {
  return withLapack(tensors, [&]<typename T>(const Lapack<T> &lapack, const Stack<T> &x) -> int32_t {
    int64_t m = x.rows, n = x.columns, least = std::min(m, n), k = words[0] ? m : least;
    T *out = static_cast<T *>(tensors[1].data);
    std::vector<T> tau(size_t(std::max<int64_t>(least, 1)));
    for (int64_t number = 0; number < x.count; ++number) {
      Columns<T> a = x[number], q(m, k);
      if (least) lapack.geqrf(int(m), int(n), a.data.data(), a.lead(), tau.data());
      std::copy_n(a.data.data(), m * least, q.data.data());
      if (k) lapack.orgqr(int(m), int(k), int(least), q.data.data(), q.lead(), tau.data());
      clearTriangle(a, true);
      out = a.write(q.write(out, m), k);
    }
    return 0;
  });
}

inline int32_t eigh(const kiln_tensor *tensors, const int64_t *words) {
  return withLapack(tensors, [&]<typename T>(const Lapack<T> &lapack, const Stack<T> &x) -> int32_t {
    T *out = static_cast<T *>(tensors[1].data);
    std::vector<typename Lapack<T>::Real> values(size_t(x.rows));
    for (int64_t k = 0; k < x.count; ++k) {
      Columns<T> a = x[k];
      char job = words[1] ? 'V' : 'N', triangle = words[0] ? 'U' : 'L';
      if (!isFinite(a)) return KILN_NOT_CONVERGED;
      if (x.rows && lapack.syevd(job, triangle, int(x.rows), a.data.data(), a.lead(), values.data())) return KILN_NOT_CONVERGED;
      out = std::copy_n(values.begin(), values.size(), out);
      if (words[1]) out = a.write(out, x.rows);
    }
    return 0;
  });
}

/// The complex eigenvectors of a real matrix: a pair of them is kept as two columns of parts.
template <typename R> static void joinPairs(const std::vector<R> &imag, Columns<R> &parts, Columns<std::complex<R>> &vectors) {
  for (int64_t j = 0; j < parts.columns; ++j) {
    bool isPair = imag[size_t(j)] != 0;
    for (int64_t i = 0; i < parts.rows; ++i) {
      vectors.at(i, j) = {parts.at(i, j), isPair ? parts.at(i, j + 1) : 0};
      if (isPair) vectors.at(i, j + 1) = std::conj(vectors.at(i, j));
    }
    j += isPair;
  }
}

inline int32_t eig(const kiln_tensor *tensors, const int64_t *words) {
  return withLapack(tensors, [&]<typename T>(const Lapack<T> &lapack, const Stack<T> &x) -> int32_t {
    using R = typename Lapack<T>::Real;
    using C = std::complex<R>;
    int n = int(x.rows);
    char job = words[0] ? 'V' : 'N';
    C *out = static_cast<C *>(tensors[1].data);
    for (int64_t k = 0; k < x.count; ++k) {
      Columns<T> a = x[k], own(n, n);
      if (!isFinite(a)) return KILN_NOT_CONVERGED;
      Columns<C> vectors(n, n);
      std::vector<C> values(static_cast<size_t>(n));
      int failed = 0;
      if constexpr (Lapack<T>::isComplex) {
        if (n) failed = lapack.geev(job, n, a.data.data(), values.data(), nullptr, vectors.data.data());
      } else {
        std::vector<R> real(static_cast<size_t>(n)), imag = real;
        if (n) failed = lapack.geev(job, n, a.data.data(), real.data(), imag.data(), own.data.data());
        for (size_t i = 0; i < values.size(); ++i) values[i] = {real[i], imag[i]};
        joinPairs(imag, own, vectors);
      }
      if (failed) return KILN_NOT_CONVERGED;
      out = std::copy_n(values.begin(), values.size(), out);
      if (words[0]) out = vectors.write(out, n);
    }
    return 0;
  });
}

inline int32_t svd(const kiln_tensor *tensors, const int64_t *words) {
  return withLapack(tensors, [&]<typename T>(const Lapack<T> &lapack, const Stack<T> &x) -> int32_t {
    int64_t m = x.rows, n = x.columns, k = std::min(m, n);
    int64_t left = words[0] == 0 ? 0 : words[0] == 1 ? k : m, right = words[0] == 2 ? n : left;
    T *out = static_cast<T *>(tensors[1].data);
    std::vector<typename Lapack<T>::Real> values(static_cast<size_t>(k));
    for (int64_t number = 0; number < x.count; ++number) {
      Columns<T> a = x[number], u(m, left), vh(right, n);
      if (!isFinite(a)) return KILN_NOT_CONVERGED;
      if (k && lapack.gesdd("NSA"[words[0]], int(m), int(n), a.data.data(), a.lead(), values.data(), u.data.data(), u.lead(),
                            vh.data.data(), vh.lead()))
        return KILN_NOT_CONVERGED;
      for (int64_t i = 0; !k && i < std::max(left, right); ++i) (left ? u : vh).at(i, i) = 1; // of no values, the unit vectors
      out = vh.write(u.write(std::copy_n(values.begin(), values.size(), out), m), right);
    }
    return 0;
  });
}

} // namespace kiln::library::decompositions
