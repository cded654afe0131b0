#include "frontend/Interpreter.h"

#include "frontend/Control.h"
#include "frontend/OpsShared.h"

#include <algorithm>

namespace kiln {

bool ownsMemory(const Array &x) {
  const Storage &s = *x.storage.get();
  return x.isContiguous && x.offset == 0 && !s.pinned && s.isWritable && s.refs.load() == 1 && s.value->refs.load() == 1 &&
         !s.value->isForeign && s.value->bytes == size_t(x.size() * byteSize(x.dtype));
}

Interpreter::Interpreter(const Trace &trace, void (*between)(), std::span<Device *const> places)
    : trace(trace), between(between), places(places), slots(trace.types.size()), needed(Trace::neededSlots(trace.words, trace.outputs)),
      lastUse(trace.types.size(), -1) {
  for (size_t at = 0, slot = 0; at < trace.words.size();) {
    TraceOp entry = Trace::decode(trace.words, at);
    for (int64_t operand : entry.operands)
      if (needed[slot]) lastUse[size_t(operand)] = int64_t(slot);
    slot += entry.results;
  }
  for (int64_t output : trace.outputs) lastUse[size_t(output)] = kAlways;
}

std::vector<Array> Interpreter::run(std::vector<Array> inputs) {
  size_t nextInput = 0;
  now = 0;
  for (size_t at = 0, next = 0; at < trace.words.size(); now = int64_t(next)) {
    TraceOp entry = Trace::decode(trace.words, at);
    next = size_t(now) + entry.results;
    if (entry.op == Op::Input) {
      Array &input = slots[size_t(now)] = std::move(inputs[nextInput++]);
      bool isPinned = input.storage->pinned;
      input.storage = Storage::make(input.storage->value); // as it is now: other threads may write into the cell meanwhile
      input.storage->pinned = isPinned;
    } else if (needed[size_t(now)]) {
      run(entry);
    }
  }
  std::vector<Array> results;
  for (int64_t output : trace.outputs) results.push_back(slots[size_t(output)]);
  for (Array &slot : slots) slot = Array();
  for (Array &result : results) {
    if (!ownsMemory(result)) result = copy(result);
    result.isRepeated = false;
  }
  return results;
}

void Interpreter::run(const TraceOp &op) {
  if (info(op.op).kind == Kind::Control) std::ranges::move(runBodies(op), slots.begin() + now);
  else slots[size_t(now)] = apply(op);
  for (int64_t operand : op.operands)
    if (lastUse[size_t(operand)] == now) slots[size_t(operand)] = Array();
  if (between) between();
}

/// Whether nobody reads an operand later, or twice.
bool Interpreter::isLastUse(const TraceOp &op, size_t i) const {
  return lastUse[size_t(op.operands[i])] == now && std::ranges::count(op.operands, op.operands[i]) == 1;
}

/// An array to write into that starts as an operand: its own memory where nobody reads it later.
Array Interpreter::taken(const TraceOp &op, size_t i) {
  Array &x = slots[size_t(op.operands[i])];
  if (!isLastUse(op, i) || !ownsMemory(x)) return copy(x);
  Array result = std::move(x);
  x = Array();
  result.isRepeated = false;
  return result;
}

std::vector<Array> Interpreter::runBodies(const TraceOp &op) {
  std::vector<Array> operands;
  for (size_t i = 0; i < op.operands.size(); ++i) {
    Array &x = slots[size_t(op.operands[i])];
    operands.push_back(x);
    if (isLastUse(op, i)) x = Array();
  }
  return kiln::runBodies(op.op, op.words, trace.bodies, std::move(operands), between);
}

Array Interpreter::apply(const TraceOp &op) {
  const TensorType &type = trace.types[size_t(now)];
  Device *place = size_t(now) < places.size() ? places[size_t(now)] : nullptr;
  if (op.op == Op::Cast && operand(op, 0).dtype == type.dtype && !place) return operand(op, 0); // a copy: values do not change here
  bool isHere = op.operands.empty() || !deviceOf(operand(op, 0));                               // in place on the CPU alone
  if (info(op.op).kind == Kind::Scatter && isHere) {
    Array result = taken(op, 0);
    scatterInto(op.op, result, operand(op, 1), operand(op, 2), op.words[0]);
    return result;
  }
  if ((op.op == Op::Update || op.op == Op::DynamicUpdate) && isHere) return update(op);
  if (op.op == Op::Real || op.op == Op::Imag) return partOf(operand(op, 0), op.op == Op::Imag);
  const Array *few[4];
  std::vector<const Array *> many(op.operands.size() > 4 ? op.operands.size() : 0);
  const Array **operands = many.empty() ? few : many.data();
  for (size_t i = 0; i < op.operands.size(); ++i) operands[i] = &operand(op, i);
  // A number of the CPU stays one when it is repeated: kernels of any device take it.
  bool mayShare = op.op == Op::Broadcast && !place && (places.size() || trace.devices.size()) && isNumber(operand(op, 0));
  return kiln::run({op.op, {operands, op.operands.size()}, op.words, type, mayShare, place});
}

Array Interpreter::update(const TraceOp &op) {
  WordReader words{op.words};
  Array result = taken(op, 0);
  const Array &value = operand(op, 1);
  Array part;
  if (op.op == Op::Update) {
    Dims starts = words.dims();
    part = slice(result, starts, value.shape, words.dims());
  } else {
    part = dynamicPart(result, operand(op, 2), value.shape);
  }
  assign(part, value);
  return result;
}

std::vector<Array> interpret(const Trace &trace, std::span<const Array *const> inputs, void (*between)(), std::span<Device *const> places) {
  Paused paused;
  std::vector<Array> held;
  for (const Array *input : inputs) held.push_back(*input);
  return Interpreter(trace, between, places).run(std::move(held));
}

} // namespace kiln
