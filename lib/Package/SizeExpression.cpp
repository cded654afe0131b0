#include "lib/Package/SizeExpression.h"

#include <algorithm>

namespace kiln {

using Step = SizeExpression::Step;

constexpr size_t kMostItems = 256;

SizeExpression SizeExpression::of(const SizeExpression &a, Step step, const SizeExpression &b) {
  SizeExpression result = a;
  result.items.insert(result.items.end(), b.items.begin(), b.items.end());
  result.items.push_back({step});
  return result;
}

bool isValid(const SizeExpression &expression, size_t dimensions) {
  size_t depth = 0;
  if (expression.items.size() > kMostItems) return false;
  for (const SizeExpression::Item &item : expression.items) {
    if (item.step == Step::Dimension && (item.value < 0 || size_t(item.value) >= dimensions)) return false;
    if (item.step <= Step::Dimension) ++depth;
    else if (item.step > Step::Minimum || depth-- < 2) return false;
  }
  return depth == 1;
}

/// False where there is no value.
static bool apply(Step step, int64_t a, int64_t b, int64_t &result) {
  switch (step) {
  case Step::Add: return !__builtin_add_overflow(a, b, &result);
  case Step::Multiply: return !__builtin_mul_overflow(a, b, &result);
  case Step::Maximum: return result = std::max(a, b), true;
  case Step::Minimum: return result = std::min(a, b), true;
  default:
    if (b <= 0) return false;
    result = a / b - (a % b < 0);
    return true;
  }
}

std::optional<int64_t> evaluate(const SizeExpression &expression, std::span<const int64_t> sizes) {
  std::vector<int64_t> stack;
  for (const SizeExpression::Item &item : expression.items) {
    if (item.step <= Step::Dimension) {
      stack.push_back(item.step == Step::Number ? item.value : sizes[size_t(item.value)]);
      continue;
    }
    int64_t b = stack.back(), result;
    stack.pop_back();
    if (!apply(item.step, stack.back(), b, result)) return std::nullopt;
    stack.back() = result;
  }
  return stack.back();
}

std::string toString(const SizeExpression &expression, std::span<const std::string> names) {
  struct Part {
    std::string text;
    int binding; // of its last operator: 0 a sum, 1 a product or quotient, 2 a single thing
  };
  std::vector<Part> stack;
  auto inside = [](const Part &part, int least) { return part.binding < least ? "(" + part.text + ")" : part.text; };
  for (const SizeExpression::Item &item : expression.items) {
    if (item.step <= Step::Dimension) {
      bool isNegative = item.step == Step::Number && item.value < 0;
      stack.push_back({item.step == Step::Number ? std::to_string(item.value) : names[size_t(item.value)], isNegative ? 0 : 2});
      continue;
    }
    Part b = stack.back();
    stack.pop_back();
    Part &a = stack.back();
    if (item.step == Step::Add) a = {a.text + (b.text[0] == '-' ? " - " + b.text.substr(1) : " + " + b.text), 0};
    else if (item.step == Step::Multiply) a = {inside(a, 1) + " * " + inside(b, 2), 1};
    else if (item.step == Step::FloorDivide) a = {inside(a, 1) + " // " + inside(b, 2), 1};
    else a = {(item.step == Step::Maximum ? "max(" : "min(") + a.text + ", " + b.text + ")", 2};
  }
  return stack.back().text;
}

} // namespace kiln
