// Whole numbers that follow from sizes that a caller chooses.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace kiln {

/// A whole number that follows from the dimensions of an entry, in postfix order: `{{Dimension, 0}, {Number, 3}, {FloorDivide, 0}}` is n
/// // 3.
struct SizeExpression {
  enum class Step : uint8_t { Number, Dimension, Add, Multiply, FloorDivide, Maximum, Minimum };
  struct Item {
    Step step;
    int64_t value = 0; // the number, or the place of the dimension
    bool operator==(const Item &) const = default;
  };
  std::vector<Item> items;

  static SizeExpression number(int64_t value) { return {{{Step::Number, value}}}; }
  static SizeExpression dimension(int64_t place) { return {{{Step::Dimension, place}}}; }
  static SizeExpression of(const SizeExpression &a, Step step, const SizeExpression &b);
  bool operator==(const SizeExpression &) const = default;
};

/// Whether an expression is well formed over `dimensions` sizes, and no longer than any that is made here.
bool isValid(const SizeExpression &expression, size_t dimensions);
/// Its value; none where a step overflows or divides by a number that is not positive. The expression must be valid for the sizes.
std::optional<int64_t> evaluate(const SizeExpression &expression, std::span<const int64_t> sizes);
/// As Python writes it: "n // 3 + 1".
std::string toString(const SizeExpression &expression, std::span<const std::string> names);

} // namespace kiln
