// Ops that call a library: eager execution asks the same table as compiled programs.
#include "frontend/Accelerated.h"
#include "frontend/OpsShared.h"

#include "lib/Library/Library.h"

namespace kiln {

static std::vector<Array> runRoutine(Op op, std::span<const Array *const> operands, std::span<const int64_t> words,
                                     std::span<const TensorType> types) {
  std::vector<Array> results, held;
  std::vector<kiln_tensor> tensors;
  auto add = [&](const Array &array) {
    const Array &a = held.emplace_back(withOwnCell(array));
    tensors.push_back({a.data(), int32_t(a.dtype), a.shape.rank, a.shape.begin(), a.strides.begin()});
  };
  held.reserve(operands.size() + types.size()); // tensors point into it
  int64_t work = 0;
  for (const Array *a : operands) add(*a), work += 16 * a->size();
  for (const TensorType &type : types) {
    add(results.emplace_back(Array::empty(type.dtype, type.shape.numbers())));
    work += results.back().size();
  }
  int32_t status;
  {
    Running running(work);
    status = runtimeTable()->library(info(op).name, tensors.data(), words.data());
  }
  checkLibraryStatus(op, status, words);
  return results;
}

std::vector<Array> applyLibraryAll(Op op, std::span<const Array *const> operands, std::span<const int64_t> words) {
  const char *name = info(op, words).name;
  if (areMixed(operands)) return applyLibraryAll(op, Together(name, operands).operands(), words);
  std::vector<TensorType> types;
  for (const Array *a : operands) types.push_back(a->type());
  std::vector<TensorType> results = inferAll(op, types, words);
  if (results.size() == 1 && isAnyApart(operands)) return {apply({op, operands, words, results[0]})};
  if (hasMode()) return applyAll({.op = op, .operands = operands, .words = words, .type = results[0], .types = results});
  if (op == Op::Custom && isAnyApart(operands))
    if (auto made = runKernel(*deviceOf(*operands[0]), operands, words, results)) return std::move(*made);
  if (isAnyApart(operands))
    fail(ErrorKind::Device, name, "operands of an op with several results", "arrays of the CPU", nameOf(deviceOf(*operands[0])));
  return runRoutine(op, operands, words, results);
}

Array applyLibrary(Op op, std::span<const Array *const> operands, std::span<const int64_t> words) {
  return std::move(applyLibraryAll(op, operands, words)[0]);
}

} // namespace kiln
