#include "frontend/Bodies.h"

#include "frontend/Control.h"
#include "frontend/OpsShared.h"
#include "frontend/Transform.h"

#include <algorithm>

namespace kiln {

Array BodyWriter::input(const TensorType &type) {
  Array a;
  a.dtype = type.dtype;
  a.shape = type.shape.numbers();
  a.strides = contiguousStrides(a.shape);
  a.storage = Storage::make({});
  recorder.addInput(a);
  return a;
}

std::vector<Array> BodyWriter::inputs(std::span<const TensorType> types) {
  std::vector<Array> result;
  for (const TensorType &type : types) result.push_back(input(type));
  return result;
}

std::shared_ptr<Trace> BodyWriter::finish(std::span<const Array> outputs) {
  for (const Array &a : outputs) recorder.trace.outputs.push_back(recorder.slotOf(a));
  return std::make_shared<Trace>(std::move(recorder.trace));
}

std::optional<int64_t> knownNumber(const Array &x) {
  Mode *mode = Mode::current();
  if (auto *recorder = dynamic_cast<Recorder *>(mode)) return recorder->knownNumber(x);
  Array below = x;
  if (auto *transform = dynamic_cast<Transform *>(mode)) {
    Transform::Item item = transform->itemOf(x);
    if (item.isBatched) return std::nullopt;
    below = item.below;
  }
  if (!mode) return *reinterpret_cast<const int64_t *>(below.data());
  Below others(*mode);
  return knownNumber(below);
}

/// Whether a slot is `x` and one more.
static bool isNext(const Trace &body, int64_t slot, int64_t x) {
  std::vector<Entry> entries = entriesOf(body);
  const TraceOp &op = entries[size_t(slot)].op;
  auto isOne = [&](int64_t operand) {
    const TraceOp &number = entries[size_t(operand)].op;
    return number.op == Op::Constant && number.words[1] == 1;
  };
  if (op.op != Op::Add || body.types[size_t(slot)].dtype != DType::I64) return false;
  return (op.operands[0] == x && isOne(op.operands[1])) || (op.operands[1] == x && isOne(op.operands[0]));
}

std::optional<Count> countOf(const Trace &condition, const Trace &body, std::span<const Array *const> operands) {
  std::vector<Entry> entries = entriesOf(condition);
  const TraceOp &asks = entries[size_t(condition.outputs[0])].op;
  const TensorType number{DType::I64, {}};
  bool isCount = asks.op == Op::Less && asks.operands[0] == 0 && operands[0]->type() == number && isNext(body, body.outputs[0], 0);
  if (!isCount) return std::nullopt;
  const TraceOp &bound = entries[size_t(asks.operands[1])].op;
  std::optional<int64_t> first = knownNumber(*operands[0]), end;
  if (bound.op == Op::Constant) end = bound.words[1];
  else if (bound.op == Op::Input && size_t(asks.operands[1]) >= body.outputs.size()) end = knownNumber(*operands[size_t(asks.operands[1])]);
  int64_t trips;
  if (!first || !end || __builtin_sub_overflow(*end, *first, &trips)) return std::nullopt;
  return Count{*first, std::max<int64_t>(trips, 0)};
}

void checkOnHost(std::span<const Array *const> operands) {
  for (const Array *a : operands)
    if (deviceOf(*a)) throw LeaveRecording{"a loop or branch over arrays of another device, under a gradient or a batch"};
}

} // namespace kiln
