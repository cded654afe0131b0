#include "lib/Package/Programs.h"

namespace kiln {
namespace {

/// The slots of the inputs of a program.
std::vector<size_t> inputSlots(const Trace &trace) {
  std::vector<size_t> slots;
  for (size_t at = 0, slot = 0; at < trace.words.size();) {
    TraceOp entry = Trace::decode(trace.words, at);
    if (entry.op == Op::Input) slots.push_back(slot);
    slot += entry.results;
  }
  return slots;
}

} // namespace

std::vector<TensorType> inputTypesOf(const Trace &trace) {
  std::vector<TensorType> types;
  for (size_t slot : inputSlots(trace)) types.push_back(trace.types[slot]);
  return types;
}

std::vector<char> usedInputs(const Trace &trace) {
  std::vector<char> isUsed(trace.types.size()), inputs;
  for (size_t at = 0; at < trace.words.size();)
    for (int64_t operand : Trace::decode(trace.words, at).operands) isUsed[size_t(operand)] = true;
  for (int64_t output : trace.outputs) isUsed[size_t(output)] = true;
  for (size_t slot : inputSlots(trace)) inputs.push_back(isUsed[slot]);
  return inputs;
}

Trace withInputs(const Trace &trace, std::span<const size_t> order) {
  Trace result;
  result.symbols = trace.symbols;
  result.bodies = trace.bodies;
  result.isFast = trace.isFast;
  std::vector<size_t> inputs = inputSlots(trace);
  std::vector<int64_t> slots(trace.types.size(), -1); // by slot before, the one now
  for (size_t input : order) slots[inputs[input]] = result.addInput(trace.types[inputs[input]], {}, trace.deviceOf(input));
  for (size_t at = 0, slot = 0; at < trace.words.size();) {
    TraceOp entry = Trace::decode(trace.words, at);
    if (entry.op != Op::Input) {
      std::vector<int64_t> operands;
      for (int64_t operand : entry.operands) operands.push_back(slots[size_t(operand)]);
      int64_t first = result.append(entry.op, operands, entry.words, std::span(trace.types).subspan(slot, entry.results));
      for (size_t i = 0; i < entry.results; ++i) slots[slot + i] = first + int64_t(i);
    }
    slot += entry.results;
  }
  for (int64_t output : trace.outputs) result.outputs.push_back(slots[size_t(output)]);
  return result;
}

} // namespace kiln
