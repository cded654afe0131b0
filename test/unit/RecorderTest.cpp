#include "frontend/Ops.h"
#include "frontend/Recorder.h"
#include "lib/Cache/Cache.h"
#include "lib/Runtime/Memory.h"

#include <gtest/gtest.h>

using namespace kiln;

TEST(Memory, ReusesSmallBlocksAndAligns) {
  void *a = allocate(100);
  EXPECT_EQ(reinterpret_cast<uintptr_t>(a) % 64, 0u);
  release(a, 100);
  void *b = allocate(100);
  EXPECT_EQ(a, b);
  release(b, 100);
  void *large = allocate(3 << 20);
  release(large, 3 << 20);
  EXPECT_EQ(allocate(3 << 20), large);
  void *middle = allocate(380 << 10); // blocks of about a size are one kind
  release(middle, 380 << 10);
  void *smaller = allocate(330 << 10);
  EXPECT_EQ(smaller, middle);
  release(smaller, 330 << 10);
  release(large, 3 << 20);
  EXPECT_THROW(allocate(SIZE_MAX / 2), Error);
}

TEST(Array, RefusesSizesThatOverflow) {
  EXPECT_THROW(Array::empty(DType::F32, {int64_t(1) << 40, int64_t(1) << 40}), Error);
  EXPECT_THROW(Array::empty(DType::F64, {int64_t(1) << 60}), Error);
}

TEST(Recorder, RecordsOpsOverInputs) {
  Array x = Array::empty(DType::F32, {4});
  Recorder r(Recorder::Abstract);
  r.addInput(x);
  Operand operands[] = {{Operand::IsArray, &x}, {Operand::IsFloat, nullptr, 0, 2.0}};
  Array y = applyElementwise(Op::Multiply, operands);
  EXPECT_EQ(y.shape, (Dims{4}));
  EXPECT_EQ(r.trace.types.size(), 4u); // the input, the constant, its broadcast, the product
  EXPECT_EQ(r.slotOf(y), 3);
}

TEST(Recorder, EqualProgramsHaveEqualWords) {
  auto program = [](double factor) {
    Array x = Array::empty(DType::F32, {4});
    Recorder r(Recorder::Abstract);
    r.addInput(x);
    Operand operands[] = {{Operand::IsArray, &x}, {Operand::IsFloat, nullptr, 0, factor}};
    r.trace.outputs = {r.slotOf(applyElementwise(Op::Multiply, operands))};
    return r.trace.serialize();
  };
  EXPECT_EQ(program(2), program(2));
  EXPECT_NE(program(2), program(3));
  EXPECT_EQ(entryName(cacheKey(program(2))), entryName(cacheKey(program(2))));
}

TEST(Recorder, WritesBecomeCommits) {
  Array x = Array::empty(DType::F32, {4});
  Recorder r(Recorder::Abstract);
  r.addInput(x);
  Operand operands[] = {{Operand::IsArray, &x}, {Operand::IsArray, &x}};
  Array view = slice(x, {1}, {2}, {1});
  assign(x, applyElementwise(Op::Add, operands));
  ASSERT_EQ(r.written().size(), 1u);
  size_t before = r.trace.types.size();
  r.slotOf(view); // taken again, of the new content
  EXPECT_EQ(r.trace.types.size(), before + 1);
}

TEST(Recorder, LeavesWhereItCannotFollow) {
  Array x = Array::empty(DType::F32, {4}), other = Array::empty(DType::F32, {4});
  Recorder r(Recorder::Abstract);
  r.addInput(x);
  EXPECT_THROW(r.slotOf(other), LeaveRecording); // neither argument nor captured
  EXPECT_FALSE(r.left.empty());
}

TEST(Recorder, WritesThroughViewsUpdateTheirCell) {
  Array x = Array::empty(DType::F32, {4});
  Recorder r(Recorder::Abstract);
  r.addInput(x);
  Array part = slice(x, {1}, {2}, {1}), one = constantArray(DType::F32, {});
  assign(part, one);
  ASSERT_EQ(r.written().size(), 1u);
  EXPECT_EQ(r.trace.types[size_t(r.written()[0].slot)].shape, Dims{4});
  EXPECT_NE(r.slotOf(part), r.slotOf(x)); // the view is taken again, of the new content
  Array repeated = broadcastTo(x, {2, 4});
  EXPECT_THROW(assign(repeated, one), Error);
}

TEST(Recorder, ArraysOfAnotherRecordingAreRefused) {
  Array leaked;
  {
    Recorder r(Recorder::Abstract);
    leaked = constantArray(DType::F32, {});
  }
  EXPECT_THROW(leaked.data(), Error);
  Recorder r(Recorder::Abstract);
  EXPECT_THROW(r.slotOf(leaked), Error);
}

TEST(Ops, NumbersThatDoNotFit) {
  EXPECT_THROW(scalarBits({Operand::IsInt, nullptr, 300, 0}, DType::U8), Error);
  EXPECT_THROW(scalarBits({Operand::IsInt, nullptr, -1, 0}, DType::U64), Error);
  EXPECT_THROW(scalarBits({Operand::IsFloat, nullptr, 0, 1.5}, DType::I32), Error);
}

TEST(Executable, RefusesWhatIsNone) {
  EXPECT_THROW(Executable::open("/nonexistent/program.so"), Error);
  EXPECT_THROW(packKernel("no_such_kernel"), Error);
}
