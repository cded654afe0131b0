// Ops that call a library: eager execution asks the same table as compiled programs.
#include "frontend/OpsShared.h"

#include "lib/Library/Library.h"

namespace kiln {

Array applyLibrary(Op op, std::span<const Array *const> operands, std::span<const int64_t> words) {
  if (areMixed(operands)) return applyLibrary(op, Together(info(op).name, operands).operands(), words);
  std::vector<TensorType> types;
  for (const Array *a : operands) types.push_back(a->type());
  TensorType type = infer(op, types, words);
  if (isAnyApart(operands)) return apply({op, operands, words, type});
  Array result = Array::empty(type.dtype, type.shape.numbers());
  std::vector<kiln_tensor> tensors;
  std::vector<Array> held;
  auto add = [&](const Array &array) {
    const Array &a = held.emplace_back(withOwnCell(array));
    tensors.push_back({a.data(), int32_t(a.dtype), a.shape.rank, a.shape.begin(), a.strides.begin()});
  };
  held.reserve(operands.size() + 1); // tensors point into it
  int64_t work = result.size();
  for (const Array *a : operands) add(*a), work += 16 * a->size();
  add(result);
  int32_t status;
  {
    Running running(work);
    status = runtimeTable()->library(info(op).name, tensors.data(), words.data());
  }
  checkLibraryStatus(op, status);
  return result;
}

} // namespace kiln
