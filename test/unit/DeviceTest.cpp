// Arrays of a second device: eager, views and writes, mixtures, recordings, trees.
#include "frontend/Indexing.h"
#include "frontend/Interpreter.h"
#include "frontend/tree/Runner.h"
#include "frontend/tree/Sharing.h"
#include "test/unit/DummyDevice.h"

#include <functional>
#include <gtest/gtest.h>
#include <thread>
#include <unistd.h>

using namespace kiln;

namespace {

DummyDevice &dummy() { return DummyDevice::first(); }

Array apply(Op op, const Array &x, const Array &y) {
  Operand operands[] = {{Operand::IsArray, &x}, {Operand::IsArray, &y}};
  return applyElementwise(op, operands);
}
Array apply(Op op, const Array &x, double y) {
  Operand operands[] = {{Operand::IsArray, &x}, {Operand::IsFloat, nullptr, 0, y}};
  return applyElementwise(op, operands);
}
Array number(double value) { return constantArray(DType::F32, scalarBits({Operand::IsFloat, nullptr, 0, value}, DType::F32)); }
Array shared(Array x) {
  x.storage->pinned = true;
  return x;
}
Subscript at(int64_t start, int64_t count, int64_t step = 1) { return {Subscript::Slice, start, count, step, {}}; }

std::string refusal(const std::function<void()> &body) {
  try {
    body();
  } catch (const Error &e) { return (e.kind == ErrorKind::Device ? "device: " : "other: ") + std::string(e.what()); }
  return "";
}
void expectMixed(const std::function<void()> &body, const std::string &op, const char *to = "dummy:0") {
  std::string text = refusal(body), start = "device: " + op + ": operands: expected arrays of one device";
  EXPECT_EQ(text.substr(0, start.size()), start);
  EXPECT_NE(text.find("x.to_device('" + std::string(to) + "')"), std::string::npos) << text;
  EXPECT_NE(text.find("'cpu'"), std::string::npos) << text;
  EXPECT_NE(text.find("'dummy:0'"), std::string::npos) << text;
}

/// For a while, arrays are made on a device.
struct Default {
  DefaultDevice::Scope before;
  explicit Default(Device *device) : before(DefaultDevice::enter({true, device})) {}
  ~Default() { DefaultDevice::enter(before); }
};

using Arrays = std::vector<Array>;
/// Programs over x (4, 6), y (4, 6), both float32, and positions (2): what they return, and what they write into x.
struct Program {
  const char *name;
  std::function<Array(Array &x, Array &y, Array &at)> run;
};
const Program programs[] = {
    {"chain", [](Array &x, Array &y, Array &) { return apply(Op::Add, apply(Op::Multiply, x, y), apply(Op::Subtract, y, 2.5)); }},
    {"broadcast",
     [](Array &x, Array &y, Array &) { return apply(Op::Multiply, slice(x, {0, 0}, {4, 1}, {1, 1}), slice(y, {0, 0}, {1, 6}, {1, 1})); }},
    {"dtypes",
     [](Array &x, Array &y, Array &) { return apply(Op::Add, cast(x, DType::F64), apply(Op::Multiply, y, cast(y, DType::F16))); }},
    {"power", [](Array &x, Array &, Array &) { return apply(Op::Pow, x, 0.5); }},
    {"sum", [](Array &x, Array &, Array &) { return reduce(Op::Sum, cast(x, DType::F16), Dims{1}, true); }},
    {"sum of all", [](Array &x, Array &, Array &) { return reduce(Op::Sum, transpose(x, {1, 0}), std::nullopt, false); }},
    {"argmax", [](Array &x, Array &, Array &) { return reduce(Op::Argmax, x, std::nullopt, false); }},
    {"matmul", [](Array &x, Array &y, Array &) { return matmul(x, transpose(y, {1, 0})); }},
    {"matmul of complex", [](Array &x, Array &y, Array &) { return matmul(joinParts(x, y), transpose(joinParts(y, x), {1, 0})); }},
    {"batches", [](Array &x, Array &y, Array &) { return matmul(reshape(x, {2, 2, 6}), reshape(y, {2, 6, 2})); }},
    {"gather", [](Array &x, Array &, Array &at) { return gather(transpose(x, {1, 0}), at, 0); }},
    {"scatter", [](Array &x, Array &y, Array &at) { return scatter(Op::ScatterAdd, x, at, slice(y, {0, 0}, {2, 6}, {1, 1}), 0); }},
    {"sort", [](Array &x, Array &, Array &) { return alongAxis(Op::Argsort, cast(x, DType::BF16), 0, true); }},
    {"scan", [](Array &x, Array &, Array &) { return alongAxis(Op::CumulativeSum, x, 0); }},
    {"concat",
     [](Array &x, Array &y, Array &) {
       const Array *all[] = {&x, &y, &x};
       return concat(all, 1);
     }},
    {"where",
     [](Array &x, Array &y, Array &) { return where(apply(Op::Less, x, y), {Operand::IsArray, &x}, {Operand::IsFloat, nullptr, 0, -1}); }},
    {"convolution",
     [](Array &x, Array &y, Array &) { return convolution(reshape(x, {1, 12, 2}), reshape(y, {3, 2, 4}), {1}, {1}, {1}, {1}, 1); }},
    {"library",
     [](Array &x, Array &y, Array &) {
       Array m = matmul(x, transpose(y, {1, 0}));
       const Array *one[] = {&m};
       int64_t words[] = {1};
       return applyLibrary(Op::Svd, one, words);
     }},
    {"dynamic slice", [](Array &x, Array &, Array &at) { return dynamicSlice(x, at, {2, 3}); }},
    {"dynamic update", [](Array &x, Array &y, Array &at) { return dynamicUpdate(x, slice(y, {0, 0}, {2, 2}, {1, 1}), at); }},
    {"parts", [](Array &x, Array &y, Array &) { return apply(Op::Add, partOf(joinParts(x, y), true), partOf(x, true)); }},
    {"bits", [](Array &x, Array &, Array &) { return bitcast(transpose(x, {1, 0}), DType::I32); }},
    {"reshape of a view", [](Array &x, Array &, Array &) { return reshape(transpose(x, {1, 0}), {8, 3}); }},
    {"ravel",
     [](Array &, Array &, Array &at) {
       Array two[] = {at, at};
       return ravelIndices(two, {4, 6});
     }},
    {"copy", [](Array &x, Array &, Array &) { return copy(broadcastTo(x, {2, 4, 6})); }},
    {"write",
     [](Array &x, Array &y, Array &) {
       assign(x, y);
       return apply(Op::Add, x, 1);
     }},
    {"write of a number everywhere",
     [](Array &x, Array &y, Array &) {
       assign(x, number(7));
       return apply(Op::Add, x, y);
     }},
    {"write of a number",
     [](Array &x, Array &, Array &) {
       Array row = slice(x, {1, 0}, {1, 6}, {1, 1});
       assign(row, number(7));
       return copy(x);
     }},
    {"write through views",
     [](Array &x, Array &y, Array &) {
       Array v = transpose(slice(x, {0, 1}, {4, 3}, {1, 2}), {1, 0});
       assign(v, apply(Op::Multiply, v, v));
       return apply(Op::Add, x, y);
     }},
    {"write of what overlaps",
     [](Array &x, Array &, Array &) {
       Array to = slice(x, {1, 0}, {3, 6}, {1, 1});
       assign(to, slice(x, {0, 0}, {3, 6}, {1, 1}));
       return copy(x);
     }},
    {"write at positions",
     [](Array &x, Array &y, Array &at) {
       Subscript key[] = {{Subscript::Indices, 0, 0, 1, at}, {Subscript::Slice, 0, 6, 1, {}}};
       setAt(x, key, slice(y, {0, 0}, {1, 6}, {1, 1}), Op::ScatterAdd);
       return copy(x);
     }},
    {"write of a number at positions",
     [](Array &x, Array &, Array &at) {
       Subscript key[] = {{Subscript::Indices, 0, 0, 1, at}};
       Array flat = reshape(x, {24});
       setAt(flat, key, number(3), Op::Scatter);
       return copy(x);
     }},
    {"add at a slice",
     [](Array &x, Array &, Array &) {
       Subscript key[] = {{Subscript::Slice, 1, 2, 1, {}}, {Subscript::Slice, 0, 6, 1, {}}};
       setAt(x, key, number(2), Op::ScatterAdd);
       return copy(x);
     }},
    {"write at a mask",
     [](Array &x, Array &y, Array &) {
       Subscript key[] = {{Subscript::Mask, 0, 0, 1, apply(Op::Less, x, y)}};
       setAt(x, key, number(9), Op::Scatter);
       return copy(x);
     }},
};

Arrays inputs() {
  Array at = Array::empty(DType::I64, {2});
  reinterpret_cast<int64_t *>(at.data())[0] = 2, reinterpret_cast<int64_t *>(at.data())[1] = 1;
  return {sample(DType::F32, {4, 6}), sample(DType::F32, {4, 6}, 1), at};
}
Arrays there(const Arrays &arrays) {
  Arrays result;
  for (const Array &a : arrays) result.push_back(on(dummy(), a));
  return result;
}

} // namespace

TEST(Device, ItsMemoryIsOutOfReach) {
  Array x = on(dummy(), sample(DType::F32, {4}));
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  EXPECT_EQ(write(ends[1], x.data(), 4), -1) << "the host can read it";
  EXPECT_EQ(bytesOf(x), bytesOf(sample(DType::F32, {4})));
  EXPECT_EQ(write(ends[1], x.data(), 4), -1) << "after a copy as well";
  close(ends[0]), close(ends[1]);
}

TEST(Device, NamesAreFound) {
  EXPECT_EQ(findDevice("dummy:0"), &dummy());
  EXPECT_EQ(findDevice("dummy"), &dummy());
  EXPECT_EQ(findDevice("cpu"), nullptr);
  EXPECT_EQ(deviceNames()[0], "cpu");
  std::string text = refusal([] { findDevice("cuda:7"); });
  EXPECT_EQ(text.find("device: device: expected 'cpu', 'dummy:0'"), 0u) << text;
  EXPECT_NE(text.find("got 'cuda:7'"), std::string::npos) << text;
}

TEST(Device, EagerProgramsGiveTheBitsOfTheCpu) {
  for (const Program &p : programs) {
    SCOPED_TRACE(p.name);
    Arrays here = inputs(), far = there(here);
    Array expected = p.run(here[0], here[1], here[2]);
    int before = dummy().copies();
    Array result = p.run(far[0], far[1], far[2]);
    bool asksForValues = std::string(p.name) == "write at a mask";
    if (!asksForValues) { EXPECT_EQ(dummy().copies(), before) << "a hidden copy"; }
    EXPECT_EQ(deviceOf(result), &dummy());
    EXPECT_EQ(bytesOf(result), bytesOf(expected));
    EXPECT_EQ(bytesOf(far[0]), bytesOf(here[0])) << "what it writes";
  }
}

TEST(Device, RecordingsAreInterpretedThere) {
  for (const Program &p : programs) {
    for (auto values : {Recorder::Computed, Recorder::Abstract}) {
      SCOPED_TRACE(p.name);
      Arrays here = inputs(), far = there(here), again = there(here);
      Array expected = p.run(here[0], here[1], here[2]);
      Recorder r(values);
      for (const Array &a : far) r.addInput(a);
      Array result = p.run(far[0], far[1], far[2]);
      ASSERT_EQ(r.left, "");
      EXPECT_EQ(deviceOf(result), &dummy());
      EXPECT_EQ(r.trace.deviceOf(0), "dummy:0");
      r.trace.outputs = {r.slotOf(result)};
      for (auto &w : r.written()) r.trace.outputs.push_back(w.slot);
      std::vector<const Array *> from = {&again[0], &again[1], &again[2]};
      int before = dummy().copies();
      Arrays made = interpret(r.trace, from, nullptr, r.places);
      EXPECT_EQ(dummy().copies(), before) << "a hidden copy";
      for (const Array &a : made) EXPECT_EQ(deviceOf(a), &dummy());
      EXPECT_EQ(bytesOf(made[0]), bytesOf(expected));
      if (made.size() > 1) EXPECT_EQ(bytesOf(made[1]), bytesOf(here[0]));
    }
  }
}

TEST(Device, TenOperationsCopyNothing) {
  Array x = on(dummy(), sample(DType::F32, {8}));
  int before = dummy().copies(), runs = dummy().runs;
  Array y = x;
  for (int i = 0; i < 10; ++i) y = apply(Op::Add, y, x);
  EXPECT_EQ(dummy().copies(), before);
  EXPECT_EQ(dummy().runs, runs + 10);
  leave(y, "its values are asked for");
  EXPECT_EQ(dummy().copies(), before + 1);
}

TEST(Device, MemoryIsGivenBack) {
  size_t before = dummy().blocks();
  {
    Array x = on(dummy(), sample(DType::F32, {100})), y = apply(Op::Add, x, x);
    EXPECT_EQ(dummy().blocks(), before + 2);
  }
  EXPECT_EQ(dummy().blocks(), before);
}

TEST(Device, NumbersAndSharedArraysMoveByThemselves) {
  Array host = sample(DType::F32, {4}), x = on(dummy(), host);
  int before = dummy().copies();
  EXPECT_EQ(bytesOf(apply(Op::Add, x, number(2))), bytesOf(apply(Op::Add, host, number(2))));
  EXPECT_EQ(bytesOf(apply(Op::Add, number(2), x)), bytesOf(apply(Op::Add, number(2), host)));
  EXPECT_EQ(dummy().copiesIn, before - dummy().copiesOut + 2) << "kernels take numbers as they are";
  Array numpy = shared(sample(DType::F64, {4}, 2)), wide = apply(Op::Add, host, numpy);
  before = dummy().copiesIn;
  Array sum = apply(Op::Add, x, numpy);
  EXPECT_EQ(dummy().copiesIn, before + 1);
  EXPECT_EQ(bytesOf(sum), bytesOf(wide));
  assign(x, numpy);
  EXPECT_EQ(bytesOf(x), bytesOf(cast(numpy, DType::F32)));
  Array indices = shared(cast(sample(DType::I32, {3}), DType::I64));
  EXPECT_EQ(bytesOf(gather(x, indices, 0)), bytesOf(gather(cast(numpy, DType::F32), indices, 0)));
  const Array *both[] = {&numpy, &x};
  EXPECT_EQ(deviceOf(concat(both, 0)), &dummy());
}

TEST(Device, OtherMixturesAreRefused) {
  Array host = sample(DType::F32, {4}), one = sample(DType::F32, {1}), x = on(dummy(), host);
  Array index = cast(sample(DType::I32, {2}), DType::I64), m = reshape(x, {2, 2}), square = reshape(host, {2, 2});
  for (bool isRecorded : {false, true}) {
    std::optional<Recorder> r;
    if (isRecorded) {
      r.emplace(Recorder::Abstract);
      for (const Array *a : {&host, &one, &x, &index, &m, &square}) r->addInput(*a);
    }
    expectMixed([&] { apply(Op::Add, x, host); }, "add");
    expectMixed([&] { apply(Op::Multiply, one, x); }, "multiply");
    expectMixed([&] { where(apply(Op::Less, x, x), {Operand::IsArray, &host}, {Operand::IsArray, &x}); }, "select");
    expectMixed([&] { matmul(m, square); }, "matmul");
    expectMixed([&] { gather(x, index, 0); }, "take");
    expectMixed([&] { scatter(Op::Scatter, x, index, slice(host, {0}, {2}, {1}), 0); }, "scatter");
    expectMixed(
        [&] {
          const Array *both[] = {&host, &x};
          concat(both, 0);
        },
        "concat");
    expectMixed([&] { assign(x, host); }, "assignment");
    expectMixed([&] { assign(x, one); }, "assignment");
    expectMixed([&] { assign(host, x); }, "assignment", "cpu");
    expectMixed(
        [&] {
          Array copy = number(1);
          assign(copy, slice(x, {0}, {1}, {1}));
        },
        "assignment", "cpu");
    expectMixed([&] { dynamicSlice(x, reshape(index, {2}), {1}); }, "dynamic_slice");
  }
  Array y = on(DummyDevice::second(), host);
  std::string text = refusal([&] { apply(Op::Add, x, y); });
  EXPECT_NE(text.find("some of 'dummy:0' and of 'dummy:1'"), std::string::npos) << text;
  EXPECT_EQ(bytesOf(apply(Op::Add, y, toDevice(x, &DummyDevice::second()))), bytesOf(apply(Op::Add, host, host)));
}

TEST(Device, AWriteKeepsWhatOthersHold) {
  Array host = sample(DType::F32, {4}), x = on(dummy(), host), kept = withOwnCell(x);
  Array part = slice(x, {1}, {2}, {1});
  int before = dummy().copies();
  assign(part, number(5));
  EXPECT_EQ(dummy().copies(), before);
  EXPECT_EQ(bytesOf(kept), bytesOf(host));
  EXPECT_NE(bytesOf(x), bytesOf(host));
  EXPECT_EQ(bytesOf(copyOfMemory(slice(x, {3}, {2}, {-1}))), bytesOf(slice(x, {3}, {2}, {-1})));
}

TEST(Device, TheDefaultOneIsWhereArraysAreMade) {
  auto made = [] {
    return Arrays{full({2, 3}, DType::F32, scalarBits({Operand::IsFloat, nullptr, 0, 1.5}, DType::F32)), full({3}, DType::C64, {}),
                  iota(DType::I64, {2, 3}, 1)};
  };
  Arrays expected = made(), here = {sample(DType::F32, {3})};
  Default set(&dummy());
  Recorder r(Recorder::Computed);
  Arrays result = made();
  for (const Array &a : result) r.trace.outputs.push_back(r.slotOf(a));
  EXPECT_EQ(r.left, "");
  Arrays again = interpret(r.trace, {}, nullptr, r.places);
  for (size_t i = 0; i < result.size(); ++i) {
    EXPECT_EQ(deviceOf(result[i]), &dummy()) << i;
    EXPECT_EQ(deviceOf(again[i]), &dummy()) << i;
    Paused paused;
    EXPECT_EQ(bytesOf(result[i]), bytesOf(expected[i])) << i;
    EXPECT_EQ(bytesOf(again[i]), bytesOf(expected[i])) << i;
  }
  Paused paused;
  EXPECT_EQ(deviceOf(apply(Op::Add, here[0], 2)), nullptr) << "operands say where";
}

TEST(Device, TheDefaultOneIsOfAllThreadsAndOfOne) {
  auto elsewhere = [] {
    Device *seen = nullptr;
    std::thread([&] { seen = defaultDevice(); }).join();
    return seen;
  };
  {
    Default set(&dummy());
    EXPECT_EQ(defaultDevice(), &dummy());
    EXPECT_EQ(elsewhere(), nullptr);
  }
  DefaultDevice::set(&dummy());
  EXPECT_EQ(elsewhere(), &dummy());
  {
    Default set(nullptr);
    EXPECT_EQ(defaultDevice(), nullptr);
  }
  EXPECT_EQ(defaultDevice(), &dummy());
  DefaultDevice::set(nullptr);
}

TEST(Device, AskingForAValueLeavesARecording) {
  Array x = on(dummy(), sample(DType::F32, {4}));
  Recorder r(Recorder::Computed);
  r.addInput(x);
  Array host = leave(apply(Op::Add, x, x), "its values are asked for");
  EXPECT_EQ(deviceOf(host), nullptr);
  EXPECT_EQ(r.left, "its values are asked for");
  Recorder second(Recorder::Computed);
  second.addInput(x);
  EXPECT_EQ(toDevice(x, &dummy()).storage.get(), x.storage.get()) << "it is there";
  EXPECT_EQ(second.left, "");
  EXPECT_EQ(deviceOf(toDevice(x, nullptr)), nullptr);
  EXPECT_EQ(second.left, "an array is moved to another device");
}

TEST(Device, MasksThatSelectGiveArraysOfTheirDevice) {
  Array host = sample(DType::F32, {6}), x = on(dummy(), host);
  Array mask = apply(Op::Less, x, number(0.5)), found = nonzero(mask);
  EXPECT_EQ(deviceOf(found), &dummy());
  EXPECT_EQ(bytesOf(gather(x, found, 0)), bytesOf(gather(host, nonzero(apply(Op::Less, host, number(0.5))), 0)));
  Subscript key[] = {at(0, 3, 2)};
  EXPECT_EQ(bytesOf(getAt(x, key)), bytesOf(getAt(host, key)));
  Subscript element[] = {{Subscript::Integer, 2, 0, 1, {}}};
  EXPECT_EQ(bytesOf(getAt(x, element)), bytesOf(getAt(host, element)));
}

//===-- trees -------------------------------------------------------------------------------------------------------===//

TEST(Device, KeysTellDevicesApart) {
  Array x = sample(DType::F32, {4}), y = on(dummy(), x), z = on(DummyDevice::second(), x);
  auto key = [](Array &a, KeyContext context = {}) {
    KeyBuilder k;
    k.start(context);
    k.array(a);
    return k.finish();
  };
  EXPECT_NE(key(x), key(y));
  EXPECT_NE(key(y), key(z));
  EXPECT_EQ(key(y), key(y));
  EXPECT_NE(key(x), key(x, {DType::F32, 0, dummy().number})) << "the default one";
}

TEST(Device, TreesRunAndCommitThere) {
  Arrays here = inputs(), far = there(here);
  auto f = [](Array &x, Array &y) {
    assign(x, apply(Op::Add, x, y));
    return apply(Op::Multiply, x, y);
  };
  Tree tree;
  std::vector<int64_t> onCpu;
  {
    Arrays given = there(here);
    Recorder r(Recorder::Computed);
    r.addInput(given[0]), r.addInput(given[1]);
    Array product = f(given[0], given[1]);
    Path path;
    path.ending.results = {r.output(r.slotOf(product))};
    path.ending.commits = {{0, r.output(r.written()[0].slot)}};
    path.entries = r.inputs();
    onCpu = r.trace.serialize();
    path.pieces = r.finish();
    tree.add(std::move(path));
  }
  Segment &segment = tree.root().step->segment;
  {
    Trace same = Trace::parse(onCpu);
    same.devices.clear();
    EXPECT_NE(same.serialize(), onCpu) << "the key of the cache has the device";
  }
  EXPECT_EQ(segment.device, &dummy());
  Sharing sharing;
  sharing.choose(Dynamic::Everywhere, {}, segment, {}, [](std::string &) -> std::optional<Trace> { throw std::logic_error("probed"); });
  EXPECT_EQ(segment.code, nullptr) << "the compiler of the CPU makes none";
  EXPECT_EQ(segment.why, "no code is made for 'dummy:0', where it works");
  Array *arrays[] = {&far[0], &far[1]};
  Ran ran;
  int before = dummy().copies();
  ASSERT_EQ(run(tree, arrays, {}, ran), RunStatus::Done);
  EXPECT_EQ(dummy().copies(), before);
  Array product = f(here[0], here[1]);
  EXPECT_EQ(bytesOf(ran.results[0]), bytesOf(product));
  EXPECT_EQ(bytesOf(far[0]), bytesOf(here[0]));
  Array view = slice(far[0], {0, 0}, {2, 6}, {1, 1}), other = slice(far[1], {0, 0}, {2, 6}, {1, 1});
  PlainCall plain;
  plain.arguments = {ArrayType(far[0].type())};
  const Storage *seen[1];
  EXPECT_FALSE(plain.fits(0, far[0], seen));
  EXPECT_TRUE(plain.fits(0, here[0], seen));
}
