/* Custom ops, whose kernels are linked into the library. */
#include "codegen/library/support/library.h"

/* 0, or that it failed. `words` are those of the op in a trace: its number, types of results, attributes. */
int32_t kiln_call_op(kiln_op_fn op, const kiln_tensor *tensors, const int64_t *words, int64_t operands, int64_t results,
                     int64_t attributes) {
  int32_t status = 0;
  ++words;
  for (int64_t i = 0; i < results; ++i) words += 2 + words[1];
  kiln_context context = {KILN_OP_VERSION, KILN_CPU, 0, (int32_t)attributes, (const kiln_attribute *)words, 0, &status};
  return op(&context, tensors, tensors + operands) || status ? KILN_CUSTOM_FAILED : 0;
}
