// Sizes of programs, which may be for any size. What stands for a number that only a call knows cannot be taken for one, nor compared with
// one by order; what computes with sizes says what it does where they are open.
#pragma once

#include "lib/Core/Assert.h"
#include "lib/Core/Dims.h"

#include <limits>
#include <optional>

namespace kiln {

/// The most symbols of a program.
inline constexpr int64_t kMostSymbols = int64_t(1) << 20;
/// Symbols of a program of fixed sizes.
inline constexpr int64_t kNoSymbols = -1;

/// A size of an array, or a position that follows from one: a constant, a symbol that stands for a number of the call, or what a rule
/// derives from symbols by arithmetic, of which nothing is known. One word, so that a list of sizes costs what one of numbers does.
class Size {
public:
  constexpr Size() = default;
  /// A constant. Throws Error (shape) for one below 0.
  constexpr Size(int64_t number) : bits(number) {
    if (number < 0) failNegative(number);
  }
  static constexpr Size symbol(int64_t number) {
    KILN_ASSERT(number >= 0, "a symbol of at least 0");
    return Size(-1 - number, Raw());
  }
  static constexpr Size derived() { return Size(kDerived, Raw()); }
  /// As traces, files and attributes say it, of a program with so many symbols; none for a word that is no size of it.
  static constexpr std::optional<Size> ofWord(int64_t word, int64_t symbols) {
    if (word < 0 && (word < -symbols || symbols < 0)) return std::nullopt;
    return Size(word, Raw());
  }
  constexpr int64_t word() const {
    KILN_ASSERT(!isDerived(), "a size that a program says");
    return bits;
  }

  constexpr bool isConstant() const { return bits >= 0; }
  constexpr bool isSymbol() const { return bits < 0 && bits != kDerived; }
  constexpr bool isDerived() const { return bits == kDerived; }
  /// Whether it is this number in every call.
  constexpr bool is(int64_t number) const { return isConstant() && bits == number; }
  constexpr int64_t number() const {
    KILN_ASSERT(isConstant(), "a size that is the same in every call");
    return bits;
  }
  /// A symbol as `count` further ones stand in front of it, or are no more there; any other size as it is.
  constexpr Size shifted(int64_t count) const { return isSymbol() ? Size::symbol(-1 - bits + count) : *this; }
  constexpr int64_t symbol() const {
    KILN_ASSERT(isSymbol(), "a size that the call tells");
    return -1 - bits;
  }
  /// Whether they are the same constant or symbol. Of derived sizes nobody knows, so that none is equal to any.
  constexpr bool operator==(Size other) const { return bits == other.bits && !isDerived(); }
  /// For sorted lists and tables: constants, then symbols, by number.
  static constexpr bool isBefore(Size a, Size b) {
    if (a.isConstant() != b.isConstant()) return a.isConstant();
    return a.isConstant() ? a.bits < b.bits : a.bits > b.bits;
  }

private:
  friend struct Shape;
  [[noreturn]] static void failNegative(int64_t number);
  static constexpr int64_t kDerived = std::numeric_limits<int64_t>::min();
  struct Raw {};
  constexpr Size(int64_t bits, Raw) : bits(bits) {}
  int64_t bits; // that of symbol s: -1 - s; not set where it is a list's that is made
};

/// The sizes of an array of a program.
struct Shape : InlineList<Size> {
  Shape() = default;
  Shape(std::initializer_list<Size> list) {
    for (Size size : list) push(size);
  }
  /// Those of an array that is there: a copy, which recording makes for every operation.
  Shape(const Dims &numbers) {
    take(numbers);
    int64_t signs = 0;
    for (int64_t number : numbers) signs |= number;
    if (signs < 0) Size::failNegative(signs);
  }
  explicit Shape(std::span<const Size> list) {
    for (Size size : list) push(size);
  }
  /// Throws Error (shape) that names `op` for a word that is no size of a program with so many symbols.
  static Shape ofWords(const char *op, std::span<const int64_t> words, int64_t symbols);

  bool operator==(const Shape &other) const { return InlineList::operator==(other); }
  bool isStatic() const {
    bool isOpen = false;
    for (Size size : *this) isOpen |= !size.isConstant();
    return !isOpen;
  }
  /// The sizes must be static.
  Dims numbers() const {
    KILN_ASSERT(isStatic(), "sizes that are the same in every call");
    Dims result;
    result.take(*this);
    return result;
  }
};
static_assert(sizeof(Shape) == sizeof(Dims));

/// Number of elements; the sizes must be static.
inline int64_t numElements(const Shape &shape) {
  int64_t n = 1;
  for (Size size : shape) n *= size.number();
  return n;
}
std::string toString(Size size);          // 3, or s0
std::string toString(const Shape &shape); // (s0, 4)

} // namespace kiln
