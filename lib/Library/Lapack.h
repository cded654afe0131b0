// LAPACK's subroutines, by Fortran's conventions: arguments by address, matrices as columns, behind all the lengths of texts. Kiln itself
// opens a library of them when a decomposition first runs (Lapack.cpp); libraries of C functions are linked against one
// (codegen/library/support/decompositions.cpp).
#pragma once

#include <stddef.h>

#include <algorithm>
#include <complex>
#include <vector>

namespace kiln::library {

template <typename T> struct RealOf {
  using type = T;
  static constexpr bool isComplex = false;
};
template <typename T> struct RealOf<std::complex<T>> {
  using type = T;
  static constexpr bool isComplex = true;
};

/// The addresses for one element type, by their names for real numbers.
struct LapackTable {
#define KILN_LAPACK(real, complex) void (*real)();
#include "lib/Library/Lapack.inc"
};

/// The subroutines for one element type. Each returns what LAPACK calls info: 0 where it succeeded.
template <typename T> class Lapack {
public:
  using Real = typename RealOf<T>::type;
  static constexpr bool isComplex = RealOf<T>::isComplex;

  explicit constexpr Lapack(const LapackTable &table) : table(table) {}
  /// Null where no LAPACK can be opened.
  static const Lapack *get();

  int potrf(char triangle, int n, T *a, int lead) const { return run(table.potrf, &triangle, &n, a, &lead, Info(), kOne); }
  int getrf(int m, int n, T *a, int lead, int *pivots) const { return run(table.getrf, &m, &n, a, &lead, pivots, Info()); }
  int gesv(int n, int columns, T *a, int leadA, int *pivots, T *b, int leadB) const {
    return run(table.gesv, &n, &columns, a, &leadA, pivots, b, &leadB, Info());
  }
  int geqrf(int m, int n, T *a, int lead, T *tau) const {
    return working([&](T *work, int *size) { return run(table.geqrf, &m, &n, a, &lead, tau, work, size, Info()); });
  }
  int orgqr(int m, int n, int k, T *a, int lead, T *tau) const {
    return working([&](T *work, int *size) { return run(table.orgqr, &m, &n, &k, a, &lead, tau, work, size, Info()); });
  }

  int syevd(char job, char triangle, int n, T *a, int lead, Real *values) const {
    auto call = [&](T *work, int *size, Real *reals, int *realSize, int *integers, int *integerSize) {
      if constexpr (isComplex)
        return run(table.syevd, &job, &triangle, &n, a, &lead, values, work, size, reals, realSize, integers, integerSize, Info(), kOne,
                   kOne);
      else return run(table.syevd, &job, &triangle, &n, a, &lead, values, work, size, integers, integerSize, Info(), kOne, kOne);
    };
    T wanted{};
    Real wantedReals = 0;
    int asked = -1, integerSize = 0;
    if (int info = call(&wanted, &asked, &wantedReals, &asked, &integerSize, &asked)) return info;
    int size = sizeFrom(std::real(wanted)), realSize = sizeFrom(wantedReals);
    std::vector<T> work(static_cast<size_t>(size));
    std::vector<Real> reals(static_cast<size_t>(realSize));
    std::vector<int> integers(static_cast<size_t>(integerSize));
    return call(work.data(), &size, reals.data(), &realSize, integers.data(), &integerSize);
  }

  /// Eigenvalues and, for the job 'V', vectors from the right. Those of real matrices are parts: `imag` is for them alone.
  int geev(char job, int n, T *a, T *values, Real *imag, T *vectors) const {
    char none = 'N';
    std::vector<Real> reals(static_cast<size_t>(2 * n));
    return working([&](T *work, int *size) {
      if constexpr (isComplex)
        return run(table.geev, &none, &job, &n, a, &n, values, vectors, &n, vectors, &n, work, size, reals.data(), Info(), kOne, kOne);
      else return run(table.geev, &none, &job, &n, a, &n, values, imag, vectors, &n, vectors, &n, work, size, Info(), kOne, kOne);
    });
  }

  int gesdd(char job, int m, int n, T *a, int lead, Real *values, T *u, int leadU, T *vh, int leadVh) const {
    auto least = static_cast<size_t>(std::min(m, n)), most = static_cast<size_t>(std::max(m, n));
    std::vector<Real> reals(isComplex ? std::max(least * (5 * least + 7), least * (2 * most + 2 * least + 1)) : 0);
    std::vector<int> integers(8 * least);
    return working([&](T *work, int *size) {
      if constexpr (isComplex)
        return run(table.gesdd, &job, &m, &n, a, &lead, values, u, &leadU, vh, &leadVh, work, size, reals.data(), integers.data(), Info(),
                   kOne);
      else return run(table.gesdd, &job, &m, &n, a, &lead, values, u, &leadU, vh, &leadVh, work, size, integers.data(), Info(), kOne);
    });
  }

private:
  LapackTable table;
  static constexpr size_t kOne = 1; // the length of a letter
  struct Info {};                   // where a subroutine writes how it went

  static int *place(Info, int *info) { return info; }
  template <typename A> static A place(A argument, int *) { return argument; }

  template <typename... A> static void call(void (*subroutine)(), A... arguments) {
    reinterpret_cast<void (*)(A...)>(subroutine)(arguments...);
  }
  template <typename... A> static int run(void (*subroutine)(), A... arguments) {
    int info = 0;
    call(subroutine, place(arguments, &info)...);
    return info;
  }

  static int sizeFrom(Real wanted) { return wanted < 1 ? 1 : int(wanted); }
  /// Calls `body` with memory to work in, as much as it asks for where the size is -1.
  template <typename Body> static int working(Body &&body) {
    T wanted{};
    int asked = -1;
    if (int info = body(&wanted, &asked)) return info;
    int size = sizeFrom(std::real(wanted));
    std::vector<T> work(static_cast<size_t>(size));
    return body(work.data(), &size);
  }
};

} // namespace kiln::library
