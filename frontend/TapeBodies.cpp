// Loops and branches on a tape. A loop that counts becomes two: one that keeps what the way back reads of each trip, and the way back. A
// branch keeps what it is given, and its way back runs the body again.
#include "frontend/LoopGradient.h"

#include "frontend/Control.h"
#include "frontend/OpsShared.h"
#include "frontend/Tape.h"
#include "frontend/rules/Formula.h"
#include "lib/Core/Control.h"

#include <algorithm>

namespace kiln {

using rules::Maybe;

std::vector<Transform::Item> Tape::performLoop(const Operation &o, std::span<const Item> items) {
  std::vector<int64_t> numbers = bodyNumbers(info(o.op), o.words);
  const Trace &condition = *o.bodies[size_t(numbers[0])], &body = *o.bodies[size_t(numbers[1])];
  std::vector<const Array *> operands = operandsOf(items);
  std::optional<Count> count = countOf(condition, body, operands);
  if (!count) throw LeaveRecording{"the gradient of a loop whose number of trips is computed"};
  if (!count->trips) return {items.begin(), items.begin() + ptrdiff_t(body.outputs.size())};
  std::vector<char> isMoving;
  for (const Item &item : items) isMoving.push_back(item.node >= 0);
  auto gradient = std::make_shared<LoopGradient>(o.bodies[size_t(numbers[1])], typesOf(items), isMoving, *count);
  std::vector<Array> kept, results = gradient->run(operands, condition, kept);
  std::vector<Item> noted = noteResults(
      items, results, {[gradient](const Given &given) { return gradient->back(given); }, std::move(kept), gradient->isAddedTo()});
  for (size_t i = 0; i < noted.size(); ++i)
    if (!gradient->isMoving(i)) noted[i].node = -1;
  return noted;
}

namespace {

/// The way back through a branch, for the cotangents that there are.
class BranchGradient {
public:
  BranchGradient(const Operation &o, std::span<const Transform::Item> items) {
    for (int64_t number : bodyNumbers(info(o.op), o.words)) bodies.push_back(o.bodies[size_t(number)]);
    for (const Transform::Item &item : items.subspan(1)) types.push_back(item.below.type()), isMoving.push_back(item.node >= 0);
  }

  std::vector<Maybe> back(const Tape::Given &given) const {
    std::vector<const Array *> operands;
    std::vector<TensorType> more;
    auto add = [&](const Maybe &x) {
      if (x) operands.push_back(&*x), more.push_back(x->type());
    };
    for (const Array &a : given.kept) operands.push_back(&a);
    for (const Maybe &x : given.cotangents) add(x);
    for (const Maybe &x : given.sums) add(x);
    std::vector<int64_t> words = {int64_t(bodies.size())};
    std::vector<std::shared_ptr<const Trace>> traces;
    for (const auto &body : bodies) words.push_back(int64_t(traces.size())), traces.push_back(bodyOf(*body, more, given));
    std::vector<Array> found = applyBodies(Op::Branch, operands, words, traces);
    std::vector<Maybe> gradients(1 + types.size());
    for (size_t i = 0, next = 0; i < types.size(); ++i)
      if (isMoving[i]) gradients[1 + i] = std::move(found[next++]);
    return gradients;
  }

private:
  std::vector<std::shared_ptr<const Trace>> bodies;
  std::vector<TensorType> types; // of what they take
  std::vector<char> isMoving;

  std::shared_ptr<const Trace> bodyOf(const Trace &body, std::span<const TensorType> more, const Tape::Given &given) const {
    BodyWriter writer;
    std::vector<Array> inputs = writer.inputs(types), others = writer.inputs(more), gradients;
    std::vector<Maybe> cotangents, sums, found;
    size_t next = 0;
    for (const Maybe &x : given.cotangents) cotangents.push_back(x ? Maybe(others[next++]) : std::nullopt);
    Tape tape;
    std::vector<Array> watched = inputs;
    for (size_t i = 0; i < types.size(); ++i) {
      if (!isMoving[i]) continue;
      watched[i] = tape.watch(inputs[i]);
      sums.push_back(given.sums[1 + i] ? Maybe(others[next++]) : std::nullopt);
    }
    std::vector<Transform::Item> items;
    for (const Array &result : applyTrace(body, watched)) items.push_back(tape.resultOf(result));
    tape.end();
    found = tape.gradients(items, cotangents, sums);
    for (size_t i = 0, at = 0; i < types.size(); ++i) {
      if (!isMoving[i]) continue;
      gradients.push_back(found[at] ? *found[at] : rules::zerosLike(inputs[i]));
      ++at;
    }
    return writer.finish(gradients);
  }
};

} // namespace

std::vector<Transform::Item> Tape::performBranch(const Operation &o, std::span<const Item> items) {
  std::vector<const Array *> operands = operandsOf(items);
  auto gradient = std::make_shared<BranchGradient>(o, items);
  std::vector<Array> kept, results = applyBodies(o.op, operands, o.words, o.bodies);
  for (const Item &item : items) kept.push_back(item.below);
  std::vector<char> isAddedTo(items.size(), true);
  return noteResults(items, results,
                     {[gradient](const Given &given) { return gradient->back(given); }, std::move(kept), std::move(isAddedTo)});
}

std::vector<Transform::Item> Tape::performAll(const Operation &o, std::span<const Item> items) {
  checkOnHost(operandsOf(items));
  if (o.op == Op::Loop) return performLoop(o, items);
  if (o.op == Op::Branch) return performBranch(o, items);
  throw LeaveRecording{"the gradient of a body of sizes that are computed"};
}

} // namespace kiln
