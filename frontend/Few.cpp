#include "frontend/Few.h"

#include "frontend/OpsShared.h"
#include "frontend/rules/Table.h"
#include "lib/Runtime/Memory.h"

#include <cstring>
#include <new>

namespace kiln {

using eager::Flat;
using rules::Derivative, rules::RuleRecord, rules::Step;

//===-- memory ------------------------------------------------------------------------------------------------------===//

Arena::~Arena() {
  while (last) {
    Chunk *before = last->before;
    release(last, kChunk);
    last = before;
  }
}

void Arena::grow() {
  char *block = static_cast<char *>(allocate(kChunk));
  last = new (block) Chunk{last};
  next = block + kUnit;
  end = block + kChunk;
}

void *Arena::copy(const void *data, size_t bytes) {
  void *block = take(bytes);
  std::memcpy(block, data, bytes);
  return block;
}

void spread(DType dtype, int64_t count, Few few, void *result) {
  size_t bytes = size_t(byteSize(dtype));
  if (!few.isOne) return void(std::memcpy(result, few.data, bytes * size_t(count)));
  for (int64_t i = 0; i < count; ++i) std::memcpy(static_cast<char *>(result) + size_t(i) * bytes, few.data, bytes);
}

Array arrayOf(DType dtype, const Dims &shape, Few few) {
  Array result = Array::empty(dtype, shape);
  spread(dtype, result.size(), few, result.data());
  return result;
}

//===-- operations --------------------------------------------------------------------------------------------------===//

namespace {

bool runsOverFew(const Derivative &derivative) {
  for (const Step &step : std::span(derivative.steps, size_t(derivative.count)))
    if (info(step.op).byNumber || !info(step.op).eager) return false;
  return true;
}

bool isOfFewByRecord(Op op, DType dtype) {
  const OpInfo &record = info(op);
  const RuleRecord &rules = rules::recordOf(op);
  if (!record.ufunc || !record.eager || record.byNumber || record.operands < 1 || record.operands > 2 || !rules.derivatives || rules.why)
    return false;
  for (int i = 0; i < record.operands; ++i)
    if (!runsOverFew(rules.derivatives[i])) return false;
  return resultDType(op, dtype) == int(dtype);
}

/// An elementwise op; one number where all operands are.
Flat apply(Op op, std::span<Flat> operands, int64_t count, Arena &arena) {
  auto asAll = [&](Flat &operand) {
    void *all = arena.take(size_t(count * byteSize(operand.dtype)));
    spread(operand.dtype, count, {operand.data, true}, all);
    operand = {all, operand.dtype, false};
  };
  bool isOne = true;
  for (const Flat &operand : operands) isOne &= operand.isOne;
  if (isOne) count = 1;
  if (operands.size() == 3 && !isOne) { // the forms that kernels have
    if (operands[0].isOne) asAll(operands[0]);
    if (operands[1].isOne && operands[2].isOne) asAll(operands[2]);
  }
  DType dtype = op == Op::Select ? operands[2].dtype : DType(resultDType(op, operands[0].dtype));
  void *result = arena.take(size_t(count * byteSize(dtype)));
  eager::flat(op, operands, dtype, count, result);
  return {result, dtype, isOne};
}

} // namespace

bool isOfFew(Op op, DType dtype) {
  static const auto table = [] {
    std::array<std::array<bool, size_t(Op::Count)>, 2> t{};
    for (int i = 0; i < int(Op::Count); ++i)
      for (DType d : {DType::F32, DType::F64}) t[d == DType::F64][size_t(i)] = isOfFewByRecord(Op(i), d);
    return t;
  }();
  return (dtype == DType::F32 || dtype == DType::F64) && op < Op::Count && table[dtype == DType::F64][size_t(op)];
}

Few sum(DType dtype, int64_t count, Few x, Few y, Arena &arena) {
  Flat operands[] = {{x.data, dtype, x.isOne}, {y.data, dtype, y.isOne}};
  Flat result = apply(Op::Add, operands, count, arena);
  return {result.data, result.isOne};
}

Few derivative(const FewApplied &o, size_t operand, Few cotangent, Arena &arena) {
  const RuleRecord &record = rules::recordOf(o.op);
  const Derivative &derivative = record.derivatives[operand];
  if (!derivative.flows) return {};
  float narrow[rules::kMostNumbers + 1]; // the last for 0
  double zero = 0;
  auto number = [&](double value, int place) -> Flat {
    narrow[place] = float(value);
    return {narrow + place, o.dtype, true};
  };
  auto numberAt = [&](const double &value, int place) -> Flat {
    return o.dtype == DType::F64 ? Flat{&value, o.dtype, true} : number(value, place);
  };
  Flat made[rules::kMostSteps], result{cotangent.data, o.dtype, cotangent.isOne};
  auto valueAt = [&](uint8_t place) -> Flat {
    if (place >= rules::kStep) return made[place - rules::kStep];
    if (place >= rules::kNumber) return numberAt(derivative.numbers[place - rules::kNumber], place - rules::kNumber);
    const Few &few = place == rules::kCotangent ? cotangent : place == rules::kResult ? o.result : o.operands[place - rules::kOperand];
    return {few.data, o.dtype, few.isOne};
  };
  for (int i = 0; i < derivative.count; ++i) {
    const Step &step = derivative.steps[i];
    Flat operands[3];
    size_t count = size_t(info(step.op).operands);
    for (size_t k = 0; k < count; ++k) operands[k] = valueAt(step.operands[k]);
    result = made[i] = apply(step.op, {operands, count}, o.count, arena);
  }
  if (record.isSingular) {
    Flat given{cotangent.data, o.dtype, cotangent.isOne}, sides[] = {given, numberAt(zero, rules::kMostNumbers)},
                                                          twice[] = {result, result};
    Flat both[] = {apply(Op::Equal, sides, o.count, arena), apply(Op::NotEqual, twice, o.count, arena)};
    Flat choice[] = {apply(Op::BitwiseAnd, both, o.count, arena), given, result}; // 0 became nan
    result = apply(Op::Select, choice, o.count, arena);
  }
  return {result.data, result.isOne};
}

} // namespace kiln
