// Ops from outside: registered, recorded, stored, interpreted, compiled.
#include "frontend/Interpreter.h"
#include "frontend/Ops.h"
#include "lib/Cache/Cache.h"
#include "lib/Core/Generalize.h"
#include "lib/Core/Program.h"
#include "lib/Runtime/Executable.h"
#include "lib/Runtime/Memory.h"
#include "test/unit/CustomOps.h"

#include <filesystem>
#include <gtest/gtest.h>
#include <thread>

using namespace kiln;

namespace {

std::string refusal(const std::function<void()> &body) {
  try {
    body();
  } catch (const Error &e) { return e.what(); }
  return "";
}
void expectRefused(const std::function<void()> &body, const char *what) {
  std::string text = refusal(body);
  EXPECT_NE(text.find(what), std::string::npos) << text;
}

CustomOp plain(const std::string &name) {
  return {.name = name,
          .infer = [](const InferArgs &) { return std::vector<TensorType>{{DType::F32, {}}}; },
          .run = [](const kiln_tensor *, const int64_t *) -> int32_t { return 0; }};
}

/// Where the compiler library is, and no disk cache.
class Custom : public testing::Test {
protected:
  void SetUp() override {
    setLibraryFolder(std::filesystem::read_symlink("/proc/self/exe").parent_path().parent_path() / "lib");
    CacheConfig config = cacheConfig();
    config.enabled = false;
    setCacheConfig(config);
  }
  float x[4] = {1, 2, 3, 4}, y[4] = {1, 10, 100, 1000}, sum[4], negative[4];
  int64_t count = 0;
  const void *from[2] = {x, y};
  void *to[3] = {sum, &count, negative};

  void expectResults() {
    EXPECT_EQ(std::vector(sum, sum + 4), (std::vector<float>{10, 92, 903, 9004}));
    EXPECT_EQ(std::vector(negative, negative + 4), (std::vector<float>{-10, -92, -903, -9004}));
    EXPECT_EQ(count, 4);
  }
  static Trace onHost(Trace trace) {
    trace.devices.clear();
    return trace;
  }
  int32_t runCompiled(const Trace &trace) {
    auto executable = getExecutable(trace.serialize()).executable;
    std::vector<void *> buffers = {x, y, sum, &count, negative};
    size_t bytes = size_t(executable->workspaceBytes(nullptr));
    return executable->entry(runtimeTable(), buffers.data(), nullptr, bytes ? threadWorkspace(bytes) : nullptr);
  }
};

} // namespace

TEST_F(Custom, IsInferred) {
  std::vector<int64_t> words = {test::scaledAdd().id, int64_t(DType::F32), 0, 1};
  TensorType row{DType::F32, {4}}, rows[] = {row, row}, others[] = {row, {DType::F32, {5}}}, integers[] = {row, {DType::I32, {4}}};
  EXPECT_EQ(inferAll(Op::Custom, rows, words), (std::vector<TensorType>{row, {DType::I64, {}}}));
  expectRefused([&] { infer(Op::Custom, rows, words); }, "test.scaled_add: results: expected 1, got 2");
  expectRefused([&] { inferAll(Op::Custom, others, words); }, "test.scaled_add: operands: expected two rows of float32");
  expectRefused([&] { inferAll(Op::Custom, {rows, 1}, words); }, "operands: expected 2, got 1");
  expectRefused([&] { inferAll(Op::Custom, integers, words); }, "dtype of operand 1: expected float32 or float64, got int32");
  expectRefused([&] { inferAll(Op::Custom, rows, std::span(words).first(3)); }, "words: expected all of them, got 3");
  words[1] = 99;
  expectRefused([&] { inferAll(Op::Custom, rows, words); }, "words: expected the number of a dtype, got 99");
  words[0] = 1;
  expectRefused([&] { inferAll(Op::Custom, rows, words); }, "registered in this process");
}

TEST_F(Custom, NamesAreChecked) {
  const RegisteredOp &known = test::negated();
  EXPECT_EQ(findRegistered("test.negated"), &known);
  EXPECT_EQ(findRegistered(known.id), &known);
  EXPECT_FALSE(findRegistered("negated"));
  for (const char *name : {"", "add", "Test.op", "test.", ".op", "test..op", "test.1op", "test.op\n"})
    expectRefused([&] { registerOp(plain(name)); }, "name: expected parts of a-z, 0-9 and _");
  expectRefused([&] { registerOp(plain("test.negated")); }, "name of 'test.negated': expected one that is not taken");
  auto refused = [](auto change, const char *what) {
    CustomOp op = plain("test.refused");
    change(op);
    expectRefused([&] { registerOp(op); }, what);
  };
  refused([](CustomOp &op) { op.version = 0; }, "version of 'test.refused': expected 1 or more");
  refused([](CustomOp &op) { op.operands = -1; }, "operands of 'test.refused': expected 0 to 1000");
  refused([](CustomOp &op) { op.words = "iS", op.attributes = "a,b"; }, "words of 'test.refused': expected the letters");
  refused([](CustomOp &op) { op.words = "ii", op.attributes = "a"; }, "expected 2 names, one a letter, got 1");
  refused([](CustomOp &op) { op.words = "ii", op.attributes = "a,a"; }, "names that differ");
  refused([](CustomOp &op) { op.words = "i", op.attributes = "name"; }, "none of them 'name'");
  refused([](CustomOp &op) { op.run = nullptr; }, "functions of 'test.refused': expected infer and run, got no run");
  EXPECT_FALSE(findRegistered("test.refused"));
}

TEST_F(Custom, ThreadsRegisterAtOnce) {
  std::atomic<int> registered = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&] {
      for (int i = 0; i < 50; ++i) {
        try {
          registerOp(plain("threads.op" + std::to_string(i)));
          ++registered;
        } catch (const Error &) {} // another thread's
      }
    });
  for (std::thread &t : threads) t.join();
  EXPECT_EQ(registered, 50);
}

TEST_F(Custom, RulesThatThrowAnythingAreErrors) {
  CustomOp op = plain("test.throws");
  op.infer = [](const InferArgs &) -> std::vector<TensorType> { throw 1; };
  std::vector<int64_t> words = {registerOp(op).id};
  EXPECT_THROW(inferAll(Op::Custom, {}, words), Error);
  op = plain("test.nothing");
  op.infer = [](const InferArgs &) { return std::vector<TensorType>(); };
  words = {registerOp(op).id};
  expectRefused([&] { inferAll(Op::Custom, {}, words); }, "test.nothing: results: expected at least 1, got 0");
  op = plain("test.open");
  op.infer = [](const InferArgs &) { return std::vector<TensorType>{{DType::F32, {Size::symbol(0)}}}; };
  words = {registerOp(op).id};
  expectRefused([&] { inferAll(Op::Custom, {}, words); }, "sizes of a result: expected fixed ones");
  op = plain("test.negative");
  op.infer = [](const InferArgs &) { return std::vector<TensorType>{{DType::F32, {int64_t(-1)}}}; };
  words = {registerOp(op).id};
  expectRefused([&] { inferAll(Op::Custom, {}, words); }, "size: expected at least 0, got -1");
}

TEST_F(Custom, FillsConsecutiveSlots) {
  Trace trace = test::customProgram();
  EXPECT_EQ(trace.outputs, (std::vector<int64_t>{2, 3, 4}));
  EXPECT_EQ(trace.types.size(), 5u);
  int64_t second = 3;
  EXPECT_EQ(Trace::neededSlots(trace.words, {&second, 1}), (std::vector<char>{1, 1, 1, 1, 0}));
  EXPECT_EQ(Trace::parse(trace.serialize()), trace);
  EXPECT_EQ(Trace::outputTypes(trace.serialize())[1], (TensorType{DType::I64, {}}));
}

TEST_F(Custom, IsInterpreted) {
  interpret(test::customProgram().serialize(), from, to);
  expectResults();
}

TEST_F(Custom, IsCompiled) {
  EXPECT_EQ(runCompiled(onHost(test::customProgram())), 0);
  expectResults();
  // A result that nobody reads needs memory all the same.
  Trace part = onHost(test::customProgram());
  part.outputs = {4, 4, 4};
  std::fill(negative, negative + 4, 0.0f);
  EXPECT_EQ(runCompiled(part), 0);
  EXPECT_EQ(negative[3], -9004);
}

TEST_F(Custom, OtherDevicesAreNotCompiledForTheHost) {
  expectRefused([&] { getExecutable(test::customProgram().serialize()); }, "device of an input: expected 'cpu', got 'cuda:0'");
}

TEST_F(Custom, FailuresAreStatuses) {
  y[0] = 0;
  x[0] = 13;
  EXPECT_EQ(runCompiled(onHost(test::customProgram())), KILN_CUSTOM_FAILED);
  x[0] = 14;
  EXPECT_EQ(runCompiled(onHost(test::customProgram())), KILN_CUSTOM_FAILED);
  expectRefused([&] { interpret(test::customProgram().serialize(), from, to); },
                "test.negated: expected a function that returns 0, got status 64");
  EXPECT_THROW(checkLibraryStatus(Op::Custom, KILN_LIBRARY_MISSING), Error);
  int64_t unknown = 1;
  EXPECT_EQ(runtimeTable()->library("custom", nullptr, &unknown), KILN_LIBRARY_MISSING);
}

TEST_F(Custom, RunsInEager) {
  Array row = Array::empty(DType::F32, {4});
  std::copy(x, x + 4, reinterpret_cast<float *>(row.data()));
  Array every = slice(row, {3}, {2}, {-2}); // 4, 2
  const Array *operand = &every;
  std::vector<int64_t> words = {test::negated().id};
  Array result = applyLibrary(Op::Custom, {&operand, 1}, words);
  EXPECT_EQ(reinterpret_cast<float *>(result.data())[0], -4);
  EXPECT_EQ(reinterpret_cast<float *>(result.data())[1], -2);
}

TEST_F(Custom, RunsOperationByOperation) {
  Trace trace;
  int64_t input = trace.addInput({DType::F32, {4}}), word = test::negated().id;
  trace.outputs = {trace.addOp(Op::Custom, {&input, 1}, {&word, 1})};
  Array row = Array::empty(DType::F32, {4});
  std::copy(x, x + 4, reinterpret_cast<float *>(row.data()));
  const Array *inputs[] = {&row};
  EXPECT_EQ(reinterpret_cast<float *>(interpret(trace, inputs)[0].data())[3], -4);
}

TEST_F(Custom, SizesStayFixedInProgramsForAnySize) {
  auto program = [](int64_t n) {
    Trace trace;
    int64_t x = trace.addInput({DType::F32, {n}}), word = test::negated().id;
    trace.outputs = {trace.addOp(Op::Custom, {&x, 1}, {&word, 1})};
    return trace;
  };
  Difference difference;
  EXPECT_FALSE(generalize(program(4), program(5), &difference));
  EXPECT_NE(difference.why.find("custom calls a library with sizes that are fixed"), std::string::npos) << difference.why;
  EXPECT_TRUE(generalize(program(4), program(4)));
}

TEST_F(Custom, ReadsAsText) {
  auto words = onHost(test::customProgram()).serialize();
  std::string text = printIr(words, "kiln");
  EXPECT_NE(text.find("kiln.custom \"test.scaled_add\"(%arg0, %arg1) {factor = 3.000000e+00 : f32, power = 2 : i64}"), std::string::npos)
      << text;
  EXPECT_EQ(parseIr(text), words);
  auto refused = [&](const std::string &from, const std::string &to, const char *what) {
    std::string other = text;
    other.replace(other.find(from), from.size(), to);
    expectRefused([&] { parseIr(other); }, what);
  };
  refused("test.scaled_add", "test.unknown", "registered in this process, got 'test.unknown'");
  refused("factor = 3.000000e+00 : f32, ", "", "attribute 'factor': expected a number with its type, got none");
  refused("power = 2 : i64", "power = 2 : i32", "attribute 'power': expected an i64, got another");
  refused("power = 2 : i64", "power = 2 : i64, more = 1 : i64", "attributes: expected 3, got 4");
  refused("factor = 3.000000e+00 : f32", "factor = 3.000000e+00 : f64", "factor: expected float32, got float64");
  refused("factor = 3.000000e+00 : f32", "factor = 3.000000e+00 : f8E4M3",
          "attribute 'factor': expected a number with its type, got another");
  expectRefused(
      [&] {
        parseIr("func.func @f(%x: tensor<4xf32>) -> tensor<4xf64> {\n"
                "%0 = kiln.custom \"test.negated\"(%x) : (tensor<4xf32>) -> tensor<4xf64> return %0 : tensor<4xf64> }");
      },
      "type of result 0: expected float32[4], got float64[4]");
  expectRefused(
      [&] {
        parseIr("func.func @f(%x: tensor<4xf32>) -> tensor<4xf32> {\n"
                "%0, %1 = kiln.custom \"test.negated\"(%x) : (tensor<4xf32>) -> (tensor<4xf32>, tensor<f32>) return %0 : tensor<4xf32> }");
      },
      "results: expected 1, got 2");
  expectRefused([&] { printIr(test::nestedProgram().serialize(), "kiln"); }, "expected a registered op without bodies, got one with them");
}
