// Bodies that are made of others, by the modes that carry derivatives and batches through loops and branches: recorded, not computed.
#pragma once

#include "frontend/Recorder.h"

namespace kiln {

/// Records a body. While it lives, it is asked before the modes around it.
class BodyWriter {
public:
  Array input(const TensorType &type);
  std::vector<Array> inputs(std::span<const TensorType> types);
  size_t countSlots() const { return recorder.trace.types.size(); }
  /// The body that gives these arrays. Nothing is recorded any more.
  std::shared_ptr<Trace> finish(std::span<const Array> outputs);

private:
  Recorder recorder{Recorder::Abstract};
};

/// An int64 without axes that the program so far says; none where only a call does.
std::optional<int64_t> knownNumber(const Array &x);

/// A loop that counts: its first carried value goes up by one, from and to known numbers.
struct Count {
  int64_t first, trips;
};
std::optional<Count> countOf(const Trace &condition, const Trace &body, std::span<const Array *const> operands);

/// Throws LeaveRecording where an array is not of the host: loops are programs of it.
void checkOnHost(std::span<const Array *const> operands);

} // namespace kiln
