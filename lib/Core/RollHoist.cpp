#include "lib/Core/RollBody.h"
#include "lib/Core/RollCourse.h"

#include <algorithm>
#include <utility>

namespace kiln {
namespace {

/// The bodies one after the other, as trips.
Trace asTrips(std::span<const Trace *const> bodies) {
  Trace t;
  t.bodies = bodies[0]->bodies;
  t.symbols = bodies[0]->symbols;
  for (int64_t i = 0; i < bodies[0]->inputs; ++i) t.addInput(bodies[0]->types[size_t(i)]);
  for (const Trace *body : bodies) {
    int64_t shift = int64_t(t.types.size()) - body->inputs;
    Lines lines(*body);
    for (size_t p = 0; p < lines.size(); ++p) {
      std::vector<int64_t> operands;
      for (int64_t operand : lines.ops[p].operands) operands.push_back(operand < body->inputs ? operand : operand + shift);
      t.append(lines.ops[p].op, operands, lines.ops[p].words, std::span(body->types).subspan(size_t(lines.slots[p]), lines.ops[p].results));
    }
  }
  return t;
}

/// Bodies that differ in numbers alone, as one whose inputs they are. Or in numbers and sizes, where these go on as in trips around them:
/// then it runs a body at the sizes that it is given.
class Family {
public:
  std::vector<int64_t> members; // their places in the trace
  std::shared_ptr<const Trace> body, condition;
  std::vector<TensorType> types;            // of the numbers
  std::vector<std::vector<int64_t>> values; // by number and member

  Family(const Trace &trace, int64_t first, int64_t condition, bool ofAnySizes)
      : members{first}, condition(trace.bodies[size_t(condition)]), ofAnySizes(ofAnySizes) {}

  bool takes(const Trace &trace, int64_t number, int64_t itsCondition) const {
    const Trace &a = *trace.bodies[size_t(members[0])], &b = *trace.bodies[size_t(number)];
    if (trace.bodies[size_t(itsCondition)] != condition || a.words.size() != b.words.size() || a.outputs != b.outputs) return false;
    if (a.inputs != b.inputs || a.types.size() != b.types.size() || a.bodies.size() != b.bodies.size()) return false;
    for (size_t i = 0; i < a.bodies.size(); ++i)
      if (!(a.bodies[i] == b.bodies[i] || *a.bodies[i] == *b.bodies[i])) return false;
    for (size_t i = 0; i < a.types.size(); ++i)
      if (bool isInside = int64_t(i) >= a.inputs; !haveOneForm(a.types[i], b.types[i], ofAnySizes && isInside)) return false;
    for (int64_t output : a.outputs)
      if (!(a.types[size_t(output)] == b.types[size_t(output)])) return false;
    for (size_t i = 0, k = 0; i < a.words.size() && k < b.words.size();) {
      TraceOp x = Trace::decode(a.words, i), y = Trace::decode(b.words, k);
      if (!(x.op == Op::Input ? y.op == Op::Input : haveOneForm(x, y, ofAnySizes))) return false;
      if (!std::ranges::equal(x.operands, y.operands)) return false;
    }
    return true;
  }

  void makeOne(const Trace &trace) {
    std::vector<const Trace *> all;
    for (int64_t member : members) all.push_back(trace.bodies[size_t(member)].get());
    Lines first(*all[0]);
    std::vector<std::vector<Number>> numbers(first.size()); // of each line; the slot of one that differs is its place among `values`
    std::map<std::pair<DType, std::vector<int64_t>>, int64_t> known;
    for (size_t p = 0; p < first.size(); ++p) {
      const TraceOp &op = first.ops[p];
      NumberWords words = numbersOf(op);
      size_t start = size_t(op.words.data() - all[0]->words.data());
      DType dtype = op.op == Op::Constant ? DType(op.words[0]) : DType::I64;
      for (size_t word = words.first; word < words.last; ++word) {
        std::vector<int64_t> each;
        for (const Trace *body : all) each.push_back(body->words[start + word]);
        numbers[p].push_back({each[0]});
        if (std::ranges::count(each, each[0]) == ptrdiff_t(each.size())) continue;
        auto [place, isNew] = known.try_emplace({dtype, each}, int64_t(values.size()));
        if (isNew) values.push_back(each), types.push_back({dtype, {}});
        numbers[p].back().slot = place->second;
      }
    }
    if (values.size() > kMostNumbers) return;
    if (ofAnySizes) writeSized(all, numbers);
    else write(first, numbers, nullptr);
  }

private:
  static constexpr size_t kMostNumbers = 64, kLeastOfOtherSizes = 8;
  bool ofAnySizes;

  void writeSized(std::span<const Trace *const> all, std::vector<std::vector<Number>> &numbers) {
    if (all.size() < kLeastOfOtherSizes) return;
    Trace trips = asTrips(all);
    Lines lines(trips, true);
    Run run{0, lines.size() / all.size(), all.size()};
    TripSizes sizes(lines, run);
    if (!sizes.find() || sizes.rules.empty()) return;
    for (const SizePlace &place : sizePlacesOf(lines, run))
      if (regularTrips(lines, run, place, 0, run.trips) < run.trips) return;
    try {
      write(Lines(*all[0]), numbers, &sizes);
    } catch (const Error &) { body = nullptr; } // an operation has no code for sizes that are computed
  }

  /// Makes the body one that runs the present one at sizes that it is given behind its other inputs.
  void runAtSizes(const TripSizes &sizes) {
    BodyWriter a;
    a.trace.symbols = 0;
    const Trace &inner = *body;
    std::vector<int64_t> operands, words = {a.numberOf(body), int64_t(sizes.most.size())};
    for (int64_t i = 0; i < inner.inputs; ++i) a.trace.addInput(inner.types[size_t(i)]);
    for (auto [start, step] : sizes.rules) {
      operands.push_back(a.trace.addInput({DType::I64, {}}));
      types.push_back({DType::I64, {}});
      auto &mine = values.emplace_back();
      for (size_t m = 0; m < members.size(); ++m) mine.push_back(start + step * int64_t(m));
    }
    for (int64_t i = 0; i < inner.inputs; ++i) operands.push_back(i);
    words.insert(words.end(), sizes.most.begin(), sizes.most.end());
    int64_t first = a.trace.addOp(Op::Sized, operands, words);
    for (size_t i = 0; i < inner.outputs.size(); ++i) a.trace.outputs.push_back(first + int64_t(i));
    body = std::make_shared<const Trace>(std::move(a.trace));
  }

  void write(const Lines &lines, std::vector<std::vector<Number>> &numbers, const TripSizes *sizes) {
    BodyWriter w;
    w.trace.symbols = lines.trace.symbols;
    if (sizes) w.trace.symbols = w.trace.given = int64_t(sizes->rules.size());
    int64_t inputs = lines.trace.inputs;
    std::vector<int64_t> slots; // by slot of the first member
    for (int64_t i = 0; i < inputs; ++i) slots.push_back(w.trace.addInput(lines.trace.types[size_t(i)]));
    for (const TensorType &type : types) w.trace.addInput(type);
    for (size_t p = 0; p < lines.size(); ++p) {
      const TraceOp &op = lines.ops[p];
      for (Number &n : numbers[p])
        if (n.slot >= 0) n.slot += inputs;
      std::vector<int64_t> operands;
      for (int64_t operand : op.operands) operands.push_back(slots[size_t(operand)]);
      std::vector<int64_t> words(op.words.begin(), op.words.end());
      auto own = lines.trace.types.begin() + lines.slots[p];
      std::vector<TensorType> results(own, own + ptrdiff_t(op.results));
      if (sizes) sizes->put(p, words, results);
      int64_t slot = w.write(lines.trace, op, words, results, operands, numbers[p]);
      for (size_t i = 0; i < op.results; ++i) slots.push_back(slot + int64_t(i));
    }
    for (int64_t output : lines.trace.outputs) w.trace.outputs.push_back(slots[size_t(output)]);
    body = std::make_shared<const Trace>(std::move(w.trace));
    if (sizes) runAtSizes(*sizes);
    extendCondition();
  }

  /// The condition is given the numbers as well.
  void extendCondition() {
    Lines lines(*condition);
    BodyWriter w;
    std::vector<int64_t> slots;
    for (int64_t i = 0; i < condition->inputs; ++i) slots.push_back(w.trace.addInput(condition->types[size_t(i)]));
    for (const TensorType &type : types) w.trace.addInput(type);
    for (size_t p = 0; p < lines.size(); ++p) {
      std::vector<int64_t> operands;
      for (int64_t operand : lines.ops[p].operands) operands.push_back(slots[size_t(operand)]);
      int64_t slot = w.write(*condition, lines.ops[p], lines.slots[p], operands, {});
      for (size_t i = 0; i < lines.ops[p].results; ++i) slots.push_back(slot + int64_t(i));
    }
    for (int64_t output : condition->outputs) w.trace.outputs.push_back(slots[size_t(output)]);
    condition = std::make_shared<const Trace>(std::move(w.trace));
  }
};

std::vector<Family> familiesOf(const Trace &trace, bool ofAnySizes) {
  std::vector<Family> families;
  std::vector<char> isKnown(trace.bodies.size());
  for (size_t at = 0; at < trace.words.size();) {
    TraceOp entry = Trace::decode(trace.words, at);
    if (entry.op != Op::Loop || std::exchange(isKnown[size_t(entry.words[1])], true)) continue;
    auto found = std::ranges::find_if(families, [&](const Family &f) { return f.takes(trace, entry.words[1], entry.words[0]); });
    if (found == families.end()) families.emplace_back(trace, entry.words[1], entry.words[0], ofAnySizes);
    else found->members.push_back(entry.words[1]);
  }
  std::erase_if(families, [](const Family &f) { return f.members.size() < 2; });
  for (Family &f : families) f.makeOne(trace);
  std::erase_if(families, [](const Family &f) { return !f.body; });
  return families;
}

} // namespace

std::optional<Changed> hoistNumbers(const Trace &trace, bool ofAnySizes) {
  std::vector<Family> families = familiesOf(trace, ofAnySizes);
  if (families.empty()) return std::nullopt;
  std::map<int64_t, std::pair<const Family *, size_t>> familyOf; // by the place of a body
  for (const Family &f : families)
    for (size_t i = 0; i < f.members.size(); ++i) familyOf[f.members[i]] = {&f, i};
  Rewriter result(trace);
  Lines lines(trace);
  for (size_t p = 0; p < lines.size(); ++p) {
    const TraceOp &op = lines.ops[p];
    auto found = op.op == Op::Loop ? familyOf.find(op.words[1]) : familyOf.end();
    if (found == familyOf.end()) {
      result.copy(op, lines.slots[p]);
      continue;
    }
    auto [family, member] = found->second;
    std::vector<int64_t> operands = result.operandsOf(op);
    for (size_t i = 0; i < family->values.size(); ++i)
      operands.push_back(result.constant(family->types[i].dtype, family->values[i][member], lines.slots[p]));
    int64_t slot = result.loop(family->condition, family->body, operands, lines.slots[p]);
    for (int64_t i = 0; i < int64_t(op.results); ++i) result.replace(lines.slots[p] + i, slot + i);
  }
  return result.finish();
}

} // namespace kiln
