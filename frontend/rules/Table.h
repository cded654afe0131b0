// The table of rules by op, generated from the records, and the form of its functions.
#pragma once

#include "frontend/rules/Formula.h"
#include "frontend/rules/Rules.h"

namespace kiln::rules {

/// What a VJP gives, by operand.
class Gradients {
public:
  explicit Gradients(std::span<const char> wanted) : wanted(wanted), values(wanted.size()) {}
  bool wants(size_t operand) const { return wanted[operand]; }
  void set(size_t operand, Array gradient) { values[operand] = std::move(gradient); }
  std::vector<Maybe> take() { return std::move(values); }

private:
  std::span<const char> wanted;
  std::vector<Maybe> values;
};

/// Where a step finds an operand: the tangent or cotangent that is given, the result or an operand of the op, a number, or what an earlier
/// step made.
inline constexpr uint8_t kCotangent = 0, kResult = 1, kOperand = 2, kNumber = 8, kStep = 16;
/// An elementwise op of a derivative.
struct Step {
  Op op;
  uint8_t operands[3];
};
/// What a derivative makes of `given`: the value of its last step, or, without steps, `given` itself.
struct Derivative {
  const Step *steps;
  const double *numbers;
  int count;
  bool flows; // otherwise nothing flows
};
inline constexpr int kMostSteps = 16, kMostNumbers = kStep - kNumber;
using VjpFn = void (*)(const Applied &, const Array &ct, Gradients &gradients);
/// At least one tangent is there.
using JvpFn = Array (*)(const Applied &, std::span<const Array *const> tangents);
struct RuleRecord;
using BatchFn = Array (*)(const Batched &, const RuleRecord &);

struct RuleRecord {
  const Derivative *derivatives; // by operand
  bool isSingular;               // they can be infinite or nan, and 0 stays 0
  VjpFn vjp;
  JvpFn jvp;
  uint32_t linear;       // bits of the operands that the op is linear in: its JVP is the op itself
  bool jointly;          // in all of them at once
  const uint32_t *reads; // by operand: bits of the operands that its gradient reads more of than the type, and the highest of the result
  BatchFn batch;
  uint32_t shifted; // bits of the attributes that count axes
  const char *why;  // of an op without derivative
};
const RuleRecord &recordOf(Op op);

/// An operand with the axis of the batch, whether it has it or repeats.
inline Array whole(const Batched &o, size_t i) { return o.isBatched[i] ? *o.operands[i] : withAxis(*o.operands[i], 0, o.size); }

namespace vjp {
#define KILN_VJP(name) void name(const Applied &, const Array &ct, Gradients &gradients);
#define KILN_JVP(name)
#define KILN_BATCH(name)
#include "kiln/RuleSymbols.inc"
} // namespace vjp
namespace jvp {
#define KILN_VJP(name)
#define KILN_JVP(name) Array name(const Applied &, std::span<const Array *const> tangents);
#define KILN_BATCH(name)
#include "kiln/RuleSymbols.inc"
} // namespace jvp
namespace batch {
#define KILN_VJP(name)
#define KILN_JVP(name)
#define KILN_BATCH(name) Array name(const Batched &, const RuleRecord &);
#include "kiln/RuleSymbols.inc"
} // namespace batch

} // namespace kiln::rules
