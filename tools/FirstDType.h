// What programs that make eager kernels for all dtypes share.
#pragma once

#include "lib/Core/Error.h"
#include "lib/Core/Infer.h"

namespace kiln {

/// The dtype of the first operand: that of the others, or bool where the op takes a condition.
inline DType firstDType(Op op, DType dtype) {
  std::vector<TensorType> types(size_t(info(op).operands), TensorType{dtype, {}});
  if (types.size() < 3) return dtype;
  try {
    infer(op, types, {});
    return dtype;
  } catch (const Error &) { return DType::Bool; }
}

} // namespace kiln
