#include "frontend/AcceleratedForms.h"

#include "frontend/Eager.h"
#include "frontend/OpsShared.h"

#include <algorithm>

namespace kiln {

int64_t Small::add(const Array &x) {
  if (!deviceOf(x) && x.shape.rank) return addNumber(x, x.type());
  arguments.push_back(argumentOf(x));
  return trace.addInput(x.type(), x.isContiguous ? Dims() : x.strides);
}

int64_t Small::addWhole(const Array &x, const TensorType &type) {
  arguments.push_back(argumentOf(x));
  return trace.addInput(type);
}

int64_t Small::addNumber(const Array &x, const TensorType &type) {
  int64_t number = addWhole(x, {type.dtype, {}});
  std::vector<int64_t> words;
  appendWords(words, Dims()), appendWords(words, type.shape);
  return trace.append(Op::Broadcast, std::array{number}, words, type);
}

int64_t Small::addStrided(const Array &x, const TensorType &type, const Dims &strides) {
  arguments.push_back(argumentOf(x));
  return trace.addInput(type, strides);
}

std::vector<int64_t> Small::key() const {
  std::vector<int64_t> words = trace.words;
  words.insert(words.end(), trace.outputs.begin(), trace.outputs.end());
  words.push_back(trace.replaces.empty() ? -1 : trace.replaces[0]);
  return words;
}

namespace {

/// What elements are to an operation that moves them alone.
DType movedAs(DType dtype) {
  switch (byteSize(dtype)) {
  case 1: return DType::U8;
  case 2: return DType::U16;
  case 4: return DType::U32;
  default: return DType::U64;
  }
}

/// As it is.
Small plainForm(const Operation &o) {
  Small program;
  std::vector<int64_t> slots;
  for (const Array *operand : o.operands) slots.push_back(program.add(*operand));
  program.finish(o.op, slots, o.words, o.type);
  return program;
}

class Elementwise {
public:
  explicit Elementwise(const Operation &o)
      : o(o), isMove(o.op == Op::Cast && o.operands[0]->dtype == o.type.dtype), nest(eager::coalesce(o.type.shape.numbers(), inputsOf(o))) {
    words.assign(o.words.begin(), o.words.end());
    if (isMove) words = {int64_t(movedAs(o.type.dtype))};
    while (nest.shape.rank > 1 && nest.shape[0] == 1 && isLine()) dropFirst();
    if (isMove && nest.shape.rank == 3) nest.shape.insert(0, 1), nest.strides[0].insert(0, 0); // kernels of moves have two axes or four
  }

  Small run() {
    Small program;
    std::vector<int64_t> slots;
    for (size_t k = 0; k < o.operands.size(); ++k) slots.push_back(add(program, k));
    program.finish(o.op, slots, words, {isMove ? movedAs(o.type.dtype) : o.type.dtype, nest.shape});
    return program;
  }

  /// More than kernels have, and a copy may bring fewer.
  bool hasManyAxes() const { return !isMove && nest.shape.rank > 2; }

  static bool takes(const Operation &o) {
    auto isReal = [](const Array *x) { return !isComplex(x->dtype); };
    return info(o.op).kind == Kind::Elementwise && o.operands.size() <= size_t(eager::kMostInputs) &&
           std::ranges::all_of(o.operands, isReal) && !isComplex(o.type.dtype);
  }

private:
  const Operation &o;
  bool isMove;
  eager::Nest nest;
  std::vector<int64_t> words;

  static std::vector<eager::Input> inputsOf(const Operation &o) {
    std::vector<eager::Input> inputs;
    for (const Array *x : o.operands) inputs.push_back({x->data(), x->dtype, broadcastStrides(*x, o.type.shape.numbers())});
    return inputs;
  }
  bool isOne() const { return nest.shape[nest.shape.rank - 1] == 1; }
  int64_t step(size_t k) const { return isOne() ? 1 : nest.strides[k][nest.shape.rank - 1]; }
  /// Whether each operand lies step by step or is one element, as kernels of one axis have it.
  bool isLine() const {
    bool isStep[eager::kMostInputs] = {};
    for (size_t k = 0; k < o.operands.size(); ++k) {
      if (step(k) != 0 && step(k) != 1) return false;
      isStep[k] = step(k) == 1;
    }
    if (o.operands.size() == 1) return isMove || isStep[0];
    return o.operands.size() == 2 ? isStep[0] || isStep[1] : isStep[0];
  }
  void dropFirst() {
    nest.shape.erase(0);
    for (size_t k = 0; k < o.operands.size(); ++k) nest.strides[k].erase(0);
  }
  int64_t add(Small &program, size_t k) const {
    const Array &x = *o.operands[k];
    TensorType type{isMove ? movedAs(x.dtype) : x.dtype, nest.shape};
    if (nest.shape.rank > 1) return program.addStrided(x, type, nest.strides[k]);
    return step(k) ? program.addWhole(x, type) : program.addNumber(x, type);
  }
};

/// Sizes whose kernels differ much from those for any: many short lines, or few long ones.
bool areSpecial(int64_t lines, int64_t size) {
  constexpr int64_t kShort = 1024, kMany = 1 << 14, kFew = 1024, kLong = 1 << 14;
  return (size <= kShort && lines >= kMany) || (lines > 1 && lines <= kFew && size >= kLong);
}

/// Row-major arrays as what is before an axis, the axis, and what is behind it; without the outer ones where they are of one element.
struct Lines {
  Shape shape;
  int64_t axis = 0;

  Lines(const Shape &from, int first, int last) {
    int64_t outer = 1, size = 1, inner = 1;
    for (int i = 0; i < from.rank; ++i) (i < first ? outer : i > last ? inner : size) *= from[i].number();
    if (outer != 1 || inner != 1) shape.push(outer), axis = 1;
    shape.push(size);
    if (inner != 1) shape.push(inner);
  }
};

Shape without(Shape shape, int64_t axis) {
  shape.erase(int(axis));
  return shape;
}

bool isAlongAxis(Kind kind) { return kind == Kind::Reduce || kind == Kind::Argreduce || kind == Kind::Scan || kind == Kind::Sort; }

/// Of one operand that is row by row, along one axis or some that lie beside each other.
std::optional<Small> alongAxis(const Operation &o) {
  Kind kind = info(o.op).kind;
  bool isReduction = kind == Kind::Reduce;
  if (!isAlongAxis(kind)) return std::nullopt;
  const Array &x = *o.operands[0];
  if (!x.isContiguous || !x.shape.rank || isComplex(x.dtype) || hasSeveralRuns(o)) return std::nullopt;
  WordReader reader{o.words};
  Dims axes = isReduction ? reader.dims() : Dims{o.words[0]};
  if (!axes.rank) return std::nullopt;
  Lines lines(x.shape, int(axes[0]), int(axes[axes.rank - 1]));
  std::vector<int64_t> words(o.words.begin(), o.words.end());
  if (isReduction) words = {1, lines.axis};
  else words[0] = lines.axis;
  bool isLess = isReduction || kind == Kind::Argreduce;
  Small program;
  int64_t size = lines.shape[int(lines.axis)].number();
  program.isOwn = isLess && lines.axis + 1 == lines.shape.rank && areSpecial(x.size() / size, size);
  int64_t slot = program.addWhole(x, {x.dtype, lines.shape});
  program.finish(o.op, {&slot, 1}, words, {o.type.dtype, isLess ? without(lines.shape, lines.axis) : lines.shape});
  return program;
}

std::optional<Small> iota(const Operation &o) {
  if (o.op != Op::Iota || !o.type.shape.rank) return std::nullopt;
  Lines lines(o.type.shape, int(o.words[0]), int(o.words[0]));
  std::vector<int64_t> words = {lines.axis, o.words[1]};
  appendWords(words, lines.shape);
  Small program;
  program.finish(o.op, {}, words, {o.type.dtype, lines.shape});
  return program;
}

/// Rows of positions, as many before and behind as there are.
std::optional<Small> gather(const Operation &o) {
  if (o.op != Op::Gather) return std::nullopt;
  const Array &x = *o.operands[0], &indices = *o.operands[1];
  if (!x.isContiguous || !indices.isContiguous || indices.dtype != DType::I64 || isComplex(x.dtype)) return std::nullopt;
  Lines lines(x.shape, int(o.words[0]), int(o.words[0]));
  DType dtype = movedAs(x.dtype);
  Shape shape = lines.shape;
  shape[int(lines.axis)] = indices.size();
  Small program;
  int64_t slots[] = {program.addWhole(x, {dtype, lines.shape}), program.addWhole(indices, {DType::I64, {indices.size()}})};
  program.finish(o.op, slots, {&lines.axis, 1}, {dtype, shape});
  return program;
}

std::optional<Small> concat(const Operation &o) {
  if (o.op != Op::Concat || isComplex(o.type.dtype)) return std::nullopt;
  if (!std::ranges::all_of(o.operands, [](const Array *x) { return x->isContiguous; })) return std::nullopt;
  // Whether there is something before or behind the axis is the same for all.
  Lines all(o.type.shape, int(o.words[0]), int(o.words[0]));
  DType dtype = movedAs(o.type.dtype);
  Small program;
  std::vector<int64_t> slots;
  for (const Array *x : o.operands) slots.push_back(program.addWhole(*x, {dtype, Lines(x->shape, int(o.words[0]), int(o.words[0])).shape}));
  program.finish(o.op, slots, {&all.axis, 1}, {dtype, all.shape});
  return program;
}

} // namespace

/// Whether a copy has as many elements as are shown.
static bool isOnce(const Array &x) {
  for (int i = 0; i < x.shape.rank; ++i)
    if (x.strides[i] == 0 && x.shape[i] > 1) return false;
  return true;
}

std::optional<size_t> operandToCopy(const Operation &o) {
  bool isElementwise = Elementwise::takes(o) && Elementwise(o).hasManyAxes();
  if ((!isElementwise && !isAlongAxis(info(o.op).kind)) || isComplex(o.operands[0]->dtype)) return std::nullopt;
  std::optional<size_t> first;
  for (size_t i = o.operands.size(); i-- > 0;) {
    if (!isOnce(*o.operands[i])) return std::nullopt;
    if (!o.operands[i]->isContiguous) first = i;
  }
  return first;
}

bool hasSeveralRuns(const Operation &o) {
  if (info(o.op).kind != Kind::Reduce) return false;
  Dims axes = WordReader{o.words}.dims();
  for (int i = 1; i < axes.rank; ++i)
    if (axes[i] != axes[i - 1] + 1) return true;
  return false;
}

Small formOf(const Operation &o) {
  bool hasAll = std::ranges::all_of(o.operands, [](const Array *x) { return x->size() > 0; });
  if (!hasAll) return plainForm(o);
  if (Elementwise::takes(o)) return Elementwise(o).run();
  for (auto form : {alongAxis, iota, gather, concat, productForm})
    if (auto program = form(o)) return std::move(*program);
  return plainForm(o);
}

} // namespace kiln
