/* Kernels of test_native_ops.py: of any dtype, of several results, with attributes, that fail. */
#include "custom/helper.h"
#include <kiln/op.h>
#include <math.h>
#include <string.h>

static int64_t bytes_of(const kiln_tensor *t) {
  static const int64_t sizes[] = {1, 1, 2, 4, 8, 1, 2, 4, 8, 2, 2, 4, 8, 8, 16, 1, 1};
  return sizes[t->dtype];
}

/* The elements of any array, the last one first. */
KILN_KERNEL int32_t reversed(const kiln_context *context, const kiln_tensor *operands, const kiln_tensor *results) {
  int64_t n = kiln_elements(operands), size = bytes_of(operands);
  if (context->version < 1 || context->device != KILN_CPU || context->stream || operands->dtype != results->dtype) return 9;
  for (int64_t i = 0; i < n; ++i) memcpy((char *)results->data + i * size, (char *)operands->data + (n - 1 - i) * size, (size_t)size);
  return 0;
}

/* exp(x) * scale to the power, and how many there are. */
KILN_KERNEL int32_t scaled(const kiln_context *context, const kiln_tensor *operands, const kiln_tensor *results) {
  double scale = kiln_number(context, 0);
  int64_t power = kiln_integer(context, 1), n = kiln_elements(operands);
  for (int64_t k = 1; k < power; ++k) scale *= kiln_number(context, 0);
  for (int64_t i = 0; i < n; ++i) ((double *)results[0].data)[i] = OFFSET + exp(((double *)operands[0].data)[i]) * scale;
  *(int64_t *)results[1].data = n;
  return context->attributes == 2 ? 0 : 8;
}

/* Fails as the first element says: by what it returns, or by the status word. */
KILN_KERNEL int32_t failing(const kiln_context *context, const kiln_tensor *operands, const kiln_tensor *results) {
  float x = *(float *)operands->data;
  memcpy(results->data, operands->data, (size_t)kiln_elements(operands) * sizeof x);
  if (x == 14) *context->status = 14;
  return x == 13 ? 13 : 0;
}

/* sin(rate x) y, and x y. */
KILN_KERNEL int32_t waves(const kiln_context *context, const kiln_tensor *operands, const kiln_tensor *results) {
  const double *x = operands[0].data, *y = operands[1].data;
  for (int64_t i = 0, n = kiln_elements(operands); i < n; ++i) {
    ((double *)results[0].data)[i] = sin(kiln_number(context, 0) * x[i]) * y[i];
    ((double *)results[1].data)[i] = x[i] * y[i];
  }
  return 0;
}
