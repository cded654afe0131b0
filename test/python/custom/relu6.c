#include <kiln/op.h>

KILN_KERNEL int32_t relu6(const kiln_context *context, const kiln_tensor *operands, const kiln_tensor *results) {
  const float *x = operands[0].data;
  float *y = results[0].data;
  (void)context;
  for (int64_t i = 0, n = kiln_elements(results); i < n; ++i) y[i] = x[i] < 0 ? 0 : x[i] > 6 ? 6 : x[i];
  return 0;
}
