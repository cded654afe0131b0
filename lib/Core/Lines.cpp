#include "lib/Core/Lines.h"

#include <algorithm>

namespace kiln {

NumberWords numbersOf(const TraceOp &op) {
  if (op.op == Op::Constant) return {1, 2};
  if (op.op == Op::Slice || op.op == Op::Update) return {1, 1 + size_t(op.words[0])}; // where they start
  return {};
}

bool haveOneForm(const TraceOp &a, const TraceOp &b) {
  if (a.op != b.op || a.results != b.results || a.operands.size() != b.operands.size() || a.words.size() != b.words.size()) return false;
  NumberWords numbers = numbersOf(a);
  if (numbers.last != numbersOf(b).last) return false;
  auto at = [](const TraceOp &op, size_t i) { return op.words.begin() + ptrdiff_t(i); };
  return std::equal(a.words.begin(), at(a, numbers.first), b.words.begin()) &&
         std::equal(at(a, numbers.last), a.words.end(), at(b, numbers.last));
}

static uint64_t mixed(uint64_t hash, uint64_t word) {
  hash = (hash ^ word) * 0x9e3779b97f4a7c15u;
  return hash ^ hash >> 29;
}

static uint64_t formOf(const TraceOp &op, std::span<const TensorType> types) {
  uint64_t hash = mixed(mixed(uint64_t(op.op), op.operands.size()), op.words.size());
  NumberWords numbers = numbersOf(op);
  for (size_t i = 0; i < op.words.size(); ++i)
    if (i < numbers.first || i >= numbers.last) hash = mixed(hash, uint64_t(op.words[i]));
  for (const TensorType &type : types) {
    hash = mixed(hash, uint64_t(type.dtype));
    for (Size size : type.shape) hash = mixed(hash, uint64_t(size.word()));
  }
  return hash;
}

Lines::Lines(const Trace &trace) : trace(trace) {
  makers.reserve(trace.types.size());
  for (size_t at = 0; at < trace.words.size();) {
    TraceOp entry = Trace::decode(trace.words, at);
    if (entry.op == Op::Input) {
      makers.push_back(-1);
      continue;
    }
    size_t slot = makers.size();
    forms.push_back(formOf(entry, std::span(trace.types).subspan(slot, entry.results)));
    slots.push_back(int64_t(slot));
    makers.insert(makers.end(), entry.results, int64_t(ops.size()));
    ops.push_back(entry);
  }
  lastUse.assign(makers.size(), -1);
  for (size_t p = 0; p < ops.size(); ++p)
    for (int64_t operand : ops[p].operands) lastUse[size_t(operand)] = int64_t(p);
  for (int64_t output : trace.outputs) lastUse[size_t(output)] = int64_t(ops.size());
}

bool Lines::isLike(size_t a, size_t b) const {
  if (forms[a] != forms[b] || !haveOneForm(ops[a], ops[b])) return false;
  for (size_t i = 0; i < ops[a].results; ++i)
    if (!(trace.types[size_t(slots[a]) + i] == trace.types[size_t(slots[b]) + i])) return false;
  return true;
}

std::optional<uint64_t> Lines::relate(size_t p, size_t distance) const {
  constexpr size_t kMostOperands = 64; // bits
  size_t before = p - distance;
  if (!isLike(before, p) || ops[p].operands.size() > kMostOperands) return std::nullopt;
  uint64_t same = 0;
  int64_t shift = slots[p] - slots[before];
  for (size_t i = 0; i < ops[p].operands.size(); ++i) {
    int64_t x = ops[before].operands[i], y = ops[p].operands[i];
    if (x == y) same |= uint64_t(1) << i;
    else if (y - x != shift || makers[size_t(y)] < 0) return std::nullopt;
  }
  return same;
}

int64_t Lines::bytesOf(int64_t slot) const {
  const TensorType &type = trace.types[size_t(slot)];
  return numElements(type.shape) * byteSize(type.dtype);
}

} // namespace kiln
