// A function whose values decide a size, as a package has it: the elements of a vector that are not 0, in two stages.
#pragma once

#include "lib/Core/Generalize.h"
#include "lib/Package/Package.h"

namespace kiln {

/// What counts: the mask, and how many of it are true.
inline Trace countingStage(int64_t n) {
  Trace t;
  int64_t x = t.addInput({DType::F32, {n}}), dtypes[] = {int64_t(DType::Bool), int64_t(DType::I64)};
  int64_t mask = t.addOp(Op::Cast, std::vector{x}, {&dtypes[0], 1}), ones = t.addOp(Op::Cast, std::vector{mask}, {&dtypes[1], 1});
  std::vector<int64_t> words;
  appendWords(words, Dims{0});
  t.outputs = {mask, t.addOp(Op::Sum, std::vector{ones}, words)};
  return t;
}

/// What selects so many.
inline Trace selectingStage(int64_t n, int64_t count) {
  Trace t;
  int64_t x = t.addInput({DType::F32, {n}}), mask = t.addInput({DType::Bool, {n}}), axis = 0;
  int64_t positions = t.addOp(Op::Nonzero, std::vector{mask}, {&count, 1});
  t.outputs = {t.addOp(Op::Gather, std::vector{x, positions}, {&axis, 1})};
  return t;
}

/// The entries of `x[x != 0]` for n elements: one that counts, and those for a count of 0, of 1 and of more.
inline std::vector<PackageEntry> countedEntries(const std::string &name, int64_t n) {
  PackageEntry first;
  first.name = name;
  first.program = countingStage(n);
  first.inputs = {{"x", Role::Argument, -1, {SizeExpression::number(n)}, {}}};
  first.outputs = {{"kept0"}, {"count"}};
  first.counts = true;
  first.checked = {{}};
  std::vector<PackageEntry> entries{first};
  for (int64_t count : {0, 1, 2}) {
    PackageEntry &last = entries.emplace_back();
    last.name = name;
    last.program = count < 2 ? selectingStage(n, count) : *generalize(selectingStage(n, 2), selectingStage(n, 3));
    last.inputs = {first.inputs[0], {"kept0", Role::Kept, -1, {}, {}}};
    last.outputs = {{"out0"}};
    last.dimensions = {{"count", 0, n, SizeExpression::number(n)}};
    if (count == 2) last.symbols = {SizeExpression::dimension(0)};
    last.checked = {{{count, count < 2 ? count : n}}};
    last.signature = R"({"parameters":[["x",["array",0]]],"result":["array",0]})";
  }
  return entries;
}

} // namespace kiln
