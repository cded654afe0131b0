#include "frontend/Accelerated.h"

#include "frontend/AcceleratedShared.h"
#include "frontend/Mode.h"
#include "frontend/OpsShared.h"
#include "lib/Core/NativeOps.h"

#include <algorithm>

namespace kiln {

Trace forAccelerator(const Trace &trace) {
  Trace result = trace;
  result.devices.clear();
  result.replaces.clear();
  result.words.clear();
  for (size_t at = 0; at < trace.words.size();) {
    TraceOp entry = Trace::decode(trace.words, at);
    auto first = trace.words.begin() + ptrdiff_t(entry.at), end = trace.words.begin() + ptrdiff_t(at);
    if (entry.op == Op::Input) { // row by row, however it lies: whoever runs the code sees to that
      WordReader words{entry.words};
      words.dtype(), words.dims();
      end = first + 1 + ptrdiff_t(words.at);
      result.words.insert(result.words.end(), first, end);
      result.words.push_back(0);
    } else {
      result.words.insert(result.words.end(), first, end);
    }
  }
  return result;
}

std::vector<Device *> devicesOf(const Trace &trace, std::span<Device *const> places) {
  std::vector<Device *> at;
  size_t input = 0;
  for (size_t word = 0; word < trace.words.size();) {
    TraceOp entry = Trace::decode(trace.words, word);
    Device *here = at.size() < places.size() ? places[at.size()] : nullptr;
    if (entry.op == Op::Input)
      if (std::string_view name = trace.deviceOf(input++); name != kHostDevice) here = findDevice(std::string(name));
    for (int64_t operand : entry.operands)
      if (at[size_t(operand)]) here = at[size_t(operand)];
    at.insert(at.end(), entry.results, here);
  }
  return at;
}

bool isAllOn(Device *device, const Trace &trace, std::span<Device *const> places) {
  std::vector<Device *> at = devicesOf(trace, places);
  return std::ranges::all_of(at, [&](Device *here) { return !here || here == device; }) &&
         std::ranges::all_of(trace.outputs, [&](int64_t output) { return at[size_t(output)] == device; });
}

std::optional<std::vector<Array>> runKernel(Device &device, std::span<const Array *const> operands, std::span<const int64_t> words,
                                            std::span<const TensorType> types) {
  const DeviceKernel *kernel = deviceKernelOf(words[0]);
  if (!kernel || !device.accelerator()) return std::nullopt;
  std::vector<Array> held, made;
  std::vector<uint64_t> parameters;
  auto add = [&](const Array &array) { parameters.push_back(reinterpret_cast<uint64_t>(array.data())); };
  for (const Array *a : operands) add(held.emplace_back(deviceOf(*a) == &device ? contiguous(*a) : moved(*a, &device)));
  size_t at = 1;
  for (const TensorType &type : types) {
    add(made.emplace_back(Array::empty(type.dtype, type.shape.numbers(), &device)));
    at += 2 + size_t(type.shape.rank);
  }
  parameters.push_back(uint64_t(made[0].size()));
  std::vector<int64_t> numbers; // attributes are a dtype and bits
  for (; at + 1 < words.size(); at += 2) numbers.push_back(words[at + 1]);
  std::span shape = std::span(numbers).last(3);
  if (shape[0] == kBlocksForElements) shape[0] = (made[0].size() + shape[1] - 1) / shape[1];
  parameters.insert(parameters.end(), numbers.begin(), numbers.end() - 3);
  if (shape[0]) device.accelerator()->launch(kernel->code, kernel->symbol, {shape[0], shape[1], shape[2]}, parameters);
  return made;
}

std::pair<int32_t, std::vector<Array>> runOn(Device &device, const Executable &code, std::span<const Array *const> inputs,
                                             std::span<const ArrayType> outputs, const Instance &values) {
  std::vector<Array> held, made;
  std::vector<AcceleratorProgram::Argument> arguments;
  held.reserve(inputs.size());
  for (const Array *a : inputs) {
    bool isPlain = a->isContiguous && (deviceOf(*a) == &device || (isNumber(*a) && a->size() == 1));
    if (!isPlain) held.push_back(deviceOf(*a) == &device ? contiguous(*a) : moved(*a, &device));
    else held.push_back(withOwnCell(*a)); // another thread may put other memory into the cell meanwhile
    arguments.push_back(argumentOf(held.back()));
  }
  addNumbers(arguments, values);
  for (const ArrayType &type : outputs) {
    made.push_back(Array::empty(type.dtype, type.shape, &device));
    arguments.push_back(argumentOf(made.back()));
  }
  int32_t status = startProgram(code, arguments, values.symbols);
  return {status, std::move(made)};
}

} // namespace kiln
