// Loops and branches: their rules, their recording, and how the interpreter runs them.
#include "frontend/Control.h"
#include "frontend/Interpreter.h"
#include "frontend/Ops.h"
#include "frontend/Recorder.h"
#include "lib/Core/Control.h"
#include "lib/Core/Error.h"
#include "lib/Core/Generalize.h"
#include "lib/Core/Infer.h"
#include "lib/Core/Program.h"
#include "lib/Package/BodyNumbers.h"

#include <gtest/gtest.h>

using namespace kiln;

namespace {

using Body = std::shared_ptr<const Trace>;

const TensorType kNumber{DType::I64, {}}, kFlag{DType::Bool, {}}, kRow{DType::F32, {4}};

int64_t constant(Trace &t, int64_t value) {
  int64_t words[] = {int64_t(DType::I64), value};
  return t.addOp(Op::Constant, {}, words);
}

int64_t add(Trace &t, Op op, std::initializer_list<int64_t> operands) {
  return t.addOp(op, std::span(operands.begin(), operands.size()), {});
}

/// n < 5, of a number and a row.
Body belowFive(const TensorType &row = kRow) {
  Trace t;
  int64_t n = t.addInput(kNumber);
  t.addInput(row);
  t.outputs = {add(t, Op::Less, {n, constant(t, 5)})};
  return std::make_shared<const Trace>(std::move(t));
}

/// n + 1, and the row doubled.
Body step(const TensorType &row = kRow) {
  Trace t;
  int64_t n = t.addInput(kNumber), x = t.addInput(row);
  t.outputs = {add(t, Op::Add, {n, constant(t, 1)}), add(t, Op::Add, {x, x})};
  return std::make_shared<const Trace>(std::move(t));
}

/// What it is given.
Body same(std::initializer_list<TensorType> types) {
  Trace t;
  for (const TensorType &type : types) t.outputs.push_back(t.addInput(type));
  return std::make_shared<const Trace>(std::move(t));
}

Array number(int64_t value) { return constantArray(DType::I64, {value, 0}); }
Array row(double value) { return full({4}, DType::F32, scalarBits({Operand::IsFloat, nullptr, 0, value}, DType::F32)); }
float first(const Array &x) { return *reinterpret_cast<const float *>(x.data()); }

void expectRefused(Op op, std::vector<TensorType> operands, std::vector<int64_t> words, std::vector<Body> bodies, const std::string &text) {
  try {
    inferAll(op, operands, words, bodies);
    ADD_FAILURE() << "accepted: " << text;
  } catch (const Error &e) { EXPECT_NE(std::string(e.what()).find(text), std::string::npos) << e.what(); }
}

} // namespace

TEST(Control, RulesOfLoops) {
  EXPECT_EQ(inferAll(Op::Loop, std::vector{kNumber, kRow}, std::vector<int64_t>{0, 1}, std::vector{belowFive(), step()}),
            (std::vector{kNumber, kRow}));
  expectRefused(Op::Loop, {kNumber, kRow}, {0, 2}, {belowFive(), step()}, "bodies: expected numbers below 2, got 2");
  expectRefused(Op::Loop, {kNumber}, {0, 1}, {belowFive(), step()}, "inputs of the condition: expected 1, got 2");
  expectRefused(Op::Loop, {kNumber, kFlag}, {0, 1}, {belowFive(), step()}, "input 1 of the condition: expected bool[], got float32[4]");
  expectRefused(Op::Loop, {kNumber, kRow}, {1, 1}, {belowFive(), step()}, "results of the condition: expected 1, got 2");
  expectRefused(Op::Loop, {kNumber}, {0, 0}, {same({kNumber})}, "result of the condition: expected bool[], got int64[]");
  expectRefused(Op::Loop, {kNumber, kRow}, {0, 0}, {belowFive()}, "carried value 0: expected int64[], got bool[]");
  Trace nothing;
  nothing.addInput(kFlag);
  expectRefused(Op::Loop, {kFlag}, {0, 1}, {same({kFlag}), std::make_shared<const Trace>(nothing)},
                "carried values: expected 1 to 1, got 0");
  EXPECT_THROW(inferAll(Op::Loop, {}, std::vector<int64_t>{0}, std::vector{belowFive()}), Error);
}

TEST(Control, RulesOfBranches) {
  Body one = same({kRow}), other = same({kNumber}), two = same({kRow, kRow});
  EXPECT_EQ(inferAll(Op::Branch, std::vector{kFlag, kRow}, std::vector<int64_t>{2, 0, 0}, std::vector{one}), (std::vector{kRow}));
  expectRefused(Op::Branch, {kFlag, kRow}, {0}, {}, "bodies: expected at least 1, got 0");
  expectRefused(Op::Branch, {kRow, kRow}, {1, 0}, {one}, "the number of the body: expected a bool or int64 of rank 0, got float32[4]");
  expectRefused(Op::Branch, {}, {1, 0}, {one}, "the number of the body: expected a bool or int64 of rank 0, got none");
  expectRefused(Op::Branch, {kFlag}, {1, 0}, {same({})}, "results: expected at least 1, got 0");
  expectRefused(Op::Branch, {kFlag, kRow}, {2, 0, 1}, {one, other}, "input 0 of body 1: expected float32[4], got int64[]");
  Trace twice = *one;
  twice.outputs = {0, 0};
  expectRefused(Op::Branch, {kFlag, kRow}, {2, 0, 1}, {one, std::make_shared<const Trace>(twice)}, "results of body 1: expected 1, got 2");
  expectRefused(Op::Branch, {kFlag, kRow}, {9, 0}, {one}, "words: expected a number of bodies, got 9");
  expectRefused(Op::Branch, {kFlag, kRow}, {-1}, {one}, "words: expected a number of bodies, got -1");
}

TEST(Control, RefusesBodiesThatCannotBeAny) {
  Trace open = *same({kRow}), strided, deep = *same({kFlag});
  open.symbols = 1;
  expectRefused(Op::Branch, {kFlag, kRow}, {1, 0}, {std::make_shared<const Trace>(open)}, "bodies: expected fixed sizes, got 1 symbols");
  strided.outputs = {strided.addInput(kRow, {2})};
  expectRefused(Op::Branch, {kFlag, kRow}, {1, 0}, {std::make_shared<const Trace>(strided)}, "row-major arrays, got strides");
  Trace away;
  away.outputs = {away.addInput(kRow, {}, "cuda:0")};
  expectRefused(Op::Branch, {kFlag, kRow}, {1, 0}, {std::make_shared<const Trace>(away)}, "got 'cuda:0'");
  for (int i = 0; i < kMostNested; ++i) {
    Trace outer = *same({kFlag});
    outer.bodies = {std::make_shared<const Trace>(deep)};
    deep = outer;
  }
  expectRefused(Op::Branch, {kFlag, kFlag}, {1, 0}, {std::make_shared<const Trace>(deep)}, "at most 32 inside one another");
}

TEST(Control, RunsInEager) {
  Array n = number(0), x = row(1);
  const Array *operands[] = {&n, &x};
  std::vector<Body> bodies = {belowFive(), step()};
  int64_t words[] = {0, 1};
  std::vector<Array> results = applyBodies(Op::Loop, operands, words, bodies);
  EXPECT_EQ(first(results[1]), 32);
  EXPECT_EQ(first(x), 1) << "an operand is as before";
  n = number(7);
  results = applyBodies(Op::Loop, operands, words, bodies);
  EXPECT_EQ(first(results[1]), 1);
  EXPECT_NE(results[1].data(), x.data()) << "no trip: memory of its own";
}

TEST(Control, ChoosesWithinTheBodies) {
  std::vector<Body> bodies;
  for (int64_t i = 0; i < 3; ++i) {
    Trace t;
    t.outputs = {constant(t, 10 + i)};
    bodies.push_back(std::make_shared<const Trace>(std::move(t)));
  }
  int64_t words[] = {3, 0, 1, 2};
  for (auto [given, expected] : {std::pair<int64_t, int64_t>{-5, 10}, {1, 11}, {2, 12}, {1000, 12}}) {
    Array n = number(given);
    const Array *operand = &n;
    EXPECT_EQ(*reinterpret_cast<const int64_t *>(applyBodies(Op::Branch, {&operand, 1}, words, bodies)[0].data()), expected);
  }
}

TEST(Control, IsRecordedWithItsBodiesOnce) {
  Array n = number(0), x = row(1);
  std::vector<Body> bodies = {belowFive(), step()};
  int64_t words[] = {0, 1};
  for (auto values : {Recorder::Computed, Recorder::Abstract}) {
    Recorder r(values);
    r.addInput(n);
    r.addInput(x);
    const Array *operands[] = {&n, &x};
    auto once = applyBodies(Op::Loop, operands, words, bodies);
    const Array *next[] = {&n, &once[1]};
    auto twice = applyBodies(Op::Loop, next, words, std::vector<Body>{belowFive(), step()});
    r.trace.outputs = {r.slotOf(twice[1]), r.slotOf(twice[0])};
    EXPECT_EQ(r.trace.bodies.size(), 2u);
    const Array *given[] = {&n, &x};
    std::vector<Array> results = interpret(r.trace, given);
    EXPECT_EQ(first(results[0]), 1024);
    EXPECT_EQ(unpackProgram(packProgram(r.trace)), r.trace);
    EXPECT_EQ(Trace::parse(r.trace.serialize()), r.trace);
  }
}

TEST(Control, BodiesCaptureWhatTheyRead) {
  Array x = row(1), outer = row(3), view = slice(outer, {0}, {4}, {1});
  std::vector<RecordedBody> bodies;
  for (bool readsView : {false, true}) {
    Recorder r(Recorder::Abstract);
    r.addInput(x);
    r.captureOthers();
    Operand operands[] = {{Operand::IsArray, &x}, {Operand::IsArray, readsView ? &view : &outer}};
    r.trace.outputs = {r.slotOf(applyElementwise(Op::Add, operands))};
    bodies.push_back({std::make_shared<const Trace>(r.trace), r.captured});
  }
  std::vector<Array> captured = alignBodies(bodies, 1);
  EXPECT_EQ(captured.size(), 1u) << "the same part of one array is one input";
  EXPECT_EQ(*bodies[0].trace, *bodies[1].trace);
  Array flag = constantArray(DType::Bool, {1, 0});
  const Array *operands[] = {&flag, &x, &captured[0]};
  int64_t words[] = {2, 0, 1};
  EXPECT_EQ(first(applyBodies(Op::Branch, operands, words, std::vector<Body>{bodies[0].trace, bodies[1].trace})[0]), 4);
}

TEST(Control, BodiesWriteOnlyWhatIsTheirs) {
  Array x = row(1), outer = row(3);
  Recorder r(Recorder::Abstract);
  r.addInput(x);
  r.captureOthers();
  assign(x, constantArray(DType::F32, {}));
  EXPECT_THROW(assign(outer, constantArray(DType::F32, {})), LeaveRecording);
  EXPECT_NE(r.left.find("writes into an array from outside"), std::string::npos);
}

TEST(Control, AppliesATraceOpByOp) {
  Array n = number(4), x = row(1);
  Recorder r(Recorder::Abstract);
  r.addInput(n);
  r.addInput(x);
  Array given[] = {n, x};
  std::vector<Array> results = applyTrace(*step(), given);
  r.trace.outputs = {r.slotOf(results[0]), r.slotOf(results[1])};
  EXPECT_EQ(r.trace, *step());
}

static Trace loopOf(int64_t size, std::shared_ptr<const Trace> body) {
  TensorType type{DType::F32, {size}};
  Trace t;
  int64_t operands[] = {t.addInput(kNumber), t.addInput(type)}, words[] = {0, 1};
  t.bodies = {belowFive(type), std::move(body)};
  t.outputs = {t.addOp(Op::Loop, operands, words) + 1};
  return t;
}

TEST(Control, BodiesAreForAnySize) {
  auto program = [](int64_t size) { return loopOf(size, step({DType::F32, {size}})); };
  auto open = generalize(program(4), program(5));
  ASSERT_TRUE(open);
  EXPECT_EQ(open->symbols, 1);
  EXPECT_TRUE(open->bodies[1]->isOpen());
  EXPECT_EQ(*generalize(*open, program(7)), *open);
  EXPECT_EQ(instantiate(*open, program(9))->symbols, std::vector<int64_t>{9});
  EXPECT_EQ(specialize(*open, std::vector<int64_t>{9}), program(9));
  EXPECT_FALSE(instantiate(*open, program(1)));
  EXPECT_FALSE(instantiate(*open, loopOf(9, same({kNumber, {DType::F32, {9}}}))));
  EXPECT_EQ(Trace::parse(open->serialize()), *open);
  EXPECT_EQ(unpackProgram(packProgram(*open)), *open);
  Trace more = *open;
  more.symbols = kNoSymbols;
  EXPECT_ANY_THROW(Trace::parse(more.serialize()));
  EXPECT_ANY_THROW(unpackProgram(packProgram(more)));
}

TEST(Control, BodiesThatDifferAreTwoPrograms) {
  Difference difference;
  EXPECT_FALSE(generalize(loopOf(4, step({DType::F32, {4}})), loopOf(5, same({kNumber, {DType::F32, {5}}})), &difference));
  EXPECT_FALSE(difference.why.empty());
}

/// A branch whose bodies add numbers, in a body of a branch.
static Trace addsNumbers(float first, float second, float inner) {
  auto number = [](Trace &t, float value) {
    return t.addOp(Op::Constant, {}, std::vector<int64_t>{int64_t(DType::F32), std::bit_cast<int32_t>(value)});
  };
  auto adds = [&](float value) {
    Trace body;
    body.addInput({DType::F32, {}});
    int64_t operands[] = {0, number(body, value)};
    body.outputs = {body.addOp(Op::Add, operands, {})};
    return body;
  };
  auto share = [](Trace body) { return std::make_shared<const Trace>(std::move(body)); };
  auto branch = [&](Trace &t, int64_t flag, int64_t x, Trace a, Trace b) {
    t.bodies = {share(std::move(a)), share(std::move(b))};
    int64_t operands[] = {flag, x}, words[] = {2, 0, 1};
    t.outputs = {t.addOp(Op::Branch, operands, words)};
  };
  Trace outer, middle;
  middle.addInput({DType::F32, {}});
  int64_t zero = number(middle, 0), flags[] = {0, zero};
  branch(middle, middle.addOp(Op::Less, flags, {}), 0, adds(first), adds(inner));
  int64_t flag = outer.addInput({DType::Bool, {}}), x = outer.addInput({DType::F32, {}});
  branch(outer, flag, x, middle, adds(second));
  return outer;
}

TEST(Control, NumbersOfBodiesAreBroughtOutside) {
  Trace program = addsNumbers(1, 2, 3), outside = withNumbersOutside(program);
  size_t numbers = 0;
  for (size_t at = 0; at < outside.words.size();) numbers += Trace::decode(outside.words, at).op == Op::Constant;
  EXPECT_EQ(numbers, 4u);
  EXPECT_EQ(outside.inputs, program.inputs);
  EXPECT_EQ(withNumbersInside(outside), program);
  EXPECT_EQ(withNumbersOutside(withNumbersInside(outside)), outside);
  auto open = generalize(outside, withNumbersOutside(addsNumbers(1, 5, 3)));
  ASSERT_TRUE(open);
  EXPECT_EQ(open->inputs, program.inputs + 1);
  EXPECT_FALSE(generalize(program, addsNumbers(1, 5, 3)));
}
