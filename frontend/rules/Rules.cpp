#include "frontend/rules/Rules.h"

#include "frontend/Transform.h"
#include "frontend/rules/Table.h"

#include <algorithm>

namespace kiln::rules {
namespace {

Array batchElementwise(const Batched &o, const RuleRecord &);
Array batchShifted(const Batched &o, const RuleRecord &record);

#include "kiln/Derivatives.inc"

constexpr RuleRecord kTable[] = {
#include "kiln/Rules.inc"
};

bool isInexact(DType t) { return (isFloat(t) || isComplex(t)) && !isStorage(t); }

[[noreturn]] void failNoRule(const Applied &o) {
  throw Error(ErrorKind::Value, std::string(info(o.op, o.words).name) + ": gradient: expected an op with a rule, got one without");
}

Array evaluate(const Derivative &derivative, const Applied &o, const Array &given) {
  std::vector<Array> made;
  made.reserve(size_t(derivative.count)); // operands point into it
  auto operandAt = [&](uint8_t place) {
    Operand operand;
    if (place >= kStep) operand.array = &made[size_t(place - kStep)];
    else if (place >= kNumber) operand.kind = Operand::IsFloat, operand.number = derivative.numbers[place - kNumber];
    else operand.array = place == kCotangent ? &given : place == kResult ? o.result : o.operands[size_t(place - kOperand)];
    return operand;
  };
  for (const Step &step : std::span(derivative.steps, size_t(derivative.count))) {
    size_t count = size_t(info(step.op).operands);
    Operand operands[3];
    for (size_t i = 0; i < count; ++i) operands[i] = operandAt(step.operands[i]);
    made.push_back(step.op == Op::Select ? where(*operands[0].array, operands[1], operands[2])
                                         : applyElementwise(step.op, {operands, count}));
  }
  return made.empty() ? given : std::move(made.back());
}

/// A derivative, of what `change` makes of the arrays that it reads.
Array evaluateOver(const RuleRecord &record, size_t operand, const Applied &o, const Array &given, auto change) {
  std::vector<Array> held(o.operands.size());
  std::vector<const Array *> operands(o.operands.begin(), o.operands.end());
  uint32_t reads = record.reads[operand];
  for (size_t i = 0; i < held.size(); ++i)
    if (reads >> i & 1) held[i] = change(*operands[i]), operands[i] = &held[i];
  Array result = reads >> 31 ? change(*o.result) : *o.result;
  return evaluate(record.derivatives[operand], {o.op, operands, o.words, &result}, change(given));
}

/// What a derivative makes of a tangent or cotangent. If it is singular, 0 stays 0 where the formula makes nan of it; there the formula is
/// a constant to what carries derivatives, as what flows back into it would be nan. Elsewhere it is what has a derivative.
Array through(const RuleRecord &record, size_t operand, const Applied &o, const Array &given) {
  if (!record.isSingular) return evaluate(record.derivatives[operand], o, given);
  auto isFromZero = [&](const Array &result) { return call(Op::BitwiseAnd, {equal(given, 0.), call(Op::NotEqual, {result, result})}); };
  if (!carriesDerivatives()) {
    Array result = evaluate(record.derivatives[operand], o, given);
    return choose(isFromZero(result), given, result);
  }
  Array mask = isFromZero(evaluateOver(record, operand, o, given, stopGradient));
  return choose(mask, given, evaluateOver(record, operand, o, given, [&](const Array &x) { return choose(mask, stopGradient(x), x); }));
}

void addTo(Maybe &total, Array term) { total = total ? *total + term : std::move(term); }

/// The op over the tangents, in the place of the operands that it is linear in.
Maybe jvpLinear(const RuleRecord &record, const Applied &o, std::span<const Array *const> tangents) {
  std::vector<const Array *> operands(o.operands.begin(), o.operands.end());
  auto isLinear = [&](size_t i) { return i >= 32 || record.linear >> i & 1; };
  if (record.jointly) {
    std::vector<Array> none(operands.size());
    bool isMoving = false;
    for (size_t i = 0; i < operands.size(); ++i) {
      if (!isLinear(i)) continue;
      isMoving |= tangents[i] != nullptr;
      if (!tangents[i]) none[i] = zerosLike(typeAlone(operands[i]->dtype, operands[i]->shape, deviceOf(*o.result)));
      operands[i] = tangents[i] ? tangents[i] : &none[i];
    }
    if (!isMoving) return std::nullopt;
    return applyOp(o.op, operands, o.words);
  }
  Maybe total;
  for (size_t i = 0; i < operands.size(); ++i) {
    if (!isLinear(i) || !tangents[i]) continue;
    operands[i] = tangents[i];
    addTo(total, applyOp(o.op, operands, o.words));
    operands[i] = o.operands[i];
  }
  return total;
}

} // namespace

const RuleRecord &recordOf(Op op) {
  static_assert(std::size(kTable) == size_t(Op::Count));
  return kTable[size_t(op)];
}

bool isDifferentiable(Op op) { return op != Op::Custom && !recordOf(op).why; }

Array typeAlone(DType dtype, const Dims &shape, Device *device) {
  Array type;
  type.dtype = dtype;
  type.shape = shape;
  type.strides = contiguousStrides(shape);
  type.storage = Storage::make({});
  type.storage->device = device;
  return type;
}
static Array typeAlone(const Array &x) { return typeAlone(x.dtype, x.shape, x.storage->device); }

Residual residualOf(const Applied &o, std::span<const char> wanted) {
  const RuleRecord *record = o.op == Op::Custom ? nullptr : &recordOf(o.op);
  uint32_t reads = record ? 0 : ~0u;
  for (size_t i = 0; record && record->reads && i < wanted.size(); ++i)
    if (wanted[i]) reads |= record->reads[i];
  Residual residual{{}, reads >> 31 ? *o.result : typeAlone(*o.result)};
  residual.operands.reserve(o.operands.size());
  for (size_t i = 0; i < o.operands.size(); ++i)
    residual.operands.push_back(reads >> std::min<size_t>(i, 30) & 1 ? *o.operands[i] : typeAlone(*o.operands[i]));
  return residual;
}

std::vector<Maybe> applyVjp(const Applied &o, const Array &ct, std::span<const char> wanted) {
  std::vector<char> all(wanted.begin(), wanted.end());
  for (size_t i = 0; i < all.size(); ++i) all[i] = all[i] && isInexact(o.operands[i]->dtype);
  Gradients gradients(all);
  if (std::ranges::none_of(all, [](char w) { return w; }) || !isInexact(o.result->dtype)) return gradients.take();
  if (o.op == Op::Custom) failNoRule(o);
  const RuleRecord &record = recordOf(o.op);
  if (record.why) return gradients.take();
  if (record.vjp) {
    record.vjp(o, ct, gradients);
    return gradients.take();
  }
  for (size_t i = 0; i < all.size(); ++i)
    if (all[i] && record.derivatives[i].flows)
      gradients.set(i, isComplex(ct.dtype) ? conj(through(record, i, o, conj(ct))) : through(record, i, o, ct));
  return gradients.take();
}

Maybe applyJvp(const Applied &o, std::span<const Array *const> tangents) {
  std::vector<const Array *> moving(tangents.begin(), tangents.end());
  for (size_t i = 0; i < moving.size(); ++i)
    if (!isInexact(o.operands[i]->dtype)) moving[i] = nullptr;
  if (std::ranges::none_of(moving, [](const Array *t) { return t; }) || !isInexact(o.result->dtype)) return std::nullopt;
  if (o.op == Op::Custom) failNoRule(o);
  const RuleRecord &record = recordOf(o.op);
  if (record.why) return std::nullopt;
  if (record.linear) return jvpLinear(record, o, moving);
  if (record.jvp) return record.jvp(o, moving);
  Maybe total;
  for (size_t i = 0; i < moving.size(); ++i)
    if (moving[i] && record.derivatives[i].flows) addTo(total, through(record, i, o, *moving[i]));
  return total;
}

//===-- batches -----------------------------------------------------------------------------------------------------===//

namespace {

/// Operands that have no axis of the batch repeat along it by broadcasting.
Array batchElementwise(const Batched &o, const RuleRecord &) {
  if (o.operands.size() == 1) return applyOp(o.op, o.operands, o.words);
  if (o.operands.size() == 2) return call(o.op, {*o.operands[0], *o.operands[1]});
  return call(o.op, {*o.operands[0], *o.operands[1], *o.operands[2]});
}

/// All operands with the axis of the batch, and attributes that count axes from one more.
Array batchShifted(const Batched &o, const RuleRecord &record) {
  std::vector<int64_t> words;
  uint32_t number = 0;
  for (const WordGroup &group : groupsOf(info(o.op), o.words)) {
    bool isShifted = record.shifted >> number++ & 1, isList = group.kind == 'I' || group.kind == 'N';
    for (size_t i = 0; i < group.words.size(); ++i) words.push_back(group.words[i] + (isShifted && !(isList && i == 0)));
  }
  std::vector<Array> held;
  std::vector<const Array *> operands;
  for (size_t i = 0; i < o.operands.size(); ++i) held.push_back(whole(o, i));
  for (const Array &a : held) operands.push_back(&a);
  return applyOp(o.op, operands, words);
}

} // namespace

/// One example after the other: of an op from outside nothing is known.
static Array batchOneByOne(const Batched &o) {
  std::vector<Array> results;
  for (int64_t i = 0; i < o.size; ++i) {
    std::vector<Array> held(o.operands.size());
    std::vector<const Array *> operands(o.operands.begin(), o.operands.end());
    for (size_t k = 0; k < operands.size(); ++k) {
      if (!o.isBatched[k]) continue;
      held[k] = part(*operands[k], 0, i, 1);
      held[k] = reshape(held[k], Dims(std::span<const int64_t>(held[k].shape).subspan(1)));
      operands[k] = &held[k];
    }
    results.push_back(withAxis(applyOp(o.op, operands, o.words), 0));
  }
  std::vector<const Array *> parts;
  for (const Array &r : results) parts.push_back(&r);
  return concat(parts, 0);
}

Array applyBatch(const Batched &o) {
  for (size_t i = 0; i < o.operands.size(); ++i)
    if (o.operands[i]->shape.rank >= kMaxRank && o.isBatched[i])
      fail(ErrorKind::Shape, info(o.op, o.words).name, "rank of an operand in a batch", "at most " + std::to_string(kMaxRank - 1),
           std::to_string(o.operands[i]->shape.rank));
  return o.op == Op::Custom ? batchOneByOne(o) : recordOf(o.op).batch(o, recordOf(o.op));
}

} // namespace kiln::rules
