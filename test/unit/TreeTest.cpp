// Trees without Python: a host of texts calls, records, runs and puts results together.
#include "frontend/tree/Runner.h"
#include "frontend/tree/Sharing.h"
#include "test/unit/Floats.h"

#include <gtest/gtest.h>

using namespace kiln;

namespace {

/// An object of the toy host: counted, with a text.
struct Text {
  int counts = 1;
  std::string text;
};
int living = 0;

HostObject make(std::string text) {
  static const bool once = (hostCounts() = {[](void *o) { ++static_cast<Text *>(o)->counts; },
                                            [](void *o) {
                                              auto *t = static_cast<Text *>(o);
                                              if (!--t->counts) --living, delete t;
                                            }},
                            true);
  (void)once;
  ++living;
  auto *t = new Text{1, std::move(text)};
  HostObject object(t);
  --t->counts;
  return object;
}
const std::string &textOf(const HostObject &o) { return static_cast<Text *>(o.get())->text; }

Array apply(Op op, const Array &x, const Array &y) {
  Operand operands[] = {{Operand::IsArray, &x}, {Operand::IsArray, &y}};
  return applyElementwise(op, operands);
}

/// Puts results together as text: "(a, b)", and arrays by their values.
struct TextBuilder : TemplateBuilder {
  HostObject input(int index) override { return make("input" + std::to_string(index)); }
  HostObject passed(int index) override { return make("passed" + std::to_string(index)); }
  HostObject number(int index) override { return make("number" + std::to_string(index)); }
  HostObject array(Array &&array) override {
    std::string text = "[";
    for (float v : values(array)) text += std::to_string(int(v)) + " ";
    return make(text + "]");
  }
  HostObject container(const Template &t, std::vector<HostObject> children) override {
    std::string text = textOf(t.object) + "(";
    for (const HostObject &c : children) text += textOf(c) + " ";
    return make(text + ")");
  }
};

KeyBuilder keyOf(std::initializer_list<Array *> arrays, int64_t number = 0) {
  KeyBuilder key;
  key.start({});
  for (Array *a : arrays) key.array(*a);
  key.number(KeyToken::Integer, number);
  return key;
}

/// f(x, y): x += y; return x * y, x[1:]
void recordUpdate(Tree &tree, Array &x, Array &y) {
  tree.key = keyOf({&x, &y}).finish();
  Recorder r(Recorder::Computed);
  r.addInput(x);
  r.addInput(y);
  assign(x, apply(Op::Add, x, y));
  Array product = apply(Op::Multiply, x, y), tail = slice(x, {1}, {x.shape[0] - 1}, {1});
  Path path;
  Ending &ending = path.ending;
  ending.results = {r.output(r.slotOf(product))};
  ending.commits = {{0, r.output(r.written()[0].slot)}};
  path.entries = r.inputs();
  ending.result.kind = Template::Container;
  ending.result.object = make("pair");
  Template made, view;
  made.kind = Template::New, made.shape = product.shape, made.strides = product.strides;
  view.kind = Template::View, view.offset = 1, view.shape = tail.shape, view.strides = tail.strides;
  Template again = made;
  again.kind = Template::Repeated;
  ending.result.children = {made, view, again};
  path.pieces = r.finish();
  tree.add(std::move(path));
}

} // namespace

TEST(Key, ComparesTypesBitsAndLayouts) {
  Array x = floats({1, 2, 3}), y = floats({1, 2, 3}), part = slice(x, {1}, {2}, {1});
  auto key = [&](std::initializer_list<Array *> arrays, int64_t n = 0) { return keyOf(arrays, n).finish(); };
  EXPECT_EQ(key({&x, &y}), key({&y, &x}));
  EXPECT_NE(key({&x, &x}), key({&x, &y})) << "which share a cell";
  EXPECT_NE(key({&x, &part}), key({&y, &part})) << "and how they lie to each other";
  EXPECT_NE(key({&x}, 1), key({&x}, 2));
  Array repeated = broadcastTo(floats({1}), {3});
  EXPECT_NE(key({&x}), key({&repeated})) << "cannot be written";
  auto constant = [](KeyToken kind, int64_t bits) {
    KeyBuilder k;
    k.start({});
    k.number(kind, bits);
    return k.finish();
  };
  EXPECT_NE(constant(KeyToken::Integer, 0), constant(KeyToken::Float, 0)) << "1 is not 1.0";
  auto text = [](std::string_view t, KeyContext context = {}) {
    KeyBuilder k;
    k.start(context);
    k.text(KeyToken::Text, t);
    return k.finish();
  };
  EXPECT_EQ(text("abc"), text("abc"));
  EXPECT_NE(text("abc"), text("abd"));
  EXPECT_NE(text("abc"), text("abc", {DType::F64, 0})) << "the default dtype";
  EXPECT_NE(text("abc"), text("abc", {DType::F32, 1})) << "the settings";
  HostObject a = make("same"), b = make("same");
  auto object = [](const HostObject &o) {
    KeyBuilder k;
    k.start({});
    k.object(KeyToken::Static, o.get());
    return k.finish();
  };
  EXPECT_EQ(object(a), object(a));
  EXPECT_NE(object(a), object(b)) << "objects by identity: no code of theirs runs";
}

TEST(Tree, RunsCommitsAndBuilds) {
  {
    Array x = floats({1, 2, 3}), y = floats({10, 10, 10});
    Tree tree;
    recordUpdate(tree, x, y);
    EXPECT_EQ(values(x), (std::vector<float>{11, 12, 13})) << "the call that is recorded is an eager one";
    Array *arrays[] = {&x, &y};
    Ran ran;
    ASSERT_EQ(run(tree, arrays, {}, ran), RunStatus::Done);
    EXPECT_EQ(values(x), (std::vector<float>{21, 22, 23}));
    TextBuilder builder;
    EXPECT_EQ(textOf(build(ran.end->ending->result, ran.results, arrays, builder)), "pair([210 220 230 ] [22 23 ] [210 220 230 ] )");
  }
  EXPECT_EQ(living, 0) << "every object of the host is given back";
}

TEST(Tree, WritesThatOnlyEagerDoesRight) {
  Array x = floats({1, 2, 3}), y = floats({1, 1, 1});
  Tree tree;
  recordUpdate(tree, x, y);
  Ran ran;
  Array both = floats({1, 2, 3, 4}), low = slice(both, {0}, {3}, {1}), high = withOwnCell(slice(both, {1}, {3}, {1}));
  Array *overlapping[] = {&low, &high};
  EXPECT_EQ(run(tree, overlapping, {}, ran), RunStatus::Eager);
  x.storage->isWritable = false;
  Array *readOnly[] = {&x, &y};
  EXPECT_EQ(run(tree, readOnly, {}, ran), RunStatus::Eager);
  EXPECT_EQ(values(both), (std::vector<float>{1, 2, 3, 4})) << "nothing was written";
}

TEST(Tree, AFailureOnDataWritesNothing) {
  Array x = floats({1, 2}), index = Array::empty(DType::I64, {1});
  auto &at = *reinterpret_cast<int64_t *>(index.data());
  at = 1;
  Tree tree;
  {
    Recorder r(Recorder::Computed);
    r.addInput(x);
    r.addInput(index);
    assign(x, apply(Op::Add, x, x));
    Array taken = gather(x, index, 0);
    Path path;
    path.ending.results = {r.output(r.slotOf(taken))};
    path.ending.commits = {{0, r.output(r.written()[0].slot)}};
    path.entries = r.inputs();
    path.pieces = r.finish();
    tree.add(std::move(path));
  }
  at = 7;
  Array *arrays[] = {&x, &index};
  Ran ran;
  EXPECT_EQ(run(tree, arrays, {}, ran), RunStatus::Eager);
  EXPECT_EQ(values(x), (std::vector<float>{2, 4}));
}

namespace {

/// f(x, y): t = x + y; x += y; if sum(t) > 0: return t * x; else: y += t; return t. Its result is the value of a run in eager.
Array recordBranch(Tree &tree, Array &x, Array &y) {
  Recorder r(Recorder::Computed);
  r.addInput(x);
  r.addInput(y);
  Array t = apply(Op::Add, x, y), *result = &t, product;
  assign(x, t);
  Array sum = reduce(Op::Sum, t, std::nullopt, false);
  Operand operands[] = {{Operand::IsArray, &sum}, {Operand::IsFloat, nullptr, 0, 0}};
  Array host = leave(applyElementwise(Op::Greater, operands), "asked", Leaving::Read);
  if (*host.data()) {
    product = apply(Op::Multiply, t, x);
    result = &product;
  } else {
    assign(y, apply(Op::Add, y, t));
  }
  Path path;
  path.ending.results = {r.output(r.slotOf(*result))};
  for (auto &[input, slot] : r.written()) path.ending.commits.push_back({input, r.output(slot)});
  path.entries = r.inputs();
  path.pieces = r.finish();
  EXPECT_EQ(path.pieces.size(), 2u);
  EXPECT_EQ(path.pieces[0].live.size(), 4u) << "what x holds, t, the sum and the answer";
  tree.add(std::move(path));
  return *result;
}

} // namespace

TEST(Tree, GoesOnByTheValueThatIsAskedFor) {
  Tree tree;
  Ran ran;
  Array x = floats({1, 2}), y = floats({3, 4});
  recordBranch(tree, x, y);
  EXPECT_EQ(values(x), (std::vector<float>{4, 6}));
  Array *arrays[] = {&x, &y};
  ASSERT_EQ(run(tree, arrays, {}, ran), RunStatus::Done);
  EXPECT_EQ(values(ran.results[0]), (std::vector<float>{49, 100}));
  EXPECT_EQ(values(x), (std::vector<float>{7, 10})) << "the content of x is that of the first segment";
  Array a = floats({-1, -2}), b = floats({-3, -4});
  Array *others[] = {&a, &b};
  EXPECT_EQ(run(tree, others, {}, ran), RunStatus::Unknown);
  EXPECT_EQ(ran.end, &tree.root());
  EXPECT_EQ(values(a), (std::vector<float>{-1, -2})) << "nothing is written before the end of the path";
  recordBranch(tree, a, b);
  EXPECT_EQ(tree.nodes.size(), 3u);
  EXPECT_EQ(tree.steps.size(), 3u) << "the first segment is one";
  ASSERT_EQ(run(tree, others, {}, ran), RunStatus::Done);
  EXPECT_EQ(values(ran.results[0]), (std::vector<float>{-11, -16}));
  EXPECT_EQ(values(a), (std::vector<float>{-11, -16}));
  EXPECT_EQ(values(b), (std::vector<float>{-18, -26}));
  ASSERT_EQ(run(tree, arrays, {}, ran), RunStatus::Done);
  EXPECT_EQ(tree.forks, 0);
}

TEST(Sharing, SegmentsOfOneContentShareTheirCode) {
  auto segment = [](int64_t n, float k) {
    Array x = Array::empty(DType::F32, {n});
    Recorder r(Recorder::Abstract);
    r.addInput(x);
    Operand operands[] = {{Operand::IsArray, &x}, {Operand::IsFloat, nullptr, 0, k}};
    Array y = applyElementwise(Op::Multiply, operands);
    r.trace.outputs = {r.slotOf(y)};
    return Segment(std::move(r.trace));
  };
  auto none = [](std::string &) { return std::optional<Trace>(); };
  Segment first = segment(100, 2), same = segment(100, 2), other = segment(200, 3);
  Sharing f, g;
  f.choose(Dynamic::WhereSizesVary, {}, first, {}, none);
  g.choose(Dynamic::WhereSizesVary, {}, same, {}, none);
  EXPECT_EQ(first.code, same.code) << "of two functions";
  EXPECT_FALSE(first.isOpen());
  Segment *earlier[] = {&first};
  f.choose(Dynamic::WhereSizesVary, {}, other, earlier, none);
  EXPECT_TRUE(other.isOpen()) << "sizes and numbers are those of one program";
  EXPECT_EQ(other.values.symbols, std::vector<int64_t>{200});
  EXPECT_EQ(other.values.numbers.size(), 1u);
  EXPECT_EQ(first.code, other.code) << "which replaces code that nobody has asked for";
  Segment third = segment(300, 5), apart = segment(400, 5);
  f.choose(Dynamic::WhereSizesVary, {}, third, earlier, none);
  EXPECT_EQ(third.code, other.code);
  f.choose(Dynamic::Never, {}, apart, earlier, none);
  EXPECT_FALSE(apart.isOpen());
}

TEST(Segment, KnowsWhatTakesLong) {
  auto seconds = [](int64_t n) {
    Array x = Array::empty(DType::F32, {n, n});
    Recorder r(Recorder::Abstract);
    r.addInput(x);
    Array y = matmul(x, x), s = reduce(Op::Sum, y, std::nullopt, false);
    r.trace.outputs = {r.slotOf(s)};
    return Segment(std::move(r.trace)).seconds;
  };
  EXPECT_LT(seconds(8), 20e-6);
  EXPECT_GT(seconds(256), 20e-6) << "few bytes and much work";
}

TEST(PlainCall, FitsArraysOfTheirOwnMemory) {
  Array x = floats({1, 2}), y = floats({1, 2}), wide = floats({1, 2, 3});
  Tree tree;
  tree.key = keyOf({&x, &y}).finish();
  tree.key.words.resize(tree.key.words.size() - 2); // no number among the arguments
  {
    Recorder r(Recorder::Abstract);
    r.addInput(x);
    r.addInput(y);
    Array sum = apply(Op::Add, x, y);
    Path path;
    path.ending.results = {r.output(r.slotOf(sum))};
    path.entries = r.inputs();
    path.ending.result.kind = Template::New;
    path.ending.result.shape = sum.shape;
    path.ending.result.strides = sum.strides;
    path.pieces = r.finish();
    tree.add(std::move(path));
  }
  Array *arrays[] = {&x, &y};
  PlainCall plain;
  plain.find(tree, arrays);
  EXPECT_EQ(plain.way, PlainCall::Way::None) << "no code yet";
  const Storage *seen[PlainCall::kMostArguments];
  EXPECT_TRUE(plain.fits(0, x, seen));
  EXPECT_FALSE(plain.fits(1, x, seen)) << "the same cell twice";
  EXPECT_TRUE(plain.fits(1, y, seen));
  EXPECT_FALSE(plain.fits(1, wide, seen));
}

TEST(Pace, TriesEachPathAFewTimesAndComparesTheBest) {
  Pace pace;
  EXPECT_FALSE(pace.isDue(1, true)) << "nothing is known of the recording";
  pace = {};
  pace.recorded = 1;
  int tries = 0;
  for (int i = 0; i < 100; ++i)
    if (pace.isDue(0.5, true)) ++tries, pace.add(0.3);
  EXPECT_EQ(tries, Pace::kTries);
  EXPECT_TRUE(pace.isSlower());
  pace.restart();
  EXPECT_FALSE(pace.isSlower());
  for (int i = 0; i < 100; ++i) EXPECT_FALSE(pace.isDue(0.05, true)) << "much quicker than the recording";
  pace = {.recorded = 1e-4};
  tries = 0;
  for (int i = 0; i < 100; ++i)
    if (pace.isDue(1e-6, false)) ++tries, pace.add(2e-6);
  EXPECT_EQ(tries, Pace::kTriesOfShort) << "short, and no code to come";
  EXPECT_TRUE(pace.isSettled() && !pace.isSlower());
  pace = {.recorded = 1e-4};
  for (int i = 0; i < 100; ++i) EXPECT_FALSE(pace.isDue(1e-4, true)) << "short";
  pace = {.recorded = 1};
  for (int i = 0; i < 100; ++i)
    if (pace.isDue(i < 3 ? 9 : 0.5, true)) pace.add(0.5);
  EXPECT_FALSE(pace.isSlower()) << "one slow call says nothing";
  pace = {.recorded = 1};
  for (int i = 0; i < 100; ++i)
    if (pace.isDue(2e-6, false)) pace.add(1e-6);
  EXPECT_TRUE(pace.isSlower()) << "what has no code is timed however short it is";
}

TEST(Pace, CallsThatPythonDrivesTakeTurns) {
  for (bool isSlower : {false, true}) {
    DrivenPace pace;
    int driven = 0, eager = 0;
    for (int i = 0; i < 200; ++i) {
      auto turn = pace.next();
      driven += turn == DrivenPace::Driven, eager += turn == DrivenPace::Eager;
      if (turn != DrivenPace::Untimed) pace.add(turn, turn == DrivenPace::Driven && isSlower ? 2 : driven == 1 ? 50 : 1);
      if (driven < 9 || eager < 9) EXPECT_FALSE(pace.isSlower());
    }
    EXPECT_EQ(driven, 9);
    EXPECT_EQ(eager, 9);
    EXPECT_EQ(pace.isSlower(), isSlower);
  }
}

TEST(Tree, EndsWhereAPathDoesNotPay) {
  Tree tree;
  Array x = floats({1, 2}), y = floats({3, 4});
  recordUpdate(tree, x, y);
  tree.endAt(tree.root(), "it is slow");
  EXPECT_TRUE(tree.isEager());
  EXPECT_EQ(tree.root().why, "it is slow");
  EXPECT_TRUE(tree.steps.empty()) << "a tree that never ran keeps nothing";
  EXPECT_FALSE(tree.isResting());
  tree.awaited = {std::make_shared<Code>(Trace()), std::make_shared<Code>(Trace())};
  EXPECT_TRUE(tree.isResting());
  for (auto &code : tree.awaited) code->state = Code::Failed;
  EXPECT_FALSE(tree.isResting());
}
