#include "lib/Core/RollBody.h"

#include "lib/Core/Assert.h"
#include "lib/Core/Control.h"

#include <algorithm>
#include <cmath>

namespace kiln {

int64_t BodyWriter::apply(Op op, std::initializer_list<int64_t> operands, std::span<const int64_t> words) {
  return trace.addOp(op, std::span(operands.begin(), operands.size()), words);
}

int64_t BodyWriter::constant(int64_t value) {
  auto [known, isNew] = constants.try_emplace(value);
  int64_t words[] = {int64_t(DType::I64), value};
  if (isNew) known->second = trace.addOp(Op::Constant, {}, words);
  return known->second;
}

int64_t BodyWriter::cast(int64_t x, DType dtype) {
  int64_t word = int64_t(dtype);
  return trace.types[size_t(x)].dtype == dtype ? x : apply(Op::Cast, {x}, {&word, 1});
}

int64_t BodyWriter::numberOf(const std::shared_ptr<const Trace> &body) {
  for (size_t i = 0; i < trace.bodies.size(); ++i)
    if (trace.bodies[i] == body || *trace.bodies[i] == *body) return int64_t(i);
  trace.bodies.push_back(body);
  return int64_t(trace.bodies.size()) - 1;
}

/// Numbers as an int64 array of one axis: each is chosen where the position is its own.
int64_t BodyWriter::vectorOf(std::span<const Number> numbers) {
  auto [known, isNew] = vectors.try_emplace({numbers.begin(), numbers.end()});
  if (!isNew) return known->second;
  int64_t rank = int64_t(numbers.size());
  int64_t wide[] = {0, 1, rank}, iota[] = {0, int64_t(DType::I64), 1, rank};
  auto everywhere = [&](int64_t scalar) { return apply(Op::Broadcast, {scalar}, wide); };
  auto valueOf = [&](const Number &n) { return n.slot < 0 ? constant(n.fixed) : n.slot; };
  int64_t result = everywhere(valueOf(numbers[0]));
  int64_t position = rank > 1 ? apply(Op::Iota, {}, iota) : -1;
  for (int64_t i = 1; i < rank; ++i) {
    int64_t isBefore = apply(Op::Less, {position, everywhere(constant(i))});
    result = apply(Op::Select, {isBefore, result, everywhere(valueOf(numbers[size_t(i)]))});
  }
  return vectors[{numbers.begin(), numbers.end()}] = result;
}

namespace {

/// A part of an array in steps, as the part without steps that it lies in, and where it lies in that.
struct Covered {
  std::vector<Number> starts;
  Dims inner, sizes;
  bool hasSteps = false;

  Covered(BodyWriter &w, std::span<const Number> given, const Dims &counts, const Dims &steps) : starts(given.begin(), given.end()) {
    for (int i = 0; i < counts.rank; ++i) {
      int64_t last = std::max<int64_t>(counts[i] - 1, 0) * steps[i];
      hasSteps |= steps[i] != 1;
      sizes.push(counts[i] ? std::abs(last) + 1 : 0);
      inner.push(last < 0 ? -last : 0);
      if (last >= 0) continue;
      Number &start = starts[size_t(i)];
      start = start.slot < 0 ? Number{start.fixed + last} : Number{0, w.plus(start.slot, last)};
    }
  }
};

std::vector<int64_t> wordsOf(std::initializer_list<Dims> lists) {
  std::vector<int64_t> words;
  for (const Dims &list : lists) appendWords(words, list);
  return words;
}

} // namespace

/// Steps of 1: else the part without steps has yet another size.
static void checkPlain(const Dims &steps) {
  for (int64_t step : steps)
    if (step != 1) throw Error(ErrorKind::Trace, "a slice in steps has other sizes");
}

int64_t BodyWriter::slice(std::span<const int64_t> given, int64_t x, std::span<const Number> starts) {
  WordReader words{given};
  words.dims();
  Shape sizes = words.sizes("slice", trace.symbols);
  Dims steps = words.dims();
  if (!sizes.isStatic()) return openSlice(x, starts, sizes, steps);
  Covered part(*this, starts, sizes.numbers(), steps);
  int64_t whole = apply(Op::DynamicSlice, {x, vectorOf(part.starts)}, wordsOf({part.sizes}));
  return part.hasSteps ? apply(Op::Slice, {whole}, wordsOf({part.inner, sizes.numbers(), steps})) : whole;
}

/// The part without steps, of which axes with steps are still whole; then these, as elements at positions.
int64_t BodyWriter::openSlice(int64_t x, std::span<const Number> starts, const Shape &sizes, const Dims &steps) {
  std::vector<Number> from(starts.begin(), starts.end());
  std::vector<int64_t> words;
  Shape whole = sizes;
  for (int i = 0; i < sizes.rank; ++i)
    if (steps[i] != 1) whole[i] = trace.types[size_t(x)].shape[i], from[size_t(i)] = {};
  appendWords(words, whole);
  int64_t result = whole == trace.types[size_t(x)].shape ? x : apply(Op::DynamicSlice, {x, vectorOf(from)}, words);
  for (int64_t i = 0; i < sizes.rank; ++i) {
    if (steps[int(i)] == 1) continue;
    const Number &start = starts[size_t(i)];
    int64_t size = sizes[int(i)].word(), iota[] = {0, int64_t(DType::I64), 1, size}, wide[] = {0, 1, size};
    auto everywhere = [&](int64_t scalar) { return apply(Op::Broadcast, {scalar}, wide); };
    int64_t way = apply(Op::Multiply, {apply(Op::Iota, {}, iota), everywhere(constant(steps[int(i)]))});
    int64_t positions = apply(Op::Add, {everywhere(start.slot < 0 ? constant(start.fixed) : start.slot), way});
    result = apply(Op::Gather, {result, positions}, {&i, 1});
  }
  return result;
}

int64_t BodyWriter::update(std::span<const int64_t> given, int64_t x, int64_t value, std::span<const Number> starts) {
  WordReader words{given};
  words.dims();
  Dims steps = words.dims();
  const Shape &sizes = trace.types[size_t(value)].shape;
  if (!sizes.isStatic()) {
    checkPlain(steps);
    return apply(Op::DynamicUpdate, {x, value, vectorOf(starts)});
  }
  Covered part(*this, starts, sizes.numbers(), steps);
  int64_t at = vectorOf(part.starts);
  if (part.hasSteps) {
    int64_t old = apply(Op::DynamicSlice, {x, at}, wordsOf({part.sizes}));
    value = apply(Op::Update, {old, value}, wordsOf({part.inner, steps}));
  }
  return apply(Op::DynamicUpdate, {x, value, at});
}

/// Whether it is a slice in steps that has sizes which are computed.
static bool hasOpenSteps(const TraceOp &op, std::span<const int64_t> given, std::span<const TensorType> types) {
  if (op.op != Op::Slice || types[0].shape.isStatic()) return false;
  return std::ranges::any_of(given.last(size_t(types[0].shape.rank)), [](int64_t step) { return step != 1; });
}

int64_t BodyWriter::write(const Trace &from, const TraceOp &op, std::span<const int64_t> given, std::span<const TensorType> types,
                          std::span<const int64_t> operands, std::span<const Number> numbers) {
  if (std::ranges::any_of(numbers, [](const Number &n) { return n.slot >= 0; }) || hasOpenSteps(op, given, types)) {
    int64_t result = op.op == Op::Constant ? numbers[0].slot
                     : op.op == Op::Slice  ? slice(given, operands[0], numbers)
                                           : update(given, operands[0], operands[1], numbers);
    KILN_ASSERT(trace.types[size_t(result)] == types[0], "the type of the operation that is written");
    return result;
  }
  std::vector<int64_t> words(given.begin(), given.end());
  size_t next = numbersOf(op).first;
  for (const Number &n : numbers) words[next++] = n.fixed;
  if (info(op.op).kind == Kind::Control) {
    std::vector<int64_t> bodies;
    for (int64_t number : bodyNumbers(info(op.op), op.words)) bodies.push_back(numberOf(from.bodies[size_t(number)]));
    words = withBodies(info(op.op), words, bodies);
  }
  return trace.isOpen() ? trace.addOpen(op.op, operands, words, types) : trace.append(op.op, operands, words, types);
}

} // namespace kiln
