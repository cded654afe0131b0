#include "lib/Core/Generalize.h"

#include <gtest/gtest.h>

using namespace kiln;

namespace {

/// x[1:] * k + concat(x[1:], x)[size of x:], of n elements.
Trace program(int64_t n, float k, DType dtype = DType::F32) {
  Trace t;
  int64_t x = t.addInput({dtype, {n}});
  std::vector<int64_t> slice = {1, 1, 1, n - 1, 1, 1}, number = {int64_t(dtype), std::bit_cast<int32_t>(k)}, axis = {0};
  int64_t part = t.addOp(Op::Slice, {&x, 1}, slice), c = t.addOp(Op::Constant, {}, number);
  std::vector<int64_t> broadcast = {0, 1, n - 1}, both = {part, x};
  int64_t wide = t.addOp(Op::Broadcast, {&c, 1}, broadcast), factors[] = {part, wide};
  int64_t product = t.addOp(Op::Multiply, factors, {}), joined = t.addOp(Op::Concat, both, axis);
  std::vector<int64_t> rest = {1, n, 1, n - 1, 1, 1};
  int64_t tail = t.addOp(Op::Slice, {&joined, 1}, rest), terms[] = {product, tail};
  t.outputs = {t.addOp(Op::Add, terms, {})};
  return t;
}

} // namespace

TEST(Generalize, SizesBecomeSymbolsAndNumbersInputs) {
  auto open = generalize(program(10, 2), program(20, 3));
  ASSERT_TRUE(open);
  EXPECT_EQ(open->symbols, 3); // n, n - 1, 2 n - 1
  EXPECT_EQ(open->types[0].shape, (Shape{Size::symbol(0)}));
  auto seven = instantiate(*open, program(7, 5));
  ASSERT_TRUE(seven);
  EXPECT_EQ(seven->symbols, (std::vector<int64_t>{7, 6, 13}));
  EXPECT_EQ(seven->numbers, (std::vector<int64_t>{std::bit_cast<int32_t>(5.0f)}));
}

TEST(Generalize, TheSamplesDoNotShow) {
  auto one = generalize(program(10, 2), program(20, 3)), other = generalize(program(5, 9), program(400, 1));
  ASSERT_TRUE(one && other);
  EXPECT_EQ(one->serialize(), other->serialize());
  EXPECT_EQ(generalize(*one, program(7, 5))->serialize(), one->serialize()); // an instance adds nothing
}

TEST(Generalize, WhatDiffersInMoreIsApart) {
  Difference why;
  EXPECT_FALSE(generalize(program(10, 2), program(20, 2, DType::F64), &why));
  EXPECT_EQ(why.why, "dtypes of an input differ");
  Trace longer = program(20, 2);
  int64_t last = longer.outputs[0];
  longer.outputs = {longer.addOp(Op::Negative, {&last, 1}, {})};
  EXPECT_FALSE(generalize(program(10, 2), longer, &why));
  EXPECT_EQ(why.why, "one has more operations");
  OpenAxes none = {0};
  EXPECT_FALSE(generalize(program(10, 2), program(20, 2), &why, &none));
  EXPECT_EQ(why.why, "fixed sizes of an input differ");
}

TEST(Generalize, SmallSizesAreNoInstances) {
  auto open = generalize(program(10, 2), program(20, 2));
  ASSERT_TRUE(open);
  EXPECT_TRUE(instantiate(*open, program(3, 2)));
  EXPECT_FALSE(instantiate(*open, program(2, 2)));  // its part has one element
  EXPECT_FALSE(instantiate(*open, program(10, 3))); // the number was the same in both
  EXPECT_FALSE(generalize(program(10, 2), program(2, 2)));
}

TEST(Generalize, StridesThatAreOpenAreValues) {
  auto copyOf = [](const Shape &shape, const Dims &strides, int64_t symbols) {
    Trace t;
    t.symbols = symbols;
    int64_t x = t.addInput({DType::F32, shape}, strides), word = int64_t(DType::I32);
    t.outputs = {t.addOp(Op::Cast, {&x, 1}, {&word, 1})};
    return t;
  };
  Trace open = copyOf({Size::symbol(0), Size::symbol(1)}, {kDynamicStride, 1}, 2);
  auto strided = instantiate(open, copyOf({4, 1}, {-7, 1}, kNoSymbols), Least::One);
  ASSERT_TRUE(strided);
  EXPECT_EQ(strided->symbols, (std::vector<int64_t>{4, 1, -7}));
  EXPECT_FALSE(instantiate(open, copyOf({4, 1}, {-7, 1}, kNoSymbols)));             // a size of one
  EXPECT_FALSE(instantiate(open, copyOf({0, 4}, {-7, 1}, kNoSymbols), Least::One)); // an empty array
  EXPECT_FALSE(instantiate(open, copyOf({4, 5}, {5, 2}, kNoSymbols), Least::One));  // a stride that is known, and another
  EXPECT_FALSE(instantiate(open, copyOf({4, 5}, {}, kNoSymbols), Least::One));      // row by row, which no stride says
}
