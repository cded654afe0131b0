// Recorded programs, run operation by operation through the eager kernels: the results before optimized code is there.
#pragma once

#include "frontend/Array.h"
#include "lib/Core/Trace.h"

namespace kiln {

/// A trace of fixed sizes that is run, also again and again.
class Interpreter {
public:
  /// `between` is called after each operation. `devices`: by slot, those of what is made without operands of theirs (Recorder.h).
  explicit Interpreter(const Trace &trace, void (*between)() = nullptr, std::span<Device *const> devices = {});
  /// The outputs for inputs of the trace's types, each row-major in memory of its own. An input that nobody else holds may be changed in
  /// place. Throws Error where an operation fails on data.
  std::vector<Array> run(std::vector<Array> inputs);

private:
  static constexpr int64_t kAlways = std::numeric_limits<int64_t>::max();
  const Trace &trace;
  void (*between)();
  std::span<Device *const> devices;
  std::vector<char> needed;
  std::vector<int64_t> lastUse; // the slot of the last op that reads a slot
  std::vector<int32_t> places;  // by slot, where its array is: few are there at a time
  std::vector<Array> arrays;
  std::vector<int64_t> roots; // by slot, the one whose memory it may show
  int64_t now = 0;

  Array &at(int64_t slot) { return arrays[size_t(places[size_t(slot)])]; }
  const Array &operand(const TraceOp &op, size_t i) const { return arrays[size_t(places[size_t(op.operands[i])])]; }
  void findLastUses();
  void findPlaces();
  bool mayShare(const TraceOp &op) const;
  void run(const TraceOp &op);
  bool isLastUse(const TraceOp &op, size_t i) const;
  Array taken(const TraceOp &op, size_t i);
  Array apply(const TraceOp &op);
  Array update(const TraceOp &op);
  std::vector<Array> runBodies(const TraceOp &op);
  std::vector<Array> applyAll(const TraceOp &op);
};

/// One run, whose inputs are as before also where it fails.
std::vector<Array> interpret(const Trace &trace, std::span<const Array *const> inputs, void (*between)() = nullptr,
                             std::span<Device *const> devices = {});

/// Whether an array shows all of memory that nobody else holds, row by row.
bool ownsMemory(const Array &x);

} // namespace kiln
