// Numbers of a launch plan (lib/Core/LaunchPlan.h): constants, or what follows by arithmetic from the sizes that a call gives.
#pragma once

#include "lib/Core/Assert.h"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace kiln {

class PlanNumber {
public:
  PlanNumber(int64_t constant = 0) : words{{Constant, constant}} {}
  /// Size `number` of the call.
  static PlanNumber size(int64_t number);

  bool isConstant() const { return words.size() == 1 && words[0].kind == Constant; }
  /// The constant that it is.
  int64_t constant() const {
    KILN_ASSERT(isConstant(), "a number of a plan that is the same in every call");
    return words[0].value;
  }
  /// What it is for these sizes. Throws Error (memory) where that, or a number on the way, is more than 64 bits hold.
  int64_t at(std::span<const int64_t> sizes) const;

  friend PlanNumber operator+(const PlanNumber &x, const PlanNumber &y);
  friend PlanNumber operator*(const PlanNumber &x, const PlanNumber &y);
  /// Rounded down; of numbers of at least 0.
  friend PlanNumber operator/(const PlanNumber &x, const PlanNumber &y);
  static PlanNumber least(const PlanNumber &x, const PlanNumber &y);
  static PlanNumber greatest(const PlanNumber &x, const PlanNumber &y);

  /// One word of a file (docs/formats/launch-plan.md).
  std::string text() const;
  /// None for a text that is no number of a program with so many sizes.
  static std::optional<PlanNumber> parse(const std::string &text, int64_t sizes);
  bool operator==(const PlanNumber &) const = default;

  enum Kind : uint8_t { Constant, Size, Sum, Product, Quotient, Least, Greatest };
  struct Word {
    Kind kind;
    int64_t value; // of a constant, and which size
    bool operator==(const Word &) const = default;
  };
  /// Each operation behind its operands.
  std::span<const Word> all() const { return words; }

private:
  static constexpr size_t kMostWords = 1 << 16, kMostDepth = 64;
  static constexpr char kLetters[] = "  +*/<>"; // by kind
  std::vector<Word> words;

  static PlanNumber join(Kind kind, const PlanNumber &x, const PlanNumber &y);
  static std::optional<int64_t> apply(Kind kind, int64_t x, int64_t y);
};

} // namespace kiln
