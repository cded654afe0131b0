// Sizes in a program for any size. In a trace a symbol is a negative word (Types.h); here it cannot be taken for a number.
#pragma once

#include "lib/Core/Assert.h"
#include "lib/Core/Types.h"

#include <compare>

namespace kiln {

/// A size of an array, or a position that follows from one: a constant, or a symbol that stands for a number of the call.
class Size {
public:
  Size() = default;
  static Size constant(int64_t number) { return {Form::Constant, number}; }
  static Size symbol(int64_t number) { return {Form::Symbol, number}; }
  /// As a trace says it.
  static Size ofWord(int64_t word) { return kiln::isSymbol(word) ? symbol(-1 - word) : constant(word); }
  int64_t word() const { return isSymbol() ? -1 - value : value; }

  bool isConstant() const { return form == Form::Constant; }
  bool isSymbol() const { return form == Form::Symbol; }
  /// Whether it is this number in every call.
  bool is(int64_t number) const { return isConstant() && value == number; }
  int64_t number() const {
    KILN_ASSERT(isConstant(), "a size that is the same in every call");
    return value;
  }
  int64_t symbol() const {
    KILN_ASSERT(isSymbol(), "a size that the call tells");
    return value;
  }
  auto operator<=>(const Size &) const = default;

private:
  enum class Form : uint8_t { Constant, Symbol };
  Size(Form form, int64_t value) : form(form), value(value) {}
  Form form = Form::Constant;
  int64_t value = 0;
};

/// The sizes of an array.
struct Shape : InlineList<Size> {
  Shape() = default;
  static Shape ofWords(const Dims &words) {
    Shape shape;
    for (int64_t word : words) shape.push(Size::ofWord(word));
    return shape;
  }
  Dims words() const {
    Dims result;
    for (Size size : *this) result.push(size.word());
    return result;
  }
  bool isStatic() const {
    for (Size size : *this)
      if (!size.isConstant()) return false;
    return true;
  }
};

inline std::string toString(const Shape &shape) { return toString(shape.words()); }

} // namespace kiln
