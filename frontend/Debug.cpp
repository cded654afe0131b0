#include "frontend/Debug.h"

#include "frontend/OpsShared.h"
#include "frontend/rules/Formula.h"

#include <memory>

namespace kiln {

static std::unique_ptr<NanCheck> &ofThread() {
  static thread_local std::unique_ptr<NanCheck> check;
  return check;
}

NanCheck *NanCheck::current() { return ofThread().get(); }

void NanCheck::set(bool isOn, std::string (*place)()) {
  if (Mode::current() != current())
    throw Error(ErrorKind::Trace, "debug.nans: expected a place outside of gradients, batches and jitted functions, got one inside");
  if (!isOn) ofThread() = nullptr;
  else if (!current()) ofThread() = std::make_unique<NanCheck>(place);
}

static bool hasNan(const Array &x) {
  if (!isFloat(x.dtype) && !isComplex(x.dtype)) return false;
  Dims axes;
  for (int i = 0; i < x.shape.rank; ++i) axes.push(i);
  Array any = reduce(Op::Any, rules::call(Op::NotEqual, {x, x}), axes, false);
  return *any.data();
}

void NanCheck::check(const Operation &o, const Array &result) {
  Below others(*this);
  if (info(o.op).kind == Kind::Source || !result.storage->value || deviceOf(result) || !hasNan(result)) return;
  for (const Array *operand : o.operands)
    if (!deviceOf(*operand) && hasNan(*operand)) return;
  throw Error(ErrorKind::Value, std::string(info(o.op, o.words).name) + ": result: expected numbers, as the operands are, got nan");
}

Array NanCheck::apply(const Operation &o) {
  Array result = Mode::apply(o);
  check(o, result);
  return result;
}

std::vector<Array> NanCheck::applyAll(const Operation &o) {
  std::vector<Array> results = Mode::applyAll(o);
  for (const Array &result : results) check(o, result);
  return results;
}

} // namespace kiln
