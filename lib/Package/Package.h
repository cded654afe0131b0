// A model as it is kept: entries, each a program whose inputs, results and sizes have names, and the arrays that they share.
// docs/formats/package.md has the layout of the file; docs/architecture.md says who makes one and who reads it.
#pragma once

#include "lib/Core/NativeOps.h"
#include "lib/Core/Size.h"
#include "lib/Core/Trace.h"
#include "lib/Package/SizeExpression.h"

#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace kiln {

inline constexpr int64_t kPackageVersion = 3, kPackageMinor = 1; // the latest

/// A size that the caller chooses, or that values decide, from `least` to `most`.
struct Dimension {
  std::string name; // a name of C
  int64_t least = 0, most = std::numeric_limits<int64_t>::max();
  SizeExpression bound = {}; // of one that values decide: it is at most this, which follows from the dimensions before; else empty
  bool isCounted() const { return !bound.items.empty(); }
  bool operator==(const Dimension &) const = default;
};

/// Sizes of the dimensions of an entry, each from a least to a most one.
using SizeBox = std::vector<std::pair<int64_t, int64_t>>;

/// What fills an input of a program.
enum class Role : uint8_t {
  Argument,
  Weight,
  Number, // an argument of rank 0 that a caller gives by value
  Size,   // of rank 0: a number that follows from the dimensions, converted to the dtype of the input; nobody gives it
  Kept    // an output of the stage before, which has its name
};

struct PackageInput {
  std::string name; // a name of C: letters, digits and _
  Role role = Role::Argument;
  int64_t weight = -1;               // its place among the package's weights; of an Argument that is written: what it starts as, or -1
  std::vector<SizeExpression> shape; // of an Argument: as callers give it, a number or a dimension an axis
  SizeExpression number;             // of a Size
  bool operator==(const PackageInput &) const = default;
};

struct PackageOutput {
  std::string name;    // in/out: that of the input
  int64_t writes = -1; // the input that the caller sees change: in/out; -1 for a result of its own
  bool operator==(const PackageOutput &) const = default;
};

/// One function. Inputs and outputs are in the order of the program's, row-major and on the host; types stand in the program.
/// A function that does otherwise at other sizes is several entries of one name, one after another, which differ in their programs, symbols
/// and sizes, and in the inputs that are no arguments.
/// Sizes that values decide are counted: such a function runs in stages, one for each of these dimensions and a last one. Each computes the
/// next dimension, and what later ones need; the last one has the results. Entries of one name stand in the order of their stages: an entry
/// has the dimensions that are known where it runs, those that callers choose first.
struct PackageEntry {
  std::string name;
  Trace program;
  std::vector<PackageInput> inputs;
  std::vector<PackageOutput> outputs;
  std::vector<Dimension> dimensions;
  std::vector<SizeExpression> symbols; // of an open program: each of its symbols
  std::vector<SizeBox> checked;        // the sizes that this entry was checked for; without dimensions: one empty box
  std::vector<SizeBox> assumed;        // further sizes that it is used for: those that no entry of its name was checked for
  /// The questions about values that a call may answer as no recording did, each as where and why it was asked. Where there are some, the
  /// last output is an int64 of rank 0: 0, or the number of the question from 1, and the other results of that call are of no use.
  std::vector<std::string> misses;
  bool counts = false;   // the last output, but for that number, is an int64 of rank 0: the next dimension; the others are kept
  std::string signature; // how arguments and results are put together, as JSON: what Python needs, and nobody else
};

/// An array that entries share. The bytes are row-major, and belong to `owner`: a mapped file, or the array that is being exported.
struct PackageWeight {
  std::string name;
  TensorType type;
  std::span<const uint8_t> bytes;
  std::shared_ptr<const void> owner;
};

/// An op whose kernel is a function of C (lib/Core/NativeOps.h), with what its code is made of: sources, an object, or both.
struct PackageOp {
  NativeOp op;
  std::string symbol;                                     // of the function
  std::vector<std::string> sources, flags;                // files that are compiled, and how
  std::vector<std::pair<std::string, std::string>> files; // sources and their headers: a name, and the member that has it
  std::string object, triple;                             // the member of an object for a machine; empty: none
  std::string kernel;                                     // that of PTX with a kernel for GPUs; empty: none
};

/// A member that belongs to an op.
struct PackageFile {
  std::string member;
  std::span<const uint8_t> bytes;
  std::shared_ptr<const void> owner;
};

/// Code of all entries for one kind of machine: a library of C functions (docs/libraries.md) whose weights a caller gives. It is run where
/// the user asks for it alone.
struct PackageNative {
  std::string triple;                  // in LLVM's names
  std::vector<std::string> processors; // from the least to the best
  std::span<const uint8_t> bytes;
  std::shared_ptr<const void> owner;
};

struct Package {
  std::string name; // a name of C
  std::vector<PackageEntry> entries;
  std::vector<PackageWeight> weights;
  std::vector<PackageOp> ops = {};
  std::vector<PackageFile> files = {}; // of the ops

  /// The bytes of a member of an op. Throws Error (package) where there is none.
  std::span<const uint8_t> file(const std::string &member) const;
  std::vector<PackageNative> natives = {};
};

/// How much of a file's checksums is compared: those of programs, or those of weights too, which then are read.
enum class Checksums : uint8_t { OfPrograms, OfAll };

/// Writes a file, in the place of an older one at once: a reader sees either. The same package gives the same bytes.
/// Throws Error (package) for one that does not fit together, and where the file cannot be written.
void writePackage(const Package &package, const std::string &path);
/// A package whose weights are the mapped file. Throws Error (package) for what is no package, is damaged, or is of a later version.
Package readPackage(const std::string &path, Checksums checksums = Checksums::OfPrograms);
/// The same of bytes in memory, which `owner` keeps.
Package unpackPackage(std::span<const uint8_t> bytes, std::shared_ptr<const void> owner, Checksums checksums = Checksums::OfAll);

/// Throws Error (package) for a package whose parts do not fit together: what the writer and the reader ask.
void checkPackage(const Package &package);

/// Where the next dimension stands among the outputs of an entry that counts: behind those that it keeps.
size_t countOf(const PackageEntry &entry);
/// Where an entry that counts keeps what has this name.
std::optional<size_t> keptAs(const PackageEntry &entry, const std::string &name);
/// The dimensions of a function, also those that values decide: as the last of the entries of its name has them.
const std::vector<Dimension> &dimensionsOf(const Package &package, const std::string &name);

/// The entry of a name that these sizes of its dimensions run: of the stage that has as many. Throws Error (package) where no entry has the
/// name, (shape) for sizes that none was made for.
const PackageEntry &entryFor(const Package &package, const std::string &name, std::span<const int64_t> sizes);
/// What an entry's symbols are at some sizes; none for a program of fixed sizes. `specialize` (lib/Core/Generalize.h) says whether the
/// program is one there: a symbol that is a size anywhere must be 2 or more. Throws Error (shape) for one that overflows.
std::vector<int64_t> symbolsOf(const PackageEntry &entry, std::span<const int64_t> sizes);

} // namespace kiln
