// The operations of a recorded trace in a row, and how one of them relates to another of the same kind: what rolling compares.
#pragma once

#include "lib/Core/Trace.h"

#include <optional>

namespace kiln {

/// The words of an operation that are numbers or positions: [first, last). They may be others in each trip of a loop.
struct NumberWords {
  size_t first = 0, last = 0;
};
NumberWords numbersOf(const TraceOp &op);

/// The words of an operation that are sizes, or follow from them, by place. They may be others in each trip of a loop of other sizes.
std::vector<size_t> sizeWordsOf(const TraceOp &op);

/// Whether two are the same but for operands and numbers; and `ofAnySizes` but for sizes, where both are 2 or more.
bool haveOneForm(const TraceOp &a, const TraceOp &b, bool ofAnySizes = false);
bool haveOneForm(const TensorType &a, const TensorType &b, bool ofAnySizes);

/// The operations of a trace whose inputs stand first.
class Lines {
public:
  explicit Lines(const Trace &trace, bool ofAnySizes = false);

  const Trace &trace;
  std::vector<TraceOp> ops;     // without inputs
  std::vector<int64_t> slots;   // of the first result of each
  std::vector<int64_t> makers;  // by slot, the line that makes it; -1: an input
  std::vector<int64_t> lastUse; // by slot, the last line that reads it; size() for an output, -1 for none
  std::vector<uint64_t> forms;  // by line, equal for those of one form and type
  const bool ofAnySizes;        // lines are of one form that differ in sizes

  size_t size() const { return ops.size(); }
  /// Whether two lines are of one form, and their results of one type.
  bool isLike(size_t a, size_t b) const;
  /// How line `p` continues line `p - distance`: a bit for each operand that is the same array, the others lie as far behind the lines as
  /// each other. None where one does neither.
  std::optional<uint64_t> relate(size_t p, size_t distance) const;
  /// How far behind line `p` the line that makes an operand is.
  size_t reach(size_t p, int64_t operand) const { return p - size_t(makers[size_t(operand)]); }
  int64_t bytesOf(int64_t slot) const;
};

} // namespace kiln
