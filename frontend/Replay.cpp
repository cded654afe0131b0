#include "frontend/Replay.h"

#include "frontend/Eager.h"
#include "frontend/OpsShared.h"

#include <algorithm>

namespace kiln {
namespace {

/// Whether an array shows all of memory that nobody else holds, row by row.
bool ownsMemory(const Array &x) {
  const Storage &s = *x.storage.get();
  return x.isContiguous && x.offset == 0 && !s.pinned && s.isWritable && s.refs.load() == 1 && s.value->refs.load() == 1 &&
         !s.value->isForeign && s.value->bytes == size_t(x.size() * byteSize(x.dtype));
}

class Replay {
public:
  Replay(const Trace &trace, std::span<const Array *const> inputs, void (*between)()) : trace(trace), inputs(inputs), between(between) {
    lastUse.assign(trace.types.size(), -1);
    needed = Trace::neededSlots(trace.words, trace.outputs);
    size_t slot = 0;
    for (size_t at = 0; at < trace.words.size(); ++slot)
      for (int64_t operand : Trace::decode(trace.words, at).operands)
        if (needed[slot]) lastUse[size_t(operand)] = int64_t(slot);
    for (int64_t output : trace.outputs) lastUse[size_t(output)] = kAlways;
    slots.resize(trace.types.size());
  }

  std::vector<Array> run() {
    size_t nextInput = 0;
    for (size_t at = 0; at < trace.words.size(); ++now) {
      TraceOp entry = Trace::decode(trace.words, at);
      if (entry.op == Op::Input) {
        Array &input = slots[size_t(now)] = *inputs[nextInput++];
        input.storage = Storage::make(input.storage->value); // as it is now: other threads may write into the cell meanwhile
        continue;
      }
      if (!needed[size_t(now)]) continue;
      slots[size_t(now)] = apply(entry);
      for (int64_t operand : entry.operands)
        if (lastUse[size_t(operand)] == now) slots[size_t(operand)] = Array();
      if (between) between();
    }
    std::vector<Array> results;
    for (int64_t output : trace.outputs) {
      const Array &a = slots[size_t(output)];
      results.push_back(ownsMemory(a) ? a : copy(a));
      results.back().isRepeated = false;
    }
    return results;
  }

private:
  static constexpr int64_t kAlways = std::numeric_limits<int64_t>::max();
  const Trace &trace;
  std::span<const Array *const> inputs;
  void (*between)();
  std::vector<Array> slots;
  std::vector<char> needed;
  std::vector<int64_t> lastUse; // the slot of the last op that reads a slot
  int64_t now = 0;

  const Array &operand(const TraceOp &op, size_t i) const { return slots[size_t(op.operands[i])]; }

  /// An array to write into that starts as an operand: its own memory where nobody reads it later.
  Array taken(const TraceOp &op, size_t i) {
    Array &x = slots[size_t(op.operands[i])];
    bool isLast = lastUse[size_t(op.operands[i])] == now && std::ranges::count(op.operands, op.operands[i]) == 1;
    if (!isLast || !ownsMemory(x)) return copy(x);
    Array result = std::move(x);
    x = Array();
    result.isRepeated = false;
    return result;
  }

  Array apply(const TraceOp &op) {
    WordReader words{op.words};
    const TensorType &type = trace.types[size_t(now)];
    switch (info(op.op).kind) {
    case Kind::Elementwise: return elementwise(op, type);
    case Kind::Index: return move(op, type);
    case Kind::Source:
      if (op.op == Op::Iota) return iota(type.dtype, type.shape, op.words[0]);
      return constantArray(type.dtype, {op.words[1], 0});
    case Kind::Reduce: return reduce(op.op, operand(op, 0), words.dims(), false);
    case Kind::Argreduce: return reduce(op.op, operand(op, 0), Dims{op.words[0]}, false);
    case Kind::Contract: {
      Dims xBatch = words.dims(), yBatch = words.dims();
      int64_t xAxis = words.next();
      return dotGeneral(operand(op, 0), operand(op, 1), xBatch, yBatch, xAxis, words.next());
    }
    case Kind::Assemble: return assemble(op);
    case Kind::Gather: return gather(operand(op, 0), operand(op, 1), op.words[0]);
    case Kind::Scatter: {
      Array result = taken(op, 0);
      scatterInto(op.op, result, operand(op, 1), operand(op, 2), op.words[0]);
      return result;
    }
    case Kind::Scan: return alongAxis(op.op, operand(op, 0), op.words[0]);
    case Kind::Sort: return alongAxis(op.op, operand(op, 0), op.words[0], op.words[1]);
    case Kind::Compact: return firstPositions(operand(op, 0), type);
    case Kind::Convolve: {
      Dims strides = words.dims(), low = words.dims(), high = words.dims(), dilation = words.dims();
      return convolution(operand(op, 0), operand(op, 1), strides, low, high, dilation, words.next());
    }
    case Kind::Library: {
      std::vector<const Array *> operands;
      for (size_t i = 0; i < op.operands.size(); ++i) operands.push_back(&operand(op, i));
      return applyLibrary(op.op, operands, op.words);
    }
    }
    __builtin_unreachable();
  }

  Array elementwise(const TraceOp &op, const TensorType &type) {
    const Array &x = operand(op, 0);
    if (op.op == Op::Cast && x.dtype == type.dtype) return x; // a copy, as it was recorded: values do not change here
    if (op.op == Op::Bitcast) return bitcast(x, type.dtype);
    if (op.op == Op::Real || op.op == Op::Imag) return partOf(x, op.op == Op::Imag);
    eager::Input inputs[3];
    for (size_t i = 0; i < op.operands.size(); ++i) inputs[i] = {operand(op, i).data(), operand(op, i).dtype, operand(op, i).strides};
    Array result = Array::empty(type.dtype, type.shape);
    Running running(result.size());
    eager::elementwise(op.op, {inputs, op.operands.size()}, type.dtype, type.shape, result.data());
    return result;
  }

  Array move(const TraceOp &op, const TensorType &type) {
    WordReader words{op.words};
    const Array &x = operand(op, 0);
    if (op.op == Op::Reshape) return reshape(x, type.shape);
    if (op.op == Op::DynamicSlice) return dynamicSlice(x, operand(op, 1), words.dims());
    Dims first = words.dims();
    if (op.op == Op::Transpose) return transpose(x, first);
    if (op.op == Op::Slice) {
      Dims sizes = words.dims();
      return slice(x, first, sizes, words.dims());
    }
    Array view = x; // axis i is axis first[i] of the result
    view.shape = type.shape;
    view.strides = Dims();
    for (int i = 0; i < type.shape.rank; ++i) view.strides.push(0);
    for (int i = 0; i < x.shape.rank; ++i)
      if (x.shape[i] != 1) view.strides[int(first[i])] = x.strides[i];
    view.updateContiguous();
    return view;
  }

  Array assemble(const TraceOp &op) {
    WordReader words{op.words};
    if (op.op == Op::Concat) {
      std::vector<const Array *> parts;
      for (size_t i = 0; i < op.operands.size(); ++i) parts.push_back(&operand(op, i));
      return concat(parts, op.words[0]);
    }
    Array result = taken(op, 0);
    const Array &value = operand(op, 1);
    if (op.op == Op::Update) {
      Dims starts = words.dims();
      Array part = slice(result, starts, value.shape, words.dims());
      assign(part, value);
    } else {
      Array part = dynamicPart(result, operand(op, 2), value.shape);
      assign(part, value);
    }
    return result;
  }

  /// Positions of the true elements of a mask, as many as the type says; -1 behind the last.
  Array firstPositions(const Array &mask, const TensorType &type) {
    Array found = nonzero(mask), result = full(type.shape, type.dtype, {-1, 0});
    Dims count = {std::min(found.size(), result.size())};
    Array part = slice(result, {0}, count, {1});
    assign(part, slice(found, {0}, count, {1}));
    return result;
  }
};

} // namespace

std::vector<Array> replay(const Trace &trace, std::span<const Array *const> inputs, void (*between)()) {
  return Replay(trace, inputs, between).run();
}

} // namespace kiln
