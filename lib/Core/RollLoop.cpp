// The loop of a run. Where its trips have other sizes, the trip is a body of computed sizes that the loop's body runs.
#include "lib/Core/RollBody.h"

#include "lib/Core/Control.h"
#include "lib/Core/RollCourse.h"

#include <algorithm>

namespace kiln {
namespace {

class LoopBuilder {
public:
  LoopBuilder(const Lines &lines, const Run &run, size_t joined) : lines(lines), run(run), joined(joined), sizes(lines, run) {}

  std::optional<RolledLoop> build() {
    if (!findHandedOn() || !findSizes()) return std::nullopt;
    findReads();
    declare();
    try {
      writeTrips();
      loop.body = std::make_shared<const Trace>(loop.isSized ? around() : std::move(w.trace));
    } catch (const Error &) { return std::nullopt; } // an operation has no code for sizes that are computed
    loop.condition = std::make_shared<const Trace>(condition());
    return std::move(loop);
  }

private:
  const Lines &lines;
  const Run &run;
  const size_t joined;
  RolledLoop loop;
  BodyWriter w;
  std::map<int64_t, size_t> handedOn;                // by slot of the first trip, the place among what is handed on
  std::map<int64_t, int64_t> reads;                  // by slot from before, that of the body; first the place among the reads
  std::map<int64_t, int64_t> starts;                 // by number, likewise
  std::map<std::pair<int64_t, int64_t>, int64_t> at; // the values of start + step * trip in this trip, by start and step
  TripSizes sizes;
  std::vector<int64_t> fixed;       // numbers that the trips share, which a loop around this one may give otherwise
  size_t nextFixed = 0;             // of the line that is written
  std::vector<int64_t> now, before; // by slot counted from the first of the trip, that of the body; of the trip before

  int64_t firstSlot() const { return lines.slots[run.first]; }
  int64_t slotsOfTrip() const { return lines.slots[run.first + run.period] - firstSlot(); }

  /// An operand in the second trip: how it is known there.
  enum class From { Inside, TripBefore, Outside };
  From whence(int64_t operand) const {
    if (operand < firstSlot()) return From::Outside;
    return operand < firstSlot() + slotsOfTrip() ? From::TripBefore : From::Inside;
  }

  /// What each trip takes from the one before, and what the first trip has in its place.
  bool findHandedOn() {
    for (size_t offset = 0; offset < run.period; ++offset) {
      const TraceOp &op = lines.ops[run.first + run.period + offset], &first = lines.ops[run.first + offset];
      for (size_t i = 0; i < op.operands.size(); ++i) {
        if (whence(op.operands[i]) != From::TripBefore) continue;
        auto [known, isNew] = handedOn.try_emplace(op.operands[i], loop.initial.size());
        int64_t initial = first.operands[i];
        if (!isNew && loop.initial[known->second] != initial) return false;
        if (initial >= firstSlot() || !isOfOneType(initial, op.operands[i]) || !isOfOneType(initial, op.operands[i] + slotsOfTrip()))
          return false;
        if (!isNew) continue;
        loop.initial.push_back(initial);
        loop.produced.push_back(op.operands[i] + int64_t(run.trips - 1) * slotsOfTrip());
      }
    }
    return true;
  }

  bool isOfOneType(int64_t a, int64_t b) const { return lines.trace.types[size_t(a)] == lines.trace.types[size_t(b)]; }

  /// False for more sizes than a body can be given.
  bool findSizes() {
    if (!sizes.find()) return false;
    loop.isSized = !sizes.rules.empty();
    return !loop.isSized || joined == 1;
  }

  Rule ruleOf(size_t offset, size_t word) const { return Course(lines, run, offset, word).rule(0); }

  /// Whether a body of computed sizes is given a number that is a part of it.
  bool isFixedNumber(const TraceOp &op, const Rule &rule) const {
    return loop.isSized && op.op != Op::Constant && rule.kind == Rule::Same && rule.start;
  }

  void findReads() {
    auto read = [&](std::map<int64_t, int64_t> &known, bool isNumber, int64_t value) {
      if (known.try_emplace(value, int64_t(loop.reads.size())).second) loop.reads.push_back({isNumber, value});
    };
    for (size_t offset = 0; offset < run.period; ++offset) {
      const TraceOp &op = lines.ops[run.first + run.period + offset];
      NumberWords numbers = numbersOf(op);
      for (size_t word = numbers.first; word < numbers.last; ++word) {
        Rule rule = ruleOf(offset, word);
        if (rule.kind == Rule::Whole && rule.start) read(starts, true, rule.start);
        else if (isFixedNumber(op, rule)) fixed.push_back(rule.start);
      }
      for (int64_t operand : op.operands)
        if (whence(operand) == From::Outside) read(reads, false, operand);
    }
    for (auto [start, step] : sizes.rules) read(starts, true, start);
  }

  std::vector<TensorType> inputTypes() const {
    const TensorType number{DType::I64, {}};
    std::vector<TensorType> types = {number};
    for (int64_t slot : loop.initial) types.push_back(lines.trace.types[size_t(slot)]);
    types.push_back(number);
    for (const Given &g : loop.reads) types.push_back(g.isNumber ? number : lines.trace.types[size_t(g.value)]);
    return types;
  }

  void declare() {
    bool runsOpen = false;
    for (size_t offset = 0; offset < run.period; ++offset) {
      const TraceOp &op = lines.ops[run.first + offset];
      for (int64_t number : info(op.op).kind == Kind::Control ? bodyNumbers(info(op.op), op.words) : std::vector<int64_t>())
        runsOpen |= lines.trace.bodies[size_t(number)]->isOpen();
    }
    if (loop.isSized || runsOpen) w.trace.symbols = w.trace.given = int64_t(sizes.rules.size());
    for (const TensorType &type : inputTypes()) w.trace.addInput(type);
    for (size_t i = 0; i < fixed.size(); ++i) w.trace.addInput({DType::I64, {}});
    int64_t first = int64_t(loop.initial.size()) + 2; // behind the count, what is handed on, and the number of trips
    for (auto *known : {&reads, &starts})
      for (auto &[value, place] : *known) place += first;
  }

  Trace condition() const {
    Trace t;
    for (const TensorType &type : inputTypes()) t.addInput(type);
    int64_t operands[] = {0, int64_t(loop.initial.size()) + 1};
    t.outputs = {t.addOp(Op::Less, operands, {})};
    return t;
  }

  int64_t valueOf(const Rule &rule, int64_t trip) {
    auto [known, isNew] = at.try_emplace({rule.start, rule.step});
    if (!isNew) return known->second;
    int64_t value = w.times(trip, rule.step);
    if (rule.start) value = w.apply(Op::Add, {value, starts.at(rule.start)});
    return at[{rule.start, rule.step}] = value;
  }

  Number numberOf(const TraceOp &op, const Rule &rule, int64_t trip) {
    if (isFixedNumber(op, rule)) return {0, w.trace.inputs - int64_t(fixed.size() - nextFixed++)};
    if (rule.kind == Rule::Same) return {rule.start};
    if (rule.kind == Rule::Whole) {
      int64_t value = valueOf(rule, trip);
      return {0, op.op == Op::Constant ? w.cast(value, DType(op.words[0])) : value};
    }
    int64_t words[] = {op.words[0], rule.factor}, whole = w.cast(w.plus(trip, rule.start), DType(op.words[0]));
    int64_t factor = w.apply(Op::Constant, {}, words);
    return {0, w.apply(Op::Multiply, {whole, factor})};
  }

  int64_t operandOf(int64_t operand) {
    From from = whence(operand);
    if (from == From::Outside) return reads.at(operand);
    if (from == From::Inside) return now[size_t(operand - firstSlot() - slotsOfTrip())];
    return before.empty() ? int64_t(handedOn.at(operand)) + 1 : before[size_t(operand - firstSlot())];
  }

  void writeTrip(int64_t trip) {
    at.clear();
    now.clear();
    nextFixed = 0;
    for (size_t offset = 0; offset < run.period; ++offset) {
      const TraceOp &op = lines.ops[run.first + run.period + offset];
      std::vector<int64_t> operands;
      std::vector<Number> numbers;
      for (int64_t operand : op.operands) operands.push_back(operandOf(operand));
      NumberWords words = numbersOf(op);
      for (size_t word = words.first; word < words.last; ++word) numbers.push_back(numberOf(op, ruleOf(offset, word), trip));
      std::vector<int64_t> given(op.words.begin(), op.words.end());
      size_t own = size_t(lines.slots[run.first + run.period + offset]);
      std::vector<TensorType> types(lines.trace.types.begin() + ptrdiff_t(own), lines.trace.types.begin() + ptrdiff_t(own + op.results));
      if (loop.isSized) sizes.put(offset, given, types);
      int64_t slot = w.write(lines.trace, op, given, types, operands, numbers);
      for (size_t i = 0; i < op.results; ++i) now.push_back(slot + int64_t(i));
    }
    before = now;
  }

  void writeTrips() {
    for (size_t i = 0; i < joined; ++i) writeTrip(w.plus(0, int64_t(i)));
    w.trace.outputs.resize(loop.initial.size() + 1);
    w.trace.outputs[0] = w.plus(0, int64_t(joined));
    for (auto [slot, place] : handedOn) w.trace.outputs[place + 1] = now[size_t(slot - firstSlot())];
  }

  /// The body of the loop, which computes the sizes and runs a trip of them.
  Trace around() {
    BodyWriter a;
    a.trace.symbols = 0;
    for (const TensorType &type : inputTypes()) a.trace.addInput(type);
    std::vector<int64_t> operands, words = {a.numberOf(std::make_shared<const Trace>(w.trace)), int64_t(sizes.most.size())};
    for (auto [start, step] : sizes.rules) operands.push_back(a.apply(Op::Add, {a.times(0, step), starts.at(start)}));
    for (int64_t i = 0; i < a.trace.inputs; ++i) operands.push_back(i);
    for (int64_t number : fixed) { // each its own, as they may differ in trips around this loop
      int64_t constant[] = {int64_t(DType::I64), number};
      operands.push_back(a.trace.addOp(Op::Constant, {}, constant));
    }
    words.insert(words.end(), sizes.most.begin(), sizes.most.end());
    int64_t first = a.trace.addOp(Op::Sized, operands, words);
    for (size_t i = 0; i < w.trace.outputs.size(); ++i) a.trace.outputs.push_back(first + int64_t(i));
    return std::move(a.trace);
  }
};

} // namespace

std::optional<RolledLoop> buildLoop(const Lines &lines, const Run &run, size_t joined) { return LoopBuilder(lines, run, joined).build(); }

} // namespace kiln
