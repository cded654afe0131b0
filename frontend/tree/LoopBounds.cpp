#include "frontend/tree/LoopBounds.h"

#include "frontend/Recorder.h"

#include <algorithm>

namespace kiln {
namespace {

class BoundsOf {
public:
  BoundsOf(const Trace &trip, const Counted &counted, std::span<const int64_t> bounded) : trip(trip), counted(counted), bounded(bounded) {
    for (size_t at = 0; at < trip.words.size();) {
      size_t start = at;
      places.insert(places.end(), Trace::decode(trip.words, at).results, start);
    }
  }

  bool run() const {
    int64_t step = stepOf(counted.now);
    return step && isCompared(counted.asked, step);
  }

private:
  const Trace &trip;
  const Counted &counted;
  std::span<const int64_t> bounded;
  std::vector<size_t> places; // in the words, by slot

  TraceOp opOf(int64_t slot) const {
    size_t at = places[size_t(slot)];
    return Trace::decode(trip.words, at);
  }
  std::optional<int64_t> constantOf(int64_t slot) const {
    TraceOp op = opOf(slot);
    return op.op == Op::Constant ? std::optional(op.words.back()) : std::nullopt;
  }
  /// What is added to the number in a trip; 0: not known.
  int64_t stepOf(int64_t slot) const {
    TraceOp op = opOf(slot);
    if (op.op != Op::Add || op.operands[0] != counted.before) return 0;
    auto step = constantOf(op.operands[1]);
    return step && std::abs(*step) <= kMostInteger ? *step : 0;
  }
  bool isInBounds(int64_t slot) const {
    auto value = constantOf(slot);
    return value ? std::abs(*value) <= kMostInteger : std::ranges::find(bounded, slot) != bounded.end();
  }
  /// Whether it is asked, by the answer that goes on, if it is still on this side of a number in bounds.
  bool isCompared(int64_t asked, int64_t step) const {
    TraceOp op = opOf(asked);
    if (op.op == Op::Select) return isCompared(op.operands[1], step) && isCompared(op.operands[2], step);
    bool isRight = counted.goesOnIf && op.op == (step > 0 ? Op::Less : Op::Greater);
    return isRight && op.operands[0] == counted.now && isInBounds(op.operands[1]);
  }
};

} // namespace

bool staysInBounds(const Trace &trip, const Counted &counted, std::span<const int64_t> bounded) {
  return BoundsOf(trip, counted, bounded).run();
}

} // namespace kiln
