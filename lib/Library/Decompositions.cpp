// Decompositions by the LAPACK that is opened when the first one runs.
#include "lib/Library/Decompositions.h"

#include "lib/Library/Library.h"

namespace kiln::library {

int32_t cholesky(const kiln_tensor *tensors, const int64_t *words) { return decompositions::cholesky(tensors, words); }
int32_t lu(const kiln_tensor *tensors, const int64_t *words) { return decompositions::lu(tensors, words); }
int32_t solve(const kiln_tensor *tensors, const int64_t *words) { return decompositions::solve(tensors, words); }
int32_t qr(const kiln_tensor *tensors, const int64_t *words) { return decompositions::qr(tensors, words); }
int32_t eigh(const kiln_tensor *tensors, const int64_t *words) { return decompositions::eigh(tensors, words); }
int32_t eig(const kiln_tensor *tensors, const int64_t *words) { return decompositions::eig(tensors, words); }
int32_t svd(const kiln_tensor *tensors, const int64_t *words) { return decompositions::svd(tensors, words); }

} // namespace kiln::library
