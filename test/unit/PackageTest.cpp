// Packages: what is written is read, to the same bytes; what is damaged or does not fit together is refused.
#include "lib/Package/Archive.h"
#include "lib/Package/Package.h"
#include "test/unit/Thrown.h"
#include "tools/fuzz/Counted.h"

#include "lib/Core/Generalize.h"

#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>

using namespace kiln;

namespace {

using Bytes = std::vector<uint8_t>;

/// A folder of the test that goes with it.
class Folder {
public:
  Folder() : path(std::filesystem::temp_directory_path() / "kiln-package-XXXXXX") { mkdtemp(path.data()); }
  ~Folder() { std::filesystem::remove_all(path); }
  std::string operator/(const char *name) const { return path + "/" + name; }

private:
  std::string path;
};

Bytes readFile(const std::string &path) {
  std::ifstream file(path, std::ios::binary);
  return Bytes{std::istreambuf_iterator<char>(file), {}};
}
void writeFile(const std::string &path, const Bytes &bytes) {
  std::ofstream(path, std::ios::binary).write(reinterpret_cast<const char *>(bytes.data()), long(bytes.size()));
}

/// x + w, which is also written back into x, for rows of any number.
Trace program(int64_t rows) {
  Trace t;
  int64_t x = t.addInput({DType::F32, {rows, 3}}), w = t.addInput({DType::F32, {3}});
  Dims shape{rows, 3}, axes{1};
  std::vector<int64_t> words;
  appendWords(words, axes);
  appendWords(words, shape);
  int64_t wide[] = {t.addOp(Op::Broadcast, std::vector{w}, words)};
  int64_t operands[] = {x, wide[0]};
  t.outputs = {t.addOp(Op::Add, operands, {})};
  return t;
}

const std::vector<float> kWeight{1, 2, 3};
const std::vector<double> kOther(32, 0.5);
template <typename T> std::span<const uint8_t> bytesOf(const std::vector<T> &v) {
  return {reinterpret_cast<const uint8_t *>(v.data()), v.size() * sizeof(T)};
}

Package sample() {
  Package package;
  package.name = "model";
  package.weights.push_back({"layers.0/bias", {DType::F32, {3}}, bytesOf(kWeight), nullptr});
  package.weights.push_back({"phase", {DType::C128, {2, 8}}, bytesOf(kOther), nullptr});
  auto n = SizeExpression::dimension(0), three = SizeExpression::number(3);
  PackageEntry entry;
  entry.name = "run";
  entry.program = *generalize(program(4), program(6));
  entry.inputs = {{"x", Role::Argument, -1, {n, three}, {}}, {"w", Role::Weight, 0, {}, {}}};
  entry.outputs = {{"x", 0}};
  entry.dimensions = {{"n", 1, 4096}};
  entry.symbols = {n};
  entry.checked = {{{2, 4096}}};
  entry.signature = R"({"arguments":[0]})";
  package.entries.push_back(entry);
  entry.program = program(1);
  entry.symbols.clear();
  entry.checked = {{{1, 1}}};
  package.entries.push_back(entry);
  return package;
}

std::string refusal(const Package &package) {
  auto [kind, text] = thrown([&] { checkPackage(package); });
  return kind == ErrorKind::Package ? text : "of another kind: " + text;
}

} // namespace

TEST(Package, IsReadAsItWasWritten) {
  Folder folder;
  Package package = sample();
  writePackage(package, folder / "a.kiln");
  Package read = readPackage(folder / "a.kiln", Checksums::OfAll);
  EXPECT_EQ(read.name, "model");
  ASSERT_EQ(read.entries.size(), 2u);
  for (size_t i = 0; i < 2; ++i) {
    EXPECT_TRUE(read.entries[i].program == package.entries[i].program);
    EXPECT_EQ(read.entries[i].inputs, package.entries[i].inputs);
    EXPECT_EQ(read.entries[i].outputs, package.entries[i].outputs);
    EXPECT_EQ(read.entries[i].symbols, package.entries[i].symbols);
    EXPECT_EQ(read.entries[i].checked, package.entries[i].checked);
    EXPECT_EQ(read.entries[i].signature, package.entries[i].signature);
  }
  for (size_t i = 0; i < 2; ++i) {
    EXPECT_TRUE(std::ranges::equal(read.weights[i].bytes, package.weights[i].bytes));
    EXPECT_EQ(reinterpret_cast<uintptr_t>(read.weights[i].bytes.data()) % 8, 0u);
  }
  writePackage(read, folder / "b.kiln");
  EXPECT_EQ(readFile(folder / "a.kiln"), readFile(folder / "b.kiln"));
}

TEST(Package, HasCodeForMachines) {
  const Bytes kCode{1, 2, 3, 5, 7, 11, 13, 17, 19, 23};
  Folder folder;
  Package package = sample();
  package.natives = {{"aarch64-unknown-linux-gnu", {"generic"}, bytesOf(kWeight), nullptr},
                     {"x86_64-pc-linux-gnu", {"a", "b"}, kCode, nullptr}};
  writePackage(package, folder / "a.kiln");
  Package read = readPackage(folder / "a.kiln");
  ASSERT_EQ(read.natives.size(), 2u);
  EXPECT_EQ(read.natives[1].triple, "x86_64-pc-linux-gnu");
  EXPECT_EQ(read.natives[1].processors, (std::vector<std::string>{"a", "b"}));
  EXPECT_TRUE(std::ranges::equal(read.natives[1].bytes, kCode));
  writePackage(read, folder / "b.kiln");
  Bytes bytes = readFile(folder / "a.kiln");
  EXPECT_EQ(bytes, readFile(folder / "b.kiln"));
  auto code = std::search(bytes.begin(), bytes.end(), kCode.begin(), kCode.end());
  ASSERT_NE(code, bytes.end());
  *code ^= 1;
  writeFile(folder / "b.kiln", bytes);
  EXPECT_TRUE(contains(thrown([&] { readPackage(folder / "b.kiln"); }).second, "native/x86_64-pc-linux-gnu.so"));
}

TEST(Package, SizesChooseTheProgram) {
  Package package = sample();
  auto at = [&](int64_t n) { return &entryFor(package, "run", std::vector{n}) - package.entries.data(); };
  EXPECT_EQ(at(1), 1);
  EXPECT_EQ(at(2), 0);
  EXPECT_EQ(at(4096), 0);
  EXPECT_EQ(symbolsOf(package.entries[0], std::vector<int64_t>{7}), std::vector<int64_t>{7});
  EXPECT_TRUE(symbolsOf(package.entries[1], std::vector<int64_t>{1}).empty());
  EXPECT_TRUE(contains(thrown([&] { at(0); }).second, "from 1 to 4096, got 0"));
  package.entries[0].checked = {{{2, 10}}};
  package.entries[0].assumed = {{{11, 20}}};
  EXPECT_EQ(at(15), 0);
  EXPECT_TRUE(contains(thrown([&] { at(21); }).second, "checked for when it was exported, got n = 21"));
  EXPECT_TRUE(contains(thrown([&] { entryFor(package, "walk", {}); }).second, "got 'walk'"));
  EXPECT_TRUE(contains(thrown([&] { entryFor(package, "run", {}); }).second, "expected 1 of them, got 0"));
  using S = SizeExpression::Step;
  package.entries[0].symbols[0] = SizeExpression::of(SizeExpression::dimension(0), S::Multiply, SizeExpression::number(INT64_MAX));
  auto [kind, text] = thrown([&] { symbolsOf(package.entries[0], std::vector<int64_t>{7}); });
  EXPECT_EQ(kind, ErrorKind::Shape);
  EXPECT_TRUE(contains(text, "got one that overflows")); // # negative
}

TEST(Package, RefusesWhatDoesNotFitTogether) {
  struct Case {
    const char *expected;
    void (*change)(Package &);
  };
  const Case cases[] = {
      {"name: expected a name of letters, digits and _, got 'a b'", [](Package &p) { p.name = "a b"; }},
      {"entries: expected at least one", [](Package &p) { p.entries.clear(); }},
      {"triple of code: expected a triple of LLVM, got '../x'", [](Package &p) { p.natives.push_back({"../x", {}, {}, nullptr}); }},
      {"code: expected one for a triple, got two for 'a-b'",
       [](Package &p) { p.natives = {{"a-b", {}, {}, nullptr}, {"a-b", {}, {}, nullptr}}; }},
      {"inputs of 'run': expected 2", [](Package &p) { p.entries[0].inputs.pop_back(); }},
      {"outputs of 'run': expected 1", [](Package &p) { p.entries[0].outputs.clear(); }},
      {"last output of 'run': expected an int64 of rank 0", [](Package &p) { p.entries[0].misses = {"f.py:1: asked"}; }},
      {"symbols of 'run': expected 1", [](Package &p) { p.entries[0].symbols.clear(); }},
      {"names of 'run': expected each once", [](Package &p) { p.entries[0].inputs[1].name = "x"; }},
      {"a weight of the package, got none", [](Package &p) { p.entries[0].inputs[1].weight = 7; }},
      {"expected float32[3], got complex128[2, 8]", [](Package &p) { p.entries[0].inputs[1].weight = 1; }},
      {"expected 2 axes, got 0", [](Package &p) { p.entries[0].inputs[0].shape.clear(); }},
      {"numbers and dimensions, got others", [](Package &p) { p.entries[0].inputs[0].shape[0] = SizeExpression::dimension(1); }},
      {"an array of rank 0", [](Package &p) { p.entries[0].inputs[0] = {"x", Role::Number, -1, {}, {}}; }},
      {"operations in postfix order", [](Package &p) { p.entries[0].symbols[0].items.clear(); }},
      {"the name of the argument that it writes", [](Package &p) { p.entries[0].outputs[0].name = "y"; }},
      {"the name of the argument that it writes", [](Package &p) { p.entries[0].outputs[0] = {"w", 1}; }},
      {"a least and a most size, got 9 and 4", [](Package &p) { p.entries[0].dimensions[0] = {"n", 9, 4}; }},
      {"ranges within the bounds of 'n', got 0 to 4", [](Package &p) { p.entries[0].checked = {{{0, 4}}}; }},
      {"ranges of 1 dimensions, got 0", [](Package &p) { p.entries[0].checked = {{}}; }},
      {"sizes of 'run': expected some", [](Package &p) { p.entries[0].checked = {}; }},
      {"the same arguments, outputs and dimensions",
       [](Package &p) { p.entries[1].inputs[0].name = "y", p.entries[1].outputs[0].name = "y"; }},
      {"those of one name one after another",
       [](Package &p) {
         p.entries.push_back(p.entries[0]);
         p.entries[1].name = "walk";
       }},
      {"the bytes of float32[3], got 4", [](Package &p) { p.weights[0].bytes = p.weights[0].bytes.first(4); }},
      {"names of weights: expected each once", [](Package &p) { p.weights[1].name = p.weights[0].name; }},
      {"memory of their own, got that of inputs", [](Package &p) { p.entries[0].program.replaces = {0}; }},
      {"arrays of the host, got one of 'cuda:0'", [](Package &p) { p.entries[0].program.devices = {"cuda:0"}; }},
  };
  for (const Case &c : cases) {
    Package package = sample();
    c.change(package);
    EXPECT_TRUE(contains(refusal(package), c.expected)) << c.expected << "\n  " << refusal(package); // # negative
  }
}

TEST(Package, CountsSizesInStages) {
  Folder folder;
  Package package = sample();
  for (PackageEntry &entry : countedEntries("select", 5)) package.entries.push_back(entry);
  writePackage(package, folder / "a.kiln");
  Package read = readPackage(folder / "a.kiln");
  ASSERT_EQ(read.entries.size(), 6u);
  EXPECT_TRUE(read.entries[2].counts);
  EXPECT_EQ(countOf(read.entries[2]), 1u);
  EXPECT_EQ(dimensionsOf(read, "select"), package.entries[5].dimensions);
  EXPECT_EQ(&entryFor(read, "select", {}), &read.entries[2]);
  EXPECT_EQ(&entryFor(read, "select", std::vector<int64_t>{1}), &read.entries[4]);
  EXPECT_EQ(&entryFor(read, "select", std::vector<int64_t>{5}), &read.entries[5]);
  EXPECT_TRUE(contains(thrown([&] { entryFor(read, "select", std::vector<int64_t>{6}); }).second, "from 0 to 5, got 6"));
  writePackage(read, folder / "b.kiln");
  EXPECT_EQ(readFile(folder / "a.kiln"), readFile(folder / "b.kiln"));
}

TEST(Package, RefusesStagesThatDoNotFitTogether) {
  struct Case {
    const char *expected;
    void (*change)(std::vector<PackageEntry> &);
  };
  const Case cases[] = {
      {"an int64 of rank 0, the next dimension, got others", [](auto &e) { std::swap(e[0].program.outputs[0], e[0].program.outputs[1]); }},
      {"an int64 of rank 0, the next dimension, got others", [](auto &e) { e[0].outputs.clear(), e[0].program.outputs.clear(); }},
      {"a last stage, which has the results, got one that counts", [](auto &e) { e.resize(1); }},
      {"a stage that counts 'count', got none", [](auto &e) { e.erase(e.begin()); }},
      {"the same arguments, outputs and dimensions", [](auto &e) { e[0].counts = false; }},
      {"the same arguments, outputs and dimensions", [](auto &e) { e[2].outputs[0].name = "other"; }},
      {"the same arguments, outputs and dimensions", [](auto &e) { e[3].inputs[0].name = "y"; }},
      {"one of its type that the stage before keeps, got none", [](auto &e) { e[1].inputs[1].name = "kept1"; }},
      {"one of its type that the stage before keeps, got none",
       [](auto &e) {
         e[0].inputs.push_back({"kept0", Role::Kept, -1, {}, {}}), e[0].outputs = {{"count"}}, e[0].program = selectingStage(5, 3);
       }},
      {"bound of 'count': expected one in the dimensions before it",
       [](auto &e) { e[1].dimensions[0].bound = SizeExpression::dimension(0); }},
  };
  for (const Case &c : cases) {
    Package package = sample();
    package.entries = countedEntries("select", 5);
    c.change(package.entries);
    EXPECT_TRUE(contains(refusal(package), c.expected)) << c.expected << "\n  " << refusal(package); // # negative
  }
}

TEST(Package, RefusesOtherFiles) {
  Folder folder;
  auto refuses = [&](const std::string &path, const char *expected) {
    auto [kind, text] = thrown([&] { readPackage(path, Checksums::OfAll); });
    EXPECT_EQ(kind, ErrorKind::Package) << text;
    EXPECT_TRUE(contains(text, expected)) << expected << "\n  " << text; // # negative
  };
  refuses(folder / "none.kiln", "No such file");
  refuses(folder / "", "it is no file");
  writeFile(folder / "empty.kiln", {});
  refuses(folder / "empty.kiln", "got an empty one");
  writeFile(folder / "text.kiln", Bytes(100, 'a'));
  refuses(folder / "text.kiln", "a file of zip");
  EXPECT_TRUE(contains(thrown([&] { writePackage(sample(), folder / "no/a.kiln"); }).second, "can be written"));
  Package unsigned_ = sample();
  unsigned_.entries[0].signature = "[";
  EXPECT_TRUE(contains(thrown([&] { writePackage(unsigned_, folder / "a.kiln"); }).second, "signature of 'run': expected JSON"));
  writePackage(sample(), folder / "a.kiln");
  Bytes whole = readFile(folder / "a.kiln");
  Archive archive(whole, nullptr);
  for (const Archive::Member &member : archive.members) {
    Bytes bytes = whole;
    bytes[size_t(member.bytes.data() - whole.data()) + member.bytes.size() / 2] ^= 1;
    writeFile(folder / "b.kiln", bytes);
    refuses(folder / "b.kiln", ("the bytes of '" + member.name + "' as they were written").c_str());
  }
  auto replaced = [&](const std::string &from, const std::string &to, const char *expected) {
    std::vector<std::string> texts;
    std::vector<ArchiveMember> members;
    for (const Archive::Member &member : archive.members) {
      std::string text(member.bytes.begin(), member.bytes.end());
      if (size_t at = text.find(from); at != std::string::npos) text.replace(at, from.size(), to);
      texts.push_back(text);
    }
    for (size_t i = 0; i < texts.size(); ++i)
      members.push_back({archive.members[i].name, {{reinterpret_cast<const uint8_t *>(texts[i].data()), texts[i].size()}}});
    writeArchive(folder / "c.kiln", members);
    refuses(folder / "c.kiln", expected);
  };
  replaced("\"format\": [\n  1,", "\"format\": [\n  4,", "manifest.format[0]: expected 1 to 3, got 4");
  replaced("{\n \"entries\"", "{\n \"entries", "expected JSON, got");
  replaced("\"assumed\": []", "\"checked\": []", "'checked' twice");
  replaced("\"role\": \"argument\"", "\"role\": \"king\"", "the role of an input, got \"king\"");
  replaced("\"least\": 1", "\"least\": 1.5", "a whole number, got 1.5");
  replaced("programs/1.kilntrace", "programs/2.kilntrace", "a member 'programs/2.kilntrace', got none");
}

TEST(Package, ReadsItselfInMemory) {
  Folder folder;
  writePackage(sample(), folder / "a.kiln");
  auto bytes = std::make_shared<Bytes>(readFile(folder / "a.kiln"));
  EXPECT_EQ(unpackPackage(*bytes, bytes).entries.size(), 2u);
}

TEST(SizeExpression, Evaluates) {
  using S = SizeExpression::Step;
  auto n = SizeExpression::dimension(0), m = SizeExpression::dimension(1);
  auto of = [](const SizeExpression &a, S step, const SizeExpression &b) { return SizeExpression::of(a, step, b); };
  auto third = of(of(n, S::Add, SizeExpression::number(-1)), S::FloorDivide, SizeExpression::number(3));
  std::vector<std::string> names{"n", "m"};
  EXPECT_EQ(toString(third, names), "(n - 1) // 3");
  EXPECT_EQ(evaluate(third, std::vector<int64_t>{0, 0}), -1);
  EXPECT_EQ(evaluate(third, std::vector<int64_t>{7, 0}), 2);
  auto most = of(of(n, S::Multiply, m), S::Maximum, of(m, S::Minimum, SizeExpression::number(5)));
  EXPECT_EQ(toString(most, names), "max(n * m, min(m, 5))");
  EXPECT_EQ(evaluate(most, std::vector<int64_t>{2, 9}), 18);
  EXPECT_EQ(evaluate(most, std::vector<int64_t>{int64_t(1) << 62, 4}), std::nullopt);
  EXPECT_EQ(evaluate(of(n, S::FloorDivide, m), std::vector<int64_t>{2, 0}), std::nullopt);
  EXPECT_FALSE(isValid({}, 1));
  EXPECT_FALSE(isValid({{{S::Add}}}, 1));
  EXPECT_FALSE(isValid(m, 1));
  EXPECT_FALSE(isValid(of(n, S(9), n), 1));
  EXPECT_TRUE(isValid(third, 1));
}
