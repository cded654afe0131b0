#include "frontend/Interpreter.h"
#include "frontend/Ops.h"
#include "frontend/Recorder.h"
#include "test/unit/Floats.h"

#include <cmath>
#include <cstring>
#include <gtest/gtest.h>

using namespace kiln;

namespace {

Array add(const Array &x, const Array &y) {
  Operand operands[] = {{Operand::IsArray, &x}, {Operand::IsArray, &y}};
  return applyElementwise(Op::Add, operands);
}

/// What a gradient's tape does: notes what runs, and lets it run.
struct Tape : Mode {
  std::vector<Op> ops;
  int views = 0, writes = 0, left = 0;
  Array apply(const Operation &o) override {
    ops.push_back(o.op);
    return Mode::apply(o);
  }
  void noteView(const Array &from, Array &view, Op op, std::span<const int64_t> words) override {
    ++views;
    Mode::noteView(from, view, op, words);
  }
  void write(Array &target, const Array &value) override {
    ++writes;
    Mode::write(target, value);
  }
  Array leave(const Array &value, const char *why, Leaving how) override {
    ++left;
    return Mode::leave(value, why, how);
  }
};

} // namespace

TEST(Mode, ATapeSeesWhatEagerRuns) {
  Array x = floats({1, 2, 3});
  Tape tape;
  Array y = add(x, x), part = slice(y, {1}, {2}, {1});
  assign(part, floats({7, 8}));
  EXPECT_EQ(values(y), (std::vector<float>{2, 7, 8}));
  EXPECT_EQ(tape.ops, std::vector<Op>{Op::Add});
  EXPECT_EQ(tape.views, 1);
  EXPECT_EQ(tape.writes, 1);
}

TEST(Mode, ATapeOverARecorderRecordsAndRuns) {
  Array x = floats({1, 2, 3});
  Recorder recorder(Recorder::Computed);
  recorder.addInput(x);
  {
    Tape tape;
    Array y = add(x, x);
    EXPECT_EQ(values(y), (std::vector<float>{2, 4, 6}));
    EXPECT_EQ(recorder.slotOf(y), 1);
    EXPECT_EQ(tape.ops.size(), 1u);
    leave(y, "its value is asked for");
    EXPECT_EQ(tape.left, 1);
    EXPECT_EQ(values(add(y, y)), (std::vector<float>{4, 8, 12})); // goes on, computed
    EXPECT_EQ(tape.ops.size(), 2u);
  }
  EXPECT_EQ(recorder.left, "its value is asked for");
  EXPECT_EQ(recorder.trace.types.size(), 2u);
  EXPECT_EQ(Mode::current(), nullptr) << "a recorder that was left is not asked";
}

TEST(Mode, PausedOperationsAreSeenByNone) {
  Tape tape;
  {
    Paused paused;
    add(floats({1}), floats({2}));
  }
  EXPECT_TRUE(tape.ops.empty());
}

TEST(Mode, EveryPrimitiveRunsAsItIsRecorded) {
  // What a recorder computes beside its trace, and what the interpreter makes of the trace, are the same.
  Array x = floats({4, 1, 3, 2, 9, 5}), index = Array::empty(DType::I64, {2});
  reinterpret_cast<int64_t *>(index.data())[0] = 1, reinterpret_cast<int64_t *>(index.data())[1] = 0;
  std::vector<Array> computed;
  Trace trace;
  {
    Recorder r(Recorder::Computed);
    r.addInput(x);
    r.addInput(index);
    Array m = reshape(x, {2, 3}), turned = transpose(m, {1, 0});
    computed = {reduce(Op::Sum, m, Dims{1}, true),
                matmul(m, turned),
                gather(turned, index, 0),
                alongAxis(Op::Sort, m, 0),
                alongAxis(Op::CumulativeSum, turned, 1),
                reduce(Op::Argmax, m, std::nullopt, false),
                copy(turned),
                broadcastTo(x, {2, 6}),
                full({2, 2}, DType::F32, scalarBits({Operand::IsFloat, nullptr, 0, 1.5}, DType::F32)),
                iota(DType::F32, {2, 3}, 1)};
    for (const Array &a : computed) r.trace.outputs.push_back(r.slotOf(a));
    trace = r.trace;
  }
  const Array *inputs[] = {&x, &index};
  std::vector<Array> interpreted = interpret(trace, inputs);
  ASSERT_EQ(interpreted.size(), computed.size());
  for (size_t i = 0; i < computed.size(); ++i) {
    ASSERT_EQ(interpreted[i].shape, computed[i].shape) << i;
    Array a = contiguous(interpreted[i]), b = contiguous(computed[i]);
    EXPECT_EQ(std::memcmp(a.data(), b.data(), size_t(a.size() * byteSize(a.dtype))), 0) << i;
  }
}

TEST(Recorder, WritesGoToMemoryAndToTheTrace) {
  Array x = floats({1, 2, 3, 4});
  Recorder r(Recorder::Computed);
  r.addInput(x);
  Array part = slice(x, {1}, {2}, {1});
  assign(part, add(part, part));
  EXPECT_EQ(values(x), (std::vector<float>{1, 4, 6, 4}));
  ASSERT_EQ(r.written().size(), 1u);
  r.trace.outputs = {r.written()[0].slot};
  Array before = floats({1, 2, 3, 4});
  const Array *inputs[] = {&before};
  EXPECT_EQ(values(interpret(r.trace, inputs)[0]), values(x));
}

TEST(Recorder, AFailureIsEagersOwnAndEndsTheRecording) {
  Array x = floats({1, 2}), index = Array::empty(DType::I64, {1});
  reinterpret_cast<int64_t *>(index.data())[0] = 5;
  Recorder r(Recorder::Computed);
  r.addInput(x);
  r.addInput(index);
  EXPECT_THROW(gather(x, index, 0), Error);
  EXPECT_EQ(r.left, "an operation fails on its values");
}

TEST(Recorder, ForeignOperationsAreComputedAlone) {
  static bool isForeign;
  isForeign = false;
  Array x = floats({1, 2});
  Recorder r(Recorder::Computed);
  r.locate = [] { return Location{nullptr, 0, isForeign}; };
  r.addInput(x);
  isForeign = true;
  Array theirs = add(x, x);
  leave(theirs, "asked for by code outside");
  isForeign = false;
  EXPECT_EQ(values(theirs), (std::vector<float>{2, 4}));
  EXPECT_EQ(r.trace.types.size(), 1u);
  EXPECT_TRUE(r.left.empty());
  Array mine = add(x, theirs); // known to nobody
  EXPECT_EQ(values(mine), (std::vector<float>{3, 6}));
  EXPECT_FALSE(r.left.empty());
}

TEST(Recorder, ViewsOfOneCellAreInputsUntilOneIsWritten) {
  Array x = floats({1, 2, 3, 4}), low = slice(x, {0}, {2}, {1}), high = slice(x, {2}, {2}, {1});
  Recorder r(Recorder::Computed);
  r.addInput(low);
  r.addInput(high);
  EXPECT_EQ(values(add(low, high)), (std::vector<float>{4, 6}));
  EXPECT_EQ(r.trace.types.size(), 3u);
  assign(low, high);
  EXPECT_EQ(values(x), (std::vector<float>{3, 4, 3, 4}));
  EXPECT_FALSE(r.left.empty());
}

TEST(Products, AVectorStaysOneWhereBatchAxesLieBehind) {
  // Sums of 300 products in the order of a vector's: batch axes in front say what the bits are.
  constexpr int64_t n = 300, batch = 3;
  Array x = Array::empty(DType::F32, {n, batch}), y = Array::empty(DType::F32, {n, batch});
  for (int64_t i = 0; i < n * batch; ++i) {
    reinterpret_cast<float *>(x.data())[i] = float(i % 17) / 3 - 2;
    reinterpret_cast<float *>(y.data())[i] = float(i % 29) / 7 - 1;
  }
  Array front = dotGeneral(contiguous(transpose(x, {1, 0})), contiguous(transpose(y, {1, 0})), {0}, {0}, 1, 1);
  EXPECT_EQ(values(dotGeneral(x, y, {1}, {1}, 0, 0)), values(front));
  Array one = reshape(floats({0, 0}), {1, 2}), less = reshape(floats({-1, -2}), {1, 2});
  for (float zero : values(dotGeneral(one, less, {1}, {1}, 0, 0))) EXPECT_TRUE(std::signbit(zero));
}
