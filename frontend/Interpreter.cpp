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

Interpreter::Interpreter(const Trace &trace, void (*between)(), std::span<Device *const> devices)
    : trace(trace), between(between), devices(devices), needed(Trace::neededSlots(trace.words, trace.outputs)),
      lastUse(trace.types.size(), -1), places(trace.types.size(), -1), roots(trace.types.size(), -1) {
  findLastUses();
  findPlaces();
}

void Interpreter::findLastUses() {
  for (size_t at = 0, slot = 0; at < trace.words.size();) {
    TraceOp entry = Trace::decode(trace.words, at);
    for (int64_t operand : entry.operands)
      if (needed[slot]) lastUse[size_t(operand)] = int64_t(slot);
    slot += entry.results;
  }
  for (int64_t output : trace.outputs) lastUse[size_t(output)] = kAlways;
}

/// A place is free again after the last use of its slot.
void Interpreter::findPlaces() {
  std::vector<int32_t> unused;
  std::vector<char> isDropped(trace.types.size());
  int32_t count = 0;
  auto drop = [&](int64_t slot) {
    if (!std::exchange(isDropped[size_t(slot)], true)) unused.push_back(places[size_t(slot)]);
  };
  for (size_t at = 0, slot = 0; at < trace.words.size();) {
    TraceOp entry = Trace::decode(trace.words, at);
    now = int64_t(slot);
    bool isThere = entry.op == Op::Input || needed[slot];
    roots[slot] = isThere && mayShare(entry) ? roots[size_t(entry.operands[0])] : now;
    for (size_t i = 0; isThere && i < entry.results; ++i, ++slot) {
      if (unused.empty()) unused.push_back(count++);
      places[slot] = unused.back();
      unused.pop_back();
      if (i) roots[slot] = int64_t(slot);
    }
    if (!isThere) slot += entry.results;
    for (int64_t operand : entry.operands)
      if (isThere && lastUse[size_t(operand)] == now) drop(operand);
    for (int64_t result = now; isThere && result < int64_t(slot); ++result)
      if (lastUse[size_t(result)] < 0) drop(result);
  }
  arrays.resize(size_t(count));
}

std::vector<Array> Interpreter::run(std::vector<Array> inputs) {
  size_t nextInput = 0;
  now = 0;
  for (size_t word = 0, next = 0; word < trace.words.size(); now = int64_t(next)) {
    TraceOp entry = Trace::decode(trace.words, word);
    next = size_t(now) + entry.results;
    if (entry.op == Op::Input) {
      Array &input = at(now) = std::move(inputs[nextInput++]);
      bool isPinned = input.storage->pinned;
      input.storage = Storage::make(input.storage->value); // as it is now: other threads may write into the cell meanwhile
      input.storage->pinned = isPinned;
    } else if (needed[size_t(now)]) {
      run(entry);
    }
  }
  std::vector<Array> results;
  for (int64_t output : trace.outputs) results.push_back(at(output));
  for (Array &array : arrays) array = Array();
  for (Array &result : results) {
    if (!ownsMemory(result)) result = copy(result);
    result.isRepeated = false;
  }
  return results;
}

void Interpreter::run(const TraceOp &op) {
  if (info(op.op).kind == Kind::Control || op.results > 1) {
    std::vector<Array> results = info(op.op).kind == Kind::Control ? runBodies(op) : applyAll(op);
    for (size_t i = 0; i < results.size(); ++i) at(now + int64_t(i)) = std::move(results[i]);
  } else {
    at(now) = apply(op);
  }
  for (int64_t operand : op.operands)
    if (lastUse[size_t(operand)] == now) at(operand) = Array();
  if (between) between();
}

/// Whether a move gives a view. What it shows is needed for longer than the view, so nothing is written into it in place meanwhile.
bool Interpreter::mayShare(const TraceOp &op) const {
  if (op.op == Op::Input || info(op.op).kind != Kind::Index || op.op == Op::DynamicSlice || op.op == Op::Broadcast) return false;
  return devices.empty() && lastUse[size_t(now)] < lastUse[size_t(roots[size_t(op.operands[0])])];
}

/// Whether nobody reads an operand later, or twice.
bool Interpreter::isLastUse(const TraceOp &op, size_t i) const {
  return lastUse[size_t(op.operands[i])] == now && std::ranges::count(op.operands, op.operands[i]) == 1;
}

/// An array to write into that starts as an operand: its own memory where nobody reads it later.
Array Interpreter::taken(const TraceOp &op, size_t i) {
  Array &x = at(op.operands[i]);
  if (!isLastUse(op, i) || !ownsMemory(x)) return copy(x);
  Array result = std::move(x);
  x = Array();
  result.isRepeated = false;
  return result;
}

std::vector<Array> Interpreter::runBodies(const TraceOp &op) {
  std::vector<Array> operands;
  for (size_t i = 0; i < op.operands.size(); ++i) {
    Array &x = at(op.operands[i]);
    operands.push_back(x);
    if (isLastUse(op, i)) x = Array();
  }
  return kiln::runBodies(op.op, op.words, trace.bodies, std::move(operands), between);
}

std::vector<Array> Interpreter::applyAll(const TraceOp &op) {
  std::vector<const Array *> operands;
  for (size_t i = 0; i < op.operands.size(); ++i) operands.push_back(&operand(op, i));
  return applyLibraryAll(op.op, operands, op.words);
}

Array Interpreter::apply(const TraceOp &op) {
  const TensorType &type = trace.types[size_t(now)];
  Device *place = size_t(now) < devices.size() ? devices[size_t(now)] : nullptr;
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
  if (mayShare(op))
    if (auto view = viewOfMove(operand(op, 0), op.op, op.words, type.shape.numbers())) return std::move(*view);
  // A number of the CPU stays one when it is repeated: kernels of any device, and elementwise ones of the CPU, take it.
  bool isNumberStill = op.op == Op::Broadcast && !place && isNumber(operand(op, 0));
  return kiln::run({op.op, {operands, op.operands.size()}, op.words, type, isNumberStill, place});
}

Array Interpreter::update(const TraceOp &op) {
  WordReader words{op.words};
  Array result = taken(op, 0);
  const Array &value = operand(op, 1);
  Array part;
  if (op.op == Op::Update) {
    std::vector<int64_t> region; // words of the slice that is written
    Dims starts = words.dims();
    for (const Dims &d : {starts, value.shape, words.dims()}) appendWords(region, d);
    part = *viewOfMove(result, Op::Slice, region, value.shape);
  } else {
    part = dynamicPart(result, operand(op, 2), value.shape);
  }
  assign(part, value);
  return result;
}

std::vector<Array> interpret(const Trace &trace, std::span<const Array *const> inputs, void (*between)(),
                             std::span<Device *const> devices) {
  Paused paused;
  std::vector<Array> held;
  for (const Array *input : inputs) held.push_back(*input);
  return Interpreter(trace, between, devices).run(std::move(held));
}

} // namespace kiln
