// A recorded program as a flat list of words, which is at once its serialization and its cache key.
//
//   op      := [opcode | operands << 16 | words << 40] operand-slot* word*
//              of an op of several results [opcode | kSeveral ...] and their number in the next word
//   input   := [Input] dtype rank size* layout           layout: 0 contiguous, else 1 and a stride (or kDynamicStride) a dimension
//   outputs := slot*
//
// Slots number the results of inputs and ops in order. A program for any size (Generalize.h) has symbols among its sizes; the shape
// of every slot follows its outputs, as symbols alone do not tell it. docs/formats/trace.md has the serialization.
#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <vector>

#include "lib/Core/Infer.h"

namespace kiln {

inline constexpr int64_t kDynamicStride = std::numeric_limits<int64_t>::min();
inline constexpr int64_t kTraceVersion = 5;
inline constexpr std::string_view kHostDevice = "cpu";
/// The most bodies inside one another.
inline constexpr int kMostNested = 32;

/// One decoded entry.
struct TraceOp {
  Op op;
  std::span<const int64_t> operands, words;
  size_t at;          // position of its first word
  size_t results = 1; // how many slots it fills
};

class Trace {
public:
  std::vector<int64_t> words;
  std::vector<int64_t> outputs;
  std::vector<TensorType> types;                    // by slot
  int64_t symbols = -1;                             // of a program for any size, how many; -1 for one of fixed sizes
  int64_t given = 0;                                // of a body: how many of them, the first, whoever runs it computes (Op::Sized)
  std::vector<std::string> devices;                 // of the inputs, up to the last that is not kHostDevice
  std::vector<std::shared_ptr<const Trace>> bodies; // programs that ops refer to by number: they see their own inputs alone
  std::vector<int64_t>
      replaces;        // by output: the input whose content it is in the place of, as nobody reads that any more, or -1; empty: none is
  bool isFast = false; // fast_math: code may contract operations, and multiply by reciprocals
  int64_t inputs = 0;
  bool isOpen() const { return symbols >= 0; }
  bool operator==(const Trace &other) const;

  /// Declares an input; `strides` is empty for row-major order.
  int64_t addInput(const TensorType &type, const Dims &strides = {}, std::string_view device = kHostDevice) {
    words.insert(words.end(), {int64_t(Op::Input), int64_t(type.dtype)});
    appendWords(words, type.shape);
    words.push_back(strides.rank > 0);
    for (int64_t s : strides) words.push_back(s);
    types.push_back(type);
    ++inputs;
    if (device != kHostDevice) {
      devices.resize(size_t(inputs), std::string(kHostDevice));
      devices.back() = device;
    }
    return int64_t(types.size()) - 1;
  }
  /// Of input `number`.
  std::string_view deviceOf(size_t number) const { return number < devices.size() ? std::string_view(devices[number]) : kHostDevice; }

  /// Throws Error (trace) where an output cannot be in the place of the input that is said: that is a row-major one of its type on the
  /// host, which no other output replaces.
  void checkReplaces() const;
  /// Appends an op whose rule tells the types of its results; its slot, of several results the first.
  int64_t addOp(Op op, std::span<const int64_t> operands, std::span<const int64_t> opWords) {
    TensorType operandTypes[3];
    std::vector<TensorType> many;
    TensorType *t = operandTypes;
    if (operands.size() > 3) {
      many.resize(operands.size());
      t = many.data();
    }
    for (size_t i = 0; i < operands.size(); ++i) t[i] = types[size_t(operands[i])];
    if (info(op).inferMany) return addSeveral(op, operands, opWords, {t, operands.size()});
    return append(op, operands, opWords, infer(op, {t, operands.size()}, opWords, symbols));
  }

  /// The same in a program for any size: symbols alone do not tell the sizes of results, so `types` says them. Throws Error (trace)
  /// where they are not as the rule says.
  int64_t addOpen(Op op, std::span<const int64_t> operands, std::span<const int64_t> opWords, std::span<const TensorType> results);

  /// The same for a result whose type is known.
  int64_t append(Op op, std::span<const int64_t> operands, std::span<const int64_t> opWords, const TensorType &type) {
    types.push_back(type);
    words.push_back(int64_t(op) | int64_t(operands.size()) << 16 | int64_t(opWords.size()) << 40);
    words.insert(words.end(), operands.begin(), operands.end());
    words.insert(words.end(), opWords.begin(), opWords.end());
    return int64_t(types.size()) - 1;
  }
  /// The same for any number of results.
  int64_t append(Op op, std::span<const int64_t> operands, std::span<const int64_t> opWords, std::span<const TensorType> results);

  /// All of the program in one list (docs/formats/trace.md): the cache key.
  std::vector<int64_t> serialize() const;
  /// A trace from such a list. Throws Error (trace) for a list of another version or of another length than it says, and what the rules
  /// of ops throw for sizes that do not fit.
  static Trace parse(std::span<const int64_t> serialized);

  /// The types of the inputs of a serialized trace.
  static std::vector<TensorType> inputTypes(std::span<const int64_t> serialized);
  /// The types of its results.
  static std::vector<TensorType> outputTypes(std::span<const int64_t> serialized);

  /// By slot, whether outputs depend on it, or on another result of its op: the other operations are not run, and fail on no values.
  static std::vector<char> neededSlots(std::span<const int64_t> words, std::span<const int64_t> outputs);

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
    if (head & kSeveral) {
      entry.op = Op(head & 0xffff & ~kSeveral);
      entry.results = size_t(words[at++]);
    }
    size_t operands = size_t(head >> 16 & 0xffffff), count = size_t(uint64_t(head) >> 40);
    entry.operands = words.subspan(at, operands);
    entry.words = words.subspan(at + operands, count);
    at += operands + count;
    return entry;
  }

private:
  static constexpr int64_t kSeveral = 0x8000;
  /// What the rule of an op gives.
  std::vector<TensorType> inferResults(Op op, std::span<const int64_t> operands, std::span<const int64_t> opWords) const;
  int64_t addSeveral(Op op, std::span<const int64_t> operands, std::span<const int64_t> opWords, std::span<const TensorType> operandTypes);
};

/// The most symbols of a body that operands give: as many as a list of sizes has entries.
inline constexpr int64_t kMostGiven = int64_t(kMaxRank);
/// Throws Error (trace) for a program of so many symbols that cannot have `given` of them computed.
void checkGiven(const char *op, int64_t symbols, int64_t given);

/// The parts of a serialized trace, in place.
struct SerializedTrace {
  std::span<const int64_t> words, outputs;
  int64_t symbols = -1, given = 0;
  std::span<const int64_t> shapes; // of an open program: rank and sizes of every slot
  std::vector<std::string> devices;
  std::vector<std::span<const int64_t>> bodies;
  std::span<const int64_t> replaces;
  bool isFast = false;
  bool isOpen() const { return symbols >= 0; }

  /// Throws Error (trace) as Trace::parse.
  static SerializedTrace read(std::span<const int64_t> serialized);
};

} // namespace kiln
