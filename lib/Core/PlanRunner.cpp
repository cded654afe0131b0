#include "lib/Core/PlanRunner.h"

#include <algorithm>

namespace kiln {

using Program = LaunchPlan::Program;
using Argument = LaunchPlan::Argument;
using Memory = LaunchPlan::Memory;

static size_t arrayOf(const Program &program, const Argument &a) {
  return size_t(a.number.constant() + (a.memory == Memory::Output ? program.inputs : 0));
}
static bool isArray(const Argument &a) { return a.memory == Memory::Input || a.memory == Memory::Output; }

/// The status is none of a frame: whoever launches knows it.
PlanRunner::Address PlanRunner::addressOf(const Program &program, const Argument &a, const Frame &frame) {
  if (isArray(a)) return frame.arrays[arrayOf(program, a)];
  return a.memory == Memory::Workspace ? frame.workspace + Address(a.number.constant()) : 0;
}

bool PlanRunner::run(const Program &program, const Frame &frame) {
  for (size_t number = 0; number <= program.steps.size(); ++number) {
    if (!program.part(number).empty()) launch(program, number, frame);
    if (number < program.steps.size() && !runStep(program, program.steps[number], frame)) return false;
  }
  return true;
}

bool PlanRunner::runStep(const Program &program, const Step &step, const Frame &frame) {
  switch (step.kind) {
  case Step::Kind::Copy: {
    Address to = addressOf(program, step.arguments[0], frame), from = addressOf(program, step.arguments[1], frame);
    if (int64_t bytes = step.arguments[0].high.constant(); to != from && bytes) copy(to, from, bytes);
    return true;
  }
  case Step::Kind::Call: return run(plan.bodies[size_t(step.bodies[0])], frameOf(program, step, frame));
  case Step::Kind::Choose: return choose(program, step, frame);
  case Step::Kind::While:
  case Step::Kind::Repeat: return loop(program, step, frame);
  case Step::Kind::Library: {
    std::vector<Address> pointers;
    for (const Argument &a : step.arguments) pointers.push_back(addressOf(program, a, frame));
    callLibrary(step, pointers);
    return true;
  }
  }
  return true;
}

/// What a step hands to its bodies: for those that are not loops, their frame.
PlanRunner::Frame PlanRunner::frameOf(const Program &program, const Step &step, const Frame &frame) {
  Frame inside{{}, addressOf(program, step.arguments[step.firstArray() - 1], frame)};
  for (size_t i = step.firstArray(); i < step.arguments.size(); ++i) {
    const Argument &a = step.arguments[i];
    size_t array = isArray(a) ? arrayOf(program, a) : frame.numbers.size();
    inside.arrays.push_back(addressOf(program, a, frame));
    inside.numbers.push_back(array < frame.numbers.size() ? frame.numbers[array] : std::nullopt);
  }
  return inside;
}

bool PlanRunner::choose(const Program &program, const Step &step, const Frame &frame) {
  std::optional<int64_t> number = numberOf(program, step.arguments[0], frame);
  if (!number) return false;
  int64_t chosen = std::clamp<int64_t>(*number, 0, int64_t(step.bodies.size()) - 1);
  return run(plan.bodies[size_t(step.bodies[size_t(chosen)])], frameOf(program, step, frame));
}

/// A number as far as the host knows it, else as it is read.
std::optional<int64_t> PlanRunner::numberOf(const Program &program, const Argument &a, const Frame &frame) {
  if (a.memory == Memory::Constant) return a.number.constant();
  if (size_t array = isArray(a) ? arrayOf(program, a) : frame.numbers.size(); array < frame.numbers.size() && frame.numbers[array])
    return frame.numbers[array];
  return read(addressOf(program, a, frame), a.high.constant());
}

bool PlanRunner::loop(const Program &program, const Step &step, const Frame &frame) {
  // As the body takes them: the values, what all trips read, and where the next values go.
  Frame inside = frameOf(program, step, frame);
  auto carried = ptrdiff_t(step.carried);
  auto behindValues = [&](auto &list) { std::rotate(list.begin() + carried, list.begin() + 2 * carried, list.end()); };
  behindValues(inside.arrays);
  behindValues(inside.numbers);
  std::fill_n(inside.numbers.begin(), carried, std::nullopt); // what is handed on is known of the counter alone
  std::vector<Address> homes(inside.arrays.begin(), inside.arrays.begin() + carried);
  bool isDone = step.kind == Step::Kind::While ? runWhile(step, addressOf(program, step.arguments[0], frame), inside)
                                               : repeat(program, step, frame, inside);
  for (size_t i = 0; isDone && i < homes.size(); ++i)
    if (inside.arrays[i] != homes[i]) copy(homes[i], inside.arrays[i], step.arguments[step.firstArray() + i].high.constant());
  return isDone;
}

/// One trip: what it makes is what the next one begins with.
bool PlanRunner::trip(const Step &step, Frame &inside) {
  if (!run(plan.bodies[size_t(step.bodies.back())], inside)) return false;
  std::swap_ranges(inside.arrays.begin(), inside.arrays.begin() + step.carried, inside.arrays.end() - step.carried);
  return true;
}

bool PlanRunner::runWhile(const Step &step, Address flag, Frame &inside) {
  Frame asked = inside;
  asked.arrays.resize(inside.arrays.size() - size_t(step.carried));
  asked.arrays.push_back(flag);
  for (;;) {
    std::copy_n(inside.arrays.begin(), step.carried, asked.arrays.begin());
    if (!run(plan.bodies[size_t(step.bodies[0])], asked)) return false;
    std::optional<int64_t> answer = read(flag, 1);
    if (!answer || stops()) return false;
    if (!*answer) return true;
    if (!trip(step, inside)) return false;
  }
}

bool PlanRunner::repeat(const Program &program, const Step &step, const Frame &frame, Frame &inside) {
  std::optional<int64_t> low = numberOf(program, step.arguments[0], frame);
  std::optional<int64_t> high = low ? numberOf(program, step.arguments[1], frame) : std::nullopt;
  if (!high) return false;
  uint64_t trips = *high > *low ? uint64_t(*high) - uint64_t(*low) : 0;
  int64_t counter = step.by > 0 ? *low : *high;
  for (uint64_t i = 0; i < trips; ++i, counter += step.by) {
    if (stops()) return false;
    inside.numbers[size_t(step.counter)] = counter;
    if (!trip(step, inside)) return false;
  }
  return true;
}

} // namespace kiln
