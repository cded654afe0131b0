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

Plan::Plan(std::shared_ptr<const Trace> given, bool sharesViews)
    : trace(std::move(given)), isTaken(trace->types.size()), lastUse(trace->types.size(), -1), places(trace->types.size(), -1),
      roots(trace->types.size(), -1), sharesViews(sharesViews) {
  Paused paused; // constants are no part of what somebody records
  readSteps();
  findPlaces();
}

/// Whether an op may go on in the memory of its first operand, or of all of them.
static bool mayTake(const TraceOp &op, size_t operand) {
  Kind kind = info(op.op).kind;
  if (kind == Kind::Control) return true;
  return operand == 0 && (kind == Kind::Scatter || op.op == Op::Update || op.op == Op::DynamicUpdate);
}

void Plan::readSteps() {
  std::vector<char> needed = Trace::neededSlots(trace->words, trace->outputs);
  for (size_t at = 0, slot = 0; at < trace->words.size();) {
    TraceOp op = Trace::decode(trace->words, at);
    if (op.op == Op::Input || needed[slot]) steps.push_back({op, int64_t(slot), false});
    for (size_t i = 0; needed[slot] && i < op.operands.size(); ++i) {
      size_t operand = size_t(op.operands[i]);
      lastUse[operand] = int64_t(slot);
      isTaken[operand] = mayTake(op, i);
    }
    slot += op.results;
  }
  for (int64_t output : trace->outputs) lastUse[size_t(output)] = kAlways;
}

/// Whether a move gives a view: unless an op that could write in place into what it shows would find the view still there, and copy all.
bool Plan::isView(const Step &step) const {
  const TraceOp &op = step.op;
  if (!sharesViews || op.op == Op::Input || info(op.op).kind != Kind::Index || op.op == Op::DynamicSlice) return false;
  size_t root = size_t(roots[size_t(op.operands[0])]);
  int64_t viewEnds = lastUse[size_t(step.slot)], rootEnds = lastUse[root];
  return viewEnds != kAlways && (viewEnds < rootEnds || rootEnds <= step.slot || !isTaken[root]);
}

/// Numbers, also those that are repeated, are made once, unless they may be on a device, or are results.
bool Plan::takeConstant(const Step &step) {
  const TraceOp &op = step.op;
  if (!sharesViews || lastUse[size_t(step.slot)] == kAlways) return false;
  if (op.op == Op::Constant) {
    constants.push_back(constantArray(trace->types[size_t(step.slot)].dtype, {op.words[1], 0}));
  } else if (op.op == Op::Broadcast && isConstant(op.operands[0])) {
    const Array &number = constants[size_t(-2 - places[size_t(op.operands[0])])];
    constants.push_back(*viewOfMove(number, op.op, op.words, trace->types[size_t(step.slot)].shape.numbers()));
  } else {
    return false;
  }
  places[size_t(step.slot)] = -1 - int32_t(constants.size());
  return true;
}

/// A place is free again after the last use of its slot.
void Plan::findPlaces() {
  std::vector<int32_t> unused;
  std::vector<char> isDropped(trace->types.size());
  auto drop = [&](int64_t slot) {
    if (!isConstant(slot) && !std::exchange(isDropped[size_t(slot)], true)) unused.push_back(places[size_t(slot)]);
  };
  for (Step &step : steps) {
    roots[size_t(step.slot)] = step.slot;
    if (takeConstant(step)) continue;
    step.isView = isView(step);
    for (int64_t slot = step.slot, end = slot + int64_t(step.op.results); slot < end; ++slot) {
      roots[size_t(slot)] = step.isView ? roots[size_t(step.op.operands[0])] : slot;
      if (unused.empty()) unused.push_back(int32_t(count++));
      places[size_t(slot)] = unused.back();
      unused.pop_back();
    }
    for (int64_t operand : step.op.operands)
      if (lastUse[size_t(operand)] == step.slot) drop(operand);
    for (int64_t slot = step.slot, end = slot + int64_t(step.op.results); slot < end; ++slot)
      if (lastUse[size_t(slot)] < 0) drop(slot);
    if (step.op.op == Op::Input) inputs.push_back(step.slot);
  }
  std::erase_if(steps, [&](const Step &step) { return step.op.op == Op::Input || isConstant(step.slot); });
}

/// An array as it is now: other threads may write into its cell meanwhile.
static Array shown(const Array &x) {
  Array result;
  result.storage = Storage::make(x.storage->value);
  result.storage->pinned = x.storage->pinned;
  result.dtype = x.dtype;
  result.isContiguous = x.isContiguous;
  result.isRepeated = x.isRepeated;
  result.offset = x.offset;
  result.shape = x.shape;
  result.strides = x.strides;
  return result;
}

std::vector<Array> Interpreter::run(std::vector<Array> inputs) {
  for (size_t i = 0; i < inputs.size(); ++i) {
    at(plan.inputs[i]) = shown(inputs[i]);
    inputs[i] = Array();
  }
  return runSteps();
}

std::vector<Array> Interpreter::run(std::span<const Array *const> inputs) {
  for (size_t i = 0; i < inputs.size(); ++i) at(plan.inputs[i]) = shown(*inputs[i]);
  return runSteps();
}

std::vector<Array> Interpreter::runSteps() {
  for (const Plan::Step &step : plan.steps) run(step);
  return takeResults();
}

std::vector<Array> Interpreter::takeResults() {
  std::vector<Array> results;
  results.reserve(trace.outputs.size());
  for (int64_t output : trace.outputs) results.push_back(read(output));
  for (Array &array : arrays) array = Array();
  for (Array &result : results) {
    if (!ownsMemory(result)) result = copy(result);
    result.isRepeated = false;
  }
  return results;
}

void Interpreter::run(const Plan::Step &step) {
  const TraceOp &op = step.op;
  now = step.slot;
  if (info(op.op).kind == Kind::Control || op.results > 1) {
    std::vector<Array> results = info(op.op).kind == Kind::Control ? runBodies(op) : applyAll(op);
    for (size_t i = 0; i < results.size(); ++i) at(now + int64_t(i)) = std::move(results[i]);
  } else {
    at(now) = apply(step);
  }
  for (int64_t operand : op.operands)
    if (plan.lastUse[size_t(operand)] == now && !plan.isConstant(operand)) at(operand) = Array();
  if (between) between();
}

/// Whether nobody reads an operand later, or twice.
bool Interpreter::isLastUse(const TraceOp &op, size_t i) const {
  return plan.lastUse[size_t(op.operands[i])] == now && !plan.isConstant(op.operands[i]) &&
         std::ranges::count(op.operands, op.operands[i]) == 1;
}

/// An array to write into that starts as an operand: its own memory where nobody reads it later.
Array Interpreter::taken(const TraceOp &op, size_t i) {
  if (!isLastUse(op, i) || !ownsMemory(operand(op, i))) return copy(operand(op, i));
  Array &x = at(op.operands[i]);
  Array result = std::move(x);
  x = Array();
  result.isRepeated = false;
  return result;
}

std::vector<Array> Interpreter::runBodies(const TraceOp &op) {
  std::vector<Array> operands;
  for (size_t i = 0; i < op.operands.size(); ++i) {
    operands.push_back(operand(op, i));
    if (isLastUse(op, i)) at(op.operands[i]) = Array();
  }
  return kiln::runBodies(op.op, op.words, trace.bodies, std::move(operands), between, home);
}

std::vector<Array> Interpreter::applyAll(const TraceOp &op) {
  std::vector<const Array *> operands;
  for (size_t i = 0; i < op.operands.size(); ++i) operands.push_back(&operand(op, i));
  return applyLibraryAll(op.op, operands, op.words);
}

Array Interpreter::apply(const Plan::Step &step) {
  const TraceOp &op = step.op;
  const TensorType &type = trace.types[size_t(now)];
  Device *place = size_t(now) < devices.size() ? devices[size_t(now)] : nullptr;
  if (!place && op.operands.empty() && type.shape.rank) place = home;
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
  if (step.isView)
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
  return interpret(planOf(trace, devices.empty()), inputs, between, devices);
}

std::vector<Array> interpret(const Plan &plan, std::span<const Array *const> inputs, void (*between)(), std::span<Device *const> devices) {
  Paused paused;
  return Interpreter(plan, between, devices).run(inputs);
}

} // namespace kiln
