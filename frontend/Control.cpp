#include "frontend/Control.h"

#include "frontend/Interpreter.h"
#include "frontend/OpsShared.h"
#include "lib/Core/Control.h"
#include "lib/Core/Generalize.h"

#include <algorithm>
#include <map>
#include <mutex>

namespace kiln {
namespace {

/// The number of rank 0 that decides what comes next.
int64_t numberOf(const Array &x) {
  Array here = deviceOf(x) ? moved(x, nullptr) : x;
  return here.dtype == DType::Bool ? *here.data() != 0 : *reinterpret_cast<const int64_t *>(here.data());
}

/// Each in memory of its own, row by row.
std::vector<Array> owned(std::vector<Array> values) {
  for (Array &value : values)
    if (!ownsMemory(value)) value = copy(value);
  return values;
}

std::vector<Array> runLoop(const Trace &condition, const Trace &body, std::vector<Array> values, void (*between)(), Device *home) {
  Plan asks = planOf(condition), does = planOf(body);
  Interpreter holds(asks, between, home), step(does, between, home);
  size_t carried = body.outputs.size();
  for (;;) {
    if (!numberOf(holds.run(values)[0])) break;
    std::vector<Array> inputs(values.begin() + ptrdiff_t(carried), values.end());
    inputs.insert(inputs.begin(), std::move_iterator(values.begin()), std::move_iterator(values.begin() + ptrdiff_t(carried)));
    std::vector<Array> next = step.run(std::move(inputs));
    std::move(next.begin(), next.end(), values.begin());
    if (between) between();
  }
  values.resize(carried);
  return owned(std::move(values));
}

/// How a body is run at some sizes; the same where a loop around its loop comes back to them.
std::shared_ptr<const Plan> planAt(const std::shared_ptr<const Trace> &body, std::vector<int64_t> sizes) {
  constexpr size_t kMost = 1024;
  struct Known {
    std::shared_ptr<const Trace> body; // whose address no other one has meanwhile
    std::shared_ptr<const Plan> plan;
  };
  using Key = std::pair<const Trace *, std::vector<int64_t>>;
  static std::mutex *mutex = new std::mutex;
  static auto *plans = new std::map<Key, Known>; // never destroyed: programs may run after statics
  Key key(body.get(), sizes);
  {
    std::lock_guard lock(*mutex);
    if (auto found = plans->find(key); found != plans->end()) return found->second.plan;
  }
  auto plan = std::make_shared<const Plan>(std::make_shared<const Trace>(atSizes(*body, sizes)));
  std::map<Key, Known> dropped; // outside of the lock
  std::lock_guard lock(*mutex);
  if (plans->size() >= kMost) dropped.swap(*plans);
  plans->insert_or_assign(std::move(key), Known{body, plan});
  return plan;
}

std::vector<Array> runSized(std::span<const int64_t> words, const std::shared_ptr<const Trace> &body, std::vector<Array> operands,
                            void (*between)(), Device *home) {
  Dims most = WordReader{words, 1}.dims();
  std::vector<int64_t> sizes;
  for (int i = 0; i < most.rank; ++i) {
    sizes.push_back(numberOf(operands[size_t(i)]));
    if (sizes.back() < 2 || sizes.back() > most[i])
      fail(ErrorKind::Shape, info(Op::Sized).name, "size " + std::to_string(i), "2 to " + std::to_string(most[i]),
           std::to_string(sizes.back()));
  }
  operands.erase(operands.begin(), operands.begin() + most.rank);
  std::shared_ptr<const Plan> plan = planAt(body, std::move(sizes));
  return owned(Interpreter(*plan, between, home).run(std::move(operands)));
}

} // namespace

std::vector<Array> applyBodies(Op op, std::span<const Array *const> operands, std::span<const int64_t> words, Bodies bodies) {
  std::vector<TensorType> given;
  for (const Array *a : operands) given.push_back(a->type());
  std::vector<TensorType> types = inferAll(op, given, words, bodies);
  return applyAll({.op = op, .operands = operands, .words = words, .type = types[0], .bodies = bodies, .types = types});
}

std::vector<Array> runBodies(Op op, std::span<const int64_t> words, Bodies bodies, std::vector<Array> operands, void (*between)(),
                             Device *home) {
  for (const Array &operand : operands)
    if (Device *device = deviceOf(operand)) home = device;
  std::vector<int64_t> numbers = bodyNumbers(info(op), words);
  auto body = [&](size_t i) -> const Trace & { return *bodies[size_t(numbers[i])]; };
  if (op == Op::Loop) return runLoop(body(0), body(1), std::move(operands), between, home);
  if (op == Op::Sized) return runSized(words, bodies[size_t(numbers[0])], std::move(operands), between, home);
  int64_t chosen = std::clamp<int64_t>(numberOf(operands[0]), 0, int64_t(numbers.size()) - 1);
  operands.erase(operands.begin());
  return owned(Interpreter(planOf(body(size_t(chosen))), between, home).run(std::move(operands)));
}

std::vector<Entry> entriesOf(const Trace &trace) {
  std::vector<Entry> entries;
  for (size_t at = 0; at < trace.words.size();) {
    TraceOp op = Trace::decode(trace.words, at);
    entries.insert(entries.end(), op.results, {op, entries.size()});
  }
  return entries;
}

void applyEntry(const Trace &trace, const Entry &entry, std::vector<Array> &slots) {
  const TraceOp &op = entry.op;
  auto types = std::span(trace.types).subspan(entry.slot, op.results);
  std::vector<const Array *> operands;
  for (int64_t operand : op.operands) operands.push_back(&slots[size_t(operand)]);
  Operation operation{.op = op.op, .operands = operands, .words = op.words, .type = types[0], .bodies = trace.bodies, .types = types};
  if (info(op.op).kind == Kind::Control || types.size() > 1) std::ranges::move(applyAll(operation), slots.begin() + ptrdiff_t(entry.slot));
  else slots[entry.slot] = apply(operation);
}

std::vector<Array> applyTrace(const Trace &trace, std::span<const Array> inputs) {
  std::vector<Array> slots(trace.types.size());
  std::vector<char> needed = Trace::neededSlots(trace.words, trace.outputs);
  size_t nextInput = 0, first = 0;
  for (size_t at = 0; at < trace.words.size();) {
    Entry entry{Trace::decode(trace.words, at), first};
    first += entry.op.results;
    if (entry.op.op == Op::Input) slots[entry.slot] = inputs[nextInput++];
    else if (needed[entry.slot]) applyEntry(trace, entry, slots);
  }
  std::vector<Array> results;
  for (int64_t output : trace.outputs) results.push_back(slots[size_t(output)]);
  return results;
}

std::shared_ptr<const Trace> withInputs(const Trace &body, std::span<const TensorType> types, std::span<const size_t> places) {
  auto result = std::make_shared<Trace>();
  result->bodies = body.bodies;
  for (const TensorType &type : types) result->addInput(type);
  std::vector<int64_t> slots; // by slot of the body
  size_t input = 0;
  for (size_t at = 0; at < body.words.size();) {
    TraceOp entry = Trace::decode(body.words, at);
    if (entry.op == Op::Input) {
      slots.push_back(int64_t(places[input++]));
      continue;
    }
    std::vector<int64_t> operands;
    for (int64_t operand : entry.operands) operands.push_back(slots[size_t(operand)]);
    int64_t first = result->append(entry.op, operands, entry.words, std::span(body.types).subspan(slots.size(), entry.results));
    for (size_t i = 0; i < entry.results; ++i) slots.push_back(first + int64_t(i));
  }
  for (int64_t output : body.outputs) result->outputs.push_back(slots[size_t(output)]);
  return result;
}

std::vector<Array> alignBodies(std::span<RecordedBody> bodies, size_t own) {
  std::vector<Array> all;
  std::vector<std::vector<size_t>> places; // of the inputs of each body
  for (const RecordedBody &body : bodies) {
    auto &mine = places.emplace_back();
    for (size_t i = 0; i < own; ++i) mine.push_back(i);
    for (const Array &a : body.captured) {
      auto same = std::ranges::find_if(all, [&](const Array &b) { return a.storage.get() == b.storage.get() && showSame(a, b); });
      mine.push_back(own + size_t(same - all.begin()));
      if (same == all.end()) all.push_back(a);
    }
  }
  std::vector<TensorType> types;
  for (size_t at = 0, i = 0; i < own; ++i) { // own inputs come first
    WordReader reader{Trace::decode(bodies[0].trace->words, at).words};
    DType dtype = reader.dtype();
    types.push_back({dtype, reader.dims()});
  }
  for (const Array &a : all) types.push_back(a.type());
  for (size_t i = 0; i < bodies.size(); ++i) bodies[i].trace = withInputs(*bodies[i].trace, types, places[i]);
  return all;
}

} // namespace kiln
