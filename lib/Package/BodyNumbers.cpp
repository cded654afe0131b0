#include "lib/Package/BodyNumbers.h"

#include "lib/Core/Control.h"

#include <algorithm>
#include <optional>

namespace kiln {
namespace {

bool runsBodies(const TraceOp &entry) { return info(entry.op).kind == Kind::Control; }
/// How many operands no body gets: the number of a branch, and sizes.
size_t countKept(const TraceOp &entry) { return entry.op == Op::Branch ? 1 : entry.op == Op::Sized ? size_t(entry.words[1]) : 0; }
/// How many operands always stand outside: those, and what a loop carries, or is changed in a body of other sizes.
size_t countOutside(const TraceOp &entry) { return countKept(entry) + (entry.op == Op::Branch ? 0 : entry.results); }

/// A constant, by the words of its operation.
struct Number {
  std::vector<int64_t> words;
  TensorType type;
};

/// A program that is made of another one, its inputs first.
class Rebuilt {
public:
  explicit Rebuilt(const Trace &from) : from(from), slots(from.types.size(), -1) {
    trace.symbols = from.symbols;
    trace.given = from.given;
    trace.isFast = from.isFast;
    trace.replaces = from.replaces;
  }
  Trace trace;

  /// `input(entry, slot)` is called for all inputs, then `behind()`, then `op(entry, slot)` for all operations; they say by `is` what has
  /// become of the slot.
  template <typename Input, typename Behind, typename Each> Trace run(const Input &input, const Behind &behind, const Each &op) {
    each([&](const TraceOp &entry, size_t slot) {
      if (entry.op == Op::Input) input(entry, slot);
    });
    behind();
    each([&](const TraceOp &entry, size_t slot) {
      if (entry.op != Op::Input) op(entry, slot);
    });
    for (int64_t output : from.outputs) trace.outputs.push_back(slots[size_t(output)]);
    return std::move(trace);
  }

  /// The same inputs, and what becomes of the operations.
  template <typename Each> Trace run(const Each &op) {
    return run([&](const TraceOp &entry, size_t slot) { addInput(entry, slot); }, [] {}, op);
  }

  void is(size_t slot, int64_t now) { slots[slot] = now; }
  void addInput(const TraceOp &entry, size_t slot) {
    auto layout = entry.words.subspan(2 + size_t(entry.words[1]));
    is(slot, trace.addInput(from.types[slot], layout[0] ? Dims(layout.subspan(1)) : Dims(), from.deviceOf(size_t(trace.inputs))));
  }
  int64_t addNumber(const Number &number) { return trace.append(Op::Constant, {}, number.words, number.type); }
  void addOp(const TraceOp &entry, size_t slot, std::span<const int64_t> operands, std::span<const int64_t> words) {
    int64_t first = trace.append(entry.op, operands, words, std::span(from.types).subspan(slot, entry.results));
    for (size_t i = 0; i < entry.results; ++i) is(slot + i, first + int64_t(i));
  }
  /// The same operation, on what its operands have become.
  void addOp(const TraceOp &entry, size_t slot) { addOp(entry, slot, operandsOf(entry), entry.words); }
  std::vector<int64_t> operandsOf(const TraceOp &entry) const {
    std::vector<int64_t> operands;
    for (int64_t operand : entry.operands) operands.push_back(slots[size_t(operand)]);
    return operands;
  }

private:
  const Trace &from;
  std::vector<int64_t> slots; // by slot before, the one now

  template <typename Each> void each(const Each &visit) {
    for (size_t at = 0, slot = 0; at < from.words.size();) {
      TraceOp entry = Trace::decode(from.words, at);
      visit(entry, slot);
      slot += entry.results;
    }
  }
};

/// By slot, the constants of a program.
std::vector<std::optional<Number>> constantsOf(const Trace &trace) {
  std::vector<std::optional<Number>> constants(trace.types.size());
  for (size_t at = 0, slot = 0; at < trace.words.size();) {
    TraceOp entry = Trace::decode(trace.words, at);
    if (entry.op == Op::Constant) constants[slot] = Number{{entry.words.begin(), entry.words.end()}, trace.types[slot]};
    slot += entry.results;
  }
  return constants;
}

/// A body whose constants are inputs: among `all`, which it gets behind its own, from `place` on.
Trace withInputs(const Trace &body, std::span<const Number> all, size_t place) {
  Rebuilt rebuilt(body);
  rebuilt.trace.bodies = body.bodies;
  std::vector<int64_t> given;
  auto behind = [&] {
    for (const Number &number : all) given.push_back(rebuilt.trace.addInput(number.type));
  };
  return rebuilt.run([&](const TraceOp &entry, size_t slot) { rebuilt.addInput(entry, slot); }, behind,
                     [&](const TraceOp &entry, size_t slot) {
                       if (entry.op == Op::Constant) rebuilt.is(slot, given[place++]);
                       else rebuilt.addOp(entry, slot);
                     });
}

/// A body with constants in the place of some of its inputs; null: it stays one.
Trace withNumbers(const Trace &body, const std::vector<const Number *> &numbers) {
  Rebuilt rebuilt(body);
  rebuilt.trace.bodies = body.bodies;
  std::vector<std::pair<size_t, const Number *>> known; // by slot
  size_t next = 0;
  auto input = [&](const TraceOp &entry, size_t slot) {
    const Number *number = numbers[next++];
    if (number) known.emplace_back(slot, number);
    else rebuilt.addInput(entry, slot);
  };
  auto behind = [&] {
    for (auto &[slot, number] : known) rebuilt.is(slot, rebuilt.addNumber(*number));
  };
  return rebuilt.run(input, behind, [&](const TraceOp &entry, size_t slot) { rebuilt.addOp(entry, slot); });
}

int64_t addBody(Trace &trace, Trace body) {
  auto isEqual = [&](const std::shared_ptr<const Trace> &known) { return *known == body; };
  auto found = std::ranges::find_if(trace.bodies, isEqual);
  int64_t place = found - trace.bodies.begin();
  if (found == trace.bodies.end()) trace.bodies.push_back(std::make_shared<const Trace>(std::move(body)));
  return place;
}

/// Adds an operation that runs bodies, with the constants of those in front of it.
void addOutside(Rebuilt &rebuilt, const Trace &from, const TraceOp &entry, size_t slot) {
  std::vector<Trace> bodies;
  std::vector<Number> all;
  std::vector<size_t> places; // of each body's among them
  for (int64_t number : bodyNumbers(info(entry.op), entry.words)) {
    bodies.push_back(withNumbersOutside(*from.bodies[size_t(number)]));
    places.push_back(all.size());
    for (std::optional<Number> &number : constantsOf(bodies.back()))
      if (number) all.push_back(std::move(*number));
  }
  std::vector<int64_t> numbers, operands = rebuilt.operandsOf(entry);
  for (size_t i = 0; i < bodies.size(); ++i) {
    numbers.push_back(int64_t(rebuilt.trace.bodies.size()));
    rebuilt.trace.bodies.push_back(std::make_shared<const Trace>(withInputs(bodies[i], all, places[i])));
  }
  for (const Number &number : all) operands.push_back(rebuilt.addNumber(number));
  rebuilt.addOp(entry, slot, operands, withBodies(info(entry.op), entry.words, numbers));
}

/// The program without constants that nothing reads.
Trace withoutUnused(const Trace &trace) {
  std::vector<char> isRead(trace.types.size());
  for (size_t at = 0; at < trace.words.size();)
    for (int64_t operand : Trace::decode(trace.words, at).operands) isRead[size_t(operand)] = true;
  for (int64_t output : trace.outputs) isRead[size_t(output)] = true;
  Rebuilt rebuilt(trace);
  rebuilt.trace.bodies = trace.bodies;
  return rebuilt.run([&](const TraceOp &entry, size_t slot) {
    if (entry.op != Op::Constant || isRead[slot]) rebuilt.addOp(entry, slot);
  });
}

/// Adds an operation that runs bodies, in which the constants among its operands stand.
void addInside(Rebuilt &rebuilt, const Trace &from, const TraceOp &entry, size_t slot, std::span<const std::optional<Number>> constants) {
  size_t outside = countOutside(entry), first = countKept(entry); // the first operand that bodies get
  std::vector<const Number *> known;
  std::vector<int64_t> operands, all = rebuilt.operandsOf(entry), numbers;
  for (size_t i = 0; i < entry.operands.size(); ++i) {
    const std::optional<Number> &constant = constants[size_t(entry.operands[i])];
    bool isInside = i >= outside && constant;
    if (!isInside) operands.push_back(all[i]);
    if (i >= first) known.push_back(isInside ? &*constant : nullptr);
  }
  for (int64_t number : bodyNumbers(info(entry.op), entry.words))
    numbers.push_back(addBody(rebuilt.trace, withNumbersInside(withoutUnused(withNumbers(*from.bodies[size_t(number)], known)))));
  rebuilt.addOp(entry, slot, operands, withBodies(info(entry.op), entry.words, numbers));
}

} // namespace

Trace withNumbersOutside(const Trace &trace) {
  if (trace.bodies.empty()) return trace;
  Rebuilt rebuilt(trace);
  return rebuilt.run([&](const TraceOp &entry, size_t slot) {
    if (runsBodies(entry)) addOutside(rebuilt, trace, entry, slot);
    else rebuilt.addOp(entry, slot);
  });
}

Trace withNumbersInside(const Trace &trace) {
  if (trace.bodies.empty()) return trace;
  std::vector<std::optional<Number>> constants = constantsOf(trace);
  Rebuilt rebuilt(trace);
  return withoutUnused(rebuilt.run([&](const TraceOp &entry, size_t slot) {
    if (runsBodies(entry)) addInside(rebuilt, trace, entry, slot, constants);
    else rebuilt.addOp(entry, slot);
  }));
}

} // namespace kiln
