// LAPACK through its C interface, opened when a decomposition first runs: a process without one never maps it.
#pragma once

#include <complex>

namespace kiln::library {

template <typename T> struct RealOf {
  using type = T;
};
template <typename T> struct RealOf<std::complex<T>> {
  using type = T;
};

/// The functions for one element type, with LAPACKE's arguments; the layout comes first.
template <typename T> struct Lapack {
  using Element = T;
  using Real = typename RealOf<T>::type;
  static constexpr int kColumnMajor = 102;
  static constexpr bool isComplex = !std::is_same_v<T, Real>;
  template <bool, typename Dummy = void> struct Geev { // real: the parts of the eigenvalues apart
    using type = int(int, char, char, int, T *, int, Real *, Real *, T *, int, T *, int);
  };
  template <typename Dummy> struct Geev<true, Dummy> {
    using type = int(int, char, char, int, T *, int, T *, T *, int, T *, int);
  };

  int (*potrf)(int, char uplo, int n, T *a, int lda);
  int (*getrf)(int, int m, int n, T *a, int lda, int *pivots);
  int (*gesv)(int, int n, int columns, T *a, int lda, int *pivots, T *b, int ldb);
  int (*geqrf)(int, int m, int n, T *a, int lda, T *tau);
  int (*orgqr)(int, int m, int n, int k, T *a, int lda, const T *tau);
  int (*syevd)(int, char job, char uplo, int n, T *a, int lda, Real *w);
  typename Geev<isComplex>::type *geev;
  int (*gesdd)(int, char job, int m, int n, T *a, int lda, Real *s, T *u, int ldu, T *vh, int ldvh);

  /// Null where no LAPACK can be opened.
  static const Lapack *get();
};

} // namespace kiln::library
