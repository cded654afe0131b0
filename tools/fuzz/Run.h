// A program at some sizes, with contents for its inputs, in each way that it can run.
#pragma once

#include "tools/fuzz/Fuzz.h"

#include "lib/Runtime/Executable.h"

namespace kiln::fuzz {

struct Outcome {
  std::string error; // of a run on these contents
  std::vector<std::vector<char>> results;
};

class Run {
public:
  /// `symbols`: the sizes that code for any size is told; none for code of these sizes alone.
  Run(Random &random, const Trace &trace, std::vector<int64_t> symbols = {});

  Outcome interpreted() const;
  Outcome replayed() const;
  Outcome compiled(const Executable &executable, int threads) const;
  /// Where an outcome differs from the right one; empty where it does not.
  std::string difference(const std::string &what, const Outcome &right, const Outcome &other) const;

private:
  const Trace &trace;
  std::vector<int64_t> words, symbols;
  std::vector<TensorType> types, outputs;
  std::vector<std::vector<char>> contents;

  bool failsAtOutput() const;
  bool failsFor(std::vector<int64_t> slots) const;
  template <typename Body> Outcome run(const Body &body) const;
};

/// Code as it is made for users. Throws Error where it cannot be made.
std::shared_ptr<Executable> compile(const Trace &trace);
/// With loops that nobody would write, which change no bit.
std::shared_ptr<Executable> compileScheduled(const Trace &trace, uint64_t seed);
/// With results that may lie in the memory of inputs.
std::shared_ptr<Executable> compileInPlace(const Trace &trace, Random &random);

} // namespace kiln::fuzz
