// Decompositions of libraries: those of lib/Library/Decompositions.cpp, by the LAPACK that a library is linked against, without the library
// of C++.
#include "routine.h"

#include "lib/Library/Lapack.h"

extern "C" {
#define KILN_LAPACK(real, complex) void s##real##_(), d##real##_(), c##complex##_(), z##complex##_();
#include "lib/Library/Lapack.inc"
}

namespace kiln::library {

template <> const Lapack<float> *Lapack<float>::get() {
  static constexpr Lapack lapack(LapackTable{
#define KILN_LAPACK(real, complex) s##real##_,
#include "lib/Library/Lapack.inc"
  });
  return &lapack;
}
template <> const Lapack<double> *Lapack<double>::get() {
  static constexpr Lapack lapack(LapackTable{
#define KILN_LAPACK(real, complex) d##real##_,
#include "lib/Library/Lapack.inc"
  });
  return &lapack;
}
template <> const Lapack<std::complex<float>> *Lapack<std::complex<float>>::get() {
  static constexpr Lapack lapack(LapackTable{
#define KILN_LAPACK(real, complex) c##complex##_,
#include "lib/Library/Lapack.inc"
  });
  return &lapack;
}
template <> const Lapack<std::complex<double>> *Lapack<std::complex<double>>::get() {
  static constexpr Lapack lapack(LapackTable{
#define KILN_LAPACK(real, complex) z##complex##_,
#include "lib/Library/Lapack.inc"
  });
  return &lapack;
}

} // namespace kiln::library

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
