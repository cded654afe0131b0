// The gradient of a loop that counts.
#pragma once

#include "frontend/Bodies.h"
#include "frontend/Control.h"
#include "frontend/Tape.h"

namespace kiln {

/// A trip and its way back are recorded as one, with what a tape makes of the body. What the way back reads of the trip is kept: the loop
/// stacks it, one row a trip, and the loop back reads it from the last trip to the first. It carries the cotangents of what is carried,
/// and the sums of those of what is the same in all trips.
class LoopGradient {
public:
  LoopGradient(std::shared_ptr<const Trace> body, std::vector<TensorType> types, std::vector<char> moving, Count count);

  /// The results of the loop; `kept` is what the way back needs.
  std::vector<Array> run(std::span<const Array *const> operands, const Trace &condition, std::vector<Array> &kept);
  std::vector<rules::Maybe> back(const Tape::Given &given) const;
  /// By operand, whether there is a derivative by it in some trip.
  bool isMoving(size_t operand) const { return moving[operand]; }
  /// By operand.
  std::vector<char> isAddedTo() const;

private:
  static constexpr int64_t kNone = -1;
  /// How the way back comes by what the trip made.
  enum class How : uint8_t { Open, Given, Again, Kept };

  const std::shared_ptr<const Trace> body;
  const std::vector<TensorType> types; // of the operands: carried values, then others
  std::vector<char> moving;            // by operand
  const Count count;
  const size_t carried;

  // A trip, and its way back from slot `middle` on.
  std::shared_ptr<const Trace> trip;
  std::vector<Entry> entries; // by slot
  size_t middle = 0;
  std::vector<int64_t> cotangents, sums; // by operand, the slots of the inputs for them; kNone: there is none
  std::vector<int64_t> found;            // by operand, the slots of the gradients of the trip
  std::vector<char> isBack;              // by slot, that the way back runs it

  std::vector<How> how;      // by slot before `middle`
  std::vector<int64_t> rows; // the slots that are kept
  std::vector<int64_t> used; // operands that the way back takes

  bool record();
  bool isInput(size_t slot) const { return entries[slot].op.op == Op::Input; }
  bool isKnown(size_t slot) const;
  void find(size_t slot);
  void findAll();
  TensorType stackOf(int64_t slot) const;
  std::shared_ptr<const Trace> writeTrip() const;
  std::shared_ptr<const Trace> writeBack(std::span<const TensorType> given) const;
  Array startOf(int64_t operand, const rules::Maybe &sum) const;
};

} // namespace kiln
