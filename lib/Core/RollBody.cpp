#include "lib/Core/RollBody.h"

#include "lib/Core/Assert.h"
#include "lib/Core/Control.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace kiln {

//===-- writing -----------------------------------------------------------------------------------------------------===//

int64_t BodyWriter::apply(Op op, std::initializer_list<int64_t> operands, std::span<const int64_t> words) {
  return trace.addOp(op, std::span(operands.begin(), operands.size()), words);
}

int64_t BodyWriter::constant(int64_t value) {
  auto [known, isNew] = constants.try_emplace(value);
  int64_t words[] = {int64_t(DType::I64), value};
  if (isNew) known->second = trace.addOp(Op::Constant, {}, words);
  return known->second;
}

int64_t BodyWriter::cast(int64_t x, DType dtype) {
  int64_t word = int64_t(dtype);
  return trace.types[size_t(x)].dtype == dtype ? x : apply(Op::Cast, {x}, {&word, 1});
}

int64_t BodyWriter::numberOf(const std::shared_ptr<const Trace> &body) {
  for (size_t i = 0; i < trace.bodies.size(); ++i)
    if (trace.bodies[i] == body || *trace.bodies[i] == *body) return int64_t(i);
  trace.bodies.push_back(body);
  return int64_t(trace.bodies.size()) - 1;
}

/// Numbers as an int64 array of one axis: each is chosen where the position is its own.
int64_t BodyWriter::vectorOf(std::span<const Number> numbers) {
  auto [known, isNew] = vectors.try_emplace({numbers.begin(), numbers.end()});
  if (!isNew) return known->second;
  int64_t rank = int64_t(numbers.size());
  int64_t wide[] = {0, 1, rank}, iota[] = {0, int64_t(DType::I64), 1, rank};
  auto everywhere = [&](int64_t scalar) { return apply(Op::Broadcast, {scalar}, wide); };
  auto valueOf = [&](const Number &n) { return n.slot < 0 ? constant(n.fixed) : n.slot; };
  int64_t result = everywhere(valueOf(numbers[0]));
  int64_t position = rank > 1 ? apply(Op::Iota, {}, iota) : -1;
  for (int64_t i = 1; i < rank; ++i) {
    int64_t isBefore = apply(Op::Less, {position, everywhere(constant(i))});
    result = apply(Op::Select, {isBefore, result, everywhere(valueOf(numbers[size_t(i)]))});
  }
  return vectors[{numbers.begin(), numbers.end()}] = result;
}

namespace {

/// A part of an array in steps, as the part without steps that it lies in, and where it lies in that.
struct Covered {
  std::vector<Number> starts;
  Dims inner, sizes;
  bool hasSteps = false;

  Covered(BodyWriter &w, std::span<const Number> given, const Dims &counts, const Dims &steps) : starts(given.begin(), given.end()) {
    for (int i = 0; i < counts.rank; ++i) {
      int64_t last = std::max<int64_t>(counts[i] - 1, 0) * steps[i];
      hasSteps |= steps[i] != 1;
      sizes.push(counts[i] ? std::abs(last) + 1 : 0);
      inner.push(last < 0 ? -last : 0);
      if (last >= 0) continue;
      Number &start = starts[size_t(i)];
      start = start.slot < 0 ? Number{start.fixed + last} : Number{0, w.plus(start.slot, last)};
    }
  }
};

std::vector<int64_t> wordsOf(std::initializer_list<Dims> lists) {
  std::vector<int64_t> words;
  for (const Dims &list : lists) appendWords(words, list);
  return words;
}

} // namespace

int64_t BodyWriter::slice(const TraceOp &op, int64_t x, std::span<const Number> starts) {
  WordReader words{op.words};
  words.dims();
  Dims sizes = words.dims(), steps = words.dims();
  Covered part(*this, starts, sizes, steps);
  int64_t whole = apply(Op::DynamicSlice, {x, vectorOf(part.starts)}, wordsOf({part.sizes}));
  return part.hasSteps ? apply(Op::Slice, {whole}, wordsOf({part.inner, sizes, steps})) : whole;
}

int64_t BodyWriter::update(const TraceOp &op, int64_t x, int64_t value, std::span<const Number> starts) {
  WordReader words{op.words};
  words.dims();
  Dims steps = words.dims();
  Covered part(*this, starts, trace.types[size_t(value)].shape.numbers(), steps);
  int64_t at = vectorOf(part.starts);
  if (part.hasSteps) {
    int64_t old = apply(Op::DynamicSlice, {x, at}, wordsOf({part.sizes}));
    value = apply(Op::Update, {old, value}, wordsOf({part.inner, steps}));
  }
  return apply(Op::DynamicUpdate, {x, value, at});
}

int64_t BodyWriter::write(const Trace &from, const TraceOp &op, int64_t slot, std::span<const int64_t> operands,
                          std::span<const Number> numbers) {
  if (std::ranges::any_of(numbers, [](const Number &n) { return n.slot >= 0; })) {
    int64_t result = op.op == Op::Constant ? numbers[0].slot
                     : op.op == Op::Slice  ? slice(op, operands[0], numbers)
                                           : update(op, operands[0], operands[1], numbers);
    KILN_ASSERT(trace.types[size_t(result)] == from.types[size_t(slot)], "the type of the operation that is written");
    return result;
  }
  std::vector<int64_t> words(op.words.begin(), op.words.end());
  size_t next = numbersOf(op).first;
  for (const Number &n : numbers) words[next++] = n.fixed;
  if (info(op.op).kind == Kind::Control) {
    std::vector<int64_t> bodies;
    for (int64_t number : bodyNumbers(info(op.op), op.words)) bodies.push_back(numberOf(from.bodies[size_t(number)]));
    words = withBodies(info(op.op), op.words, bodies);
  }
  return trace.append(op.op, operands, words, std::span(from.types).subspan(size_t(slot), op.results));
}

//===-- numbers -----------------------------------------------------------------------------------------------------===//

namespace {

/// How a number goes on: the same, start + step * trip, or the product of a float and start + trip.
struct Rule {
  enum Kind { Same, Whole, Product } kind = Same;
  int64_t start = 0, step = 0, factor = 0; // the bits of the factor
};

/// A constant as a whole number, if it is one that converts exactly; another word as it is.
std::optional<int64_t> wholeOf(const TraceOp &op, int64_t word) {
  if (op.op != Op::Constant) return word;
  DType dtype = DType(op.words[0]);
  if (isInteger(dtype)) return dtype == DType::U64 ? std::nullopt : std::optional(word);
  if (dtype != DType::F32 && dtype != DType::F64) return std::nullopt;
  double value = dtype == DType::F64 ? std::bit_cast<double>(word) : double(std::bit_cast<float>(int32_t(word)));
  double most = dtype == DType::F64 ? 0x1p52 : 0x1p23;
  if (!(std::abs(value) <= most) || value != std::trunc(value) || (value == 0 && std::signbit(value))) return std::nullopt;
  return int64_t(value);
}

/// The product of a float and a whole number, as kernels compute it.
int64_t productOf(DType dtype, int64_t factor, int64_t n) {
  if (dtype == DType::F64) return std::bit_cast<int64_t>(std::bit_cast<double>(factor) * double(n));
  return int64_t(std::bit_cast<uint32_t>(std::bit_cast<float>(int32_t(factor)) * float(n)));
}

double floatOf(DType dtype, int64_t bits) {
  return dtype == DType::F64 ? std::bit_cast<double>(bits) : double(std::bit_cast<float>(int32_t(bits)));
}

/// The words of one number through the trips.
class Course {
public:
  Course(const Lines &lines, const Run &run, size_t offset, size_t word) : lines(lines), run(run), offset(offset), word(word) {}

  /// The rule of the trips from `trip` on, by the first of them.
  Rule rule(size_t trip) const {
    int64_t a = at(trip), b = trip + 1 < run.trips ? at(trip + 1) : a;
    if (a == b) return {Rule::Same, a, 0, 0};
    auto x = wholeOf(op(), a), y = wholeOf(op(), b);
    if (x && y) return {Rule::Whole, *x, *y - *x, 0};
    if (op().op != Op::Constant || (dtype() != DType::F32 && dtype() != DType::F64)) return {Rule::Same, a, 0, 0};
    double v = floatOf(dtype(), a), next = floatOf(dtype(), b), start = std::round(v / (next - v));
    if (!(std::abs(start) < 0x1p20)) return {Rule::Same, a, 0, 0};
    return {Rule::Product, int64_t(start), 1, start == 0 ? b : start == 1 ? a : bitsOf(v / start)};
  }
  bool follows(const Rule &rule, size_t trips, int64_t value) const {
    int64_t n = rule.start + int64_t(trips) * rule.step;
    if (rule.kind == Rule::Same) return value == rule.start;
    if (rule.kind == Rule::Product) return value == productOf(dtype(), rule.factor, n);
    return wholeOf(op(), value) == n;
  }
  /// How many trips from `trip` on, at most `most`, follow one rule.
  size_t regular(size_t trip, size_t most) const {
    Rule known = rule(trip);
    size_t count = 1;
    while (count < most && follows(known, count, at(trip + count))) ++count;
    return count;
  }

private:
  const Lines &lines;
  const Run &run;
  const size_t offset, word;

  const TraceOp &op() const { return lines.ops[run.first + offset]; }
  DType dtype() const { return DType(op().words[0]); }
  int64_t at(size_t trip) const { return lines.ops[run.at(trip) + offset].words[word]; }
  int64_t bitsOf(double value) const {
    if (dtype() == DType::F64) return std::bit_cast<int64_t>(value);
    return int64_t(std::bit_cast<uint32_t>(float(value)));
  }
};

} // namespace

size_t regularTrips(const Lines &lines, const Run &run, size_t trip) {
  size_t most = run.trips - trip;
  for (size_t offset = 0; offset < run.period; ++offset) {
    NumberWords numbers = numbersOf(lines.ops[run.first + offset]);
    for (size_t word = numbers.first; word < numbers.last; ++word) most = Course(lines, run, offset, word).regular(trip, most);
  }
  return most;
}

//===-- the loop of a run -------------------------------------------------------------------------------------------===//

namespace {

class LoopBuilder {
public:
  LoopBuilder(const Lines &lines, const Run &run, size_t joined) : lines(lines), run(run), joined(joined) {}

  std::optional<RolledLoop> build() {
    if (!findHandedOn()) return std::nullopt;
    findReads();
    declare();
    writeTrips();
    loop.condition = std::make_shared<const Trace>(condition());
    loop.body = std::make_shared<const Trace>(std::move(w.trace));
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
  std::vector<int64_t> now, before;                  // by slot counted from the first of the trip, that of the body; of the trip before

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
        if (initial >= firstSlot() || !(lines.trace.types[size_t(initial)] == lines.trace.types[size_t(op.operands[i])])) return false;
        if (!isNew) continue;
        loop.initial.push_back(initial);
        loop.produced.push_back(op.operands[i] + int64_t(run.trips - 1) * slotsOfTrip());
      }
    }
    return true;
  }

  Rule ruleOf(size_t offset, size_t word) const { return Course(lines, run, offset, word).rule(0); }

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
      }
      for (int64_t operand : op.operands)
        if (whence(operand) == From::Outside) read(reads, false, operand);
    }
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
    for (const TensorType &type : inputTypes()) w.trace.addInput(type);
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
    for (size_t offset = 0; offset < run.period; ++offset) {
      const TraceOp &op = lines.ops[run.first + run.period + offset];
      std::vector<int64_t> operands;
      std::vector<Number> numbers;
      for (int64_t operand : op.operands) operands.push_back(operandOf(operand));
      NumberWords words = numbersOf(op);
      for (size_t word = words.first; word < words.last; ++word) numbers.push_back(numberOf(op, ruleOf(offset, word), trip));
      int64_t slot = w.write(lines.trace, op, lines.slots[run.first + run.period + offset], operands, numbers);
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
};

} // namespace

std::optional<RolledLoop> buildLoop(const Lines &lines, const Run &run, size_t joined) { return LoopBuilder(lines, run, joined).build(); }

} // namespace kiln
