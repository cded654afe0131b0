#include "lib/Core/PlanNumber.h"

#include "lib/Core/Error.h"

#include <algorithm>
#include <charconv>

namespace kiln {

PlanNumber PlanNumber::size(int64_t number) {
  PlanNumber result;
  result.words = {{Size, number}};
  return result;
}

/// None where 64 bits do not hold it.
std::optional<int64_t> PlanNumber::apply(Kind kind, int64_t x, int64_t y) {
  int64_t result = 0;
  switch (kind) {
  case Sum: return __builtin_add_overflow(x, y, &result) ? std::nullopt : std::optional(result);
  case Product: return __builtin_mul_overflow(x, y, &result) ? std::nullopt : std::optional(result);
  case Quotient: return x < 0 || y <= 0 ? std::nullopt : std::optional(x / y);
  case Least: return std::min(x, y);
  case Greatest: return std::max(x, y);
  default: return std::nullopt;
  }
}

int64_t PlanNumber::at(std::span<const int64_t> sizes) const {
  if (isConstant()) return constant();
  int64_t stack[kMostDepth];
  size_t depth = 0;
  for (Word word : words) {
    if (word.kind <= Size) {
      stack[depth++] = word.kind == Size ? sizes[size_t(word.value)] : word.value;
      continue;
    }
    auto result = apply(word.kind, stack[depth - 2], stack[depth - 1]);
    if (!result) fail(ErrorKind::Memory, "launch plan", "sizes", "ones whose arrays fit into memory", "larger ones");
    stack[--depth - 1] = *result;
  }
  return stack[0];
}

PlanNumber PlanNumber::join(Kind kind, const PlanNumber &x, const PlanNumber &y) {
  if (x.isConstant() && y.isConstant())
    if (auto known = apply(kind, x.constant(), y.constant())) return *known;
  if (kind == Sum && y == 0) return x;
  if (kind == Sum && x == 0) return y;
  if ((kind == Product || kind == Quotient) && y == 1) return x;
  if (kind == Product && x == 1) return y;
  if (kind == Product && (x == 0 || y == 0)) return 0;
  if (x == y && (kind == Least || kind == Greatest)) return x;
  PlanNumber result = x;
  result.words.insert(result.words.end(), y.words.begin(), y.words.end());
  result.words.push_back({kind, 0});
  return result;
}

PlanNumber operator+(const PlanNumber &x, const PlanNumber &y) { return PlanNumber::join(PlanNumber::Sum, x, y); }
PlanNumber operator*(const PlanNumber &x, const PlanNumber &y) { return PlanNumber::join(PlanNumber::Product, x, y); }
PlanNumber operator/(const PlanNumber &x, const PlanNumber &y) { return PlanNumber::join(PlanNumber::Quotient, x, y); }
PlanNumber PlanNumber::least(const PlanNumber &x, const PlanNumber &y) { return join(Least, x, y); }
PlanNumber PlanNumber::greatest(const PlanNumber &x, const PlanNumber &y) { return join(Greatest, x, y); }

std::string PlanNumber::text() const {
  std::string result;
  for (Word word : words) {
    if (!result.empty()) result += ',';
    if (word.kind == Constant) result += std::to_string(word.value);
    else if (word.kind == Size) result += 's' + std::to_string(word.value);
    else result += kLetters[word.kind];
  }
  return result;
}

static std::optional<int64_t> integerOf(std::string_view text) {
  int64_t value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size() ? std::optional(value) : std::nullopt;
}

std::optional<PlanNumber> PlanNumber::parse(const std::string &text, int64_t sizes) {
  PlanNumber result;
  result.words.clear();
  size_t depth = 0;
  for (size_t at = 0; at <= text.size();) {
    size_t end = std::min(text.find(',', at), text.size());
    std::string_view word(text.data() + at, end - at);
    at = end + 1;
    size_t kind = word.size() == 1 ? std::string_view(kLetters).find(word[0], Sum) : std::string_view::npos;
    if (kind != std::string_view::npos) {
      if (depth < 2) return std::nullopt;
      result.words.push_back({Kind(kind), 0}), --depth;
    } else {
      bool isSize = word.starts_with('s');
      auto value = integerOf(word.substr(isSize));
      if (!value || (isSize && (*value < 0 || *value >= sizes))) return std::nullopt;
      result.words.push_back({isSize ? Size : Constant, *value}), ++depth;
    }
    if (depth > kMostDepth || result.words.size() > kMostWords) return std::nullopt;
  }
  return depth == 1 ? std::optional(result) : std::nullopt;
}

} // namespace kiln
