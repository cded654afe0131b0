// A recorded program as a flat list of words, which is at once its serialization and its cache key.
//
//   op      := [opcode | operands << 16 | words << 32] operand-slot* word*
//   input   := [Input] dtype rank size* layout           layout: 0 contiguous, else 1 and a stride (or kDynamicStride) a dimension
//   outputs := slot*
//
// Slots number the results of inputs and ops in order. A program for any size (Generalize.h) has symbols among its sizes; the shape
// of every slot follows its outputs, as symbols alone do not tell it.
#pragma once

#include <cstdint>
#include <limits>
#include <vector>

#include "lib/Core/Infer.h"

namespace kiln {

inline constexpr int64_t kDynamicStride = std::numeric_limits<int64_t>::min();
inline constexpr int64_t kTraceVersion = 1, kOpenTraceVersion = 2;

/// One decoded entry.
struct TraceOp {
  Op op;
  std::span<const int64_t> operands, words;
  size_t at; // position of its first word
};

class Trace {
public:
  std::vector<int64_t> words;
  std::vector<int64_t> outputs;
  std::vector<TensorType> types; // by slot
  int64_t symbols = -1;          // of a program for any size, how many; -1 for one of fixed sizes
  bool isOpen() const { return symbols >= 0; }

  /// Declares an input; `strides` is empty for row-major order.
  int64_t addInput(const TensorType &type, const Dims &strides = {}) {
    words.insert(words.end(), {int64_t(Op::Input), int64_t(type.dtype)});
    appendWords(words, type.shape);
    words.push_back(strides.rank > 0);
    for (int64_t s : strides) words.push_back(s);
    types.push_back(type);
    return int64_t(types.size()) - 1;
  }

  int64_t addOp(Op op, std::span<const int64_t> operands, std::span<const int64_t> opWords) {
    TensorType operandTypes[3];
    std::vector<TensorType> many;
    TensorType *t = operandTypes;
    if (operands.size() > 3) {
      many.resize(operands.size());
      t = many.data();
    }
    for (size_t i = 0; i < operands.size(); ++i) t[i] = types[size_t(operands[i])];
    return append(op, operands, opWords, infer(op, {t, operands.size()}, opWords));
  }

  /// The same for a result whose type is known.
  int64_t append(Op op, std::span<const int64_t> operands, std::span<const int64_t> opWords, const TensorType &type) {
    types.push_back(type);
    words.push_back(int64_t(op) | int64_t(operands.size()) << 16 | int64_t(opWords.size()) << 40);
    words.insert(words.end(), operands.begin(), operands.end());
    words.insert(words.end(), opWords.begin(), opWords.end());
    return int64_t(types.size()) - 1;
  }

  /// Version, words and outputs in one list; of an open program the outputs, counted, are followed by the number of symbols and the
  /// shapes of all slots.
  std::vector<int64_t> serialize() const {
    std::vector<int64_t> all = {isOpen() ? kOpenTraceVersion : kTraceVersion, int64_t(words.size())};
    all.insert(all.end(), words.begin(), words.end());
    if (isOpen()) all.push_back(int64_t(outputs.size()));
    all.insert(all.end(), outputs.begin(), outputs.end());
    if (!isOpen()) return all;
    all.push_back(symbols);
    for (const TensorType &type : types) appendWords(all, type.shape);
    return all;
  }

  /// The types of the inputs of a serialized trace.
  static std::vector<TensorType> inputTypes(std::span<const int64_t> serialized) {
    auto words = serialized.subspan(2, size_t(serialized[1]));
    std::vector<TensorType> types;
    for (size_t at = 0; at < words.size();) {
      TraceOp entry = decode(words, at);
      if (entry.op != Op::Input) continue;
      WordReader reader{entry.words};
      DType dtype = reader.dtype();
      types.push_back({dtype, reader.dims()});
    }
    return types;
  }

  /// The types of its results.
  static std::vector<TensorType> outputTypes(std::span<const int64_t> serialized) {
    auto words = serialized.subspan(2, size_t(serialized[1])), outputs = serialized.subspan(2 + size_t(serialized[1]));
    std::vector<TensorType> slots, inputs = inputTypes(serialized), operands, results;
    size_t nextInput = 0;
    for (size_t at = 0; at < words.size();) {
      TraceOp entry = decode(words, at);
      operands.clear();
      for (int64_t slot : entry.operands) operands.push_back(slots[size_t(slot)]);
      slots.push_back(entry.op == Op::Input ? inputs[nextInput++] : infer(entry.op, operands, entry.words));
    }
    for (int64_t slot : outputs) results.push_back(slots[size_t(slot)]);
    return results;
  }

  /// By slot, whether outputs depend on it: the other operations are not run, and fail on no values.
  static std::vector<char> neededSlots(std::span<const int64_t> words, std::span<const int64_t> outputs) {
    std::vector<size_t> starts;
    for (size_t at = 0; at < words.size(); decode(words, at)) starts.push_back(at);
    std::vector<char> needed(starts.size());
    for (int64_t slot : outputs) needed[size_t(slot)] = true;
    for (size_t slot = starts.size(); slot-- > 0;)
      if (needed[slot])
        for (int64_t operand : decode(words, starts[slot]).operands) needed[size_t(operand)] = true;
    return needed;
  }

  /// The entry at word `at`, which then points behind it.
  static TraceOp decode(std::span<const int64_t> words, size_t &at) {
    TraceOp entry;
    entry.at = at;
    int64_t head = words[at++];
    entry.op = Op(head & 0xffff);
    if (entry.op == Op::Input) {
      size_t rank = size_t(words[at + 1]), layout = at + 2 + rank;
      size_t length = 3 + rank + (words[layout] ? rank : 0);
      entry.words = words.subspan(at, length);
      at += length;
      return entry;
    }
    size_t operands = size_t(head >> 16 & 0xffffff), count = size_t(head >> 40);
    entry.operands = words.subspan(at, operands);
    entry.words = words.subspan(at + operands, count);
    at += operands + count;
    return entry;
  }
};

} // namespace kiln
