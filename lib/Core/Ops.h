// The op table, generated from the records in dialects/kiln/ops.
#pragma once

#include "lib/Core/Types.h"
#include "lib/Core/Upgrade.h"

#include <memory>
#include <optional>
#include <string_view>

namespace kiln {

class Trace;

enum class Op : uint16_t {
#define KILN_OP(Id, ...) Id,
#include "kiln/Ops.inc"
  Count,
  Custom = 0x7ffe, // an op that the process registered (Registry.h): its first word says which
  Input = 0xffff,  // the pseudo-op that declares an input of a trace
};

/// How an op is compiled: docs/passes.md says what each kind becomes.
enum class Kind : uint8_t {
  Elementwise,
  Index,
  Source,
  Reduce,
  Argreduce,
  Contract,
  Assemble,
  Gather,
  Scatter,
  Scan,
  Sort,
  Compact,
  Convolve,
  Library,
  Control
};
/// Sets of dtypes. None but Any holds the storage dtypes; Wide is Real without the narrow floats, Inexact is Floating without them.
enum class Accepts : uint8_t {
  Any,
  All,
  Numeric,
  Real,
  Ordered,
  Wide,
  Floating,
  RealFloating,
  Inexact,
  RealInexact,
  Complex,
  Integral,
  Integer,
  Boolean,
  Int64,
  Uint64
};

/// What an inference rule sees of an op: its operands and the words that follow them in a trace.
struct InferArgs {
  const char *op;
  std::span<const TensorType> operands;
  std::span<const int64_t> words;
  Accepts accepts;
  bool needsElement = false;                                 // of a reduction: it has no value over an empty axis
  std::span<const std::shared_ptr<const Trace>> bodies = {}; // of the trace that the op is in
  int64_t symbols = kNoSymbols;                              // likewise, how many
};
using InferFn = TensorType (*)(const InferArgs &);
using InferManyFn = std::vector<TensorType> (*)(const InferArgs &);

struct OpInfo {
  const char *name;
  const char *summary;
  Kind kind;
  Accepts accepts;
  int operands; // -1: any number
  bool ufunc, floatResult;
  bool native;       // narrow floats are not widened to float32: the op moves or inspects bits
  bool blocked;      // the order of accumulation shows in the bits: blocks, then pairwise
  bool needsElement; // a reduction without a value over an empty axis
  bool eager;        // has kernels in the pack
  bool byNumber;     // a number beside an array decides in which way it is computed
  int cost;
  InferFn infer;
  // A letter for each group of words: i (int), I (ints), n (a size), N (sizes or positions), s (scalar), d (dtype), S (shape), o (which
  // registered op), b (one of the trace's bodies), B (any number of them).
  const char *words;
  const char *attributes;          // names of the attributes among them, comma-separated
  int version;                     // of the op in stored programs
  UpgradeFn upgrade;               // from older ones; null where there are none
  InferManyFn inferMany = nullptr; // in the place of `infer`, of an op that may have several results
};

extern const OpInfo kOpTable[]; // by op
extern const OpInfo kCustomOp;  // of any custom op; a registered one has a record of its own
inline const OpInfo &info(Op op) { return op == Op::Custom ? kCustomOp : kOpTable[size_t(op)]; }
/// The same, of a custom op what was registered. Throws Error (value) for one that is not.
const OpInfo &info(Op op, std::span<const int64_t> words);
/// Whether ops of a kind fail on some values. Those of Control do where an operation of a body does.
inline bool mayFail(Kind kind) { return kind == Kind::Gather || kind == Kind::Scatter || kind == Kind::Library; }
/// The op of a name in the records.
std::optional<Op> findOp(std::string_view name);
bool accepts(Accepts set, DType dtype);

/// Reads word groups in order.
struct WordReader {
  std::span<const int64_t> words;
  size_t at = 0;
  int64_t next() { return words[at++]; }
  DType dtype() { return DType(next()); }
  Dims dims() {
    int64_t n = next();
    Dims result(words.subspan(at, size_t(n)));
    at += size_t(n);
    return result;
  }
  /// A list that may name symbols, of which the program has so many. Throws Error (shape) that names `op` for words that are no sizes of
  /// it.
  Shape sizes(const char *op, int64_t symbols);
  /// The next group, of the letter `kind`, where it follows sizes: a list of one for a single size. None of another letter.
  std::optional<Shape> sizesOfGroup(char kind, const char *op, int64_t symbols);
};

/// The words of one attribute or result parameter: its letter and its name (`dtype` and `shape` of results).
struct WordGroup {
  char kind;
  std::string_view name;
  std::span<const int64_t> words;
};
/// The words of an op in groups, as its record says. Throws Error (value) for too few, too many, lists above the largest rank and numbers
/// that are no dtype.
std::vector<WordGroup> groupsOf(const OpInfo &record, std::span<const int64_t> words);

/// The name of the group of a letter of OpInfo::words; `attributes` are the names that are left, and lose theirs.
std::string_view nextAttribute(std::string_view &attributes, char kind);

/// Whether a group is one number that stands by itself.
inline bool isNumber(char kind) { return kind == 'i' || kind == 'n'; }
/// Whether the words of a group follow sizes, and are symbols in a program for any size.
inline bool followsSizes(char kind) { return kind == 'N' || kind == 'n' || kind == 'S'; }

inline void appendWords(auto &words, const Dims &dims) {
  words.push_back(dims.rank);
  for (int64_t d : dims) words.push_back(d);
}
inline void appendWords(auto &words, const Shape &sizes) {
  words.push_back(sizes.rank);
  for (Size size : sizes) words.push_back(size.word());
}

} // namespace kiln
