// Program files: what they hold, how they grow old, and what is refused.
#include "lib/Core/Generalize.h"
#include "lib/Core/Program.h"
#include "test/unit/CustomOps.h"

#include <algorithm>
#include <cstring>
#include <gtest/gtest.h>
#include <map>

using namespace kiln;

namespace {

using Bytes = std::vector<uint8_t>;

std::string refusal(const Bytes &bytes) {
  try {
    unpackProgram(bytes);
  } catch (const Error &e) {
    EXPECT_EQ(e.kind, ErrorKind::Package);
    return e.what();
  }
  return "";
}
void expectRefused(const Bytes &bytes, const char *what) {
  std::string text = refusal(bytes);
  EXPECT_NE(text.find(what), std::string::npos) << text;
}

void put(Bytes &bytes, int64_t n) {
  for (int i = 0; i < 8; ++i) bytes.push_back(uint8_t(uint64_t(n) >> 8 * i));
}
int64_t wordAt(const Bytes &bytes, size_t at) {
  int64_t n;
  std::memcpy(&n, bytes.data() + at, 8);
  return n;
}
void setWord(Bytes &bytes, size_t at, int64_t n) { std::memcpy(bytes.data() + at, &n, 8); }
void putText(Bytes &bytes, const std::string &text) {
  put(bytes, int64_t(text.size()));
  bytes.insert(bytes.end(), text.begin(), text.end());
}
Bytes bytesOf(std::initializer_list<int64_t> words) {
  Bytes bytes;
  for (int64_t word : words) put(bytes, word);
  return bytes;
}

/// A file taken apart, to be put together otherwise.
struct File {
  struct Section {
    std::string name;
    int64_t flags;
    Bytes contents;
  };
  int64_t version = 3, minor = 0;
  std::vector<Section> sections;

  explicit File(const Bytes &bytes) {
    size_t at = 32;
    for (int64_t n = wordAt(bytes, 24); n > 0; --n) {
      size_t length = size_t(wordAt(bytes, at));
      std::string name(bytes.begin() + long(at) + 8, bytes.begin() + long(at + 8 + length));
      at += 8 + length;
      size_t size = size_t(wordAt(bytes, at + 8));
      sections.push_back({name, wordAt(bytes, at), Bytes(bytes.begin() + long(at) + 16, bytes.begin() + long(at + 16 + size))});
      at += 16 + size;
    }
  }
  Bytes bytes() const {
    Bytes all = {'K', 'I', 'L', 'N', 'P', 'R', 'O', 'G'};
    for (int64_t n : {version, minor, int64_t(sections.size())}) put(all, n);
    for (const Section &s : sections) {
      putText(all, s.name);
      put(all, s.flags);
      put(all, int64_t(s.contents.size()));
      all.insert(all.end(), s.contents.begin(), s.contents.end());
    }
    return all;
  }
  Bytes &section(const std::string &name) {
    return std::ranges::find_if(sections, [&](auto &s) { return s.name == name; })->contents;
  }
  /// Renames a string of the table.
  void rename(const std::string &from, const std::string &to) {
    Bytes &strings = section("strings"), changed;
    put(changed, wordAt(strings, 0));
    for (size_t at = 8; at < strings.size();) {
      size_t length = size_t(wordAt(strings, at));
      std::string text(strings.begin() + long(at) + 8, strings.begin() + long(at + 8 + length));
      putText(changed, text == from ? to : text);
      at += 8 + length;
    }
    strings = changed;
  }
};

Trace addition() {
  Trace trace;
  int64_t operands[] = {trace.addInput({DType::F32, {2, 3}}), trace.addInput({DType::F32, {2, 3}}, {kDynamicStride, 1})};
  trace.outputs = {trace.addOp(Op::Add, operands, {})};
  return trace;
}

void expectRoundTrip(const Trace &trace) {
  Bytes bytes = packProgram(trace);
  Trace read = unpackProgram(bytes);
  EXPECT_EQ(read, trace);
  EXPECT_EQ(read.serialize(), trace.serialize());
  EXPECT_EQ(read.types, trace.types);
  EXPECT_EQ(packProgram(read), bytes);
  EXPECT_EQ(Trace::parse(trace.serialize()), trace);
}

/// x[1:] * k of n elements, transposed sums of a matrix, and more that sizes show in.
Trace sized(int64_t n, float k) {
  Trace t;
  int64_t x = t.addInput({DType::F32, {n, 4}});
  std::vector<int64_t> slice = {2, 1, 0, 2, n - 1, 4, 2, 1, 1}, number = {int64_t(DType::F32), std::bit_cast<int32_t>(k)},
                       wide = {0, 2, n - 1, 4}, turned = {2, 1, 0}, axes = {1, 0}, flat = {1, 4 * (n - 1)};
  int64_t part = t.addOp(Op::Slice, {&x, 1}, slice), c = t.addOp(Op::Constant, {}, number), spread = t.addOp(Op::Broadcast, {&c, 1}, wide);
  int64_t factors[] = {part, spread}, product = t.addOp(Op::Multiply, factors, {}), back = t.addOp(Op::Transpose, {&product, 1}, turned);
  t.outputs = {t.addOp(Op::Sum, {&back, 1}, axes), t.addOp(Op::Reshape, {&product, 1}, flat)};
  return t;
}

} // namespace

TEST(Program, RoundTrips) {
  expectRoundTrip(addition());
  expectRoundTrip(test::customProgram());
  expectRoundTrip(test::nestedProgram());
  auto open = generalize(sized(10, 2), sized(20, 3));
  ASSERT_TRUE(open);
  expectRoundTrip(*open);
}

TEST(Program, KeysDifferByDevicesAndBodies) {
  Trace on = test::customProgram(), off = on;
  off.devices.clear();
  EXPECT_NE(on.serialize(), off.serialize());
  EXPECT_NE(on, off);
  Trace nested = test::nestedProgram(), other = nested;
  auto changed = std::make_shared<Trace>(*nested.bodies[0]);
  changed->outputs = {0};
  other.bodies[0] = changed;
  EXPECT_NE(nested.serialize(), other.serialize());
  EXPECT_NE(nested, other);
  EXPECT_FALSE(generalize(nested, other));
  EXPECT_FALSE(generalize(on, off));
  EXPECT_TRUE(generalize(nested, test::nestedProgram()));
  EXPECT_FALSE(instantiate(nested, other));
}

TEST(Program, OutputsMayReplaceInputs) {
  Trace writes = addition(), plain = writes;
  writes.replaces = {0};
  expectRoundTrip(writes);
  EXPECT_NE(writes, plain);
  EXPECT_FALSE(generalize(writes, plain));
  EXPECT_FALSE(instantiate(writes, plain));
  File file(packProgram(writes));
  EXPECT_EQ(file.sections.back().name, "replaces");
  auto with = [&](std::initializer_list<int64_t> words) {
    File changed = file;
    changed.section("replaces") = bytesOf(words);
    return changed.bytes();
  };
  EXPECT_EQ(unpackProgram(with({1, -1})).replaces, std::vector<int64_t>{-1});
  expectRefused(with({2, 0, -1}), "one for each of 1 outputs, got 2");
  expectRefused(with({1, 2}), "one of 2 inputs, got 2");
  expectRefused(with({1, -2}), "one of 2 inputs, got -2");
  expectRefused(with({1, 1}), "a row-major one on the host, of no other output, got 1"); // its strides are known at run time
  File changed = file;                                                                   // a reader that does not know the section
  changed.sections.back().name = "unknown";
  EXPECT_EQ(unpackProgram(changed.bytes()), plain);
  writes.isFast = true;
  expectRoundTrip(writes);
  EXPECT_FALSE(unpackProgram(packProgram(addition())).isFast);
  plain.isFast = true;
  EXPECT_FALSE(generalize(plain, addition()));
  EXPECT_FALSE(instantiate(plain, addition()));
  Trace smaller = addition();
  std::vector<int64_t> axes = {1, 0};
  smaller.outputs = {smaller.addOp(Op::Sum, {&smaller.outputs[0], 1}, axes)};
  smaller.replaces = {0};
  expectRefused(packProgram(smaller), "one of type float32[3], got 0");
}

TEST(Program, SerializedWordsAreChecked) {
  std::vector<int64_t> words = test::nestedProgram().serialize();
  for (size_t n = 0; n < words.size(); ++n) EXPECT_THROW(Trace::parse(std::span(words).first(n)), Error) << n;
  words.push_back(0);
  EXPECT_THROW(Trace::parse(words), Error);
  words = {2, 0, 0};
  EXPECT_THROW(Trace::parse(words), Error);
}

TEST(Program, OpenProgramsAreCheckedWhenTheyGetSizes) {
  Trace open = unpackProgram(packProgram(*generalize(sized(10, 2), sized(20, 3))));
  ASSERT_EQ(open.symbols, 3); // n, n - 1, 4 (n - 1)
  int64_t right[] = {7, 6, 24}, wrong[] = {7, 5, 20}, other[] = {7, 6, 25}, small[] = {1, 0, 0};
  EXPECT_EQ(specialize(open, right).types[0].shape, (Dims{7, 4}));
  EXPECT_EQ(specialize(open, wrong).types[0].shape, (Dims{7, 4})); // fewer rows are a slice too
  EXPECT_THROW(specialize(open, other), Error);
  EXPECT_THROW(specialize(open, small), Error);
  EXPECT_THROW(specialize(open, {right, 2}), Error);
}

TEST(Program, OlderEntriesAreUpgraded) {
  File file(packProgram(test::customProgram()));
  Bytes &ops = file.section("ops"), &program = file.section("program");
  ASSERT_EQ(wordAt(ops, 16), 2);
  setWord(ops, 16, 1);
  expectRefused(file.bytes(), "attributes of test.scaled_add"); // 'power' is there twice
  // As version 1 wrote it: one attribute, and that by its old name.
  Bytes power = bytesOf({4, StoredAttribute::Integer, 2}); // strings: float32, cpu, cuda:0, factor, power
  auto found = std::search(program.begin(), program.end(), power.begin(), power.end());
  ASSERT_NE(found, program.end());
  size_t at = size_t(found - program.begin());
  program.erase(found, found + 24);
  size_t count = at - 40; // behind it: factor's name, form, dtype and bits
  ASSERT_EQ(wordAt(program, count), 2);
  setWord(program, count, 1);
  file.rename("factor", "alpha");
  Trace read = unpackProgram(file.bytes());
  Trace want = test::customProgram();
  want.words = read.words;
  EXPECT_EQ(read, want);
  TraceOp entry;
  for (size_t word = 0, i = 0; i < 3; ++i) entry = Trace::decode(read.words, word);
  EXPECT_EQ(entry.words[0], test::scaledAdd().id);
  EXPECT_EQ(entry.words[3], 1) << "the power that version 1 had";
  setWord(ops, 16, 3);
  expectRefused(file.bytes(), "version 2 of test.scaled_add, got 3");
  setWord(ops, 16, 0);
  expectRefused(file.bytes(), "version 2 of test.scaled_add, got 0");
}

TEST(Program, VersionsAndSections) {
  File whole(packProgram(addition()));
  auto with = [&](auto change) {
    File file = whole;
    change(file);
    return file.bytes();
  };
  EXPECT_EQ(with([](File &) {}), packProgram(addition()));
  for (int64_t old : {1, 2})
    expectRefused(with([&](File &f) { f.version = old; }), "which later versions do not read: write the program again");
  expectRefused(with([](File &f) { f.version = 4; }), "format 3, got 4");
  expectRefused(with([](File &f) { f.minor = -1; }), "a minor version of at least 0");
  EXPECT_EQ(unpackProgram(with([](File &f) { f.minor = 7; })), addition());
  auto added = [&](int64_t flags) {
    return with([&](File &f) { f.minor = 1, f.sections.insert(f.sections.begin() + 1, {"places", flags, Bytes(13)}); });
  };
  EXPECT_EQ(unpackProgram(added(0)), addition());
  expectRefused(added(1), "sections that this version knows, got 'places' of format 3.1, which cannot be left out");
  expectRefused(with([](File &f) { f.sections.pop_back(); }), "a section 'program', got none");
  expectRefused(with([](File &f) { f.sections.push_back(f.sections[0]); }), "one section 'strings', got two");
  for (const char *name : {"strings", "ops", "program"})
    EXPECT_NE(refusal(with([&](File &f) { f.section(name).push_back(0); })).find("the end behind the"), std::string::npos);
}

TEST(Program, ForeignNamesAreRefusedByName) {
  auto renamed = [](const Trace &trace, const char *from, const char *to) {
    File file(packProgram(trace));
    file.rename(from, to);
    return file.bytes();
  };
  expectRefused(renamed(addition(), "add", "adds"), "ops that this version knows, got 'adds'");
  expectRefused(renamed(test::customProgram(), "test.negated", "test.gone"), "ops that are registered in this process, got 'test.gone'");
  expectRefused(renamed(test::customProgram(), "power", "powers"), "attribute 'power' of test.scaled_add, got none");
  expectRefused(renamed(addition(), "cpu", "CPU"), "names of a-z, 0-9 and _ . : -");
  expectRefused(renamed(addition(), "float32", "float99"), "dtypes that this version knows, got 'float99'");
  EXPECT_EQ(unpackProgram(renamed(addition(), "cpu", "cuda:1")).deviceOf(1), "cuda:1");
  Trace trace;
  trace.outputs = {trace.addInput({DType::F32, {}}, {}, "no such device")};
  EXPECT_THROW(packProgram(trace), Error);
}

TEST(Program, BodiesAreNotNestedForEver) {
  auto nested = [](int depth) {
    auto trace = std::make_shared<Trace>();
    for (int i = 0; i < depth; ++i) {
      auto outer = std::make_shared<Trace>();
      outer->bodies = {trace};
      trace = outer;
    }
    return *trace;
  };
  expectRoundTrip(nested(kMostNested));
  EXPECT_THROW(packProgram(nested(kMostNested + 1)), Error);
  File file(packProgram(Trace()));
  Bytes deep;
  for (int i = 0; i < 100000; ++i) put(deep, 1);
  for (int i = 0; i < 400000; ++i) put(deep, 0);
  file.section("program") = deep;
  expectRefused(file.bytes(), "bodies inside one another");
}

TEST(Program, WhatDoesNotFitIsRefused) {
  auto program = [](std::initializer_list<int64_t> words) {
    File file(packProgram(addition())); // strings: float32, cpu, add; one op
    file.section("program") = bytesOf(words);
    return file.bytes();
  };
  // bodies, symbols, entries, [-1, dtype, device, sizes, strides], [op, operands, attributes, results], outputs
  EXPECT_EQ(refusal(program({0, -1, 1, -1, 0, 1, 1, 2, 0, 1, 0})), "");
  expectRefused(program({0, -2, 0, 0}), "a number of symbols, got -2");
  expectRefused(program({0, -1, 1, -1, 2, 1, 1, 2, 0, 1, 0}), "dtypes that this version knows, got 'add'");
  expectRefused(program({0, -1, 1, -1, 9, 1, 1, 2, 0, 1, 0}), "strings of the table, got 9");
  expectRefused(program({0, -1, 1, -1, 0, 1, 1, -1, 0, 1, 0}), "sizes of at least 0, got -1");
  expectRefused(program({0, 1, 1, -1, 0, 1, 1, -2, 0, 1, 0}), "sizes and symbols of the program, got -2");
  EXPECT_EQ(refusal(program({0, 1, 1, -1, 0, 1, 1, -1, 0, 1, 0})), "");
  expectRefused(program({0, -1, 1, -1, 0, 1, 33, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
                         1, 1,  1, 1,  1, 1, 1,  1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 1, 0}),
                "at most 32 axes, got 33");
  expectRefused(program({0, -1, 1, -1, 0, 1, 1, 2, 2, 1, 1, 1, 0}), "a stride an axis, got 2");
  expectRefused(program({0, -1, 1, -1, 0, 1, 1, 2, 0, 1, 1}), "outputs that are computed, got 1");
  expectRefused(program({0, -1, 1, 5, 0, 0, 0, 0}), "ops of the table, got 5");
  expectRefused(program({0, -1, 1, 0, 2, 0, 0, 0, 1, 0}), "operands that come before, got 0");
  expectRefused(program({0, -1, 1, 0, 0, 0, 1, 0}), "2 operands of add, got 0");
  expectRefused(program({0, -1, 2, -1, 0, 1, 1, 2, 0, 0, 2, 0, 0, 0, 2, 1, 1}), "1 results of add, got 2");
  expectRefused(program({0, -1, 2, -1, 0, 1, 1, 2, 0, 0, 2, 0, 0, 1, 2, 0, 7, 1, 1, 1}), "0 attributes of add, got 1");
  expectRefused(program({0, -1, 2, -1, 0, 1, 1, 2, 0, 0, 2, 0, 0, 1, 2, 9, 7, 1, 1, 1}),
                "attributes of a form that this version knows, got 9");
  expectRefused(program({0, 1, 2, -1, 0, 1, 1, -1, 0, 0, 2, 0, 0, 0, 1, 1, 5, 1, 1}), "float32[s0] of add, got float32[5]");
  EXPECT_EQ(refusal(program({0, 1, 2, -1, 0, 1, 1, -1, 0, 0, 2, 0, 0, 0, 1, 1, -1, 1, 1})), "");
}
