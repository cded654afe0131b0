// Every op of the op table on a second device, against the CPU to the bit.
#include "frontend/Interpreter.h"
#include "frontend/Recorder.h"
#include "lib/Core/Infer.h"
#include "test/unit/DummyDevice.h"

#include <gtest/gtest.h>
#include <set>

using namespace kiln;

namespace {

/// What an op is run on.
struct Case {
  std::vector<Array> operands;
  std::vector<int64_t> words;
};

Array positions(std::initializer_list<int64_t> list) {
  Array a = Array::empty(DType::I64, {int64_t(list.size())});
  std::copy(list.begin(), list.end(), reinterpret_cast<int64_t *>(a.data()));
  return a;
}

std::vector<int64_t> wordsOf(std::initializer_list<Dims> lists, std::initializer_list<int64_t> then = {}) {
  std::vector<int64_t> words;
  for (const Dims &d : lists) appendWords(words, d);
  words.insert(words.end(), then.begin(), then.end());
  return words;
}

Case elementwise(Op op, DType dtype) {
  Case c;
  for (int i = 0; i < info(op).operands; ++i) c.operands.push_back(sample(dtype, {2, 3}, i));
  if (op == Op::Select) c.operands[0] = sample(DType::Bool, {2, 3});
  if (op == Op::Cast) c.words = {int64_t(dtype == DType::I64 ? DType::F32 : DType::I64)};
  if (op == Op::Bitcast) c.words = {int64_t(byteSize(dtype) == 4 ? DType::I32 : DType::U8)};
  return c;
}

Case index(Op op, DType dtype) {
  Array x = sample(dtype, {2, 3});
  if (op == Op::Broadcast) return {{x}, broadcastWords(x, {4, 2, 3})};
  if (op == Op::Reshape) return {{x}, wordsOf({{3, 2}})};
  if (op == Op::Transpose) return {{transpose(x, {1, 0})}, wordsOf({{1, 0}})};
  if (op == Op::Slice) return {{x}, wordsOf({{0, 2}, {2, 2}, {1, -1}})};
  return {{x, positions({0, 5})}, wordsOf({{2, 2}})};
}

Case assemble(Op op, DType dtype) {
  Array x = sample(dtype, {2, 3}), y = sample(dtype, {2, 2}, 1);
  if (op == Op::Concat) return {{x, y, x}, {1}};
  if (op == Op::Update) return {{x, y}, wordsOf({{0, 1}, {1, 1}})};
  return {{x, y, positions({0, 1})}, {}};
}

Case library(Op op, DType dtype) {
  if (info(op).accepts == Accepts::Integer) return {{sample(dtype, {3, 2}), sample(dtype, {3, 2}, 1)}, {}};
  Array x = sample(dtype, {3, 3}), square = matmul(x, transpose(x, {1, 0}));
  Array diagonal = full({3}, dtype, scalarBits({Operand::IsFloat, nullptr, 0, 4}, dtype));
  for (int64_t i = 0; i < 3; ++i) { // positive definite
    Array part = slice(square, {i, i}, {1, 1}, {1, 1});
    assign(part, diagonal.shape.rank ? slice(diagonal, {i}, {1}, {1}) : diagonal);
  }
  Case c{{square}, {}};
  if (info(op).operands == 2) c.operands.push_back(sample(dtype, {3, 2}, 1));
  if (op == Op::Fft) c.words = wordsOf({{0, 1}}, {0, 2});
  else if (op == Op::Irfft) c.words = {0, 4, 2};
  else if (op == Op::Rfft) c.words = {0, 2};
  else
    for (const char *letter = info(op).words; *letter; ++letter) c.words.push_back(1);
  return c;
}

Case caseOf(Op op, DType dtype) {
  Array x = sample(dtype, {2, 3});
  switch (info(op).kind) {
  case Kind::Elementwise: return elementwise(op, dtype);
  case Kind::Index: return index(op, dtype);
  case Kind::Source: return op == Op::Iota ? Case{{}, wordsOf({}, {1, int64_t(dtype), 2, 2, 3})} : Case{{}, {int64_t(dtype), 1}};
  case Kind::Reduce: return {{x}, wordsOf({{1}})};
  case Kind::Argreduce: return {{x}, {1}};
  case Kind::Contract: return {{x, sample(dtype, {3, 4}, 1)}, wordsOf({{}, {}}, {1, 0})};
  case Kind::Assemble: return assemble(op, dtype);
  case Kind::Gather: return {{x, positions({2, 0, -1})}, {1}};
  case Kind::Scatter: return {{x, positions({2, 0}), sample(dtype, {2, 2}, 1)}, {1}};
  case Kind::Scan: return {{x}, {1}};
  case Kind::Sort: return {{x}, {1, 1}};
  case Kind::Compact: return {{reshape(x, {6})}, {4}};
  case Kind::Convolve: return {{sample(dtype, {1, 5, 2}), sample(dtype, {3, 2, 4}, 1)}, wordsOf({{1}, {1}, {1}, {1}}, {1})};
  case Kind::Library: return library(op, dtype);
  case Kind::Control: break;
  }
  return {};
}

std::vector<const Array *> pointers(const std::vector<Array> &arrays) {
  std::vector<const Array *> result;
  for (const Array &a : arrays) result.push_back(&a);
  return result;
}

/// The operation on the device, at once and by the interpreter of a recording of it, and on the CPU. False where its rule refuses the case.
bool compare(DummyDevice &device, Op op, DType dtype) {
  Case c;
  TensorType type;
  try {
    c = caseOf(op, dtype);
    std::vector<TensorType> types;
    for (const Array &a : c.operands) types.push_back(a.type());
    type = infer(op, types, c.words);
  } catch (const Error &) { return false; }
  std::string where = std::string(info(op).name) + " of " + info(dtype).name;
  std::string expected = bytesOf(apply({op, pointers(c.operands), c.words, type}));
  std::vector<Array> there;
  for (const Array &a : c.operands) there.push_back(on(device, a));
  int before = device.copies();
  Array result = apply({op, pointers(there), c.words, type, false, &device});
  EXPECT_EQ(device.copies(), before) << where;
  EXPECT_EQ(deviceOf(result), &device) << where;
  EXPECT_EQ(bytesOf(result), expected) << where;
  for (auto values : {Recorder::Computed, Recorder::Abstract}) {
    Recorder r(values);
    for (const Array &a : there) r.addInput(a);
    Array made = apply({op, pointers(there), c.words, type, false, &device});
    EXPECT_EQ(deviceOf(made), &device) << where;
    r.trace.outputs = {r.slotOf(made)};
    std::vector<Array> again = interpret(r.trace, pointers(there), nullptr, r.places);
    EXPECT_EQ(deviceOf(again[0]), &device) << where;
    EXPECT_EQ(bytesOf(again[0]), expected) << where;
  }
  return true;
}

} // namespace

TEST(DeviceOps, EveryOpGivesTheBitsOfTheCpu) {
  auto &device = DummyDevice::first();
  for (int i = 0; i < int(Op::Count); ++i) {
    if (info(Op(i)).kind == Kind::Control) continue; // runs other operations
    int ran = 0;
    for (DType dtype :
         {DType::Bool, DType::I32, DType::I64, DType::U8, DType::U64, DType::F16, DType::F32, DType::F64, DType::C64, DType::C128})
      if (accepts(info(Op(i)).accepts, dtype)) ran += compare(device, Op(i), dtype);
    EXPECT_GT(ran, 0) << info(Op(i)).name;
  }
}
