// The op table, generated from the records in dialects/kiln/ops.
#pragma once

#include "lib/Core/Types.h"

namespace kiln {

enum class Op : uint16_t {
#define KILN_OP(Id, ...) Id,
#include "kiln/Ops.inc"
  Count,
  Input = 0xffff, // the pseudo-op that declares an input of a trace
};

enum class Kind : uint8_t { Elementwise, Index, Source, Reduce, Argreduce, Contract, Concat, Gather };
enum class Accepts : uint8_t { All, Numeric, Floating, Integral, Ordered };

/// What an inference rule sees of an op: its operands and the words that follow them in a trace.
struct InferArgs {
  const char *op;
  std::span<const TensorType> operands;
  std::span<const int64_t> words;
  Accepts accepts;
};
using InferFn = TensorType (*)(const InferArgs &);

struct OpInfo {
  const char *name;
  const char *summary;
  Kind kind;
  Accepts accepts;
  int operands; // -1: any number
  bool ufunc, floatResult;
  int cost;
  InferFn infer;
  const char *words;      // a letter for each group of words: i (int), I (ints), s (scalar), d (dtype), S (shape)
  const char *attributes; // names of the attributes among them, comma-separated
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
