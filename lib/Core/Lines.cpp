#include "lib/Core/Lines.h"

#include <algorithm>

namespace kiln {

NumberWords numbersOf(const TraceOp &op) {
  if (op.op == Op::Constant) return {1, 2};
  if (op.op == Op::Slice || op.op == Op::Update) return {1, 1 + size_t(op.words[0])}; // where they start
  return {};
}

std::vector<size_t> sizeWordsOf(const TraceOp &op) {
  std::vector<size_t> places;
  NumberWords numbers = numbersOf(op);
  size_t at = 0;
  for (const WordGroup &group : groupsOf(info(op.op, op.words), op.words)) {
    for (size_t i = isNumber(group.kind) ? 0 : 1; followsSizes(group.kind) && i < group.words.size(); ++i)
      if (at + i < numbers.first || at + i >= numbers.last) places.push_back(at + i);
    at += group.words.size();
  }
  return places;
}

/// Sizes of 0 and 1 are apart: such arrays broadcast, or hold nothing.
static int64_t kindOfSize(int64_t word) { return std::min<int64_t>(word, 2); }

bool haveOneForm(const TensorType &a, const TensorType &b, bool ofAnySizes) {
  if (a == b || !ofAnySizes) return a == b;
  if (a.dtype != b.dtype || a.shape.rank != b.shape.rank) return false;
  for (int i = 0; i < a.shape.rank; ++i)
    if (kindOfSize(a.shape[i].word()) != kindOfSize(b.shape[i].word())) return false;
  return true;
}

bool haveOneForm(const TraceOp &a, const TraceOp &b, bool ofAnySizes) {
  if (a.op != b.op || a.results != b.results || a.operands.size() != b.operands.size() || a.words.size() != b.words.size()) return false;
  NumberWords numbers = numbersOf(a);
  if (numbers.last != numbersOf(b).last) return false;
  if (ofAnySizes && !std::ranges::equal(a.words, b.words)) {
    std::vector<int64_t> x(a.words.begin(), a.words.end()), y(b.words.begin(), b.words.end());
    std::vector<size_t> sizes = sizeWordsOf(a);
    if (sizes != sizeWordsOf(b)) return false;
    for (size_t i : sizes) x[i] = kindOfSize(x[i]), y[i] = kindOfSize(y[i]);
    for (size_t i = numbers.first; i < numbers.last; ++i) x[i] = y[i];
    return x == y;
  }
  auto at = [](const TraceOp &op, size_t i) { return op.words.begin() + ptrdiff_t(i); };
  return std::equal(a.words.begin(), at(a, numbers.first), b.words.begin()) &&
         std::equal(at(a, numbers.last), a.words.end(), at(b, numbers.last));
}

static uint64_t mixed(uint64_t hash, uint64_t word) {
  hash = (hash ^ word) * 0x9e3779b97f4a7c15u;
  return hash ^ hash >> 29;
}

static uint64_t formOf(const TraceOp &op, std::span<const TensorType> types, bool ofAnySizes) {
  uint64_t hash = mixed(mixed(uint64_t(op.op), op.operands.size()), op.words.size());
  NumberWords numbers = numbersOf(op);
  std::span<const int64_t> words = op.words;
  std::vector<int64_t> kinds;
  if (ofAnySizes) {
    kinds.assign(words.begin(), words.end());
    for (size_t i : sizeWordsOf(op)) kinds[i] = kindOfSize(kinds[i]);
    words = kinds;
  }
  for (size_t i = 0; i < words.size(); ++i)
    if (i < numbers.first || i >= numbers.last) hash = mixed(hash, uint64_t(words[i]));
  for (const TensorType &type : types) {
    hash = mixed(hash, uint64_t(type.dtype));
    for (Size size : type.shape) hash = mixed(hash, uint64_t(ofAnySizes ? kindOfSize(size.word()) : size.word()));
  }
  return hash;
}

Lines::Lines(const Trace &trace, bool ofAnySizes) : trace(trace), ofAnySizes(ofAnySizes) {
  size_t most = trace.types.size();
  makers.reserve(most), forms.reserve(most), slots.reserve(most), ops.reserve(most);
  for (size_t at = 0; at < trace.words.size();) {
    TraceOp entry = Trace::decode(trace.words, at);
    if (entry.op == Op::Input) {
      makers.push_back(-1);
      continue;
    }
    size_t slot = makers.size();
    forms.push_back(formOf(entry, std::span(trace.types).subspan(slot, entry.results), ofAnySizes));
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
  if (forms[a] != forms[b] || !haveOneForm(ops[a], ops[b], ofAnySizes)) return false;
  for (size_t i = 0; i < ops[a].results; ++i)
    if (!haveOneForm(trace.types[size_t(slots[a]) + i], trace.types[size_t(slots[b]) + i], ofAnySizes)) return false;
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
