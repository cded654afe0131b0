// Operations that run bodies: how they are applied and run, and how the bodies are recorded.
#pragma once

#include "frontend/Mode.h"
#include "lib/Core/Trace.h"

namespace kiln {

using Bodies = std::span<const std::shared_ptr<const Trace>>;

/// Applies an operation that runs bodies; `words` number them. Throws Error where they do not fit the operands.
std::vector<Array> applyBodies(Op op, std::span<const Array *const> operands, std::span<const int64_t> words, Bodies bodies);

/// Runs such an operation, body for body by the interpreter. An operand that nobody else holds may be changed in place. What bodies make
/// is where their operands are, or else on `home`.
std::vector<Array> runBodies(Op op, std::span<const int64_t> words, Bodies bodies, std::vector<Array> operands, void (*between)(),
                             Device *home = nullptr);

/// An operation of a trace, with its first slot.
struct Entry {
  TraceOp op;
  size_t slot;
};
/// By slot, what makes it.
std::vector<Entry> entriesOf(const Trace &trace);
/// Applies an operation of a trace, over its slots.
void applyEntry(const Trace &trace, const Entry &entry, std::vector<Array> &slots);

/// The outputs of a trace, each operation of which is applied: recorded where a recording is on.
std::vector<Array> applyTrace(const Trace &trace, std::span<const Array> inputs);

/// A body with inputs of the given types; `places` says which of them each input of the body is.
std::shared_ptr<const Trace> withInputs(const Trace &body, std::span<const TensorType> types, std::span<const size_t> places);

/// A body as it was recorded: its own inputs, then the arrays from outside that it reads, as inputs in the order in which it met them.
struct RecordedBody {
  std::shared_ptr<const Trace> trace;
  std::vector<Array> captured;
};

/// Gives bodies the same inputs: `own` ones of each, then what any of them captured, which is the result.
std::vector<Array> alignBodies(std::span<RecordedBody> bodies, size_t own);

} // namespace kiln
