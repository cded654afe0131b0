// The op table, generated from the records in dialects/kiln/ops.
#pragma once

#include "lib/Core/Types.h"
#include "lib/Core/Upgrade.h"

namespace kiln {

enum class Op : uint16_t {
#define KILN_OP(Id, ...) Id,
#include "kiln/Ops.inc"
  Count,
  Input = 0xffff, // the pseudo-op that declares an input of a trace
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
  Library
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
  bool needsElement = false; // of a reduction: it has no value over an empty axis
};
using InferFn = TensorType (*)(const InferArgs &);

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
  int cost;
  InferFn infer;
  const char *words; // a letter for each group of words: i (int), I (ints), N (ints that follow sizes), s (scalar), d (dtype), S (shape)
  const char *attributes; // names of the attributes among them, comma-separated
  int version;            // of the op in stored programs
  UpgradeFn upgrade;      // from older ones; null where there are none
};

const OpInfo &info(Op op);
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
};
inline void appendWords(auto &words, const Dims &dims) {
  words.push_back(dims.rank);
  for (int64_t d : dims) words.push_back(d);
}

} // namespace kiln
