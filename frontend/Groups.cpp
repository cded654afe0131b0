#include "frontend/Groups.h"

#include "frontend/rules/Formula.h"

#include <algorithm>
#include <cstring>
#include <string>
#include <string_view>
#include <unordered_map>

namespace kiln {

using namespace rules;

Answers answersOf(const Array &values) {
  std::unordered_map<std::string_view, size_t> known;
  std::vector<std::vector<int64_t>> groups;
  int64_t count = values.shape[0], bytes = values.size() / count * byteSize(values.dtype);
  for (int64_t i = 0; i < count; ++i) {
    auto [at, isNew] = known.try_emplace({values.data() + i * bytes, size_t(bytes)}, groups.size());
    if (isNew) groups.emplace_back();
    groups[at->second].push_back(i);
  }
  if (groups.size() > 1) return {std::nullopt, std::move(groups), {}};
  Array one = values;
  one.shape.erase(0);
  one.strides.erase(0);
  one.mark = {};
  one.view = nullptr;
  one.updateContiguous();
  return {copyOfMemory(one), {}, {}};
}

namespace {

constexpr const char *kHowMany = ", by examples of a batch: at most how many";
constexpr int64_t kMostAnswers = 8, kLevelBits = 6; // the levels of so many are one word

/// A word that the program goes on by: with an axis, as a number without one may be told where nothing is known to depend on it.
int64_t asked(const Array &word, const std::string &why) {
  Array host = contiguous(kiln::leave(kiln::reshape(word, {1}), why.c_str(), Leaving::Read));
  int64_t value;
  std::memcpy(&value, host.data(), sizeof value);
  return value;
}

Array times(const Array &x, int64_t number) { return x * filled(x, {}, number); }

/// 0 of 0; else the exponent of the least power of two from 2 on that is no less than each of the counts.
Array levelsOf(const Array &counts) {
  auto number = [&](int64_t value) { return filled(counts, {}, value); };
  Array bits = call(Op::Maximum, {counts - number(1), number(1)});
  for (int64_t by = 1; by < 64; by *= 2) bits = call(Op::BitwiseOr, {bits, call(Op::BitwiseRightShift, {bits, number(by)})});
  return choose(call(Op::Greater, {counts, number(0)}), cast(call(Op::BitwiseCount, {bits}), DType::I64), number(0));
}

/// Of the lowest level in a word of them.
int64_t capacityOf(int64_t word) {
  int64_t level = word & ((1 << kLevelBits) - 1);
  return level ? int64_t(1) << level : 0;
}

/// How many rows groups have, of `size` examples altogether, by their levels, which are asked for: 0, or a power of two from 2 on, but no
/// more than all.
std::vector<int64_t> askedCapacities(const Array &levels, size_t groups, int64_t size, const std::string &why) {
  std::vector<int64_t> capacities;
  for (int64_t word = asked(levels, why); capacities.size() < groups; word >>= kLevelBits)
    capacities.push_back(std::min(capacityOf(word), size));
  return capacities;
}

/// Where a mask is true, and its first such position behind them.
Array rowsOf(const Array &mask, int64_t capacity) {
  Array found = kiln::apply(Op::Nonzero, {&mask}, {&capacity, 1}, {DType::I64, {capacity}});
  Array first = broadcastTo(part(found, 0, 0, 1), {capacity});
  return choose(call(Op::Less, {found, zerosLike(found)}), first, found);
}

Array joined(std::initializer_list<Array> parts) {
  std::vector<const Array *> pointers;
  for (const Array &a : parts) pointers.push_back(&a);
  return kiln::concat(pointers, 0);
}

/// What all examples answer, of the host, as one of them has it.
Answers agreedOn(int64_t bits, const Array &example) {
  Paused paused;
  return {kiln::reshape(kiln::cast(constantArray(DType::I64, {bits, 0}), example.dtype), example.shape), {}, {}};
}

Answers truthsOf(const Array &truths, const Array &example, const std::string &why) {
  int64_t size = truths.shape[0];
  Array trues = rules::sum(cast(truths, DType::I64), {0}), falses = filled(trues, {}, size) - trues;
  Array levels = levelsOf(falses) + times(levelsOf(trues), 1 << kLevelBits);
  std::vector<int64_t> rows = askedCapacities(levels, 2, size, why + kHowMany + " say False, and how many True");
  if (!rows[0] || !rows[1]) return agreedOn(rows[1] > 0, example);
  return {std::nullopt, {}, {rowsOf(call(Op::LogicalNot, {truths}), rows[0]), rowsOf(truths, rows[1])}};
}

std::optional<Answers> integersOf(const Array &integers, const Array &example, const std::string &why) {
  int64_t size = integers.shape[0];
  Array sorted = alongAxis(Op::Sort, integers, 0);
  Array differs = call(Op::NotEqual, {part(sorted, 0, 1, size - 1), part(sorted, 0, 0, size - 1)});
  Array starts = joined({cast(filled(sorted, {1}, 1), DType::Bool), differs});
  int64_t groups = asked(rules::sum(cast(starts, DType::I64), {0}), why + ", by examples of a batch: how many different ones");
  if (groups > kMostAnswers) return std::nullopt;
  Array at = kiln::apply(Op::Nonzero, {&starts}, {&groups, 1}, {DType::I64, {groups}}), values = kiln::gather(sorted, at, 0);
  std::vector<int64_t> numbers;
  for (int64_t i = 0; i < groups; ++i) numbers.push_back(asked(part(values, 0, i, 1), why + ", by examples of a batch"));
  if (groups == 1) return agreedOn(numbers[0], example);
  Array ends = joined({part(at, 0, 1, groups - 1), filled(at, {1}, size)});
  Array places = times(positions(at, {groups}, 0), kLevelBits);
  Array levels = rules::sum(call(Op::BitwiseLeftShift, {levelsOf(ends - at), places}), {0});
  std::vector<int64_t> rows = askedCapacities(levels, numbers.size(), size, why + kHowMany + " give each");
  Answers result;
  for (size_t i = 0; i < numbers.size(); ++i)
    result.rows.push_back(rowsOf(rules::equal(integers, filled(integers, {}, numbers[i])), rows[i]));
  return result;
}

} // namespace

std::optional<Answers> answersApart(const Array &values, const Array &example, const char *why) {
  int64_t size = values.shape[0];
  if (size < 2 || values.size() != size) return std::nullopt;
  Array flat = kiln::reshape(values, {size});
  if (values.dtype == DType::Bool) return truthsOf(flat, example, why);
  if (!isInteger(values.dtype)) return std::nullopt;
  return integersOf(cast(flat, DType::I64), example, why);
}

std::optional<std::vector<int64_t>> sizesOfGroups(const std::string &why, const std::string &bits) {
  if (why.find(kHowMany) == std::string::npos) return std::nullopt;
  int64_t word;
  std::memcpy(&word, bits.data(), sizeof word);
  std::vector<int64_t> sizes;
  for (; word || sizes.size() < 2; word >>= kLevelBits) sizes.push_back(capacityOf(word));
  return sizes;
}

} // namespace kiln
