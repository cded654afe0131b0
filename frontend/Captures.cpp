#include "frontend/Captures.h"

#include "frontend/OpsShared.h"
#include "frontend/ViewSteps.h"

#include <stdexcept>

namespace kiln {

int Captures::numberOf(const Array &array) const {
  for (size_t i = 0; i < arrays.size(); ++i)
    if (arrays[i].storage.get() == array.storage.get()) return int(i);
  return -1;
}

Transform::Item Captures::perform(const Operation &o, std::span<const Item> items) {
  return {runOver(o, operandsOf(items)), std::nullopt, -1, false};
}

std::vector<Transform::Item> Captures::performAll(const Operation &, std::span<const Item>) {
  throw std::logic_error("an array of a mode that only looks for others has something to do"); // items here are never active
}

Transform::Item Captures::itemOfOther(const Array &array) {
  if (!isCaptured(array)) return Transform::itemOfOther(array);
  ++lookups;
  if (around) {
    if (numberOf(array) < 0) arrays.push_back(around->wholeOf(array));
    return {array, std::nullopt, -1, false};
  }
  return {viewOf(others[size_t(numberOf(array))], array), std::nullopt, -1, false};
}

void Captures::noteView(const Array &from, Array &view, Op op, std::span<const int64_t> words) {
  if (isMine(from) || !isCaptured(from)) return Transform::noteView(from, view, op, words);
  if (around) return Mode::noteView(from, view, op, words);
  view.mark = {};
  view.view = std::make_shared<ViewStep>(ViewStep{uint16_t(op), {words.begin(), words.end()}, from.view});
}

void Captures::write(Array &target, const Array &value) {
  if (!isMine(target) && isCaptured(target))
    throw Error(ErrorKind::Trace, "assignment: expected an array made inside the function that has a derivative of its own, got one from "
                                  "around it (return the value instead)");
  Transform::write(target, value);
}

} // namespace kiln
