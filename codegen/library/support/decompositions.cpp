// Decompositions of libraries: those of lib/Library/Decompositions.cpp, by the LAPACK that a library is linked against, without the library
// of C++.
#include "routine.h"

#include "lib/Library/Lapack.h"

#define KILN_LAPACK_OF(TYPE, LETTER, ORTHOGONAL, SYMMETRIC)                                                                                \
  extern "C" void LETTER##potrf_(), LETTER##getrf_(), LETTER##gesv_(), LETTER##geqrf_(), LETTER##ORTHOGONAL##gqr_(),                       \
      LETTER##SYMMETRIC##evd_(), LETTER##geev_(), LETTER##gesdd_();                                                                        \
  template <> const kiln::library::Lapack<TYPE> *kiln::library::Lapack<TYPE>::get() {                                                      \
    static constexpr Lapack lapack(LapackTable{LETTER##potrf_, LETTER##getrf_, LETTER##gesv_, LETTER##geqrf_, LETTER##ORTHOGONAL##gqr_,    \
                                               LETTER##SYMMETRIC##evd_, LETTER##geev_, LETTER##gesdd_});                                   \
    return &lapack;                                                                                                                        \
  }
KILN_LAPACK_OF(float, s, or, sy)
KILN_LAPACK_OF(double, d, or, sy)
KILN_LAPACK_OF(std::complex<float>, c, un, he)
KILN_LAPACK_OF(std::complex<double>, z, un, he)

#include "lib/Library/Decompositions.h"

namespace of = kiln::library::decompositions;

extern "C" {
int32_t kiln_cholesky(const kiln_tensor *tensors, const int64_t *words) { return run<of::cholesky>(tensors, words); }
int32_t kiln_lu(const kiln_tensor *tensors, const int64_t *words) { return run<of::lu>(tensors, words); }
int32_t kiln_solve(const kiln_tensor *tensors, const int64_t *words) { return run<of::solve>(tensors, words); }
int32_t kiln_qr(const kiln_tensor *tensors, const int64_t *words) { return run<of::qr>(tensors, words); }
int32_t kiln_eigh(const kiln_tensor *tensors, const int64_t *words) { return run<of::eigh>(tensors, words); }
int32_t kiln_eig(const kiln_tensor *tensors, const int64_t *words) { return run<of::eig>(tensors, words); }
int32_t kiln_svd(const kiln_tensor *tensors, const int64_t *words) { return run<of::svd>(tensors, words); }
}
