// Rolled loops: where the periods of a recording are found, and what they become.
#include "frontend/Interpreter.h"
#include "frontend/Ops.h"
#include "lib/Core/Generalize.h"
#include "lib/Core/Periods.h"
#include "lib/Core/Program.h"
#include "lib/Core/Roll.h"

#include <algorithm>
#include <array>
#include <gtest/gtest.h>

using namespace kiln;

namespace {

const TensorType kRow{DType::F64, {4}}, kTable{DType::F64, {64, 4}};

int64_t op(Trace &t, Op op, std::initializer_list<int64_t> operands, std::vector<int64_t> words = {}) {
  return t.addOp(op, std::span(operands.begin(), operands.size()), words);
}
int64_t number(Trace &t, double value) {
  int64_t c = op(t, Op::Constant, {}, {int64_t(DType::F64), std::bit_cast<int64_t>(value)});
  return op(t, Op::Broadcast, {c}, {0, 1, 4});
}
/// Row `i` of a table.
int64_t rowOf(Trace &t, int64_t table, int64_t i) {
  return op(t, Op::Reshape, {op(t, Op::Slice, {table}, {2, i, 0, 2, 1, 4, 2, 1, 1})}, {1, 4});
}
int64_t withRow(Trace &t, int64_t table, int64_t i, int64_t row) {
  return op(t, Op::Update, {table, op(t, Op::Reshape, {row}, {2, 1, 4})}, {2, i, 0, 2, 1, 1});
}

size_t count(const Trace &trace, Op which) {
  size_t n = 0;
  for (size_t at = 0; at < trace.words.size();) n += Trace::decode(trace.words, at).op == which;
  return n;
}

std::vector<std::string> bits(const Trace &trace) {
  std::vector<Array> inputs;
  std::vector<const Array *> given;
  double next = 0.25;
  for (int64_t i = 0; i < trace.inputs; ++i) {
    Array &a = inputs.emplace_back(Array::empty(trace.types[size_t(i)].dtype, trace.types[size_t(i)].shape.numbers()));
    for (int64_t k = 0; k < a.size(); ++k) reinterpret_cast<double *>(a.data())[k] = next = next * 1.25 - double(int64_t(next));
  }
  for (Array &a : inputs) given.push_back(&a);
  std::vector<std::string> all;
  for (const Array &result : interpret(trace, given)) all.emplace_back(result.data(), size_t(result.size() * byteSize(result.dtype)));
  return all;
}

/// Rolled, with the bits of the recording.
Trace rolled(const Trace &trace) {
  std::vector<Repetition> found;
  auto result = roll(trace, found);
  EXPECT_TRUE(result) << (found.empty() ? "nothing repeats" : found[0].why);
  if (!result) return {};
  EXPECT_EQ(result->from.size(), result->trace.types.size());
  EXPECT_EQ(bits(result->trace), bits(trace));
  return std::move(result->trace);
}

std::string refused(const Trace &trace) {
  std::vector<Repetition> found;
  EXPECT_FALSE(roll(trace, found));
  return found.empty() ? "" : found[0].why;
}

/// x = x * w + row i of a table, with a write of x into another row.
Trace recurrence(int64_t trips, int64_t first = 0, int64_t step = 1) {
  Trace t;
  int64_t x = t.addInput(kRow), w = t.addInput(kRow), table = t.addInput(kTable);
  for (int64_t i = 0; i < trips; ++i) {
    x = op(t, Op::Add, {op(t, Op::Multiply, {x, w}), rowOf(t, table, first + i * step)});
    table = withRow(t, table, first + i * step, x);
  }
  t.outputs = {x, table};
  return t;
}

} // namespace

TEST(Roll, EchoesTellTheDistanceToTheLastLikePlace) {
  std::vector<uint64_t> sequence;
  for (int i = 0; i < 6; ++i) sequence.insert(sequence.end(), {1, 2, 1, 3, 1, 1});
  Echoes echoes(sequence);
  EXPECT_TRUE(echoes.at(1).empty());
  EXPECT_EQ(echoes.at(9), std::vector<size_t>{6});       // 3 is there once in a period
  EXPECT_EQ(echoes.at(29), (std::vector<size_t>{5, 6})); // two of 1 are there more often, sixteen places are not
}

TEST(Roll, StretchesEndWhereARelationChanges) {
  Trace t = recurrence(10);
  int64_t x = t.outputs[0], other = op(t, Op::Multiply, {x, x});
  t.outputs = {op(t, Op::Add, {other, x})};
  Lines lines(t);
  Stretch stretch = stretchAround(lines, 20, 6, 0);
  EXPECT_LE(stretch.begin, 12u); // lines of the first trips take inputs
  EXPECT_EQ(stretch.end, 60u);
  std::string why;
  auto run = alignRun(lines, stretch, 0, why);
  ASSERT_TRUE(run) << why;
  EXPECT_EQ(run->first, 0u); // which may be anything
  EXPECT_EQ(run->period, 6u);
  EXPECT_EQ(run->trips, 10u);
}

TEST(Roll, APeriodBecomesALoop) {
  Trace t = rolled(recurrence(40));
  EXPECT_EQ(count(t, Op::Loop), 1u);
  EXPECT_EQ(count(t, Op::Multiply), 0u);
  EXPECT_EQ(count(rolled(recurrence(40, 50, -1)), Op::Loop), 1u);
  EXPECT_EQ(count(rolled(recurrence(30, 3, 2)), Op::Loop), 1u);
}

TEST(Roll, TheNumberOfTripsIsAnInput) {
  auto a = openTrips(rolled(recurrence(40))), b = openTrips(rolled(recurrence(63)));
  ASSERT_TRUE(a && b);
  EXPECT_EQ(a->serialize(), b->serialize());
  auto instance = instantiate(*a, rolled(recurrence(50)));
  ASSERT_TRUE(instance);
  EXPECT_EQ(instance->numbers, std::vector<int64_t>{50});
  EXPECT_FALSE(openTrips(recurrence(3)));
}

TEST(Roll, NumbersFollowRules) {
  for (auto rule : {+[](int i) { return 3.0 * i + 2; }, +[](int i) { return i * 0.1; }, +[](int) { return 0.5; }}) {
    Trace t;
    int64_t x = t.addInput(kRow);
    for (int i = 0; i < 300; ++i) x = op(t, Op::Add, {op(t, Op::Sin, {x}), number(t, rule(i))});
    t.outputs = {x};
    EXPECT_EQ(count(rolled(t), Op::Loop), 2u); // of many trips at once, and of the rest
  }
  Trace t;
  int64_t x = t.addInput(kRow);
  for (int i = 0; i < 300; ++i) x = op(t, Op::Add, {op(t, Op::Sin, {x}), number(t, i * i)});
  t.outputs = {x};
  EXPECT_EQ(refused(t), "a number or position follows no simple rule");
}

TEST(Roll, LoopsInLoops) {
  auto nest = [](bool isTriangular) {
    Trace t;
    int64_t x = t.addInput(kRow), table = t.addInput(kTable);
    for (int64_t i = 0; i < 30; ++i) {
      for (int64_t k = 0; k < (isTriangular ? i : 30); ++k)
        x = op(t, Op::Multiply, {op(t, Op::Add, {op(t, Op::Add, {x, rowOf(t, table, k)}), rowOf(t, table, i)}), number(t, double(i))});
      table = withRow(t, table, i, op(t, Op::Sqrt, {x}));
    }
    t.outputs = {table};
    return t;
  };
  Trace square = rolled(nest(false)), triangle = rolled(nest(true));
  EXPECT_LE(square.types.size(), 100u);
  EXPECT_LE(triangle.types.size(), 30 * 29 * 9 / 2 / 3u); // trips of few inner ones stay
}

TEST(Roll, ValuesOfTwoTripsBeforeJoinTrips) {
  Trace t;
  int64_t a = t.addInput(kRow), b = t.addInput(kRow), table = t.addInput(kTable);
  for (int64_t i = 0; i < 64; ++i) {
    int64_t next = op(t, Op::Add, {op(t, Op::Multiply, {a, b}), rowOf(t, table, i)});
    a = b, b = next;
  }
  t.outputs = {a, b};
  EXPECT_EQ(count(rolled(t), Op::Loop), 1u);
}

TEST(Roll, WhatIsUsedLaterStays) {
  Trace t;
  int64_t x = t.addInput(kRow), table = t.addInput(kTable);
  std::vector<int64_t> all;
  for (int64_t i = 0; i < 64; ++i) all.push_back(x = op(t, Op::Add, {op(t, Op::Sin, {x}), rowOf(t, table, i)}));
  t.outputs = all;
  EXPECT_EQ(refused(t), "values of several trips are used after them");
  t.outputs = {all[40], all[63]}; // two loops
  EXPECT_EQ(count(rolled(t), Op::Loop), 1u + (63 - 41 >= 32));
  int64_t before = -1;
  Trace u;
  x = u.addInput(kRow), table = u.addInput(kTable);
  for (int64_t i = 0; i < 64; ++i) before = op(u, Op::Sin, {x}), x = op(u, Op::Add, {before, rowOf(u, table, i)});
  u.outputs = {x, before}; // of the last trip, which is not rolled
  Trace r = rolled(u);
  EXPECT_EQ(count(r, Op::Loop), 1u);
  EXPECT_EQ(count(r, Op::Sin), 1u);
}

/// The values of 64 trips of x = sin(x * w) + row i.
std::vector<int64_t> waves(Trace &t, int64_t &x, int64_t w, int64_t table) {
  std::vector<int64_t> all;
  for (int64_t i = 0; i < 64; ++i) all.push_back(x = op(t, Op::Add, {op(t, Op::Sin, {op(t, Op::Multiply, {x, w})}), rowOf(t, table, i)}));
  return all;
}

TEST(Roll, WhatAnotherLoopReadsIsRows) {
  for (bool isReversed : {false, true}) {
    Trace t;
    int64_t x = t.addInput(kRow), w = t.addInput(kRow), table = t.addInput(kTable), y = w;
    std::vector<int64_t> all = waves(t, x, w, table);
    if (isReversed) std::ranges::reverse(all);
    for (int64_t value : all) y = op(t, Op::Add, {op(t, Op::Cos, {op(t, Op::Multiply, {value, w})}), y});
    t.outputs = {x, y};
    Trace r = rolled(t);
    EXPECT_EQ(count(r, Op::Loop), 2u);
    EXPECT_LE(count(r, Op::Sin) + count(r, Op::Cos), 2u);
  }
}

TEST(Roll, RowsOfRowsOfThreeLoops) {
  Trace t;
  int64_t x = t.addInput(kRow), w = t.addInput(kRow), table = t.addInput(kTable), y = w, z = x;
  std::vector<int64_t> all = waves(t, x, w, table), others;
  for (size_t i = 64; i-- > 0;) others.push_back(y = op(t, Op::Cos, {op(t, Op::Multiply, {all[i], y})}));
  for (size_t i = 0; i < 64; ++i) z = op(t, Op::Add, {op(t, Op::Multiply, {z, all[i]}), op(t, Op::Sin, {others[63 - i]})});
  t.outputs = {z};
  EXPECT_EQ(count(rolled(t), Op::Loop), 3u);
}

/// As a gradient goes back: by the values before each trip, of which the first is none of the loop's, and without an operation at the end
/// that nobody asks for.
TEST(Roll, ALastTripThatLacksOperationsIsOne) {
  Trace t;
  int64_t x = t.addInput(kRow), w = t.addInput(kRow), table = t.addInput(kTable), y = t.addInput(kRow), sum = t.addInput(kRow);
  std::vector<int64_t> before = {x}, all = waves(t, x, w, table);
  before.insert(before.end(), all.begin(), all.end());
  for (size_t i = 64; i-- > 0;) {
    sum = op(t, Op::Add, {sum, op(t, Op::Multiply, {y, before[i]})});
    if (i > 0) y = op(t, Op::Multiply, {y, op(t, Op::Cos, {before[i]})});
  }
  t.outputs = {sum};
  Trace r = rolled(t);
  EXPECT_EQ(count(r, Op::Loop), 2u);
  EXPECT_LE(count(r, Op::Cos), 1u); // of the first trip
}

TEST(Roll, SimpleOperationsOnRowsAreMadeAgain) {
  Trace t;
  int64_t x = t.addInput(kRow), w = t.addInput(kRow), table = t.addInput(kTable), y = w;
  std::vector<int64_t> products;
  std::vector<int64_t> all;
  for (int64_t i = 0; i < 64; ++i) {
    products.push_back(op(t, Op::Multiply, {x, w}));
    all.push_back(x = op(t, Op::Add, {op(t, Op::Sin, {products.back()}), rowOf(t, table, i)}));
  }
  for (size_t i = 64; i-- > 0;) y = op(t, Op::Add, {op(t, Op::Multiply, {op(t, Op::Cos, {products[i]}), all[i]}), y});
  t.outputs = {y};
  Trace r = rolled(t);
  EXPECT_EQ(count(r, Op::Loop), 2u);
  size_t updates = 0;
  for (const auto &body : r.bodies) updates += count(*body, Op::DynamicUpdate);
  EXPECT_EQ(updates, 1u);
}

TEST(Roll, AStackOfWhatTripsMakeIsRows) {
  for (size_t first : {0, 5}) {
    Trace t;
    int64_t x = t.addInput(kRow), w = t.addInput(kRow), table = t.addInput(kTable);
    std::vector<int64_t> all = waves(t, x, w, table), parts;
    if (first) parts.push_back(op(t, Op::Reshape, {w}, {2, 1, 4}));
    for (size_t i = first; i < 64; ++i) parts.push_back(op(t, Op::Reshape, {all[i]}, {2, 1, 4}));
    int64_t axis = 0;
    t.outputs = {t.addOp(Op::Concat, parts, {&axis, 1})};
    Trace r = rolled(t);
    EXPECT_EQ(count(r, Op::Loop), 1u);
    EXPECT_EQ(count(r, Op::Concat), size_t(first > 0));
  }
}

TEST(Roll, RowsOfConcatenations) {
  Trace t;
  int64_t x = t.addInput(kRow), w = t.addInput(kRow), table = t.addInput(kTable), axis = 0, y = -1;
  std::vector<int64_t> all = waves(t, x, w, table), windows;
  for (size_t i = 0; i + 9 < 64; ++i) {
    std::vector<int64_t> parts;
    for (size_t k = i; k < i + 9; ++k) parts.push_back(op(t, Op::Reshape, {all[k]}, {2, 1, 4}));
    windows.push_back(op(t, Op::Cos, {t.addOp(Op::Concat, parts, {&axis, 1})}));
  }
  for (size_t i = windows.size(); i-- > 0;) {
    int64_t doubled = op(t, Op::Multiply, {windows[i], windows[i]});
    y = y < 0 ? doubled : op(t, Op::Add, {op(t, Op::Sin, {y}), doubled});
  }
  t.outputs = {y};
  rolled(t);
}

TEST(Roll, WhatIsReadInNoOrderStays) {
  Trace t;
  int64_t x = t.addInput(kRow), w = t.addInput(kRow), table = t.addInput(kTable), y = w;
  std::vector<int64_t> all = waves(t, x, w, table);
  for (size_t i = 0; i < 64; ++i) y = op(t, Op::Add, {op(t, Op::Multiply, {y, w}), all[i * i * 5 % 64]});
  t.outputs = {y};
  EXPECT_NE(refused(t), "");
}

TEST(Roll, ValuesOfOtherSizesAreNoRows) {
  Trace t;
  int64_t x = t.addInput(kTable), y = t.addInput({DType::F64, {}});
  std::vector<int64_t> all;
  for (int64_t i = 2; i < 60; ++i) all.push_back(op(t, Op::Sin, {op(t, Op::Slice, {x}, {2, 0, 0, 2, i, 4, 2, 1, 1})}));
  for (size_t i = all.size(); i-- > 0;) y = op(t, Op::Add, {op(t, Op::Sum, {op(t, Op::Multiply, {all[i], all[i]})}, {2, 0, 1}), y});
  t.outputs = {y};
  std::vector<Repetition> found;
  auto result = roll(t, found);
  if (result) { EXPECT_EQ(bits(result->trace), bits(t)); }
}

TEST(Roll, WhatDoesNotRepeatStays) {
  Trace t;
  int64_t x = t.addInput(kRow);
  for (int64_t i = 0; i < 400; ++i) x = op(t, i % 7 * i % 5 ? Op::Sin : Op::Cos, {x});
  t.outputs = {x};
  std::vector<Repetition> found;
  auto result = roll(t, found);
  if (result) { EXPECT_EQ(bits(result->trace), bits(t)); }
  Trace arrays; // of a list
  x = arrays.addInput(kRow);
  std::vector<int64_t> inputs;
  for (int64_t i = 0; i < 200; ++i) inputs.push_back(arrays.addInput(kRow));
  for (int64_t input : inputs) x = op(arrays, Op::Add, {op(arrays, Op::Sin, {x}), input});
  arrays.outputs = {x};
  EXPECT_FALSE(roll(arrays, found));
}

TEST(Roll, PartsOfNoElements) {
  Trace t;
  int64_t x = t.addInput(kTable), empty = op(t, Op::Slice, {x}, {2, 0, 0, 2, 0, 4, 2, 1, 1});
  for (int64_t i = 0; i < 60; ++i) {
    empty = op(t, Op::Add, {empty, op(t, Op::Slice, {x}, {2, i, 0, 2, 0, 4, 2, 2, 1})});
    x = op(t, Op::Update, {x, empty}, {2, i, 0, 2, 1, 1});
  }
  t.outputs = {x};
  EXPECT_EQ(count(rolled(t), Op::Loop), 1u);
}

TEST(Roll, StepsAndSmallParts) {
  Trace t;
  int64_t x = t.addInput(kTable);
  for (int64_t i = 0; i < 30; ++i) { // x[60-i:30-i:-3, 1::2] = half of x[i:i+20:2, 0:4:2]
    int64_t part = op(t, Op::Slice, {x}, {2, i, 0, 2, 10, 2, 2, 2, 2});
    int64_t half =
        op(t, Op::Multiply,
           {part, op(t, Op::Broadcast, {op(t, Op::Constant, {}, {int64_t(DType::F64), std::bit_cast<int64_t>(0.5)})}, {0, 2, 10, 2})});
    x = op(t, Op::Update, {x, half}, {2, 60 - i, 1, 2, -3, 2});
  }
  t.outputs = {x};
  EXPECT_EQ(count(rolled(t), Op::Loop), 1u);
}

//===-- trips of other sizes ----------------------------------------------------------------------------------------===//

namespace {

/// y[i] = y[i] * x[:i] . y[:i], for i from 0 on.
Trace prefixes(int64_t trips) {
  Trace t;
  int64_t x = t.addInput({DType::F64, {64}}), y = t.addInput({DType::F64, {64}});
  for (int64_t i = 0; i < trips; ++i) {
    int64_t a = op(t, Op::Slice, {x}, {1, 0, 1, i, 1, 1}), b = op(t, Op::Slice, {y}, {1, 0, 1, i, 1, 1});
    int64_t dot = op(t, Op::DotGeneral, {a, b}, {0, 0, 0, 0}), own = op(t, Op::Slice, {y}, {1, i, 1, 1, 1, 1});
    int64_t next = op(t, Op::Multiply, {op(t, Op::Reshape, {own}, {0}), dot});
    y = op(t, Op::Update, {y, op(t, Op::Reshape, {next}, {1, 1})}, {1, i, 1, 1});
  }
  t.outputs = {y};
  return t;
}

} // namespace

TEST(Roll, TripsOfOtherSizesAreABodyOfComputedSizes) {
  Trace t = rolled(prefixes(40));
  EXPECT_EQ(count(t, Op::Loop), 1u);
  EXPECT_LT(t.types.size(), 30u); // the trips of sizes 0 and 1 stay
  EXPECT_EQ(t.symbols, 0);
  const Trace *body = nullptr;
  for (const auto &b : t.bodies)
    if (count(*b, Op::Sized)) body = b.get();
  ASSERT_TRUE(body);
  ASSERT_EQ(body->bodies.size(), 1u);
  EXPECT_EQ(body->bodies[0]->given, 1);
  EXPECT_EQ(count(*body->bodies[0], Op::DotGeneral), 1u);
  EXPECT_EQ(Trace::parse(t.serialize()), t);
  EXPECT_EQ(unpackProgram(packProgram(t)), t);
}

TEST(Roll, OtherNumbersOfTripsOfOtherSizesAreOneProgram) {
  auto a = openTrips(rolled(prefixes(40))), b = openTrips(rolled(prefixes(63)));
  ASSERT_TRUE(a && b);
  EXPECT_EQ(*a, *b);
}

TEST(Roll, BodiesOfComputedSizesStayInTheirArrays) {
  const TensorType whole{DType::F64, {64}};
  auto refusal = [&](int64_t start, int64_t step, int64_t most) -> std::string {
    Trace body, t;
    body.symbols = body.given = 1;
    t.symbols = 0;
    int64_t x = body.addInput(whole), part = op(body, Op::Slice, {x}, {1, start, 1, -1, 1, step});
    body.outputs = {op(body, Op::Sum, {part}, {1, 0})};
    t.bodies.push_back(std::make_shared<const Trace>(std::move(body)));
    int64_t n = t.addInput({DType::I64, {}}), y = t.addInput(whole);
    try {
      op(t, Op::Sized, {n, y}, {0, 1, most});
    } catch (const Error &error) { return error.what(); }
    return "";
  };
  EXPECT_EQ(refusal(0, 1, 64), "");
  EXPECT_EQ(refusal(4, 1, 60), "");
  for (auto [start, step, most] : {std::array<int64_t, 3>{0, 1, 65}, {4, 1, 61}, {0, 2, 32}, {63, -1, 64}})
    EXPECT_NE(refusal(start, step, most).find("expected positions within its array"), std::string::npos) << start << " " << step;
}
