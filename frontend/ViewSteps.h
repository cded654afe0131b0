// How a write into a view reaches the array of its cell, for modes that know arrays as values of their own.
#pragma once

#include "frontend/Array.h"
#include "lib/Core/Ops.h"

#include <optional>

namespace kiln {

/// From the cell's array to the view.
inline std::vector<const ViewStep *> stepsTo(const Array &array) {
  std::vector<const ViewStep *> steps;
  for (const ViewStep *s = array.view.get(); s; s = s->from.get()) steps.push_back(s);
  return {steps.rbegin(), steps.rend()};
}

/// What the array behind a step becomes when the step's view becomes `content`; `seen` is what it was. `perform` gives the value of an
/// op over values with words. None for a step that repeats elements.
template <typename Value, typename Perform>
std::optional<Value> undone(const ViewStep &step, const Value &seen, const Dims &shapeSeen, const Value &content, const Perform &perform) {
  WordReader reader{step.words};
  std::vector<int64_t> words;
  auto value = [&](Op op, std::initializer_list<Value> operands) {
    return perform(op, std::span(operands.begin(), operands.size()), words);
  };
  switch (Op(step.op)) {
  case Op::Slice:
    appendWords(words, reader.dims());
    reader.dims();
    appendWords(words, reader.dims());
    return value(Op::Update, {seen, content});
  case Op::Reshape: appendWords(words, shapeSeen); return value(Op::Reshape, {content});
  case Op::Transpose: {
    Dims permutation = reader.dims(), inverse = permutation;
    for (int i = 0; i < permutation.rank; ++i) inverse[int(permutation[i])] = i;
    appendWords(words, inverse);
    return value(Op::Transpose, {content});
  }
  case Op::Real: return value(Op::Complex, {content, value(Op::Imag, {seen})});
  case Op::Imag: return value(Op::Complex, {value(Op::Real, {seen}), content});
  default: return std::nullopt;
  }
}

/// What the cell's array, which is `cell`, becomes when the view at the end of `steps` becomes `content`; `shapeOf` gives the shape of a
/// value.
template <typename Value, typename ShapeOf, typename Perform>
std::optional<Value> writtenThrough(std::span<const ViewStep *const> steps, const Value &cell, Value content, const ShapeOf &shapeOf,
                                    const Perform &perform) {
  std::vector<Value> seen = {cell};
  for (size_t i = 0; i + 1 < steps.size(); ++i) {
    Value next = perform(Op(steps[i]->op), std::span(&seen[i], 1), steps[i]->words);
    seen.push_back(std::move(next));
  }
  std::optional<Value> result = std::move(content);
  for (size_t i = steps.size(); result && i-- > 0;) result = undone(*steps[i], seen[i], shapeOf(seen[i]), *result, perform);
  return result;
}

} // namespace kiln
