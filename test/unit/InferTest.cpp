// What the rules of ops refuse among words that no recording writes, but a damaged or foreign file may hold.
#include "lib/Core/Infer.h"
#include "lib/Core/Program.h"
#include "lib/Core/Trace.h"

#include <gtest/gtest.h>

using namespace kiln;

namespace {

constexpr int64_t kHuge = int64_t(1) << 62;

/// The text of the error; empty where the op is accepted.
std::string refusal(Op op, std::vector<TensorType> operands, std::vector<int64_t> words) {
  try {
    infer(op, operands, words);
  } catch (const Error &e) { return e.what(); }
  return "";
}

void expectRefused(const std::string &text, const char *what) { EXPECT_NE(text.find(what), std::string::npos) << text; }

const TensorType kRow{DType::F32, {8}}, kImage{DType::F32, {1, 5, 3}}, kWeights{DType::F32, {2, 3, 4}};

} // namespace

TEST(Infer, RefusesAxesThatAreNotCanonical) {
  expectRefused(refusal(Op::CumulativeSum, {kRow}, {-1}), "axis: expected one in [0, 1), got -1");
  expectRefused(refusal(Op::Sum, {kRow}, {1, -1}), "axis: expected one in [0, 1), got -1");
  expectRefused(refusal(Op::Gather, {kRow, {DType::I64, {2}}}, {1}), "axis: expected one in [0, 1), got 1");
  expectRefused(refusal(Op::Iota, {}, {-1, int64_t(DType::F32), 1, 4}), "axis: expected one in [0, 1)");
}

TEST(Infer, RefusesStepsThatStandStillOrOverflow) {
  EXPECT_EQ(refusal(Op::Slice, {kRow}, {1, 7, 1, 4, 1, -2}), "");
  expectRefused(refusal(Op::Slice, {kRow}, {1, 3, 1, 1, 1, 0}), "step of axis 0: expected one that is not 0");
  expectRefused(refusal(Op::Slice, {kRow}, {1, -1, 1, 0, 1, 1}), "sizes and positions: expected at least 0, got -1");
  expectRefused(refusal(Op::Slice, {kRow}, {1, 0, 1, 2, 1, 0}), "step of axis 0: expected one that is not 0");
  expectRefused(refusal(Op::Slice, {kRow}, {1, 0, 1, 2, 1, kHuge}), "step of axis 0: expected at most");
  expectRefused(refusal(Op::Slice, {kRow}, {1, 0, 1, kHuge, 1, 1 << 30}), "range of axis 0: expected positions within 8");
  expectRefused(refusal(Op::Update, {kRow, {DType::F32, {2}}}, {1, 0, 1, 0}), "step of axis 0: expected one that is not 0");
}

TEST(Infer, RefusesWindowsThatOverflow) {
  auto convolution = [](int64_t stride, int64_t low, int64_t dilation, int64_t groups) {
    return refusal(Op::Convolution, {kImage, kWeights}, {1, stride, 1, low, 1, 0, 1, dilation, groups});
  };
  EXPECT_EQ(convolution(1, 0, 1, 1), "");
  EXPECT_EQ(convolution(1, 0, 100, 1), "") << "an empty result";
  expectRefused(convolution(1, kHuge, 1, 1), "strides, padding and dilation");
  expectRefused(convolution(1, 0, kHuge, 1), "strides, padding and dilation");
  expectRefused(convolution(1, 0, 1, kHuge), "channels");
}

TEST(Infer, RefusesArraysOfTooManyElements) {
  expectRefused(refusal(Op::Broadcast, {{DType::F32, {1}}}, {1, 1, 2, kHuge, 4}), "number of elements: expected at most");
  expectRefused(refusal(Op::Reshape, {kRow}, {2, kHuge, 4}), "number of elements: expected at most");
  expectRefused(refusal(Op::Concat, {{DType::F32, {kMostElements}}, {DType::F32, {kMostElements}}}, {0}), "number of elements");
  expectRefused(refusal(Op::Qr, {{DType::F32, {kMostElements, 1}}}, {1}), "number of elements");
  EXPECT_EQ(refusal(Op::Broadcast, {{DType::F32, {1}}}, {1, 1, 2, kMostElements, 1}), "");
}

TEST(Infer, RefusesChoicesAndValuesOutsideTheirs) {
  expectRefused(refusal(Op::Sort, {kRow}, {0, 2}), "descending: expected 0 to 1, got 2");
  expectRefused(refusal(Op::Constant, {}, {int64_t(DType::U8), -56}), "value: expected bits of uint8, got -56");
  expectRefused(refusal(Op::Constant, {}, {int64_t(DType::I32), 0xffffffff}), "value: expected bits of int32");
  expectRefused(refusal(Op::Constant, {}, {int64_t(DType::Bool), 2}), "value: expected bits of bool");
  EXPECT_EQ(refusal(Op::Constant, {}, {int64_t(DType::I8), -56}), "");
  EXPECT_EQ(refusal(Op::Constant, {}, {int64_t(DType::U64), -1}), "");
}

TEST(Infer, ProgramFilesHaveFixedSizes) {
  Trace trace;
  trace.outputs = {trace.addInput({DType::F32, {Size::symbol(0), 4}})};
  try {
    unpackProgram(packProgram(trace));
    FAIL() << "a program with a size of -1 was read";
  } catch (const Error &e) { expectRefused(e.what(), "sizes of at least 0"); }
  Trace large;
  large.outputs = {large.addInput({DType::F32, {kHuge, 4}})};
  EXPECT_THROW(unpackProgram(packProgram(large)), Error);
}
