// A model as it is kept: entries, each a program whose inputs, results and sizes have names, and the arrays that they share.
// docs/formats/package.md has the layout of the file; docs/architecture.md says who makes one and who reads it.
#pragma once

#include "lib/Core/Size.h"
#include "lib/Core/Trace.h"

#include <limits>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace kiln {

/// A size that the caller chooses, from `least` to `most`.
struct Dimension {
  std::string name;
  int64_t least = 0, most = std::numeric_limits<int64_t>::max();
};

/// A whole number that follows from the dimensions of an entry, in postfix order: `{{Dimension, 0}, {Number, 3}, {FloorDivide, 0}}` is n
/// // 3.
struct SizeExpression {
  enum class Step : uint8_t { Number, Dimension, Add, Multiply, FloorDivide, Maximum, Minimum };
  struct Item {
    Step step;
    int64_t value = 0; // the number, or the place of the dimension
  };
  std::vector<Item> items;

  static SizeExpression number(int64_t value) { return {{{Step::Number, value}}}; }
  static SizeExpression dimension(int64_t place) { return {{{Step::Dimension, place}}}; }
};

/// What fills an input of a program.
enum class Role : uint8_t { Argument, Weight, Number }; // Number: an argument of rank 0 that a caller gives by value

struct PackageInput {
  std::string name; // a name of C: letters, digits and _
  Role role = Role::Argument;
  int64_t weight = -1; // its place among the package's weights
};

struct PackageOutput {
  std::string name;
  int64_t writes = -1; // the input that the caller sees change: in/out; -1 for a result of its own
};

/// One function. Inputs and outputs are in the order of the program's; types stand in the program.
struct PackageEntry {
  std::string name;
  Trace program;
  std::vector<PackageInput> inputs;
  std::vector<PackageOutput> outputs;
  std::vector<Dimension> dimensions;
  std::vector<SizeExpression> symbols; // of an open program: each of its symbols
  std::string signature;               // how arguments and results are put together, as JSON: what Python needs, and nobody else
};

/// An array that entries share. The bytes are row-major, and belong to `owner`: a mapped file, or the array that is being exported.
struct PackageWeight {
  std::string name;
  TensorType type;
  std::span<const uint8_t> bytes;
  std::shared_ptr<const void> owner;
};

struct Package {
  std::string name;
  std::vector<PackageEntry> entries;
  std::vector<PackageWeight> weights;
};

} // namespace kiln
