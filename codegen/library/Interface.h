// A package as functions of C: what callers give to each, and what they get.
#pragma once

#include "lib/Core/Types.h"
#include "lib/Package/Package.h"
#include "lib/Package/Programs.h"

#include <functional>
#include <set>

namespace kiln::library {

/// What is around a library: Linux or Android, an engine of WebAssembly, or nothing (a microcontroller).
enum class System { Linux, Wasm, None };

/// Routines of Kiln's own operations that a library can have.
enum class RoutineSet { Fourier, Decompositions };

/// The values are those of support/library.h.
enum class Use { Read, Written, ReadAndWritten, Value };

/// A pointer to an array, or a number.
struct Argument {
  std::string name;
  Use use = Use::Read;
  DType dtype = DType::F32;
  std::vector<SizeExpression> shape;
  int64_t weight = -1;       // of one that is written: what it starts as
  std::string capacity = {}; // of a result whose size values decide: the name of the argument that says how many elements there is room for
  std::vector<size_t> found = {}; // and the sizes that callers are told behind it
  bool isInput() const { return use != Use::Written; }
};

/// A size of results that values decide, which callers are told.
struct FoundSize {
  std::string name;
  std::vector<SizeExpression> size; // of each variant
};

/// One entry: its programs are for different sizes, and differ in the shapes of their results alone.
struct Function {
  std::string name;                                           // of the entry
  std::string symbol;                                         // in C
  std::vector<const PackageEntry *> variants = {};            // of the last stage
  std::vector<std::vector<const PackageEntry *>> stages = {}; // before it
  std::vector<std::vector<Argument>> arguments = {};          // of each variant: what is given, then what is written
  size_t given = 0;
  std::vector<std::string> sizes = {}; // of the dimensions, their names in C
  std::vector<FoundSize> found = {};

  /// Those that callers choose first, then one for each stage.
  const std::vector<Dimension> &dimensions() const { return variants[0]->dimensions; }
  size_t chosen() const { return dimensions().size() - stages.size(); }
  /// All variants of all stages, in their order.
  std::vector<const PackageEntry *> programs() const;
  std::vector<std::string> dimensionNames() const;
};

struct Interface {
  std::string name;
  std::vector<Function> functions;
  std::vector<std::string> weights; // their names in C
  const Package *package = nullptr;
  std::set<RoutineSet> routines = {}; // that are part of it
  bool isDevice = false;              // arrays are in memory of a device
  int64_t threads = 1;                // that loops are shared out to where the options do not say
  bool needsLapack() const { return routines.contains(RoutineSet::Decompositions); }
};

/// The functions of a package as a library of this name. Throws Error (package) where they can be none of C.
Interface interfaceOf(const Package &package, const std::string &name);

/// Whether an output is the number of a question, which callers do not see.
bool isMiss(const PackageEntry &entry, const PackageOutput &output);
/// Finds the results of a function whose sizes values decide: they get a capacity, and their sizes names that are free. (Counted.cpp)
void findCounted(Function &function, const std::function<std::string(std::string)> &freeName);
/// The sizes of an array of an entry's program, in those of the caller.
std::vector<SizeExpression> shapeOf(const PackageEntry &entry, const TensorType &type);
/// The dtype of an input, as C has it: `const float *`, or `float` for a number.
std::string typeInC(const Argument &argument);
/// Of one element: complex numbers are two floats, halves their bits.
std::string elementInC(DType dtype);
/// "float32 (n, 784)"; of several variants what each of them has.
std::string describe(const Function &function, size_t argument);
/// "count"; of several variants what it is in each of them.
std::string describe(const Function &function, const FoundSize &size);

/// A copy of a package's functions as JSON: what <library>_signature() returns.
std::string signatureOf(const Interface &interface, const std::string &triple, const std::vector<std::string> &processors);

/// The header of a library.
std::string headerOf(const Interface &interface, const std::string &machine, System system);

} // namespace kiln::library
