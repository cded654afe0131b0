#include "bounds.h"

#include "lib/Core/Size.h"

#include <algorithm>

namespace kiln::py {
namespace {

/// Looks from a number back at what made it.
class Bounds {
public:
  explicit Bounds(const Trace &trace) : trace(trace), makers(trace.types.size()) {
    size_t slot = 0;
    for (size_t at = 0; at < trace.words.size();) {
      TraceOp op = Trace::decode(trace.words, at);
      for (size_t i = 0; i < op.results; ++i) makers[slot++] = op.at;
    }
  }

  /// Operations are few that only move or narrow a number, so a chain of them that is longer is not followed.
  int64_t of(int64_t slot, int depth = 0) const {
    constexpr int kDeepest = 32;
    DType dtype = trace.types[size_t(slot)].dtype;
    if (dtype == DType::Bool) return 1;
    if (!isInteger(dtype) || depth > kDeepest) return -1;
    size_t at = makers[size_t(slot)];
    TraceOp op = Trace::decode(trace.words, at);
    auto operand = [&](size_t i) { return of(op.operands[i], depth + 1); };
    switch (op.op) {
    case Op::Constant: return op.words[1];
    case Op::Cast:
    case Op::Reshape:
    case Op::Slice:
    case Op::Broadcast: return operand(0);
    case Op::Sum: return sumOf(op, slot, operand(0));
    case Op::Minimum: return least(operand(0), operand(1));
    case Op::Maximum: {
      int64_t a = operand(0), b = operand(1);
      return a < 0 || b < 0 ? -1 : std::max(a, b);
    }
    default: return -1;
    }
  }

private:
  const Trace &trace;
  std::vector<size_t> makers; // by slot, the words of the operation

  int64_t sumOf(const TraceOp &op, int64_t slot, int64_t each) const {
    int64_t all = numElements(trace.types[size_t(op.operands[0])].shape), sums = numElements(trace.types[size_t(slot)].shape), bound;
    return each < 0 || !sums || __builtin_mul_overflow(each, all / sums, &bound) ? -1 : bound;
  }
  /// Of two bounds where one may not be there.
  static int64_t least(int64_t a, int64_t b) { return a < 0 || b < 0 ? std::max(a, b) : std::min(a, b); }
};

} // namespace

int64_t boundOf(const Trace &trace, int64_t slot) { return slot < 0 || trace.isOpen() ? -1 : Bounds(trace).of(slot); }

} // namespace kiln::py
