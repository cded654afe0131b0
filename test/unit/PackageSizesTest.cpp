// How programs and numbers that follow from sizes are found.
#include "lib/Package/FitSizes.h"
#include "lib/Package/SizeVariants.h"
#include "test/unit/Thrown.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <gtest/gtest.h>
#include <map>

using namespace kiln;

namespace {

const std::vector<std::string> kNames{"n", "m"};

std::vector<Sizes> grid(int64_t least, int64_t most, size_t dimensions) {
  std::vector<Sizes> points;
  for (int64_t n = least; n <= most; ++n) {
    if (dimensions == 1) points.push_back({n});
    else
      for (int64_t m = least; m <= most; ++m) points.push_back({n, m});
  }
  return points;
}

/// The expression that is found for a function of sizes; "" for none. It must agree everywhere.
template <typename F> std::string fitted(const F &f, size_t dimensions = 1, int64_t least = 2, int64_t most = 60) {
  std::vector<Sizes> points = grid(least, most, dimensions);
  std::vector<int64_t> values;
  for (const Sizes &p : points) values.push_back(f(p));
  auto found = fitSizes(points, values);
  if (!found) return "";
  for (size_t i = 0; i < points.size(); ++i) EXPECT_EQ(evaluate(*found, points[i]), values[i]);
  return toString(*found, kNames);
}

Trace scaled(int64_t size, float factor, int64_t part) {
  Trace t;
  int64_t x = t.addInput({DType::F32, {size}});
  uint32_t bits;
  std::memcpy(&bits, &factor, sizeof bits);
  std::vector<int64_t> constant{int64_t(DType::F32), bits}, wide{0, 1, size}, slice{1, 0, 1, part, 1, 1};
  int64_t c = t.addOp(Op::Constant, {}, constant), w = t.addOp(Op::Broadcast, std::vector{c}, wide);
  int64_t y = t.addOp(Op::Multiply, std::vector{x, w}, {});
  t.outputs = {part ? t.addOp(Op::Slice, std::vector{y}, slice) : y};
  return t;
}

} // namespace

TEST(FitSizes, FindsWhatFunctionsDoWithSizes) {
  EXPECT_EQ(fitted([](const Sizes &) { return 7; }), "7");
  EXPECT_EQ(fitted([](const Sizes &p) { return p[0]; }), "n");
  EXPECT_EQ(fitted([](const Sizes &p) { return 3 * p[0] - 4; }), "3 * n - 4");
  EXPECT_EQ(fitted([](const Sizes &p) { return p[0] / 3; }), "n // 3");
  EXPECT_EQ(fitted([](const Sizes &p) { return (p[0] + 1) / 2; }), "(n + 1) // 2");
  EXPECT_EQ(fitted([](const Sizes &p) { return (2 * p[0] + 5) / 7; }), "(2 * n + 5) // 7");
  EXPECT_EQ(fitted([](const Sizes &p) { return std::min<int64_t>(p[0], 20); }), "min(n, 20)");
  EXPECT_EQ(fitted([](const Sizes &p) { return std::max<int64_t>(p[0] - 10, 1); }), "max(1, n - 10)");
  EXPECT_EQ(fitted([](const Sizes &p) { return p[0] * p[0]; }), "n * n");
  EXPECT_EQ(fitted([](const Sizes &p) { return p[0] * p[1] * 3; }, 2, 2, 20), "3 * (n * m)");
  EXPECT_EQ(fitted([](const Sizes &p) { return 2 * p[0] + p[1] - 1; }, 2, 2, 20), "2 * n + m - 1");
  EXPECT_EQ(fitted([](const Sizes &p) { return (p[0] + p[1]) / 2; }, 2, 2, 20), "(n + m) // 2");
  EXPECT_EQ(fitted([](const Sizes &p) { return p[0] > 30 ? 64 : 32; }), ""); // it is told apart, not fitted
  EXPECT_EQ(fitted([](const Sizes &p) { return int64_t(std::sqrt(double(p[0]))); }), "");
  EXPECT_FALSE(fitSizes({}, {}).has_value());
}

TEST(FitSizes, LargeNumbersDoNotOverflow) {
  std::vector<Sizes> points{{int64_t(1) << 40}, {int64_t(1) << 41}, {int64_t(1) << 42}};
  std::vector<int64_t> values{int64_t(1) << 61, int64_t(1) << 62, INT64_MAX};
  EXPECT_FALSE(fitSizes(points, values).has_value());
}

TEST(SizeVariants, OneProgramForEachKindOfSizes) {
  std::map<int64_t, int> recorded;
  auto record = [&](const Sizes &at) -> std::optional<SizeRecording> {
    ++recorded[at[0]];
    if (at[0] == 13) return std::nullopt; // raises
    return SizeRecording{scaled(at[0], at[0] > 30 && at[0] <= 60 ? 2.0f : 3.0f, 0), at[0] == 20 ? "other" : ""};
  };
  auto variants = findVariants(grid(1, 100, 1), record);
  std::vector<std::vector<SizeBox>> boxes;
  for (const SizeVariant &variant : variants) boxes.push_back(boxesOf(variant.sizes));
  std::vector<std::vector<SizeBox>> expected{{{{1, 1}}}, {{{2, 12}}, {{14, 19}}, {{21, 30}}, {{61, 100}}}, {{{20, 20}}}, {{{31, 60}}}};
  ASSERT_EQ(boxes, expected);
  for (const SizeVariant &variant : variants)
    EXPECT_TRUE(variant.numbers.empty()) << toString(variant.numbers[0], kNames); // 2 and 3 do not follow from the size
  EXPECT_EQ(variants[2].tag, "other");
  EXPECT_FALSE(variants[0].program.isOpen());
  EXPECT_EQ(toString(variants[3].symbols.at(0), kNames), "n");
}

TEST(SizeVariants, NumbersThatFollowFromSizesAreInputs) {
  auto record = [](const Sizes &at) { return SizeRecording{scaled(at[0], float(at[0] * 2), at[0] / 2), ""}; };
  auto variants = findVariants(grid(4, 60, 1), record);
  ASSERT_EQ(variants.size(), 1u);
  const SizeVariant &variant = variants[0];
  EXPECT_EQ(variant.program.inputs, 2);
  EXPECT_EQ(toString(variant.numbers.at(0), kNames), "2 * n");
  EXPECT_EQ(toString(variant.symbols.at(1), kNames), "n // 2");
}

TEST(SizeVariants, TooManyProgramsAreRefused) {
  auto record = [](const Sizes &at) { return SizeRecording{scaled(at[0], std::sin(float(at[0])), 0), ""}; };
  auto [kind, text] = thrown([&] { findVariants(grid(2, 200, 1), record); });
  EXPECT_EQ(kind, ErrorKind::Trace);
  EXPECT_TRUE(contains(text, "at most 64 programs")) << text; // # negative
}

TEST(SizeVariants, BoxesCoverTheirSizesAndNoOthers) {
  std::vector<Sizes> points;
  for (const Sizes &p : grid(1, 12, 2))
    if (p[0] < p[1] || p[0] == 11) points.push_back(p);
  std::vector<SizeBox> boxes = boxesOf(points);
  EXPECT_LT(boxes.size(), 20u);
  for (const Sizes &p : grid(1, 12, 2)) {
    auto inside = std::ranges::count_if(boxes, [&](const SizeBox &box) {
      return p[0] >= box[0].first && p[0] <= box[0].second && p[1] >= box[1].first && p[1] <= box[1].second;
    });
    EXPECT_EQ(inside, p[0] < p[1] || p[0] == 11) << p[0] << ", " << p[1];
  }
  EXPECT_EQ(boxesOf({{}}), std::vector<SizeBox>{{}});
  EXPECT_TRUE(boxesOf({}).empty());
}
