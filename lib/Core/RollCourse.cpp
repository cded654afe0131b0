#include "lib/Core/RollCourse.h"

#include "lib/Core/RollBody.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace kiln {
namespace {

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

} // namespace

Rule Course::rule(size_t trip) const {
  int64_t a = at(trip), b = trip + 1 < run.trips ? at(trip + 1) : a;
  if (a == b) return {Rule::Same, a, 0, 0};
  auto x = wholeOf(op(), a), y = wholeOf(op(), b);
  if (x && y) return {Rule::Whole, *x, *y - *x, 0};
  if (op().op != Op::Constant || (dtype() != DType::F32 && dtype() != DType::F64)) return {Rule::Same, a, 0, 0};
  double v = floatOf(dtype(), a), next = floatOf(dtype(), b), start = std::round(v / (next - v));
  if (!(std::abs(start) < 0x1p20)) return {Rule::Same, a, 0, 0};
  return {Rule::Product, int64_t(start), 1, start == 0 ? b : start == 1 ? a : bitsOf(v / start)};
}

bool Course::follows(const Rule &rule, size_t trips, int64_t value) const {
  int64_t n = rule.start + int64_t(trips) * rule.step;
  if (rule.kind == Rule::Same) return value == rule.start;
  if (rule.kind == Rule::Product) return value == productOf(dtype(), rule.factor, n);
  return wholeOf(op(), value) == n;
}

size_t Course::regular(size_t trip, size_t most) const {
  Rule known = rule(trip);
  size_t count = 1;
  if (!follows(known, 0, at(trip))) return count; // the factor of a product has been rounded
  while (count < most && follows(known, count, at(trip + count))) ++count;
  return count;
}

int64_t Course::bitsOf(double value) const {
  if (dtype() == DType::F64) return std::bit_cast<int64_t>(value);
  return int64_t(std::bit_cast<uint32_t>(float(value)));
}

std::vector<SizePlace> sizePlacesOf(const Lines &lines, const Run &run) {
  std::vector<SizePlace> places;
  if (!lines.ofAnySizes) return places;
  for (size_t offset = 0; offset < run.period; ++offset) {
    const TraceOp &op = lines.ops[run.first + offset];
    for (size_t word : sizeWordsOf(op)) places.push_back({offset, true, word});
    for (size_t i = 0; i < op.results; ++i)
      for (int axis = 0; axis < lines.trace.types[size_t(lines.slots[run.first + offset]) + i].shape.rank; ++axis)
        places.push_back({offset, false, i, axis});
  }
  return places;
}

static int64_t sizeAt(const Lines &lines, const Run &run, const SizePlace &place, size_t trip) {
  size_t line = run.at(trip) + place.offset;
  if (place.isWord) return lines.ops[line].words[place.number];
  return lines.trace.types[size_t(lines.slots[line]) + place.number].shape[place.axis].word();
}

/// By two trips.
static Rule sizeRule(const Lines &lines, const Run &run, const SizePlace &place, size_t trip) {
  int64_t size = sizeAt(lines, run, place, trip), next = trip + 1 < run.trips ? sizeAt(lines, run, place, trip + 1) : size;
  return {size == next ? Rule::Same : Rule::Whole, size, next - size, 0};
}

size_t regularTrips(const Lines &lines, const Run &run, const SizePlace &place, size_t trip, size_t most) {
  Rule rule = sizeRule(lines, run, place, trip);
  size_t count = 1;
  while (count < most && sizeAt(lines, run, place, trip + count) == rule.start + int64_t(count) * rule.step) ++count;
  return std::min(count, most);
}

size_t regularTrips(const Lines &lines, const Run &run, size_t trip) {
  size_t most = run.trips - trip;
  for (size_t offset = 0; offset < run.period; ++offset) {
    NumberWords numbers = numbersOf(lines.ops[run.first + offset]);
    for (size_t word = numbers.first; word < numbers.last; ++word) most = Course(lines, run, offset, word).regular(trip, most);
  }
  for (const SizePlace &place : sizePlacesOf(lines, run)) most = regularTrips(lines, run, place, trip, most);
  return most;
}

bool TripSizes::find() {
  for (const SizePlace &place : places) {
    Rule rule = sizeRule(lines, run, place, 0);
    std::pair known(rule.start, rule.step);
    if (rule.kind != Rule::Same && std::ranges::find(rules, known) == rules.end()) rules.push_back(known);
  }
  for (auto [start, step] : rules) most.push_back(mostOf(start, step));
  return rules.size() <= size_t(kMostGiven);
}

Size TripSizes::sizeOf(const SizePlace &place) const {
  Rule rule = sizeRule(lines, run, place, 0);
  if (rule.kind == Rule::Same) return rule.start;
  return Size::symbol(std::ranges::find(rules, std::pair(rule.start, rule.step)) - rules.begin());
}

void TripSizes::put(size_t offset, std::vector<int64_t> &words, std::vector<TensorType> &types) const {
  auto at = std::ranges::lower_bound(places, offset, {}, &SizePlace::offset);
  for (; at != places.end() && at->offset == offset; ++at)
    if (at->isWord) words[at->number] = sizeOf(*at).word();
    else types[at->number].shape[at->axis] = sizeOf(*at);
}

/// What a size is a part of, if that is one size in all trips; else the most that it becomes.
int64_t TripSizes::mostOf(int64_t start, int64_t step) const {
  std::optional<int64_t> least;
  auto sizesIn = [&](size_t trip, size_t offset, bool isPart) -> const Shape & {
    size_t line = run.at(trip) + offset;
    const TraceOp &op = lines.ops[line];
    int64_t slot = !isPart ? op.operands[0] : op.op == Op::Slice ? lines.slots[line] : op.operands[1];
    return lines.trace.types[size_t(slot)].shape;
  };
  for (size_t offset = 0; offset < run.period; ++offset) {
    Op op = lines.ops[run.first + offset].op;
    if (op != Op::Slice && op != Op::Update) continue;
    const Shape &part = sizesIn(0, offset, true), &next = sizesIn(1, offset, true);
    const Shape &whole = sizesIn(0, offset, false), &nextWhole = sizesIn(1, offset, false);
    for (int i = 0; i < part.rank; ++i)
      if (part[i].is(start) && next[i].is(start + step) && whole[i] == nextWhole[i])
        least = std::min(least.value_or(whole[i].number()), whole[i].number());
  }
  return least ? *least : std::max(start, start + step * int64_t(run.trips - 1));
}

} // namespace kiln
