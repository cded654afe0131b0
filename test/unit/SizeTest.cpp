// Sizes of programs for any size: what they cannot be taken for, and what the rules of ops do where they are open.
#include "lib/Cache/Cache.h"
#include "lib/Core/Generalize.h"
#include "test/unit/Thrown.h"

#include <filesystem>
#include <gtest/gtest.h>

using namespace kiln;

namespace {

constexpr Size kN = Size::symbol(0), kM = Size::symbol(1);
constexpr int64_t kWordN = kN.word(), kWordM = kM.word();

template <typename T> constexpr bool isOrdered = requires(T a, T b) { a < b; };
static_assert(!std::is_convertible_v<Size, int64_t> && !isOrdered<Size>, "a size is no number");
static_assert(sizeof(Size) == sizeof(int64_t) && std::is_nothrow_move_constructible_v<Shape>);

/// The type of an op in a program of two symbols.
TensorType typeOf(Op op, std::vector<TensorType> operands, std::vector<int64_t> words) { return infer(op, operands, words, 2); }
/// The text of the error; empty where the op is accepted.
std::string refusal(Op op, std::vector<TensorType> operands, std::vector<int64_t> words, int64_t symbols = 2) {
  try {
    infer(op, operands, words, symbols);
  } catch (const Error &e) { return e.what(); }
  return "";
}
void expectRefused(const std::string &text, const char *what) { EXPECT_NE(text.find(what), std::string::npos) << text; }

std::string textOf(const std::function<void()> &run) { return thrown(run).second; }

TensorType floats(const Shape &shape) { return {DType::F32, shape}; }

/// reversed(cumsum(x)) in two steps, of n elements: a workspace that follows n.
Trace scans(int64_t n) {
  Trace t;
  int64_t x = t.addInput({DType::F64, {n, 3}}), axis = 0;
  int64_t words[] = {2, n - 1, 0, 2, n, 3, 2, -1, 1};
  int64_t sum = t.addOp(Op::CumulativeSum, {&x, 1}, {&axis, 1}), turned = t.addOp(Op::Slice, {&sum, 1}, words);
  int64_t again = t.addOp(Op::CumulativeSum, {&turned, 1}, {&axis, 1}), sort[] = {0, 0};
  t.outputs = {t.addOp(Op::Sort, {&again, 1}, sort)};
  return t;
}

} // namespace

TEST(Size, IsAConstantASymbolOrDerived) {
  Size three = 3;
  EXPECT_TRUE(three.isConstant() && three.is(3) && !three.isSymbol() && !three.isDerived());
  EXPECT_TRUE(kN.isSymbol() && !kN.isConstant() && !kN.is(0) && kN.symbol() == 0 && kM.symbol() == 1);
  EXPECT_TRUE(Size::derived().isDerived() && !Size::derived().isSymbol() && !Size::derived().isConstant());
  EXPECT_EQ(kN, Size::symbol(0));
  EXPECT_NE(kN, kM);
  EXPECT_NE(Size::derived(), Size::derived()) << "nobody knows";
  EXPECT_EQ(toString(Shape{3, kM, Size::derived()}), "(3, s1, ?)");
  EXPECT_TRUE(Size::isBefore(7, kN) && Size::isBefore(kN, kM) && !Size::isBefore(kM, kN));
}

TEST(SizeDeathTest, GivesNoNumberThatACallTells) {
  EXPECT_DEATH(kN.number(), "the same in every call");
  EXPECT_DEATH(Size::derived().number(), "the same in every call");
  EXPECT_DEATH(Size::derived().word(), "a size that a program says");
  EXPECT_DEATH(Size(3).symbol(), "that the call tells");
  EXPECT_THROW(Size(int64_t(-1)), Error);
  EXPECT_THROW(Shape(Dims{3, -1}), Error);
  EXPECT_DEATH(numElements(Shape{3, kN}), "the same in every call");
  EXPECT_DEATH(Shape{kN}.numbers(), "the same in every call");
}

TEST(Size, WordsAreReadInOnePlace) {
  EXPECT_EQ(Size::ofWord(5, kNoSymbols), Size(5));
  EXPECT_EQ(Size::ofWord(kWordM, 2), kM);
  EXPECT_FALSE(Size::ofWord(kWordM, 1)) << "a symbol that the program has not";
  EXPECT_FALSE(Size::ofWord(-1, 0));
  EXPECT_FALSE(Size::ofWord(-1, kNoSymbols));
  EXPECT_FALSE(Size::ofWord(std::numeric_limits<int64_t>::min(), kMostSymbols));
  expectRefused(refusal(Op::Reshape, {floats({8})}, {1, -8}, kNoSymbols), "reshape: sizes and positions: expected at least 0, got -8");
  expectRefused(refusal(Op::Reshape, {floats({8})}, {1, -3}), "symbols of the program, got -3");
  expectRefused(refusal(Op::Nonzero, {{DType::Bool, {8}}}, {-3}), "got -3");
  expectRefused(refusal(Op::Iota, {}, {0, int64_t(DType::I64), 1, -9}), "got -9");
  expectRefused(refusal(Op::Reshape, {floats({8})},
                        {33, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 8}),
                "number of sizes: expected 0 to 32");
  expectRefused(refusal(Op::Reshape, {floats({8})}, {3, 8}), "number of sizes");
}

TEST(Size, ReshapesThatCannotHoldAreRefused) {
  EXPECT_EQ(typeOf(Op::Reshape, {floats({kN, 4})}, {1, kWordM}), floats({kM}));
  EXPECT_EQ(refusal(Op::Reshape, {floats({kN, 12})}, {3, 3, kWordN, 4}), "");
  EXPECT_EQ(refusal(Op::Reshape, {floats({kN, kM})}, {2, kWordM, kWordN}), "");
  EXPECT_EQ(refusal(Op::Reshape, {floats({12})}, {2, kWordN, 3}), "");
  expectRefused(refusal(Op::Reshape, {floats({kN, 12})}, {2, kWordN, 11}), "number of elements: expected that of (s0, 12) for some sizes");
  expectRefused(refusal(Op::Reshape, {floats({kN, kM})}, {1, kWordN}), "number of elements");
  expectRefused(refusal(Op::Reshape, {floats({12})}, {2, kWordN, 5}), "number of elements");
  expectRefused(refusal(Op::Reshape, {floats({12})}, {2, kWordN, 12}), "number of elements"); // a size is at least 2
  expectRefused(refusal(Op::Reshape, {floats({6})}, {3, kWordN, kWordM, 2}), "number of elements");
  expectRefused(refusal(Op::Reshape, {floats({kN, 0})}, {1, kWordM}), "number of elements");
  expectRefused(refusal(Op::Reshape, {floats({kN, 4})}, {2, kWordN, kMostElements * 2}), "number of elements: expected at most");
}

TEST(Size, RangesThatCannotHoldAreRefused) {
  auto slice = [](Size size, int64_t start, int64_t count, int64_t step) {
    return refusal(Op::Slice, {floats({size})}, {1, start, 1, count, 1, step});
  };
  EXPECT_EQ(slice(kN, 1, kWordM, 1), "");
  EXPECT_EQ(slice(kN, kWordM, kWordN, -1), "");
  EXPECT_EQ(slice(kN, 0, kWordN, 1), "");
  EXPECT_EQ(slice(8, kWordN, kWordM, 3), "");
  EXPECT_EQ(slice(kN, 7, 0, 1), "");
  expectRefused(slice(kN, 1, kWordN, 1), "range of axis 0: expected positions within s0, got s0 from 1 in steps of 1");
  expectRefused(slice(kN, 0, kWordN, 2), "range of axis 0");
  expectRefused(slice(kN, 0, kWordN, -1), "range of axis 0");
  expectRefused(slice(kN, kWordN, 1, 1), "range of axis 0");
  expectRefused(slice(kN, 1, 3, -1), "range of axis 0");
  expectRefused(slice(8, 7, kWordN, 1), "range of axis 0");
  expectRefused(slice(8, 9, kWordN, -1), "range of axis 0");
  expectRefused(slice(8, kWordN, kWordM, -8), "range of axis 0");
  expectRefused(slice(kN, 0, kWordM, 0), "step of axis 0: expected one that is not 0");
  expectRefused(refusal(Op::Update, {floats({kN}), floats({kN})}, {1, 2, 1, 1}), "range of axis 0");
  expectRefused(refusal(Op::DynamicSlice, {floats({1}), {DType::I64, {1}}}, {1, kWordN}), "size of axis 0: expected at most 1, got s0");
}

TEST(Size, ConvolutionsThatCannotHoldAreRefused) {
  auto type = [](const Shape &x, const Shape &w, int64_t groups, int64_t padding = 0) {
    return typeOf(Op::Convolution, {floats(x), floats(w)}, {1, 1, 1, padding, 1, padding, 1, 1, groups});
  };
  auto convolution = [](const Shape &x, const Shape &w, int64_t groups) {
    return refusal(Op::Convolution, {floats(x), floats(w)}, {1, 1, 1, 0, 1, 0, 1, 1, groups});
  };
  EXPECT_TRUE(type({1, kN, 4}, {3, 4, 8}, 1).shape[1].isDerived());
  EXPECT_EQ(type({1, kN, 4}, {3, 4, 8}, 1, 1), floats({1, kN, 8})) << "the padding makes up for the window";
  EXPECT_EQ(type({1, 9, kN}, {3, kN, kM}, 1), floats({1, 7, kM}));
  EXPECT_EQ(convolution({1, 9, kN}, {3, kM, 4}, 2), "");
  EXPECT_EQ(convolution({1, 9, kN}, {3, 2, 4}, 2), "");
  EXPECT_EQ(convolution({1, 9, 6}, {3, kN, 4}, 2), "");
  expectRefused(convolution({1, 9, kN}, {3, kM, 4}, 1), "channels: expected s1 in");
  expectRefused(convolution({1, 9, kN}, {3, kN, 4}, 2), "channels: expected s0 * 2 in");
  expectRefused(convolution({1, 9, 7}, {3, kN, 4}, 2), "channels");
  expectRefused(convolution({1, 9, 2}, {3, kN, 4}, 2), "channels"); // a size is at least 2
  expectRefused(convolution({1, 9, kN}, {3, 0, 4}, 2), "channels");
  expectRefused(convolution({1, 9, kN}, {3, kM, 5}, 2), "channels");
  expectRefused(convolution({1, 9, kN}, {3, kM, 4}, 0), "channels");
}

TEST(Size, WhatFollowsByArithmeticIsDerived) {
  EXPECT_TRUE(typeOf(Op::Concat, {floats({kN}), floats({3})}, {0}).shape[0].isDerived());
  EXPECT_TRUE(typeOf(Op::Concat, {floats({kN}), floats({kM}), floats({3})}, {0}).shape[0].isDerived());
  EXPECT_EQ(typeOf(Op::Concat, {floats({kN}), floats({0})}, {0}), floats({kN}));
  EXPECT_TRUE(agrees(floats({Size::derived(), 3}), floats({kM, 3})));
  EXPECT_FALSE(agrees(floats({Size::derived()}), floats({7})));
  EXPECT_FALSE(agrees(floats({kN}), floats({kM})));
  expectRefused(refusal(Op::Cholesky, {{DType::F64, {kN, kN}}}, {0}), "sizes of operands: expected fixed ones, got float64[s0, s0]");
  expectRefused(refusal(Op::Rfft, {floats({kN})}, {0, 0}), "sizes of operands: expected fixed ones");
  expectRefused(refusal(Op::Add, {floats({kN}), floats({kM})}, {}), "shapes of operands differ: expected (s0,), got (s1,)");
}

TEST(Size, SerializedOpenProgramsAreChecked) {
  Trace open = *generalize(scans(10), scans(20));
  std::vector<int64_t> words = open.serialize();
  EXPECT_EQ(Trace::parse(words), open);
  auto refused = [&](int64_t from, int64_t to) {
    std::vector<int64_t> changed = words;
    std::replace(changed.begin(), changed.end(), from, to);
    return textOf([&] { Trace::parse(changed); });
  };
  EXPECT_NE(refused(kWordN, -9).find("symbols of the program, got -9"), std::string::npos) << refused(kWordN, -9);
  EXPECT_NE(refused(kWordN, std::numeric_limits<int64_t>::min() + 1).find("symbols of the program"), std::string::npos);
  open.types.back().shape[1] = kN;
  EXPECT_NE(textOf([&] { Trace::parse(open.serialize()); }).find("type of a result"), std::string::npos);
  open.symbols = kMostSymbols + 1;
  EXPECT_NE(textOf([&] { Trace::parse(open.serialize()); }).find("symbols: expected at most"), std::string::npos);
}

TEST(Workspace, FollowsTheSizesOrRefusesThem) {
  setLibraryFolder(std::filesystem::read_symlink("/proc/self/exe").parent_path().parent_path() / "lib");
  CacheConfig config = cacheConfig();
  config.enabled = false;
  setCacheConfig(config);
  Trace open = *generalize(scans(10), scans(20));
  ASSERT_EQ(open.symbols, 2); // n, n - 1
  auto executable = getExecutable(open.serialize()).executable;
  auto bytes = [&](int64_t n) {
    int64_t symbols[] = {n, n - 1};
    return executable->workspaceBytes(symbols);
  };
  EXPECT_GE(bytes(1000), size_t(1000 * 3 * 8)) << "at least one array";
  EXPECT_GE(bytes(int64_t(1) << 31), size_t(3 * 8) << 31);
  EXPECT_LT(bytes(int64_t(1) << 31), bytes(int64_t(1) << 40));
  for (int power = 53; power < 63; ++power)
    for (int64_t less : {0, 1, 77})
      EXPECT_NE(textOf([&] { bytes((int64_t(1) << power) - less); }).find("workspace: expected sizes whose arrays fit"), std::string::npos)
          << power;
  EXPECT_NE(textOf([&] { bytes(std::numeric_limits<int64_t>::max()); }).find("workspace"), std::string::npos);
  EXPECT_NE(textOf([&] { bytes(std::numeric_limits<int64_t>::min() + 1); }).find("workspace"), std::string::npos);
}
