// max and min of arrays without axes: which one it is, is no question, but a choice that is computed.
#include "frontend/frames/Builtins.h"
#include "frontend/frames/Code.h"
#include "frontend/frames/Reader.h"
#include "frontend/frames/Scalars.h"

namespace kiln::py {
/// Whether no program sees which of its operands a result is, for this one: it is on the stack alone, or in a variable that nothing reads
/// from here on.
bool Reader::isLeft(PyObject *o) const {
  if (listener.arrayOf(o).storage->refs.load() != 1) return false;
  if (Py_REFCNT(o) == 1) return true;
  PyCodeObject *code = live.back().frame.code();
  const CodeMap &map = CodeMap::of(code);
  if (Py_REFCNT(o) != 2 || !map.has(live.back().next)) return false;
  const std::vector<bool> &isRead = map.liveAt(code, live.back().next);
  PyObject **variables = live.back().frame.variables();
  for (int i = 0; i < code->co_nlocalsplus; ++i)
    if (variables[i] == o) return !isRead[size_t(i)];
  return false;
}

bool Reader::callChoice(PyObject *callee, std::span<PyObject *> given) {
  const Builtins &b = Builtins::get();
  if ((callee != b.max && callee != b.min) || given.size() != 2 || !isArray(given[0]) || !isArray(given[1])) return false;
  const Array &first = listener.arrayOf(given[0]), &second = listener.arrayOf(given[1]);
  bool isAlike = !first.shape.rank && !second.shape.rank && first.dtype == second.dtype && !isComplex(first.dtype) &&
                 !first.storage->device && !second.storage->device && listener.isMade(first) && listener.isMade(second);
  if (!isAlike || given[0] == given[1] || !isLeft(given[0]) || !isLeft(given[1])) return false;
  Array isSecond = compute(callee == b.max ? Op::Greater : Op::Less, second, first);
  expected = {live.back().frame, live.back().next, -1, {}, {}, {}};
  expected.array = where(isSecond, operandOf(second), operandOf(first));
  expected.isChoice = true;
  expected.call.op = listener.told();
  listener.tellNext(true);
  return true;
}

/// What was told of the comparison is not depended on, if that is what was asked for.
void Reader::settleChoice(PyObject **slot, Array choice, int told) {
  listener.tellNext(false);
  int number = listener.told() - 1;
  bool isIt = slot && isArray(*slot) && number == told;
  for (int i = told; i <= number; ++i)
    if (isIt) listener.forget(i);
    else listener.dependOn(i);
  if (isIt) Py_SETREF(*slot, listener.objectOf(std::move(choice)).release());
}

} // namespace kiln::py
