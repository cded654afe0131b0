// Program files that were written once and must be read for ever: test/golden. Each is read, written again to the same bytes, and gives the
// results that are stored with it. KILN_WRITE_GOLDEN=1 writes those that are missing, and never replaces one.
#include "lib/Cache/Cache.h"
#include "lib/Core/Generalize.h"
#include "lib/Core/Program.h"
#include "lib/Runtime/Executable.h"
#include "test/unit/CustomOps.h"

#include <cstring>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>

using namespace kiln;

namespace {

using Bytes = std::vector<uint8_t>;
const std::filesystem::path kRoot = std::filesystem::read_symlink("/proc/self/exe").parent_path().parent_path();
const std::filesystem::path kFolder = kRoot.parent_path() / "test/golden";

Bytes readFile(const std::filesystem::path &path) {
  std::ifstream file(path, std::ios::binary);
  return Bytes{std::istreambuf_iterator<char>(file), {}};
}
void writeMissing(const std::filesystem::path &path, const Bytes &bytes) {
  if (!getenv("KILN_WRITE_GOLDEN") || std::filesystem::exists(path)) return;
  std::ofstream(path, std::ios::binary).write(reinterpret_cast<const char *>(bytes.data()), long(bytes.size()));
}

size_t bytesOf(const TensorType &type) { return size_t(numElements(type.shape) * byteSize(type.dtype)); }

/// Runs a program on inputs that lie one behind the other; the results likewise.
template <typename Runner> Bytes run(const Trace &trace, const Bytes &inputs, const Runner &runner) {
  auto words = trace.serialize();
  std::vector<const void *> from;
  std::vector<Bytes> results;
  std::vector<void *> to;
  size_t at = 0;
  for (const TensorType &type : Trace::inputTypes(words)) from.push_back(inputs.data() + at), at += bytesOf(type);
  for (const TensorType &type : Trace::outputTypes(words)) results.emplace_back(bytesOf(type) + 64);
  for (Bytes &result : results) to.push_back(result.data());
  runner(words, from, to);
  Bytes all;
  for (size_t i = 0; i < results.size(); ++i) all.insert(all.end(), results[i].begin(), results[i].end() - 64);
  return all;
}
Bytes interpreted(const Trace &trace, const Bytes &inputs) {
  return run(trace, inputs, [](auto &words, auto &from, auto &to) { interpret(words, from.data(), to.data()); });
}
Bytes compiled(const Trace &trace, const Bytes &inputs) {
  return run(trace, inputs, [](auto &words, auto &from, auto &to) {
    auto executable = getExecutable(words).executable;
    std::vector<void *> buffers;
    for (const void *p : from) buffers.push_back(const_cast<void *>(p));
    buffers.insert(buffers.end(), to.begin(), to.end());
    alignas(64) static char workspace[1 << 16];
    ASSERT_LE(executable->workspaceBytes(nullptr), sizeof workspace);
    EXPECT_EQ(executable->entry(runtimeTable(), buffers.data(), nullptr, workspace), 0);
  });
}

/// Numbers that every dtype holds: 1 to 7, over and over.
Bytes inputsOf(const Trace &trace) {
  Bytes all;
  int64_t n = 0;
  for (const TensorType &type : Trace::inputTypes(trace.serialize()))
    for (int64_t i = 0; i < numElements(type.shape); ++i) {
      int64_t value = n++ % 7 + 1;
      double wide = double(value);
      float narrow = float(value);
      const void *from = type.dtype == DType::F64   ? static_cast<void *>(&wide)
                         : type.dtype == DType::F32 ? static_cast<void *>(&narrow)
                                                    : &value;
      all.insert(all.end(), static_cast<const uint8_t *>(from), static_cast<const uint8_t *>(from) + byteSize(type.dtype));
    }
  return all;
}

/// Ops with every kind of words, whose results do not depend on how a function is approximated.
Trace straight() {
  Trace t;
  auto op = [&](Op id, std::vector<int64_t> operands, std::vector<int64_t> words = {}) { return t.addOp(id, operands, words); };
  auto number = [](auto value) -> int64_t { return std::bit_cast<int32_t>(value); };
  const int64_t f32 = int64_t(DType::F32), i64 = int64_t(DType::I64);
  int64_t x = t.addInput({DType::F32, {3, 4}}), y = t.addInput({DType::F32, {4, 2}}), i = t.addInput({DType::I64, {5}}),
          d = t.addInput({DType::F64, {2}});
  int64_t half = op(Op::Constant, {}, {f32, number(0.5f)}), wide = op(Op::Broadcast, {half}, {0, 2, 3, 4});
  int64_t scaled = op(Op::Sqrt, {op(Op::Multiply, {x, wide})}), product = op(Op::DotGeneral, {scaled, y}, {0, 0, 1, 0});
  int64_t turned = op(Op::Transpose, {product}, {2, 1, 0}), flat = op(Op::Reshape, {turned}, {1, 6});
  int64_t part = op(Op::Slice, {flat}, {1, 5, 1, 3, 1, -2}), sorted = op(Op::Sort, {part}, {0, 1});
  int64_t steps = op(Op::Iota, {}, {0, i64, 1, 5}), even = op(Op::Equal, {op(Op::Remainder, {i, op(Op::Maximum, {steps, i})}), steps});
  int64_t chosen = op(Op::Select, {even, i, steps}), joined = op(Op::Concat, {chosen, i}, {0});
  int64_t places = op(Op::Slice, {steps}, {1, 0, 1, 3, 1, 1}), rows = op(Op::Gather, {x, places = op(Op::Minimum, {places, places})}, {0});
  (void)rows;
  int64_t narrow = op(Op::Cast, {d}, {int64_t(DType::F16)}), best = op(Op::Argmax, {x}, {1});
  t.outputs = {
      product, sorted, joined, best, narrow, op(Op::Sum, {scaled}, {1, 0}), op(Op::Complex, {d, d}), op(Op::CumulativeSum, {i}, {0})};
  return t;
}

/// Of n rows: what follows sizes, and a number that varies.
Trace rows(int64_t n, float k) {
  Trace t;
  int64_t x = t.addInput({DType::F32, {n, 3}});
  std::vector<int64_t> slice = {2, 1, 0, 2, n - 1, 3, 2, 1, 1}, number = {int64_t(DType::F32), std::bit_cast<int32_t>(k)},
                       wide = {0, 2, n - 1, 3}, axes = {1, 0}, axis = {0};
  int64_t part = t.addOp(Op::Slice, {&x, 1}, slice), c = t.addOp(Op::Constant, {}, number), spread = t.addOp(Op::Broadcast, {&c, 1}, wide);
  int64_t factors[] = {part, spread}, product = t.addOp(Op::Multiply, factors, {}), both[] = {product, x};
  t.outputs = {t.addOp(Op::Sum, {&product, 1}, axes), t.addOp(Op::Concat, both, axis)};
  return t;
}

/// The golden file of a program, which is what `trace` is today.
Trace golden(const std::string &name, const Trace &trace) {
  writeMissing(kFolder / (name + ".kilntrace"), packProgram(trace));
  Bytes bytes = readFile(kFolder / (name + ".kilntrace"));
  EXPECT_FALSE(bytes.empty()) << "expected " << kFolder / name << ".kilntrace";
  Trace read = unpackProgram(bytes);
  EXPECT_EQ(read, trace) << name << " is read as another program than it was";
  EXPECT_EQ(packProgram(read), bytes) << name << " is written as other bytes";
  return read;
}

/// Its stored inputs, and the results that they gave.
void expectStored(const std::string &name, const Trace &trace, bool isCompiled) {
  setLibraryFolder(kRoot / "lib");
  CacheConfig config = cacheConfig();
  config.enabled = false;
  setCacheConfig(config);
  Bytes inputs = inputsOf(trace), fresh = interpreted(trace, inputs), both = inputs;
  both.insert(both.end(), fresh.begin(), fresh.end());
  writeMissing(kFolder / (name + ".data"), both);
  Bytes stored = readFile(kFolder / (name + ".data"));
  EXPECT_EQ(stored, both) << name << " gives other results";
  if (isCompiled) EXPECT_EQ(compiled(trace, inputs), fresh) << name;
}

} // namespace

TEST(Golden, Straight) { expectStored("straight", golden("straight", straight()), true); }

TEST(Golden, SeveralResultsAndDevices) { expectStored("custom", golden("custom", test::customProgram()), false); }

TEST(Golden, Bodies) { golden("bodies", test::nestedProgram()); }

TEST(Golden, AnySize) {
  Trace open = golden("any_size", *generalize(rows(10, 2), rows(20, 3)));
  int64_t sizes[] = {5, 4, 9};
  expectStored("any_size", specialize(open, sizes), true);
}

/// A branch over n rows, whose ways see the size in their shapes.
static Trace waysOf(int64_t n) {
  auto body = [n](Op op) {
    Trace t;
    t.addInput({DType::F32, {n, 3}});
    int64_t operands[] = {0, 0};
    t.outputs = {t.addOp(op, operands, {})};
    return std::make_shared<const Trace>(std::move(t));
  };
  Trace t;
  t.addInput({DType::Bool, {}});
  t.addInput({DType::F32, {n, 3}});
  t.bodies = {body(Op::Add), body(Op::Multiply)};
  int64_t operands[] = {0, 1}, words[] = {2, 0, 1};
  t.outputs = {t.addOp(Op::Branch, operands, words)};
  return t;
}

TEST(Golden, BodiesOfAnySize) {
  Trace open = golden("bodies_any_size", *generalize(waysOf(10), waysOf(20)));
  EXPECT_EQ(specialize(open, std::vector<int64_t>{5}), waysOf(5));
}
