// A kernel of C++, with what throws.
#include <kiln/op.h>

#include <numeric>
#include <stdexcept>
#include <vector>

KILN_KERNEL int32_t sums(const kiln_context *, const kiln_tensor *operands, const kiln_tensor *results) {
  auto *x = static_cast<const double *>(operands->data);
  std::vector<double> kept(x, x + kiln_elements(operands));
  if (!kept.empty() && kept[0] == 13) throw std::runtime_error("13");
  *static_cast<double *>(results->data) = std::accumulate(kept.begin(), kept.end(), 0.0);
  return 0;
}
